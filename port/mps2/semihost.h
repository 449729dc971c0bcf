// SPDX-License-Identifier: Apache-2.0
// What the emulator's host lends the board by semihosting: entropy, the wall clock, an exit code.
// Nothing of a real board: on one, or where semihosting is off, ag_semihost_is_there says so.
#ifndef AG_MPS2_SEMIHOST_H
#define AG_MPS2_SEMIHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Asks once. Without semihosting its instruction is a fault, which fault.c answers with -1.
bool ag_semihost_is_there(void);
// Seconds since 1970; 0: not known.
uint32_t ag_semihost_time(void);
// From the host's /dev/urandom. False: not all of it could be read.
bool ag_semihost_random(uint8_t *bytes, size_t size);
// Ends the emulator. Returns where there is none.
void ag_semihost_exit(int code);

#endif
