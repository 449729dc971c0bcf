// SPDX-License-Identifier: Apache-2.0
// One plug-in's updates as a machine of finitely many states.
#include "test/model/machine.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

const struct machine_rules machine_real_rules = {
    ag_transition_next, ag_plan_next, ag_plan_is_settled, ag_criteria_judge, ag_fallback_confirmed,
    ag_fallback_trial,  false,
};
struct machine_rules machine_rules;

// The step in hand.
static struct machine m;
static struct machine_trace *trace;
static struct machine_flash flash;
static jmp_buf power;
static uint8_t word; // enum machine_role: whose run the reset came into

#define ID_CURRENT 10u
#define ID_NEXT    11u

// ---- The store ---------------------------------------------------------------------------------

// Every change on flash goes through one of these: it happens as a whole, or not at all.
static bool may_write(void)
{
    trace->writes++;
    if (flash.fails_from && trace->writes >= flash.fails_from)
        m.flash_is_dead = true;
    return !m.flash_is_dead;
}

static bool written(void)
{
    if (trace->writes == flash.cut_after)
        longjmp(power, 1);
    return true;
}

static void forget_history_of(uint8_t role)
{
    if (m.history_of == role)
        m.history_of = NOBODY, m.failures = 0;
    if (m.ram_history_of == role)
        m.ram_history_of = NOBODY, m.ram_failures = 0;
}

static void clear_next(void)
{
    m.next = 0, m.trials = 0;
    m.next_is_sealed = m.next_on_trial = false;
    m.proven &= (uint8_t)~NEXT;
}

// What was proven of one version is proven of it in its next role.
static void hand_on(uint8_t from, uint8_t to)
{
    m.proven &= (uint8_t)~to;
    if (m.proven & from)
        m.proven |= to;
    m.proven &= (uint8_t)~from;
}

static bool store_fail(uint8_t role)
{
    if (!may_write())
        return false;
    uint8_t file = role == CURRENT ? m.current : m.next;
    m.quarantine |= (uint8_t)(1u << file);
    m.rejected = file;
    forget_history_of(role);
    if (role == CURRENT) {
        if (m.previous == 0 && m.kind != KIND_ABSENT)
            trace->violation = "the last confirmed version was given up though it is wanted";
        m.current = m.previous;
        m.previous = 0;
        hand_on(PREVIOUS, CURRENT);
    } else {
        clear_next();
    }
    return written();
}

static bool store_confirm(void)
{
    if (!may_write())
        return false;
    m.previous = m.current;
    m.current = m.next;
    hand_on(CURRENT, PREVIOUS);
    hand_on(NEXT, CURRENT);
    clear_next();
    forget_history_of(CURRENT);
    if (m.history_of == NEXT)
        m.history_of = CURRENT;
    if (m.ram_history_of == NEXT)
        m.ram_history_of = CURRENT;
    return written();
}

static bool store_begin_trial(void)
{
    if (!may_write())
        return false;
    m.next_on_trial = true;
    m.trials = m.trials < 3 ? m.trials + 1 : 3;
    return written();
}

static bool store_reserve(uint8_t file)
{
    if (m.next == file && !m.next_is_sealed)
        return true; // it goes on where it was
    if (!may_write())
        return false;
    clear_next();
    m.next = file;
    m.rejected = 0; // it gives way
    return written();
}

static bool store_seal(void)
{
    if (!may_write())
        return false;
    m.next_is_sealed = true;
    m.origin = m.next;
    return written();
}

static bool store_drop_next(void)
{
    if (!may_write())
        return false;
    clear_next();
    forget_history_of(NEXT);
    return written();
}

static void drop_part(void)
{
    if (m.next && !m.next_is_sealed)
        (void)store_drop_next(); // at worst it is superseded later
}

// The first half of a retry; a cut behind it leaves the version given up.
static bool store_pardon(uint8_t file)
{
    if (!(m.quarantine & 1u << file))
        return true;
    if (!may_write())
        return false;
    m.quarantine &= (uint8_t) ~(1u << file);
    return written();
}

static bool store_drop_rejected(void)
{
    if (!may_write())
        return false;
    m.rejected = 0;
    return written();
}

