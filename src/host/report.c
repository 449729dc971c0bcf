// SPDX-License-Identifier: Apache-2.0
// What the twin is told (DESIGN 4.2): only what has changed, one patch in flight at a time, sent
// again until the hub has acknowledged it.
//
// A patch merges, so a member that ends is sent as null. What does not fit into one patch goes into
// the next; each plug-in's own part is written whole or not at all.
#include <string.h>

#include "azure/hub.h"
#include "azure/twin.h"
#include "base/crc32.h"
#include "host/core.h"
#include "platform/board.h"
#include "plugin/capabilities.h"

// Closing braces, for which room is kept.
#define TAIL_SIZE 8u

// Plug-ins' own properties are sent at most this often.
#define PROPERTIES_MS 1000u

enum ag_transition_state ag_report_state(const struct ag_plugin *plugin)
{
    bool runs = plugin->state == AG_STATE_RUNNING || plugin->state == AG_STATE_ROLLED_BACK ||
                plugin->state == AG_STATE_REFUSED;
    return runs && plugin->is_failing ? AG_STATE_FAILED : plugin->state;
}

static uint8_t owner_of(const struct ag_host *host, const struct ag_plugin *plugin)
{
    return (uint8_t)(plugin - host->plugins.plugins + 1);
}

void ag_report_touch(struct ag_host *host, struct ag_plugin *plugin)
{
    if (plugin)
        plugin->is_dirty = true;
    host->report.state_is_dirty = true;
}

void ag_report_touch_all(struct ag_host *host)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        host->plugins.plugins[i].is_dirty = host->plugins.plugins[i].is_used;
    host->report.facts_are_dirty = true;
    host->report.state_is_dirty = true;
    host->report.state_crc = 0;
    ag_properties_touch(&host->properties);
}

// ---- Writing -----------------------------------------------------------------------------------

static void write_number_or_null(struct ag_json_writer *json, const char *key, uint32_t number)
{
    ag_json_writer_key(json, key);
    if (number != 0)
        ag_json_writer_integer(json, number);
    else
        ag_json_writer_null(json);
}

// Begins the member "error" with what every error has. False when it is none: null is then all.
static bool begin_error(struct ag_json_writer *json, enum ag_status error, uint32_t version)
{
    ag_json_writer_key(json, "error");
    if (error == AG_OK) {
        ag_json_writer_null(json);
        return false;
    }
    ag_json_writer_begin_object(json);
    ag_json_writer_key(json, "code");
    ag_json_writer_integer(json, error);
    ag_json_writer_key(json, "name");
    ag_json_writer_string(json, ag_status_name(error));
    ag_json_writer_key(json, "hint"); // null takes away what a firmware with hints has reported
    if (AG_CFG_STATUS_TEXTS)
        ag_json_writer_string(json, ag_status_hint(error));
    else
        ag_json_writer_null(json);
    write_number_or_null(json, "version", version);
    return true;
}

static void write_error(struct ag_json_writer *json, enum ag_status error, uint32_t version)
{
    if (begin_error(json, error, version))
        ag_json_writer_end_object(json);
}

// Which setting is wrong, and why: "target is too small".
static void write_reason(struct ag_json_writer *json, const struct ag_host *host,
                         const struct ag_plugin *plugin)
{
    const struct ag_schema_fault *fault = ag_plugins_fault(&host->plugins, plugin);
    char text[sizeof fault->member + 40];
    struct ag_writer reason;
    ag_writer_init(&reason, text, sizeof text);
    ag_json_writer_key(json, "reason");
    if (plugin->error != AG_ERR_SETTINGS_SCHEMA || !fault || !fault->reason) {
        ag_json_writer_null(json);
        return;
    }
    ag_writer_text(&reason, fault->member[0] ? fault->member : "settings");
    ag_writer_text(&reason, " ");
    ag_writer_text(&reason, fault->reason);
    ag_json_writer_string(json, ag_writer_finish_text(&reason));
}

