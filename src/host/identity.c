// SPDX-License-Identifier: Apache-2.0
// Who the device is: what the configuration says, and the hub that DPS has assigned it to.
#include "host/identity.h"

#include <string.h>

#include "azure/connection_string.h"
#include "azure/dps.h"
#include "azure/hub.h"

#define AGENT "airgraft/" AG_HOST_VERSION

// Longest resource of a token: both ids percent-encoded, and what stands between them.
#define RESOURCE_MAX (AG_CFG_HOST_MAX + 3 * AG_CFG_DEVICE_ID_MAX + 32)

static bool copy_text(char *to, size_t capacity, struct ag_text text)
{
    if (text.size == 0 || text.size >= capacity)
        return false;
    memcpy(to, text.at, text.size);
    to[text.size] = 0;
    return true;
}

// `host` or `host:port`; the port stays as it is where none is given.
static enum ag_status take_address(struct ag_identity *identity, struct ag_text text)
{
    struct ag_text port = text;
    struct ag_text host = ag_text_split(&port, ':');
    if (!copy_text(identity->address, sizeof identity->address, host))
        return AG_ERR_CONFIG;
    uint64_t number = identity->port;
    if (port.at && (!ag_text_decimal(port, UINT16_MAX, &number) || number == 0))
        return AG_ERR_CONFIG;
    identity->port = (uint16_t)number;
    return AG_OK;
}

static enum ag_status take_connection_string(struct ag_identity *identity, struct ag_text text,
                                             uint16_t hub_port)
{
    struct ag_connection_string parts;
    if (ag_connection_string_parse(text, &parts) != AG_OK)
        return AG_ERR_CONFIG;
    if (!copy_text(identity->hub, sizeof identity->hub, parts.host_name) ||
        !copy_text(identity->device_id, sizeof identity->device_id, parts.device_id))
        return AG_ERR_CONFIG;
    identity->key = parts.shared_access_key;
    identity->port = hub_port;
    identity->is_assigned = true;
    return take_address(identity, parts.gateway.size ? parts.gateway : parts.host_name);
}

static enum ag_status take_provisioning(struct ag_identity *identity,
                                        const struct ag_host_config *config)
{
    identity->uses_dps = true;
    identity->dps_host = config->dps_host ? config->dps_host : AG_DPS_HOST;
    identity->dps_port = config->dps_port;
    identity->id_scope = ag_text_of(config->id_scope);
    identity->registration_id = ag_text_of(config->registration_id);
    identity->key = ag_text_of(config->key);
    if (identity->id_scope.size == 0 || identity->registration_id.size == 0 ||
        identity->registration_id.size > AG_CFG_DEVICE_ID_MAX || identity->key.size == 0)
        return AG_ERR_CONFIG;
    if (!config->key_is_group)
        return AG_OK;
    struct ag_writer out;
    ag_writer_init(&out, identity->derived, sizeof identity->derived);
    if (ag_sas_derive_key(&out, identity->key, identity->registration_id) != AG_OK)
        return AG_ERR_CONFIG;
    identity->key = ag_text_of(ag_writer_finish_text(&out));
    return AG_OK;
}

enum ag_status ag_identity_init(struct ag_identity *identity, const struct ag_host_config *config)
{
    memset(identity, 0, sizeof *identity);
    identity->token_lifetime_s = config->token_lifetime_s;
    if (config->connection_string)
        return take_connection_string(identity, ag_text_of(config->connection_string),
                                      config->hub_port);
    return take_provisioning(identity, config);
}

enum ag_status ag_identity_assign(struct ag_identity *identity, struct ag_text hub,
                                  struct ag_text device_id, uint16_t hub_port)
{
    if (hub.size == 0 || hub.size > AG_CFG_HOST_MAX || device_id.size == 0 ||
        device_id.size > AG_CFG_DEVICE_ID_MAX)
        return AG_ERR_DPS_ANSWER;
    (void)copy_text(identity->hub, sizeof identity->hub, hub);
    (void)copy_text(identity->address, sizeof identity->address, hub);
    (void)copy_text(identity->device_id, sizeof identity->device_id, device_id);
    identity->port = hub_port;
    identity->is_assigned = true;
    return AG_OK;
}

// The token for a resource, as the login's password.
static enum ag_status write_password(const struct ag_identity *identity, struct ag_writer *resource,
                                     int64_t now_s, const char *policy, struct ag_writer *password)
{
    struct ag_text text = { (const char *)resource->start, resource->size };
    enum ag_status status = resource->status;
    if (status == AG_OK)
        status =
            ag_sas_write(password, text, identity->key, now_s + identity->token_lifetime_s, policy);
    (void)ag_writer_finish_text(password);
    return status == AG_OK ? password->status : status;
}

enum ag_status ag_identity_write_hub_login(const struct ag_identity *identity, int64_t now_s,
                                           struct ag_writer *user_name, struct ag_writer *password)
{
    char storage[RESOURCE_MAX];
    struct ag_writer resource;
    ag_writer_init(&resource, storage, sizeof storage);
    struct ag_text hub = ag_text_of(identity->hub);
    struct ag_text device_id = ag_text_of(identity->device_id);
    ag_hub_write_user_name(user_name, hub, device_id, ag_text_of(AGENT));
    ag_hub_write_resource(&resource, hub, device_id);
    (void)ag_writer_finish_text(user_name);
    if (user_name->status != AG_OK)
        return user_name->status;
    return write_password(identity, &resource, now_s, NULL, password);
}

enum ag_status ag_identity_write_dps_login(const struct ag_identity *identity, int64_t now_s,
                                           struct ag_writer *user_name, struct ag_writer *password)
{
    char storage[RESOURCE_MAX];
    struct ag_writer resource;
    ag_writer_init(&resource, storage, sizeof storage);
    ag_dps_write_user_name(user_name, identity->id_scope, identity->registration_id,
                           ag_text_of(AGENT));
    ag_dps_write_resource(&resource, identity->id_scope, identity->registration_id);
    (void)ag_writer_finish_text(user_name);
    if (user_name->status != AG_OK)
        return user_name->status;
    return write_password(identity, &resource, now_s, AG_DPS_POLICY, password);
}
