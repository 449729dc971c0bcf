// SPDX-License-Identifier: Apache-2.0
// Brings desired versions in, one at a time: begins and gives up installs, and says what became of
// them.
#include "host/core.h"

bool ag_download_owns(const struct ag_host *host, const struct ag_plugin *plugin)
{
    return host->install.state != AG_INSTALL_IDLE && host->install.request.name == plugin->name;
}

void ag_download_cancel(struct ag_host *host, struct ag_plugin *plugin)
{
    ag_install_cancel(&host->install);
    ag_install_forget_resets(&host->store, plugin->name);
    if (host->installing == plugin)
        host->installing = NULL;
    if (plugin->state == AG_STATE_DOWNLOADING || plugin->state == AG_STATE_VERIFYING ||
        plugin->state == AG_STATE_PAUSED)
        ag_change_move(host, plugin, AG_EVENT_SETTLE);
}

void ag_download_refuse(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why,
                        uint32_t version)
{
    if (plugin->state == AG_STATE_REFUSED && plugin->error == why &&
        plugin->error_version == version)
        return;
    ag_change_error(plugin, why, version);
    ag_change_move(host, plugin, AG_EVENT_REFUSE);
    ag_log_plugin(host, AG_LOG_WARNING, plugin->name, version, "refused", why);
}

void ag_download_move(struct ag_host *host, const struct ag_desired_entry *entry)
{
    ag_install_move(&host->install, entry->url, entry->has_sha256 ? entry->sha256 : NULL,
                    entry->settings);
}

void ag_download_tidy(struct ag_host *host, const struct ag_plugin *plugin)
{
    struct ag_store_slot slot;
    if (!ag_download_owns(host, plugin) &&
        ag_store_find(&host->store, AG_STORE_PLUGIN, plugin->name, AG_STORE_NEXT, &slot) == AG_OK &&
        slot.state < AG_STORE_SEALED) {
        (void)!ag_store_drop(&host->store, slot.id); // at worst it is superseded later
        ag_install_forget_resets(&host->store, plugin->name);
    }
}

// ---- The only connection -----------------------------------------------------------------------

// Whether a server is asked for something, or should be: one at a time.
static bool wants_network(const struct ag_host *host)
{
    if (host->installing)
        return ag_install_wants_network(&host->install);
    return host->clock.is_asking || host->trust_update.state == AG_TRUST_WANTED ||
           host->trust_update.state == AG_TRUST_DOWNLOADING;
}

bool ag_download_has_one_connection(const struct ag_host *host)
{
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    if (AG_CFG_TLS_CONNECTIONS == 1) // whatever is desired: there is no second one
        return true;
    return desired->has_one_connection ? desired->one_connection : host->config.one_connection;
}

// Whether the hub can be left: it has said and heard what there was, or it cannot be reached.
static bool may_leave_hub(const struct ag_host *host)
{
    if (host->link.state == AG_LINK_WAITING || host->link.state == AG_LINK_LEAVING)
        return true;
    return host->link.state == AG_LINK_ONLINE && !host->follow.wants_document &&
           host->follow.rid == 0 && host->report.rid == 0 &&
           ag_report_deadline(host) > host->now_ms;
}

bool ag_download_has_turn(struct ag_host *host)
{
    if (host->now_ms < host->download_ms)
        return false;
    if (!ag_download_has_one_connection(host) || host->link.state == AG_LINK_HELD)
        return true;
    return may_leave_hub(host) && ag_link_hold(&host->link, host->now_ms);
}

static void give_connection_back(struct ag_host *host)
{
    if (host->link.state != AG_LINK_HELD || wants_network(host))
        return;
    ag_fetch_close(&host->install.fetch);
    ag_link_release(&host->link);
}

uint64_t ag_download_deadline(const struct ag_host *host)
{
    if (host->link.state == AG_LINK_HELD && !wants_network(host))
        return 0;
    if (wants_network(host) && host->now_ms < host->download_ms)
        return host->download_ms;
    bool waits_for_hub = wants_network(host) && ag_download_has_one_connection(host) &&
                         host->link.state != AG_LINK_HELD; // whose events lead on
    if (!host->installing || waits_for_hub)
        return UINT64_MAX;
    return ag_install_deadline(&host->install);
}

