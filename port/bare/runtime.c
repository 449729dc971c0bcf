// SPDX-License-Identifier: Apache-2.0
// The start of C, and the stack's paint.
#include "port/bare/runtime.h"

#include <stddef.h>
#include <string.h>

#include "port/bare/machine.h"

#define PAINT 0xA5C3A5C3u

enum {
    SPARE_WORDS = 32 // below this frame, which the loop that paints may be using
};

extern int main(void);

// By words: the C library's, made for size, takes 5 instructions a byte, and a start clears 130 KB.
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int value,
                                                                           size_t size)
{
    uint8_t *at = to;
    const uint32_t word = (uint8_t)value * 0x01010101u;
    for (; size > 0 && (uintptr_t)at % sizeof word != 0; size--)
        *at++ = (uint8_t)value;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word)
        *(uint32_t *)(void *)at = word;
    for (; size > 0; size--)
        *at++ = (uint8_t)value;
    return to;
}

static void paint_stack(void)
{
    const uint32_t *end = (const uint32_t *)__builtin_frame_address(0) - SPARE_WORDS;
    for (volatile uint32_t *at = ag_stack_bottom; at < end; at++)
        *at = PAINT;
}

size_t ag_machine_stack_size(void)
{
    return (size_t)((const char *)ag_stack_top - (const char *)ag_stack_bottom);
}

size_t ag_machine_stack_peak(void)
{
    const uint32_t *at = ag_stack_bottom;
    while (at < ag_stack_top && *at == PAINT)
        at++;
    return (size_t)((const char *)ag_stack_top - (const char *)at);
}

void ag_runtime_start(void)
{
    paint_stack();
    memcpy(ag_data_start, ag_data_source, (size_t)(ag_data_end - ag_data_start));
    memset(ag_bss_start, 0, (size_t)(ag_bss_end - ag_bss_start));
    (void)main();
    ag_machine_reset();
}
