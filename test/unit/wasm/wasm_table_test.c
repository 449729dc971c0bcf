// SPDX-License-Identifier: Apache-2.0
// Tables and references: every instruction on them at every edge, element segments of all eight
// forms, calls through a table.
#include "forms.h"
#include "wat.h"

#define SIZE 10u

static struct engine engine;
static struct wat wat;

#define THREE       LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2)
#define COUNT(list) (sizeof list / sizeof list[0])

static void begin(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
}

// Table 0 holds 10 externrefs 100, 101, ..., table 1 20 of them 200, 201, ...; up to 15 and any.
static enum ag_status run(const char *signature, const uint8_t *bytes, size_t size, uint32_t a,
                          uint32_t b, uint32_t c)
{
    const uint32_t args[] = { a, b, c };
    begin();
    engine.options.table_capacity = 30;
    wat_item(&wat, 4, BYTES(EXTERNREF, 1, SIZE, 15));
    wat_item(&wat, 4, BYTES(EXTERNREF, 0, 2 * SIZE));
    wat_function(&wat, "f", signature, "", bytes, size);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    for (uint32_t i = 0; i < 2 * SIZE; i++) {
        if (i < SIZE)
            ag_wasm_table_at(engine.instance, 0)->elements[i] = 100 + i;
        ag_wasm_table_at(engine.instance, 1)->elements[i] = 200 + i;
    }
    return engine_call(&engine, "f", args, (uint32_t)(strchr(signature, ':') - signature), 1);
}

static uint32_t result(void)
{
    return ag_wasm_results(engine.instance)[0];
}

static const struct ag_wasm_table *table(uint32_t index)
{
    return ag_wasm_table_at(engine.instance, index);
}

static void elements_are_read_and_written_within_bounds(void)
{
    CHECK_EQUAL(run("i:x", BYTES(LOCAL_GET(0), TABLE_GET(0), END), 9, 0, 0), AG_OK);
    CHECK_EQUAL(result(), 109);
    CHECK_EQUAL(run("i:x", BYTES(LOCAL_GET(0), TABLE_GET(1), END), 19, 0, 0), AG_OK);
    CHECK_EQUAL(result(), 219);
    CHECK_EQUAL(run("i:x", BYTES(LOCAL_GET(0), TABLE_GET(0), END), 10, 0, 0), AG_TRAP_TABLE);
    CHECK_EQUAL(run("i:x", BYTES(LOCAL_GET(0), TABLE_GET(0), END), UINT32_MAX, 0, 0),
                AG_TRAP_TABLE);
    CHECK_EQUAL(run("ix:", BYTES(LOCAL_GET(0), LOCAL_GET(1), TABLE_SET(1), END), 19, 77, 0), AG_OK);
    CHECK_EQUAL(table(1)->elements[19], 77);
    CHECK_EQUAL(run("ix:", BYTES(LOCAL_GET(0), LOCAL_GET(1), TABLE_SET(0), END), 10, 77, 0),
                AG_TRAP_TABLE);
    CHECK_EQUAL(run("ix:", BYTES(I32_CONST(3), REF_NULL(EXTERNREF), TABLE_SET(0), END), 0, 0, 0),
                AG_OK);
    CHECK_EQUAL(table(0)->elements[3], 0);
    // Indices and elements that were just computed.
    CHECK_EQUAL(run("i:x", BYTES(LOCAL_GET(0), I32_CONST(2), I32_ADD, TABLE_GET(0), END), 5, 0, 0),
                AG_OK);
    CHECK_EQUAL(result(), 107);
    CHECK_EQUAL(run("i:",
                    BYTES(LOCAL_GET(0), I32_CONST(1), I32_ADD, LOCAL_GET(0), TABLE_GET(0),
                          TABLE_SET(0), END),
                    5, 0, 0),
                AG_OK);
    CHECK_EQUAL(table(0)->elements[6], 105);
    engine_clear(&engine);
}

