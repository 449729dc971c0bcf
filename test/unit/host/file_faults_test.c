// SPDX-License-Identifier: Apache-2.0
// Files that must not get in, and plug-ins that do not behave: each is answered by its code,
// nothing is lost, and the rest goes on.
#include <stdio.h>
#include <string.h>

#include "plugin/capabilities.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

// Lines of the log of what has happened may be on their way to flash still: so many operations.
#define LOG_OPERATIONS 4u

// A device that runs blinky 10 and a neighbour, both confirmed.
static void open_running_world(void)
{
    world_open();
    world_publish("blinky-10.wasm",
                  &(struct module){ .name = "blinky", .version = 10, .epoch = 3 });
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire("[{'Name':'blinky','Version':10,'Url':'https://files.example/blinky-10.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
}

// Desires blinky 11 (and the neighbour still), with one more member for its entry.
static void desire_blinky_11(const char *more)
{
    char modules[512];
    snprintf(modules, sizeof modules,
             "[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm'%s},"
             "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]",
             more);
    world_desire(modules);
}

// Whether both plug-ins go on running, blinky in version 10, without one more request.
static void check_that_both_go_on(void)
{
    uint32_t requests = world.requests;
    uint32_t operations = world.flash.operations;
    uint32_t writes[2] = { board.writes[0], board.writes[1] };
    world_run(600000);
    CHECK(board.writes[0] >= writes[0] + 5000);
    CHECK(board.writes[1] >= writes[1] + 5000);
    CHECK(!board.levels[0]); // version 11 would set it
    CHECK_EQUAL(world.requests, requests);
    CHECK(world.flash.operations - operations <= LOG_OPERATIONS);
    CHECK_EQUAL(world_version("blinky"), 10);
    CHECK_TEXT(world_state("other"), "running");
}

// Publishes this as blinky 11, desires it, and expects that it is refused or rolled back with
// `code`.
static void expect(const struct module *module, const char *state, uint32_t code)
{
    open_running_world();
    struct module made = *module;
    made.name = made.name ? made.name : "blinky";
    made.version = made.version ? made.version : 11;
    made.epoch = made.epoch ? made.epoch : 3;
    world_publish("blinky-11.wasm", &made);
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), state);
    CHECK_EQUAL(world_error("blinky"), code);
    check_that_both_go_on();
    world_close();
}

// ---- The four probes ---------------------------------------------------------------------------

static void probe_1_a_wrong_hash_is_refused_after_one_download_and_the_good_version_stays(void)
{
    open_running_world();
    world_publish("blinky-11.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
    uint32_t requests = world.requests;
    desire_blinky_11(",'Sha256':"
                     "'00000000000000000000000000000000000000000000000000000000000000ff'");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_SHA256);
    CHECK_EQUAL(world.requests, requests + 1);
    check_that_both_go_on();
    world_close();
}

static void probe_2_a_trap_at_start_is_rolled_back_and_reported(void)
{
    expect(&(struct module){ .behaviour = MODULE_TRAPS_AT_START }, "rolled_back",
           AG_TRAP_UNREACHABLE);
}

static void probe_3_an_infinite_loop_costs_its_budget_once_and_delays_nobody(void)
{
    open_running_world();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .epoch = 3,
                                                      .fuel_per_run = 2000000,
                                                      .behaviour = MODULE_SPINS });
    uint32_t writes = board.writes[1];
    uint64_t began_ms = board.now_ms;
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), AG_TRAP_FUEL);
    uint64_t periods = (board.now_ms - began_ms) / 100;
    CHECK(board.writes[1] - writes + 1 >= periods); // the neighbour kept its period meanwhile
    check_that_both_go_on();
    world_close();
}

