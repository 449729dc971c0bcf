// SPDX-License-Identifier: Apache-2.0
// Azure IoT connection strings: `HostName=…;DeviceId=…;SharedAccessKey=…`.
#ifndef AG_AZURE_CONNECTION_STRING_H
#define AG_AZURE_CONNECTION_STRING_H

#include "base/status.h"
#include "base/text.h"

// Borrowed pieces of the text; an absent one is empty.
struct ag_connection_string {
    struct ag_text host_name;         // HostName: the hub, as it stands in tokens
    struct ag_text device_id;         // DeviceId; empty in a service's string
    struct ag_text policy;            // SharedAccessKeyName; empty in a device's string
    struct ag_text shared_access_key; // base64
    struct ag_text gateway;           // GatewayHostName: where to connect, `host` or `host:port`
};

// AG_ERR_MALFORMED, with *parts untouched, for a part without `=`, a part given twice, or no
// HostName or no SharedAccessKey. Unknown parts are skipped; keys do not distinguish case.
AG_MUST_CHECK enum ag_status ag_connection_string_parse(struct ag_text text,
                                                        struct ag_connection_string *parts);

#endif
