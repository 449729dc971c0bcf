// SPDX-License-Identifier: Apache-2.0
// Direct methods of a device, called through its hub.
#include "cli/method.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/service.h"

// What the hub may need beyond the times that it was given.
#define MARGIN_S 15u

static json_t *make_body(const char *name, json_t *payload, const struct ag_method_options *options)
{
    const uint64_t timeout_s = options->timeout_s ? options->timeout_s : 30;
    json_t *body =
        json_pack("{s:s,s:I,s:I}", "methodName", name, "responseTimeoutInSeconds",
                  (json_int_t)timeout_s, "connectTimeoutInSeconds", (json_int_t)options->connect_s);
    if (body && payload)
        json_object_set(body, "payload", payload);
    json_decref(payload);
    return body;
}

static int fail(const struct ag_rest_answer *answer)
{
    const bool is_offline = strstr(answer->body, "NotOnline") || strstr(answer->body, "404103");
    if (answer->status == 504)
        return ag_rest_fail(answer, "the device did not answer; ask for longer with --timeout");
    if (answer->status == 404 && is_offline)
        return ag_rest_fail(answer, "is its host running? --connect-timeout waits for it");
    return ag_service_fail(answer);
}

bool ag_method_call(const struct ag_connection *connection, const char *device, const char *name,
                    json_t *payload, const struct ag_method_options *options, long long *code,
                    json_t **answer)
{
    struct ag_rest_answer reply;
    char what[240];
    snprintf(what, sizeof what, "call %.80s of %.130s", name, device);
    json_t *body = make_body(name, payload, options);
    const uint64_t timeout_s = options->timeout_s ? options->timeout_s : 30;
    const struct ag_service_call call = {
        .method = "POST",
        .collection = "twins",
        .id = device,
        .part = "methods",
        .body = body,
        .silence_s = (uint32_t)(timeout_s + options->connect_s + MARGIN_S),
        .what = what,
    };
    const bool answered = body && ag_service_perform(connection, &call, &reply);
    json_decref(body);
    if (!answered)
        return false;
    json_t *value = reply.status == 200 ? json_loadb(reply.body, reply.size, 0, NULL) : NULL;
    if (reply.status != 200)
        fail(&reply);
    else if (!value)
        ag_output_fail("is it an IoT Hub that answers there?",
                       "cannot %s: the answer of %s is not JSON", what, reply.host);
    ag_rest_clear(&reply);
    if (!value)
        return false;
    *code = json_integer_value(json_object_get(value, "status"));
    json_t *inner = json_object_get(value, "payload");
    *answer = inner ? json_incref(inner) : json_null();
    json_decref(value);
    return true;
}

int ag_method_fail(const char *device, const char *name, long long code, const json_t *answer)
{
    const char *text = ag_service_text(answer, "name", NULL);
    const char *hint = ag_service_hint(answer);
    if (text)
        return ag_output_fail(hint, "%s answers %s with %lld: %s (%lld)", device, name, code, text,
                              (long long)json_integer_value(json_object_get(answer, "code")));
    return ag_output_fail(NULL, "%s answers %s with %lld", device, name, code);
}
