// SPDX-License-Identifier: Apache-2.0
// Tests of mqtt/mqtt.h with a server played by hand.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/mqtt.h"
#include "mqtt/mqtt_state.h"
#include "test/harness.h"

#define SEND_SIZE 2048

static const struct ag_mqtt_options options = { 30000, 10000, 20000 };
static const struct ag_mqtt_login login = { "dev", "user", "pw", 60, false };

struct client {
    struct ag_mqtt mqtt;
    uint8_t send[SEND_SIZE];
    struct ag_mqtt_event event;
    uint8_t output[SEND_SIZE]; // what drain took last
    size_t output_size;
};

static void begin(struct client *client)
{
    memset(client, 0xA5, sizeof *client);
    ag_mqtt_init(&client->mqtt, client->send, sizeof client->send, &options);
}

// Takes all output, `step` bytes at a time.
static void drain_by(struct client *client, uint64_t now_ms, size_t step)
{
    const uint8_t *bytes;
    size_t size;
    client->output_size = 0;
    while (ag_mqtt_output(&client->mqtt, &bytes, &size)) {
        CHECK(size > 0);
        size = size < step ? size : step;
        CHECK(client->output_size + size <= sizeof client->output);
        memcpy(client->output + client->output_size, bytes, size);
        client->output_size += size;
        ag_mqtt_sent(&client->mqtt, size, now_ms);
    }
}

static void drain(struct client *client, uint64_t now_ms)
{
    drain_by(client, now_ms, SIZE_MAX);
}

static enum ag_status next_of(struct client *client, struct ag_reader *piece, uint64_t now_ms)
{
    return ag_mqtt_next(&client->mqtt, piece, now_ms, &client->event);
}

// Feeds bytes that end in exactly one event, or in a status.
static enum ag_status feed(struct client *client, const void *bytes, size_t size, uint64_t now_ms)
{
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    const enum ag_status status = next_of(client, &piece, now_ms);
    if (status == AG_OK)
        CHECK_EQUAL(ag_reader_left(&piece), 0);
    return status;
}

static void connect_at(struct client *client, uint64_t now_ms)
{
    CHECK_EQUAL(ag_mqtt_connect(&client->mqtt, &login, now_ms), AG_OK);
    drain(client, now_ms);
    CHECK_EQUAL(client->output[0], 0x10);
    CHECK_EQUAL(feed(client, "\x20\x02\x00\x00", 4, now_ms), AG_OK);
    CHECK_EQUAL(client->event.type, AG_MQTT_CONNACK);
    CHECK_EQUAL(ag_mqtt_state(&client->mqtt), AG_MQTT_CONNECTED);
}

static enum ag_status publish(struct client *client, const char *topic, const char *payload,
                              uint8_t qos, uint16_t *id)
{
    const struct ag_mqtt_message message = { ag_text_of(topic), payload, strlen(payload), qos };
    return ag_mqtt_publish(&client->mqtt, &message, id);
}

static void check_output(struct client *client, uint64_t now_ms, const void *want, size_t size)
{
    drain(client, now_ms);
    CHECK_EQUAL(client->output_size, size);
    CHECK_BYTES(client->output, want, size);
}
#define CHECK_OUTPUT(client, now_ms, want) check_output(client, now_ms, want, sizeof want - 1)

static void a_login_is_written_as_the_standard_says(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
    CHECK_OUTPUT(&client, 0,
                 "\x10\x19\x00\x04MQTT\x04\xC0\x00\x3C\x00\x03"
                 "dev\x00\x04user\x00\x02pw");
    const struct ag_mqtt_login bare = { "d", NULL, NULL, 0, true };
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &bare, 0), AG_OK);
    CHECK_OUTPUT(&client, 0,
                 "\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
                 "d");
    const struct ag_mqtt_login wrong = { "d", NULL, "pw", 0, true };
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &wrong, 0), AG_ERR_ARGUMENT);
}

static void a_refusal_is_told_and_sticks(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
    CHECK_EQUAL(feed(&client, "\x20\x02\x00\x05", 4, 0), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_CONNACK);
    CHECK_EQUAL(client.event.code, 5);
    CHECK_EQUAL(feed(&client, "", 0, 0), AG_ERR_MQTT_REFUSED);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 1), AG_ERR_MQTT_REFUSED);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), UINT64_MAX);
    ag_mqtt_lost(&client.mqtt);
    CHECK_EQUAL(ag_mqtt_state(&client.mqtt), AG_MQTT_IDLE);
    CHECK_EQUAL(feed(&client, "\x20", 1, 0), AG_ERR_CLOSED);
    connect_at(&client, 5);
}

static void a_kept_session_is_told(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
    CHECK_EQUAL(feed(&client, "\x20\x02\x01\x00", 4, 0), AG_OK);
    CHECK(client.event.session_present);
}

