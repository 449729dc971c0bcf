// SPDX-License-Identifier: Apache-2.0
// Ed25519 keys in files: PEM as OpenSSL writes it, PKCS #8 for a private key and
// SubjectPublicKeyInfo for a public one.
#ifndef AG_CLI_KEYFILE_H
#define AG_CLI_KEYFILE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/keys.h"

struct ag_keyfile {
    EVP_PKEY *key;                        // the private key; NULL when only the public one is known
    uint8_t public_[AG_ED25519_KEY_SIZE]; // the public key
    uint8_t id[AG_KEYS_ID_SIZE];
};

// Both print the error and return false on failure; *key is then untouched. Each success is paired
// with ag_keyfile_close. A private key that others may read is used, with a note.
bool ag_keyfile_open_private(const char *path, struct ag_keyfile *key);
// Takes a private key's file too: its public half.
bool ag_keyfile_open_public(const char *path, struct ag_keyfile *key);
void ag_keyfile_close(struct ag_keyfile *key);

// Makes a new pair: `NAME.key` (0600) and `NAME.pub`. Neither may exist. Prints the error and
// returns false on failure; then neither exists.
bool ag_keyfile_create(const char *private_path, const char *public_path, struct ag_keyfile *key);

// Signs with the private key, which must be there.
void ag_keyfile_sign(const struct ag_keyfile *key, const void *bytes, size_t size,
                     uint8_t signature[AG_ED25519_SIGN_SIZE]);

#endif
