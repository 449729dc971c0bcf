// SPDX-License-Identifier: Apache-2.0
// Fuzz target of mqtt/mqtt.h: what a server may send to a client that has said something itself.
#include "fuzz.h"
#include "mqtt/mqtt.h"

struct run {
    struct ag_mqtt mqtt;
    enum ag_status status;
    uint32_t hash;
    uint64_t payload_left;
    uint8_t send[AG_CFG_MQTT_RESERVE + 256];
};

static void drain(struct run *run)
{
    const uint8_t *bytes;
    size_t size;
    while (ag_mqtt_output(&run->mqtt, &bytes, &size)) {
        run->hash = fuzz_hash(run->hash, bytes, size);
        ag_mqtt_sent(&run->mqtt, size, 0);
    }
}

static void take(struct run *run, const struct ag_mqtt_event *event)
{
    if (event->type == AG_MQTT_PAYLOAD) { // the only event that depends on the pieces
        FUZZ_CHECK(event->size > 0 && event->size <= run->payload_left);
        run->payload_left -= event->size;
        run->hash = fuzz_hash(run->hash, event->bytes, event->size);
        return;
    }
    if (event->type == AG_MQTT_PUBLISH)
        run->payload_left = event->total;
    if (event->type == AG_MQTT_PUBLISH_END)
        FUZZ_CHECK(run->payload_left == 0);
    run->hash = fuzz_hash_number(run->hash, event->type);
    run->hash = fuzz_hash_number(run->hash, (uint64_t)event->packet_id << 32 | event->total);
    run->hash = fuzz_hash(run->hash, event->topic.at, event->topic.size);
}

static int feed(void *context, const uint8_t *bytes, size_t size)
{
    struct run *run = context;
    struct ag_mqtt_event event;
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    do {
        // Draining after each event keeps the order of the output the same for all pieces.
        while ((run->status = ag_mqtt_next(&run->mqtt, &piece, 0, &event)) == AG_OK) {
            take(run, &event);
            drain(run);
        }
    } while (run->status == AG_ERR_AGAIN && ag_reader_left(&piece) > 0);
    return run->status == AG_ERR_AGAIN;
}

static uint32_t hash_of(const uint8_t *bytes, size_t size, uint8_t cut)
{
    static const struct ag_mqtt_options options = { 1000, 1000, 1000 };
    static const struct ag_mqtt_login login = { "d", "u", "p", 60, false };
    static const struct ag_mqtt_filter filter = { "a/#", 1 };
    const struct ag_mqtt_message message = { ag_text_of("t"), "xyz", 3, 1 };
    struct run run = { .hash = FUZZ_HASH_START, .status = AG_ERR_AGAIN };
    uint16_t id;
    ag_mqtt_init(&run.mqtt, run.send, sizeof run.send, &options);
    FUZZ_CHECK(ag_mqtt_connect(&run.mqtt, &login, 0) == AG_OK);
    drain(&run);
    FUZZ_CHECK(feed(&run, (const uint8_t *)"\x20\x02\x00\x00", 4));
    FUZZ_CHECK(ag_mqtt_subscribe(&run.mqtt, &filter, 1, &id) == AG_OK);
    FUZZ_CHECK(ag_mqtt_publish(&run.mqtt, &message, NULL) == AG_OK);
    FUZZ_CHECK(ag_mqtt_publish(&run.mqtt, &message, NULL) == AG_OK);
    drain(&run);
    fuzz_pieces(bytes, size, cut, feed, &run);
    FUZZ_CHECK(ag_mqtt_unacknowledged(&run.mqtt) <= 2);
    FUZZ_CHECK(run.status == AG_ERR_AGAIN || run.status == AG_ERR_MQTT_MALFORMED);
    return fuzz_hash_number(run.hash, run.status);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0)
        FUZZ_CHECK(hash_of(bytes + 1, size - 1, 0) == hash_of(bytes + 1, size - 1, bytes[0] | 1));
    return 0;
}
