// SPDX-License-Identifier: Apache-2.0
// The host: its parts put together, and the step that gives each of them its turn.
#include "host/host.h"

#include <string.h>

#include "azure/hub.h"
#include "host/core.h"

// Alignment of what lies behind the host in the caller's block.
#define ALIGN 16u

void ag_host_config_init(struct ag_host_config *config)
{
    memset(config, 0, sizeof *config);
    config->dps_host = AG_DPS_HOST;
    config->dps_port = 8883;
    config->hub_port = 8883;
    config->twin_interval_ms = 6u * 3600u * 1000u;
    config->keep_alive_s = 240;
    config->token_lifetime_s = 3600;
    config->backoff_base_ms = 1000;
    config->backoff_cap_ms = 120000;
    config->network_timeout_ms = 30000;
    config->trial_runs = 5;
    config->trial_time_ms = 2000;
    config->slice_fuel = 200000;
    config->desired_size = 8192;
    config->default_period_ms = 1000;
    config->default_fuel_per_run = 50000000;
}

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

size_t ag_host_size(const struct ag_host_config *config)
{
    return round_up(sizeof(struct ag_host)) + round_up(2 * (size_t)config->desired_size);
}

static bool config_is_sound(const struct ag_host_config *config)
{
    return config->keep_alive_s >= 10 && config->keep_alive_s <= 1177 &&
           config->token_lifetime_s >= 300 && config->token_lifetime_s <= 86400 &&
           config->backoff_base_ms >= 1 && config->backoff_cap_ms >= config->backoff_base_ms &&
           config->network_timeout_ms >= 1 && config->trial_runs >= 1 && config->slice_fuel >= 1 &&
           config->default_period_ms >= 1 && config->default_fuel_per_run >= 1;
}

// ---- Services for plug-ins ---------------------------------------------------------------------

static enum ag_status set_property(void *context, uint8_t owner, const struct ag_property *property)
{
    struct ag_host *host = context;
    return ag_properties_set(&host->properties, owner, property);
}

static enum ag_status send_telemetry(void *context, uint8_t owner, const void *bytes, size_t size)
{
    struct ag_host *host = context;
    return ag_telemetry_add(&host->telemetry, owner, bytes, size);
}

static void take_line(void *context, enum ag_log_level level, const char *source,
                      struct ag_text text)
{
    ag_log_take(context, level, source, text);
}

// A name in the twin's report that means nothing to us is from a life before: it is told as gone.
static void found_reported(void *context, const char *name)
{
    struct ag_host *host = context;
    if (ag_plugins_find(&host->plugins, name))
        return;
    struct ag_plugin *stranger = ag_plugins_open(&host->plugins, name);
    if (stranger)
        ag_report_touch(host, stranger);
}

// ---- Starting ----------------------------------------------------------------------------------

static void init_plugins(struct ag_host *host, void *memory, size_t size)
{
    struct ag_plugins *plugins = &host->plugins;
    plugins->store = &host->store;
    ag_ram_init(&plugins->ram, memory, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX);
    ag_pins_init(&plugins->pins);
    ag_schedule_init(&plugins->schedule);
    plugins->services.context = host;
    plugins->services.pins = &plugins->pins;
    plugins->services.set_property = set_property;
    plugins->services.send_telemetry = send_telemetry;
    plugins->services.log = take_line;
    plugins->services.method_text = ag_method_text;
    plugins->services.method_reply = ag_method_reply;
    plugins->default_period_ms = host->config.default_period_ms;
    plugins->default_fuel = host->config.default_fuel_per_run;
    plugins->slice_fuel = host->config.slice_fuel;
}

enum ag_status ag_host_init(void *memory, size_t size, const struct ag_host_config *config,
                            const struct ag_host_board *board, struct ag_host **made)
{
    if (!config_is_sound(config))
        return AG_ERR_CONFIG;
    size_t own_size = ag_host_size(config);
    if (size < own_size)
        return AG_ERR_NO_SPACE;
    struct ag_host *host = memory;
    memset(host, 0, sizeof *host);
    host->config = *config;
    host->board = *board;
    host->started_ms = ag_board_uptime_ms();
    host->now_ms = host->started_ms;
    enum ag_status status = ag_link_init(&host->link, &host->config, board->hub);
    if (status == AG_OK)
        status = ag_store_mount(&host->store, board->flash);
    if (status != AG_OK)
        return status;
    ag_log_init(host);
    ag_method_init(host);
    char *pool = (char *)memory + round_up(sizeof *host);
    ag_follow_init(&host->follow, pool, 2 * (size_t)config->desired_size, found_reported, host);
    init_plugins(host, (uint8_t *)memory + own_size, size - own_size);
    ag_properties_init(&host->properties);
    ag_telemetry_init(&host->telemetry);
    ag_backoff_init(&host->report.backoff, config->backoff_base_ms, config->backoff_cap_ms);
    ag_install_init(&host->install, &host->store, &host->plugins.ram, &host->trust.plugin_keys,
                    board->download, config->network_timeout_ms);
    ag_trust_update_boot(host);
    ag_clock_init(&host->clock);
    ag_boot_assignment(host);
    ag_boot_plugins(host);
    ag_report_touch_all(host);
    host->next_document_ms = UINT64_MAX;
    host->plan_is_due = true;
    *made = host;
    return AG_OK;
}

