// SPDX-License-Identifier: Apache-2.0
// The scenarios: each one way of a device from what it has to what it should have.
#include "test/power/scenarios.h"

#include <stdio.h>
#include <string.h>

#include "host/core.h"
#include "plugin/capabilities.h"
#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/watch.h"
#include "test/unit/host/world.h"
#include "wasm/wasm.h"

#define ROOT       101u // of the hub and the server of files
#define OTHER_ROOT 102u
#define SECOND_KEY 9u // signs plug-ins that the second trust store object believes
#define BALLAST    30000u

#define ENTRY SCENARIO_ENTRY

static const struct module modules[] = {
    { .name = "blinky", .version = 10 },
    { .name = "blinky", .version = 11 },
    { .name = "blinky", .version = 12, .behaviour = MODULE_TRAPS_LATER, .argument = 2 },
    { .name = "blinky", .version = 13, .behaviour = MODULE_TRAPS_LATER, .argument = 8 },
    { .name = "blinky", .version = 14, .key = SECOND_KEY },
    { .name = "blinky", .version = 20, .behaviour = MODULE_LARGE, .argument = 9000 },
    { .name = "blinky", .version = 21, .epoch = 2 },
    { .name = "blinky", .version = 22, .epoch = 1 },
    { .name = "blinky", .version = 23, .epoch = 3 },
    { .name = "other", .version = 1, .pin = 1 },
    { .name = "other", .version = 2, .pin = 1 },
    { .name = "third", .version = 1, .pin = 2 },
    { .name = "third", .version = 2, .pin = 2 },
    { .name = "big", .version = 1, .behaviour = MODULE_LARGE, .argument = BALLAST, .pin = 3 },
    { .name = "big", .version = 2, .behaviour = MODULE_LARGE, .argument = BALLAST, .pin = 3 },
    { .name = "big", .version = 3, .behaviour = MODULE_LARGE, .argument = BALLAST, .pin = 3 },
    { .name = "big", .version = 4, .behaviour = MODULE_LARGE, .argument = BALLAST, .pin = 3 },
    { .name = "big", .version = 5, .behaviour = MODULE_LARGE, .argument = BALLAST, .pin = 3 },
    { .name = "counter",
      .version = 1,
      .behaviour = MODULE_STORES,
      .argument = 1,
      .capability = AG_CAPABILITY_STORE,
      .data_size = 64,
      .pin = 5 },
    { .name = "counter",
      .version = 2,
      .behaviour = MODULE_STORES,
      .argument = 1000,
      .capability = AG_CAPABILITY_STORE,
      .data_size = 64,
      .pin = 5 },
    { .name = "full", .version = 1, .behaviour = MODULE_LARGE, .argument = 3 * BALLAST, .pin = 4 },
};

void scenario_open(void)
{
    world_open();
    watch_memory();
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s-%u.wasm", modules[i].name, (unsigned)modules[i].version);
        world_publish(path, &modules[i]);
    }
}

// ---- Preparing ---------------------------------------------------------------------------------

void scenario_reach(const char *desired)
{
    world_desire(desired);
    world_boot();
    CHECK(world_settle(60000));
    world_power_off();
}

static struct ag_store_slot current_slot(const struct ag_store *store)
{
    struct ag_store_slot slot;
    CHECK_EQUAL(ag_store_find(store, AG_STORE_PLUGIN, "blinky", AG_STORE_CURRENT, &slot), AG_OK);
    return slot;
}

// Fills the first block of the newest generation, while the device is off, until nothing larger
// than a mark has room in it; with `last`, that block is the last one of the ring, so that the next
// generation begins behind its end.
static void fill_journal(bool last)
{
    static uint8_t value[600];
    static struct ag_store store;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    const struct ag_journal *journal = &store.journal;
    const uint32_t ring = 4; // of a small image
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t left = AG_FLASH_BLOCK - journal->tail % AG_FLASH_BLOCK;
        if (journal->used == 1 && left < 150 && (!last || journal->ring[0] == ring - 1))
            return;
        value[0] = (uint8_t)i;
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "filling", value, left < 900 ? 30 : 600),
                    AG_OK);
    }
    test_fail(__FILE__, __LINE__, "the journal cannot be filled as wanted");
}

