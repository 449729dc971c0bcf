// SPDX-License-Identifier: Apache-2.0
// The station over a made-up radio: which network it joins, what it does when that fails, how long
// it pauses, and what it says.
#include "wifi/station.h"

#include <stdio.h>
#include <string.h>

#include "platform/board.h"
#include "test/harness.h"

enum {
    AIR_MAX = 4,
    LOG_SIZE = 8192
};

// An access point, and what becomes of a join.
struct access_point {
    const char *name;
    uint8_t signal;
    enum ag_wifi_security security;
    enum ag_status outcome;
};

static struct {
    struct access_point air[AIR_MAX];
    uint32_t count;
    enum ag_wifi_state state;
    enum ag_status reason;
    enum ag_status scan;    // what a scan ends with
    bool scan_hangs;        // it does not end
    bool join_hangs;        // no join does
    enum ag_status refuses; // what the next join is refused with
    char name[33];          // of the network joined last
    char password[65];
    enum ag_wifi_security security;
    uint32_t scans, joins, leaves, forgets;
    uint32_t random;
    char log[LOG_SIZE];
    uint32_t warnings;
} world;

static struct ag_station station;
static uint64_t now_ms;

// platform/board.h

void ag_board_random(void *bytes, size_t size)
{
    memcpy(bytes, &world.random, size < sizeof world.random ? size : sizeof world.random);
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    const size_t used = strlen(world.log);
    CHECK_TEXT(source, "wifi");
    CHECK(used + size + 2 < LOG_SIZE);
    memcpy(world.log + used, text, size);
    memcpy(world.log + used + size, "\n", 2);
    world.warnings += level == AG_LOG_WARNING;
}

// platform/wifi.h

void ag_wifi_poll(uint64_t time_ms)
{
    CHECK_EQUAL(time_ms, now_ms);
}

uint32_t ag_wifi_wait_ms(uint64_t time_ms)
{
    CHECK_EQUAL(time_ms, now_ms);
    return UINT32_MAX;
}

void ag_wifi_status(struct ag_wifi_status *status)
{
    *status = (struct ag_wifi_status){ .state = world.state, .reason = world.reason };
    if (world.state != AG_WIFI_CONNECTED)
        return;
    status->name_size = (uint8_t)strlen(world.name);
    memcpy(status->name, world.name, status->name_size);
}

enum ag_status ag_wifi_scan(void)
{
    world.scans++;
    return world.state == AG_WIFI_ABSENT ? world.reason : AG_OK;
}

enum ag_status ag_wifi_results(void (*take)(void *context, const struct ag_wifi_found *found),
                               void *context)
{
    if (world.scan_hangs)
        return AG_ERR_AGAIN;
    if (world.scan != AG_OK)
        return world.scan;
    for (uint32_t i = 0; i < world.count; i++) {
        struct ag_wifi_found found = { .signal = world.air[i].signal,
                                       .security = world.air[i].security };
        found.name_size = (uint8_t)strlen(world.air[i].name);
        memcpy(found.name, world.air[i].name, found.name_size);
        take(context, &found);
    }
    return AG_OK;
}

enum ag_status ag_wifi_join(const struct ag_wifi_credentials *credentials)
{
    const enum ag_status refusal = world.refuses;
    world.refuses = AG_OK;
    if (refusal != AG_OK)
        return refusal;
    world.joins++;
    snprintf(world.name, sizeof world.name, "%s", credentials->name);
    snprintf(world.password, sizeof world.password, "%s",
             credentials->password ? credentials->password : "");
    world.security = credentials->security;
    world.state = AG_WIFI_JOINING;
    return AG_OK;
}

void ag_wifi_leave(void)
{
    world.leaves++;
    world.state = AG_WIFI_IDLE;
    world.reason = AG_OK;
}

void ag_wifi_forget(void)
{
    world.forgets++;
    ag_wifi_leave();
}

// The story.

static const struct ag_station_network known[] = {
    { "home", "correct horse", false },
    { "open", NULL, false },
    { "shy", "very hidden", true },
};

