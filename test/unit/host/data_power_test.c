// SPDX-License-Identifier: Apache-2.0
// A plug-in's own data and the power: cut at every flash operation while it is written, updated,
// rolled back, fallen back from and removed. A version finds whole runs, its own, and none that was
// on flash is missing. And how often flash is written at all.
#include <stdio.h>
#include <string.h>

#include "host/core.h"
#include "host/data_store.h"
#include "plugin/capabilities.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

// Version 10 adds 1 in every run, later ones 1000: a number tells who wrote it.
#define LATER 1000u

struct scenario {
    const char *name;
    uint32_t desired;   // version 10 is confirmed; 0: stays so
    bool is_removed;    // instead
    bool is_damaged;    // instead: version 11 is confirmed, and its file is found damaged
    uint32_t ends_with; // version; 0: none
};

static const struct scenario scenarios[] = {
    { .name = "write", .ends_with = 10 },
    { .name = "update", .desired = 11, .ends_with = 11 },
    { .name = "rollback", .desired = 12, .ends_with = 10 },
    { .name = "fallback", .is_damaged = true, .ends_with = 10 },
    { .name = "removal", .is_removed = true },
};

// What the versions have seen as long as the power was there, at the ends of their runs.
static struct {
    uint32_t last[16];    // by version
    uint32_t durable[16]; // that was on flash
} seen;

static uint32_t number_of(const struct ag_data *data)
{
    struct ag_text a = { "", 0 };
    struct ag_text b = { "", 0 };
    uint32_t number = 0;
    const enum ag_status status = ag_data_get(data, ag_text_of("a"), &a);
    CHECK_EQUAL(ag_data_get(data, ag_text_of("b"), &b), status);
    if (status != AG_OK)
        return 0;
    CHECK_EQUAL(a.size, sizeof number);
    CHECK_EQUAL(b.size, sizeof number);
    CHECK_BYTES(a.at, b.at, sizeof number); // never half a run
    memcpy(&number, a.at, sizeof number);
    return number;
}

static void observe(void)
{
    const struct ag_plugin *plugin = &world.host->plugins.plugins[0];
    if (!plugin->instance.options.data || plugin->phase != AG_PLUGIN_RUNNING ||
        plugin->instance.is_busy)
        return;
    const uint32_t version = plugin->is_trial ? plugin->next.version : plugin->current.version;
    seen.last[version] = number_of(plugin->instance.options.data);
    if (!plugin->instance.options.data->is_changed)
        seen.durable[version] = seen.last[version];
}

static void run(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i += 10) {
        world_run(10);
        observe();
    }
}

static void publish(void)
{
    struct module module = { .name = "counter",
                             .version = 10,
                             .behaviour = MODULE_STORES,
                             .argument = 1,
                             .capability = AG_CAPABILITY_STORE,
                             .data_size = 64 };
    world_publish("counter-10.wasm", &module);
    module.argument = LATER;
    module.version = 11;
    world_publish("counter-11.wasm", &module);
    module.version = 12;
    module.traps_in = 2;
    world_publish("counter-12.wasm", &module);
}

static bool settle_observed(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i += 10) {
        run(10);
        if (world_settle(1))
            return true;
    }
    return false;
}

static void damage_version_11(void)
{
    struct ag_store store;
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "counter", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(slot.version, 11);
    CHECK_EQUAL(ag_store_open_file(&store, slot.id, &bytes, &size), AG_OK);
    sim_flash_flip(&world.flash, (uint32_t)(bytes - world.flash.flash.base + 60) * 8);
}

static void prepare(const struct scenario *scenario)
{
    memset(&seen, 0, sizeof seen);
    world_open();
    publish();
    world_boot();
    world_desire_one("counter", 10);
    CHECK(settle_observed(60000));
    if (scenario->is_damaged) {
        world_desire_one("counter", 11);
        CHECK(settle_observed(60000));
        world_power_off();
        damage_version_11();
    } else {
        world_reset();
    }
    world.flash.operations = 0;
}

static void desire(const struct scenario *scenario)
{
    if (scenario->is_removed)
        world_desire("[]");
    else if (scenario->desired)
        world_desire_one("counter", scenario->desired);
}

static void play(const struct scenario *scenario)
{
    world.stops_at_cut = true;
    if (setjmp(world.power) != 0)
        return;
    if (scenario->is_damaged) {
        world.hub_pipe.open_fails = AG_ERR_CONNECT;
        world_boot();
    }
    run(1500);
    desire(scenario);
    run(3000);
}

