// SPDX-License-Identifier: Apache-2.0
// From what is desired to what is installed: asks the plan about each plug-in, does what it says,
// and judges trials.
//
// Every outcome is on flash before it is acted upon: a failed version is marked failed, and its
// hash quarantined, before the one before it runs again; a confirmed one is marked before it is
// called so. The transition table has the last word on every change of state.
#include <string.h>

#include "host/core.h"
#include "host/plan.h"

// A plug-in that ran so long without a failure has got over its last one.
#define STABLE_MS 60000u

const struct ag_desired_entry *ag_update_entry(struct ag_host *host, const struct ag_plugin *plugin)
{
    const struct ag_desired *table = ag_follow_table(&host->follow);
    uint32_t index = ag_desired_find(table, plugin->name);
    return index == AG_DESIRED_NONE ? NULL : &table->entries[index];
}

static void move(struct ag_host *host, struct ag_plugin *plugin, enum ag_transition_event event)
{
    enum ag_status status =
        ag_transition_next(plugin->state, event, plugin->current.id != 0, &plugin->state);
    if (status != AG_OK)
        ag_log_plugin(AG_LOG_ERROR, plugin->name, event, "impossible event", status);
    host->plan_is_due = true;
    ag_report_touch(host, plugin);
}

static const struct ag_wasm_place nowhere = { AG_PLUGIN_NOWHERE, 0 };

static void set_error_at(struct ag_plugin *plugin, enum ag_status error, uint32_t version,
                         const struct ag_wasm_place *place)
{
    plugin->error = error;
    plugin->error_version = error == AG_OK ? 0 : version;
    plugin->error_place = *place;
    plugin->knows_place = true;
}

static void set_error(struct ag_plugin *plugin, enum ag_status error, uint32_t version)
{
    set_error_at(plugin, error, version, &nowhere);
}

static uint32_t draw_random(void)
{
    uint32_t random;
    ag_board_random(&random, sizeof random);
    return random;
}

// ---- The confirmed version ---------------------------------------------------------------------

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

// It cannot run, or did not go on: again later.
static void confirmed_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status status,
                             const struct ag_wasm_place *place)
{
    struct ag_log_line line;
    ag_log_begin_plugin(&line, plugin->name, plugin->current.version);
    ag_log_text(&line, "failed: ");
    log_why(&line, status, place);
    ag_log_end(&line, AG_LOG_WARNING);
    if (host->now_ms - plugin->made_ms >= STABLE_MS)
        plugin->backoff.failures = 0;
    plugin->is_failing = true;
    plugin->restart_ms = host->now_ms + ag_backoff_fail(&plugin->backoff, draw_random());
    set_error_at(plugin, status, plugin->current.version, place);
    ag_report_touch(host, plugin);
}

// Its file is damaged on flash: the one before it takes its place, and the file may be fetched
// again, since it is not to blame.
static bool give_way_to_previous(struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_store_slot damaged;
    ag_plugins_slot(&host->plugins, &plugin->current, &damaged);
    if (ag_store_fail(&host->store, damaged.id, AG_ERR_STORE_DAMAGED) != AG_OK)
        return false;
    (void)!ag_store_pardon(&host->store, damaged.sha256); // else it stays quarantined
    ag_plugins_refresh(&host->plugins, plugin);
    return plugin->current.id != 0;
}

void ag_update_start_confirmed(struct ag_host *host, struct ag_plugin *plugin)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    enum ag_status status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status == AG_ERR_STORE_DAMAGED && give_way_to_previous(host, plugin))
        status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status != AG_OK)
        confirmed_failed(host, plugin, status, &nowhere);
    else
        ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->current.version, "running", AG_OK);
}

static void restart_failed(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used && plugin->is_failing && plugin->phase == AG_PLUGIN_DOWN &&
            plugin->current.id != 0 && host->now_ms >= plugin->restart_ms) {
            ag_update_start_confirmed(host, plugin);
            ag_report_touch(host, plugin);
        }
    }
}

// ---- Trials ------------------------------------------------------------------------------------

