// SPDX-License-Identifier: Apache-2.0
// The register bytecode: one row an instruction, X(NAME, operands).
//
// An instruction is its number in 16 bits and its operands in units of 16 bits. A letter an
// operand:
//   d D   destination slot of 32, 64 bits        h   constant of 16 bits, sign-extended
//   a A   source slot of 32, 64 bits             w   constant of 32 bits (2 units)
//   c     fuel that the instruction costs        q   constant of 64 bits (4 units)
//   n     any other number, unsigned             o   branch distance, units, from this unit
//   r R   slot of the return position; the result, if any, of 32, 64 bits goes to slot 0
//   b     callee's frame, slots from this one; always last in a call, for the return
//   g G   slot of an own global of 32, 64 bits   l L index of an imported global of 32, 64 bits
//   f     block of the entry of an own function  p   place of the entry in it, bytes; follows f
//   i     imported function
//   t     table                                  s   data segment
//   e     element segment                        j   the function that this instruction is in
//   k     label of this function                 u   n, and n + 1 labels follow
//   m     no operand: there is a memory
// Slots count from the running function's frame. verify.c checks by the letters alone that an
// instruction cannot lead the interpreter out of its memory, so whatever is used as a slot, an
// index or a place needs its letter. _K has a constant for its second operand and always follows
// its plain form.
//
// With AG_CFG_WASM_ACCUMULATOR every instruction that has a result leaves it in the accumulator
// too, and forms of the frequent ones take an operand from there or leave their result only there;
// they lack that operand's letter: _A the first source, _SA the second, _R the result. The
// instruction before such a form, in the same run of instructions without a label, call or
// suspension, has made the value. The forms of one instruction stand in a fixed order
// (AG_FORM_...), so that a form is found by addition.
#ifndef AG_WASM_OPCODES_H
#define AG_WASM_OPCODES_H

#include "base/config.h"

#if AG_CFG_WASM_ACCUMULATOR
#define AG_ACCUMULATOR(...) __VA_ARGS__
#else
#define AG_ACCUMULATOR(...)
#endif

