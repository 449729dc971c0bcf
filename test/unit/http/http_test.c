// SPDX-License-Identifier: Apache-2.0
// Tests of http/http.h: requests byte for byte, responses at every cut, hostile heads.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "http/http_date.h"
#include "test/harness.h"

static char storage[4096];

static const char *get_of(const char *text, const struct ag_http_get *get)
{
    struct ag_url url;
    struct ag_writer out;
    CHECK_EQUAL(ag_url_parse(ag_text_of(text), &url), AG_OK);
    ag_writer_init(&out, storage, sizeof storage);
    CHECK_EQUAL(ag_http_write_get(&out, &url, get), AG_OK);
    return ag_writer_finish_text(&out);
}

static void a_request_is_written_byte_for_byte(void)
{
    const struct ag_http_get get = { true, 1024, 4194303, "\"0x8D\"", "airgraft/1.0" };
    CHECK_TEXT(
        get_of("https://acct.blob.core.windows.net/c/b-1.wasm?sv=2021-12-02&sig=a%2Fb%3D#x", &get),
        "GET /c/b-1.wasm?sv=2021-12-02&sig=a%2Fb%3D HTTP/1.1\r\n"
        "Host: acct.blob.core.windows.net\r\nUser-Agent: airgraft/1.0\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nx-ms-version: 2021-12-02\r\n"
        "Range: bytes=1024-4194303\r\nIf-Match: \"0x8D\"\r\n\r\n");
    const struct ag_http_get one_byte = { true, 7, 7, NULL, NULL };
    CHECK(strstr(get_of("https://h/x", &one_byte), "\r\nRange: bytes=7-7\r\n"));
    const struct ag_http_get bare = { 0 };
    CHECK_TEXT(get_of("https://[::1]:8443", &bare),
               "GET / HTTP/1.1\r\nHost: [::1]:8443\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
               "x-ms-version: 2021-12-02\r\n\r\n");
    CHECK(strstr(get_of("https://h?a=b", &bare), "GET /?a=b HTTP/1.1\r\n"));
}

