// SPDX-License-Identifier: Apache-2.0
// Plays a module by wabt's wasm-interp and brings what it prints into our words.
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/status.h"
#include "player.h"

static const struct {
    const char *text; // how the message begins
    enum ag_status status;
} traps[] = {
    { "out of bounds memory access", AG_TRAP_MEMORY },
    { "out of bounds table access", AG_TRAP_TABLE },
    { "undefined table index", AG_TRAP_TABLE },
    { "uninitialized table element", AG_TRAP_UNINITIALIZED },
    { "indirect call signature mismatch", AG_TRAP_SIGNATURE },
    { "integer divide by zero", AG_TRAP_DIVIDE_BY_ZERO },
    { "integer overflow", AG_TRAP_OVERFLOW },
    { "invalid conversion to integer", AG_TRAP_CONVERSION },
    { "unreachable executed", AG_TRAP_UNREACHABLE },
    { "call stack exhausted", AG_TRAP_STACK },
};

static const char *name_of(const char *message)
{
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        if (strncmp(message, traps[i].text, strlen(traps[i].text)) == 0)
            return ag_status_name(traps[i].status);
    }
    return message;
}

static void add(struct report *report, const char *text)
{
    bytes_put(&report->text, text, (uint32_t)strlen(text));
}

// A line as it is, but for errors and white space at its end. That the start function failed comes
// unbuffered, before the calls of imports that it made: `start_line` keeps it for the end.
static void add_line(struct report *report, char *line, struct bytes *start_line)
{
    static const char start[] = "error initializing module: ";
    static const char error[] = "error: ";
    size_t size = strlen(line);
    while (size > 0 && strchr(" \n", line[size - 1]))
        line[--size] = 0;
    char *found = strstr(line, error);
    if (strncmp(line, start, strlen(start)) == 0) {
        const char *name = name_of(line + strlen(start));
        bytes_put(start_line, "start => ", 9);
        bytes_put(start_line, name, (uint32_t)strlen(name));
        bytes_put(start_line, "\n", 1);
        return;
    }
    if (found) {
        bytes_put(&report->text, line, (uint32_t)(found - line));
        add(report, name_of(found + strlen(error)));
    } else {
        add(report, line);
    }
    add(report, "\n");
}

bool peer_play(const char *path, struct report *report)
{
    char line[4096];
    snprintf(line, sizeof line,
             "timeout 30 wasm-interp --run-all-exports --dummy-import-func '%s' 2>&1", path);
    FILE *output = popen(line, "r");
    if (!output)
        return false;
    struct bytes start_line = { 0 };
    while (fgets(line, sizeof line, output))
        add_line(report, line, &start_line);
    bytes_put(&report->text, start_line.at, start_line.size);
    bytes_clear(&start_line);
    const int status = pclose(output);
    return WIFEXITED(status) && WEXITSTATUS(status) < 2;
}
