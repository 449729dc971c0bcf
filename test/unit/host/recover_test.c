// SPDX-License-Identifier: Apache-2.0
// A flash that fails, for one operation or for a while, and a device that nobody restarts: whatever
// was going on, all that ran runs on, the report says what is wrong while it is, and the desired
// state is reached once the flash works again.
#include <stdio.h>
#include <string.h>

#include "host/criteria.h"
#include "test/harness.h"
#include "test/unit/host/world.h"

#define FOR_AWHILE_MS 400000u // longer than the longest pause between attempts
#define SETTLES_MS    1500000u

// ---- What goes on ------------------------------------------------------------------------------

static void publish(const char *name, uint32_t version, enum module_behaviour behaviour,
                    uint32_t argument)
{
    char path[32];
    snprintf(path, sizeof path, "%s-%u.wasm", name, (unsigned)version);
    world_publish(path, &(struct module){ .name = name,
                                          .version = version,
                                          .behaviour = behaviour,
                                          .argument = argument,
                                          .pin = name[0] == 's' ? 1 : 0 });
}

#define ENTRY(name, version)                                                                       \
    "{'Name':'" name "','Version':" #version ",'Url':'https://files.example/" name "-" #version    \
    ".wasm'}"

static void desire_first(void)
{
    world_desire("[" ENTRY("steady", 1) "]");
}

static void desire_10(void)
{
    world_desire("[" ENTRY("steady", 1) "," ENTRY("blinky", 10) "]");
}

static void desire_11(void)
{
    world_desire("[" ENTRY("steady", 1) "," ENTRY("blinky", 11) "]");
}

static void desire_12(void)
{
    world_desire("[" ENTRY("steady", 1) "," ENTRY("blinky", 12) "]");
}

static void desire_two(void)
{
    world_desire("[" ENTRY("steady", 1) "," ENTRY("blinky", 11) "," ENTRY("other", 3) "]");
}

static void desire_stopped(void)
{
    world_desire("[" ENTRY("steady", 1) ",{'Name':'blinky','Version':10,'Enabled':false,"
                                        "'Url':'https://files.example/blinky-10.wasm'}]");
}

static struct ag_host_plugin_status look(const char *name)
{
    struct ag_host_plugin_status status;
    for (uint32_t i = 0; ag_host_plugin_at(world.host, i, &status) == AG_OK; i++)
        if (strcmp(status.name, name) == 0)
            return status;
    memset(&status, 0, sizeof status);
    return status;
}

static void is_first(void)
{
    CHECK(!world_is_reported("blinky"));
    CHECK_EQUAL(look("blinky").version, 0);
}

static void is_10(void)
{
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(look("blinky").version, 10);
}

static void is_11(void)
{
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(look("blinky").version, 11);
}

static void is_two(void)
{
    is_11();
    CHECK_TEXT(world_state("other"), "running");
}

