// SPDX-License-Identifier: Apache-2.0
// What every subcommand of `airgraft` is written with.
//
// A subcommand is a file cmd_NAME.c with `int cmd_NAME(int argc, char **argv)`, where argv[0] is
// its own name, and a row in the table of main.c. It returns an exit code. Its first step is
// ag_options_parse, which also answers --help; its errors go through ag_output_fail and its
// relatives, so that each reads `airgraft NAME: what happened` and `hint: what to do`.
#ifndef AG_CLI_CLI_H
#define AG_CLI_CLI_H

#include "cli/input.h"
#include "cli/options.h"
#include "cli/output.h"

// Exit codes. Scripts rely on them.
enum ag_exit {
    AG_EXIT_OK = 0,
    AG_EXIT_FAILED = 1, // understood and tried, but it did not work
    AG_EXIT_USAGE = 2,  // not understood: nothing was tried
};

#endif
