// SPDX-License-Identifier: Apache-2.0
// Blocks, branches, calls and returns: validation and translation.
//
// Where a label expects values, every way to it leaves them in the homes that they have there.
// Fuel: a branch or call charges the operations since the one before it in the text, so every
// operation that is executed is charged, and one that was jumped over at most JOIN of them. What
// leads back or calls costs at least 1, so that nothing runs for ever; the verifier relies on it.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

#define JOIN      16u     // operations that a join may leave to be charged after it
#define BACK_MAX  31000u  // units that a plain branch may lead back
#define TABLE_MAX 0xFF00u // entries of a branch table
#define TABLE_NEAR                                                                                 \
    (AG_WASM_WINDOW / 4) // entries of one that is written without emptying the window
#define TABLE_LONG 200u // entries of one that can leave no start in a verifier's block but its last

// A condition, taken from the last instruction where that was a comparison.
struct condition {
    uint16_t op; // of the branch taken if it holds
    uint16_t count;
    uint16_t units[2]; // its operands that are not in the accumulator
};

// Value types by themselves, for block types: the byte of the type is its index from EXTERNREF.
static const uint8_t single_types[] = {
    0x6F, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77,
    0x78, 0x79, 0x7A, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F,
};

void ag_wasm_control_type(const struct ag_wasm_translator *t, uint32_t block_type,
                          struct ag_wasm_function_type *type)
{
    if (block_type & AG_WASM_BLOCK_VALUE) {
        type->params = single_types;
        type->param_count = 0;
        type->results = &single_types[(block_type & 0xFF) - AG_WASM_EXTERNREF];
        type->result_count = 1;
    } else if (block_type & AG_WASM_BLOCK_EMPTY) {
        type->params = type->results = single_types;
        type->param_count = type->result_count = 0;
    } else {
        ag_wasm_module_type(&t->module, block_type, type);
    }
}

// What a branch to the block carries.
static const uint8_t *label_types(const struct ag_wasm_translator *t,
                                  const struct ag_wasm_control *control, uint32_t *count)
{
    struct ag_wasm_function_type type;
    ag_wasm_control_type(t, control->type, &type);
    *count = control->opcode == 0x03 ? type.param_count : type.result_count;
    return control->opcode == 0x03 ? type.params : type.results;
}

static uint16_t home_at(const struct ag_wasm_translator *t, uint32_t height)
{
    if (height == 0)
        return t->temp_base;
    const struct ag_wasm_operand *below = &t->operands[height - 1];
    return (uint16_t)(below->home + ag_wasm_slot_size(below->type));
}

// Whether the top operands have these types; fails if not. Only for live code, whose operands
// are all known.
static bool has_operands(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count)
{
    if (t->operand_count - t->controls->height < count) {
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        return false;
    }
    const struct ag_wasm_operand *first = &t->operands[t->operand_count - count];
    for (uint32_t i = 0; i < count; i++) {
        if (first[i].type != types[i])
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    }
    return t->reader.status == AG_OK;
}

void ag_wasm_control_push(struct ag_wasm_translator *t, uint8_t opcode, uint32_t block_type)
{
    const void *top = &t->operands[t->operand_count + 1];
    if (top > (const void *)(t->controls - 1))
        (void)ag_wasm_make_room(t);
    struct ag_wasm_control *control = t->controls - 1;
    if (top > (const void *)control || t->control_count >= UINT16_MAX) {
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
        return;
    }
    t->controls = control;
    t->control_count++;
    memset(control, 0, sizeof *control);
    control->type = (uint16_t)block_type;
    control->label.far = AG_WASM_NONE;
    control->opcode = opcode;
    control->height = (uint16_t)t->operand_count;
    control->flags = t->is_dead ? AG_WASM_BORN_DEAD : 0;
    if (t->control_count > t->control_peak)
        t->control_peak = t->control_count;
}

