// SPDX-License-Identifier: Apache-2.0
// HTTP response reader: lines first, then a body framed by length, by chunks or by the end of
// the stream.
//
// What frames the body must be beyond doubt, since a misread length would append foreign bytes to
// a file: two different lengths, an unknown transfer coding, a folded or overlong framing header
// are refused. Everything else in a head is optional and is dropped when it makes no sense.
#include "http/http.h"

#include <string.h>

#include "base/base64.h"
#include "http/http_date.h"

#define X_MS_VERSION "2021-12-02"

// A day; nobody means more, and it keeps the arithmetic of the caller safe.
#define RETRY_MAX 86400u

enum http_state {
    IN_STATUS_LINE,
    IN_HEADER_LINE,
    IN_BODY,       // framed by Content-Length
    IN_CLOSE_BODY, // framed by the end of the stream
    IN_CHUNK_SIZE, // a line
    IN_CHUNK,
    IN_CHUNK_END, // the empty line after a chunk
    IN_TRAILER,   // lines
    AT_END,       // complete, to be told
    COMPLETE,
};

static void fail(struct ag_http *http, enum ag_status status)
{
    if (http->status == AG_OK)
        http->status = status;
}

// ---- the request

static bool is_plain(struct ag_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < ' ' || text.at[i] == 0x7F)
            return false;
    }
    return true;
}

static void write_host(struct ag_writer *out, const struct ag_url *url)
{
    ag_writer_text(out, url->is_ipv6 ? "\r\nHost: [" : "\r\nHost: ");
    ag_writer_text(out, url->host);
    if (url->is_ipv6)
        ag_writer_text(out, "]");
    if (url->port == 443)
        return;
    ag_writer_text(out, ":");
    ag_writer_decimal(out, url->port);
}

static void write_header(struct ag_writer *out, const char *name, struct ag_text value)
{
    if (value.size == 0)
        return;
    ag_writer_text(out, name);
    ag_writer_bytes(out, value.at, value.size);
}

enum ag_status ag_http_write_get(struct ag_writer *out, const struct ag_url *url,
                                 const struct ag_http_get *get)
{
    const struct ag_text if_match = ag_text_of(get->if_match);
    const struct ag_text user_agent = ag_text_of(get->user_agent);
    if (!is_plain(url->target) || !is_plain(if_match) || !is_plain(user_agent) ||
        get->first > INT64_MAX || get->last > INT64_MAX ||
        (get->has_range && get->first > get->last))
        return AG_ERR_ARGUMENT;
    ag_writer_text(out, ag_text_starts_with(url->target, "/") ? "GET " : "GET /");
    ag_writer_bytes(out, url->target.at, url->target.size);
    ag_writer_text(out, " HTTP/1.1");
    write_host(out, url);
    write_header(out, "\r\nUser-Agent: ", user_agent);
    ag_writer_text(out,
                   "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nx-ms-version: " X_MS_VERSION);
    if (get->has_range) {
        ag_writer_text(out, "\r\nRange: bytes=");
        ag_writer_decimal(out, (int64_t)get->first);
        ag_writer_text(out, "-");
        ag_writer_decimal(out, (int64_t)get->last);
    }
    write_header(out, "\r\nIf-Match: ", if_match);
    ag_writer_text(out, "\r\n\r\n");
    return out->status;
}

// ---- headers

static char to_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

static bool is_named(struct ag_text text, const char *lower)
{
    size_t i = 0;
    while (i < text.size && lower[i] && to_lower(text.at[i]) == lower[i])
        i++;
    return i == text.size && lower[i] == 0;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static struct ag_text trim(struct ag_text text)
{
    while (text.size > 0 && is_blank(text.at[0])) {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.at[text.size - 1]))
        text.size--;
    return text;
}

static bool copy_text(struct ag_text text, char *storage, size_t capacity)
{
    storage[0] = 0;
    if (text.size >= capacity)
        return false;
    memcpy(storage, text.at, text.size);
    storage[text.size] = 0;
    return text.size > 0;
}

