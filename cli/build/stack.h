// SPDX-License-Identifier: Apache-2.0
// How much call stack a plug-in needs at most.
#ifndef AG_CLI_BUILD_STACK_H
#define AG_CLI_BUILD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/module.h"

// The bytes of engine stack that the longest chain of calls from the plug-in's exports takes:
// exact for the engine in this program but for the overlap of frames, which is not deducted.
// False when there is no bound to be seen: recursion, calls through pointers, or code that is not
// understood. `bytes` is the whole file that `module` was read from, which the engine accepts.
bool ag_stack_bound(const void *bytes, size_t size, const struct ag_module *module,
                    uint32_t *stack_size);

#endif
