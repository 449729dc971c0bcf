// SPDX-License-Identifier: Apache-2.0
// Makes trust store objects.
#include "cli/trustfile.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "cli/cli.h"

static void append_le(struct ag_buffer *out, uint32_t value, int size)
{
    for (int i = 0; i < size; i++)
        ag_buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

void ag_trustfile_make(const struct ag_trustfile_plan *plan, struct ag_buffer *out)
{
    const size_t start = out->size;
    append_le(out, AG_TRUST_MAGIC, 4);
    append_le(out, AG_TRUST_FORMAT, 1);
    append_le(out, plan->threshold, 1);
    append_le(out, (uint32_t)plan->authority_count, 1);
    append_le(out, (uint32_t)plan->plugin_count, 1);
    append_le(out, (uint32_t)plan->root_count, 1);
    append_le(out, (uint32_t)plan->signer_count, 1);
    append_le(out, 0, 2);
    append_le(out, plan->epoch, 4);
    ag_buffer_append(out, plan->authority_keys, plan->authority_count * AG_ED25519_KEY_SIZE);
    ag_buffer_append(out, plan->plugin_keys, plan->plugin_count * AG_ED25519_KEY_SIZE);
    for (size_t i = 0; i < plan->root_count; i++) {
        append_le(out, (uint32_t)plan->roots[i].size, 2);
        ag_buffer_append(out, plan->roots[i].bytes, plan->roots[i].size);
    }
    uint8_t message[AG_TRUST_MESSAGE_SIZE];
    ag_trust_message(out->bytes + start, out->size - start, message);
    for (size_t i = 0; i < plan->signer_count; i++) {
        uint8_t signature[AG_ED25519_SIGN_SIZE];
        ag_keyfile_sign(&plan->signers[i], message, sizeof message, signature);
        ag_buffer_append(out, plan->signers[i].id, AG_KEYS_ID_SIZE);
        ag_buffer_append(out, signature, sizeof signature);
    }
}

static bool add_root(const char *path, X509 *certificate, struct ag_buffer *root)
{
    uint8_t *der = NULL;
    const int size = i2d_X509(certificate, &der);
    const bool fits = size > 0 && size <= UINT16_MAX; // as the format holds lengths of two bytes
    if (fits)
        ag_buffer_append(root, der, (size_t)size);
    else
        ag_output_fail("leave it out", "%s: a certificate of %d bytes does not fit", path, size);
    OPENSSL_free(der);
    return fits;
}

bool ag_trustfile_read_roots(const char *path, struct ag_buffer roots[AG_TRUST_ROOT_MAX],
                             size_t *count)
{
    uint8_t *bytes;
    size_t size;
    const size_t before = *count;
    bool fits = true;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return false;
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    X509 *certificate;
    while (fits && bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        if (*count == AG_TRUST_ROOT_MAX) {
            ag_output_fail("leave some out", "more than %u TLS roots", AG_TRUST_ROOT_MAX);
            fits = false;
        } else {
            fits = add_root(path, certificate, &roots[(*count)++]);
        }
        X509_free(certificate);
    }
    BIO_free(bio);
    free(bytes);
    if (fits && *count == before) {
        ag_output_fail("give the certificates in PEM", "%s holds no certificate", path);
        fits = false;
    }
    return fits;
}