static void is_rolled_back(void)
{
    CHECK_TEXT(world_state("blinky"), "rolled_back");
    CHECK_EQUAL(world_error("blinky"), AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(look("blinky").version, 10);
}

static void is_stopped(void)
{
    CHECK_TEXT(world_state("blinky"), "stopped");
    CHECK_EQUAL(look("blinky").version, 10);
}

struct story {
    const char *name;
    void (*before)(void);
    void (*then)(void);
    void (*is_as_desired)(void);
};

static const struct story stories[] = {
    { "install", desire_first, desire_10, is_10 },
    { "update", desire_10, desire_11, is_11 },
    { "rollback", desire_10, desire_12, is_rolled_back },
    { "removal", desire_10, desire_first, is_first },
    { "stop", desire_10, desire_stopped, is_stopped },
    { "two", desire_10, desire_two, is_two },
};
#define STORIES (sizeof stories / sizeof stories[0])

static void open(const struct story *story)
{
    world_open();
    publish("steady", 1, MODULE_GOOD, 0);
    publish("blinky", 10, MODULE_GOOD, 0);
    publish("blinky", 11, MODULE_GOOD, 0);
    publish("blinky", 12, MODULE_TRAPS_LATER, 2);
    publish("other", 3, MODULE_GOOD, 0);
    story->before();
    world_boot();
    CHECK(world_settle(120000));
}

static uint32_t host_error(void)
{
    json_t *airgraft = json_object_get(world.hub.reported, "airgraft");
    json_t *error = json_object_get(airgraft, "error");
    return (uint32_t)json_integer_value(json_object_get(error, "code"));
}

static uint32_t operations_of(const struct story *story)
{
    open(story);
    const uint32_t before = world.flash.operations;
    story->then();
    CHECK(world_settle(SETTLES_MS));
    story->is_as_desired();
    const uint32_t operations = world.flash.operations - before;
    world_close();
    return operations;
}

// What was desired may be there before the store is up again.
static bool settle(void)
{
    for (int i = 0; i < 10; i++) {
        if (!world_settle(SETTLES_MS))
            return false;
        if (host_error() == 0)
            return true;
        world_run(60000);
    }
    return false;
}

static void check_end(const struct story *story, uint32_t nth, uint32_t steady_runs)
{
    if (!settle()) {
        printf("# %s, operation %u\n", story->name, (unsigned)nth);
        CHECK(!"it settles");
    }
    story->is_as_desired();
    CHECK(look("steady").runs > steady_runs);
    CHECK_EQUAL(board_log_count("steady 1: running"), 0); // never started again
    // What the next start finds is the same.
    world_reset();
    CHECK(world_settle(SETTLES_MS));
    story->is_as_desired();
}

// ---- One operation -----------------------------------------------------------------------------

static void one_operation_that_fails_needs_no_restart(void)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < STORIES; i++) {
        const uint32_t operations = operations_of(&stories[i]);
        for (uint32_t nth = 1; nth <= operations; nth++, all++) {
            open(&stories[i]);
            const uint32_t runs = look("steady").runs;
            world.flash.fail_at = world.flash.operations + nth;
            stories[i].then();
            check_end(&stories[i], nth, runs);
            world_close();
        }
    }
    printf("# %u failures of one operation\n", (unsigned)all);
}

// ---- All operations for a while ----------------------------------------------------------------

static void fail_for_a_while(const struct story *story, uint32_t nth)
{
    open(story);
    const uint32_t runs = look("steady").runs;
    world.fails_from = nth;
    story->then();
    world_run(FOR_AWHILE_MS);
    CHECK(world.flash_fails);
    CHECK_EQUAL(host_error(), AG_ERR_FLASH);
    CHECK(look("steady").runs > runs + FOR_AWHILE_MS / 1000);
    world.flash_fails = false;
    check_end(story, nth, runs);
    world_close();
}

static void a_flash_that_fails_for_a_while_needs_no_restart(void)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < STORIES; i++) {
        const uint32_t operations = operations_of(&stories[i]);
        for (uint32_t nth = 1; nth <= operations; nth++, all++)
            fail_for_a_while(&stories[i], nth);
    }
    printf("# %u failures for a while\n", (unsigned)all);
}

static void attempts_to_bring_the_store_up_again_are_few(void)
{
    open(&stories[1]);
    world.flash_fails = true;
    stories[1].then();
    world_run(24u * 3600u * 1000u);
    CHECK(board_log_count("store: still fails") >= 200);
    CHECK(board_log_count("store: still fails") <= 1000);
    CHECK_EQUAL(board_log_count("store: nothing can be changed for now"), 1);
    CHECK_EQUAL(board_log_count("steady 1: running"), 0);
    world_close();
}

// What is on trial has passed and stays until that can be written, also past the trial's longest
// time.
static void a_trial_that_cannot_be_confirmed_lets_the_host_sleep(void)
{
    open(&stories[1]);
    const uint32_t runs = look("steady").runs;
    stories[1].then();
    for (int i = 0; i < 60000 && look("blinky").state != AG_STATE_TRIAL; i++)
        world_run(1);
    world.flash_fails = true;
    world_run(AG_CRITERIA_LIMIT_MIN_MS + FOR_AWHILE_MS);
    CHECK_EQUAL(look("blinky").state, AG_STATE_TRIAL);
    const uint64_t steps = world.steps;
    world_run(60000);
    CHECK(world.steps - steps < 6000); // ten for each run of the two would do
    world.flash_fails = false;
    check_end(&stories[1], 0, runs);
    world_close();
}

static const struct test_case cases[] = {
    TEST(one_operation_that_fails_needs_no_restart),
    TEST(a_flash_that_fails_for_a_while_needs_no_restart),
    TEST(attempts_to_bring_the_store_up_again_are_few),
    TEST(a_trial_that_cannot_be_confirmed_lets_the_host_sleep),
};
TEST_MAIN(cases)
