// SPDX-License-Identifier: Apache-2.0
// Skims code: opcode by opcode, immediates skipped by table.
#include "cli/module_code.h"

#include <string.h>

#include "cli/module.h"

// How the immediates of an opcode are encoded.
enum immediates {
    NONE,
    LEB,     // one LEB128 of any kind
    CALL,    // the index of a function
    LEB_LEB, // two
    BYTE,
    BYTES_4,
    BYTES_8,
    VECTOR_LEB, // a count, as many LEB128, and one more
    BYTE_TYPES, // a count and as many bytes
    PREFIX,     // 0xFC: a second opcode
    UNKNOWN,
};

static enum immediates immediates_of(uint8_t opcode)
{
    if (opcode >= 0x45 && opcode <= 0xC4)
        return NONE; // comparisons, arithmetic, conversions
    if (opcode >= 0x28 && opcode <= 0x3E)
        return LEB_LEB; // loads and stores: alignment, offset
    if (opcode >= 0x20 && opcode <= 0x26)
        return LEB; // locals, globals, tables
    switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0B: // end
    case 0x0F: // return
    case 0x1A: // drop
    case 0x1B: // select
    case 0xD1: // ref.is_null
        return NONE;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x0C: // br
    case 0x0D: // br_if
    case 0x41: // i32.const
    case 0x42: // i64.const
    case 0xD2: // ref.func
        return LEB;
    case 0x10: // call
        return CALL;
    case 0x0E: // br_table
        return VECTOR_LEB;
    case 0x11: // call_indirect
        return LEB_LEB;
    case 0x1C: // select with types
        return BYTE_TYPES;
    case 0x3F: // memory.size
    case 0x40: // memory.grow
    case 0xD0: // ref.null
        return BYTE;
    case 0x43:
        return BYTES_4;
    case 0x44:
        return BYTES_8;
    case 0xFC:
        return PREFIX;
    }
    return UNKNOWN;
}

static enum immediates immediates_of_prefixed(uint32_t opcode)
{
    if (opcode <= 7)
        return NONE; // saturating conversions
    switch (opcode) {
    case 8:  // memory.init
    case 10: // memory.copy
    case 12: // table.init
    case 14: // table.copy
        return LEB_LEB;
    case 9:  // data.drop
    case 11: // memory.fill
    case 13: // elem.drop
    case 15: // table.grow
    case 16: // table.size
    case 17: // table.fill
        return LEB;
    }
    return UNKNOWN;
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

static unsigned skip_immediates(struct ag_reader *reader, enum immediates immediates)
{
    switch (immediates) {
    case NONE:
        return 0;
    case LEB_LEB:
        skip_leb(reader);
        skip_leb(reader);
        return 0;
    case LEB:
    case CALL:
        skip_leb(reader);
        return 0;
    case BYTE:
        (void)ag_reader_u8(reader);
        return 0;
    case BYTES_4:
        (void)ag_reader_bytes(reader, 4);
        return 0;
    case BYTES_8:
        (void)ag_reader_bytes(reader, 8);
        return 0;
    case VECTOR_LEB:
        skip_vector(reader);
        skip_leb(reader);
        return 0;
    case BYTE_TYPES:
        (void)ag_reader_bytes(reader, ag_reader_leb_u32(reader));
        return 0;
    case PREFIX: {
        const uint32_t opcode = ag_reader_leb_u32(reader);
        const unsigned tables = opcode >= 12 ? AG_MODULE_USES_TABLES : 0;
        return tables | skip_immediates(reader, immediates_of_prefixed(opcode));
    }
    case UNKNOWN:
        return AG_MODULE_USES_UNKNOWN;
    }
    return AG_MODULE_USES_UNKNOWN;
}

static void add_call(struct ag_reader *body, uint32_t caller, struct ag_buffer *calls)
{
    const struct ag_module_call call = { .caller = caller, .callee = ag_reader_leb_u32(body) };
    ag_buffer_append(calls, &call, sizeof call);
}

static unsigned body_uses(struct ag_reader *body, uint32_t function, struct ag_buffer *calls)
{
    unsigned uses = 0;
    const uint32_t local_groups = ag_reader_leb_u32(body);
    for (uint32_t i = 0; i < local_groups && ag_reader_left(body) > 0; i++) {
        skip_leb(body);
        (void)ag_reader_u8(body);
    }
    while (ag_reader_left(body) > 0 && !(uses & AG_MODULE_USES_UNKNOWN)) {
        const uint8_t opcode = ag_reader_u8(body);
        const enum immediates immediates = immediates_of(opcode);
        if (immediates == CALL)
            add_call(body, function, calls);
        else
            uses |= use_of(opcode) | skip_immediates(body, immediates);
    }
    return uses;
}

unsigned ag_module_code_uses(struct ag_reader *reader, struct ag_buffer *calls)
{
    unsigned uses = 0;
    if (ag_reader_left(reader) == 0)
        return 0;
    const uint32_t count = ag_reader_leb_u32(reader);
    for (uint32_t i = 0; i < count && reader->status == AG_OK; i++) {
        struct ag_reader body = ag_reader_sub(reader, ag_reader_leb_u32(reader));
        uses |= body_uses(&body, i, calls);
        if (body.status != AG_OK)
            ag_reader_fail(reader, body.status);
    }
    return uses;
}
