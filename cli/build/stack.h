// SPDX-License-Identifier: Apache-2.0
// How much stack a plug-in needs at most: the engine's call stack, and the C stack in its memory.
#ifndef AG_CLI_BUILD_STACK_H
#define AG_CLI_BUILD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/module.h"

// The bytes of engine stack that the longest chain of calls from the plug-in's exports takes:
// exact for the engine in this program but for the overlap of frames, which is not deducted.
// False when there is no bound to be seen, see ag_callgraph_heaviest. `bytes` is the whole file
// that `module` was read from, which the engine accepts.
bool ag_stack_calls(const void *bytes, size_t size, const struct ag_module *module,
                    uint32_t *stack_size);

// The bytes of C stack that the longest chain of calls takes: exact for every engine. False when
// there is no bound to be seen, as above, or a function moves the stack pointer in another way
// than clang does for variables of constant size.
bool ag_stack_data(const struct ag_module *module, uint32_t *stack_size);

#endif
