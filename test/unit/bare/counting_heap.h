// SPDX-License-Identifier: Apache-2.0
// port/bare/heap.h over malloc, which counts and refuses what a test orders; a sanitizer sees each
// block.
#ifndef TEST_COUNTING_HEAP_H
#define TEST_COUNTING_HEAP_H

#include <stdbool.h>
#include <stddef.h>

extern size_t counting_heap_blocks;  // in use
extern size_t counting_heap_calls;   // allocations asked for
extern size_t counting_heap_fail_at; // number of the allocation that is refused, from 1; 0: none
extern bool counting_heap_fails_on;  // and all after it

#endif
