// SPDX-License-Identifier: Apache-2.0
// The plug-ins that this host holds: what the store has of each, what runs of each, how it fares.
//
// RAM: one instance per plug-in at a time. A new version takes the place of the old one when its
// trial begins; a rollback makes the old one again, from its first initialize on. So a trial costs
// no RAM beyond the larger of the two.
#ifndef AG_HOST_PLUGINS_H
#define AG_HOST_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/config.h"
#include "base/status.h"
#include "host/criteria.h"
#include "host/desired.h"
#include "host/fallback.h"
#include "host/instance.h"
#include "host/ram.h"
#include "host/schedule.h"
#include "host/transitions.h"
#include "platform/crypto.h"
#include "plugin/schema.h"
#include "store/store.h"

// What the store holds in one role; id 0: nothing. The rest is asked of the store when it is
// wanted.
struct ag_plugin_version {
    uint32_t id;
    uint32_t version;
};

// The function of a place that there is none of.
#define AG_PLUGIN_NOWHERE UINT32_MAX

// A call of on_method.
enum ag_plugin_method {
    AG_PLUGIN_NO_METHOD,      // there is none, or the instance that had it is gone
    AG_PLUGIN_METHOD_DUE,     // it has its turn next
    AG_PLUGIN_METHOD_RUNNING, // it is under way
    AG_PLUGIN_METHOD_DONE,    // it has returned
};

enum ag_plugin_phase {
    AG_PLUGIN_DOWN,         // no instance
    AG_PLUGIN_INITIALIZING, // initialize is under way
    AG_PLUGIN_RUNNING,      // execute, once a period
    AG_PLUGIN_SETTLING,     // on_settings is under way
    AG_PLUGIN_EXAMINING,    // healthy is under way
    AG_PLUGIN_ANSWERING,    // on_method is under way
};

// A slot that is given up as soon as the flash lets it.
struct ag_plugin_condemned {
    uint32_t id;        // 0: none
    enum ag_status why; // it failed; AG_OK: it is not wanted
};

// In order of size, for there is one for each plug-in that a host may hold, used or not: 288 bytes
// on a machine of 32 bits.
struct ag_plugin {
    bool is_used;
    bool knows_place;      // false after a restart, whose store keeps no place
    bool is_trial;         // what runs is `next`
    bool settings_changed; // on_settings is to be called
    bool log_is_due;       // its last lines are to be written to flash
    bool pardons;          // the desired file is tried although it failed before
    bool hub_was_asked;    // in the trial, for an answer
    bool is_stopped;       // the confirmed version is down because it is not enabled
    bool is_failing;       // it is down because it failed
    bool is_dirty;         // what is to be reported of it has not been sent
    bool is_in_flight;     // it was sent, and is not acknowledged
    bool options_changed;  // what is desired of its options is not in the store
    enum ag_transition_state state;
    enum ag_plugin_phase phase;
    enum ag_plugin_method method;
    enum ag_criteria_health health; // of the trial
    enum ag_status error;           // that still stands
    enum ag_status error_cause;     // the failure behind AG_ERR_GAVE_UP; AG_OK: none
    enum ag_status outcome;         // why the desired entry was given up; AG_OK: it was not
    uint16_t failures;              // of the confirmed version, for the pause after the next
    uint16_t fetch_failures;        // to fetch the desired version, likewise
    char name[AG_CFG_NAME_MAX + 1];
    struct ag_plugin_version current;   // confirmed
    struct ag_plugin_version previous;  // confirmed before
    struct ag_plugin_version next;      // staged or on trial
    struct ag_plugin_version rejected;  // failed last
    struct ag_wasm_place error_place;   // in the file of that version; AG_PLUGIN_NOWHERE: in none
    struct ag_fallback_history history; // as in the store
    uint32_t error_version;             // the version that `error` is about; 0: none
    uint32_t runs;                      // of execute, done since the instance was made
    uint32_t file_period_ms;            // as the file says; 0: it does not
    uint32_t hub_answers;               // the host's count of answers when the hub was asked
    uint32_t found_staged; // id of the version that was staged when the host started; 0: none
    void *block;           // RAM of the instance, its own data included
    // Slots that could not be marked failed, or dropped: they count as gone until they can be.
    struct ag_plugin_condemned condemned; // that was confirmed
    struct ag_plugin_condemned condemned_staged;
    uint64_t made_ms;      // when the instance was made
    uint64_t restart_ms;   // when the confirmed version is started again
    uint64_t fetch_ms;     // when the desired version may be fetched again
    uint64_t window_ms;    // when the window of the staged version is looked at again; 0: it is not
    uint64_t hub_asked_ms; // when the hub was asked for an answer, in the trial
    uint64_t data_ms; // when writes of its own data, evenly spread, would be done; see save_data
    struct ag_instance instance;
};

// Which setting a plug-in's schema refused.
struct ag_plugin_fault {
    const struct ag_plugin *plugin; // NULL: nobody's
    struct ag_schema_fault fault;
};

struct ag_plugins {
    struct ag_store *store; // borrowed
    struct ag_ram ram;
    struct ag_pins pins;
    struct ag_schedule schedule;
    struct ag_instance_services services;
    uint32_t default_period_ms;
    uint64_t default_fuel;
    uint32_t slice_fuel;
    uint32_t faults_set;
    struct ag_plugin_fault faults[AG_CFG_FAULT_MAX];
    struct ag_plugin plugins[AG_CFG_PLUGIN_MAX];
};

