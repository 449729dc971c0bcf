// SPDX-License-Identifier: Apache-2.0
// Power cuts of the whole host: each scenario is cut at every flash operation in every way that
// flash can be left, started again without and then with a network, and cut again at every
// operation of that recovery.
//
// As a test: every first cut, and a sample of the second ones. `--all [JOBS [SCENARIO...]]`: all of
// them, of these scenarios or of all, in so many processes, and a table. A failure is named
// SCENARIO:WAY:N or SCENARIO:WAY:N:WAY:M; to see that one again: power_host_test --replay
// failing:torn2:7:lost0:3
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness.h"
#include "test/power/jobs.h"
#include "test/power/moment.h"
#include "test/power/scenarios.h"
#include "test/unit/host/watch.h"
#include "test/unit/host/world.h"

#define SCENARIOS_MAX 48
#define ALONE_MS      1000u   // without a network after a start
#define SETTLE_MS     600000u // until the desired state is reached and reported
#define TRUST_TURNS   8u      // of a new trust store object, by turns with the old one
#define FAILURES_TOLD 20u     // of each process

// Ways in which a cut leaves the flash: a mode, and the pattern of what is torn or lost.
struct way {
    enum sim_cut_mode mode;
    uint32_t seed;
};
static const struct way ways[] = {
    { SIM_CUT_BEFORE, 0 }, { SIM_CUT_TORN, 0 }, { SIM_CUT_AFTER, 0 }, { SIM_CUT_LOST, 0 },
    { SIM_CUT_PREFIX, 0 }, // the first five are those of the test
    { SIM_CUT_TORN, 1 },   { SIM_CUT_TORN, 2 }, { SIM_CUT_LOST, 1 },  { SIM_CUT_LOST, 2 },
};
#define WAYS      (sizeof ways / sizeof ways[0])
#define WAYS_TEST 5u

// A place to cut: the n-th operation in a way.
struct cut {
    uint32_t at; // 0: none
    uint32_t way;
};

struct count {
    uint32_t operations;
    uint32_t ways;
    uint32_t first;
    uint32_t second;
    uint32_t failures;
};

static struct {
    const struct scenario *scenario;
    struct cut first;
    struct cut second;
    uint32_t cuts;     // in the run in hand
    uint32_t requests; // of the world when the run began
    uint32_t recovery; // operations of the recovery
    // How the campaign goes.
    bool is_complete;
    uint32_t job;
    uint32_t jobs;
    char **names;          // of scenarios that are wanted, ended by NULL; empty: all
    struct cut only_first; // from --replay
    struct cut only_second;
    struct count counts[SCENARIOS_MAX]; // of this process
} power = { .jobs = 1 };

static struct moment before; // the scenario, prepared
static struct moment after;  // its first cut

static void give_before(void)
{
    moment_give(&before);
    watch_memory();
    power.cuts = 0;
    power.requests = world.requests;
}

// As it was at the first cut, also what must stay since: every recovery begins alike.
static void give_after(void)
{
    moment_give(&after);
    watch_back();
    power.cuts = 1;
    power.requests = world.requests;
}

// ---- What must be so ---------------------------------------------------------------------------

static bool find_status(const char *name, struct ag_host_plugin_status *status)
{
    for (uint32_t i = 0; ag_host_plugin_at(world.host, i, status) == AG_OK; i++)
        if (strcmp(status->name, name) == 0)
            return true;
    return false;
}

static uint32_t entry_count(void)
{
    uint32_t count = 0;
    while (power.scenario->expectations[count].name)
        count++;
    return count;
}

// It failed so often that it does not run but now and then.
static bool is_left_down(const struct expectation *expectation)
{
    return expectation->error == AG_ERR_GAVE_UP;
}

