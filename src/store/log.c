// SPDX-License-Identifier: Apache-2.0
// Appending records and compacting the journal.
//
// A compaction copies the live records in the order of the journal, none larger than it was.
// Filling blocks one after the other is monotonic: fewer or smaller items in the same order never
// need more blocks. So what was written once fits again, however often it is compacted.
#include "store/log.h"

#include <string.h>

#include "store/lines.h"

// Attempts to write one record, each in another block, before the journal counts as broken.
#define ATTEMPTS 3

static uint8_t generation_limit(const struct ag_store *store)
{
    return (uint8_t)(ag_journal_ring_size(store->flash->size) / 2);
}

// Records that can give or end a value.
#define VALUE_TYPES                                                                                \
    (AG_JOURNAL_ONLY(AG_RECORD_VALUE) | AG_JOURNAL_ONLY(AG_RECORD_DELETE) |                        \
     AG_JOURNAL_ONLY(AG_RECORD_REMOVE))

// ---- What is live ------------------------------------------------------------------------------

static bool record_name(const struct ag_store *store, const struct ag_record *record,
                        struct ag_record_name *name)
{
    return ag_record_read_name(store->flash, record, 0, name);
}

static bool is_about(const struct ag_store *store, const struct ag_record *record,
                     const struct ag_record_name *name)
{
    struct ag_record_name other;
    return record_name(store, record, &other) && ag_record_same_name(&other, name);
}

// Whether `record` ends the value of that name: replaces it, deletes it, or removes its plug-in.
static bool ends_value(const struct ag_store *store, const struct ag_record *record,
                       const struct ag_record_name *name)
{
    struct ag_record_name plugin = *name;
    plugin.kind = AG_STORE_PLUGIN;
    if (record->type == AG_RECORD_REMOVE)
        return name->kind >= 0x80 && is_about(store, record, &plugin);
    return (record->type == AG_RECORD_VALUE || record->type == AG_RECORD_DELETE) &&
           is_about(store, record, name);
}

bool ag_log_find_value(const struct ag_store *store, const struct ag_record_name *name,
                       struct ag_record *record)
{
    struct ag_journal_cursor cursor = { .types = VALUE_TYPES };
    struct ag_record at;
    bool found = false;
    while (ag_journal_next(store->flash, &store->journal, &cursor, &at)) {
        if (!ends_value(store, &at, name))
            continue;
        found = at.type == AG_RECORD_VALUE;
        if (found)
            *record = at;
    }
    return found;
}

bool ag_log_find_progress(const struct ag_store *store, uint32_t id, struct ag_progress *progress)
{
    struct ag_journal_cursor cursor = { .types = AG_JOURNAL_ONLY(AG_RECORD_PROGRESS) };
    struct ag_record at;
    bool found = false;
    while (ag_journal_next(store->flash, &store->journal, &cursor, &at)) {
        struct ag_progress one;
        if (at.type != AG_RECORD_PROGRESS || !ag_record_decode_progress(store->flash, &at, &one) ||
            one.id != id)
            continue;
        *progress = one;
        found = true;
    }
    return found;
}

bool ag_log_find_quarantine(const struct ag_store *store,
                            const uint8_t sha256[AG_STORE_SHA256_SIZE],
                            struct ag_quarantine *quarantine)
{
    struct ag_journal_cursor cursor = { .types = AG_JOURNAL_ONLY(AG_RECORD_QUARANTINE) };
    struct ag_record at;
    bool found = false;
    while (ag_journal_next(store->flash, &store->journal, &cursor, &at)) {
        struct ag_quarantine one;
        if (at.type != AG_RECORD_QUARANTINE ||
            !ag_record_decode_quarantine(store->flash, &at, &one) ||
            memcmp(one.sha256, sha256, AG_STORE_SHA256_SIZE) != 0)
            continue;
        *quarantine = one;
        found = true;
    }
    return found;
}

