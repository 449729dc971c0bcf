// SPDX-License-Identifier: Apache-2.0
// What power cuts and updates cost: the time of a start after a cut, the spread of wear, and flash
// operations of an install. Counts are the same on every machine; times are told as a ratio.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/harness.h"
#include "test/power/moment.h"
#include "test/unit/host/watch.h"
#include "test/unit/store/helper.h"

#define MEGABYTE 1048576u
#define PLUGINS  32u
#define STARTS   15u // times of which the median counts
#define UPDATES  10000u

// ---- Starts ------------------------------------------------------------------------------------

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// A device with 4 MB instead of the world's own flash.
static void open_large_world(void)
{
    world_open();
    sim_flash_close(&world.flash);
    sim_flash_open(&world.flash, 4 * MEGABYTE);
    world.wire.base = world.flash.flash.base;
    world.wire.size = world.flash.flash.size;
    world.config.desired_size = 16384;
}

static void desire_all(uint32_t version, uint32_t size)
{
    char modules[8192] = "[";
    for (uint32_t i = 0; i < PLUGINS; i++) {
        char name[16];
        char entry[128];
        snprintf(name, sizeof name, "p%u", (unsigned)i);
        world_publish(name, &(struct module){ .name = name,
                                              .version = version,
                                              .behaviour = MODULE_LARGE,
                                              .argument = size,
                                              .pin = (uint8_t)(i % 8) });
        snprintf(entry, sizeof entry,
                 "%s{'Name':'%s','Version':%u,'Url':'https://files.example/%s'}", i ? "," : "",
                 name, (unsigned)version, name);
        strcat(modules, entry);
    }
    strcat(modules, "]");
    world_desire(modules);
}

// The time that the host takes from the return of power until its plug-ins run.
static double start(void)
{
    struct ag_host_board parts = { .flash = &world.wire,
                                   .hub = &world.hub_pipe.stream,
                                   .download = &world.file_pipe.stream };
    world.memory_size = ag_host_size(&world.config) + 48u * 1024u;
    world.memory = malloc(world.memory_size);
    const double before = now_ms();
    CHECK_EQUAL(ag_host_init(world.memory, world.memory_size, &world.config, &parts, &world.host),
                AG_OK);
    const double time = now_ms() - before;
    world_power_off();
    return time;
}

static double median_start(const struct moment *moment)
{
    double times[STARTS];
    for (uint32_t i = 0; i < STARTS; i++) {
        moment_give(moment);
        times[i] = start();
    }
    qsort(times, STARTS, sizeof times[0], by_size);
    return times[STARTS / 2];
}

// Lets the device update everything until the power goes. False: it did not.
static bool cut_at(uint32_t operation, enum sim_cut_mode mode)
{
    world.flash.operations = 0;
    world.flash.cut_at = operation;
    world.flash.cut_mode = mode;
    world.flash.seed = operation;
    world.stops_at_cut = true;
    if (setjmp(world.power) == 0) {
        world_boot();
        CHECK(world_settle(600000));
    }
    const bool is_cut = world.flash.off;
    world_power_off();
    sim_flash_restart(&world.flash);
    return is_cut;
}

static void a_start_after_a_cut_takes_about_as_long_as_any_other(void)
{
    struct moment rest;
    struct moment cut;
    open_large_world();
    desire_all(1, 8000);
    world_boot();
    CHECK(world_settle(600000));
    desire_all(2, 8000);
    CHECK(world_settle(600000));
    world_power_off();
    moment_open(&rest);
    moment_open(&cut);
    moment_take(&rest);
    const double plain = median_start(&rest);
    desire_all(3, 8000);
    moment_take(&rest);
    double longest = 0;
    double sum = 0;
    uint32_t cuts = 0;
    for (uint32_t operation = 1; operation < 400; operation += 7) {
        moment_give(&rest);
        if (!cut_at(operation, (enum sim_cut_mode)(cuts % SIM_CUT_MODES)))
            break;
        moment_take(&cut);
        const double time = median_start(&cut);
        longest = time > longest ? time : longest;
        sum += time;
        cuts++;
    }
    CHECK(cuts > 10);
    printf(
        "# recovery: 4 MB, %u plug-ins of two versions: a start takes %.2f ms; after a cut %.2f x "
        "(mean of %u cuts), at most %.2f x of that\n",
        PLUGINS, plain, sum / cuts / plain, (unsigned)cuts, longest / plain);
    moment_close(&rest);
    moment_close(&cut);
    world_close();
}

