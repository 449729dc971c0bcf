// SPDX-License-Identifier: Apache-2.0
// The RAM of plug-ins: blocks of any size out of the caller's one, first fit.
#include "host/ram.h"

#include <stddef.h>
#include <string.h>

void ag_ram_init(struct ag_ram *ram, void *base, uint32_t size)
{
    ram->base = base;
    ram->size = size / AG_WASM_ALIGN * AG_WASM_ALIGN;
    ram->count = 0;
}

static uint32_t end_of(const struct ag_ram_block *block)
{
    return block->at + block->size;
}

void *ag_ram_take(struct ag_ram *ram, uint32_t size)
{
    if (size == 0 || size > ram->size || ram->count == AG_RAM_BLOCK_MAX)
        return NULL;
    size = (size + AG_WASM_ALIGN - 1) / AG_WASM_ALIGN * AG_WASM_ALIGN;
    uint32_t at = 0;
    uint32_t place = 0;
    for (; place < ram->count && ram->blocks[place].at - at < size; place++)
        at = end_of(&ram->blocks[place]);
    if (ram->size - at < size)
        return NULL;
    memmove(&ram->blocks[place + 1], &ram->blocks[place],
            (ram->count - place) * sizeof ram->blocks[0]);
    ram->blocks[place].at = at;
    ram->blocks[place].size = size;
    ram->count++;
    return ram->base + at;
}

void ag_ram_give(struct ag_ram *ram, const void *block)
{
    for (uint32_t i = 0; i < ram->count; i++) {
        if (ram->base + ram->blocks[i].at != block)
            continue;
        ram->count--;
        memmove(&ram->blocks[i], &ram->blocks[i + 1], (ram->count - i) * sizeof ram->blocks[0]);
        return;
    }
}

uint32_t ag_ram_free(const struct ag_ram *ram)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < ram->count; i++)
        taken += ram->blocks[i].size;
    return ram->size - taken;
}

uint32_t ag_ram_largest(const struct ag_ram *ram, const void *without)
{
    uint32_t at = 0;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < ram->count; i++) {
        if (ram->base + ram->blocks[i].at == without)
            continue;
        if (ram->blocks[i].at - at > largest)
            largest = ram->blocks[i].at - at;
        at = end_of(&ram->blocks[i]);
    }
    return ram->size - at > largest ? ram->size - at : largest;
}
