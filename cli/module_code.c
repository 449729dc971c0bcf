// SPDX-License-Identifier: Apache-2.0
// Skims code: opcode by opcode, immediates skipped by table.
#include "cli/module_code.h"

#include <string.h>

#include "cli/module.h"

enum ag_module_immediates ag_module_code_immediates(uint8_t opcode)
{
    if (opcode >= 0x45 && opcode <= 0xC4)
        return AG_MODULE_NONE; // comparisons, arithmetic, conversions
    if (opcode >= 0x28 && opcode <= 0x3E)
        return AG_MODULE_LEB_LEB; // loads and stores: alignment, offset
    if (opcode >= 0x20 && opcode <= 0x26)
        return AG_MODULE_LEB; // locals, globals, tables
    switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0B: // end
    case 0x0F: // return
    case 0x1A: // drop
    case 0x1B: // select
    case 0xD1: // ref.is_null
        return AG_MODULE_NONE;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x41: // i32.const
    case 0x42: // i64.const
        return AG_MODULE_SIGNED_LEB;
    case 0x0C: // br
    case 0x0D: // br_if
    case 0x10: // call
    case 0xD2: // ref.func
        return AG_MODULE_LEB;
    case 0x0E: // br_table
        return AG_MODULE_VECTOR_LEB;
    case 0x11: // call_indirect
        return AG_MODULE_LEB_LEB;
    case 0x1C: // select with types
        return AG_MODULE_BYTE_TYPES;
    case 0x3F: // memory.size
    case 0x40: // memory.grow
    case 0xD0: // ref.null
        return AG_MODULE_BYTE;
    case 0x43:
        return AG_MODULE_BYTES_4;
    case 0x44:
        return AG_MODULE_BYTES_8;
    case 0xFC:
        return AG_MODULE_PREFIX;
    }
    return AG_MODULE_UNKNOWN;
}

enum ag_module_immediates ag_module_code_immediates_prefixed(uint32_t opcode)
{
    if (opcode <= 7)
        return AG_MODULE_NONE; // saturating conversions
    switch (opcode) {
    case 8:  // memory.init
    case 10: // memory.copy
    case 12: // table.init
    case 14: // table.copy
        return AG_MODULE_LEB_LEB;
    case 9:  // data.drop
    case 11: // memory.fill
    case 13: // elem.drop
    case 15: // table.grow
    case 16: // table.size
    case 17: // table.fill
        return AG_MODULE_LEB;
    }
    return AG_MODULE_UNKNOWN;
}

// Any LEB128 of up to 64 bits: what it says does not matter here.
static void skip_leb(struct ag_reader *reader)
{
    for (int i = 0; i < 10; i++) {
        if (!(ag_reader_u8(reader) & 0x80))
            return;
    }
    ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
}

static void skip_vector(struct ag_reader *reader)
{
    const uint32_t count = ag_reader_leb_u32(reader);
    for (uint32_t i = 0; i < count && ag_reader_left(reader) > 0; i++)
        skip_leb(reader);
}

static unsigned use_of(uint8_t opcode)
{
    switch (opcode) {
    case 0x3F:
        return AG_MODULE_USES_MEMORY_SIZE;
    case 0x40:
        return AG_MODULE_USES_MEMORY_GROW;
    case 0x23:
    case 0x24:
        return AG_MODULE_USES_GLOBALS;
    case 0x11:
    case 0x25:
    case 0x26:
    case 0xD2:
        return AG_MODULE_USES_TABLES;
    }
    return 0;
}

static unsigned skip_immediates(struct ag_reader *reader, enum ag_module_immediates immediates)
{
    switch (immediates) {
    case AG_MODULE_NONE:
        return 0;
    case AG_MODULE_LEB_LEB:
        skip_leb(reader);
        skip_leb(reader);
        return 0;
    case AG_MODULE_LEB:
    case AG_MODULE_SIGNED_LEB:
        skip_leb(reader);
        return 0;
    case AG_MODULE_BYTE:
        (void)ag_reader_u8(reader);
        return 0;
    case AG_MODULE_BYTES_4:
        (void)ag_reader_bytes(reader, 4);
        return 0;
    case AG_MODULE_BYTES_8:
        (void)ag_reader_bytes(reader, 8);
        return 0;
    case AG_MODULE_VECTOR_LEB:
        skip_vector(reader);
        skip_leb(reader);
        return 0;
    case AG_MODULE_BYTE_TYPES:
        (void)ag_reader_bytes(reader, ag_reader_leb_u32(reader));
        return 0;
    case AG_MODULE_PREFIX: {
        const uint32_t opcode = ag_reader_leb_u32(reader);
        const unsigned tables = opcode >= 12 ? AG_MODULE_USES_TABLES : 0;
        return tables | skip_immediates(reader, ag_module_code_immediates_prefixed(opcode));
    }
    case AG_MODULE_UNKNOWN:
        return AG_MODULE_USES_UNKNOWN;
    }
    return AG_MODULE_USES_UNKNOWN;
}

