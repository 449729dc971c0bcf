// SPDX-License-Identifier: Apache-2.0
// One MQTT connection's protocol state.
#include "mqtt_session.h"

#include <stdlib.h>
#include <string.h>

#include "device_api.h"
#include "dps_api.h"
#include "hub.h"
#include "hub_log.h"
#include "memory.h"

#define CONNECT_TIMEOUT_MS 30000
#define SILENCE_MAX_MS     1767000 // Azure's longest, also for keep-alive 0
#define FILTERS_MAX        8       // in one SUBSCRIBE; Azure has five filters

enum {
    CONNACK_ACCEPTED = 0,
    CONNACK_BAD_LEVEL = 1,
    CONNACK_NOT_AUTHORIZED = 5,
};

struct ag_mqtt_pending {
    struct ag_db_waiter waiter;
    struct ag_mqtt_session *session; // NULL when it is gone
    struct ag_mqtt_pending *next;
    struct ag_mqtt_pending *previous;
    size_t size;
    uint8_t bytes[];
};

struct ag_mqtt_session *ag_mqtt_session_new(struct ag_hub *hub,
                                            const struct ag_mqtt_transport *transport, void *link)
{
    struct ag_mqtt_session *session = ag_memory_zeroed(sizeof *session);
    session->hub = hub;
    session->transport = transport;
    session->link = link;
    session->state = AG_MQTT_SESSION_WAITS_FOR_CONNECT;
    session->deadline_ms = ag_hub_steady_ms(hub) + CONNECT_TIMEOUT_MS;
    session->wanted = 2;
    session->next = hub->sessions;
    if (hub->sessions != NULL)
        hub->sessions->previous = session;
    hub->sessions = session;
    return session;
}

void ag_mqtt_session_free(struct ag_mqtt_session *session)
{
    ag_hub_detach(session->hub, session);
    for (struct ag_mqtt_pending *pending = session->pending; pending != NULL;
         pending = pending->next)
        pending->session = NULL;
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        session->hub->sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
    free(session);
}

void ag_mqtt_session_close(struct ag_mqtt_session *session, const char *reason)
{
    if (session->state == AG_MQTT_SESSION_IS_CLOSING)
        return;
    ag_hub_log_write(AG_HUB_LOG_INFO, "mqtt: %s disconnected: %s",
                     session->client_id[0] != '\0' ? session->client_id : "a client", reason);
    session->state = AG_MQTT_SESSION_IS_CLOSING;
    ag_hub_detach(session->hub, session);
    session->transport->close(session->link);
}

static void unlink_pending(struct ag_mqtt_pending *pending)
{
    struct ag_mqtt_session *session = pending->session;
    if (session == NULL)
        return;
    if (pending->previous != NULL)
        pending->previous->next = pending->next;
    else
        session->pending = pending->next;
    if (pending->next != NULL)
        pending->next->previous = pending->previous;
}

static void send_pending(struct ag_db_waiter *waiter, bool durable)
{
    struct ag_mqtt_pending *pending = (struct ag_mqtt_pending *)waiter;
    struct ag_mqtt_session *session = pending->session;
    unlink_pending(pending);
    if (session != NULL && session->state == AG_MQTT_SESSION_IS_CONNECTED) {
        if (durable)
            session->transport->send(session->link, pending->bytes, pending->size);
        else
            ag_mqtt_session_close(session, "the database failed");
    }
    free(pending);
}

void ag_mqtt_session_send(struct ag_mqtt_session *session, const void *bytes, size_t size)
{
    if (session->state == AG_MQTT_SESSION_IS_CLOSING)
        return;
    if (!session->hub->db.in_transaction) {
        session->transport->send(session->link, bytes, size);
        return;
    }
    struct ag_mqtt_pending *pending = ag_memory_zeroed(sizeof *pending + size);
    pending->waiter.done = send_pending;
    pending->session = session;
    pending->size = size;
    memcpy(pending->bytes, bytes, size);
    pending->next = session->pending;
    if (session->pending != NULL)
        session->pending->previous = pending;
    session->pending = pending;
    ag_db_when_durable(&session->hub->db, &pending->waiter);
}

void ag_mqtt_session_send_publish(struct ag_mqtt_session *session, const char *topic,
                                  const void *payload, size_t size)
{
    size_t capacity = strlen(topic) + size + 16;
    uint8_t *packet = ag_memory_zeroed(capacity);
    struct ag_writer writer;
    ag_writer_init(&writer, packet, capacity);
    ag_mqtt_packet_write_publish_head(&writer, topic, size);
    ag_writer_bytes(&writer, payload, size);
    if (writer.status == AG_OK)
        ag_mqtt_session_send(session, packet, writer.size);
    free(packet);
}

bool ag_mqtt_session_skip(struct ag_text *text, const char *prefix)
{
    if (!ag_text_starts_with(*text, prefix))
        return false;
    *text = ag_text_after(*text, strlen(prefix));
    return true;
}

