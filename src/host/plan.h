// SPDX-License-Identifier: Apache-2.0
// The plan: desired × installed → what to do next about one plug-in. A pure function; every rule
// of DESIGN 4.1 is a row of its test.
//
// It looks at facts only, so that the same desired state twice is a no-op and a newer desired state
// supersedes whatever is under way: the host asks again after every change and every step.
#ifndef AG_HOST_PLAN_H
#define AG_HOST_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "host/transitions.h"

// What the twin desires for one name.
struct ag_plan_desired {
    bool known;            // some desired section with firmware_modules has been read
    bool present;          // the name stands in it; what follows counts only then
    enum ag_status status; // AG_OK, or why the entry is malformed
    bool keep;             // empty Url: what is installed stays
    uint32_t version;
    const uint8_t *sha256; // 32 bytes, borrowed; NULL: not stated
    bool allow_downgrade;
    bool enabled;
    bool window_is_closed; // no new version may be activated now
};

// One installed version.
struct ag_plan_version {
    uint32_t version;      // 0: none
    const uint8_t *sha256; // 32 bytes, borrowed
};

enum ag_plan_staged {
    AG_PLAN_STAGED_NONE,
    AG_PLAN_STAGED_SEALED, // verified, translated, not yet run
    AG_PLAN_STAGED_TRIAL,  // runs on trial
};

// What the store and the host hold for that name.
struct ag_plan_installed {
    struct ag_plan_version confirmed;
    enum ag_plan_staged staged_state;
    struct ag_plan_version staged;
    bool waits;             // the staged version may not be put on trial yet: that needs the hub,
                            // and there is no connection
    bool stopped;           // the confirmed version does not run because it was not enabled
    bool is_told_stopped;   // and its state says so
    bool quarantined;       // the file with the desired Sha256 is in quarantine
    enum ag_status outcome; // why this very entry was given up before; AG_OK: it was not
    bool is_told_outcome;   // and its state says so: refused, rolled back, failed
};

enum ag_plan_action {
    AG_PLAN_NOTHING,  // all is as it may be
    AG_PLAN_REFUSE,   // cannot be accepted: `status` says why
    AG_PLAN_FETCH,    // get the file
    AG_PLAN_ACTIVATE, // put the staged version on trial
    AG_PLAN_HOLD,     // the staged version waits for its window
    AG_PLAN_DISCARD,  // drop the staged version without a verdict, the confirmed one runs
    AG_PLAN_STOP,     // not enabled
    AG_PLAN_START,    // enabled again
    AG_PLAN_REMOVE,   // not desired; only after every other name has had its turn
};

struct ag_plan_step {
    enum ag_plan_action action;
    enum ag_status status; // the reason of AG_PLAN_REFUSE, else AG_OK
};

// Whether a state that tells of something past is over, when there is nothing to do: what is
// desired is what there is. `is_left`: the confirmed version failed so often that it is left down.
bool ag_plan_is_settled(const struct ag_plan_desired *desired,
                        const struct ag_plan_installed *installed, enum ag_transition_state state,
                        bool is_left);

struct ag_plan_step ag_plan_next(const struct ag_plan_desired *desired,
                                 const struct ag_plan_installed *installed);

#endif
