// SPDX-License-Identifier: Apache-2.0
// Enrolments of the provisioning service.
#include "enrollment_store.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ag_enrollment_store_id_is_good(const char *id, size_t size)
{
    if (size == 0 || size > AG_ENROLLMENT_ID_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)id[i]) && (id[i] == '\0' || strchr("-._:", id[i]) == NULL))
            return false;
    }
    return isalnum((unsigned char)id[size - 1]) || id[size - 1] == '-';
}

static void lower(const char *id, char out[AG_ENROLLMENT_ID_MAX + 1])
{
    size_t i = 0;
    for (; id[i] != '\0' && i < AG_ENROLLMENT_ID_MAX; i++)
        out[i] = (char)tolower((unsigned char)id[i]);
    out[i] = '\0';
}

enum ag_status ag_enrollment_store_get(struct ag_db *db, enum ag_enrollment_kind kind,
                                       const char *id, struct ag_enrollment *enrollment)
{
    char key[AG_ENROLLMENT_ID_MAX + 1];
    lower(id, key);
    sqlite3_stmt *row = ag_db_read(db,
                                   "SELECT id, body, etag, enabled, primary_key, secondary_key,"
                                   " created, updated FROM enrollments WHERE kind = ? AND id = ?",
                                   "it", (int64_t)kind, key);
    if (!ag_db_next(db, row))
        return AG_ERR_NOT_FOUND;
    memset(enrollment, 0, sizeof *enrollment);
    enrollment->kind = kind;
    ag_db_copy_text(row, 0, enrollment->id, sizeof enrollment->id);
    enrollment->body = json_loads(ag_db_text(row, 1), 0, NULL);
    if (enrollment->body == NULL)
        enrollment->body = json_object();
    enrollment->etag = sqlite3_column_int64(row, 2);
    enrollment->enabled = sqlite3_column_int(row, 3) != 0;
    ag_db_copy_text(row, 4, enrollment->primary_key, sizeof enrollment->primary_key);
    ag_db_copy_text(row, 5, enrollment->secondary_key, sizeof enrollment->secondary_key);
    enrollment->created_ms = sqlite3_column_int64(row, 6);
    enrollment->updated_ms = sqlite3_column_int64(row, 7);
    ag_db_finish(row);
    return AG_OK;
}

void ag_enrollment_store_clear(struct ag_enrollment *enrollment)
{
    json_decref(enrollment->body);
    memset(enrollment, 0, sizeof *enrollment);
}

enum ag_status ag_enrollment_store_put(struct ag_db *db, struct ag_enrollment *enrollment,
                                       int64_t now_ms)
{
    lower(enrollment->id, enrollment->id);
    enrollment->etag++;
    enrollment->updated_ms = now_ms;
    if (enrollment->created_ms == 0)
        enrollment->created_ms = now_ms;
    char *body = json_dumps(enrollment->body, JSON_COMPACT);
    enum ag_status status =
        ag_db_write(db, "INSERT OR REPLACE INTO enrollments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "ittiittii", (int64_t)enrollment->kind, enrollment->id, body, enrollment->etag,
                    (int64_t)enrollment->enabled, enrollment->primary_key,
                    enrollment->secondary_key, enrollment->created_ms, enrollment->updated_ms);
    free(body);
    return status;
}

enum ag_status ag_enrollment_store_remove(struct ag_db *db, enum ag_enrollment_kind kind,
                                          const char *id)
{
    char key[AG_ENROLLMENT_ID_MAX + 1];
    lower(id, key);
    return ag_db_write(db, "DELETE FROM enrollments WHERE kind = ? AND id = ?", "it", (int64_t)kind,
                       key);
}

void ag_enrollment_store_make_default(struct ag_db *db, int64_t now_ms)
{
    sqlite3_stmt *row =
        ag_db_read(db, "SELECT 1 FROM settings WHERE name = 'defaultGroup' LIMIT 1", "");
    if (ag_db_next(db, row)) {
        ag_db_finish(row);
        return; // whoever removed or changed it meant it
    }
    (void)ag_db_write(db, "INSERT INTO settings VALUES ('defaultGroup', 'made')", "");
    struct ag_enrollment group = { .kind = AG_ENROLLMENT_GROUP,
                                   .id = AG_ENROLLMENT_DEFAULT_GROUP,
                                   .enabled = true,
                                   .body = json_object() };
    ag_encoding_new_key(group.primary_key);
    ag_encoding_new_key(group.secondary_key);
    (void)ag_enrollment_store_put(db, &group, now_ms);
    ag_enrollment_store_clear(&group);
}

