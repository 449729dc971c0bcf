// SPDX-License-Identifier: Apache-2.0
// The index: which slots are live, as the records of the journal say one after the other.
//
// Mounting and changing go the same way: a record is on flash, then ag_index_apply. What is live
// thus never depends on what a call did, only on the records. Of each kind and name there are, by
// ascending id: at most two confirmed slots (previous, current) and then at most one that is not.
#ifndef AG_STORE_INDEX_H
#define AG_STORE_INDEX_H

#include "store/journal.h"
#include "store/record.h"

// Walks the journal and builds the index; sets the journal's tail and next sequence too.
//   AG_ERR_NO_SPACE      more slots than the index has room for
//   AG_ERR_STORE_FORMAT  a record of a newer format that must not be skipped
AG_MUST_CHECK enum ag_status ag_index_build(struct ag_store *store);

// Lets one record of the journal take effect. Same statuses.
AG_MUST_CHECK enum ag_status ag_index_apply(struct ag_store *store, const struct ag_record *record);

// Whether a block for slots has failed and is left out.
bool ag_index_is_bad(const struct ag_store *store, uint32_t block);

// NULL when there is none.
struct ag_store_entry *ag_index_find(struct ag_store *store, uint32_t id);
const struct ag_store_entry *ag_index_find_const(const struct ag_store *store, uint32_t id);

// The slot's record with everything that later marks said. False when it became unreadable.
bool ag_index_load(const struct ag_store *store, const struct ag_store_entry *entry,
                   struct ag_record_slot *slot);

bool ag_index_has_name(const struct ag_store *store, const struct ag_store_entry *entry,
                       const struct ag_record_name *name);

// The part that the slot plays among those of its kind and name.
enum ag_store_role ag_index_role(const struct ag_store *store, const struct ag_store_entry *entry);

#endif
