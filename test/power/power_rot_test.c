// SPDX-License-Identifier: Apache-2.0
// Bit rot of the whole host's image: one flipped bit anywhere, while the device is off. Nothing
// damaged ever runs (watch.h), what is not damaged runs without a network, floors, quarantine and
// options stay, and with the network the device gets to the desired state.
//
// As a test: one bit in many. `--all [JOBS]`: every bit of the journal's blocks and of what is
// written elsewhere, in so many processes, of an image at rest; and one in many of each image that
// an update goes through. A failure is named IMAGE:BIT; to see that one again: power_rot_test
// --replay 0:12345
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness.h"
#include "test/power/jobs.h"
#include "test/power/moment.h"
#include "test/power/scenarios.h"
#include "test/unit/host/watch.h"

#define ENTRY         SCENARIO_ENTRY
#define ALONE_MS      1000u
#define SETTLE_MS     600000u
#define FAILURES_TOLD 20u
#define STEP_TEST     1511u // the test flips one bit in so many; both are primes
#define STEP_BLANK    17u
#define STEP_ON_WAY   53u // and the campaign of the images on the way

#define AT_REST "[" ENTRY("blinky", 23, "") "," ENTRY("other", 1, ",'Settings':{'a':1}") "]"

struct count {
    uint32_t images;
    uint32_t flips;
    uint32_t failures;
};

static struct {
    uint32_t image; // 0: at rest; k: on the way, after k operations
    uint32_t bit;
    uint32_t job;
    uint32_t jobs;
    struct count count;
} rot = { .jobs = 1 };

static struct moment image;

static bool runs(const char *name, uint32_t version)
{
    struct ag_host_plugin_status status;
    for (uint32_t i = 0; ag_host_plugin_at(world.host, i, &status) == AG_OK; i++)
        if (strcmp(status.name, name) == 0 && status.runs > 0)
            return version == 0 || status.version == version;
    return false;
}

static void run_flipped(void)
{
    moment_give(&image);
    watch_back();
    sim_flash_flip(&world.flash, rot.bit);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_boot();
    world_run(ALONE_MS);
    CHECK(runs("blinky", 0)); // this version, or the one before
    world.hub_pipe.open_fails = AG_OK;
    CHECK(world_settle(SETTLE_MS));
    CHECK_TEXT(world_state("blinky"), "running");
    CHECK_EQUAL(world_version("blinky"), 23);
    CHECK_EQUAL(world_error("blinky"), 0);
    CHECK_TEXT(world_state("other"), "running");
    world_run(300);
    CHECK(runs("blinky", 23) && runs("other", 1));
    CHECK_EQUAL(world.flash.counts.breaches, 0);
    // What a reset makes of it now.
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_reset();
    world_run(300);
    CHECK(runs("blinky", 23) && runs("other", 1));
    world_power_off();
}

static void flip(void)
{
    char id[40];
    snprintf(id, sizeof id, "%u:%u", (unsigned)rot.image, (unsigned)rot.bit);
    test_note("%s", id);
    rot.count.flips++;
    if (!test_try(run_flipped) && rot.count.failures++ < FAILURES_TOLD)
        printf("# failed: rot %s: %s\n", id, test_why());
}

// Of blank flash outside of the journal nothing is ever read: a block is erased before it is used.
// Of the blank parts of the journal's blocks one bit in so many stands for all.
static bool matters(uint32_t bit)
{
    const uint32_t journal = 4; // blocks of the ring
    return sim_flash_is_written(&image.flash, image.flash.flash.base + bit / 8, 1) ||
           (bit / 8 < journal * AG_FLASH_BLOCK && bit % STEP_BLANK == 0);
}

// Takes the image in hand, and has the watch see what is on it.
static void take_image(void)
{
    moment_take(&image);
    watch_memory();
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_boot();
    world_power_off();
    watch_mark();
}

static void flip_every(uint32_t step)
{
    const uint32_t bits = world.flash.flash.size * 8;
    uint32_t number = 0;
    rot.count.images++;
    for (rot.bit = step / 2; rot.bit < bits; rot.bit += step)
        if (matters(rot.bit) && number++ % rot.jobs == rot.job)
            flip();
}

// ---- Images ------------------------------------------------------------------------------------

