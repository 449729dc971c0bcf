// SPDX-License-Identifier: Apache-2.0
// Desired sections that are wrong: what is wrong is reported, nothing is lost, the rest goes on.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/host/world.h"
#include "test/unit/host/world_net.h"

#define BLINKY                                                                                     \
    "{\"Name\":\"blinky\",\"Version\":10,\"Url\":\"https://files.example/blinky-10.wasm\"}"
#define OTHER "{\"Name\":\"other\",\"Version\":1,\"Url\":\"https://files.example/other-1.wasm\"}"

static void open_running_world(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire("[" BLINKY "]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
}

static json_t *host_report(const char *key)
{
    return json_object_get(json_object_get(world.hub.reported, "airgraft"), key);
}

static uint32_t host_error(void)
{
    return (uint32_t)json_integer_value(json_object_get(host_report("error"), "code"));
}

static void check_that_blinky_goes_on(void)
{
    uint32_t writes = board.writes[0];
    uint32_t requests = world.requests;
    world_run(60000);
    CHECK(board.writes[0] >= writes + 590);
    CHECK_EQUAL(world.requests, requests);
    CHECK_EQUAL(world_version("blinky"), 10);
}

// Sends the raw desired section, as a patch and in answer to reads, with its version in place of
// the @, and lets it sink in.
static void desire_raw(const char *pattern)
{
    char text[1024];
    size_t before = strcspn(pattern, "@");
    snprintf(text, sizeof text, "%.*s%" PRIu64 "%s", (int)before, pattern, world.hub.version + 1,
             pattern + before + 1);
    world_desire_raw(text);
    world_run(10000);
}

static void what_is_not_json_changes_nothing_and_is_reported(void)
{
    static const char *const texts[] = {
        "nonsense @", "{\"firmware_modules\":[],@", "{\"firmware_modules\":[}@",
        "@[]",        "{\"a\":\"\\u12@\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        open_running_world();
        desire_raw(texts[i]);
        CHECK_EQUAL(host_error(), AG_ERR_TWIN_JSON);
        check_that_blinky_goes_on();
        world_close();
    }
}

static void modules_of_a_wrong_type_change_nothing_and_are_reported(void)
{
    static const char *const values[] = { "1", "true", "\"[]\"", "-1.5e3" };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[96];
        test_note("%s", values[i]);
        open_running_world();
        snprintf(text, sizeof text, "{\"firmware_modules\":%s,\"$version\":@}", values[i]);
        desire_raw(text);
        CHECK_EQUAL(host_error(), AG_ERR_TWIN_TYPE);
        check_that_blinky_goes_on();
        desire_raw("{\"firmware_modules\":[" BLINKY "],\"$version\":@}");
        CHECK_EQUAL(host_error(), 0);
        world_close();
    }
}

static void missing_or_null_modules_change_nothing(void)
{
    open_running_world();
    desire_raw("{\"$version\":@}");
    check_that_blinky_goes_on();
    desire_raw("{\"firmware_modules\":null,\"$version\":@}");
    CHECK_EQUAL(host_error(), 0);
    check_that_blinky_goes_on();
    world_reset();
    world_run(10000);
    check_that_blinky_goes_on();
    world_close();
}

// One odd entry for blinky, a good one for its neighbour: the one is refused, the other installed.
static void expect_entry(const char *entry, uint32_t code)
{
    char text[6000];
    test_note("%.60s", entry);
    open_running_world();
    snprintf(text, sizeof text, "[%s," OTHER "]", entry);
    world_desire(text);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), code);
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_TEXT(world_state("other"), "running");
    check_that_blinky_goes_on();
    world_close();
}

