// SPDX-License-Identifier: Apache-2.0
// The payloads of the host's answers to direct methods: JSON, within AG_CFG_METHOD_ANSWER bytes.
//
// What does not fit is left out whole, and the answer says how to ask for it.
#include <string.h>

#include "base/json_writer.h"
#include "host/core.h"

// For what stands behind the part of an answer that may be cut short.
#define TAIL_SIZE 32u

static const char *const link_names[] = {
    [AG_HOST_LINK_WAITING] = "waiting",
    [AG_HOST_LINK_PROVISIONING] = "provisioning",
    [AG_HOST_LINK_CONNECTING] = "connecting",
    [AG_HOST_LINK_ONLINE] = "online",
};

static void write_number(struct ag_json_writer *json, const char *key, uint64_t number)
{
    ag_json_writer_key(json, key);
    ag_json_writer_integer(json, number < INT64_MAX ? (int64_t)number : INT64_MAX);
}

static void write_number_if_any(struct ag_json_writer *json, const char *key, uint64_t number)
{
    if (number != 0)
        write_number(json, key, number);
}

static void write_text(struct ag_json_writer *json, const char *key, const char *text)
{
    ag_json_writer_key(json, key);
    ag_json_writer_string(json, text);
}

// The members of an error, as in reports; a hint only where there are any.
static void write_error(struct ag_json_writer *json, enum ag_status error, uint32_t version)
{
    write_number(json, "code", error);
    write_text(json, "name", ag_status_name(error));
    if (AG_CFG_STATUS_TEXTS)
        write_text(json, "hint", ag_status_hint(error));
    write_number_if_any(json, "version", version);
}

// ---- status ------------------------------------------------------------------------------------

// How long until the host tries again by itself; 0: it does not, or at once.
static uint64_t retry_in(const struct ag_host *host, const struct ag_plugin *plugin)
{
    uint64_t then = 0;
    if (plugin->state == AG_STATE_PAUSED)
        then = plugin->fetch_ms;
    else if (plugin->is_failing && plugin->phase == AG_PLUGIN_DOWN)
        then = plugin->restart_ms;
    return then > host->now_ms ? then - host->now_ms : 0;
}

static void write_plugin(struct ag_host *host, uint32_t index, bool is_full,
                         struct ag_json_writer *json)
{
    struct ag_host_plugin_status status;
    if (ag_host_plugin_at(host, index, &status) != AG_OK)
        return;
    const struct ag_plugin *plugin = ag_plugins_find(&host->plugins, status.name);
    ag_json_writer_begin_object(json);
    write_text(json, "name", status.name);
    write_text(json, "state", ag_transition_state_name(status.state));
    write_number_if_any(json, "version", status.version);
    write_number_if_any(json, "previous", status.previous);
    write_number(json, "runs", status.runs);
    write_number_if_any(json, "retryInMs", retry_in(host, plugin));
    if (is_full && status.version != 0) {
        ag_json_writer_key(json, "sha256");
        ag_json_writer_hex(json, status.sha256, sizeof status.sha256);
    }
    if (status.error != AG_OK) {
        ag_json_writer_key(json, "error");
        ag_json_writer_begin_object(json);
        if (is_full)
            write_error(json, status.error, status.error_version);
        else
            write_number(json, "code", status.error);
        ag_json_writer_end_object(json);
    }
    ag_json_writer_end_object(json);
}

static void write_host(struct ag_host *host, const struct ag_host_status *status,
                       struct ag_json_writer *json)
{
    write_text(json, "host", AG_HOST_VERSION);
    write_text(json, "board", ag_board_name());
    write_number(json, "uptimeMs", host->now_ms);
    write_text(json, "link", link_names[status->link]);
    write_text(json, "state", status->is_idle ? "idle" : "updating");
    write_number(json, "desiredVersion", status->desired_version);
    write_number(json, "memoryFree", status->memory_free);
    write_number(json, "storeFree", status->store_free);
    if (host->log.has_level)
        write_text(json, "logLevel", ag_log_level_name(host->log.level));
}

