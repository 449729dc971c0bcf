// SPDX-License-Identifier: Apache-2.0
// `airgraft hub`: starts the local hub that lies beside this program.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"

static const struct ag_usage usage = {
    .name = "hub",
    .synopsis = "[OPTION OF airgraft-hub...]",
    .summary =
        "Starts the local hub, the program airgraft-hub beside this one, in the foreground;\n"
        "every option goes to it. It speaks the protocols of Azure IoT Hub, its Device\n"
        "Provisioning Service and Blob Storage.",
    .examples = "airgraft hub --data ./hub",
};

// The folder of this program and the name of the hub, or NULL when it is too long or unknown.
static const char *hub_path(char *path, size_t capacity)
{
    static const char name[] = "/airgraft-hub";
    const ssize_t size = readlink("/proc/self/exe", path, capacity - sizeof name);
    if (size <= 0 || (size_t)size >= capacity - sizeof name)
        return NULL;
    path[size] = 0;
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    memcpy(slash, name, sizeof name);
    return path;
}

int cmd_hub(int argc, char **argv)
{
    char path[PATH_MAX];
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        ag_options_print(&usage);
        return AG_EXIT_OK;
    }
    if (!hub_path(path, sizeof path))
        return ag_output_fail(NULL, "cannot find where this program lies");
    execv(path, argv);
    return ag_output_fail("build it, or put it into the same folder as airgraft",
                          "cannot start %s: %s", path, strerror(errno));
}
