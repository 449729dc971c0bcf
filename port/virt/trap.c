// SPDX-License-Identifier: Apache-2.0
// Faults, and the watchdog's last word: written into the words that survive, then a reset. The next
// start tells them, and counts them against the plug-in that was running. Also who interrupts.
//
// The cause that is kept is one bit, by the number in mcause: 0 is a number there.
#include <stdbool.h>
#include <stdint.h>

#include "port/bare/machine.h"
#include "port/bare/runtime.h"
#include "port/virt/hardware.h"

#define CAUSE_STACK_OVERFLOW (1u << 29)
#define CAUSE_WATCHDOG       (1u << 30)
#define STORE_REFUSED        7u
#define TIMER_INTERRUPT      0x80000007u

// Physical memory protection: L (for machine mode, too), naturally aligned, rights.
#define PMP_RX             0x9Du
#define PMP_RW             0x9Bu
#define PMP_AREA(at, size) ((at) >> 2 | ((size) / 8u - 1u))

__attribute__((section(".preserve"))) static struct ag_machine_retained retained;

struct ag_machine_retained *ag_machine_retained(void)
{
    return &retained;
}

void ag_trap_start(void)
{
    AG_CSR_WRITE("pmpaddr0", PMP_AREA(0x80000000u, 0x80000u)); // code
    AG_CSR_WRITE("pmpaddr1", PMP_AREA(0x80080000u, 0x40000u)); // data
    AG_CSR_WRITE("pmpcfg0", PMP_RX | PMP_RW << 8);
    AG_PLIC_THRESHOLD = 0;
    AG_PLIC_ENABLE = 0;
    AG_CSR_WRITE("mie", AG_MIE_TIMER | AG_MIE_DEVICES);
    AG_CSR_SET("mstatus", AG_MSTATUS_MIE);
}

void ag_trap_enable(uint32_t irq)
{
    AG_PLIC_PRIORITY(irq) = 1;
    AG_PLIC_ENABLE |= 1u << irq;
}

static _Noreturn void record(uint32_t cause, uint32_t pc, uint32_t ra, uint32_t address)
{
    retained.fault_cause = cause;
    retained.fault_pc = pc;
    retained.fault_lr = ra;
    retained.fault_address = address;
    retained.fault_running = retained.running;
    retained.fault_is_watchdog = cause == CAUSE_WATCHDOG;
    ag_machine_reset();
}

void ag_trap_bite(uint32_t pc, uint32_t ra)
{
    record(CAUSE_WATCHDOG, pc, ra, 0);
}

// From start.S, on a stack that has room.
_Noreturn void ag_trap_fault(uint32_t ra);
void ag_trap_fault(uint32_t ra)
{
    uint32_t number, pc, address;
    AG_CSR_READ("mcause", number);
    AG_CSR_READ("mepc", pc);
    AG_CSR_READ("mtval", address);
    const bool is_overflow = number == STORE_REFUSED && address < (uintptr_t)ag_stack_bottom &&
                             address >= (uintptr_t)ag_code_end;
    record(1u << (number & 31) | (is_overflow ? CAUSE_STACK_OVERFLOW : 0), pc, ra, address);
}

// From start.S. The compiler saves what the interrupted code uses.
__attribute__((interrupt("machine"))) void ag_trap_interrupt(void);
__attribute__((interrupt("machine"))) void ag_trap_interrupt(void)
{
    uint32_t cause, pc, ra;
    AG_CSR_READ("mcause", cause);
    AG_CSR_READ("mepc", pc);
    AG_CSR_READ("mscratch", ra);
    if (cause == TIMER_INTERRUPT) {
        ag_timer_interrupt(pc, ra);
        return;
    }
    for (uint32_t irq = AG_PLIC_CLAIM; irq; irq = AG_PLIC_CLAIM) {
        if (irq == AG_IRQ_UART)
            ag_uart_interrupt();
        else
            ag_virtio_net_interrupt(irq);
        AG_PLIC_CLAIM = irq;
    }
}

const char *ag_machine_fault_text(uint32_t cause)
{
    // The order is that of telling: what says most first.
    static const struct {
        uint32_t bits;
        const char *text;
    } table[] = {
        { CAUSE_WATCHDOG, "watchdog: the main loop did not come round" },
        { CAUSE_STACK_OVERFLOW, "stack overflow" },
        { 1u << 1, "access fault: instruction fetch" },
        { 1u << 2, "illegal instruction" },
        { 1u << 3, "breakpoint" },
        { 1u << 5, "access fault: load" },
        { 1u << STORE_REFUSED, "access fault: store" },
        { 1u << 0 | 1u << 4 | 1u << 6, "misaligned address" },
    };
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (cause & table[i].bits)
            return table[i].text;
    }
    return "unknown trap";
}
