// SPDX-License-Identifier: Apache-2.0
// The world at one moment without power.
#include "test/power/moment.h"

#include <string.h>

void moment_open(struct moment *moment)
{
    memset(moment, 0, sizeof *moment);
    sim_flash_open(&moment->flash, world.flash.flash.size);
}

void moment_close(struct moment *moment)
{
    json_decref(moment->desired);
    json_decref(moment->reported);
    sim_flash_close(&moment->flash);
}

void moment_take(struct moment *moment)
{
    json_decref(moment->desired);
    json_decref(moment->reported);
    sim_flash_copy(&moment->flash, &world.flash);
    moment->desired = json_deep_copy(world.hub.desired);
    moment->reported = json_deep_copy(world.hub.reported);
    moment->version = world.hub.version;
    moment->reported_version = world.hub.reported_version;
}

void moment_give(const struct moment *moment)
{
    world_power_off();
    json_decref(world.hub.desired);
    json_decref(world.hub.reported);
    sim_flash_copy(&world.flash, &moment->flash);
    world.hub.desired = json_deep_copy(moment->desired);
    world.hub.reported = json_deep_copy(moment->reported);
    world.hub.version = moment->version;
    world.hub.reported_version = moment->reported_version;
    world.hub_pipe.open_fails = AG_OK;
    world.file_pipe.cut_after = 0;
    world.stops_at_cut = false;
    board_reset();
}
