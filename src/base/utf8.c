// SPDX-License-Identifier: Apache-2.0
// UTF-8 by a table of its forms.
#include "base/utf8.h"

#include <stdint.h>

static const struct {
    uint8_t first, last; // lead bytes
    uint8_t low, high;   // what the second byte may be
    uint8_t size;
} forms[] = {
    { 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
    { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
    { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

static size_t size_by_form(const uint8_t *at, size_t left, size_t form)
{
    const size_t size = forms[form].size;
    if (size > left)
        return 0;
    if (size > 1 && (at[1] < forms[form].low || at[1] > forms[form].high))
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    return size;
}

size_t ag_utf8_character_size(const char *at, size_t left)
{
    const uint8_t *bytes = (const uint8_t *)at;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (bytes[0] >= forms[i].first && bytes[0] <= forms[i].last)
            return size_by_form(bytes, left, i);
    }
    return 0;
}

bool ag_utf8_is_valid(struct ag_text text)
{
    for (size_t i = 0; i < text.size;) {
        const size_t size = ag_utf8_character_size(text.at + i, text.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}
