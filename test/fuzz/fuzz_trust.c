// SPDX-License-Identifier: Apache-2.0
// Fuzz target of plugin/trust.h: the trust store object in force and one that is to replace it,
// both out of the same input. Two bytes say how large the first one is.
//
// Cryptography is made easy here: a digest is the first bytes of what is hashed, so that the id of
// a key is its beginning, and every signature not beginning with 0xFF is valid.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plugin/trust.h"

static uint8_t digest_of[AG_SHA256_SIZE];
static size_t digest_size;

void ag_crypto_sha256_init(struct ag_sha256 *hash)
{
    memset(hash, 0, sizeof *hash);
    memset(digest_of, 0, sizeof digest_of);
    digest_size = 0;
}

void ag_crypto_sha256_update(struct ag_sha256 *hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    hash->opaque[0] += fuzz_hash(FUZZ_HASH_START, bytes, size) & 1; // every byte is read
    for (size_t i = 0; i < size && digest_size < sizeof digest_of; i++)
        digest_of[digest_size++] = at[i];
}

void ag_crypto_sha256_finish(struct ag_sha256 *hash, uint8_t *digest)
{
    (void)hash;
    if (digest)
        memcpy(digest, digest_of, sizeof digest_of);
}

bool ag_crypto_ed25519_verify(const uint8_t key[AG_ED25519_KEY_SIZE], const void *bytes,
                              size_t size, const uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    (void)key, (void)bytes, (void)size;
    return signature[0] != 0xFF;
}

// A copy of its own size, so that AddressSanitizer sees every read beyond it.
static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

// How many of the keys have signed: each counted once, whoever signed how often.
static uint32_t signers_among(const struct ag_trust *trust, const struct ag_key_list *keys)
{
    uint32_t count = 0;
    for (size_t key = 0; key < keys->count; key++) {
        uint8_t id[AG_KEYS_ID_SIZE];
        bool found = false;
        ag_keys_id(ag_keys_at(keys, key), id);
        for (size_t i = 0; i < trust->signature_count; i++)
            found = found ||
                    memcmp(trust->signatures + i * AG_TRUST_SIGNATURE_SIZE, id, sizeof id) == 0;
        count += found;
    }
    return count;
}

static void check_one(const uint8_t *bytes, size_t size, const struct ag_trust *trust)
{
    const uint8_t *der;
    size_t der_size;
    size_t roots = 0;
    FUZZ_CHECK(trust->threshold > 0 && trust->threshold <= trust->authority_keys.count);
    FUZZ_CHECK(signers_among(trust, &trust->authority_keys) >= trust->threshold);
    while (ag_trust_root(trust, roots, &der, &der_size) == AG_OK) {
        FUZZ_CHECK(der >= bytes && der_size <= size && der + der_size <= bytes + size);
        roots++;
    }
    FUZZ_CHECK(roots == trust->root_count);
    FUZZ_CHECK(ag_trust_replaces(trust, trust) == AG_ERR_TRUST_EPOCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ag_trust current;
    struct ag_trust next;
    if (size < 2)
        return 0;
    size_t first = (size_t)bytes[0] | (size_t)bytes[1] << 8;
    bytes += 2;
    size -= 2;
    if (first > size)
        first = size;
    uint8_t *one = copy_of(bytes, first);
    uint8_t *other = copy_of(bytes + first, size - first);
    const bool is_sound = ag_trust_read(one, first, &current) == AG_OK;
    const bool other_is_sound = ag_trust_read(other, size - first, &next) == AG_OK;
    if (is_sound)
        check_one(one, first, &current);
    if (other_is_sound)
        check_one(other, size - first, &next);
    if (is_sound && other_is_sound && ag_trust_replaces(&current, &next) == AG_OK) {
        FUZZ_CHECK(next.epoch > current.epoch);
        FUZZ_CHECK(signers_among(&next, &current.authority_keys) >= current.threshold);
    }
    free(one);
    free(other);
    return 0;
}
