// SPDX-License-Identifier: Apache-2.0
// platform/stream.h over non-blocking sockets and OpenSSL 3: TLS 1.2 and 1.3 only.
//
// Chain and host name (or address) are verified, always; there is no way to turn it off. The only
// trust anchors are the certificates given to ag_stream_tls_set_roots. Dates are checked when
// ag_board_unix_time says that the clock is right, and never those of an anchor: a device must not
// lose its roots by age. Names are resolved by a helper thread
// (resolver.h); addresses are tried one after the other; one deadline covers all from open to the
// end of the handshake.
#ifndef AG_LINUX_STREAM_TLS_H
#define AG_LINUX_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/stream.h"
#include "port/linux/loop.h"
#include "port/linux/resolver.h"

// A certificate in DER, borrowed for the call it is given to.
struct ag_stream_tls_root {
    const uint8_t *der;
    size_t size;
};

// What the streams of a process share: protocol settings and trust anchors. Costs about 20 KB
// of heap and 2 KB for each anchor.
struct ag_tls {
    struct ssl_ctx_st *context;   // OpenSSL's SSL_CTX
    struct bio_method_st *socket; // BIO over a socket that never raises SIGPIPE
    uint32_t generation;          // counts set_roots, so that no session outlives its anchors
};

// AG_ERR_TLS when OpenSSL does not start. Without anchors every server is AG_ERR_TLS_UNTRUSTED.
AG_MUST_CHECK enum ag_status ag_stream_tls_start(struct ag_tls *tls);
void ag_stream_tls_stop(struct ag_tls *tls);

// Replaces the trust anchors for every stream opened from now on. AG_ERR_MALFORMED when one is
// no certificate; the anchors are then as before.
AG_MUST_CHECK enum ag_status
ag_stream_tls_set_roots(struct ag_tls *tls, const struct ag_stream_tls_root *roots, size_t count);

enum ag_stream_tls_state {
    AG_STREAM_TLS_CLOSED,
    AG_STREAM_TLS_RESOLVING,   // waits for the resolver
    AG_STREAM_TLS_CONNECTING,  // waits for TCP
    AG_STREAM_TLS_HANDSHAKING, // waits for TLS
    AG_STREAM_TLS_OPEN,
    AG_STREAM_TLS_BROKEN, // `status` says why
};

#define AG_STREAM_TLS_HOST_MAX 253u // longest DNS name, bytes

struct ag_stream_tls {
    struct ag_stream stream; // what the host takes
    struct ag_tls *tls;      // borrowed
    struct ag_loop *loop;    // borrowed
    enum ag_stream_tls_state state;
    enum ag_status status; // why the stream is broken
    char host[AG_STREAM_TLS_HOST_MAX + 1];
    uint16_t port;
    uint32_t timeout_ms; // from open to the end of the handshake
    uint64_t deadline_ms;
    uint64_t address_deadline_ms;
    struct ag_resolver_job *job;
    struct ag_loop_watch watch;
    struct ag_resolver_list list;   // addresses of the host
    uint32_t next_address;          // the one to try next
    struct ssl_st *ssl;             // OpenSSL's SSL
    struct ssl_session_st *session; // of the last connection, for its quicker resumption
    char session_host[AG_STREAM_TLS_HOST_MAX + 1];
    uint16_t session_port;
    uint32_t session_generation;
    bool session_checked_time;
    int socket_error; // errno of the last failed call on the socket, 0: none
    bool has_news;    // something happened that the caller has not been told by a wake-up
};

// timeout_ms as above; 20,000 is sensible. Fills stream->stream; neither may move until `close`.
void ag_stream_tls_init(struct ag_stream_tls *stream, struct ag_tls *tls, struct ag_loop *loop,
                        uint32_t timeout_ms);
// Closes and gives up what the stream keeps between connections.
void ag_stream_tls_clear(struct ag_stream_tls *stream);

// Milliseconds until the stream must be read or written again even if no descriptor fires: its
// connect deadline, 0 after a read that gave bytes or when it has just opened, AG_LOOP_FOREVER
// otherwise. Asking takes the news: the next answer may be longer.
uint64_t ag_stream_tls_wait_ms(struct ag_stream_tls *stream, uint64_t now_ms);

#endif
