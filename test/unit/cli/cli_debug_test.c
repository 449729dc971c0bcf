// SPDX-License-Identifier: Apache-2.0
// Tests of cli/debug: the same code in two modules, and what functions are called, whatever bytes
// come.
#include <stdlib.h>
#include <string.h>

#include "cli/debug/code_map.h"
#include "cli/debug/names.h"
#include "test/harness.h"

#define HEAD      "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0" // a type () -> (), one function of it
#define HEAD_SIZE (8 + 6 + 4)

struct code {
    struct ag_buffer bytes;
    struct ag_module module;
};

// A module of one function: `before` bytes of a custom section, then this body.
static void open_code(struct code *code, size_t before, const char *body, size_t size)
{
    *code = (struct code){ 0 };
    ag_buffer_append(&code->bytes, HEAD, HEAD_SIZE);
    if (before > 0) {
        ag_buffer_append_u8(&code->bytes, 0);
        ag_buffer_append_leb(&code->bytes, (uint32_t)before + 1);
        for (size_t i = 0; i < before + 1; i++)
            ag_buffer_append_u8(&code->bytes, 0);
    }
    ag_buffer_append_u8(&code->bytes, 10);
    ag_buffer_append_leb(&code->bytes, (uint32_t)size + 2);
    ag_buffer_append_u8(&code->bytes, 1);
    ag_buffer_append_leb(&code->bytes, (uint32_t)size);
    ag_buffer_append(&code->bytes, body, size);
    CHECK_EQUAL(ag_module_open(&code->module, code->bytes.bytes, code->bytes.size), AG_OK);
}

static void close_code(struct code *code)
{
    ag_module_clear(&code->module);
    ag_buffer_clear(&code->bytes);
}

static bool agrees(const char *a, size_t a_size, const char *b, size_t b_size)
{
    struct code one;
    struct code other;
    open_code(&one, 0, a, a_size);
    open_code(&other, 9, b, b_size);
    const bool result = ag_code_map_agrees(&one.module, &other.module);
    CHECK_EQUAL(ag_code_map_agrees(&other.module, &one.module), result);
    close_code(&one);
    close_code(&other);
    return result;
}
#define AGREES(a, b) agrees("" a, sizeof(a) - 1, "" b, sizeof(b) - 1)

static void numbers_may_be_written_longer_but_must_be_the_same(void)
{
    CHECK(AGREES("\0\x0B", "\0\x0B"));
    CHECK(AGREES("\0\x41\1\x1A\x0B", "\0\x41\x81\x80\x80\x80\0\x1A\x0B"));      // i32.const
    CHECK(AGREES("\0\x41\x7F\x1A\x0B", "\0\x41\xFF\xFF\xFF\xFF\x7F\x1A\x0B"));  // -1
    CHECK(AGREES("\0\x42\x40\x1A\x0B", "\0\x42\xC0\x7F\x1A\x0B"));              // i64.const -64
    CHECK(!AGREES("\0\x41\x40\x1A\x0B", "\0\x41\xC0\0\x1A\x0B"));               // -64, 64
    CHECK(!AGREES("\0\x41\1\x1A\x0B", "\0\x41\2\x1A\x0B"));                     //
    CHECK(AGREES("\0\x10\x40\x0B", "\0\x10\xC0\x80\0\x0B"));                    // call 64
    CHECK(AGREES("\0\x28\2\x14\x0B", "\0\x28\2\x94\x80\x80\x80\0\x0B"));        // load at 20
    CHECK(!AGREES("\0\x28\2\x14\x0B", "\0\x28\2\x15\x0B"));                     //
    CHECK(!AGREES("\0\x28\2\x14\x0B", "\0\x29\2\x14\x0B"));                     // another load
    CHECK(AGREES("\0\x0E\2\0\1\2\x0B", "\0\x0E\2\x80\0\1\2\x0B"));              // br_table
    CHECK(!AGREES("\0\x0E\2\0\1\2\x0B", "\0\x0E\1\0\1\x0B"));                   //
    CHECK(AGREES("\0\xFC\x0B\0\x0B", "\0\xFC\x8B\0\0\x0B"));                    // memory.fill
    CHECK(!AGREES("\0\xFC\x0B\0\x0B", "\0\xFC\x0A\0\0\x0B"));                   //
    CHECK(AGREES("\0\x1C\1\x7F\x41\1\x0B", "\0\x1C\1\x7F\x41\x81\0\x0B"));      // select
    CHECK(!AGREES("\0\x1C\1\x7F\x41\1\x0B", "\0\x1C\1\x7E\x41\x81\0\x0B"));     //
    CHECK(!AGREES("\0\x43\0\0\0\0\x41\1\x0B", "\0\x43\0\0\0\1\x41\x81\0\x0B")); // f32.const
    CHECK(AGREES("\0\x44\0\0\0\0\0\0\0\0\x41\1\x0B", "\0\x44\0\0\0\0\0\0\0\0\x41\x81\0\x0B"));
    CHECK(AGREES("\1\2\x7F\x41\1\x0B", "\1\2\x7F\x41\x81\0\x0B"));  // with locals
    CHECK(!AGREES("\1\2\x7F\x41\1\x0B", "\1\3\x7F\x41\x81\0\x0B")); //
    CHECK(!AGREES("\1\2\x7F\x41\1\x0B", "\1\2\x7E\x41\x81\0\x0B")); //
    CHECK(!AGREES("\0\x01\x0B", "\0\x01\x01\x0B"));                 // one more instruction
}

