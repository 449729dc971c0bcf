// SPDX-License-Identifier: Apache-2.0
// What the command line must know of a plug-in file before it publishes or deploys it.
#ifndef AG_CLI_PLUGIN_CHECK_H
#define AG_CLI_PLUGIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "plugin/metadata.h"
#include "plugin/trust.h"

struct ag_plugin_check {
    struct ag_plugin_metadata metadata;
    char sha256[65]; // of the whole file, hex
    size_t signer_count;
};

// Checks what can be checked without keys: the file is signed, its hashes match what was signed,
// and its metadata is good. Who signed it only `trust` can tell: with it (NULL: without) the
// signature is verified too, as a device does. On failure *check is undefined; the statuses are
// those of ag_file_check.
AG_MUST_CHECK enum ag_status ag_plugin_check_file(const void *bytes, size_t size,
                                                  const struct ag_trust *trust,
                                                  struct ag_plugin_check *check);

// Reads a trust store object and verifies it. On success *bytes is the caller's to free, and
// *trust borrows from it. On failure the error is printed and false returned; nothing is to free.
bool ag_plugin_check_open_trust(const char *path, uint8_t **bytes, struct ag_trust *trust);

#endif
