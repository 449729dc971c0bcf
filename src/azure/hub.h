// SPDX-License-Identifier: Apache-2.0
// IoT Hub over MQTT: user name, topics out, topics in.
#ifndef AG_AZURE_HUB_H
#define AG_AZURE_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"

// What to subscribe to, at QoS 0, before anything is asked: answers to twin requests, changes of
// the desired properties, direct methods.
#define AG_HUB_FILTER_TWIN    "$iothub/twin/res/#"
#define AG_HUB_FILTER_DESIRED "$iothub/twin/PATCH/properties/desired/#"
#define AG_HUB_FILTER_METHODS "$iothub/methods/POST/#"

// These write text for the login and for topics; room is told by the writer's status. Ids are
// percent-encoded where Azure wants them so, and nowhere else.
//
// `HOST/DEVICE/?api-version=…&DeviceClientType=AGENT`
void ag_hub_write_user_name(struct ag_writer *out, struct ag_text host, struct ag_text device_id,
                            struct ag_text agent);
// `HOST%2Fdevices%2FDEVICE`, for ag_sas_write
void ag_hub_write_resource(struct ag_writer *out, struct ag_text host, struct ag_text device_id);
// `$iothub/twin/GET/?$rid=RID`
void ag_hub_write_get_topic(struct ag_writer *out, uint32_t rid);
// `$iothub/twin/PATCH/properties/reported/?$rid=RID`
void ag_hub_write_report_topic(struct ag_writer *out, uint32_t rid);
// `devices/DEVICE/messages/events/$.ct=application%2Fjson&$.ce=utf-8[&key=value]`: telemetry whose
// body is JSON; `key` NULL for no property of its own.
void ag_hub_write_telemetry_topic(struct ag_writer *out, struct ag_text device_id, const char *key,
                                  struct ag_text value);
// `$iothub/methods/res/STATUS/?$rid=RID`: the answer to a direct method, its rid as received
void ag_hub_write_method_topic(struct ag_writer *out, uint32_t status, struct ag_text rid);

enum ag_hub_topic_kind {
    AG_HUB_TOPIC_OTHER,   // nothing we know: to be ignored
    AG_HUB_TOPIC_TWIN,    // the answer to a twin request: status, rid, perhaps version
    AG_HUB_TOPIC_DESIRED, // a patch of the desired properties: version
    AG_HUB_TOPIC_METHOD,  // a direct method: name, rid
};

struct ag_hub_topic {
    enum ag_hub_topic_kind kind;
    uint16_t status;           // TWIN: 200 a document, 204 a report was accepted, 4xx, 5xx
    bool has_rid;              // TWIN: the rid is a number, as ours are
    uint32_t rid;              // TWIN
    struct ag_text method;     // METHOD: its name, still percent-encoded
    struct ag_text method_rid; // METHOD: opaque, to be echoed
    bool has_version;          // TWIN, DESIRED
    int64_t version;           //
};

// Never fails: a topic that is broken or unknown is AG_HUB_TOPIC_OTHER. The texts are borrowed.
void ag_hub_parse_topic(struct ag_text text, struct ag_hub_topic *topic);

// The outcome of a twin answer's status: AG_OK for 2xx; AG_ERR_HUB_REQUEST for 4xx, which is not
// to be tried again as it is; AG_ERR_AGAIN for 429 and 5xx, to be tried again later (Azure names
// no time here: back off).
enum ag_status ag_hub_twin_status(uint16_t status);

#endif
