// SPDX-License-Identifier: Apache-2.0
// Bit rot: one flipped bit anywhere in the image. Damaged records are put right or reported;
// damaged files and code are never handed out. And images made of garbage.
#include <stdio.h>
#include <string.h>

#include "store/journal.h"
#include "test/harness.h"
#include "test/unit/store/helper.h"

#define SIZE  (64u * 1024u)
#define SLOTS 4

static const struct made a1 = { "a", 1, 1, 500, 700 };
static const struct made a2 = { "a", 2, 2, 4096, 33 };
static const struct made b1 = { "b", 1, 3, 100, 90 };

static struct sim_flash sim;

// What the store says, in a form that compares.
struct picture {
    struct ag_store_slot slots[SLOTS];
    uint32_t count;
    uint32_t floor_a;
    uint32_t floor_b;
    uint8_t value[64];
    size_t value_size;
    bool quarantined;
};

static void take(const struct ag_store *store, struct picture *picture)
{
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    memset(picture, 0, sizeof *picture);
    for (uint32_t id = 0; picture->count < SLOTS; picture->count++) {
        if (!ag_store_next(store, &id, &picture->slots[picture->count]))
            break;
    }
    picture->floor_a = ag_store_epoch_floor(store, AG_STORE_PLUGIN, "a");
    picture->floor_b = ag_store_epoch_floor(store, AG_STORE_PLUGIN, "b");
    if (ag_store_get(store, AG_STORE_SETTINGS, "a", picture->value, sizeof picture->value,
                     &picture->value_size) != AG_OK)
        picture->value_size = 0;
    made_hash(&b1, sha256);
    picture->quarantined = ag_store_is_quarantined(store, sha256, NULL);
}

// a 2 current, a 1 previous, b 1 failed; settings of a.
static void fill(struct ag_store *store)
{
    uint32_t id = 0;
    if (sim.bytes)
        sim_flash_close(&sim);
    sim_flash_open(&sim, SIZE);
    CHECK_EQUAL(ag_store_mount(store, &sim.flash), AG_OK);
    CHECK_EQUAL(made_confirm(store, &a1, &id), AG_OK);
    CHECK_EQUAL(made_confirm(store, &a2, &id), AG_OK);
    CHECK_EQUAL(ag_store_put(store, AG_STORE_SETTINGS, "a", "{\"period\":1}", 12), AG_OK);
    CHECK_EQUAL(made_confirm(store, &b1, &id), AG_OK);
    CHECK_EQUAL(ag_store_fail(store, id, AG_TRAP_MEMORY), AG_OK);
}

static void any_flipped_bit_of_the_journal_is_put_right(void)
{
    struct ag_store store;
    struct picture sound;
    struct picture now;
    uint32_t repaired = 0;
    fill(&store);
    take(&store, &sound);
    CHECK_EQUAL(sound.count, 3);
    const uint32_t used = store.journal.tail % AG_FLASH_BLOCK; // in block 0
    CHECK_EQUAL(store.journal.generation, 1);
    for (uint32_t bit = 0; bit < (used + 64) * 8; bit++) {
        struct ag_store_info info;
        test_note("bit %u of byte %u", bit % 8, bit / 8);
        sim_flash_flip(&sim, bit);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        take(&store, &now);
        CHECK(memcmp(&now, &sound, sizeof now) == 0);
        ag_store_info(&store, &info);
        repaired += info.repaired;
        sim_flash_flip(&sim, bit);
    }
    printf("# %u bits flipped in %u bytes of journal: all put right\n", (used + 64) * 8, used);
    CHECK(repaired > used * 4); // most of them are in heads and payloads
}

