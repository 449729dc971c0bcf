// SPDX-License-Identifier: Apache-2.0
// Direct methods of a device in its world: what they answer and do, whoever asks and however.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

static void desire(const char *name, const struct module *module)
{
    char path[64];
    struct module made = *module;
    made.name = name;
    made.version = made.version ? made.version : 1;
    snprintf(path, sizeof path, "%s-%u.wasm", name, (unsigned)made.version);
    world_publish(path, &made);
    world_desire_one(name, made.version);
}

// A device that runs this as version 1 of `probe`, confirmed.
static void open_world_with(const struct module *module)
{
    world_open();
    desire("probe", module);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("probe"), "running");
}

static bool answer_has(const char *text)
{
    return strstr(world.hub.answer, text) != NULL;
}

// ---- The host's own ----------------------------------------------------------------------------

static void status_tells_of_the_host_and_of_every_plug_in(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    CHECK_EQUAL(world_call("status", ""), 200);
    CHECK(answer_has("\"host\":\"1.0.0\""));
    CHECK(answer_has("\"link\":\"online\""));
    CHECK(answer_has("\"state\":\"idle\""));
    CHECK(answer_has("{\"name\":\"probe\",\"state\":\"running\",\"version\":1,"));
    CHECK(!answer_has("\"next\""));
    CHECK_EQUAL(world_call("status", "{'name':'probe'}"), 200);
    CHECK(answer_has("\"sha256\":\""));
    CHECK_EQUAL(world_call("status", "{'name':'nobody'}"), 404);
    CHECK(answer_has("\"code\":1529"));
    world_close();
}

static void status_of_many_plug_ins_comes_in_pieces_that_miss_none(void)
{
    char modules[6000] = "[";
    world_open();
    world.config.desired_size = 16384;
    for (int i = 0; i < 28; i++) {
        char path[48];
        char name[40];
        snprintf(name, sizeof name, "a-plug-in-with-a-long-name-%02d", i);
        snprintf(path, sizeof path, "f%d.wasm", i);
        world_publish(path, &(struct module){ .name = name,
                                              .version = 1,
                                              .pin = (uint8_t)(i % 8),
                                              .behaviour = MODULE_REFUSES });
        snprintf(modules + strlen(modules), sizeof modules - strlen(modules),
                 "%s{'Name':'%s','Version':1,'Url':'https://files.example/f%d.wasm'}", i ? "," : "",
                 name, i);
    }
    strcat(modules, "]");
    world_boot();
    world_desire(modules);
    world_run(60000); // more than this small store takes: the rest waits
    uint32_t seen = 0;
    uint32_t calls = 0;
    json_int_t from = 0;
    do {
        char payload[48];
        snprintf(payload, sizeof payload, "{'from':%d}", (int)from);
        CHECK_EQUAL(world_call("status", payload), 200);
        CHECK(strlen(world.hub.answer) <= AG_CFG_METHOD_ANSWER);
        json_t *answer = json_loads(world.hub.answer, 0, NULL);
        seen += (uint32_t)json_array_size(json_object_get(answer, "plugins"));
        from = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
        CHECK(++calls < 10);
    } while (from != 0);
    CHECK_EQUAL(seen, 28);
    CHECK(calls > 1);
    world_close();
}

static void restart_of_a_plug_in_starts_it_again_from_its_initialize(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    world_run(5000);
    CHECK_EQUAL(world_call("restart", "{'name':'probe'}"), 200);
    struct ag_host_plugin_status status;
    CHECK_EQUAL(ag_host_plugin_at(world.host, 0, &status), AG_OK);
    CHECK(status.runs < 3);
    CHECK_EQUAL(world_call("restart", "{'name':'nobody'}"), 404);
    CHECK_EQUAL(board.restarts, 0);
    world_close();
}

static void a_plug_in_on_trial_or_stopped_is_not_restarted(void)
{
    world_open();
    world.config.trial_time_ms = 3600000;
    desire("probe", &(struct module){ .behaviour = MODULE_GOOD });
    world_boot();
    world_run(10000);
    CHECK_TEXT(world_state("probe"), "trial");
    CHECK_EQUAL(world_call("restart", "{'name':'probe'}"), 409);
    world_close();
}