static void a_subscription_is_written_and_answered(void)
{
    const struct ag_mqtt_filter filters[] = { { "a/#", 0 }, { "b", 1 } };
    struct client client;
    uint16_t id = 0;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 2, &id), AG_ERR_CLOSED);
    connect_at(&client, 0);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 2, &id), AG_OK);
    CHECK_EQUAL(id, 1);
    CHECK_OUTPUT(&client, 0,
                 "\x82\x0C\x00\x01\x00\x03"
                 "a/#\x00\x00\x01"
                 "b\x01");
    CHECK_EQUAL(feed(&client, "\x90\x04\x00\x01\x00\x80", 6, 0), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_SUBACK);
    CHECK_EQUAL(client.event.packet_id, 1);
    CHECK_EQUAL(client.event.size, 2);
    CHECK_EQUAL(client.event.bytes[1], AG_MQTT_SUBACK_FAILED);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 0, &id), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 9, &id), AG_ERR_ARGUMENT);
    CHECK_EQUAL(feed(&client, "\x90\x05\x00\x01\x00\x01\x02", 7, 0), AG_OK);
    CHECK_EQUAL(client.event.size, 3);
    const struct ag_mqtt_filter at_two[] = { { "a", 2 } };
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, at_two, 1, &id), AG_ERR_ARGUMENT);
}

static void a_message_of_qos_0_is_sent_once_and_forgotten(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_ERR_CLOSED);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "hi", 0, NULL), AG_OK);
    CHECK_OUTPUT(&client, 0, "\x30\x05\x00\x01thi");
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 25000), AG_OK);
    CHECK_OUTPUT(&client, 25000, "");
    CHECK_EQUAL(publish(&client, "t", "hi", 0, NULL), AG_OK);
    ag_mqtt_lost(&client.mqtt);
    connect_at(&client, 26000);
    CHECK_OUTPUT(&client, 26000, "");
}

static void topics_that_cannot_be_published_to_are_refused(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "", "x", 0, NULL), AG_ERR_ARGUMENT);
    CHECK_EQUAL(publish(&client, "a/#", "x", 0, NULL), AG_ERR_ARGUMENT);
    CHECK_EQUAL(publish(&client, "a/+/b", "x", 0, NULL), AG_ERR_ARGUMENT);
    CHECK_EQUAL(publish(&client, "a", "x", 2, NULL), AG_ERR_ARGUMENT);
}

static void a_message_of_qos_1_is_kept_until_it_is_acknowledged(void)
{
    struct client client;
    uint16_t id = 0;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "hi", 1, &id), AG_OK);
    CHECK_EQUAL(id, 1);
    CHECK_OUTPUT(&client, 100, "\x32\x07\x00\x01t\x00\x01hi");
    CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 1);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 20100);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 20099), AG_OK);
    CHECK_OUTPUT(&client, 20099, "");
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 20100), AG_OK);
    CHECK_OUTPUT(&client, 20100, "\x3A\x07\x00\x01t\x00\x01hi");
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x01", 4, 20200), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_PUBACK);
    CHECK_EQUAL(client.event.packet_id, 1);
    CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 0);
    // The server answers the repetition as well: in order, and nothing to tell.
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x01", 4, 20300), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 50000), AG_OK);
    CHECK_OUTPUT(&client, 50000, "");
}

static void messages_of_qos_1_survive_the_connection_in_order(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(publish(&client, "t", "a", 1, NULL), AG_OK); // before there is a connection
    connect_at(&client, 0);
    CHECK_OUTPUT(&client, 0,
                 "\x32\x06\x00\x01t\x00\x01"
                 "a");
    CHECK_EQUAL(publish(&client, "t", "b", 1, NULL), AG_OK);
    CHECK_EQUAL(publish(&client, "t", "c", 0, NULL), AG_OK);
    CHECK_EQUAL(publish(&client, "t", "d", 1, NULL), AG_OK);
    const uint8_t *bytes;
    size_t size;
    CHECK(ag_mqtt_output(&client.mqtt, &bytes, &size));
    ag_mqtt_sent(&client.mqtt, 3, 0); // a part of b
    ag_mqtt_lost(&client.mqtt);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 1), AG_OK);
    drain(&client, 1);
    CHECK_EQUAL(client.output_size, 27); // only CONNECT before its CONNACK
    CHECK_EQUAL(feed(&client, "\x20\x02\x00\x00", 4, 1), AG_OK);
    CHECK_OUTPUT(&client, 1,
                 "\x3A\x06\x00\x01t\x00\x01"
                 "a\x3A\x06\x00\x01t\x00\x02"
                 "b\x32\x06\x00\x01t\x00\x03"
                 "d");
}

static void a_repetition_does_not_cut_into_a_half_sent_packet(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "a", 1, NULL), AG_OK);
    drain(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "b", 0, NULL), AG_OK);
    ag_mqtt_sent(&client.mqtt, 2, 10);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 20000), AG_OK);
    CHECK_OUTPUT(&client, 20000,
                 "\x00\x01tb\x3A\x06\x00\x01t\x00\x01"
                 "a");
}

static void an_acknowledgement_during_the_repetition_ends_it_cleanly(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "a", 1, NULL), AG_OK);
    drain(&client, 0);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 20000), AG_OK);
    ag_mqtt_sent(&client.mqtt, 1, 20000);
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x01", 4, 20001), AG_OK);
    CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 0);
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x01", 4, 20001), AG_ERR_AGAIN);
    CHECK_OUTPUT(&client, 20002,
                 "\x06\x00\x01t\x00\x01"
                 "a");
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 41000), AG_OK);
    CHECK_OUTPUT(&client, 41000, "");
}

