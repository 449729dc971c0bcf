// SPDX-License-Identifier: Apache-2.0
// From what is desired to what is installed: asks the plan about each plug-in, and does what it
// says.
#include <string.h>

#include "host/core.h"
#include "host/origin.h"
#include "host/plan.h"

static struct ag_desired_entry *find_entry(struct ag_host *host, const struct ag_plugin *plugin)
{
    struct ag_desired *table = ag_follow_table(&host->follow);
    uint32_t index = ag_desired_find(table, plugin->name);
    return index == AG_DESIRED_NONE ? NULL : &table->entries[index];
}

const struct ag_desired_entry *ag_update_entry(struct ag_host *host, const struct ag_plugin *plugin)
{
    return find_entry(host, plugin);
}

// Whether a plug-in's version may be fetched now; whoever is busy makes the plan due in the end.
static bool may_fetch(const struct ag_host *host)
{
    return !host->installing && !ag_trust_update_is_busy(host);
}

bool ag_update_leads_to(const struct ag_host *host, const struct ag_desired_entry *entry,
                        const struct ag_store_slot *slot)
{
    if (slot->id == 0 || entry->version != slot->version)
        return false;
    if (entry->has_sha256)
        return memcmp(entry->sha256, slot->sha256, AG_SHA256_SIZE) == 0;
    return ag_origin_is(&host->store, slot->id, entry->url);
}

// ---- Windows -----------------------------------------------------------------------------------

// Longest time between two looks at a window: a clock that is set wakes nobody.
#define WINDOW_LOOK_MS 60000u

// A clock that is not known right after a start may soon be. A version that was staged before the
// start was waiting for its window, most likely, and waits so much longer for the clock.
#define CLOCK_GRACE_MS 600000u

// Seconds until the entry's window is open, by the clock as it is now.
static uint32_t window_wait_s(const struct ag_host *host, const struct ag_plugin *plugin,
                              const struct ag_desired_entry *entry)
{
    int64_t unix_s;
    if (!entry || !entry->window.is_set)
        return 0;
    bool clock_is_known = ag_board_unix_time(&unix_s);
    bool was_staged = plugin->next.id != 0 && plugin->next.id == plugin->found_staged;
    if (!clock_is_known && was_staged && host->now_ms - host->started_ms < CLOCK_GRACE_MS)
        return AG_WINDOW_NEVER;
    return ag_window_wait_s(&entry->window, clock_is_known, unix_s);
}

// The staged version waits; its window is looked at when it opens, and now and then before.
static void hold(struct ag_host *host, struct ag_plugin *plugin,
                 const struct ag_desired_entry *entry)
{
    const uint32_t wait_s = window_wait_s(host, plugin, entry);
    if (plugin->window_ms == 0)
        ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version,
                      "waiting for its window", AG_OK);
    plugin->window_ms =
        host->now_ms + (wait_s < WINDOW_LOOK_MS / 1000u ? wait_s * 1000u : WINDOW_LOOK_MS);
    if (may_fetch(host) && !host->clock.is_asking)
        ag_fetch_rest(&host->install.fetch); // hours may pass
}

// ---- The plan ----------------------------------------------------------------------------------

static struct ag_plan_desired desired_facts(struct ag_host *host, const struct ag_plugin *plugin,
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
    desired.window_is_closed = window_wait_s(host, plugin, entry) > 0;
    return desired;
}

// `slots` holds the hashes that the facts point to.
static struct ag_plan_installed installed_facts(struct ag_host *host,
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
        .is_told_outcome = plugin->state == AG_STATE_REFUSED ||
                           plugin->state == AG_STATE_ROLLED_BACK ||
                           plugin->state == AG_STATE_FAILED,
        .is_told_stopped = plugin->state == AG_STATE_STOPPED,
        .outcome = plugin->outcome,
    };
    if (plugin->state == AG_STATE_TRIAL)
        installed.staged_state = AG_PLAN_STAGED_TRIAL;
    else if (plugin->next.id != 0)
        installed.staged_state = AG_PLAN_STAGED_SEALED;
    if (installed.staged_state == AG_PLAN_STAGED_SEALED)
        installed.waits = ag_trial_must_wait(host, plugin);
    installed.quarantined =
        desired->sha256 && ag_store_is_quarantined(&host->store, desired->sha256, NULL);
    return installed;
}

static void discard(struct ag_host *host, struct ag_plugin *plugin)
{
    bool was_trial = plugin->is_trial;
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version, "superseded", AG_OK);
    if (was_trial)
        ag_plugins_stop(&host->plugins, plugin, plugin->current.id == 0);
    plugin->is_trial = false;
    (void)!ag_trial_give_up(host, plugin, plugin->next.id, AG_OK);
    if (plugin->current.id == 0) // what it has stored would stay, with nobody to remove it
        ag_plugins_forget_data(&host->plugins, plugin);
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, plugin->is_stopped ? AG_EVENT_STOP : AG_EVENT_SETTLE);
    if (was_trial && plugin->current.id != 0)
        ag_trial_start_confirmed(host, plugin);
}