uint32_t ag_log_find_epoch(const struct ag_store *store, const struct ag_record_name *name)
{
    struct ag_journal_cursor cursor = { .types = AG_JOURNAL_ONLY(AG_RECORD_EPOCH) };
    struct ag_record at;
    uint32_t floor = 0;
    while (ag_journal_next(store->flash, &store->journal, &cursor, &at)) {
        struct ag_epoch one;
        if (at.type == AG_RECORD_EPOCH && ag_record_decode_epoch(store->flash, &at, &one) &&
            one.epoch > floor && ag_record_same_name(&one.name, name))
            floor = one.epoch;
    }
    return floor;
}

// `after` is the walk just behind `record`, in each of these.

static bool value_is_live(const struct ag_store *store, const struct ag_record *record,
                          struct ag_journal_cursor after)
{
    struct ag_record_name name;
    struct ag_record at;
    after.types = VALUE_TYPES;
    if (!record_name(store, record, &name))
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        if (ends_value(store, &at, &name))
            return false;
    }
    return true;
}

static bool progress_is_live(const struct ag_store *store, const struct ag_record *record,
                             struct ag_journal_cursor after)
{
    struct ag_progress progress;
    struct ag_record at;
    after.types = AG_JOURNAL_ONLY(AG_RECORD_PROGRESS);
    if (!ag_record_decode_progress(store->flash, record, &progress))
        return false;
    const struct ag_store_entry *entry = ag_index_find_const(store, progress.id);
    if (!entry || entry->state != AG_STORE_RESERVED)
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        struct ag_progress later;
        if (at.type == AG_RECORD_PROGRESS && ag_record_decode_progress(store->flash, &at, &later) &&
            later.id == progress.id)
            return false;
    }
    return true;
}

// The highest epoch of a name lives once: in the last record that has it.
static bool epoch_is_live(const struct ag_store *store, const struct ag_record *record,
                          struct ag_journal_cursor after)
{
    struct ag_epoch epoch;
    struct ag_record at;
    after.types = AG_JOURNAL_ONLY(AG_RECORD_EPOCH);
    if (!ag_record_decode_epoch(store->flash, record, &epoch) || epoch.epoch == 0 ||
        epoch.epoch < ag_log_find_epoch(store, &epoch.name))
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        struct ag_epoch later;
        if (at.type == AG_RECORD_EPOCH && ag_record_decode_epoch(store->flash, &at, &later) &&
            later.epoch == epoch.epoch && ag_record_same_name(&later.name, &epoch.name))
            return false;
    }
    return true;
}

// Whether a quarantine record is the newest of its hash and not a pardon.
static bool quarantine_counts(const struct ag_store *store, const struct ag_record *record,
                              struct ag_journal_cursor after)
{
    struct ag_quarantine quarantine;
    struct ag_record at;
    after.types = AG_JOURNAL_ONLY(AG_RECORD_QUARANTINE);
    if (!ag_record_decode_quarantine(store->flash, record, &quarantine) ||
        !ag_record_is_quarantine(&quarantine))
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        struct ag_quarantine later;
        if (at.type == AG_RECORD_QUARANTINE &&
            ag_record_decode_quarantine(store->flash, &at, &later) &&
            memcmp(later.sha256, quarantine.sha256, sizeof later.sha256) == 0)
            return false;
    }
    return true;
}

static bool quarantine_is_live(const struct ag_store *store, const struct ag_record *record,
                               struct ag_journal_cursor after)
{
    uint32_t newer = 0;
    struct ag_record at;
    after.types = AG_JOURNAL_ONLY(AG_RECORD_QUARANTINE);
    if (!quarantine_counts(store, record, after))
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        if (at.type == AG_RECORD_QUARANTINE && quarantine_counts(store, &at, after))
            newer++;
    }
    return newer < AG_CFG_QUARANTINE_MAX;
}

