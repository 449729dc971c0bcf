// SPDX-License-Identifier: Apache-2.0
// Loads, stores, and the instructions on whole memories, tables and segments.
//
// An address known before becomes part of the instruction; an offset beyond 16 bits is added by
// an instruction of its own that traps when the sum leaves 32 bits.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

struct access {
    uint8_t type;
    uint8_t align; // log2 of the natural alignment
    uint16_t op;
};

// 0x28 to 0x3E; an _AT form follows each.
static const struct access accesses[] = {
    { AG_WASM_I32, 2, AG_OP_LOAD32 },      { AG_WASM_I64, 3, AG_OP_LOAD64 },
    { AG_WASM_F32, 2, AG_OP_LOAD32 },      { AG_WASM_F64, 3, AG_OP_LOAD64 },
    { AG_WASM_I32, 0, AG_OP_LOAD8_S },     { AG_WASM_I32, 0, AG_OP_LOAD8_U },
    { AG_WASM_I32, 1, AG_OP_LOAD16_S },    { AG_WASM_I32, 1, AG_OP_LOAD16_U },
    { AG_WASM_I64, 0, AG_OP_LOAD64_8_S },  { AG_WASM_I64, 0, AG_OP_LOAD64_8_U },
    { AG_WASM_I64, 1, AG_OP_LOAD64_16_S }, { AG_WASM_I64, 1, AG_OP_LOAD64_16_U },
    { AG_WASM_I64, 2, AG_OP_LOAD64_32_S }, { AG_WASM_I64, 2, AG_OP_LOAD64_32_U },
    { AG_WASM_I32, 2, AG_OP_STORE32 },     { AG_WASM_I64, 3, AG_OP_STORE64 },
    { AG_WASM_F32, 2, AG_OP_STORE32 },     { AG_WASM_F64, 3, AG_OP_STORE64 },
    { AG_WASM_I32, 0, AG_OP_STORE8 },      { AG_WASM_I32, 1, AG_OP_STORE16 },
    { AG_WASM_I64, 0, AG_OP_STORE8 },      { AG_WASM_I64, 1, AG_OP_STORE16 },
    { AG_WASM_I64, 2, AG_OP_STORE32 },
};

