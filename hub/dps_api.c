// SPDX-License-Identifier: Apache-2.0
// The Device Provisioning Service over MQTT.
//
// Register answers 202 `assigning` with an operation id, as Azure's does, and the poll 200 with
// the assignment, though the device is written at once: clients must go the way they go there.
#include "dps_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "enrollment_store.h"
#include "hub.h"
#include "hub_log.h"
#include "sas_verify.h"
#include "twin_document.h"
#include "twin_store.h"

#define REQUEST_ID_MAX  256
#define RETRY_AFTER_S   1
#define ERROR_DISABLED  401003 // the number in registrationState when the enrolment is disabled
#define ERROR_NOT_FOUND 404204

static bool refuse(const struct ag_mqtt_connect *connect, const char *reason)
{
    ag_hub_log_write(AG_HUB_LOG_WARN, "dps: registration '%.*s' refused: %s",
                     connect->client_id.size < 128 ? (int)connect->client_id.size : 128,
                     connect->client_id.at, reason);
    return false;
}

static bool signed_by(void *context, const char *key)
{
    return ag_sas_verify_signed_by(context, key);
}

// The path SCOPE/registrations/ID that the user name must begin with and the token must cover.
static void registration_path(const struct ag_hub *hub, const char *id, char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/registrations/%s", hub->id_scope, id);
}

static bool connect_registration(struct ag_mqtt_session *session,
                                 const struct ag_mqtt_connect *connect)
{
    struct ag_hub *hub = session->hub;
    char id[AG_ENROLLMENT_ID_MAX + 1] = "";
    char path[sizeof hub->id_scope + sizeof id + 16];
    struct ag_sas_token token;
    struct ag_enrollment_match match;
    if (!ag_enrollment_store_id_is_good(connect->client_id.at, connect->client_id.size))
        return refuse(connect, "the client id is not a registration id");
    memcpy(id, connect->client_id.at, connect->client_id.size);
    registration_path(hub, id, path, sizeof path);
    struct ag_text name = connect->user_name;
    if (!ag_mqtt_session_skip(&name, path) || !ag_mqtt_session_skip(&name, "/") ||
        ag_mqtt_session_query(name, "api-version").size == 0)
        return refuse(connect, "the user name is not SCOPE/registrations/ID/api-version=... with "
                               "this hub's id scope");
    if (connect->will != NULL)
        return refuse(connect, "a will is not allowed here");
    if (!ag_sas_verify_parse((const char *)connect->password, connect->password_size, &token) ||
        strcmp(token.policy, "registration") != 0 || !ag_sas_verify_covers(&token, path))
        return refuse(connect, "the password is not a token for this registration");
    if (token.expiry_s <= ag_hub_wall_ms(hub) / 1000)
        return refuse(connect, "the token has expired");
    if (!ag_enrollment_store_find(&hub->db, id, signed_by, &token, &match))
        return refuse(connect, "no enrolment has a key that signed the token");
    memcpy(session->client_id, id, sizeof id);
    session->expires_s = token.expiry_s;
    session->enrollment = match;
    return true;
}

static int subscription(struct ag_mqtt_session *session, struct ag_text filter)
{
    (void)session;
    return ag_text_equals(filter, "$dps/registrations/res/#") ? AG_MQTT_SESSION_DPS_RESULT : 0;
}

static void answer(struct ag_mqtt_session *session, int status, struct ag_text rid, json_t *body)
{
    char topic[REQUEST_ID_MAX + 96];
    int size = snprintf(topic, sizeof topic, "$dps/registrations/res/%d/?$rid=%.*s", status,
                        (int)rid.size, rid.at);
    if (status == 202)
        snprintf(topic + size, sizeof topic - (size_t)size, "&retry-after=%d", RETRY_AFTER_S);
    char *text = json_dumps(body, JSON_COMPACT);
    if (text != NULL && (session->subscriptions & AG_MQTT_SESSION_DPS_RESULT) != 0)
        ag_mqtt_session_send_publish(session, topic, text, strlen(text));
    free(text);
    json_decref(body);
}

