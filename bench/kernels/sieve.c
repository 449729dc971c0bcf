// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes over bits, and the counting of what is left.
#include "kernel.h"

enum {
    LIMIT = 8192,
};

static uint32_t composite[LIMIT / 32];

uint32_t kernel_sieve(uint32_t rounds)
{
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        const uint32_t limit = LIMIT - (round & 255);
        for (uint32_t i = 0; i < LIMIT / 32; i++)
            composite[i] = 0;
        for (uint32_t i = 2; i * i < limit; i++) {
            if (composite[i / 32] >> i % 32 & 1)
                continue;
            for (uint32_t j = i * i; j < limit; j += i)
                composite[j / 32] |= 1u << j % 32;
        }
        uint32_t count = 0;
        for (uint32_t i = 2; i < limit; i++) {
            if ((composite[i / 32] >> i % 32 & 1) == 0) {
                count++;
                sum += i;
            }
        }
        sum = kernel_mix(sum, count);
    }
    return sum;
}