// Then marks fill the second and last block of that generation.
static void fill_whole_journal(void)
{
    static struct ag_store store;
    const uint8_t sha256[AG_STORE_SHA256_SIZE] = { 1 };
    fill_journal(false);
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    const struct ag_journal *journal = &store.journal;
    for (uint32_t i = 0; i < 1000; i++) {
        if (journal->used == 2 && AG_FLASH_BLOCK - journal->tail % AG_FLASH_BLOCK < 100)
            return;
        if (i % 2)
            CHECK_EQUAL(ag_store_pardon(&store, sha256), AG_OK);
        else
            CHECK_EQUAL(ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH), AG_OK);
    }
    test_fail(__FILE__, __LINE__, "the journal cannot be filled as wanted");
}

static void blank_device(void)
{
    world_desire("[" ENTRY("blinky", 10, "") "]");
}

static void to_update(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    world_desire("[" ENTRY("blinky", 11, "") "]");
}

static void to_older_version(void)
{
    scenario_reach("[" ENTRY("blinky", 11, "") "]");
    world_desire("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "]");
}

static void to_lower_epoch(void)
{
    scenario_reach("[" ENTRY("blinky", 21, "") "]");
    world_desire("[" ENTRY("blinky", 22, "") "," ENTRY("other", 1, "") "]");
}

static void to_higher_epoch(void)
{
    scenario_reach("[" ENTRY("blinky", 21, "") "]");
    world_desire("[" ENTRY("blinky", 23, "") "]");
}

static void to_allowed_downgrade(void)
{
    scenario_reach("[" ENTRY("blinky", 11, "") "]");
    world_desire("[" ENTRY("blinky", 10, ",'AllowDowngrade':true") "]");
}

static void to_removal(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "]");
    world_desire("[" ENTRY("other", 1, "") "]");
}

static void to_exchange(void)
{
    scenario_reach("[" ENTRY("blinky", 11, ",'Settings':{'x':1}") "]");
    world_desire("[" ENTRY("other", 1, "") "]");
}

static void to_three_updates(void)
{
    scenario_reach(
        "[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "," ENTRY("third", 1, "") "]");
    world_desire(
        "[" ENTRY("blinky", 11, "") "," ENTRY("other", 2, "") "," ENTRY("third", 2, "") "]");
}

static void to_failing_trial(void)
{
    scenario_reach("[" ENTRY("blinky", 11, "") "]");
    world_desire("[" ENTRY("blinky", 12, "") "]");
}

static void to_first_that_fails(void)
{
    scenario_reach("[" ENTRY("other", 1, "") "]");
    world_desire("[" ENTRY("blinky", 12, "") "," ENTRY("other", 1, "") "]");
}

static void to_other_options(void)
{
    scenario_reach("[" ENTRY("blinky", 10, ",'Settings':{'a':1},'PeriodMs':50") "]");
    world_desire("[" ENTRY("blinky", 10, ",'Settings':{'a':2,'b':[1,2,3]},'PeriodMs':70") "]");
}

static void to_stop_and_start(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "]");
    scenario_reach("[" ENTRY("blinky", 10, ",'Enabled':false") "," ENTRY("other", 1, "") "]");
    world_desire("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, ",'Enabled':false") "]");
}

static void to_superseded_download(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    world_desire("[" ENTRY("blinky", 20, "") "]");
}

static void to_last_room(void)
{
    scenario_reach("[" ENTRY("other", 1, "") "]");
    scenario_reach("[" ENTRY("other", 1, "") "," ENTRY("big", 1, "") "]");
    scenario_reach("[" ENTRY("other", 1, "") "," ENTRY("big", 2, "") "]");
    scenario_reach("[" ENTRY("other", 1, "") "," ENTRY("big", 3, "") "]");
    scenario_reach("[" ENTRY("other", 1, "") "," ENTRY("big", 4, "") "]");
    world_desire("[" ENTRY("other", 1, "") "," ENTRY("big", 5, "") "]");
}

