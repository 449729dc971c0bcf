// SPDX-License-Identifier: Apache-2.0
// A random function body, valid by construction: the types on the operand stack are known all the
// time, and what an instruction needs is either there or pushed before it.
//
// No result may depend on the bits of a NaN, which the specification leaves open: they are made
// canonical wherever they could be seen (stores, reinterpretations, the sign that copysign takes).
#include <math.h>
#include <string.h>

#include "shape.h"

#define LOCALS_MAX 40u
#define STACK_MAX  120u
#define LABELS_MAX 12u
#define NEST_MAX   5u // of expressions
#define BLOCKS_MAX 5u // of control

struct label {
    const uint8_t *types; // what a branch to it carries
    uint32_t count;
    uint32_t height; // of the operand stack below the block's parameters
    bool is_counted; // a loop that counts a local up: no branch but its own leads to it
};

struct body {
    struct random *random;
    const struct shape *shape;
    const struct signature *signature;
    struct bytes code;
    uint8_t locals[LOCALS_MAX]; // parameters first
    bool is_reserved[LOCALS_MAX];
    uint32_t local_count;
    uint32_t base_local; // a small address; what follows are more locals
    uint32_t breadth;    // 1, or more for a body of many KiB
    uint32_t f32_scratch;
    uint32_t f64_scratch;
    uint8_t stack[STACK_MAX + 40];
    uint32_t depth;
    struct label labels[LABELS_MAX];
    uint32_t label_count;
    uint32_t counted_loops; // open ones
    int32_t left;           // instructions still to write, about
    bool is_leaf;
    bool is_unreachable;
};

enum care {
    FREE,
    DIVISOR,   // the second operand is seldom zero
    TRUNC,     // traps for most operands
    CANONICAL, // shows the bits of a NaN in its last operand
};

// Numeric instructions: first and last number (0xFCxx: behind the prefix), operands, result.
static const struct operation {
    uint16_t first;
    uint16_t last;
    uint8_t result;
    uint8_t a;
    uint8_t b; // 0: one operand
    enum care care;
} operations[] = {
    { 0x45, 0x45, I32, I32, 0, FREE },        { 0x46, 0x4F, I32, I32, I32, FREE },
    { 0x50, 0x50, I32, I64, 0, FREE },        { 0x51, 0x5A, I32, I64, I64, FREE },
    { 0x5B, 0x60, I32, F32, F32, FREE },      { 0x61, 0x66, I32, F64, F64, FREE },
    { 0x67, 0x69, I32, I32, 0, FREE },        { 0x6A, 0x6C, I32, I32, I32, FREE },
    { 0x6D, 0x70, I32, I32, I32, DIVISOR },   { 0x71, 0x78, I32, I32, I32, FREE },
    { 0x79, 0x7B, I64, I64, 0, FREE },        { 0x7C, 0x7E, I64, I64, I64, FREE },
    { 0x7F, 0x82, I64, I64, I64, DIVISOR },   { 0x83, 0x8A, I64, I64, I64, FREE },
    { 0x8B, 0x91, F32, F32, 0, FREE },        { 0x92, 0x97, F32, F32, F32, FREE },
    { 0x98, 0x98, F32, F32, F32, CANONICAL }, { 0x99, 0x9F, F64, F64, 0, FREE },
    { 0xA0, 0xA5, F64, F64, F64, FREE },      { 0xA6, 0xA6, F64, F64, F64, CANONICAL },
    { 0xA7, 0xA7, I32, I64, 0, FREE },        { 0xA8, 0xA9, I32, F32, 0, TRUNC },
    { 0xAA, 0xAB, I32, F64, 0, TRUNC },       { 0xAC, 0xAD, I64, I32, 0, FREE },
    { 0xAE, 0xAF, I64, F32, 0, TRUNC },       { 0xB0, 0xB1, I64, F64, 0, TRUNC },
    { 0xB2, 0xB3, F32, I32, 0, FREE },        { 0xB4, 0xB5, F32, I64, 0, FREE },
    { 0xB6, 0xB6, F32, F64, 0, FREE },        { 0xB7, 0xB8, F64, I32, 0, FREE },
    { 0xB9, 0xBA, F64, I64, 0, FREE },        { 0xBB, 0xBB, F64, F32, 0, FREE },
    { 0xBC, 0xBC, I32, F32, 0, CANONICAL },   { 0xBD, 0xBD, I64, F64, 0, CANONICAL },
    { 0xBE, 0xBE, F32, I32, 0, FREE },        { 0xBF, 0xBF, F64, I64, 0, FREE },
    { 0xC0, 0xC1, I32, I32, 0, FREE },        { 0xC2, 0xC4, I64, I64, 0, FREE },
    { 0xFC00, 0xFC01, I32, F32, 0, FREE },    { 0xFC02, 0xFC03, I32, F64, 0, FREE },
    { 0xFC04, 0xFC05, I64, F32, 0, FREE },    { 0xFC06, 0xFC07, I64, F64, 0, FREE },
};
#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