void ag_wasm_set_unreachable(struct ag_wasm_translator *t)
{
    t->operand_count = t->controls->height;
    t->controls->flags |= AG_WASM_UNREACHABLE;
    t->is_dead = true;
    t->cost = 0;
}

// Whether operands of this block, or constants among the top `count`, are yet to be put into
// their homes.
static bool has_moves(const struct ag_wasm_translator *t, uint32_t count)
{
    const uint32_t height = t->controls->height;
    uint32_t from = t->locals_from > height ? t->locals_from : height;
    if (t->operand_count - from > AG_WASM_LOOK_BACK && from < t->operand_count)
        return true; // perhaps: to look would take too long
    for (; from < t->operand_count; from++) {
        if (t->operands[from].kind == AG_WASM_LOCAL)
            return true;
    }
    for (uint32_t i = t->operand_count - height < count ? height : t->operand_count - count;
         i < t->operand_count; i++) {
        if (t->operands[i].kind == AG_WASM_CONST)
            return true;
    }
    return false;
}

// `is_direct`: the branch comes next, without moves before it that lose the accumulator.
static struct condition take_condition(struct ag_wasm_translator *t,
                                       const struct ag_wasm_operand *operand, bool is_direct)
{
    struct condition condition = { AG_OP_BR_IF, 0, { 0, 0 } };
    if (ag_wasm_is_fresh(t, operand)) {
        const uint16_t op = t->window[t->last];
        const uint16_t group = ag_wasm_comparison_group(op);
        const uint32_t row = (uint32_t)(op - group) / AG_FORM_BINARY_COUNT;
        const uint32_t form = (uint32_t)(op - group) % AG_FORM_BINARY_COUNT;
        if (group != 0 && (form < AG_FORM_BRANCH_A || is_direct)) {
            // The forms of a branch are those of the comparison with a destination.
            const uint32_t first = group == AG_OP_I32_EQ ? AG_OP_BR_I32_EQ : AG_OP_BR_I64_EQ;
            condition.op = (uint16_t)(first + row * AG_FORM_BRANCH_COUNT + form);
            condition.count = form < AG_FORM_BRANCH_A ? 2 : 1;
            condition.units[0] = t->window[t->last + 2u];
            condition.units[1] = t->window[t->last + 3u];
            ag_wasm_emit_undo(t);
            return condition;
        }
    }
    condition.units[0] = ag_wasm_use(t, operand);
    if (is_direct && ag_wasm_claim(t, operand, condition.units[0]))
        condition.op = AG_OP_BR_IF + AG_FORM_ONLY_A;
    else
        condition.count = 1;
    return condition;
}

static void invert(struct condition *condition)
{
    const uint16_t first = condition->op < AG_OP_BR_I32_EQ ? AG_OP_BR_IF : AG_OP_BR_I32_EQ;
    const uint16_t distance =
        first == AG_OP_BR_IF ? AG_OP_BR_UNLESS - AG_OP_BR_IF : AG_FORM_BRANCH_COUNT;
    const bool is_second = (condition->op - first) / distance % 2 != 0;
    condition->op = (uint16_t)(is_second ? condition->op - distance : condition->op + distance);
}

// A conditional branch but for its distance.
static void emit_condition(struct ag_wasm_translator *t, const struct condition *condition)
{
    ag_wasm_emit_op(t, condition->op, 5);
    for (uint32_t i = 0; i < condition->count; i++)
        ag_wasm_emit_unit(t, condition->units[i]);
    ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
}

static bool is_far_back(const struct ag_wasm_translator *t, const struct ag_wasm_control *control)
{
    return control->opcode == 0x03 && ag_wasm_emit_position(t) - control->u.start > BACK_MAX;
}