static void a_plug_in_that_waits_after_a_failure_is_restarted_at_once(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_TRAPS_LATER, .argument = 40 });
    for (int i = 0; i < 600 && strcmp(world_state("probe"), "failed") != 0; i++)
        world_run(100);
    CHECK_TEXT(world_state("probe"), "failed");
    CHECK_EQUAL(world_call("restart", "{'name':'probe'}"), 200);
    world_run(50);
    CHECK_TEXT(world_state("probe"), "running");
    world_close();
}

static void restart_of_the_host_is_answered_first_and_then_done_once(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    CHECK_EQUAL(world_call("restart", ""), 200);
    CHECK_EQUAL(board.restarts, 0);
    world_run(2000);
    CHECK_EQUAL(board.restarts, 1);
    world_close();
}

static void retry_fetches_what_was_given_up_and_what_is_in_quarantine(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    world.hub.answer[0] = 0;
    // The file is bad in a way that time heals: the pin is another plug-in's.
    desire("second", &(struct module){ .behaviour = MODULE_TRAPS_LATER, .argument = 2 });
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("second"), "failed");
    uint32_t requests = world.requests;
    world_run(60000);
    CHECK_EQUAL(world.requests, requests);
    CHECK_EQUAL(world_call("retry", "{'name':'second'}"), 200);
    CHECK(world_settle(60000));
    CHECK(world.requests > requests); // fetched and tried again, and failed again
    CHECK_TEXT(world_state("second"), "failed");
    CHECK_EQUAL(world_error("second"), AG_TRAP_UNREACHABLE);
    requests = world.requests;
    CHECK_EQUAL(world_call("retry", ""), 200); // all of them
    CHECK(world_settle(60000));
    CHECK(world.requests > requests);
    CHECK_EQUAL(world_call("retry", "{'name':'nobody'}"), 404);
    world_close();
}

static void retry_ends_the_pause_of_a_fetch(void)
{
    world_open();
    desire("probe", &(struct module){ .behaviour = MODULE_GOOD });
    world.http_code = 503;
    world.retry_after_s = 3600;
    world_boot();
    world_run(20000);
    CHECK_TEXT(world_state("probe"), "waiting");
    world.http_code = 0;
    CHECK_EQUAL(world_call("retry", "{'name':'probe'}"), 200);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("probe"), "running");
    world_close();
}

static void retry_pardons_a_file_that_is_known_only_by_what_it_turned_out_to_be(void)
{
    world_open();
    struct module bad = { .behaviour = MODULE_TRAPS_LATER, .argument = 2 };
    desire("probe", &bad);
    world_boot();
    CHECK(world_settle(60000));
    world_desire("[]");
    CHECK(world_settle(60000));
    world_desire_one("probe", 1); // the same file again
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("probe"), "refused");
    CHECK_EQUAL(world_error("probe"), AG_ERR_QUARANTINED);
    CHECK_EQUAL(world_call("retry", "{'name':'probe'}"), 200);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("probe"), "failed"); // it was tried
    CHECK_EQUAL(world_error("probe"), AG_TRAP_UNREACHABLE);
    world_close();
}

// ---- Plug-ins ----------------------------------------------------------------------------------

static void a_method_of_a_plug_in_reaches_its_on_method_and_its_answer_comes_back(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_ANSWERS, .argument = MODULE_ECHOES });
    CHECK_EQUAL(world_call("probe.blink", "{'times':3}"), 201);
    CHECK_TEXT(world.hub.answer, "{\"times\":3}");
    CHECK_EQUAL(world_call("call", "{'name':'probe','method':'blink','payload':[1, 2]}"), 201);
    CHECK_TEXT(world.hub.answer, "[1,2]");
    CHECK_EQUAL(world_call("probe%2Eblink", "null"), 201); // a hub may escape what it likes
    CHECK_TEXT(world.hub.answer, "null");
    CHECK_EQUAL(world_call("probe.blink", ""), 201);
    CHECK_TEXT(world.hub.answer, "");
    CHECK_EQUAL(world_error("probe"), 0);
    world_close();
}

