// SPDX-License-Identifier: Apache-2.0
// Tests of azure/dps.h with answers in the service's documented forms.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure/dps.h"
#include "test/harness.h"

static struct ag_dps_answer answer;
static enum ag_dps_outcome outcome;

// Feeds the body in pieces of `first`, then `step` bytes (0: the rest), each a block of its own.
static enum ag_status answer_pieces(const char *topic, const char *body, size_t size, size_t first,
                                    size_t step)
{
    CHECK_EQUAL(ag_dps_begin(&answer, ag_text_of(topic)), AG_OK);
    outcome = (enum ag_dps_outcome)99;
    for (size_t at = 0; at < size;) {
        size_t piece = at == 0 && first > 0 ? first : step;
        if (piece == 0 || piece > size - at)
            piece = size - at;
        char *copy = malloc(piece);
        memcpy(copy, body + at, piece);
        ag_dps_feed(&answer, copy, piece);
        free(copy);
        at += piece;
    }
    const enum ag_status status = ag_dps_finish(&answer, &outcome);
    CHECK((status == AG_OK) == (outcome != (enum ag_dps_outcome)99));
    return status;
}

static enum ag_status answer_to(const char *topic, const char *body)
{
    return answer_pieces(topic, body, strlen(body), 0, 0);
}

static const char pending_topic[] = "$dps/registrations/res/202/?$rid=7&retry-after=3";
static const char pending[] =
    "{\"operationId\":\"4.0123456789abcdef.01234567-89ab-cdef-0123-456789abcdef\","
    "\"status\":\"assigning\",\"registrationState\":{\"registrationId\":\"dev-01\","
    "\"status\":\"assigning\"}}";
static const char done_topic[] = "$dps/registrations/res/200/?$rid=8";
static const char done[] =
    "{\"operationId\":\"4.0123\",\"status\":\"assigned\",\"registrationState\":{"
    "\"x509\":{\"status\":\"failed\",\"a\":[1,{}]},\"registrationId\":\"dev-01\","
    "\"createdDateTimeUtc\":\"2026-01-01T00:00:00Z\",\"assignedHub\":\"hub1.azure-devices.net\","
    "\"deviceId\":\"dev-01\",\"status\":\"assigned\",\"substatus\":\"initialAssignment\","
    "\"lastUpdatedDateTimeUtc\":\"2026-01-01T00:00:00Z\",\"etag\":\"abc\",\"payload\":{\"a\":1}}}";

static void requests_are_written_as_the_service_wants_them(void)
{
    char storage[256];
    struct ag_writer out;
    ag_writer_init(&out, storage, sizeof storage);
    ag_dps_write_user_name(&out, ag_text_of("0ne000A1B2C"), ag_text_of("dev-01"),
                           ag_text_of("airgraft/1.0"));
    CHECK_TEXT(ag_writer_finish_text(&out), "0ne000A1B2C/registrations/dev-01/api-version="
                                            "2021-06-01&ClientVersion=airgraft%2F1.0");
    ag_writer_init(&out, storage, sizeof storage);
    ag_dps_write_register_topic(&out, 7);
    CHECK_TEXT(ag_writer_finish_text(&out), "$dps/registrations/PUT/iotdps-register/?$rid=7");
    ag_writer_init(&out, storage, sizeof storage);
    ag_dps_write_register_body(&out, ag_text_of("dev-01"));
    CHECK_TEXT(ag_writer_finish_text(&out), "{\"registrationId\":\"dev-01\"}");
    ag_writer_init(&out, storage, sizeof storage);
    ag_dps_write_poll_topic(&out, 8, ag_text_of("4.01-ab#+"));
    CHECK_TEXT(ag_writer_finish_text(&out), "$dps/registrations/GET/iotdps-get-operationstatus/"
                                            "?$rid=8&operationId=4.01-ab%23%2B");
}

