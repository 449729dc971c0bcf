// SPDX-License-Identifier: Apache-2.0
// Reads the TLS roots of a trust store object from PEM files.
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/trustfile.h"

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
