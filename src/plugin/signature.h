// SPDX-License-Identifier: Apache-2.0
// The signature section: WebAssembly tool-conventions "Signatures" version 1, Ed25519 over the
// SHA-256 hashes of two parts, in the one form that plug-in files use (FORMATS.md 1.2).
#ifndef AG_PLUGIN_SIGNATURE_H
#define AG_PLUGIN_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "platform/crypto.h"

// Parts of a plug-in file, each with its hash: the head, and everything.
#define AG_SIGNATURE_PARTS 2u

// Longest key id that is accepted, bytes; ours are AG_KEYS_ID_SIZE.
#define AG_SIGNATURE_KEY_ID_MAX 32u

// Largest signature section, its header included.
#define AG_SIGNATURE_SECTION_MAX                                                                   \
    (1u + 2u + 10u + 3u + 2u + AG_SIGNATURE_PARTS * AG_SHA256_SIZE + 1u +                          \
     AG_CFG_SIGNER_MAX * (1u + AG_SIGNATURE_KEY_ID_MAX + 2u + AG_ED25519_SIGN_SIZE))

// What is signed: "wasmsig", three bytes of version and kinds, the hashes.
#define AG_SIGNATURE_MESSAGE_SIZE (10u + AG_SIGNATURE_PARTS * AG_SHA256_SIZE)

// One signer. Borrowed from the section.
struct ag_signer {
    const uint8_t *key_id;
    size_t key_id_size;
    const uint8_t *signature; // AG_ED25519_SIGN_SIZE bytes
};

// A signature section that was read in full and is well-formed. Borrowed.
struct ag_signature {
    const uint8_t *hashes; // AG_SIGNATURE_PARTS digests
    size_t signer_count;   // from 1
    struct ag_signer signers[AG_CFG_SIGNER_MAX];
};

// Reads the payload of a signature section. AG_ERR_FILE_SIGNATURE for whatever is broken, of
// another version or form, or has bytes left over; *signature is then undefined.
AG_MUST_CHECK enum ag_status ag_signature_read(const void *bytes, size_t size,
                                               struct ag_signature *signature);

// The message whose Ed25519 signature each signer gives.
void ag_signature_message(const uint8_t hashes[AG_SIGNATURE_PARTS * AG_SHA256_SIZE],
                          uint8_t message[AG_SIGNATURE_MESSAGE_SIZE]);

#endif
