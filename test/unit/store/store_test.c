// SPDX-License-Identifier: Apache-2.0
// Tests of each operation of the store on a flash that loses no power.
#include <stdio.h>
#include <string.h>

#include "store/log.h"
#include "test/harness.h"
#include "test/unit/store/helper.h"

#define SIZE (256u * 1024u)

static struct sim_flash sim;
static struct ag_store store;

// A fresh store; the flash of the test before is given back.
static void begin(uint32_t size)
{
    if (sim.bytes)
        sim_flash_close(&sim);
    sim_flash_open(&sim, size);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
}

static void remount(void)
{
    memset(&store, 0xA5, sizeof store);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
}

static struct ag_store_slot find(const char *name, enum ag_store_role role)
{
    struct ag_store_slot slot;
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, name, role, &slot), AG_OK);
    return slot;
}

static bool has(const char *name, enum ag_store_role role)
{
    struct ag_store_slot slot;
    return ag_store_find(&store, AG_STORE_PLUGIN, name, role, &slot) == AG_OK;
}

static uint32_t confirm(const struct made *made)
{
    uint32_t id = 0;
    CHECK_EQUAL(made_confirm(&store, made, &id), AG_OK);
    return id;
}

static void blank_flash_is_formatted_and_mounts_again(void)
{
    struct ag_store_info info;
    begin(SIZE);
    CHECK_EQUAL(sim.counts.programs, 1);
    CHECK_EQUAL(sim.counts.syncs, 1);
    CHECK_EQUAL(sim.counts.erases, 0);
    remount();
    CHECK_EQUAL(sim.counts.programs, 1); // mounting wrote nothing
    ag_store_info(&store, &info);
    CHECK_EQUAL(info.size, SIZE);
    CHECK_EQUAL(info.journal_size + info.free_size, SIZE);
    CHECK_EQUAL(info.largest_free, info.free_size);
    CHECK_EQUAL(info.damaged, 0);
    CHECK(!info.read_only);
}

static void random_bytes_are_refused_and_left_alone(void)
{
    begin(SIZE);
    uint32_t seed = 1;
    for (uint32_t at = 0; at < SIZE; at++) {
        seed = seed * 1664525u + 1013904223u;
        const uint8_t byte = (uint8_t)(seed >> 24);
        sim_flash_poke(&sim, at, &byte, 1);
    }
    memset(&sim.counts, 0, sizeof sim.counts);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_ERR_STORE_FORMAT);
    CHECK_EQUAL(sim.counts.programs + sim.counts.erases, 0);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "a", "b", 1), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_format(&store, &sim.flash), AG_OK);
    remount();
}

static void one_written_byte_anywhere_is_not_blank(void)
{
    const uint32_t places[] = { 48, 4095, 4096 * 4, SIZE - 1, SIZE / 2 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        test_note("byte at %u", places[i]);
        if (sim.bytes)
            sim_flash_close(&sim);
        sim_flash_open(&sim, SIZE);
        sim_flash_poke(&sim, places[i], "", 1);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_ERR_STORE_FORMAT);
    }
}

static void an_image_of_another_size_is_refused(void)
{
    begin(SIZE);
    struct ag_flash other = sim.flash;
    other.size = SIZE / 2;
    CHECK_EQUAL(ag_store_mount(&store, &other), AG_ERR_STORE_SIZE);
    other.size = AG_FLASH_BLOCK * 7;
    CHECK_EQUAL(ag_store_mount(&store, &other), AG_ERR_ARGUMENT);
    other.size = SIZE - 1;
    CHECK_EQUAL(ag_store_mount(&store, &other), AG_ERR_ARGUMENT);
}

static void a_file_and_its_code_are_read_back_in_place(void)
{
    static const uint32_t steps[] = { 1, 15, 16, 17, 4096, 5000 };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct made made = { "blinky", 10, 1, 5001, 7003 };
        uint32_t id = 0;
        const uint8_t *bytes;
        size_t size;
        test_note("step %u", steps[i]);
        begin(SIZE);
        CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &made, steps[i], &id), AG_OK);
        CHECK(made_is_sound(&store, id, &made));
        remount();
        CHECK(made_is_sound(&store, id, &made));
        CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_OK);
        CHECK(sim_flash_is_written(&sim, bytes, size));
        CHECK_EQUAL(ag_store_open_code(&store, id, &bytes, &size), AG_OK);
        CHECK(sim_flash_is_written(&sim, bytes, size));
        CHECK_EQUAL((bytes - sim.flash.base) % AG_FLASH_UNIT, 0);
        CHECK_EQUAL(sim.counts.breaches, 0);
    }
}

static void an_install_costs_one_sync_and_each_mark_one(void)
{
    const struct made made = { "blinky", 10, 1, 1000, 1500 };
    uint32_t id = 0;
    begin(SIZE);
    memset(&sim.counts, 0, sizeof sim.counts);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &made, 1000, &id), AG_OK);
    CHECK_EQUAL(sim.counts.syncs, 1);
    CHECK_EQUAL(sim.counts.erases, 1);
    CHECK_EQUAL(ag_store_begin_trial(&store, id), AG_OK);
    CHECK_EQUAL(sim.counts.syncs, 2);
    CHECK_EQUAL(ag_store_confirm(&store, id), AG_OK);
    CHECK_EQUAL(sim.counts.syncs, 3);
    CHECK_EQUAL(ag_store_confirm(&store, id), AG_OK);
    CHECK_EQUAL(sim.counts.syncs, 3);
}

static void roles_follow_the_life_of_versions(void)
{
    const struct made v1 = { "blinky", 1, 0, 300, 400 };
    const struct made v2 = { "blinky", 2, 0, 300, 400 };
    const struct made v3 = { "blinky", 3, 0, 300, 400 };
    uint32_t id3;
    begin(SIZE);
    confirm(&v1);
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 1);
    CHECK(!has("blinky", AG_STORE_PREVIOUS));
    confirm(&v2);
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 2);
    CHECK_EQUAL(find("blinky", AG_STORE_PREVIOUS).version, 1);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &v3, 100, &id3), AG_OK);
    CHECK_EQUAL(find("blinky", AG_STORE_NEXT).state, AG_STORE_SEALED);
    CHECK_EQUAL(ag_store_begin_trial(&store, id3), AG_OK);
    CHECK_EQUAL(ag_store_begin_trial(&store, id3), AG_OK);
    remount();
    CHECK_EQUAL(find("blinky", AG_STORE_NEXT).state, AG_STORE_TRIAL);
    CHECK_EQUAL(find("blinky", AG_STORE_NEXT).trials, 2);
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 2);
    CHECK_EQUAL(find("blinky", AG_STORE_PREVIOUS).version, 1);
    CHECK_EQUAL(ag_store_confirm(&store, id3), AG_OK);
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 3);
    CHECK_EQUAL(find("blinky", AG_STORE_PREVIOUS).version, 2);
    CHECK(!has("blinky", AG_STORE_NEXT));
    CHECK_EQUAL(store.count, 2);
    remount();
    CHECK_EQUAL(store.count, 2);
    CHECK(made_is_sound(&store, find("blinky", AG_STORE_PREVIOUS).id, &v2));
}

