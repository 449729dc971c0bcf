// SPDX-License-Identifier: Apache-2.0
// A fleet in its world: who is next, what befalls them, and the times of calm in between.
//
// Virtual time jumps from one event to the next. With eight devices at most, looking at all of them
// for the earliest is as quick as a heap and needs no upkeep.
#include "test/sim/fleet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core.h"
#include "store/store.h"
#include "test/unit/host/modules.h"

#define SECOND_MS ((uint64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

// A time of faults ends after so many steps of all devices at the latest, so that no world, however
// busy its plug-ins and its links, takes all the time of a campaign.
#define STEPS_MAX_DENSE  100000u
#define STEPS_MAX_SPARSE 1500000u

// With more blocks that have gone bad a device may lack the room to do what is wanted of it; then
// only what it must never do is looked at.
#define BAD_BLOCKS_MAX 2u

void fleet_violate(struct fleet *fleet, const struct fleet_device *device, const char *format, ...)
{
    if (fleet->violation[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    int size = snprintf(fleet->violation, sizeof fleet->violation, "%s: ", device->device.name);
    vsnprintf(fleet->violation + size, sizeof fleet->violation - (size_t)size, format, arguments);
    va_end(arguments);
    fleet->violation_step = fleet->world.steps;
    sim_trace(&fleet->world, "VIOLATION", "%s", fleet->violation);
}

// ---- Beginning ---------------------------------------------------------------------------------

// Dense worlds have many faults in days; sparse ones few in years.
static void draw_profile(struct fleet *fleet, bool must_be_dense)
{
    struct sim_world *world = &fleet->world;
    struct fleet_profile *profile = &fleet->profile;
    bool is_dense = sim_random(world) % 3 != 0 || must_be_dense;
    profile->is_sparse = !is_dense;
    profile->devices = (uint32_t)sim_between(world, 1, is_dense ? 4 : FLEET_DEVICES);
    profile->flash_size = (uint32_t)(AG_FLASH_BLOCK * sim_between(world, 64, 128));
    profile->rounds = (uint32_t)sim_between(world, 1, 4);
    profile->network = (uint32_t)(sim_random(world) % 4 * 400);
    profile->lists = sim_random(world) % 2;
    profile->wears_out = sim_random(world) % 8 == 0;
    if (is_dense) {
        profile->period_ms = (uint32_t)sim_scale(world, 500, 2 * MINUTE_MS);
        profile->gap_ms = sim_scale(world, 5 * SECOND_MS, HOUR_MS);
        profile->rollout_ms = sim_scale(world, 20 * SECOND_MS, 4 * HOUR_MS);
        profile->chaos_ms = profile->gap_ms * sim_between(world, 20, 100);
    } else {
        profile->period_ms = (uint32_t)sim_scale(world, 2 * HOUR_MS, DAY_MS);
        profile->gap_ms = sim_scale(world, HOUR_MS, 10 * DAY_MS);
        profile->rollout_ms = sim_scale(world, DAY_MS, 60 * DAY_MS);
        profile->chaos_ms = sim_scale(world, 30 * DAY_MS, 1000 * DAY_MS);
    }
}

static void draw_rates(struct fleet *fleet)
{
    uint16_t scale = (uint16_t)fleet->profile.network;
#define RATE(per_mille) ((uint16_t)((per_mille)*scale / 1000))
    fleet->hub_rates = (struct sim_hub_rates){ .login = RATE(60),
                                               .dps = RATE(200),
                                               .status = RATE(60),
                                               .silence = RATE(30),
                                               .late = RATE(150),
                                               .patch_lost = RATE(50),
                                               .patch_twice = RATE(100),
                                               .ack_twice = RATE(100) };
    fleet->blob_rates = (struct sim_blob_rates){ .status = RATE(150),
                                                 .etag = RATE(40),
                                                 .whole = RATE(40),
                                                 .short_ = RATE(60),
                                                 .corrupt = RATE(40) };
#undef RATE
}

static void configure(struct fleet *fleet, struct ag_host_config *config)
{
    struct sim_world *world = &fleet->world;
    const struct fleet_profile *profile = &fleet->profile;
    bool is_dense = !profile->is_sparse;
    config->keep_alive_s = is_dense ? (uint32_t)sim_scale(world, 30, 1177) : 1177;
    config->token_lifetime_s = is_dense ? (uint32_t)sim_scale(world, 300, 86400) : 86400;
    config->twin_interval_ms = (uint32_t)(is_dense ? sim_scale(world, 10 * MINUTE_MS, 2 * HOUR_MS)
                                                   : sim_scale(world, 6 * HOUR_MS, DAY_MS));
    config->trial_runs = (uint32_t)sim_between(world, 1, 5);
    config->trial_time_ms = (uint32_t)sim_scale(world, 100, 2 * profile->period_ms + 200);
    config->slice_fuel = (uint32_t)sim_scale(world, 2000, 200000);
}

static bool find_file(void *context, const char *path, const uint8_t **bytes, size_t *size)
{
    return trusts_find(path, bytes, size) || catalogue_find(context, path, bytes, size);
}

static enum ag_status use_trust(void *context, const uint8_t *bytes, size_t size)
{
    struct sim_device *device = context;
    uint8_t roots[5];
    if (!module_trust_roots(bytes, size, roots))
        return AG_ERR_MALFORMED;
    device->hub.is_untrusted = !memchr(roots, TRUSTS_HUB_ROOT, sizeof roots);
    device->blob.is_untrusted = !memchr(roots, TRUSTS_STORAGE_ROOT, sizeof roots);
    return AG_OK;
}

static void begin(struct fleet *fleet)
{
    struct sim_world *world = &fleet->world;
    const struct trust_file *trust = trusts_get(1, TRUST_GOOD);
    for (uint32_t i = 0; i < fleet->profile.devices; i++) {
        struct fleet_device *device = &fleet->devices[i];
        struct sim_device *inner = &device->device;
        sim_device_init(inner, world, i, fleet->profile.flash_size, trust->bytes.bytes,
                        trust->bytes.size);
        inner->use_trust = use_trust;
        configure(fleet, &inner->config);
        sim_hub_init(&device->hub, world, &inner->hub, inner->name, &fleet->hub_rates);
        sim_blob_init(&device->blob, world, &inner->blob, inner->name, &fleet->blob_rates);
        device->blob.find = find_file;
        inner->wake_ms = world->now_ms + sim_between(world, 0, MINUTE_MS);
        inner->heal_ms = SIM_NEVER;
    }
}

void fleet_clear(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->profile.devices; i++) {
        sim_hub_clear(&fleet->devices[i].hub);
        sim_device_clear(&fleet->devices[i].device);
    }
}

// ---- Faults ------------------------------------------------------------------------------------

static void go_bad(struct fleet *fleet, struct fleet_device *device)
{
    uint32_t blocks = fleet->profile.flash_size / AG_FLASH_BLOCK;
    if (!fleet->profile.wears_out)
        return;
    uint32_t block = (uint32_t)(sim_random(&fleet->world) % blocks);
    device->device.bad_blocks[block] = true;
    device->bad_blocks++;
    sim_count(&fleet->world, SIM_FAULT_BAD_BLOCK);
    sim_trace(&fleet->world, device->device.name, "block %u goes bad", (unsigned)block);
}

// What is slow or wrong for a while.
static void heal(struct sim_device *device)
{
    device->heal_ms = SIM_NEVER;
    device->slow_ms = 0;
    device->clock_is_known = true;
    device->clock_offset_s = 0;
}

static void break_clock(struct fleet *fleet, struct sim_device *device)
{
    struct sim_world *world = &fleet->world;
    device->heal_ms = world->now_ms + sim_scale(world, SECOND_MS, 6 * HOUR_MS);
    sim_count(world, SIM_FAULT_CLOCK);
    switch (sim_random(world) % 3) {
    case 0: // as after a dead battery
        device->clock_is_known = false;
        break;
    case 1:
        device->clock_offset_s = -(int64_t)sim_scale(world, 1, 20u * 365 * 86400);
        break;
    default:
        device->clock_offset_s = (int64_t)sim_scale(world, 1, 20u * 365 * 86400);
        break;
    }
    sim_trace(world, device->name, "clock: %s, %" PRId64 " s",
              device->clock_is_known ? "known" : "1970", device->clock_offset_s);
}

static void arm_cut(struct fleet *fleet, struct sim_device *device)
{
    struct sim_world *world = &fleet->world;
    device->flash.cut_at = device->flash.operations + (uint32_t)sim_scale(world, 1, 100);
    device->flash.cut_mode = (enum sim_cut_mode)(sim_random(world) % SIM_CUT_MODES);
    sim_trace(world, device->name, "a cut %s is to come",
              sim_cut_mode_name(device->flash.cut_mode));
}

// Something befalls one device, or all.
static void strike(struct fleet *fleet)
{
    struct sim_world *world = &fleet->world;
    struct fleet_device *device = &fleet->devices[sim_random(world) % fleet->profile.devices];
    struct sim_device *inner = &device->device;
    struct sim_link *link = sim_random(world) % 2 ? &inner->hub : &inner->blob;
    switch (sim_random(world) % 16) {
    case 0:
    case 1:
        if (link->is_open) {
            sim_link_reset(link);
            sim_count(world, SIM_FAULT_RESET);
        }
        break;
    case 2:
    case 3:
        if (link->is_open) {
            sim_link_stall(link, sim_scale(world, 10, 10 * MINUTE_MS));
            sim_count(world, SIM_FAULT_STALL);
        }
        break;
    case 4:
        if (link->is_open) {
            sim_link_half_open(link);
            sim_count(world, SIM_FAULT_HALF_OPEN);
        }
        break;
    case 5:
        sim_count(world, SIM_FAULT_HUB_RESTART);
        for (uint32_t i = 0; i < fleet->profile.devices; i++) {
            sim_hub_restart(&fleet->devices[i].hub);
            sim_device_look(&fleet->devices[i].device);
        }
        break;
    case 6:
    case 7:
        if (inner->host) {
            sim_device_power_off(inner, sim_scale(world, 1, 6 * HOUR_MS));
            sim_count(world, SIM_FAULT_POWER);
        }
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        arm_cut(fleet, inner);
        break;
    case 12:
        inner->flash.fail_at = inner->flash.operations + (uint32_t)sim_scale(world, 1, 100);
        break;
    case 13:
        break_clock(fleet, inner);
        break;
    case 14:
        inner->slow_ms = (uint32_t)sim_scale(world, 1, 2000);
        inner->heal_ms = world->now_ms + sim_scale(world, SECOND_MS, 6 * HOUR_MS);
        sim_count(world, SIM_FAULT_SLOW_FLASH);
        break;
    case 15:
        go_bad(fleet, device);
        break;
    }
    sim_device_look(inner);
}

// ---- Time --------------------------------------------------------------------------------------

static void note_failures(struct fleet *fleet, struct fleet_device *device)
{
    const struct sim_device *inner = &device->device;
    for (; device->failures < inner->failures; device->failures++)
        sim_count(&fleet->world, SIM_FAULT_FLASH_FAILS);
}

// With a flash that fails at the wrong place a device may refuse to start; nothing more is then
// expected of it, except that it does no harm.
static void start(struct fleet *fleet, struct fleet_device *device)
{
    struct sim_device *inner = &device->device;
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        device->tracks[i].running = NULL;
        device->tracks[i].module = NULL;
        device->tracks[i].down_ms = SIM_NEVER;
    }
    device->signature = 0;
    device->trust_bytes = NULL;
    device->trust_seen = 0;
    device->checked_reports = SIM_NEVER;
    device->operations = inner->operations;
    if (sim_device_boot(inner))
        return;
    if (inner->init_status == AG_OK || inner->wake_ms != SIM_NEVER)
        return; // the power went once more
    bool has_failed = inner->failures != device->failures;
    note_failures(fleet, device);
    if (device->bad_blocks == 0 && !has_failed)
        fleet_violate(fleet, device, "it does not start: %s", ag_status_name(inner->init_status));
    device->is_dead = device->bad_blocks > 0;
    if (!device->is_dead) // an operation failed: somebody switches it off and on
        inner->wake_ms = fleet->world.now_ms + MINUTE_MS;
}

