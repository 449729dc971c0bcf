// SPDX-License-Identifier: Apache-2.0
// MQTT session: a queue of outgoing packets and a machine for incoming bytes.
//
// The send buffer holds whole packets, oldest first, in the order of `packets`; a packet that is
// done is cut out. At most one packet is half sent (SENDING or FINISHING), and it goes on before
// any other, because packets must not mix. Room is kept back in layers so that the session cannot
// lock itself up: messages leave two places and AG_CFG_MQTT_RESERVE bytes, a SUBSCRIBE leaves one
// place, and a QoS 1 message is only taken in when its PUBACK will have a place.
#include "mqtt/mqtt.h"

#include <string.h>

#include "base/writer.h"
#include "mqtt/mqtt_packet.h"
#include "mqtt/mqtt_state.h"

enum receive_state {
    RECEIVE_HEADER, // the first byte of a packet
    RECEIVE_LENGTH,
    RECEIVE_SMALL, // the rest of a short packet
    RECEIVE_TOPIC_SIZE,
    RECEIVE_TOPIC,
    RECEIVE_ID,
    RECEIVE_PAYLOAD,
};

#define PUBACK_SIZE 4u
#define DUP_FLAG    0x08u

static void fail(struct ag_mqtt *mqtt, enum ag_status status)
{
    mqtt->state = AG_MQTT_FAILED;
    mqtt->status = status;
}

// ---- the queue of outgoing packets

static bool is_half_sent(const struct ag_mqtt_packet *packet)
{
    return packet->state == AG_MQTT_SENDING || packet->state == AG_MQTT_FINISHING;
}

static size_t packet_offset(const struct ag_mqtt *mqtt, uint32_t index)
{
    size_t offset = 0;
    for (uint32_t i = 0; i < index; i++)
        offset += mqtt->packets[i].size;
    return offset;
}

static void remove_packet(struct ag_mqtt *mqtt, uint32_t index)
{
    const size_t offset = packet_offset(mqtt, index);
    const size_t size = mqtt->packets[index].size;
    memmove(mqtt->send + offset, mqtt->send + offset + size, mqtt->send_size - offset - size);
    mqtt->send_size -= size;
    mqtt->packet_count--;
    memmove(&mqtt->packets[index], &mqtt->packets[index + 1],
            (mqtt->packet_count - index) * sizeof mqtt->packets[0]);
}

// Whoever goes back in the queue after its first byte went out is a duplicate from then on.
static void mark_duplicate(struct ag_mqtt *mqtt, uint32_t index)
{
    mqtt->packets[index].is_duplicate = true;
    mqtt->send[packet_offset(mqtt, index)] |= DUP_FLAG;
}

// True when the packet is still in its place.
static bool advance_packet(struct ag_mqtt *mqtt, uint32_t index, enum ag_mqtt_delivery_event event)
{
    struct ag_mqtt_packet *packet = &mqtt->packets[index];
    const enum ag_mqtt_delivery before = (enum ag_mqtt_delivery)packet->state;
    const enum ag_mqtt_delivery after = ag_mqtt_state_delivery(before, event, packet->id != 0);
    packet->state = (uint8_t)after;
    if (after == AG_MQTT_DONE) {
        remove_packet(mqtt, index);
        return false;
    }
    if ((before == AG_MQTT_SENDING || before == AG_MQTT_SENT) &&
        (after == AG_MQTT_READY || after == AG_MQTT_WAITING))
        mark_duplicate(mqtt, index);
    return true;
}

static void advance_all(struct ag_mqtt *mqtt, enum ag_mqtt_delivery_event event)
{
    for (uint32_t i = 0; i < mqtt->packet_count;)
        i += advance_packet(mqtt, i, event) ? 1u : 0u;
}

// A QoS 1 message is being received whose PUBACK will want a place.
static bool owes_puback(const struct ag_mqtt *mqtt)
{
    return mqtt->receive_state != RECEIVE_HEADER && mqtt->header >> 4 == AG_MQTT_TYPE_PUBLISH &&
           (mqtt->header & 6) != 0;
}

static bool has_room(const struct ag_mqtt *mqtt, size_t size, uint32_t spare_places,
                     size_t spare_bytes)
{
    size_t left = mqtt->send_capacity - mqtt->send_size;
    if (owes_puback(mqtt)) {
        spare_places++;
        spare_bytes += PUBACK_SIZE;
    }
    if (mqtt->packet_count + spare_places >= AG_CFG_MQTT_QUEUE || spare_bytes > left)
        return false;
    left -= spare_bytes;
    return size <= left;
}

