// SPDX-License-Identifier: Apache-2.0
// What the specification calls invalid: each rule once broken and, beside it, once kept.
#include "wat.h"

static struct engine engine;
static struct wat wat;

#define COUNT(list) (sizeof list / sizeof list[0])

// A module with one of everything:
//   types      0 (ii:i)  1 (:ii)  2 (i:i)  3 (l:)
//   functions  0 (i:i), exported, 1 (l:), not; 2 is the one that is checked
//   tables     0 funcref, 1 externref; memory of a page
//   globals    0 i32 constant, 1 i64 variable, 2 funcref variable
//   elements   0 funcref, passive, 1 externref; data 0 passive
static void put_context(void)
{
    wat_begin(&wat);
    wat_type(&wat, "ii:i");
    wat_type(&wat, ":ii");
    wat_function(&wat, "one", "i:i", "", BYTES(LOCAL_GET(0), END));
    wat_function(&wat, NULL, "l:", "", BYTES(END));
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 1));
    wat_item(&wat, 4, BYTES(EXTERNREF, 0, 1));
    wat_item(&wat, 5, BYTES(0, 1));
    wat_item(&wat, 6, BYTES(I32, 0, I32_CONST(1), END));
    wat_item(&wat, 6, BYTES(I64, 1, I64_CONST(1), END));
    wat_item(&wat, 6, BYTES(FUNCREF, 1, REF_NULL(FUNCREF), END));
    wat_item(&wat, 9, BYTES(1, 0, 1, 0));
    wat_item(&wat, 9, BYTES(5, EXTERNREF, 1, REF_NULL(EXTERNREF), END));
    wat_item(&wat, 11, BYTES(1, 1, 0));
}

static enum ag_status translate(void)
{
    static struct module module;
    wat_end(&wat, &module);
    const enum ag_status status = engine_translate(&engine, module.bytes, module.size);
    engine_clear(&engine);
    return status;
}

struct row {
    const char *signature;
    const char *locals;
    uint8_t bytes[40];
    uint8_t size;
};
#define ROW(signature, locals, ...)                                                                \
    {                                                                                              \
        signature, locals, { __VA_ARGS__, END }, sizeof((uint8_t[]){ __VA_ARGS__, END })           \
    }

static void check_rows(const struct row *rows, size_t count, enum ag_status wanted)
{
    for (size_t i = 0; i < count; i++) {
        engine_clear(&engine);
        put_context();
        wat_function(&wat, NULL, rows[i].signature, rows[i].locals, rows[i].bytes, rows[i].size);
        test_note("row %zu: %s, 0x%02x 0x%02x ...", i, rows[i].signature, rows[i].bytes[0],
                  rows[i].bytes[1]);
        CHECK_TEXT(ag_status_name(translate()), ag_status_name(wanted));
    }
}

#define ACCEPTED(...)                                                                              \
    do {                                                                                           \
        static const struct row rows_[] = { __VA_ARGS__ };                                         \
        check_rows(rows_, COUNT(rows_), AG_OK);                                                    \
    } while (0)
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        static const struct row rows_[] = { __VA_ARGS__ };                                         \
        check_rows(rows_, COUNT(rows_), AG_ERR_WASM_INVALID);                                      \
    } while (0)

static void results_must_be_there_and_of_their_type(void)
{
    ACCEPTED(ROW(":i", "", 0x41, 1), ROW(":", "", NOP), ROW(":il", "", 0x41, 1, 0x42, 2),
             ROW("il:", "", NOP), ROW(":i", "", 0x41, 1, RETURN),
             ROW(":i", "", 0x42, 5, 0x41, 1, RETURN));
    REFUSED(ROW(":i", "", NOP), ROW(":", "", 0x41, 1), ROW(":i", "", 0x42, 1),
            ROW(":i", "", 0x41, 1, 0x41, 2), ROW(":il", "", 0x42, 1, 0x41, 2),
            ROW(":il", "", 0x41, 1), ROW(":i", "", RETURN), ROW(":i", "", 0x42, 1, RETURN),
            ROW(":ii", "", 0x41, 1, RETURN));
}

