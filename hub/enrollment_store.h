// SPDX-License-Identifier: Apache-2.0
// Enrolments of the provisioning service, individual and groups, and what was registered by them.
#ifndef AG_HUB_ENROLLMENT_STORE_H
#define AG_HUB_ENROLLMENT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "db.h"
#include "device_store.h"
#include "encoding.h"
#include "problem.h"

#define AG_ENROLLMENT_ID_MAX        128
#define AG_ENROLLMENT_DEFAULT_GROUP "airgraft" // made at the first start

enum ag_enrollment_kind {
    AG_ENROLLMENT_INDIVIDUAL,
    AG_ENROLLMENT_GROUP,
};

struct ag_enrollment {
    enum ag_enrollment_kind kind;
    char id[AG_ENROLLMENT_ID_MAX + 1]; // lower case: compared without regard to case
    bool enabled;
    char primary_key[AG_ENCODING_KEY_TEXT];
    char secondary_key[AG_ENCODING_KEY_TEXT];
    int64_t etag;
    int64_t created_ms;
    int64_t updated_ms;
    json_t *body; // the document as the client gave it, without keys and times
};

struct ag_registration {
    char registration_id[AG_ENROLLMENT_ID_MAX + 1]; // as the device wrote it
    char operation[80];
    char device_id[AG_DEVICE_ID_MAX + 1];
    char etag[40];
    int64_t created_ms;
    int64_t updated_ms;
};

// 1 to 128 alphanumerics and - . _ : with an alphanumeric or - at the end.
bool ag_enrollment_store_id_is_good(const char *id, size_t size);

// AG_ERR_NOT_FOUND leaves `enrollment` untouched; otherwise clear it.
AG_MUST_CHECK enum ag_status ag_enrollment_store_get(struct ag_db *db, enum ag_enrollment_kind kind,
                                                     const char *id,
                                                     struct ag_enrollment *enrollment);
void ag_enrollment_store_clear(struct ag_enrollment *enrollment);
// Adds or replaces. The etag and the times are set here.
enum ag_status ag_enrollment_store_put(struct ag_db *db, struct ag_enrollment *enrollment,
                                       int64_t now_ms);
enum ag_status ag_enrollment_store_remove(struct ag_db *db, enum ag_enrollment_kind kind,
                                          const char *id);

// Makes the default group, once in the life of a database.
void ag_enrollment_store_make_default(struct ag_db *db, int64_t now_ms);

// The enrolment that signed something for this registration id: `judge` is asked about each base64
// key that the device may hold. An individual enrolment hides the groups. Clear the result.
struct ag_enrollment_match {
    enum ag_enrollment_kind kind;
    char id[AG_ENROLLMENT_ID_MAX + 1];
};
bool ag_enrollment_store_find(struct ag_db *db, const char *registration_id,
                              bool (*judge)(void *context, const char *key), void *context,
                              struct ag_enrollment_match *match);

// The key that a group's key gives a registration id: base64 of its HMAC-SHA256.
bool ag_enrollment_store_derive(const char *group_key, const char *registration_id,
                                char key[AG_ENCODING_KEY_TEXT]);

AG_MUST_CHECK enum ag_status ag_enrollment_store_registration(struct ag_db *db,
                                                              const char *registration_id,
                                                              struct ag_registration *registration);
// Writes down an assignment; operation, etag and times are set here.
enum ag_status ag_enrollment_store_register(struct ag_db *db, struct ag_registration *registration,
                                            int64_t now_ms);

#endif