// Whether the block is still left out, and this is its newest record.
static bool bad_block_is_live(const struct ag_store *store, const struct ag_record *record,
                              struct ag_journal_cursor after)
{
    uint16_t block;
    uint16_t later;
    struct ag_record at;
    after.types = AG_JOURNAL_ONLY(AG_RECORD_BAD_BLOCK);
    if (!ag_record_decode_bad_block(store->flash, record, &block) || !ag_index_is_bad(store, block))
        return false;
    while (ag_journal_next(store->flash, &store->journal, &after, &at)) {
        if (at.type == AG_RECORD_BAD_BLOCK &&
            ag_record_decode_bad_block(store->flash, &at, &later) && later == block)
            return false;
    }
    return true;
}

// ---- Compacting --------------------------------------------------------------------------------

// Where the copies go: into `fresh`, or nowhere, and only their places are reckoned.
struct copier {
    struct ag_store *store;
    struct ag_journal fresh;
    bool dry;
    struct ag_lines_kept lines; // of the log, that are copied
};

static enum ag_status enter_next_block(struct copier *copier)
{
    struct ag_journal *fresh = &copier->fresh;
    if (fresh->used == generation_limit(copier->store))
        return AG_ERR_STORE_FULL;
    if (!copier->dry)
        return ag_journal_open_block(copier->store->flash, fresh, &copier->store->journal);
    fresh->used++;
    fresh->tail = AG_JOURNAL_BLOCK_HEAD;
    return AG_OK;
}

// Writes one copy: the record as it is, or when `bytes` is given a payload of the same size.
static enum ag_status put_copy(struct copier *copier, const struct ag_record *record,
                               uint8_t *bytes)
{
    struct ag_journal *fresh = &copier->fresh;
    const struct ag_span spans[2] = { { bytes, record->size }, { NULL, 0 } };
    const uint8_t flags = record->flags & (uint8_t)~AG_RECORD_LATER;
    enum ag_status status = AG_ERR_FLASH;
    uint32_t offset;
    for (int attempt = 0; attempt < ATTEMPTS && status == AG_ERR_FLASH; attempt++) {
        if (!ag_journal_fits(fresh, record->size)) {
            status = enter_next_block(copier);
            if (status != AG_OK)
                return status;
        }
        if (copier->dry) {
            fresh->tail += ag_journal_record_size(record->size);
            return AG_OK;
        }
        status = bytes ? ag_journal_write(copier->store->flash, fresh, record->type, flags, spans,
                                          &offset)
                       : ag_journal_copy(copier->store->flash, fresh, record, flags);
    }
    return status;
}

// A slot record says again what marks have said since; it keeps its size.
static enum ag_status copy_slot(struct copier *copier, const struct ag_record *record)
{
    const struct ag_store *store = copier->store;
    struct ag_record_slot slot;
    uint8_t bytes[AG_RECORD_SLOT_MAX];
    for (uint16_t i = 0; i < store->count; i++) {
        if (store->index[i].record != record->offset)
            continue;
        if (!ag_index_load(store, &store->index[i], &slot))
            return AG_OK; // unreadable since the walk came by: it is lost
        struct ag_record copy = *record;
        copy.size = (uint16_t)ag_record_encode_slot(&slot, bytes);
        return put_copy(copier, &copy, bytes);
    }
    return AG_OK;
}

// The slot that the record confirmed or failed says so itself from now on.
static enum ag_status copy_without_id(struct copier *copier, const struct ag_record *record)
{
    uint8_t bytes[AG_EPOCH_FIXED + 2 + 64];
    _Static_assert(sizeof bytes >= AG_QUARANTINE_SIZE, "both payloads fit");
    struct ag_record copy = *record;
    if (copy.size > sizeof bytes)
        copy.size = sizeof bytes;
    ag_journal_read(copier->store->flash, record, 0, bytes, copy.size);
    memset(bytes, 0, 4);
    return put_copy(copier, &copy, bytes);
}

