// SPDX-License-Identifier: Apache-2.0
// The host: connects to the hub, brings the plug-ins to the desired state, runs and reports them.
//
// One thread, no allocation, nothing blocks except programming flash. A port gives flash, two
// streams and one block of RAM, and then calls ag_host_step whenever the time that it returned has
// passed, a stream has become ready, or a wish of its own makes it want to.
#ifndef AG_HOST_HOST_H
#define AG_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "host/transitions.h"
#include "platform/crypto.h"
#include "platform/flash.h"
#include "platform/stream.h"

// The version of the host itself, as reported to the twin.
#define AG_HOST_VERSION "1.0.0"

// Never step again before something else happens.
#define AG_HOST_NEVER UINT32_MAX

// All texts and bytes are borrowed until ag_host_close. Texts are NUL-terminated UTF-8.
struct ag_host_config {
    // Identity. Either a device's connection string of IoT Hub
    // (HostName=…;DeviceId=…;SharedAccessKey=…[;GatewayHostName=HOST]), or provisioning by DPS
    // with the three texts below it. `connection_string` wins where both are given.
    const char *connection_string; // NULL: provision by DPS
    const char *id_scope;          // e.g. "0ne000A1B2C"
    const char *registration_id;   // at most 128 bytes
    const char *key;               // base64: the device's symmetric key, or its group's
    bool key_is_group;             // the device's key is derived from `key` and registration_id

    const char *dps_host; // default "global.azure-devices-provisioning.net"
    uint16_t dps_port;    // default 8883
    uint16_t hub_port;    // default 8883

    // A trust store object (the whole file), taken into the store when that holds none, or on
    // trial when it may replace the one there. NULL: rely on the one in the store.
    const uint8_t *trust;
    size_t trust_size;

    uint32_t twin_interval_ms; // a full twin read at least this often; default 6 h; 0: never
    uint32_t keep_alive_s;     // MQTT keep-alive; 10 to 1177; default 240
    uint32_t token_lifetime_s; // SAS token; 300 to 86400; default 3600, renewed after 3/4 of it
    uint32_t backoff_base_ms;  // first pause after a failure (full jitter); default 1000
    uint32_t backoff_cap_ms;   // longest pause; default 120000
    uint32_t
        download_spread_ms; // a new download begins up to this much later, at random; default 0
    bool one_connection;    // MQTT is closed while a file is fetched; default false
    uint32_t network_timeout_ms; // no progress on a connection for this long; default 30000
    uint32_t trial_runs;         // successful runs that confirm a new version; >= 1; default 5
    uint32_t trial_time_ms;      // and the least time it must have run; default 2000
    uint32_t slice_fuel;         // instructions before the next plug-in's turn; default 200000
    uint32_t desired_size; // RAM for URLs and settings of all entries, taken twice; default 8192
    uint32_t default_period_ms;    // for files that state no period; >= 1; default 1000
    uint64_t default_fuel_per_run; // for files that state no budget; default 50000000
};

// Fills in the defaults above; texts and trust become NULL.
void ag_host_config_init(struct ag_host_config *config);

// What the port is made of; all borrowed until ag_host_close.
struct ag_host_board {
    struct ag_flash *flash;
    struct ag_stream *hub;      // for DPS and the hub
    struct ag_stream *download; // for files
    // Called whenever another trust store object comes into use, also from ag_host_init: each
    // stream opened from then on believes the TLS roots in it and no others. The object is proven
    // (ag_trust_read_proven), and its bytes stay valid until the next call. When it fails, the
    // roots before stay in force, and the object is given up. NULL: nobody needs to know.
    enum ag_status (*use_trust)(void *context, const uint8_t *bytes, size_t size);
    void *context;
};

// The host itself; lives at the start of the caller's block of RAM.
struct ag_host;

// The least RAM with which ag_host_init can work with this configuration: the host itself and the
// desired state, with no plug-in. What the block has beyond that is for plug-ins.
size_t ag_host_size(const struct ag_host_config *config);

// Makes a host in `memory` (aligned as uint64_t), mounts the store (formatting blank flash), takes
// in the trust store object, and loads the confirmed plug-ins, so that they run from the first step
// on, before there is any network. *host points into `memory`.
// Takes as long as checking the store takes; translates stale code again.
// AG_ERR_CONFIG: identity missing or malformed. AG_ERR_NO_SPACE: memory too small.
// AG_ERR_STORE_*, AG_ERR_FLASH: no store; nothing was changed. *host is then untouched.
AG_MUST_CHECK enum ag_status ag_host_init(void *memory, size_t size,
                                          const struct ag_host_config *config,
                                          const struct ag_host_board *board, struct ag_host **host);

// Does what can be done at `now_ms` (ag_board_uptime_ms, never going back) and returns the
// milliseconds until it wants to be called again, 0 when there is more to do at once. Call it
// earlier when a stream can be read, or can be written after it could not.
uint32_t ag_host_step(struct ag_host *host, uint64_t now_ms);

// Ends connections in order where possible, shuts plug-ins down, and leaves the store mounted by
// nobody. The memory is the caller's again.
void ag_host_close(struct ag_host *host);

// The trust store object in use, in place on flash, borrowed until another one comes into use.
// AG_ERR_NOT_FOUND: there is none.
AG_MUST_CHECK enum ag_status ag_host_trust(const struct ag_host *host, const uint8_t **bytes,
                                           size_t *size);

// For tests, consoles and the simulator; the twin gets the same facts (DESIGN 4.2).

enum ag_host_link_state {
    AG_HOST_LINK_WAITING,      // for the end of a pause before the next attempt
    AG_HOST_LINK_PROVISIONING, // talking to DPS
    AG_HOST_LINK_CONNECTING,   // talking to the hub: connecting, subscribing, reading the twin
    AG_HOST_LINK_ONLINE,       // the twin is known and its patches are followed
};

struct ag_host_plugin_status {
    char name[AG_CFG_NAME_MAX + 1];
    enum ag_transition_state state; // ag_transition_state_name says it in the words of the twin
    uint32_t version;               // that runs, or is stopped; 0: none
    uint32_t previous;              // the version that a rollback returns to; 0: none
    uint8_t sha256[AG_SHA256_SIZE]; // of `version`
    enum ag_status error;           // AG_OK, or the last failure that still stands
    uint32_t error_version;         // the version that it is about; 0: none
    uint32_t runs;                  // of execute, done since `version` was started
};

struct ag_host_status {
    enum ag_host_link_state link;
    enum ag_status link_error; // why the last attempt or connection ended; AG_OK: it did not
    uint64_t desired_version;  // of the twin that is being followed; 0: none yet
    bool is_idle;              // nothing is left to be done for the desired state
    bool is_reported;          // the hub has acknowledged everything there is to report
    uint32_t plugin_count;     // entries for ag_host_plugin_at
    uint32_t memory_free;      // RAM left for plug-ins, bytes
    uint32_t store_free;       // bytes
};

void ag_host_status(const struct ag_host *host, struct ag_host_status *status);

// The `index`th plug-in that is installed or desired. AG_ERR_NOT_FOUND beyond the last.
AG_MUST_CHECK enum ag_status ag_host_plugin_at(const struct ag_host *host, uint32_t index,
                                               struct ag_host_plugin_status *status);

// Shows log lines, oldest first: all that are in RAM (`source` NULL), or what is kept of one source
// ("host", or a plug-in's name) on flash and in RAM. Each is borrowed for the call (log_ring.h).
struct ag_log_ring_line;
void ag_host_log(const struct ag_host *host, const char *source,
                 void (*visit)(void *context, const struct ag_log_ring_line *line), void *context);

#endif
