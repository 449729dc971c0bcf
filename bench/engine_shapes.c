// SPDX-License-Identifier: Apache-2.0
// Valid modules of one shape and any size: ordinary code, and the shapes that would show a
// translator whose time or memory grows faster than the module.
//
// A shape stops growing where the engine's limits (src/wasm/README.md) end it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/engine.h"

enum {
    FUNCTIONS_MAX = 16000,
    TYPES_MAX = 4096, // 4 kinds of number in 6 places
    IMPORTS_MAX = 1024,
    GLOBALS_MAX = 8192,
    EXPORTS_MAX = 4096,
    SEGMENTS_MAX = 16000,
    LABELS_MAX = 60000, // of one branch table
    NESTED_MAX = 10000,
    LOCAL_GROUPS = 500,
    FUNCTION_SIZE = 320, // of ordinary code
    FAR_GROUPS = 60,     // of 64 far branches in one function
    OPEN_MAX = 4000,     // branches open at once
    TYPE_PARAMS = 6,
};

enum section {
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_TABLE = 4,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_EXPORT = 7,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10,
    SECTION_DATA = 11,
};

enum {
    OP_BLOCK = 0x02,
    OP_LOOP = 0x03,
    OP_END = 0x0B,
    OP_BR_IF = 0x0D,
    OP_BR_TABLE = 0x0E,
    OP_CALL = 0x10,
    OP_CALL_INDIRECT = 0x11,
    OP_DROP = 0x1A,
    OP_LOCAL_GET = 0x20,
    OP_LOCAL_SET = 0x21,
    OP_LOCAL_TEE = 0x22,
    OP_GLOBAL_GET = 0x23,
    OP_GLOBAL_SET = 0x24,
    OP_I32_LOAD = 0x28,
    OP_I32_STORE = 0x36,
    OP_I32_CONST = 0x41,
    OP_I32_LT_S = 0x48,
    OP_I32_ADD = 0x6A,
    OP_I32_MUL = 0x6C,
    VOID = 0x40,
    I32 = 0x7F,
    FUNCREF = 0x70,
};

