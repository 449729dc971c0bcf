// SPDX-License-Identifier: Apache-2.0
// Fuzz target of what a device is told about its hub: a connection string (c), a URL (u), base64
// (b), percent-encoding (p), or the parts of a token, one a line (s). The first byte chooses.
#include <stdlib.h>
#include <string.h>

#include "azure/connection_string.h"
#include "azure/sas.h"
#include "base/base64.h"
#include "base/percent.h"
#include "base/url.h"
#include "fuzz.h"
#include "platform/crypto.h"

void ag_crypto_hmac_sha256(const uint8_t *key, size_t key_size, const void *bytes, size_t size,
                           uint8_t mac[AG_SHA256_SIZE])
{
    FUZZ_CHECK(key_size > 0);
    memset(mac, 0, AG_SHA256_SIZE);
    uint32_t hash = fuzz_hash(FUZZ_HASH_START, key, key_size);
    hash = fuzz_hash(hash, bytes, size);
    memcpy(mac, &hash, sizeof hash);
}

static bool is_within(struct ag_text part, struct ag_text whole)
{
    return part.size == 0 || (part.at >= whole.at && part.at + part.size <= whole.at + whole.size);
}

static void check_connection_string(struct ag_text text)
{
    struct ag_connection_string parts;
    if (ag_connection_string_parse(text, &parts) != AG_OK)
        return;
    FUZZ_CHECK(parts.host_name.size > 0 && parts.shared_access_key.size > 0);
    FUZZ_CHECK(is_within(parts.host_name, text) && is_within(parts.device_id, text));
    FUZZ_CHECK(is_within(parts.policy, text) && is_within(parts.shared_access_key, text));
    FUZZ_CHECK(is_within(parts.gateway, text));
    FUZZ_CHECK(!memchr(parts.host_name.at, ';', parts.host_name.size));
}

// What is read as a URL is the same when it is written out and read again.
static void check_url(struct ag_text text)
{
    static struct ag_url url, again;
    static char whole[AG_CFG_URL_MAX + 64];
    struct ag_writer out;
    if (ag_url_parse(text, &url) != AG_OK)
        return;
    FUZZ_CHECK(url.port > 0 && url.host[0] && strlen(url.host) <= AG_CFG_HOST_MAX);
    FUZZ_CHECK(is_within(url.target, text) && ag_url_same_host(&url, &url));
    for (size_t i = 0; i < url.target.size; i++)
        FUZZ_CHECK(url.target.at[i] > ' ' && url.target.at[i] < 0x7F);
    ag_writer_init(&out, whole, sizeof whole);
    ag_writer_text(&out, url.is_ipv6 ? "https://[" : "https://");
    ag_writer_text(&out, url.host);
    ag_writer_text(&out, url.is_ipv6 ? "]:" : ":");
    ag_writer_decimal(&out, url.port);
    ag_writer_bytes(&out, url.target.at, url.target.size);
    if (out.status != AG_OK || out.size > AG_CFG_URL_MAX)
        return;
    const struct ag_text written = { whole, out.size };
    FUZZ_CHECK(ag_url_parse(written, &again) == AG_OK && ag_url_same_host(&url, &again));
    FUZZ_CHECK(
        again.target.size == url.target.size &&
        (url.target.size == 0 || memcmp(again.target.at, url.target.at, url.target.size) == 0));
}

static void check_base64(struct ag_text text)
{
    size_t size = 0;
    const size_t capacity = text.size / 4 * 3;
    uint8_t *bytes = malloc(capacity + 1);
    char *back = malloc(text.size + 1);
    struct ag_writer out;
    FUZZ_CHECK(bytes && back);
    if (ag_base64_decode(text, bytes, capacity, &size) == AG_OK) {
        FUZZ_CHECK(size <= capacity);
        ag_writer_init(&out, back, text.size);
        ag_base64_encode(&out, bytes, size);
        FUZZ_CHECK(out.status == AG_OK && out.size == text.size);
        FUZZ_CHECK(text.size == 0 || memcmp(back, text.at, text.size) == 0);
    }
    free(bytes);
    free(back);
}

// Decoding what was encoded gives it back; anything else is decoded to no more than it was.
static void check_percent(struct ag_text text)
{
    char *once = malloc(3 * text.size + 1);
    char *back = malloc(text.size + 1);
    struct ag_writer out;
    FUZZ_CHECK(once && back);
    ag_writer_init(&out, back, text.size);
    FUZZ_CHECK(ag_percent_decode(&out, text) != AG_OK || out.status == AG_OK);
    ag_writer_init(&out, once, 3 * text.size);
    ag_percent_encode(&out, text, AG_PERCENT_URI);
    FUZZ_CHECK(out.status == AG_OK);
    const struct ag_text encoded = { once, out.size };
    ag_writer_init(&out, back, text.size);
    FUZZ_CHECK(ag_percent_decode(&out, encoded) == AG_OK && out.status == AG_OK);
    FUZZ_CHECK(out.size == text.size && (text.size == 0 || memcmp(back, text.at, out.size) == 0));
    free(once);
    free(back);
}

static void check_token(struct ag_text text)
{
    char token[300];
    char policy[40] = "";
    struct ag_writer out;
    const struct ag_text resource = ag_text_split(&text, '\n');
    const struct ag_text key = ag_text_split(&text, '\n');
    for (size_t i = 0; i < text.size && i < sizeof policy - 1; i++)
        policy[i] = text.at[i];
    ag_writer_init(&out, token, sizeof token);
    const enum ag_status status =
        ag_sas_write(&out, resource, key, 1700000000, policy[0] ? policy : NULL);
    FUZZ_CHECK(status == AG_OK || status == AG_ERR_MALFORMED || status == AG_ERR_NO_SPACE);
    if (status == AG_OK)
        FUZZ_CHECK(out.size <= sizeof token && memcmp(token, "SharedAccessSignature sr=", 25) == 0);
    ag_writer_init(&out, token, sizeof token);
    if (ag_sas_derive_key(&out, key, resource) == AG_OK)
        FUZZ_CHECK(out.size == AG_SAS_DERIVED_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    // A copy of its own size, so that AddressSanitizer sees every read beyond it.
    char *copy = malloc(size);
    FUZZ_CHECK(copy);
    memcpy(copy, bytes + 1, size - 1);
    const struct ag_text text = { copy, size - 1 };
    switch (bytes[0]) {
    case 'c':
        check_connection_string(text);
        break;
    case 'u':
        check_url(text);
        break;
    case 'b':
        check_base64(text);
        break;
    case 'p':
        check_percent(text);
        break;
    case 's':
        check_token(text);
        break;
    default:
        break;
    }
    free(copy);
    return 0;
}