static void operands_must_be_there_and_of_their_type(void)
{
    ACCEPTED(ROW(":i", "", 0x41, 1, 0x41, 2, I32_ADD), ROW("l:i", "", LOCAL_GET(0), I32_WRAP_I64));
    REFUSED(ROW(":i", "", I32_ADD), ROW(":i", "", 0x41, 1, I32_ADD),
            ROW(":i", "", 0x41, 1, 0x42, 2, I32_ADD), ROW(":i", "", 0x42, 1, 0x41, 2, I32_ADD),
            ROW(":l", "", 0x41, 1, 0x41, 2, I32_ADD), ROW("i:i", "", LOCAL_GET(0), I32_WRAP_I64),
            ROW(":i", "", 0x42, 1, I32_EQZ), ROW(":", "", DROP),
            ROW(":f", "", 0x41, 1, F64_REINTERPRET_I64));
}

static void blocks_hide_the_operands_below_them(void)
{
    ACCEPTED(ROW(":i", "", 0x41, 1, BLOCK(2), 0x41, 1, I32_ADD, END),
             ROW(":i", "", 0x41, 1, BLOCK(EMPTY), END));
    REFUSED(ROW(":i", "", 0x41, 1, BLOCK(EMPTY), DROP, END, 0x41, 1),
            ROW(":i", "", 0x41, 1, BLOCK(EMPTY), 0x41, 1, I32_ADD, DROP, END, 0x41, 2),
            ROW(":i", "", 0x41, 1, LOOP(I32), END), ROW(":i", "", BLOCK(I32), END),
            ROW(":i", "", BLOCK(EMPTY), 0x41, 1, END), ROW(":i", "", BLOCK(I32), 0x42, 1, END),
            ROW(":i", "", BLOCK(2), END), ROW(":i", "", 0x42, 1, BLOCK(2), END),
            ROW(":i", "", 0x41, 1, LOOP(0), END));
}

static void block_types_must_exist(void)
{
    ACCEPTED(ROW(":ii", "", BLOCK(1), 0x41, 1, 0x41, 2, END));
    REFUSED(ROW(":", "", BLOCK(9), END), ROW(":", "", LOOP(0xFF), 0x00, END));
}

static void branches_of_an_if_agree(void)
{
    ACCEPTED(ROW("i:i", "", LOCAL_GET(0), IF(I32), 0x41, 1, ELSE, 0x41, 2, END),
             ROW("i:i", "", 0x41, 1, LOCAL_GET(0), IF(2), END),
             ROW("i:i", "", LOCAL_GET(0), IF(I32), 0x41, 1, ELSE, UNREACHABLE, END));
    REFUSED(ROW("i:i", "", LOCAL_GET(0), IF(I32), 0x41, 1, END),
            ROW("i:i", "", LOCAL_GET(0), IF(I32), 0x41, 1, ELSE, END),
            ROW("i:i", "", LOCAL_GET(0), IF(I32), ELSE, 0x41, 1, END),
            ROW("i:i", "", LOCAL_GET(0), IF(I32), 0x41, 1, ELSE, 0x42, 1, END),
            ROW("i:", "", LOCAL_GET(0), IF(EMPTY), 0x41, 1, ELSE, 0x41, 1, END),
            ROW("l:", "", LOCAL_GET(0), IF(EMPTY), END), ROW(":", "", IF(EMPTY), END),
            ROW("i:i", "", 0x42, 1, LOCAL_GET(0), IF(2), END),
            ROW("i:i", "", 0x41, 1, 0x41, 1, LOCAL_GET(0), IF(0), END),
            ROW("i:i", "", LOCAL_GET(0), IF(1), END, I32_ADD), ROW(":", "", ELSE),
            ROW(":", "", BLOCK(EMPTY), ELSE, END),
            ROW("i:", "", LOCAL_GET(0), IF(EMPTY), ELSE, ELSE, END));
}

