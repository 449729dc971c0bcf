// SPDX-License-Identifier: Apache-2.0
// Reads a WebAssembly module for the developer's commands.
//
// Counts in a module are untrusted: arrays grow by what is really there, never by what a count
// claims.
#include "cli/module.h"

#include <stdlib.h>
#include <string.h>

#include "cli/buffer.h"

enum section_id {
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_EXPORT = 7,
    SECTION_CODE = 10,
};

// Indexes that are needed only while reading.
struct reading {
    struct ag_module *module;
    char (*types)[AG_MODULE_TYPE_MAX]; // by type index
    uint32_t type_count;
    uint32_t *functions; // type index by function index, imports first
    uint32_t function_count;
};

static struct ag_reader section_reader(const struct ag_module *module, uint8_t id)
{
    struct ag_reader reader;
    const struct ag_section *section = ag_module_section(module, id);
    ag_reader_init(&reader, section ? section->body : NULL, section ? section->body_size : 0);
    return reader;
}

// The length of a vector: each item takes at least one byte, so a larger one is a lie.
static uint32_t read_count(struct ag_reader *reader)
{
    if (ag_reader_left(reader) == 0)
        return 0; // the section is absent
    const uint32_t count = ag_reader_leb_u32(reader);
    if (count > ag_reader_left(reader))
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    return reader->status == AG_OK ? count : 0;
}

static const char *read_name(struct ag_reader *reader, size_t *size)
{
    *size = ag_reader_leb_u32(reader);
    return (const char *)ag_reader_bytes(reader, *size);
}

static char type_letter(uint8_t type)
{
    switch (type) {
    case 0x7F:
        return 'i';
    case 0x7E:
        return 'I';
    case 0x7D:
        return 'f';
    case 0x7C:
        return 'F';
    }
    return 'r';
}

static void append_types(struct ag_reader *reader, char *text, size_t *size)
{
    const uint32_t count = read_count(reader);
    for (uint32_t i = 0; i < count; i++) {
        const char letter = type_letter(ag_reader_u8(reader));
        if (*size + 2 < AG_MODULE_TYPE_MAX)
            text[(*size)++] = letter;
    }
}

static void read_types(struct ag_reader *reader, struct reading *reading)
{
    reading->type_count = read_count(reader);
    reading->types = ag_buffer_allocate(reading->type_count, sizeof *reading->types);
    for (uint32_t i = 0; i < reading->type_count; i++) {
        char *text = reading->types[i];
        size_t size = 0;
        if (ag_reader_u8(reader) != 0x60)
            ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
        append_types(reader, text, &size);
        text[size++] = ':';
        append_types(reader, text, &size);
    }
}

static void add_function(struct ag_reader *reader, struct reading *reading, uint32_t type)
{
    if (type >= reading->type_count) {
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
        return;
    }
    reading->functions[reading->function_count++] = type;
}

struct limits {
    uint32_t min;
    uint8_t page_shift;
};

// Limits of a table or memory; bit 3 of the flags announces a custom page size.
static struct limits read_limits(struct ag_reader *reader)
{
    struct limits limits = { .page_shift = 16 };
    const uint8_t flags = ag_reader_u8(reader);
    limits.min = ag_reader_leb_u32(reader);
    if (flags & 1)
        (void)ag_reader_leb_u32(reader);
    if (flags & 8)
        limits.page_shift = (uint8_t)ag_reader_leb_u32(reader);
    if (flags > 15 || limits.page_shift > 16)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    return limits;
}

static void set_memory(struct ag_module *module, struct limits limits)
{
    module->has_memory = true;
    module->memory_pages = limits.min;
    module->page_shift = limits.page_shift;
}

static void read_import(struct ag_reader *reader, struct reading *reading,
                        struct ag_module_import *import)
{
    import->module = read_name(reader, &import->module_size);
    import->field = read_name(reader, &import->field_size);
    const uint8_t kind = ag_reader_u8(reader);
    import->kind = (enum ag_module_kind)kind;
    switch (kind) {
    case AG_MODULE_FUNCTION: {
        const uint32_t type = ag_reader_leb_u32(reader);
        add_function(reader, reading, type);
        if (reader->status == AG_OK)
            memcpy(import->type, reading->types[type], sizeof import->type);
        return;
    }
    case AG_MODULE_TABLE:
        (void)ag_reader_u8(reader);
        (void)read_limits(reader);
        return;
    case AG_MODULE_MEMORY:
        set_memory(reading->module, read_limits(reader));
        return;
    case AG_MODULE_GLOBAL:
        (void)ag_reader_u8(reader);
        (void)ag_reader_u8(reader);
        return;
    }
    ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
}

static void read_imports(struct ag_reader *reader, struct reading *reading)
{
    struct ag_module *module = reading->module;
    module->import_count = read_count(reader);
    module->imports = ag_buffer_allocate(module->import_count, sizeof *module->imports);
    for (size_t i = 0; i < module->import_count; i++)
        read_import(reader, reading, &module->imports[i]);
}

static void read_functions(struct ag_reader *reader, struct reading *reading)
{
    const uint32_t count = read_count(reader);
    for (uint32_t i = 0; i < count; i++)
        add_function(reader, reading, ag_reader_leb_u32(reader));
    reading->module->function_count = count;
}

static void read_memory(struct ag_reader *reader, struct ag_module *module)
{
    const uint32_t count = read_count(reader);
    if (count > 1)
        ag_reader_fail(reader, AG_ERR_WASM_MULTI_MEMORY);
    if (count == 1)
        set_memory(module, read_limits(reader));
}

