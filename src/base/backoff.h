// SPDX-License-Identifier: Apache-2.0
// Pauses between attempts: exponential with full jitter, capped, never given up, and back to the
// base only after a success that lasted.
#ifndef AG_BASE_BACKOFF_H
#define AG_BASE_BACKOFF_H

#include <stdint.h>

// A success counts when it has lasted this long.
#define AG_BACKOFF_STABLE_MS 60000u

// The longest pause that a server may ask for; a larger one would be as good as giving up.
#define AG_BACKOFF_ASKED_MAX_MS 3600000u

struct ag_backoff {
    uint32_t base_ms;  // bound of the first pause; >= 1
    uint32_t cap_ms;   // bound of the longest; >= base_ms
    uint32_t failures; // in a row; saturates
};

void ag_backoff_init(struct ag_backoff *backoff, uint32_t base_ms, uint32_t cap_ms);

// Counts a failure; the pause before the next attempt, 1 to min(cap, base · 2^failures) ms, made
// from `random`, any 32 random bits.
uint32_t ag_backoff_fail(struct ag_backoff *backoff, uint32_t random);

// A pause that a server has asked for, in milliseconds, capped.
uint32_t ag_backoff_asked(uint32_t asked_s);

// An attempt succeeded and lasted `lasted_ms`: forgets the failures if that was long enough.
void ag_backoff_succeed(struct ag_backoff *backoff, uint64_t lasted_ms);

#endif