static void branches_carry_what_their_label_wants(void)
{
    ACCEPTED(ROW(":i", "", BLOCK(I32), 0x41, 1, BR(0), END),
             ROW(":i", "", LOOP(I32), 0x41, 1, 0x41, 0, BR_IF(1), END), ROW(":", "", BR(0)),
             ROW(":", "", LOOP(EMPTY), BR(0), END), ROW(":i", "", 0x42, 1, 0x41, 1, BR(0)),
             ROW("i:i", "", BLOCK(I32), 0x41, 1, LOCAL_GET(0), BR_TABLE(1, 0, 1), END));
    REFUSED(
        ROW(":i", "", BLOCK(I32), BR(0), END), ROW(":i", "", BLOCK(I32), 0x42, 1, BR(0), END),
        ROW(":i", "", BR(0)), ROW(":", "", BR(1)), ROW(":", "", BLOCK(EMPTY), BR(2), END),
        ROW("i:", "", LOCAL_GET(0), BR_IF(1)), ROW("l:", "", LOCAL_GET(0), BR_IF(0)),
        ROW(":", "", BR_IF(0)), ROW("i:i", "", LOCAL_GET(0), BR_IF(0)),
        ROW("i:i", "", 0x42, 1, LOCAL_GET(0), BR_IF(0)),
        ROW("i:", "", LOCAL_GET(0), BR_TABLE(1, 0, 1)), ROW("l:", "", LOCAL_GET(0), BR_TABLE(0, 0)),
        ROW("i:i", "", BLOCK(EMPTY), 0x41, 1, LOCAL_GET(0), BR_TABLE(1, 0, 1), END, 0x41, 1),
        ROW("i:i", "", BLOCK(I64), 0x41, 1, LOCAL_GET(0), BR_TABLE(1, 0, 1), END, DROP, 0x41, 1),
        ROW("i:i", "", 0x42, 1, LOCAL_GET(0), BR_TABLE(0, 0)),
        ROW("i:i", "", LOCAL_GET(0), BR_TABLE(0, 0)), ROW(":i", "", LOOP(2), BR(0), END, 0x41, 1));
}

static void what_is_dead_may_pop_anything_but_push_only_what_is_right(void)
{
    ACCEPTED(ROW(":i", "", UNREACHABLE), ROW(":i", "", UNREACHABLE, I32_ADD),
             ROW(":", "", UNREACHABLE, DROP, DROP), ROW(":i", "", 0x41, 1, RETURN, DROP, 0x41, 1),
             ROW(":l", "", UNREACHABLE, 0x41, 1, I64_EXTEND_I32_U),
             ROW(":", "", UNREACHABLE, SELECT, DROP),
             ROW(":l", "", UNREACHABLE, 0x42, 1, 0x41, 1, SELECT),
             ROW(":i", "", UNREACHABLE, CALL(0)), ROW(":i", "", UNREACHABLE, BR_IF(0)),
             ROW(":", "", UNREACHABLE, IF(EMPTY), ELSE, END),
             ROW(":i", "", UNREACHABLE, BR_TABLE(1, 0, 0)),
             ROW(":i", "", BLOCK(I64), UNREACHABLE, BR_TABLE(1, 0, 1), END, DROP, 0x41, 1),
             ROW(":i", "", UNREACHABLE, 0x41, 0, CALL_INDIRECT(2, 0)));
    REFUSED(ROW(":i", "", UNREACHABLE, 0x42, 1), ROW(":i", "", UNREACHABLE, 0x42, 1, I32_ADD),
            ROW(":", "", UNREACHABLE, 0x41, 1), ROW(":l", "", UNREACHABLE, I32_ADD),
            ROW(":", "", UNREACHABLE, 0x42, 1, 0x41, 1, 0x41, 1, SELECT, DROP),
            ROW(":i", "", UNREACHABLE, 0x42, 1, CALL(0)),
            ROW(":i", "", UNREACHABLE, 0x42, 1, BR(0)),
            ROW(":i", "", UNREACHABLE, 0x42, 1, 0x41, 1, BR_IF(0)),
            ROW(":i", "", UNREACHABLE, 0x42, 1, 0x41, 1, BR_TABLE(1, 0, 0)),
            ROW(":", "", BLOCK(I32), UNREACHABLE, BR_TABLE(1, 0, 1), END, DROP),
            ROW(":i", "", UNREACHABLE, BLOCK(I32), 0x41, 1, BR_TABLE(0, 0), END),
            ROW(":i", "", UNREACHABLE, BLOCK(EMPTY), DROP, END, 0x41, 1),
            ROW(":i", "", UNREACHABLE, 0x42, 1, RETURN), ROW(":", "", UNREACHABLE, BR(1)),
            ROW(":i", "", UNREACHABLE, LOCAL_GET(0)), ROW(":", "", UNREACHABLE, CALL(9)),
            ROW(":i", "", UNREACHABLE, 0x41, 1, REF_IS_NULL));
}

