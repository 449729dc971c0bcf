// SPDX-License-Identifier: Apache-2.0
// mbedTLS 2.28 as the firmware needs it: a TLS 1.2 client with ECDHE, AES-128-GCM, chains of RSA
// and of P-256 and P-384, and nothing else: 51 KB of code and constants on a Cortex-M3 at -Os, of
// which X.509 and ASN.1 10, TLS 11, elliptic curves 11, RSA and big numbers 8, AES-GCM 4, SHA 3.5.
//
// Given to mbedTLS as MBEDTLS_CONFIG_FILE. CMakeLists.txt names the files that are compiled;
// mbedtls_parts.c stands in for some. X.509 compares no dates (stream_tls.c does), and reads no
// PEM, no names of errors, no private keys.
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

// Hashes. SHA-512 (2.2 KB) is Ed25519's, so that SHA-384, in which Azure's certificates are signed,
// costs next to nothing. No MD5 and no SHA-1: no certificate of theirs is accepted.
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER

// AES-GCM with small tables in flash. GCM never decrypts a block: without that 2.5 KB less.
#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_AES_SETKEY_DEC_ALT
#define MBEDTLS_AES_DECRYPT_ALT
#define MBEDTLS_GCM_C
#define MBEDTLS_CTR_DRBG_C // ag_board_random
#define MBEDTLS_CTR_DRBG_USE_128_BIT_KEY

// Public keys. P-384 costs 1.4 KB; fast reduction (NIST_OPTIM) 1.8 KB, and saves most of the time.
// Windows of 3 bits: 12 % faster than 2 in the same heap; 4 would be 5 % faster for 1 KB of it.
// What is checked with public numbers needs no blinding (NO_INTERNAL_RNG); the key exchange has it.
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

// Certificates. Up to four stand between a server's and an anchor.
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE
#define MBEDTLS_X509_MAX_INTERMEDIATE_CA 4

// TLS. Tickets cost 0.4 KB. No MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH: a static heap must hold the
// large buffers of the handshake anyway, and mbedTLS 2.28 makes them as small as was asked for even
// where the server did not agree. No renegotiation.
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
