// SPDX-License-Identifier: Apache-2.0
// Well-formed UTF-8 (Unicode, table 3-7).
#ifndef AG_BASE_UTF8_H
#define AG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

// Bytes of the character at `at`, of which `left` bytes exist, at least 1; 0 when it is none.
size_t ag_utf8_character_size(const char *at, size_t left);

bool ag_utf8_is_valid(struct ag_text text);

#endif
