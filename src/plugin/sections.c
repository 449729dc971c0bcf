// SPDX-License-Identifier: Apache-2.0
// Walks the sections of a WebAssembly binary.
#include "plugin/sections.h"

#include <string.h>

static const uint8_t magic[8] = { 0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00 };

enum ag_status ag_sections_begin(struct ag_reader *reader)
{
    // A wrong byte counts before a missing one: a file of another kind is told from the start.
    const size_t left = ag_reader_left(reader);
    const size_t size = left < sizeof magic ? left : sizeof magic;
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    if (bytes && memcmp(bytes, magic, size) != 0)
        ag_reader_fail(reader, AG_ERR_WASM_MAGIC);
    if (size < sizeof magic)
        ag_reader_fail(reader, AG_ERR_TRUNCATED);
    return reader->status;
}

// An unsigned LEB128 in as few bytes as possible.
static uint32_t read_shortest_leb(struct ag_reader *reader)
{
    const size_t start = ag_reader_offset(reader);
    const uint32_t value = ag_reader_leb_u32(reader);
    if (reader->status == AG_OK && ag_reader_offset(reader) - start > 1 && reader->at[-1] == 0)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    return value;
}

// The reader speaks of any input; this is a WebAssembly module.
static enum ag_status module_status(const struct ag_reader *reader)
{
    return reader->status == AG_ERR_MALFORMED ? AG_ERR_WASM_MALFORMED : reader->status;
}

enum ag_status ag_sections_header(struct ag_reader *reader, uint8_t *id, uint32_t *body_size)
{
    *id = ag_reader_u8(reader);
    *body_size = read_shortest_leb(reader);
    return module_status(reader);
}

static void read_name(struct ag_section *section, enum ag_status *status)
{
    struct ag_reader reader;
    ag_reader_init(&reader, section->body, section->body_size);
    section->name_size = read_shortest_leb(&reader);
    section->name = (const char *)ag_reader_bytes(&reader, section->name_size);
    section->payload_size = ag_reader_left(&reader);
    section->payload = ag_reader_bytes(&reader, section->payload_size);
    // The whole body is here: a name that leaves it is a fault, not a lack of bytes.
    if (reader.status != AG_OK)
        *status = AG_ERR_WASM_MALFORMED;
}

enum ag_status ag_sections_next(struct ag_reader *reader, struct ag_section *section)
{
    uint32_t body_size;
    memset(section, 0, sizeof *section);
    section->offset = ag_reader_offset(reader);
    enum ag_status status = ag_sections_header(reader, &section->id, &body_size);
    if (status != AG_OK)
        return status;
    section->body = ag_reader_bytes(reader, body_size);
    if (!section->body)
        return AG_ERR_TRUNCATED;
    section->body_size = body_size;
    section->size = ag_reader_offset(reader) - section->offset;
    section->payload = section->body;
    section->payload_size = section->body_size;
    if (section->id == 0)
        read_name(section, &status);
    return status;
}

bool ag_sections_is(const struct ag_section *section, const char *name)
{
    return section->id == 0 && section->name_size == strlen(name) &&
           memcmp(section->name, name, section->name_size) == 0;
}
