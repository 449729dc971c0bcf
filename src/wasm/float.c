// SPDX-License-Identifier: Apache-2.0
// Floating point on bits.
#include "float.h"

#include "base/config.h"

#if AG_CFG_WASM_FLOAT

#define QUIET32    0x00400000u
#define QUIET64    0x0008000000000000u
#define INFINITY64 0x7FF0000000000000u
#define SIGN       0x8000000000000000u

// Rounds a value of `size` mantissa bits whose exponent is unbiased; both formats share this, as
// an f32 is widened to 64 bits with its fields in place.
static uint64_t round_bits(uint64_t bits, uint32_t mantissa, uint32_t exponent_bits,
                           enum ag_wasm_rounding rounding)
{
    const uint64_t sign = 1ull << (mantissa + exponent_bits);
    const int32_t bias = (int32_t)(1u << (exponent_bits - 1)) - 1;
    const int32_t exponent = (int32_t)(bits >> mantissa & ((1u << exponent_bits) - 1)) - bias;
    const bool is_negative = bits & sign;
    const uint64_t one = (uint64_t)bias << mantissa;
    if (exponent >= (int32_t)mantissa) { // whole, infinite or NaN
        const bool is_nan = exponent > bias && (bits & ((1ull << mantissa) - 1)) != 0;
        return is_nan ? bits | 1ull << (mantissa - 1) : bits;
    }
    if ((bits & ~sign) == 0)
        return bits;
    const bool is_away = rounding == AG_WASM_CEIL ? !is_negative : is_negative;
    const bool is_directed = rounding == AG_WASM_CEIL || rounding == AG_WASM_FLOOR;
    if (exponent < 0) { // below one
        const uint64_t half = (uint64_t)(bias - 1) << mantissa;
        const bool is_one =
            is_directed ? is_away : rounding == AG_WASM_NEAREST && (bits & ~sign) > half;
        return (bits & sign) | (is_one ? one : 0);
    }
    const uint64_t unit = 1ull << (mantissa - (uint32_t)exponent); // of the last whole bit
    const uint64_t fraction = bits & (unit - 1);
    uint64_t result = bits - fraction;
    if (fraction == 0)
        return result;
    bool is_up = is_directed && is_away;
    if (rounding == AG_WASM_NEAREST) // with exponent 0 the last whole bit is the hidden one
        is_up = fraction > unit / 2 ||
                (fraction == unit / 2 && (exponent == 0 || (result & unit) != 0));
    return is_up ? result + unit : result;
}

uint32_t ag_wasm_f32_round(uint32_t bits, enum ag_wasm_rounding rounding)
{
    return (uint32_t)round_bits(bits, 23, 8, rounding);
}

uint64_t ag_wasm_f64_round(uint64_t bits, enum ag_wasm_rounding rounding)
{
    return round_bits(bits, 52, 11, rounding);
}

#if defined(__SSE2__) || defined(__aarch64__)
uint32_t ag_wasm_f32_sqrt(uint32_t bits)
{
    return ag_wasm_f32_bits(__builtin_sqrtf(ag_wasm_f32_of(bits)));
}

uint64_t ag_wasm_f64_sqrt(uint64_t bits)
{
    return ag_wasm_f64_bits(__builtin_sqrt(ag_wasm_f64_of(bits)));
}
#else
static uint32_t high_word(uint32_t x, uint32_t y)
{
    return (uint32_t)((uint64_t)x * y >> 32);
}

// What to add to a root that leaves `rest`: rest >> down, a signed 32-bit number, times the root's
// inverse.
static uint64_t correction(uint64_t rest, uint32_t down, uint32_t inverse, uint32_t shift)
{
    return (uint64_t)(((int64_t)rest >> down) * (int64_t)inverse >> shift);
}

// floor(sqrt(radicand << 54)) for a radicand from 1 << 52 to below 1 << 54: 54 bits. Newton's
// iteration takes the inverse of the root from a line, 9 % off, to 23 bits; two corrections by what
// the root leaves take the root to within one, off by less than 100 between them; the end makes it
// exact. Squares are taken modulo 2^64, in which what is left fits with its sign.
static uint64_t root_bits(uint64_t radicand, bool *is_exact)
{
    const uint32_t value = (uint32_t)(radicand >> 22);              // 1 to 4, at 2^30
    uint32_t inverse = 0x876C8B43u - high_word(value, 0x4C49BA5Eu); // 1.058 - 0.149 value, at 2^31
    for (int i = 0; i < 3; i++) {
        const uint32_t one = high_word(value, high_word(inverse, inverse)) << 2; // about 1, at 2^30
        inverse = high_word(inverse, 0xC0000000u - one) << 1;
    }
    const uint64_t first = (uint64_t)value * inverse >> 31; // at 2^30
    uint64_t root = (first << 23) + correction((radicand << 8) - first * first, 8, inverse, 31);
    root += correction((radicand << 54) - root * root, 32, inverse, 53);
    uint64_t rest = (radicand << 54) - root * root;
    while ((int64_t)rest < 0)
        rest += 2 * root-- - 1;
    while (rest > 2 * root)
        rest -= 2 * root++ + 1;
    *is_exact = rest == 0;
    return root;
}

