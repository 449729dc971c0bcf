// SPDX-License-Identifier: Apache-2.0
// CRC-32, small or fast, as AG_CFG_CRC32_FAST chooses.
#include "base/crc32.h"

#include "base/config.h"

#if AG_CFG_CRC32_FAST

// Eight bytes at a time ("slicing by 8"): TABLE[k][n] is the CRC of byte n followed by k zero
// bytes. It is linear over exclusive or, so a table follows from its entries for the powers of two.
#define BIT(n, k, value) (((n) >> (k)&1u) * (value))
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                           \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^     \
     BIT(n, 6, g) ^ BIT(n, 7, h))
#define ROW4(n, ...)                                                                               \
    ENTRY(n, __VA_ARGS__), ENTRY(n + 1u, __VA_ARGS__), ENTRY(n + 2u, __VA_ARGS__),                 \
        ENTRY(n + 3u, __VA_ARGS__)
#define ROW16(n, ...)                                                                              \
    ROW4(n, __VA_ARGS__), ROW4(n + 4u, __VA_ARGS__), ROW4(n + 8u, __VA_ARGS__),                    \
        ROW4(n + 12u, __VA_ARGS__)
#define ROW64(n, ...)                                                                              \
    ROW16(n, __VA_ARGS__), ROW16(n + 16u, __VA_ARGS__), ROW16(n + 32u, __VA_ARGS__),               \
        ROW16(n + 48u, __VA_ARGS__)
#define ROWS(...)                                                                                  \
    {                                                                                              \
        ROW64(0u, __VA_ARGS__), ROW64(64u, __VA_ARGS__), ROW64(128u, __VA_ARGS__),                 \
            ROW64(192u, __VA_ARGS__)                                                               \
    }

static const uint32_t table[8][256] = {
    ROWS(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832, 0x1DB71064, 0x3B6E20C8, 0x76DC4190,
         0xEDB88320),
    ROWS(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08, 0x4AC21251, 0x958424A2, 0xF0794F05,
         0x3B83984B),
    ROWS(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8, 0x1C26A370, 0x384D46E0, 0x709A8DC0,
         0xE1351B80),
    ROWS(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF, 0x5019579F, 0xA032AF3E, 0x9B14583D,
         0xED59B63B),
    ROWS(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1, 0x60E09782, 0xC1C12F04, 0x58F35849,
         0xB1E6B092),
    ROWS(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D, 0x03D6029B, 0x07AC0536, 0x0F580A6C,
         0x1EB014D8),
    ROWS(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67, 0x67DE9CCE, 0xCFBD399C, 0x440B7579,
         0x8816EAF2),
    ROWS(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5, 0x7CBB312B, 0xF9766256, 0x299DC2ED,
         0x533B85DA),
};

uint32_t ag_crc32_update(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; size >= 8; size -= 8, at += 8) {
        crc = table[7][(crc ^ at[0]) & 255] ^ table[6][(crc >> 8 ^ at[1]) & 255] ^
              table[5][(crc >> 16 ^ at[2]) & 255] ^ table[4][crc >> 24 ^ at[3]] ^ table[3][at[4]] ^
              table[2][at[5]] ^ table[1][at[6]] ^ table[0][at[7]];
    }
    for (; size > 0; size--, at++)
        crc = table[0][(crc ^ *at) & 255] ^ crc >> 8;
    return ~crc;
}

#else

// By a table of 16: 64 bytes of flash, two look-ups a byte.
uint32_t ag_crc32_update(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc = table[(crc ^ at[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ at[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

#endif
