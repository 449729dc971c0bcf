// SPDX-License-Identifier: Apache-2.0
// Source lines out of DWARF, by llvm-symbolizer; C++ and Rust names, by llvm-cxxfilt.
//
// What these programs read may be broken, so they are given little time and memory, and whatever
// they answer is checked; a failure of theirs is an answer too.
#ifndef AG_CLI_DEBUG_SYMBOLIZER_H
#define AG_CLI_DEBUG_SYMBOLIZER_H

#include <stddef.h>
#include <stdint.h>

// One function that the instruction belongs to.
struct ag_symbolizer_frame {
    char *function;  // "" when it is not known
    char *file;      // relative to the project's folder where it lies in there; "": not known
    uint32_t line;   // 0: none, the compiler added the instruction
    uint32_t column; // 0: not known
};

// The innermost function first, then those it has been inlined into; the last is a function of the
// module.
struct ag_symbolizer_frames {
    struct ag_symbolizer_frame *items;
    size_t count;
};

enum ag_symbolizer_outcome {
    AG_SYMBOLIZER_FOUND = 0,
    AG_SYMBOLIZER_UNKNOWN, // the file says nothing about this address
    AG_SYMBOLIZER_ABSENT,  // the program is not installed
    AG_SYMBOLIZER_FAILED,  // it did not succeed, or its answer was not understood
};

// Looks an address (from the start of the code section's content) up in a module with DWARF.
// *frames is the caller's to clear if FOUND, else empty. AIRGRAFT_SYMBOLIZER names another program.
enum ag_symbolizer_outcome ag_symbolizer_find(const char *path, uint32_t address,
                                              struct ag_symbolizer_frames *frames);
void ag_symbolizer_clear(struct ag_symbolizer_frames *frames);

// A name as its author wrote it, if it is one of C++ or Rust and the program is there; else the
// same name. Takes `name` over; the result is the caller's to free.
char *ag_symbolizer_demangle(char *name);

#endif
