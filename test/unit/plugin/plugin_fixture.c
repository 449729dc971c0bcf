// SPDX-License-Identifier: Apache-2.0
// Keys and plug-in files for tests.
#include "test/unit/plugin/plugin_fixture.h"

#include <string.h>

#include "cli/signing.h"
#include "plugin/abi.h"
#include "plugin/capabilities.h"
#include "test/harness.h"

struct ag_keyfile fixture_key(uint8_t seed)
{
    uint8_t raw[AG_ED25519_KEY_SIZE];
    struct ag_keyfile key;
    size_t size = sizeof key.public_;
    memset(raw, seed, sizeof raw);
    key.key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
    CHECK(key.key && EVP_PKEY_get_raw_public_key(key.key, key.public_, &size) == 1);
    ag_keys_id(key.public_, key.id);
    return key;
}

struct ag_plugin_metadata fixture_metadata(void)
{
    return (struct ag_plugin_metadata){
        .name = "blinky",
        .version = 10,
        .abi = AG_ABI_VERSION,
        .memory_size = 20,
        .stack_size = 128,
        .period_ms = 100,
        .fuel_per_run = 1000,
        .capability_count = 1,
        .capabilities = { { AG_CAPABILITY_GPIO, 1 } },
    };
}

const uint8_t fixture_sections[] = {
    1, 8,    2,   0x60, 0,    1,   0x7F, 0x60, 0,   0, // types: () -> i32, () -> ()
    3, 3,    2,   0,    1,                             // functions
    5, 4,    1,   8,    20,   0,                       // memory: 20 pages of 1 byte
    7, 24,   2,   10,   'i',  'n', 'i',  't',  'i', 'a', 'l', 'i', 'z', 'e', 0, 0, // exports
    7, 'e',  'x', 'e',  'c',  'u', 't',  'e',  0,   1,   10,  9,   2,   4,   0, 0x41,
    0, 0x0B, 2,   0,    0x0B, // code
};
const size_t fixture_sections_size = sizeof fixture_sections;

void fixture_unsigned(struct ag_buffer *out, const void *metadata, size_t metadata_size,
                      const void *sections, size_t sections_size)
{
    ag_buffer_append(out, "\0asm\1\0\0\0", 8);
    ag_signing_append_custom(out, "airgraft", metadata, metadata_size);
    ag_signing_append_custom(out, "signature_delimiter", "0123456789abcdef", 16);
    ag_buffer_append(out, sections, sections_size);
    ag_signing_append_custom(out, "signature_delimiter", "fedcba9876543210", 16);
}

void fixture_plain(struct ag_buffer *out)
{
    uint8_t payload[AG_METADATA_SIZE_MAX];
    struct ag_writer writer;
    const struct ag_plugin_metadata metadata = fixture_metadata();
    ag_writer_init(&writer, payload, sizeof payload);
    ag_metadata_write(&writer, &metadata);
    CHECK_EQUAL(writer.status, AG_OK);
    fixture_unsigned(out, payload, writer.size, fixture_sections, sizeof fixture_sections);
}

void fixture_sign(struct ag_buffer *file, const struct ag_keyfile *key)
{
    struct ag_signing_file opened;
    struct ag_buffer out = { 0 };
    CHECK_EQUAL(ag_signing_open(file->bytes, file->size, &opened), AG_OK);
    CHECK_EQUAL(ag_signing_add(&opened, key, &out), AG_OK);
    ag_buffer_clear(file);
    *file = out;
}

void fixture_replace_signature(struct ag_buffer *file, const void *payload, size_t size)
{
    struct ag_signing_file opened;
    struct ag_buffer out = { 0 };
    CHECK_EQUAL(ag_signing_open(file->bytes, file->size, &opened), AG_OK);
    ag_buffer_append(&out, "\0asm\1\0\0\0", 8);
    ag_signing_append_custom(&out, "signature", payload, size);
    ag_buffer_append(&out, opened.covered, opened.covered_size);
    ag_buffer_clear(file);
    *file = out;
}