static uint16_t number_of(struct ag_wasm_translator *t, struct ag_wasm_control *control)
{
    const bool is_new = control->label.far == AG_WASM_NONE;
    const uint16_t number = ag_wasm_emit_number(t, &control->label);
    if (is_new && control->opcode == 0x03)
        ag_wasm_emit_lead(t, number, control->u.start - t->function_at / 2);
    if (!t->is_dead)
        control->flags |= AG_WASM_TARGETED;
    return number;
}

// The way back that is too far for a distance. Its charge stands right before it: nothing may come
// between them, nor lead there.
static void emit_far(struct ag_wasm_translator *t, struct ag_wasm_control *control)
{
    ag_wasm_emit_op(t, AG_OP_FUEL, 5);
    ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
    ag_wasm_emit_unit(t, AG_OP_BR_FAR);
    ag_wasm_emit_unit(t, t->function);
    if (!t->is_dead)
        ag_wasm_emit_unit(t, number_of(t, control));
}

// The distance to a block's label.
static void emit_target(struct ag_wasm_translator *t, struct ag_wasm_control *control)
{
    if (t->is_dead)
        return;
    if (control->opcode == 0x03) {
        ag_wasm_emit_back(t, control->u.start);
        return;
    }
    control->flags |= AG_WASM_TARGETED;
    ag_wasm_emit_depart(t, control, &control->label);
}

// Puts the top `count` operands, for a return, into the first slots of the frame.
static void move_results(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count)
{
    const struct ag_wasm_operand *first = &t->operands[t->operand_count - count];
    uint16_t slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        ag_wasm_move(t, &first[i], slot);
        slot = (uint16_t)(slot + ag_wasm_slot_size(types[i]));
    }
}

static void emit_return(struct ag_wasm_translator *t)
{
    const uint32_t count = t->type.result_count;
    if (t->is_dead || !has_operands(t, t->type.results, count))
        return;
    if (count == 1) {
        const struct ag_wasm_operand *result = &t->operands[t->operand_count - 1];
        const uint16_t slot = ag_wasm_use(t, result);
        const bool is_kept = ag_wasm_claim(t, result, slot);
        const uint16_t op = ag_wasm_slot_size(result->type) == 2 ? AG_OP_RETURN64 : AG_OP_RETURN32;
        ag_wasm_emit_op(t, (uint16_t)(op + (is_kept ? AG_FORM_ONLY_A : 0)), 4);
        ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
        if (!is_kept)
            ag_wasm_emit_unit(t, slot);
    } else {
        // A result that still is a local could be overwritten by one before it.
        if (count > 0)
            ag_wasm_spill(t, AG_WASM_NONE);
        move_results(t, t->type.results, count);
        ag_wasm_emit_op(t, AG_OP_RETURN, 3);
        ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
    }
    ag_wasm_emit_unit(t, t->return_slot);
}

// Puts the top operands where the label of `control` expects them. Homes only sink, so going up
// overwrites none that is still to be moved.
static void move_to_label(struct ag_wasm_translator *t, const struct ag_wasm_control *control,
                          uint32_t count)
{
    const struct ag_wasm_operand *first = &t->operands[t->operand_count - count];
    uint16_t home = home_at(t, control->height);
    for (uint32_t i = 0; i < count; i++) {
        ag_wasm_move(t, &first[i], home);
        home = (uint16_t)(home + ag_wasm_slot_size(first[i].type));
    }
}

static bool is_in_place(const struct ag_wasm_translator *t, const struct ag_wasm_control *control,
                        uint32_t count)
{
    if (count == 0)
        return true;
    const struct ag_wasm_operand *first = &t->operands[t->operand_count - count];
    for (uint32_t i = 0; i < count; i++) {
        if (first[i].kind != AG_WASM_TEMP)
            return false;
    }
    return control->opcode != 0 && first->home == home_at(t, control->height);
}

