// SPDX-License-Identifier: Apache-2.0
// Look-up in the table of statuses. Linear: it runs when something is reported, not in a loop.
#include "base/status.h"

#include <stddef.h>

struct status_row {
    uint16_t number;
    const char *name;
    const char *text;
    const char *hint;
};

#define STATUS_ROW(symbol, number, name, text, hint) { number, name, text, hint },
static const struct status_row status_rows[] = { AG_STATUS_TABLE(STATUS_ROW) };
#undef STATUS_ROW

static const struct status_row *find_row(enum ag_status status)
{
    const size_t count = sizeof status_rows / sizeof status_rows[0];
    for (size_t i = 0; i < count; i++) {
        if (status_rows[i].number == (uint32_t)status)
            return &status_rows[i];
    }
    return &status_rows[1];
}

const char *ag_status_name(enum ag_status status)
{
    return find_row(status)->name;
}

const char *ag_status_text(enum ag_status status)
{
    return find_row(status)->text;
}

const char *ag_status_hint(enum ag_status status)
{
    return find_row(status)->hint;
}
