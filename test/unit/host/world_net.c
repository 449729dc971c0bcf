// SPDX-License-Identifier: Apache-2.0
// The network of the world: a hub with DPS, and a server for files.
#include "test/unit/host/world_net.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/writer.h"
#include "platform/crypto.h"
#include "test/harness.h"

// ---- Streams -----------------------------------------------------------------------------------

static void empty_pipe(struct world_pipe *pipe)
{
    ag_buffer_clear(&pipe->to_device);
    ag_buffer_clear(&pipe->from_device);
    pipe->to_device_at = 0;
    pipe->delivered = 0;
    pipe->is_closed_by_peer = false;
}

static enum ag_status open_pipe(void *context, const char *host, uint16_t port)
{
    struct world_pipe *pipe = context;
    empty_pipe(pipe);
    if (world.has_one_stream &&
        (pipe == &world.hub_pipe ? &world.file_pipe : &world.hub_pipe)->is_open)
        test_fail(__FILE__, __LINE__, "a second stream is opened, to %s", host);
    pipe->is_stalled = false;
    pipe->is_open = true;
    pipe->opens++;
    snprintf(pipe->host, sizeof pipe->host, "%s", host);
    pipe->port = port;
    pipe->is_untrusted = pipe->root && !memchr(world.roots, pipe->root, sizeof world.roots);
    if (pipe == &world.hub_pipe)
        world.hub.is_subscribed = false;
    return AG_OK;
}

static void close_pipe(void *context)
{
    struct world_pipe *pipe = context;
    empty_pipe(pipe);
    pipe->is_open = false;
}

static uint32_t limit(const struct world_pipe *pipe, size_t size)
{
    return pipe->chunk && size > pipe->chunk ? pipe->chunk : (uint32_t)size;
}

// As much of it as this millisecond still brings.
static bool take_rate(struct world_pipe *pipe, size_t *part)
{
    if (pipe->rate_ms != board.now_ms)
        pipe->rate_bytes = 0;
    pipe->rate_ms = board.now_ms;
    if (*part > pipe->bytes_per_ms - pipe->rate_bytes)
        *part = pipe->bytes_per_ms - pipe->rate_bytes;
    pipe->rate_bytes += (uint32_t)*part;
    return *part > 0;
}

static enum ag_status read_pipe(void *context, void *bytes, size_t capacity, size_t *size)
{
    struct world_pipe *pipe = context;
    if (!pipe->is_open)
        return AG_ERR_CLOSED;
    if (pipe->open_fails != AG_OK)
        return pipe->open_fails;
    if (pipe->is_untrusted)
        return AG_ERR_TLS_UNTRUSTED;
    size_t left = pipe->to_device.size - pipe->to_device_at;
    if (pipe->stall_after && pipe->delivered >= pipe->stall_after)
        pipe->is_stalled = true;
    if (pipe->cut_after && pipe->delivered >= pipe->cut_after)
        return AG_ERR_RESET;
    if (left == 0 || pipe->is_stalled)
        return pipe->is_closed_by_peer && !pipe->is_stalled ? AG_ERR_CLOSED : AG_ERR_AGAIN;
    size_t part = limit(pipe, left < capacity ? left : capacity);
    if (pipe->drip_ms && board.now_ms - pipe->rate_ms < pipe->drip_ms)
        return AG_ERR_AGAIN;
    if (pipe->drip_ms) {
        pipe->rate_ms = board.now_ms;
        part = 1;
    } else if (pipe->bytes_per_ms && !take_rate(pipe, &part)) {
        return AG_ERR_AGAIN;
    }
    if (pipe->cut_after && part > pipe->cut_after - pipe->delivered)
        part = pipe->cut_after - pipe->delivered;
    memcpy(bytes, pipe->to_device.bytes + pipe->to_device_at, part);
    pipe->to_device_at += part;
    pipe->delivered += (uint32_t)part;
    *size = part;
    return AG_OK;
}

static enum ag_status write_pipe(void *context, const void *bytes, size_t size, size_t *written)
{
    struct world_pipe *pipe = context;
    if (!pipe->is_open)
        return AG_ERR_CLOSED;
    if (pipe->open_fails != AG_OK)
        return pipe->open_fails;
    if (pipe->is_untrusted)
        return AG_ERR_TLS_UNTRUSTED;
    if (pipe->is_stalled || pipe->takes_nothing)
        return AG_ERR_AGAIN;
    *written = limit(pipe, size);
    if (pipe->is_closed_by_peer)
        return AG_OK; // nobody hears it
    ag_buffer_append(&pipe->from_device, bytes, *written);
    if (pipe == &world.hub_pipe)
        world_net_serve_hub();
    else
        world_net_serve_files();
    return AG_OK;
}

