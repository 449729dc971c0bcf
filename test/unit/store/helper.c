// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: plug-ins whose bytes follow from name and version.
#include "test/unit/store/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// Bytes made before, so that a campaign makes each only once.
#define CACHE_SIZE 64u

struct cached {
    struct made made;
    uint8_t *file;
    uint8_t *code;
};

static uint8_t *make(const struct made *made, uint32_t size, uint32_t salt)
{
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        abort();
    for (uint32_t at = 0; at < size; at++) {
        // Some units are all ones: the flash must not take them for erased.
        bytes[at] = at / 16 % 7 == 3 ? 0xFF : (uint8_t)mix(made, salt, at);
    }
    return bytes;
}

static const struct cached *look_up(const struct made *made)
{
    static struct cached cache[CACHE_SIZE];
    static size_t count;
    for (size_t i = 0; i < count && i < CACHE_SIZE; i++) {
        const struct made *known = &cache[i].made;
        if (known->version == made->version && known->file_size == made->file_size &&
            known->code_size == made->code_size && strcmp(known->name, made->name) == 0)
            return &cache[i];
    }
    // Names may be on the caller's stack: keep a copy.
    static char names[CACHE_SIZE][16];
    struct cached *entry = &cache[count % CACHE_SIZE];
    free(entry->file);
    free(entry->code);
    char *name = names[count % CACHE_SIZE];
    snprintf(name, sizeof names[0], "%s", made->name);
    entry->made = *made;
    entry->made.name = name;
    entry->file = make(made, made->file_size, 1);
    entry->code = make(made, made->code_size, 2);
    count++;
    return entry;
}

const uint8_t *made_file(const struct made *made)
{
    return look_up(made)->file;
}

const uint8_t *made_code(const struct made *made)
{
    return look_up(made)->code;
}

void made_hash(const struct made *made, uint8_t sha256[AG_STORE_SHA256_SIZE])
{
    for (uint32_t i = 0; i < AG_STORE_SHA256_SIZE; i++)
        sha256[i] = (uint8_t)mix(made, 3, i);
}

static enum ag_status append(struct ag_store *store, struct ag_store_writer *writer,
                             const struct made *made, bool code, uint32_t step)
{
    const uint8_t *bytes = code ? made_code(made) : made_file(made);
    const uint32_t size = code ? made->code_size : made->file_size;
    enum ag_status status = AG_OK;
    for (uint32_t at = 0; at < size && status == AG_OK;) {
        const uint32_t part = size - at < step ? size - at : step;
        status = code ? ag_store_append_code(store, writer, bytes + at, part)
                      : ag_store_append(store, writer, bytes + at, part);
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
    if (memcmp(bytes, made_file(made), size) != 0)
        return false;
    if (made->code_size == 0)
        return true;
    return ag_store_open_code(store, id, &bytes, &size) == AG_OK && size == made->code_size &&
           memcmp(bytes, made_code(made), size) == 0;
}