static bool store_remove(void)
{
    if (!may_write())
        return false;
    if (m.kind != KIND_ABSENT)
        trace->violation = "a version was removed though it is wanted";
    clear_next();
    m.current = m.previous = m.rejected = m.proven = m.origin = 0;
    m.disabled = false;
    m.history_of = m.ram_history_of = NOBODY;
    m.failures = m.ram_failures = 0;
    return written();
}

static void store_history(void)
{
    if (m.history_of == m.ram_history_of && m.failures == m.ram_failures)
        return;
    if (!may_write())
        return;
    m.history_of = m.ram_history_of;
    m.failures = m.ram_failures;
    (void)written();
}

static void store_disabled(bool disabled)
{
    if (m.disabled == disabled || !may_write())
        return;
    m.disabled = disabled;
    (void)written();
}

// ---- What the host sees: a condemned version counts as gone ------------------------------------

static uint8_t current(void)
{
    return (m.condemned & CURRENT) ? m.previous : m.current;
}

static uint8_t previous(void)
{
    return (m.condemned & CURRENT) ? 0 : m.previous;
}

static uint8_t next(void)
{
    const bool counts = m.next_is_sealed || machine_rules.takes_parts;
    return counts && !(m.condemned & NEXT) ? m.next : 0;
}

static uint32_t version_of(uint8_t file)
{
    return file > 2 ? 2 : file;
}

static struct ag_fallback_history history(void)
{
    static const uint32_t ids[] = { [NOBODY] = 0, [CURRENT] = ID_CURRENT, [NEXT] = ID_NEXT };
    return (struct ag_fallback_history){ ids[m.ram_history_of], m.ram_failures,
                                         AG_TRAP_UNREACHABLE };
}

static void move(enum ag_transition_event event)
{
    enum ag_transition_state state = (enum ag_transition_state)m.state;
    if (machine_rules.next(state, event, current() != 0, &state) != AG_OK)
        trace->violation = "an event came that cannot happen in this state";
    m.state = (uint8_t)state;
}

// ---- trial.c -----------------------------------------------------------------------------------

static void mark_failed(uint8_t role)
{
    if (store_fail(role))
        return;
    m.condemned |= role;
    if (m.ram_history_of == role) // it is of an id that nothing has any more
        m.ram_history_of = NOBODY, m.ram_failures = 0;
}

static void drop_staged(void)
{
    if (!store_drop_next())
        m.condemned |= NEXT | MACHINE_DROPPED;
}

static void count(uint8_t role)
{
    struct ag_fallback_history counted = history();
    ag_fallback_count(&counted, role == CURRENT ? ID_CURRENT : ID_NEXT, AG_TRAP_UNREACHABLE);
    m.ram_history_of = role;
    m.ram_failures = counted.failures;
    store_history();
}

static void forget_failures(void)
{
    if (m.ram_failures == 0)
        return;
    m.ram_history_of = NOBODY;
    m.ram_failures = 0;
    store_history();
}

static bool is_left(void)
{
    struct ag_fallback_history all = history();
    return m.failing && ag_fallback_failures(&all, ID_CURRENT) >= AG_FALLBACK_FAILURES_MAX;
}

static bool previous_may_run(void)
{
    const bool failed_unmarked =
        (m.condemned & NEXT) && !(m.condemned & MACHINE_DROPPED) && m.next == previous();
    return previous() != 0 && !(m.quarantine & 1u << previous()) && !failed_unmarked;
}

static void start_confirmed(void)
{
    m.runs = current() ? CURRENT : NOBODY;
    m.failing = false;
}

static uint8_t desired_file(void)
{
    if (m.kind < KIND_FILE1)
        return 0;
    return m.kind == KIND_DOWN1 ? 1 : (uint8_t)(m.kind - KIND_FILE1 + 1);
}

// The hash says so, or the URL does, where it is known whence the file came.
static bool leads_to(uint8_t file)
{
    return file && desired_file() == file && (m.with_hash || m.origin == file);
}

static void give_up_entry(uint8_t failed)
{
    if (m.known && desired_file() == failed)
        m.world_refused = true;
    if (m.known && leads_to(failed))
        m.outcome = true;
}

