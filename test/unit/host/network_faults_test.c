// SPDX-License-Identifier: Apache-2.0
// Networks that fail: what runs goes on, what was asked for arrives once the world lets it, and
// nobody is asked too often.
#include <stdio.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/host/world.h"

static void open_running_world(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 20000 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
}

static void check_that_10_runs(void)
{
    uint32_t writes = board.writes[0];
    world_run(1000);
    CHECK(board.writes[0] >= writes + 9);
    CHECK(!board.levels[0]);
}

static void check_that_11_arrives(void)
{
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 0);
    CHECK(board.levels[0]);
    world_close();
}

// ---- Files -------------------------------------------------------------------------------------

// The file server cannot be reached for an hour.
static void expect_unreachable(enum ag_status status)
{
    open_running_world();
    world.file_pipe.open_fails = status;
    uint32_t opens = world.file_pipe.opens;
    world_desire_one("blinky", 11);
    world_run(3600000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world_error("blinky"), status);
    CHECK_EQUAL(world_version("blinky"), 10);
    uint32_t attempts = world.file_pipe.opens - opens;
    CHECK(attempts >= 30 && attempts <= 200); // never given up, and never a loop
    check_that_10_runs();
    world.file_pipe.open_fails = AG_OK;
    check_that_11_arrives();
}

static void a_file_server_that_cannot_be_reached_is_tried_again_with_growing_pauses(void)
{
    static const enum ag_status statuses[] = {
        AG_ERR_DNS,      AG_ERR_CONNECT,     AG_ERR_TLS,   AG_ERR_TLS_UNTRUSTED,
        AG_ERR_TLS_NAME, AG_ERR_TLS_EXPIRED, AG_ERR_RESET,
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        test_note("%s", ag_status_name(statuses[i]));
        expect_unreachable(statuses[i]);
    }
}

static void an_answer_that_is_no_file_is_reported_by_its_kind_and_tried_again(void)
{
    static const struct {
        uint16_t code;
        enum ag_status status;
    } answers[] = {
        { 403, AG_ERR_HTTP_FORBIDDEN }, { 401, AG_ERR_HTTP_FORBIDDEN },
        { 404, AG_ERR_HTTP_NOT_FOUND }, { 500, AG_ERR_HTTP_SERVER },
        { 503, AG_ERR_HTTP_SERVER },    { 418, AG_ERR_HTTP_STATUS },
        { 416, AG_ERR_HTTP_RANGE },
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        test_note("%u", (unsigned)answers[i].code);
        open_running_world();
        world.http_code = answers[i].code;
        world_desire_one("blinky", 11);
        world_run(60000);
        CHECK_TEXT(world_state("blinky"), "waiting");
        CHECK_EQUAL(world_error("blinky"), answers[i].status);
        check_that_10_runs();
        world.http_code = 0;
        check_that_11_arrives();
    }
}

