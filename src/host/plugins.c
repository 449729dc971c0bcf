// SPDX-License-Identifier: Apache-2.0
// The plug-ins that this host holds: what the store has of each, what runs of each, how it fares.
#include "host/plugins.h"

#include <string.h>

#include "host/data_store.h"
#include "platform/board.h"
#include "plugin/sections.h"

// Code expected of a translation by another engine: per byte of file at most; and beside it.
#define CODE_FACTOR_MAX 32u
#define CODE_EXTRA      512u

static uint32_t index_of(const struct ag_plugins *plugins, const struct ag_plugin *plugin)
{
    return (uint32_t)(plugin - plugins->plugins);
}

struct ag_plugin *ag_plugins_find(struct ag_plugins *plugins, const char *name)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (plugins->plugins[i].is_used && strcmp(plugins->plugins[i].name, name) == 0)
            return &plugins->plugins[i];
    return NULL;
}

static void read_version(const struct ag_plugins *plugins, const char *name,
                         enum ag_store_role role, struct ag_plugin_version *version)
{
    struct ag_store_slot slot;
    memset(version, 0, sizeof *version);
    if (ag_store_find(plugins->store, AG_STORE_PLUGIN, name, role, &slot) != AG_OK)
        return;
    if (role == AG_STORE_NEXT && slot.state < AG_STORE_SEALED)
        return; // still arriving: nothing to run
    version->id = slot.id;
    version->version = slot.version;
}

void ag_plugins_slot(const struct ag_plugins *plugins, const struct ag_plugin_version *version,
                     struct ag_store_slot *slot)
{
    if (version->id == 0 || ag_store_get_slot(plugins->store, version->id, slot) != AG_OK)
        memset(slot, 0, sizeof *slot);
}

void ag_plugins_refresh(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    read_version(plugins, plugin->name, AG_STORE_CURRENT, &plugin->current);
    read_version(plugins, plugin->name, AG_STORE_PREVIOUS, &plugin->previous);
    read_version(plugins, plugin->name, AG_STORE_NEXT, &plugin->next);
    read_version(plugins, plugin->name, AG_STORE_REJECTED, &plugin->rejected);
    if (plugin->next.id == plugin->condemned_staged.id)
        memset(&plugin->next, 0, sizeof plugin->next);
    if (plugin->condemned.id != 0 && plugin->current.id == plugin->condemned.id) {
        plugin->current = plugin->previous;
        memset(&plugin->previous, 0, sizeof plugin->previous);
    }
}

struct ag_plugin *ag_plugins_open(struct ag_plugins *plugins, const char *name)
{
    struct ag_plugin *plugin = ag_plugins_find(plugins, name);
    for (uint32_t i = 0; !plugin && i < AG_CFG_PLUGIN_MAX; i++) {
        if (plugins->plugins[i].is_used)
            continue;
        plugin = &plugins->plugins[i];
        memset(plugin, 0, sizeof *plugin);
        plugin->is_used = true;
        memcpy(plugin->name, name, strlen(name) + 1);
        ag_plugins_refresh(plugins, plugin);
        plugin->state = plugin->current.id ? AG_STATE_RUNNING : AG_STATE_ABSENT;
        if (plugin->next.id != 0)
            plugin->state = AG_STATE_STAGED;
        plugin->is_dirty = plugin->state != AG_STATE_ABSENT; // what could not be removed before
    }
    return plugin;
}

// That of nobody, for `plugin` NULL.
static struct ag_plugin_fault *find_fault(struct ag_plugins *plugins,
                                          const struct ag_plugin *plugin)
{
    for (uint32_t i = 0; i < AG_CFG_FAULT_MAX; i++)
        if (plugins->faults[i].plugin == plugin)
            return &plugins->faults[i];
    return NULL;
}

void ag_plugins_forget(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    struct ag_plugin_fault *fault = find_fault(plugins, plugin);
    ag_plugins_stop(plugins, plugin, true);
    memset(plugin, 0, sizeof *plugin);
    if (fault)
        fault->plugin = NULL;
}

// ---- Images ------------------------------------------------------------------------------------

