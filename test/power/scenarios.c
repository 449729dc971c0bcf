// SPDX-License-Identifier: Apache-2.0
// The scenarios: each one way of a device from what it has to what it should have.
#include "test/power/scenarios.h"

#include <stdio.h>
#include <string.h>

#include "host/core.h"
#include "host/data_store.h"
#include "host/fallback.h"
#include "plugin/capabilities.h"
#include "plugin/metadata.h"
#include "store/store.h"
#include "test/harness.h"
#include "test/unit/host/watch.h"
#include "test/unit/host/world.h"
#include "wasm/wasm.h"

#define ROOT       101u // of the hub and the server of files
#define OTHER_ROOT 102u
#define SECOND_KEY 9u // signs plug-ins that the second trust store object believes
#define BALLAST    30000u
#define DATA_SIZE  64u // of own data

#define ENTRY                SCENARIO_ENTRY
#define PLAIN(name, version) ENTRY(name, version, "")

#define OPENS_MS  120000u // of the window: the board's clock begins at midnight
#define MINUTE_MS 60000u
#define SETTLE_MS 600000u
#define CUTS_MAX  2u // of one scenario

// x: integer from 0 to 1, and nothing else.
static const char schema[] = "\1\1\1x\x32\0\1";

#define BIG(of_version)                                                                            \
    {                                                                                              \
        .name = "big", .version = of_version, .behaviour = MODULE_LARGE, .argument = BALLAST,      \
        .pin = 3                                                                                   \
    }
// Adds `number` in each run.
#define COUNTER(of_version, number, trap)                                                          \
    {                                                                                              \
        .name = "counter", .version = of_version, .behaviour = MODULE_STORES, .argument = number,  \
        .traps_in = trap, .capability = AG_CAPABILITY_STORE, .data_size = DATA_SIZE, .pin = 5      \
    }

