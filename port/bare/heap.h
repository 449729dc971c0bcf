// SPDX-License-Identifier: Apache-2.0
// The heap of TLS: one static block of AG_CFG_TLS_HEAP bytes, for mbedTLS alone. Nothing else
// allocates. A block costs 4 bytes more than asked for, rounded up to 8; mbedTLS's own allocator
// would take 32, for each of the hundreds of numbers and names of a handshake.
#ifndef AG_BARE_HEAP_H
#define AG_BARE_HEAP_H

#include <stddef.h>
#include <stdint.h>

// Gives up all that was allocated.
void ag_heap_start(void);

// What mbedTLS calls for calloc and free (mbedtls_config.h). NULL when there is no room.
void *ag_heap_calloc(size_t count, size_t size);
void ag_heap_free(void *block); // NULL: nothing to do

size_t ag_heap_used(void);
size_t ag_heap_peak(void); // most bytes that were in use at once
size_t ag_heap_size(void);
// Allocations that were refused so far. mbedTLS turns some of them into other errors, up to
// "certificate not trusted": who calls it compares before and after.
uint32_t ag_heap_failures(void);

#endif
