// SPDX-License-Identifier: Apache-2.0
// TLS streams: one state machine from name to bytes, driven by whoever reads or writes.
//
// Every step that can be done now is done in the same call. A broken stream has released all it
// held and keeps only its status. OpenSSL's error queue is empty between two calls.
#include "port/linux/stream_tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/board.h"

__attribute__((format(printf, 2, 3))) static void log_debug(const struct ag_stream_tls *stream,
                                                            const char *format, ...)
{
    char text[512];
    int size = snprintf(text, sizeof text, "%s:%u: ", stream->host, (unsigned)stream->port);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    ag_board_log(AG_LOG_DEBUG, "tls", text, strlen(text));
}

// The oldest entry of OpenSSL's error queue is the cause; the queue is emptied.
static void log_openssl(const struct ag_stream_tls *stream, const char *what)
{
    char reason[256] = "no reason given";
    const unsigned long error = ERR_peek_error();
    if (error != 0)
        ERR_error_string_n(error, reason, sizeof reason);
    else if (stream->socket_error != 0)
        snprintf(reason, sizeof reason, "%s", strerror(stream->socket_error));
    log_debug(stream, "%s: %s", what, reason);
    ERR_clear_error();
}

// A BIO over the stream's socket. OpenSSL's own raises SIGPIPE.

static int socket_write(BIO *bio, const char *bytes, int size)
{
    struct ag_stream_tls *stream = BIO_get_data(bio);
    const ssize_t put = send(stream->watch.fd, bytes, (size_t)size, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    else if (put < 0)
        stream->socket_error = errno;
    return (int)put;
}

static int socket_read(BIO *bio, char *bytes, int size)
{
    struct ag_stream_tls *stream = BIO_get_data(bio);
    const ssize_t got = recv(stream->watch.fd, bytes, (size_t)size, 0);
    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    else if (got < 0)
        stream->socket_error = errno;
    else if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)got;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (method && BIO_meth_set_write(method, socket_write) == 1 &&
        BIO_meth_set_read(method, socket_read) == 1 &&
        BIO_meth_set_ctrl(method, socket_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

// What the streams share.

// An anchor is trusted because it is in the trust store, whatever its dates say. The last
// certificate of a chain is an anchor: without one the chain was refused before dates are looked
// at.
static int judge_certificate(int is_good, X509_STORE_CTX *verification)
{
    const int error = X509_STORE_CTX_get_error(verification);
    const int depth = X509_STORE_CTX_get_error_depth(verification);
    const int last = sk_X509_num(X509_STORE_CTX_get0_chain(verification)) - 1;
    if (is_good ||
        (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID) ||
        depth == 0 || depth != last)
        return is_good;
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
}

// Keeps the newest session of the stream for its next connection to the same server.
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct ag_stream_tls *stream = SSL_get_app_data(ssl);
    int64_t seconds;
    SSL_SESSION_free(stream->session);
    stream->session = session;
    memcpy(stream->session_host, stream->host, sizeof stream->host);
    stream->session_port = stream->port;
    stream->session_generation = stream->tls->generation;
    stream->session_checked_time = ag_board_unix_time(&seconds);
    return 1; // the reference is ours now
}

enum ag_status ag_stream_tls_start(struct ag_tls *tls)
{
    *tls = (struct ag_tls){ 0 };
    // No openssl.cnf: a device's TLS must not depend on a file that the host does not own.
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return AG_ERR_TLS;
    tls->socket = make_socket_method();
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->socket || !tls->context ||
        SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1) {
        ERR_clear_error();
        ag_stream_tls_stop(tls);
        return AG_ERR_TLS;
    }
    SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, judge_certificate);
    SSL_CTX_set_session_cache_mode(tls->context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls->context, keep_session);
    return AG_OK;
}

void ag_stream_tls_stop(struct ag_tls *tls)
{
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->socket);
    *tls = (struct ag_tls){ 0 };
}

enum ag_status ag_stream_tls_set_roots(struct ag_tls *tls, const struct ag_stream_tls_root *roots,
                                       size_t count)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return AG_ERR_TLS;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = roots[i].der;
        X509 *certificate = d2i_X509(NULL, &at, (long)roots[i].size);
        const bool is_added = certificate && at == roots[i].der + roots[i].size &&
                              X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        if (!is_added) {
            ERR_clear_error();
            X509_STORE_free(store);
            return AG_ERR_MALFORMED;
        }
    }
    SSL_CTX_set_cert_store(tls->context, store);
    tls->generation++;
    return AG_OK;
}