static void step(struct fleet *fleet, struct fleet_device *device)
{
    struct sim_device *inner = &device->device;
    if (!inner->host) {
        start(fleet, device);
        return;
    }
    fleet->world.steps++;
    device->operations = inner->operations;
    if (sim_device_step(inner))
        rules_after_step(fleet, device);
    note_failures(fleet, device);
}

static uint64_t earliest(const struct fleet *fleet, uint64_t end_ms)
{
    uint64_t next_ms = end_ms;
    for (uint32_t i = 0; i < fleet->profile.devices; i++) {
        const struct fleet_device *device = &fleet->devices[i];
        if (device->device.wake_ms < next_ms)
            next_ms = device->device.wake_ms;
        if (device->hub.late_ms < next_ms)
            next_ms = device->hub.late_ms;
        if (device->device.heal_ms < next_ms)
            next_ms = device->device.heal_ms;
    }
    if (fleet->world.is_calm)
        return next_ms;
    next_ms = fleet->fault_ms < next_ms ? fleet->fault_ms : next_ms;
    return fleet->rollout_ms < next_ms ? fleet->rollout_ms : next_ms;
}

static uint64_t draw_gap(struct fleet *fleet, uint64_t mean_ms)
{
    return fleet->world.now_ms + sim_between(&fleet->world, 1, 2 * mean_ms);
}