// Loads and stores: first and last number, the type loaded or stored, log2 of the widest access.
static const struct access {
    uint8_t first;
    uint8_t last;
    uint8_t type;
} loads[] = {
    { 0x28, 0x28, I32 }, { 0x29, 0x29, I64 }, { 0x2A, 0x2A, F32 },
    { 0x2B, 0x2B, F64 }, { 0x2C, 0x2F, I32 }, { 0x30, 0x35, I64 },
}, stores[] = {
    { 0x36, 0x36, I32 }, { 0x37, 0x37, I64 }, { 0x38, 0x38, F32 },
    { 0x39, 0x39, F64 }, { 0x3A, 0x3B, I32 }, { 0x3C, 0x3E, I64 },
};

static void push(struct body *body, uint8_t type, uint32_t nest);
static void write_block(struct body *body);

// ---- Small things -----------------------------------------------------------------------------

static bool types_equal(const uint8_t *a, const uint8_t *b, uint32_t count)
{
    return count == 0 || memcmp(a, b, count) == 0;
}

static uint32_t below(struct body *body, uint32_t limit)
{
    return random_below(body->random, limit);
}

static bool percent(struct body *body, uint32_t chance)
{
    return random_percent(body->random, chance);
}

static void put(struct body *body, uint32_t opcode)
{
    if (opcode > 0xFF) {
        bytes_put_u8(&body->code, opcode >> 8);
        bytes_put_leb(&body->code, opcode & 0xFF);
    } else {
        bytes_put_u8(&body->code, opcode);
    }
    body->left--;
}

static void put_index(struct body *body, uint32_t opcode, uint32_t index)
{
    put(body, opcode);
    bytes_put_leb(&body->code, index);
}

static void pushed(struct body *body, uint8_t type)
{
    body->stack[body->depth++] = type;
}

static void put_i32(struct body *body, int32_t value)
{
    put(body, 0x41);
    bytes_put_signed_leb(&body->code, value);
}

void body_put_const(struct bytes *code, uint8_t type, uint64_t bits)
{
    bytes_put_u8(code, type == I32 ? 0x41 : type == I64 ? 0x42 : type == F32 ? 0x43 : 0x44);
    if (type == I32)
        bytes_put_signed_leb(code, (int32_t)bits);
    else if (type == I64)
        bytes_put_signed_leb(code, (int64_t)bits);
    else
        bytes_put(code, &bits, type == F32 ? 4 : 8);
}

void body_put_canonical(struct bytes *code, uint8_t type, uint32_t scratch)
{
    bytes_put_u8(code, 0x22);
    bytes_put_leb(code, scratch);
    body_put_const(code, type, type == F32 ? 0x7FC00000u : 0x7FF8000000000000u);
    for (int i = 0; i < 2; i++) {
        bytes_put_u8(code, 0x20);
        bytes_put_leb(code, scratch);
    }
    bytes_put_u8(code, type == F32 ? 0x5B : 0x61);
    bytes_put_u8(code, 0x1B);
}

static void put_canonical(struct body *body, uint8_t type)
{
    if (type == F32 || type == F64)
        body_put_canonical(&body->code, type, type == F32 ? body->f32_scratch : body->f64_scratch);
}

static const struct label *innermost(const struct body *body)
{
    return &body->labels[body->label_count - 1];
}

static bool is_reference(uint8_t type)
{
    return type == FUNCREF || type == EXTERNREF;
}

static uint64_t interesting_bits(struct body *body, uint8_t type)
{
    static const int64_t integers[] = {
        0,    1,      -1,     2,         3,         7,          8,         31,
        32,   33,     63,     64,        127,       128,        255,       256,
        -128, -129,   32767,  32768,     -32768,    -32769,     65535,     65536,
        1000, 100000, -65536, INT32_MIN, INT32_MAX, UINT32_MAX, INT64_MIN, INT64_MAX
    };
    static const double floats[] = { 0.0,
                                     -0.0,
                                     1.0,
                                     -1.0,
                                     0.5,
                                     1.5,
                                     2.5,
                                     -2.5,
                                     1e10,
                                     -1e10,
                                     1e-40,
                                     3.4e38,
                                     1e39,
                                     0.1,
                                     2147483648.0,
                                     4294967296.0,
                                     -2147483649.0,
                                     9223372036854775808.0,
                                     18446744073709551616.0,
                                     1e308,
                                     5e-324,
                                     INFINITY,
                                     -INFINITY,
                                     0.49999997 };
    uint64_t bits = random_next(body->random);
    if (type == I32 || type == I64) {
        if (percent(body, 80))
            bits = (uint64_t)integers[below(body, sizeof integers / sizeof integers[0])];
        return type == I32 ? (uint32_t)bits : bits;
    }
    const double f64 = floats[below(body, sizeof floats / sizeof floats[0])];
    const float f32 = (float)f64;
    uint32_t narrow;
    memcpy(&narrow, &f32, sizeof narrow);
    if (percent(body, 15))
        return type == F32 ? (uint32_t)bits : bits; // some are NaNs of any kind
    if (type == F32)
        return narrow;
    memcpy(&bits, &f64, sizeof bits);
    return bits;
}

