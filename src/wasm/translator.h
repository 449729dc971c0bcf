// SPDX-License-Identifier: Apache-2.0
// Internal: the state of one translation, which lies at the start of the caller's scratch.
//
// Behind it lie, growing up, checkpoints for look-ups, repeated types, the directory, declared
// functions, and for the function in hand its groups of locals and the operand stack; from the end
// of scratch the control stack grows down. When they meet, the module exceeds a limit. Nothing but
// time depends on how much scratch there is beyond what is needed: the image is always the same.
//
// The output passes through a window. Code that left it is never touched again, so a forward
// branch that is still open when it leaves is led to a stub nearby, which finds its target by
// number in the function's label table, written after the function. A function's translation
// depends on nothing but the module, so it can be repeated: for labels that the buffer of numbers
// did not hold, for functions that the set of declared ones did not hold, and to find the place of
// a trap.
//
// No instruction costs more time than a constant times its bytes, whatever stands around it, so
// nothing may walk along all open blocks or operands: branches that are open in the window hang on
// a list, and operands that still are locals are looked for among the topmost ones alone.
#ifndef AG_WASM_TRANSLATOR_H
#define AG_WASM_TRANSLATOR_H

#include "base/config.h"
#include "image.h"
#include "opcodes.h"

#define AG_WASM_WINDOW     ((uint32_t)AG_CFG_WASM_WINDOW)
#define AG_WASM_LABELS_MAX 8192u // label numbers of a function
#define AG_WASM_LOOK_BACK  64u   // operands that an instruction may look at for itself
#define AG_WASM_NONE       0xFFFFu
#define AG_WASM_FRAME_MAX  0xFFF0u // slots

// Where branches lead. A chain links the open branches in the window: the window index of the
// newest one's distance + 1, and in that unit how many units before the next older one stands.
struct ag_wasm_label {
    uint16_t chain; // 0 for none
    uint16_t far;   // number in the label table, or AG_WASM_NONE
};

enum ag_wasm_control_flags {
    AG_WASM_UNREACHABLE = 1, // validation: the rest of the block cannot be reached
    AG_WASM_BORN_DEAD = 2,   // the block itself cannot be reached: emits nothing
    AG_WASM_TARGETED = 4,    // a reachable branch leads to its label
};

// An open block: 16 bytes.
struct ag_wasm_control {
    uint16_t type;              // block type: AG_WASM_BLOCK_...
    uint16_t next;              // number from outside of the next one with open branches, or 0
    struct ag_wasm_label label; // at its end; for a loop only `far` is in use
    union {
        struct ag_wasm_label otherwise; // if: its else
        uint32_t start;                 // loop: position of its first instruction
    } u;
    uint16_t height; // operands below its own (its parameters are its own)
    uint8_t opcode;  // 0 for the function, 0x02 block, 0x03 loop, 0x04 if, 0x05 else
    uint8_t flags;
};
_Static_assert(sizeof(struct ag_wasm_control) == 16, "scratch is promised as 16 bytes a block");

#define AG_WASM_BLOCK_VALUE 0x8000u // | value type
#define AG_WASM_BLOCK_EMPTY 0x4000u
#define AG_WASM_BLOCK_INDEX 0u // | index of a function type

enum ag_wasm_operand_kind {
    AG_WASM_TEMP,  // in its home slot
    AG_WASM_LOCAL, // in the slot `value` of a local that has not been set since
    AG_WASM_CONST, // i32: `value`; other types: offset in the module of its immediate
};

struct ag_wasm_operand {
    uint32_t value;
    uint16_t home; // slot that this depth of the stack has
    uint8_t type;  // 0: unknown, in unreachable code
    uint8_t kind;
};

// Consecutive locals of one type: 6 bytes.
struct ag_wasm_group {
    uint16_t end;  // index after the last one
    uint16_t slot; // of the first one
    uint8_t type;
};
_Static_assert(sizeof(struct ag_wasm_group) == 6, "scratch is promised as 6 bytes a group");
_Static_assert(sizeof(struct ag_wasm_operand) == 8, "scratch is promised as 8 bytes an operand");

// A function whose entry is not written yet. Its label table ends where the next one's code starts.
struct ag_wasm_made {
    uint32_t code;
    uint16_t frame;
    uint16_t labels; // how many
};

// A type that is equal to one before it.
struct ag_wasm_repeat {
    uint16_t index;
    uint16_t first;
};

