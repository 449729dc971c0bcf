// SPDX-License-Identifier: Apache-2.0
// About 100 KB of code: eight hundred small functions that differ in their constants; with
// -D TEN_KB a tenth of them.
#include <airgraft.h>

static uint32_t state = 1;

#define FUNCTION(n)                                                                                \
    __attribute__((noinline)) static uint32_t mix_##n(uint32_t x)                                  \
    {                                                                                              \
        uint32_t y = x * (0x9E3779B1u + 1##n) ^ x >> (1##n % 13 + 3);                              \
        for (uint32_t i = 0; i < 1##n % 5 + 2; i++)                                                \
            y = (y << (1##n % 7 + 5) | y >> 19) + (y ^ 0x85EBCA6Bu * 1##n);                        \
        y = y * y + (x >> 3 ^ 0xC2B2AE3Du + 1##n);                                                 \
        if (y & 1u << 1##n % 31)                                                                   \
            y -= state * 1##n;                                                                     \
        return y % 1##n##77 + (y & 1##n);                                                          \
    }
#define CALL(n) x = mix_##n(x);
#define TEN(what, n)                                                                               \
    what(n##0) what(n##1) what(n##2) what(n##3) what(n##4) what(n##5) what(n##6) what(n##7)        \
        what(n##8) what(n##9)
#define HUNDRED(what, n)                                                                           \
    TEN(what, n##0)                                                                                \
    TEN(what, n##1)                                                                                \
    TEN(what, n##2)                                                                                \
    TEN(what, n##3)                                                                                \
    TEN(what, n##4) TEN(what, n##5) TEN(what, n##6) TEN(what, n##7) TEN(what, n##8) TEN(what, n##9)
#ifdef TEN_KB
#define ALL(what)                                                                                  \
    TEN(what, 00)                                                                                  \
    TEN(what, 01)                                                                                  \
    TEN(what, 02) TEN(what, 03) TEN(what, 04) TEN(what, 05) TEN(what, 06) TEN(what, 07)
#else
#define ALL(what)                                                                                  \
    HUNDRED(what, 0)                                                                               \
    HUNDRED(what, 1)                                                                               \
    HUNDRED(what, 2)                                                                               \
    HUNDRED(what, 3) HUNDRED(what, 4) HUNDRED(what, 5) HUNDRED(what, 6) HUNDRED(what, 7)
#endif

ALL(FUNCTION)

int32_t initialize(void)
{
    return 0;
}

void execute(void)
{
    uint32_t x = state;
    ALL(CALL)
    state = x;
}
