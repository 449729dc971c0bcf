// SPDX-License-Identifier: Apache-2.0
// Reading the items of a module's sections and finding them again.
#include "module.h"

#include "base/config.h"

struct ag_reader ag_wasm_module_reader(const struct ag_wasm_module *module, uint32_t offset)
{
    struct ag_reader reader;
    if (offset > module->size)
        offset = module->size;
    ag_reader_init(&reader, module->bytes + offset, module->size - offset);
    return reader;
}

// The proposals that own a type byte we refuse; AG_ERR_WASM_MALFORMED for any other.
static enum ag_status refusal_of_type(uint8_t byte)
{
    if (byte == 0x7B)
        return AG_ERR_WASM_SIMD;
    if (byte == 0x69 || byte == 0x74)
        return AG_ERR_WASM_EXCEPTIONS;
    if (byte >= 0x5E && byte <= 0x73)
        return AG_ERR_WASM_GC;
    return AG_ERR_WASM_MALFORMED;
}

uint8_t ag_wasm_read_value_type(struct ag_reader *reader)
{
    const uint8_t byte = ag_reader_u8(reader);
    if (reader->status != AG_OK)
        return 0;
    if (byte >= AG_WASM_F64 && byte <= AG_WASM_I32)
        return byte;
    if (byte == AG_WASM_FUNCREF || byte == AG_WASM_EXTERNREF)
        return byte;
    ag_reader_fail(reader, refusal_of_type(byte));
    return 0;
}

uint8_t ag_wasm_read_reference_type(struct ag_reader *reader)
{
    const uint8_t type = ag_wasm_read_value_type(reader);
    if (type >= AG_WASM_F64)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    return type;
}

// The length of the UTF-8 sequence at `at`, 1 to 4, or 0 if it is not well formed (RFC 3629).
static uint32_t utf8_length(const uint8_t *at, uint32_t left)
{
    if (at[0] < 0x80)
        return 1;
    const uint32_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || length > left)
        return 0;
    const uint8_t low = at[0] == 0xE0 ? 0xA0 : at[0] == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = at[0] == 0xED ? 0x9F : at[0] == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (uint32_t i = 2; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    return length;
}

struct ag_wasm_name ag_wasm_read_name(struct ag_reader *reader)
{
    struct ag_wasm_name name = { "", 0 };
    const uint32_t size = ag_reader_leb_u32(reader);
    const uint8_t *bytes = ag_reader_bytes(reader, size);
    if (!bytes)
        return name;
    for (uint32_t i = 0; i < size;) {
        const uint32_t length = utf8_length(bytes + i, size - i);
        if (length == 0) {
            ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
            return name;
        }
        i += length;
    }
    name.text = (const char *)bytes;
    name.size = size;
    return name;
}

static const uint8_t *read_value_types(struct ag_reader *reader, uint32_t *count)
{
    *count = ag_reader_leb_u32(reader);
    const uint8_t *types = reader->at;
    if (*count > ag_reader_left(reader))
        ag_reader_fail(reader, AG_ERR_TRUNCATED);
    else if (*count > AG_WASM_VALUES_MAX)
        ag_reader_fail(reader, AG_ERR_WASM_LIMIT);
    for (uint32_t i = 0; i < *count && reader->status == AG_OK; i++)
        ag_wasm_read_value_type(reader);
    if (reader->status != AG_OK)
        *count = 0;
    return types;
}

void ag_wasm_read_function_type(struct ag_reader *reader, struct ag_wasm_function_type *type)
{
    const uint8_t form = ag_reader_u8(reader);
    if (form == 0x5F || form == 0x5E || form == 0x50 || form == 0x4F || form == 0x4E)
        ag_reader_fail(reader, AG_ERR_WASM_GC);
    else if (form != 0x60)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    type->params = read_value_types(reader, &type->param_count);
    type->results = read_value_types(reader, &type->result_count);
}

static void read_limits(struct ag_reader *reader, bool has_max, struct ag_wasm_extern *type)
{
    type->has_max = has_max;
    type->min = ag_reader_leb_u32(reader);
    type->max = has_max ? ag_reader_leb_u32(reader) : UINT32_MAX;
}

