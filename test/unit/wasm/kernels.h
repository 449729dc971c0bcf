// SPDX-License-Identifier: Apache-2.0
// Small programs that are compiled twice, for this machine and for WebAssembly, and must agree.
// Each takes one number and returns one.
#ifndef AG_TEST_KERNELS_H
#define AG_TEST_KERNELS_H

#include <stdint.h>

#define KERNELS(X)                                                                                 \
    INTEGER_KERNELS(X)                                                                             \
    X(matrix)                                                                                      \
    X(filter)

// Those that an engine without floats runs.
#define INTEGER_KERNELS(X)                                                                         \
    X(fibonacci)                                                                                   \
    X(crc32)                                                                                       \
    X(sha256)                                                                                      \
    X(quicksort)                                                                                   \
    X(tokenize)                                                                                    \
    X(machine)                                                                                     \
    X(modpow)                                                                                      \
    X(indirect)                                                                                    \
    X(bytes)

#define DECLARE_KERNEL(name) uint32_t kernel_##name(uint32_t n);
KERNELS(DECLARE_KERNEL)
#undef DECLARE_KERNEL

#endif
