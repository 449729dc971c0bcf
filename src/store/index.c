// SPDX-License-Identifier: Apache-2.0
// The index of live slots, built by letting one journal record after the other take effect.
#include "store/index.h"

#include <string.h>

// Offset of kind and name in a slot record's payload.
#define SLOT_NAME_AT 76u

const struct ag_store_entry *ag_index_find_const(const struct ag_store *store, uint32_t id)
{
    for (uint16_t i = 0; i < store->count; i++) {
        if (store->index[i].id == id)
            return &store->index[i];
    }
    return NULL;
}

struct ag_store_entry *ag_index_find(struct ag_store *store, uint32_t id)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    return entry ? &store->index[entry - store->index] : NULL;
}

bool ag_index_load(const struct ag_store *store, const struct ag_store_entry *entry,
                   struct ag_record_slot *slot)
{
    struct ag_record record;
    if (!ag_journal_load(store->flash, store->journal.generation, entry->record, &record) ||
        !ag_record_decode_slot(store->flash, &record, slot) || slot->id != entry->id)
        return false;
    slot->state = entry->state;
    slot->trials = entry->trials;
    slot->failure = entry->failure;
    slot->blocks = entry->blocks;
    return true;
}

static bool entry_name(const struct ag_store *store, const struct ag_store_entry *entry,
                       struct ag_record_name *name)
{
    struct ag_record record;
    return ag_journal_load(store->flash, store->journal.generation, entry->record, &record) &&
           ag_record_read_name(store->flash, &record, SLOT_NAME_AT, name);
}

bool ag_index_has_name(const struct ag_store *store, const struct ag_store_entry *entry,
                       const struct ag_record_name *name)
{
    struct ag_record_name own;
    return entry->name == ag_record_hash_name(name) && entry_name(store, entry, &own) &&
           ag_record_same_name(&own, name);
}

// Slots of this name behind `entry` in the index: of any state, and confirmed ones.
struct newer {
    uint16_t all;
    uint16_t confirmed;
};

static struct newer count_newer(const struct ag_store *store, const struct ag_store_entry *entry,
                                const struct ag_record_name *name)
{
    struct newer newer = { 0, 0 };
    for (const struct ag_store_entry *at = entry + 1; at < store->index + store->count; at++) {
        if (!ag_index_has_name(store, at, name))
            continue;
        newer.all++;
        if (at->state == AG_STORE_CONFIRMED)
            newer.confirmed++;
    }
    return newer;
}

enum ag_store_role ag_index_role(const struct ag_store *store, const struct ag_store_entry *entry)
{
    struct ag_record_name name;
    if (entry->state == AG_STORE_FAILED)
        return AG_STORE_REJECTED;
    if (entry->state < AG_STORE_CONFIRMED)
        return AG_STORE_NEXT;
    if (!entry_name(store, entry, &name))
        return AG_STORE_PREVIOUS;
    return count_newer(store, entry, &name).confirmed == 0 ? AG_STORE_CURRENT : AG_STORE_PREVIOUS;
}

static void remove_at(struct ag_store *store, uint16_t i)
{
    store->count--;
    memmove(&store->index[i], &store->index[i + 1],
            (size_t)(store->count - i) * sizeof store->index[0]);
}

// Drops those of this name that newer ones have made superfluous.
static void prune(struct ag_store *store, const struct ag_record_name *name)
{
    for (uint16_t i = 0; i < store->count;) {
        const struct ag_store_entry *entry = &store->index[i];
        bool keep = true;
        if (ag_index_has_name(store, entry, name)) {
            const struct newer newer = count_newer(store, entry, name);
            keep = entry->state == AG_STORE_CONFIRMED ? newer.confirmed < 2 : newer.all == 0;
        }
        if (keep)
            i++;
        else
            remove_at(store, i);
    }
}

// A slot that took other slots' space proves that they were given up.
static void drop_overlapped(struct ag_store *store, const struct ag_record_slot *slot)
{
    for (uint16_t i = 0; i < store->count;) {
        const struct ag_store_entry *entry = &store->index[i];
        if (entry->id != slot->id && entry->block < slot->block + slot->blocks &&
            slot->block < entry->block + entry->blocks)
            remove_at(store, i);
        else
            i++;
    }
}

// Makes room for an entry at its place by id; NULL when the index is full.
static struct ag_store_entry *insert(struct ag_store *store, uint32_t id)
{
    uint16_t i = store->count;
    if (i == AG_STORE_SLOT_MAX)
        return NULL;
    while (i > 0 && store->index[i - 1].id > id) {
        store->index[i] = store->index[i - 1];
        i--;
    }
    store->count++;
    store->index[i] = (struct ag_store_entry){ .id = id };
    return &store->index[i];
}

static enum ag_status apply_slot(struct ag_store *store, const struct ag_record *record)
{
    struct ag_record_slot slot;
    struct ag_record_name name;
    if (!ag_record_decode_slot(store->flash, record, &slot) ||
        !ag_record_make_name(slot.kind, slot.name, &name)) {
        store->damaged++;
        return AG_OK;
    }
    drop_overlapped(store, &slot);
    struct ag_store_entry *entry = ag_index_find(store, slot.id);
    if (!entry)
        entry = insert(store, slot.id);
    if (!entry)
        return AG_ERR_NO_SPACE;
    entry->record = record->offset;
    entry->name = ag_record_hash_name(&name);
    entry->block = slot.block;
    entry->blocks = slot.blocks;
    if (slot.state > entry->state)
        entry->state = slot.state;
    if (slot.trials > entry->trials)
        entry->trials = slot.trials;
    if (slot.failure != 0)
        entry->failure = slot.failure;
    if (slot.id >= store->next_id)
        store->next_id = slot.id + 1;
    if (slot.id + 1 == store->next_id)
        store->rotor = (uint16_t)(slot.block + slot.blocks);
    prune(store, &name);
    return AG_OK;
}

