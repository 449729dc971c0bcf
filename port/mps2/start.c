// SPDX-License-Identifier: Apache-2.0
// The vector table: the stack, where the processor starts, and what interrupts it.
#include <stdint.h>

#include "port/bare/runtime.h"
#include "port/mps2/hardware.h"

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
    ag_runtime_start,
    { FAULTS4, FAULTS4, FAULTS4, FAULT, FAULT },
    {
        // 0 AG_IRQ_UART0_RX, 8 AG_IRQ_TIMER0, 13 AG_IRQ_ETHERNET
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
