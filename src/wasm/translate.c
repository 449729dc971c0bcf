// SPDX-License-Identifier: Apache-2.0
// A module, section by section: validation, the frame of the code image, and finding a place.
#include "image.h"
#include "translator.h"

// The own function whose code holds `pc`.
static uint32_t function_at(const struct ag_wasm_image *image, uint32_t pc)
{
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(image);
    const void *directory = image->code + footer->directory;
    uint32_t low = 0;
    uint32_t high = footer->layout.items[AG_WASM_SECTION_CODE].count;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (ag_wasm_entry_of(image->code, directory, middle)->code <= pc)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// Begins a place with the function, which needs no translator. False: `stopped_at` is in none.
static bool find_function(const struct ag_wasm_image *image, uint32_t stopped_at,
                          uint32_t *function, struct ag_wasm_place *place)
{
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(image);
    if (footer->layout.items[AG_WASM_SECTION_CODE].count == 0 ||
        stopped_at < sizeof(struct ag_wasm_header) || stopped_at >= footer->directory)
        return false;
    *function = function_at(image, stopped_at);
    place->function = *function + footer->layout.imported[AG_WASM_FUNCTION];
    place->offset = 0;
    return true;
}

#if AG_CFG_WASM_TRANSLATOR

// Positions of the sections by id: data count (12) stands before code (10).
static const uint8_t section_ranks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10 };

// What there is room for at once in the least scratch: labels of a function, checkpoints of
// look-ups, functions that may be known to be declared.
#define LABELS    32u
#define TYPES     24u
#define FUNCTIONS 32u
#define GLOBALS   12u
#define DECLARED  1024u
#define INDEX     ((TYPES + FUNCTIONS) * 4u + GLOBALS * 6u) // bytes
// With the recommended scratch, checkpoints are as much denser, in EXTRA bytes at the end of it,
// until something else needs those.
#define DENSITY 16u
#define EXTRA   (INDEX * DENSITY)
_Static_assert(EXTRA % sizeof(struct ag_wasm_control) == 0, "controls move by so many bytes");
_Static_assert(AG_WASM_FUNCTIONS_MAX / DECLARED <= 16, "sets of declared functions have 16 bits");
#define KEPT (LABELS * 4u + INDEX + DECLARED / 8)
_Static_assert(sizeof(struct ag_wasm_translator) + KEPT +
                       AG_WASM_FUNCTIONS_MAX / AG_WASM_BLOCK_ENTRIES * 4 +
                       AG_WASM_ELEMENTS_MAX / 8 + 280 <=
                   AG_WASM_SCRATCH_MIN,
               "the least scratch holds what is kept of the largest module, and leaves 280 bytes");

#define MAGIC_SIZE 8u

// Memory of the scratch for the whole module.
static void *allocate(struct ag_wasm_translator *t, uint32_t size)
{
    size = (size + 7) & ~7u;
    while (size > t->scratch_size - t->scratch_fixed) {
        if (!ag_wasm_make_room(t)) {
            ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
            return NULL;
        }
    }
    void *at = t->scratch + t->scratch_fixed;
    t->scratch_fixed += size;
    memset(at, 0, size);
    return at;
}

// Reads the count of a section's items, at most `max`, each at least one byte long.
static uint32_t read_count(struct ag_wasm_translator *t, enum ag_wasm_section_id section,
                           uint32_t max)
{
    const uint32_t count = ag_reader_leb_u32(&t->reader);
    if (count > ag_reader_left(&t->reader))
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    else if (count > max)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    if (t->reader.status != AG_OK)
        return 0;
    t->layout.items[section].offset = ag_wasm_offset(t);
    t->layout.items[section].count = count;
    return count;
}

// Forgets every other checkpoint.
static void thin_out(struct ag_wasm_checkpoints *checkpoints)
{
    checkpoints->capacity /= 2;
    checkpoints->shift++;
    for (uint32_t i = 0; i < checkpoints->capacity; i++) {
        checkpoints->offsets[i] = checkpoints->offsets[2 * i];
        if (checkpoints->slots)
            checkpoints->slots[i] = checkpoints->slots[2 * i];
    }
}