static void a_method_does_not_wait_for_the_period_of_the_plug_in(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ECHOES, .period_ms = 5000 });
    uint32_t writes = board.writes[0];
    uint64_t began_ms = board.now_ms;
    CHECK_EQUAL(world_call("probe.x", "1"), 201);
    CHECK(board.now_ms - began_ms < 100);
    world_run(15000);
    CHECK(board.writes[0] - writes <= 4); // and does not disturb it
    world_close();
}

static void a_plug_in_that_says_nothing_has_answered_with_success(void)
{
    open_world_with(
        &(struct module){ .behaviour = MODULE_ANSWERS, .argument = MODULE_SAYS_NOTHING });
    CHECK_EQUAL(world_call("probe.x", "{}"), 200);
    CHECK_TEXT(world.hub.answer, "");
    world_close();
}

static void an_answer_that_is_no_json_or_has_no_code_does_not_leave_the_device(void)
{
    open_world_with(
        &(struct module){ .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWERS_BADLY });
    CHECK_EQUAL(world_call("probe.x", "{}"), 200);
    CHECK_TEXT(world.hub.answer, "");
    world_close();
}

static void a_trap_in_on_method_counts_as_any_trap_and_the_caller_is_told(void)
{
    open_world_with(
        &(struct module){ .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_TRAPS });
    CHECK_EQUAL(world_call("probe.x", "{}"), 504);
    CHECK(answer_has("\"code\":1207"));
    world_run(50);
    CHECK_TEXT(world_state("probe"), "failed");
    CHECK_EQUAL(world_error("probe"), AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(world_call("probe.x", "{}"), 503); // until it is started again
    world_run(60000);
    CHECK_TEXT(world_state("probe"), "running");
    world_close();
}

static void on_method_has_the_budget_of_a_run(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_SPINS, .fuel_per_run = 3000000 });
    CHECK_EQUAL(world_call("probe.x", "{}"), 504);
    CHECK(answer_has("\"code\":1210"));
    world_close();
}

static void a_second_call_while_one_is_under_way_is_told_so_and_the_first_one_goes_on(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_SPINS, .fuel_per_run = 30000000 });
    world_call_only("probe.x", "first", "{}");
    world_run(20);
    CHECK_EQUAL(world.hub.answers, 0);
    const uint8_t other = (uint8_t)(world.host->method.call.owner + 1); // not whose call it is
    struct ag_text text;
    CHECK(ag_method_reply(world.host, other, 200, ag_text_of("1")) != AG_OK);
    CHECK(ag_method_text(world.host, other, AG_INSTANCE_METHOD_PAYLOAD, &text) != AG_OK);
    CHECK_EQUAL(world_call("probe.y", "{}"), 429);
    CHECK_EQUAL(world_call("status", "{'name':'probe'}"), 200); // the host's own go on
    world_run(20000);
    CHECK_TEXT(world.hub.answer_rid, "first");
    CHECK_EQUAL(world.hub.answer_code, 504);
    world_close();
}

static void a_call_that_takes_too_long_is_answered_for(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_SPINS, .fuel_per_run = 300000000 });
    world.host->plugins.slice_fuel = 1; // a little each millisecond
    world_call_only("probe.x", "late", "{}");
    world_run(299000);
    CHECK_EQUAL(world.hub.answers, 0);
    world_run(2000);
    CHECK_TEXT(world.hub.answer_rid, "late");
    CHECK_EQUAL(world.hub.answer_code, 504);
    world_close();
}

static void a_plug_in_that_is_taken_away_in_its_on_method_still_gives_an_answer(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_SPINS, .fuel_per_run = 300000000 });
    world_call_only("probe.x", "gone", "{}");
    world_run(20);
    world_desire("[]");
    world_run(5000);
    CHECK_TEXT(world.hub.answer_rid, "gone");
    CHECK_EQUAL(world.hub.answer_code, 504);
    CHECK(world_settle(60000));
    world_close();
}

