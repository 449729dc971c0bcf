// SPDX-License-Identifier: Apache-2.0
// Twins in the database.
#include "twin_store.h"

#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "hub_log.h"
#include "twin_document.h"

static json_t *load_column(sqlite3_stmt *row, int column)
{
    json_t *value = json_loads(ag_db_text(row, column), 0, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

enum ag_status ag_twin_store_load(struct ag_db *db, const char *id, struct ag_twin *twin)
{
    sqlite3_stmt *row = ag_db_read(
        db,
        "SELECT version, etag, tags, desired, desired_metadata, desired_version, reported,"
        " reported_metadata, reported_version FROM twins WHERE device_id = ?",
        "t", id);
    if (!ag_db_next(db, row))
        return AG_ERR_NOT_FOUND;
    struct ag_twin loaded = {
        .version = sqlite3_column_int64(row, 0),
        .etag = sqlite3_column_int64(row, 1),
        .tags = load_column(row, 2),
        .desired = { load_column(row, 3), load_column(row, 4), sqlite3_column_int64(row, 5) },
        .reported = { load_column(row, 6), load_column(row, 7), sqlite3_column_int64(row, 8) },
    };
    ag_db_finish(row);
    if (loaded.tags == NULL || loaded.desired.values == NULL || loaded.desired.metadata == NULL ||
        loaded.reported.values == NULL || loaded.reported.metadata == NULL) {
        ag_hub_log_write(AG_HUB_LOG_ERROR, "database: the twin of %s is damaged", id);
        ag_twin_store_clear(&loaded);
        return AG_ERR_INTERNAL;
    }
    *twin = loaded;
    return AG_OK;
}

void ag_twin_store_clear(struct ag_twin *twin)
{
    json_decref(twin->tags);
    json_decref(twin->desired.values);
    json_decref(twin->desired.metadata);
    json_decref(twin->reported.values);
    json_decref(twin->reported.metadata);
    memset(twin, 0, sizeof *twin);
}

static bool load(struct ag_db *db, const char *id, struct ag_twin *twin, struct ag_problem *problem)
{
    enum ag_status status = ag_twin_store_load(db, id, twin);
    if (status == AG_ERR_NOT_FOUND)
        ag_problem_set(problem, AG_PROBLEM_NO_DEVICE, "no device '%s'", id);
    else if (status != AG_OK)
        ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the twin cannot be read");
    return status == AG_OK;
}

static bool fits(const json_t *section, size_t limit, const char *name, struct ag_problem *problem)
{
    size_t size = ag_twin_document_size(section);
    if (size <= limit)
        return true;
    ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "%s would have %zu bytes, the limit is %zu",
                   name, size, limit);
    return false;
}

bool ag_twin_store_report(struct ag_db *db, const char *id, json_t *patch, int64_t now_ms,
                          int64_t *version, struct ag_problem *problem)
{
    ag_twin_document_strip(patch);
    if (!ag_twin_document_check(patch, problem))
        return false;
    struct ag_twin twin;
    if (!load(db, id, &twin, problem))
        return false;
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_iso_time(now_ms, now);
    ag_twin_document_merge(twin.reported.values, twin.reported.metadata, patch, now, 0);
    bool good = fits(twin.reported.values, AG_TWIN_PROPERTIES_MAX, "reported", problem);
    if (good) {
        char *values = json_dumps(twin.reported.values, JSON_COMPACT);
        char *metadata = json_dumps(twin.reported.metadata, JSON_COMPACT);
        good = ag_db_write(db,
                           "UPDATE twins SET reported = ?, reported_metadata = ?,"
                           " reported_version = ?, version = version + 1 WHERE device_id = ?",
                           "ttit", values, metadata, twin.reported.version + 1, id) == AG_OK;
        free(values);
        free(metadata);
        if (!good)
            ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the twin cannot be written");
        *version = twin.reported.version + 1;
    }
    ag_twin_store_clear(&twin);
    return good;
}

// The checked patch that a change means for one section; NULL with the problem set.
static json_t *section_patch(const json_t *section, const json_t *change, bool replace,
                             struct ag_problem *problem)
{
    json_t *wanted = json_deep_copy(change);
    ag_twin_document_strip(wanted);
    if (!ag_twin_document_check(wanted, problem)) {
        json_decref(wanted);
        return NULL;
    }
    if (!replace)
        return wanted;
    json_t *patch = ag_twin_document_replacing_patch(section, wanted);
    json_decref(wanted);
    return patch;
}

static bool change_tags(struct ag_twin *twin, const json_t *change, bool replace,
                        struct ag_problem *problem)
{
    json_t *patch = section_patch(twin->tags, change, replace, problem);
    if (patch == NULL)
        return false;
    json_t *metadata = json_object(); // tags have none that anybody sees
    ag_twin_document_merge(twin->tags, metadata, patch, "", 0);
    json_decref(metadata);
    json_decref(patch);
    return fits(twin->tags, AG_TWIN_TAGS_MAX, "tags", problem);
}

static bool change_desired(struct ag_twin *twin, const json_t *wanted,
                           const struct ag_twin_change *change, json_t **delivery,
                           struct ag_problem *problem)
{
    struct ag_twin_section *desired = &twin->desired;
    json_t *patch = section_patch(desired->values, wanted, change->replace, problem);
    if (patch == NULL)
        return false;
    char now[AG_ENCODING_TIME_TEXT];
    ag_encoding_iso_time(change->now_ms, now);
    desired->version++;
    ag_twin_document_merge(desired->values, desired->metadata, patch, now, desired->version);
    json_object_set_new(patch, "$version", json_integer(desired->version));
    *delivery = patch;
    return fits(desired->values, AG_TWIN_PROPERTIES_MAX, "desired", problem);
}

static bool save_change(struct ag_db *db, const char *id, const struct ag_twin *twin)
{
    char *tags = json_dumps(twin->tags, JSON_COMPACT);
    char *desired = json_dumps(twin->desired.values, JSON_COMPACT);
    char *metadata = json_dumps(twin->desired.metadata, JSON_COMPACT);
    enum ag_status status =
        ag_db_write(db,
                    "UPDATE twins SET tags = ?, desired = ?, desired_metadata = ?,"
                    " desired_version = ?, version = version + 1, etag = etag + 1"
                    " WHERE device_id = ?",
                    "tttit", tags, desired, metadata, twin->desired.version, id);
    free(tags);
    free(desired);
    free(metadata);
    return status == AG_OK;
}

bool ag_twin_store_change(struct ag_db *db, const char *id, const struct ag_twin_change *change,
                          json_t **delivery, struct ag_problem *problem)
{
    *delivery = NULL;
    const json_t *tags = json_object_get(change->document, "tags");
    const json_t *properties = json_object_get(change->document, "properties");
    const json_t *desired = json_object_get(properties, "desired");
    if (properties != NULL && !json_is_object(properties)) {
        ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "properties must be a JSON object");
        return false;
    }
    struct ag_twin twin;
    if (!load(db, id, &twin, problem))
        return false;
    bool good = change->etag < 0 || change->etag == twin.etag;
    if (!good)
        ag_problem_set(problem, AG_PROBLEM_PRECONDITION, "the twin has changed since that etag");
    if (good && tags != NULL && !json_is_null(tags))
        good = change_tags(&twin, tags, change->replace, problem);
    if (good && desired != NULL && !json_is_null(desired))
        good = change_desired(&twin, desired, change, delivery, problem);
    if (good && !save_change(db, id, &twin)) {
        ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the twin cannot be written");
        good = false;
    }
    if (!good) {
        json_decref(*delivery);
        *delivery = NULL;
    }
    ag_twin_store_clear(&twin);
    return good;
}

static json_t *with_version(const struct ag_twin_section *section)
{
    json_t *view = json_copy(section->values);
    json_object_set_new(view, "$version", json_integer(section->version));
    return view;
}

json_t *ag_twin_store_device_view(const struct ag_twin *twin)
{
    json_t *view = json_object();
    json_object_set_new(view, "desired", with_version(&twin->desired));
    json_object_set_new(view, "reported", with_version(&twin->reported));
    return view;
}

json_t *ag_twin_store_service_view(const struct ag_twin_section *section)
{
    json_t *view = json_copy(section->values);
    json_object_set(view, "$metadata", section->metadata);
    json_object_set_new(view, "$version", json_integer(section->version));
    return view;
}