static void a_failed_trial_is_quarantined_and_told_until_something_newer_comes(void)
{
    const struct made v1 = { "blinky", 1, 0, 300, 400 };
    const struct made v2 = { "blinky", 2, 0, 300, 400 };
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    uint32_t id = 0;
    enum ag_status why = AG_OK;
    begin(SIZE);
    confirm(&v1);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &v2, 100, &id), AG_OK);
    CHECK_EQUAL(ag_store_begin_trial(&store, id), AG_OK);
    made_hash(&v2, sha256);
    CHECK(!ag_store_is_quarantined(&store, sha256, &why));
    CHECK_EQUAL(ag_store_fail(&store, id, AG_OK), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_fail(&store, id, AG_TRAP_UNREACHABLE), AG_OK);
    for (int i = 0; i < 2; i++, remount()) {
        CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 1);
        CHECK_EQUAL(find("blinky", AG_STORE_REJECTED).version, 2);
        CHECK_EQUAL(find("blinky", AG_STORE_REJECTED).failure, AG_TRAP_UNREACHABLE);
        CHECK(ag_store_is_quarantined(&store, sha256, &why));
        CHECK_EQUAL(why, AG_TRAP_UNREACHABLE);
    }
    CHECK_EQUAL(ag_store_begin_trial(&store, id), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_confirm(&store, id), AG_ERR_ARGUMENT);
    const struct made v3 = { "blinky", 3, 0, 300, 400 };
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &v3, 100, &id), AG_OK);
    CHECK(!has("blinky", AG_STORE_REJECTED));
    CHECK(ag_store_is_quarantined(&store, sha256, NULL));
    CHECK_EQUAL(ag_store_pardon(&store, sha256), AG_OK);
    CHECK(!ag_store_is_quarantined(&store, sha256, NULL));
    remount();
    CHECK(!ag_store_is_quarantined(&store, sha256, NULL));
}

static void a_confirmed_version_that_fails_gives_way_to_the_previous_one(void)
{
    const struct made v1 = { "blinky", 1, 3, 300, 400 };
    const struct made v2 = { "blinky", 2, 4, 300, 400 };
    begin(SIZE);
    confirm(&v1);
    const uint32_t id = confirm(&v2);
    CHECK_EQUAL(ag_store_drop(&store, id), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_fail(&store, id, AG_TRAP_FUEL), AG_OK);
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 1);
    CHECK_EQUAL(find("blinky", AG_STORE_REJECTED).version, 2);
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "blinky"), 4);
    remount();
    CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).version, 1);
}

static void the_epoch_floor_survives_removal_and_compaction(void)
{
    const struct made v1 = { "blinky", 1, 5, 300, 400 };
    begin(SIZE);
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "blinky"), 0);
    confirm(&v1);
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "blinky"), 5);
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_BLOB, "blinky"), 0);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "blinky"), AG_OK);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "blinky"), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(store.count, 0);
    for (int i = 0; i < 600; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", value, strlen(value)), AG_OK);
    }
    CHECK(store.journal.generation > 3);
    remount();
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "blinky"), 5);
}

static void values_are_replaced_kept_and_deleted(void)
{
    char value[32];
    size_t size = 0;
    begin(SIZE);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "a", value, 32, &size), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "a", "one", 3), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "ab", "two", 3), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_ASSIGNMENT, "a", "", 0), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "a", "three", 5), AG_OK);
    const uint32_t programs = sim.counts.programs;
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "a", "three", 5), AG_OK);
    CHECK_EQUAL(sim.counts.programs, programs);
    remount();
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "a", value, sizeof value, &size), AG_OK);
    CHECK_EQUAL(size, 5);
    CHECK_BYTES(value, "three", 5);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "a", value, 4, &size), AG_ERR_NO_SPACE);
    CHECK_EQUAL(size, 5);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_ASSIGNMENT, "a", value, 4, &size), AG_OK);
    CHECK_EQUAL(size, 0);
    CHECK_EQUAL(ag_store_delete(&store, AG_STORE_HOST, "a"), AG_OK);
    CHECK_EQUAL(ag_store_delete(&store, AG_STORE_HOST, "a"), AG_ERR_NOT_FOUND);
    remount();
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "a", value, 32, &size), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "ab", value, 32, &size), AG_OK);
}

static void settings_vanish_with_their_plugin_and_not_with_another(void)
{
    const struct made made = { "blinky", 1, 0, 300, 400 };
    char value[8];
    size_t size;
    begin(SIZE);
    confirm(&made);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_SETTINGS, "blinky", "x", 1), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_SETTINGS, "other", "y", 1), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "blinky", "z", 1), AG_OK);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "blinky"), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_SETTINGS, "blinky", value, 8, &size),
                AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_SETTINGS, "other", value, 8, &size), AG_OK);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "blinky", value, 8, &size), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_SETTINGS, "blinky", "n", 1), AG_OK);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_SETTINGS, "blinky", value, 8, &size), AG_OK);
}

static void a_blob_has_a_life_like_a_plugin(void)
{
    const struct made blob = { "trust", 3, 3, 16000, 0 };
    uint32_t id = 0;
    struct ag_store_slot slot;
    begin(SIZE);
    CHECK_EQUAL(made_install(&store, AG_STORE_BLOB, &blob, 333, &id), AG_OK);
    CHECK_EQUAL(ag_store_confirm(&store, id), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_BLOB, "trust", AG_STORE_CURRENT, &slot), AG_OK);
    CHECK_EQUAL(slot.kind, AG_STORE_BLOB);
    CHECK(made_is_sound(&store, id, &blob));
    const uint8_t *bytes;
    size_t size;
    CHECK_EQUAL(ag_store_open_code(&store, id, &bytes, &size), AG_ERR_NOT_FOUND);
    CHECK(!has("trust", AG_STORE_CURRENT));
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_BLOB, "trust"), 3);
}

