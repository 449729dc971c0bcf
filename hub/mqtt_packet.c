// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 packets as a server reads and writes them.
#include "mqtt_packet.h"

#include <string.h>

#include "base/utf8.h"

enum {
    CONNECT_USER_NAME = 0x80,
    CONNECT_PASSWORD = 0x40,
    CONNECT_WILL_RETAIN = 0x20,
    CONNECT_WILL_QOS = 0x18,
    CONNECT_WILL = 0x04,
    CONNECT_CLEAN = 0x02,
    CONNECT_RESERVED = 0x01,
};

enum ag_status ag_mqtt_packet_frame(const uint8_t *bytes, size_t size, size_t limit,
                                    size_t *header_size, size_t *total)
{
    size_t length = 0;
    for (size_t i = 1; i < 5; i++) {
        if (i >= size)
            return AG_ERR_TRUNCATED;
        length |= (size_t)(bytes[i] & 0x7f) << (7 * (i - 1));
        if ((bytes[i] & 0x80) != 0)
            continue;
        if (length > limit || limit - length < i + 1)
            return AG_ERR_MALFORMED;
        *header_size = i + 1;
        *total = i + 1 + length;
        return AG_OK;
    }
    return AG_ERR_MALFORMED;
}

// Well-formed UTF-8 without NUL [1.5.3].
static struct ag_text read_text(struct ag_reader *reader)
{
    struct ag_text text = { "", 0 };
    size_t size = ag_reader_u16be(reader);
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    if (bytes == NULL)
        return text;
    struct ag_text found = { (const char *)bytes, size };
    if (ag_utf8_is_valid(found) && memchr(bytes, 0, size) == NULL)
        return found;
    ag_reader_fail(reader, AG_ERR_MALFORMED);
    return text;
}

static const uint8_t *read_binary(struct ag_reader *reader, size_t *size)
{
    *size = ag_reader_u16be(reader);
    return ag_reader_bytes(reader, *size);
}

// The rules of [3.1.2.3] to [3.1.2.9] on which flags go together.
static bool connect_flags_are_good(uint8_t flags)
{
    if ((flags & CONNECT_RESERVED) != 0 || (flags & CONNECT_WILL_QOS) == CONNECT_WILL_QOS)
        return false;
    if ((flags & CONNECT_WILL) == 0 && (flags & (CONNECT_WILL_QOS | CONNECT_WILL_RETAIN)) != 0)
        return false;
    return (flags & CONNECT_USER_NAME) != 0 || (flags & CONNECT_PASSWORD) == 0;
}

static void expect(struct ag_reader *reader, bool condition)
{
    if (!condition)
        ag_reader_fail(reader, AG_ERR_MALFORMED);
}

// A reader that is done: trailing bytes are malformed.
static enum ag_status finish(struct ag_reader *reader)
{
    expect(reader, ag_reader_left(reader) == 0);
    return reader->status;
}

enum ag_status ag_mqtt_packet_read_connect(uint8_t first, const uint8_t *body, size_t size,
                                           struct ag_mqtt_connect *connect)
{
    struct ag_reader reader;
    ag_reader_init(&reader, body, size);
    memset(connect, 0, sizeof *connect);
    expect(&reader, (first & 0x0f) == 0);
    struct ag_text name = read_text(&reader);
    expect(&reader, name.size == 4 && memcmp(name.at, "MQTT", 4) == 0);
    connect->level = ag_reader_u8(&reader);
    if (reader.status == AG_OK && connect->level != 4)
        return AG_OK; // what follows is another version's business
    uint8_t flags = ag_reader_u8(&reader);
    expect(&reader, connect_flags_are_good(flags));
    connect->clean_session = (flags & CONNECT_CLEAN) != 0;
    connect->keep_alive_s = ag_reader_u16be(&reader);
    connect->client_id = read_text(&reader);
    if ((flags & CONNECT_WILL) != 0) {
        connect->will_qos = (uint8_t)((flags & CONNECT_WILL_QOS) >> 3);
        connect->will_topic = read_text(&reader);
        connect->will = read_binary(&reader, &connect->will_size);
    }
    if ((flags & CONNECT_USER_NAME) != 0)
        connect->user_name = read_text(&reader);
    if ((flags & CONNECT_PASSWORD) != 0)
        connect->password = read_binary(&reader, &connect->password_size);
    return finish(&reader);
}

static bool has_wildcard(struct ag_text topic)
{
    return memchr(topic.at, '+', topic.size) != NULL || memchr(topic.at, '#', topic.size) != NULL;
}

