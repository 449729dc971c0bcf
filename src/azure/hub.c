// SPDX-License-Identifier: Apache-2.0
// IoT Hub over MQTT: names and topics.
#include "azure/hub.h"

#include <string.h>

#include "azure/topic.h"
#include "base/percent.h"

#define API_VERSION "2021-04-12"

#define TWIN_PREFIX    "$iothub/twin/res/"
#define DESIRED_PREFIX "$iothub/twin/PATCH/properties/desired/"
#define METHOD_PREFIX  "$iothub/methods/POST/"
#define RID            "$rid="

static void write_piece(struct ag_writer *out, struct ag_text text)
{
    ag_writer_bytes(out, text.at, text.size);
}

void ag_hub_write_user_name(struct ag_writer *out, struct ag_text host, struct ag_text device_id,
                            struct ag_text agent)
{
    write_piece(out, host);
    ag_writer_text(out, "/");
    write_piece(out, device_id);
    ag_writer_text(out, "/?api-version=" API_VERSION "&DeviceClientType=");
    ag_percent_encode(out, agent, AG_PERCENT_URI);
}

void ag_hub_write_resource(struct ag_writer *out, struct ag_text host, struct ag_text device_id)
{
    write_piece(out, host);
    ag_writer_text(out, "%2Fdevices%2F");
    ag_percent_encode(out, device_id, AG_PERCENT_URI);
}

void ag_hub_write_get_topic(struct ag_writer *out, uint32_t rid)
{
    ag_writer_text(out, "$iothub/twin/GET/?" RID);
    ag_writer_decimal(out, rid);
}

void ag_hub_write_report_topic(struct ag_writer *out, uint32_t rid)
{
    ag_writer_text(out, "$iothub/twin/PATCH/properties/reported/?" RID);
    ag_writer_decimal(out, rid);
}

void ag_hub_write_telemetry_topic(struct ag_writer *out, struct ag_text device_id, const char *key,
                                  struct ag_text value)
{
    ag_writer_text(out, "devices/");
    write_piece(out, device_id);
    ag_writer_text(out, "/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8");
    if (!key)
        return;
    ag_writer_text(out, "&");
    ag_percent_encode(out, ag_text_of(key), AG_PERCENT_URI);
    ag_writer_text(out, "=");
    ag_percent_encode(out, value, AG_PERCENT_URI);
}

void ag_hub_write_method_topic(struct ag_writer *out, uint32_t status, struct ag_text rid)
{
    ag_writer_text(out, "$iothub/methods/res/");
    ag_writer_decimal(out, status);
    ag_writer_text(out, "/?" RID);
    write_piece(out, rid);
}

static void parse_version(struct ag_text properties, struct ag_hub_topic *topic)
{
    uint64_t version;
    topic->has_version =
        ag_text_decimal(ag_topic_property(properties, "$version"), INT64_MAX, &version);
    if (topic->has_version)
        topic->version = (int64_t)version;
}

static void parse_twin(struct ag_text text, struct ag_hub_topic *topic)
{
    struct ag_text properties;
    uint64_t rid;
    if (!ag_topic_parse_answer(text, TWIN_PREFIX, &topic->status, &properties))
        return;
    topic->kind = AG_HUB_TOPIC_TWIN;
    topic->has_rid = ag_text_decimal(ag_topic_property(properties, "$rid"), UINT32_MAX, &rid);
    if (topic->has_rid)
        topic->rid = (uint32_t)rid;
    parse_version(properties, topic);
}

// Everything behind the first `$rid=` is the rid, as the service's own clients take it.
static void parse_method(struct ag_text text, struct ag_hub_topic *topic)
{
    struct ag_text rest = ag_text_after(text, strlen(METHOD_PREFIX));
    struct ag_text name = ag_text_split(&rest, '?');
    if (name.size < 2 || name.at[name.size - 1] != '/' || !ag_text_starts_with(rest, RID))
        return;
    name.size--;
    topic->kind = AG_HUB_TOPIC_METHOD;
    topic->method = name;
    topic->method_rid = ag_text_after(rest, strlen(RID));
}

void ag_hub_parse_topic(struct ag_text text, struct ag_hub_topic *topic)
{
    memset(topic, 0, sizeof *topic);
    topic->kind = AG_HUB_TOPIC_OTHER;
    if (ag_text_starts_with(text, TWIN_PREFIX)) {
        parse_twin(text, topic);
    } else if (ag_text_starts_with(text, METHOD_PREFIX)) {
        parse_method(text, topic);
    } else if (ag_text_starts_with(text, DESIRED_PREFIX)) {
        struct ag_text properties = text;
        (void)ag_text_split(&properties, '?');
        topic->kind = AG_HUB_TOPIC_DESIRED;
        parse_version(properties, topic);
    }
}

enum ag_status ag_hub_twin_status(uint16_t status)
{
    if (status >= 200 && status < 300)
        return AG_OK;
    return status == 429 || status >= 500 ? AG_ERR_AGAIN : AG_ERR_HUB_REQUEST;
}
