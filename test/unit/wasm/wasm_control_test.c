// SPDX-License-Identifier: Apache-2.0
// Blocks, branches and calls. Code leaves the translator through a window of 2 KiB, and branches
// that reach further go another way, so what a program does must not depend on how much stands
// between its parts: each is run with padding of many sizes in each of its gaps, the padding
// counting how often it is passed.
#include "forms.h"
#include "wat.h"

static struct engine engine;
static struct wat wat;
static struct bytes body;

#define COUNT(list) (sizeof list / sizeof list[0])
#define PUT(...)    put(&body, BYTES(__VA_ARGS__))

// Two bytes that no program below has otherwise.
#define GAP 0xF0, 0xF1

// Types that blocks refer to by index; function types of the module stand behind them.
enum {
    TWO_TO_ONE, // i32 i32 -> i32
    TO_TWO,     // -> i32 i32
    ONE_TO_ONE, // i32 -> i32
};

struct program {
    const char *name;
    const uint8_t *bytes; // of a function i32 -> i32 with locals i32, i32
    size_t size;
    uint32_t (*wanted)(uint32_t x);
};

#define PROGRAM(name, expression, ...)                                                             \
    static const uint8_t name##_bytes[] = { __VA_ARGS__ };                                         \
    static uint32_t name##_wanted(uint32_t x)                                                      \
    {                                                                                              \
        return expression;                                                                         \
    }

PROGRAM(if_else, x ? 10 : 20, LOCAL_GET(0), IF(I32), GAP, 0x41, 10, GAP, ELSE, GAP, 0x41, 20, END,
        GAP, END)
PROGRAM(if_alone, x ? x + 6 : 5, LOCAL_GET(0), 0x41, 5, LOCAL_GET(0), IF(ONE_TO_ONE), 0x41, 1,
        I32_ADD, GAP, END, GAP, I32_ADD, END)
PROGRAM(ifs,
        x == 0   ? 1
        : x == 1 ? 2
        : x == 2 ? 3
                 : 4,
        LOCAL_GET(0), I32_EQZ, IF(I32), GAP, 0x41, 1, ELSE, GAP, LOCAL_GET(0), 0x41, 1, I32_EQ,
        IF(I32), GAP, 0x41, 2, ELSE, LOCAL_GET(0), 0x41, 2, I32_NE, GAP, IF(I32), 0x41, 4, ELSE,
        GAP, 0x41, 3, END, GAP, END, GAP, END, END)
PROGRAM(table_with_values,
        x == 0   ? 111
        : x == 1 ? 101
                 : 1,
        BLOCK(I32), BLOCK(I32), BLOCK(I32), 0x41, 1, GAP, LOCAL_GET(0), BR_TABLE(2, 0, 1, 2), END,
        GAP, 0x41, 10, I32_ADD, END, GAP, I32_CONST(100), I32_ADD, END, GAP, END)
PROGRAM(table_with_two_values, x == 0 ? 20 : x * 2, BLOCK(TO_TWO), BLOCK(TO_TWO), LOCAL_GET(0),
        0x41, 2, GAP, LOCAL_GET(0), BR_TABLE(1, 0, 1), END, GAP, I32_ADD, 0x41, 10, END, GAP,
        I32_MUL, END)
PROGRAM(table,
        x == 0   ? 5
        : x == 1 ? 6
        : x == 2 ? 7
                 : 8,
        BLOCK(EMPTY), BLOCK(EMPTY), BLOCK(EMPTY), BLOCK(EMPTY), GAP, LOCAL_GET(0),
        BR_TABLE(3, 0, 1, 2, 3), END, GAP, 0x41, 5, RETURN, END, GAP, 0x41, 6, RETURN, END, GAP,
        0x41, 7, RETURN, END, GAP, 0x41, 8, END)