// ---- Expressions: each leaves one value --------------------------------------------------------

static void push_const(struct body *body, uint8_t type)
{
    if (type == FUNCREF && percent(body, 60))
        put_index(body, 0xD2, body->shape->import_count + below(body, body->shape->function_count));
    else if (is_reference(type))
        put_index(body, 0xD0, type);
    else
        body_put_const(&body->code, type, interesting_bits(body, type));
    body->left--;
    pushed(body, type);
}

// A local of the type; LOCALS_MAX if there is none.
static uint32_t find_local(struct body *body, uint8_t type, bool is_written)
{
    const uint32_t start = below(body, body->local_count);
    for (uint32_t i = 0; i < body->local_count; i++) {
        const uint32_t local = (start + i) % body->local_count;
        if (body->locals[local] == type && !(is_written && body->is_reserved[local]) &&
            local != body->f32_scratch && local != body->f64_scratch)
            return local;
    }
    return LOCALS_MAX;
}

static uint32_t find_global(struct body *body, uint8_t type, bool is_written)
{
    const uint32_t start = below(body, body->shape->global_count);
    for (uint32_t i = 0; i < body->shape->global_count; i++) {
        const uint32_t global = (start + i) % body->shape->global_count;
        if (body->shape->globals[global].type == type && global > DEPTH_GLOBAL &&
            (!is_written || body->shape->globals[global].is_mutable))
            return global;
    }
    return GLOBALS_MAX;
}

static void push_leaf(struct body *body, uint8_t type)
{
    const uint32_t local = find_local(body, type, false);
    const uint32_t global = find_global(body, type, false);
    if (local < LOCALS_MAX && percent(body, 65)) {
        put_index(body, 0x20, local);
        pushed(body, type);
    } else if (global < GLOBALS_MAX && percent(body, 30)) {
        put_index(body, 0x23, global);
        pushed(body, type);
    } else {
        push_const(body, type);
    }
}

static void push_operation(struct body *body, uint8_t type, uint32_t nest)
{
    const struct operation *found;
    do {
        found = &operations[below(body, OPERATION_COUNT)];
    } while (found->result != type || (found->care == TRUNC && !percent(body, 4)));
    push(body, found->a, nest + 1);
    if (found->b) {
        push(body, found->b, nest + 1);
        if (found->care == DIVISOR && percent(body, 90)) {
            body_put_const(&body->code, found->b, 1);
            put(body, found->b == I32 ? 0x72 : 0x84);
        }
        body->depth--;
    }
    if (found->care == CANONICAL)
        put_canonical(body, found->b ? found->b : found->a);
    put(body, found->first + below(body, found->last - found->first + 1u));
    body->stack[body->depth - 1] = type;
}

// A small number as compilers leave them in registers: a local that nothing else writes.
static void push_small_local(struct body *body)
{
    uint32_t local = body->base_local;
    while (percent(body, 50) && local + 1 < body->local_count)
        local++;
    put_index(body, 0x20, body->is_reserved[local] ? local : body->base_local);
    pushed(body, I32);
}

// An address is mostly within the first KiB; it comes in the ways that compilers have for one.
static void push_address(struct body *body, uint32_t nest)
{
    const uint32_t form = below(body, 10);
    if (form < 2) {
        put_i32(body, (int32_t)below(body, percent(body, 90) ? 1024 : 70000));
        pushed(body, I32);
    } else if (form < 5) {
        push_small_local(body);
        if (form == 4) { // base and index, shifted or not
            push_small_local(body);
            if (percent(body, 50)) {
                put_i32(body, 1 + (int32_t)below(body, 3));
                put(body, 0x74);
            }
            put(body, 0x6A);
            body->depth--;
        } else if (form == 3) { // base and constant, which may be negative
            put_i32(body, (int32_t)below(body, 80) - (percent(body, 5) ? 600 : 8));
            put(body, 0x6A);
        }
    } else {
        push(body, I32, nest + 1);
        if (percent(body, 97)) {
            put_i32(body, 0x3FF);
            put(body, 0x71);
        }
        if (form == 9) {
            push_small_local(body);
            put(body, 0x6A);
            body->depth--;
        }
    }
}

