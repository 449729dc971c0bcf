// SPDX-License-Identifier: Apache-2.0
// The blob endpoint.
#include "blob.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "blob_auth.h"
#include "blob_store.h"
#include "hub_log.h"
#include "memory.h"

#define RANGE_MD5_MAX (4 * 1024 * 1024)

enum blob_error {
    NO_ERROR,
    INVALID_URI,
    INVALID_HEADER,
    MISSING_HEADER,
    MISSING_LENGTH,
    INVALID_MD5,
    MD5_MISMATCH,
    UNSUPPORTED_PARAMETER,
    RANGE_TOO_LARGE,
    NO_AUTHENTICATION,
    NOT_AUTHENTIC,
    NOT_PERMITTED,
    WRONG_PROTOCOL,
    WRONG_ADDRESS,
    NO_OVERWRITE,
    NOT_FOUND,
    NO_METHOD,
    EXISTS,
    CONTAINER_EXISTS,
    CONDITION,
    INVALID_RANGE,
    SERVER_FAILED,
};

static const struct {
    int status;
    const char *code;
    const char *message;
} errors[] = {
    [NO_ERROR] = { 200, "", "" },
    [INVALID_URI] = { 400, "InvalidUri", "The path is not /ACCOUNT/CONTAINER/BLOB." },
    [INVALID_HEADER] = { 400, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob." },
    [MISSING_HEADER] = { 400, "MissingRequiredHeader", "x-ms-blob-type is missing." },
    [MISSING_LENGTH] = { 411, "MissingContentLengthHeader", "Content-Length is missing." },
    [INVALID_MD5] = { 400, "InvalidMd5", "The MD5 is not base64 of 16 bytes." },
    [MD5_MISMATCH] = { 400, "Md5Mismatch", "The MD5 does not match the bytes received." },
    [UNSUPPORTED_PARAMETER] = { 400, "UnsupportedQueryParameter",
                                "This operation is not offered by this hub." },
    [RANGE_TOO_LARGE] = { 400, "OutOfRangeInput", "The MD5 of a range is limited to 4 MiB." },
    [NO_AUTHENTICATION] = { 401, "NoAuthenticationInformation",
                            "Neither a SAS nor an Authorization header was sent." },
    [NOT_AUTHENTIC] = { 403, "AuthenticationFailed",
                        "The signature is wrong, or it is not valid at this time." },
    [NOT_PERMITTED] = { 403, "AuthorizationPermissionMismatch",
                        "The SAS does not permit this operation." },
    [WRONG_PROTOCOL] = { 403, "AuthorizationProtocolMismatch",
                         "The SAS does not permit this protocol." },
    [WRONG_ADDRESS] = { 403, "AuthorizationSourceIPMismatch",
                        "The SAS does not permit this address." },
    [NO_OVERWRITE] = { 403, "UnauthorizedBlobOverwrite",
                       "The SAS permits to create but not to overwrite." },
    [NOT_FOUND] = { 404, "BlobNotFound", "The blob is not there." },
    [NO_METHOD] = { 405, "UnsupportedHttpVerb", "Not with this method." },
    [EXISTS] = { 409, "BlobAlreadyExists", "The blob is there already." },
    [CONTAINER_EXISTS] = { 409, "ContainerAlreadyExists", "The container is there already." },
    [CONDITION] = { 412, "ConditionNotMet", "The condition of the request is not met." },
    [INVALID_RANGE] = { 416, "InvalidRange", "The range begins behind the end of the blob." },
    [SERVER_FAILED] = { 500, "InternalError", "The blob cannot be read or written." },
};

struct request {
    struct ag_http_exchange *exchange;
    char container[AG_BLOB_CONTAINER_MAX + 1];
    char name[AG_BLOB_NAME_MAX + 1]; // "" for the container itself
    const char *permissions;         // letters of the SAS; NULL: everything
    struct ag_blob_sas sas;
};

bool ag_blob_takes(const char *path)
{
    return strncmp(path, "/" AG_BLOB_ACCOUNT "/", sizeof AG_BLOB_ACCOUNT + 1) == 0;
}

static void add_common_headers(struct ag_http_exchange *exchange)
{
    char id[33];
    ag_encoding_new_hex(16, id);
    ag_http_set_header(exchange, "x-ms-request-id", id);
    ag_http_set_header(exchange, "x-ms-version", "2021-12-02");
    ag_http_set_header(exchange, "Server", "airgraft-hub");
}

static void answer_error(struct ag_http_exchange *exchange, enum blob_error error)
{
    // Never the query: it holds the signature.
    ag_hub_log_write(AG_HUB_LOG_INFO, "blob: %s refused with %d %s", exchange->path,
                     errors[error].status, errors[error].code);
    struct evbuffer *body = NULL;
    if (exchange->method != EVHTTP_REQ_HEAD && errors[error].status != 304) {
        body = evbuffer_new();
        evbuffer_add_printf(body,
                            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code>"
                            "<Message>%s</Message></Error>",
                            errors[error].code, errors[error].message);
        ag_http_set_header(exchange, "Content-Type", "application/xml");
    }
    add_common_headers(exchange);
    ag_http_set_header(exchange, "x-ms-error-code", errors[error].code);
    ag_http_answer(exchange, errors[error].status, body);
}

static bool container_is_good(const char *name)
{
    size_t size = strlen(name);
    if (strcmp(name, "$root") == 0 || strcmp(name, "$web") == 0)
        return true;
    return size >= 3 && name[0] != '-' && name[size - 1] != '-' && strstr(name, "--") == NULL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

// Container and blob of the path, decoded.
static bool parse_path(const char *path, struct request *request)
{
    path += sizeof AG_BLOB_ACCOUNT + 1;
    size_t size = strcspn(path, "/");
    if (!ag_encoding_percent_decode(path, size, request->container, sizeof request->container) ||
        !container_is_good(request->container))
        return false;
    path += size;
    path += *path == '/';
    return ag_encoding_percent_decode(path, strlen(path), request->name, sizeof request->name);
}

static const char *method_name(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "GET";
    }
}

static enum blob_error judge_sas(struct request *request)
{
    const struct ag_http_exchange *exchange = request->exchange;
    struct evhttp_connection *connection = evhttp_request_get_connection(exchange->request);
    char *peer = NULL;
    ev_uint16_t port;
    if (connection != NULL)
        evhttp_connection_get_peer(connection, &peer, &port);
    ag_blob_auth_read_sas(&exchange->query, &request->sas);
    request->permissions = request->sas.permissions;
    struct ag_blob_resource resource = { AG_BLOB_ACCOUNT, exchange->hub->account_key,
                                         request->container,
                                         request->name[0] != '\0' ? request->name : NULL };
    switch (ag_blob_auth_judge_sas(&request->sas, &resource, peer == NULL ? "" : peer,
                                   ag_hub_wall_ms(exchange->hub) / 1000)) {
    case AG_BLOB_SAS_GOOD:
        return NO_ERROR;
    case AG_BLOB_SAS_MALFORMED:
    case AG_BLOB_SAS_FORGED:
    case AG_BLOB_SAS_EARLY:
    case AG_BLOB_SAS_EXPIRED:
        return NOT_AUTHENTIC;
    case AG_BLOB_SAS_PROTOCOL:
        return WRONG_PROTOCOL;
    case AG_BLOB_SAS_ADDRESS:
        return WRONG_ADDRESS;
    }
    return NOT_AUTHENTIC;
}

static enum blob_error authenticate(struct request *request)
{
    const struct ag_http_exchange *exchange = request->exchange;
    if (ag_http_query(exchange, "sig") != NULL)
        return judge_sas(request);
    if (ag_http_header(exchange, "Authorization") == NULL)
        return NO_AUTHENTICATION;
    return ag_blob_auth_shared_key(exchange->request, method_name(exchange->method), exchange->path,
                                   &exchange->query, AG_BLOB_ACCOUNT, exchange->hub->account_key)
               ? NO_ERROR
               : NOT_AUTHENTIC;
}

static bool permits(const struct request *request, char letter)
{
    return request->permissions == NULL || strchr(request->permissions, letter) != NULL;
}

// True when the header names this etag or any: `*`, or quoted, or bare.
static bool names_etag(const char *header, const char *etag)
{
    size_t size = strlen(header);
    if (strcmp(header, "*") == 0)
        return true;
    if (size >= 2 && header[0] == '"' && header[size - 1] == '"') {
        header++;
        size -= 2;
    }
    return size == strlen(etag) && memcmp(header, etag, size) == 0;
}

static void set_blob_headers(struct ag_http_exchange *exchange, const struct ag_blob *blob)
{
    char text[AG_ENCODING_TIME_TEXT];
    char quoted[sizeof blob->etag + 2];
    snprintf(quoted, sizeof quoted, "\"%s\"", blob->etag);
    ag_http_set_header(exchange, "ETag", quoted);
    ag_encoding_http_time(blob->modified_ms, text);
    ag_http_set_header(exchange, "Last-Modified", text);
    add_common_headers(exchange);
}

static bool digest(const struct evbuffer_iovec *pieces, int count, uint8_t md5[16])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
    for (int i = 0; done && i < count; i++)
        done = EVP_DigestUpdate(context, pieces[i].iov_base, pieces[i].iov_len) == 1;
    done = done && EVP_DigestFinal_ex(context, md5, NULL) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

static bool digest_buffer(struct evbuffer *bytes, uint8_t md5[16])
{
    int count = evbuffer_peek(bytes, -1, NULL, NULL, 0);
    struct evbuffer_iovec *pieces = ag_memory_zeroed((size_t)count * sizeof *pieces);
    count = evbuffer_peek(bytes, -1, NULL, pieces, count);
    bool done = digest(pieces, count, md5);
    free(pieces);
    return done;
}

// Checks the MD5 that the client gave, if it gave one, and writes down the real one.
static enum blob_error check_md5(struct ag_http_exchange *exchange, struct evbuffer *bytes,
                                 struct ag_blob *blob)
{
    uint8_t md5[16];
    uint8_t wanted[16];
    size_t size;
    const char *given = ag_http_header(exchange, "x-ms-blob-content-md5");
    if (given == NULL)
        given = ag_http_header(exchange, "Content-MD5");
    if (!digest_buffer(bytes, md5))
        return SERVER_FAILED;
    if (given != NULL &&
        (!ag_encoding_unbase64(given, strlen(given), wanted, sizeof wanted, &size) ||
         size != sizeof wanted))
        return INVALID_MD5;
    if (given != NULL && memcmp(md5, wanted, sizeof md5) != 0)
        return MD5_MISMATCH;
    ag_encoding_base64(md5, sizeof md5, blob->md5);
    return NO_ERROR;
}

static enum blob_error may_put(const struct request *request, bool exists,
                               const struct ag_blob *older)
{
    const struct ag_http_exchange *exchange = request->exchange;
    const char *type = ag_http_header(exchange, "x-ms-blob-type");
    const char *match = ag_http_header(exchange, "If-Match");
    const char *none_match = ag_http_header(exchange, "If-None-Match");
    if (ag_http_query(exchange, "comp") != NULL)
        return UNSUPPORTED_PARAMETER;
    if (!permits(request, 'w') && !permits(request, 'c'))
        return NOT_PERMITTED;
    if (!permits(request, 'w') && exists)
        return NO_OVERWRITE;
    if (type == NULL)
        return MISSING_HEADER;
    if (strcmp(type, "BlockBlob") != 0)
        return INVALID_HEADER;
    if (ag_http_header(exchange, "Content-Length") == NULL)
        return MISSING_LENGTH;
    if (match != NULL && (!exists || !names_etag(match, older->etag)))
        return CONDITION;
    if (none_match != NULL && exists && names_etag(none_match, older->etag))
        return strcmp(none_match, "*") == 0 ? EXISTS : CONDITION;
    return NO_ERROR;
}

static void take_content_type(const struct ag_http_exchange *exchange, struct ag_blob *blob)
{
    const char *type = ag_http_header(exchange, "x-ms-blob-content-type");
    if (type == NULL)
        type = ag_http_header(exchange, "Content-Type");
    if (type == NULL || strlen(type) >= sizeof blob->content_type)
        type = "application/octet-stream";
    strcpy(blob->content_type, type);
}

static enum blob_error put_blob(struct request *request)
{
    struct ag_http_exchange *exchange = request->exchange;
    struct evbuffer *bytes = evhttp_request_get_input_buffer(exchange->request);
    struct ag_blob blob;
    bool exists =
        ag_blob_store_get(exchange->hub, request->container, request->name, &blob) == AG_OK;
    enum blob_error error = may_put(request, exists, &blob);
    if (error != NO_ERROR)
        return error;
    memset(&blob, 0, sizeof blob);
    error = check_md5(exchange, bytes, &blob);
    if (error != NO_ERROR)
        return error;
    take_content_type(exchange, &blob);
    if (ag_blob_store_put(exchange->hub, request->container, request->name, bytes, &blob) != AG_OK)
        return SERVER_FAILED;
    set_blob_headers(exchange, &blob);
    ag_http_set_header(exchange, "Content-MD5", blob.md5);
    ag_http_set_header(exchange, "x-ms-request-server-encrypted", "false");
    ag_http_answer(exchange, 201, NULL);
    return NO_ERROR;
}

struct range {
    bool given;
    int64_t first; // of the bytes sent
    int64_t count;
};

// `bytes=A-B` and `bytes=A-`; anything else is ignored, as the service does. The answer's bytes.
static enum blob_error parse_range(const struct ag_http_exchange *exchange, int64_t size,
                                   struct range *range)
{
    const char *text = ag_http_header(exchange, "x-ms-range");
    if (text == NULL)
        text = ag_http_header(exchange, "Range");
    *range = (struct range){ false, 0, size };
    if (text == NULL || strncmp(text, "bytes=", 6) != 0 || !isdigit((unsigned char)text[6]))
        return NO_ERROR;
    char *end;
    int64_t first = strtoll(text + 6, &end, 10);
    int64_t last = size - 1;
    if (*end != '-')
        return NO_ERROR;
    if (end[1] != '\0') {
        if (!isdigit((unsigned char)end[1]))
            return NO_ERROR;
        last = strtoll(end + 1, &end, 10);
        if (*end != '\0' || last < first)
            return NO_ERROR;
    }
    if (first >= size)
        return INVALID_RANGE;
    range->given = true;
    range->first = first;
    range->count = (last < size - 1 ? last : size - 1) - first + 1;
    return NO_ERROR;
}

static bool wants_range_md5(const struct ag_http_exchange *exchange, const struct range *range)
{
    const char *text = ag_http_header(exchange, "x-ms-range-get-content-md5");
    return range->given && text != NULL && strcasecmp(text, "true") == 0;
}

static bool set_range_md5(struct ag_http_exchange *exchange, struct evbuffer *body)
{
    uint8_t md5[16];
    char text[32];
    if (!digest_buffer(body, md5))
        return false;
    ag_encoding_base64(md5, sizeof md5, text);
    ag_http_set_header(exchange, "Content-MD5", text);
    return true;
}

static void set_get_headers(const struct request *request, const struct ag_blob *blob,
                            const struct range *range)
{
    struct ag_http_exchange *exchange = request->exchange;
    static const char *const overridden[] = { "Cache-Control", "Content-Disposition",
                                              "Content-Encoding", "Content-Language",
                                              "Content-Type" };
    char text[96];
    set_blob_headers(exchange, blob);
    ag_http_set_header(exchange, "Accept-Ranges", "bytes");
    ag_http_set_header(exchange, "Content-Type", blob->content_type);
    ag_http_set_header(exchange, "x-ms-blob-type", "BlockBlob");
    snprintf(text, sizeof text, "%" PRId64, range->count);
    ag_http_set_header(exchange, "Content-Length", text);
    ag_http_set_header(exchange, range->given ? "x-ms-blob-content-md5" : "Content-MD5", blob->md5);
    if (range->given) {
        snprintf(text, sizeof text, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range->first,
                 range->first + range->count - 1, blob->size);
        ag_http_set_header(exchange, "Content-Range", text);
    }
    for (size_t i = 0; i < 5; i++) {
        if (request->permissions != NULL && request->sas.overrides[i] != NULL)
            ag_http_set_header(exchange, overridden[i], request->sas.overrides[i]);
    }
}

// The bytes of a range as a mapping of the file: they are paged in as the client takes them.
static struct evbuffer *map_range(const struct ag_hub *hub, const struct ag_blob *blob,
                                  const struct range *range)
{
    struct evbuffer *body = evbuffer_new();
    if (range->count == 0)
        return body;
    int file = ag_blob_store_open(hub, blob);
    if (file < 0 || evbuffer_add_file(body, file, range->first, range->count) != 0) {
        if (file >= 0)
            close(file);
        evbuffer_free(body);
        return NULL;
    }
    return body;
}

// Sends the blob, or with HEAD its headers.
static enum blob_error send_blob(struct request *request, const struct ag_blob *blob)
{
    struct ag_http_exchange *exchange = request->exchange;
    struct range range;
    enum blob_error error = parse_range(exchange, blob->size, &range);
    if (error == INVALID_RANGE) {
        char text[48];
        snprintf(text, sizeof text, "bytes */%" PRId64, blob->size);
        ag_http_set_header(exchange, "Content-Range", text);
    }
    if (error != NO_ERROR)
        return error;
    if (exchange->method == EVHTTP_REQ_HEAD) {
        range = (struct range){ false, 0, blob->size };
        set_get_headers(request, blob, &range);
        ag_http_answer(exchange, 200, NULL);
        return NO_ERROR;
    }
    if (wants_range_md5(exchange, &range) && range.count > RANGE_MD5_MAX)
        return RANGE_TOO_LARGE;
    struct evbuffer *body = map_range(exchange->hub, blob, &range);
    if (body == NULL)
        return SERVER_FAILED;
    if (wants_range_md5(exchange, &range) && !set_range_md5(exchange, body)) {
        evbuffer_free(body);
        return SERVER_FAILED;
    }
    set_get_headers(request, blob, &range);
    ag_http_answer(exchange, range.given ? 206 : 200, body);
    return NO_ERROR;
}

static enum blob_error get_blob(struct request *request)
{
    struct ag_http_exchange *exchange = request->exchange;
    const char *match = ag_http_header(exchange, "If-Match");
    const char *none_match = ag_http_header(exchange, "If-None-Match");
    struct ag_blob blob;
    if (!permits(request, 'r'))
        return NOT_PERMITTED;
    if (ag_http_query(exchange, "comp") != NULL)
        return UNSUPPORTED_PARAMETER;
    if (ag_blob_store_get(exchange->hub, request->container, request->name, &blob) != AG_OK)
        return NOT_FOUND;
    if (match != NULL && !names_etag(match, blob.etag))
        return CONDITION;
    if (none_match != NULL && names_etag(none_match, blob.etag)) {
        set_blob_headers(exchange, &blob);
        ag_http_answer(exchange, 304, NULL);
        return NO_ERROR;
    }
    return send_blob(request, &blob);
}

static enum blob_error delete_blob(struct request *request)
{
    struct ag_http_exchange *exchange = request->exchange;
    const char *match = ag_http_header(exchange, "If-Match");
    struct ag_blob blob;
    if (!permits(request, 'd'))
        return NOT_PERMITTED;
    if (ag_blob_store_get(exchange->hub, request->container, request->name, &blob) != AG_OK)
        return NOT_FOUND;
    if (match != NULL && !names_etag(match, blob.etag))
        return CONDITION;
    if (ag_blob_store_remove(exchange->hub, request->container, request->name) != AG_OK)
        return SERVER_FAILED;
    add_common_headers(exchange);
    ag_http_answer(exchange, 202, NULL);
    return NO_ERROR;
}

// Containers need not be made: a blob may be put anywhere. Making one is answered all the same.
static enum blob_error put_container(struct request *request)
{
    struct ag_http_exchange *exchange = request->exchange;
    if (!permits(request, 'c') && !permits(request, 'w'))
        return NOT_PERMITTED;
    enum ag_status status = ag_blob_store_add_container(exchange->hub, request->container);
    if (status == AG_ERR_NOT_FOUND)
        return CONTAINER_EXISTS;
    if (status != AG_OK)
        return SERVER_FAILED;
    add_common_headers(exchange);
    ag_http_answer(exchange, 201, NULL);
    return NO_ERROR;
}

static enum blob_error run(struct request *request)
{
    struct ag_http_exchange *exchange = request->exchange;
    if (!parse_path(exchange->path, request))
        return INVALID_URI;
    enum blob_error error = authenticate(request);
    if (error != NO_ERROR)
        return error;
    if (request->name[0] == '\0') {
        const char *type = ag_http_query(exchange, "restype");
        if (exchange->method == EVHTTP_REQ_PUT && type != NULL && strcmp(type, "container") == 0 &&
            ag_http_query(exchange, "comp") == NULL)
            return put_container(request);
        return UNSUPPORTED_PARAMETER;
    }
    switch (exchange->method) {
    case EVHTTP_REQ_PUT:
        return put_blob(request);
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        return get_blob(request);
    case EVHTTP_REQ_DELETE:
        return delete_blob(request);
    default:
        return NO_METHOD;
    }
}

void ag_blob_handle(struct ag_http_exchange *exchange)
{
    struct request *request = ag_memory_zeroed(sizeof *request);
    request->exchange = exchange;
    enum blob_error error = run(request);
    free(request);
    if (error != NO_ERROR)
        answer_error(exchange, error);
}