static void locals_and_globals_must_exist_and_fit(void)
{
    ACCEPTED(ROW("i:", "l", LOCAL_GET(0), DROP, LOCAL_GET(1), DROP),
             ROW("i:l", "l", 0x42, 1, LOCAL_TEE(1)), ROW(":i", "", GLOBAL_GET(0)),
             ROW(":", "", 0x42, 1, GLOBAL_SET(1)));
    REFUSED(ROW("i:", "l", LOCAL_GET(2), DROP), ROW(":", "", 0x41, 1, LOCAL_SET(0)),
            ROW("i:", "l", 0x41, 1, LOCAL_SET(1)), ROW("i:", "l", 0x42, 1, LOCAL_SET(0)),
            ROW("i:", "", LOCAL_SET(0)), ROW("i:i", "l", 0x41, 1, LOCAL_TEE(1)),
            ROW("i:l", "", 0x41, 1, LOCAL_TEE(0)), ROW(":i", "", GLOBAL_GET(3)),
            ROW(":i", "", GLOBAL_GET(1)), ROW(":", "", 0x41, 1, GLOBAL_SET(0)),
            ROW(":", "", 0x41, 1, GLOBAL_SET(1)), ROW(":", "", GLOBAL_SET(1)),
            ROW(":", "", 0x42, 1, GLOBAL_SET(3)));
}

static void calls_must_fit_their_types(void)
{
    ACCEPTED(ROW(":i", "", 0x41, 1, CALL(0)), ROW(":", "", 0x42, 1, CALL(1)),
             ROW(":i", "", 0x41, 1, 0x41, 0, CALL_INDIRECT(2, 0)));
    REFUSED(ROW(":i", "", CALL(0)), ROW(":i", "", 0x42, 1, CALL(0)), ROW(":", "", 0x41, 1, CALL(0)),
            ROW(":", "", CALL(3)), ROW(":l", "", 0x41, 1, CALL(0)),
            ROW(":i", "", 0x41, 1, CALL_INDIRECT(2, 0)),
            ROW(":i", "", 0x41, 1, 0x42, 0, CALL_INDIRECT(2, 0)),
            ROW(":i", "", 0x42, 1, 0x41, 0, CALL_INDIRECT(2, 0)),
            ROW(":i", "", 0x41, 1, 0x41, 0, CALL_INDIRECT(2, 1)),
            ROW(":i", "", 0x41, 1, 0x41, 0, CALL_INDIRECT(2, 2)),
            ROW(":i", "", 0x41, 1, 0x41, 0, CALL_INDIRECT(99, 0)));
}

