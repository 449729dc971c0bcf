// SPDX-License-Identifier: Apache-2.0
// Tests of the configuration file: what is read, and what is said about what is wrong.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/linux/config_file.h"
#include "test/harness.h"

#define DPS "id_scope = 0ne00000001\nregistration_id = device-1\nsymmetric_key = c2VjcmV0\n"

static struct ag_config_file config;
static char messages[8192];
static char folder[64];

static void write_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    CHECK(fwrite(bytes, 1, size, out) == size);
    CHECK(fclose(out) == 0);
    CHECK(chmod(path, mode) == 0);
}

// Reads `name` in the folder; messages are collected with the folder's name cut out.
static enum ag_status read_file(const char *name)
{
    char path[200];
    char raw[sizeof messages] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fmemopen(raw, sizeof raw, "w");
    CHECK(out != NULL);
    const enum ag_status status = ag_config_file_read(path, &config, out);
    fclose(out);
    const size_t cut = strlen(folder) + 1;
    size_t size = 0;
    for (const char *at = raw; *at;) {
        if (strncmp(at, folder, cut - 1) == 0)
            at += cut;
        else
            messages[size++] = *at++;
    }
    messages[size] = 0;
    return status;
}

static enum ag_status read_bytes(const void *bytes, size_t size)
{
    write_file("a.conf", bytes, size, 0600);
    return read_file("a.conf");
}

