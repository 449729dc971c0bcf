// SPDX-License-Identifier: Apache-2.0
// The same code in two modules.
//
// Everything here is done in pairs: two readers go through two functions in step, and what they
// read must be the same. An instruction's operands are compared by value.
#include "cli/debug/code_map.h"

#include <string.h>

enum {
    SECTION_CODE = 10,
    LEB_MAX = 10, // bytes of a LEB128 of 64 bits
    OP_PREFIX = 0xFC,
};

struct pair {
    struct ag_reader one;
    struct ag_reader other;
};

static struct ag_reader code_reader(const struct ag_module *module)
{
    struct ag_reader reader;
    const struct ag_section *section = ag_module_section(module, SECTION_CODE);
    ag_reader_init(&reader, section ? section->body : NULL, section ? section->body_size : 0);
    return reader;
}

static uint32_t body_offset(const struct ag_module *module)
{
    const struct ag_section *section = ag_module_section(module, SECTION_CODE);
    return section ? (uint32_t)(section->offset + section->size - section->body_size) : 0;
}

static bool is_sound(const struct pair *pair)
{
    return pair->one.status == AG_OK && pair->other.status == AG_OK;
}

// A LEB128 of any size up to 64 bits, however many bytes it is written with.
static uint64_t read_leb(struct ag_reader *reader, bool is_signed)
{
    uint64_t value = 0;
    for (int i = 0; i < LEB_MAX; i++) {
        const uint8_t byte = ag_reader_u8(reader);
        const int shift = 7 * i;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80)
            continue;
        if (is_signed && (byte & 0x40) && shift + 7 < 64)
            value |= UINT64_MAX << (shift + 7);
        return value;
    }
    ag_reader_fail(reader, AG_ERR_WASM_MALFORMED);
    return 0;
}

static bool same_leb(struct pair *pair, bool is_signed)
{
    return read_leb(&pair->one, is_signed) == read_leb(&pair->other, is_signed) && is_sound(pair);
}

static bool same_bytes(struct pair *pair, size_t size)
{
    const uint8_t *one = ag_reader_bytes(&pair->one, size);
    const uint8_t *other = ag_reader_bytes(&pair->other, size);
    return is_sound(pair) && memcmp(one, other, size) == 0;
}

static bool same_vector(struct pair *pair)
{
    const uint32_t count = ag_reader_leb_u32(&pair->one);
    if (ag_reader_leb_u32(&pair->other) != count || count > ag_reader_left(&pair->one))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!same_leb(pair, false))
            return false;
    }
    return same_leb(pair, false);
}

static bool same_types(struct pair *pair)
{
    const uint32_t count = ag_reader_leb_u32(&pair->one);
    return ag_reader_leb_u32(&pair->other) == count && same_bytes(pair, count);
}

static bool same_immediates(struct pair *pair, enum ag_module_immediates immediates)
{
    switch (immediates) {
    case AG_MODULE_NONE:
        return true;
    case AG_MODULE_LEB:
        return same_leb(pair, false);
    case AG_MODULE_SIGNED_LEB:
        return same_leb(pair, true);
    case AG_MODULE_LEB_LEB:
        return same_leb(pair, false) && same_leb(pair, false);
    case AG_MODULE_BYTE:
        return same_bytes(pair, 1);
    case AG_MODULE_BYTES_4:
        return same_bytes(pair, 4);
    case AG_MODULE_BYTES_8:
        return same_bytes(pair, 8);
    case AG_MODULE_VECTOR_LEB:
        return same_vector(pair);
    case AG_MODULE_BYTE_TYPES:
        return same_types(pair);
    case AG_MODULE_PREFIX: // has been taken apart by now
    case AG_MODULE_UNKNOWN:
        return false;
    }
    return false;
}

static bool same_instruction(struct pair *pair)
{
    const uint8_t opcode = ag_reader_u8(&pair->one);
    if (ag_reader_u8(&pair->other) != opcode || !is_sound(pair))
        return false;
    if (opcode != OP_PREFIX)
        return same_immediates(pair, ag_module_code_immediates(opcode));
    const uint32_t second = ag_reader_leb_u32(&pair->one);
    return ag_reader_leb_u32(&pair->other) == second &&
           same_immediates(pair, ag_module_code_immediates_prefixed(second));
}

static bool same_locals(struct pair *pair)
{
    const uint32_t groups = ag_reader_leb_u32(&pair->one);
    if (ag_reader_leb_u32(&pair->other) != groups || groups > ag_reader_left(&pair->one))
        return false;
    for (uint32_t i = 0; i < groups; i++) {
        if (!same_leb(pair, false) || !same_bytes(pair, 1))
            return false;
    }
    return is_sound(pair);
}

