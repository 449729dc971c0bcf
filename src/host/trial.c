// SPDX-License-Identifier: Apache-2.0
// What runs: starts confirmed versions, puts new ones on trial, and judges both by criteria.h and
// fallback.h.
//
// Every outcome is on flash before it is acted upon: a failed version is marked failed, and its
// hash quarantined, before the one before it runs again; a confirmed one is marked before it is
// called so. Where the mark itself fails, the version is condemned: it does not run again, and is
// marked when the store is up again. A reset before that starts it at most as often as the count of
// its trials, or of its failures, lets it.
#include <string.h>

#include "host/core.h"

// Pauses before a confirmed version that failed is started again.
#define RESTART_BASE_MS 1000u
#define RESTART_CAP_MS  300000u

static const struct ag_wasm_place nowhere = { AG_PLUGIN_NOWHERE, 0 };

static void log_why(struct ag_log_line *line, enum ag_status status,
                    const struct ag_wasm_place *place)
{
    ag_log_status(line, status);
    if (place->function == AG_PLUGIN_NOWHERE)
        return;
    ag_log_text(line, ", function ");
    ag_log_number(line, place->function);
    if (place->offset == 0)
        return;
    ag_log_text(line, " at byte ");
    ag_log_number(line, place->offset);
}

// "NAME VERSION: TEXT: WHY", or "rolled back to …" where another version has taken its place.
static void log_failure(struct ag_host *host, struct ag_plugin *plugin, uint32_t version,
                        const char *text, enum ag_status why, const struct ag_wasm_place *place)
{
    struct ag_log_line line;
    ag_log_begin_plugin(host, &line, plugin->name, version);
    bool is_replaced = plugin->current.id != 0 && plugin->current.version != version;
    ag_log_text(&line, is_replaced ? "rolled back to " : text);
    if (is_replaced)
        ag_log_number(&line, plugin->current.version);
    ag_log_text(&line, ": ");
    log_why(&line, why, place);
    ag_log_end(&line, AG_LOG_WARNING);
    ag_log_keep(host, plugin);
}

// Takes a slot's part away from it in the store. Of a flash that fails the file is not to blame.
static enum ag_status give_up_slot(struct ag_host *host, uint32_t id, enum ag_status why)
{
    if (why != AG_OK)
        return ag_store_fail(&host->store, id, why == AG_ERR_FLASH ? AG_ERR_STORE_DAMAGED : why);
    enum ag_status status = ag_store_drop(&host->store, id);
    if (status == AG_ERR_ARGUMENT) // its confirmation was thought to have failed, and had not
        status = ag_store_fail(&host->store, id, AG_ERR_STORE_DAMAGED);
    return status == AG_ERR_NOT_FOUND ? AG_OK : status;
}

enum ag_status ag_trial_give_up(struct ag_host *host, struct ag_plugin *plugin, uint32_t id,
                                enum ag_status why)
{
    const enum ag_status status = give_up_slot(host, id, why);
    if (status != AG_OK)
        *(id == plugin->current.id ? &plugin->condemned : &plugin->condemned_staged) =
            (struct ag_plugin_condemned){ id, why };
    ag_plugins_refresh(&host->plugins, plugin);
    return status;
}

// Marks a version failed for good, with its hash in quarantine.
static void mark_failed(struct ag_host *host, struct ag_plugin *plugin,
                        const struct ag_plugin_version *version, enum ag_status why)
{
    const enum ag_status status = ag_trial_give_up(host, plugin, version->id, why);
    if (status != AG_OK)
        ag_log_plugin(host, AG_LOG_ERROR, plugin->name, version->version, "cannot be marked failed",
                      status);
}

// The entry that desires the version that failed does not bring it back. One that leads elsewhere
// since may have another file of that version: its head tells.
static void give_up_entry(struct ag_host *host, struct ag_plugin *plugin,
                          const struct ag_plugin_version *failed, enum ag_status why)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    struct ag_store_slot slot;
    ag_plugins_slot(&host->plugins, failed, &slot);
    if (entry && ag_update_leads_to(host, entry, &slot))
        plugin->outcome = why;
}

