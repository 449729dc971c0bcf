// SPDX-License-Identifier: Apache-2.0
// What everything in a simulated world shares: its time, its chance, and the counts of what
// happened. Nothing here or around it reads a clock or an address, so a seed gives the same world.
#ifndef AG_PORT_SIM_SIM_WORLD_H
#define AG_PORT_SIM_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NEVER UINT64_MAX

// Every kind of fault that a world can bring about; counted each time it takes effect.
enum sim_fault {
    SIM_FAULT_CONNECT,      // name resolution, connection or TLS fails
    SIM_FAULT_RESET,        // a connection breaks
    SIM_FAULT_CUT,          // a connection breaks after so many bytes
    SIM_FAULT_STALL,        // nothing moves for a while: lost packets
    SIM_FAULT_HALF_OPEN,    // the peer is gone and nobody says so
    SIM_FAULT_DELAY,        // one connection lags behind the other
    SIM_FAULT_CHOPPED,      // reads and writes of a few bytes
    SIM_FAULT_HUB_RESTART,  // all sessions are lost
    SIM_FAULT_LOGIN,        // the hub refuses a login
    SIM_FAULT_DPS,          // DPS asks to wait, or refuses
    SIM_FAULT_TWIN_STATUS,  // 429, 500 in answer to a request
    SIM_FAULT_TWIN_SILENCE, // a request is never answered
    SIM_FAULT_TWIN_LATE,    // a document is overtaken by the patches that are newer than it
    SIM_FAULT_PATCH_LOST,   // a patch never comes
    SIM_FAULT_PATCH_TWICE,  // a patch comes twice
    SIM_FAULT_ACK_TWICE,    // a message of QoS 1 is acknowledged twice
    SIM_FAULT_ENTRY,        // an entry that is malformed
    SIM_FAULT_HTTP_STATUS,  // 403, 404, 412, 416, 429, 5xx
    SIM_FAULT_HTTP_ETAG,    // the file counts as changed
    SIM_FAULT_HTTP_WHOLE,   // 200 in answer to a range
    SIM_FAULT_HTTP_SHORT,   // the body ends early
    SIM_FAULT_HTTP_CORRUPT, // the body is not the file
    SIM_FAULT_POWER,        // the power goes between two steps
    SIM_FAULT_POWER_FLASH,  // the power goes in a flash operation
    SIM_FAULT_CLOCK,        // the clock jumps, or is unknown and says 1970
    SIM_FAULT_FLASH_FAILS,  // one flash operation fails
    SIM_FAULT_BAD_BLOCK,    // a block can never be erased or programmed again
    SIM_FAULT_SLOW_FLASH,   // flash operations take long
    SIM_FAULT_FILE,         // the desired file is malicious or broken
    SIM_FAULTS,
};

struct sim_world {
    uint64_t now_ms; // virtual time since the world began
    uint64_t random; // state of its chance
    uint64_t steps;  // host steps so far
    bool is_calm;    // no new faults
    bool traces;     // tell everything on standard output
    uint64_t faults[SIM_FAULTS];
    int64_t epoch_s; // the right time of day when the world began, seconds since 1970
};

// splitmix64.
static inline uint64_t sim_random(struct sim_world *world)
{
    uint64_t z = world->random += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

// From `low` to `high`, both included.
static inline uint64_t sim_between(struct sim_world *world, uint64_t low, uint64_t high)
{
    return low + sim_random(world) % (high - low + 1);
}

// From `low` to `high` so that each order of magnitude is as likely as the next.
uint64_t sim_scale(struct sim_world *world, uint64_t low, uint64_t high);

// True in so many of a thousand cases; never in a calm world, and counted.
bool sim_strikes(struct sim_world *world, uint32_t per_mille, enum sim_fault fault);

void sim_count(struct sim_world *world, enum sim_fault fault);
const char *sim_fault_name(enum sim_fault fault);
uint64_t sim_fault_total(const struct sim_world *world);

// A line of the trace, with the time, if there is one.
void sim_trace(const struct sim_world *world, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Bytes that grow and are kept for the next use.
struct sim_bytes {
    uint8_t *at;
    size_t size;
    size_t capacity;
};
void sim_bytes_add(struct sim_bytes *bytes, const void *more, size_t size);
// Drops the first `size` bytes.
void sim_bytes_drop(struct sim_bytes *bytes, size_t size);
void sim_bytes_free(struct sim_bytes *bytes);

#endif
