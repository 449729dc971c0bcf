// SPDX-License-Identifier: Apache-2.0
// The hub and DPS as one device sees them.
#include "port/sim/sim_hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void offend(struct sim_hub *hub, const char *what, const char *detail)
{
    if (hub->offence[0] == 0)
        snprintf(hub->offence, sizeof hub->offence, "%s: %.100s", what, detail);
}

// ---- Packets -----------------------------------------------------------------------------------

static void send_packet(struct sim_hub *hub, uint8_t header, const void *first, size_t first_size,
                        const void *second, size_t second_size)
{
    uint8_t head[5] = { header };
    size_t size = first_size + second_size;
    size_t at = 1;
    do {
        head[at++] = (uint8_t)((size & 0x7F) | (size > 0x7F ? 0x80 : 0));
        size >>= 7;
    } while (size > 0);
    sim_link_send(hub->link, head, at);
    sim_link_send(hub->link, first, first_size);
    sim_link_send(hub->link, second, second_size);
}

static void publish(struct sim_hub *hub, const char *topic, const char *payload)
{
    uint8_t head[256];
    size_t size = strlen(topic);
    head[0] = (uint8_t)(size >> 8);
    head[1] = (uint8_t)size;
    memcpy(head + 2, topic, size);
    send_packet(hub, 0x30, head, size + 2, payload, strlen(payload));
}

// ---- Logging in --------------------------------------------------------------------------------

// The token's expiry, in world time; 0: it is over already.
static uint64_t token_end(const struct sim_hub *hub, const uint8_t *bytes, size_t size)
{
    const char *se = memmem(bytes, size, "&se=", 4);
    if (!se)
        return 0;
    int64_t end_s = 0;
    for (se += 4; (const uint8_t *)se < bytes + size && *se >= '0' && *se <= '9'; se++)
        end_s = end_s * 10 + (*se - '0');
    end_s -= hub->world->epoch_s;
    return end_s * 1000 > (int64_t)hub->world->now_ms ? (uint64_t)end_s * 1000 : 0;
}

static void log_in(struct sim_hub *hub, const uint8_t *bytes, size_t size)
{
    uint8_t answer[2] = { 0, 0 };
    if (size < 12 || memcmp(bytes, "\0\4MQTT\4", 7) != 0)
        offend(hub, "not a login", "");
    hub->is_dps = strcmp(hub->link->host, "dps.example") == 0;
    hub->expires_ms = token_end(hub, bytes, size);
    if (hub->expires_ms == 0)
        answer[1] = 5;
    else if (sim_strikes(hub->world, hub->rates->login, SIM_FAULT_LOGIN))
        answer[1] = sim_random(hub->world) % 2 ? 3 : 5;
    send_packet(hub, 0x20, answer, 2, NULL, 0);
    sim_trace(hub->world, hub->name, "logs in at %s: %u", hub->link->host, (unsigned)answer[1]);
    if (answer[1] != 0) {
        sim_link_end(hub->link);
        return;
    }
    hub->logins++;
    hub->is_online = true;
}

static void subscribe(struct sim_hub *hub, const uint8_t *bytes, size_t size)
{
    uint8_t codes[2 + 8] = { bytes[0], bytes[1] };
    size_t count = 2;
    for (size_t at = 2; at + 2 < size && count < sizeof codes;) {
        at += 2 + (size_t)(bytes[at] << 8 | bytes[at + 1]);
        codes[count++] = at < size ? bytes[at++] : 0x80;
    }
    send_packet(hub, 0x90, codes, count, NULL, 0);
    hub->is_subscribed = !hub->is_dps;
}

// ---- DPS ---------------------------------------------------------------------------------------

static void serve_dps(struct sim_hub *hub, const char *rid)
{
    char topic[160];
    char body[256];
    if (sim_strikes(hub->world, hub->rates->dps, SIM_FAULT_DPS)) {
        static const unsigned statuses[] = { 202, 202, 429, 401, 500 };
        unsigned status = statuses[sim_random(hub->world) % 5];
        snprintf(topic, sizeof topic, "$dps/registrations/res/%u/?$rid=%s&retry-after=%u", status,
                 rid, (unsigned)sim_scale(hub->world, 1, 600));
        publish(hub, topic,
                status == 202 ? "{\"operationId\":\"4.abc\",\"status\":\"assigning\"}"
                              : "{\"errorCode\":429001,\"message\":\"no\"}");
        return;
    }
    snprintf(topic, sizeof topic, "$dps/registrations/res/200/?$rid=%s", rid);
    snprintf(body, sizeof body,
             "{\"operationId\":\"4.abc\",\"status\":\"assigned\",\"registrationState\":"
             "{\"status\":\"assigned\",\"assignedHub\":\"hub.example\",\"deviceId\":\"%s\"}}",
             hub->name);
    publish(hub, topic, body);
}

