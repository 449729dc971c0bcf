// SPDX-License-Identifier: Apache-2.0
// platform/wifi.h over NetworkManager: what a program on Linux sets up before it uses it.
//
// Everything goes over the system bus without waiting: the bus, NetworkManager and the device may
// come and go at any time. What is made there is one connection profile, in memory only
// (/run/NetworkManager), which NetworkManager never activates by itself; other profiles are left as
// they are. A connection outlives the program: at the next start it is found again.
#ifndef AG_LINUX_WIFI_SETUP_H
#define AG_LINUX_WIFI_SETUP_H

#include "port/linux/loop.h"

// `device` is an interface ("wlan0"), borrowed; NULL or "": the first one with a radio. Failures
// come out of ag_wifi_status.
void ag_wifi_open(struct ag_loop *loop, const char *device);
// Leaves the bus; a connection stays. Harmless when not open.
void ag_wifi_close(void);

#endif