static void fall_back(void)
{
    uint8_t failed = current();
    m.runs = NOBODY;
    mark_failed(CURRENT);
    give_up_entry(failed);
    move(AG_EVENT_FALL_BACK);
}

static enum ag_fallback_action what_to_do(void)
{
    struct ag_fallback_history all = history();
    return machine_rules.fallback(&all, ID_CURRENT, previous_may_run());
}

static void confirmed_failed(void)
{
    m.runs = NOBODY;
    count(CURRENT);
    switch (what_to_do()) {
    case AG_FALLBACK_RESTART:
        m.failing = true;
        break;
    case AG_FALLBACK_PREVIOUS:
        fall_back();
        start_confirmed();
        break;
    case AG_FALLBACK_LEAVE:
        m.failing = true;
        move(AG_EVENT_LEAVE);
        break;
    }
}

static void trial_failed(void)
{
    uint8_t failed = next();
    m.runs = NOBODY;
    mark_failed(NEXT);
    give_up_entry(failed);
    move(AG_EVENT_FAIL);
    start_confirmed();
}

static void begin_trial(void)
{
    if (!store_begin_trial())
        return;
    trace->activates = true;
    move(AG_EVENT_ACTIVATE);
    m.runs = NEXT;
    m.failing = m.did_runs = m.hub_was_asked = m.hub_answered = false;
    m.health = AG_CRITERIA_HEALTH_UNKNOWN;
}

static void confirm(void)
{
    if (!store_confirm())
        return; // it stays on trial
    m.runs = CURRENT;
    forget_failures();
    move(AG_EVENT_CONFIRM);
}

static bool judge(bool is_overdue, bool hub_is_late)
{
    struct ag_criteria criteria = { .runs = 3, .time_ms = 1000, .needs_hub = m.wants_hub };
    struct ag_criteria_facts facts = { .failure = AG_OK,
                                       .runs = m.did_runs ? 3 : 0,
                                       .ran_ms = is_overdue ? 9000000 : 2000,
                                       .limit_ms = ag_criteria_limit_ms(&criteria, 1000),
                                       .health = (enum ag_criteria_health)m.health,
                                       .hub_was_asked = m.hub_was_asked,
                                       .hub_answered = m.hub_answered,
                                       .waiting_ms = hub_is_late ? AG_CRITERIA_HUB_MS : 1 };
    switch (machine_rules.judge(&criteria, &facts).action) {
    case AG_CRITERIA_GO_ON:
        return false;
    case AG_CRITERIA_ASK_HEALTH:
        m.health = AG_CRITERIA_HEALTH_ASKED; // one without a healthy is well at once
        return true;
    case AG_CRITERIA_ASK_HUB:
        m.hub_was_asked = true;
        return true;
    case AG_CRITERIA_PASS:
        if (!m.did_runs || m.health != AG_CRITERIA_HEALTH_WELL || (m.wants_hub && !m.hub_answered))
            trace->violation = "a trial was passed without what is asked of it";
        confirm();
        return true;
    case AG_CRITERIA_FAIL:
        trial_failed();
        return true;
    }
    return false;
}

static void take_up(void)
{
    switch (what_to_do()) {
    case AG_FALLBACK_RESTART:
        break;
    case AG_FALLBACK_PREVIOUS:
        fall_back();
        break;
    case AG_FALLBACK_LEAVE:
        m.failing = true;
        move(AG_EVENT_LEAVE);
        return;
    }
    start_confirmed();
}

// ---- boot.c ------------------------------------------------------------------------------------

static void boot(void)
{
    struct machine on_flash = m;
    memset(&m.state, 0, (size_t)((char *)&m.kind - (char *)&m.state));
    m.ram_history_of = on_flash.history_of;
    m.ram_failures = on_flash.failures;
    if ((word == CURRENT && m.current) || (word == NEXT && m.next))
        count(word);
    word = NOBODY;
    if (next() && m.next_on_trial) {
        struct ag_fallback_history all = history();
        if (machine_rules.trial(&all, ID_NEXT, m.trials) != AG_OK && m.next == m.current)
            drop_staged();
        else if (machine_rules.trial(&all, ID_NEXT, m.trials) != AG_OK)
            mark_failed(NEXT);
    }
    bool was_rejected = m.rejected && version_of(m.rejected) > version_of(current());
    m.state = (uint8_t)ag_transition_at_start(current() != 0, next() != 0, was_rejected);
    if (current() == 0)
        return;
    if (m.disabled) {
        m.stopped = true;
        m.state = AG_STATE_STOPPED;
        return;
    }
    take_up();
}

