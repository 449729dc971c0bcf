// SPDX-License-Identifier: Apache-2.0
// The provisioning partition (FORMATS.md 6): a head with the size and the CRC of what follows, and
// fields in the order of their tags, each at most once.
#include "provisioning/provisioning.h"

#include <string.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "base/writer.h"

// "AGPV", then the format.
#define MAGIC     0x56504741u
#define FORMAT    1u
#define HEAD_SIZE 16u

#define TEXT_MAX   255u
#define STRING_MAX 1023u // of a connection string

enum {
    TAG_GROUP_KEY = 5,
    TAG_ONE_CONNECTION = 9,
    TAG_TRUST = 20,
};

enum kind {
    KIND_TEXT,
    KIND_PORT,
    KIND_FLAG,
    KIND_BYTES,
};

// In the order of their tags. The key has two of them: the tag says whose it is.
static const struct field {
    uint8_t tag;
    uint8_t kind;
    uint16_t offset; // in struct ag_provisioning
} fields[] = {
    { 1, KIND_TEXT, offsetof(struct ag_provisioning, connection_string) },
    { 2, KIND_TEXT, offsetof(struct ag_provisioning, id_scope) },
    { 3, KIND_TEXT, offsetof(struct ag_provisioning, registration_id) },
    { 4, KIND_TEXT, offsetof(struct ag_provisioning, key) },
    { TAG_GROUP_KEY, KIND_TEXT, offsetof(struct ag_provisioning, key) },
    { 6, KIND_TEXT, offsetof(struct ag_provisioning, dps_host) },
    { 7, KIND_PORT, offsetof(struct ag_provisioning, dps_port) },
    { 8, KIND_PORT, offsetof(struct ag_provisioning, hub_port) },
    { TAG_ONE_CONNECTION, KIND_FLAG, offsetof(struct ag_provisioning, one_connection) },
    { 10, KIND_TEXT, offsetof(struct ag_provisioning, address) },
    { 11, KIND_TEXT, offsetof(struct ag_provisioning, gateway) },
    { 12, KIND_TEXT, offsetof(struct ag_provisioning, dns) },
    { 13, KIND_PORT, offsetof(struct ag_provisioning, dns_port) },
    { 14, KIND_TEXT, offsetof(struct ag_provisioning, time_server) },
    { 15, KIND_PORT, offsetof(struct ag_provisioning, time_port) },
    { 16, KIND_TEXT, offsetof(struct ag_provisioning, host_name) },
    { 17, KIND_TEXT, offsetof(struct ag_provisioning, wifi_name) },
    { 18, KIND_TEXT, offsetof(struct ag_provisioning, wifi_password) },
    { TAG_TRUST, KIND_BYTES, offsetof(struct ag_provisioning, trust) },
};

enum {
    FIELD_COUNT = sizeof fields / sizeof fields[0]
};

static uint32_t text_max(const struct field *field)
{
    return field->offset == offsetof(struct ag_provisioning, connection_string) ? STRING_MAX
                                                                                : TEXT_MAX;
}

static const char **text_at(struct ag_provisioning *provisioning, const struct field *field)
{
    return (const char **)(void *)((uint8_t *)provisioning + field->offset);
}

static uint16_t *port_at(struct ag_provisioning *provisioning, const struct field *field)
{
    return (uint16_t *)(void *)((uint8_t *)provisioning + field->offset);
}

// ---- reading -----------------------------------------------------------------------------------

static bool is_blank(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != 0xFF)
            return false;
    }
    return true;
}

static void take_field(const struct field *field, struct ag_reader *value,
                       struct ag_provisioning *provisioning)
{
    const size_t size = ag_reader_left(value);
    const uint8_t *bytes;
    switch ((enum kind)field->kind) {
    case KIND_TEXT:
        bytes = ag_reader_bytes(value, size);
        if (size < 2 || size > text_max(field) + 1 || memchr(bytes, 0, size) != bytes + size - 1 ||
            *text_at(provisioning, field)) {
            ag_reader_fail(value, AG_ERR_MALFORMED);
            return;
        }
        *text_at(provisioning, field) = (const char *)bytes;
        if (field->offset == offsetof(struct ag_provisioning, key))
            provisioning->key_is_group = field->tag == TAG_GROUP_KEY;
        return;
    case KIND_PORT:
        *port_at(provisioning, field) = ag_reader_u16le(value);
        if (*port_at(provisioning, field) == 0)
            ag_reader_fail(value, AG_ERR_MALFORMED);
        return;
    case KIND_FLAG:
        provisioning->one_connection = true;
        return;
    case KIND_BYTES:
        provisioning->trust = ag_reader_bytes(value, size);
        provisioning->trust_size = (uint32_t)size;
        return;
    }
}

static const struct field *find_field(uint8_t tag)
{
    for (uint32_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].tag == tag)
            return &fields[i];
    }
    return NULL;
}

