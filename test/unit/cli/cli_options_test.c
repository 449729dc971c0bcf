// SPDX-License-Identifier: Apache-2.0
// Tests of cli/options.h and cli/input.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "test/harness.h"

struct values {
    bool flag;
    const char *text;
    uint64_t number;
    char **operands;
    size_t count;
};

// Parses a command line, words separated by blanks, that is kept in `line`.
static int parse(char *line, struct values *values)
{
    char *words[16];
    int count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    *values = (struct values){ 0 };
    const struct ag_option options[] = {
        { .name = "flag",
          .letter = 'f',
          .kind = AG_OPTION_FLAG,
          .value = &values->flag,
          .help = "" },
        { .name = "text",
          .letter = 't',
          .kind = AG_OPTION_TEXT,
          .value = &values->text,
          .argument = "T",
          .help = "" },
        { .name = "number",
          .kind = AG_OPTION_NUMBER,
          .value = &values->number,
          .argument = "N",
          .help = "",
          .min = 2,
          .max = 10 },
    };
    const struct ag_usage usage = {
        .name = "test",
        .synopsis = "",
        .summary = "",
        .options = options,
        .option_count = 3,
        .operand_min = 1,
        .operand_max = 2,
    };
    static char *kept[16]; // operands point into it after this function ends
    memcpy(kept, words, sizeof words);
    return ag_options_parse(&usage, count, kept, &values->operands, &values->count);
}

static void options_and_operands_may_be_mixed(void)
{
    char line[] = "test a --number=7 -f --text x b";
    struct values values;
    CHECK_EQUAL(parse(line, &values), AG_OPTIONS_GO);
    CHECK(values.flag);
    CHECK_TEXT(values.text, "x");
    CHECK_EQUAL(values.number, 7);
    CHECK_EQUAL(values.count, 2);
    CHECK_TEXT(values.operands[0], "a");
    CHECK_TEXT(values.operands[1], "b");
}

static void two_dashes_end_the_options(void)
{
    char line[] = "test -- -f";
    struct values values;
    CHECK_EQUAL(parse(line, &values), AG_OPTIONS_GO);
    CHECK(!values.flag);
    CHECK_TEXT(values.operands[0], "-f");
}

static void mistakes_are_usage_errors(void)
{
    static const char *const lines[] = {
        "test",
        "test a b c",
        "test a --unknown",
        "test a -x",
        "test a --text",
        "test a -t",
        "test a --flag=1",
        "test a --number",
        "test a --number=1",
        "test a --number=11",
        "test a --number=",
        "test a --number=5x",
        "test a --number=-5",
        "test a --number=0x5",
        "test a --number=99999999999999999999",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[64];
        struct values values;
        snprintf(line, sizeof line, "%s", lines[i]);
        test_note("%s", lines[i]);
        CHECK_EQUAL(parse(line, &values), AG_EXIT_USAGE);
    }
}

static void numbers_are_whole_and_decimal(void)
{
    uint64_t number = 1;
    CHECK(ag_options_number("0", &number) && number == 0);
    CHECK(ag_options_number("18446744073709551615", &number) && number == UINT64_MAX);
    CHECK(!ag_options_number("18446744073709551616", &number));
    CHECK(!ag_options_number("", &number));
    CHECK(!ag_options_number(" 1", &number));
    CHECK(!ag_options_number("+1", &number));
    CHECK(!ag_options_number("1.5", &number));
}

static void a_misspelt_word_gets_the_nearest_suggestion(void)
{
    static const char *const words[] = { "publish", "deploy", "devices", "hub", "twin" };
    const size_t count = sizeof words / sizeof words[0];
    CHECK_TEXT(ag_options_suggest("pubilsh", words, count), "publish");
    CHECK_TEXT(ag_options_suggest("delpoy", words, count), "deploy");
    CHECK_TEXT(ag_options_suggest("device", words, count), "devices");
    CHECK_TEXT(ag_options_suggest("hbu", words, count), "hub");
    CHECK(ag_options_suggest("xyz", words, count) == NULL);
    CHECK(ag_options_suggest("", words, count) == NULL);
    CHECK(ag_options_suggest("averyverylongwordthatisnocommandatall", words, count) == NULL);
}

static void a_file_comes_back_as_it_was_written(void)
{
    char folder[] = "/tmp/ag-input-XXXXXX";
    char path[64];
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct stat facts;
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    CHECK(ag_input_write(path, 0600, AG_INPUT_KEEP, "abc", 3));
    CHECK(!ag_input_write(path, 0600, AG_INPUT_KEEP, "other", 5));
    CHECK(ag_input_read(path, 3, &bytes, &size));
    CHECK_EQUAL(size, 3);
    CHECK_TEXT((char *)bytes, "abc");
    free(bytes);
    CHECK(stat(path, &facts) == 0);
    CHECK_EQUAL(facts.st_mode & 0777, 0600);
    CHECK(ag_input_write(path, 0644, AG_INPUT_REPLACE, "", 0));
    CHECK(ag_input_read(path, 0, &bytes, &size));
    CHECK_EQUAL(size, 0);
    free(bytes);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(rmdir(folder), 0); // no temporary file is left
}

static void a_file_of_any_size_is_read_up_to_the_limit(void)
{
    char path[] = "/tmp/ag-input-XXXXXX";
    const int file = mkstemp(path);
    uint8_t block[1000];
    memset(block, 7, sizeof block);
    for (size_t size = 0; size <= 140000; size += sizeof block) {
        uint8_t *bytes = NULL;
        size_t got = 0;
        test_note("%zu bytes", size);
        CHECK(ag_input_read(path, size, &bytes, &got));
        CHECK_EQUAL(got, size);
        free(bytes);
        if (size > 0)
            CHECK(!ag_input_read(path, size - 1, &bytes, &got));
        CHECK_EQUAL(write(file, block, sizeof block), sizeof block);
    }
    close(file);
    unlink(path);
}

static void what_cannot_be_read_or_written_is_an_error(void)
{
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(!ag_input_read("/nowhere/at/all", 10, &bytes, &size));
    CHECK(!ag_input_read("/tmp", 10, &bytes, &size));
    CHECK(!ag_input_write("/nowhere/at/all", 0644, AG_INPUT_REPLACE, "x", 1));
    CHECK(bytes == NULL);
}

static const struct test_case cases[] = {
    TEST(options_and_operands_may_be_mixed),
    TEST(two_dashes_end_the_options),
    TEST(mistakes_are_usage_errors),
    TEST(numbers_are_whole_and_decimal),
    TEST(a_misspelt_word_gets_the_nearest_suggestion),
    TEST(a_file_comes_back_as_it_was_written),
    TEST(a_file_of_any_size_is_read_up_to_the_limit),
    TEST(what_cannot_be_read_or_written_is_an_error),
};
TEST_MAIN(cases)
