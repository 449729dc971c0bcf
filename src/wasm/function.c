// SPDX-License-Identifier: Apache-2.0
// One function: its locals, its body instruction by instruction, its label table.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

#define COST_MAX 0x8000u // operations without a branch that are charged together

static struct ag_wasm_operand *after_groups(struct ag_wasm_translator *t)
{
    const uint32_t size = t->group_count * (uint32_t)sizeof *t->groups;
    void *at = (uint8_t *)t->groups + ((size + 3) & ~3u);
    return at;
}

// `count` more locals of a type; *slot is the next free slot.
static void add_locals(struct ag_wasm_translator *t, uint32_t count, uint8_t type, uint32_t *slot)
{
    struct ag_wasm_group *group = &t->groups[t->group_count];
    const uint32_t first = t->group_count > 0 ? group[-1].end : 0;
    if (count == 0 || t->reader.status != AG_OK)
        return;
    if (t->group_count > 0 && group[-1].type == type)
        group--;
    else if ((uint8_t *)(group + 1) > t->scratch + t->scratch_size - 64 && !ag_wasm_make_room(t))
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    if (count > AG_WASM_FRAME_MAX || *slot + count * ag_wasm_slot_size(type) > AG_WASM_FRAME_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    if (t->reader.status != AG_OK)
        return;
    if (group == &t->groups[t->group_count]) {
        t->group_count++;
        group->slot = (uint16_t)*slot;
        group->type = type;
    }
    group->end = (uint16_t)(first + count);
    *slot += count * ag_wasm_slot_size(type);
}

static void read_locals(struct ag_wasm_translator *t, uint32_t *slot)
{
    const uint32_t groups = ag_reader_leb_u32(&t->reader);
    const uint8_t *start = t->reader.at;
    uint64_t total = t->type.param_count;
    if (groups > ag_reader_left(&t->reader))
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    for (uint32_t i = 0; i < groups && t->reader.status == AG_OK; i++) {
        total += ag_reader_leb_u32(&t->reader);
        ag_wasm_read_value_type(&t->reader);
    }
    if (total > UINT32_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    if (t->reader.status != AG_OK)
        return;
    t->reader.at = start;
    for (uint32_t i = 0; i < groups && t->reader.status == AG_OK; i++) {
        const uint32_t count = ag_reader_leb_u32(&t->reader);
        add_locals(t, count, ag_wasm_read_value_type(&t->reader), slot);
    }
}

// Reads a local's index; its slot, and its type in *type.
static uint16_t read_local(struct ag_wasm_translator *t, uint8_t *type)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    uint32_t low = 0;
    uint32_t high = t->group_count;
    *type = 0;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (index < t->groups[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == t->group_count)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return 0;
    const struct ag_wasm_group *group = &t->groups[low];
    const uint32_t first = low > 0 ? group[-1].end : 0;
    *type = group->type;
    return (uint16_t)(group->slot + (index - first) * ag_wasm_slot_size(group->type));
}

// Sets a local to an operand: by changing where the last instruction puts it, if that made it.
static void set_local(struct ag_wasm_translator *t, uint16_t slot,
                      const struct ag_wasm_operand *operand)
{
    if (t->is_dead || t->reader.status != AG_OK)
        return;
    ag_wasm_spill(t, slot);
    if (ag_wasm_is_fresh(t, operand))
        ag_wasm_emit_redirect(t, slot);
    else
        ag_wasm_move(t, operand, slot);
    ag_wasm_emit_freeze(t);
}

static void translate_local(struct ag_wasm_translator *t, uint8_t opcode)
{
    uint8_t type;
    const uint16_t slot = read_local(t, &type);
    if (t->reader.status != AG_OK)
        return;
    if (opcode == 0x20) {
        ag_wasm_push(t, type, AG_WASM_LOCAL, slot);
        return;
    }
    const struct ag_wasm_operand operand = ag_wasm_pop(t, type);
    set_local(t, slot, &operand);
    if (opcode == 0x22)
        ag_wasm_push(t, type, AG_WASM_LOCAL, slot);
}

static void translate_global(struct ag_wasm_translator *t, uint8_t opcode)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    struct ag_wasm_extern type;
    uint32_t at;
    if (index >= t->layout.total[AG_WASM_GLOBAL])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    ag_wasm_module_global(&t->module, index, &type, &at);
    const bool is_linked = index < t->layout.imported[AG_WASM_GLOBAL];
    const bool is_wide = ag_wasm_slot_size(type.value_type) == 2;
    if (opcode == 0x23) {
        const uint16_t op = is_linked ? (is_wide ? AG_OP_LINKED_GET64 : AG_OP_LINKED_GET32)
                                      : (is_wide ? AG_OP_GLOBAL_GET64 : AG_OP_GLOBAL_GET32);
        ag_wasm_emit_result(t, op, 3, type.value_type, 0);
        ag_wasm_emit_unit(t, at);
        return;
    }
    if (!type.is_mutable)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    const uint16_t op = is_linked ? (is_wide ? AG_OP_LINKED_SET64 : AG_OP_LINKED_SET32)
                                  : (is_wide ? AG_OP_GLOBAL_SET64 : AG_OP_GLOBAL_SET32);
    const struct ag_wasm_operand operand = ag_wasm_pop(t, type.value_type);
    const uint16_t slot = ag_wasm_use(t, &operand);
    const bool is_kept = !is_linked && ag_wasm_claim(t, &operand, slot);
    ag_wasm_emit_op(t, (uint16_t)(op + (is_kept ? AG_FORM_ONLY_A : 0)), 3);
    ag_wasm_emit_unit(t, at);
    if (!is_kept)
        ag_wasm_emit_unit(t, slot);
}

static bool is_number(uint8_t type)
{
    return type == 0 || type >= AG_WASM_F64;
}

static void translate_select(struct ag_wasm_translator *t, uint8_t opcode)
{
    uint8_t type = 0;
    if (opcode == 0x1C) {
        const uint32_t count = ag_reader_leb_u32(&t->reader);
        if (count != 1)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        type = ag_wasm_read_value_type(&t->reader);
    }
    const struct ag_wasm_operand condition = ag_wasm_pop(t, AG_WASM_I32);
    const struct ag_wasm_operand b = ag_wasm_pop(t, type);
    const struct ag_wasm_operand a = ag_wasm_pop(t, type);
    if (opcode == 0x1B) {
        if (!is_number(a.type) || !is_number(b.type) ||
            (a.type != b.type && a.type != 0 && b.type != 0))
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        type = a.type != 0 ? a.type : b.type;
    }
    if (t->reader.status != AG_OK)
        return;
    const uint16_t slot_a = ag_wasm_use(t, &a);
    const uint16_t slot_b = ag_wasm_use(t, &b);
    const uint16_t slot_condition = ag_wasm_use(t, &condition);
    const bool is_kept = ag_wasm_claim(t, &condition, slot_condition);
    const uint16_t op = ag_wasm_slot_size(type) == 2 ? AG_OP_SELECT64 : AG_OP_SELECT32;
    ag_wasm_emit_result(t, (uint16_t)(op + (is_kept ? AG_FORM_ONLY_A : 0)), 5, type, 0);
    ag_wasm_emit_unit(t, slot_a);
    ag_wasm_emit_unit(t, slot_b);
    if (!is_kept)
        ag_wasm_emit_unit(t, slot_condition);
}

static void translate_constant(struct ag_wasm_translator *t, uint8_t opcode)
{
    const uint32_t offset = ag_wasm_offset(t);
    switch (opcode) {
    case 0x41:
        ag_wasm_push(t, AG_WASM_I32, AG_WASM_CONST, (uint32_t)ag_reader_leb_s32(&t->reader));
        break;
    case 0x42:
        ag_reader_leb_s64(&t->reader);
        ag_wasm_push(t, AG_WASM_I64, AG_WASM_CONST, offset);
        break;
    case 0x43:
        ag_reader_bytes(&t->reader, 4);
        ag_wasm_push(t, AG_WASM_F32, AG_WASM_CONST, offset);
        break;
    default:
        ag_reader_bytes(&t->reader, 8);
        ag_wasm_push(t, AG_WASM_F64, AG_WASM_CONST, offset);
    }
}

static void translate_reference(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (opcode == 0xD0) {
        ag_wasm_push(t, ag_wasm_read_reference_type(&t->reader), AG_WASM_CONST, 0);
        return;
    }
    if (opcode == 0xD1) {
        const struct ag_wasm_operand operand = ag_wasm_pop(t, 0);
        if (operand.type >= AG_WASM_F64)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        const uint16_t slot = ag_wasm_use(t, &operand);
        ag_wasm_emit_result(t, AG_OP_I32_EQ_K, 4, AG_WASM_I32, AG_FORM_BINARY_R);
        ag_wasm_emit_unit(t, slot);
        ag_wasm_emit_unit(t, 0);
        return;
    }
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    const uint32_t at = index - t->declared_from;
    if (index >= t->layout.total[AG_WASM_FUNCTION])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    else if (at >= t->declared_count)
        t->undecided |= 1u << index / t->declared_count;
    else if (!ag_wasm_bit(t->declared, at))
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    ag_wasm_emit_result(t, AG_OP_REF_FUNC, 3, AG_WASM_FUNCREF, 0);
    ag_wasm_emit_unit(t, index);
}

// The proposal that an opcode of no known instruction belongs to.
static enum ag_status refusal_of_opcode(uint8_t opcode)
{
    switch (opcode) {
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0A:
    case 0x18:
    case 0x19:
    case 0x1F:
        return AG_ERR_WASM_EXCEPTIONS;
    case 0x12:
    case 0x13:
        return AG_ERR_WASM_TAIL_CALL;
    case 0x14:
    case 0x15:
    case 0xD3:
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xFB:
        return AG_ERR_WASM_GC;
    case 0xFD:
        return AG_ERR_WASM_SIMD;
    case 0xFE:
        return AG_ERR_WASM_THREADS;
    default:
        return AG_ERR_WASM_MALFORMED;
    }
}

static void translate_prefixed(struct ag_wasm_translator *t)
{
    const uint32_t opcode = ag_reader_leb_u32(&t->reader);
    if (t->reader.status != AG_OK)
        return;
    if (opcode <= 7 && !AG_CFG_WASM_FLOAT)
        ag_wasm_fail(t, AG_ERR_WASM_FLOAT);
    else if (opcode <= 7)
        ag_wasm_translate_saturating(t, opcode);
    else if (opcode <= 17)
        ag_wasm_translate_bulk(t, opcode);
    else
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
}

// Whether an instruction of one byte computes with f32 or f64, or makes or moves one.
static bool is_float(uint8_t opcode)
{
    return opcode == 0x2A || opcode == 0x2B || opcode == 0x38 || opcode == 0x39 || opcode == 0x43 ||
           opcode == 0x44 || (opcode >= 0x5B && opcode <= 0x66) ||
           (opcode >= 0x8B && opcode <= 0xBF && opcode != 0xA7 && opcode != 0xAC && opcode != 0xAD);
}

static void translate_instruction(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (!AG_CFG_WASM_FLOAT && is_float(opcode)) {
        ag_wasm_fail(t, AG_ERR_WASM_FLOAT);
        return;
    }
    switch (opcode) {
    case 0x00:
        ag_wasm_emit_cost(t);
        ag_wasm_emit_op(t, AG_OP_UNREACHABLE, 1);
        ag_wasm_set_unreachable(t);
        break;
    case 0x01:
        break;
    case 0x02:
    case 0x03:
    case 0x04:
        ag_wasm_translate_block(t, opcode);
        break;
    case 0x05:
        ag_wasm_translate_else(t);
        break;
    case 0x0B:
        ag_wasm_translate_end(t);
        break;
    case 0x0C:
    case 0x0D:
    case 0x0E:
        ag_wasm_translate_branch(t, opcode);
        break;
    case 0x0F:
        ag_wasm_translate_return(t);
        break;
    case 0x10:
    case 0x11:
        ag_wasm_translate_call(t, opcode);
        break;
    case 0x1A:
        ag_wasm_pop(t, 0);
        break;
    case 0x1B:
    case 0x1C:
        translate_select(t, opcode);
        break;
    case 0x20:
    case 0x21:
    case 0x22:
        translate_local(t, opcode);
        break;
    case 0x23:
    case 0x24:
        translate_global(t, opcode);
        break;
    case 0x25:
    case 0x26:
        ag_wasm_translate_table(t, opcode);
        break;
    case 0x41:
    case 0x42:
    case 0x43:
    case 0x44:
        translate_constant(t, opcode);
        break;
    case 0xD0:
    case 0xD1:
    case 0xD2:
        translate_reference(t, opcode);
        break;
    case 0xFC:
        translate_prefixed(t);
        break;
    default:
        if (opcode >= 0x28 && opcode <= 0x40)
            ag_wasm_translate_access(t, opcode);
        else if (opcode >= 0x45 && opcode <= 0xC4)
            ag_wasm_translate_numeric(t, opcode);
        else
            ag_wasm_fail(t, refusal_of_opcode(opcode));
    }
}

// Structure costs nothing at run time.
static bool is_structure(uint8_t opcode)
{
    return opcode == 0x01 || opcode == 0x02 || opcode == 0x03 || opcode == 0x05 || opcode == 0x0B;
}

static void begin_function(struct ag_wasm_translator *t)
{
    uint32_t slots = 0;
    t->group_count = 0;
    t->operand_count = 0;
    t->operand_peak = 0;
    t->locals_from = 0;
    t->control_count = 0;
    t->control_peak = 0;
    t->open = 0;
    t->controls = (void *)(t->scratch + t->scratch_size);
    t->skip.chain = 0;
    t->skip.far = AG_WASM_NONE;
    t->is_dead = false;
    t->cost = 0;
    t->count = 0;
    ag_wasm_emit_seal(t);
    t->label_count = 0;
    t->function_at = t->written;
    for (uint32_t i = 0; i < t->type.param_count; i++)
        add_locals(t, 1, t->type.params[i], &slots);
    const uint32_t param_slots = slots;
    read_locals(t, &slots);
    t->operands = after_groups(t);
    const uint32_t result_slots = ag_wasm_slots(t->type.results, t->type.result_count);
    const uint32_t return_slot = result_slots > slots ? result_slots : slots;
    if (return_slot >= AG_WASM_FRAME_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    t->return_slot = (uint16_t)return_slot;
    t->temp_base = (uint16_t)(return_slot + 1);
    t->frame = t->temp_base;
    ag_wasm_emit_unit(t, param_slots);
    ag_wasm_emit_unit(t, slots);
    ag_wasm_emit_unit(t, return_slot);
    const uint32_t type = ag_wasm_module_function_type(
        &t->module, t->function + t->layout.imported[AG_WASM_FUNCTION]);
    if (t->reader.status == AG_OK)
        ag_wasm_control_push(t, 0, AG_WASM_BLOCK_INDEX | type);
}

static void translate_body(struct ag_wasm_translator *t, const uint8_t *end)
{
    begin_function(t);
    while (t->reader.status == AG_OK && t->control_count > 0) {
        t->offset = ag_wasm_offset(t);
        const uint8_t opcode = ag_reader_u8(&t->reader);
        if (t->reader.status != AG_OK)
            break;
        if (!t->is_dead && !is_structure(opcode)) {
            if (t->cost >= COST_MAX)
                ag_wasm_emit_cost(t);
            t->cost++; // so that a branch or call always costs something
        }
        translate_instruction(t, opcode);
    }
    ag_wasm_emit_flush(t);
    if (t->reader.status == AG_OK && t->reader.at != end)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
}

static void write_labels(struct ag_wasm_translator *t)
{
    const uint32_t left = (uint32_t)t->label_count - t->label_base;
    ag_wasm_emit_bytes(t, t->labels, (left < t->label_room ? left : t->label_room) * 4);
}

// Labels beyond the first buffer: the function is translated again for each bufferful. What it
// leaves free of the scratch is known now, and a larger buffer perhaps.
static void write_more_labels(struct ag_wasm_translator *t, const uint8_t *start,
                              const uint8_t *end)
{
    const uint32_t function_at = t->function_at;
    const uint32_t label_count = t->label_count;
    uint32_t *const first_labels = t->labels;
    const uint32_t first_room = t->label_room;
    void *free = t->operands + t->operand_peak + 1;
    const uint8_t *free_end =
        t->scratch + t->scratch_size - t->control_peak * sizeof(struct ag_wasm_control);
    const uint32_t room = (uint32_t)(free_end - (const uint8_t *)free) / 4;
    for (uint32_t base = first_room; base < label_count; base += t->label_room) {
        const uint32_t written = t->written;
        if (room > t->label_room) {
            t->labels = free;
            t->label_room = room;
        }
        t->is_dry = true;
        t->written = function_at;
        t->label_base = (uint16_t)base;
        t->reader.at = start;
        translate_body(t, end);
        t->is_dry = false;
        t->written = written;
        write_labels(t);
    }
    t->labels = first_labels;
    t->label_room = first_room;
}

static void note_peak(struct ag_wasm_translator *t)
{
    const void *top = t->operands + t->operand_peak;
    const uint32_t used = (uint32_t)((const uint8_t *)top - t->scratch) +
                          t->control_peak * (uint32_t)sizeof(struct ag_wasm_control);
    if (used > t->scratch_peak)
        t->scratch_peak = used;
}

void ag_wasm_translate_function(struct ag_wasm_translator *t, const uint8_t *end,
                                struct ag_wasm_made *made)
{
    const uint8_t *start = t->reader.at;
    const uint32_t type = ag_wasm_module_function_type(
        &t->module, t->function + t->layout.imported[AG_WASM_FUNCTION]);
    ag_wasm_module_type(&t->module, type, &t->type);
    t->groups = (void *)(t->scratch + t->scratch_fixed);
    t->label_base = 0;
    const uint8_t *module_end = t->reader.end;
    t->reader.end = end;
    translate_body(t, end);
    note_peak(t);
    made->code = t->function_at;
    made->frame = t->frame;
    made->labels = t->label_count;
    if (t->reader.status == AG_OK && t->label_count > 0 && !t->is_dry) {
        ag_wasm_emit_align(t, 4);
        write_labels(t);
        write_more_labels(t, start, end);
    }
    t->reader.end = module_end;
}

#endif