static void acknowledgements_may_come_in_any_order(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "a", 1, NULL), AG_OK);
    CHECK_EQUAL(publish(&client, "t", "b", 1, NULL), AG_OK);
    CHECK_EQUAL(publish(&client, "t", "c", 1, NULL), AG_OK);
    drain(&client, 0);
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x02", 4, 0), AG_OK);
    CHECK_EQUAL(client.event.packet_id, 2);
    CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 2);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 20000), AG_OK);
    CHECK_OUTPUT(&client, 20000,
                 "\x3A\x06\x00\x01t\x00\x01"
                 "a\x3A\x06\x00\x01t\x00\x03"
                 "c");
}

static void an_id_in_use_is_not_given_out_again(void)
{
    struct client client;
    uint16_t id = 0;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "kept", 1, &id), AG_OK);
    CHECK_EQUAL(id, 1);
    CHECK_EQUAL(publish(&client, "t", "kept", 1, &id), AG_OK);
    CHECK_EQUAL(id, 2);
    drain(&client, 0);
    for (unsigned want = 3; want < 65536 + 8; want++) {
        if ((want & 65535) < 3)
            continue; // 0 is none, 1 and 2 are in use
        CHECK_EQUAL(publish(&client, "t", "", 1, &id), AG_OK);
        CHECK_EQUAL(id, want & 65535);
        drain(&client, 0);
        const uint8_t ack[4] = { 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id };
        CHECK_EQUAL(feed(&client, ack, 4, 0), AG_OK);
    }
}

static void a_message_being_received_keeps_room_for_its_acknowledgement(void)
{
    struct client client;
    struct ag_reader piece;
    const struct ag_mqtt_filter filter = { "a", 0 };
    uint16_t id;
    unsigned count = 0;
    begin(&client);
    connect_at(&client, 0);
    ag_reader_init(&piece, "\x32\x06\x00\x01t\x12\x34x", 8);
    CHECK_EQUAL(next_of(&client, &piece, 0), AG_OK);
    while (publish(&client, "t", "a", 0, NULL) == AG_OK)
        count++;
    CHECK_EQUAL(count, AG_CFG_MQTT_QUEUE - 3);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_OK);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 60000), AG_OK); // the ping takes the last place but one
    CHECK_EQUAL(next_of(&client, &piece, 60000), AG_OK);
    CHECK_EQUAL(next_of(&client, &piece, 60000), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_PUBLISH_END);
    drain(&client, 60000);
    CHECK_EQUAL(client.output_size, count * 6 + 8 + 2 + 4);
    CHECK_BYTES(client.output + client.output_size - 6, "\xC0\x00\x40\x02\x12\x34", 6);
    // A message of QoS 0 wants none.
    ag_reader_init(&piece, "\x30\x04\x00\x01tx", 6);
    CHECK_EQUAL(next_of(&client, &piece, 60000), AG_OK);
    count = 0;
    while (publish(&client, "t", "a", 0, NULL) == AG_OK)
        count++;
    CHECK_EQUAL(count, AG_CFG_MQTT_QUEUE - 2);
}

static void a_subscription_that_can_never_fit_says_so(void)
{
    static char topic[SEND_SIZE + 1];
    struct client client;
    const struct ag_mqtt_filter filter = { topic, 0 };
    uint16_t id;
    begin(&client);
    connect_at(&client, 0);
    memset(topic, 'x', SEND_SIZE - 20);
    CHECK_EQUAL(publish(&client, "t", "aaaaaaaaaaaaaaaaaaaa", 0, NULL), AG_OK);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_ERR_AGAIN);
    drain(&client, 0);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_OK);
    drain(&client, 0);
    memset(topic, 'x', SEND_SIZE - 9); // its packet fits, but leaves no room for a PUBACK
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_ERR_NO_SPACE);
    memset(topic, 'x', SEND_SIZE);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, &filter, 1, &id), AG_ERR_NO_SPACE);
}

static void sending_nothing_changes_nothing(void)
{
    struct client client;
    begin(&client);
    ag_mqtt_sent(&client.mqtt, 0, 0);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "b", 0, NULL), AG_OK);
    ag_mqtt_sent(&client.mqtt, 0, 5);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 60000);
    CHECK_OUTPUT(&client, 0, "\x30\x04\x00\x01tb");
}

static void an_acknowledgement_of_what_was_never_sent_is_ignored(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "a", 1, NULL), AG_OK);
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x01", 4, 0), AG_ERR_AGAIN);
    CHECK_EQUAL(feed(&client, "\x40\x02\x00\x00", 4, 0), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 1);
}

static void messages_leave_room_for_the_session_itself(void)
{
    char payload[SEND_SIZE];
    struct client client;
    unsigned count = 0;
    begin(&client);
    connect_at(&client, 0);
    while (publish(&client, "t", "a", 1, NULL) == AG_OK)
        count++;
    CHECK_EQUAL(count, AG_CFG_MQTT_QUEUE - 2);
    CHECK_EQUAL(publish(&client, "t", "a", 0, NULL), AG_ERR_AGAIN);
    const struct ag_mqtt_filter filters[] = { { "a", 0 } };
    uint16_t id;
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 1, &id), AG_OK);
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 1, &id), AG_ERR_AGAIN);
    ag_mqtt_lost(&client.mqtt);
    connect_at(&client, 0);
    // The largest message that can ever fit, and one byte more.
    begin(&client);
    connect_at(&client, 0);
    memset(payload, 'x', sizeof payload);
    payload[SEND_SIZE - AG_CFG_MQTT_RESERVE - 6 + 1] = 0;
    CHECK_EQUAL(publish(&client, "t", payload, 0, NULL), AG_ERR_NO_SPACE);
    payload[SEND_SIZE - AG_CFG_MQTT_RESERVE - 6] = 0;
    CHECK_EQUAL(publish(&client, "t", payload, 0, NULL), AG_OK);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_ERR_AGAIN);
    drain_by(&client, 0, 7);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_OK);
}

