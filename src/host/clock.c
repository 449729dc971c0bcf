// SPDX-License-Identifier: Apache-2.0
// The time of day, for a board that does not know it: learnt from the Date of any answer over
// HTTPS, and asked for where nothing else is fetched.
//
// Without the time a token may have expired before it was made, so that the hub refuses the login:
// then its HTTPS side is asked, whose answer says the time whatever else it says. A server that
// lies about the time can move windows. It cannot lock the device out: a learnt time by which TLS
// finds a certificate expired is forgotten, and dates are not checked without a time.
#include "host/clock.h"

#include "host/core.h"
#include "platform/board.h"

// Pauses after a server that did not say the time.
#define BACKOFF_BASE_MS 60000u
#define BACKOFF_CAP_MS  3600000u

void ag_clock_init(struct ag_clock *clock)
{
    clock->is_asking = false;
    clock->until_ms = 0;
    ag_backoff_init(&clock->backoff, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
}

void ag_clock_failed(enum ag_status why)
{
    if (why == AG_ERR_TLS_EXPIRED)
        ag_board_learn_time(0);
}

static bool is_known(void)
{
    int64_t seconds;
    return ag_board_unix_time(&seconds);
}

// Online and without a download to begin, or refused by who may think that our token has expired.
static bool link_can_wait(const struct ag_host *host)
{
    const struct ag_link *link = &host->link;
    bool is_refused = link->error == AG_ERR_MQTT_REFUSED || link->error == AG_ERR_DPS_REFUSED;
    bool has_read_twin = host->may_report && !host->plan_is_due;
    return (link->state == AG_LINK_ONLINE && has_read_twin &&
            !ag_download_has_one_connection(host)) ||
           (link->state == AG_LINK_WAITING && is_refused);
}

static bool wants_to_ask(const struct ag_host *host)
{
    return host->now_ms >= host->clock.until_ms && link_can_wait(host) && !host->installing &&
           host->install.fetch.state == AG_FETCH_IDLE && !ag_trust_update_is_busy(host) &&
           !is_known();
}

static void stop_asking(struct ag_host *host)
{
    struct ag_clock *clock = &host->clock;
    ag_fetch_close(&host->install.fetch);
    clock->is_asking = false;
    host->plan_is_due = true; // what waited for the time, or to be fetched
    if (is_known())
        clock->backoff.failures = 0;
    else
        clock->until_ms = host->now_ms + ag_backoff_fail(&clock->backoff, ag_change_random(host));
}

void ag_clock_give_way(struct ag_host *host)
{
    if (host->clock.is_asking)
        stop_asking(host);
}

static void ask(struct ag_host *host)
{
    struct ag_clock *clock = &host->clock;
    const struct ag_identity *identity = &host->link.identity;
    const struct ag_fetch_range range = { .if_match = "" };
    struct ag_writer out;
    ag_writer_init(&out, clock->url, sizeof clock->url - 1);
    ag_writer_text(&out, "https://");
    ag_writer_text(&out, identity->is_assigned ? identity->address : identity->dps_host);
    ag_writer_text(&out, "/");
    clock->is_asking = true;
    const char *url = ag_writer_finish_text(&out);
    if (out.status != AG_OK ||
        ag_fetch_begin(&host->install.fetch, ag_text_of(url), &range, host->now_ms) != AG_OK)
        stop_asking(host);
}

void ag_clock_step(struct ag_host *host)
{
    struct ag_clock *clock = &host->clock;
    if (!clock->is_asking && wants_to_ask(host) && ag_download_has_turn(host))
        ask(host);
    while (clock->is_asking) {
        struct ag_fetch_event event;
        enum ag_status status = ag_fetch_next(&host->install.fetch, host->now_ms, &event);
        if (status == AG_ERR_AGAIN)
            return;
        if (status != AG_OK || event.type == AG_FETCH_HEAD) // its Date has been learnt
            stop_asking(host);
    }
}

uint64_t ag_clock_deadline(const struct ag_host *host)
{
    const struct ag_clock *clock = &host->clock;
    if (clock->is_asking)
        return ag_fetch_deadline(&host->install.fetch);
    if (wants_to_ask(host))
        return 0;
    if (!link_can_wait(host) || host->installing || is_known())
        return UINT64_MAX;
    return clock->until_ms > host->now_ms ? clock->until_ms : UINT64_MAX;
}