struct ag_wasm_translator {
    struct ag_reader reader; // over the module, standing at what is read next
    struct ag_wasm_module module;
    struct ag_wasm_layout layout;
    struct ag_wasm_index index;
    const struct ag_wasm_translation *how;

    uint8_t *scratch; // first byte behind this struct
    uint32_t scratch_size;
    uint32_t scratch_fixed; // bytes of it in use for the whole module
    uint32_t scratch_peak;
    void *least; // the place of as many checkpoints as there always are
    struct ag_wasm_repeat *repeats;
    uint32_t repeat_count;
    uint64_t extern_tables;   // bit set: tables of externref
    uint8_t *extern_elements; // bit set: element segments of externref
    uint32_t *directory;
    uint8_t *declared; // bit set: functions that ref.func may name, from declared_from on
    uint32_t declared_from;
    uint32_t declared_count; // how many are known at once
    uint32_t undecided;      // bit set: further such sets that ref.func needs
    uint32_t data_segments;
    bool has_data_count;
    bool has_extra; // more checkpoints lie at the end of the scratch

    // Output.
    uint32_t written;    // bytes given to the sink (in a dry run: that would have been)
    uint32_t imports_at; // offset of the import entries
    bool is_dry;
    uint16_t count;         // units in the window
    uint16_t last;          // window index of the last instruction, if it may still be changed
    uint16_t destination;   // window index of where that puts its result, or AG_WASM_NONE
    uint16_t before;        // window index of the last instruction, if no label stands behind it
    uint16_t before_last;   // the same of the one before the last
    uint16_t kept;          // slot whose value the accumulator holds, or AG_WASM_NONE
    uint16_t kept_before;   // the same before the last instruction
    bool is_pair;           // the last instruction began as the second of a pair
    uint8_t to_accumulator; // from the last instruction to its form without a destination, or 0
    uint16_t window[AG_WASM_WINDOW];
    struct ag_wasm_made made[AG_WASM_BLOCK_ENTRIES];

    // The function in hand.
    uint32_t function;    // index without imports
    uint32_t function_at; // offset in the image, bytes
    struct ag_wasm_function_type type;
    struct ag_wasm_group *groups;
    uint32_t group_count;
    struct ag_wasm_operand *operands;
    uint32_t operand_count;
    uint32_t operand_peak;
    uint32_t locals_from;             // no operand of the innermost block before this is a local
    struct ag_wasm_control *controls; // innermost first
    uint32_t control_count;
    uint32_t control_peak;
    uint16_t open;             // number from outside of the first control with open branches, or 0
    struct ag_wasm_label skip; // over the moves of a conditional branch
    bool is_dead;              // what is translated cannot be reached: nothing is emitted
    uint32_t cost;             // fuel not charged yet
    uint16_t temp_base;        // slot of the first operand
    uint16_t return_slot;
    uint16_t frame; // slots in use at most
    uint16_t label_count;
    uint16_t label_base; // number of labels[0]
    uint32_t *labels;    // where numbers lead: as many as there is room for
    uint32_t label_room;

    // Search for a place: the offset of what made the last instruction that begins at `watch`, a
    // position in units, or before.
    uint32_t offset; // of the instruction in hand
    uint32_t watch;
    uint32_t watch_offset;
    uint32_t only;    // the one function whose body is read, or UINT32_MAX
    uint32_t only_at; // offset of its code in the image
};

static inline void ag_wasm_fail(struct ag_wasm_translator *t, enum ag_status status)
{
    ag_reader_fail(&t->reader, status);
}

static inline uint32_t ag_wasm_offset(const struct ag_wasm_translator *t)
{
    return (uint32_t)(t->reader.at - t->module.bytes);
}

static inline bool ag_wasm_bit(const uint8_t *bits, uint32_t index)
{
    return bits[index / 8] >> index % 8 & 1;
}

// The type of a table's elements, and of an element segment's; both indices are in range.
static inline uint8_t ag_wasm_table_type(const struct ag_wasm_translator *t, uint32_t index)
{
    return t->extern_tables >> index & 1 ? AG_WASM_EXTERNREF : AG_WASM_FUNCREF;
}

static inline uint8_t ag_wasm_element_type(const struct ag_wasm_translator *t, uint32_t index)
{
    return ag_wasm_bit(t->extern_elements, index) ? AG_WASM_EXTERNREF : AG_WASM_FUNCREF;
}

// ---- translate.c ------------------------------------------------------------------------------