static void require_memory(struct ag_wasm_translator *t)
{
    if (t->layout.total[AG_WASM_MEMORY] == 0)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

static uint32_t read_memory_argument(struct ag_wasm_translator *t, uint8_t natural)
{
    require_memory(t);
    const uint32_t align = ag_reader_leb_u32(&t->reader);
    if (align >= 0x40 && align < 0x80)
        ag_wasm_fail(t, AG_ERR_WASM_MULTI_MEMORY);
    else if (align >= 32)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    else if (align > natural)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    return ag_reader_leb_u32(&t->reader);
}

// Where the address of an access is known before, sets *at and returns true.
static bool is_known(const struct ag_wasm_operand *address, uint32_t offset, uint32_t *at)
{
    if (address->kind != AG_WASM_CONST || offset > UINT32_MAX - address->value)
        return false;
    *at = address->value + offset;
    return true;
}

// The slot of an address whose offset then fits 16 bits.
static uint16_t use_address(struct ag_wasm_translator *t, const struct ag_wasm_operand *address,
                            uint32_t *offset)
{
    const uint16_t slot = ag_wasm_use(t, address);
    if (*offset <= UINT16_MAX)
        return slot;
    ag_wasm_emit_op(t, AG_OP_ADDRESS, 5);
    ag_wasm_emit_destination(t, address->home, 0);
    ag_wasm_emit_unit(t, slot);
    ag_wasm_emit_u32(t, *offset);
    *offset = 0;
    return address->home;
}

// Where the address was just added up: the load that also adds. False if there is none.
static bool load_sum(struct ag_wasm_translator *t, const struct access *access,
                     const struct ag_wasm_operand *address, uint32_t offset)
{
    const uint16_t plus = access->op == AG_OP_LOAD32    ? AG_OP_LOAD32_PLUS
                          : access->op == AG_OP_LOAD8_U ? AG_OP_LOAD8_U_PLUS
                          : access->op == AG_OP_LOAD64  ? AG_OP_LOAD64_PLUS
                                                        : 0;
    if (plus == 0 || offset > UINT16_MAX || !ag_wasm_is_fresh(t, address))
        return false;
    const uint16_t form = (uint16_t)(t->window[t->last] - AG_OP_I32_ADD);
    const bool is_kept = form >= AG_FORM_BINARY_A; // as the sum commutes, there is no other form
    if (form > AG_FORM_K + (AG_CFG_WASM_ACCUMULATOR ? AG_FORM_BINARY_A : 0))
        return false;
    const uint16_t a = t->window[t->last + 2u];
    const uint16_t b = t->window[t->last + 3u];
    ag_wasm_emit_undo(t);
    ag_wasm_emit_result(t, (uint16_t)(plus + form), 5, access->type, AG_FORM_LOAD_PLUS_R);
    ag_wasm_emit_unit(t, a);
    if (!is_kept)
        ag_wasm_emit_unit(t, b);
    ag_wasm_emit_unit(t, offset);
    return true;
}

static void translate_load(struct ag_wasm_translator *t, const struct access *access)
{
    uint32_t at;
    uint32_t offset = read_memory_argument(t, access->align);
    const struct ag_wasm_operand address = ag_wasm_pop(t, AG_WASM_I32);
    if (t->reader.status != AG_OK)
        return;
    if (is_known(&address, offset, &at)) {
        ag_wasm_emit_result(t, (uint16_t)(access->op + AG_FORM_AT), 4, access->type,
                            AG_FORM_LOAD_ATR);
        ag_wasm_emit_u32(t, at);
        return;
    }
    if (load_sum(t, access, &address, offset))
        return;
    const uint16_t slot = use_address(t, &address, &offset);
    const bool is_kept = ag_wasm_claim(t, &address, slot);
    ag_wasm_emit_result(t, (uint16_t)(access->op + (is_kept ? AG_FORM_LOAD_A : 0)), 4, access->type,
                        is_kept ? AG_FORM_LOAD_RA : AG_FORM_LOAD_R);
    if (!is_kept)
        ag_wasm_emit_unit(t, slot);
    ag_wasm_emit_unit(t, offset);
}

static void translate_store(struct ag_wasm_translator *t, const struct access *access)
{
    uint32_t at;
    int32_t constant;
    uint32_t offset = read_memory_argument(t, access->align);
    const struct ag_wasm_operand value = ag_wasm_pop(t, access->type);
    const struct ag_wasm_operand address = ag_wasm_pop(t, AG_WASM_I32);
    if (t->reader.status != AG_OK)
        return;
    if (is_known(&address, offset, &at)) {
        const uint16_t slot = ag_wasm_use(t, &value);
        const bool is_kept = ag_wasm_claim(t, &value, slot);
        ag_wasm_emit_op(t, (uint16_t)(access->op + AG_FORM_AT + (is_kept ? AG_FORM_STORE_ATA : 0)),
                        4);
        if (!is_kept)
            ag_wasm_emit_unit(t, slot);
        ag_wasm_emit_u32(t, at);
        return;
    }
    uint32_t op = access->op;
    uint16_t first;
    bool is_constant = false;
    if (access->type == AG_WASM_I32 && ag_wasm_is_short(t, &value, &constant)) {
        op = op == AG_OP_STORE8    ? AG_OP_STORE8_K
             : op == AG_OP_STORE16 ? AG_OP_STORE16_K
                                   : AG_OP_STORE32_K;
        first = (uint16_t)constant;
        is_constant = true;
    } else {
        first = ag_wasm_use(t, &value);
    }
    const uint16_t slot = use_address(t, &address, &offset);
    const bool has_value = !is_constant && ag_wasm_claim(t, &value, first);
    const bool has_address = !has_value && ag_wasm_claim(t, &address, slot);
    if (has_value)
        op += AG_FORM_STORE_A;
    else if (has_address)
        op += is_constant ? AG_FORM_STORE_K_SA : AG_FORM_STORE_SA;
    ag_wasm_emit_op(t, (uint16_t)op, 4);
    if (!has_value)
        ag_wasm_emit_unit(t, first);
    if (!has_address)
        ag_wasm_emit_unit(t, slot);
    ag_wasm_emit_unit(t, offset);
}

static void read_memory_index(struct ag_wasm_translator *t)
{
    const uint8_t index = ag_reader_u8(&t->reader);
    if (index != 0)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    require_memory(t);
}

void ag_wasm_translate_access(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (opcode <= 0x35) {
        translate_load(t, &accesses[opcode - 0x28]);
    } else if (opcode <= 0x3E) {
        translate_store(t, &accesses[opcode - 0x28]);
    } else if (opcode == 0x3F) {
        read_memory_index(t);
        ag_wasm_emit_result(t, AG_OP_MEMORY_SIZE, 2, AG_WASM_I32, 0);
    } else {
        read_memory_index(t);
        const struct ag_wasm_operand pages = ag_wasm_pop(t, AG_WASM_I32);
        const uint16_t slot = ag_wasm_use(t, &pages);
        ag_wasm_emit_result(t, AG_OP_MEMORY_GROW, 3, AG_WASM_I32, 0);
        ag_wasm_emit_unit(t, slot);
    }
}

// An instruction with up to two indices that takes three operands and leaves nothing.
static void emit_three(struct ag_wasm_translator *t, uint16_t op, uint32_t index_count,
                       const uint32_t *indices, uint8_t middle)
{
    const struct ag_wasm_operand c = ag_wasm_pop(t, AG_WASM_I32);
    const struct ag_wasm_operand b = ag_wasm_pop(t, middle);
    const struct ag_wasm_operand a = ag_wasm_pop(t, AG_WASM_I32);
    if (t->reader.status != AG_OK)
        return;
    const uint16_t slot_a = ag_wasm_use(t, &a);
    const uint16_t slot_b = ag_wasm_use(t, &b);
    const uint16_t slot_c = ag_wasm_use(t, &c);
    ag_wasm_emit_op(t, op, 6);
    for (uint32_t i = 0; i < index_count; i++)
        ag_wasm_emit_unit(t, indices[i]);
    ag_wasm_emit_unit(t, slot_a);
    ag_wasm_emit_unit(t, slot_b);
    ag_wasm_emit_unit(t, slot_c);
    ag_wasm_emit_seal(t);
}

static uint32_t read_data_index(struct ag_wasm_translator *t)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    if (index >= t->data_segments) // 0 without a data count section
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    return index;
}