static enum ag_status read_fields(struct ag_reader *reader, struct ag_provisioning *provisioning)
{
    uint32_t last_tag = 0;
    while (ag_reader_left(reader) > 0) {
        const uint8_t tag = ag_reader_u8(reader);
        const uint16_t size = ag_reader_u16le(reader);
        struct ag_reader value = ag_reader_sub(reader, size);
        const struct field *field = find_field(tag);
        if (tag <= last_tag || reader->status != AG_OK)
            return AG_ERR_MALFORMED;
        last_tag = tag;
        if (!field)
            continue; // of a later format that this one can do without
        take_field(field, &value, provisioning);
        if (value.status != AG_OK || ag_reader_left(&value) > 0)
            return AG_ERR_MALFORMED;
    }
    return AG_OK;
}

enum ag_status ag_provisioning_read(const uint8_t *partition, uint32_t size,
                                    struct ag_provisioning *provisioning)
{
    struct ag_provisioning found = { 0 };
    struct ag_reader reader;
    if (size < HEAD_SIZE)
        return AG_ERR_MALFORMED;
    if (is_blank(partition, HEAD_SIZE))
        return AG_ERR_NOT_FOUND;
    ag_reader_init(&reader, partition, size);
    const uint32_t magic = ag_reader_u32le(&reader);
    const uint32_t format = ag_reader_u32le(&reader);
    const uint32_t body_size = ag_reader_u32le(&reader);
    const uint32_t crc = ag_reader_u32le(&reader);
    struct ag_reader body = ag_reader_sub(&reader, body_size);
    if (reader.status != AG_OK || magic != MAGIC || format != FORMAT ||
        ag_crc32_update(0, body.start, body_size) != crc)
        return AG_ERR_MALFORMED;
    const enum ag_status status = read_fields(&body, &found);
    if (status == AG_OK)
        *provisioning = found;
    return status;
}

const char *ag_provisioning_missing(const struct ag_provisioning *provisioning)
{
    if (!provisioning->connection_string) {
        if (!provisioning->id_scope)
            return "id scope";
        if (!provisioning->registration_id)
            return "registration id";
        if (!provisioning->key)
            return "key";
    }
    return provisioning->trust_size > 0 ? NULL : "trust store object";
}

// ---- writing -----------------------------------------------------------------------------------

static void write_field(struct ag_writer *out, uint8_t tag, const void *bytes, uint32_t size)
{
    ag_writer_u8(out, tag);
    ag_writer_u16le(out, (uint16_t)size);
    ag_writer_bytes(out, bytes, size);
}

static enum ag_status write_one(struct ag_writer *out, const struct field *field,
                                const struct ag_provisioning *provisioning)
{
    const uint8_t *at = (const uint8_t *)provisioning + field->offset;
    const char *text;
    uint16_t port;
    switch ((enum kind)field->kind) {
    case KIND_TEXT:
        memcpy(&text, at, sizeof text);
        if (!text || !text[0])
            return AG_OK;
        if (field->offset == offsetof(struct ag_provisioning, key) &&
            provisioning->key_is_group != (field->tag == TAG_GROUP_KEY))
            return AG_OK;
        if (strlen(text) > text_max(field))
            return AG_ERR_ARGUMENT;
        write_field(out, field->tag, text, (uint32_t)strlen(text) + 1);
        return AG_OK;
    case KIND_PORT:
        memcpy(&port, at, sizeof port);
        if (port == 0)
            return AG_OK;
        ag_writer_u8(out, field->tag);
        ag_writer_u16le(out, sizeof port);
        ag_writer_u16le(out, port);
        return AG_OK;
    case KIND_FLAG:
        if (provisioning->one_connection)
            write_field(out, field->tag, NULL, 0);
        return AG_OK;
    case KIND_BYTES:
        if (provisioning->trust_size > UINT16_MAX)
            return AG_ERR_NO_SPACE;
        if (provisioning->trust_size > 0)
            write_field(out, field->tag, provisioning->trust, provisioning->trust_size);
        return AG_OK;
    }
    return AG_OK;
}

enum ag_status ag_provisioning_write(const struct ag_provisioning *provisioning, uint8_t *partition,
                                     uint32_t size)
{
    struct ag_writer body;
    struct ag_writer head;
    if (size < HEAD_SIZE)
        return AG_ERR_NO_SPACE;
    memset(partition, 0xFF, size);
    ag_writer_init(&body, partition + HEAD_SIZE, size - HEAD_SIZE);
    for (uint32_t i = 0; i < FIELD_COUNT; i++) {
        const enum ag_status status = write_one(&body, &fields[i], provisioning);
        if (status != AG_OK)
            return status;
    }
    if (body.status != AG_OK)
        return body.status;
    ag_writer_init(&head, partition, HEAD_SIZE);
    ag_writer_u32le(&head, MAGIC);
    ag_writer_u32le(&head, FORMAT);
    ag_writer_u32le(&head, (uint32_t)body.size);
    ag_writer_u32le(&head, ag_crc32_update(0, body.start, body.size));
    return head.status;
}
