// SPDX-License-Identifier: Apache-2.0
// ag-wasm: runs a function of a WebAssembly module with the engine alone.
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "wasm_file.h"

#define STACK_SIZE      (1u << 20)
#define MEMORY_CAPACITY (256u << 20)
#define TABLE_CAPACITY  (1u << 16)
#define ARGS_MAX        64
#define EXIT_TRAP       3

static const char usage[] =
    "Usage: ag-wasm [--fuel N] [--stats] [--reps N] FILE FUNCTION [ARG...]\n"
    "Runs an exported function of a WebAssembly module with the engine alone and prints each\n"
    "result as type:value on a line. A trap prints `trap: NAME` and exits 3.\n"
    "\n"
    "  --fuel N    stop with trap_fuel_exhausted after N units of fuel\n"
    "  --reps N    run N times, each in a new instance, and take the median time (default 1)\n"
    "  --stats     add a line of JSON: load_ns (open, instantiate), run_ns, code_bytes, ram_bytes,\n"
    "              fuel\n"
    "  --help      show this\n"
    "\n"
    "Integers may be decimal or 0x hexadecimal, floats as strtod(3) reads them.\n"
    "Exit: 0 done, 1 the module is refused, 2 usage, 3 trap.\n";

struct options {
    uint64_t fuel;
    uint32_t reps;
    bool has_stats;
    const char *path;
    const char *function;
    char **args;
    uint32_t arg_count;
};

struct job {
    struct options options;
    struct wasm_file file;
    uint32_t function;
    struct ag_wasm_extern type;
    uint32_t args[ARGS_MAX * 2];
    uint32_t arg_slots;
    void *block;
    uint32_t block_size;
    struct ag_wasm_instance *instance;
    uint64_t load_ns;
    uint64_t run_ns;
    uint64_t fuel;
};

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int fail(const char *path, enum ag_status status)
{
    fprintf(stderr, "ag-wasm: %s: %s (%s, %d)\n", path, ag_status_text(status),
            ag_status_name(status), (int)status);
    const char *hint = ag_status_hint(status);
    if (*hint)
        fprintf(stderr, "hint: %s\n", hint);
    return 1;
}

static enum ag_status refuse_import(void *context, const struct ag_wasm_import *import,
                                    uint16_t *id)
{
    (void)context;
    (void)id;
    fprintf(stderr, "ag-wasm: the module imports %.*s.%.*s, and nothing is offered\n",
            (int)import->module.size, import->module.text, (int)import->field.size,
            import->field.text);
    return AG_ERR_WASM_IMPORT;
}

// A whole number in an unsigned or signed range of `bits` bits.
static bool parse_integer(const char *text, unsigned bits, uint64_t *value)
{
    char *end;
    errno = 0;
    if (*text == '-') {
        const long long number = strtoll(text, &end, 0);
        *value = (uint64_t)number;
        if (bits == 32 && number < INT32_MIN)
            return false;
    } else {
        *value = strtoull(text, &end, 0);
        if (bits == 32 && *value > UINT32_MAX)
            return false;
    }
    return errno == 0 && *text && !*end;
}

static bool parse_arg(const char *text, uint8_t type, uint32_t *slots)
{
    char *end;
    uint64_t value = 0;
    switch (type) {
    case AG_WASM_I32:
        if (!parse_integer(text, 32, &value))
            return false;
        slots[0] = (uint32_t)value;
        return true;
    case AG_WASM_I64:
        if (!parse_integer(text, 64, &value))
            return false;
        ag_wasm_set_u64(slots, value);
        return true;
    case AG_WASM_F32: {
        const float number = strtof(text, &end);
        memcpy(slots, &number, sizeof number);
        return *text && !*end;
    }
    case AG_WASM_F64: {
        const double number = strtod(text, &end);
        memcpy(slots, &number, sizeof number);
        return *text && !*end;
    }
    default: // references: only null can be given
        slots[0] = 0;
        return strcmp(text, "null") == 0;
    }
}

static uint32_t slot_count(uint8_t type)
{
    return type == AG_WASM_I64 || type == AG_WASM_F64 ? 2 : 1;
}

