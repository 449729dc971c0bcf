// SPDX-License-Identifier: Apache-2.0
// Blinks an LED. BLINK_EVERY is its rhythm, in runs; TRAP_IN_RUN, if given, is the run in which it
// fails, to show what a host does then.
#include <airgraft.h>

#ifndef BLINK_EVERY
#define BLINK_EVERY 5
#endif

enum {
    LED = 0
};

static uint32_t runs;

int32_t initialize(void)
{
    return airgraft_gpio_configure(LED, AIRGRAFT_PIN_OUTPUT);
}

void execute(void)
{
    runs++;
#ifdef TRAP_IN_RUN
    if (runs == TRAP_IN_RUN)
        __builtin_trap();
#endif
    airgraft_gpio_write(LED, runs / BLINK_EVERY % 2);
}
