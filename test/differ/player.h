// SPDX-License-Identifier: Apache-2.0
// Plays a generated module on an engine and writes down what could be seen: a line for each call of
// an import and for each export, in the order they happen, as wasm-interp prints them.
#ifndef AG_TEST_DIFFER_PLAYER_H
#define AG_TEST_DIFFER_PLAYER_H

#include "bytes.h"

#define UNCUT 50000000u // fuel for any call as a whole: none that ends needs that much

// How a run is cut.
struct cuts {
    uint32_t first;       // fuel of the first slice of each call
    uint32_t slice;       // and of the others
    uint32_t host_again;  // so many times an import answers AG_ERR_AGAIN before it is done
    struct random random; // for `is_random`
    bool is_random;       // the first slice of each call is somewhere within it
};

// What was seen. Fuel is counted apart, as another engine has none.
struct report {
    struct bytes text;
    uint64_t fuel[64]; // of each export
    uint32_t call_count;
    uint32_t trap_count;
    uint64_t fuel_used;
    bool is_endless; // a call was given up
    uint64_t state;  // a hash of memory, globals and tables at the end
};

void report_clear(struct report *report);

// `whole` is the report of a play without cuts, or NULL for that one. False when the
// engine refuses the module: the text says why.
bool player_play(const struct bytes *module, const struct cuts *cuts, const struct report *whole,
                 struct report *report);

// Plays the module file by wasm-interp. False if it cannot be run.
bool peer_play(const char *path, struct report *report);

#endif
