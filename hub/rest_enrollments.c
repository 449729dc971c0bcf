// SPDX-License-Identifier: Apache-2.0
// REST of the provisioning service: individual enrolments and enrolment groups with symmetric keys.
#include "rest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "enrollment_store.h"
#include "twin_document.h"

static enum ag_enrollment_kind kind_of(const struct ag_http_exchange *exchange)
{
    return strncmp(exchange->path, "/enrollmentGroups/", 18) == 0 ? AG_ENROLLMENT_GROUP
                                                                  : AG_ENROLLMENT_INDIVIDUAL;
}

static const char *id_name(enum ag_enrollment_kind kind)
{
    return kind == AG_ENROLLMENT_GROUP ? "enrollmentGroupId" : "registrationId";
}

static json_t *attestation(const struct ag_enrollment *enrollment, bool with_keys)
{
    if (!with_keys)
        return json_pack("{s:s}", "type", "symmetricKey");
    return json_pack("{s:s,s:{s:s,s:s}}", "type", "symmetricKey", "symmetricKey", "primaryKey",
                     enrollment->primary_key, "secondaryKey", enrollment->secondary_key);
}

static json_t *enrollment_json(const struct ag_enrollment *enrollment, bool with_keys)
{
    char etag[AG_HTTP_ETAG_TEXT];
    char quoted[AG_HTTP_ETAG_TEXT + 2];
    ag_http_etag(enrollment->etag, etag);
    snprintf(quoted, sizeof quoted, "\"%s\"", etag);
    json_t *json = json_copy(enrollment->body);
    json_object_set_new(json, id_name(enrollment->kind), json_string(enrollment->id));
    json_object_set_new(json, "attestation", attestation(enrollment, with_keys));
    json_object_set_new(json, "provisioningStatus",
                        json_string(enrollment->enabled ? "enabled" : "disabled"));
    json_object_set_new(json, "createdDateTimeUtc", ag_rest_devices_time(enrollment->created_ms));
    json_object_set_new(json, "lastUpdatedDateTimeUtc",
                        ag_rest_devices_time(enrollment->updated_ms));
    json_object_set_new(json, "etag", json_string(quoted));
    return json;
}

static bool bad(struct ag_problem *problem, const char *text)
{
    ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "%s", text);
    return false;
}

static bool take_attestation(const json_t *given, struct ag_enrollment *enrollment,
                             struct ag_problem *problem)
{
    const char *type = json_string_value(json_object_get(given, "type"));
    if (type == NULL)
        return bad(problem, "attestation.type is missing");
    if (strcmp(type, "symmetricKey") != 0) {
        ag_problem_set(problem, AG_PROBLEM_NOT_OFFERED,
                       "this hub attests devices by symmetric keys only");
        return false;
    }
    const json_t *keys = json_object_get(given, "symmetricKey");
    return ag_rest_devices_take_key(keys, "primaryKey", enrollment->primary_key, problem) &&
           ag_rest_devices_take_key(keys, "secondaryKey", enrollment->secondary_key, problem);
}

static bool take_status(const json_t *given, struct ag_enrollment *enrollment,
                        struct ag_problem *problem)
{
    const char *name = json_string_value(given);
    if (given == NULL || json_is_null(given))
        return true;
    enrollment->enabled = name != NULL && strcmp(name, "enabled") == 0;
    if (!enrollment->enabled && (name == NULL || strcmp(name, "disabled") != 0))
        return bad(problem, "provisioningStatus must be enabled or disabled");
    return true;
}

// The initial twin and the device id must be good now, not when a device comes.
static bool check_body(const json_t *body, struct ag_problem *problem)
{
    const json_t *twin = json_object_get(body, "initialTwin");
    const json_t *tags = json_object_get(twin, "tags");
    const json_t *desired = json_object_get(json_object_get(twin, "properties"), "desired");
    const json_t *device_id = json_object_get(body, "deviceId");
    if (twin != NULL && !json_is_null(twin) && !json_is_object(twin))
        return bad(problem, "initialTwin must be a JSON object");
    if (json_is_object(tags) && !ag_twin_document_check(tags, problem))
        return false;
    if (json_is_object(desired) && !ag_twin_document_check(desired, problem))
        return false;
    const char *id = json_string_value(device_id);
    if (id != NULL && id[0] != '\0' && !ag_device_store_id_is_good(id, strlen(id)))
        return bad(problem, "deviceId is not a device id");
    return true;
}

// Keeps of the document what is not kept in columns.
static json_t *document_body(const json_t *document)
{
    static const char *const elsewhere[] = {
        "registrationId",     "enrollmentGroupId",      "attestation",       "provisioningStatus",
        "createdDateTimeUtc", "lastUpdatedDateTimeUtc", "registrationState", "etag",
    };
    json_t *body = json_deep_copy(document);
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        json_object_del(body, elsewhere[i]);
    return body;
}

