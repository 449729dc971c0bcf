// SPDX-License-Identifier: Apache-2.0
// HTTP requests: routing, authorisation, answers.
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "blob.h"
#include "hub_log.h"
#include "memory.h"
#include "rest.h"
#include "sas_verify.h"
#include "twin_document.h"

static void free_exchange(struct ag_http_exchange *exchange)
{
    evhttp_clear_headers(&exchange->query);
    for (size_t i = 0; i < AG_HTTP_IDS_MAX; i++)
        free(exchange->ids[i]);
    if (exchange->body != NULL)
        evbuffer_free(exchange->body);
    free(exchange);
}

const char *ag_http_header(const struct ag_http_exchange *exchange, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange->request), name);
}

const char *ag_http_query(const struct ag_http_exchange *exchange, const char *name)
{
    return evhttp_find_header(&exchange->query, name);
}

void ag_http_set_header(struct ag_http_exchange *exchange, const char *name, const char *value)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(exchange->request);
    evhttp_remove_header(headers, name);
    evhttp_add_header(headers, name, value);
}

json_t *ag_http_json(struct ag_http_exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange->request);
    size_t size = evbuffer_get_length(input);
    struct ag_problem problem;
    json_t *json = NULL;
    if (size > AG_HTTP_JSON_MAX)
        ag_problem_set(&problem, AG_PROBLEM_TOO_LARGE, "the body is larger than 1 MiB");
    else
        json = ag_twin_document_parse((const char *)evbuffer_pullup(input, -1), size, &problem);
    if (json == NULL)
        ag_http_answer_problem(exchange, &problem);
    return json;
}

void ag_http_etag(int64_t counter, char text[AG_HTTP_ETAG_TEXT])
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((uint64_t)counter >> (56 - 8 * i));
    ag_encoding_base64(bytes, sizeof bytes, text);
}

int64_t ag_http_if_match(const struct ag_http_exchange *exchange)
{
    const char *text = ag_http_header(exchange, "If-Match");
    if (text == NULL)
        return AG_HTTP_ETAG_ANY;
    size_t size = strlen(text);
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
    }
    if (size == 1 && *text == '*')
        return AG_HTTP_ETAG_ANY;
    uint8_t bytes[8];
    size_t count;
    if (!ag_encoding_unbase64(text, size, bytes, sizeof bytes, &count) || count != sizeof bytes ||
        (bytes[0] & 0x80) != 0)
        return AG_HTTP_ETAG_NEVER;
    int64_t counter = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        counter = counter << 8 | bytes[i];
    return counter;
}

static json_t *problem_json(const struct ag_problem *problem)
{
    char tracking[33];
    ag_encoding_new_hex(16, tracking);
    char *message =
        ag_memory_format("ErrorCode:%s;%s", ag_problem_name(problem->kind), problem->text);
    char *exception = ag_memory_format("Tracking ID:%s", tracking);
    json_t *json = json_pack("{s:s,s:s}", "Message", message, "ExceptionMessage", exception);
    free(exception);
    free(message);
    return json;
}

static struct evbuffer *json_body(json_t *json)
{
    struct evbuffer *body = evbuffer_new();
    char *text = json_dumps(json, JSON_COMPACT);
    if (text != NULL)
        evbuffer_add(body, text, strlen(text));
    free(text);
    json_decref(json);
    return body;
}

static void send_answer(struct ag_db_waiter *waiter, bool durable)
{
    struct ag_http_exchange *exchange = (struct ag_http_exchange *)waiter;
    if (!durable) {
        struct ag_problem problem;
        ag_problem_set(&problem, AG_PROBLEM_INTERNAL, "the database failed; nothing was changed");
        evhttp_clear_headers(evhttp_request_get_output_headers(exchange->request));
        if (exchange->body != NULL)
            evbuffer_free(exchange->body);
        exchange->body = json_body(problem_json(&problem));
        exchange->status = 500;
    }
    ag_hub_log_write(AG_HUB_LOG_DEBUG, "http: %s -> %d", exchange->path, exchange->status);
    evhttp_send_reply(exchange->request, exchange->status, NULL, exchange->body);
    free_exchange(exchange);
}

void ag_http_answer(struct ag_http_exchange *exchange, int status, struct evbuffer *body)
{
    exchange->status = status;
    exchange->body = body;
    exchange->waiter.done = send_answer;
    ag_db_when_durable(&exchange->hub->db, &exchange->waiter);
}

