// SPDX-License-Identifier: Apache-2.0
// Fuzz target of src/plugin. The first byte of the input chooses the reader: a plug-in file (f) or
// metadata (m).
//
// Cryptography is made easy here: every digest is zero and every signature not beginning with
// 0xFF is valid, so that the fuzzer gets past it to everything behind.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plugin/file.h"

void ag_crypto_sha256_init(struct ag_sha256 *hash)
{
    memset(hash, 0, sizeof *hash);
}

void ag_crypto_sha256_update(struct ag_sha256 *hash, const void *bytes, size_t size)
{
    hash->opaque[0] += fuzz_hash(FUZZ_HASH_START, bytes, size) & 1; // every byte is read
}

void ag_crypto_sha256_finish(struct ag_sha256 *hash, uint8_t *digest)
{
    (void)hash;
    if (digest)
        memset(digest, 0, AG_SHA256_SIZE);
}

bool ag_crypto_ed25519_verify(const uint8_t key[AG_ED25519_KEY_SIZE], const void *bytes,
                              size_t size, const uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    (void)key, (void)bytes, (void)size;
    return signature[0] != 0xFF;
}

static const uint8_t key[AG_ED25519_KEY_SIZE];
static const struct ag_key_list keys = { key, 1 };

// A copy of its own size, so that AddressSanitizer sees every read beyond it.
static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static enum ag_status head_of(const uint8_t *bytes, size_t size, struct ag_plugin_head *head)
{
    uint8_t *copy = copy_of(bytes, size);
    const enum ag_status status = ag_file_head_check(copy, size, &keys, head);
    free(copy);
    return status;
}

// What a prefix says: only that it is too short, until it says what the whole does.
static void check_prefix(const uint8_t *bytes, size_t size, size_t prefix_size)
{
    struct ag_plugin_head head;
    struct ag_plugin_head whole;
    const enum ag_status status = head_of(bytes, prefix_size, &head);
    const enum ag_status whole_status = head_of(bytes, size, &whole);
    FUZZ_CHECK(status == AG_ERR_TRUNCATED || status == whole_status);
    FUZZ_CHECK(status != AG_ERR_TRUNCATED || prefix_size < AG_FILE_HEAD_MAX);
    if (whole_status == AG_OK)
        FUZZ_CHECK((status == AG_OK) == (prefix_size >= whole.size));
}

static void check_file(const uint8_t *bytes, size_t size, uint8_t cut)
{
    struct ag_plugin_head head;
    struct ag_file_proof proof;
    uint8_t sha256[AG_SHA256_SIZE];
    uint8_t *copy = copy_of(bytes, size);
    check_prefix(bytes, size, size * cut / 256);
    const enum ag_status status = ag_file_check(copy, size, &keys, &head, sha256);
    if (ag_file_head_check(copy, size, &keys, &head) == AG_OK) {
        ag_file_proof_init(&proof, copy, &head);
        (void)ag_file_proof_step(&proof, size * cut / 256, 100);
        FUZZ_CHECK(ag_file_proof_finish(&proof, size, sha256) == status);
    }
    free(copy);
}

static void check_metadata(const uint8_t *bytes, size_t size)
{
    struct ag_plugin_metadata metadata;
    struct ag_plugin_metadata back;
    uint8_t written[AG_METADATA_SIZE_MAX];
    struct ag_writer writer;
    uint8_t *copy = copy_of(bytes, size);
    const enum ag_status status = ag_metadata_read(copy, size, &metadata);
    if (status != AG_OK) {
        free(copy);
        return;
    }
    ag_writer_init(&writer, written, sizeof written);
    ag_metadata_write(&writer, &metadata);
    FUZZ_CHECK(writer.status == AG_OK && writer.size <= size);
    FUZZ_CHECK(ag_metadata_read(written, writer.size, &back) == AG_OK);
    FUZZ_CHECK(metadata.schema_size == back.schema_size);
    if (back.schema_size > 0)
        FUZZ_CHECK(memcmp(metadata.schema, back.schema, back.schema_size) == 0);
    back.schema = metadata.schema;
    free(copy);
    FUZZ_CHECK(memcmp(&metadata, &back, sizeof back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return 0;
    if (bytes[0] == 'f')
        check_file(bytes + 2, size - 2, bytes[1]);
    if (bytes[0] == 'm')
        check_metadata(bytes + 1, size - 1);
    return 0;
}
