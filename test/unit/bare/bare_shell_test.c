// SPDX-License-Identifier: Apache-2.0
// Shell, log, flash window and the report of a fault, over a made-up machine and host.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/aes.h>

#include "host/host.h"
#include "host/log_ring.h"
#include "port/bare/board.h"
#include "port/bare/flash_window.h"
#include "port/bare/heap.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"
#include "port/bare/shell.h"
#include "test/harness.h"

enum {
    FLASH_SIZE = 8 * AG_FLASH_BLOCK,
    PROVISIONING = 2 * AG_FLASH_BLOCK,
};

// ---- The machine -------------------------------------------------------------------------------

static char console[65536]; // what was written, NUL-terminated
static size_t console_size;
static const char *typed = "";
static size_t typed_left;
static uint64_t uptime_ms;
static struct ag_machine_retained retained;
static uint8_t flash_bytes[FLASH_SIZE];
static uint32_t machine_calls;
static enum ag_status machine_status;

uint64_t ag_machine_uptime_ms(void)
{
    return uptime_ms;
}

bool ag_machine_unix_time(int64_t *seconds)
{
    *seconds = 1800000000;
    return true;
}

void ag_machine_entropy(uint8_t *bytes, size_t size)
{
    memset(bytes, 7, size);
}

void ag_machine_console_write(const char *text, size_t size)
{
    if (size >= sizeof console - console_size)
        abort();
    memcpy(console + console_size, text, size);
    console_size += size;
    console[console_size] = 0;
}

int ag_machine_console_read(void)
{
    if (typed_left == 0)
        return -1;
    typed_left--;
    return (uint8_t)*typed++;
}

void ag_machine_feed_watchdog(void)
{
}

_Noreturn void ag_machine_reset(void)
{
    abort();
}

struct ag_machine_retained *ag_machine_retained(void)
{
    return &retained;
}

const char *ag_machine_fault_text(uint32_t cause)
{
    return cause == 9 ? "usage fault" : "other fault";
}

const struct ag_machine_flash *ag_machine_flash(void)
{
    static const struct ag_machine_flash flash = { flash_bytes, FLASH_SIZE, PROVISIONING };
    return &flash;
}

enum ag_status ag_machine_flash_program(uint32_t offset, const void *bytes, uint32_t size)
{
    machine_calls++;
    if (machine_status == AG_OK)
        memcpy(flash_bytes + offset, bytes, size);
    return machine_status;
}

enum ag_status ag_machine_flash_erase(uint32_t offset)
{
    machine_calls++;
    if (machine_status == AG_OK)
        memset(flash_bytes + offset, 0xFF, AG_FLASH_BLOCK);
    return machine_status;
}

size_t ag_machine_stack_size(void)
{
    return SIZE_MAX;
}

size_t ag_machine_stack_peak(void)
{
    return SIZE_MAX;
}

const char *ag_board_name(void)
{
    return "test";
}

// Left out of the firmware's mbedTLS; its linker finds that nobody calls it.
int mbedtls_internal_aes_decrypt(mbedtls_aes_context *context, const unsigned char input[16],
                                 unsigned char output[16])
{
    (void)context, (void)input, (void)output;
    abort();
}

void ag_net_status(struct ag_net_status *status)
{
    *status = (struct ag_net_status){ .state = AG_NET_UP,
                                      .address = "192.168.100.200",
                                      .gateway = "192.168.100.254",
                                      .dns = "255.255.255.255",
                                      .received = UINT32_MAX,
                                      .sent = UINT32_MAX,
                                      .dropped = UINT32_MAX };
}

size_t ag_heap_used(void)
{
    return 1;
}

size_t ag_heap_peak(void)
{
    return 3;
}

size_t ag_heap_size(void)
{
    return 2;
}

// ---- The host ----------------------------------------------------------------------------------

static int the_host; // only its address is used
static uint32_t plugin_count;
static char asked_log[64]; // whose log was asked for

