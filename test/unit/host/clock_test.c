// SPDX-License-Identifier: Apache-2.0
// The time of day learnt from servers, and doubted.
#include <stdio.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/host/world.h"

#define DATE   "Tue, 01 Jan 2030 00:10:00 GMT"
#define DATE_S INT64_C(1893456600)

static void begin(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    board.clock_is_known = false;
    board.learns_clock = true;
    world.date = DATE;
}

static void a_download_says_what_time_it_is(void)
{
    begin();
    world.hub_pipe.open_fails = AG_ERR_CONNECT; // so that nobody is asked
    world_boot();
    world_run(1000);
    CHECK_EQUAL(world.requests, 0);
    world.hub_pipe.open_fails = AG_OK;
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    CHECK_EQUAL(board.learnt_s, DATE_S);
    CHECK(board.clock_is_known);
    world_close();
}

static void the_hub_is_asked_once_it_is_reached_and_nobody_knows_the_time(void)
{
    begin();
    world_boot();
    CHECK(world_settle(60000));
    world_run(1000);
    CHECK(board.clock_is_known);
    CHECK_TEXT(world.file_pipe.host, "hub.example");
    CHECK_EQUAL(world.file_pipe.port, 443);
    CHECK_EQUAL(world.requests, 1);
    CHECK(!world.file_pipe.is_open); // not kept
    world_run(3600000);
    CHECK_EQUAL(world.requests, 1);
    world_close();
}

static void who_knows_the_time_asks_nobody(void)
{
    begin();
    board.clock_is_known = true;
    world_boot();
    CHECK(world_settle(60000));
    world_run(3600000);
    CHECK_EQUAL(world.requests, 0);
    world_close();
}

// A token made by a clock of long ago has expired: the hub refuses it until the time is known.
static void a_login_that_is_refused_for_the_time_comes_to_its_end(void)
{
    begin();
    world.hub.connack = 5;
    world_boot();
    for (int i = 0; i < 600 && !board.clock_is_known; i++)
        world_run(1000);
    CHECK(board.clock_is_known);
    world.hub.connack = 0;
    world_desire_one("blinky", 10);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void a_server_that_does_not_say_is_asked_less_and_less(void)
{
    begin();
    world.date = NULL;
    world_boot();
    CHECK(world_settle(60000));
    world_run(24u * 3600u * 1000u);
    CHECK(!board.clock_is_known);
    CHECK(world.requests >= 10 && world.requests < 200);
    uint32_t requests = world.requests;
    world.file_pipe.open_fails = AG_ERR_CONNECT;
    world_run(24u * 3600u * 1000u);
    CHECK_EQUAL(world.requests, requests);
    // And it is in nobody's way.
    world.file_pipe.open_fails = AG_OK;
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void asking_is_in_no_downloads_way(void)
{
    begin();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11 });
    world.date = NULL;
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world.file_pipe.stall_after = 1; // whoever is asked says nothing more after a byte
    uint32_t requests = world.requests;
    for (int i = 0; i < 7200 && world.requests == requests; i++)
        world_run(1000);
    CHECK_EQUAL(world.requests, requests + 1);
    world.file_pipe.stall_after = 0;
    world_desire_one("blinky", 11);
    CHECK(world_settle(2000)); // not after the time that an answer may take
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

// A server says that it is 2060. By that the hub's certificate has expired; without a time it has
// not.
static void a_time_that_is_a_lie_does_not_lock_the_device_out(void)
{
    begin();
    world.date = "Thu, 01 Jan 2060 00:00:00 GMT";
    world_boot();
    CHECK(world_settle(60000));
    world_run(1000);
    CHECK(board.clock_is_known);
    world.hub_pipe.open_fails = AG_ERR_TLS_EXPIRED;
    world_kick();
    for (int i = 0; i < 100 && board.clock_is_known; i++)
        world_run(100);
    CHECK(!board.clock_is_known);
    CHECK_EQUAL(board.learnt_s, 0);
    world.hub_pipe.open_fails = AG_OK;
    world.date = NULL;
    CHECK(world_settle(60000));
    world_close();
}

static void dates_that_are_none_are_passed_over(void)
{
    static const char *const dates[] = { "", "yesterday", "Tue, 32 Jan 2030 00:10:00 GMT",
                                         "1893456600", "Tue, 01 Jan 2030 00:10:00 +0100" };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        test_note("%s", dates[i]);
        begin();
        world.date = dates[i];
        world_desire_one("blinky", 10);
        world_boot();
        CHECK(world_settle(60000));
        CHECK_EQUAL(board.learnt_s, 0);
        CHECK_TEXT(world_state("blinky"), "running");
        world_close();
    }
}

static const struct test_case cases[] = {
    TEST(a_download_says_what_time_it_is),
    TEST(the_hub_is_asked_once_it_is_reached_and_nobody_knows_the_time),
    TEST(who_knows_the_time_asks_nobody),
    TEST(a_login_that_is_refused_for_the_time_comes_to_its_end),
    TEST(a_server_that_does_not_say_is_asked_less_and_less),
    TEST(asking_is_in_no_downloads_way),
    TEST(a_time_that_is_a_lie_does_not_lock_the_device_out),
    TEST(dates_that_are_none_are_passed_over),
};
TEST_MAIN(cases)
