// SPDX-License-Identifier: Apache-2.0
// adc 0: a temperature in thousandths of a degree, read from a file.
#ifndef AG_LINUX_SENSOR_H
#define AG_LINUX_SENSOR_H

#include <stdint.h>

#include "base/status.h"

// The whole number at the start of a file. AG_ERR_IO when it cannot be read or holds none.
AG_MUST_CHECK enum ag_status ag_sensor_read_file(const char *path, int32_t *value);

#endif
