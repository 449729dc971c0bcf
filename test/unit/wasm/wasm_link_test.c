// SPDX-License-Identifier: Apache-2.0
// Instances that share memories, tables, globals and functions, imports of every kind, host
// functions that call back.
#include "forms.h"
#include "wat.h"

static struct engine engine;
static struct wat wat;

// ---- A host that offers everything ----------------------------------------------------------

struct seen {
    char names[64];
    uint32_t count;
    struct ag_wasm_extern types[8];
};
static struct seen seen;

// Takes all that is asked for; its id is 10 + its place.
static enum ag_status take_any(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    CHECK_EQUAL(*id, 0);
    CHECK(import->module.size == 3 && memcmp(import->module.text, "env", 3) == 0);
    CHECK(strlen(seen.names) + import->field.size < sizeof seen.names);
    strncat(seen.names, import->field.text, import->field.size);
    seen.types[seen.count] = import->type;
    *id = (uint16_t)(10 + seen.count++);
    return AG_OK;
}

static void begin(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    memset(&seen, 0, sizeof seen);
    engine.resolve = take_any;
}

// Imports func t: (i l) -> d, table 5 to 9 of externref, memory 1 to 2, globals const i, var l,
// const f, var d; uses all of them.
static void put_imports(void)
{
    const uint8_t type = (uint8_t)wat_type(&wat, "il:d");
    wat_import(&wat, "f", BYTES(0, type));
    wat_import(&wat, "t", BYTES(1, EXTERNREF, 1, 5, 9));
    wat_import(&wat, "m", BYTES(2, 1, 1, 2));
    wat_import(&wat, "i", BYTES(3, I32, 0));
    wat_import(&wat, "l", BYTES(3, I64, 1));
    wat_import(&wat, "s", BYTES(3, F32, 0));
    wat_import(&wat, "d", BYTES(3, F64, 1));
    wat.functions = 1;
}

static void imports_of_every_kind_are_told_with_their_types(void)
{
    begin();
    put_imports();
    CHECK_EQUAL(wat_load(&wat, &engine), AG_ERR_WASM_IMPORT); // without links
    CHECK_TEXT(seen.names, "ftmilsd");
    CHECK_EQUAL(seen.count, 7);
    const struct ag_wasm_extern *t = seen.types;
    CHECK(t[0].kind == AG_WASM_FUNCTION && t[0].function.param_count == 2 &&
          t[0].function.params[1] == I64 && t[0].function.result_count == 1 &&
          t[0].function.results[0] == F64);
    CHECK(t[1].kind == AG_WASM_TABLE && t[1].value_type == EXTERNREF && t[1].min == 5 &&
          t[1].has_max && t[1].max == 9);
    CHECK(t[2].kind == AG_WASM_MEMORY && t[2].min == 1 && t[2].max == 2 && t[2].page_shift == 16);
    CHECK(t[3].kind == AG_WASM_GLOBAL && t[3].value_type == I32 && !t[3].is_mutable);
    CHECK(t[6].kind == AG_WASM_GLOBAL && t[6].value_type == F64 && t[6].is_mutable);
    // The image tells the same.
    struct ag_wasm_extern type;
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_GLOBAL, 3, &type), AG_OK);
    CHECK(type.value_type == F64 && type.is_mutable);
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_MEMORY, 0, &type), AG_OK);
    CHECK_EQUAL(type.max, 2);
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_TABLE, 0, &type), AG_OK);
    CHECK_EQUAL(type.max, 9);
    CHECK_EQUAL(ag_wasm_image_type(&engine.image, AG_WASM_FUNCTION, 0, &type), AG_OK);
    CHECK_EQUAL(type.function.param_count, 2);
    engine_clear(&engine);
}

static uint16_t first_id;
static enum ag_status take_from_id(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    uint32_t *asked = context;
    if (import->type.kind == AG_WASM_FUNCTION)
        CHECK_EQUAL(import->type.function.param_count, 2);
    *id = (uint16_t)(first_id + (*asked)++);
    return *asked > 7 ? AG_ERR_INTERNAL : AG_OK;
}

static enum ag_status take_none(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context, (void)import, (void)id;
    return AG_ERR_WASM_IMPORT;
}

