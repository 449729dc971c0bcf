// SPDX-License-Identifier: Apache-2.0
// Prints a last line when a program ends by itself: a core that resets also ends QEMU, with code 0.
#include <stdio.h>
#include <stdlib.h>

static void tell(void)
{
    printf("# the program ended by itself\n");
}

extern const int test_end_is_told; // the linker is told to want it
const int test_end_is_told = 1;

__attribute__((constructor)) static void begin(void)
{
    (void)atexit(tell);
}