// What a confirmation or a failure does to the others of its name.
static void settle(struct ag_store *store, const struct ag_store_entry *entry)
{
    struct ag_record_name name;
    if (entry_name(store, entry, &name))
        prune(store, &name);
}

static void apply_mark(struct ag_store *store, const struct ag_record *record)
{
    struct ag_mark mark;
    if (!ag_record_decode_mark(store->flash, record, &mark))
        return;
    struct ag_store_entry *entry = ag_index_find(store, mark.id);
    if (!entry)
        return;
    if (mark.state == AG_MARK_DROPPED) {
        remove_at(store, (uint16_t)(entry - store->index));
        return;
    }
    if (mark.state == AG_STORE_TRIAL && entry->state <= AG_STORE_TRIAL) {
        entry->state = AG_STORE_TRIAL;
        entry->trials = (uint8_t)mark.detail;
    }
}

static void apply_epoch(struct ag_store *store, const struct ag_record *record)
{
    struct ag_epoch epoch;
    if (!ag_record_decode_epoch(store->flash, record, &epoch))
        return;
    struct ag_store_entry *entry = ag_index_find(store, epoch.id);
    if (!entry || entry->state >= AG_STORE_CONFIRMED)
        return;
    entry->state = AG_STORE_CONFIRMED;
    settle(store, entry);
}

static void apply_quarantine(struct ag_store *store, const struct ag_record *record)
{
    struct ag_quarantine quarantine;
    if (!ag_record_decode_quarantine(store->flash, record, &quarantine))
        return;
    struct ag_store_entry *entry = ag_index_find(store, quarantine.id);
    if (!entry)
        return;
    entry->state = AG_STORE_FAILED;
    entry->failure = quarantine.why;
    settle(store, entry);
}

static void apply_remove(struct ag_store *store, const struct ag_record *record)
{
    struct ag_record_name name;
    if (!ag_record_read_name(store->flash, record, 0, &name))
        return;
    for (uint16_t i = 0; i < store->count;) {
        if (ag_index_has_name(store, &store->index[i], &name))
            remove_at(store, i);
        else
            i++;
    }
}

bool ag_index_is_bad(const struct ag_store *store, uint32_t block)
{
    for (uint16_t i = 0; i < store->bad_count; i++) {
        if (store->bad[i] == block)
            return true;
    }
    return false;
}

// An eighth of the blocks at most: a block that failed once only must not cost the store its room.
static uint16_t bad_limit(const struct ag_store *store)
{
    const uint32_t size = store->flash->size;
    const uint32_t eighth = (size / AG_FLASH_BLOCK - ag_journal_ring_size(size)) / 8;
    if (eighth > AG_CFG_BAD_BLOCKS_MAX)
        return AG_CFG_BAD_BLOCKS_MAX;
    return eighth > 0 ? (uint16_t)eighth : 1;
}

// The newest are kept: an older one has another chance.
static void apply_bad_block(struct ag_store *store, const struct ag_record *record)
{
    uint16_t block;
    if (!ag_record_decode_bad_block(store->flash, record, &block) || ag_index_is_bad(store, block))
        return;
    if (store->bad_count == bad_limit(store)) {
        store->bad_count--;
        memmove(&store->bad[0], &store->bad[1], store->bad_count * sizeof store->bad[0]);
    }
    store->bad[store->bad_count++] = block;
}

enum ag_status ag_index_apply(struct ag_store *store, const struct ag_record *record)
{
    switch (record->type) {
    case AG_RECORD_SLOT:
        return apply_slot(store, record);
    case AG_RECORD_MARK:
        apply_mark(store, record);
        return AG_OK;
    case AG_RECORD_EPOCH:
        apply_epoch(store, record);
        return AG_OK;
    case AG_RECORD_QUARANTINE:
        apply_quarantine(store, record);
        return AG_OK;
    case AG_RECORD_REMOVE:
        apply_remove(store, record);
        return AG_OK;
    case AG_RECORD_BAD_BLOCK:
        apply_bad_block(store, record);
        return AG_OK;
    case AG_RECORD_VALUE:
    case AG_RECORD_PROGRESS:
    case AG_RECORD_DELETE:
    case AG_RECORD_LINES:
        return AG_OK; // looked up on flash when asked for
    }
    return (record->flags & AG_RECORD_OPTIONAL) ? AG_OK : AG_ERR_STORE_FORMAT;
}

enum ag_status ag_index_build(struct ag_store *store)
{
    struct ag_journal *journal = &store->journal;
    struct ag_journal_cursor cursor = { .at = 0 };
    struct ag_record record;
    store->count = 0;
    store->bad_count = 0;
    store->damaged = 0;
    store->next_id = 1;
    store->rotor = 0;
    if (journal->ring[0] != AG_JOURNAL_UNREADABLE) {
        const uint8_t *block = store->flash->base + journal->ring[0] * AG_FLASH_BLOCK;
        if (!ag_journal_decode_commit(block, journal->generation, &store->next_id, &store->rotor))
            store->damaged++;
    }
    while (ag_journal_next(store->flash, journal, &cursor, &record)) {
        const enum ag_status status = ag_index_apply(store, &record);
        if (status != AG_OK)
            return status;
    }
    store->damaged += cursor.damaged;
    store->repaired = cursor.repaired;
    journal->sequence = cursor.sequence;
    journal->tail = cursor.closed ? 0 : cursor.at;
    return AG_OK;
}
