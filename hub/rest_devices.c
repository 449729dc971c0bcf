// SPDX-License-Identifier: Apache-2.0
// REST: create, read, update, delete and list devices.
#include "rest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt_session.h"

#define LIST_MAX 1000

static const char *const authentication_names[] = {
    [AG_DEVICE_SAS] = "sas",
    [AG_DEVICE_SELF_SIGNED] = "selfSigned",
    [AG_DEVICE_CERTIFICATE_AUTHORITY] = "certificateAuthority",
    [AG_DEVICE_NO_AUTHENTICATION] = "none",
};

const char *ag_rest_devices_authentication(const struct ag_device *device)
{
    return authentication_names[device->authentication];
}

json_t *ag_rest_devices_time(int64_t ms)
{
    char text[AG_ENCODING_TIME_TEXT] = "0001-01-01T00:00:00Z";
    if (ms > 0)
        ag_encoding_iso_time(ms, text);
    return json_string(text);
}

const char *ag_rest_devices_connection_state(const struct ag_hub *hub, const char *id)
{
    return ag_hub_session_of(hub, id) != NULL ? "Connected" : "Disconnected";
}

// When the state that is shown began.
static json_t *connection_time(const struct ag_hub *hub, const struct ag_device *device)
{
    const struct ag_mqtt_session *session = ag_hub_session_of(hub, device->id);
    return ag_rest_devices_time(session != NULL ? session->connected_ms
                                                : device->connection_updated_ms);
}

json_t *ag_rest_devices_last_activity(const struct ag_hub *hub, const struct ag_device *device)
{
    const struct ag_mqtt_session *session = ag_hub_session_of(hub, device->id);
    return ag_rest_devices_time(session != NULL ? session->last_activity_ms
                                                : device->last_activity_ms);
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

json_t *ag_rest_devices_json(const struct ag_hub *hub, const struct ag_device *device)
{
    char etag[AG_HTTP_ETAG_TEXT];
    ag_http_etag(device->etag, etag);
    json_t *authentication = json_pack(
        "{s:s,s:{s:o,s:o},s:{s:o,s:o}}", "type", authentication_names[device->authentication],
        "symmetricKey", "primaryKey", text_or_null(device->primary_key), "secondaryKey",
        text_or_null(device->secondary_key), "x509Thumbprint", "primaryThumbprint",
        text_or_null(device->primary_thumbprint), "secondaryThumbprint",
        text_or_null(device->secondary_thumbprint));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:i,s:o,s:{s:b}}", "deviceId",
                     device->id, "generationId", device->generation, "etag", etag,
                     "connectionState", ag_rest_devices_connection_state(hub, device->id), "status",
                     device->enabled ? "enabled" : "disabled", "statusReason",
                     text_or_null(device->status_reason), "connectionStateUpdatedTime",
                     connection_time(hub, device), "statusUpdatedTime",
                     ag_rest_devices_time(device->status_updated_ms), "lastActivityTime",
                     ag_rest_devices_last_activity(hub, device), "cloudToDeviceMessageCount", 0,
                     "authentication", authentication, "capabilities", "iotEdge", 0);
}

static bool bad(struct ag_problem *problem, const char *text)
{
    ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "%s", text);
    return false;
}

bool ag_rest_devices_take_key(const json_t *keys, const char *name, char key[AG_ENCODING_KEY_TEXT],
                              struct ag_problem *problem)
{
    const char *given = json_string_value(json_object_get(keys, name));
    if (given != NULL && given[0] != '\0') {
        if (!ag_encoding_key_is_good(given))
            return bad(problem, "a symmetric key must be base64 of 16 to 64 bytes");
        strcpy(key, given); // fits: the check above bounds its length
        return true;
    }
    if (key[0] == '\0')
        ag_encoding_new_key(key);
    return true;
}

static bool take_thumbprint(const json_t *prints, const char *name, char print[65],
                            struct ag_problem *problem)
{
    const char *given = json_string_value(json_object_get(prints, name));
    size_t size = given == NULL ? 0 : strlen(given);
    if (size == 0)
        return true;
    if ((size != 40 && size != 64) || strspn(given, "0123456789abcdefABCDEF") != size)
        return bad(problem, "a thumbprint must be 40 or 64 hexadecimal digits");
    strcpy(print, given);
    return true;
}

