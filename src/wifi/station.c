// SPDX-License-Identifier: Apache-2.0
// Keeps the device connected to one of the networks that it knows.
//
// Each state has one function, which says whether the state has changed; a step goes on while that
// is so. Every change of state goes through `enter`.
#include "wifi/station.h"

#include <string.h>

#include "base/writer.h"
#include "platform/board.h"

// Nothing of this takes long; a radio that does not answer is asked anew.
#define SCAN_MS 20000u
#define JOIN_MS 60000u

#define NO_NETWORK AG_CFG_WIFI_KNOWN // where none in particular is meant

struct turn {
    struct ag_station *station;
    struct ag_wifi_status radio;
    uint64_t now_ms;
};

void ag_station_init(struct ag_station *station, const struct ag_station_network *networks,
                     uint32_t count)
{
    memset(station, 0, sizeof *station);
    station->networks = networks;
    station->count = count < AG_CFG_WIFI_KNOWN ? count : AG_CFG_WIFI_KNOWN;
    station->until_ms = UINT64_MAX;
    ag_backoff_init(&station->backoff, AG_CFG_WIFI_PAUSE_MS, AG_CFG_WIFI_PAUSE_MAX_MS);
}

static void enter(struct turn *turn, enum ag_station_state state, uint32_t for_ms)
{
    turn->station->state = state;
    turn->station->since_ms = turn->now_ms;
    turn->station->until_ms = for_ms == UINT32_MAX ? UINT64_MAX : turn->now_ms + for_ms;
}

static bool is_over(const struct turn *turn)
{
    return turn->now_ms >= turn->station->until_ms;
}

// Log lines: the network's name, never its password.

static void begin_line(struct ag_writer *line, void *storage, size_t capacity,
                       const struct ag_station *station, uint32_t network)
{
    ag_writer_init(line, storage, capacity);
    if (network == NO_NETWORK)
        return;
    ag_writer_text(line, "'");
    ag_writer_text(line, station->networks[network].name);
    ag_writer_text(line, "': ");
}

static void end_line(struct ag_writer *line, enum ag_log_level level)
{
    ag_board_log(level, "wifi", (const char *)line->start, line->size);
}

// What stays as it is is told once.
static void tell_reason(struct ag_station *station, uint32_t network, enum ag_status reason)
{
    uint8_t text[320];
    struct ag_writer line;
    const bool is_known = station->told[network] == reason;
    station->reason = reason;
    if (reason == AG_OK || reason == AG_ERR_AGAIN)
        return;
    begin_line(&line, text, sizeof text, station, network);
    ag_writer_text(&line, ag_status_text(reason));
    ag_writer_text(&line, " (");
    ag_writer_text(&line, ag_status_name(reason));
    ag_writer_text(&line, ", ");
    ag_writer_decimal(&line, (int64_t)reason);
    ag_writer_text(&line, "); hint: ");
    ag_writer_text(&line, ag_status_hint(reason));
    end_line(&line, is_known ? AG_LOG_DEBUG : AG_LOG_WARNING);
    station->told[network] = reason;
}

static void tell_connected(struct ag_station *station, bool was_before)
{
    uint8_t text[120];
    struct ag_writer line;
    begin_line(&line, text, sizeof text, station, station->current);
    ag_writer_text(&line, was_before ? "connected since before this start" : "connected");
    end_line(&line, AG_LOG_INFO);
    station->reason = AG_OK;
    memset(station->told, 0, sizeof station->told);
}

static void tell_pause(uint32_t pause_ms)
{
    uint8_t text[80];
    struct ag_writer line;
    ag_writer_init(&line, text, sizeof text);
    ag_writer_text(&line, "looks for networks again in ");
    ag_writer_decimal(&line, (int64_t)pause_ms);
    ag_writer_text(&line, " ms");
    end_line(&line, AG_LOG_DEBUG);
}

// Rounds.

