// SPDX-License-Identifier: Apache-2.0
// The registry: one row per device with its keys and state.
#ifndef AG_HUB_DEVICE_STORE_H
#define AG_HUB_DEVICE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "encoding.h"

#define AG_DEVICE_ID_MAX 128 // bytes, by Azure's rule

enum ag_device_authentication {
    AG_DEVICE_SAS,
    AG_DEVICE_SELF_SIGNED,
    AG_DEVICE_CERTIFICATE_AUTHORITY,
    AG_DEVICE_NO_AUTHENTICATION,
};

struct ag_device {
    char id[AG_DEVICE_ID_MAX + 1];
    char generation[24]; // tells apart devices that had the same id one after the other
    int64_t etag;
    bool enabled;
    char status_reason[129];
    int64_t status_updated_ms;
    enum ag_device_authentication authentication;
    char primary_key[AG_ENCODING_KEY_TEXT];
    char secondary_key[AG_ENCODING_KEY_TEXT];
    char primary_thumbprint[65];
    char secondary_thumbprint[65];
    int64_t connection_updated_ms; // 0: never connected
    int64_t last_activity_ms;      // 0: never
    char model_id[129];
};

// 1 to 128 of the characters that Azure allows; `size` bytes without NUL.
bool ag_device_store_id_is_good(const char *id, size_t size);

AG_MUST_CHECK enum ag_status ag_device_store_get(struct ag_db *db, const char *id,
                                                 struct ag_device *device);
// Adds a device that is not there, with an empty twin that begins at `now_ms`.
enum ag_status ag_device_store_add(struct ag_db *db, const struct ag_device *device,
                                   int64_t now_ms);
// Writes everything but the id and the generation, under the next etag, which is set in `device`.
enum ag_status ag_device_store_update(struct ag_db *db, struct ag_device *device);
// Removes the device, its twin and its session.
enum ag_status ag_device_store_remove(struct ag_db *db, const char *id);

// The ids behind `after` ("" for the first) in order, at most `limit`, each to `visit`.
void ag_device_store_list(struct ag_db *db, const char *after, int64_t limit,
                          void (*visit)(void *context, const char *id), void *context);

// Subscriptions that a device left behind with clean session 0; -1 when no session is kept.
int ag_device_store_subscriptions(struct ag_db *db, const char *id);
// -1 forgets the session.
void ag_device_store_set_subscriptions(struct ag_db *db, const char *id, int subscriptions);
void ag_device_store_set_model(struct ag_db *db, const char *id, const char *model_id);
void ag_device_store_set_activity(struct ag_db *db, const char *id, int64_t connection_updated_ms,
                                  int64_t last_activity_ms);

#endif
