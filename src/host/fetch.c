// SPDX-License-Identifier: Apache-2.0
// Fetches a range of a file over HTTPS: one request at a time.
#include "host/fetch.h"

#include <string.h>

#include "host/clock.h"
#include "host/host.h"
#include "platform/board.h"

void ag_fetch_init(struct ag_fetch *fetch, struct ag_stream *stream, uint32_t timeout_ms)
{
    memset(fetch, 0, sizeof *fetch);
    fetch->stream = stream;
    fetch->timeout_ms = timeout_ms;
}

void ag_fetch_close(struct ag_fetch *fetch)
{
    fetch->stream->close(fetch->stream->context);
    fetch->is_connected = false;
    fetch->state = AG_FETCH_IDLE;
}

void ag_fetch_rest(struct ag_fetch *fetch)
{
    if (fetch->state == AG_FETCH_IDLE && fetch->is_connected)
        ag_fetch_close(fetch);
}

// Ends the request for a reason.
static enum ag_status give_up(struct ag_fetch *fetch, enum ag_status status)
{
    ag_fetch_close(fetch);
    ag_clock_failed(status);
    return status;
}

// Writes the request and, unless a kept connection leads there, opens one.
static enum ag_status send_request(struct ag_fetch *fetch, uint64_t now_ms)
{
    struct ag_http_get get = { .has_range = true,
                               .first = fetch->range.first,
                               .last = fetch->range.last,
                               .if_match = fetch->range.if_match,
                               .user_agent = "airgraft/" AG_HOST_VERSION };
    struct ag_writer out;
    ag_writer_init(&out, fetch->buffer, sizeof fetch->buffer);
    enum ag_status status = ag_http_write_get(&out, &fetch->url, &get);
    if (status != AG_OK)
        return give_up(fetch, AG_ERR_TWIN_URL);
    fetch->request_size = out.size;
    fetch->request_sent = 0;
    fetch->deadline_ms = now_ms + fetch->timeout_ms;
    fetch->paced = 0;
    fetch->state = AG_FETCH_SENDING;
    ag_http_init(&fetch->http);
    fetch->is_reused = fetch->is_connected && ag_url_same_host(&fetch->connected, &fetch->url);
    if (fetch->is_reused)
        return AG_OK;
    fetch->is_connected = false;
    fetch->connected = fetch->url;
    status = fetch->stream->open(fetch->stream->context, fetch->url.host, fetch->url.port);
    return status == AG_OK ? AG_OK : give_up(fetch, status);
}

enum ag_status ag_fetch_begin(struct ag_fetch *fetch, struct ag_text url,
                              const struct ag_fetch_range *range, uint64_t now_ms)
{
    if (fetch->state != AG_FETCH_IDLE)
        ag_fetch_close(fetch);
    if (ag_url_parse(url, &fetch->url) != AG_OK)
        return AG_ERR_TWIN_URL;
    fetch->range = *range;
    fetch->redirects = 0;
    return send_request(fetch, now_ms);
}

// Sends what is left of the request; AG_OK when it is out.
static enum ag_status continue_request(struct ag_fetch *fetch, uint64_t now_ms)
{
    while (fetch->request_sent < fetch->request_size) {
        size_t written;
        enum ag_status status =
            fetch->stream->write(fetch->stream->context, fetch->buffer + fetch->request_sent,
                                 fetch->request_size - fetch->request_sent, &written);
        if (status != AG_OK)
            return status;
        fetch->request_sent += written;
        fetch->deadline_ms = now_ms + fetch->timeout_ms;
    }
    memset(fetch->buffer, 0, fetch->request_size); // it held the URL's secret
    ag_reader_init(&fetch->piece, fetch->buffer, 0);
    fetch->state = AG_FETCH_RECEIVING;
    return AG_OK;
}

// Size of the whole file. Chunks may carry it, but must not be all that says where it ends: space
// is reserved before the first byte is stored, and a body that a proxy cuts would look complete.
static enum ag_status total_size(const struct ag_http_head *head, uint64_t *total)
{
    if (head->has_range ? !head->has_total : !head->has_length)
        return AG_ERR_HTTP_LENGTH;
    *total = head->has_range ? head->total : head->length;
    return *total > 0 ? AG_OK : AG_ERR_HTTP_MALFORMED;
}

// Asks again where the server has sent us.
static enum ag_status redirect(struct ag_fetch *fetch, uint64_t now_ms)
{
    struct ag_url to;
    if (fetch->redirects++ == AG_FETCH_REDIRECT_MAX ||
        ag_http_redirect(&fetch->http.head, &fetch->url, &to) != AG_OK)
        return AG_ERR_HTTP_REDIRECT;
    fetch->url = to;
    fetch->is_connected = false; // the body of the redirect is not waited for
    enum ag_status status = send_request(fetch, now_ms);
    return status == AG_OK ? AG_ERR_AGAIN : status;
}

// An ETag that says "much the same" (W/) does not name bytes, and never matches If-Match.
static const char *strong_etag(const struct ag_http_head *head)
{
    return head->etag[0] == '"' ? head->etag : "";
}

// What the answer says about the whole file. Content-MD5 is about the body: of a range, servers
// disagree whose it is.
static const uint8_t *whole_md5(const struct ag_http_head *head)
{
    if (head->has_blob_md5)
        return head->blob_md5;
    return head->has_md5 && !head->has_range ? head->md5 : NULL;
}