// One connection.

static bool is_underway(const struct ag_stream_tls *stream)
{
    switch (stream->state) {
    case AG_STREAM_TLS_RESOLVING:
    case AG_STREAM_TLS_CONNECTING:
    case AG_STREAM_TLS_HANDSHAKING:
        return true;
    case AG_STREAM_TLS_CLOSED:
    case AG_STREAM_TLS_OPEN:
    case AG_STREAM_TLS_BROKEN:
        return false;
    }
    return false;
}

static void drop_socket(struct ag_stream_tls *stream)
{
    const int fd = stream->watch.fd;
    if (fd < 0)
        return;
    ag_loop_remove(stream->loop, &stream->watch);
    close(fd);
}

static void release(struct ag_stream_tls *stream)
{
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    if (stream->job) {
        ag_loop_remove(stream->loop, &stream->watch); // its descriptor is the job's
        ag_resolver_release(stream->job);
        stream->job = NULL;
    }
    drop_socket(stream);
}

static enum ag_status fail(struct ag_stream_tls *stream, enum ag_status status)
{
    release(stream);
    stream->state = AG_STREAM_TLS_BROKEN;
    stream->status = status;
    return status;
}

static bool watch_descriptor(struct ag_stream_tls *stream, int fd, uint32_t events)
{
    stream->watch = (struct ag_loop_watch){ .fd = fd };
    if (ag_loop_add(stream->loop, &stream->watch, events) == AG_OK)
        return true;
    stream->watch.fd = -1;
    return false;
}

