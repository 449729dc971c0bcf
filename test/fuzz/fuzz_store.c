// SPDX-License-Identifier: Apache-2.0
// Fuzz target of src/store: an image that is damaged anywhere in its journal.
//
// The first byte of the input chooses the checksum, and how much the journal has been through. Then
// come changes to a sound image: an offset of two bytes, a size of one, and bytes that are written
// over what is there. With a checksum that is always zero the fuzzer gets at everything behind it.
//
// Whatever is mounted is read to the end; then the journal is compacted twice, and what was there
// before must be there still.
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "fuzz.h"
#include "store/log.h"

enum {
    BLOCKS = 10,
    IMAGE_SIZE = BLOCKS * AG_FLASH_BLOCK,
    COMPACTIONS = 2,
};

static uint8_t sound[4][IMAGE_SIZE]; // by the first byte of the input
static uint8_t *image; // a block of its own size, so that AddressSanitizer sees reads beyond it
static bool is_easy;

static uint32_t table[256];

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xEDB88320u : table[i] >> 1;
    }
}

uint32_t ag_crc32_update(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) // every byte is read, always
        crc = table[(crc ^ at[i]) & 255] ^ crc >> 8;
    return is_easy ? 0 : ~crc;
}

// ---- Flash

static bool is_span(uint32_t offset, uint32_t size)
{
    return offset <= IMAGE_SIZE && size <= IMAGE_SIZE - offset;
}

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    (void)context;
    FUZZ_CHECK(is_span(offset, size) && offset % AG_FLASH_UNIT == 0 && size % AG_FLASH_UNIT == 0);
    memcpy(image + offset, bytes, size);
    return AG_OK;
}

static enum ag_status erase(void *context, uint32_t offset)
{
    (void)context;
    FUZZ_CHECK(is_span(offset, AG_FLASH_BLOCK) && offset % AG_FLASH_BLOCK == 0);
    memset(image + offset, 0xFF, AG_FLASH_BLOCK);
    return AG_OK;
}

static enum ag_status sync_nothing(void *context)
{
    (void)context;
    return AG_OK;
}

static struct ag_flash flash = {
    .size = IMAGE_SIZE, .program = program, .erase = erase, .sync = sync_nothing
};

// ---- A sound image

static const char *const names[] = { "blinky", "thermostat", "x" };
static const uint8_t bad_file[AG_STORE_SHA256_SIZE] = { 7 };

static void install(struct ag_store *store, const char *name, uint32_t version, int marks)
{
    static const uint8_t file[600] = { 0, 'a', 's', 'm' };
    static struct ag_store_writer writer;
    const uint8_t sha256[AG_STORE_SHA256_SIZE] = { (uint8_t)version, (uint8_t)name[0] };
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, name,        version,
                                                      version,         sizeof file, 40 };
    FUZZ_CHECK(ag_store_reserve(store, &reservation, &writer) == AG_OK);
    FUZZ_CHECK(ag_store_append(store, &writer, file, sizeof file - 1) == AG_OK);
    FUZZ_CHECK(ag_store_progress(store, &writer, "etag", 4) == AG_OK);
    if (marks-- == 0)
        return;
    FUZZ_CHECK(ag_store_append(store, &writer, file, 1) == AG_OK);
    FUZZ_CHECK(ag_store_seal(store, &writer, sha256, 1) == AG_OK);
    if (marks-- > 0)
        FUZZ_CHECK(ag_store_begin_trial(store, writer.slot) == AG_OK);
    if (marks-- > 0)
        FUZZ_CHECK(ag_store_confirm(store, writer.slot) == AG_OK);
}

static void put_some(struct ag_store *store)
{
    const char *const value = "{\"Threshold\": 21}";
    FUZZ_CHECK(ag_store_put(store, AG_STORE_SETTINGS, names[0], value, strlen(value)) == AG_OK);
    FUZZ_CHECK(ag_store_put(store, AG_STORE_DATA, names[0], "data", 4) == AG_OK);
    FUZZ_CHECK(ag_store_put(store, AG_STORE_HOST, names[1], "", 0) == AG_OK);
    FUZZ_CHECK(ag_store_quarantine(store, bad_file, AG_ERR_FILE_FORGED) == AG_OK);
}