struct code_sink {
    struct ag_store *store;
    struct ag_store_writer writer;
};

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    struct code_sink *sink = context;
    return ag_store_append_code(sink->store, &sink->writer, bytes, size);
}

// As much as there is, and no more than the translator makes use of; NULL when nothing is free.
static void *take_scratch(struct ag_plugins *plugins, uint32_t *size)
{
    const uint32_t largest = ag_ram_largest(&plugins->ram, NULL);
    *size = largest < AG_WASM_SCRATCH ? largest : AG_WASM_SCRATCH;
    return ag_ram_take(&plugins->ram, *size);
}

// Translates the file of a sealed slot again, into room for so much code.
static enum ag_status translate_into(struct ag_plugins *plugins, uint32_t slot_id,
                                     uint32_t code_size, void *scratch, uint32_t scratch_size)
{
    const uint8_t *file;
    size_t file_size;
    struct code_sink sink = { .store = plugins->store };
    struct ag_wasm_translation translation = { .write = write_code,
                                               .resolve = ag_instance_resolve,
                                               .context = &sink,
                                               .scratch = scratch,
                                               .scratch_size = scratch_size };
    struct ag_wasm_report report;
    enum ag_status status = ag_store_open_file(plugins->store, slot_id, &file, &file_size);
    if (status == AG_OK)
        status = ag_store_retranslate(plugins->store, slot_id, code_size, &sink.writer);
    if (status == AG_OK)
        status = ag_wasm_translate(file, (uint32_t)file_size, &translation, &report);
    if (status == AG_OK)
        status = ag_store_seal_code(plugins->store, &sink.writer, AG_WASM_ENGINE_VERSION);
    return status;
}

// How much code another engine makes of the file is known only when it has: at first as much as
// the last one did, then twice as much each time.
static enum ag_status translate_again(struct ag_plugins *plugins, uint32_t slot_id)
{
    struct ag_store_slot slot;
    uint32_t scratch_size;
    enum ag_status status = ag_store_get_slot(plugins->store, slot_id, &slot);
    if (status != AG_OK)
        return status;
    void *scratch = take_scratch(plugins, &scratch_size);
    if (!scratch)
        return AG_ERR_FILE_MEMORY;
    uint32_t code_size = slot.code_size;
    ag_board_note_running(slot_id); // a reset in it counts as one in its runs
    do {
        status = translate_into(plugins, slot_id, code_size, scratch, scratch_size);
        code_size = 2 * code_size + CODE_EXTRA;
    } while (status == AG_ERR_STORE_FULL && code_size / CODE_FACTOR_MAX <= slot.file_size);
    ag_board_note_running(0);
    ag_ram_give(&plugins->ram, scratch);
    return status;
}

static enum ag_status open_code(struct ag_plugins *plugins, uint32_t slot_id, const uint8_t *file,
                                size_t file_size, struct ag_wasm_image *image)
{
    const uint8_t *code;
    size_t code_size;
    enum ag_status status = ag_store_open_code(plugins->store, slot_id, &code, &code_size);
    if (status != AG_OK)
        return status;
    status = ag_wasm_image_open(image, file, (uint32_t)file_size, code, (uint32_t)code_size);
    return status == AG_OK ? ag_wasm_image_resolve(image, ag_instance_resolve, NULL) : status;
}

// File and code of a slot in place. Every byte of both was proven or made here before the slot was
// sealed, and is covered by the store's checksum since.
static enum ag_status open_image(struct ag_plugins *plugins, uint32_t slot_id,
                                 struct ag_wasm_image *image)
{
    const uint8_t *file;
    size_t file_size;
    enum ag_status status = ag_store_open_file(plugins->store, slot_id, &file, &file_size);
    if (status != AG_OK)
        return status;
    status = open_code(plugins, slot_id, file, file_size, image);
    if (status != AG_ERR_STORE_DAMAGED && status != AG_ERR_WASM_STALE)
        return status;
    status = translate_again(plugins, slot_id);
    if (status == AG_OK) // it may have moved
        status = ag_store_open_file(plugins->store, slot_id, &file, &file_size);
    return status == AG_OK ? open_code(plugins, slot_id, file, file_size, image) : status;
}

