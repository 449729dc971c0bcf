// SPDX-License-Identifier: Apache-2.0
// Tests of the firmware's own check of RSA signatures, against signatures by OpenSSL, right and
// forged: whoever knows the private key can put anything under the signature.
#include <mbedtls/pk.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "counting_heap.h"
#include "port/bare/mbedtls_parts.h"
#include "test/harness.h"

enum {
    SIZE_MAX_BYTES = 512,
};

struct key {
    EVP_PKEY *private;
    mbedtls_pk_context public;
    size_t size;
};

static const uint8_t digest[64] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static struct key make_key(unsigned bits, unsigned exponent)
{
    struct key key = { .size = bits / 8 };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    BIGNUM *number = BN_new();
    uint8_t *der = NULL;
    CHECK(context && number && BN_set_word(number, exponent) == 1);
    CHECK(EVP_PKEY_keygen_init(context) == 1 &&
          EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1 &&
          EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number) == 1 &&
          EVP_PKEY_generate(context, &key.private) == 1);
    const int size = i2d_PUBKEY(key.private, &der);
    uint8_t *at = der;
    mbedtls_pk_init(&key.public);
    CHECK_EQUAL(mbedtls_pk_parse_subpubkey(&at, der + size, &key.public), 0);
    OPENSSL_free(der);
    BN_free(number);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void free_key(struct key *key)
{
    mbedtls_pk_free(&key->public);
    EVP_PKEY_free(key->private);
}

// Raises `block` to the private exponent, whatever it holds.
static void sign_block(const struct key *key, const uint8_t *block, uint8_t *signature)
{
    size_t size = key->size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->private, NULL);
    CHECK(EVP_PKEY_sign_init(context) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
          EVP_PKEY_sign(context, signature, &size, block, key->size) == 1);
    EVP_PKEY_CTX_free(context);
}

static void sign_digest(const struct key *key, const EVP_MD *kind, uint8_t *signature)
{
    size_t size = key->size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->private, NULL);
    CHECK(EVP_PKEY_sign_init(context) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
          EVP_PKEY_CTX_set_signature_md(context, kind) == 1 &&
          EVP_PKEY_sign(context, signature, &size, digest, (size_t)EVP_MD_get_size(kind)) == 1);
    EVP_PKEY_CTX_free(context);
}

// As a handshake does it; the number of steps in *steps.
static int verify(struct key *key, mbedtls_md_type_t kind, size_t hash_size,
                  const uint8_t *signature, size_t size, uint32_t *steps)
{
    int result;
    *steps = 0;
    do {
        ag_mbedtls_parts_begin_step();
        result = mbedtls_pk_verify(&key->public, kind, digest, hash_size, signature, size);
        ++*steps;
    } while (result == MBEDTLS_ERR_ECP_IN_PROGRESS);
    return result;
}

static bool accepts(struct key *key, const uint8_t *signature)
{
    uint32_t steps;
    return verify(key, MBEDTLS_MD_SHA256, 32, signature, key->size, &steps) == 0;
}

static void signatures_of_any_key_and_digest_are_accepted_and_no_other_digest(void)
{
    static const struct {
        unsigned bits, exponent;
        uint32_t steps;
    } keys[] = { { 1024, 65537, 1 }, { 2048, 65537, 1 }, { 2048, 3, 1 },
                 { 2056, 65537, 4 }, { 3072, 65537, 4 }, { 3072, 3, 1 } };
    const EVP_MD *const kinds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
    static const mbedtls_md_type_t names[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
                                               MBEDTLS_MD_SHA512 };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct key key = make_key(keys[i].bits, keys[i].exponent);
        for (size_t j = 0; j < 9; j++) {
            uint8_t signature[SIZE_MAX_BYTES];
            uint32_t steps;
            test_note("%u bits, exponent %u, %zu", keys[i].bits, keys[i].exponent, j);
            sign_digest(&key, kinds[j / 3], signature);
            const int result =
                verify(&key, names[j % 3], 32 + 16 * (j % 3), signature, key.size, &steps);
            CHECK_EQUAL(result == 0, j / 3 == j % 3);
            CHECK_EQUAL(steps, keys[i].steps);
        }
        free_key(&key);
    }
}

static void a_step_checks_one_signature(void)
{
    struct key key = make_key(2048, 65537);
    uint8_t signature[SIZE_MAX_BYTES];
    sign_digest(&key, EVP_sha256(), signature);
    ag_mbedtls_parts_begin_step();
    CHECK_EQUAL(mbedtls_pk_verify(&key.public, MBEDTLS_MD_SHA256, digest, 32, signature, key.size),
                0);
    CHECK_EQUAL(mbedtls_pk_verify(&key.public, MBEDTLS_MD_SHA256, digest, 32, signature, key.size),
                MBEDTLS_ERR_ECP_IN_PROGRESS);
    ag_mbedtls_parts_begin_step();
    CHECK_EQUAL(mbedtls_pk_verify(&key.public, MBEDTLS_MD_SHA256, digest, 32, signature, key.size),
                0);
    free_key(&key);
    CHECK_EQUAL(counting_heap_blocks, 0);
}