// Without a network a version runs that was confirmed: the one from before, or already the new one.
static void check_alone(const struct expectation *expectation, uint32_t writes)
{
    struct ag_host_plugin_status status;
    const bool must_run =
        expectation->before != 0 && expectation->after != 0 && !is_left_down(expectation);
    const bool is_there = find_status(expectation->name, &status) && status.version != 0;
    if (is_there)
        CHECK(status.version == expectation->before || status.version == expectation->after);
    if (must_run) {
        CHECK(is_there);
        CHECK(status.runs > 0);
        CHECK(board.writes[expectation->pin] > writes);
        CHECK_EQUAL(board.levels[expectation->pin], status.version & 1);
    }
}

static void check_end(const struct expectation *expectation)
{
    CHECK_TEXT(world_state(expectation->name), expectation->state);
    CHECK_EQUAL(world_version(expectation->name), expectation->after);
    CHECK_EQUAL(world_error(expectation->name), expectation->error);
    if (expectation->after == 0 || strcmp(expectation->state, "stopped") == 0)
        return;
    const uint32_t writes = board.writes[expectation->pin];
    world_run(300);
    if (is_left_down(expectation)) {
        CHECK_EQUAL(board.writes[expectation->pin], writes);
        return;
    }
    CHECK(board.writes[expectation->pin] > writes);
    CHECK_EQUAL(board.levels[expectation->pin], expectation->after & 1);
}

// A version is tried once, and once more for each cut; and not fetched for ever.
static void check_no_loop(void)
{
    const uint32_t rounds = power.cuts + 2;
    const uint32_t of_trust = board_log_count("trust store object 2: trial");
    CHECK(board_log_count(": trial") - of_trust <= rounds * entry_count());
    CHECK(of_trust <= TRUST_TURNS * rounds);
    CHECK(world.requests - power.requests <= 4 * rounds * entry_count());
}

// ---- Lives: from power-up to a cut, or to the end -----------------------------------------------

static void reach_the_end(void)
{
    const struct scenario *scenario = power.scenario;
    CHECK(world_settle(SETTLE_MS));
    for (uint32_t i = 0; i < entry_count(); i++)
        check_end(&scenario->expectations[i]);
    if (scenario->check)
        scenario->check();
    check_no_loop();
}

static void play(void)
{
    world_boot();
    if (power.scenario->play)
        power.scenario->play();
    else
        reach_the_end();
}

static void recover(void)
{
    uint32_t writes[BOARD_PINS];
    memset(board.levels, 0, sizeof board.levels);
    memset(board.modes, 0, sizeof board.modes);
    memcpy(writes, board.writes, sizeof writes);
    world.hub_pipe.open_fails = AG_ERR_CONNECT;
    world_boot();
    world_run(ALONE_MS);
    for (uint32_t i = 0; i < entry_count(); i++) {
        const struct expectation *expectation = &power.scenario->expectations[i];
        check_alone(expectation, writes[expectation->pin]);
    }
    world.hub_pipe.open_fails = AG_OK;
    world.file_pipe.cut_after = 0;
    if (power.scenario->finish)
        power.scenario->finish();
    reach_the_end();
}

// Lives until the cut, if there is one; its end is without power.
static void live(void (*life)(void), const struct cut *cut)
{
    world.flash.cut_at = cut->at;
    world.flash.cut_mode = ways[cut->way].mode;
    world.flash.seed = power.first.at * 1009u + cut->at * 977u + ways[cut->way].seed * 31u + 1;
    world.stops_at_cut = true;
    if (setjmp(world.power) == 0)
        life();
    CHECK_EQUAL(world.flash.off, cut->at != 0);
    CHECK_EQUAL(world.flash.counts.breaches, 0);
    world_power_off();
    power.cuts += cut->at != 0;
}

// One run: to the first cut, and from there on with or without a second one.
static void run_first(void)
{
    give_before();
    live(play, &power.first);
    sim_flash_restart(&world.flash);
    moment_take(&after);
    watch_mark();
}

static const struct cut no_cut;