static void an_unknown_instruction_agrees_by_its_bytes_only(void)
{
    CHECK(AGREES("\0\xFD\x0C\1\2\x0B", "\0\xFD\x0C\1\2\x0B"));
    CHECK(!AGREES("\0\xFD\x0C\1\2\x0B", "\0\xFD\x0C\x81\0\2\x0B"));
}

static void an_offset_in_one_is_the_address_of_the_same_instruction_in_the_other(void)
{
    static const char shorter[] = "\0\x41\1\x41\2\x6A\x1A\x0B";
    static const char longer[] = "\0\x41\x81\x80\0\x41\x82\0\x6A\x1A\x0B";
    struct code one;
    struct code other;
    struct ag_code_map_spot spot;
    open_code(&one, 0, shorter, sizeof shorter - 1);
    open_code(&other, 20, longer, sizeof longer - 1);
    const uint32_t body = (uint32_t)(one.bytes.size - (sizeof shorter - 1));
    static const struct {
        uint32_t at; // in the body
        enum ag_code_map_outcome outcome;
        uint32_t address; // two bytes before the body are in the section
    } rows[] = {
        { 0, AG_CODE_MAP_OUTSIDE, 0 }, { 1, AG_CODE_MAP_FOUND, 3 },   { 2, AG_CODE_MAP_BETWEEN, 0 },
        { 3, AG_CODE_MAP_FOUND, 7 },   { 4, AG_CODE_MAP_BETWEEN, 0 }, { 5, AG_CODE_MAP_FOUND, 10 },
        { 6, AG_CODE_MAP_FOUND, 11 },  { 7, AG_CODE_MAP_FOUND, 12 },  { 8, AG_CODE_MAP_OUTSIDE, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%u", rows[i].at);
        CHECK_EQUAL(ag_code_map_find(&one.module, &other.module, body + rows[i].at, &spot),
                    rows[i].outcome);
        if (rows[i].outcome == AG_CODE_MAP_FOUND)
            CHECK_EQUAL(spot.address, rows[i].address);
    }
    for (uint32_t offset = 0; offset < body; offset++)
        CHECK_EQUAL(ag_code_map_find(&one.module, &other.module, offset, &spot),
                    AG_CODE_MAP_OUTSIDE);
    CHECK_EQUAL(ag_code_map_find(&one.module, &other.module, UINT32_MAX, &spot),
                AG_CODE_MAP_OUTSIDE);
    close_code(&one);
    close_code(&other);
}

static void behind_an_unknown_instruction_equal_bytes_tell_the_place(void)
{
    static const char body[] = "\0\xFD\x0C\1\2\x0B";
    struct code one;
    struct code other;
    struct ag_code_map_spot spot;
    open_code(&one, 0, body, sizeof body - 1);
    open_code(&other, 5, body, sizeof body - 1);
    CHECK_EQUAL(ag_code_map_find(&one.module, &other.module, (uint32_t)one.bytes.size - 1, &spot),
                AG_CODE_MAP_FOUND);
    CHECK_EQUAL(spot.address, 7);
    close_code(&one);
    close_code(&other);
}

// Each byte of a body set to each value: nothing is read out of bounds, and what agrees with the
// original has another spelling of the same numbers at most.
static void no_body_does_harm(void)
{
    static const char body[] =
        "\1\1\x7F\x41\x81\x80\0\x0E\1\0\0\x1C\1\x7F\xFC\x0B\0\x44\0\0\0\0\0\0\0"
        "\0\x28\2\x14\x10\0\x0B";
    char broken[sizeof body];
    struct code good;
    struct ag_code_map_spot spot;
    open_code(&good, 0, body, sizeof body - 1);
    for (size_t at = 0; at + 1 < sizeof body; at++) {
        for (int value = 0; value < 256; value++) {
            struct code bad = { 0 };
            memcpy(broken, body, sizeof body);
            broken[at] = (char)value;
            ag_buffer_append(&bad.bytes, good.bytes.bytes, good.bytes.size - (sizeof body - 1));
            ag_buffer_append(&bad.bytes, broken, sizeof body - 1);
            if (ag_module_open(&bad.module, bad.bytes.bytes, bad.bytes.size) == AG_OK) {
                const bool same = ag_code_map_agrees(&good.module, &bad.module);
                CHECK(!same || broken[at] == body[at]);
                for (uint32_t i = 0; i < bad.bytes.size; i++) {
                    (void)ag_code_map_find(&good.module, &bad.module, i, &spot);
                    (void)ag_code_map_find(&bad.module, &good.module, i, &spot);
                }
            }
            close_code(&bad);
        }
    }
    close_code(&good);
}

// The name of function 0 in a module with this section "name" behind its code.
static char *name_in(const char *payload, size_t size)
{
    static const char exports[] = "\7\5\1\1e\0\0";
    struct code code = { 0 };
    ag_buffer_append(&code.bytes, HEAD, HEAD_SIZE);
    ag_buffer_append(&code.bytes, exports, sizeof exports - 1);
    ag_buffer_append(&code.bytes, "\x0A\4\1\2\0\x0B", 6);
    ag_buffer_append_u8(&code.bytes, 0);
    ag_buffer_append_leb(&code.bytes, (uint32_t)size + 5);
    ag_buffer_append(&code.bytes, "\4name", 5);
    ag_buffer_append(&code.bytes, payload, size);
    CHECK_EQUAL(ag_module_open(&code.module, code.bytes.bytes, code.bytes.size), AG_OK);
    char *name = ag_names_function(&code.module, 0);
    CHECK(ag_names_function(&code.module, 7) == NULL);
    close_code(&code);
    return name;
}

static void expect_name(const char *payload, size_t size, const char *want)
{
    char *name = name_in(payload, size);
    CHECK_TEXT(name ? name : "none", want);
    free(name);
}
#define EXPECT_NAME(payload, want) expect_name("" payload, sizeof(payload) - 1, want)

static void a_function_has_the_name_of_the_section_or_of_its_export(void)
{
    EXPECT_NAME("\1\6\1\0\3foo", "foo");
    EXPECT_NAME("\0\2\1m\1\6\1\0\3foo\2\1\0", "foo"); // behind the module's, before the locals'
    EXPECT_NAME("\1\6\1\1\3foo", "e");                // of another function
    EXPECT_NAME("", "e");
    EXPECT_NAME("\1\6\1\0\3\x1B[m", "?[m"); // no orders to a terminal
    EXPECT_NAME("\1\6\1\0\3a\0b", "a?b");
    EXPECT_NAME("\1\3\1\0\0", "e");
}

static void a_broken_name_section_names_nothing(void)
{
    EXPECT_NAME("\1\x70\1\0\3foo", "e");            // longer than the section
    EXPECT_NAME("\1\6\1\0\4foo", "e");              // a name longer than its part
    EXPECT_NAME("\1\6\xFF\xFF\xFF\xFF\x0F\0", "e"); // four thousand million names
    EXPECT_NAME("\1\xFF\xFF\xFF\xFF\xFF\xFF", "e"); // no number
    EXPECT_NAME("\1", "e");
}

static const struct test_case cases[] = {
    TEST(numbers_may_be_written_longer_but_must_be_the_same),
    TEST(an_unknown_instruction_agrees_by_its_bytes_only),
    TEST(an_offset_in_one_is_the_address_of_the_same_instruction_in_the_other),
    TEST(behind_an_unknown_instruction_equal_bytes_tell_the_place),
    TEST(no_body_does_harm),
    TEST(a_function_has_the_name_of_the_section_or_of_its_export),
    TEST(a_broken_name_section_names_nothing),
};
TEST_MAIN(cases)
