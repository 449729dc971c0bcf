// SPDX-License-Identifier: Apache-2.0
// A board for tests: virtual time, pins that remember, a log that can be searched.
#include "test/unit/host/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/board.h"

struct board board;

// A bit for each text that was ever logged, by its hash.
static uint8_t heard[1u << 17];

static uint32_t hash_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash % (8 * sizeof heard);
}

bool board_heard(const char *text)
{
    const uint32_t hash = hash_of(text, strlen(text));
    return heard[hash / 8] >> hash % 8 & 1;
}

void board_reset(void)
{
    free(board.log);
    memset(&board, 0, sizeof board);
    board.now_ms = 1000;
    board.random = 0x9E3779B97F4A7C15u;
    board.clock_is_known = true;
    board.log = calloc(1, 1);
}

uint32_t board_log_count(const char *text)
{
    uint32_t count = 0;
    for (const char *at = board.log; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

bool board_logged(const char *text)
{
    return board_log_count(text) > 0;
}

void ag_board_restart(void)
{
    board.restarts++;
}

const char *ag_board_name(void)
{
    return "test";
}

uint64_t ag_board_uptime_ms(void)
{
    return board.now_ms;
}

bool ag_board_unix_time(int64_t *seconds)
{
    *seconds = 1893456000 + (int64_t)(board.now_ms / 1000) + board.clock_jump_s;
    return board.clock_is_known;
}

void ag_board_learn_time(int64_t seconds)
{
    board.learnt_s = seconds;
    if (board.learns_clock)
        board.clock_is_known = seconds != 0;
}

void ag_board_random(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        board.random = board.random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(board.random >> 56);
    }
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    if (getenv("AG_TEST_VERBOSE"))
        fprintf(stderr, "# %8lu %d %s: %.*s\n", (unsigned long)board.now_ms, level, source,
                (int)size, text);
    const uint32_t hash = hash_of(text, size);
    heard[hash / 8] |= (uint8_t)(1u << hash % 8);
    size_t line_size = strlen(source) + 2 + size + 1;
    board.log = realloc(board.log, board.log_size + line_size + 1);
    char *to = board.log + board.log_size;
    memcpy(to, source, strlen(source));
    memcpy(to + strlen(source), ": ", 2);
    memcpy(to + strlen(source) + 2, text, size);
    memcpy(to + line_size - 1, "\n", 2);
    board.log_size += line_size;
}

void ag_board_note_running(uint32_t slot_id)
{
    board.running = slot_id;
}

uint32_t ag_board_last_running(void)
{
    return board.running;
}

uint32_t ag_board_pin_count(void)
{
    return BOARD_PINS;
}

enum ag_status ag_board_pin_configure(uint32_t pin, enum ag_pin_mode mode)
{
    if (pin >= BOARD_PINS)
        return AG_ERR_PIN;
    board.modes[pin] = (uint8_t)mode;
    return AG_OK;
}

enum ag_status ag_board_pin_write(uint32_t pin, bool level)
{
    if (pin >= BOARD_PINS || board.modes[pin] != AG_PIN_OUTPUT)
        return AG_ERR_PIN;
    if (board.reset)
        board.reset();
    board.levels[pin] = level;
    board.writes[pin]++;
    return AG_OK;
}

enum ag_status ag_board_pin_read(uint32_t pin, bool *level)
{
    if (pin >= BOARD_PINS)
        return AG_ERR_PIN;
    *level = board.levels[pin];
    return AG_OK;
}

uint32_t ag_board_adc_count(void)
{
    return 0; // so that what needs one is refused
}

enum ag_status ag_board_adc_read(uint32_t channel, int32_t *value)
{
    (void)channel;
    (void)value;
    return AG_ERR_PIN;
}
