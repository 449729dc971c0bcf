// SPDX-License-Identifier: Apache-2.0
// What one plug-in takes of RAM beside its own stack, memory, tables and globals, as sizes of
// symbols that bench/size reads from the object file: so no board has to run for it.
#include "host/plugins.h"

// Its place in the host's table.
const char ag_probe_entry[sizeof(struct ag_plugin)] = { 0 };
// Its instance, in the host's RAM.
const char ag_probe_instance[sizeof(struct ag_wasm_instance) + sizeof(struct ag_wasm_memory)] = {
    0
};