static bool take_authentication(const json_t *given, struct ag_device *device,
                                struct ag_problem *problem)
{
    const char *type = json_string_value(json_object_get(given, "type"));
    if (type != NULL) {
        size_t count = sizeof authentication_names / sizeof authentication_names[0];
        size_t i = 0;
        while (i < count && strcmp(type, authentication_names[i]) != 0)
            i++;
        if (i == count)
            return bad(problem, "authentication.type is not known");
        device->authentication = (enum ag_device_authentication)i;
    }
    const json_t *prints = json_object_get(given, "x509Thumbprint");
    if (!take_thumbprint(prints, "primaryThumbprint", device->primary_thumbprint, problem) ||
        !take_thumbprint(prints, "secondaryThumbprint", device->secondary_thumbprint, problem))
        return false;
    if (device->authentication != AG_DEVICE_SAS)
        return true;
    const json_t *keys = json_object_get(given, "symmetricKey");
    return ag_rest_devices_take_key(keys, "primaryKey", device->primary_key, problem) &&
           ag_rest_devices_take_key(keys, "secondaryKey", device->secondary_key, problem);
}

static bool take_status(const json_t *document, struct ag_device *device, int64_t now_ms,
                        struct ag_problem *problem)
{
    const json_t *status = json_object_get(document, "status");
    if (status != NULL && !json_is_null(status)) {
        const char *name = json_string_value(status);
        bool enabled = name != NULL && strcmp(name, "enabled") == 0;
        if (!enabled && (name == NULL || strcmp(name, "disabled") != 0))
            return bad(problem, "status must be enabled or disabled");
        if (enabled != device->enabled)
            device->status_updated_ms = now_ms;
        device->enabled = enabled;
    }
    const char *reason = json_string_value(json_object_get(document, "statusReason"));
    if (reason != NULL && strlen(reason) >= sizeof device->status_reason)
        return bad(problem, "statusReason is longer than 128 bytes");
    if (reason != NULL)
        strcpy(device->status_reason, reason);
    return true;
}

// Takes what the document says into `device`.
static bool take_document(const json_t *document, struct ag_device *device, int64_t now_ms,
                          struct ag_problem *problem)
{
    const json_t *id = json_object_get(document, "deviceId");
    if (id != NULL && (!json_is_string(id) || strcmp(json_string_value(id), device->id) != 0))
        return bad(problem, "deviceId in the body and in the path differ");
    return take_status(document, device, now_ms, problem) &&
           take_authentication(json_object_get(document, "authentication"), device, problem);
}

static void begin_device(struct ag_device *device, const char *id, int64_t now_ms)
{
    memset(device, 0, sizeof *device);
    strcpy(device->id, id); // fits: the id was checked
    snprintf(device->generation, sizeof device->generation, "%lld", (long long)now_ms);
    device->etag = 1;
    device->enabled = true;
}

// Writes the device that the document describes; false with the problem set.
static bool put_device(struct ag_http_exchange *exchange, const json_t *document,
                       struct ag_device *device, struct ag_problem *problem)
{
    struct ag_hub *hub = exchange->hub;
    const char *id = exchange->ids[0];
    int64_t now = ag_hub_wall_ms(hub);
    bool update = ag_http_header(exchange, "If-Match") != NULL;
    int64_t etag = ag_http_if_match(exchange);
    if (!ag_device_store_id_is_good(id, strlen(id)))
        return bad(problem, "the device id is too long or has a character that is not allowed");
    bool exists = ag_device_store_get(&hub->db, id, device) == AG_OK;
    if (exists && !update)
        ag_problem_set(problem, AG_PROBLEM_EXISTS, "a device '%s' is there already", id);
    else if (!exists && update)
        ag_problem_set(problem, AG_PROBLEM_NO_DEVICE, "no device '%s'", id);
    else if (exists && etag != AG_HTTP_ETAG_ANY && etag != device->etag)
        ag_problem_set(problem, AG_PROBLEM_PRECONDITION, "the device has changed since that etag");
    else
        problem->kind = AG_PROBLEM_NONE;
    if (problem->kind != AG_PROBLEM_NONE)
        return false;
    if (!exists)
        begin_device(device, id, now);
    if (!take_document(document, device, now, problem))
        return false;
    enum ag_status status = exists ? ag_device_store_update(&hub->db, device)
                                   : ag_device_store_add(&hub->db, device, now);
    if (status != AG_OK)
        ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the device cannot be written");
    return status == AG_OK;
}

