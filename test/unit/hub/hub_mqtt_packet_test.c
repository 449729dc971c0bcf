// SPDX-License-Identifier: Apache-2.0
// The server's MQTT codec: vectors of the standard, and every way to be malformed.
#include "hub/mqtt_packet.h"

#include <stdlib.h>
#include <string.h>

#include "test/harness.h"

#define LIMIT 4096

// Reads whatever the bytes claim to be, from an allocation of exactly their size, so that the
// sanitizers see every byte read beyond it.
static enum ag_status read_packet(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    size_t header;
    size_t total;
    enum ag_status status = ag_mqtt_packet_frame(copy, size, LIMIT, &header, &total);
    if (status == AG_OK && total > size)
        status = AG_ERR_TRUNCATED;
    if (status != AG_OK) {
        free(copy);
        return status;
    }
    const uint8_t *body = copy + header;
    size_t body_size = total - header;
    struct ag_mqtt_connect connect;
    struct ag_mqtt_publish publish;
    struct ag_text filter;
    struct ag_reader reader;
    uint16_t id;
    uint8_t qos;
    switch (copy[0] >> 4) {
    case AG_MQTT_PACKET_CONNECT:
        status = ag_mqtt_packet_read_connect(copy[0], body, body_size, &connect);
        break;
    case AG_MQTT_PACKET_PUBLISH:
        status = ag_mqtt_packet_read_publish(copy[0], body, body_size, &publish);
        break;
    case AG_MQTT_PACKET_PUBACK:
        status = ag_mqtt_packet_read_puback(copy[0], body, body_size, &id);
        break;
    case AG_MQTT_PACKET_SUBSCRIBE:
    case AG_MQTT_PACKET_UNSUBSCRIBE:
        status = ag_mqtt_packet_begin_filters(copy[0], body, body_size, &reader, &id);
        while (status == AG_OK && ag_reader_left(&reader) > 0)
            status = ag_mqtt_packet_next_filter(copy[0], &reader, &filter, &qos);
        break;
    default:
        status = ag_mqtt_packet_read_empty(copy[0], body_size);
    }
    free(copy);
    return status;
}

static const uint8_t connect_packet[] = {
    0x10, 0x23, 0, 4,   'M', 'Q', 'T', 'T', 4,   0xee, 0,   180, 0, 3, 'd', 'e', 'v', 0,   1,
    't',  0,    2, 'w', 'w', 0,   5,   'u', 's', 'e',  'r', 's', 0, 4, 'p', 'a', 's', 's',
};
static const uint8_t publish_packet[] = { 0x32, 9, 0, 3, 'a', '/', 'b', 0, 7, 'h', 'i' };
static const uint8_t subscribe_packet[] = { 0x82, 12, 0, 1, 0, 3, 'a', '/', '#', 1, 0, 1, 'b', 0 };
static const uint8_t unsubscribe_packet[] = { 0xa2, 7, 0, 1, 0, 3, 'a', '/', '#' };
static const uint8_t puback_packet[] = { 0x40, 2, 0, 1 };
static const uint8_t ping_packet[] = { 0xc0, 0 };

static const struct {
    const uint8_t *bytes;
    size_t size;
} packets[] = {
    { connect_packet, sizeof connect_packet },         { publish_packet, sizeof publish_packet },
    { subscribe_packet, sizeof subscribe_packet },     { puback_packet, sizeof puback_packet },
    { unsubscribe_packet, sizeof unsubscribe_packet }, { ping_packet, sizeof ping_packet },
};
#define PACKET_COUNT (sizeof packets / sizeof packets[0])

static bool text_is(struct ag_text text, const char *want)
{
    return text.size == strlen(want) && memcmp(text.at, want, text.size) == 0;
}

static void connect_is_read_with_all_its_fields(void)
{
    struct ag_mqtt_connect connect;
    CHECK_EQUAL(
        ag_mqtt_packet_read_connect(0x10, connect_packet + 2, sizeof connect_packet - 2, &connect),
        AG_OK);
    CHECK(text_is(connect.client_id, "dev"));
    CHECK(text_is(connect.user_name, "users"));
    CHECK(text_is(connect.will_topic, "t"));
    CHECK_EQUAL(connect.will_size, 2);
    CHECK_EQUAL(connect.will_qos, 1);
    CHECK_EQUAL(connect.password_size, 4);
    CHECK_EQUAL(connect.keep_alive_s, 180);
    CHECK(connect.clean_session);
}

