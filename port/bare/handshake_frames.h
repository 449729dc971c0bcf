// SPDX-License-Identifier: Apache-2.0
// What comes in on a new TLS connection, with each message of the handshake in one record.
//
// TLS lets a server cut a message into records anywhere, and servers do that where a certificate is
// longer than the fragment length that the client asked for. mbedTLS 2.28 refuses such records.
// Until the server encrypts, this reader writes the records' heads anew, without a buffer.
#ifndef AG_BARE_HANDSHAKE_FRAMES_H
#define AG_BARE_HANDSHAKE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "port/bare/tcp.h"

enum ag_handshake_frames_state {
    AG_HANDSHAKE_FRAMES_RECORD,  // gathers the head of a record
    AG_HANDSHAKE_FRAMES_MESSAGE, // gathers the head of a message
    AG_HANDSHAKE_FRAMES_GIVE,    // gives out a head
    AG_HANDSHAKE_FRAMES_BODY,    // passes on the rest of a message, or an alert
    AG_HANDSHAKE_FRAMES_RAW,     // passes on everything: encrypted, or nothing we know
};

// All zero at the start of a connection.
struct ag_handshake_frames {
    enum ag_handshake_frames_state state;
    uint8_t head[9];                   // of a record (5 bytes), then of a message (4)
    uint8_t record_size, message_size; // gathered of them
    uint8_t given, give_size;          // of a head that is given out
    uint16_t record_left;              // bytes of the record that have not come
    uint32_t message_left;             // bytes of the message that have not come
};

// As ag_tcp_read. AG_ERR_MALFORMED: other records stand in the middle of a message.
// AG_ERR_NO_SPACE: a message is longer than AG_CFG_TLS_IN.
AG_MUST_CHECK enum ag_status ag_handshake_frames_read(struct ag_handshake_frames *frames,
                                                      struct ag_tcp *tcp, void *bytes,
                                                      size_t capacity, size_t *size);

#endif
