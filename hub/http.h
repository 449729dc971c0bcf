// SPDX-License-Identifier: Apache-2.0
// HTTP requests on top of libevent's evhttp: routing, authorisation, JSON, answers after the
// commit.
#ifndef AG_HUB_HTTP_H
#define AG_HUB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "hub.h"
#include "problem.h"

#define AG_HTTP_BODY_MAX   (16 * 1024 * 1024) // bytes of the largest blob
#define AG_HTTP_JSON_MAX   (1024 * 1024)      // of a JSON body
#define AG_HTTP_HEADER_MAX (64 * 1024)
#define AG_HTTP_IDS_MAX    2

// One request on its way to its answer. Each must be answered exactly once; the answering functions
// take it over.
struct ag_http_exchange {
    struct ag_db_waiter waiter;
    struct ag_hub *hub;
    struct evhttp_request *request;
    enum evhttp_cmd_type method;
    const char *path;           // as sent, without the query; borrowed
    const char *query_text;     // as sent, NULL when absent; borrowed
    struct evkeyvalq query;     // decoded
    char *ids[AG_HTTP_IDS_MAX]; // decoded path segments where the route has `*`
    int status;                 // of the answer
    struct evbuffer *body;      // of the answer; NULL for none
    bool answers_json;          // of the kind of error that is sent when the database fails
};

struct ag_http_route {
    enum evhttp_cmd_type method;
    const char *pattern; // segments, `*` for an id
    int rights;          // of enum ag_policy_right; one of them is enough
    void (*handle)(struct ag_http_exchange *exchange);
};

// The callback for evhttp_set_gencb; the context is the hub.
void ag_http_handle(struct evhttp_request *request, void *hub);

// A header of the request, or NULL.
const char *ag_http_header(const struct ag_http_exchange *exchange, const char *name);
// A query parameter, decoded, or NULL.
const char *ag_http_query(const struct ag_http_exchange *exchange, const char *name);
void ag_http_set_header(struct ag_http_exchange *exchange, const char *name, const char *value);

// The JSON object in the body; NULL when it is none, and then the exchange is answered with 400.
json_t *ag_http_json(struct ag_http_exchange *exchange);

// What If-Match says: -1 for absent when `absent_is_any`, for * and "*"; an etag's number, given
// bare or quoted, in decimal base64 form (see ag_http_etag). -2 when it can match nothing.
#define AG_HTTP_ETAG_ANY   (-1)
#define AG_HTTP_ETAG_NEVER (-2)
int64_t ag_http_if_match(const struct ag_http_exchange *exchange);

// A counter as an opaque etag: base64 of its eight big-endian bytes.
#define AG_HTTP_ETAG_TEXT 16
void ag_http_etag(int64_t counter, char text[AG_HTTP_ETAG_TEXT]);

// Answers. `json` is taken over; NULL for no body. `body` is taken over as well.
void ag_http_answer_json(struct ag_http_exchange *exchange, int status, json_t *json);
void ag_http_answer_problem(struct ag_http_exchange *exchange, const struct ag_problem *problem);
void ag_http_answer(struct ag_http_exchange *exchange, int status, struct evbuffer *body);

#endif