// What a stretch of server bytes told, as text.
struct trace {
    char text[8192];
    size_t size;
    size_t payload_size;
    enum ag_status status;
};

static void add(struct trace *trace, const struct ag_mqtt_event *event)
{
    const size_t left = sizeof trace->text - trace->size;
    char *at = trace->text + trace->size;
    int size = 0;
    switch (event->type) {
    case AG_MQTT_CONNACK:
        size = snprintf(at, left, "connack %u;", event->code);
        break;
    case AG_MQTT_SUBACK:
        size = snprintf(at, left, "suback %u %zu;", event->packet_id, event->size);
        break;
    case AG_MQTT_PUBACK:
        size = snprintf(at, left, "puback %u;", event->packet_id);
        break;
    case AG_MQTT_PUBLISH:
        CHECK_EQUAL(event->offset, 0);
        trace->payload_size = 0;
        size = snprintf(at, left, "publish %.*s%s q%u%s%s %u %u:", (int)event->topic.size,
                        event->topic.at, event->topic_overflow ? "..." : "", event->qos,
                        event->duplicate ? "d" : "", event->retain ? "r" : "", event->packet_id,
                        event->total);
        break;
    case AG_MQTT_PAYLOAD:
        CHECK_EQUAL(event->offset, trace->payload_size);
        CHECK(event->size > 0);
        trace->payload_size += event->size;
        for (size_t i = 0; i < event->size && event->total < 64; i++)
            at[size++] = (char)(event->bytes[i] ? event->bytes[i] : '.');
        break;
    case AG_MQTT_PUBLISH_END:
        CHECK_EQUAL(event->total, trace->payload_size);
        size = snprintf(at, left, ";");
        break;
    }
    CHECK(size >= 0 && (size_t)size < left);
    trace->size += (size_t)size;
}

// A connected client is fed, first `first` bytes and then `step` at a time (0: all).
static void trace_pieces(const void *bytes, size_t size, size_t first, size_t step,
                         struct trace *trace)
{
    static struct client client;
    begin(&client);
    memset(trace, 0, sizeof *trace);
    connect_at(&client, 0);
    trace->status = AG_ERR_AGAIN;
    for (size_t at = 0; at < size && trace->status == AG_ERR_AGAIN;) {
        size_t piece_size = at == 0 && first > 0 ? first : step;
        if (piece_size == 0 || piece_size > size - at)
            piece_size = size - at;
        uint8_t *copy = malloc(piece_size);
        memcpy(copy, (const uint8_t *)bytes + at, piece_size);
        struct ag_reader piece;
        ag_reader_init(&piece, copy, piece_size);
        do {
            while ((trace->status = next_of(&client, &piece, 0)) == AG_OK)
                add(trace, &client.event);
            drain(&client, 0);
        } while (trace->status == AG_ERR_AGAIN && ag_reader_left(&piece) > 0);
        free(copy);
        at += piece_size;
    }
}

static const char stream[] = "\x30\x05\x00\x01thi"           // QoS 0
                             "\x3B\x07\x00\x01u\x12\x34yo"   // QoS 1, DUP, retain
                             "\xD0\x00"                      // PINGRESP
                             "\x30\x03\x00\x01t"             // empty payload
                             "\x32\x85\x00\x00\x01v\x00\x07" // a length of two bytes for five
                             "\x90\x05\x00\x09\x00\x01\x80"  // SUBACK
                             "\x40\x02\x00\x05"              // PUBACK of nothing
                             "\x30\x08\x00\x03$io????";

static void pieces_of_any_size_tell_the_same(void)
{
    struct trace whole;
    struct trace cut;
    trace_pieces(stream, sizeof stream - 1, 0, 0, &whole);
    CHECK_TEXT(whole.text, "publish t q0 0 2:hi;publish u q1dr 4660 2:yo;publish t q0 0 0:;"
                           "publish v q1 7 0:;suback 9 3;publish $io q0 0 3:???;");
    CHECK_EQUAL(whole.status, AG_ERR_MQTT_MALFORMED); // the fourth ? begins no packet
    for (size_t first = 1; first < sizeof stream - 1; first++) {
        test_note("cut at %zu", first);
        trace_pieces(stream, sizeof stream - 1, first, 0, &cut);
        CHECK_EQUAL(cut.status, whole.status);
        CHECK_TEXT(cut.text, whole.text);
    }
    trace_pieces(stream, sizeof stream - 1, 0, 1, &cut);
    CHECK_TEXT(cut.text, whole.text);
}

