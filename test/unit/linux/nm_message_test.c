// SPDX-License-Identifier: Apache-2.0
// NetworkManager's lists of objects, with what does not belong there, and the profile as it is
// sent. Messages are made on a bus that never gets its greeting.
#include "port/linux/nm_message.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/harness.h"

#define NM "org.freedesktop.NetworkManager"

static sd_bus *bus;
static int peer;

static sd_bus_message *new_message(void)
{
    sd_bus_message *message = NULL;
    if (!bus) {
        int fds[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        peer = fds[1];
        CHECK(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, fds[0], fds[0]) >= 0 &&
              sd_bus_start(bus) >= 0);
    }
    CHECK(sd_bus_message_new_method_call(bus, &message, "a.b", "/", "a.b", "C") >= 0);
    return message;
}

static void close_bus(void)
{
    bus = sd_bus_close_unref(bus);
    close(peer);
}

static void seal(sd_bus_message *message)
{
    CHECK(sd_bus_message_seal(message, 1, 0) >= 0);
}

// What was read of a list.
static struct {
    uint32_t count;
    struct ag_nm_object device;
    struct ag_nm_object access_point;
    char interface[20];
    char first_heard[20];
    uint8_t ssid[8];
} seen;

static void take(void *context, const struct ag_nm_object *object)
{
    CHECK(context == &seen);
    seen.count++;
    if (strcmp(object->path, "/d") == 0) {
        seen.device = *object;
        strcpy(seen.interface, object->interface ? object->interface : "");
        strcpy(seen.first_heard, object->access_points ? object->access_points[0] : "");
    } else if (strcmp(object->path, "/a") == 0) {
        seen.access_point = *object;
        if (object->ssid && object->ssid_size <= sizeof seen.ssid)
            memcpy(seen.ssid, object->ssid, object->ssid_size);
    }
}

static int read_list(sd_bus_message *list)
{
    memset(&seen, 0, sizeof seen);
    return ag_nm_message_objects(list, take, &seen);
}

static void a_list_is_read_as_often_as_wanted(void)
{
    sd_bus_message *list = new_message();
    CHECK(sd_bus_message_append(list, "a{oa{sa{sv}}}", 3, //
                                "/d", 2, NM ".Device", 3, "DeviceType", "u", 2, "State", "u",
                                100,                                                           //
                                "Interface", "s", "wlan0",                                     //
                                NM ".Device.Wireless", 1, "AccessPoints", "ao", 2, "/a", "/b", //
                                "/a", 1, NM ".AccessPoint", 4, "Ssid", "ay", 3, 'f', 'o', 'o', //
                                "Strength", "y", 77, "Flags", "u", 1, "RsnFlags", "u", 0x100,  //
                                "/x", 0) >= 0);
    seal(list);
    for (int i = 0; i < 3; i++) {
        CHECK(read_list(list) >= 0);
        CHECK_EQUAL(seen.count, 3);
        CHECK_EQUAL(seen.device.device_type, 2);
        CHECK_EQUAL(seen.device.device_state, 100);
        CHECK_TEXT(seen.interface, "wlan0");
        CHECK_TEXT(seen.first_heard, "/a");
        CHECK(!seen.device.active && !seen.device.uuid);
        CHECK_EQUAL(seen.access_point.ssid_size, 3);
        CHECK_BYTES(seen.ssid, "foo", 3);
        CHECK_EQUAL(seen.access_point.strength, 77);
        CHECK_EQUAL(ag_nm_message_security(&seen.access_point), AG_WIFI_WPA);
    }
    sd_bus_message_unref(list);
}

static void properties_of_other_types_and_interfaces_count_as_absent(void)
{
    sd_bus_message *list = new_message();
    CHECK(sd_bus_message_append(list, "a{oa{sa{sv}}}", 1,                            //
                                "/d", 3, NM ".Device", 3, "DeviceType", "s", "wifi", //
                                "Interface", "ay", 2, 'w', 'l',                      //
                                "State", "(uu)", 1, 2,                               //
                                NM, 1, "State", "u", 70,                             //
                                NM ".Device.Wireless", 2, "AccessPoints", "as", 1, "/a", "New", "v",
                                "a{sv}", 1, "x", "i", 1) >= 0);
    seal(list);
    CHECK(read_list(list) >= 0);
    CHECK_EQUAL(seen.count, 1);
    CHECK_EQUAL(seen.device.device_type, 0);
    CHECK_EQUAL(seen.device.device_state, 0);
    CHECK(!seen.device.interface && !seen.device.access_points);
    sd_bus_message_unref(list);
}

static void another_message_is_an_error(void)
{
    static const char *const types[] = { "s", "u", "as", "a{sv}" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        sd_bus_message *message = new_message();
        if (i == 0)
            CHECK(sd_bus_message_append(message, "s", "x") >= 0);
        else if (i == 1)
            CHECK(sd_bus_message_append(message, "u", 1) >= 0);
        else
            CHECK(sd_bus_message_append(message, types[i], 0) >= 0);
        seal(message);
        test_note("%s", types[i]);
        CHECK(read_list(message) < 0);
        CHECK_EQUAL(seen.count, 0);
        sd_bus_message_unref(message);
    }
}

