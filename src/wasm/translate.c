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

// Memory of the scratch for the whole module.
static void *allocate(struct ag_wasm_translator *t, uint32_t size)
{
    size = (size + 7) & ~7u;
    if (size > t->scratch_size - t->scratch_fixed) {
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
        return NULL;
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

static void begin_checkpoints(struct ag_wasm_checkpoints *checkpoints, uint32_t count)
{
    checkpoints->step = (count + AG_WASM_CHECKPOINTS - 1) / AG_WASM_CHECKPOINTS;
}

static void add_checkpoint(struct ag_wasm_translator *t, struct ag_wasm_checkpoints *checkpoints,
                           uint32_t index)
{
    if (index % checkpoints->step == 0)
        checkpoints->offset[index / checkpoints->step] = ag_wasm_offset(t);
}

static void read_types(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_TYPE, AG_WASM_TYPES_MAX);
    begin_checkpoints(&t->types, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_function_type type;
        add_checkpoint(t, &t->types, i);
        ag_wasm_read_function_type(&t->reader, &type);
    }
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
        (uint16_t)ag_wasm_module_canonical(&t->module, type_index),
        (uint16_t)slots,
        0,
    };
    if (slots > AG_WASM_FRAME_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    ag_wasm_emit_bytes(t, &entry, sizeof entry);
}

static void read_import(struct ag_wasm_translator *t)
{
    struct ag_wasm_import import;
    uint32_t type_index;
    uint16_t id = 0;
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
    t->layout.imported[kind]++;
    if (kind == AG_WASM_FUNCTION)
        ag_wasm_module_type(&t->module, type_index, &import.type.function);
    const enum ag_status status =
        t->how->resolve ? t->how->resolve(t->how->context, &import, &id) : AG_ERR_WASM_IMPORT;
    if (status != AG_OK)
        ag_wasm_fail(t, status);
    else if (kind == AG_WASM_FUNCTION)
        write_import(t, id, type_index, &import.type.function);
}

static void read_imports(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_IMPORT, UINT32_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++)
        read_import(t);
}

static void read_functions(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_FUNCTION, AG_WASM_FUNCTIONS_MAX);
    check_total(t, AG_WASM_FUNCTION, count);
    begin_checkpoints(&t->functions, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        add_checkpoint(t, &t->functions, i);
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

static void declare_function(struct ag_wasm_translator *t, uint32_t index)
{
    if (index >= t->layout.total[AG_WASM_FUNCTION])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    else if (t->reader.status == AG_OK)
        t->declared[index / 8] |= (uint8_t)(1u << index % 8);
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
    if (constant->opcode == 0xD2)
        declare_function(t, constant->index);
    if (found != type)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

static void read_globals(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_GLOBAL, AG_WASM_GLOBALS_MAX);
    check_total(t, AG_WASM_GLOBAL, count);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_extern type;
        struct ag_wasm_constant constant;
        ag_wasm_read_global_type(&t->reader, &type);
        ag_wasm_read_constant(&t->reader, &constant);
        check_constant(t, &constant, type.value_type);
    }
}

// Whether one of the first `count` exports has this name.
static bool name_is_taken(const struct ag_wasm_translator *t, uint32_t count,
                          struct ag_wasm_name name)
{
    struct ag_reader reader =
        ag_wasm_module_reader(&t->module, t->layout.items[AG_WASM_SECTION_EXPORT].offset);
    while (count-- > 0) {
        const uint32_t size = ag_reader_leb_u32(&reader);
        const uint8_t *text = ag_reader_bytes(&reader, size);
        if (text && size == name.size && memcmp(text, name.text, size) == 0)
            return true;
        ag_reader_u8(&reader);
        ag_reader_leb_u32(&reader);
    }
    return false;
}