static void make_image(bool is_compacted)
{
    static struct ag_store store;
    memset(image, 0xFF, IMAGE_SIZE);
    FUZZ_CHECK(ag_store_mount(&store, &flash) == AG_OK);
    install(&store, names[0], 1, 3);
    install(&store, names[1], 7, 3);
    put_some(&store);
    if (is_compacted)
        FUZZ_CHECK(ag_log_compact(&store, true) == AG_OK);
    install(&store, names[0], 2, 2);
    install(&store, names[2], 1, 0);
    FUZZ_CHECK(ag_store_remove(&store, AG_STORE_PLUGIN, names[1]) == AG_OK);
}

static void change_image(const uint8_t *bytes, size_t size)
{
    while (size > 3) {
        const uint32_t offset = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
        size_t count = bytes[2];
        bytes += 3;
        size -= 3;
        if (count > size)
            count = size;
        if (is_span(offset, (uint32_t)count))
            memcpy(image + offset, bytes, count);
        bytes += count;
        size -= count;
    }
}

// ---- What is there

static uint32_t hash_slots(const struct ag_store *store, uint32_t hash)
{
    static struct ag_store_slot slot;
    uint32_t id = 0;
    while (ag_store_next(store, &id, &slot)) {
        const uint8_t *bytes = NULL;
        size_t size = 0;
        FUZZ_CHECK(memchr(slot.name, 0, sizeof slot.name) && slot.id == id);
        hash = fuzz_hash_number(hash, slot.id ^ (uint64_t)slot.state << 32);
        hash = fuzz_hash_number(hash, slot.trials ^ (uint64_t)slot.role << 32);
        hash = fuzz_hash(hash, slot.name, strlen(slot.name));
        if (ag_store_open_file(store, id, &bytes, &size) == AG_OK)
            hash = fuzz_hash(hash, bytes, size);
        if (ag_store_open_code(store, id, &bytes, &size) == AG_OK)
            hash = fuzz_hash(hash, bytes, size);
    }
    return hash;
}

static uint32_t hash_values(const struct ag_store *store, uint32_t hash)
{
    static const uint8_t keys[] = { AG_STORE_HOST, AG_STORE_SETTINGS, AG_STORE_DATA };
    static uint8_t value[AG_STORE_VALUE_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t k = 0; k < sizeof keys; k++) {
            size_t size = 0;
            const enum ag_status status = ag_store_get(store, (enum ag_store_key)keys[k], names[i],
                                                       value, sizeof value, &size);
            hash = fuzz_hash_number(hash, status);
            if (status == AG_OK)
                hash = fuzz_hash(hash, value, size);
        }
        hash = fuzz_hash_number(hash, ag_store_epoch_floor(store, AG_STORE_PLUGIN, names[i]));
    }
    return fuzz_hash_number(hash, ag_store_is_quarantined(store, bad_file, NULL));
}

static uint32_t hash_of(const struct ag_store *store)
{
    return hash_values(store, hash_slots(store, FUZZ_HASH_START));
}

// False when nothing can be written any more.
static bool compact_and_write(struct ag_store *store)
{
    return ag_log_compact(store, true) == AG_OK &&
           ag_store_put(store, AG_STORE_HOST, "filler", "some", 4) == AG_OK;
}

static void make_images(void)
{
    make_table();
    image = malloc(IMAGE_SIZE);
    FUZZ_CHECK(image);
    flash.base = image;
    for (int kind = 0; kind < 4; kind++) {
        is_easy = kind & 1;
        make_image((kind & 2) != 0);
        memcpy(sound[kind], image, IMAGE_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct ag_store store;
    if (size == 0)
        return 0;
    if (!image)
        make_images();
    is_easy = bytes[0] & 1;
    memcpy(image, sound[bytes[0] & 3], IMAGE_SIZE);
    change_image(bytes + 1, size - 1);
    if (ag_store_mount(&store, &flash) != AG_OK)
        return 0;
    const uint32_t before = hash_of(&store);
    bool goes_on = true;
    for (int i = 0; goes_on && i < COMPACTIONS; i++) {
        goes_on = compact_and_write(&store);
        if (goes_on)
            FUZZ_CHECK(hash_of(&store) == before);
    }
    if (goes_on) {
        FUZZ_CHECK(ag_store_mount(&store, &flash) == AG_OK);
        FUZZ_CHECK(hash_of(&store) == before);
    }
    return 0;
}
