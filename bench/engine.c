// SPDX-License-Identifier: Apache-2.0
// `airgraft bench engine`: prints one JSON object with all figures of the engine.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/engine.h"
#include "bench/kernels/kernel.h"
#include "cli/cli.h"

enum {
    SAMPLES = 9,
    SAMPLES_MAX = 101,
    SAMPLE_MS = 25,
};

double bench_cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

double bench_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#define KERNEL_NAME(name) #name,
static const char *const kernel_names[] = { KERNELS(KERNEL_NAME) };

static int misuse_kernel(const char *name)
{
    const size_t count = sizeof kernel_names / sizeof kernel_names[0];
    char hint[512];
    const char *meant = ag_options_suggest(name, kernel_names, count);
    size_t size = 0;
    if (meant) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", meant);
    } else {
        for (size_t i = 0; i < count && size < sizeof hint; i++)
            size += (size_t)snprintf(hint + size, sizeof hint - size, "%s%s",
                                     i > 0 ? ", " : "kernels are ", kernel_names[i]);
    }
    return ag_output_misuse(hint, "there is no kernel \"%s\"", name);
}

static bool kernel_exists(const char *name)
{
    for (size_t i = 0; i < sizeof kernel_names / sizeof kernel_names[0]; i++) {
        if (strcmp(kernel_names[i], name) == 0)
            return true;
    }
    return false;
}

static int measure(const struct bench_engine_options *options)
{
    json_t *figures = json_object();
    bool done = bench_engine_kernels(options, figures);
    if (done && !options->kernel)
        done = bench_engine_load(options, figures);
    int code = AG_EXIT_FAILED;
    if (done && json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0 &&
        printf("\n") > 0)
        code = AG_EXIT_OK;
    json_decref(figures);
    return code;
}

int main(int argc, char **argv)
{
    char name[] = "airgraft bench engine";
    char modules[PATH_MAX];
    struct bench_engine_options values = { .samples = SAMPLES, .sample_ms = SAMPLE_MS };
    const struct ag_option options[] = {
        { .name = "kernel",
          .kind = AG_OPTION_TEXT,
          .value = &values.kernel,
          .argument = "NAME",
          .help = "only this kernel, and no load figures" },
        { .name = "rounds",
          .kind = AG_OPTION_NUMBER,
          .value = &values.rounds,
          .argument = "N",
          .help = "give each kernel N rounds, not as many as fill a sample",
          .min = 1,
          .max = 100000000 },
        { .name = "samples",
          .kind = AG_OPTION_NUMBER,
          .value = &values.samples,
          .argument = "N",
          .help = "measure everything N times in turn and take medians",
          .min = 1,
          .max = SAMPLES_MAX },
        { .name = "modules",
          .kind = AG_OPTION_TEXT,
          .value = &values.modules,
          .argument = "FOLDER",
          .help = "take the kernels' modules from there" },
        { .name = "quick",
          .kind = AG_OPTION_FLAG,
          .value = &values.quick,
          .help = "see only that it works" },
    };
    const struct ag_usage usage = {
        .name = "bench engine",
        .synopsis = "[--kernel NAME] [--rounds N] [--samples N]",
        .summary = "Prints the engine's figures as one JSON object.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    char **operands;
    size_t count;
    program_invocation_name = name;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (values.kernel && !kernel_exists(values.kernel))
        return misuse_kernel(values.kernel);
    if (!values.modules) {
        const char *build = bench_build_folder();
        if (!build)
            return ag_output_fail(NULL, "cannot tell where this program lies");
        values.modules = bench_path(modules, build, "bench/kernels");
    }
    if (values.quick) {
        values.samples = 1;
        values.sample_ms = 0;
    }
    return measure(&values);
}
