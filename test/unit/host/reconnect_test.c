// SPDX-License-Identifier: Apache-2.0
// Connecting again: pauses with jitter, capped, forgotten after a stable minute, never given up.
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

#define CAP_MS 120000u

// Starts with a generator of its own, as each device does.
static void begin(uint64_t seed)
{
    world_open();
    board.random ^= seed * 0x9E3779B97F4A7C15u;
    world_boot();
}

// The last pause that was logged, in milliseconds.
static uint32_t last_pause_ms(void)
{
    const char *last = NULL;
    for (const char *at = board.log; (at = strstr(at, ", again in ")) != NULL; at++)
        last = at;
    CHECK(last != NULL);
    return (uint32_t)strtoul(last + strlen(", again in "), NULL, 10);
}

// Lets time pass until the device is online, and no longer.
static void come_back(void)
{
    struct ag_host_status status = { .link = AG_HOST_LINK_WAITING };
    for (uint32_t i = 0; i < 3000 && status.link != AG_HOST_LINK_ONLINE; i++) {
        world_run(100);
        ag_host_status(world.host, &status);
    }
    CHECK_EQUAL(status.link, AG_HOST_LINK_ONLINE);
}

static void an_outage_of_days_is_waited_out_with_capped_pauses(void)
{
    begin(1);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    uint32_t opens = 0;
    uint64_t quiet_since = board.now_ms;
    for (uint32_t i = 0; i < 3u * 24u * 3600u; i++) {
        world_run(1000);
        if (world.hub_pipe.opens != opens)
            quiet_since = board.now_ms;
        opens = world.hub_pipe.opens;
        CHECK(board.now_ms - quiet_since <= CAP_MS + 2000);
    }
    // Half the cap on average, and no hammering.
    CHECK(opens > 3u * 24u * 30u && opens < 3u * 24u * 120u);
    world.hub_pipe.open_fails = AG_OK;
    come_back();
    world_close();
}

static void a_connection_that_lasted_a_minute_forgets_the_failures(void)
{
    begin(2);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_run(3600000);
    world.hub_pipe.open_fails = AG_OK;
    come_back();
    world_run(AG_BACKOFF_STABLE_MS);
    for (int i = 0; i < 20; i++) {
        world_kick();
        world_run(10);
        CHECK(last_pause_ms() <= 1000);
        come_back();
        world_run(AG_BACKOFF_STABLE_MS);
    }
    world_close();
}

// A hub that accepts and hangs up at once must not be hammered by a device that counts that a
// success.
static void a_connection_that_did_not_last_forgets_nothing(void)
{
    begin(3);
    come_back();
    uint32_t longest_ms = 0;
    for (int i = 0; i < 30; i++) {
        world_kick();
        world_run(10);
        if (last_pause_ms() > longest_ms)
            longest_ms = last_pause_ms();
        CHECK(last_pause_ms() <= CAP_MS);
        come_back();
        world_run(AG_BACKOFF_STABLE_MS / 2);
    }
    CHECK(longest_ms > CAP_MS / 2);
    world_close();
}

static void devices_that_are_lost_together_do_not_come_back_together(void)
{
    uint32_t pauses[8];
    uint64_t firsts[8];
    uint32_t different = 0;
    for (uint32_t i = 0; i < 8; i++) {
        begin(i + 10);
        while (world.hub_pipe.opens == 0)
            world_run(1);
        firsts[i] = board.now_ms;
        come_back();
        world_kick();
        world_run(10);
        pauses[i] = last_pause_ms();
        different += i > 0 && pauses[i] != pauses[0] && firsts[i] != firsts[0];
        world_close();
    }
    CHECK(different >= 6);
}

static void tokens_are_renewed_before_they_expire_and_not_by_all_at_once(void)
{
    uint64_t renewals[6];
    uint32_t different = 0;
    for (uint32_t i = 0; i < 6; i++) {
        begin(i + 20);
        come_back();
        uint64_t since_ms = board.now_ms;
        uint32_t connects = world.hub.connects;
        while (world.hub.connects == connects)
            world_run(1000);
        renewals[i] = board.now_ms - since_ms;
        CHECK(renewals[i] <= 2700u * 1000u + 1000u && renewals[i] >= 2430u * 1000u - 1000u);
        different += i > 0 && renewals[i] != renewals[0];
        world_close();
    }
    CHECK(different >= 4);
}

static const struct test_case cases[] = {
    TEST(an_outage_of_days_is_waited_out_with_capped_pauses),
    TEST(a_connection_that_lasted_a_minute_forgets_the_failures),
    TEST(a_connection_that_did_not_last_forgets_nothing),
    TEST(devices_that_are_lost_together_do_not_come_back_together),
    TEST(tokens_are_renewed_before_they_expire_and_not_by_all_at_once),
};
TEST_MAIN(cases)