static void run_recovery(void)
{
    give_after();
    live(recover, &no_cut);
    power.recovery = world.flash.operations;
}

static void run_first_and_recover(void)
{
    run_first();
    run_recovery();
}

static void run_second(void)
{
    give_after();
    live(recover, &power.second);
    sim_flash_restart(&world.flash);
    live(recover, &no_cut);
}

// ---- The campaign ------------------------------------------------------------------------------

static void write_id(char id[96])
{
    const struct way *way = &ways[power.first.way];
    int size = snprintf(id, 96, "%s:%s%u:%u", power.scenario->name, sim_cut_mode_name(way->mode),
                        (unsigned)way->seed, (unsigned)power.first.at);
    way = &ways[power.second.way];
    if (power.second.at)
        snprintf(id + size, 96 - (size_t)size, ":%s%u:%u", sim_cut_mode_name(way->mode),
                 (unsigned)way->seed, (unsigned)power.second.at);
}

static struct count *count_of(const struct scenario *scenario)
{
    return &power.counts[scenario - scenarios];
}

// False when it failed, which is told.
static bool attempt(void (*run)(void))
{
    char id[96];
    write_id(id);
    test_note("%s", id);
    if (test_try(run))
        return true;
    struct count *count = count_of(power.scenario);
    if (count->failures++ < FAILURES_TOLD)
        printf("# failed: %s: %s\n", id, test_why());
    return false;
}

static bool is_chosen(struct cut only, struct cut cut)
{
    return only.at == 0 || (only.at == cut.at && only.way == cut.way);
}

// Of all second cuts the test takes one in so many.
static bool second_is_due(void)
{
    const uint32_t number =
        (power.first.at * (uint32_t)WAYS + power.first.way) * 131u + power.second.at * 7u;
    return power.is_complete || power.only_first.at != 0 ||
           (number % 23u == 0 && power.second.way == number / 23u % WAYS_TEST);
}

static void cut_again(void)
{
    const uint32_t operations = power.recovery;
    for (power.second.at = 1; power.second.at <= operations; power.second.at++) {
        for (power.second.way = 0; power.second.way < WAYS_TEST; power.second.way++) {
            if (!is_chosen(power.only_second, power.second) || !second_is_due())
                continue;
            (void)attempt(run_second);
            count_of(power.scenario)->second++;
        }
    }
    power.second.at = 0;
}

static void cut_everywhere(void)
{
    struct count *count = count_of(power.scenario);
    const uint32_t way_count = power.is_complete || power.only_first.at ? WAYS : WAYS_TEST;
    count->ways = way_count;
    for (power.first.at = 1; power.first.at <= count->operations; power.first.at++) {
        for (power.first.way = 0; power.first.way < way_count; power.first.way++) {
            if (!is_chosen(power.only_first, power.first) ||
                (power.first.at * way_count + power.first.way) % power.jobs != power.job)
                continue;
            count->first++;
            if (attempt(run_first_and_recover) && (!power.only_first.at || power.only_second.at))
                cut_again();
        }
    }
    power.first.at = 0;
}

static void run_uncut(void)
{
    give_before();
    live(play, &no_cut);
    count_of(power.scenario)->operations = world.flash.operations;
    sim_flash_restart(&world.flash);
    live(recover, &no_cut);
}

static void prepare(void)
{
    scenario_open();
    moment_open(&before);
    moment_open(&after);
    scenario_prepare(power.scenario);
    moment_take(&before);
    run_uncut();
}

static void survive(const struct scenario *scenario)
{
    power.scenario = scenario;
    power.first = power.second = no_cut;
    struct count *count = count_of(scenario);
    *count = (struct count){ 0 };
    if (!attempt(prepare))
        return;
    CHECK(count->operations > 0);
    cut_everywhere();
    moment_close(&before);
    moment_close(&after);
    world_close();
}

// ---- As a campaign -----------------------------------------------------------------------------

