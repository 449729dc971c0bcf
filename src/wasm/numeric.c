// SPDX-License-Identifier: Apache-2.0
// Numeric instructions: one table row each.
//
// Constants become operands where they fit 16 bits. An integer comparison with its constant on
// the left, or one that exists only mirrored, is turned round: k < x is x >= k + 1.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

#define I32 AG_WASM_I32
#define I64 AG_WASM_I64
#define F32 AG_WASM_F32
#define F64 AG_WASM_F64

enum shape {
    UNARY = 0,
    BINARY = 1,  // integer, with a constant form
    COMPARE = 2, // integer LT or GE, with a constant form
    FLOAT = 3,   // binary, no constant form
    TEST = 4,    // comparison with zero
    SAME = 5,    // only the type changes
    SHAPE = 7,
    COMMUTES = 8,
    SWAPPED = 16, // the engine's operation has its operands the other way round
};

struct row {
    uint32_t in : 8;
    uint32_t out : 8;
    uint32_t shape : 5;
    uint32_t op : 11;
};
_Static_assert(AG_OP_COUNT <= 1u << 11, "a row holds the number of an instruction");

static const struct row rows[] = {
    { I32, I32, TEST, AG_OP_I32_EQ },                // 45
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_EQ },   // 46
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_NE },   // 47
    { I32, I32, COMPARE, AG_OP_I32_LT_S },           // 48
    { I32, I32, COMPARE, AG_OP_I32_LT_U },           // 49
    { I32, I32, COMPARE | SWAPPED, AG_OP_I32_LT_S }, // 4A
    { I32, I32, COMPARE | SWAPPED, AG_OP_I32_LT_U }, // 4B
    { I32, I32, COMPARE | SWAPPED, AG_OP_I32_GE_S }, // 4C
    { I32, I32, COMPARE | SWAPPED, AG_OP_I32_GE_U }, // 4D
    { I32, I32, COMPARE, AG_OP_I32_GE_S },           // 4E
    { I32, I32, COMPARE, AG_OP_I32_GE_U },           // 4F
    { I64, I32, TEST, AG_OP_I64_EQ },                // 50
    { I64, I32, BINARY | COMMUTES, AG_OP_I64_EQ },   // 51
    { I64, I32, BINARY | COMMUTES, AG_OP_I64_NE },   // 52
    { I64, I32, COMPARE, AG_OP_I64_LT_S },           // 53
    { I64, I32, COMPARE, AG_OP_I64_LT_U },           // 54
    { I64, I32, COMPARE | SWAPPED, AG_OP_I64_LT_S }, // 55
    { I64, I32, COMPARE | SWAPPED, AG_OP_I64_LT_U }, // 56
    { I64, I32, COMPARE | SWAPPED, AG_OP_I64_GE_S }, // 57
    { I64, I32, COMPARE | SWAPPED, AG_OP_I64_GE_U }, // 58
    { I64, I32, COMPARE, AG_OP_I64_GE_S },           // 59
    { I64, I32, COMPARE, AG_OP_I64_GE_U },           // 5A
    { F32, I32, FLOAT, AG_OP_F32_EQ },               // 5B
    { F32, I32, FLOAT, AG_OP_F32_NE },               // 5C
    { F32, I32, FLOAT, AG_OP_F32_LT },               // 5D
    { F32, I32, FLOAT | SWAPPED, AG_OP_F32_LT },     // 5E
    { F32, I32, FLOAT, AG_OP_F32_LE },               // 5F
    { F32, I32, FLOAT | SWAPPED, AG_OP_F32_LE },     // 60
    { F64, I32, FLOAT, AG_OP_F64_EQ },               // 61
    { F64, I32, FLOAT, AG_OP_F64_NE },               // 62
    { F64, I32, FLOAT, AG_OP_F64_LT },               // 63
    { F64, I32, FLOAT | SWAPPED, AG_OP_F64_LT },     // 64
    { F64, I32, FLOAT, AG_OP_F64_LE },               // 65
    { F64, I32, FLOAT | SWAPPED, AG_OP_F64_LE },     // 66
    { I32, I32, UNARY, AG_OP_I32_CLZ },              // 67
    { I32, I32, UNARY, AG_OP_I32_CTZ },              // 68
    { I32, I32, UNARY, AG_OP_I32_POPCNT },           // 69
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_ADD },  // 6A
    { I32, I32, BINARY, AG_OP_I32_SUB },             // 6B
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_MUL },  // 6C
    { I32, I32, BINARY, AG_OP_I32_DIV_S },           // 6D
    { I32, I32, BINARY, AG_OP_I32_DIV_U },           // 6E
    { I32, I32, BINARY, AG_OP_I32_REM_S },           // 6F
    { I32, I32, BINARY, AG_OP_I32_REM_U },           // 70
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_AND },  // 71
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_OR },   // 72
    { I32, I32, BINARY | COMMUTES, AG_OP_I32_XOR },  // 73
    { I32, I32, BINARY, AG_OP_I32_SHL },             // 74
    { I32, I32, BINARY, AG_OP_I32_SHR_S },           // 75
    { I32, I32, BINARY, AG_OP_I32_SHR_U },           // 76
    { I32, I32, BINARY, AG_OP_I32_ROTL },            // 77
    { I32, I32, BINARY, AG_OP_I32_ROTR },            // 78
    { I64, I64, UNARY, AG_OP_I64_CLZ },              // 79
    { I64, I64, UNARY, AG_OP_I64_CTZ },              // 7A
    { I64, I64, UNARY, AG_OP_I64_POPCNT },           // 7B
    { I64, I64, BINARY | COMMUTES, AG_OP_I64_ADD },  // 7C
    { I64, I64, BINARY, AG_OP_I64_SUB },             // 7D
    { I64, I64, BINARY | COMMUTES, AG_OP_I64_MUL },  // 7E
    { I64, I64, BINARY, AG_OP_I64_DIV_S },           // 7F
    { I64, I64, BINARY, AG_OP_I64_DIV_U },           // 80
    { I64, I64, BINARY, AG_OP_I64_REM_S },           // 81
    { I64, I64, BINARY, AG_OP_I64_REM_U },           // 82
    { I64, I64, BINARY | COMMUTES, AG_OP_I64_AND },  // 83
    { I64, I64, BINARY | COMMUTES, AG_OP_I64_OR },   // 84
    { I64, I64, BINARY | COMMUTES, AG_OP_I64_XOR },  // 85
    { I64, I64, BINARY, AG_OP_I64_SHL },             // 86
    { I64, I64, BINARY, AG_OP_I64_SHR_S },           // 87
    { I64, I64, BINARY, AG_OP_I64_SHR_U },           // 88
    { I64, I64, BINARY, AG_OP_I64_ROTL },            // 89
    { I64, I64, BINARY, AG_OP_I64_ROTR },            // 8A
    { F32, F32, UNARY, AG_OP_F32_ABS },              // 8B
    { F32, F32, UNARY, AG_OP_F32_NEG },              // 8C
    { F32, F32, UNARY, AG_OP_F32_CEIL },             // 8D
    { F32, F32, UNARY, AG_OP_F32_FLOOR },            // 8E
    { F32, F32, UNARY, AG_OP_F32_TRUNC },            // 8F
    { F32, F32, UNARY, AG_OP_F32_NEAREST },          // 90
    { F32, F32, UNARY, AG_OP_F32_SQRT },             // 91
    { F32, F32, FLOAT, AG_OP_F32_ADD },              // 92
    { F32, F32, FLOAT, AG_OP_F32_SUB },              // 93
    { F32, F32, FLOAT, AG_OP_F32_MUL },              // 94
    { F32, F32, FLOAT, AG_OP_F32_DIV },              // 95
    { F32, F32, FLOAT, AG_OP_F32_MIN },              // 96
    { F32, F32, FLOAT, AG_OP_F32_MAX },              // 97
    { F32, F32, FLOAT, AG_OP_F32_COPYSIGN },         // 98
    { F64, F64, UNARY, AG_OP_F64_ABS },              // 99
    { F64, F64, UNARY, AG_OP_F64_NEG },              // 9A
    { F64, F64, UNARY, AG_OP_F64_CEIL },             // 9B
    { F64, F64, UNARY, AG_OP_F64_FLOOR },            // 9C
    { F64, F64, UNARY, AG_OP_F64_TRUNC },            // 9D
    { F64, F64, UNARY, AG_OP_F64_NEAREST },          // 9E
    { F64, F64, UNARY, AG_OP_F64_SQRT },             // 9F
    { F64, F64, FLOAT, AG_OP_F64_ADD },              // A0
    { F64, F64, FLOAT, AG_OP_F64_SUB },              // A1
    { F64, F64, FLOAT, AG_OP_F64_MUL },              // A2
    { F64, F64, FLOAT, AG_OP_F64_DIV },              // A3
    { F64, F64, FLOAT, AG_OP_F64_MIN },              // A4
    { F64, F64, FLOAT, AG_OP_F64_MAX },              // A5
    { F64, F64, FLOAT, AG_OP_F64_COPYSIGN },         // A6
    { I64, I32, SAME, AG_OP_COPY32 },                // A7
    { F32, I32, UNARY, AG_OP_I32_TRUNC_F32_S },      // A8
    { F32, I32, UNARY, AG_OP_I32_TRUNC_F32_U },      // A9
    { F64, I32, UNARY, AG_OP_I32_TRUNC_F64_S },      // AA
    { F64, I32, UNARY, AG_OP_I32_TRUNC_F64_U },      // AB
    { I32, I64, UNARY, AG_OP_I64_EXTEND_I32_S },     // AC
    { I32, I64, UNARY, AG_OP_I64_EXTEND_I32_U },     // AD
    { F32, I64, UNARY, AG_OP_I64_TRUNC_F32_S },      // AE
    { F32, I64, UNARY, AG_OP_I64_TRUNC_F32_U },      // AF
    { F64, I64, UNARY, AG_OP_I64_TRUNC_F64_S },      // B0
    { F64, I64, UNARY, AG_OP_I64_TRUNC_F64_U },      // B1
    { I32, F32, UNARY, AG_OP_F32_CONVERT_I32_S },    // B2
    { I32, F32, UNARY, AG_OP_F32_CONVERT_I32_U },    // B3
    { I64, F32, UNARY, AG_OP_F32_CONVERT_I64_S },    // B4
    { I64, F32, UNARY, AG_OP_F32_CONVERT_I64_U },    // B5
    { F64, F32, UNARY, AG_OP_F32_DEMOTE },           // B6
    { I32, F64, UNARY, AG_OP_F64_CONVERT_I32_S },    // B7
    { I32, F64, UNARY, AG_OP_F64_CONVERT_I32_U },    // B8
    { I64, F64, UNARY, AG_OP_F64_CONVERT_I64_S },    // B9
    { I64, F64, UNARY, AG_OP_F64_CONVERT_I64_U },    // BA
    { F32, F64, UNARY, AG_OP_F64_PROMOTE },          // BB
    { F32, I32, SAME, AG_OP_COPY32 },                // BC
    { F64, I64, SAME, AG_OP_COPY64 },                // BD
    { I32, F32, SAME, AG_OP_COPY32 },                // BE
    { I64, F64, SAME, AG_OP_COPY64 },                // BF
    { I32, I32, UNARY, AG_OP_I32_EXTEND8 },          // C0
    { I32, I32, UNARY, AG_OP_I32_EXTEND16 },         // C1
    { I64, I64, UNARY, AG_OP_I64_EXTEND8 },          // C2
    { I64, I64, UNARY, AG_OP_I64_EXTEND16 },         // C3
    { I64, I64, UNARY, AG_OP_I64_EXTEND32 },         // C4
};

