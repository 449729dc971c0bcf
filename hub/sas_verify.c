// SPDX-License-Identifier: Apache-2.0
// Verification of shared access signatures.
#include "sas_verify.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "encoding.h"

static bool copy_text(const char *text, size_t size, char *out, size_t capacity)
{
    if (size == 0 || size >= capacity || memchr(text, '\0', size) != NULL)
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

static bool parse_signature(const char *text, size_t size, uint8_t signature[32])
{
    char decoded[64];
    size_t count;
    return ag_encoding_percent_decode(text, size, decoded, sizeof decoded) &&
           ag_encoding_unbase64(decoded, strlen(decoded), signature, 32, &count) && count == 32;
}

static bool parse_expiry(const char *text, size_t size, struct ag_sas_token *token)
{
    if (!copy_text(text, size, token->expiry_text, sizeof token->expiry_text) ||
        strspn(token->expiry_text, "0123456789") != size)
        return false;
    token->expiry_s = strtoll(token->expiry_text, NULL, 10);
    return true;
}

enum field {
    FIELD_RESOURCE = 1,
    FIELD_SIGNATURE = 2,
    FIELD_EXPIRY = 4,
    FIELD_POLICY = 8,
};

// One `key=value`; returns which field it was, or 0 when it is not a good one.
static int parse_field(const char *text, size_t size, struct ag_sas_token *token)
{
    const char *equals = memchr(text, '=', size);
    if (equals == NULL)
        return 0;
    size_t key_size = (size_t)(equals - text);
    const char *value = equals + 1;
    size_t value_size = size - key_size - 1;
    if (key_size == 2 && memcmp(text, "sr", 2) == 0)
        return copy_text(value, value_size, token->resource, sizeof token->resource)
                   ? FIELD_RESOURCE
                   : 0;
    if (key_size == 3 && memcmp(text, "sig", 3) == 0)
        return parse_signature(value, value_size, token->signature) ? FIELD_SIGNATURE : 0;
    if (key_size == 2 && memcmp(text, "se", 2) == 0)
        return parse_expiry(value, value_size, token) ? FIELD_EXPIRY : 0;
    if (key_size == 3 && memcmp(text, "skn", 3) == 0)
        return value_size == 0 || copy_text(value, value_size, token->policy, sizeof token->policy)
                   ? FIELD_POLICY
                   : 0;
    return 0;
}

bool ag_sas_verify_parse(const char *text, size_t size, struct ag_sas_token *token)
{
    static const char scheme[] = "SharedAccessSignature ";
    size_t skip = sizeof scheme - 1;
    struct ag_sas_token parsed = { .expiry_s = 0 };
    if (size <= skip || strncasecmp(text, scheme, skip) != 0)
        return false;
    int seen = 0;
    const char *at = text + skip;
    size_t left = size - skip;
    for (;;) {
        const char *end = memchr(at, '&', left);
        size_t field_size = end == NULL ? left : (size_t)(end - at);
        int field = parse_field(at, field_size, &parsed);
        if (field == 0 || (seen & field) != 0)
            return false;
        seen |= field;
        if (end == NULL)
            break;
        at = end + 1;
        left -= field_size + 1;
    }
    if ((seen | FIELD_POLICY) != (FIELD_RESOURCE | FIELD_SIGNATURE | FIELD_EXPIRY | FIELD_POLICY))
        return false;
    *token = parsed;
    return true;
}

bool ag_sas_verify_signed_by(const struct ag_sas_token *token, const char *key)
{
    char message[sizeof token->resource + sizeof token->expiry_text + 1];
    size_t resource_size = strlen(token->resource);
    size_t expiry_size = strlen(token->expiry_text);
    memcpy(message, token->resource, resource_size);
    message[resource_size] = '\n';
    memcpy(message + resource_size + 1, token->expiry_text, expiry_size);
    uint8_t mac[AG_ENCODING_SHA256];
    return ag_encoding_hmac(key, message, resource_size + 1 + expiry_size, mac) &&
           CRYPTO_memcmp(mac, token->signature, sizeof mac) == 0;
}

bool ag_sas_verify_covers(const struct ag_sas_token *token, const char *path)
{
    char decoded[sizeof token->resource];
    if (!ag_encoding_percent_decode(token->resource, strlen(token->resource), decoded,
                                    sizeof decoded))
        return false;
    size_t size = strlen(decoded);
    if (size == 0 || size > strlen(path) || (path[size] != '\0' && path[size] != '/'))
        return false;
    size_t first = strcspn(path, "/");
    if (first > size)
        return false;
    return strncasecmp(decoded, path, first) == 0 &&
           memcmp(decoded + first, path + first, size - first) == 0;
}
