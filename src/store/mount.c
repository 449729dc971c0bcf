// SPDX-License-Identifier: Apache-2.0
// Mounting and formatting: which generation of the journal counts.
//
// It is the highest one that was committed: by its commit unit, or, should that be unreadable, by
// any record that was written after it. An image without one is formatted only when each of its
// bytes is blank or can be the trace of a first format that was cut.
//
// Recovering is mounting once more, under slots in use: after a sync, so that what is read is what
// the medium holds, and then by a compaction, so that nothing is added to a block that failed.
#include <string.h>

#include "store/log.h"

#define BLOCKS_MIN 8u
#define BLOCKS_MAX 65535u

// What the first format programs at the head of a block.
static void encode_genesis(uint32_t image_size, uint8_t bytes[AG_JOURNAL_BLOCK_HEAD])
{
    const struct ag_block_head head = { image_size, 1, 1, 0 };
    ag_journal_encode_head(&head, bytes);
    ag_journal_encode_commit(1, 1, 0, bytes + 32);
}

// A cut program leaves some bits as they were: every 1 that was to be is still one.
AG_FLASH_READS_BLANK static bool is_trace(const uint8_t *block,
                                          const uint8_t genesis[AG_JOURNAL_BLOCK_HEAD])
{
    for (uint32_t i = 0; i < AG_JOURNAL_BLOCK_HEAD; i++) {
        if ((block[i] & genesis[i]) != genesis[i])
            return false;
    }
    return ag_journal_is_blank(block + AG_JOURNAL_BLOCK_HEAD,
                               AG_FLASH_BLOCK - AG_JOURNAL_BLOCK_HEAD);
}

static enum ag_status start_empty(struct ag_store *store, uint32_t place)
{
    const struct ag_flash *flash = store->flash;
    const uint32_t offset = place * AG_FLASH_BLOCK;
    uint8_t genesis[AG_JOURNAL_BLOCK_HEAD];
    encode_genesis(flash->size, genesis);
    if (flash->program(flash->context, offset, genesis, sizeof genesis) != AG_OK ||
        flash->sync(flash->context) != AG_OK)
        return AG_ERR_FLASH;
    store->journal = (struct ag_journal){ .generation = 1, .used = 1, .ring = { (uint8_t)place } };
    store->last_generation = 1;
    const enum ag_status status = ag_index_build(store);
    store->ready = status == AG_OK;
    return status;
}

// Formats an image that is blank but for traces; AG_ERR_STORE_FORMAT for any other.
static enum ag_status format_blank(struct ag_store *store)
{
    const struct ag_flash *flash = store->flash;
    const uint32_t ring = ag_journal_ring_size(flash->size);
    uint32_t place = ring; // the first blank block of the ring
    uint8_t genesis[AG_JOURNAL_BLOCK_HEAD];
    encode_genesis(flash->size, genesis);
    for (uint32_t i = 0; i < flash->size / AG_FLASH_BLOCK; i++) {
        const uint8_t *block = flash->base + i * AG_FLASH_BLOCK;
        const bool blank = ag_journal_is_blank(block, AG_FLASH_BLOCK);
        if (blank && i < place)
            place = i;
        if (!blank && (i >= ring || !is_trace(block, genesis)))
            return AG_ERR_STORE_FORMAT;
    }
    return place < ring ? start_empty(store, place) : AG_ERR_STORE_FORMAT;
}

// Collects the blocks of one generation. Of two heads with the same index one was left behind by
// a failing block: the one that nothing follows.
static void map_generation(const struct ag_flash *flash, uint32_t generation,
                           struct ag_journal *journal)
{
    const uint32_t ring = ag_journal_ring_size(flash->size);
    struct ag_block_head head;
    *journal = (struct ag_journal){ .generation = generation };
    memset(journal->ring, AG_JOURNAL_UNREADABLE, sizeof journal->ring);
    for (uint32_t place = 0; place < ring; place++) {
        const uint8_t *block = flash->base + place * AG_FLASH_BLOCK;
        if (!ag_journal_decode_head(block, &head) || head.generation != generation ||
            head.index >= ring / 2)
            continue;
        if (journal->ring[head.index] != AG_JOURNAL_UNREADABLE &&
            ag_journal_is_blank(block + 32, 32))
            continue;
        journal->ring[head.index] = (uint8_t)place;
        if (head.index >= journal->used)
            journal->used = (uint8_t)(head.index + 1);
    }
}

static bool is_committed(const struct ag_flash *flash, const struct ag_journal *journal)
{
    struct ag_journal_cursor cursor = { .at = 0 };
    struct ag_record record;
    uint32_t next_id;
    uint16_t rotor;
    if (journal->ring[0] != AG_JOURNAL_UNREADABLE &&
        ag_journal_decode_commit(flash->base + journal->ring[0] * AG_FLASH_BLOCK,
                                 journal->generation, &next_id, &rotor))
        return true;
    while (ag_journal_next(flash, journal, &cursor, &record)) {
        if (record.flags & AG_RECORD_LATER)
            return true;
    }
    return false;
}

