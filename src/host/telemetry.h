// SPDX-License-Identifier: Apache-2.0
// Device-to-cloud messages of plug-ins, waiting to be sent and acknowledged: a ring of bounded
// size, oldest first, one on its way at a time. A message leaves it only when the hub has it.
#ifndef AG_HOST_TELEMETRY_H
#define AG_HOST_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"

struct ag_telemetry {
    uint32_t size;      // bytes in use, from the start of `ring`
    uint16_t packet_id; // of the first message, when it is on its way; 0: it is not
    uint8_t ring[AG_CFG_TELEMETRY_SIZE];
};

// Longest message, bytes.
#define AG_TELEMETRY_MAX (AG_CFG_TELEMETRY_SIZE / 2u)

// The last bytes of the ring are for those who have nothing in it, so that a plug-in that sends
// without end leaves room for the others.
#define AG_TELEMETRY_SPARED (AG_CFG_TELEMETRY_SIZE / 4u)

void ag_telemetry_init(struct ag_telemetry *telemetry);

// AG_ERR_ARGUMENT: empty or longer than AG_TELEMETRY_MAX. AG_ERR_NO_SPACE: no room for it now.
AG_MUST_CHECK enum ag_status ag_telemetry_add(struct ag_telemetry *telemetry, uint8_t owner,
                                              const void *bytes, size_t size);

// The first message, borrowed until the next call. False: there is none.
bool ag_telemetry_first(const struct ag_telemetry *telemetry, uint8_t *owner, const uint8_t **bytes,
                        size_t *size);

// The hub has it.
void ag_telemetry_drop_first(struct ag_telemetry *telemetry);

#endif