static void take_content_length(struct ag_http *http, struct ag_text value)
{
    struct ag_http_head *head = &http->head;
    uint64_t length;
    if (!ag_text_decimal(value, INT64_MAX, &length) || (head->has_length && head->length != length))
        fail(http, AG_ERR_HTTP_MALFORMED);
    else
        head->length = length;
    head->has_length = true;
}

// No coding but chunked was offered, so no other may come.
static void take_transfer_encoding(struct ag_http *http, struct ag_text value)
{
    if (!is_named(value, "chunked") || http->is_chunked)
        fail(http, AG_ERR_HTTP_MALFORMED);
    http->is_chunked = true;
}

// `first-last/total`, `first-last/*` or `*/total`, after `bytes `.
static bool parse_range(struct ag_text range, struct ag_http_head *head)
{
    struct ag_text last = ag_text_split(&range, '/');
    const struct ag_text total = range;
    head->has_total = !ag_text_equals(total, "*");
    if (head->has_total && !ag_text_decimal(total, INT64_MAX, &head->total))
        return false;
    head->range_is_empty = ag_text_equals(last, "*");
    if (head->range_is_empty)
        return head->has_total;
    const struct ag_text first = ag_text_split(&last, '-');
    if (!ag_text_decimal(first, INT64_MAX, &head->range_first) ||
        !ag_text_decimal(last, INT64_MAX, &head->range_last))
        return false;
    return head->range_first <= head->range_last &&
           (!head->has_total || head->range_last < head->total);
}

static void take_content_range(struct ag_http *http, struct ag_text value)
{
    const struct ag_text unit = ag_text_split(&value, ' ');
    if (!is_named(unit, "bytes") || http->head.has_range || !parse_range(value, &http->head))
        fail(http, AG_ERR_HTTP_MALFORMED);
    http->head.has_range = true;
}

static void take_connection(struct ag_http *http, struct ag_text value)
{
    while (value.size > 0) {
        if (is_named(trim(ag_text_split(&value, ',')), "close"))
            http->keeps_alive = false;
    }
}

static void take_etag(struct ag_http *http, struct ag_text value)
{
    (void)copy_text(value, http->head.etag, sizeof http->head.etag);
}

static void take_retry_after(struct ag_http *http, struct ag_text value)
{
    uint64_t seconds;
    http->head.has_retry_after = ag_text_decimal(value, UINT32_MAX, &seconds);
    if (http->head.has_retry_after)
        http->head.retry_after_s = seconds > RETRY_MAX ? RETRY_MAX : (uint32_t)seconds;
    http->retry_after_dated = ag_http_date_parse(value, &http->retry_at);
}

static void take_date(struct ag_http *http, struct ag_text value)
{
    http->head.has_date = ag_http_date_parse(value, &http->head.date);
}

static bool take_md5(struct ag_text value, uint8_t md5[16])
{
    uint8_t bytes[16];
    size_t size;
    if (ag_base64_decode(value, bytes, sizeof bytes, &size) != AG_OK || size != sizeof bytes)
        return false;
    memcpy(md5, bytes, sizeof bytes);
    return true;
}

static void take_content_md5(struct ag_http *http, struct ag_text value)
{
    http->head.has_md5 = take_md5(value, http->head.md5);
}

static void take_blob_md5(struct ag_http *http, struct ag_text value)
{
    http->head.has_blob_md5 = take_md5(value, http->head.blob_md5);
}

// None was offered: what is coded is not the file.
static void take_content_encoding(struct ag_http *http, struct ag_text value)
{
    if (!is_named(value, "identity"))
        fail(http, AG_ERR_HTTP_MALFORMED);
}

static void take_location(struct ag_http *http, struct ag_text value)
{
    http->head.has_location = copy_text(value, http->head.location, sizeof http->head.location);
}

