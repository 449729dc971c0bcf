// SPDX-License-Identifier: Apache-2.0
// Looking at slots, and handing out their bytes after a check.
#include <string.h>

#include "base/crc32.h"
#include "store/log.h"
#include "store/space.h"

static bool fill(const struct ag_store *store, const struct ag_store_entry *entry,
                 struct ag_store_slot *slot)
{
    struct ag_record_slot record;
    if (!ag_index_load(store, entry, &record))
        return false;
    memset(slot, 0, sizeof *slot);
    slot->id = record.id;
    slot->kind = (enum ag_store_kind)record.kind;
    slot->state = (enum ag_store_state)record.state;
    slot->role = ag_index_role(store, entry);
    memcpy(slot->name, record.name, sizeof slot->name);
    slot->version = record.version;
    slot->epoch = record.epoch;
    slot->file_size = record.file_size;
    slot->code_size = record.code_size;
    slot->engine = record.engine;
    memcpy(slot->sha256, record.sha256, sizeof slot->sha256);
    slot->trials = record.trials;
    slot->failure = (enum ag_status)record.failure;
    return true;
}

bool ag_store_next(const struct ag_store *store, uint32_t *id, struct ag_store_slot *slot)
{
    for (uint16_t i = 0; i < store->count; i++) {
        if (store->index[i].id <= *id || !fill(store, &store->index[i], slot))
            continue;
        *id = slot->id;
        return true;
    }
    return false;
}

enum ag_status ag_store_get_slot(const struct ag_store *store, uint32_t id,
                                 struct ag_store_slot *slot)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_store_slot found;
    if (!entry || !fill(store, entry, &found))
        return AG_ERR_NOT_FOUND;
    *slot = found;
    return AG_OK;
}

enum ag_status ag_store_find(const struct ag_store *store, enum ag_store_kind kind,
                             const char *name, enum ag_store_role role, struct ag_store_slot *slot)
{
    struct ag_record_name wanted;
    if (!ag_record_make_name((uint8_t)kind, name, &wanted))
        return AG_ERR_NOT_FOUND;
    for (uint16_t i = 0; i < store->count; i++) {
        const struct ag_store_entry *entry = &store->index[i];
        if (ag_index_has_name(store, entry, &wanted) && ag_index_role(store, entry) == role)
            return ag_store_get_slot(store, entry->id, slot);
    }
    return AG_ERR_NOT_FOUND;
}

static enum ag_status hand_out(const struct ag_store *store, uint32_t offset, uint32_t length,
                               uint32_t crc, const uint8_t **bytes, size_t *size)
{
    const uint8_t *start = store->flash->base + offset;
    if (ag_crc32_update(0, start, length) != crc)
        return AG_ERR_STORE_DAMAGED;
    *bytes = start;
    *size = length;
    return AG_OK;
}

enum ag_status ag_store_open_file(const struct ag_store *store, uint32_t id, const uint8_t **bytes,
                                  size_t *size)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    if (!entry || entry->state < AG_STORE_COMPLETE || !ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    return hand_out(store, slot.block * AG_FLASH_BLOCK, slot.file_size, slot.file_crc, bytes, size);
}

enum ag_status ag_store_open_code(const struct ag_store *store, uint32_t id, const uint8_t **bytes,
                                  size_t *size)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    if (!entry || entry->state < AG_STORE_SEALED || !ag_index_load(store, entry, &slot) ||
        slot.code_offset == 0)
        return AG_ERR_NOT_FOUND;
    return hand_out(store, slot.code_offset, slot.code_size, slot.code_crc, bytes, size);
}

bool ag_store_is_read_only(const struct ag_store *store)
{
    return !store->ready;
}

void ag_store_info(const struct ag_store *store, struct ag_store_info *info)
{
    uint32_t free_blocks;
    uint32_t longest;
    ag_space_count(store, &free_blocks, &longest);
    memset(info, 0, sizeof *info);
    info->size = store->flash->size;
    info->free_size = free_blocks * AG_FLASH_BLOCK;
    info->largest_free = longest * AG_FLASH_BLOCK;
    for (uint16_t i = 0; i < store->count; i++) {
        const struct ag_store_entry *entry = &store->index[i];
        if (ag_space_gives_way(store, entry))
            info->spare_size +=
                (entry->blocks - ag_space_count_bad(store, entry->block, entry->blocks)) *
                AG_FLASH_BLOCK;
    }
    info->bad_blocks = store->bad_count;
    info->journal_size = ag_journal_ring_size(store->flash->size) * AG_FLASH_BLOCK;
    info->journal_used = store->journal.used * AG_FLASH_BLOCK;
    info->generation = store->journal.generation;
    info->damaged = store->damaged;
    info->repaired = store->repaired;
    info->read_only = !store->ready;
}