static void arguments_outside_their_range_are_refused(void)
{
    struct ag_store_writer writer;
    struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "", 1, 0, 10, 10 };
    char name[AG_CFG_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[AG_CFG_NAME_MAX + 1] = 0;
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_ERR_ARGUMENT);
    reservation.name = name;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, name, "", 0), AG_ERR_ARGUMENT);
    name[AG_CFG_NAME_MAX] = 0;
    reservation.file_size = 0;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_ERR_ARGUMENT);
    reservation.file_size = UINT32_MAX;
    reservation.code_size = UINT32_MAX;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_ERR_STORE_FULL);
    reservation.file_size = 10;
    reservation.code_size = 10;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "a", name, AG_STORE_VALUE_MAX + 1),
                AG_ERR_ARGUMENT);
    const uint8_t *file;
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0 };
    CHECK_EQUAL(ag_store_append(&store, &writer, "0123456789A", 11), AG_ERR_FILE_SIZE);
    CHECK_EQUAL(ag_store_append(&store, &writer, "012345678", 9), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, "c", 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_finish_file(&store, &writer, &file), AG_ERR_TRUNCATED);
    CHECK_EQUAL(ag_store_seal(&store, &writer, sha256, 1), AG_ERR_TRUNCATED);
    CHECK_EQUAL(ag_store_append(&store, &writer, "9", 1), AG_OK);
    CHECK_EQUAL(ag_store_finish_file(&store, &writer, &file), AG_OK);
    CHECK_BYTES(file, "0123456789", 10);
    CHECK_EQUAL(ag_store_append(&store, &writer, "", 0), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_begin_trial(&store, writer.slot), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_confirm(&store, writer.slot), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_fail(&store, writer.slot, AG_ERR_IO), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_store_begin_trial(&store, 999), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_store_drop(&store, writer.slot), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, "c", 1), AG_ERR_NOT_FOUND);
}

static void the_largest_value_fits_and_survives_compaction(void)
{
    static uint8_t value[AG_STORE_VALUE_MAX];
    static uint8_t back[AG_STORE_VALUE_MAX];
    size_t size;
    begin(1024 * 1024);
    for (uint32_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 7 + i / 256);
    for (int round = 0; round < 30; round++) {
        value[0] = (uint8_t)round;
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_SETTINGS, "big", value, sizeof value), AG_OK);
    }
    CHECK(store.journal.generation > 2);
    remount();
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_SETTINGS, "big", back, sizeof back, &size), AG_OK);
    CHECK_EQUAL(size, sizeof value);
    CHECK_BYTES(back, value, size);
}

static void a_full_journal_refuses_values_but_never_marks(void)
{
    const struct made made = { "blinky", 1, 9, 300, 400 };
    uint8_t value[1000] = { 0 };
    char name[16];
    uint32_t id = 0;
    int count = 0;
    enum ag_status status;
    begin(SIZE);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &made, 100, &id), AG_OK);
    do {
        snprintf(name, sizeof name, "v%d", count);
        status = ag_store_put(&store, AG_STORE_HOST, name, value, sizeof value);
        count++;
    } while (status == AG_OK);
    CHECK_EQUAL(status, AG_ERR_STORE_FULL);
    CHECK(count > 3);
    const uint32_t erases = sim.counts.erases;
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, name, value, sizeof value), AG_ERR_STORE_FULL);
    CHECK_EQUAL(sim.counts.erases, erases); // refusing wears nothing
    for (int i = 0; i < 300; i++)
        CHECK_EQUAL(ag_store_begin_trial(&store, id), AG_OK);
    CHECK_EQUAL(ag_store_confirm(&store, id), AG_OK);
    for (int i = 0; i < count - 1; i++) {
        snprintf(name, sizeof name, "v%d", i);
        CHECK_EQUAL(ag_store_delete(&store, AG_STORE_HOST, name), AG_OK);
    }
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "again", value, sizeof value), AG_OK);
    remount();
    CHECK(made_is_sound(&store, id, &made));
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "blinky"), 9);
}

static void previous_versions_give_way_when_space_is_short(void)
{
    const struct made a1 = { "a", 1, 0, 40000, 0 };
    const struct made a2 = { "a", 2, 0, 40000, 0 };
    const struct made b1 = { "b", 1, 0, 60000, 0 };
    const struct made c1 = { "c", 1, 0, 60000, 0 };
    const struct made d1 = { "d", 1, 0, 60000, 0 };
    struct ag_store_info info;
    uint32_t id = 0;
    begin(SIZE); // 240 KB behind the journal
    confirm(&a1);
    confirm(&a2);
    confirm(&b1);
    confirm(&c1);
    ag_store_info(&store, &info);
    CHECK_EQUAL(info.spare_size, 40960);
    CHECK(info.free_size < 60000);
    CHECK(has("a", AG_STORE_PREVIOUS));
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &d1, 4096, &id), AG_ERR_STORE_FULL);
    const struct made e1 = { "e", 1, 0, 39000, 0 };
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &e1, 4096, &id), AG_OK);
    remount();
    CHECK(made_is_sound(&store, id, &e1));
    CHECK(made_is_sound(&store, find("a", AG_STORE_CURRENT).id, &a2));
    CHECK(made_is_sound(&store, find("b", AG_STORE_CURRENT).id, &b1));
    CHECK(made_is_sound(&store, find("c", AG_STORE_CURRENT).id, &c1));
    CHECK(has("a", AG_STORE_PREVIOUS));
    const struct made f1 = { "f", 1, 0, 39000, 0 };
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &f1, 4096, &id), AG_OK);
    CHECK(!has("a", AG_STORE_PREVIOUS));
    remount();
    CHECK(!has("a", AG_STORE_PREVIOUS));
    CHECK(made_is_sound(&store, id, &f1));
    CHECK(made_is_sound(&store, find("e", AG_STORE_NEXT).id, &e1));
    CHECK(made_is_sound(&store, find("a", AG_STORE_CURRENT).id, &a2));
    const struct made g1 = { "g", 1, 0, 1, 0 };
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &g1, 4096, &id), AG_ERR_STORE_FULL);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void a_download_goes_on_after_a_reset_from_the_last_whole_block(void)
{
    const struct made made = { "big", 1, 0, 10000, 0 };
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "big", 1, 0, 10000, 500 };
    struct ag_store_writer writer;
    uint8_t tag[AG_STORE_TAG_MAX];
    size_t tag_size = 0;
    uint32_t offset = 0;
    const uint8_t *bytes = made_file(&made);
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &writer, bytes, 9000), AG_OK);
    CHECK_EQUAL(ag_store_progress(&store, &writer, "\"etag\"", 6), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &writer, bytes + 9000, 500), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_resume(&store, writer.slot, &writer, &offset, tag, &tag_size), AG_OK);
    CHECK_EQUAL(offset, 8192);
    CHECK_EQUAL(tag_size, 6);
    CHECK_BYTES(tag, "\"etag\"", 6);
    CHECK_EQUAL(ag_store_append(&store, &writer, bytes + 8192, 10000 - 8192), AG_OK);
    const uint8_t *file;
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    made_hash(&made, sha256);
    CHECK_EQUAL(ag_store_finish_file(&store, &writer, &file), AG_OK);
    CHECK_BYTES(file, bytes, 10000);
    CHECK_EQUAL(ag_store_complete(&store, &writer, sha256), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, "half", 4), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_resume(&store, writer.slot, &writer, &offset, tag, &tag_size), AG_OK);
    CHECK_EQUAL(offset, 10000);
    CHECK_EQUAL(ag_store_finish_file(&store, &writer, &file), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, "the whole code of it", 20), AG_OK);
    CHECK_EQUAL(ag_store_seal(&store, &writer, sha256, 1), AG_OK);
    remount();
    CHECK(made_is_sound(&store, writer.slot, &made));
    const uint8_t *code;
    size_t size;
    CHECK_EQUAL(ag_store_open_code(&store, writer.slot, &code, &size), AG_OK);
    CHECK_EQUAL(size, 20);
    CHECK_BYTES(code, "the whole code of it", 20);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void a_download_goes_on_after_a_compaction(void)
{
    const struct made made = { "big", 1, 0, 10000, 0 };
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "big", 1, 0, 10000, 500 };
    struct ag_store_writer writer;
    uint8_t tag[AG_STORE_TAG_MAX];
    size_t tag_size = 0;
    uint32_t offset = 0;
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &writer, made_file(&made), 5000), AG_OK);
    CHECK_EQUAL(ag_store_progress(&store, &writer, "old", 3), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &writer, made_file(&made) + 5000, 4000), AG_OK);
    CHECK_EQUAL(ag_store_progress(&store, &writer, "newer", 5), AG_OK);
    for (uint8_t i = 0; store.journal.generation < 3; i++)
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", &i, 1), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_resume(&store, writer.slot, &writer, &offset, tag, &tag_size), AG_OK);
    CHECK_EQUAL(offset, 8192);
    CHECK_EQUAL(tag_size, 5);
    CHECK_BYTES(tag, "newer", 5);
}

