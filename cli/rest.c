// SPDX-License-Identifier: Apache-2.0
// HTTPS on libcurl.
//
// A URL may carry a SAS, which is a secret: errors name the host, never the URL.
#include "cli/rest.h"

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/cli.h"

enum {
    CONNECT_TIMEOUT_S = 15,
    STALL_TIMEOUT_S = 30, // an answer that brings not a byte for so long is given up
    ATTEMPTS = 4,
    PAUSE_MAX_S = 60,
};

// What is filled while an answer comes in.
struct intake {
    struct ag_rest_answer *answer;
    struct ag_progress progress;
    uint64_t size_max;
    size_t capacity;
    bool too_large;
};

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    struct intake *intake = context;
    struct ag_rest_answer *answer = intake->answer;
    const size_t size = one * count;
    if (size > intake->size_max - answer->size) {
        intake->too_large = true;
        return 0;
    }
    if (size >= intake->capacity - answer->size) {
        const size_t capacity = (answer->size + size) * 2 + 1;
        char *larger = realloc(answer->body, capacity);
        if (!larger)
            return 0;
        answer->body = larger;
        intake->capacity = capacity;
    }
    memcpy(answer->body + answer->size, bytes, size);
    answer->size += size;
    answer->body[answer->size] = 0;
    return size;
}

// Copies the value of the header line when it is called `name`; one that does not fit is left out.
static void take_value(const char *line, size_t size, const char *name, char *value,
                       size_t capacity)
{
    const size_t name_size = strlen(name);
    if (size <= name_size || strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
        return;
    line += name_size + 1;
    size -= name_size + 1;
    while (size > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        size--;
    }
    while (size > 0 && (unsigned char)line[size - 1] <= ' ')
        size--;
    if (size >= capacity)
        return;
    memcpy(value, line, size);
    value[size] = 0;
}

static size_t take_header(char *line, size_t one, size_t count, void *context)
{
    struct ag_rest_answer *answer = ((struct intake *)context)->answer;
    const size_t size = one * count;
    char seconds[24] = "";
    uint64_t number;
    take_value(line, size, "ETag", answer->etag, sizeof answer->etag);
    take_value(line, size, "x-ms-error-code", answer->error_code, sizeof answer->error_code);
    take_value(line, size, "Content-MD5", answer->content_md5, sizeof answer->content_md5);
    take_value(line, size, "Retry-After", seconds, sizeof seconds);
    if (ag_options_number(seconds, &number))
        answer->retry_after_s = number > PAUSE_MAX_S ? PAUSE_MAX_S : (uint32_t)number;
    return size;
}

static int show_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up)
{
    struct intake *intake = context;
    const bool uploading = up_total > 0 && up < up_total;
    if (uploading || down_total <= 0)
        ag_progress_bytes(&intake->progress, (uint64_t)up, (uint64_t)up_total);
    else
        ag_progress_bytes(&intake->progress, (uint64_t)down, (uint64_t)down_total);
    return 0;
}

// A proxy is for the outside: what runs on this machine is reached directly.
static bool is_local(const char *url)
{
    static const char *const prefixes[] = { "https://localhost:", "https://localhost/",
                                            "https://127.", "https://[::1]" };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncasecmp(url, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

static CURL *make_handle(const struct ag_rest_request *request, struct intake *intake,
                         struct curl_slist *headers, char *message)
{
    CURL *handle = curl_easy_init();
    if (!handle)
        return NULL;
    curl_easy_setopt(handle, CURLOPT_URL, request->url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->ca_file && request->ca_file[0]) {
        curl_easy_setopt(handle, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    }
    if (is_local(request->url))
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
    if (request->body) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                     (long)(request->silence_s ? request->silence_s : STALL_TIMEOUT_S));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, intake);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, intake);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, intake);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, message);
    return handle;
}

static enum ag_status status_of_verification(CURL *handle)
{
    long result = X509_V_OK;
    curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
    switch (result) {
    // The chain was good, so it was the name, which libcurl checks itself before it takes down the
    // chain's result: that is then still the value it started with.
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return AG_ERR_TLS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return AG_ERR_TLS_EXPIRED;
    default:
        return AG_ERR_TLS_UNTRUSTED;
    }
}

