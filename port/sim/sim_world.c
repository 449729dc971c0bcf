// SPDX-License-Identifier: Apache-2.0
// What everything in a simulated world shares.
#include "port/sim/sim_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SIM_FAULTS] = {
    [SIM_FAULT_CONNECT] = "connect",
    [SIM_FAULT_RESET] = "reset",
    [SIM_FAULT_CUT] = "cut",
    [SIM_FAULT_STALL] = "stall",
    [SIM_FAULT_HALF_OPEN] = "half_open",
    [SIM_FAULT_DELAY] = "delay",
    [SIM_FAULT_CHOPPED] = "chopped",
    [SIM_FAULT_HUB_RESTART] = "hub_restart",
    [SIM_FAULT_LOGIN] = "login",
    [SIM_FAULT_DPS] = "dps",
    [SIM_FAULT_TWIN_STATUS] = "twin_status",
    [SIM_FAULT_TWIN_SILENCE] = "twin_silence",
    [SIM_FAULT_TWIN_LATE] = "twin_late",
    [SIM_FAULT_PATCH_LOST] = "patch_lost",
    [SIM_FAULT_PATCH_TWICE] = "patch_twice",
    [SIM_FAULT_ACK_TWICE] = "ack_twice",
    [SIM_FAULT_ENTRY] = "entry",
    [SIM_FAULT_HTTP_STATUS] = "http_status",
    [SIM_FAULT_HTTP_ETAG] = "http_etag",
    [SIM_FAULT_HTTP_WHOLE] = "http_whole",
    [SIM_FAULT_HTTP_SHORT] = "http_short",
    [SIM_FAULT_HTTP_CORRUPT] = "http_corrupt",
    [SIM_FAULT_POWER] = "power",
    [SIM_FAULT_POWER_FLASH] = "power_flash",
    [SIM_FAULT_CLOCK] = "clock",
    [SIM_FAULT_FLASH_FAILS] = "flash_fails",
    [SIM_FAULT_BAD_BLOCK] = "bad_block",
    [SIM_FAULT_SLOW_FLASH] = "slow_flash",
    [SIM_FAULT_FILE] = "file",
};

const char *sim_fault_name(enum sim_fault fault)
{
    return names[fault];
}

uint64_t sim_scale(struct sim_world *world, uint64_t low, uint64_t high)
{
    unsigned doublings = 0;
    while (low << (doublings + 1) <= high && doublings < 40)
        doublings++;
    uint64_t from = low << (sim_random(world) % (doublings + 1));
    uint64_t to = 2 * from < high ? 2 * from : high;
    return sim_between(world, from, to > from ? to : from);
}

void sim_count(struct sim_world *world, enum sim_fault fault)
{
    world->faults[fault]++;
}

bool sim_strikes(struct sim_world *world, uint32_t per_mille, enum sim_fault fault)
{
    if (world->is_calm || sim_random(world) % 1000 >= per_mille)
        return false;
    sim_count(world, fault);
    return true;
}

uint64_t sim_fault_total(const struct sim_world *world)
{
    uint64_t total = 0;
    for (int i = 0; i < SIM_FAULTS; i++)
        total += world->faults[i];
    return total;
}

void sim_trace(const struct sim_world *world, const char *who, const char *format, ...)
{
    if (!world->traces)
        return;
    uint64_t ms = world->now_ms;
    printf("%5" PRIu64 "d %02u:%02u:%02u.%03u #%" PRIu64 " %s: ", ms / 86400000,
           (unsigned)(ms / 3600000 % 24), (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60),
           (unsigned)(ms % 1000), world->steps, who);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void sim_bytes_add(struct sim_bytes *bytes, const void *more, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = 2 * (bytes->size + size) + 256;
        bytes->at = realloc(bytes->at, bytes->capacity);
        if (!bytes->at) {
            fprintf(stderr, "sim: out of memory\n");
            exit(2);
        }
    }
    if (size > 0)
        memcpy(bytes->at + bytes->size, more, size);
    bytes->size += size;
}

void sim_bytes_drop(struct sim_bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size > 0)
        memmove(bytes->at, bytes->at + size, bytes->size);
}

void sim_bytes_free(struct sim_bytes *bytes)
{
    free(bytes->at);
    memset(bytes, 0, sizeof *bytes);
}