static void read_export(struct ag_reader *reader, const struct reading *reading,
                        struct ag_module_export *export)
{
    export->name = read_name(reader, &export->name_size);
    const uint8_t kind = ag_reader_u8(reader);
    export->kind = (enum ag_module_kind)kind;
    export->index = ag_reader_leb_u32(reader);
    if (kind > AG_MODULE_GLOBAL ||
        (kind == AG_MODULE_FUNCTION && export->index >= reading->function_count))
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    if (reader->status == AG_OK && kind == AG_MODULE_FUNCTION)
        memcpy(export->type, reading->types[reading->functions[export->index]],
               sizeof export->type);
}

static void read_exports(struct ag_reader *reader, struct reading *reading)
{
    struct ag_module *module = reading->module;
    module->export_count = read_count(reader);
    module->exports = ag_buffer_allocate(module->export_count, sizeof *module->exports);
    for (size_t i = 0; i < module->export_count; i++)
        read_export(reader, reading, &module->exports[i]);
}

static enum ag_status read_sections(struct ag_module *module, const void *bytes, size_t size)
{
    struct ag_reader reader;
    size_t capacity = 0;
    ag_reader_init(&reader, bytes, size);
    enum ag_status status = ag_sections_begin(&reader);
    while (status == AG_OK && ag_reader_left(&reader) > 0) {
        if (module->section_count == capacity) {
            struct ag_section *larger =
                ag_buffer_allocate(2 * capacity + 16, sizeof *module->sections);
            if (capacity > 0)
                memcpy(larger, module->sections, capacity * sizeof *larger);
            free(module->sections);
            module->sections = larger;
            capacity = 2 * capacity + 16;
        }
        status = ag_sections_next(&reader, &module->sections[module->section_count]);
        module->section_count += status == AG_OK;
    }
    return status;
}

// Room for every function there can be: imports and definitions take a byte each.
static size_t function_limit(const struct ag_module *module)
{
    const struct ag_section *imports = ag_module_section(module, SECTION_IMPORT);
    const struct ag_section *functions = ag_module_section(module, SECTION_FUNCTION);
    return (imports ? imports->body_size : 0) + (functions ? functions->body_size : 0);
}

static enum ag_status read_contents(struct ag_module *module)
{
    struct reading reading = { .module = module };
    struct ag_reader types = section_reader(module, SECTION_TYPE);
    struct ag_reader imports = section_reader(module, SECTION_IMPORT);
    struct ag_reader functions = section_reader(module, SECTION_FUNCTION);
    struct ag_reader memory = section_reader(module, SECTION_MEMORY);
    struct ag_reader globals = section_reader(module, SECTION_GLOBAL);
    struct ag_reader exports = section_reader(module, SECTION_EXPORT);
    struct ag_reader code = section_reader(module, SECTION_CODE);
    reading.functions = ag_buffer_allocate(function_limit(module), sizeof *reading.functions);
    read_types(&types, &reading);
    read_imports(&imports, &reading);
    read_functions(&functions, &reading);
    read_memory(&memory, module);
    module->global_count = read_count(&globals);
    read_exports(&exports, &reading);
    module->uses = ag_module_code_read(&code, &module->calls, &module->frames);
    free(reading.types);
    free(reading.functions);
    const struct ag_reader *readers[] = { &types,   &imports, &functions, &memory,
                                          &globals, &exports, &code };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        // A section is all here: what reaches over its end is broken, not cut off.
        if (readers[i]->status == AG_ERR_TRUNCATED || readers[i]->status == AG_ERR_MALFORMED)
            return AG_ERR_WASM_MALFORMED;
        if (readers[i]->status != AG_OK)
            return readers[i]->status;
    }
    return AG_OK;
}

enum ag_status ag_module_open(struct ag_module *module, const void *bytes, size_t size)
{
    memset(module, 0, sizeof *module);
    enum ag_status status = read_sections(module, bytes, size);
    if (status == AG_OK)
        status = read_contents(module);
    if (status != AG_OK)
        ag_module_clear(module);
    return status;
}

void ag_module_clear(struct ag_module *module)
{
    ag_buffer_clear(&module->frames);
    ag_buffer_clear(&module->calls);
    free(module->exports);
    free(module->imports);
    free(module->sections);
    memset(module, 0, sizeof *module);
}

const struct ag_section *ag_module_section(const struct ag_module *module, uint8_t id)
{
    for (size_t i = 0; i < module->section_count; i++) {
        if (module->sections[i].id == id)
            return &module->sections[i];
    }
    return NULL;
}

const struct ag_section *ag_module_custom(const struct ag_module *module, const char *name)
{
    for (size_t i = 0; i < module->section_count; i++) {
        if (ag_sections_is(&module->sections[i], name))
            return &module->sections[i];
    }
    return NULL;
}

const struct ag_module_export *ag_module_find_export(const struct ag_module *module,
                                                     const char *name)
{
    for (size_t i = 0; i < module->export_count; i++) {
        const struct ag_module_export *export = &module->exports[i];
        if (export->name_size == strlen(name) && memcmp(export->name, name, export->name_size) == 0)
            return export;
    }
    return NULL;
}

bool ag_module_constant(const struct ag_module *module, uint32_t index, uint32_t *value)
{
    struct ag_reader reader = section_reader(module, SECTION_GLOBAL);
    const uint32_t count = read_count(&reader);
    for (uint32_t i = 0; i < count && i <= index; i++) {
        const uint8_t type = ag_reader_u8(&reader);
        const uint8_t is_mutable = ag_reader_u8(&reader);
        if (type != 0x7F || ag_reader_u8(&reader) != 0x41) // i32, i32.const
            return false;
        const int32_t initial = ag_reader_leb_s32(&reader);
        if (ag_reader_u8(&reader) != 0x0B || reader.status != AG_OK)
            return false;
        *value = (uint32_t)initial;
        if (i == index)
            return is_mutable == 0;
    }
    return false;
}
