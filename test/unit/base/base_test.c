// SPDX-License-Identifier: Apache-2.0
// Tests of src/base: status table, reader, writer, CRC.
#include <string.h>

#include "base/config.h"
#include "base/crc32.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/writer.h"
#include "test/harness.h"

static void every_status_has_a_name_a_text_and_a_unique_number(void)
{
#define NUMBER(symbol, number, name, text, hint) number,
    static const int numbers[] = { AG_STATUS_TABLE(NUMBER) };
#undef NUMBER
    const size_t count = sizeof numbers / sizeof numbers[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(numbers[i] != numbers[j]);
        CHECK(strlen(ag_status_name((enum ag_status)numbers[i])) > 0);
        CHECK(strlen(ag_status_text((enum ag_status)numbers[i])) > 0);
    }
    CHECK_TEXT(ag_status_name(AG_OK), "ok");
    CHECK_TEXT(ag_status_name(AG_ERR_MALFORMED), "malformed");
    CHECK_TEXT(ag_status_text(AG_ERR_MALFORMED),
               AG_CFG_STATUS_TEXTS ? "the input breaks its format" : "malformed");
    CHECK_TEXT(ag_status_hint(AG_ERR_MALFORMED),
               AG_CFG_STATUS_TEXTS ? "check the producer against FORMATS.md" : "");
    CHECK_TEXT(ag_status_hint(AG_OK), "");
    CHECK_TEXT(ag_status_name((enum ag_status)9999), "unknown");
    CHECK_TEXT(ag_status_text((enum ag_status)9999),
               AG_CFG_STATUS_TEXTS ? "unknown status" : "unknown");
    CHECK_EQUAL(AG_TRAP_UNREACHABLE, 1207);
}

static void a_reader_stays_failed_after_its_first_error(void)
{
    const uint8_t bytes[] = { 1, 2, 3 };
    struct ag_reader reader;
    ag_reader_init(&reader, bytes, sizeof bytes);
    CHECK_EQUAL(ag_reader_u16le(&reader), 0x0201);
    CHECK_EQUAL(ag_reader_u32le(&reader), 0);
    CHECK_EQUAL(reader.status, AG_ERR_TRUNCATED);
    CHECK_EQUAL(ag_reader_u8(&reader), 0);
    CHECK_EQUAL(ag_reader_left(&reader), 0);
    CHECK(ag_reader_bytes(&reader, 0) == NULL);
}

static void a_sub_reader_is_bounded_and_skipped(void)
{
    const uint8_t bytes[] = { 1, 2, 3, 4 };
    struct ag_reader reader;
    ag_reader_init(&reader, bytes, sizeof bytes);
    struct ag_reader sub = ag_reader_sub(&reader, 3);
    CHECK_EQUAL(ag_reader_left(&sub), 3);
    CHECK_EQUAL(ag_reader_u8(&reader), 4);
    sub = ag_reader_sub(&reader, 1);
    CHECK_EQUAL(sub.status, AG_ERR_TRUNCATED);
    CHECK_EQUAL(reader.status, AG_ERR_TRUNCATED);
}

static void leb128_is_read_as_the_specification_restricts_it(void)
{
    static const struct {
        uint8_t bytes[6];
        size_t size;
        enum ag_status status;
        int64_t value;
    } u32[] = {
        { { 0x00 }, 1, AG_OK, 0 },
        { { 0xE5, 0x8E, 0x26 }, 3, AG_OK, 624485 },
        { { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F }, 5, AG_OK, 0xFFFFFFFF },
        { { 0xFF, 0xFF, 0xFF, 0xFF, 0x1F }, 5, AG_ERR_MALFORMED, 0 },
        { { 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 }, 6, AG_ERR_MALFORMED, 0 },
        { { 0x80, 0x80, 0x80, 0x80, 0x00 }, 5, AG_OK, 0 },
        { { 0x80 }, 1, AG_ERR_TRUNCATED, 0 },
    }, s32[] = {
        { { 0x7F }, 1, AG_OK, -1 },
        { { 0x80, 0x7F }, 2, AG_OK, -128 },
        { { 0x80, 0x80, 0x80, 0x80, 0x78 }, 5, AG_OK, INT32_MIN },
        { { 0xFF, 0xFF, 0xFF, 0xFF, 0x07 }, 5, AG_OK, INT32_MAX },
        { { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F }, 5, AG_ERR_MALFORMED, 0 },
        { { 0x80, 0x80, 0x80, 0x80, 0x70 }, 5, AG_ERR_MALFORMED, 0 },
    };
    for (size_t i = 0; i < sizeof u32 / sizeof u32[0]; i++) {
        struct ag_reader reader;
        test_note("u32 vector %zu", i);
        ag_reader_init(&reader, u32[i].bytes, u32[i].size);
        CHECK_EQUAL(ag_reader_leb_u32(&reader), u32[i].value);
        CHECK_EQUAL(reader.status, u32[i].status);
    }
    for (size_t i = 0; i < sizeof s32 / sizeof s32[0]; i++) {
        struct ag_reader reader;
        test_note("s32 vector %zu", i);
        ag_reader_init(&reader, s32[i].bytes, s32[i].size);
        CHECK_EQUAL(ag_reader_leb_s32(&reader), s32[i].value);
        CHECK_EQUAL(reader.status, s32[i].status);
    }
}

