// SPDX-License-Identifier: Apache-2.0
// What a controller does with its samples: a FIR filter and a biquad in Q15 integers, a PID
// controller in f32, and the process that it controls.
#include "kernel.h"

enum {
    TAPS = 16,
    SAMPLES = 200,
};

static const int16_t taps[TAPS] = { -52,  -133, -96,  310,  1228, 2595, 3998, 4890,
                                    4890, 3998, 2595, 1228, 310,  -96,  -133, -52 };

static int16_t line[TAPS];
static unsigned line_at;

static int32_t fir(int16_t sample)
{
    int32_t sum = 0;
    line[line_at] = sample;
    for (unsigned i = 0; i < TAPS; i++)
        sum += taps[i] * line[(line_at - i) & (TAPS - 1)];
    line_at = (line_at + 1) & (TAPS - 1);
    return sum >> 15;
}

struct biquad {
    int32_t x1, x2, y1, y2;
};

static int32_t biquad(struct biquad *state, int32_t x)
{
    const int32_t y =
        (1105 * x + 2210 * state->x1 + 1105 * state->x2 + 29984 * state->y1 - 11600 * state->y2) >>
        15;
    state->x2 = state->x1;
    state->x1 = x;
    state->y2 = state->y1;
    state->y1 = y > 32767 ? 32767 : y < -32768 ? -32768 : y;
    return state->y1;
}

struct pid {
    float integral;
    float last;
};

static float clamp(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static float control(struct pid *state, float wanted, float measured)
{
    const float error = wanted - measured;
    const float slope = error - state->last;
    state->integral = clamp(state->integral + 0.02f * error, -20.0f, 20.0f);
    state->last = error;
    return clamp(1.8f * error + state->integral + 0.35f * slope, 0.0f, 100.0f);
}

uint32_t kernel_filters(uint32_t rounds)
{
    uint32_t seed = 521288629u;
    uint32_t sum = 1;
    struct biquad low_pass = { 0, 0, 0, 0 };
    struct pid pid = { 0, 0 };
    float temperature = 15;
    for (int i = 0; i < TAPS; i++)
        line[i] = 0;
    line_at = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        const float wanted = 20.0f + (float)(round & 15);
        for (int i = 0; i < SAMPLES; i++) {
            const int32_t noise = (int32_t)(kernel_random(&seed) >> 24) - 128;
            const int32_t smooth = fir((int16_t)((int32_t)(temperature * 256.0f) + noise));
            const int32_t slow = biquad(&low_pass, smooth);
            const float power = control(&pid, wanted, (float)smooth / 256.0f);
            temperature += 0.01f * power - 0.02f * (temperature - 12.0f);
            sum = kernel_mix(sum, (uint32_t)slow);
        }
        sum = kernel_mix(sum, (uint32_t)(int32_t)(temperature * 1000.0f));
    }
    return sum;
}
