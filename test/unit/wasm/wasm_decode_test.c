// SPDX-License-Identifier: Apache-2.0
// What the specification calls malformed: numbers, names, sections, items; and the limits of
// README.md.
#include "wat.h"

static struct engine engine;
static struct module module;
static struct bytes items;
static struct wat wat;

#define COUNT(list) (sizeof list / sizeof list[0])
#define PUT(...)    put(&items, BYTES(__VA_ARGS__))

static enum ag_status translate(void)
{
    const enum ag_status status = engine_translate(&engine, module.bytes, module.size);
    engine_clear(&engine);
    return status;
}

#define CHECK_STATUS(wanted) CHECK_TEXT(ag_status_name(translate()), ag_status_name(wanted))

static void begin(void)
{
    engine_clear(&engine);
    module_begin(&module);
}

static void section(uint8_t id, const uint8_t *bytes, size_t size)
{
    module_section(&module, id, bytes, size);
}

// A module of one function () -> () with this body, locals included.
static void check_code(const uint8_t *bytes, size_t size, enum ag_status wanted)
{
    begin();
    section(1, BYTES(1, 0x60, 0, 0));
    section(3, BYTES(1, 0));
    section(4, BYTES(1, FUNCREF, 0, 1));
    section(5, BYTES(1, 0, 1));
    items.size = 0;
    PUT(1);
    put_number(&items, (uint32_t)size);
    put(&items, bytes, size);
    section(10, items.at, items.size);
    CHECK_STATUS(wanted);
}
#define CODE(wanted, ...) check_code(BYTES(__VA_ARGS__), AG_##wanted)
#define ONE(id, wanted, ...)                                                                       \
    do {                                                                                           \
        begin();                                                                                   \
        section(id, BYTES(__VA_ARGS__));                                                           \
        CHECK_STATUS(AG_##wanted);                                                                 \
    } while (0)

// ---- Numbers
// --------------------------------------------------------------------------------------

static void numbers_may_be_padded_but_not_longer_than_their_type(void)
{
    // i32.const: five bytes at most, the last one's upper bits all the sign.
    CODE(OK, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x00, DROP, END);
    CODE(OK, 0, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, DROP, END);
    CODE(OK, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, DROP, END); // the lowest one
    CODE(OK, 0, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, DROP, END); // the highest one
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x08, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x70, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, DROP, END);
    // i64.const: ten.
    CODE(OK, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F, DROP, END);
    CODE(OK, 0, 0x42, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E,
         DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
         DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
         0x00, DROP, END);
    // Unsigned: offsets and indices.
    CODE(OK, 0, 0x41, 0, 0x28, 0x82, 0x80, 0x80, 0x80, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, DROP,
         END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x28, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, DROP, END);
    CODE(OK, 0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x00, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10, END);
    // A block type: a signed number of 33 bits that is not negative.
    CODE(OK, 0, 0x02, 0x80, 0x80, 0x80, 0x80, 0x00, END, END);
    CODE(ERR_WASM_INVALID, 0, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, END, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x02, 0x80, 0x80, 0x80, 0x80, 0x40, END, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x02, 0x80, 0x80, 0x80, 0x80, 0x70, END, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, END, END);
}

static void constants_of_the_greatest_length_keep_their_values(void)
{
    static const int64_t values[] = { 0,         -1,        1,         INT32_MIN,
                                      INT32_MAX, INT64_MIN, INT64_MAX, 0x1234567890ABCD };
    for (size_t i = 0; i < COUNT(values); i++) {
        engine_clear(&engine);
        wat_begin(&wat);
        wat_function(&wat, "f", ":il", "",
                     BYTES(I32_CONST((uint32_t)values[i]), I64_CONST(values[i]), END));
        CHECK_EQUAL(wat_run(&wat, &engine, "f", NULL, 0), AG_OK);
        CHECK_EQUAL(ag_wasm_results(engine.instance)[0], (uint32_t)values[i]);
        CHECK_EQUAL(ag_wasm_get_u64(ag_wasm_results(engine.instance) + 1), values[i]);
    }
    engine_clear(&engine);
}