// Plug-ins from the `from`th on, as many as fit; "next" says where to go on.
static void write_plugins(struct ag_host *host, uint32_t from, uint32_t count,
                          struct ag_json_writer *json)
{
    uint32_t next = 0;
    ag_json_writer_key(json, "plugins");
    ag_json_writer_begin_array(json);
    for (uint32_t i = from; i < count && next == 0; i++) {
        struct ag_json_writer before = *json;
        size_t size = json->out->size;
        write_plugin(host, i, false, json);
        if (json->out->status == AG_OK)
            continue;
        *json = before;
        json->out->size = size;
        json->out->status = AG_OK;
        next = i;
    }
    json->out->capacity += TAIL_SIZE;
    ag_json_writer_end_array(json);
    write_number_if_any(json, "next", next);
}

static void write_status(struct ag_host *host, const struct ag_method_slot *slot,
                         struct ag_json_writer *json)
{
    struct ag_host_status status;
    struct ag_host_plugin_status one;
    ag_host_status(host, &status);
    if (!slot->name[0]) {
        json->out->capacity -= TAIL_SIZE;
        ag_json_writer_begin_object(json);
        write_host(host, &status, json);
        write_plugins(host, slot->number, status.plugin_count, json);
        ag_json_writer_end_object(json);
        return;
    }
    for (uint32_t i = 0; ag_host_plugin_at(host, i, &one) == AG_OK; i++)
        if (strcmp(one.name, slot->name) == 0)
            write_plugin(host, i, true, json);
}

// ---- logs --------------------------------------------------------------------------------------

// The newest lines: those before them are skipped.
struct lines {
    struct ag_json_writer *json;
    uint32_t skip;
    uint32_t count;
};

static void count_line(void *context, const struct ag_log_ring_line *line)
{
    struct lines *lines = context;
    (void)line;
    lines->count++;
}

static void write_line(void *context, const struct ag_log_ring_line *line)
{
    struct lines *lines = context;
    if (lines->skip > 0) {
        lines->skip--;
        return;
    }
    ag_json_writer_begin_object(lines->json);
    if (line->time_s != 0)
        write_number(lines->json, "time", line->time_s);
    write_text(lines->json, "level", ag_log_level_name(line->level));
    ag_json_writer_key(lines->json, "text");
    ag_json_writer_text(lines->json, line->text);
    ag_json_writer_end_object(lines->json);
}

static bool write_newest(struct ag_host *host, const char *name, uint32_t all, uint32_t newest,
                         struct ag_json_writer *json)
{
    struct lines lines = { .json = json, .skip = all - newest };
    json->out->size = 0;
    json->out->status = AG_OK;
    json->needs_comma = false;
    ag_json_writer_begin_object(json);
    write_text(json, "name", name);
    write_number(json, "older", all - newest);
    ag_json_writer_key(json, "lines");
    ag_json_writer_begin_array(json);
    ag_log_read(host, name, write_line, &lines);
    ag_json_writer_end_array(json);
    ag_json_writer_end_object(json);
    return json->out->status == AG_OK;
}

// As many of the newest lines as were asked for and fit.
static void write_logs(struct ag_host *host, const struct ag_method_slot *slot,
                       struct ag_json_writer *json)
{
    struct lines lines = { .count = 0 };
    ag_log_read(host, slot->name, count_line, &lines);
    uint32_t fits = 0; // surely
    uint32_t most = slot->number < lines.count ? slot->number : lines.count;
    while (fits < most) {
        uint32_t middle = fits + (most - fits + 1) / 2;
        if (write_newest(host, slot->name, lines.count, middle, json))
            fits = middle;
        else
            most = middle - 1;
    }
    (void)write_newest(host, slot->name, lines.count, fits, json);
}

void ag_method_answer_write(struct ag_host *host, const struct ag_method_slot *slot,
                            struct ag_writer *out)
{
    struct ag_json_writer json;
    ag_json_writer_init(&json, out);
    if (slot->is_answered_by_plugin) {
        const struct ag_method_call *call = &host->method.call;
        ag_writer_bytes(out, call->reply, call->reply_size);
        return;
    }
    if (slot->error == AG_OK && slot->kind == AG_METHOD_STATUS) {
        write_status(host, slot, &json);
        return;
    }
    if (slot->error == AG_OK && slot->kind == AG_METHOD_LOGS) {
        write_logs(host, slot, &json);
        return;
    }
    ag_json_writer_begin_object(&json);
    if (slot->error != AG_OK)
        write_error(&json, slot->error, 0);
    ag_json_writer_end_object(&json);
}
