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

// Fetching or verifying came to nothing: again later, or not at all.
static void install_failed(struct ag_host *host, struct ag_plugin *plugin, enum ag_status why)
{
    uint32_t version = host->install.request.version;
    host->installing = NULL;
    if (!ag_install_may_retry(why)) {
        plugin->outcome = why;
        if (why == AG_ERR_SETTINGS_SCHEMA)
            plugin->fault = host->install.fault;
        plugin->pardons = false;
        ag_download_refuse(host, plugin, why, version);
        return;
    }
    uint64_t pause_ms = ag_backoff_fail(&plugin->fetch_backoff, ag_change_random());
    uint64_t asked_ms = ag_backoff_asked(host->install.fetch.http.head.retry_after_s);
    plugin->fetch_ms = host->now_ms + (asked_ms > pause_ms ? asked_ms : pause_ms);
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
        plugin->pardons = false;
        ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->next.version, "verified", AG_OK);
        ag_change_move(host, plugin, AG_EVENT_VERIFIED);
        return;
    }
    // A lack of memory may pass and is no fault of the file.
    (void)!(status == AG_ERR_FILE_MEMORY ? ag_store_drop(&host->store, plugin->next.id)
                                         : ag_store_fail(&host->store, plugin->next.id, status));
    ag_plugins_refresh(&host->plugins, plugin);
    install_failed(host, plugin, status);
}

void ag_download_step(struct ag_host *host)
{
    struct ag_plugin *plugin = host->installing;
    if (!plugin)
        return;
    enum ag_status status = ag_install_step(&host->install, host->now_ms);
    if (plugin->state == AG_STATE_DOWNLOADING &&
        (status == AG_OK || ag_install_is_verifying(&host->install)))
        ag_change_move(host, plugin, AG_EVENT_FETCHED);
    if (status == AG_OK)
        install_done(host, plugin);
    else if (status != AG_ERR_AGAIN)
        install_failed(host, plugin, status);
}
