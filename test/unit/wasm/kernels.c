// SPDX-License-Identifier: Apache-2.0
// The kernels. Freestanding: for WebAssembly there is no library.
#include "kernels.h"

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

static uint8_t buffer[4096];

static void fill_buffer(uint32_t seed)
{
    for (uint32_t i = 0; i < sizeof buffer; i++) {
        seed = seed * 1664525u + 1013904223u;
        buffer[i] = (uint8_t)(seed >> 24);
    }
}

static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

EXPORT(fibonacci) uint32_t kernel_fibonacci(uint32_t n)
{
    return fib(15 + n % 8);
}

EXPORT(crc32) uint32_t kernel_crc32(uint32_t n)
{
    fill_buffer(n);
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < sizeof buffer; i++) {
        crc ^= buffer[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

// The round constants: fractions of cube roots; made from a recurrence here, as only agreement of
// the two builds counts.
static void sha_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    uint32_t k = 0x428A2F98u;
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        const uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    uint32_t s[8];
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        k = k * 69069u + 1;
        const uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        const uint32_t t1 = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k + w[i];
        const uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        const uint32_t t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        for (int j = 7; j > 0; j--)
            s[j] = s[j - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

EXPORT(sha256) uint32_t kernel_sha256(uint32_t n)
{
    uint32_t state[8] = { 1, 2, 3, 4, 5, 6, 7, n };
    fill_buffer(n);
    for (uint32_t at = 0; at < sizeof buffer; at += 64)
        sha_block(state, buffer + at);
    return state[0] ^ state[3] ^ state[7];
}

static void sort(int32_t *items, int32_t low, int32_t high)
{
    while (low < high) {
        const int32_t pivot = items[low + (high - low) / 2];
        int32_t i = low;
        int32_t j = high;
        while (i <= j) {
            while (items[i] < pivot)
                i++;
            while (items[j] > pivot)
                j--;
            if (i <= j) {
                const int32_t item = items[i];
                items[i++] = items[j];
                items[j--] = item;
            }
        }
        sort(items, low, j);
        low = i;
    }
}

EXPORT(quicksort) uint32_t kernel_quicksort(uint32_t n)
{
    static int32_t items[1000];
    uint32_t seed = n;
    uint32_t sum = 0;
    for (int i = 0; i < 1000; i++) {
        seed = seed * 1103515245u + 12345;
        items[i] = (int32_t)(seed ^ seed << 13);
    }
    sort(items, 0, 999);
    for (uint32_t i = 0; i < 1000; i++)
        sum = sum * 31 + (uint32_t)items[i];
    return sum;
}

#ifndef KERNELS_WITHOUT_FLOATS
EXPORT(matrix) uint32_t kernel_matrix(uint32_t n)
{
    enum {
        SIZE = 16
    };
    static double a[SIZE][SIZE], b[SIZE][SIZE];
    static float c[SIZE][SIZE];
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (double)(i * j + (int)(n % 100)) / 7.0;
            b[i][j] = (double)(i - j) * 1.25;
        }
    }
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            double dot = 0;
            for (int k = 0; k < SIZE; k++)
                dot += a[i][k] * b[k][j];
            c[i][j] = (float)dot;
            sum += (double)c[i][j] < 0 ? -dot : dot;
        }
    }
    return (uint32_t)(int64_t)sum;
}

EXPORT(filter) uint32_t kernel_filter(uint32_t n)
{
    float taps[8] = { 0.1f, 0.2f, 0.3f, 0.4f, 0.3f, 0.2f, 0.1f, 0.05f };
    float line[8] = { 0 };
    float integral = 0;
    float last = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        for (int j = 7; j > 0; j--)
            line[j] = line[j - 1];
        line[0] = (float)((i * 7 + n) % 101) - 50.0f;
        float out = 0;
        for (int j = 0; j < 8; j++)
            out += taps[j] * line[j];
        integral += out * 0.01f;
        last = 0.5f * out + integral + 0.1f * (out - last);
    }
    return (uint32_t)(int32_t)(last * 1000.0f);
}
#endif