static int parse_args(struct job *job)
{
    const struct ag_wasm_function_type *type = &job->type.function;
    if (job->options.arg_count != type->param_count || type->param_count > ARGS_MAX) {
        fprintf(stderr, "ag-wasm: %s takes %" PRIu32 " arguments\n", job->options.function,
                type->param_count);
        return 2;
    }
    for (uint32_t i = 0; i < type->param_count; i++) {
        if (!parse_arg(job->options.args[i], type->params[i], &job->args[job->arg_slots])) {
            fprintf(stderr, "ag-wasm: argument %" PRIu32 ": not a value of its type: %s\n", i + 1,
                    job->options.args[i]);
            return 2;
        }
        job->arg_slots += slot_count(type->params[i]);
    }
    return 0;
}

static void print_results(const struct job *job)
{
    const uint32_t *slot = ag_wasm_results(job->instance);
    const struct ag_wasm_function_type *type = &job->type.function;
    for (uint32_t i = 0; i < type->result_count; i++) {
        float f32;
        double f64;
        switch (type->results[i]) {
        case AG_WASM_I32:
            printf("i32:%" PRId32 "\n", (int32_t)slot[0]);
            break;
        case AG_WASM_I64:
            printf("i64:%" PRId64 "\n", (int64_t)ag_wasm_get_u64(slot));
            break;
        case AG_WASM_F32:
            memcpy(&f32, slot, sizeof f32);
            printf("f32:%.9g\n", (double)f32);
            break;
        case AG_WASM_F64:
            memcpy(&f64, slot, sizeof f64);
            printf("f64:%.17g\n", f64);
            break;
        default:
            printf("%s:%s\n", type->results[i] == AG_WASM_FUNCREF ? "funcref" : "externref",
                   slot[0] == 0 ? "null" : "set");
        }
        slot += slot_count(type->results[i]);
    }
}

// Runs what was begun until it is done or `*fuel` is gone.
static enum ag_status run(struct ag_wasm_instance *instance, uint64_t limit)
{
    for (;;) {
        const uint64_t used = ag_wasm_fuel_used(instance);
        if (used >= limit)
            return AG_TRAP_FUEL;
        const uint64_t left = limit - used;
        const enum ag_status status =
            ag_wasm_run(instance, left > INT32_MAX ? INT32_MAX : (uint32_t)left);
        if (status != AG_ERR_AGAIN)
            return status;
    }
}

static enum ag_status run_once(struct job *job)
{
    const struct ag_wasm_instance_options options = { .stack_size = STACK_SIZE,
                                                      .memory_capacity = MEMORY_CAPACITY,
                                                      .table_capacity = TABLE_CAPACITY };
    const uint64_t start = now_ns();
    enum ag_status status =
        ag_wasm_image_open(&job->file.image, job->file.module, job->file.module_size,
                           job->file.code, job->file.code_size);
    if (status == AG_OK)
        status = ag_wasm_instance_make(job->block, job->block_size, &job->file.image, &options,
                                       &job->instance);
    job->load_ns = now_ns() - start;
    if (status != AG_OK)
        return status;
    status = ag_wasm_begin_start(job->instance);
    if (status == AG_OK)
        status = run(job->instance, job->options.fuel);
    if (status != AG_OK && status != AG_ERR_NOT_FOUND)
        return status;
    status = ag_wasm_begin(job->instance, job->function, job->args, job->arg_slots);
    if (status != AG_OK)
        return status;
    const uint64_t begun = now_ns();
    status = run(job->instance, job->options.fuel);
    job->run_ns = now_ns() - begun;
    job->fuel = ag_wasm_fuel_used(job->instance);
    return status;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, uint32_t count)
{
    qsort(values, count, sizeof *values, compare_u64);
    return values[count / 2];
}

static enum ag_status run_all(struct job *job)
{
    uint64_t *times = calloc(job->options.reps, 2 * sizeof *times);
    if (!times)
        return AG_ERR_NO_SPACE;
    uint64_t *loads = times + job->options.reps;
    enum ag_status status = AG_OK;
    for (uint32_t i = 0; i < job->options.reps && status == AG_OK; i++) {
        status = run_once(job);
        times[i] = job->run_ns;
        loads[i] = job->load_ns;
    }
    if (status == AG_OK) {
        job->run_ns = median(times, job->options.reps);
        job->load_ns = median(loads, job->options.reps);
    }
    free(times);
    return status;
}