static void answer_error(struct ag_mqtt_session *session, struct ag_text rid, int number,
                         const char *message)
{
    char tracking[33];
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_new_hex(16, tracking);
    ag_encoding_iso_time(ag_hub_wall_ms(session->hub), now);
    ag_hub_log_write(AG_HUB_LOG_WARN, "dps: request of %s refused: %s", session->client_id,
                     message);
    answer(session, number / 1000, rid,
           json_pack("{s:i,s:s,s:s,s:s}", "errorCode", number, "trackingId", tracking, "message",
                     message, "timestampUtc", now));
}

// The enrolment is disabled: an outcome of the registration, not an error of the request.
static void answer_disabled(struct ag_mqtt_session *session, struct ag_text rid)
{
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_iso_time(ag_hub_wall_ms(session->hub), now);
    ag_hub_log_write(AG_HUB_LOG_WARN, "dps: %s not registered: its enrolment is disabled",
                     session->client_id);
    answer(session, 200, rid,
           json_pack("{s:s,s:s,s:{s:s,s:s,s:i,s:s,s:s}}", "operationId", "", "status", "disabled",
                     "registrationState", "registrationId", session->client_id, "status",
                     "disabled", "errorCode", ERROR_DISABLED, "errorMessage",
                     "the enrolment is disabled", "lastUpdatedDateTimeUtc", now));
}

// The keys that the device holds: the enrolment's own, or those derived from the group's.
static bool device_keys(const struct ag_enrollment *enrollment, const char *registration_id,
                        struct ag_device *device)
{
    if (enrollment->kind == AG_ENROLLMENT_GROUP)
        return ag_enrollment_store_derive(enrollment->primary_key, registration_id,
                                          device->primary_key) &&
               ag_enrollment_store_derive(enrollment->secondary_key, registration_id,
                                          device->secondary_key);
    memcpy(device->primary_key, enrollment->primary_key, sizeof device->primary_key);
    memcpy(device->secondary_key, enrollment->secondary_key, sizeof device->secondary_key);
    return true;
}

static void apply_initial_twin(struct ag_hub *hub, const char *device_id, const json_t *body)
{
    struct ag_twin_change change = { json_object_get(body, "initialTwin"), false, -1,
                                     ag_hub_wall_ms(hub) };
    json_t *delivery = NULL;
    struct ag_problem problem;
    if (json_is_object(change.document) &&
        !ag_twin_store_change(&hub->db, device_id, &change, &delivery, &problem))
        ag_hub_log_write(AG_HUB_LOG_WARN, "dps: initial twin of %s: %s", device_id, problem.text);
    json_decref(delivery); // a device that registers is not yet connected
}

// Adds the device, or gives the one that is there the keys of its enrolment.
static enum ag_status write_device(struct ag_hub *hub, const struct ag_enrollment *enrollment,
                                   const char *registration_id, const char *device_id)
{
    struct ag_device device;
    int64_t now = ag_hub_wall_ms(hub);
    if (ag_device_store_get(&hub->db, device_id, &device) == AG_OK) {
        struct ag_device before = device;
        if (!device_keys(enrollment, registration_id, &device))
            return AG_ERR_INTERNAL;
        device.authentication = AG_DEVICE_SAS;
        if (memcmp(&before, &device, sizeof device) == 0)
            return AG_OK;
        return ag_device_store_update(&hub->db, &device);
    }
    memset(&device, 0, sizeof device);
    snprintf(device.id, sizeof device.id, "%s", device_id);
    snprintf(device.generation, sizeof device.generation, "%lld", (long long)now);
    device.etag = 1;
    device.enabled = true;
    device.status_updated_ms = now;
    if (!device_keys(enrollment, registration_id, &device))
        return AG_ERR_INTERNAL;
    enum ag_status status = ag_device_store_add(&hub->db, &device, now);
    if (status == AG_OK)
        apply_initial_twin(hub, device_id, enrollment->body);
    return status;
}

