// SPDX-License-Identifier: Apache-2.0
// The plan: every rule of DESIGN 4.1 is a row.
#include "host/plan.h"

#include <string.h>

#include "test/harness.h"

static const uint8_t hash_a[32] = { 0xA };
static const uint8_t hash_b[32] = { 0xB };

#define SEALED AG_PLAN_STAGED_SEALED
#define TRIAL  AG_PLAN_STAGED_TRIAL

struct row {
    const char *rule;
    struct ag_plan_desired desired;
    struct ag_plan_installed installed;
    enum ag_plan_action action;
    enum ag_status status;
};

#define WANT(number)   .known = true, .present = true, .enabled = true, .version = (number)
#define HAVE(number)   .confirmed = { (number), hash_a }
#define STAGED(number) .staged = { (number), hash_b }

static const struct row rows[] = {
    { "firmware_modules was never read: nothing changes",
      { .known = false },
      { HAVE(10) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "a name that is gone is removed", { .known = true }, { HAVE(10) }, AG_PLAN_REMOVE, AG_OK },
    { "a name that is gone drops what is staged first",
      { .known = true },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "a name that is gone and not installed needs nothing",
      { .known = true },
      { .stopped = false },
      AG_PLAN_NOTHING,
      AG_OK },
    { "a malformed entry is refused with its reason",
      { WANT(11), .status = AG_ERR_TWIN_URL },
      { HAVE(10) },
      AG_PLAN_REFUSE,
      AG_ERR_TWIN_URL },
    { "a malformed entry lets a trial end",
      { WANT(11), .status = AG_ERR_TWIN_URL },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "a malformed entry drops what is staged",
      { WANT(11), .status = AG_ERR_TWIN_URL },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "an unknown name is added", { WANT(10) }, { .stopped = false }, AG_PLAN_FETCH, AG_OK },
    { "newer replaces older", { WANT(11) }, { HAVE(10) }, AG_PLAN_FETCH, AG_OK },
    { "equal is skipped", { WANT(10) }, { HAVE(10) }, AG_PLAN_NOTHING, AG_OK },
    { "equal with the same hash is skipped",
      { WANT(10), .sha256 = hash_a },
      { HAVE(10) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "equal with another hash is refused",
      { WANT(10), .sha256 = hash_b },
      { HAVE(10) },
      AG_PLAN_REFUSE,
      AG_ERR_FILE_SHA256 },
    { "equal with another hash is fetched where a downgrade is allowed",
      { WANT(10), .sha256 = hash_b, .allow_downgrade = true },
      { HAVE(10) },
      AG_PLAN_FETCH,
      AG_OK },
    { "equal is skipped even where a downgrade is allowed",
      { WANT(10), .allow_downgrade = true },
      { HAVE(10) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "older is refused", { WANT(9) }, { HAVE(10) }, AG_PLAN_REFUSE, AG_ERR_TWIN_DOWNGRADE },
    { "older is fetched where a downgrade is allowed",
      { WANT(9), .allow_downgrade = true },
      { HAVE(10) },
      AG_PLAN_FETCH,
      AG_OK },
    { "an empty Url keeps what is installed",
      { WANT(11), .keep = true },
      { HAVE(10) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "an empty Url lets a trial end",
      { WANT(11), .keep = true },
      { .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "an empty Url drops what was never tried",
      { WANT(11), .keep = true },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "an empty Url for something that is not installed is refused",
      { WANT(11), .keep = true },
      { .stopped = false },
      AG_PLAN_REFUSE,
      AG_ERR_TWIN_URL },
    { "not enabled stops",
      { .known = true, .present = true, .version = 10 },
      { HAVE(10) },
      AG_PLAN_STOP,
      AG_OK },
    { "not enabled stops once",
      { .known = true, .present = true, .version = 10 },
      { HAVE(10), .stopped = true, .is_told_stopped = true },
      AG_PLAN_NOTHING,
      AG_OK },
    { "not enabled fetches nothing",
      { .known = true, .present = true, .version = 11 },
      { HAVE(10), .stopped = true, .is_told_stopped = true },
      AG_PLAN_NOTHING,
      AG_OK },
    { "not enabled ends a trial without a verdict",
      { .known = true, .present = true, .version = 11 },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "stopped, but told as refused, stops again",
      { .known = true, .present = true, .version = 10 },
      { HAVE(10), .stopped = true },
      AG_PLAN_STOP,
      AG_OK },
    { "a failure that is not told any more is told again",
      { WANT(11) },
      { HAVE(10), .outcome = AG_TRAP_UNREACHABLE },
      AG_PLAN_REFUSE,
      AG_TRAP_UNREACHABLE },
    { "a staged version whose trial needs the hub waits for it",
      { WANT(11) },
      { HAVE(10), STAGED(11), .staged_state = SEALED, .waits = true },
      AG_PLAN_NOTHING,
      AG_OK },
    { "enabled again starts",
      { WANT(10) },
      { HAVE(10), .stopped = true, .is_told_stopped = true },
      AG_PLAN_START,
      AG_OK },
    { "what is staged and desired is tried",
      { WANT(11) },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_ACTIVATE,
      AG_OK },
    { "what is staged waits for its window",
      { WANT(11), .window_is_closed = true },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_HOLD,
      AG_OK },
    { "so does the first version of a name",
      { WANT(11), .window_is_closed = true },
      { .staged_state = SEALED, STAGED(11) },
      AG_PLAN_HOLD,
      AG_OK },
    { "what is not here is fetched before its window",
      { WANT(11), .window_is_closed = true },
      { HAVE(10) },
      AG_PLAN_FETCH,
      AG_OK },
    { "a window that closes lets a trial end",
      { WANT(11), .window_is_closed = true },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "what waits for its window and is no longer desired is dropped",
      { WANT(12), .window_is_closed = true },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "what is staged with the desired hash is tried",
      { WANT(11), .sha256 = hash_b },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_ACTIVATE,
      AG_OK },
    { "what is staged with another hash is dropped",
      { WANT(11), .sha256 = hash_a },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "what is on trial and desired goes on",
      { WANT(11) },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_NOTHING,
      AG_OK },
    { "a newer desired version supersedes one on trial",
      { WANT(12) },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "a newer desired version supersedes one that is staged",
      { WANT(12) },
      { HAVE(10), .staged_state = SEALED, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "going back to the confirmed version ends a trial",
      { WANT(10) },
      { HAVE(10), .staged_state = TRIAL, STAGED(11) },
      AG_PLAN_DISCARD,
      AG_OK },
    { "an entry that was given up is not tried again",
      { WANT(11) },
      { HAVE(10), .outcome = AG_TRAP_UNREACHABLE, .is_told_outcome = true },
      AG_PLAN_NOTHING,
      AG_OK },
    { "a quarantined hash is refused before any download",
      { WANT(11), .sha256 = hash_b },
      { HAVE(10), .quarantined = true },
      AG_PLAN_REFUSE,
      AG_ERR_QUARANTINED },
};

static void every_rule_of_the_contract_gives_its_action(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%s", rows[i].rule);
        struct ag_plan_step step = ag_plan_next(&rows[i].desired, &rows[i].installed);
        CHECK_EQUAL(step.action, rows[i].action);
        CHECK_EQUAL(step.status, rows[i].status);
    }
}

// What carrying out an action, with success, makes of the facts.
static void carry_out(enum ag_plan_action action, const struct ag_plan_desired *desired,
                      struct ag_plan_installed *installed)
{
    switch (action) {
    case AG_PLAN_NOTHING:
    case AG_PLAN_REFUSE:
    case AG_PLAN_HOLD:
        break;
    case AG_PLAN_FETCH:
        installed->staged_state = AG_PLAN_STAGED_SEALED;
        installed->staged.version = desired->version;
        installed->staged.sha256 = desired->sha256 ? desired->sha256 : hash_b;
        break;
    case AG_PLAN_ACTIVATE: // and the trial is passed
        installed->confirmed = installed->staged;
        installed->staged_state = AG_PLAN_STAGED_NONE;
        break;
    case AG_PLAN_DISCARD:
        installed->staged_state = AG_PLAN_STAGED_NONE;
        break;
    case AG_PLAN_STOP:
        installed->stopped = true;
        installed->is_told_stopped = true;
        break;
    case AG_PLAN_START:
        installed->stopped = false;
        break;
    case AG_PLAN_REMOVE:
        installed->confirmed.version = 0;
        break;
    }
}

struct fact {
    uint32_t bits;
};

static bool take(struct fact *fact)
{
    bool bit = fact->bits & 1;
    fact->bits >>= 1;
    return bit;
}

// Every combination of facts: the plan comes to rest within a few steps, never touches a confirmed
// version unless the twin no longer wants it, and never confirms what was not desired.
static void from_every_combination_of_facts_the_plan_comes_to_rest(void)
{
    for (uint32_t bits = 0; bits < 1u << 18; bits++) {
        struct fact fact = { bits };
        struct ag_plan_desired desired = { .known = take(&fact), .present = take(&fact) };
        desired.status = take(&fact) ? AG_ERR_TWIN_ENTRY : AG_OK;
        desired.keep = take(&fact);
        desired.allow_downgrade = take(&fact);
        desired.enabled = take(&fact);
        desired.sha256 = take(&fact) ? (take(&fact) ? hash_a : hash_b) : NULL;
        desired.version = 9 + (uint32_t)take(&fact) + (uint32_t)take(&fact) * 2;
        struct ag_plan_installed installed = { .stopped = take(&fact) };
        installed.quarantined = take(&fact);
        installed.outcome = take(&fact) ? AG_ERR_FILE_FORGED : AG_OK;
        installed.is_told_stopped = installed.stopped;
        installed.is_told_outcome = installed.outcome != AG_OK;
        installed.confirmed.version = take(&fact) ? 10 : 0;
        installed.confirmed.sha256 = hash_a;
        installed.staged_state = (enum ag_plan_staged)(take(&fact) + take(&fact));
        installed.staged.version = take(&fact) ? 11 : 9;
        installed.staged.sha256 = hash_b;
        desired.window_is_closed = take(&fact);
        test_note("facts 0x%x", (unsigned)bits);

        bool had = installed.confirmed.version != 0;
        struct ag_plan_step step = { AG_PLAN_START, AG_OK };
        int steps = 0;
        while (step.action != AG_PLAN_NOTHING && step.action != AG_PLAN_REFUSE &&
               step.action != AG_PLAN_HOLD) {
            CHECK(steps++ < 5);
            step = ag_plan_next(&desired, &installed);
            CHECK(desired.known || step.action == AG_PLAN_NOTHING);
            CHECK(step.action != AG_PLAN_REMOVE || (desired.known && !desired.present));
            CHECK(step.action != AG_PLAN_FETCH || installed.outcome == AG_OK);
            CHECK(step.action != AG_PLAN_ACTIVATE || !desired.window_is_closed);
            CHECK((step.status != AG_OK) == (step.action == AG_PLAN_REFUSE));
            carry_out(step.action, &desired, &installed);
        }
        if (had && (desired.present || !desired.known))
            CHECK(installed.confirmed.version != 0);
    }
}

static const struct test_case cases[] = {
    TEST(every_rule_of_the_contract_gives_its_action),
    TEST(from_every_combination_of_facts_the_plan_comes_to_rest),
};
TEST_MAIN(cases)