// ---- The hub -----------------------------------------------------------------------------------

static void log_link(struct ag_host *host, const char *text, enum ag_status status,
                     enum ag_log_level level)
{
    struct ag_log_line line;
    ag_log_begin(host, &line);
    ag_log_text(&line, text);
    if (status == AG_OK) {
        ag_log_text(&line, host->link.identity.hub);
        ag_log_text(&line, " as ");
        ag_log_text(&line, host->link.identity.device_id);
    } else {
        ag_log_status(&line, status);
        ag_log_text(&line, ", again in ");
        ag_log_number(&line, (int64_t)(host->link.until_ms - host->now_ms));
        ag_log_text(&line, " ms");
    }
    ag_log_end(&line, level);
}

static void link_is_down(struct ag_host *host, enum ag_status status)
{
    if (status != AG_OK)
        log_link(host, "link: ", status, AG_LOG_WARNING);
    ag_report_lost(host);
    ag_method_forget(host);
    host->telemetry.packet_id = 0;
    ag_follow_reconnected(&host->follow);
    if (status != AG_OK)
        ag_trust_update_failed(host, status);
    ag_clock_failed(status);
}

static void begin_message(struct ag_host *host, struct ag_text topic_text)
{
    struct ag_hub_topic topic;
    ag_hub_parse_topic(topic_text, &topic);
    host->topic = topic.kind;
    if (topic.kind == AG_HUB_TOPIC_METHOD)
        ag_method_begin(host, &topic);
    if (topic.kind == AG_HUB_TOPIC_DESIRED)
        ag_follow_begin_patch(&host->follow, topic.has_version, topic.version);
    if (topic.kind != AG_HUB_TOPIC_TWIN || !topic.has_rid)
        return;
    host->hub_answers++;
    enum ag_status status = ag_hub_twin_status(topic.status);
    if (topic.rid != host->follow.rid || host->follow.rid == 0) {
        ag_report_answered(host, topic.rid, status);
    } else if (status == AG_OK) {
        ag_follow_begin_document(&host->follow);
    } else { // throttled or failed: asked again by and by
        host->follow.rid = 0;
        host->follow.wants_document = true;
        host->document_ms = host->now_ms + host->config.backoff_base_ms;
    }
}

// When the whole twin is read again by itself: up to a tenth of the interval earlier, so that a
// fleet does not ask all at once.
static uint64_t next_read_ms(struct ag_host *host)
{
    const uint32_t interval_ms = host->config.twin_interval_ms;
    if (interval_ms == 0)
        return UINT64_MAX;
    return host->now_ms + interval_ms - ag_change_random(host) % (interval_ms / 10 + 1);
}

static void end_message(struct ag_host *host)
{
    bool was_document = host->follow.message == AG_FOLLOW_DOCUMENT;
    enum ag_status error = host->follow.error;
    uint64_t version = host->follow.version;
    host->topic = AG_HUB_TOPIC_OTHER;
    if (ag_follow_end(&host->follow))
        ag_update_desired_changed(host);
    if (host->follow.host_is_new)
        ag_trust_update_desired(host);
    if (was_document && host->follow.error != AG_ERR_TWIN_JSON) {
        const struct ag_desired_host *desired = ag_follow_host(&host->follow);
        ag_log_want_level(host, desired->has_log_level, (enum ag_log_level)desired->log_level);
    }
    if (was_document) {
        host->may_report = true;
        ag_trust_update_reached(host);
        host->document_ms = host->now_ms; // the next one may be asked for at once
        host->next_document_ms = next_read_ms(host);
    }
    if (host->follow.error == error && host->follow.version == version)
        return;
    ag_report_touch(host, NULL);
    if (host->follow.error != AG_OK && host->follow.error != error)
        ag_log_plugin(host, AG_LOG_WARNING, "twin", 0, "refused", host->follow.error);
}

