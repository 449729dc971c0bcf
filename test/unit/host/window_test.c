// SPDX-License-Identifier: Apache-2.0
// Tests of host/window.h.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/window.h"
#include "test/harness.h"

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)
#define WEEK (7 * DAY)
// 2026-11-23 00:00:00 UTC, a Monday.
#define MONDAY INT64_C(1795392000)

static struct ag_window window_of(const char *json)
{
    struct ag_window window;
    memset(&window, 0, sizeof window);
    test_note("%s", json);
    CHECK_EQUAL(ag_window_parse(ag_text_of(json), &window), AG_OK);
    CHECK(window.is_set);
    return window;
}

static void a_table_of_times_opens_and_closes(void)
{
    static const struct {
        const char *window;
        int64_t after_monday_s;
        uint32_t wait_s;
    } rows[] = {
        { "{\"From\":\"02:00\",\"To\":\"04:00\"}", 0, 2 * 3600 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\"}", 2 * HOUR - 1, 1 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\"}", 2 * HOUR, 0 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\"}", 4 * HOUR - 1, 0 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\"}", 4 * HOUR, 22 * 3600 },
        // Across midnight.
        { "{\"From\":\"22:00\",\"To\":\"04:30\"}", 0, 0 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\"}", 4 * HOUR + 1799, 0 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\"}", 4 * HOUR + 1800, 17 * 3600 + 1800 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\"}", 22 * HOUR, 0 },
        // Days are those of the beginning: Sunday's window reaches into Monday, Monday's begins
        // later.
        { "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Sun\"]}", HOUR, 0 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Sun\"]}", DAY + HOUR,
          5 * 86400 + 21 * 3600 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Mon\"]}", HOUR, 21 * 3600 },
        { "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Mon\"]}", DAY + HOUR, 0 },
        { "{\"From\":\"00:00\",\"To\":\"00:01\",\"Days\":[\"Mon\"]}", 60, 604800 - 60 },
        { "{\"From\":\"00:00\",\"To\":\"00:01\",\"Days\":[\"Tue\",\"Fri\",\"Tue\"]}", 2 * DAY,
          2 * 86400 },
        { "{\"From\":\"12:00\",\"To\":\"13:00\",\"Days\":[\"Wed\",\"Thu\",\"Sat\"]}", 5 * DAY,
          43200 },
        // The whole day, and its end.
        { "{\"From\":\"00:00\",\"To\":\"24:00\"}", 12 * HOUR, 0 },
        { "{\"From\":\"07:00\",\"To\":\"07:00\"}", 7 * HOUR - 1, 0 },
        { "{\"From\":\"07:00\",\"To\":\"07:00\",\"Days\":[\"Mon\"]}", 7 * HOUR - 1, 1 },
        { "{\"From\":\"23:59\",\"To\":\"24:00\"}", 24 * HOUR - 1, 0 },
        { "{\"From\":\"23:59\",\"To\":\"24:00\"}", 24 * HOUR, 86400 - 60 },
        { "{\"From\":\"23:59\",\"To\":\"00:00\"}", 24 * HOUR, 86400 - 60 },
        // East and west of Greenwich.
        { "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":60}", HOUR, 0 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":60}", 3 * HOUR, 22 * 3600 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":-90}", 3 * HOUR, 1800 },
        { "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[\"Mon\"],\"UtcOffsetMinutes\":840}",
          -12 * HOUR, 0 },
        { "{\"From\":\"20:00\",\"To\":\"21:00\",\"Days\":[\"Sun\"],\"UtcOffsetMinutes\":-840}",
          10 * HOUR, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ag_window window = window_of(rows[i].window);
        const int64_t now_s = MONDAY + rows[i].after_monday_s;
        test_note("row %zu: %s", i, rows[i].window);
        CHECK_EQUAL(ag_window_wait_s(&window, true, now_s), rows[i].wait_s);
        CHECK_EQUAL(ag_window_wait_s(&window, true, now_s + 1000 * WEEK), rows[i].wait_s);
        CHECK_EQUAL(ag_window_wait_s(&window, true, now_s - 5000 * WEEK), rows[i].wait_s);
    }
}

static void an_unknown_clock_opens_unless_the_entry_says_wait(void)
{
    const struct ag_window none = { .is_set = false };
    CHECK_EQUAL(ag_window_wait_s(&none, false, 0), 0);
    CHECK_EQUAL(ag_window_wait_s(&none, true, MONDAY), 0);
    struct ag_window window = window_of("{\"From\":\"02:00\",\"To\":\"03:00\"}");
    CHECK_EQUAL(ag_window_wait_s(&window, false, MONDAY), 0);
    window = window_of("{\"From\":\"02:00\",\"To\":\"03:00\",\"UnknownClock\":\"now\"}");
    CHECK_EQUAL(ag_window_wait_s(&window, false, MONDAY), 0);
    window = window_of("{\"From\":\"02:00\",\"To\":\"03:00\",\"UnknownClock\":\"wait\"}");
    CHECK_EQUAL(ag_window_wait_s(&window, false, MONDAY + 2 * HOUR), AG_WINDOW_NEVER);
    CHECK_EQUAL(ag_window_wait_s(&window, true, MONDAY + 2 * HOUR), 0);
}

// Said in the plainest way: minute by minute from the day on which it begins.
static bool is_open_plainly(const struct ag_window *window, int64_t minute_of_week)
{
    for (int day = 0; day < 7; day++)
        for (int past = 0; window->days & 1 << day && past < window->size_min; past++)
            if ((day * 1440 + window->from_min + past) % 10080 == minute_of_week)
                return true;
    return false;
}

