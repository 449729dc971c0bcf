// SPDX-License-Identifier: Apache-2.0
// A random module around the bodies: its shape, its sections, and the exports by which two engines
// are compared. Those have no parameters and give integers only, so that any engine can print them.
#include <stdio.h>
#include <string.h>

#include "shape.h"

// ---- The shape ---------------------------------------------------------------------------------

static uint8_t choose_type(struct random *random)
{
    static const uint8_t types[] = { I32, I32, I32, I64, I64, F32, F64, F64, FUNCREF, EXTERNREF };
    return types[random_below(random, sizeof types)];
}

static void choose_types(struct random *random, struct shape *shape)
{
    shape->type_count = 5 + random_below(random, TYPES_MAX - 4);
    for (uint32_t i = 1; i < shape->type_count; i++) {
        struct signature *type = &shape->types[i];
        type->param_count = random_below(random, VALUES_MAX + (i > 2));
        type->result_count = i < 3 ? i - 1 : random_below(random, VALUES_MAX);
        for (uint32_t j = 0; j < type->param_count; j++)
            type->params[j] = choose_type(random);
        for (uint32_t j = 0; j < type->result_count; j++)
            type->results[j] = choose_type(random);
    }
    if (random_percent(random, 50)) // parameters that go through: an if without else, a loop
        memcpy(shape->types[3].results, shape->types[3].params, VALUES_MAX);
    if (memcmp(shape->types[3].results, shape->types[3].params, VALUES_MAX) == 0)
        shape->types[3].result_count = shape->types[3].param_count;
}

// Imported functions take and give integers: what is printed of them must be exact.
static void choose_imports(struct random *random, struct shape *shape)
{
    shape->import_count = random_below(random, IMPORTS_MAX + 1);
    for (uint32_t i = 0; i < shape->import_count; i++) {
        const uint32_t index = shape->type_count++;
        struct signature *type = &shape->types[index];
        memset(type, 0, sizeof *type);
        type->param_count = random_below(random, VALUES_MAX);
        for (uint32_t j = 0; j < type->param_count; j++)
            type->params[j] = random_percent(random, 60) ? I32 : I64;
        type->result_count = random_below(random, 2);
        type->results[0] = type->result_count ? (random_percent(random, 60) ? I32 : I64) : 0;
        shape->import_types[i] = index;
    }
}

static void choose_functions(struct random *random, struct shape *shape)
{
    shape->function_count = 2 + random_below(random, FUNCTIONS_MAX - 1);
    for (uint32_t i = 0; i < shape->function_count; i++) {
        shape->function_types[i] = random_below(random, shape->type_count);
        shape->is_leaf[i] = random_percent(random, 40);
    }
    shape->has_start = random_percent(random, 10);
    if (shape->has_start)
        shape->function_types[shape->function_count - 1] = 0;
}

static void choose_globals(struct random *random, struct shape *shape)
{
    shape->global_count = 3 + random_below(random, GLOBALS_MAX - 2);
    for (uint32_t i = 0; i < shape->global_count; i++) {
        shape->globals[i].type = i <= DEPTH_GLOBAL ? I32 : choose_type(random);
        shape->globals[i].is_mutable = i <= DEPTH_GLOBAL || random_percent(random, 80);
    }
}

static void choose_segments(struct random *random, struct shape *shape)
{
    for (uint32_t i = 0; i < TABLES; i++)
        shape->table_sizes[i] = 4 + random_below(random, 5);
    shape->slot_count = 1 + random_below(random, shape->table_sizes[0]);
    shape->slot_offset = random_below(random, shape->table_sizes[0] - shape->slot_count + 1);
    for (uint32_t i = 0; i < shape->slot_count; i++)
        shape->slots[i] = random_below(random, shape->import_count + shape->function_count);
    shape->pages = random_percent(random, 85) ? 1 + random_below(random, 2) : 0;
    for (uint32_t i = 0; i < DATA_COUNT; i++)
        shape->data_sizes[i] = i == 0 && shape->pages == 0 ? 0 : random_below(random, 40);
    for (uint32_t i = 1; i < ELEMENT_COUNT; i++)
        shape->element_sizes[i] = 1 + random_below(random, 5);
}

// ---- Sections ----------------------------------------------------------------------------------

static void put_signature(struct bytes *section, const struct signature *type)
{
    bytes_put_u8(section, 0x60);
    bytes_put_leb(section, type->param_count);
    bytes_put(section, type->params, type->param_count);
    bytes_put_leb(section, type->result_count);
    bytes_put(section, type->results, type->result_count);
}

// What an export gives for a result of that type.
static uint8_t printed_type(uint8_t type)
{
    return type == I64 || type == F64 ? I64 : I32;
}

