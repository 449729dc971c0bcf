// SPDX-License-Identifier: Apache-2.0
// Tests of cli/rest.h that need no server: error bodies and escaping.
#include <stdlib.h>
#include <string.h>

#include "cli/rest.h"
#include "test/harness.h"

static struct ag_rest_error read_error(const char *body)
{
    char copy[2048];
    struct ag_rest_error error;
    struct ag_rest_answer answer = { .body = copy, .size = strlen(body) };
    CHECK(strlen(body) < sizeof copy);
    strcpy(copy, body);
    ag_rest_read_error(&answer, &error);
    return error;
}

static void the_errors_of_iot_hub_are_read(void)
{
    struct ag_rest_error error =
        read_error("{\"Message\":\"ErrorCode:DeviceNotFound;no such device\","
                   "\"ExceptionMessage\":\"Tracking ID:1\"}");
    CHECK_TEXT(error.code, "DeviceNotFound");
    CHECK_TEXT(error.text, "no such device");
    error = read_error("{\"Message\":\"{\\\"errorCode\\\":401002,\\\"trackingId\\\":\\\"t\\\","
                       "\\\"message\\\":\\\"Unauthorized\\\"}\"}");
    CHECK_TEXT(error.code, "401002");
    CHECK_TEXT(error.text, "Unauthorized");
    error = read_error("{\"Message\":\"ErrorCode:Alone\"}");
    CHECK_TEXT(error.code, "Alone");
    CHECK_TEXT(error.text, "");
    error = read_error("{\"message\":\"plain\"}");
    CHECK_TEXT(error.text, "plain");
}

static void the_errors_of_storage_are_read(void)
{
    const struct ag_rest_error error =
        read_error("<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code>"
                   "<Message>Server failed to authenticate.\nRequestId:1</Message></Error>");
    CHECK_TEXT(error.code, "AuthenticationFailed");
    CHECK_TEXT(error.text, "Server failed to authenticate.");
}

static void anything_else_gives_an_empty_error_and_no_control_characters(void)
{
    static const char *const bodies[] = {
        "", "{", "[]", "null", "{\"Message\":5}", "<Code>", "<Code></Message>", "text",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct ag_rest_error error = read_error(bodies[i]);
        test_note("%s", bodies[i]);
        CHECK_TEXT(error.code, "");
        CHECK_TEXT(error.text, "");
    }
    const struct ag_rest_error error = read_error("{\"Message\":\"a\\u001b[31mb\"}");
    CHECK_TEXT(error.text, "a[31mb");
}

static void an_error_that_is_too_long_is_cut(void)
{
    char body[2000];
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"Message\":\"ErrorCode:", 22);
    memcpy(body + sizeof body - 3, "\"}", 3);
    const struct ag_rest_error error = read_error(body);
    CHECK_EQUAL(strlen(error.code), sizeof error.code - 1);
}

static void everything_but_unreserved_characters_is_escaped(void)
{
    char *text = ag_rest_escape("a-b_c.d~e/f g%h+\xC3\xA4");
    CHECK_TEXT(text, "a-b_c.d~e%2Ff%20g%25h%2B%C3%A4");
    free(text);
    text = ag_rest_escape("");
    CHECK_TEXT(text, "");
    free(text);
}

static const struct test_case cases[] = {
    TEST(the_errors_of_iot_hub_are_read),
    TEST(the_errors_of_storage_are_read),
    TEST(anything_else_gives_an_empty_error_and_no_control_characters),
    TEST(an_error_that_is_too_long_is_cut),
    TEST(everything_but_unreserved_characters_is_escaped),
};
TEST_MAIN(cases)
