// SPDX-License-Identifier: Apache-2.0
// Capabilities log, clock, random, gpio and adc: the board, as plug-ins see it.
#include "host/abi.h"
#include "platform/board.h"

// Longest line that a plug-in gets into the log, bytes; the rest is cut off.
#define LOG_LINE_MAX 256u

enum ag_status ag_abi_log_write(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text text;
    enum ag_status status = ag_abi_text(instance, slots[1], slots[2], &text);
    if (status != AG_OK)
        return status;
    enum ag_log_level level = slots[0] < AG_LOG_DEBUG ? (enum ag_log_level)slots[0] : AG_LOG_DEBUG;
    size_t size = text.size < LOG_LINE_MAX ? text.size : LOG_LINE_MAX;
    ag_abi_log(instance, level, text.at, size);
    return AG_OK;
}

enum ag_status ag_abi_clock_uptime_ms(struct ag_instance *instance, uint32_t *slots)
{
    (void)instance;
    ag_wasm_set_u64(slots, ag_board_uptime_ms());
    return AG_OK;
}

enum ag_status ag_abi_clock_unix_time(struct ag_instance *instance, uint32_t *slots)
{
    (void)instance;
    int64_t seconds;
    if (!ag_board_unix_time(&seconds))
        seconds = -1;
    ag_wasm_set_u64(slots, (uint64_t)seconds);
    return AG_OK;
}

enum ag_status ag_abi_random_fill(struct ag_instance *instance, uint32_t *slots)
{
    void *bytes;
    enum ag_status status = ag_abi_bytes(instance, slots[0], slots[1], &bytes);
    if (status != AG_OK)
        return status;
    ag_wasm_charge(instance->wasm, slots[1]);
    ag_board_random(bytes, slots[1]);
    return AG_OK;
}

static enum ag_status check_pin(const struct ag_instance *instance, uint32_t pin)
{
    return ag_pins_check(instance->options.services->pins, pin, instance->options.owner);
}

static enum ag_status configure_pin(const struct ag_instance *instance, uint32_t pin, uint32_t mode)
{
    if (mode > AG_PIN_OUTPUT)
        return AG_ERR_ARGUMENT;
    if (pin >= ag_board_pin_count())
        return AG_ERR_PIN;
    enum ag_status status =
        ag_pins_claim(instance->options.services->pins, pin, instance->options.owner);
    return status == AG_OK ? ag_board_pin_configure(pin, (enum ag_pin_mode)mode) : status;
}

enum ag_status ag_abi_gpio_configure(struct ag_instance *instance, uint32_t *slots)
{
    ag_abi_answer(slots, configure_pin(instance, slots[0], slots[1]));
    return AG_OK;
}

enum ag_status ag_abi_gpio_write(struct ag_instance *instance, uint32_t *slots)
{
    enum ag_status status = check_pin(instance, slots[0]);
    if (status == AG_OK)
        status = ag_board_pin_write(slots[0], slots[1] != 0);
    ag_abi_answer(slots, status);
    return AG_OK;
}

enum ag_status ag_abi_gpio_read(struct ag_instance *instance, uint32_t *slots)
{
    bool level = false;
    enum ag_status status = check_pin(instance, slots[0]);
    if (status == AG_OK)
        status = ag_board_pin_read(slots[0], &level);
    ag_abi_answer(slots, status);
    if (status == AG_OK)
        slots[0] = level;
    return AG_OK;
}

enum ag_status ag_abi_adc_read(struct ag_instance *instance, uint32_t *slots)
{
    void *bytes;
    enum ag_status status = ag_abi_bytes(instance, slots[1], sizeof(int32_t), &bytes);
    if (status != AG_OK)
        return status;
    int32_t value;
    status = ag_board_adc_read(slots[0], &value);
    ag_abi_answer(slots, status);
    if (status != AG_OK)
        return AG_OK;
    uint8_t *to = bytes;
    for (unsigned i = 0; i < sizeof value; i++)
        to[i] = (uint8_t)((uint32_t)value >> (8 * i));
    return AG_OK;
}