// The number that a version would find, alone with the flash; `found` of current, then previous.
static void look(uint32_t versions[2], uint32_t found[2])
{
    static uint64_t block[32];
    struct ag_store store;
    struct ag_store_slot slot;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    struct ag_data_line line = { .name = "counter" };
    static const enum ag_store_role roles[2] = { AG_STORE_CURRENT, AG_STORE_PREVIOUS };
    for (int i = 0; i < 2; i++) {
        versions[i] = found[i] = 0;
        if (ag_store_find(&store, AG_STORE_PLUGIN, "counter", roles[i], &slot) != AG_OK)
            continue;
        struct ag_data *data = ag_data_init(block, 64);
        line.current = slot.id;
        CHECK_EQUAL(ag_data_store_load(&store, &line, slot.id, data), AG_OK);
        versions[i] = slot.version;
        found[i] = number_of(data);
    }
    uint8_t byte;
    size_t size;
    for (int key = AG_STORE_DATA; versions[0] == 0 && key <= AG_STORE_DATA_LAST; key++)
        CHECK_EQUAL(
            ag_store_peek(&store, (enum ag_store_key)key, "counter", &byte, sizeof byte, &size),
            AG_ERR_NOT_FOUND);
}

// Nothing that was on flash is missing, and nothing is there that the version did not write: at
// most the run during which the power went.
static void check_found(uint32_t version, uint32_t found)
{
    if (version == 0)
        return;
    CHECK(found >= seen.durable[version]);
    if (version == 10)
        CHECK(found <= seen.last[10] + 1 && found < LATER);
    else
        CHECK(found <= (seen.last[version] ? seen.last[version] : seen.last[10] + 1) + LATER);
}

static void check_flash(void)
{
    uint32_t versions[2];
    uint32_t found[2];
    look(versions, found);
    for (int i = 0; i < 2; i++)
        check_found(versions[i], found[i]);
}

static void check_that_it_goes_on(const struct scenario *scenario)
{
    uint32_t versions[2];
    uint32_t before[2];
    uint32_t found[2];
    look(versions, before);
    const uint32_t version = versions[0];
    world.hub_pipe.open_fails = AG_OK;
    desire(scenario); // in case that the power went before
    world_boot();
    CHECK(world_settle(600000));
    if (scenario->is_damaged)
        return; // the hub has 11 fetched again
    world_run(2000);
    CHECK_EQUAL(world_version("counter"), scenario->ends_with);
    world_power_off();
    sim_flash_restart(&world.flash);
    look(versions, found);
    if (scenario->ends_with != 0 && version == scenario->ends_with)
        CHECK(found[0] > before[0]);
    if (scenario->ends_with == 10)
        CHECK(found[0] < LATER);
    if (scenario->ends_with == 11)
        CHECK(found[0] > LATER && found[0] % LATER >= seen.durable[10] % LATER);
}

static uint32_t operations_of(const struct scenario *scenario)
{
    prepare(scenario);
    play(scenario);
    const uint32_t operations = world.flash.operations;
    world_power_off();
    check_flash();
    world_close();
    return operations;
}

static void cut(const struct scenario *scenario, enum sim_cut_mode mode, uint32_t at)
{
    test_note("%s, cut %s operation %u", scenario->name, sim_cut_mode_name(mode), (unsigned)at);
    prepare(scenario);
    world.flash.cut_at = at;
    world.flash.cut_mode = mode;
    world.flash.seed = at * 7 + (uint32_t)mode;
    play(scenario);
    CHECK(world.flash.off);
    world_power_off();
    world.stops_at_cut = false;
    sim_flash_restart(&world.flash);
    check_flash();
    check_that_it_goes_on(scenario);
    world_close();
}

static void cut_everywhere(const struct scenario *scenario)
{
    const uint32_t operations = operations_of(scenario);
    CHECK(operations > 0);
    for (int mode = 0; mode < SIM_CUT_MODES; mode++)
        for (uint32_t at = 1; at <= operations; at++)
            cut(scenario, (enum sim_cut_mode)mode, at);
    printf("# data, %s: %u operations, %u cuts\n", scenario->name, (unsigned)operations,
           (unsigned)operations * SIM_CUT_MODES);
}

static void data_that_is_written_survives_every_cut(void)
{
    cut_everywhere(&scenarios[0]);
}

static void an_update_goes_on_with_the_data_after_every_cut(void)
{
    cut_everywhere(&scenarios[1]);
}

static void a_rollback_finds_the_data_that_it_last_saw_after_every_cut(void)
{
    cut_everywhere(&scenarios[2]);
}

static void a_fallback_finds_the_data_that_it_last_saw_after_every_cut(void)
{
    cut_everywhere(&scenarios[3]);
}

static void a_removal_takes_the_data_along_after_every_cut(void)
{
    cut_everywhere(&scenarios[4]);
}

