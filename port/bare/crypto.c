// SPDX-License-Identifier: Apache-2.0
// platform/crypto.h over mbedTLS (SHA-256, HMAC) and libsodium (Ed25519). MD5 is our own.
//
// No hash allocates: mbedTLS's contexts live in the caller's words. Two parts of libsodium are left
// out of the image: SHA-512, since mbedTLS has one for certificates, and an unrolled reduction of
// scalars of 4.7 KB. See the end of this file.
#include "platform/crypto.h"

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_sign_ed25519.h>
#include <string.h>

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct ag_sha256),
               "mbedTLS's SHA-256 does not fit into the caller's words");

static mbedtls_sha256_context *sha256_of(struct ag_sha256 *hash)
{
    return (mbedtls_sha256_context *)(void *)hash->opaque;
}

// None of mbedTLS's calls for SHA-256 in software can fail.
void ag_crypto_sha256_init(struct ag_sha256 *hash)
{
    mbedtls_sha256_init(sha256_of(hash));
    (void)mbedtls_sha256_starts_ret(sha256_of(hash), 0);
}

void ag_crypto_sha256_update(struct ag_sha256 *hash, const void *bytes, size_t size)
{
    (void)mbedtls_sha256_update_ret(sha256_of(hash), bytes, size);
}

void ag_crypto_sha256_peek(const struct ag_sha256 *hash, uint8_t digest[AG_SHA256_SIZE])
{
    struct ag_sha256 copy = *hash;
    ag_crypto_sha256_finish(&copy, digest);
}

void ag_crypto_sha256_finish(struct ag_sha256 *hash, uint8_t *digest)
{
    if (digest)
        (void)mbedtls_sha256_finish_ret(sha256_of(hash), digest);
    mbedtls_sha256_free(sha256_of(hash));
}

void ag_crypto_hmac_sha256(const uint8_t *key, size_t key_size, const void *bytes, size_t size,
                           uint8_t mac[AG_SHA256_SIZE])
{
    struct ag_sha256 hash;
    uint8_t block[64] = { 0 };
    if (key_size > sizeof block)
        ag_crypto_sha256(key, key_size, block);
    else if (key_size > 0)
        memcpy(block, key, key_size);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, block, sizeof block);
    ag_crypto_sha256_update(&hash, bytes, size);
    ag_crypto_sha256_finish(&hash, mac);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, block, sizeof block);
    ag_crypto_sha256_update(&hash, mac, AG_SHA256_SIZE);
    ag_crypto_sha256_finish(&hash, mac);
}

// MD5 (RFC 1321) as a loop: 0.7 KB, of which 256 bytes of constants; mbedTLS's has 2.1 KB.

struct md5 {
    uint32_t state[4];
    uint32_t size; // bytes so far, modulo 2^32: more than any file that a device takes
    uint8_t block[64];
};
_Static_assert(sizeof(struct md5) <= sizeof(struct ag_md5), "MD5 does not fit");

static uint32_t load_le32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void md5_block(struct md5 *md5)
{
    // floor(2^32 |sin(i + 1)|)
    static const uint32_t constants[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
        0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
        0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
        0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
        0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
        0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
        0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
        0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
        0xeb86d391,
    };
    static const uint8_t shifts[4][4] = {
        { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
    };
    uint32_t a = md5->state[0];
    uint32_t b = md5->state[1];
    uint32_t c = md5->state[2];
    uint32_t d = md5->state[3];
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t mixed;
        uint32_t word;
        switch (i / 16) {
        case 0:
            mixed = (b & c) | (~b & d);
            word = i;
            break;
        case 1:
            mixed = (d & b) | (~d & c);
            word = 5 * i + 1;
            break;
        case 2:
            mixed = b ^ c ^ d;
            word = 3 * i + 5;
            break;
        default:
            mixed = c ^ (b | ~d);
            word = 7 * i;
            break;
        }
        mixed += a + constants[i] + load_le32(md5->block + 4 * (word % 16));
        a = d;
        d = c;
        c = b;
        b += mixed << shifts[i / 16][i % 4] | mixed >> (32 - shifts[i / 16][i % 4]);
    }
    md5->state[0] += a;
    md5->state[1] += b;
    md5->state[2] += c;
    md5->state[3] += d;
}

