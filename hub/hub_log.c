// SPDX-License-Identifier: Apache-2.0
// The hub's log on standard error.
#include "hub_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static enum ag_hub_log_level highest = AG_HUB_LOG_INFO;

bool ag_hub_log_set_level(const char *name)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            highest = (enum ag_hub_log_level)i;
            return true;
        }
    }
    return false;
}

void ag_hub_log_write(enum ag_hub_log_level level, const char *format, ...)
{
    if (level > highest)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *at = line; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm parts;
    gmtime_r(&now.tv_sec, &parts);
    fprintf(stderr, "%02d:%02d:%02d.%03d %-5s %s\n", parts.tm_hour, parts.tm_min, parts.tm_sec,
            (int)(now.tv_nsec / 1000000), level_names[level], line);
}