static void to_no_room(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "," ENTRY("big", 1, "") "]");
    world_desire("[" ENTRY("blinky", 10, "") "," ENTRY("big", 1, "") "," ENTRY("full", 1, "") "]");
}

static void to_compaction(void)
{
    scenario_reach("[" ENTRY("blinky", 10, ",'Settings':{'a':1}") "]");
    fill_whole_journal();
    world_desire("[" ENTRY("blinky", 11, ",'Settings':{'a':2}") "]");
}

static void to_wrapping(void)
{
    scenario_reach("[" ENTRY("blinky", 21, ",'Settings':{'a':1}") "]");
    fill_journal(true);
    world_desire("[" ENTRY("blinky", 23, ",'Settings':{'a':2}") "]");
}

// The code as a host with another engine would have left it.
static void to_another_engine(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "]");
    static struct ag_store store;
    static uint8_t other[8192];
    struct ag_store_writer writer;
    const uint8_t *code;
    size_t size;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    const struct ag_store_slot slot = current_slot(&store);
    CHECK_EQUAL(ag_store_open_code(&store, slot.id, &code, &size), AG_OK);
    CHECK(size <= sizeof other);
    memcpy(other, code, size);
    other[4] ^= 0x5A; // of the engine's version in the head
    CHECK_EQUAL(ag_store_retranslate(&store, slot.id, (uint32_t)size, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, other, size), AG_OK);
    CHECK_EQUAL(ag_store_seal_code(&store, &writer, AG_WASM_ENGINE_VERSION ^ 0x5A), AG_OK);
}

static void flip_in_current(bool in_code)
{
    static struct ag_store store;
    const uint8_t *bytes;
    size_t size;
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    const struct ag_store_slot slot = current_slot(&store);
    if (in_code)
        CHECK_EQUAL(ag_store_open_code(&store, slot.id, &bytes, &size), AG_OK);
    else
        CHECK_EQUAL(ag_store_open_file(&store, slot.id, &bytes, &size), AG_OK);
    sim_flash_flip(&world.flash,
                   (uint32_t)(bytes - world.flash.flash.base + (ptrdiff_t)size / 2) * 8);
}

static void to_damaged_code(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "," ENTRY("other", 1, "") "]");
    flip_in_current(true);
}

static void to_damaged_file(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    scenario_reach("[" ENTRY("blinky", 11, "") "]");
    flip_in_current(false);
}

// The next trust store object is in the device's configuration from now on.
static void to_new_trust_by_file(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    module_trust_with(&world.trust, 2, SECOND_KEY);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    watch_believe(SECOND_KEY);
    world_desire("[" ENTRY("blinky", 14, "") "]");
}

// ---- Trust over the air ------------------------------------------------------------------------

static const struct module_trust_plan first_trust = { .epoch = 1,
                                                      .authorities = { 1, 2 },
                                                      .signers = { 1 },
                                                      .plugin_keys = { MODULE_KEY },
                                                      .roots = { ROOT } };
static const struct module_trust_plan good_trust = { .epoch = 2,
                                                     .authorities = { 2, 3 },
                                                     .signers = { 2 },
                                                     .plugin_keys = { SECOND_KEY },
                                                     .roots = { ROOT, OTHER_ROOT } };
// Nobody who must be reached is signed by this root.
static const struct module_trust_plan bad_trust = { .epoch = 2,
                                                    .authorities = { 2, 3 },
                                                    .signers = { 2 },
                                                    .plugin_keys = { SECOND_KEY },
                                                    .roots = { OTHER_ROOT } };

