// SPDX-License-Identifier: Apache-2.0
// Direct methods: receives requests, does what they ask, and sends the answers.
#include <string.h>

#include "azure/hub.h"
#include "base/percent.h"
#include "host/core.h"

// The longest that a caller can wait at Azure: after that nobody listens.
#define CALL_TIMEOUT_MS 300000u

// From the answer to the restart of the host: so that it leaves the device.
#define RESTART_MS 500u

// Between attempts to send when there was no room.
#define PAUSE_MS 100u

#define NO_SLOT AG_CFG_METHOD_MAX

void ag_method_init(struct ag_host *host)
{
    memset(&host->method, 0, sizeof host->method);
}

// ---- Plug-ins ----------------------------------------------------------------------------------

static struct ag_plugin *called_plugin(struct ag_host *host)
{
    return &host->plugins.plugins[host->method.call.owner - 1];
}

static bool is_calling(struct ag_host *host, uint8_t owner)
{
    return host->method.call.is_under_way && host->method.call.owner == owner &&
           called_plugin(host)->method == AG_PLUGIN_METHOD_RUNNING;
}

enum ag_status ag_method_text(void *context, uint8_t owner, enum ag_instance_method which,
                              struct ag_text *text)
{
    struct ag_host *host = context;
    if (!is_calling(host, owner))
        return AG_ERR_NOT_FOUND;
    *text = which == AG_INSTANCE_METHOD_NAME ? ag_text_of(host->method.call.method)
                                             : host->method.call.payload;
    return AG_OK;
}

enum ag_status ag_method_reply(void *context, uint8_t owner, uint32_t code, struct ag_text payload)
{
    struct ag_host *host = context;
    struct ag_method_call *call = &host->method.call;
    if (!is_calling(host, owner))
        return AG_ERR_NOT_FOUND;
    if (code < 100 || code > 999)
        return AG_ERR_ARGUMENT;
    if (payload.size > sizeof call->reply)
        return AG_ERR_NO_SPACE;
    if (ag_method_request_check(payload) != AG_OK)
        return AG_ERR_MALFORMED;
    call->code = code;
    call->reply_size = (uint32_t)payload.size;
    if (payload.size > 0)
        memcpy(call->reply, payload.at, payload.size);
    return AG_OK;
}

// ---- What the methods do -----------------------------------------------------------------------

static void answer(struct ag_method_slot *slot, enum ag_method_code code, enum ag_status error)
{
    slot->state = AG_METHOD_READY;
    slot->code = code;
    slot->error = error;
}

// The plug-in whose name the call begins with; of two the one with the longer name.
static struct ag_plugin *find_called(struct ag_host *host, struct ag_method_request *request)
{
    struct ag_plugin *found = NULL;
    if (!request->is_whole)
        return ag_plugins_find(&host->plugins, request->name);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        struct ag_method_request split = *request;
        if (plugin->is_used && (!found || strlen(plugin->name) > strlen(found->name)) &&
            ag_method_request_split(&split, plugin->name))
            found = plugin;
    }
    if (found)
        (void)ag_method_request_split(request, found->name);
    return found;
}

static void call_plugin(struct ag_host *host, struct ag_method_slot *slot,
                        struct ag_method_request *request)
{
    struct ag_method_call *call = &host->method.call;
    struct ag_plugin *plugin = find_called(host, request);
    if (!plugin) {
        answer(slot, AG_METHOD_NOT_FOUND, AG_ERR_METHOD_PLUGIN);
        return;
    }
    if (call->is_under_way || call->holds_reply) {
        answer(slot, AG_METHOD_BUSY, AG_ERR_METHOD_BUSY);
        return;
    }
    enum ag_status status = ag_plugins_call_method(&host->plugins, plugin);
    if (status == AG_ERR_METHOD_UNKNOWN)
        answer(slot, AG_METHOD_NOT_FOUND, status);
    else if (status != AG_OK)
        answer(slot, AG_METHOD_UNAVAILABLE, plugin->error != AG_OK ? plugin->error : status);
    if (status != AG_OK)
        return;
    slot->state = AG_METHOD_CALLING;
    call->is_under_way = true;
    call->slot = (uint32_t)(slot - host->method.slots);
    call->owner = (uint8_t)(plugin - host->plugins.plugins + 1);
    call->deadline_ms = host->now_ms + CALL_TIMEOUT_MS;
    call->payload = request->payload;
    call->code = AG_METHOD_OK; // what a plug-in that does not reply says
    call->reply_size = 0;
    memcpy(call->method, request->method, sizeof call->method);
}