static uint64_t sqrt_bits(uint64_t bits, uint32_t mantissa, uint32_t exponent_bits)
{
    const uint64_t sign = 1ull << (mantissa + exponent_bits);
    const int32_t bias = (int32_t)(1u << (exponent_bits - 1)) - 1;
    const int32_t raw = (int32_t)(bits >> mantissa & ((1u << exponent_bits) - 1));
    const uint64_t infinity = (uint64_t)((1u << exponent_bits) - 1) << mantissa;
    const uint64_t quiet = 1ull << (mantissa - 1);
    uint64_t fraction = bits & ((1ull << mantissa) - 1);
    if ((bits & ~sign) > infinity)
        return bits | quiet;
    if ((bits & ~sign) == 0 || bits == infinity)
        return bits;
    if (bits & sign)
        return infinity | quiet;
    int32_t exponent = raw - bias;
    if (raw == 0) {
        exponent = 1 - bias;
        while (!(fraction >> mantissa)) {
            fraction <<= 1;
            exponent--;
        }
    } else {
        fraction |= 1ull << mantissa;
    }
    if (exponent & 1) {
        fraction <<= 1;
        exponent--;
    }
    bool is_exact;
    uint64_t root = root_bits(fraction << (52 - mantissa), &is_exact);
    const uint32_t spare = 53 - mantissa; // digits to round by
    const uint64_t low = root & ((1ull << spare) - 1);
    const uint64_t half = 1ull << (spare - 1);
    root >>= spare;
    if (low > half || (low == half && (!is_exact || (root & 1))))
        root++;
    return ((uint64_t)(exponent / 2 + bias) << mantissa) + (root - (1ull << mantissa));
}

uint32_t ag_wasm_f32_sqrt(uint32_t bits)
{
    return (uint32_t)sqrt_bits(bits, 23, 8);
}

uint64_t ag_wasm_f64_sqrt(uint64_t bits)
{
    return sqrt_bits(bits, 52, 11);
}
#endif

static bool is_nan(uint64_t bits, uint64_t infinity)
{
    return (bits & ~SIGN) > infinity;
}

// The order of the values as integers, -0 below +0.
static int64_t rank(uint64_t bits)
{
    return (int64_t)(bits & SIGN ? bits ^ ~SIGN : bits);
}

// Of two values of either format, which begins at the highest bit. One function for four.
__attribute__((noinline)) static uint64_t choose(uint64_t a, uint64_t b, uint64_t infinity,
                                                 uint64_t quiet, bool is_max)
{
    if (is_nan(a, infinity) || is_nan(b, infinity))
        return (is_nan(a, infinity) ? a : b) | quiet;
    return (rank(a) > rank(b)) == is_max ? a : b;
}

static uint32_t choose32(uint32_t a, uint32_t b, bool is_max)
{
    return (uint32_t)(choose((uint64_t)a << 32, (uint64_t)b << 32, 0x7F80000000000000u,
                             (uint64_t)QUIET32 << 32, is_max) >>
                      32);
}

uint32_t ag_wasm_f32_min(uint32_t a, uint32_t b)
{
    return choose32(a, b, false);
}

uint32_t ag_wasm_f32_max(uint32_t a, uint32_t b)
{
    return choose32(a, b, true);
}

uint64_t ag_wasm_f64_min(uint64_t a, uint64_t b)
{
    return choose(a, b, INFINITY64, QUIET64, false);
}

uint64_t ag_wasm_f64_max(uint64_t a, uint64_t b)
{
    return choose(a, b, INFINITY64, QUIET64, true);
}

enum ag_wasm_conversion ag_wasm_to_s32(double from, uint32_t *value)
{
    if (from > -2147483649.0 && from < 2147483648.0) {
        *value = (uint32_t)(int32_t)from;
        return AG_WASM_FITS;
    }
    *value = from != from ? 0 : from < 0 ? 0x80000000u : 0x7FFFFFFFu;
    return from != from ? AG_WASM_NAN : AG_WASM_RANGE;
}

enum ag_wasm_conversion ag_wasm_to_u32(double from, uint32_t *value)
{
    if (from > -1.0 && from < 4294967296.0) {
        *value = from < 0 ? 0 : (uint32_t)from;
        return AG_WASM_FITS;
    }
    *value = from > 0 ? UINT32_MAX : 0;
    return from != from ? AG_WASM_NAN : AG_WASM_RANGE;
}

enum ag_wasm_conversion ag_wasm_to_s64(double from, uint64_t *value)
{
    if (from >= -9223372036854775808.0 && from < 9223372036854775808.0) {
        *value = (uint64_t)(int64_t)from;
        return AG_WASM_FITS;
    }
    *value = from != from ? 0 : from < 0 ? 0x8000000000000000u : 0x7FFFFFFFFFFFFFFFu;
    return from != from ? AG_WASM_NAN : AG_WASM_RANGE;
}

enum ag_wasm_conversion ag_wasm_to_u64(double from, uint64_t *value)
{
    if (from > -1.0 && from < 18446744073709551616.0) {
        *value = from < 0 ? 0 : (uint64_t)from;
        return AG_WASM_FITS;
    }
    *value = from > 0 ? UINT64_MAX : 0;
    return from != from ? AG_WASM_NAN : AG_WASM_RANGE;
}

#endif