PROGRAM(table_to_loop, x < 3 ? 3 : x, LOOP(EMPTY), BLOCK(EMPTY), BLOCK(EMPTY), GAP, LOCAL_GET(0),
        BR_TABLE(3, 0, 0, 1, 1), END, GAP, LOCAL_GET(0), 0x41, 1, I32_ADD, LOCAL_SET(0), BR(1), END,
        GAP, LOCAL_GET(0), 0x41, 2, I32_EQ, IF(EMPTY), 0x41, 3, LOCAL_SET(0), BR(1), END, END, GAP,
        LOCAL_GET(0), END)
PROGRAM(counting, x, BLOCK(EMPTY), LOOP(EMPTY), GAP, LOCAL_GET(1), LOCAL_GET(0), I32_GE_U, BR_IF(1),
        LOCAL_GET(1), 0x41, 1, I32_ADD, LOCAL_SET(1), GAP, BR(0), END, END, GAP, LOCAL_GET(1), END)
PROGRAM(loop_with_values, x *(x + 1) / 2, 0x41, 0, LOCAL_GET(0), LOOP(TWO_TO_ONE), LOCAL_TEE(2),
        I32_ADD, GAP, LOCAL_GET(2), 0x41, 1, I32_SUB, LOCAL_GET(2), 0x41, 1, I32_GT_U, BR_IF(0),
        GAP, DROP, END, GAP, END)
PROGRAM(return_if, x ? x + 3 : 99, LOCAL_GET(0), 0x41, 3, I32_ADD, GAP, LOCAL_GET(0), BR_IF(0), GAP,
        DROP, I32_CONST(99), GAP, END)
PROGRAM(value_over_another, x < 3 ? 7 : x + 7, BLOCK(I32), LOCAL_GET(0), 0x41, 7, GAP, LOCAL_GET(0),
        0x41, 3, I32_LT_U, BR_IF(0), GAP, I32_ADD, END, GAP, END)
PROGRAM(two_values, x ? 21 : 43, BLOCK(TO_TWO), 0x41, 1, 0x41, 2, LOCAL_GET(0), BR_IF(0), GAP, DROP,
        DROP, 0x41, 3, 0x41, 4, END, GAP, 0x41, 10, I32_MUL, I32_ADD, END)
PROGRAM(two_values_above_one, x ? 121 : 143, I32_CONST(100), BLOCK(TO_TWO), 0x41, 9, 0x41, 1, 0x41,
        2, LOCAL_GET(0), GAP, BR_IF(0), DROP, DROP, DROP, 0x41, 3, 0x41, 4, GAP, BR(0), END, GAP,
        0x41, 10, I32_MUL, I32_ADD, I32_ADD, END)
PROGRAM(return_from_loop, x >= 4 ? 103 : 50, LOOP(EMPTY), LOCAL_GET(1), 0x41, 3, I32_EQ, IF(EMPTY),
        LOCAL_GET(1), I32_CONST(100), I32_ADD, GAP, RETURN, END, GAP, LOCAL_GET(1), 0x41, 1,
        I32_ADD, LOCAL_TEE(1), LOCAL_GET(0), I32_LT_U, BR_IF(0), GAP, END, 0x41, 50, END)
PROGRAM(wide_comparison,
        x < 2    ? 30
        : x == 4 ? 31
                 : 32,
        BLOCK(EMPTY), LOCAL_GET(0), I64_EXTEND_I32_U, 0x42, 2, 0x53, GAP, IF(EMPTY), 0x41, 30,
        RETURN, END, GAP, LOCAL_GET(0), I64_EXTEND_I32_S, 0x42, 4, 0x51, BR_IF(0), GAP, 0x41, 32,
        RETURN, END, GAP, 0x41, 31, END)
PROGRAM(dead_code, x ? 8 : 9, BLOCK(EMPTY), BLOCK(EMPTY), LOCAL_GET(0), BR_IF(0), BR(1), GAP,
        UNREACHABLE, LOOP(I32), 0x41, 1, IF(EMPTY), GAP, ELSE, BR(1), END, 0x41, 3, LOCAL_GET(0),
        BR_IF(1), END, DROP, END, GAP, 0x41, 8, RETURN, GAP, END, 0x41, 9, END)