// The readers of the next function's body; `pair` goes on behind it.
static struct pair next_body(struct pair *pair)
{
    return (struct pair){
        .one = ag_reader_sub(&pair->one, ag_reader_leb_u32(&pair->one)),
        .other = ag_reader_sub(&pair->other, ag_reader_leb_u32(&pair->other)),
    };
}

static bool bytes_are_the_same(const struct pair *body)
{
    const size_t size = ag_reader_left(&body->one);
    return is_sound(body) && ag_reader_left(&body->other) == size &&
           memcmp(body->one.at, body->other.at, size) == 0;
}

static bool same_body(struct pair body)
{
    if (bytes_are_the_same(&body))
        return true;
    if (!same_locals(&body))
        return false;
    while (ag_reader_left(&body.one) > 0) {
        if (!same_instruction(&body))
            return false;
    }
    return is_sound(&body) && ag_reader_left(&body.other) == 0;
}

static bool is_same_text(const char *one, size_t size, const char *other, size_t other_size)
{
    return size == other_size && memcmp(one, other, size) == 0;
}

static bool same_imports(const struct ag_module *one, const struct ag_module *other)
{
    if (one->import_count != other->import_count)
        return false;
    for (size_t i = 0; i < one->import_count; i++) {
        const struct ag_module_import *a = &one->imports[i];
        const struct ag_module_import *b = &other->imports[i];
        if (a->kind != b->kind ||
            !is_same_text(a->module, a->module_size, b->module, b->module_size) ||
            !is_same_text(a->field, a->field_size, b->field, b->field_size))
            return false;
    }
    return true;
}

bool ag_code_map_agrees(const struct ag_module *one, const struct ag_module *other)
{
    struct pair pair = { code_reader(one), code_reader(other) };
    if (!same_imports(one, other) || one->function_count != other->function_count)
        return false;
    if (ag_reader_left(&pair.one) == 0 || ag_reader_left(&pair.other) == 0)
        return ag_reader_left(&pair.one) == ag_reader_left(&pair.other);
    const uint32_t count = ag_reader_leb_u32(&pair.one);
    if (ag_reader_leb_u32(&pair.other) != count)
        return false;
    for (uint32_t i = 0; i < count && is_sound(&pair); i++) {
        if (!same_body(next_body(&pair)))
            return false;
    }
    return is_sound(&pair);
}

uint32_t ag_code_map_functions(const struct ag_module *module, uint32_t *imported)
{
    *imported = 0;
    for (size_t i = 0; i < module->import_count; i++)
        *imported += module->imports[i].kind == AG_MODULE_FUNCTION;
    return *imported + module->function_count;
}

// Finds the instruction at `at` in a function's body. `other_start`: of the other code section.
static enum ag_code_map_outcome find_in_body(struct pair body, const uint8_t *at,
                                             const uint8_t *other_start,
                                             struct ag_code_map_spot *spot)
{
    const struct pair whole = body;
    if (!same_locals(&body))
        return AG_CODE_MAP_UNLIKE;
    if (at < body.one.at)
        return AG_CODE_MAP_OUTSIDE;
    while (body.one.at < at) {
        if (same_instruction(&body))
            continue;
        if (!bytes_are_the_same(&whole))
            return AG_CODE_MAP_UNLIKE;
        // An unknown instruction: equal bytes alone tell the place.
        body.other.at = whole.other.at + (at - whole.one.at);
        body.one.at = at;
    }
    spot->address = (uint32_t)(body.other.at - other_start);
    return body.one.at == at ? AG_CODE_MAP_FOUND : AG_CODE_MAP_BETWEEN;
}

enum ag_code_map_outcome ag_code_map_find(const struct ag_module *one,
                                          const struct ag_module *other, uint32_t offset,
                                          struct ag_code_map_spot *spot)
{
    struct pair pair = { code_reader(one), code_reader(other) };
    const uint8_t *other_start = pair.other.at;
    const uint32_t start = body_offset(one);
    if (offset < start || offset - start >= ag_reader_left(&pair.one))
        return AG_CODE_MAP_OUTSIDE;
    const uint8_t *at = pair.one.at + (offset - start);
    const uint32_t count = ag_reader_leb_u32(&pair.one);
    if (ag_reader_leb_u32(&pair.other) != count)
        return AG_CODE_MAP_UNLIKE;
    (void)ag_code_map_functions(one, &spot->function);
    for (uint32_t i = 0; i < count; i++, spot->function++) {
        const struct pair body = next_body(&pair);
        if (!is_sound(&pair))
            return AG_CODE_MAP_UNLIKE;
        if (at < body.one.at)
            return AG_CODE_MAP_OUTSIDE;
        if (at < body.one.at + ag_reader_left(&body.one))
            return find_in_body(body, at, other_start, spot);
    }
    return AG_CODE_MAP_OUTSIDE;
}
