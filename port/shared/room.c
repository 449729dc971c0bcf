// SPDX-License-Identifier: Apache-2.0
// Temperature: a first-order model in steps of 100 ms.
#include "port/shared/room.h"

enum {
    STEP_MS = 100,
    STEPS_PER_TIME_CONSTANT = 300,
    WARM = 40000000, // micro-degrees
    COOL = 18000000,
    START = 20000000,
};

static void bring_up_to_date(struct ag_room *room, uint64_t now_ms)
{
    const int32_t target = room->heats ? WARM : COOL;
    uint64_t steps = (now_ms - room->at_ms) / STEP_MS;
    room->at_ms += steps * STEP_MS;
    if (steps > 10u * STEPS_PER_TIME_CONSTANT) {
        room->micro_degrees = target;
        return;
    }
    for (; steps > 0; steps--)
        room->micro_degrees += (target - room->micro_degrees) / STEPS_PER_TIME_CONSTANT;
}

void ag_room_init(struct ag_room *room, uint64_t now_ms)
{
    *room = (struct ag_room){ .micro_degrees = START, .at_ms = now_ms };
}

void ag_room_set_heater(struct ag_room *room, bool on, uint64_t now_ms)
{
    bring_up_to_date(room, now_ms);
    room->heats = on;
}

int32_t ag_room_milli_degrees(struct ag_room *room, uint64_t now_ms)
{
    bring_up_to_date(room, now_ms);
    return room->micro_degrees / 1000;
}
