// SPDX-License-Identifier: Apache-2.0
// The world at one moment without power: what the flash holds and what the hub knows. Taken once
// and given back as often as wanted.
#ifndef AG_TEST_POWER_MOMENT_H
#define AG_TEST_POWER_MOMENT_H

#include "test/unit/host/world.h"

struct moment {
    struct sim_flash flash;
    json_t *desired;
    json_t *reported;
    uint64_t version;
    uint64_t reported_version;
};

// The world is open.
void moment_open(struct moment *moment);
void moment_close(struct moment *moment);

void moment_take(struct moment *moment);
// The device has no power then, the network works, and the board is as new.
void moment_give(const struct moment *moment);

#endif