static void every_minute_of_the_week_agrees_with_counting(void)
{
    static const char *const windows[] = {
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Sun\",\"Wed\"]}",
        "{\"From\":\"00:00\",\"To\":\"24:00\",\"Days\":[\"Tue\"]}",
        "{\"From\":\"05:07\",\"To\":\"05:08\"}",
        "{\"From\":\"12:00\",\"To\":\"12:00\",\"Days\":[\"Sat\",\"Sun\"],\"UtcOffsetMinutes\":-777}",
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const struct ag_window window = window_of(windows[i]);
        for (int64_t minute = 0; minute < 10080; minute++) {
            const int64_t local = (minute + window.offset_min + 10080) % 10080;
            const uint32_t wait_s = ag_window_wait_s(&window, true, MONDAY + minute * 60);
            CHECK_EQUAL(wait_s == 0, is_open_plainly(&window, local));
            CHECK(wait_s <= WEEK && wait_s % 60 == 0);
            if (wait_s == 0)
                continue;
            const int64_t opens_s = MONDAY + minute * 60 + wait_s;
            CHECK_EQUAL(ag_window_wait_s(&window, true, opens_s), 0);
            CHECK_EQUAL(ag_window_wait_s(&window, true, opens_s - 1), 1);
        }
    }
}

static void no_clock_is_too_far_away(void)
{
    static const int64_t clocks[] = { INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX };
    static const char *const windows[] = {
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Sun\"],\"UtcOffsetMinutes\":840}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Mon\"],\"UtcOffsetMinutes\":-840}",
    };
    for (size_t i = 0; i < 2; i++) {
        const struct ag_window window = window_of(windows[i]);
        for (size_t at = 0; at < sizeof clocks / sizeof clocks[0]; at++)
            CHECK(ag_window_wait_s(&window, true, clocks[at]) <= WEEK);
    }
}

static void unknown_and_null_members_are_passed_over(void)
{
    const struct ag_window window = window_of(
        " {\"Note\":{\"From\":[\"x\"]},\"From\":\"01:02\",\"Days\":null,\"UtcOffsetMinutes\":null,"
        "\"UnknownClock\":null,\"To\":\"03:04\",\"a key of more than twenty-four bytes\":1} ");
    CHECK_EQUAL(window.from_min, 62);
    CHECK_EQUAL(window.size_min, 122);
    CHECK_EQUAL(window.days, 0x7F);
    CHECK_EQUAL(window.offset_min, 0);
    CHECK(!window.waits_unknown);
}

static void a_malformed_window_is_refused(void)
{
    static const char *const members[] = {
        "",
        "5",
        "\"02:00-04:00\"",
        "[]",
        "null",
        "{}",
        "{\"From\":\"02:00\"}",
        "{\"To\":\"02:00\"}",
        "{\"From\":null,\"To\":\"02:00\"}",
        "{\"From\":\"2:00\",\"To\":\"04:00\"}",
        "{\"From\":\"24:00\",\"To\":\"04:00\"}",
        "{\"From\":\"02:60\",\"To\":\"04:00\"}",
        "{\"From\":\"02:00\",\"To\":\"24:01\"}",
        "{\"From\":\"02:00\",\"To\":\"99:99\"}",
        "{\"From\":\"02.00\",\"To\":\"04:00\"}",
        "{\"From\":\"-2:00\",\"To\":\"04:00\"}",
        "{\"From\":\"02:00 \",\"To\":\"04:00\"}",
        "{\"From\":\"0\\u0030:00\\u0000\",\"To\":\"04:00\"}",
        "{\"From\":120,\"To\":\"04:00\"}",
        "{\"From\":\"02:00\",\"To\":[\"04:00\"]}",
        "{\"From\":\"02:00\",\"To\":{\"at\":1}}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":\"Mon\"}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[\"mon\"]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[\"Monday\"]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[1]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[[\"Mon\"]]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":{\"Mon\":1}}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"Days\":[\"Mon\",null]}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":841}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":-841}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":1.5}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UtcOffsetMinutes\":\"60\"}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UnknownClock\":\"never\"}",
        "{\"From\":\"02:00\",\"To\":\"04:00\",\"UnknownClock\":true}",
        "{\"From\":\"02:00\",\"To\":\"04:00\"",
        "{\"From\":\"02:00\",\"To\":\"04:00\"}}",
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct ag_window window = { .from_min = 77 };
        test_note("%s", members[i]);
        CHECK_EQUAL(ag_window_parse(ag_text_of(members[i]), &window), AG_ERR_TWIN_WINDOW);
        CHECK(window.from_min == 77 && !window.is_set);
    }
}

static void every_text_of_up_to_two_bytes_is_refused(void)
{
    for (unsigned i = 0; i < 65536; i++) {
        const char bytes[2] = { (char)(i >> 8), (char)i };
        struct ag_window window;
        CHECK_EQUAL(ag_window_parse((struct ag_text){ bytes, 2 }, &window), AG_ERR_TWIN_WINDOW);
        CHECK_EQUAL(ag_window_parse((struct ag_text){ bytes, 1 }, &window), AG_ERR_TWIN_WINDOW);
    }
}

static const struct test_case cases[] = {
    TEST(a_table_of_times_opens_and_closes),
    TEST(an_unknown_clock_opens_unless_the_entry_says_wait),
    TEST(every_minute_of_the_week_agrees_with_counting),
    TEST(no_clock_is_too_far_away),
    TEST(unknown_and_null_members_are_passed_over),
    TEST(a_malformed_window_is_refused),
    TEST(every_text_of_up_to_two_bytes_is_refused),
};
TEST_MAIN(cases)
