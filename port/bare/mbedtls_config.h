// SPDX-License-Identifier: Apache-2.0
// mbedTLS 2.28 as the firmware needs it: a TLS 1.2 client with ECDHE, AES-128-GCM, chains of RSA
// and of P-256 and P-384, and nothing else. Bytes are those of a Cortex-M3 at -Os.
//
// Given to mbedTLS as MBEDTLS_CONFIG_FILE. Its files that check nothing here (X.509 dates, PEM,
// names of errors, private keys) are not compiled at all: see CMakeLists.txt.
#ifndef AG_BARE_MBEDTLS_CONFIG_H
#define AG_BARE_MBEDTLS_CONFIG_H

#include <limits.h> // some of its files rely on others for it
#include <stddef.h>

#include "base/config.h"

// Platform. The heap is heap.c; the only clock is ag_board_unix_time, which stream_tls.c asks.
#define MBEDTLS_HAVE_ASM // multiplication with umlal
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO ag_heap_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO   ag_heap_free
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO ag_mbedtls_snprintf // only in what the linker drops
void *ag_heap_calloc(size_t count, size_t size);
void ag_heap_free(void *block);
int ag_mbedtls_snprintf(char *text, size_t capacity, const char *format, ...);

// Hashes. SHA-512 is Ed25519's, and SHA-384 that of Azure's certificates.
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER

// AES-GCM with small tables in flash. GCM never decrypts a block.
#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_AES_SETKEY_DEC_ALT
#define MBEDTLS_AES_DECRYPT_ALT
#define MBEDTLS_GCM_C
#define MBEDTLS_CTR_DRBG_C // ag_board_random
#define MBEDTLS_CTR_DRBG_USE_128_BIT_KEY

// Public keys.
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_WINDOW_SIZE 1
#define MBEDTLS_MPI_MAX_SIZE    512
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE       3
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_RESTARTABLE
#define MBEDTLS_ECP_NO_INTERNAL_RNG
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDH_LEGACY_CONTEXT
#define MBEDTLS_ECDSA_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C

// Certificates.
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE
#define MBEDTLS_X509_MAX_INTERMEDIATE_CA 4

// TLS.
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_CIPHERSUITES                                                                   \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_IN_CONTENT_LEN  AG_CFG_TLS_IN
#define MBEDTLS_SSL_OUT_CONTENT_LEN AG_CFG_TLS_OUT

#include "mbedtls/check_config.h"

#endif
