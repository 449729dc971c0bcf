// SPDX-License-Identifier: Apache-2.0
// A board for tests: virtual time, pins that remember, a log that can be searched (and is also
// shown with AG_TEST_VERBOSE in the environment).
#ifndef AG_TEST_HOST_BOARD_H
#define AG_TEST_HOST_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define BOARD_PINS 8

struct board {
    uint64_t now_ms;
    uint64_t random; // state of a generator that gives the same numbers every time
    bool clock_is_known;
    bool learns_clock;    // knob: it knows the time only from what it is told
    int64_t learnt_s;     // the last time of day that it was told
    int64_t clock_jump_s; // knob: added to the time of day, which begins at 2030-01-01 (a Tuesday)
    bool levels[BOARD_PINS];
    uint8_t modes[BOARD_PINS]; // enum ag_pin_mode
    uint32_t writes[BOARD_PINS];
    uint32_t restarts;   // asked for
    uint32_t running;    // slot of the plug-in that runs; 0: none
    void (*reset)(void); // knob: called by a write of a pin, in the middle of a run
    char *log;           // all lines since board_reset, "source: text\n"
    unsigned long log_size;
};

extern struct board board;

// Everything as at power-up; the log is empty.
void board_reset(void);
// Whether a line of the log contains the text.
bool board_logged(const char *text);
uint32_t board_log_count(const char *text);
// Whether a line of just this text was ever logged, also before board_reset; one that was not may,
// rarely, be taken for one that was.
bool board_heard(const char *text);

#endif
