// SPDX-License-Identifier: Apache-2.0
// Gives back memory that was only needed to get going.
#ifndef AG_LINUX_MEMORY_H
#define AG_LINUX_MEMORY_H

// Call once at the start of main: one heap for all threads, which returns what is free soon.
void ag_memory_set_up(void);

// Returns free heap to the system and drops the pages of code and constants, of this program and
// its libraries, that are in no use now; the kernel maps them again, without reading a disk in
// the usual case, when they are used. Worth a call after TLS handshakes, which walk through much
// code once. Costs some tens of page faults afterwards.
void ag_memory_trim(void);

#endif