// ---- Wear --------------------------------------------------------------------------------------

struct wear {
    uint32_t min;
    uint32_t max;
    double mean;
};

static struct wear wear_of(const struct sim_flash *sim, uint32_t first, uint32_t end)
{
    struct wear wear = { UINT32_MAX, 0, 0 };
    for (uint32_t block = first; block < end; block++) {
        const uint32_t erases = sim_flash_wear(sim, block);
        wear.min = erases < wear.min ? erases : wear.min;
        wear.max = erases > wear.max ? erases : wear.max;
        wear.mean += erases;
    }
    wear.mean /= end - first;
    return wear;
}

static void wear_out(uint32_t size, uint32_t plugins, uint32_t journal)
{
    static struct sim_flash sim;
    static struct ag_store store;
    uint32_t id;
    sim_flash_open(&sim, size);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
    for (uint32_t i = 0; i < UPDATES; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", (unsigned)(i % plugins));
        const struct made made = { name, 1 + i / plugins, 0, 3000 + i % 7 * 1000, 5000 };
        CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
    }
    const struct wear ring = wear_of(&sim, 0, journal);
    const struct wear slots = wear_of(&sim, journal, size / AG_FLASH_BLOCK);
    printf("# wear: %u KB, %u plug-ins, %u updates: erases of a block min/mean/max %u/%.1f/%u in "
           "slots, %u/%.1f/%u in the journal\n",
           size / 1024u, (unsigned)plugins, UPDATES, (unsigned)slots.min, slots.mean,
           (unsigned)slots.max, (unsigned)ring.min, ring.mean, (unsigned)ring.max);
    CHECK(slots.max < slots.mean * 2.0);
    CHECK(ring.max < ring.mean * 2.0);
    CHECK_EQUAL(sim.counts.breaches, 0);
    sim_flash_close(&sim);
}

static void ten_thousand_updates_wear_all_blocks_alike(void)
{
    wear_out(256u * 1024u, 4, 4);
    wear_out(4 * MEGABYTE, 32, 32);
}

// ---- Installs ----------------------------------------------------------------------------------

static void count_install(uint32_t size)
{
    world_open();
    world_publish("blinky-1.wasm", &(struct module){ .name = "blinky", .version = 1 });
    struct world_file *file = world_publish(
        "blinky-2.wasm",
        &(struct module){
            .name = "blinky", .version = 2, .behaviour = MODULE_LARGE, .argument = size });
    world_desire_one("blinky", 1);
    world_boot();
    CHECK(world_settle(60000));
    world.flash.counts = (struct sim_flash_counts){ 0 };
    world_desire_one("blinky", 2);
    CHECK(world_settle(60000));
    const struct sim_flash_counts *counts = &world.flash.counts;
    printf(
        "# install: a file of %zu bytes, tried and confirmed: %u programs (%u units of 16 bytes), "
        "%u erases, %u syncs\n",
        file->bytes.size, (unsigned)counts->programs, (unsigned)counts->units,
        (unsigned)counts->erases, (unsigned)counts->syncs);
    CHECK(counts->syncs > 0 && counts->syncs <= 4);
    CHECK(counts->erases <= 2 + 3 * file->bytes.size / AG_FLASH_BLOCK);
    world_close();
}

static void an_install_takes_few_flash_operations(void)
{
    count_install(1);
    count_install(50000);
}

static const struct test_case cases[] = {
    TEST(a_start_after_a_cut_takes_about_as_long_as_any_other),
    TEST(ten_thousand_updates_wear_all_blocks_alike),
    TEST(an_install_takes_few_flash_operations),
};
TEST_MAIN(cases)
