// SPDX-License-Identifier: Apache-2.0
// The store's window of the machine's flash. What breaks the rules of NOR is refused before the
// machine sees it: a driver or a store that broke them would work on one part and fail on the next.
#include "port/bare/flash_window.h"

#include "port/bare/machine.h"

static struct ag_flash_window_counts counts;

static enum ag_status counted(enum ag_status status)
{
    if (status != AG_OK)
        counts.failures++;
    return status;
}

// By words: units are aligned, and a program of a block is looked at whole.
AG_FLASH_READS_BLANK static bool is_blank(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += sizeof(uint32_t)) {
        uint32_t word;
        __builtin_memcpy(&word, bytes + i, sizeof word);
        if (word != UINT32_MAX)
            return false;
    }
    return true;
}

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    const struct ag_flash *flash = context;
    const struct ag_machine_flash *machine = ag_machine_flash();
    const uint32_t left_of_block = AG_FLASH_BLOCK - offset % AG_FLASH_BLOCK;
    if (size == 0 || offset % AG_FLASH_UNIT != 0 || size % AG_FLASH_UNIT != 0 ||
        offset >= flash->size || size > left_of_block || !is_blank(flash->base + offset, size))
        return counted(AG_ERR_FLASH);
    counts.programs++;
    counts.program_bytes += size;
    return counted(ag_machine_flash_program(machine->provisioning_size + offset, bytes, size));
}

static enum ag_status erase(void *context, uint32_t offset)
{
    const struct ag_flash *flash = context;
    const struct ag_machine_flash *machine = ag_machine_flash();
    if (offset % AG_FLASH_BLOCK != 0 || offset >= flash->size)
        return counted(AG_ERR_FLASH);
    counts.erases++;
    return counted(ag_machine_flash_erase(machine->provisioning_size + offset));
}

// What was programmed is there: a chip keeps nothing back.
static enum ag_status sync(void *context)
{
    (void)context;
    return AG_OK;
}

void ag_flash_window_open(struct ag_flash *flash)
{
    const struct ag_machine_flash *machine = ag_machine_flash();
    *flash = (struct ag_flash){
        .context = flash,
        .base = machine->base + machine->provisioning_size,
        .size = machine->size - machine->provisioning_size,
        .program = program,
        .erase = erase,
        .sync = sync,
    };
}

const struct ag_flash_window_counts *ag_flash_window_counts(void)
{
    return &counts;
}