// The metadata of a file that was proven when it was installed: found again without its signature,
// whose key may have left the trust store since.
static enum ag_status read_metadata(const struct ag_wasm_image *image,
                                    struct ag_plugin_metadata *metadata)
{
    struct ag_reader reader;
    struct ag_section section;
    ag_reader_init(&reader, image->module, image->module_size);
    enum ag_status status = ag_sections_begin(&reader);
    for (int i = 0; status == AG_OK && i < 2; i++) // the signature, then the metadata
        status = ag_sections_next(&reader, &section);
    if (status != AG_OK)
        return status;
    if (!ag_sections_is(&section, AG_SECTIONS_METADATA))
        return AG_ERR_FILE_METADATA;
    return ag_metadata_read(section.payload, section.payload_size, metadata);
}

// What the instance takes of the block, and its own data before it. A module may say that it needs
// nearly all that 32 bits can count.
static enum ag_status measure(const struct ag_wasm_image *image,
                              const struct ag_plugin_metadata *metadata, uint32_t *data_ram,
                              uint32_t *size)
{
    *data_ram = ag_instance_data_ram(metadata);
    const enum ag_status status = ag_instance_size(image, metadata->stack_size, size);
    if (status != AG_OK)
        return status;
    return *size > UINT32_MAX - *data_ram ? AG_ERR_FILE_MEMORY : AG_OK;
}

enum ag_status ag_plugins_check(struct ag_plugins *plugins, uint32_t slot_id,
                                const struct ag_plugin *plugin)
{
    struct ag_wasm_image image;
    struct ag_plugin_metadata metadata;
    uint32_t data_ram;
    uint32_t size;
    enum ag_status status = open_image(plugins, slot_id, &image);
    if (status == AG_OK)
        status = ag_instance_check_exports(&image);
    if (status == AG_OK)
        status = read_metadata(&image, &metadata);
    if (status == AG_OK)
        status = measure(&image, &metadata, &data_ram, &size);
    if (status != AG_OK)
        return status;
    return data_ram + size > ag_plugins_room(plugins, plugin) ? AG_ERR_FILE_MEMORY : AG_OK;
}

static void take_terms(const struct ag_plugin_metadata *metadata, struct ag_criteria_terms *terms)
{
    memset(terms, 0, sizeof *terms);
    terms->has_runs = metadata->trial_runs != 0;
    terms->runs = metadata->trial_runs;
    terms->has_time = metadata->trial_ms != 0;
    terms->time_ms = metadata->trial_ms;
    terms->has_hub = (metadata->trial_flags & AG_TRIAL_HUB) != 0;
    terms->needs_hub = terms->has_hub;
}

enum ag_status ag_plugins_trial_terms(struct ag_plugins *plugins, uint32_t slot_id,
                                      struct ag_criteria_terms *terms)
{
    struct ag_wasm_image image;
    struct ag_plugin_metadata metadata;
    enum ag_status status = open_image(plugins, slot_id, &image);
    if (status == AG_OK)
        status = read_metadata(&image, &metadata);
    if (status != AG_OK)
        return status;
    take_terms(&metadata, terms);
    return AG_OK;
}

void ag_plugins_running_terms(const struct ag_plugin *plugin, struct ag_criteria_terms *terms)
{
    struct ag_plugin_metadata metadata = { 0 };
    (void)!read_metadata(&plugin->instance.image, &metadata); // it was read when it started
    take_terms(&metadata, terms);
}

// ---- Running -----------------------------------------------------------------------------------

uint32_t ag_plugins_period(const struct ag_plugins *plugins, const struct ag_plugin *plugin,
                           const struct ag_desired_entry *options)
{
    if (options && options->period_ms != 0)
        return options->period_ms;
    return plugin->file_period_ms ? plugin->file_period_ms : plugins->default_period_ms;
}

