// SPDX-License-Identifier: Apache-2.0
// Skims the code section of a module for instructions that decide what the builder may rewrite.
#ifndef AG_CLI_MODULE_CODE_H
#define AG_CLI_MODULE_CODE_H

#include "base/reader.h"

// The instructions that occur in a code section, as enum ag_module_use or-ed. An instruction that
// is not known ends the skim of its function. The reader's error sticks as always.
unsigned ag_module_code_uses(struct ag_reader *reader);

#endif
