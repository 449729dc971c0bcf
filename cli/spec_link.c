// SPDX-License-Identifier: Apache-2.0
// Instances of a test script and the links between them.
//
// A call from one instance into another runs it to its end within the host call; the depth of such
// calls is bounded, so that a script cannot exhaust this program's stack.
#include "spec_link.h"

#include <stdio.h>
#include <stdlib.h>

#define STACK_SIZE      (1u << 20)
#define MEMORY_CAPACITY (64u << 20)
#define TABLE_CAPACITY  4096u
#define INSTANCES_MAX   4096u
#define DEPTH_MAX       100u

// Where an imported function is: in an instance, or in spectest (instance NULL).
struct function {
    struct spec_instance *instance;
    uint32_t index;
};

struct spec_instance {
    struct spec_world *world;
    struct wasm_file file;
    struct ag_wasm_instance *instance; // NULL until it was made
    void *block;
    struct ag_wasm_links links;
    struct function *functions;
    uint32_t function_count;
    uint32_t table_count;
    uint32_t global_count;
};

struct spec_world {
    uint32_t slice;
    uint32_t depth;
    struct spec_instance *instances[INSTANCES_MAX];
    uint32_t instance_count;
    struct name {
        char *text; // owned
        struct spec_instance *instance;
    } * names;
    uint32_t name_count;
    struct ag_wasm_memory memory;
    struct ag_wasm_table table;
    uint32_t elements[20];
    uint32_t globals[4][2]; // i32, i64, f32, f64
};

// ---- spectest ---------------------------------------------------------------------------------

static const struct {
    const char *name;
    uint8_t params[2];
    uint32_t param_count;
} prints[] = {
    { "print", { 0 }, 0 },
    { "print_i32", { AG_WASM_I32 }, 1 },
    { "print_i64", { AG_WASM_I64 }, 1 },
    { "print_f32", { AG_WASM_F32 }, 1 },
    { "print_f64", { AG_WASM_F64 }, 1 },
    { "print_i32_f32", { AG_WASM_I32, AG_WASM_F32 }, 2 },
    { "print_f64_f64", { AG_WASM_F64, AG_WASM_F64 }, 2 },
};

static const struct {
    const char *name;
    uint8_t type;
} globals[] = {
    { "global_i32", AG_WASM_I32 },
    { "global_i64", AG_WASM_I64 },
    { "global_f32", AG_WASM_F32 },
    { "global_f64", AG_WASM_F64 },
};

static bool is_name(struct ag_wasm_name name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.text, text, name.size) == 0;
}

struct spec_world *spec_world_open(uint32_t slice)
{
    struct spec_world *world = calloc(1, sizeof *world);
    const float f32 = 666.6f;
    const double f64 = 666.6;
    if (!world)
        return NULL;
    world->slice = slice;
    world->memory.base = calloc(2, 65536);
    if (!world->memory.base) {
        free(world);
        return NULL;
    }
    world->memory.size = 65536;
    world->memory.capacity = 2 * 65536;
    world->memory.max_pages = 2;
    world->memory.page_shift = 16;
    world->table.elements = world->elements;
    world->table.size = 10;
    world->table.capacity = 20;
    world->table.max = 20;
    world->globals[0][0] = 666;
    world->globals[1][0] = 666;
    memcpy(world->globals[2], &f32, sizeof f32);
    memcpy(world->globals[3], &f64, sizeof f64);
    return world;
}

static void close_instance(struct spec_instance *instance)
{
    free(instance->block);
    free(instance->functions);
    free(instance->links.tables);
    free(instance->links.globals);
    wasm_file_close(&instance->file);
    free(instance);
}

void spec_world_close(struct spec_world *world)
{
    for (uint32_t i = 0; i < world->instance_count; i++)
        close_instance(world->instances[i]);
    for (uint32_t i = 0; i < world->name_count; i++)
        free(world->names[i].text);
    free(world->names);
    free(world->memory.base);
    free(world);
}

void spec_register(struct spec_world *world, const char *name, struct spec_instance *instance)
{
    struct name *larger = realloc(world->names, (world->name_count + 1) * sizeof *larger);
    char *text = strdup(name);
    if (larger)
        world->names = larger;
    if (!larger || !text) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    world->names[world->name_count].text = text;
    world->names[world->name_count++].instance = instance;
}

