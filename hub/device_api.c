// SPDX-License-Identifier: Apache-2.0
// What IoT Hub offers to devices over MQTT.
#include "device_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hub.h"
#include "hub_log.h"
#include "methods.h"
#include "sas_verify.h"
#include "twin_document.h"
#include "twin_store.h"

#define REQUEST_ID_MAX 256 // bytes of $rid

static bool refuse(const struct ag_mqtt_connect *connect, const char *reason)
{
    ag_hub_log_write(AG_HUB_LOG_WARN, "mqtt: device '%.*s' refused: %s",
                     connect->client_id.size < 128 ? (int)connect->client_id.size : 128,
                     connect->client_id.at, reason);
    return false;
}

// `HOST/DEVICE/?api-version=V&...`: true when host and device are the right ones.
static bool user_name_is_good(const struct ag_hub *hub, const struct ag_mqtt_connect *connect)
{
    struct ag_text name = connect->user_name;
    size_t host_size = strlen(hub->host_name);
    if (name.size < host_size || strncasecmp(name.at, hub->host_name, host_size) != 0)
        return false;
    name.at += host_size;
    name.size -= host_size;
    struct ag_text id = connect->client_id;
    if (!ag_mqtt_session_skip(&name, "/") || name.size < id.size ||
        memcmp(name.at, id.at, id.size) != 0)
        return false;
    name.at += id.size;
    name.size -= id.size;
    if (!ag_mqtt_session_skip(&name, "/"))
        return false;
    (void)ag_mqtt_session_skip(&name, "?");
    return ag_mqtt_session_query(name, "api-version").size > 0;
}

