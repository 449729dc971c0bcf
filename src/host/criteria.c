// SPDX-License-Identifier: Apache-2.0
// What a new version must show before it is confirmed.
#include "host/criteria.h"

static struct ag_criteria_verdict decide(enum ag_criteria_action action)
{
    struct ag_criteria_verdict verdict = { action, AG_OK };
    return verdict;
}

static struct ag_criteria_verdict fail(enum ag_status why)
{
    struct ag_criteria_verdict verdict = { AG_CRITERIA_FAIL, why };
    return verdict;
}

void ag_criteria_apply(struct ag_criteria *criteria, const struct ag_criteria_terms *terms)
{
    if (terms->has_runs)
        criteria->runs = terms->runs ? terms->runs : 1;
    if (terms->has_time)
        criteria->time_ms = terms->time_ms;
    if (terms->has_hub)
        criteria->needs_hub = terms->needs_hub;
}

uint64_t ag_criteria_limit_ms(const struct ag_criteria *criteria, uint32_t period_ms)
{
    uint64_t runs_ms = (uint64_t)criteria->runs * period_ms; // at most 2^64 - 2^33 + 1
    uint64_t least_ms = runs_ms > criteria->time_ms ? runs_ms : criteria->time_ms;
    if (least_ms > AG_CRITERIA_LIMIT_MAX_MS / 2)
        return AG_CRITERIA_LIMIT_MAX_MS;
    uint64_t limit_ms = 2 * least_ms + (criteria->needs_hub ? AG_CRITERIA_HUB_MS : 0);
    if (limit_ms < AG_CRITERIA_LIMIT_MIN_MS)
        return AG_CRITERIA_LIMIT_MIN_MS;
    return limit_ms < AG_CRITERIA_LIMIT_MAX_MS ? limit_ms : AG_CRITERIA_LIMIT_MAX_MS;
}

// What is asked once the runs and the time are done.
static struct ag_criteria_verdict judge_health(const struct ag_criteria *criteria,
                                               const struct ag_criteria_facts *facts)
{
    switch (facts->health) {
    case AG_CRITERIA_HEALTH_UNKNOWN:
        return decide(AG_CRITERIA_ASK_HEALTH);
    case AG_CRITERIA_HEALTH_ASKED:
        return decide(AG_CRITERIA_GO_ON);
    case AG_CRITERIA_HEALTH_NONE:
    case AG_CRITERIA_HEALTH_WELL:
        break;
    }
    if (!criteria->needs_hub || (facts->hub_was_asked && facts->hub_answered))
        return decide(AG_CRITERIA_PASS);
    if (!facts->hub_was_asked)
        return decide(AG_CRITERIA_ASK_HUB);
    return facts->waiting_ms < AG_CRITERIA_HUB_MS ? decide(AG_CRITERIA_GO_ON)
                                                  : fail(AG_ERR_TRIAL_HUB);
}

struct ag_criteria_verdict ag_criteria_judge(const struct ag_criteria *criteria,
                                             const struct ag_criteria_facts *facts)
{
    if (facts->failure != AG_OK)
        return fail(facts->failure);
    struct ag_criteria_verdict verdict = decide(AG_CRITERIA_GO_ON);
    if (facts->runs >= criteria->runs && facts->ran_ms >= criteria->time_ms)
        verdict = judge_health(criteria, facts);
    bool is_open = verdict.action != AG_CRITERIA_PASS && verdict.action != AG_CRITERIA_FAIL;
    if (is_open && facts->ran_ms >= facts->limit_ms)
        return fail(AG_ERR_TRIAL_TIME);
    return verdict;
}

static uint64_t left(uint64_t end_ms, uint64_t now_ms)
{
    return end_ms > now_ms ? end_ms - now_ms : 0;
}

uint64_t ag_criteria_wait_ms(const struct ag_criteria *criteria,
                             const struct ag_criteria_facts *facts)
{
    uint64_t wait_ms = left(facts->limit_ms, facts->ran_ms);
    uint64_t other_ms = wait_ms;
    if (facts->hub_was_asked && !facts->hub_answered)
        other_ms = left(AG_CRITERIA_HUB_MS, facts->waiting_ms);
    else if (facts->runs >= criteria->runs && facts->ran_ms < criteria->time_ms)
        other_ms = left(criteria->time_ms, facts->ran_ms);
    return other_ms < wait_ms ? other_ms : wait_ms;
}
