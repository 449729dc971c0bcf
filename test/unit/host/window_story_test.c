// SPDX-License-Identifier: Apache-2.0
// Windows in a host: fetched, proven and translated before, activated inside, whatever the clock
// does. The board's clock begins at 2030-01-01 00:00:01 UTC, a Tuesday.
#include <stdio.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/host/world.h"

#define HOUR_MS 3600000u

static void publish(void)
{
    world_publish("blinky-10.wasm",
                  &(struct module){ .name = "blinky", .version = 10, .period_ms = 2000 });
    world_publish("blinky-11.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .period_ms = 2000 });
    world_publish("blinky-12.wasm",
                  &(struct module){ .name = "blinky", .version = 12, .period_ms = 2000 });
}

static void desire(uint32_t version, const char *window)
{
    char text[400];
    snprintf(text, sizeof text,
             "[{'Name':'blinky','Version':%u,'Url':'https://files.example/blinky-%u.wasm',"
             "'Window':%s}]",
             (unsigned)version, (unsigned)version, window);
    world_desire(text);
}

// A device that runs blinky 10, at midnight.
static void begin(void)
{
    world_open();
    publish();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
}

static void a_version_is_fetched_at_once_and_activated_in_its_window(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_EQUAL(world_error("blinky"), 0);
    CHECK(board_logged("blinky 11: verified"));
    CHECK_EQUAL(board_log_count("blinky 11: waiting for its window"), 1);
    uint32_t requests = world.requests;
    uint32_t writes = board.writes[0];
    world_run(2 * HOUR_MS - 60000 - 30000);
    CHECK(board.writes[0] > writes); // the old one works all the time
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK(!board_logged("blinky 11: trial"));
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world.requests, requests);
    world_close();
}

static void the_first_version_of_a_name_waits_too(void)
{
    world_open();
    publish();
    desire(10, "{'From':'01:00','To':'02:00'}");
    world_boot();
    world_run(HOUR_MS / 2);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(board.writes[0], 0);
    world_run(HOUR_MS / 2 + 60000);
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void a_window_that_is_open_makes_no_difference(void)
{
    begin();
    desire(11, "{'From':'22:00','To':'04:30','Days':['Mon']}"); // Monday's reaches into Tuesday
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK(!board_logged("waiting for its window"));
    world_close();
}

static void the_day_of_the_week_counts(void)
{
    begin();
    desire(11, "{'From':'00:00','To':'01:00','Days':['Thu']}");
    world_run(47 * HOUR_MS);
    CHECK_EQUAL(world_version("blinky"), 10);
    world_run(HOUR_MS + 120000);
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void another_window_in_the_twin_counts_at_once(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    uint32_t requests = world.requests;
    desire(11, "{'From':'00:00','To':'01:00'}");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world.requests, requests);
    world_close();
}

static void a_newer_version_supersedes_the_one_that_waits(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    desire(12, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK(board_logged("blinky 11: superseded"));
    world_run(2 * HOUR_MS);
    CHECK_EQUAL(world_version("blinky"), 12);
    CHECK(!board_logged("blinky 11: trial"));
    world_close();
}

static void a_version_that_waits_and_is_taken_back_never_runs(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    desire(10, "{'From':'02:00','To':'03:00'}");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_run(3 * HOUR_MS);
    CHECK_EQUAL(world_version("blinky"), 10);
    world_close();
}

static void a_malformed_window_refuses_its_entry_alone(void)
{
    begin();
    world_publish("other-1.wasm",
                  &(struct module){ .name = "other", .version = 1, .pin = 1, .period_ms = 2000 });
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm',"
                 "'Window':{'From':'2:00','To':'03:00'}},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_TWIN_WINDOW);
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_TEXT(world_state("other"), "running");
    uint32_t writes = board.writes[0];
    world_run(5000);
    CHECK(board.writes[0] > writes);
    world_close();
}

static void what_gives_way_to_a_version_that_waits_stays_until_then(void)
{
    begin();
    world_publish("other-1.wasm",
                  &(struct module){ .name = "other", .version = 1, .pin = 1, .period_ms = 2000 });
    world_desire("[{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm',"
                 "'Window':{'From':'01:00','To':'02:00'}}]");
    world_run(HOUR_MS / 2);
    CHECK_TEXT(world_state("other"), "waiting");
    CHECK_TEXT(world_state("blinky"), "running");
    world_run(HOUR_MS / 2 + 120000);
    CHECK_TEXT(world_state("other"), "running");
    CHECK(!world_is_reported("blinky"));
    world_close();
}

// ---- Clocks ------------------------------------------------------------------------------------

static void an_unknown_clock_activates_at_once_unless_the_entry_says_wait(void)
{
    begin();
    board.clock_is_known = false;
    desire(11, "{'From':'02:00','To':'03:00'}");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    desire(12, "{'From':'02:00','To':'03:00','UnknownClock':'wait'}");
    world_run(2 * HOUR_MS + HOUR_MS / 2);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world_version("blinky"), 11);
    board.clock_is_known = true;
    world_run(120000);
    CHECK_EQUAL(world_version("blinky"), 12);
    world_close();
}

static void a_clock_that_is_set_forward_or_back_is_followed(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    board.clock_jump_s = 3 * 3600; // past the window
    world_run(HOUR_MS / 2);
    CHECK_TEXT(world_state("blinky"), "waiting");
    board.clock_jump_s = -30 * 365 * 86400L; // before 2001
    world_run(HOUR_MS / 2);
    CHECK_EQUAL(world_version("blinky"), 10);
    board.clock_jump_s = 3600 + 1800; // into it
    world_run(120000);
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

// ---- Resets ------------------------------------------------------------------------------------

static void a_reset_while_it_waits_changes_nothing(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    uint32_t requests = world.requests;
    world_reset();
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world.requests, requests);
    CHECK(board.writes[0] > 0 && !board.levels[0]);
    // Without the hub nobody knows what is desired: the window passes, and the version waits on.
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(4 * HOUR_MS);
    CHECK(!board_logged("blinky 11: trial"));
    CHECK(!board.levels[0]);
    world.hub_pipe.open_fails = AG_OK;
    world_run(HOUR_MS);
    CHECK_TEXT(world_state("blinky"), "waiting");
    world_run(22 * HOUR_MS);
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world.requests, requests);
    world_close();
}

