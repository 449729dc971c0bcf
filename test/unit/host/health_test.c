// SPDX-License-Identifier: Apache-2.0
// What a version must show on trial, and what becomes of one that fails, on trial or later.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core.h"
#include "host/fallback.h"
#include "plugin/metadata.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

static void publish(uint32_t version, enum module_behaviour behaviour, uint32_t argument)
{
    char path[32];
    snprintf(path, sizeof path, "blinky-%u.wasm", (unsigned)version);
    world_publish(path, &(struct module){ .name = "blinky",
                                          .version = version,
                                          .behaviour = behaviour,
                                          .argument = argument });
}

// A world in which blinky 10 is confirmed.
static void open_with_blinky_10(void)
{
    world_open();
    publish(10, MODULE_GOOD, 0);
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
}

static void check_reported(const char *state, uint32_t version, uint32_t error)
{
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), state);
    CHECK_EQUAL(world_version("blinky"), version);
    CHECK_EQUAL(world_error("blinky"), error);
}

static uint32_t cause(void)
{
    json_t *error = json_object_get(world_reported("blinky"), "error");
    return (uint32_t)json_integer_value(json_object_get(error, "cause"));
}

static struct ag_host_plugin_status look(void)
{
    struct ag_host_plugin_status status;
    CHECK_EQUAL(ag_host_plugin_at(world.host, 0, &status), AG_OK);
    return status;
}

// ---- Criteria ----------------------------------------------------------------------------------

static void a_version_that_says_that_it_is_well_is_confirmed(void)
{
    open_with_blinky_10();
    publish(11, MODULE_HEALTHY, 0);
    world_desire_one("blinky", 11);
    check_reported("running", 11, 0);
    world_close();
}

static void a_version_that_says_that_it_is_not_well_is_rolled_back(void)
{
    open_with_blinky_10();
    publish(12, MODULE_HEALTHY, 7);
    world_desire_one("blinky", 12);
    check_reported("rolled_back", 10, AG_ERR_UNHEALTHY);
    CHECK_EQUAL(look().runs > 0, true);
    world_close();
}

static void a_version_whose_healthy_traps_is_rolled_back(void)
{
    open_with_blinky_10();
    publish(12, MODULE_HEALTHY, 99);
    world_desire_one("blinky", 12);
    check_reported("rolled_back", 10, AG_TRAP_UNREACHABLE);
    world_close();
}

static void the_runs_and_the_time_of_the_file_go_before_those_of_the_host(void)
{
    open_with_blinky_10();
    world_publish(
        "blinky-11.wasm",
        &(struct module){ .name = "blinky", .version = 11, .trial_runs = 40, .trial_ms = 6000 });
    world_desire_one("blinky", 11);
    world_run(3000);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world_run(2500); // 40 runs of 100 ms are done
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    CHECK(look().runs >= 40);
    check_reported("running", 11, 0);
    world_close();
}

static void the_twin_has_the_last_word_on_a_trial(void)
{
    open_with_blinky_10();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .trial_runs = 1000000,
                                                      .trial_ms = 86400000,
                                                      .trial_flags = AG_TRIAL_HUB });
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm',"
                 "'Trial':{'Runs':20,'Ms':0,'Hub':false}}]");
    world_run(1500);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world_run(1000);
    CHECK_EQUAL(look().state, AG_STATE_RUNNING);
    CHECK_EQUAL(look().version, 11);
    world_close();
}

static void a_trial_of_runs_that_never_come_has_an_end(void)
{
    open_with_blinky_10();
    publish(11, MODULE_GOOD, 0);
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm',"
                 "'PeriodMs':4000000000,'Trial':{'Runs':4000000000}}]");
    world_run(600000000);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world_run(10000000);
    check_reported("rolled_back", 10, AG_ERR_TRIAL_TIME);
    world_close();
}

// ---- The hub with it running -------------------------------------------------------------------

