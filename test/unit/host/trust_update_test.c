// SPDX-License-Identifier: Apache-2.0
// The trust store object replaced over the air and by file: on trial like a plug-in, and never a
// way to lose the device.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core.h"
#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/watch.h"
#include "test/unit/host/world.h"

#define OLD_KEY  MODULE_KEY
#define NEW_KEY  8u
#define OLD_ROOT 101u
#define NEW_ROOT 102u

// What the device is born with: two authority keys, one of which is enough to replace it.
static const struct module_trust_plan first = { .epoch = 1,
                                                .authorities = { 1, 2 },
                                                .signers = { 1 },
                                                .plugin_keys = { OLD_KEY },
                                                .roots = { OLD_ROOT } };
static const struct module_trust_plan good = { .epoch = 2,
                                               .authorities = { 2, 3 },
                                               .signers = { 2 },
                                               .plugin_keys = { NEW_KEY },
                                               .roots = { OLD_ROOT, NEW_ROOT } };
// As good, but without the root of the hub.
static const struct module_trust_plan bad = { .epoch = 2,
                                              .authorities = { 2, 3 },
                                              .signers = { 2 },
                                              .plugin_keys = { NEW_KEY },
                                              .roots = { NEW_ROOT } };

static void publish_trust(const char *path, const struct module_trust_plan *plan)
{
    struct ag_buffer bytes = { 0 };
    module_trust_make(&bytes, plan);
    world_publish_bytes(path, bytes.bytes, bytes.size);
    ag_buffer_clear(&bytes);
}

static void desire_trust(const char *path, uint32_t epoch)
{
    char text[160];
    snprintf(text, sizeof text, "{'Trust':{'Url':'https://files.example/%s','Epoch':%u}}", path,
             (unsigned)epoch);
    world_desire_host(text);
}

static void open_world(void)
{
    world_open();
    module_trust_make(&world.trust, &first);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world.hub_pipe.root = OLD_ROOT;
    world.file_pipe.root = OLD_ROOT;
    watch_believe(NEW_KEY);
    world_publish("blinky-10.wasm", &(struct module){ .name = "blinky", .version = 10 });
    world_publish("blinky-11.wasm",
                  &(struct module){ .name = "blinky", .version = 11, .key = NEW_KEY });
}

// A device that runs blinky 10 and is connected.
static void begin(void)
{
    open_world();
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_epoch(), 1);
    CHECK_EQUAL(world_trust_error(), 0);
}

static void a_good_object_is_fetched_tried_and_confirmed(void)
{
    begin();
    uint32_t connects = world.hub.connects;
    publish_trust("trust-2", &good);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK_EQUAL(world.hub.connects, connects + 1); // afresh, with the new roots
    // What runs, runs on, although its key has left; a new version needs the new key.
    uint32_t writes = board.writes[0];
    world_run(1000);
    CHECK(board.writes[0] > writes);
    world_publish("blinky-12.wasm", &(struct module){ .name = "blinky", .version = 12 });
    world_desire_one("blinky", 12);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_KEY);
    world_desire_one("blinky", 11);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    // After a reset too, whatever the configuration still says; and the first version runs again.
    world.hub_pipe.root = NEW_ROOT;
    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK_EQUAL(world_version("blinky"), 11);
    world_close();
}

static void a_device_with_one_connection_replaces_and_rolls_back(void)
{
    begin();
    world.config.one_connection = true;
    world_reset();
    CHECK(world_settle(60000));
    publish_trust("trust-2", &bad);
    desire_trust("trust-2", 2);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_epoch(), 1);
    struct module_trust_plan third = good;
    third.epoch = 3;
    publish_trust("trust-3", &third);
    desire_trust("trust-3", 3);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_epoch(), 3);
    world_close();
}

static void a_plug_in_of_the_new_key_waits_for_the_object_that_brings_it(void)
{
    begin();
    publish_trust("trust-2", &good);
    world_desire_one("blinky", 11); // too early: nobody known signed it
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_FILE_KEY);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_version("blinky"), 11);
    CHECK_EQUAL(world_error("blinky"), 0);
    world_close();
}

