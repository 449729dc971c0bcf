// SPDX-License-Identifier: Apache-2.0
// Reported properties of plug-ins, until the hub has them.
#include "host/properties.h"

#include <stdio.h>
#include <string.h>

#include "test/harness.h"

static struct ag_properties properties;
static char text[256];

static void set(const char *key, int64_t number)
{
    const struct ag_property property = { .key = ag_text_of(key),
                                          .type = AG_PROPERTY_INT,
                                          .number = number };
    CHECK_EQUAL(ag_properties_set(&properties, 1, &property), AG_OK);
}

// What the next patch says of the first plug-in.
static const char *written(void)
{
    struct ag_writer out;
    struct ag_json_writer json;
    ag_writer_init(&out, text, sizeof text - 1);
    ag_json_writer_init(&json, &out);
    ag_json_writer_begin_object(&json);
    ag_properties_write(&properties, 1, &json);
    ag_json_writer_end_object(&json);
    CHECK_EQUAL(out.status, AG_OK);
    text[out.size] = 0;
    return text;
}

static void what_has_arrived_is_not_said_again(void)
{
    ag_properties_init(&properties);
    set("n", 7);
    CHECK_TEXT(written(), "{\"n\":7}");
    ag_properties_settle(&properties, true);
    CHECK(!ag_properties_are_dirty(&properties, 0));
    set("n", 7);
    CHECK(!ag_properties_are_dirty(&properties, 0));
    CHECK_TEXT(written(), "{}");
}

static void what_was_lost_is_said_again(void)
{
    ag_properties_init(&properties);
    set("n", 7);
    set("m", 1);
    CHECK_TEXT(written(), "{\"n\":7,\"m\":1}");
    ag_properties_settle(&properties, false);
    CHECK(ag_properties_are_dirty(&properties, 1));
    CHECK_TEXT(written(), "{\"n\":7,\"m\":1}");
}

static void what_changes_on_its_way_is_said_once_more(void)
{
    ag_properties_init(&properties);
    set("n", 7);
    CHECK_TEXT(written(), "{\"n\":7}");
    set("n", 8);
    ag_properties_settle(&properties, true);
    CHECK_TEXT(written(), "{\"n\":8}");
}

static enum ag_status set_of(uint8_t owner, uint32_t number)
{
    char key[8];
    snprintf(key, sizeof key, "k%u", (unsigned)number);
    const struct ag_property property = { .key = ag_text_of(key), .type = AG_PROPERTY_BOOL };
    return ag_properties_set(&properties, owner, &property);
}

static void whoever_reports_under_ever_other_keys_leaves_room_for_the_others(void)
{
    uint32_t count = 0;
    ag_properties_init(&properties);
    while (count < AG_CFG_PROPERTY_COUNT && set_of(1, count) == AG_OK)
        count++;
    CHECK_EQUAL(count, AG_CFG_PROPERTY_COUNT - AG_PROPERTIES_SPARED);
    for (uint32_t i = 0; i < AG_PROPERTIES_FEW; i++)
        CHECK_EQUAL(set_of(2, i), AG_OK);
    CHECK_EQUAL(set_of(2, AG_PROPERTIES_FEW), AG_ERR_NO_SPACE);
    CHECK_EQUAL(set_of(3, 0), AG_OK);
    CHECK_EQUAL(set_of(1, 0), AG_OK); // what is there can be set anew
    ag_properties_forget(&properties, 1);
    CHECK_EQUAL(set_of(2, AG_PROPERTIES_FEW), AG_OK);
}

static const struct test_case cases[] = {
    TEST(whoever_reports_under_ever_other_keys_leaves_room_for_the_others),
    TEST(what_has_arrived_is_not_said_again),
    TEST(what_was_lost_is_said_again),
    TEST(what_changes_on_its_way_is_said_once_more),
};
TEST_MAIN(cases)