static void security_is_what_a_password_opens(void)
{
    static const struct {
        uint32_t flags, wpa, rsn;
        enum ag_wifi_security security;
    } table[] = {
        { 0, 0, 0, AG_WIFI_OPEN },
        { 0, 0, 0x1000, AG_WIFI_OPEN },       // OWE beside it
        { 1, 0, 0, AG_WIFI_OTHER },           // WEP
        { 1, 0x144, 0, AG_WIFI_WPA },         // WPA
        { 1, 0, 0x188, AG_WIFI_WPA },         // WPA2
        { 1, 0, 0x188 | 0x400, AG_WIFI_WPA }, // WPA2 and WPA3
        { 1, 0, 0x488, AG_WIFI_WPA3 },        //
        { 1, 0, 0x288, AG_WIFI_OTHER },       // 802.1X
        { 0, 0, 0x888, AG_WIFI_OTHER },       // OWE
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct ag_nm_object access_point = {
            .flags = table[i].flags,
            .wpa_flags = table[i].wpa,
            .rsn_flags = table[i].rsn,
        };
        test_note("row %zu", i);
        CHECK_EQUAL(ag_nm_message_security(&access_point), table[i].security);
    }
}

// The texts of a profile, as "setting.member=value", each ended by a blank.
static void print_profile(sd_bus_message *profile, char *text)
{
    const char *setting;
    text[0] = 0;
    CHECK(sd_bus_message_enter_container(profile, 'a', "{sa{sv}}") > 0);
    while (sd_bus_message_enter_container(profile, 'e', "sa{sv}") > 0) {
        CHECK(sd_bus_message_read(profile, "s", &setting) > 0 &&
              sd_bus_message_enter_container(profile, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(profile, 'e', "sv") > 0) {
            const char *name, *type, *value = "";
            const void *bytes;
            size_t size = 0;
            int flag;
            CHECK(sd_bus_message_read(profile, "s", &name) > 0 &&
                  sd_bus_message_peek_type(profile, NULL, &type) > 0 &&
                  sd_bus_message_enter_container(profile, 'v', type) > 0);
            if (type[0] == 'b') {
                CHECK(sd_bus_message_read(profile, "b", &flag) > 0);
                value = flag ? "yes" : "no";
            } else if (type[0] == 'a') {
                CHECK(sd_bus_message_read_array(profile, 'y', &bytes, &size) > 0);
                value = strndupa(bytes, size);
            } else
                CHECK(sd_bus_message_read(profile, "s", &value) > 0);
            char *at = text + strlen(text);
            at = stpcpy(stpcpy(stpcpy(at, setting), "."), name);
            stpcpy(stpcpy(stpcpy(at, "="), value), " ");
            CHECK(sd_bus_message_exit_container(profile) > 0 &&
                  sd_bus_message_exit_container(profile) > 0);
        }
        CHECK(sd_bus_message_exit_container(profile) > 0 &&
              sd_bus_message_exit_container(profile) > 0);
    }
}

static void profile_of(const struct ag_wifi_credentials *credentials, char *text)
{
    sd_bus_message *profile = new_message();
    CHECK(ag_nm_message_put_profile(profile, credentials, "wlan0") >= 0);
    seal(profile);
    print_profile(profile, text);
    sd_bus_message_unref(profile);
}

static void a_profile_is_for_one_device_and_waits_for_us(void)
{
    char text[1000];
    profile_of(&(struct ag_wifi_credentials){ "home", "correct horse", AG_WIFI_WPA, false }, text);
    CHECK_TEXT(text, "connection.id=airgraft connection.uuid=" AG_NM_MESSAGE_UUID
                     " connection.type=802-11-wireless connection.interface-name=wlan0 "
                     "connection.autoconnect=no 802-11-wireless.ssid=home "
                     "802-11-wireless.mode=infrastructure 802-11-wireless.hidden=no "
                     "802-11-wireless-security.key-mgmt=wpa-psk "
                     "802-11-wireless-security.psk=correct horse "
                     "ipv4.method=auto ipv6.method=auto ");
}

static void an_open_network_has_no_security(void)
{
    char text[1000];
    profile_of(&(struct ag_wifi_credentials){ "caf\xe9", NULL, AG_WIFI_OPEN, true }, text);
    CHECK(!strstr(text, "security") && strstr(text, "ssid=caf\xe9 ") && strstr(text, "hidden=yes"));
}

static void wpa3_alone_is_asked_for_by_its_name(void)
{
    char text[1000];
    profile_of(&(struct ag_wifi_credentials){ "home", "correct horse", AG_WIFI_WPA3, false }, text);
    CHECK(strstr(text, "key-mgmt=sae "));
    close_bus();
}

static const struct test_case cases[] = {
    TEST(a_list_is_read_as_often_as_wanted),
    TEST(properties_of_other_types_and_interfaces_count_as_absent),
    TEST(another_message_is_an_error),
    TEST(security_is_what_a_password_opens),
    TEST(a_profile_is_for_one_device_and_waits_for_us),
    TEST(an_open_network_has_no_security),
    TEST(wpa3_alone_is_asked_for_by_its_name),
};

TEST_MAIN(cases)
