// SPDX-License-Identifier: Apache-2.0
// The update of the trust store object: fetch, proof, trial. What it holds; core.h says what it
// does.
#ifndef AG_HOST_TRUST_UPDATE_H
#define AG_HOST_TRUST_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/status.h"
#include "host/trust_trial.h"
#include "store/store.h"

enum ag_trust_update_state {
    AG_TRUST_NONE,        // no object at all: nobody is believed
    AG_TRUST_IN_USE,      // the confirmed object is in use, and nothing else is desired
    AG_TRUST_WANTED,      // another one is to be fetched as soon as nothing else is
    AG_TRUST_PAUSED,      // fetching it failed in a way that may pass: tried again later
    AG_TRUST_DOWNLOADING, // it is being fetched
    AG_TRUST_ON_TRIAL,    // it is sealed, and must prove itself
    AG_TRUST_ROLLED_BACK, // it did not; the one before is in use
    AG_TRUST_REFUSED,     // what is desired cannot be accepted
};

struct ag_trust_update {
    enum ag_trust_update_state state;
    enum ag_status error;  // that still stands, about the object of error_epoch
    uint32_t error_epoch;  //
    uint32_t epoch;        // of the confirmed object; 0: none
    uint32_t in_use_epoch; // of the one in use; 0: none
    bool has_desired;      // what is desired of the host was told before
    uint32_t slot;         // of the object on trial
    uint32_t slot_epoch;   // its epoch
    uint32_t condemned;    // an object that could not be given up as yet; 0: none
    enum ag_status why;    // it failed; AG_OK: it is not wanted
    struct ag_trust_trial trial;
    bool is_probing;               // the hub was reached; now the server that the object came from
    bool must_probe;               // once more, at until_ms: that server was not there
    struct ag_backoff backoff;     // of fetching
    uint64_t until_ms;             // end of the pause, of fetching or before the next probe
    bool has_slot;                 // the writer is open
    uint32_t total;                // size of the object being fetched
    struct ag_store_writer writer; // while it is being fetched
};

// The word of the twin's report: "running", "waiting", "downloading", … Static.
const char *ag_trust_update_state_name(enum ag_trust_update_state state);

#endif