static const struct {
    const char *name; // lower case
    bool is_vital;    // cut off, it makes the response unreadable
    void (*take)(struct ag_http *http, struct ag_text value);
} headers[] = {
    { "content-length", true, take_content_length },
    { "transfer-encoding", true, take_transfer_encoding },
    { "content-range", true, take_content_range },
    { "content-encoding", true, take_content_encoding },
    { "connection", true, take_connection },
    { "etag", false, take_etag },
    { "retry-after", false, take_retry_after },
    { "date", false, take_date },
    { "content-md5", false, take_content_md5 },
    { "x-ms-blob-content-md5", false, take_blob_md5 },
    { "location", false, take_location },
};

static void take_header_line(struct ag_http *http, struct ag_text line)
{
    struct ag_text value = line;
    const struct ag_text name = ag_text_split(&value, ':');
    // A name ends right at its colon; a line that begins with a blank continues the one before,
    // which only attackers still use.
    if (!value.at || name.size == 0 || memchr(name.at, ' ', name.size) ||
        memchr(name.at, '\t', name.size)) {
        fail(http, AG_ERR_HTTP_MALFORMED);
        return;
    }
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (!is_named(name, headers[i].name))
            continue;
        if (!http->line_overflow)
            headers[i].take(http, trim(value));
        else if (headers[i].is_vital)
            fail(http, AG_ERR_HTTP_MALFORMED);
    }
}

// ---- the head

// `HTTP/1.1 206 Partial Content`; the reason may be missing.
static void take_status_line(struct ag_http *http, struct ag_text line)
{
    uint64_t code;
    const struct ag_text digits = { line.at + 9, 3 };
    if (line.size < 12 || !ag_text_starts_with(line, "HTTP/1.") || line.at[8] != ' ' ||
        (line.at[7] != '0' && line.at[7] != '1') || (line.size > 12 && line.at[12] != ' ') ||
        !ag_text_decimal(digits, 599, &code) || code < 100 || code == 101) {
        fail(http, AG_ERR_HTTP_MALFORMED);
        return;
    }
    memset(&http->head, 0, sizeof http->head);
    http->head.code = (uint16_t)code;
    http->keeps_alive = line.at[7] == '1';
    http->is_chunked = false;
    http->retry_after_dated = false;
    http->state = IN_HEADER_LINE;
}

static void settle_retry_after(struct ag_http *http)
{
    struct ag_http_head *head = &http->head;
    if (!http->retry_after_dated || !head->has_date)
        return;
    const int64_t seconds = http->retry_at - head->date;
    head->has_retry_after = true;
    head->retry_after_s = seconds < 0 ? 0 : seconds > RETRY_MAX ? RETRY_MAX : (uint32_t)seconds;
}

static void begin_body(struct ag_http *http)
{
    struct ag_http_head *head = &http->head;
    http->state = IN_CLOSE_BODY;
    if (head->code == 204 || head->code == 304) {
        http->state = AT_END;
    } else if (http->is_chunked) {
        // A length beside the chunks is how requests are smuggled: the chunks count (RFC 9112,
        // 6.3), and the connection is not used again.
        http->keeps_alive = http->keeps_alive && !head->has_length;
        head->has_length = false;
        http->state = IN_CHUNK_SIZE;
    } else if (head->has_length) {
        http->body_left = head->length;
        http->state = head->length > 0 ? IN_BODY : AT_END;
    }
}

// The empty line. True when there is a head to tell; not after 1xx.
static bool end_head(struct ag_http *http)
{
    if (http->head.code < 200) {
        http->state = IN_STATUS_LINE;
        return false;
    }
    settle_retry_after(http);
    begin_body(http);
    http->head_size = 0;
    return true;
}

// ---- chunks

// 0 to 15, or 16 for what is no hexadecimal digit.
static uint32_t hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return (uint32_t)(character - '0');
    const char lower = to_lower(character);
    if (lower >= 'a' && lower <= 'f')
        return (uint32_t)(lower - 'a') + 10;
    return 16;
}

