// SPDX-License-Identifier: Apache-2.0
// Tests of platform/crypto.h as boards without an operating system provide it, with published
// vectors and against libsodium where a part of it is our own.
#include <stdlib.h>
#include <string.h>

#include "platform/crypto.h"
#include "test/harness.h"

void ag_crypto_reduce_scalar(unsigned char bytes[64]);
// libsodium's, which the firmware leaves out; not in its public headers.
void sc25519_reduce(unsigned char bytes[64]);

// FIPS 180-2, appendix B.1: SHA-256 of "abc".
static const uint8_t abc_digest[] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

static void sha256_gives_the_published_digest_in_pieces_and_on_a_peek(void)
{
    struct ag_sha256 hash;
    uint8_t digest[AG_SHA256_SIZE];
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, "a", 1);
    ag_crypto_sha256_peek(&hash, digest);
    CHECK(memcmp(digest, abc_digest, sizeof digest) != 0);
    ag_crypto_sha256_update(&hash, "bc", 2);
    ag_crypto_sha256_peek(&hash, digest);
    CHECK_BYTES(digest, abc_digest, sizeof digest);
    ag_crypto_sha256_finish(&hash, digest);
    CHECK_BYTES(digest, abc_digest, sizeof digest);
}

static void hmac_gives_the_published_code(void)
{
    // RFC 4231, test case 2.
    static const uint8_t want[] = {
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
        0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
    };
    static const char text[] = "what do ya want for nothing?";
    uint8_t mac[AG_SHA256_SIZE];
    ag_crypto_hmac_sha256((const uint8_t *)"Jefe", 4, text, sizeof text - 1, mac);
    CHECK_BYTES(mac, want, sizeof mac);
}

static void ed25519_accepts_the_published_signature_and_no_other(void)
{
    // RFC 8032, 7.1, test 2: the message is the byte 0x72.
    static const uint8_t key[] = {
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
        0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
        0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
    };
    uint8_t signature[] = {
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
        0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
        0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
        0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
        0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
    };
    CHECK(ag_crypto_ed25519_verify(key, "\x72", 1, signature));
    CHECK(!ag_crypto_ed25519_verify(key, "\x73", 1, signature));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        test_note("byte %zu of the signature", i);
        CHECK(!ag_crypto_ed25519_verify(key, "\x72", 1, signature));
        signature[i] ^= 1;
    }
}

static uint32_t digit_of(char character)
{
    return (uint32_t)(character <= '9' ? character - '0' : character - 'a' + 10);
}

static void check_hex(const uint8_t *bytes, const char *hex)
{
    uint8_t want[64];
    const size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++)
        want[i] = (uint8_t)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
    CHECK_BYTES(bytes, want, size);
}

// RFC 1321, A.5.
static void md5_gives_the_published_digests_in_any_pieces(void)
{
    static const char *const vectors[][2] = {
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
        { "a", "0cc175b9c0f1b6a831c399e269772661" },
        { "abc", "900150983cd24fb0d6963f7d28e17f72" },
        { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
        { "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
          "d174ab98d277d9f5a5611c2c9f419d9f" },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          "57edf4a22be3c955ac49da2e2107b67a" },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const char *text = vectors[i][0];
        const size_t size = strlen(text);
        for (size_t cut = 0; cut <= size; cut++) {
            struct ag_md5 hash;
            uint8_t digest[AG_MD5_SIZE];
            CHECK(ag_crypto_md5_init(&hash));
            ag_crypto_md5_update(&hash, text, cut);
            ag_crypto_md5_update(&hash, text + cut, size - cut);
            ag_crypto_md5_finish(&hash, digest);
            check_hex(digest, vectors[i][1]);
        }
    }
    struct ag_md5 hash;
    CHECK(ag_crypto_md5_init(&hash));
    ag_crypto_md5_finish(&hash, NULL);
}

