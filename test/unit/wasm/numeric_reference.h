// SPDX-License-Identifier: Apache-2.0
// Every numeric instruction of WebAssembly 2.0, computed in another way than the engine does.
#ifndef AG_TEST_NUMERIC_REFERENCE_H
#define AG_TEST_NUMERIC_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    VALUE,
    DIVIDE_BY_ZERO,
    OVERFLOW,
    CONVERSION, // of a NaN
};

// Values travel as their bits, those of 32 bits in the lower half.
struct numeric {
    const char *name;
    uint16_t opcode; // 0xFC00 | number for those with a prefix
    char in;         // type of the operands: i l f d
    char out;
    uint8_t arity;   // 1 or 2
    bool keeps_bits; // a NaN passes bit by bit
    enum outcome (*compute)(uint64_t a, uint64_t b, uint64_t *result);
};

extern const struct numeric numerics[];
extern const size_t numeric_count;

// Values at the edges of a type.
const uint64_t *numeric_edges(char type, size_t *count);

bool numeric_is_nan(char type, uint64_t bits);
bool numeric_is_quiet(char type, uint64_t bits);

#endif
