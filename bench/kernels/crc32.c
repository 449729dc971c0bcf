// SPDX-License-Identifier: Apache-2.0
// CRC-32 bit by bit, without a table, over a buffer that the last result changes.
#include "kernel.h"

enum {
    SIZE = 1024,
};

static uint8_t buffer[SIZE];

static uint32_t crc32(const uint8_t *bytes, uint32_t size)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

uint32_t kernel_crc32(uint32_t rounds)
{
    uint32_t seed = 2463534242u;
    uint32_t sum = 1;
    for (uint32_t i = 0; i < SIZE; i++)
        buffer[i] = (uint8_t)(kernel_random(&seed) >> 11);
    for (uint32_t round = 0; round < rounds; round++) {
        const uint32_t crc = crc32(buffer, SIZE - (round & 15));
        buffer[crc & (SIZE - 1)] ^= (uint8_t)(crc >> 16);
        sum = kernel_mix(sum, crc);
    }
    return sum;
}