// FIPS 180-2, B.3: a million times "a".
static void sha256_of_a_million_bytes_is_the_published_one(void)
{
    struct ag_sha256 hash;
    uint8_t digest[AG_SHA256_SIZE];
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    ag_crypto_sha256_init(&hash);
    for (int i = 0; i < 1000; i++)
        ag_crypto_sha256_update(&hash, piece, sizeof piece);
    ag_crypto_sha256_finish(&hash, digest);
    check_hex(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, test cases 1, 3 and 6: keys shorter and longer than a block.
static void hmac_takes_keys_of_any_size(void)
{
    uint8_t key[131];
    uint8_t data[50];
    uint8_t mac[AG_SHA256_SIZE];
    static const char larger[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    memset(key, 0x0b, sizeof key);
    ag_crypto_hmac_sha256(key, 20, "Hi There", 8, mac);
    check_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    ag_crypto_hmac_sha256(key, 20, data, sizeof data, mac);
    check_hex(mac, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    ag_crypto_hmac_sha256(key, sizeof key, larger, sizeof larger - 1, mac);
    check_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    ag_crypto_hmac_sha256(NULL, 0, "", 0, mac);
    check_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 8032, 7.1, test 1: no message at all.
static void ed25519_accepts_the_signature_of_nothing(void)
{
    static const uint8_t key[] = {
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
        0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
        0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    };
    static const uint8_t signature[] = {
        0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80,
        0x6e, 0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73,
        0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b,
        0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0,
        0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b,
    };
    CHECK(ag_crypto_ed25519_verify(key, "", 0, signature));
    CHECK(!ag_crypto_ed25519_verify(key, "x", 1, signature));
}

// A signature whose number is not reduced, and points of small order, are what libraries differ in:
// here they are refused.
static void ed25519_refuses_what_is_not_canonical(void)
{
    static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                       0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10 };
    static const uint8_t small_key[32] = { 1 };
    static const uint8_t small_signature[64] = { 1 };
    uint8_t signature[] = {
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
        0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
        0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
        0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
        0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
    };
    static const uint8_t key[] = {
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
        0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
        0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
    };
    uint32_t carry = 0;
    CHECK(ag_crypto_ed25519_verify(key, "\x72", 1, signature));
    for (size_t i = 0; i < 32; i++) {
        carry += signature[32 + i] + (uint32_t)order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!ag_crypto_ed25519_verify(key, "\x72", 1, signature));
    CHECK(!ag_crypto_ed25519_verify(small_key, "", 0, small_signature));
}

static void scalars_are_reduced_as_libsodium_does_it(void)
{
    uint8_t ours[64];
    uint8_t theirs[64];
    srand(1);
    for (int round = 0; round < 3000; round++) {
        test_note("round %d", round);
        for (size_t i = 0; i < sizeof ours; i++)
            ours[i] = round < 66 ? (round >= 64 ? (uint8_t) - (round - 64) : i == (size_t)round)
                                 : (uint8_t)(rand() >> 4);
        memcpy(theirs, ours, sizeof theirs);
        ag_crypto_reduce_scalar(ours);
        sc25519_reduce(theirs);
        CHECK_BYTES(ours, theirs, 32);
    }
}

static void equal_compares_every_byte(void)
{
    uint8_t a[40] = { 0 };
    uint8_t b[40] = { 0 };
    CHECK(ag_crypto_equal(a, b, sizeof a));
    CHECK(ag_crypto_equal(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 0x80;
        CHECK(!ag_crypto_equal(a, b, sizeof a));
        CHECK(ag_crypto_equal(a, b, i));
        b[i] = 0;
    }
}

static const struct test_case cases[] = {
    TEST(sha256_gives_the_published_digest_in_pieces_and_on_a_peek),
    TEST(hmac_gives_the_published_code),
    TEST(ed25519_accepts_the_published_signature_and_no_other),
    TEST(md5_gives_the_published_digests_in_any_pieces),
    TEST(sha256_of_a_million_bytes_is_the_published_one),
    TEST(hmac_takes_keys_of_any_size),
    TEST(ed25519_accepts_the_signature_of_nothing),
    TEST(ed25519_refuses_what_is_not_canonical),
    TEST(scalars_are_reduced_as_libsodium_does_it),
    TEST(equal_compares_every_byte),
};
TEST_MAIN(cases)