// ---- Without cuts ------------------------------------------------------------------------------

static void a_rollback_goes_on_exactly_where_it_was(void)
{
    uint32_t versions[2];
    uint32_t found[2];
    prepare(&scenarios[2]);
    run(500);
    world_desire_one("counter", 12);
    run(5000);
    CHECK_TEXT(world_state("counter"), "rolled_back");
    ag_host_close(world.host);
    world_power_off();
    look(versions, found);
    CHECK_EQUAL(versions[0], 10);
    CHECK_EQUAL(found[0], seen.last[10]); // closing in order writes what was gathered
    CHECK(seen.last[12] > LATER);         // the trial did write
    world_close();
}

// A run every 100 ms, and each one changes something.
static void flash_is_written_eight_times_and_then_once_a_minute(void)
{
    prepare(&scenarios[0]);
    const uint32_t syncs = world.flash.counts.syncs;
    run(700);
    CHECK_EQUAL(world.flash.counts.syncs - syncs, 7);
    CHECK_EQUAL(seen.durable[10], seen.last[10]); // each run's on flash before the next
    run(10 * 60000 - 700);
    CHECK_EQUAL(world.flash.counts.syncs - syncs, 8 + 10 - 1);
    world_close();
}

static void a_run_that_changes_nothing_writes_nothing(void)
{
    world_open();
    world_publish("counter-10.wasm", &(struct module){ .name = "counter",
                                                       .version = 10,
                                                       .behaviour = MODULE_STORES,
                                                       .capability = AG_CAPABILITY_STORE,
                                                       .data_size = 64 });
    world_boot();
    world_desire_one("counter", 10);
    CHECK(world_settle(60000));
    world.flash.operations = 0;
    world_run(5000);
    CHECK_EQUAL(world.flash.operations, 0);
    world_close();
}

static void more_data_than_the_host_gives_is_refused_by_the_head(void)
{
    prepare(&scenarios[0]);
    world_publish("greedy-1.wasm", &(struct module){ .name = "greedy",
                                                     .version = 1,
                                                     .behaviour = MODULE_LARGE,
                                                     .argument = 20000,
                                                     .capability = AG_CAPABILITY_STORE,
                                                     .data_size = AG_CFG_DATA_MAX + 1 });
    world_desire_one("greedy", 1);
    world_run(5000);
    CHECK_TEXT(world_state("greedy"), "refused");
    CHECK_EQUAL(world_error("greedy"), AG_ERR_DATA_QUOTA);
    CHECK(world.file_pipe.delivered < 8192); // of 20,000
    world_close();
}

static void a_version_with_less_room_than_there_is_data_is_rolled_back(void)
{
    prepare(&scenarios[0]);
    world_publish("counter-13.wasm", &(struct module){ .name = "counter",
                                                       .version = 13,
                                                       .behaviour = MODULE_STORES,
                                                       .capability = AG_CAPABILITY_STORE,
                                                       .data_size = 8 });
    run(500);
    world_desire_one("counter", 13);
    world_run(5000);
    CHECK_TEXT(world_state("counter"), "rolled_back");
    CHECK_EQUAL(world_error("counter"), AG_ERR_DATA_QUOTA);
    CHECK_EQUAL(world_version("counter"), 10);
    world_close();
}

static void a_first_version_that_is_given_up_on_trial_leaves_no_data(void)
{
    uint32_t versions[2];
    uint32_t found[2];
    world_open();
    publish();
    world.config.trial_runs = 1000;
    world_boot();
    world_desire_one("counter", 10);
    world_run(5000);
    CHECK_TEXT(world_state("counter"), "trial");
    world_desire("[]");
    world_run(5000);
    ag_host_close(world.host);
    world_power_off();
    look(versions, found); // it checks that there is none
    CHECK_EQUAL(versions[0], 0);
    world_close();
}

static const struct test_case cases[] = {
    TEST(data_that_is_written_survives_every_cut),
    TEST(an_update_goes_on_with_the_data_after_every_cut),
    TEST(a_rollback_finds_the_data_that_it_last_saw_after_every_cut),
    TEST(a_fallback_finds_the_data_that_it_last_saw_after_every_cut),
    TEST(a_removal_takes_the_data_along_after_every_cut),
    TEST(a_rollback_goes_on_exactly_where_it_was),
    TEST(flash_is_written_eight_times_and_then_once_a_minute),
    TEST(a_run_that_changes_nothing_writes_nothing),
    TEST(more_data_than_the_host_gives_is_refused_by_the_head),
    TEST(a_first_version_that_is_given_up_on_trial_leaves_no_data),
    TEST(a_version_with_less_room_than_there_is_data_is_rolled_back),
};
TEST_MAIN(cases)
