// SPDX-License-Identifier: Apache-2.0
// The log on stderr: `2026-01-31T12:00:00.000Z info  host: text`, or the journal's own form where
// stderr is the systemd journal. Colours only on a terminal.
#ifndef AG_LINUX_LOG_H
#define AG_LINUX_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/board.h"

void ag_log_set_level(enum ag_log_level level);
bool ag_log_is_on(enum ag_log_level level);

// A status line that shares the terminal with the log: `hide` is called before a line is written
// and `show` after it. NULL, NULL: none.
void ag_log_set_status_line(void (*hide)(void), void (*show)(void));

// Copies `text` to `out` so that it cannot drive a terminal or fake a second log line: control
// characters, invalid UTF-8 and marks of writing direction become \xNN. Cuts what does not fit in
// `capacity` (at least 16) and ends with NUL. Returns the length.
size_t ag_log_escape(char *out, size_t capacity, const char *text, size_t size);

#endif
