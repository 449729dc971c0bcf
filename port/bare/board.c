// SPDX-License-Identifier: Apache-2.0
// platform/board.h over machine.h, as far as boards without an operating system have it in common:
// the clocks, the generator, the log on the console, the words that survive a reset.
//
// The time of day: a clock of the machine that is right goes before all. Otherwise it is an offset
// to the uptime, learnt from a server that was verified, or from SNTP, whose word anybody can
// forge: that corrects a learnt time by little, and without one it is no more than a guess. So the
// first token is right where SNTP is; where it lies, the hub refuses the token, and since the time
// is not known the host asks a server that is verified. Time never removes running code.
#include "port/bare/board.h"

#include <string.h>

#include <mbedtls/ctr_drbg.h>

#include "port/bare/net.h"

// 2026-01-01 UTC, before any release: an earlier clock is certainly wrong.
#define EARLIEST_S INT64_C(1767225600)

// What SNTP may correct of a learnt time: drift.
#define DRIFT_MAX_S 3600

enum {
    LINE_MAX_SIZE = 320, // the longest line of a plug-in that is kept, and what stands before it
};

static mbedtls_ctr_drbg_context generator;
static struct ag_machine_retained last_life;
static enum ag_log_level max_level = AG_LOG_INFO;
static int64_t offset_s; // unix time at uptime 0
static bool has_offset;
static bool is_verified; // by a server whose certificate was
static bool wants_restart;

// ---- Clocks ------------------------------------------------------------------------------------

uint64_t ag_board_uptime_ms(void)
{
    return ag_machine_uptime_ms();
}

static int64_t uptime_s(void)
{
    return (int64_t)(ag_machine_uptime_ms() / 1000);
}

bool ag_board_unix_time(int64_t *seconds)
{
    int64_t machine_s;
    if (ag_machine_unix_time(&machine_s) && machine_s >= EARLIEST_S) {
        *seconds = machine_s;
        return true;
    }
    *seconds = (has_offset ? offset_s : EARLIEST_S) + uptime_s();
    return is_verified;
}

static void set_time(int64_t seconds)
{
    offset_s = seconds - uptime_s();
    has_offset = true;
}

void ag_board_learn_time(int64_t seconds)
{
    if (seconds == 0)
        has_offset = is_verified = false;
    if (seconds < EARLIEST_S)
        return;
    set_time(seconds);
    is_verified = true;
}

void ag_net_on_time(int64_t seconds)
{
    const int64_t difference_s = seconds - (offset_s + uptime_s());
    const bool is_drift = difference_s >= -DRIFT_MAX_S && difference_s <= DRIFT_MAX_S;
    if (seconds >= EARLIEST_S && (!is_verified || is_drift))
        set_time(seconds);
}

// Days since 1970 to a date of the Gregorian calendar, in years that begin in March.
void ag_board_write_time(struct ag_writer *out, int64_t seconds)
{
    const uint32_t of_day = (uint32_t)(seconds % 86400);
    const uint32_t days = (uint32_t)(seconds / 86400) + 719468; // since 0000-03-01
    const uint32_t of_era = days % 146097;
    const uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint32_t month_from_march = (5 * of_year + 2) / 153;
    const uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const uint32_t parts[] = {
        days / 146097 * 400 + year_of_era + (month <= 2),
        month,
        of_year - (153 * month_from_march + 2) / 5 + 1,
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
    };
    static const char after[] = "--T::Z";
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i] < 10)
            ag_writer_u8(out, '0');
        ag_writer_decimal(out, parts[i]);
        ag_writer_u8(out, (uint8_t)after[i]);
    }
}

// ---- Randomness --------------------------------------------------------------------------------

static int read_entropy(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    ag_machine_entropy(bytes, size);
    return 0;
}

void ag_board_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        const size_t piece =
            size < MBEDTLS_CTR_DRBG_MAX_REQUEST ? size : MBEDTLS_CTR_DRBG_MAX_REQUEST;
        if (mbedtls_ctr_drbg_random(&generator, at, piece) != 0)
            ag_machine_reset(); // nothing secure can be done without
        at += piece;
        size -= piece;
    }
}

// ---- The log -----------------------------------------------------------------------------------

