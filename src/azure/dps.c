// SPDX-License-Identifier: Apache-2.0
// Device Provisioning Service: names, topics and answers.
#include "azure/dps.h"

#include <string.h>

#include "azure/topic.h"
#include "base/json_writer.h"
#include "base/percent.h"

#define API_VERSION "2021-06-01"

#define ANSWER_PREFIX "$dps/registrations/res/"

// Seconds between polls when the service names none, as Microsoft's clients do it.
#define RETRY_DEFAULT 2u

// A day: nobody means more, and it keeps the arithmetic of the caller safe.
#define RETRY_MAX 86400u

enum registration {
    REGISTRATION_UNKNOWN,
    REGISTRATION_ASSIGNING,
    REGISTRATION_ASSIGNED,
    REGISTRATION_FAILED,
    REGISTRATION_DISABLED,
};

enum member {
    MEMBER_NONE,
    MEMBER_STATUS,
    MEMBER_STATE,
    MEMBER_OPERATION,
    MEMBER_HUB,
    MEMBER_DEVICE,
    MEMBER_ERROR_CODE,
    MEMBER_MESSAGE,
};

static const struct {
    const char *name;
    uint8_t member;
    bool in_state; // inside registrationState, otherwise outside
} members[] = {
    { "status", MEMBER_STATUS, false },         { "registrationState", MEMBER_STATE, false },
    { "operationId", MEMBER_OPERATION, false }, { "errorCode", MEMBER_ERROR_CODE, false },
    { "message", MEMBER_MESSAGE, false },       { "status", MEMBER_STATUS, true },
    { "assignedHub", MEMBER_HUB, true },        { "deviceId", MEMBER_DEVICE, true },
    { "errorCode", MEMBER_ERROR_CODE, true },   { "errorMessage", MEMBER_MESSAGE, true },
};

void ag_dps_write_user_name(struct ag_writer *out, struct ag_text id_scope,
                            struct ag_text registration_id, struct ag_text agent)
{
    ag_writer_bytes(out, id_scope.at, id_scope.size);
    ag_writer_text(out, "/registrations/");
    ag_writer_bytes(out, registration_id.at, registration_id.size);
    ag_writer_text(out, "/api-version=" API_VERSION "&ClientVersion=");
    ag_percent_encode(out, agent, AG_PERCENT_URI);
}

void ag_dps_write_resource(struct ag_writer *out, struct ag_text id_scope,
                           struct ag_text registration_id)
{
    ag_writer_bytes(out, id_scope.at, id_scope.size);
    ag_writer_text(out, "%2Fregistrations%2F");
    ag_percent_encode(out, registration_id, AG_PERCENT_URI);
}

void ag_dps_write_register_topic(struct ag_writer *out, uint32_t rid)
{
    ag_writer_text(out, "$dps/registrations/PUT/iotdps-register/?$rid=");
    ag_writer_decimal(out, rid);
}

void ag_dps_write_register_body(struct ag_writer *out, struct ag_text registration_id)
{
    struct ag_json_writer json;
    ag_json_writer_init(&json, out);
    ag_json_writer_begin_object(&json);
    ag_json_writer_key(&json, "registrationId");
    ag_json_writer_text(&json, registration_id);
    ag_json_writer_end_object(&json);
}

void ag_dps_write_poll_topic(struct ag_writer *out, uint32_t rid, struct ag_text operation_id)
{
    ag_writer_text(out, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=");
    ag_writer_decimal(out, rid);
    ag_writer_text(out, "&operationId=");
    ag_percent_encode(out, operation_id, AG_PERCENT_URI);
}

enum ag_status ag_dps_begin(struct ag_dps_answer *answer, struct ag_text topic)
{
    struct ag_text properties;
    uint64_t number;
    memset(answer, 0, sizeof *answer);
    if (!ag_topic_parse_answer(topic, ANSWER_PREFIX, &answer->status, &properties))
        return AG_ERR_NOT_FOUND;
    answer->has_rid = ag_text_decimal(ag_topic_property(properties, "$rid"), UINT32_MAX, &number);
    if (answer->has_rid)
        answer->rid = (uint32_t)number;
    if (ag_text_decimal(ag_topic_property(properties, "retry-after"), UINT32_MAX, &number))
        answer->retry_after_s = number > RETRY_MAX ? RETRY_MAX : (uint32_t)number;
    ag_json_init(&answer->json, answer->token, sizeof answer->token);
    return AG_OK;
}

static uint8_t registration_of(struct ag_text text)
{
    static const char *const names[] = { "assigning", "unassigned", "assigned", "failed",
                                         "disabled" };
    static const uint8_t values[] = { REGISTRATION_ASSIGNING, REGISTRATION_ASSIGNING,
                                      REGISTRATION_ASSIGNED, REGISTRATION_FAILED,
                                      REGISTRATION_DISABLED };
    for (size_t i = 0; i < sizeof values; i++) {
        if (ag_text_equals(text, names[i]))
            return values[i];
    }
    return REGISTRATION_UNKNOWN;
}

// Texts that are kept are read right into their place.
static void aim(struct ag_dps_answer *answer)
{
    struct ag_json *json = &answer->json;
    switch ((enum member)answer->member) {
    case MEMBER_OPERATION:
        ag_json_set_token(json, answer->operation_id, sizeof answer->operation_id);
        break;
    case MEMBER_HUB:
        ag_json_set_token(json, answer->hub, sizeof answer->hub);
        break;
    case MEMBER_DEVICE:
        ag_json_set_token(json, answer->device_id, sizeof answer->device_id);
        break;
    case MEMBER_MESSAGE:
        ag_json_set_token(json, answer->message, sizeof answer->message);
        break;
    case MEMBER_NONE:
    case MEMBER_STATUS:
    case MEMBER_STATE:
    case MEMBER_ERROR_CODE:
        ag_json_set_token(json, answer->token, sizeof answer->token);
        break;
    }
}

static void take_key(struct ag_dps_answer *answer, struct ag_text key)
{
    answer->member = MEMBER_NONE;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i].in_state == answer->in_state && ag_text_equals(key, members[i].name))
            answer->member = members[i].member;
    }
    aim(answer);
    if (answer->member == MEMBER_NONE)
        ag_json_skip(&answer->json);
}

