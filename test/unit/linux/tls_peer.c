// SPDX-License-Identifier: Apache-2.0
// The TLS server of the stream tests. One connection at a time, blocking sockets with time limits.
#include "tls_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void require(bool done)
{
    if (!done)
        abort();
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    require(extension && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static EVP_PKEY *make_key(const char *kind)
{
    if (kind && strncmp(kind, "RSA:", 4) == 0)
        return EVP_RSA_gen((unsigned)atoi(kind + 4));
    return EVP_EC_gen(kind ? kind : "P-256");
}

struct tls_identity tls_identity_make(const struct tls_identity_options *options)
{
    static long serial;
    struct tls_identity made = { .certificate = X509_new(), .key = make_key(options->key) };
    const struct tls_identity *issuer = options->issuer ? options->issuer : &made;
    X509 *certificate = made.certificate;
    require(certificate && made.key);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), options->not_before_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), options->not_after_s);
    X509_set_pubkey(certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)options->name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    add_extension(certificate, issuer->certificate, NID_basic_constraints,
                  options->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (options->san)
        add_extension(certificate, issuer->certificate, NID_subject_alt_name, options->san);
    require(X509_sign(certificate, issuer->key, options->is_sha384 ? EVP_sha384() : EVP_sha256()) >
            0);
    return made;
}

