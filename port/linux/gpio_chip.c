// SPDX-License-Identifier: Apache-2.0
// GPIO by libgpiod 1.6. One chip; its lines carry their own state in libgpiod.
#include "port/linux/gpio_chip.h"

#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <string.h>

static struct gpiod_chip *chip;

static enum ag_status refuse(enum ag_log_level level, const char *what, uint32_t pin)
{
    char text[160];
    snprintf(text, sizeof text, "%s line %u: %s", what, (unsigned)pin, strerror(errno));
    ag_board_log(level, "gpio", text, strlen(text));
    return AG_ERR_PIN;
}

enum ag_status ag_gpio_chip_open(const char *name)
{
    char text[400];
    chip = gpiod_chip_open_lookup(name);
    if (chip)
        return AG_OK;
    snprintf(text, sizeof text, "cannot open the GPIO chip %s: %s", name, strerror(errno));
    ag_board_log(AG_LOG_ERROR, "gpio", text, strlen(text));
    return AG_ERR_PIN;
}

void ag_gpio_chip_close(void)
{
    if (chip)
        gpiod_chip_close(chip);
    chip = NULL;
}

uint32_t ag_gpio_chip_count(void)
{
    return chip ? gpiod_chip_num_lines(chip) : 0;
}

static struct gpiod_line *line_of(uint32_t pin)
{
    return pin < ag_gpio_chip_count() ? gpiod_chip_get_line(chip, pin) : NULL;
}

static int flags_of(enum ag_pin_mode mode)
{
    switch (mode) {
    case AG_PIN_INPUT:
        return GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
    case AG_PIN_INPUT_PULL_UP:
        return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
    case AG_PIN_INPUT_PULL_DOWN:
        return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
    case AG_PIN_OUTPUT:
        return 0;
    }
    return 0;
}

static bool is_ours_as(struct gpiod_line *line, int direction)
{
    return line && gpiod_line_is_requested(line) && gpiod_line_direction(line) == direction;
}

enum ag_status ag_gpio_chip_configure(uint32_t pin, enum ag_pin_mode mode)
{
    static const char consumer[] = "airgraft";
    struct gpiod_line *line = line_of(pin);
    if (!line)
        return AG_ERR_PIN;
    if (mode == AG_PIN_OUTPUT && is_ours_as(line, GPIOD_LINE_DIRECTION_OUTPUT))
        return AG_OK; // keeps its level, without a glitch
    if (gpiod_line_is_requested(line))
        gpiod_line_release(line);
    const int result = mode == AG_PIN_OUTPUT
                           ? gpiod_line_request_output(line, consumer, 0)
                           : gpiod_line_request_input_flags(line, consumer, flags_of(mode));
    return result == 0 ? AG_OK : refuse(AG_LOG_WARNING, "cannot configure", pin);
}

enum ag_status ag_gpio_chip_write(uint32_t pin, bool level)
{
    struct gpiod_line *line = line_of(pin);
    if (!is_ours_as(line, GPIOD_LINE_DIRECTION_OUTPUT))
        return AG_ERR_PIN;
    return gpiod_line_set_value(line, level) == 0 ? AG_OK
                                                  : refuse(AG_LOG_DEBUG, "cannot write", pin);
}

enum ag_status ag_gpio_chip_read(uint32_t pin, bool *level)
{
    struct gpiod_line *line = line_of(pin);
    if (!line || !gpiod_line_is_requested(line))
        return AG_ERR_PIN;
    const int value = gpiod_line_get_value(line);
    if (value < 0)
        return refuse(AG_LOG_DEBUG, "cannot read", pin);
    *level = value != 0;
    return AG_OK;
}
