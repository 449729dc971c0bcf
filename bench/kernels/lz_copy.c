// SPDX-License-Identifier: Apache-2.0
// Bytes moved one by one and in runs: a text is packed by a small LZ77 coder with a hash table, and
// unpacked again by copies that may overlap themselves; then both are compared.
#include "kernel.h"

enum {
    TEXT_SIZE = 1024,
    PACKED_MAX = TEXT_SIZE + TEXT_SIZE / 8 + 16,
    HASH_SIZE = 256,
    MATCH_MIN = 4,
    MATCH_MAX = 67,
    LITERAL_MAX = 128,
};

static uint8_t text[TEXT_SIZE];
static uint8_t packed[PACKED_MAX];
static uint8_t unpacked[TEXT_SIZE];
static uint16_t heads[HASH_SIZE]; // 1 + the last place with this hash; 0: none

static const char *const parts[] = { "temperature ", "valve open, ", "valve closed, ",
                                     "21.5 C; ",     "20.75 C; ",    "alarm: ",
                                     "none. ",       "------------" };

static void make_text(uint32_t *seed)
{
    uint32_t size = 0;
    while (size < TEXT_SIZE) {
        const uint32_t random = kernel_random(seed);
        for (const char *at = parts[random >> 8 & 7]; *at && size < TEXT_SIZE; at++)
            text[size++] = (uint8_t)*at;
        if (size < TEXT_SIZE)
            text[size++] = (uint8_t)('0' + (random >> 16 & 7));
    }
}

static uint32_t hash_at(const uint8_t *at)
{
    const uint32_t word =
        at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return word * 2654435761u >> 24;
}

static uint8_t *put_literals(uint8_t *to, const uint8_t *from, uint32_t count)
{
    while (count > 0) {
        const uint32_t run = count > LITERAL_MAX ? LITERAL_MAX : count;
        *to++ = (uint8_t)(run - 1);
        for (uint32_t i = 0; i < run; i++)
            *to++ = *from++;
        count -= run;
    }
    return to;
}

static uint32_t match_size(uint32_t a, uint32_t b)
{
    uint32_t size = 0;
    while (b + size < TEXT_SIZE && size < MATCH_MAX && text[a + size] == text[b + size])
        size++;
    return size;
}

// 0xxxxxxx: x + 1 literals follow. 1xxxxxxd dddddddd: a copy of x + 4 bytes from d + 1 back (d has
// 9 bits).
static uint32_t pack(void)
{
    uint8_t *to = packed;
    uint32_t at = 0;
    uint32_t literals = 0; // where those that are not yet put begin
    for (uint32_t i = 0; i < HASH_SIZE; i++)
        heads[i] = 0;
    while (at + MATCH_MIN <= TEXT_SIZE) {
        const uint32_t hash = hash_at(text + at);
        const uint32_t head = heads[hash];
        const uint32_t size = head > 0 && at - (head - 1) <= 512 ? match_size(head - 1, at) : 0;
        heads[hash] = (uint16_t)(at + 1);
        if (size < MATCH_MIN) {
            at++;
            continue;
        }
        const uint32_t distance = at - (head - 1) - 1;
        to = put_literals(to, text + literals, at - literals);
        *to++ = (uint8_t)(0x80 | (size - MATCH_MIN) << 1 | distance >> 8);
        *to++ = (uint8_t)distance;
        at += size;
        literals = at;
    }
    to = put_literals(to, text + literals, TEXT_SIZE - literals);
    return (uint32_t)(to - packed);
}

static uint32_t unpack(uint32_t packed_size)
{
    const uint8_t *from = packed;
    uint8_t *to = unpacked;
    while (from < packed + packed_size) {
        const uint32_t control = *from++;
        if (control < 0x80) {
            for (uint32_t i = 0; i <= control; i++)
                *to++ = *from++;
            continue;
        }
        const uint8_t *source = to - ((control & 1) << 8 | *from++) - 1;
        for (uint32_t i = 0; i < (control >> 1 & 63) + MATCH_MIN; i++)
            *to++ = *source++;
    }
    return (uint32_t)(to - unpacked);
}

uint32_t kernel_lz_copy(uint32_t rounds)
{
    uint32_t seed = 271828182u;
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        make_text(&seed);
        const uint32_t packed_size = pack();
        const uint32_t size = unpack(packed_size);
        uint32_t same = 0;
        while (same < size && text[same] == unpacked[same])
            same++;
        sum = kernel_mix(sum, packed_size << 16 | same);
        for (uint32_t i = 0; i < packed_size; i += 4)
            sum = kernel_mix(sum, packed[i]);
    }
    return sum;
}
