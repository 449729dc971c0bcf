// SPDX-License-Identifier: Apache-2.0
// The host's insides: one struct, and the parts of its step. Inside src/host only.
#ifndef AG_HOST_CORE_H
#define AG_HOST_CORE_H

#include "host/clock.h"
#include "host/follow.h"
#include "host/host.h"
#include "host/install.h"
#include "host/link.h"
#include "host/log_ring.h"
#include "host/method.h"
#include "host/plugins.h"
#include "host/properties.h"
#include "host/telemetry.h"
#include "host/trust_update.h"
#include "platform/board.h"
#include "plugin/trust.h"
#include "store/store.h"

// What is to be reported of the host itself, and how the last report fared.
struct ag_core_report {
    uint32_t rid;         // of the patch in flight; 0: none
    uint64_t deadline_ms; // for its answer
    uint64_t pause_ms;    // no patch before that time
    struct ag_backoff backoff;
    bool facts_are_dirty; // what does not change while the host runs
    bool facts_in_flight;
    bool state_is_dirty; // what does
    bool state_in_flight;
    uint32_t state_crc;      // of what the hub holds for certain; 0: nobody knows
    uint32_t state_sent_crc; // of what is in flight
    uint64_t properties_ms;  // plug-ins' own properties are not sent before that time
};

// The log: what passes, and what is kept of it.
struct ag_core_log {
    struct ag_log_ring ring;
    bool has_level;          // a level was desired; otherwise all goes to the board
    enum ag_log_level level; //
    bool is_due;             // lines are to be written to flash
    bool must_sync;          // some were
    uint32_t added;          // bytes of lines since it was last asked whether room is short
    uint32_t credit;         // bytes that may be written to flash now
    uint64_t credit_ms;      // when that was reckoned
    uint64_t start_ms;       // when the host started
    uint8_t start_pieces;    // written in a row shortly after a start, this one or earlier ones
};

// A store that a failing flash has made read-only.
struct ag_core_recovery {
    bool is_down;      // it is, and that was noted
    uint64_t until_ms; // the next attempt to bring it up again
    uint64_t since_ms; // when the last attempt succeeded
    struct ag_backoff backoff;
};

// Small members first, here and in the other large structs: on a microcontroller an instruction
// reaches them that is half as long, and beyond 4 KB it takes two.
struct ag_host {
    bool plan_is_due;             // facts have changed since the plan was made
    bool is_idle;                 // nothing is left to be done for the desired state
    bool may_report;              // the twin has been read once since the start
    bool has_desired;             // a desired section was in force before
    enum ag_hub_topic_kind topic; // of the message being received
    size_t trust_size;
    const uint8_t *trust_bytes;   // the object in use; NULL: none
    struct ag_plugin *installing; // whose version is being fetched or verified; NULL: nobody's
    uint32_t last_rid;            // of a request to the hub
    uint32_t hub_answers;         // everything that only a hub that is reached can say
    uint64_t now_ms;
    uint64_t download_ms;      // nothing is asked of a file server before that time
    uint64_t document_ms;      // when the answer to a twin read must be there
    uint64_t next_document_ms; // when the whole twin is read again
    uint64_t started_ms;
    struct ag_host_board board;
    struct ag_host_config config; // a copy; its texts are the caller's
    struct ag_core_report report;
    struct ag_core_recovery recovery;
    struct ag_trust trust;
    struct ag_trust_update trust_update;
    struct ag_store store;
    struct ag_clock clock;
    struct ag_core_log log;
    struct ag_plugins plugins;
    struct ag_link link;
    struct ag_follow follow;
    struct ag_install install;
    struct ag_method method;
    struct ag_properties properties;
    struct ag_telemetry telemetry;
};

// ---- log.c: lines at one level, put together from pieces -----------------------------------

// The source of the host's own lines.
#define AG_LOG_HOST "host"

struct ag_log_line {
    struct ag_host *host;
    struct ag_writer out;
    char text[200];
};
void ag_log_begin(struct ag_host *host, struct ag_log_line *line);
// "NAME VERSION: "
void ag_log_begin_plugin(struct ag_host *host, struct ag_log_line *line, const char *name,
                         uint32_t version);
