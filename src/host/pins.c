// SPDX-License-Identifier: Apache-2.0
// Who holds which pin, so that no plug-in moves another one's output.
#include "host/pins.h"

#include <string.h>

#include "platform/board.h"

void ag_pins_init(struct ag_pins *pins)
{
    memset(pins, 0, sizeof *pins);
}

enum ag_status ag_pins_claim(struct ag_pins *pins, uint32_t pin, uint8_t owner)
{
    if (pin >= AG_CFG_PIN_MAX || (pins->owners[pin] != 0 && pins->owners[pin] != owner))
        return AG_ERR_PIN;
    pins->owners[pin] = owner;
    return AG_OK;
}

enum ag_status ag_pins_check(const struct ag_pins *pins, uint32_t pin, uint8_t owner)
{
    if (pin >= AG_CFG_PIN_MAX || pins->owners[pin] != owner)
        return AG_ERR_PIN;
    return AG_OK;
}

void ag_pins_release(struct ag_pins *pins, uint8_t owner)
{
    for (uint32_t pin = 0; pin < AG_CFG_PIN_MAX; pin++) {
        if (pins->owners[pin] != owner)
            continue;
        pins->owners[pin] = 0;
        (void)ag_board_pin_configure(pin, AG_PIN_INPUT);
    }
}
