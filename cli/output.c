// SPDX-License-Identifier: Apache-2.0
// Errors, JSON, colours and progress of the command line.
#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

static const char *const colour_codes[] = {
    [AG_COLOUR_NONE] = "\033[0m",     [AG_COLOUR_GOOD] = "\033[32m",  [AG_COLOUR_BAD] = "\033[31m",
    [AG_COLOUR_WAITING] = "\033[33m", [AG_COLOUR_STRONG] = "\033[1m",
};

bool ag_output_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_colour && no_colour[0])
        return false;
    return term && strcmp(term, "dumb") != 0 && isatty(fileno(stream));
}

const char *ag_output_colour(FILE *stream, enum ag_colour colour)
{
    return ag_output_has_colour(stream) ? colour_codes[colour] : "";
}

static void print_head(void)
{
    fflush(stdout); // what was printed before shall be seen before the error
    fprintf(stderr, "%s%s:%s ", ag_output_colour(stderr, AG_COLOUR_BAD), program_invocation_name,
            ag_output_colour(stderr, AG_COLOUR_NONE));
}

static void print_hint(const char *hint)
{
    if (hint && hint[0])
        fprintf(stderr, "%shint:%s %s\n", ag_output_colour(stderr, AG_COLOUR_WAITING),
                ag_output_colour(stderr, AG_COLOUR_NONE), hint);
}

int ag_output_fail(const char *hint, const char *format, ...)
{
    va_list arguments;
    print_head();
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    print_hint(hint);
    return AG_EXIT_FAILED;
}

int ag_output_misuse(const char *hint, const char *format, ...)
{
    va_list arguments;
    print_head();
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    print_hint(hint);
    return AG_EXIT_USAGE;
}

int ag_output_fail_status(enum ag_status status, const char *format, ...)
{
    va_list arguments;
    print_head();
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s (%s, %d)\n", ag_status_text(status), ag_status_name(status), (int)status);
    print_hint(ag_status_hint(status));
    return AG_EXIT_FAILED;
}

void ag_output_note(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "%s: note: ", program_invocation_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
}

int ag_output_json(json_t *value)
{
    const int printed = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) : -1;
    json_decref(value);
    if (printed != 0 || printf("\n") < 0 || fflush(stdout) != 0)
        return ag_output_fail(NULL, "cannot print the result");
    return AG_EXIT_OK;
}

uint64_t ag_output_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void ag_progress_begin(struct ag_progress *progress, const char *label)
{
    *progress = (struct ag_progress){
        .label = label,
        .started_ms = ag_output_now_ms(),
        .terminal = isatty(STDERR_FILENO),
    };
}

static bool shall_draw(struct ag_progress *progress, uint64_t now_ms)
{
    const uint64_t pause_ms = 100;
    if (!progress->terminal || now_ms - progress->started_ms < 1000)
        return false;
    if (progress->shown_ms != 0 && now_ms - progress->shown_ms < pause_ms)
        return false;
    progress->shown_ms = now_ms;
    return true;
}

void ag_progress_bytes(struct ag_progress *progress, uint64_t done, uint64_t total)
{
    const uint64_t now_ms = ag_output_now_ms();
    if (!shall_draw(progress, now_ms))
        return;
    if (total > 0)
        fprintf(stderr, "\r\033[K%s %3u%% of %llu KB", progress->label,
                (unsigned)(done >= total ? 100 : done * 100 / total),
                (unsigned long long)((total + 1023) / 1024));
    else
        fprintf(stderr, "\r\033[K%s %llu KB", progress->label, (unsigned long long)(done / 1024));
    fflush(stderr);
}

void ag_progress_text(struct ag_progress *progress, const char *text)
{
    const uint64_t now_ms = ag_output_now_ms();
    if (!shall_draw(progress, now_ms))
        return;
    fprintf(stderr, "\r\033[K%s %llu s: %s", progress->label,
            (unsigned long long)((now_ms - progress->started_ms) / 1000), text);
    fflush(stderr);
}

void ag_progress_end(struct ag_progress *progress)
{
    if (progress->shown_ms != 0)
        fprintf(stderr, "\r\033[K");
    progress->shown_ms = 0;
}
