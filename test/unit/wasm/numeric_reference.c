// SPDX-License-Identifier: Apache-2.0
// Every numeric instruction, computed in wider types, by other ways, or by the library of
// mathematics.
#include "numeric_reference.h"

#include <math.h>
#include <string.h>

static float f32(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static double f64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t bits64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

bool numeric_is_nan(char type, uint64_t bits)
{
    return type == 'f' ? isnan(f32(bits)) : type == 'd' ? isnan(f64(bits)) : false;
}

bool numeric_is_quiet(char type, uint64_t bits)
{
    return bits >> (type == 'f' ? 22 : 51) & 1;
}

#define s32(x) ((int32_t)(uint32_t)(x))
#define s64(x) ((int64_t)(x))
#define u32(x) ((uint32_t)(x))

#define OPERATION(name, expression)                                                                \
    static enum outcome name(uint64_t a, uint64_t b, uint64_t *result)                             \
    {                                                                                              \
        (void)a, (void)b;                                                                          \
        *result = (uint64_t)(expression);                                                          \
        return VALUE;                                                                              \
    }

// ---- Integers, bit by bit where C has nothing else --------------------------------------------

static uint64_t shift_left(uint64_t x, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        x *= 2;
    return x;
}

static uint64_t shift_right(uint64_t x, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        x /= 2;
    return x;
}

// Of a signed value: division that rounds down.
static int64_t shift_signed(int64_t x, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        x = x / 2 - (x % 2 < 0 ? 1 : 0);
    return x;
}

static uint64_t rotate(uint64_t x, uint64_t count, uint32_t bits)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t top = x >> (bits - 1) & 1;
        x = x * 2 + top;
        if (bits == 32)
            x &= UINT32_MAX;
    }
    return x;
}

static uint64_t leading(uint64_t x, uint32_t bits)
{
    uint32_t count = 0;
    while (count < bits && !(x >> (bits - 1 - count) & 1))
        count++;
    return count;
}

static uint64_t trailing(uint64_t x, uint32_t bits)
{
    uint32_t count = 0;
    while (count < bits && !(x >> count & 1))
        count++;
    return count;
}

static uint64_t ones(uint64_t x)
{
    uint64_t count = 0;
    for (; x != 0; x &= x - 1)
        count++;
    return count;
}

OPERATION(i32_eqz, u32(a) == 0)
OPERATION(i32_eq, u32(a) == u32(b))
OPERATION(i32_ne, u32(a) != u32(b))
OPERATION(i32_lt_s, s32(a) < s32(b))
OPERATION(i32_lt_u, u32(a) < u32(b))
OPERATION(i32_gt_s, s32(a) > s32(b))
OPERATION(i32_gt_u, u32(a) > u32(b))
OPERATION(i32_le_s, s32(a) <= s32(b))
OPERATION(i32_le_u, u32(a) <= u32(b))
OPERATION(i32_ge_s, s32(a) >= s32(b))
OPERATION(i32_ge_u, u32(a) >= u32(b))
OPERATION(i64_eqz, a == 0)
OPERATION(i64_eq, a == b)
OPERATION(i64_ne, a != b)
OPERATION(i64_lt_s, s64(a) < s64(b))
OPERATION(i64_lt_u, a < b)
OPERATION(i64_gt_s, s64(a) > s64(b))
OPERATION(i64_gt_u, a > b)
OPERATION(i64_le_s, s64(a) <= s64(b))
OPERATION(i64_le_u, a <= b)
OPERATION(i64_ge_s, s64(a) >= s64(b))
OPERATION(i64_ge_u, a >= b)
OPERATION(i32_clz, leading(a, 32))
OPERATION(i32_ctz, trailing(a, 32))
OPERATION(i32_popcnt, ones(u32(a)))
OPERATION(i64_clz, leading(a, 64))
OPERATION(i64_ctz, trailing(a, 64))
OPERATION(i64_popcnt, ones(a))
OPERATION(i32_add, u32(a + b))
OPERATION(i32_sub, u32(a - b))
OPERATION(i32_mul, u32(a *b))
OPERATION(i32_and, u32(a) & u32(b))
OPERATION(i32_or, u32(a) | u32(b))
OPERATION(i32_xor, u32(a) ^ u32(b))
OPERATION(i32_shl, u32(shift_left(u32(a), b % 32)))
OPERATION(i32_shr_s, u32(shift_signed(s32(a), b % 32)))
OPERATION(i32_shr_u, shift_right(u32(a), b % 32))
OPERATION(i32_rotl, rotate(u32(a), b % 32, 32))
OPERATION(i32_rotr, rotate(u32(a), (32 - b % 32) % 32, 32))
OPERATION(i64_add, a + b)
OPERATION(i64_sub, a - b)
OPERATION(i64_mul, a *b)
OPERATION(i64_and, a &b)
OPERATION(i64_or, a | b)
OPERATION(i64_xor, a ^ b)
OPERATION(i64_shl, shift_left(a, b % 64))
OPERATION(i64_shr_s, shift_signed(s64(a), b % 64))
OPERATION(i64_shr_u, shift_right(a, b % 64))
OPERATION(i64_rotl, rotate(a, b % 64, 64))
OPERATION(i64_rotr, rotate(a, (64 - b % 64) % 64, 64))

