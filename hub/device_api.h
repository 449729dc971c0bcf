// SPDX-License-Identifier: Apache-2.0
// What IoT Hub offers to devices over MQTT: twin, telemetry, direct methods; the filter of
// cloud-to-device messages is accepted, nothing is sent on it yet.
#ifndef AG_HUB_DEVICE_API_H
#define AG_HUB_DEVICE_API_H

#include "mqtt_session.h"

extern const struct ag_mqtt_api ag_device_api;

#endif
