// SPDX-License-Identifier: Apache-2.0
// Instances: everything that changes while a module runs, in one block of the caller's.
//
//   struct, own memory, pointers to tables, own tables, globals, dropped bits, elements, stack,
//   linear memory
#include "instance.h"

#if UINTPTR_MAX == 0xFFFFFFFFu
_Static_assert(sizeof(struct ag_wasm_instance) + sizeof(struct ag_wasm_memory) <= 92,
               "every plug-in on a microcontroller pays for these");
#endif

// Hands out the block piece by piece; with a base of NULL it only measures.
struct arena {
    uint8_t *base;
    uint64_t used;
    uint64_t head; // all but stack and linear memory
};

static void *take(struct arena *arena, uint64_t count, uint32_t size, uint32_t alignment)
{
    arena->used = (arena->used + alignment - 1) & ~(uint64_t)(alignment - 1);
    void *at = arena->base && count > 0 ? arena->base + arena->used : NULL;
    arena->used += count * size;
    return at;
}

static uint32_t own_count(const struct ag_wasm_module *module, enum ag_wasm_kind kind)
{
    return module->layout->total[kind] - module->layout->imported[kind];
}

static uint32_t segment_count(const struct ag_wasm_module *module)
{
    return module->layout->items[AG_WASM_SECTION_DATA].count +
           module->layout->items[AG_WASM_SECTION_ELEMENT].count;
}

static uint32_t room(uint32_t min, uint32_t max, uint32_t wanted)
{
    if (wanted > max)
        wanted = max;
    return wanted > min ? wanted : min;
}

static void place_tables(struct arena *arena, const struct ag_wasm_module *module,
                         const struct ag_wasm_instance_options *options,
                         struct ag_wasm_table *tables)
{
    const uint32_t imported = module->layout->imported[AG_WASM_TABLE];
    for (uint32_t i = 0; i < own_count(module, AG_WASM_TABLE); i++) {
        struct ag_wasm_extern type;
        ag_wasm_module_extern(module, AG_WASM_TABLE, imported + i, &type);
        const uint32_t capacity = room(type.min, type.max, options->table_capacity);
        uint32_t *elements = take(arena, capacity, 4, 4);
        if (tables) {
            tables[i].elements = elements;
            tables[i].size = type.min;
            tables[i].capacity = capacity;
            tables[i].max = type.max;
        }
    }
}

// Leaves AG_ERR_WASM_MEMORY in *status when linear memory cannot be that large.
static void place_memory(struct arena *arena, const struct ag_wasm_module *module,
                         const struct ag_wasm_instance_options *options,
                         struct ag_wasm_memory *memory, enum ag_status *status)
{
    if (own_count(module, AG_WASM_MEMORY) == 0)
        return;
    struct ag_wasm_extern type;
    ag_wasm_module_extern(module, AG_WASM_MEMORY, 0, &type);
    const uint64_t min = (uint64_t)type.min << type.page_shift;
    const uint64_t max = (uint64_t)type.max << type.page_shift;
    if (min > UINT32_MAX - 0xFFFF) {
        *status = AG_ERR_WASM_MEMORY;
        return;
    }
    const uint32_t limit = max < UINT32_MAX - 0xFFFF ? (uint32_t)max : UINT32_MAX - 0xFFFF;
    const uint32_t capacity = room((uint32_t)min, limit, options->memory_capacity);
    uint8_t *base = take(arena, capacity, 1, 8);
    if (memory) {
        memory->base = base;
        memory->size = (uint32_t)min;
        memory->capacity = capacity;
        memory->max_pages = type.max;
        memory->page_shift = type.page_shift;
    }
}

