// SPDX-License-Identifier: Apache-2.0
// What the host finds in its store when it starts: what to run, where to connect.
#include <string.h>

#include "host/core.h"
#include "platform/board.h"

// A value of the host.
#define ASSIGNMENT_NAME "hub"

// Options of a plug-in as a value: format, flags, period, fuel.
#define OPTIONS_FORMAT  1u
#define OPTIONS_SIZE    14u
#define OPTION_DISABLED ((uint8_t)1)

// ---- Assignment --------------------------------------------------------------------------------

// Stored as the two texts with their NULs.
void ag_boot_assignment(struct ag_host *host)
{
    struct ag_identity *identity = &host->link.identity;
    char value[AG_CFG_HOST_MAX + AG_CFG_DEVICE_ID_MAX + 2];
    size_t size;
    if (!identity->uses_dps || ag_store_get(&host->store, AG_STORE_ASSIGNMENT, ASSIGNMENT_NAME,
                                            value, sizeof value, &size) != AG_OK)
        return;
    struct ag_text device_id = { value, size };
    struct ag_text hub = ag_text_split(&device_id, 0);
    device_id = ag_text_split(&device_id, 0);
    (void)!ag_identity_assign(identity, hub, device_id, host->config.hub_port);
}

void ag_boot_store_assignment(struct ag_host *host)
{
    const struct ag_identity *identity = &host->link.identity;
    char value[AG_CFG_HOST_MAX + AG_CFG_DEVICE_ID_MAX + 2];
    struct ag_writer out;
    if (!identity->uses_dps || identity->hub[0] == 0)
        return;
    ag_writer_init(&out, value, sizeof value);
    ag_writer_bytes(&out, identity->hub, strlen(identity->hub) + 1);
    ag_writer_bytes(&out, identity->device_id, strlen(identity->device_id) + 1);
    enum ag_status status =
        ag_store_put(&host->store, AG_STORE_ASSIGNMENT, ASSIGNMENT_NAME, value, out.size);
    if (status != AG_OK) // later, or the next start asks DPS again
        ag_log_plugin(host, AG_LOG_WARNING, "assignment", 0, "cannot be stored", status);
}

// ---- Options -----------------------------------------------------------------------------------

static void put_or_delete(struct ag_host *host, enum ag_store_key key, const char *name,
                          const void *bytes, size_t size)
{
    enum ag_status status = size > 0 ? ag_store_put(&host->store, key, name, bytes, size)
                                     : ag_store_delete(&host->store, key, name);
    if (status != AG_OK && status != AG_ERR_NOT_FOUND)
        ag_log_plugin(host, AG_LOG_WARNING, name, 0, "its options cannot be stored", status);
}

void ag_boot_store_options(struct ag_host *host, struct ag_plugin *plugin,
                           const struct ag_desired_entry *entry)
{
    uint8_t value[OPTIONS_SIZE];
    struct ag_writer out;
    ag_writer_init(&out, value, sizeof value);
    bool is_default = entry->is_enabled && entry->period_ms == 0 && entry->fuel_per_run == 0;
    if (!is_default) {
        ag_writer_u8(&out, OPTIONS_FORMAT);
        ag_writer_u8(&out, entry->is_enabled ? (uint8_t)0 : OPTION_DISABLED);
        ag_writer_u32le(&out, entry->period_ms);
        ag_writer_u64le(&out, entry->fuel_per_run);
    }
    put_or_delete(host, AG_STORE_DESIRED, plugin->name, value, out.size);
    const struct ag_text settings = ag_desired_settings(entry, plugin->current.id);
    put_or_delete(host, AG_STORE_SETTINGS, plugin->name, settings.at, settings.size);
    plugin->options_changed = false;
}

