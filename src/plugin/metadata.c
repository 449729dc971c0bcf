// SPDX-License-Identifier: Apache-2.0
// Reads and writes plug-in metadata: a format byte, then fields by strictly ascending number, each
// `number × 2 + kind`, kind 0 with a number and kind 1 with a size and bytes (FORMATS.md 1.3).
#include "plugin/metadata.h"

#include <stdbool.h>
#include <string.h>

#include "base/reader.h"
#include "plugin/schema.h"

#define FORMAT 1u

// The source of the host's own lines in the log, which no plug-in may write.
static const char host_name[] = "host";

enum field {
    FIELD_NAME = 1, // the only two of kind 1
    FIELD_VERSION = 2,
    FIELD_EPOCH = 3,
    FIELD_ABI = 4,
    FIELD_CAPABILITIES = 5,
    FIELD_MEMORY = 6,
    FIELD_STACK = 7,
    FIELD_PERIOD = 8,
    FIELD_FUEL = 9,
    FIELD_TRIAL_RUNS = 10,
    FIELD_TRIAL_MS = 11,
    FIELD_TRIAL_FLAGS = 12,
    FIELD_DATA = 13,
    FIELD_SCHEMA = 14,
    FIELD_COUNT,
};

static bool is_continuation(const uint8_t *bytes, size_t size, size_t at)
{
    return at < size && (bytes[at] & 0xC0) == 0x80;
}