static void begin(uint32_t count)
{
    memset(&world, 0, sizeof world);
    world.state = AG_WIFI_IDLE;
    now_ms = 1000;
    ag_station_init(&station, known, count);
}

static void appear(const char *name, uint8_t signal, enum ag_wifi_security security,
                   enum ag_status outcome)
{
    CHECK(world.count < AIR_MAX);
    world.air[world.count++] = (struct access_point){ name, signal, security, outcome };
}

static void end_join(void)
{
    enum ag_status outcome = AG_ERR_WIFI_RANGE;
    for (uint32_t i = 0; i < world.count; i++) {
        if (strcmp(world.air[i].name, world.name) == 0)
            outcome = world.air[i].outcome;
    }
    world.state = outcome == AG_OK ? AG_WIFI_CONNECTED : AG_WIFI_IDLE;
    world.reason = outcome;
}

// Steps until nothing is due at once; returns the wait.
static uint32_t step(void)
{
    uint32_t wait_ms = ag_station_step(&station, now_ms);
    for (int i = 0; i < 20 && world.state == AG_WIFI_JOINING && !world.join_hangs; i++) {
        end_join();
        wait_ms = ag_station_step(&station, now_ms);
    }
    return wait_ms;
}

// Lets the pause pass.
static void next_round(void)
{
    CHECK_EQUAL(station.state, AG_STATION_PAUSES);
    now_ms = station.until_ms;
    step();
}

static void lose(enum ag_status reason)
{
    world.state = AG_WIFI_IDLE;
    world.reason = reason;
}

static void it_joins_the_first_of_its_list_that_is_in_range(void)
{
    begin(2);
    appear("open", 100, AG_WIFI_OPEN, AG_OK);
    appear("home", 10, AG_WIFI_WPA, AG_OK);
    CHECK_EQUAL(step(), UINT32_MAX);
    CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
    CHECK_TEXT(world.name, "home");
    CHECK_TEXT(world.password, "correct horse");
    CHECK_EQUAL(world.joins, 1);
    CHECK_EQUAL(station.reason, AG_OK);
}

static void the_strongest_access_point_says_which_security(void)
{
    begin(1);
    appear("home", 40, AG_WIFI_WPA, AG_OK);
    appear("home", 60, AG_WIFI_WPA3, AG_OK);
    appear("home", 99, AG_WIFI_OTHER, AG_OK);
    step();
    CHECK_EQUAL(world.security, AG_WIFI_WPA3);
}

static void the_next_of_its_list_is_tried_when_one_fails(void)
{
    begin(2);
    appear("home", 90, AG_WIFI_WPA, AG_ERR_WIFI_PASSWORD);
    appear("open", 20, AG_WIFI_OPEN, AG_OK);
    step();
    CHECK_TEXT(world.name, "open");
    CHECK_TEXT(world.password, "");
    CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
    CHECK_EQUAL(world.forgets, 1);
    CHECK(strstr(world.log, "'home': the network refused the password (wifi_password, 1545)"));
    CHECK(strstr(world.log, "'open': connected"));
}

static void a_join_that_is_refused_at_once_is_a_failure_too(void)
{
    begin(2);
    appear("home", 90, AG_WIFI_WPA, AG_OK);
    appear("open", 20, AG_WIFI_OPEN, AG_OK);
    world.refuses = AG_ERR_WIFI_DENIED;
    step();
    CHECK_TEXT(world.name, "open");
    CHECK(strstr(world.log, "wifi_denied, 1543"));
}

static void a_network_of_that_name_without_its_security_gets_nothing(void)
{
    static const enum ag_wifi_security unfit[][2] = {
        { AG_WIFI_OPEN, AG_WIFI_OTHER }, // for home
        { AG_WIFI_WPA, AG_WIFI_WPA3 },   // for open
    };
    for (size_t i = 0; i < 2; i++) {
        begin(2);
        appear(i == 0 ? "home" : "open", 90, unfit[i][0], AG_OK);
        appear(i == 0 ? "home" : "open", 80, unfit[i][1], AG_OK);
        step();
        CHECK_EQUAL(world.joins, 0);
        CHECK_EQUAL(station.reason, AG_ERR_WIFI_SECURITY);
        CHECK_EQUAL(station.state, AG_STATION_PAUSES);
    }
}