static void restart_plugin(struct ag_host *host, struct ag_method_slot *slot,
                           struct ag_plugin *plugin)
{
    if (plugin->current.id == 0 || plugin->is_trial || plugin->is_stopped) {
        answer(slot, AG_METHOD_CONFLICT, AG_ERR_METHOD_STATE);
        return;
    }
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, plugin->current.version, "restart asked for",
                  AG_OK);
    if (plugin->is_failing)
        ag_trial_retry(host, plugin); // its failures so far are forgotten
    ag_trial_start_confirmed(host, plugin);
    ag_report_touch(host, plugin);
    bool is_up = plugin->phase != AG_PLUGIN_DOWN;
    answer(slot, is_up ? AG_METHOD_OK : AG_METHOD_FAILED, is_up ? AG_OK : plugin->error);
}

static void restart(struct ag_host *host, struct ag_method_slot *slot)
{
    struct ag_plugin *plugin = ag_plugins_find(&host->plugins, slot->name);
    if (slot->name[0] && !plugin) {
        answer(slot, AG_METHOD_NOT_FOUND, AG_ERR_METHOD_PLUGIN);
        return;
    }
    if (plugin)
        restart_plugin(host, slot, plugin);
    else
        answer(slot, AG_METHOD_OK, AG_OK); // and once that was sent, the restart
}

static enum ag_status pardon(struct ag_host *host, const uint8_t sha256[AG_SHA256_SIZE])
{
    return ag_store_is_quarantined(&host->store, sha256, NULL)
               ? ag_store_pardon(&host->store, sha256)
               : AG_OK;
}

// Forgets why the desired file was given up, also on flash: first its hash leaves the quarantine,
// then the slot that remembers the failure goes. A cut between the two leaves it given up.
static enum ag_status retry_plugin(struct ag_host *host, struct ag_plugin *plugin,
                                   const struct ag_desired_entry *entry)
{
    struct ag_store_slot rejected;
    enum ag_status status = AG_OK;
    ag_plugins_slot(&host->plugins, &plugin->rejected, &rejected);
    if (entry->has_sha256)
        status = pardon(host, entry->sha256);
    if (status == AG_OK && rejected.id != 0 && rejected.version == entry->version) {
        status = pardon(host, rejected.sha256);
        if (status == AG_OK)
            status = ag_store_drop(&host->store, rejected.id);
        ag_plugins_refresh(&host->plugins, plugin);
    }
    if (status != AG_OK)
        return status;
    ag_log_plugin(host, AG_LOG_INFO, plugin->name, entry->version, "retry asked for", AG_OK);
    plugin->outcome = AG_OK;
    plugin->pardons = true;
    plugin->fetch_failures = 0;
    plugin->fetch_ms = host->now_ms;
    if (plugin->is_failing)
        ag_trial_retry(host, plugin);
    host->plan_is_due = true;
    return AG_OK;
}

// Of a plug-in that is named, an entry that is refused is told; among all it is passed over.
static void retry(struct ag_host *host, struct ag_method_slot *slot)
{
    enum ag_status status = slot->name[0] ? AG_ERR_METHOD_PLUGIN : AG_OK;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used || (slot->name[0] && strcmp(plugin->name, slot->name) != 0))
            continue;
        const struct ag_desired_entry *entry = ag_update_entry(host, plugin);
        if (entry && entry->status == AG_OK)
            status = retry_plugin(host, plugin, entry);
        else if (entry && slot->name[0])
            status = entry->status;
        if (status != AG_OK)
            break;
    }
    if (status == AG_ERR_METHOD_PLUGIN)
        answer(slot, AG_METHOD_NOT_FOUND, status);
    else
        answer(slot, status == AG_OK ? AG_METHOD_OK : AG_METHOD_FAILED, status);
}

// Of a plug-in that is there, or of one that left lines behind.
static void count_line(void *context, const struct ag_log_ring_line *line)
{
    uint32_t *count = context;
    (void)line;
    ++*count;
}

static void find_source(struct ag_host *host, struct ag_method_slot *slot)
{
    uint32_t count = 0;
    bool is_known =
        slot->kind == AG_METHOD_STATUS ? !slot->name[0] : strcmp(slot->name, AG_LOG_HOST) == 0;
    is_known = is_known || ag_plugins_find(&host->plugins, slot->name) != NULL;
    if (!is_known && slot->kind == AG_METHOD_LOGS)
        ag_log_read(host, slot->name, count_line, &count);
    is_known = is_known || count > 0;
    answer(slot, is_known ? AG_METHOD_OK : AG_METHOD_NOT_FOUND,
           is_known ? AG_OK : AG_ERR_METHOD_PLUGIN);
}

