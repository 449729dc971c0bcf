// SPDX-License-Identifier: Apache-2.0
// The allocator: next fit from the rotor, which is the end of the newest slot, so that erases go
// round the image. Slots never move; see README.md on fragmentation.
#include "store/space.h"

// Slots that count as free in a search, by place in the index.
struct mask {
    bool gone[AG_STORE_SLOT_MAX];
};

uint32_t ag_space_first(const struct ag_store *store)
{
    return ag_journal_ring_size(store->flash->size);
}

uint32_t ag_space_end(const struct ag_store *store)
{
    return store->flash->size / AG_FLASH_BLOCK;
}

uint32_t ag_space_blocks(uint64_t bytes)
{
    return (uint32_t)((bytes + AG_FLASH_BLOCK - 1) / AG_FLASH_BLOCK);
}

// The end of the furthest slot or bad block that reaches into the row of blocks, or 0.
static uint32_t obstacle(const struct ag_store *store, const struct mask *mask, uint32_t block,
                         uint32_t blocks)
{
    uint32_t end = 0;
    for (uint16_t i = 0; i < store->count; i++) {
        const struct ag_store_entry *entry = &store->index[i];
        const uint32_t entry_end = (uint32_t)entry->block + entry->blocks;
        if (mask->gone[i] || entry->block >= block + blocks || block >= entry_end)
            continue;
        if (entry_end > end)
            end = entry_end;
    }
    for (uint16_t i = 0; i < store->bad_count; i++) {
        const uint32_t bad = store->bad[i];
        if (bad >= block && bad < block + blocks && bad + 1 > end)
            end = bad + 1;
    }
    return end;
}

static bool search(const struct ag_store *store, const struct mask *mask, uint32_t from,
                   uint32_t end, uint32_t blocks, uint16_t *block)
{
    uint32_t at = from;
    while (at < end && blocks <= end - at) {
        const uint32_t next = obstacle(store, mask, at, blocks);
        if (next == 0) {
            *block = (uint16_t)at;
            return true;
        }
        at = next;
    }
    return false;
}

// From the rotor to the end, then from the start.
static bool search_round(const struct ag_store *store, const struct mask *mask, uint32_t blocks,
                         uint16_t *block)
{
    const uint32_t first = ag_space_first(store);
    const uint32_t end = ag_space_end(store);
    const uint32_t rotor = store->rotor < first ? first : store->rotor;
    return search(store, mask, rotor, end, blocks, block) ||
           search(store, mask, first, end, blocks, block);
}

bool ag_space_gives_way(const struct ag_store *store, const struct ag_store_entry *entry)
{
    const enum ag_store_role role = ag_index_role(store, entry);
    return role == AG_STORE_PREVIOUS || role == AG_STORE_REJECTED;
}

// The next to give way among those not gone yet: failed ones first, then by age.
static bool next_to_go(const struct ag_store *store, const struct mask *mask, uint16_t *place)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint16_t i = 0; i < store->count; i++) {
            const bool failed = store->index[i].state == AG_STORE_FAILED;
            if (mask->gone[i] || failed != (pass == 0) ||
                !ag_space_gives_way(store, &store->index[i]))
                continue;
            *place = i;
            return true;
        }
    }
    return false;
}

const struct ag_store_entry *ag_space_first_to_go(const struct ag_store *store)
{
    const struct mask mask = { { false } };
    uint16_t place;
    return next_to_go(store, &mask, &place) ? &store->index[place] : NULL;
}

bool ag_space_find(const struct ag_store *store, const struct ag_record_name *name, uint32_t blocks,
                   uint16_t *block)
{
    struct mask mask = { { false } };
    uint16_t place;
    for (uint16_t i = 0; i < store->count; i++)
        mask.gone[i] = name && store->index[i].state != AG_STORE_CONFIRMED &&
                       ag_index_has_name(store, &store->index[i], name);
    while (!search_round(store, &mask, blocks, block)) {
        if (!next_to_go(store, &mask, &place))
            return false;
        mask.gone[place] = true;
    }
    return true;
}

const struct ag_store_entry *ag_space_occupant(const struct ag_store *store, uint32_t block,
                                               uint32_t blocks)
{
    for (uint16_t i = 0; i < store->count; i++) {
        const struct ag_store_entry *entry = &store->index[i];
        if (entry->block < block + blocks && block < (uint32_t)entry->block + entry->blocks)
            return entry;
    }
    return NULL;
}

bool ag_space_is_free(const struct ag_store *store, uint32_t block)
{
    return block >= ag_space_first(store) && block < ag_space_end(store) &&
           !ag_index_is_bad(store, block) && !ag_space_occupant(store, block, 1);
}

uint32_t ag_space_count_bad(const struct ag_store *store, uint32_t block, uint32_t blocks)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < store->bad_count; i++)
        count += store->bad[i] >= block && store->bad[i] < block + blocks;
    return count;
}

void ag_space_count(const struct ag_store *store, uint32_t *free_blocks, uint32_t *longest)
{
    const struct mask mask = { { false } };
    uint32_t start = ag_space_first(store);
    *free_blocks = 0;
    *longest = 0;
    while (start < ag_space_end(store)) {
        // The nearest slot or bad block at or behind `start` ends this row of free blocks.
        uint32_t next = ag_space_end(store);
        for (uint16_t i = 0; i < store->count; i++) {
            if (store->index[i].block >= start && store->index[i].block < next)
                next = store->index[i].block;
        }
        for (uint16_t i = 0; i < store->bad_count; i++) {
            if (store->bad[i] >= start && store->bad[i] < next)
                next = store->bad[i];
        }
        *free_blocks += next - start;
        if (next - start > *longest)
            *longest = next - start;
        const uint32_t end = obstacle(store, &mask, next, 1);
        start = end > next ? end : next + 1;
    }
}