#define DIVISION(name, zero, overflow, expression)                                                 \
    static enum outcome name(uint64_t a, uint64_t b, uint64_t *result)                             \
    {                                                                                              \
        if (zero)                                                                                  \
            return DIVIDE_BY_ZERO;                                                                 \
        if (overflow)                                                                              \
            return OVERFLOW;                                                                       \
        *result = (uint64_t)(expression);                                                          \
        return VALUE;                                                                              \
    }
DIVISION(i32_div_s, u32(b) == 0, s32(a) == INT32_MIN && s32(b) == -1,
         u32((int64_t)s32(a) / (int64_t)s32(b)))
DIVISION(i32_div_u, u32(b) == 0, false, u32(a) / u32(b))
DIVISION(i32_rem_s, u32(b) == 0, false, u32((int64_t)s32(a) % (int64_t)s32(b)))
DIVISION(i32_rem_u, u32(b) == 0, false, u32(a) % u32(b))
DIVISION(i64_div_s, b == 0, s64(a) == INT64_MIN && s64(b) == -1, s64(a) / s64(b))
DIVISION(i64_div_u, b == 0, false, a / b)
DIVISION(i64_rem_s, b == 0, false, s64(b) == -1 ? 0 : s64(a) % s64(b))
DIVISION(i64_rem_u, b == 0, false, a % b)

OPERATION(i32_wrap, u32(a))
OPERATION(i64_extend_s, (int64_t)s32(a))
OPERATION(i64_extend_u, u32(a))
OPERATION(same32, u32(a))
OPERATION(same64, a)
OPERATION(i32_extend8, u32((a & 0xFF) < 0x80 ? a & 0xFF : (a & 0xFF) - 0x100))
OPERATION(i32_extend16, u32((a & 0xFFFF) < 0x8000 ? a & 0xFFFF : (a & 0xFFFF) - 0x10000))
OPERATION(i64_extend8, (a & 0xFF) < 0x80 ? a & 0xFF : (a & 0xFF) - 0x100)
OPERATION(i64_extend16, (a & 0xFFFF) < 0x8000 ? a & 0xFFFF : (a & 0xFFFF) - 0x10000)
OPERATION(i64_extend32, u32(a) < 0x80000000u ? u32(a) : u32(a) - 0x100000000ull)

// ---- Floats -----------------------------------------------------------------------------------

// Rounding by conversion to an integer and by adding what leaves no fraction: not by the library,
// whose ceil() some microcontrollers have wrong (picolibc 1.8: that of 2^31 - 2^-22).
static double truncated(double x)
{
    if (isnan(x) || fabs(x) >= 0x1p52)
        return x + 0;
    return copysign((double)(int64_t)x, x);
}

static double floored(double x)
{
    const double whole = truncated(x);
    return whole > x ? whole - 1 : whole;
}

static double ceiled(double x)
{
    const double whole = truncated(x);
    return copysign(whole < x ? whole + 1 : whole, x);
}