static enum ag_status status_of_code(CURL *handle, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return AG_ERR_DNS;
    case CURLE_COULDNT_CONNECT:
        return AG_ERR_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return AG_ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
        return status_of_verification(handle);
    case CURLE_SSL_CONNECT_ERROR:
        return AG_ERR_TLS;
    case CURLE_SSL_CACERT_BADFILE:
        return AG_ERR_CONFIG;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return AG_ERR_RESET;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return AG_ERR_ARGUMENT;
    default:
        return AG_ERR_HTTP_MALFORMED;
    }
}

static const char *hint_of_status(enum ag_status status)
{
    switch (status) {
    case AG_ERR_CONNECT:
        return "is the hub running? check address, port and firewall";
    case AG_ERR_TLS_UNTRUSTED:
        return "name the server's own root certificate with --ca FILE";
    case AG_ERR_CONFIG:
        return "name a file with certificates in PEM form";
    case AG_ERR_ARGUMENT:
        return "it must begin with https://";
    case AG_ERR_TIMEOUT:
        return "check the network and try again";
    case AG_ERR_RESET:
        return "try again";
    default:
        return ag_status_hint(status);
    }
}

// The URL's host and port: what an error may show of it.
static void host_of(const char *url, char *host, size_t capacity)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    snprintf(host, capacity, "%.*s", (int)strcspn(start, "/?#"), start);
}

static void fail_transport(const struct ag_rest_request *request, CURL *handle, CURLcode code)
{
    const enum ag_status status = status_of_code(handle, code);
    char host[280];
    host_of(request->url, host, sizeof host);
    if (status == AG_ERR_CONFIG) {
        ag_output_fail(hint_of_status(status), "cannot %s: no certificates in %s (%s, %d)",
                       request->what, request->ca_file, ag_status_name(status), (int)status);
        return;
    }
    ag_output_fail(hint_of_status(status), "cannot %s: %s: %s (%s, %d)", request->what, host,
                   status == AG_ERR_ARGUMENT ? "the URL cannot be used" : ag_status_text(status),
                   ag_status_name(status), (int)status);
}

static struct curl_slist *make_headers(const struct ag_rest_request *request)
{
    // No "Expect: 100-continue": it would cost a pause with servers that do not know it.
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; list && request->headers && request->headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (!longer) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

// One attempt. False when there was no answer, with the error printed.
static bool attempt(const struct ag_rest_request *request, struct curl_slist *headers,
                    struct ag_rest_answer *answer)
{
    char message[CURL_ERROR_SIZE] = "";
    struct intake intake = {
        .answer = answer,
        .size_max = request->size_max ? request->size_max : AG_REST_ANSWER_MAX,
        .capacity = 1,
    };
    *answer = (struct ag_rest_answer){ .body = calloc(1, 1), .what = request->what };
    host_of(request->url, answer->host, sizeof answer->host);
    CURL *handle = answer->body ? make_handle(request, &intake, headers, message) : NULL;
    if (!handle) {
        ag_output_fail(NULL, "cannot %s: no memory", request->what);
        ag_rest_clear(answer);
        return false;
    }
    ag_progress_begin(&intake.progress, request->what);
    const CURLcode code = curl_easy_perform(handle);
    ag_progress_end(&intake.progress);
    if (code == CURLE_OK)
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->status);
    else if (intake.too_large)
        ag_output_fail("is it the right URL?", "cannot %s: the answer is larger than %llu bytes",
                       request->what, (unsigned long long)intake.size_max);
    else
        fail_transport(request, handle, code);
    curl_easy_cleanup(handle);
    if (code != CURLE_OK)
        ag_rest_clear(answer);
    return code == CURLE_OK;
}

static void pause_before_retry(const struct ag_rest_request *request,
                               const struct ag_rest_answer *answer, uint32_t done)
{
    const uint32_t seconds = answer->retry_after_s ? answer->retry_after_s : 1u << done;
    const struct timespec pause = { .tv_sec = seconds };
    ag_output_note("cannot %s yet: the server is busy (HTTP %ld); trying again in %u s",
                   request->what, answer->status, seconds);
    nanosleep(&pause, NULL);
}

bool ag_rest_perform(const struct ag_rest_request *request, struct ag_rest_answer *answer)
{
    const uint32_t attempts = request->attempts ? request->attempts : ATTEMPTS;
    struct curl_slist *headers = make_headers(request);
    if (!headers) {
        ag_output_fail(NULL, "cannot %s: no memory", request->what);
        return false;
    }
    bool answered = attempt(request, headers, answer);
    for (uint32_t done = 0; answered && done + 1 < attempts; done++) {
        if (answer->status != 429 && answer->status != 503)
            break;
        pause_before_retry(request, answer, done);
        ag_rest_clear(answer);
        answered = attempt(request, headers, answer);
    }
    curl_slist_free_all(headers);
    return answered;
}