void world_net_open_pipe(struct world_pipe *pipe)
{
    memset(pipe, 0, sizeof *pipe);
    pipe->stream.context = pipe;
    pipe->stream.open = open_pipe;
    pipe->stream.read = read_pipe;
    pipe->stream.write = write_pipe;
    pipe->stream.close = close_pipe;
}

void world_net_close_pipe(struct world_pipe *pipe)
{
    close_pipe(pipe);
}

static void consume(struct world_pipe *pipe, size_t size)
{
    memmove(pipe->from_device.bytes, pipe->from_device.bytes + size, pipe->from_device.size - size);
    pipe->from_device.size -= size;
}

// ---- MQTT
// ----------------------------------------------------------------------------------------

static void add_packet(uint8_t header, const struct ag_buffer *content)
{
    struct ag_buffer *out = &world.hub_pipe.to_device;
    ag_buffer_append_u8(out, header);
    size_t size = content->size;
    do {
        ag_buffer_append_u8(out, (uint8_t)((size & 0x7F) | (size > 0x7F ? 0x80 : 0)));
        size >>= 7;
    } while (size);
    ag_buffer_append(out, content->bytes, content->size);
}

static void answer(uint8_t header, uint8_t a, uint8_t b, int size)
{
    struct ag_buffer content = { 0 };
    ag_buffer_append_u8(&content, a);
    if (size > 1)
        ag_buffer_append_u8(&content, b);
    add_packet(header, &content);
    ag_buffer_clear(&content);
}

void world_net_publish(const char *topic, const char *payload)
{
    struct ag_buffer content = { 0 };
    ag_buffer_append_u8(&content, (uint8_t)(strlen(topic) >> 8));
    ag_buffer_append_u8(&content, (uint8_t)strlen(topic));
    ag_buffer_append(&content, topic, strlen(topic));
    ag_buffer_append(&content, payload, strlen(payload));
    add_packet(0x30, &content);
    ag_buffer_clear(&content);
}

static void accept_login(const uint8_t *bytes, size_t size)
{
    CHECK(size > 10 && memcmp(bytes, "\0\4MQTT\4", 7) == 0);
    world.hub.is_dps = memmem(bytes, size, "/registrations/dev-1/api-version=", 33) != NULL;
    CHECK(memmem(bytes, size, "SharedAccessSignature sr=", 25) != NULL);
    uint8_t code = world.hub.is_dps ? world.hub.dps_connack : world.hub.connack;
    answer(0x20, 0, code, 2);
    if (code != 0)
        world.hub_pipe.is_closed_by_peer = true;
    else if (!world.hub.is_dps)
        world.hub.connects++;
}

static void subscribe(const uint8_t *bytes, size_t size)
{
    struct ag_buffer content = { 0 };
    ag_buffer_append(&content, bytes, 2);
    for (size_t at = 2; at + 2 < size;) {
        at += 2 + (size_t)(bytes[at] << 8 | bytes[at + 1]);
        ag_buffer_append_u8(&content, bytes[at++]);
    }
    add_packet(0x90, &content);
    ag_buffer_clear(&content);
    world.hub.is_subscribed = !world.hub.is_dps;
}

static void serve_dps(const char *rid)
{
    char topic[160];
    world.hub.registrations++;
    unsigned status = world.hub.dps_status ? world.hub.dps_status : 200;
    if (world.hub.dps_waits_once)
        status = 202;
    snprintf(topic, sizeof topic, "$dps/registrations/res/%u/?$rid=%s%s", status, rid,
             status == 202 ? "&retry-after=2" : "");
    if (status == 202) {
        world.hub.dps_waits_once = false;
        world_net_publish(topic, "{\"operationId\":\"4.abc\",\"status\":\"assigning\"}");
    } else if (status != 200) {
        world_net_publish(topic, "{\"errorCode\":401002,\"message\":\"no\"}");
    } else if (world.hub.dps_is_disabled) {
        world_net_publish(topic, "{\"operationId\":\"4.abc\",\"status\":\"disabled\","
                                 "\"registrationState\":{\"status\":\"disabled\"}}");
    } else {
        world_net_publish(topic, "{\"operationId\":\"4.abc\",\"status\":\"assigned\","
                                 "\"registrationState\":{\"status\":\"assigned\","
                                 "\"assignedHub\":\"hub.example\",\"deviceId\":\"device-1\"}}");
    }
}

