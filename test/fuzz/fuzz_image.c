// SPDX-License-Identifier: Apache-2.0
// Fuzz target of a damaged code image. The input is a number of changes, the changes (u16 unit, u16
// value, modulo the image) and a module: its image is changed, and what still opens is run.
#include <stdlib.h>

#include "fuzz.h"
#include "wasm/wasm.h"

#define IMAGE_MAX (1u << 20)
#define BLOCK_MAX (1u << 20)

struct image {
    uint8_t *bytes;
    uint32_t size;
};

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    struct image *image = context;
    if (size > IMAGE_MAX - image->size)
        return AG_ERR_NO_SPACE;
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
    return AG_OK;
}

// The number of a host function says how many slots it uses.
static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    if (import->type.kind != AG_WASM_FUNCTION || import->type.function.param_count > 100)
        return AG_ERR_WASM_IMPORT;
    *id = (uint16_t)import->type.function.param_count;
    return AG_OK;
}

static enum ag_status call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                           uint32_t *slots)
{
    (void)context;
    (void)instance;
    for (uint32_t i = 0; i < id; i++)
        slots[i]++;
    return AG_OK;
}

static void run(const struct ag_wasm_image *image)
{
    static const uint32_t args[64] = { 5, 1 };
    const struct ag_wasm_instance_options options = { .stack_size = 512, .call = call };
    struct ag_wasm_instance *instance;
    struct ag_wasm_extern type;
    uint32_t size;
    if (ag_wasm_instance_size(image, &options, &size) != AG_OK || size > BLOCK_MAX)
        return;
    void *block = malloc(size);
    FUZZ_CHECK(block);
    if (ag_wasm_instance_make(block, size, image, &options, &instance) == AG_OK) {
        for (uint32_t i = 0;
             i < 64 && ag_wasm_image_type(image, AG_WASM_FUNCTION, i, &type) == AG_OK; i++) {
            for (uint32_t count = 0; count < 4; count++) {
                if (ag_wasm_begin(instance, i, args, count) == AG_OK)
                    (void)!ag_wasm_run(instance, 1000);
            }
        }
    }
    free(block);
}

static void change(struct image *image, const uint8_t *changes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, changes += 4) {
        const uint32_t unit = (changes[0] | (uint32_t)changes[1] << 8) % (image->size / 2);
        memcpy(image->bytes + unit * 2, changes + 2, 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH];
    const uint32_t count = size > 0 ? bytes[0] % 16u : 0;
    if (size < 1 + count * 4)
        return 0;
    const uint8_t *module = bytes + 1 + count * 4;
    const uint32_t module_size = (uint32_t)(size - 1 - count * 4);
    static uint8_t room[IMAGE_MAX];
    struct image made = { room, 0 };
    const struct ag_wasm_translation how = { append, resolve, &made, scratch, sizeof scratch };
    struct ag_wasm_report report;
    struct ag_wasm_image image;
    if (ag_wasm_translate(module, module_size, &how, &report) != AG_OK)
        return 0;
    struct image exact = { malloc(made.size), made.size };
    FUZZ_CHECK(exact.bytes);
    memcpy(exact.bytes, made.bytes, made.size);
    FUZZ_CHECK(ag_wasm_image_open(&image, module, module_size, exact.bytes, exact.size) == AG_OK);
    FUZZ_CHECK(ag_wasm_image_resolve(&image, resolve, NULL) == AG_OK);
    change(&exact, bytes + 1, count);
    if (ag_wasm_image_open(&image, module, module_size, exact.bytes, exact.size) == AG_OK &&
        ag_wasm_image_resolve(&image, resolve, NULL) == AG_OK)
        run(&image);
    free(exact.bytes);
    return 0;
}
