// SPDX-License-Identifier: Apache-2.0
// A fast Fourier transform of 128 complex samples in Q15 integers, as vibration monitoring uses it.
#include "kernel.h"

enum {
    COUNT = 128,
    LOG = 7,
};

static int16_t re[COUNT];
static int16_t im[COUNT];
static int16_t cosine[COUNT / 2];
static int16_t sine[COUNT / 2];

// Turns a unit vector by 2 pi / COUNT again and again, in Q30.
static void make_tables(void)
{
    const int64_t turn_cos = 1072448455; // cos(2 pi / 128) * 2^30
    const int64_t turn_sin = 52686014;   // sin(2 pi / 128) * 2^30
    int64_t c = (int64_t)1 << 30;
    int64_t s = 0;
    for (int i = 0; i < COUNT / 2; i++) {
        const int64_t next = (c * turn_cos - s * turn_sin) >> 30;
        cosine[i] = (int16_t)(c * 32767 >> 30);
        sine[i] = (int16_t)(s * 32767 >> 30);
        s = (s * turn_cos + c * turn_sin) >> 30;
        c = next;
    }
}

static void reorder(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned j = 0;
        for (unsigned bit = 0; bit < LOG; bit++)
            j |= (i >> bit & 1u) << (LOG - 1 - bit);
        if (j <= i)
            continue;
        const int16_t r = re[i];
        const int16_t m = im[i];
        re[i] = re[j];
        im[i] = im[j];
        re[j] = r;
        im[j] = m;
    }
}

static void transform(void)
{
    reorder();
    for (int half = 1; half < COUNT; half *= 2) {
        const int stride = COUNT / (2 * half);
        for (int start = 0; start < COUNT; start += 2 * half) {
            for (int k = 0; k < half; k++) {
                const int a = start + k;
                const int b = a + half;
                const int32_t c = cosine[k * stride];
                const int32_t s = sine[k * stride];
                const int32_t tr = (re[b] * c + im[b] * s) >> 15;
                const int32_t ti = (im[b] * c - re[b] * s) >> 15;
                const int32_t r = re[a];
                const int32_t m = im[a];
                re[b] = (int16_t)((r - tr) >> 1); // halved each time, so that nothing overflows
                im[b] = (int16_t)((m - ti) >> 1);
                re[a] = (int16_t)((r + tr) >> 1);
                im[a] = (int16_t)((m + ti) >> 1);
            }
        }
    }
}

uint32_t kernel_fft_q15(uint32_t rounds)
{
    uint32_t seed = 123456789u;
    uint32_t sum = 1;
    make_tables();
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++) {
            re[i] = (int16_t)((int32_t)(kernel_random(&seed) >> 18) - 8192 + cosine[i & 63] / 4);
            im[i] = 0;
        }
        transform();
        for (int i = 0; i < COUNT; i++)
            sum = kernel_mix(sum, (uint32_t)(re[i] * re[i] + im[i] * im[i]));
    }
    return sum;
}
