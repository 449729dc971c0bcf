// SPDX-License-Identifier: Apache-2.0
// Look-up in the table of statuses. Linear: it runs when something is reported, not in a loop.
#include "base/status.h"

#include <stddef.h>

#include "base/config.h"

// The names lie one after the other, each ended by a NUL: a pointer for each would cost as much as
// a quarter of them.
#define STATUS_NUMBER(symbol, number, name, text, hint) number,
#define STATUS_NAME(symbol, number, name, text, hint)   name "\0"
static const uint16_t status_numbers[] = { AG_STATUS_TABLE(STATUS_NUMBER) };
static const char status_names[] = AG_STATUS_TABLE(STATUS_NAME);
#undef STATUS_NUMBER
#undef STATUS_NAME

// Its place in the table; 1, that of AG_ERR_UNKNOWN, when it is not in there.
static size_t find_row(enum ag_status status)
{
    const size_t count = sizeof status_numbers / sizeof status_numbers[0];
    for (size_t i = 0; i < count; i++) {
        if (status_numbers[i] == (uint32_t)status)
            return i;
    }
    return 1;
}

const char *ag_status_name(enum ag_status status)
{
    const char *name = status_names;
    for (size_t i = find_row(status); i > 0; i--) {
        while (*name++ != 0)
            continue;
    }
    return name;
}

#if AG_CFG_STATUS_TEXTS

struct status_words {
    const char *text;
    const char *hint;
};

#define STATUS_WORDS(symbol, number, name, text, hint) { text, hint },
static const struct status_words status_words[] = { AG_STATUS_TABLE(STATUS_WORDS) };
#undef STATUS_WORDS

const char *ag_status_text(enum ag_status status)
{
    return status_words[find_row(status)].text;
}

const char *ag_status_hint(enum ag_status status)
{
    return status_words[find_row(status)].hint;
}

#else

const char *ag_status_text(enum ag_status status)
{
    return ag_status_name(status);
}

const char *ag_status_hint(enum ag_status status)
{
    (void)status;
    return "";
}

#endif
