// SPDX-License-Identifier: Apache-2.0
// Asks the engine about a finished file.
#ifndef AG_CLI_BUILD_ENGINE_H
#define AG_CLI_BUILD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Lets the engine validate and translate the file. Prints the error and returns false when it
// refuses; *code_size is the size of the translated code.
bool ag_engine_check(const void *bytes, size_t size, uint32_t *code_size);

#endif
