// SPDX-License-Identifier: Apache-2.0
// A simulated temperature sensor beside a heater, for boards that have none: each second the
// temperature goes 1/30 of its way to 40 °C while the heater is on, and to 18 °C while it is off.
// Deterministic in the times it is given.
#ifndef AG_SHARED_ROOM_H
#define AG_SHARED_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct ag_room {
    int32_t micro_degrees;
    bool heats;
    uint64_t at_ms; // when micro_degrees was right
};

void ag_room_init(struct ag_room *room, uint64_t now_ms);
void ag_room_set_heater(struct ag_room *room, bool on, uint64_t now_ms);
int32_t ag_room_milli_degrees(struct ag_room *room, uint64_t now_ms);

#endif
