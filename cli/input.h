// SPDX-License-Identifier: Apache-2.0
// Files as the command line reads and writes them: whole, with a limit, errors already printed.
#ifndef AG_CLI_INPUT_H
#define AG_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The largest plug-in file that the command line handles, bytes.
#define AG_INPUT_PLUGIN_MAX (16u << 20)
// The largest module with debug information, bytes.
#define AG_INPUT_DEBUG_MAX (256u << 20)
// The largest text file (configuration, settings, keys, certificates), bytes.
#define AG_INPUT_TEXT_MAX (1u << 20)

// Reads the whole file; "-" is standard input. On success *bytes is the caller's to free and has
// a NUL behind its last byte (not counted in *size). On failure the error is printed, false is
// returned and the outputs are untouched. A file of more than `limit` bytes is refused.
bool ag_input_read(const char *path, size_t limit, uint8_t **bytes, size_t *size);

enum ag_input_exists {
    AG_INPUT_REPLACE = 0, // an existing file is replaced, in one step
    AG_INPUT_KEEP,        // an existing file is an error
};

// Writes the whole file through a temporary file beside it and a rename, so that nobody ever sees
// half of it. `mode` as for open (keys: 0600), not narrowed by the umask for 0600. On failure the
// error is printed, nothing is left behind and false is returned.
bool ag_input_write(const char *path, mode_t mode, enum ag_input_exists exists, const void *bytes,
                    size_t size);

#endif