// The options that the store remembers, as an entry of the first table: it desires nothing, but
// says how what is installed is to run.
static void load_options(struct ag_host *host, const char *name)
{
    char settings[AG_CFG_SETTINGS_MAX];
    uint8_t value[OPTIONS_SIZE];
    size_t size;
    struct ag_twin_entry entry = { .is_enabled = true, .name = ag_text_of(name) };
    if (ag_store_get(&host->store, AG_STORE_DESIRED, name, value, sizeof value, &size) == AG_OK) {
        struct ag_reader reader;
        ag_reader_init(&reader, value, size);
        uint8_t format = ag_reader_u8(&reader);
        uint8_t flags = ag_reader_u8(&reader);
        uint32_t period_ms = ag_reader_u32le(&reader);
        uint64_t fuel_per_run = ag_reader_u64le(&reader);
        if (reader.status == AG_OK && format == OPTIONS_FORMAT) {
            entry.is_enabled = !(flags & OPTION_DISABLED);
            entry.period_ms = period_ms;
            entry.fuel_per_run = fuel_per_run;
        }
    }
    if (ag_store_get(&host->store, AG_STORE_SETTINGS, name, settings, sizeof settings, &size) ==
        AG_OK) {
        entry.settings.at = settings;
        entry.settings.size = size;
    }
    ag_desired_add(ag_follow_table(&host->follow), &entry);
}

// ---- Plug-ins ----------------------------------------------------------------------------------

// What a reset has left half done.
static void clean_up(struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_store_slot slot;
    if (ag_store_find(&host->store, AG_STORE_PLUGIN, plugin->name, AG_STORE_NEXT, &slot) != AG_OK)
        return;
    if (slot.state < AG_STORE_SEALED)
        return; // a download goes on with it once the twin is known, or it is given up then
    const uint8_t *bytes;
    size_t size;
    bool is_whole = ag_store_open_file(&host->store, slot.id, &bytes, &size) == AG_OK;
    if (!is_whole) {
        // Also one whose seal reached the flash before all of its bytes did: the power is to blame,
        // not the file, which is fetched again.
        (void)!ag_trial_give_up(host, plugin, slot.id, AG_OK);
    } else if (slot.state == AG_STORE_TRIAL) {
        ag_trial_interrupted(host, plugin, &slot);
    }
    ag_plugins_refresh(&host->plugins, plugin);
}

// The state that the store tells.
static void derive_state(const struct ag_host *host, struct ag_plugin *plugin)
{
    struct ag_store_slot rejected;
    ag_plugins_slot(&host->plugins, &plugin->rejected, &rejected);
    bool was_rejected = rejected.id != 0 && rejected.version > plugin->current.version;
    if (was_rejected)
        ag_change_error(plugin, rejected.failure, rejected.version);
    plugin->knows_place = false;
    plugin->state =
        ag_transition_at_start(plugin->current.id != 0, plugin->next.id != 0, was_rejected);
    plugin->found_staged = plugin->next.id;
}

static void start_plugin(struct ag_host *host, struct ag_plugin *plugin)
{
    ag_trial_note_reset(host, plugin);
    clean_up(host, plugin);
    derive_state(host, plugin);
    plugin->is_dirty = true;
    load_options(host, plugin->name);
    if (plugin->current.id == 0)
        return;
    const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
    if (entry && !entry->is_enabled) {
        plugin->is_stopped = true;
        plugin->state = AG_STATE_STOPPED;
        return;
    }
    ag_trial_take_up(host, plugin);
}

// False: it was started before, or there is no room for it.
static bool start_plugin_of(struct ag_host *host, const struct ag_store_slot *slot)
{
    if (slot->kind != AG_STORE_PLUGIN || ag_plugins_find(&host->plugins, slot->name))
        return false;
    struct ag_plugin *plugin = ag_plugins_open(&host->plugins, slot->name);
    if (!plugin)
        return false; // a store of a host with more room: this one cannot run
    start_plugin(host, plugin);
    return true;
}

void ag_boot_plugins(struct ag_host *host)
{
    struct ag_store_slot slot;
    uint32_t id = 0;
    // First the one that a reset came upon: a start of another may have to translate, and the
    // board's word would then tell of that.
    if (ag_store_get_slot(&host->store, ag_board_last_running(), &slot) == AG_OK)
        (void)!start_plugin_of(host, &slot);
    while (ag_store_next(&host->store, &id, &slot))
        if (start_plugin_of(host, &slot))
            id = 0; // what was cleaned up may have gone: from the start again
}
