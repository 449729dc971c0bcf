// SPDX-License-Identifier: Apache-2.0
// Key ids, and finding the signer of a message.
#include "plugin/keys.h"

#include <string.h>

void ag_keys_id(const uint8_t key[AG_ED25519_KEY_SIZE], uint8_t id[AG_KEYS_ID_SIZE])
{
    uint8_t digest[AG_SHA256_SIZE];
    ag_crypto_sha256(key, AG_ED25519_KEY_SIZE, digest);
    memcpy(id, digest, AG_KEYS_ID_SIZE);
}

const uint8_t *ag_keys_at(const struct ag_key_list *keys, size_t index)
{
    return keys->bytes + index * AG_ED25519_KEY_SIZE;
}

enum ag_keys_verdict ag_keys_verify(const struct ag_key_list *keys, const uint8_t *id,
                                    size_t id_size, const void *bytes, size_t size,
                                    const uint8_t signature[AG_ED25519_SIGN_SIZE], size_t *index)
{
    enum ag_keys_verdict verdict = AG_KEYS_UNKNOWN;
    if (id_size != AG_KEYS_ID_SIZE)
        return verdict;
    for (size_t i = 0; i < keys->count; i++) {
        uint8_t key_id[AG_KEYS_ID_SIZE];
        ag_keys_id(ag_keys_at(keys, i), key_id);
        if (memcmp(key_id, id, sizeof key_id) != 0)
            continue;
        verdict = AG_KEYS_FORGED;
        if (ag_crypto_ed25519_verify(ag_keys_at(keys, i), bytes, size, signature)) {
            *index = i;
            return AG_KEYS_VALID;
        }
    }
    return verdict;
}