static void losing_one_authority_key_of_two_is_survived(void)
{
    begin(); // signed by 1, which is lost: 2 alone replaces it
    publish_trust("trust-2", &good);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    // And then 3, which came with it.
    publish_trust("trust-3", &(struct module_trust_plan){ .epoch = 3,
                                                          .authorities = { 3 },
                                                          .signers = { 3 },
                                                          .plugin_keys = { NEW_KEY },
                                                          .roots = { OLD_ROOT } });
    desire_trust("trust-3", 3);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 3);
    world_close();
}

static void an_object_whose_roots_do_not_reach_the_hub_is_rolled_back(void)
{
    begin();
    publish_trust("trust-2", &bad);
    desire_trust("trust-2", 2);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_epoch(), 1);
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
    uint32_t requests = world.requests;
    world_reset(); // known after a reset too, and not fetched again
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
    CHECK_EQUAL(world.requests, requests);
    // The same bytes elsewhere are the same object.
    publish_trust("again", &bad);
    desire_trust("again", 2);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_error(), AG_ERR_QUARANTINED);
    CHECK_EQUAL(world_trust_epoch(), 1);
    // A corrected one under the same epoch may come in.
    publish_trust("trust-2b", &good);
    desire_trust("trust-2b", 2);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK_EQUAL(world_trust_error(), 0);
    world_close();
}

static void an_object_that_the_flash_has_damaged_gives_way_to_the_one_before(void)
{
    begin();
    publish_trust("trust-2", &good);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    const uint32_t offset = (uint32_t)(world.host->trust_bytes - world.flash.flash.base);
    world_power_off();
    sim_flash_flip(&world.flash, (offset + 20) * 8);
    world.config.trust = NULL;
    world.config.trust_size = 0;
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK_EQUAL(world.host->trust_update.in_use_epoch, 1);
    world_close();
}

static void a_reset_does_not_undo_that_an_object_has_failed(void)
{
    begin();
    publish_trust("trust-2", &bad);
    desire_trust("trust-2", 2);
    for (int i = 0; i < 600000 && board_log_count("trust store object 2: trial") < 2; i++)
        world_run(1);
    world_reset();
    CHECK(world_settle(600000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(board_log_count("trust store object 1: in use again for now"), 2);
    world_close();
}

static void an_object_whose_roots_no_port_can_use_is_rolled_back_at_once(void)
{
    begin();
    struct module_trust_plan broken = good;
    broken.root_is_none = true;
    publish_trust("trust-2", &broken);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(world_trust_epoch(), 1);
    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 1);
    world_close();
}

// Who could reach the hub but no server of files would never get another object.
// A device that runs blinky 10 and believes in a storage of its own root; `good` does not.
static void begin_with_a_storage_of_its_own(void)
{
    struct module_trust_plan both = first;
    both.roots[1] = 103;
    open_world();
    module_trust_make(&world.trust, &both);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world.file_pipe.root = 103;
    world_desire_one("blinky", 10);
    world_boot();
    CHECK(world_settle(60000));
    publish_trust("trust-2", &good);
}

static void an_object_whose_roots_do_not_reach_the_storage_is_rolled_back(void)
{
    begin_with_a_storage_of_its_own();
    desire_trust("trust-2", 2);
    CHECK(world_settle(600000));
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
    CHECK_EQUAL(world_trust_epoch(), 1);
    // And the device still takes the right one.
    struct module_trust_plan right = good;
    right.epoch = 3;
    right.roots[2] = 103;
    publish_trust("trust-3", &right);
    desire_trust("trust-3", 3);
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_epoch(), 3);
    world_close();
}

static void run_to_the_trial(void)
{
    desire_trust("trust-2", 2);
    for (int step = 0; step < 1000 && !board_logged("trust store object 2: trial"); step++)
        world_run(1);
    CHECK(board_logged("trust store object 2: trial"));
}

// Nobody knows then whether it is believed; and a device that could not be sent another object
// would be lost for good.
static void nothing_is_confirmed_while_the_storage_is_not_there(void)
{
    static const enum ag_status outages[] = { AG_ERR_DNS,   AG_ERR_CONNECT,  AG_ERR_TIMEOUT,
                                              AG_ERR_RESET, AG_ERR_TLS_NAME, AG_ERR_TLS_EXPIRED };
    for (size_t i = 0; i < sizeof outages / sizeof outages[0]; i++) {
        test_note("%s", ag_status_name(outages[i]));
        begin_with_a_storage_of_its_own();
        run_to_the_trial();
        world.file_pipe.open_fails = outages[i];
        world_run(3600u * 1000u);
        CHECK_TEXT(world_trust_state(), "trial");
        CHECK_EQUAL(world_trust_epoch(), 2); // the hub is reached
        uint32_t opens = world.file_pipe.opens;
        world_run(3600u * 1000u);
        CHECK(world.file_pipe.opens > opens && world.file_pipe.opens < opens + 120);
        world.file_pipe.open_fails = AG_OK;
        CHECK(world_settle(600000));
        CHECK_TEXT(world_trust_state(), "rolled_back");
        CHECK_EQUAL(world_trust_epoch(), 1);
        world_close();
    }
}

