// SPDX-License-Identifier: Apache-2.0
// Modules from parts, and the engine around them.
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>

#define CODE_MAX (1u << 20)

uint32_t put_leb(uint8_t *at, uint32_t value)
{
    uint32_t size = 0;
    do {
        const uint8_t low = value & 0x7F;
        value >>= 7;
        at[size++] = (uint8_t)(value ? low | 0x80 : low);
    } while (value);
    return size;
}

void module_begin(struct module *module)
{
    memcpy(module->bytes, "\0asm\1\0\0", 8);
    module->size = 8;
}

void module_section(struct module *module, uint8_t id, const uint8_t *bytes, size_t size)
{
    CHECK(module->size + size + 6 <= sizeof module->bytes);
    module->bytes[module->size++] = id;
    module->size += put_leb(module->bytes + module->size, (uint32_t)size);
    memcpy(module->bytes + module->size, bytes, size);
    module->size += (uint32_t)size;
}

void module_of_function(struct module *module, const uint8_t *type, size_t type_size,
                        const uint8_t *body, size_t body_size)
{
    static uint8_t bytes[65536];
    module_begin(module);
    bytes[0] = 1;
    bytes[1] = 0x60;
    memcpy(bytes + 2, type, type_size);
    module_section(module, 1, bytes, type_size + 2);
    module_section(module, 3, BYTES(1, 0));
    module_section(module, 5, BYTES(1, 0, 1));
    module_section(module, 7, BYTES(1, 1, 'f', 0, 0));
    CHECK(body_size + 8 <= sizeof bytes);
    uint32_t size = 1;
    bytes[0] = 1;
    size += put_leb(bytes + size, (uint32_t)body_size);
    memcpy(bytes + size, body, body_size);
    module_section(module, 10, bytes, size + body_size);
}

void module_small(struct module *module)
{
    static const uint8_t first[] = {
        2,    1,    0x7E, 1,    0x7F,                               // locals: i64, i32
        0x03, 0x40, 0x20, 0,    0x41, 1,    0x6B, 0x22, 0,          // loop: count down
        0x41, 2,    0x4A, 0x0D, 0,    0x0B,                         // while above 2
        0x02, 0x7F, 0x20, 0,    0x20, 0,    0x0E, 1,    0, 0, 0x0B, // block with a branch table
        0x41, 4,    0x28, 2,    0,    0x6A,                         // add a word of memory
        0x41, 0,    0x11, 0,    0,                      // through the table into the host
        0x23, 0,    0x6A, 0x24, 0,    0x23, 0,    0x0B, // and a global
    };
    static const uint8_t second[] = {
        0, 0x42, 1, 0x44, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x0B,
    };
    uint8_t code[80] = { 2, sizeof first };
    memcpy(code + 2, first, sizeof first);
    code[2 + sizeof first] = sizeof second;
    memcpy(code + 3 + sizeof first, second, sizeof second);
    module_begin(module);
    module_section(module, 1, BYTES(2, 0x60, 1, 0x7F, 1, 0x7F, 0x60, 0, 2, 0x7E, 0x7C));
    module_section(module, 2, BYTES(1, 3, 'e', 'n', 'v', 1, 'g', 0, 0));
    module_section(module, 3, BYTES(2, 0, 1));
    module_section(module, 4, BYTES(1, 0x70, 1, 2, 4));
    module_section(module, 5, BYTES(1, 9, 0x80, 2, 0x80, 4, 0));
    module_section(module, 6, BYTES(2, 0x7F, 1, 0x41, 5, 0x0B, 0x7E, 0, 0x42, 0x7F, 0x0B));
    module_section(module, 7, BYTES(2, 1, 'f', 0, 1, 1, 'm', 2, 0));
    module_section(module, 9, BYTES(1, 0, 0x41, 0, 0x0B, 2, 0, 1));
    module_section(module, 12, BYTES(1));
    module_section(module, 10, code, 3 + sizeof first + sizeof second);
    module_section(module, 11, BYTES(1, 0, 0x41, 2, 0x0B, 4, 1, 2, 3, 4));
}

void module_read(struct module *module, const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    module->size = (uint32_t)fread(module->bytes, 1, sizeof module->bytes, file);
    fclose(file);
    CHECK(module->size > 8 && module->size < sizeof module->bytes);
}

