// SPDX-License-Identifier: Apache-2.0
// platform/board.h on Linux: entropy, and pins from the GPIO chip or the terminal board.
#include "platform/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "port/linux/board_setup.h"
#include "port/linux/clock.h"
#include "port/linux/gpio_chip.h"
#include "port/linux/log.h"
#include "port/linux/sensor.h"
#include "port/linux/terminal_board.h"

static bool has_chip;
static const char *sensor_path; // NULL: the terminal board's sensor
static bool wants_restart;

static bool is_given(const char *text)
{
    return text && text[0];
}

enum ag_status ag_board_open(const struct ag_board_setup *setup)
{
    int32_t value;
    ag_log_set_level(setup->log_level);
    ag_clock_set_policy(setup->clock);
    sensor_path = is_given(setup->sensor) ? setup->sensor : NULL;
    if (sensor_path && ag_sensor_read_file(sensor_path, &value) != AG_OK) {
        char text[400];
        snprintf(text, sizeof text, "no whole number can be read from the sensor %s", sensor_path);
        ag_board_log(AG_LOG_ERROR, "board", text, strlen(text));
        return AG_ERR_IO;
    }
    if (is_given(setup->gpio_chip)) {
        const enum ag_status status = ag_gpio_chip_open(setup->gpio_chip);
        has_chip = status == AG_OK;
        return status;
    }
    ag_terminal_board_open();
    return AG_OK;
}

void ag_board_close(void)
{
    ag_gpio_chip_close();
    ag_terminal_board_close();
    has_chip = false;
    sensor_path = NULL;
}

void ag_board_set_log_level(enum ag_log_level level)
{
    ag_log_set_level(level);
}

int ag_board_key_fd(void)
{
    return ag_terminal_board_key_fd();
}

void ag_board_read_keys(void)
{
    ag_terminal_board_read_keys();
}

void ag_board_restart(void)
{
    wants_restart = true;
}

bool ag_board_wants_restart(void)
{
    return wants_restart;
}

const char *ag_board_name(void)
{
    return "linux";
}

void ag_board_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        const ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); // a kernel without entropy: nothing secure can be done here
        at += got;
        size -= (size_t)got;
    }
}

uint32_t ag_board_pin_count(void)
{
    return has_chip ? ag_gpio_chip_count() : AG_TERMINAL_BOARD_LEDS + AG_TERMINAL_BOARD_SWITCHES;
}

enum ag_status ag_board_pin_configure(uint32_t pin, enum ag_pin_mode mode)
{
    if (has_chip)
        return ag_gpio_chip_configure(pin, mode);
    ag_terminal_board_open();
    return ag_terminal_board_configure(pin, mode);
}

enum ag_status ag_board_pin_write(uint32_t pin, bool level)
{
    return has_chip ? ag_gpio_chip_write(pin, level) : ag_terminal_board_write(pin, level);
}

enum ag_status ag_board_pin_read(uint32_t pin, bool *level)
{
    return has_chip ? ag_gpio_chip_read(pin, level) : ag_terminal_board_read(pin, level);
}

uint32_t ag_board_adc_count(void)
{
    return sensor_path || !has_chip ? 1 : 0;
}

enum ag_status ag_board_adc_read(uint32_t channel, int32_t *value)
{
    if (channel >= ag_board_adc_count())
        return AG_ERR_PIN;
    if (sensor_path)
        return ag_sensor_read_file(sensor_path, value);
    ag_terminal_board_open();
    *value = ag_terminal_board_temperature();
    return AG_OK;
}