void ag_log_text(struct ag_log_line *line, const char *text);
void ag_log_number(struct ag_log_line *line, int64_t number);
void ag_log_status(struct ag_log_line *line, enum ag_status status); // "name (1234)"
void ag_log_end(struct ag_log_line *line, enum ag_log_level level);
// One line "NAME VERSION: TEXT", and with a status ": name (1234)".
void ag_log_plugin(struct ag_host *host, enum ag_log_level level, const char *name,
                   uint32_t version, const char *text, enum ag_status status);

// A line of anybody's, as it is: to the board and to what is kept, if its level passes.
void ag_log_take(struct ag_host *host, enum ag_log_level level, const char *source,
                 struct ag_text text);
// "error", … Static.
const char *ag_log_level_name(enum ag_log_level level);

// Finds what the store remembers: the level, and the lines kept before the reset.
void ag_log_init(struct ag_host *host);
// This plug-in failed or ended its trial: its last lines and the host's go to flash by and by.
void ag_log_keep(struct ag_host *host, struct ag_plugin *plugin);
void ag_log_step(struct ag_host *host);
uint64_t ag_log_deadline(const struct ag_host *host);
// The host ends in order: what can be written to flash is.
void ag_log_close(struct ag_host *host);
// The store is up again: what could not be written of the level is.
void ag_log_recovered(struct ag_host *host);
// The level from the twin, remembered over resets; without one all passes that the board shows.
void ag_log_want_level(struct ag_host *host, bool has_level, enum ag_log_level level);

// The line and its texts are borrowed for the call.
typedef void (*ag_log_visit)(void *context, const struct ag_log_ring_line *line);
// Shows what is kept of a source, on flash and in RAM, oldest first.
void ag_log_read(const struct ag_host *host, const char *source, ag_log_visit visit, void *context);

// ---- method.c: direct methods ------------------------------------------------------------------

void ag_method_init(struct ag_host *host);
// A request comes in: its topic, pieces of its payload, its end.
void ag_method_begin(struct ag_host *host, const struct ag_hub_topic *topic);
void ag_method_feed(struct ag_host *host, const uint8_t *bytes, size_t size);
void ag_method_end(struct ag_host *host);
// The connection is gone, and with it whoever waits for answers.
void ag_method_forget(struct ag_host *host);
// Sends what answers there are, and does what was asked for.
void ag_method_step(struct ag_host *host);
uint64_t ag_method_deadline(const struct ag_host *host);

// Services of instances (host/instance.h); the context is the host.
enum ag_status ag_method_text(void *context, uint8_t owner, enum ag_instance_method which,
                              struct ag_text *text);
enum ag_status ag_method_reply(void *context, uint8_t owner, uint32_t code, struct ag_text payload);

// ---- method_answer.c ---------------------------------------------------------------------------

// Writes the payload of an answer.
void ag_method_answer_write(struct ag_host *host, const struct ag_method_slot *slot,
                            struct ag_writer *out);

// ---- boot.c -----------------------------------------------------------------------------------

// Starts what the store holds, with the options that it remembers.
void ag_boot_plugins(struct ag_host *host);
// The hub that DPS assigned before.
void ag_boot_assignment(struct ag_host *host);
void ag_boot_store_assignment(struct ag_host *host);
// Remembers options of a plug-in, as desired, for the next start.
void ag_boot_store_options(struct ag_host *host, struct ag_plugin *plugin,
                           const struct ag_desired_entry *entry);

// ---- trust_store.c: trust store objects in the store ------------------------------------------

// At the start: takes the object of the configuration in where it may, and uses the confirmed one.
void ag_trust_store_boot(struct ag_host *host);
// The object of this role, whether sound or not.
bool ag_trust_store_find(const struct ag_host *host, enum ag_store_role role,
                         struct ag_store_slot *slot);
// Uses the object of this role from now on: its plug-in keys and, told to the port, its TLS roots.
// AG_ERR_NOT_FOUND: there is no sound one; otherwise what the port says of its roots. Nothing has
// changed then.
AG_MUST_CHECK enum ag_status ag_trust_store_use(struct ag_host *host, enum ag_store_role role);
// Whether these bytes are an object that may replace the confirmed one: statuses of ag_trust_read
// and ag_trust_replaces, AG_ERR_QUARANTINED. *trust borrows the bytes.
AG_MUST_CHECK enum ag_status ag_trust_store_judge(const struct ag_host *host, const uint8_t *bytes,
                                                  size_t size, const uint8_t sha256[AG_SHA256_SIZE],
                                                  struct ag_trust *trust);
