// SPDX-License-Identifier: Apache-2.0
// What a program on Linux sets up before it uses platform/board.h.
//
// Everything has a default, so a program that calls nothing here has the terminal board, the
// log at level info on stderr, and a clock that decides by itself whether it is right.
//
// The terminal board: pins 0..3 are LEDs, pins 4..7 switches, which the keys 1..4 toggle while
// stdin is a terminal. adc 0 is a temperature sensor in thousandths of a degree Celsius beside a
// heater at pin 1: it nears 40 °C while that LED is on, and 18 °C while it is off.
// When stdout is a terminal the board draws itself there in one line, otherwise it prints a line
// "board: led 0 on" for each change.
#ifndef AG_LINUX_BOARD_SETUP_H
#define AG_LINUX_BOARD_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/board.h"

// When the system's clock counts as right.
enum ag_board_clock {
    AG_BOARD_CLOCK_AUTO,      // the kernel says that it is synchronised, or the host learnt it
    AG_BOARD_CLOCK_TRUST,     // always: a battery-backed clock that is looked after
    AG_BOARD_CLOCK_UNTRUSTED, // never, until the host learns the time
};

struct ag_board_setup {
    enum ag_log_level log_level;
    enum ag_board_clock clock;
    const char *gpio_chip; // "gpiochip0", a path or a label; NULL or "": the terminal board
    const char *sensor;    // a file that holds a whole number, for adc 0 (such as
                           // /sys/class/thermal/thermal_zone0/temp); NULL or "": the board's own
};

// Copies nothing: the texts must outlive the board. AG_ERR_PIN, logged with its reason, when the
// GPIO chip cannot be opened; AG_ERR_IO when the sensor cannot be read.
AG_MUST_CHECK enum ag_status ag_board_open(const struct ag_board_setup *setup);
// Releases pins and gives the terminal back as it was. Harmless when not open.
void ag_board_close(void);

void ag_board_set_log_level(enum ag_log_level level);

// Whether somebody asked for a restart: ag_board_restart only notes it.
bool ag_board_wants_restart(void);

// Keys for the switches: the descriptor to watch, -1 when stdin is no terminal that is ours, and
// the function to call when it is readable.
int ag_board_key_fd(void);
void ag_board_read_keys(void);

#endif
