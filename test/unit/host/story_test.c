// SPDX-License-Identifier: Apache-2.0
// The main job from end to end, in one process: install, update, roll back, restart, remove.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

static void publish_blinky(void)
{
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11 });
    world_publish("blinky-12.wasm", &(struct module){ .name = "blinky",
                                                      .version = 12,
                                                      .behaviour = MODULE_TRAPS_LATER,
                                                      .argument = 3 });
}

static void a_device_provisions_itself_and_installs_what_its_twin_desires(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.hub.registrations, 1);
    CHECK_TEXT(world.hub_pipe.host, "hub.example");
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_EQUAL(world_error("blinky"), 0);
    CHECK_EQUAL(board.modes[0], 3);
    CHECK(board.writes[0] >= 3);
    CHECK(board_logged("host: blinky 10: downloading"));
    CHECK(board_logged("host: blinky 10: verified"));
    CHECK(board_logged("host: blinky 10: trial"));
    CHECK(board_logged("host: blinky 10: confirmed"));
    world_close();
}

static void a_newer_version_replaces_an_older_one_without_a_restart(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK(!board.levels[0]);
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK(board.levels[0]);
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(json_integer_value(json_object_get(world_reported("blinky"), "previous")), 10);
    CHECK_EQUAL(world.hub.connects, 1);
    world_close();
}

static void a_version_that_traps_in_its_third_run_is_rolled_back_and_never_tried_again(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 11);
    world_boot();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 12);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 1207);
    char line[100];
    const json_int_t place = json_integer_value(
        json_object_get(json_object_get(world_reported("blinky"), "error"), "offset"));
    snprintf(line, sizeof line,
             "host: blinky 12: rolled back to 11: trap_unreachable (1207), function 7 at byte %d",
             (int)place);
    CHECK(board_logged(line));
    uint32_t requests = world.requests;
    board.levels[0] = false;
    world_run(60000);
    CHECK(board.levels[0]);
    CHECK_EQUAL(world.requests, requests);

    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.requests, requests);
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), 1207);
    CHECK_EQUAL(json_integer_value(
                    json_object_get(json_object_get(world_reported("blinky"), "error"), "offset")),
                place); // the device no longer knows it, the twin does
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static json_t *reported_place(const char *name, const char *member)
{
    return json_object_get(json_object_get(world_reported(name), "error"), member);
}

// The opcode at the place that is reported, which must be in `execute`, as the published file has
// it.
static uint8_t opcode_at_place(const char *name, const struct world_file *file)
{
    enum {
        EXECUTE = 7
    }; // six imports and initialize stand before it
    const size_t offset = (size_t)json_integer_value(reported_place(name, "offset"));
    CHECK_EQUAL(json_integer_value(reported_place(name, "function")), EXECUTE);
    CHECK(offset > 8 && offset < file->bytes.size);
    return file->bytes.bytes[offset];
}

static void expect_place(const struct module *module, enum ag_status error, uint8_t opcode)
{
    test_note("%u", error);
    const struct world_file *file = world_publish("probe-1.wasm", module);
    world_desire_one("probe", 1);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("probe"), error);
    CHECK_EQUAL(opcode_at_place("probe", file), opcode);
    world_desire("[]");
    CHECK(world_settle(60000));
}

static void a_trap_is_reported_with_its_function_and_its_place_in_the_file(void)
{
    world_open();
    world_boot();
    expect_place(
        &(struct module){
            .name = "probe", .version = 1, .behaviour = MODULE_TRAPS_LATER, .argument = 1 },
        AG_TRAP_UNREACHABLE, 0x00);
    expect_place(
        &(struct module){ .name = "probe", .version = 1, .behaviour = MODULE_HOSTILE_POINTER },
        AG_TRAP_HOST, 0x10);
    expect_place(&(struct module){ .name = "probe", .version = 1, .behaviour = MODULE_SPINS },
                 AG_TRAP_FUEL, 0x0C);
    world_close();
}

