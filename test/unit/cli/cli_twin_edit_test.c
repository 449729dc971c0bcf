// SPDX-License-Identifier: Apache-2.0
// Tests of cli/twin_edit.h: what a deployment changes in firmware_modules, and what a report says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/twin_edit.h"
#include "test/harness.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// The patch of firmware_modules as text with sorted keys, or the outcome in words.
static const char *patch_text(const char *modules, const struct ag_twin_change *change)
{
    static char text[2048];
    json_t *current = modules ? json_loads(modules, JSON_DECODE_ANY, NULL) : NULL;
    json_t *patch = NULL;
    CHECK(!modules || current);
    const enum ag_twin_edit_outcome outcome = ag_twin_edit_patch(current, change, &patch);
    json_decref(current);
    switch (outcome) {
    case AG_TWIN_EDIT_MISSING:
        return "missing";
    case AG_TWIN_EDIT_MALFORMED:
        return "malformed";
    case AG_TWIN_EDIT_NO_MEMORY:
        return "no memory";
    case AG_TWIN_EDIT_DONE:
    case AG_TWIN_EDIT_CONVERTED:
        break;
    }
    const json_t *desired = json_object_get(json_object_get(patch, "properties"), "desired");
    char *dumped =
        json_dumps(json_object_get(desired, "firmware_modules"), JSON_COMPACT | JSON_SORT_KEYS);
    snprintf(text, sizeof text, "%s%s", outcome == AG_TWIN_EDIT_CONVERTED ? "converted " : "",
             dumped);
    free(dumped);
    json_decref(patch);
    return text;
}

static void names_become_keys_and_come_back(void)
{
    static const char *const rows[][2] = {
        { "blinky", "blinky" },  { "a.b", "a%2Eb" }, { "$x#", "%24x%23" },
        { "a b\t", "a%20b%09" }, { "50%", "50%25" }, { "\xC3\xA4", "\xC3\xA4" },
        { "%2E", "%252E" },      { "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *key = ag_twin_edit_escape(rows[i][0]);
        char *name = ag_twin_edit_unescape(rows[i][1]);
        CHECK_TEXT(key, rows[i][1]);
        CHECK_TEXT(name, rows[i][0]);
        free(key);
        free(name);
    }
    char *name = ag_twin_edit_unescape("a%2eb%2%zz%");
    CHECK_TEXT(name, "a.b%2%zz%");
    free(name);
}

static void a_new_plug_in_is_one_entry_by_name(void)
{
    const struct ag_twin_change change = {
        .name = "my.app",
        .url = "https://x/y",
        .version = 4294967295u,
        .sha256 = SHA,
    };
    static const char want[] =
        "{\"my%2Eapp\":{\"Sha256\":\"" SHA "\",\"Url\":\"https://x/y\",\"Version\":4294967295}}";
    CHECK_TEXT(patch_text(NULL, &change), want);
    CHECK_TEXT(patch_text("null", &change), want);
    CHECK_TEXT(patch_text("{}", &change), want);
    CHECK_TEXT(patch_text("{\"other\":{\"Url\":\"u\",\"Version\":1}}", &change), want);
}

static void a_new_version_keeps_what_is_not_given_and_takes_away_allow_downgrade(void)
{
    const struct ag_twin_change change = { .name = "b", .url = "v", .version = 2 };
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1,\"Sha256\":\"old\",\"PeriodMs\":5,"
                          "\"AllowDowngrade\":true,\"Settings\":{\"x\":1}}}",
                          &change),
               "{\"b\":{\"AllowDowngrade\":null,\"PeriodMs\":5,\"Settings\":{\"x\":1},"
               "\"Sha256\":null,\"Url\":\"v\",\"Version\":2}}");
}

