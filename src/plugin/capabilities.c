// SPDX-License-Identifier: Apache-2.0
// The table of capabilities, and look-up in it: linear, as it runs once per import at installation.
#include "plugin/capabilities.h"

#include <string.h>

static const struct ag_capability_function log_functions[] = {
    { "write", "iii:", AG_CALL_LOG_WRITE, 1 },
};
static const struct ag_capability_function clock_functions[] = {
    { "uptime_ms", ":I", AG_CALL_CLOCK_UPTIME_MS, 1 },
    { "unix_time", ":I", AG_CALL_CLOCK_UNIX_TIME, 1 },
};
static const struct ag_capability_function gpio_functions[] = {
    { "configure", "ii:i", AG_CALL_GPIO_CONFIGURE, 1 },
    { "write", "ii:i", AG_CALL_GPIO_WRITE, 1 },
    { "read", "i:i", AG_CALL_GPIO_READ, 1 },
};
static const struct ag_capability_function adc_functions[] = {
    { "read", "ii:i", AG_CALL_ADC_READ, 1 },
};
static const struct ag_capability_function settings_functions[] = {
    { "get_int", "iiI:I", AG_CALL_SETTINGS_GET_INT, 1 },
    { "get_text", "iiii:i", AG_CALL_SETTINGS_GET_TEXT, 1 },
};
static const struct ag_capability_function report_functions[] = {
    { "set_int", "iiI:i", AG_CALL_REPORT_SET_INT, 1 },
    { "set_bool", "iii:i", AG_CALL_REPORT_SET_BOOL, 1 },
    { "set_text", "iiii:i", AG_CALL_REPORT_SET_TEXT, 1 },
    { "remove", "ii:i", AG_CALL_REPORT_REMOVE, 1 },
};
static const struct ag_capability_function telemetry_functions[] = {
    { "send", "ii:i", AG_CALL_TELEMETRY_SEND, 1 },
};
static const struct ag_capability_function store_functions[] = {
    { "get", "iiii:i", AG_CALL_STORE_GET, 1 },     { "set", "iiii:i", AG_CALL_STORE_SET, 1 },
    { "remove", "ii:i", AG_CALL_STORE_REMOVE, 1 }, { "key", "iii:i", AG_CALL_STORE_KEY, 1 },
    { "room", ":i", AG_CALL_STORE_ROOM, 1 },       { "pending", ":i", AG_CALL_STORE_PENDING, 1 },
};
static const struct ag_capability_function method_functions[] = {
    { "name", "ii:i", AG_CALL_METHOD_NAME, 1 },
    { "payload", "ii:i", AG_CALL_METHOD_PAYLOAD, 1 },
    { "reply", "iii:i", AG_CALL_METHOD_REPLY, 1 },
};
static const struct ag_capability_function random_functions[] = {
    { "fill", "ii:", AG_CALL_RANDOM_FILL, 1 },
};
static const struct ag_capability_function wasi_functions[] = {
    { "args_get", "ii:i", AG_CALL_WASI_ARGS_GET, 1 },
    { "args_sizes_get", "ii:i", AG_CALL_WASI_ARGS_SIZES_GET, 1 },
    { "environ_get", "ii:i", AG_CALL_WASI_ENVIRON_GET, 1 },
    { "environ_sizes_get", "ii:i", AG_CALL_WASI_ENVIRON_SIZES_GET, 1 },
    { "clock_time_get", "iIi:i", AG_CALL_WASI_CLOCK_TIME_GET, 1 },
    { "fd_write", "iiii:i", AG_CALL_WASI_FD_WRITE, 1 },
    { "proc_exit", "i:", AG_CALL_WASI_PROC_EXIT, 1 },
    { "random_get", "ii:i", AG_CALL_WASI_RANDOM_GET, 1 },
};

#define FUNCTIONS(table) sizeof table / sizeof table[0], table
const struct ag_capability ag_capabilities[] = {
    { "log", AG_CAPABILITY_LOG, 1, FUNCTIONS(log_functions) },
    { "clock", AG_CAPABILITY_CLOCK, 1, FUNCTIONS(clock_functions) },
    { "gpio", AG_CAPABILITY_GPIO, 1, FUNCTIONS(gpio_functions) },
    { "adc", AG_CAPABILITY_ADC, 1, FUNCTIONS(adc_functions) },
    { "settings", AG_CAPABILITY_SETTINGS, 1, FUNCTIONS(settings_functions) },
    { "report", AG_CAPABILITY_REPORT, 1, FUNCTIONS(report_functions) },
    { "telemetry", AG_CAPABILITY_TELEMETRY, 1, FUNCTIONS(telemetry_functions) },
    { "store", AG_CAPABILITY_STORE, 1, FUNCTIONS(store_functions) },
    { "method", AG_CAPABILITY_METHOD, 1, FUNCTIONS(method_functions) },
    { "random", AG_CAPABILITY_RANDOM, 1, FUNCTIONS(random_functions) },
    { "wasi_snapshot_preview1", AG_CAPABILITY_WASI, 1, FUNCTIONS(wasi_functions) },
};
const size_t ag_capabilities_count = sizeof ag_capabilities / sizeof ag_capabilities[0];

static bool name_is(const char *want, const char *name, size_t size)
{
    return strlen(want) == size && memcmp(want, name, size) == 0;
}

const struct ag_capability *ag_capabilities_find(const char *name, size_t size)
{
    for (size_t i = 0; i < ag_capabilities_count; i++) {
        if (name_is(ag_capabilities[i].name, name, size))
            return &ag_capabilities[i];
    }
    return NULL;
}

const struct ag_capability *ag_capabilities_find_id(uint16_t id)
{
    for (size_t i = 0; i < ag_capabilities_count; i++) {
        if (ag_capabilities[i].id == id)
            return &ag_capabilities[i];
    }
    return NULL;
}

const struct ag_capability_function *
ag_capabilities_find_function(const struct ag_capability *capability, const char *name, size_t size)
{
    for (size_t i = 0; i < capability->function_count; i++) {
        if (name_is(capability->functions[i].name, name, size))
            return &capability->functions[i];
    }
    return NULL;
}

static bool is_offered(const struct ag_capability_need *need, uint64_t offered)
{
    const struct ag_capability *capability = ag_capabilities_find_id(need->id);
    return capability && need->version <= capability->version &&
           (offered & AG_CAPABILITIES_BIT(need->id));
}

bool ag_capabilities_needs(const struct ag_plugin_metadata *metadata, uint16_t id)
{
    for (size_t i = 0; i < metadata->capability_count; i++)
        if (metadata->capabilities[i].id == id)
            return true;
    return false;
}

enum ag_status ag_capabilities_check(const struct ag_plugin_metadata *metadata, uint64_t offered)
{
    for (size_t i = 0; i < metadata->capability_count; i++) {
        if (!is_offered(&metadata->capabilities[i], offered))
            return AG_ERR_FILE_CAPABILITY;
    }
    return AG_OK;
}
