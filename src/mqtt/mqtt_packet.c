// SPDX-License-Identifier: Apache-2.0
// MQTT packets. Sizes are summed up first, since a packet begins with its length.
#include "mqtt/mqtt_packet.h"

#include <string.h>

#include "mqtt/mqtt_state.h"

#define FLAG_CLEAN_SESSION 0x02u
#define FLAG_PASSWORD      0x40u
#define FLAG_USER_NAME     0x80u

#define REMAINING_MAX 268435455u // what four length bytes can say

static void write_header(struct ag_writer *out, enum ag_mqtt_type type, uint8_t flags, size_t size)
{
    ag_writer_u8(out, (uint8_t)(type << 4 | flags));
    ag_writer_leb_u32(out, (uint32_t)size); // the same encoding as MQTT's remaining length
}

static void write_text(struct ag_writer *out, struct ag_text text)
{
    ag_writer_u16be(out, (uint16_t)text.size);
    ag_writer_bytes(out, text.at, text.size);
}

static size_t text_size(struct ag_text text)
{
    return 2 + text.size;
}

static bool text_fits(struct ag_text text)
{
    return text.size <= UINT16_MAX;
}

static bool topic_is_sound(struct ag_text topic)
{
    if (topic.size == 0 || !text_fits(topic))
        return false;
    return !memchr(topic.at, '#', topic.size) && !memchr(topic.at, '+', topic.size) &&
           !memchr(topic.at, 0, topic.size);
}

static size_t publish_remaining(const struct ag_mqtt_message *message)
{
    return text_size(message->topic) + (message->qos ? 2u : 0u) + message->payload_size;
}

size_t ag_mqtt_packet_publish_size(const struct ag_mqtt_message *message)
{
    if (!topic_is_sound(message->topic) || message->payload_size > REMAINING_MAX - UINT16_MAX - 4)
        return 0;
    const size_t remaining = publish_remaining(message);
    size_t size = 2 + remaining;
    for (size_t rest = remaining >> 7; rest > 0; rest >>= 7)
        size++;
    return size;
}

enum ag_status ag_mqtt_packet_connect(struct ag_writer *out, const struct ag_mqtt_login *login)
{
    const struct ag_text client_id = ag_text_of(login->client_id);
    const struct ag_text user_name = ag_text_of(login->user_name);
    const struct ag_text password = ag_text_of(login->password);
    if (!text_fits(client_id) || !text_fits(user_name) || !text_fits(password))
        return AG_ERR_ARGUMENT;
    // A password without a user name is forbidden (MQTT-3.1.2-22).
    if (login->password && !login->user_name)
        return AG_ERR_ARGUMENT;
    size_t size = 10 + text_size(client_id);
    uint8_t flags = login->clean_session ? FLAG_CLEAN_SESSION : 0;
    if (login->user_name) {
        size += text_size(user_name);
        flags |= FLAG_USER_NAME;
    }
    if (login->password) {
        size += text_size(password);
        flags |= FLAG_PASSWORD;
    }
    write_header(out, AG_MQTT_TYPE_CONNECT, 0, size);
    write_text(out, ag_text_of("MQTT"));
    ag_writer_u8(out, 4); // protocol level of 3.1.1
    ag_writer_u8(out, flags);
    ag_writer_u16be(out, login->keep_alive_s);
    write_text(out, client_id);
    if (login->user_name)
        write_text(out, user_name);
    if (login->password)
        write_text(out, password);
    return out->status;
}

enum ag_status ag_mqtt_packet_subscribe(struct ag_writer *out, uint16_t id,
                                        const struct ag_mqtt_filter *filters, size_t count)
{
    size_t size = 2;
    if (count == 0 || count > AG_MQTT_FILTER_MAX)
        return AG_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        const struct ag_text topic = ag_text_of(filters[i].topic);
        if (topic.size == 0 || !text_fits(topic) || filters[i].qos > 1)
            return AG_ERR_ARGUMENT;
        size += text_size(topic) + 1;
    }
    write_header(out, AG_MQTT_TYPE_SUBSCRIBE, 2, size);
    ag_writer_u16be(out, id);
    for (size_t i = 0; i < count; i++) {
        write_text(out, ag_text_of(filters[i].topic));
        ag_writer_u8(out, filters[i].qos);
    }
    return out->status;
}

enum ag_status ag_mqtt_packet_publish(struct ag_writer *out, uint16_t id,
                                      const struct ag_mqtt_message *message)
{
    if (ag_mqtt_packet_publish_size(message) == 0 || message->qos > 1)
        return AG_ERR_ARGUMENT;
    write_header(out, AG_MQTT_TYPE_PUBLISH, (uint8_t)(message->qos << 1),
                 publish_remaining(message));
    write_text(out, message->topic);
    if (message->qos > 0)
        ag_writer_u16be(out, id);
    ag_writer_bytes(out, message->payload, message->payload_size);
    return out->status;
}

void ag_mqtt_packet_puback(struct ag_writer *out, uint16_t id)
{
    write_header(out, AG_MQTT_TYPE_PUBACK, 0, 2);
    ag_writer_u16be(out, id);
}

void ag_mqtt_packet_pingreq(struct ag_writer *out)
{
    write_header(out, AG_MQTT_TYPE_PINGREQ, 0, 0);
}

void ag_mqtt_packet_disconnect(struct ag_writer *out)
{
    write_header(out, AG_MQTT_TYPE_DISCONNECT, 0, 0);
}