static void settings_replace_the_old_ones_at_every_depth(void)
{
    json_t *settings = json_loads("{\"a\":{\"b\":1},\"n\":[2]}", 0, NULL);
    const struct ag_twin_change change = { .name = "b", .settings = settings, .period_ms = 7 };
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1,"
                          "\"Settings\":{\"a\":{\"b\":0,\"c\":3},\"d\":4,\"n\":{\"k\":1}}}}",
                          &change),
               "{\"b\":{\"PeriodMs\":7,\"Settings\":{\"a\":{\"b\":1,\"c\":null},\"d\":null,"
               "\"n\":[2]},\"Url\":\"u\",\"Version\":1}}");
    json_decref(settings);
}

static void a_window_and_a_trial_are_replaced_whole_and_taken_away_by_null(void)
{
    json_t *window = json_loads("{\"From\":\"22:00\",\"To\":\"04:30\"}", 0, NULL);
    struct ag_twin_change change = { .name = "b", .window = window, .trial = json_null() };
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1,\"Trial\":{\"Runs\":3},"
                          "\"Window\":{\"From\":\"01:00\",\"To\":\"02:00\",\"Days\":[\"Mon\"]}}}",
                          &change),
               "{\"b\":{\"Trial\":null,\"Url\":\"u\",\"Version\":1,"
               "\"Window\":{\"Days\":null,\"From\":\"22:00\",\"To\":\"04:30\"}}}");
    json_decref(window);
    change =
        (struct ag_twin_change){ .name = "b", .url = "v", .version = 2, .window = json_null() };
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1,\"Trial\":{\"Runs\":3}}}", &change),
               "{\"b\":{\"Trial\":{\"Runs\":3},\"Url\":\"v\",\"Version\":2}}");
}

static void switching_off_and_on_again(void)
{
    struct ag_twin_change change = { .name = "b", .enabled = AG_TWIN_SWITCH_OFF };
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1}}", &change),
               "{\"b\":{\"Enabled\":false,\"Url\":\"u\",\"Version\":1}}");
    change.enabled = AG_TWIN_SWITCH_ON;
    CHECK_TEXT(patch_text("{\"b\":{\"Url\":\"u\",\"Version\":1,\"Enabled\":false}}", &change),
               "{\"b\":{\"Enabled\":null,\"Url\":\"u\",\"Version\":1}}");
}

static void removal_is_a_null_under_the_key_that_is_there(void)
{
    const struct ag_twin_change change = { .name = "a.b", .remove = true };
    CHECK_TEXT(patch_text("{\"a%2eb\":{\"Url\":\"u\",\"Version\":1}}", &change),
               "{\"a%2eb\":null}");
    CHECK_TEXT(patch_text("{\"x\":{}}", &change), "missing");
    CHECK_TEXT(patch_text(NULL, &change), "missing");
}

static void a_list_becomes_an_object_of_all_its_entries(void)
{
    static const char list[] = "[{\"Name\":\"a.b\",\"Url\":\"u\",\"Version\":1},"
                               "{\"Name\":\"c\",\"Url\":\"w\",\"Version\":3,\"PeriodMs\":9},"
                               "{\"Name\":\"c\",\"Url\":\"second\",\"Version\":4}]";
    const struct ag_twin_change update = { .name = "c", .url = "v", .version = 5 };
    const struct ag_twin_change removal = { .name = "a.b", .remove = true };
    CHECK_TEXT(patch_text(list, &update), "converted {\"a%2Eb\":{\"Url\":\"u\",\"Version\":1},"
                                          "\"c\":{\"PeriodMs\":9,\"Url\":\"v\",\"Version\":5}}");
    CHECK_TEXT(patch_text(list, &removal),
               "converted {\"c\":{\"PeriodMs\":9,\"Url\":\"w\",\"Version\":3}}");
    CHECK_TEXT(patch_text("[]", &update), "converted {\"c\":{\"Url\":\"v\",\"Version\":5}}");
}

static void what_cannot_be_kept_is_refused(void)
{
    const struct ag_twin_change change = { .name = "c", .url = "v", .version = 5 };
    static const char *const modules[] = {
        "5",
        "\"text\"",
        "true",
        "[5]",
        "[{\"Url\":\"u\"}]",
        "[{\"Name\":\"\"}]",
        "[{\"Name\":5}]",
        "[null]",
    };
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        test_note("%s", modules[i]);
        CHECK_TEXT(patch_text(modules[i], &change), "malformed");
    }
    const struct ag_twin_change options_only = { .name = "c", .period_ms = 5 };
    CHECK_TEXT(patch_text("{}", &options_only), "missing");
    CHECK_TEXT(patch_text("{\"c\":5}", &options_only), "missing");
}

