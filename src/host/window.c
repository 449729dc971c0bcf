// SPDX-License-Identifier: Apache-2.0
// Windows: times of the week in which a new version may be activated.
#include "host/window.h"

#include <string.h>

#include "base/json.h"
#include "base/reader.h"

#define MINUTE_S 60u
#define DAY_MIN  1440u
#define DAY_S    (24u * 3600u)
#define WEEK_S   (7 * DAY_S)
// 1970 began on a Thursday, weeks do here on Mondays.
#define EPOCH_IN_WEEK_S (3 * DAY_S)
#define ALL_DAYS        ((uint8_t)0x7F)
#define OFFSET_MAX      840

enum member {
    MEMBER_NONE,
    MEMBER_FROM,
    MEMBER_TO,
    MEMBER_DAYS,
    MEMBER_OFFSET,
    MEMBER_UNKNOWN,
};

// What was read so far. Ends are in minutes; one that is not given is AG_WINDOW_NEVER.
struct parse {
    struct ag_window window;
    enum member member; // whose value comes next
    bool in_days;
    uint32_t from_min;
    uint32_t to_min;
};

static enum member find_member(struct ag_text key)
{
    static const char *const names[] = {
        "", "From", "To", "Days", "UtcOffsetMinutes", "UnknownClock"
    };
    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++)
        if (ag_text_equals(key, names[i]))
            return (enum member)i;
    return MEMBER_NONE;
}

static bool read_digits(const char *at, uint32_t *number)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *number = (uint32_t)(at[0] - '0') * 10 + (uint32_t)(at[1] - '0');
    return true;
}

// "HH:MM", up to `most` minutes.
static bool read_time(const struct ag_json_event *value, uint32_t most, uint32_t *minutes)
{
    uint32_t hour;
    uint32_t minute;
    if (value->type != AG_JSON_STRING || value->text.size != 5 || value->text.at[2] != ':' ||
        !read_digits(value->text.at, &hour) || !read_digits(value->text.at + 3, &minute) ||
        minute > 59 || hour * 60 + minute > most)
        return false;
    *minutes = hour * 60 + minute;
    return true;
}

static bool read_day(const struct ag_json_event *value, uint8_t *days)
{
    static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    for (unsigned i = 0; i < 7 && value->type == AG_JSON_STRING; i++) {
        if (ag_text_equals(value->text, names[i])) {
            *days = (uint8_t)(*days | 1u << i);
            return true;
        }
    }
    return false;
}

static bool read_offset(const struct ag_json_event *value, int16_t *offset_min)
{
    if (value->type != AG_JSON_NUMBER || !value->is_integer || value->integer < -OFFSET_MAX ||
        value->integer > OFFSET_MAX)
        return false;
    *offset_min = (int16_t)value->integer;
    return true;
}

static bool read_unknown(const struct ag_json_event *value, bool *waits)
{
    *waits = value->type == AG_JSON_STRING && ag_text_equals(value->text, "wait");
    return *waits || (value->type == AG_JSON_STRING && ag_text_equals(value->text, "now"));
}

static bool take_value(struct parse *parse, const struct ag_json_event *value)
{
    if (value->type == AG_JSON_NULL) // as if it were absent
        return true;
    switch (parse->member) {
    case MEMBER_FROM:
        return read_time(value, DAY_MIN - 1, &parse->from_min);
    case MEMBER_TO:
        return read_time(value, DAY_MIN, &parse->to_min);
    case MEMBER_DAYS:
        parse->in_days = value->type == AG_JSON_ARRAY_BEGIN;
        parse->window.days = 0;
        return parse->in_days;
    case MEMBER_OFFSET:
        return read_offset(value, &parse->window.offset_min);
    case MEMBER_UNKNOWN:
        return read_unknown(value, &parse->window.waits_unknown);
    case MEMBER_NONE:
        break;
    }
    return false;
}

// One event of the text. False: malformed.
static bool take_event(struct parse *parse, struct ag_json *json, const struct ag_json_event *event)
{
    if (event->depth == 0)
        return event->type == AG_JSON_OBJECT_BEGIN || event->type == AG_JSON_OBJECT_END;
    if (parse->in_days) {
        parse->in_days = event->type != AG_JSON_ARRAY_END;
        return !parse->in_days || read_day(event, &parse->window.days);
    }
    if (event->type != AG_JSON_KEY)
        return take_value(parse, event);
    parse->member = find_member(event->text);
    if (parse->member == MEMBER_NONE)
        ag_json_skip(json);
    return true;
}

enum ag_status ag_window_parse(struct ag_text text, struct ag_window *window)
{
    struct parse parse = { .window = { .is_set = true, .days = ALL_DAYS },
                           .from_min = AG_WINDOW_NEVER,
                           .to_min = AG_WINDOW_NEVER };
    char token[24];
    struct ag_json json;
    struct ag_reader piece;
    struct ag_json_event event;
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, text.at, text.size);
    while (ag_json_next(&json, &piece, &event) == AG_OK)
        if (!take_event(&parse, &json, &event))
            return AG_ERR_TWIN_WINDOW;
    if (ag_json_finish(&json, &event) != AG_OK || event.type != AG_JSON_NONE ||
        parse.window.days == 0 || parse.from_min == AG_WINDOW_NEVER ||
        parse.to_min == AG_WINDOW_NEVER)
        return AG_ERR_TWIN_WINDOW;
    const uint32_t next_day = parse.to_min > parse.from_min ? 0 : DAY_MIN;
    parse.window.from_min = (uint16_t)parse.from_min;
    parse.window.size_min = (uint16_t)(parse.to_min + next_day - parse.from_min);
    *window = parse.window;
    return AG_OK;
}

uint32_t ag_window_wait_s(const struct ag_window *window, bool clock_is_known, int64_t unix_s)
{
    if (!window->is_set)
        return 0;
    if (!clock_is_known)
        return window->waits_unknown ? AG_WINDOW_NEVER : 0;
    // Everything below is within some weeks, whatever the clock says.
    const int64_t local_s =
        unix_s % WEEK_S + 2 * (int64_t)WEEK_S + window->offset_min * (int64_t)MINUTE_S;
    const uint32_t now_s = (uint32_t)((local_s + EPOCH_IN_WEEK_S) % WEEK_S);
    uint32_t wait_s = WEEK_S;
    for (uint32_t day = 0; day < 7; day++) {
        if (!(window->days & 1u << day))
            continue;
        const uint32_t start_s = day * DAY_S + window->from_min * MINUTE_S;
        const uint32_t since_s = (now_s + WEEK_S - start_s) % WEEK_S;
        if (since_s < window->size_min * MINUTE_S)
            return 0;
        if (WEEK_S - since_s < wait_s)
            wait_s = WEEK_S - since_s;
    }
    return wait_s;
}