static void another_protocol_level_is_read_no_further(void)
{
    const uint8_t body[] = { 0, 4, 'M', 'Q', 'T', 'T', 5, 0xff, 0xff };
    struct ag_mqtt_connect connect;
    CHECK_EQUAL(ag_mqtt_packet_read_connect(0x10, body, sizeof body, &connect), AG_OK);
    CHECK_EQUAL(connect.level, 5);
}

static void connect_flags_that_contradict_are_malformed(void)
{
    uint8_t packet[sizeof connect_packet];
    memcpy(packet, connect_packet, sizeof packet);
    // Reserved bit; will QoS 3; password without user name; will QoS or retain without a will.
    static const uint8_t bad[] = { 0xef, 0xfe, 0x6e, 0xca, 0xe2 };
    for (size_t i = 0; i < sizeof bad; i++) {
        test_note("flags %02x", bad[i]);
        packet[9] = bad[i];
        CHECK_EQUAL(read_packet(packet, sizeof packet), AG_ERR_MALFORMED);
    }
}

static void publish_is_read_with_topic_id_and_payload(void)
{
    struct ag_mqtt_publish publish;
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x3b, publish_packet + 2, 9, &publish), AG_OK);
    CHECK(text_is(publish.topic, "a/b"));
    CHECK_EQUAL(publish.packet_id, 7);
    CHECK_EQUAL(publish.qos, 1);
    CHECK(publish.retain && publish.duplicate);
    CHECK_EQUAL(publish.payload_size, 2);
    CHECK_BYTES(publish.payload, "hi", 2);
}

static void publish_with_qos_3_id_0_wildcards_or_no_topic_is_malformed(void)
{
    struct ag_mqtt_publish publish;
    const uint8_t id_zero[] = { 0, 1, 'a', 0, 0 };
    const uint8_t no_topic[] = { 0, 0 };
    const uint8_t plus[] = { 0, 1, '+' };
    const uint8_t hash[] = { 0, 2, 'a', '#' };
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x36, publish_packet + 2, 9, &publish),
                AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x38, publish_packet + 2, 9, &publish),
                AG_ERR_MALFORMED); // duplicate of QoS 0
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x32, id_zero, sizeof id_zero, &publish),
                AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x30, no_topic, sizeof no_topic, &publish),
                AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x30, plus, sizeof plus, &publish), AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_read_publish(0x30, hash, sizeof hash, &publish), AG_ERR_MALFORMED);
}

static void filters_are_read_one_by_one(void)
{
    struct ag_reader reader;
    struct ag_text filter;
    uint16_t id;
    uint8_t qos;
    CHECK_EQUAL(ag_mqtt_packet_begin_filters(0x82, subscribe_packet + 2, 12, &reader, &id), AG_OK);
    CHECK_EQUAL(id, 1);
    CHECK_EQUAL(ag_mqtt_packet_next_filter(0x82, &reader, &filter, &qos), AG_OK);
    CHECK(text_is(filter, "a/#"));
    CHECK_EQUAL(qos, 1);
    CHECK_EQUAL(ag_mqtt_packet_next_filter(0x82, &reader, &filter, &qos), AG_OK);
    CHECK(text_is(filter, "b"));
    CHECK_EQUAL(ag_reader_left(&reader), 0);
}

static void wrong_reserved_flags_are_malformed(void)
{
    for (size_t i = 0; i < PACKET_COUNT; i++) {
        uint8_t packet[64];
        memcpy(packet, packets[i].bytes, packets[i].size);
        if (packet[0] >> 4 == AG_MQTT_PACKET_PUBLISH)
            continue;
        for (uint8_t flags = 0; flags < 16; flags++) {
            packet[0] = (uint8_t)((packets[i].bytes[0] & 0xf0) | flags);
            enum ag_status want = packet[0] == packets[i].bytes[0] ? AG_OK : AG_ERR_MALFORMED;
            CHECK_EQUAL(read_packet(packet, packets[i].size), want);
        }
    }
}

