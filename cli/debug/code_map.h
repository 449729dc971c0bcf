// SPDX-License-Identifier: Apache-2.0
// The same code in two modules: in the published file, and in the one that is kept for debugging.
//
// The linker writes numbers that debug information refers to with five bytes each, and as short as
// it can in a file without such information. So the two files agree instruction by instruction,
// but not byte by byte, and an offset in one is looked up in the other by walking through both.
#ifndef AG_CLI_DEBUG_CODE_MAP_H
#define AG_CLI_DEBUG_CODE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/module.h"

// Whether both have the same imported functions, and functions of the same instructions with the
// same operands. Code with an instruction that this program does not know only agrees byte by byte.
bool ag_code_map_agrees(const struct ag_module *one, const struct ag_module *other);

enum ag_code_map_outcome {
    AG_CODE_MAP_FOUND = 0,
    AG_CODE_MAP_OUTSIDE, // of every function's instructions
    AG_CODE_MAP_BETWEEN, // within an instruction: no trap can have been there
    AG_CODE_MAP_UNLIKE,  // the code of the two does not agree
};

struct ag_code_map_spot {
    uint32_t function; // index, imports counted
    uint32_t address;  // in the other module, from the start of its code section's content, as in
                       // DWARF for WebAssembly
};

// Finds the instruction that begins at `offset`, bytes from the start of `one`, in `other`, which
// may be the same module. `function` is known unless OUTSIDE, all of *spot when FOUND.
enum ag_code_map_outcome ag_code_map_find(const struct ag_module *one,
                                          const struct ag_module *other, uint32_t offset,
                                          struct ag_code_map_spot *spot);

// Functions, imported ones included, and how many of them are imported.
uint32_t ag_code_map_functions(const struct ag_module *module, uint32_t *imported);

#endif
