// SPDX-License-Identifier: Apache-2.0
// Shared access signatures of IoT Hub and DPS: tokens made from a symmetric key.
//
// The resource is signed exactly as it stands in the token, so it is written once, already
// percent-encoded, by ag_hub_write_resource or ag_dps_write_resource.
#ifndef AG_AZURE_SAS_H
#define AG_AZURE_SAS_H

#include <stdint.h>

#include "base/base64.h"
#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"

// Largest symmetric key, decoded. 64 bytes is Azure's limit.
#define AG_SAS_KEY_MAX 64u

// A derived key as base64 text.
#define AG_SAS_DERIVED_SIZE AG_BASE64_SIZE(32)

// Writes `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`. `key` is base64, `expiry` is in seconds
// since 1970 UTC, `policy` is NULL where no skn belongs. AG_ERR_MALFORMED for a key that is not
// base64, is empty or has over 64 bytes; AG_ERR_NO_SPACE.
AG_MUST_CHECK enum ag_status ag_sas_write(struct ag_writer *out, struct ag_text resource,
                                          struct ag_text key, int64_t expiry, const char *policy);

// Writes the key of one device of an enrolment group, base64. Statuses as above. The registration
// id is taken as it is: DPS distinguishes case here.
AG_MUST_CHECK enum ag_status ag_sas_derive_key(struct ag_writer *out, struct ag_text group_key,
                                               struct ag_text registration_id);

#endif
