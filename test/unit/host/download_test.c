// SPDX-License-Identifier: Apache-2.0
// Downloads that are cut, moved, damaged or refused: what came is kept where it can be, nothing is
// believed that was not proven, and the device gets there in the end.
#include <stdio.h>
#include <string.h>

#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

#define LARGE_SIZE 60000u

static void publish_large(const char *path, const char *name, uint32_t version, uint8_t pin)
{
    world_publish(path, &(struct module){ .name = name,
                                          .version = version,
                                          .pin = pin,
                                          .behaviour = MODULE_LARGE,
                                          .argument = LARGE_SIZE });
}

// Blinky 10 runs; 11 is large, and comes at 10 bytes a millisecond.
static void open_slow_world(void)
{
    world_open();
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    publish_large("blinky-11.wasm", "blinky", 11, 0);
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    world.file_pipe.bytes_per_ms = 10;
    world.file_bytes_sent = 0;
    world.requests = 0;
}

// Until the device has got so much of what it asked for.
static void run_until_received(uint32_t size)
{
    for (int i = 0; i < 100000 && world.file_pipe.delivered < size; i++)
        world_run(1);
    CHECK(world.file_pipe.delivered >= size);
}

// What is on its way is lost.
static void break_line(void)
{
    world.file_pipe.cut_after = world.file_pipe.delivered;
    world_run(3);
    world.file_pipe.cut_after = 0;
}

static void check_that_11_arrives(void)
{
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 0);
    world_run(1000);
    CHECK(board.levels[0]);
}

static uint32_t free_space(void)
{
    struct ag_host_status status;
    ag_host_status(world.host, &status);
    return status.store_free;
}

// ---- Resets ------------------------------------------------------------------------------------

static void a_power_cut_in_a_long_download_costs_what_came_since_the_last_record(void)
{
    open_slow_world();
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_reset();
    check_that_11_arrives();
    CHECK(world.range_is_guarded);
    CHECK_EQUAL(world.range_first % 4096, 0);
    CHECK(world.range_first >= 50000 - AG_CFG_FETCH_NOTE - 4096);
    CHECK_EQUAL(board_log_count("blinky 11: verified"), 1);
    world_close();
}

static void a_part_whose_signer_is_no_longer_trusted_is_not_gone_on_with(void)
{
    open_slow_world();
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_power_off();
    ag_buffer_clear(&world.trust);
    module_trust_with(&world.trust, 2, MODULE_KEY + 1);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(world_settle(600000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_KEY);
    CHECK_EQUAL(world_version("blinky"), 10); // what it signed before runs on
    CHECK_EQUAL(world.range_first, 0);
    world_close();
}

static void a_host_that_is_closed_in_order_goes_on_with_all_that_came(void)
{
    open_slow_world();
    world_desire_one("blinky", 11);
    run_until_received(30000);
    ag_host_close(world.host);
    world_reset();
    check_that_11_arrives();
    CHECK(world.range_first > 30000 - 4096 - 1000);
    world_close();
}

// Cuts the power at operation `at` of the download; returns how many there were until the trial.
static uint32_t cut_download(uint32_t at, enum sim_cut_mode mode)
{
    open_slow_world();
    world.flash.operations = 0;
    world.flash.cut_at = at;
    world.flash.cut_mode = mode;
    world.flash.seed = at * 31 + (uint32_t)mode;
    world.stops_at_cut = true;
    if (setjmp(world.power) == 0) {
        world_desire_one("blinky", 11);
        for (int i = 0; i < 30000 && !board_logged("blinky 11: verified"); i++)
            world_run(1);
    }
    return world.flash.operations;
}

static void a_power_cut_anywhere_in_a_long_download_costs_little_and_no_whole_file_twice(void)
{
    uint32_t operations = cut_download(0, SIM_CUT_BEFORE);
    uint32_t from_flash = 0;
    world_close();
    for (uint32_t at = 1; at <= operations; at++) {
        enum sim_cut_mode mode = (enum sim_cut_mode)(at % SIM_CUT_MODES);
        test_note("cut %s operation %u of %u", sim_cut_mode_name(mode), (unsigned)at,
                  (unsigned)operations);
        cut_download(at, mode);
        CHECK(world.flash.off);
        uint32_t came = world.file_pipe.delivered;
        uint32_t requests = world.requests;
        world.file_bytes_sent = 0;
        world_reset();
        check_that_11_arrives();
        // At 10 bytes a millisecond a record is made every AG_CFG_FETCH_NOTE bytes.
        if (came > AG_CFG_FETCH_NOTE + 8192)
            CHECK(world.file_bytes_sent < LARGE_SIZE - AG_CFG_FETCH_NOTE + 8192);
        from_flash += world.requests == requests;
        world_close();
    }
    CHECK(from_flash > 0); // whole, and only to be verified and translated
    printf("# %u operations, %u cuts, %u of them with nothing to fetch again\n",
           (unsigned)operations, (unsigned)operations, (unsigned)from_flash);
}

static void bytes_that_rot_between_two_resets_are_fetched_again(void)
{
    for (uint32_t size = 40000; size < LARGE_SIZE + 4000; size += 20000) {
        open_slow_world();
        world_desire_one("blinky", 11);
        run_until_received(size < LARGE_SIZE ? size : LARGE_SIZE);
        world_power_off();
        struct ag_store store;
        struct ag_store_slot slot;
        struct ag_store_writer writer;
        const uint8_t *bytes;
        uint8_t tag[AG_STORE_TAG_MAX];
        size_t tag_size;
        uint32_t offset;
        CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
        CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "blinky", AG_STORE_NEXT, &slot), AG_OK);
        CHECK_EQUAL(ag_store_resume(&store, slot.id, &writer, &offset, tag, &tag_size), AG_OK);
        CHECK_EQUAL(ag_store_place(&store, &writer, &bytes), AG_OK);
        sim_flash_flip(&world.flash, (uint32_t)(bytes - world.flash.flash.base + 20000) * 8);
        sim_flash_restart(&world.flash);
        world_boot();
        check_that_11_arrives();
        world_close();
    }
}

