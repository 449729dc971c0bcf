// SPDX-License-Identifier: Apache-2.0
// Pauses between attempts: exponential with full jitter, capped, never given up.
#include "base/backoff.h"

void ag_backoff_init(struct ag_backoff *backoff, uint32_t base_ms, uint32_t cap_ms)
{
    backoff->base_ms = base_ms;
    backoff->cap_ms = cap_ms;
    backoff->failures = 0;
}

uint32_t ag_backoff_fail(struct ag_backoff *backoff, uint32_t random)
{
    uint64_t bound = backoff->base_ms;
    for (uint32_t i = 0; i < backoff->failures && bound < backoff->cap_ms; i++)
        bound *= 2;
    if (bound > backoff->cap_ms)
        bound = backoff->cap_ms;
    if (backoff->failures < UINT32_MAX)
        backoff->failures++;
    return (uint32_t)(1 + random % bound);
}

uint32_t ag_backoff_asked(uint32_t asked_s)
{
    uint64_t asked_ms = (uint64_t)asked_s * 1000u;
    return asked_ms < AG_BACKOFF_ASKED_MAX_MS ? (uint32_t)asked_ms : AG_BACKOFF_ASKED_MAX_MS;
}

void ag_backoff_succeed(struct ag_backoff *backoff, uint64_t lasted_ms)
{
    if (lasted_ms >= AG_BACKOFF_STABLE_MS)
        backoff->failures = 0;
}