static void add_checkpoint(struct ag_wasm_checkpoints *checkpoints, uint32_t index, uint32_t offset,
                           uint32_t slot)
{
    const uint32_t capacity = checkpoints->capacity;
    if (index >> checkpoints->shift == capacity) {
        thin_out(checkpoints);
        checkpoints->capacity = (uint16_t)capacity;
    }
    const uint32_t place = index >> checkpoints->shift;
    if (index != place << checkpoints->shift)
        return;
    checkpoints->offsets[place] = offset;
    if (checkpoints->slots)
        checkpoints->slots[place] = (uint16_t)slot;
}

// Checkpoints in a place that has room for `density` times the least number of them.
static void place_checkpoints(struct ag_wasm_index *index, void *at, uint32_t density)
{
    index->types.offsets = at;
    index->types.capacity = (uint16_t)(TYPES * density);
    index->functions.offsets = index->types.offsets + TYPES * density;
    index->functions.capacity = (uint16_t)(FUNCTIONS * density);
    index->globals.offsets = index->functions.offsets + FUNCTIONS * density;
    index->globals.capacity = (uint16_t)(GLOBALS * density);
    index->globals.slots = (void *)(index->globals.offsets + GLOBALS * density);
}

// Takes over what is left of `from` when it is thinned out to the least number.
static void move_checkpoints(struct ag_wasm_checkpoints *to, struct ag_wasm_checkpoints *from)
{
    while (from->capacity > to->capacity)
        thin_out(from);
    to->shift = from->shift;
    if (to->capacity > 0)
        memcpy(to->offsets, from->offsets, to->capacity * sizeof *to->offsets);
    if (to->slots)
        memcpy(to->slots, from->slots, to->capacity * sizeof *to->slots);
}

bool ag_wasm_make_room(struct ag_wasm_translator *t)
{
    const uint32_t size = EXTRA;
    struct ag_wasm_index least = { 0 };
    if (!t->has_extra)
        return false;
    place_checkpoints(&least, t->least, 1);
    move_checkpoints(&least.types, &t->index.types);
    move_checkpoints(&least.functions, &t->index.functions);
    move_checkpoints(&least.globals, &t->index.globals);
    t->index = least;
    t->has_extra = false;
    t->scratch_size += size;
    if (t->controls) {
        struct ag_wasm_control *controls = t->controls;
        t->controls += size / sizeof *controls;
        memmove(t->controls, controls, t->control_count * sizeof *controls);
    }
    return true;
}

static void read_types(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_TYPE, AG_WASM_TYPES_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_function_type type;
        add_checkpoint(&t->index.types, i, ag_wasm_offset(t), 0);
        ag_wasm_read_function_type(&t->reader, &type);
    }
    ag_wasm_find_repeats(t, AG_WASM_SECTION_TYPE);
}

