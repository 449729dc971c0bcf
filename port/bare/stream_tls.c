// SPDX-License-Identifier: Apache-2.0
// TLS streams: one state machine from name to bytes, driven by whoever reads or writes.
//
// Each call does one step of the handshake at most, so that none blocks for long. A broken stream
// has released all it held, but for the session of an earlier connection, and keeps its status.
#include "port/bare/stream_tls.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl_internal.h>
#include <string.h>

#include "base/text.h"
#include "base/writer.h"
#include "platform/board.h"
#include "port/bare/heap.h"
#include "port/bare/mbedtls_parts.h"

// Elementary operations of elliptic curves in one call. Costs at most some 5 million instructions
// of a Cortex-M3, most of it what mbedTLS cannot interrupt.
#define EC_STEP 400

// The fragment length to ask for (RFC 6066), mbedTLS's code: what both buffers hold. A client that
// takes all that TLS allows asks for none.
#define FRAGMENT                                                                                   \
    (AG_CFG_TLS_IN >= 16384                            ? MBEDTLS_SSL_MAX_FRAG_LEN_NONE             \
     : AG_CFG_TLS_IN >= 4096 && AG_CFG_TLS_OUT >= 4096 ? MBEDTLS_SSL_MAX_FRAG_LEN_4096             \
     : AG_CFG_TLS_IN >= 2048 && AG_CFG_TLS_OUT >= 2048 ? MBEDTLS_SSL_MAX_FRAG_LEN_2048             \
                                                       : MBEDTLS_SSL_MAX_FRAG_LEN_1024)

static void log_result(const struct ag_stream_tls *stream, const char *what, int result)
{
    static const char digits[] = "0123456789abcdef";
    char text[AG_CFG_HOST_MAX + 48];
    struct ag_writer writer;
    ag_writer_init(&writer, text, sizeof text);
    ag_writer_text(&writer, stream->host);
    ag_writer_text(&writer, ":");
    ag_writer_decimal(&writer, stream->port);
    ag_writer_text(&writer, ": ");
    ag_writer_text(&writer, what);
    if (result < 0) {
        ag_writer_text(&writer, " -0x");
        for (int shift = 12; shift >= 0; shift -= 4)
            ag_writer_u8(&writer, (uint8_t)digits[-result >> shift & 15]);
    }
    ag_board_log(AG_LOG_DEBUG, "tls", text, writer.size);
}

// What mbedTLS calls.

static int random_bytes(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    ag_board_random(bytes, size);
    return 0;
}

static int send_bytes(void *context, const unsigned char *bytes, size_t size)
{
    struct ag_stream_tls *stream = context;
    size_t written;
    const enum ag_status status = ag_tcp_write(&stream->tcp, bytes, size, &written);
    if (status == AG_OK)
        return (int)written;
    if (status == AG_ERR_AGAIN)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    stream->tcp_status = status;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t size)
{
    struct ag_stream_tls *stream = context;
    size_t got;
    const enum ag_status status =
        ag_handshake_frames_read(&stream->frames, &stream->tcp, bytes, size, &got);
    if (status == AG_OK)
        return (int)got;
    if (status == AG_ERR_AGAIN) {
        stream->is_starved = true;
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    stream->tcp_status = status;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

// Judging a certificate. mbedTLS has checked its place in the chain, its keys and, for a host that
// is a name, that name.

static bool parse_address(const char *host, uint8_t address[4])
{
    struct ag_text rest = ag_text_of(host);
    for (int i = 0; i < 4; i++) {
        uint64_t value;
        const struct ag_text part = ag_text_split(&rest, '.');
        if (!ag_text_decimal(part, 255, &value))
            return false;
        address[i] = (uint8_t)value;
    }
    // A fifth part, if only an empty one, makes it a name.
    return rest.size == 0 && host[strlen(host) - 1] != '.';
}

static bool carries_address(const mbedtls_x509_crt *certificate, const uint8_t address[4])
{
    for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name;
         name = name->next) {
        if (name->buf.tag == (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_IP_ADDRESS) &&
            name->buf.len == 4 && memcmp(name->buf.p, address, 4) == 0)
            return true;
    }
    return false;
}

// Addresses are not checked by mbedTLS, and for a certificate without alternative names it takes
// the common name for a host's.
static bool carries_host(const mbedtls_x509_crt *certificate, const char *host)
{
    uint8_t address[4];
    if ((certificate->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) == 0)
        return false;
    return !parse_address(host, address) || carries_address(certificate, address);
}

// Seconds since 1970 of a date in a certificate, by the count of days of the Gregorian calendar.
static int64_t seconds_of(const mbedtls_x509_time *time)
{
    const int32_t year = time->mon > 2 ? time->year : time->year - 1; // begins with March
    const int32_t month = time->mon > 2 ? time->mon - 3 : time->mon + 9;
    const int32_t days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                         time->day - 1 - 719468;
    return (int64_t)days * 86400 + time->hour * 3600 + time->min * 60 + time->sec;
}

static bool is_anchor(const struct ag_stream_tls *stream, const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_crt *anchor = stream->anchors; anchor; anchor = anchor->next) {
        if (anchor == certificate)
            return true;
    }
    return false;
}

