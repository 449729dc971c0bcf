// SPDX-License-Identifier: Apache-2.0
// What runs: starts confirmed versions, puts new ones on trial, and judges both.
//
// Every outcome is on flash before it is acted upon: a failed version is marked failed, and its
// hash quarantined, before the one before it runs again; a confirmed one is marked before it is
// called so.
#include "host/core.h"

// A plug-in that ran so long without a failure has got over its last one.
#define STABLE_MS 60000u

static const struct ag_wasm_place nowhere = { AG_PLUGIN_NOWHERE, 0 };

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
    ag_log_begin_plugin(host, &line, plugin->name, plugin->current.version);
    ag_log_text(&line, "failed: ");
    log_why(&line, status, place);
    ag_log_end(&line, AG_LOG_WARNING);
    if (host->now_ms - plugin->made_ms >= STABLE_MS)
        plugin->backoff.failures = 0;
    plugin->is_failing = true;
    plugin->restart_ms = host->now_ms + ag_backoff_fail(&plugin->backoff, ag_change_random());
    ag_change_error_at(plugin, status, plugin->current.version, place);
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
    ag_plugins_refresh(&host->plugins, plugin);
    return plugin->current.id != 0;
}

void ag_trial_start_confirmed(struct ag_host *host, struct ag_plugin *plugin)
{
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    enum ag_status status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status == AG_ERR_STORE_DAMAGED && give_way_to_previous(host, plugin))
        status = ag_plugins_start(&host->plugins, plugin, false, entry, host->now_ms);
    if (status != AG_OK)
        confirmed_failed(host, plugin, status, &nowhere);
    else
        ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "running", AG_OK);
}

void ag_trial_restart(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used && plugin->is_failing && plugin->phase == AG_PLUGIN_DOWN &&
            plugin->current.id != 0 && host->now_ms >= plugin->restart_ms) {
            ag_trial_start_confirmed(host, plugin);
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
        ag_log_plugin(host, AG_LOG_ERROR, plugin->name, version, "cannot be marked failed", marked);
    ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    ag_plugins_refresh(&host->plugins, plugin);
    plugin->is_trial = false;
    plugin->outcome = why;
    ag_change_error_at(plugin, why, version, place);
    ag_change_move(host, plugin, AG_EVENT_FAIL);

    struct ag_log_line line;
    ag_log_begin_plugin(host, &line, plugin->name, version);
    ag_log_text(&line, plugin->current.id ? "rolled back to " : "failed");
    if (plugin->current.id)
        ag_log_number(&line, plugin->current.version);
    ag_log_text(&line, ": ");
    log_why(&line, why, place);
    ag_log_end(&line, AG_LOG_WARNING);
    if (plugin->current.id != 0)
        ag_trial_start_confirmed(host, plugin);
}

void ag_trial_begin(struct ag_host *host, struct ag_plugin *plugin)
{
    enum ag_status status = ag_store_begin_trial(&host->store, plugin->next.id);
    if (status != AG_OK) { // not without its mark: later
        ag_log_plugin(host, AG_LOG_ERROR, plugin->name, plugin->next.version, "cannot be tried",
                      status);
        plugin->outcome = status;
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version, "trial", AG_OK);
    ag_change_move(host, plugin, AG_EVENT_ACTIVATE);
    ag_change_error(plugin, AG_OK, 0);
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
        ag_change_error(plugin, status, plugin->next.version);
        return;
    }
    ag_plugins_refresh(&host->plugins, plugin);
    plugin->is_trial = false;
    plugin->options_changed = true;
    plugin->backoff.failures = 0;
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_CONFIRM);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "confirmed", AG_OK);
}

static void note_run(struct ag_host *host, struct ag_plugin *plugin)
{
    if (plugin->is_trial && trial_is_passed(host, plugin))
        confirm(host, plugin);
    if (plugin->error == AG_OK || plugin->state != AG_STATE_RUNNING ||
        host->now_ms - plugin->made_ms < STABLE_MS)
        return;
    ag_change_error(plugin, AG_OK, 0);
    plugin->backoff.failures = 0;
    ag_report_touch(host, plugin);
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
        if (turn.plugin->is_trial)
            trial_failed(host, turn.plugin, turn.status, &turn.place);
        else
            confirmed_failed(host, turn.plugin, turn.status, &turn.place);
        break;
    }
    return turn.plugin != NULL;
}