// ---- recover.c ---------------------------------------------------------------------------------

static void recover(void)
{
    const uint8_t history_of = m.ram_history_of; // not of those that are given up
    const uint8_t failures = m.ram_failures;
    const bool is_dropped = (m.condemned & MACHINE_DROPPED) != 0;
    m.flash_is_dead = false;
    if ((m.condemned & NEXT) && (is_dropped ? store_drop_next() : store_fail(NEXT)))
        m.condemned &= (uint8_t) ~(NEXT | MACHINE_DROPPED);
    if ((m.condemned & CURRENT) && store_fail(CURRENT))
        m.condemned &= (uint8_t)~CURRENT;
    m.ram_history_of = history_of;
    m.ram_failures = failures;
    store_history();
}

// ---- update.c ----------------------------------------------------------------------------------

static const uint8_t *hash_of(uint8_t file)
{
    static const uint8_t hashes[MACHINE_FILES + 1][32] = { { 0 }, { 1 }, { 2 }, { 3 } };
    return hashes[file];
}

static void facts(struct ag_plan_desired *desired, struct ag_plan_installed *installed)
{
    uint8_t file = desired_file();
    *desired = (struct ag_plan_desired){ .known = m.known,
                                         .present = m.kind != KIND_ABSENT,
                                         .keep = m.kind == KIND_KEEP,
                                         .version = version_of(file),
                                         .allow_downgrade = m.kind == KIND_DOWN1,
                                         .enabled = m.enabled };
    desired->status = m.kind == KIND_MALFORMED ? AG_ERR_TWIN_VERSION : AG_OK;
    desired->sha256 = file && m.with_hash ? hash_of(file) : NULL;
    desired->window_is_closed = m.window_is_closed;
    *installed = (struct ag_plan_installed){
        .confirmed = { version_of(current()), hash_of(current()) },
        .staged = { version_of(next()), hash_of(next()) },
        .stopped = m.stopped,
        .is_told_outcome = m.state == AG_STATE_REFUSED || m.state == AG_STATE_ROLLED_BACK ||
                           m.state == AG_STATE_FAILED,
        .is_told_stopped = m.state == AG_STATE_STOPPED,
        .quarantined = desired->sha256 && (m.quarantine & 1u << file),
        .outcome = m.outcome ? AG_TRAP_UNREACHABLE : AG_OK,
    };
    if (m.state == AG_STATE_TRIAL)
        installed->staged_state = AG_PLAN_STAGED_TRIAL;
    else if (next())
        installed->staged_state = AG_PLAN_STAGED_SEALED;
    installed->waits = m.wants_hub && !m.online;
}

static void cancel_fetch(void)
{
    m.fetched = 0;
    drop_part();
    if (m.state == AG_STATE_DOWNLOADING || m.state == AG_STATE_VERIFYING ||
        m.state == AG_STATE_PAUSED)
        move(AG_EVENT_SETTLE);
}

static void rest(const struct ag_plan_desired *desired, const struct ag_plan_installed *installed)
{
    if (machine_rules.settled(desired, installed, (enum ag_transition_state)m.state, is_left())) {
        m.stopped = m.outcome = false;
        move(AG_EVENT_SETTLE);
    }
    if (m.known && !m.fetched)
        drop_part();
    if (m.known && m.kind == KIND_ABSENT && m.rejected)
        (void)store_remove();
    if (m.known && m.kind != KIND_ABSENT && m.kind != KIND_MALFORMED && current() &&
        m.state != AG_STATE_TRIAL)
        store_disabled(!m.enabled);
}

static void refuse(void)
{
    move(AG_EVENT_REFUSE);
}

static void discard(void)
{
    bool was_trial = m.runs == NEXT;
    if (was_trial)
        m.runs = NOBODY;
    drop_staged();
    move(m.stopped ? AG_EVENT_STOP : AG_EVENT_SETTLE);
    if (was_trial)
        start_confirmed();
}

