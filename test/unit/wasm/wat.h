// SPDX-License-Identifier: Apache-2.0
// For the tests of the engine: instructions as lists of bytes, for BYTES(...), and modules part by
// part, so that a test reads like the text format.
//
// Types are letters: i i32, l i64, f f32, d f64, r funcref, x externref; a signature is "ii:l".
#ifndef AG_TEST_WASM_WAT_H
#define AG_TEST_WASM_WAT_H

#include "engine.h"

enum {
    I32 = 0x7F,
    I64 = 0x7E,
    F32 = 0x7D,
    F64 = 0x7C,
    FUNCREF = 0x70,
    EXTERNREF = 0x6F,
    EMPTY = 0x40, // of a block
};

// Numbers in LEB128 of the greatest length, which is allowed.
#define LEB(n)                                                                                     \
    ((n)&0x7F) | 0x80, ((n) >> 7 & 0x7F) | 0x80, ((n) >> 14 & 0x7F) | 0x80,                        \
        ((n) >> 21 & 0x7F) | 0x80, (n) >> 28 & 0x0F
#define LEB_BYTE(n, at) ((uint8_t)((uint64_t)(n) >> (at)) & 0x7F) | 0x80
#define BYTE(n, at)     (uint8_t)((uint64_t)(n) >> (at))

#define I32_CONST(n)                                                                               \
    0x41, LEB_BYTE(n, 0), LEB_BYTE(n, 7), LEB_BYTE(n, 14), LEB_BYTE(n, 21),                        \
        (uint8_t)((int32_t)(n) >> 28) & 0x7F
#define I64_CONST(n)                                                                               \
    0x42, LEB_BYTE(n, 0), LEB_BYTE(n, 7), LEB_BYTE(n, 14), LEB_BYTE(n, 21), LEB_BYTE(n, 28),       \
        LEB_BYTE(n, 35), LEB_BYTE(n, 42), LEB_BYTE(n, 49), LEB_BYTE(n, 56),                        \
        (uint8_t)((int64_t)(n) >> 63) & 0x7F
#define F32_CONST(bits) 0x43, BYTE(bits, 0), BYTE(bits, 8), BYTE(bits, 16), BYTE(bits, 24)
#define F64_CONST(bits)                                                                            \
    0x44, BYTE(bits, 0), BYTE(bits, 8), BYTE(bits, 16), BYTE(bits, 24), BYTE(bits, 32),            \
        BYTE(bits, 40), BYTE(bits, 48), BYTE(bits, 56)

#define UNREACHABLE                0x00
#define NOP                        0x01
#define BLOCK(type)                0x02, type
#define LOOP(type)                 0x03, type
#define IF(type)                   0x04, type
#define ELSE                       0x05
#define END                        0x0B
#define BR(depth)                  0x0C, depth
#define BR_IF(depth)               0x0D, depth
#define BR_TABLE(count, ...)       0x0E, count, __VA_ARGS__
#define RETURN                     0x0F
#define CALL(function)             0x10, function
#define CALL_INDIRECT(type, table) 0x11, type, table
#define DROP                       0x1A
#define SELECT                     0x1B
#define SELECT_OF(type)            0x1C, 1, type
#define LOCAL_GET(n)               0x20, n
#define LOCAL_SET(n)               0x21, n
#define LOCAL_TEE(n)               0x22, n
#define GLOBAL_GET(n)              0x23, n
#define GLOBAL_SET(n)              0x24, n
#define TABLE_GET(n)               0x25, n
#define TABLE_SET(n)               0x26, n
#define MEMORY_SIZE                0x3F, 0
#define MEMORY_GROW                0x40, 0
#define I32_LOAD(offset)           0x28, 0, LEB(offset)
#define I32_LOAD8_S(offset)        0x2C, 0, LEB(offset)
#define I32_LOAD8_U(offset)        0x2D, 0, LEB(offset)
#define I32_STORE(offset)          0x36, 0, LEB(offset)
#define I32_STORE8(offset)         0x3A, 0, LEB(offset)
#define REF_NULL(type)             0xD0, type
#define REF_IS_NULL                0xD1
#define REF_FUNC(n)                0xD2, n
#define MEMORY_INIT(segment)       0xFC, 8, segment, 0
#define DATA_DROP(segment)         0xFC, 9, segment
#define MEMORY_COPY                0xFC, 10, 0, 0
#define MEMORY_FILL                0xFC, 11, 0
#define TABLE_INIT(segment, table) 0xFC, 12, segment, table
#define ELEM_DROP(segment)         0xFC, 13, segment
#define TABLE_COPY(to, from)       0xFC, 14, to, from
#define TABLE_GROW(n)              0xFC, 15, n
#define TABLE_SIZE(n)              0xFC, 16, n
#define TABLE_FILL(n)              0xFC, 17, n

