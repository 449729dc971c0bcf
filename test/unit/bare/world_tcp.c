// SPDX-License-Identifier: Apache-2.0
// The TCP server of the made-up network: sends again from the first byte that is not acknowledged,
// takes only what is next, keeps to the guest's window and watches that the guest keeps to ours.
#include <string.h>

#include "test/harness.h"
#include "test/unit/bare/world.h"
#include "test/unit/bare/world_wire.h"

enum {
    FIN = 1,
    SYN = 2,
    RST = 4,
    ACK = 16,
    RESEND_MS = 300,
    AHEAD = 6, // segments
};

static struct world_peer peers[WORLD_PEERS];
static size_t next_peer;

struct world_peer *world_peer(uint16_t port)
{
    for (size_t i = 1; i <= WORLD_PEERS; i++) {
        struct world_peer *peer = &peers[(next_peer + WORLD_PEERS - i) % WORLD_PEERS];
        if (peer->is_used && peer->port == port)
            return peer;
    }
    return NULL;
}

static void send_segment(const struct world_peer *peer, uint32_t sequence, uint8_t flags,
                         const uint8_t *bytes, size_t size)
{
    uint8_t segment[24 + 1460] = { 0 };
    const size_t head = flags & SYN ? 24 : 20;
    wire_put_u16(segment, peer->port);
    wire_put_u16(segment + 2, peer->guest_port);
    wire_put_u32(segment + 4, sequence);
    wire_put_u32(segment + 8, peer->rcv_nxt);
    segment[12] = (uint8_t)(head / 4 << 4);
    segment[13] = flags;
    wire_put_u16(segment + 14, world.tcp_window);
    if (flags & SYN)
        memcpy(segment + 20, "\2\4\5\xb4", 4); // 1460 bytes
    if (size > 0)
        memcpy(segment + head, bytes, size);
    wire_send_ip(WORLD_SERVER, world.dhcp_address, WIRE_TCP, segment, head + size,
                 world.tcp_late_ms);
}

void world_reset(struct world_peer *peer)
{
    send_segment(peer, peer->nxt, RST | ACK, NULL, 0);
    peer->is_used = false;
}

void world_acknowledge(struct world_peer *peer)
{
    send_segment(peer, peer->nxt, ACK, NULL, 0);
}

static struct world_peer *accept_guest(uint16_t port, uint16_t guest_port, uint32_t sequence)
{
    struct world_peer *peer = &peers[next_peer++ % WORLD_PEERS];
    *peer = (struct world_peer){
        .is_used = true,
        .port = port,
        .guest_port = guest_port,
        .rcv_nxt = sequence + 1,
        .out = world.tcp_out,
        .out_size = world.tcp_out_size,
        .wants_fin = world.tcp_wants_fin,
    };
    const uint32_t first = world_random();
    peer->start = first + 1;
    peer->una = first;
    peer->nxt = peer->most = first + 1;
    send_segment(peer, first, SYN | ACK, NULL, 0);
    peer->resend_ms = world.now_ms + RESEND_MS;
    return peer;
}

static struct world_peer *find(uint16_t port, uint16_t guest_port)
{
    for (size_t i = 0; i < WORLD_PEERS; i++) {
        if (peers[i].is_used && peers[i].port == port && peers[i].guest_port == guest_port)
            return &peers[i];
    }
    return NULL;
}

static void take_acknowledgement(struct world_peer *peer, uint32_t number)
{
    if ((int32_t)(number - peer->una) <= 0 || (int32_t)(number - peer->most) > 0)
        return;
    peer->una = number;
    if ((int32_t)(number - peer->nxt) > 0)
        peer->nxt = number;
    peer->fin_was_acknowledged =
        peer->fin_was_sent && number - peer->start == (uint32_t)peer->out_size + 1;
    peer->resend_ms = world.now_ms + RESEND_MS;
}

static void take_bytes(struct world_peer *peer, uint32_t sequence, const uint8_t *bytes,
                       size_t size, bool has_fin)
{
    if ((int32_t)(sequence + (uint32_t)size - peer->rcv_nxt) > world.tcp_window + 1)
        world.tcp_overruns++; // by more than a probe of a closed window
    const uint32_t known = peer->rcv_nxt - sequence;
    if (known <= size && world.tcp_window >= size - known) {
        CHECK(peer->in_size + size - known <= WORLD_STREAM);
        memcpy(peer->in + peer->in_size, bytes + known, size - known);
        peer->in_size += size - known;
        peer->rcv_nxt += (uint32_t)(size - known);
        if (has_fin && !peer->guest_closed) {
            peer->guest_closed = true;
            peer->rcv_nxt++;
        }
    }
    if (world.tcp_echoes) {
        peer->out = peer->in;
        peer->out_size = peer->in_size;
    }
    world_acknowledge(peer);
}