struct ag_text ag_mqtt_session_query(struct ag_text query, const char *key)
{
    while (query.size > 0) {
        struct ag_text field = ag_text_split(&query, '&');
        if (ag_mqtt_session_skip(&field, key) && ag_mqtt_session_skip(&field, "="))
            return field;
    }
    return ag_text_of("");
}

static void send_connack(struct ag_mqtt_session *session, bool session_present, uint8_t code)
{
    uint8_t packet[4];
    struct ag_writer writer;
    ag_writer_init(&writer, packet, sizeof packet);
    ag_mqtt_packet_write_connack(&writer, session_present, code);
    if (code == CONNACK_ACCEPTED)
        ag_mqtt_session_send(session, packet, writer.size);
    else // nothing was written for it, and the connection ends before the next commit
        session->transport->send(session->link, packet, writer.size);
}

static bool contains(struct ag_text text, const char *part)
{
    return memmem(text.at, text.size, part, strlen(part)) != NULL;
}

static const char *handle_connect(struct ag_mqtt_session *session, uint8_t first,
                                  const uint8_t *body, size_t size)
{
    struct ag_mqtt_connect connect;
    if (first >> 4 != AG_MQTT_PACKET_CONNECT)
        return "the first packet is not CONNECT";
    if (ag_mqtt_packet_read_connect(first, body, size, &connect) != AG_OK)
        return "malformed CONNECT";
    if (connect.level != 4) {
        send_connack(session, false, CONNACK_BAD_LEVEL);
        return "not MQTT 3.1.1";
    }
    bool provisioning = contains(connect.user_name, "/registrations/");
    session->api = provisioning ? &ag_dps_api : &ag_device_api;
    if (!session->api->connect(session, &connect)) {
        send_connack(session, false, CONNACK_NOT_AUTHORIZED);
        return "refused";
    }
    session->state = AG_MQTT_SESSION_IS_CONNECTED;
    session->connected_ms = ag_hub_wall_ms(session->hub);
    session->silence_ms = (int64_t)connect.keep_alive_s * 1500;
    if (session->silence_ms == 0 || session->silence_ms > SILENCE_MAX_MS)
        session->silence_ms = SILENCE_MAX_MS;
    session->deadline_ms = ag_hub_steady_ms(session->hub) + session->silence_ms;
    ag_hub_log_write(AG_HUB_LOG_INFO, "mqtt: %s connected%s", session->client_id,
                     provisioning ? " for provisioning" : "");
    send_connack(session, session->has_kept_session, CONNACK_ACCEPTED);
    return NULL;
}

static const char *handle_publish(struct ag_mqtt_session *session, uint8_t first,
                                  const uint8_t *body, size_t size)
{
    struct ag_mqtt_publish publish;
    if (ag_mqtt_packet_read_publish(first, body, size, &publish) != AG_OK)
        return "malformed PUBLISH";
    if (publish.qos == 2)
        return "PUBLISH with QoS 2";
    if (!session->api->publish(session, &publish))
        return "PUBLISH to a topic that the hub does not have";
    if (publish.qos == 0)
        return NULL;
    uint8_t packet[4];
    struct ag_writer writer;
    ag_writer_init(&writer, packet, sizeof packet);
    ag_mqtt_packet_write_puback(&writer, publish.packet_id);
    ag_mqtt_session_send(session, packet, writer.size);
    return NULL;
}

// Writes the subscriptions down for a client that keeps its session.
static void keep_subscriptions(struct ag_mqtt_session *session, int before)
{
    if (session->keeps_session && session->subscriptions != before)
        ag_device_store_set_subscriptions(&session->hub->db, session->client_id,
                                          session->subscriptions);
}

static const char *handle_subscribe(struct ag_mqtt_session *session, uint8_t first,
                                    const uint8_t *body, size_t size)
{
    struct ag_reader reader;
    uint16_t packet_id;
    uint8_t codes[FILTERS_MAX];
    size_t count = 0;
    int before = session->subscriptions;
    if (ag_mqtt_packet_begin_filters(first, body, size, &reader, &packet_id) != AG_OK)
        return "malformed SUBSCRIBE";
    while (ag_reader_left(&reader) > 0) {
        struct ag_text filter;
        uint8_t qos;
        if (ag_mqtt_packet_next_filter(first, &reader, &filter, &qos) != AG_OK)
            return "malformed SUBSCRIBE";
        int subscription = session->api->subscription(session, filter);
        if (subscription == 0)
            return "SUBSCRIBE to a topic that the hub does not have";
        if (count == FILTERS_MAX)
            return "too many filters in one SUBSCRIBE";
        codes[count++] = qos > 1 ? 1 : qos;
        session->subscriptions |= subscription;
    }
    keep_subscriptions(session, before);
    uint8_t packet[4 + FILTERS_MAX];
    struct ag_writer writer;
    ag_writer_init(&writer, packet, sizeof packet);
    ag_mqtt_packet_write_suback(&writer, packet_id, codes, count);
    ag_mqtt_session_send(session, packet, writer.size);
    return NULL;
}

