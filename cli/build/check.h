// SPDX-License-Identifier: Apache-2.0
// Checks a module against the plug-in ABI and derives what it needs of a host.
#ifndef AG_CLI_BUILD_CHECK_H
#define AG_CLI_BUILD_CHECK_H

#include <stdbool.h>

#include "cli/module.h"
#include "plugin/metadata.h"

// Sets the capabilities of *metadata from the module's imports. Prints the error and returns false
// for an import that no host of this ABI offers.
bool ag_check_imports(const struct ag_module *module, struct ag_plugin_metadata *metadata);

// Prints the error and returns false when a function that the ABI asks for is missing or wrong.
bool ag_check_exports(const struct ag_module *module);

// Without a word: AG_ERR_WASM_IMPORT for an import that no host of this ABI offers,
// AG_ERR_FILE_DISAGREES when memory or imports are not those that the metadata says.
enum ag_status ag_check_agrees(const struct ag_module *module,
                               const struct ag_plugin_metadata *metadata);

#endif
