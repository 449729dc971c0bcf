// SPDX-License-Identifier: Apache-2.0
// Base64 by arithmetic on the character, without a table.
#include "base/base64.h"

#include <stdint.h>

static char character_of(uint32_t six)
{
    if (six < 26)
        return (char)('A' + six);
    if (six < 52)
        return (char)('a' + six - 26);
    if (six < 62)
        return (char)('0' + six - 52);
    return six == 62 ? '+' : '/';
}

// 0 to 63, or 64 for a character outside the alphabet.
static uint32_t six_of(char character)
{
    if (character >= 'A' && character <= 'Z')
        return (uint32_t)(character - 'A');
    if (character >= 'a' && character <= 'z')
        return (uint32_t)(character - 'a') + 26;
    if (character >= '0' && character <= '9')
        return (uint32_t)(character - '0') + 52;
    if (character == '+')
        return 62;
    return character == '/' ? 63 : 64;
}

void ag_base64_encode(struct ag_writer *out, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        uint32_t group = (uint32_t)at[i] << 16;
        if (left > 1)
            group |= (uint32_t)at[i + 1] << 8;
        if (left > 2)
            group |= at[i + 2];
        char quad[4];
        for (size_t j = 0; j < 4; j++)
            quad[j] = j <= left ? character_of(group >> (18 - 6 * j) & 63) : '=';
        ag_writer_bytes(out, quad, sizeof quad);
    }
}

enum ag_status ag_base64_decode(struct ag_text text, void *bytes, size_t capacity, size_t *size)
{
    uint8_t *out = bytes;
    size_t count = 0;
    size_t digits = text.size;
    while (digits > 0 && text.size - digits < 2 && text.at[digits - 1] == '=')
        digits--;
    // One digit alone in the last group holds no byte; padding fills it up to four.
    if (text.size % 4 != 0 || digits % 4 == 1 || (digits % 4 == 0 && digits != text.size))
        return AG_ERR_MALFORMED;
    uint32_t group = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        const uint32_t six = six_of(text.at[i]);
        if (six > 63)
            return AG_ERR_MALFORMED;
        group = (group << 6 | six) & 0xFFFF;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (count == capacity)
            return AG_ERR_NO_SPACE;
        out[count++] = (uint8_t)(group >> bits);
    }
    if ((group & ((1u << bits) - 1)) != 0)
        return AG_ERR_MALFORMED;
    *size = count;
    return AG_OK;
}
