// SPDX-License-Identifier: Apache-2.0
// In place of OpenSSL's header where tests run without it: the few names by which tests and
// cli/keyfile.h make keys, over libsodium (signing_key.c).
#ifndef AG_TEST_MCU_OPENSSL_EVP_H
#define AG_TEST_MCU_OPENSSL_EVP_H

#include <stddef.h>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct engine_st ENGINE;

#define EVP_PKEY_ED25519 1087

EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *key,
                                       size_t size);
int EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *public_key, size_t *size);

#endif