static void remove_all(void)
{
    if (m.flash_is_dead)
        return;
    bool was_up = m.runs != NOBODY;
    m.runs = NOBODY;
    if (!store_remove()) {
        if (was_up)
            start_confirmed();
        return;
    }
    m.failing = m.stopped = false;
    move(AG_EVENT_UNWANTED);
    move(AG_EVENT_REMOVED);
}

static void perform(const struct ag_plan_desired *desired,
                    const struct ag_plan_installed *installed, struct ag_plan_step step,
                    bool pause_is_over)
{
    if (step.action != AG_PLAN_FETCH && m.fetched)
        cancel_fetch();
    switch (step.action) {
    case AG_PLAN_NOTHING:
        rest(desired, installed);
        break;
    case AG_PLAN_HOLD:
        break;
    case AG_PLAN_REFUSE:
        if (m.state != AG_STATE_REFUSED)
            refuse();
        break;
    case AG_PLAN_FETCH:
        if (m.state == AG_STATE_DOWNLOADING || m.state == AG_STATE_VERIFYING ||
            (m.state == AG_STATE_PAUSED && !pause_is_over))
            break;
        trace->fetches = true;
        m.fetched = desired_file();
        move(AG_EVENT_FETCH);
        break;
    case AG_PLAN_ACTIVATE:
        begin_trial();
        break;
    case AG_PLAN_DISCARD:
        discard();
        break;
    case AG_PLAN_STOP:
        m.runs = NOBODY;
        m.stopped = true;
        m.failing = false;
        move(AG_EVENT_STOP);
        break;
    case AG_PLAN_START:
        m.stopped = m.outcome = false;
        move(AG_EVENT_SETTLE);
        if (next())
            move(AG_EVENT_FOUND);
        if (current()) {
            store_disabled(false);
            take_up();
        }
        break;
    case AG_PLAN_REMOVE:
        remove_all();
        break;
    }
}

static void plan(bool pause_is_over)
{
    struct ag_plan_desired desired;
    struct ag_plan_installed installed;
    facts(&desired, &installed);
    perform(&desired, &installed, machine_rules.plan(&desired, &installed), pause_is_over);
}

static void retry(void)
{
    if (is_left())
        move(AG_EVENT_RETRY);
    forget_failures();
}

// The table of the twin is another one, or the first one.
static void desired_changed(bool is_same_file, bool is_same)
{
    if (m.has_desired && !is_same)
        retry();
    if (!is_same_file || !m.has_desired) {
        m.outcome = !m.has_desired && leads_to(m.rejected);
        m.pardons = m.world_refused = false;
        if (m.fetched)
            cancel_fetch();
    }
    if (m.kind == KIND_ABSENT)
        m.outcome = false;
    m.has_desired = m.known = true;
    plan(false); // the host does so before anything else has its turn
}

// ---- Events ------------------------------------------------------------------------------------

// The fetch came to nothing, for good.
static void install_refused(void)
{
    m.fetched = 0;
    drop_part();
    m.outcome = m.world_refused = true;
    m.pardons = false;
    refuse();
}

static void fetch_paused(void)
{
    m.fetched = 0;
    move(AG_EVENT_PAUSE);
}

static bool verified(void)
{
    uint8_t file = m.fetched;
    if (m.state != AG_STATE_VERIFYING)
        return false;
    if ((m.quarantine & 1u << file) && !m.pardons) {
        install_refused();
        return true;
    }
    if (!store_pardon(file)) {
        fetch_paused();
        return true;
    }
    m.proven |= NEXT;
    if (!store_seal()) {
        fetch_paused(); // AG_ERR_FLASH may pass
        return true;
    }
    m.fetched = 0;
    m.pardons = false;
    move(AG_EVENT_VERIFIED);
    return true;
}

// Space is reserved, and the bytes come.
static void fetched(void)
{
    if (store_reserve(m.fetched))
        move(AG_EVENT_FETCHED);
    else
        fetch_paused();
}

