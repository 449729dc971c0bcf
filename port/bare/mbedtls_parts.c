// SPDX-License-Identifier: Apache-2.0
// Parts of mbedTLS as this firmware has them, in place of pk_wrap.c, rsa_internal.c and half of
// aes.c. A client without a certificate only ever checks signatures and GCM only ever encrypts
// blocks; mbedTLS's own tables of functions would keep 6 KB of private-key code in the image.
#include "port/bare/mbedtls_parts.h"

#include <mbedtls/aes.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/pk_internal.h>
#include <mbedtls/platform.h>
#include <mbedtls/rsa.h>
#include <mbedtls/rsa_internal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// RSA: PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512. Large keys are worked on in three calls,
// between which the power so far stays with the key.

struct rsa_key {
    mbedtls_rsa_context rsa;        // first: what mbedTLS sees of it
    const unsigned char *signature; // that is being checked; NULL: none
    mbedtls_mpi power;              // of it, so far
    uint8_t calls_done;
};

enum {
    RSA_AT_ONCE = 256, // bytes of a key that is not large
};

static bool has_verified; // in this step

void ag_mbedtls_parts_begin_step(void)
{
    has_verified = false;
}

static size_t rsa_bits(const void *context)
{
    return 8 * mbedtls_rsa_get_len(context);
}

static int rsa_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_RSA;
}

static int raise(struct rsa_key *key, const mbedtls_mpi *exponent)
{
    return mbedtls_mpi_exp_mod(&key->power, &key->power, exponent, &key->rsa.N, &key->rsa.RN);
}

static int raise_to(struct rsa_key *key, int exponent)
{
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int result = mbedtls_mpi_lset(&number, exponent);
    if (result == 0)
        result = raise(key, &number);
    mbedtls_mpi_free(&number);
    return result;
}

static int multiply(struct rsa_key *key, const unsigned char *factor, size_t size)
{
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int result = mbedtls_mpi_read_binary(&number, factor, size);
    if (result == 0)
        result = mbedtls_mpi_mul_mpi(&key->power, &key->power, &number);
    if (result == 0)
        result = mbedtls_mpi_mod_mpi(&key->power, &key->power, &key->rsa.N);
    mbedtls_mpi_free(&number);
    return result;
}

// The signature to the power of the key's exponent, or a part of it: MBEDTLS_ERR_ECP_IN_PROGRESS.
static int rsa_power(struct rsa_key *key, const unsigned char *signature, size_t size)
{
    int result = 0;
    if (key->signature != signature) {
        result = mbedtls_mpi_read_binary(&key->power, signature, size);
        if (result == 0 && mbedtls_mpi_cmp_mpi(&key->power, &key->rsa.N) >= 0)
            result = MBEDTLS_ERR_RSA_VERIFY_FAILED;
        key->calls_done = 0;
        key->signature = signature;
    }
    if (result != 0)
        return result;
    if (size <= RSA_AT_ONCE || mbedtls_mpi_cmp_int(&key->rsa.E, 65537) != 0)
        return raise(key, &key->rsa.E);
    switch (key->calls_done++) {
    case 0: // for what the next calls need, too: a number of mbedTLS's that stays with the key
        result = raise_to(key, 1);
        break;
    case 1:
    case 2:
        result = raise_to(key, 256);
        break;
    default:
        return multiply(key, signature, size);
    }
    return result == 0 ? MBEDTLS_ERR_ECP_IN_PROGRESS : result;
}