static void tables_tell_their_size_and_grow_as_far_as_they_may(void)
{
    CHECK_EQUAL(run(":i", BYTES(TABLE_SIZE(1), END), 0, 0, 0), AG_OK);
    CHECK_EQUAL(result(), 2 * SIZE);
    static const uint32_t rows[][4] = {
        // table, by how many, result, size then
        { 0, 0, 10, 10 },
        { 0, 5, 10, 15 },
        { 0, 6, UINT32_MAX, 10 },
        { 1, 10, 20, 30 },
        { 1, 11, UINT32_MAX, 20 },
        { 0, UINT32_MAX, UINT32_MAX, 10 },
        { 1, 1u << 31, UINT32_MAX, 20 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t index = (uint8_t)rows[i][0];
        test_note("row %zu", i);
        CHECK_EQUAL(run("xi:i", BYTES(LOCAL_GET(0), LOCAL_GET(1), TABLE_GROW(index), END), 55,
                        rows[i][1], 0),
                    AG_OK);
        CHECK_EQUAL(result(), rows[i][2]);
        CHECK_EQUAL(table(index)->size, rows[i][3]);
        CHECK_EQUAL(table(index)->elements[0], 100 + 100 * index);
        if (rows[i][1] > 0 && rows[i][2] != UINT32_MAX)
            CHECK_EQUAL(table(index)->elements[rows[i][3] - 1], 55);
    }
    CHECK_EQUAL(run(":i",
                    BYTES(REF_NULL(EXTERNREF), I32_CONST(2), TABLE_GROW(0), DROP, I32_CONST(11),
                          TABLE_GET(0), REF_IS_NULL, END),
                    0, 0, 0),
                AG_OK);
    CHECK_EQUAL(result(), 1);
    engine_clear(&engine);
}

// One unit for each 16 elements that there are then, none for those that there is no room for.
static void growth_is_charged_if_it_happens(void)
{
    static const uint32_t rows[][2] = { { 0, 3 },  { 15, 3 }, { 16, 4 },
                                        { 20, 4 }, { 21, 3 }, { UINT32_MAX, 3 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint32_t args[] = { 0, rows[i][0] };
        test_note("by %u", rows[i][0]);
        begin();
        engine.options.table_capacity = 30;
        wat_item(&wat, 4, BYTES(EXTERNREF, 0, SIZE));
        wat_function(&wat, "f", "xi:i", "", BYTES(LOCAL_GET(0), LOCAL_GET(1), TABLE_GROW(0), END));
        CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
        CHECK_EQUAL(engine_call(&engine, "f", args, 2, INT32_MAX), AG_OK);
        CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), rows[i][1]);
    }
    engine_clear(&engine);
}

static const uint32_t edges[][3] = {
    { 0, 0, 0 },  { 2, 3, 4 },          { 3, 2, 4 },  { 0, 5, 5 },  { 5, 0, 5 },
    { 0, 0, 10 }, { 10, 0, 0 },         { 0, 10, 0 }, { 11, 0, 0 }, { 0, 11, 0 },
    { 0, 0, 11 }, { 9, 0, 1 },          { 9, 0, 2 },  { 0, 9, 2 },  { 1, 0, UINT32_MAX },
    { 0, 20, 0 }, { 0, 21, 0 },         { 0, 15, 5 }, { 0, 15, 6 }, { UINT32_MAX, 0, 1 },
    { 8, 3, 2 },  { 0, UINT32_MAX, 1 },
};

static void elements_are_copied_within_bounds(void)
{
    for (uint8_t source = 0; source < 2; source++) {
        for (size_t i = 0; i < COUNT(edges); i++) {
            const uint32_t to = edges[i][0], from = edges[i][1], count = edges[i][2];
            const bool fits = (uint64_t)to + count <= SIZE &&
                              (uint64_t)from + count <= (source ? 2 * SIZE : SIZE);
            test_note("from table %u: to %u from %u, %u", source, to, from, count);
            CHECK_EQUAL(run("iii:", BYTES(THREE, TABLE_COPY(0, source), END), to, from, count),
                        fits ? AG_OK : AG_TRAP_TABLE);
            for (uint32_t k = 0; k < SIZE; k++) {
                const bool is_copied = fits && k >= to && k < to + count;
                CHECK_EQUAL(table(0)->elements[k],
                            is_copied ? 100 + 100u * source + from + k - to : 100 + k);
            }
        }
    }
    engine_clear(&engine);
}

static void elements_are_filled_within_bounds(void)
{
    for (size_t i = 0; i < COUNT(edges); i++) {
        const uint32_t to = edges[i][0], count = edges[i][2];
        const bool fits = (uint64_t)to + count <= SIZE;
        test_note("at %u, %u", to, count);
        CHECK_EQUAL(run("ixi:", BYTES(THREE, TABLE_FILL(0), END), to, 9, count),
                    fits ? AG_OK : AG_TRAP_TABLE);
        for (uint32_t k = 0; k < SIZE; k++)
            CHECK_EQUAL(table(0)->elements[k], fits && k >= to && k < to + count ? 9 : 100 + k);
    }
    engine_clear(&engine);
}