static void trial_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why,
                         const struct ag_wasm_place *place)
{
    uint32_t version = plugin->next.version;
    enum ag_status marked = ag_store_fail(&host->store, plugin->next.id, why);
    if (marked != AG_OK) // what holds the next start back is then the count of trials
        ag_log_plugin(AG_LOG_ERROR, plugin->name, version, "cannot be marked failed", marked);
    ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    ag_plugins_refresh(&host->plugins, plugin);
    plugin->is_trial = false;
    plugin->outcome = why;
    set_error_at(plugin, why, version, place);
    move(host, plugin, AG_EVENT_FAIL);

    struct ag_log_line line;
    ag_log_begin_plugin(&line, plugin->name, version);
    ag_log_text(&line, plugin->current.id ? "rolled back to " : "failed");
    if (plugin->current.id)
        ag_log_number(&line, plugin->current.version);
    ag_log_text(&line, ": ");
    log_why(&line, why, place);
    ag_log_end(&line, AG_LOG_WARNING);
    if (plugin->current.id != 0)
        ag_update_start_confirmed(host, plugin);
}

static void begin_trial(struct ag_host *host, struct ag_plugin *plugin)
{
    enum ag_status status = ag_store_begin_trial(&host->store, plugin->next.id);
    if (status != AG_OK) { // not without its mark: later
        ag_log_plugin(AG_LOG_ERROR, plugin->name, plugin->next.version, "cannot be tried", status);
        plugin->outcome = status;
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->next.version, "trial", AG_OK);
    move(host, plugin, AG_EVENT_ACTIVATE);
    set_error(plugin, AG_OK, 0);
    status =
        ag_plugins_start(&host->plugins, plugin, true, ag_update_entry(host, plugin), host->now_ms);
    if (status != AG_OK)
        trial_failed(host, plugin, status, &nowhere);
}

static bool trial_is_passed(const struct ag_host *host, const struct ag_plugin *plugin)
{
    return plugin->runs >= host->config.trial_runs &&
           host->now_ms - plugin->made_ms >= host->config.trial_time_ms;
}

static void confirm(struct ag_host *host, struct ag_plugin *plugin)
{
    enum ag_status status = ag_store_confirm(&host->store, plugin->next.id);
    if (status != AG_OK) { // it stays on trial; the next run asks again
        set_error(plugin, status, plugin->next.version);
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    plugin->is_trial = false;
    plugin->options_changed = true;
    plugin->backoff.failures = 0;
    set_error(plugin, AG_OK, 0);
    move(host, plugin, AG_EVENT_CONFIRM);
    ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->current.version, "confirmed", AG_OK);
}

static void note_run(struct ag_host *host, struct ag_plugin *plugin)
{
    if (plugin->is_trial && trial_is_passed(host, plugin))
        confirm(host, plugin);
    if (plugin->error == AG_OK || plugin->state != AG_STATE_RUNNING ||
        host->now_ms - plugin->made_ms < STABLE_MS)
        return;
    set_error(plugin, AG_OK, 0);
    plugin->backoff.failures = 0;
    ag_report_touch(host, plugin);
}

bool ag_update_turn(struct ag_host *host)
{
    struct ag_plugin_turn turn;
    switch (ag_plugins_turn(&host->plugins, host->now_ms, &turn)) {
    case AG_PLUGIN_WENT_ON:
        break;
    case AG_PLUGIN_RAN:
        note_run(host, turn.plugin);
        break;
    case AG_PLUGIN_FAILED:
        if (turn.plugin->is_trial)
            trial_failed(host, turn.plugin, turn.status, &turn.place);
        else
            confirmed_failed(host, turn.plugin, turn.status, &turn.place);
        break;
    }
    return turn.plugin != NULL;
}

// ---- Fetching ----------------------------------------------------------------------------------

static bool owns_install(const struct ag_host *host, const struct ag_plugin *plugin)
{
    return host->install.state != AG_INSTALL_IDLE && host->install.request.name == plugin->name;
}