static void an_image_is_resolved_again_as_it_was_before(void)
{
    uint32_t asked = 0;
    begin();
    put_imports();
    CHECK_EQUAL(wat_load(&wat, &engine), AG_ERR_WASM_IMPORT); // the image is open by then
    first_id = 10;
    CHECK_EQUAL(ag_wasm_image_resolve(&engine.image, take_from_id, &asked), AG_OK);
    CHECK_EQUAL(asked, 7);
    asked = 0;
    first_id = 11; // a host whose function has another number
    CHECK_EQUAL(ag_wasm_image_resolve(&engine.image, take_from_id, &asked), AG_ERR_WASM_STALE);
    CHECK_EQUAL(ag_wasm_image_resolve(&engine.image, take_none, NULL), AG_ERR_WASM_IMPORT);
    engine_clear(&engine);
}

// What the embedder shares.
static uint8_t shared_bytes[3 * 65536];
static uint32_t shared_elements[9];
static uint32_t shared_globals[4][2];
static struct ag_wasm_memory shared_memory;
static struct ag_wasm_table shared_table;
static struct ag_wasm_table *shared_tables[] = { &shared_table };
static uint32_t *shared_slots[] = { shared_globals[0], shared_globals[1], shared_globals[2],
                                    shared_globals[3] };
static struct ag_wasm_links links;

static void share(void)
{
    memset(shared_bytes, 0, sizeof shared_bytes);
    memset(shared_elements, 0, sizeof shared_elements);
    shared_memory = (struct ag_wasm_memory){ shared_bytes, 65536, 2 * 65536, 2, 16 };
    shared_table = (struct ag_wasm_table){ shared_elements, 5, 9, 9 };
    for (uint32_t i = 0; i < 4; i++) {
        shared_globals[i][0] = 3 * i + 1;
        shared_globals[i][1] = 0;
    }
    links = (struct ag_wasm_links){ &shared_memory, shared_tables, shared_slots, 3, NULL };
    engine.options.links = &links;
}

static enum ag_status multiply(void *context, struct ag_wasm_instance *instance, uint16_t id,
                               uint32_t *slots)
{
    (void)context, (void)instance;
    CHECK_EQUAL(id, 10);
    const double product = (double)slots[0] * (double)ag_wasm_get_u64(slots + 1);
    uint64_t bits;
    memcpy(&bits, &product, sizeof bits);
    ag_wasm_set_u64(slots, bits);
    return AG_OK;
}

static uint64_t call64(const char *name)
{
    CHECK_EQUAL(engine_call(&engine, name, NULL, 0, 1), AG_OK);
    return ag_wasm_get_u64(ag_wasm_results(engine.instance));
}

static uint32_t call32(const char *name)
{
    return (uint32_t)call64(name);
}

