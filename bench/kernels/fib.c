// SPDX-License-Identifier: Apache-2.0
// Recursion: two functions that call themselves, with nothing to do but calling.
#include "kernel.h"

static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

uint32_t kernel_fib(uint32_t rounds)
{
    uint32_t sum = 1;
    for (uint32_t i = 0; i < rounds; i++) {
        sum = kernel_mix(sum, fib(14 + (i & 3)));
        sum = kernel_mix(sum, ackermann(2, 12 + (i & 7)));
    }
    return sum;
}