#define PUT(module, ...)                                                                           \
    put(module, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put(struct ag_buffer *module, const uint8_t *bytes, size_t size)
{
    ag_buffer_append(module, bytes, size);
}

static void number(struct ag_buffer *module, size_t value)
{
    ag_buffer_append_leb(module, (uint32_t)value);
}

// i32.const of a number that is not negative.
static void constant(struct ag_buffer *module, size_t value)
{
    uint32_t left = (uint32_t)value;
    ag_buffer_append_u8(module, OP_I32_CONST);
    for (; left > 63; left >>= 7)
        ag_buffer_append_u8(module, (uint8_t)(left & 127) | 128);
    ag_buffer_append_u8(module, (uint8_t)left);
}

// A size that is not known yet: five bytes, filled in by `close_size`.
static size_t open_size(struct ag_buffer *module)
{
    PUT(module, 0x80, 0x80, 0x80, 0x80, 0);
    return module->size;
}

static void close_size(struct ag_buffer *module, size_t start)
{
    size_t size = module->size - start;
    for (size_t i = 0; i < 5; i++, size >>= 7)
        module->bytes[start - 5 + i] = (uint8_t)((size & 127) | (i < 4 ? 128 : 0));
}

static size_t open_section(struct ag_buffer *module, enum section id, size_t count)
{
    ag_buffer_append_u8(module, (uint8_t)id);
    const size_t start = open_size(module);
    number(module, count);
    return start;
}

static void put_section(struct ag_buffer *module, enum section id, const uint8_t *bytes,
                        size_t size)
{
    ag_buffer_append_u8(module, (uint8_t)id);
    number(module, size);
    put(module, bytes, size);
}

#define PUT_SECTION(module, id, ...)                                                               \
    put_section(module, id, (const uint8_t[]){ __VA_ARGS__ },                                      \
                sizeof((const uint8_t[]){ __VA_ARGS__ }))

// Types 0: (i32 i32) -> i32 and 1: () -> ().
static void begin(struct ag_buffer *module)
{
    PUT(module, 0, 'a', 's', 'm', 1, 0, 0, 0);
    PUT_SECTION(module, SECTION_TYPE, 2, 0x60, 2, I32, I32, 1, I32, 0x60, 0, 0);
}

// So many functions of one type.
static void put_functions(struct ag_buffer *module, size_t count, uint8_t type)
{
    const size_t start = open_section(module, SECTION_FUNCTION, count);
    for (size_t i = 0; i < count; i++)
        ag_buffer_append_u8(module, type);
    close_size(module, start);
}

static void put_memory(struct ag_buffer *module)
{
    PUT_SECTION(module, SECTION_MEMORY, 1, 0, 1);
}

static size_t at_most(size_t value, size_t most)
{
    if (value > most)
        return most;
    return value > 0 ? value : 1;
}

// ---- Ordinary code ----

// Straight code, a branch forward, a loop, loads and stores, a call: what a compiler would emit.
// Locals 0 and 1 are parameters, 2 and 3 are i32. 58 bytes and a little.
static void put_unit(struct ag_buffer *module, size_t vary, size_t callee)
{
    PUT(module, OP_BLOCK, VOID);
    PUT(module, OP_LOCAL_GET, 2, OP_LOCAL_GET, 3, OP_I32_LT_S, OP_BR_IF, 0);
    PUT(module, OP_LOCAL_GET, 0);
    constant(module, vary * 4 & 0xFFF);
    PUT(module, OP_I32_ADD, OP_LOCAL_GET, 2, OP_I32_STORE, 2, 8);
    PUT(module, OP_LOCAL_GET, 3, OP_I32_LOAD, 2, 12, OP_LOCAL_GET, 1, OP_I32_MUL, OP_LOCAL_SET, 2);
    PUT(module, OP_END);
    PUT(module, OP_LOOP, VOID, OP_LOCAL_GET, 3, OP_I32_CONST, 0x7F, OP_I32_ADD, OP_LOCAL_TEE, 3);
    PUT(module, OP_BR_IF, 0, OP_END);
    PUT(module, OP_LOCAL_GET, 0, OP_LOCAL_GET, 2, OP_CALL);
    number(module, callee);
    PUT(module, OP_LOCAL_SET, 3);
}

static void put_code(struct ag_buffer *module, size_t count, size_t size)
{
    const size_t start = open_section(module, SECTION_CODE, count);
    for (size_t i = 0; i < count; i++) {
        const size_t body = open_size(module);
        PUT(module, 1, 2, I32);
        do
            put_unit(module, module->size, i > 0 ? i - 1 : 0);
        while (module->size - body < size);
        PUT(module, OP_LOCAL_GET, 2, OP_END);
        close_size(module, body);
    }
    close_size(module, start);
}

static void make_code(struct ag_buffer *module, size_t size, size_t count)
{
    begin(module);
    put_functions(module, count, 0);
    put_memory(module);
    put_code(module, count, size / count > 64 ? size / count - 64 : 1);
}

static void make_plain(struct ag_buffer *module, size_t size)
{
    make_code(module, size, at_most(size / FUNCTION_SIZE, FUNCTIONS_MAX));
}

static void make_one_function(struct ag_buffer *module, size_t size)
{
    make_code(module, size, 1);
}

static void make_tiny_functions(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 6, FUNCTIONS_MAX);
    begin(module);
    put_functions(module, count, 0);
    const size_t start = open_section(module, SECTION_CODE, count);
    for (size_t i = 0; i < count; i++)
        PUT(module, 4, 0, OP_LOCAL_GET, 0, OP_END);
    close_size(module, start);
}

// ---- Functions without parameters and results, made of one thing again and again ----

// Appends the code for the `index`-th of these things; leaves the operand stack as it was.
typedef void (*put_thing)(struct ag_buffer *module, size_t index);