// ---- The twin ----------------------------------------------------------------------------------

// RFC 7396.
static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        json_t *old = json_object_get(into, key);
        if (json_is_null(value)) {
            json_object_del(into, key);
        } else if (!json_is_object(value)) {
            json_object_set(into, key, value);
        } else {
            if (!json_is_object(old)) {
                json_object_set_new(into, key, json_object());
                old = json_object_get(into, key);
            }
            merge(old, value);
        }
    }
}

// Whether a request is not to be answered as it should be.
static bool goes_wrong(struct sim_hub *hub, const char *rid)
{
    char topic[96];
    if (sim_strikes(hub->world, hub->rates->silence, SIM_FAULT_TWIN_SILENCE))
        return true;
    if (!sim_strikes(hub->world, hub->rates->status, SIM_FAULT_TWIN_STATUS))
        return false;
    snprintf(topic, sizeof topic, "$iothub/twin/res/%u/?$rid=%s",
             sim_random(hub->world) % 2 ? 429u : 500u, rid);
    publish(hub, topic, "{\"errorCode\":429001}");
    return true;
}

static void serve_report(struct sim_hub *hub, const char *rid, const char *payload, size_t size)
{
    char topic[128];
    hub->reports++;
    if (goes_wrong(hub, rid))
        return;
    json_t *patch = json_loadb(payload, size, 0, NULL);
    if (!json_is_object(patch))
        offend(hub, "a report that is no JSON object", "");
    else
        merge(hub->reported, patch);
    json_decref(patch);
    hub->reported_version++;
    sim_trace(hub->world, hub->name, "reports %.*s", (int)size, payload);
    snprintf(topic, sizeof topic, "$iothub/twin/res/204/?$rid=%s&$version=%" PRIu64, rid,
             hub->reported_version);
    publish(hub, topic, "");
}

static void hold_back(struct sim_hub *hub, const char *topic, const char *document)
{
    hub->late_topic.size = 0;
    hub->late_document.size = 0;
    sim_bytes_add(&hub->late_topic, topic, strlen(topic) + 1);
    sim_bytes_add(&hub->late_document, document, strlen(document) + 1);
    hub->late_ms = hub->world->now_ms + sim_scale(hub->world, 10, 20000);
}

static void serve_get(struct sim_hub *hub, const char *rid)
{
    static const char format[] = "{\"desired\":{%.*s%s\"$version\":%" PRIu64 "},\"reported\":%s}";
    char topic[96];
    hub->gets++;
    if (goes_wrong(hub, rid))
        return;
    snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%s", rid);
    char *reported = json_dumps(hub->reported, JSON_COMPACT);
    size_t size = hub->desired.size + strlen(reported) + 128;
    char *document = malloc(size);
    bool is_there = hub->desired.size > 0;
    snprintf(document, size, format, (int)hub->desired.size,
             is_there ? (const char *)hub->desired.at : "", is_there ? "," : "", hub->version,
             reported);
    if (sim_strikes(hub->world, hub->rates->late, SIM_FAULT_TWIN_LATE))
        hold_back(hub, topic, document);
    else
        publish(hub, topic, document);
    free(document);
    free(reported);
}

void sim_hub_tick(struct sim_hub *hub)
{
    if (hub->world->now_ms < hub->late_ms)
        return;
    hub->late_ms = SIM_NEVER;
    if (hub->is_subscribed)
        publish(hub, (const char *)hub->late_topic.at, (const char *)hub->late_document.at);
}

void sim_hub_desire(struct sim_hub *hub, const char *desired, const char *patch)
{
    hub->version++;
    hub->desired.size = 0;
    sim_bytes_add(&hub->desired, desired, strlen(desired));
    sim_trace(hub->world, hub->name, "is to have, version %" PRIu64 ": %s", hub->version, desired);
    if (!hub->is_subscribed ||
        sim_strikes(hub->world, hub->rates->patch_lost, SIM_FAULT_PATCH_LOST))
        return;
    char topic[96];
    size_t size = strlen(patch) + 96;
    char *payload = malloc(size);
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%" PRIu64,
             hub->version);
    snprintf(payload, size, "{%s,\"$version\":%" PRIu64 "}", patch, hub->version);
    publish(hub, topic, payload);
    if (sim_strikes(hub->world, hub->rates->patch_twice, SIM_FAULT_PATCH_TWICE))
        publish(hub, topic, payload);
    free(payload);
}

// ---- The session -------------------------------------------------------------------------------

