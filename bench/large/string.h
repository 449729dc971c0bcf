// SPDX-License-Identifier: Apache-2.0
// What the device library takes from string.h, for the large module: the SDK's functions, and two
// that it lacks, which become imports.
#ifndef AG_BENCH_LARGE_STRING_H
#define AG_BENCH_LARGE_STRING_H

#include "sdk/string.h"

void *memchr(const void *bytes, int value, size_t size);
char *strchr(const char *text, int character);

#endif
