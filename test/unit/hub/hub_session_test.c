// SPDX-License-Identifier: Apache-2.0
// The hub's MQTT sessions on a simulated transport under virtual time: no socket, no waiting.
#include "hub/mqtt_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/percent.h"
#include "hub/hub.h"
#include "hub/twin_store.h"
#include "test/harness.h"

#define WALL_START_MS 1795377634000
#define KEY           "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

struct world {
    struct ag_hub hub;
    char folder[64];
    int64_t time_ms; // since the start; both clocks run by it
};

struct client {
    struct ag_mqtt_session *session;
    uint8_t input[4096]; // sent by the client and not yet taken
    size_t input_size;
    uint8_t output[16384]; // sent by the hub
    size_t output_size;
    bool closed;
    size_t chunk; // bytes fed at once; 0: all
};

static struct world world;

static int64_t wall_ms(void *context)
{
    (void)context;
    return WALL_START_MS + world.time_ms;
}

static int64_t steady_ms(void *context)
{
    (void)context;
    return 1000 + world.time_ms;
}

static void add_device(const char *id)
{
    struct ag_device device = { .etag = 1, .enabled = true };
    snprintf(device.id, sizeof device.id, "%s", id);
    strcpy(device.primary_key, KEY);
    strcpy(device.secondary_key, "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=");
    CHECK_EQUAL(ag_device_store_add(&world.hub.db, &device, wall_ms(NULL)), AG_OK);
    ag_db_commit(&world.hub.db);
}

static void open_world(void)
{
    struct ag_hub_clock clock = { wall_ms, steady_ms, NULL };
    world.time_ms = 0;
    strcpy(world.folder, "/tmp/ag-session-XXXXXX");
    CHECK(mkdtemp(world.folder) != NULL);
    CHECK_EQUAL(ag_hub_open(&world.hub, world.folder, "hub.test", clock, NULL, NULL), AG_OK);
    add_device("dev");
}

static void close_world(void)
{
    static const char *const names[] = { "hub.db", "hub.db-wal", "hub.db-shm" };
    ag_hub_close(&world.hub);
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", world.folder, names[i]);
        (void)unlink(name);
    }
    (void)rmdir(world.folder);
}

static void transport_send(void *link, const void *bytes, size_t size)
{
    struct client *client = link;
    CHECK(!client->closed);
    CHECK(size <= sizeof client->output - client->output_size);
    memcpy(client->output + client->output_size, bytes, size);
    client->output_size += size;
}

static void transport_close(void *link)
{
    struct client *client = link;
    client->closed = true;
}

static const struct ag_mqtt_transport transport = { transport_send, transport_close };

static struct client *new_client(void)
{
    struct client *client = calloc(1, sizeof *client);
    client->session = ag_mqtt_session_new(&world.hub, &transport, client);
    return client;
}

static void free_client(struct client *client)
{
    ag_mqtt_session_free(client->session);
    free(client);
}

// What a transport does: it feeds what has come, when it is worth it, and keeps the rest.
static void feed_some(struct client *client, const uint8_t *bytes, size_t size)
{
    CHECK(size <= sizeof client->input - client->input_size);
    memcpy(client->input + client->input_size, bytes, size);
    client->input_size += size;
    if (client->closed || client->input_size < client->session->wanted)
        return;
    uint8_t *exact = malloc(client->input_size); // so that reading beyond is seen
    memcpy(exact, client->input, client->input_size);
    size_t used = ag_mqtt_session_feed(client->session, exact, client->input_size);
    free(exact);
    CHECK(used <= client->input_size);
    memmove(client->input, client->input + used, client->input_size - used);
    client->input_size -= used;
}

static void feed(struct client *client, const void *bytes, size_t size)
{
    size_t chunk = client->chunk == 0 ? size : client->chunk;
    for (size_t at = 0; at < size; at += chunk)
        feed_some(client, (const uint8_t *)bytes + at, size - at < chunk ? size - at : chunk);
}

struct packet {
    uint8_t bytes[2048];
    size_t size;
};

static void append(struct packet *packet, const void *bytes, size_t size)
{
    memcpy(packet->bytes + packet->size, bytes, size);
    packet->size += size;
}