static void every_truncation_of_a_stream_asks_for_more(void)
{
    for (size_t i = 0; i < PACKET_COUNT; i++) {
        for (size_t size = 0; size < packets[i].size; size++) {
            test_note("packet %zu cut at %zu", i, size);
            CHECK_EQUAL(read_packet(packets[i].bytes, size), AG_ERR_TRUNCATED);
        }
        CHECK_EQUAL(read_packet(packets[i].bytes, packets[i].size), AG_OK);
    }
}

// A packet whose length field is honest about fewer bytes than its contents need. A PUBLISH may be
// cut in its payload, and SUBSCRIBE after a whole filter.
static void every_truncation_inside_a_packet_is_refused_or_a_shorter_packet(void)
{
    for (size_t i = 0; i < PACKET_COUNT; i++) {
        for (size_t size = 2; size < packets[i].size; size++) {
            uint8_t packet[64];
            memcpy(packet, packets[i].bytes, size);
            packet[1] = (uint8_t)(size - 2);
            test_note("packet %zu cut at %zu", i, size);
            enum ag_status status = read_packet(packet, size);
            bool may_be_shorter = (packets[i].bytes == publish_packet && size >= 9) ||
                                  (packets[i].bytes == subscribe_packet && size == 10);
            CHECK_EQUAL(status == AG_OK, may_be_shorter);
        }
    }
}

static void trailing_bytes_are_malformed(void)
{
    for (size_t i = 0; i < PACKET_COUNT; i++) {
        uint8_t packet[64] = { 0 };
        if (packets[i].bytes == publish_packet)
            continue;
        memcpy(packet, packets[i].bytes, packets[i].size);
        packet[1]++;
        test_note("packet %zu", i);
        CHECK(read_packet(packet, packets[i].size + 1) != AG_OK);
    }
}

static void every_flipped_bit_is_read_without_harm(void)
{
    size_t accepted = 0;
    for (size_t i = 0; i < PACKET_COUNT; i++) {
        for (size_t bit = 0; bit < packets[i].size * 8; bit++) {
            uint8_t packet[64];
            memcpy(packet, packets[i].bytes, packets[i].size);
            packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
            accepted += read_packet(packet, packets[i].size) == AG_OK;
        }
    }
    CHECK(accepted > 0); // flips in names and payloads stay valid
}

static void all_inputs_of_two_bytes_are_read_without_harm(void)
{
    size_t whole = 0;
    for (unsigned value = 0; value < 65536; value++) {
        const uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
        whole += read_packet(bytes, 2) == AG_OK;
        (void)read_packet(bytes, 1);
    }
    CHECK_EQUAL(whole, 11); // types without a body, with flags 0: all but 1, 3, 4, 8 and 10
}

static void a_length_of_five_bytes_or_beyond_the_limit_is_malformed(void)
{
    size_t header;
    size_t total;
    const uint8_t five[] = { 0x30, 0x80, 0x80, 0x80, 0x80, 1 };
    const uint8_t longest[] = { 0x30, 0xff, 0xff, 0xff, 0x7f };
    const uint8_t at_limit[] = { 0x30, 0xfd, 0x1f }; // 4093 + 3 bytes
    const uint8_t over_limit[] = { 0x30, 0xfe, 0x1f };
    CHECK_EQUAL(ag_mqtt_packet_frame(five, sizeof five, LIMIT, &header, &total), AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_frame(longest, sizeof longest, LIMIT, &header, &total),
                AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_mqtt_packet_frame(longest, sizeof longest, 300000000, &header, &total), AG_OK);
    CHECK_EQUAL(total, 268435460);
    CHECK_EQUAL(ag_mqtt_packet_frame(at_limit, sizeof at_limit, LIMIT, &header, &total), AG_OK);
    CHECK_EQUAL(total, LIMIT);
    CHECK_EQUAL(ag_mqtt_packet_frame(over_limit, sizeof over_limit, LIMIT, &header, &total),
                AG_ERR_MALFORMED);
}