// Size in bytes of the character at `at`, or 0 when it is broken UTF-8 or a control character.
static size_t character_size(const uint8_t *bytes, size_t size, size_t at)
{
    const uint8_t lead = bytes[at];
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7F ? 1 : 0;
    if (lead < 0xC2 || lead > 0xF4 || !is_continuation(bytes, size, at + 1))
        return 0;
    const uint8_t second = bytes[at + 1];
    if (lead < 0xE0)
        return lead == 0xC2 && second < 0xA0 ? 0 : 2; // U+0080 to U+009F are controls
    if (!is_continuation(bytes, size, at + 2))
        return 0;
    if (lead < 0xF0) {
        const bool overlong = lead == 0xE0 && second < 0xA0;
        const bool surrogate = lead == 0xED && second >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    const bool overlong = lead == 0xF0 && second < 0x90;
    const bool beyond = lead == 0xF4 && second >= 0x90;
    return overlong || beyond || !is_continuation(bytes, size, at + 3) ? 0 : 4;
}

enum ag_status ag_metadata_check_name(const void *bytes, size_t size)
{
    if (size == 0 || size > AG_CFG_NAME_MAX)
        return AG_ERR_FILE_METADATA;
    if (size == sizeof host_name - 1 && memcmp(bytes, host_name, size) == 0)
        return AG_ERR_FILE_METADATA;
    for (size_t at = 0; at < size;) {
        const size_t step = character_size(bytes, size, at);
        if (step == 0)
            return AG_ERR_FILE_METADATA;
        at += step;
    }
    return AG_OK;
}

static bool capabilities_ascend(const struct ag_plugin_metadata *metadata)
{
    for (size_t i = 0; i < metadata->capability_count; i++) {
        const struct ag_capability_need *need = &metadata->capabilities[i];
        if (need->version == 0 || (i > 0 && need->id <= metadata->capabilities[i - 1].id))
            return false;
    }
    return true;
}

enum ag_status ag_metadata_check(const struct ag_plugin_metadata *metadata)
{
    const bool fits = memchr(metadata->name, 0, sizeof metadata->name) != NULL &&
                      metadata->capability_count <= AG_CFG_CAPABILITY_MAX;
    if (!fits || ag_metadata_check_name(metadata->name, strlen(metadata->name)) != AG_OK)
        return AG_ERR_FILE_METADATA;
    const bool in_range = metadata->version > 0 && metadata->abi > 0;
    return in_range && capabilities_ascend(metadata) ? AG_OK : AG_ERR_FILE_METADATA;
}

static void read_name(struct ag_reader *reader, struct ag_plugin_metadata *metadata)
{
    const size_t size = ag_reader_left(reader);
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    if (!bytes || size > AG_CFG_NAME_MAX || memchr(bytes, 0, size)) {
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
        return;
    }
    memcpy(metadata->name, bytes, size);
}

static uint16_t read_u16(struct ag_reader *reader)
{
    const uint32_t value = ag_reader_leb_u32(reader);
    if (value > UINT16_MAX)
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
    return (uint16_t)value;
}

static void read_capabilities(struct ag_reader *reader, struct ag_plugin_metadata *metadata)
{
    while (ag_reader_left(reader) > 0) {
        if (metadata->capability_count == AG_CFG_CAPABILITY_MAX) {
            ag_reader_fail(reader, AG_ERR_FILE_METADATA);
            return;
        }
        struct ag_capability_need *need = &metadata->capabilities[metadata->capability_count++];
        need->id = read_u16(reader);
        need->version = read_u16(reader);
    }
}

static void read_schema(struct ag_reader *reader, struct ag_plugin_metadata *metadata)
{
    metadata->schema_size = (uint32_t)ag_reader_left(reader);
    metadata->schema = ag_reader_bytes(reader, metadata->schema_size);
    if (metadata->schema && ag_schema_check(metadata->schema, metadata->schema_size) != AG_OK)
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
}

// Where the number of a field goes; NULL for a field that is not a number or not known.
static uint32_t *number_of(struct ag_plugin_metadata *metadata, uint32_t field)
{
    switch (field) {
    case FIELD_VERSION:
        return &metadata->version;
    case FIELD_EPOCH:
        return &metadata->epoch;
    case FIELD_ABI:
        return &metadata->abi;
    case FIELD_MEMORY:
        return &metadata->memory_size;
    case FIELD_STACK:
        return &metadata->stack_size;
    case FIELD_PERIOD:
        return &metadata->period_ms;
    case FIELD_FUEL:
        return &metadata->fuel_per_run;
    case FIELD_TRIAL_RUNS:
        return &metadata->trial_runs;
    case FIELD_TRIAL_MS:
        return &metadata->trial_ms;
    case FIELD_TRIAL_FLAGS:
        return &metadata->trial_flags;
    case FIELD_DATA:
        return &metadata->data_size;
    }
    return NULL;
}

static void read_number_field(struct ag_reader *reader, uint32_t field,
                              struct ag_plugin_metadata *metadata)
{
    const uint32_t value = ag_reader_leb_u32(reader);
    uint32_t *number = number_of(metadata, field);
    if (number)
        *number = value;
    // A known field of the other kind, or a zero that should have been left out.
    if (field < FIELD_COUNT && (!number || value == 0))
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
}

static void read_bytes_field(struct ag_reader *reader, uint32_t field,
                             struct ag_plugin_metadata *metadata)
{
    const uint32_t size = ag_reader_leb_u32(reader);
    struct ag_reader content = ag_reader_sub(reader, size);
    if (field == FIELD_NAME)
        read_name(&content, metadata);
    else if (field == FIELD_CAPABILITIES)
        read_capabilities(&content, metadata);
    else if (field == FIELD_SCHEMA)
        read_schema(&content, metadata);
    else if (field < FIELD_COUNT)
        ag_reader_fail(&content, AG_ERR_FILE_METADATA);
    ag_reader_fail(reader, content.status);
}

enum ag_status ag_metadata_read(const void *bytes, size_t size, struct ag_plugin_metadata *metadata)
{
    struct ag_reader reader;
    ag_reader_init(&reader, bytes, size);
    memset(metadata, 0, sizeof *metadata);
    if (size > AG_METADATA_SIZE_MAX || ag_reader_u8(&reader) != FORMAT)
        return AG_ERR_FILE_METADATA;
    for (uint32_t before = 0; ag_reader_left(&reader) > 0;) {
        const uint32_t key = ag_reader_leb_u32(&reader);
        const uint32_t field = key >> 1;
        if (field <= before)
            return AG_ERR_FILE_METADATA;
        before = field;
        if (key & 1)
            read_bytes_field(&reader, field, metadata);
        else
            read_number_field(&reader, field, metadata);
    }
    return reader.status == AG_OK ? ag_metadata_check(metadata) : AG_ERR_FILE_METADATA;
}

static void write_number(struct ag_writer *writer, enum field field, uint32_t value)
{
    if (value == 0)
        return;
    ag_writer_leb_u32(writer, (uint32_t)field << 1);
    ag_writer_leb_u32(writer, value);
}

static void write_bytes(struct ag_writer *writer, enum field field, const void *bytes, size_t size)
{
    ag_writer_leb_u32(writer, (uint32_t)field << 1 | 1);
    ag_writer_leb_u32(writer, (uint32_t)size);
    ag_writer_bytes(writer, bytes, size);
}

static void write_capabilities(struct ag_writer *writer, const struct ag_plugin_metadata *metadata)
{
    uint8_t storage[AG_CFG_CAPABILITY_MAX * 6]; // two LEBs of 16 bits each
    struct ag_writer list;
    ag_writer_init(&list, storage, sizeof storage);
    for (size_t i = 0; i < metadata->capability_count; i++) {
        ag_writer_leb_u32(&list, metadata->capabilities[i].id);
        ag_writer_leb_u32(&list, metadata->capabilities[i].version);
    }
    if (list.size > 0)
        write_bytes(writer, FIELD_CAPABILITIES, storage, list.size);
}

void ag_metadata_write(struct ag_writer *writer, const struct ag_plugin_metadata *metadata)
{
    ag_writer_u8(writer, FORMAT);
    write_bytes(writer, FIELD_NAME, metadata->name, strlen(metadata->name));
    write_number(writer, FIELD_VERSION, metadata->version);
    write_number(writer, FIELD_EPOCH, metadata->epoch);
    write_number(writer, FIELD_ABI, metadata->abi);
    write_capabilities(writer, metadata);
    write_number(writer, FIELD_MEMORY, metadata->memory_size);
    write_number(writer, FIELD_STACK, metadata->stack_size);
    write_number(writer, FIELD_PERIOD, metadata->period_ms);
    write_number(writer, FIELD_FUEL, metadata->fuel_per_run);
    write_number(writer, FIELD_TRIAL_RUNS, metadata->trial_runs);
    write_number(writer, FIELD_TRIAL_MS, metadata->trial_ms);
    write_number(writer, FIELD_TRIAL_FLAGS, metadata->trial_flags);
    write_number(writer, FIELD_DATA, metadata->data_size);
    if (metadata->schema_size > 0)
        write_bytes(writer, FIELD_SCHEMA, metadata->schema, metadata->schema_size);
}