// Measures the block, or with a base fills in the instance's pointers.
static enum ag_status place(struct arena *arena, const struct ag_wasm_module *module,
                            const struct ag_wasm_instance_options *options)
{
    enum ag_status status = AG_OK;
    uint32_t global_slots;
    if (!ag_wasm_module_global_slots(module, &global_slots))
        return AG_ERR_WASM_STALE;
    const uint32_t own_tables = own_count(module, AG_WASM_TABLE);
    struct ag_wasm_instance *instance = take(arena, 1, sizeof *instance, AG_WASM_ALIGN);
    struct ag_wasm_memory *memory =
        take(arena, own_count(module, AG_WASM_MEMORY), sizeof *memory, sizeof(void *));
    struct ag_wasm_table **pointers =
        take(arena, module->layout->total[AG_WASM_TABLE], sizeof *pointers, sizeof(void *));
    struct ag_wasm_table *tables = take(arena, own_tables, sizeof *tables, sizeof(void *));
    uint32_t *globals = take(arena, global_slots, 4, 4);
    uint32_t *dropped = take(arena, (segment_count(module) + 31) / 32, 4, 4);
    place_tables(arena, module, options, tables);
    arena->head = arena->used;
    uint32_t *stack = take(arena, options->stack_size / 4, 4, 4);
    place_memory(arena, module, options, memory, &status);
    if (status != AG_OK || arena->used > UINT32_MAX - AG_WASM_ALIGN)
        return AG_ERR_WASM_MEMORY;
    if (!instance)
        return AG_OK;
    instance->memory = memory;
    instance->tables = pointers;
    instance->globals = globals;
    instance->dropped = dropped;
    instance->stack = stack;
    instance->stack_slots = options->stack_size / 4;
    for (uint32_t i = 0; i < own_tables; i++)
        pointers[module->layout->imported[AG_WASM_TABLE] + i] = &tables[i];
    return AG_OK;
}

enum ag_status ag_wasm_instance_size(const struct ag_wasm_image *image,
                                     const struct ag_wasm_instance_options *options, uint32_t *size)
{
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    struct arena arena = { NULL, 0, 0 };
    const enum ag_status status = place(&arena, &module, options);
    if (status == AG_OK)
        *size = (uint32_t)arena.used;
    return status;
}

uint64_t ag_wasm_constant_value(const struct ag_wasm_instance *instance,
                                const struct ag_wasm_constant *constant)
{
    if (constant->opcode == 0xD2)
        return ag_wasm_reference(instance, constant->index);
    if (constant->opcode != 0x23)
        return constant->value;
    const uint32_t *slots = ag_wasm_global_at(instance, constant->index);
    struct ag_wasm_extern type;
    if (!slots || ag_wasm_image_type(instance->image, AG_WASM_GLOBAL, constant->index, &type))
        return 0;
    return ag_wasm_slot_size(type.value_type) == 2 ? ag_wasm_get_u64(slots) : slots[0];
}

static void initialize_globals(struct ag_wasm_instance *instance,
                               const struct ag_wasm_module *module)
{
    const struct ag_wasm_items *items = &module->layout->items[AG_WASM_SECTION_GLOBAL];
    struct ag_reader reader = ag_wasm_module_reader(module, items->offset);
    uint32_t *slot = instance->globals;
    for (uint32_t i = 0; i < items->count; i++) { // read without an error before
        struct ag_wasm_extern type;
        struct ag_wasm_constant constant;
        ag_wasm_read_global_type(&reader, &type);
        ag_wasm_read_constant(&reader, &constant);
        const uint64_t value = ag_wasm_constant_value(instance, &constant);
        slot[0] = (uint32_t)value;
        if (ag_wasm_slot_size(type.value_type) == 2)
            slot[1] = (uint32_t)(value >> 32);
        slot += ag_wasm_slot_size(type.value_type);
    }
}

static void drop(struct ag_wasm_instance *instance, uint32_t bit)
{
    instance->dropped[bit / 32] |= 1u << bit % 32;
}

static bool is_dropped(const struct ag_wasm_instance *instance, uint32_t bit)
{
    return instance->dropped[bit / 32] >> bit % 32 & 1;
}

static uint32_t element_bit(const struct ag_wasm_instance *instance, uint32_t segment)
{
    return ag_wasm_footer_of(instance->image)->layout.items[AG_WASM_SECTION_DATA].count + segment;
}

void ag_wasm_data_drop(struct ag_wasm_instance *instance, uint32_t segment)
{
    drop(instance, segment);
}

void ag_wasm_elem_drop(struct ag_wasm_instance *instance, uint32_t segment)
{
    drop(instance, element_bit(instance, segment));
}

