// SPDX-License-Identifier: Apache-2.0
// Parts of mbedTLS as this firmware has them, in place of pk_wrap.c, rsa_internal.c and half of
// aes.c. A client without a certificate only ever checks signatures and GCM only ever encrypts
// blocks; mbedTLS's own tables of functions would keep 6 KB of private-key code in the image.
#include <mbedtls/aes.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/pk_internal.h>
#include <mbedtls/platform.h>
#include <mbedtls/rsa.h>
#include <mbedtls/rsa_internal.h>

// RSA.

static size_t rsa_bits(const void *context)
{
    return 8 * mbedtls_rsa_get_len(context);
}

static int rsa_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_RSA;
}

static int rsa_verify(void *context, mbedtls_md_type_t digest, const unsigned char *hash,
                      size_t hash_size, const unsigned char *signature, size_t size)
{
    const size_t want = mbedtls_rsa_get_len(context);
    if (size < want)
        return MBEDTLS_ERR_RSA_VERIFY_FAILED;
    const int result = mbedtls_rsa_pkcs1_verify(context, NULL, NULL, MBEDTLS_RSA_PUBLIC, digest,
                                                (unsigned)hash_size, hash, signature);
    return result == 0 && size > want ? MBEDTLS_ERR_PK_SIG_LEN_MISMATCH : result;
}

static void *rsa_alloc(void)
{
    mbedtls_rsa_context *context = mbedtls_calloc(1, sizeof *context);
    if (context)
        mbedtls_rsa_init(context, MBEDTLS_RSA_PKCS_V15, 0);
    return context;
}

static void rsa_free(void *context)
{
    mbedtls_rsa_free(context);
    mbedtls_free(context);
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
