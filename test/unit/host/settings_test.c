// SPDX-License-Identifier: Apache-2.0
// Settings and schemas: what a version's schema refuses it never sees, the settings before stay in
// force, and the report says which member is wrong.
#include <stdio.h>
#include <string.h>

#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

// x: integer from 0 to 1, and nothing else.
static const char x_schema[] = "\1\1\1x\x32\0\1";
// The same, with a default of 1.
static const char default_schema[] = "\1\1\1x\xB2\0\1\1";
// y: integer, required; others are welcome.
static const char y_schema[] = "\1\0\1y\x0A";

static const struct module x_1 = { .name = "p",
                                   .version = 1,
                                   .behaviour = MODULE_REPORTS,
                                   .schema = x_schema,
                                   .schema_size = sizeof x_schema - 1 };

static void publish(uint32_t version, const char *schema, size_t size,
                    enum module_behaviour behaviour)
{
    char path[32];
    const struct module module = { .name = "p",
                                   .version = version,
                                   .behaviour = behaviour,
                                   .argument = 2, // the run that traps
                                   .schema = schema,
                                   .schema_size = (uint32_t)size };
    snprintf(path, sizeof path, "p-%u.wasm", (unsigned)version);
    world_publish(path, &module);
}

static void desire(uint32_t version, const char *settings)
{
    char text[256];
    snprintf(text, sizeof text,
             "[{'Name':'p','Version':%u,'Url':'https://files.example/p-%u.wasm','Settings':%s}]",
             (unsigned)version, (unsigned)version, settings);
    world_desire(text);
    world_run(5000);
}

static const char *reason(void)
{
    const json_t *error = json_object_get(world_reported("p"), "error");
    const char *text = json_string_value(json_object_get(error, "reason"));
    return text ? text : "";
}

// Version 1 runs with these settings; its pin is what x is.
static void open_with(const char *settings)
{
    world_open();
    world_publish("p-1.wasm", &x_1);
    world_boot();
    desire(1, settings);
    CHECK_TEXT(world_state("p"), "running");
}

static void settings_that_the_schema_accepts_reach_the_plug_in(void)
{
    open_with("{'x':1}");
    CHECK(board.levels[0]);
    desire(1, "{'x':0}");
    CHECK_TEXT(world_state("p"), "running");
    CHECK(!board.levels[0]);
    world_close();
}

static void wrong_settings_are_refused_by_name_and_those_before_stay_in_force(void)
{
    open_with("{'x':1}");
    desire(1, "{'x':2}");
    CHECK_TEXT(world_state("p"), "refused");
    CHECK_EQUAL(world_error("p"), AG_ERR_SETTINGS_SCHEMA);
    CHECK_TEXT(reason(), "x is too large");
    CHECK_EQUAL(world_version("p"), 1);
    CHECK(board.levels[0]);
    desire(1, "{'x':1,'z':0}"); // wrong in another way
    CHECK_TEXT(world_state("p"), "refused");
    CHECK(board.levels[0]);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(1000);
    CHECK(board.levels[0]); // on its own, too
    world.hub_pipe.open_fails = AG_OK;
    world_run(5000);
    CHECK_TEXT(world_state("p"), "refused");
    desire(1, "{'x':0}");
    CHECK_TEXT(world_state("p"), "running");
    CHECK_EQUAL(world_error("p"), 0);
    CHECK(!board.levels[0]);
    world_close();
}

static void a_first_install_with_wrong_settings_is_refused_by_the_head(void)
{
    world_open();
    publish(1, x_schema, sizeof x_schema - 1, MODULE_REPORTS);
    world_publish("p-2.wasm", &(struct module){ .name = "p",
                                                .version = 2,
                                                .behaviour = MODULE_LARGE,
                                                .argument = 30000,
                                                .schema = x_schema,
                                                .schema_size = sizeof x_schema - 1 });
    world_boot();
    desire(2, "{'x':true}");
    CHECK_TEXT(world_state("p"), "refused");
    CHECK_EQUAL(world_error("p"), AG_ERR_SETTINGS_SCHEMA);
    CHECK_TEXT(reason(), "x is not a whole number");
    CHECK(world.file_pipe.delivered < 10000); // of 30,000
    desire(2, "{'x':1}");
    CHECK_TEXT(world_state("p"), "running");
    CHECK_EQUAL(world_version("p"), 2);
    world_close();
}

static void an_update_with_settings_that_only_the_new_version_accepts_goes_through(void)
{
    open_with("{'x':1}");
    publish(2, y_schema, sizeof y_schema - 1, MODULE_REPORTS);
    desire(2, "{'x':1}");
    CHECK_EQUAL(world_error("p"), AG_ERR_SETTINGS_SCHEMA);
    CHECK_TEXT(reason(), "y is missing");
    CHECK_EQUAL(world_version("p"), 1);
    desire(2, "{'x':0,'y':5}");
    CHECK_TEXT(world_state("p"), "running");
    CHECK_EQUAL(world_version("p"), 2);
    CHECK(!board.levels[0]);
    world_close();
}