static void shared_things_are_used_where_they_lie(void)
{
    begin();
    put_imports();
    share();
    engine.call = multiply;
    wat_function(&wat, "i", ":i", "", BYTES(GLOBAL_GET(0), END));
    wat_function(&wat, "l", ":l", "",
                 BYTES(GLOBAL_GET(1), I64_CONST(1), I64_ADD, GLOBAL_SET(1), GLOBAL_GET(1), END));
    wat_function(&wat, "s", ":f", "", BYTES(GLOBAL_GET(2), END));
    wat_function(&wat, "d", ":d", "",
                 BYTES(F64_CONST(0x4000000000000000), GLOBAL_SET(3), GLOBAL_GET(3), END));
    wat_function(&wat, "m", ":i", "",
                 BYTES(I32_CONST(8), I32_CONST(0x11223344), I32_STORE(0), I32_CONST(1), MEMORY_GROW,
                       MEMORY_SIZE, I32_ADD, END));
    wat_function(
        &wat, "t", ":i", "",
        BYTES(REF_NULL(EXTERNREF), I32_CONST(3), TABLE_GROW(0), TABLE_SIZE(0), I32_ADD, END));
    wat_function(&wat, "f", ":d", "", BYTES(I32_CONST(6), I64_CONST(7), CALL(0), END));
    wat_item(&wat, 11, BYTES(0, GLOBAL_GET(0), END, 1, 99)); // placed by the imported global
    wat_item(&wat, 6, BYTES(I32, 0, GLOBAL_GET(0), END));
    wat_item(&wat, 6, BYTES(F32, 1, GLOBAL_GET(2), END));
    wat_function(&wat, "own", ":f", "", BYTES(GLOBAL_GET(5), END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(shared_bytes[1], 99);
    CHECK_EQUAL(call32("i"), 1);
    CHECK_EQUAL(call64("l"), 5);
    CHECK_EQUAL(call64("l"), 6);
    CHECK_EQUAL(shared_globals[1][0], 6);
    CHECK_EQUAL(call32("s"), 7);
    CHECK_EQUAL(call64("d"), 0x4000000000000000);
    CHECK_EQUAL(ag_wasm_get_u64(shared_globals[3]), 0x4000000000000000);
    CHECK_EQUAL(call32("m"), 1 + 2);
    CHECK_EQUAL(shared_memory.size, 2 * 65536);
    CHECK_EQUAL(shared_bytes[8], 0x44);
    CHECK_EQUAL(call32("t"), 5 + 8);
    CHECK_EQUAL(shared_table.size, 8);
    CHECK_EQUAL(call64("f"), 0x4045000000000000); // 42
    CHECK_EQUAL(call32("own"), 7);
    CHECK(ag_wasm_global_at(engine.instance, 0) == shared_globals[0]);
    CHECK_EQUAL(*ag_wasm_global_at(engine.instance, 4), 1);
    CHECK_EQUAL(*ag_wasm_global_at(engine.instance, 5), 7);
    CHECK(ag_wasm_global_at(engine.instance, 6) == NULL);
    CHECK(ag_wasm_table_at(engine.instance, 0) == &shared_table);
    engine_clear(&engine);
}

// An own wide global takes an imported wide one's value; a table behind an imported one is found.
static void own_things_stand_behind_imported_ones(void)
{
    begin();
    share();
    ag_wasm_set_u64(shared_globals[0], 0x123456789ABCDEF0);
    wat_import(&wat, "l", BYTES(3, I64, 0));
    wat_import(&wat, "t", BYTES(1, EXTERNREF, 0, 5));
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 2));
    wat_item(&wat, 6, BYTES(I64, 1, GLOBAL_GET(0), END));
    wat_item(&wat, 6, BYTES(I32, 1, I32_CONST(4), END));
    wat_function(&wat, "wide", ":l", "", BYTES(GLOBAL_GET(1), END));
    wat_function(&wat, "narrow", ":i", "", BYTES(GLOBAL_GET(2), END));
    wat_function(&wat, "sizes", ":i", "",
                 BYTES(TABLE_SIZE(0), I32_CONST(10), I32_MUL, TABLE_SIZE(1), I32_ADD, END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(call64("wide"), 0x123456789ABCDEF0);
    CHECK_EQUAL(call32("narrow"), 4);
    CHECK_EQUAL(call32("sizes"), 52);
    CHECK_EQUAL(*ag_wasm_global_at(engine.instance, 2), 4);
    engine_clear(&engine);
}

static void a_shared_variable_of_one_slot_is_set(void)
{
    begin();
    share();
    wat_import(&wat, "i", BYTES(3, I32, 1));
    wat_function(&wat, "f", ":i", "",
                 BYTES(GLOBAL_GET(0), 0x41, 5, I32_MUL, GLOBAL_SET(0), GLOBAL_GET(0), END));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(call32("f"), 5);
    CHECK_EQUAL(shared_globals[0][0], 5);
    CHECK_EQUAL(shared_globals[0][1], 0);
    engine_clear(&engine);
}

static void only_constant_globals_of_their_type_initialize_others(void)
{
    static const struct {
        uint8_t type;
        uint8_t is_mutable;
        enum ag_status wanted;
    } rows[] = {
        { I32, 0, AG_ERR_WASM_IMPORT }, // accepted; not made without links
        { I32, 1, AG_ERR_WASM_INVALID },
        { I64, 0, AG_ERR_WASM_INVALID },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        wat_import(&wat, "g", BYTES(3, rows[i].type, rows[i].is_mutable));
        wat_item(&wat, 6, BYTES(I32, 0, GLOBAL_GET(0), END));
        CHECK_EQUAL(wat_load(&wat, &engine), rows[i].wanted);
    }
    engine_clear(&engine);
}

// ---- Functions of others ------------------------------------------------------------------------

static uint32_t foreign_reference;
static uint32_t foreign_params;
static enum ag_status foreign_status;

static enum ag_status call_foreign(void *context, struct ag_wasm_instance *instance,
                                   uint32_t reference, const struct ag_wasm_function_type *type,
                                   uint32_t *slots)
{
    (void)context, (void)instance;
    foreign_reference = reference;
    foreign_params = type->param_count;
    slots[0] += 1000;
    return foreign_status;
}

// Element 0 is the imported function, 1 an own one, 2 another instance's.
static void load_table_of_functions(void)
{
    begin();
    share();
    wat_import_function(&wat, "f", "i:i");
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 4));
    wat_function(&wat, NULL, "i:i", "", BYTES(LOCAL_GET(0), I32_CONST(1), I32_ADD, END));
    wat_function(
        &wat, "call", "ii:i", "",
        BYTES(LOCAL_GET(0), LOCAL_GET(1), CALL_INDIRECT(0, 0), I32_CONST(5), I32_MUL, END));
    CHECK_EQUAL(wat_type(&wat, ":"), 2);
    wat_function(&wat, "bare", "i:", "", BYTES(LOCAL_GET(0), CALL_INDIRECT(2, 0), END));
    wat_item(&wat, 9, BYTES(0, I32_CONST(0), END, 2, 0, 1));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
}