static enum ag_status copy_if_live(struct copier *copier, const struct ag_record *record,
                                   const struct ag_journal_cursor *after)
{
    const struct ag_store *store = copier->store;
    switch (record->type) {
    case AG_RECORD_SLOT:
        return copy_slot(copier, record);
    case AG_RECORD_EPOCH:
        return epoch_is_live(store, record, *after) ? copy_without_id(copier, record) : AG_OK;
    case AG_RECORD_QUARANTINE:
        return quarantine_is_live(store, record, *after) ? copy_without_id(copier, record) : AG_OK;
    case AG_RECORD_VALUE:
        return value_is_live(store, record, *after) ? put_copy(copier, record, NULL) : AG_OK;
    case AG_RECORD_PROGRESS:
        return progress_is_live(store, record, *after) ? put_copy(copier, record, NULL) : AG_OK;
    case AG_RECORD_LINES:
        return ag_lines_are_kept(&copier->lines, record->offset) ? put_copy(copier, record, NULL)
                                                                 : AG_OK;
    case AG_RECORD_BAD_BLOCK:
        return bad_block_is_live(store, record, *after) ? put_copy(copier, record, NULL) : AG_OK;
    case AG_RECORD_MARK:
    case AG_RECORD_REMOVE:
    case AG_RECORD_DELETE:
        return AG_OK; // what they say is in what is copied, and in what is not
    }
    return (record->flags & AG_RECORD_KEEP) ? put_copy(copier, record, NULL) : AG_OK;
}

static enum ag_status copy_all(struct copier *copier, enum ag_log_keep keep)
{
    const struct ag_store *store = copier->store;
    struct ag_journal_cursor cursor = { .at = 0 };
    struct ag_record record;
    enum ag_status status = AG_OK;
    copier->lines.count = 0;
    if (keep == AG_LOG_KEEP_ALL)
        ag_lines_choose(store, &copier->lines);
    while (status == AG_OK && ag_journal_next(store->flash, &store->journal, &cursor, &record))
        status = copy_if_live(copier, &record, &cursor);
    return status;
}

static enum ag_status commit(struct ag_store *store, const struct ag_journal *fresh)
{
    const struct ag_flash *flash = store->flash;
    uint8_t bytes[16];
    ag_journal_encode_commit(fresh->generation, store->next_id, store->rotor, bytes);
    enum ag_status status = flash->sync(flash->context);
    if (status == AG_OK)
        status = flash->program(flash->context, fresh->ring[0] * AG_FLASH_BLOCK + 32u, bytes,
                                sizeof bytes);
    if (status == AG_OK)
        status = flash->sync(flash->context);
    return status;
}

enum ag_status ag_log_compact(struct ag_store *store, enum ag_log_keep keep)
{
    struct copier copier = { .store = store, .dry = false };
    copier.fresh.generation = ++store->last_generation;
    copier.fresh.sequence = 1;
    enum ag_status status = enter_next_block(&copier);
    if (status == AG_OK && keep != AG_LOG_KEEP_NOTHING)
        status = copy_all(&copier, keep);
    if (status == AG_OK)
        status = commit(store, &copier.fresh);
    if (status != AG_OK)
        return status;
    const uint32_t damaged = store->damaged;
    const uint32_t repaired = store->repaired;
    store->journal = copier.fresh;
    status = ag_index_build(store);
    store->damaged = damaged;
    store->repaired = repaired;
    return status;
}

// ---- Appending ---------------------------------------------------------------------------------

// Whether a payload of this size would find room in one of `limit` blocks.
static bool has_room(const struct ag_journal *journal, size_t size, uint8_t limit)
{
    return (journal->used <= limit && ag_journal_fits(journal, size)) || journal->used < limit;
}

// Whether the record would find room after a compaction.
static bool compaction_helps(struct ag_store *store, size_t size, uint8_t limit,
                             enum ag_log_keep keep)
{
    struct copier reckoning = { .store = store, .dry = true };
    return copy_all(&reckoning, keep) == AG_OK && has_room(&reckoning.fresh, size, limit);
}