// ---- Names
// ------------------------------------------------------------------------------------------

static void check_name(const uint8_t *bytes, size_t size, bool is_good)
{
    items.size = 0;
    put_number(&items, (uint32_t)size);
    put(&items, bytes, size);
    begin();
    section(0, items.at, items.size);
    test_note("0x%02x ... %zu bytes", bytes[0], size);
    CHECK_STATUS(is_good ? AG_OK : AG_ERR_WASM_MALFORMED);
    // The same as the name of an export.
    begin();
    section(5, BYTES(1, 0, 1));
    items.size = 0;
    PUT(1);
    put_number(&items, (uint32_t)size);
    put(&items, bytes, size);
    PUT(2, 0);
    section(7, items.at, items.size);
    CHECK_STATUS(is_good ? AG_OK : AG_ERR_WASM_MALFORMED);
}

static void names_are_utf8(void)
{
    check_name(BYTES('a', 0, 0x7F), true);
    check_name(BYTES(0xC2, 0x80), true);
    check_name(BYTES(0xDF, 0xBF), true);
    check_name(BYTES(0xE0, 0xA0, 0x80), true);
    check_name(BYTES(0xED, 0x9F, 0xBF), true);
    check_name(BYTES(0xEE, 0x80, 0x80), true);
    check_name(BYTES(0xEF, 0xBF, 0xBF, 'x'), true);
    check_name(BYTES(0xF0, 0x90, 0x80, 0x80), true);
    check_name(BYTES(0xF4, 0x8F, 0xBF, 0xBF), true);
    check_name(BYTES(0x80), false);       // continues nothing
    check_name(BYTES(0xC0, 0x80), false); // too long a form
    check_name(BYTES(0xC1, 0xBF), false);
    check_name(BYTES(0xC2), false); // cut
    check_name(BYTES(0xC2, 'a'), false);
    check_name(BYTES(0xC2, 0xC0), false);
    check_name(BYTES(0xE0, 0x9F, 0xBF), false); // too long a form
    check_name(BYTES(0xE0, 0xA0), false);
    check_name(BYTES(0xE1, 0x80, 'a'), false);
    check_name(BYTES(0xE1, 0x80, 0xC0), false);
    check_name(BYTES(0xED, 0xA0, 0x80), false); // half of a pair
    check_name(BYTES(0xED, 0xBF, 0xBF), false);
    check_name(BYTES(0xF0, 0x8F, 0xBF, 0xBF), false); // too long a form
    check_name(BYTES(0xF1, 0x80, 0x80), false);
    check_name(BYTES(0xF1, 0x80, 0x80, 'a'), false);
    check_name(BYTES(0xF1, 0x80, 0xC0, 0x80), false);
    check_name(BYTES(0xF4, 0x90, 0x80, 0x80), false); // beyond U+10FFFF
    check_name(BYTES(0xF5, 0x80, 0x80, 0x80), false);
    check_name(BYTES(0xFF), false);
}

static void a_name_that_is_longer_than_its_section_is_refused(void)
{
    ONE(0, ERR_WASM_MALFORMED, 2, 'a');
    ONE(0, ERR_WASM_MALFORMED, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F);
    ONE(0, OK, 0);
    ONE(0, OK, 1, 'a', 1, 2, 3);
    begin();
    module.bytes[module.size++] = 0; // a custom section without a name
    module.bytes[module.size++] = 0;
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
}

// ---- Sections -----------------------------------------------------------------------------------

static const struct {
    uint8_t id;
    uint8_t bytes[16];
    uint8_t size;
} parts[] = {
    { 1, { 1, 0x60, 0, 0 }, 4 },
    { 3, { 1, 0 }, 2 },
    { 4, { 1, FUNCREF, 0, 1 }, 4 },
    { 5, { 1, 0, 1 }, 3 },
    { 6, { 1, I32, 0, 0x41, 0, END }, 6 },
    { 7, { 1, 1, 'f', 0, 0 }, 5 },
    { 8, { 0 }, 1 },
    { 9, { 1, 0, 0x41, 0, END, 1, 0 }, 7 },
    { 12, { 1 }, 1 },
    { 10, { 1, 2, 0, END }, 4 },
    { 11, { 1, 0, 0x41, 0, END, 0 }, 6 },
};

