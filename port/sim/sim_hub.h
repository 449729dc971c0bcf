// SPDX-License-Identifier: Apache-2.0
// The hub and DPS as one device sees them: MQTT 3.1.1 as Azure speaks it, with the device's twin.
//
// What a device must never do (a packet or topic that does not exist, a report that is no JSON
// object) is kept in `offence`.
#ifndef AG_PORT_SIM_SIM_HUB_H
#define AG_PORT_SIM_SIM_HUB_H

#include <jansson.h>

#include "port/sim/sim_link.h"

// Fault rates, of a thousand.
struct sim_hub_rates {
    uint16_t login;
    uint16_t dps;
    uint16_t status;
    uint16_t silence;
    uint16_t late;
    uint16_t patch_lost;
    uint16_t patch_twice;
    uint16_t ack_twice;
};

struct sim_hub {
    struct sim_world *world; // borrowed
    struct sim_link *link;   // borrowed
    const char *name;        // registration id and device id; borrowed
    const struct sim_hub_rates *rates;

    // The twin.
    struct sim_bytes desired; // members of the desired section as text; empty: none
    uint64_t version;
    json_t *reported;
    uint64_t reported_version;

    // The session.
    bool is_dps;
    bool is_online;
    bool is_subscribed;
    uint64_t expires_ms; // of its token
    uint64_t late_ms;    // when a document that is held back is sent; SIM_NEVER: none is
    struct sim_bytes late_topic;
    struct sim_bytes late_document;

    uint32_t logins;
    uint32_t gets;
    uint64_t reports;
    uint64_t telemetry;
    char offence[160]; // of the device; empty: none
};

void sim_hub_init(struct sim_hub *hub, struct sim_world *world, struct sim_link *link,
                  const char *name, const struct sim_hub_rates *rates);
void sim_hub_clear(struct sim_hub *hub);

// Desires this, and sends the patch to whom it concerns: members of an object as text.
void sim_hub_desire(struct sim_hub *hub, const char *desired, const char *patch);

// All sessions end.
void sim_hub_restart(struct sim_hub *hub);

// Sends what was held back, when it is time.
void sim_hub_tick(struct sim_hub *hub);

// reported.firmware_modules.NAME; NULL: none.
json_t *sim_hub_reported(const struct sim_hub *hub, const char *name);

#endif