// No host writes such a mark: a verdict is final, whatever stands behind it.
static void a_trial_mark_behind_a_verdict_changes_nothing(void)
{
    const struct made good = { "good", 1, 0, 100, 50 };
    const struct made bad = { "bad", 1, 0, 100, 50 };
    uint8_t bytes[AG_MARK_SIZE];
    begin(SIZE);
    const uint32_t ids[] = { confirm(&good), confirm(&bad) };
    CHECK_EQUAL(ag_store_fail(&store, ids[1], AG_TRAP_MEMORY), AG_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct ag_mark mark = { .id = ids[i], .detail = 1, .state = AG_STORE_TRIAL };
        ag_record_encode_mark(&mark, bytes);
        CHECK_EQUAL(ag_log_commit(&store, AG_RECORD_MARK, bytes, sizeof bytes, AG_LOG_MARK), AG_OK);
    }
    remount();
    CHECK_EQUAL(find("good", AG_STORE_CURRENT).id, ids[0]);
    CHECK_EQUAL(find("bad", AG_STORE_REJECTED).id, ids[1]);
}

// What a checksum proves is that a record is as it was written, not that it makes sense.
static void a_slot_record_that_points_outside_is_damage(void)
{
    static const struct {
        uint32_t file_size, code_offset, code_size;
        uint16_t block, blocks;
    } wrong[] = {
        { 100, 0, 0, 0, 1 },                           // in the journal
        { 100, 0, 0, SIZE / AG_FLASH_BLOCK, 1 },       // behind the image
        { 100, 0, 0, SIZE / AG_FLASH_BLOCK - 1, 2 },   // over its end
        { 100, 0, 0, UINT16_MAX, UINT16_MAX },         // and around
        { 100, 0, 0, 20, 0 },                          // nowhere
        { 0, 0, 0, 20, 1 },                            // no file
        { AG_FLASH_BLOCK + 1, 0, 0, 20, 1 },           // a file that is longer than its place
        { 100, 19 * AG_FLASH_BLOCK, 50, 20, 1 },       // code before it
        { 100, 20 * AG_FLASH_BLOCK, 50, 20, 1 },       // in the file
        { 100, 20 * AG_FLASH_BLOCK + 113, 50, 20, 1 }, // between two units
        { 100, 21 * AG_FLASH_BLOCK + 16, 50, 20, 1 },  // behind it
        { 100, 20 * AG_FLASH_BLOCK + 112, AG_FLASH_BLOCK, 20, 1 },
        { 100, 20 * AG_FLASH_BLOCK + 112, UINT32_MAX - 10, 20, 1 },
        { 100, 0, 50, 20, 1 }, // code, but nowhere
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ag_record_slot slot = { .id = 1,
                                       .version = 1,
                                       .file_size = wrong[i].file_size,
                                       .code_offset = wrong[i].code_offset,
                                       .code_size = wrong[i].code_size,
                                       .block = wrong[i].block,
                                       .blocks = wrong[i].blocks,
                                       .state = AG_STORE_CONFIRMED,
                                       .kind = AG_STORE_PLUGIN,
                                       .name_size = 1,
                                       .name = "a" };
        uint8_t bytes[AG_RECORD_SLOT_MAX];
        struct ag_store_slot found;
        struct ag_store_info info;
        test_note("%zu", i);
        begin(SIZE);
        CHECK_EQUAL(ag_log_commit(&store, AG_RECORD_SLOT, bytes,
                                  ag_record_encode_slot(&slot, bytes), AG_LOG_MARK),
                    AG_OK);
        remount();
        ag_store_info(&store, &info);
        CHECK_EQUAL(info.damaged, 1);
        CHECK_EQUAL(ag_store_get_slot(&store, 1, &found), AG_ERR_NOT_FOUND);
    }
}

// What the flash did while it failed is known only after a look at all of it.
static void after_a_failure_of_the_flash_nothing_is_written_until_the_next_mount(void)
{
    struct ag_store_info info;
    uint32_t id;
    const struct made made = { "a", 1, 0, 100, 50 };
    begin(SIZE);
    CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
    sim.cut_at = sim.operations + 1;
    sim.cut_mode = SIM_CUT_BEFORE;
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "lost", 4), AG_ERR_FLASH);
    sim_flash_restart(&sim);
    const struct sim_flash_counts before = sim.counts;
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "more", 4), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_fail(&store, id, AG_TRAP_MEMORY), AG_ERR_FLASH);
    ag_store_info(&store, &info);
    CHECK(info.read_only);
    CHECK(made_is_sound(&store, id, &made));
    CHECK_EQUAL(memcmp(&before, &sim.counts, sizeof before), 0);
    remount();
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "more", 4), AG_OK);
}

static void recover(void)
{
    struct ag_store_info info;
    ag_store_info(&store, &info);
    CHECK(info.read_only && ag_store_is_read_only(&store));
    CHECK_EQUAL(ag_store_recover(&store), AG_OK);
    CHECK(!ag_store_is_read_only(&store));
}