static void cancel_install(struct ag_host *host, struct ag_plugin *plugin)
{
    ag_install_cancel(&host->install);
    if (host->installing == plugin)
        host->installing = NULL;
    if (plugin->state == AG_STATE_DOWNLOADING || plugin->state == AG_STATE_VERIFYING ||
        plugin->state == AG_STATE_PAUSED)
        move(host, plugin, AG_EVENT_SETTLE);
}

static void refuse(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why,
                   uint32_t version)
{
    if (plugin->state == AG_STATE_REFUSED && plugin->error == why &&
        plugin->error_version == version)
        return;
    set_error(plugin, why, version);
    move(host, plugin, AG_EVENT_REFUSE);
    ag_log_plugin(AG_LOG_WARNING, plugin->name, version, "refused", why);
}

// Fetching or verifying came to nothing: again later, or not at all.
static void install_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why)
{
    uint32_t version = host->install.request.version;
    host->installing = NULL;
    if (!ag_install_may_retry(why)) {
        plugin->outcome = why;
        refuse(host, plugin, why, version);
        return;
    }
    uint64_t pause_ms = ag_backoff_fail(&plugin->fetch_backoff, draw_random());
    uint64_t asked_ms = ag_backoff_asked(host->install.fetch.http.head.retry_after_s);
    plugin->fetch_ms = host->now_ms + (asked_ms > pause_ms ? asked_ms : pause_ms);
    set_error(plugin, why, version);
    move(host, plugin, AG_EVENT_PAUSE);
    ag_log_plugin(AG_LOG_WARNING, plugin->name, version, "waiting to fetch again", why);
}

static void begin_fetch(struct ag_host *host, struct ag_plugin *plugin,
                        const struct ag_desired_entry *entry)
{
    struct ag_install_request request = { .name = plugin->name,
                                          .version = entry->version,
                                          .sha256 = entry->has_sha256 ? entry->sha256 : NULL,
                                          .url = entry->url,
                                          .memory_limit = ag_plugins_room(&host->plugins, plugin) };
    bool goes_on = owns_install(host, plugin);
    host->installing = plugin;
    move(host, plugin, AG_EVENT_FETCH);
    ag_log_plugin(AG_LOG_INFO, plugin->name, entry->version, "downloading", AG_OK);
    enum ag_status status = goes_on ? ag_install_resume(&host->install, &request, host->now_ms)
                                    : ag_install_begin(&host->install, &request, host->now_ms);
    if (status != AG_OK)
        install_failed(host, plugin, status);
}

// The slot is sealed: whether it can run here is seen now that it is translated.
static void install_done(struct ag_host *host, struct ag_plugin *plugin)
{
    host->installing = NULL;
    ag_plugins_refresh(&host->plugins, plugin);
    enum ag_status status = ag_plugins_check(&host->plugins, plugin->next.id, plugin);
    if (status == AG_OK) {
        plugin->fetch_backoff.failures = 0;
        ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->next.version, "verified", AG_OK);
        move(host, plugin, AG_EVENT_VERIFIED);
        return;
    }
    // A lack of memory may pass and is no fault of the file.
    (void)!(status == AG_ERR_FILE_MEMORY ? ag_store_drop(&host->store, plugin->next.id)
                                         : ag_store_fail(&host->store, plugin->next.id, status));
    ag_plugins_refresh(&host->plugins, plugin);
    install_failed(host, plugin, status);
}

void ag_update_install(struct ag_host *host)
{
    struct ag_plugin *plugin = host->installing;
    if (!plugin)
        return;
    enum ag_status status = ag_install_step(&host->install, host->now_ms);
    if (plugin->state == AG_STATE_DOWNLOADING &&
        (status == AG_OK || ag_install_is_verifying(&host->install)))
        move(host, plugin, AG_EVENT_FETCHED);
    if (status == AG_OK)
        install_done(host, plugin);
    else if (status != AG_ERR_AGAIN)
        install_failed(host, plugin, status);
}

// ---- The plan ----------------------------------------------------------------------------------

