// SPDX-License-Identifier: Apache-2.0
// What a device knows of itself before it was ever connected: identity, servers, network, and its
// first trust store object. `airgraft provision` writes it into the first blocks of a flash image,
// a port reads it from there. FORMATS.md has every byte.
#ifndef AG_PROVISIONING_PROVISIONING_H
#define AG_PROVISIONING_PROVISIONING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

// Bytes of the partition that `airgraft provision` makes: trust store object and all.
#define AG_PROVISIONING_SIZE 24576u

// Texts are NUL-terminated within the partition and borrowed from it; NULL or 0: not given.
struct ag_provisioning {
    const char *connection_string; // wins over DPS
    const char *id_scope;
    const char *registration_id;
    const char *key; // base64; a secret
    bool key_is_group;
    const char *dps_host;
    uint16_t dps_port;
    uint16_t hub_port;
    bool one_connection;
    const char *address; // "192.168.1.7/24"; NULL: DHCP
    const char *gateway;
    const char *dns; // an address
    uint16_t dns_port;
    const char *time_server;
    uint16_t time_port;
    const char *host_name;
    const char *wifi_name;     // SSID
    const char *wifi_password; // a secret
    const uint8_t *trust;      // trust store object
    uint32_t trust_size;
};

// Reads the partition in place.
//   AG_ERR_NOT_FOUND  it is blank: the device was never provisioned
//   AG_ERR_MALFORMED  it is something else, or damaged (CRC)
// *provisioning is then untouched. Unknown fields are passed over.
AG_MUST_CHECK enum ag_status ag_provisioning_read(const uint8_t *partition, uint32_t size,
                                                  struct ag_provisioning *provisioning);

// What is missing for a start: "id scope", "registration id", "key", "trust store object"; NULL:
// nothing. Static.
const char *ag_provisioning_missing(const struct ag_provisioning *provisioning);

// Writes a partition of `size` bytes, 0xFF behind its end. AG_ERR_NO_SPACE: it does not fit;
// AG_ERR_ARGUMENT: a text is too long (255 bytes; a connection string 1023). The partition is then
// undefined, and never one that can be read.
AG_MUST_CHECK enum ag_status ag_provisioning_write(const struct ag_provisioning *provisioning,
                                                   uint8_t *partition, uint32_t size);

#endif
