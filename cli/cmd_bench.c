// SPDX-License-Identifier: Apache-2.0
// `airgraft bench`: runs the programs in bench/ and shows their figures beside the budgets.
//
// Each of them prints one JSON object. They belong to the tree in which airgraft was built; an
// installed airgraft has none.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum {
    OUTPUT_MAX = 65536,
};

// One figure of a bench, for people.
struct figure {
    const char *key;
    const char *label;
    const char *unit;
    double budget; // DESIGN 9: at most this; 0: none
};

static const struct figure update_figures[] = {
    { "patch_to_running_p50_ms", "twin patch accepted to new version running, p50", "ms", 15 },
    { "patch_to_running_p99_ms", "  p99", "ms", 50 },
    { "patch_to_reported_p50_ms", "to confirmed and reported, trial of 0 s, p50", "ms", 40 },
    { "install_floor_ms", "floor: verify, write, fsync, rename", "ms", 0 },
    { "install_1k_ms", "verify and install 1 KB with fsync", "ms", 0 },
    { "install_100k_ms", "verify and install 100 KB with fsync", "ms", 0 },
    { "install_1k_ratio", "  1 KB against the floor for it", "x", 1.5 },
    { "install_100k_ratio", "  100 KB against the floor for it", "x", 1.5 },
    { "host_rss_bytes", "resident memory of the host with one plug-in", "bytes", 4194304 },
    { "host_private_bytes", "  of it written by the host, shared with nobody", "bytes", 0 },
    { "idle_wakeups_per_s", "idle wake-ups", "/s", 0.1 },
    { "file_overhead_bytes", "signature and metadata in a file", "bytes", 200 },
    { "blinky_ram_bytes", "RAM of blinky", "bytes", 464 },
    { "flash_ops_per_install", "programs, erases and syncs for an install of 1 KB", "", 0 },
};

static const struct figure size_figures[] = {
    { "engine_m4_bytes", "engine, Cortex-M4: decode, validate, translate, run", "bytes", 43008 },
    { "engine_m4_nofloat_bytes", "  built without floats", "bytes", 0 },
    { "engine_m4_notranslator_bytes", "  built without the translator", "bytes", 28672 },
    { "stack_bound_bytes", "  C stack of its deepest chain of calls", "bytes", 1024 },
    { "host_library_m4_bytes", "whole host library, Cortex-M4", "bytes", 0 },
    { "host_library_m4_static_ram_bytes", "its static RAM", "bytes", 0 },
    { "largest_frame_bytes", "largest stack frame", "bytes", 0 },
};

static const struct bench {
    const char *name;
    const char *program; // beside airgraft when it begins with "bench/", else in the sources
    const struct figure *figures;
    size_t figure_count;
} benches[] = {
    { "update", "bench/bench_update", update_figures,
      sizeof update_figures / sizeof update_figures[0] },
    { "size", AG_SOURCE "/bench/size", size_figures, sizeof size_figures / sizeof size_figures[0] },
};

enum {
    BENCH_COUNT = sizeof benches / sizeof benches[0],
};

// The absolute path of a bench's program. False when this program's own place is unknown.
static bool find_program(const struct bench *bench, char path[PATH_MAX])
{
    if (bench->program[0] == '/') {
        snprintf(path, PATH_MAX, "%s", bench->program);
        return true;
    }
    const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size <= 0)
        return false;
    path[size] = 0;
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + strlen(bench->program) + 2 > PATH_MAX)
        return false;
    strcpy(slash + 1, bench->program);
    return true;
}

// Runs the program and takes in what it prints. NULL with the error printed.
static json_t *run_program(const struct bench *bench, const char *path)
{
    char *output = malloc(OUTPUT_MAX);
    char command[PATH_MAX + 3];
    json_error_t error;
    // popen takes a shell's word: the path stands in single quotes, which it may not hold itself.
    snprintf(command, sizeof command, "'%s'", path);
    FILE *pipe = output && !strchr(path, '\'') ? popen(command, "r") : NULL;
    if (!pipe) {
        free(output);
        ag_output_fail(NULL, "cannot run %s: %s", path, strerror(errno));
        return NULL;
    }
    const size_t size = fread(output, 1, OUTPUT_MAX, pipe);
    const int status = pclose(pipe);
    json_t *figures = json_loadb(output, size, 0, &error);
    free(output);
    if (status != 0 || !json_is_object(figures)) {
        ag_output_fail("its own message stands above", "the bench %s failed", bench->name);
        json_decref(figures);
        return NULL;
    }
    return figures;
}

