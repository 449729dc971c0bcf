// SPDX-License-Identifier: Apache-2.0
// A plug-in file as the command line looks at it: hashes and metadata, with or without keys.
#include "cli/plugin_check.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "plugin/file.h"
#include "plugin/sections.h"

static void write_hex(const uint8_t digest[AG_SHA256_SIZE], char text[65])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < AG_SHA256_SIZE; i++) {
        text[2 * i] = hex[digest[i] >> 4];
        text[2 * i + 1] = hex[digest[i] & 15];
    }
    text[2 * AG_SHA256_SIZE] = 0;
}

// The first section that is not all there ends a file that was cut off.
static enum ag_status read_section(struct ag_reader *reader, const char *name,
                                   enum ag_status missing, struct ag_section *section)
{
    const enum ag_status status = ag_sections_next(reader, section);
    if (status != AG_OK)
        return status;
    return ag_sections_is(section, name) ? AG_OK : missing;
}

static enum ag_status check_without_keys(const uint8_t *bytes, size_t size,
                                         struct ag_plugin_check *check)
{
    struct ag_reader reader;
    struct ag_section section;
    struct ag_signature signature;
    uint8_t digests[AG_SIGNATURE_PARTS * AG_SHA256_SIZE];
    ag_reader_init(&reader, bytes, size);
    enum ag_status status = ag_sections_begin(&reader);
    if (status == AG_OK && ag_reader_left(&reader) == 0)
        return AG_ERR_FILE_UNSIGNED;
    if (status == AG_OK)
        status = read_section(&reader, AG_SECTIONS_SIGNATURE, AG_ERR_FILE_UNSIGNED, &section);
    if (status == AG_OK)
        status = ag_signature_read(section.payload, section.payload_size, &signature);
    if (status != AG_OK)
        return status;
    const size_t from = ag_reader_offset(&reader);
    status = read_section(&reader, AG_SECTIONS_METADATA, AG_ERR_FILE_METADATA, &section);
    if (status == AG_OK)
        status = ag_metadata_read(section.payload, section.payload_size, &check->metadata);
    if (status == AG_OK)
        status = read_section(&reader, AG_SECTIONS_DELIMITER, AG_ERR_FILE_METADATA, &section);
    if (status != AG_OK)
        return status;
    ag_crypto_sha256(bytes + from, ag_reader_offset(&reader) - from, digests);
    ag_crypto_sha256(bytes + from, size - from, digests + AG_SHA256_SIZE);
    check->signer_count = signature.signer_count;
    return memcmp(digests, signature.hashes, sizeof digests) == 0 ? AG_OK : AG_ERR_FILE_HASH;
}

enum ag_status ag_plugin_check_file(const void *bytes, size_t size, const struct ag_trust *trust,
                                    struct ag_plugin_check *check)
{
    uint8_t digest[AG_SHA256_SIZE];
    struct ag_plugin_head head;
    enum ag_status status = check_without_keys(bytes, size, check);
    if (status == AG_OK && trust)
        status = ag_file_check(bytes, size, &trust->plugin_keys, &head, digest);
    if (status != AG_OK)
        return status;
    ag_crypto_sha256(bytes, size, digest);
    write_hex(digest, check->sha256);
    return AG_OK;
}

bool ag_plugin_check_open_trust(const char *path, uint8_t **bytes, struct ag_trust *trust)
{
    size_t size;
    uint8_t *read;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &read, &size))
        return false;
    const enum ag_status status = ag_trust_read(read, size, trust);
    if (status == AG_OK) {
        *bytes = read;
        return true;
    }
    ag_output_fail_status(status, "%s is no trust store to rely on", path);
    free(read);
    return false;
}
