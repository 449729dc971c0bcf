// SPDX-License-Identifier: Apache-2.0
// Random numbers for pauses, so that a fleet that saw the same event does not act as one.
//
// The seed mixes the device's identity with what the board has of randomness: devices that start
// together differ also where a board draws the same numbers after each power-up. Not for secrets.
#ifndef AG_HOST_JITTER_H
#define AG_HOST_JITTER_H

#include <stdint.h>

#include "base/text.h"

struct ag_jitter {
    uint64_t state;
};

// `random`: any 32 bits from the board.
void ag_jitter_init(struct ag_jitter *jitter, struct ag_text identity, uint32_t random);

// Any 32 bits.
uint32_t ag_jitter_next(struct ag_jitter *jitter);

#endif
