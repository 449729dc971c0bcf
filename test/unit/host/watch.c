// SPDX-License-Identifier: Apache-2.0
// Watches the host in the world: what runs was proven, and what must stay stays.
#include "test/unit/host/watch.h"

#include <string.h>

#include "host/core.h"
#include "plugin/file.h"
#include "test/harness.h"
#include "test/unit/host/world.h"
#include "test/unit/plugin/plugin_fixture.h"

#define KEYS_MAX   4
#define NAMES_MAX  80
#define HASHES_MAX 64
#define PROVEN_MAX 64

// What an instance runs: a slot's file and code in place.
struct running {
    uint32_t slot; // 0: nothing
    struct ag_wasm_image image;
};

struct floor {
    enum ag_store_kind kind;
    char name[AG_CFG_NAME_MAX + 1];
    uint32_t epoch;
};

// What must stay.
struct memory {
    struct floor floors[NAMES_MAX];
    uint32_t floor_count;
    uint8_t hashes[HASHES_MAX][AG_SHA256_SIZE]; // seen in quarantine
    uint32_t hash_count;
    bool may_pardon; // these may leave it
};

static struct {
    uint8_t keys[KEYS_MAX][AG_ED25519_KEY_SIZE];
    size_t key_count;
    struct running running[AG_CFG_PLUGIN_MAX];
    uint64_t proven[PROVEN_MAX]; // hashes over file and code
    uint32_t proven_count;       // entered so far, the last PROVEN_MAX are kept
    bool has_memory;
    uint32_t operations; // of the flash when memory was looked at
    struct memory memory;
    struct memory marked;
} watch;

void watch_begin(void)
{
    memset(&watch, 0, sizeof watch);
    watch_believe(MODULE_KEY);
}

void watch_believe(uint8_t seed)
{
    struct ag_keyfile key = fixture_key(seed);
    CHECK(watch.key_count < KEYS_MAX);
    memcpy(watch.keys[watch.key_count++], key.public_, AG_ED25519_KEY_SIZE);
    ag_keyfile_close(&key);
}

void watch_memory(void)
{
    watch.has_memory = true;
    watch.memory.floor_count = 0;
    watch.memory.hash_count = 0;
    watch.memory.may_pardon = false;
    watch.operations = UINT32_MAX;
}

void watch_pardon(void)
{
    watch.memory.may_pardon = true;
}

void watch_mark(void)
{
    watch.marked = watch.memory;
}

void watch_back(void)
{
    watch.memory = watch.marked;
    watch.operations = UINT32_MAX;
}

uint32_t watch_proven(void)
{
    return watch.proven_count;
}

// ---- What runs ---------------------------------------------------------------------------------

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash;
}

static bool was_proven(uint64_t hash)
{
    for (uint32_t i = 0; i < PROVEN_MAX && i < watch.proven_count; i++)
        if (watch.proven[i] == hash)
            return true;
    return false;
}

// Takes the translator's output and compares it.
struct comparison {
    const uint8_t *code;
    uint32_t size;
    uint32_t at;
    bool differs;
};

static enum ag_status compare(void *context, const void *bytes, uint32_t size)
{
    struct comparison *with = context;
    with->differs |= size > with->size - with->at;
    if (!with->differs)
        with->differs = memcmp(with->code + with->at, bytes, size) != 0;
    if (!with->differs)
        with->at += size;
    return AG_OK;
}

static void prove_code(const struct ag_wasm_image *image)
{
    static uint64_t scratch[AG_WASM_SCRATCH / sizeof(uint64_t)];
    struct comparison with = { .code = image->code, .size = image->code_size };
    const struct ag_wasm_translation translation = { .write = compare,
                                                     .resolve = ag_instance_resolve,
                                                     .context = &with,
                                                     .scratch = scratch,
                                                     .scratch_size = sizeof scratch };
    struct ag_wasm_report report;
    CHECK_EQUAL(ag_wasm_translate(image->module, image->module_size, &translation, &report), AG_OK);
    CHECK(!with.differs && with.at == with.size);
}

static bool is_in_flash(const uint8_t *bytes, size_t size)
{
    const struct ag_flash *flash = &world.flash.flash;
    return bytes >= flash->base && size <= flash->size &&
           (size_t)(bytes - flash->base) <= flash->size - size;
}

static void prove(const struct ag_wasm_image *image)
{
    const struct ag_key_list keys = { watch.keys[0], watch.key_count };
    struct ag_plugin_head head;
    uint8_t sha256[AG_SHA256_SIZE];
    CHECK(is_in_flash(image->module, image->module_size));
    CHECK(is_in_flash(image->code, image->code_size));
    CHECK(sim_flash_is_written(&world.flash, image->module, image->module_size));
    CHECK(sim_flash_is_written(&world.flash, image->code, image->code_size));
    const uint64_t hash = hash_bytes(
        hash_bytes(0xCBF29CE484222325u + image->module_size, image->module, image->module_size),
        image->code, image->code_size);
    if (was_proven(hash))
        return;
    CHECK_EQUAL(ag_file_check(image->module, image->module_size, &keys, &head, sha256), AG_OK);
    prove_code(image);
    watch.proven[watch.proven_count++ % PROVEN_MAX] = hash;
}