// Behind the types of the functions: one without parameters for each export, and the hashes'.
static void put_types(struct bytes *module, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, shape->type_count + shape->function_count + 1);
    for (uint32_t i = 0; i < shape->type_count; i++)
        put_signature(&section, &shape->types[i]);
    for (uint32_t i = 0; i < shape->function_count; i++) {
        struct signature type = shape->types[shape->function_types[i]];
        type.param_count = 0;
        for (uint32_t j = 0; j < type.result_count; j++)
            type.results[j] = printed_type(type.results[j]);
        put_signature(&section, &type);
    }
    put_signature(&section, &(struct signature){ .results = { I64 }, .result_count = 1 });
    bytes_put_section(module, 1, &section);
    bytes_clear(&section);
}

static void put_imports(struct bytes *module, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, shape->import_count);
    for (uint32_t i = 0; i < shape->import_count; i++) {
        bytes_put(&section, "\3env\2h", 6);
        bytes_put_u8(&section, '0' + i);
        bytes_put_u8(&section, 0);
        bytes_put_leb(&section, shape->import_types[i]);
    }
    bytes_put_section(module, 2, &section);
    bytes_clear(&section);
}

static void put_functions(struct bytes *module, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, 2 * shape->function_count + 2);
    for (uint32_t i = 0; i < shape->function_count; i++)
        bytes_put_leb(&section, shape->function_types[i]);
    for (uint32_t i = 0; i <= shape->function_count; i++)
        bytes_put_leb(&section, shape->type_count + i);
    bytes_put_leb(&section, shape->type_count + shape->function_count);
    bytes_put_section(module, 3, &section);
    bytes_clear(&section);
}

static void put_tables_and_memory(struct bytes *module, struct random *random,
                                  const struct shape *shape)
{
    struct bytes tables = { 0 };
    struct bytes memory = { 0 };
    bytes_put_leb(&tables, TABLES);
    for (uint32_t i = 0; i < TABLES; i++) {
        bytes_put_u8(&tables, i < 2 ? FUNCREF : EXTERNREF);
        bytes_put_u8(&tables, 1);
        bytes_put_leb(&tables, shape->table_sizes[i]);
        bytes_put_leb(&tables, shape->table_sizes[i] +
                                   random_below(random, TABLE_MAX + 1 - shape->table_sizes[i]));
    }
    bytes_put(&memory, "\1\1", 2);
    bytes_put_leb(&memory, shape->pages);
    bytes_put_leb(&memory, shape->pages + random_below(random, PAGES_MAX + 1 - shape->pages));
    bytes_put_section(module, 4, &tables);
    bytes_put_section(module, 5, &memory);
    bytes_clear(&tables);
    bytes_clear(&memory);
}

static void put_globals(struct bytes *module, struct random *random, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, shape->global_count);
    for (uint32_t i = 0; i < shape->global_count; i++) {
        const uint8_t type = shape->globals[i].type;
        bytes_put_u8(&section, type);
        bytes_put_u8(&section, shape->globals[i].is_mutable);
        if (type == FUNCREF && random_percent(random, 50)) {
            bytes_put_u8(&section, 0xD2);
            bytes_put_leb(&section, random_below(random, shape->function_count));
        } else if (type == FUNCREF || type == EXTERNREF) {
            bytes_put_u8(&section, 0xD0);
            bytes_put_u8(&section, type);
        } else {
            body_put_const(&section, type, i <= DEPTH_GLOBAL ? FUEL_OF_RUN : random_next(random));
        }
        bytes_put_u8(&section, 0x0B);
    }
    bytes_put_section(module, 6, &section);
    bytes_clear(&section);
}

static void put_export(struct bytes *section, char kind, uint32_t number, uint32_t index)
{
    bytes_put_u8(section, 3);
    bytes_put_u8(section, (uint8_t)kind);
    bytes_put_u8(section, '0' + number / 10);
    bytes_put_u8(section, '0' + number % 10);
    bytes_put_u8(section, 0);
    bytes_put_leb(section, index);
}

static void put_exports(struct bytes *module, const struct shape *shape)
{
    struct bytes section = { 0 };
    const uint32_t first = shape->import_count + shape->function_count;
    bytes_put_leb(&section, 2 * shape->function_count + 1);
    for (uint32_t i = 0; i < shape->function_count; i++) {
        put_export(&section, 'r', i, first + i);
        put_export(&section, 's', i, first + shape->function_count);
    }
    put_export(&section, 'w', 0, first + shape->function_count + 1);
    bytes_put_section(module, 7, &section);
    bytes_clear(&section);
}

static void put_start(struct bytes *module, const struct shape *shape)
{
    struct bytes section = { 0 };
    if (!shape->has_start)
        return;
    bytes_put_leb(&section, shape->import_count + shape->function_count - 1);
    bytes_put_section(module, 8, &section);
    bytes_clear(&section);
}