// What 0xFC 0 to 7 convert.
static const struct row saturating_rows[] = {
    { F32, I32, UNARY, AG_OP_I32_TRUNC_SAT_F32_S }, { F32, I32, UNARY, AG_OP_I32_TRUNC_SAT_F32_U },
    { F64, I32, UNARY, AG_OP_I32_TRUNC_SAT_F64_S }, { F64, I32, UNARY, AG_OP_I32_TRUNC_SAT_F64_U },
    { F32, I64, UNARY, AG_OP_I64_TRUNC_SAT_F32_S }, { F32, I64, UNARY, AG_OP_I64_TRUNC_SAT_F32_U },
    { F64, I64, UNARY, AG_OP_I64_TRUNC_SAT_F64_S }, { F64, I64, UNARY, AG_OP_I64_TRUNC_SAT_F64_U },
};

// The form of an integer instruction that has the constant `b` for its second operand.
static void emit_k(struct ag_wasm_translator *t, uint8_t type, uint16_t op,
                   const struct ag_wasm_operand *left, uint16_t b)
{
    const uint16_t a = ag_wasm_use(t, left);
    const bool is_kept = ag_wasm_claim(t, left, a);
    op = (uint16_t)(op + AG_FORM_K + (is_kept ? AG_FORM_BINARY_A : 0));
    ag_wasm_emit_result(t, op, 4, type, AG_FORM_BINARY_R);
    if (!is_kept)
        ag_wasm_emit_unit(t, a);
    ag_wasm_emit_unit(t, b);
}