// `count` things, so many in a function.
static void put_things(struct ag_buffer *module, size_t count, size_t each, put_thing put_one)
{
    const size_t functions = (count + each - 1) / each;
    const size_t start = open_section(module, SECTION_CODE, functions);
    for (size_t i = 0; i < functions; i++) {
        const size_t body = open_size(module);
        ag_buffer_append_u8(module, 0);
        for (size_t k = i * each; k < count && k < (i + 1) * each; k++)
            put_one(module, k);
        ag_buffer_append_u8(module, OP_END);
        close_size(module, body);
    }
    close_size(module, start);
}

enum {
    EACH = 64, // things in a function
};

static size_t functions_for(size_t count)
{
    return (count + EACH - 1) / EACH;
}

static void put_type(struct ag_buffer *module, size_t index)
{
    PUT(module, 0x60, TYPE_PARAMS);
    for (int i = 0; i < TYPE_PARAMS; i++, index >>= 2)
        ag_buffer_append_u8(module, (uint8_t)(I32 - (index & 3)));
    ag_buffer_append_u8(module, 0);
}

static void put_operands(struct ag_buffer *module, size_t index)
{
    static const uint8_t zero[9] = { 0 };
    static const uint8_t sizes[4] = { 1, 1, 4, 8 }; // of a constant zero: i32, i64, f32, f64
    for (int i = 0; i < TYPE_PARAMS; i++, index >>= 2) {
        ag_buffer_append_u8(module, (uint8_t)(OP_I32_CONST + (index & 3)));
        put(module, zero, sizes[index & 3]);
    }
}

static void put_indirect_call(struct ag_buffer *module, size_t index)
{
    put_operands(module, index);
    PUT(module, OP_I32_CONST, 0, OP_CALL_INDIRECT);
    number(module, index + 1);
    ag_buffer_append_u8(module, 0);
}

static void put_equal_indirect_call(struct ag_buffer *module, size_t index)
{
    put_operands(module, 0);
    PUT(module, OP_I32_CONST, 0, OP_CALL_INDIRECT);
    number(module, index + 1);
    ag_buffer_append_u8(module, 0);
}

// Type 0 is () -> (); the others have six parameters, all different or all equal.
static void make_typed(struct ag_buffer *module, size_t count, bool is_equal)
{
    PUT(module, 0, 'a', 's', 'm', 1, 0, 0, 0);
    const size_t start = open_section(module, SECTION_TYPE, count + 1);
    PUT(module, 0x60, 0, 0);
    for (size_t i = 0; i < count; i++)
        put_type(module, is_equal ? 0 : i);
    close_size(module, start);
    put_functions(module, functions_for(count), 0);
    PUT_SECTION(module, SECTION_TABLE, 1, FUNCREF, 0, 1);
    put_things(module, count, EACH, is_equal ? put_equal_indirect_call : put_indirect_call);
}

static void make_types(struct ag_buffer *module, size_t size)
{
    make_typed(module, at_most(size / 38, TYPES_MAX - 1), false);
}

static void make_equal_types(struct ag_buffer *module, size_t size)
{
    make_typed(module, at_most(size / 26, TYPES_MAX - 1), true);
}

static void put_global_use(struct ag_buffer *module, size_t index)
{
    ag_buffer_append_u8(module, OP_GLOBAL_GET);
    number(module, index);
    PUT(module, OP_I32_CONST, 1, OP_I32_ADD, OP_GLOBAL_SET);
    number(module, index);
}

static void make_globals(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 14, GLOBALS_MAX);
    begin(module);
    put_functions(module, functions_for(count), 1);
    const size_t start = open_section(module, SECTION_GLOBAL, count);
    for (size_t i = 0; i < count; i++)
        PUT(module, I32, 1, OP_I32_CONST, 0, OP_END);
    close_size(module, start);
    put_things(module, count, EACH, put_global_use);
}

static void put_call(struct ag_buffer *module, size_t index)
{
    PUT(module, OP_CALL);
    number(module, index % IMPORTS_MAX);
}

static void put_name(struct ag_buffer *module, size_t index)
{
    char name[16];
    const int size = snprintf(name, sizeof name, "f%05zu", index);
    ag_buffer_append_u8(module, (uint8_t)size);
    ag_buffer_append(module, name, (size_t)size);
}

