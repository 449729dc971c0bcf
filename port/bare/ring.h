// SPDX-License-Identifier: Apache-2.0
// Bytes from an interrupt to the main loop: one side puts, the other takes, neither waits.
#ifndef AG_BARE_RING_H
#define AG_BARE_RING_H

#include <stdbool.h>
#include <stdint.h>

#define AG_RING_SIZE 128u // a power of two

struct ag_ring {
    uint8_t bytes[AG_RING_SIZE];
    volatile uint32_t put;   // count of all that were put
    volatile uint32_t taken; // count of all that were taken
};

static inline bool ag_ring_is_empty(const struct ag_ring *ring)
{
    return ring->put == ring->taken;
}

// A byte for which there is no room is lost.
static inline void ag_ring_put(struct ag_ring *ring, uint8_t byte)
{
    if (ring->put - ring->taken >= AG_RING_SIZE)
        return;
    ring->bytes[ring->put % AG_RING_SIZE] = byte;
    ring->put++;
}

// -1: it is empty.
static inline int ag_ring_take(struct ag_ring *ring)
{
    if (ag_ring_is_empty(ring))
        return -1;
    const uint8_t byte = ring->bytes[ring->taken % AG_RING_SIZE];
    ring->taken++;
    return byte;
}

#endif