void ag_wasm_read_table_type(struct ag_reader *reader, struct ag_wasm_extern *type)
{
    type->kind = AG_WASM_TABLE;
    if (ag_reader_left(reader) > 0 && *reader->at == 0x40) // it has an initial value
        ag_reader_fail(reader, AG_ERR_WASM_GC);
    type->value_type = ag_wasm_read_reference_type(reader);
    const uint8_t flags = ag_reader_u8(reader);
    if (flags > 7)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    else if (flags & 4)
        ag_reader_fail(reader, AG_ERR_WASM_MEMORY64);
    else if (flags & 2)
        ag_reader_fail(reader, AG_ERR_WASM_THREADS);
    read_limits(reader, flags & 1, type);
}

void ag_wasm_read_memory_type(struct ag_reader *reader, struct ag_wasm_extern *type)
{
    type->kind = AG_WASM_MEMORY;
    const uint8_t flags = ag_reader_u8(reader);
    if (flags > 0x0F)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    else if (flags & 4)
        ag_reader_fail(reader, AG_ERR_WASM_MEMORY64);
    else if (flags & 2)
        ag_reader_fail(reader, AG_ERR_WASM_THREADS);
    read_limits(reader, flags & 1, type);
    type->page_shift = 16;
    if (flags & 8) {
        const uint32_t shift = ag_reader_leb_u32(reader);
        if (shift > 64)
            ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
        else if (shift != 0 && shift != 16)
            ag_reader_fail(reader, AG_ERR_WASM_INVALID);
        type->page_shift = shift == 0 ? 0 : 16;
    }
}

void ag_wasm_read_global_type(struct ag_reader *reader, struct ag_wasm_extern *type)
{
    type->kind = AG_WASM_GLOBAL;
    type->value_type = ag_wasm_read_value_type(reader);
    const uint8_t is_mutable = ag_reader_u8(reader);
    if (is_mutable > 1)
        ag_reader_fail(reader, is_mutable & 2 ? AG_ERR_WASM_THREADS : AG_ERR_WASM_MALFORMED);
    type->is_mutable = is_mutable & 1;
}

// An import behind its names; the index of a function's type is returned.
static uint32_t read_import_type(struct ag_reader *reader, struct ag_wasm_extern *type)
{
    memset(type, 0, sizeof *type);
    switch (ag_reader_u8(reader)) {
    case AG_WASM_FUNCTION:
        return ag_reader_leb_u32(reader);
    case AG_WASM_TABLE:
        ag_wasm_read_table_type(reader, type);
        break;
    case AG_WASM_MEMORY:
        ag_wasm_read_memory_type(reader, type);
        break;
    case AG_WASM_GLOBAL:
        ag_wasm_read_global_type(reader, type);
        break;
    case 4:
        ag_reader_fail(reader, AG_ERR_WASM_EXCEPTIONS);
        break;
    default:
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    }
    return 0;
}

void ag_wasm_read_import(struct ag_reader *reader, struct ag_wasm_import *import,
                         uint32_t *type_index)
{
    import->module = ag_wasm_read_name(reader);
    import->field = ag_wasm_read_name(reader);
    *type_index = read_import_type(reader, &import->type);
}

