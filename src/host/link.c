// SPDX-License-Identifier: Apache-2.0
// The connection to the hub, from nothing to subscribed and back, for ever.
#include "host/link.h"

#include <string.h>

#include "azure/hub.h"
#include "platform/board.h"

// Room in `read` for the user name of a login; the password takes the rest.
#define USER_NAME_SIZE 640u

// Longest topic of a request to DPS: an operation id and what stands before it.
#define DPS_TOPIC_MAX (AG_DPS_OPERATION_MAX + 96u)

// How long DISCONNECT may take to be sent.
#define DISCONNECT_MS 1000u

static void drop_connection(struct ag_link *link)
{
    link->stream->close(link->stream->context);
    // A fresh session: what was not acknowledged is kept, and sent again, by whoever wanted it
    // sent.
    ag_mqtt_init(&link->mqtt, link->send, sizeof link->send, &link->options);
    ag_reader_init(&link->piece, link->read, 0);
    link->in_answer = false;
}

// An attempt or connection ended: a pause, then the next one.
static void fail(struct ag_link *link, enum ag_status status, uint64_t now_ms)
{
    if (link->state == AG_LINK_ONLINE)
        ag_backoff_succeed(&link->backoff, now_ms - link->online_ms);
    bool at_hub = link->state >= AG_LINK_HUB_CONNECTING;
    drop_connection(link);
    uint64_t pause_ms = ag_backoff_fail(&link->backoff, ag_jitter_next(&link->jitter));
    if (at_hub && (status == AG_ERR_MQTT_REFUSED ||
                   link->backoff.failures % AG_LINK_FAILURES_BEFORE_DPS == 0))
        link->must_provision = true;
    else if (!at_hub)
        link->must_provision = false; // by turns: DPS may be down while the hub is not
    link->state = AG_LINK_WAITING;
    link->until_ms = now_ms + pause_ms;
    link->error = status;
    link->has_down = true;
}

static enum ag_status write_login(struct ag_link *link, bool at_dps, struct ag_mqtt_login *login)
{
    struct ag_writer user_name;
    struct ag_writer password;
    ag_writer_init(&user_name, link->read, USER_NAME_SIZE);
    ag_writer_init(&password, link->read + USER_NAME_SIZE, sizeof link->read - USER_NAME_SIZE);
    int64_t now_s;
    (void)ag_board_unix_time(&now_s);
    enum ag_status status =
        at_dps ? ag_identity_write_dps_login(&link->identity, now_s, &user_name, &password)
               : ag_identity_write_hub_login(&link->identity, now_s, &user_name, &password);
    login->client_id = at_dps ? link->identity.registration_id.at : link->identity.device_id;
    login->user_name = (const char *)user_name.start;
    login->password = (const char *)password.start;
    login->keep_alive_s = (uint16_t)link->keep_alive_s;
    login->clean_session = true;
    return status;
}

// Opens the stream and queues the login.
static void connect(struct ag_link *link, uint64_t now_ms)
{
    bool at_dps = link->identity.uses_dps && (!link->identity.is_assigned || link->must_provision);
    struct ag_mqtt_login login;
    enum ag_status status = write_login(link, at_dps, &login);
    link->state = at_dps ? AG_LINK_DPS_CONNECTING : AG_LINK_HUB_CONNECTING;
    if (status == AG_OK)
        status = at_dps ? link->stream->open(link->stream->context, link->identity.dps_host,
                                             link->identity.dps_port)
                        : link->stream->open(link->stream->context, link->identity.address,
                                             link->identity.port);
    if (status == AG_OK)
        status = ag_mqtt_connect(&link->mqtt, &login, now_ms);
    memset(link->read, 0, sizeof link->read);
    link->until_ms = now_ms + link->timeout_ms;
    // After 3/4 of the token's life, and up to a tenth of that earlier: devices that a hub lost
    // together do not come back together for ever.
    const uint32_t spread_ms = link->identity.token_lifetime_s * 75u;
    link->renew_ms = now_ms + (uint64_t)link->identity.token_lifetime_s * 750u -
                     (spread_ms ? ag_jitter_next(&link->jitter) % spread_ms : 0);
    if (status != AG_OK)
        fail(link, status, now_ms);
}