static uint64_t fuel_of(const struct ag_plugins *plugins, const struct ag_plugin_metadata *metadata,
                        const struct ag_desired_entry *options)
{
    if (options && options->fuel_per_run != 0)
        return options->fuel_per_run;
    return metadata->fuel_per_run ? metadata->fuel_per_run : plugins->default_fuel;
}

// ---- Own data ----------------------------------------------------------------------------------

static struct ag_data_line line_of(const struct ag_plugin *plugin)
{
    return (struct ag_data_line){ .name = plugin->name,
                                  .current = plugin->current.id,
                                  .previous = plugin->previous.id,
                                  .next = plugin->next.id };
}

void ag_plugins_forget_data(struct ag_plugins *plugins, const struct ag_plugin *plugin)
{
    const struct ag_data_line line = line_of(plugin);
    (void)!ag_data_store_clean(plugins->store, &line); // at worst when a version goes on trial
}

// What the version finds, at the start of its block.
static enum ag_status load_data(struct ag_plugins *plugins, struct ag_plugin *plugin,
                                uint32_t slot_id, uint32_t data_size)
{
    const struct ag_data_line line = line_of(plugin);
    return ag_data_store_load(plugins->store, &line, slot_id,
                              ag_data_init(plugin->block, data_size));
}

// Writes what the plug-in has changed, if it did.
static void write_data(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    static const char text[] = "its own data cannot be stored as yet";
    const struct ag_data_line line = line_of(plugin);
    struct ag_data *data = plugin->instance.options.data;
    if (!data || !data->is_changed)
        return;
    const bool was_told = data->is_told;
    data->is_told = ag_data_store_save(plugins->store, &line, data) != AG_OK;
    if (data->is_told && !was_told)
        ag_board_log(AG_LOG_WARNING, plugin->name, text, sizeof text - 1);
}

// A call has ended: what it changed goes to flash, if that was not done too often of late. Writes
// spread evenly would be done at data_ms; AG_CFG_DATA_BURST of them may be ahead of that.
static void save_data(struct ag_plugins *plugins, struct ag_plugin *plugin, uint64_t now_ms)
{
    const uint64_t ahead_ms = (uint64_t)(AG_CFG_DATA_BURST - 1) * AG_CFG_DATA_INTERVAL_MS;
    const struct ag_data *data = plugin->instance.options.data;
    if (!data || !data->is_changed || plugin->data_ms > now_ms + ahead_ms)
        return;
    plugin->data_ms =
        (plugin->data_ms > now_ms ? plugin->data_ms : now_ms) + AG_CFG_DATA_INTERVAL_MS;
    write_data(plugins, plugin);
}

// ---- Settings ----------------------------------------------------------------------------------

static uint32_t running_slot(const struct ag_plugin *plugin)
{
    return plugin->is_trial ? plugin->next.id : plugin->current.id;
}

enum ag_status ag_plugins_schema(const struct ag_plugins *plugins, const struct ag_plugin *plugin,
                                 uint32_t slot_id, const uint8_t **schema, uint32_t *size)
{
    if (plugin->phase != AG_PLUGIN_DOWN && slot_id == running_slot(plugin)) {
        *schema = plugin->instance.options.schema;
        *size = plugin->instance.options.schema_size;
        return AG_OK;
    }
    struct ag_wasm_image image;
    struct ag_plugin_metadata metadata;
    size_t file_size;
    enum ag_status status = ag_store_open_file(plugins->store, slot_id, &image.module, &file_size);
    if (status != AG_OK)
        return status;
    image.module_size = (uint32_t)file_size;
    status = read_metadata(&image, &metadata);
    *schema = status == AG_OK ? metadata.schema : NULL;
    *size = status == AG_OK ? metadata.schema_size : 0;
    return status;
}

const struct ag_schema_fault *ag_plugins_fault(const struct ag_plugins *plugins,
                                               const struct ag_plugin *plugin)
{
    for (uint32_t i = 0; i < AG_CFG_FAULT_MAX; i++)
        if (plugins->faults[i].plugin == plugin)
            return &plugins->faults[i].fault;
    return NULL;
}

