// SPDX-License-Identifier: Apache-2.0
// Flash as the store needs it: a table of three calls over a memory-mapped window.
//
// NOR rules hold on every port, also where the medium is a file: an erased byte is 0xFF, a unit
// is programmed at most once between two erases, erasing works on whole blocks. Reading is plain
// memory access through `base`, so code runs and files are read in place.
#ifndef AG_PLATFORM_FLASH_H
#define AG_PLATFORM_FLASH_H

#include <stdint.h>

#include "base/status.h"

// Smallest programmable piece of the on-flash format, bytes. Wide enough for parts with ECC over
// 16 bytes; parts with smaller units lose nothing but padding.
#define AG_FLASH_UNIT 16u

// Erase block of the on-flash format, bytes. A port whose flash has smaller blocks erases several.
#define AG_FLASH_BLOCK 4096u

// For the few functions that may look at units which were not programmed since they were erased: to
// see whether they are blank. Reading others there is a mistake, which the simulated flash finds.
#ifdef __SANITIZE_ADDRESS__
#define AG_FLASH_READS_BLANK __attribute__((no_sanitize("address")))
#else
#define AG_FLASH_READS_BLANK
#endif

struct ag_flash {
    void *context;       // handed to the calls; owned by the port
    const uint8_t *base; // first byte of the window; valid until the port closes
    uint32_t size;       // bytes, a multiple of AG_FLASH_BLOCK

    // Programs `size` bytes at `offset`, both multiples of AG_FLASH_UNIT, all within one block.
    // The units must be erased. On AG_ERR_FLASH their content is undefined until erased again.
    // Blocks the caller until the part is done; durable only after `sync`.
    enum ag_status (*program)(void *context, uint32_t offset, const void *bytes, uint32_t size);

    // Erases the block at `offset`, a multiple of AG_FLASH_BLOCK. On AG_ERR_FLASH its content is
    // undefined. Blocks the caller.
    enum ag_status (*erase)(void *context, uint32_t offset);

    // Returns when everything programmed or erased before has reached the medium: fdatasync on
    // a file, nothing to do on a chip. On AG_ERR_FLASH none of it may be relied upon; a later AG_OK
    // stands for that, too, as far as it can still be read.
    enum ag_status (*sync)(void *context);
};

#endif