static void a_part_of_another_version_is_of_no_use(void)
{
    open_slow_world();
    world_publish("blinky-13.wasm", &(struct module){ .name = "blinky", .version = 13 });
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_power_off();
    world_desire_one("blinky", 13);
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 13);
    world_close();
}

static void a_file_replaced_under_the_same_version_while_the_device_was_off_is_fetched_anew(void)
{
    open_slow_world();
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_power_off();
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = LARGE_SIZE + 1 });
    sim_flash_restart(&world.flash);
    world_boot();
    check_that_11_arrives();
    CHECK_EQUAL(world.range_first, 0);
    CHECK_EQUAL(board_log_count("waiting to fetch again"), 0); // changed: at once
    world_close();
}

static void what_came_of_a_file_that_is_desired_no_more_is_given_back(void)
{
    open_slow_world();
    uint32_t before = free_space();
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_power_off();
    world_desire_one("blinky", 10);
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(free_space() < before);
    CHECK(world_settle(60000));
    CHECK_EQUAL(free_space(), before);
    world_desire_one("blinky", 11);
    run_until_received(50000);
    world_power_off();
    world_desire("[]");
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(world_settle(60000));
    CHECK(free_space() > before);
    CHECK(!world_is_reported("blinky"));
    world_close();
}

static void what_comes_fast_or_is_small_costs_one_sync(void)
{
    open_slow_world();
    world.file_pipe.bytes_per_ms = 0;
    world_publish("small-1.wasm", &(struct module){ .name = "small", .version = 1, .pin = 1 });
    publish_large("large-1.wasm", "large", 1, 2);
    static const char *const names[] = { "small", "large" };
    uint32_t syncs[2];
    for (int i = 0; i < 2; i++) {
        world_desire_one(names[i], 1);
        char line[64];
        snprintf(line, sizeof line, "%s 1: downloading", names[i]);
        while (!board_logged(line))
            world_run(1);
        uint32_t before = world.flash.counts.syncs;
        snprintf(line, sizeof line, "%s 1: verified", names[i]);
        while (!board_logged(line))
            world_run(1);
        syncs[i] = world.flash.counts.syncs - before;
    }
    CHECK_EQUAL(syncs[0], syncs[1]);
    CHECK(syncs[0] <= 2); // the seal, and the mark that begins the trial
    world_close();
}

// ---- Several files -----------------------------------------------------------------------------