// ---- Failures of the confirmed version, and what becomes of it ---------------------------------

static void store_history(struct ag_host *host, struct ag_plugin *plugin)
{
    uint8_t value[AG_FALLBACK_SIZE];
    ag_fallback_write(&plugin->history, value);
    enum ag_status status =
        plugin->history.failures
            ? ag_store_put(&host->store, AG_STORE_HISTORY, plugin->name, value, sizeof value)
            : ag_store_delete(&host->store, AG_STORE_HISTORY, plugin->name);
    if (status != AG_OK && status != AG_ERR_NOT_FOUND) // then it counts in this life only
        ag_log_plugin(host, AG_LOG_WARNING, plugin->name, 0, "its failures cannot be stored",
                      status);
}

static void forget_failures(struct ag_host *host, struct ag_plugin *plugin)
{
    plugin->failures = 0;
    if (plugin->history.failures == 0)
        return;
    plugin->history = (struct ag_fallback_history){ 0 };
    store_history(host, plugin);
}

bool ag_trial_is_left(const struct ag_plugin *plugin)
{
    return plugin->is_failing &&
           ag_fallback_failures(&plugin->history, plugin->current.id) >= AG_FALLBACK_FAILURES_MAX;
}

// Whether these bytes failed a trial that could not be marked so: they are as good as in
// quarantine.
static bool failed_unmarked(const struct ag_host *host, const struct ag_plugin *plugin,
                            const uint8_t sha256[AG_SHA256_SIZE])
{
    struct ag_store_slot failed;
    return plugin->condemned_staged.id != 0 && plugin->condemned_staged.why != AG_OK &&
           ag_store_get_slot(&host->store, plugin->condemned_staged.id, &failed) == AG_OK &&
           memcmp(failed.sha256, sha256, AG_SHA256_SIZE) == 0;
}

// Whether the version before the confirmed one may take its place: its file is sound, did not fail
// a later trial, and no confirmed version since has raised the epoch.
static bool previous_may_run(const struct ag_host *host, const struct ag_plugin *plugin)
{
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    ag_plugins_slot(&host->plugins, &plugin->previous, &slot);
    return slot.id != 0 &&
           slot.epoch >= ag_store_epoch_floor(&host->store, AG_STORE_PLUGIN, plugin->name) &&
           !ag_store_is_quarantined(&host->store, slot.sha256, NULL) &&
           !failed_unmarked(host, plugin, slot.sha256) &&
           ag_store_open_file(&host->store, slot.id, &bytes, &size) == AG_OK;
}

// The version before it is the confirmed one from here on, and is started by the caller.
static void fall_back(struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_plugin_version failed = plugin->current;
    enum ag_status why = plugin->history.last;
    ag_plugins_stop(&host->plugins, plugin, false);
    mark_failed(host, plugin, &failed, why);
    give_up_entry(host, plugin, &failed, why);
    plugin->failures = 0;
    ag_change_move(host, plugin, AG_EVENT_FALL_BACK);
    log_failure(host, plugin, failed.version, "failed too often", why, &nowhere);
}

// It stays down: for long, but not for ever.
static void leave_down(struct ag_host *host, struct ag_plugin *plugin)
{
    enum ag_status why = plugin->history.last;
    struct ag_wasm_place place = plugin->error_place;
    plugin->is_failing = true;
    plugin->restart_ms =
        host->now_ms + AG_FALLBACK_PAUSE_MS + ag_change_random(host) % (AG_FALLBACK_PAUSE_MS / 4);
    ag_change_error_at(plugin, AG_ERR_GAVE_UP, plugin->current.version, &place);
    plugin->error_cause = why;
    ag_change_move(host, plugin, AG_EVENT_LEAVE);
    log_failure(host, plugin, plugin->current.version, "failed too often, stays down", why,
                &nowhere);
}

// A lack of room and a failing flash are no fault of the plug-in.
static bool is_own_fault(enum ag_status status)
{
    return status != AG_ERR_FILE_MEMORY && status != AG_ERR_FLASH && status != AG_ERR_STORE_FULL &&
           status != AG_ERR_STORE_DAMAGED;
}

