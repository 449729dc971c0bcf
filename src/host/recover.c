// SPDX-License-Identifier: Apache-2.0
// Brings the store up again after a failure of the flash, without a restart: nobody may ever come
// by to switch the device off and on.
//
// Meanwhile all that runs goes on from its slots, nothing changes on flash, and airgraft.error in
// the report says so. Each attempt erases and programs, so attempts are spread by a capped back-off
// that a store which stays up for a minute resets. Afterwards each part looks at the store anew, as
// after a power cut, and the plan is made again.
#include "host/core.h"

// Bounds of the pauses between attempts.
#define BASE_MS 1000u
#define CAP_MS  300000u

static void pause(struct ag_host *host)
{
    struct ag_core_recovery *recovery = &host->recovery;
    recovery->until_ms = host->now_ms + ag_backoff_fail(&recovery->backoff, ag_change_random(host));
}

static void note_failure(struct ag_host *host)
{
    struct ag_core_recovery *recovery = &host->recovery;
    if (recovery->backoff.base_ms == 0)
        ag_backoff_init(&recovery->backoff, BASE_MS, CAP_MS);
    recovery->is_down = true;
    ag_backoff_succeed(&recovery->backoff, host->now_ms - recovery->since_ms);
    pause(host);
    ag_log_plugin(host, AG_LOG_ERROR, "store", 0, "nothing can be changed for now", AG_ERR_FLASH);
    ag_report_touch(host, NULL);
}

static void go_on(struct ag_host *host)
{
    ag_trust_update_recovered(host);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used)
            continue;
        ag_trial_recovered(host, plugin);
        plugin->options_changed = true;
    }
    ag_log_recovered(host);
    ag_boot_store_assignment(host);
    host->plan_is_due = true;
    ag_report_touch(host, NULL);
}

void ag_recover_step(struct ag_host *host)
{
    struct ag_core_recovery *recovery = &host->recovery;
    if (!ag_store_is_read_only(&host->store))
        return;
    if (!recovery->is_down) {
        note_failure(host);
        return;
    }
    if (host->now_ms < recovery->until_ms)
        return;
    const enum ag_status status = ag_store_recover(&host->store);
    if (status != AG_OK) {
        pause(host);
        ag_log_plugin(host, AG_LOG_WARNING, "store", 0, "still fails", status);
        return;
    }
    recovery->is_down = false;
    recovery->since_ms = host->now_ms;
    ag_log_plugin(host, AG_LOG_INFO, "store", 0, "is up again", AG_OK);
    go_on(host);
}

uint64_t ag_recover_deadline(const struct ag_host *host)
{
    if (!ag_store_is_read_only(&host->store))
        return UINT64_MAX;
    return host->recovery.is_down ? host->recovery.until_ms : 0;
}
