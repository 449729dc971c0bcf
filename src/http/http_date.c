// SPDX-License-Identifier: Apache-2.0
// HTTP dates: a fixed form, read by position.
#include "http/http_date.h"

#include <string.h>

// What every date looks like: `d` a digit, `a` a letter, anything else itself.
static const char form[] = "aaa, dd aaa dddd dd:dd:dd GMT";

static bool fits_form(struct ag_text text)
{
    if (text.size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char got = text.at[i];
        const bool is_digit = got >= '0' && got <= '9';
        const bool is_letter = (got >= 'a' && got <= 'z') || (got >= 'A' && got <= 'Z');
        if (form[i] == 'd' ? !is_digit : form[i] == 'a' ? !is_letter : got != form[i])
            return false;
    }
    return true;
}

static uint32_t number_at(struct ag_text text, size_t at, size_t digits)
{
    uint32_t number = 0;
    for (size_t i = at; i < at + digits; i++)
        number = number * 10 + (uint32_t)(text.at[i] - '0');
    return number;
}

// 1 to 12, or 0.
static uint32_t month_at(struct ag_text text, size_t at)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (uint32_t month = 0; month < 12; month++) {
        if (memcmp(text.at + at, names + 3 * month, 3) == 0)
            return month + 1;
    }
    return 0;
}

static bool is_leap(uint32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint32_t days_in(uint32_t month, uint32_t year)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

// Days from 1970-01-01 to that date; years before 1970 do not occur.
static uint32_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    const uint32_t before = year - 1;
    uint32_t days = 365 * (year - 1970) + (before / 4 - before / 100 + before / 400) -
                    (1969u / 4 - 1969u / 100 + 1969u / 400);
    for (uint32_t i = 1; i < month; i++)
        days += days_in(i, year);
    return days + day - 1;
}

bool ag_http_date_parse(struct ag_text text, int64_t *seconds)
{
    if (!fits_form(text))
        return false;
    const uint32_t day = number_at(text, 5, 2);
    const uint32_t month = month_at(text, 8);
    const uint32_t year = number_at(text, 12, 4);
    const uint32_t hour = number_at(text, 17, 2);
    const uint32_t minute = number_at(text, 20, 2);
    const uint32_t second = number_at(text, 23, 2);
    if (month == 0 || year < 1970 || day == 0 || day > days_in(month, year))
        return false;
    if (hour > 23 || minute > 59 || second > 60) // 60: a leap second
        return false;
    *seconds = (int64_t)days_since_1970(year, month, day) * 86400 +
               (int64_t)(hour * 3600 + minute * 60 + second);
    return true;
}
