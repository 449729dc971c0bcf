// SPDX-License-Identifier: Apache-2.0
// `airgraft hub`: starts the local hub that lies beside this program, or says how to reach it.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/connection.h"

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

static int start_hub(char **argv)
{
    char path[PATH_MAX];
    if (!hub_path(path, sizeof path))
        return ag_output_fail(NULL, "cannot find where this program lies");
    execv(path, argv);
    return ag_output_fail("build it, or put it into the same folder as airgraft",
                          "cannot start %s: %s", path, strerror(errno));
}

static int print_json(const struct ag_connection *connection, const struct ag_storage *storage,
                      const struct ag_local_hub *hub)
{
    return ag_output_json(json_pack(
        "{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "hostName", connection->host_name,
        "mqttPort", (int)hub->mqtt_port, "httpsPort", (int)hub->https_port, "connectionString",
        hub->connection_string, "blobConnectionString", hub->blob_connection_string, "blobEndpoint",
        storage->endpoint, "idScope", hub->id_scope, "groupId", hub->group_id, "groupKey",
        hub->group_key, "ca", connection->ca_file));
}

// A line for a shell, whatever the value holds.
static void print_export(const char *name, const char *value)
{
    printf("export %s='", name);
    for (; *value; value++) {
        if (*value == '\'')
            printf("'\\''");
        else
            putchar(*value);
    }
    printf("'\n");
}

static void print_text(const struct ag_connection *connection, const struct ag_storage *storage,
                       const struct ag_local_hub *hub)
{
    printf("# A device, in the configuration of airgraft-host:\n"
           "#   dps_host = %s\n#   dps_port = %u\n#   hub_port = %u\n"
           "#   id_scope = %s\n#   group_key = %s\n"
           "# HTTPS: port %u, blobs at %s\n"
           "# The lines below hold keys. Load them with: eval \"$(airgraft hub info --hub DIR)\"\n",
           connection->host_name, (unsigned)hub->mqtt_port, (unsigned)hub->mqtt_port, hub->id_scope,
           hub->group_key, (unsigned)hub->https_port, storage->endpoint);
    print_export("AIRGRAFT_CONNECTION", hub->connection_string);
    print_export("AIRGRAFT_CA", connection->ca_file);
    print_export("AZURE_STORAGE_CONNECTION_STRING", hub->blob_connection_string);
    print_export("NODE_EXTRA_CA_CERTS", connection->ca_file);
    print_export("REQUESTS_CA_BUNDLE", connection->ca_file);
}

static int show_hub(const struct ag_connection_source *source, bool json)
{
    struct ag_local_hub hub;
    struct ag_connection connection;
    struct ag_storage storage;
    if (!ag_connection_open_local(source, &hub, &connection, &storage))
        return AG_EXIT_FAILED;
    // The exports shall be good in every folder.
    char *absolute = realpath(connection.ca_file, NULL);
    if (absolute)
        snprintf(connection.ca_file, sizeof connection.ca_file, "%s", absolute);
    free(absolute);
    if (json)
        return print_json(&connection, &storage, &hub);
    print_text(&connection, &storage, &hub);
    return AG_EXIT_OK;
}

int cmd_hub(int argc, char **argv)
{
    struct ag_connection_source source = { 0 };
    bool json = false;
    const struct ag_option options[] = {
        { .name = "hub",
          .kind = AG_OPTION_TEXT,
          .value = &source.hub,
          .argument = "DIR",
          .help = "info: of the hub that keeps its data in DIR" },
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &json, .help = "info: print JSON" },
    };
    const struct ag_usage usage = {
        .name = "hub",
        .synopsis = "[OPTION OF airgraft-hub...]\ninfo [--hub DIR] [--json]",
        .summary =
            "Starts the local hub, the program airgraft-hub beside this one, in the foreground;\n"
            "every option goes to it (airgraft-hub --help). It speaks the protocols of Azure IoT\n"
            "Hub, its Device Provisioning Service and Blob Storage. `info` prints how to reach a\n"
            "hub, in the form of exports for a shell; they hold its keys.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = "AIRGRAFT_HUB         like --hub",
        .examples = "airgraft hub --data ./hub\n"
                    "eval \"$(airgraft hub info --hub ./hub)\"",
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        ag_options_print(&usage);
        return AG_EXIT_OK;
    }
    if (argc < 2 || strcmp(argv[1], "info") != 0)
        return start_hub(argv);
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    return parsed == AG_OPTIONS_GO ? show_hub(&source, json) : parsed;
}