#define TWO                                                                                        \
    "[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm'},"                \
    "{'Name':'other','Version':1,'Url':'https://files.example/other-1.wasm'}]"

static void a_file_that_waits_lets_another_pass_and_goes_on_where_it_was(void)
{
    open_slow_world();
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire(TWO);
    run_until_received(20000);
    world.files[1].code = 503;
    break_line();
    world_run(60000);
    CHECK_TEXT(world_state("other"), "running");
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_SERVER);
    world.files[1].code = 0;
    uint32_t sent = world.file_bytes_sent;
    check_that_11_arrives();
    CHECK(world.range_first >= 16384);
    CHECK(world.file_bytes_sent - sent < LARGE_SIZE - 15000);
    world_close();
}

static void what_came_in_part_gives_way_to_what_would_have_no_room(void)
{
    open_slow_world();
    publish_large("other-1.wasm", "other", 1, 1);
    world_desire(TWO);
    run_until_received(50000);
    world.files[1].code = 404; // and never comes back
    break_line();
    world_run(120000);
    CHECK_TEXT(world_state("other"), "running");
    CHECK_TEXT(world_state("blinky"), "waiting");
    world.files[1].code = 0;
    CHECK(!board_logged("store_full"));
    world_close();
}

static void a_file_too_large_for_the_store_is_refused_before_its_rest_is_asked_for(void)
{
    open_slow_world();
    world.file_pipe.bytes_per_ms = 0;
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 200000 });
    uint32_t operations = world.flash.operations;
    world_desire_one("blinky", 11);
    world_run(100);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_STORE_FULL);
    CHECK_EQUAL(world.file_bytes_sent, 2048);
    CHECK_EQUAL(world.requests, 1);
    CHECK_EQUAL(world.flash.operations, operations);
    world_close();
}

// ---- URLs that expire or move ------------------------------------------------------------------

static void desire_with_secret(const char *secret, bool is_heard)
{
    char modules[256];
    snprintf(modules, sizeof modules,
             "[{'Name':'blinky','Version':11,'Url':'https://files.example/blinky-11.wasm?sig=%s'}]",
             secret);
    bool was_subscribed = world.hub.is_subscribed;
    world.hub.is_subscribed = was_subscribed && is_heard;
    world_desire(modules);
    world.hub.is_subscribed = was_subscribed;
}

static void an_expired_url_is_looked_up_in_the_twin_again_and_the_download_goes_on(void)
{
    open_slow_world();
    world.secret = "sig=one";
    desire_with_secret("one", true);
    run_until_received(40000);
    world.secret = "sig=two";
    desire_with_secret("two", false); // the patch gets lost
    uint32_t gets = world.hub.gets;
    break_line();
    uint64_t began_ms = board.now_ms;
    check_that_11_arrives();
    CHECK(board.now_ms - began_ms < 20000);
    CHECK_EQUAL(world.hub.gets, gets + 1);
    CHECK(world.range_first >= 39000);
    world_close();
}

static void a_url_that_stays_forbidden_costs_few_reads_of_the_twin(void)
{
    open_slow_world();
    world.secret = "sig=two";
    desire_with_secret("one", true);
    uint32_t gets = world.hub.gets;
    world_run(12u * 3600u * 1000u);
    CHECK(world.requests > 12 * 30);
    CHECK(world.hub.gets - gets >= 8);
    CHECK(world.hub.gets - gets <= 8 + 16 + 4); // the token is renewed every 45 minutes
    CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_FORBIDDEN);
    desire_with_secret("two", true);
    check_that_11_arrives();
    world_close();
}

static void a_fresh_url_in_the_middle_of_a_download_takes_over_where_it_is(void)
{
    open_slow_world();
    desire_with_secret("one", true);
    run_until_received(40000);
    world.secret = "sig=two";
    desire_with_secret("two", true);
    check_that_11_arrives();
    CHECK(world.range_first >= 39000);
    CHECK_EQUAL(world.requests, 3);
    CHECK(!board_logged("waiting to fetch again"));
    world_close();
}