static const struct module modules[] = {
    { .name = "blinky", .version = 10 },
    { .name = "blinky", .version = 11 },
    { .name = "blinky", .version = 12, .behaviour = MODULE_TRAPS_LATER, .argument = 2 },
    { .name = "blinky", .version = 13, .behaviour = MODULE_TRAPS_LATER, .argument = 8 },
    { .name = "blinky", .version = 14, .key = SECOND_KEY },
    { .name = "blinky", .version = 15, .trial_flags = AG_TRIAL_HUB },
    { .name = "blinky", .version = 16, .behaviour = MODULE_LOGS, .argument = 2 },
    { .name = "blinky", .version = 20, .behaviour = MODULE_LARGE, .argument = 9000 },
    { .name = "blinky", .version = 21, .epoch = 2 },
    { .name = "blinky", .version = 22, .epoch = 1 },
    { .name = "blinky", .version = 23, .epoch = 3 },
    { .name = "other", .version = 1, .pin = 1 },
    { .name = "other", .version = 2, .pin = 1 },
    { .name = "third", .version = 1, .pin = 2 },
    { .name = "third", .version = 2, .pin = 2 },
    BIG(1),
    BIG(2),
    BIG(3),
    BIG(4),
    BIG(5),
    COUNTER(1, 1, 0),
    COUNTER(2, 1000, 0),
    COUNTER(4, 1000, 8),
    { .name = "schemed",
      .version = 1,
      .behaviour = MODULE_REPORTS, // its pin is what x is
      .schema = schema,
      .schema_size = sizeof schema - 1,
      .pin = 6 },
    { .name = "picky", .version = 1, .pin = 7 },
    { .name = "picky", .version = 2, .schema = schema, .schema_size = sizeof schema - 1, .pin = 7 },
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

// The next generation begins behind the end of the ring.
static void fill_journal_to_its_end(void)
{
    fill_journal(true);
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

// The code as a host with another engine would have left it.
static void leave_code_of_another_engine(void)
{
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

static void damage_code(void)
{
    flip_in_current(true);
}

static void damage_file(void)
{
    flip_in_current(false);
}

// The next trust store object is in the device's configuration from now on.
static void configure_new_trust(void)
{
    module_trust_with(&world.trust, 2, SECOND_KEY);
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    watch_believe(SECOND_KEY);
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
    scenario_reach("[" PLAIN("blinky", 10) "]");
    module_trust_make(&bytes, next);
    world_publish_bytes("trust-2", bytes.bytes, bytes.size);
    ag_buffer_clear(&bytes);
    world_desire_host("{'Trust':{'Url':'https://files.example/trust-2','Epoch':2}}");
}

static void begin_good_trust(void)
{
    begin_trust(&good_trust);
}

static void begin_bad_trust(void)
{
    begin_trust(&bad_trust);
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

static void write_data(void)
{
    CHECK(world_settle(600000));
    world_run(3000);
    CHECK(world_settle(600000));
}

static uint32_t number_in(const struct ag_data *data)
{
    struct ag_text value;
    uint32_t number = 0;
    CHECK_EQUAL(ag_data_get(data, ag_text_of("a"), &value), AG_OK);
    CHECK_EQUAL(value.size, sizeof number);
    memcpy(&number, value.at, sizeof number);
    return number;
}

static uint32_t number_of_counter(void)
{
    const struct ag_plugin *plugin = ag_plugins_find(&world.host->plugins, "counter");
    CHECK(plugin && plugin->instance.options.data);
    return number_in(plugin->instance.options.data);
}

// Version 1 adds 1 and version 2 adds 1000 in each run, to two values that it compares: it has seen
// at least the run that was on flash when it was confirmed, and never half of one.
static void check_data(void)
{
    CHECK(number_of_counter() >= 1001); // one run of each at least
}

static uint32_t left_by_version_1;

// What version 1 finds when it is the confirmed one again.
static void remember_data(void)
{
    static uint64_t block[32];
    static struct ag_store store;
    struct ag_store_slot slot;
    CHECK(ag_data_ram(DATA_SIZE) <= sizeof block);
    struct ag_data *data = ag_data_init(block, DATA_SIZE);
    CHECK_EQUAL(ag_store_mount(&store, &world.flash.flash), AG_OK);
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "counter", AG_STORE_PREVIOUS, &slot), AG_OK);
    const struct ag_data_line line = { .name = "counter", .current = slot.id };
    CHECK_EQUAL(ag_data_store_load(&store, &line, slot.id, data), AG_OK);
    left_by_version_1 = number_in(data);
}

// Nothing of the version that failed, and nothing lost of what the one before it had stored.
static void check_data_before(void)
{
    const uint32_t number = number_of_counter();
    CHECK(number >= left_by_version_1 && number < 1000);
}

// ---- Playing -----------------------------------------------------------------------------------

static void desire_what_supersedes(void)
{
    world_desire("[" PLAIN("blinky", 11) "]");
}

static void superseded_in_the_middle(void)
{
    world.file_pipe.cut_after = 1500;
    (void)world_settle(1500);
    world.file_pipe.cut_after = 0;
    desire_what_supersedes();
    CHECK(world_settle(600000));
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
    world_desire("[" PLAIN("blinky", 11) "," PLAIN("big", 1) "]");
}

static void run_without_room(void)
{
    CHECK(!world_settle(5000));
    CHECK_EQUAL(world_error("full"), AG_ERR_STORE_FULL);
    desire_what_has_room();
    CHECK(world_settle(600000));
}

// ---- What fails later --------------------------------------------------------------------------

static void wait_for(const char *name, uint32_t version, enum ag_status error)
{
    CHECK(world_settle(SETTLE_MS)); // what is reported is of this life
    const uint64_t end = board.now_ms + SETTLE_MS;
    while ((world_version(name) != version || world_error(name) != error) && board.now_ms < end)
        world_run(100);
    CHECK(world_settle(SETTLE_MS));
}

static void wait_for_fallback(void)
{
    wait_for("blinky", 10, AG_TRAP_UNREACHABLE);
}

static void wait_for_fallback_of_counter(void)
{
    wait_for("counter", 1, AG_TRAP_UNREACHABLE);
}

static void wait_until_left_down(void)
{
    wait_for("blinky", 13, AG_ERR_GAVE_UP);
}

// Each cut costs one failure that was not counted yet.
static void check_failures(void)
{
    CHECK(board_log_count(": failed: trap") <= AG_FALLBACK_FAILURES_MAX + CUTS_MAX);
}

// It does not run, and is tried again once in each long pause, and left down again.
static void check_left_down(void)
{
    check_failures();
    for (int i = 0; i < 2; i++) {
        const uint32_t failures = board_log_count(": failed: trap");
        const uint32_t writes = board.writes[0];
        world_run(40 * MINUTE_MS); // its pause began at most 16 minutes ago
        CHECK_EQUAL(board.writes[0], writes);
        world_run(36 * MINUTE_MS);
        CHECK(board.writes[0] > writes);
        CHECK_EQUAL(board_log_count(": failed: trap"), failures + 1);
        wait_until_left_down();
    }
}

static void leave_down(void)
{
    wait_until_left_down();
    check_left_down();
}

static void be_left_down(void)
{
    world_boot();
    wait_until_left_down();
    world_power_off();
}

// ---- What is asked of the host -----------------------------------------------------------------

// A trial that needs the hub has failed for want of it.
static void fail_for_want_of_the_hub(void)
{
    world_desire("[" PLAIN("blinky", 15) "]");
    world_boot();
    while (!board_logged("blinky 15: trial") && board.now_ms < SETTLE_MS)
        world_run(10);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_kick();
    world_run(20 * MINUTE_MS);
    world.hub_pipe.open_fails = AG_OK;
    CHECK(world_settle(SETTLE_MS));
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), AG_ERR_TRIAL_HUB);
    world_power_off();
}

