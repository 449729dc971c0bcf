// SPDX-License-Identifier: Apache-2.0
// One stream of a simulated device, seen from both ends, and what can go wrong with it.
//
// What the device writes is at the server at once; what the server sends arrives after a delay and
// in order. The device is told of news once, as by an edge-triggered event loop: whoever does not
// read on is not woken again.
#ifndef AG_PORT_SIM_SIM_LINK_H
#define AG_PORT_SIM_SIM_LINK_H

#include "platform/stream.h"
#include "port/sim/sim_world.h"

#define SIM_LINK_SEGMENTS 32

struct sim_link {
    struct ag_stream stream; // hand out &link.stream
    struct sim_world *world; // borrowed
    const char *who;         // for the trace
    // The server: called when the device has opened, written and closed. `from_device` holds what
    // it has not consumed.
    void (*on_open)(void *server);
    void (*on_bytes)(void *server);
    void (*on_close)(void *server);
    void *server;

    bool is_open;
    bool is_untrusted; // knob: TLS does not believe the server; of connections from then on
    char host[256];    // of the last open
    struct sim_bytes from_device;

    // Private.
    uint32_t delay_ms;     // of what the server sends, drawn at each open
    uint64_t connected_ms; // when the connection is there, or fails
    enum ag_status fails;  // how
    uint64_t broken_ms;    // from then on it is reset
    uint64_t stalled_ms;   // until then nothing moves
    uint64_t closed_ms;    // the server has closed it: from then on no more bytes
    bool is_half_open;     // nobody is there any more
    uint32_t chunk;        // most bytes a call moves; 0: all
    uint64_t cut_after;    // bytes to the device until it breaks; 0: never
    uint64_t delivered;    // bytes to the device
    struct sim_bytes to_device;
    size_t to_device_at;
    struct {
        uint64_t ready_ms;
        size_t end; // in to_device
    } segments[SIM_LINK_SEGMENTS];
    uint32_t segment_count;
};

void sim_link_init(struct sim_link *link, struct sim_world *world, const char *who);
void sim_link_clear(struct sim_link *link);

// The server's side.
void sim_link_send(struct sim_link *link, const void *bytes, size_t size);
void sim_link_end(struct sim_link *link); // behind what was sent

// Faults, while it is open.
void sim_link_reset(struct sim_link *link);
void sim_link_stall(struct sim_link *link, uint64_t ms);
void sim_link_half_open(struct sim_link *link);

// The device has lost its power: the connection is just gone.
void sim_link_vanish(struct sim_link *link);

// When the device is to be woken because of it: the first news after `since_ms`.
uint64_t sim_link_news(const struct sim_link *link, uint64_t since_ms);

#endif