static void lose_interest(const char *host, bool while_off)
{
    test_note("%s%s", host, while_off ? ", while the device is off" : "");
    begin_with_a_storage_of_its_own();
    run_to_the_trial();
    world.file_pipe.open_fails = AG_ERR_CONNECT;
    world_run(10000);
    world_desire_host(host);
    if (while_off)
        world_reset();
    CHECK(world_settle(600000));
    CHECK(board_logged("trust store object 2: superseded"));
    CHECK(!board_logged("trust store object 2: confirmed"));
    CHECK_EQUAL(world_trust_epoch(), 1);
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_error(), 0);
    world_close();
}

static void an_object_that_nobody_wants_any_more_is_not_confirmed(void)
{
    static const char epoch_1[] = "{'Trust':{'Url':'https://files.example/trust-1','Epoch':1}}";
    lose_interest("{}", false);
    lose_interest("{}", true);
    lose_interest(epoch_1, false);
    lose_interest(epoch_1, true);
}

// The hub may have taken a report whose answer was lost: the same as before it is then another one.
static void what_is_in_use_is_told_again_after_a_report_whose_answer_was_lost(void)
{
    begin_with_a_storage_of_its_own();
    run_to_the_trial();
    uint32_t lost = 0;
    for (int step = 0; step < 60000 && !board_logged("rolled back"); step++) {
        struct ag_host_status status;
        uint32_t used = world.host->trust_update.in_use_epoch;
        bool uses_old = world.host->trust_update.trial.uses_old;
        world.hub.loses_answers = uses_old;
        world.file_pipe.open_fails = world_trust_epoch() == 2 ? AG_OK : AG_ERR_DNS;
        world_run(10);
        ag_host_status(world.host, &status);
        lost += world.host->trust_update.trial.uses_old && world_trust_epoch() == 1;
        if (status.is_reported && used == world.host->trust_update.in_use_epoch)
            CHECK_EQUAL(world_trust_epoch(), used);
    }
    CHECK(lost > 0);
    world_close();
}

static void a_plug_in_that_waits_for_the_end_of_a_trial_keeps_nobody_awake(void)
{
    begin_with_a_storage_of_its_own();
    world.http_code = 503;
    world_desire_one("blinky", 11);
    world_run(2000);
    CHECK_TEXT(world_state("blinky"), "waiting");
    world.http_code = 0;
    run_to_the_trial();
    CHECK_TEXT(world_state("blinky"), "waiting");
    world.file_pipe.open_fails = AG_ERR_DNS;
    world_run(60000);
    uint64_t steps = world.steps;
    world_run(600000);
    CHECK_TEXT(world_trust_state(), "trial");
    CHECK(world.steps - steps < 3 * 6000); // a run of blinky in each tenth of a second
    world_close();
}

// One that no longer lets the object be read is no fault of its roots.
static void a_storage_that_fails_otherwise_does_not_matter(void)
{
    static const uint16_t codes[] = { 403, 404, 500, 416, 302 };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        test_note("answer %zu", i);
        begin();
        publish_trust("trust-2", &good);
        run_to_the_trial();
        world.http_code = codes[i];
        CHECK(world_settle(60000));
        CHECK_EQUAL(world_trust_epoch(), 2);
        CHECK_TEXT(world_trust_state(), "running");
        world_close();
    }
}