static enum ag_status read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void begin(void)
{
    strcpy(folder, "/tmp/config_file_test.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void end(void)
{
    static const char *const names[] = { "a.conf", "key", "folder" };
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    CHECK(rmdir(folder) == 0);
}

static void a_small_file_is_enough_and_the_rest_has_defaults(void)
{
    begin();
    CHECK_EQUAL(read_text(DPS), AG_OK);
    CHECK_TEXT(messages, "");
    CHECK_TEXT(config.id_scope, "0ne00000001");
    CHECK_TEXT(config.registration_id, "device-1");
    CHECK_TEXT(config.symmetric_key, "c2VjcmV0");
    CHECK_TEXT(config.group_key, "");
    CHECK_TEXT(config.connection_string, "");
    CHECK_TEXT(config.dps_host, "global.azure-devices-provisioning.net");
    CHECK_EQUAL(config.dps_port, 8883);
    CHECK_EQUAL(config.hub_port, 8883);
    CHECK_TEXT(config.trust, "");
    CHECK_TEXT(config.store, "/var/lib/airgraft/store.img");
    CHECK_EQUAL(config.store_size, 4 << 20);
    CHECK_EQUAL(config.memory, 256 << 10);
    CHECK_EQUAL(config.twin_interval_s, 21600);
    CHECK_EQUAL(config.one_connection, 0);
    CHECK_EQUAL(config.download_spread_s, 0);
    CHECK_EQUAL(config.trial_runs, 5);
    CHECK_EQUAL(config.trial_time_ms, 2000);
    CHECK_EQUAL(config.log_level, AG_LOG_INFO);
    CHECK_EQUAL(config.clock, AG_BOARD_CLOCK_AUTO);
    CHECK_TEXT(config.gpio_chip, "");
    CHECK_TEXT(config.sensor, "");
    end();
}

static void every_key_is_read(void)
{
    char want[200];
    begin();
    CHECK_EQUAL(
        read_text(
            "id_scope=a\nregistration_id=b\ngroup_key=Zw==\ndps_host=localhost\n"
            "dps_port=1\nhub_port=65535\ntrust=/t\nstore=sub/s.img\n"
            "store_size=64K\nmemory=1024\ntwin_interval_s=0\ntrial_runs=1\ntrial_time_ms=0\nclock=untrusted\n"
            "one_connection=yes\ndownload_spread_s=60\n"
            "gpio_chip=gpiochip0\nsensor=/s\nlog_level=debug\n"),
        AG_OK);
    CHECK_TEXT(config.group_key, "Zw==");
    CHECK_TEXT(config.dps_host, "localhost");
    CHECK_EQUAL(config.dps_port, 1);
    CHECK_EQUAL(config.hub_port, 65535);
    CHECK_TEXT(config.trust, "/t");
    snprintf(want, sizeof want, "%s/sub/s.img", folder);
    CHECK_TEXT(config.store, want);
    CHECK_EQUAL(config.store_size, 65536);
    CHECK_EQUAL(config.memory, 1024);
    CHECK_EQUAL(config.twin_interval_s, 0);
    CHECK_EQUAL(config.one_connection, 1);
    CHECK_EQUAL(config.download_spread_s, 60);
    CHECK_EQUAL(config.trial_runs, 1);
    CHECK_EQUAL(config.trial_time_ms, 0);
    CHECK_EQUAL(config.clock, AG_BOARD_CLOCK_UNTRUSTED);
    CHECK_TEXT(config.gpio_chip, "gpiochip0");
    CHECK_TEXT(config.sensor, "/s");
    CHECK_EQUAL(config.log_level, AG_LOG_DEBUG);
    end();
}

static void comments_blanks_and_line_ends_of_every_kind_are_taken(void)
{
    begin();
    CHECK_EQUAL(read_text("# a comment\n\n  \t\n" DPS "hub_port = 1000 # after a value\r\n"
                          "\tdps_host\t=\thost#1\t\n"
                          "log_level = error"),
                AG_OK);
    CHECK_EQUAL(config.hub_port, 1000);
    CHECK_TEXT(config.dps_host, "host#1");
    CHECK_EQUAL(config.log_level, AG_LOG_ERROR);
    end();
}

static void a_connection_string_keeps_its_equals_signs(void)
{
    begin();
    CHECK_EQUAL(read_text("connection_string = HostName=h;DeviceId=d;SharedAccessKey=Zw==\n"),
                AG_OK);
    CHECK_TEXT(config.connection_string, "HostName=h;DeviceId=d;SharedAccessKey=Zw==");
    end();
}

static void each_problem_is_told_with_its_line_and_a_hint(void)
{
    begin();
    CHECK_EQUAL(read_text("id_scop = x\n\nhub_port = 70000\nlog_level = loud\nstore_size 4M\n"
                          "hub_port = 1\nmemory = 12Q\ndps_port = -1\ngroup_key = not base64\n"
                          "trust =\nwhatever = 1\n"),
                AG_ERR_CONFIG);
    CHECK_TEXT(
        messages,
        "a.conf:1: unknown key 'id_scop' (config, 1802)\nhint: did you mean 'id_scope'?\n"
        "a.conf:3: 'hub_port' must be 1 to 65535, not 70000 (config, 1802)\n"
        "hint: choose a value in this range\n"
        "a.conf:4: 'log_level' must be one of: error warning info debug, not 'loud' (config, 1802)\n"
        "hint: choose one of these words\n"
        "a.conf:5: no '=' in this line (config, 1802)\n"
        "hint: write `key = value`; comments begin with #\n"
        "a.conf:6: 'hub_port' is given a second time, first on line 3 (config, 1802)\n"
        "hint: keep one of them\n"
        "a.conf:7: 'memory' needs a whole number, not '12Q' (config, 1802)\n"
        "hint: write for example 4194304, 4096K or 4M\n"
        "a.conf:8: 'dps_port' needs a whole number, not '-1' (config, 1802)\n"
        "hint: write decimal digits only\n"
        "a.conf:9: the value of 'group_key' is not base64 (config, 1802)\n"
        "hint: copy the primary key as the portal or `airgraft devices` shows it\n"
        "a.conf:10: 'trust' has no value (config, 1802)\n"
        "hint: give a value, or put # before the line\n"
        "a.conf:11: unknown key 'whatever' (config, 1802)\n"
        "hint: airgraft-host --help lists the keys\n");
    end();
}

static void numbers_do_not_wrap(void)
{
    static const char *const numbers[] = { "4294967296", "18446744073709551617",
                                           "4194305K",   "17592186044416M",
                                           "0x10",       "1e3",
                                           " ",          "4KK",
                                           "4M4" };
    char text[200];
    begin();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        test_note("%s", numbers[i]);
        snprintf(text, sizeof text, DPS "store_size = %s\n", numbers[i]);
        CHECK_EQUAL(read_text(text), AG_ERR_CONFIG);
    }
    CHECK_EQUAL(read_text(DPS "store_size = 65537\n"), AG_ERR_CONFIG);
    CHECK_TEXT(messages, "a.conf: store_size is not a multiple of 4096 (config, 1802)\n"
                         "hint: round it to whole blocks\n");
    end();
}

static void an_identity_must_be_whole_and_one(void)
{
    static const char *const texts[] = {
        "",
        "id_scope = a\n",
        "id_scope = a\nregistration_id = b\n",
        "registration_id = b\nsymmetric_key = Zw==\n",
        "id_scope = a\nsymmetric_key = Zw==\n",
        DPS "group_key = Zw==\n",
        DPS "connection_string = HostName=h;DeviceId=d;SharedAccessKey=Zw==\n",
        "connection_string = HostName=h;DeviceId=d\n",
        "connection_string = HostName=h;SharedAccessKeyName=o;SharedAccessKey=Zw==\n",
    };
    begin();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("text %zu", i);
        CHECK_EQUAL(read_text(texts[i]), AG_ERR_CONFIG);
        CHECK(strstr(messages, "hint: ") != NULL);
    }
    end();
}

