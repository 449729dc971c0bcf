// SPDX-License-Identifier: Apache-2.0
// What IoT Hub offers to devices over MQTT: twin, telemetry; filters of methods and cloud-to-device
// messages are accepted, nothing is sent on them yet.
#ifndef AG_HUB_DEVICE_API_H
#define AG_HUB_DEVICE_API_H

#include "mqtt_session.h"

extern const struct ag_mqtt_api ag_device_api;

#endif
