// SPDX-License-Identifier: Apache-2.0
// Runs kernels on the engine. The same code stands in the bench twice: with the engine as it is,
// and with an engine of its own that was compiled without metering.
#ifndef AG_BENCH_PLAYER_H
#define AG_BENCH_PLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// An engine that was opened with a module.
struct bench_play;

struct bench_player {
    // Translates the module, which is borrowed, makes an instance and finds the function `entry`,
    // of one number that gives one number. On success *play is to be closed.
    enum ag_status (*open)(const uint8_t *module, size_t size, const char *entry,
                           struct bench_play **play);
    enum ag_status (*run)(struct bench_play *play, uint32_t rounds, uint32_t *result);
    uint64_t (*fuel)(const struct bench_play *play); // used since it was opened
    void (*close)(struct bench_play *play);
};

extern const struct bench_player bench_player_metered;
extern const struct bench_player bench_player_unmetered;

#endif