// An unconditional branch with the top `count` operands.
static void emit_jump(struct ag_wasm_translator *t, struct ag_wasm_control *control, uint32_t count)
{
    if (t->is_dead)
        return;
    if (control->opcode == 0) {
        emit_return(t);
        return;
    }
    move_to_label(t, control, count);
    if (is_far_back(t, control)) {
        emit_far(t, control);
        return;
    }
    ag_wasm_emit_op(t, AG_OP_BR, 3);
    ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
    emit_target(t, control);
}

static void emit_jump_if(struct ag_wasm_translator *t, struct condition condition,
                         struct ag_wasm_control *control, uint32_t count)
{
    if (t->is_dead)
        return;
    if (is_in_place(t, control, count) && !is_far_back(t, control)) {
        emit_condition(t, &condition);
        emit_target(t, control);
        return;
    }
    // Of what the branch costs a way back charges 1 itself; the other way charges it later.
    const uint32_t kept = control->opcode == 0x03 ? 1 : 0;
    t->cost -= kept;
    invert(&condition);
    emit_condition(t, &condition);
    ag_wasm_emit_forward(t, &t->skip);
    t->cost = kept;
    emit_jump(t, control, count);
    ag_wasm_emit_resolve(t, &t->skip);
    t->skip.far = AG_WASM_NONE;
    t->cost = kept;
}

static uint32_t read_block_type(struct ag_wasm_translator *t)
{
    const uint8_t byte = ag_reader_left(&t->reader) > 0 ? *t->reader.at : 0;
    if (byte == 0x40) {
        ag_reader_u8(&t->reader);
        return AG_WASM_BLOCK_EMPTY;
    }
    if ((byte & 0xC0) == 0x40)
        return AG_WASM_BLOCK_VALUE | ag_wasm_read_value_type(&t->reader);
    const int64_t index = ag_reader_leb_s33(&t->reader);
    if (index < 0)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    else if (index >= t->layout.items[AG_WASM_SECTION_TYPE].count)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    return t->reader.status == AG_OK ? (uint32_t)index : AG_WASM_BLOCK_EMPTY;
}

void ag_wasm_translate_block(struct ag_wasm_translator *t, uint8_t opcode)
{
    struct ag_wasm_function_type type;
    struct condition condition = { 0 };
    const uint32_t block_type = read_block_type(t);
    if (t->reader.status != AG_OK)
        return;
    ag_wasm_control_type(t, block_type, &type);
    if (opcode == 0x04) {
        const struct ag_wasm_operand operand = ag_wasm_pop(t, AG_WASM_I32);
        if (t->reader.status != AG_OK)
            return;
        condition = take_condition(t, &operand, !has_moves(t, type.param_count));
    }
    if (!t->is_dead && !has_operands(t, type.params, type.param_count))
        return;
    ag_wasm_spill(t, AG_WASM_NONE);
    if (!t->is_dead)
        ag_wasm_settle(t, type.param_count);
    if (opcode == 0x03)
        ag_wasm_emit_cost(t);
    ag_wasm_pop_types(t, type.params, type.param_count);
    ag_wasm_control_push(t, opcode, block_type);
    if (t->reader.status != AG_OK)
        return;
    struct ag_wasm_control *control = t->controls;
    if (opcode == 0x04) {
        control->u.otherwise.far = AG_WASM_NONE;
        invert(&condition);
        emit_condition(t, &condition);
        ag_wasm_emit_depart(t, control, &control->u.otherwise);
    }
    if (opcode == 0x03)
        control->u.start = ag_wasm_emit_position(t);
    ag_wasm_emit_seal(t);
    ag_wasm_push_types(t, type.params, type.param_count);
}