static void append_text(struct packet *packet, const char *text)
{
    uint8_t size[2] = { (uint8_t)(strlen(text) >> 8), (uint8_t)strlen(text) };
    append(packet, size, 2);
    append(packet, text, strlen(text));
}

// Puts the fixed header in front; all lengths here take two bytes.
static struct packet finish(uint8_t first, const struct packet *body)
{
    struct packet packet = { .size = 0 };
    uint8_t header[3] = { first, (uint8_t)(body->size & 0x7f) | 0x80, (uint8_t)(body->size >> 7) };
    append(&packet, header, 3);
    append(&packet, body->bytes, body->size);
    return packet;
}

static struct packet connect_packet(const char *client_id, const char *user_name,
                                    const char *password, bool clean, uint16_t keep_alive)
{
    struct packet body = { .size = 0 };
    uint8_t head[4] = { 4, (uint8_t)(0xc0 | (clean ? 2 : 0)), (uint8_t)(keep_alive >> 8),
                        (uint8_t)keep_alive };
    append_text(&body, "MQTT");
    append(&body, head, 4);
    append_text(&body, client_id);
    append_text(&body, user_name);
    append_text(&body, password);
    return finish(0x10, &body);
}

static struct packet publish_packet(const char *topic, const char *payload, uint8_t qos)
{
    struct packet body = { .size = 0 };
    uint8_t id[2] = { 0, 9 };
    append_text(&body, topic);
    if (qos > 0)
        append(&body, id, 2);
    append(&body, payload, strlen(payload));
    return finish((uint8_t)(0x30 | qos << 1), &body);
}

static struct packet filter_packet(uint8_t first, const char *filter, int qos)
{
    struct packet body = { .size = 0 };
    uint8_t id[2] = { 0, 1 };
    uint8_t wanted = (uint8_t)qos;
    append(&body, id, 2);
    append_text(&body, filter);
    if (first == 0x82)
        append(&body, &wanted, 1);
    return finish(first, &body);
}

static void make_token(const char *resource, const char *key, const char *policy, int64_t expiry_s,
                       char *token, size_t capacity)
{
    char text[512];
    uint8_t mac[32];
    char signature[64];
    char encoded[192];
    snprintf(text, sizeof text, "%s\n%lld", resource, (long long)expiry_s);
    CHECK(ag_encoding_hmac(key, text, strlen(text), mac));
    ag_encoding_base64(mac, sizeof mac, signature);
    struct ag_writer writer;
    ag_writer_init(&writer, encoded, sizeof encoded);
    ag_percent_encode(&writer, ag_text_of(signature), AG_PERCENT_URI);
    (void)ag_writer_finish_text(&writer);
    snprintf(token, capacity, "SharedAccessSignature sr=%s&sig=%s&se=%lld%s%s", resource, encoded,
             (long long)expiry_s, policy[0] != '\0' ? "&skn=" : "", policy);
}

static void send_packet(struct client *client, struct packet packet)
{
    feed(client, packet.bytes, packet.size);
}

static struct packet good_connect(bool clean, uint16_t keep_alive)
{
    char token[512];
    make_token("hub.test%2Fdevices%2Fdev", KEY, "", WALL_START_MS / 1000 + 3600, token,
               sizeof token);
    return connect_packet("dev", "hub.test/dev/?api-version=2021-04-12&DeviceClientType=a b", token,
                          clean, keep_alive);
}

static struct client *connected_client(bool clean)
{
    struct client *client = new_client();
    send_packet(client, good_connect(clean, 10));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output_size, 4);
    CHECK_EQUAL(client->output[3], 0);
    client->output_size = 0;
    return client;
}

static void subscribe(struct client *client, const char *filter)
{
    send_packet(client, filter_packet(0x82, filter, 0));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output[0], 0x90);
    client->output_size = 0;
}

