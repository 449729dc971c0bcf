// SPDX-License-Identifier: Apache-2.0
// The service side of an IoT Hub: its REST API, the same for Azure and for the local hub.
#ifndef AG_CLI_SERVICE_H
#define AG_CLI_SERVICE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/connection.h"
#include "cli/rest.h"

#define AG_SERVICE_API_VERSION "2021-04-12"

struct ag_service_call {
    const char *method;
    const char *collection; // "devices", "twins"
    const char *id;         // of the device, not escaped; NULL: the collection itself
    const char *part;       // behind the id: "methods"; NULL: none
    const char *query;      // more of the query, e.g. "top=100"; NULL: none
    const json_t *body;     // borrowed; NULL: none
    const char *if_match;   // an etag as the hub gave it, or "*"; NULL: none
    uint32_t silence_s;     // as in struct ag_rest_request
    const char *what;       // for errors: "show the device dev-1"
};

// Performs the call with a fresh token. False when there was no answer, with the error printed;
// true with *answer for any HTTP status, to be cleared by ag_rest_clear.
bool ag_service_perform(const struct ag_connection *connection, const struct ag_service_call *call,
                        struct ag_rest_answer *answer);

// Performs the call and expects 2xx with JSON. Anything else is printed and gives NULL. The value
// is the caller's.
json_t *ag_service_fetch(const struct ag_connection *connection,
                         const struct ag_service_call *call);

// Prints the hub's refusal. Returns AG_EXIT_FAILED.
int ag_service_fail(const struct ag_rest_answer *answer);

// A member of a device or twin as text, or `otherwise` when it is missing or no text.
const char *ag_service_text(const json_t *object, const char *name, const char *otherwise);

// What to do about an error that a device told: its own hint; where it told none, as small devices
// do, the one that this program's table has for its code, provided that the name is the same. NULL:
// none, or not such an error.
const char *ag_service_hint(const json_t *error);

#endif
