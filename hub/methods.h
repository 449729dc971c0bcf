// SPDX-License-Identifier: Apache-2.0
// Direct methods: callers of the service that wait for a device's answer.
#ifndef AG_HUB_METHODS_H
#define AG_HUB_METHODS_H

#include "hub.h"
#include "mqtt_session.h"
#include "problem.h"

#define AG_METHODS_PAYLOAD_MAX (128 * 1024) // bytes, each way, as at Azure

struct ag_methods_outcome {
    struct ag_problem problem; // of kind AG_PROBLEM_NONE: the device has answered
    int status;                // what it answered
    json_t *payload;           // borrowed
};

// Called once for each call; may not call back into this module.
typedef void (*ag_methods_done)(void *context, const struct ag_methods_outcome *outcome);

struct ag_methods_call {
    const char *device_id;
    const char *name;     // see ag_methods_name_is_good
    const char *payload;  // JSON text; "" for none
    int64_t response_ms;  // from the sending to the answer
    int64_t connect_ms;   // until the device is connected and listens; 0: it must be
    ag_methods_done done; // also before ag_methods_invoke returns
    void *context;
};

// True for what Azure takes: 1 to 100 printable characters but no separators.
bool ag_methods_name_is_good(const char *name);

void ag_methods_invoke(struct ag_hub *hub, const struct ag_methods_call *call);

// The device's answer to `$iothub/methods/res/TOPIC`; false when the topic is malformed. One that
// nobody waits for any more is passed over.
bool ag_methods_take(struct ag_mqtt_session *session, struct ag_text topic,
                     const struct ag_mqtt_publish *publish);

// Sends to those that are connected now, and ends those whose time is over.
void ag_methods_tick(struct ag_hub *hub);

// Ends all.
void ag_methods_close(struct ag_hub *hub);

#endif