// One moment: all that happens at it.
static void advance(struct fleet *fleet, uint64_t end_ms)
{
    struct sim_world *world = &fleet->world;
    uint64_t next_ms = earliest(fleet, end_ms);
    world->now_ms = next_ms > world->now_ms ? next_ms : world->now_ms;
    if (!world->is_calm && world->now_ms >= fleet->fault_ms) {
        strike(fleet);
        fleet->fault_ms = draw_gap(fleet, fleet->profile.gap_ms);
    }
    if (!world->is_calm && world->now_ms >= fleet->rollout_ms) {
        operator_rolls_out(fleet);
        fleet->rollout_ms = draw_gap(fleet, fleet->profile.rollout_ms);
    }
    for (uint32_t i = 0; i < fleet->profile.devices; i++) {
        struct fleet_device *device = &fleet->devices[i];
        if (world->now_ms >= device->hub.late_ms) {
            sim_hub_tick(&device->hub);
            sim_device_look(&device->device);
        }
        if (world->now_ms >= device->device.heal_ms)
            heal(&device->device);
        if (world->now_ms >= device->device.wake_ms)
            step(fleet, device);
    }
}

static void pass(struct fleet *fleet, uint64_t ms, uint64_t steps)
{
    uint64_t end_ms = fleet->world.now_ms + ms;
    uint64_t last = fleet->world.steps + steps;
    while (fleet->world.now_ms < end_ms && fleet->world.steps < last && !fleet->violation[0])
        advance(fleet, end_ms);
}