static void after_rot_the_journal_goes_on_and_compacts(void)
{
    struct ag_store store;
    struct picture sound;
    struct picture now;
    for (uint32_t bit = 1; bit < 8 * 1000; bit += 97) {
        test_note("bit %u of byte %u", bit % 8, bit / 8);
        fill(&store);
        take(&store, &sound);
        sim_flash_flip(&sim, bit);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        for (uint8_t i = 0; store.journal.generation == 1; i++)
            CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", &i, 1), AG_OK);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        take(&store, &now);
        CHECK(memcmp(&now, &sound, sizeof now) == 0);
        CHECK_EQUAL(store.repaired + store.damaged, 0);
        CHECK_EQUAL(sim.counts.breaches, 0);
    }
}

static bool lies_in(uint32_t byte, const uint8_t *bytes, size_t size)
{
    const size_t start = (size_t)(bytes - sim.flash.base);
    return byte >= start && byte - start < size;
}

static void check_slot(const struct ag_store *store, uint32_t id, const struct made *made,
                       uint32_t byte, const uint8_t *file, const uint8_t *code)
{
    const uint8_t *bytes;
    size_t size;
    CHECK_EQUAL(ag_store_open_file(store, id, &bytes, &size),
                lies_in(byte, file, made->file_size) ? AG_ERR_STORE_DAMAGED : AG_OK);
    CHECK_EQUAL(ag_store_open_code(store, id, &bytes, &size),
                lies_in(byte, code, made->code_size) ? AG_ERR_STORE_DAMAGED : AG_OK);
}

static void any_flipped_bit_of_files_and_code_is_told_and_nothing_else_is_lost(void)
{
    struct ag_store store;
    struct picture sound;
    const uint8_t *files[2];
    const uint8_t *codes[2];
    size_t size;
    fill(&store);
    take(&store, &sound);
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(ag_store_open_file(&store, sound.slots[i].id, &files[i], &size), AG_OK);
        CHECK_EQUAL(ag_store_open_code(&store, sound.slots[i].id, &codes[i], &size), AG_OK);
    }
    for (uint32_t bit = 4 * AG_FLASH_BLOCK * 8; bit < 7 * AG_FLASH_BLOCK * 8; bit += 11) {
        test_note("bit %u of byte %u", bit % 8, bit / 8);
        sim_flash_flip(&sim, bit);
        check_slot(&store, sound.slots[0].id, &a1, bit / 8, files[0], codes[0]);
        check_slot(&store, sound.slots[1].id, &a2, bit / 8, files[1], codes[1]);
        sim_flash_flip(&sim, bit);
    }
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// Many bytes changed at once: whatever comes out, no wrong byte is handed out.
static void images_with_many_wrong_bytes_are_survived(void)
{
    struct ag_store store;
    uint32_t seed = 42;
    uint32_t mounted = 0;
    for (int round = 0; round < 400; round++) {
        test_note("round %d", round);
        fill(&store);
        const uint32_t changes = 1 + random_next(&seed) % 64;
        for (uint32_t i = 0; i < changes; i++) {
            const uint8_t byte = (uint8_t)random_next(&seed);
            const uint32_t region = round % 2 ? 2000 : 7 * AG_FLASH_BLOCK;
            sim_flash_poke(&sim, random_next(&seed) % region, &byte, 1);
        }
        const enum ag_status status = ag_store_mount(&store, &sim.flash);
        CHECK(status == AG_OK || status == AG_ERR_STORE_FORMAT);
        if (status != AG_OK)
            continue;
        mounted++;
        struct ag_store_slot slot;
        for (uint32_t id = 0; ag_store_next(&store, &id, &slot);) {
            const struct made *made = slot.name[0] == 'b' ? &b1 : slot.version == 1 ? &a1 : &a2;
            const uint8_t *bytes;
            size_t size;
            if (ag_store_open_file(&store, id, &bytes, &size) == AG_OK)
                CHECK(size == made->file_size && memcmp(bytes, made_file(made), size) == 0);
            if (ag_store_open_code(&store, id, &bytes, &size) == AG_OK)
                CHECK(size == made->code_size && memcmp(bytes, made_code(made), size) == 0);
        }
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "x", 1), AG_OK);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
    }
    printf("# 400 images with many wrong bytes: %u mounted, the others refused\n", mounted);
    CHECK(mounted > 100);
}

