// SPDX-License-Identifier: Apache-2.0
// For the tests of the engine: modules from parts, and the engine around them. Every buffer has
// exactly its size and is freed after the test, so that AddressSanitizer sees each byte too far.
#ifndef AG_TEST_WASM_ENGINE_H
#define AG_TEST_WASM_ENGINE_H

#include "test/harness.h"
#include "wasm/wasm.h"

// A module being built.
struct module {
    uint8_t bytes[1u << 19];
    uint32_t size;
};

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

void module_begin(struct module *module);
void module_section(struct module *module, uint8_t id, const uint8_t *bytes, size_t size);
// One function of type `type` (the bytes after 0x60) exported as "f", with `body` from the locals
// to the end, and a memory of one page.
void module_of_function(struct module *module, const uint8_t *type, size_t type_size,
                        const uint8_t *body, size_t body_size);
// Types, an import, a table, memory, globals, exports, elements, code with most kinds of
// instructions, data. "f" takes an i32 and returns one.
void module_small(struct module *module);
void module_read(struct module *module, const char *path);
uint32_t put_leb(uint8_t *at, uint32_t value);

struct engine {
    uint8_t *module;
    uint8_t *code;
    void *scratch;
    void *block;
    uint32_t block_size;
    uint32_t code_size;
    struct ag_wasm_report report;
    struct ag_wasm_image image;
    struct ag_wasm_instance *instance;
    struct ag_wasm_instance_options options;
    uint32_t scratch_size;    // 0: AG_WASM_SCRATCH
    uint32_t host_calls;      // of the host function
    uint32_t host_again;      // so many calls answer AG_ERR_AGAIN first
    enum ag_status host_trap; // what it answers otherwise
    // Instead of the resolver and the host function of this file, if set; `context` is the engine.
    enum ag_status (*resolve)(void *context, const struct ag_wasm_import *import, uint16_t *id);
    ag_wasm_host_call call;
};

// The resolver of this file: offers functions of module "env" only.
enum ag_status engine_resolve(void *context, const struct ag_wasm_import *import, uint16_t *id);
// Frees what the engine holds; call it first and last.
void engine_clear(struct engine *engine);
enum ag_status engine_translate(struct engine *engine, const uint8_t *module, uint32_t size);
// Translates and makes an instance; options may be set before.
enum ag_status engine_load(struct engine *engine, const struct module *module);
// Calls an export with arguments in slots, in slices of `slice`; results as in ag_wasm_results.
enum ag_status engine_call(struct engine *engine, const char *name, const uint32_t *args,
                           uint32_t count, uint32_t slice);
// Loads a module of one function and calls it with one i32.
enum ag_status engine_try(struct engine *engine, const uint8_t *body, size_t size, uint32_t arg,
                          uint32_t *result);

#endif
