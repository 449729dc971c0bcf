// SPDX-License-Identifier: Apache-2.0
// A WebAssembly module as the developer's commands see it: sections, imports, exports, memory, and
// what its code makes use of. The engine alone decides whether a module is valid.
#ifndef AG_CLI_MODULE_H
#define AG_CLI_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "cli/module_code.h"
#include "plugin/sections.h"

// A type as in plugin/capabilities.h: "ii:i". Longer ones are cut; no capability has such.
#define AG_MODULE_TYPE_MAX 24

enum ag_module_kind {
    AG_MODULE_FUNCTION = 0,
    AG_MODULE_TABLE = 1,
    AG_MODULE_MEMORY = 2,
    AG_MODULE_GLOBAL = 3,
};

struct ag_module_import {
    const char *module; // not NUL-ended, as all names here
    size_t module_size;
    const char *field;
    size_t field_size;
    enum ag_module_kind kind;
    char type[AG_MODULE_TYPE_MAX]; // of a function; "" otherwise
};

struct ag_module_export {
    const char *name;
    size_t name_size;
    enum ag_module_kind kind;
    uint32_t index;
    char type[AG_MODULE_TYPE_MAX]; // of a function; "" otherwise
};

// What instructions occur anywhere in the code.
enum ag_module_use {
    AG_MODULE_USES_MEMORY_SIZE = 1 << 0,
    AG_MODULE_USES_MEMORY_GROW = 1 << 1,
    AG_MODULE_USES_GLOBALS = 1 << 2, // reads or writes one
    AG_MODULE_USES_TABLES = 1 << 3,  // indirect calls, table and function reference instructions
    AG_MODULE_USES_UNKNOWN = 1 << 4, // an instruction that this program does not know
};

struct ag_module {
    struct ag_section *sections;
    size_t section_count;
    struct ag_module_import *imports;
    size_t import_count;
    struct ag_module_export *exports;
    size_t export_count;
    uint32_t function_count; // defined ones, without imports
    bool has_memory;
    uint8_t page_shift;      // 16, or as the custom page size says
    uint32_t memory_pages;   // initial
    uint32_t global_count;   // defined ones
    unsigned uses;           // enum ag_module_use, or-ed
    struct ag_buffer calls;  // of struct ag_module_call
    struct ag_buffer frames; // of uint32_t, by function with code, see ag_module_code_read
};

// Reads a module, with or without the sections of a plug-in file. Everything is borrowed from the
// bytes. AG_ERR_WASM_MAGIC, AG_ERR_TRUNCATED or AG_ERR_WASM_MALFORMED; nothing is then to clear.
enum ag_status ag_module_open(struct ag_module *module, const void *bytes, size_t size);
void ag_module_clear(struct ag_module *module);

// The first section of this id, or custom section of this name; NULL when there is none.
const struct ag_section *ag_module_section(const struct ag_module *module, uint8_t id);
const struct ag_section *ag_module_custom(const struct ag_module *module, const char *name);

// The export of this name, or NULL.
const struct ag_module_export *ag_module_find_export(const struct ag_module *module,
                                                     const char *name);

// The initial value of a defined constant global of type i32. False when it is something else.
bool ag_module_constant(const struct ag_module *module, uint32_t index, uint32_t *value);

#endif
