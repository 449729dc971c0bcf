// SPDX-License-Identifier: Apache-2.0
// A made-up machine with a made-up network for lwIP: time that passes only in world_turn, a wire
// that loses, doubles and swaps frames, one host on it that is gateway, DHCP, DNS, SNTP and TCP
// server in one, and allocations of lwIP that fail as they are told.
//
// lwIP starts once in a process, so each test runs in a process of its own: world_run.
#ifndef AG_TEST_WORLD_H
#define AG_TEST_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/bare/net.h"

enum {
    WORLD_GUEST = 0x0a00020f,   // 10.0.2.15, by DHCP
    WORLD_GATEWAY = 0x0a000202, // 10.0.2.2
    WORLD_DNS = 0x0a000203,     // 10.0.2.3, as DHCP says
    WORLD_OWN_DNS = 0x0a000204, // 10.0.2.4, for those who provision it
    WORLD_SERVER = 0x0a000205,  // 10.0.2.5, what names lead to
    WORLD_PEERS = 16,
    WORLD_STREAM = 1 << 17, // bytes that a peer can take in
    WORLD_FRAME = 1514,
};

enum world_tcp_mode {
    WORLD_TCP_ACCEPTS,
    WORLD_TCP_REFUSES,
    WORLD_TCP_IS_SILENT,
};

// The server's end of a TCP connection.
struct world_peer {
    bool is_used;
    bool was_reset; // by the guest
    bool wants_fin; // after the last byte of `out`
    bool fin_was_sent;
    bool fin_was_acknowledged;
    bool guest_closed; // its FIN came, in order
    uint16_t port;
    uint16_t guest_port;
    uint32_t start; // the sequence number of its first byte
    uint32_t una;
    uint32_t nxt;
    uint32_t most; // highest `nxt` ever
    uint32_t rcv_nxt;
    uint32_t guest_window;
    uint64_t resend_ms;
    const uint8_t *out; // what it sends
    size_t out_size;
    uint8_t in[WORLD_STREAM];
    size_t in_size;
};

struct world {
    uint64_t now_ms;
    bool has_link;
    uint32_t random;

    uint32_t drop; // of 1000 frames, each way
    uint32_t twice;
    uint32_t swap;
    uint32_t garble;    // of 1000 packets to the guest: changed before their checksum is made
    uint32_t sent;      // frames by the guest
    uint32_t last_arp;  // the address that the guest asked for
    uint32_t bad;       // of these, with a wrong length or checksum
    uint32_t no_buffer; // frames to the guest that found no room in it
    uint32_t turns;     // of the main loop

    bool dhcp_is_dead;
    bool dhcp_refuses; // answers requests by NAK
    uint32_t dhcp_lease_s;
    uint32_t dhcp_address;
    uint32_t dhcp_discovers;
    uint32_t dhcp_requests;

    bool dns_is_dead;
    bool own_dns_is_dead;
    bool dns_refuses; // no such name
    uint16_t dns_port;
    uint32_t dns_late_ms;
    uint32_t dns_ttl_s;
    uint32_t dns_questions;
    uint32_t own_dns_questions;

    bool sntp_is_dead;
    bool sntp_spoofs;   // answers from another address
    bool sntp_forgets;  // the number of the question
    uint8_t sntp_first; // leap, version, mode
    uint8_t sntp_stratum;
    uint32_t sntp_seconds; // as NTP counts them
    uint32_t sntp_missing; // bytes of the answer
    uint32_t sntp_questions;
    int64_t time; // what the guest was told; 0: nothing
    uint32_t times;

    enum world_tcp_mode tcp_mode;
    bool tcp_echoes;
    bool tcp_is_dead;     // connections that are open, too
    uint32_t tcp_late_ms; // each segment
    uint16_t tcp_window;
    uint16_t tcp_piece;     // bytes of a segment at most
    const uint8_t *tcp_out; // for new connections
    size_t tcp_out_size;
    bool tcp_wants_fin;
    uint32_t tcp_syns;
    uint32_t tcp_overruns; // bytes of the guest beyond our window

    uint32_t allocations;
    uint32_t fail_at;  // the number of the allocation that fails; 0: none
    bool fails_always; // all do
};

extern struct world world;

// Runs `run` in a process of its own, with a new world; fails the test if it fails.
void world_run(void (*run)(void));
// ag_net_start, which must succeed.
void world_start(const struct ag_net_config *config);
// Runs the main loop for so long.
void world_pass(uint64_t ms);
// One turn: lwIP, then the network, then time passes to what is next, at most `most_ms`.
void world_turn(uint64_t most_ms);
// The newest connection to `port`; NULL: none.
struct world_peer *world_peer(uint16_t port);
// Sends RST.
void world_reset(struct world_peer *peer);
// Sends an acknowledgement, with the window as it is now.
void world_acknowledge(struct world_peer *peer);
// Hands the guest a frame of made-up bytes as they are.
void world_inject(const uint8_t *frame, size_t size);
uint32_t world_random(void);
// Bytes of lwIP's heap and elements of its pools in use, each closing connection left out.
uint32_t world_memory_in_use(void);
// Buffers for receiving in use.
uint32_t world_buffers_in_use(void);

#endif
