// SPDX-License-Identifier: Apache-2.0
// Runs kernels on the engine. Compiled once for each engine: BENCH_PLAYER is the table's name.
#include "bench/player.h"

#include <stdlib.h>
#include <string.h>

#include "wasm/wasm.h"

enum {
    STACK_SIZE = 65536,
    SCRATCH_SIZE = 65536,
    IMAGE_FACTOR = 8, // room for the image, as a multiple of the module
    IMAGE_EXTRA = 4096,
};

struct bench_play {
    struct ag_wasm_image image;
    struct ag_wasm_instance *instance;
    uint8_t *code; // owned
    void *block;   // owned
    uint32_t code_size;
    uint32_t code_capacity;
    uint32_t function;
};

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    struct bench_play *play = context;
    if (size > play->code_capacity - play->code_size)
        return AG_ERR_NO_SPACE;
    memcpy(play->code + play->code_size, bytes, size);
    play->code_size += size;
    return AG_OK;
}

static enum ag_status refuse_import(void *context, const struct ag_wasm_import *import,
                                    uint16_t *id)
{
    (void)context, (void)import, (void)id;
    return AG_ERR_WASM_IMPORT;
}

static void close_play(struct bench_play *play)
{
    if (!play)
        return;
    free(play->block);
    free(play->code);
    free(play);
}

static enum ag_status translate(struct bench_play *play, const uint8_t *module, size_t size)
{
    struct ag_wasm_report report;
    struct ag_wasm_translation how = {
        .write = write_code,
        .resolve = refuse_import,
        .context = play,
        .scratch = malloc(SCRATCH_SIZE),
        .scratch_size = SCRATCH_SIZE,
    };
    play->code_capacity = (uint32_t)size * IMAGE_FACTOR + IMAGE_EXTRA;
    play->code = malloc(play->code_capacity);
    enum ag_status status = AG_ERR_NO_SPACE;
    if (how.scratch && play->code)
        status = ag_wasm_translate(module, (uint32_t)size, &how, &report);
    free(how.scratch);
    return status;
}

static enum ag_status instantiate(struct bench_play *play)
{
    const struct ag_wasm_instance_options options = { .stack_size = STACK_SIZE };
    uint32_t size;
    enum ag_status status = ag_wasm_instance_size(&play->image, &options, &size);
    if (status != AG_OK)
        return status;
    play->block = malloc(size);
    if (!play->block)
        return AG_ERR_NO_SPACE;
    return ag_wasm_instance_make(play->block, size, &play->image, &options, &play->instance);
}

static enum ag_status open_play(const uint8_t *module, size_t size, const char *entry,
                                struct bench_play **out)
{
    struct bench_play *play = calloc(1, sizeof *play);
    if (!play)
        return AG_ERR_NO_SPACE;
    enum ag_status status = translate(play, module, size);
    if (status == AG_OK)
        status =
            ag_wasm_image_open(&play->image, module, (uint32_t)size, play->code, play->code_size);
    if (status == AG_OK)
        status = instantiate(play);
    if (status == AG_OK)
        status = ag_wasm_image_export(&play->image, entry, (uint32_t)strlen(entry),
                                      AG_WASM_FUNCTION, &play->function);
    if (status == AG_OK)
        *out = play;
    else
        close_play(play);
    return status;
}

static enum ag_status run(struct bench_play *play, uint32_t rounds, uint32_t *result)
{
    enum ag_status status = ag_wasm_begin(play->instance, play->function, &rounds, 1);
    if (status != AG_OK)
        return status;
    do
        status = ag_wasm_run(play->instance, INT32_MAX);
    while (status == AG_ERR_AGAIN);
    if (status == AG_OK)
        *result = ag_wasm_results(play->instance)[0];
    return status;
}

static uint64_t fuel(const struct bench_play *play)
{
    return ag_wasm_fuel_used(play->instance);
}

const struct bench_player BENCH_PLAYER = { open_play, run, fuel, close_play };