static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        json_t *old = json_object_get(into, key);
        if (json_is_null(value)) {
            json_object_del(into, key);
        } else if (!json_is_object(value)) {
            json_object_set(into, key, value);
        } else {
            if (!json_is_object(old)) {
                json_object_set_new(into, key, json_object());
                old = json_object_get(into, key);
            }
            merge(old, value);
        }
    }
}

static void serve_report(const char *rid, const char *payload, size_t size)
{
    world.hub.reports++;
    if (world.hub.ignores_reports)
        return;
    unsigned status = world.hub.report_status ? world.hub.report_status : 204;
    if (status == 204) {
        json_t *patch = json_loadb(payload, size, 0, NULL);
        CHECK(json_is_object(patch));
        merge(world.hub.reported, patch);
        json_decref(patch);
        world.hub.reported_version++;
    }
    if (world.hub.loses_answers)
        return;
    char topic[128];
    snprintf(topic, sizeof topic, "$iothub/twin/res/%u/?$rid=%s&$version=%" PRIu64, status, rid,
             world.hub.reported_version);
    world_net_publish(topic, "");
}

static void serve_get(const char *rid)
{
    world.hub.gets++;
    world.hub.last_get = (uint32_t)strtoul(rid, NULL, 10);
    if (world.hub.ignores_gets)
        return;
    char topic[96];
    snprintf(topic, sizeof topic, "$iothub/twin/res/200/?$rid=%s", rid);
    json_object_set_new(world.hub.desired, "$version", json_integer((json_int_t)world.hub.version));
    char *desired = world.hub.desired_text ? strdup(world.hub.desired_text)
                                           : json_dumps(world.hub.desired, JSON_COMPACT);
    char *reported = json_dumps(world.hub.reported, JSON_COMPACT);
    size_t size = strlen(desired) + strlen(reported) + 64;
    char *document = malloc(size);
    snprintf(document, size, "{\"desired\":%s,\"reported\":%s}", desired, reported);
    world_net_publish(topic, document);
    free(document);
    free(desired);
    free(reported);
}

static void take_answer(const char *topic, const char *payload, size_t size)
{
    unsigned code;
    int rid_at = 0;
    CHECK(sscanf(topic, "$iothub/methods/res/%u/?$rid=%n", &code, &rid_at) == 1 && rid_at > 0);
    CHECK(size < sizeof world.hub.answer);
    world.hub.answers++;
    world.hub.answer_code = code;
    snprintf(world.hub.answer_rid, sizeof world.hub.answer_rid, "%s", topic + rid_at);
    snprintf(world.hub.answer, sizeof world.hub.answer, "%.*s", (int)size, payload);
    if (size > 0) { // JSON, or nothing
        json_t *json = json_loadb(payload, size, JSON_DECODE_ANY, NULL);
        CHECK(json != NULL);
        json_decref(json);
    }
}

static void take_message(const char *topic, const char *payload, size_t size)
{
    const char *rid = strstr(topic, "$rid=");
    char rid_text[32] = "";
    if (rid)
        snprintf(rid_text, sizeof rid_text, "%.*s", (int)strcspn(rid + 5, "&"), rid + 5);
    if (strncmp(topic, "$dps/registrations/", 19) == 0)
        serve_dps(rid_text);
    else if (strncmp(topic, "$iothub/twin/GET/", 17) == 0)
        serve_get(rid_text);
    else if (strncmp(topic, "$iothub/twin/PATCH/properties/reported/", 39) == 0)
        serve_report(rid_text, payload, size);
    else if (strncmp(topic, "$iothub/methods/res/", 20) == 0)
        take_answer(topic, payload, size);
    else if (strncmp(topic, "devices/device-1/messages/events/", 33) == 0) {
        world.hub.telemetry_count++;
        snprintf(world.hub.telemetry, sizeof world.hub.telemetry, "%.*s", (int)size, payload);
        snprintf(world.hub.telemetry_topic, sizeof world.hub.telemetry_topic, "%s", topic);
    } else {
        test_fail(__FILE__, __LINE__, "the device published to %s", topic);
    }
}

