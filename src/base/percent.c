// SPDX-License-Identifier: Apache-2.0
// Percent-encoding.
#include "base/percent.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_kept(char character, const char *keep)
{
    if (character >= '0' && character <= '9')
        return true;
    if ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z'))
        return true;
    return character != 0 && strchr(keep, character) != NULL;
}

void ag_percent_encode(struct ag_writer *out, struct ag_text text, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.at[i];
        const char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };
        if (is_kept(text.at[i], keep))
            ag_writer_u8(out, byte);
        else
            ag_writer_bytes(out, escape, sizeof escape);
    }
}

enum ag_status ag_percent_decode(struct ag_writer *out, struct ag_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] != '%') {
            ag_writer_u8(out, (uint8_t)text.at[i]);
            continue;
        }
        if (text.size - i < 3)
            return AG_ERR_MALFORMED;
        const uint32_t high = ag_text_hex_digit(text.at[i + 1]);
        const uint32_t low = ag_text_hex_digit(text.at[i + 2]);
        if (high > 15 || low > 15)
            return AG_ERR_MALFORMED;
        ag_writer_u8(out, (uint8_t)(high << 4 | low));
        i += 2;
    }
    return AG_OK;
}