static void another_twin_with_the_same_entry_does_not_disturb_a_request_on_its_way(void)
{
    open_slow_world();
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world.gives_up_after_each = true;
    world_desire_one("blinky", 11);
    for (int i = 0; i < 100000 && world.requests < 2; i++) {
        // The text of the URL moves from one table to the other and is written over.
        world_desire(i % 2 ? TWO
                           : "[{'Name':'blinky','Version':11,'Settings':{'a':'"
                             "https://elsewhere.example/','b':'...................'},"
                             "'Url':'https://files.example/blinky-11.wasm'}]");
        world_run(1);
    }
    check_that_11_arrives();
    world_close();
}

// ---- Servers of all kinds ----------------------------------------------------------------------

static void arrives_within(uint32_t requests)
{
    world_desire_one("blinky", 11);
    check_that_11_arrives();
    CHECK(world.requests <= requests);
}

static void a_server_without_etags_or_with_weak_ones_will_do(void)
{
    open_slow_world();
    world.has_no_etag = true;
    arrives_within(2);
    world_close();
    open_slow_world();
    world.has_weak_etag = true;
    arrives_within(2);
    world_close();
}

static void chunks_carry_a_range_as_well_as_a_length_does(void)
{
    open_slow_world();
    world.chunks = true;
    arrives_within(2);
    world_close();
}

// Where the end of the chunks alone would say how large the file is.
static void a_whole_file_of_unknown_size_is_not_taken_and_waited_out(void)
{
    open_slow_world();
    world.chunks = true;
    world.ignores_ranges = true;
    world_desire_one("blinky", 11);
    world_run(10000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_LENGTH);
    CHECK_EQUAL(world_version("blinky"), 10);
    world.chunks = false;
    check_that_11_arrives();
    world_close();
}

static void without_an_etag_a_cut_begins_again_and_a_mixture_is_not_held_against_the_file(void)
{
    open_slow_world();
    world.has_no_etag = true;
    world_desire_one("blinky", 11);
    run_until_received(2100); // the head and the first bytes of the rest
    break_line();
    world_run(5000);
    CHECK(world.requests >= 3);
    check_that_11_arrives();
    world_close();

    open_slow_world();
    world.has_no_etag = true;
    world_desire_one("blinky", 11);
    while (world.requests == 0)
        world_run(1);
    world.damages = 1; // the rest is that of another file
    check_that_11_arrives();
    CHECK_EQUAL(world.requests, 3);
    CHECK(!board_logged("waiting to fetch again"));
    world_close();
}

static void a_server_whose_etag_changes_each_time_is_asked_for_all_at_once(void)
{
    open_slow_world();
    world.changes_etag = true;
    arrives_within(3);
    CHECK(!board_logged("waiting to fetch again"));
    world_close();
}

static void a_server_that_drips_does_not_keep_the_others_waiting(void)
{
    open_slow_world();
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire(TWO);
    run_until_received(5000);
    world.file_pipe.drip_ms = 20000; // each byte before the connection would be given up
    world_run(100000);
    CHECK(board_logged("11: waiting to fetch again: timeout"));
    world.file_pipe.drip_ms = 0;
    world_run(60000);
    CHECK_TEXT(world_state("other"), "running");
    check_that_11_arrives();
    world_close();
}

// The bytes of two files are not even put together.
static void a_server_that_looks_at_no_if_match_is_found_out_by_its_etag(void)
{
    open_slow_world();
    world.changes_etag = true;
    world.ignores_match = true;
    arrives_within(3);
    CHECK_EQUAL(world.requests, 3); // the head, the rest refused by its ETag, all at once
    world_close();
}

static void the_md5_of_a_range_is_not_the_files(void)
{
    open_slow_world();
    world.says_range_md5 = true;
    arrives_within(2);
    CHECK(!board_logged("waiting to fetch again"));
    world_close();
}

static void a_server_that_gives_little_at_a_time_is_asked_more_often(void)
{
    open_slow_world();
    world.clips = 5000;
    arrives_within(14);
    world_close();
    open_slow_world();
    world.file_pipe.bytes_per_ms = 0;
    world.clips = 100; // the head, too, comes in pieces
    arrives_within(610);
    world_close();
}

static void the_whole_instead_of_the_rest_is_taken_as_it_comes(void)
{
    open_slow_world();
    world_desire_one("blinky", 11);
    run_until_received(30000);
    world.ignores_ranges = true;
    break_line();
    uint32_t requests = world.requests;
    check_that_11_arrives();
    CHECK_EQUAL(world.requests, requests + 1);
    world_close();
}

