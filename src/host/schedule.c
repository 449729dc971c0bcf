// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: round-robin over plug-ins with periods, in slices.
#include "host/schedule.h"

#include <string.h>

static bool slot_is_due(const struct ag_schedule_slot *slot, uint64_t now_ms)
{
    return slot->used && (slot->busy || slot->due_ms <= now_ms);
}

void ag_schedule_init(struct ag_schedule *schedule)
{
    memset(schedule, 0, sizeof *schedule);
}

void ag_schedule_add(struct ag_schedule *schedule, uint32_t index, uint32_t period_ms,
                     uint64_t now_ms)
{
    struct ag_schedule_slot *slot = &schedule->slots[index];
    slot->used = true;
    slot->busy = false;
    slot->period_ms = period_ms;
    slot->due_ms = now_ms;
}

void ag_schedule_remove(struct ag_schedule *schedule, uint32_t index)
{
    schedule->slots[index].used = false;
}

void ag_schedule_set_period(struct ag_schedule *schedule, uint32_t index, uint32_t period_ms)
{
    struct ag_schedule_slot *slot = &schedule->slots[index];
    if (!slot->busy && slot->due_ms >= slot->period_ms)
        slot->due_ms = slot->due_ms - slot->period_ms + period_ms;
    slot->period_ms = period_ms;
}

uint32_t ag_schedule_next(struct ag_schedule *schedule, uint64_t now_ms)
{
    for (uint32_t i = 1; i <= AG_CFG_PLUGIN_MAX; i++) {
        uint32_t index = (schedule->last + i) % AG_CFG_PLUGIN_MAX;
        if (slot_is_due(&schedule->slots[index], now_ms)) {
            schedule->last = index;
            return index;
        }
    }
    return AG_SCHEDULE_NONE;
}

void ag_schedule_suspended(struct ag_schedule *schedule, uint32_t index)
{
    schedule->slots[index].busy = true;
}

void ag_schedule_rest(struct ag_schedule *schedule, uint32_t index)
{
    schedule->slots[index].busy = false;
}

void ag_schedule_done(struct ag_schedule *schedule, uint32_t index, uint64_t now_ms)
{
    struct ag_schedule_slot *slot = &schedule->slots[index];
    slot->busy = false;
    slot->due_ms += slot->period_ms;
    if (slot->due_ms <= now_ms)
        slot->due_ms += (now_ms - slot->due_ms) / slot->period_ms * slot->period_ms;
}

uint32_t ag_schedule_wait(const struct ag_schedule *schedule, uint64_t now_ms)
{
    uint64_t wait = AG_SCHEDULE_NONE;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_schedule_slot *slot = &schedule->slots[i];
        if (slot_is_due(slot, now_ms))
            return 0;
        if (slot->used && slot->due_ms - now_ms < wait)
            wait = slot->due_ms - now_ms;
    }
    return (uint32_t)wait;
}
