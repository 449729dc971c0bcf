// SPDX-License-Identifier: Apache-2.0
// Where the service side of the hub and the blob storage are, and with which keys: from Azure's
// own connection strings, or from the hub.json that a local hub writes.
//
// Keys are secrets: they live in these structures only, and no error message shows one.
#ifndef AG_CLI_CONNECTION_H
#define AG_CLI_CONNECTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "cli/options.h"

enum {
    AG_CONNECTION_HOST_MAX = 255,
    AG_CONNECTION_KEY_MAX = 128, // base64; Azure's keys have 44 (hub) and 88 (storage) characters
    AG_CONNECTION_SAS_MAX = 1023,
};

// The service side of an IoT Hub.
struct ag_connection {
    char host_name[AG_CONNECTION_HOST_MAX + 1]; // identity: what tokens are for, the Host header
    char gateway[AG_CONNECTION_HOST_MAX + 1];   // HOST or HOST:PORT to connect to; "": host_name
    char key_name[AG_CONNECTION_HOST_MAX + 1];  // the policy, e.g. iothubowner
    char key[AG_CONNECTION_KEY_MAX + 1];        // base64
    char ca_file[PATH_MAX];                     // certificates to trust; "": the system's
};

// A storage account's blob service: with its key, or with a SAS that somebody else made.
struct ag_storage {
    char account[64 + 1];                          // "" where only a SAS is known
    char key[AG_CONNECTION_KEY_MAX + 1];           // base64; "" where there is a SAS
    char sas[AG_CONNECTION_SAS_MAX + 1];           // query without '?'; "" where there is a key
    char endpoint[2 * AG_CONNECTION_HOST_MAX + 1]; // https://… without a slash at the end
    char ca_file[PATH_MAX];                        // certificates to trust; "": the system's
};

// What a local hub says about itself in hub.json, beyond the two above.
struct ag_local_hub {
    char id_scope[64];
    char group_id[129];
    char group_key[AG_CONNECTION_KEY_MAX + 1];
    uint16_t mqtt_port;
    uint16_t https_port;
    char connection_string[1024];
    char blob_connection_string[1024];
};

// Why a connection string was not accepted: which of its parts.
struct ag_connection_problem {
    char text[160]; // never holds a key
};

// HostName=…;SharedAccessKeyName=…;SharedAccessKey=…[;GatewayHostName=HOST[:PORT]]. Unknown parts
// are ignored, names are compared without regard to case as Azure's tools do, parts come in any
// order, each once. AG_ERR_CONFIG: problem says what; *connection is then undefined. A device's
// connection string (with DeviceId) is refused: it opens the device's side only.
AG_MUST_CHECK enum ag_status ag_connection_parse(const char *text, struct ag_connection *connection,
                                                 struct ag_connection_problem *problem);

// DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…[;EndpointSuffix=…][;BlobEndpoint=…],
// or BlobEndpoint=…;SharedAccessSignature=…. Plain http and UseDevelopmentStorage are refused.
AG_MUST_CHECK enum ag_status ag_connection_parse_storage(const char *text,
                                                         struct ag_storage *storage,
                                                         struct ag_connection_problem *problem);

// The options and environment variables that say where to connect.
struct ag_connection_source {
    const char *connection; // --connection, or AIRGRAFT_CONNECTION
    const char *ca;         // --ca, or AIRGRAFT_CA
    const char *hub;        // --hub, or AIRGRAFT_HUB: the folder of a local hub
};

// Rows for a table of options: the first for what talks to the hub's service side, the others for
// everything that connects. `source` is a struct ag_connection_source *.
#define AG_CONNECTION_STRING_OPTION(source)                                                        \
    {                                                                                              \
        .name = "connection", .kind = AG_OPTION_TEXT, .value = &(source)->connection,              \
        .argument = "STRING",                                                                      \
        .help = "the IoT Hub's connection string; others on this\n"                                \
                "machine can see options, so prefer the environment"                               \
    }
#define AG_CONNECTION_OPTIONS(source)                                                              \
    { .name = "hub",                                                                               \
      .kind = AG_OPTION_TEXT,                                                                      \
      .value = &(source)->hub,                                                                     \
      .argument = "DIR",                                                                           \
      .help = "use the local hub that keeps its data in DIR" },                                    \
    {                                                                                              \
        .name = "ca", .kind = AG_OPTION_TEXT, .value = &(source)->ca, .argument = "FILE",          \
        .help = "trust the certificates in FILE instead of the system's"                           \
    }

// Lines for ag_usage.environment.
#define AG_CONNECTION_STRING_ENVIRONMENT "AIRGRAFT_CONNECTION  like --connection"
#define AG_CONNECTION_ENVIRONMENT                                                                  \
    "AIRGRAFT_HUB         like --hub\n"                                                            \
    "AIRGRAFT_CA          like --ca"
#define AG_STORAGE_ENVIRONMENT                                                                     \
    "AZURE_STORAGE_CONNECTION_STRING\n"                                                            \
    "                     the storage account's connection string"

// An option counts more than an environment variable, and of the same kind the connection string
// more than the local hub. All print the error and return false when there is none to be had.
bool ag_connection_open(const struct ag_connection_source *source,
                        struct ag_connection *connection);
// AZURE_STORAGE_CONNECTION_STRING, unless --hub is given; else a local hub's.
bool ag_connection_open_storage(const struct ag_connection_source *source,
                                struct ag_storage *storage);
// The hub.json of --hub or AIRGRAFT_HUB.
bool ag_connection_open_local(const struct ag_connection_source *source, struct ag_local_hub *hub,
                              struct ag_connection *connection, struct ag_storage *storage);

// The folder that --hub or AIRGRAFT_HUB names, or NULL.
const char *ag_connection_hub_folder(const struct ag_connection_source *source);

// The certificates to trust where no connection is opened: --ca, AIRGRAFT_CA, or the local hub's;
// "" for the system's. Prints the error and returns false for a file that cannot be read.
bool ag_connection_find_ca(const struct ag_connection_source *source, char ca_file[PATH_MAX]);

#endif