PROGRAM(local_over_branch, x ? x + 1 : 40, LOCAL_GET(0), BLOCK(I32), LOCAL_GET(0), LOCAL_GET(0),
        BR_IF(0), DROP, GAP, 0x41, 39, LOCAL_SET(0), 0x41, 40, END, GAP, LOCAL_SET(1), LOCAL_GET(0),
        0x41, 39, I32_EQ, IF(EMPTY), 0x41, 0, LOCAL_SET(0), END, DROP, LOCAL_GET(1), LOCAL_GET(0),
        0x41, 0, I32_NE, I32_ADD, END)

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, name##_bytes, sizeof name##_bytes, name##_wanted                                    \
    }
static const struct program programs[] = {
    ROW(if_else),
    ROW(if_alone),
    ROW(ifs),
    ROW(table_with_values),
    ROW(table),
    ROW(table_with_two_values),
    ROW(table_to_loop),
    ROW(counting),
    ROW(loop_with_values),
    ROW(return_if),
    ROW(value_over_another),
    ROW(two_values),
    ROW(two_values_above_one),
    ROW(return_from_loop),
    ROW(wide_comparison),
    ROW(dead_code),
    ROW(local_over_branch),
};

static void begin(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_type(&wat, "ii:i");
    wat_type(&wat, ":ii");
    wat_type(&wat, "i:i");
    wat_item(&wat, 6, BYTES(I32, 1, I32_CONST(0), END));
    body.size = 0;
}

static void put_padding(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        PUT(GLOBAL_GET(0), 0x41, 1, I32_ADD, GLOBAL_SET(0));
}

static uint32_t gap_count(const struct program *program)
{
    uint32_t count = 0;
    for (size_t i = 0; i + 1 < program->size; i++)
        count += program->bytes[i] == 0xF0 && program->bytes[i + 1] == 0xF1;
    return count;
}

#define EACH_GAP UINT32_MAX

// With `padding` in one gap or in each.
static void load_padded(const struct program *program, uint32_t gap, uint32_t padding)
{
    uint32_t number = 0;
    begin();
    for (size_t i = 0; i < program->size; i++) {
        if (program->bytes[i] != 0xF0 || program->bytes[i + 1] != 0xF1) {
            PUT(program->bytes[i]);
            continue;
        }
        if (gap == EACH_GAP || gap == number)
            put_padding(padding);
        number++;
        i++;
    }
    wat_function(&wat, "f", "i:i", "ii", body.at, body.size);
    CHECK_TEXT(ag_status_name(wat_load(&wat, &engine)), "ok");
}

// More than a program and what it jumps over at its joins may cost without padding.
#define OWN_FUEL 400u

// What the padding counted. All of it is charged, and nothing like it that was jumped over.
static uint32_t run_padded(const struct program *program, uint32_t x, uint32_t slice)
{
    uint32_t *counter = ag_wasm_global_at(engine.instance, 0);
    const uint64_t before = ag_wasm_fuel_used(engine.instance);
    *counter = 0;
    CHECK_TEXT(ag_status_name(engine_call(&engine, "f", &x, 1, slice)), "ok");
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], program->wanted(x));
    const uint64_t fuel = ag_wasm_fuel_used(engine.instance) - before;
    CHECK(fuel > 4ull * *counter && fuel < 4ull * *counter + OWN_FUEL);
    return *counter;
}

#define X_COUNT 6u

static void check_padding(const struct program *program, uint32_t gap, uint32_t padding,
                          const uint32_t passed[X_COUNT])
{
    load_padded(program, gap, padding);
    for (uint32_t x = 0; x < X_COUNT; x++) {
        test_note("%s(%u), padding of %u in gap %d", program->name, x, padding, (int)gap);
        CHECK_EQUAL(run_padded(program, x, x % 2 ? 1 : INT32_MAX), padding * passed[x]);
    }
}