static bool is_wanted(const struct scenario *scenario)
{
    bool is_named = power.names[0] == NULL;
    for (char **name = power.names; *name; name++)
        is_named |= strcmp(*name, scenario->name) == 0;
    return is_named;
}

static void run_job(struct count *counts)
{
    for (size_t i = 0; i < scenario_count; i++) {
        if (!is_wanted(&scenarios[i]))
            continue;
        survive(&scenarios[i]);
        counts[i] = power.counts[i];
        if (power.job == 0)
            printf("# %zu of %zu: %s\n", i + 1, scenario_count, scenarios[i].name);
    }
}

static void add_up(struct count *sum, const struct count *part)
{
    sum->operations = part->operations;
    sum->ways = part->ways;
    sum->first += part->first;
    sum->second += part->second;
    sum->failures += part->failures;
}

static void print_row(const char *name, const struct count *count)
{
    printf("%-20s %10u %5u %8u %11u %8u\n", name, (unsigned)count->operations,
           (unsigned)count->ways, (unsigned)count->first, (unsigned)count->second,
           (unsigned)count->failures);
}

static int print_table(struct count counts[][SCENARIOS_MAX])
{
    struct count all = { 0 };
    size_t wanted = 0;
    printf("%-20s %10s %5s %8s %11s %8s\n", "scenario", "operations", "modes", "cuts",
           "second cuts", "failures");
    for (size_t i = 0; i < scenario_count; i++) {
        struct count sum = { 0 };
        if (!is_wanted(&scenarios[i]))
            continue;
        wanted++;
        for (uint32_t job = 0; job < power.jobs; job++)
            add_up(&sum, &counts[job][i]);
        print_row(scenarios[i].name, &sum);
        all.first += sum.first;
        all.second += sum.second;
        all.failures += sum.failures;
    }
    printf("host: scenarios %zu, cuts %u, failures %u\n", wanted,
           (unsigned)(all.first + all.second), (unsigned)all.failures);
    return all.failures > 0 || wanted == 0;
}

static struct count (*shared)[SCENARIOS_MAX];

static void run_shared_job(uint32_t job)
{
    power.job = job;
    run_job(shared[job]);
}

static int run_jobs(void)
{
    shared = jobs_share(JOBS_MAX * sizeof shared[0]);
    if (!shared)
        return 1;
    const bool passed = jobs_run(power.jobs, run_shared_job);
    const int failed = print_table(shared);
    return failed || !passed;
}

// ---- As a test ---------------------------------------------------------------------------------

static void survive_by_name(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) != 0)
            continue;
        survive(&scenarios[i]);
        const struct count *count = &power.counts[i];
        printf("# %s: %u operations, %u cuts, %u second cuts\n", name, (unsigned)count->operations,
               (unsigned)count->first, (unsigned)count->second);
        CHECK_EQUAL(count->failures, 0);
        return;
    }
    CHECK(!"a scenario of this name");
}