// ---- Linking ----------------------------------------------------------------------------------

static struct spec_instance *find_instance(const struct spec_world *world, struct ag_wasm_name name)
{
    for (uint32_t i = world->name_count; i > 0; i--) {
        if (is_name(name, world->names[i - 1].text))
            return world->names[i - 1].instance;
    }
    return NULL;
}

static bool types_are_equal(const struct ag_wasm_function_type *a,
                            const struct ag_wasm_function_type *b)
{
    return a->param_count == b->param_count && a->result_count == b->result_count &&
           (a->param_count == 0 || memcmp(a->params, b->params, a->param_count) == 0) &&
           (a->result_count == 0 || memcmp(a->results, b->results, a->result_count) == 0);
}

static bool limits_match(const struct ag_wasm_extern *type, uint32_t size, uint32_t max)
{
    return size >= type->min && (!type->has_max || (max != UINT32_MAX && max <= type->max));
}

static void *grow_array(void *array, uint32_t *count, size_t size)
{
    void *larger = realloc(array, (*count + 1) * size);
    if (larger)
        (*count)++;
    return larger;
}

static enum ag_status add_function(struct spec_instance *instance, struct spec_instance *from,
                                   uint32_t index, uint16_t *id)
{
    *id = (uint16_t)instance->function_count;
    struct function *functions =
        grow_array(instance->functions, &instance->function_count, sizeof *functions);
    if (!functions)
        return AG_ERR_NO_SPACE;
    instance->functions = functions;
    functions[*id].instance = from;
    functions[*id].index = index;
    return AG_OK;
}

static enum ag_status add_table(struct spec_instance *instance, struct ag_wasm_table *table)
{
    struct ag_wasm_table **tables =
        grow_array(instance->links.tables, &instance->table_count, sizeof(struct ag_wasm_table *));
    if (!tables)
        return AG_ERR_NO_SPACE;
    instance->links.tables = tables;
    tables[instance->table_count - 1] = table;
    return AG_OK;
}

static enum ag_status add_global(struct spec_instance *instance, uint32_t *slots)
{
    uint32_t **slot_lists =
        grow_array(instance->links.globals, &instance->global_count, sizeof(uint32_t *));
    if (!slot_lists)
        return AG_ERR_NO_SPACE;
    instance->links.globals = slot_lists;
    slot_lists[instance->global_count - 1] = slots;
    return AG_OK;
}

static enum ag_status link_spectest(struct spec_instance *instance,
                                    const struct ag_wasm_import *import, uint16_t *id)
{
    struct spec_world *world = instance->world;
    const struct ag_wasm_extern *type = &import->type;
    switch (type->kind) {
    case AG_WASM_FUNCTION:
        for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
            const struct ag_wasm_function_type print = { prints[i].params, NULL,
                                                         prints[i].param_count, 0 };
            if (is_name(import->field, prints[i].name) && types_are_equal(&print, &type->function))
                return add_function(instance, NULL, 0, id);
        }
        break;
    case AG_WASM_TABLE:
        if (is_name(import->field, "table") && type->value_type == AG_WASM_FUNCREF &&
            limits_match(type, world->table.size, world->table.max))
            return add_table(instance, &world->table);
        break;
    case AG_WASM_MEMORY:
        if (is_name(import->field, "memory") &&
            limits_match(type, world->memory.size >> 16, world->memory.max_pages)) {
            instance->links.memory = &world->memory;
            return AG_OK;
        }
        break;
    case AG_WASM_GLOBAL:
        for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
            if (is_name(import->field, globals[i].name) && globals[i].type == type->value_type &&
                !type->is_mutable)
                return add_global(instance, world->globals[i]);
        }
        break;
    }
    return AG_ERR_WASM_IMPORT;
}

