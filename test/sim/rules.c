// SPDX-License-Identifier: Apache-2.0
// The rules that hold after every step of every device, and where it must be when faults have
// stopped. They look at the flash, the pins, the hub's side and the host's insides, and believe
// nothing that the host says of itself without comparing it with these.
#include <stdio.h>
#include <string.h>

#include "host/core.h"
#include "host/fallback.h"
#include "platform/board.h"
#include "test/sim/fleet.h"

// Places in the host's table that are looked at: every name, and some to spare.
#define PLACES 8u

// Flash operations of one step at most: a compaction of the journal, and the code of one file.
#define OPERATIONS_MAX 1500u

// Steps in a row that want the next one at once: slices of a computation, pieces of a proof.
#define HASTE_MAX 3000u

// No pause is longer than an hour, which is what Retry-After may ask for.
#define WAIT_MAX_MS (3600u * 1000u + 1000u)

// A confirmed version that fails is down no longer than this before it is started again; one that
// keeps failing, and has none before it, no longer than the long pause.
#define DOWN_MAX_MS (300u * 1000u + 30u * 1000u)
#define LEFT_MAX_MS (2u * AG_FALLBACK_PAUSE_MS)

// Trials of one installed file that may end in a reset.
#define TRIALS_MAX AG_FALLBACK_TRIALS_MAX

// The words of DESIGN 4.2, here once more: a report is compared with them.
static const char *const words[AG_STATE_COUNT] = {
    [AG_STATE_ABSENT] = "",
    [AG_STATE_DOWNLOADING] = "downloading",
    [AG_STATE_VERIFYING] = "verifying",
    [AG_STATE_PAUSED] = "waiting",
    [AG_STATE_STAGED] = "waiting",
    [AG_STATE_TRIAL] = "trial",
    [AG_STATE_RUNNING] = "running",
    [AG_STATE_ROLLED_BACK] = "rolled_back",
    [AG_STATE_REFUSED] = "refused",
    [AG_STATE_FAILED] = "failed",
    [AG_STATE_STOPPED] = "stopped",
    [AG_STATE_REMOVING] = "removing",
};

// ---- What runs ---------------------------------------------------------------------------------

static bool has_failed_before(const struct fleet_device *device, const struct catalogue_file *file)
{
    for (uint32_t i = 0; i < FLEET_FAILED; i++)
        if (device->failed[i] == file)
            return true;
    return false;
}

// Whether a window is open, reckoned by the minute and not as the host does it.
static bool is_open(const struct fleet_window *window, int64_t unix_s)
{
    int64_t now_min = (unix_s + 60 * (int64_t)window->offset_min) / 60;
    uint32_t size_min = window->to_min > window->from_min
                            ? (uint32_t)(window->to_min - window->from_min)
                            : 1440u - window->from_min + window->to_min;
    for (uint32_t ago = 0; ago < size_min; ago++) {
        int64_t begin_min = now_min - ago;
        uint32_t weekday = (uint32_t)((begin_min / 1440 + 3) % 7); // 1970 began on a Thursday
        if (begin_min % 1440 == window->from_min &&
            (window->days == 0 || window->days >> weekday & 1))
            return true;
    }
    return false;
}

// A trial has begun on a device that knows what is desired: in its window, as far as anybody could
// know?
static void look_at_window(struct fleet *fleet, struct fleet_device *device, uint32_t index)
{
    const struct fleet_window *window = &device->entries[index].window;
    struct ag_host_status status;
    int64_t unix_s;
    ag_host_status(device->device.host, &status);
    if (!window->is_set || status.desired_version != device->hub.version)
        return;
    if (!ag_board_unix_time(&unix_s)) {
        if (window->waits_unknown)
            fleet_violate(fleet, device, "%s is activated while nobody knows what time it is",
                          catalogue_name(index));
    } else if (!is_open(window, unix_s)) {
        fleet_violate(fleet, device, "%s is activated outside of its window, at %lld",
                      catalogue_name(index), (long long)unix_s);
    }
}