static enum ag_status judge_head(struct ag_fetch *fetch, uint64_t now_ms,
                                 struct ag_fetch_event *event)
{
    const struct ag_http_head *head = &fetch->http.head;
    enum ag_status status = ag_http_check_start(head, fetch->range.first, &event->start);
    if (status == AG_ERR_HTTP_REDIRECT)
        return redirect(fetch, now_ms);
    if (status == AG_OK)
        status = total_size(head, &event->total);
    if (status != AG_OK)
        return status;
    event->type = AG_FETCH_HEAD;
    event->etag = strong_etag(head);
    event->md5 = whole_md5(head);
    fetch->body_left = head->code == 206 ? head->range_last - head->range_first + 1 : event->total;
    return AG_OK;
}

static enum ag_status tell(struct ag_fetch *fetch, const struct ag_http_event *from,
                           uint64_t now_ms, struct ag_fetch_event *event)
{
    switch (from->type) {
    case AG_HTTP_HEAD:
        if (fetch->http.head.has_date)
            ag_board_learn_time(fetch->http.head.date);
        return judge_head(fetch, now_ms, event);
    case AG_HTTP_BODY:
        if (from->size > fetch->body_left)
            return AG_ERR_HTTP_MALFORMED;
        fetch->body_left -= from->size;
        event->type = AG_FETCH_BODY;
        event->bytes = from->bytes;
        event->size = from->size;
        return AG_OK;
    case AG_HTTP_END:
        if (fetch->body_left > 0)
            return AG_ERR_HTTP_MALFORMED;
        event->type = AG_FETCH_END;
        fetch->is_connected = ag_http_may_reuse(&fetch->http);
        fetch->state = AG_FETCH_IDLE;
        return AG_OK;
    }
    return AG_ERR_INTERNAL;
}

// Bytes have come: are they enough for the time that they took?
static bool keeps_pace(struct ag_fetch *fetch, size_t size, uint64_t now_ms)
{
    if (fetch->paced == 0)
        fetch->pace_ms = now_ms;
    fetch->paced += (uint32_t)size; // a read is at most the buffer
    if (now_ms - fetch->pace_ms < fetch->timeout_ms)
        return true;
    const bool is_enough = fetch->paced >= AG_FETCH_PACE;
    fetch->paced = 0;
    return is_enough;
}

// Reads once the bytes before are used up; the end of the stream may be the end of the body.
static enum ag_status receive(struct ag_fetch *fetch, uint64_t now_ms, struct ag_http_event *from)
{
    for (;;) {
        enum ag_status status = ag_http_next(&fetch->http, &fetch->piece, from);
        if (status != AG_ERR_AGAIN)
            return status;
        size_t size;
        status =
            fetch->stream->read(fetch->stream->context, fetch->buffer, sizeof fetch->buffer, &size);
        if (status == AG_ERR_CLOSED) {
            from->type = AG_HTTP_HEAD; // left so unless the end of the stream ends the body
            status = ag_http_finish(&fetch->http, from);
            if (status == AG_ERR_TRUNCATED)
                return AG_ERR_RESET;
            return status == AG_OK && from->type != AG_HTTP_END ? AG_ERR_CLOSED : status;
        }
        if (status != AG_OK)
            return status;
        ag_reader_init(&fetch->piece, fetch->buffer, size);
        fetch->is_reused = false;
        if (!keeps_pace(fetch, size, now_ms))
            return AG_ERR_TIMEOUT;
        fetch->deadline_ms = now_ms + fetch->timeout_ms;
    }
}

enum ag_status ag_fetch_next(struct ag_fetch *fetch, uint64_t now_ms, struct ag_fetch_event *event)
{
    if (fetch->state == AG_FETCH_IDLE)
        return AG_ERR_AGAIN;
    memset(event, 0, sizeof *event);
    struct ag_http_event from;
    enum ag_status status = AG_OK;
    if (fetch->state == AG_FETCH_SENDING)
        status = continue_request(fetch, now_ms);
    if (status == AG_OK)
        status = receive(fetch, now_ms, &from);
    if (status == AG_OK)
        status = tell(fetch, &from, now_ms, event);
    if (status == AG_ERR_AGAIN && now_ms >= fetch->deadline_ms)
        status = AG_ERR_TIMEOUT;
    if (status != AG_OK && status != AG_ERR_AGAIN && fetch->is_reused) {
        fetch->is_connected = false; // the server had given it up: once more on a fresh one
        status = send_request(fetch, now_ms);
        return status == AG_OK ? AG_ERR_AGAIN : status;
    }
    if (status != AG_OK && status != AG_ERR_AGAIN)
        return give_up(fetch, status);
    return status;
}

void ag_fetch_move(struct ag_fetch *fetch, struct ag_text url)
{
    // After a redirect the target is no longer a part of that text, and is not asked for twice.
    if (fetch->state != AG_FETCH_IDLE && fetch->redirects == 0)
        (void)!ag_url_parse(url, &fetch->url); // was parsed before
}

uint64_t ag_fetch_deadline(const struct ag_fetch *fetch)
{
    return fetch->state == AG_FETCH_IDLE ? UINT64_MAX : fetch->deadline_ms;
}
