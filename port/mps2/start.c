// SPDX-License-Identifier: Apache-2.0
// What the processor does before main: the vector table, and C's data put in place.
//
// The stack lies at the bottom of RAM, so that what overflows it leaves RAM instead of running into
// data: fault.c has the rest of that story. mps2.ld says where everything is.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "port/bare/machine.h"
#include "port/mps2/hardware.h"

// Of mps2.ld; only their addresses mean something.
extern uint32_t ag_stack_bottom[], ag_stack_top[];
extern char ag_data_start[], ag_data_end[];
extern const char ag_data_source[];
extern char ag_bss_start[], ag_bss_end[];

extern int main(void);

#define PAINT 0xA5C3A5C3u

static void paint_stack(void)
{
    const uint32_t *end = (const uint32_t *)__builtin_frame_address(0);
    for (volatile uint32_t *at = ag_stack_bottom; at < end - 16; at++)
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

void ag_start(void);
void ag_start(void)
{
    paint_stack();
    memcpy(ag_data_start, ag_data_source, (size_t)(ag_data_end - ag_data_start));
    memset(ag_bss_start, 0, (size_t)(ag_bss_end - ag_bss_start));
    ag_fault_start();
    ag_memory_map_start();
    (void)main();
    ag_machine_reset();
}

// Where an interrupt that nobody asked for is a fault, too: its number is in the record.
#define FAULT   ag_fault_enter
#define FAULTS4 FAULT, FAULT, FAULT, FAULT

__attribute__((section(".vectors"), used)) static const struct {
    const void *stack;
    void (*start)(void);
    void (*faults[14])(void); // the watchdog's NMI first
    void (*interrupts[AG_IRQ_COUNT])(void);
} vectors = {
    ag_stack_top,
    ag_start,
    { FAULTS4, FAULTS4, FAULTS4, FAULT, FAULT },
    {
        // AG_IRQ_UART0_RX, 8 AG_IRQ_TIMER0, 13 AG_IRQ_ETHERNET
        ag_uart_interrupt,
        FAULT,
        FAULT,
        FAULT,
        FAULTS4, //
        ag_timer_interrupt,
        FAULT,
        FAULT,
        FAULT, //
        FAULT,
        ag_lan9118_interrupt,
        FAULT,
        FAULT, //
        FAULTS4,
        FAULTS4,
        FAULTS4,
        FAULTS4,
    },
};
_Static_assert(sizeof vectors == 4 * (16 + AG_IRQ_COUNT), "one for each");