// Reads an element segment's index, and its type where `type` is given.
static uint32_t read_element_index(struct ag_wasm_translator *t, uint8_t *type)
{
    const struct ag_wasm_items *items = &t->layout.items[AG_WASM_SECTION_ELEMENT];
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    if (index >= items->count)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status == AG_OK && type)
        *type = ag_wasm_element_type(t, index);
    return index;
}

static uint32_t read_table_index(struct ag_wasm_translator *t, uint8_t *type)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    *type = 0;
    if (index >= t->layout.total[AG_WASM_TABLE])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status == AG_OK)
        *type = ag_wasm_table_type(t, index);
    return index;
}

static void translate_memory_bulk(struct ag_wasm_translator *t, uint32_t opcode)
{
    uint32_t index;
    switch (opcode) {
    case 8:
        index = read_data_index(t);
        read_memory_index(t);
        emit_three(t, AG_OP_MEMORY_INIT, 1, &index, AG_WASM_I32);
        break;
    case 9:
        index = read_data_index(t);
        ag_wasm_emit_op(t, AG_OP_DATA_DROP, 2);
        ag_wasm_emit_unit(t, index);
        break;
    case 10:
        read_memory_index(t);
        read_memory_index(t);
        emit_three(t, AG_OP_MEMORY_COPY, 0, NULL, AG_WASM_I32);
        break;
    default:
        read_memory_index(t);
        emit_three(t, AG_OP_MEMORY_FILL, 0, NULL, AG_WASM_I32);
    }
}