// An instruction on two slots, of which one may be in the accumulator.
static void emit_binary(struct ag_wasm_translator *t, const struct row *row,
                        const struct ag_wasm_operand *left, const struct ag_wasm_operand *right)
{
    const bool is_float = (row->shape & SHAPE) == FLOAT;
    const uint16_t a = ag_wasm_use(t, left);
    const uint16_t b = ag_wasm_use(t, right);
    const bool has_left = ag_wasm_claim(t, left, a);
    const bool has_right = !has_left && ag_wasm_claim(t, right, b);
    uint32_t op = row->op;
    if (has_left || (has_right && (row->shape & COMMUTES)))
        op += is_float ? AG_FORM_FLOAT_A : AG_FORM_BINARY_A;
    else if (has_right)
        op += is_float ? AG_FORM_FLOAT_SA : AG_FORM_BINARY_SA;
    ag_wasm_emit_result(t, (uint16_t)op, 4, row->out,
                        is_float ? AG_FORM_FLOAT_R : AG_FORM_BINARY_R);
    if (!has_left)
        ag_wasm_emit_unit(t, a);
    if (!has_right)
        ag_wasm_emit_unit(t, b);
}

static void translate_unary(struct ag_wasm_translator *t, const struct row *row)
{
    const struct ag_wasm_operand operand = ag_wasm_pop(t, row->in);
    const uint16_t slot = ag_wasm_use(t, &operand);
    const bool is_kept = ag_wasm_claim(t, &operand, slot);
    ag_wasm_emit_result(t, (uint16_t)(row->op + (is_kept ? AG_FORM_UNARY_A : 0)), 3, row->out,
                        AG_FORM_UNARY_R);
    if (!is_kept)
        ag_wasm_emit_unit(t, slot);
}

