// SPDX-License-Identifier: Apache-2.0
// Indirect calls: objects of several classes with two methods each, and a queue of events whose
// handlers are looked up in a table.
#include "kernel.h"

enum {
    OBJECT_COUNT = 32,
    EVENTS = 256,
};

struct object;

struct class
{
    uint32_t (*update)(struct object *object, uint32_t input);
    uint32_t (*output)(const struct object *object);
};

struct object {
    const struct class *class;
    uint32_t state;
    uint32_t count;
};

static uint32_t count_update(struct object *object, uint32_t input)
{
    object->count += input & 1;
    return object->count;
}

static uint32_t count_output(const struct object *object)
{
    return object->count;
}

static uint32_t average_update(struct object *object, uint32_t input)
{
    object->state += (input & 0xFFFF) - (object->state >> 3);
    return object->state >> 3;
}

static uint32_t average_output(const struct object *object)
{
    return object->state >> 3;
}

static uint32_t toggle_update(struct object *object, uint32_t input)
{
    if (input & 4)
        object->state ^= 1;
    object->count++;
    return object->state;
}

static uint32_t toggle_output(const struct object *object)
{
    return object->state << 16 | (object->count & 0xFFFF);
}

static uint32_t delay_update(struct object *object, uint32_t input)
{
    const uint32_t last = object->state;
    object->state = input;
    return last;
}

static uint32_t delay_output(const struct object *object)
{
    return object->state ^ 0x55555555u;
}

static const struct class classes[] = {
    { count_update, count_output },
    { average_update, average_output },
    { toggle_update, toggle_output },
    { delay_update, delay_output },
};

static struct object objects[OBJECT_COUNT];

static uint32_t on_update(uint32_t event)
{
    struct object *object = &objects[event >> 8 & (OBJECT_COUNT - 1)];
    return object->class->update(object, event);
}

static uint32_t on_read(uint32_t event)
{
    const struct object *object = &objects[event >> 8 & (OBJECT_COUNT - 1)];
    return object->class->output(object);
}

static uint32_t on_pair(uint32_t event)
{
    struct object *to = &objects[event >> 8 & (OBJECT_COUNT - 1)];
    const struct object *from = &objects[event >> 16 & (OBJECT_COUNT - 1)];
    return to->class->update(to, from->class->output(from));
}

static uint32_t on_reset(uint32_t event)
{
    objects[event >> 8 & (OBJECT_COUNT - 1)].count = 0;
    return event;
}

static uint32_t (*const handlers[])(uint32_t event) = { on_update, on_read, on_pair,   on_update,
                                                        on_read,   on_pair, on_update, on_reset };

uint32_t kernel_indirect(uint32_t rounds)
{
    uint32_t seed = 77777777u;
    uint32_t sum = 1;
    for (uint32_t i = 0; i < OBJECT_COUNT; i++)
        objects[i] = (struct object){ &classes[(i ^ i >> 2) & 3], i, 0 };
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < EVENTS; i++) {
            const uint32_t event = kernel_random(&seed);
            sum = kernel_mix(sum, handlers[event & 7](event));
        }
    }
    return sum;
}
