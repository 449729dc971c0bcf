// SPDX-License-Identifier: Apache-2.0
// Pauses between attempts.
#include "base/backoff.h"

#include "test/harness.h"

static void the_bound_doubles_up_to_the_cap_and_stays_there(void)
{
    static const uint32_t bounds[] = { 1000, 2000, 4000, 8000, 10000, 10000, 10000 };
    struct ag_backoff backoff;
    ag_backoff_init(&backoff, 1000, 10000);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct ag_backoff other = backoff;
        CHECK_EQUAL(ag_backoff_fail(&backoff, bounds[i] - 1), bounds[i]);
        CHECK_EQUAL(ag_backoff_fail(&other, bounds[i]), 1);
    }
}

static void it_never_gives_up_and_never_overflows(void)
{
    struct ag_backoff backoff;
    ag_backoff_init(&backoff, 1, UINT32_MAX);
    backoff.failures = UINT32_MAX;
    uint32_t pause = ag_backoff_fail(&backoff, UINT32_MAX - 1);
    CHECK_EQUAL(pause, UINT32_MAX);
    CHECK_EQUAL(backoff.failures, UINT32_MAX);
    CHECK(ag_backoff_fail(&backoff, UINT32_MAX) >= 1);
}

static void only_a_success_that_lasted_forgets_the_failures(void)
{
    struct ag_backoff backoff;
    ag_backoff_init(&backoff, 1000, 10000);
    ag_backoff_fail(&backoff, 1);
    ag_backoff_fail(&backoff, 1);
    ag_backoff_succeed(&backoff, AG_BACKOFF_STABLE_MS - 1);
    CHECK_EQUAL(backoff.failures, 2);
    ag_backoff_succeed(&backoff, AG_BACKOFF_STABLE_MS);
    CHECK_EQUAL(backoff.failures, 0);
}

static void a_server_may_ask_for_an_hour_at_most(void)
{
    CHECK_EQUAL(ag_backoff_asked(0), 0);
    CHECK_EQUAL(ag_backoff_asked(3599), 3599000);
    CHECK_EQUAL(ag_backoff_asked(3601), AG_BACKOFF_ASKED_MAX_MS);
    CHECK_EQUAL(ag_backoff_asked(UINT32_MAX), AG_BACKOFF_ASKED_MAX_MS);
}

static const struct test_case cases[] = {
    TEST(the_bound_doubles_up_to_the_cap_and_stays_there),
    TEST(it_never_gives_up_and_never_overflows),
    TEST(a_server_may_ask_for_an_hour_at_most),
    TEST(only_a_success_that_lasted_forgets_the_failures),
};
TEST_MAIN(cases)