void ag_host_status(const struct ag_host *host, struct ag_host_status *status)
{
    CHECK(host == (void *)&the_host);
    *status = (struct ag_host_status){ .link = AG_HOST_LINK_WAITING,
                                       .link_error = AG_ERR_DNS,
                                       .desired_version = UINT64_MAX / 2,
                                       .memory_free = UINT32_MAX,
                                       .store_free = UINT32_MAX };
}

enum ag_status ag_host_plugin_at(const struct ag_host *host, uint32_t index,
                                 struct ag_host_plugin_status *status)
{
    CHECK(host == (void *)&the_host);
    if (index >= plugin_count)
        return AG_ERR_NOT_FOUND;
    *status = (struct ag_host_plugin_status){ .version = UINT32_MAX,
                                              .previous = UINT32_MAX,
                                              .error = AG_ERR_RESET_WHILE_RUNNING,
                                              .error_version = UINT32_MAX,
                                              .runs = UINT32_MAX };
    memset(status->name, 'n', AG_CFG_NAME_MAX);
    return AG_OK;
}

const char *ag_transition_state_name(enum ag_transition_state state)
{
    (void)state;
    return "rolled_back";
}

void ag_host_log(const struct ag_host *host, const char *source,
                 void (*visit)(void *context, const struct ag_log_ring_line *line), void *context)
{
    static const char text[] = "hello \x1b[2J\x80\n";
    const struct ag_log_ring_line line = { .sequence = 1,
                                           .time_s = 1800000000,
                                           .level = AG_LOG_WARNING,
                                           .source = { "pl\x1bug", 5 },
                                           .text = { text, sizeof text - 1 } };
    CHECK(host == (void *)&the_host);
    snprintf(asked_log, sizeof asked_log, "%s", source ? source : "(all)");
    visit(context, &line);
}

// ---- Helpers -----------------------------------------------------------------------------------

static void begin(bool has_host)
{
    console_size = 0;
    console[0] = 0;
    plugin_count = 0;
    uptime_ms = 0;
    ag_shell_start(has_host ? (struct ag_host *)&the_host : NULL, "lacks a key");
}

static void type_bytes(const char *bytes, size_t size)
{
    typed = bytes;
    typed_left = size;
    while (typed_left > 0)
        ag_shell_poll();
}

static const char *answer_to(const char *text)
{
    console_size = 0;
    console[0] = 0;
    type_bytes(text, strlen(text));
    return console;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// What must never reach a terminal: anything but printable ASCII, line ends and the backspace.
static bool is_harmless(void)
{
    for (size_t i = 0; i < console_size; i++) {
        const unsigned char byte = (unsigned char)console[i];
        if (byte >= 0x7F || (byte < 0x20 && byte != '\r' && byte != '\n' && byte != '\b'))
            return false;
    }
    return true;
}

// ---- The shell ---------------------------------------------------------------------------------

static void every_command_answers(void)
{
    static const char *const commands[] = { "status", "plugins", "log", "net", "flash", "help" };
    for (int has_host = 0; has_host < 2; has_host++) {
        begin(has_host);
        plugin_count = 2;
        const char *help = answer_to("help\r");
        CHECK(has(help, "reboot"));
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
            char text[32];
            CHECK(has(answer_to("help\n"), commands[i]));
            snprintf(text, sizeof text, "%s\r\n", commands[i]);
            const char *answer = answer_to(text);
            test_note("%s: %s", commands[i], answer);
            CHECK(strlen(answer) > strlen(commands[i]) + 5);
            CHECK(is_harmless());
        }
    }
}

static void a_board_without_a_host_says_why(void)
{
    begin(false);
    CHECK(has(answer_to("status\r"), "lacks a key"));
    CHECK(has(answer_to("log\r"), "lacks a key"));
    CHECK(has(answer_to("plugins\r"), "none"));
}