// Whoever asked and got no answer looks, and asks again.
static void ask_until_it_runs(void)
{
    CHECK(world_settle(SETTLE_MS));
    if (world_version("blinky") == 15)
        return;
    watch_pardon();
    CHECK_EQUAL(world_call("retry", "{'name':'blinky'}"), 200);
    CHECK(world_settle(SETTLE_MS));
}

// The plug-in, which then has all its failures before it again; and in its runs the host.
static void restart_both(void)
{
    CHECK(world_settle(SETTLE_MS));
    CHECK_EQUAL(world_error("blinky"), AG_ERR_GAVE_UP);
    CHECK_EQUAL(world_call("restart", "{'name':'blinky'}"), 200);
    world_run(300);
    CHECK(board.levels[0]);
    CHECK_EQUAL(world_call("restart", ""), 200);
    world_run(2000);
    CHECK_EQUAL(board.restarts, 1);
    world_power_off();
    world_boot();
    wait_until_left_down();
}

// Lines that the host and its plug-ins keep on flash come back whole or not at all.
static void check_lines_of(const char *source)
{
    char payload[48];
    size_t i;
    json_t *line;
    snprintf(payload, sizeof payload, "{'name':'%s','lines':100}", source);
    CHECK_EQUAL(world_call("logs", payload), 200);
    json_t *answer = json_loads(world.hub.answer, 0, NULL);
    CHECK(answer != NULL);
    json_array_foreach(json_object_get(answer, "lines"), i, line)
    {
        const char *text = json_string_value(json_object_get(line, "text"));
        CHECK(text && board_heard(text));
    }
    json_decref(answer);
}

static void check_logs(void)
{
    check_lines_of("host");
    check_lines_of("blinky");
}

// The restart writes the lines that are still in RAM.
static void roll_back_and_restart(void)
{
    CHECK(world_settle(SETTLE_MS));
    CHECK_EQUAL(world_call("restart", ""), 200);
    world_run(2000);
    CHECK_EQUAL(board.restarts, 1);
    world_power_off();
    world_boot();
    CHECK(world_settle(SETTLE_MS));
    check_lines_of("host");
    CHECK(strstr(world.hub.answer, "rolled back to 11") != NULL);
}

