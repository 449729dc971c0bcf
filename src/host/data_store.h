// SPDX-License-Identifier: Apache-2.0
// Plug-ins' own data on flash: which version finds which data, whatever was cut in between.
//
// Three places per plug-in (AG_STORE_DATA and the two keys behind it), each a value that begins
// with the id of the slot that owns it. A version writes its own place only, and finds
//
//   - what it owns, or else
//   - confirmed: what the last version before it owns (it inherits);
//     on trial: what the confirmed version finds.
//
// So nothing is copied when a version is confirmed, rolled back or falls back: these are marks of
// the store, and what a version finds follows from them and from the owners alone. It holds because
//
//   - ids of slots only grow, and
//   - before a version goes on trial, what nobody finds any more is deleted (ag_data_store_clean):
//     or else a version that never wrote would, once confirmed, inherit what a failed trial left.
//
// Of current, previous and next at most one runs and two others find something: one of three places
// is always free.
#ifndef AG_HOST_DATA_STORE_H
#define AG_HOST_DATA_STORE_H

#include "base/status.h"
#include "host/data.h"
#include "store/store.h"

// Whose data it is about: a plug-in, and the slots of its versions; 0: there is none.
struct ag_data_line {
    const char *name;
    uint32_t current;  // confirmed
    uint32_t previous; // confirmed before
    uint32_t next;     // staged or on trial
};

// Deletes what no version finds. Durable; no write where there is none, which is the rule.
// AG_ERR_FLASH: the next version must not go on trial.
AG_MUST_CHECK enum ag_status ag_data_store_clean(struct ag_store *store,
                                                 const struct ag_data_line *line);

// Fills `data` with what the version of slot `owner`, which is current or next, finds; empty when
// there is nothing or nothing readable. AG_ERR_DATA_QUOTA when it is more than the capacity.
AG_MUST_CHECK enum ag_status ag_data_store_load(const struct ag_store *store,
                                                const struct ag_data_line *line, uint32_t owner,
                                                struct ag_data *data);

// Writes `data` to its owner's place: one record, durable; no write when flash has the same. No
// change, and AG_OK, when the owner has failed or is gone. AG_ERR_STORE_FULL, AG_ERR_FLASH: what
// was there before is still there.
AG_MUST_CHECK enum ag_status
ag_data_store_save(struct ag_store *store, const struct ag_data_line *line, struct ag_data *data);

#endif
