// SPDX-License-Identifier: Apache-2.0
// Resets in a trial, damage on flash, a full store and a flash that fails. Cuts of the power at
// every flash operation: test/power.

#include <stdio.h>

#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

static void publish(void)
{
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11 });
    world_publish("blinky-12.wasm", &(struct module){ .name = "blinky",
                                                      .version = 12,
                                                      .behaviour = MODULE_TRAPS_LATER,
                                                      .argument = 2 });
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
}

// blinky 10 runs.
static void prepare(void)
{
    world_open();
    publish();
    world_boot();
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    world.flash.operations = 0;
}

// And is followed by blinky 11.
static void update(void)
{
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
}

// ---- Resets in a trial, damage, and a full store -----------------------------------------------

static void a_reset_in_the_middle_of_a_trial_lets_the_confirmed_version_run_and_tries_again(void)
{
    world_open();
    publish();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world.config.trial_time_ms = 30000;
    world_reset();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 11);
    for (int i = 0; i < 2; i++) {
        world_run(5000);
        CHECK_TEXT(world_state("blinky"), "trial");
        CHECK(board.levels[0]);
        world.hub_pipe.open_fails = AG_ERR_CONNECT;
        world_reset();
        world_run(1000);
        CHECK(!board.levels[0]); // 10 runs until the hub is there
        world.hub_pipe.open_fails = AG_OK;
        world_run(5000);
    }
    CHECK(world_settle(120000));
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

// The store still says "not enabled" when the power goes in the trial that enabling it began.
static void a_reset_in_a_trial_of_what_was_not_enabled_before_begins_with_the_confirmed_one(void)
{
    prepare();
    world_desire("[{'Name':'blinky','Version':10,'Enabled':false,"
                 "'Url':'https://files.example/blinky-10.wasm'}]");
    CHECK(world_settle(60000));
    world.config.trial_time_ms = 30000;
    world_reset();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "stopped");
    world_desire_one("blinky", 11);
    world_run(5000);
    CHECK_TEXT(world_state("blinky"), "trial");
    world_reset();
    world_run(10000);
    CHECK_TEXT(world_state("blinky"), "trial");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK(!board_logged("impossible event"));
    CHECK(world_settle(120000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

// As before, and by then it is not enabled again: what was on trial goes, and nothing runs.
static void a_trial_found_after_a_reset_goes_when_it_is_not_enabled_any_more(void)
{
    prepare();
    world_desire("[{'Name':'blinky','Version':10,'Enabled':false,"
                 "'Url':'https://files.example/blinky-10.wasm'}]");
    CHECK(world_settle(60000));
    world.config.trial_time_ms = 30000;
    world_reset();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 11);
    world_run(5000);
    CHECK_TEXT(world_state("blinky"), "trial");
    world_power_off();
    world_desire("[{'Name':'blinky','Version':11,'Enabled':false,"
                 "'Url':'https://files.example/blinky-11.wasm'}]");
    world_reset();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "stopped");
    uint32_t writes = board.writes[0];
    world_run(1000);
    CHECK_EQUAL(board.writes[0], writes);
    world_close();
}

static void a_version_under_which_the_device_resets_each_time_is_given_up(void)
{
    world_open();
    publish();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world.config.trial_time_ms = 30000;
    world_reset();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 11);
    for (int i = 0; i < 3; i++) {
        world_run(20000);
        CHECK_TEXT(world_state("blinky"), "trial");
        world_reset();
    }
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_TRIAL_RESET);
    CHECK_EQUAL(world_version("blinky"), 10);
    world_close();
}

// Flips one bit in every so many of the flash while the device is off; whatever it hits, the
// device starts, and with the hub's help runs blinky again.
static void a_bit_flipped_anywhere_on_flash_is_found_and_mended(void)
{
    uint32_t mended = 0;
    for (uint32_t bit = 5; bit < 256u * 1024u * 8u; bit += 7919) {
        test_note("bit %u", (unsigned)bit);
        prepare();
        update();
        world_power_off();
        uint8_t before = world.flash.bytes[bit / 8];
        sim_flash_flip(&world.flash, bit);
        mended += before != 0xFF;
        sim_flash_restart(&world.flash);
        world_boot();
        CHECK(world_settle(600000));
        CHECK_EQUAL(world_version("blinky"), 11);
        world_close();
    }
    CHECK(mended > 1);
}