static void a_server_that_asks_for_patience_is_given_it(void)
{
    open_running_world();
    uint32_t requests = world.requests;
    world.http_code = 503;
    world.retry_after_s = 1000;
    world_desire_one("blinky", 11);
    world_run(999000);
    CHECK_EQUAL(world.requests, requests + 1);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_SERVER);
    world.http_code = 0;
    world_run(3000);
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void the_whole_file_in_answer_to_a_range_will_do(void)
{
    open_running_world();
    world.ignores_ranges = true;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void the_whole_file_in_answer_to_the_rest_begins_it_again(void)
{
    open_running_world();
    world.file_pipe.cut_after = 6000;
    world_desire_one("blinky", 11);
    for (int i = 0; i < 60000 && world.file_bytes_sent < 4096; i++)
        world_run(1);
    world.ignores_ranges = true;
    world_run(2000);
    world.file_pipe.cut_after = 0;
    check_that_11_arrives();
}

static void a_connection_cut_after_every_kilobyte_is_resumed_where_it_was(void)
{
    open_running_world();
    uint32_t sent = world.file_bytes_sent;
    uint32_t opens = world.file_pipe.opens;
    world.file_pipe.cut_after = 1024 + 150; // with the head of the answer
    world_desire_one("blinky", 11);
    for (uint64_t end = board.now_ms + 3600000;
         board.now_ms < end && world_version("blinky") != 11;)
        world_run(1000);
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK(world.file_pipe.opens - opens >= 18);
    CHECK(world.file_pipe.opens - opens <= 30);
    CHECK(world.file_bytes_sent > sent);
    CHECK(world_settle(60000));
    world_close();
}

static void a_cut_after_every_single_byte_count_still_ends_well(void)
{
    open_running_world();
    uint32_t size = 0;
    for (uint32_t cut = 1; cut < 23000; cut += 379) {
        test_note("cut after %u", (unsigned)cut);
        world.file_pipe.cut_after = cut;
        world_desire_one("blinky", 11);
        world_run(30);
        world.file_pipe.cut_after = 0;
        CHECK(world_settle(600000));
        CHECK_EQUAL(world_version("blinky"), 11);
        size++;
        world_desire("[]");
        CHECK(world_settle(60000));
        CHECK(!world_is_reported("blinky"));
    }
    CHECK(size > 50);
    world_close();
}

static void a_file_that_changes_during_the_download_is_begun_again(void)
{
    open_running_world();
    world.file_pipe.cut_after = 6000;
    world_desire_one("blinky", 11);
    for (int i = 0; i < 60000 && world.file_bytes_sent < 4096; i++)
        world_run(1);
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 25000 });
    world.file_pipe.cut_after = 0;
    check_that_11_arrives();
}

static void a_stalled_download_times_out_and_is_resumed(void)
{
    open_running_world();
    world.file_pipe.stall_after = 5000;
    world_desire_one("blinky", 11);
    world_run(29000);
    CHECK_TEXT(world_state("blinky"), "downloading");
    CHECK_EQUAL(world_error("blinky"), 0);
    check_that_10_runs();
    world_run(5000);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_TIMEOUT);
    CHECK(board_logged("blinky 11: waiting to fetch again: timeout (1508)"));
    world.file_pipe.stall_after = 0;
    check_that_11_arrives();
}

static void desire_four(uint32_t version)
{
    char modules[1024] = "[";
    for (int i = 0; i < 4; i++) {
        char path[16];
        char name[16];
        char entry[160];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(path, sizeof path, "m%d-%u.wasm", i, (unsigned)version);
        world_publish(path, &(struct module){ .name = name, .version = version });
        snprintf(entry, sizeof entry,
                 "%s{'Name':'%s','Version':%u,'Url':'https://files.example/%s'}", i ? "," : "",
                 name, (unsigned)version, path);
        strcat(modules, entry);
    }
    strcat(modules, "]");
    world_desire(modules);
}

static void several_files_come_over_one_connection_which_is_closed_when_all_are_there(void)
{
    world_open();
    desire_four(1);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.requests, 4);
    CHECK_EQUAL(world.file_pipe.opens, 1);
    CHECK(!world.file_pipe.is_open);
    world_close();
}

static void a_kept_connection_that_the_server_gave_up_is_made_anew_at_once(void)
{
    world_open();
    world.gives_up_after_each = true;
    desire_four(1);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.requests, 4);
    CHECK_EQUAL(world.file_pipe.opens, 4);
    CHECK(!board_logged("waiting to fetch again"));
    world_close();
}

static void one_byte_at_a_time_is_enough(void)
{
    world_open();
    world.hub_pipe.chunk = 1;
    world.file_pipe.chunk = 1;
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 10);
    world_close();
}

// ---- The hub -----------------------------------------------------------------------------------

