// SPDX-License-Identifier: Apache-2.0
// REST: call a direct method of a device, and wait for its answer.
#include <stdlib.h>
#include <string.h>

#include "methods.h"
#include "rest.h"

#define RESPONSE_S 30 // when the caller does not say
#define TIME_MAX_S 300

static void answer_call(void *context, const struct ag_methods_outcome *outcome)
{
    struct ag_http_exchange *exchange = context;
    if (outcome->problem.kind != AG_PROBLEM_NONE)
        ag_http_answer_problem(exchange, &outcome->problem);
    else
        ag_http_answer_json(
            exchange, 200,
            json_pack("{s:i,s:O}", "status", outcome->status, "payload", outcome->payload));
}

// Seconds from the request as milliseconds; -1 when they are out of range.
static int64_t time_of(const json_t *request, const char *name, int64_t least, int64_t otherwise)
{
    const json_t *value = json_object_get(request, name);
    if (value == NULL || json_is_null(value))
        return otherwise * 1000;
    const json_int_t seconds = json_integer_value(value);
    return json_is_integer(value) && seconds >= least && seconds <= TIME_MAX_S ? seconds * 1000
                                                                               : -1;
}

// What is wrong with the request; NULL for nothing. The payload's text is the caller's.
static const char *read_call(const json_t *request, struct ag_methods_call *call, char **payload)
{
    const json_t *value = json_object_get(request, "payload");
    call->name = json_string_value(json_object_get(request, "methodName"));
    call->response_ms = time_of(request, "responseTimeoutInSeconds", 5, RESPONSE_S);
    call->connect_ms = time_of(request, "connectTimeoutInSeconds", 0, 0);
    if (call->name == NULL || !ag_methods_name_is_good(call->name))
        return "methodName must be 1 to 100 printable characters without separators";
    if (call->response_ms < 0)
        return "responseTimeoutInSeconds must be 5 to 300";
    if (call->connect_ms < 0)
        return "connectTimeoutInSeconds must be 0 to 300";
    *payload = value == NULL ? strdup("") : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (*payload == NULL)
        return "the payload cannot be passed on";
    call->payload = *payload;
    return strlen(*payload) > AG_METHODS_PAYLOAD_MAX ? "the payload is larger than 128 KiB" : NULL;
}

void ag_rest_methods_invoke(struct ag_http_exchange *exchange)
{
    struct ag_device device;
    struct ag_problem problem;
    struct ag_methods_call call = { .device_id = exchange->ids[0],
                                    .done = answer_call,
                                    .context = exchange };
    char *payload = NULL;
    json_t *request = ag_http_json(exchange);
    if (request == NULL)
        return;
    const char *wrong = read_call(request, &call, &payload);
    if (wrong != NULL) {
        ag_problem_set(&problem, AG_PROBLEM_BAD_REQUEST, "%s", wrong);
        ag_http_answer_problem(exchange, &problem);
    } else if (ag_device_store_get(&exchange->hub->db, exchange->ids[0], &device) != AG_OK) {
        ag_problem_set(&problem, AG_PROBLEM_NO_DEVICE, "no device '%.128s'", exchange->ids[0]);
        ag_http_answer_problem(exchange, &problem);
    } else {
        ag_methods_invoke(exchange->hub, &call);
    }
    free(payload);
    json_decref(request);
}