static struct ag_writer begin_packet(struct ag_mqtt *mqtt)
{
    struct ag_writer out;
    ag_writer_init(&out, mqtt->send + mqtt->send_size, mqtt->send_capacity - mqtt->send_size);
    return out;
}

static void queue_packet(struct ag_mqtt *mqtt, const struct ag_writer *out,
                         enum ag_mqtt_delivery state, uint16_t id)
{
    struct ag_mqtt_packet *packet = &mqtt->packets[mqtt->packet_count++];
    memset(packet, 0, sizeof *packet);
    packet->size = (uint32_t)out->size;
    packet->state = (uint8_t)state;
    packet->id = id;
    mqtt->send_size += out->size;
}

static bool id_is_taken(const struct ag_mqtt *mqtt, uint16_t id)
{
    for (uint32_t i = 0; i < mqtt->packet_count; i++) {
        if (mqtt->packets[i].id == id)
            return true;
    }
    return false;
}

// Zero is no packet id, and it marks packets without one as taken.
static uint16_t next_id(struct ag_mqtt *mqtt)
{
    do {
        mqtt->last_id++;
    } while (mqtt->last_id == 0 || id_is_taken(mqtt, mqtt->last_id));
    return mqtt->last_id;
}

// The packet to send bytes of, or packet_count.
static uint32_t find_output(const struct ag_mqtt *mqtt)
{
    uint32_t ready = mqtt->packet_count;
    for (uint32_t i = 0; i < mqtt->packet_count; i++) {
        if (is_half_sent(&mqtt->packets[i]))
            return i;
        if (mqtt->packets[i].state == AG_MQTT_READY && ready == mqtt->packet_count)
            ready = i;
    }
    return ready;
}

// ---- incoming packets

static void clear_event(struct ag_mqtt_event *event, enum ag_mqtt_event_type type)
{
    memset(event, 0, sizeof *event);
    event->type = type;
}

static void tell_message(struct ag_mqtt *mqtt, struct ag_mqtt_event *event,
                         enum ag_mqtt_event_type type)
{
    clear_event(event, type);
    event->packet_id = mqtt->receive_id;
    event->qos = mqtt->header >> 1 & 3;
    event->duplicate = (mqtt->header & DUP_FLAG) != 0;
    event->retain = (mqtt->header & 1) != 0;
    event->topic_overflow = mqtt->topic_kept < mqtt->topic_size;
    event->topic.at = mqtt->topic;
    event->topic.size = mqtt->topic_kept;
    event->total = mqtt->total;
    event->offset = mqtt->total - mqtt->left;
}

static void take_connack(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    clear_event(event, AG_MQTT_CONNACK);
    event->session_present = mqtt->small[0] == 1;
    event->code = mqtt->small[1];
    if (mqtt->small[0] > 1) {
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
    } else if (event->code != 0) {
        fail(mqtt, AG_ERR_MQTT_REFUSED);
    } else {
        mqtt->state = AG_MQTT_CONNECTED;
        advance_all(mqtt, AG_MQTT_ACCEPTED);
    }
}

// True when there was a message of this id that the server can have seen. A second PUBACK, for
// a message sent twice, is in order.
static bool take_puback(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    const uint16_t id = (uint16_t)(mqtt->small[0] << 8 | mqtt->small[1]);
    clear_event(event, AG_MQTT_PUBACK);
    event->packet_id = id;
    for (uint32_t i = 0; i < mqtt->packet_count; i++) {
        const struct ag_mqtt_packet *packet = &mqtt->packets[i];
        if (packet->id != id || id == 0)
            continue;
        if (packet->state == AG_MQTT_FINISHING ||
            (packet->state != AG_MQTT_SENT && !packet->is_duplicate))
            return false;
        (void)advance_packet(mqtt, i, AG_MQTT_ACKNOWLEDGED);
        return true;
    }
    return false;
}

