// SPDX-License-Identifier: Apache-2.0
// Skims the code section of a module for instructions that decide what the builder may rewrite.
#ifndef AG_CLI_MODULE_CODE_H
#define AG_CLI_MODULE_CODE_H

#include "base/reader.h"
#include "cli/buffer.h"

// How the immediates of an opcode are encoded.
enum ag_module_immediates {
    AG_MODULE_NONE,
    AG_MODULE_LEB,        // one unsigned LEB128
    AG_MODULE_SIGNED_LEB, // one signed LEB128
    AG_MODULE_LEB_LEB,    // two unsigned ones
    AG_MODULE_BYTE,
    AG_MODULE_BYTES_4,
    AG_MODULE_BYTES_8,
    AG_MODULE_VECTOR_LEB, // a count, as many LEB128, and one more
    AG_MODULE_BYTE_TYPES, // a count and as many bytes
    AG_MODULE_PREFIX,     // a second opcode, a LEB128, with immediates of its own
    AG_MODULE_UNKNOWN,
};
enum ag_module_immediates ag_module_code_immediates(uint8_t opcode);
enum ag_module_immediates ag_module_code_immediates_prefixed(uint32_t opcode);

// A direct call: the index of the calling function among those with code, and the index of the
// called one among all functions, imports first.
struct ag_module_call {
    uint32_t caller;
    uint32_t callee;
};

// A frame whose size is not known.
#define AG_MODULE_FRAME_UNKNOWN UINT32_MAX

// Returns the instructions that occur in a code section, as enum ag_module_use or-ed. Appends every
// direct call to `calls`, and to `frames` for each function the bytes by which it lowers global 0,
// clang's stack pointer, or AG_MODULE_FRAME_UNKNOWN when it handles globals in another way than
// clang does for variables of constant size. An instruction that is not known ends the skim of its
// function. The reader's error sticks as always.
unsigned ag_module_code_read(struct ag_reader *reader, struct ag_buffer *calls,
                             struct ag_buffer *frames);

#endif