// True when the hub has sent exactly one PUBLISH with this topic; the payload is checked by its
// part.
static bool was_sent(const struct client *client, const char *topic, const char *payload_part)
{
    size_t header;
    size_t total;
    struct ag_mqtt_publish publish;
    if (ag_mqtt_packet_frame(client->output, client->output_size, 100000, &header, &total) !=
            AG_OK ||
        total != client->output_size ||
        ag_mqtt_packet_read_publish(client->output[0], client->output + header, total - header,
                                    &publish) != AG_OK)
        return false;
    return publish.topic.size == strlen(topic) &&
           memcmp(publish.topic.at, topic, publish.topic.size) == 0 &&
           (payload_part[0] == '\0' ? publish.payload_size == 0
                                    : memmem(publish.payload, publish.payload_size, payload_part,
                                             strlen(payload_part)) != NULL);
}

static void a_device_with_a_good_token_is_accepted(void)
{
    open_world();
    struct client *client = connected_client(true);
    CHECK(ag_hub_session_of(&world.hub, "dev") == client->session);
    CHECK(!client->closed);
    free_client(client);
    CHECK(ag_hub_session_of(&world.hub, "dev") == NULL);
    close_world();
}

static void check_refused(const char *client_id, const char *user_name, const char *token)
{
    struct client *client = new_client();
    test_note("%s %s", client_id, user_name);
    send_packet(client, connect_packet(client_id, user_name, token, true, 10));
    CHECK_EQUAL(client->output_size, 4);
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0x20, 2, 0, 5 }), 4);
    CHECK(client->closed);
    free_client(client);
}

static void whoever_lacks_a_good_token_is_refused_with_code_5(void)
{
    open_world();
    add_device("other");
    static const char user[] = "hub.test/dev/?api-version=2021-04-12";
    int64_t later = WALL_START_MS / 1000 + 60;
    char good[512];
    char token[512];
    make_token("hub.test%2Fdevices%2Fdev", KEY, "", later, good, sizeof good);
    check_refused("none", "hub.test/none/?api-version=2021-04-12", good);
    check_refused("other", user, good);
    check_refused("other", "hub.test/other/?api-version=2021-04-12", good);
    check_refused("dev", "elsewhere/dev/?api-version=2021-04-12", good);
    check_refused("dev", "hub.test/dev/", good);
    check_refused("dev", "hub.test/dev/?api-version=", good);
    check_refused("dev", "hub.test/dev", good);
    check_refused("dev", "", good);
    check_refused("dev/module", "hub.test/dev/module/?api-version=2021-04-12", good);
    check_refused("dev", user, "");
    check_refused("dev", user, "password");
    make_token("hub.test%2Fdevices%2Fdev", KEY, "", WALL_START_MS / 1000, token, sizeof token);
    check_refused("dev", user, token);
    make_token("hub.test%2Fdevices%2Fother", KEY, "", later, token, sizeof token);
    check_refused("dev", user, token);
    make_token("hub.test%2Fdevices%2Fdev", "ZmFsc2VmYWxzZWZhbHNl", "", later, token, sizeof token);
    check_refused("dev", user, token);
    make_token("hub.test%2Fdevices%2Fdev", KEY, "device", later, token, sizeof token);
    check_refused("dev", user, token);
    make_token("hub.test", world.hub.policies.keys[1][0], "service", later, token, sizeof token);
    check_refused("dev", user, token);
    CHECK_EQUAL(
        sqlite3_exec(world.hub.db.handle, "UPDATE devices SET enabled = 0", NULL, NULL, NULL),
        SQLITE_OK);
    check_refused("dev", user, good);
    close_world();
}

static void policies_and_second_keys_are_accepted(void)
{
    open_world();
    int64_t later = WALL_START_MS / 1000 + 60;
    char tokens[3][512];
    make_token("HUB.test", world.hub.policies.keys[0][1], "iothubowner", later, tokens[0], 512);
    make_token("hub.test/devices", world.hub.policies.keys[2][0], "device", later, tokens[1], 512);
    make_token("hub.test/devices/dev", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=", "", later,
               tokens[2], 512);
    for (size_t i = 0; i < 3; i++) {
        struct client *client = new_client();
        test_note("token %zu", i);
        send_packet(client,
                    connect_packet("dev", "Hub.Test/dev/?model-id=dtmi%3Aa%3B1&api-version=1",
                                   tokens[i], true, 10));
        ag_db_commit(&world.hub.db);
        CHECK_EQUAL(client->output[3], 0);
        CHECK(!client->closed);
        free_client(client);
    }
    struct ag_device device;
    CHECK_EQUAL(ag_device_store_get(&world.hub.db, "dev", &device), AG_OK);
    CHECK_TEXT(device.model_id, "dtmi:a;1");
    close_world();
}