enum opcode {
    OP_CALL = 0x10,
    OP_LOCAL_GET = 0x20,
    OP_LOCAL_TEE = 0x22,
    OP_GLOBAL_GET = 0x23,
    OP_GLOBAL_SET = 0x24,
    OP_I32_CONST = 0x41,
    OP_I32_ADD = 0x6A,
    OP_I32_SUB = 0x6B,
};

struct instruction {
    uint8_t opcode;
    uint32_t operand; // of those above
};

// Follows what a function does with the stack pointer. clang lowers it with
//     global.get 0, i32.const SIZE, i32.sub, local.tee FRAME, global.set 0
// (without the last in a function that calls nothing) and raises it with
//     local.get FRAME, i32.const SIZE, i32.add, global.set 0
// Whatever else is done with a global makes the frame's size unknown.
struct frame {
    struct instruction before[3]; // the last three, newest first
    bool is_lowered;              // `before` ends with lowering: a local.tee may follow
    uint32_t size;
    uint32_t local;
};

static bool lowers(const struct frame *frame)
{
    return frame->before[0].opcode == OP_I32_CONST && frame->before[1].opcode == OP_GLOBAL_GET &&
           frame->before[0].operand < INT32_MAX && frame->size == 0;
}

static bool raises(const struct frame *frame)
{
    return frame->before[0].opcode == OP_I32_ADD && frame->before[1].opcode == OP_I32_CONST &&
           frame->before[1].operand == frame->size && frame->before[2].opcode == OP_LOCAL_GET &&
           frame->before[2].operand == frame->local;
}

// Does the global that was read just now, or one instruction ago, go into lowering?
static bool breaks_lowering(const struct frame *frame, uint8_t opcode)
{
    if (frame->before[0].opcode == OP_GLOBAL_GET)
        return opcode != OP_I32_CONST;
    return frame->before[1].opcode == OP_GLOBAL_GET && opcode != OP_I32_SUB;
}

static void follow(struct frame *frame, struct instruction now)
{
    const bool tees_frame = frame->is_lowered && now.opcode == OP_LOCAL_TEE;
    bool is_strange = breaks_lowering(frame, now.opcode);
    if (now.opcode == OP_I32_SUB && frame->before[1].opcode == OP_GLOBAL_GET) {
        is_strange |= !lowers(frame);
        frame->size = frame->before[0].operand;
        frame->is_lowered = true;
    } else if (tees_frame) {
        frame->local = now.operand;
    } else if (now.opcode == OP_GLOBAL_SET) {
        const bool sets_lowered = frame->is_lowered && frame->before[0].opcode == OP_LOCAL_TEE;
        is_strange |= now.operand != 0 || !(sets_lowered || raises(frame));
        frame->is_lowered = false;
    } else {
        frame->is_lowered = false;
    }
    is_strange |= now.opcode == OP_GLOBAL_GET && now.operand != 0;
    if (is_strange)
        frame->size = AG_MODULE_FRAME_UNKNOWN;
    frame->before[2] = frame->before[1];
    frame->before[1] = frame->before[0];
    frame->before[0] = now;
}

static bool has_followed_operand(uint8_t opcode)
{
    return opcode == OP_CALL || (opcode >= OP_LOCAL_GET && opcode <= OP_GLOBAL_SET) ||
           opcode == OP_I32_CONST;
}

static unsigned body_uses(struct ag_reader *body, uint32_t function, struct ag_buffer *calls,
                          struct frame *frame)
{
    unsigned uses = 0;
    const uint32_t local_groups = ag_reader_leb_u32(body);
    for (uint32_t i = 0; i < local_groups && ag_reader_left(body) > 0; i++) {
        skip_leb(body);
        (void)ag_reader_u8(body);
    }
    while (ag_reader_left(body) > 0 && !(uses & AG_MODULE_USES_UNKNOWN)) {
        struct instruction now = { .opcode = ag_reader_u8(body) };
        if (now.opcode == OP_I32_CONST)
            now.operand = (uint32_t)ag_reader_leb_s32(body);
        else if (has_followed_operand(now.opcode))
            now.operand = ag_reader_leb_u32(body);
        else
            uses |= skip_immediates(body, ag_module_code_immediates(now.opcode));
        uses |= use_of(now.opcode);
        follow(frame, now);
        if (now.opcode == OP_CALL) {
            const struct ag_module_call call = { .caller = function, .callee = now.operand };
            ag_buffer_append(calls, &call, sizeof call);
        }
    }
    if (uses & AG_MODULE_USES_UNKNOWN)
        frame->size = AG_MODULE_FRAME_UNKNOWN;
    return uses;
}

unsigned ag_module_code_read(struct ag_reader *reader, struct ag_buffer *calls,
                             struct ag_buffer *frames)
{
    unsigned uses = 0;
    if (ag_reader_left(reader) == 0)
        return 0;
    const uint32_t count = ag_reader_leb_u32(reader);
    for (uint32_t i = 0; i < count && reader->status == AG_OK; i++) {
        struct ag_reader body = ag_reader_sub(reader, ag_reader_leb_u32(reader));
        struct frame frame = { 0 };
        uses |= body_uses(&body, i, calls, &frame);
        ag_buffer_append(frames, &frame.size, sizeof frame.size);
        if (body.status != AG_OK)
            ag_reader_fail(reader, body.status);
    }
    return uses;
}