// `1a2b` or `1a2b;extension`.
static void take_chunk_size(struct ag_http *http, struct ag_text line)
{
    const struct ag_text digits = trim(ag_text_split(&line, ';'));
    uint64_t size = 0;
    for (size_t i = 0; i < digits.size; i++) {
        const uint32_t digit = hex_digit(digits.at[i]);
        if (digit > 15 || size > (uint64_t)INT64_MAX >> 4) {
            fail(http, AG_ERR_HTTP_MALFORMED);
            return;
        }
        size = size << 4 | digit;
    }
    if (digits.size == 0)
        fail(http, AG_ERR_HTTP_MALFORMED);
    http->body_left = size;
    http->head_size = 0;
    http->state = size > 0 ? IN_CHUNK : IN_TRAILER;
}

// ---- lines

// True when the head is complete.
static bool take_line(struct ag_http *http, struct ag_text line)
{
    switch ((enum http_state)http->state) {
    case IN_STATUS_LINE:
        take_status_line(http, line);
        return false;
    case IN_HEADER_LINE:
        if (line.size == 0)
            return end_head(http);
        take_header_line(http, line);
        return false;
    case IN_CHUNK_SIZE:
        take_chunk_size(http, line);
        return false;
    case IN_CHUNK_END:
        http->state = IN_CHUNK_SIZE;
        if (line.size > 0)
            fail(http, AG_ERR_HTTP_MALFORMED);
        return false;
    case IN_TRAILER:
        if (line.size == 0)
            http->state = AT_END;
        return false;
    case IN_BODY:
    case IN_CLOSE_BODY:
    case IN_CHUNK:
    case AT_END:
    case COMPLETE:
        break;
    }
    return false;
}

// The line feed has come. A carriage return belongs before it and nowhere else; its absence is
// forgiven, as RFC 9112 (2.2) allows.
static bool end_line(struct ag_http *http)
{
    struct ag_text line = { http->line, http->line_size };
    if (line.size > 0 && !http->line_overflow && line.at[line.size - 1] == '\r')
        line.size--;
    if (memchr(line.at, '\r', line.size) || memchr(line.at, 0, line.size))
        fail(http, AG_ERR_HTTP_MALFORMED);
    const bool head_is_complete = http->status == AG_OK && take_line(http, line);
    http->line_size = 0;
    http->line_overflow = false;
    return head_is_complete;
}

static bool take_line_byte(struct ag_http *http, uint8_t byte)
{
    if (++http->head_size > AG_CFG_HTTP_HEAD_MAX) {
        fail(http, AG_ERR_NO_SPACE);
        return false;
    }
    if (byte == '\n')
        return end_line(http);
    if (http->line_size < AG_HTTP_LINE_MAX)
        http->line[http->line_size++] = (char)byte;
    else
        http->line_overflow = true;
    return false;
}

// ---- the body

static bool is_body_state(uint8_t state)
{
    return state == IN_BODY || state == IN_CLOSE_BODY || state == IN_CHUNK;
}

static void take_body(struct ag_http *http, struct ag_reader *piece, struct ag_http_event *event)
{
    size_t size = ag_reader_left(piece);
    if (http->state != IN_CLOSE_BODY) {
        if (size > http->body_left)
            size = (size_t)http->body_left;
        http->body_left -= size;
    }
    event->type = AG_HTTP_BODY;
    event->bytes = ag_reader_bytes(piece, size);
    event->size = size;
    if (http->body_left > 0 || http->state == IN_CLOSE_BODY)
        return;
    http->state = http->state == IN_CHUNK ? IN_CHUNK_END : AT_END;
}

static void tell(struct ag_http_event *event, enum ag_http_event_type type)
{
    event->type = type;
    event->bytes = NULL;
    event->size = 0;
}

// ---- public

void ag_http_init(struct ag_http *http)
{
    memset(http, 0, sizeof *http);
    http->state = IN_STATUS_LINE;
    http->status = AG_OK;
}

