// SPDX-License-Identifier: Apache-2.0
// Tests of random numbers for pauses.
#include "host/jitter.h"

#include <stdio.h>

#include "test/harness.h"

static struct ag_jitter jitter_of(const char *identity, uint32_t random)
{
    struct ag_jitter jitter;
    ag_jitter_init(&jitter, ag_text_of(identity), random);
    return jitter;
}

static void the_same_device_with_the_same_randomness_draws_the_same(void)
{
    struct ag_jitter a = jitter_of("device-1", 7);
    struct ag_jitter b = jitter_of("device-1", 7);
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(ag_jitter_next(&a), ag_jitter_next(&b));
}

static void a_device_draws_others_after_another_start(void)
{
    struct ag_jitter a = jitter_of("device-1", 7);
    struct ag_jitter b = jitter_of("device-1", 8);
    uint32_t same = 0;
    for (int i = 0; i < 1000; i++)
        same += ag_jitter_next(&a) == ag_jitter_next(&b);
    CHECK(same < 3);
}

// A thousand devices whose boards have no randomness at all, after the same event.
static void a_fleet_is_spread_evenly_by_its_names_alone(void)
{
    uint32_t counts[10] = { 0 };
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "dev-%d", i);
        struct ag_jitter jitter = jitter_of(name, 0);
        counts[ag_jitter_next(&jitter) % 10000 / 1000]++;
    }
    for (int i = 0; i < 10; i++)
        CHECK(counts[i] > 60 && counts[i] < 140);
}

static void one_device_uses_the_whole_range(void)
{
    struct ag_jitter jitter = jitter_of("", 0);
    uint32_t counts[16] = { 0 };
    for (int i = 0; i < 16000; i++)
        counts[ag_jitter_next(&jitter) >> 28]++;
    for (int i = 0; i < 16; i++)
        CHECK(counts[i] > 850 && counts[i] < 1150);
}

static const struct test_case cases[] = {
    TEST(the_same_device_with_the_same_randomness_draws_the_same),
    TEST(a_device_draws_others_after_another_start),
    TEST(a_fleet_is_spread_evenly_by_its_names_alone),
    TEST(one_device_uses_the_whole_range),
};
TEST_MAIN(cases)