static void put_part(size_t i)
{
    section(parts[i].id, parts[i].bytes, parts[i].size);
}

static void sections_come_in_their_order_and_once(void)
{
    for (size_t first = 0; first < COUNT(parts); first++) {
        // In order, with a custom section before each.
        begin();
        for (size_t i = 0; i < COUNT(parts); i++) {
            if (i == first)
                section(0, BYTES(1, 'x'));
            put_part(i);
        }
        CHECK_STATUS(AG_OK);
        // The first one again at the end, and each one twice.
        begin();
        for (size_t i = 0; i < COUNT(parts); i++) {
            put_part(i);
            if (i == first)
                put_part(i);
        }
        test_note("section %u twice", parts[first].id);
        CHECK_STATUS(AG_ERR_WASM_MALFORMED);
        for (size_t second = first + 1; second < COUNT(parts); second++) {
            begin();
            for (size_t i = 0; i < COUNT(parts); i++)
                put_part(i == first ? second : i == second ? first : i);
            test_note("sections %u and %u exchanged", parts[first].id, parts[second].id);
            const enum ag_status status = translate();
            // What stands first may miss what it refers to.
            CHECK(status == AG_ERR_WASM_MALFORMED || status == AG_ERR_WASM_INVALID);
        }
    }
}

static void sections_are_as_long_as_they_say(void)
{
    for (size_t wrong = 0; wrong < COUNT(parts); wrong++) {
        for (int delta = -1; delta <= 1; delta += 2) {
            begin();
            for (size_t i = 0; i < COUNT(parts); i++) {
                const uint32_t at = module.size + 1;
                put_part(i);
                if (i == wrong)
                    module.bytes[at] = (uint8_t)(module.bytes[at] + delta);
            }
            test_note("section %u longer by %d", parts[wrong].id, delta);
            const enum ag_status status = translate();
            CHECK(status == AG_ERR_WASM_MALFORMED || status == AG_ERR_WASM_INVALID);
        }
        // With a byte too many, and too few for their items.
        begin();
        for (size_t i = 0; i < COUNT(parts); i++) {
            items.size = 0;
            put(&items, parts[i].bytes, parts[i].size);
            if (i == wrong)
                PUT(0);
            section(parts[i].id, items.at, items.size);
        }
        test_note("section %u with one more byte", parts[wrong].id);
        CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    }
}

static void unknown_sections_are_refused(void)
{
    ONE(14, ERR_WASM_MALFORMED, 0);
    ONE(0x7F, ERR_WASM_MALFORMED, 0);
    ONE(0xFF, ERR_WASM_MALFORMED, 0);
    begin();
    module.bytes[module.size++] = 1;
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    module.bytes[module.size++] = 1;
    module.bytes[module.size++] = 0x80;
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
}

static void counts_of_sections_agree(void)
{
    begin(); // a function without code
    section(1, BYTES(1, 0x60, 0, 0));
    section(3, BYTES(1, 0));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin(); // code without a function
    section(10, BYTES(1, 2, 0, END));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    section(3, BYTES(0));
    section(10, BYTES(0));
    CHECK_STATUS(AG_OK);
    begin(); // a data count without data
    section(5, BYTES(1, 0, 1));
    section(12, BYTES(1));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    section(5, BYTES(1, 0, 1));
    section(12, BYTES(0));
    section(11, BYTES(1, 1, 0));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    // More items than there are bytes, for every section.
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].id == 8 || parts[i].id == 12)
            continue;
        begin();
        section(parts[i].id, BYTES(0xFF, 0xFF, 0xFF, 0xFF, 0x0F));
        test_note("section %u", parts[i].id);
        CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    }
}

