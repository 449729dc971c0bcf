// SPDX-License-Identifier: Apache-2.0
// Lines of the log in the store: what is kept of whom, that they give way, and that no cut of the
// power makes anything of them but fewer lines.
#include <stdio.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/store/helper.h"

#define SIZE (64u * 1024u) // 4 blocks of journal: the least there is

static struct sim_flash flash;
static struct ag_store store;

// A piece says who wrote it and which it is: "a 7 ......".
static enum ag_status add(const char *source, uint32_t number, size_t size)
{
    char bytes[AG_STORE_LINES_MAX];
    memset(bytes, '.', sizeof bytes);
    bytes[snprintf(bytes, 32, "%s %u ", source, (unsigned)number)] = '.';
    return ag_store_add_lines(&store, source, bytes, size);
}

struct seen {
    uint32_t count;
    uint32_t last;
    bool is_sound;
};

static void look(void *context, const char *source, const uint8_t *bytes, size_t size)
{
    struct seen *seen = context;
    char name[33];
    unsigned number;
    bool is_sound = size >= 32 && sscanf((const char *)bytes, "%32s %u ", name, &number) == 2 &&
                    strcmp(name, source) == 0 && number > seen->last && bytes[size - 1] == '.';
    seen->is_sound = seen->is_sound && is_sound;
    seen->last = is_sound ? number : seen->last;
    seen->count++;
}

static struct seen read_lines(const char *source)
{
    struct seen seen = { .is_sound = true };
    ag_store_read_lines(&store, source, look, &seen);
    CHECK(seen.is_sound);
    return seen;
}

static void open_store(uint32_t size)
{
    sim_flash_open(&flash, size);
    CHECK_EQUAL(ag_store_mount(&store, &flash.flash), AG_OK);
}

static void what_was_added_is_read_in_order_also_after_a_start(void)
{
    open_store(SIZE);
    CHECK_EQUAL(read_lines("a").count, 0);
    CHECK_EQUAL(add("a", 1, 100), AG_OK);
    CHECK_EQUAL(add("b", 1, 100), AG_OK);
    CHECK_EQUAL(add("a", 2, 100), AG_OK);
    CHECK_EQUAL(ag_store_sync_lines(&store), AG_OK);
    CHECK_EQUAL(ag_store_mount(&store, &flash.flash), AG_OK);
    CHECK_EQUAL(read_lines("a").count, 2);
    CHECK_EQUAL(read_lines("b").count, 1);
    CHECK_EQUAL(add("a", 3, AG_STORE_LINES_MAX + 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(add("", 3, 10), AG_ERR_ARGUMENT);
    sim_flash_close(&flash);
}

static void one_that_writes_without_end_leaves_the_others_their_lines(void)
{
    open_store(1024u * 1024u);
    for (uint32_t i = 1; i <= 3; i++)
        CHECK_EQUAL(add("quiet", i, 400), AG_OK);
    for (uint32_t i = 1; i <= 2000; i++)
        CHECK_EQUAL(add("loud", i, 400), AG_OK);
    struct ag_store_info info;
    ag_store_info(&store, &info);
    CHECK(info.generation > 10); // it was compacted again and again
    CHECK_EQUAL(read_lines("quiet").count, 3);
    CHECK(read_lines("loud").count >= 4);
    CHECK_EQUAL(read_lines("loud").last, 2000);
    sim_flash_close(&flash);
}

static void lines_give_way_to_everything_else(void)
{
    static const uint8_t value[600];
    open_store(SIZE);
    uint32_t before = 0; // values that fit a store without lines
    for (char name[2] = "a";
         ag_store_put(&store, AG_STORE_HOST, name, value, sizeof value) == AG_OK; name[0]++)
        before++;
    sim_flash_close(&flash);
    open_store(SIZE);
    for (uint32_t i = 1; i <= 50; i++)
        (void)!add("log", i, 400);
    uint32_t after = 0;
    for (char name[2] = "a";
         ag_store_put(&store, AG_STORE_HOST, name, value, sizeof value) == AG_OK; name[0]++)
        after++;
    CHECK(before > 2);
    CHECK_EQUAL(after, before);
    sim_flash_close(&flash);
}

// Values and lines by turns, often enough for compactions. True unless the power went.
static bool play(uint32_t *put)
{
    for (uint32_t i = 1; i <= 40; i++) {
        enum ag_status status = add(i % 3 ? "a" : "b", i, 100 + i * 7);
        if (status != AG_OK && status != AG_ERR_STORE_FULL)
            return false;
        if (i % 4 != 0)
            continue;
        if (ag_store_put(&store, AG_STORE_HOST, "n", &i, sizeof i) != AG_OK)
            return false;
        *put = i; // durable
    }
    return true;
}

static void a_cut_at_any_operation_costs_lines_and_nothing_else(void)
{
    uint32_t put = 0;
    open_store(SIZE);
    uint32_t start = flash.operations;
    CHECK(play(&put));
    uint32_t operations = flash.operations - start;
    sim_flash_close(&flash);
    for (int mode = 0; mode < SIM_CUT_MODES; mode++) {
        for (uint32_t at = 1; at <= operations; at++) {
            test_note("%s %u", sim_cut_mode_name((enum sim_cut_mode)mode), (unsigned)at);
            uint32_t value = 0;
            size_t size;
            put = 0;
            open_store(SIZE);
            flash.operations = 0;
            flash.cut_at = at;
            flash.cut_mode = (enum sim_cut_mode)mode;
            flash.seed = at * 5 + (uint32_t)mode;
            CHECK(!play(&put));
            sim_flash_restart(&flash);
            CHECK_EQUAL(ag_store_mount(&store, &flash.flash), AG_OK);
            enum ag_status status =
                ag_store_get(&store, AG_STORE_HOST, "n", &value, sizeof value, &size);
            CHECK(put == 0 ? status == AG_OK || status == AG_ERR_NOT_FOUND : status == AG_OK);
            CHECK(value == put || value == put + 4);
            (void)read_lines("a"); // each sound, in order
            (void)read_lines("b");
            CHECK_EQUAL(add("a", 1000, 300), AG_OK); // and it goes on
            CHECK_EQUAL(ag_store_sync_lines(&store), AG_OK);
            CHECK_EQUAL(read_lines("a").last, 1000);
            CHECK_EQUAL(flash.counts.breaches, 0);
            sim_flash_close(&flash);
        }
    }
    printf("# %u cuts\n", (unsigned)operations * SIM_CUT_MODES);
}

static const struct test_case cases[] = {
    TEST(what_was_added_is_read_in_order_also_after_a_start),
    TEST(one_that_writes_without_end_leaves_the_others_their_lines),
    TEST(lines_give_way_to_everything_else),
    TEST(a_cut_at_any_operation_costs_lines_and_nothing_else),
};
TEST_MAIN(cases)
