// SPDX-License-Identifier: Apache-2.0
// A piece of text that lies somewhere else: pointer and length together, no NUL needed.
#ifndef AG_BASE_TEXT_H
#define AG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Borrowed from whoever filled it in. `at` may be NULL when size is 0.
struct ag_text {
    const char *at;
    size_t size;
};

// The text up to its NUL; an absent text (NULL) is empty.
struct ag_text ag_text_of(const char *text);

bool ag_text_equals(struct ag_text text, const char *other);
bool ag_text_is_same(struct ag_text a, struct ag_text b);
bool ag_text_starts_with(struct ag_text text, const char *prefix);

// The text without its first `size` bytes; empty when it is shorter.
struct ag_text ag_text_after(struct ag_text text, size_t size);

// Splits at the first `separator`: returns what stands before it and leaves in *rest what stands
// after. Without a separator, returns all of it and leaves *rest empty with `at` NULL.
struct ag_text ag_text_split(struct ag_text *rest, char separator);

// Decimal digits only, no sign, no blanks, at least one. False, with *value untouched, for
// anything else or a value over `most`.
bool ag_text_decimal(struct ag_text text, uint64_t most, uint64_t *value);

// 0 to 15 for a hexadecimal digit of either case, 16 for anything else.
uint32_t ag_text_hex_digit(char character);

#endif