static void a_truncated_stream_waits_for_more(void)
{
    struct trace trace;
    for (size_t size = 0; size < sizeof stream - 2; size++) {
        test_note("%zu bytes", size);
        trace_pieces(stream, size, 0, 0, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_AGAIN);
    }
}

static void a_received_message_of_qos_1_is_acknowledged_at_its_end(void)
{
    struct client client;
    struct ag_reader piece;
    begin(&client);
    connect_at(&client, 0);
    ag_reader_init(&piece, "\x32\x07\x00\x01t\x12\x34hi", 9);
    CHECK_EQUAL(next_of(&client, &piece, 0), AG_OK);
    CHECK_EQUAL(next_of(&client, &piece, 0), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_PAYLOAD);
    CHECK_OUTPUT(&client, 0, "");
    CHECK_EQUAL(next_of(&client, &piece, 0), AG_OK);
    CHECK_EQUAL(client.event.type, AG_MQTT_PUBLISH_END);
    CHECK_OUTPUT(&client, 0, "\x40\x02\x12\x34");
}

static void without_room_for_acknowledgements_input_waits(void)
{
    uint8_t flood[20 * 7];
    struct client client;
    struct ag_reader piece;
    unsigned messages = 0;
    unsigned acknowledged = 0;
    begin(&client);
    connect_at(&client, 0);
    for (unsigned i = 0; i < 20; i++) {
        memcpy(flood + i * 7, "\x32\x05\x00\x01t\x00", 6);
        flood[i * 7 + 6] = (uint8_t)(i + 1);
    }
    ag_reader_init(&piece, flood, sizeof flood);
    while (ag_reader_left(&piece) > 0) {
        const unsigned before = messages;
        while (next_of(&client, &piece, 0) == AG_OK)
            messages += client.event.type == AG_MQTT_PUBLISH_END;
        CHECK_EQUAL(messages - before, messages < 20 ? AG_CFG_MQTT_QUEUE : 20 % AG_CFG_MQTT_QUEUE);
        drain(&client, 0);
        for (size_t at = 0; at < client.output_size; at += 4)
            CHECK_EQUAL(client.output[at + 3], ++acknowledged);
    }
    CHECK_EQUAL(messages, 20);
    CHECK_EQUAL(acknowledged, 20);
}

static void a_message_larger_than_memory_passes_in_pieces(void)
{
    static const size_t steps[] = { 1, 7, 536, 65536 };
    const size_t payload_size = 131072;
    const size_t size = 1 + 3 + 3 + payload_size;
    uint8_t *bytes = malloc(size);
    CHECK(bytes);
    memcpy(bytes, "\x30\x83\x80\x08\x00\x01t", 7);
    memset(bytes + 7, 'x', payload_size);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct trace trace;
        trace_pieces(bytes, size, 0, steps[i], &trace);
        CHECK_EQUAL(trace.status, AG_ERR_AGAIN);
        CHECK_TEXT(trace.text, "publish t q0 0 131072:;");
    }
    free(bytes);
}

static void a_topic_that_is_too_long_is_told_cut(void)
{
    uint8_t bytes[4 + AG_CFG_MQTT_TOPIC_MAX + 1 + 1];
    struct trace trace;
    const size_t remaining = sizeof bytes - 3;
    memset(bytes, 't', sizeof bytes);
    bytes[0] = 0x30;
    bytes[1] = (uint8_t)(remaining % 128 | 128);
    bytes[2] = (uint8_t)(remaining / 128);
    bytes[3] = (AG_CFG_MQTT_TOPIC_MAX + 1 - 2) >> 8;
    bytes[4] = (AG_CFG_MQTT_TOPIC_MAX + 1 - 2) & 255;
    trace_pieces(bytes, sizeof bytes, 0, 0, &trace);
    CHECK(!strstr(trace.text, "..."));
    bytes[3] = (AG_CFG_MQTT_TOPIC_MAX + 1) >> 8;
    bytes[4] = (AG_CFG_MQTT_TOPIC_MAX + 1) & 255;
    trace_pieces(bytes, sizeof bytes, 0, 0, &trace);
    CHECK(strstr(trace.text, "tt... q0 0 0:;"));
}