static void a_key_may_be_in_a_file_of_its_own(void)
{
    begin();
    write_file("key", "\n c2VjcmV0 \n", 12, 0600);
    CHECK_EQUAL(read_text("id_scope=a\nregistration_id=b\nsymmetric_key_file = key\n"), AG_OK);
    CHECK_TEXT(config.symmetric_key, "c2VjcmV0");
    CHECK_EQUAL(read_text(DPS "symmetric_key_file = key\n"), AG_ERR_CONFIG);
    CHECK_EQUAL(read_text("id_scope=a\nregistration_id=b\ngroup_key_file = missing\n"),
                AG_ERR_CONFIG);
    write_file("key", "", 0, 0600);
    CHECK_EQUAL(read_text("id_scope=a\nregistration_id=b\ngroup_key_file = key\n"), AG_ERR_CONFIG);
    write_file("key", "a\0b=", 4, 0600);
    CHECK_EQUAL(read_text("id_scope=a\nregistration_id=b\ngroup_key_file = key\n"), AG_ERR_CONFIG);
    end();
}

static void a_secret_that_all_can_read_is_warned_of(void)
{
    begin();
    write_file("a.conf", DPS, sizeof DPS - 1, 0644);
    CHECK_EQUAL(read_file("a.conf"), AG_OK);
    CHECK(strstr(messages, "warning: holds a secret and every user") != NULL);
    CHECK(strstr(messages, "hint: chmod 600") != NULL);
    static const char without[] = "id_scope=a\nregistration_id=b\nsymmetric_key_file = key\n";
    write_file("key", "c2VjcmV0", 8, 0600);
    write_file("a.conf", without, sizeof without - 1, 0644);
    CHECK_EQUAL(read_file("a.conf"), AG_OK);
    CHECK_TEXT(messages, "");
    write_file("key", "c2VjcmV0", 8, 0604);
    CHECK_EQUAL(read_file("a.conf"), AG_OK);
    CHECK(strstr(messages, "key: warning") != NULL);
    end();
}

