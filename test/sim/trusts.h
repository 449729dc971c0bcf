// SPDX-License-Identifier: Apache-2.0
// The trust store objects of the simulation: good ones, ones with which a server can no longer be
// reached, and such as must never be used. Made when first asked for; a path says which one it is.
#ifndef AG_TEST_SIM_TRUSTS_H
#define AG_TEST_SIM_TRUSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "platform/crypto.h"

#define TRUSTS_EPOCHS 60 // from 1

// Roots that signed the servers.
#define TRUSTS_HUB_ROOT     101
#define TRUSTS_STORAGE_ROOT 102

enum trust_kind {
    TRUST_GOOD,
    TRUST_NO_HUB,      // without the root of the hub
    TRUST_NO_STORAGE,  // without the root of the server for files
    TRUST_UNUSABLE,    // with a root that no port can use
    TRUST_STRANGER,    // from here on it must not even be tried: signed by nobody who may
    TRUST_OTHER_EPOCH, // than it is desired under
    TRUST_TAMPERED,
    TRUST_KINDS,
};

struct trust_file {
    uint8_t epoch; // that it is desired under
    uint8_t kind;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_buffer bytes;
};

const struct trust_file *trusts_get(uint32_t epoch, uint32_t kind);
// As of struct sim_blob.find: "trust-2-0".
bool trusts_find(const char *path, const uint8_t **bytes, size_t *size);
// The object with this hash, if it was ever made; NULL: a stranger.
const struct trust_file *trusts_lookup(const uint8_t sha256[AG_SHA256_SIZE]);

void trusts_clear(void);

#endif
