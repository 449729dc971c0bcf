// SPDX-License-Identifier: Apache-2.0
// A board without hardware: LEDs, switches and a heated room on the terminal (board_setup.h says
// what is where). As on real hardware, a pin must be configured before it is used.
#ifndef AG_LINUX_TERMINAL_BOARD_H
#define AG_LINUX_TERMINAL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/board.h"

#define AG_TERMINAL_BOARD_LEDS     4u
#define AG_TERMINAL_BOARD_SWITCHES 4u
#define AG_TERMINAL_BOARD_HEATER   1u // the LED that is also the heater

// Looks where stdin and stdout go; takes over the terminal's keys when it is in the foreground.
void ag_terminal_board_open(void);
// Gives the terminal back. Harmless when not open.
void ag_terminal_board_close(void);

AG_MUST_CHECK enum ag_status ag_terminal_board_configure(uint32_t pin, enum ag_pin_mode mode);
AG_MUST_CHECK enum ag_status ag_terminal_board_write(uint32_t pin, bool level);
AG_MUST_CHECK enum ag_status ag_terminal_board_read(uint32_t pin, bool *level);
int32_t ag_terminal_board_temperature(void); // thousandths of a degree

// As in board_setup.h.
int ag_terminal_board_key_fd(void);
void ag_terminal_board_read_keys(void);

#endif
