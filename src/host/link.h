// SPDX-License-Identifier: Apache-2.0
// The connection to the hub, from nothing to subscribed and back, for ever: provisioning, login,
// subscription, renewal of the token before it expires, pauses after failures.
//
// Pulled: the owner calls ag_link_next until it has no more to tell, acts on what it tells, and
// sleeps until ag_link_deadline or until the stream is ready. A hub that refuses the login, or
// cannot be reached ten times in a row, makes the device register at DPS again.
#ifndef AG_HOST_LINK_H
#define AG_HOST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azure/dps.h"
#include "base/backoff.h"
#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"
#include "host/host.h"
#include "host/identity.h"
#include "host/jitter.h"
#include "mqtt/mqtt.h"
#include "platform/stream.h"

// Failures in a row after which the assignment is doubted.
#define AG_LINK_FAILURES_BEFORE_DPS 10u

// What the link waits for.
enum ag_link_state {
    AG_LINK_WAITING,         // the end of a pause
    AG_LINK_DPS_CONNECTING,  // CONNACK of DPS
    AG_LINK_DPS_SUBSCRIBING, // SUBACK of DPS
    AG_LINK_DPS_ASKING,      // the answer to a registration or a poll
    AG_LINK_DPS_PAUSING,     // the time to poll
    AG_LINK_HUB_CONNECTING,  // CONNACK of the hub
    AG_LINK_HUB_SUBSCRIBING, // SUBACK of the hub
    AG_LINK_ONLINE,          // anything
    AG_LINK_RENEWING,        // DISCONNECT to be sent, to connect again with a fresh token
    AG_LINK_LEAVING,         // DISCONNECT to be sent, to be held then
    AG_LINK_HELD,            // ag_link_release: somebody else needs the only connection
};

enum ag_link_event_type {
    AG_LINK_ASSIGNED,     // DPS has named the hub: identity.hub, identity.device_id
    AG_LINK_UP,           // connected and subscribed
    AG_LINK_DOWN,         // no longer connected, or an attempt failed; AG_OK: renewing
    AG_LINK_MESSAGE,      // a message begins: topic
    AG_LINK_PAYLOAD,      // a piece of it
    AG_LINK_MESSAGE_END,  // it is complete
    AG_LINK_ACKNOWLEDGED, // the hub has the QoS 1 message packet_id
};

struct ag_link_event {
    enum ag_link_event_type type;
    enum ag_status status; // AG_LINK_DOWN
    struct ag_text topic;  // AG_LINK_MESSAGE, borrowed until the end of the message
    const uint8_t *bytes;  // AG_LINK_PAYLOAD, borrowed until the next call
    size_t size;           // AG_LINK_PAYLOAD
    uint16_t packet_id;    // AG_LINK_ACKNOWLEDGED
};

struct ag_link {
    enum ag_link_state state;
    bool in_answer;       // a DPS answer is being received
    bool must_provision;  // the assignment is in doubt
    bool has_down;        // a down event is to be told
    enum ag_status error; // why the last attempt or connection ended
    uint16_t hub_port;
    struct ag_stream *stream; // borrowed
    uint32_t rid;             // of the last request to DPS
    uint32_t timeout_ms;      // for the next step of a connection
    uint32_t keep_alive_s;
    struct ag_reader piece; // of `read`, what is not yet looked at
    struct ag_mqtt_options options;
    struct ag_backoff backoff;
    uint64_t until_ms;       // end of the pause, or the time at which the state is given up
    uint64_t online_ms;      // since when it is online
    uint64_t renew_ms;       // when to connect again with a fresh token
    struct ag_jitter jitter; // of this device, also for pauses of others
    struct ag_mqtt mqtt;
    struct ag_identity identity;
    struct ag_dps_answer answer;
    uint8_t read[AG_CFG_LINK_READ];
    uint8_t send[AG_CFG_LINK_SEND];
};

// Statuses as of ag_identity_init. Configuration and stream stay borrowed.
AG_MUST_CHECK enum ag_status ag_link_init(struct ag_link *link, const struct ag_host_config *config,
                                          struct ag_stream *stream);

// The next thing to tell, or AG_ERR_AGAIN.
AG_MUST_CHECK enum ag_status ag_link_next(struct ag_link *link, uint64_t now_ms,
                                          struct ag_link_event *event);

// When ag_link_next is wanted although the stream is not ready; UINT64_MAX: never.
uint64_t ag_link_deadline(const struct ag_link *link);

// Statuses as of ag_mqtt_publish; AG_ERR_CLOSED unless online. Whatever is not acknowledged when
// the link goes down is forgotten: publish it again.
AG_MUST_CHECK enum ag_status
ag_link_publish(struct ag_link *link, const struct ag_mqtt_message *message, uint16_t *packet_id);

// Sends what was published, as far as that goes without waiting.
void ag_link_flush(struct ag_link *link, uint64_t now_ms);

// Gives the connection up for a reason found by the owner (an answer did not come).
void ag_link_fail(struct ag_link *link, enum ag_status status, uint64_t now_ms);

// Connects afresh: whom the streams believe has changed. The connection so far ends in order, where
// there is one; a pause after failures stays.
void ag_link_restart(struct ag_link *link, uint64_t now_ms);

// Ends the connection in order and stays without one until ag_link_release. True when there is none
// any more; false: call again at the next step. Told as AG_LINK_DOWN with AG_OK.
AG_MUST_CHECK bool ag_link_hold(struct ag_link *link, uint64_t now_ms);

// Ends that: connects at once, or when the pause that was under way is over.
void ag_link_release(struct ag_link *link);

// Ends the connection in order, as far as that goes without waiting.
void ag_link_close(struct ag_link *link, uint64_t now_ms);

#endif
