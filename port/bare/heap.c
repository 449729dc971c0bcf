// SPDX-License-Identifier: Apache-2.0
// The heap of TLS: an address-ordered list of free blocks, joined when they touch.
//
// A block begins with its size (4 bytes), a multiple of 8, 4 bytes before an address that is a
// multiple of 8; where it is free, the offset of the next free block follows. Offsets count from
// the heap's start; 0 ends the list, since the first block begins at 4.
//
// Large blocks are taken from the lowest place that fits, small ones from the highest: record
// buffers, which come and go, are not cut apart by tickets, which stay.
#include "port/bare/heap.h"

#include <stdbool.h>
#include <string.h>

#include "base/config.h"

#define FIRST      4u // offset of the first block
#define LARGE_SIZE 1024u

static _Alignas(8) uint8_t heap[AG_CFG_TLS_HEAP];
static uint32_t first_free;
static size_t used;
static size_t peak;
static uint32_t failures;
static bool is_started;

static uint32_t load(size_t at)
{
    uint32_t value;
    memcpy(&value, heap + at, sizeof value);
    return value;
}

static void store(size_t at, uint32_t value)
{
    memcpy(heap + at, &value, sizeof value);
}

static uint32_t size_of(uint32_t block)
{
    return load(block);
}

static uint32_t next_of(uint32_t block)
{
    return block == 0 ? first_free : load(block + 4);
}

// The block that follows `block` in the list; 0 stands for the list's head.
static void set_next(uint32_t block, uint32_t next)
{
    if (block == 0)
        first_free = next;
    else
        store(block + 4, next);
}

void ag_heap_start(void)
{
    first_free = FIRST;
    store(FIRST, sizeof heap - 8); // a multiple of 8, and the last payload ends within
    store(FIRST + 4, 0);
    used = 0;
    peak = 0;
    failures = 0;
    is_started = true;
}

// The free block before the one to take, in *before; false: none fits.
static bool find(uint32_t size, uint32_t *before)
{
    bool found = false;
    for (uint32_t last = 0, at = first_free; at != 0; last = at, at = next_of(at)) {
        if (size_of(at) < size)
            continue;
        *before = last;
        found = true;
        if (size >= LARGE_SIZE)
            break;
    }
    return found;
}

// Takes `size` bytes out of the free block behind `before`; returns where they are.
static uint32_t take(uint32_t before, uint32_t size)
{
    const uint32_t block = next_of(before);
    const uint32_t rest = size_of(block) - size;
    if (rest == 0) {
        set_next(before, next_of(block));
        return block;
    }
    if (size >= LARGE_SIZE) {
        store(block + size, rest);
        store(block + size + 4, next_of(block));
        set_next(before, block + size);
        return block;
    }
    store(block, rest);
    return block + rest;
}

void *ag_heap_calloc(size_t count, size_t size)
{
    uint32_t before = 0;
    if (!is_started)
        ag_heap_start();
    if (count == 0 || size == 0)
        return NULL;
    if (size > sizeof heap / count || count * size > sizeof heap - 12) {
        failures++;
        return NULL;
    }
    const uint32_t total = (uint32_t)(count * size + 4 + 7) / 8 * 8;
    if (!find(total, &before)) {
        failures++;
        return NULL;
    }
    const uint32_t block = take(before, total);
    store(block, total);
    used += total;
    if (used > peak)
        peak = used;
    return memset(heap + block + 4, 0, total - 4);
}

void ag_heap_free(void *payload)
{
    uint32_t before = 0;
    if (!payload)
        return;
    const uint32_t block = (uint32_t)((uint8_t *)payload - heap) - 4;
    uint32_t next = first_free;
    while (next != 0 && next < block) {
        before = next;
        next = next_of(next);
    }
    uint32_t size = size_of(block);
    used -= size;
    if (next == block + size) {
        size += size_of(next);
        next = next_of(next);
    }
    store(block, size);
    store(block + 4, next);
    if (before != 0 && before + size_of(before) == block) {
        store(before, size_of(before) + size);
        set_next(before, next);
    } else {
        set_next(before, block);
    }
}

size_t ag_heap_used(void)
{
    return used;
}

size_t ag_heap_peak(void)
{
    return peak;
}

size_t ag_heap_size(void)
{
    return sizeof heap;
}

uint32_t ag_heap_failures(void)
{
    return failures;
}
