// SPDX-License-Identifier: Apache-2.0
// platform/stream.h over lwIP and mbedTLS: TLS 1.2 client, written against lwIP's raw API because
// its altcp_tls verifies optionally, stalls on records above TCP_WND and swallows errors.
//
// Chain and host name (or IPv4 address) are required, always. Dates count only when
// ag_board_unix_time says that the clock is right, and never those of an anchor. Elliptic-curve
// work is done in pieces: a read or write returns AG_ERR_AGAIN in between and the stream wants
// another turn at once. One deadline covers all from open to the end of the handshake.
//
// AG_ERR_NO_SPACE: AG_CFG_TLS_HEAP is used up, or a message of the handshake exceeds AG_CFG_TLS_IN.
#ifndef AG_BARE_STREAM_TLS_H
#define AG_BARE_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "base/config.h"
#include "base/status.h"
#include "platform/stream.h"
#include "port/bare/handshake_frames.h"
#include "port/bare/tcp.h"

struct ag_stream_tls_root {
    const uint8_t *der; // borrowed until the next set_roots
    size_t size;
};

#define AG_STREAM_TLS_ROOT_MAX 16u

// What the streams share: protocol settings and trust anchors. The anchors stay as they are in
// flash: a handshake parses those that the server's chain names, and gives them up with its end.
struct ag_tls {
    mbedtls_ssl_config config;
    struct ag_stream_tls_root roots[AG_STREAM_TLS_ROOT_MAX];
    uint32_t root_count;
    uint32_t generation; // counts set_roots, so that no session outlives its anchors
};

// Without anchors every server is AG_ERR_TLS_UNTRUSTED.
AG_MUST_CHECK enum ag_status ag_stream_tls_start(struct ag_tls *tls);
// Replaces the trust anchors; a handshake that is under way is broken off (AG_ERR_RESET).
// AG_ERR_MALFORMED when one is no certificate, AG_ERR_NO_SPACE when they are too many or the heap
// is used up; the anchors are then as before. Takes 1 to 2 KB of heap for as long as it lasts.
AG_MUST_CHECK enum ag_status
ag_stream_tls_set_roots(struct ag_tls *tls, const struct ag_stream_tls_root *roots, size_t count);

enum ag_stream_tls_state {
    AG_STREAM_TLS_CLOSED,
    AG_STREAM_TLS_CONNECTING,  // waits for DNS and TCP
    AG_STREAM_TLS_HANDSHAKING, // waits for TLS, or for its own arithmetic
    AG_STREAM_TLS_OPEN,
    AG_STREAM_TLS_BROKEN, // `status` says why
};

struct ag_stream_tls {
    struct ag_stream stream; // what the host takes
    struct ag_tls *tls;      // borrowed
    struct ag_tcp tcp;
    struct ag_handshake_frames frames;
    enum ag_stream_tls_state state;
    enum ag_status status;     // why the stream is broken
    enum ag_status tcp_status; // why reading or writing TCP failed, for the caller of mbedTLS
    mbedtls_ssl_context ssl;   // holds something while handshaking and open
    mbedtls_x509_crt *anchors; // that the server's chain names, ours; NULL: none, or not looked for
    mbedtls_ssl_session session; // of the last connection, for its quicker resumption
    bool has_session;
    bool session_checked_time;
    bool checked_time;  // dates counted when the server's certificate was judged
    bool lacked_memory; // in this handshake
    bool is_starved;    // mbedTLS has taken all that TCP had
    bool wants_turn;    // there is work that waits for nothing
    uint16_t port;
    uint16_t session_port;
    uint32_t generation; // of the anchors when the handshake began
    uint32_t session_generation;
    uint32_t timeout_ms; // from open to the end of the handshake
    uint64_t deadline_ms;
    char host[AG_CFG_HOST_MAX + 1];
    char session_host[AG_CFG_HOST_MAX + 1];
};

void ag_stream_tls_init(struct ag_stream_tls *stream, struct ag_tls *tls, uint32_t timeout_ms);
// Closes and gives up what the stream keeps between connections.
void ag_stream_tls_clear(struct ag_stream_tls *stream);
// Milliseconds until the stream must be read or written again even if nothing arrives: 0 when it
// has work or news; UINT32_MAX: never. Asking takes the news.
uint32_t ag_stream_tls_wait_ms(struct ag_stream_tls *stream, uint64_t now_ms);

#endif