static bool change_twin(int desire)
{
    struct machine before = m;
    if (!m.online || !m.known)
        return false;
    m.kind = (uint8_t)(desire / 8);
    m.enabled = desire & 1;
    m.with_hash = (desire & 2) != 0;
    m.wants_hub = (desire & 4) != 0;
    bool has_members = m.kind > KIND_MALFORMED;
    if ((!has_members && desire % 8 != 1) || (m.kind == KIND_KEEP && m.with_hash))
        return false; // says nothing new
    bool is_same_file = m.kind == before.kind && m.with_hash == before.with_hash;
    bool is_same = is_same_file && m.enabled == before.enabled && m.wants_hub == before.wants_hub;
    if (is_same)
        return false;
    desired_changed(is_same_file, before.kind == KIND_ABSENT || m.kind == KIND_ABSENT);
    return true;
}

static bool is_on_trial(void)
{
    return m.state == AG_STATE_TRIAL && m.runs == NEXT;
}

static bool restart(bool is_long)
{
    if (!m.failing || m.runs != NOBODY || !current() || is_left() != is_long)
        return false;
    if (is_long)
        move(AG_EVENT_RETRY);
    start_confirmed();
    return true;
}

// method.c. Nobody asks before the twin is known.
static bool ask_retry(void)
{
    uint8_t file = desired_file();
    if (!m.online || !m.known || !file)
        return false;
    bool was_pardoned = !m.with_hash || store_pardon(file);
    if (was_pardoned && m.rejected && version_of(m.rejected) == version_of(file))
        was_pardoned = store_pardon(m.rejected) && store_drop_rejected();
    if (!was_pardoned)
        return true;
    m.outcome = m.world_refused = false;
    m.pardons = true;
    if (m.failing)
        retry();
    plan(true);
    return true;
}

static bool ask_restart(void)
{
    if (!m.online || !current() || m.runs == NEXT || m.stopped)
        return false;
    if (m.failing)
        retry();
    start_confirmed();
    return true;
}

static bool move_window(bool is_closed)
{
    if (m.window_is_closed == is_closed || m.state != AG_STATE_STAGED)
        return false;
    m.window_is_closed = is_closed;
    return true;
}

static bool happens(int event)
{
    switch ((enum machine_event)event) {
    case EVENT_PLAN:
        plan(false);
        return true;
    case EVENT_PAUSE_OVER:
        if (m.state == AG_STATE_PAUSED)
            plan(true);
        return m.state != AG_STATE_PAUSED;
    case EVENT_JUDGE:
        return is_on_trial() && judge(false, false);
    case EVENT_ONLINE:
        if (m.online)
            return false;
        m.online = true;
        if (m.hub_was_asked)
            m.hub_answered = true;
        if (!m.known)
            desired_changed(false, true);
        return true;
    case EVENT_OFFLINE:
        if (!m.online)
            return false;
        m.online = false;
        return true;
    case EVENT_FETCHED:
        if (m.state != AG_STATE_DOWNLOADING)
            return false;
        fetched();
        return true;
    case EVENT_FETCH_FAILS:
        if (m.state != AG_STATE_DOWNLOADING && m.state != AG_STATE_VERIFYING)
            return false;
        fetch_paused();
        return true;
    case EVENT_FETCH_REFUSED:
        if (m.state != AG_STATE_DOWNLOADING)
            return false;
        install_refused();
        return true;
    case EVENT_VERIFIED:
        return verified();
    case EVENT_VERIFY_REFUSED:
        if (m.state != AG_STATE_VERIFYING)
            return false;
        install_refused();
        return true;
    case EVENT_RUNS_DONE:
        if (!is_on_trial() || m.did_runs)
            return false;
        m.did_runs = true;
        return true;
    case EVENT_WELL:
        if (!is_on_trial() || m.health != AG_CRITERIA_HEALTH_ASKED)
            return false;
        m.health = AG_CRITERIA_HEALTH_WELL;
        return true;
    case EVENT_HUB_ANSWERS:
        if (!is_on_trial() || !m.hub_was_asked || m.hub_answered || !m.online)
            return false;
        m.hub_answered = true;
        return true;
    case EVENT_HUB_TIMEOUT:
        return is_on_trial() && m.hub_was_asked && !m.hub_answered && judge(false, true);
    case EVENT_OVERDUE:
        return is_on_trial() && judge(true, false);
    case EVENT_TRIAL_TRAPS:
        if (!is_on_trial())
            return false;
        trial_failed();
        return true;
    case EVENT_TRAPS:
        if (m.runs != CURRENT)
            return false;
        confirmed_failed();
        return true;
    case EVENT_RESTART:
        return restart(false);
    case EVENT_LONG_PAUSE_OVER:
        return restart(true);
    case EVENT_STABLE:
        if (m.runs != CURRENT || m.ram_failures == 0)
            return false;
        forget_failures();
        return true;
    case EVENT_RESET:
        word = NOBODY;
        boot();
        return true;
    case EVENT_BITE:
        if (m.runs == NOBODY)
            return false;
        word = m.runs;
        boot();
        return true;
    case EVENT_RECOVER:
        if (!m.flash_is_dead)
            return false;
        recover();
        return true;
    case EVENT_WINDOW_OPENS:
        return move_window(false);
    case EVENT_WINDOW_CLOSES:
        return move_window(true);
    case EVENT_ASK_RETRY:
        return ask_retry();
    case EVENT_ASK_RESTART:
        return ask_restart();
    case EVENT_TWIN:
        break;
    }
    return change_twin(event - EVENT_TWIN);
}

