// SPDX-License-Identifier: Apache-2.0
// From the first instruction to main: what C expects of memory. The board's start-up calls it on
// the stack; its linker script places the symbols below (port/mps2/mps2.ld is the model).
//
// The stack lies at the bottom of RAM, or above something that may not be written, so that what
// overflows it is a fault instead of damaged data. It is painted to see how deep it ever was.
#ifndef AG_BARE_RUNTIME_H
#define AG_BARE_RUNTIME_H

#include <stdint.h>

// Only their addresses mean something.
extern uint32_t ag_stack_bottom[], ag_stack_top[]; // aligned to 8
extern char ag_data_start[], ag_data_end[];        // .data
extern const char ag_data_source[];                // its first values, in flash
extern char ag_bss_start[], ag_bss_end[];          // .bss
extern const char ag_code_start[], ag_code_end[];  // what may be run, constants included

// Paints the stack, puts .data and .bss in place, calls main; resets when that returns. What lies
// in .preserve stays as it is.
_Noreturn void ag_runtime_start(void);

#endif