static void the_largest_values_fit_their_lines(void)
{
    begin(true);
    plugin_count = 1;
    CHECK(has(answer_to("plugins\r"), "(1707) of version 4294967295\r\n"));
    CHECK(has(answer_to("status\r"), "9223372036854775807, updating, not all reported yet\r\n"));
    CHECK(has(answer_to("net\r"), "DNS 255.255.255.255\r\n"));
    CHECK(has(answer_to("status\r"), "2027-01-15T08:00:00Z\r\n"));
}

static void the_log_is_shown_harmless(void)
{
    begin(true);
    const char *answer = answer_to("log\r");
    CHECK(has(answer, "2027-01-15T08:00:00Z W pl\\x1bug: hello \\x1b[2J\\x80\\x0a\r\n"));
    CHECK(is_harmless());
    CHECK_TEXT(asked_log, "(all)");
    answer_to("log blinky\r");
    CHECK_TEXT(asked_log, "blinky");
}

static void a_line_can_be_edited(void)
{
    begin(true);
    CHECK(has(answer_to("xx\b\b\x7fnext\x7f\x7f\x7ft\x7f\x7f"
                        "net\r"),
              "address"));
    CHECK(has(answer_to("rubbish\x03net\r"), "address"));
    CHECK(has(answer_to("rubbish\x15net\r"), "address"));
    CHECK(has(answer_to("\x1b[A\x1b[1;5Cne\x1bOPt\r"), "address"));
    CHECK(!has(answer_to("nett\r"), "address"));
    CHECK(has(answer_to("nett\r"), "no such command"));
    CHECK(!has(answer_to(" \r\n\r\n"), "such"));
}

static void a_line_end_of_two_bytes_is_one(void)
{
    begin(true);
    const char *first = strstr(answer_to("net\r\n"), "address");
    CHECK(first && !strstr(first + 1, "address"));
}

static void any_bytes_do_no_harm(void)
{
    begin(true);
    plugin_count = 1;
    uint32_t state = 1;
    for (int round = 0; round < 2000; round++) {
        char bytes[200];
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 1664525u + 1013904223u;
            bytes[i] = (char)(state >> 24);
        }
        console_size = 0;
        type_bytes(bytes, sizeof bytes);
        CHECK(is_harmless());
    }
    type_bytes("\x03", 1);
    CHECK(has(answer_to("\x03net\r"), "address")); // and it goes on
}

static void a_long_line_is_cut_and_no_command(void)
{
    char text[400];
    begin(true);
    memset(text, 'n', sizeof text);
    type_bytes(text, sizeof text);
    CHECK(has(answer_to("\r"), "no such command"));
    CHECK(has(answer_to("net\r"), "address"));
}

static void a_torrent_is_taken_in_turns(void)
{
    static char torrent[1000];
    begin(true);
    memset(torrent, 'x', sizeof torrent);
    typed = torrent;
    typed_left = sizeof torrent;
    ag_shell_poll();
    CHECK(typed_left > sizeof torrent / 2);
    type_bytes("\x03", 1);
}

static void reboot_asks_for_a_restart(void)
{
    begin(true);
    CHECK(!ag_board_wants_restart());
    CHECK(has(answer_to("reboot\r"), "restarting"));
    CHECK(ag_board_wants_restart());
}

// ---- The log, and the last life ----------------------------------------------------------------

static void a_line_of_the_log_is_stamped_and_harmless(void)
{
    static const char text[] = "a\x1b[31m\r\n\xC3\xA4";
    begin(true);
    uptime_ms = 61007;
    ag_board_log(AG_LOG_WARNING, "pl\nug", text, sizeof text - 1);
    CHECK_TEXT(console, "61.007 warn  pl\\x0aug: a\\x1b[31m\\x0d\\x0a\\xc3\\xa4\r\n");
    console_size = 0;
    console[0] = 0;
    ag_board_log(AG_LOG_DEBUG, "host", "x", 1);
    CHECK_TEXT(console, "");
    answer_to("log debug\r");
    console_size = 0;
    ag_board_log(AG_LOG_DEBUG, "host", "x", 1);
    CHECK_TEXT(console, "61.007 debug host: x\r\n");
    answer_to("log info\r");
}

