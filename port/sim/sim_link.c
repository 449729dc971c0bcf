// SPDX-License-Identifier: Apache-2.0
// One stream of a simulated device, seen from both ends, and what can go wrong with it.
#include "port/sim/sim_link.h"

#include <stdio.h>
#include <string.h>

// How often a new connection gets a fault, of a thousand.
#define CONNECT_RATE   60
#define CUT_RATE       60
#define CHOPPED_RATE   30
#define DELAY_RATE     60
#define HALF_OPEN_RATE 10

static void forget(struct sim_link *link)
{
    link->is_open = false;
    link->from_device.size = 0;
    link->to_device.size = 0;
    link->to_device_at = 0;
    link->segment_count = 0;
    link->delivered = 0;
    link->fails = AG_OK;
    link->broken_ms = SIM_NEVER;
    link->closed_ms = SIM_NEVER;
    link->stalled_ms = 0;
    link->is_half_open = false;
    link->chunk = 0;
    link->cut_after = 0;
}

static void draw_fate(struct sim_link *link)
{
    static const enum ag_status failures[] = { AG_ERR_DNS,      AG_ERR_CONNECT,
                                               AG_ERR_TLS,      AG_ERR_TLS_UNTRUSTED,
                                               AG_ERR_TLS_NAME, AG_ERR_TLS_EXPIRED,
                                               AG_ERR_RESET,    AG_ERR_TIMEOUT };
    struct sim_world *world = link->world;
    link->delay_ms = (uint32_t)sim_between(world, 5, 200);
    link->connected_ms = world->now_ms + 3u * link->delay_ms;
    if (sim_strikes(world, CONNECT_RATE, SIM_FAULT_CONNECT))
        link->fails = failures[sim_between(world, 0, sizeof failures / sizeof failures[0] - 1)];
    if (link->is_untrusted && link->fails == AG_OK)
        link->fails = AG_ERR_TLS_UNTRUSTED;
    if (sim_strikes(world, CUT_RATE, SIM_FAULT_CUT))
        link->cut_after = sim_scale(world, 1, 20000);
    if (sim_strikes(world, CHOPPED_RATE, SIM_FAULT_CHOPPED))
        link->chunk = (uint32_t)sim_scale(world, 1, 64);
    if (sim_strikes(world, DELAY_RATE, SIM_FAULT_DELAY))
        link->delay_ms = (uint32_t)sim_scale(world, 500, 25000);
    if (sim_strikes(world, HALF_OPEN_RATE, SIM_FAULT_HALF_OPEN))
        link->is_half_open = true;
    if (link->fails != AG_OK)
        sim_trace(world, link->who, "connecting will fail with %s", ag_status_name(link->fails));
}

static void close_link(void *context)
{
    struct sim_link *link = context;
    if (link->is_open)
        link->on_close(link->server);
    forget(link);
}

static enum ag_status open_link(void *context, const char *host, uint16_t port)
{
    struct sim_link *link = context;
    (void)port;
    close_link(link);
    link->is_open = true;
    snprintf(link->host, sizeof link->host, "%s", host);
    draw_fate(link);
    link->on_open(link->server);
    return AG_OK;
}

// What both directions have in common.
static enum ag_status state_of(const struct sim_link *link)
{
    uint64_t now_ms = link->world->now_ms;
    if (!link->is_open)
        return AG_ERR_CLOSED;
    if (now_ms < link->connected_ms)
        return AG_ERR_AGAIN;
    if (link->fails != AG_OK)
        return link->fails;
    if (now_ms >= link->broken_ms)
        return AG_ERR_RESET;
    return now_ms < link->stalled_ms ? AG_ERR_AGAIN : AG_OK;
}

static size_t arrived(struct sim_link *link)
{
    size_t end = link->to_device_at;
    for (uint32_t i = 0; i < link->segment_count; i++)
        if (link->segments[i].ready_ms <= link->world->now_ms)
            end = link->segments[i].end;
    return end - link->to_device_at;
}

static void forget_what_was_read(struct sim_link *link)
{
    if (link->to_device_at < link->to_device.size)
        return;
    link->to_device.size = 0;
    link->to_device_at = 0;
    link->segment_count = 0;
}