// memory.init and data.drop want the data count section, which code stands behind.
static void data_is_named_in_code_only_with_a_count(void)
{
    static const uint8_t bodies[][13] = {
        { 1, 5, 0, DATA_DROP(0), END },
        { 1, 12, 0, 0x41, 0, 0x41, 0, 0x41, 0, MEMORY_INIT(0) },
    };
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t has_count = 0; has_count < 2; has_count++) {
            begin();
            section(1, BYTES(1, 0x60, 0, 0));
            section(3, BYTES(1, 0));
            section(5, BYTES(1, 0, 1));
            if (has_count)
                section(12, BYTES(1));
            items.size = 0;
            put(&items, bodies[i], i == 0 ? 7 : 13);
            if (i == 1)
                PUT(END);
            section(10, items.at, items.size);
            section(11, BYTES(1, 1, 0));
            const enum ag_status status = translate();
            if (has_count)
                CHECK_EQUAL(status, AG_OK);
            else
                CHECK(status == AG_ERR_WASM_INVALID || status == AG_ERR_WASM_MALFORMED);
        }
    }
}

// ---- Items --------------------------------------------------------------------------------------

static void types_have_known_forms(void)
{
    ONE(1, ERR_WASM_MALFORMED, 1, 0x61, 0, 0);
    ONE(1, ERR_WASM_MALFORMED, 1, 0x60, 1, 0x40, 0);
    ONE(1, ERR_WASM_MALFORMED, 1, 0x60, 0, 1, 0x01);
    ONE(1, ERR_WASM_MALFORMED, 1, 0x60, 2, I32);
    ONE(1, ERR_WASM_MALFORMED, 1, 0x60, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0);
    ONE(1, ERR_WASM_MALFORMED, 1);
    ONE(1, ERR_WASM_GC, 1, 0x60, 1, 0x6E, 0);
    ONE(1, ERR_WASM_GC, 1, 0x60, 1, 0x64, 0);
    ONE(1, ERR_WASM_GC, 1, 0x5E, 0);
    ONE(1, ERR_WASM_GC, 1, 0x50, 0);
    ONE(1, ERR_WASM_EXCEPTIONS, 1, 0x60, 1, 0x69, 0);
    ONE(1, ERR_WASM_SIMD, 1, 0x60, 1, 0x7B, 0);
}

static void tables_memories_and_globals_have_known_flags(void)
{
    ONE(4, ERR_WASM_MALFORMED, 1, I32, 0, 1);
    ONE(4, ERR_WASM_MALFORMED, 1, FUNCREF, 8, 1);
    ONE(4, ERR_WASM_THREADS, 1, FUNCREF, 3, 1, 1);
    ONE(4, ERR_WASM_MEMORY64, 1, FUNCREF, 4, 1);
    ONE(4, ERR_WASM_GC, 1, 0x40, 0, FUNCREF, 0, 1, REF_NULL(FUNCREF), END);
    ONE(4, ERR_WASM_MALFORMED, 1);
    ONE(4, ERR_WASM_MALFORMED, 1, FUNCREF, 1, 1);
    ONE(4, OK, 1, EXTERNREF, 1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F);
    ONE(5, ERR_WASM_MALFORMED, 1, 16, 1);
    ONE(5, ERR_WASM_MALFORMED, 1, 0x81, 0, 1);
    ONE(5, ERR_WASM_MALFORMED, 1, 1, 1);
    ONE(5, ERR_WASM_MALFORMED, 1, 8, 1, 65);
    ONE(6, ERR_WASM_MALFORMED, 1, I32, 4, 0x41, 0, END);
    ONE(6, ERR_WASM_THREADS, 1, I32, 2, 0x41, 0, END);
    ONE(6, ERR_WASM_MALFORMED, 1, 0x40, 0, 0x41, 0, END);
    ONE(6, ERR_WASM_MALFORMED, 1, FUNCREF, 0, REF_NULL(I32), END);
    ONE(6, ERR_WASM_MALFORMED, 1, I32, 0, 0x41);
    ONE(6, ERR_WASM_MALFORMED, 1, I32, 0, 0xD7, END);
}