// Gives the stacks what look-ups have beyond the least; false if that is theirs already. Moves the
// controls.
bool ag_wasm_make_room(struct ag_wasm_translator *t);

// ---- repeats.c: what a section names twice ----------------------------------------------------

// Fails for an export's name that is there twice; remembers types that are.
void ag_wasm_find_repeats(struct ag_wasm_translator *t, enum ag_wasm_section_id section);
// The first type that is equal to type `index`: equal types share its number.
uint16_t ag_wasm_first_type(const struct ag_wasm_translator *t, uint32_t index);

// ---- emit.c: the window, branches, labels, the sink -------------------------------------------

// Bytes straight to the sink; the window must be empty.
void ag_wasm_emit_bytes(struct ag_wasm_translator *t, const void *bytes, uint32_t size);
void ag_wasm_emit_align(struct ag_wasm_translator *t, uint32_t alignment);

// Begins an instruction of at most `units` units. The four below do nothing in dead code.
void ag_wasm_emit_op(struct ag_wasm_translator *t, uint16_t op, uint32_t units);
void ag_wasm_emit_unit(struct ag_wasm_translator *t, uint32_t unit);
void ag_wasm_emit_u32(struct ag_wasm_translator *t, uint32_t value);
void ag_wasm_emit_u64(struct ag_wasm_translator *t, uint64_t value);
// A branch distance: to an open label, which depart puts on the list of its block; back to a
// position.
void ag_wasm_emit_depart(struct ag_wasm_translator *t, struct ag_wasm_control *control,
                         struct ag_wasm_label *label);
void ag_wasm_emit_forward(struct ag_wasm_translator *t, struct ag_wasm_label *label);
void ag_wasm_emit_back(struct ag_wasm_translator *t, uint32_t position);

// Begins an instruction with a result, which becomes an operand; `to_accumulator` is the way to
// its form without a destination, or 0.
void ag_wasm_emit_result(struct ag_wasm_translator *t, uint16_t op, uint32_t units, uint8_t type,
                         uint8_t to_accumulator);

// Whether an instruction that follows goes right behind the last one.
bool ag_wasm_emit_has_room(struct ag_wasm_translator *t);

uint32_t ag_wasm_emit_position(const struct ag_wasm_translator *t);
// Takes the last instruction back.
void ag_wasm_emit_undo(struct ag_wasm_translator *t);
// The destination of the instruction in hand, whose value is left in the accumulator too;
// `to_accumulator` is the way to its form without a destination, or 0.
void ag_wasm_emit_destination(struct ag_wasm_translator *t, uint16_t slot, uint8_t to_accumulator);
// Removes the unit at window index `at`, which belongs to the last instruction.
void ag_wasm_emit_retract(struct ag_wasm_translator *t, uint32_t at);
// The last instruction's result now goes to the slot of a local, and stays there.
void ag_wasm_emit_redirect(struct ag_wasm_translator *t, uint16_t slot);
// Ends what may be changed of the last instruction: nothing may redirect its result any more.
void ag_wasm_emit_freeze(struct ag_wasm_translator *t);
// Ends also what the accumulator holds: a label stands here, or a run may be suspended here.
void ag_wasm_emit_seal(struct ag_wasm_translator *t);

// Leads all open branches to a label here; arrive also takes its block off the list.
void ag_wasm_emit_arrive(struct ag_wasm_translator *t, struct ag_wasm_control *control,
                         struct ag_wasm_label *label);
void ag_wasm_emit_resolve(struct ag_wasm_translator *t, struct ag_wasm_label *label);
// The label's number in the label table.
uint16_t ag_wasm_emit_number(struct ag_wasm_translator *t, struct ag_wasm_label *label);
// The next `count` numbers, the first of which is returned; and where a number leads.
uint16_t ag_wasm_emit_numbers(struct ag_wasm_translator *t, uint32_t count);
void ag_wasm_emit_lead(struct ag_wasm_translator *t, uint16_t number, uint32_t position);
// Gives all of the window to the sink; no branch may be open.
void ag_wasm_emit_flush(struct ag_wasm_translator *t);
// Makes the window empty before `units` units without an instruction start, e.g. a branch table.
void ag_wasm_emit_clear(struct ag_wasm_translator *t);

// ---- pair.c -----------------------------------------------------------------------------------

// The instruction that does both, one after the other, or 0; *to_accumulator is the way to its form
// without a destination, or 0. `is_step`: the second adds to a local, and nothing will change it.
uint16_t ag_wasm_pair(uint16_t first, uint16_t second, bool is_step, uint8_t *to_accumulator);