// What a turn brought about.
enum ag_plugin_outcome {
    AG_PLUGIN_WENT_ON, // nothing to note
    AG_PLUGIN_RAN,     // one execute is done
    AG_PLUGIN_FAILED,  // a trap, or initialize said no: the instance is gone
};

// What came of the turn that somebody had.
struct ag_plugin_turn {
    struct ag_plugin *plugin;   // whose it was; NULL: nobody's
    enum ag_status status;      // AG_OK, or why it failed
    struct ag_wasm_place place; // where, if it failed; as of struct ag_plugin.error_place
};

// The plug-in of that name, or NULL.
struct ag_plugin *ag_plugins_find(struct ag_plugins *plugins, const char *name);

// The plug-in of that name, made if there is room; NULL if not. Reads what the store has of it.
struct ag_plugin *ag_plugins_open(struct ag_plugins *plugins, const char *name);

// Forgets a plug-in that has nothing in the store and does not run.
void ag_plugins_forget(struct ag_plugins *plugins, struct ag_plugin *plugin);

// All that the store knows of a version; zeros when there is none.
void ag_plugins_slot(const struct ag_plugins *plugins, const struct ag_plugin_version *version,
                     struct ag_store_slot *slot);

// Reads again what the store has of it.
void ag_plugins_refresh(struct ag_plugins *plugins, struct ag_plugin *plugin);

// Whether the slot could be run: its file and code are sound and fit, exports included. Translates
// again where only the code is stale or damaged.
AG_MUST_CHECK enum ag_status ag_plugins_check(struct ag_plugins *plugins, uint32_t slot_id,
                                              const struct ag_plugin *plugin);

// Makes an instance of the slot (current, or next for a trial) with these options (NULL: none) and
// begins its initialize. What ran of this plug-in before is shut down and gone, also on failure.
AG_MUST_CHECK enum ag_status ag_plugins_start(struct ag_plugins *plugins, struct ag_plugin *plugin,
                                              bool is_trial, const struct ag_desired_entry *options,
                                              uint64_t now_ms);

// Shuts the instance down and gives its RAM back; its pins too if `release_pins`.
void ag_plugins_stop(struct ag_plugins *plugins, struct ag_plugin *plugin, bool release_pins);

// Deletes own data that none of its versions finds any more, as far as flash allows.
void ag_plugins_forget_data(struct ag_plugins *plugins, const struct ag_plugin *plugin);

// The schema of the settings of a slot, borrowed as long as the slot is there; size 0: it has none.
AG_MUST_CHECK enum ag_status ag_plugins_schema(const struct ag_plugins *plugins,
                                               const struct ag_plugin *plugin, uint32_t slot_id,
                                               const uint8_t **schema, uint32_t *size);

// Which setting was refused, with the error AG_ERR_SETTINGS_SCHEMA; NULL: it is not known any more.
// Beyond AG_CFG_FAULT_MAX the oldest is forgotten.
const struct ag_schema_fault *ag_plugins_fault(const struct ag_plugins *plugins,
                                               const struct ag_plugin *plugin);
void ag_plugins_set_fault(struct ag_plugins *plugins, const struct ag_plugin *plugin,
                          const struct ag_schema_fault *fault);

// Other options for what runs; its settings pointer is renewed in any case.
void ag_plugins_set_options(struct ag_plugins *plugins, struct ag_plugin *plugin,
                            const struct ag_desired_entry *options, bool settings_changed);

// Makes on_method this plug-in's next call. AG_ERR_METHOD_DOWN: it does not run.
// AG_ERR_METHOD_UNKNOWN: it exports no on_method.
AG_MUST_CHECK enum ag_status ag_plugins_call_method(struct ag_plugins *plugins,
                                                    struct ag_plugin *plugin);

// Gives the next plug-in whose turn it is a slice. Where it trapped is found by translating that
// function once more, in RAM that is free: with too little of it, only the function is known.
enum ag_plugin_outcome ag_plugins_turn(struct ag_plugins *plugins, uint64_t now_ms,
                                       struct ag_plugin_turn *turn);

// Asks the plug-in, which runs, whether it is well: plugin->health follows.
void ag_plugins_ask_health(struct ag_plugins *plugins, struct ag_plugin *plugin);

// What the file of a slot says of its trial.
// AG_ERR_STORE_DAMAGED and statuses of reading it.
AG_MUST_CHECK enum ag_status ag_plugins_trial_terms(struct ag_plugins *plugins, uint32_t slot_id,
                                                    struct ag_criteria_terms *terms);

// And what that of the running version says.
void ag_plugins_running_terms(const struct ag_plugin *plugin, struct ag_criteria_terms *terms);

// The period of what runs with these options (NULL: none), milliseconds.
uint32_t ag_plugins_period(const struct ag_plugins *plugins, const struct ag_plugin *plugin,
                           const struct ag_desired_entry *options);

// RAM that the instance of this plug-in (NULL: a new one) may take, bytes.
uint32_t ag_plugins_room(const struct ag_plugins *plugins, const struct ag_plugin *plugin);

#endif