#define TESTS(X)                                                                                   \
    X(a_first_install_on_a_blank_device_survives_every_cut, "install")                             \
    X(an_update_survives_every_cut, "update")                                                      \
    X(a_refused_older_version_survives_every_cut, "older")                                         \
    X(a_refused_lower_epoch_survives_every_cut, "lower-epoch")                                     \
    X(a_higher_epoch_survives_every_cut, "higher-epoch")                                           \
    X(an_allowed_downgrade_survives_every_cut, "allowed-downgrade")                                \
    X(a_removal_survives_every_cut, "removal")                                                     \
    X(an_exchange_of_plug_ins_survives_every_cut, "exchange")                                      \
    X(three_updates_at_once_survive_every_cut, "three")                                            \
    X(a_failing_trial_survives_every_cut, "failing")                                               \
    X(a_first_version_that_fails_survives_every_cut, "first-fails")                                \
    X(a_confirmed_version_that_fails_later_survives_every_cut, "fails-later")                      \
    X(falling_back_to_the_data_of_the_version_before_survives_every_cut, "fails-with-data")        \
    X(a_version_left_down_and_tried_each_hour_survives_every_cut, "left-down")                     \
    X(restarting_by_method_survives_every_cut, "restart")                                          \
    X(a_retry_by_method_survives_every_cut, "retry")                                               \
    X(lines_kept_on_flash_survive_every_cut, "logs")                                               \
    X(other_options_survive_every_cut, "options")                                                  \
    X(settings_that_a_schema_refuses_survive_every_cut, "schema")                                  \
    X(stopping_and_starting_survives_every_cut, "stop-start")                                      \
    X(a_version_that_waits_for_its_window_survives_every_cut, "window")                            \
    X(a_superseded_download_survives_every_cut, "superseded")                                      \
    X(a_download_resumed_survives_every_cut, "resume")                                             \
    X(an_update_into_the_last_room_survives_every_cut, "last-room")                                \
    X(a_store_without_room_survives_every_cut, "no-room")                                          \
    X(a_compaction_survives_every_cut, "compaction")                                               \
    X(a_journal_that_wraps_survives_every_cut, "wrapping")                                         \
    X(a_host_with_another_engine_survives_every_cut, "engine")                                     \
    X(damaged_code_survives_every_cut, "damaged-code")                                             \
    X(a_damaged_file_survives_every_cut, "damaged-file")                                           \
    X(a_new_trust_store_object_by_file_survives_every_cut, "trust-by-file")                        \
    X(a_trust_store_object_replaced_over_the_air_survives_every_cut, "trust-replaced")             \
    X(a_trust_store_object_that_is_rolled_back_survives_every_cut, "trust-back")                   \
    X(plug_in_data_being_written_survives_every_cut, "data")

#define DEFINE(function, name)                                                                     \
    static void function(void)                                                                     \
    {                                                                                              \
        survive_by_name(name);                                                                     \
    }
TESTS(DEFINE)

#define LIST(function, name) TEST(function),
static const struct test_case cases[] = { TESTS(LIST) };

// ---- One cut again -----------------------------------------------------------------------------

static bool read_cut(const char **text, struct cut *cut)
{
    char mode[16];
    unsigned seed;
    unsigned at;
    int size = 0;
    if (sscanf(*text, ":%15[a-z]%u:%u%n", mode, &seed, &at, &size) != 3)
        return false;
    *text += size;
    cut->at = at;
    for (cut->way = 0; cut->way < WAYS; cut->way++)
        if (ways[cut->way].seed == seed &&
            strcmp(sim_cut_mode_name(ways[cut->way].mode), mode) == 0)
            return at > 0;
    return false;
}

static int replay(const char *id)
{
    const char *rest = strchr(id, ':');
    char name[64];
    snprintf(name, sizeof name, "%.*s", rest ? (int)(rest - id) : 0, id);
    const struct scenario *scenario = NULL;
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            scenario = &scenarios[i];
    if (!scenario || !read_cut(&rest, &power.only_first) ||
        (*rest && !read_cut(&rest, &power.only_second)) || *rest) {
        fprintf(stderr, "usage: power_host_test --replay SCENARIO:WAY:N[:WAY:M]\n");
        return 2;
    }
    char *argv_of_one[] = { NULL, NULL };
    power.scenario = scenario;
    power.is_complete = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (scenario == &scenarios[i])
            return test_main(1, argv_of_one, &cases[i], 1);
    return 2;
}

int main(int argc, char **argv)
{
    const char *option = argc > 1 ? argv[1] : "";
    if (strcmp(option, "--replay") == 0 && argc == 3)
        return replay(argv[2]);
    if (strcmp(option, "--all") != 0)
        return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    power.is_complete = true;
    power.jobs = jobs_parse(argc > 2 ? argv[2] : NULL);
    power.names = argc > 3 ? argv + 3 : argv + argc;
    return run_jobs();
}