void ag_http_answer_json(struct ag_http_exchange *exchange, int status, json_t *json)
{
    struct evbuffer *body = NULL;
    if (json != NULL) {
        body = json_body(json);
        ag_http_set_header(exchange, "Content-Type", "application/json; charset=utf-8");
    }
    ag_http_answer(exchange, status, body);
}

void ag_http_answer_problem(struct ag_http_exchange *exchange, const struct ag_problem *problem)
{
    int status = ag_problem_http_status(problem->kind);
    ag_hub_log_write(AG_HUB_LOG_INFO, "http: %s refused with %d %s: %s", exchange->path, status,
                     ag_problem_name(problem->kind), problem->text);
    ag_http_set_header(exchange, "iothub-errorcode", ag_problem_name(problem->kind));
    ag_http_answer_json(exchange, status, problem_json(problem));
}

static void answer_kind(struct ag_http_exchange *exchange, enum ag_problem_kind kind,
                        const char *text)
{
    struct ag_problem problem;
    ag_problem_set(&problem, kind, "%s", text);
    ag_http_answer_problem(exchange, &problem);
}

// True when the still encoded path has the pattern's segments; ids are decoded into `ids`.
static bool match(const char *pattern, const char *path, char *ids[AG_HTTP_IDS_MAX])
{
    size_t count = 0;
    while (*pattern == '/' && *path == '/') {
        size_t want = strcspn(++pattern, "/");
        size_t have = strcspn(++path, "/");
        if (want == 1 && *pattern == '*') {
            char *id = ag_memory_zeroed(have + 1);
            free(ids[count]);
            ids[count++] = id;
            if (have == 0 || !ag_encoding_percent_decode(path, have, id, have + 1))
                return false;
        } else if (want != have || memcmp(pattern, path, want) != 0) {
            return false;
        }
        pattern += want;
        path += have;
    }
    return *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

// The rights that the Authorization header gives; 0 for none, with the reason.
static int rights_of(const struct ag_http_exchange *exchange, const char **reason)
{
    const struct ag_hub *hub = exchange->hub;
    const char *text = ag_http_header(exchange, "Authorization");
    struct ag_sas_token token;
    *reason = "no Authorization header";
    if (text == NULL)
        return 0;
    *reason = "the Authorization header is not a shared access signature";
    if (!ag_sas_verify_parse(text, strlen(text), &token))
        return 0;
    *reason = "the token is for another host";
    if (!ag_sas_verify_covers(&token, hub->host_name))
        return 0;
    *reason = "the token has expired";
    if (token.expiry_s <= ag_hub_wall_ms(hub) / 1000)
        return 0;
    *reason = "no policy of that name has signed the token";
    return ag_policy_rights(&hub->policies, &token);
}

static void run_route(struct ag_http_exchange *exchange, const struct ag_http_route *route)
{
    const char *reason;
    int rights = rights_of(exchange, &reason);
    if (rights == 0)
        answer_kind(exchange, AG_PROBLEM_UNAUTHORIZED, reason);
    else if ((rights & route->rights) == 0)
        answer_kind(exchange, AG_PROBLEM_UNAUTHORIZED, "the policy does not give this right");
    else if (ag_http_query(exchange, "api-version") == NULL)
        answer_kind(exchange, AG_PROBLEM_BAD_VERSION, "api-version is missing");
    else
        route->handle(exchange);
}

static void dispatch(struct ag_http_exchange *exchange)
{
    bool path_is_known = false;
    for (const struct ag_http_route *route = ag_rest_routes; route->pattern != NULL; route++) {
        if (!match(route->pattern, exchange->path, exchange->ids))
            continue;
        path_is_known = true;
        if (route->method != exchange->method)
            continue;
        run_route(exchange, route);
        return;
    }
    if (path_is_known)
        answer_kind(exchange, AG_PROBLEM_METHOD, "not with this method");
    else
        answer_kind(exchange, AG_PROBLEM_NO_ROUTE, "no such path in this hub");
}

void ag_http_handle(struct evhttp_request *request, void *hub)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    struct ag_http_exchange *exchange = ag_memory_zeroed(sizeof *exchange);
    TAILQ_INIT(&exchange->query);
    exchange->hub = hub;
    exchange->request = request;
    exchange->method = evhttp_request_get_command(request);
    exchange->path = evhttp_uri_get_path(uri);
    exchange->query_text = evhttp_uri_get_query(uri);
    if (exchange->query_text != NULL)
        (void)evhttp_parse_query_str(exchange->query_text, &exchange->query);
    if (ag_blob_takes(exchange->path))
        ag_blob_handle(exchange);
    else
        dispatch(exchange);
}
