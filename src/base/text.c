// SPDX-License-Identifier: Apache-2.0
// Borrowed pieces of text.
#include "base/text.h"

#include <string.h>

struct ag_text ag_text_of(const char *text)
{
    const struct ag_text piece = { text, text ? strlen(text) : 0 };
    return piece;
}

bool ag_text_is_same(struct ag_text a, struct ag_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool ag_text_equals(struct ag_text text, const char *other)
{
    return ag_text_is_same(text, ag_text_of(other));
}

bool ag_text_starts_with(struct ag_text text, const char *prefix)
{
    const size_t size = strlen(prefix);
    return text.size >= size && (size == 0 || memcmp(text.at, prefix, size) == 0);
}

struct ag_text ag_text_after(struct ag_text text, size_t size)
{
    struct ag_text rest = { NULL, 0 };
    if (size < text.size) {
        rest.at = text.at + size;
        rest.size = text.size - size;
    }
    return rest;
}

struct ag_text ag_text_split(struct ag_text *rest, char separator)
{
    struct ag_text first = *rest;
    const char *at = first.size > 0 ? memchr(first.at, separator, first.size) : NULL;
    rest->at = NULL;
    rest->size = 0;
    if (!at)
        return first;
    rest->at = at + 1;
    rest->size = first.size - (size_t)(at - first.at) - 1;
    first.size = (size_t)(at - first.at);
    return first;
}

bool ag_text_decimal(struct ag_text text, uint64_t most, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        const uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (sum > (most - digit) / 10 || digit > most)
            return false;
        sum = sum * 10 + digit;
    }
    if (text.size == 0)
        return false;
    *value = sum;
    return true;
}

uint32_t ag_text_hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return (uint32_t)(character - '0');
    if (character >= 'a' && character <= 'f')
        return (uint32_t)(character - 'a') + 10;
    if (character >= 'A' && character <= 'F')
        return (uint32_t)(character - 'A') + 10;
    return 16;
}