enum ag_status ag_http_next(struct ag_http *http, struct ag_reader *piece,
                            struct ag_http_event *event)
{
    while (http->status == AG_OK) {
        if (http->state == AT_END) {
            http->state = COMPLETE;
            tell(event, AG_HTTP_END);
            return AG_OK;
        }
        if (http->state == COMPLETE || ag_reader_left(piece) == 0)
            return AG_ERR_AGAIN;
        if (is_body_state(http->state)) {
            take_body(http, piece, event);
            return AG_OK;
        }
        if (take_line_byte(http, ag_reader_u8(piece))) {
            tell(event, AG_HTTP_HEAD);
            return AG_OK;
        }
    }
    return http->status;
}

enum ag_status ag_http_finish(struct ag_http *http, struct ag_http_event *event)
{
    if (http->status != AG_OK || http->state == COMPLETE)
        return http->status;
    if (http->state == IN_CLOSE_BODY || http->state == AT_END) {
        http->state = COMPLETE;
        http->keeps_alive = false;
        tell(event, AG_HTTP_END);
        return AG_OK;
    }
    const bool is_untouched = http->state == IN_STATUS_LINE && http->head_size == 0;
    fail(http, is_untouched ? AG_ERR_CLOSED : AG_ERR_TRUNCATED);
    return http->status;
}

bool ag_http_may_reuse(const struct ag_http *http)
{
    return http->status == AG_OK && http->state == COMPLETE && http->keeps_alive;
}

enum ag_status ag_http_code_status(uint16_t code)
{
    static const struct {
        uint16_t code;
        enum ag_status status;
    } known[] = {
        { 200, AG_OK },
        { 206, AG_OK },
        { 301, AG_ERR_HTTP_REDIRECT },
        { 302, AG_ERR_HTTP_REDIRECT },
        { 303, AG_ERR_HTTP_REDIRECT },
        { 307, AG_ERR_HTTP_REDIRECT },
        { 308, AG_ERR_HTTP_REDIRECT },
        { 401, AG_ERR_HTTP_FORBIDDEN },
        { 403, AG_ERR_HTTP_FORBIDDEN },
        { 404, AG_ERR_HTTP_NOT_FOUND },
        { 408, AG_ERR_HTTP_SERVER },
        { 410, AG_ERR_HTTP_NOT_FOUND },
        { 412, AG_ERR_HTTP_CHANGED },
        { 416, AG_ERR_HTTP_RANGE },
        { 429, AG_ERR_HTTP_SERVER },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (code == known[i].code)
            return known[i].status;
    }
    return code >= 500 && code < 600 ? AG_ERR_HTTP_SERVER : AG_ERR_HTTP_STATUS;
}

enum ag_status ag_http_check_start(const struct ag_http_head *head, uint64_t first, uint64_t *start)
{
    const enum ag_status status = ag_http_code_status(head->code);
    if (status != AG_OK)
        return status;
    if (head->code == 200) {
        *start = 0;
        return AG_OK;
    }
    if (!head->has_range || head->range_is_empty || head->range_first != first)
        return AG_ERR_HTTP_RANGE;
    // A body of another length than its range says would leave a hole or run over.
    if (head->has_length && head->length != head->range_last - head->range_first + 1)
        return AG_ERR_HTTP_RANGE;
    *start = first;
    return AG_OK;
}

enum ag_status ag_http_redirect(const struct ag_http_head *head, const struct ag_url *from,
                                struct ag_url *to)
{
    struct ag_text location = ag_text_of(head->location);
    if (!head->has_location)
        return AG_ERR_HTTP_REDIRECT;
    if (ag_text_starts_with(location, "/") && !ag_text_starts_with(location, "//")) {
        for (size_t i = 0; i < location.size; i++) {
            if (location.at[i] <= ' ' || location.at[i] >= 0x7F)
                return AG_ERR_HTTP_REDIRECT;
        }
        *to = *from;
        to->target = ag_text_split(&location, '#');
        return AG_OK;
    }
    if (ag_url_parse(location, to) != AG_OK || !ag_url_same_host(from, to))
        return AG_ERR_HTTP_REDIRECT;
    return AG_OK;
}
