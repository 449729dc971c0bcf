// SPDX-License-Identifier: Apache-2.0
// The figures of benches, for people.
#ifndef AG_CLI_BENCH_PRINT_H
#define AG_CLI_BENCH_PRINT_H

#include <jansson.h>
#include <stddef.h>

// One figure of a bench.
struct ag_bench_figure {
    const char *key;
    const char *label;
    const char *unit;
    double budget; // DESIGN 9: at most this; 0: none
};

// Prints those of the rows that `figures` has as numbers.
void ag_bench_print_figures(const struct ag_bench_figure *rows, size_t count,
                            const json_t *figures);

// A table of kernels, then load figures, of `airgraft bench engine`.
void ag_bench_print_engine(json_t *figures);

#endif