// wrap and reinterpret: the value stays where it is.
static void translate_same(struct ag_wasm_translator *t, const struct row *row)
{
    struct ag_wasm_operand operand = ag_wasm_pop(t, row->in);
    if (operand.kind == AG_WASM_CONST) {
        ag_wasm_use(t, &operand);
        operand.kind = AG_WASM_TEMP;
    }
    ag_wasm_push(t, row->out, operand.kind, operand.value);
    if (row->in == I64 && row->out == I32)
        ag_wasm_emit_freeze(t); // the instruction before writes more slots than are left of it
}

uint16_t ag_wasm_comparison_group(uint16_t op)
{
    if (op >= AG_OP_I32_EQ && op < AG_OP_I32_EQ + 6 * AG_FORM_BINARY_COUNT)
        return AG_OP_I32_EQ;
    if (op >= AG_OP_I64_EQ && op < AG_OP_I64_EQ + 6 * AG_FORM_BINARY_COUNT)
        return AG_OP_I64_EQ;
    return 0;
}

// The opposite comparison in the same form.
static uint16_t negate(uint16_t op, uint16_t group)
{
    const bool is_second = (op - group) / AG_FORM_BINARY_COUNT % 2 != 0;
    return (uint16_t)(is_second ? op - AG_FORM_BINARY_COUNT : op + AG_FORM_BINARY_COUNT);
}

// x == 0. After an integer comparison of its own kind it is the opposite comparison.
static void translate_test(struct ag_wasm_translator *t, const struct row *row)
{
    const struct ag_wasm_operand operand = ag_wasm_pop(t, row->in);
    if (row->in == I32 && ag_wasm_is_fresh(t, &operand)) {
        uint16_t *op = &t->window[t->last];
        const uint16_t group = ag_wasm_comparison_group(*op);
        if (group != 0) {
            *op = negate(*op, group);
            ag_wasm_push_temp(t, I32);
            return;
        }
    }
    emit_k(t, I32, row->op, &operand, 0);
}

