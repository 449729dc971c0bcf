// SPDX-License-Identifier: Apache-2.0
// Who holds which pin, so that no plug-in moves another one's output.
//
// Configuring a pin claims it for the plug-in until the plug-in is stopped or removed; another
// one's attempt is refused. Versions of one plug-in are the same owner, so an update takes its
// pins over without letting them drop.
#ifndef AG_HOST_PINS_H
#define AG_HOST_PINS_H

#include <stdint.h>

#include "base/config.h"
#include "base/status.h"

struct ag_pins {
    uint8_t owners[AG_CFG_PIN_MAX]; // 0: nobody
};

void ag_pins_init(struct ag_pins *pins);

// For `owner`, 1 to 255. AG_ERR_PIN: somebody else's, or beyond AG_CFG_PIN_MAX.
AG_MUST_CHECK enum ag_status ag_pins_claim(struct ag_pins *pins, uint32_t pin, uint8_t owner);

// AG_ERR_PIN unless `owner` has claimed it.
AG_MUST_CHECK enum ag_status ag_pins_check(const struct ag_pins *pins, uint32_t pin, uint8_t owner);

// Gives up all pins of `owner`; the board makes them inputs, as after a reset.
void ag_pins_release(struct ag_pins *pins, uint8_t owner);

#endif
