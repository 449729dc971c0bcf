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
    const char *host;      // borrowed while it is being resolved
    uint16_t port;
    bool peer_closed;
    bool has_news; // something arrived or was acknowledged since ag_tcp_take_news
};

// Starts, and waits for the network's address first where there is none; how it went comes out of
// read and write. Memory that is short is waited for, too: there is no deadline here. `host` is
// borrowed until close. Closes what was open. All zero is closed.
void ag_tcp_open(struct ag_tcp *tcp, const char *host, uint16_t port);
// As of platform/stream.h. What had arrived before the connection ended is read first.
//   AG_ERR_DNS      there is no such name, or nobody who knows it
//   AG_ERR_CONNECT  the peer refuses, or there is no way to it
//   AG_ERR_TIMEOUT  the peer does not answer the attempt
//   AG_ERR_RESET    the connection broke
AG_MUST_CHECK enum ag_status ag_tcp_read(struct ag_tcp *tcp, void *bytes, size_t capacity,
                                         size_t *size);
// Bytes are copied. They can be written until close even where the peer has closed its direction.
AG_MUST_CHECK enum ag_status ag_tcp_write(struct ag_tcp *tcp, const void *bytes, size_t size,
                                          size_t *written);
// In order where possible (FIN): what was written is still sent, for 5 seconds at most; else by
// RST. Harmless when closed. The struct may be reused or go at once.
void ag_tcp_close(struct ag_tcp *tcp);
// Whether anything happened since it was last asked. Goes on with what waits, so it belongs into
// each turn of the main loop.
bool ag_tcp_take_news(struct ag_tcp *tcp);

#endif
