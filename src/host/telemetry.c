// SPDX-License-Identifier: Apache-2.0
// Device-to-cloud messages of plug-ins, waiting to be sent and acknowledged.
//
// Each is three bytes (size, owner) and its content; the rest moves up when the first one leaves.
#include "host/telemetry.h"

#include <string.h>

#define HEADER_SIZE 3u

void ag_telemetry_init(struct ag_telemetry *telemetry)
{
    telemetry->size = 0;
    telemetry->packet_id = 0;
}

// Whether a message of that owner is there.
static bool is_waiting(const struct ag_telemetry *telemetry, uint8_t owner)
{
    const uint8_t *ring = telemetry->ring;
    for (uint32_t at = 0; at < telemetry->size;
         at += HEADER_SIZE + (ring[at] | (uint32_t)ring[at + 1] << 8))
        if (ring[at + 2] == owner)
            return true;
    return false;
}

enum ag_status ag_telemetry_add(struct ag_telemetry *telemetry, uint8_t owner, const void *bytes,
                                size_t size)
{
    if (size == 0 || size > AG_TELEMETRY_MAX)
        return AG_ERR_ARGUMENT;
    const size_t spared = is_waiting(telemetry, owner) ? AG_TELEMETRY_SPARED : 0;
    if (size + HEADER_SIZE + spared > AG_CFG_TELEMETRY_SIZE - telemetry->size)
        return AG_ERR_NO_SPACE;
    uint8_t *to = telemetry->ring + telemetry->size;
    to[0] = (uint8_t)size;
    to[1] = (uint8_t)(size >> 8);
    to[2] = owner;
    memcpy(to + HEADER_SIZE, bytes, size);
    telemetry->size += (uint32_t)size + HEADER_SIZE;
    return AG_OK;
}

bool ag_telemetry_first(const struct ag_telemetry *telemetry, uint8_t *owner, const uint8_t **bytes,
                        size_t *size)
{
    if (telemetry->size == 0)
        return false;
    *size = telemetry->ring[0] | (size_t)telemetry->ring[1] << 8;
    *owner = telemetry->ring[2];
    *bytes = telemetry->ring + HEADER_SIZE;
    return true;
}

void ag_telemetry_drop_first(struct ag_telemetry *telemetry)
{
    if (telemetry->size == 0)
        return;
    uint32_t size = HEADER_SIZE + (telemetry->ring[0] | (uint32_t)telemetry->ring[1] << 8);
    telemetry->size -= size;
    memmove(telemetry->ring, telemetry->ring + size, telemetry->size);
    telemetry->packet_id = 0;
}