void ag_rest_clear(struct ag_rest_answer *answer)
{
    free(answer->body);
    *answer = (struct ag_rest_answer){ 0 };
}

// Copies one line's worth of `size` bytes, without control characters.
static void copy_clean(char *to, size_t capacity, const char *from, size_t size)
{
    size_t filled = 0;
    for (size_t i = 0; i < size && filled + 1 < capacity && from[i] != '\n'; i++) {
        if ((unsigned char)from[i] >= ' ' && from[i] != 0x7F)
            to[filled++] = from[i];
    }
    to[filled] = 0;
}

// Between <NAME> and </NAME>; nothing is copied when there is no such element.
static void copy_element(const char *xml, const char *name, char *to, size_t capacity)
{
    char open[24];
    char close[24];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    const char *start = strstr(xml, open);
    const char *end = start ? strstr(start, close) : NULL;
    if (end)
        copy_clean(to, capacity, start + strlen(open), (size_t)(end - start) - strlen(open));
}

// "ErrorCode:NAME;text", or {"errorCode":401002,"message":"…"} as text.
static void read_message(const char *message, struct ag_rest_error *error)
{
    json_t *inner = json_loads(message, 0, NULL);
    const char *text = json_string_value(json_object_get(inner, "message"));
    const json_int_t number = json_integer_value(json_object_get(inner, "errorCode"));
    if (text) {
        copy_clean(error->text, sizeof error->text, text, strlen(text));
        if (number != 0)
            snprintf(error->code, sizeof error->code, "%lld", (long long)number);
    } else if (strncmp(message, "ErrorCode:", 10) == 0) {
        const size_t size = strcspn(message + 10, ";");
        const char *rest = message + 10 + size;
        copy_clean(error->code, sizeof error->code, message + 10, size);
        rest += *rest == ';';
        copy_clean(error->text, sizeof error->text, rest, strlen(rest));
    } else {
        copy_clean(error->text, sizeof error->text, message, strlen(message));
    }
    json_decref(inner);
}

void ag_rest_read_error(const struct ag_rest_answer *answer, struct ag_rest_error *error)
{
    json_t *root = json_loadb(answer->body, answer->size, 0, NULL);
    const char *message = json_string_value(json_object_get(root, "Message"));
    *error = (struct ag_rest_error){ 0 };
    copy_clean(error->code, sizeof error->code, answer->error_code, strlen(answer->error_code));
    if (!message)
        message = json_string_value(json_object_get(root, "message"));
    if (message) {
        read_message(message, error);
    } else {
        copy_element(answer->body, "Code", error->code, sizeof error->code);
        copy_element(answer->body, "Message", error->text, sizeof error->text);
    }
    json_decref(root);
}

static const char *hint_of_http(long status)
{
    switch (status) {
    case 400:
        return "correct what the server names; if it names nothing, is it the right server?";
    case 401:
        return "check SharedAccessKeyName and SharedAccessKey, and this machine's clock";
    case 403:
        return "the SAS or key is wrong, expired, or lacks the permission; check the clock too";
    case 404:
        return "check the name";
    case 409:
        return "choose another name";
    case 412:
        return "somebody else changed it at the same time; try again";
    case 413:
        return "make it smaller";
    case 429:
    case 503:
        return "the server is busy; try again later";
    default:
        return status >= 500 ? "the server failed; see its log, and try again"
                             : "check what answers at this address";
    }
}

int ag_rest_fail(const struct ag_rest_answer *answer, const char *hint)
{
    struct ag_rest_error error;
    ag_rest_read_error(answer, &error);
    return ag_output_fail(hint ? hint : hint_of_http(answer->status),
                          "cannot %s: %s says: %s%s%s%sHTTP %ld)", answer->what, answer->host,
                          error.text, error.text[0] ? " (" : "(", error.code,
                          error.code[0] ? ", " : "", answer->status);
}

char *ag_rest_escape(const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *escaped = malloc(strlen(text) * 3 + 1);
    char *at = escaped;
    if (!escaped)
        return NULL;
    for (; *text; text++) {
        if (strchr(plain, *text)) {
            *at++ = *text;
            continue;
        }
        *at++ = '%';
        *at++ = hex[(unsigned char)*text >> 4];
        *at++ = hex[(unsigned char)*text & 15];
    }
    *at = 0;
    return escaped;
}