static void without_on_method_there_is_nothing_to_call(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    CHECK_EQUAL(world_call("probe.x", "{}"), 404);
    CHECK_EQUAL(world_call("nobody.x", "{}"), 404);
    CHECK_EQUAL(world_call("unknown", "{}"), 404);
    CHECK_EQUAL(world_call("probe.", "{}"), 404);
    CHECK_EQUAL(world_call(".", "{}"), 404);
    CHECK_EQUAL(world_call("call", "{'name':'nobody','method':'x'}"), 404);
    world_close();
}

static void of_two_names_with_dots_the_longer_one_is_meant(void)
{
    world_open();
    world_publish("a.wasm", &(struct module){ .name = "a", .version = 1 });
    world_publish("ab.wasm", &(struct module){ .name = "a.b",
                                               .version = 1,
                                               .pin = 1,
                                               .behaviour = MODULE_ANSWERS,
                                               .argument = MODULE_ECHOES });
    world_desire("[{'Name':'a','Version':1,'Url':'https://files.example/a.wasm'},"
                 "{'Name':'a.b','Version':1,'Url':'https://files.example/ab.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_call("a.b.c", "7"), 201);
    CHECK_TEXT(world.hub.answer, "7");
    CHECK_EQUAL(world_call("a.c", "7"), 404); // `a` has no on_method
    world_close();
}

// ---- Bad input ---------------------------------------------------------------------------------

static void a_payload_that_is_not_json_or_not_the_right_one_is_refused(void)
{
    static const char *const bad[] = {
        "{",
        "[]",
        "1",
        "\"name\"",
        "{'name':1}",
        "{'name':''}",
        "true",
        "{'name':{}}",
        "{} x",
        "{'from':-1}",
        "{'from':1.5}",
        "nul",
        "{,}",
        "{'from':[]}",
        "{'name':'p',}",
        "{'from':4294967296}",
    };
    open_world_with(&(struct module){ .behaviour = MODULE_ANSWERS });
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        CHECK_EQUAL(world_call("status", bad[i]), 400);
        CHECK(answer_has("\"code\":1527"));
    }
    CHECK_EQUAL(world_call("logs", "{'lines':0}"), 400);
    CHECK_EQUAL(world_call("call", "{'name':'probe'}"), 400);
    CHECK_EQUAL(world_call("call", ""), 400);
    CHECK_EQUAL(world_call("probe.x", "{"), 400);
    CHECK_EQUAL(world_call("status", "{'unknown':{'name':1},'from':null}"), 200);
    world_close();
}

static void what_is_too_long_is_refused_and_the_next_request_is_served(void)
{
    char payload[AG_CFG_METHOD_PAYLOAD + 16];
    char name[AG_CFG_METHOD_NAME_MAX + 16];
    open_world_with(&(struct module){ .behaviour = MODULE_ANSWERS });
    memset(payload, ' ', sizeof payload);
    payload[AG_CFG_METHOD_PAYLOAD + 1] = 0;
    CHECK_EQUAL(world_call("probe.x", payload), 413);
    payload[AG_CFG_METHOD_PAYLOAD] = 0;
    CHECK_EQUAL(world_call("status", payload), 200);
    memset(name, 'x', sizeof name);
    name[AG_CFG_METHOD_NAME_MAX + 1] = 0;
    CHECK_EQUAL(world_call(name, "{}"), 404);
    CHECK_EQUAL(world_call("%zz", "{}"), 404);
    CHECK_EQUAL(world_call("%00", "{}"), 404);
    CHECK_EQUAL(world_call("status", "{}"), 200);
    world_close();
}

