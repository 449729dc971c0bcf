// SPDX-License-Identifier: Apache-2.0
// Makes the unsigned plug-in file out of a linked module (FORMATS.md 1).
#ifndef AG_CLI_BUILD_ASSEMBLE_H
#define AG_CLI_BUILD_ASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "cli/module.h"
#include "plugin/metadata.h"

// What became of the linear memory.
struct ag_assemble_memory {
    uint32_t size;    // bytes, exact where pages are single bytes
    bool keeps_pages; // pages of 64 KiB stay, as the code counts in them
};

// How large the memory of the file will be: `needed` bytes, or the whole pages of a module that
// grows its memory or asks for its size.
struct ag_assemble_memory ag_assemble_memory_of(const struct ag_module *linked, uint32_t needed);

// Appends the file to `out`. Custom sections of the toolchain (names, producers, debug information)
// are left out, and a table or global that no instruction can reach. Everything else is taken over
// as it is. The two delimiters are derived from the content, so that the same input always gives
// the same file.
void ag_assemble_file(const struct ag_module *linked, const struct ag_plugin_metadata *metadata,
                      struct ag_assemble_memory memory, struct ag_buffer *out);

#endif
