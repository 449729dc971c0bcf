// SPDX-License-Identifier: Apache-2.0
// Plug-in ABI v1: the functions that a plug-in exports. What it may import is in capabilities.h.
//
// Types are written as in capabilities.h: "i" is i32, "I" is i64, parameters before the colon.
#ifndef AG_PLUGIN_ABI_H
#define AG_PLUGIN_ABI_H

#include <stdbool.h>

#include "base/status.h"

#define AG_ABI_VERSION 1u

// The exports, by their place in ag_abi_exports.
enum ag_abi_function {
    AG_ABI_INITIALIZE,  // ":i" once, before the first execute; not 0 means it failed
    AG_ABI_EXECUTE,     // ":"  once per period
    AG_ABI_SHUTDOWN,    // ":"  optional: before the plug-in is stopped in good order
    AG_ABI_ON_SETTINGS, // ":"  optional: its settings have changed
    AG_ABI_HEALTHY,     // ":i" optional: asked once, when its trial is done; not 0 fails it
    AG_ABI_ON_METHOD,   // ":"  optional: somebody calls a direct method of it
    AG_ABI_FUNCTION_COUNT,
};

struct ag_abi_export {
    const char *name;
    const char *type;
    bool required;
    enum ag_status refusal; // what to answer when it is missing though required, or of another type
};

extern const struct ag_abi_export ag_abi_exports[AG_ABI_FUNCTION_COUNT];

#endif
