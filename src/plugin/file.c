// SPDX-License-Identifier: Apache-2.0
// Proof of a plug-in file's head and of the whole file.
//
// What always holds: metadata is read only after its hash was found among the signed ones, and the
// standard sections are walked only after theirs was.
#include "plugin/file.h"

#include <string.h>

#include "base/reader.h"
#include "plugin/abi.h"
#include "plugin/sections.h"

_Static_assert(sizeof AG_SECTIONS_DELIMITER - 1 + AG_SECTIONS_DELIMITER_PAYLOAD + 3 ==
                   AG_SECTIONS_DELIMITER_SIZE,
               "a delimiter section has 38 bytes");

// Reads one section of the head: custom, of this name and at most this size. Says `refusal` as
// soon as the bytes that are there show that it is something else, so that a stranger's file is
// refused without fetching more of it.
static enum ag_status read_head_section(struct ag_reader *reader, const char *name, size_t size_max,
                                        enum ag_status refusal, struct ag_section *section)
{
    struct ag_reader probe = *reader;
    uint8_t id;
    uint32_t body_size;
    const bool any = ag_reader_left(reader) > 0;
    const enum ag_status header = ag_sections_header(&probe, &id, &body_size);
    if (header != AG_OK && header != AG_ERR_TRUNCATED)
        return refusal;
    if (any && id != 0)
        return refusal;
    if (header != AG_OK)
        return AG_ERR_TRUNCATED;
    if (body_size > size_max - (ag_reader_offset(&probe) - ag_reader_offset(reader)))
        return refusal;
    const size_t name_size = strlen(name);
    if (ag_reader_left(&probe) > name_size &&
        (probe.at[0] != name_size || memcmp(probe.at + 1, name, name_size) != 0))
        return refusal;
    const enum ag_status status = ag_sections_next(reader, section);
    if (status == AG_ERR_TRUNCATED)
        return status;
    return status == AG_OK && ag_sections_is(section, name) ? AG_OK : refusal;
}

// Every signer whose key is known must have signed; at least one must be known.
static enum ag_status check_signers(const struct ag_signature *signature,
                                    const struct ag_key_list *keys, uint8_t signer[AG_KEYS_ID_SIZE])
{
    uint8_t message[AG_SIGNATURE_MESSAGE_SIZE];
    bool found = false;
    ag_signature_message(signature->hashes, message);
    for (size_t i = 0; i < signature->signer_count; i++) {
        const struct ag_signer *one = &signature->signers[i];
        size_t index;
        switch (ag_keys_verify(keys, one->key_id, one->key_id_size, message, sizeof message,
                               one->signature, &index)) {
        case AG_KEYS_UNKNOWN:
            break;
        case AG_KEYS_FORGED:
            return AG_ERR_FILE_FORGED;
        case AG_KEYS_VALID:
            if (!found)
                memcpy(signer, one->key_id, AG_KEYS_ID_SIZE);
            found = true;
            break;
        }
    }
    return found ? AG_OK : AG_ERR_FILE_KEY;
}

static enum ag_status check_signature(struct ag_reader *reader, const struct ag_key_list *keys,
                                      struct ag_signature *signature, struct ag_plugin_head *head)
{
    struct ag_section section;
    enum ag_status status = read_head_section(
        reader, AG_SECTIONS_SIGNATURE, AG_SIGNATURE_SECTION_MAX, AG_ERR_FILE_UNSIGNED, &section);
    if (status != AG_OK)
        return status;
    status = ag_signature_read(section.payload, section.payload_size, signature);
    if (status != AG_OK)
        return status;
    head->hashed_from = ag_reader_offset(reader);
    memcpy(head->whole_hash, signature->hashes + AG_SHA256_SIZE, AG_SHA256_SIZE);
    return check_signers(signature, keys, head->signer);
}

enum ag_status ag_file_head_check(const void *bytes, size_t size, const struct ag_key_list *keys,
                                  struct ag_plugin_head *head)
{
    struct ag_reader reader;
    struct ag_signature signature;
    struct ag_section metadata;
    struct ag_section delimiter;
    uint8_t digest[AG_SHA256_SIZE];
    ag_reader_init(&reader, bytes, size);
    enum ag_status status = ag_sections_begin(&reader);
    if (status != AG_OK)
        return status;
    status = check_signature(&reader, keys, &signature, head);
    if (status != AG_OK)
        return status;
    status = read_head_section(&reader, AG_SECTIONS_METADATA, AG_METADATA_SECTION_MAX,
                               AG_ERR_FILE_METADATA, &metadata);
    if (status != AG_OK)
        return status;
    status = read_head_section(&reader, AG_SECTIONS_DELIMITER, AG_SECTIONS_DELIMITER_SIZE,
                               AG_ERR_FILE_METADATA, &delimiter);
    if (status != AG_OK)
        return status;
    if (delimiter.size != AG_SECTIONS_DELIMITER_SIZE)
        return AG_ERR_FILE_METADATA;
    head->size = ag_reader_offset(&reader);
    ag_crypto_sha256(reader.start + head->hashed_from, head->size - head->hashed_from, digest);
    if (memcmp(digest, signature.hashes, sizeof digest) != 0)
        return AG_ERR_FILE_HASH;
    status = ag_metadata_read(metadata.payload, metadata.payload_size, &head->metadata);
    if (status != AG_OK)
        return status;
    return head->metadata.abi == AG_ABI_VERSION ? AG_OK : AG_ERR_FILE_ABI;
}

