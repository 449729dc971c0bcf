// SPDX-License-Identifier: Apache-2.0
// NetworkManager's objects and profiles as D-Bus messages.
#include "port/linux/nm_message.h"

#include <stdlib.h>
#include <string.h>

#define NM "org.freedesktop.NetworkManager"

// How a property is read, and where it goes in struct ag_nm_object.
struct property {
    const char *interface;
    const char *name;
    const char *type; // as D-Bus writes it
    size_t offset;
};

#define AT(member) offsetof(struct ag_nm_object, member)

static const struct property properties[] = {
    { NM ".Device", "DeviceType", "u", AT(device_type) },
    { NM ".Device", "State", "u", AT(device_state) },
    { NM ".Device", "Interface", "s", AT(interface) },
    { NM ".Device", "ActiveConnection", "o", AT(active) },
    { NM ".Device.Wireless", "ActiveAccessPoint", "o", AT(active_ap) },
    { NM ".Device.Wireless", "AccessPoints", "ao", AT(access_points) },
    { NM ".AccessPoint", "Ssid", "ay", AT(ssid) },
    { NM ".AccessPoint", "Strength", "y", AT(strength) },
    { NM ".AccessPoint", "Flags", "u", AT(flags) },
    { NM ".AccessPoint", "WpaFlags", "u", AT(wpa_flags) },
    { NM ".AccessPoint", "RsnFlags", "u", AT(rsn_flags) },
    { NM ".Connection.Active", "Uuid", "s", AT(uuid) },
    { NM ".Connection.Active", "Connection", "o", AT(profile) },
};

static const struct property *find_property(const char *interface, const char *name)
{
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        if (strcmp(properties[i].name, name) == 0 &&
            strcmp(properties[i].interface, interface) == 0)
            return &properties[i];
    }
    return NULL;
}

// Reads what is in the variant that was entered.
static int read_value(sd_bus_message *message, const struct property *property,
                      struct ag_nm_object *object)
{
    void *member = (char *)object + property->offset;
    uint8_t byte;
    int result;
    switch (property->type[0]) {
    case 'y':
        result = sd_bus_message_read_basic(message, 'y', &byte);
        if (result > 0)
            *(uint32_t *)member = byte;
        return result;
    case 'a':
        if (property->type[1] == 'y')
            return sd_bus_message_read_array(message, 'y', (const void **)member,
                                             &object->ssid_size);
        return sd_bus_message_read_strv(message, (char ***)member);
    default:
        return sd_bus_message_read_basic(message, property->type[0], member);
    }
}

