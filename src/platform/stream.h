// SPDX-License-Identifier: Apache-2.0
// A TLS byte stream as the host needs it. No call blocks.
//
// The port owns name resolution, TCP and TLS. It verifies chain and host name, always; it checks
// dates only when ag_board_unix_time says that the clock is known to be right.
#ifndef AG_PLATFORM_STREAM_H
#define AG_PLATFORM_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ag_stream {
    void *context; // handed to the calls; owned by the port

    // Starts to connect. `host` is a DNS name or an address literal and also the name that the
    // server's certificate must carry; it is copied. AG_OK means started, not connected: failures
    // to resolve, connect or verify come out of read and write. A stream that is open is closed
    // first.
    enum ag_status (*open)(void *context, const char *host, uint16_t port);

    // Reads at most `capacity` bytes; *size is set on AG_OK only, and is then at least 1.
    // AG_ERR_AGAIN: nothing now. AG_ERR_CLOSED: the peer ended the stream in order. Any other
    // status: the stream is broken and stays so until close.
    enum ag_status (*read)(void *context, void *bytes, size_t capacity, size_t *size);

    // Writes at most `size` bytes; *written is set on AG_OK only, and is then at least 1.
    // AG_ERR_AGAIN: not connected yet, or the peer is slow; call again with the same bytes.
    enum ag_status (*write)(void *context, const void *bytes, size_t size, size_t *written);

    // Ends the stream; pending output is given up. Harmless when not open.
    void (*close)(void *context);
};

#endif