static void after_a_failure_of_the_flash_the_store_comes_up_again_in_place(void)
{
    const struct made made = { "a", 1, 0, 100, 50 };
    const struct made newer = { "a", 2, 0, 5000, 50 };
    struct ag_store_writer writer;
    const uint8_t *file;
    const uint8_t *still;
    char value[8];
    size_t size;
    uint32_t id;
    uint32_t next;
    begin(SIZE);
    CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &newer, 1000, &next), AG_OK);
    CHECK_EQUAL(ag_store_open_file(&store, id, &file, &size), AG_OK);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "kept", 4), AG_OK);
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "b", 1, 0, 100, 100 };
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    sim.fail_at = sim.operations + 2; // the sync: the mark may be there, or not
    CHECK_EQUAL(ag_store_begin_trial(&store, next), AG_ERR_FLASH);
    CHECK_EQUAL(find("a", AG_STORE_NEXT).state, AG_STORE_SEALED);
    sim.fail_at = sim.operations + 1;
    CHECK_EQUAL(ag_store_recover(&store), AG_ERR_FLASH);
    CHECK(made_is_sound(&store, id, &made) && made_is_sound(&store, next, &newer));
    recover();
    CHECK_EQUAL(find("a", AG_STORE_NEXT).state, AG_STORE_TRIAL);
    CHECK_EQUAL(find("a", AG_STORE_NEXT).id, next);
    CHECK_EQUAL(ag_store_open_file(&store, id, &still, &size), AG_OK);
    CHECK(still == file);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "n", value, sizeof value, &size), AG_OK);
    // The writer is dead, and what it stood for is as after a start.
    CHECK_EQUAL(ag_store_append(&store, &writer, "x", 1), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_place(&store, &writer, &still), AG_ERR_FLASH);
    CHECK_EQUAL(find("b", AG_STORE_NEXT).state, AG_STORE_RESERVED);
    CHECK_EQUAL(ag_store_confirm(&store, next), AG_OK);
    remount();
    CHECK_EQUAL(find("a", AG_STORE_CURRENT).id, next);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void a_change_that_failed_is_not_seen_before_it_is_known_to_be_there(void)
{
    const struct made made = { "a", 1, 0, 100, 50 };
    const struct made newer = { "a", 2, 0, 100, 50 };
    uint32_t id;
    uint32_t next;
    begin(SIZE);
    CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
    CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &newer, 1000, &next), AG_OK);
    sim.fail_at = sim.operations + 2;
    CHECK_EQUAL(ag_store_confirm(&store, next), AG_ERR_FLASH);
    CHECK_EQUAL(find("a", AG_STORE_CURRENT).id, id);
    recover();
    CHECK_EQUAL(find("a", AG_STORE_CURRENT).id, next);
    sim.fail_at = sim.operations + 2;
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "a"), AG_ERR_FLASH);
    CHECK(has("a", AG_STORE_CURRENT) && has("a", AG_STORE_PREVIOUS));
    recover();
    CHECK(!has("a", AG_STORE_CURRENT));
}

static void bringing_up_a_store_that_is_up_does_nothing(void)
{
    begin(SIZE);
    const struct sim_flash_counts before = sim.counts;
    CHECK_EQUAL(ag_store_recover(&store), AG_OK);
    CHECK_EQUAL(memcmp(&before, &sim.counts, sizeof before), 0);
}

// ---- Bad blocks --------------------------------------------------------------------------------

static struct ag_store_info info_of(void)
{
    struct ag_store_info info;
    ag_store_info(&store, &info);
    return info;
}

static bool a_slot_lies_on(uint32_t block)
{
    for (uint16_t i = 0; i < store.count; i++) {
        const struct ag_store_entry *entry = &store.index[i];
        if (block >= entry->block && block < (uint32_t)entry->block + entry->blocks)
            return true;
    }
    return false;
}

// As a host does: what failed is given up.
static enum ag_status update(uint32_t version)
{
    const struct made made = { "a", version, 0, 5000, 300 };
    struct ag_store_slot slot;
    uint32_t id;
    const enum ag_status status = made_confirm(&store, &made, &id);
    if (status != AG_OK &&
        ag_store_find(&store, AG_STORE_PLUGIN, "a", AG_STORE_NEXT, &slot) == AG_OK)
        CHECK_EQUAL(ag_store_drop(&store, slot.id), AG_OK);
    return status;
}

static void a_block_that_fails_costs_one_install_and_no_other(void)
{
    for (uint32_t bad = 4; bad < SIZE / AG_FLASH_BLOCK; bad++) {
        uint32_t failures = 0;
        begin(SIZE);
        const uint32_t free_size = info_of().free_size;
        sim.bad_block = bad;
        for (uint32_t version = 1; version < 200; version++) {
            const enum ag_status status = update(version);
            CHECK(status == AG_OK || status == AG_ERR_FLASH);
            failures += status != AG_OK;
            if (failures > 0)
                CHECK(!a_slot_lies_on(bad));
        }
        test_note("block %u", (unsigned)bad);
        CHECK_EQUAL(failures, 1);
        CHECK(store.journal.generation > 1); // and a compaction keeps it
        remount();
        CHECK_EQUAL(info_of().bad_blocks, 1);
        CHECK_EQUAL(update(200), AG_OK);
        CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "a"), AG_OK);
        CHECK_EQUAL(info_of().free_size, free_size - AG_FLASH_BLOCK);
        CHECK_EQUAL(sim.counts.breaches, 0);
    }
}

static void room_that_is_left_only_with_a_bad_block_is_none(void)
{
    struct ag_store_writer writer;
    struct ag_store_info info;
    begin(64u * 1024u); // 12 blocks for slots
    sim.bad_block = 10;
    CHECK_EQUAL(update(1), AG_OK);
    CHECK_EQUAL(update(2), AG_OK);
    CHECK_EQUAL(update(3), AG_OK);
    CHECK_EQUAL(update(4), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "a"), AG_OK);
    info = info_of();
    CHECK_EQUAL(info.free_size, 11 * AG_FLASH_BLOCK);
    CHECK_EQUAL(info.largest_free, 6 * AG_FLASH_BLOCK);
    struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "b", 1, 0, 28000, 300 };
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_ERR_STORE_FULL);
    reservation.file_size = 24000;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    reservation.name = "c";
    reservation.file_size = 20000;
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    CHECK(!a_slot_lies_on(10));
}