static bool take_suback(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    clear_event(event, AG_MQTT_SUBACK);
    event->packet_id = (uint16_t)(mqtt->small[0] << 8 | mqtt->small[1]);
    event->bytes = mqtt->small + 2;
    event->size = mqtt->small_size - 2u;
    for (size_t i = 0; i < event->size; i++) {
        if (event->bytes[i] > 2 && event->bytes[i] != AG_MQTT_SUBACK_FAILED)
            fail(mqtt, AG_ERR_MQTT_MALFORMED);
    }
    return true;
}

// A short packet is complete. True when there is an event to tell.
static bool take_small(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    mqtt->receive_state = RECEIVE_HEADER;
    switch (mqtt->header >> 4) {
    case AG_MQTT_TYPE_CONNACK:
        take_connack(mqtt, event);
        return true;
    case AG_MQTT_TYPE_PUBACK:
        return take_puback(mqtt, event);
    case AG_MQTT_TYPE_SUBACK:
        return take_suback(mqtt, event);
    default: // PINGRESP: any byte has proven that the server lives
        return false;
    }
}

// The length of a packet is complete.
static bool begin_body(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    if (!ag_mqtt_state_size_fits(mqtt->header, mqtt->left)) {
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
        return false;
    }
    mqtt->small_size = 0;
    mqtt->receive_id = 0;
    mqtt->receive_state = RECEIVE_SMALL;
    if (mqtt->header >> 4 == AG_MQTT_TYPE_PUBLISH)
        mqtt->receive_state = RECEIVE_TOPIC_SIZE;
    return mqtt->left == 0 && take_small(mqtt, event);
}

static bool take_length_byte(struct ag_mqtt *mqtt, uint8_t byte, struct ag_mqtt_event *event)
{
    mqtt->left |= (uint32_t)(byte & 0x7F) << (7 * mqtt->length_bytes);
    mqtt->length_bytes++;
    if (!(byte & 0x80))
        return begin_body(mqtt, event);
    if (mqtt->length_bytes == 4)
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
    return false;
}

// What is left of the packet is payload.
static bool begin_payload(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    mqtt->topic[mqtt->topic_kept] = 0;
    mqtt->total = mqtt->left;
    mqtt->receive_state = RECEIVE_PAYLOAD;
    tell_message(mqtt, event, AG_MQTT_PUBLISH);
    return true;
}

static bool take_topic_byte(struct ag_mqtt *mqtt, uint8_t byte, struct ag_mqtt_event *event)
{
    if (byte == 0 || byte == '#' || byte == '+')
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
    if (mqtt->topic_kept < AG_CFG_MQTT_TOPIC_MAX)
        mqtt->topic[mqtt->topic_kept++] = (char)byte;
    if (--mqtt->topic_left > 0)
        return false;
    if (mqtt->header & 6) {
        mqtt->receive_state = RECEIVE_ID;
        return false;
    }
    return begin_payload(mqtt, event);
}

// Collects the two bytes of a number, high one first; true when they are complete.
static bool take_number_byte(struct ag_mqtt *mqtt, uint8_t byte, uint16_t *number)
{
    mqtt->small[mqtt->small_size++] = byte;
    if (mqtt->small_size < 2)
        return false;
    mqtt->small_size = 0;
    *number = (uint16_t)(mqtt->small[0] << 8 | mqtt->small[1]);
    return true;
}

static void begin_topic(struct ag_mqtt *mqtt)
{
    const uint32_t id_size = mqtt->header & 6 ? 2 : 0;
    mqtt->topic_left = mqtt->topic_size;
    mqtt->topic_kept = 0;
    mqtt->receive_state = RECEIVE_TOPIC;
    if (mqtt->topic_size == 0 || mqtt->topic_size + id_size > mqtt->left)
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
}

static void begin_receive(struct ag_mqtt *mqtt, uint8_t byte)
{
    mqtt->header = byte;
    mqtt->left = 0;
    mqtt->length_bytes = 0;
    mqtt->receive_state = RECEIVE_LENGTH;
    if (!ag_mqtt_state_may_receive((enum ag_mqtt_state)mqtt->state, byte))
        fail(mqtt, AG_ERR_MQTT_MALFORMED);
}

