// SPDX-License-Identifier: Apache-2.0
// Tests of plugin/schema.h: what is a schema, and what it says of settings.
#include "plugin/schema.h"

#include <stdlib.h>
#include <string.h>

#include "test/harness.h"

// target: integer, required, 5000 to 30000; mode: "eco" or "day", default "day"; on: boolean;
// label: 1 to 4 characters; step: 1 or -2, default -2. Others are welcome.
#define MEMBERS                                                                                    \
    "\6target\x3A\x88\x27\xB0\xEA\1"                                                               \
    "\4mode\xC3\2\3eco\3day\3day"                                                                  \
    "\2on\1"                                                                                       \
    "\5label\x33\1\4"                                                                              \
    "\4step\xC2\2\1\x7E\x7E"
static const char open_schema[] = "\1\0" MEMBERS;
static const char closed_schema[] = "\1\1" MEMBERS;

static enum ag_status check(const char *bytes, size_t size)
{
    uint8_t *exact = calloc(1, size ? size : 1); // so that the sanitizer sees a byte read too many
    memcpy(exact, bytes, size);
    const enum ag_status status = ag_schema_check(exact, size);
    free(exact);
    return status;
}
#define CHECK_SCHEMA(literal, wanted) CHECK_EQUAL(check("" literal, sizeof(literal) - 1), wanted)

static void check_judgement(const char *schema, const char *settings, const char *member,
                            const char *reason)
{
    struct ag_schema_fault fault = { .reason = "" };
    test_note("%s", settings);
    const enum ag_status status = ag_schema_judge((const uint8_t *)schema, sizeof open_schema - 1,
                                                  ag_text_of(settings), &fault);
    CHECK_EQUAL(status, reason ? AG_ERR_SETTINGS_SCHEMA : AG_OK);
    if (reason) {
        CHECK_TEXT(fault.member, member);
        CHECK_TEXT(fault.reason, reason);
    }
}

static void accepts(const char *settings)
{
    check_judgement(open_schema, settings, "", NULL);
}

static void refuses(const char *settings, const char *member, const char *reason)
{
    check_judgement(open_schema, settings, member, reason);
}

static void settings_that_keep_to_the_schema_are_accepted(void)
{
    CHECK_EQUAL(check(open_schema, sizeof open_schema - 1), AG_OK);
    accepts("{\"target\":5000}");
    accepts("{\"target\":30000,\"mode\":\"eco\",\"on\":false,\"label\":\"abcd\",\"step\":1}");
    accepts("{\"target\":2e4}");
    accepts("{\"other\":{\"target\":[1,{}]},\"target\":20000}");
    accepts("{\"target\":20000,\"label\":\"\\u00e4\\u00f6\\u00fc\xE2\x82\xAC\"}"); // 4 characters
}

static void the_first_thing_that_is_wrong_is_named(void)
{
    refuses("{}", "target", "is missing");
    refuses("", "target", "is missing");
    refuses("{\"on\":true}", "target", "is missing");
    refuses("{\"target\":4999}", "target", "is too small");
    refuses("{\"target\":30001}", "target", "is too large");
    refuses("{\"target\":20000.5}", "target", "is not a whole number");
    refuses("{\"target\":\"20000\"}", "target", "is not a whole number");
    refuses("{\"target\":99999999999999999999}", "target", "is not a whole number");
    refuses("{\"target\":null}", "target", "is not a whole number");
    refuses("{\"target\":{\"target\":20000}}", "target", "is not a whole number");
    refuses("{\"target\":[20000]}", "target", "is not a whole number");
    refuses("{\"target\":20000,\"on\":1}", "on", "is neither true nor false");
    refuses("{\"target\":20000,\"mode\":\"night\"}", "mode", "is none of the choices");
    refuses("{\"target\":20000,\"mode\":7}", "mode", "is not a text");
    refuses("{\"target\":20000,\"label\":\"\"}", "label", "is too short");
    refuses("{\"target\":20000,\"label\":\"abcde\"}", "label", "is too long");
    refuses("{\"target\":20000,\"step\":2}", "step", "is none of the choices");
    refuses("{\"target\":20000,\"target\":1}", "target", "is too small"); // also the second one
    refuses("[]", "", "are not an object");
    refuses("7", "", "are not valid JSON");
    refuses("{\"target\":20000", "target", "is not valid JSON");
    refuses("{\"target\":20000 ", "", "are not valid JSON");
    refuses("{\"target\":}", "target", "is not valid JSON");
}

static void a_closed_schema_refuses_members_that_it_does_not_have(void)
{
    check_judgement(closed_schema, "{\"target\":20000}", "", NULL);
    check_judgement(closed_schema, "{\"target\":20000,\"taget\":1}", "taget",
                    "is no setting of this plug-in");
    check_judgement(closed_schema,
                    "{\"target\":20000,\"1234567890123456789012345678901234567890\":1}",
                    "12345678901234567890123456789012", "is no setting of this plug-in");
}

