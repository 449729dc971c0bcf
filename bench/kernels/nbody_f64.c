// SPDX-License-Identifier: Apache-2.0
// f64: a few bodies that attract each other, stepped through time, with square roots and divisions.
#include "kernel.h"

enum {
    BODY_COUNT = 5,
    STEPS = 60,
};

struct body {
    double x, y, z;
    double vx, vy, vz;
    double mass;
};

static struct body bodies[BODY_COUNT];

static void place_bodies(void)
{
    uint32_t seed = 88675123u;
    for (int i = 0; i < BODY_COUNT; i++) {
        struct body *body = &bodies[i];
        body->x = i * 5.2 + (double)(kernel_random(&seed) & 255) / 256.0;
        body->y = (double)(kernel_random(&seed) & 255) / 64.0 - 2.0;
        body->z = (double)(kernel_random(&seed) & 255) / 640.0;
        body->vx = (double)(kernel_random(&seed) & 255) / 2560.0;
        body->vy = (double)(kernel_random(&seed) & 255) / 256.0;
        body->vz = 0;
        body->mass = i == 0 ? 39.5 : 0.04 / i;
    }
}

static void step(double dt)
{
    for (int i = 0; i < BODY_COUNT; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODY_COUNT; j++) {
            struct body *b = &bodies[j];
            const double dx = a->x - b->x;
            const double dy = a->y - b->y;
            const double dz = a->z - b->z;
            const double square = dx * dx + dy * dy + dz * dz + 1e-9;
            const double pull = dt / (square * __builtin_sqrt(square));
            a->vx -= dx * b->mass * pull;
            a->vy -= dy * b->mass * pull;
            a->vz -= dz * b->mass * pull;
            b->vx += dx * a->mass * pull;
            b->vy += dy * a->mass * pull;
            b->vz += dz * a->mass * pull;
        }
    }
    for (int i = 0; i < BODY_COUNT; i++) {
        bodies[i].x += dt * bodies[i].vx;
        bodies[i].y += dt * bodies[i].vy;
        bodies[i].z += dt * bodies[i].vz;
    }
}

static double energy(void)
{
    double total = 0;
    for (int i = 0; i < BODY_COUNT; i++) {
        const struct body *a = &bodies[i];
        total += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < BODY_COUNT; j++) {
            const struct body *b = &bodies[j];
            const double dx = a->x - b->x;
            const double dy = a->y - b->y;
            const double dz = a->z - b->z;
            total -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz + 1e-9);
        }
    }
    return total;
}

uint32_t kernel_nbody_f64(uint32_t rounds)
{
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        place_bodies();
        for (int i = 0; i < STEPS; i++)
            step(0.002 + 0.0001 * (double)(round & 7));
        sum = kernel_mix(sum, (uint32_t)(int32_t)(energy() * 1e6));
    }
    return sum;
}
