// SPDX-License-Identifier: Apache-2.0
// Time and sleep: the FPGA's counter in milliseconds, and timer 0 to wake up by.
#include "port/bare/machine.h"
#include "port/mps2/hardware.h"

enum {
    TIMER_ENABLE = 1,
    TIMER_INTERRUPT = 8,
    WAIT_MAX_MS = 60000 // the timer's 32 bits last 171 s
};

#define TICKS_PER_MS (AG_MPS2_CLOCK_HZ / 1000u)

static uint32_t started; // of the counter
static uint32_t last;    // reading, since then
static uint32_t wraps;   // of the counter: once in 49 days, and it is read far more often

void ag_timer_start(void)
{
    AG_FPGAIO_PRESCALE = TICKS_PER_MS - 1u;
    started = AG_FPGAIO_COUNTER;
    AG_NVIC_ENABLE = 1u << AG_IRQ_TIMER0;
}

uint64_t ag_machine_uptime_ms(void)
{
    const uint32_t now = AG_FPGAIO_COUNTER - started;
    if (now < last)
        wraps++;
    last = now;
    return (uint64_t)wraps << 32 | now;
}

void ag_timer_interrupt(void)
{
    AG_TIMER0_CTRL = 0;
    AG_TIMER0_CLEAR = 1;
}

// Interrupts are held back between looking and sleeping; one that comes then still wakes.
void ag_machine_wait(uint32_t ms)
{
    if (ms == 0)
        return;
    const uint32_t ticks = (ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS) * TICKS_PER_MS;
    AG_TIMER0_RELOAD = ticks;
    AG_TIMER0_VALUE = ticks;
    AG_TIMER0_CTRL = TIMER_ENABLE | TIMER_INTERRUPT;
    __asm__ volatile("cpsid i" ::: "memory");
    if (!ag_uart_has_input() && !ag_lan9118_has_frames())
        __asm__ volatile("dsb\nwfi" ::: "memory");
    __asm__ volatile("cpsie i\nisb" ::: "memory");
    ag_timer_interrupt();
}