static void a_failure_that_is_no_trap_has_no_place(void)
{
    world_open();
    publish_blinky();
    world_publish("blinky-13.wasm",
                  &(struct module){ .name = "blinky", .version = 13, .behaviour = MODULE_REFUSES });
    world_boot();
    world_desire_one("blinky", 12);
    CHECK(world_settle(60000));
    CHECK(json_is_integer(reported_place("blinky", "function")));
    CHECK(json_is_integer(reported_place("blinky", "offset")));
    world_desire_one("blinky", 13);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_INITIALIZE);
    CHECK(reported_place("blinky", "function") == NULL);
    CHECK(reported_place("blinky", "offset") == NULL);
    world_close();
}

static void without_ram_to_search_in_only_the_function_of_a_trap_is_reported(void)
{
    struct ag_host_status status;
    world_open();
    const struct world_file *file = world_publish(
        "late-1.wasm",
        &(struct module){
            .name = "late", .version = 1, .behaviour = MODULE_TRAPS_LATER, .argument = 100 });
    world_desire("[{'Name':'late','Version':1,'Url':'https://files.example/late-1.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("late"), "running");
    ag_host_status(world.host, &status);
    world_publish(
        "big-1.wasm",
        &(struct module){ .name = "big", .version = 1, .memory_size = status.memory_free - 3000 });
    world_desire("[{'Name':'late','Version':1,'Url':'https://files.example/late-1.wasm'},"
                 "{'Name':'big','Version':1,'Url':'https://files.example/big-1.wasm'}]");
    CHECK(world_settle(5000));
    CHECK_TEXT(world_state("big"), "running");
    CHECK_EQUAL(world_error("late"), 0);
    world_run(10000);
    CHECK_EQUAL(world_error("late"), AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(json_integer_value(reported_place("late", "function")), 7);
    CHECK(reported_place("late", "offset") == NULL);
    CHECK(board_logged("host: late 1: failed: trap_unreachable (1207), function 7"));
    world_desire("[{'Name':'late','Version':1,'Url':'https://files.example/late-1.wasm'}]");
    world_run(15000); // with room again, the next time says more
    CHECK_EQUAL(opcode_at_place("late", file), 0x00);
    world_close();
}

static void after_a_reset_the_confirmed_version_runs_before_there_is_a_network(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 11);
    world_boot();
    CHECK(world_settle(60000));
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(500);
    CHECK(board.levels[0]);
    CHECK(board.writes[0] > 3);
    CHECK_EQUAL(world.hub.connects, 1);
    world.hub_pipe.open_fails = AG_OK;
    CHECK(world_settle(300000));
    CHECK_EQUAL(world.hub.registrations, 1); // the assignment was remembered
    CHECK_EQUAL(world.requests, 1);
    world_close();
}

static void a_name_that_is_gone_from_the_list_is_removed_after_the_rest_is_in_place(void)
{
    world_open();
    publish_blinky();
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world_desire_one("other", 1);
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("blinky"));
    CHECK_TEXT(world_state("other"), "running");
    CHECK_EQUAL(board.modes[0], 0); // its pin is an input again
    CHECK_EQUAL(board.modes[1], 3);
    const char *confirmed = strstr(board.log, "other 1: confirmed");
    const char *removed = strstr(board.log, "blinky 10: removed");
    CHECK(confirmed && removed && confirmed < removed);
    world_desire("[]");
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("other"));
    world_reset();
    CHECK(world_settle(60000));
    CHECK(!world_is_reported("other"));
    world_close();
}

static void the_same_desired_state_twice_changes_nothing(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    uint32_t operations = world.flash.operations;
    uint32_t requests = world.requests;
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.flash.operations, operations);
    CHECK_EQUAL(world.requests, requests);
    world_close();
}

static void the_object_form_works_like_the_list(void)
{
    world_open();
    publish_blinky();
    world_desire("{'blinky':{'Version':10,'Url':'https://files.example/blinky-10.wasm'}}");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 10);
    world_desire("{'blinky':{'Version':11,'Url':'https://files.example/blinky-11.wasm'}}");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void a_plug_in_that_is_not_enabled_is_stopped_and_kept(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 11);
    world_boot();
    CHECK(world_settle(60000));
    world_desire("[{'Name':'blinky','Version':11,'Enabled':false,"
                 "'Url':'https://files.example/blinky-11.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "stopped");
    uint32_t writes = board.writes[0];
    world_run(5000);
    CHECK_EQUAL(board.writes[0], writes);
    world_reset();
    world_run(5000);
    CHECK_EQUAL(board.writes[0], writes); // also after a reset
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK(board.writes[0] > writes);
    CHECK_EQUAL(world.requests, 1);
    world_close();
}