static void a_request_cannot_be_extended_from_outside(void)
{
    struct ag_url url;
    struct ag_writer out;
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://h/x"), &url), AG_OK);
    const struct ag_http_get wrong[] = {
        { false, 0, 0, "\"a\"\r\nX: y", NULL },
        { false, 0, 0, NULL, "a\nb" },
        { true, 2, 1, NULL, NULL },
        { true, 1, UINT64_MAX, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ag_writer_init(&out, storage, sizeof storage);
        CHECK_EQUAL(ag_http_write_get(&out, &url, &wrong[i]), AG_ERR_ARGUMENT);
    }
    for (size_t capacity = 0; capacity < 80; capacity++) {
        const struct ag_http_get get = { true, 0, 1, "\"a\"", NULL };
        ag_writer_init(&out, storage, capacity);
        CHECK_EQUAL(ag_http_write_get(&out, &url, &get), AG_ERR_NO_SPACE);
    }
}

// What a response told: `head CODE`, the body, `end`, and whether the connection is reusable.
struct trace {
    char text[8192];
    size_t size;
    enum ag_status status;
    struct ag_http_head head;
};

static void add(struct trace *trace, const void *bytes, size_t size)
{
    CHECK(size < sizeof trace->text - trace->size);
    memcpy(trace->text + trace->size, bytes, size);
    trace->size += size;
    trace->text[trace->size] = 0;
}

static void add_event(struct trace *trace, const struct ag_http *http,
                      const struct ag_http_event *event)
{
    char text[16];
    if (event->type == AG_HTTP_HEAD) {
        trace->head = http->head;
        add(trace, text, (size_t)snprintf(text, sizeof text, "%u:", http->head.code));
    } else if (event->type == AG_HTTP_BODY) {
        CHECK(event->size > 0);
        for (size_t i = 0; i < event->size; i++)
            add(trace, event->bytes[i] ? (const char *)&event->bytes[i] : ".", 1);
    } else {
        add(trace, ";", 1);
    }
}

// Feeds all bytes in pieces, then ends the stream. The status is that of the end.
static void trace_pieces(const char *bytes, size_t size, size_t first, size_t step,
                         struct trace *trace)
{
    static struct ag_http http;
    struct ag_http_event event;
    memset(trace, 0, sizeof *trace);
    ag_http_init(&http);
    trace->status = AG_ERR_AGAIN;
    for (size_t at = 0; at < size && trace->status == AG_ERR_AGAIN;) {
        size_t piece_size = at == 0 && first > 0 ? first : step;
        if (piece_size == 0 || piece_size > size - at)
            piece_size = size - at;
        char *copy = malloc(piece_size);
        memcpy(copy, bytes + at, piece_size);
        struct ag_reader piece;
        ag_reader_init(&piece, copy, piece_size);
        while ((trace->status = ag_http_next(&http, &piece, &event)) == AG_OK)
            add_event(trace, &http, &event);
        free(copy);
        at += piece_size;
    }
    if (ag_http_may_reuse(&http))
        add(trace, "+", 1);
    event.type = AG_HTTP_HEAD;
    trace->status = ag_http_finish(&http, &event);
    if (trace->status == AG_OK && event.type == AG_HTTP_END)
        add(trace, ";", 1);
}

static struct trace *trace_of(const char *text)
{
    static struct trace trace;
    trace_pieces(text, strlen(text), 0, 0, &trace);
    return &trace;
}

static const char ranged[] =
    "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Type: application/wasm\r\n"
    "Content-Range: bytes 10-14/100\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "ETag: \"0x8DC\"\r\nx-ms-request-id: 1\r\nDate:Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n\r\nhello";
static const char chunked[] =
    "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n9\r\nchunk of \r\n"
    "5\r\nhello\r\n1;a=\"b\"\r\n \r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
static const char closing[] = "HTTP/1.0 200 OK\nServer: old\n\nhello";

static void a_range_is_read_with_its_head(void)
{
    const struct trace *trace = trace_of(ranged);
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, "206:hello;+");
    CHECK(trace->head.has_length && trace->head.length == 5);
    CHECK(trace->head.has_range && trace->head.range_first == 10 && trace->head.range_last == 14);
    CHECK(trace->head.has_total && trace->head.total == 100);
    CHECK_TEXT(trace->head.etag, "\"0x8DC\"");
    CHECK(trace->head.has_date && trace->head.date == 784111777);
    CHECK(trace->head.has_md5 && trace->head.md5[0] == 0x5D && trace->head.md5[15] == 0x92);
    CHECK(!trace->head.has_location && !trace->head.has_retry_after);
}