EXPORT(tokenize) uint32_t kernel_tokenize(uint32_t n)
{
    static const char text[] = "{\"name\": \"blinky\", \"version\": 11, \"on\": [true, false, null,"
                               " -12.5e3, \"a\\\"b\"], \"deep\": {\"x\": {\"y\": []}}}";
    uint32_t hash = n;
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t depth = 0;
        for (const char *at = text; *at;) {
            switch (*at) {
            case '{':
            case '[':
                hash = hash * 33 + ++depth;
                at++;
                break;
            case '}':
            case ']':
                hash ^= depth--;
                at++;
                break;
            case '"':
                for (at++; *at != '"'; at++) {
                    if (*at == '\\')
                        at++;
                    hash = hash * 31 + (uint8_t)*at;
                }
                at++;
                break;
            case ' ':
            case ',':
            case ':':
                at++;
                break;
            default:
                hash += (uint8_t)*at++;
            }
        }
    }
    return hash;
}

// An interpreter loop with a switch of many cases.
EXPORT(machine) uint32_t kernel_machine(uint32_t n)
{
    uint32_t r[4] = { n, 1, 2, 3 };
    fill_buffer(n);
    for (uint32_t step = 0, pc = 0; step < 5000; step++) {
        const uint8_t op = buffer[pc++ & 4095];
        uint32_t *a = &r[op >> 5 & 3];
        const uint32_t b = r[(op >> 3 & 3) ^ 1];
        switch (op & 15) {
        case 0:
            *a += b;
            break;
        case 1:
            *a -= b;
            break;
        case 2:
            *a ^= b;
            break;
        case 3:
            *a = *a << 3 | *a >> 29;
            break;
        case 4:
            *a *= 2654435761u;
            break;
        case 5:
            *a = b / (*a | 1);
            break;
        case 6:
            *a = b % (*a | 1);
            break;
        case 7:
            pc += b & 15;
            break;
        case 8:
            *a |= b;
            break;
        case 9:
            *a &= ~b;
            break;
        case 10:
            *a = *a < b ? *a : b;
            break;
        case 11:
            *a = (uint32_t)__builtin_popcount(b) + *a;
            break;
        case 12:
            *a = (uint32_t)((int32_t)*a >> 3);
            break;
        case 13:
            buffer[b & 4095] = (uint8_t)*a;
            break;
        case 14:
            *a += buffer[b & 4095];
            break;
        default:
            *a = ~*a;
        }
    }
    return r[0] * 7 + r[1] * 5 + r[2] * 3 + r[3] + n;
}

EXPORT(modpow) uint32_t kernel_modpow(uint32_t n)
{
    const uint64_t modulus = 1000000007u * 37ull;
    uint64_t result = 1;
    uint64_t base = n + 2;
    for (uint64_t e = 0xFFFFFFFFFFFull; e > 0; e >>= 1) {
        if (e & 1)
            result = result * base % modulus;
        base = base * base % modulus;
        base ^= (uint64_t)((int64_t)base >> 40) & 3;
    }
    return (uint32_t)(result ^ result >> 32);
}

static uint32_t add_one(uint32_t x)
{
    return x + 1;
}
static uint32_t twice(uint32_t x)
{
    return x * 2;
}
static uint32_t mix(uint32_t x)
{
    return x ^ x >> 7;
}

EXPORT(indirect) uint32_t kernel_indirect(uint32_t n)
{
    static uint32_t (*volatile const functions[3])(uint32_t) = { add_one, twice, mix };
    uint32_t x = n;
    for (uint32_t i = 0; i < 3000; i++)
        x = functions[x % 3](x) + i;
    return x;
}

EXPORT(bytes) uint32_t kernel_bytes(uint32_t n)
{
    fill_buffer(n);
    uint32_t sum = 0;
    for (uint32_t round = 0; round < 8; round++) {
        uint8_t *volatile to = buffer + (n + round) % 1000;
        const uint8_t *volatile from = buffer + 2000 - (n % 500);
        for (uint32_t i = 0; i < 1500; i++)
            to[i] = from[i] ^ (uint8_t)i;
        for (uint32_t i = 0; i < sizeof buffer; i++)
            sum = sum * 17 + buffer[i];
    }
    return sum;
}
