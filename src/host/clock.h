// SPDX-License-Identifier: Apache-2.0
// The time of day, for a board that does not know it. What it holds; core.h says what it does.
#ifndef AG_HOST_CLOCK_H
#define AG_HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/config.h"
#include "base/status.h"

struct ag_clock {
    bool is_asking;    // a request that is made for its answer's Date is under way
    uint64_t until_ms; // none before that time
    struct ag_backoff backoff;
    char url[AG_CFG_HOST_MAX + 16];
};

void ag_clock_init(struct ag_clock *clock);

// A connection failed: a time that was only learnt may be why.
void ag_clock_failed(enum ag_status why);

#endif
