// SPDX-License-Identifier: Apache-2.0
// Adding records: where they go, when the journal is compacted, and what is live in it.
#ifndef AG_STORE_LOG_H
#define AG_STORE_LOG_H

#include "store/index.h"

// What AG_LOG_YIELDS leaves: room for the records of an install.
#define AG_LOG_RESERVE 512u

// What a record does to the size of the live journal.
enum ag_log_growth {
    AG_LOG_MARK,   // little or nothing: may use the last block of a generation
    AG_LOG_GROWS,  // leaves the last block free, so that marks always find room
    AG_LOG_YIELDS, // leaves room for what else grows besides: AG_LOG_RESERVE bytes
};

// Appends a record, compacting first when there is no room, and lets it take effect. Durable only
// after ag_log_sync.
//   AG_ERR_STORE_FULL  no room, also after compaction; nothing was written
//   AG_ERR_FLASH       the journal could not be written: the store is read-only from here on; the
//                      record has not taken effect but may be found at the next mount
AG_MUST_CHECK enum ag_status ag_log_append(struct ag_store *store, enum ag_record_type type,
                                           const struct ag_span spans[2],
                                           enum ag_log_growth growth);

// Makes everything durable. AG_ERR_FLASH: read-only from here on.
AG_MUST_CHECK enum ag_status ag_log_sync(struct ag_store *store);

// Both in turn, for a record with one piece of payload; it takes effect once it is durable, so that
// after a failure the index is as before.
AG_MUST_CHECK enum ag_status ag_log_commit(struct ag_store *store, enum ag_record_type type,
                                           const void *payload, size_t size,
                                           enum ag_log_growth growth);

// What a compaction takes over.
enum ag_log_keep {
    AG_LOG_KEEP_NOTHING,  // formats
    AG_LOG_KEEP_NO_LINES, // all that is live but lines of the log
    AG_LOG_KEEP_ALL,      // all that is live
};

// Walks over what is live and writes it as a new generation, durable. On any failure the old
// generation is still the one in use.
AG_MUST_CHECK enum ag_status ag_log_compact(struct ag_store *store, enum ag_log_keep keep);

// The newest value record of this key and name; false when there is none.
bool ag_log_find_value(const struct ag_store *store, const struct ag_record_name *name,
                       struct ag_record *record);

// The newest progress record of a slot.
bool ag_log_find_progress(const struct ag_store *store, uint32_t id, struct ag_progress *progress);

// The newest quarantine record of a hash, pardons included.
bool ag_log_find_quarantine(const struct ag_store *store,
                            const uint8_t sha256[AG_STORE_SHA256_SIZE],
                            struct ag_quarantine *quarantine);

// The highest epoch that a record of the journal gives this name.
uint32_t ag_log_find_epoch(const struct ag_store *store, const struct ag_record_name *name);

#endif