static void what_breaks_the_protocol_is_refused(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } wrong[] = {
        { "\x00", 1 },     // reserved type
        { "\x10", 1 },     // CONNECT from a server
        { "\x20", 1 },     // a second CONNACK
        { "\x34", 1 },     // QoS 2
        { "\x36", 1 },     // QoS 3
        { "\x38", 1 },     // DUP at QoS 0
        { "\x41", 1 },     // PUBACK with flags
        { "\x50", 1 },     // PUBREC
        { "\x62", 1 },     // PUBREL
        { "\x70", 1 },     // PUBCOMP
        { "\x82", 1 },     // SUBSCRIBE
        { "\x91", 1 },     // SUBACK with flags
        { "\xB0", 1 },     // UNSUBACK: we never unsubscribe
        { "\xC0", 1 },     // PINGREQ
        { "\xD1", 1 },     // PINGRESP with flags
        { "\xE0", 1 },     // DISCONNECT
        { "\xF0", 1 },     // reserved type
        { "\xD0\x01", 2 }, // PINGRESP with a body
        { "\x40\x01", 2 }, // PUBACK too short
        { "\x40\x03", 2 }, // PUBACK too long
        { "\x90\x02", 2 }, // SUBACK without codes
        { "\x90\x0B", 2 }, // SUBACK with more codes than filters
        { "\x90\x04\x00\x01\x00\x03", 6 },
        { "\x90\x03\x00\x01\x03", 5 }, // SUBACK with an unknown code
        { "\x30\x02", 2 },             // PUBLISH without topic
        { "\x32\x04", 2 },             // PUBLISH without id
        { "\x30\x03\x00\x00", 4 },     // empty topic
        { "\x30\x03\x00\x02", 4 },     // topic longer than the packet
        { "\x32\x05\x00\x02", 4 },     // topic reaches into the id
        { "\x30\x05\x00\x02"
          "a\x00",
          6 }, // NUL in the topic
        { "\x30\x05\x00\x02"
          "a#",
          6 },                              // wildcard in the topic
        { "\x32\x05\x00\x01t\x00\x00", 7 }, // id 0
        { "\x30\xFF\xFF\xFF\xFF", 5 },      // a length of more than four bytes
        { "\x30\x80\x80\x80\x80", 5 },
    };
    struct trace trace;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("case %zu", i);
        trace_pieces(wrong[i].bytes, wrong[i].size, 0, 0, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_MQTT_MALFORMED);
        trace_pieces(wrong[i].bytes, wrong[i].size, 0, 1, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_MQTT_MALFORMED);
    }
}

static void before_connack_only_connack_may_come(void)
{
    for (unsigned header = 0; header < 256; header++) {
        struct client client;
        const uint8_t byte = (uint8_t)header;
        begin(&client);
        CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
        test_note("header %02x", header);
        CHECK_EQUAL(feed(&client, &byte, 1, 0),
                    header == 0x20 ? AG_ERR_AGAIN : AG_ERR_MQTT_MALFORMED);
    }
    struct client client;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
    CHECK_EQUAL(feed(&client, "\x20\x02\x02\x00", 4, 0), AG_ERR_MQTT_MALFORMED);
    CHECK_EQUAL(feed(&client, "", 0, 0), AG_ERR_MQTT_MALFORMED);
}

static void a_quiet_connection_is_kept_alive(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 1000);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 61000);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 60999), AG_OK);
    CHECK_OUTPUT(&client, 60999, "");
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 61000), AG_OK);
    CHECK_OUTPUT(&client, 61000, "\xC0\x00");
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 71000);
    CHECK_EQUAL(feed(&client, "\xD0\x00", 2, 61500), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 121000);
}

static void hearing_alone_or_speaking_alone_does_not_put_off_the_ping(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_OK);
    drain(&client, 50000);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 60000); // the server may be dead
    ag_mqtt_lost(&client.mqtt);
    connect_at(&client, 0);
    CHECK_EQUAL(feed(&client, "\x30", 1, 50000), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 60000); // the server may think that we are
}

static void without_keep_alive_nothing_is_due(void)
{
    struct client client;
    const struct ag_mqtt_login quiet = { "d", NULL, NULL, 0, true };
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &quiet, 0), AG_OK);
    drain(&client, 0);
    CHECK_EQUAL(feed(&client, "\x20\x02\x00\x00", 4, 0), AG_OK);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), UINT64_MAX);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, UINT64_MAX - 1), AG_OK);
    CHECK_OUTPUT(&client, 0, "");
}

static void a_dead_server_is_noticed(void)
{
    struct client client;
    begin(&client);
    CHECK_EQUAL(ag_mqtt_connect(&client.mqtt, &login, 0), AG_OK);
    CHECK_EQUAL(ag_mqtt_deadline(&client.mqtt), 30000);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 29999), AG_OK);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 30000), AG_ERR_MQTT_DEAD);
    connect_at(&client, 0);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 60000), AG_OK);
    drain(&client, 60000);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 69999), AG_OK);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 70000), AG_ERR_MQTT_DEAD);
    CHECK_EQUAL(feed(&client, "\xD0\x00", 2, 70001), AG_ERR_MQTT_DEAD);
    CHECK_OUTPUT(&client, 70001, "");
    // Any byte in time is a sign of life.
    connect_at(&client, 0);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 60000), AG_OK);
    CHECK_EQUAL(feed(&client, "\x30", 1, 69999), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 70000), AG_OK);
}

static void a_server_that_takes_nothing_is_noticed_too(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    while (publish(&client, "t", "x", 1, NULL) == AG_OK)
        ;
    const struct ag_mqtt_filter filters[] = { { "a", 0 } };
    uint16_t id;
    CHECK_EQUAL(ag_mqtt_subscribe(&client.mqtt, filters, 1, &id), AG_OK);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 60000), AG_OK);
    CHECK_EQUAL(ag_mqtt_tick(&client.mqtt, 70000), AG_ERR_MQTT_DEAD);
}

static void goodbye_goes_out_behind_what_waits(void)
{
    struct client client;
    begin(&client);
    connect_at(&client, 0);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_OK);
    ag_mqtt_disconnect(&client.mqtt);
    CHECK_EQUAL(ag_mqtt_state(&client.mqtt), AG_MQTT_CLOSING);
    CHECK_EQUAL(publish(&client, "t", "x", 0, NULL), AG_ERR_CLOSED);
    CHECK_OUTPUT(&client, 0, "\x30\x04\x00\x01tx\xE0\x00");
    CHECK_EQUAL(feed(&client, "\xD0\x00", 2, 0), AG_ERR_CLOSED);
    connect_at(&client, 0);
    ag_mqtt_disconnect(&client.mqtt);
    connect_at(&client, 0); // a goodbye that was not sent is forgotten
    CHECK_OUTPUT(&client, 0, "");
}