static void take_publish(uint8_t header, const uint8_t *bytes, size_t size)
{
    size_t topic_size = (size_t)(bytes[0] << 8 | bytes[1]);
    char topic[512];
    CHECK(topic_size < sizeof topic && topic_size + 2 <= size);
    snprintf(topic, sizeof topic, "%.*s", (int)topic_size, (const char *)bytes + 2);
    size_t at = 2 + topic_size;
    if (header & 0x06) {
        struct ag_buffer content = { 0 };
        ag_buffer_append(&content, bytes + at, 2);
        add_packet(0x40, &content);
        ag_buffer_clear(&content);
        at += 2;
    }
    take_message(topic, (const char *)bytes + at, size - at);
}

static void take_packet(uint8_t header, const uint8_t *bytes, size_t size)
{
    switch (header >> 4) {
    case 1:
        accept_login(bytes, size);
        break;
    case 3:
        take_publish(header, bytes, size);
        break;
    case 8:
        subscribe(bytes, size);
        break;
    case 12: {
        struct ag_buffer nothing = { 0 };
        add_packet(0xD0, &nothing);
        break;
    }
    case 14:
        world.hub_pipe.is_closed_by_peer = true;
        break;
    default:
        test_fail(__FILE__, __LINE__, "the device sent a packet of type %d", header >> 4);
    }
}

void world_net_serve_hub(void)
{
    struct ag_buffer *in = &world.hub_pipe.from_device;
    for (;;) {
        size_t at = 1;
        size_t size = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (at >= in->size)
                return;
            size |= (size_t)(in->bytes[at] & 0x7F) << shift;
            if (!(in->bytes[at++] & 0x80))
                break;
        }
        if (in->size - at < size)
            return;
        take_packet(in->bytes[0], in->bytes + at, size);
        consume(&world.hub_pipe, at + size);
    }
}

// ---- HTTP
// ----------------------------------------------------------------------------------------

static struct world_file *find_file(const char *request)
{
    for (uint32_t i = 0; i < world.file_count; i++) {
        char line[128];
        int size = snprintf(line, sizeof line, "GET /%s", world.files[i].path);
        if (strncmp(request, line, (size_t)size) == 0 &&
            (request[size] == ' ' || request[size] == '?'))
            return &world.files[i];
    }
    return NULL;
}

static void add_text(struct ag_buffer *out, const char *text)
{
    ag_buffer_append(out, text, strlen(text));
}

static void add_md5(char *text, size_t capacity, const struct world_file *file)
{
    struct ag_md5 hash;
    uint8_t md5[AG_MD5_SIZE];
    char base64[32];
    struct ag_writer out;
    CHECK(ag_crypto_md5_init(&hash));
    ag_crypto_md5_update(&hash, file->bytes.bytes, file->bytes.size - world.says_wrong_md5);
    ag_crypto_md5_finish(&hash, md5);
    ag_writer_init(&out, base64, sizeof base64);
    ag_base64_encode(&out, md5, sizeof md5);
    snprintf(text, capacity, "%s: %s\r\n",
             world.ignores_ranges ? "Content-MD5" : "x-ms-blob-content-md5",
             ag_writer_finish_text(&out));
}

// What is said with every good answer.
static void write_facts(char *text, size_t capacity, const struct world_file *file)
{
    char md5[64] = "";
    char etag[40] = "";
    char date[64] = "";
    unsigned generation = world.changes_etag ? world.requests : (unsigned)file->generation;
    if (world.says_md5 || world.says_wrong_md5)
        add_md5(md5, sizeof md5, file);
    if (world.says_range_md5) // of one that is not the whole file's, whatever it is
        snprintf(md5, sizeof md5, "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n");
    if (!world.has_no_etag)
        snprintf(etag, sizeof etag, "ETag: %s\"g%u\"\r\n", world.has_weak_etag ? "W/" : "",
                 generation);
    if (world.date)
        snprintf(date, sizeof date, "Date: %s\r\n", world.date);
    snprintf(text, capacity, "%s%s%s", etag, md5, date);
}

