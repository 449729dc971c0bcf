// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail.
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void stop(void)
{
    fputs("airgraft-hub: out of memory\n", stderr);
    abort();
}

void *ag_memory_zeroed(size_t size)
{
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL)
        stop();
    return block;
}

void *ag_memory_grown(void *block, size_t size)
{
    void *grown = realloc(block, size > 0 ? size : 1);
    if (grown == NULL)
        stop();
    return grown;
}

char *ag_memory_text(const char *text, size_t size)
{
    char *copy = ag_memory_zeroed(size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    return copy;
}

char *ag_memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0)
        stop();
    return text;
}