static void chunks_and_closed_streams_are_read(void)
{
    CHECK_TEXT(trace_of(chunked)->text, "200:chunk of hello 0123456789;+");
    CHECK_EQUAL(trace_of(chunked)->status, AG_OK);
    CHECK_TEXT(trace_of(closing)->text, "200:hello;");
    CHECK_EQUAL(trace_of(closing)->status, AG_OK);
    CHECK_TEXT(trace_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")->text, "304:;+");
    CHECK_TEXT(trace_of("HTTP/1.1 204\r\n\r\n")->text, "204:;+");
    CHECK_TEXT(trace_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")->text, "200:;+");
    // What follows a complete response is not taken.
    CHECK_TEXT(trace_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200")->text,
               "200:a;+");
}

static void a_connection_is_reused_only_when_the_server_agrees(void)
{
    CHECK_TEXT(trace_of("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na")->text,
               "200:a;");
    CHECK_TEXT(
        trace_of("HTTP/1.1 200 OK\r\nconnection: x , Close\r\nContent-Length:1\r\n\r\na")->text,
        "200:a;");
    CHECK_TEXT(trace_of("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na")->text, "200:a;");
    CHECK_TEXT(trace_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "1\r\na\r\n0\r\n\r\n")
                   ->text,
               "200:a;");
}

static void pieces_of_any_size_tell_the_same(void)
{
    static const char *const texts[] = { ranged, chunked, closing };
    static struct trace whole;
    static struct trace cut;
    for (size_t i = 0; i < 3; i++) {
        const size_t size = strlen(texts[i]);
        trace_pieces(texts[i], size, 0, 0, &whole);
        for (size_t first = 1; first < size; first++) {
            test_note("response %zu cut at %zu", i, first);
            trace_pieces(texts[i], size, first, 0, &cut);
            CHECK_EQUAL(cut.status, whole.status);
            CHECK_TEXT(cut.text, whole.text);
            CHECK_BYTES(&cut.head, &whole.head, sizeof cut.head);
        }
        trace_pieces(texts[i], size, 0, 1, &cut);
        CHECK_TEXT(cut.text, whole.text);
    }
}

static void every_truncation_is_noticed(void)
{
    static struct trace trace;
    for (size_t size = 0; size < strlen(ranged); size++) {
        test_note("truncated at %zu", size);
        trace_pieces(ranged, size, 0, 0, &trace);
        CHECK_EQUAL(trace.status, size == 0 ? AG_ERR_CLOSED : AG_ERR_TRUNCATED);
    }
    for (size_t size = 1; size < strlen(chunked); size++) {
        test_note("chunked, truncated at %zu", size);
        trace_pieces(chunked, size, 0, 0, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_TRUNCATED);
    }
}

static void what_is_not_http_is_refused(void)
{
    static const char *const texts[] = {
        "\r\n",
        "HTTP/2 200 OK\r\n",
        "HTTP/1.2 200 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 600 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1\r\n",
        "http/1.1 200 OK\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "<html>\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded: 1\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\tfolded\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: 0-1/2\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 1-0/2\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-2/2\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-/2\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-1\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes */*\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-1/2\r\nContent-Range: bytes 0-1/2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        CHECK_EQUAL(trace_of(texts[i])->status, AG_ERR_HTTP_MALFORMED);
    }
    static const char with_nul[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
    static struct trace trace;
    trace_pieces(with_nul, sizeof with_nul - 1, 0, 0, &trace);
    CHECK_EQUAL(trace.status, AG_ERR_HTTP_MALFORMED);
}

// Longer than a line that is kept, shorter than a head that is accepted.
#define LONG (AG_HTTP_LINE_MAX + 100)

// A response with one header of that many bytes.
static struct trace *trace_long(const char *name, size_t size)
{
    static struct trace trace;
    static char text[3 * AG_CFG_HTTP_HEAD_MAX];
    size_t at = (size_t)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s: ", name);
    memset(text + at, '1', size);
    at += size;
    at += (size_t)snprintf(text + at, sizeof text - at, "\r\nContent-Length: 1\r\n\r\na");
    trace_pieces(text, at, 0, 0, &trace);
    return &trace;
}

static void long_headers_are_skipped_unless_they_frame_the_body(void)
{
    CHECK_TEXT(trace_long("X-Long", LONG)->text, "200:a;+");
    CHECK_TEXT(trace_long("Date", LONG)->text, "200:a;+");
    CHECK_TEXT(trace_long("ETag", LONG)->text, "200:a;+");
    CHECK_EQUAL(trace_long("Connection", LONG)->status, AG_ERR_HTTP_MALFORMED);
    CHECK_EQUAL(trace_long("Content-Range", LONG)->status, AG_ERR_HTTP_MALFORMED);
    CHECK_EQUAL(trace_long("Transfer-Encoding", LONG)->status, AG_ERR_HTTP_MALFORMED);
    CHECK_EQUAL(trace_long("Content-Length", LONG)->status, AG_ERR_HTTP_MALFORMED);
    CHECK_EQUAL(trace_long("X-Long", AG_CFG_HTTP_HEAD_MAX)->status, AG_ERR_NO_SPACE);
    CHECK_EQUAL(strlen(trace_long("ETag", AG_CFG_ETAG_MAX)->head.etag), AG_CFG_ETAG_MAX);
    CHECK_TEXT(trace_long("ETag", AG_CFG_ETAG_MAX + 1)->head.etag, "");
    CHECK(trace_long("Location", AG_CFG_URL_MAX)->head.has_location);
    CHECK(!trace_long("Location", AG_CFG_URL_MAX + 1)->head.has_location);
    CHECK_TEXT(trace_long("Location", AG_CFG_URL_MAX + 1)->text, "200:a;+");
}

static void a_framing_header_is_not_read_from_its_beginning(void)
{
    static char text[2 * AG_HTTP_LINE_MAX];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 1%*s\r\n\r\na",
             (int)AG_HTTP_LINE_MAX, "2");
    CHECK_EQUAL(trace_of(text)->status, AG_ERR_HTTP_MALFORMED);
}

static void names_are_compared_whole_and_in_any_case(void)
{
    CHECK_TEXT(trace_of("HTTP/1.1 200 OK\r\nContent-Lengthy: 9\r\nContent-Lengt: 9\r\n"
                        "CONTENT-LENGTH: 1\r\n\r\na")
                   ->text,
               "200:a;+");
}

static void a_head_may_be_as_long_as_its_limit(void)
{
    static char text[AG_CFG_HTTP_HEAD_MAX + 2];
    for (int extra = 0; extra < 2; extra++) {
        const int filler = AG_CFG_HTTP_HEAD_MAX - (int)strlen("HTTP/1.1 204\r\nA:\r\n\r\n") + extra;
        snprintf(text, sizeof text, "HTTP/1.1 204\r\nA:%0*d\r\n\r\n", filler, 0);
        test_note("%d too many", extra);
        CHECK_EQUAL(trace_of(text)->status, extra ? AG_ERR_NO_SPACE : AG_OK);
        CHECK_TEXT(trace_of(text)->text, extra ? "" : "204:;+");
    }
}

static void the_end_of_a_stream_is_told_once(void)
{
    static struct ag_http http;
    struct ag_http_event event;
    struct ag_reader piece;
    ag_http_init(&http);
    ag_reader_init(&piece, closing, strlen(closing));
    while (ag_http_next(&http, &piece, &event) == AG_OK)
        ;
    CHECK_EQUAL(ag_http_finish(&http, &event), AG_OK);
    CHECK_EQUAL(event.type, AG_HTTP_END);
    event.type = AG_HTTP_HEAD;
    CHECK_EQUAL(ag_http_finish(&http, &event), AG_OK);
    CHECK_EQUAL(event.type, AG_HTTP_HEAD);
    CHECK(!ag_http_may_reuse(&http));
    ag_reader_init(&piece, "x", 1);
    CHECK_EQUAL(ag_http_next(&http, &piece, &event), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_reader_left(&piece), 1);
}

static void heads_without_end_are_refused(void)
{
    static char text[3 * AG_CFG_HTTP_HEAD_MAX];
    static struct trace trace;
    size_t size = 0;
    while (size < sizeof text - 64)
        size += (size_t)snprintf(text + size, sizeof text - size, "HTTP/1.1 100 Continue\r\n\r\n");
    trace_pieces(text, size, 0, 0, &trace);
    CHECK_EQUAL(trace.status, AG_ERR_NO_SPACE);
    size = (size_t)snprintf(text, sizeof text,
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    while (size < sizeof text - 64)
        size += (size_t)snprintf(text + size, sizeof text - size, "Trailer: x\r\n");
    trace_pieces(text, size, 0, 0, &trace);
    CHECK_EQUAL(trace.status, AG_ERR_NO_SPACE);
}

static void many_chunks_are_no_head_without_end(void)
{
    static char text[8192 * 7];
    static struct ag_http http;
    struct ag_http_event event;
    struct ag_reader piece;
    size_t body = 0;
    size_t size = (size_t)snprintf(text, sizeof text,
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (size < sizeof text - 64)
        size += (size_t)snprintf(text + size, sizeof text - size, "1\r\na\r\n");
    ag_http_init(&http);
    ag_reader_init(&piece, text, size);
    while (ag_http_next(&http, &piece, &event) == AG_OK)
        body += event.type == AG_HTTP_BODY;
    CHECK_EQUAL(http.status, AG_OK);
    CHECK(body > 8000);
}

static void retry_after_is_read_in_both_forms(void)
{
    const struct trace *trace =
        trace_of("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
    CHECK(trace->head.has_retry_after && trace->head.retry_after_s == 120);
    trace = trace_of("HTTP/1.1 503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
                     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n");
    CHECK(trace->head.has_retry_after && trace->head.retry_after_s == 60);
    trace = trace_of("HTTP/1.1 503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
                     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n");
    CHECK(trace->head.has_retry_after && trace->head.retry_after_s == 0);
    trace = trace_of("HTTP/1.1 503 Busy\r\nRetry-After: 4294967295\r\nContent-Length: 0\r\n\r\n");
    CHECK(trace->head.has_retry_after && trace->head.retry_after_s == 86400);
    trace = trace_of("HTTP/1.1 103 Hints\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    CHECK(!trace->head.has_retry_after);
    trace = trace_of("HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n");
    CHECK(!trace->head.has_retry_after);
}

static void dates_become_seconds(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } dates[] = {
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
        { "Tue, 29 Feb 2000 23:59:59 GMT", 951868799 },
        { "Thu, 31 Dec 2026 12:00:00 GMT", 1798718400 },
        { "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
    };
    int64_t seconds;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        test_note("%s", dates[i].text);
        CHECK(ag_http_date_parse(ag_text_of(dates[i].text), &seconds));
        CHECK_EQUAL(seconds, dates[i].seconds);
    }
    static const char *const wrong[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 0/ Nov 1994 08:49:37 GMT",
        "Sun, 0: Nov 1994 08:49:37 GMT",
        "Su@, 06 Nov 1994 08:49:37 GMT",
        "1un, 06 Nov 1994 08:49:37 GMT",
        "S{n, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 Nob 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
    };
    seconds = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK(!ag_http_date_parse(ag_text_of(wrong[i]), &seconds));
        CHECK_EQUAL(seconds, 7);
    }
}

static void codes_become_statuses(void)
{
    static const struct {
        uint16_t code;
        enum ag_status status;
    } codes[] = {
        { 200, AG_OK },
        { 206, AG_OK },
        { 201, AG_ERR_HTTP_STATUS },
        { 304, AG_ERR_HTTP_STATUS },
        { 302, AG_ERR_HTTP_REDIRECT },
        { 308, AG_ERR_HTTP_REDIRECT },
        { 400, AG_ERR_HTTP_STATUS },
        { 401, AG_ERR_HTTP_FORBIDDEN },
        { 403, AG_ERR_HTTP_FORBIDDEN },
        { 404, AG_ERR_HTTP_NOT_FOUND },
        { 409, AG_ERR_HTTP_STATUS },
        { 410, AG_ERR_HTTP_NOT_FOUND },
        { 412, AG_ERR_HTTP_CHANGED },
        { 416, AG_ERR_HTTP_RANGE },
        { 429, AG_ERR_HTTP_SERVER },
        { 500, AG_ERR_HTTP_SERVER },
        { 503, AG_ERR_HTTP_SERVER },
        { 599, AG_ERR_HTTP_SERVER },
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        test_note("%u", codes[i].code);
        CHECK_EQUAL(ag_http_code_status(codes[i].code), codes[i].status);
    }
}

static enum ag_status start_of(const char *head, uint64_t first, uint64_t *start)
{
    char text[256];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\n\r\n", head);
    return ag_http_check_start(&trace_of(text)->head, first, start);
}

static void a_body_is_appended_only_where_it_belongs(void)
{
    uint64_t start = 99;
    CHECK_EQUAL(start_of("206 OK\r\nContent-Range: bytes 10-14/100", 10, &start), AG_OK);
    CHECK_EQUAL(start, 10);
    CHECK_EQUAL(start_of("206 OK\r\nContent-Range: bytes 10-14/*\r\nContent-Length: 5", 10, &start),
                AG_OK);
    CHECK_EQUAL(
        start_of("206 OK\r\nContent-Range: bytes 10-10/11\r\nContent-Length: 1", 10, &start),
        AG_OK);
    CHECK_EQUAL(start_of("200 OK\r\nContent-Length: 100", 10, &start), AG_OK);
    CHECK_EQUAL(start, 0);
    start = 99;
    CHECK_EQUAL(start_of("206 OK\r\nContent-Range: bytes 11-14/100", 10, &start),
                AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(start_of("206 OK\r\nContent-Range: bytes 0-14/100", 10, &start), AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(start_of("206 OK\r\nContent-Length: 5", 10, &start), AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(start_of("206 OK\r\nContent-Range: bytes */100", 0, &start), AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(
        start_of("206 OK\r\nContent-Range: bytes 10-14/100\r\nContent-Length: 6", 10, &start),
        AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(start_of("416 No\r\nContent-Range: bytes */100", 100, &start), AG_ERR_HTTP_RANGE);
    CHECK_EQUAL(start_of("412 Changed", 10, &start), AG_ERR_HTTP_CHANGED);
    CHECK_EQUAL(start_of("403 No", 10, &start), AG_ERR_HTTP_FORBIDDEN);
    CHECK_EQUAL(start, 99);
}

static enum ag_status redirect_of(const char *location, struct ag_url *to)
{
    static struct ag_http_head head;
    struct ag_url from;
    head = trace_of("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")->head;
    head.has_location = location != NULL;
    if (location)
        snprintf(head.location, sizeof head.location, "%s", location);
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://h:8443/a?sig=s"), &from), AG_OK);
    return ag_http_redirect(&head, &from, to);
}

static void redirects_stay_on_their_host(void)
{
    struct ag_url to;
    CHECK_EQUAL(redirect_of("https://H:8443/b?x#y", &to), AG_OK);
    CHECK(ag_text_equals(to.target, "/b?x"));
    CHECK_EQUAL(redirect_of("/c?y#z", &to), AG_OK);
    CHECK_TEXT(to.host, "h");
    CHECK_EQUAL(to.port, 8443);
    CHECK(ag_text_equals(to.target, "/c?y"));
    static const char *const refused[] = {
        "https://h/b",
        "https://i:8443/b",
        "http://h:8443/b",
        "//h:8443/b",
        "b",
        "../b",
        "?x",
        "",
        "/b c",
        "/\xC3\xA9",
        "https://h:8443@evil/b",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        test_note("%s", refused[i]);
        CHECK_EQUAL(redirect_of(refused[i], &to), AG_ERR_HTTP_REDIRECT);
    }
    CHECK_EQUAL(redirect_of(NULL, &to), AG_ERR_HTTP_REDIRECT);
}

static void every_input_of_up_to_two_bytes_is_survived(void)
{
    static struct trace trace;
    for (unsigned i = 0; i < 65536; i++) {
        const char bytes[2] = { (char)(i >> 8), (char)i };
        test_note("bytes %04x", i);
        trace_pieces(bytes, 2, 0, 1, &trace);
        CHECK(trace.status == AG_ERR_TRUNCATED || trace.status == AG_ERR_HTTP_MALFORMED);
    }
}

static void mutated_responses_tell_the_same_in_pieces(void)
{
    static const char alphabet[] = "\r\n :;,-/*0123456789aAfFx\t";
    static const char *const texts[] = { ranged, chunked };
    static struct trace whole;
    static struct trace split;
    uint32_t random = 80;
    for (unsigned round = 0; round < 10000; round++) {
        char bytes[sizeof ranged + sizeof chunked];
        const size_t size = strlen(texts[round & 1]);
        memcpy(bytes, texts[round & 1], size);
        for (unsigned changes = round % 3 + 1; changes > 0; changes--) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 8) % size] = alphabet[(random >> 22) % (sizeof alphabet - 1)];
        }
        test_note("round %u", round);
        trace_pieces(bytes, size, 0, 0, &whole);
        trace_pieces(bytes, size, 0, 1 + round % 5, &split);
        CHECK_EQUAL(split.status, whole.status);
        CHECK_TEXT(split.text, whole.text);
    }
}

