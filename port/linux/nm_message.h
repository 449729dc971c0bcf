// SPDX-License-Identifier: Apache-2.0
// What NetworkManager says and wants to be told, as D-Bus messages: its objects in one list, and
// the connection profile that is ours. All functions return negative errno values, as sd-bus does.
#ifndef AG_LINUX_NM_MESSAGE_H
#define AG_LINUX_NM_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "platform/wifi.h"

#define AG_NM_MESSAGE_UUID                                                                         \
    "8b1c7f7e-5d6e-4c57-9a3e-61f2a2b0c4d5" // of our profile, on every machine
#define AG_NM_MESSAGE_ID "airgraft"        // its name for people

#define AG_NM_MESSAGE_WIFI 2u // DeviceType

// The properties of one object that matter here; 0 and NULL where it has none of that name.
// Borrowed from the message, until the call of `take` returns.
struct ag_nm_object {
    const char *path;
    // A device.
    uint32_t device_type;
    uint32_t device_state;
    const char *interface; // "wlan0"
    const char *active;    // path of its active connection, "/": none
    const char *active_ap; // path of its access point, "/": none
    char **access_points;  // paths of those that it hears, ended by NULL
    // An access point.
    const uint8_t *ssid;
    size_t ssid_size;
    uint32_t strength; // 0 to 100
    uint32_t flags;
    uint32_t wpa_flags;
    uint32_t rsn_flags;
    // An active connection.
    const char *uuid;
    const char *profile; // its path
};

// Calls `take` for each object of a reply to GetManagedObjects. The message can be read again.
int ag_nm_message_objects(sd_bus_message *reply,
                          void (*take)(void *context, const struct ag_nm_object *object),
                          void *context);

enum ag_wifi_security ag_nm_message_security(const struct ag_nm_object *access_point);

// Appends the profile for these credentials: not activated by itself, for one interface.
int ag_nm_message_put_profile(sd_bus_message *message,
                              const struct ag_wifi_credentials *credentials, const char *interface);

#endif
