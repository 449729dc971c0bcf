// SPDX-License-Identifier: Apache-2.0
// The trial of a trust store object, as a pure function: which object to connect with next, and
// what to make of it.
//
// The new object proves itself by reaching the hub. Where it does not, nobody knows whose fault
// that is until the old one has been tried: an outage fails both. So they take turns, a few
// attempts each. The new one is condemned only when the old one reached the hub right after the new
// one had not, twice with TLS refusing the new one, or five times whatever the reason; and each
// time the hub was reached, the new one had another go. It never ends in nothing: the old one has
// its turns as long as the new one has not proven itself.
#ifndef AG_HOST_TRUST_TRIAL_H
#define AG_HOST_TRUST_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

// Attempts in a row that make a turn.
#define AG_TRUST_TRIAL_ATTEMPTS 3u

// Failed turns of the new object, each followed by the old one's success, that condemn it.
#define AG_TRUST_TRIAL_REFUSED_MAX 2u // when TLS refused
#define AG_TRUST_TRIAL_FAILED_MAX  5u // all

struct ag_trust_trial {
    bool uses_old;       // whose turn it is
    bool new_has_failed; // its last turn was used up and the hub has not been reached since
    bool was_refused;    // TLS refused in that turn
    uint8_t attempts;    // failed in this turn
    uint8_t failed;      // turns of the new one after which the old one reached the hub
    uint8_t refused;     // of these, those in which TLS refused
};

enum ag_trust_trial_verdict {
    AG_TRUST_TRIAL_GO_ON,   // nothing changes
    AG_TRUST_TRIAL_TURN,    // the other object's turn: use it, and connect afresh
    AG_TRUST_TRIAL_CONFIRM, // the new object is good
    AG_TRUST_TRIAL_CONDEMN, // it is not; the old one, in use now, stays
};

// The hub was reached and has answered, over a connection made with the object whose turn it is.
enum ag_trust_trial_verdict ag_trust_trial_reached(struct ag_trust_trial *trial);

// An attempt or a connection made with it failed.
enum ag_trust_trial_verdict ag_trust_trial_failed(struct ag_trust_trial *trial, enum ag_status why);

#endif
