// SPDX-License-Identifier: Apache-2.0
// Bounds-checked reader with a sticky error.
#include "base/reader.h"

void ag_reader_init(struct ag_reader *reader, const void *bytes, size_t size)
{
    static const uint8_t nothing[1];
    reader->start = size > 0 ? bytes : nothing;
    reader->at = reader->start;
    reader->end = reader->start + size;
    reader->status = AG_OK;
}

void ag_reader_fail(struct ag_reader *reader, enum ag_status status)
{
    if (reader->status == AG_OK)
        reader->status = status;
}

size_t ag_reader_left(const struct ag_reader *reader)
{
    return reader->status == AG_OK ? (size_t)(reader->end - reader->at) : 0;
}

size_t ag_reader_offset(const struct ag_reader *reader)
{
    return (size_t)(reader->at - reader->start);
}

const uint8_t *ag_reader_bytes(struct ag_reader *reader, size_t size)
{
    if (size > ag_reader_left(reader)) {
        ag_reader_fail(reader, AG_ERR_TRUNCATED);
        return NULL;
    }
    if (reader->status != AG_OK)
        return NULL;
    const uint8_t *bytes = reader->at;
    reader->at += size;
    return bytes;
}

struct ag_reader ag_reader_sub(struct ag_reader *reader, size_t size)
{
    struct ag_reader sub;
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    ag_reader_init(&sub, bytes, bytes ? size : 0);
    sub.status = reader->status;
    return sub;
}

uint8_t ag_reader_u8(struct ag_reader *reader)
{
    const uint8_t *bytes = ag_reader_bytes(reader, 1);
    return bytes ? bytes[0] : 0;
}

static uint64_t read_le(struct ag_reader *reader, size_t size)
{
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint16_t ag_reader_u16le(struct ag_reader *reader)
{
    return (uint16_t)read_le(reader, 2);
}

uint32_t ag_reader_u32le(struct ag_reader *reader)
{
    return (uint32_t)read_le(reader, 4);
}

uint64_t ag_reader_u64le(struct ag_reader *reader)
{
    return read_le(reader, 8);
}

uint16_t ag_reader_u16be(struct ag_reader *reader)
{
    const uint8_t *bytes = ag_reader_bytes(reader, 2);
    if (!bytes)
        return 0;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

// Reads up to `bits` bits, 7 a byte, low ones first; leaves in *last the final byte and in *shift
// the number of bits that came before it. False after an error.
static bool read_leb(struct ag_reader *reader, unsigned bits, uint64_t *value, uint8_t *last,
                     unsigned *shift)
{
    *value = 0;
    for (*shift = 0; *shift < bits; *shift += 7) {
        *last = ag_reader_u8(reader);
        *value |= (uint64_t)(*last & 0x7F) << *shift;
        if (!(*last & 0x80))
            return reader->status == AG_OK;
    }
    ag_reader_fail(reader, AG_ERR_MALFORMED);
    return false;
}

uint32_t ag_reader_leb_u32(struct ag_reader *reader)
{
    uint64_t value;
    uint8_t last;
    unsigned shift;
    if (!read_leb(reader, 32, &value, &last, &shift))
        return 0;
    if (value > UINT32_MAX) {
        ag_reader_fail(reader, AG_ERR_MALFORMED);
        return 0;
    }
    return (uint32_t)value;
}

static int64_t read_signed_leb(struct ag_reader *reader, unsigned bits)
{
    uint64_t value;
    uint8_t last;
    unsigned shift;
    if (!read_leb(reader, bits, &value, &last, &shift))
        return 0;
    if (shift + 7 >= bits) {
        // The last possible byte: its bits from the sign bit up must all be equal.
        const unsigned sign = bits - shift - 1;
        const unsigned high = (last & 0x7Fu) >> sign;
        if (high != 0 && high != 0x7Fu >> sign) {
            ag_reader_fail(reader, AG_ERR_MALFORMED);
            return 0;
        }
    }
    if ((last & 0x40) && shift + 7 < 64)
        value |= UINT64_MAX << (shift + 7);
    return (int64_t)value;
}

int32_t ag_reader_leb_s32(struct ag_reader *reader)
{
    return (int32_t)read_signed_leb(reader, 32);
}

int64_t ag_reader_leb_s33(struct ag_reader *reader)
{
    return read_signed_leb(reader, 33);
}

int64_t ag_reader_leb_s64(struct ag_reader *reader)
{
    return read_signed_leb(reader, 64);
}