static void put_access(struct body *body, const struct access *access)
{
    static const uint32_t offsets[] = { 0, 1, 4, 7, 8, 100, 1024, 60000, 64000 };
    put(body, access->first + below(body, access->last - access->first + 1u));
    bytes_put_leb(&body->code, 0);
    if (percent(body, 1))
        bytes_put_leb(&body->code, 0xFFFFFFF0u + below(body, 16));
    else
        bytes_put_leb(&body->code, offsets[below(body, sizeof offsets / sizeof offsets[0])]);
}

static void push_load(struct body *body, uint8_t type, uint32_t nest)
{
    const struct access *access;
    do {
        access = &loads[below(body, sizeof loads / sizeof loads[0])];
    } while (access->type != type);
    push_address(body, nest);
    put_access(body, access);
    body->stack[body->depth - 1] = type;
}

static void push_select(struct body *body, uint8_t type, uint32_t nest)
{
    push(body, type, nest + 1);
    push(body, type, nest + 1);
    push(body, I32, nest + 1);
    body->depth -= 2;
    if (is_reference(type) || percent(body, 20)) {
        put(body, 0x1C);
        bytes_put_u8(&body->code, 1);
        bytes_put_u8(&body->code, type);
    } else {
        put(body, 0x1B);
    }
}

static void push_tee(struct body *body, uint8_t type, uint32_t nest)
{
    const uint32_t local = find_local(body, type, true);
    push(body, type, nest + 1);
    if (local < LOCALS_MAX)
        put_index(body, 0x22, local);
}

static void open_label(struct body *body, const uint8_t *types, uint32_t count, uint32_t height)
{
    body->labels[body->label_count++] = (struct label){ types, count, height, false };
}

// block (result type) … br_if out … end, or if … else … end.
static void push_block(struct body *body, uint8_t type, uint32_t nest)
{
    static const uint8_t types[] = { I32, I64, F32, F64, FUNCREF, EXTERNREF };
    const uint8_t *label = memchr(types, type, sizeof types);
    const bool is_if = percent(body, 50);
    if (is_if) {
        push(body, I32, nest + 1);
        body->depth--;
    }
    put_index(body, is_if ? 0x04 : 0x02, type);
    open_label(body, label, 1, body->depth);
    push(body, type, nest + 1);
    if (percent(body, 50)) {
        push(body, I32, nest + 1);
        body->depth--;
        put_index(body, 0x0D, 0);
    }
    if (is_if) {
        put(body, 0x05);
        body->depth--;
        push(body, type, nest + 1);
    }
    put(body, 0x0B);
    body->label_count--;
}

static void push_small(struct body *body, uint8_t type, uint32_t nest)
{
    switch (below(body, 5)) {
    case 0:
        put_index(body, 0x3F, 0); // memory.size
        break;
    case 1:
        push(body, I32, nest + 1);
        put_i32(body, 3);
        put(body, 0x71);
        put_index(body, 0x40, 0); // memory.grow
        body->depth--;
        break;
    case 2:
        put_index(body, 0xFC10, below(body, TABLES)); // table.size
        break;
    case 3: { // table.grow
        const uint32_t table = below(body, TABLES);
        push(body, table < 2 ? FUNCREF : EXTERNREF, nest + 1);
        push(body, I32, nest + 1);
        put_i32(body, 3);
        put(body, 0x71);
        put_index(body, 0xFC0F, table);
        body->depth -= 2;
        break;
    }
    default: // ref.is_null
        push(body, percent(body, 80) ? FUNCREF : EXTERNREF, nest + 1);
        put(body, 0xD1);
        body->depth--;
    }
    pushed(body, type);
}

static void push_table_get(struct body *body, uint8_t type, uint32_t nest)
{
    push(body, I32, nest + 1);
    if (percent(body, 95)) {
        put_i32(body, 3);
        put(body, 0x71);
    }
    put_index(body, 0x25, type == EXTERNREF ? 2 : below(body, 2));
    body->stack[body->depth - 1] = type;
}

static bool is_too_deep(const struct body *body, uint32_t nest)
{
    return nest >= NEST_MAX || body->left <= 0 || body->depth + 12 > STACK_MAX ||
           body->label_count + 2 > LABELS_MAX;
}

static void push(struct body *body, uint8_t type, uint32_t nest)
{
    if (is_too_deep(body, nest) || percent(body, 22 + nest * 8)) {
        push_leaf(body, type);
        return;
    }
    const uint32_t choice = below(body, 100);
    if (choice < 8)
        push_select(body, type, nest);
    else if (choice < 24)
        push_tee(body, type, nest);
    else if (choice < 29)
        push_block(body, type, nest);
    else if (is_reference(type))
        push_table_get(body, type, nest);
    else if (choice < 40)
        push_load(body, type, nest);
    else if (choice < 43 && type == I32)
        push_small(body, type, nest);
    else
        push_operation(body, type, nest);
}

// ---- The operand stack as it is ----------------------------------------------------------------

