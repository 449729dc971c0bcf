// SPDX-License-Identifier: Apache-2.0
// Tests of plugin/metadata.h.
#include "plugin/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/plugin/plugin_fixture.h"

static enum ag_status read(const char *bytes, size_t size)
{
    struct ag_plugin_metadata metadata;
    return ag_metadata_read(bytes, size, &metadata);
}
#define READ(literal) read("" literal, sizeof(literal) - 1)

// The shortest that is valid: format, name "x", version 1, ABI 1.
#define SHORTEST "\1\3\1x\4\1\x08\1"

static size_t encode(const struct ag_plugin_metadata *metadata, uint8_t *bytes, size_t capacity)
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, capacity);
    ag_metadata_write(&writer, metadata);
    CHECK_EQUAL(writer.status, AG_OK);
    return writer.size;
}

static void check_round_trip(const struct ag_plugin_metadata *metadata)
{
    uint8_t bytes[AG_METADATA_SIZE_MAX];
    struct ag_plugin_metadata back;
    const size_t size = encode(metadata, bytes, sizeof bytes);
    CHECK_EQUAL(ag_metadata_read(bytes, size, &back), AG_OK);
    CHECK_EQUAL(back.schema_size, metadata->schema_size);
    if (back.schema_size > 0) {
        CHECK_BYTES(back.schema, metadata->schema, back.schema_size);
        back.schema = metadata->schema;
    }
    CHECK_BYTES(&back, metadata, sizeof back);
}

static void what_is_written_is_read_back(void)
{
    struct ag_plugin_metadata metadata = fixture_metadata();
    check_round_trip(&metadata);
    metadata.epoch = 7;
    metadata.version = UINT32_MAX;
    metadata.fuel_per_run = UINT32_MAX;
    metadata.memory_size = 0;
    metadata.period_ms = 0;
    metadata.capability_count = 0;
    memset(metadata.capabilities, 0, sizeof metadata.capabilities);
    check_round_trip(&metadata);
    metadata.trial_runs = 3;
    metadata.trial_ms = 60000;
    metadata.trial_flags = AG_TRIAL_HUB;
    metadata.data_size = 2048;
    check_round_trip(&metadata);
    memset(metadata.name, 'n', AG_CFG_NAME_MAX);
    metadata.capability_count = AG_CFG_CAPABILITY_MAX;
    for (uint16_t i = 0; i < AG_CFG_CAPABILITY_MAX; i++)
        metadata.capabilities[i] =
            (struct ag_capability_need){ .id = (uint16_t)(i * 4096u + 1u), .version = UINT16_MAX };
    check_round_trip(&metadata);
}

static void the_shortest_metadata_leaves_the_rest_at_zero(void)
{
    struct ag_plugin_metadata metadata;
    CHECK_EQUAL(ag_metadata_read(SHORTEST, sizeof SHORTEST - 1, &metadata), AG_OK);
    CHECK_TEXT(metadata.name, "x");
    CHECK_EQUAL(metadata.version, 1);
    CHECK_EQUAL(metadata.abi, 1);
    CHECK_EQUAL(metadata.epoch + metadata.memory_size + metadata.stack_size, 0);
    CHECK_EQUAL(metadata.period_ms + metadata.fuel_per_run + metadata.capability_count, 0);
    CHECK_EQUAL(metadata.trial_runs + metadata.trial_ms + metadata.trial_flags, 0);
    CHECK_EQUAL(metadata.data_size + metadata.schema_size, 0);
    CHECK(metadata.schema == NULL);
}

static void trial_data_and_schema_are_read(void)
{
    struct ag_plugin_metadata metadata;
    static const char bytes[] = SHORTEST "\x14\5\x16\xE8\7\x18\1\x1A\x40\x1D\5\1\0\1n\1";
    CHECK_EQUAL(ag_metadata_read(bytes, sizeof bytes - 1, &metadata), AG_OK);
    CHECK_EQUAL(metadata.trial_runs, 5);
    CHECK_EQUAL(metadata.trial_ms, 1000);
    CHECK_EQUAL(metadata.trial_flags, AG_TRIAL_HUB);
    CHECK_EQUAL(metadata.data_size, 64);
    CHECK_EQUAL(metadata.schema_size, 5);
    CHECK_BYTES(metadata.schema, "\1\0\1n\1", 5);
    CHECK_EQUAL(READ(SHORTEST "\x15\1y"), AG_ERR_FILE_METADATA);      // runs as bytes
    CHECK_EQUAL(READ(SHORTEST "\x14\0"), AG_ERR_FILE_METADATA);       // no runs, written out
    CHECK_EQUAL(READ(SHORTEST "\x1C\5"), AG_ERR_FILE_METADATA);       // a schema as a number
    CHECK_EQUAL(READ(SHORTEST "\x1D\0"), AG_ERR_FILE_METADATA);       // an empty schema
    CHECK_EQUAL(READ(SHORTEST "\x1D\3\1\0\1"), AG_ERR_FILE_METADATA); // one that is cut
    CHECK_EQUAL(READ(SHORTEST "\x1D\2\2\0"), AG_ERR_FILE_METADATA);   // another format
}