enum ag_status ag_mqtt_packet_read_publish(uint8_t first, const uint8_t *body, size_t size,
                                           struct ag_mqtt_publish *publish)
{
    struct ag_reader reader;
    ag_reader_init(&reader, body, size);
    memset(publish, 0, sizeof *publish);
    publish->qos = (first >> 1) & 3;
    publish->retain = (first & 1) != 0;
    publish->duplicate = (first & 8) != 0;
    expect(&reader, publish->qos != 3 && (publish->qos != 0 || !publish->duplicate));
    publish->topic = read_text(&reader);
    expect(&reader, publish->topic.size > 0 && !has_wildcard(publish->topic));
    if (publish->qos > 0) {
        publish->packet_id = ag_reader_u16be(&reader);
        expect(&reader, publish->packet_id != 0);
    }
    publish->payload_size = ag_reader_left(&reader);
    publish->payload = ag_reader_bytes(&reader, publish->payload_size);
    return finish(&reader);
}

enum ag_status ag_mqtt_packet_read_puback(uint8_t first, const uint8_t *body, size_t size,
                                          uint16_t *packet_id)
{
    struct ag_reader reader;
    ag_reader_init(&reader, body, size);
    expect(&reader, (first & 0x0f) == 0);
    *packet_id = ag_reader_u16be(&reader);
    return finish(&reader);
}

enum ag_status ag_mqtt_packet_read_empty(uint8_t first, size_t size)
{
    return (first & 0x0f) == 0 && size == 0 ? AG_OK : AG_ERR_MALFORMED;
}

enum ag_status ag_mqtt_packet_begin_filters(uint8_t first, const uint8_t *body, size_t size,
                                            struct ag_reader *reader, uint16_t *packet_id)
{
    ag_reader_init(reader, body, size);
    expect(reader, (first & 0x0f) == 2);
    *packet_id = ag_reader_u16be(reader);
    expect(reader, *packet_id != 0 && ag_reader_left(reader) > 0);
    return reader->status;
}

enum ag_status ag_mqtt_packet_next_filter(uint8_t first, struct ag_reader *reader,
                                          struct ag_text *filter, uint8_t *qos)
{
    *filter = read_text(reader);
    expect(reader, filter->size > 0);
    *qos = 0;
    if (first >> 4 == AG_MQTT_PACKET_SUBSCRIBE) {
        *qos = ag_reader_u8(reader);
        expect(reader, *qos <= 2);
    }
    return reader->status;
}

static void write_length(struct ag_writer *writer, size_t length)
{
    do {
        uint8_t digit = length & 0x7f;
        length >>= 7;
        ag_writer_u8(writer, (uint8_t)(digit | (length > 0 ? 0x80 : 0)));
    } while (length > 0);
}

static void write_short(struct ag_writer *writer, enum ag_mqtt_packet_type type, uint16_t id)
{
    ag_writer_u8(writer, (uint8_t)(type << 4));
    ag_writer_u8(writer, 2);
    ag_writer_u16be(writer, id);
}

void ag_mqtt_packet_write_connack(struct ag_writer *writer, bool session_present, uint8_t code)
{
    ag_writer_u8(writer, AG_MQTT_PACKET_CONNACK << 4);
    ag_writer_u8(writer, 2);
    ag_writer_u8(writer, session_present && code == 0 ? 1 : 0);
    ag_writer_u8(writer, code);
}

void ag_mqtt_packet_write_publish_head(struct ag_writer *writer, const char *topic,
                                       size_t payload_size)
{
    size_t topic_size = strlen(topic);
    ag_writer_u8(writer, AG_MQTT_PACKET_PUBLISH << 4);
    write_length(writer, 2 + topic_size + payload_size);
    ag_writer_u16be(writer, (uint16_t)topic_size);
    ag_writer_text(writer, topic);
}

void ag_mqtt_packet_write_puback(struct ag_writer *writer, uint16_t packet_id)
{
    write_short(writer, AG_MQTT_PACKET_PUBACK, packet_id);
}

void ag_mqtt_packet_write_suback(struct ag_writer *writer, uint16_t packet_id, const uint8_t *codes,
                                 size_t count)
{
    ag_writer_u8(writer, AG_MQTT_PACKET_SUBACK << 4);
    write_length(writer, 2 + count);
    ag_writer_u16be(writer, packet_id);
    ag_writer_bytes(writer, codes, count);
}

void ag_mqtt_packet_write_unsuback(struct ag_writer *writer, uint16_t packet_id)
{
    write_short(writer, AG_MQTT_PACKET_UNSUBACK, packet_id);
}

void ag_mqtt_packet_write_pingresp(struct ag_writer *writer)
{
    ag_writer_u8(writer, AG_MQTT_PACKET_PINGRESP << 4);
    ag_writer_u8(writer, 0);
}