// A comparison LT or GE of `a` with the constant `b`, or, if `is_left`, of the constant with `a`.
// False if the constant does not fit.
static bool compare_constant(struct ag_wasm_translator *t, uint16_t op,
                             const struct ag_wasm_operand *a, const struct ag_wasm_operand *b,
                             bool is_left)
{
    int32_t value;
    if (!ag_wasm_is_short(t, b, &value))
        return false;
    if (is_left) { // k < a is a >= k + 1; k >= a is a < k + 1
        const bool is_signed = op == AG_OP_I32_LT_S || op == AG_OP_I32_GE_S ||
                               op == AG_OP_I64_LT_S || op == AG_OP_I64_GE_S;
        if (value == INT16_MAX || (value == -1 && !is_signed))
            return false;
        value++;
        op = negate(op, ag_wasm_comparison_group(op));
    }
    emit_k(t, I32, op, a, (uint16_t)value);
    return true;
}

// The form of an instruction that holds a whole i32, or 0.
static uint16_t wide_form(uint16_t op)
{
    switch (op) {
    case AG_OP_I32_ADD:
        return AG_OP_I32_ADD_W;
    case AG_OP_I32_MUL:
        return AG_OP_I32_MUL_W;
    case AG_OP_I32_AND:
        return AG_OP_I32_AND_W;
    case AG_OP_I32_OR:
        return AG_OP_I32_OR_W;
    case AG_OP_I32_XOR:
        return AG_OP_I32_XOR_W;
    default:
        return 0;
    }
}

static void emit_wide(struct ag_wasm_translator *t, uint16_t op, const struct ag_wasm_operand *left,
                      uint32_t constant)
{
    const uint16_t a = ag_wasm_use(t, left);
    const bool is_kept = ag_wasm_claim(t, left, a);
    ag_wasm_emit_result(t, (uint16_t)(op + (is_kept ? AG_FORM_UNARY_A : 0)), 5, I32,
                        AG_FORM_UNARY_R);
    if (!is_kept)
        ag_wasm_emit_unit(t, a);
    ag_wasm_emit_u32(t, constant);
}

static void translate_binary(struct ag_wasm_translator *t, const struct row *row)
{
    struct ag_wasm_operand right = ag_wasm_pop(t, row->in);
    struct ag_wasm_operand left = ag_wasm_pop(t, row->in);
    const uint8_t shape = row->shape & SHAPE;
    int32_t value;
    if (t->reader.status != AG_OK)
        return;
    if ((row->shape & SWAPPED) ||
        ((row->shape & COMMUTES) && left.kind == AG_WASM_CONST && right.kind != AG_WASM_CONST)) {
        const struct ag_wasm_operand other = left;
        left = right;
        right = other;
    }
    if (shape == COMPARE && right.kind == AG_WASM_CONST && left.kind != AG_WASM_CONST &&
        compare_constant(t, row->op, &left, &right, false))
        return;
    if (shape == COMPARE && left.kind == AG_WASM_CONST && right.kind != AG_WASM_CONST &&
        compare_constant(t, row->op, &right, &left, true))
        return;
    if (shape == BINARY && ag_wasm_is_short(t, &right, &value)) {
        emit_k(t, row->out, row->op, &left, (uint16_t)value);
        return;
    }
    const uint16_t wide = wide_form(row->op);
    if (wide != 0 && right.kind == AG_WASM_CONST) {
        emit_wide(t, wide, &left, right.value);
        return;
    }
    emit_binary(t, row, &left, &right);
}

static void translate_row(struct ag_wasm_translator *t, const struct row *row)
{
    switch (row->shape & SHAPE) {
    case UNARY:
        translate_unary(t, row);
        break;
    case TEST:
        translate_test(t, row);
        break;
    case SAME:
        translate_same(t, row);
        break;
    default:
        translate_binary(t, row);
    }
}

void ag_wasm_translate_numeric(struct ag_wasm_translator *t, uint8_t opcode)
{
    if (opcode < 0x45 || opcode > 0xC4)
        ag_wasm_fail(t, AG_ERR_WASM_MALFORMED);
    else
        translate_row(t, &rows[opcode - 0x45]);
}

void ag_wasm_translate_saturating(struct ag_wasm_translator *t, uint32_t opcode)
{
    translate_row(t, &saturating_rows[opcode]);
}

#endif
