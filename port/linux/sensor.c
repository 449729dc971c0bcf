// SPDX-License-Identifier: Apache-2.0
// Temperature: a first-order model in steps of 100 ms, and files of the kernel.
#include "port/linux/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    STEP_MS = 100,
    STEPS_PER_TIME_CONSTANT = 300,
    WARM = 40000000, // micro-degrees
    COOL = 18000000,
    START = 20000000,
};

static void bring_up_to_date(struct ag_sensor *sensor, uint64_t now_ms)
{
    const int32_t target = sensor->heats ? WARM : COOL;
    uint64_t steps = (now_ms - sensor->at_ms) / STEP_MS;
    sensor->at_ms += steps * STEP_MS;
    if (steps > 10u * STEPS_PER_TIME_CONSTANT) {
        sensor->micro_degrees = target;
        return;
    }
    for (; steps > 0; steps--)
        sensor->micro_degrees += (target - sensor->micro_degrees) / STEPS_PER_TIME_CONSTANT;
}

void ag_sensor_init(struct ag_sensor *sensor, uint64_t now_ms)
{
    *sensor = (struct ag_sensor){ .micro_degrees = START, .at_ms = now_ms };
}

void ag_sensor_set_heater(struct ag_sensor *sensor, bool on, uint64_t now_ms)
{
    bring_up_to_date(sensor, now_ms);
    sensor->heats = on;
}

int32_t ag_sensor_milli_degrees(struct ag_sensor *sensor, uint64_t now_ms)
{
    bring_up_to_date(sensor, now_ms);
    return sensor->micro_degrees / 1000;
}

enum ag_status ag_sensor_read_file(const char *path, int32_t *value)
{
    char text[32];
    char *end;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return AG_ERR_IO;
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return AG_ERR_IO;
    text[size] = 0;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || errno != 0 || number < INT32_MIN || number > INT32_MAX)
        return AG_ERR_IO;
    *value = (int32_t)number;
    return AG_OK;
}
