// SPDX-License-Identifier: Apache-2.0
// Tests of flash in a file.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/linux/flash_file.h"
#include "port/linux/log.h"
#include "test/harness.h"

enum {
    SIZE = 64 * 1024
};

static int sync_calls;
static bool sync_fails;

// The C library's own is not called: which bytes reach a disk cannot be seen from here.
int fdatasync(int fd)
{
    sync_calls += fd >= 0;
    errno = EIO;
    return sync_fails ? -1 : 0;
}

static char folder[64];
static char path[128];
static struct ag_flash_file file;

static void begin(void)
{
    strcpy(folder, "/tmp/flash_file_test.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/store.img", folder);
    ag_log_set_level(AG_LOG_ERROR);
}

static void end(void)
{
    ag_flash_file_close(&file);
    unlink(path);
    rmdir(folder);
}

static void write_file(const void *bytes, size_t size)
{
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    CHECK(fwrite(bytes, 1, size, out) == size);
    CHECK(fclose(out) == 0);
}

static bool is_blank(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff)
            return false;
    }
    return true;
}

static void a_new_image_is_blank_reserved_and_private(void)
{
    struct stat info;
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK(file.is_new);
    CHECK_EQUAL(file.flash.size, SIZE);
    CHECK(is_blank(file.flash.base, SIZE));
    CHECK(stat(path, &info) == 0);
    CHECK_EQUAL(info.st_size, SIZE);
    CHECK(info.st_blocks * 512 >= SIZE);
    CHECK_EQUAL(info.st_mode & 0777, 0600);
    end();
}

static void what_is_programmed_is_read_in_place_and_kept(void)
{
    uint8_t unit[AG_FLASH_UNIT] = "sixteen bytes...";
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK_EQUAL(file.flash.program(&file, 4096 + 32, unit, sizeof unit), AG_OK);
    CHECK_EQUAL(file.flash.sync(&file), AG_OK);
    CHECK_BYTES(file.flash.base + 4096 + 32, unit, sizeof unit);
    ag_flash_file_close(&file);
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK(!file.is_new);
    CHECK_BYTES(file.flash.base + 4096 + 32, unit, sizeof unit);
    CHECK(is_blank(file.flash.base, 4096 + 32));
    CHECK(is_blank(file.flash.base + 4096 + 48, SIZE - 4096 - 48));
    end();
}

static void a_unit_is_programmed_once_between_erases(void)
{
    uint8_t block[AG_FLASH_BLOCK];
    memset(block, 0x5a, sizeof block);
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK_EQUAL(file.flash.program(&file, 8192, block, sizeof block), AG_OK);
    // Not even with the same bytes, and not when only the last unit is in use.
    CHECK_EQUAL(file.flash.program(&file, 8192, block, 16), AG_ERR_FLASH);
    CHECK_EQUAL(file.flash.erase(&file, 8192), AG_OK);
    CHECK(is_blank(file.flash.base + 8192, AG_FLASH_BLOCK));
    CHECK_EQUAL(file.flash.program(&file, 8192 + AG_FLASH_BLOCK - 16, block, 16), AG_OK);
    CHECK_EQUAL(file.flash.program(&file, 8192, block, sizeof block), AG_ERR_FLASH);
    CHECK(is_blank(file.flash.base + 8192, AG_FLASH_BLOCK - 16));
    end();
}

static void erasing_leaves_the_neighbours_alone(void)
{
    uint8_t block[AG_FLASH_BLOCK];
    memset(block, 0, sizeof block);
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    for (uint32_t at = 0; at < SIZE; at += AG_FLASH_BLOCK)
        CHECK_EQUAL(file.flash.program(&file, at, block, sizeof block), AG_OK);
    CHECK_EQUAL(file.flash.erase(&file, SIZE - AG_FLASH_BLOCK), AG_OK);
    CHECK_EQUAL(file.flash.erase(&file, 4096), AG_OK);
    for (uint32_t at = 0; at < SIZE; at += AG_FLASH_BLOCK)
        CHECK_EQUAL(is_blank(file.flash.base + at, AG_FLASH_BLOCK),
                    at == 4096 || at == SIZE - AG_FLASH_BLOCK);
    end();
}

static void a_second_process_is_refused(void)
{
    struct ag_flash_file second;
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK_EQUAL(ag_flash_file_open(&second, path, SIZE), AG_ERR_IO);
    const pid_t child = fork();
    if (child == 0)
        _exit(ag_flash_file_open(&second, path, SIZE) == AG_ERR_IO ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ag_flash_file_close(&file);
    CHECK_EQUAL(ag_flash_file_open(&second, path, SIZE), AG_OK);
    ag_flash_file_close(&second);
    end();
}

static void an_image_of_another_size_is_refused_and_not_touched(void)
{
    static uint8_t bytes[2 * SIZE];
    struct stat info;
    begin();
    memset(bytes, 0xff, sizeof bytes);
    bytes[100] = 7;
    static const size_t sizes[] = { 101, SIZE - 1, SIZE + 1, 2 * SIZE };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_note("%zu bytes", sizes[i]);
        write_file(bytes, sizes[i]);
        CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_ERR_STORE_SIZE);
        CHECK(stat(path, &info) == 0);
        CHECK_EQUAL(info.st_size, sizes[i]);
    }
    end();
}

static void an_interrupted_creation_is_finished(void)
{
    static uint8_t bytes[SIZE];
    begin();
    memset(bytes, 0xff, sizeof bytes);
    static const size_t sizes[] = { 1, 4096, 5000, SIZE - 1 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_note("%zu bytes", sizes[i]);
        write_file(bytes, sizes[i]);
        CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
        CHECK(file.is_new);
        CHECK(is_blank(file.flash.base, SIZE));
        ag_flash_file_close(&file);
    }
    end();
}

