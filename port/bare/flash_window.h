// SPDX-License-Identifier: Apache-2.0
// platform/flash.h over the machine's flash behind the provisioning partition, with the rules of
// NOR enforced: aligned, within a block, and only on erased units.
#ifndef AG_BARE_FLASH_WINDOW_H
#define AG_BARE_FLASH_WINDOW_H

#include "platform/flash.h"

// Counts since the start, for the shell.
struct ag_flash_window_counts {
    uint32_t programs;
    uint32_t program_bytes;
    uint32_t erases;
    uint32_t failures;
};

// Fills in *flash, which must stay where it is.
void ag_flash_window_open(struct ag_flash *flash);
const struct ag_flash_window_counts *ag_flash_window_counts(void);

#endif
