// SPDX-License-Identifier: Apache-2.0
// Twins in the database: read one, and the two ways in which one changes.
#ifndef AG_HUB_TWIN_STORE_H
#define AG_HUB_TWIN_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "db.h"
#include "problem.h"

struct ag_twin_section {
    json_t *values;   // without $version and $metadata
    json_t *metadata; // NULL for tags
    int64_t version;  // 0 for tags
};

struct ag_twin {
    int64_t version; // one more for every change of anything
    int64_t etag;    // one more for every change by the service
    json_t *tags;
    struct ag_twin_section desired;
    struct ag_twin_section reported;
};

// AG_ERR_NOT_FOUND, or AG_ERR_INTERNAL when a row is damaged; then `twin` is untouched.
AG_MUST_CHECK enum ag_status ag_twin_store_load(struct ag_db *db, const char *id,
                                                struct ag_twin *twin);
void ag_twin_store_clear(struct ag_twin *twin);

// The device's report: a merge patch. On success `version` is the new one of the reported section.
bool ag_twin_store_report(struct ag_db *db, const char *id, json_t *patch, int64_t now_ms,
                          int64_t *version, struct ag_problem *problem);

// What the service wants of a twin.
struct ag_twin_change {
    const json_t *document; // `tags` and `properties.desired`, each optional; borrowed
    bool replace;           // put in place of what is there, instead of merged into it
    int64_t etag;           // of the twin that is meant; negative: any
    int64_t now_ms;
};

// On success `delivery` is what the device is to be told, with its $version, or NULL when desired
// was not named; it is the caller's.
bool ag_twin_store_change(struct ag_db *db, const char *id, const struct ag_twin_change *change,
                          json_t **delivery, struct ag_problem *problem);

// The document that a device gets: desired and reported with $version. The caller's.
json_t *ag_twin_store_device_view(const struct ag_twin *twin);
// A section as the service sees it: with $metadata and $version. The caller's.
json_t *ag_twin_store_service_view(const struct ag_twin_section *section);

#endif
