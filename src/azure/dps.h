// SPDX-License-Identifier: Apache-2.0
// Device Provisioning Service over MQTT: from a registration id and a key to a hub and a device id.
//
// Connect (clean session, client id = registration id) → subscribe AG_DPS_FILTER at QoS 1 →
// publish ag_dps_write_register_topic/_body at QoS 1 → on AG_DPS_WAIT, after retry_after_s, publish
// ag_dps_write_poll_topic with an empty body → until AG_DPS_ASSIGNED or a refusal.
#ifndef AG_AZURE_DPS_H
#define AG_AZURE_DPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"

#define AG_DPS_HOST   "global.azure-devices-provisioning.net"
#define AG_DPS_FILTER "$dps/registrations/res/#"
#define AG_DPS_POLICY "registration" // the skn of its tokens

// Longest operation id that is kept.
#define AG_DPS_OPERATION_MAX 127u

// `SCOPE/registrations/ID/api-version=…&ClientVersion=AGENT`
void ag_dps_write_user_name(struct ag_writer *out, struct ag_text id_scope,
                            struct ag_text registration_id, struct ag_text agent);
// `SCOPE%2Fregistrations%2FID`, for ag_sas_write
void ag_dps_write_resource(struct ag_writer *out, struct ag_text id_scope,
                           struct ag_text registration_id);
// `$dps/registrations/PUT/iotdps-register/?$rid=RID`
void ag_dps_write_register_topic(struct ag_writer *out, uint32_t rid);
// `{"registrationId":"ID"}`
void ag_dps_write_register_body(struct ag_writer *out, struct ag_text registration_id);
// `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=RID&operationId=OPERATION`
void ag_dps_write_poll_topic(struct ag_writer *out, uint32_t rid, struct ag_text operation_id);

enum ag_dps_outcome {
    AG_DPS_WAIT,     // poll operation_id after retry_after_s (2 when the service names none)
    AG_DPS_ASSIGNED, // hub and device_id are known
    AG_DPS_AGAIN,    // 429 or 5xx: register again after retry_after_s (0: back off)
    AG_DPS_REFUSED,  // AG_ERR_DPS_REFUSED: 4xx, or the assignment failed
    AG_DPS_DISABLED, // AG_ERR_DPS_DISABLED
};

// One answer: filled in while its message passes. The first block is for the caller to read.
struct ag_dps_answer {
    uint16_t status; // of the topic: 200, 202, 4xx, 5xx
    bool has_rid;
    uint32_t rid;
    uint32_t retry_after_s;
    char operation_id[AG_DPS_OPERATION_MAX + 1];
    char hub[AG_CFG_HOST_MAX + 1];            // assignedHub
    char device_id[AG_CFG_DEVICE_ID_MAX + 1]; // deviceId
    uint32_t error_code;                      // e.g. 401002; 0 when none was given
    char message[64];                         // beginning of errorMessage or message, for the log

    uint8_t registration; // private from here: enum in dps.c, the registration's status
    uint8_t member;       // whose value comes next
    bool in_state;        // inside registrationState
    bool text_is_wrong;   // a text that is needed did not fit, or was none
    struct ag_json json;
    char token[160];
};

// Begins an answer by the topic of its message. AG_ERR_NOT_FOUND when it is not a DPS answer.
AG_MUST_CHECK enum ag_status ag_dps_begin(struct ag_dps_answer *answer, struct ag_text topic);

// A piece of the body. Never fails; what is wrong shows at the end.
void ag_dps_feed(struct ag_dps_answer *answer, const void *bytes, size_t size);

// The message is complete. AG_OK with *outcome; AG_ERR_DPS_ANSWER, with *outcome untouched, when
// the body is not the JSON that its status wants (a 429 or 5xx may have any body).
AG_MUST_CHECK enum ag_status ag_dps_finish(struct ag_dps_answer *answer,
                                           enum ag_dps_outcome *outcome);

#endif
