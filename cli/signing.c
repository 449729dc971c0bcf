// SPDX-License-Identifier: Apache-2.0
// Puts a signature into a plug-in file.
#include "cli/signing.h"

#include <string.h>

#include "base/reader.h"
#include "plugin/sections.h"
#include "plugin/signature.h"

// Walks to the end: the last section must be the second and last delimiter.
static enum ag_status check_tail(struct ag_reader *reader)
{
    struct ag_section section;
    do {
        const enum ag_status status = ag_sections_next(reader, &section);
        if (status != AG_OK)
            return status;
    } while (!ag_sections_is(&section, AG_SECTIONS_DELIMITER));
    return ag_reader_left(reader) == 0 ? AG_OK : AG_ERR_FILE_SIZE;
}

enum ag_status ag_signing_open(const void *bytes, size_t size, struct ag_signing_file *file)
{
    struct ag_reader reader;
    struct ag_section section;
    memset(file, 0, sizeof *file);
    ag_reader_init(&reader, bytes, size);
    enum ag_status status = ag_sections_begin(&reader);
    if (status == AG_OK)
        status = ag_sections_next(&reader, &section);
    if (status == AG_OK && ag_sections_is(&section, AG_SECTIONS_SIGNATURE)) {
        file->signature = section.payload;
        file->signature_size = section.payload_size;
        status = ag_sections_next(&reader, &section);
    }
    if (status != AG_OK)
        return status;
    if (!ag_sections_is(&section, AG_SECTIONS_METADATA))
        return AG_ERR_FILE_METADATA;
    file->covered = reader.start + section.offset;
    file->covered_size = size - section.offset;
    status = ag_metadata_read(section.payload, section.payload_size, &file->metadata);
    if (status != AG_OK)
        return status;
    status = ag_sections_next(&reader, &section);
    if (status != AG_OK)
        return status;
    if (!ag_sections_is(&section, AG_SECTIONS_DELIMITER) ||
        section.size != AG_SECTIONS_DELIMITER_SIZE)
        return AG_ERR_FILE_METADATA;
    file->head_size = (size_t)(reader.at - file->covered);
    ag_crypto_sha256(file->covered, file->head_size, file->hashes);
    ag_crypto_sha256(file->covered, file->covered_size, file->hashes + AG_SHA256_SIZE);
    return check_tail(&reader);
}

// The signers that stay: none of an unsigned file.
static enum ag_status read_signers(const struct ag_signing_file *file, const struct ag_keyfile *key,
                                   struct ag_signature *signature)
{
    memset(signature, 0, sizeof *signature);
    if (!file->signature)
        return AG_OK;
    const enum ag_status status =
        ag_signature_read(file->signature, file->signature_size, signature);
    if (status != AG_OK)
        return status;
    if (memcmp(signature->hashes, file->hashes, sizeof file->hashes) != 0)
        return AG_ERR_FILE_HASH;
    if (signature->signer_count == AG_CFG_SIGNER_MAX)
        return AG_ERR_NO_SPACE;
    uint8_t message[AG_SIGNATURE_MESSAGE_SIZE];
    const struct ag_key_list keys = { key->public_, 1 };
    size_t index;
    ag_signature_message(file->hashes, message);
    for (size_t i = 0; i < signature->signer_count; i++) {
        const struct ag_signer *signer = &signature->signers[i];
        if (ag_keys_verify(&keys, signer->key_id, signer->key_id_size, message, sizeof message,
                           signer->signature, &index) == AG_KEYS_VALID)
            return AG_ERR_ARGUMENT;
    }
    return AG_OK;
}

static void append_signer(struct ag_buffer *payload, const uint8_t *key_id, size_t key_id_size,
                          const uint8_t signature[AG_ED25519_SIGN_SIZE])
{
    ag_buffer_append_u8(payload, (uint8_t)key_id_size);
    ag_buffer_append(payload, key_id, key_id_size);
    ag_buffer_append_u8(payload, 1); // Ed25519
    ag_buffer_append_u8(payload, AG_ED25519_SIGN_SIZE);
    ag_buffer_append(payload, signature, AG_ED25519_SIGN_SIZE);
}

enum ag_status ag_signing_add(const struct ag_signing_file *file, const struct ag_keyfile *key,
                              struct ag_buffer *out)
{
    struct ag_signature before;
    struct ag_buffer payload = { 0 };
    uint8_t message[AG_SIGNATURE_MESSAGE_SIZE];
    uint8_t signature[AG_ED25519_SIGN_SIZE];
    const enum ag_status status = read_signers(file, key, &before);
    if (status != AG_OK)
        return status;
    ag_signature_message(file->hashes, message);
    ag_keyfile_sign(key, message, sizeof message, signature);

    ag_buffer_append(&payload, "\1\1\1\1\2", 5); // version, content, hash, one set, two hashes
    ag_buffer_append(&payload, file->hashes, sizeof file->hashes);
    ag_buffer_append_u8(&payload, (uint8_t)(before.signer_count + 1));
    for (size_t i = 0; i < before.signer_count; i++)
        append_signer(&payload, before.signers[i].key_id, before.signers[i].key_id_size,
                      before.signers[i].signature);
    append_signer(&payload, key->id, sizeof key->id, signature);

    ag_buffer_append(out, "\0asm\1\0\0\0", 8);
    ag_signing_append_custom(out, AG_SECTIONS_SIGNATURE, payload.bytes, payload.size);
    ag_buffer_append(out, file->covered, file->covered_size);
    ag_buffer_clear(&payload);
    return AG_OK;
}

void ag_signing_append_custom(struct ag_buffer *out, const char *name, const void *payload,
                              size_t size)
{
    const size_t name_size = strlen(name);
    ag_buffer_append_u8(out, 0);
    ag_buffer_append_leb(out, (uint32_t)(1 + name_size + size));
    ag_buffer_append_u8(out, (uint8_t)name_size);
    ag_buffer_append(out, name, name_size);
    ag_buffer_append(out, payload, size);
}