// ---- Downloads ---------------------------------------------------------------------------------

// An expired SAS: the URL in the twin may be newer than the one known here. The first refusals ask,
// later ones ever more seldom: a read of the twin is not free.
static void ask_for_fresh_url(struct ag_host *host, const struct ag_plugin *plugin)
{
    uint32_t failures = plugin->fetch_failures;
    if ((failures & (failures - 1)) == 0)
        host->follow.wants_document = true;
}

// Fetching or verifying came to nothing: again later, or not at all.
static void install_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why)
{
    uint32_t version = host->install.request.version;
    host->installing = NULL;
    if (!ag_install_may_retry(why)) {
        plugin->outcome = why;
        if (why == AG_ERR_SETTINGS_SCHEMA)
            ag_plugins_set_fault(&host->plugins, plugin, &host->install.fault);
        plugin->pardons = false;
        ag_download_refuse(host, plugin, why, version);
        return;
    }
    if (ag_install_has_come_far(&host->install)) // a bad line, but it leads on
        plugin->fetch_failures = 0;
    uint64_t pause_ms = ag_change_pause(host, &plugin->fetch_failures, host->config.backoff_base_ms,
                                        host->config.backoff_cap_ms);
    uint64_t asked_ms = ag_backoff_asked(host->install.fetch.http.head.retry_after_s);
    plugin->fetch_ms = host->now_ms + asked_ms + pause_ms; // not all at the same moment
    if (why == AG_ERR_HTTP_FORBIDDEN)
        ask_for_fresh_url(host, plugin);
    ag_change_error(plugin, why, version);
    ag_change_move(host, plugin, AG_EVENT_PAUSE);
    ag_log_plugin(host, AG_LOG_WARNING, plugin->name, version, "waiting to fetch again", why);
}

void ag_download_begin(struct ag_host *host, struct ag_plugin *plugin,
                       const struct ag_desired_entry *entry)
{
    struct ag_install_request request = { .name = plugin->name,
                                          .version = entry->version,
                                          .sha256 = entry->has_sha256 ? entry->sha256 : NULL,
                                          .url = entry->url,
                                          .settings = entry->settings,
                                          .memory_limit = ag_plugins_room(&host->plugins, plugin),
                                          .pardons = plugin->pardons };
    bool goes_on = ag_download_owns(host, plugin);
    host->installing = plugin;
    ag_change_move(host, plugin, AG_EVENT_FETCH);
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, entry->version, "downloading", AG_OK);
    if (goes_on) {
        ag_install_resume(&host->install, &request);
        return;
    }
    ag_install_begin(&host->install, &request, host->now_ms);
    if (host->config.download_spread_ms > 0 && plugin->fetch_failures == 0)
        host->download_ms = host->now_ms + ag_change_random(host) % host->config.download_spread_ms;
}

// The slot is sealed: whether it can run here is seen now that it is translated.
static void install_done(struct ag_host *host, struct ag_plugin *plugin)
{
    host->installing = NULL;
    ag_plugins_refresh(&host->plugins, plugin);
    enum ag_status status = ag_plugins_check(&host->plugins, plugin->next.id, plugin);
    if (status == AG_OK) {
        plugin->fetch_failures = 0;
        plugin->pardons = false;
        ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version, "verified", AG_OK);
        ag_change_move(host, plugin, AG_EVENT_VERIFIED);
        return;
    }
    // A lack of memory may pass and is no fault of the file.
    (void)!ag_trial_give_up(host, plugin, plugin->next.id,
                            status == AG_ERR_FILE_MEMORY ? AG_OK : status);
    install_failed(host, plugin, status);
}

void ag_download_step(struct ag_host *host)
{
    give_connection_back(host);
    struct ag_plugin *plugin = host->installing;
    if (!plugin || (wants_network(host) && !ag_download_has_turn(host)))
        return;
    enum ag_status status = ag_install_step(&host->install, host->now_ms);
    if (plugin->state == AG_STATE_DOWNLOADING &&
        (status == AG_OK || ag_install_is_verifying(&host->install)))
        ag_change_move(host, plugin, AG_EVENT_FETCHED);
    if (status == AG_OK)
        install_done(host, plugin);
    else if (status != AG_ERR_AGAIN)
        install_failed(host, plugin, status);
    give_connection_back(host);
}