// A device that runs blinky 10, and is to take this object.
static void begin_trust(const struct module_trust_plan *next)
{
    struct ag_buffer bytes = { 0 };
    module_trust_make(&world.trust, &first_trust);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world.hub_pipe.root = ROOT;
    world.file_pipe.root = ROOT;
    watch_believe(SECOND_KEY);
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    module_trust_make(&bytes, next);
    world_publish_bytes("trust-2", bytes.bytes, bytes.size);
    ag_buffer_clear(&bytes);
    world_desire_host("{'Trust':{'Url':'https://files.example/trust-2','Epoch':2}}");
}

static void to_good_trust(void)
{
    begin_trust(&good_trust);
    world_desire("[" ENTRY("blinky", 14, "") "]");
}

static void to_bad_trust(void)
{
    begin_trust(&bad_trust);
    world_desire("[" ENTRY("blinky", 11, "") "]");
}

static void check_new_trust(void)
{
    CHECK_TEXT(world_trust_state(), "running");
    CHECK_EQUAL(world_trust_epoch(), 2);
    CHECK_EQUAL(world_trust_error(), AG_OK);
}

static void check_old_trust(void)
{
    CHECK_TEXT(world_trust_state(), "rolled_back");
    CHECK_EQUAL(world_trust_epoch(), 1);
    CHECK_EQUAL(world_trust_error(), AG_ERR_TRUST_UNREACHABLE);
}

// ---- Own data ----------------------------------------------------------------------------------

static void to_more_data(void)
{
    scenario_reach("[" ENTRY("counter", 1, "") "]");
    world_desire("[" ENTRY("counter", 2, "") "]");
}

static void write_data(void)
{
    CHECK(world_settle(600000));
    world_run(3000);
    CHECK(world_settle(600000));
}

// Version 1 adds 1 and version 2 adds 1000 in each run, to two values that it compares: it has seen
// at least the run that was on flash when it was confirmed, and never half of one.
static void check_data(void)
{
    const struct ag_plugin *plugin = ag_plugins_find(&world.host->plugins, "counter");
    struct ag_text value;
    uint32_t number = 0;
    CHECK(plugin && plugin->data);
    CHECK_EQUAL(ag_data_get(plugin->data, ag_text_of("a"), &value), AG_OK);
    CHECK_EQUAL(value.size, sizeof number);
    memcpy(&number, value.at, sizeof number);
    CHECK(number >= 1001); // one run of each at least
}

// ---- Playing -----------------------------------------------------------------------------------

static void desire_what_supersedes(void)
{
    world_desire("[" ENTRY("blinky", 11, "") "]");
}

static void superseded_in_the_middle(void)
{
    world.file_pipe.cut_after = 1500;
    (void)world_settle(1500);
    world.file_pipe.cut_after = 0;
    desire_what_supersedes();
    CHECK(world_settle(600000));
}

static void to_resumed_download(void)
{
    scenario_reach("[" ENTRY("blinky", 10, "") "]");
    world_desire("[" ENTRY("blinky", 10, "") "," ENTRY("big", 1, "") "]");
}

// The connection breaks again and again; each time the download goes on.
static void resume_after_breaks(void)
{
    world.file_pipe.cut_after = 9000;
    (void)world_settle(20000);
    world.file_pipe.cut_after = 0;
    CHECK(world_settle(600000));
}

static void desire_what_has_room(void)
{
    world_desire("[" ENTRY("blinky", 11, "") "," ENTRY("big", 1, "") "]");
}

static void run_without_room(void)
{
    CHECK(!world_settle(5000));
    CHECK_EQUAL(world_error("full"), AG_ERR_STORE_FULL);
    desire_what_has_room();
    CHECK(world_settle(600000));
}

#define BLINKY(before, after)                                                                      \
    {                                                                                              \
        "blinky", 0, before, after, "running", AG_OK                                               \
    }
#define OTHER(before, after)                                                                       \
    {                                                                                              \
        "other", 1, before, after, "running", AG_OK                                                \
    }