// Writes down the `model-id` of the user name, percent-encoded there, when it is another one.
static void take_model(struct ag_hub *hub, const struct ag_device *device, struct ag_text user_name)
{
    const char *query = memchr(user_name.at, '?', user_name.size);
    char model[sizeof device->model_id];
    if (query == NULL)
        return;
    size_t skip = (size_t)(query + 1 - user_name.at);
    struct ag_text fields = { query + 1, user_name.size - skip };
    struct ag_text value = ag_mqtt_session_query(fields, "model-id");
    if (value.size > 0 && ag_encoding_percent_decode(value.at, value.size, model, sizeof model) &&
        model[strspn(
            model, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:;_.")] == '\0' &&
        strcmp(model, device->model_id) != 0)
        ag_device_store_set_model(&hub->db, device->id, model);
}

// The token must be for this device, and signed by one of its keys or by a policy for devices.
static bool token_is_good(struct ag_hub *hub, const struct ag_device *device,
                          const struct ag_sas_token *token)
{
    char path[sizeof hub->host_name + sizeof device->id + 16];
    snprintf(path, sizeof path, "%s/devices/%s", hub->host_name, device->id);
    if (!ag_sas_verify_covers(token, path))
        return false;
    if (token->policy[0] != '\0')
        return (ag_policy_rights(&hub->policies, token) & AG_POLICY_DEVICE) != 0;
    return device->authentication == AG_DEVICE_SAS &&
           (ag_sas_verify_signed_by(token, device->primary_key) ||
            ag_sas_verify_signed_by(token, device->secondary_key));
}

static bool will_is_good(const char *id, const struct ag_mqtt_connect *connect)
{
    char topic[AG_DEVICE_ID_MAX + 32];
    snprintf(topic, sizeof topic, "devices/%s/messages/events/", id);
    struct ag_text rest = connect->will_topic;
    return connect->will == NULL || ag_mqtt_session_skip(&rest, topic);
}

// Takes up what an earlier connection left behind, or forgets it.
static void resume(struct ag_mqtt_session *session, bool clean)
{
    struct ag_db *db = &session->hub->db;
    int kept = ag_device_store_subscriptions(db, session->client_id);
    session->keeps_session = !clean;
    session->has_kept_session = !clean && kept >= 0;
    session->subscriptions = session->has_kept_session ? kept : 0;
    if (clean && kept >= 0)
        ag_device_store_set_subscriptions(db, session->client_id, -1);
    if (!clean && kept < 0)
        ag_device_store_set_subscriptions(db, session->client_id, 0);
}

static bool connect_device(struct ag_mqtt_session *session, const struct ag_mqtt_connect *connect)
{
    struct ag_hub *hub = session->hub;
    char id[AG_DEVICE_ID_MAX + 1] = "";
    struct ag_device device;
    struct ag_sas_token token;
    if (!ag_device_store_id_is_good(connect->client_id.at, connect->client_id.size))
        return refuse(connect, "the client id is not a device id");
    memcpy(id, connect->client_id.at, connect->client_id.size);
    if (!user_name_is_good(hub, connect))
        return refuse(connect, "the user name is not HOST/DEVICE/?api-version=... of this hub");
    if (connect->password_size == 0)
        return refuse(connect, "no token, and client certificates are not offered yet");
    if (!ag_sas_verify_parse((const char *)connect->password, connect->password_size, &token))
        return refuse(connect, "the password is not a shared access signature");
    if (ag_device_store_get(&hub->db, id, &device) != AG_OK)
        return refuse(connect, "no such device");
    if (!device.enabled)
        return refuse(connect, "the device is disabled");
    if (!token_is_good(hub, &device, &token))
        return refuse(connect, "the token is for something else or signed with another key");
    if (token.expiry_s <= ag_hub_wall_ms(hub) / 1000)
        return refuse(connect, "the token has expired");
    if (!will_is_good(id, connect))
        return refuse(connect, "the will's topic is not the device's events topic");
    memcpy(session->client_id, id, sizeof id);
    session->expires_s = token.expiry_s;
    take_model(hub, &device, connect->user_name);
    resume(session, connect->clean_session);
    ag_hub_attach(hub, session);
    return true;
}

static int subscription(struct ag_mqtt_session *session, struct ag_text filter)
{
    static const struct {
        const char *filter;
        int subscription;
    } filters[] = {
        { "$iothub/twin/res/#", AG_MQTT_SESSION_TWIN_RESULT },
        { "$iothub/twin/PATCH/properties/desired/#", AG_MQTT_SESSION_TWIN_DESIRED },
        { "$iothub/methods/POST/#", AG_MQTT_SESSION_METHODS },
        { "devices/+/messages/devicebound/#", AG_MQTT_SESSION_CLOUD_TO_DEVICE },
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (ag_text_equals(filter, filters[i].filter))
            return filters[i].subscription;
    }
    char own[AG_DEVICE_ID_MAX + 40];
    snprintf(own, sizeof own, "devices/%s/messages/devicebound/#", session->client_id);
    return ag_text_equals(filter, own) ? AG_MQTT_SESSION_CLOUD_TO_DEVICE : 0;
}

// Answers on `$iothub/twin/res/STATUS/?$rid=R`, with `&$version=` unless it is 0.
static void answer(struct ag_mqtt_session *session, int status, struct ag_text rid, int64_t version,
                   json_t *body)
{
    char topic[REQUEST_ID_MAX + 96];
    int size = snprintf(topic, sizeof topic, "$iothub/twin/res/%d/?$rid=%.*s", status,
                        (int)rid.size, rid.at);
    if (version > 0)
        snprintf(topic + size, sizeof topic - (size_t)size, "&$version=%lld", (long long)version);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    if ((session->subscriptions & AG_MQTT_SESSION_TWIN_RESULT) != 0)
        ag_mqtt_session_send_publish(session, topic, text == NULL ? "" : text,
                                     text == NULL ? 0 : strlen(text));
    free(text);
    json_decref(body);
}

static void answer_problem(struct ag_mqtt_session *session, struct ag_text rid,
                           const struct ag_problem *problem)
{
    char tracking[33];
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_new_hex(16, tracking);
    ag_encoding_iso_time(ag_hub_wall_ms(session->hub), now);
    ag_hub_log_write(AG_HUB_LOG_WARN, "mqtt: twin request of %s refused: %s", session->client_id,
                     problem->text);
    json_t *body = json_pack("{s:i,s:s,s:s,s:s}", "errorCode", ag_problem_number(problem->kind),
                             "trackingId", tracking, "message", problem->text, "timestampUtc", now);
    answer(session, ag_problem_http_status(problem->kind), rid, 0, body);
}

static void get_twin(struct ag_mqtt_session *session, struct ag_text rid)
{
    struct ag_twin twin;
    if (ag_twin_store_load(&session->hub->db, session->client_id, &twin) != AG_OK) {
        struct ag_problem problem;
        ag_problem_set(&problem, AG_PROBLEM_INTERNAL, "the twin cannot be read");
        answer_problem(session, rid, &problem);
        return;
    }
    answer(session, 200, rid, 0, ag_twin_store_device_view(&twin));
    ag_twin_store_clear(&twin);
}

static void patch_reported(struct ag_mqtt_session *session, struct ag_text rid,
                           const struct ag_mqtt_publish *publish)
{
    struct ag_problem problem;
    int64_t version;
    json_t *patch =
        ag_twin_document_parse((const char *)publish->payload, publish->payload_size, &problem);
    bool done =
        patch != NULL && ag_twin_store_report(&session->hub->db, session->client_id, patch,
                                              ag_hub_wall_ms(session->hub), &version, &problem);
    json_decref(patch);
    if (done)
        answer(session, 204, rid, version, NULL);
    else
        answer_problem(session, rid, &problem);
}

// Everything behind `?$rid=` up to `&`; false when it is missing or too long.
static bool request_id(struct ag_text query, struct ag_text *rid)
{
    *rid = ag_mqtt_session_query(query, "$rid");
    return rid->size > 0 && rid->size <= REQUEST_ID_MAX;
}

static bool publish_twin(struct ag_mqtt_session *session, struct ag_text topic,
                         const struct ag_mqtt_publish *publish)
{
    struct ag_text rid;
    if (ag_mqtt_session_skip(&topic, "GET/?")) {
        if (!request_id(topic, &rid))
            return false;
        get_twin(session, rid);
        return true;
    }
    if (!ag_mqtt_session_skip(&topic, "PATCH/properties/reported/?") || !request_id(topic, &rid))
        return false;
    patch_reported(session, rid, publish);
    return true;
}

static bool publish_from_device(struct ag_mqtt_session *session,
                                const struct ag_mqtt_publish *publish)
{
    struct ag_text topic = publish->topic;
    if (ag_mqtt_session_skip(&topic, "$iothub/twin/"))
        return publish_twin(session, topic, publish);
    if (ag_mqtt_session_skip(&topic, "$iothub/methods/res/"))
        return ag_methods_take(session, topic, publish);
    if (!ag_mqtt_session_skip(&topic, "devices/") ||
        !ag_mqtt_session_skip(&topic, session->client_id) ||
        !ag_mqtt_session_skip(&topic, "/messages/events"))
        return false;
    if (topic.size > 0 && !ag_mqtt_session_skip(&topic, "/"))
        return false;
    ag_hub_take_telemetry(session->hub, session->client_id, topic.at, topic.size, publish->payload,
                          publish->payload_size);
    return true;
}

const struct ag_mqtt_api ag_device_api = {
    .connect = connect_device,
    .subscription = subscription,
    .publish = publish_from_device,
};