// ---- Calm --------------------------------------------------------------------------------------

// Everything is whole again, except what is worn out.
static void become_calm(struct fleet *fleet)
{
    struct sim_world *world = &fleet->world;
    world->is_calm = true;
    sim_trace(world, "world", "calm");
    for (uint32_t i = 0; i < fleet->profile.devices; i++) {
        struct sim_device *device = &fleet->devices[i].device;
        device->flash.cut_at = 0;
        device->flash.fail_at = 0;
        heal(device);
        if (!device->host && !fleet->devices[i].is_dead)
            device->wake_ms = world->now_ms;
    }
}

// What it waits for, in the trace.
static void tell_unrest(struct fleet *fleet, const struct fleet_device *device)
{
    struct ag_host_status status;
    const struct ag_host *host = device->device.host;
    if (!host) {
        sim_trace(&fleet->world, device->device.name, "its power is off");
        return;
    }
    ag_host_status(host, &status);
    sim_trace(&fleet->world, device->device.name,
              "link %d, idle %d, reported %d, desired version %u of %u, trust %d", (int)status.link,
              status.is_idle, status.is_reported, (unsigned)status.desired_version,
              (unsigned)device->hub.version, (int)host->trust_update.state);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (plugin->is_used)
            sim_trace(&fleet->world, device->device.name, "%s: state %s, current %u, next %u, %s",
                      plugin->name, ag_transition_state_name(plugin->state),
                      (unsigned)plugin->current.version, (unsigned)plugin->next.version,
                      ag_status_name(plugin->error));
    }
}

