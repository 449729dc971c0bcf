// SPDX-License-Identifier: Apache-2.0
// Uptime and time of day.
//
// A time that the host learnt is kept as an offset to the uptime: the system's clock is not ours to
// set. A synchronised system clock goes before a learnt time, since it is kept right.
#include "port/linux/clock.h"

#include <sys/timex.h>
#include <time.h>

#include "platform/board.h"

// 2026-01-01 UTC, before any release: an earlier system clock is certainly wrong.
#define EARLIEST_S INT64_C(1767225600)

static enum ag_board_clock clock_policy = AG_BOARD_CLOCK_AUTO;
static int64_t learnt_offset_s; // unix time at uptime 0
static bool has_learnt;

void ag_clock_set_policy(enum ag_board_clock policy)
{
    clock_policy = policy;
}

uint64_t ag_board_uptime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool system_clock_is_right(int64_t now)
{
    struct timex state = { .modes = 0 };
    if (now < EARLIEST_S)
        return false;
    switch (clock_policy) {
    case AG_BOARD_CLOCK_TRUST:
        return true;
    case AG_BOARD_CLOCK_UNTRUSTED:
        return false;
    case AG_BOARD_CLOCK_AUTO:
        return adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC);
    }
    return false;
}

bool ag_board_unix_time(int64_t *seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const bool is_right = system_clock_is_right(now.tv_sec);
    if (!is_right && has_learnt) {
        *seconds = learnt_offset_s + (int64_t)(ag_board_uptime_ms() / 1000);
        return true;
    }
    *seconds = now.tv_sec > EARLIEST_S ? now.tv_sec : EARLIEST_S;
    return is_right;
}

void ag_board_learn_time(int64_t seconds)
{
    if (seconds == 0)
        has_learnt = false;
    if (seconds < EARLIEST_S)
        return;
    learnt_offset_s = seconds - (int64_t)(ag_board_uptime_ms() / 1000);
    has_learnt = true;
}
