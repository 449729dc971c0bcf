// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the store's values: the input is a list of calls, beside which a plain table in
// memory says what must come of each. A call is a byte: what to do, of which key, of which name; a
// put takes a size of two bytes and fills the value with what follows.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/store.h"

enum {
    IMAGE_SIZE = 8 * AG_FLASH_BLOCK,
    KEYS = 4,
    NAMES = 3,
    CALLS_MAX = 64,
};

static const uint8_t keys[KEYS] = { AG_STORE_HOST, AG_STORE_DESIRED, AG_STORE_SETTINGS,
                                    AG_STORE_DATA };
static const char *const names[NAMES] = { "a", "blinky", "a plug-in of quite another name" };

static uint8_t image[IMAGE_SIZE];

struct kept {
    bool is_there;
    size_t size;
    uint8_t bytes[AG_STORE_VALUE_MAX];
};
static struct kept table[KEYS][NAMES];

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    (void)context;
    FUZZ_CHECK(offset <= IMAGE_SIZE && size <= IMAGE_SIZE - offset);
    for (uint32_t i = 0; i < size; i++)
        FUZZ_CHECK(image[offset + i] == 0xFF);
    memcpy(image + offset, bytes, size);
    return AG_OK;
}

static enum ag_status erase(void *context, uint32_t offset)
{
    (void)context;
    FUZZ_CHECK(offset % AG_FLASH_BLOCK == 0 && offset < IMAGE_SIZE);
    memset(image + offset, 0xFF, AG_FLASH_BLOCK);
    return AG_OK;
}

static enum ag_status sync_nothing(void *context)
{
    (void)context;
    return AG_OK;
}

static const struct ag_flash flash = {
    .base = image, .size = IMAGE_SIZE, .program = program, .erase = erase, .sync = sync_nothing
};

// A value that fits may be refused for want of room, and only for that; then the old one stays.
static void put(struct ag_store *store, uint8_t key, uint8_t name, const uint8_t *bytes,
                size_t size, size_t wanted)
{
    static uint8_t value[2 * AG_STORE_VALUE_MAX];
    struct kept *kept = &table[key][name];
    for (size_t i = 0; i < wanted; i++)
        value[i] = size > 0 ? bytes[i % size] : 0;
    const enum ag_status status =
        ag_store_put(store, (enum ag_store_key)keys[key], names[name], value, wanted);
    if (wanted > AG_STORE_VALUE_MAX) {
        FUZZ_CHECK(status == AG_ERR_ARGUMENT);
        return;
    }
    FUZZ_CHECK(status == AG_OK || status == AG_ERR_STORE_FULL);
    if (status != AG_OK)
        return;
    kept->is_there = true;
    kept->size = wanted;
    memcpy(kept->bytes, value, wanted);
}

static void delete (struct ag_store *store, uint8_t key, uint8_t name)
{
    struct kept *kept = &table[key][name];
    const enum ag_status status = ag_store_delete(store, (enum ag_store_key)keys[key], names[name]);
    FUZZ_CHECK(status == (kept->is_there ? AG_OK : AG_ERR_NOT_FOUND));
    kept->is_there = false;
}

static void check(const struct ag_store *store, int key, int name)
{
    static uint8_t value[AG_STORE_VALUE_MAX];
    const struct kept *kept = &table[key][name];
    size_t size = 0;
    const enum ag_status status =
        ag_store_get(store, (enum ag_store_key)keys[key], names[name], value, sizeof value, &size);
    FUZZ_CHECK(status == (kept->is_there ? AG_OK : AG_ERR_NOT_FOUND));
    if (kept->is_there)
        FUZZ_CHECK(size == kept->size && memcmp(value, kept->bytes, size) == 0);
}

static void mount_and_check(struct ag_store *store)
{
    FUZZ_CHECK(ag_store_mount(store, &flash) == AG_OK);
    for (int key = 0; key < KEYS; key++) {
        for (int name = 0; name < NAMES; name++)
            check(store, key, name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct ag_store store;
    memset(image, 0xFF, sizeof image);
    memset(table, 0, sizeof table);
    FUZZ_CHECK(ag_store_mount(&store, &flash) == AG_OK);
    for (int calls = 0; size > 2 && calls < CALLS_MAX; calls++) {
        const uint8_t call = bytes[0];
        const uint8_t key = call >> 2 & 3;
        const uint8_t name = (uint8_t)((call >> 4) % NAMES);
        bytes++;
        size--;
        if ((call & 3) < 2) {
            const size_t wanted =
                ((size_t)bytes[0] | (size_t)bytes[1] << 8) % (AG_STORE_VALUE_MAX + 8);
            bytes += 2;
            size -= 2;
            put(&store, key, name, bytes, size, wanted);
        } else if ((call & 3) == 2) {
            delete (&store, key, name);
        } else {
            mount_and_check(&store);
        }
        check(&store, key, name);
    }
    mount_and_check(&store);
    return 0;
}
