// SPDX-License-Identifier: Apache-2.0
// Kernels: native, on the engine, on the engine without metering, on wabt's interpreter. Samples of
// all of them are taken in turn, so that what slows the machine down slows all of them; a ratio is
// the median of the ratios of samples that were taken together. Every result must be the native
// one.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/engine.h"
#include "bench/kernels/kernel.h"
#include "bench/player.h"
#include "cli/cli.h"

enum {
    SAMPLES_MAX = 101,
    ROUNDS_MAX = 100000000,
    WABT_SLOWER = 20, // than the engine, about
};

static const struct kernel {
    const char *name;
    uint32_t (*native)(uint32_t rounds);
} kernels[] = {
#define KERNEL_ROW(name) { #name, kernel_##name },
    KERNELS(KERNEL_ROW)
#undef KERNEL_ROW
};

// What is being measured of one kernel. Rounds differ, as speeds do; times are per round.
struct race {
    const struct kernel *kernel;
    struct ag_buffer module;
    struct bench_play *metered;
    struct bench_play *unmetered;
    char wabt_path[PATH_MAX]; // of the module for wabt
    uint32_t native_rounds;
    uint32_t rounds; // of the engine
    uint32_t wabt_rounds;
    uint32_t result; // of `rounds` rounds
    uint64_t fuel;   // of `rounds` rounds
    bool has_wabt;
    size_t samples;
    double native_ms[SAMPLES_MAX];
    double metered_ms[SAMPLES_MAX];
    double unmetered_ms[SAMPLES_MAX];
    // Every second sample has one of wabt, which is slow.
    size_t wabt_samples;
    double wabt_ms[SAMPLES_MAX];
    double beside_wabt_ms[SAMPLES_MAX]; // of the engine, in that sample
};

// ---- One run each, timed; the times are milliseconds on a processor of all rounds ----

static double run_native(const struct race *race, uint32_t rounds, uint32_t *result)
{
    const double start = bench_cpu_ms();
    *result = race->kernel->native(rounds);
    return bench_cpu_ms() - start;
}

// False with the error printed.
static bool run_engine(const struct race *race, const struct bench_player *player,
                       struct bench_play *play, uint32_t rounds, uint32_t *result, double *ms)
{
    const double start = bench_cpu_ms();
    const enum ag_status status = player->run(play, rounds, result);
    *ms = bench_cpu_ms() - start;
    if (status != AG_OK)
        ag_output_fail_status(status, "the kernel %s does not run on the engine",
                              race->kernel->name);
    return status == AG_OK;
}

// Less what a run of no rounds takes; at least a microsecond, where a sample is so short that the
// difference drowns in noise. Sets has_wabt to false when there is no wasm-interp.
static bool run_wabt(struct race *race, uint32_t *result, double *ms)
{
    double empty;
    enum bench_wabt_answer answer = bench_wabt_run(race->wabt_path, 0, result, &empty);
    if (answer == BENCH_WABT_RAN)
        answer = bench_wabt_run(race->wabt_path, race->wabt_rounds, result, ms);
    if (answer == BENCH_WABT_RAN)
        *ms = fmax(*ms - empty, 1e-3);
    race->has_wabt = answer == BENCH_WABT_RAN;
    return answer != BENCH_WABT_FAILED;
}

static bool is_result(const struct race *race, const char *who, uint32_t rounds, uint32_t result)
{
    const uint32_t expected = race->kernel->native(rounds);
    if (result == expected)
        return true;
    ag_output_fail("no figure of this bench means anything",
                   "the kernel %s gives %u after %u rounds on %s, and natively %u",
                   race->kernel->name, result, rounds, who, expected);
    return false;
}

// ---- Calibration ----

// So many rounds that they take `wanted` milliseconds, when `rounds` take `ms`.
static uint32_t scale(uint32_t rounds, double ms, double wanted)
{
    const double scaled = ceil((double)rounds * wanted / (ms > 1e-4 ? ms : 1e-4));
    if (scaled > ROUNDS_MAX)
        return ROUNDS_MAX;
    return scaled > 1 ? (uint32_t)scaled : 1;
}