static void few_blocks_are_left_out_and_the_oldest_has_another_chance(void)
{
    begin(SIZE);
    const uint32_t blocks = SIZE / AG_FLASH_BLOCK - 4;
    uint32_t version = 1;
    for (uint32_t bad = 4; bad < 4 + blocks; bad++) {
        sim.bad_block = bad;
        for (uint32_t i = 0; i < blocks; i++, version++)
            if (update(version) != AG_OK)
                CHECK_EQUAL(store.bad[store.bad_count - 1], bad);
        CHECK(info_of().bad_blocks <= blocks / 8);
    }
    CHECK_EQUAL(info_of().bad_blocks, blocks / 8);
    const uint16_t oldest = store.bad[0];
    remount();
    CHECK_EQUAL(store.bad[0], oldest);
    sim.bad_block = UINT32_MAX;
    for (uint32_t i = 0; i < 2 * blocks; i++, version++)
        CHECK_EQUAL(update(version), AG_OK);
    remount();
    CHECK_EQUAL(store.bad[0], oldest);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void code_whose_block_fails_is_written_elsewhere(void)
{
    const struct made made = { "a", 1, 0, 9000, 5000 };
    struct ag_store_writer writer;
    const uint8_t *bytes;
    size_t size;
    begin(SIZE);
    const uint32_t id = confirm(&made);
    CHECK_EQUAL(store.index[0].block, 4);
    sim.bad_block = 4 + 3;
    CHECK_EQUAL(ag_store_retranslate(&store, id, 5000, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, made_code(&made), 5000), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_retranslate(&store, id, 5000, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, made_code(&made), 5000), AG_OK);
    CHECK_EQUAL(ag_store_seal_code(&store, &writer, 8), AG_OK);
    CHECK(made_is_sound(&store, id, &made));
    CHECK(!a_slot_lies_on(4 + 3));
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void a_flash_that_fails_altogether_leaves_no_block_out(void)
{
    const struct made made = { "a", 1, 0, 5000, 300 };
    struct ag_store_writer writer;
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "a", 1, 0, 5000, 300 };
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    sim.cut_at = sim.operations + 1;
    CHECK_EQUAL(ag_store_append(&store, &writer, made_file(&made), 5000), AG_ERR_FLASH);
    CHECK(ag_store_is_read_only(&store));
    sim_flash_restart(&sim);
    recover();
    CHECK_EQUAL(info_of().bad_blocks, 0);
}

// A journal that repeats itself, as a flash whose address lines fail may show it.
static void a_record_out_of_its_sequence_does_not_count(void)
{
    struct ag_store_info info;
    char value[4];
    size_t size;
    begin(SIZE);
    const uint32_t start = store.journal.tail;
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "old", 3), AG_OK);
    const uint32_t end = store.journal.tail;
    uint8_t record[256];
    CHECK(end - start <= sizeof record);
    memcpy(record, sim.flash.base + start, end - start);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "new", 3), AG_OK);
    CHECK_EQUAL(sim.flash.program(sim.flash.context, store.journal.tail, record, end - start),
                AG_OK);
    remount();
    ag_store_info(&store, &info);
    CHECK_EQUAL(info.damaged, 1);
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "n", value, sizeof value, &size), AG_OK);
    CHECK_BYTES(value, "new", 3);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "next", 4), AG_OK);
    remount();
    CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "n", value, sizeof value, &size), AG_OK);
    CHECK_BYTES(value, "next", 4);
}

static void a_download_whose_recorded_bytes_rotted_starts_again(void)
{
    const struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "big", 1, 0, 9000, 0 };
    static const uint8_t bytes[9000] = { 1, 2, 3 };
    struct ag_store_writer writer;
    uint8_t tag[AG_STORE_TAG_MAX];
    size_t tag_size = 9;
    uint32_t offset = 9;
    const uint8_t *file;
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &writer, bytes, 9000), AG_OK);
    CHECK_EQUAL(ag_store_finish_file(&store, &writer, &file), AG_OK);
    CHECK_EQUAL(ag_store_progress(&store, &writer, "t", 1), AG_OK);
    sim_flash_flip(&sim, (uint32_t)(file - sim.flash.base + 4000) * 8);
    remount();
    CHECK_EQUAL(ag_store_resume(&store, writer.slot, &writer, &offset, tag, &tag_size), AG_OK);
    CHECK_EQUAL(offset, 0);
    CHECK_EQUAL(tag_size, 0);
    CHECK_EQUAL(ag_store_append(&store, &writer, bytes, 9000), AG_OK);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void damaged_code_is_told_and_can_be_translated_again(void)
{
    const struct made made = { "blinky", 1, 0, 5000, 3000 };
    struct ag_store_writer writer;
    const uint8_t *code;
    size_t size;
    begin(SIZE);
    const uint32_t id = confirm(&made);
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(ag_store_open_code(&store, id, &code, &size), AG_OK);
        sim_flash_flip(&sim, (uint32_t)(code - sim.flash.base) * 8 + 34);
        CHECK_EQUAL(ag_store_open_code(&store, id, &code, &size), AG_ERR_STORE_DAMAGED);
        CHECK_EQUAL(ag_store_retranslate(&store, id, 1, &writer), AG_OK);
        CHECK_EQUAL(ag_store_append_code(&store, &writer, "newer code", 10), AG_OK);
        CHECK_EQUAL(ag_store_open_code(&store, id, &code, &size), AG_ERR_STORE_DAMAGED);
        CHECK_EQUAL(ag_store_seal_code(&store, &writer, 8), AG_OK);
        remount();
        CHECK_EQUAL(ag_store_open_code(&store, id, &code, &size), AG_OK);
        CHECK_BYTES(code, "newer code", 10);
        CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).engine, 8);
        CHECK_EQUAL(ag_store_open_file(&store, id, &code, &size), AG_OK);
    }
    CHECK_EQUAL(sim.counts.breaches, 0);
}

// What a host with another engine finds where slots lie one behind the other.
static void code_without_room_behind_its_file_moves_the_slot(void)
{
    const struct made made = { "blinky", 1, 0, 5000, 3000 };
    const struct made behind = { "other", 1, 0, 5000, 3000 };
    static const uint8_t code[9000] = { 7 };
    struct ag_store_writer writer;
    const uint8_t *file;
    const uint8_t *bytes;
    size_t size;
    begin(SIZE);
    const uint32_t id = confirm(&made);
    const uint32_t id_behind = confirm(&behind);
    CHECK_EQUAL(ag_store_open_file(&store, id, &file, &size), AG_OK);
    CHECK_EQUAL(ag_store_retranslate(&store, id, sizeof code, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, code, sizeof code), AG_OK);
    CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_OK);
    CHECK(bytes == file); // until the seal
    CHECK_EQUAL(ag_store_seal_code(&store, &writer, 8), AG_OK);
    for (int mounts = 0; mounts < 2; mounts++) {
        CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_OK);
        CHECK(bytes != file);
        CHECK_EQUAL(size, made.file_size);
        CHECK_BYTES(bytes, made_file(&made), size);
        CHECK_EQUAL(ag_store_open_code(&store, id, &bytes, &size), AG_OK);
        CHECK_EQUAL(size, sizeof code);
        CHECK_BYTES(bytes, code, size);
        CHECK_EQUAL(find("blinky", AG_STORE_CURRENT).id, id);
        CHECK(made_is_sound(&store, id_behind, &behind));
        remount();
    }
    for (uint8_t i = 0; store.journal.generation == 1; i++) // over a compaction, too
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", &i, 1), AG_OK);
    CHECK_EQUAL(ag_store_open_code(&store, id, &bytes, &size), AG_OK);
    CHECK_EQUAL(size, sizeof code);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

// Plug-in a with a previous version, and b: nothing is free. The id of the current a.
static uint32_t fill_with_two_of_a_and_b(void)
{
    begin(64u * 1024u); // 12 blocks for slots
    struct made made = { "a", 1, 0, 20000, 100 };
    confirm(&made);
    made.version = 2;
    const uint32_t id = confirm(&made);
    const struct made other = { "b", 1, 0, 8000, 100 };
    confirm(&other);
    return id;
}