static void a_version_that_waits_for_the_new_one_keeps_its_settings(void)
{
    open_with("{'x':1}");
    publish(2, y_schema, sizeof y_schema - 1, MODULE_REPORTS);
    world.http_code = 503;
    desire(2, "{'y':5}");
    CHECK_TEXT(world_state("p"), "waiting");
    CHECK(board.levels[0]);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(1000);
    CHECK(board.levels[0]);
    world.hub_pipe.open_fails = AG_OK;
    world_run(5000);
    CHECK(board.levels[0]);
    world.http_code = 0;
    world_run(120000);
    CHECK_EQUAL(world_version("p"), 2);
    CHECK(!board.levels[0]);
    world_close();
}

static void after_a_rollback_the_version_before_has_its_own_settings(void)
{
    open_with("{'x':1}");
    publish(2, y_schema, sizeof y_schema - 1, MODULE_TRAPS_LATER);
    desire(2, "{'y':5}");
    CHECK_TEXT(world_state("p"), "rolled_back");
    CHECK_EQUAL(world_version("p"), 1);
    CHECK(board.levels[0]);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(1000);
    CHECK(board.levels[0]); // these are what the store remembers
    world.hub_pipe.open_fails = AG_OK;
    world_run(5000);
    CHECK(board.levels[0]);
    world_close();
}

static void after_a_fallback_a_version_starts_without_settings_that_are_not_its_own(void)
{
    struct ag_store store;
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    open_with("{'x':1}");
    publish(2, y_schema, sizeof y_schema - 1, MODULE_REPORTS);
    desire(2, "{'x':1,'y':5}");
    CHECK_EQUAL(world_version("p"), 2);
    CHECK(board.levels[0]);
    world_power_off();
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "p", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(ag_store_open_file(&store, slot.id, &bytes, &size), AG_OK);
    sim_flash_flip(&world.flash, (uint32_t)(bytes - world.flash.flash.base + 60) * 8);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(1000);
    CHECK(!board.levels[0]); // y is no setting of version 1: it has none
    CHECK(board_logged("runs without its settings"));
    world.http_code = 503; // 2 is fetched again, and cannot be as yet
    world.hub_pipe.open_fails = AG_OK;
    world_run(5000);
    CHECK_EQUAL(world_version("p"), 1);
    CHECK(!board.levels[0]); // nor does it see them when the twin is read
    world.http_code = 0;
    world_run(120000);
    CHECK_EQUAL(world_version("p"), 2);
    CHECK(board.levels[0]);
    world_close();
}

static void what_the_settings_lack_comes_from_the_schema(void)
{
    world_open();
    publish(1, default_schema, sizeof default_schema - 1, MODULE_REPORTS);
    world_boot();
    desire(1, "{}");
    CHECK_TEXT(world_state("p"), "running");
    CHECK(board.levels[0]);
    desire(1, "{'x':0}");
    CHECK(!board.levels[0]);
    world_close();
}

// The settings change while the file is on its way: its head has been judged with the old ones.
static void open_with_a_download_that_stalls(void)
{
    world_open();
    world_publish("p-1.wasm", &(struct module){ .name = "p",
                                                .version = 1,
                                                .behaviour = MODULE_LARGE,
                                                .argument = 60000,
                                                .schema = x_schema,
                                                .schema_size = sizeof x_schema - 1 });
    world_boot();
    world.file_pipe.stall_after = 8000;
    world_desire("[{'Name':'p','Version':1,'Url':'https://files.example/p-1.wasm',"
                 "'Settings':{'x':1}}]");
    world_run(3000);
    CHECK_TEXT(world_state("p"), "downloading");
    world.file_pipe.stall_after = 0;
    world.file_pipe.is_stalled = false;
}

static void settings_that_change_during_a_download_are_judged_again(void)
{
    open_with_a_download_that_stalls();
    desire(1, "{'x':2}");
    CHECK_TEXT(world_state("p"), "refused");
    CHECK_TEXT(reason(), "x is too large");
    world_close();
}

static void settings_that_fit_too_cost_a_download_nothing(void)
{
    open_with_a_download_that_stalls();
    uint32_t requests = world.requests;
    uint32_t sent = world.file_bytes_sent;
    desire(1, "{'x':0}");
    world_run(10000);
    CHECK_TEXT(world_state("p"), "running");
    CHECK_EQUAL(world.requests, requests);
    CHECK_EQUAL(world.file_bytes_sent, sent);
    world_close();
}

static const struct test_case cases[] = {
    TEST(settings_that_the_schema_accepts_reach_the_plug_in),
    TEST(wrong_settings_are_refused_by_name_and_those_before_stay_in_force),
    TEST(a_first_install_with_wrong_settings_is_refused_by_the_head),
    TEST(an_update_with_settings_that_only_the_new_version_accepts_goes_through),
    TEST(a_version_that_waits_for_the_new_one_keeps_its_settings),
    TEST(after_a_rollback_the_version_before_has_its_own_settings),
    TEST(after_a_fallback_a_version_starts_without_settings_that_are_not_its_own),
    TEST(what_the_settings_lack_comes_from_the_schema),
    TEST(settings_that_change_during_a_download_are_judged_again),
    TEST(settings_that_fit_too_cost_a_download_nothing),
};
TEST_MAIN(cases)