// Takes the results of the innermost block off the stack, in their homes.
static void finish_body(struct ag_wasm_translator *t, const struct ag_wasm_function_type *type)
{
    if (!t->is_dead && has_operands(t, type->results, type->result_count) &&
        t->controls->opcode != 0)
        ag_wasm_settle(t, type->result_count);
    if (t->controls->opcode == 0)
        emit_return(t);
    ag_wasm_pop_types(t, type->results, type->result_count);
    if (t->operand_count != t->controls->height)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

void ag_wasm_translate_else(struct ag_wasm_translator *t)
{
    struct ag_wasm_control *control = t->controls;
    if (control->opcode != 0x04) {
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        return;
    }
    struct ag_wasm_function_type type;
    ag_wasm_control_type(t, control->type, &type);
    finish_body(t, &type);
    if (t->reader.status != AG_OK)
        return;
    if (!t->is_dead) {
        ag_wasm_emit_op(t, AG_OP_BR, 3);
        ag_wasm_emit_unit(t, ag_wasm_take_cost(t));
        emit_target(t, control);
    }
    t->is_dead = control->flags & AG_WASM_BORN_DEAD;
    t->cost = 0;
    ag_wasm_emit_arrive(t, control, &control->u.otherwise);
    control->flags &= (uint8_t)~AG_WASM_UNREACHABLE;
    control->opcode = 0x05;
    ag_wasm_push_types(t, type.params, type.param_count);
}

// An if without else passes its parameters on as its results.
static void check_missing_else(struct ag_wasm_translator *t,
                               const struct ag_wasm_function_type *type)
{
    if (type->param_count != type->result_count ||
        memcmp(type->params, type->results, type->param_count) != 0)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
}

void ag_wasm_translate_end(struct ag_wasm_translator *t)
{
    struct ag_wasm_control *control = t->controls;
    struct ag_wasm_function_type type;
    ag_wasm_control_type(t, control->type, &type);
    if (control->opcode == 0x04)
        check_missing_else(t, &type);
    finish_body(t, &type);
    if (t->reader.status != AG_OK)
        return;
    const bool is_dead_born = control->flags & AG_WASM_BORN_DEAD;
    const bool is_joined = control->opcode != 0x03 &&
                           ((control->flags & AG_WASM_TARGETED) || control->opcode == 0x04) &&
                           !is_dead_born;
    if (control->opcode == 0) {
        if (is_joined) { // branches without values end here
            t->is_dead = false;
            ag_wasm_emit_arrive(t, control, &control->label);
            ag_wasm_emit_op(t, AG_OP_RETURN, 3);
            ag_wasm_emit_unit(t, 0);
            ag_wasm_emit_unit(t, t->return_slot);
        }
    } else {
        if (is_joined && !t->is_dead && t->cost > JOIN)
            ag_wasm_emit_cost(t);
        if (is_joined) {
            ag_wasm_emit_arrive(t, control, &control->label);
            if (control->opcode == 0x04)
                ag_wasm_emit_arrive(t, control, &control->u.otherwise);
            t->is_dead = false;
        }
    }
    t->controls++;
    t->control_count--;
    if (t->control_count > 0)
        ag_wasm_push_types(t, type.results, type.result_count);
}

static struct ag_wasm_control *read_label(struct ag_wasm_translator *t)
{
    const uint32_t depth = ag_reader_leb_u32(&t->reader);
    if (depth < t->control_count)
        return &t->controls[depth];
    ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    return t->controls;
}

static void branch_always(struct ag_wasm_translator *t)
{
    struct ag_wasm_control *control = read_label(t);
    uint32_t count;
    const uint8_t *types = label_types(t, control, &count);
    if (!t->is_dead && has_operands(t, types, count))
        emit_jump(t, control, count);
    ag_wasm_pop_types(t, types, count);
    ag_wasm_set_unreachable(t);
}

static void branch_if(struct ag_wasm_translator *t)
{
    struct ag_wasm_control *control = read_label(t);
    uint32_t count;
    const uint8_t *types = label_types(t, control, &count);
    const struct ag_wasm_operand operand = ag_wasm_pop(t, AG_WASM_I32);
    if (t->reader.status != AG_OK)
        return;
    if (t->is_dead) {
        ag_wasm_pop_types(t, types, count);
        ag_wasm_push_types(t, types, count);
        return;
    }
    if (!has_operands(t, types, count))
        return;
    const struct condition condition = take_condition(t, &operand, count <= 1 || !has_moves(t, 0));
    if (count > 1)
        ag_wasm_spill(t, AG_WASM_NONE); // a return may do so, and must not on one way only
    emit_jump_if(t, condition, control, count);
}

// Reads the labels of a branch table and checks them against the operands.
static uint32_t check_table(struct ag_wasm_translator *t, uint32_t entries)
{
    uint32_t arity = 0;
    for (uint32_t i = 0; i <= entries && t->reader.status == AG_OK; i++) {
        uint32_t count;
        const uint8_t *types = label_types(t, read_label(t), &count);
        if (i > 0 && count != arity)
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        arity = count;
        if (t->reader.status != AG_OK)
            return 0;
        if (!t->is_dead) {
            has_operands(t, types, count);
            continue;
        }
        // Known operands below must fit every label: pop all, then put them back.
        const uint32_t height = t->operand_count;
        struct ag_wasm_operand *kept = &t->operands[t->controls->height];
        const uint32_t own = height - t->controls->height;
        const uint32_t known = own < count ? own : count;
        for (uint32_t k = 0; k < known; k++) {
            const uint8_t type = kept[own - 1 - k].type;
            if (type != 0 && type != types[count - 1 - k])
                ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        }
        if (known < count && !(t->controls->flags & AG_WASM_UNREACHABLE))
            ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    }
    return arity;
}

static void branch_table(struct ag_wasm_translator *t)
{
    const uint32_t entries = ag_reader_leb_u32(&t->reader);
    const struct ag_wasm_operand operand = ag_wasm_pop(t, AG_WASM_I32);
    if (entries > ag_reader_left(&t->reader))
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    else if (entries > TABLE_MAX)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    if (t->reader.status != AG_OK)
        return;
    const uint8_t *labels = t->reader.at;
    const uint32_t arity = check_table(t, entries);
    if (t->reader.status != AG_OK)
        return;
    if (t->is_dead) {
        ag_wasm_set_unreachable(t);
        return;
    }
    const uint8_t *end = t->reader.at;
    const uint16_t index = ag_wasm_use(t, &operand);
    if (arity > 1)
        ag_wasm_spill(t, AG_WASM_NONE);
    if (entries > TABLE_NEAR)
        ag_wasm_emit_clear(t);
    ag_wasm_emit_op(t, AG_OP_BR_TABLE, entries > TABLE_NEAR ? 5 : 6 + entries);
    // With values, each entry leads to moves of its own and a branch that charges 1.
    const uint32_t kept = arity > 0 ? 1 : 0;
    ag_wasm_emit_unit(t, index);
    ag_wasm_emit_unit(t, ag_wasm_take_cost(t) - kept);
    ag_wasm_emit_unit(t, t->function);
    ag_wasm_emit_unit(t, entries);
    const uint16_t first = arity > 0 ? ag_wasm_emit_numbers(t, entries + 1) : 0;
    t->reader.at = labels;
    for (uint32_t i = 0; i <= entries && t->reader.status == AG_OK; i++) {
        struct ag_wasm_control *control = read_label(t);
        if (t->count >= AG_WASM_WINDOW)
            ag_wasm_emit_flush(t);
        ag_wasm_emit_unit(t, arity > 0 ? first + i : number_of(t, control));
    }
    if (entries > TABLE_NEAR)
        ag_wasm_emit_flush(t);
    if (entries > TABLE_LONG)
        ag_wasm_emit_op(t, AG_OP_ILLEGAL,
                        1); // so that no block's first instruction is its last unit
    t->reader.at = labels;
    for (uint32_t i = 0; arity > 0 && i <= entries && t->reader.status == AG_OK; i++) {
        struct ag_wasm_control *control = read_label(t);
        ag_wasm_emit_seal(t);
        ag_wasm_emit_lead(t, (uint16_t)(first + i), ag_wasm_emit_position(t) - t->function_at / 2);
        t->cost = kept;
        emit_jump(t, control, arity);
    }
    t->reader.at = end;
    ag_wasm_set_unreachable(t);
}

void ag_wasm_translate_branch(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (opcode == 0x0C)
        branch_always(t);
    else if (opcode == 0x0D)
        branch_if(t);
    else
        branch_table(t);
}

void ag_wasm_translate_return(struct ag_wasm_translator *t)
{
    if (!t->is_dead)
        emit_return(t);
    ag_wasm_pop_types(t, t->type.results, t->type.result_count);
    ag_wasm_set_unreachable(t);
}

// Settles the arguments and takes them off; returns the callee's frame.
static uint16_t take_arguments(struct ag_wasm_translator *t,
                               const struct ag_wasm_function_type *type)
{
    if (!t->is_dead) {
        if (!has_operands(t, type->params, type->param_count))
            return 0;
        ag_wasm_settle(t, type->param_count);
    }
    ag_wasm_pop_types(t, type->params, type->param_count);
    return ag_wasm_next_home(t);
}

static void call_direct(struct ag_wasm_translator *t)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    if (index >= t->layout.total[AG_WASM_FUNCTION])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    struct ag_wasm_function_type type;
    ag_wasm_module_type(&t->module, ag_wasm_module_function_type(&t->module, index), &type);
    const uint16_t base = take_arguments(t, &type);
    const uint32_t imported = t->layout.imported[AG_WASM_FUNCTION];
    ag_wasm_emit_op(t, index < imported ? AG_OP_CALL_IMPORT : AG_OP_CALL, 5);
    ag_wasm_emit_unit(t, t->is_dead ? 0 : ag_wasm_take_cost(t));
    if (index < imported) {
        ag_wasm_emit_unit(t, index);
    } else {
        const uint32_t own = index - imported;
        ag_wasm_emit_unit(t, own >> AG_WASM_BLOCK_BITS);
        ag_wasm_emit_unit(t, own % AG_WASM_BLOCK_ENTRIES * sizeof(struct ag_wasm_entry));
    }
    ag_wasm_emit_unit(t, base);
    ag_wasm_emit_seal(t);
    ag_wasm_push_types(t, type.results, type.result_count);
}