static void unknown_fields_of_both_kinds_are_skipped(void)
{
    struct ag_plugin_metadata metadata;
    static const char bytes[] = SHORTEST "\x1E\x7F\x21\3abc\xFE\xFF\3\0";
    CHECK_EQUAL(ag_metadata_read(bytes, sizeof bytes - 1, &metadata), AG_OK);
    CHECK_TEXT(metadata.name, "x");
}

static void a_missing_double_or_misplaced_field_is_refused(void)
{
    CHECK_EQUAL(READ("\1\3\1x\x08\1"), AG_ERR_FILE_METADATA);          // no version
    CHECK_EQUAL(READ("\1\4\1\x08\1"), AG_ERR_FILE_METADATA);           // no name
    CHECK_EQUAL(READ("\1\3\1x\4\1"), AG_ERR_FILE_METADATA);            // no ABI
    CHECK_EQUAL(READ("\1\3\1x\3\1y\4\1\x08\1"), AG_ERR_FILE_METADATA); // name twice
    CHECK_EQUAL(READ("\1\3\1x\4\1\4\2\x08\1"), AG_ERR_FILE_METADATA);  // version twice
    CHECK_EQUAL(READ("\1\4\1\3\1x\x08\1"), AG_ERR_FILE_METADATA);      // out of order
    CHECK_EQUAL(READ(SHORTEST "\x1E\1\x1F\1y"), AG_ERR_FILE_METADATA); // unknown twice
    CHECK_EQUAL(READ("\1\1\1x\4\1\x08\1"), AG_ERR_FILE_METADATA);      // field 0
    CHECK_EQUAL(READ("\1\2\5\4\1\x08\1"), AG_ERR_FILE_METADATA);       // name as a number
    CHECK_EQUAL(READ("\1\3\1x\5\1y\x08\1"), AG_ERR_FILE_METADATA);     // version as text
    CHECK_EQUAL(READ("\2\3\1x\4\1\x08\1"), AG_ERR_FILE_METADATA);      // format 2
    CHECK_EQUAL(READ("\1\3\1x\4\0\x08\1"), AG_ERR_FILE_METADATA);      // version 0
    CHECK_EQUAL(READ("\1\3\1x\4\1\6\0\x08\1"), AG_ERR_FILE_METADATA);  // a zero written out
    CHECK_EQUAL(READ("\1\3\1x\4\xFF\xFF\xFF\xFF\x1F\x08\1"), AG_ERR_FILE_METADATA); // 33 bits
}

