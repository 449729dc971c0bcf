// SPDX-License-Identifier: Apache-2.0
// adc 0: a temperature in thousandths of a degree, read from a file or simulated.
#ifndef AG_LINUX_SENSOR_H
#define AG_LINUX_SENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

// The simulated sensor beside a heater: each second the temperature goes 1/30 of its way to 40 °C
// while the heater is on, and to 18 °C while it is off. Deterministic in the times it is given.
struct ag_sensor {
    int32_t micro_degrees;
    bool heats;
    uint64_t at_ms; // when micro_degrees was right
};

void ag_sensor_init(struct ag_sensor *sensor, uint64_t now_ms);
void ag_sensor_set_heater(struct ag_sensor *sensor, bool on, uint64_t now_ms);
int32_t ag_sensor_milli_degrees(struct ag_sensor *sensor, uint64_t now_ms);

// The whole number at the start of a file. AG_ERR_IO when it cannot be read or holds none.
AG_MUST_CHECK enum ag_status ag_sensor_read_file(const char *path, int32_t *value);

#endif
