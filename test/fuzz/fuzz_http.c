// SPDX-License-Identifier: Apache-2.0
// Fuzz target of http/http.h, with base/url.h behind its Location.
#include <string.h>

#include "fuzz.h"
#include "http/http.h"

struct run {
    struct ag_http http;
    enum ag_status status;
    uint32_t hash;
    uint64_t body_size;
};

static void take_head(struct run *run)
{
    const struct ag_http_head *head = &run->http.head;
    struct ag_url from;
    struct ag_url to;
    uint64_t start;
    FUZZ_CHECK(head->code >= 200 && head->code < 600);
    FUZZ_CHECK(memchr(head->etag, 0, sizeof head->etag));
    FUZZ_CHECK(memchr(head->location, 0, sizeof head->location));
    run->hash = fuzz_hash(run->hash, head, sizeof *head);
    if (ag_http_check_start(head, 10, &start) == AG_OK)
        FUZZ_CHECK(start == 0 || start == 10);
    FUZZ_CHECK(ag_url_parse(ag_text_of("https://h/x"), &from) == AG_OK);
    if (ag_http_redirect(head, &from, &to) == AG_OK)
        FUZZ_CHECK(ag_url_same_host(&from, &to));
}

static void take(struct run *run, const struct ag_http_event *event)
{
    if (event->type == AG_HTTP_HEAD)
        take_head(run);
    if (event->type == AG_HTTP_BODY) {
        FUZZ_CHECK(event->size > 0);
        run->body_size += event->size;
        run->hash = fuzz_hash(run->hash, event->bytes, event->size);
    }
    if (event->type == AG_HTTP_END)
        FUZZ_CHECK(!run->http.head.has_length || run->http.head.code == 204 ||
                   run->http.head.code == 304 || run->http.head.length == run->body_size);
}

static int feed(void *context, const uint8_t *bytes, size_t size)
{
    struct run *run = context;
    struct ag_http_event event;
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    while ((run->status = ag_http_next(&run->http, &piece, &event)) == AG_OK)
        take(run, &event);
    return run->status == AG_ERR_AGAIN;
}

static uint32_t hash_of(const uint8_t *bytes, size_t size, uint8_t cut)
{
    struct run run = { .hash = FUZZ_HASH_START, .status = AG_ERR_AGAIN };
    struct ag_http_event event;
    ag_http_init(&run.http);
    fuzz_pieces(bytes, size, cut, feed, &run);
    run.hash = fuzz_hash_number(run.hash, ag_http_may_reuse(&run.http));
    return fuzz_hash_number(run.hash, ag_http_finish(&run.http, &event));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0)
        FUZZ_CHECK(hash_of(bytes + 1, size - 1, 0) == hash_of(bytes + 1, size - 1, bytes[0] | 1));
    return 0;
}