static void set_etag(struct ag_http_exchange *exchange, int64_t counter)
{
    char etag[AG_HTTP_ETAG_TEXT];
    char quoted[AG_HTTP_ETAG_TEXT + 2];
    ag_http_etag(counter, etag);
    snprintf(quoted, sizeof quoted, "\"%s\"", etag);
    ag_http_set_header(exchange, "ETag", quoted);
}

void ag_rest_devices_put(struct ag_http_exchange *exchange)
{
    json_t *document = ag_http_json(exchange);
    if (document == NULL)
        return;
    struct ag_device device;
    struct ag_problem problem;
    bool done = put_device(exchange, document, &device, &problem);
    json_decref(document);
    if (!done) {
        ag_http_answer_problem(exchange, &problem);
        return;
    }
    if (!device.enabled)
        ag_hub_disconnect_device(exchange->hub, device.id, "the device was disabled");
    set_etag(exchange, device.etag);
    ag_http_answer_json(exchange, 200, ag_rest_devices_json(exchange->hub, &device));
}

// The device of the path; false when it is not there, and the exchange is answered.
static bool find_device(struct ag_http_exchange *exchange, struct ag_device *device)
{
    if (ag_device_store_get(&exchange->hub->db, exchange->ids[0], device) == AG_OK)
        return true;
    struct ag_problem problem;
    ag_problem_set(&problem, AG_PROBLEM_NO_DEVICE, "no device '%.128s'", exchange->ids[0]);
    ag_http_answer_problem(exchange, &problem);
    return false;
}

void ag_rest_devices_get(struct ag_http_exchange *exchange)
{
    struct ag_device device;
    if (!find_device(exchange, &device))
        return;
    set_etag(exchange, device.etag);
    ag_http_answer_json(exchange, 200, ag_rest_devices_json(exchange->hub, &device));
}

void ag_rest_devices_delete(struct ag_http_exchange *exchange)
{
    struct ag_device device;
    if (!find_device(exchange, &device))
        return;
    struct ag_problem problem;
    int64_t etag = ag_http_if_match(exchange);
    if (etag != AG_HTTP_ETAG_ANY && etag != device.etag) {
        ag_problem_set(&problem, AG_PROBLEM_PRECONDITION, "the device has changed since that etag");
        ag_http_answer_problem(exchange, &problem);
        return;
    }
    if (ag_device_store_remove(&exchange->hub->db, device.id) != AG_OK) {
        ag_problem_set(&problem, AG_PROBLEM_INTERNAL, "the device cannot be removed");
        ag_http_answer_problem(exchange, &problem);
        return;
    }
    ag_hub_disconnect_device(exchange->hub, device.id, "the device was removed");
    ag_http_answer_json(exchange, 204, NULL);
}

struct listing {
    struct ag_hub *hub;
    json_t *devices;
};

static void add_device(void *context, const char *id)
{
    struct listing *listing = context;
    struct ag_device device;
    if (ag_device_store_get(&listing->hub->db, id, &device) == AG_OK)
        json_array_append_new(listing->devices, ag_rest_devices_json(listing->hub, &device));
}

void ag_rest_devices_list(struct ag_http_exchange *exchange)
{
    const char *top = ag_http_query(exchange, "top");
    long limit = LIST_MAX;
    if (top != NULL) {
        char *end;
        limit = strtol(top, &end, 10);
        if (!isdigit((unsigned char)*top) || *end != '\0' || limit < 1 || limit > LIST_MAX) {
            struct ag_problem problem;
            ag_problem_set(&problem, AG_PROBLEM_BAD_REQUEST, "top must be 1 to 1000");
            ag_http_answer_problem(exchange, &problem);
            return;
        }
    }
    struct listing listing = { exchange->hub, json_array() };
    ag_device_store_list(&exchange->hub->db, "", limit, add_device, &listing);
    ag_http_answer_json(exchange, 200, listing.devices);
}