// One byte of anything but payload. True when *event is to be told.
static bool take_byte(struct ag_mqtt *mqtt, uint8_t byte, struct ag_mqtt_event *event)
{
    if (mqtt->receive_state > RECEIVE_LENGTH)
        mqtt->left--;
    switch ((enum receive_state)mqtt->receive_state) {
    case RECEIVE_HEADER:
        begin_receive(mqtt, byte);
        return false;
    case RECEIVE_LENGTH:
        return take_length_byte(mqtt, byte, event);
    case RECEIVE_SMALL:
        mqtt->small[mqtt->small_size++] = byte;
        return mqtt->left == 0 && take_small(mqtt, event);
    case RECEIVE_TOPIC_SIZE:
        if (take_number_byte(mqtt, byte, &mqtt->topic_size))
            begin_topic(mqtt);
        return false;
    case RECEIVE_TOPIC:
        return take_topic_byte(mqtt, byte, event);
    case RECEIVE_ID:
        if (!take_number_byte(mqtt, byte, &mqtt->receive_id))
            return false;
        if (mqtt->receive_id == 0)
            fail(mqtt, AG_ERR_MQTT_MALFORMED);
        return begin_payload(mqtt, event);
    case RECEIVE_PAYLOAD:
        break;
    }
    return false;
}

static void end_message(struct ag_mqtt *mqtt, struct ag_mqtt_event *event)
{
    tell_message(mqtt, event, AG_MQTT_PUBLISH_END);
    mqtt->receive_state = RECEIVE_HEADER;
    if (event->qos == 0)
        return;
    struct ag_writer out = begin_packet(mqtt); // its room was kept back since the header
    ag_mqtt_packet_puback(&out, mqtt->receive_id);
    queue_packet(mqtt, &out, AG_MQTT_READY, 0);
}

// A piece of the payload, or its end. False when the piece of input is used up.
static bool take_payload(struct ag_mqtt *mqtt, struct ag_reader *piece, struct ag_mqtt_event *event)
{
    if (mqtt->left == 0) {
        end_message(mqtt, event);
        return true;
    }
    size_t size = ag_reader_left(piece);
    if (size == 0)
        return false;
    if (size > mqtt->left)
        size = mqtt->left;
    tell_message(mqtt, event, AG_MQTT_PAYLOAD);
    event->bytes = ag_reader_bytes(piece, size);
    event->size = size;
    mqtt->left -= (uint32_t)size;
    return true;
}

// The next packet is a QoS 1 message and there is no room for its PUBACK.
static bool must_wait(const struct ag_mqtt *mqtt, uint8_t byte)
{
    return mqtt->receive_state == RECEIVE_HEADER && byte >> 4 == AG_MQTT_TYPE_PUBLISH &&
           (byte & 6) != 0 && !has_room(mqtt, PUBACK_SIZE, 0, 0);
}

// ---- public

void ag_mqtt_init(struct ag_mqtt *mqtt, void *send, size_t capacity,
                  const struct ag_mqtt_options *options)
{
    memset(mqtt, 0, sizeof *mqtt);
    mqtt->send = send;
    mqtt->send_capacity = capacity;
    mqtt->options = *options;
    mqtt->state = AG_MQTT_IDLE;
}

enum ag_status ag_mqtt_connect(struct ag_mqtt *mqtt, const struct ag_mqtt_login *login,
                               uint64_t now_ms)
{
    ag_mqtt_lost(mqtt);
    struct ag_writer out = begin_packet(mqtt);
    const enum ag_status status = ag_mqtt_packet_connect(&out, login);
    if (status != AG_OK)
        return status;
    queue_packet(mqtt, &out, AG_MQTT_READY, 0);
    mqtt->keep_alive_ms = (uint64_t)login->keep_alive_s * 1000;
    mqtt->received_ms = now_ms;
    mqtt->written_ms = now_ms;
    mqtt->asked_ms = now_ms;
    mqtt->state = AG_MQTT_CONNECTING;
    return AG_OK;
}

enum ag_status ag_mqtt_subscribe(struct ag_mqtt *mqtt, const struct ag_mqtt_filter *filters,
                                 size_t count, uint16_t *packet_id)
{
    if (mqtt->state != AG_MQTT_CONNECTED)
        return AG_ERR_CLOSED;
    if (!has_room(mqtt, 0, 1, PUBACK_SIZE))
        return AG_ERR_AGAIN;
    const uint16_t id = next_id(mqtt);
    struct ag_writer out = begin_packet(mqtt);
    const enum ag_status status = ag_mqtt_packet_subscribe(&out, id, filters, count);
    if (status == AG_ERR_NO_SPACE || (status == AG_OK && !has_room(mqtt, out.size, 1, PUBACK_SIZE)))
        return mqtt->send_size > 0 ? AG_ERR_AGAIN : AG_ERR_NO_SPACE;
    if (status != AG_OK)
        return status;
    queue_packet(mqtt, &out, AG_MQTT_READY, 0);
    *packet_id = id;
    return AG_OK;
}

