// SPDX-License-Identifier: Apache-2.0
// Fetches a range of a file over HTTPS: one request at a time, the connection kept where the server
// allows it (and made anew where it turns out that the server has given it up). Pulled like the
// link: ag_fetch_next tells what came until it has no more to tell.
//
// A redirect is followed within the same host only. URLs hold secrets and are never logged.
#ifndef AG_HOST_FETCH_H
#define AG_HOST_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"
#include "base/url.h"
#include "http/http.h"
#include "platform/stream.h"

// Redirects followed for one request.
#define AG_FETCH_REDIRECT_MAX 3u

struct ag_fetch_range {
    uint64_t first; // bytes first to last, both included
    uint64_t last;
    const char *if_match; // ETag of what was fetched before; "": none; borrowed until the response
};

enum ag_fetch_event_type {
    AG_FETCH_HEAD, // the response is good: start, total, etag
    AG_FETCH_BODY, // a piece of it
    AG_FETCH_END,  // it is complete
};

struct ag_fetch_event {
    enum ag_fetch_event_type type;
    uint64_t start;       // HEAD: where in the file the body begins: `first`, or 0 (begin again)
    uint64_t total;       // HEAD: size of the whole file
    const char *etag;     // HEAD: borrowed until the next call; "": none that names these bytes
    const uint8_t *md5;   // HEAD: the whole file's, as the server says; borrowed; NULL: not said
    const uint8_t *bytes; // BODY: borrowed until the next call
    size_t size;          // BODY
};

enum ag_fetch_state {
    AG_FETCH_IDLE,      // nothing is asked for
    AG_FETCH_SENDING,   // the request is going out
    AG_FETCH_RECEIVING, // the response is coming in
};

// What an answer must bring within each timeout: who gives a byte now and then would otherwise keep
// all other downloads waiting for ever.
#define AG_FETCH_PACE 256u

struct ag_fetch {
    enum ag_fetch_state state;
    bool is_connected;        // the stream is open and may carry another request
    bool is_reused;           // the request went out on a kept connection and nothing came back yet
    struct ag_stream *stream; // borrowed
    uint32_t redirects;
    uint32_t timeout_ms;
    uint32_t paced;
    size_t request_size; // bytes of the request in `buffer`
    size_t request_sent;
    struct ag_reader piece; // of `buffer`, what is not yet looked at
    uint64_t body_left;     // bytes that the range which was answered still owes
    uint64_t deadline_ms;   // without progress until then it has failed
    uint64_t pace_ms;       // since then `paced` bytes have come
    struct ag_fetch_range range;
    struct ag_url connected; // where the open stream leads; only host and port count
    struct ag_url url; // its target is borrowed from the caller's text, or from http.head.location
    struct ag_http http;
    uint8_t buffer[AG_CFG_FETCH_BUFFER];
};

void ag_fetch_init(struct ag_fetch *fetch, struct ag_stream *stream, uint32_t timeout_ms);

// Asks for a range; ends a request in progress. `url` is borrowed until the response is complete.
// AG_ERR_TWIN_URL: not a URL that this host can use. Other statuses as of ag_stream.open.
AG_MUST_CHECK enum ag_status ag_fetch_begin(struct ag_fetch *fetch, struct ag_text url,
                                            const struct ag_fetch_range *range, uint64_t now_ms);

// The next thing to tell; AG_ERR_AGAIN: nothing for now. Any other status ends the request: what
// http.head.code says (AG_ERR_HTTP_…), what the stream says, AG_ERR_TIMEOUT, also for
// less than AG_FETCH_PACE, or AG_ERR_RESET for a body that is cut.
AG_MUST_CHECK enum ag_status ag_fetch_next(struct ag_fetch *fetch, uint64_t now_ms,
                                           struct ag_fetch_event *event);

// The text of the URL of the request in progress has moved to another place.
void ag_fetch_move(struct ag_fetch *fetch, struct ag_text url);

// When ag_fetch_next is wanted although the stream is not ready; UINT64_MAX: never.
uint64_t ag_fetch_deadline(const struct ag_fetch *fetch);

// Ends the connection if it is only kept for a next request.
void ag_fetch_rest(struct ag_fetch *fetch);

// Ends the request, if any, and the connection.
void ag_fetch_close(struct ag_fetch *fetch);

#endif