// For each certificate of the chain, from the anchor down to the server's own (depth 0).
static int judge_certificate(void *context, mbedtls_x509_crt *certificate, int depth,
                             uint32_t *flags)
{
    struct ag_stream_tls *stream = context;
    int64_t now;
    const bool knows_time = ag_board_unix_time(&now);
    if (depth == 0) {
        stream->checked_time = knows_time;
        if (!carries_host(certificate, stream->host))
            *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    if (!knows_time || is_anchor(stream, certificate))
        return 0;
    if (now < seconds_of(&certificate->valid_from))
        *flags |= MBEDTLS_X509_BADCERT_FUTURE;
    if (now > seconds_of(&certificate->valid_to))
        *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
    return 0;
}

// What the streams share.

enum ag_status ag_stream_tls_start(struct ag_tls *tls)
{
    *tls = (struct ag_tls){ 0 };
    mbedtls_ssl_config_init(&tls->config);
    if (mbedtls_ssl_config_defaults(&tls->config, MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return AG_ERR_TLS;
    mbedtls_ssl_conf_authmode(&tls->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(&tls->config, random_bytes, NULL);
    mbedtls_ecp_set_max_ops(EC_STEP);
    return mbedtls_ssl_conf_max_frag_len(&tls->config, FRAGMENT) == 0 ? AG_OK : AG_ERR_TLS;
}

// Certificates are allocated one by one; whoever allocates a list frees all of it.
static void free_certificates(mbedtls_x509_crt *list)
{
    if (!list)
        return;
    mbedtls_x509_crt_free(list); // and what follows it
    mbedtls_free(list);
}

// A certificate from flash in *made. AG_ERR_MALFORMED, AG_ERR_NO_SPACE.
static enum ag_status parse_root(const struct ag_stream_tls_root *root, mbedtls_x509_crt **made)
{
    const uint32_t failures = ag_heap_failures();
    mbedtls_x509_crt *certificate = mbedtls_calloc(1, sizeof *certificate);
    if (!certificate)
        return AG_ERR_NO_SPACE;
    mbedtls_x509_crt_init(certificate);
    if (mbedtls_x509_crt_parse_der_nocopy(certificate, root->der, root->size) == 0 &&
        certificate->raw.len == root->size) {
        *made = certificate;
        return AG_OK;
    }
    free_certificates(certificate);
    return ag_heap_failures() != failures ? AG_ERR_NO_SPACE : AG_ERR_MALFORMED;
}

enum ag_status ag_stream_tls_set_roots(struct ag_tls *tls, const struct ag_stream_tls_root *roots,
                                       size_t count)
{
    if (count > AG_STREAM_TLS_ROOT_MAX)
        return AG_ERR_NO_SPACE;
    for (size_t i = 0; i < count; i++) {
        mbedtls_x509_crt *certificate;
        const enum ag_status status = parse_root(&roots[i], &certificate);
        if (status != AG_OK)
            return status;
        free_certificates(certificate);
    }
    if (count > 0)
        memcpy(tls->roots, roots, count * sizeof *roots);
    tls->root_count = (uint32_t)count;
    tls->generation++;
    return AG_OK;
}

// One connection.

static bool is_underway(const struct ag_stream_tls *stream)
{
    return stream->state == AG_STREAM_TLS_CONNECTING || stream->state == AG_STREAM_TLS_HANDSHAKING;
}

static void free_anchors(struct ag_stream_tls *stream)
{
    free_certificates(stream->anchors);
    stream->anchors = NULL;
}

static void release(struct ag_stream_tls *stream)
{
    free_anchors(stream);
    if (stream->state == AG_STREAM_TLS_HANDSHAKING || stream->state == AG_STREAM_TLS_OPEN)
        mbedtls_ssl_free(&stream->ssl);
    ag_tcp_close(&stream->tcp);
}

static enum ag_status fail(struct ag_stream_tls *stream, enum ag_status status)
{
    release(stream);
    stream->state = AG_STREAM_TLS_BROKEN;
    stream->status = status;
    return status;
}

static void forget_session(struct ag_stream_tls *stream)
{
    mbedtls_ssl_session_free(&stream->session);
    stream->has_session = false;
}

static bool may_resume(const struct ag_stream_tls *stream)
{
    int64_t seconds;
    const bool knows_time = ag_board_unix_time(&seconds);
    return stream->has_session && stream->session_port == stream->port &&
           stream->session_generation == stream->tls->generation &&
           (stream->session_checked_time || !knows_time) &&
           strcmp(stream->session_host, stream->host) == 0;
}

// TCP is open: everything that mbedTLS needs for one connection.
static enum ag_status start_handshake(struct ag_stream_tls *stream)
{
    uint8_t address[4];
    mbedtls_ssl_context *ssl = &stream->ssl;
    mbedtls_ssl_init(ssl);
    stream->state = AG_STREAM_TLS_HANDSHAKING;
    stream->generation = stream->tls->generation;
    if (!may_resume(stream))
        forget_session(stream);
    stream->checked_time = stream->session_checked_time; // as long as it is not judged anew
    if (mbedtls_ssl_setup(ssl, &stream->tls->config) != 0 ||
        (!parse_address(stream->host, address) &&
         mbedtls_ssl_set_hostname(ssl, stream->host) != 0) ||
        (stream->has_session && mbedtls_ssl_set_session(ssl, &stream->session) != 0))
        return fail(stream, AG_ERR_NO_SPACE); // nothing else can go wrong in these
    mbedtls_ssl_set_bio(ssl, stream, send_bytes, receive_bytes, NULL);
    mbedtls_ssl_set_verify(ssl, judge_certificate, stream);
    // mbedTLS would do it for ECDHE-ECDSA only, but its ECDHE can be interrupted with RSA as well.
    ssl->handshake->ecrs_enabled = 1;
    return AG_OK;
}

static enum ag_status continue_connecting(struct ag_stream_tls *stream)
{
    if (stream->tcp.state == AG_TCP_BROKEN)
        return fail(stream, stream->tcp.status);
    return stream->tcp.state == AG_TCP_OPEN ? start_handshake(stream) : AG_ERR_AGAIN;
}

// Chain before name before dates: who is somebody else's is not also late.
static enum ag_status status_of_flags(uint32_t flags)
{
    const uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
    if ((flags & ~(dates | MBEDTLS_X509_BADCERT_CN_MISMATCH)) != 0)
        return AG_ERR_TLS_UNTRUSTED;
    return (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0 ? AG_ERR_TLS_NAME : AG_ERR_TLS_EXPIRED;
}

static enum ag_status status_of_failure(const struct ag_stream_tls *stream, int result)
{
    switch (result) {
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return AG_ERR_CLOSED;
    case 0: // what mbedtls_ssl_read makes of the next
    case MBEDTLS_ERR_SSL_CONN_EOF:
        if (stream->tcp_status == AG_ERR_MALFORMED)
            return AG_ERR_TLS;
        return stream->tcp_status == AG_ERR_CLOSED ? AG_ERR_RESET : stream->tcp_status;
    default:
        break;
    }
    if (stream->lacked_memory)
        return AG_ERR_NO_SPACE;
    switch (result) {
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return status_of_flags(mbedtls_ssl_get_verify_result(&stream->ssl));
    case MBEDTLS_ERR_X509_FATAL_ERROR:      // the chain is too long
    case MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED: // there is no anchor for it
        return AG_ERR_TLS_UNTRUSTED;
    case MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE: // malformed, or not for a server
        return mbedtls_ssl_get_verify_result(&stream->ssl) == 0 ? AG_ERR_TLS : AG_ERR_TLS_UNTRUSTED;
    default:
        return AG_ERR_TLS;
    }
}

// What a result of mbedTLS that is not a success means; AG_ERR_AGAIN leaves the stream as it is.
static enum ag_status judge_failure(struct ag_stream_tls *stream, int result, const char *what)
{
    switch (result) {
    case MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS:
        stream->wants_turn = true;
        return AG_ERR_AGAIN;
    case MBEDTLS_ERR_SSL_WANT_READ:
        stream->wants_turn |= !stream->is_starved; // it left out a warning, and there may be more
        return AG_ERR_AGAIN;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return AG_ERR_AGAIN;
    default:
        break;
    }
    const enum ag_status status = status_of_failure(stream, result);
    if (status != AG_ERR_CLOSED)
        log_result(stream, what, result);
    return fail(stream, status);
}

// Keeps what is needed for the next connection to the same server; without room for it there is
// none.
static void keep_session(struct ag_stream_tls *stream)
{
    forget_session(stream);
    if (mbedtls_ssl_get_session(&stream->ssl, &stream->session) != 0) {
        forget_session(stream);
        return;
    }
    memcpy(stream->session_host, stream->host, sizeof stream->host);
    stream->session_port = stream->port;
    stream->session_generation = stream->tls->generation;
    stream->session_checked_time = stream->checked_time;
    stream->has_session = true;
}

static bool contains(const uint8_t *bytes, size_t size, const mbedtls_x509_buf *part)
{
    for (; size >= part->len; bytes++, size--) {
        if (memcmp(bytes, part->p, part->len) == 0)
            return true;
    }
    return false;
}

// Before the server's certificates are judged: reads them, and parses those anchors whose subject
// occurs in them, as an issuer's name must. mbedTLS would hold all of them, at 1 KB each.
static int find_anchors(struct ag_stream_tls *stream)
{
    mbedtls_ssl_context *ssl = &stream->ssl;
    const struct ag_tls *tls = stream->tls;
    const int result = mbedtls_ssl_read_record(ssl, 1);
    if (result != 0)
        return result;
    ssl->keep_current_message = 1; // for the step that judges it
    for (uint32_t i = 0; i < tls->root_count; i++) {
        mbedtls_x509_crt *root;
        if (parse_root(&tls->roots[i], &root) != AG_OK)
            return MBEDTLS_ERR_SSL_ALLOC_FAILED; // it was parsed before
        if (contains(ssl->in_msg, ssl->in_msglen, &root->subject_raw)) {
            root->next = stream->anchors;
            stream->anchors = root;
        } else {
            free_certificates(root);
        }
    }
    mbedtls_ssl_set_hs_ca_chain(ssl, stream->anchors, NULL);
    return 0;
}

static int do_step(struct ag_stream_tls *stream)
{
    mbedtls_ssl_context *ssl = &stream->ssl;
    if (ssl->state == MBEDTLS_SSL_SERVER_CERTIFICATE && !stream->anchors) {
        const int result = find_anchors(stream);
        if (result != 0)
            return result;
    }
    ag_mbedtls_parts_begin_step();
    const int result = mbedtls_ssl_handshake_step(ssl);
    if (ssl->state > MBEDTLS_SSL_SERVER_CERTIFICATE)
        free_anchors(stream);
    return result;
}

// One step. AG_OK: open.
static enum ag_status continue_handshake(struct ag_stream_tls *stream)
{
    const uint32_t failures = ag_heap_failures();
    if (stream->generation != stream->tls->generation)
        return fail(stream, AG_ERR_RESET); // what it has parsed points into anchors that are gone
    stream->is_starved = false;
    const int result = do_step(stream);
    stream->lacked_memory |= ag_heap_failures() != failures;
    if (result != 0)
        return judge_failure(stream, result, "handshake");
    stream->wants_turn = true;
    if (stream->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER)
        return AG_ERR_AGAIN;
    stream->state = AG_STREAM_TLS_OPEN;
    stream->lacked_memory = false;
    keep_session(stream);
    return AG_OK;
}

// Goes on as far as one call may. AG_OK: open.
static enum ag_status advance(struct ag_stream_tls *stream)
{
    if (is_underway(stream) && ag_board_uptime_ms() >= stream->deadline_ms) {
        log_result(stream, "not connected in time", 0);
        return fail(stream, AG_ERR_TIMEOUT);
    }
    switch (stream->state) {
    case AG_STREAM_TLS_CONNECTING: {
        const enum ag_status status = continue_connecting(stream);
        return status == AG_OK ? continue_handshake(stream) : status;
    }
    case AG_STREAM_TLS_HANDSHAKING:
        return continue_handshake(stream);
    case AG_STREAM_TLS_OPEN:
        return AG_OK;
    case AG_STREAM_TLS_CLOSED:
        return AG_ERR_CLOSED;
    case AG_STREAM_TLS_BROKEN:
        return stream->status;
    }
    return AG_ERR_INTERNAL;
}

// As advance, and what was written before is out of mbedTLS's hands. AG_ERR_AGAIN: not all of it.
static enum ag_status advance_and_flush(struct ag_stream_tls *stream)
{
    const enum ag_status status = advance(stream);
    if (status != AG_OK)
        return status;
    const int result = mbedtls_ssl_flush_output(&stream->ssl);
    return result == 0 ? AG_OK : judge_failure(stream, result, "write");
}

// The table of platform/stream.h.

static void close_stream(void *context)
{
    struct ag_stream_tls *stream = context;
    if (stream->state == AG_STREAM_TLS_OPEN)
        (void)mbedtls_ssl_close_notify(&stream->ssl); // says goodbye if TCP takes it at once
    release(stream);
    stream->state = AG_STREAM_TLS_CLOSED;
}

static enum ag_status open_stream(void *context, const char *host, uint16_t port)
{
    struct ag_stream_tls *stream = context;
    const size_t size = strlen(host);
    close_stream(stream);
    if (size == 0 || size > AG_CFG_HOST_MAX)
        return AG_ERR_ARGUMENT;
    memcpy(stream->host, host, size + 1);
    stream->port = port;
    stream->deadline_ms = ag_board_uptime_ms() + stream->timeout_ms;
    stream->frames = (struct ag_handshake_frames){ 0 };
    stream->tcp_status = AG_OK;
    stream->lacked_memory = false;
    stream->wants_turn = true;
    stream->state = AG_STREAM_TLS_CONNECTING;
    ag_tcp_open(&stream->tcp, stream->host, port);
    return AG_OK;
}

static enum ag_status read_stream(void *context, void *bytes, size_t capacity, size_t *size)
{
    struct ag_stream_tls *stream = context;
    const enum ag_status status = advance_and_flush(stream);
    // What cannot go out yet must not keep things from coming in.
    if (stream->state != AG_STREAM_TLS_OPEN)
        return status;
    stream->is_starved = false;
    const int result = mbedtls_ssl_read(&stream->ssl, bytes, capacity);
    if (result <= 0)
        return judge_failure(stream, result, "read");
    stream->wants_turn = true; // there may be more
    *size = (size_t)result;
    return AG_OK;
}

static enum ag_status write_stream(void *context, const void *bytes, size_t size, size_t *written)
{
    struct ag_stream_tls *stream = context;
    const enum ag_status status = advance_and_flush(stream);
    if (status != AG_OK)
        return status;
    const int most = mbedtls_ssl_get_max_out_record_payload(&stream->ssl);
    const size_t piece = size < (size_t)most ? size : (size_t)most;
    const int result = mbedtls_ssl_write(&stream->ssl, bytes, piece);
    // Nothing waited, so the record is made, and what TCP did not take goes out before the next.
    if (result < 0 && result != MBEDTLS_ERR_SSL_WANT_WRITE)
        return judge_failure(stream, result, "write");
    *written = piece;
    return AG_OK;
}

void ag_stream_tls_init(struct ag_stream_tls *stream, struct ag_tls *tls, uint32_t timeout_ms)
{
    *stream = (struct ag_stream_tls){ .tls = tls, .timeout_ms = timeout_ms };
    stream->stream = (struct ag_stream){
        .context = stream,
        .open = open_stream,
        .read = read_stream,
        .write = write_stream,
        .close = close_stream,
    };
    mbedtls_ssl_session_init(&stream->session);
}

void ag_stream_tls_clear(struct ag_stream_tls *stream)
{
    close_stream(stream);
    forget_session(stream);
}

uint32_t ag_stream_tls_wait_ms(struct ag_stream_tls *stream, uint64_t now_ms)
{
    const bool has_news = ag_tcp_take_news(&stream->tcp);
    if (stream->wants_turn || has_news) {
        stream->wants_turn = false;
        return 0;
    }
    if (!is_underway(stream))
        return UINT32_MAX;
    return stream->deadline_ms > now_ms ? (uint32_t)(stream->deadline_ms - now_ms) : 0;
}
