// SPDX-License-Identifier: Apache-2.0
// platform/stream.h over lwIP and mbedTLS: TLS 1.2 client, written against lwIP's raw API because
// its altcp_tls verifies optionally, stalls on records above TCP_WND and swallows errors.
//
// Chain and host name are required, always. Dates count only when ag_board_unix_time says that the
// clock is right, and never those of an anchor. Elliptic-curve work is done in pieces: a read or
// write returns AG_ERR_AGAIN in between and the stream wants another turn at once.
#ifndef AG_BARE_STREAM_TLS_H
#define AG_BARE_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "base/config.h"
#include "base/status.h"
#include "platform/stream.h"
#include "port/bare/tcp.h"

// What the streams share: protocol settings and trust anchors.
struct ag_tls {
    mbedtls_ssl_config config;
    mbedtls_x509_crt roots; // their DER is borrowed (flash), not copied
    uint32_t generation;    // counts set_roots, so that no session outlives its anchors
    bool has_roots;
};

struct ag_stream_tls_root {
    const uint8_t *der; // borrowed until the next set_roots
    size_t size;
};

AG_MUST_CHECK enum ag_status ag_stream_tls_start(struct ag_tls *tls);
// AG_ERR_MALFORMED when one is no certificate, AG_ERR_MEMORY; the anchors are then as before.
AG_MUST_CHECK enum ag_status
ag_stream_tls_set_roots(struct ag_tls *tls, const struct ag_stream_tls_root *roots, size_t count);

struct ag_stream_tls {
    struct ag_stream stream; // what the host takes
    struct ag_tls *tls;      // borrowed
    struct ag_tcp tcp;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_session session; // of the last connection, for its quicker resumption
    bool has_session;
    bool is_shaken; // the handshake is done
    bool has_ssl;
    bool wants_turn; // there is work that waits for nothing
    enum ag_status status;
    uint32_t session_generation;
    uint32_t timeout_ms; // from open to the end of the handshake
    uint64_t deadline_ms;
    uint16_t session_port;
    char host[AG_CFG_HOST_MAX + 1];
    char session_host[AG_CFG_HOST_MAX + 1];
};

void ag_stream_tls_init(struct ag_stream_tls *stream, struct ag_tls *tls, uint32_t timeout_ms);
// Milliseconds until the stream must be read or written again even if nothing arrives: 0 when it
// has work or news; UINT32_MAX: never. Asking takes the news.
uint32_t ag_stream_tls_wait_ms(struct ag_stream_tls *stream, uint64_t now_ms);

#endif