static void another_protocol_version_gets_code_1(void)
{
    open_world();
    struct client *client = new_client();
    const uint8_t connect[] = { 0x10, 10, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0 };
    feed(client, connect, sizeof connect);
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0x20, 2, 0, 1 }), 4);
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void check_closed_by(struct packet packet, bool connected)
{
    struct client *client = connected ? connected_client(true) : new_client();
    send_packet(client, packet);
    CHECK(client->closed);
    CHECK_EQUAL(client->output_size, 0);
    free_client(client);
}

static void what_breaks_the_rules_closes_the_connection(void)
{
    open_world();
    struct packet ping = { { 0xc0, 0 }, 2 };
    struct packet bad_ping = { { 0xc1, 0 }, 2 };
    struct packet connack = { { 0x20, 2, 0, 0 }, 4 };
    struct packet huge = { { 0x30, 0xff, 0xff, 0xff, 0x7f }, 5 };
    check_closed_by(ping, false);
    check_closed_by(huge, false);
    check_closed_by(good_connect(true, 10), true);
    check_closed_by(bad_ping, true);
    check_closed_by(connack, true);
    check_closed_by(huge, true);
    check_closed_by(publish_packet("devices/dev/messages/events/", "x", 2), true);
    check_closed_by(publish_packet("devices/other/messages/events/", "x", 0), true);
    check_closed_by(publish_packet("devices/dev/messages/eventsx", "x", 0), true);
    check_closed_by(publish_packet("foreign", "x", 0), true);
    check_closed_by(publish_packet("$iothub/twin/GET/", "", 0), true);
    check_closed_by(publish_packet("$iothub/twin/GET/?$rid=", "", 0), true);
    check_closed_by(publish_packet("$iothub/twin/PUT/?$rid=1", "", 0), true);
    check_closed_by(publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1", "", 1), true);
    check_closed_by(filter_packet(0x82, "#", 0), true);
    check_closed_by(filter_packet(0x82, "devices/other/messages/devicebound/#", 0), true);
    check_closed_by(filter_packet(0x82, "$dps/registrations/res/#", 1), true);
    close_world();
}

static void telemetry_is_acknowledged_and_counted(void)
{
    open_world();
    struct client *client = connected_client(true);
    send_packet(client, publish_packet("devices/dev/messages/events/%24.ct=a", "{}", 1));
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0x40, 2, 0, 9 }), 4);
    send_packet(client, publish_packet("devices/dev/messages/events", "", 0));
    CHECK_EQUAL(client->output_size, 4);
    CHECK_EQUAL(world.hub.telemetry_count, 2);
    free_client(client);
    close_world();
}

static void the_twin_is_sent_to_who_asks(void)
{
    open_world();
    struct client *client = connected_client(true);
    subscribe(client, "$iothub/twin/res/#");
    send_packet(client, publish_packet("$iothub/twin/GET/?$rid=a-1%20&x=y", " ", 0));
    CHECK(was_sent(client, "$iothub/twin/res/200/?$rid=a-1%20",
                   "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}"));
    free_client(client);
    close_world();
}

static void a_report_is_answered_after_the_commit_and_not_before(void)
{
    open_world();
    struct client *client = connected_client(true);
    subscribe(client, "$iothub/twin/res/#");
    send_packet(client, publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=7",
                                       "{\"a\":{\"b\":1}}", 0));
    CHECK_EQUAL(client->output_size, 0);
    send_packet(client, publish_packet("$iothub/twin/GET/?$rid=8", "", 0));
    CHECK_EQUAL(client->output_size, 0); // it would show what is not yet durable
    ag_db_commit(&world.hub.db);
    size_t header;
    size_t total;
    CHECK_EQUAL(ag_mqtt_packet_frame(client->output, client->output_size, 10000, &header, &total),
                AG_OK);
    struct client first = *client;
    first.output_size = total;
    CHECK(was_sent(&first, "$iothub/twin/res/204/?$rid=7&$version=2", ""));
    memmove(client->output, client->output + total, client->output_size - total);
    client->output_size -= total;
    CHECK(was_sent(client, "$iothub/twin/res/200/?$rid=8",
                   "\"reported\":{\"a\":{\"b\":1},\"$version\":2}"));
    free_client(client);
    close_world();
}

