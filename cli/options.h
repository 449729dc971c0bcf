// SPDX-License-Identifier: Apache-2.0
// Options of a subcommand as a table: one row gives the option, where its value goes, and its line
// in --help. Long options may be written `--name value` or `--name=value`; options and operands
// may be mixed; `--` ends the options.
#ifndef AG_CLI_OPTIONS_H
#define AG_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ag_option_kind {
    AG_OPTION_FLAG = 0, // value is bool *: set to true
    AG_OPTION_TEXT,     // value is const char **: borrowed from argv
    AG_OPTION_NUMBER,   // value is uint64_t *: decimal, min to max
    AG_OPTION_LIST,     // value is struct ag_option_list *: may be given more than once
};

#define AG_OPTION_LIST_MAX 32

// The values of an option that may be given more than once, borrowed from argv, in order.
struct ag_option_list {
    const char *items[AG_OPTION_LIST_MAX];
    size_t count;
};

struct ag_option {
    const char *name; // long name without dashes
    char letter;      // short name, or 0
    enum ag_option_kind kind;
    void *value;          // where the value goes; untouched when the option is absent
    const char *argument; // what --help calls the argument; NULL for a flag
    const char *help;     // one or more lines separated by '\n'
    uint64_t min, max;    // AG_OPTION_NUMBER: the range, both inclusive; max 0 means UINT32_MAX
};

struct ag_usage {
    const char *name; // of the subcommand
    const char
        *synopsis;       // what follows the name in the first line of --help; more forms after '\n'
    const char *summary; // what it does, for --help: whole sentences, lines separated by '\n'
    const struct ag_option *options;
    size_t option_count;
    const char *examples;    // shown at the end, each line a command; NULL for none
    size_t operand_min;      // how many operands it takes
    size_t operand_max;      //
    const char *environment; // lines about environment variables, or NULL
};

// What ag_options_parse returns when the subcommand shall go on; anything else is the exit code.
#define AG_OPTIONS_GO (-1)

// Parses argv (argv[0] is the subcommand's name) and stores the values. On AG_OPTIONS_GO
// *operands points into argv, which is permuted so that the operands come last, and
// *operand_count says how many there are. `--help` prints the usage and gives AG_EXIT_OK; a
// mistake is printed with a hint and gives AG_EXIT_USAGE.
int ag_options_parse(const struct ag_usage *usage, int argc, char **argv, char ***operands,
                     size_t *operand_count);

// Prints the usage on stdout as --help does.
void ag_options_print(const struct ag_usage *usage);

// The word among `words` that `word` was most likely meant to be, or NULL: at most two slips
// (insertion, deletion, replacement, swap of neighbours), and fewer for short words.
const char *ag_options_suggest(const char *word, const char *const *words, size_t count);

// Reads a whole decimal number: digits only. False when there is anything else, or it is above
// UINT64_MAX.
bool ag_options_number(const char *text, uint64_t *number);

#endif