static void check_gap(const struct program *program, uint32_t gap)
{
    static const uint32_t sizes[] = { 100, 128, 129, 300, 1000 };
    uint32_t passed[X_COUNT];
    test_note("%s", program->name);
    load_padded(program, gap, 1);
    for (uint32_t x = 0; x < X_COUNT; x++)
        passed[x] = run_padded(program, x, INT32_MAX);
    for (uint32_t padding = 0; padding < 76; padding++)
        check_padding(program, gap, padding, passed);
    for (size_t i = 0; i < COUNT(sizes); i++)
        check_padding(program, gap, sizes[i], passed);
    // Further than a distance of 16 bits.
    check_padding(program, gap, gap == EACH_GAP ? 4000 : 9000, passed);
}

static void padding_in_one_gap_changes_nothing(void)
{
    for (size_t i = 0; i < COUNT(programs); i++) {
        for (uint32_t gap = 0; gap < gap_count(&programs[i]); gap++)
            check_gap(&programs[i], gap);
    }
    engine_clear(&engine);
}

static void padding_in_every_gap_changes_nothing(void)
{
    for (size_t i = 0; i < COUNT(programs); i++)
        check_gap(&programs[i], EACH_GAP);
    engine_clear(&engine);
}

// ---- Branch tables ------------------------------------------------------------------------------

// Behind so much padding, a table of `count` entries, entry i leading to block i % 7; f(x) gives 10
// * block, or with a value on the way, that plus 3.
static void load_table(uint32_t before, uint32_t count, bool has_value, uint32_t padding)
{
    begin();
    const uint8_t type = has_value ? I32 : EMPTY;
    for (uint32_t i = 0; i < 8; i++)
        PUT(BLOCK(type));
    put_padding(before);
    if (has_value)
        PUT(LOCAL_GET(1), 0x41, 3); // the lower operand is in the way
    PUT(LOCAL_GET(0), 0x0E);
    put_number(&body, count);
    for (uint32_t i = 0; i < count; i++)
        PUT((uint8_t)(i % 7));
    PUT(7);
    for (uint8_t i = 0; i < 8; i++) {
        PUT(END);
        put_padding(padding);
        PUT(I32_CONST(i * 10));
        if (has_value)
            PUT(I32_ADD);
        PUT(RETURN);
    }
    PUT(END);
    wat_function(&wat, "f", "i:i", "ii", body.at, body.size);
    CHECK_TEXT(ag_status_name(wat_load(&wat, &engine)), "ok");
}

static void branch_tables_of_any_size_lead_where_they_say(void)
{
    static const uint32_t counts[] = { 0,   1,   2,   6,   127, 128,  129,
                                       199, 200, 201, 202, 640, 1100, 5000 };
    for (size_t i = 0; i < COUNT(counts); i++) {
        for (uint32_t form = 0; form < 4; form++) {
            const uint32_t count = counts[i];
            const bool has_value = form & 1;
            load_table(0, count, has_value, form & 2 ? 100 : 0);
            const uint32_t step = count < 700 ? 1 : 37;
            for (uint32_t x = 0; x < count + 2; x += step) {
                test_note("%u entries, form %u, %u", count, form, x);
                CHECK_EQUAL(engine_call(&engine, "f", &x, 1, 1), AG_OK);
                CHECK_EQUAL(ag_wasm_results(engine.instance)[0],
                            (x < count ? x % 7 : 7) * 10 + (has_value ? 3 : 0));
            }
            const uint32_t beyond = UINT32_MAX;
            CHECK_EQUAL(engine_call(&engine, "f", &beyond, 1, 1), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 70 + (has_value ? 3 : 0));
        }
    }
    engine_clear(&engine);
}

// A table that leaves the window at once, where that is filled with open branches to any degree.
static void a_large_table_stands_anywhere(void)
{
    for (uint32_t before = 0; before < 80; before++) {
        load_table(before, 201, before & 1, 3);
        for (uint32_t x = 0; x < 203; x += 29) {
            test_note("behind %u, %u", before, x);
            CHECK_EQUAL(engine_call(&engine, "f", &x, 1, 1), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0],
                        (x < 201 ? x % 7 : 7) * 10 + (before & 1 ? 3 : 0));
        }
    }
    engine_clear(&engine);
}