static struct ag_plan_desired desired_facts(struct ag_host *host,
                                            const struct ag_desired_entry *entry)
{
    struct ag_plan_desired desired = { .known = host->follow.is_known };
    if (!entry) {
        desired.known = desired.known && ag_follow_table(&host->follow)->is_complete;
        return desired;
    }
    desired.present = true;
    desired.status = entry->status;
    desired.keep = entry->url.size == 0;
    desired.version = entry->version;
    desired.sha256 = entry->has_sha256 ? entry->sha256 : NULL;
    desired.allow_downgrade = entry->allow_downgrade;
    desired.enabled = entry->is_enabled;
    return desired;
}

// `slots` holds the hashes that the facts point to.
static struct ag_plan_installed installed_facts(const struct ag_host *host,
                                                const struct ag_plugin *plugin,
                                                const struct ag_plan_desired *desired,
                                                struct ag_store_slot slots[2])
{
    ag_plugins_slot(&host->plugins, &plugin->current, &slots[0]);
    ag_plugins_slot(&host->plugins, &plugin->next, &slots[1]);
    struct ag_plan_installed installed = {
        .confirmed = { plugin->current.version, slots[0].sha256 },
        .staged = { plugin->next.version, slots[1].sha256 },
        .stopped = plugin->is_stopped,
        .outcome = plugin->outcome,
    };
    if (plugin->state == AG_STATE_TRIAL)
        installed.staged_state = AG_PLAN_STAGED_TRIAL;
    else if (plugin->next.id != 0)
        installed.staged_state = AG_PLAN_STAGED_SEALED;
    installed.quarantined =
        desired->sha256 && ag_store_is_quarantined(&host->store, desired->sha256, NULL);
    return installed;
}

static void discard(struct ag_host *host, struct ag_plugin *plugin)
{
    bool was_trial = plugin->is_trial;
    ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->next.version, "superseded", AG_OK);
    if (was_trial)
        ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    plugin->is_trial = false;
    enum ag_status status = ag_store_drop(&host->store, plugin->next.id);
    ag_plugins_refresh(&host->plugins, plugin);
    if (status != AG_OK) // read-only: nothing more can be done about it until the next start
        plugin->next.id = 0;
    set_error(plugin, AG_OK, 0);
    move(host, plugin, AG_EVENT_SETTLE);
    if (was_trial && plugin->current.id != 0)
        ag_update_start_confirmed(host, plugin);
}

static void stop(struct ag_host *host, struct ag_plugin *plugin)
{
    ag_plugins_stop(&host->plugins, plugin, true);
    plugin->is_stopped = true;
    plugin->is_failing = false;
    set_error(plugin, AG_OK, 0);
    move(host, plugin, AG_EVENT_STOP);
    ag_log_plugin(AG_LOG_INFO, plugin->name, plugin->current.version, "stopped", AG_OK);
}

static void start(struct ag_host *host, struct ag_plugin *plugin)
{
    plugin->is_stopped = false;
    set_error(plugin, AG_OK, 0);
    move(host, plugin, AG_EVENT_SETTLE);
    if (plugin->current.id != 0)
        ag_update_start_confirmed(host, plugin);
}

// Room has become free: what lacked it has another chance.
static void retry_for_room(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->outcome == AG_ERR_FILE_MEMORY)
            plugin->outcome = AG_OK;
        if (plugin->error == AG_ERR_STORE_FULL)
            plugin->fetch_ms = host->now_ms;
    }
}

