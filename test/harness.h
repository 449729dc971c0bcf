// SPDX-License-Identifier: Apache-2.0
// The test harness: a program is a table of functions whose names are sentences; each prints one
// TAP line (testanything.org, version 13). A failed check ends its function, not the program.
#ifndef AG_TEST_HARNESS_H
#define AG_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

// Runs all tests, or those whose name contains argv[1]. Returns the exit code of main.
int test_main(int argc, char **argv, const struct test_case *cases, size_t count);
#define TEST_MAIN(cases)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);                       \
    }

// End the running test: as failed with a message, or as skipped with a reason.
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *reason);

// Runs a part of a test that goes on when it fails: false then, and test_why says what was wrong.
// What the part owned when a check failed is not released.
bool test_try(void (*run)(void));
const char *test_why(void);

// Names the case in hand (a seed, a cut, a vector); shown when a check fails. Cleared per test.
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

void test_check_equal(const char *file, int line, const char *what, int64_t got, int64_t want);
void test_check_text(const char *file, int line, const char *what, const char *got,
                     const char *want);
void test_check_bytes(const char *file, int line, const char *what, const void *got,
                      const void *want, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "not true: %s", #condition);                             \
    } while (0)
#define CHECK_EQUAL(got, want)                                                                     \
    test_check_equal(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
#define CHECK_TEXT(got, want)        test_check_text(__FILE__, __LINE__, #got, got, want)
#define CHECK_BYTES(got, want, size) test_check_bytes(__FILE__, __LINE__, #got, got, want, size)

#endif