// Holds space for an object; what was on its way before is superseded.
AG_MUST_CHECK enum ag_status ag_trust_store_reserve(struct ag_host *host, uint32_t epoch,
                                                    uint32_t size, struct ag_store_writer *writer);

// ---- clock.c: the time of day ------------------------------------------------------------------

// Asks a server for the time where nobody knows it and nothing else is fetched.
void ag_clock_step(struct ag_host *host);
// Something else is to be fetched now.
void ag_clock_give_way(struct ag_host *host);
uint64_t ag_clock_deadline(const struct ag_host *host);

// ---- trust_update.c: another trust store object -----------------------------------------------

// At the start; a trial that a reset interrupted goes on.
void ag_trust_update_boot(struct ag_host *host);
// Something else is desired of the host.
void ag_trust_update_desired(struct ag_host *host);
// The hub has answered a read of the twin.
void ag_trust_update_reached(struct ag_host *host);
// A connection, or an attempt at one, failed.
void ag_trust_update_failed(struct ag_host *host, enum ag_status why);
// The store is up again after a failure of the flash.
void ag_trust_update_recovered(struct ag_host *host);
void ag_trust_update_step(struct ag_host *host);
uint64_t ag_trust_update_deadline(const struct ag_host *host);
// While it is, no plug-in is fetched: one download at a time, and none with roots on trial.
bool ag_trust_update_is_busy(const struct ag_host *host);

// ---- change.c: a plug-in's state and error ----------------------------------------------------

void ag_change_move(struct ag_host *host, struct ag_plugin *plugin, enum ag_transition_event event);
// `version`: what the error is about. Nothing is known of a place in its file.
void ag_change_error(struct ag_plugin *plugin, enum ag_status error, uint32_t version);
void ag_change_error_at(struct ag_plugin *plugin, enum ag_status error, uint32_t version,
                        const struct ag_wasm_place *place);
// For jitter.
uint32_t ag_change_random(struct ag_host *host);
// The pause after one more failure of a plug-in, as of ag_backoff_fail. Counts it.
uint32_t ag_change_pause(struct ag_host *host, uint16_t *failures, uint32_t base_ms,
                         uint32_t cap_ms);

// ---- recover.c: a store that a failing flash has made read-only -------------------------------

// Brings it up again, by and by, and lets everybody do what could not be done meanwhile.
void ag_recover_step(struct ag_host *host);
uint64_t ag_recover_deadline(const struct ag_host *host);

// ---- update.c: from what is desired to what is installed ------------------------------------

// Another table is in force.
void ag_update_desired_changed(struct ag_host *host);
// Makes the plan where that is due, and does what it says.
void ag_update_plan(struct ag_host *host);
// When something of update.c, download.c or trial.c is wanted.
uint64_t ag_update_deadline(struct ag_host *host);
// Whether this entry is known to desire the file of that slot, by its hash or by where it came
// from.
bool ag_update_leads_to(const struct ag_host *host, const struct ag_desired_entry *entry,
                        const struct ag_store_slot *slot);
// The entry that desires this plug-in, or NULL.
const struct ag_desired_entry *ag_update_entry(struct ag_host *host,
                                               const struct ag_plugin *plugin);

// ---- settings.c -------------------------------------------------------------------------------

// Another table is in force: judges the settings that the entry gives the versions that are here.
// `before` is the entry of the table before, or NULL.
void ag_settings_judge(struct ag_host *host, struct ag_plugin *plugin,
                       struct ag_desired_entry *entry, const struct ag_desired_entry *before);

// ---- download.c: desired versions on their way in, one at a time ------------------------------

// Fetches the entry's version, or goes on with it after a pause. Nothing else may be under way.
void ag_download_begin(struct ag_host *host, struct ag_plugin *plugin,
                       const struct ag_desired_entry *entry);
