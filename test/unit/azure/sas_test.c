// SPDX-License-Identifier: Apache-2.0
// Tests of azure/sas.h and azure/connection_string.h. The signatures are published samples of
// Microsoft's documentation, or were made with OpenSSL and checked with Microsoft's own library.
#include <stdio.h>
#include <string.h>

#include "azure/connection_string.h"
#include "azure/dps.h"
#include "azure/hub.h"
#include "azure/sas.h"
#include "test/harness.h"

#define EXPIRY 1893456000

// 00..1f, ff..c0 and 00..3f in base64.
static const char device_key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static const char service_key[] =
    "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQz87NzMvKycjHxsXEw8LBwA==";
static const char group_key[] =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
static const char derived_key[] = "UwwVfsD5lA+qU/1oNyCqDCDeShqtT/bvsaUt7i0bKJE=";

static char storage[512];

static const char *token_of(const char *resource, const char *key, int64_t expiry,
                            const char *policy)
{
    struct ag_writer out;
    ag_writer_init(&out, storage, sizeof storage);
    CHECK_EQUAL(ag_sas_write(&out, ag_text_of(resource), ag_text_of(key), expiry, policy), AG_OK);
    return ag_writer_finish_text(&out);
}

static void a_device_token_gives_the_vector(void)
{
    char resource[128];
    struct ag_writer out;
    ag_writer_init(&out, resource, sizeof resource);
    ag_hub_write_resource(&out, ag_text_of("hub1.azure-devices.net"), ag_text_of("dev-01"));
    CHECK_TEXT(token_of(ag_writer_finish_text(&out), device_key, EXPIRY, NULL),
               "SharedAccessSignature sr=hub1.azure-devices.net%2Fdevices%2Fdev-01&sig="
               "eldmp0wl68lHqmEm2XP26ClAVZmrjohQ8xLNHEC%2Ff%2Bs%3D&se=1893456000");
}

static void a_service_token_gives_the_vector(void)
{
    CHECK_TEXT(token_of("hub1.azure-devices.net", service_key, EXPIRY, "service"),
               "SharedAccessSignature sr=hub1.azure-devices.net&sig="
               "WbW8uexnpOMU4TNFyDW49SWlwym70hm70v3Ip9dUojg%3D&se=1893456000&skn=service");
}

static void a_provisioning_token_of_a_group_gives_the_vector(void)
{
    char key[AG_SAS_DERIVED_SIZE + 1];
    char resource[128];
    struct ag_writer out;
    ag_writer_init(&out, key, sizeof key);
    CHECK_EQUAL(ag_sas_derive_key(&out, ag_text_of(group_key), ag_text_of("dev-01")), AG_OK);
    CHECK_TEXT(ag_writer_finish_text(&out), derived_key);
    ag_writer_init(&out, resource, sizeof resource);
    ag_dps_write_resource(&out, ag_text_of("0ne000A1B2C"), ag_text_of("dev-01"));
    CHECK_TEXT(token_of(ag_writer_finish_text(&out), key, EXPIRY, AG_DPS_POLICY),
               "SharedAccessSignature sr=0ne000A1B2C%2Fregistrations%2Fdev-01&sig="
               "oHwfOQL6Hf1XMgCxME%2FGVRLR7yY3yeePRxCACOe8JiU%3D&se=1893456000&skn=registration");
}

static void the_resource_is_signed_as_it_stands(void)
{
    CHECK(strstr(token_of("0ne000A1B2C/registrations/dev-01", derived_key, EXPIRY, NULL),
                 "&sig=u25WEuTYIJJBDq%2Foy252EccqXvPy5hEBygdx4V9U7vc%3D&"));
    CHECK(strstr(token_of("hub1.azure-devices.net%2fdevices%2fdev-01", derived_key, EXPIRY, NULL),
                 "&sig=yvsfZ8f%2BlJxM3GaB26PYLjTFvXfKBnygI0t5TH%2Fi6SU%3D&"));
}

