// SPDX-License-Identifier: Apache-2.0
// `airgraft bench engine`: kernels against native code and against wabt's interpreter, what
// metering costs, and what loading a module takes.
#ifndef AG_BENCH_ENGINE_H
#define AG_BENCH_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"

struct bench_engine_options {
    const char *kernel;  // only this one, and no load figures; NULL: all
    const char *modules; // folder of the kernels' modules
    uint64_t rounds;     // of each kernel; 0: as many as take sample_ms
    uint64_t samples;    // of each time; the median counts
    double sample_ms;    // how long a sample is at least
    bool quick;          // small everything, for tests; the figures then mean nothing
};

// Milliseconds of this thread on a processor: what other programs do counts little.
double bench_cpu_ms(void);

// The median. Sorts them; 0 when there are none.
double bench_median(double *values, size_t count);

// Runs the kernels. Sets geomean_vs_native, geomean_vs_wabt, metering_cost_percent, and an object
// for each kernel. False with the error printed; a wrong result is one.
bool bench_engine_kernels(const struct bench_engine_options *options, json_t *figures);

// Loads blinky, a large module, and modules of many sizes and shapes. Sets load.
bool bench_engine_load(const struct bench_engine_options *options, json_t *figures);

// ---- wabt's interpreter, a child process ----

enum bench_wabt_answer {
    BENCH_WABT_RAN,
    BENCH_WABT_ABSENT, // there is no wasm-interp
    BENCH_WABT_FAILED, // the error is printed
};

// Runs the export `run` of a module made of kernels/entry.c with so many rounds. *cpu_ms is the
// child's time on a processor, its start and the reading of the module included.
enum bench_wabt_answer bench_wabt_run(const char *path, uint32_t rounds, uint32_t *result,
                                      double *cpu_ms);

// ---- Modules of one shape and any size ----

struct bench_shape {
    const char *name;
    const char *what;
    // Appends a valid module of about `size` bytes, or the largest that the engine's limits allow.
    void (*make)(struct ag_buffer *module, size_t size);
};

extern const struct bench_shape bench_shapes[];
extern const size_t bench_shape_count;

#endif
