// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: plug-ins whose bytes follow from name and version.
#include "test/unit/store/helper.h"

#include <string.h>

#include "base/crc32.h"

static uint32_t mix(const struct made *made, uint32_t salt, uint32_t at)
{
    uint32_t z = made->version * 0x9E3779B1u + salt + at / 4 * 0x85EBCA77u;
    for (const char *c = made->name; *c; c++)
        z = (z ^ (uint8_t)*c) * 0x01000193u;
    z ^= z >> 15;
    z *= 0x2C1B3C6Du;
    z ^= z >> 12;
    return z >> at % 4 * 8;
}

uint8_t made_file_byte(const struct made *made, uint32_t at)
{
    // Some units are all ones: the flash must not take them for erased.
    return at / 16 % 7 == 3 ? 0xFF : (uint8_t)mix(made, 1, at);
}

uint8_t made_code_byte(const struct made *made, uint32_t at)
{
    return (uint8_t)mix(made, 2, at);
}

void made_hash(const struct made *made, uint8_t sha256[AG_STORE_SHA256_SIZE])
{
    for (uint32_t i = 0; i < AG_STORE_SHA256_SIZE; i++)
        sha256[i] = (uint8_t)mix(made, 3, i);
}

static enum ag_status append(struct ag_store *store, struct ag_store_writer *writer,
                             const struct made *made, bool code, uint32_t step)
{
    uint8_t bytes[8192];
    const uint32_t size = code ? made->code_size : made->file_size;
    enum ag_status status = AG_OK;
    for (uint32_t at = 0; at < size && status == AG_OK;) {
        const uint32_t part = size - at < step ? size - at : step;
        for (uint32_t i = 0; i < part; i++)
            bytes[i] = code ? made_code_byte(made, at + i) : made_file_byte(made, at + i);
        status = code ? ag_store_append_code(store, writer, bytes, part)
                      : ag_store_append(store, writer, bytes, part);
        at += part;
    }
    return status;
}

enum ag_status made_install(struct ag_store *store, enum ag_store_kind kind,
                            const struct made *made, uint32_t step, uint32_t *id)
{
    const struct ag_store_reservation reservation = {
        kind, made->name, made->version, made->epoch, made->file_size, made->code_size,
    };
    struct ag_store_writer writer;
    const uint8_t *file;
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    made_hash(made, sha256);
    enum ag_status status = ag_store_reserve(store, &reservation, &writer);
    if (status == AG_OK)
        status = append(store, &writer, made, false, step);
    if (status == AG_OK)
        status = ag_store_finish_file(store, &writer, &file);
    if (status == AG_OK)
        status = append(store, &writer, made, true, step);
    if (status == AG_OK)
        status = ag_store_seal(store, &writer, sha256, 7);
    if (status == AG_OK)
        *id = writer.slot;
    return status;
}

enum ag_status made_confirm(struct ag_store *store, const struct made *made, uint32_t *id)
{
    enum ag_status status = made_install(store, AG_STORE_PLUGIN, made, 1000, id);
    if (status == AG_OK)
        status = ag_store_begin_trial(store, *id);
    if (status == AG_OK)
        status = ag_store_confirm(store, *id);
    return status;
}

bool made_is_sound(const struct ag_store *store, uint32_t id, const struct made *made)
{
    const uint8_t *bytes;
    size_t size;
    if (ag_store_open_file(store, id, &bytes, &size) != AG_OK || size != made->file_size)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != made_file_byte(made, i))
            return false;
    }
    if (made->code_size == 0)
        return true;
    if (ag_store_open_code(store, id, &bytes, &size) != AG_OK || size != made->code_size)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != made_code_byte(made, i))
            return false;
    }
    return true;
}
