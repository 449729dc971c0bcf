// SPDX-License-Identifier: Apache-2.0
// The Device Provisioning Service over MQTT: register, and ask how far it is.
#ifndef AG_HUB_DPS_API_H
#define AG_HUB_DPS_API_H

#include "mqtt_session.h"

extern const struct ag_mqtt_api ag_dps_api;

#endif