// `count` entries, with a value or not.
static enum ag_status translate_table(uint32_t count, bool has_value)
{
    begin();
    if (has_value)
        PUT(0x41, 5);
    PUT(LOCAL_GET(0), 0x0E);
    put_number(&body, count);
    for (uint32_t i = 0; i <= count; i++)
        PUT(0);
    if (!has_value)
        PUT(UNREACHABLE);
    PUT(END);
    wat_function(&wat, "f", has_value ? "i:i" : "i:", "", body.at, body.size);
    return wat_load(&wat, &engine);
}

static void a_branch_table_may_be_as_large_as_the_limits_say(void)
{
    CHECK_EQUAL(translate_table(0xFF00, false), AG_OK);
    CHECK_EQUAL(translate_table(0xFF01, false), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_table(8191, true), AG_OK);
    CHECK_EQUAL(translate_table(8192, true), AG_ERR_WASM_LIMIT);
    engine_clear(&engine);
}

// ---- Labels -------------------------------------------------------------------------------------

// `count` blocks side by side, each left far ahead if the parameter is its number; far more labels
// than one pass keeps.
static void many_far_labels_are_found_by_more_passes(void)
{
    static const uint32_t counts[] = { 127, 128, 129, 256, 257, 500 };
    for (size_t i = 0; i < COUNT(counts); i++) {
        begin();
        for (uint32_t k = 0; k < counts[i]; k++) {
            PUT(BLOCK(EMPTY), LOCAL_GET(0), I32_CONST(k), I32_EQ, BR_IF(0));
            put_padding(70);
            PUT(END);
        }
        PUT(GLOBAL_GET(0), END);
        wat_function(&wat, "f", "i:i", "", body.at, body.size);
        CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
        for (uint32_t x = 0; x < counts[i] + 1; x += 13) {
            test_note("%u labels, %u", counts[i], x);
            *ag_wasm_global_at(engine.instance, 0) = 0;
            CHECK_EQUAL(engine_call(&engine, "f", &x, 1, INT32_MAX), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0],
                        70 * (counts[i] - (x < counts[i] ? 1 : 0)));
        }
    }
    engine_clear(&engine);
}

// Blocks nested so deep that every one of them is left by a branch of its own.
static void deep_nesting_is_left_from_any_depth(void)
{
    const uint32_t depth = 300;
    begin();
    for (uint32_t i = 0; i < depth; i++)
        PUT(BLOCK(EMPTY));
    PUT(LOCAL_GET(0), 0x0E);
    put_number(&body, depth - 1);
    for (uint32_t i = 0; i < depth; i++)
        put_number(&body, i);
    for (uint32_t i = 0; i < depth; i++)
        PUT(END, LOCAL_GET(1), 0x41, 1, I32_ADD, LOCAL_SET(1));
    PUT(LOCAL_GET(1), END);
    wat_function(&wat, "f", "i:i", "i", body.at, body.size);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    for (uint32_t x = 0; x < depth; x++) {
        CHECK_EQUAL(engine_call(&engine, "f", &x, 1, 7), AG_OK);
        CHECK_EQUAL(ag_wasm_results(engine.instance)[0], depth - x);
    }
    engine_clear(&engine);
}

static void more_operands_than_scratch_holds_are_refused(void)
{
    begin();
    for (uint32_t i = 0; i < 5000; i++)
        PUT(LOCAL_GET(0));
    for (uint32_t i = 1; i < 5000; i++)
        PUT(I32_ADD);
    PUT(END);
    wat_function(&wat, "f", "i:i", "", body.at, body.size);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_ERR_WASM_LIMIT);
    engine.scratch_size = 64000;
    const uint32_t x = 3;
    engine.options.stack_size = 40000;
    CHECK_EQUAL(wat_run(&wat, &engine, "f", &x, 1), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 15000);
    engine_clear(&engine);
}

// A function with locals of i64 and nothing in it.
static enum ag_status translate_locals(uint32_t count)
{
    begin();
    wat_function(&wat, NULL, ":", "", BYTES(END));
    wat.section[10].size = 0;
    put(&wat.section[10], BYTES(8, 1, LEB(count), I64, END));
    return wat_load(&wat, &engine);
}