// ---- Windows -----------------------------------------------------------------------------------

// Until it opens, the version before runs, whatever was cut; the version that waits was fetched.
static void wait_for_the_window(void)
{
    const uint32_t trials = board_log_count(": trial");
    const bool is_early = board.now_ms < OPENS_MS - 2000;
    while (board.now_ms < OPENS_MS - 2000)
        world_run(1000);
    CHECK_EQUAL(board_log_count(": trial"), trials);
    if (is_early && world_version("blinky") == 10)
        CHECK_TEXT(world_state("blinky"), "waiting");
    CHECK(world_settle(SETTLE_MS));
}

// ---- All of them -------------------------------------------------------------------------------

void scenario_prepare(const struct scenario *scenario)
{
    for (size_t i = 0; i < SCENARIO_REACHED && scenario->reached[i]; i++)
        scenario_reach(scenario->reached[i]);
    if (scenario->prepare)
        scenario->prepare();
    if (scenario->desired)
        world_desire(scenario->desired);
}

// A plug-in, its pin, its version before and after, and what is reported of it then.
#define RUNS(name, pin, before, after)                                                             \
    {                                                                                              \
        name, pin, before, after, "running", AG_OK                                                 \
    }
#define BLINKY(before, after) RUNS("blinky", 0, before, after)
#define OTHER(before, after)  RUNS("other", 1, before, after)
#define GONE(name, pin, before)                                                                    \
    {                                                                                              \
        name, pin, before, 0, "", AG_OK                                                            \
    }