static void stop(struct ag_host *host, struct ag_plugin *plugin)
{
    ag_plugins_stop(&host->plugins, plugin, true);
    plugin->is_stopped = true;
    plugin->is_failing = false;
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_STOP);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "stopped", AG_OK);
}

static void start(struct ag_host *host, struct ag_plugin *plugin)
{
    plugin->is_stopped = false;
    plugin->outcome = AG_OK; // it was told no more while it was stopped: found out again
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_SETTLE);
    if (plugin->next.id != 0)
        ag_change_move(host, plugin, AG_EVENT_FOUND);
    if (plugin->current.id == 0)
        return;
    // Not only at rest, which may be long in coming: until then a start would leave it stopped.
    ag_boot_store_options(host, plugin, ag_update_entry(host, plugin));
    ag_trial_take_up(host, plugin);
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

// False: the store refuses it for now.
static bool remove_plugin(struct ag_host *host, struct ag_plugin *plugin)
{
    uint32_t version = plugin->current.version;
    bool was_up = plugin->phase != AG_PLUGIN_DOWN;
    if (ag_store_is_read_only(&host->store))
        return false; // until it is up again
    ag_plugins_stop(&host->plugins, plugin, true);
    enum ag_status status = ag_store_remove(&host->store, AG_STORE_PLUGIN, plugin->name);
    if (status != AG_OK) { // all is as before
        ag_log_plugin(host, AG_LOG_ERROR, plugin->name, version, "cannot be removed", status);
        if (was_up)
            ag_trial_start_confirmed(host, plugin);
        return false;
    }
    plugin->is_failing = false;
    plugin->is_stopped = false;
    ag_plugins_refresh(&host->plugins, plugin);
    ag_change_error(plugin, AG_OK, 0);
    ag_change_move(host, plugin, AG_EVENT_UNWANTED);
    ag_change_move(host, plugin, AG_EVENT_REMOVED);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, version, "removed", AG_OK);
    retry_for_room(host);
    return true;
}

// Nothing is to be done: a state that tells of something under way or refused may have passed.
static void rest(struct ag_host *host, struct ag_plugin *plugin,
                 const struct ag_plan_desired *desired, const struct ag_plan_installed *installed)
{
    if (ag_plan_is_settled(desired, installed, plugin->state, ag_trial_is_left(plugin))) {
        plugin->is_stopped = false;
        plugin->outcome = AG_OK;
        ag_change_error(plugin, AG_OK, 0);
        ag_change_move(host, plugin, AG_EVENT_SETTLE);
    }
    if (desired->known)
        ag_download_tidy(host, plugin);
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
    struct ag_plan_desired desired = desired_facts(host, plugin, entry);
    struct ag_store_slot slots[2];
    struct ag_plan_installed installed = installed_facts(host, plugin, &desired, slots);
    struct ag_plan_step step = ag_plan_next(&desired, &installed);
    if (step.action != AG_PLAN_FETCH && ag_download_owns(host, plugin))
        ag_download_cancel(host, plugin);
    if (step.action != AG_PLAN_HOLD)
        plugin->window_ms = 0;
    switch (step.action) {
    case AG_PLAN_NOTHING:
        rest(host, plugin, &desired, &installed);
        return plugin->state != AG_STATE_TRIAL;
    case AG_PLAN_REFUSE:
        ag_download_refuse(host, plugin, step.status, desired.version);
        return true;
    case AG_PLAN_FETCH:
        if (host->now_ms < plugin->fetch_ms)
            return true;
        if (may_fetch(host)) {
            ag_clock_give_way(host);
            ag_download_begin(host, plugin, entry);
        }
        return false;
    case AG_PLAN_ACTIVATE:
        ag_trial_begin(host, plugin);
        return false;
    case AG_PLAN_HOLD:
        hold(host, plugin, entry);
        return false; // what it may take the place of stays, too
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
        return may_remove && remove_plugin(host, plugin);
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

// Waits for the end of a pause, or for the time to activate what is staged.
static bool somebody_waits(const struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used &&
            (plugin->state == AG_STATE_PAUSED || plugin->state == AG_STATE_STAGED))
            return true;
    }
    return false;
}

// Makes the plan due when the pause of a fetch is over and nothing else is being fetched, or a
// window is to be looked at.
static void end_pauses(struct ag_host *host)
{
    bool nothing_is_fetched = may_fetch(host);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        bool may_go_on = plugin->state == AG_STATE_PAUSED && nothing_is_fetched;
        host->plan_is_due |= (may_go_on && host->now_ms >= plugin->fetch_ms) ||
                             (plugin->window_ms != 0 && host->now_ms >= plugin->window_ms);
    }
}