// The error of a plug-in also says where. A patch merges: what is not known any more is left out,
// and the twin keeps it; what there is none of is null.
static void write_plugin_error(struct ag_json_writer *json, const struct ag_host *host,
                               const struct ag_plugin *plugin)
{
    const struct ag_wasm_place *place = &plugin->error_place;
    if (!begin_error(json, plugin->error, plugin->error_version))
        return;
    write_number_or_null(json, "cause", (uint32_t)plugin->error_cause);
    write_reason(json, host, plugin);
    if (plugin->knows_place) {
        ag_json_writer_key(json, "function"); // may be 0
        if (place->function != AG_PLUGIN_NOWHERE)
            ag_json_writer_integer(json, place->function);
        else
            ag_json_writer_null(json);
        write_number_or_null(json, "offset", place->offset);
    }
    ag_json_writer_end_object(json);
}

static void write_plugin_facts(const struct ag_host *host, const struct ag_plugin *plugin,
                               struct ag_json_writer *json)
{
    struct ag_store_slot slot;
    const struct ag_plugin_version *runs =
        plugin->state == AG_STATE_TRIAL ? &plugin->next : &plugin->current;
    const struct ag_plugin_version *before =
        plugin->state == AG_STATE_TRIAL ? &plugin->current : &plugin->previous;
    ag_plugins_slot(&host->plugins, runs, &slot);
    write_number_or_null(json, "version", runs->version);
    ag_json_writer_key(json, "sha256");
    if (runs->version != 0)
        ag_json_writer_hex(json, slot.sha256, AG_SHA256_SIZE);
    else
        ag_json_writer_null(json);
    ag_json_writer_key(json, "state");
    ag_json_writer_string(json, ag_transition_state_name(ag_report_state(plugin)));
    write_number_or_null(json, "previous", before->version);
    write_plugin_error(json, host, plugin);
}

static void write_plugin(struct ag_host *host, struct ag_plugin *plugin,
                         struct ag_json_writer *json)
{
    uint8_t owner = owner_of(host, plugin);
    ag_twin_write_key(json, ag_text_of(plugin->name));
    if (plugin->state == AG_STATE_ABSENT) {
        ag_json_writer_null(json);
        return;
    }
    ag_json_writer_begin_object(json);
    if (plugin->is_dirty)
        write_plugin_facts(host, plugin, json);
    if (ag_properties_are_dirty(&host->properties, owner)) {
        ag_json_writer_key(json, "properties");
        ag_json_writer_begin_object(json);
        json->out->capacity -= TAIL_SIZE;
        ag_properties_write(&host->properties, owner, json);
        json->out->capacity += TAIL_SIZE;
        ag_json_writer_end_object(json);
    }
    ag_json_writer_end_object(json);
}

// Takes back what was written since `size` when it did not fit. True when it did.
static bool keep_if_it_fits(struct ag_json_writer *json, const struct ag_json_writer *before,
                            size_t size)
{
    if (json->out->status == AG_OK)
        return true;
    *json = *before;
    json->out->size = size;
    json->out->status = AG_OK;
    return false;
}

// The part "firmware_modules". True when it says anything.
static bool write_plugins(struct ag_host *host, struct ag_json_writer *json)
{
    struct ag_json_writer start = *json;
    size_t start_size = json->out->size;
    bool properties_are_due = host->now_ms >= host->report.properties_ms;
    bool is_empty = true;
    ag_json_writer_key(json, "firmware_modules");
    ag_json_writer_begin_object(json);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        bool has_properties =
            properties_are_due && ag_properties_are_dirty(&host->properties, (uint8_t)(i + 1));
        if (!plugin->is_used || !(plugin->is_dirty || has_properties))
            continue;
        struct ag_json_writer before = *json;
        size_t size = json->out->size;
        write_plugin(host, plugin, json);
        if (!keep_if_it_fits(json, &before, size))
            break; // the next patch takes it
        plugin->is_in_flight = plugin->is_dirty;
        plugin->is_dirty = false;
        is_empty = false;
        if (has_properties)
            host->report.properties_ms = host->now_ms + PROPERTIES_MS;
    }
    ag_json_writer_end_object(json);
    if (is_empty) {
        json->out->status = AG_ERR_NO_SPACE;
        (void)keep_if_it_fits(json, &start, start_size);
    }
    return !is_empty;
}