static void a_slot_that_moves_takes_the_room_of_previous_versions_and_of_no_current_one(void)
{
    struct ag_store_writer writer;
    const uint32_t id = fill_with_two_of_a_and_b();
    CHECK_EQUAL(ag_store_retranslate(&store, id, 12000, &writer), AG_ERR_STORE_FULL);
    CHECK_EQUAL(find("a", AG_STORE_PREVIOUS).version, 1);
    CHECK_EQUAL(ag_store_retranslate(&store, id, 300, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &writer, "code", 4), AG_OK);
    CHECK_EQUAL(ag_store_seal_code(&store, &writer, 8), AG_OK);
    remount();
    struct ag_store_slot slot;
    CHECK_EQUAL(ag_store_find(&store, AG_STORE_PLUGIN, "a", AG_STORE_PREVIOUS, &slot),
                AG_ERR_NOT_FOUND);
    CHECK_EQUAL(find("a", AG_STORE_CURRENT).id, id);
    CHECK_EQUAL(find("b", AG_STORE_CURRENT).version, 1);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void what_gave_way_to_a_slot_that_moves_stays_gone_after_a_reset(void)
{
    const struct made made = { "a", 2, 0, 20000, 100 };
    struct ag_store_writer writer;
    const uint32_t id = fill_with_two_of_a_and_b();
    CHECK_EQUAL(ag_store_retranslate(&store, id, 300, &writer), AG_OK);
    remount();                           // before the seal
    CHECK(!has("a", AG_STORE_PREVIOUS)); // whose blocks were erased
    CHECK_EQUAL(find("a", AG_STORE_CURRENT).id, id);
    CHECK(made_is_sound(&store, id, &made));
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void a_previous_version_does_not_give_way_to_itself(void)
{
    struct ag_store_writer writer;
    begin(64u * 1024u); // 12 blocks for slots
    const struct made before = { "before", 1, 0, 8000, 50 };
    const struct made rest = { "rest", 1, 0, 16000, 50 };
    struct made made = { "a", 1, 0, 12000, 100 };
    confirm(&before);
    const uint32_t id = confirm(&made);
    made.version = 2;
    confirm(&made);
    confirm(&rest);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "before"), AG_OK);
    made.version = 1;
    // Room for it is only where it lies, and in the two blocks before that.
    CHECK_EQUAL(ag_store_retranslate(&store, id, 8000, &writer), AG_ERR_STORE_FULL);
    CHECK_EQUAL(find("a", AG_STORE_PREVIOUS).id, id);
    CHECK(made_is_sound(&store, id, &made));
    remount();
    CHECK(made_is_sound(&store, id, &made));
}

static void a_slot_that_failed_for_damage_quarantines_nothing(void)
{
    const struct made made = { "blinky", 1, 0, 5000, 3000 };
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    made_hash(&made, sha256);
    begin(SIZE);
    const uint32_t id = confirm(&made);
    CHECK_EQUAL(ag_store_fail(&store, id, AG_ERR_STORE_DAMAGED), AG_OK);
    CHECK_EQUAL(find("blinky", AG_STORE_REJECTED).failure, AG_ERR_STORE_DAMAGED);
    CHECK(!ag_store_is_quarantined(&store, sha256, NULL));
}

static void a_damaged_file_is_told(void)
{
    const struct made made = { "blinky", 1, 0, 5000, 3000 };
    const uint8_t *bytes;
    size_t size;
    struct ag_store_writer writer;
    begin(SIZE);
    const uint32_t id = confirm(&made);
    CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_OK);
    sim_flash_flip(&sim, (uint32_t)(bytes - sim.flash.base) * 8 + 39999);
    remount();
    CHECK_EQUAL(ag_store_open_file(&store, id, &bytes, &size), AG_ERR_STORE_DAMAGED);
    CHECK_EQUAL(ag_store_retranslate(&store, id, 1, &writer), AG_ERR_STORE_DAMAGED);
}

static void code_grows_into_the_free_blocks_behind_until_a_slot_is_there(void)
{
    const struct made made = { "a", 1, 0, 100, 20000 };
    struct ag_store_reservation reservation = { AG_STORE_PLUGIN, "b", 1, 0, 100, 0 };
    struct ag_store_writer first;
    struct ag_store_writer second;
    static const uint8_t code[5000] = { 1 };
    const uint8_t *file;
    uint8_t file_bytes[100] = { 0 };
    begin(SIZE);
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &first), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &first, file_bytes, 100), AG_OK);
    CHECK_EQUAL(ag_store_finish_file(&store, &first, &file), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &first, code, 5000), AG_OK);
    reservation.name = "c";
    CHECK_EQUAL(ag_store_reserve(&store, &reservation, &second), AG_OK);
    for (int i = 0; i < 700; i++) { // the grown piece survives a compaction
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", value, strlen(value)), AG_OK);
    }
    CHECK(store.journal.generation > 1);
    CHECK_EQUAL(store.index[0].id, first.slot);
    CHECK_EQUAL(store.index[0].blocks, 2);
    CHECK_EQUAL(ag_store_append_code(&store, &first, code, 3000), AG_OK);
    CHECK_EQUAL(ag_store_append_code(&store, &first, code, 5000), AG_ERR_STORE_FULL);
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0 };
    CHECK_EQUAL(ag_store_seal(&store, &first, sha256, 1), AG_OK);
    CHECK_EQUAL(ag_store_append(&store, &second, file_bytes, 100), AG_OK);
    CHECK_EQUAL(ag_store_seal(&store, &second, sha256, 1), AG_OK);
    remount();
    size_t size;
    CHECK_EQUAL(ag_store_open_code(&store, first.slot, &file, &size), AG_OK);
    CHECK_EQUAL(size, 8000);
    confirm(&made);
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static void the_quarantine_keeps_the_newest_hashes(void)
{
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0 };
    begin(SIZE);
    for (int i = 0; i < 3 * AG_CFG_QUARANTINE_MAX; i++) {
        sha256[5] = (uint8_t)i;
        CHECK_EQUAL(ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH), AG_OK);
        CHECK_EQUAL(ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH), AG_OK);
    }
    for (int i = 0; i < 700; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", value, strlen(value)), AG_OK);
    }
    remount();
    for (int i = 0; i < 3 * AG_CFG_QUARANTINE_MAX; i++) {
        sha256[5] = (uint8_t)i;
        CHECK_EQUAL(ag_store_is_quarantined(&store, sha256, NULL), i >= 2 * AG_CFG_QUARANTINE_MAX);
    }
}

static void a_full_index_lets_previous_versions_give_way(void)
{
    char names[AG_CFG_PLUGIN_MAX + 5][8];
    uint32_t id = 0;
    begin(4 * 1024 * 1024);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX + 5; i++) {
        snprintf(names[i], sizeof names[i], "p%u", i);
        for (uint32_t version = 1; version <= 2; version++) {
            const struct made made = { names[i], version, 0, 100, 100 };
            test_note("%s %u", names[i], version);
            CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
        }
    }
    remount();
    CHECK_EQUAL(store.count, AG_STORE_SLOT_MAX);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX + 5; i++)
        CHECK_EQUAL(find(names[i], AG_STORE_CURRENT).version, 2);
}