static void pause(struct turn *turn)
{
    uint32_t random;
    ag_board_random(&random, sizeof random);
    const uint32_t pause_ms = ag_backoff_fail(&turn->station->backoff, random);
    tell_pause(pause_ms);
    enter(turn, AG_STATION_PAUSES, pause_ms);
}

static void fail_round(struct turn *turn, uint32_t network, enum ag_status reason)
{
    tell_reason(turn->station, network, reason);
    pause(turn);
}

static void start_round(struct turn *turn)
{
    struct ag_station *station = turn->station;
    memset(station->sights, 0, sizeof station->sights);
    station->has_tried = false;
    const enum ag_status status = ag_wifi_scan();
    if (status == AG_OK)
        enter(turn, AG_STATION_SCANS, SCAN_MS);
    else
        fail_round(turn, NO_NETWORK, status);
}

static bool suits(const struct ag_station_network *network, enum ag_wifi_security security)
{
    if (network->password)
        return security == AG_WIFI_WPA || security == AG_WIFI_WPA3;
    return security == AG_WIFI_OPEN;
}

static bool is_called(const char *name, const uint8_t *bytes, size_t size)
{
    return strlen(name) == size && memcmp(name, bytes, size) == 0;
}

static void take_found(void *context, const struct ag_wifi_found *found)
{
    struct ag_station *station = context;
    for (uint32_t i = 0; i < station->count; i++) {
        struct ag_station_sight *sight = &station->sights[i];
        if (found->name_size > AG_WIFI_NAME_MAX ||
            !is_called(station->networks[i].name, found->name, found->name_size))
            continue;
        sight->is_seen = true;
        if (!suits(&station->networks[i], found->security) ||
            (sight->is_candidate && found->signal <= sight->signal))
            continue;
        sight->is_candidate = true;
        sight->signal = found->signal;
        sight->security = found->security;
    }
}

// A network that hides its name is tried without having been seen.
static void add_hidden(struct ag_station *station)
{
    for (uint32_t i = 0; i < station->count; i++) {
        struct ag_station_sight *sight = &station->sights[i];
        if (sight->is_seen || !station->networks[i].is_hidden)
            continue;
        sight->is_candidate = true;
        sight->security = station->networks[i].password ? AG_WIFI_WPA : AG_WIFI_OPEN;
    }
}

static enum ag_status why_none(const struct ag_station *station)
{
    for (uint32_t i = 0; i < station->count; i++) {
        if (station->sights[i].is_seen)
            return AG_ERR_WIFI_SECURITY;
    }
    return AG_ERR_WIFI_RANGE;
}

// Joins the first network that is left in this round, or ends the round.
static void join_next(struct turn *turn)
{
    struct ag_station *station = turn->station;
    for (uint32_t i = 0; i < station->count; i++) {
        const struct ag_station_network *network = &station->networks[i];
        struct ag_station_sight *sight = &station->sights[i];
        const struct ag_wifi_credentials credentials = {
            .name = network->name,
            .password = network->password,
            .security = sight->security,
            .is_hidden = network->is_hidden,
        };
        if (!sight->is_candidate)
            continue;
        sight->is_candidate = false;
        const enum ag_status status = ag_wifi_join(&credentials);
        if (status == AG_OK) {
            station->current = i;
            enter(turn, AG_STATION_JOINS, JOIN_MS);
            return;
        }
        station->has_tried = true;
        tell_reason(station, i, status);
    }
    if (station->has_tried)
        pause(turn); // each reason was told with its network
    else
        fail_round(turn, NO_NETWORK, why_none(station));
}

static uint32_t network_called(const struct ag_station *station, const uint8_t *name, size_t size)
{
    for (uint32_t i = 0; i < station->count; i++) {
        if (is_called(station->networks[i].name, name, size))
            return i;
    }
    return NO_NETWORK;
}

// Functions of the states: true when the state has changed.