static void read_constant_value(struct ag_reader *reader, struct ag_wasm_constant *constant)
{
    if (!AG_CFG_WASM_FLOAT && (constant->opcode == 0x43 || constant->opcode == 0x44)) {
        ag_reader_fail(reader, AG_ERR_WASM_FLOAT);
        return;
    }
    switch (constant->opcode) {
    case 0x23:
        constant->type = 0;
        constant->index = ag_reader_leb_u32(reader);
        break;
    case 0x41:
        constant->type = AG_WASM_I32;
        constant->value = (uint32_t)ag_reader_leb_s32(reader);
        break;
    case 0x42:
        constant->type = AG_WASM_I64;
        constant->value = (uint64_t)ag_reader_leb_s64(reader);
        break;
    case 0x43:
        constant->type = AG_WASM_F32;
        constant->value = ag_reader_u32le(reader);
        break;
    case 0x44:
        constant->type = AG_WASM_F64;
        constant->value = ag_reader_u64le(reader);
        break;
    case 0xD0:
        constant->type = ag_wasm_read_reference_type(reader);
        break;
    case 0xD2:
        constant->type = AG_WASM_FUNCREF;
        constant->index = ag_reader_leb_u32(reader);
        break;
    case 0xFD:
        ag_reader_fail(reader, AG_ERR_WASM_SIMD);
        break;
    default:
        ag_reader_fail(reader,
                       constant->opcode > 0xD2 ? AG_ERR_WASM_MALFORMED : AG_ERR_WASM_INVALID);
    }
}

void ag_wasm_read_constant(struct ag_reader *reader, struct ag_wasm_constant *constant)
{
    memset(constant, 0, sizeof *constant);
    constant->opcode = ag_reader_u8(reader);
    if (reader->status == AG_OK)
        read_constant_value(reader, constant);
    const uint8_t end = ag_reader_u8(reader);
    if (end != 0x0B)
        ag_reader_fail(reader, AG_ERR_WASM_INVALID);
}

void ag_wasm_read_element(struct ag_reader *reader, struct ag_wasm_segment *segment)
{
    memset(segment, 0, sizeof *segment);
    const uint32_t flags = ag_reader_leb_u32(reader);
    if (flags > 7)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    segment->is_active = !(flags & 1);
    segment->is_declared = (flags & 3) == 3;
    segment->has_expressions = flags & 4;
    segment->type = AG_WASM_FUNCREF;
    if (segment->is_active) {
        if (flags & 2)
            segment->index = ag_reader_leb_u32(reader);
        ag_wasm_read_constant(reader, &segment->offset);
    }
    if (flags & 3) {
        if (segment->has_expressions)
            segment->type = ag_wasm_read_reference_type(reader);
        else if (ag_reader_u8(reader) != 0)
            ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    }
    segment->count = ag_reader_leb_u32(reader);
    if (segment->count > ag_reader_left(reader))
        ag_reader_fail(reader, AG_ERR_TRUNCATED);
    if (reader->status != AG_OK)
        segment->count = 0;
}

void ag_wasm_read_element_item(struct ag_reader *reader, const struct ag_wasm_segment *segment,
                               struct ag_wasm_constant *item)
{
    if (segment->has_expressions) {
        ag_wasm_read_constant(reader, item);
        return;
    }
    memset(item, 0, sizeof *item);
    item->opcode = 0xD2;
    item->type = AG_WASM_FUNCREF;
    item->index = ag_reader_leb_u32(reader);
}

void ag_wasm_read_data(struct ag_reader *reader, struct ag_wasm_segment *segment)
{
    memset(segment, 0, sizeof *segment);
    const uint32_t flags = ag_reader_leb_u32(reader);
    if (flags > 2)
        ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    segment->is_active = flags != 1;
    if (flags == 2)
        segment->index = ag_reader_leb_u32(reader);
    if (segment->is_active)
        ag_wasm_read_constant(reader, &segment->offset);
    segment->count = ag_reader_leb_u32(reader);
    if (segment->count > ag_reader_left(reader))
        ag_reader_fail(reader, AG_ERR_TRUNCATED);
    if (reader->status != AG_OK)
        segment->count = 0;
}

// A reader at the nearest item at or before `index` whose place is known, and that item's index in
// *at. Of a section's items the first `imported` ones are imports.
static struct ag_reader reader_near(const struct ag_wasm_module *module,
                                    enum ag_wasm_section_id section,
                                    const struct ag_wasm_checkpoints *checkpoints,
                                    uint32_t imported, uint32_t index, uint32_t *at)
{
    const struct ag_wasm_items *items = module->layout->items;
    *at = checkpoints ? index >> checkpoints->shift << checkpoints->shift : 0;
    if (index >= imported && *at <= imported) {
        *at = imported;
        return ag_wasm_module_reader(module, items[section].offset);
    }
    if (checkpoints)
        return ag_wasm_module_reader(module, checkpoints->offsets[index >> checkpoints->shift]);
    return ag_wasm_module_reader(module, items[AG_WASM_SECTION_IMPORT].offset);
}