static void publish_one_that_needs_the_hub(void)
{
    world_publish("blinky-11.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .trial_flags = AG_TRIAL_HUB });
    world_desire_one("blinky", 11);
}

static void run_until(enum ag_transition_state state)
{
    for (int i = 0; i < 60000 && look().state != state; i++)
        world_run(1);
    CHECK_EQUAL(look().state, state);
}

static void a_version_with_which_the_hub_answers_is_confirmed(void)
{
    open_with_blinky_10();
    publish_one_that_needs_the_hub();
    run_until(AG_STATE_TRIAL);
    uint32_t gets = world.hub.gets;
    check_reported("running", 11, 0);
    CHECK(world.hub.gets > gets); // it was asked, and answered
    world_close();
}

static void a_version_with_which_the_hub_goes_away_is_rolled_back_after_a_time(void)
{
    open_with_blinky_10();
    publish_one_that_needs_the_hub();
    run_until(AG_STATE_TRIAL);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    world_run(800000);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world_run(200000);
    CHECK_EQUAL(look().state, AG_STATE_ROLLED_BACK);
    CHECK_EQUAL(look().error, AG_ERR_TRIAL_HUB);
    CHECK_EQUAL(look().version, 10);
    world.hub_pipe.open_fails = AG_OK;
    world_run(200000);
    check_reported("rolled_back", 10, AG_ERR_TRIAL_HUB);
    world_close();
}

static void a_hub_that_comes_back_in_time_confirms(void)
{
    open_with_blinky_10();
    publish_one_that_needs_the_hub();
    run_until(AG_STATE_TRIAL);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    world_run(500000);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world.hub_pipe.open_fails = AG_OK;
    world_run(200000);
    check_reported("running", 11, 0);
    world_close();
}

static void a_hub_that_does_not_answer_is_not_reached(void)
{
    open_with_blinky_10();
    publish_one_that_needs_the_hub();
    run_until(AG_STATE_TRIAL);
    world.hub_pipe.stall_after = 1;
    world_run(1200000);
    CHECK_EQUAL(look().state, AG_STATE_ROLLED_BACK);
    CHECK_EQUAL(look().error, AG_ERR_TRIAL_HUB);
    world_close();
}

static void a_hub_that_was_away_before_is_waited_for_with_the_version_before(void)
{
    open_with_blinky_10();
    world.http_code = 503;
    publish_one_that_needs_the_hub();
    run_until(AG_STATE_PAUSED);
    world.http_code = 0;
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    board.levels[0] = true;
    world_run(20000000); // for hours
    CHECK_EQUAL(look().state, AG_STATE_STAGED);
    CHECK_EQUAL(look().version, 10);
    CHECK(!board.levels[0]); // 10 runs
    world.hub_pipe.open_fails = AG_OK;
    world_run(200000);
    check_reported("running", 11, 0);
    world_close();
}

// ---- Resets in the middle of a run -------------------------------------------------------------

static jmp_buf reset;

static void reset_now(void)
{
    longjmp(reset, 1);
}

// Lets the device run until it resets itself in a run.
static void run_into_reset(uint32_t ms)
{
    board.reset = reset_now;
    if (setjmp(reset) == 0)
        world_run(ms);
    board.reset = NULL;
    CHECK(board.running != 0);
    world_bite();
}

static void one_reset_in_a_run_on_trial_is_forgiven(void)
{
    open_with_blinky_10();
    publish(11, MODULE_GOOD, 0);
    world_desire_one("blinky", 11);
    run_until(AG_STATE_TRIAL);
    run_into_reset(60000);
    check_reported("running", 11, 0);
    world_close();
}

static void the_second_reset_in_a_run_on_trial_fails_it(void)
{
    open_with_blinky_10();
    publish(11, MODULE_GOOD, 0);
    world_desire_one("blinky", 11);
    for (int i = 0; i < 2; i++) {
        run_until(AG_STATE_TRIAL);
        run_into_reset(60000);
    }
    CHECK_EQUAL(look().state, AG_STATE_ROLLED_BACK); // before there is any network
    CHECK_EQUAL(look().version, 10);
    check_reported("rolled_back", 10, AG_ERR_RESET_WHILE_RUNNING);
    world_close();
}

static void a_reset_between_the_runs_counts_against_nobody(void)
{
    open_with_blinky_10();
    for (int i = 0; i < 20; i++) {
        world_run(1000);
        CHECK_EQUAL(board.running, 0);
        world_bite();
    }
    check_reported("running", 10, 0);
    world_close();
}

static void five_resets_in_a_row_in_its_runs_bring_the_version_before_back(void)
{
    open_with_blinky_10();
    publish(11, MODULE_GOOD, 0);
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(look().version, 11);
        run_into_reset(10000);
    }
    CHECK_EQUAL(look().version, 10);
    check_reported("rolled_back", 10, AG_ERR_RESET_WHILE_RUNNING);
    world_reset();
    check_reported("rolled_back", 10, AG_ERR_RESET_WHILE_RUNNING);
    world_close();
}