static const char *handle_unsubscribe(struct ag_mqtt_session *session, uint8_t first,
                                      const uint8_t *body, size_t size)
{
    struct ag_reader reader;
    uint16_t packet_id;
    int before = session->subscriptions;
    if (ag_mqtt_packet_begin_filters(first, body, size, &reader, &packet_id) != AG_OK)
        return "malformed UNSUBSCRIBE";
    while (ag_reader_left(&reader) > 0) {
        struct ag_text filter;
        uint8_t qos;
        if (ag_mqtt_packet_next_filter(first, &reader, &filter, &qos) != AG_OK)
            return "malformed UNSUBSCRIBE";
        session->subscriptions &= ~session->api->subscription(session, filter);
    }
    keep_subscriptions(session, before);
    uint8_t packet[4];
    struct ag_writer writer;
    ag_writer_init(&writer, packet, sizeof packet);
    ag_mqtt_packet_write_unsuback(&writer, packet_id);
    ag_mqtt_session_send(session, packet, writer.size);
    return NULL;
}

static const char *handle_ping(struct ag_mqtt_session *session, uint8_t first, size_t size)
{
    if (ag_mqtt_packet_read_empty(first, size) != AG_OK)
        return "malformed PINGREQ";
    uint8_t packet[2];
    struct ag_writer writer;
    ag_writer_init(&writer, packet, sizeof packet);
    ag_mqtt_packet_write_pingresp(&writer);
    ag_mqtt_session_send(session, packet, writer.size);
    return NULL;
}

// Handles one packet; the reason to close, or NULL.
static const char *handle(struct ag_mqtt_session *session, uint8_t first, const uint8_t *body,
                          size_t size)
{
    if (session->state == AG_MQTT_SESSION_WAITS_FOR_CONNECT)
        return handle_connect(session, first, body, size);
    uint16_t packet_id;
    switch (first >> 4) {
    case AG_MQTT_PACKET_PUBLISH:
        return handle_publish(session, first, body, size);
    case AG_MQTT_PACKET_PUBACK:
        return ag_mqtt_packet_read_puback(first, body, size, &packet_id) == AG_OK
                   ? NULL
                   : "malformed PUBACK";
    case AG_MQTT_PACKET_SUBSCRIBE:
        return handle_subscribe(session, first, body, size);
    case AG_MQTT_PACKET_UNSUBSCRIBE:
        return handle_unsubscribe(session, first, body, size);
    case AG_MQTT_PACKET_PINGREQ:
        return handle_ping(session, first, size);
    case AG_MQTT_PACKET_DISCONNECT:
        return ag_mqtt_packet_read_empty(first, size) == AG_OK ? "it said goodbye"
                                                               : "malformed DISCONNECT";
    }
    return "a packet that a client must not send";
}

static size_t packet_limit(const struct ag_mqtt_session *session)
{
    return session->state == AG_MQTT_SESSION_WAITS_FOR_CONNECT ? AG_MQTT_SESSION_CONNECT_MAX
                                                               : AG_MQTT_SESSION_PACKET_MAX;
}

size_t ag_mqtt_session_feed(struct ag_mqtt_session *session, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    if (session->state == AG_MQTT_SESSION_IS_CONNECTED)
        session->deadline_ms = ag_hub_steady_ms(session->hub) + session->silence_ms;
    session->last_activity_ms = ag_hub_wall_ms(session->hub);
    while (session->state != AG_MQTT_SESSION_IS_CLOSING) {
        size_t header_size;
        size_t total;
        enum ag_status status = ag_mqtt_packet_frame(bytes + at, size - at, packet_limit(session),
                                                     &header_size, &total);
        if (status == AG_ERR_TRUNCATED) {
            session->wanted = size - at + 1;
            break;
        }
        if (status != AG_OK) {
            ag_mqtt_session_close(session, "a packet is too large or has a malformed length");
            break;
        }
        if (total > size - at) {
            session->wanted = total;
            break;
        }
        const char *reason =
            handle(session, bytes[at], bytes + at + header_size, total - header_size);
        at += total;
        session->wanted = 2;
        if (reason != NULL)
            ag_mqtt_session_close(session, reason);
    }
    return session->state == AG_MQTT_SESSION_IS_CLOSING ? size : at;
}

void ag_mqtt_session_tick(struct ag_mqtt_session *session)
{
    if (session->state == AG_MQTT_SESSION_IS_CLOSING)
        return;
    if (ag_hub_steady_ms(session->hub) >= session->deadline_ms)
        ag_mqtt_session_close(session, session->state == AG_MQTT_SESSION_IS_CONNECTED
                                           ? "silent for 1.5 times its keep-alive"
                                           : "no CONNECT in time");
    else if (session->state == AG_MQTT_SESSION_IS_CONNECTED &&
             ag_hub_wall_ms(session->hub) / 1000 >= session->expires_s)
        ag_mqtt_session_close(session, "its token has expired");
}
