// SPDX-License-Identifier: Apache-2.0
// The exports of plug-in ABI v1.
#include "plugin/abi.h"

const struct ag_abi_export ag_abi_exports[AG_ABI_FUNCTION_COUNT] = {
    [AG_ABI_INITIALIZE] = { "initialize", ":i", true, AG_ERR_FILE_INITIALIZE },
    [AG_ABI_EXECUTE] = { "execute", ":", true, AG_ERR_FILE_EXECUTE },
    [AG_ABI_SHUTDOWN] = { "shutdown", ":", false, AG_ERR_FILE_EXPORT },
    [AG_ABI_ON_SETTINGS] = { "on_settings", ":", false, AG_ERR_FILE_EXPORT },
    [AG_ABI_HEALTHY] = { "healthy", ":i", false, AG_ERR_FILE_EXPORT },
    [AG_ABI_ON_METHOD] = { "on_method", ":", false, AG_ERR_FILE_EXPORT },
};
