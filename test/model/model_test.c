// SPDX-License-Identifier: Apache-2.0
// Explores the update machine (machine.h) breadth first, from a new device: every state that any
// order of events, cuts and failures of the flash can lead to. What is proven over all of them:
//
// - Safety, in every state: what runs was verified in the very slot that it runs from, is not in
//   quarantine, and on trial only behind its mark; a confirmed version that is wanted is never
//   given up without another one to take its place; no event comes that the transition table does
//   not know; nothing stays down unplanned, and nothing that is down is called running.
// - Exit: from every state, with this twin and no further fault, there is a way to where the twin
//   wants the device, also where the flash has failed, without a restart. Telling that the desired
//   version is refused is such a place only where the world has said no to just that file.
// - Rest: the plan comes to an end by itself.
// - Progress, in every cycle of states with the same twin: no trial is begun, whatever is reset,
//   unless the flash failed (then a cut inside the recovery may forget it, once each time); no
//   fetch is begun unless the network failed or the device was reset; and no confirmed version
//   fails, unless it was stable for a minute or rested for long.
//
//     model_test              the small model, and that broken rules are noticed
//     model_test --campaign   the whole one; the last line says how large it was
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness.h"
#include "test/model/machine.h"

enum {
    EDGE_FAULT = 2,   // a reset or a cut
    EDGE_FLASH = 4,   // the flash failed
    EDGE_NETWORK = 8, // a fetch failed in a way that may pass
    EDGE_FETCH = 16,
    EDGE_ACTIVATE = 32,
    EDGE_FAILURE = 64, // of what runs
    EDGE_PAUSE = 128,  // a stable minute, or the long pause
};

struct edge {
    uint32_t to;
    uint8_t flags;
};

struct model {
    bool is_small;
    uint64_t *keys; // of states, in the order found
    uint32_t *parents;
    uint16_t *events; // by which a state was first reached
    uint32_t count, capacity;
    uint32_t *table; // open addressing: index + 1
    uint32_t table_size;
    struct edge *edges;
    uint64_t *first; // of a state's edges
    uint64_t edge_count, edge_capacity;
    uint64_t transitions; // the edges, and what changes the twin
    uint32_t violations;
    bool is_quiet;
    const char *wanted; // a violation with which exploring ends; NULL: none
    bool is_found;      // it was there
};

static void *grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    if (!grown) {
        fprintf(stderr, "model: no memory\n");
        exit(2);
    }
    return grown;
}

static void close_model(struct model *model)
{
    free(model->keys);
    free(model->parents);
    free(model->events);
    free(model->table);
    free(model->edges);
    free(model->first);
    memset(model, 0, sizeof *model);
}

static void report(struct model *model, uint32_t state, const char *what)
{
    model->is_found |= model->wanted && strcmp(what, model->wanted) == 0;
    if (model->violations++ >= 3 || model->is_quiet)
        return;
    printf("# violation: %s\n", what);
    uint32_t path[64];
    int length = 0;
    for (uint32_t at = state; at != 0 && length < 64; at = model->parents[at])
        path[length++] = at;
    while (length-- > 0) {
        struct machine machine;
        machine_unpack(model->keys[path[length]], &machine);
        printf("#   %s:", machine_event_name(model->events[path[length]]));
        machine_print(&machine);
    }
}

// ---- Exploring ---------------------------------------------------------------------------------