static void assign(struct ag_mqtt_session *session, struct ag_text rid,
                   const struct ag_enrollment *enrollment)
{
    struct ag_hub *hub = session->hub;
    const char *device_id = json_string_value(json_object_get(enrollment->body, "deviceId"));
    if (enrollment->kind == AG_ENROLLMENT_GROUP || device_id == NULL || device_id[0] == '\0')
        device_id = session->client_id;
    struct ag_registration registration;
    if (ag_enrollment_store_registration(&hub->db, session->client_id, &registration) != AG_OK)
        memset(&registration, 0, sizeof registration);
    snprintf(registration.registration_id, sizeof registration.registration_id, "%s",
             session->client_id);
    snprintf(registration.device_id, sizeof registration.device_id, "%s", device_id);
    if (write_device(hub, enrollment, session->client_id, device_id) != AG_OK ||
        ag_enrollment_store_register(&hub->db, &registration, ag_hub_wall_ms(hub)) != AG_OK) {
        answer_error(session, rid, 500001, "the device cannot be written");
        return;
    }
    ag_hub_log_write(AG_HUB_LOG_INFO, "dps: %s is assigned as device %s", session->client_id,
                     device_id);
    answer(session, 202, rid,
           json_pack("{s:s,s:s}", "operationId", registration.operation, "status", "assigning"));
}

// The body is optional; a registration id in it must be the one of the connection.
static bool body_is_good(const struct ag_mqtt_session *session,
                         const struct ag_mqtt_publish *publish)
{
    if (publish->payload_size == 0)
        return true;
    struct ag_problem problem;
    json_t *body =
        ag_twin_document_parse((const char *)publish->payload, publish->payload_size, &problem);
    const char *id = json_string_value(json_object_get(body, "registrationId"));
    bool good = body != NULL && (id == NULL || strcasecmp(id, session->client_id) == 0);
    json_decref(body);
    return good;
}

static void do_register(struct ag_mqtt_session *session, struct ag_text rid,
                        const struct ag_mqtt_publish *publish)
{
    struct ag_enrollment enrollment;
    if (!body_is_good(session, publish)) {
        answer_error(session, rid, 400004, "the body is not JSON with this registrationId");
        return;
    }
    // Read again: it may have been removed since the connection was accepted.
    if (ag_enrollment_store_get(&session->hub->db, session->enrollment.kind, session->enrollment.id,
                                &enrollment) != AG_OK) {
        answer_error(session, rid, ERROR_NOT_FOUND, "the enrolment is gone");
        return;
    }
    if (enrollment.enabled)
        assign(session, rid, &enrollment);
    else
        answer_disabled(session, rid);
    ag_enrollment_store_clear(&enrollment);
}

static json_t *assignment(const struct ag_hub *hub, const struct ag_registration *registration)
{
    char created[AG_ENCODING_TIME_TEXT];
    char updated[AG_ENCODING_TIME_TEXT];
    ag_encoding_iso_time(registration->created_ms, created);
    ag_encoding_iso_time(registration->updated_ms, updated);
    return json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}}", "operationId",
                     registration->operation, "status", "assigned", "registrationState",
                     "registrationId", registration->registration_id, "createdDateTimeUtc", created,
                     "assignedHub", hub->host_name, "deviceId", registration->device_id, "status",
                     "assigned", "substatus", "initialAssignment", "lastUpdatedDateTimeUtc",
                     updated, "etag", registration->etag);
}

static void poll_operation(struct ag_mqtt_session *session, struct ag_text rid,
                           struct ag_text operation)
{
    struct ag_registration registration;
    if (ag_enrollment_store_registration(&session->hub->db, session->client_id, &registration) !=
            AG_OK ||
        !ag_text_equals(operation, registration.operation)) {
        answer_error(session, rid, 404203, "no such operation");
        return;
    }
    answer(session, 200, rid, assignment(session->hub, &registration));
}

static bool publish_registration(struct ag_mqtt_session *session,
                                 const struct ag_mqtt_publish *publish)
{
    struct ag_text topic = publish->topic;
    if (!ag_mqtt_session_skip(&topic, "$dps/registrations/"))
        return false;
    bool registers = ag_mqtt_session_skip(&topic, "PUT/iotdps-register/?");
    if (!registers && !ag_mqtt_session_skip(&topic, "GET/iotdps-get-operationstatus/?"))
        return false;
    struct ag_text rid = ag_mqtt_session_query(topic, "$rid");
    if (rid.size == 0 || rid.size > REQUEST_ID_MAX)
        return false;
    if (registers)
        do_register(session, rid, publish);
    else
        poll_operation(session, rid, ag_mqtt_session_query(topic, "operationId"));
    return true;
}

const struct ag_mqtt_api ag_dps_api = {
    .connect = connect_registration,
    .subscription = subscription,
    .publish = publish_registration,
};