static void slots_are_walked_in_the_order_of_their_reservation(void)
{
    const struct made a = { "a", 1, 0, 100, 100 };
    const struct made b = { "b", 1, 0, 100, 100 };
    const struct made a2 = { "a", 2, 0, 100, 100 };
    struct ag_store_slot slot;
    uint32_t id = 0;
    char seen[256] = "";
    begin(SIZE);
    confirm(&a);
    confirm(&b);
    confirm(&a2);
    while (ag_store_next(&store, &id, &slot))
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%u ", slot.name, slot.version);
    CHECK_TEXT(seen, "a1 b1 a2 ");
}

static void formatting_forgets_everything_and_is_one_step(void)
{
    const struct made made = { "a", 1, 7, 100, 100 };
    begin(SIZE);
    const uint32_t id = confirm(&made);
    CHECK_EQUAL(ag_store_format(&store, &sim.flash), AG_OK);
    CHECK_EQUAL(store.count, 0);
    CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, "a"), 0);
    remount();
    CHECK_EQUAL(store.count, 0);
    CHECK(confirm(&made) > id);
}

static void wear_is_spread_over_all_blocks(void)
{
    uint32_t id = 0;
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    const uint32_t blocks = SIZE / AG_FLASH_BLOCK;
    begin(SIZE);
    for (uint32_t version = 1; version <= 2000; version++) {
        const struct made made = { "a", version, 0, 1000, 1500 };
        CHECK_EQUAL(made_confirm(&store, &made, &id), AG_OK);
    }
    for (uint32_t block = 4; block < blocks; block++) {
        const uint32_t wear = sim_flash_wear(&sim, block);
        least = wear < least ? wear : least;
        most = wear > most ? wear : most;
    }
    printf("# 2000 updates: slot blocks erased %u to %u times, journal %u, %u, %u, %u\n", least,
           most, sim_flash_wear(&sim, 0), sim_flash_wear(&sim, 1), sim_flash_wear(&sim, 2),
           sim_flash_wear(&sim, 3));
    CHECK(most <= least + 2);
    CHECK(sim_flash_wear(&sim, 0) <= sim_flash_wear(&sim, 3) + 2);
    CHECK(sim_flash_wear(&sim, 3) <= sim_flash_wear(&sim, 0) + 2);
}

static void costs_are_as_documented(void)
{
    static const uint32_t sizes[] = { 1024, 100 * 1024 };
    for (size_t i = 0; i < 2; i++) {
        const struct made made = { "blinky", 1, 1, sizes[i], sizes[i] * 3 / 2 };
        uint32_t id = 0;
        begin(4 * 1024 * 1024);
        memset(&sim.counts, 0, sizeof sim.counts);
        CHECK_EQUAL(made_install(&store, AG_STORE_PLUGIN, &made, 4096, &id), AG_OK);
        printf("# install of %u + %u bytes: %u programs (%u units), %u erases, %u syncs\n",
               made.file_size, made.code_size, sim.counts.programs, sim.counts.units,
               sim.counts.erases, sim.counts.syncs);
        const uint32_t units = (made.file_size + 15) / 16 + (made.code_size + 15) / 16;
        CHECK(sim.counts.units <= units + 24);
        CHECK_EQUAL(sim.counts.erases, (sizes[i] / 2 * 5 + 4095) / 4096);
        CHECK_EQUAL(sim.counts.syncs, 1);
    }
    printf("# RAM: store %zu bytes (%zu a slot), writer %zu\n", sizeof(struct ag_store),
           sizeof(struct ag_store_entry), sizeof(struct ag_store_writer));
}

static const struct test_case cases[] = {
    TEST(blank_flash_is_formatted_and_mounts_again),
    TEST(random_bytes_are_refused_and_left_alone),
    TEST(one_written_byte_anywhere_is_not_blank),
    TEST(an_image_of_another_size_is_refused),
    TEST(a_file_and_its_code_are_read_back_in_place),
    TEST(an_install_costs_one_sync_and_each_mark_one),
    TEST(roles_follow_the_life_of_versions),
    TEST(a_failed_trial_is_quarantined_and_told_until_something_newer_comes),
    TEST(a_confirmed_version_that_fails_gives_way_to_the_previous_one),
    TEST(the_epoch_floor_survives_removal_and_compaction),
    TEST(values_are_replaced_kept_and_deleted),
    TEST(settings_vanish_with_their_plugin_and_not_with_another),
    TEST(a_blob_has_a_life_like_a_plugin),
    TEST(arguments_outside_their_range_are_refused),
    TEST(the_largest_value_fits_and_survives_compaction),
    TEST(a_full_journal_refuses_values_but_never_marks),
    TEST(previous_versions_give_way_when_space_is_short),
    TEST(a_download_goes_on_after_a_reset_from_the_last_whole_block),
    TEST(a_download_goes_on_after_a_compaction),
    TEST(a_trial_mark_behind_a_verdict_changes_nothing),
    TEST(a_slot_record_that_points_outside_is_damage),
    TEST(after_a_failure_of_the_flash_nothing_is_written_until_the_next_mount),
    TEST(after_a_failure_of_the_flash_the_store_comes_up_again_in_place),
    TEST(a_change_that_failed_is_not_seen_before_it_is_known_to_be_there),
    TEST(bringing_up_a_store_that_is_up_does_nothing),
    TEST(a_block_that_fails_costs_one_install_and_no_other),
    TEST(room_that_is_left_only_with_a_bad_block_is_none),
    TEST(few_blocks_are_left_out_and_the_oldest_has_another_chance),
    TEST(code_whose_block_fails_is_written_elsewhere),
    TEST(a_flash_that_fails_altogether_leaves_no_block_out),
    TEST(a_record_out_of_its_sequence_does_not_count),
    TEST(a_download_whose_recorded_bytes_rotted_starts_again),
    TEST(damaged_code_is_told_and_can_be_translated_again),
    TEST(code_without_room_behind_its_file_moves_the_slot),
    TEST(a_slot_that_moves_takes_the_room_of_previous_versions_and_of_no_current_one),
    TEST(what_gave_way_to_a_slot_that_moves_stays_gone_after_a_reset),
    TEST(a_previous_version_does_not_give_way_to_itself),
    TEST(a_slot_that_failed_for_damage_quarantines_nothing),
    TEST(a_damaged_file_is_told),
    TEST(code_grows_into_the_free_blocks_behind_until_a_slot_is_there),
    TEST(the_quarantine_keeps_the_newest_hashes),
    TEST(a_full_index_lets_previous_versions_give_way),
    TEST(slots_are_walked_in_the_order_of_their_reservation),
    TEST(formatting_forgets_everything_and_is_one_step),
    TEST(wear_is_spread_over_all_blocks),
    TEST(costs_are_as_documented),
};

int main(int argc, char **argv)
{
    const int code = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    if (sim.bytes)
        sim_flash_close(&sim);
    return code;
}
