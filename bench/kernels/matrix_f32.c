// SPDX-License-Identifier: Apache-2.0
// Matrices of f32: product, transpose and scaling, as in a Kalman filter or a small neural network.
#include "kernel.h"

enum {
    SIZE = 20,
};

static float a[SIZE][SIZE];
static float b[SIZE][SIZE];
static float c[SIZE][SIZE];

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            float dot = 0;
            for (int k = 0; k < SIZE; k++)
                dot += a[i][k] * b[k][j];
            c[i][j] = dot;
        }
    }
}

// a := transposed c, its rows scaled so that the largest element is 1: nothing grows without end.
static void take_back(void)
{
    for (int j = 0; j < SIZE; j++) {
        float most = 1e-6f;
        for (int i = 0; i < SIZE; i++) {
            const float size = c[i][j] < 0 ? -c[i][j] : c[i][j];
            most = size > most ? size : most;
        }
        for (int i = 0; i < SIZE; i++)
            a[j][i] = c[i][j] / most;
    }
}

uint32_t kernel_matrix_f32(uint32_t rounds)
{
    uint32_t seed = 362436069u;
    uint32_t sum = 1;
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (float)(kernel_random(&seed) & 1023) / 512.0f - 1.0f;
            b[i][j] = (float)(kernel_random(&seed) & 1023) / 512.0f - 1.0f;
        }
    }
    for (uint32_t round = 0; round < rounds; round++) {
        multiply();
        take_back();
        float trace = 0;
        for (int i = 0; i < SIZE; i++)
            trace += a[i][i] + a[i][SIZE - 1 - i];
        sum = kernel_mix(sum, (uint32_t)(int32_t)(trace * 4096.0f));
    }
    return sum;
}