// An answer that is no file.
static void answer_with(unsigned code)
{
    char head[512];
    int size = snprintf(head, sizeof head, "HTTP/1.1 %u No\r\nContent-Length: 3\r\n", code);
    if (world.retry_after_s)
        size += snprintf(head + size, sizeof head - (size_t)size, "Retry-After: %u\r\n",
                         (unsigned)world.retry_after_s);
    if (world.date)
        size += snprintf(head + size, sizeof head - (size_t)size, "Date: %s\r\n", world.date);
    if (code == 302)
        size += snprintf(head + size, sizeof head - (size_t)size, "Location: %s\r\n",
                         world.redirects_to);
    snprintf(head + size, sizeof head - (size_t)size, "\r\nno\n");
    add_text(&world.file_pipe.to_device, head);
}

static unsigned code_for(const char *request, const struct world_file *file)
{
    const char *line_end = strchr(request, '\r');
    if (world.http_code)
        return world.http_code;
    if (world.redirects_to && strncmp(request, "GET /old/", 9) == 0)
        return 302;
    if (world.secret &&
        !memmem(request, (size_t)(line_end - request), world.secret, strlen(world.secret)))
        return 403;
    if (!file)
        return 404;
    return file->code ? file->code : 206;
}

static void add_chunk(struct ag_buffer *out, const uint8_t *bytes, size_t size)
{
    char line[32];
    snprintf(line, sizeof line, "%zx\r\n", size);
    add_text(out, line);
    ag_buffer_append(out, bytes, size);
    add_text(out, "\r\n");
}

static void add_body(struct ag_buffer *out, const uint8_t *bytes, size_t size)
{
    if (!world.chunks) {
        ag_buffer_append(out, bytes, size);
        return;
    }
    if (size > 1)
        add_chunk(out, bytes, size / 2);
    add_chunk(out, bytes + size / 2, size - size / 2);
    add_text(out, "0\r\n\r\n");
}

static void send_file(const struct world_file *file, unsigned long first, unsigned long last)
{
    struct ag_buffer *out = &world.file_pipe.to_device;
    char facts[192];
    char head[512];
    write_facts(facts, sizeof facts, file);
    if (last >= file->bytes.size)
        last = file->bytes.size - 1;
    if (world.clips && last - first >= world.clips)
        last = first + world.clips - 1;
    if (world.ignores_ranges) {
        first = 0;
        last = file->bytes.size - 1;
    }
    char framing[64] = "Transfer-Encoding: chunked\r\n";
    if (!world.chunks)
        snprintf(framing, sizeof framing, "Content-Length: %lu\r\n", last - first + 1);
    if (world.ignores_ranges)
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%s%s\r\n", framing, facts);
    else
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Partial\r\n%s%sContent-Range: bytes %lu-%lu/%zu\r\n\r\n", framing,
                 facts, first, last, file->bytes.size);
    add_text(out, head);
    add_body(out, file->bytes.bytes + first, last - first + 1);
    if (world.damages > 0 && last - first > 512) {
        world.damages--;
        out->bytes[out->size - 100] ^= 1;
    }
    world.file_bytes_sent += (uint32_t)(last - first + 1);
}

static void serve_request(const char *request)
{
    unsigned long first = 0;
    unsigned long last = 0;
    char etag[32];
    world.requests++;
    const struct world_file *file = find_file(request);
    const char *range = strstr(request, "Range: bytes=");
    const char *match = strstr(request, "If-Match: ");
    CHECK(range && sscanf(range, "Range: bytes=%lu-%lu", &first, &last) == 2);
    world.range_first = first;
    world.range_is_guarded = match != NULL;
    unsigned code = code_for(request, file);
    if (code != 206) {
        answer_with(code);
        return;
    }
    snprintf(etag, sizeof etag, "\"g%u\"",
             world.changes_etag ? world.requests : (unsigned)file->generation);
    if (match && !world.ignores_match &&
        (world.has_weak_etag || strncmp(match + 10, etag, strlen(etag)) != 0))
        answer_with(412);
    else if (first >= file->bytes.size)
        answer_with(416);
    else
        send_file(file, first, last);
}

void world_net_serve_files(void)
{
    struct ag_buffer *in = &world.file_pipe.from_device;
    char *end;
    while (in->size > 0 && (end = memmem(in->bytes, in->size, "\r\n\r\n", 4)) != NULL) {
        size_t size = (size_t)(end - (char *)in->bytes) + 4;
        char *request = strndup((const char *)in->bytes, size);
        serve_request(request);
        if (world.gives_up_after_each)
            world.file_pipe.is_closed_by_peer = true;
        free(request);
        consume(&world.file_pipe, size);
    }
}
