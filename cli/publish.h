// SPDX-License-Identifier: Apache-2.0
// Publishing a plug-in file, as `publish` does, and `deploy` before it sets the twin.
#ifndef AG_CLI_PUBLISH_H
#define AG_CLI_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/blob.h"
#include "cli/connection.h"
#include "cli/plugin_check.h"

// Options of both commands.
struct ag_publish {
    struct ag_connection_source source;
    const char *to;
    const char *read_sas;
    const char *container;
    const char *name; // of the blob; NULL: the file's own
    const char *trust;
    uint64_t days; // how long the SAS for reading is good
    bool force;
};

#define AG_PUBLISH_DAYS_DEFAULT 365u

// Rows for a table of options: of any published file, and of a plug-in. `publish` is a struct
// ag_publish *.
#define AG_PUBLISH_STORAGE_OPTIONS(publish)                                                        \
    { .name = "to",                                                                                \
      .kind = AG_OPTION_TEXT,                                                                      \
      .value = &(publish)->to,                                                                     \
      .argument = "URL",                                                                           \
      .help = "CONTAINER_URL?SAS, a SAS that allows creating blobs" },                             \
        { .name = "read-sas",                                                                      \
          .kind = AG_OPTION_TEXT,                                                                  \
          .value = &(publish)->read_sas,                                                           \
          .argument = "QUERY",                                                                     \
          .help = "the SAS by which devices read; without it one is\n"                             \
                  "made with the account's key, or with --to the\n"                                \
                  "container has to be public" },                                                  \
        { .name = "container",                                                                     \
          .kind = AG_OPTION_TEXT,                                                                  \
          .value = &(publish)->container,                                                          \
          .argument = "NAME",                                                                      \
          .help = "container of the storage account (default: plugins)" },                         \
    {                                                                                              \
        .name = "days", .kind = AG_OPTION_NUMBER, .value = &(publish)->days, .argument = "N",      \
        .help = "how long devices can read it by the SAS that is\n"                                \
                "made (default: 365)",                                                             \
        .min = 1, .max = 36500                                                                     \
    }

#define AG_PUBLISH_OPTIONS(publish)                                                                \
    AG_PUBLISH_STORAGE_OPTIONS(publish),                                                           \
        { .name = "trust",                                                                         \
          .kind = AG_OPTION_TEXT,                                                                  \
          .value = &(publish)->trust,                                                              \
          .argument = "FILE",                                                                      \
          .help = "verify the signature against this trust store\n"                                \
                  "first, as the devices that have it will" },                                     \
    {                                                                                              \
        .name = "force", .letter = 'f', .kind = AG_OPTION_FLAG, .value = &(publish)->force,        \
        .help = "replace a published file that has other content"                                  \
    }

// A plug-in file in memory, checked.
struct ag_publish_file {
    uint8_t *bytes; // the caller's to free
    size_t size;
    struct ag_plugin_check check;
};

// Reads and checks the file at `path`, against the trust store at `trust` if that is not NULL.
// False with the error printed.
bool ag_publish_read(const char *path, const char *trust, struct ag_publish_file *file);
// Checks bytes that came from elsewhere; `label` is for errors.
bool ag_publish_check(const char *label, const char *trust, struct ag_publish_file *file);

// Uploads the file; *url is the one for devices, the caller's to free. `path` gives the blob's name
// where the options do not. AG_BLOB_FAILED with the error printed.
enum ag_blob_outcome ag_publish_upload(const struct ag_publish *publish, const char *path,
                                       const struct ag_publish_file *file, char **url);

#endif