static void a_file_of_zeros_becomes_a_blank_image(void)
{
    static uint8_t bytes[SIZE];
    begin();
    write_file(bytes, SIZE);
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK(file.is_new);
    CHECK(is_blank(file.flash.base, SIZE));
    ag_flash_file_close(&file);
    bytes[SIZE - 1] = 1; // something: kept
    write_file(bytes, SIZE);
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK(!file.is_new);
    CHECK_BYTES(file.flash.base, bytes, SIZE);
    end();
}

static void impossible_sizes_are_refused(void)
{
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, 0), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_flash_file_open(&file, path, 4096), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_flash_file_open(&file, path, 8193), AG_ERR_ARGUMENT);
    CHECK(access(path, F_OK) != 0);
    end();
}

static void what_is_no_writable_file_is_refused(void)
{
    char bad[200];
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, folder, SIZE), AG_ERR_IO);
    snprintf(bad, sizeof bad, "%s/missing/store.img", folder);
    CHECK_EQUAL(ag_flash_file_open(&file, bad, SIZE), AG_ERR_IO);
    CHECK_EQUAL(ag_flash_file_open(&file, "/dev/null", SIZE), AG_ERR_IO);
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_ERR_IO);
    end();
}

static void an_unwritable_file_is_refused(void)
{
    begin();
    write_file("x", 1);
    CHECK(chmod(path, 0444) == 0 && chmod(folder, 0755) == 0);
    const pid_t child = fork();
    if (child == 0) {
        // Root may write everything, so be nobody.
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        _exit(ag_flash_file_open(&file, path, SIZE) == AG_ERR_IO ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
    end();
}

static void a_full_disk_is_found_at_creation(void)
{
    begin();
    // A limit on the size of files is the full disk that every user can make.
    const pid_t child = fork();
    if (child == 0) {
        struct stat info;
        signal(SIGXFSZ, SIG_IGN);
        const struct rlimit limit = { SIZE / 2, SIZE / 2 };
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(2);
        const enum ag_status status = ag_flash_file_open(&file, path, SIZE);
        _exit(status == AG_ERR_FLASH && stat(path, &info) == 0 && info.st_size == 0 ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
    // With room again, the same path works.
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    end();
}

static void a_shortened_image_fails_as_flash_and_not_as_a_crash(void)
{
    uint8_t unit[AG_FLASH_UNIT] = { 0 };
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK(truncate(path, SIZE / 2) == 0);
    CHECK_EQUAL(file.flash.program(&file, SIZE - 4096, unit, sizeof unit), AG_ERR_FLASH);
    CHECK_EQUAL(file.flash.program(&file, 0, unit, sizeof unit), AG_ERR_FLASH);
    end();
}

static void a_sync_waits_for_the_disk_and_tells_its_failure(void)
{
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    const int before = sync_calls;
    CHECK_EQUAL(file.flash.sync(file.flash.context), AG_OK);
    CHECK_EQUAL(sync_calls, before + 1);
    sync_fails = true;
    const enum ag_status status = file.flash.sync(file.flash.context);
    sync_fails = false;
    CHECK_EQUAL(status, AG_ERR_FLASH);
    end();
}

static bool sync_writes(void)
{
    struct stat info;
    const struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
    CHECK(futimens(file.fd, past) == 0);
    CHECK_EQUAL(file.flash.sync(file.flash.context), AG_OK);
    CHECK(fstat(file.fd, &info) == 0);
    return info.st_mtime != 1000;
}

static void after_a_sync_that_failed_the_next_one_writes_everything_again(void)
{
    uint8_t unit[AG_FLASH_UNIT] = { 1, 2, 3 };
    begin();
    CHECK_EQUAL(ag_flash_file_open(&file, path, SIZE), AG_OK);
    CHECK_EQUAL(file.flash.program(&file, 4096, unit, sizeof unit), AG_OK);
    CHECK(!sync_writes());
    sync_fails = true;
    CHECK_EQUAL(file.flash.sync(file.flash.context), AG_ERR_FLASH);
    CHECK_EQUAL(file.flash.sync(file.flash.context), AG_ERR_FLASH);
    sync_fails = false;
    CHECK(sync_writes());
    CHECK(!sync_writes());
    CHECK(memcmp(file.flash.base + 4096, unit, sizeof unit) == 0);
    CHECK(is_blank(file.flash.base, 4096));
    end();
}

static const struct test_case cases[] = {
    TEST(a_new_image_is_blank_reserved_and_private),
    TEST(what_is_programmed_is_read_in_place_and_kept),
    TEST(a_unit_is_programmed_once_between_erases),
    TEST(a_sync_waits_for_the_disk_and_tells_its_failure),
    TEST(after_a_sync_that_failed_the_next_one_writes_everything_again),
    TEST(erasing_leaves_the_neighbours_alone),
    TEST(a_second_process_is_refused),
    TEST(an_image_of_another_size_is_refused_and_not_touched),
    TEST(an_interrupted_creation_is_finished),
    TEST(a_file_of_zeros_becomes_a_blank_image),
    TEST(impossible_sizes_are_refused),
    TEST(what_is_no_writable_file_is_refused),
    TEST(an_unwritable_file_is_refused),
    TEST(a_full_disk_is_found_at_creation),
    TEST(a_shortened_image_fails_as_flash_and_not_as_a_crash),
};
TEST_MAIN(cases)
