// SPDX-License-Identifier: Apache-2.0
// What a function is called: the section "name" (WebAssembly core specification 2.0, appendix,
// custom sections), or what it is exported or imported as.
#include "cli/debug/names.h"

#include <string.h>

#include "base/reader.h"
#include "cli/buffer.h"

enum {
    SUBSECTION_FUNCTIONS = 1,
};

void ag_names_make_printable(char *text)
{
    for (char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
}

static char *copy_name(const void *text, size_t size)
{
    char *copy = ag_buffer_allocate(size + 1, 1);
    memcpy(copy, text, size);
    for (size_t i = 0; i < size; i++) // a NUL would cut it off
        copy[i] = copy[i] ? copy[i] : '?';
    ag_names_make_printable(copy);
    return copy;
}

// The name of `function` in a subsection that maps indexes to names.
static char *find_in_map(struct ag_reader *map, uint32_t function)
{
    const uint32_t count = ag_reader_leb_u32(map);
    for (uint32_t i = 0; i < count && map->status == AG_OK; i++) {
        const uint32_t index = ag_reader_leb_u32(map);
        const uint32_t size = ag_reader_leb_u32(map);
        const uint8_t *name = ag_reader_bytes(map, size);
        if (name && size > 0 && index == function)
            return copy_name(name, size);
    }
    return NULL;
}

static char *find_in_section(const struct ag_section *section, uint32_t function)
{
    struct ag_reader reader;
    ag_reader_init(&reader, section->payload, section->payload_size);
    while (ag_reader_left(&reader) > 0) {
        const uint8_t id = ag_reader_u8(&reader);
        struct ag_reader part = ag_reader_sub(&reader, ag_reader_leb_u32(&reader));
        if (id == SUBSECTION_FUNCTIONS)
            return find_in_map(&part, function);
    }
    return NULL;
}

static char *find_import(const struct ag_module *module, uint32_t function)
{
    uint32_t index = 0;
    for (size_t i = 0; i < module->import_count; i++) {
        const struct ag_module_import *import = &module->imports[i];
        if (import->kind != AG_MODULE_FUNCTION || index++ != function)
            continue;
        struct ag_buffer text = { 0 };
        ag_buffer_append(&text, import->module, import->module_size);
        ag_buffer_append_u8(&text, '.');
        ag_buffer_append(&text, import->field, import->field_size);
        char *name = copy_name(text.bytes, text.size);
        ag_buffer_clear(&text);
        return name;
    }
    return NULL;
}

char *ag_names_function(const struct ag_module *module, uint32_t function)
{
    const struct ag_section *section = ag_module_custom(module, "name");
    char *name = section ? find_in_section(section, function) : NULL;
    for (size_t i = 0; !name && i < module->export_count; i++) {
        const struct ag_module_export *export = &module->exports[i];
        if (export->kind == AG_MODULE_FUNCTION && export->index == function)
            name = copy_name(export->name, export->name_size);
    }
    return name ? name : find_import(module, function);
}