static void a_minute_without_one_forgets_the_resets(void)
{
    open_with_blinky_10();
    for (int i = 0; i < 12; i++) {
        run_into_reset(10000);
        if (i % 4 == 3)
            world_run(61000);
    }
    check_reported("running", 10, 0);
    world_close();
}

static void the_first_version_is_left_down_after_five_resets_in_its_runs(void)
{
    open_with_blinky_10();
    for (int i = 0; i < 5; i++)
        run_into_reset(10000);
    uint32_t writes = board.writes[0];
    world_run(60000);
    CHECK_EQUAL(board.writes[0], writes);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    CHECK_EQUAL(cause(), AG_ERR_RESET_WHILE_RUNNING);
    world_close();
}

// ---- Resets in the middle of a translation -----------------------------------------------------

// Where slots begin on flash, behind the journal.
static uint32_t slots_at;

static void reset_as_code_is_written(uint32_t offset)
{
    const struct ag_host *host = world.host;
    if (host && host->install.state == AG_INSTALL_TRANSLATION && offset == host->install.writer.at)
        longjmp(reset, 1);
}

static void reset_as_code_is_written_again(uint32_t offset)
{
    if (offset >= slots_at)
        longjmp(reset, 1);
}

// Lets the device run until it is taken down by the translation of a new version.
static void run_into_translation(void)
{
    volatile bool was_reset = true;
    world.at_program = reset_as_code_is_written;
    if (setjmp(reset) == 0) {
        world_run(60000);
        was_reset = false;
    }
    world.at_program = NULL;
    CHECK(was_reset);
}

static void bite_in_translations(int count)
{
    for (int i = 0; i < count; i++) {
        run_into_translation();
        world_bite();
    }
}

static void open_with_11_to_translate(void)
{
    open_with_blinky_10();
    publish(11, MODULE_GOOD, 0);
    world_desire_one("blinky", 11);
}

static bool has_count(void)
{
    uint8_t value[64];
    size_t size;
    return ag_store_get(&world.host->store, AG_STORE_TRANSLATION, "blinky", value, sizeof value,
                        &size) == AG_OK;
}

static void a_file_whose_translation_resets_the_device_is_refused_after_three_times(void)
{
    open_with_11_to_translate();
    for (int i = 0; i < 3; i++) {
        run_into_translation();
        world_bite();
        CHECK_EQUAL(board.running, 0);
        CHECK(has_count());
    }
    world.at_program = reset_as_code_is_written;
    if (setjmp(reset) == 0)
        check_reported("refused", 10, AG_ERR_RESET_WHILE_RUNNING);
    else
        CHECK(!"the device was reset once more");
    CHECK(!has_count());
    CHECK(ag_store_is_quarantined(&world.host->store, world.files[1].sha256, NULL));
    if (setjmp(reset) == 0) {
        world_reset();
        check_reported("refused", 10, AG_ERR_QUARANTINED);
    } else {
        CHECK(!"the device was reset once more");
    }
    world.at_program = NULL;
    publish(12, MODULE_GOOD, 0); // nothing else suffers
    world_desire_one("blinky", 12);
    check_reported("running", 12, 0);
    world_close();
}

