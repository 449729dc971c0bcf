// SPDX-License-Identifier: Apache-2.0
// Names and payloads of direct methods: what is taken, and that nothing else is.
#include "host/method_request.h"

#include <stdio.h>
#include <string.h>

#include "test/harness.h"

static char storage[AG_CFG_METHOD_PAYLOAD + 1];
static struct ag_method_request request;

static enum ag_status read_request(const char *name, const char *payload)
{
    return ag_method_request_read(ag_text_of(name), ag_text_of(payload), storage, &request);
}

static void every_payload_of_up_to_two_bytes_is_taken_or_refused_and_nothing_else_happens(void)
{
    static const char *const names[] = { "status", "restart", "logs", "retry", "call", "a.b" };
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        uint32_t taken = 0;
        for (uint32_t i = 0; i < 0x10000 + 0x100 + 1; i++) {
            char bytes[2] = { (char)(i >> 8), (char)i };
            size_t size = i < 0x10000 ? 2 : i < 0x10100 ? 1 : 0;
            struct ag_text payload = { size == 1 ? bytes + 1 : bytes, size };
            enum ag_status status =
                ag_method_request_read(ag_text_of(names[n]), payload, storage, &request);
            if (status != AG_OK && status != AG_ERR_METHOD)
                test_fail(__FILE__, __LINE__, "%s %04x: %d", names[n], (unsigned)i, (int)status);
            taken += status == AG_OK;
        }
        // 21 of blanks (none, one, two of four) and {}; of a plug-in also [], "", 10 numbers of one
        // digit, 90 of two, 10 with a minus sign, 80 with a blank before or behind.
        CHECK_EQUAL(taken, n < 4 ? 22u : n == 4 ? 0u : 21u + 3u + 10u + 90u + 10u + 80u);
    }
}

static void members_have_their_types_and_ranges(void)
{
    CHECK_EQUAL(read_request("logs", "{\"name\":\"blinky\",\"lines\":3,\"from\":\"x\"}"), AG_OK);
    CHECK_EQUAL(request.kind, AG_METHOD_LOGS);
    CHECK_TEXT(request.name, "blinky");
    CHECK_EQUAL(request.lines, 3);
    CHECK_EQUAL(read_request("logs", "{}"), AG_OK);
    CHECK_TEXT(request.name, "host");
    CHECK_EQUAL(request.lines, AG_METHOD_REQUEST_LINES);
    CHECK_EQUAL(read_request("status", "{\"from\":0,\"lines\":[]}"), AG_OK);
    CHECK_EQUAL(read_request("status", "{\"name\":\"\\u0000\"}"), AG_ERR_METHOD);
    char longest[AG_CFG_NAME_MAX + 16];
    snprintf(longest, sizeof longest, "{\"name\":\"%0*d\"}", AG_CFG_NAME_MAX, 1);
    CHECK_EQUAL(read_request("status", longest), AG_OK);
    snprintf(longest, sizeof longest, "{\"name\":\"%0*d\"}", AG_CFG_NAME_MAX + 1, 1);
    CHECK_EQUAL(read_request("status", longest), AG_ERR_METHOD);
}

static void a_refused_request_leaves_what_was_there(void)
{
    CHECK_EQUAL(read_request("logs", "{\"lines\":7}"), AG_OK);
    CHECK_EQUAL(read_request("logs", "{\"lines\":9"), AG_ERR_METHOD);
    CHECK_EQUAL(read_request("Status", ""), AG_ERR_METHOD_UNKNOWN);
    CHECK_EQUAL(request.lines, 7);
}

static void a_call_carries_the_payload_as_json(void)
{
    CHECK_EQUAL(read_request("call", "{\"name\":\"p\",\"method\":\"m\",\"payload\":{\"a\": [1]}}"),
                AG_OK);
    CHECK_EQUAL(request.payload.size, 9);
    CHECK(memcmp(request.payload.at, "{\"a\":[1]}", 9) == 0);
    CHECK_EQUAL(read_request("p.m", " [1, 2] "), AG_OK);
    CHECK(request.is_whole && ag_method_request_split(&request, "p"));
    CHECK_TEXT(request.method, "m");
    CHECK(!ag_method_request_split(&request, "p")); // once only
    CHECK_EQUAL(read_request("p.", ""), AG_OK);
    CHECK(!ag_method_request_split(&request, "p"));
    CHECK_EQUAL(read_request("plug.m", ""), AG_OK);
    CHECK(!ag_method_request_split(&request, "plu"));
    CHECK_EQUAL(read_request("\xFF.m", ""), AG_ERR_METHOD_UNKNOWN);
}

static const struct test_case cases[] = {
    TEST(every_payload_of_up_to_two_bytes_is_taken_or_refused_and_nothing_else_happens),
    TEST(members_have_their_types_and_ranges),
    TEST(a_refused_request_leaves_what_was_there),
    TEST(a_call_carries_the_payload_as_json),
};
TEST_MAIN(cases)