static enum ag_status read_link(void *context, void *bytes, size_t capacity, size_t *size)
{
    struct sim_link *link = context;
    enum ag_status status = state_of(link);
    if (status != AG_OK)
        return status;
    if (link->cut_after && link->delivered >= link->cut_after)
        return AG_ERR_RESET;
    size_t part = arrived(link);
    if (part == 0 && link->world->now_ms >= link->closed_ms &&
        link->to_device_at == link->to_device.size)
        return AG_ERR_CLOSED;
    if (part == 0 || link->is_half_open)
        return AG_ERR_AGAIN;
    if (part > capacity)
        part = capacity;
    if (link->chunk && part > link->chunk)
        part = link->chunk;
    if (link->cut_after && part > link->cut_after - link->delivered)
        part = (size_t)(link->cut_after - link->delivered);
    memcpy(bytes, link->to_device.at + link->to_device_at, part);
    link->to_device_at += part;
    link->delivered += part;
    forget_what_was_read(link);
    *size = part;
    return AG_OK;
}

static enum ag_status write_link(void *context, const void *bytes, size_t size, size_t *written)
{
    struct sim_link *link = context;
    enum ag_status status = state_of(link);
    if (status != AG_OK)
        return status;
    *written = link->chunk && size > link->chunk ? link->chunk : size;
    if (link->is_half_open || link->closed_ms != SIM_NEVER)
        return AG_OK; // nobody hears it
    sim_bytes_add(&link->from_device, bytes, *written);
    link->on_bytes(link->server);
    return AG_OK;
}

void sim_link_init(struct sim_link *link, struct sim_world *world, const char *who)
{
    memset(link, 0, sizeof *link);
    link->world = world;
    link->who = who;
    link->stream = (struct ag_stream){ .context = link,
                                       .open = open_link,
                                       .read = read_link,
                                       .write = write_link,
                                       .close = close_link };
    forget(link);
}

void sim_link_clear(struct sim_link *link)
{
    sim_bytes_free(&link->from_device);
    sim_bytes_free(&link->to_device);
}

void sim_link_send(struct sim_link *link, const void *bytes, size_t size)
{
    if (!link->is_open || link->closed_ms != SIM_NEVER)
        return;
    uint64_t ready_ms = link->world->now_ms + link->delay_ms;
    sim_bytes_add(&link->to_device, bytes, size);
    uint32_t last = link->segment_count;
    bool joins =
        last == SIM_LINK_SEGMENTS || (last > 0 && link->segments[last - 1].ready_ms >= ready_ms);
    if (!joins)
        last = ++link->segment_count;
    if (link->segments[last - 1].ready_ms < ready_ms || !joins)
        link->segments[last - 1].ready_ms = ready_ms;
    link->segments[last - 1].end = link->to_device.size;
}

void sim_link_end(struct sim_link *link)
{
    if (link->is_open && link->closed_ms == SIM_NEVER)
        link->closed_ms = link->world->now_ms + link->delay_ms;
}

void sim_link_reset(struct sim_link *link)
{
    link->broken_ms = link->world->now_ms + 1;
}

void sim_link_stall(struct sim_link *link, uint64_t ms)
{
    link->stalled_ms = link->world->now_ms + ms;
}

void sim_link_half_open(struct sim_link *link)
{
    link->is_half_open = true;
}

void sim_link_vanish(struct sim_link *link)
{
    close_link(link);
}

static void earlier(uint64_t *first, uint64_t when, uint64_t since_ms)
{
    if (when > since_ms && when < *first)
        *first = when;
}

uint64_t sim_link_news(const struct sim_link *link, uint64_t since_ms)
{
    uint64_t first = SIM_NEVER;
    if (!link->is_open)
        return first;
    earlier(&first, link->connected_ms, since_ms);
    earlier(&first, link->broken_ms, since_ms);
    earlier(&first, link->stalled_ms, since_ms);
    if (link->is_half_open)
        return first;
    earlier(&first, link->closed_ms, since_ms);
    for (uint32_t i = 0; i < link->segment_count; i++)
        earlier(&first, link->segments[i].ready_ms, since_ms);
    return first;
}