static enum ag_status copy_items(struct ag_wasm_instance *instance, struct ag_reader *reader,
                                 const struct ag_wasm_segment *segment, uint32_t table_index,
                                 uint32_t to, uint32_t from, uint32_t count)
{
    if (table_index >= ag_wasm_footer_of(instance->image)->layout.total[AG_WASM_TABLE])
        return AG_TRAP_TABLE;
    struct ag_wasm_table *table = instance->tables[table_index];
    if (to > table->size || count > table->size - to)
        return AG_TRAP_TABLE;
    for (uint32_t i = 0; i < from + count; i++) {
        struct ag_wasm_constant item;
        ag_wasm_read_element_item(reader, segment, &item);
        if (i >= from)
            table->elements[to + i - from] = (uint32_t)ag_wasm_constant_value(instance, &item);
    }
    return AG_OK;
}

static void skip_items(struct ag_reader *reader, const struct ag_wasm_segment *segment)
{
    struct ag_wasm_constant item;
    for (uint32_t i = 0; i < segment->count; i++)
        ag_wasm_read_element_item(reader, segment, &item);
}

enum ag_status ag_wasm_table_init(struct ag_wasm_instance *instance, uint32_t index, uint32_t table,
                                  uint32_t to, uint32_t from, uint32_t count)
{
    const struct ag_wasm_module module = ag_wasm_module_of(instance->image);
    struct ag_reader reader =
        ag_wasm_module_reader(&module, module.layout->items[AG_WASM_SECTION_ELEMENT].offset);
    struct ag_wasm_segment segment;
    for (uint32_t i = 0;; i++) {
        ag_wasm_read_element(&reader, &segment);
        if (i == index)
            break;
        skip_items(&reader, &segment);
    }
    const uint32_t size = is_dropped(instance, element_bit(instance, index)) ? 0 : segment.count;
    if (from > size || count > size - from)
        return AG_TRAP_TABLE;
    return copy_items(instance, &reader, &segment, table, to, from, count);
}

static enum ag_status copy_data(struct ag_wasm_instance *instance, const uint8_t *bytes,
                                uint32_t to, uint32_t count)
{
    void *at;
    const enum ag_status status = ag_wasm_memory_at(instance, to, count, &at);
    if (status == AG_OK && count > 0)
        memcpy(at, bytes, count);
    return status;
}

enum ag_status ag_wasm_memory_init(struct ag_wasm_instance *instance, uint32_t index, uint32_t to,
                                   uint32_t from, uint32_t count)
{
    const struct ag_wasm_module module = ag_wasm_module_of(instance->image);
    struct ag_reader reader =
        ag_wasm_module_reader(&module, module.layout->items[AG_WASM_SECTION_DATA].offset);
    struct ag_wasm_segment segment;
    const uint8_t *bytes = NULL;
    for (uint32_t i = 0; i <= index; i++) {
        ag_wasm_read_data(&reader, &segment);
        bytes = ag_reader_bytes(&reader, segment.count);
    }
    const uint32_t size = !bytes || is_dropped(instance, index) ? 0 : segment.count;
    if (from > size || count > size - from)
        return AG_TRAP_MEMORY;
    return copy_data(instance, bytes ? bytes + from : NULL, to, count);
}

static enum ag_status initialize_tables(struct ag_wasm_instance *instance,
                                        const struct ag_wasm_module *module)
{
    const struct ag_wasm_items *items = &module->layout->items[AG_WASM_SECTION_ELEMENT];
    struct ag_reader reader = ag_wasm_module_reader(module, items->offset);
    enum ag_status status = AG_OK;
    for (uint32_t i = 0; i < items->count && status == AG_OK; i++) {
        struct ag_wasm_segment segment;
        ag_wasm_read_element(&reader, &segment);
        if (segment.is_active) {
            const uint32_t to = (uint32_t)ag_wasm_constant_value(instance, &segment.offset);
            status = copy_items(instance, &reader, &segment, segment.index, to, 0, segment.count);
        } else {
            skip_items(&reader, &segment);
        }
        if (segment.is_active || segment.is_declared)
            ag_wasm_elem_drop(instance, i);
    }
    return status;
}