static void a_frame_of_more_than_its_limit_is_refused(void)
{
    // 65,520 slots: two a local, and one for the position to return to.
    CHECK_EQUAL(translate_locals(32759), AG_OK);
    CHECK_EQUAL(translate_locals(32760), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_locals(32761), AG_ERR_WASM_LIMIT);
    engine_clear(&engine);
}

// ---- Calls --------------------------------------------------------------------------------------

static void a_call_with_many_locals_finds_them_zero_and_charges_for_them(void)
{
    for (uint32_t count = 0; count < 100; count += 9) {
        char locals[101] = { 0 };
        memset(locals, 'i', count);
        begin();
        for (uint32_t i = 0; i < count; i++)
            PUT(LOCAL_GET((uint8_t)(i + 1)), LOCAL_GET(0), I32_OR, LOCAL_SET(0));
        for (uint32_t i = 0; i < count; i++)
            PUT(0x41, 0x7F, LOCAL_SET((uint8_t)(i + 1)));
        PUT(LOCAL_GET(0), END);
        wat_function(&wat, "g", "i:i", locals, body.at, body.size);
        body.size = 0;
        PUT(LOCAL_GET(0), CALL(0), CALL(0), END);
        wat_function(&wat, "f", "i:i", "", body.at, body.size);
        const uint32_t x = 64;
        CHECK_EQUAL(wat_run(&wat, &engine, "f", &x, 1), AG_OK);
        CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 64);
        CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), 3 + 2 * (6 * count + 1 + count / 16));
    }
    engine_clear(&engine);
}

static void results_are_kept_apart_through_calls_and_returns(void)
{
    static const uint32_t wanted[] = { 1, 2, 0, 3, 0, 4 };
    begin();
    wat_function(&wat, "g", "i:iilli", "",
                 BYTES(0x41, 1, 0x41, 2, 0x42, 3, 0x42, 4, LOCAL_GET(0), RETURN, END));
    // Results that are locals, constants and computed, in an order in which they overlap.
    wat_function(&wat, "swap", "iii:iii", "", BYTES(LOCAL_GET(2), LOCAL_GET(0), LOCAL_GET(1), END));
    wat_function(&wat, "leave", "iii:iii", "",
                 BYTES(LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(0), 0x41, 1, I32_ADD, LOCAL_GET(0),
                       BR_IF(0), UNREACHABLE, END));
    wat_function(&wat, "f", "i:iil", "", BYTES(LOCAL_GET(0), CALL(0), DROP, DROP, END));
    const uint32_t args[] = { 5, 6, 7 };
    CHECK_EQUAL(wat_run(&wat, &engine, "f", args, 1), AG_OK);
    const uint32_t *slots = ag_wasm_results(engine.instance);
    CHECK(slots[0] == wanted[0] && slots[1] == wanted[1] && slots[2] == 3 && slots[3] == 0);
    CHECK_EQUAL(engine_call(&engine, "swap", args, 3, 1), AG_OK);
    slots = ag_wasm_results(engine.instance);
    CHECK(slots[0] == 7 && slots[1] == 5 && slots[2] == 6);
    CHECK_EQUAL(engine_call(&engine, "leave", args, 3, 1), AG_OK);
    slots = ag_wasm_results(engine.instance);
    CHECK(slots[0] == 6 && slots[1] == 7 && slots[2] == 6);
    engine_clear(&engine);
}

static void recursion_is_as_deep_as_the_stack(void)
{
    uint32_t deepest = 0;
    begin();
    engine.options.stack_size = 4000;
    wat_function(&wat, "f", "i:i", "",
                 BYTES(LOCAL_GET(0), I32_EQZ, IF(I32), 0x41, 0, ELSE, LOCAL_GET(0), 0x41, 1,
                       I32_SUB, CALL(0), 0x41, 1, I32_ADD, END, END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    for (uint32_t x = 0; x < 1000; x++) {
        const enum ag_status status = engine_call(&engine, "f", &x, 1, 3);
        if (status == AG_OK) {
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], x);
            CHECK_EQUAL(x, deepest);
            deepest++;
        } else {
            CHECK_EQUAL(status, AG_TRAP_STACK);
        }
    }
    CHECK(deepest > 200 && deepest < 500);
    engine_clear(&engine);
}