// out, in: the letters of the destination and of the sources.
#define AG_BINARY(X, name, out, in)                                                                \
    X(name, out##in##in)                                                                           \
    X(name##_K, out##in##h)                                                                        \
    AG_ACCUMULATOR(X(name##_A, out##in) X(name##_AK, out##h) X(name##_SA, out##in) X(              \
        name##_R, in##in) X(name##_RK, in##h) X(name##_RA, in) X(name##_RAK, h) X(name##_RSA, in))

#define AG_FLOATING(X, name, out, in)                                                              \
    X(name, out##in##in)                                                                           \
    AG_ACCUMULATOR(X(name##_A, out##in) X(name##_SA, out##in) X(name##_R, in##in) X(name##_RA, in) \
                       X(name##_RSA, in))

#define AG_UNARY(X, name, out, in)                                                                 \
    X(name, out##in)                                                                               \
    AG_ACCUMULATOR(X(name##_A, out) X(name##_R, in) X(name##_RA, ))

// With a constant that needs all bits.
#define AG_WIDE(X, name)                                                                           \
    X(name, daw)                                                                                   \
    AG_ACCUMULATOR(X(name##_A, dw) X(name##_R, aw) X(name##_RA, w))

#define AG_BRANCH(X, name, in)                                                                     \
    X(name, in##in##co)                                                                            \
    X(name##_K, in##hco)                                                                           \
    AG_ACCUMULATOR(X(name##_A, in##co) X(name##_AK, hco) X(name##_SA, in##co))

// Address slot and offset, or _AT an address known before.
#define AG_LOAD(X, name, out)                                                                      \
    X(name, out##an)                                                                               \
    X(name##_AT, out##w)                                                                           \
    AG_ACCUMULATOR(X(name##_A, out##n) X(name##_R, an) X(name##_RA, n) X(name##_ATR, w))

// Address: a sum that wraps, then the offset.
#define AG_LOAD_PLUS(X, name, out)                                                                 \
    X(name, out##aan)                                                                              \
    X(name##_K, out##ahn)                                                                          \
    AG_ACCUMULATOR(X(name##_A, out##an) X(name##_AK, out##hn) X(name##_R, aan) X(name##_RK, ahn)   \
                       X(name##_RA, an) X(name##_RAK, hn))

// Value, address, offset; or _AT an address known before. The second operand is the address.
#define AG_STORE(X, name, in)                                                                      \
    X(name, in##an)                                                                                \
    X(name##_AT, in##w)                                                                            \
    AG_ACCUMULATOR(X(name##_A, an) X(name##_SA, in##n) X(name##_ATA, w))

#define AG_STORE_K(X, name)                                                                        \
    X(name, han)                                                                                   \
    AG_ACCUMULATOR(X(name##_SA, hn))

// From a form to another of the same instruction.
enum ag_op_form {
    AG_FORM_K = 1,        // second operand constant: binary, branch, load plus
    AG_FORM_AT = 1,       // address known: load, store
    AG_FORM_ONLY_A = 1,   // conditional branch, return, global, select
    AG_FORM_BINARY_A = 2, // plain and _K
    AG_FORM_BINARY_SA = 4,
    AG_FORM_BINARY_R = 5,
    AG_FORM_FLOAT_A = 1,
    AG_FORM_FLOAT_SA = 2,
    AG_FORM_FLOAT_R = 3,
    AG_FORM_UNARY_A = 1, // wide ones too
    AG_FORM_UNARY_R = 2,
    AG_FORM_BRANCH_A = 2,
    AG_FORM_BRANCH_SA = 4,
    AG_FORM_LOAD_A = 2,
    AG_FORM_LOAD_R = 3,
    AG_FORM_LOAD_RA = 2,  // from _A
    AG_FORM_LOAD_ATR = 4, // from _AT
    AG_FORM_LOAD_PLUS_A = 2,
    AG_FORM_LOAD_PLUS_R = 4,
    AG_FORM_STORE_A = 2,
    AG_FORM_STORE_SA = 3,
    AG_FORM_STORE_ATA = 3, // from _AT
    AG_FORM_STORE_K_SA = 1,
    AG_FORM_CONST_R = 1,
    AG_FORM_PAIR_R = 1,
    AG_FORM_BINARY_COUNT = AG_CFG_WASM_ACCUMULATOR ? 10 : 2,
    AG_FORM_BRANCH_COUNT = AG_CFG_WASM_ACCUMULATOR ? 5 : 2,
};

// Negation pairs: EQ NE, LT_S GE_S, LT_U GE_U.
#define AG_COMPARISONS(X, kind, prefix, ...)                                                       \
    kind(X, prefix##_EQ, __VA_ARGS__) kind(X, prefix##_NE, __VA_ARGS__)                            \
        kind(X, prefix##_LT_S, __VA_ARGS__) kind(X, prefix##_GE_S, __VA_ARGS__)                    \
            kind(X, prefix##_LT_U, __VA_ARGS__) kind(X, prefix##_GE_U, __VA_ARGS__)

#define AG_INTEGER(X, prefix, out, in)                                                             \
    AG_BINARY(X, prefix##_ADD, out, in)                                                            \
    AG_BINARY(X, prefix##_SUB, out, in)                                                            \
    AG_BINARY(X, prefix##_MUL, out, in)                                                            \
    AG_BINARY(X, prefix##_DIV_S, out, in)                                                          \
    AG_BINARY(X, prefix##_DIV_U, out, in)                                                          \
    AG_BINARY(X, prefix##_REM_S, out, in)                                                          \
    AG_BINARY(X, prefix##_REM_U, out, in)                                                          \
    AG_BINARY(X, prefix##_AND, out, in)                                                            \
    AG_BINARY(X, prefix##_OR, out, in)                                                             \
    AG_BINARY(X, prefix##_XOR, out, in)                                                            \
    AG_BINARY(X, prefix##_SHL, out, in)                                                            \
    AG_BINARY(X, prefix##_SHR_S, out, in)                                                          \
    AG_BINARY(X, prefix##_SHR_U, out, in)                                                          \
    AG_BINARY(X, prefix##_ROTL, out, in)                                                           \
    AG_BINARY(X, prefix##_ROTR, out, in)                                                           \
    AG_UNARY(X, prefix##_CLZ, out, in)                                                             \
    AG_UNARY(X, prefix##_CTZ, out, in)                                                             \
    AG_UNARY(X, prefix##_POPCNT, out, in)                                                          \
    AG_UNARY(X, prefix##_EXTEND8, out, in)                                                         \
    AG_UNARY(X, prefix##_EXTEND16, out, in)

#define AG_FLOAT(X, prefix, out, in)                                                               \
    AG_FLOATING(X, prefix##_ADD, out, in)                                                          \
    AG_FLOATING(X, prefix##_SUB, out, in)                                                          \
    AG_FLOATING(X, prefix##_MUL, out, in)                                                          \
    AG_FLOATING(X, prefix##_DIV, out, in)                                                          \
    AG_FLOATING(X, prefix##_MIN, out, in)                                                          \
    AG_FLOATING(X, prefix##_MAX, out, in)                                                          \
    AG_FLOATING(X, prefix##_COPYSIGN, out, in)                                                     \
    AG_UNARY(X, prefix##_ABS, out, in)                                                             \
    AG_UNARY(X, prefix##_NEG, out, in)                                                             \
    AG_UNARY(X, prefix##_CEIL, out, in)                                                            \
    AG_UNARY(X, prefix##_FLOOR, out, in)                                                           \
    AG_UNARY(X, prefix##_TRUNC, out, in)                                                           \
    AG_UNARY(X, prefix##_NEAREST, out, in)                                                         \
    AG_UNARY(X, prefix##_SQRT, out, in)                                                            \
    AG_FLOATING(X, prefix##_EQ, d, in)                                                             \
    AG_FLOATING(X, prefix##_NE, d, in)                                                             \
    AG_FLOATING(X, prefix##_LT, d, in)                                                             \
    AG_FLOATING(X, prefix##_LE, d, in)

// clang-format off
// Pairs, with the accumulator: an instruction and the one behind it under one number, the operands
// of the first before those of the second. Each table below names first instructions Y(X, name,
// operands) and what may follow; a row's number is base + first * seconds + second, where a second
// with a result has a form _R of its own that keeps it in the accumulator.
#define AG_FIRSTS_I32(Y, X)                                                                        \
    Y(X, I32_SHL_RK, ah) Y(X, I32_SHL_RAK, h) Y(X, I32_SHR_U_RK, ah) Y(X, I32_SHR_U_RAK, h)        \
    Y(X, I32_AND_RK, ah) Y(X, I32_AND_RAK, h) Y(X, I32_MUL_R, aa) Y(X, I32_MUL_RA, a)              \
    Y(X, I32_ADD_R, aa) Y(X, I32_ADD_RA, a) Y(X, I32_XOR_RA, a) Y(X, I32_ROTL_RK, ah)              \
    Y(X, I32_ROTL_RAK, h) Y(X, LOAD32_R, an) Y(X, LOAD32_PLUS_RK, ahn)
#define AG_SECONDS_I32(X, first, ops)                                                              \
    X(first##_THEN_ADD, ops##da) X(first##_THEN_ADD_R, ops##a)                                       \
    X(first##_THEN_ADDK, ops##dh) X(first##_THEN_ADDK_R, ops##h)                                     \
    X(first##_THEN_ANDK, ops##dh) X(first##_THEN_ANDK_R, ops##h)                                     \
    X(first##_THEN_XOR, ops##da) X(first##_THEN_XOR_R, ops##a)                                       \
    X(first##_THEN_OR, ops##da) X(first##_THEN_OR_R, ops##a)
#define AG_FIRSTS_I64(Y, X)                                                                        \
    Y(X, I64_SHL_RK, Ah) Y(X, I64_SHL_RAK, h) Y(X, I64_SHR_U_RK, Ah) Y(X, I64_SHR_U_RAK, h)        \
    Y(X, I64_ROTL_RK, Ah) Y(X, I64_ROTL_RAK, h) Y(X, I64_MUL_R, AA) Y(X, I64_MUL_RA, A)            \
    Y(X, I64_XOR_RA, A) Y(X, LOAD64_R, an)
#define AG_SECONDS_I64(X, first, ops)                                                              \
    X(first##_THEN_ADD, ops##DA) X(first##_THEN_ADD_R, ops##A)                                       \
    X(first##_THEN_XOR, ops##DA) X(first##_THEN_XOR_R, ops##A)                                       \
    X(first##_THEN_OR, ops##DA) X(first##_THEN_OR_R, ops##A)
#define AG_FIRSTS_F32(Y, X)                                                                        \
    Y(X, F32_MUL_R, aa) Y(X, F32_MUL_RA, a) Y(X, F32_MUL_RSA, a) Y(X, LOAD32_R, an)                \
    Y(X, LOAD32_PLUS_RK, ahn)
#define AG_FIRSTS_F64(Y, X)                                                                        \
    Y(X, F64_MUL_R, AA) Y(X, F64_MUL_RA, A) Y(X, F64_MUL_RSA, A) Y(X, LOAD64_R, an)                \
    Y(X, LOAD64_PLUS_RK, ahn)
#define AG_SECONDS_FLOAT(X, first, ops, out, in)                                                   \
    X(first##_THEN_F_ADD, ops##out##in) X(first##_THEN_F_ADD_R, ops##in)                             \
    X(first##_THEN_F_ADD_SA, ops##out##in) X(first##_THEN_F_ADD_RSA, ops##in)                        \
    X(first##_THEN_F_SUB, ops##out##in) X(first##_THEN_F_SUB_R, ops##in)                             \
    X(first##_THEN_F_SUB_SA, ops##out##in) X(first##_THEN_F_SUB_RSA, ops##in)                        \
    X(first##_THEN_F_MUL, ops##out##in) X(first##_THEN_F_MUL_R, ops##in)                             \
    X(first##_THEN_F_MUL_SA, ops##out##in) X(first##_THEN_F_MUL_RSA, ops##in)
#define AG_SECONDS_F32(X, first, ops) AG_SECONDS_FLOAT(X, first, ops, d, a)
#define AG_SECONDS_F64(X, first, ops) AG_SECONDS_FLOAT(X, first, ops, D, A)
#define AG_FIRSTS_BRANCH(Y, X)                                                                     \
    Y(X, I32_ADD_K, dah) Y(X, I32_ADD_RK, ah) Y(X, I32_AND_RK, ah) Y(X, I32_AND_RAK, h)            \
    Y(X, LOAD8_U, dan) Y(X, LOAD8_U_R, an) Y(X, LOAD8_U_PLUS_R, aan) Y(X, LOAD8_U_PLUS_RK, ahn)    \
    Y(X, LOAD32_R, an)
#define AG_SECONDS_BRANCH(X, first, ops)                                                           \
    X(first##_THEN_BR_IF, ops##co) X(first##_THEN_BR_UNLESS, ops##co)                                \
    X(first##_THEN_BR_EQ, ops##aco) X(first##_THEN_BR_EQ_K, ops##hco)                                \
    X(first##_THEN_BR_NE, ops##aco) X(first##_THEN_BR_NE_K, ops##hco)                                \
    X(first##_THEN_BR_LT_S, ops##aco) X(first##_THEN_BR_LT_S_K, ops##hco)                            \
    X(first##_THEN_BR_GE_S, ops##aco) X(first##_THEN_BR_GE_S_K, ops##hco)                            \
    X(first##_THEN_BR_LT_U, ops##aco) X(first##_THEN_BR_LT_U_K, ops##hco)                            \
    X(first##_THEN_BR_GE_U, ops##aco) X(first##_THEN_BR_GE_U_K, ops##hco)
#define AG_FIRSTS_MOVE(Y, X) Y(X, COPY32, da) Y(X, I32_ADD_K, dah)
#define AG_SECONDS_JUMP(X, first, ops) X(first##_THEN_BR, ops##co)
#define AG_SECONDS_COPY(X, first, ops) X(first##_THEN_COPY32, ops##da)
// What may come before a local's increment.
#define AG_FIRSTS_STEP(Y, X)                                                                       \
    Y(X, STORE8_A, an) Y(X, STORE32_A, an) Y(X, STORE64_A, an) Y(X, LOAD32, dan)                   \
    Y(X, LOAD8_U, dan) Y(X, I32_ADD_K, dah)
#define AG_SECONDS_STEP(X, first, ops) X(first##_THEN_STEP, ops##dah)

// The numbers of pairs.
#define AG_PAIR_OPS(X)                                                                             \
    AG_FIRSTS_BRANCH(AG_SECONDS_BRANCH, X)                                                         \
    AG_FIRSTS_STEP(AG_SECONDS_STEP, X)                                                             \
    AG_FIRSTS_MOVE(AG_SECONDS_COPY, X)                                                             \
    AG_FIRSTS_I32(AG_SECONDS_I32, X)                                                               \
    AG_FIRSTS_I64(AG_SECONDS_I64, X)
#define AG_FLOAT_PAIR_OPS(X)                                                                       \
    AG_FIRSTS_F32(AG_SECONDS_F32, X)                                                               \
    AG_FIRSTS_F64(AG_SECONDS_F64, X)

#define AG_OPS(X)                                                                                  \
    /* control: what never goes on to the next instruction comes first */                          \
    X(ILLEGAL, )                                                                                   \
    X(UNREACHABLE, )                                                                               \
    X(DONE, ) /* in the header: where the outermost call returns to */                             \
    X(BR, co)                                                                                      \
    X(BR_FAR, jk)                                                                                  \
    X(BR_TABLE, acju)                                                                              \
    X(RETURN, cr)                                                                                  \
    X(RETURN32, car)                                                                               \
    AG_ACCUMULATOR(X(RETURN32_A, cr))                                                              \
    X(RETURN64, cAR)                                                                               \
    AG_ACCUMULATOR(X(RETURN64_A, cR))                                                              \
    AG_ACCUMULATOR(AG_FIRSTS_MOVE(AG_SECONDS_JUMP, X))                                             \
    X(FUEL, c) /* the first that does */                                                           \
    X(BR_IF, aco)                                                                                  \
    AG_ACCUMULATOR(X(BR_IF_A, co))                                                                 \
    X(BR_UNLESS, aco)                                                                              \
    AG_ACCUMULATOR(X(BR_UNLESS_A, co))                                                             \
    X(CALL, cfpb)                                                                                  \
    X(CALL_IMPORT, cib)                                                                            \
    X(CALL_INDIRECT, catnb) /* element, table, type */                                             \
    AG_COMPARISONS(X, AG_BRANCH, BR_I32, a)                                                        \
    AG_COMPARISONS(X, AG_BRANCH, BR_I64, A)                                                        \
    /* effects */                                                                                  \
    X(GLOBAL_SET32, ga)                                                                            \
    AG_ACCUMULATOR(X(GLOBAL_SET32_A, g))                                                           \
    X(GLOBAL_SET64, GA)                                                                            \
    AG_ACCUMULATOR(X(GLOBAL_SET64_A, G))                                                           \
    X(LINKED_SET32, la)                                                                            \
    X(LINKED_SET64, LA)                                                                            \
    AG_STORE(X, STORE8, a)                                                                         \
    AG_STORE(X, STORE16, a)                                                                        \
    AG_STORE(X, STORE32, a)                                                                        \
    AG_STORE(X, STORE64, A)                                                                        \
    AG_STORE_K(X, STORE8_K)                                                                        \
    AG_STORE_K(X, STORE16_K)                                                                       \
    AG_STORE_K(X, STORE32_K)                                                                       \
    X(MEMORY_FILL, aaa)                                                                            \
    X(MEMORY_COPY, aaa)                                                                            \
    X(MEMORY_INIT, saaa)                                                                           \
    X(DATA_DROP, s)                                                                                \
    X(TABLE_SET, taa)                                                                              \
    X(TABLE_FILL, taaa)                                                                            \
    X(TABLE_COPY, ttaaa)                                                                           \
    X(TABLE_INIT, teaaa)                                                                           \
    X(ELEM_DROP, e)                                                                                \
    /* what leaves a result */                                                                     \
    X(COPY32, da)                                                                                  \
    X(COPY64, DA)                                                                                  \
    X(CONST32_K, dh)                                                                               \
    AG_ACCUMULATOR(X(CONST32_K_R, h))                                                              \
    X(CONST32, dw)                                                                                 \
    AG_ACCUMULATOR(X(CONST32_R, w))                                                                \
    X(CONST64_K, Dh)                                                                               \
    AG_ACCUMULATOR(X(CONST64_K_R, h))                                                              \
    X(CONST64, Dq)                                                                                 \
    AG_ACCUMULATOR(X(CONST64_R, q))                                                                \
    X(SELECT32, daaa)                                                                              \
    AG_ACCUMULATOR(X(SELECT32_A, daa))                                                             \
    X(SELECT64, DAAa)                                                                              \
    AG_ACCUMULATOR(X(SELECT64_A, DAA))                                                             \
    X(GLOBAL_GET32, dg)                                                                            \
    X(GLOBAL_GET64, DG)                                                                            \
    X(LINKED_GET32, dl)                                                                            \
    X(LINKED_GET64, DL)                                                                            \
    X(REF_FUNC, dn)                                                                                \
    /* integers */                                                                                 \
    AG_INTEGER(X, I32, d, a)                                                                       \
    AG_WIDE(X, I32_ADD_W)                                                                          \
    AG_WIDE(X, I32_MUL_W)                                                                          \
    AG_WIDE(X, I32_AND_W)                                                                          \
    AG_WIDE(X, I32_OR_W)                                                                           \
    AG_WIDE(X, I32_XOR_W)                                                                          \
    AG_COMPARISONS(X, AG_BINARY, I32, d, a)                                                        \
    AG_INTEGER(X, I64, D, A)                                                                       \
    AG_UNARY(X, I64_EXTEND32, D, A)                                                                \
    AG_COMPARISONS(X, AG_BINARY, I64, d, A)                                                        \
    AG_UNARY(X, I64_EXTEND_I32_S, D, a)                                                            \
    AG_UNARY(X, I64_EXTEND_I32_U, D, a)                                                            \
    /* memory */                                                                                   \
    AG_LOAD(X, LOAD32, d)                                                                          \
    AG_LOAD(X, LOAD8_S, d)                                                                         \
    AG_LOAD(X, LOAD8_U, d)                                                                         \
    AG_LOAD(X, LOAD16_S, d)                                                                        \
    AG_LOAD(X, LOAD16_U, d)                                                                        \
    AG_LOAD(X, LOAD64, D)                                                                          \
    AG_LOAD(X, LOAD64_8_S, D)                                                                      \
    AG_LOAD(X, LOAD64_8_U, D)                                                                      \
    AG_LOAD(X, LOAD64_16_S, D)                                                                     \
    AG_LOAD(X, LOAD64_16_U, D)                                                                     \
    AG_LOAD(X, LOAD64_32_S, D)                                                                     \
    AG_LOAD(X, LOAD64_32_U, D)                                                                     \
    AG_LOAD_PLUS(X, LOAD32_PLUS, d)                                                                \
    AG_LOAD_PLUS(X, LOAD8_U_PLUS, d)                                                               \
    AG_LOAD_PLUS(X, LOAD64_PLUS, D)                                                                \
    X(ADDRESS, daw) /* sum that traps when it leaves 32 bits */                                    \
    X(MEMORY_SIZE, dm)                                                                             \
    X(MEMORY_GROW, dam)                                                                            \
    /* tables */                                                                                   \
    X(TABLE_GET, dta)                                                                              \
    X(TABLE_SIZE, dt)                                                                              \
    X(TABLE_GROW, dtaa)                                                                            \
    AG_ACCUMULATOR(AG_PAIR_OPS(X))

// The numbers behind; a build without floats has no handlers for them.
#define AG_FLOAT_OPS(X)                                                                            \
    AG_FLOAT(X, F32, d, a)                                                                         \
    AG_FLOAT(X, F64, D, A)                                                                         \
    AG_UNARY(X, I32_TRUNC_F32_S, d, a)                                                             \
    AG_UNARY(X, I32_TRUNC_F32_U, d, a)                                                             \
    AG_UNARY(X, I32_TRUNC_F64_S, d, A)                                                             \
    AG_UNARY(X, I32_TRUNC_F64_U, d, A)                                                             \
    AG_UNARY(X, I64_TRUNC_F32_S, D, a)                                                             \
    AG_UNARY(X, I64_TRUNC_F32_U, D, a)                                                             \
    AG_UNARY(X, I64_TRUNC_F64_S, D, A)                                                             \
    AG_UNARY(X, I64_TRUNC_F64_U, D, A)                                                             \
    AG_UNARY(X, I32_TRUNC_SAT_F32_S, d, a)                                                         \
    AG_UNARY(X, I32_TRUNC_SAT_F32_U, d, a)                                                         \
    AG_UNARY(X, I32_TRUNC_SAT_F64_S, d, A)                                                         \
    AG_UNARY(X, I32_TRUNC_SAT_F64_U, d, A)                                                         \
    AG_UNARY(X, I64_TRUNC_SAT_F32_S, D, a)                                                         \
    AG_UNARY(X, I64_TRUNC_SAT_F32_U, D, a)                                                         \
    AG_UNARY(X, I64_TRUNC_SAT_F64_S, D, A)                                                         \
    AG_UNARY(X, I64_TRUNC_SAT_F64_U, D, A)                                                         \
    AG_UNARY(X, F32_CONVERT_I32_S, d, a)                                                           \
    AG_UNARY(X, F32_CONVERT_I32_U, d, a)                                                           \
    AG_UNARY(X, F32_CONVERT_I64_S, d, A)                                                           \
    AG_UNARY(X, F32_CONVERT_I64_U, d, A)                                                           \
    AG_UNARY(X, F64_CONVERT_I32_S, D, a)                                                           \
    AG_UNARY(X, F64_CONVERT_I32_U, D, a)                                                           \
    AG_UNARY(X, F64_CONVERT_I64_S, D, A)                                                           \
    AG_UNARY(X, F64_CONVERT_I64_U, D, A)                                                           \
    AG_UNARY(X, F32_DEMOTE, d, A)                                                                  \
    AG_UNARY(X, F64_PROMOTE, D, a)                                                                 \
    AG_ACCUMULATOR(AG_FLOAT_PAIR_OPS(X))

// clang-format on

#define AG_OP_ENUM(name, operands) AG_OP_##name,
enum ag_op {
    AG_OPS(AG_OP_ENUM) AG_FLOAT_OPS(AG_OP_ENUM) AG_OP_COUNT
};
#undef AG_OP_ENUM

#define AG_OP_FIRST_GOING_ON AG_OP_FUEL

#endif