static enum ag_status initialize_memory(struct ag_wasm_instance *instance,
                                        const struct ag_wasm_module *module)
{
    const struct ag_wasm_items *items = &module->layout->items[AG_WASM_SECTION_DATA];
    struct ag_reader reader = ag_wasm_module_reader(module, items->offset);
    enum ag_status status = AG_OK;
    for (uint32_t i = 0; i < items->count && status == AG_OK; i++) {
        struct ag_wasm_segment segment;
        ag_wasm_read_data(&reader, &segment);
        const uint8_t *bytes = ag_reader_bytes(&reader, segment.count);
        if (!segment.is_active)
            continue;
        const uint32_t to = (uint32_t)ag_wasm_constant_value(instance, &segment.offset);
        status = copy_data(instance, bytes, to, segment.count);
        ag_wasm_data_drop(instance, i);
    }
    return status;
}

enum ag_status ag_wasm_instance_make(void *block, uint32_t size, const struct ag_wasm_image *image,
                                     const struct ag_wasm_instance_options *options,
                                     struct ag_wasm_instance **instance)
{
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    const uint32_t *imported = module.layout->imported;
    const struct ag_wasm_links *links = options->links;
    struct arena arena = { NULL, 0, 0 };
    enum ag_status status = place(&arena, &module, options);
    if (status != AG_OK)
        return status;
    if (size < arena.used || ((uintptr_t)block & (AG_WASM_ALIGN - 1)) != 0)
        return AG_ERR_ARGUMENT;
    if (!links && imported[AG_WASM_TABLE] + imported[AG_WASM_MEMORY] + imported[AG_WASM_GLOBAL] > 0)
        return AG_ERR_WASM_IMPORT;
    memset(block, 0, (size_t)arena.head);
    arena.base = block;
    arena.used = 0;
    status = place(&arena, &module, options);
    if (status != AG_OK)
        return status;
    struct ag_wasm_instance *made = block;
    made->image = image;
    made->call = options->call;
    made->context = options->context;
    made->links = links;
    for (uint32_t i = 0; i < imported[AG_WASM_TABLE]; i++)
        made->tables[i] = links->tables[i];
    if (imported[AG_WASM_MEMORY] > 0)
        made->memory = links->memory;
    else if (made->memory && made->memory->size > 0)
        memset(made->memory->base, 0, made->memory->size);
    initialize_globals(made, &module);
    *instance = made;
    status = initialize_tables(made, &module);
    return status == AG_OK ? initialize_memory(made, &module) : status;
}

uint32_t ag_wasm_memory_grow(struct ag_wasm_memory *memory, uint32_t pages)
{
    const uint32_t old = memory->size >> memory->page_shift;
    const uint32_t left = (memory->capacity - memory->size) >> memory->page_shift;
    if (pages > left || pages > memory->max_pages - old)
        return UINT32_MAX;
    const uint32_t bytes = pages << memory->page_shift;
    if (bytes > 0)
        memset(memory->base + memory->size, 0, bytes);
    memory->size += bytes;
    return old;
}

uint32_t ag_wasm_table_grow(struct ag_wasm_table *table, uint32_t value, uint32_t count)
{
    const uint32_t old = table->size;
    if (count > table->capacity - old)
        return UINT32_MAX;
    for (uint32_t i = 0; i < count; i++)
        table->elements[old + i] = value;
    table->size += count;
    return old;
}

enum ag_status ag_wasm_memory_at(const struct ag_wasm_instance *instance, uint32_t address,
                                 uint32_t size, void **bytes)
{
    const struct ag_wasm_memory *memory = instance->memory;
    if (!memory || address > memory->size || size > memory->size - address)
        return AG_TRAP_MEMORY;
    *bytes = memory->base ? memory->base + address : NULL;
    return AG_OK;
}

uint32_t *ag_wasm_global_at(const struct ag_wasm_instance *instance, uint32_t index)
{
    const struct ag_wasm_module module = ag_wasm_module_of(instance->image);
    const uint32_t imported = module.layout->imported[AG_WASM_GLOBAL];
    if (index >= module.layout->total[AG_WASM_GLOBAL])
        return NULL;
    if (index < imported)
        return instance->links->globals[index];
    struct ag_wasm_extern type;
    uint32_t slot;
    ag_wasm_module_global(&module, index, &type, &slot);
    return instance->globals + slot;
}

struct ag_wasm_table *ag_wasm_table_at(const struct ag_wasm_instance *instance, uint32_t index)
{
    if (index >= ag_wasm_footer_of(instance->image)->layout.total[AG_WASM_TABLE])
        return NULL;
    return instance->tables[index];
}