static void a_line_of_any_length_ends(void)
{
    static char text[2000];
    memset(text, '\n', sizeof text);
    begin(true);
    for (size_t size = 0; size < 400; size++) {
        console_size = 0;
        ag_board_log(AG_LOG_ERROR, "plug-in", text, size);
        CHECK(is_harmless());
        CHECK(console_size < 400);
        CHECK(console[console_size - 1] == '\n' && console[console_size - 2] == '\r');
    }
}

static void words_that_were_lost_with_the_power_are_no_fault(void)
{
    begin(true);
    memset(&retained, 0xA5, sizeof retained);
    ag_board_start();
    CHECK_TEXT(console, "");
    CHECK_EQUAL(retained.magic, AG_MACHINE_RETAINED);
    CHECK_EQUAL(ag_board_last_running(), 0);
    CHECK_EQUAL(ag_board_last_fault()->fault_cause, 0);
}

static void a_fault_is_told_once_with_its_place_and_plug_in(void)
{
    begin(true);
    retained = (struct ag_machine_retained){ .magic = AG_MACHINE_RETAINED,
                                             .running = 77,
                                             .restarts = 3,
                                             .fault_cause = 9,
                                             .fault_pc = 0x1234,
                                             .fault_lr = 0xABCDEF01,
                                             .fault_address = 0x20000000,
                                             .fault_running = 77 };
    ag_board_start();
    CHECK(has(console,
              "error board: the last life ended by a fault: usage fault at 0x00001234, "
              "called from 0xabcdef01, address 0x20000000, in the plug-in of slot 77\r\n"));
    CHECK_EQUAL(ag_board_last_running(), 77); // the host counts it against the plug-in
    CHECK(has(answer_to("status\r"), "last life  usage fault at 0x00001234"));
    ag_board_note_running(0);
    CHECK_EQUAL(ag_board_last_running(), 0);
    console_size = 0;
    console[0] = 0;
    ag_board_start();
    CHECK_TEXT(console, "");
    CHECK(!has(answer_to("status\r"), "last life "));
}

static void a_bite_of_the_watchdog_is_told(void)
{
    begin(true);
    retained = (struct ag_machine_retained){
        .magic = AG_MACHINE_RETAINED, .fault_is_watchdog = 1, .fault_cause = 1, .fault_pc = 0x42
    };
    ag_board_start();
    CHECK(has(console, "other fault at 0x00000042, called from 0x00000000\r\n"));
}

// ---- The flash window --------------------------------------------------------------------------

static struct ag_flash flash;

static void open_flash(void)
{
    memset(flash_bytes, 0xFF, sizeof flash_bytes);
    machine_calls = 0;
    machine_status = AG_OK;
    ag_flash_window_open(&flash);
}

static void the_window_lies_behind_the_provisioning_partition(void)
{
    uint8_t unit[AG_FLASH_UNIT];
    memset(unit, 0x5A, sizeof unit);
    open_flash();
    CHECK_EQUAL(flash.size, FLASH_SIZE - PROVISIONING);
    CHECK(flash.base == flash_bytes + PROVISIONING);
    CHECK_EQUAL(flash.program(flash.context, 0, unit, sizeof unit), AG_OK);
    CHECK_BYTES(flash_bytes + PROVISIONING, unit, sizeof unit);
    CHECK_EQUAL(flash.erase(flash.context, 0), AG_OK);
    CHECK_EQUAL(flash_bytes[PROVISIONING], 0xFF);
    CHECK_EQUAL(flash.sync(flash.context), AG_OK);
}