static enum ag_status subscribe(struct ag_link *link, bool at_dps)
{
    static const struct ag_mqtt_filter dps[] = { { AG_DPS_FILTER, 1 } };
    static const struct ag_mqtt_filter hub[] = { { AG_HUB_FILTER_TWIN, 0 },
                                                 { AG_HUB_FILTER_DESIRED, 0 },
                                                 { AG_HUB_FILTER_METHODS, 0 } };
    uint16_t packet_id;
    return at_dps ? ag_mqtt_subscribe(&link->mqtt, dps, 1, &packet_id)
                  : ag_mqtt_subscribe(&link->mqtt, hub, 3, &packet_id);
}

// Registers, or asks what became of the registration.
static enum ag_status ask_dps(struct ag_link *link, bool is_poll)
{
    char topic_bytes[DPS_TOPIC_MAX];
    char body_bytes[AG_CFG_DEVICE_ID_MAX * 2 + 32];
    struct ag_writer topic;
    struct ag_writer body;
    ag_writer_init(&topic, topic_bytes, sizeof topic_bytes);
    ag_writer_init(&body, body_bytes, sizeof body_bytes);
    link->rid++;
    if (is_poll) {
        ag_dps_write_poll_topic(&topic, link->rid, ag_text_of(link->answer.operation_id));
    } else {
        ag_dps_write_register_topic(&topic, link->rid);
        ag_dps_write_register_body(&body, link->identity.registration_id);
    }
    if (topic.status != AG_OK || body.status != AG_OK)
        return AG_ERR_DPS_ANSWER;
    struct ag_mqtt_message message = { .topic = { topic_bytes, topic.size },
                                       .payload = body_bytes,
                                       .payload_size = body.size,
                                       .qos = 1 };
    return ag_mqtt_publish(&link->mqtt, &message, NULL);
}

static void go_on(struct ag_link *link, enum ag_status status, enum ag_link_state next,
                  uint64_t now_ms)
{
    if (status != AG_OK) {
        fail(link, status, now_ms);
        return;
    }
    link->state = next;
    link->until_ms = now_ms + link->timeout_ms;
}

static void pause_after_dps(struct ag_link *link, enum ag_status status, uint64_t now_ms)
{
    uint64_t asked_ms = now_ms + ag_backoff_asked(link->answer.retry_after_s);
    fail(link, status, now_ms);
    if (asked_ms > link->until_ms)
        link->until_ms = asked_ms;
}

// DPS has answered. True when it has named the hub.
static bool take_dps_answer(struct ag_link *link, uint64_t now_ms)
{
    enum ag_dps_outcome outcome;
    enum ag_status status = ag_dps_finish(&link->answer, &outcome);
    if (status != AG_OK) {
        fail(link, status, now_ms);
        return false;
    }
    switch (outcome) {
    case AG_DPS_WAIT:
        link->state = AG_LINK_DPS_PAUSING;
        link->until_ms = now_ms + ag_backoff_asked(link->answer.retry_after_s);
        return false;
    case AG_DPS_ASSIGNED:
        status = ag_identity_assign(&link->identity, ag_text_of(link->answer.hub),
                                    ag_text_of(link->answer.device_id), link->hub_port);
        if (status != AG_OK) {
            fail(link, status, now_ms);
            return false;
        }
        drop_connection(link);
        link->must_provision = false;
        connect(link, now_ms);
        return true;
    case AG_DPS_AGAIN:
        pause_after_dps(link, AG_ERR_DPS_ANSWER, now_ms);
        return false;
    case AG_DPS_REFUSED:
        pause_after_dps(link, AG_ERR_DPS_REFUSED, now_ms);
        return false;
    case AG_DPS_DISABLED:
        pause_after_dps(link, AG_ERR_DPS_DISABLED, now_ms);
        return false;
    }
    return false;
}

static bool handle_dps_event(struct ag_link *link, const struct ag_mqtt_event *from,
                             uint64_t now_ms)
{
    bool is_asking = link->state == AG_LINK_DPS_ASKING;
    if (from->type == AG_MQTT_PUBLISH)
        link->in_answer = is_asking && ag_dps_begin(&link->answer, from->topic) == AG_OK &&
                          link->answer.has_rid && link->answer.rid == link->rid;
    if (from->type == AG_MQTT_PAYLOAD && link->in_answer)
        ag_dps_feed(&link->answer, from->bytes, from->size);
    if (from->type == AG_MQTT_PUBLISH_END && link->in_answer) {
        link->in_answer = false;
        return take_dps_answer(link, now_ms);
    }
    return false;
}