static enum ag_twin_verdict judge(const char *reported, const struct ag_twin_goal *goal,
                                  struct ag_twin_progress *progress)
{
    json_t *value = reported ? json_loads(reported, 0, NULL) : NULL;
    CHECK(!reported || value);
    const enum ag_twin_verdict verdict = ag_twin_edit_judge(value, goal, progress);
    json_decref(value);
    return verdict;
}

#define REPORT(desired, module)                                                                    \
    "{\"airgraft\":{\"desiredVersion\":" #desired "},\"firmware_modules\":{\"b\":" module "}}"

static void nothing_is_believed_before_the_device_has_seen_the_desired_version(void)
{
    const struct ag_twin_goal goal = { .name = "b", .desired_version = 5, .version = 2 };
    struct ag_twin_progress progress;
    CHECK_EQUAL(judge(NULL, &goal, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(judge("{}", &goal, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(judge(REPORT(4, "{\"version\":2,\"state\":\"running\"}"), &goal, &progress),
                AG_TWIN_WAITING);
    CHECK_EQUAL(judge(REPORT(4, "{\"version\":1,\"state\":\"rolled_back\"}"), &goal, &progress),
                AG_TWIN_WAITING);
    CHECK_EQUAL(judge(REPORT(5, "{\"version\":2,\"state\":\"running\"}"), &goal, &progress),
                AG_TWIN_SUCCEEDED);
    CHECK_EQUAL(judge(REPORT(6, "{\"version\":2,\"state\":\"running\"}"), &goal, &progress),
                AG_TWIN_SUCCEEDED);
}

static void each_state_has_its_verdict(void)
{
    static const struct {
        const char *report;
        enum ag_twin_verdict verdict;
    } rows[] = {
        { REPORT(1, "{\"version\":1,\"state\":\"downloading\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":1,\"state\":\"verifying\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":1,\"state\":\"waiting\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":1,\"state\":\"trial\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":1,\"state\":\"running\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":2,\"state\":\"running\"}"), AG_TWIN_SUCCEEDED },
        { REPORT(1, "{\"version\":2,\"sha256\":\"" SHA "\",\"state\":\"running\"}"),
          AG_TWIN_SUCCEEDED },
        { REPORT(1, "{\"version\":2,\"sha256\":\"ff\",\"state\":\"running\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":2,\"state\":\"stopped\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"version\":1,\"state\":\"rolled_back\"}"), AG_TWIN_FAILED },
        { REPORT(1, "{\"version\":1,\"state\":\"refused\"}"), AG_TWIN_FAILED },
        { REPORT(1, "{\"state\":\"failed\"}"), AG_TWIN_FAILED },
        { REPORT(1, "{\"state\":\"unheard of\"}"), AG_TWIN_WAITING },
        { REPORT(1, "{\"state\":5}"), AG_TWIN_WAITING },
        { REPORT(1, "null"), AG_TWIN_WAITING },
    };
    const struct ag_twin_goal goal = {
        .name = "b",
        .desired_version = 1,
        .version = 2,
        .sha256 = SHA,
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_twin_progress progress;
        test_note("%s", rows[i].report);
        CHECK_EQUAL(judge(rows[i].report, &goal, &progress), rows[i].verdict);
        CHECK(progress.text[0]);
    }
}

static void the_devices_error_is_handed_on_without_control_characters(void)
{
    const struct ag_twin_goal goal = { .name = "b", .desired_version = 1, .version = 2 };
    struct ag_twin_progress progress;
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":1,\"state\":\"rolled_back\",\"error\":{\"code\":1207,"
                                "\"name\":\"trap_unreachable\",\"hint\":\"a\\u001bb\"}}"),
                      &goal, &progress),
                AG_TWIN_FAILED);
    CHECK_EQUAL(progress.error_code, 1207);
    CHECK_TEXT(progress.error, "trap_unreachable");
    CHECK_TEXT(progress.hint, "ab");
}

static void a_device_without_hints_is_helped_out(void)
{
    static const struct {
        const char *error;
        const char *hint;
    } rows[] = {
        { "{\"code\":1207,\"name\":\"trap_unreachable\",\"hint\":\"its own\"}", "its own" },
        { "{\"code\":1212,\"name\":\"trap_exit\"}", "return from execute instead" },
        { "{\"code\":1212,\"name\":\"trap_exit\",\"hint\":null}", "return from execute instead" },
        { "{\"code\":1212,\"name\":\"of_a_newer_host\"}", "" },
        { "{\"code\":1999,\"name\":\"of_a_newer_host\"}", "" },
        { "{\"name\":\"ok\"}", "" },
        { "null", "" },
    };
    const struct ag_twin_goal goal = { .name = "b", .desired_version = 1, .version = 2 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char report[512];
        struct ag_twin_progress progress;
        test_note("%s", rows[i].error);
        snprintf(report, sizeof report,
                 REPORT(1, "{\"version\":1,\"state\":\"rolled_back\",\"error\":%s}"),
                 rows[i].error);
        judge(report, &goal, &progress);
        CHECK_TEXT(progress.hint, rows[i].hint);
    }
}

static void stopping_and_removing_have_goals_of_their_own(void)
{
    const struct ag_twin_goal stop = {
        .name = "b",
        .desired_version = 1,
        .version = 2,
        .stopped = true,
    };
    const struct ag_twin_goal removal = { .name = "b", .desired_version = 1, .removed = true };
    struct ag_twin_progress progress;
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":2,\"state\":\"stopped\"}"), &stop, &progress),
                AG_TWIN_SUCCEEDED);
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":2,\"state\":\"running\"}"), &stop, &progress),
                AG_TWIN_WAITING);
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":2,\"state\":\"running\"}"), &removal, &progress),
                AG_TWIN_WAITING);
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":2,\"state\":\"failed\",\"error\":{\"code\":1207,"
                                "\"name\":\"trap_unreachable\"}}"),
                      &removal, &progress),
                AG_TWIN_WAITING);
    CHECK_TEXT(progress.text, "b is still on the device");
    CHECK_TEXT(progress.error, ""); // why it failed is not why it stays
    CHECK_EQUAL(judge(REPORT(1, "{\"version\":2,\"state\":\"removing\"}"), &removal, &progress),
                AG_TWIN_WAITING);
    CHECK_TEXT(progress.text, "b is being removed");
    CHECK_EQUAL(judge("{\"airgraft\":{\"desiredVersion\":1}}", &removal, &progress),
                AG_TWIN_SUCCEEDED);
}