static bool calibrate(struct race *race, const struct bench_engine_options *options)
{
    const double trial_ms = options->sample_ms / 8;
    uint32_t result;
    double ms = 0;
    uint32_t rounds = 1;
    for (;; rounds *= 2) {
        ms = run_native(race, rounds, &result);
        if (ms >= trial_ms || rounds >= ROUNDS_MAX / 2)
            break;
    }
    race->native_rounds = scale(rounds, ms, options->sample_ms);
    for (rounds = 1;; rounds *= 2) {
        if (!run_engine(race, &bench_player_metered, race->metered, rounds, &result, &ms))
            return false;
        if (ms >= trial_ms || rounds >= ROUNDS_MAX / 2)
            break;
    }
    race->rounds = scale(rounds, ms, options->sample_ms);
    if (options->rounds > 0)
        race->rounds = race->native_rounds = (uint32_t)options->rounds;
    race->wabt_rounds = scale(rounds, ms * WABT_SLOWER, options->sample_ms * 2);
    if (race->wabt_rounds > race->rounds)
        race->wabt_rounds = race->rounds;
    return true;
}

// ---- Measuring ----

// All results once, and what is used up. What is timed afterwards does just the same again.
static bool check(struct race *race)
{
    uint32_t result;
    double ms;
    const uint64_t before = bench_player_metered.fuel(race->metered);
    if (!run_engine(race, &bench_player_metered, race->metered, race->rounds, &race->result, &ms))
        return false;
    race->fuel = bench_player_metered.fuel(race->metered) - before;
    if (!is_result(race, "the engine", race->rounds, race->result))
        return false;
    if (!run_engine(race, &bench_player_unmetered, race->unmetered, race->rounds, &result, &ms))
        return false;
    if (!is_result(race, "the engine without metering", race->rounds, result))
        return false;
    if (!run_wabt(race, &result, &ms))
        return false;
    return !race->has_wabt || is_result(race, "wasm-interp", race->wabt_rounds, result);
}

// The sample of this number, of each runner; the two engines take turns in going first.
static bool sample(struct race *race, size_t index)
{
    const bool unmetered_first = index % 2;
    uint32_t result;
    double ms;
    ms = run_native(race, race->native_rounds, &result);
    race->native_ms[index] = ms / race->native_rounds;
    for (int turn = 0; turn < 2; turn++) {
        const bool is_unmetered = turn == 0 ? unmetered_first : !unmetered_first;
        if (!run_engine(race, is_unmetered ? &bench_player_unmetered : &bench_player_metered,
                        is_unmetered ? race->unmetered : race->metered, race->rounds, &result, &ms))
            return false;
        if (result != race->result)
            return is_result(race, "the engine, a second time,", race->rounds, result);
        (is_unmetered ? race->unmetered_ms : race->metered_ms)[index] = ms / race->rounds;
    }
    if (!race->has_wabt || index % 2 == 1)
        return true;
    if (!run_wabt(race, &result, &ms))
        return false;
    race->beside_wabt_ms[race->wabt_samples] = race->metered_ms[index];
    race->wabt_ms[race->wabt_samples++] = ms / race->wabt_rounds;
    return is_result(race, "wasm-interp", race->wabt_rounds, result);
}

// The median of the ratios of two rows of samples.
static double ratio(const double *above, const double *below, size_t count)
{
    double ratios[SAMPLES_MAX];
    for (size_t i = 0; i < count; i++)
        ratios[i] = above[i] / below[i];
    return bench_median(ratios, count);
}

static double median_of(const double *values, size_t count)
{
    double copy[SAMPLES_MAX];
    memcpy(copy, values, count * sizeof *values);
    return bench_median(copy, count);
}

// Logarithms of the ratios, summed over kernels.
struct means {
    double vs_native;
    double vs_wabt;
    double metering;
    size_t count;
    bool has_wabt;
};

