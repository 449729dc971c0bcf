// SPDX-License-Identifier: Apache-2.0
// Time, sleep and watchdog: all from the processor's timer, whose one alarm is set to what comes
// first. The board has no watchdog of its own; this one bites as long as interrupts are on.
#include "port/bare/machine.h"
#include "port/virt/hardware.h"

enum {
    WATCHDOG_MS = 10000 // a busy host must not starve the emulator into it
};

static uint64_t started;  // ticks
static uint64_t bites_at; // ticks, of the watchdog; changed with interrupts off

static uint64_t now(void)
{
    uint32_t high, low;
    do {
        high = AG_TIMER_HIGH;
        low = AG_TIMER_LOW;
    } while (high != AG_TIMER_HIGH);
    return (uint64_t)high << 32 | low;
}

static void set_alarm(uint64_t at)
{
    AG_TIMER_CMP_HIGH = UINT32_MAX; // never too early in between
    AG_TIMER_CMP_LOW = (uint32_t)at;
    AG_TIMER_CMP_HIGH = (uint32_t)(at >> 32);
}

void ag_timer_start(void)
{
    started = now();
    ag_machine_feed_watchdog();
}

uint64_t ag_machine_uptime_ms(void)
{
    return (now() - started) / AG_TICKS_PER_MS;
}

void ag_machine_feed_watchdog(void)
{
    AG_CSR_CLEAR("mstatus", AG_MSTATUS_MIE);
    bites_at = now() + (uint64_t)WATCHDOG_MS * AG_TICKS_PER_MS;
    set_alarm(bites_at);
    AG_CSR_SET("mstatus", AG_MSTATUS_MIE);
}

void ag_timer_interrupt(uint32_t pc, uint32_t ra)
{
    if (now() >= bites_at)
        ag_trap_bite(pc, ra);
    set_alarm(bites_at);
}

// Interrupts are held back between looking and sleeping; one that comes then still wakes.
void ag_machine_wait(uint32_t ms)
{
    const uint64_t until = now() + (uint64_t)ms * AG_TICKS_PER_MS;
    if (ms == 0)
        return;
    AG_CSR_CLEAR("mstatus", AG_MSTATUS_MIE);
    if (!ag_uart_has_input() && !ag_virtio_net_has_frames()) {
        set_alarm(until < bites_at ? until : bites_at);
        __asm__ volatile("wfi" ::: "memory");
    }
    AG_CSR_SET("mstatus", AG_MSTATUS_MIE); // what woke is served here
    set_alarm(bites_at);
}
