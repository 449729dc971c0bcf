// SPDX-License-Identifier: Apache-2.0
// A host that was built for one TLS connection (AG_CFG_TLS_CONNECTIONS 1): whatever is configured
// and desired, a second stream is never opened while one is open. The world ends a test that does.
#include "test/harness.h"
#include "test/unit/host/world.h"

static void begin(void)
{
    world_open();
    world.has_one_stream = true;
    world.config.one_connection = false;
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11 });
}

static void a_twin_that_asks_for_two_gets_one(void)
{
    begin();
    json_object_set_new(world.hub.desired, "airgraft", json_pack("{s:b}", "OneConnection", 0));
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    uint32_t connects = world.hub.connects;
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world.hub.connects, connects + 1); // it was left, and joined again
    world_close();
}

static void a_download_over_a_bad_line_ends_well(void)
{
    begin();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    for (uint32_t size = 1; size < 600; size += 37) {
        world.file_pipe.stall_after = size;
        world_desire_one("blinky", size % 2 ? 11 : 10);
        world_run(70000);
        world.file_pipe.stall_after = 0;
        world_run(130000);
    }
    world_desire_one("blinky", 11);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

// A token of long ago is refused: the time is asked for while the link waits for its next attempt.
static void the_time_is_asked_for_between_two_attempts(void)
{
    begin();
    board.clock_is_known = false;
    board.learns_clock = true;
    world.date = "Tue, 01 Jan 2030 00:10:00 GMT";
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

static void a_server_that_stalls_when_asked_for_the_time_gives_way_to_the_hub(void)
{
    begin();
    board.clock_is_known = false;
    board.learns_clock = true;
    world.file_pipe.stall_after = 1;
    world_boot();
    world_run(600000);
    world_desire_one("blinky", 10);
    world.file_pipe.stall_after = 0;
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_twin_that_asks_for_two_gets_one),
    TEST(a_download_over_a_bad_line_ends_well),
    TEST(the_time_is_asked_for_between_two_attempts),
    TEST(a_server_that_stalls_when_asked_for_the_time_gives_way_to_the_hub),
};
TEST_MAIN(cases)