// Sees to it that the record fits at the tail. A compaction never gets further than what it copies:
// what is left free now is free after one, too. Lines of the log give way to anything else.
static enum ag_status make_room(struct ag_store *store, size_t size, enum ag_log_growth growth)
{
    const uint8_t limit = (uint8_t)(generation_limit(store) - (growth == AG_LOG_MARK ? 0 : 1));
    const size_t wanted = size + (growth == AG_LOG_YIELDS ? AG_LOG_RESERVE : 0);
    if (!has_room(&store->journal, wanted, limit)) {
        enum ag_log_keep keep = AG_LOG_KEEP_ALL;
        if (!compaction_helps(store, wanted, limit, keep))
            keep = AG_LOG_KEEP_NO_LINES;
        if (keep == AG_LOG_KEEP_NO_LINES && !compaction_helps(store, wanted, limit, keep))
            return AG_ERR_STORE_FULL;
        const enum ag_status status = ag_log_compact(store, keep);
        if (status != AG_OK)
            return status;
    }
    if (ag_journal_fits(&store->journal, size))
        return AG_OK;
    if (store->journal.used >= generation_limit(store))
        return AG_ERR_STORE_FULL;
    return ag_journal_open_block(store->flash, &store->journal, NULL);
}

static enum ag_status write(struct ag_store *store, enum ag_record_type type,
                            const struct ag_span spans[2], enum ag_log_growth growth,
                            struct ag_record *record)
{
    const bool is_optional = type == AG_RECORD_LINES || type == AG_RECORD_BAD_BLOCK;
    const uint8_t flags = AG_RECORD_LATER | (is_optional ? AG_RECORD_OPTIONAL | AG_RECORD_KEEP : 0);
    enum ag_status status = AG_ERR_FLASH;
    uint32_t offset = 0;
    for (int attempt = 0; attempt < ATTEMPTS && status == AG_ERR_FLASH; attempt++) {
        status = make_room(store, spans[0].size + spans[1].size, growth);
        if (status != AG_OK)
            return status;
        status =
            ag_journal_write(store->flash, &store->journal, (uint8_t)type, flags, spans, &offset);
    }
    if (status != AG_OK)
        return status;
    if (!ag_journal_load(store->flash, store->journal.generation, offset, record))
        return AG_ERR_FLASH; // it does not read back
    return AG_OK;
}

// After a failure that leaves it open what the flash holds, nothing more is written.
static enum ag_status settle(struct ag_store *store, enum ag_status status)
{
    if (status != AG_OK && status != AG_ERR_STORE_FULL)
        store->ready = false;
    return status;
}

enum ag_status ag_log_append(struct ag_store *store, enum ag_record_type type,
                             const struct ag_span spans[2], enum ag_log_growth growth)
{
    struct ag_record record;
    if (!store->ready)
        return AG_ERR_FLASH;
    enum ag_status status = write(store, type, spans, growth, &record);
    if (status == AG_OK)
        status = ag_index_apply(store, &record);
    return settle(store, status);
}

enum ag_status ag_log_sync(struct ag_store *store)
{
    if (!store->ready)
        return AG_ERR_FLASH;
    return settle(store, store->flash->sync(store->flash->context));
}

enum ag_status ag_log_commit(struct ag_store *store, enum ag_record_type type, const void *payload,
                             size_t size, enum ag_log_growth growth)
{
    const struct ag_span spans[2] = { { payload, size }, { NULL, 0 } };
    struct ag_record record;
    if (!store->ready)
        return AG_ERR_FLASH;
    enum ag_status status = settle(store, write(store, type, spans, growth, &record));
    if (status == AG_OK)
        status = ag_log_sync(store);
    return status == AG_OK ? settle(store, ag_index_apply(store, &record)) : status;
}
