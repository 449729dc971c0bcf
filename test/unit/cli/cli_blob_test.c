// SPDX-License-Identifier: Apache-2.0
// Tests of cli/blob.h that need no server: the signature, and which blob is meant.
#include <stdlib.h>
#include <string.h>

#include "cli/blob.h"
#include "test/harness.h"

// base64 of the bytes 00..3f.
#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static struct ag_storage make_storage(void)
{
    struct ag_storage storage;
    struct ag_connection_problem problem;
    CHECK_EQUAL(
        ag_connection_parse_storage("AccountName=fwstore;AccountKey=" KEY, &storage, &problem),
        AG_OK);
    return storage;
}

static void a_service_sas_is_the_one_that_azurite_accepts(void)
{
    const struct ag_storage storage = make_storage();
    char text[512];
    struct ag_writer out;
    ag_writer_init(&out, text, sizeof text);
    // 2030-01-01T00:00:00Z
    CHECK_EQUAL(ag_blob_write_sas(&out, &storage, "releases", "app-1.2.0.bin", "r", 1893456000),
                AG_OK);
    CHECK_TEXT(ag_writer_finish_text(&out),
               "sv=2021-12-02&spr=https&se=2030-01-01T00%3A00%3A00Z&sr=b&sp=r"
               "&sig=5n1vV5RQzG7TrAHWus98Ynk0KV0QjXEv1JYWDlXwCAs%3D");
}

static void a_sas_that_does_not_fit_or_has_no_key_is_refused(void)
{
    struct ag_storage storage = make_storage();
    char text[512];
    struct ag_writer out;
    for (size_t capacity = 0; capacity < 116; capacity++) { // it has 116 characters
        test_note("capacity %zu", capacity);
        ag_writer_init(&out, text, capacity);
        CHECK_EQUAL(ag_blob_write_sas(&out, &storage, "c", "b", "r", 1893456000), AG_ERR_NO_SPACE);
    }
    ag_writer_init(&out, text, sizeof text);
    storage.key[0] = 0;
    CHECK_EQUAL(ag_blob_write_sas(&out, &storage, "c", "b", "r", 0), AG_ERR_MALFORMED);
    strcpy(storage.key, "AAE");
    CHECK_EQUAL(ag_blob_write_sas(&out, &storage, "c", "b", "r", 0), AG_ERR_MALFORMED);
}

static void with_an_account_key_the_blob_gets_one_sas_for_writing_and_one_for_reading(void)
{
    const struct ag_storage storage = make_storage();
    const struct ag_blob_place place = {
        .container = "plugins",
        .storage = &storage,
        .name = "b c-1.wasm",
        .read_lifetime_s = 60,
    };
    struct ag_blob blob;
    CHECK(ag_blob_resolve(&place, &blob));
    CHECK_TEXT(blob.url, "https://fwstore.blob.core.windows.net/plugins/b%20c-1.wasm");
    CHECK(strstr(blob.write_query, "&sp=cw&sig="));
    CHECK(strstr(blob.read_query, "&sp=r&sig="));
    char *url = ag_blob_read_url(&blob);
    CHECK(strstr(url, "b%20c-1.wasm?sv="));
    free(url);
    ag_blob_clear(&blob);
}

static void a_container_url_with_a_sas_gets_the_name_appended(void)
{
    const struct ag_blob_place place = {
        .to = "https://a.example/c/?sv=1&sr=c&sp=cw&sig=S%3D",
        .read_sas = "?sp=r&sig=R",
        .name = "x-1.wasm",
    };
    struct ag_blob blob;
    CHECK(ag_blob_resolve(&place, &blob));
    CHECK_TEXT(blob.url, "https://a.example/c/x-1.wasm");
    CHECK_TEXT(blob.write_query, "sv=1&sr=c&sp=cw&sig=S%3D");
    CHECK_TEXT(blob.read_query, "sp=r&sig=R");
    ag_blob_clear(&blob);
}

static void a_blob_url_with_a_sas_for_one_blob_is_taken_as_it_is(void)
{
    const struct ag_blob_place place = {
        .to = "https://a.example/c/other.wasm?sr=b&sig=S",
        .name = "x-1.wasm",
    };
    struct ag_blob blob;
    CHECK(ag_blob_resolve(&place, &blob));
    CHECK_TEXT(blob.url, "https://a.example/c/other.wasm");
    CHECK_TEXT(blob.read_query, "");
    char *url = ag_blob_read_url(&blob);
    CHECK_TEXT(url, "https://a.example/c/other.wasm");
    free(url);
    ag_blob_clear(&blob);
}

static void a_place_that_cannot_work_is_refused(void)
{
    static const struct ag_blob_place places[] = {
        { .to = "http://a.example/c?sig=S", .name = "x" }, // a SAS never goes in the clear
        { .to = "https://a.example/c", .name = "x" },
        { .to = "https://a.example/c?sp=w", .name = "x" },
        { .to = "", .name = "x" },
        { .to = "https://a.example/c?sig=S", .name = "x", .read_sas = "sp=r" },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct ag_blob blob;
        test_note("place %zu", i);
        CHECK(!ag_blob_resolve(&places[i], &blob));
        CHECK(!blob.url && !blob.read_query && !blob.write_query);
    }
}

static const struct test_case cases[] = {
    TEST(a_service_sas_is_the_one_that_azurite_accepts),
    TEST(a_sas_that_does_not_fit_or_has_no_key_is_refused),
    TEST(with_an_account_key_the_blob_gets_one_sas_for_writing_and_one_for_reading),
    TEST(a_container_url_with_a_sas_gets_the_name_appended),
    TEST(a_blob_url_with_a_sas_for_one_blob_is_taken_as_it_is),
    TEST(a_place_that_cannot_work_is_refused),
};
TEST_MAIN(cases)
