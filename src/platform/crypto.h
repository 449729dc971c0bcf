// SPDX-License-Identifier: Apache-2.0
// Cryptography that a port provides from its system's library (OpenSSL; mbedTLS and libsodium).
#ifndef AG_PLATFORM_CRYPTO_H
#define AG_PLATFORM_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define AG_SHA256_SIZE       32u
#define AG_MD5_SIZE          16u
#define AG_ED25519_KEY_SIZE  32u
#define AG_ED25519_SIGN_SIZE 64u

// An SHA-256 in progress. The port decides what the words hold; they may own outside resources,
// so every ag_crypto_sha256_init is paired with one ag_crypto_sha256_finish.
struct ag_sha256 {
    uint64_t opaque[16];
};

void ag_crypto_sha256_init(struct ag_sha256 *hash);
void ag_crypto_sha256_update(struct ag_sha256 *hash, const void *bytes, size_t size);
// The digest so far, without ending: more updates may follow.
void ag_crypto_sha256_peek(const struct ag_sha256 *hash, uint8_t digest[AG_SHA256_SIZE]);
// Ends the hash and releases what it holds. `digest` may be NULL when only the release is wanted.
void ag_crypto_sha256_finish(struct ag_sha256 *hash, uint8_t *digest);

// The digest of bytes that are all there.
static inline void ag_crypto_sha256(const void *bytes, size_t size, uint8_t digest[AG_SHA256_SIZE])
{
    struct ag_sha256 hash;
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, bytes, size);
    ag_crypto_sha256_finish(&hash, digest);
}

// An MD5 in progress: a check sum against accidents on the way, never a proof of anything. A port
// may be without it (a library that is held to FIPS 140 has none).
struct ag_md5 {
    uint64_t opaque[16];
};

// False: there is no MD5 here, and nothing to finish. Otherwise paired with one finish.
AG_MUST_CHECK bool ag_crypto_md5_init(struct ag_md5 *hash);
void ag_crypto_md5_update(struct ag_md5 *hash, const void *bytes, size_t size);
// `digest` may be NULL when only the release is wanted.
void ag_crypto_md5_finish(struct ag_md5 *hash, uint8_t *digest);

// RFC 2104 with SHA-256. Any key size.
void ag_crypto_hmac_sha256(const uint8_t *key, size_t key_size, const void *bytes, size_t size,
                           uint8_t mac[AG_SHA256_SIZE]);

// RFC 8032 Ed25519 (pure). True only for a valid signature.
bool ag_crypto_ed25519_verify(const uint8_t key[AG_ED25519_KEY_SIZE], const void *bytes,
                              size_t size, const uint8_t signature[AG_ED25519_SIGN_SIZE]);

// Compares in constant time.
bool ag_crypto_equal(const void *a, const void *b, size_t size);

#endif