// It cannot run, or did not go on. True: another version took its place, and is to be started.
static bool confirmed_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status status,
                             const struct ag_wasm_place *place)
{
    log_failure(host, plugin, plugin->current.version, "failed", status, place);
    if (host->now_ms - plugin->made_ms >= AG_FALLBACK_STABLE_MS)
        forget_failures(host, plugin);
    ag_change_error_at(plugin, status, plugin->current.version, place);
    ag_report_touch(host, plugin);
    if (is_own_fault(status)) {
        ag_fallback_count(&plugin->history, plugin->current.id, status);
        store_history(host, plugin);
        switch (ag_fallback_confirmed(&plugin->history, plugin->current.id,
                                      previous_may_run(host, plugin))) {
        case AG_FALLBACK_RESTART:
            break;
        case AG_FALLBACK_PREVIOUS:
            fall_back(host, plugin);
            return true;
        case AG_FALLBACK_LEAVE:
            leave_down(host, plugin);
            return false;
        }
    }
    plugin->is_failing = true;
    plugin->restart_ms =
        host->now_ms + ag_change_pause(host, &plugin->failures, RESTART_BASE_MS, RESTART_CAP_MS);
    return false;
}

// Its file is damaged on flash: the one before it takes its place, and the file may be fetched
// again, since it is not to blame.
static bool give_way_to_previous(struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_store_slot damaged;
    ag_plugins_slot(&host->plugins, &plugin->current, &damaged);
    if (ag_store_fail(&host->store, damaged.id, AG_ERR_STORE_DAMAGED) != AG_OK)
        return false;
    host->plan_is_due = true;
    ag_plugins_refresh(&host->plugins, plugin);
    return plugin->current.id != 0;
}

// True: it is running, or will be started again by itself.
static bool try_confirmed(struct ag_host *host, struct ag_plugin *plugin)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    enum ag_status status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status == AG_ERR_STORE_DAMAGED && give_way_to_previous(host, plugin))
        status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status != AG_OK)
        return !confirmed_failed(host, plugin, status, &nowhere);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "running", AG_OK);
    return true;
}

void ag_trial_start_confirmed(struct ag_host *host, struct ag_plugin *plugin)
{
    if (!try_confirmed(host, plugin)) // the one before it: there are two at most
        (void)try_confirmed(host, plugin);
}

void ag_trial_restart(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used || !plugin->is_failing || plugin->phase != AG_PLUGIN_DOWN ||
            plugin->current.id == 0 || host->now_ms < plugin->restart_ms)
            continue;
        if (ag_trial_is_left(plugin))
            ag_change_move(host, plugin, AG_EVENT_RETRY);
        ag_trial_start_confirmed(host, plugin);
        ag_report_touch(host, plugin);
    }
}

void ag_trial_retry(struct ag_host *host, struct ag_plugin *plugin)
{
    if (ag_trial_is_left(plugin))
        ag_change_move(host, plugin, AG_EVENT_RETRY);
    forget_failures(host, plugin);
    plugin->restart_ms = host->now_ms;
}

// ---- After a start of the host -----------------------------------------------------------------

void ag_trial_note_reset(struct ag_host *host, struct ag_plugin *plugin)
{
    uint8_t value[AG_FALLBACK_SIZE];
    size_t size;
    struct ag_store_slot next;
    uint32_t running = ag_board_last_running();
    if (ag_store_get(&host->store, AG_STORE_HISTORY, plugin->name, value, sizeof value, &size) ==
        AG_OK)
        ag_fallback_read(&plugin->history, value, size);
    if (running == 0)
        return;
    bool is_on_its_way = ag_store_get_slot(&host->store, running, &next) == AG_OK &&
                         next.kind == AG_STORE_PLUGIN && next.state < AG_STORE_SEALED &&
                         strcmp(next.name, plugin->name) == 0;
    if (is_on_its_way && ag_install_note_reset(&host->store, plugin->name) == AG_OK)
        ag_board_note_running(0);
    if (is_on_its_way || (running != plugin->current.id && running != plugin->next.id))
        return;
    ag_fallback_count(&plugin->history, running, AG_ERR_RESET_WHILE_RUNNING);
    store_history(host, plugin);
    ag_board_note_running(0); // it is on flash now
}