void tls_identity_free(struct tls_identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

uint8_t *tls_identity_der(const struct tls_identity *identity, size_t *size)
{
    uint8_t *der = NULL;
    const int length = i2d_X509(identity->certificate, &der);
    require(length > 0);
    uint8_t *copy = malloc((size_t)length);
    require(copy != NULL);
    memcpy(copy, der, (size_t)length);
    OPENSSL_free(der);
    *size = (size_t)length;
    return copy;
}

uint8_t tls_peer_pattern(size_t offset)
{
    return (uint8_t)(offset * 2654435761u >> 13);
}

static void send_pattern(SSL *ssl, size_t amount)
{
    static const size_t odd[] = { 1, 17, 16384, 333, 16385, 4095, 2, 60000 };
    uint8_t piece[60000];
    size_t at = 0;
    for (size_t i = 0; at < amount; i++) {
        size_t size = odd[i % (sizeof odd / sizeof odd[0])];
        if (size > amount - at)
            size = amount - at;
        for (size_t j = 0; j < size; j++)
            piece[j] = tls_peer_pattern(at + j);
        if (SSL_write(ssl, piece, (int)size) <= 0)
            return;
        at += size;
    }
}

static void receive_pattern(struct tls_peer *peer, SSL *ssl)
{
    uint8_t piece[5000];
    size_t at = 0;
    while (at < peer->amount) {
        const int size = SSL_read(ssl, piece, sizeof piece);
        if (size <= 0)
            return;
        for (int i = 0; i < size; i++, at++) {
            if (piece[i] == tls_peer_pattern(at))
                atomic_fetch_add(&peer->right_bytes, 1);
        }
    }
    SSL_write(ssl, "!", 1);
}

static void echo(SSL *ssl)
{
    uint8_t piece[1000];
    int size;
    while ((size = SSL_read(ssl, piece, sizeof piece)) > 0) {
        if (SSL_write(ssl, piece, size) <= 0)
            return;
    }
}

static void wait_for_end(struct tls_peer *peer, int fd)
{
    char byte[512];
    while (!atomic_load(&peer->stops)) {
        struct pollfd poller = { .fd = fd, .events = POLLIN };
        if (poll(&poller, 1, 20) > 0 && recv(fd, byte, sizeof byte, 0) <= 0)
            return;
    }
}

static void set_reset_on_close(int fd)
{
    const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void behave(struct tls_peer *peer, SSL *ssl, int fd)
{
    switch (peer->behaviour) {
    case TLS_PEER_ECHO:
        echo(ssl);
        SSL_shutdown(ssl);
        break;
    case TLS_PEER_SEND:
        send_pattern(ssl, peer->amount);
        SSL_shutdown(ssl);
        shutdown(fd, SHUT_WR);
        wait_for_end(peer, fd);
        break;
    case TLS_PEER_RECEIVE:
        receive_pattern(peer, ssl);
        SSL_shutdown(ssl);
        break;
    case TLS_PEER_CUT:
        send_pattern(ssl, peer->amount);
        shutdown(fd, SHUT_WR);
        wait_for_end(peer, fd);
        break;
    case TLS_PEER_RESET:
        send_pattern(ssl, peer->amount);
        // Not before the client has had the bytes: a reset throws away what waits.
        SSL_read(ssl, (char[1]){ 0 }, 1);
        set_reset_on_close(fd);
        break;
    case TLS_PEER_RENEGOTIATE:
        SSL_renegotiate(ssl);
        SSL_do_handshake(ssl);
        echo(ssl);
        break;
    case TLS_PEER_SILENT:
    case TLS_PEER_NOT_TLS:
    case TLS_PEER_HANG_UP:
        break;
    }
}

static void serve_tls(struct tls_peer *peer, SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        atomic_fetch_add(&peer->handshake_count, 1);
        if (SSL_session_reused(ssl))
            atomic_fetch_add(&peer->resumed_count, 1);
        behave(peer, ssl, fd);
    }
    SSL_free(ssl);
}

static void serve(struct tls_peer *peer, SSL_CTX *context, int fd)
{
    const struct timeval limit = { .tv_sec = 60 };
    static const char plain[] = "220 this is not TLS\r\n";
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (peer->behaviour == TLS_PEER_SILENT) {
        wait_for_end(peer, fd);
    } else if (peer->behaviour == TLS_PEER_NOT_TLS) {
        send(fd, plain, sizeof plain - 1, MSG_NOSIGNAL);
        wait_for_end(peer, fd);
    } else if (peer->behaviour != TLS_PEER_HANG_UP) {
        serve_tls(peer, context, fd);
    }
}

// Any certificate is good enough, and none, too.
static int accept_client(int is_good, X509_STORE_CTX *verification)
{
    (void)is_good;
    (void)verification;
    return 1;
}

static SSL_CTX *make_context(const struct tls_peer *peer)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    require(context != NULL);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"peer", 4);
    SSL_CTX_set_security_level(context, 0); // what is weak is for the client to refuse
    if (peer->max_version != 0) {
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, peer->max_version);
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    }
    if (peer->identity)
        require(SSL_CTX_use_certificate(context, peer->identity->certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, peer->identity->key) == 1);
    if (peer->intermediate)
        require(SSL_CTX_add1_chain_cert(context, peer->intermediate->certificate) == 1);
    for (size_t i = 0; i < peer->more_count; i++)
        require(SSL_CTX_add1_chain_cert(context, peer->more[i].certificate) == 1);
    if (peer->max_fragment != 0)
        require(SSL_CTX_set_max_send_fragment(context, peer->max_fragment) == 1);
    if (peer->asks_for_certificate)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_client);
    if (peer->has_no_tickets)
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return context;
}

static void *run(void *argument)
{
    struct tls_peer *peer = argument;
    SSL_CTX *context = make_context(peer);
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal); // OpenSSL's sockets raise it, and here only they
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    while (!atomic_load(&peer->stops)) {
        struct pollfd poller = { .fd = peer->listener, .events = POLLIN };
        if (poll(&poller, 1, 20) <= 0)
            continue;
        const int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve(peer, context, fd);
        close(fd);
    }
    SSL_CTX_free(context);
    return NULL;
}

bool tls_peer_start(struct tls_peer *peer)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr *address = peer->on_ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t size = peer->on_ipv6 ? sizeof v6 : sizeof v4;
    peer->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer->listener < 0)
        return false;
    if (bind(peer->listener, address, size) != 0 || listen(peer->listener, 16) != 0 ||
        getsockname(peer->listener, address, &size) != 0) {
        close(peer->listener);
        return false;
    }
    peer->port = ntohs(peer->on_ipv6 ? v6.sin6_port : v4.sin_port);
    atomic_store(&peer->stops, false);
    require(pthread_create(&peer->thread, NULL, run, peer) == 0);
    return true;
}

void tls_peer_stop(struct tls_peer *peer)
{
    atomic_store(&peer->stops, true);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}
