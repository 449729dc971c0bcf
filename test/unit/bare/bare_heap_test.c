// SPDX-License-Identifier: Apache-2.0
// Tests of the heap of TLS: blocks never overlap, and all of it comes back.
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "port/bare/heap.h"
#include "test/harness.h"

enum {
    BLOCKS_MAX = 200,
    ROUNDS = 20000,
};

struct block {
    uint8_t *at;
    size_t size;
    uint8_t fill;
};
static struct block blocks[BLOCKS_MAX];

static size_t cost_of(size_t size)
{
    return (size + 4 + 7) / 8 * 8;
}

static size_t largest(void)
{
    size_t size = AG_CFG_TLS_HEAP;
    void *block;
    while (!(block = ag_heap_calloc(1, size)))
        size--;
    ag_heap_free(block);
    return size;
}

static void an_empty_heap_gives_all_of_it_at_once(void)
{
    ag_heap_start();
    CHECK_EQUAL(largest(), AG_CFG_TLS_HEAP - 12);
    CHECK_EQUAL(ag_heap_used(), 0);
    CHECK_EQUAL(ag_heap_size(), AG_CFG_TLS_HEAP);
}

static void blocks_are_aligned_and_zero_and_cost_what_the_header_says(void)
{
    ag_heap_start();
    for (size_t size = 1; size < 100; size++) {
        uint8_t *block = ag_heap_calloc(1, size);
        CHECK(block && (uintptr_t)block % 8 == 0);
        CHECK_EQUAL(ag_heap_used(), cost_of(size));
        for (size_t i = 0; i < size; i++)
            CHECK_EQUAL(block[i], 0);
        memset(block, 0xFF, size);
        ag_heap_free(block);
        CHECK_EQUAL(ag_heap_used(), 0);
    }
    CHECK_EQUAL(ag_heap_failures(), 0);
    ag_heap_free(NULL);
}

static void what_does_not_fit_is_refused_and_counted(void)
{
    ag_heap_start();
    CHECK(!ag_heap_calloc(1, AG_CFG_TLS_HEAP));
    CHECK(!ag_heap_calloc(1, AG_CFG_TLS_HEAP - 11));
    CHECK(!ag_heap_calloc(SIZE_MAX / 2 + 1, 2)); // overflows to 0
    CHECK(!ag_heap_calloc(3, SIZE_MAX / 3 + 1));
    CHECK(!ag_heap_calloc(1, SIZE_MAX));
    CHECK_EQUAL(ag_heap_failures(), 5);
    CHECK(!ag_heap_calloc(0, 5));
    CHECK(!ag_heap_calloc(5, 0));
    CHECK_EQUAL(ag_heap_failures(), 5); // nothing is not refused
    CHECK_EQUAL(largest(), AG_CFG_TLS_HEAP - 12);
}

// Record buffers that come and go find their place again, whatever stays.
static void what_is_small_does_not_cut_up_what_is_large(void)
{
    void *tickets[8];
    ag_heap_start();
    for (int i = 0; i < 8; i++) {
        void *in = ag_heap_calloc(1, 8192);
        void *out = ag_heap_calloc(1, 4096);
        CHECK(in && out);
        tickets[i] = ag_heap_calloc(1, 240);
        CHECK(tickets[i]);
        ag_heap_free(in);
        ag_heap_free(out);
    }
    CHECK_EQUAL(largest(), AG_CFG_TLS_HEAP - 12 - 8 * cost_of(240));
    for (int i = 0; i < 8; i++)
        ag_heap_free(tickets[i]);
    CHECK_EQUAL(largest(), AG_CFG_TLS_HEAP - 12);
}

static void fill(struct block *block, size_t size, uint8_t byte)
{
    *block = (struct block){ .at = ag_heap_calloc(1, size), .size = size, .fill = byte };
    if (!block->at)
        return;
    for (size_t i = 0; i < size; i++)
        CHECK_EQUAL(block->at[i], 0);
    memset(block->at, byte, size);
}

static void empty(struct block *block)
{
    for (size_t i = 0; block->at && i < block->size; i++)
        CHECK_EQUAL(block->at[i], block->fill);
    ag_heap_free(block->at);
    block->at = NULL;
}

static void blocks_of_any_size_in_any_order_keep_their_bytes(void)
{
    size_t used = 0;
    size_t peak = 0;
    ag_heap_start();
    srand(1);
    memset(blocks, 0, sizeof blocks);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct block *block = &blocks[rand() % BLOCKS_MAX];
        test_note("round %u", round);
        if (block->at) {
            used -= cost_of(block->size);
            empty(block);
        } else {
            const bool is_large = rand() % 16 == 0;
            fill(block, (size_t)(1 + rand() % (is_large ? 5000 : 120)), (uint8_t)rand());
            used += block->at ? cost_of(block->size) : 0;
        }
        peak = used > peak ? used : peak;
        CHECK_EQUAL(ag_heap_used(), used);
        CHECK_EQUAL(ag_heap_peak(), peak);
    }
    CHECK(ag_heap_failures() > 0); // it was full now and then
    for (size_t i = 0; i < BLOCKS_MAX; i++)
        empty(&blocks[i]);
    CHECK_EQUAL(ag_heap_used(), 0);
    CHECK_EQUAL(largest(), AG_CFG_TLS_HEAP - 12);
}

static const struct test_case cases[] = {
    TEST(an_empty_heap_gives_all_of_it_at_once),
    TEST(blocks_are_aligned_and_zero_and_cost_what_the_header_says),
    TEST(what_does_not_fit_is_refused_and_counted),
    TEST(what_is_small_does_not_cut_up_what_is_large),
    TEST(blocks_of_any_size_in_any_order_keep_their_bytes),
};
TEST_MAIN(cases)
