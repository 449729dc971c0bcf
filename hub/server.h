// SPDX-License-Identifier: Apache-2.0
// The hub's network side: one libevent loop, TLS listeners for MQTT and HTTPS, group commits.
#ifndef AG_HUB_SERVER_H
#define AG_HUB_SERVER_H

#include <stdint.h>

#include "hub.h"

struct ag_server;

struct ag_server_options {
    const char *address; // numeric, IPv4 or IPv6
    uint16_t mqtt_port;  // 0: choose
    uint16_t https_port; // 0: choose
};

// Makes the loop. The result exists before the hub, because the hub's database schedules commits
// on it: give ag_hub_open ag_server_schedule_commit and the server.
struct ag_server *ag_server_new(void);
void ag_server_schedule_commit(void *server);

// Binds both ports with server.pem and server.key from the hub's data folder. AG_ERR_IO with a line
// in the log.
AG_MUST_CHECK enum ag_status ag_server_listen(struct ag_server *server, struct ag_hub *hub,
                                              const struct ag_server_options *options);
uint16_t ag_server_mqtt_port(const struct ag_server *server);
uint16_t ag_server_https_port(const struct ag_server *server);

// Runs until SIGINT or SIGTERM.
void ag_server_run(struct ag_server *server);

// Answers what is open, closes all connections and the loop. The hub is closed after this.
void ag_server_free(struct ag_server *server);

#endif