static void a_hub_that_cannot_be_reached_is_tried_for_ever_and_dps_asked_now_and_then(void)
{
    open_running_world();
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    uint32_t opens = world.hub_pipe.opens;
    world_run(24u * 3600u * 1000u);
    uint32_t attempts = world.hub_pipe.opens - opens;
    CHECK(attempts > 24 * 30 && attempts < 24 * 120);
    world.hub_pipe.open_fails = AG_OK;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void a_device_that_is_kicked_backs_off_and_comes_back(void)
{
    open_running_world();
    uint32_t connects = world.hub.connects;
    for (uint64_t end = board.now_ms + 3600000; board.now_ms < end;) {
        world_run(500);
        if (world.hub_pipe.is_open && world.hub.is_subscribed)
            world_kick(); // by another device with the same id, for an hour
    }
    uint32_t attempts = world.hub.connects - connects;
    CHECK(attempts > 10 && attempts < 200);
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void a_refused_login_makes_it_register_again(void)
{
    open_running_world();
    uint32_t registrations = world.hub.registrations;
    world.hub.connack = 5;
    world_kick();
    world_run(600000);
    CHECK(world.hub.registrations > registrations);
    CHECK(world.hub.registrations < registrations + 60);
    check_that_10_runs();
    world.hub.connack = 0;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void revoked_keys_and_a_disabled_enrolment_stop_nothing_that_runs(void)
{
    open_running_world();
    world.hub.connack = 5;
    world.hub.dps_connack = 5;
    world_kick();
    world_run(3600000);
    check_that_10_runs();
    world.hub.dps_connack = 0;
    world.hub.dps_is_disabled = true;
    world_run(3600000);
    struct ag_host_status status;
    ag_host_status(world.host, &status);
    for (int i = 0; i < 600 && status.link_error != AG_ERR_DPS_DISABLED; i++) {
        world_run(1000); // hub and DPS take turns
        ag_host_status(world.host, &status);
    }
    CHECK_EQUAL(status.link_error, AG_ERR_DPS_DISABLED);
    check_that_10_runs();
    world.hub.connack = 0;
    world.hub.dps_is_disabled = false;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void a_hub_that_comes_back_is_found_although_dps_does_not(void)
{
    open_running_world();
    world.hub.connack = 5;
    world.hub.dps_connack = 3;
    world_kick();
    world_run(600000);
    world.hub.connack = 0;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void dps_that_asks_for_patience_or_fails_is_asked_again(void)
{
    world_open();
    world.hub.dps_waits_once = true;
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world.hub.registrations, 2);
    world_close();
    static const uint16_t statuses[] = { 401, 429, 500 };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        test_note("%u", (unsigned)statuses[i]);
        world_open();
        world.hub.dps_status = statuses[i];
        world_boot();
        world_run(600000);
        CHECK(world.hub.registrations > 3 && world.hub.registrations < 60);
        world.hub.dps_status = 0;
        CHECK(world_settle(600000));
        world_close();
    }
}

static void the_token_is_renewed_before_it_expires(void)
{
    open_running_world();
    uint32_t connects = world.hub.connects;
    world_run(3600000 * 3);
    CHECK_EQUAL(world.hub.connects, connects + 4);
    CHECK_EQUAL(board_log_count("link: closed"), 0);
    world_desire_one("blinky", 11);
    check_that_11_arrives();
}

static void a_patch_sent_while_the_device_was_away_is_found_by_the_full_read(void)
{
    open_running_world();
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_run(10000);
    world_desire_one("blinky", 11);
    world.hub_pipe.open_fails = AG_OK;
    check_that_11_arrives();
}

// ---- Reports -----------------------------------------------------------------------------------

static void a_report_that_is_not_answered_is_sent_again(void)
{
    open_running_world();
    world.hub.ignores_reports = true;
    world_desire_one("blinky", 11);
    world_run(5000);
    CHECK_EQUAL(world_version("blinky"), 10); // as the hub knows
    CHECK(board.levels[0]);                   // as it is
    world.hub.ignores_reports = false;
    check_that_11_arrives();
}

// The last thing that there is to say is said on a connection that ends without an answer.
static void what_was_said_in_vain_is_said_again_when_the_hub_listens(void)
{
    open_running_world();
    world.hub.ignores_reports = true;
    world_desire_one("blinky", 11);
    world_run(900000);
    CHECK_EQUAL(world_version("blinky"), 10); // as the hub knows
    world.hub.ignores_reports = false;
    check_that_11_arrives();
}

static void a_throttled_report_is_sent_again_later(void)
{
    open_running_world();
    world.hub.report_status = 429;
    uint32_t reports = world.hub.reports;
    world_desire_one("blinky", 11);
    world_run(600000);
    CHECK(world.hub.reports - reports > 3 && world.hub.reports - reports < 60);
    world.hub.report_status = 0;
    check_that_11_arrives();
}

static void a_report_that_is_refused_is_not_sent_for_ever(void)
{
    open_running_world();
    world.hub.report_status = 400;
    uint32_t reports = world.hub.reports;
    world_desire_one("blinky", 11);
    world_run(600000);
    CHECK(world.hub.reports - reports < 12);
    CHECK(board_logged("the hub refused a report: hub_request (1526)"));
    world_close();
}

static void a_twin_read_that_is_not_answered_is_asked_again(void)
{
    world_open();
    world.hub.ignores_gets = true;
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_desire_one("blinky", 10);
    world_boot();
    world_run(100000);
    CHECK(world.hub.gets >= 2 && world.hub.gets < 10);
    world.hub.ignores_gets = false;
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_version("blinky"), 10);
    world_close();
}

static void nothing_is_sent_while_nothing_happens(void)
{
    open_running_world();
    world_run(10000);
    uint32_t reports = world.hub.reports;
    uint32_t gets = world.hub.gets;
    world_run(40 * 60000);
    CHECK_EQUAL(world.hub.reports, reports);
    CHECK_EQUAL(world.hub.gets, gets);
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_file_server_that_cannot_be_reached_is_tried_again_with_growing_pauses),
    TEST(an_answer_that_is_no_file_is_reported_by_its_kind_and_tried_again),
    TEST(a_server_that_asks_for_patience_is_given_it),
    TEST(the_whole_file_in_answer_to_a_range_will_do),
    TEST(the_whole_file_in_answer_to_the_rest_begins_it_again),
    TEST(a_connection_cut_after_every_kilobyte_is_resumed_where_it_was),
    TEST(a_cut_after_every_single_byte_count_still_ends_well),
    TEST(a_file_that_changes_during_the_download_is_begun_again),
    TEST(a_stalled_download_times_out_and_is_resumed),
    TEST(several_files_come_over_one_connection_which_is_closed_when_all_are_there),
    TEST(a_kept_connection_that_the_server_gave_up_is_made_anew_at_once),
    TEST(one_byte_at_a_time_is_enough),
    TEST(a_hub_that_cannot_be_reached_is_tried_for_ever_and_dps_asked_now_and_then),
    TEST(a_device_that_is_kicked_backs_off_and_comes_back),
    TEST(a_refused_login_makes_it_register_again),
    TEST(revoked_keys_and_a_disabled_enrolment_stop_nothing_that_runs),
    TEST(a_hub_that_comes_back_is_found_although_dps_does_not),
    TEST(dps_that_asks_for_patience_or_fails_is_asked_again),
    TEST(the_token_is_renewed_before_it_expires),
    TEST(a_patch_sent_while_the_device_was_away_is_found_by_the_full_read),
    TEST(a_report_that_is_not_answered_is_sent_again),
    TEST(what_was_said_in_vain_is_said_again_when_the_hub_listens),
    TEST(a_throttled_report_is_sent_again_later),
    TEST(a_report_that_is_refused_is_not_sent_for_ever),
    TEST(a_twin_read_that_is_not_answered_is_asked_again),
    TEST(nothing_is_sent_while_nothing_happens),
};
TEST_MAIN(cases)
