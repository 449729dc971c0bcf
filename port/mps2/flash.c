// SPDX-License-Identifier: Apache-2.0
// The flash: a window into the board's PSRAM, which the emulator maps onto a file. A real board has
// its NOR flash's driver here.
//
// Units are programmed in ascending order, each as four words in ascending order; a block is erased
// word by word likewise. So a power cut leaves a prefix of what was to be done. Outside of these
// two functions a store into the window is a fault, as on a flash it would be without effect.
#include <string.h>

#include "platform/flash.h"
#include "port/bare/machine.h"
#include "port/mps2/hardware.h"

#define WINDOW 0x21000000u

enum {
    WINDOW_SIZE = 0x100000,
    PROVISIONING_SIZE = 0x6000
};

static const struct ag_machine_flash flash = {
    .base = (const uint8_t *)(uintptr_t)WINDOW,
    .size = WINDOW_SIZE,
    .provisioning_size = PROVISIONING_SIZE,
};

const struct ag_machine_flash *ag_machine_flash(void)
{
    return &flash;
}

static volatile uint32_t *word_at(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(WINDOW + offset);
}

enum ag_status ag_machine_flash_program(uint32_t offset, const void *bytes, uint32_t size)
{
    const uint8_t *from = bytes;
    ag_memory_map_open_flash(true);
    for (uint32_t i = 0; i < size; i += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        *word_at(offset + i) = word;
    }
    ag_memory_map_open_flash(false);
    return memcmp(flash.base + offset, bytes, size) == 0 ? AG_OK : AG_ERR_FLASH;
}

enum ag_status ag_machine_flash_erase(uint32_t offset)
{
    ag_memory_map_open_flash(true);
    for (uint32_t i = 0; i < AG_FLASH_BLOCK; i += sizeof(uint32_t))
        *word_at(offset + i) = UINT32_MAX;
    ag_memory_map_open_flash(false);
    return AG_OK;
}