static enum ag_status add_hundred(void *context, struct ag_wasm_instance *instance, uint16_t id,
                                  uint32_t *slots)
{
    struct engine *at = context;
    (void)instance, (void)id;
    at->host_calls++;
    if (at->host_again > 0) {
        at->host_again--;
        return AG_ERR_AGAIN;
    }
    slots[0] += 100;
    return at->host_trap;
}

static enum ag_status call_element(uint32_t element)
{
    const uint32_t args[] = { 7, element };
    return engine_call(&engine, "call", args, 2, 1);
}

static uint32_t result(void)
{
    return ag_wasm_results(engine.instance)[0];
}

static void a_table_may_hold_functions_of_the_host_and_of_others(void)
{
    load_table_of_functions();
    engine.instance->call = add_hundred;
    CHECK_EQUAL(call_element(0), AG_OK);
    CHECK_EQUAL(result(), 107 * 5);
    CHECK_EQUAL(call_element(1), AG_OK);
    CHECK_EQUAL(result(), 8 * 5);
    // Another instance's function is called by the embedder, who knows it by its reference.
    foreign_status = AG_OK;
    links.call_foreign = call_foreign;
    ag_wasm_table_at(engine.instance, 0)->elements[2] = (9u << 20 | 4) + 1;
    CHECK_EQUAL(call_element(2), AG_OK);
    CHECK_EQUAL(result(), 1007 * 5);
    CHECK_EQUAL(foreign_reference, (9u << 20 | 4) + 1);
    CHECK_EQUAL(foreign_params, 1);
    foreign_status = AG_TRAP_SIGNATURE;
    CHECK_EQUAL(call_element(2), AG_TRAP_SIGNATURE);
    links.call_foreign = NULL;
    CHECK_EQUAL(call_element(2), AG_TRAP_CODE);
    CHECK_EQUAL(call_element(3), AG_TRAP_UNINITIALIZED);
    CHECK_EQUAL(call_element(4), AG_TRAP_TABLE);
    engine_clear(&engine);
}

static void a_reference_that_leads_nowhere_traps(void)
{
    load_table_of_functions();
    engine.instance->call = add_hundred;
    ag_wasm_table_at(engine.instance, 0)->elements[2] = (3u << 20 | 77) + 1;
    CHECK_EQUAL(call_element(2), AG_TRAP_CODE);
    const uint32_t element = 0;
    CHECK_EQUAL(engine_call(&engine, "bare", &element, 1, 1), AG_TRAP_SIGNATURE);
    engine_clear(&engine);
}

static void a_host_function_in_a_table_may_wait_and_trap(void)
{
    load_table_of_functions();
    engine.instance->call = add_hundred;
    CHECK_EQUAL(call_element(0), AG_OK);
    const uint64_t fuel = ag_wasm_fuel_used(engine.instance);
    load_table_of_functions();
    engine.instance->call = add_hundred;
    engine.host_again = 3;
    CHECK_EQUAL(call_element(0), AG_OK);
    CHECK_EQUAL(result(), 107 * 5);
    CHECK_EQUAL(engine.host_calls, 4);
    CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), fuel);
    engine.host_trap = AG_TRAP_HOST;
    CHECK_EQUAL(call_element(0), AG_TRAP_HOST);
    engine_clear(&engine);
}

