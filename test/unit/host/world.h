// SPDX-License-Identifier: Apache-2.0
// A host in a world that fits into one process: flash in memory, and in place of the network a hub
// with DPS and a server for files, each a struct ag_stream that answers byte for byte.
//
// The faults are knobs that a test turns; all else is deterministic.
#ifndef AG_TEST_HOST_WORLD_H
#define AG_TEST_HOST_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/buffer.h"
#include "host/host.h"
#include "platform/stream.h"
#include "port/sim/sim_flash.h"
#include "test/unit/host/board.h"
#include "test/unit/host/modules.h"

#define WORLD_FILES 40

// One end of a stream as the server sees it.
struct world_pipe {
    struct ag_stream stream;
    bool is_open;
    bool is_closed_by_peer;
    uint32_t opens;            // how often it was opened
    enum ag_status open_fails; // knob: what read and write say instead of connecting
    uint32_t chunk;            // knob: most bytes a call moves; 0: all
    uint32_t drip_ms;          // knob: a byte to the device, and the next so much later; 0: all
    uint32_t bytes_per_ms;     // knob: most bytes a millisecond brings to the device; 0: all
    uint64_t rate_ms;          // the millisecond that
    uint32_t rate_bytes;       // came in
    uint32_t cut_after;        // knob: bytes to the device until the connection breaks; 0: never
    uint32_t stall_after;      // knob: bytes to the device until nothing goes on; 0: never
    uint32_t delivered;        // bytes to the device since it was opened
    bool is_stalled;           // knob: neither reads nor writes go on
    bool takes_nothing;        // knob: writes do not go on
    uint8_t root;              // knob: seed of the root that signed the server; 0: any will do
    bool is_untrusted;         // it was not among the device's roots when this was opened
    char host[256];            // of the last open
    uint16_t port;
    struct ag_buffer to_device;
    size_t to_device_at;
    struct ag_buffer from_device;
};

struct world_file {
    char path[64];
    struct ag_buffer bytes;
    uint32_t generation; // in its ETag
    uint8_t sha256[AG_SHA256_SIZE];
    uint16_t code; // knob: answers requests for it with this; 0: properly
};

struct world_hub {
    uint8_t connack;        // knob
    uint8_t dps_connack;    // knob
    bool dps_waits_once;    // knob: 202 first
    uint16_t dps_status;    // knob: 0: assigned
    bool dps_is_disabled;   // knob
    bool ignores_reports;   // knob: no answer to a reported patch
    bool loses_answers;     // knob: nor to one that was taken
    uint16_t report_status; // knob: 0: 204
    bool ignores_gets;      // knob
    bool is_dps;            // this connection is to DPS
    bool is_subscribed;
    uint32_t connects;      // logins accepted at the hub
    uint32_t registrations; // at DPS
    uint32_t gets;
    uint32_t last_get; // its request id
    uint32_t reports;
    uint32_t telemetry_count;
    char telemetry[256]; // the last one
    char telemetry_topic[512];
    uint32_t answers;     // to direct methods
    uint32_t answer_code; // of the last one
    char answer_rid[160]; //
    char answer[4096];    //
    char *desired_text;   // knob: sent instead of what `desired` says; owned
    json_t *desired;      // with $version
    json_t *reported;
    uint64_t version;
    uint64_t reported_version;
};

struct world {
    struct sim_flash flash;
    struct ag_flash wire; // to the flash; where the power goes
    jmp_buf power;        // where it goes: set by the test together with
    bool stops_at_cut;    // this; otherwise the host goes on with a flash that is dead
    void (*at_program)(uint32_t offset); // knob: called before each program of the flash
    bool flash_fails;                    // knob: every operation of the flash fails
    uint32_t fails_from; // knob: from this operation on, as counted from now, every one; 0: none
    struct world_pipe hub_pipe;
    struct world_pipe file_pipe;
    struct world_hub hub;
    struct world_file files[WORLD_FILES];
    uint32_t file_count;
    uint16_t http_code;       // knob: answers every request with it; 0: properly
    uint32_t retry_after_s;   // knob: said together with http_code; 0: not said
    const char *date;         // knob: said in each answer; NULL: none is
    bool ignores_ranges;      // knob: 200 in answer to a range
    bool chunks;              // knob: bodies in two chunks, without Content-Length
    bool changes_etag;        // knob: another ETag with each request
    bool has_no_etag;         // knob: no ETag
    bool has_weak_etag;       // knob: one that names no bytes
    uint32_t clips;           // knob: at most so many bytes in answer to a range; 0: all
    uint32_t damages;         // knob: one bit of so many answers to come, in their last byte
    bool says_md5;            // knob: x-ms-blob-content-md5, or Content-MD5 of the whole
    bool says_wrong_md5;      // knob: of something else
    bool says_range_md5;      // knob: Content-MD5 of what an answer holds, not of the whole
    bool ignores_match;       // knob: If-Match is not looked at
    const char *secret;       // knob: 403 for a URL without this text; NULL: none is needed
    const char *redirects_to; // knob: 302 for paths beginning with "old/"
    bool has_one_stream;      // knob: a second open stream is an error
    bool gives_up_after_each; // knob: the connection ends unannounced behind each answer
    uint32_t requests;        // HTTP requests
    uint32_t file_bytes_sent; // of bodies
    uint64_t range_first;     // of the last request
    bool range_is_guarded;    // it had If-Match
    struct ag_buffer trust;
    uint8_t roots[5]; // seeds of the roots that the device believes, ended by 0
    struct ag_host_config config;
    void *memory;
    size_t memory_size;
    struct ag_host *host;
    uint64_t steps; // of the host
};

extern struct world world;

// A world with blank flash and a hub that knows the device; nothing is booted.
void world_open(void);
void world_close(void);

// Powers the device up with what its flash holds; CHECKs that it starts.
void world_boot(void);
// Takes the power away; the flash stays.
void world_power_off(void);
// As boot after power_off.
void world_reset(void);
// The same, by a reset of the processor: what it keeps is kept, the word of what runs included.
void world_bite(void);

// Lets `ms` of virtual time pass.
void world_run(uint32_t ms);
// Until the host is idle and has reported, at most `ms`. False: it did not come to that.
bool world_settle(uint32_t ms);

// Publishes a file at https://files.example/NAME.
struct world_file *world_publish(const char *path, const struct module *module);
struct world_file *world_publish_bytes(const char *path, const void *bytes, size_t size);

// Makes firmware_modules this JSON (single quotes for double ones) and tells the device.
void world_desire(const char *modules);
// Sends the whole desired section as this text, whatever it is, in answer to reads and as a patch.
void world_desire_raw(const char *text);
// Makes desired.airgraft this JSON (single quotes for double ones) and tells the device.
void world_desire_host(const char *airgraft);
// One entry for a module published at NAME-VERSION.wasm.
void world_desire_one(const char *name, uint32_t version);

// Of the reported properties: a text or number under firmware_modules.NAME, "" or 0 when absent.
const char *world_state(const char *name);
uint32_t world_version(const char *name);
uint32_t world_error(const char *name);
bool world_is_reported(const char *name);
json_t *world_reported(const char *name);

// Of airgraft.trust.
const char *world_trust_state(void);
uint32_t world_trust_epoch(void);
uint32_t world_trust_error(void);
// Calls a direct method and waits at most 10 s for its answer, which is then in world.hub. Single
// quotes of the payload for double ones. The code of the answer; 0: there was none.
uint32_t world_call(const char *name, const char *payload);
// The same without waiting.
void world_call_only(const char *name, const char *rid, const char *payload);

// The hub's side.
void world_kick(void); // closes the device's connection

#endif
