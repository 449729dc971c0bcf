// SPDX-License-Identifier: Apache-2.0
// Keys that sign, where there is no OpenSSL: what tests use of it and of cli/keyfile.h, over
// libsodium.
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_sign_ed25519.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/keyfile.h"

struct evp_pkey_st {
    unsigned char public_[crypto_sign_ed25519_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_ed25519_SECRETKEYBYTES];
};

// Wanted by libsodium's signing; port/bare/crypto.c has its parts.
int crypto_hash_sha512(unsigned char *digest, const unsigned char *bytes, unsigned long long size)
{
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, bytes, size);
    return crypto_hash_sha512_final(&state, digest);
}

EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *key,
                                       size_t size)
{
    (void)engine;
    EVP_PKEY *made = malloc(sizeof *made);
    if (!made || type != EVP_PKEY_ED25519 || size != crypto_sign_ed25519_SEEDBYTES)
        abort();
    crypto_sign_ed25519_seed_keypair(made->public_, made->secret, key);
    return made;
}

int EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *public_key, size_t *size)
{
    if (*size < sizeof key->public_)
        return 0;
    memcpy(public_key, key->public_, sizeof key->public_);
    *size = sizeof key->public_;
    return 1;
}

void ag_keyfile_sign(const struct ag_keyfile *key, const void *bytes, size_t size,
                     uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    crypto_sign_ed25519_detached(signature, NULL, bytes, size, key->key->secret);
}

void ag_keyfile_close(struct ag_keyfile *key)
{
    free(key->key);
    key->key = NULL;
}

int ag_output_fail(const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("; %s\n", hint ? hint : "");
    return AG_EXIT_FAILED;
}