// The highest generation below `limit` that has a readable block head; 0 when there is none.
static uint32_t highest_generation(const struct ag_flash *flash, uint32_t limit)
{
    uint32_t highest = 0;
    struct ag_block_head head;
    for (uint32_t place = 0; place < ag_journal_ring_size(flash->size); place++) {
        if (ag_journal_decode_head(flash->base + place * AG_FLASH_BLOCK, &head) &&
            head.generation < limit && head.generation > highest)
            highest = head.generation;
    }
    return highest;
}

static bool has_other_size(const struct ag_flash *flash)
{
    struct ag_block_head head;
    for (uint32_t place = 0; place < ag_journal_ring_size(flash->size); place++) {
        if (ag_journal_decode_head(flash->base + place * AG_FLASH_BLOCK, &head) &&
            head.image_size != flash->size)
            return true;
    }
    return false;
}

// The generation that counts, and the number of the last one. AG_ERR_NOT_FOUND when there is none.
static enum ag_status find_journal(const struct ag_flash *flash, struct ag_journal *journal,
                                   uint32_t *last_generation)
{
    if (has_other_size(flash))
        return AG_ERR_STORE_SIZE;
    *last_generation = highest_generation(flash, UINT32_MAX);
    for (uint32_t generation = *last_generation; generation != 0;
         generation = highest_generation(flash, generation)) {
        map_generation(flash, generation, journal);
        if (is_committed(flash, journal))
            return AG_OK;
    }
    return AG_ERR_NOT_FOUND;
}

static enum ag_status begin(struct ag_store *store, const struct ag_flash *flash)
{
    memset(store, 0, sizeof *store);
    store->flash = flash;
    const uint32_t blocks = flash->size / AG_FLASH_BLOCK;
    if (flash->size % AG_FLASH_BLOCK != 0 || blocks < BLOCKS_MIN || blocks > BLOCKS_MAX)
        return AG_ERR_ARGUMENT;
    return AG_OK;
}

enum ag_status ag_store_mount(struct ag_store *store, const struct ag_flash *flash)
{
    enum ag_status status = begin(store, flash);
    if (status != AG_OK)
        return status;
    status = find_journal(flash, &store->journal, &store->last_generation);
    if (status == AG_ERR_NOT_FOUND)
        return format_blank(store);
    if (status == AG_OK)
        status = ag_index_build(store);
    store->ready = status == AG_OK;
    return status;
}

enum ag_status ag_store_format(struct ag_store *store, const struct ag_flash *flash)
{
    enum ag_status status = begin(store, flash);
    if (status != AG_OK)
        return status;
    if (find_journal(flash, &store->journal, &store->last_generation) == AG_OK) {
        // The index gives the next id; what else it says does not matter any more.
        if (ag_index_build(store) != AG_OK)
            store->damaged++;
        status = ag_log_compact(store, AG_LOG_KEEP_NOTHING);
        store->ready = status == AG_OK;
        return status;
    }
    for (uint32_t place = 0; place < ag_journal_ring_size(flash->size); place++) {
        if (flash->erase(flash->context, place * AG_FLASH_BLOCK) != AG_OK)
            return AG_ERR_FLASH;
    }
    return start_empty(store, 0);
}

// Where blocks of the ring are bad, there may be room for less only. Not when the first attempt got
// as far as its commit: that generation may be the one that counts on the medium, and is not erased
// before a sync has settled it.
static enum ag_status compact_anew(struct ag_store *store)
{
    struct ag_journal journal;
    uint32_t last_generation;
    const enum ag_status status = ag_log_compact(store, AG_LOG_KEEP_ALL);
    if (status == AG_OK || find_journal(store->flash, &journal, &last_generation) != AG_OK ||
        journal.generation != store->journal.generation)
        return status;
    return ag_log_compact(store, AG_LOG_KEEP_NO_LINES);
}

enum ag_status ag_store_recover(struct ag_store *store)
{
    struct ag_journal journal;
    uint32_t last_generation;
    if (store->ready)
        return AG_OK;
    enum ag_status status = store->flash->sync(store->flash->context);
    if (status == AG_OK)
        status = find_journal(store->flash, &journal, &last_generation);
    if (status != AG_OK)
        return status; // and what was known before is still true of what can be read
    if (last_generation > store->last_generation)
        store->last_generation = last_generation;
    store->journal = journal;
    store->life++;
    status = ag_index_build(store);
    if (status == AG_OK)
        status = compact_anew(store);
    store->ready = status == AG_OK;
    return status;
}
