// SPDX-License-Identifier: Apache-2.0
// The kernels compiled for WebAssembly, laid into the program.
#ifndef AG_BENCH_ARM_MODULES_H
#define AG_BENCH_ARM_MODULES_H

#include <stdint.h>

#include "bench/kernels/kernel.h"

struct module {
    const char *name;   // of the kernel
    const char *export; // of its entry
    uint32_t (*native)(uint32_t rounds);
    const uint8_t *bytes;
    const uint8_t *end;
};

extern const struct module modules[];
extern const uint32_t module_count;

#endif
