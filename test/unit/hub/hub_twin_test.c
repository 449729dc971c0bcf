// SPDX-License-Identifier: Apache-2.0
// Twin documents: merge by RFC 7396, limits, metadata, and the patch that replaces.
#include "hub/twin_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness.h"

#define NOW "2026-11-22T20:00:00.000Z"

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    CHECK(value != NULL);
    return value;
}

static void check_json(json_t *got, const char *want)
{
    json_t *wanted = json(want);
    if (!json_equal(got, wanted)) {
        char *text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
        test_note("got %s, want %s", text, want);
        free(text);
        json_decref(wanted);
        CHECK(!"equal");
    }
    json_decref(wanted);
}

// The examples of RFC 7396, appendix A, that concern objects, and what twins add.
static const struct {
    const char *section;
    const char *patch;
    const char *result;
} merges[] = {
    { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
    { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
    { "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
    { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
    { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
    { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
    { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
    { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
    { "{\"a\":\"foo\"}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    { "{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}" },
    { "{\"a\":1}", "{\"a\":{}}", "{\"a\":{}}" },
    { "{\"ab\":1}", "{\"a\\u0062\":2}", "{\"ab\":2}" },
    { "{\"l\":[{\"n\":\"app\",\"v\":1},{\"n\":\"boot\",\"v\":1}]}",
      "{\"l\":[{\"n\":\"app\",\"v\":2}]}", "{\"l\":[{\"n\":\"app\",\"v\":2}]}" },
};

static void patches_merge_as_rfc_7396_says(void)
{
    for (size_t i = 0; i < sizeof merges / sizeof merges[0]; i++) {
        json_t *section = json(merges[i].section);
        json_t *metadata = json_object();
        json_t *patch = json(merges[i].patch);
        ag_twin_document_merge(section, metadata, patch, NOW, 5);
        check_json(section, merges[i].result);
        // Once more changes nothing.
        ag_twin_document_merge(section, metadata, patch, NOW, 5);
        check_json(section, merges[i].result);
        json_decref(patch);
        json_decref(metadata);
        json_decref(section);
    }
}

static void a_section_does_not_share_values_with_the_patch(void)
{
    json_t *section = json_object();
    json_t *metadata = json_object();
    json_t *patch = json("{\"l\":[1]}");
    ag_twin_document_merge(section, metadata, patch, NOW, 1);
    json_array_append_new(json_object_get(patch, "l"), json_integer(2));
    check_json(section, "{\"l\":[1]}");
    json_decref(patch);
    json_decref(metadata);
    json_decref(section);
}

static void metadata_follows_what_changed(void)
{
    json_t *section = json_object();
    json_t *metadata = json_object();
    json_t *first = json("{\"a\":{\"b\":1,\"c\":2},\"l\":[1],\"gone\":1}");
    json_t *second = json("{\"a\":{\"b\":3},\"gone\":null}");
    ag_twin_document_merge(section, metadata, first, "t1", 1);
    ag_twin_document_merge(section, metadata, second, "t2", 2);
    check_json(metadata, "{\"$lastUpdated\":\"t2\",\"$lastUpdatedVersion\":2,"
                         "\"a\":{\"$lastUpdated\":\"t2\",\"$lastUpdatedVersion\":2,"
                         "\"b\":{\"$lastUpdated\":\"t2\",\"$lastUpdatedVersion\":2},"
                         "\"c\":{\"$lastUpdated\":\"t1\",\"$lastUpdatedVersion\":1}},"
                         "\"l\":{\"$lastUpdated\":\"t1\",\"$lastUpdatedVersion\":1}}");
    json_t *third = json("{\"a\":7}");
    ag_twin_document_merge(section, metadata, third, "t3", 0);
    check_json(json_object_get(metadata, "a"), "{\"$lastUpdated\":\"t3\"}");
    json_decref(third);
    json_decref(second);
    json_decref(first);
    json_decref(metadata);
    json_decref(section);
}

static void a_replacement_is_a_patch_that_names_what_is_gone(void)
{
    static const struct {
        const char *section;
        const char *wanted;
        const char *patch;
    } rows[] = {
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":3}", "{\"a\":1,\"b\":null,\"c\":3}" },
        { "{\"o\":{\"x\":1,\"y\":2}}", "{\"o\":{\"y\":2}}", "{\"o\":{\"x\":null,\"y\":2}}" },
        { "{\"o\":{\"x\":1}}", "{\"o\":[1]}", "{\"o\":[1]}" },
        { "{\"a\":1}", "{}", "{\"a\":null}" },
        { "{}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *section = json(rows[i].section);
        json_t *metadata = json_object();
        json_t *wanted = json(rows[i].wanted);
        json_t *patch = ag_twin_document_replacing_patch(section, wanted);
        check_json(patch, rows[i].patch);
        ag_twin_document_merge(section, metadata, patch, NOW, 1);
        check_json(section, rows[i].wanted);
        json_decref(patch);
        json_decref(wanted);
        json_decref(metadata);
        json_decref(section);
    }
}

static bool is_good(const char *text)
{
    struct ag_problem problem;
    json_t *patch = ag_twin_document_parse(text, strlen(text), &problem);
    bool good = patch != NULL && ag_twin_document_check(patch, &problem);
    if (!good)
        CHECK_EQUAL(problem.kind, AG_PROBLEM_BAD_REQUEST);
    json_decref(patch);
    return good;
}

static void documents_that_are_no_json_objects_are_refused(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "1",
        "x",
        "{}x",
        "{\"a\"}",
        "{\"a\":1,",
        "{\"a\":\"\\u0000\"}",
        "{\"\xff\":1}",
        "{\"a\":123456789012345678901234567890}",
        "{\"a\":1e999}",
        "{'a':1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        CHECK(!is_good(bad[i]));
    }
    char deep[20000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    deep[sizeof deep - 1] = '\0';
    CHECK(!is_good(deep));
}

static void every_truncation_of_a_document_is_refused(void)
{
    static const char text[] = "{\"a\":{\"b\":[1,2.5,true,\"\\u00e9x\"]},\"c\":null}";
    struct ag_problem problem;
    for (size_t size = 0; size < sizeof text - 1; size++) {
        char *copy = malloc(size > 0 ? size : 1);
        memcpy(copy, text, size);
        test_note("cut at %zu", size);
        CHECK(ag_twin_document_parse(copy, size, &problem) == NULL);
        free(copy);
    }
    CHECK(is_good(text));
}

// What is accepted of a damaged document merges and can be written and read again.
static void every_flipped_bit_of_a_document_is_survived(void)
{
    static const char text[] =
        "{\"a\":{\"b\":[1,2.5,true,{\"c\":\"\\u00e9x\"}]},\"d\":null,\"e\":-7}";
    size_t accepted = 0;
    for (size_t bit = 0; bit < (sizeof text - 1) * 8; bit++) {
        char copy[sizeof text];
        struct ag_problem problem;
        memcpy(copy, text, sizeof text);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        json_t *patch = ag_twin_document_parse(copy, sizeof text - 1, &problem);
        if (patch == NULL || !ag_twin_document_check(patch, &problem)) {
            json_decref(patch);
            continue;
        }
        accepted++;
        json_t *section = json("{\"a\":{\"b\":1,\"z\":{}},\"d\":[],\"e\":{\"f\":1}}");
        json_t *metadata = json_object();
        ag_twin_document_merge(section, metadata, patch, NOW, 1);
        char *written = json_dumps(section, JSON_COMPACT);
        CHECK(written != NULL);
        check_json(section, written);
        free(written);
        json_decref(metadata);
        json_decref(section);
        json_decref(patch);
    }
    CHECK(accepted > 20);
}

static void keys_are_limited(void)
{
    char text[2048];
    CHECK(is_good("{\"a_b-c/d%:\xc3\xa9\":1}"));
    CHECK(!is_good("{\"\":1}"));
    CHECK(!is_good("{\"a.b\":1}"));
    CHECK(!is_good("{\"$a\":1}"));
    CHECK(!is_good("{\"a#\":1}"));
    CHECK(!is_good("{\"a b\":1}"));
    CHECK(!is_good("{\"a\\tb\":1}"));
    CHECK(!is_good("{\"a\\u007fb\":1}"));
    CHECK(!is_good("{\"o\":{\"a.b\":1}}"));
    CHECK(!is_good("{\"l\":[{\"a.b\":1}]}"));
    for (int size = 1024; size <= 1025; size++) {
        snprintf(text, sizeof text, "{\"%0*d\":1}", size, 0);
        CHECK_EQUAL(is_good(text), size == 1024);
    }
}

static void values_are_limited(void)
{
    char text[5000];
    for (int size = 4096; size <= 4097; size++) {
        snprintf(text, sizeof text, "{\"a\":\"%0*d\"}", size, 0);
        CHECK_EQUAL(is_good(text), size == 4096);
    }
    CHECK(is_good("{\"a\":4503599627370495,\"b\":-4503599627370496,\"c\":1.5e300}"));
    CHECK(!is_good("{\"a\":4503599627370496}"));
    CHECK(!is_good("{\"a\":-4503599627370497}"));
    CHECK(is_good("{\"a\":null,\"o\":{\"b\":null}}"));
    CHECK(!is_good("{\"a\":[null]}"));
    CHECK(!is_good("{\"a\":[{\"b\":null}]}"));
    CHECK(!is_good("{\"a\":[[null]]}"));
    CHECK(is_good("{\"a\":[[1],[],{}]}"));
}

static void depth_is_limited_to_ten_levels_below_the_root(void)
{
    for (int levels = 10; levels <= 11; levels++) {
        char text[256] = "{\"k\":";
        for (int i = 0; i < levels; i++)
            strcat(text, i % 2 == 0 ? "{\"k\":" : "[");
        strcat(text, "1");
        for (int i = levels - 1; i >= 0; i--)
            strcat(text, i % 2 == 0 ? "}" : "]");
        strcat(text, "}");
        test_note("%d levels: %s", levels, text);
        CHECK_EQUAL(is_good(text), levels == 10);
    }
}

static void size_counts_as_azure_does(void)
{
    json_t *section =
        json("{\"ab\":\"xyz\",\"n\":1,\"f\":1.5,\"t\":true,\"o\":{\"\xc3\xa9\":[1,\"q\"]}}");
    CHECK_EQUAL(ag_twin_document_size(section), 2 + 3 + 1 + 8 + 1 + 8 + 1 + 4 + 1 + 2 + 8 + 1);
    json_decref(section);
}

static void version_and_metadata_at_the_root_are_taken_out(void)
{
    json_t *patch = json("{\"$version\":3,\"$metadata\":{},\"a\":1}");
    ag_twin_document_strip(patch);
    check_json(patch, "{\"a\":1}");
    json_decref(patch);
}

static const struct test_case cases[] = {
    TEST(patches_merge_as_rfc_7396_says),
    TEST(a_section_does_not_share_values_with_the_patch),
    TEST(metadata_follows_what_changed),
    TEST(a_replacement_is_a_patch_that_names_what_is_gone),
    TEST(documents_that_are_no_json_objects_are_refused),
    TEST(every_truncation_of_a_document_is_refused),
    TEST(every_flipped_bit_of_a_document_is_survived),
    TEST(keys_are_limited),
    TEST(values_are_limited),
    TEST(depth_is_limited_to_ten_levels_below_the_root),
    TEST(size_counts_as_azure_does),
    TEST(version_and_metadata_at_the_root_are_taken_out),
};
TEST_MAIN(cases)
