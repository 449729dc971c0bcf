// SPDX-License-Identifier: Apache-2.0
// ag-sim: lives through worlds of simulated devices, one seed after the other, and checks that no
// rule is ever broken.
//
//     ag-sim [--seed S] [--worlds N] [--seconds T] [--dense] [--trace] [--stats]
//
// --dense: only worlds that last for days, not for years. The last line says how much was lived
// through. Exit 1 when a rule was broken; the lines before the last say by which seed and step, and
// how to live through it again.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/sim/fleet.h"

#define YEAR_MS (365.25 * 86400000.0)

struct options {
    uint64_t seed;
    uint64_t worlds;  // 0: as many as there is time for
    uint64_t seconds; // 0: no limit
    bool traces;
    bool has_stats;
    bool is_dense; // only worlds of few days
};

struct totals {
    double device_years;
    uint64_t worlds;
    uint64_t steps;
    uint64_t faults[SIM_FAULTS];
    uint64_t violations;
    uint64_t reports;
    uint64_t boots;
    uint64_t operations;
};

static struct fleet fleet;

// A cut of the power leaves what the processor held, such as a hash in OpenSSL's memory: no leak.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seed") == 0      ? &options->seed
                           : strcmp(argv[i], "--worlds") == 0  ? &options->worlds
                           : strcmp(argv[i], "--seconds") == 0 ? &options->seconds
                                                               : NULL;
        if (number && i + 1 < argc)
            *number = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--trace") == 0)
            options->traces = true;
        else if (strcmp(argv[i], "--stats") == 0)
            options->has_stats = true;
        else if (strcmp(argv[i], "--dense") == 0)
            options->is_dense = true;
        else
            return false;
    }
    return true;
}

static void add(struct totals *totals)
{
    totals->worlds++;
    totals->device_years += (double)fleet.world.now_ms * fleet.profile.devices / YEAR_MS;
    totals->steps += fleet.world.steps;
    for (int i = 0; i < SIM_FAULTS; i++)
        totals->faults[i] += fleet.world.faults[i];
    for (uint32_t i = 0; i < fleet.profile.devices; i++) {
        totals->reports += fleet.devices[i].hub.reports;
        totals->boots += fleet.devices[i].device.boots;
        totals->operations += fleet.devices[i].device.operations;
    }
}

static void tell_violation(uint64_t seed, bool is_dense, const struct totals *totals)
{
    printf("sim: violation at seed %" PRIu64 ", step %" PRIu64 ": %s\n", seed, fleet.violation_step,
           fleet.violation);
    if (totals->violations == 1)
        printf("sim: live through it again with: build/release/ag-sim --seed %" PRIu64
               " --worlds 1%s --trace\n",
               seed, is_dense ? " --dense" : "");
    fflush(stdout);
}

static void tell_totals(const struct totals *totals, double seconds, bool has_stats)
{
    uint64_t faults = 0;
    for (int i = 0; i < SIM_FAULTS; i++)
        faults += totals->faults[i];
    if (has_stats) {
        for (int i = 0; i < SIM_FAULTS; i++)
            printf("sim:   %-13s %" PRIu64 "\n", sim_fault_name((enum sim_fault)i),
                   totals->faults[i]);
        printf("sim: %" PRIu64 " worlds, %" PRIu64 " steps, %" PRIu64 " starts, %" PRIu64
               " reports, %" PRIu64 " flash operations\n",
               totals->worlds, totals->steps, totals->boots, totals->reports, totals->operations);
        printf("sim: %.1f device-years a minute of one processor\n",
               totals->device_years / seconds * 60.0);
    }
    printf("sim: device-years %.0f, faults %" PRIu64 ", violations %" PRIu64 "\n",
           totals->device_years, faults, totals->violations);
}

int main(int argc, char **argv)
{
    struct options options = { .seed = 1, .worlds = 0, .seconds = 0 };
    if (!parse(argc, argv, &options)) {
        fprintf(
            stderr,
            "Usage: ag-sim [--seed S] [--worlds N] [--seconds T] [--dense] [--trace] [--stats]\n");
        return 2;
    }
    if (options.worlds == 0 && options.seconds == 0)
        options.worlds = 1;
    struct totals totals = { .worlds = 0 };
    double start_s = now_s();
    for (uint64_t i = 0; options.worlds == 0 || i < options.worlds; i++) {
        if (options.seconds != 0 && now_s() - start_s >= (double)options.seconds)
            break;
        fleet_run(&fleet, options.seed + i, options.is_dense, options.traces);
        add(&totals);
        if (fleet.violation[0]) {
            totals.violations++;
            tell_violation(options.seed + i, options.is_dense, &totals);
        }
        fleet_clear(&fleet);
    }
    catalogue_clear();
    trusts_clear();
    tell_totals(&totals, now_s() - start_s, options.has_stats);
    return totals.violations > 0;
}