static void select_wants_two_of_a_kind(void)
{
    ACCEPTED(ROW("i:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), SELECT),
             ROW("i:r", "", REF_NULL(FUNCREF), REF_NULL(FUNCREF), LOCAL_GET(0), SELECT_OF(FUNCREF)),
             ROW("i:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), SELECT_OF(I64)));
    REFUSED(
        ROW("i:l", "", 0x42, 1, 0x41, 2, LOCAL_GET(0), SELECT),
        ROW("l:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), SELECT),
        ROW("i:r", "", REF_NULL(FUNCREF), REF_NULL(FUNCREF), LOCAL_GET(0), SELECT),
        ROW("i:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), SELECT_OF(I32)),
        ROW("i:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), 0x1C, 2, I64, I64),
        ROW("i:l", "", 0x42, 1, 0x42, 2, LOCAL_GET(0), 0x1C, 0),
        ROW("i:x", "", REF_NULL(FUNCREF), REF_NULL(EXTERNREF), LOCAL_GET(0), SELECT_OF(EXTERNREF)));
}

static void references_keep_their_types(void)
{
    ACCEPTED(ROW(":i", "", REF_NULL(EXTERNREF), REF_IS_NULL), ROW(":r", "", REF_FUNC(0)),
             ROW(":i", "", UNREACHABLE, REF_IS_NULL));
    REFUSED(ROW(":i", "", 0x41, 1, REF_IS_NULL), ROW(":r", "", REF_NULL(EXTERNREF)),
            ROW(":x", "", REF_FUNC(0)), ROW(":r", "", REF_FUNC(9)),
            ROW(":r", "", REF_FUNC(1)), // nothing declares it
            ROW(":", "", REF_NULL(EXTERNREF), GLOBAL_SET(2)));
}

static void memory_instructions_want_i32_addresses(void)
{
    ACCEPTED(
        ROW(":i", "", 0x41, 0, I32_LOAD(0)), ROW(":", "", 0x41, 0, 0x41, 0, I32_STORE(0)),
        ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_FILL),
        ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_INIT(0), DATA_DROP(0)));
    REFUSED(ROW(":i", "", 0x42, 0, I32_LOAD(0)), ROW(":i", "", I32_LOAD(0)),
            ROW(":", "", 0x42, 0, 0x41, 0, I32_STORE(0)),
            ROW(":", "", 0x41, 0, 0x42, 0, I32_STORE(0)), ROW(":", "", 0x41, 0, I32_STORE(0)),
            ROW(":i", "", 0x41, 0, 0x28, 3, 0), ROW(":l", "", 0x41, 0, 0x29, 4, 0),
            ROW(":i", "", 0x42, 0, MEMORY_GROW), ROW(":l", "", MEMORY_SIZE),
            ROW("ill:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_FILL),
            ROW("ii:", "", LOCAL_GET(0), LOCAL_GET(1), MEMORY_COPY),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_INIT(1)),
            ROW("iii:", "", DATA_DROP(1)));
}

static void table_instructions_want_elements_of_the_tables_type(void)
{
    ACCEPTED(
        ROW("i:x", "", LOCAL_GET(0), TABLE_GET(1)),
        ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_INIT(0, 0), ELEM_DROP(1)),
        ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_COPY(1, 1)),
        ROW("xi:i", "", LOCAL_GET(0), LOCAL_GET(1), TABLE_GROW(1)), ROW(":i", "", TABLE_SIZE(1)));
    REFUSED(ROW("i:r", "", LOCAL_GET(0), TABLE_GET(1)), ROW("i:x", "", LOCAL_GET(0), TABLE_GET(2)),
            ROW("l:x", "", LOCAL_GET(0), TABLE_GET(1)),
            ROW("ir:", "", LOCAL_GET(0), LOCAL_GET(1), TABLE_SET(1)),
            ROW("ix:", "", LOCAL_GET(0), LOCAL_GET(1), TABLE_SET(2)),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_COPY(0, 1)),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_COPY(0, 2)),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_INIT(1, 0)),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_INIT(2, 0)),
            ROW("iii:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_INIT(0, 2)),
            ROW(":", "", ELEM_DROP(2)), ROW("ri:i", "", LOCAL_GET(0), LOCAL_GET(1), TABLE_GROW(1)),
            ROW("xl:i", "", LOCAL_GET(0), LOCAL_GET(1), TABLE_GROW(1)),
            ROW(":i", "", TABLE_SIZE(2)),
            ROW("iri:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_FILL(1)),
            ROW("ixi:", "", LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), TABLE_FILL(2)));
}

// ---- Parts of a module --------------------------------------------------------------------------

