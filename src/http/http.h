// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 GET client, I/O-free: writes the request, reads the response from pieces of any size.
//
//     ag_http_write_get(&writer, &url, &get);              // send these bytes
//     ag_http_init(&http);
//     loop: read some bytes into `piece`
//         while ((status = ag_http_next(&http, &piece, &event)) == AG_OK)
//             switch (event.type) ...
//     when the stream ends: ag_http_finish(&http, &event)
//
// At AG_HTTP_HEAD the fields of http.head are known; ag_http_check_start then says whether the body
// may be appended. Redirects are not followed here: ag_http_redirect says whether one may be.
// Never log a target: its query holds a SAS.
#ifndef AG_HTTP_HTTP_H
#define AG_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"
#include "base/url.h"
#include "base/writer.h"

struct ag_http_get {
    bool has_range;       // ask for bytes first to last, both included; else for the whole
    uint64_t first;       // (Azure takes the open form `first-` only with newer API versions, so
    uint64_t last;        // the closed one is always sent; the server clips `last`)
    const char *if_match; // ETag with its quotes, as received; NULL or "": none
    const char *user_agent;
};

// Writes a GET for url->target, byte for byte. AG_ERR_NO_SPACE when it does not fit;
// AG_ERR_ARGUMENT when a text holds a control character or the range runs backwards.
AG_MUST_CHECK enum ag_status ag_http_write_get(struct ag_writer *out, const struct ag_url *url,
                                               const struct ag_http_get *get);

// What the head of a response said.
struct ag_http_head {
    uint16_t code;                  // 200, 206, 404, …; never 1xx, these are skipped
    bool has_length;                // Content-Length was given
    uint64_t length;                //
    bool has_range;                 // Content-Range: bytes first-last/total (or */total with 416)
    bool range_is_empty;            // the form with the star: first and last are 0
    uint64_t range_first;           //
    uint64_t range_last;            //
    bool has_total;                 // the total was given, not a star
    uint64_t total;                 // size of the whole resource
    char etag[AG_CFG_ETAG_MAX + 1]; // opaque, with quotes; "" when absent or too long
    bool has_retry_after; // Retry-After in seconds; its form with a date is counted from Date
    uint32_t retry_after_s;
    bool has_date;     // Date, as seconds since 1970 UTC
    int64_t date;      //
    bool has_md5;      // Content-MD5, of this body: for a comparison, never for trust
    uint8_t md5[16];   //
    bool has_blob_md5; // x-ms-blob-content-md5: the same of the whole blob, beside a range of it
    uint8_t blob_md5[16];
    bool has_location; // Location, when it fits
    char location[AG_CFG_URL_MAX + 1];
};

enum ag_http_event_type {
    AG_HTTP_HEAD, // the head is complete
    AG_HTTP_BODY, // a piece of the body
    AG_HTTP_END,  // the body is complete; told once
};

struct ag_http_event {
    enum ag_http_event_type type;
    const uint8_t *bytes; // AG_HTTP_BODY: borrowed from the caller's piece
    size_t size;          // AG_HTTP_BODY
};

// Longest header line that is understood; longer ones are skipped, or refused where they decide
// how the body is framed. A Location of AG_CFG_URL_MAX fits.
#define AG_HTTP_LINE_MAX (AG_CFG_URL_MAX + 16u)

// `head` is for the caller to read, the rest is private; about 350 bytes and two URLs.
struct ag_http {
    uint8_t state;          // enum in http.c: what comes next
    bool is_chunked;        // Transfer-Encoding: chunked
    bool keeps_alive;       // neither HTTP/1.0 nor Connection: close
    bool line_overflow;     // the line in hand did not fit
    bool retry_after_dated; // Retry-After was a date, kept in retry_at
    uint16_t line_size;
    uint32_t head_size; // bytes of the head, or of a chunk's lines, so far
    uint64_t body_left; // bytes of the body or chunk still to come
    int64_t retry_at;
    enum ag_status status;
    struct ag_http_head head;
    char line[AG_HTTP_LINE_MAX + 1];
};

void ag_http_init(struct ag_http *http);

// Takes bytes from `piece` up to the next event. AG_OK: *event is filled in. AG_ERR_AGAIN: the
// piece is used up. After AG_HTTP_END bytes are left alone and AG_ERR_AGAIN returned. Errors
// stick: AG_ERR_HTTP_MALFORMED for what is not HTTP/1, AG_ERR_NO_SPACE for a head over
// AG_CFG_HTTP_HEAD_MAX.
AG_MUST_CHECK enum ag_status ag_http_next(struct ag_http *http, struct ag_reader *piece,
                                          struct ag_http_event *event);

// The stream has ended. AG_OK when the response is complete: a body that only the end could end is
// told by AG_HTTP_END in *event, otherwise *event is untouched. AG_ERR_CLOSED when nothing had
// come (a kept connection that the server gave up: try again on a fresh one), AG_ERR_TRUNCATED when
// the response is cut, or the earlier error.
AG_MUST_CHECK enum ag_status ag_http_finish(struct ag_http *http, struct ag_http_event *event);

// Whether the response is complete and the connection may carry another request.
bool ag_http_may_reuse(const struct ag_http *http);

// The outcome of a status code: AG_OK for 200 and 206, AG_ERR_HTTP_FORBIDDEN for 401 and 403,
// _NOT_FOUND for 404 and 410, _CHANGED for 412, _RANGE for 416, _SERVER for 408, 429 and 5xx (try
// again), _REDIRECT for 301, 302, 303, 307, 308, _STATUS for the rest.
enum ag_status ag_http_code_status(uint16_t code);

// After AG_HTTP_HEAD: where the body belongs when bytes from `first` on were asked for (0 for the
// whole). AG_OK with *start == first: append. AG_OK with *start == 0 although first is not: the
// server sends the whole (200), begin again. AG_ERR_HTTP_RANGE: a 206 without Content-Range or with
// another start. Otherwise the status of the code, with *start untouched.
AG_MUST_CHECK enum ag_status ag_http_check_start(const struct ag_http_head *head, uint64_t first,
                                                 uint64_t *start);

// For a redirect from `from`: *to is the place, its target borrowed from head->location.
// AG_ERR_HTTP_REDIRECT, with *to undefined, when it leads to another host or port (a SAS must not
// go there), is not https, is relative to the path, or is missing.
AG_MUST_CHECK enum ag_status ag_http_redirect(const struct ag_http_head *head,
                                              const struct ag_url *from, struct ag_url *to);

#endif