// RFC 8017, 9.2: 00 01 FF … FF 00, the digest's name, the digest; every byte of it is checked.
static bool is_encoded(const uint8_t *block, size_t size, mbedtls_md_type_t digest,
                       const uint8_t *hash, size_t hash_size)
{
    uint8_t name[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
    const size_t end_size = 1 + sizeof name + hash_size; // from the 00 on
    const uint8_t kind = digest == MBEDTLS_MD_SHA256   ? 1
                         : digest == MBEDTLS_MD_SHA384 ? 2
                         : digest == MBEDTLS_MD_SHA512 ? 3
                                                       : 0;
    name[1] = (uint8_t)(0x21 + 16 * kind); // of 32, 48 or 64 bytes
    name[14] = kind;
    name[18] = (uint8_t)(16 + 16 * kind);
    if (kind == 0)
        return false;
    if (hash_size != name[18] || size < 2 + 8 + end_size)
        return false;
    const size_t end = size - end_size;
    bool is_right = block[0] == 0 && block[1] == 1 && block[end] == 0;
    for (size_t i = 2; i < end; i++)
        is_right &= block[i] == 0xFF;
    return is_right && memcmp(block + end + 1, name, sizeof name) == 0 &&
           memcmp(block + end + 1 + sizeof name, hash, hash_size) == 0;
}

static int rsa_verify(void *context, mbedtls_md_type_t digest, const unsigned char *hash,
                      size_t hash_size, const unsigned char *signature, size_t size)
{
    struct rsa_key *key = context;
    if (size != mbedtls_rsa_get_len(&key->rsa))
        return MBEDTLS_ERR_RSA_VERIFY_FAILED;
    if (has_verified)
        return MBEDTLS_ERR_ECP_IN_PROGRESS; // X.509 and TLS come again, as for elliptic curves
    has_verified = true;
    int result = rsa_power(key, signature, size);
    if (result == MBEDTLS_ERR_ECP_IN_PROGRESS)
        return result;
    uint8_t *block = mbedtls_calloc(1, size);
    if (result == 0)
        result = block ? mbedtls_mpi_write_binary(&key->power, block, size)
                       : MBEDTLS_ERR_MPI_ALLOC_FAILED;
    if (result == 0 && !is_encoded(block, size, digest, hash, hash_size))
        result = MBEDTLS_ERR_RSA_VERIFY_FAILED;
    mbedtls_free(block);
    mbedtls_mpi_free(&key->power);
    key->signature = NULL;
    return result;
}

static void *rsa_alloc(void)
{
    struct rsa_key *key = mbedtls_calloc(1, sizeof *key);
    if (!key)
        return NULL;
    mbedtls_rsa_init(&key->rsa, MBEDTLS_RSA_PKCS_V15, 0);
    mbedtls_mpi_init(&key->power);
    return key;
}

static void rsa_free(void *context)
{
    struct rsa_key *key = context;
    mbedtls_mpi_free(&key->power);
    mbedtls_rsa_free(&key->rsa);
    mbedtls_free(key);
}

const mbedtls_pk_info_t mbedtls_rsa_info = {
    .type = MBEDTLS_PK_RSA,
    .name = "RSA",
    .get_bitlen = rsa_bits,
    .can_do = rsa_can_do,
    .verify_func = rsa_verify,
    .ctx_alloc_func = rsa_alloc,
    .ctx_free_func = rsa_free,
};

// What mbedtls_rsa_complete calls for a key that is not only public.

int mbedtls_rsa_deduce_primes(const mbedtls_mpi *n, const mbedtls_mpi *e, const mbedtls_mpi *d,
                              mbedtls_mpi *p, mbedtls_mpi *q)
{
    (void)n, (void)e, (void)d, (void)p, (void)q;
    return MBEDTLS_ERR_RSA_BAD_INPUT_DATA;
}

int mbedtls_rsa_deduce_private_exponent(const mbedtls_mpi *p, const mbedtls_mpi *q,
                                        const mbedtls_mpi *e, mbedtls_mpi *d)
{
    (void)p, (void)q, (void)e, (void)d;
    return MBEDTLS_ERR_RSA_BAD_INPUT_DATA;
}

int mbedtls_rsa_deduce_crt(const mbedtls_mpi *p, const mbedtls_mpi *q, const mbedtls_mpi *d,
                           mbedtls_mpi *dp, mbedtls_mpi *dq, mbedtls_mpi *qp)
{
    (void)p, (void)q, (void)d, (void)dp, (void)dq, (void)qp;
    return MBEDTLS_ERR_RSA_BAD_INPUT_DATA;
}

// Elliptic curves. A key of mbedTLS is an ECDSA context, too, so that no copy of it is needed.

_Static_assert(_Generic((mbedtls_ecp_keypair *)0, mbedtls_ecdsa_context * : 1, default : 0),
               "a key is no ECDSA context");

static size_t ec_bits(const void *context)
{
    return ((const mbedtls_ecp_keypair *)context)->grp.pbits;
}

static int ec_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECKEY_DH || type == MBEDTLS_PK_ECDSA;
}

static int ec_verify_step(void *context, mbedtls_md_type_t digest, const unsigned char *hash,
                          size_t hash_size, const unsigned char *signature, size_t size,
                          void *restart)
{
    (void)digest;
    const int result = mbedtls_ecdsa_read_signature_restartable(context, hash, hash_size, signature,
                                                                size, restart);
    return result == MBEDTLS_ERR_ECP_SIG_LEN_MISMATCH ? MBEDTLS_ERR_PK_SIG_LEN_MISMATCH : result;
}

static int ec_verify(void *context, mbedtls_md_type_t digest, const unsigned char *hash,
                     size_t hash_size, const unsigned char *signature, size_t size)
{
    return ec_verify_step(context, digest, hash, hash_size, signature, size, NULL);
}

static void *ec_alloc(void)
{
    mbedtls_ecp_keypair *context = mbedtls_calloc(1, sizeof *context);
    if (context)
        mbedtls_ecp_keypair_init(context);
    return context;
}

static void ec_free(void *context)
{
    mbedtls_ecp_keypair_free(context);
    mbedtls_free(context);
}

static void *ec_restart_alloc(void)
{
    mbedtls_ecdsa_restart_ctx *restart = mbedtls_calloc(1, sizeof *restart);
    if (restart)
        mbedtls_ecdsa_restart_init(restart);
    return restart;
}

static void ec_restart_free(void *restart)
{
    mbedtls_ecdsa_restart_free(restart);
    mbedtls_free(restart);
}

const mbedtls_pk_info_t mbedtls_eckey_info = {
    .type = MBEDTLS_PK_ECKEY,
    .name = "EC",
    .get_bitlen = ec_bits,
    .can_do = ec_can_do,
    .verify_func = ec_verify,
    .verify_rs_func = ec_verify_step,
    .ctx_alloc_func = ec_alloc,
    .ctx_free_func = ec_free,
    .rs_alloc_func = ec_restart_alloc,
    .rs_free_func = ec_restart_free,
};

// Kinds of key that no certificate of a server has: there is never one.

static void *no_alloc(void)
{
    return NULL;
}

const mbedtls_pk_info_t mbedtls_eckeydh_info = { .name = "EC_DH", .ctx_alloc_func = no_alloc };
const mbedtls_pk_info_t mbedtls_ecdsa_info = { .name = "ECDSA", .ctx_alloc_func = no_alloc };

// AES.

int mbedtls_aes_setkey_dec(mbedtls_aes_context *context, const unsigned char *key, unsigned bits)
{
    (void)context, (void)key, (void)bits;
    return MBEDTLS_ERR_AES_FEATURE_UNAVAILABLE;
}

int mbedtls_internal_aes_decrypt(mbedtls_aes_context *context, const unsigned char input[16],
                                 unsigned char output[16])
{
    (void)context, (void)input, (void)output;
    return MBEDTLS_ERR_AES_FEATURE_UNAVAILABLE;
}
