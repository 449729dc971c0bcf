// SPDX-License-Identifier: Apache-2.0
// One MQTT connection's protocol state. Bytes come in by `feed`, go out through a transport's
// table: a TLS socket today, a WebSocket or a simulated link tomorrow.
//
// What the packets mean is up to an API: that of devices (device_api.h) or of provisioning
// (dps_api.h), chosen by the user name of CONNECT.
#ifndef AG_HUB_MQTT_SESSION_H
#define AG_HUB_MQTT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "device_store.h"
#include "enrollment_store.h"
#include "mqtt_packet.h"

#define AG_MQTT_SESSION_CONNECT_MAX 16384  // bytes of the first packet
#define AG_MQTT_SESSION_PACKET_MAX  270336 // of later ones: 256 KiB of payload, and a topic

enum ag_mqtt_session_subscription {
    AG_MQTT_SESSION_TWIN_RESULT = 1,
    AG_MQTT_SESSION_TWIN_DESIRED = 2,
    AG_MQTT_SESSION_METHODS = 4,
    AG_MQTT_SESSION_CLOUD_TO_DEVICE = 8,
    AG_MQTT_SESSION_DPS_RESULT = 16,
};

struct ag_hub;
struct ag_mqtt_session;

// Neither call may call back into the session.
struct ag_mqtt_transport {
    // Queues bytes; they are copied.
    void (*send)(void *link, const void *bytes, size_t size);
    // Sends what is queued, then closes; afterwards the transport calls ag_mqtt_session_free.
    void (*close)(void *link);
};

// What a server offers over MQTT.
struct ag_mqtt_api {
    // Judges a CONNECT. True: accepted, and the session's identity is set. False: CONNACK 5.
    bool (*connect)(struct ag_mqtt_session *session, const struct ag_mqtt_connect *connect);
    // The subscription a filter means; 0 for a foreign one, which closes the connection.
    int (*subscription)(struct ag_mqtt_session *session, struct ag_text filter);
    // False for a foreign topic, which closes the connection.
    bool (*publish)(struct ag_mqtt_session *session, const struct ag_mqtt_publish *publish);
};

enum ag_mqtt_session_state {
    AG_MQTT_SESSION_WAITS_FOR_CONNECT,
    AG_MQTT_SESSION_IS_CONNECTED,
    AG_MQTT_SESSION_IS_CLOSING,
};

struct ag_mqtt_session {
    struct ag_hub *hub;
    struct ag_mqtt_session *next;
    struct ag_mqtt_session *previous;
    const struct ag_mqtt_transport *transport;
    void *link;
    const struct ag_mqtt_api *api; // set by CONNECT
    enum ag_mqtt_session_state state;
    bool is_attached; // is the hub's session of its device
    bool keeps_session;
    bool has_kept_session; // there was one from an earlier connection
    char client_id[AG_DEVICE_ID_MAX + 1];
    struct ag_enrollment_match enrollment; // of a registration: whose key signed the token
    int subscriptions;                     // of enum ag_mqtt_session_subscription
    int64_t silence_ms;                    // longest silence allowed
    int64_t deadline_ms;                   // steady time at which silence closes
    int64_t expires_s;                     // wall time at which the token ends
    int64_t connected_ms;                  // wall time of the CONNECT
    int64_t last_activity_ms;              // wall time of the last packet
    size_t wanted;                   // bytes of the packet at the head of the input, once known
    struct ag_mqtt_pending *pending; // packets that wait until they are durable
};

// The transport owns the session until it calls free, which it may do at any time.
struct ag_mqtt_session *ag_mqtt_session_new(struct ag_hub *hub,
                                            const struct ag_mqtt_transport *transport, void *link);
void ag_mqtt_session_free(struct ag_mqtt_session *session);

// Handles the whole packets at the head of `bytes` and returns how many bytes they had. The rest is
// fed again with more behind it; less than `wanted` bytes are not worth it.
size_t ag_mqtt_session_feed(struct ag_mqtt_session *session, const uint8_t *bytes, size_t size);

// Closes for silence and for an expired token.
void ag_mqtt_session_tick(struct ag_mqtt_session *session);

// Closes; `reason` goes to the log. Nothing is handled or sent afterwards.
void ag_mqtt_session_close(struct ag_mqtt_session *session, const char *reason);

// Sends a packet, or a PUBLISH of QoS 0, when all writes so far are durable. When they are lost
// the connection is closed instead: the client comes back and asks again.
void ag_mqtt_session_send(struct ag_mqtt_session *session, const void *bytes, size_t size);
void ag_mqtt_session_send_publish(struct ag_mqtt_session *session, const char *topic,
                                  const void *payload, size_t size);

// The value of `key=` among `k=v&k=v`; size 0 when absent.
struct ag_text ag_mqtt_session_query(struct ag_text query, const char *key);
// True when the text begins with `prefix`, which is cut off.
bool ag_mqtt_session_skip(struct ag_text *text, const char *prefix);

#endif