static void a_pending_registration_is_polled_again(void)
{
    CHECK_EQUAL(answer_to(pending_topic, pending), AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_WAIT);
    CHECK(answer.has_rid && answer.rid == 7);
    CHECK_EQUAL(answer.retry_after_s, 3);
    CHECK_TEXT(answer.operation_id, "4.0123456789abcdef.01234567-89ab-cdef-0123-456789abcdef");
    CHECK_EQUAL(answer_to(pending_topic, "{\"operationId\":\"4.1\",\"status\":\"assigning\","
                                         "\"registrationState\":{\"assignedHub\":null,"
                                         "\"deviceId\":null}}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_WAIT);
    CHECK_EQUAL(answer_to("$dps/registrations/res/202/?retry-after=999999999999&$rid=7", pending),
                AG_OK);
    CHECK_EQUAL(answer.retry_after_s, 2);
    CHECK_EQUAL(answer_to("$dps/registrations/res/202/?retry-after=4000000000&$rid=7", pending),
                AG_OK);
    CHECK_EQUAL(answer.retry_after_s, 86400);
}

static void an_assigned_registration_names_hub_and_device(void)
{
    CHECK_EQUAL(answer_to(done_topic, done), AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_ASSIGNED);
    CHECK_TEXT(answer.hub, "hub1.azure-devices.net");
    CHECK_TEXT(answer.device_id, "dev-01");
    CHECK_EQUAL(answer_to(done_topic,
                          "{\"registrationState\":{\"deviceId\":\"d\",\"assignedHub\":\"h\","
                          "\"status\":\"assigned\"},\"operationId\":\"4\",\"status\":"
                          "\"assigning\"}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_WAIT); // the outer status counts, wherever it stands
    // Without a status outside, the one of the registration counts.
    CHECK_EQUAL(answer_to(done_topic, "{\"registrationState\":{\"assignedHub\":\"h\",\"deviceId\":"
                                      "\"d\",\"status\":\"assigned\"}}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_ASSIGNED);
}

static void refusals_are_told_apart(void)
{
    CHECK_EQUAL(answer_to(done_topic, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":"
                                      "400207,\"errorMessage\":\"no hub\"}}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_REFUSED);
    CHECK_EQUAL(answer.error_code, 400207);
    CHECK_TEXT(answer.message, "no hub");
    CHECK_EQUAL(answer_to(done_topic, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":"
                                      "500001}}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_AGAIN);
    CHECK_EQUAL(answer_to(done_topic, "{\"status\":\"disabled\"}"), AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_DISABLED);
    CHECK_EQUAL(answer_to("$dps/registrations/res/401/?$rid=1",
                          "{\"errorCode\":401002,\"trackingId\":\"x\",\"message\":\"Unauthorized\","
                          "\"timestampUtc\":\"2026-01-01T00:00:00Z\"}"),
                AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_REFUSED);
    CHECK_EQUAL(answer.error_code, 401002);
    CHECK_TEXT(answer.message, "Unauthorized");
    CHECK_EQUAL(answer_to("$dps/registrations/res/404/?$rid=1", "<html>"), AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_REFUSED);
}

static void an_overloaded_service_is_asked_again_later(void)
{
    CHECK_EQUAL(
        answer_to("$dps/registrations/res/429/?$rid=1&retry-after=9", "{\"errorCode\":429001}"),
        AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_AGAIN);
    CHECK_EQUAL(answer.retry_after_s, 9);
    CHECK_EQUAL(answer_to("$dps/registrations/res/503/?$rid=1", "busy"), AG_OK);
    CHECK_EQUAL(outcome, AG_DPS_AGAIN);
    CHECK_EQUAL(answer.retry_after_s, 0);
}

static void an_answer_that_is_not_understood_says_so(void)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "1",
        "\"assigned\"",
        "{\"status\":\"assigned\"}",
        "{\"status\":\"assigning\"}",
        "{\"status\":\"assigning\",\"operationId\":\"\"}",
        "{\"status\":\"assigning\",\"operationId\":5}",
        "{\"operationId\":{\"status\":\"disabled\"}}",
        "{\"operationId\":[{\"status\":\"disabled\"}]}",
        "{\"registrationState\":{\"deviceId\":{\"status\":\"disabled\"}}}",
        "{\"status\":\"else\",\"operationId\":\"4\"}",
        "{\"status\":\"assigned\",\"registrationState\":\"x\"}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h\\u0000x\","
        "\"deviceId\":\"d\"}}",
        "{\"status\":\"assigned\",\"assignedHub\":\"h\",\"deviceId\":\"d\"}",
        "{\"status\":\"assigned\",\"registrationState\":{\"a\":{\"assignedHub\":\"h\","
        "\"deviceId\":\"d\"}}}",
        "{\"status\":\"assigned\" \"registrationState\":{}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        test_note("%s", bodies[i]);
        CHECK_EQUAL(answer_to(done_topic, bodies[i]), AG_ERR_DPS_ANSWER);
    }
}

static void names_that_are_too_long_are_not_cut_silently(void)
{
    char body[1024];
    char name[AG_CFG_HOST_MAX + 2];
    memset(name, 'h', sizeof name - 1);
    name[sizeof name - 1] = 0;
    snprintf(body, sizeof body,
             "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"%s\",\"deviceId\":"
             "\"d\"}}",
             name);
    CHECK_EQUAL(answer_to(done_topic, body), AG_ERR_DPS_ANSWER);
    name[AG_CFG_HOST_MAX] = 0;
    snprintf(body, sizeof body,
             "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"%s\",\"deviceId\":"
             "\"d\"}}",
             name);
    CHECK_EQUAL(answer_to(done_topic, body), AG_OK);
    CHECK_EQUAL(strlen(answer.hub), AG_CFG_HOST_MAX);
}

static void topics_that_are_no_answers_are_refused(void)
{
    static const char *const topics[] = { "", "$dps/registrations/res/", "$dps/registrations/res/x",
                                          "$iothub/twin/res/200/?$rid=1" };
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        CHECK_EQUAL(ag_dps_begin(&answer, ag_text_of(topics[i])), AG_ERR_NOT_FOUND);
}

static void pieces_of_any_size_tell_the_same(void)
{
    for (size_t first = 1; first < strlen(done); first++) {
        test_note("cut at %zu", first);
        CHECK_EQUAL(answer_pieces(done_topic, done, strlen(done), first, 0), AG_OK);
        CHECK_EQUAL(outcome, AG_DPS_ASSIGNED);
        CHECK_TEXT(answer.hub, "hub1.azure-devices.net");
    }
    CHECK_EQUAL(answer_pieces(done_topic, done, strlen(done), 0, 1), AG_OK);
    CHECK_TEXT(answer.device_id, "dev-01");
}

static void every_truncation_and_many_mutations_are_survived(void)
{
    char body[sizeof done];
    uint32_t random = 4711;
    for (size_t size = 0; size < strlen(done); size++) {
        test_note("truncated at %zu", size);
        CHECK_EQUAL(answer_pieces(done_topic, done, size, 0, 0), AG_ERR_DPS_ANSWER);
    }
    for (unsigned round = 0; round < 5000; round++) {
        memcpy(body, done, sizeof done);
        for (unsigned changes = round % 4 + 1; changes > 0; changes--) {
            random = random * 1664525 + 1013904223;
            body[(random >> 8) % (sizeof done - 1)] = (char)(random >> 24);
        }
        test_note("round %u", round);
        const enum ag_status whole = answer_pieces(done_topic, body, sizeof body - 1, 0, 0);
        const enum ag_status split = answer_pieces(done_topic, body, sizeof body - 1, 0, 1);
        CHECK_EQUAL(split, whole);
        CHECK(whole == AG_OK || whole == AG_ERR_DPS_ANSWER);
        if (whole == AG_OK && outcome == AG_DPS_ASSIGNED)
            CHECK(answer.hub[0] && answer.device_id[0]);
    }
}

static const struct test_case cases[] = {
    TEST(requests_are_written_as_the_service_wants_them),
    TEST(a_pending_registration_is_polled_again),
    TEST(an_assigned_registration_names_hub_and_device),
    TEST(refusals_are_told_apart),
    TEST(an_overloaded_service_is_asked_again_later),
    TEST(an_answer_that_is_not_understood_says_so),
    TEST(names_that_are_too_long_are_not_cut_silently),
    TEST(topics_that_are_no_answers_are_refused),
    TEST(pieces_of_any_size_tell_the_same),
    TEST(every_truncation_and_many_mutations_are_survived),
};
TEST_MAIN(cases)