static void the_request_id_comes_back_as_it_was(void)
{
    static const char *const rids[] = {
        "1", "a b", "%24%25", "x&$version=3", "?$rid=2", "\xC3\xA9"
    };
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    for (size_t i = 0; i < sizeof rids / sizeof rids[0]; i++) {
        world_call_only("status", rids[i], "");
        world_run(100);
        CHECK_TEXT(world.hub.answer_rid, rids[i]);
    }
    char longest[AG_METHOD_RID_MAX + 2];
    memset(longest, 'r', sizeof longest);
    longest[AG_METHOD_RID_MAX + 1] = 0;
    world_call_only("status", longest, ""); // too long to be kept: the log says so
    world_run(100);
    CHECK_EQUAL(world.hub.answers, 6);
    CHECK(board_logged("request id is too long"));
    longest[AG_METHOD_RID_MAX] = 0;
    world_call_only("status", longest, "");
    world_run(100);
    CHECK_TEXT(world.hub.answer_rid, longest);
    world_close();
}

// ---- The network -------------------------------------------------------------------------------

static void answers_wait_while_the_network_takes_nothing_and_none_is_lost(void)
{
    char rid[16];
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    for (int i = 0; i < AG_CFG_METHOD_MAX; i++) {
        snprintf(rid, sizeof rid, "w%d", i);
        world_call_only("status", rid, "");
    }
    world.hub_pipe.chunk = 7; // few bytes at a time
    world_run(5000);
    CHECK_EQUAL(world.hub.answers, AG_CFG_METHOD_MAX);
    world_close();
}

// So many requests while the network takes no answers.
static void ask_at_once(uint32_t count, const char *rid)
{
    world.hub_pipe.takes_nothing = true;
    for (uint32_t i = 0; i < count; i++)
        world_call_only("status", rid, "");
    world_run(500);
    CHECK_EQUAL(world.hub.answers, 0);
    world.hub_pipe.takes_nothing = false;
    world_run(5000);
}

static void of_many_calls_at_once_each_is_answered(void)
{
    for (uint32_t count = 1; count <= 12 * AG_CFG_METHOD_MAX; count += 3) {
        open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
        ask_at_once(count, "m");
        CHECK_EQUAL(world.hub.answers, count);
        CHECK(!board_logged("direct method: too many at once"));
        if (count < AG_CFG_METHOD_MAX)
            CHECK_EQUAL(world.hub.answer_code, 200);
        if (count > 10 * AG_CFG_METHOD_MAX) {
            CHECK_EQUAL(world.hub.answer_code, 429);
            CHECK(answer_has("\"code\":1532"));
        }
        world_close();
    }
}

static void more_than_can_be_refused_are_told_in_the_log_and_the_rest_is_answered(void)
{
    char rid[AG_METHOD_RID_MAX + 1];
    memset(rid, 'r', sizeof rid);
    rid[AG_METHOD_RID_MAX] = 0;
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    ask_at_once(10 * AG_CFG_METHOD_MAX, rid);
    CHECK(world.hub.answers >= AG_CFG_METHOD_MAX);
    CHECK(board_logged("direct method: too many at once"));
    CHECK_TEXT(world.hub.answer_rid, rid);
    uint32_t answers = world.hub.answers;
    CHECK_EQUAL(world_call("status", ""), 200);
    CHECK_EQUAL(world.hub.answers, answers + 1);
    world_close();
}

static void what_is_refused_is_forgotten_with_the_connection(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_GOOD });
    world.hub_pipe.takes_nothing = true;
    for (uint32_t i = 0; i < 10 * AG_CFG_METHOD_MAX; i++)
        world_call_only("status", "old", "");
    world_run(500);
    world_kick();
    world_run(10);
    world.hub_pipe.takes_nothing = false;
    world_run(30000);
    CHECK_EQUAL(world.hub.answers, 0);
    CHECK_EQUAL(world_call("status", ""), 200);
    world_close();
}

static void a_connection_that_goes_takes_its_questions_along(void)
{
    open_world_with(&(struct module){
        .behaviour = MODULE_ANSWERS, .argument = MODULE_ANSWER_SPINS, .fuel_per_run = 30000000 });
    world_call_only("probe.x", "old", "{}");
    world_run(20);
    world_kick();
    world_run(30000);
    CHECK_EQUAL(world.hub.answers, 0);
    CHECK_EQUAL(world_call("status", ""), 200);
    world_close();
}