// Operation id, hub and device id are read right into their place, so whatever else came for them
// must not stay there unnoticed.
static bool is_needed_text(const struct ag_dps_answer *answer)
{
    return answer->member == MEMBER_OPERATION || answer->member == MEMBER_HUB ||
           answer->member == MEMBER_DEVICE;
}

static void take_scalar(struct ag_dps_answer *answer, const struct ag_json_event *event)
{
    const bool is_text = event->type == AG_JSON_STRING;
    if (is_needed_text(answer) && event->type != AG_JSON_NULL) // null is as good as absent
        answer->text_is_wrong |=
            !is_text || event->overflow || strlen(event->text.at) != event->text.size;
    if (is_text && answer->member == MEMBER_STATUS &&
        (!answer->in_state || answer->registration == REGISTRATION_UNKNOWN))
        answer->registration = registration_of(event->text);
    if (answer->member == MEMBER_ERROR_CODE && event->is_integer && event->integer > 0 &&
        event->integer <= UINT32_MAX)
        answer->error_code = (uint32_t)event->integer;
}

static void take_event(struct ag_dps_answer *answer, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_KEY) {
        take_key(answer, event->text);
        return;
    }
    if (event->type == AG_JSON_OBJECT_BEGIN && answer->member == MEMBER_STATE)
        answer->in_state = true;
    else if (event->type == AG_JSON_OBJECT_BEGIN && event->depth > 0)
        ag_json_skip(&answer->json);
    else if (event->type == AG_JSON_OBJECT_END)
        answer->in_state = false;
    else if (event->type == AG_JSON_ARRAY_BEGIN)
        ag_json_skip(&answer->json);
    else
        take_scalar(answer, event);
    answer->member = MEMBER_NONE;
    aim(answer);
}

void ag_dps_feed(struct ag_dps_answer *answer, const void *bytes, size_t size)
{
    struct ag_reader piece;
    struct ag_json_event event;
    ag_reader_init(&piece, bytes, size);
    while (ag_json_next(&answer->json, &piece, &event) == AG_OK)
        take_event(answer, &event);
}

// 429 and 5xx ask for another try. errorCode is the HTTP status times 1000 and a detail.
static bool is_temporary(uint32_t status)
{
    return status == 429 || (status >= 500 && status < 600);
}

static enum ag_status judge_registration(struct ag_dps_answer *answer, enum ag_dps_outcome *outcome)
{
    switch ((enum registration)answer->registration) {
    case REGISTRATION_ASSIGNING:
        if (answer->operation_id[0] == 0 || answer->text_is_wrong)
            return AG_ERR_DPS_ANSWER;
        if (answer->retry_after_s == 0)
            answer->retry_after_s = RETRY_DEFAULT;
        *outcome = AG_DPS_WAIT;
        return AG_OK;
    case REGISTRATION_ASSIGNED:
        if (answer->hub[0] == 0 || answer->device_id[0] == 0 || answer->text_is_wrong)
            return AG_ERR_DPS_ANSWER;
        *outcome = AG_DPS_ASSIGNED;
        return AG_OK;
    case REGISTRATION_FAILED:
        *outcome = is_temporary(answer->error_code / 1000) ? AG_DPS_AGAIN : AG_DPS_REFUSED;
        return AG_OK;
    case REGISTRATION_DISABLED:
        *outcome = AG_DPS_DISABLED;
        return AG_OK;
    case REGISTRATION_UNKNOWN:
        break;
    }
    return AG_ERR_DPS_ANSWER;
}

enum ag_status ag_dps_finish(struct ag_dps_answer *answer, enum ag_dps_outcome *outcome)
{
    struct ag_json_event event;
    if (is_temporary(answer->status)) {
        *outcome = AG_DPS_AGAIN;
        return AG_OK;
    }
    if (answer->status >= 300) {
        *outcome = AG_DPS_REFUSED;
        return AG_OK;
    }
    if (ag_json_finish(&answer->json, &event) != AG_OK)
        return AG_ERR_DPS_ANSWER;
    return judge_registration(answer, outcome);
}
