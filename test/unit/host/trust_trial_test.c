// SPDX-License-Identifier: Apache-2.0
// The trial of a trust store object: every state that can be reached, with every event.
#include "host/trust_trial.h"

#include <string.h>

#include "test/harness.h"

enum event {
    REACHED,
    REFUSED_BY_TLS,
    NOT_REACHED,
    EVENTS,
};

static enum ag_trust_trial_verdict apply(struct ag_trust_trial *trial, enum event event)
{
    switch (event) {
    case REACHED:
        return ag_trust_trial_reached(trial);
    case REFUSED_BY_TLS:
        return ag_trust_trial_failed(trial, AG_ERR_TLS_UNTRUSTED);
    case NOT_REACHED:
    case EVENTS:
        break;
    }
    return ag_trust_trial_failed(trial, AG_ERR_CONNECT);
}

#define STATES_MAX 4096

struct states {
    struct ag_trust_trial all[STATES_MAX];
    uint32_t count;
};

static void add(struct states *states, const struct ag_trust_trial *trial)
{
    for (uint32_t i = 0; i < states->count; i++)
        if (memcmp(&states->all[i], trial, sizeof *trial) == 0)
            return;
    CHECK(states->count < STATES_MAX);
    states->all[states->count++] = *trial;
}

// What must hold of one step.
static void check_step(const struct ag_trust_trial *before, enum event event,
                       enum ag_trust_trial_verdict verdict, const struct ag_trust_trial *after)
{
    // Only the new object is confirmed, only by reaching the hub, and always then.
    CHECK_EQUAL(verdict == AG_TRUST_TRIAL_CONFIRM, event == REACHED && !before->uses_old);
    // It is condemned only while the old one reaches the hub, after turns that it failed.
    if (verdict == AG_TRUST_TRIAL_CONDEMN) {
        CHECK(event == REACHED && before->uses_old && before->new_has_failed);
        CHECK(after->refused >= 2 || after->failed >= 5);
    }
    CHECK_EQUAL(verdict == AG_TRUST_TRIAL_TURN, before->uses_old != after->uses_old);
    CHECK(after->attempts < AG_TRUST_TRIAL_ATTEMPTS);
    CHECK(after->failed >= before->failed && after->refused >= before->refused);
    if (event != REACHED)
        CHECK(after->failed == before->failed && after->refused == before->refused);
}

// Also as it is loaded after a reset, and with the old one's turn first.
static void add_starts(struct states *states)
{
    for (uint8_t failed = 0; failed < AG_TRUST_TRIAL_FAILED_MAX; failed++) {
        for (uint8_t refused = 0; refused <= failed && refused < 2; refused++) {
            struct ag_trust_trial trial;
            memset(&trial, 0, sizeof trial);
            trial.failed = failed;
            trial.refused = refused;
            add(states, &trial);
            trial.uses_old = true;
            add(states, &trial);
        }
    }
}

static void every_state_has_its_way_and_both_objects_have_their_turns(void)
{
    static struct states states;
    states.count = 0;
    add_starts(&states);
    for (uint32_t at = 0; at < states.count; at++) {
        for (int event = 0; event < EVENTS; event++) {
            struct ag_trust_trial trial = states.all[at];
            const enum ag_trust_trial_verdict verdict = apply(&trial, (enum event)event);
            test_note("state %u, event %d", (unsigned)at, event);
            check_step(&states.all[at], (enum event)event, verdict, &trial);
            if (verdict == AG_TRUST_TRIAL_GO_ON || verdict == AG_TRUST_TRIAL_TURN)
                add(&states, &trial);
        }
        // Whatever was before: within so many failures the other one has its turn.
        struct ag_trust_trial trial = states.all[at];
        uint32_t attempts = 1;
        while (apply(&trial, NOT_REACHED) == AG_TRUST_TRIAL_GO_ON)
            CHECK(attempts++ < AG_TRUST_TRIAL_ATTEMPTS);
    }
    CHECK(states.count > 50);
}

static enum ag_trust_trial_verdict live(bool new_is_good, bool tells_tls, uint32_t outages,
                                        uint32_t steps)
{
    struct ag_trust_trial trial;
    enum ag_trust_trial_verdict verdict = AG_TRUST_TRIAL_GO_ON;
    uint32_t random = outages + 1;
    memset(&trial, 0, sizeof trial);
    for (uint32_t i = 0; i < steps; i++) {
        random = random * 1664525u + 1013904223u;
        const bool is_out = outages && (random >> 16) % 100 < outages;
        if (!is_out && (trial.uses_old || new_is_good))
            verdict = apply(&trial, REACHED);
        else
            verdict = apply(&trial, !is_out && tells_tls ? REFUSED_BY_TLS : NOT_REACHED);
        if (verdict == AG_TRUST_TRIAL_CONFIRM || verdict == AG_TRUST_TRIAL_CONDEMN)
            break;
    }
    return verdict;
}

static void a_good_object_wins_and_a_bad_one_loses_in_bounded_time(void)
{
    CHECK_EQUAL(live(true, true, 0, 1), AG_TRUST_TRIAL_CONFIRM);
    CHECK_EQUAL(live(false, true, 0, 8), AG_TRUST_TRIAL_CONDEMN);
    CHECK_EQUAL(live(false, false, 0, 20), AG_TRUST_TRIAL_CONDEMN); // a port that cannot tell
    for (uint32_t outages = 1; outages < 90; outages++) {
        test_note("%u %% of the attempts fail", (unsigned)outages);
        CHECK_EQUAL(live(false, true, outages, 2000), AG_TRUST_TRIAL_CONDEMN);
    }
}

static void an_outage_for_ever_decides_nothing(void)
{
    CHECK(live(true, true, 100, 100000) != AG_TRUST_TRIAL_CONDEMN);
    CHECK(live(false, true, 100, 100000) != AG_TRUST_TRIAL_CONDEMN);
}

static const struct test_case cases[] = {
    TEST(every_state_has_its_way_and_both_objects_have_their_turns),
    TEST(a_good_object_wins_and_a_bad_one_loses_in_bounded_time),
    TEST(an_outage_for_ever_decides_nothing),
};
TEST_MAIN(cases)