// The next version may be long in coming: what is there runs meanwhile, also after a reset.
static void one_that_is_enabled_again_starts_by_itself_from_then_on(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world_desire("[{'Name':'blinky','Version':10,'Enabled':false,"
                 "'Url':'https://files.example/blinky-10.wasm'}]");
    CHECK(world_settle(60000));
    world.http_code = 503;
    world_desire_one("blinky", 11);
    world_run(5000);
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_TEXT(world_state("blinky"), "waiting");
    world.hub_pipe.open_fails = AG_ERR_DNS;
    world_reset();
    uint32_t writes = board.writes[0];
    world_run(5000);
    CHECK(board.writes[0] > writes);
    world_close();
}

// As a host that was cut off before it had stored that the plug-in is enabled again has left it:
// one version stopped, another staged.
static void what_stays_stopped_while_a_staged_version_is_dropped_is_not_called_running(void)
{
    static struct ag_store store;
    const uint8_t disabled[14] = { 1, 1 }; // FORMATS 3, desired
    world_open();
    publish_blinky();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm',"
                 "'Window':{'From':'02:00','To':'03:00'}}]");
    world_run(5000);
    CHECK(board_logged("blinky 11: verified"));
    world_power_off();
    CHECK_EQUAL(ag_store_mount(&store, &world.wire), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_DESIRED, "blinky", disabled, sizeof disabled), AG_OK);
    world_publish("other-1.wasm", &(struct module){ .name = "other",
                                                    .version = 1,
                                                    .behaviour = MODULE_LARGE,
                                                    .argument = 20000 });
    world.file_pipe.bytes_per_ms = 1;
    world_desire_one("other", 1);
    world_boot();
    world_run(5000); // it goes when other is there
    CHECK(board_logged("blinky 11: superseded"));
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_TEXT(world_state("blinky"), "stopped");
    world_close();
}

static void an_older_version_needs_leave(void)
{
    world_open();
    publish_blinky();
    world_desire_one("blinky", 11);
    world_boot();
    CHECK(world_settle(60000));
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), 1411);
    CHECK_EQUAL(world_version("blinky"), 11);
    world_desire("[{'Name':'blinky','Version':10,'AllowDowngrade':true,"
                 "'Url':'https://files.example/blinky-10.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_EQUAL(world_error("blinky"), 0);
    world_close();
}

