// SPDX-License-Identifier: Apache-2.0
// The marks of a slot's life, epoch floors and the quarantine: one record and one sync each.
#include <string.h>

#include "store/log.h"
#include "store/space.h"

static enum ag_status write_mark(struct ag_store *store, uint32_t id, uint8_t state,
                                 uint16_t detail)
{
    const struct ag_mark mark = { .id = id, .detail = detail, .state = state };
    uint8_t bytes[AG_MARK_SIZE];
    ag_record_encode_mark(&mark, bytes);
    return ag_log_commit(store, AG_RECORD_MARK, bytes, sizeof bytes, AG_LOG_MARK);
}

enum ag_status ag_store_begin_trial(struct ag_store *store, uint32_t id)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!entry)
        return AG_ERR_NOT_FOUND;
    if (entry->state != AG_STORE_SEALED && entry->state != AG_STORE_TRIAL)
        return AG_ERR_ARGUMENT;
    const uint16_t trials = entry->trials < 255 ? (uint16_t)(entry->trials + 1) : 255;
    return write_mark(store, id, AG_STORE_TRIAL, trials);
}

enum ag_status ag_store_confirm(struct ag_store *store, uint32_t id)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    struct ag_epoch epoch = { .id = id };
    uint8_t bytes[AG_EPOCH_FIXED + 2 + AG_CFG_NAME_MAX];
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!entry || !ag_index_load(store, entry, &slot) ||
        !ag_record_make_name(slot.kind, slot.name, &epoch.name))
        return AG_ERR_NOT_FOUND;
    if (slot.state == AG_STORE_CONFIRMED)
        return AG_OK;
    if (slot.state != AG_STORE_SEALED && slot.state != AG_STORE_TRIAL)
        return AG_ERR_ARGUMENT;
    epoch.epoch = slot.epoch;
    const size_t size = ag_record_encode_epoch(&epoch, bytes);
    return ag_log_commit(store, AG_RECORD_EPOCH, bytes, size, AG_LOG_MARK);
}

static enum ag_status write_quarantine(struct ag_store *store, uint32_t id,
                                       const uint8_t sha256[AG_STORE_SHA256_SIZE], uint16_t why)
{
    struct ag_quarantine quarantine = { .id = id, .why = why };
    uint8_t bytes[AG_QUARANTINE_SIZE];
    memcpy(quarantine.sha256, sha256, sizeof quarantine.sha256);
    ag_record_encode_quarantine(&quarantine, bytes);
    return ag_log_commit(store, AG_RECORD_QUARANTINE, bytes, sizeof bytes, AG_LOG_MARK);
}

enum ag_status ag_store_fail(struct ag_store *store, uint32_t id, enum ag_status why)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!entry || !ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    if (slot.state == AG_STORE_FAILED)
        return AG_OK;
    if (slot.state < AG_STORE_SEALED || why == AG_OK)
        return AG_ERR_ARGUMENT;
    return write_quarantine(store, id, slot.sha256, (uint16_t)why);
}

enum ag_status ag_store_drop(struct ag_store *store, uint32_t id)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!entry)
        return AG_ERR_NOT_FOUND;
    if (ag_index_role(store, entry) == AG_STORE_CURRENT)
        return AG_ERR_ARGUMENT;
    return write_mark(store, id, AG_MARK_DROPPED, 0);
}

enum ag_status ag_store_remove(struct ag_store *store, enum ag_store_kind kind, const char *name)
{
    struct ag_record_name wanted;
    uint8_t bytes[2 + AG_CFG_NAME_MAX];
    bool found = false;
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_record_make_name((uint8_t)kind, name, &wanted))
        return AG_ERR_ARGUMENT;
    for (uint16_t i = 0; i < store->count && !found; i++)
        found = ag_index_has_name(store, &store->index[i], &wanted);
    if (!found)
        return AG_ERR_NOT_FOUND;
    const size_t size = ag_record_encode_name(&wanted, bytes);
    return ag_log_commit(store, AG_RECORD_REMOVE, bytes, size, AG_LOG_MARK);
}

uint32_t ag_store_epoch_floor(const struct ag_store *store, enum ag_store_kind kind,
                              const char *name)
{
    struct ag_record_name wanted;
    if (!ag_record_make_name((uint8_t)kind, name, &wanted))
        return 0;
    return ag_log_find_epoch(store, &wanted);
}

enum ag_status ag_store_quarantine(struct ag_store *store,
                                   const uint8_t sha256[AG_STORE_SHA256_SIZE], enum ag_status why)
{
    struct ag_quarantine quarantine;
    if (!store->ready)
        return AG_ERR_FLASH;
    if (why == AG_OK)
        return AG_ERR_ARGUMENT;
    if (ag_log_find_quarantine(store, sha256, &quarantine) && quarantine.why == (uint16_t)why)
        return AG_OK;
    return write_quarantine(store, 0, sha256, (uint16_t)why);
}

enum ag_status ag_store_pardon(struct ag_store *store, const uint8_t sha256[AG_STORE_SHA256_SIZE])
{
    struct ag_quarantine quarantine;
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_log_find_quarantine(store, sha256, &quarantine) || quarantine.why == 0)
        return AG_OK;
    return write_quarantine(store, 0, sha256, 0);
}

bool ag_store_is_quarantined(const struct ag_store *store,
                             const uint8_t sha256[AG_STORE_SHA256_SIZE], enum ag_status *why)
{
    struct ag_quarantine quarantine;
    if (!ag_log_find_quarantine(store, sha256, &quarantine) ||
        !ag_record_is_quarantine(&quarantine))
        return false;
    if (why)
        *why = (enum ag_status)quarantine.why;
    return true;
}
