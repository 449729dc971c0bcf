// SPDX-License-Identifier: Apache-2.0
// Settings and the schemas of the versions that get them.
//
// A version never sees settings that its schema refuses. Those that it had stay in force:
//
//   - The desired version is here, and refuses them: the entry is refused (settings_schema), and
//   what
//     runs goes on as it did.
//   - The desired version is not here: its head decides (install.c). The one that runs gets the new
//     settings if it accepts them, and else keeps its own until the new one takes over.
#include <string.h>

#include "host/core.h"

// Whether the version of a slot refuses the settings; *fault then says why. One that cannot be read
// refuses nothing: it will not run either.
static bool is_refused(struct ag_host *host, const struct ag_plugin *plugin, uint32_t slot_id,
                       struct ag_text settings, struct ag_schema_fault *fault)
{
    const uint8_t *schema;
    uint32_t size;
    return slot_id != 0 &&
           ag_plugins_schema(&host->plugins, plugin, slot_id, &schema, &size) == AG_OK &&
           ag_schema_judge(schema, size, settings, fault) != AG_OK;
}

// The slot that the entry wants, as far as it is here.
static uint32_t desired_slot(const struct ag_plugin *plugin, const struct ag_desired_entry *entry)
{
    if (plugin->next.id != 0 && plugin->next.version == entry->version)
        return plugin->next.id;
    const bool keeps = entry->url.size == 0 || plugin->current.version == entry->version;
    return keeps ? plugin->current.id : 0;
}

void ag_settings_judge(struct ag_host *host, struct ag_plugin *plugin,
                       struct ag_desired_entry *entry, const struct ag_desired_entry *before)
{
    struct ag_desired *table = ag_follow_table(&host->follow);
    struct ag_schema_fault fault;
    const uint32_t desired = desired_slot(plugin, entry);
    if (entry->status != AG_OK)
        return;
    if (is_refused(host, plugin, desired, entry->settings, &fault)) {
        ag_plugins_set_fault(&host->plugins, plugin, &fault);
        entry->status = AG_ERR_SETTINGS_SCHEMA;
        ag_desired_carry(table, entry, before);
    } else if (plugin->current.id != desired &&
               is_refused(host, plugin, plugin->current.id, entry->settings, &fault)) {
        ag_desired_keep_settings(table, entry, before, plugin->current.id);
    }
}