static double to_nearest(double x)
{
    if (isnan(x) || fabs(x) >= 0x1p52)
        return x + 0;
    volatile double sum = fabs(x) + 0x1p52;
    return copysign(sum - 0x1p52, x);
}

// The smaller or larger one, -0 below +0; NaN if either is.
static double extreme(double x, double y, bool is_min)
{
    if (isnan(x) || isnan(y))
        return NAN;
    if (x == y)
        return (signbit(x) != 0) == is_min ? x : y;
    return (x < y) == is_min ? x : y;
}

#define FLOATS(width, of, bits_of, sign)                                                           \
    OPERATION(f##width##_eq, of(a) == of(b))                                                       \
    OPERATION(f##width##_ne, !(of(a) == of(b)))                                                    \
    OPERATION(f##width##_lt, isless(of(a), of(b)))                                                 \
    OPERATION(f##width##_gt, isgreater(of(a), of(b)))                                              \
    OPERATION(f##width##_le, islessequal(of(a), of(b)))                                            \
    OPERATION(f##width##_ge, isgreaterequal(of(a), of(b)))                                         \
    OPERATION(f##width##_abs, a & ~(sign))                                                         \
    OPERATION(f##width##_neg, a ^ (sign))                                                          \
    OPERATION(f##width##_copysign, (a & ~(sign)) | (b & (sign)))                                   \
    OPERATION(f##width##_min, bits_of(extreme(of(a), of(b), true)))                                \
    OPERATION(f##width##_max, bits_of(extreme(of(a), of(b), false)))

static uint64_t narrow(double value)
{
    return bits32((float)value);
}

FLOATS(32, f32, narrow, 0x80000000u)
FLOATS(64, f64, bits64, 0x8000000000000000u)

// A float's sum, product and quotient, computed in double and rounded once more, are exact.
OPERATION(f32_add, narrow((double)f32(a) + (double)f32(b)))
OPERATION(f32_sub, narrow((double)f32(a) - (double)f32(b)))
OPERATION(f32_mul, narrow((double)f32(a) * (double)f32(b)))
OPERATION(f32_div, narrow((double)f32(a) / (double)f32(b)))
OPERATION(f32_sqrt, narrow(sqrt((double)f32(a))))
OPERATION(f32_ceil, narrow(ceiled((double)f32(a))))
OPERATION(f32_floor, narrow(floored((double)f32(a))))
OPERATION(f32_trunc, narrow(truncated((double)f32(a))))
OPERATION(f32_nearest, narrow(to_nearest((double)f32(a))))
OPERATION(f64_add, bits64(f64(a) + f64(b)))
OPERATION(f64_sub, bits64(f64(a) - f64(b)))
OPERATION(f64_mul, bits64(f64(a) * f64(b)))
OPERATION(f64_div, bits64(f64(a) / f64(b)))
OPERATION(f64_sqrt, bits64(sqrt(f64(a))))
OPERATION(f64_ceil, bits64(ceiled(f64(a))))
OPERATION(f64_floor, bits64(floored(f64(a))))
OPERATION(f64_trunc, bits64(truncated(f64(a))))
OPERATION(f64_nearest, bits64(to_nearest(f64(a))))
OPERATION(f32_demote, narrow(f64(a)))
OPERATION(f64_promote, bits64((double)f32(a)))

// Integers as floats: the two halves apart, put together by one rounded operation.
static double parts(uint64_t value, bool is_signed)
{
    const double high = (double)(int32_t)(uint32_t)(value >> 32);
    const double low = (double)(uint32_t)value;
    const double unsigned_high = (double)(uint32_t)(value >> 32);
    return fma(is_signed ? high : unsigned_high, 0x1p32, low);
}

// To float in one rounding: the bits below the 25th of the magnitude count as one that is set.
static float sticky(uint64_t value, bool is_signed)
{
    const bool is_negative = is_signed && s64(value) < 0;
    uint64_t rest = is_negative ? 0 - value : value;
    int exponent = 0;
    while (rest >> 26 != 0) {
        rest = rest >> 1 | (rest & 1);
        exponent++;
    }
    const float magnitude = (float)ldexp((double)rest, exponent);
    return is_negative ? -magnitude : magnitude;
}

OPERATION(f32_from_s32, bits32((float)(double)s32(a)))
OPERATION(f32_from_u32, bits32((float)(double)u32(a)))
OPERATION(f32_from_s64, bits32(sticky(a, true)))
OPERATION(f32_from_u64, bits32(sticky(a, false)))
OPERATION(f64_from_s32, bits64((double)s32(a)))
OPERATION(f64_from_u32, bits64((double)u32(a)))
OPERATION(f64_from_s64, bits64(parts(a, true)))
OPERATION(f64_from_u64, bits64(parts(a, false)))

// Floats as integers: the truncated value compared with the limits, all exact in double.
static enum outcome integer_of(double value, unsigned bits, bool is_signed, uint64_t *result)
{
    const double whole = truncated(value);
    const double end = ldexp(1, (int)(is_signed ? bits - 1 : bits)); // the first too large
    const double low = is_signed ? -end : 0;
    const uint64_t mask = bits == 32 ? UINT32_MAX : UINT64_MAX;
    if (isnan(value)) {
        *result = 0;
        return CONVERSION;
    }
    if (whole < low) {
        *result = is_signed ? mask / 2 + 1 : 0;
        return OVERFLOW;
    }
    if (whole >= end) {
        *result = is_signed ? mask / 2 : mask;
        return OVERFLOW;
    }
    const double magnitude = fabs(whole);
    const uint64_t high = (uint64_t)(magnitude / 0x1p32);
    const uint64_t low_part = (uint64_t)(magnitude - (double)high * 0x1p32);
    const uint64_t all = high << 32 | low_part;
    *result = (whole < 0 ? 0 - all : all) & mask;
    return VALUE;
}

#define TRUNCATION(name, of, bits, is_signed)                                                      \
    static enum outcome name(uint64_t a, uint64_t b, uint64_t *result)                             \
    {                                                                                              \
        (void)b;                                                                                   \
        return integer_of((double)of(a), bits, is_signed, result);                                 \
    }                                                                                              \
    static enum outcome name##_sat(uint64_t a, uint64_t b, uint64_t *result)                       \
    {                                                                                              \
        (void)b;                                                                                   \
        (void)integer_of((double)of(a), bits, is_signed, result);                                  \
        return VALUE;                                                                              \
    }
TRUNCATION(s32_from_f32, f32, 32, true)
TRUNCATION(u32_from_f32, f32, 32, false)
TRUNCATION(s32_from_f64, f64, 32, true)
TRUNCATION(u32_from_f64, f64, 32, false)
TRUNCATION(s64_from_f32, f32, 64, true)
TRUNCATION(u64_from_f32, f32, 64, false)
TRUNCATION(s64_from_f64, f64, 64, true)
TRUNCATION(u64_from_f64, f64, 64, false)

#define INTEGER_ROWS(p, type, first, second)                                                       \
    { #p ".clz", first, type, type, 1, 0, p##_clz },                                               \
        { #p ".ctz", first + 1, type, type, 1, 0, p##_ctz },                                       \
        { #p ".popcnt", first + 2, type, type, 1, 0, p##_popcnt },                                 \
        { #p ".add", first + 3, type, type, 2, 0, p##_add },                                       \
        { #p ".sub", first + 4, type, type, 2, 0, p##_sub },                                       \
        { #p ".mul", first + 5, type, type, 2, 0, p##_mul },                                       \
        { #p ".div_s", first + 6, type, type, 2, 0, p##_div_s },                                   \
        { #p ".div_u", first + 7, type, type, 2, 0, p##_div_u },                                   \
        { #p ".rem_s", first + 8, type, type, 2, 0, p##_rem_s },                                   \
        { #p ".rem_u", first + 9, type, type, 2, 0, p##_rem_u },                                   \
        { #p ".and", first + 10, type, type, 2, 0, p##_and },                                      \
        { #p ".or", first + 11, type, type, 2, 0, p##_or },                                        \
        { #p ".xor", first + 12, type, type, 2, 0, p##_xor },                                      \
        { #p ".shl", first + 13, type, type, 2, 0, p##_shl },                                      \
        { #p ".shr_s", first + 14, type, type, 2, 0, p##_shr_s },                                  \
        { #p ".shr_u", first + 15, type, type, 2, 0, p##_shr_u },                                  \
        { #p ".rotl", first + 16, type, type, 2, 0, p##_rotl },                                    \
        { #p ".rotr", first + 17, type, type, 2, 0, p##_rotr },                                    \
        { #p ".eqz", second, type, 'i', 1, 0, p##_eqz },                                           \
        { #p ".eq", second + 1, type, 'i', 2, 0, p##_eq },                                         \
        { #p ".ne", second + 2, type, 'i', 2, 0, p##_ne },                                         \
        { #p ".lt_s", second + 3, type, 'i', 2, 0, p##_lt_s },                                     \
        { #p ".lt_u", second + 4, type, 'i', 2, 0, p##_lt_u },                                     \
        { #p ".gt_s", second + 5, type, 'i', 2, 0, p##_gt_s },                                     \
        { #p ".gt_u", second + 6, type, 'i', 2, 0, p##_gt_u },                                     \
        { #p ".le_s", second + 7, type, 'i', 2, 0, p##_le_s },                                     \
        { #p ".le_u", second + 8, type, 'i', 2, 0, p##_le_u },                                     \
        { #p ".ge_s", second + 9, type, 'i', 2, 0, p##_ge_s },                                     \
    {                                                                                              \
#p ".ge_u", second + 10, type, 'i', 2, 0, p##_ge_u                                         \
    }
#define FLOAT_ROWS(p, type, first, second)                                                         \
    { #p ".abs", first, type, type, 1, 1, p##_abs },                                               \
        { #p ".neg", first + 1, type, type, 1, 1, p##_neg },                                       \
        { #p ".ceil", first + 2, type, type, 1, 0, p##_ceil },                                     \
        { #p ".floor", first + 3, type, type, 1, 0, p##_floor },                                   \
        { #p ".trunc", first + 4, type, type, 1, 0, p##_trunc },                                   \
        { #p ".nearest", first + 5, type, type, 1, 0, p##_nearest },                               \
        { #p ".sqrt", first + 6, type, type, 1, 0, p##_sqrt },                                     \
        { #p ".add", first + 7, type, type, 2, 0, p##_add },                                       \
        { #p ".sub", first + 8, type, type, 2, 0, p##_sub },                                       \
        { #p ".mul", first + 9, type, type, 2, 0, p##_mul },                                       \
        { #p ".div", first + 10, type, type, 2, 0, p##_div },                                      \
        { #p ".min", first + 11, type, type, 2, 0, p##_min },                                      \
        { #p ".max", first + 12, type, type, 2, 0, p##_max },                                      \
        { #p ".copysign", first + 13, type, type, 2, 1, p##_copysign },                            \
        { #p ".eq", second, type, 'i', 2, 0, p##_eq },                                             \
        { #p ".ne", second + 1, type, 'i', 2, 0, p##_ne },                                         \
        { #p ".lt", second + 2, type, 'i', 2, 0, p##_lt },                                         \
        { #p ".gt", second + 3, type, 'i', 2, 0, p##_gt },                                         \
        { #p ".le", second + 4, type, 'i', 2, 0, p##_le },                                         \
    {                                                                                              \
#p ".ge", second + 5, type, 'i', 2, 0, p##_ge                                              \
    }

const struct numeric numerics[] = {
    INTEGER_ROWS(i32, 'i', 0x67, 0x45),
    INTEGER_ROWS(i64, 'l', 0x79, 0x50),
    FLOAT_ROWS(f32, 'f', 0x8B, 0x5B),
    FLOAT_ROWS(f64, 'd', 0x99, 0x61),
    { "i32.wrap_i64", 0xA7, 'l', 'i', 1, 0, i32_wrap },
    { "i32.trunc_f32_s", 0xA8, 'f', 'i', 1, 0, s32_from_f32 },
    { "i32.trunc_f32_u", 0xA9, 'f', 'i', 1, 0, u32_from_f32 },
    { "i32.trunc_f64_s", 0xAA, 'd', 'i', 1, 0, s32_from_f64 },
    { "i32.trunc_f64_u", 0xAB, 'd', 'i', 1, 0, u32_from_f64 },
    { "i64.extend_i32_s", 0xAC, 'i', 'l', 1, 0, i64_extend_s },
    { "i64.extend_i32_u", 0xAD, 'i', 'l', 1, 0, i64_extend_u },
    { "i64.trunc_f32_s", 0xAE, 'f', 'l', 1, 0, s64_from_f32 },
    { "i64.trunc_f32_u", 0xAF, 'f', 'l', 1, 0, u64_from_f32 },
    { "i64.trunc_f64_s", 0xB0, 'd', 'l', 1, 0, s64_from_f64 },
    { "i64.trunc_f64_u", 0xB1, 'd', 'l', 1, 0, u64_from_f64 },
    { "f32.convert_i32_s", 0xB2, 'i', 'f', 1, 0, f32_from_s32 },
    { "f32.convert_i32_u", 0xB3, 'i', 'f', 1, 0, f32_from_u32 },
    { "f32.convert_i64_s", 0xB4, 'l', 'f', 1, 0, f32_from_s64 },
    { "f32.convert_i64_u", 0xB5, 'l', 'f', 1, 0, f32_from_u64 },
    { "f32.demote_f64", 0xB6, 'd', 'f', 1, 0, f32_demote },
    { "f64.convert_i32_s", 0xB7, 'i', 'd', 1, 0, f64_from_s32 },
    { "f64.convert_i32_u", 0xB8, 'i', 'd', 1, 0, f64_from_u32 },
    { "f64.convert_i64_s", 0xB9, 'l', 'd', 1, 0, f64_from_s64 },
    { "f64.convert_i64_u", 0xBA, 'l', 'd', 1, 0, f64_from_u64 },
    { "f64.promote_f32", 0xBB, 'f', 'd', 1, 0, f64_promote },
    { "i32.reinterpret_f32", 0xBC, 'f', 'i', 1, 1, same32 },
    { "i64.reinterpret_f64", 0xBD, 'd', 'l', 1, 1, same64 },
    { "f32.reinterpret_i32", 0xBE, 'i', 'f', 1, 1, same32 },
    { "f64.reinterpret_i64", 0xBF, 'l', 'd', 1, 1, same64 },
    { "i32.extend8_s", 0xC0, 'i', 'i', 1, 0, i32_extend8 },
    { "i32.extend16_s", 0xC1, 'i', 'i', 1, 0, i32_extend16 },
    { "i64.extend8_s", 0xC2, 'l', 'l', 1, 0, i64_extend8 },
    { "i64.extend16_s", 0xC3, 'l', 'l', 1, 0, i64_extend16 },
    { "i64.extend32_s", 0xC4, 'l', 'l', 1, 0, i64_extend32 },
    { "i32.trunc_sat_f32_s", 0xFC00, 'f', 'i', 1, 0, s32_from_f32_sat },
    { "i32.trunc_sat_f32_u", 0xFC01, 'f', 'i', 1, 0, u32_from_f32_sat },
    { "i32.trunc_sat_f64_s", 0xFC02, 'd', 'i', 1, 0, s32_from_f64_sat },
    { "i32.trunc_sat_f64_u", 0xFC03, 'd', 'i', 1, 0, u32_from_f64_sat },
    { "i64.trunc_sat_f32_s", 0xFC04, 'f', 'l', 1, 0, s64_from_f32_sat },
    { "i64.trunc_sat_f32_u", 0xFC05, 'f', 'l', 1, 0, u64_from_f32_sat },
    { "i64.trunc_sat_f64_s", 0xFC06, 'd', 'l', 1, 0, s64_from_f64_sat },
    { "i64.trunc_sat_f64_u", 0xFC07, 'd', 'l', 1, 0, u64_from_f64_sat },
};
const size_t numeric_count = sizeof numerics / sizeof numerics[0];

static const uint64_t edges_i32[] = {
    0,          1,          2,          3,          7,          31,         32,
    33,         64,         127,        128,        255,        256,        32766,
    32767,      32768,      32769,      65535,      65536,      0x12345678, 0xAAAAAAAA,
    0x55555555, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFF7FFF, 0xFFFF8000,
    0xFFFF8001, 0xFFFFFF7F, 0xFFFFFF80, 0xFFFFFFFE, 0xFFFFFFFF,
};
static const uint64_t edges_i64[] = {
    0,
    1,
    2,
    3,
    31,
    32,
    63,
    64,
    65,
    127,
    128,
    32766,
    32767,
    32768,
    65536,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x100000000,
    0x1000001,
    0x1FFFFFF,
    0x20000000000001,
    0x3FFFFFFFFFFFFF,
    0x123456789ABCDEF0,
    0x7FFFFFBFFFFFFFFF,
    0x7FFFFFC000000000,
    0x7FFFFFFFFFFFFBFF,
    0x7FFFFFFFFFFFFC00,
    0x7FFFFFFFFFFFFFFF,
    0x8000000000000000,
    0x8000000000000001,
    0x8000008000000001,
    0xFFFFFF8000000000,
    0xFFFFFFFF7FFFFFFF,
    0xFFFFFFFF80000000,
    0xFFFFFFFFFFFF7FFF,
    0xFFFFFFFFFFFF8000,
    0xFFFFFFFFFFFFFF80,
    0xFFFFFFFFFFFFFFFE,
    0xFFFFFFFFFFFFFFFF,
};
// Powers of two that integers end at with their neighbours, halves, limits of the format.
static const uint64_t edges_f32[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x3EFFFFFF,
    0x3F000000, 0xBF000000, 0x3F000001, 0x3F7FFFFF, 0x3F800000, 0xBF800000, 0xBF7FFFFF, 0xBF800001,
    0x3FC00000, 0xBFC00000, 0x40200000, 0xC0200000, 0x40490FDB, 0x4AFFFFFF, 0x4B000000, 0x4B000001,
    0x4B7FFFFF, 0xCB000001, 0x4EFFFFFF, 0x4F000000, 0xCF000000, 0xCF000001, 0x4F7FFFFF, 0x4F800000,
    0x5EFFFFFF, 0x5F000000, 0xDF000000, 0xDF000001, 0x5F7FFFFF, 0x5F800000, 0x7F7FFFFF, 0xFF7FFFFF,
    0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FA00000, 0xFF800001, 0x7FFFFFFF,
};
static const uint64_t edges_f64[] = {
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001,
    0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FDFFFFFFFFFFFFF, 0x3FE0000000000000,
    0xBFE0000000000000, 0x3FE0000000000001, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000,
    0xBFF0000000000000, 0xBFEFFFFFFFFFFFFF, 0xBFF0000000000001, 0x3FF8000000000000,
    0xBFF8000000000000, 0x4004000000000000, 0xC004000000000000, 0x400921FB54442D18,
    0x41DFFFFFFFBFFFFF, 0x41DFFFFFFFC00000, 0x41DFFFFFFFFFFFFF, 0x41E0000000000000,
    0xC1E0000000000000, 0xC1E00000001FFFFF, 0xC1E0000000200000, 0x41EFFFFFFFE00000,
    0x41EFFFFFFFFFFFFF, 0x41F0000000000000, 0x432FFFFFFFFFFFFF, 0x4330000000000001,
    0x433FFFFFFFFFFFFF, 0xC330000000000001, 0x43DFFFFFFFFFFFFF, 0x43E0000000000000,
    0xC3E0000000000000, 0xC3E0000000000001, 0x43EFFFFFFFFFFFFF, 0x43F0000000000000,
    0x36A0000000000000, 0x3690000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000,
    0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000,
    0x7FF8000000000000, 0xFFF8000000000000, 0x7FF4000000000000, 0xFFF0000000000001,
    0x7FFFFFFFFFFFFFFF,
};

#define EDGES(list) (*count = sizeof list / sizeof list[0], list)
const uint64_t *numeric_edges(char type, size_t *count)
{
    if (type == 'i')
        return EDGES(edges_i32);
    if (type == 'l')
        return EDGES(edges_i64);
    return type == 'f' ? EDGES(edges_f32) : EDGES(edges_f64);
}
