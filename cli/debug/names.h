// SPDX-License-Identifier: Apache-2.0
// What a function is called.
#ifndef AG_CLI_DEBUG_NAMES_H
#define AG_CLI_DEBUG_NAMES_H

#include <stdint.h>

#include "cli/module.h"

// The name of a function by index (imports counted): what the custom section "name" says, else the
// name of an export, else MODULE.FIELD of an import. NULL when there is none; else the caller's to
// free. Bytes that a terminal might obey are replaced by '?'.
char *ag_names_function(const struct ag_module *module, uint32_t function);

// Makes a text from elsewhere fit to be printed, in place: control characters become '?'.
void ag_names_make_printable(char *text);

#endif
