// SPDX-License-Identifier: Apache-2.0
// The hub's log: one line per event on standard error, with level and time. Never a secret.
#ifndef AG_HUB_LOG_H
#define AG_HUB_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum ag_hub_log_level {
    AG_HUB_LOG_ERROR,
    AG_HUB_LOG_WARN,
    AG_HUB_LOG_INFO,
    AG_HUB_LOG_DEBUG,
};

// Lines above this level are not written; the default is info. False for an unknown name.
bool ag_hub_log_set_level(const char *name);

// Bytes that are not printable ASCII are written as `?`, so that no client can forge a line.
void ag_hub_log_write(enum ag_hub_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
