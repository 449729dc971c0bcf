// SPDX-License-Identifier: Apache-2.0
// The shape of a generated module: what its functions can use. Chosen before the bodies are
// written.
//
// Everything terminates: global FUEL_GLOBAL is counted down where a loop or a function that calls
// begins, and global DEPTH_GLOBAL limits how deep calls nest.
#ifndef AG_TEST_DIFFER_SHAPE_H
#define AG_TEST_DIFFER_SHAPE_H

#include "bytes.h"

enum {
    I32 = 0x7F,
    I64 = 0x7E,
    F32 = 0x7D,
    F64 = 0x7C,
    FUNCREF = 0x70,
    EXTERNREF = 0x6F,
};

#define VALUES_MAX    4u  // parameters or results of a signature
#define TYPES_MAX     10u // and as many again for imports
#define FUNCTIONS_MAX 10u
#define IMPORTS_MAX   2u
#define GLOBALS_MAX   10u
#define TABLES        3u // two of functions, one of external references
#define TABLE_MAX     12u
#define PAGES_MAX     3u
#define DATA_COUNT    3u // one active, two passive
#define ELEMENT_COUNT 4u // one active, two passive, one declarative
#define FUEL_GLOBAL   0u
#define DEPTH_GLOBAL  1u
#define FUEL_OF_RUN   60u
#define DEPTH_MAX     8u

struct signature {
    uint8_t params[VALUES_MAX];
    uint8_t results[VALUES_MAX];
    uint32_t param_count;
    uint32_t result_count;
};

struct shape {
    struct signature types[TYPES_MAX + IMPORTS_MAX]; // number 0 takes and gives nothing
    uint32_t type_count;
    uint32_t import_types[IMPORTS_MAX];
    uint32_t import_count;
    uint32_t function_types[FUNCTIONS_MAX];
    bool is_leaf[FUNCTIONS_MAX]; // calls nothing but imports; then it needs no fuel
    uint32_t function_count;
    struct {
        uint8_t type;
        bool is_mutable;
    } globals[GLOBALS_MAX];
    uint32_t global_count;
    uint32_t table_sizes[TABLES];
    uint32_t slots[TABLE_MAX]; // functions that the active element segment writes
    uint32_t slot_count;
    uint32_t slot_offset;
    uint32_t pages;
    uint32_t data_sizes[DATA_COUNT];
    uint32_t element_sizes[ELEMENT_COUNT];
    bool has_start; // the last own function has type 0 and is the start function
};

// Appends the body of an own function, from its size to its end.
void body_write(struct bytes *code, struct random *random, const struct shape *shape,
                uint32_t function);

// Instructions that checks share: a numeric constant of the type's width from raw bits, and what
// makes any NaN the canonical one, by a local that is free for it.
void body_put_const(struct bytes *code, uint8_t type, uint64_t bits);
void body_put_canonical(struct bytes *code, uint8_t type, uint32_t scratch);

// A whole module from a seed: each own function is called by an export without parameters,
// followed by an export that hashes globals, tables and the beginning of memory; the last export
// hashes all of memory.
void module_write(struct bytes *module, uint64_t seed);

#endif
