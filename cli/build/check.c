// SPDX-License-Identifier: Apache-2.0
// Checks imports and exports against the tables of src/plugin.
#include "cli/build/check.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "plugin/abi.h"
#include "plugin/capabilities.h"

static bool refuse(const struct ag_module_import *import, const char *hint, const char *why)
{
    ag_output_fail(hint, "import %.*s.%.*s: %s (%s, %d)", (int)import->module_size, import->module,
                   (int)import->field_size, import->field, why, ag_status_name(AG_ERR_WASM_IMPORT),
                   AG_ERR_WASM_IMPORT);
    return false;
}

// C functions that nobody defined come as imports of this module.
static bool is_undefined_symbol(const struct ag_module_import *import)
{
    return import->module_size == 3 && memcmp(import->module, "env", 3) == 0;
}

// Adds or raises a need, keeping the list in ascending order of ids.
static bool add_need(struct ag_plugin_metadata *metadata, uint16_t id, uint16_t version)
{
    size_t at = 0;
    while (at < metadata->capability_count && metadata->capabilities[at].id < id)
        at++;
    struct ag_capability_need *need = &metadata->capabilities[at];
    if (at < metadata->capability_count && need->id == id) {
        need->version = version > need->version ? version : need->version;
        return true;
    }
    if (metadata->capability_count == AG_CFG_CAPABILITY_MAX)
        return false;
    memmove(need + 1, need, (metadata->capability_count - at) * sizeof *need);
    *need = (struct ag_capability_need){ .id = id, .version = version };
    metadata->capability_count++;
    return true;
}

static bool check_import(const struct ag_module_import *import, struct ag_plugin_metadata *metadata)
{
    char why[96];
    if (is_undefined_symbol(import))
        return refuse(import, "define it, or use a function of airgraft.h",
                      "no source file defines this function");
    const struct ag_capability *capability =
        ag_capabilities_find(import->module, import->module_size);
    if (!capability)
        return refuse(import, "airgraft.h lists the capabilities", "no such capability");
    const struct ag_capability_function *function =
        ag_capabilities_find_function(capability, import->field, import->field_size);
    if (!function || import->kind != AG_MODULE_FUNCTION)
        return refuse(import, "airgraft.h lists the functions",
                      "the capability has no such function");
    if (strcmp(function->type, import->type) != 0) {
        snprintf(why, sizeof why, "it has type %s, the host's has %s", import->type,
                 function->type);
        return refuse(import, "declare it as airgraft.h does", why);
    }
    if (!add_need(metadata, capability->id, function->since))
        return refuse(import, "use fewer capabilities", "too many capabilities");
    return true;
}

bool ag_check_imports(const struct ag_module *module, struct ag_plugin_metadata *metadata)
{
    metadata->capability_count = 0;
    for (size_t i = 0; i < module->import_count; i++) {
        if (!check_import(&module->imports[i], metadata))
            return false;
    }
    return true;
}

bool ag_check_exports(const struct ag_module *module)
{
    for (size_t i = 0; i < AG_ABI_FUNCTION_COUNT; i++) {
        const struct ag_abi_export *want = &ag_abi_exports[i];
        const struct ag_module_export *found = ag_module_find_export(module, want->name);
        if (!found && !want->required)
            continue;
        if (!found || found->kind != AG_MODULE_FUNCTION || strcmp(found->type, want->type) != 0) {
            ag_output_fail_status(want->refusal, "export %s", want->name);
            return false;
        }
    }
    return true;
}

static enum ag_status import_agrees(const struct ag_module_import *import,
                                    const struct ag_plugin_metadata *metadata)
{
    const struct ag_capability *capability =
        ag_capabilities_find(import->module, import->module_size);
    if (!capability || import->kind != AG_MODULE_FUNCTION)
        return AG_ERR_WASM_IMPORT;
    const struct ag_capability_function *function =
        ag_capabilities_find_function(capability, import->field, import->field_size);
    if (!function || strcmp(function->type, import->type) != 0)
        return AG_ERR_WASM_IMPORT;
    for (size_t i = 0; i < metadata->capability_count; i++) {
        const struct ag_capability_need *need = &metadata->capabilities[i];
        if (need->id == capability->id && need->version >= function->since)
            return AG_OK;
    }
    return AG_ERR_FILE_DISAGREES;
}

enum ag_status ag_check_agrees(const struct ag_module *module,
                               const struct ag_plugin_metadata *metadata)
{
    const uint64_t memory_size =
        module->has_memory ? (uint64_t)module->memory_pages << module->page_shift : 0;
    if (memory_size != metadata->memory_size)
        return AG_ERR_FILE_DISAGREES;
    enum ag_status status = AG_OK;
    for (size_t i = 0; status == AG_OK && i < module->import_count; i++)
        status = import_agrees(&module->imports[i], metadata);
    return status;
}
