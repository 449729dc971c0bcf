// SPDX-License-Identifier: Apache-2.0
// Pins of a real GPIO chip, by libgpiod 1.6. The pin's number is the chip's line offset.
//
// A line is requested from the kernel when a plug-in configures it, so lines that no plug-in uses
// stay free for others.
#ifndef AG_LINUX_GPIO_CHIP_H
#define AG_LINUX_GPIO_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/board.h"

// `name` is a chip's name, path, label or number. AG_ERR_PIN, logged with its reason, when there is
// no such chip or it may not be used.
AG_MUST_CHECK enum ag_status ag_gpio_chip_open(const char *name);
// Releases every line. Harmless when not open.
void ag_gpio_chip_close(void);

uint32_t ag_gpio_chip_count(void);
// AG_ERR_PIN: no such line, held by another program, or not configured for this; the kernel's
// reason is logged at debug.
AG_MUST_CHECK enum ag_status ag_gpio_chip_configure(uint32_t pin, enum ag_pin_mode mode);
AG_MUST_CHECK enum ag_status ag_gpio_chip_write(uint32_t pin, bool level);
AG_MUST_CHECK enum ag_status ag_gpio_chip_read(uint32_t pin, bool *level);

#endif
