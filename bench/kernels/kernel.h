// SPDX-License-Identifier: Apache-2.0
// The kernels: small programs of the kinds that plug-ins are made of, compiled natively and for
// WebAssembly. Each is one freestanding file with one entry:
//
//   uint32_t kernel_NAME(uint32_t rounds)
//
// It does the same work `rounds` times over and returns a checksum to which all of it contributes.
// It begins from the same state each time it is called; its time is linear in `rounds`. Memory is
// static, less than 32 KiB, so that a kernel fits a microcontroller and one page of linear memory.
#ifndef AG_BENCH_KERNEL_H
#define AG_BENCH_KERNEL_H

#include <stdint.h>

#define KERNELS(X)                                                                                 \
    X(coremark_like)                                                                               \
    X(fib)                                                                                         \
    X(sha256)                                                                                      \
    X(crc32)                                                                                       \
    X(matrix_f32)                                                                                  \
    X(nbody_f64)                                                                                   \
    X(filters)                                                                                     \
    X(fft_q15)                                                                                     \
    X(quicksort)                                                                                   \
    X(json_tokens)                                                                                 \
    X(vm_loop)                                                                                     \
    X(mulmod64)                                                                                    \
    X(indirect)                                                                                    \
    X(lz_copy)                                                                                     \
    X(hash_table)                                                                                  \
    X(sieve)

#define KERNEL_DECLARE(name) uint32_t kernel_##name(uint32_t rounds);
KERNELS(KERNEL_DECLARE)
#undef KERNEL_DECLARE

// Takes a value into a checksum; the order counts.
static inline uint32_t kernel_mix(uint32_t sum, uint32_t value)
{
    return (sum ^ value) * 16777619u + (sum >> 15);
}

// The next of a row of numbers that look random (xorshift; the state is not 0).
static inline uint32_t kernel_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

#endif