static void print_trap(struct job *job, enum ag_status status)
{
    struct ag_wasm_place place;
    uint32_t size;
    void *scratch = wasm_file_scratch(&size);
    printf("trap: %s\n", ag_status_name(status));
    if (job->instance && ag_wasm_find_place(&job->file.image, ag_wasm_stopped_at(job->instance),
                                            scratch, size, &place) == AG_OK)
        fprintf(stderr, "ag-wasm: in function %" PRIu32 ", byte 0x%" PRIx32 " of the module\n",
                place.function, place.offset);
}

// The RAM of an instance that gets no more than it asks for, without its stack.
static uint32_t least_ram(const struct job *job)
{
    const struct ag_wasm_instance_options options = { 0 };
    uint32_t size = 0;
    return ag_wasm_instance_size(&job->file.image, &options, &size) == AG_OK ? size : 0;
}

static int execute(struct job *job)
{
    const struct options *options = &job->options;
    enum ag_status status = wasm_file_read(&job->file, options->path);
    if (status != AG_OK)
        return fail(options->path, status);
    status = wasm_file_translate(&job->file, refuse_import, NULL);
    if (status != AG_OK)
        return fail(options->path, status);
    status =
        ag_wasm_image_export(&job->file.image, options->function,
                             (uint32_t)strlen(options->function), AG_WASM_FUNCTION, &job->function);
    if (status == AG_OK)
        status = ag_wasm_image_type(&job->file.image, AG_WASM_FUNCTION, job->function, &job->type);
    if (status != AG_OK)
        return fail(options->function, status);
    const int refused = parse_args(job);
    if (refused)
        return refused;
    const struct ag_wasm_instance_options instance = { .stack_size = STACK_SIZE,
                                                       .memory_capacity = MEMORY_CAPACITY,
                                                       .table_capacity = TABLE_CAPACITY };
    status = ag_wasm_instance_size(&job->file.image, &instance, &job->block_size);
    if (status != AG_OK)
        return fail(options->path, status);
    job->block = malloc(job->block_size);
    if (!job->block)
        return fail(options->path, AG_ERR_WASM_MEMORY);
    status = run_all(job);
    if (status == AG_OK)
        print_results(job);
    else
        print_trap(job, status);
    if (options->has_stats)
        printf("{\"load_ns\":%" PRIu64 ",\"run_ns\":%" PRIu64 ",\"code_bytes\":%" PRIu32
               ",\"ram_bytes\":%" PRIu32 ",\"fuel\":%" PRIu64 "}\n",
               job->load_ns, job->run_ns, job->file.code_size, least_ram(job), job->fuel);
    return status == AG_OK ? 0 : EXIT_TRAP;
}

static int parse_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = { { "fuel", required_argument, NULL, 'f' },
                                           { "reps", required_argument, NULL, 'r' },
                                           { "stats", no_argument, NULL, 's' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    uint64_t number;
    int option;
    options->fuel = UINT64_MAX;
    options->reps = 1;
    while ((option = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        if (option == 's') {
            options->has_stats = true;
        } else if (option == 'f' && parse_integer(optarg, 64, &number) && *optarg != '-') {
            options->fuel = number;
        } else if (option == 'r' && parse_integer(optarg, 32, &number) && number > 0 &&
                   number <= 1000000) {
            options->reps = (uint32_t)number;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (argc - optind < 2) {
        fputs(usage, stderr);
        return 2;
    }
    options->path = argv[optind];
    options->function = argv[optind + 1];
    options->args = argv + optind + 2;
    options->arg_count = (uint32_t)(argc - optind - 2);
    return 0;
}

int main(int argc, char **argv)
{
    static struct job job;
    const int parsed = parse_options(&job.options, argc, argv);
    if (parsed != 0)
        return parsed < 0 ? 0 : parsed;
    const int code = execute(&job);
    free(job.block);
    wasm_file_close(&job.file);
    return code;
}
