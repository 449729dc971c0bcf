// SPDX-License-Identifier: Apache-2.0
// The part of the C library's <string.h> that plug-ins need most, without a library: copying and
// filling are single instructions of WebAssembly.
#ifndef AIRGRAFT_STRING_H
#define AIRGRAFT_STRING_H

#include <stddef.h>

static inline void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return __builtin_memcpy(to, from, size);
}

static inline void *memmove(void *to, const void *from, size_t size)
{
    return __builtin_memmove(to, from, size);
}

static inline void *memset(void *to, int value, size_t size)
{
    return __builtin_memset(to, value, size);
}

static inline int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = (const unsigned char *)a;
    const unsigned char *right = (const unsigned char *)b;
    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

static inline size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size])
        size++;
    return size;
}

static inline int strncmp(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
        if (!a[i])
            return 0;
    }
    return 0;
}

static inline int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

#endif
