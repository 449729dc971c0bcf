// SPDX-License-Identifier: Apache-2.0
// The symbolic operand stack: validates types, and knows for each operand where its value is.
//
// An operand that is a local stays in the local's slot until the local is set or a block begins,
// so that below the operands of the innermost block there are only constants and homes.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

uint16_t ag_wasm_next_home(const struct ag_wasm_translator *t)
{
    if (t->operand_count == 0)
        return t->temp_base;
    const struct ag_wasm_operand *top = &t->operands[t->operand_count - 1];
    return (uint16_t)(top->home + ag_wasm_slot_size(top->type));
}

uint16_t ag_wasm_push(struct ag_wasm_translator *t, uint8_t type, enum ag_wasm_operand_kind kind,
                      uint32_t value)
{
    const uint16_t home = ag_wasm_next_home(t);
    const uint32_t end = home + ag_wasm_slot_size(type);
    struct ag_wasm_operand *operand = &t->operands[t->operand_count];
    const bool has_room =
        (const void *)(operand + 1) <= (const void *)t->controls ||
        (ag_wasm_make_room(t) && (const void *)(operand + 1) <= (const void *)t->controls);
    if (!has_room || end > AG_WASM_FRAME_MAX || t->operand_count >= 0xFFFE) {
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
        return home;
    }
    if (end > t->frame)
        t->frame = (uint16_t)end;
    if (kind == AG_WASM_LOCAL && t->operand_count < t->locals_from)
        t->locals_from = t->operand_count;
    t->operand_count++;
    if (t->operand_count > t->operand_peak)
        t->operand_peak = t->operand_count;
    operand->value = value;
    operand->home = home;
    operand->type = type;
    operand->kind = (uint8_t)kind;
    return home;
}

uint16_t ag_wasm_push_temp(struct ag_wasm_translator *t, uint8_t type)
{
    return ag_wasm_push(t, type, AG_WASM_TEMP, 0);
}

struct ag_wasm_operand ag_wasm_pop(struct ag_wasm_translator *t, uint8_t type)
{
    struct ag_wasm_operand operand = { 0, ag_wasm_next_home(t), type, AG_WASM_TEMP };
    const struct ag_wasm_control *control = t->controls;
    if (t->control_count == 0 || t->operand_count == control->height) {
        if (t->control_count == 0 || !(control->flags & AG_WASM_UNREACHABLE))
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        return operand;
    }
    operand = t->operands[--t->operand_count];
    if (type != 0 && operand.type != 0 && operand.type != type)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    return operand;
}

void ag_wasm_pop_types(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count)
{
    while (count > 0 && t->reader.status == AG_OK)
        ag_wasm_pop(t, types[--count]);
}

void ag_wasm_push_types(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count && t->reader.status == AG_OK; i++)
        ag_wasm_push_temp(t, types[i]);
}

uint64_t ag_wasm_constant_bits(const struct ag_wasm_translator *t,
                               const struct ag_wasm_operand *operand)
{
    if (operand->type == AG_WASM_I32)
        return (uint64_t)(int64_t)(int32_t)operand->value;
    if (operand->type != AG_WASM_I64 && operand->type != AG_WASM_F32 &&
        operand->type != AG_WASM_F64)
        return 0; // ref.null
    struct ag_reader reader = ag_wasm_module_reader(&t->module, operand->value);
    if (operand->type == AG_WASM_I64)
        return (uint64_t)ag_reader_leb_s64(&reader);
    return operand->type == AG_WASM_F32 ? ag_reader_u32le(&reader) : ag_reader_u64le(&reader);
}

bool ag_wasm_is_short(const struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                      int32_t *value)
{
    if (operand->kind != AG_WASM_CONST)
        return false;
    const int64_t bits = (int64_t)ag_wasm_constant_bits(t, operand);
    *value = (int32_t)bits;
    return bits >= INT16_MIN && bits <= INT16_MAX;
}

