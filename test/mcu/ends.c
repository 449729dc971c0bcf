// SPDX-License-Identifier: Apache-2.0
// A test program that ends as its argument says, for build_test.
#include "test/harness.h"

#ifdef __riscv
#define RESET_AT   0x00100000u // of `virt`: its device for tests
#define RESET_WORD 0x7777u
#else
#define RESET_AT   0xE000ED0Cu // AIRCR.SYSRESETREQ
#define RESET_WORD 0x05FA0004u
#endif

static void well(void)
{
}

static void failed(void)
{
    CHECK(!"as wanted");
}

static void reset(void)
{
    *(volatile uint32_t *)RESET_AT = RESET_WORD;
    for (;;)
        continue;
}

static void fault(void)
{
    ((void (*)(void))(uintptr_t)0xF0000000u)();
}

static const struct test_case cases[] = { TEST(well), TEST(failed), TEST(reset), TEST(fault) };
TEST_MAIN(cases)
