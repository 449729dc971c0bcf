// SPDX-License-Identifier: Apache-2.0
// ag_board_log: one write call a line, so that lines of several processes do not mix.
#include "port/linux/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_SIZE = 1024
};

enum form {
    FORM_UNKNOWN,
    FORM_PLAIN,
    FORM_COLOUR,
    FORM_JOURNAL,
};

static enum ag_log_level max_level = AG_LOG_INFO;
static enum form form = FORM_UNKNOWN;
static void (*hide_status_line)(void);
static void (*show_status_line)(void);

static const struct {
    const char *name;
    const char *colour;
    int priority; // syslog's
} levels[] = {
    [AG_LOG_ERROR] = { "error", "\x1b[1;31m", 3 },
    [AG_LOG_WARNING] = { "warn ", "\x1b[1;33m", 4 },
    [AG_LOG_INFO] = { "info ", "\x1b[32m", 6 },
    [AG_LOG_DEBUG] = { "debug", "\x1b[2m", 7 },
};

void ag_log_set_level(enum ag_log_level level)
{
    max_level = level;
}

bool ag_log_is_on(enum ag_log_level level)
{
    return level <= max_level;
}

void ag_log_set_status_line(void (*hide)(void), void (*show)(void))
{
    hide_status_line = hide;
    show_status_line = show;
}

// Size of the harmless UTF-8 sequence at `text`, 0 when there is none.
static size_t harmless_size(const uint8_t *text, size_t left)
{
    static const struct {
        uint8_t mask, lead, payload;
        uint32_t least;
    } forms[] = {
        { 0x80, 0x00, 0x7f, 0 },
        { 0xe0, 0xc0, 0x1f, 0x80 },
        { 0xf0, 0xe0, 0x0f, 0x800 },
        { 0xf8, 0xf0, 0x07, 0x10000 },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((text[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (left < i + 1)
            return 0;
        uint32_t point = text[0] & forms[i].payload;
        for (size_t j = 1; j <= i; j++) {
            if ((text[j] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (text[j] & 0x3f);
        }
        const bool is_control = point < 0x20 || (point >= 0x7f && point < 0xa0);
        const bool is_surrogate = point >= 0xd800 && point < 0xe000;
        const bool turns_direction = (point >= 0x2028 && point <= 0x202e) ||
                                     (point >= 0x2066 && point <= 0x2069) || point == 0x200e ||
                                     point == 0x200f || point == 0x061c;
        if (point < forms[i].least || point > 0x10ffff || is_control || is_surrogate ||
            turns_direction)
            return 0;
        return i + 1;
    }
    return 0;
}

size_t ag_log_escape(char *out, size_t capacity, const char *text, size_t size)
{
    static const char mark[] = "...";
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        const size_t good = harmless_size((const uint8_t *)text + at, size - at);
        const size_t need = good > 0 ? good : 4;
        if (used + need + sizeof mark > capacity) {
            memcpy(out + used, mark, sizeof mark);
            return used + sizeof mark - 1;
        }
        if (good > 0)
            memcpy(out + used, text + at, good);
        else
            snprintf(out + used, 5, "\\x%02x", (unsigned)(uint8_t)text[at]);
        used += need;
        at += good > 0 ? good : 1;
    }
    out[used] = 0;
    return used;
}

static bool is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat info;
    return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

static enum form choose_form(void)
{
    const char *terminal = getenv("TERM");
    if (is_journal())
        return FORM_JOURNAL;
    if (isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0 && !getenv("NO_COLOR"))
        return FORM_COLOUR;
    return FORM_PLAIN;
}

static int write_head(char *line, size_t capacity, enum ag_log_level level)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];
    if (form == FORM_JOURNAL)
        return snprintf(line, capacity, "<%d>", levels[level].priority);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    if (form == FORM_COLOUR)
        return snprintf(line, capacity, "\x1b[2m%s.%03ldZ\x1b[0m %s%s\x1b[0m ", stamp,
                        now.tv_nsec / 1000000, levels[level].colour, levels[level].name);
    return snprintf(line, capacity, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000,
                    levels[level].name);
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    char line[LINE_MAX_SIZE];
    char safe_source[80];
    if (!ag_log_is_on(level))
        return;
    if (form == FORM_UNKNOWN)
        form = choose_form();
    ag_log_escape(safe_source, sizeof safe_source, source, strlen(source));
    size_t used = (size_t)write_head(line, sizeof line, level);
    used += (size_t)snprintf(line + used, sizeof line - used, "%s: ", safe_source);
    used += ag_log_escape(line + used, sizeof line - 1 - used, text, size);
    line[used++] = '\n';
    if (hide_status_line)
        hide_status_line();
    // Nobody can be told that the log cannot be written.
    const ssize_t ignored = write(STDERR_FILENO, line, used);
    (void)ignored;
    if (show_status_line)
        show_status_line();
}
