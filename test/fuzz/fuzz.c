// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

uint32_t fuzz_hash(uint32_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return hash;
}

uint32_t fuzz_hash_number(uint32_t hash, uint64_t number)
{
    return fuzz_hash(hash, &number, sizeof number);
}

void fuzz_pieces(const uint8_t *bytes, size_t size, uint8_t cut, fuzz_feed *feed, void *context)
{
    uint32_t random = cut;
    for (size_t at = 0; at < size;) {
        random = random * 1664525 + 1013904223;
        size_t piece = cut ? 1 + (random >> 28) : size;
        if (piece > size - at)
            piece = size - at;
        uint8_t *copy = malloc(piece);
        FUZZ_CHECK(copy);
        memcpy(copy, bytes + at, piece);
        const int goes_on = feed(context, copy, piece);
        free(copy);
        if (!goes_on)
            return;
        at += piece;
    }
}