static void check_limits(struct ag_wasm_translator *t, const struct ag_wasm_extern *type)
{
    if (type->has_max && type->min > type->max)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (type->kind == AG_WASM_MEMORY && type->page_shift == 16 &&
        (type->min > 65536 || (type->has_max && type->max > 65536)))
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

static void check_total(struct ag_wasm_translator *t, enum ag_wasm_kind kind, uint32_t count)
{
    static const uint32_t limits[] = { AG_WASM_FUNCTIONS_MAX, AG_WASM_TABLES_MAX, 1,
                                       AG_WASM_GLOBALS_MAX };
    if (count <= limits[kind] - t->layout.total[kind])
        t->layout.total[kind] += count;
    else
        ag_wasm_fail(t, kind == AG_WASM_MEMORY ? AG_ERR_WASM_MULTI_MEMORY : AG_ERR_WASM_LIMIT);
}

static void write_import(struct ag_wasm_translator *t, uint16_t id, uint32_t type_index,
                         const struct ag_wasm_function_type *type)
{
    const uint32_t slots = ag_wasm_call_slots(type);
    const struct ag_wasm_import_entry entry = {
        id,
        ag_wasm_first_type(t, type_index),
        (uint16_t)slots,
        0,
    };
    _Static_assert(AG_WASM_VALUES_MAX * 2 <= AG_WASM_FRAME_MAX, "any call's values fit a frame");
    ag_wasm_emit_bytes(t, &entry, sizeof entry);
}

static void note_table(struct ag_wasm_translator *t, uint32_t index, uint8_t type)
{
    if (type == AG_WASM_EXTERNREF)
        t->extern_tables |= 1ull << index;
}

static void read_import(struct ag_wasm_translator *t)
{
    struct ag_wasm_import import;
    uint32_t type_index;
    uint16_t id = 0;
    const uint32_t at = ag_wasm_offset(t);
    ag_wasm_read_import(&t->reader, &import, &type_index);
    if (t->reader.status != AG_OK)
        return;
    const enum ag_wasm_kind kind = import.type.kind;
    check_limits(t, &import.type);
    check_total(t, kind, 1);
    if (kind == AG_WASM_FUNCTION && type_index >= t->layout.items[AG_WASM_SECTION_TYPE].count)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    const uint32_t index = t->layout.imported[kind]++;
    if (kind == AG_WASM_FUNCTION) {
        add_checkpoint(&t->index.functions, index, at, 0);
        ag_wasm_module_type(&t->module, type_index, &import.type.function);
    } else if (kind == AG_WASM_GLOBAL) {
        add_checkpoint(&t->index.globals, index, at, 0);
    } else if (kind == AG_WASM_TABLE) {
        note_table(t, index, import.type.value_type);
    }
    if (t->only != UINT32_MAX)
        return; // was resolved when it was translated
    const enum ag_status status =
        t->how->resolve ? t->how->resolve(t->how->context, &import, &id) : AG_ERR_WASM_IMPORT;
    if (status != AG_OK)
        ag_wasm_fail(t, status);
    else if (kind == AG_WASM_FUNCTION)
        write_import(t, id, type_index, &import.type.function);
}

static void read_imports(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_IMPORT, AG_WASM_IMPORTS_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++)
        read_import(t);
}

static void read_functions(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_FUNCTION, AG_WASM_FUNCTIONS_MAX);
    check_total(t, AG_WASM_FUNCTION, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        add_checkpoint(&t->index.functions, t->layout.imported[AG_WASM_FUNCTION] + i,
                       ag_wasm_offset(t), 0);
        if (ag_reader_leb_u32(&t->reader) >= t->layout.items[AG_WASM_SECTION_TYPE].count)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    }
}

static void read_tables(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_TABLE, AG_WASM_TABLES_MAX);
    check_total(t, AG_WASM_TABLE, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_extern type;
        ag_wasm_read_table_type(&t->reader, &type);
        note_table(t, t->layout.imported[AG_WASM_TABLE] + i, type.value_type);
        check_limits(t, &type);
    }
}

static void read_memories(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_MEMORY, UINT32_MAX);
    check_total(t, AG_WASM_MEMORY, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_extern type;
        ag_wasm_read_memory_type(&t->reader, &type);
        check_limits(t, &type);
    }
}

static void check_constant(struct ag_wasm_translator *t, const struct ag_wasm_constant *constant,
                           uint8_t type)
{
    uint8_t found = constant->type;
    if (t->reader.status != AG_OK)
        return;
    if (constant->opcode == 0x23) {
        struct ag_wasm_extern global;
        if (constant->index >= t->layout.imported[AG_WASM_GLOBAL]) {
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
            return;
        }
        ag_wasm_module_extern(&t->module, AG_WASM_GLOBAL, constant->index, &global);
        if (global.is_mutable)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        found = global.value_type;
    }
    if (constant->opcode == 0xD2 && constant->index >= t->layout.total[AG_WASM_FUNCTION])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (found != type)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

static void read_globals(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_GLOBAL, AG_WASM_GLOBALS_MAX);
    uint32_t slots = 0;
    check_total(t, AG_WASM_GLOBAL, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_extern type;
        struct ag_wasm_constant constant;
        add_checkpoint(&t->index.globals, t->layout.imported[AG_WASM_GLOBAL] + i, ag_wasm_offset(t),
                       slots);
        ag_wasm_read_global_type(&t->reader, &type);
        slots += ag_wasm_slot_size(type.value_type);
        ag_wasm_read_constant(&t->reader, &constant);
        check_constant(t, &constant, type.value_type);
    }
}

