// SPDX-License-Identifier: Apache-2.0
// The update state machine of one plug-in, as a pure function: state × event → state.
#include "host/transitions.h"

#include <stdint.h>

// Targets beside the states themselves.
#define REST     0xF0u // RUNNING with a confirmed version, ABSENT without
#define FALLBACK 0xF1u // ROLLED_BACK with a confirmed version, FAILED without
#define SAME     0xF2u // what is under way goes on
#define NEVER    0xFFu // the event cannot happen in this state

#define DOWNLOADING AG_STATE_DOWNLOADING
#define REFUSED     AG_STATE_REFUSED
#define STOPPED     AG_STATE_STOPPED
#define REMOVING    AG_STATE_REMOVING
#define FAILED      AG_STATE_FAILED

static const uint8_t table[AG_STATE_COUNT][AG_EVENT_COUNT] = {
    // clang-format off
    //                         FETCH        FETCHED             PAUSE            REFUSE   VERIFIED         ACTIVATE        CONFIRM           FAIL      SETTLE  STOP     UNWANTED  REMOVED          FALL_BACK  LEAVE   RETRY  FOUND
    [AG_STATE_ABSENT]      = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           NEVER,     NEVER,  NEVER, AG_STATE_STAGED },
    [AG_STATE_DOWNLOADING] = { NEVER,       AG_STATE_VERIFYING, AG_STATE_PAUSED, REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           SAME,      SAME,   SAME,  NEVER },
    [AG_STATE_VERIFYING]   = { NEVER,       NEVER,              AG_STATE_PAUSED, REFUSED, AG_STATE_STAGED, NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           SAME,      SAME,   SAME,  NEVER },
    [AG_STATE_PAUSED]      = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           SAME,      SAME,   SAME,  NEVER },
    [AG_STATE_STAGED]      = { NEVER,       NEVER,              NEVER,           REFUSED, NEVER,           AG_STATE_TRIAL, NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           SAME,      SAME,   SAME,  NEVER },
    [AG_STATE_TRIAL]       = { NEVER,       NEVER,              NEVER,           NEVER,   NEVER,           NEVER,          AG_STATE_RUNNING, FALLBACK, REST,   NEVER,   NEVER,    NEVER,           NEVER,     NEVER,  NEVER, NEVER },
    [AG_STATE_RUNNING]     = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           FALLBACK,  FAILED, SAME,  AG_STATE_STAGED },
    [AG_STATE_ROLLED_BACK] = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           FALLBACK,  FAILED, SAME,  NEVER },
    [AG_STATE_REFUSED]     = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           SAME,      SAME,   SAME,  NEVER },
    [AG_STATE_FAILED]      = { DOWNLOADING, NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           NEVER,     SAME,   REST,  NEVER },
    [AG_STATE_STOPPED]     = { NEVER,       NEVER,              NEVER,           REFUSED, NEVER,           NEVER,          NEVER,            NEVER,    REST,   STOPPED, REMOVING, NEVER,           NEVER,     NEVER,  NEVER, NEVER },
    [AG_STATE_REMOVING]    = { NEVER,       NEVER,              NEVER,           NEVER,   NEVER,           NEVER,          NEVER,            NEVER,    REST,   NEVER,   REMOVING, AG_STATE_ABSENT, NEVER,     NEVER,  NEVER, NEVER },
    // clang-format on
};

enum ag_status ag_transition_next(enum ag_transition_state state, enum ag_transition_event event,
                                  bool confirmed, enum ag_transition_state *next)
{
    uint8_t target = table[state][event];
    if (target == NEVER)
        return AG_ERR_ARGUMENT;
    if (target == SAME)
        target = (uint8_t)state;
    if (target == REST)
        target = confirmed ? AG_STATE_RUNNING : AG_STATE_ABSENT;
    if (target == FALLBACK)
        target = confirmed ? AG_STATE_ROLLED_BACK : AG_STATE_FAILED;
    *next = (enum ag_transition_state)target;
    return AG_OK;
}

enum ag_transition_state ag_transition_at_start(bool confirmed, bool staged, bool failed)
{
    if (staged)
        return AG_STATE_STAGED;
    if (failed)
        return confirmed ? AG_STATE_ROLLED_BACK : AG_STATE_FAILED;
    return confirmed ? AG_STATE_RUNNING : AG_STATE_ABSENT;
}

const char *ag_transition_state_name(enum ag_transition_state state)
{
    static const char *const names[AG_STATE_COUNT] = {
        [AG_STATE_ABSENT] = "absent",       [AG_STATE_DOWNLOADING] = "downloading",
        [AG_STATE_VERIFYING] = "verifying", [AG_STATE_PAUSED] = "waiting",
        [AG_STATE_STAGED] = "waiting",      [AG_STATE_TRIAL] = "trial",
        [AG_STATE_RUNNING] = "running",     [AG_STATE_ROLLED_BACK] = "rolled_back",
        [AG_STATE_REFUSED] = "refused",     [AG_STATE_FAILED] = "failed",
        [AG_STATE_STOPPED] = "stopped",     [AG_STATE_REMOVING] = "removing",
    };
    return names[state];
}
