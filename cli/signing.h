// SPDX-License-Identifier: Apache-2.0
// Puts a signature into a plug-in file (FORMATS.md 1.2).
#ifndef AG_CLI_SIGNING_H
#define AG_CLI_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "cli/keyfile.h"
#include "plugin/metadata.h"

// A plug-in file, signed or not, whose sections stand where they should.
struct ag_signing_file {
    struct ag_plugin_metadata metadata;
    const uint8_t *signature; // payload of its signature section, borrowed; NULL when unsigned
    size_t signature_size;
    const uint8_t *covered; // everything that the signature covers, borrowed
    size_t covered_size;
    size_t head_size;                   // bytes of `covered` that make up the first part
    uint8_t hashes[2 * AG_SHA256_SIZE]; // of both parts, computed
};

// Takes a file apart. Says why it cannot be signed, or AG_OK.
enum ag_status ag_signing_open(const void *bytes, size_t size, struct ag_signing_file *file);

// Writes the file with one signer more to `out`. Signers that are there stay, provided that they
// signed these very parts and not with this key:
//   AG_ERR_FILE_SIGNATURE  the signature section is broken
//   AG_ERR_FILE_HASH       the file was changed after it was signed
//   AG_ERR_NO_SPACE        it has AG_CFG_SIGNER_MAX signers
//   AG_ERR_ARGUMENT        this key has signed already
enum ag_status ag_signing_add(const struct ag_signing_file *file, const struct ag_keyfile *key,
                              struct ag_buffer *out);

// Appends a custom section. The name has at most 127 bytes.
void ag_signing_append_custom(struct ag_buffer *out, const char *name, const void *payload,
                              size_t size);

#endif
