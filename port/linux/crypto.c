// SPDX-License-Identifier: Apache-2.0
// platform/crypto.h over OpenSSL 3.
#include "platform/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

// OpenSSL fails in these calls only when memory is exhausted, and a hash has no way to say so:
// a wrong digest would be worse than an end.
static void require(bool done)
{
    if (!done)
        abort();
}

static EVP_MD_CTX *context_of(const struct ag_sha256 *hash)
{
    EVP_MD_CTX *context;
    memcpy(&context, hash->opaque, sizeof context);
    return context;
}

void ag_crypto_sha256_init(struct ag_sha256 *hash)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    memcpy(hash->opaque, &context, sizeof context);
}

void ag_crypto_sha256_update(struct ag_sha256 *hash, const void *bytes, size_t size)
{
    require(EVP_DigestUpdate(context_of(hash), bytes, size) == 1);
}

void ag_crypto_sha256_peek(const struct ag_sha256 *hash, uint8_t digest[AG_SHA256_SIZE])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    require(copy && EVP_MD_CTX_copy_ex(copy, context_of(hash)) == 1 &&
            EVP_DigestFinal_ex(copy, digest, NULL) == 1);
    EVP_MD_CTX_free(copy);
}

void ag_crypto_sha256_finish(struct ag_sha256 *hash, uint8_t *digest)
{
    if (digest)
        require(EVP_DigestFinal_ex(context_of(hash), digest, NULL) == 1);
    EVP_MD_CTX_free(context_of(hash));
    memset(hash->opaque, 0, sizeof hash->opaque);
}

bool ag_crypto_md5_init(struct ag_md5 *hash)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(context != NULL);
    memset(hash->opaque, 0, sizeof hash->opaque);
    if (EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) { // a provider without it
        EVP_MD_CTX_free(context);
        return false;
    }
    memcpy(hash->opaque, &context, sizeof context);
    return true;
}

static EVP_MD_CTX *md5_context_of(const struct ag_md5 *hash)
{
    EVP_MD_CTX *context;
    memcpy(&context, hash->opaque, sizeof context);
    return context;
}

void ag_crypto_md5_update(struct ag_md5 *hash, const void *bytes, size_t size)
{
    require(EVP_DigestUpdate(md5_context_of(hash), bytes, size) == 1);
}

void ag_crypto_md5_finish(struct ag_md5 *hash, uint8_t *digest)
{
    if (digest)
        require(EVP_DigestFinal_ex(md5_context_of(hash), digest, NULL) == 1);
    EVP_MD_CTX_free(md5_context_of(hash));
    memset(hash->opaque, 0, sizeof hash->opaque);
}

void ag_crypto_hmac_sha256(const uint8_t *key, size_t key_size, const void *bytes, size_t size,
                           uint8_t mac[AG_SHA256_SIZE])
{
    static const uint8_t empty_key[1];
    require(key_size <= INT32_MAX && HMAC(EVP_sha256(), key_size > 0 ? key : empty_key,
                                          (int)key_size, bytes, size, mac, NULL));
}

bool ag_crypto_ed25519_verify(const uint8_t key[AG_ED25519_KEY_SIZE], const void *bytes,
                              size_t size, const uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    EVP_PKEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, AG_ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool valid = public_key && context &&
                       EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
                       EVP_DigestVerify(context, signature, AG_ED25519_SIGN_SIZE, bytes, size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return valid;
}

bool ag_crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
