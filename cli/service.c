// SPDX-License-Identifier: Apache-2.0
// Calls of the IoT Hub REST API.
#include "cli/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "azure/sas.h"
#include "base/text.h"
#include "base/writer.h"
#include "cli/cli.h"

enum {
    TOKEN_LIFETIME_S = 3600,
    TOKEN_MAX = 1024,
};

// `Authorization: SharedAccessSignature …`. The resource is the hub's host name alone: that is
// what a service token is for, and it needs no escaping.
static bool make_authorization(const struct ag_connection *connection, char *header,
                               size_t capacity)
{
    struct ag_writer out;
    const int64_t expiry = (int64_t)time(NULL) + TOKEN_LIFETIME_S;
    char *policy = ag_rest_escape(connection->key_name);
    ag_writer_init(&out, header, capacity);
    ag_writer_text(&out, "Authorization: ");
    const enum ag_status status = policy ? ag_sas_write(&out, ag_text_of(connection->host_name),
                                                        ag_text_of(connection->key), expiry, policy)
                                         : AG_ERR_NO_SPACE;
    free(policy);
    ag_writer_finish_text(&out);
    if (status == AG_OK && out.status == AG_OK)
        return true;
    ag_output_fail("copy the connection string again",
                   "the SharedAccessKey of the connection string cannot be used: %s (%s, %d)",
                   ag_status_text(status), ag_status_name(status), (int)status);
    return false;
}

// If-Match with the etag in quotes, as Azure's own tools send it.
static void make_if_match(const char *etag, char *header, size_t capacity)
{
    const bool quoted = etag[0] == '"';
    snprintf(header, capacity, "If-Match: %s%s%s", quoted ? "" : "\"", etag, quoted ? "" : "\"");
}

static char *make_url(const struct ag_connection *connection, const struct ag_service_call *call)
{
    char *url = NULL;
    char *id = ag_rest_escape(call->id ? call->id : "");
    if (!id)
        return NULL;
    if (asprintf(&url, "https://%s/%s%s%s%s%s?api-version=%s%s%s",
                 connection->gateway[0] ? connection->gateway : connection->host_name,
                 call->collection, call->id ? "/" : "", id, call->part ? "/" : "",
                 call->part ? call->part : "", AG_SERVICE_API_VERSION, call->query ? "&" : "",
                 call->query ? call->query : "") < 0)
        url = NULL;
    free(id);
    return url;
}

bool ag_service_perform(const struct ag_connection *connection, const struct ag_service_call *call,
                        struct ag_rest_answer *answer)
{
    char authorization[TOKEN_MAX];
    char if_match[200];
    char host[AG_CONNECTION_HOST_MAX + 16];
    const char *headers[6] = { authorization, "Accept: application/json", host };
    size_t count = 3;
    if (!make_authorization(connection, authorization, sizeof authorization))
        return false;
    snprintf(host, sizeof host, "Host: %s", connection->host_name);
    if (call->if_match) {
        make_if_match(call->if_match, if_match, sizeof if_match);
        headers[count++] = if_match;
    }
    if (call->body)
        headers[count++] = "Content-Type: application/json; charset=utf-8";
    char *url = make_url(connection, call);
    char *body = call->body ? json_dumps(call->body, JSON_COMPACT) : NULL;
    bool answered = false;
    if (!url || (call->body && !body))
        ag_output_fail(NULL, "cannot %s: no memory", call->what);
    else
        answered = ag_rest_perform(&(struct ag_rest_request){ .method = call->method,
                                                              .url = url,
                                                              .headers = headers,
                                                              .body = body,
                                                              .body_size = body ? strlen(body) : 0,
                                                              .ca_file = connection->ca_file,
                                                              .silence_s = call->silence_s,
                                                              .what = call->what },
                                   answer);
    free(body);
    free(url);
    return answered;
}

int ag_service_fail(const struct ag_rest_answer *answer)
{
    return ag_rest_fail(answer, answer->status == 404
                                    ? "airgraft devices lists the devices; names distinguish case"
                                    : NULL);
}

json_t *ag_service_fetch(const struct ag_connection *connection, const struct ag_service_call *call)
{
    struct ag_rest_answer answer;
    json_t *value = NULL;
    if (!ag_service_perform(connection, call, &answer))
        return NULL;
    if (answer.status < 200 || answer.status > 299) {
        ag_service_fail(&answer);
    } else {
        value = json_loadb(answer.body, answer.size, 0, NULL);
        if (!value)
            ag_output_fail("is it an IoT Hub that answers there?",
                           "cannot %s: the answer of %s is not JSON", call->what, answer.host);
    }
    ag_rest_clear(&answer);
    return value;
}

const char *ag_service_text(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : otherwise;
}

const char *ag_service_hint(const json_t *error)
{
    const char *hint = ag_service_text(error, "hint", NULL);
    const enum ag_status status =
        (enum ag_status)json_integer_value(json_object_get(error, "code"));
    if (hint || status == AG_OK)
        return hint;
    if (strcmp(ag_service_text(error, "name", ""), ag_status_name(status)) != 0)
        return NULL; // a newer device's
    return ag_status_hint(status);
}