static void read_exports(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_EXPORT, AG_WASM_EXPORTS_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        ag_wasm_read_name(&t->reader);
        const uint8_t kind = ag_reader_u8(&t->reader);
        const uint32_t index = ag_reader_leb_u32(&t->reader);
        if (t->reader.status != AG_OK)
            return;
        if (kind > AG_WASM_GLOBAL)
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        else if (index >= t->layout.total[kind])
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    }
    ag_wasm_find_repeats(t, AG_WASM_SECTION_EXPORT);
}

static void read_start(struct ag_wasm_translator *t)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    struct ag_wasm_extern type;
    if (index >= t->layout.total[AG_WASM_FUNCTION])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    ag_wasm_module_extern(&t->module, AG_WASM_FUNCTION, index, &type);
    if (type.function.param_count != 0 || type.function.result_count != 0)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    t->layout.start = index + 1;
}

static void read_elements(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_ELEMENT, AG_WASM_ELEMENTS_MAX);
    t->extern_elements = allocate(t, count / 8 + 1);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_segment segment;
        ag_wasm_read_element(&t->reader, &segment);
        if (t->reader.status != AG_OK)
            return;
        if (segment.type == AG_WASM_EXTERNREF)
            t->extern_elements[i / 8] |= (uint8_t)(1u << i % 8);
        if (segment.is_active) {
            if (segment.index >= t->layout.total[AG_WASM_TABLE]) {
                ag_wasm_fail(t, AG_ERR_WASM_INVALID);
                return;
            }
            if (ag_wasm_table_type(t, segment.index) != segment.type)
                ag_wasm_fail(t, AG_ERR_WASM_INVALID);
            check_constant(t, &segment.offset, AG_WASM_I32);
        }
        for (uint32_t k = 0; k < segment.count && t->reader.status == AG_OK; k++) {
            struct ag_wasm_constant item;
            ag_wasm_read_element_item(&t->reader, &segment, &item);
            check_constant(t, &item, segment.type);
        }
    }
}

static void read_data_count(struct ag_wasm_translator *t)
{
    t->data_segments = ag_reader_leb_u32(&t->reader);
    t->has_data_count = true;
    if (t->data_segments > AG_WASM_SEGMENTS_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
}

static void read_data(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_DATA, AG_WASM_SEGMENTS_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_segment segment;
        ag_wasm_read_data(&t->reader, &segment);
        ag_reader_bytes(&t->reader, segment.count);
        if (!segment.is_active)
            continue;
        check_constant(t, &segment.offset, AG_WASM_I32);
        if (segment.index != 0 || t->layout.total[AG_WASM_MEMORY] == 0)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    }
}

// The entries of the last `count` functions.
static void write_block(struct ag_wasm_translator *t, uint32_t count)
{
    const uint32_t first = t->function - count;
    const uint32_t end = t->written;
    ag_wasm_emit_align(t, 4);
    t->directory[first >> AG_WASM_BLOCK_BITS] = t->written;
    for (uint32_t i = 0; i < count; i++) {
        const struct ag_wasm_made *made = &t->made[i];
        const uint32_t next = i + 1 < count ? made[1].code : end;
        const uint32_t type = ag_wasm_module_function_type(
            &t->module, t->layout.imported[AG_WASM_FUNCTION] + first + i);
        const struct ag_wasm_entry entry = {
            made->code,
            made->labels == 0 ? 0 : next - made->labels * 4u,
            made->frame,
            ag_wasm_first_type(t, type),
        };
        ag_wasm_emit_bytes(t, &entry, sizeof entry);
    }
}

static void declare(struct ag_wasm_translator *t, uint32_t index)
{
    const uint32_t at = index - t->declared_from;
    if (at < t->declared_count)
        t->declared[at / 8] |= (uint8_t)(1u << at % 8);
}

static void declare_constant(struct ag_wasm_translator *t, const struct ag_wasm_constant *constant)
{
    if (constant->opcode == 0xD2)
        declare(t, constant->index);
}