static void what_was_in_range_before_is_forgotten(void)
{
    begin(1);
    appear("home", 90, AG_WIFI_OPEN, AG_OK);
    step();
    CHECK_EQUAL(station.reason, AG_ERR_WIFI_SECURITY);
    world.count = 0;
    next_round();
    CHECK_EQUAL(station.reason, AG_ERR_WIFI_RANGE);
}

static void names_are_compared_whole(void)
{
    begin(1);
    appear("hom", 90, AG_WIFI_WPA, AG_OK);
    appear("home2", 90, AG_WIFI_WPA, AG_OK);
    appear("", 90, AG_WIFI_WPA, AG_OK);
    step();
    CHECK_EQUAL(world.joins, 0);
    CHECK_EQUAL(station.reason, AG_ERR_WIFI_RANGE);
}

static void a_hidden_network_is_tried_without_being_seen(void)
{
    begin(3);
    world.join_hangs = true;
    step();
    CHECK_TEXT(world.name, "shy");
    CHECK_EQUAL(world.security, AG_WIFI_WPA);
}

static void pauses_double_up_to_the_cap_and_never_end(void)
{
    uint64_t bound = AG_CFG_WIFI_PAUSE_MS;
    begin(2);
    step();
    for (int i = 0; i < 40; i++) {
        CHECK_EQUAL(world.scans, i + 1);
        CHECK(station.until_ms > now_ms && station.until_ms - now_ms <= bound);
        world.random = UINT32_MAX - (uint32_t)i;
        next_round();
        bound = bound * 2 < AG_CFG_WIFI_PAUSE_MAX_MS ? bound * 2 : AG_CFG_WIFI_PAUSE_MAX_MS;
    }
    CHECK_EQUAL(world.warnings, 1); // the same each time: told once
}

static void the_wait_is_what_is_left_of_the_pause(void)
{
    begin(1);
    world.random = 700;
    CHECK_EQUAL(step(), 701);
    now_ms += 500;
    CHECK_EQUAL(step(), 201);
    CHECK_EQUAL(world.scans, 1);
}

static void a_connection_that_ends_is_told_and_made_again_after_a_pause(void)
{
    begin(1);
    appear("home", 90, AG_WIFI_WPA, AG_OK);
    step();
    now_ms += AG_BACKOFF_STABLE_MS;
    lose(AG_ERR_WIFI_LOST);
    step();
    CHECK_EQUAL(station.state, AG_STATION_PAUSES);
    CHECK_EQUAL(station.backoff.failures, 1);
    CHECK(strstr(world.log, "'home': the connection to the network ended (wifi_lost, 1549)"));
    next_round();
    CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
    lose(AG_ERR_WIFI_LOST);
    step();
    CHECK_EQUAL(station.backoff.failures, 2); // it did not last
    CHECK_EQUAL(world.warnings, 2);           // after a connection it is news again
}

static void a_connection_from_before_the_start_is_kept(void)
{
    begin(2);
    world.state = AG_WIFI_CONNECTED;
    strcpy(world.name, "open");
    CHECK_EQUAL(step(), UINT32_MAX);
    CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
    CHECK_EQUAL(station.current, 1);
    CHECK_EQUAL(world.scans + world.joins, 0);
}

static void a_connection_to_a_network_that_is_not_known_gives_way(void)
{
    begin(1);
    appear("home", 90, AG_WIFI_WPA, AG_OK);
    world.state = AG_WIFI_CONNECTED;
    strcpy(world.name, "other");
    step();
    CHECK_TEXT(world.name, "home");
}

