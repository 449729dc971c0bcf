// SPDX-License-Identifier: Apache-2.0
// The last lines of the log, of each source some.
//
// A line is held as: length of its source, length of its text, level, whether it is kept, sequence,
// time, source, text. Lines lie one behind the other, oldest first.
#include "host/log_ring.h"

#include <string.h>

#include "base/reader.h"
#include "base/utf8.h"

#define HEAD_SIZE 12u
#define KEPT_AT   3u // in a line

// What ag_log_ring_write puts before a text: sequence, time, level, length.
#define KEPT_HEAD_SIZE 10u

_Static_assert(AG_CFG_LOG_SIZE >= 4 * (HEAD_SIZE + AG_CFG_NAME_MAX + AG_CFG_LOG_LINE),
               "AG_CFG_LOG_SIZE holds at least four of the longest lines");

void ag_log_ring_init(struct ag_log_ring *ring, uint32_t sequence)
{
    ring->size = 0;
    ring->lost = 0;
    ring->sequence = sequence;
}

static uint32_t size_at(const struct ag_log_ring *ring, uint32_t at)
{
    return HEAD_SIZE + ring->bytes[at] + ring->bytes[at + 1];
}

static struct ag_text source_at(const struct ag_log_ring *ring, uint32_t at)
{
    return (struct ag_text){ (const char *)ring->bytes + at + HEAD_SIZE, ring->bytes[at] };
}

static bool is_of(const struct ag_log_ring *ring, uint32_t at, struct ag_text source)
{
    return ag_text_is_same(source_at(ring, at), source);
}

// The oldest line of the source that holds the most bytes.
static uint32_t find_largest(const struct ag_log_ring *ring)
{
    uint32_t largest = 0;
    uint32_t largest_size = 0;
    for (uint32_t at = 0; at < ring->size; at += size_at(ring, at)) {
        uint32_t size = 0;
        for (uint32_t other = at; other < ring->size; other += size_at(ring, other))
            if (is_of(ring, other, source_at(ring, at)))
                size += size_at(ring, other);
        if (size > largest_size) { // what comes later of the same source adds up to less
            largest = at;
            largest_size = size;
        }
    }
    return largest;
}

static void remove_at(struct ag_log_ring *ring, uint32_t at)
{
    uint32_t size = size_at(ring, at);
    ring->lost += ring->bytes[at + KEPT_AT] == 0 && ring->lost < UINT32_MAX;
    ring->size -= size;
    memmove(ring->bytes + at, ring->bytes + at + size, ring->size - at);
}

// Whether a well-formed character may stand in a line as it is: no control character (C0, DEL, C1)
// and none that turns or breaks lines for whoever looks at it.
static bool is_harmless(const uint8_t *at, size_t size)
{
    if (size == 1)
        return at[0] >= 0x20 && at[0] != 0x7F;
    if (size == 2)
        return !(at[0] == 0xC2 && at[1] < 0xA0) && !(at[0] == 0xD8 && at[1] == 0x9C);
    if (size != 3 || at[0] != 0xE2)
        return true;
    if (at[1] == 0x80) // U+200E, U+200F, U+2028 to U+202E
        return !(at[2] == 0x8E || at[2] == 0x8F || (at[2] >= 0xA8 && at[2] <= 0xAE));
    return !(at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9); // U+2066 to U+2069
}

// Whole characters only: the writer takes each or none, and then no more.
static void write_harmless(struct ag_writer *out, struct ag_text text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.size && out->status == AG_OK;) {
        const uint8_t *at = (const uint8_t *)text.at + i;
        size_t size = ag_utf8_character_size(text.at + i, text.size - i);
        if (size > 0 && is_harmless(at, size)) {
            ag_writer_bytes(out, at, size);
            i += size;
            continue;
        }
        char escape[4] = { '\\', 'x', digits[at[0] >> 4], digits[at[0] & 15] };
        ag_writer_bytes(out, escape, sizeof escape);
        i++;
    }
}

