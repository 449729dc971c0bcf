// SPDX-License-Identifier: Apache-2.0
// Shared access signatures and encodings: vectors made by Microsoft's and OpenSSL's code, and
// forgeries.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/blob_auth.h"
#include "hub/encoding.h"
#include "hub/enrollment_store.h"
#include "hub/sas_verify.h"
#include "test/harness.h"

#define DEVICE_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SERVICE_KEY                                                                                \
    "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQz87NzMvKycjHxsXEw8LBwA=="
#define DERIVED_KEY "UwwVfsD5lA+qU/1oNyCqDCDeShqtT/bvsaUt7i0bKJE="

static void group_key(char text[AG_ENCODING_KEY_TEXT])
{
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    ag_encoding_base64(bytes, sizeof bytes, text);
}

static const struct {
    const char *token;
    const char *key;
    const char *covers;
    const char *policy;
} vectors[] = {
    { "SharedAccessSignature sr=hub1.azure-devices.net%2Fdevices%2Fdev-01&sig="
      "eldmp0wl68lHqmEm2XP26ClAVZmrjohQ8xLNHEC%2Ff%2Bs%3D&se=1893456000",
      DEVICE_KEY, "hub1.azure-devices.net/devices/dev-01", "" },
    { "SharedAccessSignature sr=hub1.azure-devices.net&sig="
      "WbW8uexnpOMU4TNFyDW49SWlwym70hm70v3Ip9dUojg%3D&se=1893456000&skn=service",
      SERVICE_KEY, "hub1.azure-devices.net", "service" },
    { "SharedAccessSignature sr=0ne000A1B2C%2Fregistrations%2Fdev-01&sig="
      "oHwfOQL6Hf1XMgCxME%2FGVRLR7yY3yeePRxCACOe8JiU%3D&se=1893456000&skn=registration",
      DERIVED_KEY, "0ne000A1B2C/registrations/dev-01", "registration" },
    { "SharedAccessSignature sr=0ne000A1B2C/registrations/dev-01&sig="
      "u25WEuTYIJJBDq/oy252EccqXvPy5hEBygdx4V9U7vc=&skn=registration&se=1893456000",
      DERIVED_KEY, "0ne000A1B2C/registrations/dev-01", "registration" },
    { "SharedAccessSignature se=1893456000&sig=yvsfZ8f+lJxM3GaB26PYLjTFvXfKBnygI0t5TH/i6SU="
      "&sr=hub1.azure-devices.net%2fdevices%2fdev-01",
      DERIVED_KEY, "hub1.azure-devices.net/devices/dev-01", "" },
};
#define VECTOR_COUNT (sizeof vectors / sizeof vectors[0])

