// SPDX-License-Identifier: Apache-2.0
// Ed25519 public keys and their ids.
//
// A key id is a hint that finds the key without trying all: the first 4 bytes of the SHA-256 of
// the 32-byte public key. Two keys may share an id; whoever looks one up tries each that has it.
#ifndef AG_PLUGIN_KEYS_H
#define AG_PLUGIN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/crypto.h"

#define AG_KEYS_ID_SIZE 4u

// Borrowed public keys, 32 bytes each, one after the other.
struct ag_key_list {
    const uint8_t *bytes;
    size_t count;
};

// The id of a public key.
void ag_keys_id(const uint8_t key[AG_ED25519_KEY_SIZE], uint8_t id[AG_KEYS_ID_SIZE]);

// The key at `index`, which must be below the count. Borrowed from the list.
const uint8_t *ag_keys_at(const struct ag_key_list *keys, size_t index);

// What became of one signature.
enum ag_keys_verdict {
    AG_KEYS_UNKNOWN, // no key of the list has this id
    AG_KEYS_FORGED,  // keys have this id, but the signature is of none of them
    AG_KEYS_VALID,   // made by the key at *index
};

// Looks for the signer of `bytes` in the list. An id of another size than AG_KEYS_ID_SIZE is
// unknown. *index is set for AG_KEYS_VALID only.
enum ag_keys_verdict ag_keys_verify(const struct ag_key_list *keys, const uint8_t *id,
                                    size_t id_size, const void *bytes, size_t size,
                                    const uint8_t signature[AG_ED25519_SIGN_SIZE], size_t *index);

#endif
