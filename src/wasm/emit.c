// SPDX-License-Identifier: Apache-2.0
// The window that code passes through on its way to the sink: branches, labels, islands of stubs.
//
// Every branch takes at least three units and every stub three, so the stubs for the branches in
// the first CUT units fit into as many units again: INSERT + CUT + one instruction <= the window.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

#define CUT      (AG_WASM_WINDOW * 5 / 16)
#define INSERT   (AG_WASM_WINDOW * 5 / 8) // with this many units, the first CUT of them leave
#define STUB     3u
#define INSN_MAX 12u
_Static_assert(INSERT + INSN_MAX + CUT + STUB + INSN_MAX <= AG_WASM_WINDOW, "the stubs fit");

static void write_out(struct ag_wasm_translator *t, const void *bytes, uint32_t size)
{
    if (t->reader.status != AG_OK || size == 0)
        return;
    if (!t->is_dry) {
        const enum ag_status status = t->how->write(t->how->context, bytes, size);
        if (status != AG_OK)
            ag_wasm_fail(t, status);
    }
    t->written += size;
}

void ag_wasm_emit_bytes(struct ag_wasm_translator *t, const void *bytes, uint32_t size)
{
    write_out(t, bytes, size);
}

void ag_wasm_emit_align(struct ag_wasm_translator *t, uint32_t alignment)
{
    static const uint8_t zeros[16];
    write_out(t, zeros, (0u - t->written) & (alignment - 1));
}

uint32_t ag_wasm_emit_position(const struct ag_wasm_translator *t)
{
    return t->written / 2 + t->count;
}

static void put(struct ag_wasm_translator *t, uint32_t unit)
{
    if (t->count < AG_WASM_WINDOW)
        t->window[t->count++] = (uint16_t)unit;
    else
        ag_wasm_fail(t, AG_ERR_INTERNAL);
}

uint16_t ag_wasm_emit_numbers(struct ag_wasm_translator *t, uint32_t count)
{
    if (count > AG_WASM_LABELS_MAX - t->label_count) {
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
        return 0;
    }
    const uint16_t first = t->label_count;
    t->label_count = (uint16_t)(first + count);
    return first;
}

uint16_t ag_wasm_emit_number(struct ag_wasm_translator *t, struct ag_wasm_label *label)
{
    if (label->far == AG_WASM_NONE)
        label->far = ag_wasm_emit_numbers(t, 1);
    return label->far;
}

void ag_wasm_emit_lead(struct ag_wasm_translator *t, uint16_t number, uint32_t position)
{
    const uint32_t at = (uint32_t)number - t->label_base;
    if (number >= t->label_base && at < t->label_room)
        t->labels[at] = position * 2;
}

// Points the branches of a chain, from window index + 1 `chain` on, to window index `target`.
static void lead_chain(struct ag_wasm_translator *t, uint16_t chain, uint32_t target)
{
    while (chain > 0) {
        const uint32_t at = chain - 1u;
        const uint16_t older = t->window[at];
        t->window[at] = (uint16_t)(target - at);
        chain = older == 0 ? 0 : (uint16_t)(chain - older);
    }
}

// Splits off the part of a chain whose branches stand before `cut`, and returns it.
static uint16_t split_chain(struct ag_wasm_translator *t, struct ag_wasm_label *label, uint32_t cut)
{
    uint16_t chain = label->chain;
    if (chain == 0)
        return 0;
    if (chain - 1u < cut) {
        label->chain = 0;
        return chain;
    }
    for (;;) {
        const uint16_t older = t->window[chain - 1u];
        if (older == 0)
            return 0;
        if (chain - 1u - older < cut) {
            t->window[chain - 1u] = 0;
            return (uint16_t)(chain - older);
        }
        chain = (uint16_t)(chain - older);
    }
}

// Stubs for the branches to `label` that stand before `cut`. *jump is the window index of the
// distance that leads around the stubs, 0 if there is none yet.
static void add_stub(struct ag_wasm_translator *t, struct ag_wasm_label *label, uint32_t cut,
                     uint16_t *jump)
{
    const uint16_t chain = split_chain(t, label, cut);
    if (chain == 0)
        return;
    if (*jump == 0 && !t->is_dead) {
        put(t, AG_OP_BR);
        put(t, 0);
        *jump = t->count;
        put(t, 0);
    }
    lead_chain(t, chain, t->count);
    put(t, AG_OP_BR_FAR);
    put(t, t->function);
    put(t, ag_wasm_emit_number(t, label));
}