static void put_function_indices(struct bytes *section, struct random *random,
                                 const struct shape *shape, uint32_t count)
{
    bytes_put_leb(section, count);
    for (uint32_t i = 0; i < count; i++)
        bytes_put_leb(section, shape->import_count + random_below(random, shape->function_count));
}

static void put_elements(struct bytes *module, struct random *random, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, ELEMENT_COUNT);
    bytes_put_u8(&section, 0); // active, table 0
    body_put_const(&section, I32, shape->slot_offset);
    bytes_put_u8(&section, 0x0B);
    bytes_put_leb(&section, shape->slot_count);
    for (uint32_t i = 0; i < shape->slot_count; i++)
        bytes_put_leb(&section, shape->slots[i]);
    bytes_put(&section, "\1\0", 2); // passive, functions
    put_function_indices(&section, random, shape, shape->element_sizes[1]);
    bytes_put(&section, "\5\x70", 2); // passive, expressions
    bytes_put_leb(&section, shape->element_sizes[2]);
    for (uint32_t i = 0; i < shape->element_sizes[2]; i++)
        bytes_put(&section, random_percent(random, 50) ? "\xD0\x70\x0B" : "\xD2\x00\x0B", 3);
    bytes_put(&section, "\3\0", 2); // declarative: each function may be referred to
    bytes_put_leb(&section, shape->function_count);
    for (uint32_t i = 0; i < shape->function_count; i++)
        bytes_put_leb(&section, shape->import_count + i);
    bytes_put_section(module, 9, &section);
    bytes_clear(&section);
}

static void put_data(struct bytes *section, struct random *random, const struct shape *shape)
{
    bytes_put_leb(section, DATA_COUNT);
    for (uint32_t i = 0; i < DATA_COUNT; i++) {
        bytes_put_u8(section, i > 0); // the first is active
        if (i == 0) {
            body_put_const(section, I32, shape->pages ? random_below(random, 1000) : 0);
            bytes_put_u8(section, 0x0B);
        }
        bytes_put_leb(section, shape->data_sizes[i]);
        for (uint32_t j = 0; j < shape->data_sizes[i]; j++)
            bytes_put_u8(section, random_below(random, 256));
    }
}

// ---- The exports that are compared -------------------------------------------------------------

static void put_op(struct bytes *body, uint8_t opcode, uint32_t index)
{
    bytes_put_u8(body, opcode);
    bytes_put_leb(body, index);
}

// Turns the value on top into an integer that any engine prints alike. Locals 0 and 1 are free.
static void put_printed(struct bytes *body, uint8_t type)
{
    if (type == F32 || type == F64) {
        body_put_canonical(body, type, type == F32 ? 0 : 1);
        bytes_put_u8(body, type == F32 ? 0xBC : 0xBD);
    } else if (type == FUNCREF || type == EXTERNREF) {
        bytes_put_u8(body, 0xD1);
    }
}

// Calls an own function with constants and prints its results by way of locals.
static void put_runner(struct bytes *code, struct random *random, const struct shape *shape,
                       uint32_t function)
{
    const struct signature *type = &shape->types[shape->function_types[function]];
    struct bytes body = { 0 };
    bytes_put_leb(&body, 2 + type->result_count);
    bytes_put(&body, "\1\x7D\1\x7C", 4);
    for (uint32_t i = 0; i < type->result_count; i++) {
        bytes_put_u8(&body, 1);
        bytes_put_u8(&body, type->results[i]);
    }
    body_put_const(&body, I32, FUEL_OF_RUN);
    put_op(&body, 0x24, FUEL_GLOBAL);
    body_put_const(&body, I32, 0);
    put_op(&body, 0x24, DEPTH_GLOBAL);
    for (uint32_t i = 0; i < type->param_count; i++) {
        if (type->params[i] == FUNCREF || type->params[i] == EXTERNREF)
            put_op(&body, 0xD0, type->params[i]);
        else
            body_put_const(&body, type->params[i],
                           random_percent(random, 50) ? random_below(random, 100)
                                                      : random_next(random));
    }
    put_op(&body, 0x10, shape->import_count + function);
    for (uint32_t i = type->result_count; i > 0; i--)
        put_op(&body, 0x21, 1 + i);
    for (uint32_t i = 0; i < type->result_count; i++) {
        put_op(&body, 0x20, 2 + i);
        put_printed(&body, type->results[i]);
    }
    bytes_put_u8(&body, 0x0B);
    bytes_put_sized(code, &body);
    bytes_clear(&body);
}

