// SPDX-License-Identifier: Apache-2.0
// The device as a station of Wi-Fi: keeps it connected to one of the networks that it knows.
//
//   no radio --> scans --> joins --> connected
//                  ^         |          |
//                  +--- pauses <--------+
//
// In each round it looks which networks are in range and tries those that it knows, in the order in
// which they are given, each once. When none was joined it pauses: exponential with full jitter
// from AG_CFG_WIFI_PAUSE_MS to AG_CFG_WIFI_PAUSE_MAX_MS, without ever giving up. A connection that
// ends counts as such a failure, so that a fleet does not come back at once to an access point that
// restarts. It stays with a network while the connection lasts, also when one that goes before
// comes into range.
//
// A network that is known with a password is joined only where it asks for one, and one without
// only where it is open: whoever sets up an access point of the same name gets nothing.
#ifndef AG_WIFI_STATION_H
#define AG_WIFI_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/config.h"
#include "base/status.h"
#include "platform/wifi.h"

struct ag_station_network {
    const char *name;     // SSID
    const char *password; // NULL: it is open
    bool is_hidden;       // tried also where no scan shows it
};

enum ag_station_state {
    AG_STATION_NO_RADIO,
    AG_STATION_SCANS,
    AG_STATION_JOINS,
    AG_STATION_CONNECTED,
    AG_STATION_PAUSES, // until the next round
    AG_STATION_STATE_COUNT
};

// Of a known network, in this round.
struct ag_station_sight {
    bool is_seen;      // its name was
    bool is_candidate; // can be joined and was not tried yet
    uint8_t signal;    // of the strongest access point that can be joined
    enum ag_wifi_security security;
};

struct ag_station {
    const struct ag_station_network *networks; // borrowed, the most wanted first
    uint32_t count;
    enum ag_station_state state;
    uint32_t current;      // JOINS, CONNECTED: which of the networks
    uint64_t since_ms;     // of the state
    uint64_t until_ms;     // when it is over; UINT64_MAX: when something happens
    enum ag_status reason; // why there is no connection; AG_OK: there is, or nothing is known yet
    struct ag_backoff backoff;
    struct ag_station_sight sights[AG_CFG_WIFI_KNOWN];
    bool has_tried; // a network in this round
    // The last reason in the log, of each network and of none in particular: a warning is not
    // repeated each round.
    enum ag_status told[AG_CFG_WIFI_KNOWN + 1];
};

// 1 to AG_CFG_WIFI_KNOWN networks, borrowed with their texts until the end.
void ag_station_init(struct ag_station *station, const struct ag_station_network *networks,
                     uint32_t count);

// Does what is due. Call it in each turn of the main loop; returns in how many milliseconds it is
// due again even if nothing happens, UINT32_MAX: never.
uint32_t ag_station_step(struct ag_station *station, uint64_t now_ms);

#endif
