// SPDX-License-Identifier: Apache-2.0
// Pairs of instructions under one number: which there are. opcodes.h lists them.
#include "base/config.h"
#include "translator.h"

#if AG_CFG_WASM_ACCUMULATOR

// By instruction, 1 + its place in each list of firsts.
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

#if AG_CFG_WASM_FLOAT
static const uint8_t f32_firsts[AG_OP_COUNT] = { AG_FIRSTS_F32(AT_F32, ) };
static const uint8_t f64_firsts[AG_OP_COUNT] = { AG_FIRSTS_F64(AT_F64, ) };
#endif

// What comes second: after which instructions, the number of its pair with the first of them, from
// one of them to the next, and the way to its form that keeps the result in the accumulator.
struct second {
    const uint8_t *firsts;
    uint16_t pair;
    uint8_t step;
    uint8_t to_accumulator;
};

#define BRANCH(name)                                                                               \
    {                                                                                              \
        branch_firsts, AG_OP_I32_ADD_K_THEN_##name, 14, 0                                          \
    }
#define SECOND_I32(name)                                                                           \
    {                                                                                              \
        i32_firsts, AG_OP_I32_SHL_RK_THEN_##name, 10, AG_FORM_PAIR_R                               \
    }
#define SECOND_I64(name)                                                                           \
    {                                                                                              \
        i64_firsts, AG_OP_I64_SHL_RK_THEN_##name, 6, AG_FORM_PAIR_R                                \
    }
#define SECOND_F32(name)                                                                           \
    {                                                                                              \
        f32_firsts, AG_OP_F32_MUL_R_THEN_##name, 12, AG_FORM_PAIR_R                                \
    }
#define SECOND_F64(name)                                                                           \
    {                                                                                              \
        f64_firsts, AG_OP_F64_MUL_R_THEN_##name, 12, AG_FORM_PAIR_R                                \
    }
static const struct second seconds[AG_OP_COUNT] = {
    [AG_OP_BR] = { move_firsts, AG_OP_COPY32_THEN_BR, 1, 0 },
    [AG_OP_COPY32] = { move_firsts, AG_OP_COPY32_THEN_COPY32, 1, 0 },
    [AG_OP_BR_IF_A] = BRANCH(BR_IF),
    [AG_OP_BR_UNLESS_A] = BRANCH(BR_UNLESS),
    [AG_OP_BR_I32_EQ_A] = BRANCH(BR_EQ),
    [AG_OP_BR_I32_EQ_AK] = BRANCH(BR_EQ_K),
    [AG_OP_BR_I32_NE_A] = BRANCH(BR_NE),
    [AG_OP_BR_I32_NE_AK] = BRANCH(BR_NE_K),
    [AG_OP_BR_I32_LT_S_A] = BRANCH(BR_LT_S),
    [AG_OP_BR_I32_LT_S_AK] = BRANCH(BR_LT_S_K),
    [AG_OP_BR_I32_GE_S_A] = BRANCH(BR_GE_S),
    [AG_OP_BR_I32_GE_S_AK] = BRANCH(BR_GE_S_K),
    [AG_OP_BR_I32_LT_U_A] = BRANCH(BR_LT_U),
    [AG_OP_BR_I32_LT_U_AK] = BRANCH(BR_LT_U_K),
    [AG_OP_BR_I32_GE_U_A] = BRANCH(BR_GE_U),
    [AG_OP_BR_I32_GE_U_AK] = BRANCH(BR_GE_U_K),
    [AG_OP_I32_ADD_A] = SECOND_I32(ADD),
    [AG_OP_I32_ADD_AK] = SECOND_I32(ADDK),
    [AG_OP_I32_AND_AK] = SECOND_I32(ANDK),
    [AG_OP_I32_XOR_A] = SECOND_I32(XOR),
    [AG_OP_I32_OR_A] = SECOND_I32(OR),
    [AG_OP_I64_ADD_A] = SECOND_I64(ADD),
    [AG_OP_I64_XOR_A] = SECOND_I64(XOR),
    [AG_OP_I64_OR_A] = SECOND_I64(OR),
#if AG_CFG_WASM_FLOAT
    [AG_OP_F32_ADD_A] = SECOND_F32(F_ADD),
    [AG_OP_F32_ADD_SA] = SECOND_F32(F_ADD_SA),
    [AG_OP_F32_SUB_A] = SECOND_F32(F_SUB),
    [AG_OP_F32_SUB_SA] = SECOND_F32(F_SUB_SA),
    [AG_OP_F32_MUL_A] = SECOND_F32(F_MUL),
    [AG_OP_F32_MUL_SA] = SECOND_F32(F_MUL_SA),
    [AG_OP_F64_ADD_A] = SECOND_F64(F_ADD),
    [AG_OP_F64_ADD_SA] = SECOND_F64(F_ADD_SA),
    [AG_OP_F64_SUB_A] = SECOND_F64(F_SUB),
    [AG_OP_F64_SUB_SA] = SECOND_F64(F_SUB_SA),
    [AG_OP_F64_MUL_A] = SECOND_F64(F_MUL),
    [AG_OP_F64_MUL_SA] = SECOND_F64(F_MUL_SA),
#endif
};
static const struct second step = { step_firsts, AG_OP_STORE8_A_THEN_STEP, 1, 0 };

uint16_t ag_wasm_pair(uint16_t first, uint16_t second, bool is_step, uint8_t *to_accumulator)
{
    const struct second *found = is_step ? &step : &seconds[second];
    if ((is_step && second != AG_OP_I32_ADD_K) || found->firsts == NULL ||
        found->firsts[first] == 0)
        return 0;
    *to_accumulator = found->to_accumulator;
    return (uint16_t)(found->pair + (found->firsts[first] - 1u) * found->step);
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