// The count on flash may be higher: a mark that flash has kept while saying that it failed.
static void look_at_trials(struct fleet *fleet, struct fleet_device *device,
                           const struct ag_plugin *plugin, struct fleet_track *track)
{
    track->trials = track->trial_id == plugin->next.id ? track->trials + 1 : 1;
    track->trial_id = plugin->next.id;
    if (track->trials > TRIALS_MAX)
        fleet_violate(fleet, device, "%s %u was tried %u times", plugin->name,
                      (unsigned)plugin->next.version, (unsigned)track->trials);
}

// A new instance: of what?
static void look_at_start(struct fleet *fleet, struct fleet_device *device,
                          const struct ag_plugin *plugin, struct fleet_track *track)
{
    uint8_t sha256[AG_SHA256_SIZE];
    const struct ag_wasm_image *image = &plugin->instance.image;
    ag_crypto_sha256(image->module, image->module_size, sha256);
    const struct catalogue_file *file = catalogue_lookup(sha256);
    track->running = file;
    track->module = image->module;
    track->made_ms = plugin->made_ms;
    track->is_trial = plugin->is_trial;
    track->trial_writes = device->device.writes[track - device->tracks];
    if (!file || !catalogue_may_run(file)) {
        fleet_violate(fleet, device, "%s runs bytes that no key vouched for", plugin->name);
        return;
    }
    if (strcmp(catalogue_name(file->name), plugin->name) != 0)
        fleet_violate(fleet, device, "%s runs the file of %s", plugin->name,
                      catalogue_name(file->name));
    if (!plugin->is_trial)
        return;
    look_at_window(fleet, device, (uint32_t)(track - device->tracks));
    look_at_trials(fleet, device, plugin, track);
    if (file->epoch < track->epoch)
        fleet_violate(fleet, device, "%s tries epoch %u after %u was confirmed", plugin->name,
                      (unsigned)file->epoch, (unsigned)track->epoch);
    if (has_failed_before(device, file))
        fleet_violate(fleet, device, "%s tries version %u again, which failed before", plugin->name,
                      (unsigned)file->version);
}

static void look_at_running(struct fleet *fleet, struct fleet_device *device,
                            const struct ag_plugin *plugin, struct fleet_track *track)
{
    if (plugin->phase == AG_PLUGIN_DOWN) {
        track->running = NULL;
        track->module = NULL;
        return;
    }
    if (track->module != plugin->instance.image.module || track->made_ms != plugin->made_ms ||
        track->is_trial != plugin->is_trial) {
        if (track->module == plugin->instance.image.module && track->made_ms == plugin->made_ms)
            track->is_trial = plugin->is_trial; // confirmed: the same instance goes on
        else
            look_at_start(fleet, device, plugin, track);
    }
}

// ---- What is confirmed -------------------------------------------------------------------------

static void look_at_confirmed(struct fleet *fleet, struct fleet_device *device,
                              const struct ag_plugin *plugin, struct fleet_track *track)
{
    struct ag_store_slot slot;
    uint32_t index = (uint32_t)(track - device->tracks);
    if (plugin->current.id == track->current_id)
        return;
    track->current_id = plugin->current.id;
    if (plugin->current.id == 0)
        return;
    ag_plugins_slot(&device->device.host->plugins, &plugin->current, &slot);
    const struct catalogue_file *file = catalogue_lookup(slot.sha256);
    track->confirmed = file;
    if (plugin->current.id <= track->newest_id)
        return; // back to one before
    if (!file || !catalogue_can_pass(file) || file->name != index)
        fleet_violate(fleet, device, "%s confirmed a file that cannot pass a trial", plugin->name);
    if (slot.epoch < track->epoch)
        fleet_violate(fleet, device, "%s confirmed epoch %u after %u", plugin->name,
                      (unsigned)slot.epoch, (unsigned)track->epoch);
    if (file && track->running == file &&
        device->device.writes[index] - track->trial_writes < device->device.config.trial_runs)
        fleet_violate(fleet, device, "%s was confirmed before it had run %u times", plugin->name,
                      (unsigned)device->device.config.trial_runs);
    track->newest_id = plugin->current.id;
    if (slot.epoch > track->epoch)
        track->epoch = slot.epoch;
    // As far as the device knows: what it was told last may be that the name is gone.
    struct ag_host_status status;
    ag_host_status(device->device.host, &status);
    track->is_wanted = device->entries[index].is_present && device->entries[index].is_enabled &&
                       status.desired_version == device->hub.version;
}