static bool take_document(const json_t *document, struct ag_enrollment *enrollment,
                          struct ag_problem *problem)
{
    const json_t *id = json_object_get(document, id_name(enrollment->kind));
    if (id != NULL &&
        (!json_is_string(id) || strcasecmp(json_string_value(id), enrollment->id) != 0))
        return bad(problem, "the id in the body and in the path differ");
    if (!take_attestation(json_object_get(document, "attestation"), enrollment, problem) ||
        !take_status(json_object_get(document, "provisioningStatus"), enrollment, problem) ||
        !check_body(document, problem))
        return false;
    json_decref(enrollment->body);
    enrollment->body = document_body(document);
    return true;
}

// The rules of If-Match: none creates, one updates.
static bool may_put(const struct ag_http_exchange *exchange, bool exists,
                    const struct ag_enrollment *enrollment, struct ag_problem *problem)
{
    bool update = ag_http_header(exchange, "If-Match") != NULL;
    int64_t etag = ag_http_if_match(exchange);
    if (exists && !update)
        ag_problem_set(problem, AG_PROBLEM_ENROLLMENT_EXISTS, "the enrolment is there already");
    else if (!exists && update)
        ag_problem_set(problem, AG_PROBLEM_NO_ENROLLMENT, "no such enrolment");
    else if (exists && etag != AG_HTTP_ETAG_ANY && etag != enrollment->etag)
        ag_problem_set(problem, AG_PROBLEM_PRECONDITION, "it has changed since that etag");
    else
        return true;
    return false;
}

static bool put_enrollment(struct ag_http_exchange *exchange, const json_t *document,
                           struct ag_enrollment *enrollment, struct ag_problem *problem)
{
    struct ag_hub *hub = exchange->hub;
    const char *id = exchange->ids[0];
    enum ag_enrollment_kind kind = kind_of(exchange);
    if (!ag_enrollment_store_id_is_good(id, strlen(id)))
        return bad(problem, "the id is too long or has a character that is not allowed");
    bool exists = ag_enrollment_store_get(&hub->db, kind, id, enrollment) == AG_OK;
    if (!may_put(exchange, exists, enrollment, problem))
        return false;
    if (!exists) {
        enrollment->kind = kind;
        enrollment->enabled = true;
        strcpy(enrollment->id, id); // fits: the id was checked
    }
    if (!take_document(document, enrollment, problem))
        return false;
    if (ag_enrollment_store_put(&hub->db, enrollment, ag_hub_wall_ms(hub)) == AG_OK)
        return true;
    ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the enrolment cannot be written");
    return false;
}

void ag_rest_enrollments_put(struct ag_http_exchange *exchange)
{
    json_t *document = ag_http_json(exchange);
    if (document == NULL)
        return;
    struct ag_enrollment enrollment = { .body = NULL };
    struct ag_problem problem;
    bool done = put_enrollment(exchange, document, &enrollment, &problem);
    json_decref(document);
    if (done)
        ag_http_answer_json(exchange, 200, enrollment_json(&enrollment, true));
    else
        ag_http_answer_problem(exchange, &problem);
    ag_enrollment_store_clear(&enrollment);
}

// The enrolment of the path; false when it is not there, and the exchange is answered.
static bool find_enrollment(struct ag_http_exchange *exchange, struct ag_enrollment *enrollment)
{
    if (ag_enrollment_store_get(&exchange->hub->db, kind_of(exchange), exchange->ids[0],
                                enrollment) == AG_OK)
        return true;
    struct ag_problem problem;
    ag_problem_set(&problem, AG_PROBLEM_NO_ENROLLMENT, "no such enrolment");
    ag_http_answer_problem(exchange, &problem);
    return false;
}

void ag_rest_enrollments_get(struct ag_http_exchange *exchange)
{
    struct ag_enrollment enrollment;
    if (!find_enrollment(exchange, &enrollment))
        return;
    ag_http_answer_json(exchange, 200, enrollment_json(&enrollment, false));
    ag_enrollment_store_clear(&enrollment);
}

void ag_rest_enrollments_keys(struct ag_http_exchange *exchange)
{
    struct ag_enrollment enrollment;
    if (!find_enrollment(exchange, &enrollment))
        return;
    ag_http_answer_json(exchange, 200, attestation(&enrollment, true));
    ag_enrollment_store_clear(&enrollment);
}

void ag_rest_enrollments_delete(struct ag_http_exchange *exchange)
{
    struct ag_enrollment enrollment;
    if (!find_enrollment(exchange, &enrollment))
        return;
    struct ag_problem problem = { .kind = AG_PROBLEM_NONE };
    int64_t etag = ag_http_if_match(exchange);
    if (etag != AG_HTTP_ETAG_ANY && etag != enrollment.etag)
        ag_problem_set(&problem, AG_PROBLEM_PRECONDITION, "it has changed since that etag");
    else if (ag_enrollment_store_remove(&exchange->hub->db, enrollment.kind, enrollment.id) !=
             AG_OK)
        ag_problem_set(&problem, AG_PROBLEM_INTERNAL, "the enrolment cannot be removed");
    ag_enrollment_store_clear(&enrollment);
    if (problem.kind == AG_PROBLEM_NONE)
        ag_http_answer_json(exchange, 204, NULL);
    else
        ag_http_answer_problem(exchange, &problem);
}
