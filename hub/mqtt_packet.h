// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 packets as a server reads and writes them. No I/O, no state; every input is hostile.
//
// Section numbers in brackets are those of the OASIS standard of 29 October 2014. All pointers in
// parsed packets are borrowed from the input and carry their length: texts have no NUL at their
// end.
#ifndef AG_HUB_MQTT_PACKET_H
#define AG_HUB_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/text.h"
#include "base/writer.h"

enum ag_mqtt_packet_type {
    AG_MQTT_PACKET_CONNECT = 1,
    AG_MQTT_PACKET_CONNACK = 2,
    AG_MQTT_PACKET_PUBLISH = 3,
    AG_MQTT_PACKET_PUBACK = 4,
    AG_MQTT_PACKET_SUBSCRIBE = 8,
    AG_MQTT_PACKET_SUBACK = 9,
    AG_MQTT_PACKET_UNSUBSCRIBE = 10,
    AG_MQTT_PACKET_UNSUBACK = 11,
    AG_MQTT_PACKET_PINGREQ = 12,
    AG_MQTT_PACKET_PINGRESP = 13,
    AG_MQTT_PACKET_DISCONNECT = 14,
};

struct ag_mqtt_connect {
    struct ag_text client_id;
    struct ag_text user_name; // size 0 when absent
    struct ag_text will_topic;
    const uint8_t *password; // NULL when absent
    size_t password_size;
    const uint8_t *will; // NULL when there is no will
    size_t will_size;
    uint8_t will_qos;
    uint8_t level; // protocol level; 4 is 3.1.1
    bool clean_session;
    uint16_t keep_alive_s; // 0: none
};

struct ag_mqtt_publish {
    struct ag_text topic;
    const uint8_t *payload;
    size_t payload_size;
    uint16_t packet_id; // 0 for QoS 0
    uint8_t qos;        // 0 to 2
    bool retain;
    bool duplicate;
};

// Size of the packet that begins at `bytes`, fixed header included [2.2].
//   AG_OK             the header is whole; `total` and `header_size` are set
//   AG_ERR_TRUNCATED  more bytes are needed to tell
//   AG_ERR_MALFORMED  the length has a fifth byte, or the packet is larger than `limit`
AG_MUST_CHECK enum ag_status ag_mqtt_packet_frame(const uint8_t *bytes, size_t size, size_t limit,
                                                  size_t *header_size, size_t *total);

// The readers take the first byte of a packet and its body (behind the fixed header).
// AG_ERR_TRUNCATED or AG_ERR_MALFORMED leave the output unspecified.
AG_MUST_CHECK enum ag_status ag_mqtt_packet_read_connect(uint8_t first, const uint8_t *body,
                                                         size_t size,
                                                         struct ag_mqtt_connect *connect);
AG_MUST_CHECK enum ag_status ag_mqtt_packet_read_publish(uint8_t first, const uint8_t *body,
                                                         size_t size,
                                                         struct ag_mqtt_publish *publish);
AG_MUST_CHECK enum ag_status ag_mqtt_packet_read_puback(uint8_t first, const uint8_t *body,
                                                        size_t size, uint16_t *packet_id);
// PINGREQ and DISCONNECT: no flags, no body.
AG_MUST_CHECK enum ag_status ag_mqtt_packet_read_empty(uint8_t first, size_t size);

// SUBSCRIBE and UNSUBSCRIBE: begin, then one filter at a time until the reader has none left.
// An empty list of filters is malformed [3.8.3]; begin reports it.
AG_MUST_CHECK enum ag_status ag_mqtt_packet_begin_filters(uint8_t first, const uint8_t *body,
                                                          size_t size, struct ag_reader *reader,
                                                          uint16_t *packet_id);
AG_MUST_CHECK enum ag_status ag_mqtt_packet_next_filter(uint8_t first, struct ag_reader *reader,
                                                        struct ag_text *filter, uint8_t *qos);

// The writers append one whole packet. The fixed header of PUBLISH is written without the payload,
// which the caller sends behind it; `publish_head` needs at most 9 bytes more than the topic.
void ag_mqtt_packet_write_connack(struct ag_writer *writer, bool session_present, uint8_t code);
void ag_mqtt_packet_write_publish_head(struct ag_writer *writer, const char *topic,
                                       size_t payload_size);
void ag_mqtt_packet_write_puback(struct ag_writer *writer, uint16_t packet_id);
void ag_mqtt_packet_write_suback(struct ag_writer *writer, uint16_t packet_id, const uint8_t *codes,
                                 size_t count);
void ag_mqtt_packet_write_unsuback(struct ag_writer *writer, uint16_t packet_id);
void ag_mqtt_packet_write_pingresp(struct ag_writer *writer);

#endif