enum ag_status ag_mqtt_publish(struct ag_mqtt *mqtt, const struct ag_mqtt_message *message,
                               uint16_t *packet_id)
{
    const bool is_connected = mqtt->state == AG_MQTT_CONNECTED;
    const size_t size = ag_mqtt_packet_publish_size(message);
    if (size == 0 || message->qos > 1)
        return AG_ERR_ARGUMENT;
    if (message->qos == 0 && !is_connected)
        return AG_ERR_CLOSED;
    if (size > UINT32_MAX - AG_CFG_MQTT_RESERVE || size + AG_CFG_MQTT_RESERVE > mqtt->send_capacity)
        return AG_ERR_NO_SPACE;
    if (!has_room(mqtt, size, 2, AG_CFG_MQTT_RESERVE))
        return AG_ERR_AGAIN;
    const uint16_t id = message->qos > 0 ? next_id(mqtt) : 0;
    struct ag_writer out = begin_packet(mqtt);
    const enum ag_status status = ag_mqtt_packet_publish(&out, id, message);
    if (status != AG_OK)
        return status;
    queue_packet(mqtt, &out, is_connected ? AG_MQTT_READY : AG_MQTT_WAITING, id);
    if (packet_id)
        *packet_id = id;
    return AG_OK;
}

void ag_mqtt_disconnect(struct ag_mqtt *mqtt)
{
    if (mqtt->state == AG_MQTT_CONNECTED && mqtt->packet_count < AG_CFG_MQTT_QUEUE) {
        struct ag_writer out = begin_packet(mqtt);
        ag_mqtt_packet_disconnect(&out);
        if (out.status == AG_OK)
            queue_packet(mqtt, &out, AG_MQTT_READY, 0);
    }
    mqtt->state = AG_MQTT_CLOSING;
}

void ag_mqtt_lost(struct ag_mqtt *mqtt)
{
    advance_all(mqtt, AG_MQTT_LOST);
    mqtt->sent_size = 0;
    mqtt->ping_is_out = false;
    mqtt->receive_state = RECEIVE_HEADER;
    mqtt->state = AG_MQTT_IDLE;
    mqtt->status = AG_OK;
}

enum ag_status ag_mqtt_next(struct ag_mqtt *mqtt, struct ag_reader *piece, uint64_t now_ms,
                            struct ag_mqtt_event *event)
{
    if (ag_reader_left(piece) > 0) {
        mqtt->received_ms = now_ms;
        mqtt->ping_is_out = false;
    }
    while (mqtt->state == AG_MQTT_CONNECTING || mqtt->state == AG_MQTT_CONNECTED) {
        bool told;
        if (mqtt->receive_state == RECEIVE_PAYLOAD) {
            told = take_payload(mqtt, piece, event);
            if (!told)
                return AG_ERR_AGAIN;
        } else {
            if (ag_reader_left(piece) == 0 || must_wait(mqtt, *piece->at))
                return AG_ERR_AGAIN;
            told = take_byte(mqtt, ag_reader_u8(piece), event);
        }
        // A refusal is told before it sticks.
        if (told && (mqtt->state != AG_MQTT_FAILED || mqtt->status == AG_ERR_MQTT_REFUSED))
            return AG_OK;
    }
    return mqtt->state == AG_MQTT_FAILED ? mqtt->status : AG_ERR_CLOSED;
}

// When a PINGREQ is due. The server wants to hear us, and we want to hear the server.
static uint64_t ping_time(const struct ag_mqtt *mqtt)
{
    const uint64_t quiet_since =
        mqtt->received_ms < mqtt->written_ms ? mqtt->received_ms : mqtt->written_ms;
    return mqtt->keep_alive_ms > 0 ? quiet_since + mqtt->keep_alive_ms : UINT64_MAX;
}

static void ask_for_life(struct ag_mqtt *mqtt, uint64_t now_ms)
{
    mqtt->ping_is_out = true;
    mqtt->asked_ms = now_ms;
    // Without room, output has been stuck for a whole keep-alive; the time-out runs all the same.
    if (!has_room(mqtt, 2, 0, 0))
        return;
    struct ag_writer out = begin_packet(mqtt);
    ag_mqtt_packet_pingreq(&out);
    queue_packet(mqtt, &out, AG_MQTT_READY, 0);
}

