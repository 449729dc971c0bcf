// SPDX-License-Identifier: Apache-2.0
// A plug-in's own data in RAM: pairs of key and value in one piece, as they also lie on flash
// (FORMATS.md 5.1). Where they lie there, and whose they are, is data_store.h.
//
// The block is the plug-in's: a part of the RAM of its instance, there only for those that import
// `store`. Looking up is linear; the most that there is to look through is AG_CFG_DATA_MAX.
#ifndef AG_HOST_DATA_H
#define AG_HOST_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

// Longest key, bytes. Any bytes will do.
#define AG_DATA_KEY_MAX 32u

// What a pair takes beside key and value, bytes.
#define AG_DATA_PAIR_COST 3u

// What stands before the pairs on flash, bytes: owner and format.
#define AG_DATA_HEAD 5u

struct ag_data {
    uint32_t owner;    // slot id of the version that it belongs to
    uint32_t capacity; // bytes that the pairs may take
    uint32_t size;     // bytes that they take
    bool is_changed;   // there is something in it that is not on flash
    bool is_told;      // that it cannot be stored stands in the log
    uint8_t bytes[];   // AG_DATA_HEAD bytes, then the pairs
};

// Bytes of RAM for that many bytes of pairs, a multiple of 8.
uint32_t ag_data_ram(uint32_t capacity);

// Empty data in `block`, which has ag_data_ram(capacity) bytes, aligned as uint64_t.
struct ag_data *ag_data_init(void *block, uint32_t capacity);

// AG_ERR_MALFORMED unless `size` bytes of pairs, as they stand in `data`, are pairs with keys that
// differ. The data then has that size; otherwise it is empty.
AG_MUST_CHECK enum ag_status ag_data_accept(struct ag_data *data, uint32_t size);

// The value of a key, borrowed until the next change. AG_ERR_NOT_FOUND.
AG_MUST_CHECK enum ag_status ag_data_get(const struct ag_data *data, struct ag_text key,
                                         struct ag_text *value);

// Sets a value, or replaces it; setting the same again is no change. `value` lies outside of
// `data`. AG_ERR_ARGUMENT for a key that is empty or too long, AG_ERR_DATA_QUOTA when there is no
// room: nothing has changed then.
AG_MUST_CHECK enum ag_status ag_data_set(struct ag_data *data, struct ag_text key,
                                         struct ag_text value);

// Takes a pair out. AG_ERR_NOT_FOUND.
AG_MUST_CHECK enum ag_status ag_data_remove(struct ag_data *data, struct ag_text key);

// The `index`th key, in no order that means anything, borrowed until the next change.
// AG_ERR_NOT_FOUND beyond the last.
AG_MUST_CHECK enum ag_status ag_data_key(const struct ag_data *data, uint32_t index,
                                         struct ag_text *key);

#endif