// ---- Elements -----------------------------------------------------------------------------------

// Two functions that return 5 and 6, a third that takes a parameter; a table of 10 funcrefs and
// another; `call` calls through table 0, `call1` through table 1.
static void begin_functions(void)
{
    begin();
    wat_item(&wat, 4, BYTES(FUNCREF, 0, SIZE));
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 3));
    wat_function(&wat, "five", ":i", "", BYTES(I32_CONST(5), END));
    wat_function(&wat, "six", ":i", "", BYTES(I32_CONST(6), END));
    wat_function(&wat, "next", "i:i", "", BYTES(LOCAL_GET(0), I32_CONST(1), I32_ADD, END));
    wat_function(&wat, "call", "i:i", "", BYTES(LOCAL_GET(0), CALL_INDIRECT(0, 0), END));
    wat_function(&wat, "call1", "i:i", "", BYTES(LOCAL_GET(0), CALL_INDIRECT(0, 1), END));
}

// What calling the element gives: its number, or a trap.
static void check_element(const char *call, uint32_t element, enum ag_status wanted, uint32_t value)
{
    test_note("%s(%u)", call, element);
    CHECK_TEXT(ag_status_name(engine_call(&engine, call, &element, 1, 1)), ag_status_name(wanted));
    if (wanted == AG_OK)
        CHECK_EQUAL(result(), value);
}

static void active_elements_of_every_form_are_placed(void)
{
    begin_functions();
    wat_item(&wat, 9, BYTES(0, I32_CONST(1), END, 2, 0, 1));
    wat_item(&wat, 9, BYTES(2, 1, I32_CONST(0), END, 0, 1, 1));
    wat_item(&wat, 9, BYTES(4, I32_CONST(4), END, 2, REF_FUNC(0), END, REF_NULL(FUNCREF), END));
    wat_item(&wat, 9, BYTES(6, 1, I32_CONST(2), END, FUNCREF, 1, REF_FUNC(0), END));
    wat_item(&wat, 9, BYTES(0, I32_CONST(9), END, 1, 2));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    check_element("call", 0, AG_TRAP_UNINITIALIZED, 0);
    check_element("call", 1, AG_OK, 5);
    check_element("call", 2, AG_OK, 6);
    check_element("call", 4, AG_OK, 5);
    check_element("call", 5, AG_TRAP_UNINITIALIZED, 0);
    check_element("call", 9, AG_TRAP_SIGNATURE, 0);
    check_element("call", 10, AG_TRAP_TABLE, 0);
    check_element("call", UINT32_MAX, AG_TRAP_TABLE, 0);
    check_element("call1", 0, AG_OK, 6);
    check_element("call1", 1, AG_TRAP_UNINITIALIZED, 0);
    check_element("call1", 2, AG_OK, 5);
    check_element("call1", 3, AG_TRAP_TABLE, 0);
    engine_clear(&engine);
}

