// SPDX-License-Identifier: Apache-2.0
// Writes MQTT 3.1.1 packets (section 3 of the standard).
#ifndef AG_MQTT_MQTT_PACKET_H
#define AG_MQTT_MQTT_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/writer.h"
#include "mqtt/mqtt.h"

// Bytes of a PUBLISH with this topic and payload; 0 when the protocol cannot carry it.
size_t ag_mqtt_packet_publish_size(const struct ag_mqtt_message *message);

// Each writes one packet. AG_ERR_ARGUMENT for a text over 65,535 bytes, a count or QoS out of
// range, an empty topic; AG_ERR_NO_SPACE. After an error the content of *out is of no use.
AG_MUST_CHECK enum ag_status ag_mqtt_packet_connect(struct ag_writer *out,
                                                    const struct ag_mqtt_login *login);
AG_MUST_CHECK enum ag_status ag_mqtt_packet_subscribe(struct ag_writer *out, uint16_t id,
                                                      const struct ag_mqtt_filter *filters,
                                                      size_t count);
AG_MUST_CHECK enum ag_status ag_mqtt_packet_publish(struct ag_writer *out, uint16_t id,
                                                    const struct ag_mqtt_message *message);
void ag_mqtt_packet_puback(struct ag_writer *out, uint16_t id);
void ag_mqtt_packet_pingreq(struct ag_writer *out);
void ag_mqtt_packet_disconnect(struct ag_writer *out);

#endif
