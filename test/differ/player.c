// SPDX-License-Identifier: Apache-2.0
// Plays a module on the engine under test.
#include "player.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "wasm/wasm.h"

#define STACK_SIZE (1u << 18)

struct player {
    const struct cuts *cuts;
    struct random random;
    struct report *report;
    const struct report *whole;
    struct bytes code;
    struct ag_wasm_image image;
    struct ag_wasm_instance *instance;
    void *block;
    uint32_t asked; // how often the current import answered AG_ERR_AGAIN
};

__attribute__((format(printf, 2, 3))) static void say(struct player *player, const char *format,
                                                      ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bytes_put(&player->report->text, line, (uint32_t)size);
}

// "i32:1, i64:2", from slots.
static void say_values(struct player *player, const uint8_t *types, uint32_t count,
                       const uint32_t *slots)
{
    for (uint32_t i = 0; i < count; i++) {
        const bool is_wide = types[i] == AG_WASM_I64;
        say(player, "%s%s:%" PRIu64, i > 0 ? ", " : "", is_wide ? "i64" : "i32",
            is_wide ? ag_wasm_get_u64(slots) : *slots);
        slots += is_wide ? 2 : 1;
    }
}

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    struct player *player = context;
    bytes_put(&player->code, bytes, size);
    return AG_OK;
}

static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    *id = (uint16_t)(import->field.text[1] - '0');
    return AG_OK;
}

// Writes itself down and gives zero, once it has been asked often enough.
static enum ag_status call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                           uint32_t *slots)
{
    struct player *player = context;
    struct ag_wasm_extern type;
    if (player->asked++ < player->cuts->host_again)
        return AG_ERR_AGAIN;
    player->asked = 0;
    const enum ag_status status = ag_wasm_image_type(instance->image, AG_WASM_FUNCTION, id, &type);
    if (status != AG_OK)
        return status;
    say(player, "called host env.h%u(", id);
    say_values(player, type.function.params, type.function.param_count, slots);
    memset(slots, 0, type.function.result_count * sizeof(uint64_t));
    say(player, ") =>%s", type.function.result_count ? " " : "");
    say_values(player, type.function.results, type.function.result_count, slots);
    say(player, "\n");
    return AG_OK;
}

// The engine reads exactly the image's bytes: they move to a block of their own.
static enum ag_status translate(struct player *player, const struct bytes *module)
{
    static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
    struct ag_wasm_report report;
    const struct ag_wasm_translation how = { append, resolve, player, scratch, sizeof scratch };
    const enum ag_status status = ag_wasm_translate(module->at, module->size, &how, &report);
    if (status != AG_OK)
        return status;
    player->code.at = realloc(player->code.at, player->code.size);
    return ag_wasm_image_open(&player->image, module->at, module->size, player->code.at,
                              player->code.size);
}

static enum ag_status instantiate(struct player *player)
{
    const struct ag_wasm_instance_options options = {
        .stack_size = STACK_SIZE,
        .memory_capacity = 4 << 16,
        .table_capacity = 64,
        .call = call,
        .context = player,
    };
    uint32_t size;
    enum ag_status status = ag_wasm_instance_size(&player->image, &options, &size);
    if (status != AG_OK)
        return status;
    player->block = malloc(size);
    if (!player->block)
        return AG_ERR_NO_SPACE;
    memset(player->block, 0xA5, size);
    return ag_wasm_instance_make(player->block, size, &player->image, &options, &player->instance);
}

// Runs what was begun to its end, in slices, and counts its fuel. What does not end is given up,
// and differs by that.
static enum ag_status run(struct player *player)
{
    struct report *report = player->report;
    uint32_t slice = player->cuts->first;
    if (player->cuts->is_random)
        slice =
            1 + random_below(&player->random, (uint32_t)player->whole->fuel[report->call_count]);
    enum ag_status status = ag_wasm_run(player->instance, slice);
    uint64_t used = ag_wasm_fuel_used(player->instance);
    const uint64_t most = player->whole ? player->whole->fuel[report->call_count] + 1000 : UNCUT;
    while (status == AG_ERR_AGAIN && used - report->fuel_used < most) {
        status = ag_wasm_run(player->instance, player->cuts->slice);
        used = ag_wasm_fuel_used(player->instance);
    }
    if (report->call_count < sizeof report->fuel / sizeof report->fuel[0])
        report->fuel[report->call_count++] = used - report->fuel_used;
    report->fuel_used = used;
    report->trap_count += status != AG_OK;
    report->is_endless = report->is_endless || status == AG_ERR_AGAIN;
    return status;
}

static enum ag_status play_export(void *context, struct ag_wasm_name name, enum ag_wasm_kind kind,
                                  uint32_t index)
{
    struct player *player = context;
    struct ag_wasm_extern type;
    (void)kind;
    enum ag_status status = ag_wasm_image_type(&player->image, AG_WASM_FUNCTION, index, &type);
    if (status == AG_OK)
        status = ag_wasm_begin(player->instance, index, NULL, 0);
    if (status != AG_OK)
        return status;
    status = run(player);
    say(player, "%.*s() =>", (int)name.size, name.text);
    if (status != AG_OK)
        say(player, " %s", ag_status_name(status));
    else if (type.function.result_count > 0)
        say(player, " ");
    if (status == AG_OK)
        say_values(player, type.function.results, type.function.result_count,
                   ag_wasm_results(player->instance));
    say(player, "\n");
    return AG_OK;
}

static uint64_t hash(uint64_t start, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        start = (start ^ at[i]) * 0x100000001B3u;
    return start;
}

static uint64_t hash_state(const struct ag_wasm_instance *instance)
{
    const struct ag_wasm_memory *memory = instance->memory;
    const struct ag_wasm_table *table;
    struct ag_wasm_extern type;
    uint64_t state = hash(0xCBF29CE484222325u, memory->base, memory->size);
    for (uint32_t i = 0; (table = ag_wasm_table_at(instance, i)) != NULL; i++)
        state = hash(state, table->elements, table->size * sizeof table->elements[0]);
    for (uint32_t i = 0; ag_wasm_image_type(instance->image, AG_WASM_GLOBAL, i, &type) == AG_OK;
         i++) {
        // The bits of a NaN are the hardware's, but the same for the same instruction.
        const bool is_wide = type.value_type == AG_WASM_I64 || type.value_type == AG_WASM_F64;
        state = hash(state, ag_wasm_global_at(instance, i), is_wide ? 8 : 4);
    }
    return state;
}

static bool play(struct player *player, const struct bytes *module)
{
    enum ag_status status = translate(player, module);
    if (status == AG_OK)
        status = instantiate(player);
    if (status != AG_OK) {
        say(player, "refused: %s\n", ag_status_name(status));
        return false;
    }
    if (ag_wasm_begin_start(player->instance) == AG_OK) {
        status = run(player);
        if (status != AG_OK) {
            say(player, "start => %s\n", ag_status_name(status));
            return true;
        }
    }
    status = ag_wasm_image_each_export(&player->image, play_export, player);
    if (status != AG_OK) {
        say(player, "stopped: %s\n", ag_status_name(status));
        return false;
    }
    player->report->state = hash_state(player->instance);
    return true;
}

bool player_play(const struct bytes *module, const struct cuts *cuts, const struct report *whole,
                 struct report *report)
{
    struct player player = {
        .cuts = cuts, .random = cuts->random, .report = report, .whole = whole
    };
    const bool is_played = play(&player, module);
    free(player.block);
    bytes_clear(&player.code);
    return is_played;
}

void report_clear(struct report *report)
{
    bytes_clear(&report->text);
    memset(report, 0, sizeof *report);
}
