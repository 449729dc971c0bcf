// SPDX-License-Identifier: Apache-2.0
// The transitions of the MQTT session as pure functions, so that they can be tested exhaustively.
#ifndef AG_MQTT_MQTT_STATE_H
#define AG_MQTT_MQTT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mqtt/mqtt.h"

// What an outgoing packet waits for.
enum ag_mqtt_delivery {
    AG_MQTT_WAITING,   // for the session to be connected
    AG_MQTT_READY,     // for its turn to be sent
    AG_MQTT_SENDING,   // for its last byte to be sent
    AG_MQTT_SENT,      // for its PUBACK
    AG_MQTT_FINISHING, // for the last byte of a repetition whose PUBACK came meanwhile
    AG_MQTT_DONE,      // to be removed
};
#define AG_MQTT_DELIVERY_COUNT 6u

enum ag_mqtt_delivery_event {
    AG_MQTT_ACCEPTED,     // CONNACK: the session is connected
    AG_MQTT_STARTED,      // its first byte was sent
    AG_MQTT_WRITTEN,      // its last byte was sent
    AG_MQTT_ACKNOWLEDGED, // its PUBACK came
    AG_MQTT_TIMED_OUT,    // no PUBACK in time
    AG_MQTT_LOST,         // the connection is gone
};
#define AG_MQTT_DELIVERY_EVENT_COUNT 6u

// The state after an event; the same state when the event means nothing in it. `is_kept`: the
// packet is a QoS 1 message, which outlives its connection.
enum ag_mqtt_delivery ag_mqtt_state_delivery(enum ag_mqtt_delivery state,
                                             enum ag_mqtt_delivery_event event, bool is_kept);

// Packet types (MQTT 3.1.1, 2.2.1), in the high half of a packet's first byte.
enum ag_mqtt_type {
    AG_MQTT_TYPE_CONNECT = 1,
    AG_MQTT_TYPE_CONNACK = 2,
    AG_MQTT_TYPE_PUBLISH = 3,
    AG_MQTT_TYPE_PUBACK = 4,
    AG_MQTT_TYPE_SUBSCRIBE = 8,
    AG_MQTT_TYPE_SUBACK = 9,
    AG_MQTT_TYPE_PINGREQ = 12,
    AG_MQTT_TYPE_PINGRESP = 13,
    AG_MQTT_TYPE_DISCONNECT = 14,
};

// Whether a packet that begins with this byte may come now: its type fits the session's state and
// its flags are what the protocol demands.
bool ag_mqtt_state_may_receive(enum ag_mqtt_state state, uint8_t header);

// Whether a packet that begins with this byte may have this many bytes after its length.
bool ag_mqtt_state_size_fits(uint8_t header, uint32_t size);

#endif
