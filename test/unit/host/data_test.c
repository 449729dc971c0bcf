// SPDX-License-Identifier: Apache-2.0
// A plug-in's own data: pairs in RAM, and which version finds which of them on flash.
#include "host/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/data_store.h"
#include "port/sim/sim_flash.h"
#include "test/harness.h"

#define CAPACITY 64u

static uint64_t block[32];

static struct ag_data *fresh(void)
{
    CHECK(ag_data_ram(CAPACITY) <= sizeof block);
    return ag_data_init(block, CAPACITY);
}

static enum ag_status set(struct ag_data *data, const char *key, const char *value)
{
    return ag_data_set(data, ag_text_of(key), ag_text_of(value));
}

static void check_value(const struct ag_data *data, const char *key, const char *wanted)
{
    struct ag_text value;
    CHECK_EQUAL(ag_data_get(data, ag_text_of(key), &value), AG_OK);
    CHECK_EQUAL(value.size, strlen(wanted));
    CHECK_BYTES(value.at, wanted, value.size);
}

static void what_was_set_is_found_and_replaced_and_removed(void)
{
    struct ag_data *data = fresh();
    struct ag_text text;
    CHECK_EQUAL(ag_data_get(data, ag_text_of("a"), &text), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(set(data, "a", "one"), AG_OK);
    CHECK_EQUAL(set(data, "bb", ""), AG_OK);
    CHECK_EQUAL(set(data, "c", "three"), AG_OK);
    CHECK_EQUAL(set(data, "a", "longer than one"), AG_OK);
    check_value(data, "a", "longer than one");
    check_value(data, "bb", "");
    check_value(data, "c", "three");
    CHECK_EQUAL(ag_data_remove(data, ag_text_of("c")), AG_OK);
    CHECK_EQUAL(ag_data_remove(data, ag_text_of("c")), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_data_get(data, ag_text_of("c"), &text), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(data->size, (3u + 1u + 15u) + (3u + 2u));
}

static void keys_are_listed_each_once(void)
{
    struct ag_data *data = fresh();
    struct ag_text key;
    CHECK_EQUAL(ag_data_key(data, 0, &key), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(set(data, "a", "1"), AG_OK);
    CHECK_EQUAL(set(data, "b", "2"), AG_OK);
    CHECK_EQUAL(set(data, "a", "3"), AG_OK);
    unsigned seen = 0;
    for (uint32_t i = 0; ag_data_key(data, i, &key) == AG_OK; i++)
        seen += 1u << (key.at[0] - 'a') * 4;
    CHECK_EQUAL(seen, 0x11);
    CHECK_EQUAL(ag_data_key(data, 2, &key), AG_ERR_NOT_FOUND);
}

static void the_same_value_again_is_no_change(void)
{
    struct ag_data *data = fresh();
    CHECK_EQUAL(set(data, "a", "1"), AG_OK);
    CHECK(data->is_changed);
    data->is_changed = false;
    CHECK_EQUAL(set(data, "a", "1"), AG_OK);
    CHECK(!data->is_changed);
    CHECK_EQUAL(ag_data_remove(data, ag_text_of("b")), AG_ERR_NOT_FOUND);
    CHECK(!data->is_changed);
    CHECK_EQUAL(ag_data_remove(data, ag_text_of("a")), AG_OK);
    CHECK(data->is_changed);
}

static void beyond_the_quota_nothing_changes(void)
{
    struct ag_data *data = fresh();
    char long_[CAPACITY + 1];
    memset(long_, 'x', sizeof long_);
    const struct ag_text key = ag_text_of("k");
    CHECK_EQUAL(ag_data_set(data, key, (struct ag_text){ long_, CAPACITY - 3 }), AG_ERR_DATA_QUOTA);
    CHECK_EQUAL(ag_data_set(data, key, (struct ag_text){ long_, CAPACITY - 4 }), AG_OK);
    CHECK_EQUAL(data->size, CAPACITY);
    CHECK_EQUAL(ag_data_set(data, key, (struct ag_text){ long_ + 1, CAPACITY - 3 }),
                AG_ERR_DATA_QUOTA);
    CHECK_EQUAL(data->size, CAPACITY);
    long_[0] = 'y'; // as large as the one it replaces
    CHECK_EQUAL(ag_data_set(data, key, (struct ag_text){ long_, CAPACITY - 4 }), AG_OK);
    CHECK_EQUAL(set(data, "l", ""), AG_ERR_DATA_QUOTA);
    CHECK_EQUAL(ag_data_set(data, key, (struct ag_text){ long_, 70000 }), AG_ERR_DATA_QUOTA);
}

static void a_key_has_1_to_32_bytes(void)
{
    struct ag_data *data = fresh();
    struct ag_text value;
    CHECK_EQUAL(set(data, "", "1"), AG_ERR_ARGUMENT);
    CHECK_EQUAL(set(data, "12345678901234567890123456789012", "1"), AG_OK);
    CHECK_EQUAL(set(data, "123456789012345678901234567890123", "1"), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_data_get(data, ag_text_of(""), &value), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_data_remove(data, ag_text_of("")), AG_ERR_NOT_FOUND);
}

static enum ag_status accept(const char *bytes, size_t size)
{
    struct ag_data *data = fresh();
    memcpy(data->bytes + AG_DATA_HEAD, bytes, size);
    enum ag_status status = ag_data_accept(data, (uint32_t)size);
    CHECK_EQUAL(data->size, status == AG_OK ? size : 0);
    return status;
}
#define ACCEPT(literal) accept("" literal, sizeof(literal) - 1)

static void pairs_that_are_cut_empty_or_double_are_not_accepted(void)
{
    static const char good[] = "\1\2\0aXY\2\0\0bc";
    CHECK_EQUAL(accept("", 0), AG_OK);
    CHECK_EQUAL(accept(good, 6), AG_OK);
    CHECK_EQUAL(accept(good, sizeof good - 1), AG_OK);
    for (size_t size = 1; size < sizeof good - 1; size++)
        if (size != 6)
            CHECK_EQUAL(accept(good, size), AG_ERR_MALFORMED);
    CHECK_EQUAL(ACCEPT("\0\1\0X"), AG_ERR_MALFORMED);
    CHECK_EQUAL(ACCEPT("\1\0\0a\1\0\0a"), AG_ERR_MALFORMED);
    CHECK_EQUAL(ACCEPT("\1\xFF\xFF"
                       "aX"),
                AG_ERR_MALFORMED);
    CHECK_EQUAL(ACCEPT("\x21\0\0"
                       "123456789012345678901234567890123"),
                AG_ERR_MALFORMED);
}

// ---- On flash ------------------------------------------------------------------------------

// Versions of one plug-in on a real store, and what each of them must find. A value is a number
// that no other write has.
struct line {
    struct sim_flash flash;
    struct ag_store store;
    struct ag_data_line line;
    uint32_t version;
    uint32_t found[3]; // by current, previous, next; 0: nothing
    uint32_t written;  // the last number written
};

static struct line it;

static void refresh(void)
{
    struct ag_store_slot slot;
    it.line = (struct ag_data_line){ .name = "p" };
    if (ag_store_find(&it.store, AG_STORE_PLUGIN, "p", AG_STORE_CURRENT, &slot) == AG_OK)
        it.line.current = slot.id;
    if (ag_store_find(&it.store, AG_STORE_PLUGIN, "p", AG_STORE_PREVIOUS, &slot) == AG_OK)
        it.line.previous = slot.id;
    if (ag_store_find(&it.store, AG_STORE_PLUGIN, "p", AG_STORE_NEXT, &slot) == AG_OK)
        it.line.next = slot.id;
}

static uint32_t load(uint32_t owner)
{
    struct ag_data *data = fresh();
    struct ag_text value;
    uint32_t number = 0;
    CHECK_EQUAL(ag_data_store_load(&it.store, &it.line, owner, data), AG_OK);
    if (ag_data_get(data, ag_text_of("n"), &value) == AG_OK && value.size == sizeof number)
        memcpy(&number, value.at, sizeof number);
    return number;
}

static void check_line(void)
{
    if (it.line.current)
        CHECK_EQUAL(load(it.line.current), it.found[0]);
    if (it.line.previous) { // what it would find if it came to run again
        struct ag_data_line line = it.line;
        it.line.current = it.line.previous;
        it.line.previous = 0;
        it.line.next = 0;
        CHECK_EQUAL(load(it.line.current), it.found[1]);
        it.line = line;
    }
    if (it.line.next)
        CHECK_EQUAL(load(it.line.next), it.found[2]);
}

static void remount(void)
{
    CHECK_EQUAL(ag_store_mount(&it.store, &it.flash.flash), AG_OK);
    refresh();
}

static void begin_trial(void)
{
    const struct ag_store_reservation reservation = {
        .kind = AG_STORE_PLUGIN, .name = "p", .version = ++it.version, .file_size = 16
    };
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0 };
    memcpy(sha256, &it.version, sizeof it.version);
    struct ag_store_writer writer;
    const uint8_t *bytes;
    CHECK_EQUAL(ag_store_reserve(&it.store, &reservation, &writer), AG_OK);
    CHECK_EQUAL(ag_store_append(&it.store, &writer, sha256, 16), AG_OK);
    CHECK_EQUAL(ag_store_finish_file(&it.store, &writer, &bytes), AG_OK);
    CHECK_EQUAL(ag_store_seal(&it.store, &writer, sha256, 0), AG_OK);
    refresh();
    CHECK_EQUAL(ag_data_store_clean(&it.store, &it.line), AG_OK);
    CHECK_EQUAL(ag_store_begin_trial(&it.store, it.line.next), AG_OK);
    it.found[2] = it.line.current ? it.found[0] : 0;
}

// By what runs: the version on trial, or else the current one.
static void write(void)
{
    const uint32_t owner = it.line.next ? it.line.next : it.line.current;
    struct ag_data *data = fresh();
    CHECK_EQUAL(ag_data_store_load(&it.store, &it.line, owner, data), AG_OK);
    it.written++;
    CHECK_EQUAL(ag_data_set(data, ag_text_of("n"),
                            (struct ag_text){ (const char *)&it.written, sizeof it.written }),
                AG_OK);
    CHECK_EQUAL(ag_data_store_save(&it.store, &it.line, data), AG_OK);
    CHECK(!data->is_changed);
    it.found[it.line.next ? 2 : 0] = it.written;
}

static void confirm(void)
{
    CHECK_EQUAL(ag_store_confirm(&it.store, it.line.next), AG_OK);
    it.found[1] = it.found[0];
    it.found[0] = it.found[2];
    refresh();
}

static void roll_back(bool drops)
{
    CHECK_EQUAL(drops ? ag_store_drop(&it.store, it.line.next)
                      : ag_store_fail(&it.store, it.line.next, AG_ERR_INITIALIZE),
                AG_OK);
    refresh();
}

static void fall_back(void)
{
    CHECK_EQUAL(ag_store_fail(&it.store, it.line.current, AG_ERR_STORE_DAMAGED), AG_OK);
    it.found[0] = it.found[1];
    refresh();
}

static uint32_t random_of(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

// One thing that can happen to a plug-in, drawn by `random`.
static void happen(uint32_t random)
{
    const bool may_fall_back = it.line.previous && !it.line.next;
    switch (random % 8) {
    case 0:
        if (!it.line.next)
            begin_trial();
        break;
    case 1:
        if (it.line.next)
            confirm();
        break;
    case 2:
        if (it.line.next)
            roll_back(random & 64);
        break;
    case 3:
        if (may_fall_back)
            fall_back();
        break;
    case 4:
        remount();
        break;
    default:
        if (it.line.next || it.line.current)
            write();
        break;
    }
}

static void every_version_finds_what_it_last_saw_in_any_order_of_events(void)
{
    for (uint32_t seed = 1; seed <= 150; seed++) {
        uint32_t random = seed;
        memset(&it, 0, sizeof it);
        sim_flash_open(&it.flash, 128u * 1024u);
        remount();
        for (int step = 0; step < 60; step++) {
            test_note("seed %u, step %d", (unsigned)seed, step);
            happen(random_of(&random));
            check_line();
        }
        CHECK_EQUAL(it.flash.counts.breaches, 0);
        sim_flash_close(&it.flash);
    }
}

static void a_version_that_failed_writes_no_more(void)
{
    memset(&it, 0, sizeof it);
    sim_flash_open(&it.flash, 128u * 1024u);
    remount();
    begin_trial();
    write();
    struct ag_data *data = fresh();
    CHECK_EQUAL(ag_data_store_load(&it.store, &it.line, it.line.next, data), AG_OK);
    CHECK_EQUAL(set(data, "n", "late"), AG_OK);
    CHECK_EQUAL(ag_store_fail(&it.store, it.line.next, AG_ERR_INITIALIZE), AG_OK);
    const uint32_t before = it.flash.operations;
    CHECK_EQUAL(ag_data_store_save(&it.store, &it.line, data), AG_OK);
    CHECK_EQUAL(it.flash.operations, before);
    begin_trial();
    CHECK_EQUAL(load(it.line.next), 0);
    sim_flash_close(&it.flash);
}

static void data_beyond_the_room_of_a_version_is_not_cut(void)
{
    memset(&it, 0, sizeof it);
    sim_flash_open(&it.flash, 128u * 1024u);
    remount();
    begin_trial();
    write();
    struct ag_data *small = ag_data_init(block, 4);
    CHECK_EQUAL(ag_data_store_load(&it.store, &it.line, it.line.next, small), AG_ERR_DATA_QUOTA);
    sim_flash_close(&it.flash);
}

// However much plug-ins keep, there is room for an install.
static void a_journal_full_of_data_still_takes_an_install(void)
{
    memset(&it, 0, sizeof it);
    sim_flash_open(&it.flash, 128u * 1024u);
    remount();
    begin_trial();
    confirm();
    char name[16];
    uint8_t bytes[400];
    int kept = 0;
    enum ag_status status = AG_OK;
    while (status == AG_OK && kept < 100) {
        memset(bytes, kept, sizeof bytes);
        snprintf(name, sizeof name, "q%d", kept);
        status = ag_store_put(&it.store, AG_STORE_DATA, name, bytes, sizeof bytes);
        kept += status == AG_OK;
    }
    CHECK_EQUAL(status, AG_ERR_STORE_FULL);
    CHECK(kept > 4);
    begin_trial();
    confirm();
    sim_flash_close(&it.flash);
}

static const struct test_case cases[] = {
    TEST(what_was_set_is_found_and_replaced_and_removed),
    TEST(keys_are_listed_each_once),
    TEST(the_same_value_again_is_no_change),
    TEST(beyond_the_quota_nothing_changes),
    TEST(a_key_has_1_to_32_bytes),
    TEST(pairs_that_are_cut_empty_or_double_are_not_accepted),
    TEST(every_version_finds_what_it_last_saw_in_any_order_of_events),
    TEST(a_version_that_failed_writes_no_more),
    TEST(data_beyond_the_room_of_a_version_is_not_cut),
    TEST(a_journal_full_of_data_still_takes_an_install),
};
TEST_MAIN(cases)