void ag_wasm_read_checked_type(struct ag_reader *reader, struct ag_wasm_function_type *type)
{
    ag_reader_u8(reader);
    type->param_count = ag_reader_leb_u32(reader);
    type->params = ag_reader_bytes(reader, type->param_count);
    type->result_count = ag_reader_leb_u32(reader);
    type->results = ag_reader_bytes(reader, type->result_count);
    if (reader->status != AG_OK)
        memset(type, 0, sizeof *type);
}

void ag_wasm_module_type(const struct ag_wasm_module *module, uint32_t index,
                         struct ag_wasm_function_type *type)
{
    uint32_t at;
    struct ag_reader reader = reader_near(
        module, AG_WASM_SECTION_TYPE, module->index ? &module->index->types : NULL, 0, index, &at);
    for (; at <= index; at++)
        ag_wasm_read_checked_type(&reader, type);
}

// Reads imports up to the one that is `skip` further of its kind, and what it is.
static uint32_t find_import(struct ag_reader *reader, enum ag_wasm_kind kind, uint32_t skip,
                            struct ag_wasm_extern *type)
{
    for (;;) {
        ag_reader_bytes(reader, ag_reader_leb_u32(reader));
        ag_reader_bytes(reader, ag_reader_leb_u32(reader));
        const uint32_t type_index = read_import_type(reader, type);
        if (reader->status != AG_OK) {
            memset(type, 0, sizeof *type);
            return 0;
        }
        if (type->kind == kind && skip-- == 0)
            return type_index;
    }
}

uint32_t ag_wasm_module_function_type(const struct ag_wasm_module *module, uint32_t index)
{
    const uint32_t imported = module->layout->imported[AG_WASM_FUNCTION];
    uint32_t at;
    struct ag_reader reader =
        reader_near(module, AG_WASM_SECTION_FUNCTION,
                    module->index ? &module->index->functions : NULL, imported, index, &at);
    if (index < imported) {
        struct ag_wasm_extern type;
        return find_import(&reader, AG_WASM_FUNCTION, index - at, &type);
    }
    for (; at < index; at++)
        ag_reader_leb_u32(&reader);
    return ag_reader_leb_u32(&reader);
}

void ag_wasm_module_global(const struct ag_wasm_module *module, uint32_t index,
                           struct ag_wasm_extern *type, uint32_t *slot)
{
    const struct ag_wasm_checkpoints *globals = module->index ? &module->index->globals : NULL;
    const uint32_t imported = module->layout->imported[AG_WASM_GLOBAL];
    uint32_t at;
    struct ag_reader reader =
        reader_near(module, AG_WASM_SECTION_GLOBAL, globals, imported, index, &at);
    memset(type, 0, sizeof *type);
    *slot = index;
    if (index < imported) {
        find_import(&reader, AG_WASM_GLOBAL, index - at, type);
        return;
    }
    *slot = globals && at > imported ? globals->slots[at >> globals->shift] : 0;
    for (;; at++) {
        struct ag_wasm_constant constant;
        ag_wasm_read_global_type(&reader, type);
        if (at == index)
            return;
        *slot += ag_wasm_slot_size(type->value_type);
        ag_wasm_read_constant(&reader, &constant);
    }
}