static void act(struct ag_host *host, struct ag_method_slot *slot,
                struct ag_method_request *request)
{
    slot->kind = request->kind;
    slot->number = request->kind == AG_METHOD_LOGS ? request->lines : request->from;
    memcpy(slot->name, request->name, sizeof slot->name);
    switch (request->kind) {
    case AG_METHOD_STATUS:
    case AG_METHOD_LOGS:
        find_source(host, slot);
        break;
    case AG_METHOD_RESTART:
        restart(host, slot);
        break;
    case AG_METHOD_RETRY:
        retry(host, slot);
        break;
    case AG_METHOD_CALL:
        call_plugin(host, slot, request);
        break;
    }
}

// ---- Answering ---------------------------------------------------------------------------------

static struct ag_method_slot *slot_in(struct ag_host *host, enum ag_method_slot_state state)
{
    for (uint32_t i = 0; i < AG_CFG_METHOD_MAX; i++)
        if (host->method.slots[i].state == state)
            return &host->method.slots[i];
    return NULL;
}

static enum ag_status publish_answer(struct ag_host *host, const struct ag_method_slot *slot)
{
    char topic_bytes[AG_METHOD_RID_MAX + 48];
    uint8_t body_bytes[AG_CFG_METHOD_ANSWER];
    struct ag_writer topic;
    struct ag_writer body;
    ag_writer_init(&topic, topic_bytes, sizeof topic_bytes);
    ag_writer_init(&body, body_bytes, sizeof body_bytes);
    ag_hub_write_method_topic(&topic, slot->code, (struct ag_text){ slot->rid, slot->rid_size });
    ag_method_answer_write(host, slot, &body);
    struct ag_mqtt_message message = { .topic = { topic_bytes, topic.size },
                                       .payload = body.start,
                                       .payload_size = body.size };
    return ag_link_publish(&host->link, &message, NULL);
}

// False: there is no room for it now.
static bool send_answer(struct ag_host *host, const struct ag_method_slot *slot)
{
    enum ag_status status = publish_answer(host, slot);
    if (status == AG_ERR_AGAIN || status == AG_ERR_CLOSED) {
        host->method.pause_ms = host->now_ms + PAUSE_MS;
        return false;
    }
    if (status != AG_OK)
        ag_log_plugin(host, AG_LOG_ERROR, "direct method", 0, "cannot be answered", status);
    return true;
}

// The oldest of the calls that there was no room for.
static bool send_refusal(struct ag_host *host)
{
    struct ag_method *method = &host->method;
    struct ag_method_slot slot = { .code = AG_METHOD_BUSY, .error = AG_ERR_METHOD_BUSY };
    slot.rid_size = (uint8_t)method->refused[0];
    memcpy(slot.rid, method->refused + 1, slot.rid_size);
    if (!send_answer(host, &slot))
        return false;
    method->refused_size -= slot.rid_size + 1u;
    memmove(method->refused, method->refused + slot.rid_size + 1, method->refused_size);
    return true;
}

static void send_answers(struct ag_host *host)
{
    struct ag_method *method = &host->method;
    struct ag_method_slot *slot;
    if (host->link.state != AG_LINK_ONLINE || host->now_ms < method->pause_ms)
        return;
    while ((slot = slot_in(host, AG_METHOD_READY)) != NULL) {
        if (!send_answer(host, slot))
            return;
        if (slot->kind == AG_METHOD_RESTART && !slot->name[0] && slot->code == AG_METHOD_OK)
            method->restart_ms = host->now_ms + RESTART_MS;
        if (slot->is_answered_by_plugin)
            method->call.holds_reply = false;
        slot->state = AG_METHOD_FREE;
    }
    while (method->refused_size > 0 && send_refusal(host))
        ;
}

// ---- Receiving ---------------------------------------------------------------------------------

static void warn(struct ag_host *host, const char *text)
{
    ag_log_plugin(host, AG_LOG_WARNING, "direct method", 0, text, AG_ERR_NO_SPACE);
}

// Keeps the request id of a call that there is no room for, which is all that its answer takes.
static void refuse(struct ag_host *host, struct ag_text rid)
{
    struct ag_method *method = &host->method;
    if (rid.size + 1 > sizeof method->refused - method->refused_size) {
        warn(host, "too many at once");
        return; // the hub tells its caller that there was no answer
    }
    method->refused[method->refused_size] = (char)rid.size;
    memcpy(method->refused + method->refused_size + 1, rid.at, rid.size);
    method->refused_size += (uint32_t)rid.size + 1;
}