const struct scenario scenarios[] = {
    { .name = "install",
      .desired = "[" PLAIN("blinky", 10) "]",
      .expectations = { BLINKY(0, 10) } },
    { .name = "update",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .desired = "[" PLAIN("blinky", 11) "]",
      .expectations = { BLINKY(10, 11) } },
    { .name = "older",
      .reached = { "[" PLAIN("blinky", 11) "]" },
      .desired = "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "]",
      .expectations = { { "blinky", 0, 11, 11, "refused", AG_ERR_TWIN_DOWNGRADE }, OTHER(0, 1) } },
    { .name = "lower-epoch",
      .reached = { "[" PLAIN("blinky", 21) "]" },
      .desired = "[" PLAIN("blinky", 22) "," PLAIN("other", 1) "]",
      .expectations = { { "blinky", 0, 21, 21, "refused", AG_ERR_FILE_EPOCH }, OTHER(0, 1) } },
    { .name = "higher-epoch",
      .reached = { "[" PLAIN("blinky", 21) "]" },
      .desired = "[" PLAIN("blinky", 23) "]",
      .expectations = { BLINKY(21, 23) } },
    { .name = "allowed-downgrade",
      .reached = { "[" PLAIN("blinky", 11) "]" },
      .desired = "[" ENTRY("blinky", 10, ",'AllowDowngrade':true") "]",
      .expectations = { BLINKY(11, 10) } },
    { .name = "removal",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "]" },
      .desired = "[" PLAIN("other", 1) "]",
      .expectations = { GONE("blinky", 0, 10), OTHER(1, 1) } },
    { .name = "exchange",
      .reached = { "[" ENTRY("blinky", 11, ",'Settings':{'x':1}") "]" },
      .desired = "[" PLAIN("other", 1) "]",
      .expectations = { GONE("blinky", 0, 11), OTHER(0, 1) } },
    { .name = "three",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "," PLAIN("third", 1) "]" },
      .desired = "[" PLAIN("blinky", 11) "," PLAIN("other", 2) "," PLAIN("third", 2) "]",
      .expectations = { BLINKY(10, 11), OTHER(1, 2), RUNS("third", 2, 1, 2) } },
    { .name = "failing",
      .reached = { "[" PLAIN("blinky", 11) "]" },
      .desired = "[" PLAIN("blinky", 12) "]",
      .expectations = { { "blinky", 0, 11, 11, "rolled_back", AG_TRAP_UNREACHABLE } } },
    { .name = "first-fails",
      .reached = { "[" PLAIN("other", 1) "]" },
      .desired = "[" PLAIN("blinky", 12) "," PLAIN("other", 1) "]",
      .expectations = { { "blinky", 0, 0, 0, "failed", AG_TRAP_UNREACHABLE }, OTHER(1, 1) } },
    { .name = "fails-later",
      .reached = { "[" PLAIN("blinky", 10) "]", "[" PLAIN("blinky", 13) "]" },
      .play = wait_for_fallback,
      .finish = wait_for_fallback,
      .expectations = { { "blinky", 0, 13, 10, "rolled_back", AG_TRAP_UNREACHABLE } },
      .check = check_failures },
    { .name = "fails-with-data",
      .reached = { "[" PLAIN("counter", 1) "]", "[" PLAIN("counter", 4) "]" },
      .prepare = remember_data,
      .play = wait_for_fallback_of_counter,
      .finish = wait_for_fallback_of_counter,
      .expectations = { { "counter", 5, 4, 1, "rolled_back", AG_TRAP_UNREACHABLE } },
      .check = check_data_before },
    { .name = "left-down",
      .reached = { "[" PLAIN("blinky", 13) "]" },
      .play = leave_down,
      .finish = wait_until_left_down,
      .expectations = { { "blinky", 0, 13, 13, "failed", AG_ERR_GAVE_UP } },
      .check = check_left_down },
    { .name = "restart",
      .reached = { "[" PLAIN("blinky", 13) "]" },
      .prepare = be_left_down,
      .play = restart_both,
      .finish = wait_until_left_down,
      .expectations = { { "blinky", 0, 13, 13, "failed", AG_ERR_GAVE_UP } },
      .check = check_logs },
    { .name = "retry",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .prepare = fail_for_want_of_the_hub,
      .play = ask_until_it_runs,
      .finish = ask_until_it_runs,
      .expectations = { BLINKY(10, 15) } },
    { .name = "logs",
      .reached = { "[" PLAIN("blinky", 11) "]" },
      .desired = "[" PLAIN("blinky", 16) "]",
      .play = roll_back_and_restart,
      .expectations = { { "blinky", 0, 11, 11, "rolled_back", AG_TRAP_UNREACHABLE } },
      .check = check_logs },
    { .name = "options",
      .reached = { "[" ENTRY("blinky", 10, ",'Settings':{'a':1},'PeriodMs':50") "]" },
      .desired = "[" ENTRY("blinky", 10, ",'Settings':{'a':2,'b':[1,2,3]},'PeriodMs':70") "]",
      .expectations = { BLINKY(10, 10) } },
    { .name = "schema",
      .reached = { "[" ENTRY("schemed", 1, ",'Settings':{'x':1}") "," PLAIN("picky", 1) "]" },
      .desired = "[" ENTRY("schemed", 1, ",'Settings':{'x':2}") "," ENTRY(
          "picky", 2, ",'Settings':{'x':2}") "," PLAIN("other", 1) "]",
      .expectations = { { "schemed", 6, 1, 1, "refused", AG_ERR_SETTINGS_SCHEMA },
                        { "picky", 7, 1, 1, "refused", AG_ERR_SETTINGS_SCHEMA },
                        OTHER(0, 1) } },
    { .name = "stop-start",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "]",
                   "[" ENTRY("blinky", 10, ",'Enabled':false") "," PLAIN("other", 1) "]" },
      .desired = "[" PLAIN("blinky", 10) "," ENTRY("other", 1, ",'Enabled':false") "]",
      .expectations = { BLINKY(0, 10), { "other", 1, 0, 1, "stopped", AG_OK } } },
    { .name = "window",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .desired = "[" ENTRY("blinky", 11, ",'Window':{'From':'00:02','To':'06:00'}") "]",
      .play = wait_for_the_window,
      .finish = wait_for_the_window,
      .expectations = { BLINKY(10, 11) } },
    { .name = "superseded",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .desired = "[" PLAIN("blinky", 20) "]",
      .play = superseded_in_the_middle,
      .finish = desire_what_supersedes,
      .expectations = { BLINKY(10, 11) } },
    { .name = "resume",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .desired = "[" PLAIN("blinky", 10) "," PLAIN("big", 1) "]",
      .play = resume_after_breaks,
      .expectations = { BLINKY(10, 10), RUNS("big", 3, 0, 1) } },
    { .name = "last-room",
      .reached = { "[" PLAIN("other", 1) "]", "[" PLAIN("other", 1) "," PLAIN("big", 1) "]",
                   "[" PLAIN("other", 1) "," PLAIN("big", 2) "]",
                   "[" PLAIN("other", 1) "," PLAIN("big", 3) "]",
                   "[" PLAIN("other", 1) "," PLAIN("big", 4) "]" },
      .desired = "[" PLAIN("other", 1) "," PLAIN("big", 5) "]",
      .expectations = { OTHER(1, 1), RUNS("big", 3, 4, 5) } },
    { .name = "no-room",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("big", 1) "]" },
      .desired = "[" PLAIN("blinky", 10) "," PLAIN("big", 1) "," PLAIN("full", 1) "]",
      .play = run_without_room,
      .finish = desire_what_has_room,
      .expectations = { BLINKY(10, 11), RUNS("big", 3, 1, 1), GONE("full", 4, 0) } },
    { .name = "compaction",
      .reached = { "[" ENTRY("blinky", 10, ",'Settings':{'a':1}") "]" },
      .prepare = fill_whole_journal,
      .desired = "[" ENTRY("blinky", 11, ",'Settings':{'a':2}") "]",
      .expectations = { BLINKY(10, 11) } },
    { .name = "wrapping",
      .reached = { "[" ENTRY("blinky", 21, ",'Settings':{'a':1}") "]" },
      .prepare = fill_journal_to_its_end,
      .desired = "[" ENTRY("blinky", 23, ",'Settings':{'a':2}") "]",
      .expectations = { BLINKY(21, 23) } },
    { .name = "engine",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "]" },
      .prepare = leave_code_of_another_engine,
      .expectations = { BLINKY(10, 10), OTHER(1, 1) } },
    { .name = "damaged-code",
      .reached = { "[" PLAIN("blinky", 10) "," PLAIN("other", 1) "]" },
      .prepare = damage_code,
      .expectations = { BLINKY(10, 10), OTHER(1, 1) } },
    { .name = "damaged-file",
      .reached = { "[" PLAIN("blinky", 10) "]", "[" PLAIN("blinky", 11) "]" },
      .prepare = damage_file,
      .expectations = { BLINKY(10, 11) } },
    { .name = "trust-by-file",
      .reached = { "[" PLAIN("blinky", 10) "]" },
      .prepare = configure_new_trust,
      .desired = "[" PLAIN("blinky", 14) "]",
      .expectations = { BLINKY(10, 14) } },
    { .name = "trust-replaced",
      .prepare = begin_good_trust,
      .desired = "[" PLAIN("blinky", 14) "]",
      .expectations = { BLINKY(10, 14) },
      .check = check_new_trust },
    { .name = "trust-back",
      .prepare = begin_bad_trust,
      .desired = "[" PLAIN("blinky", 11) "]",
      .expectations = { BLINKY(10, 11) },
      .check = check_old_trust },
    { .name = "data",
      .reached = { "[" PLAIN("counter", 1) "]" },
      .desired = "[" PLAIN("counter", 2) "]",
      .play = write_data,
      .expectations = { RUNS("counter", 5, 1, 2) },
      .check = check_data },
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