// Whatever fails for both is no fault of the new one, however long it lasts.
static void an_outage_of_the_hub_condemns_nobody(void)
{
    static const enum ag_status outages[] = { AG_ERR_CONNECT, AG_ERR_DNS, AG_ERR_TIMEOUT,
                                              AG_ERR_TLS, AG_ERR_TLS_UNTRUSTED };
    for (size_t i = 0; i < sizeof outages / sizeof outages[0]; i++) {
        test_note("%s", ag_status_name(outages[i]));
        begin();
        publish_trust("trust-2", &good);
        desire_trust("trust-2", 2);
        for (int step = 0; step < 1000 && !board_logged("trust store object 2: trial"); step++)
            world_run(1);
        CHECK(board_logged("trust store object 2: trial"));
        world.hub_pipe.open_fails = outages[i];
        world_kick();
        world_run(4u * 3600u * 1000u);
        CHECK(board_logged("trust store object 1: in use again for now"));
        world_reset();
        world_run(3600u * 1000u);
        world.hub_pipe.open_fails = AG_OK;
        CHECK(world_settle(600000));
        CHECK_TEXT(world_trust_state(), "running");
        CHECK_EQUAL(world_trust_epoch(), 2);
        CHECK(!board_logged("rolled back"));
        world_close();
    }
}

// The hub goes and comes all the time; as long as the new roots are right, they win in the end.
static void a_hub_that_comes_and_goes_condemns_nobody(void)
{
    begin();
    publish_trust("trust-2", &good);
    desire_trust("trust-2", 2);
    for (uint32_t i = 0; i < 400 && world_trust_epoch() != 2; i++) {
        world.hub_pipe.open_fails = i % 3 ? AG_ERR_CONNECT : AG_OK;
        world_run(977 * (i % 7 + 1));
        CHECK(!board_logged("rolled back"));
    }
    world.hub_pipe.open_fails = AG_OK;
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    world_close();
}

static void what_may_not_replace_the_object_is_refused_with_its_reason(void)
{
    static const struct {
        const char *what;
        struct module_trust_plan plan;
        uint32_t epoch;
        enum ag_status error;
    } rows[] = {
        { "signed by strangers only",
          { .epoch = 2,
            .authorities = { 9 },
            .signers = { 9 },
            .plugin_keys = { NEW_KEY },
            .roots = { OLD_ROOT } },
          2,
          AG_ERR_TRUST_THRESHOLD },
        { "not signed by its own authority",
          { .epoch = 2, .authorities = { 3 }, .signers = { 1 }, .roots = { OLD_ROOT } },
          2,
          AG_ERR_TRUST_THRESHOLD },
        { "of another epoch than the twin says",
          { .epoch = 3, .authorities = { 1 }, .signers = { 1 }, .roots = { OLD_ROOT } },
          2,
          AG_ERR_TRUST_EPOCH },
        { "of the same epoch",
          { .epoch = 1, .authorities = { 1 }, .signers = { 1 }, .roots = { OLD_ROOT } },
          2,
          AG_ERR_TRUST_EPOCH },
        { "lower in the twin",
          { .epoch = 4, .authorities = { 1 }, .signers = { 1 }, .roots = { OLD_ROOT } },
          4,
          AG_OK },
    };
    begin();
    for (size_t i = 0; i + 1 < sizeof rows / sizeof rows[0]; i++) {
        char path[32];
        test_note("%s", rows[i].what);
        snprintf(path, sizeof path, "trust-%zu", i);
        publish_trust(path, &rows[i].plan);
        desire_trust(path, rows[i].epoch);
        CHECK(world_settle(60000));
        CHECK_TEXT(world_trust_state(), "refused");
        CHECK_EQUAL(world_trust_error(), rows[i].error);
        CHECK_EQUAL(world_trust_epoch(), 1);
    }
    world_desire_host("null");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_error(), 0);
    publish_trust("trust-4", &rows[4].plan);
    desire_trust("trust-4", 4);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 4);
    desire_trust("trust-4", 2); // going back
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "refused");
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_EPOCH);
    CHECK_EQUAL(world_trust_epoch(), 4);
    world_close();
}