// One more item of a section beside the context.
static void check_item(uint8_t section, const uint8_t *bytes, size_t size, enum ag_status wanted)
{
    engine_clear(&engine);
    put_context();
    wat_item(&wat, section, bytes, size);
    test_note("section %u: 0x%02x 0x%02x ...", section, bytes[0], bytes[1]);
    CHECK_TEXT(ag_status_name(translate()), ag_status_name(wanted));
}
#define ITEM(section, wanted, ...) check_item(section, BYTES(__VA_ARGS__), AG_##wanted)

static void limits_are_in_order(void)
{
    ITEM(4, OK, FUNCREF, 1, 3, 3);
    ITEM(4, ERR_WASM_INVALID, FUNCREF, 1, 3, 2);
    ITEM(5, ERR_WASM_MULTI_MEMORY, 0, 1);
    static const uint8_t memories[][12] = {
        { 1, 3, 2 },
        { 0, 0x81, 0x80, 4 },
        { 1, 0, 0x81, 0x80, 4 },
        { 9, 2, 1, 0 },
    };
    for (size_t i = 0; i < COUNT(memories); i++) {
        engine_clear(&engine);
        wat_begin(&wat);
        wat_item(&wat, 5, memories[i], i == 0 ? 3 : i == 1 ? 4 : i == 2 ? 5 : 4);
        test_note("memory %zu", i);
        CHECK_EQUAL(translate(), AG_ERR_WASM_INVALID);
    }
}

static void constant_expressions_are_constant_and_of_their_type(void)
{
    ITEM(6, OK, I64, 0, I64_CONST(1), END);
    ITEM(6, OK, F32, 0, F32_CONST(1), END);
    ITEM(6, OK, FUNCREF, 0, REF_FUNC(1), END);
    ITEM(6, ERR_WASM_INVALID, I64, 0, I32_CONST(1), END);
    ITEM(6, ERR_WASM_INVALID, I32, 0, END);
    ITEM(6, ERR_WASM_INVALID, I32, 0, I32_CONST(1), NOP, END);
    ITEM(6, ERR_WASM_INVALID, I32, 0, I32_CONST(1), I32_CONST(1), END);
    ITEM(6, ERR_WASM_INVALID, I32, 0, LOCAL_GET(0), END);
    ITEM(6, ERR_WASM_INVALID, I32, 0, GLOBAL_GET(0), END); // only imported ones
    ITEM(6, ERR_WASM_INVALID, FUNCREF, 0, REF_NULL(EXTERNREF), END);
    ITEM(6, ERR_WASM_INVALID, EXTERNREF, 0, REF_FUNC(0), END);
    ITEM(6, ERR_WASM_INVALID, FUNCREF, 0, REF_FUNC(9), END);
    ITEM(6, ERR_WASM_SIMD, I32, 0, 0xFD, 12, END);
}

static void segments_fit_their_table_or_memory(void)
{
    ITEM(9, OK, 0, I32_CONST(0), END, 1, 0);
    ITEM(9, ERR_WASM_INVALID, 0, I64_CONST(0), END, 1, 0);
    ITEM(9, ERR_WASM_INVALID, 0, I32_CONST(0), END, 1, 9);
    ITEM(9, ERR_WASM_INVALID, 2, 2, I32_CONST(0), END, 0, 0);
    ITEM(9, ERR_WASM_INVALID, 2, 1, I32_CONST(0), END, 0, 0);
    ITEM(9, OK, 6, 1, I32_CONST(0), END, EXTERNREF, 0);
    ITEM(9, ERR_WASM_INVALID, 6, 0, I32_CONST(0), END, EXTERNREF, 0);
    ITEM(9, ERR_WASM_INVALID, 5, EXTERNREF, 1, REF_FUNC(0), END);
    ITEM(9, ERR_WASM_INVALID, 5, FUNCREF, 1, I32_CONST(0), END);
    ITEM(11, OK, 0, I32_CONST(0), END, 1, 0);
    ITEM(11, ERR_WASM_INVALID, 0, I64_CONST(0), END, 1, 0);
    ITEM(11, ERR_WASM_INVALID, 2, 1, I32_CONST(0), END, 1, 0);
}

