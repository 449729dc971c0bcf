// SPDX-License-Identifier: Apache-2.0
// The update state machine of one plug-in, as a pure function: state × event → state.
//
// The table is the whole truth: the host asks it before it changes anything, and a test walks every
// state with every event. What holds in it: only VERIFIED leads to STAGED (and FOUND back to it),
// only STAGED leads to TRIAL, only TRIAL (by CONFIRM) makes a version the confirmed one; from
// everywhere there is a way to the desired state.
#ifndef AG_HOST_TRANSITIONS_H
#define AG_HOST_TRANSITIONS_H

#include <stdbool.h>

#include "base/status.h"

enum ag_transition_state {
    AG_STATE_ABSENT,      // nothing installed, nothing under way
    AG_STATE_DOWNLOADING, // a new version is being fetched
    AG_STATE_VERIFYING,   // the whole file is here: hashed, then translated
    AG_STATE_PAUSED,      // fetching failed in a way that may pass: tried again later
    AG_STATE_STAGED,      // verified and translated; has its turn next
    AG_STATE_TRIAL,       // the new version runs and must prove itself
    AG_STATE_RUNNING,     // the confirmed version is the desired one
    AG_STATE_ROLLED_BACK, // a version failed, on trial or later; the one before it runs
    AG_STATE_REFUSED,     // what is desired cannot be accepted; a confirmed one, if any, runs
    AG_STATE_FAILED,      // a version failed, and there is none before it; nothing runs
    AG_STATE_STOPPED,     // installed but not enabled
    AG_STATE_REMOVING,    // no longer desired
};
#define AG_STATE_COUNT 12

enum ag_transition_event {
    AG_EVENT_FETCH,     // a fetch begins
    AG_EVENT_FETCHED,   // the last byte has been stored
    AG_EVENT_PAUSE,     // the fetch failed and is to be tried again
    AG_EVENT_REFUSE,    // the entry or the file cannot be accepted
    AG_EVENT_VERIFIED,  // the file is proven and translated
    AG_EVENT_ACTIVATE,  // the trial begins
    AG_EVENT_CONFIRM,   // the trial was passed
    AG_EVENT_FAIL,      // the trial was failed
    AG_EVENT_SETTLE,    // what was under way is no longer wanted, the confirmed version is
    AG_EVENT_STOP,      // not enabled
    AG_EVENT_UNWANTED,  // gone from the desired list
    AG_EVENT_REMOVED,   // gone from the store
    AG_EVENT_FALL_BACK, // the confirmed version failed for good, the one before it took its place
    AG_EVENT_LEAVE,     // the confirmed version failed for good, there is none to take its place
    AG_EVENT_RETRY,     // a version that was left down is started again
    AG_EVENT_FOUND,     // what was verified before the last start, while it was stopped, is staged
};
#define AG_EVENT_COUNT 16

// The next state into *next; `confirmed`: a confirmed version is installed.
// AG_ERR_ARGUMENT: this event cannot happen in this state; *next is untouched.
AG_MUST_CHECK enum ag_status ag_transition_next(enum ag_transition_state state,
                                                enum ag_transition_event event, bool confirmed,
                                                enum ag_transition_state *next);

// The state after a start of the host, by what the store holds: a confirmed version, a staged one
// (also one whose trial a reset interrupted), and the mark of a newer one that failed.
enum ag_transition_state ag_transition_at_start(bool confirmed, bool staged, bool failed);

// The word of the twin's report, DESIGN 4.2: "downloading", … Static. "absent" is never reported.
const char *ag_transition_state_name(enum ag_transition_state state);

#endif