static void look_at(const struct ag_plugin *plugin, struct running *running)
{
    const struct ag_wasm_image *image = &plugin->instance.image;
    const uint32_t id = plugin->is_trial ? plugin->next.id : plugin->current.id;
    struct ag_store_slot slot;
    if (running->slot == id && running->image.module == image->module &&
        running->image.code == image->code)
        return;
    CHECK_EQUAL(ag_store_get_slot(&world.host->store, id, &slot), AG_OK);
    CHECK_TEXT(slot.name, plugin->name);
    CHECK_EQUAL(slot.state, plugin->is_trial ? AG_STORE_TRIAL : AG_STORE_CONFIRMED);
    prove(image);
    running->slot = id;
    running->image = *image;
}

static void forget_running(struct running *running)
{
    running->slot = 0;
}

static void look_at_all(void)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        const struct ag_plugin *plugin = &world.host->plugins.plugins[i];
        if (plugin->is_used && plugin->phase != AG_PLUGIN_DOWN)
            look_at(plugin, &watch.running[i]);
        else
            forget_running(&watch.running[i]);
    }
}

void watch_power_off(void)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        forget_running(&watch.running[i]);
}

static bool overlaps(const uint8_t *bytes, size_t size, uint32_t offset, uint32_t written)
{
    const size_t start = (size_t)(bytes - world.flash.flash.base);
    return start < (size_t)offset + written && offset < start + size;
}

void watch_write(uint32_t offset, uint32_t size)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct running *running = &watch.running[i];
        const struct ag_wasm_image *image = &running->image;
        if (running->slot == 0 || (!overlaps(image->module, image->module_size, offset, size) &&
                                   !overlaps(image->code, image->code_size, offset, size)))
            continue;
        CHECK(!world.host || world.host->plugins.plugins[i].phase == AG_PLUGIN_DOWN);
        forget_running(running);
    }
}

// ---- What must stay ----------------------------------------------------------------------------

static void look_at_floor(enum ag_store_kind kind, const char *name)
{
    const uint32_t epoch = ag_store_epoch_floor(&world.host->store, kind, name);
    for (uint32_t i = 0; i < watch.memory.floor_count; i++) {
        struct floor *floor = &watch.memory.floors[i];
        if (floor->kind != kind || strcmp(floor->name, name) != 0)
            continue;
        if (epoch < floor->epoch)
            test_fail(__FILE__, __LINE__, "the epoch floor of %s went from %u to %u", name,
                      (unsigned)floor->epoch, (unsigned)epoch);
        floor->epoch = epoch;
        return;
    }
    CHECK(watch.memory.floor_count < NAMES_MAX);
    struct floor *floor = &watch.memory.floors[watch.memory.floor_count++];
    floor->kind = kind;
    floor->epoch = epoch;
    memcpy(floor->name, name, strlen(name) + 1);
}

// A hash that is quarantined for damage on flash may be pardoned: the file is not to blame.
static void look_at_quarantine(const struct ag_store *store, const struct world_file *file)
{
    enum ag_status why;
    if (!ag_store_is_quarantined(store, file->sha256, &why) || why == AG_ERR_STORE_DAMAGED)
        return;
    for (uint32_t i = 0; i < watch.memory.hash_count; i++)
        if (memcmp(watch.memory.hashes[i], file->sha256, AG_SHA256_SIZE) == 0)
            return;
    CHECK(watch.memory.hash_count < HASHES_MAX);
    memcpy(watch.memory.hashes[watch.memory.hash_count++], file->sha256, AG_SHA256_SIZE);
}

static void look_at_memory(void)
{
    const struct ag_store *store = &world.host->store;
    if (!watch.has_memory || watch.operations == world.flash.operations)
        return;
    watch.operations = world.flash.operations;
    for (uint32_t i = 0; i < watch.memory.floor_count; i++)
        look_at_floor(watch.memory.floors[i].kind, watch.memory.floors[i].name);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (world.host->plugins.plugins[i].is_used)
            look_at_floor(AG_STORE_PLUGIN, world.host->plugins.plugins[i].name);
    look_at_floor(AG_STORE_BLOB, "trust");
    for (uint32_t i = 0; i < watch.memory.hash_count; i++)
        CHECK(watch.memory.may_pardon ||
              ag_store_is_quarantined(store, watch.memory.hashes[i], NULL));
    for (uint32_t i = 0; i < world.file_count; i++)
        look_at_quarantine(store, &world.files[i]);
}

void watch_step(void)
{
    look_at_all();
    look_at_memory();
}
