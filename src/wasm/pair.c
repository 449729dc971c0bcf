// SPDX-License-Identifier: Apache-2.0
// Pairs of instructions under one number: which there are. opcodes.h lists them.
#include "base/config.h"
#include "translator.h"

#if AG_CFG_WASM_ACCUMULATOR

// What may come first and second, and the first pair's number. A second has one number, or two if
// its result can stay in the accumulator.
struct table {
    const uint8_t *first; // by instruction: 1 + its place in the table
    const uint8_t *second;
    uint16_t base;
    uint8_t seconds; // numbers for each first
    uint8_t forms;   // numbers for each second
};

// By instruction, its place in a list of firsts.
#define PLACE(list, name, operands)     list##_##name,
#define PLACE_BRANCH(X, name, operands) PLACE(BRANCH, name, operands)
#define PLACE_STEP(X, name, operands)   PLACE(STEP, name, operands)
#define PLACE_MOVE(X, name, operands)   PLACE(MOVE, name, operands)
#define PLACE_I32(X, name, operands)    PLACE(I32, name, operands)
#define PLACE_I64(X, name, operands)    PLACE(I64, name, operands)
#define PLACE_F32(X, name, operands)    PLACE(F32, name, operands)
#define PLACE_F64(X, name, operands)    PLACE(F64, name, operands)
enum branch_place {
    BRANCH_NONE,
    AG_FIRSTS_BRANCH(PLACE_BRANCH, )
};
enum step_place {
    STEP_NONE,
    AG_FIRSTS_STEP(PLACE_STEP, )
};
enum move_place {
    MOVE_NONE,
    AG_FIRSTS_MOVE(PLACE_MOVE, )
};
enum i32_place {
    I32_NONE,
    AG_FIRSTS_I32(PLACE_I32, )
};
enum i64_place {
    I64_NONE,
    AG_FIRSTS_I64(PLACE_I64, )
};
enum f32_place {
    F32_NONE,
    AG_FIRSTS_F32(PLACE_F32, )
};
enum f64_place {
    F64_NONE,
    AG_FIRSTS_F64(PLACE_F64, )
};
#define AT_BRANCH(X, name, operands) [AG_OP_##name] = BRANCH_##name,
#define AT_STEP(X, name, operands)   [AG_OP_##name] = STEP_##name,
#define AT_MOVE(X, name, operands)   [AG_OP_##name] = MOVE_##name,
#define AT_I32(X, name, operands)    [AG_OP_##name] = I32_##name,
#define AT_I64(X, name, operands)    [AG_OP_##name] = I64_##name,
#define AT_F32(X, name, operands)    [AG_OP_##name] = F32_##name,
#define AT_F64(X, name, operands)    [AG_OP_##name] = F64_##name,
static const uint8_t branch_firsts[AG_OP_COUNT] = { AG_FIRSTS_BRANCH(AT_BRANCH, ) };
static const uint8_t step_firsts[AG_OP_COUNT] = { AG_FIRSTS_STEP(AT_STEP, ) };
static const uint8_t move_firsts[AG_OP_COUNT] = { AG_FIRSTS_MOVE(AT_MOVE, ) };
static const uint8_t i32_firsts[AG_OP_COUNT] = { AG_FIRSTS_I32(AT_I32, ) };
static const uint8_t i64_firsts[AG_OP_COUNT] = { AG_FIRSTS_I64(AT_I64, ) };