static enum ag_status link_instance(struct spec_instance *instance, struct spec_instance *from,
                                    const struct ag_wasm_import *import, uint16_t *id)
{
    const struct ag_wasm_extern *type = &import->type;
    struct ag_wasm_extern found;
    uint32_t index;
    if (ag_wasm_image_export(&from->file.image, import->field.text, import->field.size, type->kind,
                             &index) != AG_OK ||
        ag_wasm_image_type(&from->file.image, type->kind, index, &found) != AG_OK)
        return AG_ERR_WASM_IMPORT;
    switch (type->kind) {
    case AG_WASM_FUNCTION:
        if (types_are_equal(&found.function, &type->function))
            return add_function(instance, from, index, id);
        break;
    case AG_WASM_TABLE: {
        struct ag_wasm_table *table = ag_wasm_table_at(from->instance, index);
        if (found.value_type == type->value_type && limits_match(type, table->size, table->max))
            return add_table(instance, table);
        break;
    }
    case AG_WASM_MEMORY: {
        struct ag_wasm_memory *memory = from->instance->memory;
        if (found.page_shift == type->page_shift &&
            limits_match(type, memory->size >> memory->page_shift, memory->max_pages)) {
            instance->links.memory = memory;
            return AG_OK;
        }
        break;
    }
    case AG_WASM_GLOBAL:
        if (found.value_type == type->value_type && found.is_mutable == type->is_mutable)
            return add_global(instance, ag_wasm_global_at(from->instance, index));
        break;
    }
    return AG_ERR_WASM_IMPORT;
}

static enum ag_status link_import(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    struct spec_instance *instance = context;
    struct spec_instance *from = find_instance(instance->world, import->module);
    if (from)
        return link_instance(instance, from, import, id);
    if (is_name(import->module, "spectest"))
        return link_spectest(instance, import, id);
    return AG_ERR_WASM_IMPORT;
}

static enum ag_status accept_import(void *context, const struct ag_wasm_import *import,
                                    uint16_t *id)
{
    (void)context;
    (void)import;
    (void)id;
    return AG_OK;
}

// ---- Running ----------------------------------------------------------------------------------

static enum ag_status run_to_end(struct spec_instance *instance)
{
    enum ag_status status;
    do {
        status = ag_wasm_run(instance->instance, instance->world->slice);
    } while (status == AG_ERR_AGAIN);
    return status;
}

static uint32_t count_slots(const uint8_t *types, uint32_t count)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count; i++)
        slots += types[i] == AG_WASM_I64 || types[i] == AG_WASM_F64 ? 2 : 1;
    return slots;
}

// Calls a function of `instance` on behalf of another; its own call in progress is kept.
static enum ag_status call_nested(struct spec_instance *instance, uint32_t index, uint32_t *slots)
{
    struct ag_wasm_extern type;
    struct spec_world *world = instance->world;
    enum ag_status status =
        ag_wasm_image_type(&instance->file.image, AG_WASM_FUNCTION, index, &type);
    if (status != AG_OK)
        return status;
    if (world->depth == DEPTH_MAX)
        return AG_TRAP_STACK;
    const struct ag_wasm_position position = instance->instance->position;
    const struct ag_wasm_function_type *function = &type.function;
    world->depth++;
    status = ag_wasm_begin(instance->instance, index, slots,
                           count_slots(function->params, function->param_count));
    if (status == AG_OK)
        status = run_to_end(instance);
    if (status == AG_OK)
        memcpy(slots, ag_wasm_results(instance->instance),
               count_slots(function->results, function->result_count) * sizeof *slots);
    instance->instance->position = position;
    world->depth--;
    return status;
}

static enum ag_status call_import(void *context, struct ag_wasm_instance *caller, uint16_t id,
                                  uint32_t *slots)
{
    const struct spec_instance *instance = context;
    const struct function *function = &instance->functions[id];
    (void)caller;
    return function->instance ? call_nested(function->instance, function->index, slots) : AG_OK;
}

static enum ag_status call_foreign(void *context, struct ag_wasm_instance *caller,
                                   uint32_t reference, const struct ag_wasm_function_type *type,
                                   uint32_t *slots)
{
    const struct spec_instance *instance = context;
    const uint32_t tag = (reference - 1) >> 20;
    const uint32_t index = (reference - 1) & 0xFFFFF;
    struct ag_wasm_extern found;
    (void)caller;
    if (tag >= instance->world->instance_count)
        return AG_TRAP_CODE;
    struct spec_instance *target = instance->world->instances[tag];
    if (ag_wasm_image_type(&target->file.image, AG_WASM_FUNCTION, index, &found) != AG_OK)
        return AG_TRAP_CODE;
    if (!types_are_equal(&found.function, type))
        return AG_TRAP_SIGNATURE;
    return call_nested(target, index, slots);
}

