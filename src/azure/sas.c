// SPDX-License-Identifier: Apache-2.0
// Shared access signatures: HMAC-SHA256 over the resource, a line end and the expiry.
#include "azure/sas.h"

#include <string.h>

#include "base/percent.h"
#include "platform/crypto.h"

// A key must not stay behind on the stack; volatile keeps the compiler from dropping the writes.
static void wipe(void *bytes, size_t size)
{
    volatile uint8_t *at = bytes;
    while (size-- > 0)
        *at++ = 0;
}

static enum ag_status sign(struct ag_text key, const void *bytes, size_t size,
                           char signature[AG_SAS_DERIVED_SIZE])
{
    uint8_t raw[AG_SAS_KEY_MAX];
    uint8_t mac[AG_SHA256_SIZE];
    size_t raw_size = 0;
    const enum ag_status status = ag_base64_decode(key, raw, sizeof raw, &raw_size);
    if (status != AG_OK || raw_size == 0) {
        wipe(raw, sizeof raw);
        return AG_ERR_MALFORMED;
    }
    ag_crypto_hmac_sha256(raw, raw_size, bytes, size, mac);
    wipe(raw, sizeof raw);
    struct ag_writer out;
    ag_writer_init(&out, signature, AG_SAS_DERIVED_SIZE);
    ag_base64_encode(&out, mac, sizeof mac);
    wipe(mac, sizeof mac);
    return out.status;
}

// What is signed is written where the token will stand, since the token is longer.
static enum ag_status sign_resource(struct ag_writer *out, struct ag_text resource,
                                    struct ag_text key, int64_t expiry,
                                    char signature[AG_SAS_DERIVED_SIZE])
{
    const size_t mark = out->size;
    ag_writer_bytes(out, resource.at, resource.size);
    ag_writer_u8(out, '\n');
    ag_writer_decimal(out, expiry);
    if (out->status != AG_OK)
        return out->status;
    const size_t size = out->size - mark;
    out->size = mark;
    return sign(key, out->start + mark, size, signature);
}

enum ag_status ag_sas_write(struct ag_writer *out, struct ag_text resource, struct ag_text key,
                            int64_t expiry, const char *policy)
{
    char signature[AG_SAS_DERIVED_SIZE];
    const enum ag_status status = sign_resource(out, resource, key, expiry, signature);
    if (status != AG_OK)
        return status;
    const struct ag_text text = { signature, sizeof signature };
    ag_writer_text(out, "SharedAccessSignature sr=");
    ag_writer_bytes(out, resource.at, resource.size);
    ag_writer_text(out, "&sig=");
    ag_percent_encode(out, text, AG_PERCENT_URI);
    ag_writer_text(out, "&se=");
    ag_writer_decimal(out, expiry);
    if (policy) {
        ag_writer_text(out, "&skn=");
        ag_writer_text(out, policy);
    }
    return out->status;
}

enum ag_status ag_sas_derive_key(struct ag_writer *out, struct ag_text group_key,
                                 struct ag_text registration_id)
{
    char derived[AG_SAS_DERIVED_SIZE];
    const enum ag_status status =
        sign(group_key, registration_id.at, registration_id.size, derived);
    if (status != AG_OK)
        return status;
    ag_writer_bytes(out, derived, sizeof derived);
    wipe(derived, sizeof derived);
    return out->status;
}