static void translate_table_grow(struct ag_wasm_translator *t)
{
    uint8_t type;
    const uint32_t table = read_table_index(t, &type);
    const struct ag_wasm_operand count = ag_wasm_pop(t, AG_WASM_I32);
    const struct ag_wasm_operand value = ag_wasm_pop(t, type);
    const uint16_t slot_value = ag_wasm_use(t, &value);
    const uint16_t slot_count = ag_wasm_use(t, &count);
    ag_wasm_emit_result(t, AG_OP_TABLE_GROW, 5, AG_WASM_I32, 0);
    ag_wasm_emit_unit(t, table);
    ag_wasm_emit_unit(t, slot_value);
    ag_wasm_emit_unit(t, slot_count);
    ag_wasm_emit_seal(t);
}

static void translate_table_bulk(struct ag_wasm_translator *t, uint32_t opcode)
{
    uint8_t type;
    uint8_t other = 0;
    uint32_t indices[2];
    switch (opcode) {
    case 12:
        indices[1] = read_element_index(t, &other);
        indices[0] = read_table_index(t, &type);
        if (t->reader.status == AG_OK && type != other)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        emit_three(t, AG_OP_TABLE_INIT, 2, indices, AG_WASM_I32);
        break;
    case 13:
        indices[0] = read_element_index(t, NULL);
        ag_wasm_emit_op(t, AG_OP_ELEM_DROP, 2);
        ag_wasm_emit_unit(t, indices[0]);
        break;
    case 14:
        indices[0] = read_table_index(t, &type);
        indices[1] = read_table_index(t, &other);
        if (type != other)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        emit_three(t, AG_OP_TABLE_COPY, 2, indices, AG_WASM_I32);
        break;
    case 15:
        translate_table_grow(t);
        break;
    case 16:
        indices[0] = read_table_index(t, &type);
        ag_wasm_emit_result(t, AG_OP_TABLE_SIZE, 3, AG_WASM_I32, 0);
        ag_wasm_emit_unit(t, indices[0]);
        break;
    default:
        indices[0] = read_table_index(t, &type);
        emit_three(t, AG_OP_TABLE_FILL, 1, indices, type);
    }
}

void ag_wasm_translate_bulk(struct ag_wasm_translator *t, uint32_t opcode)
{
    if (opcode <= 11)
        translate_memory_bulk(t, opcode);
    else
        translate_table_bulk(t, opcode);
}

void ag_wasm_translate_table(struct ag_wasm_translator *t, uint8_t opcode)
{
    uint8_t type;
    const uint32_t table = read_table_index(t, &type);
    if (opcode == 0x25) {
        const struct ag_wasm_operand index = ag_wasm_pop(t, AG_WASM_I32);
        const uint16_t slot = ag_wasm_use(t, &index);
        ag_wasm_emit_result(t, AG_OP_TABLE_GET, 4, type, 0);
        ag_wasm_emit_unit(t, table);
        ag_wasm_emit_unit(t, slot);
        return;
    }
    const struct ag_wasm_operand value = ag_wasm_pop(t, type);
    const struct ag_wasm_operand index = ag_wasm_pop(t, AG_WASM_I32);
    const uint16_t slot_index = ag_wasm_use(t, &index);
    const uint16_t slot_value = ag_wasm_use(t, &value);
    ag_wasm_emit_op(t, AG_OP_TABLE_SET, 4);
    ag_wasm_emit_unit(t, table);
    ag_wasm_emit_unit(t, slot_index);
    ag_wasm_emit_unit(t, slot_value);
}

#endif
