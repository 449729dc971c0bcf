// SPDX-License-Identifier: Apache-2.0
// The board as a whole: start, watchdog, reset, and what the emulator's host lends it.
#include "port/bare/machine.h"

#include <string.h>

#include "platform/board.h"
#include "port/bare/panel.h"
#include "port/mps2/hardware.h"
#include "port/mps2/semihost.h"

enum {
    WATCHDOG_SECONDS = 10, // until the NMI; a busy host must not starve the emulator into it
    WATCHDOG_INTERRUPT = 1,
    WATCHDOG_RESET = 2,
    LEDS_FPGAIO = 2 // the first two LEDs and switches are there, the others at the SCC
};

#define WATCHDOG_KEY 0x1ACCE551u
#define RESET_KEY    0x05FA0004u

const char *ag_board_name(void)
{
    return "mps2";
}

static void say(const char *text)
{
    ag_machine_console_write(text, strlen(text));
}

void ag_machine_start(void)
{
    ag_fault_start();
    ag_memory_map_start();
    ag_uart_start();
    ag_timer_start();
    AG_WATCHDOG_LOCK = WATCHDOG_KEY;
    AG_WATCHDOG_LOAD = WATCHDOG_SECONDS * AG_MPS2_CLOCK_HZ;
    AG_WATCHDOG_CTRL = WATCHDOG_INTERRUPT | WATCHDOG_RESET;
    AG_WATCHDOG_LOCK = 0;
    ag_panel_start();
    if (ag_semihost_is_there())
        say("mps2: entropy and wall clock come from the emulator's host (semihosting)\r\n");
}

void ag_machine_feed_watchdog(void)
{
    AG_WATCHDOG_LOCK = WATCHDOG_KEY;
    AG_WATCHDOG_CLEAR = 1;
    AG_WATCHDOG_LOCK = 0;
}

void ag_machine_reset(void)
{
    __asm__ volatile("dsb" ::: "memory");
    AG_SCB_AIRCR = RESET_KEY;
    __asm__ volatile("dsb" ::: "memory");
    for (;;)
        continue;
}

bool ag_machine_unix_time(int64_t *seconds)
{
    const uint32_t now = ag_semihost_time();
    if (now == 0)
        return false;
    *seconds = now;
    return true;
}

void ag_machine_entropy(uint8_t *bytes, size_t size)
{
    if (ag_semihost_random(bytes, size))
        return;
    say("mps2: no source of entropy: the board has none, and semihosting is off\r\n");
    for (;;) { // nothing secure can be done; a reset would not help
        ag_machine_feed_watchdog();
        ag_machine_wait(1000);
    }
}

void ag_machine_exit(int code)
{
    ag_semihost_exit(code);
    ag_machine_reset();
}

void ag_panel_show(uint32_t leds)
{
    AG_FPGAIO_LED = leds & ((1u << LEDS_FPGAIO) - 1);
    AG_SCC_LED = leds >> LEDS_FPGAIO;
}

uint32_t ag_panel_switches(void)
{
    return (AG_FPGAIO_BUTTON & ((1u << LEDS_FPGAIO) - 1)) | AG_SCC_SWITCH << LEDS_FPGAIO;
}
