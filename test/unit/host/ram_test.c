// SPDX-License-Identifier: Apache-2.0
// The RAM of plug-ins.
#include "host/ram.h"

#include <string.h>

#include "test/harness.h"

#define SIZE 1024u

static uint64_t memory[SIZE / 8];
static struct ag_ram ram;

static void blocks_are_aligned_and_do_not_overlap(void)
{
    uint8_t *blocks[AG_RAM_BLOCK_MAX];
    ag_ram_init(&ram, memory, SIZE);
    for (uint32_t i = 0; i < 10; i++) {
        blocks[i] = ag_ram_take(&ram, i + 1);
        CHECK(blocks[i] && (uintptr_t)blocks[i] % AG_WASM_ALIGN == 0);
        memset(blocks[i], (int)i, i + 1);
    }
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQUAL(blocks[i][i], i);
}

static void what_is_given_back_is_taken_again_and_merged(void)
{
    ag_ram_init(&ram, memory, SIZE);
    void *a = ag_ram_take(&ram, 256);
    void *b = ag_ram_take(&ram, 256);
    void *c = ag_ram_take(&ram, 256);
    CHECK_EQUAL(ag_ram_free(&ram), 256);
    CHECK(ag_ram_take(&ram, 257) == NULL);
    ag_ram_give(&ram, b);
    CHECK_EQUAL(ag_ram_largest(&ram, NULL), 256);
    CHECK_EQUAL(ag_ram_largest(&ram, a), 512);
    CHECK_EQUAL(ag_ram_largest(&ram, c), 768);
    ag_ram_give(&ram, a);
    CHECK(ag_ram_take(&ram, 512) == a);
    ag_ram_give(&ram, c);
    CHECK_EQUAL(ag_ram_largest(&ram, NULL), 512);
    ag_ram_give(&ram, a);
    ag_ram_give(&ram, NULL);
    CHECK_EQUAL(ag_ram_free(&ram), SIZE);
}

static void nothing_that_does_not_fit_is_given_out(void)
{
    ag_ram_init(&ram, memory, SIZE);
    CHECK(ag_ram_take(&ram, 0) == NULL);
    CHECK(ag_ram_take(&ram, SIZE + 1) == NULL);
    CHECK(ag_ram_take(&ram, UINT32_MAX) == NULL);
    CHECK(ag_ram_take(&ram, SIZE) == memory);
    CHECK(ag_ram_take(&ram, 1) == NULL);
    ag_ram_init(&ram, memory, 0);
    CHECK(ag_ram_take(&ram, 1) == NULL);
    CHECK_EQUAL(ag_ram_largest(&ram, NULL), 0);
}

static void there_are_never_more_blocks_than_places(void)
{
    ag_ram_init(&ram, memory, SIZE);
    for (uint32_t i = 0; i < AG_RAM_BLOCK_MAX; i++)
        CHECK(ag_ram_take(&ram, 8) != NULL);
    CHECK(ag_ram_take(&ram, 8) == NULL);
}

// Any order of taking and giving back: the books stay right.
static void a_long_random_life_keeps_the_books_right(void)
{
    void *blocks[AG_RAM_BLOCK_MAX] = { NULL };
    uint32_t sizes[AG_RAM_BLOCK_MAX] = { 0 };
    uint64_t random = 1;
    ag_ram_init(&ram, memory, SIZE);
    for (uint32_t round = 0; round < 20000; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t index = (uint32_t)(random >> 33) % AG_RAM_BLOCK_MAX;
        test_note("round %u", (unsigned)round);
        if (blocks[index]) {
            ag_ram_give(&ram, blocks[index]);
            blocks[index] = NULL;
            sizes[index] = 0;
        } else {
            uint32_t size = (uint32_t)(random >> 55) + 1;
            blocks[index] = ag_ram_take(&ram, size);
            sizes[index] = blocks[index] ? (size + 7) / 8 * 8 : 0;
        }
        uint32_t taken = 0;
        for (uint32_t i = 0; i < AG_RAM_BLOCK_MAX; i++)
            taken += sizes[i];
        CHECK_EQUAL(ag_ram_free(&ram), SIZE - taken);
        CHECK(ag_ram_largest(&ram, NULL) <= SIZE - taken);
    }
}

static const struct test_case cases[] = {
    TEST(blocks_are_aligned_and_do_not_overlap),
    TEST(what_is_given_back_is_taken_again_and_merged),
    TEST(nothing_that_does_not_fit_is_given_out),
    TEST(there_are_never_more_blocks_than_places),
    TEST(a_long_random_life_keeps_the_books_right),
};
TEST_MAIN(cases)