// Leaves out what nothing asks for any more, so that states differ only where that matters.
static void forget_the_past(void)
{
    if (m.runs != NEXT) {
        m.did_runs = m.hub_was_asked = m.hub_answered = false;
        m.health = AG_CRITERIA_HEALTH_UNKNOWN;
    }
    if (m.state != AG_STATE_STAGED)
        m.window_is_closed = false;
    if (!m.outcome && m.state != AG_STATE_REFUSED)
        m.world_refused = false;
    if (m.origin != m.current && m.origin != m.next && m.origin != m.rejected)
        m.origin = 0;
}

void machine_init(struct machine *machine)
{
    memset(machine, 0, sizeof *machine);
    machine->kind = KIND_ABSENT;
    machine->enabled = true;
}

bool machine_step(struct machine *machine, int event, const struct machine_flash *how,
                  struct machine_trace *traced)
{
    m = *machine;
    trace = traced;
    memset(trace, 0, sizeof *trace);
    flash = *how;
    word = NOBODY;
    volatile bool did = true; // outlives the jump
    if (setjmp(power) == 0) {
        did = happens(event);
    } else {
        flash.cut_after = 0; // one cut a step; the next one is another step
        boot();
    }
    forget_the_past();
    *machine = m;
    return did;
}

// ---- What must hold ----------------------------------------------------------------------------

const char *machine_breach(const struct machine *machine)
{
    m = *machine;
    uint8_t file = m.runs == NEXT ? next() : m.runs == CURRENT ? current() : 0;
    if (m.runs != NOBODY && file == 0)
        return "what runs is not in the store, or condemned";
    if (file && !(m.proven & (m.runs == NEXT ? NEXT : m.condemned & CURRENT ? PREVIOUS : CURRENT)))
        return "what runs was never verified";
    if (file && (m.quarantine & 1u << file))
        return "what runs is in quarantine";
    if (m.runs == NEXT && (!m.next_on_trial || m.state != AG_STATE_TRIAL))
        return "a version runs on trial without its mark";
    if (m.state == AG_STATE_TRIAL && m.runs != NEXT)
        return "a trial has nothing that runs";
    if (current() && m.runs == NOBODY && !m.stopped && !m.failing)
        return "a confirmed version is down, and nothing will start it";
    if ((m.state == AG_STATE_RUNNING || m.state == AG_STATE_ROLLED_BACK) && m.runs != CURRENT &&
        !m.failing)
        return "a version is called running that does not run";
    return NULL;
}

// Whether the host has a reason to think that the desired file can be installed.
static bool may_come(uint8_t file)
{
    if (m.world_refused || (m.quarantine & 1u << file))
        return false;
    // A retry that a cut came into, before it forgot that the file had failed, was not answered and
    // is asked for again.
    if (m.rejected == file)
        return false;
    if (!current() || version_of(file) > version_of(current()))
        return true;
    // An older one may not, and another file of the same version never does.
    return version_of(file) < version_of(current()) && m.kind == KIND_DOWN1;
}

