// SPDX-License-Identifier: Apache-2.0
// Makes the unsigned plug-in file out of a linked module.
#include "cli/build/assemble.h"

#include <string.h>

#include "base/writer.h"
#include "cli/signing.h"
#include "platform/crypto.h"

enum section_id {
    SECTION_CUSTOM = 0,
    SECTION_TABLE = 4,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_ELEMENT = 9,
    SECTION_DATA = 11,
};

struct ag_assemble_memory ag_assemble_memory_of(const struct ag_module *linked, uint32_t needed)
{
    const unsigned counting =
        AG_MODULE_USES_MEMORY_SIZE | AG_MODULE_USES_MEMORY_GROW | AG_MODULE_USES_UNKNOWN;
    if (!linked->has_memory)
        return (struct ag_assemble_memory){ 0 };
    if (!(linked->uses & counting) && linked->page_shift == 16 &&
        ag_module_section(linked, SECTION_MEMORY))
        return (struct ag_assemble_memory){ .size = needed };
    const uint64_t size = (uint64_t)linked->memory_pages << linked->page_shift;
    return (struct ag_assemble_memory){
        .size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
        .keeps_pages = true,
    };
}

static bool is_of_toolchain(const struct ag_section *section)
{
    static const char *const names[] = { "name", "producers", "target_features", "linking" };
    static const char debug[] = ".debug_";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ag_sections_is(section, names[i]))
            return true;
    }
    return section->name_size >= sizeof debug - 1 &&
           memcmp(section->name, debug, sizeof debug - 1) == 0;
}

static bool exports_kind(const struct ag_module *module, enum ag_module_kind kind)
{
    for (size_t i = 0; i < module->export_count; i++) {
        if (module->exports[i].kind == kind)
            return true;
    }
    return false;
}

static bool imports_kind(const struct ag_module *module, enum ag_module_kind kind)
{
    for (size_t i = 0; i < module->import_count; i++) {
        if (module->imports[i].kind == kind)
            return true;
    }
    return false;
}

// The linker always gives a table for indirect calls, used or not.
static bool table_is_dead(const struct ag_module *module)
{
    return !(module->uses & (AG_MODULE_USES_TABLES | AG_MODULE_USES_UNKNOWN)) &&
           !ag_module_section(module, SECTION_ELEMENT) && !exports_kind(module, AG_MODULE_TABLE) &&
           !imports_kind(module, AG_MODULE_TABLE);
}

// Do all data segments go to constant addresses? An address could also be read from a global.
static bool data_is_constant(const struct ag_module *module)
{
    const struct ag_section *section = ag_module_section(module, SECTION_DATA);
    struct ag_reader reader;
    ag_reader_init(&reader, section ? section->body : NULL, section ? section->body_size : 0);
    const uint32_t count = section ? ag_reader_leb_u32(&reader) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const bool is_active_at_constant =
            ag_reader_u8(&reader) == 0 && ag_reader_u8(&reader) == 0x41;
        (void)ag_reader_leb_s32(&reader);
        const bool ends = ag_reader_u8(&reader) == 0x0B;
        (void)ag_reader_bytes(&reader, ag_reader_leb_u32(&reader));
        if (!is_active_at_constant || !ends || reader.status != AG_OK)
            return false;
    }
    return true;
}

// The linker always gives the stack pointer, used or not.
static bool globals_are_dead(const struct ag_module *module)
{
    return !(module->uses & (AG_MODULE_USES_GLOBALS | AG_MODULE_USES_UNKNOWN)) &&
           !ag_module_section(module, SECTION_ELEMENT) && data_is_constant(module) &&
           !exports_kind(module, AG_MODULE_GLOBAL) && !imports_kind(module, AG_MODULE_GLOBAL);
}

static bool is_left_out(const struct ag_module *module, const struct ag_section *section)
{
    switch (section->id) {
    case SECTION_CUSTOM:
        return is_of_toolchain(section);
    case SECTION_TABLE:
        return table_is_dead(module);
    case SECTION_GLOBAL:
        return globals_are_dead(module);
    }
    return false;
}

static void append_section(struct ag_buffer *out, uint8_t id, const void *body, size_t size)
{
    ag_buffer_append_u8(out, id);
    ag_buffer_append_leb(out, (uint32_t)size);
    ag_buffer_append(out, body, size);
}

// One memory with a custom page size: flag 8, the number of pages, log2 of the page size, which is
// 0 (custom page sizes proposal).
static void append_exact_memory(struct ag_buffer *out, uint32_t size)
{
    uint8_t body[8];
    struct ag_writer writer;
    ag_writer_init(&writer, body, sizeof body);
    ag_writer_u8(&writer, 1);
    ag_writer_u8(&writer, 8);
    ag_writer_leb_u32(&writer, size);
    ag_writer_u8(&writer, 0);
    append_section(out, SECTION_MEMORY, body, writer.size);
}

// 16 bytes that nobody can choose, made from what stands before them and which delimiter it is.
static void append_delimiter(struct ag_buffer *out, size_t from, uint8_t which)
{
    struct ag_sha256 hash;
    uint8_t digest[AG_SHA256_SIZE];
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, "airgraft delimiter", 18);
    ag_crypto_sha256_update(&hash, &which, 1);
    ag_crypto_sha256_update(&hash, out->bytes + from, out->size - from);
    ag_crypto_sha256_finish(&hash, digest);
    ag_signing_append_custom(out, AG_SECTIONS_DELIMITER, digest, AG_SECTIONS_DELIMITER_PAYLOAD);
}

void ag_assemble_file(const struct ag_module *linked, const struct ag_plugin_metadata *metadata,
                      struct ag_assemble_memory memory, struct ag_buffer *out)
{
    uint8_t payload[AG_METADATA_SIZE_MAX];
    struct ag_writer writer;
    const size_t start = out->size;
    ag_writer_init(&writer, payload, sizeof payload);
    ag_metadata_write(&writer, metadata);
    ag_buffer_append(out, "\0asm\1\0\0\0", 8);
    ag_signing_append_custom(out, AG_SECTIONS_METADATA, payload, writer.size);
    append_delimiter(out, start, 1);
    for (size_t i = 0; i < linked->section_count; i++) {
        const struct ag_section *section = &linked->sections[i];
        if (is_left_out(linked, section))
            continue;
        if (section->id == SECTION_MEMORY && !memory.keeps_pages)
            append_exact_memory(out, memory.size);
        else
            append_section(out, section->id, section->body, section->body_size);
    }
    append_delimiter(out, start, 2);
}