// ---- Fuel and places ----------------------------------------------------------------------------

static void straight_code_of_any_length_is_charged_whole(void)
{
    static const uint32_t counts[] = { 1, 16, 1000, 8191, 8192, 8193, 30000 };
    for (size_t i = 0; i < COUNT(counts); i++) {
        begin();
        put_padding(counts[i]);
        PUT(LOCAL_GET(0), END);
        wat_function(&wat, "f", "i:i", "", body.at, body.size);
        const uint32_t x = 3;
        CHECK_EQUAL(wat_run(&wat, &engine, "f", &x, 1), AG_OK);
        CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), 4 * counts[i] + 1);
    }
    engine_clear(&engine);
}

static enum ag_status find_place(struct ag_wasm_place *place)
{
    static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
    return ag_wasm_find_place(&engine.image, ag_wasm_stopped_at(engine.instance), scratch,
                              sizeof scratch, place);
}

// What a call of `body` with `x` costs.
static uint64_t fuel_of(const uint8_t *bytes, size_t size, uint32_t x)
{
    begin();
    wat_function(&wat, "f", "i:i", "i", bytes, size);
    CHECK_EQUAL(wat_run(&wat, &engine, "f", &x, 1), AG_OK);
    return ag_wasm_fuel_used(engine.instance);
}
#define FUEL(x, ...) fuel_of(BYTES(__VA_ARGS__), x)

static void each_instruction_costs_one_unit_where_it_runs(void)
{
    CHECK_EQUAL(FUEL(3, LOCAL_GET(0), END), 1);
    CHECK_EQUAL(FUEL(3, LOCAL_GET(0), RETURN, END), 2);
    CHECK_EQUAL(FUEL(3, NOP, BLOCK(I32), NOP, LOCAL_GET(0), END, END), 1); // structure is free
    CHECK_EQUAL(FUEL(3, NOP, LOCAL_GET(0), 0x41, 1, I32_ADD, DROP, LOCAL_GET(0), END), 5);
    for (uint32_t x = 1; x < 40; x += 6) {
        // Five a round, whatever becomes of them in translation.
        CHECK_EQUAL(FUEL(x, LOOP(EMPTY), LOCAL_GET(0), 0x41, 1, I32_SUB, LOCAL_TEE(0), BR_IF(0),
                         END, LOCAL_GET(0), END),
                    5 * x + 1);
        // Eight a round, but the last one ends after three of them.
        CHECK_EQUAL(FUEL(x, BLOCK(EMPTY), LOOP(EMPTY), LOCAL_GET(0), I32_EQZ, BR_IF(1),
                         LOCAL_GET(0), 0x41, 1, I32_SUB, LOCAL_SET(0), BR(0), END, END,
                         LOCAL_GET(0), END),
                    8 * x + 3 + 1);
    }
    // Both ways of an if.
    CHECK_EQUAL(FUEL(1, LOCAL_GET(0), IF(EMPTY), 0x41, 7, RETURN, END, 0x41, 8, END), 4);
    CHECK_EQUAL(FUEL(0, LOCAL_GET(0), IF(EMPTY), 0x41, 7, RETURN, END, 0x41, 8, END), 3);
    engine_clear(&engine);
}

// An unreachable at a known byte of function 1 + `before`, behind padding.
static void check_place(uint32_t before, uint32_t padding)
{
    struct ag_wasm_place place = { 0, 0 };
    const uint32_t x = 1;
    begin();
    wat_import_function(&wat, "g", "i:i");
    for (uint32_t i = 0; i < before; i++)
        wat_function(&wat, NULL, "i:i", "", BYTES(LOCAL_GET(0), END));
    put_padding(padding);
    PUT(LOCAL_GET(0), IF(EMPTY));
    put_padding(padding);
    PUT(UNREACHABLE, END, LOCAL_GET(0), END);
    wat_function(&wat, "f", "i:i", "", body.at, body.size);
    wat_function(&wat, NULL, "i:i", "", BYTES(LOCAL_GET(0), END));
    CHECK_EQUAL(wat_run(&wat, &engine, "f", &x, 1), AG_TRAP_UNREACHABLE);
    test_note("function %u, padding of %u", before + 1, padding);
    CHECK_EQUAL(find_place(&place), AG_OK);
    CHECK_EQUAL(place.function, before + 1);
    // The module's bytes at the place are the unreachable and what stands behind it.
    CHECK_BYTES(engine.module + place.offset, ((const uint8_t[]){ UNREACHABLE, END, 0x20, 0 }), 4);
}

