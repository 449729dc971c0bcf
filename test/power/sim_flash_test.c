// SPDX-License-Identifier: Apache-2.0
// The simulated flash is as strict as it says: what it lets pass, a device might not.
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/sim/sim_flash.h"
#include "test/harness.h"

#define SIZE (4u * AG_FLASH_BLOCK)

static struct sim_flash sim;
static struct ag_flash *flash;
static const uint8_t unit[AG_FLASH_UNIT] = { 0xA5, 1, 2, 3 };

static void begin(void)
{
    if (sim.bytes)
        sim_flash_close(&sim);
    sim_flash_open(&sim, SIZE);
    flash = &sim.flash;
}

static void a_unit_is_programmed_once_between_two_erases(void)
{
    begin();
    CHECK_EQUAL(flash->program(flash->context, 32, unit, sizeof unit), AG_OK);
    CHECK_EQUAL(flash->program(flash->context, 32, unit, sizeof unit), AG_ERR_FLASH);
    CHECK_EQUAL(sim.counts.breaches, 1);
    CHECK_EQUAL(flash->erase(flash->context, 0), AG_OK);
    CHECK_EQUAL(flash->program(flash->context, 32, unit, sizeof unit), AG_OK);
    CHECK_EQUAL(sim.counts.breaches, 1);
}

static void a_block_whose_erase_was_cut_must_be_erased_again_even_if_it_looks_blank(void)
{
    uint32_t blank = 0;
    for (uint32_t seed = 0; seed < 64; seed++) {
        begin();
        sim.cut_at = 1;
        sim.cut_mode = SIM_CUT_TORN;
        sim.seed = seed;
        CHECK_EQUAL(flash->erase(flash->context, 0), AG_ERR_FLASH);
        sim_flash_restart(&sim);
        blank +=
            memcmp(flash->base, flash->base + 1, AG_FLASH_BLOCK - 1) == 0 && *flash->base == 0xFF;
        CHECK_EQUAL(flash->program(flash->context, 0, unit, sizeof unit), AG_ERR_FLASH);
        CHECK_EQUAL(flash->erase(flash->context, 0), AG_OK);
        CHECK_EQUAL(flash->program(flash->context, 0, unit, sizeof unit), AG_OK);
    }
    CHECK(blank > 0);
}

// How a program that reads there ends.
static bool read_ends_it(uint32_t offset)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        volatile uint8_t byte = flash->base[offset];
        (void)byte;
        _exit(0);
    }
    int state = 0;
    CHECK(child > 0 && waitpid(child, &state, 0) == child);
    CHECK(!WIFEXITED(state) || WEXITSTATUS(state) != 3);
    return !WIFEXITED(state) || WEXITSTATUS(state) != 0;
}

static void reading_what_was_not_programmed_since_its_erase_ends_the_program(void)
{
#ifndef __SANITIZE_ADDRESS__
    test_skip("only AddressSanitizer can see it");
#endif
    begin();
    CHECK(read_ends_it(0));
    CHECK_EQUAL(flash->program(flash->context, 32, unit, sizeof unit), AG_OK);
    CHECK(!read_ends_it(32));
    CHECK(!read_ends_it(47));
    CHECK(read_ends_it(31));
    CHECK(read_ends_it(48));
    CHECK_EQUAL(flash->erase(flash->context, 0), AG_OK);
    CHECK(read_ends_it(32));
}

static void torn_programs_follow_several_patterns(void)
{
    uint32_t nothing = 0;
    uint32_t all = 0;
    uint32_t other = 0;
    for (uint32_t seed = 0; seed < 64; seed++) {
        begin();
        sim.cut_at = 1;
        sim.cut_mode = SIM_CUT_TORN;
        sim.seed = seed;
        static const uint8_t zeros[8 * AG_FLASH_UNIT];
        CHECK_EQUAL(flash->program(flash->context, 0, zeros, sizeof zeros), AG_ERR_FLASH);
        uint32_t ones = 0;
        for (uint32_t bit = 0; bit < sizeof zeros * 8; bit++)
            ones += sim.bytes[bit / 8] >> bit % 8 & 1;
        if (ones == sizeof zeros * 8 - 1)
            nothing++;
        else if (ones == 1)
            all++;
        else
            other++;
    }
    CHECK(nothing > 5 && all > 5 && other > 10);
}

static const struct test_case cases[] = {
    TEST(a_unit_is_programmed_once_between_two_erases),
    TEST(a_block_whose_erase_was_cut_must_be_erased_again_even_if_it_looks_blank),
    TEST(reading_what_was_not_programmed_since_its_erase_ends_the_program),
    TEST(torn_programs_follow_several_patterns),
};

int main(int argc, char **argv)
{
    const int code = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    if (sim.bytes)
        sim_flash_close(&sim);
    return code;
}
