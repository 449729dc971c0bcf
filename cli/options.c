// SPDX-License-Identifier: Apache-2.0
// Options of a subcommand, on getopt_long.
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum {
    OPTION_MAX = 32, // rows of a table
    WORD_MAX = 32,   // bytes of a word that is compared for a suggestion
    HELP_COLUMN = 28,
    FIRST_VALUE = 256, // getopt_long's values of our rows, above every character
};

bool ag_options_number(const char *text, uint64_t *number)
{
    if (text[0] == 0 || text[strspn(text, "0123456789")] != 0)
        return false;
    errno = 0;
    const unsigned long long value = strtoull(text, NULL, 10);
    if (errno != 0)
        return false;
    *number = value;
    return true;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t least = a < b ? a : b;
    return least < c ? least : c;
}

// Distance of optimal string alignment: the classic table, three rows kept.
static size_t distance(const char *a, const char *b)
{
    const size_t a_size = strlen(a);
    const size_t b_size = strlen(b);
    size_t rows[3][WORD_MAX + 1];
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && rows[(i - 2) % 3][j - 2] + 1 < row[j])
                row[j] = rows[(i - 2) % 3][j - 2] + 1;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *ag_options_suggest(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) <= 3 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        const size_t found = distance(word, words[i]);
        if (found < best_distance) {
            best = words[i];
            best_distance = found;
        }
    }
    return best;
}

// Prints `text`, each of its lines after `indent` blanks, the first one after what is there.
static void print_lines(const char *text, int first_indent, int indent)
{
    int blanks = first_indent;
    while (*text) {
        const size_t size = strcspn(text, "\n");
        printf("%*s%.*s\n", size > 0 ? blanks : 0, "", (int)size, text);
        text += size + (text[size] == '\n');
        blanks = indent;
    }
}

static void print_option(const struct ag_option *option)
{
    int column = 0;
    if (option->letter)
        column = printf("  -%c, --%s", option->letter, option->name);
    else
        column = printf("      --%s", option->name);
    if (option->argument)
        column += printf(" %s", option->argument);
    if (column + 2 > HELP_COLUMN) {
        printf("\n");
        column = 0;
    }
    print_lines(option->help, HELP_COLUMN - column, HELP_COLUMN);
}

static void print_synopsis(const struct ag_usage *usage)
{
    const char *lead = "Usage:";
    const char *text = usage->synopsis;
    do {
        const size_t size = strcspn(text, "\n");
        printf("%s airgraft %s%s%.*s\n", lead, usage->name, size > 0 ? " " : "", (int)size, text);
        text += size + (text[size] == '\n');
        lead = "      ";
    } while (*text);
}

void ag_options_print(const struct ag_usage *usage)
{
    static const struct ag_option help = {
        .name = "help",
        .letter = 'h',
        .help = "show this text",
    };
    print_synopsis(usage);
    printf("\n");
    print_lines(usage->summary, 0, 0);
    printf("\nOptions:\n");
    for (size_t i = 0; i < usage->option_count; i++)
        print_option(&usage->options[i]);
    print_option(&help);
    if (usage->environment) {
        printf("\nEnvironment:\n");
        print_lines(usage->environment, 2, 2);
    }
    if (usage->examples) {
        printf("\nExamples:\n");
        print_lines(usage->examples, 2, 2);
    }
}

static int misuse(const struct ag_usage *usage, const char *what, const char *word)
{
    char hint[64];
    snprintf(hint, sizeof hint, "see airgraft %s --help", usage->name);
    return ag_output_misuse(hint, "%s%s", what, word);
}

static int unknown_option(const struct ag_usage *usage, const char *word)
{
    const char *names[OPTION_MAX + 1] = { "help" };
    char typed[WORD_MAX + 1];
    char hint[64];
    const char *name = word + strspn(word, "-");
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(name, "="), name);
    for (size_t i = 0; i < usage->option_count; i++)
        names[i + 1] = usage->options[i].name;
    const char *meant =
        strlen(typed) > 1 ? ag_options_suggest(typed, names, usage->option_count + 1) : NULL;
    if (!meant)
        return misuse(usage, "unknown option ", word);
    snprintf(hint, sizeof hint, "did you mean --%s?", meant);
    return ag_output_misuse(hint, "unknown option %s", word);
}