static void imports_and_exports_have_known_kinds(void)
{
    ONE(2, ERR_WASM_MALFORMED, 1, 1, 'm', 1, 'f', 5, 0);
    ONE(2, ERR_WASM_EXCEPTIONS, 1, 1, 'm', 1, 'f', 4, 0);
    ONE(2, ERR_WASM_MALFORMED, 1, 1, 'm', 1, 'f');
    ONE(2, ERR_WASM_MALFORMED, 1, 1, 'm', 9, 'f', 0, 0);
    ONE(7, ERR_WASM_MALFORMED, 1, 1, 'm', 4, 0);
    ONE(7, ERR_WASM_MALFORMED, 1, 1, 'm', 0);
}

static void segments_have_known_flags(void)
{
    begin();
    section(4, BYTES(1, FUNCREF, 0, 1));
    section(9, BYTES(1, 8, 0x41, 0, END, 0));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    section(4, BYTES(1, FUNCREF, 0, 1));
    section(9, BYTES(1, 1, 1, 0)); // a kind of element that there is not
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    section(4, BYTES(1, FUNCREF, 0, 1));
    section(9, BYTES(1, 1, 0, 5, 0)); // five elements in one byte
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    ONE(9, ERR_WASM_MALFORMED, 1, 5, I32, 0);
    ONE(11, ERR_WASM_MALFORMED, 1, 3, 0);
    ONE(11, ERR_WASM_MALFORMED, 1, 1, 5, 0);
    ONE(11, ERR_WASM_MALFORMED, 1, 1);
}

// ---- Code ---------------------------------------------------------------------------------------

static void bodies_end_where_they_say(void)
{
    CODE(ERR_WASM_MALFORMED, 0, NOP); // no end
    CODE(ERR_WASM_MALFORMED, 0, BLOCK(EMPTY), END);
    CODE(ERR_WASM_MALFORMED, 0, END, NOP); // more behind the end
    CODE(ERR_WASM_MALFORMED, 0, END, END);
    CODE(ERR_WASM_MALFORMED, 0);
    begin();
    section(1, BYTES(1, 0x60, 0, 0));
    section(3, BYTES(1, 0));
    section(10, BYTES(1, 5, 0, END)); // longer than the section
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
    begin();
    section(1, BYTES(1, 0x60, 0, 0));
    section(3, BYTES(1, 0));
    section(10, BYTES(1));
    CHECK_STATUS(AG_ERR_WASM_MALFORMED);
}

static void unknown_instructions_are_refused(void)
{
    for (uint32_t opcode = 0; opcode < 256; opcode++) {
        const bool is_known = opcode <= 0x05 || (opcode >= 0x0B && opcode <= 0x11) ||
                              (opcode >= 0x1A && opcode <= 0x1C) ||
                              (opcode >= 0x20 && opcode <= 0x26) ||
                              (opcode >= 0x28 && opcode <= 0xC4) ||
                              (opcode >= 0xD0 && opcode <= 0xD2) || opcode == 0xFC;
        if (is_known)
            continue;
        begin();
        section(1, BYTES(1, 0x60, 0, 0));
        section(3, BYTES(1, 0));
        section(10, BYTES(1, 9, 0, (uint8_t)opcode, 0, 0, 0, 0, 0, 0, END));
        test_note("0x%02x", opcode);
        const enum ag_status status = translate();
        CHECK(status == AG_ERR_WASM_MALFORMED ||
              (status >= AG_ERR_WASM_SIMD && status <= AG_ERR_WASM_GC));
    }
    CODE(ERR_WASM_MALFORMED, 0, 0x27, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xC5, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xFF, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xFC, 18, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xFC);
}

static void immediates_are_whole_and_known(void)
{
    CODE(ERR_WASM_MALFORMED, 0, 0x43, 0, 0, 0);
    CODE(ERR_WASM_MALFORMED, 0, 0x44, 0, 0, 0, 0, 0, 0, 0);
    CODE(ERR_WASM_MALFORMED, 0, 0x41);
    CODE(ERR_WASM_MALFORMED, 0, 0x02);
    CODE(ERR_WASM_MALFORMED, 0, 0x02, 0x41, END, END);
    CODE(ERR_WASM_MALFORMED, 0, 0xD0, I32, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x3F, 1, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x40, 1, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x28, 32, 0, DROP, END);
    CODE(ERR_WASM_MULTI_MEMORY, 0, 0x41, 0, 0x28, 0x42, 0, 0, DROP, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xFC, 10, 0, 1, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xFC, 11, 1, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, END);
    CODE(ERR_WASM_MALFORMED, 0, 0x41, 0, 0x0E, 5, 0, 0, END);
    CODE(ERR_WASM_MALFORMED, 1, 1, 0x40, END); // a local of no type
    CODE(ERR_WASM_MALFORMED, 9, 1, I32, END);  // fewer groups of locals than said
    CODE(ERR_WASM_MALFORMED, 0x80, 0x80, 0x80, 0x80, 0x10, END);
}