static void a_radio_that_goes_is_waited_for_from_every_state(void)
{
    for (int state = 0; state < AG_STATION_STATE_COUNT; state++) {
        begin(1);
        if (state != AG_STATION_PAUSES)
            appear("home", 90, AG_WIFI_WPA, AG_OK);
        world.scan_hangs = state == AG_STATION_SCANS;
        world.join_hangs = state == AG_STATION_JOINS;
        if (state != AG_STATION_NO_RADIO) {
            step();
            CHECK_EQUAL(station.state, state);
        }
        world.state = AG_WIFI_ABSENT;
        world.reason = AG_ERR_WIFI_SERVICE;
        CHECK_EQUAL(step(), UINT32_MAX);
        CHECK_EQUAL(station.state, AG_STATION_NO_RADIO);
        CHECK_EQUAL(station.reason, AG_ERR_WIFI_SERVICE);
        CHECK_EQUAL(station.backoff.failures,
                    state == AG_STATION_PAUSES); // it is no network's fault
        world.reason = AG_ERR_WIFI_DEVICE;
        step();
        CHECK_EQUAL(station.reason, AG_ERR_WIFI_DEVICE);
        world.scan_hangs = world.join_hangs = false;
        world.count = 0;
        appear("home", 90, AG_WIFI_WPA, AG_OK);
        world.state = AG_WIFI_IDLE;
        world.reason = AG_OK;
        step();
        CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
    }
}

static void a_scan_that_fails_or_hangs_is_made_again(void)
{
    begin(1);
    appear("home", 90, AG_WIFI_WPA, AG_OK);
    world.scan = AG_ERR_WIFI_SERVICE;
    step();
    CHECK_EQUAL(station.reason, AG_ERR_WIFI_SERVICE);
    world.scan_hangs = true;
    next_round();
    CHECK_EQUAL(station.state, AG_STATION_SCANS);
    now_ms = station.until_ms;
    step();
    CHECK_EQUAL(station.reason, AG_ERR_TIMEOUT);
    world.scan_hangs = false;
    world.scan = AG_OK;
    next_round();
    CHECK_EQUAL(station.state, AG_STATION_CONNECTED);
}

static void a_join_that_hangs_is_left_in_time(void)
{
    begin(1);
    appear("home", 90, AG_WIFI_WPA, AG_OK);
    world.join_hangs = true;
    const uint32_t wait_ms = step();
    CHECK(wait_ms > 0 && wait_ms <= 60000);
    now_ms += wait_ms;
    step();
    CHECK_EQUAL(world.leaves, 1);
    CHECK_EQUAL(station.reason, AG_ERR_TIMEOUT);
    CHECK_EQUAL(station.state, AG_STATION_PAUSES);
}

static void no_line_of_the_log_holds_a_password(void)
{
    begin(3);
    appear("home", 90, AG_WIFI_WPA, AG_ERR_WIFI_PASSWORD);
    appear("shy", 90, AG_WIFI_WPA, AG_ERR_WIFI_JOIN);
    step();
    next_round();
    CHECK(strstr(world.log, "home") && strstr(world.log, "shy"));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        CHECK(!known[i].password || !strstr(world.log, known[i].password));
}

static const struct test_case cases[] = {
    TEST(it_joins_the_first_of_its_list_that_is_in_range),
    TEST(the_strongest_access_point_says_which_security),
    TEST(the_next_of_its_list_is_tried_when_one_fails),
    TEST(a_join_that_is_refused_at_once_is_a_failure_too),
    TEST(a_network_of_that_name_without_its_security_gets_nothing),
    TEST(what_was_in_range_before_is_forgotten),
    TEST(names_are_compared_whole),
    TEST(a_hidden_network_is_tried_without_being_seen),
    TEST(pauses_double_up_to_the_cap_and_never_end),
    TEST(the_wait_is_what_is_left_of_the_pause),
    TEST(a_connection_that_ends_is_told_and_made_again_after_a_pause),
    TEST(a_connection_from_before_the_start_is_kept),
    TEST(a_connection_to_a_network_that_is_not_known_gives_way),
    TEST(a_radio_that_goes_is_waited_for_from_every_state),
    TEST(a_scan_that_fails_or_hangs_is_made_again),
    TEST(a_join_that_hangs_is_left_in_time),
    TEST(no_line_of_the_log_holds_a_password),
};

TEST_MAIN(cases)