static void make_imports(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 14, IMPORTS_MAX);
    const size_t calls = count < IMPORTS_MAX ? count : (size - count * 11) / 3;
    const size_t each = 2 * EACH; // imports count as functions, of which there is a largest number
    begin(module);
    const size_t start = open_section(module, SECTION_IMPORT, count);
    for (size_t i = 0; i < count; i++) {
        PUT(module, 1, 'm');
        put_name(module, i);
        PUT(module, 0, 1);
    }
    close_size(module, start);
    put_functions(module, (calls + each - 1) / each, 1);
    put_things(module, calls, each, put_call);
}

static void make_exports(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 9, EXPORTS_MAX);
    begin(module);
    put_functions(module, 1, 1);
    const size_t start = open_section(module, SECTION_EXPORT, count);
    for (size_t i = 0; i < count; i++) {
        put_name(module, i);
        PUT(module, 0, 0);
    }
    close_size(module, start);
    PUT_SECTION(module, SECTION_CODE, 1, 2, 0, OP_END);
}

// ---- Branches ----

// A branch table out of 32 nested blocks.
static void put_table(struct ag_buffer *module, size_t labels)
{
    for (int i = 0; i < 32; i++)
        PUT(module, OP_BLOCK, VOID);
    PUT(module, OP_I32_CONST, 3, OP_BR_TABLE);
    number(module, labels);
    for (size_t i = 0; i <= labels; i++)
        ag_buffer_append_u8(module, (uint8_t)(i * 7 & 31));
    for (int i = 0; i < 32; i++)
        PUT(module, OP_END);
}

static void put_small_table(struct ag_buffer *module, size_t index)
{
    put_table(module, 200 + (index & 63));
}

static void make_branch_tables(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 332, FUNCTIONS_MAX);
    begin(module);
    put_functions(module, functions_for(count), 1);
    put_things(module, count, EACH, put_small_table);
}

static void put_huge_table(struct ag_buffer *module, size_t index)
{
    (void)index;
    put_table(module, LABELS_MAX);
}

static void make_huge_tables(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / (LABELS_MAX + 100), FUNCTIONS_MAX);
    begin(module);
    put_functions(module, count, 1);
    put_things(module, count, 1, put_huge_table);
}

// In each function 64 blocks at a time, out of each of which a branch leads over all the code of
// those within. As many as the far labels of one function may be, then another function.
static void make_far_branches(struct ag_buffer *module, size_t size)
{
    const size_t groups = at_most(size / (64 * 68), FUNCTIONS_MAX);
    const size_t functions = (groups + FAR_GROUPS - 1) / FAR_GROUPS;
    begin(module);
    put_functions(module, functions, 0);
    put_memory(module);
    const size_t start = open_section(module, SECTION_CODE, functions);
    for (size_t function = 0; function < functions; function++) {
        const size_t body = open_size(module);
        PUT(module, 1, 2, I32);
        for (size_t group = function * FAR_GROUPS;
             group < groups && group < (function + 1) * FAR_GROUPS; group++) {
            for (int i = 0; i < 64; i++)
                PUT(module, OP_BLOCK, VOID, OP_LOCAL_GET, 2, OP_BR_IF, 0);
            for (int i = 0; i < 64; i++) {
                put_unit(module, module->size, 0);
                PUT(module, OP_END);
            }
        }
        PUT(module, OP_LOCAL_GET, 2, OP_END);
        close_size(module, body);
    }
    close_size(module, start);
}

// One function that begins with branches, the end of each of which lies behind those of all later.
static void make_open_branches(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 66, OPEN_MAX);
    begin(module);
    put_functions(module, 1, 0);
    put_memory(module);
    const size_t start = open_section(module, SECTION_CODE, 1);
    const size_t body = open_size(module);
    PUT(module, 1, 2, I32);
    for (size_t i = 0; i < count; i++)
        PUT(module, OP_BLOCK, VOID, OP_LOCAL_GET, 2, OP_BR_IF, 0);
    for (size_t i = 0; i < count; i++) {
        put_unit(module, i, 0);
        PUT(module, OP_END);
    }
    PUT(module, OP_LOCAL_GET, 2, OP_END);
    close_size(module, body);
    close_size(module, start);
}