// hash = (rotl(hash, 5) ^ top) * a prime; the hash is local 2, top is an i64.
static void put_mix(struct bytes *body)
{
    put_op(body, 0x20, 2);
    body_put_const(body, I64, 5);
    bytes_put_u8(body, 0x89);
    bytes_put_u8(body, 0x85);
    body_put_const(body, I64, 0x100000001B3u);
    bytes_put_u8(body, 0x7E);
    put_op(body, 0x21, 2);
}

// while (local 3 < limit) { mix(item(local 3)); local 3 += step }; `limit` leaves an i32.
static void put_loop(struct bytes *body, const struct bytes *limit, const struct bytes *item,
                     uint32_t step)
{
    body_put_const(body, I32, 0);
    put_op(body, 0x21, 3);
    bytes_put(body, "\x02\x40\x03\x40", 4);
    put_op(body, 0x20, 3);
    bytes_put(body, limit->at, limit->size);
    bytes_put_u8(body, 0x4F); // i32.ge_u
    put_op(body, 0x0D, 1);
    put_op(body, 0x20, 3);
    bytes_put(body, item->at, item->size);
    put_mix(body);
    put_op(body, 0x20, 3);
    body_put_const(body, I32, step);
    bytes_put_u8(body, 0x6A);
    put_op(body, 0x21, 3);
    bytes_put(body, "\x0C\0\x0B\x0B", 4);
}

// All of it, or its beginning, where most of the accesses go.
static void put_hash_of_memory(struct bytes *body, bool is_whole)
{
    struct bytes limit = { 0 };
    struct bytes item = { 0 };
    put_op(&limit, 0x3F, 0);
    body_put_const(&limit, I32, is_whole ? 16 : 11);
    bytes_put_u8(&limit, 0x74);
    bytes_put(&item, "\x29\3\0", 3); // i64.load
    put_loop(body, &limit, &item, 8);
    bytes_clear(&limit);
    bytes_clear(&item);
}

// A table's size, and which of its elements are null.
static void put_hash_of_table(struct bytes *body, uint32_t table)
{
    struct bytes limit = { 0 };
    struct bytes item = { 0 };
    bytes_put_u8(&limit, 0xFC);
    put_op(&limit, 0x10, table);
    put_op(&item, 0x25, table);
    bytes_put(&item, "\xD1\xAD", 2);
    put_loop(body, &limit, &item, 1);
    bytes_clear(&limit);
    bytes_clear(&item);
}

static void put_hash(struct bytes *code, const struct shape *shape, bool is_whole)
{
    struct bytes body = { 0 };
    bytes_put(&body, "\4\1\x7D\1\x7C\1\x7E\1\x7F", 9);
    put_hash_of_memory(&body, is_whole);
    for (uint32_t i = 0; i < TABLES; i++)
        put_hash_of_table(&body, i);
    for (uint32_t i = 0; i < shape->global_count; i++) {
        const uint8_t type = shape->globals[i].type;
        put_op(&body, 0x23, i);
        put_printed(&body, type);
        if (printed_type(type) == I32)
            bytes_put_u8(&body, 0xAD);
        put_mix(&body);
    }
    put_op(&body, 0x20, 2);
    bytes_put_u8(&body, 0x0B);
    bytes_put_sized(code, &body);
    bytes_clear(&body);
}

static void put_code(struct bytes *module, struct random *random, const struct shape *shape)
{
    struct bytes section = { 0 };
    bytes_put_leb(&section, 2 * shape->function_count + 2);
    for (uint32_t i = 0; i < shape->function_count; i++)
        body_write(&section, random, shape, i);
    for (uint32_t i = 0; i < shape->function_count; i++)
        put_runner(&section, random, shape, i);
    put_hash(&section, shape, false);
    put_hash(&section, shape, true);
    bytes_put_section(module, 10, &section);
    bytes_clear(&section);
}

void module_write(struct bytes *module, uint64_t seed)
{
    struct random random = { seed };
    struct shape shape = { 0 };
    struct bytes section = { 0 };
    choose_types(&random, &shape);
    choose_functions(&random, &shape);
    choose_imports(&random, &shape);
    choose_globals(&random, &shape);
    choose_segments(&random, &shape);
    module->size = 0;
    bytes_put(module, "\0asm\1\0\0", 8);
    put_types(module, &shape);
    put_imports(module, &shape);
    put_functions(module, &shape);
    put_tables_and_memory(module, &random, &shape);
    put_globals(module, &random, &shape);
    put_exports(module, &shape);
    put_start(module, &shape);
    put_elements(module, &random, &shape);
    bytes_put(module, "\x0C\1", 2);
    bytes_put_u8(module, DATA_COUNT);
    put_code(module, &random, &shape);
    put_data(&section, &random, &shape);
    bytes_put_section(module, 11, &section);
    bytes_clear(&section);
}