static void every_packet_state_leads_to_done(void)
{
    // Breadth-first from every state: DONE is reachable, DONE stays, and only a message that is
    // kept survives the loss of its connection.
    for (unsigned is_kept = 0; is_kept < 2; is_kept++) {
        for (unsigned from = 0; from < AG_MQTT_DELIVERY_COUNT; from++) {
            bool seen[AG_MQTT_DELIVERY_COUNT] = { false };
            seen[from] = true;
            for (unsigned round = 0; round < AG_MQTT_DELIVERY_COUNT; round++) {
                for (unsigned state = 0; state < AG_MQTT_DELIVERY_COUNT; state++) {
                    for (unsigned event = 0; seen[state] && event < AG_MQTT_DELIVERY_EVENT_COUNT;
                         event++)
                        seen[ag_mqtt_state_delivery((enum ag_mqtt_delivery)state,
                                                    (enum ag_mqtt_delivery_event)event,
                                                    is_kept != 0)] = true;
                }
            }
            test_note("state %u, kept %u", from, is_kept);
            CHECK(seen[AG_MQTT_DONE]);
            const enum ag_mqtt_delivery lost =
                ag_mqtt_state_delivery((enum ag_mqtt_delivery)from, AG_MQTT_LOST, is_kept != 0);
            const bool survives = is_kept && from != AG_MQTT_DONE && from != AG_MQTT_FINISHING;
            CHECK_EQUAL(lost, survives ? AG_MQTT_WAITING : AG_MQTT_DONE);
        }
        for (unsigned event = 0; event < AG_MQTT_DELIVERY_EVENT_COUNT; event++)
            CHECK_EQUAL(ag_mqtt_state_delivery(AG_MQTT_DONE, (enum ag_mqtt_delivery_event)event,
                                               is_kept != 0),
                        AG_MQTT_DONE);
    }
}

static void every_input_of_up_to_two_bytes_is_survived(void)
{
    static struct trace trace;
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t bytes[2] = { (uint8_t)(i >> 8), (uint8_t)i };
        static struct trace whole;
        trace_pieces(bytes, 2, 0, 0, &whole);
        trace_pieces(bytes, 2, 0, 1, &trace);
        test_note("bytes %04x", i);
        CHECK_EQUAL(trace.status, whole.status);
        CHECK(whole.status == AG_ERR_AGAIN || whole.status == AG_ERR_MQTT_MALFORMED);
    }
}

static uint32_t random_below(uint32_t *random, uint32_t bound)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % bound;
}

static void mutated_streams_tell_the_same_in_pieces(void)
{
    uint32_t random = 99;
    static struct trace whole;
    static struct trace cut;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[sizeof stream];
        memcpy(bytes, stream, sizeof stream);
        for (unsigned changes = round % 3 + 1; changes > 0; changes--) {
            const uint32_t at = random_below(&random, sizeof stream - 1);
            bytes[at] = (uint8_t)random_below(&random, 256);
        }
        test_note("round %u", round);
        trace_pieces(bytes, sizeof stream - 1, 0, 0, &whole);
        trace_pieces(bytes, sizeof stream - 1, 0, 1 + round % 5, &cut);
        CHECK_EQUAL(cut.status, whole.status);
        CHECK_TEXT(cut.text, whole.text);
    }
}

// A server that reads what the client sends, packet by packet, independently of src/mqtt.
struct server {
    uint8_t bytes[SEND_SIZE * 2];
    size_t size;

    bool seen[256]; // numbers of messages received
    uint16_t to_ack[64];
    size_t to_ack_count;
    bool is_connected;
};

static void serve_publish(struct server *server, const uint8_t *packet)
{
    // 0x32, length, 0, 1, 't', id, number
    const unsigned number = packet[7];
    CHECK_EQUAL(packet[0] & 0xF6, 0x32);
    CHECK_EQUAL(packet[1], 6);
    if (!(packet[0] & 8))
        CHECK(!server->seen[number]);
    server->seen[number] = true;
    CHECK(server->to_ack_count < 64);
    server->to_ack[server->to_ack_count++] = (uint16_t)(packet[5] << 8 | packet[6]);
}

static void serve(struct server *server)
{
    size_t at = 0;
    while (server->size - at >= 2) {
        const uint8_t *packet = server->bytes + at;
        const size_t size = 2u + packet[1];
        CHECK(packet[1] < 128);
        if (server->size - at < size)
            break;
        if (packet[0] == 0x10) {
            CHECK(!server->is_connected);
            server->is_connected = true;
        } else {
            CHECK(server->is_connected);
            if (packet[0] != 0xC0)
                serve_publish(server, packet);
        }
        at += size;
    }
    memmove(server->bytes, server->bytes + at, server->size - at);
    server->size -= at;
}

