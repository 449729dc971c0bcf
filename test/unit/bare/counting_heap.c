// SPDX-License-Identifier: Apache-2.0
// port/bare/heap.h over malloc.
#include "counting_heap.h"

#include <stdlib.h>

#include "port/bare/heap.h"

size_t counting_heap_blocks;
size_t counting_heap_calls;
size_t counting_heap_fail_at;
bool counting_heap_fails_on;
static uint32_t failures;

void *ag_heap_calloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        return NULL;
    counting_heap_calls++;
    if (counting_heap_fail_at != 0 &&
        (counting_heap_calls == counting_heap_fail_at ||
         (counting_heap_fails_on && counting_heap_calls > counting_heap_fail_at))) {
        failures++;
        return NULL;
    }
    counting_heap_blocks++;
    return calloc(count, size);
}

void ag_heap_free(void *block)
{
    if (block)
        counting_heap_blocks--;
    free(block);
}

uint32_t ag_heap_failures(void)
{
    return failures;
}
