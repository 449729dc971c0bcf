// SPDX-License-Identifier: Apache-2.0
// Temperature from files of the kernel.
#include "port/linux/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

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