static void a_report_that_is_lost_closes_the_connection(void)
{
    open_world();
    struct client *client = connected_client(true);
    subscribe(client, "$iothub/twin/res/#");
    send_packet(client, publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=7", "{}", 0));
    (void)ag_db_write(&world.hub.db, "INSERT INTO settings VALUES ('idScope', 'twice')", "");
    ag_db_commit(&world.hub.db);
    CHECK(client->closed);
    CHECK_EQUAL(client->output_size, 0);
    free_client(client);
    close_world();
}

static void a_bad_report_gets_400_and_the_connection_stays(void)
{
    static const char *const bad[] = { "", "x", "[]", "{\"a.b\":1}", "{\"a\":[null]}", "{\"a\":1" };
    open_world();
    struct client *client = connected_client(true);
    subscribe(client, "$iothub/twin/res/#");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        send_packet(client,
                    publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=q", bad[i], 0));
        CHECK(was_sent(client, "$iothub/twin/res/400/?$rid=q", "\"errorCode\":400004"));
        client->output_size = 0;
    }
    CHECK(!client->closed);
    free_client(client);
    close_world();
}

static json_t *change_desired(const char *text, struct ag_problem *problem)
{
    json_t *document = json_loads(text, 0, NULL);
    json_t *delivery = NULL;
    CHECK(document != NULL);
    struct ag_twin_change change = { document, false, -1, wall_ms(NULL) };
    CHECK(ag_twin_store_change(&world.hub.db, "dev", &change, &delivery, problem));
    json_decref(document);
    return delivery;
}

static void desired_changes_are_delivered_after_the_commit_to_subscribers_only(void)
{
    struct ag_problem problem;
    open_world();
    struct client *client = connected_client(true);
    ag_hub_deliver_desired(&world.hub, "dev",
                           change_desired("{\"properties\":{\"desired\":{\"a\":1}}}", &problem));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output_size, 0);
    subscribe(client, "$iothub/twin/PATCH/properties/desired/#");
    ag_hub_deliver_desired(
        &world.hub, "dev",
        change_desired("{\"properties\":{\"desired\":{\"a\":null,\"b\":2}}}", &problem));
    CHECK_EQUAL(client->output_size, 0);
    ag_db_commit(&world.hub.db);
    CHECK(was_sent(client, "$iothub/twin/PATCH/properties/desired/?$version=3",
                   "{\"a\":null,\"b\":2,\"$version\":3}"));
    client->output_size = 0;
    send_packet(client, filter_packet(0xa2, "$iothub/twin/PATCH/properties/desired/#", 0));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output[0], 0xb0);
    client->output_size = 0;
    ag_hub_deliver_desired(&world.hub, "dev",
                           change_desired("{\"properties\":{\"desired\":{\"b\":3}}}", &problem));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output_size, 0);
    free_client(client);
    close_world();
}

static void subscriptions_survive_with_clean_session_0_only(void)
{
    open_world();
    struct client *client = connected_client(false);
    subscribe(client, "$iothub/twin/res/#");
    free_client(client);
    client = new_client();
    send_packet(client, good_connect(false, 10));
    ag_db_commit(&world.hub.db);
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0x20, 2, 1, 0 }), 4);
    client->output_size = 0;
    send_packet(client, publish_packet("$iothub/twin/GET/?$rid=1", "", 0));
    ag_db_commit(&world.hub.db);
    CHECK(was_sent(client, "$iothub/twin/res/200/?$rid=1", "reported"));
    free_client(client);
    client = connected_client(true);
    send_packet(client, publish_packet("$iothub/twin/GET/?$rid=1", "", 0));
    ag_db_commit(&world.hub.db);
    CHECK_EQUAL(client->output_size, 0);
    free_client(client);
    client = connected_client(false); // says that no session is present
    free_client(client);
    close_world();
}