// In the order of opcodes.h.
static const uint8_t branch_seconds[AG_OP_COUNT] = {
    [AG_OP_BR_IF_A] = 1,         [AG_OP_BR_UNLESS_A] = 2,     [AG_OP_BR_I32_EQ_A] = 3,
    [AG_OP_BR_I32_EQ_AK] = 4,    [AG_OP_BR_I32_NE_A] = 5,     [AG_OP_BR_I32_NE_AK] = 6,
    [AG_OP_BR_I32_LT_S_A] = 7,   [AG_OP_BR_I32_LT_S_AK] = 8,  [AG_OP_BR_I32_GE_S_A] = 9,
    [AG_OP_BR_I32_GE_S_AK] = 10, [AG_OP_BR_I32_LT_U_A] = 11,  [AG_OP_BR_I32_LT_U_AK] = 12,
    [AG_OP_BR_I32_GE_U_A] = 13,  [AG_OP_BR_I32_GE_U_AK] = 14,
};
static const uint8_t step_seconds[AG_OP_COUNT] = { [AG_OP_I32_ADD_K] = 1 };
static const uint8_t jump_seconds[AG_OP_COUNT] = { [AG_OP_BR] = 1 };
static const uint8_t copy_seconds[AG_OP_COUNT] = { [AG_OP_COPY32] = 1 };
static const uint8_t i32_seconds[AG_OP_COUNT] = {
    [AG_OP_I32_ADD_A] = 1, [AG_OP_I32_ADD_AK] = 2, [AG_OP_I32_AND_AK] = 3,
    [AG_OP_I32_XOR_A] = 4, [AG_OP_I32_OR_A] = 5,
};
static const uint8_t i64_seconds[AG_OP_COUNT] = {
    [AG_OP_I64_ADD_A] = 1,
    [AG_OP_I64_XOR_A] = 2,
    [AG_OP_I64_OR_A] = 3,
};
static const struct table step = { step_firsts, step_seconds, AG_OP_STORE8_A_THEN_STEP, 1, 1 };
static const struct table tables[] = {
    { branch_firsts, branch_seconds, AG_OP_I32_ADD_K_THEN_BR_IF, 14, 1 },
    { move_firsts, jump_seconds, AG_OP_COPY32_THEN_BR, 1, 1 },
    { move_firsts, copy_seconds, AG_OP_COPY32_THEN_COPY32, 1, 1 },
    { i32_firsts, i32_seconds, AG_OP_I32_SHL_RK_THEN_ADD, 10, 2 },
    { i64_firsts, i64_seconds, AG_OP_I64_SHL_RK_THEN_ADD, 6, 2 },
#if AG_CFG_WASM_FLOAT
#define FLOAT_SECONDS(bits)                                                                        \
    {                                                                                              \
        [AG_OP_F##bits##_ADD_A] = 1, [AG_OP_F##bits##_ADD_SA] = 2, [AG_OP_F##bits##_SUB_A] = 3,    \
        [AG_OP_F##bits##_SUB_SA] = 4, [AG_OP_F##bits##_MUL_A] = 5, [AG_OP_F##bits##_MUL_SA] = 6,   \
    }
    { (const uint8_t[AG_OP_COUNT]){ AG_FIRSTS_F32(AT_F32, ) },
      (const uint8_t[AG_OP_COUNT])FLOAT_SECONDS(32), AG_OP_F32_MUL_R_THEN_F_ADD, 12, 2 },
    { (const uint8_t[AG_OP_COUNT]){ AG_FIRSTS_F64(AT_F64, ) },
      (const uint8_t[AG_OP_COUNT])FLOAT_SECONDS(64), AG_OP_F64_MUL_R_THEN_F_ADD, 12, 2 },
#endif
};

// Most instructions come second in no pair.
static const bool is_second[AG_OP_COUNT] = {
    [AG_OP_BR] = true,
    [AG_OP_BR_IF_A] = true,
    [AG_OP_BR_UNLESS_A] = true,
    [AG_OP_COPY32] = true,
    [AG_OP_BR_I32_EQ_A] = true,
    [AG_OP_BR_I32_EQ_AK] = true,
    [AG_OP_BR_I32_NE_A] = true,
    [AG_OP_BR_I32_NE_AK] = true,
    [AG_OP_BR_I32_LT_S_A] = true,
    [AG_OP_BR_I32_LT_S_AK] = true,
    [AG_OP_BR_I32_GE_S_A] = true,
    [AG_OP_BR_I32_GE_S_AK] = true,
    [AG_OP_BR_I32_LT_U_A] = true,
    [AG_OP_BR_I32_LT_U_AK] = true,
    [AG_OP_BR_I32_GE_U_A] = true,
    [AG_OP_BR_I32_GE_U_AK] = true,
    [AG_OP_I32_ADD_A] = true,
    [AG_OP_I32_ADD_AK] = true,
    [AG_OP_I32_AND_AK] = true,
    [AG_OP_I32_XOR_A] = true,
    [AG_OP_I32_OR_A] = true,
    [AG_OP_I64_ADD_A] = true,
    [AG_OP_I64_XOR_A] = true,
    [AG_OP_I64_OR_A] = true,
    [AG_OP_F32_ADD_A] = true,
    [AG_OP_F32_ADD_SA] = true,
    [AG_OP_F32_SUB_A] = true,
    [AG_OP_F32_SUB_SA] = true,
    [AG_OP_F32_MUL_A] = true,
    [AG_OP_F32_MUL_SA] = true,
    [AG_OP_F64_ADD_A] = true,
    [AG_OP_F64_ADD_SA] = true,
    [AG_OP_F64_SUB_A] = true,
    [AG_OP_F64_SUB_SA] = true,
    [AG_OP_F64_MUL_A] = true,
    [AG_OP_F64_MUL_SA] = true,
};

static uint16_t find(const struct table *table, uint16_t first, uint16_t second)
{
    const uint32_t row = table->first[first];
    const uint32_t column = table->second[second];
    if (row == 0 || column == 0)
        return 0;
    return (uint16_t)(table->base + (row - 1) * table->seconds + (column - 1) * table->forms);
}

uint16_t ag_wasm_pair(uint16_t first, uint16_t second, bool is_step, uint8_t *to_accumulator)
{
    if (is_step)
        return find(&step, first, second);
    if (!is_second[second])
        return 0;
    for (uint32_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const uint16_t pair = find(&tables[i], first, second);
        if (pair == 0)
            continue;
        *to_accumulator = tables[i].forms == 2 ? AG_FORM_PAIR_R : 0;
        return pair;
    }
    return 0;
}

#else

uint16_t ag_wasm_pair(uint16_t first, uint16_t second, bool is_step, uint8_t *to_accumulator)
{
    (void)first;
    (void)second;
    (void)is_step;
    (void)to_accumulator;
    return 0;
}

#endif
