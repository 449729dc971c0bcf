// SPDX-License-Identifier: Apache-2.0
// The service's REST API: the table of routes, and what its files share.
#ifndef AG_HUB_REST_H
#define AG_HUB_REST_H

#include "device_store.h"
#include "http.h"

// Ends with a NULL pattern. A fixed segment stands before `*` in the same place.
extern const struct ag_http_route ag_rest_routes[];

// rest_devices.c
void ag_rest_devices_put(struct ag_http_exchange *exchange);
void ag_rest_devices_get(struct ag_http_exchange *exchange);
void ag_rest_devices_delete(struct ag_http_exchange *exchange);
void ag_rest_devices_list(struct ag_http_exchange *exchange);
// The document of a device; the caller's.
json_t *ag_rest_devices_json(const struct ag_hub *hub, const struct ag_device *device);
// What twin documents need of it: the name of the authentication, a time ("0001-01-01T00:00:00Z"
// for 0), the state of the connection, the last activity.
const char *ag_rest_devices_authentication(const struct ag_device *device);
json_t *ag_rest_devices_time(int64_t ms);
const char *ag_rest_devices_connection_state(const struct ag_hub *hub, const char *id);
json_t *ag_rest_devices_last_activity(const struct ag_hub *hub, const struct ag_device *device);
// Takes a base64 key from an object of keys; where it is missing or empty, keeps what `key` holds,
// or makes a new one when that is empty. False, with the problem set, for a bad key.
bool ag_rest_devices_take_key(const json_t *keys, const char *name, char key[AG_ENCODING_KEY_TEXT],
                              struct ag_problem *problem);

// rest_twins.c
void ag_rest_twins_get(struct ag_http_exchange *exchange);
void ag_rest_twins_patch(struct ag_http_exchange *exchange);
void ag_rest_twins_put(struct ag_http_exchange *exchange);
void ag_rest_twins_query(struct ag_http_exchange *exchange);

// rest_methods.c
void ag_rest_methods_invoke(struct ag_http_exchange *exchange);

// rest_enrollments.c
void ag_rest_enrollments_put(struct ag_http_exchange *exchange);
void ag_rest_enrollments_get(struct ag_http_exchange *exchange);
void ag_rest_enrollments_delete(struct ag_http_exchange *exchange);
void ag_rest_enrollments_keys(struct ag_http_exchange *exchange);

#endif