void ag_plugins_set_fault(struct ag_plugins *plugins, const struct ag_plugin *plugin,
                          const struct ag_schema_fault *fault)
{
    struct ag_plugin_fault *place = find_fault(plugins, plugin);
    if (!place)
        place = find_fault(plugins, NULL);
    if (!place)
        place = &plugins->faults[plugins->faults_set++ % AG_CFG_FAULT_MAX];
    place->plugin = plugin;
    place->fault = *fault;
}

// The settings for what runs, or is to. They were judged when they came; after a fallback, they may
// be those of another version.
static struct ag_text sound_settings(const struct ag_plugin *plugin,
                                     const struct ag_desired_entry *options, const uint8_t *schema,
                                     uint32_t schema_size)
{
    static const char text[] = "runs without its settings, which its schema refuses";
    const struct ag_text none = { NULL, 0 };
    const struct ag_text settings =
        options ? ag_desired_settings(options, running_slot(plugin)) : none;
    struct ag_schema_fault fault;
    if (settings.size == 0 || ag_schema_judge(schema, schema_size, settings, &fault) == AG_OK)
        return settings;
    ag_board_log(AG_LOG_WARNING, plugin->name, text, sizeof text - 1);
    return none;
}

// ---- Instances ---------------------------------------------------------------------------------

static enum ag_status make_instance(struct ag_plugins *plugins, struct ag_plugin *plugin,
                                    const struct ag_desired_entry *options)
{
    struct ag_wasm_image image;
    struct ag_plugin_metadata metadata;
    uint32_t data_ram;
    uint32_t size;
    const uint32_t slot_id = running_slot(plugin);
    enum ag_status status = open_image(plugins, slot_id, &image);
    if (status == AG_OK)
        status = read_metadata(&image, &metadata);
    if (status == AG_OK)
        status = measure(&image, &metadata, &data_ram, &size);
    if (status != AG_OK)
        return status;
    plugin->block = ag_ram_take(&plugins->ram, data_ram + size);
    if (!plugin->block)
        return AG_ERR_FILE_MEMORY;
    if (data_ram > 0)
        status = load_data(plugins, plugin, slot_id, metadata.data_size);
    if (status != AG_OK)
        return status;
    plugin->file_period_ms = metadata.period_ms;
    struct ag_instance_options made = { .name = plugin->name,
                                        .owner = (uint8_t)(index_of(plugins, plugin) + 1),
                                        .fuel_per_run = fuel_of(plugins, &metadata, options),
                                        .data = data_ram > 0 ? plugin->block : NULL,
                                        .services = &plugins->services };
    made.schema = metadata.schema;
    made.schema_size = metadata.schema_size;
    made.settings = sound_settings(plugin, options, metadata.schema, metadata.schema_size);
    return ag_instance_make(&plugin->instance, (uint8_t *)plugin->block + data_ram, size, &image,
                            metadata.stack_size, &made);
}

// A slice of the call in progress. The board remembers whose it is: a reset in it is told of at the
// next start.
static enum ag_status run_slice(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    ag_board_note_running(plugin->is_trial ? plugin->next.id : plugin->current.id);
    enum ag_status status = ag_instance_run(&plugin->instance, plugins->slice_fuel);
    ag_board_note_running(0);
    return status;
}

static void drop_instance(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    ag_schedule_remove(&plugins->schedule, index_of(plugins, plugin));
    ag_ram_give(&plugins->ram, plugin->block);
    plugin->block = NULL;
    plugin->instance.options.data = NULL;
    plugin->phase = AG_PLUGIN_DOWN;
    plugin->settings_changed = false;
    plugin->method = AG_PLUGIN_NO_METHOD;
}

