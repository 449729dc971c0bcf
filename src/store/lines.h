// SPDX-License-Identifier: Apache-2.0
// Records of log lines: which of them a compaction keeps.
#ifndef AG_STORE_LINES_H
#define AG_STORE_LINES_H

#include "store/journal.h"

// Records of lines that a compaction can keep.
#define AG_LINES_KEEP_MAX 48u

// Those that are kept: their offsets, found in one walk before the copying begins.
struct ag_lines_kept {
    uint16_t count;
    uint32_t offsets[AG_LINES_KEEP_MAX];
};

// Chooses: the newest of each source, AG_CFG_LOG_KEEP_EACH bytes of each and AG_CFG_LOG_KEEP of
// all, on a small image less. About 1 KB of stack.
void ag_lines_choose(const struct ag_store *store, struct ag_lines_kept *kept);

bool ag_lines_are_kept(const struct ag_lines_kept *kept, uint32_t offset);

#endif