static json_t *run_bench(const struct bench *bench)
{
    char path[PATH_MAX];
    if (!find_program(bench, path) || access(path, X_OK) != 0) {
        ag_output_fail("benches run from a build tree: cmake --preset release && "
                       "cmake --build --preset release",
                       "the bench %s is not here", bench->name);
        return NULL;
    }
    return run_program(bench, path);
}

static void print_figure(const struct figure *figure, const json_t *value)
{
    const double number = json_number_value(value);
    const bool over = figure->budget > 0 && number > figure->budget;
    printf("%-54s %s%12.*f%s %-5s", figure->label,
           over ? ag_output_colour(stdout, AG_COLOUR_BAD) : "", json_is_integer(value) ? 0 : 2,
           number, over ? ag_output_colour(stdout, AG_COLOUR_NONE) : "", figure->unit);
    if (figure->budget > 0)
        printf("  budget %g%s", figure->budget, over ? "  OVER" : "");
    printf("\n");
}

static void print_bench(const struct bench *bench, const json_t *figures)
{
    const char *key;
    json_t *value;
    for (size_t i = 0; i < bench->figure_count; i++) {
        const json_t *figure = json_object_get(figures, bench->figures[i].key);
        if (json_is_number(figure))
            print_figure(&bench->figures[i], figure);
    }
    json_object_foreach(json_object_get(figures, "modules"), key, value)
    {
        printf("  %-52s %12lld bytes\n", key, (long long)json_integer_value(value));
    }
}

// Prints and releases the figures; six digits are more than any of them deserves.
static int print_json(json_t *figures)
{
    const int failed =
        json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) | (printf("\n") < 0);
    json_decref(figures);
    return failed ? ag_output_fail(NULL, "cannot print the result") : AG_EXIT_OK;
}

static int run_all(bool json)
{
    json_t *all = json_object();
    int code = AG_EXIT_OK;
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        json_t *figures = run_bench(&benches[i]);
        if (!figures)
            code = AG_EXIT_FAILED;
        else if (!json)
            print_bench(&benches[i], figures);
        if (figures)
            json_object_set_new(all, benches[i].name, figures);
    }
    if (json && print_json(json_incref(all)) != AG_EXIT_OK)
        code = AG_EXIT_FAILED;
    json_decref(all);
    return code;
}

static int run_one(const char *name, bool json)
{
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        if (strcmp(benches[i].name, name) != 0)
            continue;
        json_t *figures = run_bench(&benches[i]);
        if (!figures)
            return AG_EXIT_FAILED;
        if (json)
            return print_json(figures);
        print_bench(&benches[i], figures);
        json_decref(figures);
        return AG_EXIT_OK;
    }
    return ag_output_misuse("see airgraft bench --help", "there is no bench \"%s\"", name);
}

int cmd_bench(int argc, char **argv)
{
    bool json = false;
    const struct ag_option options[] = {
        { .name = "json",
          .kind = AG_OPTION_FLAG,
          .value = &json,
          .help = "print one JSON object; without a name, one member per bench" },
    };
    const struct ag_usage usage = {
        .name = "bench",
        .synopsis = "[update|size] [--json]",
        .summary =
            "Measures this build and compares with the budgets of DESIGN.md:\n"
            "  update   200 updates on a local hub over TLS: time from twin patch to running\n"
            "           and to reported; install with fsync; memory; wake-ups\n"
            "  size     code size of each module of the device library for a Cortex-M4\n"
            "Without a name, all. Times mean something in a release build on a quiet machine.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = "build/release/airgraft bench update",
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    return count == 0 ? run_all(json) : run_one(operands[0], json);
}