static const char *const level_names[] = {
    [AG_LOG_ERROR] = "error",
    [AG_LOG_WARNING] = "warn ",
    [AG_LOG_INFO] = "info ",
    [AG_LOG_DEBUG] = "debug",
};

void ag_board_set_log_level(enum ag_log_level level)
{
    max_level = level;
}

static void write_hex(struct ag_writer *out, uint32_t value, uint32_t digits)
{
    while (digits-- > 0)
        ag_writer_u8(out, (uint8_t) "0123456789abcdef"[value >> 4 * digits & 15]);
}

void ag_board_write_harmless(struct ag_writer *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)text[i];
        const bool is_harmless = byte >= 0x20 && byte < 0x7F;
        if (out->capacity - out->size < (is_harmless ? 1 : 4))
            return;
        if (is_harmless) {
            ag_writer_u8(out, byte);
        } else {
            ag_writer_text(out, "\\x");
            write_hex(out, byte, 2);
        }
    }
}

// Seconds since the start with three places: a board may not know the time of day.
static void write_stamp(struct ag_writer *out)
{
    const uint64_t now_ms = ag_machine_uptime_ms();
    const uint32_t thousandths = (uint32_t)(now_ms % 1000);
    ag_writer_decimal(out, (int64_t)(now_ms / 1000));
    ag_writer_text(out, thousandths < 10 ? ".00" : thousandths < 100 ? ".0" : ".");
    ag_writer_decimal(out, thousandths);
    ag_writer_u8(out, ' ');
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    char line[LINE_MAX_SIZE];
    struct ag_writer out;
    if (level > max_level)
        return;
    ag_writer_init(&out, line, sizeof line - 2);
    write_stamp(&out);
    ag_writer_text(&out, level_names[level]);
    ag_writer_u8(&out, ' ');
    ag_board_write_harmless(&out, source, strlen(source));
    ag_writer_text(&out, ": ");
    ag_board_write_harmless(&out, text, size);
    line[out.size] = '\r';
    line[out.size + 1] = '\n';
    ag_machine_console_write(line, out.size + 2);
}

// ---- The words that survive a reset ------------------------------------------------------------

void ag_board_note_running(uint32_t slot_id)
{
    ag_machine_retained()->running = slot_id;
}

uint32_t ag_board_last_running(void)
{
    return ag_machine_retained()->running;
}

const struct ag_machine_retained *ag_board_last_fault(void)
{
    return &last_life;
}

static void write_address(struct ag_writer *out, const char *before, uint32_t address)
{
    ag_writer_text(out, before);
    ag_writer_text(out, "0x");
    write_hex(out, address, 8);
}

void ag_board_write_fault(struct ag_writer *out, const struct ag_machine_retained *fault)
{
    ag_writer_text(out, ag_machine_fault_text(fault->fault_cause));
    write_address(out, " at ", fault->fault_pc);
    write_address(out, ", called from ", fault->fault_lr);
    if (fault->fault_address)
        write_address(out, ", address ", fault->fault_address);
    if (fault->fault_running) {
        ag_writer_text(out, ", in the plug-in of slot ");
        ag_writer_decimal(out, fault->fault_running);
    }
}

// Whose run it was the host says, which knows what the slot holds.
static void take_last_life(void)
{
    struct ag_machine_retained *words = ag_machine_retained();
    char text[200];
    struct ag_writer out;
    if (words->magic != AG_MACHINE_RETAINED) {
        memset(words, 0, sizeof *words);
        words->magic = AG_MACHINE_RETAINED;
        return;
    }
    last_life = *words;
    words->fault_cause = words->fault_is_watchdog = 0;
    if (last_life.fault_cause == 0 && !last_life.fault_is_watchdog)
        return;
    ag_writer_init(&out, text, sizeof text);
    ag_writer_text(&out, "the last life ended by a fault: ");
    ag_board_write_fault(&out, &last_life);
    ag_board_log(AG_LOG_ERROR, "board", text, out.size);
}

void ag_board_restart(void)
{
    wants_restart = true;
}

bool ag_board_wants_restart(void)
{
    return wants_restart;
}

void ag_board_start(void)
{
    mbedtls_ctr_drbg_init(&generator);
    if (mbedtls_ctr_drbg_seed(&generator, read_entropy, NULL, NULL, 0) != 0)
        ag_machine_reset();
    take_last_life();
}
