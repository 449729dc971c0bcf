// SPDX-License-Identifier: Apache-2.0
// Who the device is: what the configuration says, and the hub that DPS has assigned it to.
#ifndef AG_HOST_IDENTITY_H
#define AG_HOST_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "azure/sas.h"
#include "base/config.h"
#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"
#include "host/host.h"

struct ag_identity {
    bool uses_dps;
    bool is_assigned;               // hub and device_id are known
    const char *dps_host;           // borrowed from the configuration
    uint16_t dps_port;              //
    struct ag_text id_scope;        // borrowed from the configuration
    struct ag_text registration_id; // borrowed from the configuration
    uint32_t token_lifetime_s;
    uint16_t port;                         //
    struct ag_text key;                    // base64; borrowed, or `derived`
    char derived[AG_SAS_DERIVED_SIZE + 1]; // of a group's key
    char device_id[AG_CFG_DEVICE_ID_MAX + 1];
    char hub[AG_CFG_HOST_MAX + 1];     // as it stands in tokens
    char address[AG_CFG_HOST_MAX + 1]; // where to connect
};

// Takes the identity from a configuration, whose texts stay borrowed.
// AG_ERR_CONFIG: a text is missing, too long or malformed.
AG_MUST_CHECK enum ag_status ag_identity_init(struct ag_identity *identity,
                                              const struct ag_host_config *config);

// The hub that DPS has assigned, now or remembered from before.
// AG_ERR_DPS_ANSWER, with the identity unchanged, when a text is empty or too long.
AG_MUST_CHECK enum ag_status ag_identity_assign(struct ag_identity *identity, struct ag_text hub,
                                                struct ag_text device_id, uint16_t hub_port);

// A login for MQTT; texts with their NULs. `now_s` is the time for the token's expiry. Status:
// AG_ERR_MALFORMED for a key that is none, AG_ERR_NO_SPACE.
AG_MUST_CHECK enum ag_status ag_identity_write_hub_login(const struct ag_identity *identity,
                                                         int64_t now_s, struct ag_writer *user_name,
                                                         struct ag_writer *password);
AG_MUST_CHECK enum ag_status ag_identity_write_dps_login(const struct ag_identity *identity,
                                                         int64_t now_s, struct ag_writer *user_name,
                                                         struct ag_writer *password);

#endif