static void probe_4_an_invalid_entry_is_reported_once_and_the_others_go_on(void)
{
    open_running_world();
    world_desire("[{'Name':'blinky','Version':'eleven','Url':'https://files.example/b.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_TWIN_VERSION);
    uint32_t reports = world.hub.reports;
    uint32_t lines = board_log_count("\n");
    check_that_both_go_on();
    CHECK_EQUAL(world.hub.reports, reports);
    CHECK_EQUAL(board_log_count("\n"), lines);
    world_close();
}

// ---- Files -------------------------------------------------------------------------------------

static void a_file_without_a_signature_is_refused(void)
{
    expect(&(struct module){ .unsigned_ = true }, "refused", AG_ERR_FILE_UNSIGNED);
}

static void a_file_signed_by_an_unknown_key_is_refused(void)
{
    expect(&(struct module){ .key = 99 }, "refused", AG_ERR_FILE_KEY);
}

static void a_file_of_another_name_is_refused(void)
{
    expect(&(struct module){ .name = "binky" }, "refused", AG_ERR_FILE_NAME);
}

static void a_file_of_another_version_than_the_twin_says_is_refused(void)
{
    expect(&(struct module){ .version = 13 }, "refused", AG_ERR_FILE_VERSION);
}

static void a_file_of_a_lower_epoch_is_refused(void)
{
    expect(&(struct module){ .epoch = 2 }, "refused", AG_ERR_FILE_EPOCH);
}

static void a_file_that_needs_what_the_board_lacks_is_refused_by_its_head(void)
{
    expect(&(struct module){ .capability = AG_CAPABILITY_SETTINGS + 32 }, "refused",
           AG_ERR_FILE_CAPABILITY);
}

static void a_file_that_asks_for_more_memory_than_there_is_is_refused(void)
{
    expect(&(struct module){ .memory_size = 1000000 }, "refused", AG_ERR_FILE_MEMORY);
}

// The instance alone counts to a little less than 2^32 bytes, and with its own data to a little
// more. From 16384 elements on it alone is too much, which the engine says.
static void a_module_whose_needs_are_more_than_32_bits_count_is_refused(void)
{
    for (uint32_t elements = 15600; elements < 16000; elements += 50)
        expect(&(struct module){ .behaviour = MODULE_VAST,
                                 .memory_size = 0xFFFF0000u,
                                 .argument = elements,
                                 .data_size = AG_CFG_DATA_MAX,
                                 .capability = AG_CAPABILITY_STORE },
               "refused", AG_ERR_FILE_MEMORY);
    expect(
        &(struct module){ .behaviour = MODULE_VAST, .memory_size = 0xFFFF0000u, .argument = 16384 },
        "refused", AG_ERR_WASM_MEMORY);
}

static void a_module_that_imports_what_its_head_does_not_list_is_refused(void)
{
    static const uint16_t hidden[] = { AG_CAPABILITY_GPIO, AG_CAPABILITY_LOG,
                                       AG_CAPABILITY_SETTINGS, AG_CAPABILITY_TELEMETRY };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        expect(&(struct module){ .hidden = hidden[i] }, "refused", AG_ERR_WASM_IMPORT);
}

static void a_module_that_imports_what_nobody_offers_is_refused(void)
{
    expect(&(struct module){ .behaviour = MODULE_UNKNOWN_IMPORT }, "refused", AG_ERR_WASM_IMPORT);
}

static void a_signed_but_invalid_module_is_refused(void)
{
    expect(&(struct module){ .behaviour = MODULE_INVALID }, "refused", AG_ERR_WASM_INVALID);
}

static void a_module_without_execute_is_refused(void)
{
    expect(&(struct module){ .behaviour = MODULE_NO_EXECUTE }, "refused", AG_ERR_FILE_EXECUTE);
}

static void a_version_whose_initialize_says_no_is_rolled_back(void)
{
    expect(&(struct module){ .behaviour = MODULE_REFUSES }, "rolled_back", AG_ERR_INITIALIZE);
}

static void a_pointer_outside_of_its_memory_is_a_trap_that_the_host_survives(void)
{
    expect(&(struct module){ .behaviour = MODULE_HOSTILE_POINTER }, "rolled_back", AG_TRAP_HOST);
}

// ---- Damage ------------------------------------------------------------------------------------

// Every truncation and every flipped bit of a file: refused, and blinky 10 goes on.
static void expect_damaged(const uint8_t *bytes, size_t size)
{
    world_publish_bytes("blinky-11.wasm", bytes, size);
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK(world_error("blinky") >= 1001 && world_error("blinky") < 1400);
    CHECK_EQUAL(world_version("blinky"), 10);
    desire_blinky_11(",'Enabled':true,'Url':''"); // so that the next one is another request
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
}

static void a_file_truncated_anywhere_is_refused(void)
{
    struct ag_buffer file = { 0 };
    module_build(&file, &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
    open_running_world();
    for (size_t size = 1; size < file.size; size++) {
        test_note("%zu of %zu bytes", size, file.size);
        expect_damaged(file.bytes, size);
    }
    ag_buffer_clear(&file);
    world_close();
}

static void a_file_with_one_bit_flipped_anywhere_is_refused(void)
{
    struct ag_buffer file = { 0 };
    module_build(&file, &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
    open_running_world();
    for (size_t bit = 0; bit < file.size * 8; bit += 5) {
        test_note("bit %zu", bit);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_damaged(file.bytes, file.size);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(!board.levels[0]);
    ag_buffer_clear(&file);
    world_close();
}

static void bytes_behind_the_file_are_refused(void)
{
    struct ag_buffer file = { 0 };
    module_build(&file, &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
    ag_buffer_append_u8(&file, 0);
    open_running_world();
    expect_damaged(file.bytes, file.size);
    ag_buffer_clear(&file);
    world_close();
}

// ---- What happens later ----------------------------------------------------------------------

// The head of a file of 20 KB says how much it needs: the rest is not fetched.
static void what_needs_too_much_memory_is_refused_by_its_head(void)
{
    open_running_world();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .epoch = 3,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 20000,
                                                      .memory_size = 1000000 });
    const uint32_t bytes = world.file_bytes_sent;
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_MEMORY);
    CHECK(world.file_bytes_sent - bytes < 10000);
    world_close();
}

// Nothing is left of it but its hash: another version took its place in the store.
static void the_file_that_failed_is_known_again_by_its_hash(void)
{
    const struct module bad = {
        .name = "blinky", .version = 11, .epoch = 3, .behaviour = MODULE_TRAPS_AT_START
    };
    open_running_world();
    world_publish("blinky-11.wasm", &bad);
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    world_publish("blinky-12.wasm",
                  &(struct module){ .name = "blinky", .version = 12, .epoch = 3 });
    desire_blinky_11(",'Version':12,'Url':'https://files.example/blinky-12.wasm'");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 12);
    desire_blinky_11(",'AllowDowngrade':true");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_QUARANTINED);
    CHECK_EQUAL(world_version("blinky"), 12);
    world_close();
}

