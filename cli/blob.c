// SPDX-License-Identifier: Apache-2.0
// Blobs over HTTPS.
#include "cli/blob.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/base64.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/rest.h"
#include "platform/crypto.h"

enum {
    KEY_MAX = 64,
    EXPIRY_SIZE = 24,
    WRITE_LIFETIME_S = 900,
    SAS_MAX = 512,
};

static void format_time(int64_t seconds, char text[EXPIRY_SIZE])
{
    const time_t time = (time_t)seconds;
    struct tm parts;
    gmtime_r(&time, &parts);
    strftime(text, EXPIRY_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

// Appends a signature's base64 with + / = escaped.
static void write_escaped_signature(struct ag_writer *out, const uint8_t mac[AG_SHA256_SIZE])
{
    char text[AG_BASE64_SIZE(AG_SHA256_SIZE) + 1];
    struct ag_writer writer;
    ag_writer_init(&writer, text, sizeof text);
    ag_base64_encode(&writer, mac, AG_SHA256_SIZE);
    for (const char *at = ag_writer_finish_text(&writer); *at; at++) {
        switch (*at) {
        case '+':
            ag_writer_text(out, "%2B");
            break;
        case '/':
            ag_writer_text(out, "%2F");
            break;
        case '=':
            ag_writer_text(out, "%3D");
            break;
        default:
            ag_writer_bytes(out, at, 1);
        }
    }
}

// The 16 lines that a service SAS of sv 2020-12-06 and later signs; empty ones stay, and no line
// end follows the last.
static bool write_string_to_sign(struct ag_writer *out, const struct ag_storage *storage,
                                 const char *container, const char *name, const char *permissions,
                                 const char *expiry)
{
    const char *const lines[] = {
        permissions, "", expiry,  NULL /* the resource */,
        "",          "", "https", AG_BLOB_API_VERSION,
        "b",         "", "",      "",
        "",          "", "",      "",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ag_writer_text(out, i > 0 ? "\n" : "");
        if (lines[i]) {
            ag_writer_text(out, lines[i]);
            continue;
        }
        ag_writer_text(out, "/blob/");
        ag_writer_text(out, storage->account);
        ag_writer_text(out, "/");
        ag_writer_text(out, container);
        ag_writer_text(out, "/");
        ag_writer_text(out, name);
    }
    return out->status == AG_OK;
}

enum ag_status ag_blob_write_sas(struct ag_writer *out, const struct ag_storage *storage,
                                 const char *container, const char *name, const char *permissions,
                                 int64_t expiry)
{
    uint8_t key[KEY_MAX];
    size_t key_size = 0;
    uint8_t mac[AG_SHA256_SIZE];
    char until[EXPIRY_SIZE];
    char text[2048];
    struct ag_writer lines;
    if (ag_base64_decode(ag_text_of(storage->key), key, sizeof key, &key_size) != AG_OK ||
        key_size == 0)
        return AG_ERR_MALFORMED;
    format_time(expiry, until);
    ag_writer_init(&lines, text, sizeof text);
    if (!write_string_to_sign(&lines, storage, container, name, permissions, until))
        return AG_ERR_NO_SPACE;
    ag_crypto_hmac_sha256(key, key_size, text, lines.size, mac);
    ag_writer_text(out, "sv=" AG_BLOB_API_VERSION "&spr=https&se=");
    for (const char *at = until; *at; at++) {
        if (*at == ':')
            ag_writer_text(out, "%3A");
        else
            ag_writer_bytes(out, at, 1);
    }
    ag_writer_text(out, "&sr=b&sp=");
    ag_writer_text(out, permissions);
    ag_writer_text(out, "&sig=");
    write_escaped_signature(out, mac);
    return out->status;
}

void ag_blob_clear(struct ag_blob *blob)
{
    free(blob->url);
    free(blob->write_query);
    free(blob->read_query);
    *blob = (struct ag_blob){ 0 };
}

static const char *without_mark(const char *query)
{
    return query[0] == '?' ? query + 1 : query;
}

// True when the query has the parameter `text`, e.g. "sr=b", or one that begins so.
static const char *find_parameter(const char *query, const char *text)
{
    const size_t size = strlen(text);
    while (*query) {
        if (strncmp(query, text, size) == 0)
            return query + size;
        query += strcspn(query, "&");
        query += *query == '&';
    }
    return NULL;
}

// NULL for a SAS that cannot be one, with the error printed.
static bool check_query(const char *query, const char *option)
{
    if (find_parameter(query, "sig="))
        return true;
    ag_output_misuse("make one with: az storage container generate-sas",
                     "%s has no SAS (no sig=...)", option);
    return false;
}

static bool resolve_url(const struct ag_blob_place *place, struct ag_blob *blob)
{
    const char *mark = strchr(place->to, '?');
    const char *query = mark ? mark + 1 : "";
    int size = (int)(mark ? mark - place->to : (long)strlen(place->to));
    if (strncasecmp(place->to, "https://", 8) != 0) {
        ag_output_misuse("it looks like https://ACCOUNT.blob.core.windows.net/CONTAINER?SAS",
                         "--to takes an https URL");
        return false;
    }
    if (!check_query(query, "--to"))
        return false;
    while (size > 8 && place->to[size - 1] == '/')
        size--;
    const char *kind = find_parameter(query, "sr=");
    char *name = ag_rest_escape(place->name);
    int made = -1;
    if (kind && kind[0] == 'b')
        made = asprintf(&blob->url, "%.*s", size, place->to);
    else if (name)
        made = asprintf(&blob->url, "%.*s/%s", size, place->to, name);
    if (made < 0)
        blob->url = NULL;
    free(name);
    blob->write_query = strdup(query);
    blob->read_query = strdup(place->read_sas ? without_mark(place->read_sas) : "");
    return true;
}

static char *make_sas(const struct ag_blob_place *place, const char *permissions,
                      int64_t lifetime_s)
{
    char text[SAS_MAX];
    struct ag_writer out;
    ag_writer_init(&out, text, sizeof text);
    const enum ag_status status =
        ag_blob_write_sas(&out, place->storage, place->container, place->name, permissions,
                          (int64_t)time(NULL) + lifetime_s);
    if (status == AG_OK)
        return strdup(ag_writer_finish_text(&out));
    ag_output_fail_status(status, "cannot make a SAS with the AccountKey");
    return NULL;
}

static bool resolve_account(const struct ag_blob_place *place, struct ag_blob *blob)
{
    const struct ag_storage *storage = place->storage;
    char *container = ag_rest_escape(place->container);
    char *name = ag_rest_escape(place->name);
    if (!container || !name ||
        asprintf(&blob->url, "%s/%s/%s", storage->endpoint, container, name) < 0)
        blob->url = NULL;
    free(name);
    free(container);
    if (storage->key[0])
        blob->write_query = make_sas(place, "cw", WRITE_LIFETIME_S);
    else
        blob->write_query = strdup(storage->sas);
    if (place->read_sas)
        blob->read_query = strdup(without_mark(place->read_sas));
    else if (storage->key[0])
        blob->read_query = make_sas(place, "r", place->read_lifetime_s);
    else
        blob->read_query = strdup("");
    return blob->write_query && blob->read_query;
}

bool ag_blob_resolve(const struct ag_blob_place *place, struct ag_blob *blob)
{
    *blob = (struct ag_blob){ 0 };
    bool resolved = !place->read_sas || check_query(without_mark(place->read_sas), "--read-sas");
    if (resolved)
        resolved = place->to ? resolve_url(place, blob) : resolve_account(place, blob);
    if (resolved && (!blob->url || !blob->write_query || !blob->read_query)) {
        ag_output_fail(NULL, "no memory");
        resolved = false;
    }
    if (!resolved)
        ag_blob_clear(blob);
    return resolved;
}

static char *join_query(const char *url, const char *query)
{
    char *joined;
    if (asprintf(&joined, "%s%s%s", url, query[0] ? "?" : "", query) < 0)
        return NULL;
    return joined;
}

char *ag_blob_read_url(const struct ag_blob *blob)
{
    return join_query(blob->url, blob->read_query);
}

// A SAS says until when it is good, so an expired one can be named as such.
static const char *hint_of_refusal(const char *query, char *hint, size_t capacity)
{
    const char *expiry = find_parameter(query, "se=");
    struct tm parts = { 0 };
    char text[40] = "";
    size_t filled = 0;
    for (; expiry && *expiry && *expiry != '&' && filled + 1 < sizeof text; expiry++) {
        const bool colon = strncasecmp(expiry, "%3A", 3) == 0;
        text[filled++] = colon ? ':' : *expiry;
        expiry += colon ? 2 : 0;
    }
    text[filled] = 0;
    if (!strptime(text, "%Y-%m-%dT%H:%M", &parts) && !strptime(text, "%Y-%m-%d", &parts))
        return NULL;
    if (timegm(&parts) > time(NULL))
        return NULL;
    snprintf(hint, capacity, "the SAS expired at %s; make a new one", text);
    return hint;
}

static int fail_access(const struct ag_rest_answer *answer, const char *query)
{
    char hint[100];
    if (answer->status == 401 || answer->status == 403)
        return ag_rest_fail(answer, hint_of_refusal(query, hint, sizeof hint));
    if (answer->status == 404)
        return ag_rest_fail(answer, "check the container's name; it must exist, and allow reading");
    return ag_rest_fail(answer, NULL);
}

bool ag_blob_fetch(const char *url, const char *ca_file, size_t limit, uint8_t **bytes,
                   size_t *size)
{
    static const char *const headers[] = { "x-ms-version: " AG_BLOB_API_VERSION, NULL };
    const char *query = strchr(url, '?');
    struct ag_rest_answer answer;
    if (!ag_rest_perform(&(struct ag_rest_request){ .method = "GET",
                                                    .url = url,
                                                    .headers = headers,
                                                    .ca_file = ca_file,
                                                    .what = "fetch the file",
                                                    .size_max = limit },
                         &answer))
        return false;
    if (answer.status != 200) {
        fail_access(&answer, query ? query + 1 : "");
        ag_rest_clear(&answer);
        return false;
    }
    *bytes = (uint8_t *)answer.body;
    *size = answer.size;
    return true;
}

static bool make_md5_header(const void *bytes, size_t size, char *header, size_t capacity)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    struct ag_writer out;
    if (EVP_Digest(bytes, size, digest, &digest_size, EVP_md5(), NULL) != 1)
        return false;
    ag_writer_init(&out, header, capacity);
    ag_writer_text(&out, "Content-MD5: ");
    ag_base64_encode(&out, digest, digest_size);
    return ag_writer_finish_text(&out)[0] != 0;
}

static bool put(const struct ag_blob *blob, const char *ca_file, const void *bytes, size_t size,
                bool force, struct ag_rest_answer *answer)
{
    char md5[64];
    const char *headers[] = {
        "x-ms-version: " AG_BLOB_API_VERSION,
        "x-ms-blob-type: BlockBlob",
        "Content-Type: application/wasm",
        force ? NULL : "If-None-Match: *",
        NULL,
        NULL,
    };
    // MD5 protects the way there; what the device trusts is the signature in the file.
    if (make_md5_header(bytes, size, md5, sizeof md5))
        headers[force ? 3 : 4] = md5;
    char *url = join_query(blob->url, blob->write_query);
    if (!url) {
        ag_output_fail(NULL, "no memory");
        return false;
    }
    const bool answered = ag_rest_perform(&(struct ag_rest_request){ .method = "PUT",
                                                                     .url = url,
                                                                     .headers = headers,
                                                                     .body = bytes,
                                                                     .body_size = size,
                                                                     .ca_file = ca_file,
                                                                     .what = "publish the file" },
                                          answer);
    free(url);
    return answered;
}

enum comparison {
    COMPARISON_UNREADABLE = 0, // the error is printed
    COMPARISON_SAME,
    COMPARISON_DIFFERENT,
};

static enum comparison compare(const struct ag_blob *blob, const char *ca_file, const void *bytes,
                               size_t size)
{
    uint8_t *there = NULL;
    size_t there_size = 0;
    char *url = ag_blob_read_url(blob);
    const bool fetched =
        url && ag_blob_fetch(url, ca_file, AG_INPUT_PLUGIN_MAX, &there, &there_size);
    free(url);
    if (!fetched)
        return COMPARISON_UNREADABLE;
    const bool same = there_size == size && memcmp(there, bytes, size) == 0;
    free(there);
    return same ? COMPARISON_SAME : COMPARISON_DIFFERENT;
}

static enum ag_blob_outcome judge_existing(const struct ag_blob *blob, const char *ca_file,
                                           const void *bytes, size_t size)
{
    switch (compare(blob, ca_file, bytes, size)) {
    case COMPARISON_SAME:
        return AG_BLOB_UNCHANGED;
    case COMPARISON_DIFFERENT:
        ag_output_fail("raise the version in plugin.json, or replace it with --force",
                       "another file of this name is published already");
        return AG_BLOB_FAILED;
    case COMPARISON_UNREADABLE:
        ag_output_fail("give --read-sas so that it can be compared, or replace it with --force",
                       "a file of this name is published already and cannot be read");
        return AG_BLOB_FAILED;
    }
    return AG_BLOB_FAILED;
}

enum ag_blob_outcome ag_blob_upload(const struct ag_blob *blob, const char *ca_file,
                                    const void *bytes, size_t size, bool force)
{
    struct ag_rest_answer answer;
    if (!put(blob, ca_file, bytes, size, force, &answer))
        return AG_BLOB_FAILED;
    const long status = answer.status;
    const bool exists =
        !force &&
        (status == 412 || (status == 409 && strcmp(answer.error_code, "BlobAlreadyExists") == 0));
    if (status != 201 && !exists)
        fail_access(&answer, blob->write_query);
    ag_rest_clear(&answer);
    if (exists)
        return judge_existing(blob, ca_file, bytes, size);
    if (status != 201)
        return AG_BLOB_FAILED;
    switch (compare(blob, ca_file, bytes, size)) {
    case COMPARISON_SAME:
        return AG_BLOB_WRITTEN;
    case COMPARISON_DIFFERENT:
        ag_output_fail("publish it again with --force",
                       "the file was written, but reading it back gives other bytes");
        return AG_BLOB_FAILED;
    case COMPARISON_UNREADABLE:
        ag_output_fail("devices could not fetch it: give --read-sas with a SAS that allows reading "
                       "(sp=r), or let the container be read by everybody",
                       "the file was written, but cannot be read back");
        return AG_BLOB_FAILED;
    }
    return AG_BLOB_FAILED;
}