static void call_indirect(struct ag_wasm_translator *t)
{
    const uint32_t index = ag_reader_leb_u32(&t->reader);
    const uint32_t table = ag_reader_leb_u32(&t->reader);
    const struct ag_wasm_operand element = ag_wasm_pop(t, AG_WASM_I32);
    if (index >= t->layout.items[AG_WASM_SECTION_TYPE].count ||
        table >= t->layout.total[AG_WASM_TABLE])
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    if (t->reader.status != AG_OK)
        return;
    if (ag_wasm_table_type(t, table) != AG_WASM_FUNCREF)
        ag_wasm_fail(t, AG_ERR_WASM_INVALID);
    struct ag_wasm_function_type type;
    ag_wasm_module_type(&t->module, index, &type);
    const uint16_t slot = ag_wasm_use(t, &element);
    const uint16_t base = take_arguments(t, &type);
    ag_wasm_emit_op(t, AG_OP_CALL_INDIRECT, 6);
    ag_wasm_emit_unit(t, t->is_dead ? 0 : ag_wasm_take_cost(t));
    ag_wasm_emit_unit(t, slot);
    ag_wasm_emit_unit(t, table);
    ag_wasm_emit_unit(t, t->is_dead ? 0 : ag_wasm_first_type(t, index));
    ag_wasm_emit_unit(t, base);
    ag_wasm_emit_seal(t);
    ag_wasm_push_types(t, type.results, type.result_count);
}

void ag_wasm_translate_call(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (opcode == 0x10)
        call_direct(t);
    else
        call_indirect(t);
}

#endif