#define TOO_MANY "\"error\":{\"code\":1408,\"name\":\"twin_too_many\",\"hint\":\"fewer\"}"

static void who_waits_in_vain_is_told_what_is_wrong_with_the_desired_section(void)
{
    static const char refused[] = "{\"airgraft\":{\"desiredVersion\":1,\"refusedEntries\":"
                                  "{\"count\":1,\"first\":8," TOO_MANY "}},"
                                  "\"firmware_modules\":{\"a\":{\"version\":1,"
                                  "\"state\":\"running\"}}}";
    static const char broken[] =
        "{\"airgraft\":{\"desiredVersion\":1,\"refusedEntries\":null," TOO_MANY "}}";
    const struct ag_twin_goal missing = { .name = "b", .desired_version = 1, .version = 2 };
    const struct ag_twin_goal removal = { .name = "a", .desired_version = 1, .removed = true };
    const struct ag_twin_goal running = { .name = "a", .desired_version = 1, .version = 2 };
    struct ag_twin_progress progress;
    CHECK_EQUAL(judge(refused, &missing, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(progress.error_code, 1408);
    CHECK_TEXT(progress.error, "twin_too_many");
    CHECK_TEXT(progress.hint, "fewer");
    CHECK_EQUAL(judge(refused, &removal, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(progress.error_code, 1408);
    CHECK_EQUAL(judge(refused, &running, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(progress.error_code, 0); // its own report tells how it goes on
    CHECK_EQUAL(judge(broken, &missing, &progress), AG_TWIN_WAITING);
    CHECK_EQUAL(progress.error_code, 1408);
}

static void the_outcome_of_a_trust_store_object_is_judged(void)
{
    static const struct {
        const char *reported;
        enum ag_twin_verdict verdict;
        const char *text;
        int64_t code;
    } rows[] = {
        { "null", AG_TWIN_WAITING, "the device has not reported yet", 0 },
        { "{\"airgraft\":{\"desiredVersion\":6,\"trust\":{\"epoch\":2,\"state\":\"running\"}}}",
          AG_TWIN_WAITING, "the device has not taken it up yet", 0 },
        { "{\"airgraft\":{\"desiredVersion\":7}}", AG_TWIN_WAITING,
          "the device says nothing of its trust store object yet", 0 },
        { "{\"airgraft\":{\"desiredVersion\":7,\"trust\":{\"epoch\":1,\"state\":\"running\"}}}",
          AG_TWIN_WAITING, "the device says nothing of its trust store object yet", 0 },
        { "{\"airgraft\":{\"desiredVersion\":7,\"trust\":{\"epoch\":1,\"state\":\"trial\"}}}",
          AG_TWIN_WAITING, "trust store object of epoch 2 is on trial", 0 },
        { "{\"airgraft\":{\"desiredVersion\":8,\"trust\":{\"epoch\":2,\"state\":\"running\"}}}",
          AG_TWIN_SUCCEEDED, "trust store object of epoch 2 is in use", 0 },
        { "{\"airgraft\":{\"desiredVersion\":7,\"trust\":{\"epoch\":1,\"state\":\"rolled_back\","
          "\"error\":{\"code\":1324,\"name\":\"trust_unreachable\"}}}}",
          AG_TWIN_FAILED, "trust store object of epoch 2 was rolled back", 1324 },
        { "{\"airgraft\":{\"desiredVersion\":7,\"trust\":{\"epoch\":1,\"state\":5}}}",
          AG_TWIN_WAITING, "the device says nothing of its trust store object yet", 0 },
    };
    const struct ag_twin_trust_goal goal = { .desired_version = 7, .epoch = 2 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_twin_progress progress;
        json_t *reported = json_loads(rows[i].reported, JSON_DECODE_ANY, NULL);
        test_note("%s", rows[i].reported);
        CHECK(reported != NULL);
        CHECK_EQUAL(ag_twin_edit_judge_trust(reported, &goal, &progress), rows[i].verdict);
        CHECK_TEXT(progress.text, rows[i].text);
        CHECK_EQUAL(progress.error_code, rows[i].code);
        json_decref(reported);
    }
}

static const struct test_case cases[] = {
    TEST(names_become_keys_and_come_back),
    TEST(a_new_plug_in_is_one_entry_by_name),
    TEST(a_new_version_keeps_what_is_not_given_and_takes_away_allow_downgrade),
    TEST(settings_replace_the_old_ones_at_every_depth),
    TEST(a_window_and_a_trial_are_replaced_whole_and_taken_away_by_null),
    TEST(switching_off_and_on_again),
    TEST(removal_is_a_null_under_the_key_that_is_there),
    TEST(a_list_becomes_an_object_of_all_its_entries),
    TEST(what_cannot_be_kept_is_refused),
    TEST(nothing_is_believed_before_the_device_has_seen_the_desired_version),
    TEST(each_state_has_its_verdict),
    TEST(the_devices_error_is_handed_on_without_control_characters),
    TEST(a_device_without_hints_is_helped_out),
    TEST(stopping_and_removing_have_goals_of_their_own),
    TEST(who_waits_in_vain_is_told_what_is_wrong_with_the_desired_section),
    TEST(the_outcome_of_a_trust_store_object_is_judged),
};
TEST_MAIN(cases)
