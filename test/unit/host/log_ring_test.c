// SPDX-License-Identifier: Apache-2.0
// The last lines of the log: who gives way, what becomes of hostile text, and the form on flash.
#include "host/log_ring.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "test/harness.h"

static struct ag_log_ring ring;

static void add(const char *source, struct ag_text text)
{
    struct ag_log_ring_line line = { .level = AG_LOG_INFO,
                                     .source = ag_text_of(source),
                                     .text = text };
    ag_log_ring_add(&ring, &line);
}

static uint32_t count(const char *source)
{
    struct ag_log_ring_line line;
    uint32_t at = 0;
    uint32_t lines = 0;
    while (ag_log_ring_next(&ring, ag_text_of(source), &at, &line))
        lines++;
    return lines;
}

static void one_that_writes_without_end_drives_out_its_own_lines_only(void)
{
    ag_log_ring_init(&ring, 1);
    for (int i = 0; i < 5; i++)
        add("quiet", ag_text_of("a line of twenty bytes"));
    for (int i = 0; i < 1000; i++)
        add("loud", ag_text_of("one of very many lines that nobody reads"));
    CHECK_EQUAL(count("quiet"), 5);
    CHECK(count("loud") > 10);
    CHECK_EQUAL(ring.sequence, 1006);
    CHECK(ag_text_equals(ag_log_ring_largest(&ring), "loud"));
}

static void what_is_held_of_a_source_is_its_newest_lines_without_a_gap(void)
{
    static const char *const sources[] = { "a", "bb", "ccc" };
    uint32_t random = 1;
    uint32_t last[3] = { 0 };
    uint32_t numbers[3] = { 0 };
    ag_log_ring_init(&ring, 1);
    for (int i = 0; i < 3000; i++) {
        char text[AG_CFG_LOG_LINE];
        random = random * 1103515245u + 12345u;
        uint32_t source = random >> 16 & 3 ? random >> 20 & 1 : 2;
        int size = snprintf(text, sizeof text, "%u ", (unsigned)++numbers[source]);
        size_t pad = random >> 8 & 127;
        memset(text + size, 'x', pad);
        add(sources[source], (struct ag_text){ text, (size_t)size + pad });
        last[source] = numbers[source];
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct ag_log_ring_line line;
        uint32_t at = 0;
        unsigned number = 0;
        unsigned before = 0;
        while (ag_log_ring_next(&ring, ag_text_of(sources[i]), &at, &line)) {
            CHECK(sscanf(line.text.at, "%u ", &number) == 1);
            CHECK(before == 0 || number == before + 1);
            before = number;
        }
        CHECK_EQUAL(before, last[i]);
    }
}

// Every sequence of up to three bytes that matters, and what it becomes.
static void hostile_text_becomes_harmless_and_valid(void)
{
    static const struct {
        const char *from;
        const char *to;
    } texts[] = {
        { "plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
          "plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80" },
        { "a\nb\r\t\x1B[2J", "a\\x0ab\\x0d\\x09\\x1b[2J" },
        { "\x7F\xC2\x80\xC2\x9B\xC2\xA0", "\\x7f\\xc2\\x80\\xc2\\x9b\xC2\xA0" },
        { "\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\xA8\xE2\x80\x8F",
          "\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\xa8"
          "\\xe2\\x80\\x8f" },
        { "\xD8\x9C", "\\xd8\\x9c" },
        { "\xFF\xC3(\xE2\x82", "\\xff\\xc3(\\xe2\\x82" },
        { "\xED\xA0\x80\xF4\x90\x80\x80\xC0\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xc0\\x80" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ag_log_ring_line line;
        uint32_t at = 0;
        ag_log_ring_init(&ring, 1);
        add("p", ag_text_of(texts[i].from));
        CHECK(ag_log_ring_next(&ring, ag_text_of("p"), &at, &line));
        if (!ag_text_equals(line.text, texts[i].to))
            test_fail(__FILE__, __LINE__, "%zu: %.*s", i, (int)line.text.size, line.text.at);
    }
}

static void a_long_line_is_cut_between_characters(void)
{
    char text[3 * AG_CFG_LOG_LINE];
    for (size_t i = 0; i < sizeof text; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    for (size_t skip = 0; skip < 3; skip++) {
        struct ag_log_ring_line line;
        uint32_t at = 0;
        ag_log_ring_init(&ring, 1);
        memset(text, 'x', skip * 3);
        add("p", (struct ag_text){ text + skip, sizeof text - skip - skip % 3 });
        CHECK(ag_log_ring_next(&ring, ag_text_of("p"), &at, &line));
        CHECK(line.text.size <= AG_CFG_LOG_LINE && line.text.size > AG_CFG_LOG_LINE - 4);
        CHECK(ag_utf8_is_valid(line.text));
    }
}

static void lines_go_to_flash_once_and_come_back_as_they_were(void)
{
    uint8_t bytes[100];
    struct ag_writer out;
    struct ag_log_ring_line line;
    const uint8_t *at = bytes;
    ag_log_ring_init(&ring, 41);
    add("a", ag_text_of("first"));
    add("b", ag_text_of("not this one"));
    add("a", ag_text_of("second"));
    CHECK_EQUAL(ag_log_ring_unkept(&ring, ag_text_of("a")), 31);
    ag_writer_init(&out, bytes, 20); // room for the first only
    ag_log_ring_write(&ring, ag_text_of("a"), &out);
    CHECK_EQUAL(out.size, 15);
    ag_writer_init(&out, bytes + 15, sizeof bytes - 15);
    ag_log_ring_write(&ring, ag_text_of("a"), &out);
    CHECK_EQUAL(ag_log_ring_unkept(&ring, ag_text_of("a")), 0);
    size_t size = 15 + out.size;
    CHECK(ag_log_ring_read(&at, &size, &line));
    CHECK(line.sequence == 41 && ag_text_equals(line.text, "first"));
    CHECK(ag_log_ring_read(&at, &size, &line));
    CHECK(line.sequence == 43 && ag_text_equals(line.text, "second") && line.level == AG_LOG_INFO);
    CHECK(!ag_log_ring_read(&at, &size, &line));
}

static void a_line_that_is_cut_or_broken_is_the_last_one(void)
{
    const uint8_t good[] = { 1, 0, 0, 0, 2, 0, 0, 0, 1, 2, 'o', 'k' };
    for (size_t cut = 0; cut <= sizeof good; cut++) {
        uint8_t bytes[sizeof good];
        const uint8_t *at = bytes;
        size_t size = cut;
        struct ag_log_ring_line line;
        memcpy(bytes, good, cut);
        CHECK_EQUAL(ag_log_ring_read(&at, &size, &line), cut == sizeof good);
    }
    for (size_t i = 8; i < sizeof good; i++) { // a level that is none, a length too long, no UTF-8
        uint8_t bytes[sizeof good];
        const uint8_t *at = bytes;
        size_t size = sizeof bytes;
        struct ag_log_ring_line line;
        memcpy(bytes, good, sizeof good);
        bytes[i] = 0xFF;
        CHECK(!ag_log_ring_read(&at, &size, &line));
    }
}

static const struct test_case cases[] = {
    TEST(one_that_writes_without_end_drives_out_its_own_lines_only),
    TEST(what_is_held_of_a_source_is_its_newest_lines_without_a_gap),
    TEST(hostile_text_becomes_harmless_and_valid),
    TEST(a_long_line_is_cut_between_characters),
    TEST(lines_go_to_flash_once_and_come_back_as_they_were),
    TEST(a_line_that_is_cut_or_broken_is_the_last_one),
};
TEST_MAIN(cases)
