// SPDX-License-Identifier: Apache-2.0
// Tests of the board on Linux: pins, sensor, clock, log.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "platform/board.h"
#include "port/linux/board_setup.h"
#include "port/linux/clock.h"
#include "port/linux/log.h"
#include "port/linux/running.h"
#include "port/shared/room.h"
#include "test/harness.h"

static const struct ag_board_setup quiet = { .log_level = AG_LOG_ERROR };

// Sends a standard stream to a file until the restore.
struct capture {
    int stream;
    int saved;
    int fd;
};

static struct capture capture_begin(int stream)
{
    char path[] = "/tmp/board_test.XXXXXX";
    fflush(stdout);
    struct capture capture = { .stream = stream, .saved = dup(stream), .fd = mkstemp(path) };
    unlink(path);
    dup2(capture.fd, stream);
    return capture;
}

static const char *capture_end(struct capture *capture)
{
    static char text[8192];
    dup2(capture->saved, capture->stream);
    close(capture->saved);
    const ssize_t size = pread(capture->fd, text, sizeof text - 1, 0);
    close(capture->fd);
    text[size > 0 ? size : 0] = 0;
    return text;
}

static void a_led_prints_a_line_for_each_change(void)
{
    bool level;
    CHECK_EQUAL(ag_board_open(&quiet), AG_OK);
    struct capture capture = capture_begin(STDOUT_FILENO);
    const enum ag_status configured = ag_board_pin_configure(0, AG_PIN_OUTPUT);
    const enum ag_status written = ag_board_pin_write(0, true);
    (void)ag_board_pin_write(0, true);
    const enum ag_status got = ag_board_pin_read(0, &level);
    (void)ag_board_pin_write(0, false);
    (void)ag_board_pin_configure(3, AG_PIN_OUTPUT);
    (void)ag_board_pin_write(3, true);
    const char *text = capture_end(&capture);
    CHECK_TEXT(text, "board: led 0 on\nboard: led 0 off\nboard: led 3 on\n");
    CHECK_EQUAL(configured, AG_OK);
    CHECK_EQUAL(written, AG_OK);
    CHECK_EQUAL(got, AG_OK);
    CHECK(level);
    ag_board_close();
}

// What a program on a terminal does: in a child, with the terminal as its own.
static int act_on_terminal(const char *name)
{
    struct termios before, during, after;
    bool level = false;
    setsid();
    const int fd = open(name, O_RDWR); // becomes the controlling terminal
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0)
        return 1;
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    tcgetattr(STDIN_FILENO, &before);
    if (ag_board_open(&quiet) != AG_OK || ag_board_key_fd() != STDIN_FILENO)
        return 2;
    tcgetattr(STDIN_FILENO, &during);
    if (during.c_lflag & (ICANON | ECHO))
        return 3;
    if (ag_board_pin_configure(5, AG_PIN_INPUT) != AG_OK ||
        ag_board_pin_configure(0, AG_PIN_OUTPUT) != AG_OK)
        return 4;
    for (int i = 0; i < 600 && !level; i++) {
        struct pollfd poller = { .fd = ag_board_key_fd(), .events = POLLIN };
        poll(&poller, 1, 100);
        ag_board_read_keys();
        if (ag_board_pin_read(5, &level) != AG_OK)
            return 5;
    }
    if (!level || ag_board_pin_write(0, true) != AG_OK)
        return 6;
    ag_board_log(AG_LOG_ERROR, "test", "a line", 6);
    ag_board_close();
    tcgetattr(STDIN_FILENO, &after);
    return before.c_lflag == after.c_lflag ? 0 : 7;
}