// ---- Instances --------------------------------------------------------------------------------

enum ag_status spec_check(struct spec_world *world, const char *path)
{
    struct wasm_file file;
    (void)world;
    enum ag_status status = wasm_file_read(&file, path);
    if (status != AG_OK)
        return status;
    status = wasm_file_translate(&file, accept_import, NULL);
    wasm_file_close(&file);
    return status;
}

static enum ag_status make_instance(struct spec_instance *instance)
{
    const struct ag_wasm_instance_options options = {
        .stack_size = STACK_SIZE,
        .memory_capacity = MEMORY_CAPACITY,
        .table_capacity = TABLE_CAPACITY,
        .call = call_import,
        .context = instance,
        .links = &instance->links,
    };
    uint32_t size;
    enum ag_status status = ag_wasm_instance_size(&instance->file.image, &options, &size);
    if (status != AG_OK)
        return status;
    instance->block = malloc(size);
    if (!instance->block)
        return AG_ERR_WASM_MEMORY;
    return ag_wasm_instance_make(instance->block, size, &instance->file.image, &options,
                                 &instance->instance);
}

enum ag_status spec_instantiate(struct spec_world *world, const char *path,
                                struct spec_instance **result)
{
    if (world->instance_count == INSTANCES_MAX)
        return AG_ERR_NO_SPACE;
    struct spec_instance *instance = calloc(1, sizeof *instance);
    if (!instance)
        return AG_ERR_NO_SPACE;
    instance->world = world;
    instance->links.tag = (uint16_t)world->instance_count;
    instance->links.call_foreign = call_foreign;
    world->instances[world->instance_count++] = instance;
    enum ag_status status = wasm_file_read(&instance->file, path);
    if (status == AG_OK)
        status = wasm_file_translate(&instance->file, link_import, instance);
    if (status == AG_OK)
        status = make_instance(instance);
    if (status == AG_OK)
        status = ag_wasm_begin_start(instance->instance);
    if (status == AG_OK)
        status = run_to_end(instance);
    else if (status == AG_ERR_NOT_FOUND)
        status = AG_OK;
    *result = status == AG_OK ? instance : NULL;
    return status;
}

enum ag_status spec_invoke(struct spec_instance *instance, struct ag_wasm_name field,
                           const uint32_t *args, uint32_t arg_slots, struct spec_result *result)
{
    static const uint8_t none[1];
    struct ag_wasm_extern type;
    uint32_t index;
    enum ag_status status = ag_wasm_image_export(&instance->file.image, field.text, field.size,
                                                 AG_WASM_FUNCTION, &index);
    if (status == AG_OK)
        status = ag_wasm_image_type(&instance->file.image, AG_WASM_FUNCTION, index, &type);
    if (status == AG_OK)
        status = ag_wasm_begin(instance->instance, index, args, arg_slots);
    if (status == AG_OK)
        status = run_to_end(instance);
    if (status != AG_OK)
        return status;
    result->types = type.function.result_count > 0 ? type.function.results : none;
    result->count = type.function.result_count;
    result->slots = ag_wasm_results(instance->instance);
    return AG_OK;
}

enum ag_status spec_get(struct spec_instance *instance, struct ag_wasm_name field,
                        struct spec_result *result)
{
    static uint8_t value_type;
    struct ag_wasm_extern type;
    uint32_t index;
    enum ag_status status =
        ag_wasm_image_export(&instance->file.image, field.text, field.size, AG_WASM_GLOBAL, &index);
    if (status == AG_OK)
        status = ag_wasm_image_type(&instance->file.image, AG_WASM_GLOBAL, index, &type);
    if (status != AG_OK)
        return status;
    value_type = type.value_type;
    result->types = &value_type;
    result->count = 1;
    result->slots = ag_wasm_global_at(instance->instance, index);
    return AG_OK;
}