static void look_at_failed(struct fleet *fleet, struct fleet_device *device,
                           const struct ag_plugin *plugin)
{
    struct ag_store_slot slot;
    ag_plugins_slot(&device->device.host->plugins, &plugin->rejected, &slot);
    if (slot.id == 0 || slot.failure == AG_ERR_STORE_DAMAGED)
        return;
    const struct catalogue_file *file = catalogue_lookup(slot.sha256);
    if (file && file->variant == VARIANT_STORES && slot.failure == AG_TRAP_UNREACHABLE)
        fleet_violate(fleet, device, "%s found its data torn", plugin->name);
    if (file && !has_failed_before(device, file))
        device->failed[device->failed_count++ % FLEET_FAILED] = file;
}

// Settings that its schema refuses never reach a version.
static void look_at_settings(struct fleet *fleet, const struct fleet_device *device,
                             const struct ag_plugin *plugin, const struct fleet_track *track)
{
    const struct ag_text settings = plugin->instance.options.settings;
    char text[64];
    unsigned x;
    if (!track->running || track->running->variant != VARIANT_SCHEMA || settings.size == 0)
        return;
    snprintf(text, sizeof text, "%.*s", (int)settings.size, settings.at);
    if (sscanf(text, "{\"x\":%u}", &x) != 1 || x > CATALOGUE_X_MAX)
        fleet_violate(fleet, device, "%s runs with settings that it refuses: %s", plugin->name,
                      text);
}

// A version's own data never goes back behind what was kept, is never torn, and is never that of a
// version that failed.
static void look_at_data(struct fleet *fleet, const struct fleet_device *device,
                         const struct ag_plugin *plugin, struct fleet_track *track)
{
    struct ag_text text;
    uint32_t count = 0;
    if (!track->running || track->running->variant != VARIANT_STORES ||
        !plugin->instance.options.data || plugin->instance.is_busy)
        return;
    if (ag_data_get(plugin->instance.options.data, ag_text_of("a"), &text) == AG_OK &&
        text.size == sizeof count)
        memcpy(&count, text.at, sizeof count);
    if (count >= CATALOGUE_TORN)
        fleet_violate(fleet, device, "%s has found the data of a version that failed",
                      plugin->name);
    // What a removal that failed half-way has hidden is gone with its slot when the store is up
    // again.
    if (plugin->is_trial || ag_store_is_read_only(&device->device.host->store))
        return;
    if (track->kept_id == plugin->current.id && count < track->kept)
        fleet_violate(fleet, device, "%s counts %u, and had kept %u", plugin->name, (unsigned)count,
                      (unsigned)track->kept);
    if (plugin->instance.options.data->is_changed)
        return;
    track->kept_id = plugin->current.id;
    track->kept = count;
}