enum ag_status ag_plugins_start(struct ag_plugins *plugins, struct ag_plugin *plugin, bool is_trial,
                                const struct ag_desired_entry *options, uint64_t now_ms)
{
    ag_plugins_stop(plugins, plugin, false);
    plugin->is_trial = is_trial;
    plugin->runs = 0;
    plugin->made_ms = now_ms;
    plugin->is_failing = false;
    plugin->health = AG_CRITERIA_HEALTH_UNKNOWN;
    plugin->hub_was_asked = false;
    const struct ag_data_line line = line_of(plugin);
    enum ag_status status = AG_OK;
    if (is_trial)
        status = ag_data_store_clean(plugins->store, &line);
    if (status == AG_OK)
        status = make_instance(plugins, plugin, options);
    if (status == AG_OK)
        status = ag_instance_begin(&plugin->instance, AG_ABI_INITIALIZE);
    if (status != AG_OK) {
        drop_instance(plugins, plugin);
        return status;
    }
    plugin->phase = AG_PLUGIN_INITIALIZING;
    ag_schedule_add(&plugins->schedule, index_of(plugins, plugin),
                    ag_plugins_period(plugins, plugin, options), now_ms);
    return AG_OK;
}

void ag_plugins_stop(struct ag_plugins *plugins, struct ag_plugin *plugin, bool release_pins)
{
    // Not what a call in progress has changed by half: that counts as if the power had gone.
    const bool is_busy = plugin->instance.is_busy;
    if (!is_busy)
        write_data(plugins, plugin);
    // One slice to say good-bye in, between two runs only.
    if (plugin->phase == AG_PLUGIN_RUNNING && !is_busy &&
        ag_instance_begin(&plugin->instance, AG_ABI_SHUTDOWN) == AG_OK &&
        run_slice(plugins, plugin) == AG_OK)
        write_data(plugins, plugin);
    drop_instance(plugins, plugin);
    if (release_pins)
        ag_pins_release(&plugins->pins, (uint8_t)(index_of(plugins, plugin) + 1));
}

void ag_plugins_set_options(struct ag_plugins *plugins, struct ag_plugin *plugin,
                            const struct ag_desired_entry *options, bool settings_changed)
{
    if (plugin->phase == AG_PLUGIN_DOWN)
        return;
    const struct ag_instance_options *own = &plugin->instance.options;
    struct ag_plugin_metadata metadata;
    ag_instance_set_settings(&plugin->instance,
                             sound_settings(plugin, options, own->schema, own->schema_size));
    if (read_metadata(&plugin->instance.image, &metadata) == AG_OK) // as when it was started
        plugin->instance.options.fuel_per_run = fuel_of(plugins, &metadata, options);
    ag_schedule_set_period(&plugins->schedule, index_of(plugins, plugin),
                           ag_plugins_period(plugins, plugin, options));
    if (settings_changed && plugin->instance.exports[AG_ABI_ON_SETTINGS] != AG_INSTANCE_NO_EXPORT) {
        plugin->settings_changed = true;
        ag_schedule_suspended(&plugins->schedule, index_of(plugins, plugin));
    }
}

enum ag_status ag_plugins_call_method(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    if (plugin->phase == AG_PLUGIN_DOWN)
        return AG_ERR_METHOD_DOWN;
    if (plugin->instance.exports[AG_ABI_ON_METHOD] == AG_INSTANCE_NO_EXPORT)
        return AG_ERR_METHOD_UNKNOWN;
    plugin->method = AG_PLUGIN_METHOD_DUE;
    ag_schedule_suspended(&plugins->schedule, index_of(plugins, plugin));
    return AG_OK;
}

// Begins the call that this turn is for.
static enum ag_status begin_turn(struct ag_plugin *plugin)
{
    if (plugin->settings_changed) {
        plugin->settings_changed = false;
        plugin->phase = AG_PLUGIN_SETTLING;
        return ag_instance_begin(&plugin->instance, AG_ABI_ON_SETTINGS);
    }
    if (plugin->health == AG_CRITERIA_HEALTH_ASKED) {
        plugin->phase = AG_PLUGIN_EXAMINING;
        return ag_instance_begin(&plugin->instance, AG_ABI_HEALTHY);
    }
    if (plugin->method == AG_PLUGIN_METHOD_DUE && plugin->phase == AG_PLUGIN_RUNNING) {
        plugin->method = AG_PLUGIN_METHOD_RUNNING;
        plugin->phase = AG_PLUGIN_ANSWERING;
        return ag_instance_begin(&plugin->instance, AG_ABI_ON_METHOD);
    }
    return ag_instance_begin(&plugin->instance, AG_ABI_EXECUTE);
}