void ag_log_ring_add(struct ag_log_ring *ring, const struct ag_log_ring_line *line)
{
    char text[AG_CFG_LOG_LINE];
    struct ag_writer harmless;
    ag_writer_init(&harmless, text, sizeof text);
    write_harmless(&harmless, line->text);
    size_t source_size =
        line->source.size < AG_CFG_NAME_MAX ? line->source.size : (size_t)AG_CFG_NAME_MAX;
    uint32_t size = (uint32_t)(HEAD_SIZE + source_size + harmless.size);
    while (size > sizeof ring->bytes - ring->size)
        remove_at(ring, find_largest(ring));
    struct ag_writer out;
    ag_writer_init(&out, ring->bytes + ring->size, size);
    ag_writer_u8(&out, (uint8_t)source_size);
    ag_writer_u8(&out, (uint8_t)harmless.size);
    ag_writer_u8(&out, (uint8_t)line->level);
    ag_writer_u8(&out, 0);
    ag_writer_u32le(&out, ring->sequence);
    ag_writer_u32le(&out, line->time_s);
    ag_writer_bytes(&out, line->source.at, source_size);
    ag_writer_bytes(&out, text, harmless.size);
    ring->size += size;
    ring->sequence++;
}

static void line_at(const struct ag_log_ring *ring, uint32_t at, struct ag_log_ring_line *line)
{
    struct ag_reader reader;
    ag_reader_init(&reader, ring->bytes + at, size_at(ring, at));
    size_t source_size = ag_reader_u8(&reader);
    size_t text_size = ag_reader_u8(&reader);
    line->level = (enum ag_log_level)ag_reader_u8(&reader);
    (void)ag_reader_u8(&reader);
    line->sequence = ag_reader_u32le(&reader);
    line->time_s = ag_reader_u32le(&reader);
    line->source = source_at(ring, at);
    line->text = (struct ag_text){ line->source.at + source_size, text_size };
}

bool ag_log_ring_next(const struct ag_log_ring *ring, struct ag_text source, uint32_t *at,
                      struct ag_log_ring_line *line)
{
    while (*at < ring->size) {
        uint32_t here = *at;
        *at += size_at(ring, here);
        if (source.size > 0 && !is_of(ring, here, source))
            continue;
        line_at(ring, here, line);
        return true;
    }
    return false;
}

struct ag_text ag_log_ring_largest(const struct ag_log_ring *ring)
{
    if (ring->size == 0)
        return (struct ag_text){ NULL, 0 };
    return source_at(ring, find_largest(ring));
}

uint32_t ag_log_ring_unkept(const struct ag_log_ring *ring, struct ag_text source)
{
    uint32_t size = 0;
    for (uint32_t at = 0; at < ring->size; at += size_at(ring, at))
        if (ring->bytes[at + KEPT_AT] == 0 && is_of(ring, at, source))
            size += KEPT_HEAD_SIZE + ring->bytes[at + 1];
    return size;
}

void ag_log_ring_write(struct ag_log_ring *ring, struct ag_text source, struct ag_writer *out)
{
    for (uint32_t at = 0; at < ring->size; at += size_at(ring, at)) {
        struct ag_log_ring_line line;
        if (ring->bytes[at + KEPT_AT] != 0 || !is_of(ring, at, source))
            continue;
        line_at(ring, at, &line);
        if (KEPT_HEAD_SIZE + line.text.size > out->capacity - out->size)
            return;
        ag_writer_u32le(out, line.sequence);
        ag_writer_u32le(out, line.time_s);
        ag_writer_u8(out, (uint8_t)line.level);
        ag_writer_u8(out, (uint8_t)line.text.size);
        ag_writer_bytes(out, line.text.at, line.text.size);
        ring->bytes[at + KEPT_AT] = 1;
    }
}

bool ag_log_ring_read(const uint8_t **bytes, size_t *size, struct ag_log_ring_line *line)
{
    struct ag_reader reader;
    ag_reader_init(&reader, *bytes, *size);
    line->sequence = ag_reader_u32le(&reader);
    line->time_s = ag_reader_u32le(&reader);
    uint8_t level = ag_reader_u8(&reader);
    line->text.size = ag_reader_u8(&reader);
    line->text.at = (const char *)ag_reader_bytes(&reader, line->text.size);
    if (reader.status != AG_OK || level > AG_LOG_DEBUG || !ag_utf8_is_valid(line->text))
        return false;
    line->level = (enum ag_log_level)level;
    line->source = (struct ag_text){ NULL, 0 };
    *size = ag_reader_left(&reader);
    *bytes += KEPT_HEAD_SIZE + line->text.size;
    return true;
}