static bool step_no_radio(struct turn *turn)
{
    struct ag_station *station = turn->station;
    if (turn->radio.state == AG_WIFI_ABSENT) {
        if (station->reason != turn->radio.reason)
            tell_reason(station, NO_NETWORK, turn->radio.reason);
        return false;
    }
    const uint32_t known = network_called(station, turn->radio.name, turn->radio.name_size);
    if (turn->radio.state != AG_WIFI_CONNECTED || known == NO_NETWORK) {
        start_round(turn);
        return true;
    }
    station->current = known;
    tell_connected(station, true);
    enter(turn, AG_STATION_CONNECTED, UINT32_MAX);
    return true;
}

static bool step_scans(struct turn *turn)
{
    const enum ag_status status = ag_wifi_results(take_found, turn->station);
    if (status == AG_ERR_AGAIN && !is_over(turn))
        return false;
    if (status == AG_OK) {
        add_hidden(turn->station);
        join_next(turn);
    } else
        fail_round(turn, NO_NETWORK, status == AG_ERR_AGAIN ? AG_ERR_TIMEOUT : status);
    return true;
}

static bool step_joins(struct turn *turn)
{
    struct ag_station *station = turn->station;
    enum ag_status reason = turn->radio.reason;
    if (turn->radio.state == AG_WIFI_CONNECTED) {
        tell_connected(station, false);
        enter(turn, AG_STATION_CONNECTED, UINT32_MAX);
        return true;
    }
    if (turn->radio.state == AG_WIFI_JOINING) {
        if (!is_over(turn))
            return false;
        ag_wifi_leave();
        reason = AG_ERR_TIMEOUT;
    }
    if (reason == AG_ERR_WIFI_PASSWORD)
        ag_wifi_forget(); // what was refused is not kept anywhere
    station->has_tried = true;
    tell_reason(station, station->current, reason == AG_OK ? AG_ERR_WIFI_JOIN : reason);
    join_next(turn);
    return true;
}

static bool step_connected(struct turn *turn)
{
    struct ag_station *station = turn->station;
    if (turn->radio.state == AG_WIFI_CONNECTED)
        return false;
    ag_backoff_succeed(&station->backoff, turn->now_ms - station->since_ms);
    fail_round(turn, station->current,
               turn->radio.reason == AG_OK ? AG_ERR_WIFI_LOST : turn->radio.reason);
    return true;
}

static bool step_pauses(struct turn *turn)
{
    if (!is_over(turn))
        return false;
    start_round(turn);
    return true;
}

static bool (*const steps[AG_STATION_STATE_COUNT])(struct turn *turn) = {
    [AG_STATION_NO_RADIO] = step_no_radio, [AG_STATION_SCANS] = step_scans,
    [AG_STATION_JOINS] = step_joins,       [AG_STATION_CONNECTED] = step_connected,
    [AG_STATION_PAUSES] = step_pauses,
};

static uint32_t left_of(const struct turn *turn)
{
    const uint64_t until_ms = turn->station->until_ms;
    if (until_ms == UINT64_MAX)
        return UINT32_MAX;
    return until_ms > turn->now_ms ? (uint32_t)(until_ms - turn->now_ms) : 0;
}

uint32_t ag_station_step(struct ag_station *station, uint64_t now_ms)
{
    struct turn turn = { .station = station, .now_ms = now_ms };
    bool has_changed;
    ag_wifi_poll(now_ms);
    do {
        ag_wifi_status(&turn.radio);
        if (turn.radio.state == AG_WIFI_ABSENT && station->state != AG_STATION_NO_RADIO) {
            if (station->state == AG_STATION_CONNECTED)
                ag_backoff_succeed(&station->backoff, now_ms - station->since_ms);
            enter(&turn, AG_STATION_NO_RADIO, UINT32_MAX);
        }
        has_changed = steps[station->state](&turn);
    } while (has_changed);
    const uint32_t left_ms = left_of(&turn);
    const uint32_t radio_ms = ag_wifi_wait_ms(now_ms);
    return left_ms < radio_ms ? left_ms : radio_ms;
}
