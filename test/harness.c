// SPDX-License-Identifier: Apache-2.0
// The test harness: runs each test under setjmp and prints TAP.
#include "test/harness.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static jmp_buf test_end;
static char test_message[1024];
static char test_note_text[256];

enum test_outcome {
    TEST_PASSED = 0,
    TEST_FAILED,
    TEST_SKIPPED,
};

void test_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test_note_text, sizeof test_note_text, format, arguments);
    va_end(arguments);
}

void test_fail(const char *file, int line, const char *format, ...)
{
    int size = snprintf(test_message, sizeof test_message, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test_message + size, sizeof test_message - (size_t)size, format, arguments);
    va_end(arguments);
    longjmp(test_end, TEST_FAILED);
}

void test_skip(const char *reason)
{
    snprintf(test_message, sizeof test_message, "%s", reason);
    longjmp(test_end, TEST_SKIPPED);
}

void test_check_equal(const char *file, int line, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        test_fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, got, want);
}

void test_check_text(const char *file, int line, const char *what, const char *got,
                     const char *want)
{
    if (!got || strcmp(got, want) != 0)
        test_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", want);
}

void test_check_bytes(const char *file, int line, const char *what, const void *got,
                      const void *want, size_t size)
{
    const unsigned char *a = got;
    const unsigned char *b = want;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            test_fail(file, line, "%s[%zu] is 0x%02x, not 0x%02x", what, i, a[i], b[i]);
    }
}

bool test_try(void (*run)(void))
{
    jmp_buf outer;
    memcpy(outer, test_end, sizeof outer);
    const bool passed = setjmp(test_end) == 0;
    if (passed)
        run();
    memcpy(test_end, outer, sizeof outer);
    return passed;
}

const char *test_why(void)
{
    return test_message;
}

static enum test_outcome run_one(const struct test_case *test)
{
    test_note_text[0] = 0;
    const int outcome = setjmp(test_end);
    if (outcome != 0)
        return outcome == TEST_SKIPPED ? TEST_SKIPPED : TEST_FAILED;
    test->run();
    return TEST_PASSED;
}

int test_main(int argc, char **argv, const struct test_case *cases, size_t count)
{
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2)
        printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && !strstr(cases[i].name, argv[1]))
            continue;
        switch (run_one(&cases[i])) {
        case TEST_PASSED:
            printf("ok %zu - %s\n", i + 1, cases[i].name);
            break;
        case TEST_SKIPPED:
            printf("ok %zu - %s # SKIP %s\n", i + 1, cases[i].name, test_message);
            break;
        case TEST_FAILED:
            failed++;
            printf("not ok %zu - %s\n# %s\n", i + 1, cases[i].name, test_message);
            if (test_note_text[0])
                printf("# in: %s\n", test_note_text);
            break;
        }
    }
    return failed > 0 ? 1 : 0;
}