static void without_a_schema_everything_is_accepted(void)
{
    struct ag_schema_fault fault;
    CHECK_EQUAL(ag_schema_judge(NULL, 0, ag_text_of("{\"a\":1}"), &fault), AG_OK);
    CHECK_EQUAL(check("\1\0", 2), AG_OK);
}

static void members_are_found_with_their_defaults(void)
{
    struct ag_schema_member member;
    const uint8_t *schema = (const uint8_t *)open_schema;
    const size_t size = sizeof open_schema - 1;
    CHECK(ag_schema_find(schema, size, ag_text_of("step"), &member));
    CHECK_EQUAL(member.default_.integer, -2);
    CHECK(ag_schema_find(schema, size, ag_text_of("mode"), &member));
    CHECK_EQUAL(member.default_.text.size, 3);
    CHECK_BYTES(member.default_.text.at, "day", 3);
    CHECK(ag_schema_find(schema, size, ag_text_of("target"), &member));
    CHECK_EQUAL(member.flags, AG_SCHEMA_REQUIRED | AG_SCHEMA_MIN | AG_SCHEMA_MAX);
    CHECK_EQUAL(member.min, 5000);
    CHECK_EQUAL(member.max, 30000);
    CHECK(!ag_schema_find(schema, size, ag_text_of("targe"), &member));
    CHECK(!ag_schema_find(NULL, 0, ag_text_of("target"), &member));
}

static void what_is_broken_is_no_schema(void)
{
    CHECK_SCHEMA("", AG_ERR_FILE_METADATA);
    CHECK_SCHEMA("\1", AG_ERR_FILE_METADATA);
    CHECK_SCHEMA("\2\0", AG_ERR_FILE_METADATA);           // another format
    CHECK_SCHEMA("\1\2", AG_ERR_FILE_METADATA);           // a flag that nobody knows
    CHECK_SCHEMA("\1\0\0\1", AG_ERR_FILE_METADATA);       // no name
    CHECK_SCHEMA("\1\0\1n\0", AG_ERR_FILE_METADATA);      // no type
    CHECK_SCHEMA("\1\0\1n\4", AG_ERR_FILE_METADATA);      // a type that nobody knows
    CHECK_SCHEMA("\1\0\1n\x11\0", AG_ERR_FILE_METADATA);  // a boolean with a limit
    CHECK_SCHEMA("\1\0\1n\1\1n\2", AG_ERR_FILE_METADATA); // twice the same
    CHECK_SCHEMA("\1\0\1n\x42\0", AG_ERR_FILE_METADATA);  // no choice
    CHECK_SCHEMA("\1\0\1n\x42\xFF\xFF\xFF\xFF\x0F\1", AG_ERR_FILE_METADATA);
    CHECK_SCHEMA("\1\0\x21"
                 "123456789012345678901234567890123\1",
                 AG_ERR_FILE_METADATA);
    char many[2 + 33 * 4] = "\1\0";
    for (size_t i = 0; i < 33; i++) {
        const char member[4] = { 2, 'n', (char)('A' + i), 1 };
        memcpy(many + 2 + 4 * i, member, sizeof member);
    }
    CHECK_EQUAL(check(many, 2 + 32 * 4), AG_OK);
    CHECK_EQUAL(check(many, 2 + 33 * 4), AG_ERR_FILE_METADATA);
}

// Whatever the bytes: they are refused, or settings can be judged by them.
static void damaged_schemas_are_refused_or_judge(void)
{
    static const char settings[] = "{\"target\":20000,\"mode\":\"eco\",\"on\":true,\"x\":[1]}";
    uint32_t accepted = 0;
    for (size_t at = 0; at < sizeof open_schema - 1; at++)
        for (unsigned value = 0; value < 256; value++) {
            struct ag_schema_fault fault;
            uint8_t *copy = malloc(sizeof open_schema - 1);
            memcpy(copy, open_schema, sizeof open_schema - 1);
            copy[at] = (uint8_t)value;
            test_note("byte %zu is %u", at, value);
            if (ag_schema_check(copy, sizeof open_schema - 1) == AG_OK) {
                accepted++;
                (void)!ag_schema_judge(copy, sizeof open_schema - 1, ag_text_of(settings), &fault);
            }
            free(copy);
        }
    CHECK(accepted > 1000);
    for (size_t size = 0; size < sizeof open_schema - 1; size++)
        (void)!check(open_schema, size);
}

static const struct test_case cases[] = {
    TEST(settings_that_keep_to_the_schema_are_accepted),
    TEST(the_first_thing_that_is_wrong_is_named),
    TEST(a_closed_schema_refuses_members_that_it_does_not_have),
    TEST(without_a_schema_everything_is_accepted),
    TEST(members_are_found_with_their_defaults),
    TEST(what_is_broken_is_no_schema),
    TEST(damaged_schemas_are_refused_or_judge),
};
TEST_MAIN(cases)
