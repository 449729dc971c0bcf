// SPDX-License-Identifier: Apache-2.0
// Tells systemd how the service is (sd_notify's datagrams, without its library). Outside of a
// systemd service nothing is sent.
#ifndef AG_LINUX_NOTIFY_H
#define AG_LINUX_NOTIFY_H

#include <stdint.h>

// Sends `state`: lines like "READY=1", "STOPPING=1", "STATUS=online".
void ag_notify_send(const char *state);

// Half of the service's WatchdogSec in milliseconds: how often "WATCHDOG=1" is due. UINT64_MAX when
// no watchdog waits for it.
uint64_t ag_notify_watchdog_ms(void);

#endif
