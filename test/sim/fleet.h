// SPDX-License-Identifier: Apache-2.0
// A fleet in its world: devices, what their operator wants of them, what befalls them, and the
// rules that must hold all the time.
#ifndef AG_TEST_SIM_FLEET_H
#define AG_TEST_SIM_FLEET_H

#include "port/sim/sim_blob.h"
#include "port/sim/sim_device.h"
#include "port/sim/sim_hub.h"
#include "test/sim/catalogue.h"
#include "test/sim/trusts.h"

#define FLEET_DEVICES 8
#define FLEET_FAILED  12 // the last ones, far fewer than a device keeps in quarantine

// When a new version may be activated.
struct fleet_window {
    bool is_set;
    bool waits_unknown; // while the clock is not known
    uint16_t from_min;
    uint16_t to_min;
    int16_t offset_min;
    uint8_t days; // bit 0: Mondays; 0: each
};

// What the operator wants of one plug-in on one device.
struct fleet_entry {
    bool is_present;
    bool is_enabled;
    bool allows_downgrade;
    bool keeps;        // empty Url
    bool is_malformed; // by its Url
    uint8_t sha;       // 0: not stated, 1: right, 2: of another file
    uint8_t version;
    uint8_t variant;
    uint32_t period_ms;
    uint32_t revision; // in the query of the Url
    uint32_t setting;
    struct fleet_window window;
};

// What the operator wants of the trust store of one device.
struct fleet_trust {
    bool is_present;
    bool has_sha;
    uint8_t epoch;
    uint8_t kind;
    uint32_t revision; // in the query of the Url
};

// What is known of one plug-in on one device by looking at it from outside.
struct fleet_track {
    const struct catalogue_file *running;   // NULL: nothing
    const struct catalogue_file *confirmed; // NULL: nothing
    const void *module;                     // of the instance, in flash
    uint64_t made_ms;
    bool is_trial;
    uint64_t trial_writes; // writes to its pin before the trial
    uint32_t trial_id;     // of the slot that was last tried
    uint32_t trials;       // of it, that were really begun
    uint32_t current_id;   // of the confirmed slot
    uint32_t newest_id;    // ever confirmed
    uint32_t epoch;        // highest that was confirmed
    uint64_t corruptions;  // of files, when its entry was last changed
    bool is_wanted;        // ever since it was seen confirmed
    uint32_t kept_id;      // of the slot whose data was last seen kept
    uint32_t kept;         // its counter
    uint64_t down_ms;      // uptime since which it has no instance; SIM_NEVER: it has
};

struct fleet_device {
    struct sim_device device;
    struct sim_hub hub;
    struct sim_blob blob;
    struct fleet_entry entries[CATALOGUE_NAMES];
    struct fleet_track tracks[CATALOGUE_NAMES];
    const struct catalogue_file *failed[FLEET_FAILED]; // files that were marked failed here
    uint32_t failed_count;
    struct fleet_trust trust;
    const void *trust_bytes;    // in use, as last seen
    uint32_t trust_seen;        // epoch that the host called confirmed
    uint32_t trust_epoch;       // that was confirmed
    uint64_t trust_corruptions; // of files, when its trust was last changed
    uint32_t signature;         // of its plug-ins' states, to see changes
    uint64_t checked_reports;   // reports when the last one was compared
    uint64_t operations;        // of its flash, before the step
    uint32_t failures;          // of its flash, that were counted
    uint32_t bad_blocks;
    bool is_dead; // its flash is worn out: nothing more is expected of it
};

struct fleet_profile {
    bool is_sparse; // few faults in years, else many in days
    uint32_t devices;
    uint32_t flash_size;
    uint32_t period_ms;
    uint64_t gap_ms;     // mean time between two faults of the whole fleet
    uint64_t rollout_ms; // mean time between two roll-outs
    uint64_t chaos_ms;   // length of each time of faults
    uint32_t rounds;     // of faults and calm
    uint32_t network;    // of a thousand: scale of the network's fault rates
    bool lists;          // the list form of firmware_modules
    bool wears_out;      // blocks go bad
};

struct fleet {
    struct sim_world world;
    struct fleet_profile profile;
    struct sim_hub_rates hub_rates;
    struct sim_blob_rates blob_rates;
    struct fleet_device devices[FLEET_DEVICES];
    uint64_t fault_ms;   // the next one
    uint64_t rollout_ms; // the next one
    uint32_t revision;
    char violation[400]; // empty: none
    uint64_t violation_step;
};

// Lives through the world of this seed until its end or the first violation.
// `is_dense`: one of many faults in days, whatever the seed says.
void fleet_run(struct fleet *fleet, uint64_t seed, bool is_dense, bool traces);
void fleet_clear(struct fleet *fleet);

// Notes the first violation of a rule.
void fleet_violate(struct fleet *fleet, const struct fleet_device *device, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// ---- rules.c -----------------------------------------------------------------------------------

// A device has made a step, or was started.
void rules_after_step(struct fleet *fleet, struct fleet_device *device);
// Whether it has come to rest, as far as it says itself.
bool rules_at_rest(const struct fleet_device *device);
// It has come to rest or should have: is it where it must be?
void rules_at_end(struct fleet *fleet, struct fleet_device *device);

// ---- rules_trust.c -----------------------------------------------------------------------------

void rules_trust_after_step(struct fleet *fleet, struct fleet_device *device);
// What it says of its trust store has reached the hub: is it true?
void rules_trust_report(struct fleet *fleet, const struct fleet_device *device);
void rules_trust_at_end(struct fleet *fleet, struct fleet_device *device);

// ---- operator.c --------------------------------------------------------------------------------

// Wants something else of one device or of all.
void operator_rolls_out(struct fleet *fleet);
// The same once more, as another entry.
void operator_renews(struct fleet *fleet, struct fleet_device *device);
// Windows are opened that would take a busy world long to wait for.
void operator_opens_windows(struct fleet *fleet, struct fleet_device *device);
// Something that a device can bring about.
void operator_wants_good(struct fleet *fleet, struct fleet_device *device);

#endif