// A confirmed version that has been wanted ever since is there, and runs but for short pauses.
static void look_at_continuity(struct fleet *fleet, struct fleet_device *device, uint32_t index,
                               const struct ag_plugin *plugin)
{
    struct fleet_track *track = &device->tracks[index];
    if (!track->is_wanted || track->newest_id == 0) {
        track->down_ms = SIM_NEVER;
        return;
    }
    if (!plugin || plugin->current.id == 0) {
        fleet_violate(fleet, device, "%s is gone, and was wanted", catalogue_name(index));
        return;
    }
    uint64_t uptime_ms = sim_device_uptime(&device->device);
    bool keeps_failing = track->confirmed && track->confirmed->variant == VARIANT_LATE;
    if (plugin->phase != AG_PLUGIN_DOWN)
        track->down_ms = SIM_NEVER;
    else if (track->down_ms == SIM_NEVER)
        track->down_ms = uptime_ms;
    else if (uptime_ms - track->down_ms > (keeps_failing ? LEFT_MAX_MS : DOWN_MAX_MS))
        fleet_violate(fleet, device, "%s is confirmed and wanted, and down for %u s",
                      catalogue_name(index), (unsigned)((uptime_ms - track->down_ms) / 1000));
}

// ---- What is reported --------------------------------------------------------------------------

static void compare_report(struct fleet *fleet, const struct fleet_device *device, uint32_t index,
                           const struct ag_plugin *plugin)
{
    json_t *reported = sim_hub_reported(&device->hub, catalogue_name(index));
    const struct fleet_track *track = &device->tracks[index];
    const char *name = catalogue_name(index);
    if (!plugin || plugin->state == AG_STATE_ABSENT) {
        if (reported)
            fleet_violate(fleet, device, "%s is still reported, and gone", name);
        return;
    }
    bool has_one = plugin->state == AG_STATE_RUNNING || plugin->state == AG_STATE_ROLLED_BACK ||
                   plugin->state == AG_STATE_REFUSED;
    bool is_down = has_one && plugin->is_failing;
    const char *state = json_string_value(json_object_get(reported, "state"));
    uint32_t version = (uint32_t)json_integer_value(json_object_get(reported, "version"));
    json_t *error = json_object_get(reported, "error");
    uint32_t code = (uint32_t)json_integer_value(json_object_get(error, "code"));
    const char *word = words[is_down ? AG_STATE_FAILED : plugin->state];
    uint32_t runs = track->running ? track->running->version : plugin->current.version;
    if (!state || strcmp(state, word) != 0)
        fleet_violate(fleet, device, "%s is reported as %s and is %s", name, state ? state : "none",
                      word);
    if (version != runs)
        fleet_violate(fleet, device, "%s is reported with version %u, and %u runs", name,
                      (unsigned)version, (unsigned)runs);
    if (code != (uint32_t)plugin->error)
        fleet_violate(fleet, device, "%s is reported with error %u, and has %u", name,
                      (unsigned)code, (unsigned)plugin->error);
    bool says_running = state && (strcmp(state, "running") == 0 || strcmp(state, "trial") == 0);
    bool is_trial = track->running && track->is_trial;
    if (says_running && (!track->running || is_trial != (strcmp(state, "trial") == 0)))
        fleet_violate(fleet, device, "%s is reported as %s, and does not run so", name, state);
}

// ---- After a step ------------------------------------------------------------------------------

static const struct ag_plugin *find(const struct ag_host *host, uint32_t index)
{
    const char *name = catalogue_name(index);
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used && plugin->name[0] == name[0])
            return plugin;
    }
    return NULL;
}

// The hub has acknowledged all that the host has to say of itself and its plug-ins. What plug-ins
// report of their own does not count: that may change more often than it can be sent.
static bool is_told(const struct ag_host *host)
{
    const struct ag_core_report *report = &host->report;
    if (!host->may_report || report->facts_are_dirty || report->facts_in_flight ||
        report->state_is_dirty || report->state_in_flight)
        return false;
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used && (plugin->is_dirty || plugin->is_in_flight))
            return false;
    }
    return true;
}

