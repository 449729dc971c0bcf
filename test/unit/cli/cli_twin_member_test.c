// SPDX-License-Identifier: Apache-2.0
// Tests of cli/twin_member.h: what may be given for a Window, a Trial and Settings.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "cli/twin_member.h"
#include "test/harness.h"

// The value that is read as text with sorted keys, or "refused".
static const char *read_text(enum ag_twin_member member, const char *given)
{
    static char text[AG_CFG_SETTINGS_MAX + 64];
    json_t *value = NULL;
    if (!ag_twin_member_read(member, given, &value)) {
        CHECK(value == NULL);
        return "refused";
    }
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "%s", dumped ? dumped : "");
    free(dumped);
    json_decref(value);
    return text;
}

static void a_window_is_two_times_or_an_object(void)
{
    static const char *const rows[][2] = {
        { "22:00-04:30", "{\"From\":\"22:00\",\"To\":\"04:30\"}" },
        { "00:00-24:00", "{\"From\":\"00:00\",\"To\":\"24:00\"}" },
        { "{\"To\": \"04:30\", \"From\": \"22:00\"}", "{\"From\":\"22:00\",\"To\":\"04:30\"}" },
        { "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Mon\",\"Sun\"],\"UtcOffsetMinutes\":-60,"
          "\"UnknownClock\":\"wait\"}",
          "{\"Days\":[\"Mon\",\"Sun\"],\"From\":\"22:00\",\"To\":\"04:30\","
          "\"UnknownClock\":\"wait\",\"UtcOffsetMinutes\":-60}" },
        { "none", "null" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%s", rows[i][0]);
        CHECK_TEXT(read_text(AG_TWIN_MEMBER_WINDOW, rows[i][0]), rows[i][1]);
    }
}

static void a_window_that_a_device_would_refuse_or_misread_is_a_mistake(void)
{
    static const char *const given[] = {
        "",
        "-",
        "22:00",
        "22-04",
        "22:00-",
        "-04:30",
        "22:00-25:00",
        "24:00-04:30",
        "22:00-04:30-05:00",
        "22:00 - 04:30",
        "night",
        "null",
        "[]",
        "{}",
        "{\"From\":\"22:00\"}",
        "{\"from\":\"22:00\",\"to\":\"04:30\"}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"days\":[\"Mon\"]}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[\"Monday\"]}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"Days\":[]}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"UtcOffsetMinutes\":841}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"UnknownClock\":\"never\"}",
        "{\"From\":\"22:00\",\"To\":\"04:30\",\"From\":\"22:00\"}",
        "{\"From\":2200,\"To\":\"04:30\"}",
        "@/nonexistent/window.json",
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        test_note("%s", given[i]);
        CHECK_TEXT(read_text(AG_TWIN_MEMBER_WINDOW, given[i]), "refused");
    }
}

static void a_trial_is_an_object_of_what_it_may_ask_for(void)
{
    static const char *const rows[][2] = {
        { "{\"Runs\":20,\"Ms\":60000,\"Hub\":true}", "{\"Hub\":true,\"Ms\":60000,\"Runs\":20}" },
        { "{\"Ms\":0}", "{\"Ms\":0}" },
        { "{}", "{}" },
        { "none", "null" },
        { "{\"Runs\":0}", "refused" },
        { "{\"Runs\":1.5}", "refused" },
        { "{\"Runs\":\"20\"}", "refused" },
        { "{\"Ms\":4294967296}", "refused" },
        { "{\"Hub\":1}", "refused" },
        { "{\"runs\":20}", "refused" },
        { "20", "refused" },
        { "{\"Runs\":20", "refused" },
        { "", "refused" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%s", rows[i][0]);
        CHECK_TEXT(read_text(AG_TWIN_MEMBER_TRIAL, rows[i][0]), rows[i][1]);
    }
}

static void settings_are_any_object_that_a_device_can_hold(void)
{
    char text[AG_CFG_SETTINGS_MAX + 2];
    memset(text, 'x', sizeof text);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + AG_CFG_SETTINGS_MAX - 2, "\"}", 3);
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, text), text);
    memcpy(text + AG_CFG_SETTINGS_MAX - 2, "x\"}", 4);
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, text), "refused");
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, "{ \"any\": {\"thing\": [1]} }"),
               "{\"any\":{\"thing\":[1]}}");
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, "none"), "refused");
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, "5"), "refused");
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_SETTINGS, "{\"a\":1,\"a\":2}"), "refused");
}

static void a_value_may_stand_in_a_file(void)
{
    char path[] = "/tmp/twin_member.XXXXXX";
    char given[sizeof path + 1];
    static const char text[] = "{\"Runs\": 3}\n";
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    snprintf(given, sizeof given, "@%s", path);
    CHECK_TEXT(read_text(AG_TWIN_MEMBER_TRIAL, given), "{\"Runs\":3}");
    close(fd);
    unlink(path);
}

static const struct test_case cases[] = {
    TEST(a_window_is_two_times_or_an_object),
    TEST(a_window_that_a_device_would_refuse_or_misread_is_a_mistake),
    TEST(a_trial_is_an_object_of_what_it_may_ask_for),
    TEST(settings_are_any_object_that_a_device_can_hold),
    TEST(a_value_may_stand_in_a_file),
};
TEST_MAIN(cases)
