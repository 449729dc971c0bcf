// SPDX-License-Identifier: Apache-2.0
// Windows: times of the week in which a new version may be activated. Pure: no clock in here.
//
//     {"From":"22:00","To":"04:30","Days":["Mon","Fri"],"UtcOffsetMinutes":60,"UnknownClock":"wait"}
//
// From and To are minutes of a day, To the first one outside ("24:00" is the end of the day; one
// not later than From is of the next day, so that equal ones make 24 hours). Days are those on
// which it begins; absent: each. They are in UTC plus UtcOffsetMinutes (-840 to 840, default 0): a
// fixed offset, since a device knows no rules of summer time. While nobody knows what time it is,
// the version is activated at once, or with UnknownClock "wait" not. Unknown members are ignored.
#ifndef AG_HOST_WINDOW_H
#define AG_HOST_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

// A wait whose end only a clock that becomes known can bring.
#define AG_WINDOW_NEVER UINT32_MAX

struct ag_window {
    bool is_set;        // false: there is no window, any time will do
    bool waits_unknown; // also while the clock is not known
    uint8_t days;       // bit 0: begins on Mondays, … bit 6: on Sundays
    uint16_t from_min;  // 0 to 1439
    uint16_t size_min;  // 1 to 1440
    int16_t offset_min; // of the local time to UTC
};

// `text` is the JSON of a Window. AG_ERR_TWIN_WINDOW: malformed, with *window untouched.
AG_MUST_CHECK enum ag_status ag_window_parse(struct ag_text text, struct ag_window *window);

// Seconds until the window is open: 0 when it is, AG_WINDOW_NEVER while the clock must become known
// first, otherwise 1 to 604800. `unix_s` may be any value.
uint32_t ag_window_wait_s(const struct ag_window *window, bool clock_is_known, int64_t unix_s);

#endif