void ag_trial_interrupted(struct ag_host *host, struct ag_plugin *plugin,
                          const struct ag_store_slot *slot)
{
    enum ag_status why = ag_fallback_trial(&plugin->history, slot->id, slot->trials);
    if (why == AG_OK)
        return;
    struct ag_store_slot current;
    ag_plugins_slot(&host->plugins, &plugin->current, &current);
    if (current.id != 0 && memcmp(current.sha256, slot->sha256, AG_SHA256_SIZE) == 0) {
        (void)!ag_trial_give_up(host, plugin, slot->id, AG_OK); // the confirmed file once more
        return;
    }
    ag_log_plugin(host, AG_LOG_WARNING, plugin->name, slot->version, "failed its trial", why);
    struct ag_plugin_version version = { .id = slot->id, .version = slot->version };
    mark_failed(host, plugin, &version, why);
}

void ag_trial_take_up(struct ag_host *host, struct ag_plugin *plugin)
{
    const uint8_t failures = ag_fallback_failures(&plugin->history, plugin->current.id);
    if (failures > 0) {
        ag_change_error(plugin, plugin->history.last, plugin->current.version);
        plugin->knows_place = false;
    }
    plugin->failures = failures;
    switch (ag_fallback_confirmed(&plugin->history, plugin->current.id,
                                  failures > 0 && previous_may_run(host, plugin))) {
    case AG_FALLBACK_RESTART:
        break;
    case AG_FALLBACK_PREVIOUS:
        fall_back(host, plugin);
        break;
    case AG_FALLBACK_LEAVE:
        leave_down(host, plugin);
        return;
    }
    ag_trial_start_confirmed(host, plugin);
}

// ---- Trials ------------------------------------------------------------------------------------

static void trial_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why,
                         const struct ag_wasm_place *place)
{
    struct ag_plugin_version failed = plugin->next;
    ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    mark_failed(host, plugin, &failed, why);
    plugin->is_trial = false;
    give_up_entry(host, plugin, &failed, why);
    ag_change_error_at(plugin, why, failed.version, place);
    ag_change_move(host, plugin, AG_EVENT_FAIL);
    log_failure(host, plugin, failed.version, "failed", why, place);
    if (plugin->current.id != 0)
        ag_trial_start_confirmed(host, plugin);
}

static struct ag_criteria criteria_of(const struct ag_host *host,
                                      const struct ag_criteria_terms *file,
                                      const struct ag_desired_entry *entry)
{
    struct ag_criteria criteria = { .runs = host->config.trial_runs,
                                    .time_ms = host->config.trial_time_ms };
    ag_criteria_apply(&criteria, file);
    if (!entry)
        return criteria;
    const struct ag_twin_trial *trial = &entry->trial;
    struct ag_criteria_terms twin = { .has_runs = trial->has_runs,
                                      .has_time = trial->has_ms,
                                      .has_hub = trial->has_hub,
                                      .needs_hub = trial->needs_hub,
                                      .runs = trial->runs,
                                      .time_ms = trial->ms };
    ag_criteria_apply(&criteria, &twin);
    return criteria;
}

bool ag_trial_must_wait(struct ag_host *host, const struct ag_plugin *plugin)
{
    struct ag_criteria_terms terms;
    if (host->link.state == AG_LINK_ONLINE ||
        ag_plugins_trial_terms(&host->plugins, plugin->next.id, &terms) != AG_OK)
        return false;
    return criteria_of(host, &terms, ag_update_entry(host, plugin)).needs_hub;
}

