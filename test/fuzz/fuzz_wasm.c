// SPDX-License-Identifier: Apache-2.0
// Fuzz target of src/wasm. The input is a module: it is translated, and what is accepted is opened,
// instantiated and run, every export that is a function, with bounded fuel and memory.
//
// Two instances play the same: one in long runs, one suspended all the time; they must agree in
// everything that can be told. A module is also translated with the least scratch: it may be too
// little, but never gives another image.
#include <stdlib.h>

#include "fuzz.h"
#include "wasm/wasm.h"

#define FUEL        20000u // a call that needs more is given up, and with it the module
#define BLOCK_MAX   (4u << 20)
#define EXPORTS_MAX 64u
#define ARGS_MAX    64u

struct image {
    uint8_t *bytes;
    uint32_t size;
    uint32_t capacity;
};

// One of the two players of a module.
struct player {
    void *block;
    struct ag_wasm_instance *instance;
    uint32_t slice;
    uint32_t host_calls;
    bool is_patient; // its host functions ask to be called again each second time
};

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    struct image *image = context;
    if (size > image->capacity - image->size) {
        image->capacity = (image->capacity + size) * 2;
        image->bytes = realloc(image->bytes, image->capacity);
        FUZZ_CHECK(image->bytes);
    }
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
    return AG_OK;
}

static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    uint8_t last = 0;
    (void)context;
    if (import->type.kind != AG_WASM_FUNCTION)
        return AG_ERR_WASM_IMPORT;
    for (uint32_t i = 0; i < import->field.size; i++)
        last = (uint8_t)import->field.text[i]; // every byte is read
    *id = last;
    return AG_OK;
}

static enum ag_status call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                           uint32_t *slots)
{
    struct player *player = context;
    void *bytes;
    if (player->is_patient && player->host_calls++ % 2 == 0)
        return AG_ERR_AGAIN;
    (void)slots;
    if (ag_wasm_memory_at(instance, id, 4, &bytes) == AG_OK)
        memcpy(bytes, &id, sizeof id);
    return id == 'T' ? AG_TRAP_HOST : AG_OK;
}

static enum ag_status translate(const uint8_t *module, uint32_t size, uint32_t scratch_size,
                                struct image *image, struct ag_wasm_report *report)
{
    void *scratch = malloc(scratch_size);
    FUZZ_CHECK(scratch);
    const struct ag_wasm_translation how = { append, resolve, image, scratch, scratch_size };
    image->size = 0;
    const enum ag_status status = ag_wasm_translate(module, size, &how, report);
    FUZZ_CHECK(report->scratch_used <= scratch_size);
    FUZZ_CHECK(status == AG_OK || report->offset <= size);
    FUZZ_CHECK(status != AG_OK || report->image_size == image->size);
    free(scratch);
    return status;
}

// Whether the module is accepted; its image in a block of its own size then.
static bool make_image(const uint8_t *module, uint32_t size, struct image *image)
{
    struct ag_wasm_report report;
    struct image small = { 0 };
    const enum ag_status status = translate(module, size, AG_WASM_SCRATCH, image, &report);
    const enum ag_status small_status =
        translate(module, size, AG_WASM_SCRATCH_MIN, &small, &report);
    FUZZ_CHECK(small_status == status || small_status == AG_ERR_WASM_LIMIT);
    if (small_status == AG_OK)
        FUZZ_CHECK(small.size == image->size && memcmp(small.bytes, image->bytes, small.size) == 0);
    free(small.bytes);
    if (status == AG_OK) {
        image->bytes = realloc(image->bytes, image->size);
        FUZZ_CHECK(image->bytes);
    }
    return status == AG_OK;
}

static enum ag_status make_player(struct player *player, const struct ag_wasm_image *image)
{
    const struct ag_wasm_instance_options options = {
        .stack_size = 2048,
        .memory_capacity = 1 << 16,
        .table_capacity = 16,
        .call = call,
        .context = player,
    };
    uint32_t size;
    enum ag_status status = ag_wasm_instance_size(image, &options, &size);
    if (status != AG_OK || size > BLOCK_MAX)
        return AG_ERR_WASM_MEMORY;
    player->block = malloc(size);
    FUZZ_CHECK(player->block);
    return ag_wasm_instance_make(player->block, size, image, &options, &player->instance);
}

static enum ag_status run(struct player *player)
{
    const uint64_t end = ag_wasm_fuel_used(player->instance) + FUEL;
    enum ag_status status;
    do {
        status = ag_wasm_run(player->instance, player->slice);
    } while (status == AG_ERR_AGAIN && ag_wasm_fuel_used(player->instance) < end);
    return status;
}

