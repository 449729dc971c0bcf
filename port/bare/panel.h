// SPDX-License-Identifier: Apache-2.0
// Four LEDs and four switches as pins 0-3 and 4-7, for boards whose console stands for them: each
// change is a line there, "board: led 0 on". Defines the pins and analogue inputs of
// platform/board.h; a board with its own leaves this file out.
//
// As on the terminal board of the Linux port, LED 1 is also a heater, and adc 0 the temperature
// beside it in thousandths of a degree.
#ifndef AG_BARE_PANEL_H
#define AG_BARE_PANEL_H

#include <stdbool.h>
#include <stdint.h>

#define AG_PANEL_LEDS     4u
#define AG_PANEL_SWITCHES 4u
#define AG_PANEL_HEATER   1u // the LED that is also the heater
// The first of the four control characters DC1 to DC4 (Ctrl-Q to Ctrl-T), which toggle a switch
// each, whatever the hardware says of it.
#define AG_PANEL_FIRST_KEY 0x11

void ag_panel_start(void);
// Whether the byte that was typed was one of the keys; it has been obeyed then.
bool ag_panel_take_key(uint8_t byte);

// Of the board: shows LEDs, reads its own switches. Bit n is number n.
void ag_panel_show(uint32_t leds);
uint32_t ag_panel_switches(void);

#endif