static void a_redirect_within_the_host_is_followed_and_no_other(void)
{
    static const struct {
        const char *to;
        enum ag_status status;
    } redirects[] = {
        { "/blinky-11.wasm", AG_OK },
        { "https://files.example/blinky-11.wasm", AG_OK },
        { "https://elsewhere.example/blinky-11.wasm", AG_ERR_HTTP_REDIRECT },
        { "http://files.example/blinky-11.wasm", AG_ERR_HTTP_REDIRECT },
        { "/old/blinky-11.wasm", AG_ERR_HTTP_REDIRECT }, // for ever
        { "", AG_ERR_HTTP_REDIRECT },
    };
    for (size_t i = 0; i < sizeof redirects / sizeof redirects[0]; i++) {
        test_note("%s", redirects[i].to);
        open_slow_world();
        world.redirects_to = redirects[i].to;
        world_desire("[{'Name':'blinky','Version':11,"
                     "'Url':'https://files.example/old/blinky-11.wasm'}]");
        if (redirects[i].status == AG_OK) {
            check_that_11_arrives();
        } else {
            CHECK(world_settle(60000));
            CHECK_EQUAL(world_error("blinky"), redirects[i].status);
            CHECK(world.requests <= 4);
        }
        world_close();
    }
}

static void answers_that_make_no_sense_are_waited_out(void)
{
    static const uint16_t codes[] = { 204, 304, 400, 408, 410, 416, 429, 500, 599 };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        test_note("%u", (unsigned)codes[i]);
        open_slow_world();
        world_desire_one("blinky", 11);
        run_until_received(30000);
        world.http_code = codes[i];
        break_line();
        world_run(20000);
        CHECK_TEXT(world_state("blinky"), "waiting");
        CHECK_EQUAL(world_version("blinky"), 10);
        world.http_code = 0;
        check_that_11_arrives();
        if (codes[i] != 416) // which says that there is nothing behind what came
            CHECK(world.range_first >= 30000 - 200);
        world_close();
    }
}

// ---- MD5 ---------------------------------------------------------------------------------------

static void a_right_md5_changes_nothing(void)
{
    for (int whole = 0; whole < 2; whole++) {
        open_slow_world();
        world.says_md5 = true;
        world.ignores_ranges = whole;
        arrives_within(2);
        world_close();
    }
}

static void a_wrong_md5_is_said_and_the_file_fetched_again_now_and_then(void)
{
    for (int whole = 0; whole < 2; whole++) {
        open_slow_world();
        world.file_pipe.bytes_per_ms = 0;
        world.says_wrong_md5 = true;
        world.ignores_ranges = whole;
        world_desire_one("blinky", 11);
        world_run(3600000);
        CHECK_TEXT(world_state("blinky"), "waiting");
        CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_MD5);
        CHECK_EQUAL(world_version("blinky"), 10);
        CHECK(world.requests >= 30 && world.requests <= 300);
        world.says_wrong_md5 = false;
        check_that_11_arrives();
        world_close();
    }
}

static void bytes_damaged_on_the_way_are_told_from_a_bad_file_by_the_md5(void)
{
    for (int md5 = 0; md5 < 2; md5++) {
        open_slow_world();
        world.file_pipe.bytes_per_ms = 0;
        world.says_md5 = md5;
        world.ignores_ranges = true;
        world.damages = 1;
        world_desire_one("blinky", 11);
        CHECK(world_settle(60000));
        if (md5)
            check_that_11_arrives();
        else
            CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_HASH);
        world_close();
    }
}

static void a_right_md5_makes_no_bad_file_good(void)
{
    open_slow_world();
    world.says_md5 = true;
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11, .key = 99 });
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_KEY);
    struct world_file *file = world_publish(
        "blinky-11.wasm", &(struct module){ .name = "blinky", .version = 11, .argument = 1 });
    file->bytes.bytes[file->bytes.size - 60] ^= 1;
    world_desire_one("blinky", 10);
    CHECK(world_settle(60000));
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "refused");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_HASH);
    world_close();
}

// ---- Pauses ------------------------------------------------------------------------------------