// A medium that writes in any order may keep the head of a new generation and lose the erase before
// it: behind the head lie the records of an old one.
static void records_of_an_old_generation_never_pass_as_those_of_a_newer_one(void)
{
    struct ag_store store;
    struct picture sound;
    struct picture now;
    fill(&store);
    while (store.journal.generation < 4) {
        const uint8_t value = (uint8_t)store.journal.sequence;
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", &value, 1), AG_OK);
    }
    take(&store, &sound);
    CHECK_EQUAL(sound.count, 3);
    for (uint32_t place = 0; place < 4; place++) {
        uint8_t before[32];
        if (store.journal.ring[0] == place)
            continue;
        memcpy(before, sim.bytes + place * AG_FLASH_BLOCK, sizeof before);
        for (uint32_t generation = 5; generation != 0;
             generation = generation < 600 ? generation + 1 : generation << 1) {
            const struct ag_block_head head = { SIZE, generation, 1, 0 };
            uint8_t bytes[32];
            test_note("generation %u over block %u", generation, place);
            ag_journal_encode_head(&head, bytes);
            sim_flash_poke(&sim, place * AG_FLASH_BLOCK, bytes, sizeof bytes);
            CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
            CHECK_EQUAL(store.journal.generation, 4);
            take(&store, &now);
            CHECK(memcmp(&now, &sound, sizeof now) == 0);
        }
        sim_flash_poke(&sim, place * AG_FLASH_BLOCK, before, sizeof before);
    }
}

static uint32_t count_records(const struct ag_store *store, uint8_t type)
{
    struct ag_journal_cursor cursor = { .at = 0 };
    struct ag_record record;
    uint32_t count = 0;
    while (ag_journal_next(&sim.flash, &store->journal, &cursor, &record))
        count += record.type == type;
    return count;
}

static void records_of_unknown_types_follow_their_flags(void)
{
    struct ag_store store;
    struct picture sound;
    struct picture now;
    const struct ag_span spans[2] = { { "from the future", 15 }, { NULL, 0 } };
    uint32_t offset;
    fill(&store);
    take(&store, &sound);
    CHECK_EQUAL(ag_journal_write(&sim.flash, &store.journal, 20,
                                 AG_RECORD_LATER | AG_RECORD_OPTIONAL | AG_RECORD_KEEP, spans,
                                 &offset),
                AG_OK);
    CHECK_EQUAL(ag_journal_write(&sim.flash, &store.journal, 21,
                                 AG_RECORD_LATER | AG_RECORD_OPTIONAL, spans, &offset),
                AG_OK);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
    take(&store, &now);
    CHECK(memcmp(&now, &sound, sizeof now) == 0);
    CHECK_EQUAL(count_records(&store, 20), 1);
    CHECK_EQUAL(count_records(&store, 21), 1);
    for (uint8_t i = 0; store.journal.generation == 1; i++)
        CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", &i, 1), AG_OK);
    CHECK_EQUAL(count_records(&store, 20), 1);
    CHECK_EQUAL(count_records(&store, 21), 0);
    CHECK_EQUAL(ag_journal_write(&sim.flash, &store.journal, 22, AG_RECORD_LATER, spans, &offset),
                AG_OK);
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_ERR_STORE_FORMAT);
}

static const struct test_case cases[] = {
    TEST(records_of_unknown_types_follow_their_flags),
    TEST(any_flipped_bit_of_the_journal_is_put_right),
    TEST(records_of_an_old_generation_never_pass_as_those_of_a_newer_one),
    TEST(after_rot_the_journal_goes_on_and_compacts),
    TEST(any_flipped_bit_of_files_and_code_is_told_and_nothing_else_is_lost),
    TEST(images_with_many_wrong_bytes_are_survived),
};

int main(int argc, char **argv)
{
    const int code = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    if (sim.bytes)
        sim_flash_close(&sim);
    return code;
}
