// SPDX-License-Identifier: Apache-2.0
// Tests of giving memory back: nothing that the program knows may change.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "port/linux/memory.h"
#include "test/harness.h"

static char written[] = "written";
static const char *const relocated[] = { "one", "two", "three" };

static long resident_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    }
    if (file)
        fclose(file);
    return kb;
}

static void code_constants_and_data_are_as_before(void)
{
    char *heap = malloc(5000);
    CHECK(heap != NULL);
    memset(heap, 'h', 5000);
    strcpy(written, "changed");
    for (int i = 0; i < 3; i++) {
        ag_memory_trim();
        CHECK_TEXT(written, "changed");
        CHECK_TEXT(relocated[0], "one");
        CHECK_TEXT(relocated[2], "three");
        CHECK_TEXT(ag_status_name(AG_ERR_CONFIG), "config");
        CHECK(heap[0] == 'h' && heap[4999] == 'h');
    }
    free(heap);
}

static void the_resident_set_does_not_grow(void)
{
    const long before = resident_kb();
    ag_memory_trim();
    const long after = resident_kb();
    CHECK(before > 0 && after > 0);
    CHECK(after <= before + 64); // reading the figure costs pages, too
}

static const struct test_case cases[] = {
    TEST(code_constants_and_data_are_as_before),
    TEST(the_resident_set_does_not_grow),
};

int main(int argc, char **argv)
{
    ag_memory_set_up();
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
