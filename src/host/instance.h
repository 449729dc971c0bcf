// SPDX-License-Identifier: Apache-2.0
// One running plug-in: made from its image in a block of RAM, called in slices of fuel, with the
// capability functions over platform/board.h behind it. Usable without the rest of the host.
//
//     ag_instance_size → a block → ag_instance_make → ag_instance_begin(AG_ABI_INITIALIZE)
//     → ag_instance_run until it is done → ag_instance_begin(AG_ABI_EXECUTE) → …
//
// A plug-in is hostile: a pointer outside of its memory is a trap, every call is charged, and what
// it passes on is bounded. After a trap the instance must not be called again.
#ifndef AG_HOST_INSTANCE_H
#define AG_HOST_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "base/text.h"
#include "host/data.h"
#include "host/pins.h"
#include "platform/board.h"
#include "plugin/abi.h"
#include "plugin/metadata.h"
#include "wasm/wasm.h"

enum ag_property_type {
    AG_PROPERTY_REMOVED, // the plug-in takes it back
    AG_PROPERTY_INT,
    AG_PROPERTY_BOOL,
    AG_PROPERTY_TEXT,
};

// A reported property of a plug-in's own; texts borrowed for the call.
struct ag_property {
    enum ag_property_type type;
    struct ag_text key;  // 1 to AG_CFG_PROPERTY_KEY_MAX bytes
    int64_t number;      // AG_PROPERTY_INT; AG_PROPERTY_BOOL: 0 or 1
    struct ag_text text; // AG_PROPERTY_TEXT, at most AG_CFG_PROPERTY_TEXT_MAX bytes
};

// A text of the direct method that is being called.
enum ag_instance_method {
    AG_INSTANCE_METHOD_NAME,
    AG_INSTANCE_METHOD_PAYLOAD, // JSON, or empty
};

// What instances reach beyond the board. One for all of them.
struct ag_instance_services {
    void *context;        // handed to the calls
    struct ag_pins *pins; // shared by all instances
    // The plug-in's own reported properties. AG_ERR_NO_SPACE: no room. NULL: unsupported.
    enum ag_status (*set_property)(void *context, uint8_t owner,
                                   const struct ag_property *property);
    // A device-to-cloud message. AG_ERR_NO_SPACE: the queue is full; AG_ERR_ARGUMENT: it is too
    // long. NULL: unsupported.
    enum ag_status (*send_telemetry)(void *context, uint8_t owner, const void *bytes, size_t size);
    // A line of the plug-in's log. NULL: it goes to the board.
    void (*log)(void *context, enum ag_log_level level, const char *source, struct ag_text text);
    // The direct method that is being called; borrowed for the call. AG_ERR_NOT_FOUND: none is.
    // NULL: unsupported.
    enum ag_status (*method_text)(void *context, uint8_t owner, enum ag_instance_method which,
                                  struct ag_text *text);
    // Its answer; the last one counts. AG_ERR_NOT_FOUND: none is being called. AG_ERR_ARGUMENT: the
    // code. AG_ERR_NO_SPACE: it is too long. AG_ERR_MALFORMED: it is not JSON.
    enum ag_status (*method_reply)(void *context, uint8_t owner, uint32_t code,
                                   struct ag_text payload);
};

struct ag_instance_options {
    uint64_t fuel_per_run;   // budget of one call; at least 1
    const char *name;        // for the log; borrowed as long as the instance lives
    struct ag_data *data;    // its own data; borrowed as long as the instance lives; NULL: none
    const uint8_t *schema;   // of its settings; borrowed as long as the instance lives
    uint32_t schema_size;    // 0: it has none
    struct ag_text settings; // JSON object; borrowed, see ag_instance_set_settings
    const struct ag_instance_services *services; // borrowed as long as the instance lives
    uint8_t owner; // distinguishes plug-ins, 1 to 255; the same for versions of one
};

struct ag_instance {
    struct ag_instance_options options;
    uint64_t fuel_at_start; // fuel used when the call began
    struct ag_wasm_image image;
    struct ag_wasm_instance *wasm;
    uint32_t stopped_at; // where the last call trapped, for ag_wasm_find_place; 0: it did not
    uint16_t exports[AG_ABI_FUNCTION_COUNT]; // function index, or AG_INSTANCE_NO_EXPORT
    enum ag_abi_function function;           // of the call in progress
    bool is_busy;                            // a call is in progress
    bool is_starting;                        // and it is still the module's start function
};

// Beyond the index of any function: a module has at most 16,384, and 1,024 imports.
#define AG_INSTANCE_NO_EXPORT UINT16_MAX

// For struct ag_wasm_translation.resolve: the capability functions, by name and type.
// AG_ERR_WASM_IMPORT for anything else. `context` is not used.
enum ag_status ag_instance_resolve(void *context, const struct ag_wasm_import *import,
                                   uint16_t *id);

// The capabilities that this board has, for ag_capabilities_check.
uint64_t ag_instance_offered(void);

// AG_OK when the required exports are there and all have the right types; else the refusal.
AG_MUST_CHECK enum ag_status ag_instance_check_exports(const struct ag_wasm_image *image);

// Bytes of RAM that an instance takes, aligned to AG_WASM_ALIGN.
AG_MUST_CHECK enum ag_status ag_instance_size(const struct ag_wasm_image *image,
                                              uint32_t stack_size, uint32_t *size);

// And bytes of RAM that the plug-in's own data takes besides, as many times AG_WASM_ALIGN: 0 for
// one that does not import `store`.
uint32_t ag_instance_data_ram(const struct ag_plugin_metadata *metadata);

// Makes an instance in `block`, which is its own from then on; both live until the caller stops
// using them, nothing is to be released but pins. `instance` must not move; the image's bytes stay
// borrowed.
// Statuses as of ag_instance_check_exports and ag_wasm_instance_make.
AG_MUST_CHECK enum ag_status ag_instance_make(struct ag_instance *instance, void *block,
                                              uint32_t size, const struct ag_wasm_image *image,
                                              uint32_t stack_size,
                                              const struct ag_instance_options *options);

// Other settings from the next call on; borrowed.
void ag_instance_set_settings(struct ag_instance *instance, struct ag_text settings);

// Readies a call. AG_ABI_INITIALIZE runs the module's start function first.
// AG_ERR_NOT_FOUND: the plug-in does not export this optional function. AG_TRAP_STACK.
AG_MUST_CHECK enum ag_status ag_instance_begin(struct ag_instance *instance,
                                               enum ag_abi_function function);

// Goes on with the call for about `fuel` instructions.
//   AG_OK              it is done
//   AG_ERR_AGAIN       the slice is gone: call again
//   AG_ERR_INITIALIZE  initialize answered that it failed
//   AG_ERR_UNHEALTHY   healthy answered that it is not
//   AG_TRAP_…          it trapped; AG_TRAP_FUEL: its budget is gone
AG_MUST_CHECK enum ag_status ag_instance_run(struct ag_instance *instance, uint32_t fuel);

// Fuel used by the call that ended last, or so far by the one in progress.
uint64_t ag_instance_fuel(const struct ag_instance *instance);

#endif