static enum ag_status read_topic(const char *topic, size_t size)
{
    uint8_t packet[32] = { 0x30, (uint8_t)(2 + size), 0, (uint8_t)size };
    memcpy(packet + 4, topic, size);
    return read_packet(packet, 4 + size);
}

static void texts_must_be_utf8_without_nul(void)
{
    static const char *const good[] = {
        "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\xb1", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"
    };
    static const char *const bad[] = {
        "\x80",
        "\xc3",
        "\xc3(",
        "\xc0\xaf",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xe2\x82",
        "\xf0\x9f\x8c",
        "\xf4\x90\x80\x80",
        "\xf0\x80\x80\xaf",
        "\xff",
        "\xe2\x28\xa1",
        "\xf8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_EQUAL(read_topic(good[i], strlen(good[i])), AG_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("text %zu", i);
        CHECK_EQUAL(read_topic(bad[i], strlen(bad[i])), AG_ERR_MALFORMED);
    }
    CHECK_EQUAL(read_topic("a\0b", 3), AG_ERR_MALFORMED);
}

static void the_writers_make_the_packets_of_the_standard(void)
{
    uint8_t out[64];
    struct ag_writer writer;
    const uint8_t codes[] = { 1, 0, 0x80 };
    const uint8_t want[] = { 0x20, 2, 1, 0,    0x20, 2, 0, 5, 0x40, 2, 0x12, 0x34, 0x90, 5, 0,
                             9,    1, 0, 0x80, 0xb0, 2, 0, 9, 0xd0, 0, 0x30, 5,    0,    1, 't' };
    ag_writer_init(&writer, out, sizeof out);
    ag_mqtt_packet_write_connack(&writer, true, 0);
    ag_mqtt_packet_write_connack(&writer, true, 5); // a refusal never says that a session is there
    ag_mqtt_packet_write_puback(&writer, 0x1234);
    ag_mqtt_packet_write_suback(&writer, 9, codes, sizeof codes);
    ag_mqtt_packet_write_unsuback(&writer, 9);
    ag_mqtt_packet_write_pingresp(&writer);
    ag_mqtt_packet_write_publish_head(&writer, "t", 2);
    CHECK_EQUAL(writer.status, AG_OK);
    CHECK_EQUAL(writer.size, sizeof want);
    CHECK_BYTES(out, want, sizeof want);
}

static void lengths_at_the_borders_of_their_bytes_come_back(void)
{
    static const size_t sizes[] = { 0, 124, 125, 16380, 16381, 2097148, 2097149 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t out[16];
        struct ag_writer writer;
        size_t header;
        size_t total;
        ag_writer_init(&writer, out, sizeof out);
        ag_mqtt_packet_write_publish_head(&writer, "t", sizes[i]);
        CHECK_EQUAL(ag_mqtt_packet_frame(out, writer.size, 3000000, &header, &total), AG_OK);
        CHECK_EQUAL(total, writer.size + sizes[i]);
    }
}

static const struct test_case cases[] = {
    TEST(connect_is_read_with_all_its_fields),
    TEST(another_protocol_level_is_read_no_further),
    TEST(connect_flags_that_contradict_are_malformed),
    TEST(publish_is_read_with_topic_id_and_payload),
    TEST(publish_with_qos_3_id_0_wildcards_or_no_topic_is_malformed),
    TEST(filters_are_read_one_by_one),
    TEST(wrong_reserved_flags_are_malformed),
    TEST(every_truncation_of_a_stream_asks_for_more),
    TEST(every_truncation_inside_a_packet_is_refused_or_a_shorter_packet),
    TEST(trailing_bytes_are_malformed),
    TEST(every_flipped_bit_is_read_without_harm),
    TEST(all_inputs_of_two_bytes_are_read_without_harm),
    TEST(a_length_of_five_bytes_or_beyond_the_limit_is_malformed),
    TEST(texts_must_be_utf8_without_nul),
    TEST(the_writers_make_the_packets_of_the_standard),
    TEST(lengths_at_the_borders_of_their_bytes_come_back),
};
TEST_MAIN(cases)