static void prepare(void)
{
    scenario_open();
    moment_open(&image);
    scenario_reach("[" ENTRY("blinky", 11, "") "]");
    scenario_reach("[" ENTRY("blinky", 12, "") "]"); // fails, and is in quarantine
    scenario_reach("[" ENTRY("blinky", 21, "") "," ENTRY("other", 1, ",'Settings':{'a':1}") "]");
}

static void finish(void)
{
    world_power_off();
    moment_close(&image);
    world_close();
}

static void rest(void)
{
    rot.image = 0;
    scenario_reach(AT_REST);
    take_image();
}

// What the flash holds when the power goes right after an operation of the update. 0: never.
static bool stop_after(uint32_t operation)
{
    world_desire(AT_REST);
    world.flash.operations = 0;
    world.flash.cut_at = operation;
    world.flash.cut_mode = SIM_CUT_AFTER;
    world.stops_at_cut = true;
    if (setjmp(world.power) == 0) {
        world_boot();
        CHECK(world_settle(SETTLE_MS));
    }
    const bool is_cut = world.flash.off;
    world_power_off();
    sim_flash_restart(&world.flash);
    return is_cut;
}

static bool way(uint32_t operation)
{
    static struct moment start;
    rot.image = operation;
    if (operation == 1) {
        moment_open(&start);
        moment_take(&start);
    }
    moment_give(&start);
    watch_memory();
    const bool is_cut = stop_after(operation);
    if (is_cut)
        take_image();
    else
        moment_close(&start);
    return is_cut;
}

// ---- As a test ---------------------------------------------------------------------------------

static void tell(void)
{
    printf("# %u images, %u flipped bits\n", (unsigned)rot.count.images, (unsigned)rot.count.flips);
    CHECK_EQUAL(rot.count.failures, 0);
    CHECK(rot.count.flips > 100);
}

static void a_flipped_bit_of_an_image_at_rest_is_found_or_put_right(void)
{
    rot.count = (struct count){ 0 };
    prepare();
    rest();
    flip_every(STEP_TEST / 5);
    finish();
    tell();
}

static void a_flipped_bit_at_any_step_of_an_update_is_found_or_put_right(void)
{
    rot.count = (struct count){ 0 };
    prepare();
    for (uint32_t operation = 1; way(operation); operation++)
        flip_every(STEP_TEST);
    finish();
    tell();
}

static const struct test_case cases[] = {
    TEST(a_flipped_bit_of_an_image_at_rest_is_found_or_put_right),
    TEST(a_flipped_bit_at_any_step_of_an_update_is_found_or_put_right),
};

// ---- As a campaign -----------------------------------------------------------------------------

static void flip_all(void)
{
    prepare();
    for (uint32_t operation = 1; way(operation); operation++)
        flip_every(STEP_ON_WAY);
    finish();
    prepare();
    rest();
    flip_every(1);
    finish();
}

static struct count *shared;

static void run_job(uint32_t job)
{
    rot.job = job;
    flip_all();
    shared[job] = rot.count;
}

static int run_jobs(void)
{
    struct count all = { 0 };
    shared = jobs_share(JOBS_MAX * sizeof *shared);
    if (!shared)
        return 1;
    const bool passed = jobs_run(rot.jobs, run_job);
    for (uint32_t job = 0; job < rot.jobs; job++) {
        all.images = shared[job].images;
        all.flips += shared[job].flips;
        all.failures += shared[job].failures;
    }
    printf("rot: images %u, flips %u, failures %u\n", (unsigned)all.images, (unsigned)all.flips,
           (unsigned)all.failures + !passed);
    return !passed || all.failures > 0;
}

static uint32_t only_bit;
static uint32_t only_image;

static void replayed(void)
{
    prepare();
    if (only_image == 0)
        rest();
    for (uint32_t operation = 1; operation <= only_image; operation++)
        CHECK(way(operation));
    rot.bit = only_bit;
    run_flipped();
}

int main(int argc, char **argv)
{
    static const struct test_case one[] = { TEST(replayed) };
    const char *option = argc > 1 ? argv[1] : "";
    if (strcmp(option, "--replay") == 0 && argc == 3 &&
        sscanf(argv[2], "%u:%u", &only_image, &only_bit) == 2)
        return test_main(1, argv, one, 1);
    if (strcmp(option, "--all") != 0)
        return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    rot.jobs = jobs_parse(argc > 2 ? argv[2] : NULL);
    return run_jobs();
}