static void published_samples_are_reproduced(void)
{
    char key[AG_SAS_DERIVED_SIZE + 1];
    struct ag_writer out;
    ag_writer_init(&out, key, sizeof key);
    CHECK_EQUAL(ag_sas_derive_key(&out,
                                  ag_text_of("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7"
                                             "w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="),
                                  ag_text_of("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6")),
                AG_OK);
    CHECK_TEXT(ag_writer_finish_text(&out), "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    CHECK_TEXT(
        token_of("MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device",
                 "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7TSlZhDJCYmn4rzEiVKI"
                 "zNiVAWjLxrGA==",
                 1663119026, NULL),
        "SharedAccessSignature sr=MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device"
        "&sig=f%2BwW8XOKeJOtiPc9Iwjc4OpExvPM7NlhM9qxN2a1aAM%3D&se=1663119026");
}

static void a_key_that_is_none_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "====",
        "A",
        "not base64!",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ag_writer out;
        test_note("key %zu", i);
        ag_writer_init(&out, storage, sizeof storage);
        CHECK_EQUAL(ag_sas_write(&out, ag_text_of("r"), ag_text_of(wrong[i]), 1, NULL),
                    AG_ERR_MALFORMED);
        CHECK_EQUAL(ag_sas_derive_key(&out, ag_text_of(wrong[i]), ag_text_of("d")),
                    AG_ERR_MALFORMED);
        CHECK_EQUAL(out.size, 0);
    }
}

static void a_token_that_does_not_fit_says_so(void)
{
    const size_t size = strlen(token_of("hub%2Fdevices%2Fd", device_key, EXPIRY, "p"));
    for (size_t capacity = 0; capacity < size; capacity++) {
        struct ag_writer out;
        ag_writer_init(&out, storage, capacity);
        test_note("capacity %zu", capacity);
        CHECK_EQUAL(ag_sas_write(&out, ag_text_of("hub%2Fdevices%2Fd"), ag_text_of(device_key),
                                 EXPIRY, "p"),
                    AG_ERR_NO_SPACE);
    }
}

static void a_connection_string_is_taken_apart(void)
{
    struct ag_connection_string parts;
    const struct ag_text device =
        ag_text_of("HostName=hub1.azure-devices.net;DeviceId=dev-01;SharedAccessKey=AA==");
    CHECK_EQUAL(ag_connection_string_parse(device, &parts), AG_OK);
    CHECK(ag_text_equals(parts.host_name, "hub1.azure-devices.net"));
    CHECK(ag_text_equals(parts.device_id, "dev-01"));
    CHECK(ag_text_equals(parts.shared_access_key, "AA=="));
    CHECK_EQUAL(parts.policy.size + parts.gateway.size, 0);
    const struct ag_text service = ag_text_of(
        "hostname=h;SharedAccessKeyName=owner;sharedaccesskey=B=;GatewayHostName=g:8443;X509=true;");
    CHECK_EQUAL(ag_connection_string_parse(service, &parts), AG_OK);
    CHECK(ag_text_equals(parts.policy, "owner"));
    CHECK(ag_text_equals(parts.gateway, "g:8443"));
    CHECK(ag_text_equals(parts.shared_access_key, "B="));
}

static void a_broken_connection_string_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "HostName=h",
        "SharedAccessKey=k",
        "HostName=;SharedAccessKey=k",
        "HostName=h;SharedAccessKey=",
        "HostName;SharedAccessKey=k",
        "HostName=h;HostName=h;SharedAccessKey=k",
        "HostName=h;SharedAccessKey=k;nonsense",
    };
    struct ag_connection_string parts;
    memset(&parts, 0x55, sizeof parts);
    const struct ag_connection_string before = parts;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK_EQUAL(ag_connection_string_parse(ag_text_of(wrong[i]), &parts), AG_ERR_MALFORMED);
        CHECK_BYTES(&parts, &before, sizeof parts);
    }
}

static const struct test_case cases[] = {
    TEST(a_device_token_gives_the_vector),
    TEST(a_service_token_gives_the_vector),
    TEST(a_provisioning_token_of_a_group_gives_the_vector),
    TEST(the_resource_is_signed_as_it_stands),
    TEST(published_samples_are_reproduced),
    TEST(a_key_that_is_none_is_refused),
    TEST(a_token_that_does_not_fit_says_so),
    TEST(a_connection_string_is_taken_apart),
    TEST(a_broken_connection_string_is_refused),
};
TEST_MAIN(cases)