// The block under a right signature of the digest.
static void encode(const struct key *key, uint8_t *block)
{
    uint8_t signature[SIZE_MAX_BYTES];
    size_t size = key->size;
    sign_digest(key, EVP_sha256(), signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->private, NULL);
    CHECK(EVP_PKEY_verify_recover_init(context) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
          EVP_PKEY_verify_recover(context, block, &size, signature, key->size) == 1);
    EVP_PKEY_CTX_free(context);
}

static void every_byte_under_the_signature_counts(void)
{
    struct key key = make_key(1024, 65537);
    uint8_t block[SIZE_MAX_BYTES];
    uint8_t signature[SIZE_MAX_BYTES];
    encode(&key, block);
    sign_block(&key, block, signature);
    CHECK(accepts(&key, signature));
    for (size_t i = 1; i < key.size; i++) { // with the first changed it is no number below N
        for (uint32_t bit = 0; bit < 8; bit += 7) {
            test_note("bit %u of byte %zu", bit, i);
            block[i] ^= (uint8_t)(1u << bit);
            sign_block(&key, block, signature);
            CHECK(!accepts(&key, signature));
            block[i] ^= (uint8_t)(1u << bit);
        }
    }
    free_key(&key);
    CHECK_EQUAL(counting_heap_blocks, 0);
}

// Bleichenbacher's forgery and its kin: padding that ends early, and what follows the digest.
static void padding_has_one_length_and_nothing_follows_the_digest(void)
{
    struct key key = make_key(1024, 3);
    uint8_t right[SIZE_MAX_BYTES];
    uint8_t signature[SIZE_MAX_BYTES];
    enum {
        TAIL = 1 + 19 + 32
    };
    encode(&key, right);
    for (size_t shift = 1; shift < key.size - TAIL - 2; shift += 5) {
        uint8_t block[SIZE_MAX_BYTES] = { 0 };
        test_note("%zu bytes behind", shift);
        memcpy(block, right, key.size - TAIL - shift);
        memcpy(block + key.size - TAIL - shift, right + key.size - TAIL, TAIL);
        sign_block(&key, block, signature);
        CHECK(!accepts(&key, signature));
    }
    free_key(&key);
    CHECK_EQUAL(counting_heap_blocks, 0);
}

static void signatures_of_another_size_or_value_are_refused(void)
{
    struct key key = make_key(2056, 65537);
    struct key other = make_key(2056, 65537);
    uint8_t signature[SIZE_MAX_BYTES] = { 0 };
    uint32_t steps;
    sign_digest(&key, EVP_sha256(), signature);
    CHECK(accepts(&key, signature));
    CHECK(!accepts(&other, signature));
    for (size_t size = 0; size < key.size; size += 1 + size / 8)
        CHECK(verify(&key, MBEDTLS_MD_SHA256, 32, signature, size, &steps) != 0);
    CHECK(verify(&key, MBEDTLS_MD_SHA256, 32, signature, key.size + 1, &steps) != 0);
    CHECK(verify(&key, MBEDTLS_MD_SHA256, 31, signature, key.size, &steps) != 0);
    CHECK(verify(&key, MBEDTLS_MD_NONE, 32, signature, key.size, &steps) != 0);
    CHECK(verify(&key, MBEDTLS_MD_MD5, 16, signature, key.size, &steps) != 0);
    memset(signature, 0xFF, sizeof signature); // above N
    CHECK(!accepts(&key, signature));
    memset(signature, 0, sizeof signature);
    CHECK(!accepts(&key, signature));
    signature[key.size - 1] = 1;
    CHECK(!accepts(&key, signature));
    free_key(&other);
    free_key(&key);
    CHECK_EQUAL(counting_heap_blocks, 0);
}

// mbedTLS does without one of the allocations; nothing else may come of it.
static void a_lack_of_memory_accepts_nothing(void)
{
    struct key key = make_key(2056, 65537);
    uint8_t signature[SIZE_MAX_BYTES];
    uint32_t steps;
    uint32_t errors = 0;
    sign_digest(&key, EVP_sha256(), signature);
    for (uint32_t is_forged = 0; is_forged < 2; is_forged++) {
        signature[100] ^= (uint8_t)is_forged;
        for (size_t n = 1;; n++) {
            test_note("allocation %zu", n);
            counting_heap_calls = 0;
            counting_heap_fail_at = n;
            const int result = verify(&key, MBEDTLS_MD_SHA256, 32, signature, key.size, &steps);
            counting_heap_fail_at = 0;
            CHECK(result != 0 || !is_forged);
            errors += result != 0;
            if (n > counting_heap_calls)
                break;
        }
        CHECK_EQUAL(accepts(&key, signature), !is_forged);
    }
    CHECK(errors > 20);
    free_key(&key);
    CHECK_EQUAL(counting_heap_blocks, 0);
}

static const struct test_case cases[] = {
    TEST(signatures_of_any_key_and_digest_are_accepted_and_no_other_digest),
    TEST(a_step_checks_one_signature),
    TEST(every_byte_under_the_signature_counts),
    TEST(padding_has_one_length_and_nothing_follows_the_digest),
    TEST(signatures_of_another_size_or_value_are_refused),
    TEST(a_lack_of_memory_accepts_nothing),
};
TEST_MAIN(cases)
