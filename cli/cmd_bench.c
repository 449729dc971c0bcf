// SPDX-License-Identifier: Apache-2.0
// `airgraft bench`: runs the programs in bench/ and shows their figures beside the budgets.
//
// Each of them prints one JSON object. They belong to the tree in which airgraft was built; an
// installed airgraft has none.
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench_print.h"
#include "cli/cli.h"
#include "cli/commands.h"

enum {
    OUTPUT_MAX = 262144,
    ARGUMENTS_MAX = 8,
};

static const struct ag_bench_figure update_figures[] = {
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
    { "wire_bytes_per_update", "bytes on the wire for a small update, TLS included", "bytes", 0 },
    { "flash_ops_per_install", "programs, erases and syncs for an install of 1 KB", "", 0 },
};

static const struct ag_bench_figure size_figures[] = {
    { "engine_m4_bytes", "engine, Cortex-M4: decode, validate, translate, run", "bytes", 43008 },
    { "engine_m4_nofloat_bytes", "  built without floats", "bytes", 0 },
    { "engine_m4_notranslator_bytes", "  built without the translator", "bytes", 28672 },
    { "stack_bound_bytes", "  C stack of its deepest chain of calls", "bytes", 1024 },
    { "host_library_m4_bytes", "whole host library, Cortex-M4", "bytes", 0 },
    { "host_library_m4_static_ram_bytes", "its static RAM", "bytes", 0 },
    { "largest_frame_bytes", "largest stack frame", "bytes", 0 },
    { "mps2_flash_bytes", "firmware for a Cortex-M3: flash", "bytes", 204800 },
    { "own_code_bytes", "  of it our own code without the engine", "bytes", 49152 },
    { "mps2_ram_bytes", "  static RAM, two TLS connections, records of 4 KB", "bytes", 98304 },
    { "mps2_ram_16k_bytes", "  the same, records of 16 KB", "bytes", 163840 },
    { "mps2_ram_one_tls_bytes", "  one TLS connection, records of 16 KB", "bytes", 122880 },
    { "blinky_mps2_ram_bytes", "  RAM of blinky, its place in the table included", "bytes", 464 },
    { "rv32_flash_bytes", "firmware for RV32: flash", "bytes", 204800 },
    { "rv32_ram_bytes", "  static RAM, two TLS connections, records of 16 KB", "bytes", 163840 },
};

static const struct ag_bench_figure arm_figures[] = {
    { "geomean_vs_native", "instructions on a Cortex-M3 against gcc -O2, mean", "x", 0 },
    { "translate_instructions_per_byte", "  to validate and translate a byte of module", "", 0 },
    { "open_instructions_per_byte", "  to verify and open a byte of translated code", "", 0 },
};

static const struct bench {
    const char *name;
    const char *program; // beside airgraft when it begins with "bench/", else in the sources
    const struct ag_bench_figure *figures; // NULL: printed by a function of its own
    size_t figure_count;
} benches[] = {
    { "engine", "bench/bench_engine", NULL, 0 },
    { "update", "bench/bench_update", update_figures,
      sizeof update_figures / sizeof update_figures[0] },
    { "size", AG_SOURCE "/bench/size", size_figures, sizeof size_figures / sizeof size_figures[0] },
    { "arm", AG_SOURCE "/bench/arm/run", arm_figures, sizeof arm_figures / sizeof arm_figures[0] },
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

extern char **environ;

// Starts the program with its output into a pipe. NULL with the error printed.
static FILE *start(char **argv, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    int error = pipe(ends) == 0 ? 0 : errno;
    if (error == 0) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        posix_spawn_file_actions_addclose(&actions, ends[1]);
        error = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        if (error != 0)
            close(ends[0]);
    }
    if (error != 0) {
        ag_output_fail(NULL, "cannot run %s: %s", argv[0], strerror(error));
        return NULL;
    }
    return fdopen(ends[0], "r");
}

// Runs the program and takes in what it prints; the caller releases that. An exit code, with the
// error printed.
static int run_program(const struct bench *bench, char **argv, json_t **figures)
{
    pid_t pid;
    int status;
    json_error_t error;
    FILE *pipe = start(argv, &pid);
    if (!pipe)
        return AG_EXIT_FAILED;
    char *output = malloc(OUTPUT_MAX);
    const size_t size = output ? fread(output, 1, OUTPUT_MAX, pipe) : 0;
    fclose(pipe);
    const bool ended = waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    *figures = ended && WEXITSTATUS(status) == 0 ? json_loadb(output, size, 0, &error) : NULL;
    free(output);
    if (json_is_object(*figures))
        return AG_EXIT_OK;
    if (ended && WEXITSTATUS(status) == AG_EXIT_USAGE)
        return AG_EXIT_USAGE;
    json_decref(*figures);
    return ag_output_fail("its own message stands above", "the bench %s failed", bench->name);
}

// `arguments` ends with NULL.
static int run_bench(const struct bench *bench, char *const *arguments, json_t **figures)
{
    char path[PATH_MAX];
    char *argv[ARGUMENTS_MAX + 2] = { path };
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        argv[i + 1] = arguments[i];
    if (!find_program(bench, path) || access(path, X_OK) != 0)
        return ag_output_fail("benches run from a build tree: cmake --preset release && "
                              "cmake --build --preset release",
                              "the bench %s is not here", bench->name);
    return run_program(bench, argv, figures);
}

