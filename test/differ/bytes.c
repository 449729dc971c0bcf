// SPDX-License-Identifier: Apache-2.0
// A growing buffer of bytes, and random numbers from a seed.
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_clear(struct bytes *bytes)
{
    free(bytes->at);
    memset(bytes, 0, sizeof *bytes);
}

void bytes_put(struct bytes *bytes, const void *from, uint32_t size)
{
    if (size > bytes->capacity - bytes->size) {
        bytes->capacity = (bytes->capacity + size) * 2;
        bytes->at = realloc(bytes->at, bytes->capacity);
        if (!bytes->at) {
            fputs("out of memory\n", stderr);
            exit(2);
        }
    }
    if (size > 0)
        memcpy(bytes->at + bytes->size, from, size);
    bytes->size += size;
}

void bytes_put_u8(struct bytes *bytes, uint32_t value)
{
    const uint8_t byte = (uint8_t)value;
    bytes_put(bytes, &byte, 1);
}

void bytes_put_leb(struct bytes *bytes, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes_put_u8(bytes, (uint8_t)(value | 0x80));
    bytes_put_u8(bytes, (uint8_t)value);
}

void bytes_put_signed_leb(struct bytes *bytes, int64_t value)
{
    for (; value < -64 || value > 63; value >>= 7)
        bytes_put_u8(bytes, (uint8_t)(value | 0x80));
    bytes_put_u8(bytes, (uint8_t)(value & 0x7F));
}

void bytes_put_sized(struct bytes *bytes, const struct bytes *from)
{
    bytes_put_leb(bytes, from->size);
    bytes_put(bytes, from->at, from->size);
}

void bytes_put_section(struct bytes *bytes, uint8_t id, const struct bytes *from)
{
    bytes_put_u8(bytes, id);
    bytes_put_sized(bytes, from);
}

uint64_t random_next(struct random *random)
{
    uint64_t mixed = random->state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

uint32_t random_below(struct random *random, uint32_t limit)
{
    return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

bool random_percent(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}