static void look_at_step(struct fleet *fleet, struct fleet_device *device)
{
    const struct sim_device *inner = &device->device;
    uint64_t operations = inner->operations - device->operations;
    if (operations > OPERATIONS_MAX)
        fleet_violate(fleet, device, "one step took %u flash operations", (unsigned)operations);
    if (inner->haste > HASTE_MAX)
        fleet_violate(fleet, device, "%u steps in a row wanted more at once",
                      (unsigned)inner->haste);
    if (inner->wait_ms > WAIT_MAX_MS)
        fleet_violate(fleet, device, "it wants to sleep for %u ms", (unsigned)inner->wait_ms);
    if (inner->configures[CATALOGUE_FORBIDDEN_PIN] > 0)
        fleet_violate(fleet, device, "a file that must never run has touched a pin");
    if (inner->flash.counts.breaches > 0)
        fleet_violate(fleet, device, "the rules of the flash were broken");
    if (device->hub.offence[0])
        fleet_violate(fleet, device, "to the hub: %s", device->hub.offence);
    if (device->blob.offence[0])
        fleet_violate(fleet, device, "to the server: %s", device->blob.offence);
}

static uint32_t sign(const struct ag_host *host)
{
    uint32_t signature = 1;
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        uint32_t words_of_it[] = { plugin->is_used,         (uint32_t)plugin->state,
                                   (uint32_t)plugin->phase, plugin->is_trial,
                                   plugin->is_failing,      plugin->current.id,
                                   plugin->next.id,         plugin->rejected.id,
                                   (uint32_t)plugin->error, (uint32_t)plugin->made_ms };
        for (size_t k = 0; k < sizeof words_of_it / sizeof words_of_it[0]; k++)
            signature = (signature ^ words_of_it[k]) * 16777619u;
    }
    return signature;
}

void rules_after_step(struct fleet *fleet, struct fleet_device *device)
{
    const struct ag_host *host = device->device.host;
    look_at_step(fleet, device);
    rules_trust_after_step(fleet, device);
    uint32_t signature = sign(host);
    bool has_changed = signature != device->signature;
    const struct ag_plugin *plugins[CATALOGUE_NAMES];
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        plugins[i] = find(host, i);
        if (plugins[i] && has_changed) {
            look_at_confirmed(fleet, device, plugins[i], &device->tracks[i]);
            look_at_running(fleet, device, plugins[i], &device->tracks[i]);
            look_at_failed(fleet, device, plugins[i]);
        } else if (!plugins[i]) {
            device->tracks[i].running = NULL;
            device->tracks[i].module = NULL;
            device->tracks[i].current_id = 0;
        }
        if (plugins[i]) {
            look_at_settings(fleet, device, plugins[i], &device->tracks[i]);
            look_at_data(fleet, device, plugins[i], &device->tracks[i]);
        }
        look_at_continuity(fleet, device, i, plugins[i]);
    }
    if (!has_changed && device->hub.reported_version == device->checked_reports)
        return;
    device->signature = signature;
    if (!is_told(host))
        return;
    device->checked_reports = device->hub.reported_version;
    rules_trust_report(fleet, device);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++)
        compare_report(fleet, device, i, plugins[i]);
}

// ---- At the end --------------------------------------------------------------------------------

bool rules_at_rest(const struct fleet_device *device)
{
    struct ag_host_status status;
    if (!device->device.host)
        return false;
    ag_host_status(device->device.host, &status);
    return status.link == AG_HOST_LINK_ONLINE && status.is_idle && is_told(device->device.host) &&
           status.desired_version == device->hub.version;
}

