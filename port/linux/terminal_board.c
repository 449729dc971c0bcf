// SPDX-License-Identifier: Apache-2.0
// The board on the terminal.
//
// On a terminal the board is one line at the bottom that is drawn again in place; a log line makes
// room for itself by hiding it. Without a terminal nothing is drawn and each change is a line.
#include "port/linux/terminal_board.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "port/linux/log.h"
#include "port/shared/room.h"

enum {
    PIN_COUNT = AG_TERMINAL_BOARD_LEDS + AG_TERMINAL_BOARD_SWITCHES
};

static struct {
    bool is_open;
    bool draws;    // stdout is a terminal
    bool has_keys; // stdin is one, and in the foreground
    bool uses_utf8;
    bool is_configured[PIN_COUNT];
    bool level[PIN_COUNT];
    struct ag_room sensor;
    struct termios before;
} board;

static bool is_led(uint32_t pin)
{
    return pin < AG_TERMINAL_BOARD_LEDS;
}

static void put(const char *text, int size)
{
    // A closed or full stdout must not stop the host.
    const ssize_t ignored = write(STDOUT_FILENO, text, (size_t)size);
    (void)ignored;
}

static void hide(void)
{
    if (isatty(STDERR_FILENO))
        put("\r\x1b[K", 4);
}

static void draw(void)
{
    char line[512];
    const char *on = board.uses_utf8 ? "\xe2\x97\x8f" : "*";
    const char *off = board.uses_utf8 ? "\xe2\x97\x8b" : ".";
    int size = snprintf(line, sizeof line, "\rLEDs");
    for (uint32_t pin = 0; pin < PIN_COUNT; pin++) {
        if (pin == AG_TERMINAL_BOARD_LEDS)
            size += snprintf(line + size, sizeof line - (size_t)size, "   switches");
        if (is_led(pin))
            size += snprintf(line + size, sizeof line - (size_t)size,
                             board.level[pin] ? " \x1b[1;32m%s\x1b[0m" : " \x1b[2m%s\x1b[0m",
                             board.level[pin] ? on : off);
        else
            size +=
                snprintf(line + size, sizeof line - (size_t)size, " %u:%s",
                         (unsigned)(pin - AG_TERMINAL_BOARD_LEDS + 1), board.level[pin] ? on : off);
    }
    const int32_t tenths = ag_terminal_board_temperature() / 100;
    size += snprintf(line + size, sizeof line - (size_t)size, "%s   %d.%d %sC\x1b[K",
                     board.has_keys ? " (keys 1-4)" : "", (int)(tenths / 10), (int)(tenths % 10),
                     board.uses_utf8 ? "\xc2\xb0" : "");
    put(line, size);
}

static void tell_change(uint32_t pin)
{
    char text[64];
    const bool led = is_led(pin);
    const int size = snprintf(text, sizeof text, "board: %s %u %s\n", led ? "led" : "switch",
                              (unsigned)(led ? pin : pin - AG_TERMINAL_BOARD_LEDS + 1),
                              board.level[pin] ? "on" : "off");
    if (board.draws)
        draw();
    else
        put(text, size);
    ag_board_log(AG_LOG_DEBUG, "board", text + 7, (size_t)size - 8); // without "board: " and end
}

static void take_keys(void)
{
    struct termios mode;
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        tcgetattr(STDIN_FILENO, &board.before) != 0)
        return;
    mode = board.before;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 0; // a read never waits
    mode.c_cc[VTIME] = 0;
    board.has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

static bool locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

void ag_terminal_board_open(void)
{
    const char *terminal = getenv("TERM");
    if (board.is_open)
        return;
    memset(&board, 0, sizeof board);
    board.is_open = true;
    board.draws = isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    board.uses_utf8 = locale_is_utf8();
    ag_room_init(&board.sensor, ag_board_uptime_ms());
    take_keys();
    if (!board.draws)
        return;
    ag_log_set_status_line(hide, draw);
    draw();
}

void ag_terminal_board_close(void)
{
    if (!board.is_open)
        return;
    ag_log_set_status_line(NULL, NULL);
    if (board.draws)
        put("\n", 1);
    if (board.has_keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &board.before);
    board.has_keys = false;
    board.is_open = false;
}

enum ag_status ag_terminal_board_configure(uint32_t pin, enum ag_pin_mode mode)
{
    if (pin >= PIN_COUNT || is_led(pin) != (mode == AG_PIN_OUTPUT))
        return AG_ERR_PIN;
    board.is_configured[pin] = true;
    return AG_OK;
}

enum ag_status ag_terminal_board_write(uint32_t pin, bool level)
{
    if (pin >= PIN_COUNT || !is_led(pin) || !board.is_configured[pin])
        return AG_ERR_PIN;
    if (board.level[pin] == level)
        return AG_OK;
    board.level[pin] = level;
    if (pin == AG_TERMINAL_BOARD_HEATER)
        ag_room_set_heater(&board.sensor, level, ag_board_uptime_ms());
    tell_change(pin);
    return AG_OK;
}

enum ag_status ag_terminal_board_read(uint32_t pin, bool *level)
{
    if (pin >= PIN_COUNT || !board.is_configured[pin])
        return AG_ERR_PIN;
    *level = board.level[pin];
    return AG_OK;
}

int32_t ag_terminal_board_temperature(void)
{
    return ag_room_milli_degrees(&board.sensor, ag_board_uptime_ms());
}

int ag_terminal_board_key_fd(void)
{
    return board.has_keys ? STDIN_FILENO : -1;
}

void ag_terminal_board_read_keys(void)
{
    char keys[16];
    ssize_t size;
    while (board.has_keys && (size = read(STDIN_FILENO, keys, sizeof keys)) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            const uint32_t number = (uint32_t)(unsigned char)keys[i] - '1';
            if (number >= AG_TERMINAL_BOARD_SWITCHES)
                continue;
            const uint32_t pin = AG_TERMINAL_BOARD_LEDS + number;
            board.level[pin] = !board.level[pin];
            tell_change(pin);
        }
    }
}