static bool codes_are_good(const struct ag_mqtt_event *event)
{
    for (size_t i = 0; i < event->size; i++)
        if (event->bytes[i] == AG_MQTT_SUBACK_FAILED)
            return false;
    return true;
}

// CONNACK or SUBACK: the next step of coming up. True when *event is to be told.
static bool come_up(struct ag_link *link, const struct ag_mqtt_event *from, uint64_t now_ms,
                    struct ag_link_event *event)
{
    bool at_dps = link->state < AG_LINK_HUB_CONNECTING;
    if (from->type == AG_MQTT_CONNACK) {
        if (from->code == 0) // otherwise the session has failed and says so next
            go_on(link, subscribe(link, at_dps),
                  at_dps ? AG_LINK_DPS_SUBSCRIBING : AG_LINK_HUB_SUBSCRIBING, now_ms);
        return false;
    }
    if (!codes_are_good(from)) {
        fail(link, AG_ERR_MQTT_REFUSED, now_ms);
        return false;
    }
    if (link->state == AG_LINK_DPS_SUBSCRIBING)
        go_on(link, ask_dps(link, false), AG_LINK_DPS_ASKING, now_ms);
    if (link->state != AG_LINK_HUB_SUBSCRIBING)
        return false;
    link->state = AG_LINK_ONLINE;
    link->online_ms = now_ms;
    link->error = AG_OK;
    event->type = AG_LINK_UP;
    return true;
}

// What the session says. True when *event is to be told.
static bool handle_event(struct ag_link *link, const struct ag_mqtt_event *from, uint64_t now_ms,
                         struct ag_link_event *event)
{
    if (from->type == AG_MQTT_CONNACK || from->type == AG_MQTT_SUBACK)
        return come_up(link, from, now_ms, event);
    if (link->state < AG_LINK_HUB_CONNECTING) {
        event->type = AG_LINK_ASSIGNED;
        return handle_dps_event(link, from, now_ms);
    }
    event->topic = from->topic;
    event->bytes = from->bytes;
    event->size = from->size;
    event->packet_id = from->packet_id;
    switch (from->type) {
    case AG_MQTT_PUBLISH:
        event->type = AG_LINK_MESSAGE;
        return !from->topic_overflow;
    case AG_MQTT_PAYLOAD:
        event->type = AG_LINK_PAYLOAD;
        return true;
    case AG_MQTT_PUBLISH_END:
        event->type = AG_LINK_MESSAGE_END;
        return true;
    case AG_MQTT_PUBACK:
        event->type = AG_LINK_ACKNOWLEDGED;
        return true;
    case AG_MQTT_CONNACK:
    case AG_MQTT_SUBACK:
        return false;
    }
    return false;
}

// Sends what there is to send. AG_ERR_AGAIN: the stream takes no more for now.
static enum ag_status flush(struct ag_link *link, uint64_t now_ms)
{
    const uint8_t *bytes;
    size_t size;
    while (ag_mqtt_output(&link->mqtt, &bytes, &size)) {
        size_t written;
        enum ag_status status = link->stream->write(link->stream->context, bytes, size, &written);
        if (status != AG_OK)
            return status;
        ag_mqtt_sent(&link->mqtt, written, now_ms);
    }
    return AG_OK;
}

// Reads the next bytes once those before are used up.
static enum ag_status refill(struct ag_link *link)
{
    if (ag_reader_left(&link->piece) > 0)
        return AG_OK;
    size_t size;
    enum ag_status status =
        link->stream->read(link->stream->context, link->read, sizeof link->read, &size);
    if (status == AG_OK)
        ag_reader_init(&link->piece, link->read, size);
    return status;
}

