// SPDX-License-Identifier: Apache-2.0
// The flash: a window of memory that the emulator maps onto a file and that comes as a PCI device,
// since all of the board's own memory is one piece:
//
//   -object memory-backend-file,id=flash,size=16M,mem-path=flash.bin,share=on
//   -device ivshmem-plain,memdev=flash
//
// Units are programmed in ascending order, each as four words in ascending order; a block is erased
// word by word likewise. So a power cut leaves a prefix of what was to be done.
#include <string.h>

#include "platform/flash.h"
#include "port/bare/machine.h"
#include "port/virt/hardware.h"

#define WINDOW 0x41000000u

// The configuration of PCI devices on bus 0, and what is used of it.
#define PCI(device, offset) AG_REG(0x30000000u + ((device) << 15) + (offset))
#define PCI_IVSHMEM         0x11101AF4u

enum {
    PCI_DEVICES = 32,
    PCI_ID = 0x00,
    PCI_COMMAND = 0x04,
    PCI_BAR2 = 0x18, // 64 bits
    PCI_USES_MEMORY = 2,
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

bool ag_flash_start(void)
{
    for (uint32_t device = 0; device < PCI_DEVICES; device++) {
        if (PCI(device, PCI_ID) != PCI_IVSHMEM)
            continue;
        PCI(device, PCI_BAR2) = WINDOW;
        PCI(device, PCI_BAR2 + 4) = 0;
        PCI(device, PCI_COMMAND) = PCI_USES_MEMORY;
        return true;
    }
    return false;
}

static volatile uint32_t *word_at(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(WINDOW + offset);
}

enum ag_status ag_machine_flash_program(uint32_t offset, const void *bytes, uint32_t size)
{
    const uint8_t *from = bytes;
    for (uint32_t i = 0; i < size; i += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        *word_at(offset + i) = word;
    }
    return memcmp(flash.base + offset, bytes, size) == 0 ? AG_OK : AG_ERR_FLASH;
}

enum ag_status ag_machine_flash_erase(uint32_t offset)
{
    for (uint32_t i = 0; i < AG_FLASH_BLOCK; i += sizeof(uint32_t))
        *word_at(offset + i) = UINT32_MAX;
    return AG_OK;
}
