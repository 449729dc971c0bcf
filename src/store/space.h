// SPDX-License-Identifier: Apache-2.0
// Where slots lie: which blocks are free, and what gives way when they are not enough.
#ifndef AG_STORE_SPACE_H
#define AG_STORE_SPACE_H

#include "store/index.h"

// First block behind the journal ring, and one behind the last block.
uint32_t ag_space_first(const struct ag_store *store);
uint32_t ag_space_end(const struct ag_store *store);

uint32_t ag_space_blocks(uint64_t bytes);

// Finds `blocks` free blocks in a row, none of which has failed, from the rotor on and round. Slots
// on their way or failed of the kind and name count as free; so do failed and previous slots, as
// few as needed, oldest first. False when that is not enough. `name` NULL: none counts as free by
// its name.
bool ag_space_find(const struct ag_store *store, const struct ag_record_name *name, uint32_t blocks,
                   uint16_t *block);

// Whether no slot lies at `block`, and it is one for slots that has not failed.
bool ag_space_is_free(const struct ag_store *store, uint32_t block);

// The first slot that reaches into the row of blocks, or NULL.
const struct ag_store_entry *ag_space_occupant(const struct ag_store *store, uint32_t block,
                                               uint32_t blocks);

// Whether a slot gives way when room is needed; and the one to give way first, or NULL.
bool ag_space_gives_way(const struct ag_store *store, const struct ag_store_entry *entry);
const struct ag_store_entry *ag_space_first_to_go(const struct ag_store *store);

// Blocks of the row that have failed.
uint32_t ag_space_count_bad(const struct ag_store *store, uint32_t block, uint32_t blocks);

// Blocks that are free, and the longest row of them.
void ag_space_count(const struct ag_store *store, uint32_t *free_blocks, uint32_t *longest);

#endif