static void without_a_memory_nothing_may_use_one(void)
{
    static const uint8_t bodies[][12] = {
        { 0x41, 0, 0x28, 0, 0, DROP, END },
        { 0x41, 0, 0x41, 0, 0x36, 0, 0, END },
        { MEMORY_SIZE, DROP, END },
        { 0x41, 0, MEMORY_GROW, DROP, END },
        { 0x41, 0, 0x41, 0, 0x41, 0, MEMORY_FILL, END },
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        engine_clear(&engine);
        wat_begin(&wat);
        const uint8_t *end = memchr(bodies[i], END, sizeof bodies[i]);
        // 0x0B is also the number of memory.fill.
        const size_t size = i == 4 ? 10 : (size_t)(end - bodies[i]) + 1;
        wat_function(&wat, NULL, ":", "", bodies[i], size);
        test_note("body %zu", i);
        CHECK_EQUAL(translate(), AG_ERR_WASM_INVALID);
    }
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 11, BYTES(0, I32_CONST(0), END, 0));
    CHECK_EQUAL(translate(), AG_ERR_WASM_INVALID);
}

static void exports_exist_and_have_names_of_their_own(void)
{
    ITEM(7, OK, 1, 'x', 0, 0);
    ITEM(7, OK, 1, 'x', 3, 2);
    ITEM(7, ERR_WASM_INVALID, 1, 'x', 0, 2);
    ITEM(7, ERR_WASM_INVALID, 1, 'x', 1, 2);
    ITEM(7, ERR_WASM_INVALID, 1, 'x', 2, 1);
    ITEM(7, ERR_WASM_INVALID, 1, 'x', 3, 3);
    ITEM(7, ERR_WASM_INVALID, 3, 'o', 'n', 'e', 2, 0);
}

static void check_start(uint8_t function, enum ag_status wanted)
{
    static struct module module;
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 1, BYTES(3, 0x60, 0, 0, 0x60, 1, I32, 0, 0x60, 0, 1, I32));
    module_section(&module, 3, BYTES(3, 0, 1, 2));
    module_section(&module, 8, BYTES(function));
    module_section(&module, 10, BYTES(3, 2, 0, END, 2, 0, END, 4, 0, 0x41, 0, END));
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), wanted);
    engine_clear(&engine);
}

static void the_start_function_takes_and_gives_nothing(void)
{
    check_start(0, AG_OK);
    check_start(1, AG_ERR_WASM_INVALID);
    check_start(2, AG_ERR_WASM_INVALID);
    check_start(3, AG_ERR_WASM_INVALID);
}

static void functions_and_imports_have_types_that_exist(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_import(&wat, "f", BYTES(0, 0));
    CHECK_EQUAL(translate(), AG_ERR_WASM_INVALID);
    wat_begin(&wat);
    wat_function(&wat, NULL, ":", "", BYTES(END));
    wat.section[3].at[0] = 1;
    CHECK_EQUAL(translate(), AG_ERR_WASM_INVALID);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(results_must_be_there_and_of_their_type),
        TEST(operands_must_be_there_and_of_their_type),
        TEST(blocks_hide_the_operands_below_them),
        TEST(block_types_must_exist),
        TEST(branches_of_an_if_agree),
        TEST(branches_carry_what_their_label_wants),
        TEST(what_is_dead_may_pop_anything_but_push_only_what_is_right),
        TEST(locals_and_globals_must_exist_and_fit),
        TEST(calls_must_fit_their_types),
        TEST(select_wants_two_of_a_kind),
        TEST(references_keep_their_types),
        TEST(memory_instructions_want_i32_addresses),
        TEST(table_instructions_want_elements_of_the_tables_type),
        TEST(limits_are_in_order),
        TEST(constant_expressions_are_constant_and_of_their_type),
        TEST(segments_fit_their_table_or_memory),
        TEST(without_a_memory_nothing_may_use_one),
        TEST(exports_exist_and_have_names_of_their_own),
        TEST(the_start_function_takes_and_gives_nothing),
        TEST(functions_and_imports_have_types_that_exist),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
