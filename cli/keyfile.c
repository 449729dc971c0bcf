// SPDX-License-Identifier: Apache-2.0
// Ed25519 keys in files, by OpenSSL.
#include "cli/keyfile.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static bool fail_kind(const char *path, const char *wanted)
{
    ag_output_fail("airgraft keygen NAME makes NAME.key and NAME.pub", "%s is not %s", path,
                   wanted);
    return false;
}

// A key that asks for a pass phrase is not ours; never prompt.
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

// Reads PEM with one of OpenSSL's two readers. NULL when it is not that.
static EVP_PKEY *parse(const uint8_t *bytes, size_t size, bool is_private)
{
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    EVP_PKEY *key = NULL;
    if (bio && is_private)
        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    else if (bio)
        key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return key;
}

// Takes over `pkey`. False when it is of another kind than Ed25519.
static bool adopt(EVP_PKEY *pkey, bool is_private, struct ag_keyfile *key)
{
    struct ag_keyfile made = { .key = is_private ? pkey : NULL };
    size_t size = sizeof made.public_;
    const bool fits = EVP_PKEY_get_id(pkey) == EVP_PKEY_ED25519 &&
                      EVP_PKEY_get_raw_public_key(pkey, made.public_, &size) == 1;
    if (!fits || !is_private)
        EVP_PKEY_free(pkey);
    if (!fits)
        return false;
    ag_keys_id(made.public_, made.id);
    *key = made;
    return true;
}

static void note_open_permissions(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
        ag_output_note("%s can be read by others; chmod 600 it", path);
}

bool ag_keyfile_open_private(const char *path, struct ag_keyfile *key)
{
    uint8_t *bytes;
    size_t size;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return false;
    EVP_PKEY *pkey = parse(bytes, size, true);
    OPENSSL_cleanse(bytes, size);
    free(bytes);
    if (!pkey || !adopt(pkey, true, key))
        return fail_kind(path, "an unencrypted Ed25519 private key in PEM");
    note_open_permissions(path);
    return true;
}

bool ag_keyfile_open_public(const char *path, struct ag_keyfile *key)
{
    uint8_t *bytes;
    size_t size;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return false;
    EVP_PKEY *pkey = parse(bytes, size, false);
    if (!pkey)
        pkey = parse(bytes, size, true);
    OPENSSL_cleanse(bytes, size);
    free(bytes);
    if (!pkey || !adopt(pkey, false, key))
        return fail_kind(path, "an Ed25519 public key in PEM");
    return true;
}

void ag_keyfile_close(struct ag_keyfile *key)
{
    EVP_PKEY_free(key->key);
    key->key = NULL;
}

// Writes one half of the pair. OpenSSL fails here only when memory is exhausted.
static bool write_half(const char *path, EVP_PKEY *pkey, bool is_private)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    bool written = false;
    if (bio && is_private)
        written = PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1;
    else if (bio)
        written = PEM_write_bio_PUBKEY(bio, pkey) == 1;
    const long size = written ? BIO_get_mem_data(bio, &text) : 0;
    if (!written)
        ag_output_fail(NULL, "cannot encode the key");
    else
        written = ag_input_write(path, is_private ? 0600 : 0644, AG_INPUT_KEEP, text, (size_t)size);
    BIO_free(bio);
    return written;
}

bool ag_keyfile_create(const char *private_path, const char *public_path, struct ag_keyfile *key)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!pkey) {
        ag_output_fail(NULL, "cannot make a key");
        return false;
    }
    if (!write_half(private_path, pkey, true))
        goto failed;
    if (!write_half(public_path, pkey, false))
        goto failed_public;
    return adopt(pkey, true, key);
failed_public:
    unlink(private_path);
failed:
    EVP_PKEY_free(pkey);
    return false;
}

void ag_keyfile_sign(const struct ag_keyfile *key, const void *bytes, size_t size,
                     uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t made = AG_ED25519_SIGN_SIZE;
    const bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
                      EVP_DigestSign(context, signature, &made, bytes, size) == 1;
    EVP_MD_CTX_free(context);
    if (!done)
        exit(ag_output_fail("close other programs", "cannot sign: out of memory"));
}