void ag_trial_begin(struct ag_host *host, struct ag_plugin *plugin)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    enum ag_status status = ag_store_begin_trial(&host->store, plugin->next.id);
    if (status != AG_OK) { // not without its mark: later
        if (plugin->error != status) {
            ag_log_plugin(host, AG_LOG_ERROR, plugin->name, plugin->next.version, "cannot be tried",
                          status);
            ag_change_error(plugin, status, plugin->next.version);
            ag_report_touch(host, plugin);
        }
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version, "trial", AG_OK);
    ag_change_move(host, plugin, AG_EVENT_ACTIVATE);
    ag_change_error(plugin, AG_OK, 0);
    status = ag_plugins_start(&host->plugins, plugin, true, entry, host->now_ms);
    if (status != AG_OK)
        trial_failed(host, plugin, status, &nowhere);
}

static void confirm(struct ag_host *host, struct ag_plugin *plugin)
{
    enum ag_status status = ag_store_confirm(&host->store, plugin->next.id);
    if (status != AG_OK) { // it stays on trial, until that ends
        if (plugin->error != status) {
            ag_change_error(plugin, status, plugin->next.version);
            ag_report_touch(host, plugin);
        }
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    plugin->is_trial = false;
    plugin->options_changed = true;
    forget_failures(host, plugin);
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_CONFIRM);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "confirmed", AG_OK);
}

// An answer to a read of the whole twin is the proof: every answer counts from then on.
static void ask_hub(struct ag_host *host, struct ag_plugin *plugin)
{
    plugin->hub_was_asked = true;
    plugin->hub_asked_ms = host->now_ms;
    plugin->hub_answers = host->hub_answers;
    host->follow.wants_document = true;
}

// What is asked of a trial, and what was seen of it.
static void look(struct ag_host *host, const struct ag_plugin *plugin, struct ag_criteria *criteria,
                 struct ag_criteria_facts *facts)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    uint32_t period_ms = ag_plugins_period(&host->plugins, plugin, entry);
    bool was_asked = plugin->hub_was_asked;
    struct ag_criteria_terms terms;
    ag_plugins_running_terms(plugin, &terms);
    *criteria = criteria_of(host, &terms, entry);
    *facts = (struct ag_criteria_facts){
        .failure = AG_OK,
        .runs = plugin->runs,
        .ran_ms = host->now_ms - plugin->made_ms,
        .limit_ms = ag_criteria_limit_ms(criteria, period_ms),
        .health = plugin->health,
        .hub_was_asked = was_asked,
        .hub_answered = was_asked && plugin->hub_answers != host->hub_answers,
        .waiting_ms = was_asked ? host->now_ms - plugin->hub_asked_ms : 0,
    };
}

// Does what the verdict says. False: there is nothing to do before more is seen.
static bool follow_verdict(struct ag_host *host, struct ag_plugin *plugin,
                           const struct ag_criteria_verdict *verdict)
{
    switch (verdict->action) {
    case AG_CRITERIA_GO_ON:
        return false;
    case AG_CRITERIA_ASK_HEALTH:
        ag_plugins_ask_health(&host->plugins, plugin);
        return plugin->health == AG_CRITERIA_HEALTH_NONE;
    case AG_CRITERIA_ASK_HUB:
        ask_hub(host, plugin);
        return true;
    case AG_CRITERIA_PASS:
        if (!plugin->instance.is_busy) // else at the end of the run
            confirm(host, plugin);
        return false;
    case AG_CRITERIA_FAIL:
        trial_failed(host, plugin, verdict->status, &nowhere);
        return false;
    }
    return false;
}

// All trials, as far as they can be judged.
static void judge(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        bool goes_on = plugin->is_used;
        while (goes_on && plugin->state == AG_STATE_TRIAL) {
            struct ag_criteria criteria;
            struct ag_criteria_facts facts;
            look(host, plugin, &criteria, &facts);
            struct ag_criteria_verdict verdict = ag_criteria_judge(&criteria, &facts);
            goes_on = follow_verdict(host, plugin, &verdict);
        }
    }
}

uint64_t ag_trial_deadline(struct ag_host *host, const struct ag_plugin *plugin)
{
    struct ag_criteria criteria;
    struct ag_criteria_facts facts;
    if (plugin->state != AG_STATE_TRIAL)
        return plugin->is_failing && plugin->current.id != 0 ? plugin->restart_ms : UINT64_MAX;
    look(host, plugin, &criteria, &facts);
    // What has passed waits for the end of its run or for the store: both wake the host themselves.
    if (ag_criteria_judge(&criteria, &facts).action == AG_CRITERIA_PASS)
        return UINT64_MAX;
    return host->now_ms + ag_criteria_wait_ms(&criteria, &facts);
}