static void passive_elements_of_every_form_are_copied(void)
{
    begin_functions();
    wat_item(&wat, 9, BYTES(1, 0, 2, 0, 1));
    wat_item(&wat, 9,
             BYTES(5, FUNCREF, 3, REF_NULL(FUNCREF), END, REF_FUNC(1), END, REF_FUNC(0), END));
    wat_item(&wat, 9, BYTES(3, 0, 1, 2)); // declared only
    wat_item(&wat, 9, BYTES(7, FUNCREF, 1, REF_FUNC(2), END));
    for (uint8_t i = 0; i < 4; i++) {
        const char init[] = { 'i', (char)('0' + i), 0 };
        const char drop[] = { 'd', (char)('0' + i), 0 };
        wat_function(&wat, init, "iii:", "", BYTES(THREE, TABLE_INIT(i, 0), END));
        wat_function(&wat, drop, ":", "", BYTES(ELEM_DROP(i), END));
    }
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    uint32_t args[] = { 3, 0, 2 };
    CHECK_EQUAL(engine_call(&engine, "i0", args, 3, 1), AG_OK);
    check_element("call", 3, AG_OK, 5);
    check_element("call", 4, AG_OK, 6);
    args[0] = 6, args[1] = 1;
    CHECK_EQUAL(engine_call(&engine, "i1", args, 3, 1), AG_OK);
    check_element("call", 6, AG_OK, 6);
    check_element("call", 7, AG_OK, 5);
    // Beyond the segment, beyond the table, and of none at the very end.
    static const uint32_t beyond[][3] = {
        { 0, 2, 2 },  { 0, 4, 0 },          { 9, 0, 2 },
        { 11, 0, 0 }, { 0, 0, UINT32_MAX }, { UINT32_MAX, 0, 1 },
    };
    for (size_t i = 0; i < COUNT(beyond); i++)
        CHECK_EQUAL(engine_call(&engine, "i1", beyond[i], 3, 1), AG_TRAP_TABLE);
    args[0] = 10, args[1] = 3, args[2] = 0;
    CHECK_EQUAL(engine_call(&engine, "i1", args, 3, 1), AG_OK);
    // A declared segment is empty from the start, a dropped one from then on.
    args[0] = 0, args[1] = 0, args[2] = 1;
    CHECK_EQUAL(engine_call(&engine, "i2", args, 3, 1), AG_TRAP_TABLE);
    CHECK_EQUAL(engine_call(&engine, "i3", args, 3, 1), AG_TRAP_TABLE);
    CHECK_EQUAL(engine_call(&engine, "d1", args, 0, 1), AG_OK);
    CHECK_EQUAL(engine_call(&engine, "i1", args, 3, 1), AG_TRAP_TABLE);
    CHECK_EQUAL(engine_call(&engine, "i0", args, 3, 1), AG_OK);
    engine_clear(&engine);
}

static void active_elements_that_do_not_fit_trap(void)
{
    static const uint32_t offsets[] = { 9, 10, 11, UINT32_MAX };
    for (size_t i = 0; i < COUNT(offsets); i++) {
        begin_functions();
        wat_item(&wat, 9, BYTES(0, I32_CONST(offsets[i]), END, 2, 0, 1));
        CHECK_EQUAL(wat_load(&wat, &engine), AG_TRAP_TABLE);
    }
    begin_functions();
    wat_item(&wat, 9, BYTES(0, I32_CONST(10), END, 0));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    engine_clear(&engine);
}

// ---- References ---------------------------------------------------------------------------------