static void the_vectors_of_all_clients_are_accepted(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct ag_sas_token token;
        test_note("vector %zu", i);
        CHECK(ag_sas_verify_parse(vectors[i].token, strlen(vectors[i].token), &token));
        CHECK_EQUAL(token.expiry_s, 1893456000);
        CHECK_TEXT(token.policy, vectors[i].policy);
        CHECK(ag_sas_verify_signed_by(&token, vectors[i].key));
        CHECK(!ag_sas_verify_signed_by(&token, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
        CHECK(ag_sas_verify_covers(&token, vectors[i].covers));
    }
}

static void a_published_hub_token_with_mixed_case_is_accepted(void)
{
    static const char text[] = "SharedAccessSignature "
                               "sr=MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device&sig="
                               "f%2BwW8XOKeJOtiPc9Iwjc4OpExvPM7NlhM9qxN2a1aAM%3D&se=1663119026";
    struct ag_sas_token token;
    CHECK(ag_sas_verify_parse(text, sizeof text - 1, &token));
    CHECK(ag_sas_verify_signed_by(&token, "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7T"
                                          "SlZhDJCYmn4rzEiVKIzNiVAWjLxrGA=="));
    CHECK(ag_sas_verify_covers(&token, "myexamplehub.azure-devices.net/devices/my-symkey-device"));
}

static void group_keys_derive_device_keys(void)
{
    char group[AG_ENCODING_KEY_TEXT];
    char derived[AG_ENCODING_KEY_TEXT];
    group_key(group);
    CHECK(ag_enrollment_store_derive(group, "dev-01", derived));
    CHECK_TEXT(derived, DERIVED_KEY);
    // Microsoft's published sample.
    CHECK(
        ag_enrollment_store_derive("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFX"
                                   "JrqYKi9yegxkqIChbqOS9Egw==",
                                   "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", derived));
    CHECK_TEXT(derived, "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    CHECK(!ag_enrollment_store_derive("not base64", "dev-01", derived));
}

static void every_flipped_bit_of_a_token_is_refused(void)
{
    for (size_t v = 0; v < VECTOR_COUNT; v++) {
        size_t size = strlen(vectors[v].token);
        for (size_t bit = 0; bit < size * 8; bit++) {
            char text[512];
            memcpy(text, vectors[v].token, size);
            text[bit / 8] ^= (char)(1 << bit % 8);
            struct ag_sas_token token;
            test_note("vector %zu bit %zu", v, bit);
            if (!ag_sas_verify_parse(text, size, &token))
                continue;
            // What may change without harm: case of the scheme, of hex digits of the signature,
            // the policy's name (which then finds no key), host and scope are signed too.
            bool good = ag_sas_verify_signed_by(&token, vectors[v].key) &&
                        ag_sas_verify_covers(&token, vectors[v].covers) &&
                        strcmp(token.policy, vectors[v].policy) == 0;
            struct ag_sas_token honest;
            CHECK(ag_sas_verify_parse(vectors[v].token, size, &honest));
            if (good)
                CHECK_BYTES(&token, &honest, sizeof token);
        }
    }
}

static void every_truncation_of_a_token_is_refused(void)
{
    for (size_t v = 0; v < VECTOR_COUNT; v++) {
        for (size_t size = 0; size < strlen(vectors[v].token); size++) {
            char *copy = malloc(size > 0 ? size : 1);
            memcpy(copy, vectors[v].token, size);
            struct ag_sas_token token;
            test_note("vector %zu cut at %zu", v, size);
            bool good = ag_sas_verify_parse(copy, size, &token) && token.expiry_s == 1893456000 &&
                        strcmp(token.policy, vectors[v].policy) == 0 &&
                        ag_sas_verify_signed_by(&token, vectors[v].key) &&
                        ag_sas_verify_covers(&token, vectors[v].covers);
            free(copy);
            CHECK(!good);
        }
    }
}

static void broken_tokens_are_refused(void)
{
    static const char signature[] = "sig=eldmp0wl68lHqmEm2XP26ClAVZmrjohQ8xLNHEC%2Ff%2Bs%3D";
    static const char *const forms[] = {
        "%s",
        "SharedAccessSignature %s",
        "SharedAccessSignature sr=a&%s",
        "SharedAccessSignature %s&se=1",
        "SharedAccessSignature sr=a&sr=a&%s&se=1",
        "SharedAccessSignature sr=a&%s&se=",
        "SharedAccessSignature sr=a&%s&se=-1",
        "SharedAccessSignature sr=a&%s&se=1x",
        "SharedAccessSignature sr=a&%s&se=99999999999999999",
        "SharedAccessSignature sr=&%s&se=1",
        "SharedAccessSignature sr=a&%s&se=1&",
        "SharedAccessSignature sr=a&%s&se=1&skn",
        "SharedAccessSignature sr=a&%s&se=1&new=1",
        "SharedAccessSignature sr=a&%s%%&se=1",
        "Bearer sr=a&%s&se=1",
        "SharedAccessSignature sr=a&%sAAAA&se=1",
    };
    struct ag_sas_token token;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, forms[i], signature);
#pragma GCC diagnostic pop
        test_note("form %zu", i);
        CHECK(!ag_sas_verify_parse(text, strlen(text), &token));
    }
    char *huge = malloc(100000);
    memset(huge, 'a', 100000);
    memcpy(huge, "SharedAccessSignature sr=", 25);
    CHECK(!ag_sas_verify_parse(huge, 100000, &token));
    free(huge);
}

static bool covers(const char *resource, const char *path)
{
    struct ag_sas_token token = { .expiry_s = 0 };
    snprintf(token.resource, sizeof token.resource, "%s", resource);
    return ag_sas_verify_covers(&token, path);
}

static void a_resource_covers_whole_segments_only(void)
{
    CHECK(covers("HOST", "host/devices/dev"));
    CHECK(covers("host%2Fdevices", "host/devices/dev"));
    CHECK(covers("host/devices/dev", "host/devices/dev"));
    CHECK(!covers("host/devices/de", "host/devices/dev"));
    CHECK(!covers("host/devices/dev2", "host/devices/dev"));
    CHECK(!covers("host/devices/DEV", "host/devices/dev"));
    CHECK(!covers("host/Devices/dev", "host/devices/dev"));
    CHECK(!covers("hos", "host/devices/dev"));
    CHECK(!covers("", "host/devices/dev"));
    CHECK(!covers("host/", "host/devices/dev"));
    CHECK(!covers("host%2", "host"));
    CHECK(!covers("host%00", "host"));
    CHECK(covers("host/devices/a%2525b", "host/devices/a%25b"));
}

