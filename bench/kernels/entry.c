// SPDX-License-Identifier: Apache-2.0
// A second entry beside a kernel's, for runners that cannot pass an argument: the rounds stand in
// the module's data behind a mark, where the bench writes the number that it wants.
#include <stdint.h>

uint32_t KERNEL_ENTRY(uint32_t rounds);

// Volatile: or the compiler would take the number now.
static const volatile struct {
    char mark[12];
    uint32_t rounds;
} plan = { "airgraft run", 1 };

__attribute__((export_name("run"))) uint32_t run(void)
{
    return plan.mark[0] == 'a' ? KERNEL_ENTRY(plan.rounds) : 0;
}
