// SPDX-License-Identifier: Apache-2.0
// What becomes of a confirmed version that fails, as pure functions: history × failure → history,
// and history → what to do.
//
// A failure is a trap, a budget overrun, a start that failed, or a reset of the device in the
// middle of one of its runs. Failures count until it has run for a minute without one; the count is
// on flash, so that resets do not forget it. After each it is started again, later each time. After
// AG_FALLBACK_FAILURES_MAX the version before it takes its place. Where there is none that may run,
// it is left down and tried again once in AG_FALLBACK_PAUSE_MS: it is never given up for good.
//
// A version on trial needs no count of failures, its first one ends the trial. Of resets in its
// runs the AG_FALLBACK_TRIAL_RESETS_MAXth does, because one may be of somebody who ended the host.
// A trial that was begun AG_FALLBACK_TRIALS_MAX times and never came to an end has failed, too: a
// cut of the power is no fault of the plug-in; one that takes the device down each time must not do
// so for ever.
#ifndef AG_HOST_FALLBACK_H
#define AG_HOST_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define AG_FALLBACK_FAILURES_MAX     5u
#define AG_FALLBACK_TRIAL_RESETS_MAX 2u
#define AG_FALLBACK_TRIALS_MAX       3u
#define AG_FALLBACK_STABLE_MS        60000u
#define AG_FALLBACK_PAUSE_MS         3600000u

// Of one version. All zeros: nothing has happened.
struct ag_fallback_history {
    uint32_t slot_id;    // the version that it is of; 0: of none
    uint8_t failures;    // since it was stable last; at most AG_FALLBACK_FAILURES_MAX
    enum ag_status last; // the last one
};

enum ag_fallback_action {
    AG_FALLBACK_RESTART,  // again, after a growing pause
    AG_FALLBACK_PREVIOUS, // the version before it takes its place
    AG_FALLBACK_LEAVE,    // it stays down, until something changes or the long pause is over
};

// Counts a failure of the version in that slot; a history of another version is forgotten.
void ag_fallback_count(struct ag_fallback_history *history, uint32_t slot_id, enum ag_status why);

// Failures of the version in that slot.
uint8_t ag_fallback_failures(const struct ag_fallback_history *history, uint32_t slot_id);

// What to do about the confirmed version in that slot after a failure, or at a start of the host.
// `has_previous`: there is a version before it, and it may be run.
enum ag_fallback_action ag_fallback_confirmed(const struct ag_fallback_history *history,
                                              uint32_t slot_id, bool has_previous);

// After a start of the host: AG_OK when the trial of the version in that slot, begun `trials`
// times, may be begun again, else why it has failed.
enum ag_status ag_fallback_trial(const struct ag_fallback_history *history, uint32_t slot_id,
                                 uint32_t trials);

// As a value in the store (FORMATS.md 5).
#define AG_FALLBACK_SIZE 8u
void ag_fallback_write(const struct ag_fallback_history *history, uint8_t value[AG_FALLBACK_SIZE]);
// Anything malformed is an empty history.
void ag_fallback_read(struct ag_fallback_history *history, const void *value, size_t size);

#endif
