// SPDX-License-Identifier: Apache-2.0
// The server for files as one device sees it.
#include "port/sim/sim_blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A request as far as it matters.
struct request {
    char path[160];
    bool has_range;
    unsigned long first;
    unsigned long last;
    char if_match[96]; // empty: none
};

static bool parse(const char *text, struct request *request)
{
    memset(request, 0, sizeof *request);
    if (strncmp(text, "GET /", 5) != 0)
        return false;
    snprintf(request->path, sizeof request->path, "%.*s", (int)strcspn(text + 5, " ?"), text + 5);
    const char *range = strstr(text, "\r\nRange: bytes=");
    request->has_range =
        range && sscanf(range + 15, "%lu-%lu", &request->first, &request->last) == 2;
    const char *match = strstr(text, "\r\nIf-Match: ");
    if (match)
        snprintf(request->if_match, sizeof request->if_match, "%.*s",
                 (int)strcspn(match + 12, "\r"), match + 12);
    return true;
}

// The head's line with the right time.
static void write_date(const struct sim_blob *blob, char line[48])
{
    const time_t now = (time_t)(blob->world->epoch_s + (int64_t)(blob->world->now_ms / 1000));
    struct tm parts;
    strftime(line, 48, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&now, &parts));
}

static void answer(struct sim_blob *blob, unsigned code, const char *more)
{
    char text[256];
    char date[48];
    write_date(blob, date);
    snprintf(text, sizeof text, "HTTP/1.1 %u No\r\n%s%sContent-Length: 3\r\n\r\nno\n", code, date,
             more);
    sim_link_send(blob->link, text, strlen(text));
    sim_trace(blob->world, blob->name, "the server answers %u", code);
}

// An answer that has nothing to do with the file.
static void refuse(struct sim_blob *blob)
{
    static const unsigned codes[] = { 403, 404, 408, 412, 416, 429, 500, 502, 503, 504 };
    char more[48] = "";
    unsigned code = codes[sim_random(blob->world) % (sizeof codes / sizeof codes[0])];
    if ((code == 429 || code >= 500) && sim_random(blob->world) % 2)
        snprintf(more, sizeof more, "Retry-After: %u\r\n",
                 (unsigned)sim_scale(blob->world, 1, 7200));
    answer(blob, code, more);
}

static void send_body(struct sim_blob *blob, const uint8_t *bytes, size_t size)
{
    struct sim_world *world = blob->world;
    if (size > 1 && sim_strikes(world, blob->rates->corrupt, SIM_FAULT_HTTP_CORRUPT)) {
        uint8_t *copy = malloc(size);
        memcpy(copy, bytes, size);
        uint64_t bit = sim_random(world) % (size * 8);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sim_link_send(blob->link, copy, size);
        free(copy);
        blob->corruptions++;
        sim_trace(world, blob->name, "the server sends another byte than the file's");
        return;
    }
    if (sim_strikes(world, blob->rates->short_, SIM_FAULT_HTTP_SHORT)) {
        sim_link_send(blob->link, bytes, (size_t)(sim_random(world) % size));
        sim_link_end(blob->link);
        sim_trace(world, blob->name, "the server stops in the middle");
        return;
    }
    sim_link_send(blob->link, bytes, size);
}

static void send_file(struct sim_blob *blob, const struct request *request, const uint8_t *bytes,
                      size_t size)
{
    char head[320];
    char date[48];
    char etag[48];
    write_date(blob, date);
    struct sim_world *world = blob->world;
    if (sim_strikes(world, blob->rates->etag, SIM_FAULT_HTTP_ETAG))
        blob->changes++;
    snprintf(etag, sizeof etag, "\"0x%X\"", (unsigned)blob->changes);
    if (request->if_match[0] && strcmp(request->if_match, etag) != 0) {
        answer(blob, 412, "");
        return;
    }
    if (request->has_range && request->first >= size) {
        answer(blob, 416, "");
        return;
    }
    size_t last = request->last < size ? request->last : size - 1;
    bool is_whole =
        !request->has_range || sim_strikes(world, blob->rates->whole, SIM_FAULT_HTTP_WHOLE);
    if (is_whole) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\nETag: %s\r\n\r\n",
                 date, size, etag);
        sim_link_send(blob->link, head, strlen(head));
        send_body(blob, bytes, size);
        return;
    }
    snprintf(head, sizeof head,
             "HTTP/1.1 206 Partial\r\n%sContent-Length: %zu\r\nETag: %s\r\n"
             "Content-Range: bytes %lu-%zu/%zu\r\n\r\n",
             date, last - request->first + 1, etag, request->first, last, size);
    sim_link_send(blob->link, head, strlen(head));
    send_body(blob, bytes + request->first, last - request->first + 1);
}

static void serve_request(struct sim_blob *blob, const char *text)
{
    struct request request;
    const uint8_t *bytes;
    size_t size;
    blob->requests++;
    if (!parse(text, &request)) {
        snprintf(blob->offence, sizeof blob->offence, "asks %.100s", text);
        return;
    }
    if (sim_strikes(blob->world, blob->rates->status, SIM_FAULT_HTTP_STATUS))
        refuse(blob);
    else if (blob->find(blob->context, request.path, &bytes, &size))
        send_file(blob, &request, bytes, size);
    else
        answer(blob, 404, "");
}

static void serve(void *context)
{
    struct sim_blob *blob = context;
    struct sim_bytes *in = &blob->link->from_device;
    char *end;
    while (in->size > 0 && (end = memmem(in->at, in->size, "\r\n\r\n", 4)) != NULL) {
        size_t size = (size_t)((uint8_t *)end - in->at) + 4;
        char *text = strndup((const char *)in->at, size);
        serve_request(blob, text);
        free(text);
        sim_bytes_drop(in, size);
    }
}

static void nothing(void *context)
{
    (void)context;
}

void sim_blob_init(struct sim_blob *blob, struct sim_world *world, struct sim_link *link,
                   const char *name, const struct sim_blob_rates *rates)
{
    memset(blob, 0, sizeof *blob);
    blob->world = world;
    blob->link = link;
    blob->name = name;
    blob->rates = rates;
    link->server = blob;
    link->on_open = nothing;
    link->on_bytes = serve;
    link->on_close = nothing;
}