static json_t *report(const struct race *race, struct means *means)
{
    const size_t count = race->samples;
    const double rounds = race->rounds;
    const double vs_native = ratio(race->metered_ms, race->native_ms, count);
    const double metering = ratio(race->metered_ms, race->unmetered_ms, count);
    json_t *figures =
        json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "rounds", (json_int_t)race->rounds,
                  "result", (json_int_t)race->result, "fuel", (json_int_t)race->fuel, "native_ms",
                  median_of(race->native_ms, count) * rounds, "engine_ms",
                  median_of(race->metered_ms, count) * rounds, "vs_native", vs_native,
                  "metering_cost_percent", (metering - 1) * 100);
    means->vs_native += log(vs_native);
    means->metering += log(metering);
    means->count++;
    if (race->has_wabt) {
        const double vs_wabt = ratio(race->wabt_ms, race->beside_wabt_ms, race->wabt_samples);
        means->vs_wabt += log(vs_wabt);
        json_object_set_new(figures, "wabt_ms",
                            json_real(median_of(race->wabt_ms, race->wabt_samples) * rounds));
        json_object_set_new(figures, "vs_wabt", json_real(vs_wabt));
    } else {
        means->has_wabt = false;
        json_object_set_new(figures, "wabt_ms", json_null());
        json_object_set_new(figures, "vs_wabt", json_null());
    }
    return figures;
}

static bool open_race(struct race *race, const struct bench_engine_options *options)
{
    char path[PATH_MAX];
    char entry[64];
    snprintf(path, sizeof path, "%s/%s.wasm", options->modules, race->kernel->name);
    snprintf(race->wabt_path, sizeof race->wabt_path, "%s/%s.run.wasm", options->modules,
             race->kernel->name);
    snprintf(entry, sizeof entry, "kernel_%s", race->kernel->name);
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &race->module.bytes, &race->module.size))
        return false;
    enum ag_status status =
        bench_player_metered.open(race->module.bytes, race->module.size, entry, &race->metered);
    if (status == AG_OK)
        status = bench_player_unmetered.open(race->module.bytes, race->module.size, entry,
                                             &race->unmetered);
    if (status != AG_OK)
        ag_output_fail_status(status, "%s is refused", path);
    return status == AG_OK;
}

static void close_race(struct race *race)
{
    bench_player_unmetered.close(race->unmetered);
    bench_player_metered.close(race->metered);
    free(race->module.bytes);
}

static bool run_race(const struct kernel *kernel, const struct bench_engine_options *options,
                     struct means *means, json_t *figures)
{
    struct race *race = ag_buffer_allocate(1, sizeof *race);
    race->kernel = kernel;
    race->samples = options->samples;
    bool done = open_race(race, options) && calibrate(race, options) && check(race);
    for (size_t i = 0; done && i < race->samples; i++)
        done = sample(race, i);
    if (done)
        json_object_set_new(figures, kernel->name, report(race, means));
    close_race(race);
    free(race);
    return done;
}

bool bench_engine_kernels(const struct bench_engine_options *options, json_t *figures)
{
    struct means means = { .has_wabt = true };
    json_t *each = json_object();
    struct ag_progress progress;
    bool done = true;
    ag_progress_begin(&progress, "measuring");
    for (size_t i = 0; done && i < sizeof kernels / sizeof kernels[0]; i++) {
        if (options->kernel && strcmp(options->kernel, kernels[i].name) != 0)
            continue;
        ag_progress_text(&progress, kernels[i].name);
        done = run_race(&kernels[i], options, &means, each);
    }
    ag_progress_end(&progress);
    if (done) {
        const double count = (double)means.count;
        if (!means.has_wabt)
            ag_output_note(
                "wasm-interp is not here (Debian's package wabt): no figures against it");
        json_object_set_new(figures, "geomean_vs_native", json_real(exp(means.vs_native / count)));
        json_object_set_new(figures, "geomean_vs_wabt",
                            means.has_wabt ? json_real(exp(means.vs_wabt / count)) : json_null());
        json_object_set_new(figures, "metering_cost_percent",
                            json_real((exp(means.metering / count) - 1) * 100));
        json_object_update(figures, each);
    }
    json_decref(each);
    return done;
}