// Makes a socket for the next address and starts to connect; errno says why not.
static bool start_address(struct ag_stream_tls *stream, uint64_t now_ms)
{
    const union ag_resolver_address *address = &stream->list.addresses[stream->next_address];
    const uint32_t left = stream->list.count - stream->next_address;
    const int on = 1;
    stream->next_address++;
    stream->address_deadline_ms = now_ms + (stream->deadline_ms - now_ms) / left;
    const int fd =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // without it only slower
    const socklen_t size =
        address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
    if (connect(fd, &address->any, size) != 0 && errno != EINPROGRESS && errno != EINTR) {
        const int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    if (watch_descriptor(stream, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP))
        return true;
    close(fd);
    errno = ENOMEM;
    return false;
}

// Goes to the next address, and fails the stream with the last one's `error` when there is none.
static enum ag_status next_address(struct ag_stream_tls *stream, uint64_t now_ms, int error)
{
    drop_socket(stream);
    while (stream->next_address < stream->list.count) {
        if (start_address(stream, now_ms)) {
            stream->state = AG_STREAM_TLS_CONNECTING;
            return AG_OK;
        }
        error = errno;
    }
    log_debug(stream, "cannot connect: %s", strerror(error));
    return fail(stream, error == ETIMEDOUT ? AG_ERR_TIMEOUT : AG_ERR_CONNECT);
}

static enum ag_status continue_resolving(struct ag_stream_tls *stream, uint64_t now_ms)
{
    const enum ag_status status = ag_resolver_take(stream->job, &stream->list);
    if (status == AG_ERR_AGAIN)
        return status;
    ag_loop_remove(stream->loop, &stream->watch);
    ag_resolver_release(stream->job);
    stream->job = NULL;
    if (status != AG_OK)
        return fail(stream, status);
    return next_address(stream, now_ms, 0);
}

// Name, dates and resumption, as the certificate must be judged now.
static bool set_expectations(struct ag_stream_tls *stream)
{
    X509_VERIFY_PARAM *expected = SSL_get0_param(stream->ssl);
    struct ag_resolver_list literal;
    int64_t seconds;
    const bool knows_time = ag_board_unix_time(&seconds);

    // An intermediate certificate in the trust store is an anchor, too.
    if (X509_VERIFY_PARAM_set_flags(expected, X509_V_FLAG_PARTIAL_CHAIN) != 1)
        return false;
    if (knows_time)
        X509_VERIFY_PARAM_set_time(expected, (time_t)seconds);
    else if (X509_VERIFY_PARAM_set_flags(expected, X509_V_FLAG_NO_CHECK_TIME) != 1)
        return false;

    if (ag_resolver_literal(stream->host, stream->port, &literal)) {
        const union ag_resolver_address *address = &literal.addresses[0];
        const bool is_v4 = address->any.sa_family == AF_INET;
        const void *bytes =
            is_v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr;
        if (X509_VERIFY_PARAM_set1_ip(expected, bytes, is_v4 ? 4 : 16) != 1)
            return false;
    } else {
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        if (X509_VERIFY_PARAM_set1_host(expected, stream->host, 0) != 1 ||
            SSL_set_tlsext_host_name(stream->ssl, stream->host) != 1)
            return false;
    }

    const bool may_resume = stream->session && stream->session_port == stream->port &&
                            stream->session_generation == stream->tls->generation &&
                            (stream->session_checked_time || !knows_time) &&
                            strcmp(stream->session_host, stream->host) == 0;
    return !may_resume || SSL_set_session(stream->ssl, stream->session) == 1;
}

static enum ag_status start_handshake(struct ag_stream_tls *stream)
{
    stream->ssl = SSL_new(stream->tls->context);
    BIO *bio = BIO_new(stream->tls->socket);
    if (!stream->ssl || !bio) {
        BIO_free(bio);
        return fail(stream, AG_ERR_TLS);
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    SSL_set_app_data(stream->ssl, stream);
    if (!set_expectations(stream)) {
        log_openssl(stream, "cannot set up TLS");
        return fail(stream, AG_ERR_TLS);
    }
    SSL_set_connect_state(stream->ssl);
    stream->state = AG_STREAM_TLS_HANDSHAKING;
    return AG_OK;
}

static enum ag_status continue_connecting(struct ag_stream_tls *stream, uint64_t now_ms)
{
    const union ag_resolver_address *address = &stream->list.addresses[stream->next_address - 1];
    const socklen_t size =
        address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
    // Asked again, connect tells how the attempt stands.
    if (connect(stream->watch.fd, &address->any, size) == 0 || errno == EISCONN)
        return start_handshake(stream);
    if (errno != EALREADY && errno != EINPROGRESS && errno != EINTR)
        return next_address(stream, now_ms, errno);
    if (now_ms >= stream->address_deadline_ms)
        return next_address(stream, now_ms, ETIMEDOUT);
    return AG_ERR_AGAIN;
}

static enum ag_status status_of_verification(long result)
{
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return AG_ERR_TLS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return AG_ERR_TLS_EXPIRED;
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED:
        return AG_ERR_TLS;
    default:
        return AG_ERR_TLS_UNTRUSTED;
    }
}

static bool is_end_of_file(void)
{
    const unsigned long error = ERR_peek_error();
    return ERR_GET_LIB(error) == ERR_LIB_SSL &&
           ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

// What a failed call of OpenSSL means; AG_ERR_AGAIN leaves the stream as it is.
static enum ag_status judge_failure(struct ag_stream_tls *stream, int result, const char *what)
{
    const int error = SSL_get_error(stream->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        ERR_clear_error();
        return AG_ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return fail(stream, AG_ERR_CLOSED);
    default:
        break;
    }
    enum ag_status status = AG_ERR_TLS;
    const long verification = SSL_get_verify_result(stream->ssl);
    if (error == SSL_ERROR_SYSCALL || is_end_of_file()) {
        status = AG_ERR_RESET;
    } else if (stream->state == AG_STREAM_TLS_HANDSHAKING && verification != X509_V_OK) {
        status = status_of_verification(verification);
        log_debug(stream, "certificate: %s", X509_verify_cert_error_string(verification));
    }
    log_openssl(stream, what);
    return fail(stream, status);
}

static enum ag_status continue_handshake(struct ag_stream_tls *stream)
{
    ERR_clear_error();
    const int result = SSL_do_handshake(stream->ssl);
    if (result != 1)
        return judge_failure(stream, result, "handshake");
    stream->state = AG_STREAM_TLS_OPEN;
    stream->has_news = true;
    log_debug(stream, "%s, %s%s", SSL_get_version(stream->ssl), SSL_get_cipher_name(stream->ssl),
              SSL_session_reused(stream->ssl) ? ", resumed" : "");
    return AG_OK;
}

// Does every step that can be done now. AG_OK: open.
static enum ag_status advance(struct ag_stream_tls *stream)
{
    const uint64_t now_ms = is_underway(stream) ? ag_board_uptime_ms() : 0;
    enum ag_status status = AG_OK;
    if (is_underway(stream) && now_ms >= stream->deadline_ms) {
        log_debug(stream, "not connected in %u ms", (unsigned)stream->timeout_ms);
        return fail(stream, AG_ERR_TIMEOUT);
    }
    while (status == AG_OK) {
        switch (stream->state) {
        case AG_STREAM_TLS_RESOLVING:
            status = continue_resolving(stream, now_ms);
            break;
        case AG_STREAM_TLS_CONNECTING:
            status = continue_connecting(stream, now_ms);
            break;
        case AG_STREAM_TLS_HANDSHAKING:
            status = continue_handshake(stream);
            break;
        case AG_STREAM_TLS_OPEN:
            return AG_OK;
        case AG_STREAM_TLS_CLOSED:
            return AG_ERR_CLOSED;
        case AG_STREAM_TLS_BROKEN:
            return stream->status;
        }
    }
    return status;
}

// The table of platform/stream.h.

static void close_stream(void *context)
{
    struct ag_stream_tls *stream = context;
    if (stream->state == AG_STREAM_TLS_OPEN) {
        SSL_shutdown(stream->ssl); // says goodbye if the socket takes it at once
        ERR_clear_error();
    }
    release(stream);
    stream->state = AG_STREAM_TLS_CLOSED;
}

static enum ag_status open_stream(void *context, const char *host, uint16_t port)
{
    struct ag_stream_tls *stream = context;
    const size_t size = strlen(host);
    int event_fd;
    close_stream(stream);
    if (size == 0 || size > AG_STREAM_TLS_HOST_MAX)
        return AG_ERR_ARGUMENT;
    const uint64_t now_ms = ag_board_uptime_ms();
    memcpy(stream->host, host, size + 1);
    stream->port = port;
    stream->deadline_ms = now_ms + stream->timeout_ms;
    stream->next_address = 0;
    stream->socket_error = 0;
    stream->has_news = true;
    if (ag_resolver_literal(host, port, &stream->list)) {
        (void)next_address(stream, now_ms, 0); // a failure comes out of read and write
        return AG_OK;
    }
    stream->list.count = 0;
    stream->state = AG_STREAM_TLS_RESOLVING;
    if (ag_resolver_start(host, port, &stream->job, &event_fd) != AG_OK) {
        stream->job = NULL;
        (void)fail(stream, AG_ERR_DNS);
    } else if (!watch_descriptor(stream, event_fd, EPOLLIN)) {
        (void)fail(stream, AG_ERR_DNS);
    }
    return AG_OK;
}

static enum ag_status read_stream(void *context, void *bytes, size_t capacity, size_t *size)
{
    struct ag_stream_tls *stream = context;
    size_t got = 0;
    const enum ag_status status = advance(stream);
    if (status != AG_OK)
        return status;
    ERR_clear_error();
    const int result = SSL_read_ex(stream->ssl, bytes, capacity, &got);
    if (result != 1)
        return judge_failure(stream, result, "read");
    stream->has_news = true; // there may be more
    *size = got;
    return AG_OK;
}

static enum ag_status write_stream(void *context, const void *bytes, size_t size, size_t *written)
{
    struct ag_stream_tls *stream = context;
    size_t put = 0;
    const enum ag_status status = advance(stream);
    if (status != AG_OK)
        return status;
    ERR_clear_error();
    const int result = SSL_write_ex(stream->ssl, bytes, size, &put);
    if (result != 1)
        return judge_failure(stream, result, "write");
    *written = put;
    return AG_OK;
}

void ag_stream_tls_init(struct ag_stream_tls *stream, struct ag_tls *tls, struct ag_loop *loop,
                        uint32_t timeout_ms)
{
    *stream = (struct ag_stream_tls){
        .tls = tls,
        .loop = loop,
        .timeout_ms = timeout_ms,
        .watch = { .fd = -1 },
    };
    stream->stream = (struct ag_stream){
        .context = stream,
        .open = open_stream,
        .read = read_stream,
        .write = write_stream,
        .close = close_stream,
    };
}

void ag_stream_tls_clear(struct ag_stream_tls *stream)
{
    close_stream(stream);
    SSL_SESSION_free(stream->session);
    stream->session = NULL;
}

uint64_t ag_stream_tls_wait_ms(struct ag_stream_tls *stream, uint64_t now_ms)
{
    if (stream->has_news) {
        stream->has_news = false;
        return 0;
    }
    if (!is_underway(stream))
        return AG_LOOP_FOREVER;
    uint64_t deadline_ms = stream->deadline_ms;
    if (stream->state == AG_STREAM_TLS_CONNECTING && stream->address_deadline_ms < deadline_ms)
        deadline_ms = stream->address_deadline_ms;
    return deadline_ms > now_ms ? deadline_ms - now_ms : 0;
}