// Moves bytes both ways until the session has something to tell (AG_OK), there is nothing to move
// (AG_ERR_AGAIN), or the connection is broken.
static enum ag_status exchange(struct ag_link *link, uint64_t now_ms, struct ag_mqtt_event *event)
{
    for (;;) {
        enum ag_status status = flush(link, now_ms);
        if (status != AG_OK && status != AG_ERR_AGAIN)
            return status;
        status = ag_mqtt_next(&link->mqtt, &link->piece, now_ms, event);
        if (status != AG_ERR_AGAIN)
            return status;
        if (ag_reader_left(&link->piece) > 0)
            return AG_ERR_AGAIN; // the session cannot answer before output is gone
        status = refill(link);
        if (status != AG_OK)
            return status;
    }
}

// Ends the session in order, for no fault.
static void leave(struct ag_link *link, enum ag_link_state next, uint64_t now_ms)
{
    ag_mqtt_disconnect(&link->mqtt);
    ag_backoff_succeed(&link->backoff, now_ms - link->online_ms);
    link->state = next;
    link->until_ms = now_ms + DISCONNECT_MS;
    link->error = AG_OK;
    link->has_down = true;
}

static bool has_connection(const struct ag_link *link)
{
    return link->state != AG_LINK_WAITING && link->state != AG_LINK_RENEWING &&
           link->state != AG_LINK_LEAVING && link->state != AG_LINK_HELD;
}

// What time alone brings about. True when the state has changed.
static bool handle_time(struct ag_link *link, uint64_t now_ms)
{
    enum ag_link_state before = link->state;
    bool is_over = now_ms >= link->until_ms;
    switch (link->state) {
    case AG_LINK_WAITING:
        if (is_over)
            connect(link, now_ms);
        break;
    case AG_LINK_DPS_PAUSING:
        if (is_over)
            go_on(link, ask_dps(link, true), AG_LINK_DPS_ASKING, now_ms);
        break;
    case AG_LINK_DPS_CONNECTING:
    case AG_LINK_HUB_CONNECTING:
    case AG_LINK_DPS_SUBSCRIBING:
    case AG_LINK_HUB_SUBSCRIBING:
    case AG_LINK_DPS_ASKING:
        if (is_over)
            fail(link, AG_ERR_TIMEOUT, now_ms);
        break;
    case AG_LINK_ONLINE:
        if (now_ms >= link->renew_ms)
            leave(link, AG_LINK_RENEWING, now_ms);
        break;
    case AG_LINK_RENEWING:
        if (is_over || flush(link, now_ms) != AG_ERR_AGAIN) {
            drop_connection(link);
            connect(link, now_ms);
        }
        break;
    case AG_LINK_LEAVING:
        if (is_over || flush(link, now_ms) != AG_ERR_AGAIN) {
            drop_connection(link);
            link->state = AG_LINK_HELD;
            link->until_ms = now_ms; // no pause is under way
        }
        break;
    case AG_LINK_HELD:
        break;
    }
    return link->state != before;
}

enum ag_status ag_link_init(struct ag_link *link, const struct ag_host_config *config,
                            struct ag_stream *stream)
{
    memset(link, 0, sizeof *link);
    enum ag_status status = ag_identity_init(&link->identity, config);
    if (status != AG_OK)
        return status;
    link->stream = stream;
    link->timeout_ms = config->network_timeout_ms;
    link->keep_alive_s = config->keep_alive_s;
    link->hub_port = config->hub_port;
    link->options.connect_timeout_ms = config->network_timeout_ms;
    link->options.ping_timeout_ms = config->network_timeout_ms;
    link->options.ack_timeout_ms = config->network_timeout_ms;
    ag_mqtt_init(&link->mqtt, link->send, sizeof link->send, &link->options);
    ag_backoff_init(&link->backoff, config->backoff_base_ms, config->backoff_cap_ms);
    uint32_t random;
    ag_board_random(&random, sizeof random);
    ag_jitter_init(&link->jitter,
                   link->identity.uses_dps ? link->identity.registration_id
                                           : ag_text_of(link->identity.device_id),
                   random);
    ag_reader_init(&link->piece, link->read, 0);
    link->state = AG_LINK_WAITING;
    // Power comes back to whole streets at once.
    link->until_ms =
        ag_board_uptime_ms() + ag_jitter_next(&link->jitter) % (config->backoff_base_ms / 4 + 1);
    return AG_OK;
}