static void make_nested(struct ag_buffer *module, size_t size)
{
    const size_t depth = at_most(size / 3, NESTED_MAX);
    begin(module);
    put_functions(module, 1, 1);
    const size_t start = open_section(module, SECTION_CODE, 1);
    const size_t body = open_size(module);
    ag_buffer_append_u8(module, 0);
    for (size_t i = 0; i < depth; i++)
        PUT(module, OP_BLOCK, VOID);
    for (size_t i = 0; i <= depth; i++)
        PUT(module, OP_END);
    close_size(module, body);
    close_size(module, start);
}

// ---- Locals, segments ----

// Functions whose locals change their type 500 times, each of them used.
static void make_locals(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / (LOCAL_GROUPS * 8), FUNCTIONS_MAX);
    begin(module);
    put_functions(module, count, 1);
    const size_t start = open_section(module, SECTION_CODE, count);
    for (size_t i = 0; i < count; i++) {
        const size_t body = open_size(module);
        number(module, LOCAL_GROUPS);
        for (size_t k = 0; k < LOCAL_GROUPS; k++)
            PUT(module, 1, (uint8_t)(I32 - (k & 1)));
        for (size_t k = 0; k < LOCAL_GROUPS; k++) {
            PUT(module, OP_LOCAL_GET);
            number(module, k);
            PUT(module, OP_LOCAL_SET);
            number(module, (k + 250) % LOCAL_GROUPS);
        }
        ag_buffer_append_u8(module, OP_END);
        close_size(module, body);
    }
    close_size(module, start);
}

static void make_data_segments(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size / 21, SEGMENTS_MAX);
    begin(module);
    put_memory(module);
    const size_t start = open_section(module, SECTION_DATA, count);
    for (size_t i = 0; i < count; i++) {
        ag_buffer_append_u8(module, 0);
        constant(module, i * 4);
        PUT(module, OP_END, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    }
    close_size(module, start);
}

// One element segment of many functions.
static void make_elements(struct ag_buffer *module, size_t size)
{
    const size_t count = at_most(size, 1000000);
    begin(module);
    put_functions(module, 2, 1);
    const size_t table = open_section(module, SECTION_TABLE, 1);
    PUT(module, FUNCREF, 0);
    number(module, count);
    close_size(module, table);
    const size_t start = open_section(module, SECTION_ELEMENT, 1);
    PUT(module, 0, OP_I32_CONST, 0, OP_END);
    number(module, count);
    for (size_t i = 0; i < count; i++)
        ag_buffer_append_u8(module, i & 1);
    close_size(module, start);
    PUT_SECTION(module, SECTION_CODE, 2, 2, 0, OP_END, 2, 0, OP_END);
}

const struct bench_shape bench_shapes[] = {
    { "plain", "functions of 320 bytes", make_plain },
    { "one_function", "one huge function", make_one_function },
    { "tiny_functions", "functions of 4 bytes", make_tiny_functions },
    { "types", "types, each used by an indirect call", make_types },
    { "equal_types", "equal types, likewise", make_equal_types },
    { "globals", "globals, each used", make_globals },
    { "imports", "imports, called in turn", make_imports },
    { "exports", "exports", make_exports },
    { "branch_tables", "branch tables of 230 labels", make_branch_tables },
    { "huge_tables", "branch tables of 60,000 labels", make_huge_tables },
    { "far_branches", "64 far branches at a time", make_far_branches },
    { "open_branches", "branches all of which are open at once", make_open_branches },
    { "nested", "nested blocks", make_nested },
    { "locals", "500 changes of type among locals", make_locals },
    { "data_segments", "data segments", make_data_segments },
    { "elements", "one element segment", make_elements },
};
const size_t bench_shape_count = sizeof bench_shapes / sizeof bench_shapes[0];