static void remove_plugin(struct ag_host *host, struct ag_plugin *plugin)
{
    uint32_t version = plugin->current.version;
    ag_plugins_stop(&host->plugins, plugin, true);
    plugin->is_failing = false;
    if (plugin->state != AG_STATE_REMOVING)
        move(host, plugin, AG_EVENT_UNWANTED);
    enum ag_status status = ag_store_remove(&host->store, AG_STORE_PLUGIN, plugin->name);
    if (status != AG_OK) {
        ag_log_plugin(AG_LOG_ERROR, plugin->name, version, "cannot be removed", status);
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    set_error(plugin, AG_OK, 0);
    move(host, plugin, AG_EVENT_REMOVED);
    ag_log_plugin(AG_LOG_INFO, plugin->name, version, "removed", AG_OK);
    retry_for_room(host);
}

// Nothing is to be done: a state that tells of something under way or refused may have passed.
static void rest(struct ag_host *host, struct ag_plugin *plugin,
                 const struct ag_plan_desired *desired)
{
    bool is_told = plugin->state == AG_STATE_REFUSED || plugin->state == AG_STATE_ROLLED_BACK ||
                   plugin->state == AG_STATE_FAILED || plugin->state == AG_STATE_PAUSED ||
                   plugin->state == AG_STATE_REMOVING;
    if (desired->known && is_told && plugin->outcome == AG_OK && !plugin->is_stopped) {
        set_error(plugin, AG_OK, 0);
        move(host, plugin, AG_EVENT_SETTLE);
    }
    if (desired->known && !desired->present && plugin->rejected.id != 0 &&
        ag_store_remove(&host->store, AG_STORE_PLUGIN, plugin->name) == AG_OK)
        ag_plugins_refresh(&host->plugins, plugin);
    if (plugin->options_changed && desired->present && desired->status == AG_OK &&
        plugin->current.id != 0 && plugin->state != AG_STATE_TRIAL)
        ag_boot_store_options(host, plugin, ag_update_entry(host, plugin));
}

// Does the next thing about one plug-in. True when it is at rest: nothing more to do by itself.
static bool consider(struct ag_host *host, struct ag_plugin *plugin, bool may_remove)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    struct ag_plan_desired desired = desired_facts(host, entry);
    struct ag_store_slot slots[2];
    struct ag_plan_installed installed = installed_facts(host, plugin, &desired, slots);
    struct ag_plan_step step = ag_plan_next(&desired, &installed);
    if (step.action != AG_PLAN_FETCH && owns_install(host, plugin))
        cancel_install(host, plugin);
    switch (step.action) {
    case AG_PLAN_NOTHING:
        rest(host, plugin, &desired);
        return plugin->state != AG_STATE_TRIAL;
    case AG_PLAN_REFUSE:
        refuse(host, plugin, step.status, desired.version);
        return true;
    case AG_PLAN_FETCH:
        if (host->now_ms < plugin->fetch_ms)
            return true;
        if (!host->installing)
            begin_fetch(host, plugin, entry);
        return false;
    case AG_PLAN_ACTIVATE:
        begin_trial(host, plugin);
        return false;
    case AG_PLAN_DISCARD:
        discard(host, plugin);
        return false;
    case AG_PLAN_STOP:
        stop(host, plugin);
        return true;
    case AG_PLAN_START:
        start(host, plugin);
        return true;
    case AG_PLAN_REMOVE:
        if (may_remove)
            remove_plugin(host, plugin);
        return may_remove;
    }
    return true;
}

// Gives every desired name a place in the table of plug-ins. False: some must wait until others
// have left theirs.
static bool open_desired(struct ag_host *host)
{
    const struct ag_desired *table = ag_follow_table(&host->follow);
    bool all_have_places = true;
    for (uint32_t i = 0; host->follow.is_known && i < table->count; i++)
        all_have_places &= ag_plugins_open(&host->plugins, table->entries[i].name) != NULL;
    return all_have_places;
}

// True when all but those to be removed are at rest.
static bool consider_all(struct ag_host *host, bool may_remove)
{
    bool is_at_rest = true;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        bool is_desired = ag_update_entry(host, plugin) != NULL;
        bool rests = consider(host, plugin, may_remove);
        is_at_rest &= rests || (!is_desired && !may_remove);
    }
    return is_at_rest;
}

static bool somebody_is_paused(const struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (host->plugins.plugins[i].is_used && host->plugins.plugins[i].state == AG_STATE_PAUSED)
            return true;
    return false;
}

