// SPDX-License-Identifier: Apache-2.0
// Who may touch a blob.
#include "blob_auth.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <openssl/crypto.h>

#include "encoding.h"
#include "memory.h"

static const char *const override_names[] = { "rscc", "rscd", "rsce", "rscl", "rsct" };

void ag_blob_auth_read_sas(const struct evkeyvalq *query, struct ag_blob_sas *sas)
{
    sas->permissions = evhttp_find_header(query, "sp");
    sas->start = evhttp_find_header(query, "st");
    sas->expiry = evhttp_find_header(query, "se");
    sas->identifier = evhttp_find_header(query, "si");
    sas->address = evhttp_find_header(query, "sip");
    sas->protocol = evhttp_find_header(query, "spr");
    sas->version = evhttp_find_header(query, "sv");
    sas->resource = evhttp_find_header(query, "sr");
    sas->encryption_scope = evhttp_find_header(query, "ses");
    sas->signature = evhttp_find_header(query, "sig");
    for (size_t i = 0; i < 5; i++)
        sas->overrides[i] = evhttp_find_header(query, override_names[i]);
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static bool is_container(const struct ag_blob_sas *sas)
{
    return strcmp(or_empty(sas->resource), "c") == 0;
}

char *ag_blob_auth_string_to_sign(const struct ag_blob_sas *sas,
                                  const struct ag_blob_resource *resource)
{
    const char *blob = is_container(sas) ? NULL : resource->blob;
    const char *version = or_empty(sas->version);
    if (strcmp(version, "2018-11-09") < 0)
        return NULL;
    bool has_scope_line = strcmp(version, "2020-12-06") >= 0;
    char *scope = has_scope_line ? ag_memory_format("%s\n", or_empty(sas->encryption_scope))
                                 : ag_memory_text("", 0);
    char *text = ag_memory_format(
        "%s\n%s\n%s\n/blob/%s/%s%s%s\n%s\n%s\n%s\n%s\n%s\n\n%s%s\n%s\n%s\n%s\n%s",
        or_empty(sas->permissions), or_empty(sas->start), or_empty(sas->expiry), resource->account,
        resource->container, blob != NULL ? "/" : "", or_empty(blob), or_empty(sas->identifier),
        or_empty(sas->address), or_empty(sas->protocol), version, or_empty(sas->resource), scope,
        or_empty(sas->overrides[0]), or_empty(sas->overrides[1]), or_empty(sas->overrides[2]),
        or_empty(sas->overrides[3]), or_empty(sas->overrides[4]));
    free(scope);
    return text;
}

// A query's `+` was decoded as a blank, and base64 has no blanks.
static bool signature_is(const char *text, const uint8_t mac[AG_ENCODING_SHA256])
{
    char copy[64];
    uint8_t bytes[AG_ENCODING_SHA256];
    size_t size = strlen(text);
    if (size >= sizeof copy)
        return false;
    for (size_t i = 0; i <= size; i++)
        copy[i] = text[i] == ' ' ? '+' : text[i];
    size_t count;
    return ag_encoding_unbase64(copy, size, bytes, sizeof bytes, &count) && count == sizeof bytes &&
           CRYPTO_memcmp(bytes, mac, sizeof bytes) == 0;
}

static bool is_signed(const char *text, const char *key, const char *signature)
{
    uint8_t mac[AG_ENCODING_SHA256];
    return text != NULL && signature != NULL && ag_encoding_hmac(key, text, strlen(text), mac) &&
           signature_is(signature, mac);
}

static enum ag_blob_sas_verdict judge_times(const struct ag_blob_sas *sas, int64_t now_s)
{
    int64_t start = 0;
    int64_t expiry;
    if (sas->start != NULL && !ag_encoding_parse_iso_time(sas->start, &start))
        return AG_BLOB_SAS_MALFORMED;
    if (!ag_encoding_parse_iso_time(or_empty(sas->expiry), &expiry))
        return AG_BLOB_SAS_MALFORMED;
    if (now_s < start)
        return AG_BLOB_SAS_EARLY;
    return now_s >= expiry ? AG_BLOB_SAS_EXPIRED : AG_BLOB_SAS_GOOD;
}

enum ag_blob_sas_verdict ag_blob_auth_judge_sas(const struct ag_blob_sas *sas,
                                                const struct ag_blob_resource *resource,
                                                const char *peer, int64_t now_s)
{
    bool is_blob = strcmp(or_empty(sas->resource), "b") == 0 && resource->blob != NULL;
    if (!is_blob && !is_container(sas))
        return AG_BLOB_SAS_MALFORMED;
    // Stored access policies do not exist here, so everything must stand in the URL.
    if (sas->identifier != NULL || sas->permissions == NULL || sas->expiry == NULL)
        return AG_BLOB_SAS_MALFORMED;
    char *text = ag_blob_auth_string_to_sign(sas, resource);
    bool good = is_signed(text, resource->key, sas->signature);
    free(text);
    if (!good)
        return AG_BLOB_SAS_FORGED;
    if (sas->protocol != NULL && strcmp(sas->protocol, "https") != 0 &&
        strcmp(sas->protocol, "https,http") != 0)
        return AG_BLOB_SAS_PROTOCOL;
    if (sas->address != NULL && strcmp(sas->address, peer) != 0)
        return AG_BLOB_SAS_ADDRESS; // ranges are not offered
    return judge_times(sas, now_s);
}

// A text that grows.
struct text {
    char *bytes;
    size_t size;
};

static void append(struct text *text, const char *part)
{
    size_t size = strlen(part);
    text->bytes = ag_memory_grown(text->bytes, text->size + size + 1);
    memcpy(text->bytes + text->size, part, size + 1);
    text->size += size;
}

static void append_lower(struct text *text, const char *part)
{
    size_t from = text->size;
    append(text, part);
    for (size_t i = from; i < text->size; i++)
        text->bytes[i] = (char)tolower((unsigned char)text->bytes[i]);
}

static int compare_keys(const void *left, const void *right)
{
    const struct evkeyval *const *a = left;
    const struct evkeyval *const *b = right;
    return strcasecmp((*a)->key, (*b)->key);
}

// Appends the entries whose key begins with `prefix`, in order of their keys, as
// `before KEY : VALUE after`.
static void append_sorted(struct text *text, const struct evkeyvalq *list, const char *prefix,
                          const char *before, const char *after)
{
    const struct evkeyval *entries[64];
    size_t count = 0;
    const struct evkeyval *entry;
    TAILQ_FOREACH(entry, list, next)
    {
        if (strncasecmp(entry->key, prefix, strlen(prefix)) == 0 && count < 64)
            entries[count++] = entry;
    }
    qsort(entries, count, sizeof(struct evkeyval *), compare_keys);
    for (size_t i = 0; i < count; i++) {
        append(text, before);
        append_lower(text, entries[i]->key);
        append(text, ":");
        append(text, entries[i]->value);
        append(text, after);
    }
}

// The string to sign of the Shared Key scheme for the blob service.
static char *shared_key_text(const struct evkeyvalq *headers, const char *method, const char *path,
                             const struct evkeyvalq *query, const char *account)
{
    static const char *const lines[] = {
        "Content-Encoding",
        "Content-Language",
        "Content-Length",
        "Content-MD5",
        "Content-Type",
        "Date",
        "If-Modified-Since",
        "If-Match",
        "If-None-Match",
        "If-Unmodified-Since",
        "Range",
    };
    struct text text = { NULL, 0 };
    append(&text, method);
    append(&text, "\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *value = or_empty(evhttp_find_header(headers, lines[i]));
        if (strcmp(lines[i], "Content-Length") != 0 || strcmp(value, "0") != 0)
            append(&text, value);
        append(&text, "\n");
    }
    append_sorted(&text, headers, "x-ms-", "", "\n");
    append(&text, "/");
    append(&text, account);
    append(&text, path);
    append_sorted(&text, query, "", "\n", "");
    return text.bytes;
}

bool ag_blob_auth_shared_key(struct evhttp_request *request, const char *method, const char *path,
                             const struct evkeyvalq *query, const char *account, const char *key)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    const char *given = or_empty(evhttp_find_header(headers, "Authorization"));
    size_t account_size = strlen(account);
    if (strncmp(given, "SharedKey ", 10) != 0 || strncmp(given + 10, account, account_size) != 0 ||
        given[10 + account_size] != ':')
        return false;
    char *text = shared_key_text(headers, method, path, query, account);
    bool good = is_signed(text, key, given + 10 + account_size + 1);
    free(text);
    return good;
}
