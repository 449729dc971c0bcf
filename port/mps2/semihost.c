// SPDX-License-Identifier: Apache-2.0
// Semihosting for Cortex-M (Arm's document "Semihosting for AArch32 and AArch64").
#include "port/mps2/semihost.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_READ = 0x06,
    SYS_TIME = 0x11,
    SYS_EXIT_EXTENDED = 0x20,
    OPEN_RB = 1,
    APPLICATION_EXIT = 0x20026
};

static int32_t call(uint32_t operation, const uintptr_t *arguments)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const uintptr_t *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

bool ag_semihost_is_there(void)
{
    static bool is_asked, is_there;
    if (!is_asked) {
        is_asked = true;
        is_there = call(SYS_TIME, NULL) != -1;
    }
    return is_there;
}

uint32_t ag_semihost_time(void)
{
    return ag_semihost_is_there() ? (uint32_t)call(SYS_TIME, NULL) : 0;
}

bool ag_semihost_random(uint8_t *bytes, size_t size)
{
    static const char name[] = "/dev/urandom";
    if (!ag_semihost_is_there())
        return false;
    const uintptr_t open[] = { (uintptr_t)name, OPEN_RB, sizeof name - 1 };
    const int32_t file = call(SYS_OPEN, open);
    if (file < 0)
        return false;
    const uintptr_t read[] = { (uintptr_t)file, (uintptr_t)bytes, size };
    const bool is_read = call(SYS_READ, read) == 0; // the answer counts what was not read
    const uintptr_t close[] = { (uintptr_t)file };
    (void)call(SYS_CLOSE, close);
    return is_read;
}

void ag_semihost_exit(int code)
{
    const uintptr_t exit[] = { APPLICATION_EXIT, (uintptr_t)code };
    if (ag_semihost_is_there())
        (void)call(SYS_EXIT_EXTENDED, exit);
}
