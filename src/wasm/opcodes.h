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
//   f     own function                           i   imported function
//   t     table                                  s   data segment
//   e     element segment                        j   the function that this instruction is in
//   k     label of this function                 u   n, and n + 1 labels follow
//   m     no operand: there is a memory
// Slots count from the running function's frame. verify.c checks by the letters alone that an
// instruction cannot lead the interpreter out of its memory, so whatever is used as a slot, an
// index or a place needs its letter. _K has a constant for its second operand and always follows
// its plain form. In a group of comparisons the negation is two rows away.
#ifndef AG_WASM_OPCODES_H
#define AG_WASM_OPCODES_H

#define AG_BINARY(X, name, operands, operands_k) X(name, operands) X(name##_K, operands_k)

// Negation pairs: EQ NE, LT_S GE_S, LT_U GE_U.
#define AG_COMPARISONS(X, prefix, operands, operands_k)                                            \
    AG_BINARY(X, prefix##_EQ, operands, operands_k)                                                \
    AG_BINARY(X, prefix##_NE, operands, operands_k)                                                \
    AG_BINARY(X, prefix##_LT_S, operands, operands_k)                                              \
    AG_BINARY(X, prefix##_GE_S, operands, operands_k)                                              \
    AG_BINARY(X, prefix##_LT_U, operands, operands_k)                                              \
    AG_BINARY(X, prefix##_GE_U, operands, operands_k)

#define AG_INTEGER(X, prefix, operands, operands_k, unary)                                         \
    AG_BINARY(X, prefix##_ADD, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_SUB, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_MUL, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_DIV_S, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_DIV_U, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_REM_S, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_REM_U, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_AND, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_OR, operands, operands_k)                                                \
    AG_BINARY(X, prefix##_XOR, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_SHL, operands, operands_k)                                               \
    AG_BINARY(X, prefix##_SHR_S, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_SHR_U, operands, operands_k)                                             \
    AG_BINARY(X, prefix##_ROTL, operands, operands_k)                                              \
    AG_BINARY(X, prefix##_ROTR, operands, operands_k)                                              \
    X(prefix##_CLZ, unary)                                                                         \
    X(prefix##_CTZ, unary)                                                                         \
    X(prefix##_POPCNT, unary)                                                                      \
    X(prefix##_EXTEND8, unary)                                                                     \
    X(prefix##_EXTEND16, unary)

#define AG_FLOAT(X, prefix, binary, unary, compare)                                                \
    X(prefix##_ADD, binary)                                                                        \
    X(prefix##_SUB, binary)                                                                        \
    X(prefix##_MUL, binary)                                                                        \
    X(prefix##_DIV, binary)                                                                        \
    X(prefix##_MIN, binary)                                                                        \
    X(prefix##_MAX, binary)                                                                        \
    X(prefix##_COPYSIGN, binary)                                                                   \
    X(prefix##_ABS, unary)                                                                         \
    X(prefix##_NEG, unary)                                                                         \
    X(prefix##_CEIL, unary)                                                                        \
    X(prefix##_FLOOR, unary)                                                                       \
    X(prefix##_TRUNC, unary)                                                                       \
    X(prefix##_NEAREST, unary)                                                                     \
    X(prefix##_SQRT, unary)                                                                        \
    X(prefix##_EQ, compare)                                                                        \
    X(prefix##_NE, compare)                                                                        \
    X(prefix##_LT, compare)                                                                        \
    X(prefix##_LE, compare)

#define AG_OPS(X)                                                                                  \
    /* control: what never goes on to the next instruction comes first */                          \
    X(ILLEGAL, )                                                                                   \
    X(UNREACHABLE, )                                                                               \
    X(BR, co)                                                                                      \
    X(BR_FAR, jk)                                                                                  \
    X(BR_TABLE, acju)                                                                              \
    X(RETURN, cr)                                                                                  \
    X(RETURN32, car)                                                                               \
    X(RETURN64, cAR)                                                                               \
    X(FUEL, c) /* the first that does */                                                           \
    X(BR_IF, aco)                                                                                  \
    X(BR_UNLESS, aco)                                                                              \
    X(CALL, cfb)                                                                                   \
    X(CALL_IMPORT, cib)                                                                            \
    X(CALL_INDIRECT, catnb) /* element, table, type */                                             \
    AG_COMPARISONS(X, BR_I32, aaco, ahco)                                                          \
    AG_COMPARISONS(X, BR_I64, AAco, Ahco)                                                          \
    /* effects */                                                                                  \
    X(GLOBAL_SET32, ga)                                                                            \
    X(GLOBAL_SET64, GA)                                                                            \
    X(LINKED_SET32, la)                                                                            \
    X(LINKED_SET64, LA)                                                                            \
    X(STORE8, aan)                                                                                 \
    X(STORE8_AT, aw)                                                                               \
    X(STORE16, aan)                                                                                \
    X(STORE16_AT, aw)                                                                              \
    X(STORE32, aan)                                                                                \
    X(STORE32_AT, aw)                                                                              \
    X(STORE64, Aan)                                                                                \
    X(STORE64_AT, Aw)                                                                              \
    X(STORE8_K, han)                                                                               \
    X(STORE16_K, han)                                                                              \
    X(STORE32_K, han)                                                                              \
    X(MEMORY_FILL, aaa)                                                                            \
    X(MEMORY_COPY, aaa)                                                                            \
    X(MEMORY_INIT, saaa)                                                                           \
    X(DATA_DROP, s)                                                                                \
    X(TABLE_SET, taa)                                                                              \
    X(TABLE_FILL, taaa)                                                                            \
    X(TABLE_COPY, ttaaa)                                                                           \
    X(TABLE_INIT, teaaa)                                                                           \
    X(ELEM_DROP, e)                                                                                \
    /* results: from here on the first operand is a destination */                                 \
    X(COPY32, da)                                                                                  \
    X(COPY64, DA)                                                                                  \
    X(CONST32_K, dh)                                                                               \
    X(CONST32, dw)                                                                                 \
    X(CONST64_K, Dh)                                                                               \
    X(CONST64, Dq)                                                                                 \
    X(SELECT32, daaa)                                                                              \
    X(SELECT64, DAAa)                                                                              \
    X(GLOBAL_GET32, dg)                                                                            \
    X(GLOBAL_GET64, DG)                                                                            \
    X(LINKED_GET32, dl)                                                                            \
    X(LINKED_GET64, DL)                                                                            \
    X(REF_FUNC, dn)                                                                                \
    /* integers */                                                                                 \
    AG_INTEGER(X, I32, daa, dah, da)                                                               \
    X(I32_ADD_W, daw) /* with a constant that needs all bits */                                    \
    X(I32_MUL_W, daw)                                                                              \
    X(I32_AND_W, daw)                                                                              \
    X(I32_OR_W, daw)                                                                               \
    X(I32_XOR_W, daw)                                                                              \
    AG_COMPARISONS(X, I32, daa, dah)                                                               \
    AG_INTEGER(X, I64, DAA, DAh, DA)                                                               \
    X(I64_EXTEND32, DA)                                                                            \
    AG_COMPARISONS(X, I64, dAA, dAh)                                                               \
    X(I64_EXTEND_I32_S, Da)                                                                        \
    X(I64_EXTEND_I32_U, Da)                                                                        \
    /* memory: address slot and offset, or _AT an address known before */                          \
    X(LOAD32, dan)                                                                                 \
    X(LOAD32_AT, dw)                                                                               \
    X(LOAD8_S, dan)                                                                                \
    X(LOAD8_S_AT, dw)                                                                              \
    X(LOAD8_U, dan)                                                                                \
    X(LOAD8_U_AT, dw)                                                                              \
    X(LOAD16_S, dan)                                                                               \
    X(LOAD16_S_AT, dw)                                                                             \
    X(LOAD16_U, dan)                                                                               \
    X(LOAD16_U_AT, dw)                                                                             \
    X(LOAD64, Dan)                                                                                 \
    X(LOAD64_AT, Dw)                                                                               \
    X(LOAD64_8_S, Dan)                                                                             \
    X(LOAD64_8_S_AT, Dw)                                                                           \
    X(LOAD64_8_U, Dan)                                                                             \
    X(LOAD64_8_U_AT, Dw)                                                                           \
    X(LOAD64_16_S, Dan)                                                                            \
    X(LOAD64_16_S_AT, Dw)                                                                          \
    X(LOAD64_16_U, Dan)                                                                            \
    X(LOAD64_16_U_AT, Dw)                                                                          \
    X(LOAD64_32_S, Dan)                                                                            \
    X(LOAD64_32_S_AT, Dw)                                                                          \
    X(LOAD64_32_U, Dan)                                                                            \
    X(LOAD64_32_U_AT, Dw)                                                                          \
    X(LOAD32_PLUS, daan) /* address: a sum that wraps, then the offset */                          \
    X(LOAD32_PLUS_K, dahn)                                                                         \
    X(LOAD8_U_PLUS, daan)                                                                          \
    X(LOAD8_U_PLUS_K, dahn)                                                                        \
    X(LOAD64_PLUS, Daan)                                                                           \
    X(LOAD64_PLUS_K, Dahn)                                                                         \
    X(ADDRESS, daw) /* sum that traps when it leaves 32 bits */                                    \
    X(MEMORY_SIZE, dm)                                                                             \
    X(MEMORY_GROW, dam)                                                                            \
    /* tables */                                                                                   \
    X(TABLE_GET, dta)                                                                              \
    X(TABLE_SIZE, dt)                                                                              \
    X(TABLE_GROW, dtaa)

// The numbers behind; a build without floats has no handlers for them.
#define AG_FLOAT_OPS(X)                                                                            \
    AG_FLOAT(X, F32, daa, da, daa)                                                                 \
    AG_FLOAT(X, F64, DAA, DA, dAA)                                                                 \
    X(I32_TRUNC_F32_S, da)                                                                         \
    X(I32_TRUNC_F32_U, da)                                                                         \
    X(I32_TRUNC_F64_S, dA)                                                                         \
    X(I32_TRUNC_F64_U, dA)                                                                         \
    X(I64_TRUNC_F32_S, Da)                                                                         \
    X(I64_TRUNC_F32_U, Da)                                                                         \
    X(I64_TRUNC_F64_S, DA)                                                                         \
    X(I64_TRUNC_F64_U, DA)                                                                         \
    X(I32_TRUNC_SAT_F32_S, da)                                                                     \
    X(I32_TRUNC_SAT_F32_U, da)                                                                     \
    X(I32_TRUNC_SAT_F64_S, dA)                                                                     \
    X(I32_TRUNC_SAT_F64_U, dA)                                                                     \
    X(I64_TRUNC_SAT_F32_S, Da)                                                                     \
    X(I64_TRUNC_SAT_F32_U, Da)                                                                     \
    X(I64_TRUNC_SAT_F64_S, DA)                                                                     \
    X(I64_TRUNC_SAT_F64_U, DA)                                                                     \
    X(F32_CONVERT_I32_S, da)                                                                       \
    X(F32_CONVERT_I32_U, da)                                                                       \
    X(F32_CONVERT_I64_S, dA)                                                                       \
    X(F32_CONVERT_I64_U, dA)                                                                       \
    X(F64_CONVERT_I32_S, Da)                                                                       \
    X(F64_CONVERT_I32_U, Da)                                                                       \
    X(F64_CONVERT_I64_S, DA)                                                                       \
    X(F64_CONVERT_I64_U, DA)                                                                       \
    X(F32_DEMOTE, dA)                                                                              \
    X(F64_PROMOTE, Da)

#define AG_OP_ENUM(name, operands) AG_OP_##name,
enum ag_op {
    AG_OPS(AG_OP_ENUM) AG_FLOAT_OPS(AG_OP_ENUM) AG_OP_COUNT
};
#undef AG_OP_ENUM

#define AG_OP_FIRST_RESULT   AG_OP_COPY32
#define AG_OP_FIRST_GOING_ON AG_OP_FUEL

#endif
