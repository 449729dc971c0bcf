// SPDX-License-Identifier: Apache-2.0
// Direct methods: callers of the service that wait for a device's answer.
//
// The request id is the hub's own, counts up, and is told to one device only: an answer counts for
// the call of that device and id.
#include "methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_log.h"
#include "memory.h"

#define NAME_MAX_SIZE 100

struct ag_methods_waiting {
    struct ag_methods_waiting *next;
    char device_id[AG_DEVICE_ID_MAX + 1];
    char name[NAME_MAX_SIZE + 1];
    char *payload;
    int64_t response_ms;
    ag_methods_done done;
    void *context;
    uint64_t rid;
    bool is_sent;
    int64_t deadline_ms; // steady
};

bool ag_methods_name_is_good(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > NAME_MAX_SIZE)
        return false;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("$()<>@,;:\\\"/[]?={}", *at) != NULL)
            return false;
    }
    return true;
}

static void finish(struct ag_methods_waiting *waiting, const struct ag_methods_outcome *outcome)
{
    waiting->done(waiting->context, outcome);
    free(waiting->payload);
    free(waiting);
}

static void give_up(struct ag_methods_waiting *waiting, enum ag_problem_kind kind, const char *text)
{
    struct ag_methods_outcome outcome = { .status = 0 };
    ag_problem_set(&outcome.problem, kind, "%s", text);
    finish(waiting, &outcome);
}

// True when it was sent: the device is connected and listens.
static bool send_to_device(struct ag_hub *hub, struct ag_methods_waiting *waiting)
{
    struct ag_mqtt_session *session = ag_hub_session_of(hub, waiting->device_id);
    if (session == NULL || (session->subscriptions & AG_MQTT_SESSION_METHODS) == 0)
        return false;
    char topic[192];
    snprintf(topic, sizeof topic, "$iothub/methods/POST/%s/?$rid=%llx", waiting->name,
             (unsigned long long)waiting->rid);
    waiting->is_sent = true;
    waiting->deadline_ms = ag_hub_steady_ms(hub) + waiting->response_ms;
    ag_mqtt_session_send_publish(session, topic, waiting->payload, strlen(waiting->payload));
    return true;
}

void ag_methods_invoke(struct ag_hub *hub, const struct ag_methods_call *call)
{
    struct ag_methods_waiting *waiting = ag_memory_zeroed(sizeof *waiting);
    snprintf(waiting->device_id, sizeof waiting->device_id, "%s", call->device_id);
    snprintf(waiting->name, sizeof waiting->name, "%s", call->name);
    waiting->payload = ag_memory_text(call->payload, strlen(call->payload));
    waiting->response_ms = call->response_ms;
    waiting->done = call->done;
    waiting->context = call->context;
    waiting->rid = ++hub->method_count;
    waiting->deadline_ms = ag_hub_steady_ms(hub) + call->connect_ms;
    if (!send_to_device(hub, waiting) && call->connect_ms == 0) {
        give_up(waiting, AG_PROBLEM_NOT_ONLINE, "the device is not connected, or takes no methods");
        return;
    }
    waiting->next = hub->methods;
    hub->methods = waiting;
}

// Cuts `STATUS/?$rid=RID` apart; what stands behind the id is nobody's business.
static bool parse_answer(struct ag_text topic, uint64_t *status, uint64_t *rid)
{
    struct ag_text rest = topic;
    struct ag_text digits = ag_text_split(&rest, '/');
    if (!ag_text_decimal(digits, INT32_MAX, status) || !ag_mqtt_session_skip(&rest, "?"))
        return false;
    struct ag_text id = ag_mqtt_session_query(rest, "$rid");
    *rid = 0;
    for (size_t i = 0; i < id.size; i++) {
        const uint32_t digit = ag_text_hex_digit(id.at[i]);
        if (digit > 15 || i == 16)
            return false;
        *rid = *rid << 4 | digit;
    }
    return id.size > 0;
}

static struct ag_methods_waiting *take_out(struct ag_hub *hub, const char *device_id, uint64_t rid)
{
    for (struct ag_methods_waiting **at = &hub->methods; *at != NULL; at = &(*at)->next) {
        struct ag_methods_waiting *waiting = *at;
        if (!waiting->is_sent || waiting->rid != rid || strcmp(waiting->device_id, device_id) != 0)
            continue;
        *at = waiting->next;
        return waiting;
    }
    return NULL;
}

bool ag_methods_take(struct ag_mqtt_session *session, struct ag_text topic,
                     const struct ag_mqtt_publish *publish)
{
    uint64_t status;
    uint64_t rid;
    if (!parse_answer(topic, &status, &rid))
        return false;
    struct ag_methods_waiting *waiting = take_out(session->hub, session->client_id, rid);
    if (waiting == NULL)
        return true;
    struct ag_methods_outcome outcome = { .status = (int)status };
    if (publish->payload_size > AG_METHODS_PAYLOAD_MAX) {
        give_up(waiting, AG_PROBLEM_TOO_LARGE, "the device's answer is larger than 128 KiB");
        return true;
    }
    outcome.payload = publish->payload_size == 0
                          ? json_null()
                          : json_loadb((const char *)publish->payload, publish->payload_size,
                                       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (outcome.payload == NULL) {
        give_up(waiting, AG_PROBLEM_BAD_ANSWER, "the device's answer is not JSON");
        return true;
    }
    finish(waiting, &outcome);
    json_decref(outcome.payload);
    return true;
}

void ag_methods_tick(struct ag_hub *hub)
{
    int64_t now_ms = ag_hub_steady_ms(hub);
    struct ag_methods_waiting **at = &hub->methods;
    while (*at != NULL) {
        struct ag_methods_waiting *waiting = *at;
        if (!waiting->is_sent)
            (void)send_to_device(hub, waiting);
        if (now_ms < waiting->deadline_ms) {
            at = &waiting->next;
            continue;
        }
        *at = waiting->next;
        if (waiting->is_sent)
            give_up(waiting, AG_PROBLEM_NO_ANSWER, "the device did not answer in time");
        else
            give_up(waiting, AG_PROBLEM_NOT_ONLINE, "the device did not connect in time");
    }
}

void ag_methods_close(struct ag_hub *hub)
{
    while (hub->methods != NULL) {
        struct ag_methods_waiting *waiting = hub->methods;
        hub->methods = waiting->next;
        give_up(waiting, AG_PROBLEM_NO_ANSWER, "the hub is being stopped");
    }
}
