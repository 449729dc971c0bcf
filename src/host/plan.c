// SPDX-License-Identifier: Apache-2.0
// The plan: desired × installed → what to do next about one plug-in.
#include "host/plan.h"

#include <string.h>

#include "platform/crypto.h"

static struct ag_plan_step act(enum ag_plan_action action)
{
    struct ag_plan_step step = { action, AG_OK };
    return step;
}

static struct ag_plan_step refuse(enum ag_status status)
{
    struct ag_plan_step step = { AG_PLAN_REFUSE, status };
    return step;
}

static bool hash_agrees(const uint8_t *wanted, const uint8_t *held)
{
    return !wanted || memcmp(wanted, held, AG_SHA256_SIZE) == 0;
}

static bool staged_is_desired(const struct ag_plan_desired *desired,
                              const struct ag_plan_installed *installed)
{
    return installed->staged.version == desired->version &&
           hash_agrees(desired->sha256, installed->staged.sha256);
}

// Not desired, or not enabled: what is staged goes first, without a verdict.
static struct ag_plan_step plan_unwanted(const struct ag_plan_installed *installed)
{
    if (installed->staged_state != AG_PLAN_STAGED_NONE)
        return act(AG_PLAN_DISCARD);
    return act(installed->confirmed.version != 0 ? AG_PLAN_REMOVE : AG_PLAN_NOTHING);
}

static struct ag_plan_step plan_disabled(const struct ag_plan_installed *installed)
{
    if (installed->staged_state != AG_PLAN_STAGED_NONE)
        return act(AG_PLAN_DISCARD);
    return act(installed->stopped && installed->is_told_stopped ? AG_PLAN_NOTHING : AG_PLAN_STOP);
}

// Nothing new comes in, but a trial in progress may end.
static struct ag_plan_step plan_kept(enum ag_status reason,
                                     const struct ag_plan_installed *installed)
{
    if (installed->staged_state == AG_PLAN_STAGED_SEALED)
        return act(AG_PLAN_DISCARD);
    if (installed->staged_state == AG_PLAN_STAGED_TRIAL || reason == AG_OK)
        return act(AG_PLAN_NOTHING);
    return refuse(reason);
}

// The desired version is not newer than the confirmed one, and no downgrade is allowed.
static struct ag_plan_step plan_settled(const struct ag_plan_desired *desired,
                                        const struct ag_plan_installed *installed)
{
    if (installed->staged_state != AG_PLAN_STAGED_NONE)
        return act(AG_PLAN_DISCARD);
    if (desired->version < installed->confirmed.version)
        return refuse(AG_ERR_TWIN_DOWNGRADE);
    if (!hash_agrees(desired->sha256, installed->confirmed.sha256))
        return refuse(AG_ERR_FILE_SHA256);
    return act(AG_PLAN_NOTHING);
}

// The desired version is to be installed.
static struct ag_plan_step plan_install(const struct ag_plan_desired *desired,
                                        const struct ag_plan_installed *installed)
{
    if (installed->staged_state != AG_PLAN_STAGED_NONE) {
        if (!staged_is_desired(desired, installed))
            return act(AG_PLAN_DISCARD);
        if (installed->staged_state == AG_PLAN_STAGED_TRIAL)
            return act(AG_PLAN_NOTHING); // also when its window closes meanwhile
        if (desired->window_is_closed)
            return act(AG_PLAN_HOLD);
        return act(installed->waits ? AG_PLAN_NOTHING : AG_PLAN_ACTIVATE);
    }
    if (installed->outcome != AG_OK)
        return installed->is_told_outcome ? act(AG_PLAN_NOTHING) : refuse(installed->outcome);
    if (desired->sha256 && installed->quarantined)
        return refuse(AG_ERR_QUARANTINED);
    return act(AG_PLAN_FETCH);
}

static bool is_settled(const struct ag_plan_desired *desired,
                       const struct ag_plan_version *confirmed)
{
    if (confirmed->version == 0 || desired->version > confirmed->version)
        return false;
    bool is_same =
        desired->version == confirmed->version && hash_agrees(desired->sha256, confirmed->sha256);
    return is_same || !desired->allow_downgrade;
}

struct ag_plan_step ag_plan_next(const struct ag_plan_desired *desired,
                                 const struct ag_plan_installed *installed)
{
    if (!desired->known)
        return act(AG_PLAN_NOTHING);
    if (!desired->present)
        return plan_unwanted(installed);
    if (desired->status != AG_OK)
        return plan_kept(desired->status, installed);
    if (!desired->enabled)
        return plan_disabled(installed);
    if (installed->stopped)
        return act(AG_PLAN_START);
    if (desired->keep)
        return plan_kept(installed->confirmed.version ? AG_OK : AG_ERR_TWIN_URL, installed);
    if (is_settled(desired, &installed->confirmed))
        return plan_settled(desired, installed);
    return plan_install(desired, installed);
}

bool ag_plan_is_settled(const struct ag_plan_desired *desired,
                        const struct ag_plan_installed *installed, enum ag_transition_state state,
                        bool is_left)
{
    if (desired->known && !desired->present && installed->confirmed.version == 0)
        return state != AG_STATE_ABSENT; // stopped before it was ever installed, for one
    // What was found out about the desired file before does not count once it is what there is.
    bool is_there = desired->present && !desired->keep &&
                    desired->version == installed->confirmed.version &&
                    hash_agrees(desired->sha256, installed->confirmed.sha256);
    bool is_given_up = installed->outcome != AG_OK && !is_there;
    if (!desired->known || is_given_up || installed->stopped || is_left)
        return false;
    switch (state) {
    case AG_STATE_REFUSED:
    case AG_STATE_ROLLED_BACK:
    case AG_STATE_FAILED:
    case AG_STATE_PAUSED:
        return true;
    case AG_STATE_ABSENT:
    case AG_STATE_DOWNLOADING:
    case AG_STATE_VERIFYING:
    case AG_STATE_STAGED:
    case AG_STATE_TRIAL:
    case AG_STATE_RUNNING:
    case AG_STATE_STOPPED:
    case AG_STATE_REMOVING:
        return false;
    }
    return false;
}
