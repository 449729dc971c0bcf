// SPDX-License-Identifier: Apache-2.0
// The RAM of plug-ins: blocks of any size out of the caller's one, first fit, merged when given
// back. Blocks never move, because instances point into themselves.
#ifndef AG_HOST_RAM_H
#define AG_HOST_RAM_H

#include <stdint.h>

#include "base/config.h"
#include "wasm/wasm.h"

// One block per plug-in, and one for translating.
#define AG_RAM_BLOCK_MAX (AG_CFG_PLUGIN_MAX + 1u)

struct ag_ram_block {
    uint32_t at; // offset
    uint32_t size;
};

struct ag_ram {
    uint8_t *base; // the caller's, aligned to AG_WASM_ALIGN
    uint32_t size;
    uint32_t count;
    struct ag_ram_block blocks[AG_RAM_BLOCK_MAX]; // taken ones, by offset
};

void ag_ram_init(struct ag_ram *ram, void *base, uint32_t size);

// A block of `size` bytes (rounded up to AG_WASM_ALIGN), or NULL.
void *ag_ram_take(struct ag_ram *ram, uint32_t size);

// Gives a block back. NULL is harmless.
void ag_ram_give(struct ag_ram *ram, const void *block);

// All that is free, and the largest piece of it; `without` counts as given back (NULL: none).
uint32_t ag_ram_free(const struct ag_ram *ram);
uint32_t ag_ram_largest(const struct ag_ram *ram, const void *without);

#endif