enum {
    I32_EQZ = 0x45,
    I32_EQ = 0x46,
    I32_NE,
    I32_LT_S,
    I32_LT_U,
    I32_GT_S,
    I32_GT_U,
    I32_LE_S,
    I32_LE_U,
    I32_GE_S,
    I32_GE_U,
    I64_EQZ = 0x50,
    I32_ADD = 0x6A,
    I32_SUB = 0x6B,
    I32_MUL = 0x6C,
    I32_DIV_S = 0x6D,
    I32_AND = 0x71,
    I32_OR = 0x72,
    I32_XOR = 0x73,
    I64_ADD = 0x7C,
    I64_SUB = 0x7D,
    I64_MUL = 0x7E,
    I64_XOR = 0x85,
    F32_NEG = 0x8C,
    F64_NEG = 0x9A,
    F64_ADD = 0xA0,
    I32_WRAP_I64 = 0xA7,
    I64_EXTEND_I32_S = 0xAC,
    I64_EXTEND_I32_U = 0xAD,
    I32_REINTERPRET_F32 = 0xBC,
    I64_REINTERPRET_F64 = 0xBD,
    F32_REINTERPRET_I32 = 0xBE,
    F64_REINTERPRET_I64 = 0xBF,
};

// Bytes that are put together: a body, or the items of a section.
struct bytes {
    uint8_t at[1u << 19];
    uint32_t size;
};
void put(struct bytes *bytes, const uint8_t *more, size_t size);
void put_number(struct bytes *bytes, uint32_t value);

// A module being put together; imports come before functions. `section` holds the items.
struct wat {
    struct bytes section[13];
    uint32_t count[13];
    uint32_t functions; // imports counted
};
void wat_begin(struct wat *wat);
uint32_t wat_type(struct wat *wat, const char *signature);
uint32_t wat_import_function(struct wat *wat, const char *name, const char *signature);
// Any other import of "env"; `type` is what follows its name: the kind's byte and the type.
void wat_import(struct wat *wat, const char *name, const uint8_t *type, size_t size);
// The body goes from behind the locals to its end; exported if it has a name.
uint32_t wat_function(struct wat *wat, const char *name, const char *signature, const char *locals,
                      const uint8_t *body, size_t size);
void wat_export(struct wat *wat, const char *name, enum ag_wasm_kind kind, uint32_t index);
// One item of a section by its number: 4 table, 5 memory, 6 global, 9 element, 11 data.
void wat_item(struct wat *wat, uint8_t section, const uint8_t *bytes, size_t size);
void wat_end(struct wat *wat, struct module *module);

// Ends the module, makes an instance of it and calls an export with arguments in slots. Options of
// the engine that are set before stay.
enum ag_status wat_load(struct wat *wat, struct engine *engine);
enum ag_status wat_run(struct wat *wat, struct engine *engine, const char *name,
                       const uint32_t *args, uint32_t count);

// The value type behind a letter.
uint8_t wat_letter(char letter);

#endif
