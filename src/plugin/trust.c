// SPDX-License-Identifier: Apache-2.0
// Reads the trust store object and decides whether one may replace another.
#include "plugin/trust.h"

#include <stdbool.h>
#include <string.h>

#include "base/reader.h"

// The text that is signed before the hash, so that no signature for another purpose fits.
static const char purpose[] = "airgraft trust 1";
_Static_assert(sizeof purpose - 1 + AG_SHA256_SIZE == AG_TRUST_MESSAGE_SIZE, "16 bytes of text");

void ag_trust_message(const void *body, size_t size, uint8_t message[AG_TRUST_MESSAGE_SIZE])
{
    memcpy(message, purpose, sizeof purpose - 1);
    ag_crypto_sha256(body, size, message + sizeof purpose - 1);
}

static void require(struct ag_reader *reader, bool condition)
{
    if (!condition)
        ag_reader_fail(reader, AG_ERR_TRUST_MALFORMED);
}

static uint8_t read_count(struct ag_reader *reader, uint8_t least, uint8_t most)
{
    const uint8_t count = ag_reader_u8(reader);
    require(reader, count >= least && count <= most);
    return reader->status == AG_OK ? count : 0;
}

static bool keys_differ(const struct ag_key_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(ag_keys_at(keys, i), ag_keys_at(keys, j), AG_ED25519_KEY_SIZE) == 0)
                return false;
        }
    }
    return true;
}

// One key that stood there twice would count twice for the threshold.
static void read_keys(struct ag_reader *reader, size_t count, struct ag_key_list *keys)
{
    keys->bytes = ag_reader_bytes(reader, count * AG_ED25519_KEY_SIZE);
    keys->count = keys->bytes ? count : 0;
    require(reader, keys_differ(keys));
}

// Is this one DER sequence, with nothing behind it? A certificate is nothing else; whether it is
// one is for the TLS library to say. Lengths below 128 are too short for any.
static bool is_der_sequence(const uint8_t *der, size_t size)
{
    if (size < 4 || der[0] != 0x30)
        return false;
    if (der[1] == 0x81)
        return der[2] == size - 3;
    return der[1] == 0x82 && (size_t)(der[2] << 8 | der[3]) == size - 4;
}

static void read_root(struct ag_reader *reader)
{
    const uint16_t size = ag_reader_u16le(reader);
    const uint8_t *der = ag_reader_bytes(reader, size);
    require(reader, der && is_der_sequence(der, size));
}

static void read_body(struct ag_reader *reader, struct ag_trust *trust)
{
    require(reader, ag_reader_u32le(reader) == AG_TRUST_MAGIC);
    require(reader, ag_reader_u8(reader) == AG_TRUST_FORMAT);
    trust->threshold = ag_reader_u8(reader);
    const uint8_t authority_count = read_count(reader, 1, AG_TRUST_KEY_MAX);
    const uint8_t plugin_count = read_count(reader, 0, AG_TRUST_KEY_MAX);
    trust->root_count = read_count(reader, 0, AG_TRUST_ROOT_MAX);
    trust->signature_count = read_count(reader, 1, AG_TRUST_SIGNATURE_MAX);
    require(reader, ag_reader_u16le(reader) == 0);
    trust->epoch = ag_reader_u32le(reader);
    require(reader, trust->threshold >= 1 && trust->threshold <= authority_count);
    read_keys(reader, authority_count, &trust->authority_keys);
    read_keys(reader, plugin_count, &trust->plugin_keys);
    trust->roots = reader->at;
    for (size_t i = 0; i < trust->root_count; i++)
        read_root(reader);
    trust->roots_size = (size_t)(reader->at - trust->roots);
}

// Do at least `threshold` of the keys stand among the signatures? Whoever is among the keys and
// signed must have signed this; other signers are nothing to us.
static enum ag_status check_threshold(const struct ag_trust *trust, const struct ag_key_list *keys,
                                      uint32_t threshold)
{
    bool signed_by[AG_TRUST_KEY_MAX] = { false };
    uint32_t count = 0;
    for (size_t i = 0; i < trust->signature_count; i++) {
        const uint8_t *id = trust->signatures + i * AG_TRUST_SIGNATURE_SIZE;
        size_t index;
        switch (ag_keys_verify(keys, id, AG_KEYS_ID_SIZE, trust->message, sizeof trust->message,
                               id + AG_KEYS_ID_SIZE, &index)) {
        case AG_KEYS_UNKNOWN:
            break;
        case AG_KEYS_FORGED:
            return AG_ERR_TRUST_FORGED;
        case AG_KEYS_VALID:
            count += !signed_by[index];
            signed_by[index] = true;
            break;
        }
    }
    return count >= threshold ? AG_OK : AG_ERR_TRUST_THRESHOLD;
}

enum ag_status ag_trust_read_proven(const void *bytes, size_t size, struct ag_trust *trust)
{
    struct ag_reader reader;
    ag_reader_init(&reader, bytes, size);
    memset(trust, 0, sizeof *trust);
    require(&reader, size <= AG_CFG_TRUST_SIZE_MAX);
    read_body(&reader, trust);
    trust->signatures = ag_reader_bytes(&reader, trust->signature_count * AG_TRUST_SIGNATURE_SIZE);
    require(&reader, ag_reader_left(&reader) == 0);
    return reader.status;
}

enum ag_status ag_trust_read(const void *bytes, size_t size, struct ag_trust *trust)
{
    const enum ag_status status = ag_trust_read_proven(bytes, size, trust);
    if (status != AG_OK)
        return status;
    const size_t signatures_size = trust->signature_count * AG_TRUST_SIGNATURE_SIZE;
    ag_trust_message(bytes, size - signatures_size, trust->message);
    return check_threshold(trust, &trust->authority_keys, trust->threshold);
}

enum ag_status ag_trust_replaces(const struct ag_trust *current, const struct ag_trust *candidate)
{
    if (candidate->epoch <= current->epoch)
        return AG_ERR_TRUST_EPOCH;
    return check_threshold(candidate, &current->authority_keys, current->threshold);
}

enum ag_status ag_trust_root(const struct ag_trust *trust, size_t index, const uint8_t **der,
                             size_t *size)
{
    struct ag_reader reader;
    struct ag_reader root;
    if (index >= trust->root_count)
        return AG_ERR_NOT_FOUND;
    ag_reader_init(&reader, trust->roots, trust->roots_size);
    for (size_t i = 0; i <= index; i++) {
        const uint16_t root_size = ag_reader_u16le(&reader);
        root = ag_reader_sub(&reader, root_size);
    }
    *der = root.start;
    *size = ag_reader_left(&root);
    return root.status;
}
