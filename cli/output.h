// SPDX-License-Identifier: Apache-2.0
// What the command line prints: errors with hints, JSON, colours, progress.
//
// Results go to stdout, everything else to stderr. The program's name in errors is
// program_invocation_name, which main sets to "airgraft NAME".
#ifndef AG_CLI_OUTPUT_H
#define AG_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

// Print `airgraft NAME: MESSAGE` and, unless hint is NULL or empty, `hint: HINT`.
// ag_output_fail returns AG_EXIT_FAILED, ag_output_misuse AG_EXIT_USAGE, for `return …`.
int ag_output_fail(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));
int ag_output_misuse(const char *hint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Prints `airgraft NAME: MESSAGE: text of the status (name, code)` and the status's own hint.
// Returns AG_EXIT_FAILED.
int ag_output_fail_status(enum ag_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// A remark that is no error: `airgraft NAME: note: MESSAGE` on stderr.
void ag_output_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints `value` on stdout, indented, with a newline, and releases it. Members keep the order in
// which they were set. Returns AG_EXIT_OK, or AG_EXIT_FAILED when value is NULL (no memory) or
// stdout cannot be written.
int ag_output_json(json_t *value);

// True when colours may be used on `stream`: it is a terminal, TERM is not dumb, NO_COLOR unset.
bool ag_output_has_colour(FILE *stream);

enum ag_colour {
    AG_COLOUR_NONE = 0,
    AG_COLOUR_GOOD,
    AG_COLOUR_BAD,
    AG_COLOUR_WAITING,
    AG_COLOUR_STRONG,
};

// The escape sequence that begins the colour on `stream`, or "" where colours may not be used.
// AG_COLOUR_NONE ends any of them.
const char *ag_output_colour(FILE *stream, enum ag_colour colour);

// Milliseconds of a clock that never jumps.
uint64_t ag_output_now_ms(void);

// Progress of something that may take longer than a second. Nothing is shown before that, and
// never when stderr is not a terminal. One line, rewritten in place.
struct ag_progress {
    const char *label;   // borrowed
    uint64_t started_ms; // of ag_output_now_ms
    uint64_t shown_ms;   // when the line was drawn last; 0: never
    bool terminal;       // stderr is one
};

void ag_progress_begin(struct ag_progress *progress, const char *label);
// `total` 0 means unknown. Cheap to call often: draws at most ten times a second.
void ag_progress_bytes(struct ag_progress *progress, uint64_t done, uint64_t total);
// Shows the seconds so far and `text` (what is being waited for).
void ag_progress_text(struct ag_progress *progress, const char *text);
// Removes the line, if there is one.
void ag_progress_end(struct ag_progress *progress);

#endif