// ---- operands.c: the symbolic operand stack ---------------------------------------------------

// Puts an operand on the stack and returns its home.
uint16_t ag_wasm_push(struct ag_wasm_translator *t, uint8_t type, enum ag_wasm_operand_kind kind,
                      uint32_t value);
uint16_t ag_wasm_push_temp(struct ag_wasm_translator *t, uint8_t type);
// Takes one off that must have `type` (0: any).
struct ag_wasm_operand ag_wasm_pop(struct ag_wasm_translator *t, uint8_t type);
void ag_wasm_pop_types(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count);
void ag_wasm_push_types(struct ag_wasm_translator *t, const uint8_t *types, uint32_t count);
// The home that the next operand will have.
uint16_t ag_wasm_next_home(const struct ag_wasm_translator *t);

// The slot to read an operand from; a constant is put into its home first.
uint16_t ag_wasm_use(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand);
// The bits of a constant, an i32 sign-extended; whether they fit a constant operand.
uint64_t ag_wasm_constant_bits(const struct ag_wasm_translator *t,
                               const struct ag_wasm_operand *operand);
bool ag_wasm_is_short(const struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                      int32_t *value);
void ag_wasm_move(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                  uint16_t slot);
// Copies locals on the stack (those of `slot`, or all with AG_WASM_NONE) to their homes.
void ag_wasm_spill(struct ag_wasm_translator *t, uint16_t slot);
// Puts the top `count` operands into their homes.
void ag_wasm_settle(struct ag_wasm_translator *t, uint32_t count);
// Whether the last instruction made this operand and can be changed.
bool ag_wasm_is_fresh(const struct ag_wasm_translator *t, const struct ag_wasm_operand *operand);
// Whether the next instruction, emitted at once, may take this operand, which lies in `slot`, from
// the accumulator. If nothing else reads it, it is then not put into its slot.
bool ag_wasm_claim(struct ag_wasm_translator *t, const struct ag_wasm_operand *operand,
                   uint16_t slot);
// Charges what is not charged yet: the operand of a branch or call.
uint32_t ag_wasm_take_cost(struct ag_wasm_translator *t);
void ag_wasm_emit_cost(struct ag_wasm_translator *t);

// ---- control.c: blocks and branches ------------------------------------------------------------

void ag_wasm_control_type(const struct ag_wasm_translator *t, uint32_t block_type,
                          struct ag_wasm_function_type *type);
void ag_wasm_control_push(struct ag_wasm_translator *t, uint8_t opcode, uint32_t block_type);
void ag_wasm_translate_block(struct ag_wasm_translator *t, uint8_t opcode);
void ag_wasm_translate_else(struct ag_wasm_translator *t);
void ag_wasm_translate_end(struct ag_wasm_translator *t);
void ag_wasm_translate_branch(struct ag_wasm_translator *t, uint8_t opcode);
void ag_wasm_translate_return(struct ag_wasm_translator *t);
void ag_wasm_translate_call(struct ag_wasm_translator *t, uint8_t opcode);
void ag_wasm_set_unreachable(struct ag_wasm_translator *t);

// ---- numeric.c, memory.c ------------------------------------------------------------------------

// 0x45 to 0xC4, and 0xFC 0 to 7. Any other opcode is refused.
void ag_wasm_translate_numeric(struct ag_wasm_translator *t, uint8_t opcode);
void ag_wasm_translate_saturating(struct ag_wasm_translator *t, uint32_t opcode);
// The first instruction of the group of comparisons that `op` is in, or 0.
uint16_t ag_wasm_comparison_group(uint16_t op);
// 0x28 to 0x40, and 0xFC 8 to 17; 0x25 and 0x26.
void ag_wasm_translate_access(struct ag_wasm_translator *t, uint8_t opcode);
void ag_wasm_translate_bulk(struct ag_wasm_translator *t, uint32_t opcode);
void ag_wasm_translate_table(struct ag_wasm_translator *t, uint8_t opcode);

// ---- function.c
// ----------------------------------------------------------------------------------

// Translates the function whose body the reader stands at, `end` being its end. Leaves the
// code and the label table with the sink, and what its entry needs in *made.
void ag_wasm_translate_function(struct ag_wasm_translator *t, const uint8_t *end,
                                struct ag_wasm_made *made);

#endif
