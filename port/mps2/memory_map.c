// SPDX-License-Identifier: Apache-2.0
// The memory protection unit: a wild pointer becomes a fault instead of a damaged store.
#include "port/mps2/hardware.h"

// RASR (ARMv7-M, B3.5.9): attributes of normal memory, access rights, log2 of the size less one.
#define NORMAL     (2u << 16) // write-through, not shared
#define NOTHING    (0u << 24)
#define READWRITE  (1u << 24)
#define READONLY   (5u << 24) // privileged only, which everything here is
#define NO_CODE    (1u << 28)
#define SIZE(log2) (((log2)-1u) << 1 | 1u)

enum {
    REGION_FLASH_WINDOW = 4,
    USE_NUMBER = 1 << 4, // RBAR brings the region's number with it
    ENABLE = 1,
    BACKGROUND = 4 // elsewhere the map is as without the unit; faults and NMI run without it
};

// Later regions win. Peripherals are in none.
static const struct {
    uint32_t base, attributes;
} regions[] = {
    { 0x00000000u, NORMAL | READONLY | SIZE(22) },            // code, 4 MB
    { 0x00000000u, NORMAL | NOTHING | NO_CODE | SIZE(7) },    // NULL and its members
    { 0x1F000000u, NORMAL | NOTHING | NO_CODE | SIZE(24) },   // below the stack, 16 MB
    { 0x20000000u, NORMAL | READWRITE | NO_CODE | SIZE(22) }, // data, 4 MB
    { 0x21000000u, NORMAL | READONLY | SIZE(24) },            // flash window, 16 MB
};
_Static_assert(sizeof regions / sizeof regions[0] == REGION_FLASH_WINDOW + 1, "the last one");

static void set(uint32_t region, uint32_t attributes)
{
    __asm__ volatile("dsb" ::: "memory");
    AG_MPU_RBAR = regions[region].base | USE_NUMBER | region;
    AG_MPU_RASR = attributes;
    __asm__ volatile("dsb\nisb" ::: "memory");
}

void ag_memory_map_start(void)
{
    for (uint32_t i = 0; i <= REGION_FLASH_WINDOW; i++)
        set(i, regions[i].attributes);
    AG_MPU_CTRL = ENABLE | BACKGROUND;
    __asm__ volatile("dsb\nisb" ::: "memory");
}

void ag_memory_map_open_flash(bool is_open)
{
    const uint32_t attributes = regions[REGION_FLASH_WINDOW].attributes;
    set(REGION_FLASH_WINDOW, is_open ? (attributes & ~READONLY) | READWRITE : attributes);
}