static void base64_comes_back_and_only_canonical_text_is_taken(void)
{
    uint8_t bytes[40];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        char text[64];
        uint8_t back[sizeof bytes];
        size_t count;
        ag_encoding_base64(bytes, size, text);
        CHECK(ag_encoding_unbase64(text, strlen(text), back, sizeof back, &count));
        CHECK_EQUAL(count, size);
        CHECK_BYTES(back, bytes, size);
        if (size > 0)
            CHECK(!ag_encoding_unbase64(text, strlen(text), back, size - 1, &count));
    }
    static const char *const bad[] = { "A",    "AA",       "AAA",  "A===",
                                       "AB==", "AAB=",     "AA=A", "=AAA",
                                       "AA-A", "AA==AAAA", "AA A", "\xff\xff\xff\xff" };
    uint8_t out[16];
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        CHECK(!ag_encoding_unbase64(bad[i], strlen(bad[i]), out, sizeof out, &count));
    }
}

static void percent_escapes_are_decoded_or_refused(void)
{
    char text[8];
    CHECK(ag_encoding_percent_decode("a%2Fb%c3+", 9, text, sizeof text));
    CHECK_TEXT(text, "a/b\xc3+");
    CHECK(!ag_encoding_percent_decode("%", 1, text, sizeof text));
    CHECK(!ag_encoding_percent_decode("%4", 2, text, sizeof text));
    CHECK(!ag_encoding_percent_decode("%zz", 3, text, sizeof text));
    CHECK(!ag_encoding_percent_decode("%00", 3, text, sizeof text));
    CHECK(!ag_encoding_percent_decode("12345678", 8, text, sizeof text));
    CHECK(ag_encoding_percent_decode("1234567", 7, text, sizeof text));
    CHECK(!ag_encoding_percent_decode("", 0, text, 0));
}

static void times_are_read_in_all_forms_of_a_sas(void)
{
    int64_t seconds;
    CHECK(ag_encoding_parse_iso_time("2030-01-01T00:00:00Z", &seconds));
    CHECK_EQUAL(seconds, 1893456000);
    CHECK(ag_encoding_parse_iso_time("2030-01-01T00:00:01.1234567Z", &seconds));
    CHECK_EQUAL(seconds, 1893456001);
    CHECK(ag_encoding_parse_iso_time("2030-01-01T00:01Z", &seconds));
    CHECK_EQUAL(seconds, 1893456060);
    CHECK(ag_encoding_parse_iso_time("2030-01-01", &seconds));
    CHECK_EQUAL(seconds, 1893456000);
    CHECK(!ag_encoding_parse_iso_time("2030-01-01T00:00:00", &seconds));
    CHECK(!ag_encoding_parse_iso_time("2030-01-01T00:00:00+01:00", &seconds));
    CHECK(!ag_encoding_parse_iso_time("2030-13-01", &seconds));
    CHECK(!ag_encoding_parse_iso_time("", &seconds));
}

static const struct ag_blob_sas blob_vector = {
    .permissions = "r",
    .expiry = "2030-01-01T00:00:00Z",
    .protocol = "https",
    .version = "2021-12-02",
    .resource = "b",
    .signature = "5n1vV5RQzG7TrAHWus98Ynk0KV0QjXEv1JYWDlXwCAs=",
};
#define BLOB_NOW 1800000000

static enum ag_blob_sas_verdict judge(const struct ag_blob_sas *sas, const char *blob)
{
    char key[AG_ENCODING_KEY_TEXT];
    group_key(key);
    struct ag_blob_resource resource = { "fwstore", key, "releases", blob };
    return ag_blob_auth_judge_sas(sas, &resource, "127.0.0.1", BLOB_NOW);
}

// Signs as the owner of the key would, so that what is judged next is not the signature.
static enum ag_blob_sas_verdict judge_signed(struct ag_blob_sas sas, const char *blob, int64_t now)
{
    char key[AG_ENCODING_KEY_TEXT];
    char signature[64];
    uint8_t mac[32];
    group_key(key);
    struct ag_blob_resource resource = { "fwstore", key, "releases", blob };
    char *text = ag_blob_auth_string_to_sign(&sas, &resource);
    if (text == NULL)
        return AG_BLOB_SAS_FORGED;
    CHECK(ag_encoding_hmac(key, text, strlen(text), mac));
    free(text);
    ag_encoding_base64(mac, sizeof mac, signature);
    sas.signature = signature;
    return ag_blob_auth_judge_sas(&sas, &resource, "127.0.0.1", now);
}