static void write_host_facts(struct ag_json_writer *json)
{
    uint64_t offered = ag_instance_offered();
    ag_json_writer_key(json, "host");
    ag_json_writer_string(json, AG_HOST_VERSION);
    ag_json_writer_key(json, "abi");
    ag_json_writer_integer(json, AG_ABI_VERSION);
    ag_json_writer_key(json, "board");
    ag_json_writer_string(json, ag_board_name());
    ag_json_writer_key(json, "capabilities");
    ag_json_writer_begin_object(json);
    for (size_t i = 0; i < ag_capabilities_count; i++) {
        if (!(offered & AG_CAPABILITIES_BIT(ag_capabilities[i].id)))
            continue;
        ag_json_writer_key(json, ag_capabilities[i].name);
        ag_json_writer_integer(json, ag_capabilities[i].version);
    }
    ag_json_writer_end_object(json);
}

static void write_strays(const struct ag_desired *table, struct ag_json_writer *json)
{
    ag_json_writer_key(json, "refusedEntries");
    if (table->stray_count == 0) {
        ag_json_writer_null(json);
        return;
    }
    ag_json_writer_begin_object(json);
    ag_json_writer_key(json, "count");
    ag_json_writer_integer(json, table->stray_count);
    ag_json_writer_key(json, "first");
    ag_json_writer_integer(json, table->stray_index);
    write_error(json, table->stray_status, 0);
    ag_json_writer_end_object(json);
}

static void write_trust(const struct ag_trust_update *update, struct ag_json_writer *json)
{
    ag_json_writer_key(json, "trust");
    ag_json_writer_begin_object(json);
    ag_json_writer_key(json, "epoch");
    ag_json_writer_integer(json, update->in_use_epoch);
    ag_json_writer_key(json, "state");
    ag_json_writer_string(json, ag_trust_update_state_name(update->state));
    write_error(json, update->error, update->error_epoch);
    ag_json_writer_end_object(json);
}

static void write_host_state(struct ag_host *host, struct ag_json_writer *json)
{
    struct ag_store_info info;
    ag_store_info(&host->store, &info);
    ag_json_writer_key(json, "storeFree");
    ag_json_writer_integer(json, info.free_size);
    write_number_or_null(json, "badBlocks", info.bad_blocks);
    ag_json_writer_key(json, "desiredVersion");
    ag_json_writer_integer(json, (int64_t)host->follow.version);
    ag_json_writer_key(json, "state");
    ag_json_writer_string(json, host->is_idle ? "idle" : "updating");
    ag_json_writer_key(json, "logLevel");
    if (host->log.has_level)
        ag_json_writer_string(json, ag_log_level_name(host->log.level));
    else
        ag_json_writer_null(json);
    write_strays(ag_follow_table(&host->follow), json);
    write_trust(&host->trust_update, json);
    write_error(json, ag_store_is_read_only(&host->store) ? AG_ERR_FLASH : host->follow.error, 0);
}

// The part "airgraft". True when it says anything.
static bool write_host(struct ag_host *host, struct ag_json_writer *json)
{
    struct ag_core_report *report = &host->report;
    bool writes_facts = report->facts_are_dirty;
    struct ag_json_writer start = *json;
    size_t start_size = json->out->size;
    ag_json_writer_key(json, "airgraft");
    ag_json_writer_begin_object(json);
    if (writes_facts)
        write_host_facts(json);
    size_t state_at = json->out->size;
    write_host_state(host, json);
    uint32_t crc = ag_crc32_update(1, json->out->start + state_at, json->out->size - state_at);
    ag_json_writer_end_object(json);
    bool fits = json->out->status == AG_OK;
    if (fits && !writes_facts && crc == report->state_crc) { // nothing new after all
        report->state_is_dirty = false;
        json->out->status = AG_ERR_NO_SPACE;
    }
    if (!keep_if_it_fits(json, &start, start_size))
        return false;
    report->facts_in_flight = writes_facts;
    report->facts_are_dirty = false;
    report->state_in_flight = true;
    report->state_is_dirty = false;
    report->state_sent_crc = crc;
    return true;
}

// Writes a patch; false when there is nothing to say.
static bool write_patch(struct ag_host *host, struct ag_writer *out)
{
    struct ag_json_writer json;
    out->capacity -= TAIL_SIZE;
    ag_json_writer_init(&json, out);
    ag_json_writer_begin_object(&json);
    bool says_something = write_plugins(host, &json);
    if (host->report.facts_are_dirty || host->report.state_is_dirty)
        says_something |= write_host(host, &json);
    out->capacity += TAIL_SIZE;
    ag_json_writer_end_object(&json);
    return says_something && out->status == AG_OK;
}

