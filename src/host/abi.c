// SPDX-License-Identifier: Apache-2.0
// The capability functions behind a plug-in's imports: the table, and what they share.
#include "host/abi.h"

#include <string.h>

#include "platform/board.h"
#include "plugin/capabilities.h"

// Fuel of a call whatever it is given: nothing to speak of; a search, a copy of some bytes or a
// check of them; a register or a call of the kernel.
#define QUICK  0u
#define SEARCH 40u
#define DEVICE 100u

static const struct ag_abi_entry table[] = {
    { AG_CALL_LOG_WRITE, ag_abi_log_write, QUICK },
    { AG_CALL_CLOCK_UPTIME_MS, ag_abi_clock_uptime_ms, QUICK },
    { AG_CALL_CLOCK_UNIX_TIME, ag_abi_clock_unix_time, QUICK },
    { AG_CALL_GPIO_CONFIGURE, ag_abi_gpio_configure, DEVICE },
    { AG_CALL_GPIO_WRITE, ag_abi_gpio_write, DEVICE },
    { AG_CALL_GPIO_READ, ag_abi_gpio_read, DEVICE },
    { AG_CALL_ADC_READ, ag_abi_adc_read, DEVICE },
    { AG_CALL_SETTINGS_GET_INT, ag_abi_settings_get_int, SEARCH },
    { AG_CALL_SETTINGS_GET_TEXT, ag_abi_settings_get_text, SEARCH },
    { AG_CALL_REPORT_SET_INT, ag_abi_report_set_int, SEARCH },
    { AG_CALL_REPORT_SET_BOOL, ag_abi_report_set_bool, SEARCH },
    { AG_CALL_REPORT_SET_TEXT, ag_abi_report_set_text, SEARCH },
    { AG_CALL_REPORT_REMOVE, ag_abi_report_remove, SEARCH },
    { AG_CALL_TELEMETRY_SEND, ag_abi_telemetry_send, SEARCH },
    { AG_CALL_STORE_GET, ag_abi_store_get, SEARCH },
    { AG_CALL_STORE_SET, ag_abi_store_set, SEARCH },
    { AG_CALL_STORE_REMOVE, ag_abi_store_remove, SEARCH },
    { AG_CALL_STORE_KEY, ag_abi_store_key, SEARCH },
    { AG_CALL_STORE_ROOM, ag_abi_store_room, QUICK },
    { AG_CALL_STORE_PENDING, ag_abi_store_pending, QUICK },
    { AG_CALL_METHOD_NAME, ag_abi_method_name, SEARCH },
    { AG_CALL_METHOD_PAYLOAD, ag_abi_method_payload, SEARCH },
    { AG_CALL_METHOD_REPLY, ag_abi_method_reply, SEARCH },
    { AG_CALL_RANDOM_FILL, ag_abi_random_fill, SEARCH },
    { AG_CALL_WASI_ARGS_GET, ag_abi_wasi_nothing_get, QUICK },
    { AG_CALL_WASI_ARGS_SIZES_GET, ag_abi_wasi_sizes_get, QUICK },
    { AG_CALL_WASI_ENVIRON_GET, ag_abi_wasi_nothing_get, QUICK },
    { AG_CALL_WASI_ENVIRON_SIZES_GET, ag_abi_wasi_sizes_get, QUICK },
    { AG_CALL_WASI_CLOCK_TIME_GET, ag_abi_wasi_clock_time_get, QUICK },
    { AG_CALL_WASI_FD_WRITE, ag_abi_wasi_fd_write, QUICK },
    { AG_CALL_WASI_PROC_EXIT, ag_abi_wasi_proc_exit, QUICK },
    { AG_CALL_WASI_RANDOM_GET, ag_abi_wasi_random_get, SEARCH },
};

const struct ag_abi_entry *ag_abi_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].id == id)
            return &table[i];
    return NULL;
}

void ag_abi_say(const struct ag_instance *instance, enum ag_log_level level, const char *text,
                size_t size)
{
    const struct ag_instance_services *services = instance->options.services;
    if (services->log)
        services->log(services->context, level, instance->options.name,
                      (struct ag_text){ text, size });
    else
        ag_board_log(level, instance->options.name, text, size);
}

void ag_abi_log(const struct ag_instance *instance, enum ag_log_level level, const char *text,
                size_t size)
{
    ag_wasm_charge(instance->wasm, AG_ABI_LINE + (uint32_t)size); // the caller has bounded it
    ag_abi_say(instance, level, text, size);
}

enum ag_status ag_abi_bytes(struct ag_instance *instance, uint32_t address, uint32_t size,
                            void **bytes)
{
    static const char reason[] = "a pointer given to the host lies outside of the memory";
    if (ag_wasm_memory_at(instance->wasm, address, size, bytes) == AG_OK)
        return AG_OK;
    ag_abi_log(instance, AG_LOG_WARNING, reason, sizeof reason - 1);
    return AG_TRAP_HOST;
}

enum ag_status ag_abi_text(struct ag_instance *instance, uint32_t address, uint32_t size,
                           struct ag_text *text)
{
    void *bytes;
    enum ag_status status = ag_abi_bytes(instance, address, size, &bytes);
    if (status != AG_OK)
        return status;
    text->at = bytes;
    text->size = size;
    return AG_OK;
}

void ag_abi_answer(uint32_t *slots, enum ag_status status)
{
    slots[0] = (uint32_t) - (int32_t)status;
}
