// SPDX-License-Identifier: Apache-2.0
// The update state machine: walked in every state with every event.
#include "host/transitions.h"

#include <string.h>

#include "test/harness.h"

// Is `to` reachable from `from` without the events of the bit set `forbidden`?
static bool is_reachable(enum ag_transition_state from, enum ag_transition_state to,
                         uint32_t forbidden)
{
    bool reached[AG_STATE_COUNT] = { false };
    reached[from] = true;
    for (int round = 0; round < AG_STATE_COUNT; round++) {
        for (int state = 0; state < AG_STATE_COUNT; state++) {
            for (int event = 0; reached[state] && event < AG_EVENT_COUNT; event++) {
                if (forbidden & (1u << event))
                    continue;
                for (int confirmed = 0; confirmed < 2; confirmed++) {
                    enum ag_transition_state next;
                    if (ag_transition_next((enum ag_transition_state)state,
                                           (enum ag_transition_event)event, confirmed,
                                           &next) == AG_OK)
                        reached[next] = true;
                }
            }
        }
    }
    return reached[to];
}

static void every_state_and_event_gives_a_state_or_a_refusal_that_changes_nothing(void)
{
    int allowed = 0;
    for (int state = 0; state < AG_STATE_COUNT; state++) {
        for (int event = 0; event < AG_EVENT_COUNT; event++) {
            for (int confirmed = 0; confirmed < 2; confirmed++) {
                test_note("state %d event %d confirmed %d", state, event, confirmed);
                enum ag_transition_state next = (enum ag_transition_state)99;
                enum ag_status status =
                    ag_transition_next((enum ag_transition_state)state,
                                       (enum ag_transition_event)event, confirmed, &next);
                CHECK(status == AG_OK || status == AG_ERR_ARGUMENT);
                CHECK((status == AG_OK) == ((int)next < AG_STATE_COUNT));
                allowed += status == AG_OK;
            }
        }
    }
    CHECK_EQUAL(allowed, 2 * 82);
}

static void every_state_can_be_reached_and_left(void)
{
    for (int state = 0; state < AG_STATE_COUNT; state++) {
        test_note("state %d", state);
        CHECK(is_reachable(AG_STATE_ABSENT, (enum ag_transition_state)state, 0));
        CHECK(is_reachable((enum ag_transition_state)state, AG_STATE_RUNNING, 0));
        CHECK(is_reachable((enum ag_transition_state)state, AG_STATE_ABSENT, 0));
    }
}

static void only_a_verified_file_is_ever_tried(void)
{
    uint32_t without_verified = 1u << AG_EVENT_VERIFIED | 1u << AG_EVENT_FOUND;
    uint32_t without_activate = 1u << AG_EVENT_ACTIVATE;
    CHECK(!is_reachable(AG_STATE_ABSENT, AG_STATE_TRIAL, without_verified));
    CHECK(!is_reachable(AG_STATE_ABSENT, AG_STATE_STAGED, without_verified));
    CHECK(!is_reachable(AG_STATE_ABSENT, AG_STATE_TRIAL, without_activate));
    CHECK(!is_reachable(AG_STATE_DOWNLOADING, AG_STATE_TRIAL, without_verified));
    CHECK(is_reachable(AG_STATE_ABSENT, AG_STATE_TRIAL, 0));
}

static void a_version_is_rolled_back_only_from_its_trial(void)
{
    for (int state = 0; state < AG_STATE_COUNT; state++) {
        enum ag_transition_state next = AG_STATE_ABSENT;
        enum ag_status status =
            ag_transition_next((enum ag_transition_state)state, AG_EVENT_FAIL, true, &next);
        CHECK_EQUAL(status, state == AG_STATE_TRIAL ? AG_OK : AG_ERR_ARGUMENT);
    }
}

static void a_failed_trial_falls_back_to_what_was_confirmed(void)
{
    enum ag_transition_state next;
    CHECK_EQUAL(ag_transition_next(AG_STATE_TRIAL, AG_EVENT_FAIL, true, &next), AG_OK);
    CHECK_EQUAL(next, AG_STATE_ROLLED_BACK);
    CHECK_EQUAL(ag_transition_next(AG_STATE_TRIAL, AG_EVENT_FAIL, false, &next), AG_OK);
    CHECK_EQUAL(next, AG_STATE_FAILED);
    CHECK_EQUAL(ag_transition_next(AG_STATE_DOWNLOADING, AG_EVENT_SETTLE, true, &next), AG_OK);
    CHECK_EQUAL(next, AG_STATE_RUNNING);
    CHECK_EQUAL(ag_transition_next(AG_STATE_DOWNLOADING, AG_EVENT_SETTLE, false, &next), AG_OK);
    CHECK_EQUAL(next, AG_STATE_ABSENT);
}

static void the_good_way_has_the_names_of_the_contract(void)
{
    static const struct {
        enum ag_transition_event event;
        const char *name;
    } way[] = {
        { AG_EVENT_FETCH, "downloading" }, { AG_EVENT_PAUSE, "waiting" },
        { AG_EVENT_FETCH, "downloading" }, { AG_EVENT_FETCHED, "verifying" },
        { AG_EVENT_VERIFIED, "waiting" },  { AG_EVENT_ACTIVATE, "trial" },
        { AG_EVENT_CONFIRM, "running" },   { AG_EVENT_STOP, "stopped" },
        { AG_EVENT_SETTLE, "running" },    { AG_EVENT_REFUSE, "refused" },
        { AG_EVENT_UNWANTED, "removing" }, { AG_EVENT_REMOVED, "absent" },
    };
    enum ag_transition_state state = AG_STATE_ABSENT;
    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        CHECK_EQUAL(ag_transition_next(state, way[i].event, i > 6, &state), AG_OK);
        CHECK_TEXT(ag_transition_state_name(state), way[i].name);
    }
    CHECK_TEXT(ag_transition_state_name(AG_STATE_ROLLED_BACK), "rolled_back");
    CHECK_TEXT(ag_transition_state_name(AG_STATE_FAILED), "failed");
}

static const struct test_case cases[] = {
    TEST(every_state_and_event_gives_a_state_or_a_refusal_that_changes_nothing),
    TEST(every_state_can_be_reached_and_left),
    TEST(only_a_verified_file_is_ever_tried),
    TEST(a_version_is_rolled_back_only_from_its_trial),
    TEST(a_failed_trial_falls_back_to_what_was_confirmed),
    TEST(the_good_way_has_the_names_of_the_contract),
};
TEST_MAIN(cases)