static void emit_constant(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                          uint16_t slot)
{
    int32_t value;
    const bool is_wide = ag_wasm_slot_size(operand->type) == 2;
    const bool is_short = ag_wasm_is_short(t, operand, &value);
    const uint16_t op = is_wide ? (is_short ? AG_OP_CONST64_K : AG_OP_CONST64)
                                : (is_short ? AG_OP_CONST32_K : AG_OP_CONST32);
    ag_wasm_emit_op(t, op, 6);
    ag_wasm_emit_destination(t, slot, AG_FORM_CONST_R);
    if (is_short)
        ag_wasm_emit_unit(t, (uint16_t)value);
    else if (is_wide)
        ag_wasm_emit_u64(t, ag_wasm_constant_bits(t, operand));
    else
        ag_wasm_emit_u32(t, (uint32_t)ag_wasm_constant_bits(t, operand));
}

void ag_wasm_move(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                  uint16_t slot)
{
    if (operand->kind == AG_WASM_CONST) {
        emit_constant(t, operand, slot);
        return;
    }
    const uint16_t from = operand->kind == AG_WASM_LOCAL ? (uint16_t)operand->value : operand->home;
    if (from == slot)
        return;
    ag_wasm_emit_op(t, ag_wasm_slot_size(operand->type) == 2 ? AG_OP_COPY64 : AG_OP_COPY32, 3);
    ag_wasm_emit_destination(t, slot, 0);
    ag_wasm_emit_unit(t, from);
}

uint16_t ag_wasm_use(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand)
{
    if (operand->kind == AG_WASM_LOCAL)
        return (uint16_t)operand->value;
    if (operand->kind == AG_WASM_CONST)
        emit_constant(t, operand, operand->home);
    return operand->home;
}

void ag_wasm_spill(struct ag_wasm_translator *t, uint16_t slot)
{
    const uint32_t height = t->controls->height;
    uint32_t from = t->locals_from > height ? t->locals_from : height;
    // A long way is gone once: then all of them are in their homes.
    if (t->operand_count - from > AG_WASM_LOOK_BACK && from < t->operand_count)
        slot = AG_WASM_NONE;
    if (slot == AG_WASM_NONE)
        t->locals_from = t->operand_count;
    for (uint32_t i = from; i < t->operand_count; i++) {
        struct ag_wasm_operand *operand = &t->operands[i];
        if (operand->kind != AG_WASM_LOCAL)
            continue;
        if (slot != AG_WASM_NONE && operand->value != slot)
            continue;
        ag_wasm_move(t, operand, operand->home);
        operand->kind = AG_WASM_TEMP;
    }
}

void ag_wasm_settle(struct ag_wasm_translator *t, uint32_t count)
{
    if (t->reader.status != AG_OK)
        return;
    for (uint32_t i = t->operand_count - count; i < t->operand_count; i++) {
        ag_wasm_move(t, &t->operands[i], t->operands[i].home);
        t->operands[i].kind = AG_WASM_TEMP;
    }
}

bool ag_wasm_is_fresh(const struct ag_wasm_translator *t, const struct ag_wasm_operand *operand)
{
    return operand->kind == AG_WASM_TEMP && !t->is_dead && t->last != AG_WASM_NONE &&
           t->destination != AG_WASM_NONE && t->window[t->destination] == operand->home;
}

bool ag_wasm_claim(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                   uint16_t slot)
{
    if (!AG_CFG_WASM_ACCUMULATOR || t->is_dead || t->kept != slot || !ag_wasm_emit_has_room(t))
        return false;
    if (operand->kind == AG_WASM_LOCAL || t->to_accumulator == 0 || t->last == AG_WASM_NONE ||
        t->destination == AG_WASM_NONE || t->window[t->destination] != slot)
        return true;
    t->window[t->last] = (uint16_t)(t->window[t->last] + t->to_accumulator);
    t->to_accumulator = 0;
    ag_wasm_emit_retract(t, t->destination);
    t->destination = AG_WASM_NONE;
    t->kept = AG_WASM_NONE;
    return true;
}

uint32_t ag_wasm_take_cost(struct ag_wasm_translator *t)
{
    const uint32_t cost = t->cost;
    t->cost = 0;
    return cost;
}

void ag_wasm_emit_cost(struct ag_wasm_translator *t)
{
    if (t->cost == 0 || t->is_dead)
        return;
    ag_wasm_emit_op(t, AG_OP_FUEL, 2);
    ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
}

#endif