static void capabilities_must_ascend_and_have_versions(void)
{
    CHECK_EQUAL(READ(SHORTEST "\x0B\4\1\1\3\2"), AG_OK);
    CHECK_EQUAL(READ(SHORTEST "\x0B\4\3\1\1\1"), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(READ(SHORTEST "\x0B\4\3\1\3\1"), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(READ(SHORTEST "\x0B\2\3\0"), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(READ(SHORTEST "\x0B\3\3\1\4"), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(READ(SHORTEST "\x0B\4\x80\x80\4\1"), AG_ERR_FILE_METADATA); // id 65536
    char many[16 + 2 * (AG_CFG_CAPABILITY_MAX + 1)] = SHORTEST "\x0B";
    size_t size = sizeof SHORTEST;
    many[size++] = 2 * (AG_CFG_CAPABILITY_MAX + 1);
    for (int i = 0; i <= AG_CFG_CAPABILITY_MAX; i++) {
        many[size++] = (char)(i + 1);
        many[size++] = 1;
    }
    CHECK_EQUAL(read(many, size), AG_ERR_FILE_METADATA);
}

static enum ag_status name(const char *text)
{
    return ag_metadata_check_name(text, strlen(text));
}

static void names_are_utf8_without_control_characters(void)
{
    static const char *const good[] = {
        "a",
        "blinky",
        "Ein Name mit Leerzeichen",
        "h\xC3\xA4user",
        "\xE6\xB8\xA9\xE5\xBA\xA6",
        "\xF0\x9F\x92\xA1",
        "\xC2\xA0",
        "\xED\x9F\xBF",
        "\xF4\x8F\xBF\xBF",
        "hos",
        "hosts",
        "Host",
    };
    static const char *const bad[] = {
        "",
        "\x1F",
        "a\nb",
        "\x7F",
        "\xC2\x80",
        "\xC2\x9F",
        "\x80",
        "\xC3",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xE6\xB8",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "123456789012345678901234567890123",
        "host", // the host's own lines in the log
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        test_note("good name %zu", i);
        CHECK_EQUAL(name(good[i]), AG_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("bad name %zu", i);
        CHECK_EQUAL(name(bad[i]), AG_ERR_FILE_METADATA);
    }
    CHECK_EQUAL(ag_metadata_check_name("a\0b", 3), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(READ("\1\3\3a\0b\4\1\x08\1"), AG_ERR_FILE_METADATA);
}

// Every proper prefix ends inside a field or before a field that must be there.
static void every_truncation_of_the_shortest_is_refused(void)
{
    for (size_t size = 0; size < sizeof SHORTEST - 1; size++) {
        test_note("%zu bytes", size);
        char *exact = malloc(size + 1); // so that the sanitizer sees a byte read too many
        memcpy(exact, SHORTEST, size);
        const enum ag_status status = read(exact, size);
        free(exact);
        CHECK_EQUAL(status, AG_ERR_FILE_METADATA);
    }
}

static void every_input_of_up_to_two_bytes_is_refused(void)
{
    for (unsigned value = 0; value < 0x10000; value++) {
        const char bytes[2] = { (char)(value & 0xFF), (char)(value >> 8) };
        test_note("bytes %04x", value);
        CHECK_EQUAL(read(bytes, 2), AG_ERR_FILE_METADATA);
        CHECK_EQUAL(read(bytes, 1), AG_ERR_FILE_METADATA);
    }
    CHECK_EQUAL(read("", 0), AG_ERR_FILE_METADATA);
}

// Whatever two bytes follow valid metadata: it is refused, or what is read can be written back and
// read again as the same.
static void two_bytes_behind_valid_metadata_never_give_something_invalid(void)
{
    unsigned accepted = 0;
    for (unsigned value = 0; value < 0x10000; value++) {
        uint8_t bytes[sizeof SHORTEST + 1];
        struct ag_plugin_metadata metadata;
        memcpy(bytes, SHORTEST, sizeof SHORTEST - 1);
        bytes[sizeof SHORTEST - 1] = (uint8_t)value;
        bytes[sizeof SHORTEST] = (uint8_t)(value >> 8);
        test_note("bytes %04x", value);
        if (ag_metadata_read(bytes, sizeof bytes, &metadata) != AG_OK)
            continue;
        check_round_trip(&metadata);
        accepted++;
    }
    CHECK(accepted > 1000); // numbers, and unknown fields
}

static void a_payload_over_the_limit_is_refused_unread(void)
{
    uint8_t bytes[AG_METADATA_SIZE_MAX + 1] = SHORTEST "\x1F";
    const size_t start = sizeof SHORTEST;
    // An unknown field that fills the rest: 512 bytes in all are read, 513 are not.
    bytes[start] = (uint8_t)((AG_METADATA_SIZE_MAX - start - 2) & 0x7F) | 0x80;
    bytes[start + 1] = (uint8_t)((AG_METADATA_SIZE_MAX - start - 2) >> 7);
    struct ag_plugin_metadata metadata;
    CHECK_EQUAL(ag_metadata_read(bytes, AG_METADATA_SIZE_MAX, &metadata), AG_OK);
    bytes[start]++;
    CHECK_EQUAL(ag_metadata_read(bytes, AG_METADATA_SIZE_MAX + 1, &metadata), AG_ERR_FILE_METADATA);
}

// Longer than all of the metadata in memory, which AddressSanitizer watches the end of.
static void a_name_beyond_all_bounds_is_refused(void)
{
    enum {
        NAME_SIZE = 490
    };
    uint8_t bytes[AG_METADATA_SIZE_MAX] = { 1, 3, 0x80 | (NAME_SIZE & 0x7F), NAME_SIZE >> 7 };
    struct ag_plugin_metadata *metadata = malloc(sizeof *metadata);
    CHECK(metadata && NAME_SIZE > sizeof *metadata);
    memset(bytes + 4, 'x', NAME_SIZE);
    memcpy(bytes + 4 + NAME_SIZE, "\4\1\x08\1", 4);
    CHECK_EQUAL(ag_metadata_read(bytes, 4 + NAME_SIZE + 4, metadata), AG_ERR_FILE_METADATA);
    free(metadata);
}

static const struct test_case cases[] = {
    TEST(a_name_beyond_all_bounds_is_refused),
    TEST(what_is_written_is_read_back),
    TEST(the_shortest_metadata_leaves_the_rest_at_zero),
    TEST(trial_data_and_schema_are_read),
    TEST(unknown_fields_of_both_kinds_are_skipped),
    TEST(a_missing_double_or_misplaced_field_is_refused),
    TEST(capabilities_must_ascend_and_have_versions),
    TEST(names_are_utf8_without_control_characters),
    TEST(every_truncation_of_the_shortest_is_refused),
    TEST(every_input_of_up_to_two_bytes_is_refused),
    TEST(two_bytes_behind_valid_metadata_never_give_something_invalid),
    TEST(a_payload_over_the_limit_is_refused_unread),
};

TEST_MAIN(cases)
