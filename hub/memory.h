// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail: a hub without memory stops with a message and starts again.
#ifndef AG_HUB_MEMORY_H
#define AG_HUB_MEMORY_H

#include <stddef.h>

// All results are the caller's, freed with free().
void *ag_memory_zeroed(size_t size);
void *ag_memory_grown(void *block, size_t size);
char *ag_memory_text(const char *text, size_t size); // a copy with a terminating NUL
char *ag_memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