// Which functions from index `from` on stand outside the code, so that ref.func may name them. The
// sections have been checked.
static void declare_functions(struct ag_wasm_translator *t, uint32_t from)
{
    const struct ag_wasm_items *items = t->layout.items;
    struct ag_wasm_constant constant;
    struct ag_wasm_extern type;
    struct ag_wasm_segment segment;
    struct ag_reader reader =
        ag_wasm_module_reader(&t->module, items[AG_WASM_SECTION_GLOBAL].offset);
    memset(t->declared, 0, t->declared_count / 8);
    t->declared_from = from;
    for (uint32_t i = 0; i < items[AG_WASM_SECTION_GLOBAL].count; i++) {
        ag_wasm_read_global_type(&reader, &type);
        ag_wasm_read_constant(&reader, &constant);
        declare_constant(t, &constant);
    }
    reader = ag_wasm_module_reader(&t->module, items[AG_WASM_SECTION_EXPORT].offset);
    for (uint32_t i = 0; i < items[AG_WASM_SECTION_EXPORT].count; i++) {
        ag_reader_bytes(&reader, ag_reader_leb_u32(&reader));
        const uint8_t kind = ag_reader_u8(&reader);
        const uint32_t index = ag_reader_leb_u32(&reader);
        if (kind == AG_WASM_FUNCTION)
            declare(t, index);
    }
    reader = ag_wasm_module_reader(&t->module, items[AG_WASM_SECTION_ELEMENT].offset);
    for (uint32_t i = 0; i < items[AG_WASM_SECTION_ELEMENT].count; i++) {
        ag_wasm_read_element(&reader, &segment);
        for (uint32_t k = 0; k < segment.count; k++) {
            ag_wasm_read_element_item(&reader, &segment, &constant);
            declare_constant(t, &constant);
        }
    }
}

static void read_bodies(struct ag_wasm_translator *t, uint32_t count)
{
    t->function = 0;
    while (t->function < count && t->reader.status == AG_OK) {
        const uint32_t size = ag_reader_leb_u32(&t->reader);
        if (size > ag_reader_left(&t->reader))
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        if (t->reader.status != AG_OK)
            return;
        const uint8_t *end = t->reader.at + size;
        const uint32_t at = t->function & (AG_WASM_BLOCK_ENTRIES - 1);
        if (t->function == t->only)
            t->written = t->only_at;
        if (t->only == UINT32_MAX || t->function == t->only)
            ag_wasm_translate_function(t, end, &t->made[at]);
        else
            t->reader.at = end;
        t->function++;
        if ((at == AG_WASM_BLOCK_ENTRIES - 1 || t->function == count) && !t->is_dry)
            write_block(t, at + 1);
    }
}

// Where ref.func names functions that did not fit into the set of declared ones: once more without
// output for every set that it needs, of which there are at most 16.
static void read_bodies_again(struct ag_wasm_translator *t, uint32_t count, const uint8_t *start)
{
    const uint32_t written = t->written;
    const uint8_t *end = t->reader.at;
    t->is_dry = true;
    for (uint32_t i = 1; i < 16 && t->reader.status == AG_OK; i++) {
        if (!(t->undecided >> i & 1))
            continue;
        declare_functions(t, i * t->declared_count);
        t->reader.at = start;
        read_bodies(t, count);
    }
    t->is_dry = false;
    t->written = written;
    if (t->reader.status == AG_OK)
        t->reader.at = end;
}

static void read_code(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_CODE, AG_WASM_FUNCTIONS_MAX);
    if (count != t->layout.items[AG_WASM_SECTION_FUNCTION].count)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    const uint32_t blocks = (count + AG_WASM_BLOCK_ENTRIES - 1) >> AG_WASM_BLOCK_BITS;
    const uint32_t known = (t->layout.total[AG_WASM_FUNCTION] + 7) & ~7u;
    t->declared_count = known < DECLARED ? known : DECLARED;
    t->directory = allocate(t, blocks * 4);
    t->declared = allocate(t, t->declared_count / 8);
    if (t->reader.status != AG_OK)
        return;
    const uint8_t *start = t->reader.at;
    declare_functions(t, 0);
    read_bodies(t, count);
    if (t->undecided != 0 && !t->is_dry)
        read_bodies_again(t, count, start);
}