static void on_a_terminal_keys_toggle_switches_and_the_board_is_one_line(void)
{
    char text[8192];
    size_t size = 0;
    int status;
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
        test_skip("no pseudo-terminals here");
    const char *name = ptsname(terminal);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(act_on_terminal(name));
    CHECK(write(terminal, "x2z", 3) == 3);
    for (ssize_t got; (got = read(terminal, text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)got;
    text[size] = 0;
    CHECK(waitpid(child, &status, 0) == child);
    close(terminal);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
    CHECK(strstr(text, "LEDs") != NULL);
    CHECK(strstr(text, "1:\xe2\x97\x8b 2:\xe2\x97\x8f 3:\xe2\x97\x8b") != NULL);
    CHECK(strstr(text, "LEDs \x1b[1;32m\xe2\x97\x8f") != NULL);
    CHECK(strstr(text, "\r\x1b[K\x1b[2m") != NULL); // the log made room for itself
    CHECK(strstr(text, "board: led") == NULL);
}

static void pins_are_what_they_are(void)
{
    bool level = true;
    CHECK_EQUAL(ag_board_open(&quiet), AG_OK);
    CHECK_EQUAL(ag_board_pin_count(), 8);
    CHECK_EQUAL(ag_board_pin_write(0, true), AG_ERR_PIN); // not configured
    CHECK_EQUAL(ag_board_pin_read(4, &level), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_configure(0, AG_PIN_INPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_configure(4, AG_PIN_OUTPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_configure(8, AG_PIN_INPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_configure(UINT32_MAX, AG_PIN_OUTPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_configure(4, AG_PIN_INPUT_PULL_UP), AG_OK);
    CHECK_EQUAL(ag_board_pin_read(4, &level), AG_OK);
    CHECK(!level);
    CHECK_EQUAL(ag_board_pin_write(4, true), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_write(UINT32_MAX, true), AG_ERR_PIN);
    CHECK_EQUAL(ag_board_pin_read(UINT32_MAX, &level), AG_ERR_PIN);
    ag_board_close();
}

static void a_missing_gpio_chip_is_an_error_that_names_it(void)
{
    const struct ag_board_setup setup = { .gpio_chip = "gpiochip-none" };
    struct capture capture = capture_begin(STDERR_FILENO);
    const enum ag_status status = ag_board_open(&setup);
    const char *text = capture_end(&capture);
    CHECK_EQUAL(status, AG_ERR_PIN);
    CHECK(strstr(text, "gpiochip-none") != NULL);
    ag_board_close();
}

static void the_temperature_follows_the_heater(void)
{
    struct ag_room sensor;
    ag_room_init(&sensor, 1000);
    CHECK_EQUAL(ag_room_milli_degrees(&sensor, 1000), 20000);
    const int32_t cooled = ag_room_milli_degrees(&sensor, 11000);
    CHECK(cooled < 20000 && cooled > 18000);
    ag_room_set_heater(&sensor, true, 11000);
    const int32_t warmed = ag_room_milli_degrees(&sensor, 41000); // one time constant
    CHECK(warmed > 30000 && warmed < 34000);
    const int32_t warmest = ag_room_milli_degrees(&sensor, 41000 + 86400000);
    CHECK_EQUAL(warmest, 40000);
    ag_room_set_heater(&sensor, false, 41000 + 86400000);
    CHECK(ag_room_milli_degrees(&sensor, 41000 + 86430000) < 30000);
}

static void the_temperature_does_not_depend_on_how_often_it_is_read(void)
{
    struct ag_room often, once;
    ag_room_init(&often, 0);
    ag_room_init(&once, 0);
    ag_room_set_heater(&often, true, 0);
    ag_room_set_heater(&once, true, 0);
    for (uint64_t now = 0; now < 20000; now += 33)
        (void)ag_room_milli_degrees(&often, now);
    CHECK_EQUAL(ag_room_milli_degrees(&often, 20000), ag_room_milli_degrees(&once, 20000));
}

static void the_board_has_one_analogue_input(void)
{
    int32_t value = 0;
    CHECK_EQUAL(ag_board_open(&quiet), AG_OK);
    CHECK_EQUAL(ag_board_adc_count(), 1);
    CHECK_EQUAL(ag_board_adc_read(0, &value), AG_OK);
    CHECK(value > 17000 && value < 41000);
    CHECK_EQUAL(ag_board_adc_read(1, &value), AG_ERR_PIN);
    ag_board_close();
}

static void a_sensor_file_is_read_and_a_bad_one_refused(void)
{
    static const struct {
        const char *text;
        enum ag_status status;
        int32_t value;
    } files[] = {
        { "43125\n", AG_OK, 43125 },    { "-5", AG_OK, -5 },
        { "", AG_ERR_IO, 0 },           { "warm\n", AG_ERR_IO, 0 },
        { "3000000000", AG_ERR_IO, 0 }, { "99999999999999999999999", AG_ERR_IO, 0 },
    };
    char path[] = "/tmp/board_test.XXXXXX";
    const int fd = mkstemp(path);
    CHECK(fd >= 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const struct ag_board_setup setup = { .sensor = path };
        int32_t value;
        test_note("\"%s\"", files[i].text);
        CHECK(ftruncate(fd, 0) == 0);
        CHECK(pwrite(fd, files[i].text, strlen(files[i].text), 0) >= 0);
        struct capture capture = capture_begin(STDERR_FILENO);
        const enum ag_status status = ag_board_open(&setup);
        (void)capture_end(&capture);
        CHECK_EQUAL(status, files[i].status);
        if (status == AG_OK) {
            CHECK_EQUAL(ag_board_adc_read(0, &value), AG_OK);
            CHECK_EQUAL(value, files[i].value);
        }
        ag_board_close();
    }
    close(fd);
    unlink(path);
    CHECK_EQUAL(ag_board_open(&(struct ag_board_setup){ .sensor = path }), AG_ERR_IO);
    ag_board_close();
}

static void hostile_text_is_escaped(void)
{
    static const struct {
        const char *text;
        const char *want;
    } texts[] = {
        { "plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
          "plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "a\nb\r\tc", "a\\x0ab\\x0d\\x09c" },
        { "\x1b[2J\x7f", "\\x1b[2J\\x7f" },
        { "\xc2\x9b"
          "31m",
          "\\xc2\\x9b31m" }, // CSI as one character
        { "\xe2\x80\xae"
          "evil",
          "\\xe2\\x80\\xae"
          "evil" },
        { "\xff\xc3", "\\xff\\xc3" },
        { "\xc0\x8a", "\\xc0\\x8a" },          // a line end in too many bytes
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" }, // half of a pair
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
    };
    char out[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("text %zu", i);
        ag_log_escape(out, sizeof out, texts[i].text, strlen(texts[i].text));
        CHECK_TEXT(out, texts[i].want);
    }
    CHECK_EQUAL(ag_log_escape(out, sizeof out, "a\0b", 3), 6);
    CHECK_TEXT(out, "a\\x00b");
}

static void long_text_is_cut_at_every_capacity(void)
{
    char text[300];
    char out[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t capacity = 16; capacity < 200; capacity++) {
        memset(out, 0x55, sizeof out);
        const size_t size = ag_log_escape(out, capacity, text, sizeof text);
        CHECK(size < capacity);
        CHECK_EQUAL(strlen(out), size);
        CHECK_EQUAL(out[capacity], 0x55);
        CHECK_TEXT(out + size - 3, "...");
    }
}

static void a_log_line_is_one_line_and_its_level_counts(void)
{
    static const char text[] = "two\nlines";
    char large[3000];
    memset(large, 'x', sizeof large);
    ag_log_set_level(AG_LOG_WARNING);
    struct capture capture = capture_begin(STDERR_FILENO);
    ag_board_log(AG_LOG_INFO, "host", "not shown", 9);
    ag_board_log(AG_LOG_WARNING, "na\nme", text, sizeof text - 1);
    ag_board_log(AG_LOG_ERROR, "host", large, sizeof large);
    const char *got = capture_end(&capture);
    CHECK(strstr(got, "not shown") == NULL);
    CHECK(strstr(got, "na\\x0ame: two\\x0alines\n") != NULL);
    int lines = 0;
    for (const char *at = got; (at = strchr(at, '\n')); at++)
        lines++;
    CHECK_EQUAL(lines, 2);
    ag_log_set_level(AG_LOG_INFO);
}

static void the_clock_is_known_as_the_policy_says(void)
{
    int64_t seconds;
    ag_clock_set_policy(AG_BOARD_CLOCK_TRUST);
    CHECK(ag_board_unix_time(&seconds));
    CHECK(seconds > 1767225600);
    ag_clock_set_policy(AG_BOARD_CLOCK_UNTRUSTED);
    CHECK(!ag_board_unix_time(&seconds));
    ag_board_learn_time(2000000000);
    CHECK(ag_board_unix_time(&seconds));
    CHECK(seconds >= 1999999999 && seconds < 2000000600);
    ag_clock_set_policy(AG_BOARD_CLOCK_TRUST); // the system's goes first
    CHECK(ag_board_unix_time(&seconds));
    CHECK(seconds < 1999999999);
    ag_clock_set_policy(AG_BOARD_CLOCK_UNTRUSTED);
    ag_board_learn_time(0); // in doubt: forgotten
    CHECK(!ag_board_unix_time(&seconds));
    CHECK(seconds > 1767225600 && seconds < 1999999999);
}

static void the_uptime_never_goes_back_and_random_bytes_differ(void)
{
    uint8_t a[32], b[32];
    uint64_t before = ag_board_uptime_ms();
    for (int i = 0; i < 1000; i++) {
        const uint64_t now = ag_board_uptime_ms();
        CHECK(now >= before);
        before = now;
    }
    ag_board_random(a, sizeof a);
    ag_board_random(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_TEXT(ag_board_name(), "linux");
}

// A child notes that this slot runs and is killed there, as a host is by a watchdog.
static void be_killed_while_running(const char *path, uint32_t slot_id)
{
    pid_t child = fork();
    if (child == 0) {
        ag_running_open(path, false);
        ag_board_note_running(slot_id);
        raise(SIGKILL);
        _exit(0);
    }
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
}

static void the_word_of_what_runs_survives_the_death_of_the_host(void)
{
    char path[] = "/tmp/board_test.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    be_killed_while_running(path, 77);
    ag_running_open(path, false);
    CHECK_EQUAL(ag_board_last_running(), 77);
    ag_running_open(path, true); // another store: it means nothing
    CHECK_EQUAL(ag_board_last_running(), 0);
    ag_running_close();
    CHECK_EQUAL(pwrite(fd, "strange!", 8, 0), 8);
    close(fd);
    ag_running_open(path, false);
    CHECK_EQUAL(ag_board_last_running(), 0);
    ag_running_close();
    unlink(path);
    ag_running_open("/nonexistent/word", false); // it then lives as long as the process
    ag_board_note_running(5);
    CHECK_EQUAL(ag_board_last_running(), 5);
    ag_running_close();
}

static const struct test_case cases[] = {
    TEST(a_led_prints_a_line_for_each_change),
    TEST(on_a_terminal_keys_toggle_switches_and_the_board_is_one_line),
    TEST(pins_are_what_they_are),
    TEST(a_missing_gpio_chip_is_an_error_that_names_it),
    TEST(the_temperature_follows_the_heater),
    TEST(the_temperature_does_not_depend_on_how_often_it_is_read),
    TEST(the_board_has_one_analogue_input),
    TEST(a_sensor_file_is_read_and_a_bad_one_refused),
    TEST(hostile_text_is_escaped),
    TEST(long_text_is_cut_at_every_capacity),
    TEST(a_log_line_is_one_line_and_its_level_counts),
    TEST(the_clock_is_known_as_the_policy_says),
    TEST(the_uptime_never_goes_back_and_random_bytes_differ),
    TEST(the_word_of_what_runs_survives_the_death_of_the_host),
};
TEST_MAIN(cases)