static void references_travel_through_everything_that_carries_values(void)
{
    begin_functions();
    wat_item(&wat, 6, BYTES(FUNCREF, 1, REF_FUNC(1), END));
    wat_item(&wat, 6, BYTES(EXTERNREF, 1, REF_NULL(EXTERNREF), END));
    // A function reference through a local, a select, a block, a global and the table.
    wat_function(&wat, "carry", "i:i", "r",
                 BYTES(REF_FUNC(0), LOCAL_SET(1), I32_CONST(7), LOCAL_GET(1), GLOBAL_GET(0),
                       LOCAL_GET(0), SELECT_OF(FUNCREF), BLOCK(FUNCREF), LOCAL_GET(1), BR(0), END,
                       DROP, TABLE_SET(0), I32_CONST(7), CALL_INDIRECT(0, 0), END));
    wat_function(&wat, "is_null", "x:i", "", BYTES(LOCAL_GET(0), REF_IS_NULL, END));
    wat_function(
        &wat, "if_null", "x:i", "",
        BYTES(LOCAL_GET(0), REF_IS_NULL, IF(I32), I32_CONST(10), ELSE, I32_CONST(20), END, END));
    wat_function(&wat, "keep", "x:x", "", BYTES(LOCAL_GET(0), GLOBAL_SET(1), GLOBAL_GET(1), END));
    wat_function(&wat, "null", ":i", "", BYTES(REF_NULL(FUNCREF), REF_IS_NULL, END));
    wat_function(&wat, "own", ":i", "", BYTES(REF_FUNC(2), REF_IS_NULL, END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    uint32_t arg = 1;
    CHECK_EQUAL(engine_call(&engine, "carry", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 5);
    arg = 0;
    CHECK_EQUAL(engine_call(&engine, "carry", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 6);
    CHECK_EQUAL(engine_call(&engine, "is_null", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 1);
    CHECK_EQUAL(engine_call(&engine, "if_null", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 10);
    arg = 4711;
    CHECK_EQUAL(engine_call(&engine, "is_null", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 0);
    CHECK_EQUAL(engine_call(&engine, "if_null", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 20);
    CHECK_EQUAL(engine_call(&engine, "keep", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 4711);
    CHECK_EQUAL(engine_call(&engine, "null", NULL, 0, 1), AG_OK);
    CHECK_EQUAL(result(), 1);
    CHECK_EQUAL(engine_call(&engine, "own", NULL, 0, 1), AG_OK);
    CHECK_EQUAL(result(), 0);
    engine_clear(&engine);
}

// Types that are equal are one type to an indirect call, whatever their index.
static void equal_types_are_the_same_type(void)
{
    begin();
    // Type 0 i -> i, 1 l -> i, then copies of them that wat_type would merge.
    wat_type(&wat, "i:i");
    wat_type(&wat, "l:i");
    wat_item(&wat, 1, BYTES(0x60, 1, I32, 1, I32));
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 1));
    wat_function(&wat, NULL, "i:i", "", BYTES(LOCAL_GET(0), I32_CONST(3), I32_MUL, END));
    wat_function(&wat, "same", "i:i", "",
                 BYTES(LOCAL_GET(0), I32_CONST(0), CALL_INDIRECT(2, 0), END));
    wat_function(&wat, "other", "l:i", "",
                 BYTES(LOCAL_GET(0), I32_CONST(0), CALL_INDIRECT(1, 0), END));
    wat_item(&wat, 9, BYTES(0, I32_CONST(0), END, 1, 0));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    uint32_t args[2] = { 7, 0 };
    CHECK_EQUAL(engine_call(&engine, "same", args, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 21);
    CHECK_EQUAL(engine_call(&engine, "other", args, 2, 1), AG_TRAP_SIGNATURE);
    engine_clear(&engine);
}

// With arguments and results of all widths, through both kinds of call.
static void calls_through_a_table_pass_what_direct_ones_do(void)
{
    begin();
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 2));
    wat_function(&wat, NULL, "ilfd:dfli", "",
                 BYTES(LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(1), LOCAL_GET(0), END));
    const uint8_t type = (uint8_t)wat_type(&wat, "ilfd:dfli");
    wat_function(&wat, "direct", "ilfd:dfli", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(3), CALL(0), END));
    wat_function(&wat, "indirect", "ilfd:dfli", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(3), I32_CONST(1),
                       CALL_INDIRECT(type, 0), END));
    wat_item(&wat, 9, BYTES(0, I32_CONST(1), END, 1, 0));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    const uint32_t args[] = { 1, 2, 3, 4, 5, 6 };
    const uint32_t wanted[] = { 5, 6, 4, 2, 3, 1 };
    CHECK_EQUAL(engine_call(&engine, "direct", args, 6, 1), AG_OK);
    CHECK_BYTES(ag_wasm_results(engine.instance), wanted, sizeof wanted);
    CHECK_EQUAL(engine_call(&engine, "indirect", args, 6, 1), AG_OK);
    CHECK_BYTES(ag_wasm_results(engine.instance), wanted, sizeof wanted);
    engine_clear(&engine);
}

static void tables_are_found_by_index_only_where_they_are(void)
{
    begin_functions();
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(ag_wasm_table_at(engine.instance, 0)->size, SIZE);
    CHECK_EQUAL(ag_wasm_table_at(engine.instance, 1)->size, 3);
    CHECK(ag_wasm_table_at(engine.instance, 2) == NULL);
    struct ag_wasm_extern type;
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_TABLE, 1, &type), AG_OK);
    CHECK(type.kind == AG_WASM_TABLE && type.value_type == FUNCREF && type.min == 3 &&
          !type.has_max);
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_TABLE, 2, &type), AG_ERR_ARGUMENT);
    engine_clear(&engine);
}

static void every_instruction_on_tables_was_tried(void)
{
    static const char *const prefixes[] = { "TABLE", "ELEM", "REF" };
    forms_check(prefixes, sizeof prefixes / sizeof prefixes[0]);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(elements_are_read_and_written_within_bounds),
        TEST(tables_tell_their_size_and_grow_as_far_as_they_may),
        TEST(growth_is_charged_if_it_happens),
        TEST(elements_are_copied_within_bounds),
        TEST(elements_are_filled_within_bounds),
        TEST(active_elements_of_every_form_are_placed),
        TEST(passive_elements_of_every_form_are_copied),
        TEST(active_elements_that_do_not_fit_trap),
        TEST(references_travel_through_everything_that_carries_values),
        TEST(equal_types_are_the_same_type),
        TEST(calls_through_a_table_pass_what_direct_ones_do),
        TEST(tables_are_found_by_index_only_where_they_are),
        TEST(every_instruction_on_tables_was_tried),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