static void a_newer_desired_state_supersedes_one_in_progress(void)
{
    world_open();
    publish_blinky();
    world_publish("blinky-20.wasm", &(struct module){ .name = "blinky",
                                                      .version = 20,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 20000 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world.file_pipe.cut_after = 100;
    world_desire_one("blinky", 20);
    CHECK(!world_settle(3000));
    world.file_pipe.cut_after = 0;
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_error("blinky"), 0);
    world_close();
}

static void a_name_that_goes_before_it_had_its_turn_leaves_its_place(void)
{
    struct ag_host_status status;
    world_open();
    publish_blinky();
    world.config.download_spread_ms = 60000; // so long may blinky keep the others waiting
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(120000));
    world_desire("[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    world_run(10);
    ag_host_status(world.host, &status);
    CHECK_EQUAL(status.plugin_count, 2);
    world_desire_one("blinky", 11);
    CHECK(world_settle(120000));
    ag_host_status(world.host, &status);
    CHECK_EQUAL(status.plugin_count, 1);
    world_close();
}

static void settings_periods_and_reports_of_a_plug_in_reach_their_places(void)
{
    world_open();
    world_publish("probe-1.wasm",
                  &(struct module){ .name = "probe", .version = 1, .behaviour = MODULE_REPORTS });
    world_desire("[{'Name':'probe','Version':1,'Url':'https://files.example/probe-1.wasm',"
                 "'Settings':{'y':[1],'x':1},'PeriodMs':500}]");
    world_boot();
    world_run(10000);
    CHECK(board.levels[0]);
    CHECK(board.writes[0] >= 15 && board.writes[0] <= 21);
    json_t *properties = json_object_get(world_reported("probe"), "properties");
    CHECK(json_integer_value(json_object_get(properties, "n")) >= 10);
    CHECK(world.hub.telemetry_count >= 10);
    CHECK_TEXT(world.hub.telemetry, "{\"a\":1}");
    CHECK(strstr(world.hub.telemetry_topic, "plugin=probe") != NULL);
    CHECK(world.hub.reports < 25);
    world_desire("[{'Name':'probe','Version':1,'Url':'https://files.example/probe-1.wasm',"
                 "'Settings':{'x':0},'PeriodMs':500}]");
    world_run(2000);
    CHECK(!board.levels[0]);
    CHECK_EQUAL(world.requests, 1);
    world.hub_pipe.open_fails = AG_ERR_DNS;
    world_reset(); // options are remembered
    uint32_t writes = board.writes[0];
    world_run(2000);
    CHECK(!board.levels[0]);
    CHECK(board.writes[0] >= writes + 3 && board.writes[0] <= writes + 5);
    world_close();
}

static void thirty_two_plug_ins_run_and_are_reported_within_the_limits_of_a_patch(void)
{
    char modules[8192] = "[";
    world_open();
    world.config.desired_size = 16384;
    for (int i = 0; i < 32; i++) {
        char name[32];
        char path[64];
        char entry[200];
        snprintf(name, sizeof name, "plug-in number %d", i);
        snprintf(path, sizeof path, "p%d.wasm", i);
        world_publish(path,
                      &(struct module){ .name = name, .version = 3, .pin = (uint8_t)(i % 8) });
        snprintf(entry, sizeof entry,
                 "%s{'Name':'%s','Version':3,'Url':'https://files.example/%s'}", i ? "," : "", name,
                 path);
        strcat(modules, entry);
    }
    strcat(modules, "]");
    world_desire(modules);
    world_boot();
    CHECK(world_settle(120000));
    json_t *reported = json_object_get(world.hub.reported, "firmware_modules");
    CHECK_EQUAL(json_object_size(reported), 32);
    CHECK_TEXT(world_state("plug-in%20number%2031"), "running");
    world_reset();
    CHECK(world_settle(120000));
    CHECK_EQUAL(world.requests, 32);
    world_close();
}

static void every_plug_in_of_a_full_table_can_be_exchanged_for_another(void)
{
    world_open();
    world.config.desired_size = 16384;
    world_publish("x.wasm", &(struct module){ .name = "x", .version = 1 });
    for (int round = 0; round < 2; round++) {
        char modules[8192] = "[";
        for (int i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
            char name[16];
            char path[16];
            char entry[128];
            snprintf(name, sizeof name, "r%dp%d", round, i);
            snprintf(path, sizeof path, "p%d.wasm", i);
            world_publish(path, &(struct module){ .name = name, .version = 1, .pin = 2 });
            snprintf(entry, sizeof entry,
                     "%s{'Name':'%s','Version':1,'Url':'https://files.example/%s'}", i ? "," : "",
                     name, path);
            strcat(modules, entry);
        }
        strcat(modules, "]");
        world_desire(modules);
        if (round == 0)
            world_boot();
        CHECK(world_settle(600000));
    }
    CHECK_EQUAL(json_object_size(json_object_get(world.hub.reported, "firmware_modules")),
                AG_CFG_PLUGIN_MAX);
    CHECK_TEXT(world_state("r1p31"), "running");
    CHECK(!world_is_reported("r0p0"));
    world_close();
}

// As a host with a larger table would have left it.
static void a_store_of_more_plug_ins_than_the_host_holds_does_not_stop_it(void)
{
    world_open();
    static struct ag_store store;
    struct ag_store_writer writer;
    const uint8_t sha256[AG_STORE_SHA256_SIZE] = { 1 };
    const uint8_t *bytes;
    char name[16];
    CHECK_EQUAL(ag_store_mount(&store, &world.wire), AG_OK);
    for (int i = 0; i < AG_CFG_PLUGIN_MAX + 3; i++) {
        const struct ag_store_reservation reservation = {
            .kind = AG_STORE_PLUGIN, .name = name, .version = 1, .file_size = 1
        };
        snprintf(name, sizeof name, "p%d", i);
        CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
        CHECK_EQUAL(ag_store_append(&store, &writer, "x", 1), AG_OK);
        CHECK_EQUAL(ag_store_finish_file(&store, &writer, &bytes), AG_OK);
        CHECK_EQUAL(ag_store_seal(&store, &writer, sha256, 0), AG_OK);
        CHECK_EQUAL(ag_store_confirm(&store, writer.slot), AG_OK);
    }
    world_boot();
    struct ag_host_status status;
    ag_host_status(world.host, &status);
    CHECK_EQUAL(status.plugin_count, AG_CFG_PLUGIN_MAX);
    world_close();
}

static void a_connection_string_leads_to_its_gateway_without_dps(void)
{
    world_open();
    publish_blinky();
    world.config.connection_string =
        "HostName=hub.example;DeviceId=device-1;GatewayHostName=edge.example:1234;"
        "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.hub.registrations, 0);
    CHECK_TEXT(world.hub_pipe.host, "edge.example");
    CHECK_EQUAL(world.hub_pipe.port, 1234);
    CHECK_TEXT(world_state("blinky"), "running");
    world_close();
}

static void without_a_trust_store_object_no_plug_in_is_believed(void)
{
    world_open();
    publish_blinky();
    world.config.trust = NULL;
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_KEY);
    world.config.trust = world.trust.bytes;
    world_reset();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    world.config.trust = NULL; // from now on the store has it
    world_desire_one("blinky", 11);
    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void expect_config_error(void)
{
    struct ag_host_board parts = { .flash = &world.flash.flash,
                                   .hub = &world.hub_pipe.stream,
                                   .download = &world.file_pipe.stream };
    size_t size = ag_host_size(&world.config);
    void *memory = malloc(size);
    struct ag_host *host = NULL;
    CHECK_EQUAL(ag_host_init(memory, size, &world.config, &parts, &host), AG_ERR_CONFIG);
    CHECK(host == NULL);
    CHECK_EQUAL(world.flash.operations, 0);
    free(memory);
}

static void a_wrong_configuration_is_refused_before_anything_is_touched(void)
{
    world_open();
    world.config.key = "not base64!";
    world.config.key_is_group = true;
    expect_config_error();
    world.config.key = NULL;
    expect_config_error();
    world.config.connection_string = "HostName=hub.example;DeviceId=d";
    expect_config_error();
    world.config.connection_string = "DeviceId=d;SharedAccessKey=AAAA";
    expect_config_error();
    world.config.connection_string = NULL;
    world.config.key = "AAAA";
    world.config.key_is_group = false;
    world.config.trial_runs = 0;
    expect_config_error();
    world.config.trial_runs = 1;
    world.config.id_scope = "";
    expect_config_error();
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_device_provisions_itself_and_installs_what_its_twin_desires),
    TEST(a_newer_version_replaces_an_older_one_without_a_restart),
    TEST(a_version_that_traps_in_its_third_run_is_rolled_back_and_never_tried_again),
    TEST(a_trap_is_reported_with_its_function_and_its_place_in_the_file),
    TEST(a_failure_that_is_no_trap_has_no_place),
    TEST(without_ram_to_search_in_only_the_function_of_a_trap_is_reported),
    TEST(after_a_reset_the_confirmed_version_runs_before_there_is_a_network),
    TEST(a_name_that_is_gone_from_the_list_is_removed_after_the_rest_is_in_place),
    TEST(the_same_desired_state_twice_changes_nothing),
    TEST(the_object_form_works_like_the_list),
    TEST(a_plug_in_that_is_not_enabled_is_stopped_and_kept),
    TEST(one_that_is_enabled_again_starts_by_itself_from_then_on),
    TEST(what_stays_stopped_while_a_staged_version_is_dropped_is_not_called_running),
    TEST(an_older_version_needs_leave),
    TEST(a_newer_desired_state_supersedes_one_in_progress),
    TEST(a_name_that_goes_before_it_had_its_turn_leaves_its_place),
    TEST(settings_periods_and_reports_of_a_plug_in_reach_their_places),
    TEST(every_plug_in_of_a_full_table_can_be_exchanged_for_another),
    TEST(a_store_of_more_plug_ins_than_the_host_holds_does_not_stop_it),
    TEST(a_connection_string_leads_to_its_gateway_without_dps),
    TEST(without_a_trust_store_object_no_plug_in_is_believed),
    TEST(a_wrong_configuration_is_refused_before_anything_is_touched),
    TEST(thirty_two_plug_ins_run_and_are_reported_within_the_limits_of_a_patch),
};
TEST_MAIN(cases)
