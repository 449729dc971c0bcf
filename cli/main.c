// SPDX-License-Identifier: Apache-2.0
// The command `airgraft`: one table of subcommands, help, and the choice among them.
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum group {
    GROUP_DEVELOP = 0, // write and try a plug-in
    GROUP_PUBLISH,     // sign it and put it where devices can fetch it
    GROUP_OPERATE,     // devices and what they run
};

static const char *const group_titles[] = {
    [GROUP_DEVELOP] = "Develop a plug-in",
    [GROUP_PUBLISH] = "Sign and publish it",
    [GROUP_OPERATE] = "Operate devices",
};

// In the order of --help. The summary is one line, without a full stop.
static const struct command {
    enum group group;
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
#define AG_COMMAND_ROW(group, function, name, summary) { group, name, summary, cmd_##function },
    AG_COMMANDS(AG_COMMAND_ROW)
#undef AG_COMMAND_ROW
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof commands[0],
    GROUP_COUNT = sizeof group_titles / sizeof group_titles[0],
};

static void print_help(void)
{
    printf("Usage: airgraft COMMAND [ARGUMENT...]\n"
           "       airgraft help COMMAND\n"
           "\n"
           "Over-the-air WebAssembly plug-ins for devices that must not brick.\n");
    for (int group = 0; group < GROUP_COUNT; group++) {
        printf("\n%s:\n", group_titles[group]);
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (commands[i].group == (enum group)group)
                printf("  %-13s %s\n", commands[i].name, commands[i].summary);
        }
    }
    printf(
        "\n"
        "  -h, --help     show this text\n"
        "      --version  show the version\n"
        "\n"
        "Exit codes: 0 done, 1 failed, 2 not understood. Results go to stdout, errors to stderr.\n");
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT];
    char hint[80];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *meant = ag_options_suggest(name, names, COMMAND_COUNT);
    if (meant)
        snprintf(hint, sizeof hint, "did you mean airgraft %s?", meant);
    else
        snprintf(hint, sizeof hint, "airgraft --help lists the commands");
    return ag_output_misuse(hint, "there is no command \"%s\"", name);
}

static int run_command(const char *name, int argc, char **argv)
{
    char full_name[64];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        snprintf(full_name, sizeof full_name, "airgraft %s", name);
        program_invocation_name = full_name;
        const int code = commands[i].run(argc, argv);
        program_invocation_name = argv[0];
        return code;
    }
    return unknown_command(name);
}

static int run_help(int argc, char **argv)
{
    char help[] = "--help";
    if (argc < 2) {
        print_help();
        return AG_EXIT_OK;
    }
    char *arguments[] = { argv[1], help, NULL };
    return run_command(argv[1], 2, arguments);
}

static int choose(int argc, char **argv)
{
    if (argc < 2) {
        print_help();
        return AG_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return run_help(1, argv + 1);
    if (strcmp(name, "help") == 0)
        return run_help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("airgraft %s\n", AG_VERSION);
        return AG_EXIT_OK;
    }
    if (name[0] == '-')
        return ag_output_misuse("airgraft --help lists the commands", "unknown option %s", name);
    return run_command(name, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    char name[] = "airgraft";
    program_invocation_name = name;
    signal(SIGPIPE, SIG_IGN); // a reader that goes away is a failed write, reported as such
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int code = choose(argc, argv);
    if (fflush(stdout) != 0 && code == AG_EXIT_OK)
        code = ag_output_fail(NULL, "cannot write the result: %s", strerror(errno));
    curl_global_cleanup();
    return code;
}
