// SPDX-License-Identifier: Apache-2.0
// MODULES is the folder in which the linked modules are, NAME.wasm.
#include "modules.h"

// The assembler takes the file in.
#define INCLUDE(name)                                                                              \
    extern const uint8_t module_##name[];                                                          \
    extern const uint8_t module_##name##_end[];                                                    \
    __asm__(".section .rodata.module_" #name ",\"a\"\n"                                            \
            ".balign 4\n"                                                                          \
            ".global module_" #name "\n"                                                           \
            ".global module_" #name "_end\n"                                                       \
            "module_" #name ": .incbin \"" MODULES "/" #name ".wasm\"\n"                           \
            "module_" #name "_end:\n"                                                              \
            ".previous\n");
KERNELS(INCLUDE)

#define MODULE(name) { #name, "kernel_" #name, kernel_##name, module_##name, module_##name##_end },
const struct module modules[] = { KERNELS(MODULE) };
const uint32_t module_count = sizeof modules / sizeof modules[0];