void ag_file_proof_init(struct ag_file_proof *proof, const void *bytes,
                        const struct ag_plugin_head *head)
{
    proof->bytes = bytes;
    proof->hashed_from = head->hashed_from;
    proof->head_size = head->size;
    proof->done = 0;
    memcpy(proof->want, head->whole_hash, sizeof proof->want);
    ag_crypto_sha256_init(&proof->whole);
    ag_crypto_sha256_init(&proof->covered);
}

bool ag_file_proof_step(struct ag_file_proof *proof, size_t available, size_t budget)
{
    if (available <= proof->done)
        return true;
    const size_t left = available - proof->done;
    const size_t from = proof->done;
    const size_t to = from + (left < budget ? left : budget);
    const size_t covered_from = from > proof->hashed_from ? from : proof->hashed_from;
    ag_crypto_sha256_update(&proof->whole, proof->bytes + from, to - from);
    if (to > covered_from)
        ag_crypto_sha256_update(&proof->covered, proof->bytes + covered_from, to - covered_from);
    proof->done = to;
    return to == available;
}

// The place of a standard section in its order (WebAssembly core 2.0, 5.5.16); the data count
// section, 12, stands before the code. 0 for an id that does not exist.
static unsigned rank_of(uint8_t id)
{
    static const uint8_t ranks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10 };
    return id < sizeof ranks ? ranks[id] : 0;
}

// Walks the sections behind the head: standard ones once and in order, custom ones anywhere, and
// one delimiter, which ends the file.
static enum ag_status check_sections(const uint8_t *bytes, size_t size)
{
    struct ag_reader reader;
    struct ag_section section;
    unsigned rank = 0;
    ag_reader_init(&reader, bytes, size);
    do {
        const enum ag_status status = ag_sections_next(&reader, &section);
        if (status != AG_OK)
            return status;
        if (section.id == 0) {
            if (ag_sections_is(&section, AG_SECTIONS_SIGNATURE) ||
                ag_sections_is(&section, AG_SECTIONS_METADATA))
                return AG_ERR_WASM_MALFORMED;
            continue;
        }
        if (rank_of(section.id) <= rank)
            return AG_ERR_WASM_MALFORMED;
        rank = rank_of(section.id);
    } while (!ag_sections_is(&section, AG_SECTIONS_DELIMITER));
    if (section.size != AG_SECTIONS_DELIMITER_SIZE)
        return AG_ERR_WASM_MALFORMED;
    return ag_reader_left(&reader) == 0 ? AG_OK : AG_ERR_FILE_SIZE;
}

enum ag_status ag_file_proof_finish(struct ag_file_proof *proof, size_t size,
                                    uint8_t sha256[AG_SHA256_SIZE])
{
    uint8_t digest[AG_SHA256_SIZE];
    (void)ag_file_proof_step(proof, size, SIZE_MAX);
    ag_crypto_sha256_finish(&proof->whole, sha256);
    ag_crypto_sha256_finish(&proof->covered, digest);
    if (size < proof->head_size || size < proof->done)
        return AG_ERR_TRUNCATED;
    const enum ag_status status =
        check_sections(proof->bytes + proof->head_size, size - proof->head_size);
    if (memcmp(digest, proof->want, sizeof digest) == 0)
        return status;
    // Not what was signed, whatever it is. The lengths only help to say why.
    return status == AG_ERR_TRUNCATED || status == AG_ERR_FILE_SIZE ? status : AG_ERR_FILE_HASH;
}

enum ag_status ag_file_check(const void *bytes, size_t size, const struct ag_key_list *keys,
                             struct ag_plugin_head *head, uint8_t sha256[AG_SHA256_SIZE])
{
    struct ag_file_proof proof;
    const enum ag_status status = ag_file_head_check(bytes, size, keys, head);
    if (status != AG_OK)
        return status;
    ag_file_proof_init(&proof, bytes, head);
    return ag_file_proof_finish(&proof, size, sha256);
}