static void two_resets_in_a_translation_are_forgiven_and_forgotten(void)
{
    open_with_11_to_translate();
    bite_in_translations(2);
    check_reported("running", 11, 0);
    CHECK(!has_count());
    world_close();
}

static void another_file_does_not_inherit_resets_in_a_translation(void)
{
    open_with_11_to_translate();
    bite_in_translations(3);
    publish(12, MODULE_GOOD, 0);
    world_desire_one("blinky", 12);
    run_into_translation();
    world_bite();
    check_reported("running", 12, 0);
    world_close();
}

static void the_power_that_goes_in_a_translation_counts_against_nobody(void)
{
    open_with_11_to_translate();
    for (int i = 0; i < 10; i++) {
        run_into_translation();
        world_reset();
        CHECK(!has_count());
    }
    check_reported("running", 11, 0);
    world_close();
}

static void a_confirmed_version_whose_translation_again_resets_the_device_gives_way(void)
{
    struct ag_store_info info;
    struct ag_store_slot slot;
    const uint8_t *code;
    size_t size;
    open_with_11_to_translate();
    check_reported("running", 11, 0);
    const struct ag_store *store = &world.host->store;
    CHECK_EQUAL(ag_store_find(store, AG_STORE_PLUGIN, "blinky", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(ag_store_open_code(store, slot.id, &code, &size), AG_OK);
    ag_store_info(store, &info);
    slots_at = info.journal_size;
    sim_flash_flip(&world.flash, (uint32_t)(code - world.flash.flash.base + 40) * 8);
    volatile uint32_t resets = 0; // since setjmp
    world.at_program = reset_as_code_is_written_again;
    (void)setjmp(reset);
    if (resets++ < 20)
        world_bite();
    world.at_program = NULL;
    CHECK_EQUAL(resets, 6); // five, and the start that was none
    CHECK_EQUAL(look().version, 10);
    check_reported("rolled_back", 10, AG_ERR_RESET_WHILE_RUNNING);
    world_close();
}

static void a_translation_at_the_start_does_not_cover_in_whose_run_the_reset_was(void)
{
    struct ag_store_slot slot;
    const uint8_t *code;
    uint8_t value[AG_FALLBACK_SIZE];
    size_t size;
    open_with_blinky_10();
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire("[{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    CHECK(world_settle(60000));
    const struct ag_store *store = &world.host->store;
    CHECK_EQUAL(ag_store_find(store, AG_STORE_PLUGIN, "blinky", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(ag_store_open_code(store, slot.id, &code, &size), AG_OK);
    sim_flash_flip(&world.flash, (uint32_t)(code - world.flash.flash.base + 40) * 8);
    CHECK_EQUAL(ag_store_find(store, AG_STORE_PLUGIN, "other", AG_STORE_CURRENT, &slot), AG_OK);
    board.running = slot.id;
    world_bite();
    CHECK_EQUAL(
        ag_store_get(&world.host->store, AG_STORE_HISTORY, "other", value, sizeof value, &size),
        AG_OK);
    world_close();
}

// ---- Confirmed versions that fail later --------------------------------------------------------

// Confirmed in run 3, traps in run 20: five times within ten seconds or so of running.
static void open_with_11_that_fails_later(void)
{
    open_with_blinky_10();
    publish(11, MODULE_TRAPS_LATER, 20);
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
}

static void a_confirmed_version_that_fails_five_times_gives_way_to_the_one_before(void)
{
    open_with_11_that_fails_later();
    world_run(120000);
    CHECK_EQUAL(board_log_count("blinky 11: failed: trap_unreachable (1207)"), 5);
    check_reported("rolled_back", 10, AG_TRAP_UNREACHABLE);
    world_close();
}

static void the_twin_does_not_bring_back_what_failed_later(void)
{
    open_with_11_that_fails_later();
    world_run(120000);
    uint32_t requests = world.requests;
    world.config.twin_interval_ms = 60000;
    world_kick();
    world_run(300000);
    world_reset();
    world_run(300000);
    check_reported("rolled_back", 10, AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(world.requests, requests);
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm?2'}]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_QUARANTINED);
    world_close();
}

static void another_file_of_the_failed_version_is_tried(void)
{
    open_with_11_that_fails_later();
    world_run(120000);
    publish(11, MODULE_GOOD, 0);
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm?2'}]");
    check_reported("running", 11, 0);
    world_close();
}

static void the_next_version_after_a_failed_one_is_tried(void)
{
    open_with_11_that_fails_later();
    world_run(120000);
    publish(12, MODULE_GOOD, 0);
    world_desire_one("blinky", 12);
    check_reported("running", 12, 0);
    world_close();
}

static void the_count_of_failures_survives_resets(void)
{
    open_with_11_that_fails_later();
    for (int i = 0; i < 4; i++) {
        uint32_t failures = board_log_count("blinky 11: failed: trap");
        for (int ms = 0; ms < 60000 && board_log_count("blinky 11: failed: trap") == failures; ms++)
            world_run(1);
        world_reset();
    }
    CHECK_EQUAL(look().version, 11);
    world_run(5000);
    check_reported("rolled_back", 10, AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(board_log_count("blinky 11: failed: trap"), 5);
    world_close();
}

static void a_version_of_a_lower_epoch_does_not_come_back(void)
{
    open_with_blinky_10();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .epoch = 2,
                                                      .behaviour = MODULE_TRAPS_LATER,
                                                      .argument = 20 });
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    world_run(120000);
    check_reported("failed", 11, AG_ERR_GAVE_UP);
    CHECK_EQUAL(cause(), AG_TRAP_UNREACHABLE);
    world_close();
}

static void a_version_left_down_is_tried_again_after_a_long_pause_and_for_ever(void)
{
    world_open();
    publish(10, MODULE_TRAPS_LATER, 20);
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world_run(600000);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    CHECK_EQUAL(cause(), AG_TRAP_UNREACHABLE);
    uint32_t failures = board_log_count("blinky 10: failed: trap");
    CHECK_EQUAL(failures, 5);
    world_run(24 * 3600000u);
    failures = board_log_count("blinky 10: failed: trap");
    CHECK(failures >= 5 + 18 && failures <= 5 + 24);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    world_reset(); // and a reset is no way around the pause
    world_run(3000000);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    CHECK_EQUAL(board_log_count("blinky 10: failed: trap"), failures);
    world_close();
}

static void a_change_of_its_entry_starts_a_version_that_was_left_down(void)
{
    world_open();
    publish(10, MODULE_TRAPS_LATER, 20);
    world_desire_one("blinky", 10);
    world_boot();
    world_run(600000);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    world_desire("[{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm',"
                 "'Settings':{'x':1}}]");
    world_run(1000);
    CHECK_EQUAL(look().state, AG_STATE_RUNNING);
    CHECK(look().runs > 0);
    world_run(600000);
    check_reported("failed", 10, AG_ERR_GAVE_UP);
    CHECK_EQUAL(board_log_count("blinky 10: failed: trap"), 10);
    world_close();
}

static void a_new_version_takes_the_place_of_one_that_was_left_down(void)
{
    world_open();
    publish(10, MODULE_TRAPS_LATER, 20);
    world_desire_one("blinky", 10);
    world_boot();
    world_run(600000);
    publish(11, MODULE_GOOD, 0);
    world_desire_one("blinky", 11);
    check_reported("running", 11, 0);
    world_run(120000);
    check_reported("running", 11, 0);
    world_close();
}

// ---- When the flash refuses the verdict --------------------------------------------------------

static void a_failed_version_does_not_run_again_when_the_flash_refuses_its_mark(void)
{
    open_with_blinky_10();
    publish(11, MODULE_TRAPS_LATER, 2);
    world_desire_one("blinky", 11);
    run_until(AG_STATE_TRIAL);
    world.flash_fails = true;
    world_run(120000);
    CHECK(board_logged("cannot be marked failed"));
    CHECK_EQUAL(board_log_count("blinky 11: trial"), 1);
    CHECK_EQUAL(look().version, 10);
    CHECK_EQUAL(look().state, AG_STATE_ROLLED_BACK);
    world_close();
}

static void a_confirmed_version_that_failed_does_not_run_again_when_the_flash_refuses_its_mark(void)
{
    open_with_11_that_fails_later();
    for (int ms = 0; ms < 60000 && board_log_count("blinky 11: failed: trap") < 4; ms++)
        world_run(1);
    world.flash_fails = true;
    world_run(120000);
    CHECK(board_logged("cannot be marked failed"));
    CHECK_EQUAL(look().version, 10);
    CHECK_EQUAL(board_log_count("blinky 11: failed: trap"), 5);
    world_close();
}

// The file of the version before is tried again as a downgrade, and fails; the flash does not take
// the mark. Then the confirmed version fails for good: the same bytes must not take its place.
static void what_failed_a_trial_unmarked_does_not_come_back_as_the_version_before(void)
{
    world_open();
    world_publish("blinky-10.wasm",
                  &(struct module){ .name = "blinky", .version = 10, .trial_flags = AG_TRIAL_HUB });
    publish(11, MODULE_TRAPS_LATER, 20);
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(look().version, 11);
    world_desire("[{'Name':'blinky','Version':10,'AllowDowngrade':true,"
                 "'Url':'https://files.example/blinky-10.wasm'}]");
    run_until(AG_STATE_TRIAL);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    world_run(800000);
    CHECK_EQUAL(look().state, AG_STATE_TRIAL);
    world.flash_fails = true;
    world_run(400000);
    CHECK(board_logged("blinky 10: cannot be marked failed"));
    CHECK_EQUAL(board_log_count("blinky 11: failed: trap"), 5);
    CHECK_EQUAL(look().version, 11);
    CHECK_EQUAL(look().error, AG_ERR_GAVE_UP);
    world.flash_fails = false;
    world.hub_pipe.open_fails = AG_OK;
    world_run(800000);
    check_reported("failed", 11, AG_ERR_GAVE_UP);
    world_close();
}

// What could not be marked is marked once the store is up again: so a start knows it, too.
static void a_version_that_failed_while_the_flash_did_is_not_tried_again_after_a_reset(void)
{
    open_with_blinky_10();
    publish(11, MODULE_TRAPS_LATER, 2);
    world_desire_one("blinky", 11);
    run_until(AG_STATE_TRIAL);
    world.flash_fails = true;
    world_run(20000);
    CHECK(board_logged("blinky 11: cannot be marked failed"));
    world.flash_fails = false;
    world_run(400000);
    CHECK(board_logged("store: is up again"));
    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(look().version, 10);
    CHECK_EQUAL(board_log_count("blinky 11: trial"), 1);
    world_close();
}

static void a_flash_that_refuses_every_mark_makes_no_loop_of_trials(void)
{
    open_with_blinky_10();
    publish(11, MODULE_TRAPS_LATER, 2);
    world_desire_one("blinky", 11);
    for (int i = 0; i < 10; i++) {
        for (int ms = 0; ms < 30000 && look().state != AG_STATE_TRIAL; ms++)
            world_run(1);
        world.flash_fails = true;
        world_run(30000);
        CHECK_EQUAL(look().version, 10);
        world.flash_fails = false;
        world_reset();
    }
    CHECK(board_log_count("blinky 11: trial") <= 3);
    check_reported("rolled_back", 10, AG_ERR_TRIAL_RESET);
    world_close();
}

static void failures_are_those_of_one_version(void)
{
    struct ag_fallback_history history = { .failures = 0 };
    for (uint32_t i = 0; i < AG_FALLBACK_FAILURES_MAX; i++)
        ag_fallback_count(&history, 5, AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(ag_fallback_confirmed(&history, 5, true), AG_FALLBACK_PREVIOUS);
    CHECK_EQUAL(ag_fallback_failures(&history, 4), 0);
    ag_fallback_count(&history, 4, AG_TRAP_FUEL);
    CHECK_EQUAL(ag_fallback_failures(&history, 4), 1);
    CHECK_EQUAL(ag_fallback_confirmed(&history, 4, true), AG_FALLBACK_RESTART);
    CHECK_EQUAL(ag_fallback_failures(&history, 5), 0);
}

static const struct test_case cases[] = {
    TEST(failures_are_those_of_one_version),
    TEST(a_version_that_says_that_it_is_well_is_confirmed),
    TEST(a_version_that_says_that_it_is_not_well_is_rolled_back),
    TEST(a_version_whose_healthy_traps_is_rolled_back),
    TEST(the_runs_and_the_time_of_the_file_go_before_those_of_the_host),
    TEST(the_twin_has_the_last_word_on_a_trial),
    TEST(a_trial_of_runs_that_never_come_has_an_end),
    TEST(a_version_with_which_the_hub_answers_is_confirmed),
    TEST(a_version_with_which_the_hub_goes_away_is_rolled_back_after_a_time),
    TEST(a_hub_that_comes_back_in_time_confirms),
    TEST(a_hub_that_does_not_answer_is_not_reached),
    TEST(a_hub_that_was_away_before_is_waited_for_with_the_version_before),
    TEST(one_reset_in_a_run_on_trial_is_forgiven),
    TEST(the_second_reset_in_a_run_on_trial_fails_it),
    TEST(a_reset_between_the_runs_counts_against_nobody),
    TEST(five_resets_in_a_row_in_its_runs_bring_the_version_before_back),
    TEST(a_minute_without_one_forgets_the_resets),
    TEST(the_first_version_is_left_down_after_five_resets_in_its_runs),
    TEST(a_file_whose_translation_resets_the_device_is_refused_after_three_times),
    TEST(two_resets_in_a_translation_are_forgiven_and_forgotten),
    TEST(another_file_does_not_inherit_resets_in_a_translation),
    TEST(the_power_that_goes_in_a_translation_counts_against_nobody),
    TEST(a_confirmed_version_whose_translation_again_resets_the_device_gives_way),
    TEST(a_translation_at_the_start_does_not_cover_in_whose_run_the_reset_was),
    TEST(a_confirmed_version_that_fails_five_times_gives_way_to_the_one_before),
    TEST(the_twin_does_not_bring_back_what_failed_later),
    TEST(another_file_of_the_failed_version_is_tried),
    TEST(the_next_version_after_a_failed_one_is_tried),
    TEST(the_count_of_failures_survives_resets),
    TEST(a_version_of_a_lower_epoch_does_not_come_back),
    TEST(a_version_left_down_is_tried_again_after_a_long_pause_and_for_ever),
    TEST(a_change_of_its_entry_starts_a_version_that_was_left_down),
    TEST(a_new_version_takes_the_place_of_one_that_was_left_down),
    TEST(a_failed_version_does_not_run_again_when_the_flash_refuses_its_mark),
    TEST(a_confirmed_version_that_failed_does_not_run_again_when_the_flash_refuses_its_mark),
    TEST(what_failed_a_trial_unmarked_does_not_come_back_as_the_version_before),
    TEST(a_version_that_failed_while_the_flash_did_is_not_tried_again_after_a_reset),
    TEST(a_flash_that_refuses_every_mark_makes_no_loop_of_trials),
};
TEST_MAIN(cases)
