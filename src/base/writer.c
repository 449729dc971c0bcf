// SPDX-License-Identifier: Apache-2.0
// Bounds-checked writer with a sticky error.
#include "base/writer.h"

#include <string.h>

void ag_writer_init(struct ag_writer *writer, void *storage, size_t capacity)
{
    writer->start = storage;
    writer->capacity = capacity;
    writer->size = 0;
    writer->status = AG_OK;
}

void ag_writer_bytes(struct ag_writer *writer, const void *bytes, size_t size)
{
    if (size > writer->capacity - writer->size)
        writer->status = AG_ERR_NO_SPACE;
    if (writer->status != AG_OK || size == 0)
        return;
    memcpy(writer->start + writer->size, bytes, size);
    writer->size += size;
}

static void write_le(struct ag_writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    ag_writer_bytes(writer, bytes, size);
}

void ag_writer_u8(struct ag_writer *writer, uint8_t value)
{
    write_le(writer, value, 1);
}

void ag_writer_u16le(struct ag_writer *writer, uint16_t value)
{
    write_le(writer, value, 2);
}

void ag_writer_u32le(struct ag_writer *writer, uint32_t value)
{
    write_le(writer, value, 4);
}

void ag_writer_u64le(struct ag_writer *writer, uint64_t value)
{
    write_le(writer, value, 8);
}

void ag_writer_u16be(struct ag_writer *writer, uint16_t value)
{
    const uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
    ag_writer_bytes(writer, bytes, sizeof bytes);
}

void ag_writer_leb_u32(struct ag_writer *writer, uint32_t value)
{
    uint8_t bytes[5];
    size_t size = 0;
    do {
        const uint8_t low = value & 0x7F;
        value >>= 7;
        bytes[size++] = value ? low | 0x80 : low;
    } while (value);
    ag_writer_bytes(writer, bytes, size);
}

void ag_writer_text(struct ag_writer *writer, const char *text)
{
    ag_writer_bytes(writer, text, strlen(text));
}

void ag_writer_decimal(struct ag_writer *writer, int64_t value)
{
    char digits[20]; // "-9223372036854775808"
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    ag_writer_bytes(writer, digits + at, sizeof digits - at);
}

const char *ag_writer_finish_text(struct ag_writer *writer)
{
    if (writer->status == AG_OK && writer->size == writer->capacity)
        writer->status = AG_ERR_NO_SPACE;
    if (writer->status != AG_OK)
        return "";
    writer->start[writer->size] = 0;
    return (const char *)writer->start;
}
