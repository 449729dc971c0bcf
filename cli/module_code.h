// SPDX-License-Identifier: Apache-2.0
// Skims the code section of a module for instructions that decide what the builder may rewrite.
#ifndef AG_CLI_MODULE_CODE_H
#define AG_CLI_MODULE_CODE_H

#include "base/reader.h"
#include "cli/buffer.h"

// A direct call: the index of the calling function among those with code, and the index of the
// called one among all functions, imports first.
struct ag_module_call {
    uint32_t caller;
    uint32_t callee;
};

// The instructions that occur in a code section, as enum ag_module_use or-ed; every direct call
// is appended to `calls`. An instruction that is not known ends the skim of its function. The
// reader's error sticks as always.
unsigned ag_module_code_uses(struct ag_reader *reader, struct ag_buffer *calls);

#endif