static void requests_in_pieces_of_every_size_are_the_same(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_ANSWERS, .argument = MODULE_ECHOES });
    for (uint32_t chunk = 1; chunk < 40; chunk += 3) {
        world.hub_pipe.chunk = chunk;
        CHECK_EQUAL(world_call("probe.echo", "{'a':[1,2,{'b':null}]}"), 201);
        CHECK_TEXT(world.hub.answer, "{\"a\":[1,2,{\"b\":null}]}");
    }
    world_close();
}

// ---- Logs --------------------------------------------------------------------------------------

static void logs_gives_the_newest_lines_of_a_plug_in_and_of_the_host(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS });
    CHECK_EQUAL(world_call("logs", "{'name':'probe','lines':2}"), 200);
    json_t *answer = json_loads(world.hub.answer, 0, NULL);
    const json_t *lines = json_object_get(answer, "lines");
    CHECK_EQUAL(json_array_size(lines), 2);
    const json_t *line = json_array_get(lines, 1);
    CHECK_TEXT(json_string_value(json_object_get(line, "text")), "{\"a\":1}");
    CHECK_TEXT(json_string_value(json_object_get(line, "level")), "info");
    CHECK(json_integer_value(json_object_get(line, "time")) >= 1893456000);
    json_decref(answer);
    CHECK_EQUAL(world_call("logs", "{'lines':100}"), 200);
    CHECK(answer_has("\"name\":\"host\""));
    CHECK(answer_has("probe 1: confirmed"));
    CHECK(strlen(world.hub.answer) <= AG_CFG_METHOD_ANSWER);
    CHECK_EQUAL(world_call("logs", "{'name':'nobody'}"), 404);
    world_close();
}

static void one_that_logs_without_end_drives_out_its_own_lines_only(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS, .period_ms = 10 });
    world_run(60000);
    CHECK_EQUAL(world_call("logs", "{'lines':50}"), 200);
    CHECK(answer_has("probe 1: confirmed"));
    world_close();
}

static void what_was_logged_before_a_failure_is_there_after_a_reset(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS, .argument = 30 });
    for (int i = 0; i < 600 && strcmp(world_state("probe"), "failed") != 0; i++)
        world_run(100);
    const uint32_t before = world.flash.operations;
    world_run(600000);                           // several failures, as far as the credit goes
    CHECK(world.flash.operations - before < 30); // 11; 54 without a limit
    world_reset();
    world_run(2000);
    CHECK_EQUAL(world_call("logs", "{'name':'probe'}"), 200);
    CHECK(answer_has("{\\\"a\\\":1}"));
    CHECK_EQUAL(world_call("logs", "{'name':'host','lines':50}"), 200);
    CHECK(answer_has("failed: trap_unreachable (1207)"));
    world_close();
}

static void the_log_does_not_wear_out_the_flash(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS, .argument = 30, .period_ms = 10 });
    world_run(3600000);
    uint32_t before = world.flash.operations;
    world_run(24 * 3600000);
    uint32_t operations = world.flash.operations - before;
    // 64 KB a day in records of at most 432 bytes, and what compactions copy of it.
    printf("# a day of a plug-in that logs 30 lines and traps: %u flash operations\n",
           (unsigned)operations);
    CHECK(operations < 2000);
    world_close();
}

static void a_device_that_resets_again_and_again_does_not_write_its_log_without_end(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS, .argument = 10 });
    for (int i = 0; i < 30; i++) {
        world_reset();
        world_run(20000);
    }
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    uint32_t before = world.flash.operations;
    for (int i = 0; i < 100; i++) {
        world_reset();
        world_run(20000);
        CHECK(board_log_count("probe 1: failed") > 0);
    }
    CHECK_EQUAL(world.flash.operations, before);
    world_run(3600000); // once it stays up it may write again
    CHECK(world.flash.operations > before);
    world_close();
}

static void desire_level(const char *level)
{
    char text[400];
    snprintf(text, sizeof text,
             "{'firmware_modules':[{'Name':'probe','Version':1,'Url':"
             "'https://files.example/probe-1.wasm'}],'airgraft':{'LogLevel':%s},'$version':%u}",
             level, (unsigned)world.hub.version + 1);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    world_desire_raw(text);
}

