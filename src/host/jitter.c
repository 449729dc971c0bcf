// SPDX-License-Identifier: Apache-2.0
// Random numbers for pauses: FNV-1a over the identity, then SplitMix64.
#include "host/jitter.h"

void ag_jitter_init(struct ag_jitter *jitter, struct ag_text identity, uint32_t random)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < identity.size; i++)
        hash = (hash ^ (uint8_t)identity.at[i]) * 0x100000001B3u;
    jitter->state = hash + random;
}

uint32_t ag_jitter_next(struct ag_jitter *jitter)
{
    jitter->state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = jitter->state;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((mixed ^ (mixed >> 31)) >> 32);
}