const struct scenario scenarios[] = {
    { "install", blank_device, NULL, NULL, { BLINKY(0, 10) }, NULL },
    { "update", to_update, NULL, NULL, { BLINKY(10, 11) }, NULL },
    { "older",
      to_older_version,
      NULL,
      NULL,
      { { "blinky", 0, 11, 11, "refused", AG_ERR_TWIN_DOWNGRADE }, OTHER(0, 1) },
      NULL },
    { "lower-epoch",
      to_lower_epoch,
      NULL,
      NULL,
      { { "blinky", 0, 21, 21, "refused", AG_ERR_FILE_EPOCH }, OTHER(0, 1) },
      NULL },
    { "higher-epoch", to_higher_epoch, NULL, NULL, { BLINKY(21, 23) }, NULL },
    { "allowed-downgrade", to_allowed_downgrade, NULL, NULL, { BLINKY(11, 10) }, NULL },
    { "removal", to_removal, NULL, NULL, { { "blinky", 0, 10, 0, "", AG_OK }, OTHER(1, 1) }, NULL },
    { "exchange",
      to_exchange,
      NULL,
      NULL,
      { { "blinky", 0, 11, 0, "", AG_OK }, OTHER(0, 1) },
      NULL },
    { "three",
      to_three_updates,
      NULL,
      NULL,
      { BLINKY(10, 11), OTHER(1, 2), { "third", 2, 1, 2, "running", AG_OK } },
      NULL },
    { "failing",
      to_failing_trial,
      NULL,
      NULL,
      { { "blinky", 0, 11, 11, "rolled_back", AG_TRAP_UNREACHABLE } },
      NULL },
    { "first-fails",
      to_first_that_fails,
      NULL,
      NULL,
      { { "blinky", 0, 0, 0, "failed", AG_TRAP_UNREACHABLE }, OTHER(1, 1) },
      NULL },
    { "options", to_other_options, NULL, NULL, { BLINKY(10, 10) }, NULL },
    { "stop-start",
      to_stop_and_start,
      NULL,
      NULL,
      { { "blinky", 0, 0, 10, "running", AG_OK }, { "other", 1, 0, 1, "stopped", AG_OK } },
      NULL },
    { "superseded",
      to_superseded_download,
      superseded_in_the_middle,
      desire_what_supersedes,
      { BLINKY(10, 11) },
      NULL },
    { "resume",
      to_resumed_download,
      resume_after_breaks,
      NULL,
      { BLINKY(10, 10), { "big", 3, 0, 1, "running", AG_OK } },
      NULL },
    { "last-room",
      to_last_room,
      NULL,
      NULL,
      { OTHER(1, 1), { "big", 3, 4, 5, "running", AG_OK } },
      NULL },
    { "no-room",
      to_no_room,
      run_without_room,
      desire_what_has_room,
      { BLINKY(10, 11), { "big", 3, 1, 1, "running", AG_OK }, { "full", 4, 0, 0, "", AG_OK } },
      NULL },
    { "compaction", to_compaction, NULL, NULL, { BLINKY(10, 11) }, NULL },
    { "wrapping", to_wrapping, NULL, NULL, { BLINKY(21, 23) }, NULL },
    { "engine", to_another_engine, NULL, NULL, { BLINKY(10, 10), OTHER(1, 1) }, NULL },
    { "damaged-code", to_damaged_code, NULL, NULL, { BLINKY(10, 10), OTHER(1, 1) }, NULL },
    { "damaged-file", to_damaged_file, NULL, NULL, { BLINKY(10, 11) }, NULL },
    { "trust-by-file", to_new_trust_by_file, NULL, NULL, { BLINKY(10, 14) }, NULL },
    { "trust-replaced", to_good_trust, NULL, NULL, { BLINKY(10, 14) }, check_new_trust },
    { "trust-back", to_bad_trust, NULL, NULL, { BLINKY(10, 11) }, check_old_trust },
    { "data",
      to_more_data,
      write_data,
      NULL,
      { { "counter", 5, 1, 2, "running", AG_OK } },
      check_data },
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
