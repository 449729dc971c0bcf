// SPDX-License-Identifier: Apache-2.0
// The clock of a board without an operating system, over a made-up machine: what counts as known.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/aes.h>

#include "port/bare/board.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"
#include "test/harness.h"

#define EARLIEST INT64_C(1767225600)
#define NOW      INT64_C(1800000000)

enum {
    HOUR = 3600,
    DAY = 24 * HOUR,
};

static uint64_t uptime_ms;
static bool has_clock;
static int64_t machine_clock;
static struct ag_machine_retained retained;

uint64_t ag_machine_uptime_ms(void)
{
    return uptime_ms;
}

bool ag_machine_unix_time(int64_t *seconds)
{
    *seconds = machine_clock;
    return has_clock;
}

void ag_machine_entropy(uint8_t *bytes, size_t size)
{
    memset(bytes, 7, size);
}

void ag_machine_console_write(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

const char *ag_board_name(void)
{
    return "test";
}

struct ag_machine_retained *ag_machine_retained(void)
{
    return &retained;
}

const char *ag_machine_fault_text(uint32_t cause)
{
    (void)cause;
    return "fault";
}

// Left out of the firmware's mbedTLS; its linker finds that nobody calls it.
int mbedtls_internal_aes_decrypt(mbedtls_aes_context *context, const unsigned char input[16],
                                 unsigned char output[16])
{
    (void)context;
    (void)input;
    (void)output;
    abort();
}

_Noreturn void ag_machine_reset(void)
{
    abort();
}

// Nothing is known, and a minute has passed.
static void begin(void)
{
    has_clock = false;
    uptime_ms = 60000;
    ag_board_learn_time(0);
}

static void check_time(int64_t seconds, bool is_known)
{
    int64_t got = 0;
    CHECK_EQUAL(ag_board_unix_time(&got), is_known);
    CHECK_EQUAL(got, seconds);
}

static void without_a_clock_the_time_is_a_guess(void)
{
    begin();
    check_time(EARLIEST + 60, false);
}

static void a_learnt_time_is_known_and_goes_on(void)
{
    begin();
    ag_board_learn_time(NOW);
    check_time(NOW, true);
    uptime_ms += 5000;
    check_time(NOW + 5, true);
}

static void a_time_before_the_first_release_is_not_believed(void)
{
    begin();
    ag_board_learn_time(EARLIEST - 1);
    ag_net_on_time(EARLIEST - 1);
    check_time(EARLIEST + 60, false);
}

static void the_word_of_sntp_is_a_guess(void)
{
    begin();
    ag_net_on_time(NOW);
    check_time(NOW, false);
    ag_net_on_time(NOW + 10 * (int64_t)DAY); // and so is the next one
    check_time(NOW + 10 * (int64_t)DAY, false);
}

// Whatever SNTP says, and whenever: a server that is verified has the last word.
static void a_lie_of_sntp_ends_with_the_first_learnt_time(void)
{
    static const int64_t lies[] = { EARLIEST, NOW - DAY, NOW - HOUR - 1, NOW + DAY,
                                    INT64_C(4000000000) };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        begin();
        ag_net_on_time(lies[i]);
        check_time(lies[i], false);
        ag_board_learn_time(NOW);
        ag_net_on_time(lies[i]);
        check_time(NOW, true);
    }
}

static void sntp_corrects_a_learnt_time_by_little(void)
{
    begin();
    ag_board_learn_time(NOW);
    ag_net_on_time(NOW + HOUR);
    check_time(NOW + HOUR, true);
    ag_net_on_time(NOW);
    check_time(NOW, true);
    ag_net_on_time(NOW - HOUR - 1);
    check_time(NOW, true);
}

static void a_doubted_time_is_forgotten(void)
{
    begin();
    ag_board_learn_time(NOW);
    ag_net_on_time(NOW + 1);
    ag_board_learn_time(0);
    check_time(EARLIEST + 60, false);
}

static void a_clock_of_the_machine_goes_before_all(void)
{
    begin();
    ag_board_learn_time(NOW);
    has_clock = true;
    machine_clock = NOW + DAY;
    check_time(NOW + DAY, true);
    ag_net_on_time(NOW + HOUR);
    check_time(NOW + DAY, true);
    machine_clock = EARLIEST - 1; // it was never set
    check_time(NOW + HOUR, true);
}

static void dates_are_those_of_the_calendar(void)
{
    for (int64_t seconds = 0; seconds < INT64_C(8000000000); seconds += 40009) {
        char got[32];
        char want[32];
        struct ag_writer out;
        const time_t at = (time_t)seconds;
        struct tm parts;
        ag_writer_init(&out, got, sizeof got);
        ag_board_write_time(&out, seconds);
        gmtime_r(&at, &parts);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &parts);
        CHECK_TEXT(ag_writer_finish_text(&out), want);
    }
}

static const struct test_case cases[] = {
    TEST(without_a_clock_the_time_is_a_guess),
    TEST(a_learnt_time_is_known_and_goes_on),
    TEST(a_time_before_the_first_release_is_not_believed),
    TEST(the_word_of_sntp_is_a_guess),
    TEST(a_lie_of_sntp_ends_with_the_first_learnt_time),
    TEST(sntp_corrects_a_learnt_time_by_little),
    TEST(a_doubted_time_is_forgotten),
    TEST(a_clock_of_the_machine_goes_before_all),
    TEST(dates_are_those_of_the_calendar),
};

TEST_MAIN(cases)
