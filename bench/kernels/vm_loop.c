// SPDX-License-Identifier: Apache-2.0
// An interpreter in the interpreter: a stack machine's loop over a switch. Its program looks for
// the number of a range with the longest Collatz sequence, and calls a subroutine for each.
#include "kernel.h"

enum op {
    OP_PUSH,
    OP_LOAD, // a variable
    OP_STORE,
    OP_ADD,
    OP_ADD_CONSTANT,
    OP_SUB,
    OP_MUL,
    OP_AND,
    OP_SHIFT_RIGHT,
    OP_LESS,
    OP_EQUAL,
    OP_NOT,
    OP_JUMP, // to an instruction by number
    OP_JUMP_ZERO,
    OP_CALL,
    OP_RETURN,
    OP_DUPLICATE,
    OP_DROP,
    OP_HALT, // with the top of the stack
};

enum {
    N,
    BEST,
    BEST_N,
    LIMIT,
    FIRST,
    X,
    LENGTH,
    VARIABLE_COUNT,
    COLLATZ = 26, // the subroutine: the length of the sequence from X, pushed
};

struct instruction {
    uint8_t op;
    uint8_t operand;
};

static const struct instruction program[] = {
    { OP_LOAD, FIRST },     { OP_STORE, N },        { OP_PUSH, 0 },
    { OP_STORE, BEST },     { OP_LOAD, N }, // 4: while N < LIMIT
    { OP_LOAD, LIMIT },     { OP_LESS, 0 },         { OP_JUMP_ZERO, 24 },
    { OP_LOAD, N },         { OP_STORE, X },        { OP_CALL, COLLATZ },
    { OP_STORE, LENGTH },   { OP_LOAD, BEST },      { OP_LOAD, LENGTH },
    { OP_LESS, 0 },         { OP_JUMP_ZERO, 20 },   { OP_LOAD, LENGTH },
    { OP_STORE, BEST },     { OP_LOAD, N },         { OP_STORE, BEST_N },
    { OP_LOAD, N }, // 20: the next N
    { OP_ADD_CONSTANT, 1 }, { OP_STORE, N },        { OP_JUMP, 4 },
    { OP_LOAD, BEST_N },                    // 24: done
    { OP_HALT, 0 },         { OP_PUSH, 0 }, // 26: the subroutine
    { OP_LOAD, X },                         // 27: until X is 1
    { OP_PUSH, 1 },         { OP_EQUAL, 0 },        { OP_JUMP_ZERO, 32 },
    { OP_RETURN, 0 },       { OP_ADD_CONSTANT, 1 }, // 32: one step more
    { OP_LOAD, X },         { OP_PUSH, 1 },         { OP_AND, 0 },
    { OP_JUMP_ZERO, 42 },   { OP_LOAD, X },         { OP_PUSH, 3 },
    { OP_MUL, 0 },          { OP_ADD_CONSTANT, 1 }, { OP_JUMP, 45 },
    { OP_LOAD, X },                                                  // 42: it is even
    { OP_PUSH, 1 },         { OP_SHIFT_RIGHT, 0 },  { OP_STORE, X }, // 45
    { OP_JUMP, 27 },
};

static uint32_t run(uint32_t *variables)
{
    uint32_t stack[16];
    uint32_t returns[8];
    uint32_t *top = stack; // the first free place
    uint32_t depth = 0;
    uint32_t pc = 0;
    for (;;) {
        const struct instruction now = program[pc++];
        switch ((enum op)now.op) {
        case OP_PUSH:
            *top++ = now.operand;
            break;
        case OP_LOAD:
            *top++ = variables[now.operand];
            break;
        case OP_STORE:
            variables[now.operand] = *--top;
            break;
        case OP_ADD:
            top--;
            top[-1] += top[0];
            break;
        case OP_ADD_CONSTANT:
            top[-1] += now.operand;
            break;
        case OP_SUB:
            top--;
            top[-1] -= top[0];
            break;
        case OP_MUL:
            top--;
            top[-1] *= top[0];
            break;
        case OP_AND:
            top--;
            top[-1] &= top[0];
            break;
        case OP_SHIFT_RIGHT:
            top--;
            top[-1] >>= top[0] & 31;
            break;
        case OP_LESS:
            top--;
            top[-1] = top[-1] < top[0];
            break;
        case OP_EQUAL:
            top--;
            top[-1] = top[-1] == top[0];
            break;
        case OP_NOT:
            top[-1] = !top[-1];
            break;
        case OP_JUMP:
            pc = now.operand;
            break;
        case OP_JUMP_ZERO:
            if (*--top == 0)
                pc = now.operand;
            break;
        case OP_CALL:
            returns[depth++] = pc;
            pc = now.operand;
            break;
        case OP_RETURN:
            pc = returns[--depth];
            break;
        case OP_DUPLICATE:
            top[0] = top[-1];
            top++;
            break;
        case OP_DROP:
            top--;
            break;
        case OP_HALT:
            return top[-1];
        }
    }
}

uint32_t kernel_vm_loop(uint32_t rounds)
{
    uint32_t seed = 173205080u;
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        const uint32_t first = 1 + (kernel_random(&seed) & 0xFFFF);
        uint32_t variables[VARIABLE_COUNT] = { [FIRST] = first, [LIMIT] = first + 4 };
        sum = kernel_mix(sum, run(variables));
        sum = kernel_mix(sum, variables[BEST]);
    }
    return sum;
}
