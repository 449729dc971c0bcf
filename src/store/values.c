// SPDX-License-Identifier: Apache-2.0
// Small values: kept in journal records, the newest of a key and name counts.
#include <string.h>

#include "store/log.h"

// Where the value begins in its record's payload.
static uint32_t value_at(const struct ag_record_name *name)
{
    return 2u + name->size;
}

static bool is_same(const struct ag_store *store, const struct ag_record *record, uint32_t from,
                    const uint8_t *bytes, size_t size)
{
    uint8_t piece[64];
    if (record->size - from != size)
        return false;
    for (size_t at = 0; at < size; at += sizeof piece) {
        const size_t part = size - at < sizeof piece ? size - at : sizeof piece;
        ag_journal_read(store->flash, record, from + (uint32_t)at, piece, part);
        if (memcmp(piece, bytes + at, part) != 0)
            return false;
    }
    return true;
}

// Plug-ins decide how much of it there is.
static enum ag_log_growth growth_of(enum ag_store_key key)
{
    return key >= AG_STORE_DATA && key <= AG_STORE_DATA_LAST ? AG_LOG_YIELDS : AG_LOG_GROWS;
}

// Appends the value unless it is there already; *is_new: it was not.
static enum ag_status append(struct ag_store *store, enum ag_store_key key, const char *name,
                             const void *bytes, size_t size, bool *is_new)
{
    struct ag_record_name wanted;
    struct ag_record record;
    uint8_t head[2 + AG_CFG_NAME_MAX];
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_record_make_name((uint8_t)key, name, &wanted) || size > AG_STORE_VALUE_MAX)
        return AG_ERR_ARGUMENT;
    *is_new = !ag_log_find_value(store, &wanted, &record) ||
              !is_same(store, &record, value_at(&wanted), bytes, size);
    if (!*is_new)
        return AG_OK;
    const struct ag_span spans[2] = { { head, ag_record_encode_name(&wanted, head) },
                                      { bytes, size } };
    return ag_log_append(store, AG_RECORD_VALUE, spans, growth_of(key));
}

enum ag_status ag_store_put(struct ag_store *store, enum ag_store_key key, const char *name,
                            const void *bytes, size_t size)
{
    bool is_new;
    const enum ag_status status = append(store, key, name, bytes, size, &is_new);
    return status == AG_OK && is_new ? ag_log_sync(store) : status;
}

enum ag_status ag_store_put_along(struct ag_store *store, enum ag_store_key key, const char *name,
                                  const void *bytes, size_t size)
{
    bool is_new;
    return append(store, key, name, bytes, size, &is_new);
}

enum ag_status ag_store_peek(const struct ag_store *store, enum ag_store_key key, const char *name,
                             void *bytes, size_t capacity, size_t *size)
{
    struct ag_record_name wanted;
    struct ag_record record;
    if (!ag_record_make_name((uint8_t)key, name, &wanted) ||
        !ag_log_find_value(store, &wanted, &record))
        return AG_ERR_NOT_FOUND;
    *size = record.size - value_at(&wanted);
    ag_journal_read(store->flash, &record, value_at(&wanted), bytes,
                    *size < capacity ? *size : capacity);
    return AG_OK;
}

enum ag_status ag_store_get(const struct ag_store *store, enum ag_store_key key, const char *name,
                            void *bytes, size_t capacity, size_t *size)
{
    struct ag_record_name wanted;
    struct ag_record record;
    if (!ag_record_make_name((uint8_t)key, name, &wanted) ||
        !ag_log_find_value(store, &wanted, &record))
        return AG_ERR_NOT_FOUND;
    *size = record.size - value_at(&wanted);
    if (*size > capacity)
        return AG_ERR_NO_SPACE;
    ag_journal_read(store->flash, &record, value_at(&wanted), bytes, *size);
    return AG_OK;
}

enum ag_status ag_store_delete(struct ag_store *store, enum ag_store_key key, const char *name)
{
    struct ag_record_name wanted;
    struct ag_record record;
    uint8_t bytes[2 + AG_CFG_NAME_MAX];
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_record_make_name((uint8_t)key, name, &wanted) ||
        !ag_log_find_value(store, &wanted, &record))
        return AG_ERR_NOT_FOUND;
    const size_t size = ag_record_encode_name(&wanted, bytes);
    return ag_log_commit(store, AG_RECORD_DELETE, bytes, size, AG_LOG_MARK);
}