void engine_clear(struct engine *engine)
{
    free(engine->module);
    free(engine->code);
    free(engine->scratch);
    free(engine->block);
    memset(engine, 0, sizeof *engine);
    engine->options.stack_size = 4096;
}

// Where an image grows; it is copied to a place of its exact size.
static uint8_t code_window[CODE_MAX];

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    struct engine *engine = context;
    if (size > CODE_MAX - engine->code_size)
        return AG_ERR_NO_SPACE;
    memcpy(code_window + engine->code_size, bytes, size);
    engine->code_size += size;
    return AG_OK;
}

// Offers functions of module "env" only.
enum ag_status engine_resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    if (import->type.kind != AG_WASM_FUNCTION || import->module.size != 3 ||
        memcmp(import->module.text, "env", 3) != 0)
        return AG_ERR_WASM_IMPORT;
    *id = 7;
    return AG_OK;
}

// Doubles its first argument, once it has been asked often enough.
static enum ag_status call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                           uint32_t *slots)
{
    struct engine *engine = context;
    (void)instance;
    CHECK_EQUAL(id, 7);
    engine->host_calls++;
    if (engine->host_again > 0) {
        engine->host_again--;
        return AG_ERR_AGAIN;
    }
    slots[0] *= 2;
    return engine->host_trap;
}

enum ag_status engine_translate(struct engine *engine, const uint8_t *module, uint32_t size)
{
    const uint32_t scratch_size = engine->scratch_size ? engine->scratch_size : AG_WASM_SCRATCH;
    free(engine->module);
    free(engine->code);
    free(engine->scratch);
    engine->module = malloc(size ? size : 1);
    engine->code = NULL;
    engine->scratch = malloc(scratch_size);
    CHECK(engine->module && engine->scratch);
    memcpy(engine->module, module, size);
    engine->code_size = 0;
    const struct ag_wasm_translation translation = { append,
                                                     engine->resolve ? engine->resolve
                                                                     : engine_resolve,
                                                     engine, engine->scratch, scratch_size };
    const enum ag_status status =
        ag_wasm_translate(engine->module, size, &translation, &engine->report);
    engine->code = malloc(engine->code_size ? engine->code_size : 1);
    CHECK(engine->code != NULL);
    memcpy(engine->code, code_window, engine->code_size);
    return status;
}

enum ag_status engine_load(struct engine *engine, const struct module *module)
{
    enum ag_status status = engine_translate(engine, module->bytes, module->size);
    if (status != AG_OK)
        return status;
    CHECK_EQUAL(engine->report.image_size, engine->code_size);
    status = ag_wasm_image_open(&engine->image, engine->module, module->size, engine->code,
                                engine->code_size);
    if (status != AG_OK)
        return status;
    engine->options.call = engine->call ? engine->call : call;
    engine->options.context = engine;
    status = ag_wasm_instance_size(&engine->image, &engine->options, &engine->block_size);
    if (status != AG_OK)
        return status;
    free(engine->block);
    engine->block = malloc(engine->block_size);
    CHECK(engine->block != NULL);
    memset(engine->block, 0xA5, engine->block_size);
    return ag_wasm_instance_make(engine->block, engine->block_size, &engine->image,
                                 &engine->options, &engine->instance);
}

enum ag_status engine_call(struct engine *engine, const char *name, const uint32_t *args,
                           uint32_t count, uint32_t slice)
{
    uint32_t function;
    enum ag_status status = ag_wasm_image_export(&engine->image, name, (uint32_t)strlen(name),
                                                 AG_WASM_FUNCTION, &function);
    if (status == AG_OK)
        status = ag_wasm_begin(engine->instance, function, args, count);
    if (status != AG_OK)
        return status;
    do {
        status = ag_wasm_run(engine->instance, slice);
    } while (status == AG_ERR_AGAIN);
    return status;
}

enum ag_status engine_try(struct engine *engine, const uint8_t *body, size_t size, uint32_t arg,
                          uint32_t *result)
{
    static struct module module;
    module_of_function(&module, BYTES(1, 0x7F, 1, 0x7F), body, size);
    enum ag_status status = engine_load(engine, &module);
    if (status == AG_OK)
        status = engine_call(engine, "f", &arg, 1, INT32_MAX);
    if (status == AG_OK)
        *result = ag_wasm_results(engine->instance)[0];
    return status;
}