static void a_line_that_breaks_but_leads_on_is_not_waited_for_ever_longer(void)
{
    open_slow_world();
    world.file_pipe.bytes_per_ms = 0;
    world_publish("blinky-11.wasm", &(struct module){ .name = "blinky",
                                                      .version = 11,
                                                      .behaviour = MODULE_LARGE,
                                                      .argument = 75000 });
    world.config.backoff_base_ms = 1000;
    world.file_pipe.cut_after = 36000;
    uint64_t began_ms = board.now_ms;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
    CHECK(board.now_ms - began_ms < 10000);
    world_close();
}

static void downloads_can_be_spread_over_time(void)
{
    uint32_t late = 0;
    for (int i = 0; i < 10; i++) {
        char registration_id[16];
        world_open();
        snprintf(registration_id, sizeof registration_id, "dev-1");
        world.config.registration_id = registration_id;
        world.config.download_spread_ms = 100000;
        board.random += (uint64_t)i * 77;
        world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
        world_desire_one("blinky", 10);
        world_boot();
        world_run(50000);
        late += world.requests == 0;
        CHECK(world_settle(60000));
        CHECK_EQUAL(world_version("blinky"), 10);
        world_close();
    }
    CHECK(late > 0 && late < 10);
}

// ---- One connection ----------------------------------------------------------------------------

static void open_narrow_world(void)
{
    world_open();
    world.has_one_stream = true;
    world.config.one_connection = true;
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    publish_large("blinky-11.wasm", "blinky", 11, 0);
    world_publish("other-1.wasm", &(struct module){ .name = "other", .version = 1, .pin = 1 });
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 10);
}

static void with_one_connection_the_hub_is_left_for_a_download_and_joined_again(void)
{
    open_narrow_world();
    uint32_t connects = world.hub.connects;
    world.file_pipe.bytes_per_ms = 10;
    world_desire_one("blinky", 11);
    run_until_received(30000);
    CHECK(!world.hub_pipe.is_open);
    CHECK_TEXT(world_state("blinky"), "downloading"); // as said before it left
    check_that_11_arrives();
    CHECK(world.hub_pipe.is_open);
    CHECK_EQUAL(world.hub.connects, connects + 1);
    CHECK_EQUAL(board_log_count("link: closed"), 0);
    world_desire(TWO);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("other"), "running");
    world_close();
}

static void the_twin_can_ask_for_one_connection_and_for_two(void)
{
    open_narrow_world();
    json_object_set_new(world.hub.desired, "airgraft", json_pack("{s:b}", "OneConnection", 0));
    world.has_one_stream = false;
    uint32_t connects = world.hub.connects;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
    CHECK_EQUAL(world.hub.connects, connects);
    world_close();

    open_slow_world();
    json_object_set_new(world.hub.desired, "airgraft", json_pack("{s:b}", "OneConnection", 1));
    world.has_one_stream = true;
    world_desire_one("blinky", 11);
    check_that_11_arrives();
    world_close();
}

static void with_one_connection_a_failing_server_leaves_time_for_the_hub(void)
{
    open_narrow_world();
    world.http_code = 503;
    world_desire_one("blinky", 11);
    uint32_t online = 0;
    for (int i = 0; i < 3600; i++) {
        world_run(1000);
        online += world.hub_pipe.is_open && world.hub.is_subscribed;
    }
    CHECK(online > 3000);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_HTTP_SERVER);
    CHECK(world.hub.connects < 300);
    world.http_code = 0;
    check_that_11_arrives();
    world_close();
}

static void with_one_connection_a_stalled_download_and_a_newer_wish_are_heard(void)
{
    open_narrow_world();
    world_publish("blinky-13.wasm", &(struct module){ .name = "blinky", .version = 13 });
    world.file_pipe.stall_after = 5000;
    world_desire_one("blinky", 11);
    world_run(10000);
    CHECK(!world.hub_pipe.is_open);
    world_desire_one("blinky", 13); // nobody hears it
    world_run(60000);
    world.file_pipe.stall_after = 0;
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_version("blinky"), 13);
    world_close();
}