static void the_desired_level_decides_what_passes_and_is_remembered(void)
{
    open_world_with(&(struct module){ .behaviour = MODULE_LOGS });
    desire_level("'warning'");
    CHECK(world_settle(10000));
    uint32_t lines = board_log_count("probe: {\"a\":1}");
    world_run(5000);
    CHECK_EQUAL(board_log_count("probe: {\"a\":1}"), lines);
    CHECK(world_settle(10000));
    CHECK_TEXT(json_string_value(
                   json_object_get(json_object_get(world.hub.reported, "airgraft"), "logLevel")),
               "warning");
    world_reset();
    world_run(5000);
    CHECK_EQUAL(board_log_count("probe: {\"a\":1}"), lines);
    desire_level("'loud'"); // no level: as if it were not there
    world_run(5000);
    CHECK(board_log_count("probe: {\"a\":1}") > lines);
    CHECK(world_settle(10000));
    CHECK(json_object_get(json_object_get(world.hub.reported, "airgraft"), "logLevel") == NULL);
    world_close();
}

static const struct test_case cases[] = {
    TEST(status_tells_of_the_host_and_of_every_plug_in),
    TEST(status_of_many_plug_ins_comes_in_pieces_that_miss_none),
    TEST(restart_of_a_plug_in_starts_it_again_from_its_initialize),
    TEST(a_plug_in_on_trial_or_stopped_is_not_restarted),
    TEST(a_plug_in_that_waits_after_a_failure_is_restarted_at_once),
    TEST(restart_of_the_host_is_answered_first_and_then_done_once),
    TEST(retry_fetches_what_was_given_up_and_what_is_in_quarantine),
    TEST(retry_ends_the_pause_of_a_fetch),
    TEST(retry_pardons_a_file_that_is_known_only_by_what_it_turned_out_to_be),
    TEST(a_method_of_a_plug_in_reaches_its_on_method_and_its_answer_comes_back),
    TEST(a_method_does_not_wait_for_the_period_of_the_plug_in),
    TEST(a_plug_in_that_says_nothing_has_answered_with_success),
    TEST(an_answer_that_is_no_json_or_has_no_code_does_not_leave_the_device),
    TEST(a_trap_in_on_method_counts_as_any_trap_and_the_caller_is_told),
    TEST(on_method_has_the_budget_of_a_run),
    TEST(a_second_call_while_one_is_under_way_is_told_so_and_the_first_one_goes_on),
    TEST(a_call_that_takes_too_long_is_answered_for),
    TEST(a_plug_in_that_is_taken_away_in_its_on_method_still_gives_an_answer),
    TEST(without_on_method_there_is_nothing_to_call),
    TEST(of_two_names_with_dots_the_longer_one_is_meant),
    TEST(a_payload_that_is_not_json_or_not_the_right_one_is_refused),
    TEST(what_is_too_long_is_refused_and_the_next_request_is_served),
    TEST(the_request_id_comes_back_as_it_was),
    TEST(answers_wait_while_the_network_takes_nothing_and_none_is_lost),
    TEST(of_many_calls_at_once_each_is_answered),
    TEST(more_than_can_be_refused_are_told_in_the_log_and_the_rest_is_answered),
    TEST(what_is_refused_is_forgotten_with_the_connection),
    TEST(a_connection_that_goes_takes_its_questions_along),
    TEST(requests_in_pieces_of_every_size_are_the_same),
    TEST(logs_gives_the_newest_lines_of_a_plug_in_and_of_the_host),
    TEST(one_that_logs_without_end_drives_out_its_own_lines_only),
    TEST(what_was_logged_before_a_failure_is_there_after_a_reset),
    TEST(the_log_does_not_wear_out_the_flash),
    TEST(a_device_that_resets_again_and_again_does_not_write_its_log_without_end),
    TEST(the_desired_level_decides_what_passes_and_is_remembered),
};
TEST_MAIN(cases)