static void leb128_reads_the_ends_of_64_bits(void)
{
    const uint8_t least[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F };
    const uint8_t bad[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E };
    struct ag_reader reader;
    ag_reader_init(&reader, least, sizeof least);
    CHECK(ag_reader_leb_s64(&reader) == INT64_MIN);
    CHECK_EQUAL(reader.status, AG_OK);
    ag_reader_init(&reader, bad, sizeof bad);
    ag_reader_leb_s64(&reader);
    CHECK_EQUAL(reader.status, AG_ERR_MALFORMED);
}

static void what_is_written_as_leb128_is_read_back(void)
{
    for (uint64_t value = 0; value <= UINT32_MAX; value = value * 3 + 1) {
        uint8_t bytes[5];
        struct ag_writer writer;
        struct ag_reader reader;
        ag_writer_init(&writer, bytes, sizeof bytes);
        ag_writer_leb_u32(&writer, (uint32_t)value);
        ag_reader_init(&reader, bytes, writer.size);
        CHECK_EQUAL(ag_reader_leb_u32(&reader), value);
        CHECK_EQUAL(ag_reader_left(&reader), 0);
    }
}

static void a_writer_never_passes_its_end(void)
{
    uint8_t bytes[4] = { 9, 9, 9, 9 };
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, 3);
    ag_writer_u16be(&writer, 0x0102);
    ag_writer_u16le(&writer, 0x0304);
    CHECK_EQUAL(writer.status, AG_ERR_NO_SPACE);
    ag_writer_u8(&writer, 5);
    CHECK_EQUAL(writer.size, 2);
    CHECK_EQUAL(bytes[2], 9);
    CHECK_EQUAL(bytes[3], 9);
}

static void decimals_are_written_to_both_ends_of_the_range(void)
{
    char text[32];
    struct ag_writer writer;
    ag_writer_init(&writer, text, sizeof text);
    ag_writer_decimal(&writer, INT64_MIN);
    CHECK_TEXT(ag_writer_finish_text(&writer), "-9223372036854775808");
    ag_writer_init(&writer, text, sizeof text);
    ag_writer_decimal(&writer, 0);
    CHECK_TEXT(ag_writer_finish_text(&writer), "0");
}

static void crc32_gives_the_published_check_value(void)
{
    CHECK_EQUAL(ag_crc32_update(0, "123456789", 9), 0xCBF43926);
    CHECK_EQUAL(ag_crc32_update(ag_crc32_update(0, "1234", 4), "56789", 5), 0xCBF43926);
    CHECK_EQUAL(ag_crc32_update(0, "", 0), 0);
}

static void crc32_is_the_same_bit_by_bit_and_in_any_pieces(void)
{
    uint8_t bytes[67];
    uint32_t want = ~0u;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 167 + 13);
        want ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            want = want >> 1 ^ (want & 1 ? 0xEDB88320 : 0);
        CHECK_EQUAL(ag_crc32_update(0, bytes, i + 1), ~want);
    }
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        CHECK_EQUAL(
            ag_crc32_update(ag_crc32_update(0, bytes, cut), bytes + cut, sizeof bytes - cut),
            ~want);
}

static const struct test_case cases[] = {
    TEST(every_status_has_a_name_a_text_and_a_unique_number),
    TEST(a_reader_stays_failed_after_its_first_error),
    TEST(a_sub_reader_is_bounded_and_skipped),
    TEST(leb128_is_read_as_the_specification_restricts_it),
    TEST(leb128_reads_the_ends_of_64_bits),
    TEST(what_is_written_as_leb128_is_read_back),
    TEST(a_writer_never_passes_its_end),
    TEST(decimals_are_written_to_both_ends_of_the_range),
    TEST(crc32_gives_the_published_check_value),
    TEST(crc32_is_the_same_bit_by_bit_and_in_any_pieces),
};
TEST_MAIN(cases)