static void read_section(struct ag_wasm_translator *t, uint8_t id)
{
    switch (id) {
    case AG_WASM_SECTION_CUSTOM:
        ag_wasm_read_name(&t->reader);
        ag_reader_bytes(&t->reader, ag_reader_left(&t->reader));
        break;
    case AG_WASM_SECTION_TYPE:
        read_types(t);
        break;
    case AG_WASM_SECTION_IMPORT:
        read_imports(t);
        break;
    case AG_WASM_SECTION_FUNCTION:
        read_functions(t);
        break;
    case AG_WASM_SECTION_TABLE:
        read_tables(t);
        break;
    case AG_WASM_SECTION_MEMORY:
        read_memories(t);
        break;
    case AG_WASM_SECTION_GLOBAL:
        read_globals(t);
        break;
    case AG_WASM_SECTION_EXPORT:
        read_exports(t);
        break;
    case AG_WASM_SECTION_START:
        read_start(t);
        break;
    case AG_WASM_SECTION_ELEMENT:
        read_elements(t);
        break;
    case AG_WASM_SECTION_CODE:
        read_code(t);
        break;
    case AG_WASM_SECTION_DATA:
        read_data(t);
        break;
    default:
        read_data_count(t);
    }
}

static void read_sections(struct ag_wasm_translator *t)
{
    uint8_t rank = 0;
    while (ag_reader_left(&t->reader) > 0) {
        const uint8_t id = ag_reader_u8(&t->reader);
        const uint32_t size = ag_reader_leb_u32(&t->reader);
        if (size > ag_reader_left(&t->reader))
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        if (id == 13)
            ag_wasm_fail(t, AG_ERR_WASM_EXCEPTIONS);
        else if (id >= AG_WASM_SECTION_COUNT ||
                 (id != AG_WASM_SECTION_CUSTOM && section_ranks[id] <= rank))
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        if (t->reader.status != AG_OK)
            return;
        if (id != AG_WASM_SECTION_CUSTOM)
            rank = section_ranks[id];
        const uint8_t *module_end = t->reader.end;
        const uint8_t *section_end = t->reader.at + size;
        t->reader.end = section_end;
        read_section(t, id);
        t->reader.end = module_end;
        if (t->reader.status == AG_OK && t->reader.at != section_end)
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    }
    const struct ag_wasm_items *items = t->layout.items;
    if (items[AG_WASM_SECTION_FUNCTION].count != items[AG_WASM_SECTION_CODE].count ||
        (t->has_data_count && items[AG_WASM_SECTION_DATA].count != t->data_segments))
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
}

static void write_footer(struct ag_wasm_translator *t)
{
    const uint32_t own = t->layout.items[AG_WASM_SECTION_FUNCTION].count;
    const uint32_t blocks = (own + AG_WASM_BLOCK_ENTRIES - 1) >> AG_WASM_BLOCK_BITS;
    struct ag_wasm_footer footer = { 0 };
    ag_wasm_emit_align(t, 4);
    footer.imports = t->imports_at;
    ag_wasm_emit_bytes(t, &own, sizeof own);
    footer.directory = t->written;
    if (t->directory)
        ag_wasm_emit_bytes(t, t->directory, blocks * 4);
    static const uint8_t zeros[16];
    ag_wasm_emit_bytes(t, zeros, (0u - (t->written + (uint32_t)sizeof footer)) & 15);
    footer.image_size = t->written + (uint32_t)sizeof footer;
    footer.layout = t->layout;
    footer.magic = AG_WASM_FOOTER_MAGIC;
    ag_wasm_emit_bytes(t, &footer, sizeof footer);
}