static void a_forged_damaged_cut_or_oversized_object_is_refused(void)
{
    begin();
    struct ag_buffer bytes = { 0 };
    module_trust_make(&bytes, &good);
    for (size_t at = 0; at < bytes.size; at += 13) {
        char path[32];
        test_note("byte %zu", at);
        bytes.bytes[at] ^= 0x20;
        snprintf(path, sizeof path, "trust-%zu", at % 2);
        world_publish_bytes(path, bytes.bytes, bytes.size);
        bytes.bytes[at] ^= 0x20;
        world_desire_host("null");
        desire_trust(path, 2);
        CHECK(world_settle(60000));
        CHECK_TEXT(world_trust_state(), "refused");
        CHECK(world_trust_error() != 0);
        CHECK_EQUAL(world_trust_epoch(), 1);
    }
    static const size_t sizes[] = { 1, 63, 64, 200 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_note("%zu bytes", sizes[i]);
        world_publish_bytes("short", bytes.bytes, sizes[i]);
        world_desire_host("null");
        desire_trust("short", 2);
        CHECK(world_settle(60000));
        CHECK_TEXT(world_trust_state(), "refused");
    }
    uint8_t *large = calloc(1, AG_CFG_TRUST_SIZE_MAX + 1);
    uint32_t sent = world.file_bytes_sent;
    world_publish_bytes("large", large, AG_CFG_TRUST_SIZE_MAX + 1);
    free(large);
    desire_trust("large", 2);
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "refused");
    CHECK_EQUAL(world_trust_error(), AG_ERR_FILE_TOO_LARGE);
    CHECK(world.file_bytes_sent - sent <= AG_CFG_TRUST_SIZE_MAX);
    ag_buffer_clear(&bytes);
    world_close();
}

static void the_hash_in_the_twin_counts(void)
{
    begin();
    publish_trust("trust-2", &good);
    world_desire_host("{'Trust':{'Url':'https://files.example/trust-2','Epoch':2,'Sha256':"
                      "'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}}");
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "refused");
    CHECK_EQUAL(world_trust_error(), AG_ERR_FILE_SHA256);
    world_close();
}

static void a_failing_server_is_asked_again(void)
{
    begin();
    publish_trust("trust-2", &good);
    world.http_code = 503;
    desire_trust("trust-2", 2);
    world_run(20000);
    CHECK_TEXT(world_trust_state(), "waiting");
    CHECK_EQUAL(world_trust_error(), AG_ERR_HTTP_SERVER);
    world.http_code = 0;
    world.file_pipe.cut_after = 300; // in the middle of the body
    world_run(200000);
    CHECK_EQUAL(world_trust_epoch(), 1);
    world.file_pipe.cut_after = 0;
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    world_close();
}

static void a_newer_desired_object_supersedes_the_one_on_trial(void)
{
    begin();
    publish_trust("trust-2", &bad);
    struct module_trust_plan third = good;
    third.epoch = 3;
    publish_trust("trust-3", &third);
    desire_trust("trust-2", 2);
    for (int step = 0; step < 1000 && !board_logged("trust store object 2: trial"); step++)
        world_run(1);
    desire_trust("trust-3", 3); // it learns of it when the old one has its turn
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_epoch(), 3);
    CHECK_TEXT(world_trust_state(), "running");
    CHECK(board_logged("trust store object 2: superseded"));
    world_close();
}

static void an_object_by_file_is_on_trial_too(void)
{
    begin();
    module_trust_make(&world.trust, &bad);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world_reset();
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_epoch(), 1);
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
    world_reset(); // and not tried again at every start
    CHECK(world_settle(60000));
    CHECK_EQUAL(board_log_count("trust store object 2: imported"), 1);
    module_trust_make(&world.trust, &good);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world_reset();
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK_TEXT(world_trust_state(), "running");
    world_close();
}

// A device that is awake for seconds only still reaches the hub, whatever is on trial.
static void a_device_that_is_reset_all_the_time_reaches_the_hub(void)
{
    begin();
    publish_trust("trust-2", &bad);
    desire_trust("trust-2", 2);
    for (int step = 0; step < 1000 && !board_logged("trust store object 2: trial"); step++)
        world_run(1);
    uint32_t gets = world.hub.gets;
    for (int i = 0; i < 6; i++) {
        world_run(500); // too short for the turns of the new one to pass
        world_reset();
    }
    world_run(500);
    CHECK(world.hub.gets > gets);
    CHECK(world_settle(600000));
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
    world_close();
}

static void a_damaged_object_gives_way_to_the_one_before(void)
{
    begin();
    publish_trust("trust-2", &good);
    desire_trust("trust-2", 2);
    CHECK(world_settle(60000));
    CHECK_EQUAL(world_trust_epoch(), 2);
    const uint8_t *bytes;
    size_t size;
    CHECK_EQUAL(ag_host_trust(world.host, &bytes, &size), AG_OK);
    uint32_t at = (uint32_t)(bytes - world.flash.flash.base);
    world_power_off();
    sim_flash_flip(&world.flash, (at + 20) * 8);
    sim_flash_restart(&world.flash);
    world_boot();
    CHECK(world_settle(60000));
    CHECK_TEXT(world_trust_state(), "running"); // fetched again, as desired
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK(board_logged("trust store object 2: is damaged"));
    world_close();
}

