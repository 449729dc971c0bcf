// SPDX-License-Identifier: Apache-2.0
// Transitions of the MQTT session.
#include "mqtt/mqtt_state.h"

#define SAME 0xFFu

// What an event makes of a kept message. One that is not kept differs in two places, see below.
static const uint8_t kept[AG_MQTT_DELIVERY_COUNT][AG_MQTT_DELIVERY_EVENT_COUNT] = {
    //                     ACCEPTED       STARTED          WRITTEN
    //                     ACKNOWLEDGED   TIMED_OUT        LOST
    [AG_MQTT_WAITING] = { AG_MQTT_READY, SAME, SAME, SAME, SAME, SAME },
    [AG_MQTT_READY] = { SAME, AG_MQTT_SENDING, SAME, AG_MQTT_DONE, SAME, AG_MQTT_WAITING },
    [AG_MQTT_SENDING] = { SAME, SAME, AG_MQTT_SENT, AG_MQTT_FINISHING, SAME, AG_MQTT_WAITING },
    [AG_MQTT_SENT] = { SAME, SAME, SAME, AG_MQTT_DONE, AG_MQTT_READY, AG_MQTT_WAITING },
    [AG_MQTT_FINISHING] = { SAME, SAME, AG_MQTT_DONE, SAME, SAME, AG_MQTT_DONE },
    [AG_MQTT_DONE] = { SAME, SAME, SAME, SAME, SAME, SAME },
};

enum ag_mqtt_delivery ag_mqtt_state_delivery(enum ag_mqtt_delivery state,
                                             enum ag_mqtt_delivery_event event, bool is_kept)
{
    if (!is_kept &&
        (event == AG_MQTT_LOST || (event == AG_MQTT_WRITTEN && state == AG_MQTT_SENDING)))
        return AG_MQTT_DONE;
    const uint8_t next = kept[state][event];
    return next == SAME ? state : (enum ag_mqtt_delivery)next;
}

bool ag_mqtt_state_may_receive(enum ag_mqtt_state state, uint8_t header)
{
    const uint32_t flags = header & 15u;
    const uint32_t qos = flags >> 1 & 3u;
    if (state != AG_MQTT_CONNECTING && state != AG_MQTT_CONNECTED)
        return false;
    switch (header >> 4) {
    case AG_MQTT_TYPE_CONNACK:
        return state == AG_MQTT_CONNECTING && flags == 0;
    case AG_MQTT_TYPE_PUBLISH: // DUP at QoS 0 is forbidden (MQTT-3.3.1-2)
        return state == AG_MQTT_CONNECTED && (qos == 1 || (qos == 0 && flags < 8));
    case AG_MQTT_TYPE_PUBACK:
    case AG_MQTT_TYPE_SUBACK:
    case AG_MQTT_TYPE_PINGRESP:
        return state == AG_MQTT_CONNECTED && flags == 0;
    default: // a number from outside, not an enum of ours
        return false;
    }
}

bool ag_mqtt_state_size_fits(uint8_t header, uint32_t size)
{
    switch (header >> 4) {
    case AG_MQTT_TYPE_CONNACK:
    case AG_MQTT_TYPE_PUBACK:
        return size == 2;
    case AG_MQTT_TYPE_SUBACK:
        return size >= 3 && size <= 2 + AG_MQTT_FILTER_MAX;
    case AG_MQTT_TYPE_PUBLISH: // size of the topic, one byte of it, and the id of QoS 1
        return size >= ((header & 6u) ? 5u : 3u);
    default:
        return size == 0;
    }
}