static void the_blob_vector_is_accepted(void)
{
    CHECK_EQUAL(judge(&blob_vector, "app-1.2.0.bin"), AG_BLOB_SAS_GOOD);
}

static void a_blob_sas_with_anything_changed_is_forged(void)
{
    const char *const changed = "x";
    CHECK_EQUAL(judge(&blob_vector, "app-1.2.1.bin"), AG_BLOB_SAS_FORGED);
    struct ag_blob_sas sas = blob_vector;
    sas.permissions = "rw";
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    sas = blob_vector;
    sas.expiry = "2031-01-01T00:00:00Z";
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    sas = blob_vector;
    sas.start = "2020-01-01T00:00:00Z";
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    sas = blob_vector;
    sas.protocol = NULL;
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    sas = blob_vector;
    sas.version = "2020-02-10";
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    sas = blob_vector;
    sas.encryption_scope = changed;
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    for (size_t i = 0; i < 5; i++) {
        sas = blob_vector;
        sas.overrides[i] = changed;
        CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
    }
    sas = blob_vector;
    sas.signature = NULL;
    CHECK_EQUAL(judge(&sas, "app-1.2.0.bin"), AG_BLOB_SAS_FORGED);
}

static void times_protocol_and_address_of_a_blob_sas_are_kept(void)
{
    struct ag_blob_sas sas = blob_vector;
    CHECK_EQUAL(judge_signed(sas, "b", 1893455999), AG_BLOB_SAS_GOOD);
    CHECK_EQUAL(judge_signed(sas, "b", 1893456000), AG_BLOB_SAS_EXPIRED);
    sas.start = "2029-12-31T23:59:00Z";
    CHECK_EQUAL(judge_signed(sas, "b", 1893455939), AG_BLOB_SAS_EARLY);
    CHECK_EQUAL(judge_signed(sas, "b", 1893455940), AG_BLOB_SAS_GOOD);
    sas.start = "soon";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_MALFORMED);
    sas = blob_vector;
    sas.protocol = "http";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_PROTOCOL);
    sas = blob_vector;
    sas.address = "127.0.0.1";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_GOOD);
    sas.address = "127.0.0.2";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_ADDRESS);
}

static void a_container_sas_opens_its_blobs_and_older_versions_have_one_line_less(void)
{
    struct ag_blob_sas sas = blob_vector;
    sas.resource = "c";
    CHECK_EQUAL(judge_signed(sas, "any", BLOB_NOW), AG_BLOB_SAS_GOOD);
    CHECK_EQUAL(judge_signed(sas, NULL, BLOB_NOW), AG_BLOB_SAS_GOOD);
    sas = blob_vector;
    CHECK_EQUAL(judge_signed(sas, NULL, BLOB_NOW), AG_BLOB_SAS_MALFORMED);
    sas.identifier = "policy";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_MALFORMED);
    sas = blob_vector;
    sas.version = "2018-11-09";
    CHECK_EQUAL(judge_signed(sas, "b", BLOB_NOW), AG_BLOB_SAS_GOOD);
    struct ag_blob_resource resource = { "a", "", "c", "b" };
    char *text = ag_blob_auth_string_to_sign(&sas, &resource);
    CHECK_TEXT(text,
               "r\n\n2030-01-01T00:00:00Z\n/blob/a/c/b\n\n\nhttps\n2018-11-09\nb\n\n\n\n\n\n");
    free(text);
    sas.version = "2018-03-28";
    CHECK(ag_blob_auth_string_to_sign(&sas, &resource) == NULL);
    sas.version = NULL;
    CHECK(ag_blob_auth_string_to_sign(&sas, &resource) == NULL);
}

static const struct test_case cases[] = {
    TEST(the_vectors_of_all_clients_are_accepted),
    TEST(a_published_hub_token_with_mixed_case_is_accepted),
    TEST(group_keys_derive_device_keys),
    TEST(every_flipped_bit_of_a_token_is_refused),
    TEST(every_truncation_of_a_token_is_refused),
    TEST(broken_tokens_are_refused),
    TEST(a_resource_covers_whole_segments_only),
    TEST(base64_comes_back_and_only_canonical_text_is_taken),
    TEST(percent_escapes_are_decoded_or_refused),
    TEST(times_are_read_in_all_forms_of_a_sas),
    TEST(the_blob_vector_is_accepted),
    TEST(a_blob_sas_with_anything_changed_is_forged),
    TEST(times_protocol_and_address_of_a_blob_sas_are_kept),
    TEST(a_container_sas_opens_its_blobs_and_older_versions_have_one_line_less),
};
TEST_MAIN(cases)
