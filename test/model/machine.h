// SPDX-License-Identifier: Apache-2.0
// One plug-in's updates as a machine of finitely many states: the host's own decisions
// (transitions, plan, criteria, fallback), joined as update.c, trial.c and boot.c join them, over a
// store and a world that are no more than what those decisions can tell apart.
//
// What is real: every function that decides. What is modelled: the store's roles and marks, RAM,
// the order of calls, time (a pause is over, or it is not) and the outside. Every event is tried
// with the power cut after each of its writes to flash, and with flash that fails from each of them
// on, until a start or until the store is brought up again.
//
// What is left out: bytes that change on flash (test/power/power_rot_test.c), epochs (a version of
// a lower one counts as no previous version), a lack of room, and other plug-ins.
#ifndef AG_TEST_MODEL_MACHINE_H
#define AG_TEST_MODEL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/criteria.h"
#include "host/fallback.h"
#include "host/plan.h"
#include "host/transitions.h"

// Files: 0 is none. 1 is of version 1; 2 and 3 are both of version 2.
#define MACHINE_FILES 3

enum machine_kind { // what the twin says of the name
    KIND_ABSENT,
    KIND_MALFORMED,
    KIND_KEEP,  // an empty Url
    KIND_FILE1, // from here on: the file of that number
    KIND_FILE2,
    KIND_FILE3,
    KIND_DOWN1, // file 1, and a downgrade is allowed
    KIND_COUNT,
};

enum machine_role {
    NOBODY = 0,
    CURRENT = 1,
    NEXT = 2,
    PREVIOUS = 4
};

// The condemned next version is to be dropped, not to be marked failed.
#define MACHINE_DROPPED 4

struct machine {
    // On flash.
    uint8_t current, previous, next, rejected; // files
    bool next_is_sealed;                       // otherwise it is still on its way
    uint8_t trials;                            // of next
    bool next_on_trial;
    uint8_t origin;     // the file that was sealed last: its URL is known
    uint8_t quarantine; // bits by file
    uint8_t history_of; // enum machine_role
    uint8_t failures;
    bool disabled;
    // In RAM.
    uint8_t state;     // enum ag_transition_state
    uint8_t runs;      // enum machine_role: who
    uint8_t condemned; // bits of enum machine_role, and MACHINE_DROPPED
    uint8_t ram_history_of, ram_failures;
    bool stopped, failing, outcome, known, online, flash_is_dead, has_desired;
    uint8_t fetched; // file that is on its way
    bool did_runs, hub_was_asked, hub_answered;
    uint8_t health;
    bool pardons; // a retry was asked for: the next fetch takes a file out of quarantine
    // The twin.
    uint8_t kind;
    bool enabled, with_hash, wants_hub;
    // The clock, where a staged version waits.
    bool window_is_closed;
    // For the proof, unknown to the host: versions whose own bytes were proven, as bits of enum
    // machine_role; and whether the world has said no to the very file that the twin desires.
    uint8_t proven;
    bool world_refused;
};

// The rules, so that a test can break one.
struct machine_rules {
    enum ag_status (*next)(enum ag_transition_state, enum ag_transition_event, bool,
                           enum ag_transition_state *);
    struct ag_plan_step (*plan)(const struct ag_plan_desired *, const struct ag_plan_installed *);
    bool (*settled)(const struct ag_plan_desired *, const struct ag_plan_installed *,
                    enum ag_transition_state, bool);
    struct ag_criteria_verdict (*judge)(const struct ag_criteria *,
                                        const struct ag_criteria_facts *);
    enum ag_fallback_action (*fallback)(const struct ag_fallback_history *, uint32_t, bool);
    enum ag_status (*trial)(const struct ag_fallback_history *, uint32_t, uint32_t);
    bool takes_parts; // what is not sealed counts as staged
};
extern const struct machine_rules machine_real_rules;
extern struct machine_rules machine_rules;

enum machine_event {
    EVENT_PLAN,  // the host makes its plan; no more than one step of it
    EVENT_JUDGE, // the host judges the trial
    EVENT_PAUSE_OVER,
    EVENT_ONLINE,
    EVENT_OFFLINE,
    EVENT_FETCHED,
    EVENT_FETCH_FAILS, // in a way that may pass
    EVENT_FETCH_REFUSED,
    EVENT_VERIFIED,
    EVENT_VERIFY_REFUSED,
    EVENT_RUNS_DONE,
    EVENT_WELL,
    EVENT_HUB_ANSWERS,
    EVENT_HUB_TIMEOUT,
    EVENT_OVERDUE,
    EVENT_TRIAL_TRAPS,
    EVENT_TRAPS,   // the confirmed version
    EVENT_RESTART, // its pause is over
    EVENT_LONG_PAUSE_OVER,
    EVENT_STABLE,
    EVENT_RESET,   // between two runs, or by a cut of the power
    EVENT_BITE,    // in the middle of a run
    EVENT_RECOVER, // the flash works again, and the store is brought up again
    EVENT_WINDOW_OPENS,
    EVENT_WINDOW_CLOSES,
    EVENT_ASK_RETRY,   // by direct method
    EVENT_ASK_RESTART, // of the confirmed version
    EVENT_TWIN,        // EVENT_TWIN + i: the twin changes to the i-th desire
};
#define MACHINE_DESIRES (KIND_COUNT * 8)
#define MACHINE_EVENTS  (EVENT_TWIN + MACHINE_DESIRES)

// What a step did, beside the state that it led to.
struct machine_trace {
    uint32_t writes;       // to flash
    bool fetches;          // a fetch was begun
    bool activates;        // a trial was begun, and its mark written
    const char *violation; // of an invariant; NULL: none
};

// How the flash behaves in a step.
struct machine_flash {
    uint32_t cut_after;  // the power goes after that write; 0: it does not
    uint32_t fails_from; // that write and all later ones fail; 0: none does
};

// The device before anything was installed, just started.
void machine_init(struct machine *machine);
// Does the event. False: it cannot happen in this state.
bool machine_step(struct machine *machine, int event, const struct machine_flash *flash,
                  struct machine_trace *trace);
// Whether the device is where the twin wants it, or as near as this twin lets it come.
bool machine_is_at_goal(const struct machine *machine);
// What does not hold in this state; NULL: all holds.
const char *machine_breach(const struct machine *machine);
// Injective.
uint64_t machine_pack(const struct machine *machine);
void machine_unpack(uint64_t key, struct machine *machine);
void machine_print(const struct machine *machine);
const char *machine_event_name(int event);

#endif