// One step of a run: the client sends some bytes, the server reads and answers some, time passes,
// and now and then the connection breaks.
static void random_step(struct client *client, struct server *server, uint32_t *random,
                        uint64_t *now_ms, bool may_break)
{
    const uint8_t *bytes;
    size_t size;
    if (ag_mqtt_state(&client->mqtt) == AG_MQTT_IDLE) {
        memset(server->bytes, 0, sizeof server->bytes);
        server->size = 0;
        server->to_ack_count = 0;
        server->is_connected = false;
        CHECK_EQUAL(ag_mqtt_connect(&client->mqtt, &login, *now_ms), AG_OK);
    }
    if (ag_mqtt_output(&client->mqtt, &bytes, &size)) {
        size = 1 + random_below(random, (uint32_t)size);
        memcpy(server->bytes + server->size, bytes, size);
        server->size += size;
        ag_mqtt_sent(&client->mqtt, size, *now_ms);
        const bool was_connected = server->is_connected;
        serve(server);
        if (!was_connected && server->is_connected)
            CHECK_EQUAL(feed(client, "\x20\x02\x00\x00", 4, *now_ms), AG_OK);
    }
    if (server->to_ack_count > 0 && random_below(random, 3) == 0) {
        const uint16_t id = server->to_ack[0];
        const uint8_t ack[4] = { 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id };
        memmove(server->to_ack, server->to_ack + 1, --server->to_ack_count * sizeof id);
        const enum ag_status status = feed(client, ack, 4, *now_ms);
        CHECK(status == AG_OK || status == AG_ERR_AGAIN);
    }
    *now_ms += random_below(random, 3000);
    if (ag_mqtt_tick(&client->mqtt, *now_ms) != AG_OK ||
        (may_break && random_below(random, 20) == 0))
        ag_mqtt_lost(&client->mqtt);
}

static void every_message_of_qos_1_arrives_through_all_breaks(void)
{
    for (uint32_t seed = 1; seed <= 200; seed++) {
        static struct client client;
        static struct server server;
        uint32_t random = seed;
        uint64_t now_ms = 0;
        unsigned published = 0;
        begin(&client);
        memset(&server, 0, sizeof server);
        test_note("seed %u", seed);
        for (unsigned step = 0; step < 600; step++) {
            const uint8_t number = (uint8_t)published;
            const struct ag_mqtt_message message = { { "t", 1 }, &number, 1, 1 };
            if (published < 100 && random_below(&random, 4) == 0 &&
                ag_mqtt_publish(&client.mqtt, &message, NULL) == AG_OK)
                published++;
            random_step(&client, &server, &random, &now_ms, true);
        }
        for (unsigned step = 0; step < 2000 && ag_mqtt_unacknowledged(&client.mqtt) > 0; step++)
            random_step(&client, &server, &random, &now_ms, false);
        CHECK_EQUAL(ag_mqtt_unacknowledged(&client.mqtt), 0);
        CHECK(published > 20);
        for (unsigned i = 0; i < published; i++)
            CHECK(server.seen[i]);
    }
}

static const struct test_case cases[] = {
    TEST(a_login_is_written_as_the_standard_says),
    TEST(a_refusal_is_told_and_sticks),
    TEST(a_kept_session_is_told),
    TEST(a_subscription_is_written_and_answered),
    TEST(a_message_of_qos_0_is_sent_once_and_forgotten),
    TEST(topics_that_cannot_be_published_to_are_refused),
    TEST(a_message_of_qos_1_is_kept_until_it_is_acknowledged),
    TEST(messages_of_qos_1_survive_the_connection_in_order),
    TEST(a_repetition_does_not_cut_into_a_half_sent_packet),
    TEST(an_acknowledgement_during_the_repetition_ends_it_cleanly),
    TEST(an_acknowledgement_of_what_was_never_sent_is_ignored),
    TEST(messages_leave_room_for_the_session_itself),
    TEST(acknowledgements_may_come_in_any_order),
    TEST(an_id_in_use_is_not_given_out_again),
    TEST(a_message_being_received_keeps_room_for_its_acknowledgement),
    TEST(a_subscription_that_can_never_fit_says_so),
    TEST(sending_nothing_changes_nothing),
    TEST(without_keep_alive_nothing_is_due),
    TEST(pieces_of_any_size_tell_the_same),
    TEST(a_truncated_stream_waits_for_more),
    TEST(a_received_message_of_qos_1_is_acknowledged_at_its_end),
    TEST(without_room_for_acknowledgements_input_waits),
    TEST(a_message_larger_than_memory_passes_in_pieces),
    TEST(a_topic_that_is_too_long_is_told_cut),
    TEST(what_breaks_the_protocol_is_refused),
    TEST(before_connack_only_connack_may_come),
    TEST(a_quiet_connection_is_kept_alive),
    TEST(hearing_alone_or_speaking_alone_does_not_put_off_the_ping),
    TEST(a_dead_server_is_noticed),
    TEST(a_server_that_takes_nothing_is_noticed_too),
    TEST(goodbye_goes_out_behind_what_waits),
    TEST(every_packet_state_leads_to_done),
    TEST(every_input_of_up_to_two_bytes_is_survived),
    TEST(mutated_streams_tell_the_same_in_pieces),
    TEST(every_message_of_qos_1_arrives_through_all_breaks),
};
TEST_MAIN(cases)
