// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: round-robin over plug-ins with periods, in slices.
//
// A plug-in whose run is not done when its slice is gone stays due, but behind everybody else who
// is due: one that computes for long delays the others by one slice at most. A period is kept
// without drift; runs that were missed are left out, not made up for.
#ifndef AG_HOST_SCHEDULE_H
#define AG_HOST_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

// No plug-in; or, as a time, never.
#define AG_SCHEDULE_NONE UINT32_MAX

struct ag_schedule_slot {
    bool used;
    bool busy;          // in the middle of a run
    uint32_t period_ms; // >= 1
    uint64_t due_ms;    // of the next run, or of the one in progress
};

struct ag_schedule {
    struct ag_schedule_slot slots[AG_CFG_PLUGIN_MAX];
    uint32_t last; // whose turn was last
};

void ag_schedule_init(struct ag_schedule *schedule);

// Plug-in `index` has its first run at `now_ms` and then every `period_ms`.
void ag_schedule_add(struct ag_schedule *schedule, uint32_t index, uint32_t period_ms,
                     uint64_t now_ms);
void ag_schedule_remove(struct ag_schedule *schedule, uint32_t index);

// A new period: the next run is that long after the last one was due.
void ag_schedule_set_period(struct ag_schedule *schedule, uint32_t index, uint32_t period_ms);

// Whose turn it is at `now_ms`, or AG_SCHEDULE_NONE; that one moves to the end of the line.
uint32_t ag_schedule_next(struct ag_schedule *schedule, uint64_t now_ms);

// How the turn ended: not done, or there is more to do (stays due); done (due again a period after
// it was due); or done with something else (due when it was before).
void ag_schedule_suspended(struct ag_schedule *schedule, uint32_t index);
void ag_schedule_rest(struct ag_schedule *schedule, uint32_t index);
void ag_schedule_done(struct ag_schedule *schedule, uint32_t index, uint64_t now_ms);

// Milliseconds until somebody is due: 0 when somebody is, AG_SCHEDULE_NONE when nobody ever is.
uint32_t ag_schedule_wait(const struct ag_schedule *schedule, uint64_t now_ms);

#endif