static void check_place(const struct ag_wasm_instance *instance, uint32_t module_size)
{
    struct ag_wasm_place place;
    void *scratch = malloc(AG_WASM_SCRATCH);
    FUZZ_CHECK(scratch);
    if (ag_wasm_find_place(instance->image, ag_wasm_stopped_at(instance), scratch, AG_WASM_SCRATCH,
                           &place) == AG_OK)
        FUZZ_CHECK(place.offset < module_size);
    free(scratch);
}

static void check_memories(const struct player *a, const struct player *b)
{
    const struct ag_wasm_memory *one = a->instance->memory;
    const struct ag_wasm_memory *other = b->instance->memory;
    if (!one)
        return;
    FUZZ_CHECK(one->size == other->size);
    FUZZ_CHECK(one->size == 0 || memcmp(one->base, other->base, one->size) == 0);
}

// Plays what was begun by both; false when it takes too long to be compared.
static bool play(struct player players[2], const struct ag_wasm_function_type *type)
{
    const enum ag_status status = run(&players[0]);
    const enum ag_status other = run(&players[1]);
    uint32_t slots = 0;
    if (status == AG_ERR_AGAIN || other == AG_ERR_AGAIN)
        return false;
    FUZZ_CHECK(status == other);
    FUZZ_CHECK(ag_wasm_fuel_used(players[0].instance) == ag_wasm_fuel_used(players[1].instance));
    check_memories(&players[0], &players[1]);
    if (status != AG_OK) {
        check_place(players[0].instance, players[0].instance->image->module_size);
        return true;
    }
    for (uint32_t i = 0; i < type->result_count; i++)
        slots += type->results[i] == AG_WASM_I64 || type->results[i] == AG_WASM_F64 ? 2 : 1;
    FUZZ_CHECK(memcmp(ag_wasm_results(players[0].instance), ag_wasm_results(players[1].instance),
                      slots * sizeof(uint32_t)) == 0);
    return true;
}

// Functions to call, by index.
struct exports {
    uint32_t indices[EXPORTS_MAX];
    uint32_t count;
};

static enum ag_status note_export(void *context, struct ag_wasm_name name, enum ag_wasm_kind kind,
                                  uint32_t index)
{
    struct exports *exports = context;
    (void)name;
    if (kind == AG_WASM_FUNCTION && exports->count < EXPORTS_MAX)
        exports->indices[exports->count++] = index;
    return AG_OK;
}

// Arguments are small numbers; references are null.
static uint32_t make_args(const struct ag_wasm_function_type *type, uint32_t *args)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < type->param_count; i++) {
        const uint8_t kind = type->params[i];
        if (count + 2 > ARGS_MAX)
            return UINT32_MAX;
        args[count++] = kind == AG_WASM_FUNCREF || kind == AG_WASM_EXTERNREF ? 0 : i * 3 + 1;
        if (kind == AG_WASM_I64 || kind == AG_WASM_F64)
            args[count++] = 0x3FF00000;
    }
    return count;
}

static void play_exports(struct player players[2], const struct ag_wasm_image *image)
{
    struct exports exports = { .count = 0 };
    uint32_t args[ARGS_MAX];
    FUZZ_CHECK(ag_wasm_image_each_export(image, note_export, &exports) == AG_OK);
    for (uint32_t i = 0; i < exports.count; i++) {
        struct ag_wasm_extern type;
        const uint32_t index = exports.indices[i];
        FUZZ_CHECK(ag_wasm_image_type(image, AG_WASM_FUNCTION, index, &type) == AG_OK);
        const uint32_t count = make_args(&type.function, args);
        if (count == UINT32_MAX)
            continue;
        const enum ag_status status = ag_wasm_begin(players[0].instance, index, args, count);
        FUZZ_CHECK(ag_wasm_begin(players[1].instance, index, args, count) == status);
        if (status == AG_OK && !play(players, &type.function))
            return;
    }
}

static void play_image(const struct ag_wasm_image *image, uint32_t slice)
{
    static const struct ag_wasm_function_type nothing;
    struct player players[2] = { { .slice = FUEL }, { .slice = slice, .is_patient = true } };
    const enum ag_status status = make_player(&players[0], image);
    FUZZ_CHECK(make_player(&players[1], image) == status);
    if (status == AG_OK) {
        const enum ag_status start = ag_wasm_begin_start(players[0].instance);
        FUZZ_CHECK(ag_wasm_begin_start(players[1].instance) == start);
        if (start != AG_OK || play(players, &nothing))
            play_exports(players, image);
    }
    free(players[0].block);
    free(players[1].block);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct image code = { 0 };
    struct ag_wasm_image image;
    uint8_t *module = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(module);
    if (size > 0)
        memcpy(module, bytes, size);
    if (make_image(module, (uint32_t)size, &code)) {
        FUZZ_CHECK(ag_wasm_image_open(&image, module, (uint32_t)size, code.bytes, code.size) ==
                   AG_OK);
        play_image(&image, 1 + module[size - 1] % 9);
    }
    free(code.bytes);
    free(module);
    return 0;
}