// Another entry is in force that desires the same version: its texts are elsewhere, and its URL may
// be another.
void ag_download_move(struct ag_host *host, const struct ag_desired_entry *entry);
// Goes on with the version that is being fetched, if any, and gives the only connection back.
void ag_download_step(struct ag_host *host);
// Whether MQTT is to be closed while a server is asked: as the twin says, else as configured.
bool ag_download_has_one_connection(const struct ag_host *host);
// Whether a file server may be asked now. With one connection only, leaves the hub for that.
bool ag_download_has_turn(struct ag_host *host);
// When ag_download_step is wanted although the stream is not ready; UINT64_MAX: never.
uint64_t ag_download_deadline(const struct ag_host *host);
// Whether the install, also a paused one, is for this plug-in.
bool ag_download_owns(const struct ag_host *host, const struct ag_plugin *plugin);
// What came in part of a version that is desired no more.
void ag_download_tidy(struct ag_host *host, const struct ag_plugin *plugin);
// Gives up that install.
void ag_download_cancel(struct ag_host *host, struct ag_plugin *plugin);
// What is desired cannot be accepted.
void ag_download_refuse(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why,
                        uint32_t version);

// ---- trial.c: what runs -----------------------------------------------------------------------

// After a start of the host, before anything runs: reads how the plug-in has failed so far, and
// counts the reset before this start where it came in the middle of one of its runs.
void ag_trial_note_reset(struct ag_host *host, struct ag_plugin *plugin);
// After a start of the host: marks a trial failed that was interrupted too often.
void ag_trial_interrupted(struct ag_host *host, struct ag_plugin *plugin,
                          const struct ag_store_slot *slot);
// Gives up a slot, for it failed, or (AG_OK) is not wanted. Where the flash refuses that, it counts
// as gone all the same, and is given up when the store is up again.
enum ag_status ag_trial_give_up(struct ag_host *host, struct ag_plugin *plugin, uint32_t id,
                                enum ag_status why);
// The store is up again after a failure of the flash: the plug-in is as the store has it, and what
// could not be written is written.
void ag_trial_recovered(struct ag_host *host, struct ag_plugin *plugin);
// After a start of the host, or when it is enabled: starts the confirmed version, or what its
// failures leave to start.
void ag_trial_take_up(struct ag_host *host, struct ag_plugin *plugin);
// Starts the confirmed version of a plug-in.
void ag_trial_start_confirmed(struct ag_host *host, struct ag_plugin *plugin);
// Starts again confirmed versions that failed, where their pause is over.
void ag_trial_restart(struct ag_host *host);
// Forgets the failures of the confirmed version, and starts it again at once if it is down for
// them.
void ag_trial_retry(struct ag_host *host, struct ag_plugin *plugin);
// Whether the confirmed version failed so often that it is left down.
bool ag_trial_is_left(const struct ag_plugin *plugin);
// Whether the staged version cannot be put on trial yet: it needs the hub, and there is no
// connection.
bool ag_trial_must_wait(struct ag_host *host, const struct ag_plugin *plugin);
// Puts the staged version on trial.
void ag_trial_begin(struct ag_host *host, struct ag_plugin *plugin);
// One plug-in has its turn, then all trials are judged. False: it was nobody's turn.
bool ag_trial_turn(struct ag_host *host);
// When ag_trial_restart or ag_trial_turn is wanted for this plug-in, beside its turns.
uint64_t ag_trial_deadline(struct ag_host *host, const struct ag_plugin *plugin);

// ---- report.c ---------------------------------------------------------------------------------

// Something about this plug-in (NULL: about the host) has changed.
void ag_report_touch(struct ag_host *host, struct ag_plugin *plugin);
// Everything is to be sent again.
void ag_report_touch_all(struct ag_host *host);
// Sends a patch if there is something to say and none is in flight.
void ag_report_send(struct ag_host *host);
// The hub has answered a patch, or never will (AG_ERR_CLOSED).
void ag_report_answered(struct ag_host *host, uint32_t rid, enum ag_status status);
void ag_report_lost(struct ag_host *host);
// When ag_report_send is wanted although nothing happens.
uint64_t ag_report_deadline(const struct ag_host *host);
bool ag_report_is_clean(const struct ag_host *host);
// The state that is reported of a plug-in.
enum ag_transition_state ag_report_state(const struct ag_plugin *plugin);

#endif
