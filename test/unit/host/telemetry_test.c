// SPDX-License-Identifier: Apache-2.0
// Device-to-cloud messages that wait.
#include "host/telemetry.h"

#include <string.h>

#include "test/harness.h"

static struct ag_telemetry telemetry;

static void messages_leave_in_the_order_in_which_they_came(void)
{
    const uint8_t *bytes;
    uint8_t owner;
    size_t size;
    ag_telemetry_init(&telemetry);
    CHECK(!ag_telemetry_first(&telemetry, &owner, &bytes, &size));
    ag_telemetry_drop_first(&telemetry);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, "one", 3), AG_OK);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 2, "three", 5), AG_OK);
    CHECK(ag_telemetry_first(&telemetry, &owner, &bytes, &size));
    CHECK_EQUAL(owner, 1);
    CHECK_EQUAL(size, 3);
    CHECK_BYTES(bytes, "one", 3);
    ag_telemetry_drop_first(&telemetry);
    CHECK(ag_telemetry_first(&telemetry, &owner, &bytes, &size));
    CHECK_EQUAL(owner, 2);
    CHECK_BYTES(bytes, "three", 5);
    ag_telemetry_drop_first(&telemetry);
    CHECK(!ag_telemetry_first(&telemetry, &owner, &bytes, &size));
}

static void the_ring_is_bounded_and_refuses_without_a_trace(void)
{
    static uint8_t large[AG_TELEMETRY_MAX + 1];
    ag_telemetry_init(&telemetry);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, large, 0), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, large, sizeof large), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, large, AG_TELEMETRY_MAX), AG_OK);
    uint32_t count = 0;
    while (ag_telemetry_add(&telemetry, 1, "0123456789", 10) == AG_OK)
        count++;
    CHECK_EQUAL(count, (AG_CFG_TELEMETRY_SIZE - AG_TELEMETRY_SPARED - AG_TELEMETRY_MAX - 3) / 13);
    uint32_t size = telemetry.size;
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, large, AG_TELEMETRY_MAX), AG_ERR_NO_SPACE);
    CHECK_EQUAL(telemetry.size, size);
    ag_telemetry_drop_first(&telemetry);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, large, AG_TELEMETRY_MAX), AG_OK);
}

static void whoever_sends_without_end_leaves_room_for_the_others(void)
{
    ag_telemetry_init(&telemetry);
    while (ag_telemetry_add(&telemetry, 1, "0123456789", 10) == AG_OK)
        ;
    CHECK(telemetry.size > AG_CFG_TELEMETRY_SIZE - AG_TELEMETRY_SPARED - 13);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 2, "0123456789", 10), AG_OK);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 2, "0123456789", 10), AG_ERR_NO_SPACE);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 3, "0123456789", 10), AG_OK);
    uint8_t owner;
    while (telemetry.size > 0)
        ag_telemetry_drop_first(&telemetry);
    CHECK_EQUAL(ag_telemetry_add(&telemetry, 1, "0123456789", 10), AG_OK);
    const uint8_t *bytes;
    size_t size;
    CHECK(ag_telemetry_first(&telemetry, &owner, &bytes, &size));
    CHECK_EQUAL(owner, 1);
}

static const struct test_case cases[] = {
    TEST(whoever_sends_without_end_leaves_room_for_the_others),
    TEST(messages_leave_in_the_order_in_which_they_came),
    TEST(the_ring_is_bounded_and_refuses_without_a_trace),
};
TEST_MAIN(cases)
