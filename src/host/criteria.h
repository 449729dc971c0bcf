// SPDX-License-Identifier: Apache-2.0
// What a new version must show before it is confirmed, as a pure function: criteria × what was seen
// of the trial → verdict.
//
// The order in which things are asked of it:
//   1. it has not failed: a trap, a budget of fuel overrun, an initialize or `healthy` that says no
//   2. so many runs, and so much time since it was started
//   3. `healthy`, where it exports that, has answered; asked once, when 2 is done
//   4. where the criteria ask for it, the hub was reached with it running: an answer of the hub
//      came after 3 was done. The host asks for one (it reads the twin), and connects again where
//      the connection is lost. No answer for AG_CRITERIA_HUB_MS fails the trial.
// A trial that asks for the hub begins only while there is a connection: so a hub that could not be
// reached before is never the new version's fault, the one before it runs until there is one.
//
// A trial has an end: ag_criteria_limit_ms after its start, whatever it waits for, it has failed.
#ifndef AG_HOST_CRITERIA_H
#define AG_HOST_CRITERIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

// How long the hub may stay away from a version that is done with its runs. Longer than two
// keep-alives and the pauses between attempts to connect, so that one lost connection is no
// verdict.
#define AG_CRITERIA_HUB_MS 900000u

// The end of a trial is between these, by the runs and the time that are asked for.
#define AG_CRITERIA_LIMIT_MIN_MS 3600000u   // an hour
#define AG_CRITERIA_LIMIT_MAX_MS 604800000u // a week

struct ag_criteria {
    uint32_t runs;    // of execute; at least 1
    uint32_t time_ms; // since its instance was made
    bool needs_hub;
};

// What one source says of them, over what the source before it said.
struct ag_criteria_terms {
    bool has_runs;
    bool has_time;
    bool has_hub;
    bool needs_hub;
    uint32_t runs; // 0 counts as 1
    uint32_t time_ms;
};

enum ag_criteria_health {
    AG_CRITERIA_HEALTH_UNKNOWN, // not asked yet
    AG_CRITERIA_HEALTH_NONE,    // it exports no `healthy`
    AG_CRITERIA_HEALTH_ASKED,   // the call is under way
    AG_CRITERIA_HEALTH_WELL,
};

// What was seen of a trial so far.
struct ag_criteria_facts {
    enum ag_status failure; // AG_OK, or how it failed by itself
    uint32_t runs;
    uint64_t ran_ms; // since its instance was made
    uint64_t limit_ms;
    enum ag_criteria_health health;
    bool hub_was_asked;  // since the rest was done
    bool hub_answered;   // since it was asked
    uint64_t waiting_ms; // since it was asked
};

enum ag_criteria_action {
    AG_CRITERIA_GO_ON,      // nothing to decide yet
    AG_CRITERIA_ASK_HEALTH, // call `healthy`
    AG_CRITERIA_ASK_HUB,    // ask the hub for an answer
    AG_CRITERIA_PASS,       // confirm it
    AG_CRITERIA_FAIL,       // for the reason `status`
};

struct ag_criteria_verdict {
    enum ag_criteria_action action;
    enum ag_status status; // of AG_CRITERIA_FAIL, else AG_OK
};

// Lays one source's terms over the criteria.
void ag_criteria_apply(struct ag_criteria *criteria, const struct ag_criteria_terms *terms);

// When a trial by these criteria of a version that runs every `period_ms` has failed at the latest:
// twice what it takes at least and the wait for the hub, within the limits above.
uint64_t ag_criteria_limit_ms(const struct ag_criteria *criteria, uint32_t period_ms);

// Time after which the verdict is another one if nothing but time passes, milliseconds.
uint64_t ag_criteria_wait_ms(const struct ag_criteria *criteria,
                             const struct ag_criteria_facts *facts);

struct ag_criteria_verdict ag_criteria_judge(const struct ag_criteria *criteria,
                                             const struct ag_criteria_facts *facts);

#endif