static void a_clock_that_is_not_known_yet_after_a_reset_is_waited_for(void)
{
    begin();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    board.clock_is_known = false;
    world_reset();
    world_run(300000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    board.clock_is_known = true; // the time has come in, and it is not the time
    world_run(HOUR_MS);
    CHECK_TEXT(world_state("blinky"), "waiting");
    board.clock_is_known = false;
    world_reset();
    world_run(11 * 60000); // it has not: at once, after a while
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void a_trial_that_was_interrupted_waits_for_the_next_window(void)
{
    begin();
    world.config.trial_time_ms = 2 * HOUR_MS;
    world_reset();
    CHECK(world_settle(60000));
    desire(11, "{'From':'00:00','To':'01:00'}");
    world_run(HOUR_MS);
    CHECK_TEXT(world_state("blinky"), "trial"); // the window has closed; the trial goes on
    world_reset();
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK(!board.levels[0]); // 10 runs
    world.config.trial_time_ms = 100;
    world_run(24 * HOUR_MS);
    CHECK_TEXT(world_state("blinky"), "trial");
    world_run(2 * HOUR_MS);
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

// It was said to be gone, since it could not be dropped.
static void a_staged_version_that_a_failing_flash_has_kept_is_told_of_again(void)
{
    world_open();
    publish();
    world_boot();
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(60000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    world.flash_fails = true;
    world_desire("[]");
    world_run(5000);
    CHECK(!world_is_reported("blinky"));
    desire(11, "{'From':'02:00','To':'03:00'}");
    world_run(5000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_staged_version_that_a_failing_flash_has_kept_is_told_of_again),
    TEST(a_version_is_fetched_at_once_and_activated_in_its_window),
    TEST(the_first_version_of_a_name_waits_too),
    TEST(a_window_that_is_open_makes_no_difference),
    TEST(the_day_of_the_week_counts),
    TEST(another_window_in_the_twin_counts_at_once),
    TEST(a_newer_version_supersedes_the_one_that_waits),
    TEST(a_version_that_waits_and_is_taken_back_never_runs),
    TEST(a_malformed_window_refuses_its_entry_alone),
    TEST(what_gives_way_to_a_version_that_waits_stays_until_then),
    TEST(an_unknown_clock_activates_at_once_unless_the_entry_says_wait),
    TEST(a_clock_that_is_set_forward_or_back_is_followed),
    TEST(a_reset_while_it_waits_changes_nothing),
    TEST(a_clock_that_is_not_known_yet_after_a_reset_is_waited_for),
    TEST(a_trial_that_was_interrupted_waits_for_the_next_window),
};
TEST_MAIN(cases)
