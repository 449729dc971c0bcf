// SPDX-License-Identifier: Apache-2.0
// The network of a board without an operating system: lwIP (NO_SYS), one interface, its address by
// DHCP or as provisioned, names by DNS, the time by SNTP. One thread: all of it runs from
// ag_net_poll.
#ifndef AG_BARE_NET_H
#define AG_BARE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Borrowed until the end. Texts are NUL-terminated; NULL or 0: not given.
struct ag_net_config {
    const char *address;     // "192.168.1.7/24"; NULL: by DHCP
    const char *gateway;     // with `address`
    const char *dns;         // "192.168.1.1", goes before what DHCP says
    uint16_t dns_port;       // of all DNS servers; default 53
    const char *time_server; // a name or address for SNTP; NULL: none is asked
    uint16_t time_port;      // default 123
    const char *host_name;   // told to DHCP
};

enum ag_net_state {
    AG_NET_DOWN,  // no cable
    AG_NET_WAITS, // for DHCP
    AG_NET_UP,    // has an address
};

struct ag_net_status {
    enum ag_net_state state;
    char address[16]; // dotted; "" while there is none
    char gateway[16];
    char dns[16];
    uint32_t received; // frames
    uint32_t sent;
    uint32_t dropped;      // frames, for want of memory or malformed
    uint32_t heap_used;    // bytes of lwIP's heap now
    uint32_t buffers_used; // of its receive buffers now
    uint32_t heap_peak;    // bytes of lwIP's heap, at most so far
    uint32_t buffers_peak; // of its receive buffers, at most so far
    bool has_time;         // SNTP has answered
};

// Once. AG_ERR_CONFIG: an address is malformed; then DHCP is asked in place of all three, as nobody
// can walk to a board that cannot be reached. AG_ERR_INTERNAL: there is no network, for ever.
// DHCP goes on from ag_net_poll, whatever the server does or does not.
AG_MUST_CHECK enum ag_status ag_net_start(const struct ag_net_config *config);
// Whether there is a cable and an address.
bool ag_net_is_up(void);
// Takes in frames, runs timers. Call it in each turn of the main loop.
void ag_net_poll(void);
// Milliseconds until the next timer is due; UINT32_MAX: never.
uint32_t ag_net_wait_ms(void);
void ag_net_status(struct ag_net_status *status);
// Told by SNTP: seconds since 1970, to ag_board's clock (board.c), which takes them for a guess.
void ag_net_on_time(int64_t seconds);

#endif