// ---- Limits
// ---------------------------------------------------------------------------------------

// `count` items of a section, each these bytes, and nothing else in the module but types.
static enum ag_status translate_many(uint8_t id, uint32_t count, const uint8_t *item, size_t size)
{
    begin();
    if (id != 1)
        section(1, BYTES(1, 0x60, 0, 0));
    items.size = 0;
    put_number(&items, count);
    for (uint32_t i = 0; i < count; i++)
        put(&items, item, size);
    if (id == 10) {
        struct bytes *functions = &wat.section[3];
        functions->size = 0;
        put_number(functions, count);
        for (uint32_t i = 0; i < count; i++)
            put(functions, BYTES(0));
        section(3, functions->at, functions->size);
    }
    section(id, items.at, items.size);
    engine.scratch_size = 64000;
    return translate();
}

static void the_limits_are_where_the_readme_says(void)
{
    CHECK_EQUAL(translate_many(1, 4096, BYTES(0x60, 0, 0)), AG_OK);
    CHECK_EQUAL(translate_many(1, 4097, BYTES(0x60, 0, 0)), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_many(4, 64, BYTES(FUNCREF, 0, 1)), AG_OK);
    CHECK_EQUAL(translate_many(4, 65, BYTES(FUNCREF, 0, 1)), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_many(6, 8192, BYTES(I32, 0, 0x41, 0, END)), AG_OK);
    CHECK_EQUAL(translate_many(6, 8193, BYTES(I32, 0, 0x41, 0, END)), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_many(9, 1024, BYTES(1, 0, 0)), AG_OK);
    CHECK_EQUAL(translate_many(9, 1025, BYTES(1, 0, 0)), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_many(11, 16384, BYTES(1, 0)), AG_OK);
    CHECK_EQUAL(translate_many(11, 16385, BYTES(1, 0)), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(translate_many(10, 16384, BYTES(2, 0, END)), AG_OK);
    CHECK_EQUAL(translate_many(10, 16385, BYTES(2, 0, END)), AG_ERR_WASM_LIMIT);
    ONE(12, ERR_WASM_LIMIT, 0x81, 0x80, 0x01);
    engine_clear(&engine);
}

static enum ag_status take_import(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context, (void)import, (void)id;
    return AG_OK;
}

static void imports_count_with_what_is_own(void)
{
    for (uint32_t own = 0; own < 2; own++) {
        engine_clear(&engine);
        engine.resolve = take_import;
        wat_begin(&wat);
        for (uint32_t i = 0; i < 64; i++)
            wat_import(&wat, "t", BYTES(1, FUNCREF, 0, 1));
        if (own)
            wat_item(&wat, 4, BYTES(FUNCREF, 0, 1));
        wat_end(&wat, &module);
        CHECK_STATUS(own ? AG_ERR_WASM_LIMIT : AG_OK);
    }
    engine_clear(&engine);
    engine.resolve = take_import;
    begin();
    engine.resolve = take_import;
    section(2, BYTES(1, 1, 'm', 1, 'm', 2, 0, 1));
    section(5, BYTES(1, 0, 1));
    CHECK_STATUS(AG_ERR_WASM_MULTI_MEMORY);
}

static void imports_are_at_most_1024(void)
{
    for (uint32_t count = 1024; count <= 1025; count++) {
        begin();
        engine.resolve = take_import;
        section(1, BYTES(1, 0x60, 0, 0));
        items.size = 0;
        put_number(&items, count);
        for (uint32_t i = 0; i < count; i++)
            PUT(0, 0, 0, 0);
        section(2, items.at, items.size);
        CHECK_STATUS(count == 1024 ? AG_OK : AG_ERR_WASM_LIMIT);
    }
}

static void a_type_has_at_most_1000_parameters_and_results(void)
{
    for (uint32_t count = 1000; count <= 1001; count++) {
        for (uint32_t are_results = 0; are_results < 2; are_results++) {
            begin();
            items.size = 0;
            PUT(1, 0x60);
            if (are_results)
                PUT(0);
            put_number(&items, count);
            for (uint32_t i = 0; i < count; i++)
                PUT(I32);
            if (!are_results)
                PUT(0);
            section(1, items.at, items.size);
            CHECK_STATUS(count == 1000 ? AG_OK : AG_ERR_WASM_LIMIT);
        }
    }
}

// One group of locals for each change of type.
static void changes_of_type_among_locals_need_scratch(void)
{
    for (uint32_t scratch = 1; scratch < 5; scratch += 3) {
        items.size = 0;
        put_number(&items, 1000);
        for (uint32_t i = 0; i < 1000; i++)
            PUT(1, i % 2 ? I32 : F32);
        PUT(END);
        static uint8_t locals[4000];
        const uint32_t size = items.size;
        memcpy(locals, items.at, size);
        begin();
        section(1, BYTES(1, 0x60, 0, 0));
        section(3, BYTES(1, 0));
        items.size = 0;
        PUT(1);
        put_number(&items, size);
        put(&items, locals, size);
        section(10, items.at, items.size);
        engine.scratch_size = scratch * AG_WASM_SCRATCH_MIN;
        CHECK_STATUS(scratch == 1 ? AG_ERR_WASM_LIMIT : AG_OK);
    }
}

static void scratch_must_be_aligned(void)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH + 8];
    const struct ag_wasm_translation how = { NULL, NULL, NULL, scratch + 4, AG_WASM_SCRATCH };
    struct ag_wasm_report report;
    begin();
    CHECK_EQUAL(ag_wasm_translate(module.bytes, module.size, &how, &report), AG_ERR_WASM_LIMIT);
}