static uint32_t *place_of(struct model *model, uint64_t key)
{
    uint32_t at = (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (model->table_size - 1);
    while (model->table[at] && model->keys[model->table[at] - 1] != key)
        at = (at + 1) & (model->table_size - 1);
    return &model->table[at];
}

static void enlarge(struct model *model)
{
    model->capacity = model->capacity ? 2 * model->capacity : 1u << 16;
    model->keys = grow(model->keys, model->capacity * sizeof *model->keys);
    model->parents = grow(model->parents, model->capacity * sizeof *model->parents);
    model->events = grow(model->events, model->capacity * sizeof *model->events);
    model->first = grow(model->first, (model->capacity + 1) * sizeof *model->first);
    free(model->table);
    model->table_size = 2 * model->capacity;
    model->table = calloc(model->table_size, sizeof *model->table);
    if (!model->table)
        exit(2);
    for (uint32_t i = 0; i < model->count; i++)
        *place_of(model, model->keys[i]) = i + 1;
}

static uint32_t find_or_add(struct model *model, uint64_t key, uint32_t parent, int event)
{
    if (model->count == model->capacity)
        enlarge(model);
    uint32_t *place = place_of(model, key);
    if (*place)
        return *place - 1;
    model->keys[model->count] = key;
    model->parents[model->count] = parent;
    model->events[model->count] = (uint16_t)event;
    *place = ++model->count;
    return model->count - 1;
}

static void add_edge(struct model *model, uint32_t to, unsigned flags)
{
    if (model->edge_count == model->edge_capacity) {
        model->edge_capacity = model->edge_capacity ? 2 * model->edge_capacity : 1u << 20;
        model->edges = grow(model->edges, model->edge_capacity * sizeof *model->edges);
    }
    model->edges[model->edge_count++] = (struct edge){ to, (uint8_t)flags };
}

static unsigned flags_of(const struct machine *from, int event, const struct machine_flash *flash,
                         const struct machine_trace *trace)
{
    unsigned flags = trace->fetches ? EDGE_FETCH : 0;
    if (trace->activates)
        flags |= EDGE_ACTIVATE;
    if (event == EVENT_RESET || event == EVENT_BITE || flash->cut_after)
        flags |= EDGE_FAULT;
    if (flash->fails_from)
        flags |= EDGE_FLASH;
    if (event == EVENT_FETCH_FAILS || event == EVENT_PAUSE_OVER)
        flags |= EDGE_NETWORK;
    if (event == EVENT_TRAPS || event == EVENT_TRIAL_TRAPS ||
        (event == EVENT_BITE && from->runs == CURRENT))
        flags |= EDGE_FAILURE;
    if (event == EVENT_STABLE || event == EVENT_LONG_PAUSE_OVER)
        flags |= EDGE_PAUSE;
    return flags;
}

// One event in one way; the writes to flash that it made.
static uint32_t follow(struct model *model, uint32_t state, int event,
                       const struct machine_flash *flash)
{
    struct machine from;
    struct machine to;
    struct machine_trace trace;
    machine_unpack(model->keys[state], &from);
    to = from;
    if (!machine_step(&to, event, flash, &trace))
        return 0;
    uint64_t key = machine_pack(&to);
    const char *breach = trace.violation ? trace.violation : machine_breach(&to);
    if (key == model->keys[state] && !breach && !trace.fetches && !trace.activates)
        return trace.writes;
    uint32_t target = find_or_add(model, key, state, event);
    model->transitions++;
    if (event < EVENT_ASK_RETRY) // no check follows what somebody asks for
        add_edge(model, target, flags_of(&from, event, flash, &trace));
    if (breach)
        report(model, target, breach);
    return trace.writes;
}

static bool is_in_small_model(int event)
{
    if (event < EVENT_TWIN)
        return true;
    int desire = event - EVENT_TWIN;
    int kind = desire / 8;
    return (kind == KIND_ABSENT || kind == KIND_MALFORMED || kind == KIND_FILE1 ||
            kind == KIND_FILE2) &&
           (desire & 6) == 0;
}

static void follow_all(struct model *model, uint32_t state)
{
    for (int event = 0; event < MACHINE_EVENTS; event++) {
        if (model->is_small && !is_in_small_model(event))
            continue;
        struct machine_flash flash = { 0, 0 };
        uint32_t writes = follow(model, state, event, &flash);
        for (uint32_t i = 1; i <= writes; i++) {
            flash = (struct machine_flash){ .cut_after = i };
            (void)follow(model, state, event, &flash);
            flash = (struct machine_flash){ .fails_from = i };
            (void)follow(model, state, event, &flash);
        }
    }
}

// ---- Exit and rest -----------------------------------------------------------------------------

// Without a restart, also where the flash has failed.
static bool leads_on(const struct edge *edge)
{
    return !(edge->flags & (EDGE_FLASH | EDGE_FAILURE | EDGE_FAULT));
}

static void check_exits(struct model *model)
{
    uint8_t *good = calloc(model->count, 1);
    bool is_changed = good != NULL;
    while (is_changed) {
        is_changed = false;
        for (uint32_t i = model->count; i-- > 0;) {
            struct machine from;
            if (good[i])
                continue;
            machine_unpack(model->keys[i], &from);
            good[i] = machine_is_at_goal(&from);
            for (uint64_t e = model->first[i]; e < model->first[i + 1] && !good[i]; e++)
                good[i] = good[model->edges[e].to] && leads_on(&model->edges[e]);
            is_changed |= good[i];
        }
    }
    for (uint32_t i = 0; good && i < model->count; i++)
        if (!good[i])
            report(model, i, "no way to the desired state");
    free(good);
}

static void check_rest(struct model *model)
{
    const struct machine_flash flash = { 0, 0 };
    struct machine_trace trace;
    for (uint32_t i = 0; i < model->count; i++) {
        struct machine machine;
        uint64_t key = model->keys[i];
        uint64_t before = key + 1;
        machine_unpack(key, &machine);
        for (int steps = 0; steps < 16 && before != key; steps++) {
            before = key;
            (void)machine_step(&machine, EVENT_PLAN, &flash, &trace);
            key = machine_pack(&machine);
        }
        if (before != key)
            report(model, i, "the plan does not come to an end");
    }
}

// ---- Cycles ------------------------------------------------------------------------------------

struct tarjan {
    uint32_t *order; // 0: not visited
    uint32_t *low;
    uint32_t *component; // 0: still open
    uint32_t *open;      // stack of states without a component
    uint32_t *calls;     // stack of states being visited
    uint64_t *at;        // the next edge of each
    uint32_t opened, called, visited, components;
};

static void enter(struct tarjan *tarjan, const struct model *model, uint32_t state)
{
    tarjan->order[state] = tarjan->low[state] = ++tarjan->visited;
    tarjan->at[state] = model->first[state];
    tarjan->open[tarjan->opened++] = state;
    tarjan->calls[tarjan->called++] = state;
}

static void leave(struct tarjan *tarjan, uint32_t state)
{
    tarjan->called--;
    if (tarjan->called > 0) {
        uint32_t caller = tarjan->calls[tarjan->called - 1];
        if (tarjan->low[state] < tarjan->low[caller])
            tarjan->low[caller] = tarjan->low[state];
    }
    if (tarjan->low[state] != tarjan->order[state])
        return;
    tarjan->components++;
    uint32_t member;
    do {
        member = tarjan->open[--tarjan->opened];
        tarjan->component[member] = tarjan->components;
    } while (member != state);
}

static void visit(struct tarjan *tarjan, const struct model *model, uint32_t root, unsigned without)
{
    enter(tarjan, model, root);
    while (tarjan->called > 0) {
        uint32_t state = tarjan->calls[tarjan->called - 1];
        if (tarjan->at[state] == model->first[state + 1]) {
            leave(tarjan, state);
            continue;
        }
        const struct edge *edge = &model->edges[tarjan->at[state]++];
        if (edge->flags & without)
            continue;
        if (tarjan->order[edge->to] == 0)
            enter(tarjan, model, edge->to);
        else if (tarjan->component[edge->to] == 0 && tarjan->order[edge->to] < tarjan->low[state])
            tarjan->low[state] = tarjan->order[edge->to];
    }
}

// No cycle of edges without these flags holds an edge with that flag.
static void check_cycles(struct model *model, unsigned without, unsigned flag, const char *what)
{
    size_t size = model->count * sizeof(uint32_t);
    struct tarjan tarjan = { .order = grow(NULL, size),
                             .low = grow(NULL, size),
                             .component = grow(NULL, size),
                             .open = grow(NULL, size),
                             .calls = grow(NULL, size),
                             .at = grow(NULL, 2 * size) };
    memset(tarjan.order, 0, size);
    memset(tarjan.component, 0, size);
    for (uint32_t i = 0; i < model->count; i++)
        if (tarjan.order[i] == 0)
            visit(&tarjan, model, i, without);
    for (uint32_t i = 0; i < model->count; i++) {
        for (uint64_t e = model->first[i]; e < model->first[i + 1]; e++) {
            const struct edge *edge = &model->edges[e];
            if ((edge->flags & flag) && !(edge->flags & without) &&
                tarjan.component[edge->to] == tarjan.component[i])
                report(model, i, what);
        }
    }
    free(tarjan.order);
    free(tarjan.low);
    free(tarjan.component);
    free(tarjan.open);
    free(tarjan.calls);
    free(tarjan.at);
}

// ---- The whole ---------------------------------------------------------------------------------

static void explore(struct model *model)
{
    struct machine machine;
    machine_init(&machine);
    (void)find_or_add(model, machine_pack(&machine), 0, EVENT_RESET);
    for (uint32_t i = 0; i < model->count && !model->is_found; i++) {
        model->first[i] = model->edge_count;
        follow_all(model, i);
        model->first[i + 1] = model->edge_count;
    }
    if (model->is_found)
        return;
    check_exits(model);
    check_rest(model);
    check_cycles(model, EDGE_FLASH, EDGE_ACTIVATE, "trials without end");
    check_cycles(model, EDGE_FAULT | EDGE_FLASH | EDGE_NETWORK, EDGE_FETCH, "fetches without end");
    check_cycles(model, EDGE_FLASH | EDGE_PAUSE, EDGE_FAILURE, "failures without end");
}

static void the_small_model_holds(void)
{
    struct model model = { .is_small = true };
    machine_rules = machine_real_rules;
    explore(&model);
    printf("# %u states, %llu transitions\n", (unsigned)model.count,
           (unsigned long long)model.transitions);
    CHECK(model.count > 1000);
    CHECK_EQUAL(model.violations, 0);
    close_model(&model);
}

// ---- Broken rules ------------------------------------------------------------------------------

static enum ag_status dead_end(enum ag_transition_state state, enum ag_transition_event event,
                               bool confirmed, enum ag_transition_state *next)
{
    if (state == AG_STATE_FAILED && event == AG_EVENT_FETCH)
        return AG_ERR_ARGUMENT;
    return ag_transition_next(state, event, confirmed, next);
}

static enum ag_status wrong_target(enum ag_transition_state state, enum ag_transition_event event,
                                   bool confirmed, enum ag_transition_state *next)
{
    enum ag_status status = ag_transition_next(state, event, confirmed, next);
    if (status == AG_OK && state == AG_STATE_VERIFYING && event == AG_EVENT_VERIFIED)
        *next = AG_STATE_TRIAL;
    return status;
}

static enum ag_status calls_what_is_stopped_running(enum ag_transition_state state,
                                                    enum ag_transition_event event, bool confirmed,
                                                    enum ag_transition_state *next)
{
    enum ag_status status = ag_transition_next(state, event, confirmed, next);
    if (status == AG_OK && event == AG_EVENT_STOP && confirmed)
        *next = AG_STATE_RUNNING;
    return status;
}

static struct ag_plan_step forgets_outcome(const struct ag_plan_desired *desired,
                                           const struct ag_plan_installed *installed)
{
    struct ag_plan_installed other = *installed;
    other.outcome = AG_OK;
    return ag_plan_next(desired, &other);
}

static struct ag_plan_step removes_malformed(const struct ag_plan_desired *desired,
                                             const struct ag_plan_installed *installed)
{
    struct ag_plan_desired other = *desired;
    other.present = other.present && other.status == AG_OK;
    return ag_plan_next(&other, installed);
}

// No version after the first.
static struct ag_plan_step refuses_updates(const struct ag_plan_desired *desired,
                                           const struct ag_plan_installed *installed)
{
    const struct ag_plan_step refusal = { AG_PLAN_REFUSE, AG_ERR_TWIN_DOWNGRADE };
    const struct ag_plan_step step = ag_plan_next(desired, installed);
    return step.action == AG_PLAN_FETCH && installed->confirmed.version ? refusal : step;
}

static struct ag_plan_step starts_and_stops(const struct ag_plan_desired *desired,
                                            const struct ag_plan_installed *installed)
{
    const struct ag_plan_step stop = { AG_PLAN_STOP, AG_OK };
    const struct ag_plan_step step = ag_plan_next(desired, installed);
    const bool is_up = installed->confirmed.version && !installed->stopped;
    return step.action == AG_PLAN_NOTHING && is_up ? stop : step;
}

static bool never_settles(const struct ag_plan_desired *desired,
                          const struct ag_plan_installed *installed, enum ag_transition_state state,
                          bool is_left)
{
    (void)desired, (void)installed, (void)state, (void)is_left;
    return false;
}

static struct ag_criteria_verdict passes_at_once(const struct ag_criteria *criteria,
                                                 const struct ag_criteria_facts *facts)
{
    struct ag_criteria_facts other = *facts;
    other.health = AG_CRITERIA_HEALTH_WELL;
    return ag_criteria_judge(criteria, &other);
}

static struct ag_criteria_verdict never_judges(const struct ag_criteria *criteria,
                                               const struct ag_criteria_facts *facts)
{
    (void)criteria, (void)facts;
    return (struct ag_criteria_verdict){ AG_CRITERIA_GO_ON, AG_OK };
}

static enum ag_fallback_action always_restarts(const struct ag_fallback_history *history,
                                               uint32_t slot_id, bool has_previous)
{
    (void)history, (void)slot_id, (void)has_previous;
    return AG_FALLBACK_RESTART;
}

static enum ag_fallback_action always_falls_back(const struct ag_fallback_history *history,
                                                 uint32_t slot_id, bool has_previous)
{
    (void)has_previous;
    return ag_fallback_confirmed(history, slot_id, true);
}

static enum ag_status always_tries_again(const struct ag_fallback_history *history,
                                         uint32_t slot_id, uint32_t trials)
{
    (void)history, (void)slot_id, (void)trials;
    return AG_OK;
}

// One rule broken, the others (NULL) real; and what must be found of it.
static const struct {
    struct machine_rules broken;
    const char *what;
} breaks[] = {
    { { .next = dead_end }, "an event came that cannot happen in this state" },
    { { .next = wrong_target }, "a trial has nothing that runs" },
    { { .next = calls_what_is_stopped_running }, "a version is called running that does not run" },
    { { .plan = forgets_outcome }, "fetches without end" },
    { { .plan = removes_malformed }, "a version was removed though it is wanted" },
    { { .plan = refuses_updates }, "no way to the desired state" },
    { { .plan = starts_and_stops }, "the plan does not come to an end" },
    { { .settled = never_settles }, "no way to the desired state" },
    { { .judge = passes_at_once }, "a trial was passed without what is asked of it" },
    { { .judge = never_judges }, "no way to the desired state" },
    { { .fallback = always_restarts }, "failures without end" },
    { { .fallback = always_falls_back },
      "the last confirmed version was given up though it is wanted" },
    { { .trial = always_tries_again }, "trials without end" },
    { { .takes_parts = true }, "what runs was never verified" },
};

static void break_rules(const struct machine_rules *broken)
{
    machine_rules = machine_real_rules;
    if (broken->next)
        machine_rules.next = broken->next;
    if (broken->plan)
        machine_rules.plan = broken->plan;
    if (broken->settled)
        machine_rules.settled = broken->settled;
    if (broken->judge)
        machine_rules.judge = broken->judge;
    if (broken->fallback)
        machine_rules.fallback = broken->fallback;
    if (broken->trial)
        machine_rules.trial = broken->trial;
    machine_rules.takes_parts = broken->takes_parts;
}

static void each_broken_rule_is_noticed_for_what_it_breaks(void)
{
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct model model = { .is_small = true, .is_quiet = true, .wanted = breaks[i].what };
        test_note("%zu: %s", i, breaks[i].what);
        break_rules(&breaks[i].broken);
        explore(&model);
        CHECK(model.is_found);
        close_model(&model);
    }
}

static const struct test_case cases[] = {
    TEST(the_small_model_holds),
    TEST(each_broken_rule_is_noticed_for_what_it_breaks),
};

static int campaign(void)
{
    struct model model = { 0 };
    machine_rules = machine_real_rules;
    explore(&model);
    printf("model: states %u, transitions %llu, violations %u\n", (unsigned)model.count,
           (unsigned long long)model.transitions, (unsigned)model.violations);
    int code = model.violations > 0;
    close_model(&model);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--campaign") == 0)
        return campaign();
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