static void an_entry_with_wrong_members_is_refused_by_itself(void)
{
    expect_entry("{'Name':'blinky','Url':'https://files.example/b.wasm'}", AG_ERR_TWIN_ENTRY);
    expect_entry("{'Name':'blinky','Version':0,'Url':'https://a/b'}", AG_ERR_TWIN_VERSION);
    expect_entry("{'Name':'blinky','Version':-1,'Url':'https://a/b'}", AG_ERR_TWIN_VERSION);
    expect_entry("{'Name':'blinky','Version':11.5,'Url':'https://a/b'}", AG_ERR_TWIN_VERSION);
    expect_entry("{'Name':'blinky','Version':4294967296,'Url':'https://a/b'}", AG_ERR_TWIN_VERSION);
    expect_entry("{'Name':'blinky','Version':11}", AG_ERR_TWIN_ENTRY);
    expect_entry("{'Name':'blinky','Version':11,'Url':7}", AG_ERR_TWIN_URL);
    expect_entry("{'Name':'blinky','Version':11,'Url':'http://a/b'}", AG_ERR_TWIN_URL);
    expect_entry("{'Name':'blinky','Version':11,'Url':'https://u:p@a/b'}", AG_ERR_TWIN_URL);
    expect_entry("{'Name':'blinky','Version':11,'Url':'https://a/b','Sha256':'12'}",
                 AG_ERR_TWIN_MEMBER);
    expect_entry("{'Name':'blinky','Version':11,'Url':'https://a/b','PeriodMs':'x'}",
                 AG_ERR_TWIN_MEMBER);
    expect_entry("{'Name':'blinky','Version':11,'Url':'https://a/b','Settings':[1]}",
                 AG_ERR_TWIN_MEMBER);
    expect_entry("{'Name':'blinky','Version':11,'Url':'https://a/b','Enabled':1}",
                 AG_ERR_TWIN_MEMBER);
}

static void a_url_of_4_kb_is_refused(void)
{
    char entry[4400];
    char url[4097];
    memset(url, 'a', sizeof url - 1);
    url[sizeof url - 1] = 0;
    memcpy(url, "https://files.example/", 22);
    snprintf(entry, sizeof entry, "{'Name':'blinky','Version':11,'Url':'%s'}", url);
    expect_entry(entry, AG_ERR_TWIN_URL);
}

// Entries that cannot be told by a name are counted, and nothing is removed while there are any:
// what they meant to name may be what is installed.
static void expect_stray(const char *entry, uint32_t code)
{
    char text[512];
    test_note("%s", entry);
    open_running_world();
    snprintf(text, sizeof text, "[" OTHER ",%s]", entry);
    world_desire(text);
    CHECK(world_settle(60000));
    json_t *refused = host_report("refusedEntries");
    CHECK_EQUAL(json_integer_value(json_object_get(refused, "count")), 1);
    CHECK_EQUAL(json_integer_value(json_object_get(refused, "first")), 1);
    CHECK_EQUAL(json_integer_value(json_object_get(json_object_get(refused, "error"), "code")),
                code);
    CHECK_TEXT(world_state("other"), "running");
    check_that_blinky_goes_on();
    world_desire("[" BLINKY "," OTHER "]");
    CHECK(world_settle(60000));
    CHECK(host_report("refusedEntries") == NULL);
    world_close();
}

static void an_entry_without_a_usable_name_is_counted_and_nothing_is_removed(void)
{
    expect_stray("7", AG_ERR_TWIN_ENTRY);
    expect_stray("['blinky']", AG_ERR_TWIN_ENTRY);
    expect_stray("{'Version':10,'Url':'https://a/b'}", AG_ERR_TWIN_NAME);
    expect_stray("{'Name':'','Version':10,'Url':'https://a/b'}", AG_ERR_TWIN_NAME);
    expect_stray("{'Name':'123456789012345678901234567890123','Version':10,'Url':'https://a/b'}",
                 AG_ERR_TWIN_NAME);
    expect_stray("{'Name':'a\\u0007b','Version':10,'Url':'https://a/b'}", AG_ERR_TWIN_NAME);
}

static void of_two_entries_with_one_name_the_first_counts(void)
{
    open_running_world();
    world_desire("[" BLINKY ",{'Name':'blinky','Version':99,'Url':'https://a/b'}]");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    json_t *error = json_object_get(host_report("refusedEntries"), "error");
    CHECK_EQUAL(json_integer_value(json_object_get(error, "code")), AG_ERR_TWIN_DUPLICATE);
    check_that_blinky_goes_on();
    world_close();
}