static void shift_label(struct ag_wasm_label *label, uint32_t cut)
{
    if (label->chain > 0)
        label->chain = (uint16_t)(label->chain - cut);
}

static struct ag_wasm_control *control_at(const struct ag_wasm_translator *t, uint32_t number)
{
    return t->controls + (t->control_count - number);
}

static bool is_open(const struct ag_wasm_control *control)
{
    return (control->opcode != 0x03 && control->label.chain > 0) ||
           (control->opcode == 0x04 && control->u.otherwise.chain > 0);
}

// Lets the branches of the list's blocks leave the window, and those blocks the list whose last
// one that was. Each has a branch in the window, so the list is short.
static void leave_labels(struct ag_wasm_translator *t, uint32_t cut, uint16_t *jump)
{
    uint16_t *link = &t->open;
    while (*link != 0) {
        struct ag_wasm_control *control = control_at(t, *link);
        add_stub(t, &control->label, cut, jump);
        shift_label(&control->label, cut);
        if (control->opcode == 0x04) {
            add_stub(t, &control->u.otherwise, cut, jump);
            shift_label(&control->u.otherwise, cut);
        }
        if (is_open(control))
            link = &control->next;
        else
            *link = control->next;
    }
}

// Lets the first `cut` units leave the window, with stubs for their open branches at its end.
static void leave(struct ag_wasm_translator *t, uint32_t cut)
{
    uint16_t jump = 0;
    leave_labels(t, cut, &jump);
    add_stub(t, &t->skip, cut, &jump);
    if (jump > 0)
        t->window[jump] = (uint16_t)(t->count - jump);
    write_out(t, t->window, cut * 2);
    memmove(t->window, t->window + cut, (t->count - cut) * 2u);
    t->count = (uint16_t)(t->count - cut);
    t->last = AG_WASM_NONE;
    t->before = AG_WASM_NONE;
    if (jump > 0)
        t->kept = AG_WASM_NONE;
    shift_label(&t->skip, cut);
}

void ag_wasm_emit_flush(struct ag_wasm_translator *t)
{
    write_out(t, t->window, t->count * 2u);
    t->count = 0;
    t->last = AG_WASM_NONE;
    t->before = AG_WASM_NONE;
}

void ag_wasm_emit_clear(struct ag_wasm_translator *t)
{
    while (t->count > CUT && t->reader.status == AG_OK)
        leave(t, CUT);
    if (t->count > 0)
        leave(t, t->count);
    ag_wasm_emit_flush(t);
}

// The instruction that does those at window index `first` and `op`, or 0.
static uint16_t pair_with(struct ag_wasm_translator *t, uint16_t first, uint16_t op, bool is_step)
{
    if (!AG_CFG_WASM_ACCUMULATOR || first == AG_WASM_NONE)
        return 0;
    return ag_wasm_pair(t->window[first], op, is_step, &t->to_accumulator);
}

void ag_wasm_emit_op(struct ag_wasm_translator *t, uint16_t op, uint32_t units)
{
    if (t->is_dead)
        return;
    // What takes the place of a shorter instruction finds room where that did.
    const uint32_t room = units > INSN_MAX ? units : INSN_MAX;
    while (t->count + room >= INSERT + INSN_MAX && t->reader.status == AG_OK)
        leave(t, CUT);
    t->kept_before = t->kept;
    t->before_last = t->before;
    t->destination = AG_WASM_NONE;
    t->to_accumulator = 0;
    t->is_pair = false;
    const uint16_t pair = pair_with(t, t->before, op, false);
    if (pair != 0) {
        t->window[t->before] = pair;
        t->is_pair = true;
        t->last = t->before;
        return;
    }
    if (ag_wasm_emit_position(t) <= t->watch)
        t->watch_offset = t->offset;
    t->last = t->count;
    t->before = t->count;
    put(t, op);
}

void ag_wasm_emit_result(struct ag_wasm_translator *t, uint16_t op, uint32_t units, uint8_t type,
                         uint8_t to_accumulator)
{
    ag_wasm_emit_op(t, op, units);
    const uint16_t home = ag_wasm_push_temp(t, type);
    ag_wasm_emit_destination(t, home, to_accumulator);
}