static void handle_link(struct ag_host *host, const struct ag_link_event *event)
{
    switch (event->type) {
    case AG_LINK_ASSIGNED:
        log_link(host, "link: assigned to ", AG_OK, AG_LOG_INFO);
        ag_boot_store_assignment(host);
        ag_report_touch_all(host); // its twin may be a new one
        break;
    case AG_LINK_UP:
        host->hub_answers++;
        host->plan_is_due = true; // a trial may have waited for it
        log_link(host, "link: online at ", AG_OK, AG_LOG_INFO);
        ag_follow_reconnected(&host->follow);
        host->document_ms = host->now_ms;
        break;
    case AG_LINK_DOWN:
        link_is_down(host, event->status);
        break;
    case AG_LINK_MESSAGE:
        begin_message(host, event->topic);
        break;
    case AG_LINK_PAYLOAD:
        if (host->topic == AG_HUB_TOPIC_METHOD)
            ag_method_feed(host, event->bytes, event->size);
        else
            ag_follow_feed(&host->follow, event->bytes, event->size);
        break;
    case AG_LINK_MESSAGE_END:
        if (host->topic == AG_HUB_TOPIC_METHOD)
            ag_method_end(host);
        else
            end_message(host);
        break;
    case AG_LINK_ACKNOWLEDGED:
        host->hub_answers++;
        if (host->telemetry.packet_id != 0 && event->packet_id == host->telemetry.packet_id)
            ag_telemetry_drop_first(&host->telemetry);
        break;
    }
}

// Asks for the whole twin where that is due.
static void ask_for_document(struct ag_host *host)
{
    struct ag_follow *follow = &host->follow;
    if (host->link.state != AG_LINK_ONLINE)
        return;
    if (host->now_ms >= host->next_document_ms) {
        host->next_document_ms = UINT64_MAX;
        follow->wants_document = true;
    }
    if (follow->rid != 0 || !follow->wants_document || host->now_ms < host->document_ms)
        return;
    char topic_bytes[64];
    struct ag_writer topic;
    ag_writer_init(&topic, topic_bytes, sizeof topic_bytes);
    ag_hub_write_get_topic(&topic, ++host->last_rid);
    struct ag_mqtt_message message = { .topic = { topic_bytes, topic.size } };
    if (ag_link_publish(&host->link, &message, NULL) != AG_OK) {
        host->document_ms = host->now_ms + 100;
        return;
    }
    follow->rid = host->last_rid;
    follow->wants_document = false;
    host->document_ms = host->now_ms + host->config.network_timeout_ms;
}

static void send_telemetry_message(struct ag_host *host)
{
    uint8_t owner;
    const uint8_t *bytes;
    size_t size;
    if (host->link.state != AG_LINK_ONLINE || host->telemetry.packet_id != 0 ||
        !ag_telemetry_first(&host->telemetry, &owner, &bytes, &size))
        return;
    char topic_bytes[AG_CFG_DEVICE_ID_MAX + 3 * AG_CFG_NAME_MAX + 128];
    struct ag_writer topic;
    ag_writer_init(&topic, topic_bytes, sizeof topic_bytes);
    const char *name = host->plugins.plugins[owner - 1].name;
    ag_hub_write_telemetry_topic(&topic, ag_text_of(host->link.identity.device_id), "plugin",
                                 ag_text_of(name));
    struct ag_mqtt_message message = {
        .topic = { topic_bytes, topic.size }, .payload = bytes, .payload_size = size, .qos = 1
    };
    enum ag_status status = topic.status;
    if (status == AG_OK)
        status = ag_link_publish(&host->link, &message, &host->telemetry.packet_id);
    if (status == AG_ERR_NO_SPACE) // can never be sent
        ag_telemetry_drop_first(&host->telemetry);
}

// The answers that must come and did not.
static void check_answers(struct ag_host *host)
{
    bool no_document = host->follow.rid != 0 && host->now_ms >= host->document_ms;
    bool no_answer = host->report.rid != 0 && host->now_ms >= host->report.deadline_ms;
    if (host->link.state == AG_LINK_ONLINE && (no_document || no_answer))
        ag_link_fail(&host->link, AG_ERR_TIMEOUT, host->now_ms);
}

static void work_on_link(struct ag_host *host)
{
    struct ag_link_event event;
    check_answers(host);
    while (ag_link_next(&host->link, host->now_ms, &event) == AG_OK)
        handle_link(host, &event);
    ask_for_document(host);
}

static void send_what_is_due(struct ag_host *host)
{
    ag_report_send(host);
    send_telemetry_message(host);
    ag_link_flush(&host->link, host->now_ms);
}