static void what_breaks_the_rules_never_reaches_the_machine(void)
{
    static uint8_t bytes[2 * AG_FLASH_BLOCK];
    static const struct {
        const char *what;
        uint32_t offset;
        uint32_t size;
    } cases[] = {
        { "nothing", 0, 0 },
        { "half a unit", 0, 8 },
        { "between units", 8, 16 },
        { "over the end of a block", AG_FLASH_BLOCK - 16, 32 },
        { "more than a block", 0, AG_FLASH_BLOCK + 16 },
        { "behind the end", FLASH_SIZE - PROVISIONING, 16 },
        { "far behind the end", 0xFFFFFFF0u, 16 },
        { "wraps round", 16, 0xFFFFFFF0u },
        { "programmed before", 64, 16 },
        { "programmed before at its end", 48, 32 },
    };
    open_flash();
    CHECK_EQUAL(flash.program(flash.context, 64, bytes, 16), AG_OK);
    machine_calls = 0;
    const uint32_t failures = ag_flash_window_counts()->failures;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_note("%s", cases[i].what);
        CHECK_EQUAL(flash.program(flash.context, cases[i].offset, bytes, cases[i].size),
                    AG_ERR_FLASH);
    }
    CHECK_EQUAL(flash.erase(flash.context, 16), AG_ERR_FLASH);
    CHECK_EQUAL(flash.erase(flash.context, flash.size), AG_ERR_FLASH);
    CHECK_EQUAL(flash.erase(flash.context, 0u - AG_FLASH_BLOCK), AG_ERR_FLASH);
    CHECK_EQUAL(machine_calls, 0);
    CHECK_EQUAL(ag_flash_window_counts()->failures - failures, sizeof cases / sizeof cases[0] + 3);
}

static void failures_of_the_machine_are_told_and_counted(void)
{
    static const uint8_t unit[AG_FLASH_UNIT];
    open_flash();
    const struct ag_flash_window_counts before = *ag_flash_window_counts();
    machine_status = AG_ERR_FLASH;
    CHECK_EQUAL(flash.program(flash.context, 0, unit, sizeof unit), AG_ERR_FLASH);
    CHECK_EQUAL(flash.erase(flash.context, 0), AG_ERR_FLASH);
    machine_status = AG_OK;
    CHECK_EQUAL(flash.program(flash.context, 0, unit, sizeof unit), AG_OK);
    const struct ag_flash_window_counts *now = ag_flash_window_counts();
    CHECK_EQUAL(now->failures - before.failures, 2);
    CHECK_EQUAL(now->programs - before.programs, 2);
    CHECK_EQUAL(now->program_bytes - before.program_bytes, 2 * AG_FLASH_UNIT);
    CHECK_EQUAL(now->erases - before.erases, 1);
}

static const struct test_case cases[] = {
    TEST(every_command_answers),
    TEST(a_board_without_a_host_says_why),
    TEST(the_largest_values_fit_their_lines),
    TEST(the_log_is_shown_harmless),
    TEST(a_line_can_be_edited),
    TEST(a_line_end_of_two_bytes_is_one),
    TEST(any_bytes_do_no_harm),
    TEST(a_long_line_is_cut_and_no_command),
    TEST(a_torrent_is_taken_in_turns),
    TEST(reboot_asks_for_a_restart),
    TEST(a_line_of_the_log_is_stamped_and_harmless),
    TEST(a_line_of_any_length_ends),
    TEST(words_that_were_lost_with_the_power_are_no_fault),
    TEST(a_fault_is_told_once_with_its_place_and_plug_in),
    TEST(a_bite_of_the_watchdog_is_told),
    TEST(the_window_lies_behind_the_provisioning_partition),
    TEST(what_breaks_the_rules_never_reaches_the_machine),
    TEST(failures_of_the_machine_are_told_and_counted),
};
TEST_MAIN(cases)