static void the_file_that_failed_is_known_again_by_its_head_under_another_url(void)
{
    open_running_world();
    struct module bad = {
        .name = "blinky", .version = 11, .epoch = 3, .behaviour = MODULE_LARGE, .argument = 10000
    };
    bad.behaviour = MODULE_TRAPS_AT_START;
    world_publish("blinky-11.wasm", &bad);
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    uint32_t operations = world.flash.operations;
    desire_blinky_11(",'Url':'https://files.example/blinky-11.wasm?sig=another'");
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_QUARANTINED);
    CHECK_EQUAL(world.flash.operations, operations); // not even stored
    // A corrected file of the same version is another file, and welcome.
    world_publish("blinky-11.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
    desire_blinky_11(",'Url':'https://files.example/blinky-11.wasm?sig=third'");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 0);
    world_close();
}

// Blinky 11 traps under one URL and is good under another.
static void publish_bad_and_good_11(void)
{
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .epoch = 3,
                                                      .behaviour = MODULE_TRAPS_LATER,
                                                      .argument = 2 });
    world_publish("blinky-11-b.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .epoch = 3 });
}

static void check_that_the_good_11_runs(void)
{
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 0);
}

static void what_failed_does_not_keep_another_url_from_being_fetched_after_a_start(void)
{
    open_running_world();
    publish_bad_and_good_11();
    desire_blinky_11("");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    world_power_off();
    desire_blinky_11(",'Url':'https://files.example/blinky-11-b.wasm'");
    sim_flash_restart(&world.flash);
    world_boot();
    check_that_the_good_11_runs();
    world_close();
}

static void after_a_start_the_same_url_is_not_asked_and_another_of_the_same_file_for_its_head(void)
{
    open_running_world();
    publish_bad_and_good_11();
    desire_blinky_11("");
    CHECK(world_settle(60000));
    uint32_t requests = world.requests;
    world_reset();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(world.requests, requests);
    world_power_off();
    desire_blinky_11(",'Url':'https://files.example/blinky-11.wasm?sig=another'");
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_QUARANTINED);
    CHECK_EQUAL(world.requests, requests + 1);
    check_that_both_go_on();
    world_close();
}

static void a_url_that_came_during_the_trial_of_a_file_that_fails_is_fetched(void)
{
    open_running_world();
    publish_bad_and_good_11();
    desire_blinky_11("");
    for (int i = 0; i < 60000 && !board_logged("blinky 11: trial"); i++)
        world_run(1);
    desire_blinky_11(",'Url':'https://files.example/blinky-11-b.wasm'");
    check_that_the_good_11_runs();
    CHECK(board_logged("blinky 11: rolled back to 10"));
    world_close();
}