static void print_bench(const struct bench *bench, json_t *figures)
{
    const char *key;
    json_t *value;
    if (!bench->figures)
        ag_bench_print_engine(figures);
    ag_bench_print_figures(bench->figures, bench->figure_count, figures);
    json_object_foreach(json_object_get(figures, "modules"), key, value)
    {
        printf("  %-52s %12lld bytes\n", key, (long long)json_integer_value(value));
    }
    json_object_foreach(figures, key, value)
    {
        const json_t *count = json_object_get(value, "instructions");
        if (json_is_integer(count))
            printf("  %-40s %12lld instructions %8.2f x native\n", key,
                   (long long)json_integer_value(count),
                   json_number_value(json_object_get(value, "vs_native")));
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
    char *const no_arguments[] = { NULL };
    json_t *all = json_object();
    int code = AG_EXIT_OK;
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        json_t *figures = NULL;
        if (run_bench(&benches[i], no_arguments, &figures) != AG_EXIT_OK)
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

static int run_one(const struct bench *bench, char *const *arguments, bool json)
{
    json_t *figures = NULL;
    const int code = run_bench(bench, arguments, &figures);
    if (code != AG_EXIT_OK)
        return code;
    if (json)
        return print_json(figures);
    print_bench(bench, figures);
    json_decref(figures);
    return AG_EXIT_OK;
}

static const struct bench *find_bench(const char *name)
{
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        if (strcmp(benches[i].name, name) == 0)
            return &benches[i];
    }
    return NULL;
}

// What the engine's bench is asked for besides, in the form of its arguments.
struct engine_options {
    const char *kernel;
    uint64_t rounds;
    uint64_t samples;
};

static bool has_engine_options(const struct engine_options *options)
{
    return options->kernel || options->rounds > 0 || options->samples > 0;
}

static int run_engine(const struct bench *bench, const struct engine_options *options, bool json)
{
    char words[3][PATH_MAX];
    char *arguments[ARGUMENTS_MAX] = { NULL };
    size_t count = 0;
    if (options->kernel) {
        snprintf(words[count], PATH_MAX, "--kernel=%s", options->kernel);
        arguments[count] = words[count];
        count++;
    }
    if (options->rounds > 0) {
        snprintf(words[count], PATH_MAX, "--rounds=%llu", (unsigned long long)options->rounds);
        arguments[count] = words[count];
        count++;
    }
    if (options->samples > 0) {
        snprintf(words[count], PATH_MAX, "--samples=%llu", (unsigned long long)options->samples);
        arguments[count] = words[count];
    }
    return run_one(bench, arguments, json);
}

int cmd_bench(int argc, char **argv)
{
    bool json = false;
    struct engine_options engine = { 0 };
    const struct ag_option options[] = {
        { .name = "json",
          .kind = AG_OPTION_FLAG,
          .value = &json,
          .help = "print one JSON object; without a name, one member per bench" },
        { .name = "kernel",
          .kind = AG_OPTION_TEXT,
          .value = &engine.kernel,
          .argument = "NAME",
          .help = "engine: only this kernel, without the figures of loading" },
        { .name = "rounds",
          .kind = AG_OPTION_NUMBER,
          .value = &engine.rounds,
          .argument = "N",
          .help = "engine: run each kernel N rounds (default: as many as take 25 ms)",
          .min = 1,
          .max = 100000000 },
        { .name = "samples",
          .kind = AG_OPTION_NUMBER,
          .value = &engine.samples,
          .argument = "N",
          .help = "engine: take N samples of everything, in turn (default: 9)",
          .min = 1,
          .max = 101 },
    };
    const struct ag_usage usage = {
        .name = "bench",
        .synopsis = "[engine|update|size|arm] [--json]\n"
                    "engine [--kernel NAME] [--rounds N] [--samples N] [--json]",
        .summary =
            "Measures this build and compares with the budgets of DESIGN.md:\n"
            "  engine   kernels on the engine, natively (gcc -O2) and on wabt's wasm-interp, whose\n"
            "           results must agree; what metering costs; loading of modules of many shapes\n"
            "  update   200 updates on a local hub over TLS: time from twin patch to running\n"
            "           and to reported; install with fsync; memory; wake-ups\n"
            "  size     code size of each module of the device library for a Cortex-M4\n"
            "  arm      instructions that the kernels take on a Cortex-M3, emulated by QEMU\n"
            "Without a name, all. Times mean something in a release build on a quiet machine.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = "build/release/airgraft bench engine\n"
                    "build/release/airgraft bench engine --kernel sha256 --samples 21",
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    const struct bench *bench = count > 0 ? find_bench(operands[0]) : NULL;
    if (count > 0 && !bench)
        return ag_output_misuse("see airgraft bench --help", "there is no bench \"%s\"",
                                operands[0]);
    const bool is_engine = bench && strcmp(bench->name, "engine") == 0;
    if (has_engine_options(&engine) && !is_engine)
        return ag_output_misuse("see airgraft bench --help",
                                "--kernel, --rounds and --samples belong to bench engine");
    if (!bench)
        return run_all(json);
    return run_engine(bench, &engine, json);
}