static void no_message_shows_a_secret(void)
{
    begin();
    CHECK_EQUAL(read_text("symmetric_key = TOPSECRET!\ngroup_key = TOPSECRET?\n"
                          "connection_string = SharedAccessKey=TOPSECRET\n"
                          "connection_string = TOPSECRET\nSharedAccessKey = TOPSECRET\n"),
                AG_ERR_CONFIG);
    CHECK(strstr(messages, "TOPSECRET") == NULL);
    CHECK_EQUAL(read_text("connection_string = SharedAccessKey=TOPSECRET\n"), AG_ERR_CONFIG);
    CHECK(strstr(messages, "TOPSECRET") == NULL);
    end();
}

static void what_is_no_text_file_is_refused(void)
{
    char path[200];
    static char large[5000];
    begin();
    CHECK_EQUAL(read_file("a.conf"), AG_ERR_IO);
    CHECK(strstr(messages, "No such file") != NULL);
    snprintf(path, sizeof path, "%s/folder", folder);
    CHECK(mkdir(path, 0700) == 0);
    CHECK_EQUAL(read_file("folder"), AG_ERR_IO);
    CHECK_EQUAL(read_bytes("\0asm\1\0\0\0", 8), AG_ERR_CONFIG);
    CHECK_EQUAL(read_bytes("id_scope = \x1b[31m\n", 16), AG_ERR_CONFIG);
    CHECK(strchr(messages, 0x1b) == NULL);
    memset(large, 'x', sizeof large);
    CHECK_EQUAL(read_bytes(large, sizeof large), AG_ERR_CONFIG);
    memcpy(large, "id_scope = ", 11);
    large[800] = '\n';
    CHECK_EQUAL(read_bytes(large, 801), AG_ERR_CONFIG);
    CHECK(strstr(messages, "longer than 512 bytes") != NULL);
    end();
}

static void every_input_of_two_bytes_and_every_cut_is_survived(void)
{
    begin();
    for (unsigned value = 0; value < 65536; value += 7) {
        const uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
        test_note("bytes %02x %02x", bytes[0], bytes[1]);
        CHECK_EQUAL(read_bytes(bytes, 2), AG_ERR_CONFIG); // at least the identity is missing
    }
    // Cut inside the key's last four bytes, what is left is a whole key only at two places.
    for (size_t size = 0; size < sizeof DPS - 1; size++) {
        const bool is_whole = size == sizeof DPS - 2 || size == sizeof DPS - 6;
        test_note("cut at %zu", size);
        CHECK_EQUAL(read_bytes(DPS, size), is_whole ? AG_OK : AG_ERR_CONFIG);
    }
    end();
}

static void the_reference_names_every_key_that_is_accepted(void)
{
    static char reference[16384];
    static const char *const names[] = { "connection_string", "id_scope", "symmetric_key_file",
                                         "group_key",         "store",    "log_level" };
    FILE *out = fmemopen(reference, sizeof reference, "w");
    CHECK(out != NULL);
    ag_config_file_print_keys(out);
    fclose(out);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(strstr(reference, names[i]) != NULL);
    for (char *line = strtok(reference, "\n"); line; line = strtok(NULL, "\n"))
        CHECK(strlen(line) <= 100);
}

static const struct test_case cases[] = {
    TEST(a_small_file_is_enough_and_the_rest_has_defaults),
    TEST(every_key_is_read),
    TEST(comments_blanks_and_line_ends_of_every_kind_are_taken),
    TEST(a_connection_string_keeps_its_equals_signs),
    TEST(each_problem_is_told_with_its_line_and_a_hint),
    TEST(numbers_do_not_wrap),
    TEST(an_identity_must_be_whole_and_one),
    TEST(a_key_may_be_in_a_file_of_its_own),
    TEST(a_secret_that_all_can_read_is_warned_of),
    TEST(no_message_shows_a_secret),
    TEST(what_is_no_text_file_is_refused),
    TEST(every_input_of_two_bytes_and_every_cut_is_survived),
    TEST(the_reference_names_every_key_that_is_accepted),
};
TEST_MAIN(cases)