void ag_wasm_emit_destination(struct ag_wasm_translator *t, uint16_t slot, uint8_t to_accumulator)
{
    if (t->is_dead)
        return;
    t->destination = t->count;
    put(t, slot);
    if (!AG_CFG_WASM_ACCUMULATOR)
        return;
    t->kept = slot;
    if (!t->is_pair)
        t->to_accumulator = to_accumulator;
}

void ag_wasm_emit_unit(struct ag_wasm_translator *t, uint32_t unit)
{
    if (!t->is_dead)
        put(t, unit);
}

void ag_wasm_emit_u32(struct ag_wasm_translator *t, uint32_t value)
{
    ag_wasm_emit_unit(t, value & 0xFFFF);
    ag_wasm_emit_unit(t, value >> 16);
}

void ag_wasm_emit_u64(struct ag_wasm_translator *t, uint64_t value)
{
    ag_wasm_emit_u32(t, (uint32_t)value);
    ag_wasm_emit_u32(t, (uint32_t)(value >> 32));
}

void ag_wasm_emit_forward(struct ag_wasm_translator *t, struct ag_wasm_label *label)
{
    if (t->is_dead)
        return;
    const uint32_t older = label->chain == 0 ? 0 : t->count + 1u - label->chain;
    label->chain = (uint16_t)(t->count + 1u);
    put(t, older);
}

void ag_wasm_emit_back(struct ag_wasm_translator *t, uint32_t position)
{
    ag_wasm_emit_unit(t, 0u - (ag_wasm_emit_position(t) - position));
}

void ag_wasm_emit_undo(struct ag_wasm_translator *t)
{
    t->count = t->last;
    t->last = AG_WASM_NONE;
    t->before = t->before_last;
    t->kept = t->kept_before;
}

void ag_wasm_emit_retract(struct ag_wasm_translator *t, uint32_t at)
{
    t->count--;
    memmove(t->window + at, t->window + at + 1, (t->count - at) * 2u);
}

void ag_wasm_emit_redirect(struct ag_wasm_translator *t, uint16_t slot)
{
    t->window[t->destination] = slot;
    t->kept = slot;
    const uint16_t pair = t->is_pair ? 0 : pair_with(t, t->before_last, t->window[t->last], true);
    if (pair == 0)
        return;
    t->window[t->before_last] = pair;
    t->before = t->before_last;
    ag_wasm_emit_retract(t, t->last);
}

void ag_wasm_emit_freeze(struct ag_wasm_translator *t)
{
    t->last = AG_WASM_NONE;
}

bool ag_wasm_emit_has_room(struct ag_wasm_translator *t)
{
    return t->count < INSERT;
}

void ag_wasm_emit_seal(struct ag_wasm_translator *t)
{
    t->last = AG_WASM_NONE;
    t->before = AG_WASM_NONE;
    t->kept = AG_WASM_NONE;
}

void ag_wasm_emit_resolve(struct ag_wasm_translator *t, struct ag_wasm_label *label)
{
    lead_chain(t, label->chain, t->count);
    label->chain = 0;
    if (label->far != AG_WASM_NONE)
        ag_wasm_emit_lead(t, label->far, ag_wasm_emit_position(t) - t->function_at / 2);
    ag_wasm_emit_seal(t);
}

void ag_wasm_emit_depart(struct ag_wasm_translator *t, struct ag_wasm_control *control,
                         struct ag_wasm_label *label)
{
    if (t->is_dead)
        return;
    if (!is_open(control)) {
        control->next = t->open;
        t->open = (uint16_t)(t->control_count - (uint32_t)(control - t->controls));
    }
    ag_wasm_emit_forward(t, label);
}

void ag_wasm_emit_arrive(struct ag_wasm_translator *t, struct ag_wasm_control *control,
                         struct ag_wasm_label *label)
{
    const bool was_open = is_open(control);
    ag_wasm_emit_resolve(t, label);
    if (!was_open || is_open(control))
        return;
    uint16_t *link = &t->open;
    while (control_at(t, *link) != control)
        link = &control_at(t, *link)->next;
    *link = control->next;
}

#endif