// ---- The store is up again ---------------------------------------------------------------------

static void settle_condemned(struct ag_host *host, struct ag_plugin_condemned *condemned)
{
    if (condemned->id == 0)
        return;
    const enum ag_status status = give_up_slot(host, condemned->id, condemned->why);
    if (status == AG_OK || status == AG_ERR_NOT_FOUND || status == AG_ERR_ARGUMENT)
        condemned->id = 0;
}

// It is as the store has it now: a change that was thought to have failed may have happened.
static void follow_store(struct ag_host *host, struct ag_plugin *plugin)
{
    const uint32_t current = plugin->current.id;
    const uint32_t next = plugin->next.id;
    ag_plugins_refresh(&host->plugins, plugin);
    if (plugin->next.id != 0 && plugin->next.id != next) // sealed, and not looked at as yet
        (void)!ag_trial_give_up(host, plugin, plugin->next.id, AG_OK);
    if (plugin->state == AG_STATE_STAGED && plugin->next.id == 0)
        ag_change_move(host, plugin, AG_EVENT_SETTLE);
    if (plugin->current.id == current)
        return;
    const bool was_up = plugin->phase != AG_PLUGIN_DOWN;
    ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    ag_report_touch(host, plugin);
    if (plugin->current.id != 0 && was_up)
        ag_trial_start_confirmed(host, plugin);
    if (plugin->current.id != 0)
        return;
    plugin->is_failing = false; // it was removed
    plugin->is_stopped = false;
    if (ag_download_owns(host, plugin))
        ag_download_cancel(host, plugin);
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_UNWANTED);
    ag_change_move(host, plugin, AG_EVENT_REMOVED);
}

void ag_trial_recovered(struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_store_slot slot;
    // In this order: a cut between the two must not leave a trial to be given up whose bytes are
    // those that took the confirmed version's place.
    settle_condemned(host, &plugin->condemned_staged);
    settle_condemned(host, &plugin->condemned);
    ag_plugins_slot(&host->plugins, &plugin->next, &slot);
    if (plugin->state != AG_STATE_TRIAL)
        follow_store(host, plugin);
    else if (slot.state == AG_STORE_CONFIRMED)
        confirm(host, plugin);
    store_history(host, plugin);
    if (plugin->outcome == AG_ERR_FLASH)
        plugin->outcome = AG_OK;
    if (plugin->error != AG_ERR_FLASH)
        return;
    plugin->fetch_ms = host->now_ms;
    plugin->restart_ms = host->now_ms;
}

// ---- Turns -------------------------------------------------------------------------------------

static void note_run(struct ag_host *host, struct ag_plugin *plugin)
{
    if (plugin->is_trial || host->now_ms - plugin->made_ms < AG_FALLBACK_STABLE_MS)
        return;
    forget_failures(host, plugin);
    if (plugin->error == AG_OK || plugin->state != AG_STATE_RUNNING)
        return;
    ag_change_error(plugin, AG_OK, 0);
    ag_report_touch(host, plugin);
}

static void note_failure(struct ag_host *host, const struct ag_plugin_turn *turn)
{
    if (turn->plugin->is_trial)
        trial_failed(host, turn->plugin, turn->status, &turn->place);
    else if (confirmed_failed(host, turn->plugin, turn->status, &turn->place))
        ag_trial_start_confirmed(host, turn->plugin);
}

bool ag_trial_turn(struct ag_host *host)
{
    struct ag_plugin_turn turn;
    switch (ag_plugins_turn(&host->plugins, host->now_ms, &turn)) {
    case AG_PLUGIN_WENT_ON:
        break;
    case AG_PLUGIN_RAN:
        note_run(host, turn.plugin);
        break;
    case AG_PLUGIN_FAILED:
        note_failure(host, &turn);
        break;
    }
    judge(host);
    return turn.plugin != NULL;
}