// Makes the plan due when the pause of a fetch is over and nothing else is being fetched.
static void end_pauses(struct ag_host *host)
{
    if (host->installing)
        return;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used && plugin->state == AG_STATE_PAUSED && host->now_ms >= plugin->fetch_ms)
            host->plan_is_due = true;
    }
}

void ag_update_plan(struct ag_host *host)
{
    end_pauses(host);
    restart_failed(host);
    if (!host->plan_is_due)
        return;
    host->plan_is_due = false;
    bool all_have_places = open_desired(host);
    bool is_idle = consider_all(host, false);
    if (is_idle && !host->plan_is_due)
        is_idle = consider_all(host, true);
    is_idle = is_idle && all_have_places && !host->plan_is_due && !host->installing &&
              !somebody_is_paused(host);
    if (is_idle)
        ag_fetch_rest(&host->install.fetch);
    if (is_idle != host->is_idle) {
        host->is_idle = is_idle;
        ag_report_touch(host, NULL);
    }
}

// ---- Another desired state
// -----------------------------------------------------------------------

// What was found out about this file before the start still counts for the first table that is
// read after it.
static enum ag_status remembered_outcome(const struct ag_host *host, const struct ag_plugin *plugin,
                                         const struct ag_desired_entry *entry)
{
    struct ag_store_slot rejected;
    ag_plugins_slot(&host->plugins, &plugin->rejected, &rejected);
    if (host->has_desired || rejected.id == 0 || rejected.version != entry->version ||
        rejected.failure == AG_ERR_STORE_DAMAGED)
        return AG_OK;
    if (entry->has_sha256 && memcmp(entry->sha256, rejected.sha256, AG_SHA256_SIZE) != 0)
        return AG_OK;
    return rejected.failure;
}

static void entry_changed(struct ag_host *host, struct ag_plugin *plugin,
                          const struct ag_desired_entry *entry,
                          const struct ag_desired_entry *before)
{
    if (!before || !ag_desired_same_file(entry, before)) {
        plugin->outcome = remembered_outcome(host, plugin, entry);
        plugin->fetch_backoff.failures = 0;
        plugin->fetch_ms = host->now_ms;
        if (owns_install(host, plugin))
            cancel_install(host, plugin);
    } else if (owns_install(host, plugin)) { // the same request, whose texts have moved
        host->install.request.url = entry->url;
        host->install.request.sha256 = entry->has_sha256 ? entry->sha256 : NULL;
    }
    bool new_settings = !before || !ag_desired_same_settings(entry, before);
    ag_plugins_set_options(&host->plugins, plugin, entry, new_settings);
    plugin->options_changed = true;
}

void ag_update_desired_changed(struct ag_host *host)
{
    const struct ag_desired *before = ag_follow_table_before(&host->follow);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
        uint32_t index = ag_desired_find(before, plugin->name);
        if (entry) {
            entry_changed(host, plugin, entry,
                          index == AG_DESIRED_NONE ? NULL : &before->entries[index]);
            continue;
        }
        plugin->outcome = AG_OK;
        ag_plugins_set_options(&host->plugins, plugin, NULL, false);
        if (owns_install(host, plugin))
            cancel_install(host, plugin);
    }
    host->has_desired = true;
    host->plan_is_due = true;
    ag_report_touch(host, NULL);
}

uint64_t ag_update_deadline(const struct ag_host *host)
{
    if (host->plan_is_due)
        return 0;
    uint64_t deadline = host->installing ? ag_install_deadline(&host->install) : UINT64_MAX;
    uint32_t wait = ag_schedule_wait(&host->plugins.schedule, host->now_ms);
    if (wait != AG_SCHEDULE_NONE && host->now_ms + wait < deadline)
        deadline = host->now_ms + wait;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        if (plugin->state == AG_STATE_PAUSED && !host->installing && plugin->fetch_ms < deadline)
            deadline = plugin->fetch_ms;
        if (plugin->is_failing && plugin->phase == AG_PLUGIN_DOWN && plugin->restart_ms < deadline)
            deadline = plugin->restart_ms;
    }
    return deadline;
}
