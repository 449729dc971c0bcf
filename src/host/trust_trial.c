// SPDX-License-Identifier: Apache-2.0
// The trial of a trust store object, as a pure function.
#include "host/trust_trial.h"

static void turn(struct ag_trust_trial *trial)
{
    trial->uses_old = !trial->uses_old;
    trial->attempts = 0;
    if (!trial->uses_old)
        trial->was_refused = false;
}

enum ag_trust_trial_verdict ag_trust_trial_reached(struct ag_trust_trial *trial)
{
    if (!trial->uses_old)
        return AG_TRUST_TRIAL_CONFIRM;
    if (trial->new_has_failed) {
        trial->failed++;
        trial->refused = (uint8_t)(trial->refused + trial->was_refused);
        trial->new_has_failed = false;
    }
    if (trial->refused >= AG_TRUST_TRIAL_REFUSED_MAX || trial->failed >= AG_TRUST_TRIAL_FAILED_MAX)
        return AG_TRUST_TRIAL_CONDEMN;
    turn(trial);
    return AG_TRUST_TRIAL_TURN;
}

enum ag_trust_trial_verdict ag_trust_trial_failed(struct ag_trust_trial *trial, enum ag_status why)
{
    if (!trial->uses_old && (why == AG_ERR_TLS || why == AG_ERR_TLS_UNTRUSTED))
        trial->was_refused = true;
    if (++trial->attempts < AG_TRUST_TRIAL_ATTEMPTS)
        return AG_TRUST_TRIAL_GO_ON;
    if (!trial->uses_old)
        trial->new_has_failed = true;
    turn(trial);
    return AG_TRUST_TRIAL_TURN;
}