static const struct test_case cases[] = {
    TEST(a_request_is_written_byte_for_byte),
    TEST(a_request_cannot_be_extended_from_outside),
    TEST(a_range_is_read_with_its_head),
    TEST(chunks_and_closed_streams_are_read),
    TEST(a_connection_is_reused_only_when_the_server_agrees),
    TEST(pieces_of_any_size_tell_the_same),
    TEST(every_truncation_is_noticed),
    TEST(what_is_not_http_is_refused),
    TEST(long_headers_are_skipped_unless_they_frame_the_body),
    TEST(a_framing_header_is_not_read_from_its_beginning),
    TEST(names_are_compared_whole_and_in_any_case),
    TEST(a_head_may_be_as_long_as_its_limit),
    TEST(the_end_of_a_stream_is_told_once),
    TEST(heads_without_end_are_refused),
    TEST(many_chunks_are_no_head_without_end),
    TEST(retry_after_is_read_in_both_forms),
    TEST(dates_become_seconds),
    TEST(codes_become_statuses),
    TEST(a_body_is_appended_only_where_it_belongs),
    TEST(redirects_stay_on_their_host),
    TEST(every_input_of_up_to_two_bytes_is_survived),
    TEST(mutated_responses_tell_the_same_in_pieces),
};
TEST_MAIN(cases)