// The translator at the start of the scratch; NULL if that is too small.
static struct ag_wasm_translator *make_translator(void *scratch, uint32_t size, const void *module,
                                                  uint32_t module_size)
{
    struct ag_wasm_translator *t = scratch;
    if (size < AG_WASM_SCRATCH_MIN || ((uintptr_t)scratch & (AG_WASM_ALIGN - 1)) != 0)
        return NULL;
    memset(t, 0, sizeof *t);
    ag_reader_init(&t->reader, module, module_size);
    t->module.bytes = t->reader.start;
    t->module.size = module_size;
    t->module.layout = &t->layout;
    t->module.index = &t->index;
    t->only = UINT32_MAX;
    t->scratch = (uint8_t *)scratch + sizeof *t;
    t->scratch_size = (size - (uint32_t)sizeof *t) & ~7u;
    t->label_room = LABELS;
    t->labels = allocate(t, LABELS * 4);
    t->least = allocate(t, INDEX);
    place_checkpoints(&t->index, t->least, 1);
    if (size >= AG_WASM_SCRATCH) {
        t->has_extra = true;
        t->scratch_size -= EXTRA;
        place_checkpoints(&t->index, t->scratch + t->scratch_size, DENSITY);
    }
    return t;
}

// A status of the reader, in the terms of this module.
static enum ag_status status_of(const struct ag_wasm_translator *t)
{
    const enum ag_status status = t->reader.status;
    if (status == AG_ERR_TRUNCATED || status == AG_ERR_MALFORMED)
        return AG_ERR_WASM_MALFORMED;
    return status;
}

enum ag_status ag_wasm_translate(const void *module, uint32_t module_size,
                                 const struct ag_wasm_translation *translation,
                                 struct ag_wasm_report *report)
{
    static const uint8_t magic[MAGIC_SIZE] = { 0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00 };
    memset(report, 0, sizeof *report);
    if (module_size < sizeof magic || memcmp(module, magic, sizeof magic) != 0)
        return AG_ERR_WASM_MAGIC;
    if (module_size > AG_WASM_MODULE_MAX)
        return AG_ERR_WASM_LIMIT;
    struct ag_wasm_translator *t =
        make_translator(translation->scratch, translation->scratch_size, module, module_size);
    if (!t)
        return AG_ERR_WASM_LIMIT;
    t->how = translation;
    const struct ag_wasm_header header = { AG_WASM_IMAGE_MAGIC, AG_WASM_ENGINE_VERSION, module_size,
                                           0, AG_OP_DONE };
    ag_wasm_emit_bytes(t, &header, sizeof header);
    t->imports_at = t->written;
    ag_reader_bytes(&t->reader, sizeof magic);
    read_sections(t);
    write_footer(t);
    report->image_size = t->written;
    report->scratch_used =
        (uint32_t)sizeof *t + (t->has_extra ? EXTRA : 0) +
        (t->scratch_peak > t->scratch_fixed ? t->scratch_peak : t->scratch_fixed);
    report->offset = ag_wasm_offset(t);
    return status_of(t);
}

enum ag_status ag_wasm_find_place(const struct ag_wasm_image *image, uint32_t stopped_at,
                                  void *scratch, uint32_t scratch_size, struct ag_wasm_place *place)
{
    uint32_t function;
    if (!find_function(image, stopped_at, &function, place))
        return AG_ERR_NOT_FOUND;
    struct ag_wasm_translator *t =
        make_translator(scratch, scratch_size, image->module, image->module_size);
    if (!t)
        return AG_ERR_WASM_LIMIT;
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(image);
    const void *directory = image->code + footer->directory;
    t->is_dry = true;
    t->only = function;
    t->only_at = ag_wasm_entry_of(image->code, directory, function)->code;
    t->watch = stopped_at / 2;
    ag_reader_bytes(&t->reader, MAGIC_SIZE);
    read_sections(t);
    if (t->reader.status != AG_OK)
        return status_of(t);
    place->offset = t->watch_offset;
    return AG_OK;
}

#else

enum ag_status ag_wasm_translate(const void *module, uint32_t module_size,
                                 const struct ag_wasm_translation *translation,
                                 struct ag_wasm_report *report)
{
    (void)module;
    (void)module_size;
    (void)translation;
    memset(report, 0, sizeof *report);
    return AG_ERR_UNSUPPORTED;
}

enum ag_status ag_wasm_find_place(const struct ag_wasm_image *image, uint32_t stopped_at,
                                  void *scratch, uint32_t scratch_size, struct ag_wasm_place *place)
{
    uint32_t function;
    (void)scratch;
    (void)scratch_size;
    return find_function(image, stopped_at, &function, place) ? AG_ERR_UNSUPPORTED
                                                              : AG_ERR_NOT_FOUND;
}

#endif