// Makes the topmost values be of these types: keeps them if they are already.
static void want(struct body *body, const uint8_t *types, uint32_t count)
{
    const uint32_t bottom = innermost(body)->height;
    for (uint32_t kept = count; kept > 0; kept--) {
        if (body->depth - bottom >= kept && percent(body, 70) &&
            memcmp(body->stack + body->depth - kept, types, kept) == 0) {
            types += kept;
            count -= kept;
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        push(body, types[i], 1);
}

// Drops the topmost value or keeps it in a local or global.
static void consume(struct body *body)
{
    const uint8_t type = body->stack[body->depth - 1];
    const uint32_t local = find_local(body, type, true);
    const uint32_t global = find_global(body, type, true);
    if (local < LOCALS_MAX && percent(body, 60))
        put_index(body, 0x21, local);
    else if (global < GLOBALS_MAX && percent(body, 60))
        put_index(body, 0x24, global);
    else
        put(body, 0x1A);
    body->depth--;
}

static void finish_block(struct body *body, const uint8_t *results, uint32_t count)
{
    const uint32_t height = innermost(body)->height;
    if (body->is_unreachable) {
        body->is_unreachable = false;
        body->depth = height;
        for (uint32_t i = 0; i < count; i++)
            pushed(body, results[i]);
        return;
    }
    if (body->depth - height == count && types_equal(body->stack + height, results, count))
        return;
    while (body->depth > height)
        consume(body);
    for (uint32_t i = 0; i < count; i++)
        push(body, results[i], 2);
}

// An operation on what lies on top: its first operand is old, its second is fresh.
static void write_operation(struct body *body)
{
    const uint8_t top = body->depth > innermost(body)->height ? body->stack[body->depth - 1] : 0;
    const struct operation *found = &operations[below(body, OPERATION_COUNT)];
    for (uint32_t i = 0; i < 8 && (found->a != top || found->care == TRUNC); i++)
        found = &operations[below(body, OPERATION_COUNT)];
    if (found->a != top || found->care != FREE)
        return;
    if (found->b) {
        push(body, found->b, 2);
        body->depth--;
    }
    put(body, found->first + below(body, found->last - found->first + 1u));
    body->stack[body->depth - 1] = found->result;
}

// ---- Statements --------------------------------------------------------------------------------

static void write_store(struct body *body)
{
    const struct access *access = &stores[below(body, sizeof stores / sizeof stores[0])];
    push_address(body, 1);
    push(body, access->type, 1);
    put_canonical(body, access->type);
    put_access(body, access);
    body->depth -= 2;
}

// Copies four or eight bytes that may be a NaN of any kind; they stay as they are.
static void write_float_copy(struct body *body)
{
    const bool is_wide = percent(body, 50);
    push_address(body, 2);
    push_address(body, 2);
    put(body, is_wide ? 0x2B : 0x2A);
    bytes_put(&body->code, "\0\4", 2);
    if (percent(body, 30))
        put(body, is_wide ? 0x9A : 0x8C); // neg
    put(body, is_wide ? 0x39 : 0x38);
    bytes_put(&body->code, "\0\4", 2);
    body->depth -= 2;
}

static void write_global_set(struct body *body)
{
    static const uint8_t types[] = { I32, I64, F32, F64, FUNCREF };
    const uint8_t type = types[below(body, sizeof types)];
    const uint32_t global = find_global(body, type, true);
    if (global == GLOBALS_MAX)
        return;
    want(body, &type, 1);
    put_index(body, 0x24, global);
    body->depth--;
}

static void write_local_set(struct body *body)
{
    static const uint8_t types[] = { I32, I32, I64, F32, F64, FUNCREF };
    const uint8_t type = types[below(body, sizeof types)];
    const uint32_t local = find_local(body, type, true);
    if (local == LOCALS_MAX)
        return;
    want(body, &type, 1);
    const bool is_kept = percent(body, 30);
    put_index(body, is_kept ? 0x22 : 0x21, local);
    body->depth -= is_kept ? 0 : 1;
}

static void take_results(struct body *body, const struct signature *type)
{
    body->depth -= type->param_count;
    for (uint32_t i = 0; i < type->result_count; i++)
        pushed(body, type->results[i]);
}

static void write_call(struct body *body)
{
    const struct shape *shape = body->shape;
    uint32_t index;
    const struct signature *type;
    if (shape->import_count > 0 && percent(body, 20)) {
        index = below(body, shape->import_count);
        type = &shape->types[shape->import_types[index]];
    } else {
        if (body->is_leaf)
            return;
        index = below(body, shape->function_count);
        type = &shape->types[shape->function_types[index]];
        index += shape->import_count;
    }
    want(body, type->params, type->param_count);
    put_index(body, 0x10, index);
    take_results(body, type);
}

static void write_call_indirect(struct body *body)
{
    const struct shape *shape = body->shape;
    const uint32_t slot = below(body, shape->slot_count);
    const uint32_t function = shape->slots[slot];
    uint32_t type_index = function < shape->import_count
                              ? shape->import_types[function]
                              : shape->function_types[function - shape->import_count];
    if (body->is_leaf)
        return;
    if (percent(body, 2))
        type_index = below(body, shape->type_count);
    const struct signature *type = &shape->types[type_index];
    want(body, type->params, type->param_count);
    if (percent(body, 3)) {
        push(body, I32, 3);
        body->depth--;
    } else {
        put_i32(body, (int32_t)(shape->slot_offset + slot));
    }
    put_index(body, 0x11, type_index);
    bytes_put_leb(&body->code, 0);
    take_results(body, type);
}

static void push_masked(struct body *body, int32_t mask)
{
    push(body, I32, 2);
    if (percent(body, 98)) {
        put_i32(body, mask);
        put(body, 0x71);
    }
}

static void write_memory_bulk(struct body *body)
{
    const uint32_t which = below(body, 4);
    const uint32_t segment = below(body, DATA_COUNT);
    if (which == 3) {
        put_index(body, 0xFC09, segment); // data.drop
        return;
    }
    push_masked(body, 0x7FF);
    push_masked(body, which == 2 ? 3 : 0x7FF);
    push_masked(body, which == 2 ? 7 : 0x1FF);
    body->depth -= 3;
    if (which == 0) {
        put_index(body, 0xFC0B, 0); // memory.fill
    } else if (which == 1) {
        put_index(body, 0xFC0A, 0); // memory.copy
        bytes_put_leb(&body->code, 0);
    } else {
        put_index(body, 0xFC08, segment); // memory.init
        bytes_put_leb(&body->code, 0);
    }
}

static void write_table_bulk(struct body *body)
{
    const uint32_t table = below(body, TABLES);
    const uint8_t type = table < 2 ? FUNCREF : EXTERNREF;
    const uint32_t which = below(body, 5);
    if (which == 4) {
        put_index(body, 0xFC0D, below(body, ELEMENT_COUNT)); // elem.drop
        return;
    }
    push_masked(body, 3);
    if (which == 0 || which == 1)
        push(body, type, 2);
    else
        push_masked(body, 1);
    if (which > 0)
        push_masked(body, 1);
    body->depth -= which == 0 ? 2 : 3;
    if (which == 0) {
        put_index(body, 0x26, table); // table.set
    } else if (which == 1) {
        put_index(body, 0xFC11, table); // table.fill
    } else if (which == 2 || table == 2) {
        put_index(body, 0xFC0E, table); // table.copy
        bytes_put_leb(&body->code, table < 2 ? below(body, 2) : 2);
    } else {
        put_index(body, 0xFC0C, below(body, ELEMENT_COUNT)); // table.init
        bytes_put_leb(&body->code, table);
    }
}

// ---- Branches ----------------------------------------------------------------------------------

// How far out a label is that branches may lead to.
static uint32_t choose_label(struct body *body)
{
    for (;;) {
        const uint32_t out = below(body, body->label_count);
        if (!body->labels[body->label_count - 1 - out].is_counted)
            return out;
    }
}

static const struct label *label_at(const struct body *body, uint32_t out)
{
    return &body->labels[body->label_count - 1 - out];
}

static void write_br_if(struct body *body)
{
    const uint32_t out = choose_label(body);
    want(body, label_at(body, out)->types, label_at(body, out)->count);
    push(body, I32, 1);
    put_index(body, 0x0D, out);
    body->depth--;
}

// Code that is never reached has any types that it needs.
static void write_dead_code(struct body *body)
{
    static const struct {
        const char *bytes;
        uint32_t size;
    } pieces[] = {
        { "\x6A\x1A", 2 },           { "\x1B\x1A", 2 },
        { "\x42\1\x7C\x1A", 4 },     { "\xA0\x1A", 2 },
        { "\x02\x40\x0B", 3 },       { "\x04\x40\x05\x0B", 4 },
        { "\x28\0\0\x1A", 4 },       { "\x04\x7F\x41\0\x05\x41\1\x0B\x1A", 9 },
        { "\x03\x40\x0C\0\x0B", 5 }, { "\xFC\x0B\0", 3 },
    };
    while (percent(body, 50)) {
        const uint32_t piece = below(body, sizeof pieces / sizeof pieces[0]);
        bytes_put(&body->code, pieces[piece].bytes, pieces[piece].size);
    }
}

static void write_br_table(struct body *body)
{
    const uint32_t out = choose_label(body);
    const struct label *label = label_at(body, out);
    const bool is_long = percent(body, 3);
    const uint32_t count = below(body, is_long ? 1500 : 5);
    want(body, label->types, label->count);
    if (percent(body, 50))
        push_leaf(body, I32); // what is too large leads to the last label
    else
        push_masked(body, is_long ? 0x7FF : 7);
    put_index(body, 0x0E, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t other = choose_label(body);
        const struct label *target = label_at(body, other);
        const bool fits =
            target->count == label->count && types_equal(target->types, label->types, label->count);
        bytes_put_leb(&body->code, fits ? other : out);
    }
    bytes_put_leb(&body->code, out);
}

static void write_exit(struct body *body)
{
    const uint32_t choice = below(body, 20);
    if (choice == 0) {
        put(body, 0x00);
    } else if (choice < 6) {
        want(body, body->signature->results, body->signature->result_count);
        put(body, 0x0F);
    } else if (choice < 14) {
        write_br_table(body);
    } else {
        const uint32_t out = choose_label(body);
        want(body, label_at(body, out)->types, label_at(body, out)->count);
        put_index(body, 0x0C, out);
    }
    write_dead_code(body);
    body->is_unreachable = true;
}

// ---- Blocks ------------------------------------------------------------------------------------

static void put_return_of_zeros(struct body *body)
{
    for (uint32_t i = 0; i < body->signature->result_count; i++) {
        const uint8_t type = body->signature->results[i];
        if (is_reference(type))
            put_index(body, 0xD0, type);
        else
            body_put_const(&body->code, type, 0);
    }
    put(body, 0x0F);
}

static void put_global_step(struct body *body, uint32_t global, int32_t step)
{
    put_index(body, 0x23, global);
    put_i32(body, step);
    put(body, 0x6A);
    put_index(body, 0x24, global);
}

// Returns zeros when the run's fuel is used up.
static void put_fuel_check(struct body *body)
{
    put_global_step(body, FUEL_GLOBAL, -1);
    put_index(body, 0x23, FUEL_GLOBAL);
    put_i32(body, 0);
    put(body, 0x48); // i32.lt_s
    put_index(body, 0x04, 0x40);
    put_return_of_zeros(body);
    put(body, 0x0B);
}

static void write_statement(struct body *body)
{
    const uint32_t choice = below(body, 100);
    if (choice < 16)
        write_local_set(body);
    else if (choice < 22)
        write_global_set(body);
    else if (choice < 34)
        write_store(body);
    else if (choice < 36)
        write_float_copy(body);
    else if (choice < 46)
        write_call(body);
    else if (choice < 51)
        write_call_indirect(body);
    else if (choice < 67)
        write_block(body);
    else if (choice < 77)
        write_br_if(body);
    else if (choice < 80)
        write_memory_bulk(body);
    else if (choice < 83)
        write_table_bulk(body);
    else
        write_operation(body);
}

static void write_statements(struct body *body, uint32_t most)
{
    for (uint32_t i = below(body, most * body->breadth + 1); i > 0 && body->left > 0; i--) {
        if (body->depth + 24 > STACK_MAX)
            break;
        write_statement(body);
    }
    if (body->label_count > 1 && percent(body, 16))
        write_exit(body);
}

static void put_block_type(struct body *body, uint32_t type)
{
    const struct signature *signature = &body->shape->types[type];
    if (signature->param_count == 0 && signature->result_count == 0)
        bytes_put_u8(&body->code, 0x40);
    else if (signature->param_count == 0 && signature->result_count == 1)
        bytes_put_u8(&body->code, signature->results[0]);
    else
        bytes_put_signed_leb(&body->code, type);
}

static void write_if(struct body *body, uint32_t type)
{
    const struct signature *signature = &body->shape->types[type];
    const bool is_plain = signature->param_count == signature->result_count &&
                          memcmp(signature->params, signature->results, VALUES_MAX) == 0;
    const bool has_else = !is_plain || percent(body, 50);
    push(body, I32, 1);
    body->depth--;
    const uint32_t height = body->depth - signature->param_count;
    put(body, 0x04);
    put_block_type(body, type);
    open_label(body, signature->results, signature->result_count, height);
    write_statements(body, 4);
    finish_block(body, signature->results, signature->result_count);
    if (has_else) {
        put(body, 0x05);
        body->depth = height;
        for (uint32_t i = 0; i < signature->param_count; i++)
            pushed(body, signature->params[i]);
        write_statements(body, 4);
        finish_block(body, signature->results, signature->result_count);
    }
    put(body, 0x0B);
    body->label_count--;
}

static void write_plain_block(struct body *body, uint32_t type, bool is_loop)
{
    const struct signature *signature = &body->shape->types[type];
    const uint32_t height = body->depth - signature->param_count;
    put(body, is_loop ? 0x03 : 0x02);
    put_block_type(body, type);
    if (is_loop) {
        open_label(body, signature->params, signature->param_count, height);
        put_fuel_check(body);
    } else {
        open_label(body, signature->results, signature->result_count, height);
    }
    write_statements(body, 5);
    finish_block(body, signature->results, signature->result_count);
    put(body, 0x0B);
    body->label_count--;
}

// A loop as compilers make it: a local that nothing else writes counts to a small number.
static void write_counted_loop(struct body *body)
{
    const uint32_t local = body->local_count;
    body->locals[local] = I32;
    body->is_reserved[local] = true;
    body->local_count++;
    put_i32(body, 0);
    put_index(body, 0x21, local);
    put_index(body, 0x03, 0x40);
    open_label(body, NULL, 0, body->depth);
    body->labels[body->label_count - 1].is_counted = true;
    body->counted_loops++;
    write_statements(body, 5);
    finish_block(body, NULL, 0);
    put_index(body, 0x20, local);
    put_i32(body, 1);
    put(body, 0x6A);
    put_index(body, 0x22, local);
    put_i32(body, 1 + (int32_t)below(body, 6));
    put(body, percent(body, 50) ? 0x48 : 0x49);
    put_index(body, 0x0D, 0);
    put(body, 0x0B);
    body->counted_loops--;
    body->label_count--;
}

static void write_block(struct body *body)
{
    const uint32_t type = below(body, body->shape->type_count);
    const uint32_t kind = below(body, 4);
    if (body->label_count > BLOCKS_MAX || body->left <= 0)
        return;
    if (kind == 0 && body->counted_loops < 2 && body->local_count < LOCALS_MAX) {
        write_counted_loop(body);
        return;
    }
    want(body, body->shape->types[type].params, body->shape->types[type].param_count);
    if (kind == 1 && !body->is_leaf)
        write_plain_block(body, type, true);
    else if (kind == 2)
        write_plain_block(body, type, false);
    else
        write_if(body, type);
}

// ---- The whole ---------------------------------------------------------------------------------

static void add_local(struct body *body, uint8_t type)
{
    body->locals[body->local_count++] = type;
}

static void choose_locals(struct body *body)
{
    static const uint8_t types[] = { I32, I32, I64, F32, F64, I32, I64, FUNCREF, EXTERNREF };
    for (uint32_t i = 0; i < body->signature->param_count; i++)
        add_local(body, body->signature->params[i]);
    add_local(body, F32);
    add_local(body, F64);
    add_local(body, I32);
    body->f32_scratch = body->local_count - 3;
    body->f64_scratch = body->local_count - 2;
    body->base_local = body->local_count - 1;
    body->is_reserved[body->base_local] = true;
    for (uint32_t i = below(body, 12); i > 0; i--)
        add_local(body, types[below(body, sizeof types)]);
}

static void put_locals(struct bytes *bytes, const struct body *body)
{
    const uint32_t first = body->signature->param_count;
    bytes_put_leb(bytes, body->local_count - first);
    for (uint32_t i = first; i < body->local_count; i++) {
        bytes_put_u8(bytes, 1);
        bytes_put_u8(bytes, body->locals[i]);
    }
}

void body_write(struct bytes *code, struct random *random, const struct shape *shape,
                uint32_t function)
{
    struct body body = { .random = random, .shape = shape };
    struct bytes whole = { 0 };
    body.signature = &shape->types[shape->function_types[function]];
    body.is_leaf = shape->is_leaf[function];
    body.left = 20 + (int32_t)below(&body, body.is_leaf ? 150 : 500);
    body.breadth = 1;
    const bool is_giant = !body.is_leaf && below(&body, 400) == 0;
    if (is_giant || percent(&body, 2)) { // branches that reach far
        body.breadth = is_giant ? 1000 : 10;
        body.left = is_giant ? 50000 : body.left * 20;
    }
    choose_locals(&body);
    put_i32(&body, 520 + (int32_t)below(&body, 400));
    put_index(&body, 0x21, body.base_local);
    open_label(&body, body.signature->results, body.signature->result_count, 0);
    if (!body.is_leaf) {
        put_fuel_check(&body);
        put_global_step(&body, DEPTH_GLOBAL, 1);
        put_index(&body, 0x23, DEPTH_GLOBAL);
        put_i32(&body, DEPTH_MAX);
        put(&body, 0x4A); // i32.gt_s
        put_index(&body, 0x04, 0x40);
        put_return_of_zeros(&body);
        put(&body, 0x0B);
    }
    if (is_giant)
        write_plain_block(&body, 0, true);
    write_statements(&body, 30);
    finish_block(&body, body.signature->results, body.signature->result_count);
    if (!body.is_leaf)
        put_global_step(&body, DEPTH_GLOBAL, -1);
    put(&body, 0x0B);
    put_locals(&whole, &body);
    bytes_put(&whole, body.code.at, body.code.size);
    bytes_put_sized(code, &whole);
    bytes_clear(&whole);
    bytes_clear(&body.code);
}
