// SPDX-License-Identifier: Apache-2.0
// A TCP connection by name over lwIP's raw API. No call blocks. Bytes that arrive stay in lwIP's
// buffers until they are read, and only then is the window opened again, so a connection never
// holds more than TCP_WND bytes.
#ifndef AG_BARE_TCP_H
#define AG_BARE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"

struct tcp_pcb;
struct pbuf;

enum ag_tcp_state {
    AG_TCP_CLOSED,
    AG_TCP_RESOLVING,  // waits for DNS
    AG_TCP_CONNECTING, // waits for the peer
    AG_TCP_OPEN,
    AG_TCP_BROKEN, // `status` says why
};

struct ag_tcp {
    enum ag_tcp_state state;
    enum ag_status status; // why it is broken
    struct tcp_pcb *pcb;   // lwIP's, ours until closed
    struct pbuf *received; // not read yet, ours
    uint16_t offset;       // read of its first buffer
    uint16_t port;
    bool peer_closed;
    bool has_news; // something arrived or was acknowledged since ag_tcp_take_news
};

// Starts; AG_OK: started. AG_ERR_NO_MEMORY-like statuses come out of read and write. `host` is
// copied by lwIP. Closes what was open.
void ag_tcp_open(struct ag_tcp *tcp, const char *host, uint16_t port);
// As of platform/stream.h.
AG_MUST_CHECK enum ag_status ag_tcp_read(struct ag_tcp *tcp, void *bytes, size_t capacity,
                                         size_t *size);
AG_MUST_CHECK enum ag_status ag_tcp_write(struct ag_tcp *tcp, const void *bytes, size_t size,
                                          size_t *written);
// In order where possible (FIN), else by RST. Harmless when closed.
void ag_tcp_close(struct ag_tcp *tcp);
bool ag_tcp_take_news(struct ag_tcp *tcp);

#endif