static void take_message(struct sim_hub *hub, const char *topic, const char *payload, size_t size)
{
    char rid[32] = "";
    char events[64];
    const char *at = strstr(topic, "$rid=");
    if (at)
        snprintf(rid, sizeof rid, "%.*s", (int)strcspn(at + 5, "&"), at + 5);
    snprintf(events, sizeof events, "devices/%s/messages/events/", hub->name);
    if (hub->is_dps && strncmp(topic, "$dps/registrations/", 19) == 0)
        serve_dps(hub, rid);
    else if (!hub->is_dps && strncmp(topic, "$iothub/twin/GET/", 17) == 0)
        serve_get(hub, rid);
    else if (!hub->is_dps && strncmp(topic, "$iothub/twin/PATCH/properties/reported/", 39) == 0)
        serve_report(hub, rid, payload, size);
    else if (!hub->is_dps && strncmp(topic, events, strlen(events)) == 0)
        hub->telemetry++;
    else if (strncmp(topic, "$iothub/methods/res/", 20) != 0)
        offend(hub, "published to", topic);
}

static void take_publish(struct sim_hub *hub, uint8_t header, const uint8_t *bytes, size_t size)
{
    char topic[512];
    size_t topic_size = size >= 2 ? (size_t)(bytes[0] << 8 | bytes[1]) : SIZE_MAX;
    if (topic_size >= sizeof topic || topic_size + 4 > size + 2) {
        offend(hub, "a message without a topic", "");
        return;
    }
    memcpy(topic, bytes + 2, topic_size);
    topic[topic_size] = 0;
    size_t at = 2 + topic_size;
    if (header & 0x06) {
        if (size - at < 2) {
            offend(hub, "a message without its id", topic);
            return;
        }
        send_packet(hub, 0x40, bytes + at, 2, NULL, 0);
        if (sim_strikes(hub->world, hub->rates->ack_twice, SIM_FAULT_ACK_TWICE))
            send_packet(hub, 0x40, bytes + at, 2, NULL, 0);
        at += 2;
    }
    take_message(hub, topic, (const char *)bytes + at, size - at);
}

static void take_packet(struct sim_hub *hub, uint8_t header, const uint8_t *bytes, size_t size)
{
    char kind[12];
    switch (header >> 4) {
    case 1:
        log_in(hub, bytes, size);
        return;
    case 3:
        take_publish(hub, header, bytes, size);
        return;
    case 4: // PUBACK
        return;
    case 8:
        if (size >= 5)
            subscribe(hub, bytes, size);
        return;
    case 12:
        send_packet(hub, 0xD0, NULL, 0, NULL, 0);
        return;
    case 14:
        sim_link_end(hub->link);
        return;
    }
    snprintf(kind, sizeof kind, "%d", header >> 4);
    offend(hub, "a packet of type", kind);
}

static void end_session(void *context)
{
    struct sim_hub *hub = context;
    hub->is_online = false;
    hub->is_subscribed = false;
    hub->late_ms = SIM_NEVER;
}

static void serve(void *context)
{
    struct sim_hub *hub = context;
    struct sim_bytes *in = &hub->link->from_device;
    size_t done = 0;
    if (hub->is_online && hub->world->now_ms >= hub->expires_ms) {
        sim_link_end(hub->link);
        end_session(hub);
        in->size = 0;
        return;
    }
    for (;;) {
        size_t at = done + 1;
        size_t size = 0;
        unsigned shift = 0;
        do {
            if (at >= in->size)
                goto out;
            size |= (size_t)(in->at[at] & 0x7F) << shift;
            shift += 7;
        } while (in->at[at++] & 0x80);
        if (in->size - at < size)
            goto out;
        take_packet(hub, in->at[done], in->at + at, size);
        done = at + size;
    }
out:
    sim_bytes_drop(in, done);
}

void sim_hub_init(struct sim_hub *hub, struct sim_world *world, struct sim_link *link,
                  const char *name, const struct sim_hub_rates *rates)
{
    memset(hub, 0, sizeof *hub);
    hub->world = world;
    hub->link = link;
    hub->name = name;
    hub->rates = rates;
    hub->version = 1;
    hub->reported = json_object();
    hub->late_ms = SIM_NEVER;
    link->server = hub;
    link->on_open = end_session; // a new one takes its place
    link->on_bytes = serve;
    link->on_close = end_session;
}

void sim_hub_clear(struct sim_hub *hub)
{
    json_decref(hub->reported);
    sim_bytes_free(&hub->desired);
    sim_bytes_free(&hub->late_topic);
    sim_bytes_free(&hub->late_document);
}

void sim_hub_restart(struct sim_hub *hub)
{
    if (!hub->link->is_open)
        return;
    sim_link_end(hub->link);
    end_session(hub);
}

json_t *sim_hub_reported(const struct sim_hub *hub, const char *name)
{
    return json_object_get(json_object_get(hub->reported, "firmware_modules"), name);
}
