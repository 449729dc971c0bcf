// SPDX-License-Identifier: Apache-2.0
// The heaviest chain of calls in a module, where each function has a weight: its frame on some
// stack.
#ifndef AG_CLI_CALLGRAPH_H
#define AG_CLI_CALLGRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/module.h"

// A weight of a function that is not known: any chain through it has no bound.
#define AG_CALLGRAPH_UNKNOWN UINT32_MAX

// The heaviest chain that begins at an export of the plug-in ABI. `weights` has one entry per
// function with code, in their order. False when there is no bound to be seen: recursion, calls
// through pointers, a start function, code that is not understood, an unknown weight on the way.
bool ag_callgraph_heaviest(const struct ag_module *module, const uint32_t *weights,
                           uint32_t *weight);

#endif