// How long after the last fault a device may take.
static uint64_t bound_ms(const struct fleet *fleet)
{
    uint64_t window_ms = fleet->profile.is_sparse ? 7 * DAY_MS : 0;
    return window_ms + DAY_MS + 6 * HOUR_MS + 60 * (uint64_t)fleet->profile.period_ms;
}

// Looks at those that have come to rest. True: all have.
static bool all_came_to_rest(struct fleet *fleet, bool came_to_rest[FLEET_DEVICES])
{
    bool all = true;
    for (uint32_t i = 0; i < fleet->profile.devices && !fleet->violation[0]; i++) {
        struct fleet_device *device = &fleet->devices[i];
        if (came_to_rest[i] || device->is_dead || device->bad_blocks > BAD_BLOCKS_MAX)
            continue;
        came_to_rest[i] = rules_at_rest(device);
        all &= came_to_rest[i];
        if (came_to_rest[i])
            rules_at_end(fleet, device);
    }
    return all;
}

// Until all devices have been where they must be: not at one time, since what keeps failing is
// started again and again.
static void settle(struct fleet *fleet)
{
    bool came_to_rest[FLEET_DEVICES] = { false };
    uint64_t end_ms = fleet->world.now_ms + bound_ms(fleet);
    while (!fleet->violation[0] && fleet->world.now_ms < end_ms &&
           !all_came_to_rest(fleet, came_to_rest))
        pass(fleet, MINUTE_MS / 2 + sim_between(&fleet->world, 0, MINUTE_MS), UINT64_MAX / 2);
    for (uint32_t i = 0; i < fleet->profile.devices && !fleet->violation[0]; i++) {
        struct fleet_device *device = &fleet->devices[i];
        if (came_to_rest[i] || device->is_dead || device->bad_blocks > BAD_BLOCKS_MAX)
            continue;
        tell_unrest(fleet, device);
        fleet_violate(fleet, device, "it does not come to rest in %u h",
                      (unsigned)(bound_ms(fleet) / HOUR_MS));
    }
}

static void check_liveness(struct fleet *fleet)
{
    become_calm(fleet);
    for (uint32_t i = 0; i < fleet->profile.devices && !fleet->profile.is_sparse; i++)
        operator_opens_windows(fleet, &fleet->devices[i]);
    settle(fleet);
    for (uint32_t i = 0; i < fleet->profile.devices && !fleet->violation[0]; i++)
        if (fleet->devices[i].blob.corruptions > 0)
            operator_renews(fleet, &fleet->devices[i]);
    settle(fleet);
    for (uint32_t i = 0; i < fleet->profile.devices && !fleet->violation[0]; i++)
        operator_wants_good(fleet, &fleet->devices[i]);
    settle(fleet);
    fleet->world.is_calm = false;
    sim_trace(&fleet->world, "world", "faults again");
}

void fleet_run(struct fleet *fleet, uint64_t seed, bool is_dense, bool traces)
{
    memset(fleet, 0, sizeof *fleet);
    struct sim_world *world = &fleet->world;
    world->random = seed;
    world->traces = traces;
    world->epoch_s = 1893456000; // 2030-01-01
    draw_profile(fleet, is_dense);
    draw_rates(fleet);
    begin(fleet);
    for (uint32_t i = 0; i < fleet->profile.rounds && !fleet->violation[0]; i++) {
        fleet->fault_ms = draw_gap(fleet, fleet->profile.gap_ms);
        fleet->rollout_ms = draw_gap(fleet, fleet->profile.rollout_ms);
        pass(fleet, fleet->profile.chaos_ms,
             fleet->profile.is_sparse ? STEPS_MAX_SPARSE : STEPS_MAX_DENSE);
        if (!fleet->violation[0])
            check_liveness(fleet);
    }
}