void wire_take_tcp(uint32_t from, uint32_t to, const uint8_t *segment, size_t size)
{
    const uint16_t guest_port = (uint16_t)wire_u16(segment);
    const uint16_t port = (uint16_t)wire_u16(segment + 2);
    const uint32_t sequence = wire_u32(segment + 4);
    const size_t head = (size_t)(segment[12] >> 4) * 4;
    const uint8_t flags = segment[13];
    struct world_peer *peer = find(port, guest_port);
    CHECK(size >= head && head >= 20);
    CHECK(from == world.dhcp_address);
    world.tcp_syns += (flags & SYN) != 0;
    if (world.tcp_is_dead || world.tcp_mode == WORLD_TCP_IS_SILENT || to != WORLD_SERVER)
        return;
    if (flags & RST) {
        if (peer) {
            peer->was_reset = true;
            peer->is_used = false;
        }
        return;
    }
    if (flags & SYN && world.tcp_mode == WORLD_TCP_REFUSES) {
        const struct world_peer nobody = { .port = port,
                                           .guest_port = guest_port,
                                           .rcv_nxt = sequence + 1 };
        send_segment(&nobody, 0, RST | ACK, NULL, 0);
        return;
    }
    if (!peer && flags & SYN)
        peer = accept_guest(port, guest_port, sequence);
    if (!peer || flags & SYN)
        return;
    take_acknowledgement(peer, wire_u32(segment + 8));
    peer->guest_window = wire_u16(segment + 14);
    if (size > head || flags & FIN)
        take_bytes(peer, sequence, segment + head, size - head, flags & FIN);
}

static void send_more(struct world_peer *peer)
{
    while (peer->nxt - peer->start < peer->out_size) {
        const uint32_t done = peer->nxt - peer->start;
        const uint32_t under_way = peer->nxt - peer->una;
        uint32_t size = (uint32_t)peer->out_size - done;
        size = size < world.tcp_piece ? size : world.tcp_piece;
        if (under_way + size > peer->guest_window || under_way > AHEAD * 1460u)
            return;
        send_segment(peer, peer->nxt, ACK, peer->out + done, size);
        peer->nxt += size;
        if ((int32_t)(peer->nxt - peer->most) > 0)
            peer->most = peer->nxt;
    }
    if (peer->wants_fin && peer->nxt - peer->start == peer->out_size) {
        send_segment(peer, peer->nxt++, FIN | ACK, NULL, 0);
        peer->most = peer->nxt;
        peer->fin_was_sent = true;
    }
}

static void run_peer(struct world_peer *peer)
{
    const bool is_open = (int32_t)(peer->una - peer->start) >= 0;
    if (is_open)
        send_more(peer);
    if (world.now_ms < peer->resend_ms)
        return;
    peer->resend_ms = world.now_ms + RESEND_MS;
    if (!is_open) {
        send_segment(peer, peer->una, SYN | ACK, NULL, 0);
    } else if (peer->nxt != peer->una) {
        peer->nxt = peer->una;
        send_more(peer);
    } else if (peer->nxt - peer->start < peer->out_size) { // the window is closed: is it still?
        send_segment(peer, peer->nxt, ACK, peer->out + (peer->nxt - peer->start), 1);
        if (peer->most == peer->nxt)
            peer->most++;
    }
}

void wire_run_tcp(void)
{
    for (size_t i = 0; i < WORLD_PEERS && !world.tcp_is_dead; i++) {
        if (peers[i].is_used)
            run_peer(&peers[i]);
    }
}

uint64_t wire_tcp_due_ms(void)
{
    uint64_t due_ms = UINT64_MAX;
    for (size_t i = 0; i < WORLD_PEERS && !world.tcp_is_dead; i++) {
        const struct world_peer *peer = &peers[i];
        const bool is_done = peer->una == peer->nxt && peer->nxt - peer->start >= peer->out_size;
        if (peer->is_used && !is_done && peer->resend_ms < due_ms)
            due_ms = peer->resend_ms;
    }
    return due_ms;
}
