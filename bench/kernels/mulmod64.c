// SPDX-License-Identifier: Apache-2.0
// 64-bit arithmetic: is a number prime (Miller and Rabin), by multiplication modulo a number of 32
// bits and, for larger ones, of 63 bits by doubling; products of 128 bits; greatest common
// divisors.
#include "kernel.h"

static uint64_t power_modulo(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (base %= modulus; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}

static int is_prime(uint64_t n) // odd, above 7, below 2^32
{
    static const uint8_t bases[] = { 2, 3, 5, 7 };
    uint64_t odd = n - 1;
    int twos = 0;
    for (; (odd & 1) == 0; odd >>= 1)
        twos++;
    for (unsigned i = 0; i < sizeof bases; i++) {
        uint64_t x = power_modulo(bases[i], odd, n);
        int left = twos;
        if (x == 1 || x == n - 1)
            continue;
        while (--left > 0 && x != n - 1)
            x = x * x % n;
        if (x != n - 1)
            return 0;
    }
    return 1;
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus) // modulus below 2^63
{
    uint64_t result = 0;
    for (; b > 0; b >>= 1) {
        if (b & 1) {
            result += a;
            result = result >= modulus ? result - modulus : result;
        }
        a += a;
        a = a >= modulus ? a - modulus : a;
    }
    return result;
}

static uint64_t high_product(uint64_t a, uint64_t b)
{
    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    const uint64_t mixed = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    const uint64_t other = (a & UINT32_MAX) * (b >> 32) + (mixed & UINT32_MAX);
    return (a >> 32) * (b >> 32) + (mixed >> 32) + (other >> 32);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t kernel_mulmod64(uint32_t rounds)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 8; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum = kernel_mix(sum, (uint32_t)is_prime((state >> 32) | 0x80000001u));
        }
        const uint64_t a = state >> 1 & ~(uint64_t)1;
        const uint64_t b = a ^ 0x5DEECE66D1234567u >> 2;
        const uint64_t product = multiply_modulo(a % 0x7FFFFFFFFFFFFFE7u, b, 0x7FFFFFFFFFFFFFE7u);
        const uint64_t high = high_product(product, state);
        sum = kernel_mix(sum, (uint32_t)(product ^ high >> 32));
        sum = kernel_mix(sum, (uint32_t)high);
        sum = kernel_mix(sum, (uint32_t)common_divisor(a | 1, product | 1));
    }
    return sum;
}