// Why the desired version may not be the confirmed one; NULL: there is no reason.
static const char *excuse(const struct fleet_device *device, uint32_t index,
                          const struct ag_plugin *plugin)
{
    const struct fleet_entry *entry = &device->entries[index];
    const struct fleet_track *track = &device->tracks[index];
    const struct catalogue_file *file = catalogue_get(index, entry->version, entry->variant);
    const struct ag_store *store = &device->device.host->store;
    if (entry->is_malformed || entry->keeps)
        return "nothing new is wanted";
    if (!catalogue_can_pass(file))
        return "it cannot pass";
    if (entry->sha == 2)
        return "it has another hash";
    if (plugin && plugin->current.version >= entry->version && !entry->allows_downgrade)
        return "it is older";
    if (plugin && plugin->current.version == entry->version && entry->sha == 0)
        return "the version is there";
    if (file->epoch < track->epoch)
        return "its epoch is lower";
    if (file->variant == VARIANT_SCHEMA && entry->setting > CATALOGUE_X_MAX)
        return "its settings are refused";
    if (has_failed_before(device, file) || ag_store_is_quarantined(store, file->sha256, NULL))
        return "it has failed";
    if (device->blob.corruptions > track->corruptions)
        return "the server sent something else";
    return NULL;
}

static void check_wanted(struct fleet *fleet, struct fleet_device *device, uint32_t index,
                         const struct ag_plugin *plugin)
{
    const struct fleet_entry *entry = &device->entries[index];
    const struct fleet_track *track = &device->tracks[index];
    const char *name = catalogue_name(index);
    uint32_t current = plugin ? plugin->current.version : 0;
    if (current != entry->version && !excuse(device, index, plugin)) {
        fleet_violate(fleet, device, "%s is at version %u and not at %u: state %s, error %s", name,
                      (unsigned)current, (unsigned)entry->version,
                      plugin ? words[plugin->state] : "none",
                      plugin ? ag_status_name(plugin->error) : "none");
        return;
    }
    if (current == 0 || plugin->is_failing)
        return;
    if (!track->running || track->is_trial)
        fleet_violate(fleet, device, "%s %u is confirmed and wanted, and does not run", name,
                      (unsigned)current);
    else if (track->running->version != current)
        fleet_violate(fleet, device, "%s runs %u, and %u is confirmed", name,
                      (unsigned)track->running->version, (unsigned)current);
    uint64_t since_ms = device->device.world->now_ms - device->device.write_ms[index];
    if (since_ms > 3u * (uint64_t)entry->period_ms + 2 * DOWN_MAX_MS)
        fleet_violate(fleet, device, "%s is said to run, and did not for %u s", name,
                      (unsigned)(since_ms / 1000));
}

// Whether the entry as a whole does not count: it is malformed, or the version that it names is
// here and refuses its settings.
static bool is_refused(const struct fleet_entry *entry, const struct ag_plugin *plugin)
{
    return entry->is_malformed ||
           (plugin && plugin->error == AG_ERR_SETTINGS_SCHEMA && entry->setting > CATALOGUE_X_MAX);
}

void rules_at_end(struct fleet *fleet, struct fleet_device *device)
{
    const struct ag_host *host = device->device.host;
    rules_trust_at_end(fleet, device);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        const struct fleet_entry *entry = &device->entries[i];
        const struct ag_plugin *plugin = find(host, i);
        struct fleet_track *track = &device->tracks[i];
        uint32_t floor = ag_store_epoch_floor(&host->store, AG_STORE_PLUGIN, catalogue_name(i));
        if (floor < track->epoch)
            fleet_violate(fleet, device, "the epoch of %s fell from %u to %u", catalogue_name(i),
                          (unsigned)track->epoch, (unsigned)floor);
        compare_report(fleet, device, i, plugin);
        if (entry->is_present && is_refused(entry, plugin))
            continue; // then it changes nothing, and what was desired before counts
        if (!entry->is_present && plugin)
            fleet_violate(fleet, device, "%s is not wanted, and there: %s", catalogue_name(i),
                          words[plugin->state]);
        if (entry->is_present && !entry->is_enabled && plugin && plugin->phase != AG_PLUGIN_DOWN)
            fleet_violate(fleet, device, "%s is not enabled, and runs", catalogue_name(i));
        if (entry->is_present && entry->is_enabled)
            check_wanted(fleet, device, i, plugin);
    }
}