static void without_a_host_function_a_call_of_an_import_fails(void)
{
    load_table_of_functions();
    engine.instance->call = NULL;
    CHECK_EQUAL(call_element(0), AG_ERR_WASM_IMPORT);
    engine_clear(&engine);
}

static void references_of_two_instances_differ(void)
{
    uint32_t references[2];
    for (uint16_t tag = 0; tag < 2; tag++) {
        begin();
        share();
        links.tag = tag;
        wat_item(&wat, 4, BYTES(FUNCREF, 0, 1));
        wat_function(&wat, NULL, ":", "", BYTES(END));
        wat_item(&wat, 9, BYTES(0, I32_CONST(0), END, 1, 0));
        CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
        references[tag] = ag_wasm_table_at(engine.instance, 0)->elements[0];
        CHECK(references[tag] != 0);
    }
    CHECK(references[0] != references[1]);
    engine_clear(&engine);
}

// ---- Calling back -------------------------------------------------------------------------------

// Calls the export "inner" of the instance that calls it, as the header says one may.
static enum ag_status call_back(void *context, struct ag_wasm_instance *instance, uint16_t id,
                                uint32_t *slots)
{
    struct engine *at = context;
    uint32_t function;
    (void)id;
    const struct ag_wasm_position position = instance->position;
    enum ag_status status =
        ag_wasm_image_export(&at->image, "inner", 5, AG_WASM_FUNCTION, &function);
    if (status == AG_OK)
        status = ag_wasm_begin(instance, function, slots, 1);
    if (status != AG_OK)
        return status;
    do {
        status = ag_wasm_run(instance, 1);
    } while (status == AG_ERR_AGAIN);
    if (status == AG_OK)
        slots[0] = ag_wasm_results(instance)[0];
    instance->position = position;
    return status;
}

static void load_call_back(void)
{
    begin();
    engine.call = call_back;
    wat_import_function(&wat, "f", "i:i");
    wat_item(&wat, 5, BYTES(1, 1, 2));
    // inner(x) = x < 2 ? x : f(x - 1) + x, and grows the memory when it can
    wat_function(&wat, "inner", "i:i", "",
                 BYTES(I32_CONST(1), MEMORY_GROW, DROP, LOCAL_GET(0), I32_CONST(2), I32_LT_U,
                       IF(I32), LOCAL_GET(0), ELSE, LOCAL_GET(0), I32_CONST(1), I32_SUB, CALL(0),
                       LOCAL_GET(0), I32_ADD, END, END));
    // outer(x): memory beyond the first page is there when the host returns
    wat_function(&wat, "outer", "i:i", "",
                 BYTES(LOCAL_GET(0), CALL(0), I32_CONST(70000), I32_LOAD8_U(0), I32_ADD, END));
    engine.options.memory_capacity = 2 * 65536;
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
}

