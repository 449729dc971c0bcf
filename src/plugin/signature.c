// SPDX-License-Identifier: Apache-2.0
// Reads the signature section.
#include "plugin/signature.h"

#include <string.h>

// The first three bytes of the section, and of what is signed behind "wasmsig".
static const uint8_t kinds[3] = {
    1, // version of the specification
    1, // content: a WebAssembly module
    1, // hash: SHA-256
};
#define ALGORITHM_ED25519 1u

static void require(struct ag_reader *reader, bool condition)
{
    if (!condition)
        ag_reader_fail(reader, AG_ERR_FILE_SIGNATURE);
}

// Counts and lengths here are all below 128: one byte each when encoded as short as possible.
static uint8_t read_count(struct ag_reader *reader, uint8_t least, uint8_t most)
{
    const uint8_t count = ag_reader_u8(reader);
    require(reader, count >= least && count <= most);
    return reader->status == AG_OK ? count : 0;
}

static void read_signer(struct ag_reader *reader, struct ag_signer *signer)
{
    signer->key_id_size = read_count(reader, 0, AG_SIGNATURE_KEY_ID_MAX);
    signer->key_id = ag_reader_bytes(reader, signer->key_id_size);
    require(reader, ag_reader_u8(reader) == ALGORITHM_ED25519);
    (void)read_count(reader, AG_ED25519_SIGN_SIZE, AG_ED25519_SIGN_SIZE);
    signer->signature = ag_reader_bytes(reader, AG_ED25519_SIGN_SIZE);
}

enum ag_status ag_signature_read(const void *bytes, size_t size, struct ag_signature *signature)
{
    struct ag_reader reader;
    ag_reader_init(&reader, bytes, size);
    const uint8_t *begin = ag_reader_bytes(&reader, sizeof kinds);
    require(&reader, begin && memcmp(begin, kinds, sizeof kinds) == 0);
    (void)read_count(&reader, 1, 1); // sets of signed hashes
    (void)read_count(&reader, AG_SIGNATURE_PARTS, AG_SIGNATURE_PARTS);
    signature->hashes = ag_reader_bytes(&reader, AG_SIGNATURE_PARTS * AG_SHA256_SIZE);
    signature->signer_count = read_count(&reader, 1, AG_CFG_SIGNER_MAX);
    for (size_t i = 0; i < signature->signer_count; i++)
        read_signer(&reader, &signature->signers[i]);
    require(&reader, ag_reader_left(&reader) == 0);
    return reader.status == AG_OK ? AG_OK : AG_ERR_FILE_SIGNATURE;
}

void ag_signature_message(const uint8_t hashes[AG_SIGNATURE_PARTS * AG_SHA256_SIZE],
                          uint8_t message[AG_SIGNATURE_MESSAGE_SIZE])
{
    memcpy(message, "wasmsig", 7);
    memcpy(message + 7, kinds, sizeof kinds);
    memcpy(message + 10, hashes, AG_SIGNATURE_PARTS * AG_SHA256_SIZE);
}