// ---- The step ----------------------------------------------------------------------------------

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_deadline(struct ag_host *host)
{
    uint64_t deadline = earlier(ag_link_deadline(&host->link), ag_update_deadline(host));
    deadline = earlier(deadline, ag_report_deadline(host));
    deadline = earlier(deadline, ag_trust_update_deadline(host));
    deadline = earlier(deadline, ag_clock_deadline(host));
    deadline = earlier(deadline, ag_method_deadline(host));
    deadline = earlier(deadline, ag_log_deadline(host));
    deadline = earlier(deadline, ag_recover_deadline(host));
    if (host->link.state != AG_LINK_ONLINE)
        return deadline;
    if (host->follow.rid != 0 || host->follow.wants_document)
        deadline = earlier(deadline, host->document_ms);
    return earlier(deadline, host->next_document_ms);
}

uint32_t ag_host_step(struct ag_host *host, uint64_t now_ms)
{
    host->now_ms = now_ms;
    ag_recover_step(host);
    work_on_link(host);
    ag_trust_update_step(host);
    ag_clock_step(host);
    ag_update_plan(host);
    ag_download_step(host);
    ag_update_plan(host);
    (void)ag_trial_turn(host);
    ag_method_step(host);
    send_what_is_due(host);
    ag_log_step(host); // last: nothing waits for what it writes
    uint64_t deadline = next_deadline(host);
    if (deadline <= now_ms)
        return 0;
    uint64_t wait = deadline - now_ms;
    return wait < AG_HOST_NEVER ? (uint32_t)wait : AG_HOST_NEVER;
}

void ag_host_close(struct ag_host *host)
{
    ag_install_leave(&host->install);
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (host->plugins.plugins[i].is_used)
            ag_plugins_stop(&host->plugins, &host->plugins.plugins[i], true);
    ag_log_close(host);
    ag_fetch_close(&host->install.fetch);
    ag_link_close(&host->link, host->now_ms);
}

// ---- Looking -----------------------------------------------------------------------------------

enum ag_status ag_host_trust(const struct ag_host *host, const uint8_t **bytes, size_t *size)
{
    if (!host->trust_bytes)
        return AG_ERR_NOT_FOUND;
    *bytes = host->trust_bytes;
    *size = host->trust_size;
    return AG_OK;
}

static enum ag_host_link_state link_state(const struct ag_host *host)
{
    switch (host->link.state) {
    case AG_LINK_WAITING:
    case AG_LINK_LEAVING:
    case AG_LINK_HELD:
        return AG_HOST_LINK_WAITING;
    case AG_LINK_DPS_CONNECTING:
    case AG_LINK_DPS_SUBSCRIBING:
    case AG_LINK_DPS_ASKING:
    case AG_LINK_DPS_PAUSING:
        return AG_HOST_LINK_PROVISIONING;
    case AG_LINK_HUB_CONNECTING:
    case AG_LINK_HUB_SUBSCRIBING:
    case AG_LINK_RENEWING:
        return AG_HOST_LINK_CONNECTING;
    case AG_LINK_ONLINE:
        return host->follow.rid != 0 || host->follow.wants_document ? AG_HOST_LINK_CONNECTING
                                                                    : AG_HOST_LINK_ONLINE;
    }
    return AG_HOST_LINK_WAITING;
}

void ag_host_status(const struct ag_host *host, struct ag_host_status *status)
{
    struct ag_store_info info;
    ag_store_info(&host->store, &info);
    memset(status, 0, sizeof *status);
    status->link = link_state(host);
    status->link_error = host->link.error;
    status->desired_version = host->follow.version;
    status->is_idle = host->is_idle && !host->plan_is_due;
    status->is_reported = ag_report_is_clean(host);
    status->memory_free = ag_ram_free(&host->plugins.ram);
    status->store_free = info.free_size;
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        status->plugin_count += host->plugins.plugins[i].is_used;
}

static void fill_status(const struct ag_host *host, const struct ag_plugin *plugin,
                        struct ag_host_plugin_status *status)
{
    struct ag_store_slot slot;
    const struct ag_plugin_version *runs =
        plugin->state == AG_STATE_TRIAL ? &plugin->next : &plugin->current;
    ag_plugins_slot(&host->plugins, runs, &slot);
    memset(status, 0, sizeof *status);
    memcpy(status->name, plugin->name, sizeof status->name);
    status->state = ag_report_state(plugin);
    status->version = runs->version;
    status->previous =
        plugin->state == AG_STATE_TRIAL ? plugin->current.version : plugin->previous.version;
    memcpy(status->sha256, slot.sha256, sizeof status->sha256);
    status->error = plugin->error;
    status->error_version = plugin->error_version;
    status->runs = plugin->runs;
}

enum ag_status ag_host_plugin_at(const struct ag_host *host, uint32_t index,
                                 struct ag_host_plugin_status *status)
{
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++) {
        if (!host->plugins.plugins[i].is_used || index-- != 0)
            continue;
        fill_status(host, &host->plugins.plugins[i], status);
        return AG_OK;
    }
    return AG_ERR_NOT_FOUND;
}