static int read_property(sd_bus_message *message, const char *interface,
                         struct ag_nm_object *object)
{
    const char *name;
    const char *type;
    int result = sd_bus_message_read_basic(message, 's', &name);
    const struct property *property = result > 0 ? find_property(interface, name) : NULL;
    if (result > 0)
        result = sd_bus_message_peek_type(message, NULL, &type);
    if (result <= 0)
        return result;
    if (!property || strcmp(type, property->type) != 0)
        return sd_bus_message_skip(message, "v");
    result = sd_bus_message_enter_container(message, 'v', type);
    if (result >= 0)
        result = read_value(message, property, object);
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

static int read_interface(sd_bus_message *message, struct ag_nm_object *object)
{
    const char *interface;
    int result = sd_bus_message_read_basic(message, 's', &interface);
    if (result >= 0)
        result = sd_bus_message_enter_container(message, 'a', "{sv}");
    if (result < 0)
        return result;
    while ((result = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        result = read_property(message, interface, object);
        if (result >= 0)
            result = sd_bus_message_exit_container(message);
        if (result < 0)
            return result;
    }
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

static int read_object(sd_bus_message *message, struct ag_nm_object *object)
{
    int result = sd_bus_message_read_basic(message, 'o', &object->path);
    if (result >= 0)
        result = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
    if (result < 0)
        return result;
    while ((result = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
        result = read_interface(message, object);
        if (result >= 0)
            result = sd_bus_message_exit_container(message);
        if (result < 0)
            return result;
    }
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

int ag_nm_message_objects(sd_bus_message *reply,
                          void (*take)(void *context, const struct ag_nm_object *object),
                          void *context)
{
    int result = sd_bus_message_rewind(reply, 1);
    if (result >= 0)
        result = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
    if (result < 0)
        return result;
    while ((result = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
        struct ag_nm_object object = { 0 };
        result = read_object(reply, &object);
        if (result >= 0) {
            take(context, &object);
            result = sd_bus_message_exit_container(reply);
        }
        free_list(object.access_points);
        if (result < 0)
            return result;
    }
    return result < 0 ? result : sd_bus_message_exit_container(reply);
}

enum ag_wifi_security ag_nm_message_security(const struct ag_nm_object *access_point)
{
    enum {
        FLAG_PRIVACY = 0x1,
        KEY_PSK = 0x100,
        KEY_SAE = 0x400,
        KEY_OWE_BESIDE = 0x1000, // the open half of a network that also offers OWE
    };
    const uint32_t keys = access_point->wpa_flags | access_point->rsn_flags;
    if (keys & KEY_PSK)
        return AG_WIFI_WPA;
    if (keys & KEY_SAE)
        return AG_WIFI_WPA3;
    const bool is_open = !(access_point->flags & FLAG_PRIVACY) && (keys & ~KEY_OWE_BESIDE) == 0;
    return is_open ? AG_WIFI_OPEN : AG_WIFI_OTHER;
}

// The profile, a{sa{sv}}: settings by name, each with its members.

static int open_setting(sd_bus_message *message, const char *name)
{
    int result = sd_bus_message_open_container(message, 'e', "sa{sv}");
    if (result >= 0)
        result = sd_bus_message_append_basic(message, 's', name);
    return result < 0 ? result : sd_bus_message_open_container(message, 'a', "{sv}");
}

static int close_setting(sd_bus_message *message)
{
    const int result = sd_bus_message_close_container(message);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

static int put_text(sd_bus_message *message, const char *name, const char *value)
{
    return sd_bus_message_append(message, "{sv}", name, "s", value);
}

static int put_ssid(sd_bus_message *message, const char *ssid)
{
    int result = sd_bus_message_open_container(message, 'e', "sv");
    if (result >= 0)
        result = sd_bus_message_append_basic(message, 's', "ssid");
    if (result >= 0)
        result = sd_bus_message_open_container(message, 'v', "ay");
    if (result >= 0)
        result = sd_bus_message_append_array(message, 'y', ssid, strlen(ssid));
    if (result >= 0)
        result = sd_bus_message_close_container(message);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

static int put_connection(sd_bus_message *message, const char *interface)
{
    int result = open_setting(message, "connection");
    if (result >= 0)
        result = put_text(message, "id", AG_NM_MESSAGE_ID);
    if (result >= 0)
        result = put_text(message, "uuid", AG_NM_MESSAGE_UUID);
    if (result >= 0)
        result = put_text(message, "type", "802-11-wireless");
    if (result >= 0)
        result = put_text(message, "interface-name", interface);
    if (result >= 0)
        result = sd_bus_message_append(message, "{sv}", "autoconnect", "b", 0);
    return result < 0 ? result : close_setting(message);
}

static int put_wireless(sd_bus_message *message, const struct ag_wifi_credentials *credentials)
{
    int result = open_setting(message, "802-11-wireless");
    if (result >= 0)
        result = put_ssid(message, credentials->name);
    if (result >= 0)
        result = put_text(message, "mode", "infrastructure");
    if (result >= 0)
        result = sd_bus_message_append(message, "{sv}", "hidden", "b", (int)credentials->is_hidden);
    return result < 0 ? result : close_setting(message);
}

static int put_security(sd_bus_message *message, const struct ag_wifi_credentials *credentials)
{
    int result = open_setting(message, "802-11-wireless-security");
    if (result >= 0)
        result = put_text(message, "key-mgmt",
                          credentials->security == AG_WIFI_WPA3 ? "sae" : "wpa-psk");
    if (result >= 0)
        result = put_text(message, "psk", credentials->password);
    return result < 0 ? result : close_setting(message);
}

static int put_address(sd_bus_message *message, const char *setting)
{
    int result = open_setting(message, setting);
    if (result >= 0)
        result = put_text(message, "method", "auto");
    return result < 0 ? result : close_setting(message);
}

int ag_nm_message_put_profile(sd_bus_message *message,
                              const struct ag_wifi_credentials *credentials, const char *interface)
{
    int result = sd_bus_message_sensitive(message); // its memory is wiped
    if (result >= 0)
        result = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
    if (result >= 0)
        result = put_connection(message, interface);
    if (result >= 0)
        result = put_wireless(message, credentials);
    if (result >= 0 && credentials->password)
        result = put_security(message, credentials);
    if (result >= 0)
        result = put_address(message, "ipv4");
    if (result >= 0)
        result = put_address(message, "ipv6");
    return result < 0 ? result : sd_bus_message_close_container(message);
}
