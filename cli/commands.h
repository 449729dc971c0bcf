// SPDX-License-Identifier: Apache-2.0
// The one table of subcommands: group, function, name, summary for `airgraft --help`.
//
// A row needs a function cmd_FUNCTION in cmd_FUNCTION.c, listed in CMakeLists.txt. The function
// gets its own name as argv[0] and returns an exit code (enum ag_exit).
#ifndef AG_CLI_COMMANDS_H
#define AG_CLI_COMMANDS_H

// clang-format off
#define AG_COMMANDS(X) \
    X(GROUP_DEVELOP, new,      "new",      "make a plug-in project") \
    X(GROUP_DEVELOP, build,    "build",    "build a project into an unsigned plug-in file") \
    X(GROUP_DEVELOP, run,      "run",      "run a plug-in here, on a board on the terminal") \
    X(GROUP_DEVELOP, explain_trap, "explain-trap", "say in which line of the source a plug-in trapped") \
    X(GROUP_DEVELOP, inspect,  "inspect",  "show what a plug-in file is and needs, and who signed it") \
    X(GROUP_DEVELOP, bench,    "bench",    "measure this build against the budgets") \
    X(GROUP_PUBLISH, keygen,   "keygen",   "make a pair of signing keys") \
    X(GROUP_PUBLISH, sign,     "sign",     "sign a plug-in file") \
    X(GROUP_PUBLISH, trust,    "trust",    "make, show or roll out a trust store object") \
    X(GROUP_PUBLISH, publish,  "publish",  "upload a signed plug-in and print the URL for devices") \
    X(GROUP_OPERATE, provision, "provision", "write a device's identity and trust into its flash image") \
    X(GROUP_OPERATE, deploy,   "deploy",   "name a plug-in in a device's twin, and wait for the outcome") \
    X(GROUP_OPERATE, devices,  "devices",  "list, show, create and delete devices") \
    X(GROUP_OPERATE, twin,     "twin",     "show and change a device's twin") \
    X(GROUP_OPERATE, method,   "method",   "call a direct method of a device") \
    X(GROUP_OPERATE, logs,     "logs",     "show the last lines of a device's log") \
    X(GROUP_OPERATE, hub,      "hub",      "start the local hub, or show how to reach it")
// clang-format on

#define AG_COMMAND_PROTOTYPE(group, function, name, summary)                                       \
    int cmd_##function(int argc, char **argv);
AG_COMMANDS(AG_COMMAND_PROTOTYPE)
#undef AG_COMMAND_PROTOTYPE

#endif
