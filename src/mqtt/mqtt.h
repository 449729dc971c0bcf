// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 client session, I/O-free: bytes in, events out; packets in, bytes out; time is told.
//
// The caller moves bytes between the session and a stream:
//
//     ag_mqtt_connect(&mqtt, &login, now);                       // a fresh stream is opened
//     loop:
//         read some bytes into `piece`
//         while ((status = ag_mqtt_next(&mqtt, &piece, now, &event)) == AG_OK)
//             ...                                                // handle the event
//         if (status != AG_ERR_AGAIN) give up the connection
//         status = ag_mqtt_tick(&mqtt, now)                      // keep-alive, time-outs
//         while (ag_mqtt_output(&mqtt, &bytes, &size))           // what is to be sent
//             write, then ag_mqtt_sent(&mqtt, written, now)
//         sleep until input or ag_mqtt_deadline(&mqtt)
//     when the stream breaks or is closed: ag_mqtt_lost(&mqtt)
//
// A QoS 1 message is kept, in the send buffer, until its PUBACK: it is sent again (DUP) after a
// reconnection, and after ack_timeout_ms. It is kept also when the server forgot the session, since
// sending once too often is what QoS 1 allows and losing is not. Other packets die with their
// connection. Received messages pass in pieces that point into the caller's bytes: a message of any
// size costs no memory here. QoS 2 is not spoken: receiving it is a breach of the protocol, because
// nothing is ever subscribed at 2.
#ifndef AG_MQTT_MQTT_H
#define AG_MQTT_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"

// What the session waits for.
enum ag_mqtt_state {
    AG_MQTT_IDLE,       // for ag_mqtt_connect
    AG_MQTT_CONNECTING, // for CONNACK
    AG_MQTT_CONNECTED,  // for anything
    AG_MQTT_CLOSING,    // for DISCONNECT to be sent
    AG_MQTT_FAILED,     // for ag_mqtt_lost; the status of ag_mqtt_next says why
};

enum ag_mqtt_event_type {
    AG_MQTT_CONNACK,     // code; when it is not 0, the session has failed with AG_ERR_MQTT_REFUSED
    AG_MQTT_SUBACK,      // packet_id, codes
    AG_MQTT_PUBACK,      // packet_id: the server has the message
    AG_MQTT_PUBLISH,     // a message begins: topic, qos, size
    AG_MQTT_PAYLOAD,     // a piece of it: bytes, offset
    AG_MQTT_PUBLISH_END, // it is complete (and will be acknowledged if qos is 1)
};

#define AG_MQTT_SUBACK_FAILED 0x80u

// Filters in one SUBSCRIBE at most.
#define AG_MQTT_FILTER_MAX 8u

struct ag_mqtt_event {
    enum ag_mqtt_event_type type;
    uint8_t code;         // CONNACK: 0 accepted, 5 refused, … (MQTT 3.1.1, 3.2.2.3)
    bool session_present; // CONNACK: the server kept subscriptions from before
    uint16_t packet_id;   // SUBACK, PUBACK, PUBLISH of QoS 1
    uint8_t qos;          // PUBLISH: 0 or 1
    bool duplicate;       // PUBLISH: may have been delivered before
    bool retain;          // PUBLISH
    bool topic_overflow;  // PUBLISH: the topic is longer than AG_CFG_MQTT_TOPIC_MAX and was cut
    struct ag_text topic; // PUBLISH, PAYLOAD, PUBLISH_END; borrowed until PUBLISH_END is handled
    const uint8_t *bytes; // PAYLOAD: borrowed from the caller's piece; SUBACK: one code a filter
    size_t size;          // PAYLOAD: bytes of this piece; SUBACK: codes
    uint32_t offset;      // PAYLOAD: where this piece begins in the message
    uint32_t total;       // PUBLISH, PAYLOAD, PUBLISH_END: bytes of the whole payload
};

struct ag_mqtt_options {
    uint32_t connect_timeout_ms; // from ag_mqtt_connect to CONNACK; 30,000 is usual
    uint32_t ping_timeout_ms;    // from PINGREQ to any byte; 10,000 is usual
    uint32_t ack_timeout_ms;     // from a QoS 1 message to its retry; 30,000 is usual, 0 never
};

// One outgoing packet in the send buffer. Private.
struct ag_mqtt_packet {
    uint64_t sent_ms;  // when its last byte was sent
    uint32_t size;     // bytes in the send buffer
    uint16_t id;       // packet id of a QoS 1 message, otherwise 0
    uint8_t state;     // enum ag_mqtt_delivery in mqtt_state.h
    bool is_duplicate; // begun to be sent before
};

