// SPDX-License-Identifier: Apache-2.0
// Internal: floating point as WebAssembly defines it, without a library of mathematics.
//
// Rounding works on the bits; NaNs come out quiet with their payload kept. Square roots use the
// machine's instruction where there is one, else the digit-by-digit method, which is exact.
#ifndef AG_WASM_FLOAT_H
#define AG_WASM_FLOAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t ag_wasm_f32_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float ag_wasm_f32_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t ag_wasm_f64_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double ag_wasm_f64_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum ag_wasm_rounding {
    AG_WASM_CEIL,
    AG_WASM_FLOOR,
    AG_WASM_TRUNC,
    AG_WASM_NEAREST
};

uint32_t ag_wasm_f32_round(uint32_t bits, enum ag_wasm_rounding rounding);
uint64_t ag_wasm_f64_round(uint64_t bits, enum ag_wasm_rounding rounding);
uint32_t ag_wasm_f32_sqrt(uint32_t bits);
uint64_t ag_wasm_f64_sqrt(uint64_t bits);
uint32_t ag_wasm_f32_min(uint32_t a, uint32_t b);
uint32_t ag_wasm_f32_max(uint32_t a, uint32_t b);
uint64_t ag_wasm_f64_min(uint64_t a, uint64_t b);
uint64_t ag_wasm_f64_max(uint64_t a, uint64_t b);

// Truncations to integers. f32 values are converted to double before, which is exact. The result
// is false for NaN (is_nan) and out of range; *value then is what the saturating form gives.
enum ag_wasm_conversion {
    AG_WASM_FITS,
    AG_WASM_NAN,
    AG_WASM_RANGE
};
enum ag_wasm_conversion ag_wasm_to_s32(double from, uint32_t *value);
enum ag_wasm_conversion ag_wasm_to_u32(double from, uint32_t *value);
enum ag_wasm_conversion ag_wasm_to_s64(double from, uint64_t *value);
enum ag_wasm_conversion ag_wasm_to_u64(double from, uint64_t *value);

#endif