static void a_host_function_may_call_back_and_grow_memory(void)
{
    uint32_t arg = 10;
    load_call_back();
    CHECK_EQUAL(engine_call(&engine, "outer", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 55);
    engine_clear(&engine);
}

static void calling_back_ends_with_the_stack(void)
{
    uint32_t arg = 100000;
    engine_clear(&engine);
    load_call_back();
    engine.options.stack_size = 256;
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(engine_call(&engine, "outer", &arg, 1, 1), AG_TRAP_STACK);
    arg = 1;
    CHECK_EQUAL(engine_call(&engine, "outer", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(result(), 1);
    engine_clear(&engine);
}

static void a_call_needs_room_for_its_frame(void)
{
    const uint32_t args[] = { 1, 2, 3, 4 };
    for (uint32_t slots = 0; slots < 8; slots++) {
        begin();
        engine.options.stack_size = 4 * slots;
        engine.call = add_hundred;
        wat_import_function(&wat, "f", "iiii:i");
        wat_import_function(&wat, "g", ":iiii");
        wat_export(&wat, "f", AG_WASM_FUNCTION, 0);
        wat_export(&wat, "g", AG_WASM_FUNCTION, 1);
        wat_function(&wat, "own", "iiii:i", "", BYTES(LOCAL_GET(0), END));
        CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
        test_note("%u slots", slots);
        CHECK_EQUAL(engine_call(&engine, "f", args, 4, 1), slots < 4 ? AG_TRAP_STACK : AG_OK);
        CHECK_EQUAL(engine_call(&engine, "g", NULL, 0, 1), slots < 4 ? AG_TRAP_STACK : AG_OK);
        // Parameters, the return position, one operand.
        CHECK_EQUAL(engine_call(&engine, "own", args, 4, 1), slots < 6 ? AG_TRAP_STACK : AG_OK);
    }
    engine_clear(&engine);
}

// ---- Exports
// --------------------------------------------------------------------------------------

static enum ag_status count_export(void *context, struct ag_wasm_name name, enum ag_wasm_kind kind,
                                   uint32_t index)
{
    char *text = context;
    const size_t size = strlen(text);
    memcpy(text + size, name.text, name.size);
    text[size + name.size] = (char)('0' + kind);
    text[size + name.size + 1] = (char)('0' + index);
    return size > 8 ? AG_ERR_NO_SPACE : AG_OK;
}

static void exports_are_visited_in_order_and_found_by_name_and_kind(void)
{
    char text[64] = "";
    uint32_t index = 77;
    begin();
    wat_item(&wat, 4, BYTES(FUNCREF, 0, 1));
    wat_item(&wat, 5, BYTES(0, 1));
    wat_item(&wat, 6, BYTES(I32, 0, I32_CONST(1), END));
    wat_function(&wat, "f", ":", "", BYTES(END));
    wat_export(&wat, "t", AG_WASM_TABLE, 0);
    wat_export(&wat, "", AG_WASM_MEMORY, 0);
    wat_export(&wat, "g", AG_WASM_GLOBAL, 0);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(ag_wasm_image_each_export(&engine.image, count_export, text), AG_OK);
    CHECK_TEXT(text, "f00t1020g30");
    CHECK_EQUAL(ag_wasm_image_each_export(&engine.image, count_export, text), AG_ERR_NO_SPACE);
    CHECK_EQUAL(ag_wasm_image_export(&engine.image, "t", 1, AG_WASM_TABLE, &index), AG_OK);
    CHECK_EQUAL(ag_wasm_image_export(&engine.image, "", 0, AG_WASM_MEMORY, &index), AG_OK);
    CHECK_EQUAL(index, 0);
    index = 77;
    CHECK_EQUAL(ag_wasm_image_export(&engine.image, "t", 1, AG_WASM_FUNCTION, &index),
                AG_ERR_WASM_EXPORT);
    CHECK_EQUAL(ag_wasm_image_export(&engine.image, "tt", 2, AG_WASM_TABLE, &index),
                AG_ERR_WASM_EXPORT);
    CHECK_EQUAL(index, 77);
    engine_clear(&engine);
}

static void every_way_to_what_is_shared_was_tried(void)
{
    static const char *const prefixes[] = { "LINKED", "CALL_" };
    forms_check(prefixes, sizeof prefixes / sizeof prefixes[0]);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(imports_of_every_kind_are_told_with_their_types),
        TEST(an_image_is_resolved_again_as_it_was_before),
        TEST(shared_things_are_used_where_they_lie),
        TEST(own_things_stand_behind_imported_ones),
        TEST(only_constant_globals_of_their_type_initialize_others),
        TEST(a_shared_variable_of_one_slot_is_set),
        TEST(a_table_may_hold_functions_of_the_host_and_of_others),
        TEST(a_reference_that_leads_nowhere_traps),
        TEST(a_host_function_in_a_table_may_wait_and_trap),
        TEST(without_a_host_function_a_call_of_an_import_fails),
        TEST(references_of_two_instances_differ),
        TEST(a_host_function_may_call_back_and_grow_memory),
        TEST(calling_back_ends_with_the_stack),
        TEST(a_call_needs_room_for_its_frame),
        TEST(exports_are_visited_in_order_and_found_by_name_and_kind),
        TEST(every_way_to_what_is_shared_was_tried),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
