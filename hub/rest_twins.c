// SPDX-License-Identifier: Apache-2.0
// REST: read and change twins, and list them by the one query that this hub understands.
#include "rest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "twin_store.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

static json_t *twin_json(const struct ag_hub *hub, const struct ag_device *device,
                         const struct ag_twin *twin)
{
    char etag[AG_HTTP_ETAG_TEXT];
    char device_etag[AG_HTTP_ETAG_TEXT];
    ag_http_etag(twin->etag, etag);
    ag_http_etag(device->etag, device_etag);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:I,s:s,s:o,s:s,s:o,s:i,s:s,s:{s:n,s:n},s:s,s:O,s:{s:o,s:o},s:{s:b}}",
        "deviceId", device->id, "etag", etag, "deviceEtag", device_etag, "version",
        (json_int_t)twin->version, "status", device->enabled ? "enabled" : "disabled",
        "statusUpdateTime", ag_rest_devices_time(device->status_updated_ms), "connectionState",
        ag_rest_devices_connection_state(hub, device->id), "lastActivityTime",
        ag_rest_devices_last_activity(hub, device), "cloudToDeviceMessageCount", 0,
        "authenticationType", ag_rest_devices_authentication(device), "x509Thumbprint",
        "primaryThumbprint", "secondaryThumbprint", "modelId", device->model_id, "tags", twin->tags,
        "properties", "desired", ag_twin_store_service_view(&twin->desired), "reported",
        ag_twin_store_service_view(&twin->reported), "capabilities", "iotEdge", 0);
    if (device->status_reason[0] != '\0')
        json_object_set_new(json, "statusReason", json_string(device->status_reason));
    return json;
}

// The document of one device; NULL with the problem set.
static json_t *load_twin(struct ag_hub *hub, const char *id, struct ag_problem *problem)
{
    struct ag_device device;
    struct ag_twin twin;
    if (ag_device_store_get(&hub->db, id, &device) != AG_OK) {
        ag_problem_set(problem, AG_PROBLEM_NO_DEVICE, "no device '%.128s'", id);
        return NULL;
    }
    if (ag_twin_store_load(&hub->db, id, &twin) != AG_OK) {
        ag_problem_set(problem, AG_PROBLEM_INTERNAL, "the twin cannot be read");
        return NULL;
    }
    json_t *json = twin_json(hub, &device, &twin);
    ag_twin_store_clear(&twin);
    return json;
}

static void answer_twin(struct ag_http_exchange *exchange)
{
    struct ag_problem problem;
    json_t *json = load_twin(exchange->hub, exchange->ids[0], &problem);
    if (json == NULL) {
        ag_http_answer_problem(exchange, &problem);
        return;
    }
    char quoted[AG_HTTP_ETAG_TEXT + 2];
    snprintf(quoted, sizeof quoted, "\"%s\"", json_string_value(json_object_get(json, "etag")));
    ag_http_set_header(exchange, "ETag", quoted);
    ag_http_answer_json(exchange, 200, json);
}

void ag_rest_twins_get(struct ag_http_exchange *exchange)
{
    answer_twin(exchange);
}

static void change_twin(struct ag_http_exchange *exchange, bool replace)
{
    json_t *document = ag_http_json(exchange);
    if (document == NULL)
        return;
    struct ag_twin_change change = { document, replace, ag_http_if_match(exchange),
                                     ag_hub_wall_ms(exchange->hub) };
    struct ag_problem problem;
    json_t *delivery = NULL;
    bool done =
        ag_twin_store_change(&exchange->hub->db, exchange->ids[0], &change, &delivery, &problem);
    json_decref(document);
    if (!done) {
        ag_http_answer_problem(exchange, &problem);
        return;
    }
    ag_hub_deliver_desired(exchange->hub, exchange->ids[0], delivery);
    answer_twin(exchange);
}

void ag_rest_twins_patch(struct ag_http_exchange *exchange)
{
    change_twin(exchange, false);
}

void ag_rest_twins_put(struct ag_http_exchange *exchange)
{
    change_twin(exchange, true);
}

// True for `SELECT * FROM devices`, in any case and with any blanks between the words.
static bool query_is_all(const char *text)
{
    static const char *const words[] = { "select", "*", "from", "devices" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        text += strspn(text, " \t\r\n");
        size_t size = strcspn(text, " \t\r\n");
        if (size != strlen(words[i]) || strncasecmp(text, words[i], size) != 0)
            return false;
        text += size;
    }
    return text[strspn(text, " \t\r\n")] == '\0';
}

struct page {
    struct ag_hub *hub;
    json_t *twins;
    long limit;
    char last[AG_DEVICE_ID_MAX + 1];
    bool has_more;
};

static void add_twin(void *context, const char *id)
{
    struct page *page = context;
    struct ag_problem problem;
    if (json_array_size(page->twins) == (size_t)page->limit) {
        page->has_more = true;
        return;
    }
    json_t *json = load_twin(page->hub, id, &problem);
    if (json != NULL)
        json_array_append_new(page->twins, json);
    snprintf(page->last, sizeof page->last, "%s", id);
}

// Page size and where to go on; false when a header is broken.
static bool begin_page(const struct ag_http_exchange *exchange, struct page *page)
{
    const char *count = ag_http_header(exchange, "x-ms-max-item-count");
    const char *token = ag_http_header(exchange, "x-ms-continuation");
    page->limit = PAGE_DEFAULT;
    if (count != NULL && isdigit((unsigned char)*count)) {
        char *end;
        page->limit = strtol(count, &end, 10);
        if (*end != '\0' || page->limit < 1 || page->limit > PAGE_MAX)
            return false;
    }
    size_t size = 0;
    if (token != NULL && !ag_encoding_unbase64(token, strlen(token), (uint8_t *)page->last,
                                               sizeof page->last - 1, &size))
        return false;
    page->last[size] = '\0';
    return true;
}

static void answer_page(struct ag_http_exchange *exchange, struct page *page)
{
    char token[AG_DEVICE_ID_MAX * 4 / 3 + 8];
    ag_device_store_list(&exchange->hub->db, page->last, page->limit + 1, add_twin, page);
    if (page->has_more) {
        ag_encoding_base64(page->last, strlen(page->last), token);
        ag_http_set_header(exchange, "x-ms-continuation", token);
    }
    ag_http_set_header(exchange, "x-ms-item-type", "Twin");
    ag_http_answer_json(exchange, 200, page->twins);
}

void ag_rest_twins_query(struct ag_http_exchange *exchange)
{
    json_t *request = ag_http_json(exchange);
    if (request == NULL)
        return;
    const char *query = json_string_value(json_object_get(request, "query"));
    bool all = query != NULL && query_is_all(query);
    json_decref(request);
    struct page page = { .hub = exchange->hub, .has_more = false };
    struct ag_problem problem;
    if (!all)
        ag_problem_set(&problem, AG_PROBLEM_BAD_REQUEST,
                       "this hub understands only SELECT * FROM devices");
    else if (!begin_page(exchange, &page))
        ag_problem_set(&problem, AG_PROBLEM_BAD_REQUEST,
                       "x-ms-max-item-count or x-ms-continuation is not good");
    else {
        page.twins = json_array();
        answer_page(exchange, &page);
        return;
    }
    ag_http_answer_problem(exchange, &problem);
}
