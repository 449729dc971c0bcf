// SPDX-License-Identifier: Apache-2.0
// Asks the engine about a finished file.
#ifndef AG_CLI_BUILD_ENGINE_H
#define AG_CLI_BUILD_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Lets the engine validate and translate the file. *code_size is the size of the translated code;
// *offset, after a refusal, the place in the file. Any function import will do.
enum ag_status ag_engine_check(const void *bytes, size_t size, uint32_t *code_size,
                               uint32_t *offset);

#endif
