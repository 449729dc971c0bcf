// SPDX-License-Identifier: Apache-2.0
// From a function's index and a byte's offset in a published plug-in file to names and lines.
//
// The published file holds neither. `airgraft build` leaves beside it NAME-VERSION.debug.wasm,
// which has the same code, the names and the line table; without it what is left are the names of
// exports and the numbers themselves.
#ifndef AG_CLI_DEBUG_EXPLAIN_H
#define AG_CLI_DEBUG_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/debug/symbolizer.h"
#include "cli/module.h"

// No function is known, only an offset.
#define AG_EXPLAIN_NO_FUNCTION UINT32_MAX

struct ag_explain {
    struct ag_module module; // the published file, whose bytes are borrowed
    struct ag_module debug;  // the file for debugging, all zero without one
    uint8_t *debug_bytes;    // owned
    char *debug_path;        // owned; NULL: there is none
    char problem[400];       // why the last of these calls failed; "": that has been printed
    const char *hint;        // what to do about it; "": nothing
};

// Opens the file for debugging that belongs to the published file `path` of these bytes:
// `debug_path`, or (NULL) one that lies beside it as airgraft build names it, or the published file
// itself if it was not stripped. False, with a problem, when the published file is no module, or
// the file for debugging cannot be read or has other code; what is known without it can be
// explained even so. Close it in any case.
bool ag_explain_open(struct ag_explain *explain, const char *path, const uint8_t *bytes,
                     size_t size, const char *debug_path);
void ag_explain_close(struct ag_explain *explain);

struct ag_explanation {
    uint32_t function;                  // index, imports counted
    uint32_t offset;                    // in the published file; 0: not known
    char *name;                         // of the function; NULL: not known
    struct ag_symbolizer_frames frames; // empty: no line is known
    char hint[400];                     // how to learn more; "": all is known
};

// Explains a place. False, with a problem, when it is none of this file: the offset lies in no
// function, in another one than `function`, or within an instruction. Nothing is then to clear.
bool ag_explain_place(struct ag_explain *explain, uint32_t function, uint32_t offset,
                      struct ag_explanation *explanation);
void ag_explain_clear(struct ag_explanation *explanation);

// The place in one line: "divide at probe.c:5, inlined into execute at probe.c:14", or a name
// alone; NULL when there is neither. The caller's to free.
char *ag_explain_line(const struct ag_explanation *explanation);

#endif
