// SPDX-License-Identifier: Apache-2.0
// Changes of a plug-in's state and error. The transition table has the last word on each.
#include "host/core.h"

void ag_change_move(struct ag_host *host, struct ag_plugin *plugin, enum ag_transition_event event)
{
    enum ag_status status =
        ag_transition_next(plugin->state, event, plugin->current.id != 0, &plugin->state);
    if (status != AG_OK) { // nothing has changed, so nothing is to be planned because of it
        ag_log_plugin(host, AG_LOG_ERROR, plugin->name, event, "impossible event", status);
        return;
    }
    if (event == AG_EVENT_CONFIRM || event == AG_EVENT_FAIL)
        ag_log_keep(host, plugin);
    host->plan_is_due = true;
    ag_report_touch(host, plugin);
}

void ag_change_error_at(struct ag_plugin *plugin, enum ag_status error, uint32_t version,
                        const struct ag_wasm_place *place)
{
    plugin->error = error;
    plugin->error_version = error == AG_OK ? 0 : version;
    plugin->error_cause = AG_OK;
    plugin->error_place = *place;
    plugin->knows_place = true;
}

void ag_change_error(struct ag_plugin *plugin, enum ag_status error, uint32_t version)
{
    static const struct ag_wasm_place nowhere = { AG_PLUGIN_NOWHERE, 0 };
    ag_change_error_at(plugin, error, version, &nowhere);
}

uint32_t ag_change_pause(struct ag_host *host, uint16_t *failures, uint32_t base_ms,
                         uint32_t cap_ms)
{
    struct ag_backoff backoff = { .base_ms = base_ms, .cap_ms = cap_ms, .failures = *failures };
    const uint32_t pause_ms = ag_backoff_fail(&backoff, ag_change_random(host));
    if (*failures < UINT16_MAX)
        (*failures)++;
    return pause_ms;
}

uint32_t ag_change_random(struct ag_host *host)
{
    return ag_jitter_next(&host->link.jitter);
}
