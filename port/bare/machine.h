// SPDX-License-Identifier: Apache-2.0
// What a board without an operating system provides below port/bare. Beside these functions it
// defines ag_board_name and the pins and analogue inputs of platform/board.h; port/bare has the
// rest. Each board defines them; the linker chooses. docs/porting.md goes through them in the order
// in which a board is brought up.
#ifndef AG_BARE_MACHINE_H
#define AG_BARE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Clocks, console, timer, pins, watchdog. Called first by main; C's data is already in place.
void ag_machine_start(void);

// Milliseconds since the start; does not wrap, does not stop in ag_machine_wait.
uint64_t ag_machine_uptime_ms(void);

// Seconds since 1970 of a clock that runs without the network and is right. False: there is none.
bool ag_machine_unix_time(int64_t *seconds);

// Fills `bytes` from a source of true randomness; seeds the generator of port/bare. Does not return
// without having done so: a board without entropy must not boot.
void ag_machine_entropy(uint8_t *bytes, size_t size);

// Writes to the console; returns when the last byte is in the hands of the hardware.
void ag_machine_console_write(const char *text, size_t size);
// The next byte that was typed, or -1. Does not wait.
int ag_machine_console_read(void);

// Sleeps until an interrupt (network, console, a switch), at most `ms` milliseconds. Returning
// early is always right.
void ag_machine_wait(uint32_t ms);

// Called at least once a second while all is well; without it for some seconds the machine resets.
void ag_machine_feed_watchdog(void);
_Noreturn void ag_machine_reset(void);

// Words that survive a reset of the processor, and may be lost with the power. port/bare checks
// `magic` and clears them where it is not AG_MACHINE_RETAINED; the fault handler of the board fills
// in the fault and resets.
#define AG_MACHINE_RETAINED 0x41475231u
struct ag_machine_retained {
    uint32_t magic;
    uint32_t running;       // slot of the plug-in that runs; ag_board_note_running
    uint32_t restarts;      // in order, since the power came
    uint32_t fault_cause;   // the board's word for it: CFSR, mcause; 0: no fault
    uint32_t fault_pc;      // where it happened
    uint32_t fault_lr;      // who had called
    uint32_t fault_address; // of the access that failed, where the machine knows
    uint32_t fault_running; // `running` then
    uint32_t fault_is_watchdog;
};
struct ag_machine_retained *ag_machine_retained(void);
// The fault's cause in words, e.g. "usage fault: undefined instruction". Static.
const char *ag_machine_fault_text(uint32_t cause);

// The flash: a window of memory that can be read at once, erased to 0xFF by blocks of
// AG_FLASH_BLOCK and programmed by units of AG_FLASH_UNIT, the provisioning partition first, the
// store behind it. Offsets count from `base`.
struct ag_machine_flash {
    const uint8_t *base;
    uint32_t size;              // bytes, of both
    uint32_t provisioning_size; // bytes, a multiple of AG_FLASH_BLOCK
};
const struct ag_machine_flash *ag_machine_flash(void);
// As of platform/flash.h; offsets and sizes have been checked, and that units are erased.
enum ag_status ag_machine_flash_program(uint32_t offset, const void *bytes, uint32_t size);
enum ag_status ag_machine_flash_erase(uint32_t offset);

// The network interface: lwIP's netif->init (sets hwaddr, mtu, linkoutput, flags), and taking in
// what has arrived: calls netif->input for each frame. From the main loop only.
struct netif;
int8_t ag_machine_net_init(struct netif *netif);
void ag_machine_net_poll(struct netif *netif);
// Whether a cable is in.
bool ag_machine_net_has_link(void);

// Bytes of the stack, and how many of them were ever used.
size_t ag_machine_stack_size(void);
size_t ag_machine_stack_peak(void);

// Ends the emulator (its exit code) where there is one; otherwise resets. Only for tests.
_Noreturn void ag_machine_exit(int code);

#endif
