// SPDX-License-Identifier: Apache-2.0
// The board as a whole: start, reset, clock, entropy, and LEDs that only the console shows.
#include "port/bare/machine.h"

#include <string.h>

#include "platform/board.h"
#include "port/bare/panel.h"
#include "port/virt/hardware.h"

enum {
    TEST_PASS = 0x5555,
    TEST_FAIL = 0x3333, // with the exit code above it
    TEST_RESET = 0x7777
};

#define NANOSECONDS 1000000000u

const char *ag_board_name(void)
{
    return "virt";
}

static void say(const char *text)
{
    ag_machine_console_write(text, strlen(text));
}

// What is missing will not come by a reset, and nothing can be done without.
static _Noreturn void stay(const char *text)
{
    say(text);
    for (;;) {
        ag_machine_feed_watchdog();
        ag_machine_wait(1000);
    }
}

void ag_machine_start(void)
{
    ag_timer_start();
    ag_trap_start();
    ag_uart_start();
    ag_panel_start();
    if (!ag_flash_start())
        stay("virt: no flash: start with -device ivshmem-plain\r\n");
}

void ag_machine_reset(void)
{
    AG_TEST = TEST_RESET;
    for (;;)
        continue;
}

bool ag_machine_unix_time(int64_t *seconds)
{
    const uint32_t low = AG_RTC_LOW;
    const uint64_t nanoseconds = (uint64_t)AG_RTC_HIGH << 32 | low;
    *seconds = (int64_t)(nanoseconds / NANOSECONDS);
    return true;
}

void ag_machine_entropy(uint8_t *bytes, size_t size)
{
    if (!ag_virtio_rng_read(bytes, size))
        stay("virt: no source of entropy: start with -device virtio-rng-device and "
             "-global virtio-mmio.force-legacy=false\r\n");
}

void ag_machine_exit(int code)
{
    AG_TEST = code == 0 ? TEST_PASS : (uint32_t)code << 16 | TEST_FAIL;
    ag_machine_reset();
}

void ag_panel_show(uint32_t leds)
{
    (void)leds; // the console's line is all there is
}

uint32_t ag_panel_switches(void)
{
    return 0;
}