static void a_long_computation_is_suspended_and_delays_nobody(void)
{
    world_open();
    world_publish("long-1.wasm", &(struct module){ .name = "long",
                                                   .version = 1,
                                                   .behaviour = MODULE_COMPUTES,
                                                   .argument = 400000,
                                                   .period_ms = 10,
                                                   .fuel_per_run = 100000000 });
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire("[{'Name':'long','Version':1,'Url':'https://files.example/long-1.wasm'},"
                 "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    uint32_t writes[2] = { board.writes[0], board.writes[1] };
    world_run(10000);
    CHECK(board.writes[0] >= writes[0] + 10);
    CHECK(board.writes[0] <= writes[0] + 500); // it does take many slices
    CHECK(board.writes[1] >= writes[1] + 99);
    world_close();
}

static void a_confirmed_version_that_fails_later_is_started_again_with_growing_pauses(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky",
                                                      .version = 10,
                                                      .behaviour = MODULE_TRAPS_LATER,
                                                      .argument = 20 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    world_run(2200);
    CHECK_EQUAL(world_error("blinky"), AG_TRAP_UNREACHABLE);
    world_run(600000);
    CHECK_EQUAL(board_log_count("blinky 10: failed: trap_unreachable (1207)"), 5);
    CHECK_EQUAL(world_version("blinky"), 10);
    world_close();
}

static void two_plug_ins_cannot_drive_one_pin(void)
{
    world_open();
    world_publish("one-1.wasm", &(struct module){ .name = "one", .version = 1 });
    world_publish("two-2.wasm", &(struct module){ .name = "two", .version = 2 });
    world_desire("[{'Name':'one','Version':1,'Url':'https://files.example/one-1.wasm'},"
                 "{'Name':'two','Version':2,'Url':'https://files.example/two-2.wasm'}]");
    world_boot();
    CHECK(world_settle(60000));
    board.levels[0] = false;
    world_run(1000);
    CHECK(board.levels[0]); // one writes 1, two would write 0
    world_desire("[{'Name':'two','Version':2,'Url':'https://files.example/two-2.wasm'}]");
    CHECK(world_settle(60000));
    CHECK_EQUAL(board.modes[0], 0);
    world_close();
}

static const struct test_case cases[] = {
    TEST(probe_1_a_wrong_hash_is_refused_after_one_download_and_the_good_version_stays),
    TEST(probe_2_a_trap_at_start_is_rolled_back_and_reported),
    TEST(probe_3_an_infinite_loop_costs_its_budget_once_and_delays_nobody),
    TEST(probe_4_an_invalid_entry_is_reported_once_and_the_others_go_on),
    TEST(a_file_without_a_signature_is_refused),
    TEST(a_file_signed_by_an_unknown_key_is_refused),
    TEST(a_file_of_another_name_is_refused),
    TEST(a_file_of_another_version_than_the_twin_says_is_refused),
    TEST(a_file_of_a_lower_epoch_is_refused),
    TEST(a_file_that_needs_what_the_board_lacks_is_refused_by_its_head),
    TEST(a_file_that_asks_for_more_memory_than_there_is_is_refused),
    TEST(a_module_whose_needs_are_more_than_32_bits_count_is_refused),
    TEST(a_module_that_imports_what_its_head_does_not_list_is_refused),
    TEST(a_module_that_imports_what_nobody_offers_is_refused),
    TEST(a_signed_but_invalid_module_is_refused),
    TEST(a_module_without_execute_is_refused),
    TEST(a_version_whose_initialize_says_no_is_rolled_back),
    TEST(a_pointer_outside_of_its_memory_is_a_trap_that_the_host_survives),
    TEST(a_file_truncated_anywhere_is_refused),
    TEST(a_file_with_one_bit_flipped_anywhere_is_refused),
    TEST(bytes_behind_the_file_are_refused),
    TEST(what_needs_too_much_memory_is_refused_by_its_head),
    TEST(the_file_that_failed_is_known_again_by_its_hash),
    TEST(the_file_that_failed_is_known_again_by_its_head_under_another_url),
    TEST(what_failed_does_not_keep_another_url_from_being_fetched_after_a_start),
    TEST(after_a_start_the_same_url_is_not_asked_and_another_of_the_same_file_for_its_head),
    TEST(a_url_that_came_during_the_trial_of_a_file_that_fails_is_fetched),
    TEST(a_long_computation_is_suspended_and_delays_nobody),
    TEST(a_confirmed_version_that_fails_later_is_started_again_with_growing_pauses),
    TEST(two_plug_ins_cannot_drive_one_pin),
};
TEST_MAIN(cases)