// ---- Cuts --------------------------------------------------------------------------------------

static void play(void)
{
    world.stops_at_cut = true;
    if (setjmp(world.power) != 0)
        return;
    desire_trust("trust-2", 2);
    for (int i = 0; i < 60000 && !world.flash.off; i++)
        if (world_settle(10))
            return;
}

static void prepare(const struct module_trust_plan *plan)
{
    begin();
    publish_trust("trust-2", plan);
    world.flash.operations = 0;
}

static void cut_everywhere(const struct module_trust_plan *plan, uint32_t epoch,
                           enum ag_status error)
{
    prepare(plan);
    play();
    uint32_t operations = world.flash.operations;
    CHECK_EQUAL(world_trust_epoch(), epoch);
    CHECK_EQUAL(world_trust_error(), error);
    world_close();
    for (int mode = 0; mode < SIM_CUT_MODES; mode++) {
        for (uint32_t at = 1; at <= operations; at++) {
            test_note("cut %s operation %u", sim_cut_mode_name(mode), (unsigned)at);
            prepare(plan);
            world.flash.cut_at = at;
            world.flash.cut_mode = (enum sim_cut_mode)mode;
            world.flash.seed = at * 11 + (uint32_t)mode;
            play();
            CHECK(world.flash.off);
            uint32_t gets = world.hub.gets;
            world_reset();
            CHECK(world_settle(600000));
            CHECK(world.hub.gets > gets);
            CHECK_EQUAL(world_trust_epoch(), epoch);
            CHECK_EQUAL(world_trust_error(), error);
            CHECK_TEXT(world_state("blinky"), "running");
            world_close();
        }
    }
    printf("# %u operations, %u cuts\n", (unsigned)operations,
           (unsigned)operations * SIM_CUT_MODES);
}

static void a_replacement_survives_every_cut(void)
{
    cut_everywhere(&good, 2, AG_OK);
}

static void a_rollback_survives_every_cut(void)
{
    cut_everywhere(&bad, 1, AG_ERR_TRUST_UNREACHABLE);
}

static const struct test_case cases[] = {
    TEST(a_good_object_is_fetched_tried_and_confirmed),
    TEST(a_device_with_one_connection_replaces_and_rolls_back),
    TEST(a_plug_in_of_the_new_key_waits_for_the_object_that_brings_it),
    TEST(losing_one_authority_key_of_two_is_survived),
    TEST(an_object_whose_roots_do_not_reach_the_hub_is_rolled_back),
    TEST(an_object_that_the_flash_has_damaged_gives_way_to_the_one_before),
    TEST(a_reset_does_not_undo_that_an_object_has_failed),
    TEST(an_object_whose_roots_no_port_can_use_is_rolled_back_at_once),
    TEST(an_object_whose_roots_do_not_reach_the_storage_is_rolled_back),
    TEST(nothing_is_confirmed_while_the_storage_is_not_there),
    TEST(an_object_that_nobody_wants_any_more_is_not_confirmed),
    TEST(what_is_in_use_is_told_again_after_a_report_whose_answer_was_lost),
    TEST(a_plug_in_that_waits_for_the_end_of_a_trial_keeps_nobody_awake),
    TEST(a_storage_that_fails_otherwise_does_not_matter),
    TEST(an_outage_of_the_hub_condemns_nobody),
    TEST(a_hub_that_comes_and_goes_condemns_nobody),
    TEST(what_may_not_replace_the_object_is_refused_with_its_reason),
    TEST(a_forged_damaged_cut_or_oversized_object_is_refused),
    TEST(the_hash_in_the_twin_counts),
    TEST(a_failing_server_is_asked_again),
    TEST(a_newer_desired_object_supersedes_the_one_on_trial),
    TEST(an_object_by_file_is_on_trial_too),
    TEST(a_device_that_is_reset_all_the_time_reaches_the_hub),
    TEST(a_damaged_object_gives_way_to_the_one_before),
    TEST(a_replacement_survives_every_cut),
    TEST(a_rollback_survives_every_cut),
};
TEST_MAIN(cases)