enum ag_status ag_link_next(struct ag_link *link, uint64_t now_ms, struct ag_link_event *event)
{
    for (;;) {
        memset(event, 0, sizeof *event);
        if (link->has_down) {
            link->has_down = false;
            event->type = AG_LINK_DOWN;
            event->status = link->error;
            return AG_OK;
        }
        if (handle_time(link, now_ms))
            continue;
        if (!has_connection(link))
            return AG_ERR_AGAIN;
        struct ag_mqtt_event from;
        enum ag_status status = exchange(link, now_ms, &from);
        if (status == AG_ERR_AGAIN)
            status = ag_mqtt_tick(&link->mqtt, now_ms) == AG_OK ? AG_ERR_AGAIN : AG_ERR_MQTT_DEAD;
        if (status == AG_ERR_AGAIN && flush(link, now_ms) != AG_OK)
            return AG_ERR_AGAIN; // a stream that is broken says so at the next read
        if (status == AG_ERR_AGAIN)
            return status;
        if (status != AG_OK)
            fail(link, status, now_ms);
        else if (handle_event(link, &from, now_ms, event))
            return AG_OK;
    }
}

uint64_t ag_link_deadline(const struct ag_link *link)
{
    if (link->has_down)
        return 0;
    if (link->state == AG_LINK_HELD)
        return UINT64_MAX;
    if (!has_connection(link))
        return link->until_ms;
    uint64_t deadline = ag_mqtt_deadline(&link->mqtt);
    uint64_t own = link->state == AG_LINK_ONLINE ? link->renew_ms : link->until_ms;
    return own < deadline ? own : deadline;
}

enum ag_status ag_link_publish(struct ag_link *link, const struct ag_mqtt_message *message,
                               uint16_t *packet_id)
{
    if (link->state != AG_LINK_ONLINE)
        return AG_ERR_CLOSED;
    return ag_mqtt_publish(&link->mqtt, message, packet_id);
}

void ag_link_flush(struct ag_link *link, uint64_t now_ms)
{
    if (link->state == AG_LINK_ONLINE)
        (void)flush(link, now_ms); // a stream that is broken says so at the next read
}

void ag_link_fail(struct ag_link *link, enum ag_status status, uint64_t now_ms)
{
    if (has_connection(link))
        fail(link, status, now_ms);
}

void ag_link_restart(struct ag_link *link, uint64_t now_ms)
{
    switch (link->state) {
    case AG_LINK_ONLINE:
        leave(link, AG_LINK_RENEWING, now_ms);
        break;
    case AG_LINK_WAITING: // the pause stays: nobody is to be hammered
    case AG_LINK_RENEWING:
    case AG_LINK_LEAVING: // nor is the one disturbed who has the only connection
    case AG_LINK_HELD:
        break;
    case AG_LINK_DPS_CONNECTING:
    case AG_LINK_DPS_SUBSCRIBING:
    case AG_LINK_DPS_ASKING:
    case AG_LINK_DPS_PAUSING:
    case AG_LINK_HUB_CONNECTING:
    case AG_LINK_HUB_SUBSCRIBING:
        drop_connection(link);
        link->state = AG_LINK_WAITING;
        link->until_ms = now_ms;
        break;
    }
}

bool ag_link_hold(struct ag_link *link, uint64_t now_ms)
{
    if (link->state == AG_LINK_ONLINE)
        leave(link, AG_LINK_LEAVING, now_ms);
    if (link->state == AG_LINK_LEAVING)
        (void)handle_time(link, now_ms);
    else if (link->state != AG_LINK_HELD) {
        bool was_waiting = link->state == AG_LINK_WAITING;
        drop_connection(link);
        link->state = AG_LINK_HELD;
        link->until_ms = was_waiting ? link->until_ms : now_ms;
    }
    return link->state == AG_LINK_HELD;
}

void ag_link_release(struct ag_link *link)
{
    if (link->state == AG_LINK_HELD)
        link->state = AG_LINK_WAITING;
}

void ag_link_close(struct ag_link *link, uint64_t now_ms)
{
    ag_mqtt_disconnect(&link->mqtt);
    (void)flush(link, now_ms);
    drop_connection(link);
}