// All fields are private; about 350 bytes and AG_CFG_MQTT_TOPIC_MAX.
struct ag_mqtt {
    uint8_t *send; // the caller's send buffer: packets, oldest first, as they go out
    size_t send_capacity;
    size_t send_size;
    uint32_t packet_count;
    size_t sent_size; // bytes already sent of the packet being sent
    struct ag_mqtt_options options;
    uint64_t keep_alive_ms;
    uint64_t received_ms; // last byte from the server
    uint64_t written_ms;  // last byte to the server
    uint64_t asked_ms;    // CONNECT or PINGREQ that waits for its answer
    bool ping_is_out;     // PINGREQ queued, nothing heard since
    uint8_t state;        // enum ag_mqtt_state
    enum ag_status status;
    uint16_t last_id;                      // last packet id given out
    uint8_t receive_state;                 // enum in mqtt.c: what part of a packet comes next
    uint8_t header;                        // first byte of the packet being received
    uint8_t length_bytes;                  // bytes of its length so far
    uint32_t left;                         // bytes of it still to come
    uint16_t topic_size;                   // announced size of the topic
    uint16_t topic_kept;                   // bytes of it in `topic`
    uint16_t topic_left;                   // bytes of it still to come
    uint16_t receive_id;                   // its packet id
    uint32_t total;                        // size of its payload
    uint8_t small[2 + AG_MQTT_FILTER_MAX]; // a short packet being received
    uint8_t small_size;
    struct ag_mqtt_packet packets[AG_CFG_MQTT_QUEUE];
    char topic[AG_CFG_MQTT_TOPIC_MAX + 1];
};

// `send` is the caller's and outlives the session. It must hold AG_CFG_MQTT_RESERVE bytes and the
// largest message with its topic.
void ag_mqtt_init(struct ag_mqtt *mqtt, void *send, size_t capacity,
                  const struct ag_mqtt_options *options);

struct ag_mqtt_login {
    const char *client_id;
    const char *user_name; // NULL: none
    const char *password;  // NULL: none
    uint16_t keep_alive_s; // 0: no keep-alive and no dead-peer detection
    bool clean_session;
};

// On a fresh stream. AG_ERR_NO_SPACE when the login does not fit into the send buffer, which is
// never so when the packet has at most AG_CFG_MQTT_RESERVE bytes.
AG_MUST_CHECK enum ag_status ag_mqtt_connect(struct ag_mqtt *mqtt,
                                             const struct ag_mqtt_login *login, uint64_t now_ms);

struct ag_mqtt_filter {
    const char *topic;
    uint8_t qos; // 0 or 1
};

// One SUBSCRIBE for 1 to AG_MQTT_FILTER_MAX filters; *packet_id is what its SUBACK will carry.
// AG_ERR_CLOSED when not connected; AG_ERR_AGAIN when the queue or the buffer is full for now.
AG_MUST_CHECK enum ag_status ag_mqtt_subscribe(struct ag_mqtt *mqtt,
                                               const struct ag_mqtt_filter *filters, size_t count,
                                               uint16_t *packet_id);

struct ag_mqtt_message {
    struct ag_text topic;
    const void *payload;
    size_t payload_size;
    uint8_t qos; // 0 or 1
};

// Copies the message into the send buffer. *packet_id (may be NULL) is that of its PUBACK, 0 for
// QoS 0. QoS 1 is accepted in any state and goes out once connected; QoS 0 gives AG_ERR_CLOSED
// when not connected. AG_ERR_AGAIN: full for now (a QoS 1 message never takes the last two places
// of the queue). AG_ERR_NO_SPACE: can never fit.
AG_MUST_CHECK enum ag_status
ag_mqtt_publish(struct ag_mqtt *mqtt, const struct ag_mqtt_message *message, uint16_t *packet_id);

// Queues DISCONNECT behind what waits; the caller closes the stream once there is no output.
void ag_mqtt_disconnect(struct ag_mqtt *mqtt);

// The stream is gone. Keeps QoS 1 messages, forgets everything else; then as after init.
void ag_mqtt_lost(struct ag_mqtt *mqtt);

// Takes bytes from `piece` up to the next event. AG_OK: *event is filled in. AG_ERR_AGAIN: nothing
// more for now; if bytes are left in the piece, output must be sent first, and then the same piece
// goes on. Errors stick until ag_mqtt_lost: AG_ERR_MQTT_MALFORMED, AG_ERR_MQTT_REFUSED,
// AG_ERR_MQTT_DEAD; AG_ERR_CLOSED when not connecting or connected.
AG_MUST_CHECK enum ag_status ag_mqtt_next(struct ag_mqtt *mqtt, struct ag_reader *piece,
                                          uint64_t now_ms, struct ag_mqtt_event *event);

// To be called at every deadline (earlier and oftener does no harm): queues PINGREQ and retries.
// AG_ERR_MQTT_DEAD, which sticks, when the server did not answer in time.
AG_MUST_CHECK enum ag_status ag_mqtt_tick(struct ag_mqtt *mqtt, uint64_t now_ms);

// When ag_mqtt_tick is wanted next; UINT64_MAX for never.
uint64_t ag_mqtt_deadline(const struct ag_mqtt *mqtt);

// The next bytes to send, borrowed until the next call but ag_mqtt_deadline. False: none.
bool ag_mqtt_output(const struct ag_mqtt *mqtt, const uint8_t **bytes, size_t *size);

// `size` of those bytes were sent.
void ag_mqtt_sent(struct ag_mqtt *mqtt, size_t size, uint64_t now_ms);

enum ag_mqtt_state ag_mqtt_state(const struct ag_mqtt *mqtt);

// QoS 1 messages without PUBACK.
uint32_t ag_mqtt_unacknowledged(const struct ag_mqtt *mqtt);

#endif
