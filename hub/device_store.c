// SPDX-License-Identifier: Apache-2.0
// The registry: one row per device.
#include "device_store.h"

#include <stdio.h>
#include <string.h>

bool ag_device_store_id_is_good(const char *id, size_t size)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-:.+%_#*?!(),=@;$'";
    if (size == 0 || size > AG_DEVICE_ID_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (id[i] == '\0' || strchr(allowed, id[i]) == NULL)
            return false;
    }
    return true;
}

enum ag_status ag_device_store_get(struct ag_db *db, const char *id, struct ag_device *device)
{
    sqlite3_stmt *row = ag_db_read(
        db,
        "SELECT id, generation, etag, enabled, status_reason, status_updated, authentication,"
        " primary_key, secondary_key, primary_thumbprint, secondary_thumbprint,"
        " connection_updated, last_activity, model_id FROM devices WHERE id = ?",
        "t", id);
    if (!ag_db_next(db, row))
        return AG_ERR_NOT_FOUND;
    memset(device, 0, sizeof *device);
    ag_db_copy_text(row, 0, device->id, sizeof device->id);
    ag_db_copy_text(row, 1, device->generation, sizeof device->generation);
    device->etag = sqlite3_column_int64(row, 2);
    device->enabled = sqlite3_column_int(row, 3) != 0;
    ag_db_copy_text(row, 4, device->status_reason, sizeof device->status_reason);
    device->status_updated_ms = sqlite3_column_int64(row, 5);
    device->authentication = (enum ag_device_authentication)sqlite3_column_int(row, 6);
    ag_db_copy_text(row, 7, device->primary_key, sizeof device->primary_key);
    ag_db_copy_text(row, 8, device->secondary_key, sizeof device->secondary_key);
    ag_db_copy_text(row, 9, device->primary_thumbprint, sizeof device->primary_thumbprint);
    ag_db_copy_text(row, 10, device->secondary_thumbprint, sizeof device->secondary_thumbprint);
    device->connection_updated_ms = sqlite3_column_int64(row, 11);
    device->last_activity_ms = sqlite3_column_int64(row, 12);
    ag_db_copy_text(row, 13, device->model_id, sizeof device->model_id);
    ag_db_finish(row);
    return AG_OK;
}

enum ag_status ag_device_store_add(struct ag_db *db, const struct ag_device *device, int64_t now_ms)
{
    enum ag_status status = ag_db_write(
        db, "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        "ttiitiittttiit", device->id, device->generation, device->etag, (int64_t)device->enabled,
        device->status_reason, device->status_updated_ms, (int64_t)device->authentication,
        device->primary_key, device->secondary_key, device->primary_thumbprint,
        device->secondary_thumbprint, device->connection_updated_ms, device->last_activity_ms,
        device->model_id);
    if (status != AG_OK)
        return status;
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_iso_time(now_ms, now);
    char desired[80];
    char reported[80];
    snprintf(desired, sizeof desired, "{\"$lastUpdated\":\"%s\",\"$lastUpdatedVersion\":1}", now);
    snprintf(reported, sizeof reported, "{\"$lastUpdated\":\"%s\"}", now);
    return ag_db_write(db, "INSERT INTO twins VALUES (?, 2, 1, '{}', '{}', ?, 1, '{}', ?, 1)",
                       "ttt", device->id, desired, reported);
}

enum ag_status ag_device_store_update(struct ag_db *db, struct ag_device *device)
{
    device->etag++;
    return ag_db_write(
        db,
        "UPDATE devices SET etag = ?, enabled = ?, status_reason = ?, status_updated = ?,"
        " authentication = ?, primary_key = ?, secondary_key = ?, primary_thumbprint = ?,"
        " secondary_thumbprint = ? WHERE id = ?",
        "iitiittttt", device->etag, (int64_t)device->enabled, device->status_reason,
        device->status_updated_ms, (int64_t)device->authentication, device->primary_key,
        device->secondary_key, device->primary_thumbprint, device->secondary_thumbprint,
        device->id);
}

enum ag_status ag_device_store_remove(struct ag_db *db, const char *id)
{
    return ag_db_write(db, "DELETE FROM devices WHERE id = ?", "t", id);
}

void ag_device_store_list(struct ag_db *db, const char *after, int64_t limit,
                          void (*visit)(void *context, const char *id), void *context)
{
    sqlite3_stmt *row = ag_db_read(db, "SELECT id FROM devices WHERE id > ? ORDER BY id LIMIT ?",
                                   "ti", after, limit);
    while (ag_db_next(db, row))
        visit(context, ag_db_text(row, 0));
}

int ag_device_store_subscriptions(struct ag_db *db, const char *id)
{
    sqlite3_stmt *row =
        ag_db_read(db, "SELECT coalesce(subscriptions, -1) FROM devices WHERE id = ?", "t", id);
    if (!ag_db_next(db, row))
        return -1;
    int subscriptions = sqlite3_column_int(row, 0);
    ag_db_finish(row);
    return subscriptions;
}

void ag_device_store_set_subscriptions(struct ag_db *db, const char *id, int subscriptions)
{
    (void)ag_db_write(db, "UPDATE devices SET subscriptions = nullif(?, -1) WHERE id = ?", "it",
                      (int64_t)subscriptions, id);
}

void ag_device_store_set_model(struct ag_db *db, const char *id, const char *model_id)
{
    (void)ag_db_write(db, "UPDATE devices SET model_id = ? WHERE id = ?", "tt", model_id, id);
}

void ag_device_store_set_activity(struct ag_db *db, const char *id, int64_t connection_updated_ms,
                                  int64_t last_activity_ms)
{
    (void)ag_db_write(db,
                      "UPDATE devices SET connection_updated = ?, last_activity = ? WHERE id = ?",
                      "iit", connection_updated_ms, last_activity_ms, id);
}