static int store_number(const struct ag_usage *usage, const struct ag_option *option,
                        const char *text)
{
    const uint64_t max = option->max ? option->max : UINT32_MAX;
    uint64_t number;
    char hint[64];
    if (ag_options_number(text, &number) && number >= option->min && number <= max) {
        *(uint64_t *)option->value = number;
        return AG_OPTIONS_GO;
    }
    snprintf(hint, sizeof hint, "see airgraft %s --help", usage->name);
    return ag_output_misuse(hint, "--%s takes a whole number from %llu to %llu, not \"%s\"",
                            option->name, (unsigned long long)option->min, (unsigned long long)max,
                            text);
}

static int store_item(const struct ag_option *option, const char *text)
{
    struct ag_option_list *list = option->value;
    if (list->count == AG_OPTION_LIST_MAX)
        return ag_output_misuse(NULL, "--%s is given more than %d times", option->name,
                                AG_OPTION_LIST_MAX);
    list->items[list->count++] = text;
    return AG_OPTIONS_GO;
}

static int store_option(const struct ag_usage *usage, const struct ag_option *option,
                        const char *text)
{
    switch (option->kind) {
    case AG_OPTION_FLAG:
        *(bool *)option->value = true;
        return AG_OPTIONS_GO;
    case AG_OPTION_TEXT:
        *(const char **)option->value = text;
        return AG_OPTIONS_GO;
    case AG_OPTION_NUMBER:
        return store_number(usage, option, text);
    case AG_OPTION_LIST:
        return store_item(option, text);
    }
    return AG_EXIT_FAILED;
}

// The two forms of the table that getopt_long wants.
struct getopt_form {
    struct option rows[OPTION_MAX + 2];
    char letters[2 * OPTION_MAX + 4];
};

static void make_getopt_form(const struct ag_usage *usage, struct getopt_form *form)
{
    char *letter = form->letters;
    memset(form, 0, sizeof *form);
    *letter++ = ':'; // tells a missing argument from an unknown option
    *letter++ = 'h';
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct ag_option *option = &usage->options[i];
        form->rows[i].name = option->name;
        form->rows[i].has_arg = option->argument ? required_argument : no_argument;
        form->rows[i].val = FIRST_VALUE + (int)i;
        if (option->letter) {
            *letter++ = option->letter;
            if (option->argument)
                *letter++ = ':';
        }
    }
    form->rows[usage->option_count].name = "help";
    form->rows[usage->option_count].val = 'h';
}

static const struct ag_option *find_option(const struct ag_usage *usage, int value)
{
    if (value >= FIRST_VALUE)
        return &usage->options[value - FIRST_VALUE];
    for (size_t i = 0; i < usage->option_count; i++) {
        if (usage->options[i].letter == value)
            return &usage->options[i];
    }
    return NULL;
}

static int check_operands(const struct ag_usage *usage, char **operands, size_t count)
{
    if (count < usage->operand_min)
        return misuse(usage, count == 0 ? "an operand is missing" : "too few operands", "");
    if (count > usage->operand_max)
        return misuse(usage, "unexpected operand ", operands[usage->operand_max]);
    return AG_OPTIONS_GO;
}

int ag_options_parse(const struct ag_usage *usage, int argc, char **argv, char ***operands,
                     size_t *operand_count)
{
    struct getopt_form form;
    int value;
    if (usage->option_count > OPTION_MAX)
        return ag_output_fail("report this", "more than %d options", OPTION_MAX);
    make_getopt_form(usage, &form);
    opterr = 0;
    optind = 0; // begin anew, also after another parse in this process
    while ((value = getopt_long(argc, argv, form.letters, form.rows, NULL)) != -1) {
        if (value == 'h') {
            ag_options_print(usage);
            return AG_EXIT_OK;
        }
        if (value == ':')
            return misuse(usage, argv[optind - 1], " needs an argument");
        if (value == '?')
            return unknown_option(usage, argv[optind - 1]);
        const int outcome = store_option(usage, find_option(usage, value), optarg);
        if (outcome != AG_OPTIONS_GO)
            return outcome;
    }
    *operands = argv + optind;
    *operand_count = (size_t)(argc - optind);
    return check_operands(usage, *operands, *operand_count);
}
