// SPDX-License-Identifier: Apache-2.0
// Whose turn it is.
#include "host/schedule.h"

#include "test/harness.h"

static struct ag_schedule schedule;

static void nobody_is_due_in_an_empty_schedule(void)
{
    ag_schedule_init(&schedule);
    CHECK_EQUAL(ag_schedule_next(&schedule, 0), AG_SCHEDULE_NONE);
    CHECK_EQUAL(ag_schedule_wait(&schedule, 0), AG_SCHEDULE_NONE);
}

static void each_runs_at_once_and_then_keeps_its_period(void)
{
    uint32_t runs[2] = { 0, 0 };
    ag_schedule_init(&schedule);
    ag_schedule_add(&schedule, 0, 100, 1000);
    ag_schedule_add(&schedule, 5, 250, 1000);
    uint64_t now = 1000;
    while (now <= 2000) {
        uint32_t index = ag_schedule_next(&schedule, now);
        if (index == AG_SCHEDULE_NONE) {
            now += ag_schedule_wait(&schedule, now);
            continue;
        }
        CHECK_EQUAL(ag_schedule_wait(&schedule, now), 0);
        runs[index == 5]++;
        ag_schedule_done(&schedule, index, now);
    }
    CHECK_EQUAL(runs[0], 11);
    CHECK_EQUAL(runs[1], 5);
}

static void a_long_computation_delays_the_others_by_one_slice(void)
{
    ag_schedule_init(&schedule);
    ag_schedule_add(&schedule, 0, 1000, 0);
    for (uint32_t i = 1; i < 4; i++)
        ag_schedule_add(&schedule, i, 10, 0);
    uint32_t turns[4] = { 0 };
    uint32_t since_long = 0;
    for (uint64_t now = 0; now < 1000; now++) { // every slice takes a millisecond
        uint32_t index = ag_schedule_next(&schedule, now);
        CHECK(index < 4);
        turns[index]++;
        since_long = index == 0 ? 0 : since_long + 1;
        CHECK(since_long <= 3);
        if (index == 0)
            ag_schedule_suspended(&schedule, index);
        else
            ag_schedule_done(&schedule, index, now);
    }
    CHECK_EQUAL(turns[1], 100);
    CHECK_EQUAL(turns[2], 100);
    CHECK_EQUAL(turns[3], 100);
    CHECK_EQUAL(turns[0], 700);
}

static void missed_runs_are_left_out_and_the_phase_is_kept(void)
{
    ag_schedule_init(&schedule);
    ag_schedule_add(&schedule, 3, 100, 0);
    CHECK_EQUAL(ag_schedule_next(&schedule, 730), 3);
    ag_schedule_done(&schedule, 3, 730);
    CHECK_EQUAL(ag_schedule_wait(&schedule, 730), 0); // the run of 700
    CHECK_EQUAL(ag_schedule_next(&schedule, 735), 3);
    ag_schedule_done(&schedule, 3, 735);
    CHECK_EQUAL(ag_schedule_wait(&schedule, 735), 65);
}

static void one_that_is_removed_has_no_more_turns(void)
{
    ag_schedule_init(&schedule);
    ag_schedule_add(&schedule, 0, 10, 0);
    ag_schedule_suspended(&schedule, 0);
    ag_schedule_remove(&schedule, 0);
    CHECK_EQUAL(ag_schedule_next(&schedule, 100), AG_SCHEDULE_NONE);
    ag_schedule_add(&schedule, 0, 10, 200);
    CHECK_EQUAL(ag_schedule_wait(&schedule, 150), 50);
}

static void a_new_period_counts_from_the_next_run(void)
{
    ag_schedule_init(&schedule);
    ag_schedule_add(&schedule, 0, 1000, 0);
    CHECK_EQUAL(ag_schedule_next(&schedule, 0), 0);
    ag_schedule_done(&schedule, 0, 0);
    ag_schedule_set_period(&schedule, 0, 20);
    CHECK_EQUAL(ag_schedule_wait(&schedule, 0), 20);
}

static void long_computations_take_turns(void)
{
    uint32_t slices[3] = { 0, 0, 0 };
    ag_schedule_init(&schedule);
    for (uint32_t i = 0; i < 3; i++)
        ag_schedule_add(&schedule, i, 1000, 0);
    for (uint64_t now = 0; now < 300; now++) {
        const uint32_t index = ag_schedule_next(&schedule, now);
        CHECK(index < 3);
        slices[index]++;
        ag_schedule_suspended(&schedule, index);
    }
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQUAL(slices[i], 100);
}

static const struct test_case cases[] = {
    TEST(nobody_is_due_in_an_empty_schedule),
    TEST(each_runs_at_once_and_then_keeps_its_period),
    TEST(a_long_computation_delays_the_others_by_one_slice),
    TEST(long_computations_take_turns),
    TEST(missed_runs_are_left_out_and_the_phase_is_kept),
    TEST(one_that_is_removed_has_no_more_turns),
    TEST(a_new_period_counts_from_the_next_run),
};
TEST_MAIN(cases)