bool ag_enrollment_store_derive(const char *group_key, const char *registration_id,
                                char key[AG_ENCODING_KEY_TEXT])
{
    uint8_t mac[AG_ENCODING_SHA256];
    if (!ag_encoding_hmac(group_key, registration_id, strlen(registration_id), mac))
        return false;
    ag_encoding_base64(mac, sizeof mac, key);
    return true;
}

static bool judge_derived(const char *group_key, const char *registration_id,
                          bool (*judge)(void *context, const char *key), void *context)
{
    char key[AG_ENCODING_KEY_TEXT];
    return ag_enrollment_store_derive(group_key, registration_id, key) && judge(context, key);
}

bool ag_enrollment_store_find(struct ag_db *db, const char *registration_id,
                              bool (*judge)(void *context, const char *key), void *context,
                              struct ag_enrollment_match *match)
{
    struct ag_enrollment individual;
    if (ag_enrollment_store_get(db, AG_ENROLLMENT_INDIVIDUAL, registration_id, &individual) ==
        AG_OK) {
        bool good =
            judge(context, individual.primary_key) || judge(context, individual.secondary_key);
        match->kind = AG_ENROLLMENT_INDIVIDUAL;
        memcpy(match->id, individual.id, sizeof match->id);
        ag_enrollment_store_clear(&individual);
        return good;
    }
    sqlite3_stmt *row = ag_db_read(
        db, "SELECT id, primary_key, secondary_key FROM enrollments WHERE kind = 1 ORDER BY id",
        "");
    while (ag_db_next(db, row)) {
        if (!judge_derived(ag_db_text(row, 1), registration_id, judge, context) &&
            !judge_derived(ag_db_text(row, 2), registration_id, judge, context))
            continue;
        match->kind = AG_ENROLLMENT_GROUP;
        ag_db_copy_text(row, 0, match->id, sizeof match->id);
        ag_db_finish(row);
        return true;
    }
    return false;
}

enum ag_status ag_enrollment_store_registration(struct ag_db *db, const char *registration_id,
                                                struct ag_registration *registration)
{
    char key[AG_ENROLLMENT_ID_MAX + 1];
    lower(registration_id, key);
    sqlite3_stmt *row = ag_db_read(db,
                                   "SELECT registration_id, operation, device_id, etag, created,"
                                   " updated FROM registrations WHERE id = ?",
                                   "t", key);
    if (!ag_db_next(db, row))
        return AG_ERR_NOT_FOUND;
    memset(registration, 0, sizeof *registration);
    ag_db_copy_text(row, 0, registration->registration_id, sizeof registration->registration_id);
    ag_db_copy_text(row, 1, registration->operation, sizeof registration->operation);
    ag_db_copy_text(row, 2, registration->device_id, sizeof registration->device_id);
    ag_db_copy_text(row, 3, registration->etag, sizeof registration->etag);
    registration->created_ms = sqlite3_column_int64(row, 4);
    registration->updated_ms = sqlite3_column_int64(row, 5);
    ag_db_finish(row);
    return AG_OK;
}

enum ag_status ag_enrollment_store_register(struct ag_db *db, struct ag_registration *registration,
                                            int64_t now_ms)
{
    char key[AG_ENROLLMENT_ID_MAX + 1];
    lower(registration->registration_id, key);
    strcpy(registration->operation, "4.");
    ag_encoding_new_hex(8, registration->operation + 2);
    strcat(registration->operation, ".");
    ag_encoding_new_hex(16, registration->operation + strlen(registration->operation));
    ag_encoding_new_hex(16, registration->etag);
    registration->updated_ms = now_ms;
    if (registration->created_ms == 0)
        registration->created_ms = now_ms;
    return ag_db_write(db, "INSERT OR REPLACE INTO registrations VALUES (?, ?, ?, ?, ?, ?, ?)",
                       "ttttiit", key, registration->registration_id, registration->operation,
                       registration->device_id, registration->created_ms, registration->updated_ms,
                       registration->etag);
}