static void with_one_connection_a_hub_that_is_away_does_not_stop_a_download(void)
{
    open_narrow_world();
    world.file_pipe.open_fails = AG_ERR_CONNECT;
    world_desire_one("blinky", 11);
    world_run(20000);
    CHECK_EQUAL(world_error("blinky"), AG_ERR_CONNECT);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    world.file_pipe.open_fails = AG_OK;
    world_run(600000);
    CHECK(board.levels[0]); // 11 runs
    world.hub_pipe.open_fails = AG_OK;
    check_that_11_arrives();
    world_close();
}

static void with_one_connection_every_cut_count_still_ends_well(void)
{
    open_narrow_world();
    for (uint32_t cut = 1; cut < 66000; cut += 2971) {
        test_note("cut after %u", (unsigned)cut);
        world.file_pipe.cut_after = cut;
        world_desire_one("blinky", 11);
        world_run(300);
        world.file_pipe.cut_after = 0;
        CHECK(world_settle(600000));
        CHECK_EQUAL(world_version("blinky"), 11);
        world_desire("[]");
        CHECK(world_settle(60000));
    }
    world_close();
}

static const struct test_case cases[] = {
    TEST(a_power_cut_in_a_long_download_costs_what_came_since_the_last_record),
    TEST(a_part_whose_signer_is_no_longer_trusted_is_not_gone_on_with),
    TEST(a_host_that_is_closed_in_order_goes_on_with_all_that_came),
    TEST(a_power_cut_anywhere_in_a_long_download_costs_little_and_no_whole_file_twice),
    TEST(bytes_that_rot_between_two_resets_are_fetched_again),
    TEST(a_part_of_another_version_is_of_no_use),
    TEST(a_file_replaced_under_the_same_version_while_the_device_was_off_is_fetched_anew),
    TEST(what_came_of_a_file_that_is_desired_no_more_is_given_back),
    TEST(what_comes_fast_or_is_small_costs_one_sync),
    TEST(a_file_that_waits_lets_another_pass_and_goes_on_where_it_was),
    TEST(what_came_in_part_gives_way_to_what_would_have_no_room),
    TEST(a_file_too_large_for_the_store_is_refused_before_its_rest_is_asked_for),
    TEST(an_expired_url_is_looked_up_in_the_twin_again_and_the_download_goes_on),
    TEST(a_url_that_stays_forbidden_costs_few_reads_of_the_twin),
    TEST(a_fresh_url_in_the_middle_of_a_download_takes_over_where_it_is),
    TEST(another_twin_with_the_same_entry_does_not_disturb_a_request_on_its_way),
    TEST(a_server_without_etags_or_with_weak_ones_will_do),
    TEST(chunks_carry_a_range_as_well_as_a_length_does),
    TEST(a_whole_file_of_unknown_size_is_not_taken_and_waited_out),
    TEST(without_an_etag_a_cut_begins_again_and_a_mixture_is_not_held_against_the_file),
    TEST(a_server_whose_etag_changes_each_time_is_asked_for_all_at_once),
    TEST(a_server_that_looks_at_no_if_match_is_found_out_by_its_etag),
    TEST(the_md5_of_a_range_is_not_the_files),
    TEST(a_server_that_drips_does_not_keep_the_others_waiting),
    TEST(a_server_that_gives_little_at_a_time_is_asked_more_often),
    TEST(the_whole_instead_of_the_rest_is_taken_as_it_comes),
    TEST(a_redirect_within_the_host_is_followed_and_no_other),
    TEST(answers_that_make_no_sense_are_waited_out),
    TEST(a_right_md5_changes_nothing),
    TEST(a_wrong_md5_is_said_and_the_file_fetched_again_now_and_then),
    TEST(bytes_damaged_on_the_way_are_told_from_a_bad_file_by_the_md5),
    TEST(a_right_md5_makes_no_bad_file_good),
    TEST(a_line_that_breaks_but_leads_on_is_not_waited_for_ever_longer),
    TEST(downloads_can_be_spread_over_time),
    TEST(with_one_connection_the_hub_is_left_for_a_download_and_joined_again),
    TEST(the_twin_can_ask_for_one_connection_and_for_two),
    TEST(with_one_connection_a_failing_server_leaves_time_for_the_hub),
    TEST(with_one_connection_a_stalled_download_and_a_newer_wish_are_heard),
    TEST(with_one_connection_a_hub_that_is_away_does_not_stop_a_download),
    TEST(with_one_connection_every_cut_count_still_ends_well),
};
TEST_MAIN(cases)