// Without a resolver a module may import nothing.
static enum ag_status drop_bytes(void *context, const void *bytes, uint32_t size)
{
    (void)context, (void)bytes, (void)size;
    return AG_OK;
}

static void without_a_resolver_there_are_no_imports(void)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH];
    const struct ag_wasm_translation how = { drop_bytes, NULL, NULL, scratch, sizeof scratch };
    struct ag_wasm_report report;
    begin();
    CHECK_EQUAL(ag_wasm_translate(module.bytes, module.size, &how, &report), AG_OK);
    section(1, BYTES(1, 0x60, 0, 0));
    section(2, BYTES(1, 0, 0, 0, 0));
    CHECK_EQUAL(ag_wasm_translate(module.bytes, module.size, &how, &report), AG_ERR_WASM_IMPORT);
    CHECK(report.offset > 8 && report.offset <= module.size);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(numbers_may_be_padded_but_not_longer_than_their_type),
        TEST(constants_of_the_greatest_length_keep_their_values),
        TEST(names_are_utf8),
        TEST(a_name_that_is_longer_than_its_section_is_refused),
        TEST(sections_come_in_their_order_and_once),
        TEST(sections_are_as_long_as_they_say),
        TEST(unknown_sections_are_refused),
        TEST(counts_of_sections_agree),
        TEST(data_is_named_in_code_only_with_a_count),
        TEST(types_have_known_forms),
        TEST(tables_memories_and_globals_have_known_flags),
        TEST(imports_and_exports_have_known_kinds),
        TEST(segments_have_known_flags),
        TEST(bodies_end_where_they_say),
        TEST(unknown_instructions_are_refused),
        TEST(immediates_are_whole_and_known),
        TEST(the_limits_are_where_the_readme_says),
        TEST(imports_count_with_what_is_own),
        TEST(imports_are_at_most_1024),
        TEST(a_type_has_at_most_1000_parameters_and_results),
        TEST(changes_of_type_among_locals_need_scratch),
        TEST(scratch_must_be_aligned),
        TEST(without_a_resolver_there_are_no_imports),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