static void of_forty_modules_the_first_ones_count(void)
{
    char text[8192] = "[" BLINKY;
    open_running_world();
    for (int i = 0; i < 39; i++) {
        char entry[128];
        snprintf(entry, sizeof entry, ",{'Name':'m%d','Version':1,'Url':'https://files.example/m'}",
                 i);
        strcat(text, entry);
    }
    strcat(text, "]");
    world.config.desired_size = 16384;
    world_reset();
    world.http_code = 410;
    world_desire(text);
    world_run(60000);
    json_t *refused = host_report("refusedEntries");
    CHECK_EQUAL(json_integer_value(json_object_get(refused, "count")), 40 - AG_CFG_PLUGIN_MAX);
    CHECK_EQUAL(json_integer_value(json_object_get(json_object_get(refused, "error"), "code")),
                AG_ERR_TWIN_TOO_MANY);
    CHECK_EQUAL(json_object_size(json_object_get(world.hub.reported, "firmware_modules")),
                AG_CFG_PLUGIN_MAX);
    CHECK_EQUAL(world_error("m7"), AG_ERR_HTTP_NOT_FOUND);
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void entries_that_need_more_ram_than_there_is_are_refused_by_themselves(void)
{
    open_running_world();
    world.config.desired_size = 60;
    world_reset();
    world_desire("[" BLINKY "," OTHER "]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("other"), AG_ERR_TWIN_SPACE);
    CHECK_TEXT(world_state("blinky"), "running");
    check_that_blinky_goes_on();
    world_close();
}

static void names_with_dots_and_blanks_are_escaped_both_ways(void)
{
    world_open();
    world_publish("odd.wasm", &(struct module){ .name = "a.b c$d#e%f", .version = 1 });
    world_desire("{'a%2Eb%20c%24d%23e%25f':{'Version':1,'Url':'https://files.example/odd.wasm'}}");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("a%2Eb%20c%24d%23e%25f"), "running");
    world_desire("[{'Name':'a.b c$d#e%f','Version':1,'Url':'https://files.example/odd.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.requests, 1);
    world_desire("[]");
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("a%2Eb%20c%24d%23e%25f"));
    world_close();
}

static void a_refused_entry_leaves_the_settings_of_what_is_installed(void)
{
    world_open();
    world_publish("probe-1.wasm",
                  &(struct module){ .name = "probe", .version = 1, .behaviour = MODULE_REPORTS });
    world_desire("[{'Name':'probe','Version':1,'Url':'https://files.example/probe-1.wasm',"
                 "'Settings':{'x':1}}]");
    world_boot();
    world_run(10000);
    CHECK(board.levels[0]);
    world_desire("[{'Name':'probe','Version':'?','Url':'https://files.example/probe-1.wasm'}]");
    world_run(10000);
    CHECK_EQUAL(world_error("probe"), AG_ERR_TWIN_VERSION);
    CHECK(board.levels[0]);
    world_close();
}

static void names_reported_in_a_former_life_are_taken_back(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    json_t *ghost = json_pack("{s:{s:{s:i},s:{s:i}}}", "firmware_modules", "ghost", "version", 3,
                              "g%2Eh", "version", 4);
    json_object_update(world.hub.reported, ghost);
    json_decref(ghost);
    world_desire("[" BLINKY "]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("ghost"));
    CHECK(!world_is_reported("g%2Eh"));
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void a_patch_that_was_missed_is_made_up_for_by_a_full_read(void)
{
    open_running_world();
    uint32_t gets = world.hub.gets;
    world.hub.version += 3; // patches that never arrived
    world_desire("[" BLINKY "," OTHER "]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.hub.gets, gets + 1);
    CHECK_TEXT(world_state("other"), "running");
    world_close();
}

static void a_patch_that_is_told_twice_or_late_costs_nothing(void)
{
    open_running_world();
    uint32_t gets = world.hub.gets;
    world_desire("[" BLINKY "," OTHER "]");
    CHECK(world_settle(60000));
    for (int late = 0; late < 2; late++) {
        world_net_publish(late ? "$iothub/twin/PATCH/properties/desired/?$version=2"
                               : "$iothub/twin/PATCH/properties/desired/?$version=3",
                          "{\"firmware_modules\":[]}");
        world_run(10000);
        CHECK_TEXT(world_state("other"), "running");
        CHECK_TEXT(world_state("blinky"), "running");
    }
    CHECK_EQUAL(world.hub.gets, gets);
    world_close();
}

static void a_truncated_document_of_any_length_changes_nothing(void)
{
    char *text;
    const char whole[] = "{\"firmware_modules\":[" OTHER "],\"$version\":";
    open_running_world();
    for (size_t size = 1; size < sizeof whole - 1; size += 3) {
        test_note("%zu bytes", size);
        text = strndup(whole, size);
        world_desire_raw(text);
        free(text);
        world_run(200);
        CHECK_EQUAL(world_version("blinky"), 10);
        CHECK_EQUAL(board_log_count("other"), 0);
    }
    world_close();
}

static void a_name_that_was_only_ever_disabled_goes_from_the_report_with_its_entry(void)
{
    world_open();
    world_desire("[{'Name':'blinky','Version':1,'Enabled':false,"
                 "'Url':'https://files.example/blinky-1.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "stopped");
    world_desire("[]");
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("blinky"));
    world_close();
}

static void a_patch_that_overtakes_an_older_document_is_not_lost(void)
{
    open_running_world();
    CHECK(world_settle(60000));
    world.hub.ignores_gets = true;
    world_kick();
    uint32_t gets = world.hub.gets;
    for (int i = 0; i < 100 && world.hub.gets == gets; i++)
        world_run(100);
    CHECK_EQUAL(world.hub.gets, gets + 1);
    world_desire("["
                 "{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm'}"
                 ",{'Name':'other','Version':1,"
                 "'Url':'https://files.example/other-1.wasm'}]");
    world_run(100);
    char topic[64];
    char document[512];
    snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%u", (unsigned)world.hub.last_get);
    snprintf(document, sizeof document,
             "{\"desired\":{\"firmware_modules\":[" BLINKY "],\"$version\":%" PRIu64
             "},\"reported\":{}}",
             world.hub.version - 1);
    world.hub.ignores_gets = false;
    world_net_publish(topic, document);
    world_run(5000);
    CHECK_TEXT(world_state("other"), "running");
    world_close();
}

// Nothing is removed before a trial is over; until then its pause must not keep the device awake.
static void a_name_that_goes_while_its_fetch_is_paused_lets_the_device_sleep(void)
{
    open_running_world();
    world.config.trial_time_ms = 60000;
    world_reset();
    world_desire("[{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'},"
                 "{'Name':'late','Version':1,'Url':'https://files.example/late-1.wasm'}]");
    world_run(5000);
    CHECK_TEXT(world_state("late"), "waiting");
    world_desire("[{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    world_run(20000);
    CHECK_TEXT(world_state("other"), "trial");
    uint32_t wait_ms = 0;
    for (int i = 0; i < 10; i++)
        wait_ms += ag_host_step(world.host, board.now_ms);
    CHECK(wait_ms > 0);
    CHECK(world_settle(120000));
    CHECK(!world_is_reported("late"));
    world_close();
}

static const struct test_case cases[] = {
    TEST(what_is_not_json_changes_nothing_and_is_reported),
    TEST(modules_of_a_wrong_type_change_nothing_and_are_reported),
    TEST(missing_or_null_modules_change_nothing),
    TEST(an_entry_with_wrong_members_is_refused_by_itself),
    TEST(a_url_of_4_kb_is_refused),
    TEST(an_entry_without_a_usable_name_is_counted_and_nothing_is_removed),
    TEST(of_two_entries_with_one_name_the_first_counts),
    TEST(of_forty_modules_the_first_ones_count),
    TEST(entries_that_need_more_ram_than_there_is_are_refused_by_themselves),
    TEST(names_with_dots_and_blanks_are_escaped_both_ways),
    TEST(a_refused_entry_leaves_the_settings_of_what_is_installed),
    TEST(names_reported_in_a_former_life_are_taken_back),
    TEST(a_patch_that_was_missed_is_made_up_for_by_a_full_read),
    TEST(a_patch_that_is_told_twice_or_late_costs_nothing),
    TEST(a_truncated_document_of_any_length_changes_nothing),
    TEST(a_name_that_was_only_ever_disabled_goes_from_the_report_with_its_entry),
    TEST(a_patch_that_overtakes_an_older_document_is_not_lost),
    TEST(a_name_that_goes_while_its_fetch_is_paused_lets_the_device_sleep),
};
TEST_MAIN(cases)