static struct md5 *md5_of(struct ag_md5 *hash)
{
    return (struct md5 *)(void *)hash->opaque;
}

bool ag_crypto_md5_init(struct ag_md5 *hash)
{
    *md5_of(hash) = (struct md5){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
    return true;
}

void ag_crypto_md5_update(struct ag_md5 *hash, const void *bytes, size_t size)
{
    struct md5 *md5 = md5_of(hash);
    const uint8_t *at = bytes;
    for (; size > 0; size--) {
        md5->block[md5->size % sizeof md5->block] = *at++;
        if (++md5->size % sizeof md5->block == 0)
            md5_block(md5);
    }
}

void ag_crypto_md5_finish(struct ag_md5 *hash, uint8_t *digest)
{
    struct md5 *md5 = md5_of(hash);
    const uint32_t size = md5->size;
    uint8_t length[8];
    if (!digest)
        return;
    store_le32(length, size << 3);
    store_le32(length + 4, size >> 29);
    ag_crypto_md5_update(hash, "\x80", 1);
    while (md5->size % 64 != 56)
        ag_crypto_md5_update(hash, "", 1);
    ag_crypto_md5_update(hash, length, sizeof length);
    for (size_t i = 0; i < 4; i++)
        store_le32(digest + 4 * i, md5->state[i]);
}

bool ag_crypto_ed25519_verify(const uint8_t key[AG_ED25519_KEY_SIZE], const void *bytes,
                              size_t size, const uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    return crypto_sign_ed25519_verify_detached(signature, bytes, size, key) == 0;
}

bool ag_crypto_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

// libsodium's SHA-512 in terms of mbedTLS's, which holds the same and a word that says which of the
// two lengths it is.

_Static_assert(offsetof(mbedtls_sha512_context, is384) == sizeof(crypto_hash_sha512_state),
               "libsodium's state does not hold mbedTLS's");

int crypto_hash_sha512_init(crypto_hash_sha512_state *state)
{
    mbedtls_sha512_context context;
    mbedtls_sha512_init(&context);
    (void)mbedtls_sha512_starts_ret(&context, 0);
    memcpy(state, &context, sizeof *state);
    return 0;
}

int crypto_hash_sha512_update(crypto_hash_sha512_state *state, const unsigned char *bytes,
                              unsigned long long size)
{
    mbedtls_sha512_context context = { 0 };
    memcpy(&context, state, sizeof *state);
    (void)mbedtls_sha512_update_ret(&context, bytes, (size_t)size);
    memcpy(state, &context, sizeof *state);
    return 0;
}

int crypto_hash_sha512_final(crypto_hash_sha512_state *state, unsigned char *digest)
{
    mbedtls_sha512_context context = { 0 };
    memcpy(&context, state, sizeof *state);
    (void)mbedtls_sha512_finish_ret(&context, digest);
    return 0;
}

// libsodium's sc25519_reduce, under the name that CMakeLists.txt gives its caller: the number of
// 512 bits in `bytes`, least byte first, modulo the order of the group, in its first 32 bytes. Bit
// by bit, in 30,000 instructions; what it works on is public.
void ag_crypto_reduce_scalar(unsigned char bytes[64]);
void ag_crypto_reduce_scalar(unsigned char bytes[64])
{
    static const uint32_t order[8] = { 0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de,
                                       0,          0,          0,          0x10000000 };
    uint32_t rest[8] = { 0 };
    for (int bit = 511; bit >= 0; bit--) {
        uint32_t less[8];
        uint32_t carry = bytes[bit / 8] >> bit % 8 & 1u;
        uint64_t borrow = 0;
        for (int i = 0; i < 8; i++) { // rest < 2^253: doubling does not overflow
            const uint32_t word = rest[i];
            rest[i] = word << 1 | carry;
            carry = word >> 31;
            borrow = (uint64_t)rest[i] - order[i] - (borrow >> 63);
            less[i] = (uint32_t)borrow;
        }
        if (borrow >> 63 == 0)
            memcpy(rest, less, sizeof rest);
    }
    for (size_t i = 0; i < 8; i++)
        store_le32(bytes + 4 * i, rest[i]);
}