static void a_second_connection_evicts_the_first(void)
{
    open_world();
    struct client *first = connected_client(true);
    struct client *second = connected_client(true);
    CHECK(first->closed && !second->closed);
    CHECK(ag_hub_session_of(&world.hub, "dev") == second->session);
    free_client(first); // must not take the second one's place away
    CHECK(ag_hub_session_of(&world.hub, "dev") == second->session);
    free_client(second);
    close_world();
}

static void silence_of_one_and_a_half_keep_alives_closes(void)
{
    open_world();
    struct client *client = connected_client(true); // 10 s
    world.time_ms += 14999;
    ag_hub_tick(&world.hub);
    CHECK(!client->closed);
    const uint8_t ping[] = { 0xc0, 0 };
    feed(client, ping, 2);
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0xd0, 0 }), 2);
    world.time_ms += 14999;
    ag_hub_tick(&world.hub);
    CHECK(!client->closed);
    world.time_ms += 1;
    ag_hub_tick(&world.hub);
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void keep_alive_0_is_bounded_too(void)
{
    open_world();
    struct client *client = new_client();
    send_packet(client, good_connect(true, 0));
    world.time_ms += 1766999;
    ag_hub_tick(&world.hub);
    CHECK(!client->closed);
    world.time_ms += 1;
    ag_hub_tick(&world.hub);
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void who_does_not_connect_in_time_is_closed_however_slowly_it_sends(void)
{
    open_world();
    struct client *client = new_client();
    struct packet packet = good_connect(true, 10);
    for (size_t i = 0; i < 30; i++) {
        CHECK(!client->closed);
        feed(client, packet.bytes + i, 1);
        world.time_ms += 1000;
        ag_hub_tick(&world.hub);
    }
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void an_expired_token_closes_the_connection(void)
{
    open_world();
    struct client *client = connected_client(true); // for an hour
    const uint8_t ping[] = { 0xc0, 0 };
    for (int i = 0; i < 360; i++) {
        CHECK(!client->closed);
        world.time_ms += 10000;
        feed(client, ping, 2);
        ag_hub_tick(&world.hub);
    }
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void a_device_that_is_removed_or_disabled_is_disconnected_after_the_commit(void)
{
    open_world();
    struct client *client = connected_client(true);
    CHECK_EQUAL(ag_device_store_remove(&world.hub.db, "dev"), AG_OK);
    ag_hub_disconnect_device(&world.hub, "dev", "test");
    CHECK(!client->closed);
    ag_db_commit(&world.hub.db);
    CHECK(client->closed);
    free_client(client);
    close_world();
}

// A whole conversation, as the client's side of it.
static struct packet conversation(void)
{
    struct packet all = { .size = 0 };
    struct packet parts[] = {
        good_connect(false, 10),
        filter_packet(0x82, "$iothub/twin/res/#", 0),
        filter_packet(0x82, "$iothub/twin/PATCH/properties/desired/#", 1),
        publish_packet("$iothub/twin/GET/?$rid=1", " ", 0),
        publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=2", "{\"a\":1}", 1),
        publish_packet("devices/dev/messages/events/", "{}", 1),
        filter_packet(0xa2, "$iothub/twin/res/#", 0),
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        append(&all, parts[i].bytes, parts[i].size);
    append(&all, "\xc0\0\xe0\0", 4);
    return all;
}

static void any_split_of_the_bytes_gives_the_same_answers(void)
{
    uint8_t want[sizeof((struct client *)0)->output];
    size_t want_size = 0;
    for (size_t chunk = 0; chunk <= 20; chunk++) {
        open_world();
        struct client *client = new_client();
        struct packet all = conversation();
        test_note("chunks of %zu", chunk);
        client->chunk = chunk;
        all.size -= 2; // without DISCONNECT, behind which nothing is sent
        feed(client, all.bytes, all.size);
        CHECK(!client->closed);
        ag_db_commit(&world.hub.db);
        if (chunk == 0) {
            want_size = client->output_size;
            memcpy(want, client->output, want_size);
            CHECK(want_size > 150);
        }
        CHECK_EQUAL(client->output_size, want_size);
        CHECK_BYTES(client->output, want, want_size);
        feed(client, "\xe0\0", 2);
        CHECK(client->closed);
        free_client(client);
        close_world();
    }
}

static void every_flipped_bit_and_every_cut_of_a_conversation_is_survived(void)
{
    open_world();
    struct packet all = conversation();
    size_t closed = 0;
    for (size_t bit = 0; bit < all.size * 8; bit++) {
        struct client *client = new_client();
        struct packet flipped = all;
        flipped.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        feed(client, flipped.bytes, flipped.size);
        closed += client->closed;
        if (bit % 16 == 0)
            ag_db_commit(&world.hub.db);
        free_client(client);
    }
    CHECK(closed > all.size);
    for (size_t size = 0; size < all.size; size++) {
        struct client *client = new_client();
        feed(client, all.bytes, size);
        free_client(client); // with answers still waiting for the commit
    }
    ag_db_commit(&world.hub.db);
    struct client *client = connected_client(true);
    free_client(client);
    close_world();
}

// DPS -----------------------------------------------------------------------------------------

static void device_key_of_default_group(const char *id, char key[AG_ENCODING_KEY_TEXT])
{
    struct ag_enrollment group;
    CHECK_EQUAL(ag_enrollment_store_get(&world.hub.db, AG_ENROLLMENT_GROUP,
                                        AG_ENROLLMENT_DEFAULT_GROUP, &group),
                AG_OK);
    CHECK(ag_enrollment_store_derive(group.primary_key, id, key));
    ag_enrollment_store_clear(&group);
}

static struct packet dps_connect(const char *id, const char *key)
{
    char resource[256];
    char user[256];
    char token[512];
    snprintf(resource, sizeof resource, "%s%%2Fregistrations%%2F%s", world.hub.id_scope, id);
    snprintf(user, sizeof user, "%s/registrations/%s/api-version=2019-03-31", world.hub.id_scope,
             id);
    make_token(resource, key, "registration", WALL_START_MS / 1000 + 60, token, sizeof token);
    return connect_packet(id, user, token, true, 10);
}

static struct client *dps_client(const char *id)
{
    char key[AG_ENCODING_KEY_TEXT];
    struct client *client = new_client();
    device_key_of_default_group(id, key);
    send_packet(client, dps_connect(id, key));
    CHECK_BYTES(client->output, ((const uint8_t[]){ 0x20, 2, 0, 0 }), 4);
    client->output_size = 0;
    subscribe(client, "$dps/registrations/res/#");
    return client;
}

static void a_registration_is_answered_202_and_then_200(void)
{
    open_world();
    struct client *client = dps_client("New-1");
    send_packet(client, publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=r1",
                                       "{\"registrationId\":\"new-1\"}", 0));
    CHECK_EQUAL(client->output_size, 0);
    ag_db_commit(&world.hub.db);
    CHECK(was_sent(client, "$dps/registrations/res/202/?$rid=r1&retry-after=1", "\"assigning\""));
    client->output_size = 0;
    struct ag_registration registration;
    CHECK_EQUAL(ag_enrollment_store_registration(&world.hub.db, "NEW-1", &registration), AG_OK);
    char topic[256];
    snprintf(topic, sizeof topic,
             "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=r2&operationId=%s",
             registration.operation);
    send_packet(client, publish_packet(topic, " ", 0));
    CHECK(was_sent(client, "$dps/registrations/res/200/?$rid=r2", "\"assignedHub\":\"hub.test\""));
    CHECK(was_sent(client, "$dps/registrations/res/200/?$rid=r2", "\"deviceId\":\"New-1\""));
    struct ag_device device;
    char key[AG_ENCODING_KEY_TEXT];
    device_key_of_default_group("New-1", key);
    CHECK_EQUAL(ag_device_store_get(&world.hub.db, "New-1", &device), AG_OK);
    CHECK_TEXT(device.primary_key, key);
    free_client(client);
    close_world();
}

static void a_registration_with_a_wrong_key_scope_or_name_is_refused(void)
{
    open_world();
    char key[AG_ENCODING_KEY_TEXT];
    device_key_of_default_group("a", key);
    struct packet packets[] = { dps_connect("b", key), dps_connect("a_", key),
                                dps_connect("a", KEY) };
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct client *client = new_client();
        test_note("packet %zu", i);
        send_packet(client, packets[i]);
        CHECK_EQUAL(client->output[3], 5);
        CHECK(client->closed);
        free_client(client);
    }
    struct packet foreign = dps_connect("a", key);
    strcpy(world.hub.id_scope, "0neOTHER");
    struct client *client = new_client();
    send_packet(client, foreign);
    CHECK_EQUAL(client->output[3], 5);
    free_client(client);
    close_world();
}

static void bad_requests_of_a_registration_are_answered_or_close(void)
{
    open_world();
    struct client *client = dps_client("x");
    send_packet(client, publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1", "{", 0));
    CHECK(was_sent(client, "$dps/registrations/res/400/?$rid=1", "\"errorCode\":400004"));
    client->output_size = 0;
    send_packet(client, publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1",
                                       "{\"registrationId\":\"y\"}", 0));
    CHECK(was_sent(client, "$dps/registrations/res/400/?$rid=1", "\"errorCode\":400004"));
    client->output_size = 0;
    send_packet(client, publish_packet("$dps/registrations/GET/iotdps-get-operationstatus/"
                                       "?$rid=1&operationId=none",
                                       "", 0));
    CHECK(was_sent(client, "$dps/registrations/res/404/?$rid=1", "\"errorCode\":404203"));
    client->output_size = 0;
    send_packet(client, publish_packet("$dps/registrations/PUT/iotdps-register/", "", 0));
    CHECK(client->closed);
    free_client(client);
    client = dps_client("x");
    send_packet(client, publish_packet("$iothub/twin/GET/?$rid=1", "", 0));
    CHECK(client->closed);
    free_client(client);
    close_world();
}

static void a_disabled_group_registers_nobody_and_says_so(void)
{
    open_world();
    struct client *client = dps_client("x");
    CHECK_EQUAL(
        sqlite3_exec(world.hub.db.handle, "UPDATE enrollments SET enabled = 0", NULL, NULL, NULL),
        SQLITE_OK);
    send_packet(client, publish_packet("$dps/registrations/PUT/iotdps-register/?$rid=1", "", 0));
    CHECK(was_sent(client, "$dps/registrations/res/200/?$rid=1", "\"status\":\"disabled\""));
    struct ag_device device;
    CHECK_EQUAL(ag_device_store_get(&world.hub.db, "x", &device), AG_ERR_NOT_FOUND);
    free_client(client);
    close_world();
}

static const struct test_case cases[] = {
    TEST(a_device_with_a_good_token_is_accepted),
    TEST(whoever_lacks_a_good_token_is_refused_with_code_5),
    TEST(policies_and_second_keys_are_accepted),
    TEST(another_protocol_version_gets_code_1),
    TEST(what_breaks_the_rules_closes_the_connection),
    TEST(telemetry_is_acknowledged_and_counted),
    TEST(the_twin_is_sent_to_who_asks),
    TEST(a_report_is_answered_after_the_commit_and_not_before),
    TEST(a_report_that_is_lost_closes_the_connection),
    TEST(a_bad_report_gets_400_and_the_connection_stays),
    TEST(desired_changes_are_delivered_after_the_commit_to_subscribers_only),
    TEST(subscriptions_survive_with_clean_session_0_only),
    TEST(a_second_connection_evicts_the_first),
    TEST(silence_of_one_and_a_half_keep_alives_closes),
    TEST(keep_alive_0_is_bounded_too),
    TEST(who_does_not_connect_in_time_is_closed_however_slowly_it_sends),
    TEST(an_expired_token_closes_the_connection),
    TEST(a_device_that_is_removed_or_disabled_is_disconnected_after_the_commit),
    TEST(any_split_of_the_bytes_gives_the_same_answers),
    TEST(every_flipped_bit_and_every_cut_of_a_conversation_is_survived),
    TEST(a_registration_is_answered_202_and_then_200),
    TEST(a_registration_with_a_wrong_key_scope_or_name_is_refused),
    TEST(bad_requests_of_a_registration_are_answered_or_close),
    TEST(a_disabled_group_registers_nobody_and_says_so),
};
TEST_MAIN(cases)