static void code_of_another_engine_or_damaged_is_translated_again_from_the_signed_file(void)
{
    prepare();
    update();
    world_power_off();
    struct ag_store store;
    struct ag_store_slot slot;
    const uint8_t *code;
    size_t size;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "blinky", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(ag_store_open_code(&store, slot.id, &code, &size), AG_OK);
    sim_flash_flip(&world.flash, (uint32_t)(code - world.flash.flash.base + 40) * 8);
    CHECK_EQUAL(ag_store_open_code(&store, slot.id, &code, &size), AG_ERR_STORE_DAMAGED);
    uint32_t requests = world.requests;
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_boot();
    world_run(1000);
    CHECK(board.levels[0]);
    CHECK_EQUAL(world.requests, requests);
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    CHECK_EQUAL(ag_store_open_code(&store, slot.id, &code, &size), AG_OK);
    world_close();
}

static void a_full_store_is_reported_and_goes_on_once_there_is_room(void)
{
    prepare();
    world_publish(
        "big-1.wasm",
        &(struct module){
            .name = "big", .version = 1, .pin = 2, .behaviour = MODULE_LARGE, .argument = 60000 });
    world_publish(
        "huge-1.wasm",
        &(struct module){
            .name = "huge", .version = 1, .pin = 3, .behaviour = MODULE_LARGE, .argument = 60000 });
    world_desire("[{'Name':'big','Version':1,'Url':'https://files.example/big-1.wasm'},"
                 "{'Name':'huge','Version':1,'Url':'https://files.example/huge-1.wasm'}]");
    world_run(60000);
    CHECK_TEXT(world_state("big"), "running");
    CHECK_TEXT(world_state("huge"), "waiting");
    CHECK_EQUAL(world_error("huge"), AG_ERR_STORE_FULL);
    world_desire("[{'Name':'huge','Version':1,'Url':'https://files.example/huge-1.wasm'}]");
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("huge"), "running");
    CHECK(!world_is_reported("big"));
    world_publish("x-1.wasm",
                  &(struct module){
                      .name = "x", .version = 1, .behaviour = MODULE_LARGE, .argument = 600000 });
    world_desire_one("x", 1);
    world_run(10000);
    CHECK_EQUAL(world_error("x"), AG_ERR_FILE_TOO_LARGE);
    world_close();
}

static void a_flash_that_fails_costs_no_plug_in_that_runs(void)
{
    for (uint32_t at = 1; at < 12; at++) {
        test_note("operation %u fails", (unsigned)at);
        prepare();
        world.flash.fail_at = at;
        world_desire_one("blinky", 11);
        world_run(60000);
        uint32_t writes = board.writes[0];
        world_run(1000);
        CHECK(board.writes[0] > writes);
        world_reset();
        world_run(500);
        CHECK(board.writes[0] > writes);
        CHECK(world_settle(600000));
        CHECK_EQUAL(world_version("blinky"), 11);
        world_close();
    }
}

// The flash fails behind the record of the removal: whether it counts shows at the next start.
static void a_removal_that_the_flash_did_not_keep_may_be_taken_back(void)
{
    prepare();
    world_desire("[]");
    world.flash.fail_at = world.flash.operations + 2; // the sync behind the record
    world_run(5000);
    CHECK(board_logged("cannot be removed"));
    world_desire_one("blinky", 11);
    uint32_t requests = world.requests;
    world_run(5000);
    CHECK(world.requests - requests < 20); // it does not spin
    CHECK(!board_logged("impossible event"));
    world_reset();
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_reset_in_the_middle_of_a_trial_lets_the_confirmed_version_run_and_tries_again),
    TEST(a_reset_in_a_trial_of_what_was_not_enabled_before_begins_with_the_confirmed_one),
    TEST(a_trial_found_after_a_reset_goes_when_it_is_not_enabled_any_more),
    TEST(a_version_under_which_the_device_resets_each_time_is_given_up),
    TEST(a_bit_flipped_anywhere_on_flash_is_found_and_mended),
    TEST(code_of_another_engine_or_damaged_is_translated_again_from_the_signed_file),
    TEST(a_full_store_is_reported_and_goes_on_once_there_is_room),
    TEST(a_flash_that_fails_costs_no_plug_in_that_runs),
    TEST(a_removal_that_the_flash_did_not_keep_may_be_taken_back),
};
TEST_MAIN(cases)