// A call is done: what it was decides about the next turn.
static enum ag_plugin_outcome end_turn(struct ag_plugins *plugins, struct ag_plugin *plugin,
                                       uint64_t now_ms)
{
    uint32_t index = index_of(plugins, plugin);
    enum ag_plugin_outcome outcome = AG_PLUGIN_WENT_ON;
    if (plugin->phase == AG_PLUGIN_RUNNING) {
        if (plugin->runs < UINT32_MAX)
            plugin->runs++;
        ag_schedule_done(&plugins->schedule, index, now_ms);
        outcome = AG_PLUGIN_RAN;
    } else { // initialize, on_settings, healthy or on_method: execute is due when it was
        if (plugin->phase == AG_PLUGIN_EXAMINING)
            plugin->health = AG_CRITERIA_HEALTH_WELL;
        if (plugin->method == AG_PLUGIN_METHOD_RUNNING)
            plugin->method = AG_PLUGIN_METHOD_DONE;
        plugin->phase = AG_PLUGIN_RUNNING;
        ag_schedule_rest(&plugins->schedule, index);
    }
    save_data(plugins, plugin, now_ms);
    if (plugin->settings_changed || plugin->health == AG_CRITERIA_HEALTH_ASKED ||
        plugin->method == AG_PLUGIN_METHOD_DUE)
        ag_schedule_suspended(&plugins->schedule, index);
    return outcome;
}

// Where the call that trapped last did so. The instance may be gone, and better is: its RAM serves.
static struct ag_wasm_place find_place(struct ag_plugins *plugins, const struct ag_plugin *plugin)
{
    struct ag_wasm_place place = { AG_PLUGIN_NOWHERE, 0 };
    const struct ag_instance *instance = &plugin->instance;
    if (instance->stopped_at == 0)
        return place;
    uint32_t size;
    void *scratch = take_scratch(plugins, &size);
    // What is not found out stays as it is: the report then says less.
    (void)!ag_wasm_find_place(&instance->image, instance->stopped_at, scratch, scratch ? size : 0,
                              &place);
    ag_ram_give(&plugins->ram, scratch);
    return place;
}

enum ag_plugin_outcome ag_plugins_turn(struct ag_plugins *plugins, uint64_t now_ms,
                                       struct ag_plugin_turn *turn)
{
    *turn = (struct ag_plugin_turn){ .status = AG_OK, .place = { AG_PLUGIN_NOWHERE, 0 } };
    uint32_t index = ag_schedule_next(&plugins->schedule, now_ms);
    if (index == AG_SCHEDULE_NONE)
        return AG_PLUGIN_WENT_ON;
    struct ag_plugin *plugin = &plugins->plugins[index];
    turn->plugin = plugin;
    if (!plugin->instance.is_busy)
        turn->status = begin_turn(plugin);
    if (turn->status == AG_OK)
        turn->status = run_slice(plugins, plugin);
    if (turn->status == AG_OK)
        return end_turn(plugins, plugin, now_ms);
    if (turn->status == AG_ERR_AGAIN) {
        ag_schedule_suspended(&plugins->schedule, index);
        turn->status = AG_OK;
        return AG_PLUGIN_WENT_ON;
    }
    drop_instance(plugins, plugin);
    turn->place = find_place(plugins, plugin);
    return AG_PLUGIN_FAILED;
}

void ag_plugins_ask_health(struct ag_plugins *plugins, struct ag_plugin *plugin)
{
    if (plugin->instance.exports[AG_ABI_HEALTHY] == AG_INSTANCE_NO_EXPORT) {
        plugin->health = AG_CRITERIA_HEALTH_NONE;
        return;
    }
    plugin->health = AG_CRITERIA_HEALTH_ASKED;
    ag_schedule_suspended(&plugins->schedule, index_of(plugins, plugin));
}

uint32_t ag_plugins_room(const struct ag_plugins *plugins, const struct ag_plugin *plugin)
{
    return ag_ram_largest(&plugins->ram, plugin ? plugin->block : NULL);
}