void ag_update_plan(struct ag_host *host)
{
    end_pauses(host);
    ag_trial_restart(host);
    if (!host->plan_is_due)
        return;
    host->plan_is_due = false;
    bool all_have_places = open_desired(host);
    bool is_idle = consider_all(host, false);
    if (is_idle && !host->plan_is_due)
        is_idle = consider_all(host, true);
    is_idle = is_idle && all_have_places && !host->plan_is_due && !host->installing &&
              !somebody_waits(host) && !ag_trust_update_is_busy(host) &&
              host->trust_update.state != AG_TRUST_PAUSED;
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
// read after it, where that leads to the same file.
static enum ag_status remembered_outcome(const struct ag_host *host, const struct ag_plugin *plugin,
                                         const struct ag_desired_entry *entry)
{
    struct ag_store_slot rejected;
    ag_plugins_slot(&host->plugins, &plugin->rejected, &rejected);
    if (host->has_desired || rejected.failure == AG_ERR_STORE_DAMAGED ||
        !ag_update_leads_to(host, entry, &rejected))
        return AG_OK;
    return rejected.failure;
}

// Whether what runs has other settings now.
static bool runs_with_others(const struct ag_plugin *plugin, const struct ag_desired_entry *entry,
                             const struct ag_desired_entry *before)
{
    const uint32_t slot_id = plugin->is_trial ? plugin->next.id : plugin->current.id;
    if (!before)
        return true;
    const struct ag_text now = ag_desired_settings(entry, slot_id);
    const struct ag_text then = ag_desired_settings(before, slot_id);
    return now.size != then.size || (now.size > 0 && memcmp(now.at, then.at, now.size) != 0);
}

static void entry_changed(struct ag_host *host, struct ag_plugin *plugin,
                          struct ag_desired_entry *entry, const struct ag_desired_entry *before)
{
    bool new_settings = !before || !ag_desired_same_settings(entry, before);
    ag_settings_judge(host, plugin, entry, before);
    if (!before || !ag_desired_same_file(entry, before)) {
        plugin->outcome = remembered_outcome(host, plugin, entry);
        plugin->pardons = false;
        plugin->fetch_failures = 0;
        plugin->fetch_ms = host->now_ms;
        bool is_renewed = before && ag_desired_same_version(entry, before); // a fresh SAS
        if (ag_download_owns(host, plugin) && is_renewed)
            ag_download_move(host, entry);
        else if (ag_download_owns(host, plugin))
            ag_download_cancel(host, plugin);
    } else if (ag_download_owns(host, plugin)) { // the same request, whose texts have moved
        ag_download_move(host, entry);
    }
    if (ag_download_owns(host, plugin) && !ag_install_takes_settings(&host->install))
        ag_download_cancel(host, plugin); // its head will be refused, and say why
    if (host->has_desired && before && !ag_desired_is_same(entry, before))
        ag_trial_retry(host, plugin);
    if (plugin->outcome == AG_ERR_SETTINGS_SCHEMA && new_settings)
        plugin->outcome = AG_OK;
    ag_plugins_set_options(&host->plugins, plugin, entry, runs_with_others(plugin, entry, before));
    plugin->options_changed = true;
}

void ag_update_desired_changed(struct ag_host *host)
{
    const struct ag_desired *before = ag_follow_table_before(&host->follow);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        struct ag_desired_entry *entry = find_entry(host, plugin);
        uint32_t index = ag_desired_find(before, plugin->name);
        if (entry) {
            entry_changed(host, plugin, entry,
                          index == AG_DESIRED_NONE ? NULL : &before->entries[index]);
            continue;
        }
        plugin->outcome = AG_OK;
        ag_plugins_set_options(&host->plugins, plugin, NULL, false);
        if (ag_download_owns(host, plugin))
            ag_download_cancel(host, plugin);
        if (plugin->state == AG_STATE_PAUSED) { // or its pause, once over, would ask for it again
            ag_change_error(plugin, AG_OK, 0);
            ag_change_move(host, plugin, AG_EVENT_SETTLE);
        }
        if (plugin->state == AG_STATE_ABSENT) // it leaves its place once that is told
            ag_report_touch(host, plugin);
    }
    host->has_desired = true;
    host->plan_is_due = true;
    ag_report_touch(host, NULL);
}

uint64_t ag_update_deadline(struct ag_host *host)
{
    if (host->plan_is_due)
        return 0;
    uint64_t deadline = ag_download_deadline(host);
    uint32_t wait = ag_schedule_wait(&host->plugins.schedule, host->now_ms);
    if (wait != AG_SCHEDULE_NONE && host->now_ms + wait < deadline)
        deadline = host->now_ms + wait;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        if (plugin->state == AG_STATE_PAUSED && may_fetch(host) && plugin->fetch_ms < deadline)
            deadline = plugin->fetch_ms;
        if (plugin->window_ms != 0 && plugin->window_ms < deadline)
            deadline = plugin->window_ms;
        uint64_t trial_ms = ag_trial_deadline(host, plugin);
        if (trial_ms < deadline)
            deadline = trial_ms;
    }
    return deadline;
}
