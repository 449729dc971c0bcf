// SPDX-License-Identifier: Apache-2.0
// The hub itself: identity and connected devices.
#include "hub.h"

#include <ctype.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_store.h"
#include "enrollment_store.h"
#include "hub_log.h"
#include "memory.h"
#include "methods.h"
#include "mqtt_session.h"

static void make_id_scope(char *value)
{
    strcpy(value, "0ne");
    ag_encoding_new_hex(4, value + 3);
    for (char *at = value + 3; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

static void make_account_key(char *value)
{
    char hex[2 * 64 + 1];
    ag_encoding_new_hex(64, hex);
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], '\0' }, NULL, 16);
    ag_encoding_base64(bytes, sizeof bytes, value);
}

enum ag_status ag_hub_open(struct ag_hub *hub, const char *data_path, const char *host_name,
                           struct ag_hub_clock clock, void (*schedule_commit)(void *),
                           void *context)
{
    memset(hub, 0, sizeof *hub);
    hub->clock = clock;
    snprintf(hub->data_path, sizeof hub->data_path, "%s", data_path);
    snprintf(hub->host_name, sizeof hub->host_name, "%s", host_name);
    char *path = ag_memory_format("%s/hub.db", data_path);
    enum ag_status status = ag_db_open(&hub->db, path, schedule_commit, context);
    free(path);
    if (status != AG_OK)
        return status;
    ag_policy_load(&hub->db, &hub->policies);
    ag_policy_setting(&hub->db, "idScope", make_id_scope, hub->id_scope, sizeof hub->id_scope);
    ag_policy_setting(&hub->db, "accountKey", make_account_key, hub->account_key,
                      sizeof hub->account_key);
    ag_enrollment_store_make_default(&hub->db, ag_hub_wall_ms(hub));
    ag_db_commit(&hub->db);
    return AG_OK;
}

void ag_hub_close(struct ag_hub *hub)
{
    ag_db_close(&hub->db);
}

int64_t ag_hub_wall_ms(const struct ag_hub *hub)
{
    return hub->clock.wall_ms(hub->clock.context);
}

int64_t ag_hub_steady_ms(const struct ag_hub *hub)
{
    return hub->clock.steady_ms(hub->clock.context);
}

static int compare_sessions(const void *left, const void *right)
{
    const struct ag_mqtt_session *a = left;
    const struct ag_mqtt_session *b = right;
    return strcmp(a->client_id, b->client_id);
}

struct ag_mqtt_session *ag_hub_session_of(const struct ag_hub *hub, const char *device_id)
{
    struct ag_mqtt_session key;
    snprintf(key.client_id, sizeof key.client_id, "%s", device_id);
    void *const *found = tfind(&key, &hub->connected, compare_sessions);
    return found == NULL ? NULL : *found;
}

void ag_hub_attach(struct ag_hub *hub, struct ag_mqtt_session *session)
{
    struct ag_mqtt_session *older = ag_hub_session_of(hub, session->client_id);
    if (older != NULL) {
        ag_hub_detach(hub, older);
        ag_mqtt_session_close(older, "a newer connection has the same id");
    }
    if (tsearch(session, &hub->connected, compare_sessions) == NULL)
        abort();
    session->is_attached = true;
}

void ag_hub_detach(struct ag_hub *hub, struct ag_mqtt_session *session)
{
    if (!session->is_attached)
        return;
    tdelete(session, &hub->connected, compare_sessions);
    session->is_attached = false;
    ag_device_store_set_activity(&hub->db, session->client_id, ag_hub_wall_ms(hub),
                                 session->last_activity_ms);
}

// Something to do for a device when it is durable.
struct task {
    struct ag_db_waiter waiter;
    struct ag_hub *hub;
    json_t *delivery;
    char reason[64];
    char device_id[];
};

static struct task *make_task(struct ag_hub *hub, const char *device_id)
{
    size_t size = strlen(device_id) + 1;
    struct task *task = ag_memory_zeroed(sizeof *task + size);
    task->hub = hub;
    memcpy(task->device_id, device_id, size);
    return task;
}

static void deliver(struct ag_db_waiter *waiter, bool durable)
{
    struct task *task = (struct task *)waiter;
    struct ag_mqtt_session *session = ag_hub_session_of(task->hub, task->device_id);
    if (durable && session != NULL &&
        (session->subscriptions & AG_MQTT_SESSION_TWIN_DESIRED) != 0) {
        int64_t version = json_integer_value(json_object_get(task->delivery, "$version"));
        char topic[96];
        snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%lld",
                 (long long)version);
        char *body = json_dumps(task->delivery, JSON_COMPACT);
        ag_mqtt_session_send_publish(session, topic, body, strlen(body));
        free(body);
    }
    json_decref(task->delivery);
    free(task);
}

void ag_hub_deliver_desired(struct ag_hub *hub, const char *device_id, json_t *delivery)
{
    if (delivery == NULL)
        return;
    struct task *task = make_task(hub, device_id);
    task->delivery = delivery;
    task->waiter.done = deliver;
    ag_db_when_durable(&hub->db, &task->waiter);
}

static void disconnect(struct ag_db_waiter *waiter, bool durable)
{
    struct task *task = (struct task *)waiter;
    struct ag_mqtt_session *session = ag_hub_session_of(task->hub, task->device_id);
    if (durable && session != NULL)
        ag_mqtt_session_close(session, task->reason);
    free(task);
}

void ag_hub_disconnect_device(struct ag_hub *hub, const char *device_id, const char *reason)
{
    struct task *task = make_task(hub, device_id);
    snprintf(task->reason, sizeof task->reason, "%s", reason);
    task->waiter.done = disconnect;
    ag_db_when_durable(&hub->db, &task->waiter);
}

void ag_hub_tick(struct ag_hub *hub)
{
    for (struct ag_mqtt_session *session = hub->sessions; session != NULL; session = session->next)
        ag_mqtt_session_tick(session);
    ag_methods_tick(hub);
}

void ag_hub_take_telemetry(struct ag_hub *hub, const char *device_id, const char *properties,
                           size_t properties_size, const uint8_t *payload, size_t payload_size)
{
    hub->telemetry_count++;
    ag_hub_log_write(AG_HUB_LOG_INFO, "telemetry from %s: %.*s%s (%zu bytes; properties: %.*s)",
                     device_id, payload_size < 200 ? (int)payload_size : 200,
                     payload_size > 0 ? (const char *)payload : "", payload_size > 200 ? "..." : "",
                     payload_size, properties_size < 200 ? (int)properties_size : 200, properties);
}