bool machine_is_at_goal(const struct machine *machine)
{
    m = *machine;
    uint8_t file = desired_file();
    if (!m.known || m.flash_is_dead)
        return false;
    if (m.kind == KIND_ABSENT)
        return m.current == 0 && m.next == 0 && m.state == AG_STATE_ABSENT;
    if (!m.enabled && m.kind != KIND_MALFORMED)
        return m.runs == NOBODY && m.state == AG_STATE_STOPPED && next() == 0;
    bool runs = m.runs == CURRENT;
    if (m.kind == KIND_MALFORMED)
        return m.state == AG_STATE_REFUSED && (runs || m.stopped || !current() || m.failing);
    if (m.kind == KIND_KEEP)
        return current() ? runs && m.state == AG_STATE_RUNNING : m.state == AG_STATE_REFUSED;
    if (current() == file || (!m.with_hash && version_of(current()) == version_of(file)))
        return runs && m.state == AG_STATE_RUNNING;
    // This file will not come: the device says so, and runs what it has.
    bool is_told = m.state == AG_STATE_REFUSED || m.state == AG_STATE_ROLLED_BACK ||
                   m.state == AG_STATE_FAILED;
    return is_told && !may_come(file) && (runs || !current());
}

// ---- Keys --------------------------------------------------------------------------------------

// clang-format off
#define FIELDS(X)                                                                                  \
    X(current, 2) X(previous, 2) X(next, 2) X(rejected, 2) X(trials, 2) X(next_on_trial, 1)        \
    X(next_is_sealed, 1) X(pardons, 1) X(window_is_closed, 1) X(world_refused, 1)                  \
    X(history_of, 2) X(failures, 3) X(disabled, 1) X(state, 4) X(runs, 2) X(condemned, 3)          \
    X(ram_history_of, 2) X(ram_failures, 3) X(stopped, 1) X(failing, 1) X(outcome, 1) X(known, 1)  \
    X(online, 1) X(flash_is_dead, 1) X(has_desired, 1) X(fetched, 2) X(did_runs, 1)                \
    X(hub_was_asked, 1) X(hub_answered, 1) X(health, 2) X(kind, 3) X(enabled, 1) X(with_hash, 1)   \
    X(wants_hub, 1) X(origin, 2)
// clang-format on

uint64_t machine_pack(const struct machine *machine)
{
    uint64_t key = 0;
#define PACK(field, bits) key = key << bits | machine->field;
    FIELDS(PACK)
#undef PACK
    key = key << 3 | machine->quarantine >> 1;
    return key << 3 | machine->proven;
}

void machine_unpack(uint64_t key, struct machine *machine)
{
    memset(machine, 0, sizeof *machine);
    static const uint8_t sizes[] = {
#define SIZE(field, bits) bits,
        FIELDS(SIZE)
#undef SIZE
    };
    uint8_t values[sizeof sizes];
    machine->proven = (uint8_t)(key & 7);
    machine->quarantine = (uint8_t)((key >> 3 & 7) << 1);
    key >>= 6;
    for (size_t i = sizeof sizes; i-- > 0; key >>= sizes[i])
        values[i] = (uint8_t)(key & ((1u << sizes[i]) - 1));
    size_t at = 0;
#define UNPACK(field, bits) machine->field = values[at++];
    FIELDS(UNPACK)
#undef UNPACK
}

void machine_print(const struct machine *machine)
{
    printf(" ");
#define PRINT(field, bits)                                                                         \
    if (machine->field)                                                                            \
        printf(" " #field "=%u", (unsigned)machine->field);
    FIELDS(PRINT)
#undef PRINT
    printf(" quarantine=%x proven=%x (%s)\n", machine->quarantine, machine->proven,
           ag_transition_state_name((enum ag_transition_state)machine->state));
}

const char *machine_event_name(int event)
{
    static const char *const names[] = {
        "plan",           "judge",           "pause over",
        "online",         "offline",         "fetched",
        "fetch fails",    "fetch refused",   "verified",
        "verify refused", "runs done",       "well",
        "hub answers",    "hub timeout",     "overdue",
        "trial traps",    "traps",           "restart",
        "long pause",     "stable",          "reset",
        "bite",           "recover",         "window opens",
        "window closes",  "retry asked for", "restart asked for",
    };
    return event < EVENT_TWIN ? names[event] : "twin changes";
}