// ---- Sending -----------------------------------------------------------------------------------

static bool has_something(const struct ag_host *host)
{
    if (host->report.facts_are_dirty || host->report.state_is_dirty)
        return true;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (host->plugins.plugins[i].is_used && host->plugins.plugins[i].is_dirty)
            return true;
    return host->now_ms >= host->report.properties_ms &&
           ag_properties_are_dirty(&host->properties, 0);
}

static enum ag_status publish_patch(struct ag_host *host, const struct ag_writer *body)
{
    char topic_bytes[80];
    struct ag_writer topic;
    ag_writer_init(&topic, topic_bytes, sizeof topic_bytes);
    host->report.rid = ++host->last_rid;
    ag_hub_write_report_topic(&topic, host->report.rid);
    struct ag_mqtt_message message = { .topic = { topic_bytes, topic.size },
                                       .payload = body->start,
                                       .payload_size = body->size };
    return ag_link_publish(&host->link, &message, NULL);
}

void ag_report_send(struct ag_host *host)
{
    struct ag_core_report *report = &host->report;
    if (host->link.state != AG_LINK_ONLINE || report->rid != 0 || !host->may_report ||
        host->now_ms < report->pause_ms || !has_something(host))
        return;
    uint8_t bytes[AG_CFG_REPORT_SIZE];
    struct ag_writer body;
    ag_writer_init(&body, bytes, sizeof bytes);
    if (!write_patch(host, &body))
        return;
    report->deadline_ms = host->now_ms + host->config.network_timeout_ms;
    if (publish_patch(host, &body) != AG_OK) {
        ag_report_lost(host); // no room for it now: the next step tries again
        report->pause_ms = host->now_ms + 100;
    }
}

static void settle(struct ag_host *host, bool has_arrived)
{
    struct ag_core_report *report = &host->report;
    report->rid = 0;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used || !plugin->is_in_flight)
            continue;
        plugin->is_in_flight = false;
        plugin->is_dirty |= !has_arrived;
        if (has_arrived && !plugin->is_dirty && plugin->state == AG_STATE_ABSENT) {
            ag_properties_forget(&host->properties, owner_of(host, plugin));
            ag_plugins_forget(&host->plugins, plugin);
            host->plan_is_due = true; // its place may be wanted
        }
    }
    report->facts_are_dirty |= report->facts_in_flight && !has_arrived;
    report->state_is_dirty |= report->state_in_flight && !has_arrived;
    if (report->state_in_flight) // what was lost may have arrived all the same
        report->state_crc = has_arrived ? report->state_sent_crc : 0;
    report->facts_in_flight = false;
    report->state_in_flight = false;
    ag_properties_settle(&host->properties, has_arrived);
}

void ag_report_lost(struct ag_host *host)
{
    settle(host, false);
}

void ag_report_answered(struct ag_host *host, uint32_t rid, enum ag_status status)
{
    struct ag_core_report *report = &host->report;
    if (report->rid == 0 || rid != report->rid)
        return;
    // A patch that is refused as such would be refused again: it counts as sent, and the log says
    // so.
    settle(host, status != AG_ERR_AGAIN);
    if (status == AG_ERR_AGAIN) {
        report->pause_ms = host->now_ms + ag_backoff_fail(&report->backoff, ag_change_random(host));
        return;
    }
    report->backoff.failures = 0;
    if (status == AG_OK)
        return;
    struct ag_log_line line;
    ag_log_begin(host, &line);
    ag_log_text(&line, "the hub refused a report: ");
    ag_log_status(&line, status);
    ag_log_end(&line, AG_LOG_ERROR);
}

uint64_t ag_report_deadline(const struct ag_host *host)
{
    const struct ag_core_report *report = &host->report;
    if (host->link.state != AG_LINK_ONLINE || !host->may_report)
        return UINT64_MAX;
    if (report->rid != 0)
        return report->deadline_ms;
    if (has_something(host))
        return report->pause_ms;
    if (ag_properties_are_dirty(&host->properties, 0))
        return report->properties_ms;
    return UINT64_MAX;
}

bool ag_report_is_clean(const struct ag_host *host)
{
    return host->may_report && host->report.rid == 0 && !has_something(host) &&
           !ag_properties_are_dirty(&host->properties, 0);
}
