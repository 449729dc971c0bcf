// SPDX-License-Identifier: Apache-2.0
// The trust store object: whom a device believes (FORMATS.md 2).
//
// It names the keys that may sign plug-ins, the TLS roots, and the authority keys: those that
// decide about the object itself. An object is valid if `threshold` of its own authority keys
// signed it, and may replace another if besides `threshold` of the other's authority keys did and
// its epoch is higher. There is no date in it: it is as good in ten years as it is today.
#ifndef AG_PLUGIN_TRUST_H
#define AG_PLUGIN_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "plugin/keys.h"

#define AG_TRUST_KEY_MAX       16u // authority keys; plug-in keys
#define AG_TRUST_ROOT_MAX      16u
#define AG_TRUST_SIGNATURE_MAX 32u

// "AGTS", format 1, and the text that is signed together with the hash of the object.
#define AG_TRUST_MAGIC          0x53544741u
#define AG_TRUST_FORMAT         1u
#define AG_TRUST_SIGNATURE_SIZE (AG_KEYS_ID_SIZE + AG_ED25519_SIGN_SIZE)
#define AG_TRUST_MESSAGE_SIZE   (16u + AG_SHA256_SIZE)

// An object that was read and found valid. Everything is borrowed from its bytes.
struct ag_trust {
    uint32_t epoch;
    uint32_t threshold;
    struct ag_key_list authority_keys;
    struct ag_key_list plugin_keys;
    const uint8_t *roots; // the list of certificates, see ag_trust_root
    size_t roots_size;
    size_t root_count;
    uint8_t message[AG_TRUST_MESSAGE_SIZE]; // what was signed
    const uint8_t *signatures;              // AG_TRUST_SIGNATURE_SIZE bytes each
    size_t signature_count;
};

// Reads an object and proves that it is signed by the threshold of its own authority keys.
// Whether to believe those keys is the caller's question: see ag_trust_replaces; a device is born
// with its first object. On failure *trust is undefined:
//   AG_ERR_TRUNCATED        it ends too early
//   AG_ERR_TRUST_MALFORMED  not an object of this format, out of range, or bytes left over
//   AG_ERR_TRUST_FORGED     a signature of one of its authority keys is not valid
//   AG_ERR_TRUST_THRESHOLD  too few of its authority keys signed
AG_MUST_CHECK enum ag_status ag_trust_read(const void *bytes, size_t size, struct ag_trust *trust);

// Reads it without asking who signed it: for bytes that ag_trust_read has accepted before, and that
// a hash or their owner says are the same. The result cannot be a candidate of ag_trust_replaces.
//   AG_ERR_TRUNCATED, AG_ERR_TRUST_MALFORMED
AG_MUST_CHECK enum ag_status ag_trust_read_proven(const void *bytes, size_t size,
                                                  struct ag_trust *trust);

// May `candidate` take the place of `current`?
//   AG_ERR_TRUST_EPOCH      its epoch is not higher
//   AG_ERR_TRUST_FORGED     a signature of one of the current authority keys is not valid
//   AG_ERR_TRUST_THRESHOLD  too few of the current authority keys signed it
AG_MUST_CHECK enum ag_status ag_trust_replaces(const struct ag_trust *current,
                                               const struct ag_trust *candidate);

// The TLS root at `index` in DER, borrowed. AG_ERR_NOT_FOUND beyond the last.
AG_MUST_CHECK enum ag_status ag_trust_root(const struct ag_trust *trust, size_t index,
                                           const uint8_t **der, size_t *size);

// What each authority key signs: a fixed text and the SHA-256 of the object up to its signatures.
void ag_trust_message(const void *body, size_t size, uint8_t message[AG_TRUST_MESSAGE_SIZE]);

#endif