static void a_trap_is_placed_in_any_function_at_any_distance(void)
{
    static const uint32_t before[] = { 0, 1, 63, 64, 65, 200 };
    static const uint32_t paddings[] = { 0, 1, 70, 200, 3000 };
    for (size_t i = 0; i < COUNT(before); i++) {
        for (size_t k = 0; k < COUNT(paddings); k++)
            check_place(before[i], paddings[k]);
    }
    engine_clear(&engine);
}

static void where_nothing_ran_there_is_no_place(void)
{
    struct ag_wasm_place place = { 77, 78 };
    begin();
    wat_import_function(&wat, "g", "i:i");
    wat_export(&wat, "g", AG_WASM_FUNCTION, 0);
    engine.host_trap = AG_TRAP_HOST;
    const uint32_t x = 1;
    CHECK_EQUAL(wat_run(&wat, &engine, "g", &x, 1), AG_TRAP_HOST);
    CHECK_EQUAL(find_place(&place), AG_ERR_NOT_FOUND);
    wat_function(&wat, "f", "i:i", "", BYTES(LOCAL_GET(0), END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(find_place(&place), AG_ERR_NOT_FOUND);
    CHECK(place.function == 77 && place.offset == 78);
    engine_clear(&engine);
}

static void every_way_to_go_on_elsewhere_was_tried(void)
{
    static const char *const prefixes[] = { "UNREACHABLE", "BR_FAR", "BR_TABLE", "FUEL",
                                            "RETURN32" };
    forms_check(prefixes, sizeof prefixes / sizeof prefixes[0]);
}

// The value was computed last, and a run may stop between the branch table and where it leads.
static void a_branch_table_takes_a_fresh_value_along_wherever_the_run_stops(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_function(&wat, "f", "i:i", "",
                 BYTES(BLOCK(I32), LOCAL_GET(0), 0x41, 5, I32_ADD, LOCAL_GET(0),
                       BR_TABLE(2, 0, 1, 0), END, 0x41, 50, I32_ADD, END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    for (uint32_t x = 0; x < 4; x++) {
        for (uint32_t slice = 1; slice < 8; slice++) {
            CHECK_EQUAL(engine_call(&engine, "f", &x, 1, slice), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], x == 1 ? x + 5 : x + 55);
        }
    }
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(padding_in_one_gap_changes_nothing),
        TEST(padding_in_every_gap_changes_nothing),
        TEST(branch_tables_of_any_size_lead_where_they_say),
        TEST(a_large_table_stands_anywhere),
        TEST(a_branch_table_may_be_as_large_as_the_limits_say),
        TEST(a_branch_table_takes_a_fresh_value_along_wherever_the_run_stops),
        TEST(many_far_labels_are_found_by_more_passes),
        TEST(deep_nesting_is_left_from_any_depth),
        TEST(more_operands_than_scratch_holds_are_refused),
        TEST(a_frame_of_more_than_its_limit_is_refused),
        TEST(a_call_with_many_locals_finds_them_zero_and_charges_for_them),
        TEST(results_are_kept_apart_through_calls_and_returns),
        TEST(recursion_is_as_deep_as_the_stack),
        TEST(straight_code_of_any_length_is_charged_whole),
        TEST(each_instruction_costs_one_unit_where_it_runs),
        TEST(a_trap_is_placed_in_any_function_at_any_distance),
        TEST(where_nothing_ran_there_is_no_place),
        TEST(every_way_to_go_on_elsewhere_was_tried),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
