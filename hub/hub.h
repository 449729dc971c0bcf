// SPDX-License-Identifier: Apache-2.0
// The hub itself, without any transport: identity, database, connected devices.
//
// One thread. Time comes from the clock given at opening, so that the same hub runs in a simulated
// world. Connections reach it as sessions (mqtt_session.h), requests through the stores.
#ifndef AG_HUB_HUB_H
#define AG_HUB_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "db.h"
#include "policy.h"

struct ag_methods_waiting;
struct ag_mqtt_session;

struct ag_hub_clock {
    int64_t (*wall_ms)(void *context);   // since 1970; judges tokens
    int64_t (*steady_ms)(void *context); // never set back; judges silence
    void *context;
};

struct ag_hub {
    struct ag_hub_clock clock;
    struct ag_db db;
    struct ag_policies policies;
    char data_path[512];
    char host_name[256];
    char id_scope[16];
    char account_key[AG_ENCODING_KEY_TEXT];
    struct ag_mqtt_session *sessions; // all of them, linked by next
    void *connected;                  // tree of the sessions of devices, by device id
    uint64_t telemetry_count;
    uint64_t method_count;              // direct methods called so far; the last one's $rid
    struct ag_methods_waiting *methods; // that wait for an answer
};

// Opens the database in `data_path`/hub.db and the identity in it. The host name is what devices
// and tokens call this hub.
AG_MUST_CHECK enum ag_status ag_hub_open(struct ag_hub *hub, const char *data_path,
                                         const char *host_name, struct ag_hub_clock clock,
                                         void (*schedule_commit)(void *), void *context);
// Commits and closes; the transports must have closed every session before.
void ag_hub_close(struct ag_hub *hub);

int64_t ag_hub_wall_ms(const struct ag_hub *hub);
int64_t ag_hub_steady_ms(const struct ag_hub *hub);

// The session of a connected device, or NULL.
struct ag_mqtt_session *ag_hub_session_of(const struct ag_hub *hub, const char *device_id);
// Makes the session the one of its device; an older one is closed.
void ag_hub_attach(struct ag_hub *hub, struct ag_mqtt_session *session);
// Forgets it, if it is still the one, and notes when that was.
void ag_hub_detach(struct ag_hub *hub, struct ag_mqtt_session *session);

// When all writes so far are durable: tells a connected, subscribed device about its desired
// properties. Takes over `delivery`, which may be NULL.
void ag_hub_deliver_desired(struct ag_hub *hub, const char *device_id, json_t *delivery);
// When all writes so far are durable: closes the device's connection, if there is one.
void ag_hub_disconnect_device(struct ag_hub *hub, const char *device_id, const char *reason);

// Closes sessions that were silent too long or whose token expired. Call about once a second.
void ag_hub_tick(struct ag_hub *hub);

// Takes a telemetry message; this hub only counts and logs it.
void ag_hub_take_telemetry(struct ag_hub *hub, const char *device_id, const char *properties,
                           size_t properties_size, const uint8_t *payload, size_t payload_size);

#endif