void ag_wasm_module_extern(const struct ag_wasm_module *module, enum ag_wasm_kind kind,
                           uint32_t index, struct ag_wasm_extern *type)
{
    const uint32_t imported = module->layout->imported[kind];
    uint32_t at;
    memset(type, 0, sizeof *type);
    type->kind = kind;
    if (kind == AG_WASM_FUNCTION) {
        ag_wasm_module_type(module, ag_wasm_module_function_type(module, index), &type->function);
        return;
    }
    if (kind == AG_WASM_GLOBAL) {
        ag_wasm_module_global(module, index, type, &at);
        return;
    }
    struct ag_reader reader =
        reader_near(module, kind == AG_WASM_TABLE ? AG_WASM_SECTION_TABLE : AG_WASM_SECTION_MEMORY,
                    NULL, imported, index, &at);
    if (index < imported) {
        find_import(&reader, kind, index, type);
        return;
    }
    for (; at <= index; at++) {
        if (kind == AG_WASM_TABLE)
            ag_wasm_read_table_type(&reader, type);
        else
            ag_wasm_read_memory_type(&reader, type);
    }
}

uint32_t ag_wasm_slots(const uint8_t *types, uint32_t count)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < count; i++)
        slots += ag_wasm_slot_size(types[i]);
    return slots;
}

uint32_t ag_wasm_call_slots(const struct ag_wasm_function_type *type)
{
    const uint32_t params = ag_wasm_slots(type->params, type->param_count);
    const uint32_t results = ag_wasm_slots(type->results, type->result_count);
    return params > results ? params : results;
}

static bool count_imports(const struct ag_wasm_module *module, struct ag_wasm_layout *layout)
{
    const struct ag_wasm_items *items = &layout->items[AG_WASM_SECTION_IMPORT];
    struct ag_reader reader = ag_wasm_module_reader(module, items->offset);
    for (uint32_t i = 0; i < items->count; i++) {
        struct ag_wasm_import import;
        uint32_t type_index;
        ag_wasm_read_import(&reader, &import, &type_index);
        if (reader.status != AG_OK)
            return false;
        layout->imported[import.type.kind]++;
    }
    for (uint32_t kind = AG_WASM_FUNCTION; kind <= AG_WASM_GLOBAL; kind++) // sections in this order
        layout->total[kind] =
            layout->imported[kind] + layout->items[AG_WASM_SECTION_FUNCTION + kind].count;
    return true;
}

// Reads the sections' heads: all of the layout but the totals.
static bool read_sections(const struct ag_wasm_module *module, struct ag_wasm_layout *layout)
{
    struct ag_reader reader = ag_wasm_module_reader(module, 8);
    while (ag_reader_left(&reader) > 0) {
        const uint8_t id = ag_reader_u8(&reader);
        const uint32_t size = ag_reader_leb_u32(&reader);
        struct ag_reader section = ag_reader_sub(&reader, size);
        if (section.status != AG_OK || id >= AG_WASM_SECTION_COUNT)
            return false;
        if (id == AG_WASM_SECTION_CUSTOM || id == AG_WASM_SECTION_DATA_COUNT)
            continue;
        const uint32_t number = ag_reader_leb_u32(&section);
        if (id == AG_WASM_SECTION_START) {
            layout->start = number + 1;
            continue;
        }
        if (section.status != AG_OK || number > ag_reader_left(&section))
            return false;
        layout->items[id].offset = (uint32_t)(section.at - module->bytes);
        layout->items[id].count = number;
    }
    return reader.status == AG_OK;
}

bool ag_wasm_module_has_layout(const struct ag_wasm_module *module)
{
    struct ag_wasm_layout layout = { 0 };
    return read_sections(module, &layout) && count_imports(module, &layout) &&
           memcmp(&layout, module->layout, sizeof layout) == 0;
}

bool ag_wasm_module_global_slots(const struct ag_wasm_module *module, uint32_t *slots)
{
    const struct ag_wasm_items *items = &module->layout->items[AG_WASM_SECTION_GLOBAL];
    struct ag_reader reader = ag_wasm_module_reader(module, items->offset);
    *slots = 0;
    for (uint32_t i = 0; i < items->count && reader.status == AG_OK; i++) {
        struct ag_wasm_extern type;
        struct ag_wasm_constant constant;
        ag_wasm_read_global_type(&reader, &type);
        ag_wasm_read_constant(&reader, &constant);
        *slots += ag_wasm_slot_size(type.value_type);
    }
    return reader.status == AG_OK;
}
