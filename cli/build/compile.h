// SPDX-License-Identifier: Apache-2.0
// Runs clang and wasm-ld on a project.
#ifndef AG_CLI_BUILD_COMPILE_H
#define AG_CLI_BUILD_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/project.h"

// A linked module, with the names of its functions, and once more with debug information.
struct ag_compile_output {
    uint8_t *bytes; // the caller's to free, also after a failure
    size_t size;
    uint8_t *debug; // likewise
    size_t debug_size;
    uint32_t data_stack;      // bytes of linear memory for the C stack: 16 when the code needs none
    bool data_stack_is_known; // it is known to be enough
    uint32_t data_end;        // where its data, which follow, end
    uint32_t heap_base;       // where a heap may begin
};

// Compiles and links in a temporary folder, which is removed. `defines` are further macros for the
// compiler. Compiler and linker print their own messages. Prints the error and returns false on
// failure. `verbose`: prints each command.
bool ag_compile_project(const struct ag_project *project, const char *const *defines,
                        size_t define_count, bool verbose, struct ag_compile_output *output);

#endif
