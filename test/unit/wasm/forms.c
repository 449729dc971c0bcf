// SPDX-License-Identifier: Apache-2.0
// Walks code images by the letters of opcodes.h.
#include "forms.h"

#include <stdio.h>

#include "wasm/image.h"
#include "wasm/opcodes.h"

struct form {
    const char *name;
    const char *operands;
};
#define FORM(name, operands) { #name, #operands },
static const struct form forms[] = { AG_OPS(FORM) AG_FLOAT_OPS(FORM) };
#undef FORM
static bool is_seen[AG_OP_COUNT];

static uint32_t units_of(const uint16_t *at)
{
    uint32_t units = 1;
    for (const char *letter = forms[*at].operands; *letter; letter++) {
        if (*letter == 'u')
            units += 2u + at[units];
        else
            units += *letter == 'm' ? 0 : *letter == 'w' ? 2 : *letter == 'q' ? 4 : 1;
    }
    return units;
}

static void walk(const uint8_t *code, uint32_t at, uint32_t end)
{
    while (at < end) {
        const void *unit = code + at;
        const uint16_t *instruction = unit;
        CHECK(*instruction < AG_OP_COUNT);
        is_seen[*instruction] = true;
        at += units_of(instruction) * 2;
    }
}

void forms_note(const struct engine *engine)
{
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(&engine->image);
    const void *directory_at = engine->code + footer->directory;
    const uint32_t *directory = directory_at;
    const uint32_t count = footer->layout.items[AG_WASM_SECTION_CODE].count;
    for (uint32_t i = 0; i < count; i++) {
        const struct ag_wasm_entry *entry = ag_wasm_entry_of(engine->code, directory, i);
        const uint32_t block = directory[i >> AG_WASM_BLOCK_BITS];
        const bool is_last = i + 1 == count || (i + 1) % AG_WASM_BLOCK_ENTRIES == 0;
        const uint32_t next =
            is_last ? block : ag_wasm_entry_of(engine->code, directory, i + 1)->code;
        walk(engine->code, entry->code + AG_WASM_PROLOGUE_UNITS * 2,
             entry->labels ? entry->labels : next);
    }
}

// Where the operands may change places, the accumulator is always taken as the first one: these
// forms stand in the table to keep it regular.
static bool is_spare(const char *name)
{
    static const char *const commuting[] = { "_ADD", "_MUL", "_AND", "_OR", "_XOR", "_EQ", "_NE" };
    const size_t size = strlen(name);
    if (strstr(name, "_THEN_") != NULL)
        return true; // pairs: their halves are judged, and wasm-differ plays them
    if (size < 4 || name[0] == 'F' || strcmp(name + size - 2, "SA") != 0)
        return false;
    for (size_t i = 0; i < sizeof commuting / sizeof commuting[0]; i++) {
        if (strstr(name, commuting[i]))
            return true;
    }
    return false;
}

void forms_check(const char *const *prefixes, size_t count)
{
    char names[512] = "";
    size_t missing = 0;
    for (size_t i = 0; i < AG_OP_COUNT; i++) {
        bool is_wanted = false;
        for (size_t k = 0; k < count; k++)
            is_wanted |= strncmp(forms[i].name, prefixes[k], strlen(prefixes[k])) == 0;
        if (!is_wanted || is_seen[i] || is_spare(forms[i].name))
            continue;
        missing++;
        const size_t size = strlen(names);
        snprintf(names + size, sizeof names - size, " %s", forms[i].name);
    }
    if (missing > 0)
        test_fail(__FILE__, __LINE__, "%zu never made:%s", missing, names);
}