void ag_method_begin(struct ag_host *host, const struct ag_hub_topic *topic)
{
    struct ag_method *method = &host->method;
    method->size = 0;
    method->is_too_large = false;
    if (topic->method_rid.size > AG_METHOD_RID_MAX) {
        warn(host, "its request id is too long to be answered");
        return; // as above
    }
    if (!slot_in(host, AG_METHOD_FREE))
        send_answers(host); // of those before it in the same piece from the network
    struct ag_method_slot *slot = slot_in(host, AG_METHOD_FREE);
    if (!slot) {
        refuse(host, topic->method_rid);
        return;
    }
    memset(slot, 0, sizeof *slot);
    slot->state = AG_METHOD_RECEIVING;
    slot->rid_size = (uint8_t)topic->method_rid.size;
    memcpy(slot->rid, topic->method_rid.at, topic->method_rid.size);
    struct ag_writer name;
    ag_writer_init(&name, method->name, sizeof method->name - 1);
    method->is_unreadable =
        ag_percent_decode(&name, topic->method) != AG_OK || name.status != AG_OK;
    method->name[name.size] = 0;
}

void ag_method_feed(struct ag_host *host, const uint8_t *bytes, size_t size)
{
    struct ag_method *method = &host->method;
    method->is_too_large |= size > sizeof method->payload - method->size;
    if (method->is_too_large)
        return;
    memcpy(method->payload + method->size, bytes, size);
    method->size += (uint32_t)size;
}

void ag_method_end(struct ag_host *host)
{
    struct ag_method *method = &host->method;
    struct ag_method_slot *slot = slot_in(host, AG_METHOD_RECEIVING);
    if (!slot)
        return;
    if (method->is_unreadable || strlen(method->name) == 0) {
        answer(slot, AG_METHOD_NOT_FOUND, AG_ERR_METHOD_UNKNOWN);
        return;
    }
    if (method->is_too_large) {
        answer(slot, AG_METHOD_TOO_LARGE, AG_ERR_METHOD_SIZE);
        return;
    }
    struct ag_method_request request;
    struct ag_text payload = { method->payload, method->size };
    enum ag_status status =
        ag_method_request_read(ag_text_of(method->name), payload,
                               method->call.is_under_way ? NULL : method->call.bytes, &request);
    if (status == AG_OK)
        act(host, slot, &request);
    else
        answer(slot, status == AG_ERR_METHOD ? AG_METHOD_MALFORMED : AG_METHOD_NOT_FOUND, status);
}

void ag_method_forget(struct ag_host *host)
{
    memset(host->method.slots, 0, sizeof host->method.slots);
    host->method.call.slot = NO_SLOT;
    host->method.call.holds_reply = false;
    host->method.pause_ms = 0;
    host->method.refused_size = 0;
}

// ---- Going on ----------------------------------------------------------------------------------

// Looks after the call of a plug-in. An instance that is gone has taken its call with it, whatever
// ended it.
static void follow_call(struct ag_host *host)
{
    struct ag_method_call *call = &host->method.call;
    if (!call->is_under_way)
        return;
    struct ag_plugin *plugin = called_plugin(host);
    bool is_done = plugin->method == AG_PLUGIN_METHOD_DONE;
    bool is_gone = plugin->method == AG_PLUGIN_NO_METHOD;
    bool is_over = host->now_ms >= call->deadline_ms;
    if (!is_done && !is_gone && !is_over)
        return;
    // One that takes too long goes on, and has no further consequence.
    call->is_under_way = false;
    plugin->method = AG_PLUGIN_NO_METHOD;
    if (call->slot == NO_SLOT)
        return;
    struct ag_method_slot *slot = &host->method.slots[call->slot];
    slot->is_answered_by_plugin = is_done;
    call->holds_reply = is_done;
    if (is_done)
        answer(slot, call->code, AG_OK);
    else if (is_gone)
        answer(slot, AG_METHOD_NO_ANSWER,
               plugin->error != AG_OK ? plugin->error : AG_ERR_METHOD_DOWN);
    else
        answer(slot, AG_METHOD_NO_ANSWER, AG_ERR_METHOD_TIME);
}

void ag_method_step(struct ag_host *host)
{
    struct ag_method *method = &host->method;
    follow_call(host);
    send_answers(host);
    if (method->restart_ms == 0 || host->now_ms < method->restart_ms)
        return;
    method->restart_ms = 0;
    ag_log_plugin(host, AG_LOG_WARNING, "host", 0, "restart asked for", AG_OK);
    ag_log_close(host);
    ag_board_restart();
}

uint64_t ag_method_deadline(const struct ag_host *host)
{
    const struct ag_method *method = &host->method;
    uint64_t deadline = method->restart_ms ? method->restart_ms : UINT64_MAX;
    if (method->call.is_under_way && method->call.deadline_ms < deadline)
        deadline = method->call.deadline_ms;
    if (host->link.state != AG_LINK_ONLINE)
        return deadline;
    bool is_waiting = method->refused_size > 0;
    for (uint32_t i = 0; i < AG_CFG_METHOD_MAX; i++)
        is_waiting = is_waiting || method->slots[i].state == AG_METHOD_READY;
    return is_waiting && method->pause_ms < deadline ? method->pause_ms : deadline;
}