static uint64_t retry_time(const struct ag_mqtt *mqtt, const struct ag_mqtt_packet *packet)
{
    if (packet->state != AG_MQTT_SENT || mqtt->options.ack_timeout_ms == 0)
        return UINT64_MAX;
    return packet->sent_ms + mqtt->options.ack_timeout_ms;
}

// When the server must have been heard; UINT64_MAX when it was not asked.
static uint64_t death_time(const struct ag_mqtt *mqtt)
{
    if (mqtt->state == AG_MQTT_CONNECTING)
        return mqtt->asked_ms + mqtt->options.connect_timeout_ms;
    return mqtt->ping_is_out ? mqtt->asked_ms + mqtt->options.ping_timeout_ms : UINT64_MAX;
}

enum ag_status ag_mqtt_tick(struct ag_mqtt *mqtt, uint64_t now_ms)
{
    if (mqtt->state == AG_MQTT_FAILED)
        return mqtt->status;
    if (mqtt->state != AG_MQTT_CONNECTING && mqtt->state != AG_MQTT_CONNECTED)
        return AG_OK;
    if (now_ms >= death_time(mqtt)) {
        fail(mqtt, AG_ERR_MQTT_DEAD);
        return mqtt->status;
    }
    if (mqtt->state == AG_MQTT_CONNECTING)
        return AG_OK;
    if (!mqtt->ping_is_out && now_ms >= ping_time(mqtt))
        ask_for_life(mqtt, now_ms);
    for (uint32_t i = 0; i < mqtt->packet_count; i++) {
        if (now_ms >= retry_time(mqtt, &mqtt->packets[i]))
            (void)advance_packet(mqtt, i, AG_MQTT_TIMED_OUT);
    }
    return AG_OK;
}

uint64_t ag_mqtt_deadline(const struct ag_mqtt *mqtt)
{
    if (mqtt->state != AG_MQTT_CONNECTING && mqtt->state != AG_MQTT_CONNECTED)
        return UINT64_MAX;
    uint64_t deadline = death_time(mqtt);
    if (mqtt->state == AG_MQTT_CONNECTING)
        return deadline;
    if (!mqtt->ping_is_out && ping_time(mqtt) < deadline)
        deadline = ping_time(mqtt);
    for (uint32_t i = 0; i < mqtt->packet_count; i++) {
        const uint64_t retry = retry_time(mqtt, &mqtt->packets[i]);
        if (retry < deadline)
            deadline = retry;
    }
    return deadline;
}

bool ag_mqtt_output(const struct ag_mqtt *mqtt, const uint8_t **bytes, size_t *size)
{
    const uint32_t index = find_output(mqtt);
    if (index == mqtt->packet_count || mqtt->state == AG_MQTT_FAILED || mqtt->state == AG_MQTT_IDLE)
        return false;
    *bytes = mqtt->send + packet_offset(mqtt, index) + mqtt->sent_size;
    *size = mqtt->packets[index].size - mqtt->sent_size;
    return true;
}

void ag_mqtt_sent(struct ag_mqtt *mqtt, size_t size, uint64_t now_ms)
{
    const uint32_t index = find_output(mqtt);
    if (index == mqtt->packet_count || size == 0)
        return;
    struct ag_mqtt_packet *packet = &mqtt->packets[index];
    mqtt->written_ms = now_ms;
    mqtt->sent_size += size;
    (void)advance_packet(mqtt, index, AG_MQTT_STARTED);
    if (mqtt->sent_size < packet->size)
        return;
    mqtt->sent_size = 0;
    packet->sent_ms = now_ms;
    (void)advance_packet(mqtt, index, AG_MQTT_WRITTEN);
}

enum ag_mqtt_state ag_mqtt_state(const struct ag_mqtt *mqtt)
{
    return (enum ag_mqtt_state)mqtt->state;
}

uint32_t ag_mqtt_unacknowledged(const struct ag_mqtt *mqtt)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < mqtt->packet_count; i++)
        count += mqtt->packets[i].id != 0 && mqtt->packets[i].state != AG_MQTT_FINISHING;
    return count;
}