static void read_exports(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_EXPORT, AG_WASM_EXPORTS_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        const struct ag_wasm_name name = ag_wasm_read_name(&t->reader);
        const uint8_t kind = ag_reader_u8(&t->reader);
        const uint32_t index = ag_reader_leb_u32(&t->reader);
        if (t->reader.status != AG_OK)
            return;
        if (kind > AG_WASM_GLOBAL)
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        else if (index >= t->layout.total[kind] || name_is_taken(t, i, name))
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        else if (kind == AG_WASM_FUNCTION)
            declare_function(t, index);
    }
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
    const uint32_t count = read_count(t, AG_WASM_SECTION_ELEMENT, AG_WASM_SEGMENTS_MAX);
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++) {
        struct ag_wasm_segment segment;
        ag_wasm_read_element(&t->reader, &segment);
        if (t->reader.status != AG_OK)
            return;
        if (segment.is_active) {
            struct ag_wasm_extern table;
            if (segment.index >= t->layout.total[AG_WASM_TABLE]) {
                ag_wasm_fail(t, AG_ERR_WASM_INVALID);
                return;
            }
            ag_wasm_module_extern(&t->module, AG_WASM_TABLE, segment.index, &table);
            if (table.value_type != segment.type)
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

static void write_block(struct ag_wasm_translator *t, uint32_t count)
{
    ag_wasm_emit_align(t, 4);
    t->directory[(t->function - 1) >> AG_WASM_BLOCK_BITS] = t->written;
    ag_wasm_emit_bytes(t, t->entries, count * (uint32_t)sizeof t->entries[0]);
}

static void read_code(struct ag_wasm_translator *t)
{
    const uint32_t count = read_count(t, AG_WASM_SECTION_CODE, AG_WASM_FUNCTIONS_MAX);
    if (count != t->layout.items[AG_WASM_SECTION_FUNCTION].count)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    t->function = 0;
    while (t->function < count && t->reader.status == AG_OK) {
        const uint32_t size = ag_reader_leb_u32(&t->reader);
        if (size > ag_reader_left(&t->reader))
            ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
        if (t->reader.status != AG_OK)
            return;
        const uint32_t at = t->function & (AG_WASM_BLOCK_ENTRIES - 1);
        ag_wasm_translate_function(t, t->reader.at + size, &t->entries[at]);
        t->function++;
        if (at == AG_WASM_BLOCK_ENTRIES - 1)
            write_block(t, AG_WASM_BLOCK_ENTRIES);
    }
    const uint32_t rest = count & (AG_WASM_BLOCK_ENTRIES - 1);
    if (rest > 0 && t->reader.status == AG_OK)
        write_block(t, rest);
}

// With the counts of functions known: what is kept for each of them.
static void prepare_functions(struct ag_wasm_translator *t)
{
    const uint32_t own = t->layout.items[AG_WASM_SECTION_FUNCTION].count;
    const uint32_t blocks = (own + AG_WASM_BLOCK_ENTRIES - 1) >> AG_WASM_BLOCK_BITS;
    t->directory = allocate(t, blocks * 4);
    t->declared = allocate(t, t->layout.total[AG_WASM_FUNCTION] / 8 + 1);
}

static void read_section(struct ag_wasm_translator *t, uint8_t id)
{
    if (section_ranks[id] > section_ranks[AG_WASM_SECTION_FUNCTION] && !t->declared)
        prepare_functions(t);
    if (t->reader.status != AG_OK)
        return;
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
    t->module.types = &t->types;
    t->module.functions = &t->functions;
    t->scratch = (uint8_t *)scratch + sizeof *t;
    t->scratch_size = (size - (uint32_t)sizeof *t) & ~7u;
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
    static const uint8_t magic[] = { 0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00 };
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
    report->scratch_used = (uint32_t)sizeof *t + t->scratch_peak;
    report->offset = ag_wasm_offset(t);
    return status_of(t);
}

static void rebuild_checkpoints(struct ag_wasm_translator *t)
{
    const uint32_t types = t->layout.items[AG_WASM_SECTION_TYPE].count;
    const uint32_t functions = t->layout.items[AG_WASM_SECTION_FUNCTION].count;
    t->reader.at = t->module.bytes + t->layout.items[AG_WASM_SECTION_TYPE].offset;
    begin_checkpoints(&t->types, types);
    for (uint32_t i = 0; i < types; i++) {
        struct ag_wasm_function_type type;
        add_checkpoint(t, &t->types, i);
        ag_wasm_read_function_type(&t->reader, &type);
    }
    t->reader.at = t->module.bytes + t->layout.items[AG_WASM_SECTION_FUNCTION].offset;
    begin_checkpoints(&t->functions, functions);
    for (uint32_t i = 0; i < functions; i++) {
        add_checkpoint(t, &t->functions, i);
        ag_reader_leb_u32(&t->reader);
    }
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
    t->layout = footer->layout;
    rebuild_checkpoints(t);
    t->function = function;
    t->is_dry = true;
    t->has_data_count = true;
    t->data_segments = t->layout.items[AG_WASM_SECTION_DATA].count;
    t->written = ag_wasm_entry_of(image->code, directory, function)->code;
    t->watch = stopped_at / 2;
    t->reader.at = t->module.bytes + t->layout.items[AG_WASM_SECTION_CODE].offset;
    for (uint32_t i = 0; i < function; i++)
        ag_reader_bytes(&t->reader, ag_reader_leb_u32(&t->reader));
    const uint32_t size = ag_reader_leb_u32(&t->reader);
    if (size > ag_reader_left(&t->reader))
        return AG_ERR_WASM_STALE;
    struct ag_wasm_entry entry;
    ag_wasm_translate_function(t, t->reader.at + size, &entry);
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
