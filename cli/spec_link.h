// SPDX-License-Identifier: Apache-2.0
// The world of one test script: its instances, the names they are registered by, and the module
// `spectest`; linking between them, and calls from one into another.
#ifndef AG_CLI_SPEC_LINK_H
#define AG_CLI_SPEC_LINK_H

#include "wasm_file.h"

struct spec_world;

// An instance, or a module that failed to become one.
struct spec_instance;

// `slice` is the fuel of one run; small ones test that suspension changes nothing.
struct spec_world *spec_world_open(uint32_t slice);
void spec_world_close(struct spec_world *world);

// Translates a file without instantiating it; any import is accepted.
enum ag_status spec_check(struct spec_world *world, const char *path);

// Translates, links and instantiates a file and runs its start function. *instance lives as long
// as the world, also after a trap, as tables of others may refer to it.
enum ag_status spec_instantiate(struct spec_world *world, const char *path,
                                struct spec_instance **instance);

// Names an instance for imports.
void spec_register(struct spec_world *world, const char *name, struct spec_instance *instance);

// What a call or a read of a global gave.
struct spec_result {
    const uint8_t *types; // borrowed from the module
    uint32_t count;
    const uint32_t *slots; // valid until the next call
};

enum ag_status spec_invoke(struct spec_instance *instance, struct ag_wasm_name field,
                           const uint32_t *args, uint32_t arg_slots, struct spec_result *result);
enum ag_status spec_get(struct spec_instance *instance, struct ag_wasm_name field,
                        struct spec_result *result);

#endif
