// SPDX-License-Identifier: Apache-2.0
// Tests of cli/module.h and cli/build/assemble.h: what a module is made of, and that no broken one
// does harm.
#include "cli/module.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/assemble.h"
#include "test/harness.h"
#include "test/unit/plugin/plugin_fixture.h"

#define MAGIC "\0asm\1\0\0\0"

// A module of one function of type () -> () with this code, and a memory and a global if wished.
static struct ag_buffer module_of(const char *code, size_t size)
{
    struct ag_buffer bytes = { 0 };
    ag_buffer_append(&bytes,
                     MAGIC "\1\4\1\x60\0\0\3\2\1\0\4\4\1\x70\0\1\5\3\1\0\1\6\6\1\x7F\1\x41\x10\x0B",
                     8 + 6 + 4 + 6 + 5 + 8);
    ag_buffer_append_u8(&bytes, 10);
    ag_buffer_append_u8(&bytes, (uint8_t)(size + 3));
    ag_buffer_append_u8(&bytes, 1);
    ag_buffer_append_u8(&bytes, (uint8_t)(size + 1));
    ag_buffer_append_u8(&bytes, 0); // no locals
    ag_buffer_append(&bytes, code, size);
    return bytes;
}

static unsigned uses(const char *code, size_t size)
{
    struct ag_buffer bytes = module_of(code, size);
    struct ag_module module;
    CHECK_EQUAL(ag_module_open(&module, bytes.bytes, bytes.size), AG_OK);
    const unsigned found = module.uses;
    ag_module_clear(&module);
    ag_buffer_clear(&bytes);
    return found;
}
#define USES(code) uses("" code, sizeof(code) - 1)

static void instructions_are_told_from_their_operands(void)
{
    CHECK_EQUAL(USES("\x0B"), 0);
    CHECK_EQUAL(USES("\x3F\0\x1A\x0B"), AG_MODULE_USES_MEMORY_SIZE);
    CHECK_EQUAL(USES("\x41\1\x40\0\x1A\x0B"), AG_MODULE_USES_MEMORY_GROW);
    CHECK_EQUAL(USES("\x41\x3F\x1A\x0B"), 0);   // i32.const 63
    CHECK_EQUAL(USES("\x41\xC0\0\x1A\x0B"), 0); // i32.const 64: 0x40 0x00 in a way
    CHECK_EQUAL(USES("\x02\x40\0\x0B\x0B"), 0); // block without result, unreachable
    CHECK_EQUAL(USES("\x44\x3F\0\x40\0\x3F\0\x40\0\x1A\x0B"), 0); // f64.const
    CHECK_EQUAL(USES("\x43\x40\0\x40\0\x1A\x0B"), 0);             // f32.const
    CHECK_EQUAL(USES("\x42\xBF\x80\x40\x1A\x0B"), 0);             // i64.const
    CHECK_EQUAL(USES("\x23\0\x1A\x0B"), AG_MODULE_USES_GLOBALS);
    CHECK_EQUAL(USES("\x41\0\x24\0\x0B"), AG_MODULE_USES_GLOBALS);
    CHECK_EQUAL(USES("\x41\0\x11\0\0\x0B"), AG_MODULE_USES_TABLES);
    CHECK_EQUAL(USES("\x41\0\x0E\2\0\0\0\x0B"), 0);           // br_table
    CHECK_EQUAL(USES("\x41\0\x41\0\x41\0\xFC\x0B\0\x0B"), 0); // memory.fill
    CHECK_EQUAL(USES("\x41\0\x41\0\x41\0\xFC\x0C\0\0\x0B"), AG_MODULE_USES_TABLES);
    CHECK_EQUAL(USES("\xFD\x0C\x40\x0B"), AG_MODULE_USES_UNKNOWN);
    CHECK(USES("\xFC\x40\x0B") & AG_MODULE_USES_UNKNOWN);
}

static uint32_t frame(const char *code, size_t size)
{
    struct ag_buffer bytes = module_of(code, size);
    struct ag_module module;
    uint32_t found;
    CHECK_EQUAL(ag_module_open(&module, bytes.bytes, bytes.size), AG_OK);
    CHECK_EQUAL(module.frames.size, sizeof found);
    memcpy(&found, module.frames.bytes, sizeof found);
    ag_module_clear(&module);
    ag_buffer_clear(&bytes);
    return found;
}
#define FRAME(code) frame("" code, sizeof(code) - 1)
#define LOWER       "\x23\0\x41\xE0\0\x6B\x22\1\x24\0" // by 96, kept in local 1
#define RAISE       "\x20\1\x41\xE0\0\x6A\x24\0"

static void the_c_stack_of_a_function_is_known_when_it_is_moved_as_clang_does(void)
{
    CHECK_EQUAL(FRAME("\x0B"), 0);
    CHECK_EQUAL(FRAME(LOWER RAISE "\x0B"), 96);
    CHECK_EQUAL(FRAME(LOWER "\x01" RAISE "\x0F" RAISE "\x0B"), 96);
    CHECK_EQUAL(FRAME("\x23\0\x41\x20\x6B\x21\1\x0B"), 32); // calls nothing, so writes nothing
}

static void any_other_use_of_the_stack_pointer_makes_it_unknown(void)
{
    CHECK_EQUAL(FRAME("\x23\0\x1A\x0B"), AG_MODULE_FRAME_UNKNOWN);             // read
    CHECK_EQUAL(FRAME("\x23\0\x41\x20\x6A\x1A\x0B"), AG_MODULE_FRAME_UNKNOWN); // added to
    CHECK_EQUAL(FRAME("\x23\0\x20\1\x6B\x22\1\x24\0\x0B"),
                AG_MODULE_FRAME_UNKNOWN); // by a variable
    CHECK_EQUAL(FRAME("\x23\0\x41\x60\x6B\x22\1\x24\0\x0B"), AG_MODULE_FRAME_UNKNOWN); // by -32
    CHECK_EQUAL(FRAME("\x23\0\x41\x20\x6B\x41\x40\x71\x22\1\x24\0\x0B"),
                AG_MODULE_FRAME_UNKNOWN);                            // aligned
    CHECK_EQUAL(FRAME(LOWER LOWER "\x0B"), AG_MODULE_FRAME_UNKNOWN); // twice
    CHECK_EQUAL(FRAME("\x20\1\x24\0\x0B"), AG_MODULE_FRAME_UNKNOWN); // set to anything
    CHECK_EQUAL(FRAME(LOWER "\x20\2\x41\xE0\0\x6A\x24\0\x0B"), AG_MODULE_FRAME_UNKNOWN);
    CHECK_EQUAL(FRAME(LOWER "\x20\1\x41\x20\x6A\x24\0\x0B"), AG_MODULE_FRAME_UNKNOWN);
    CHECK_EQUAL(FRAME("\x23\1\x41\x20\x6B\x21\1\x0B"), AG_MODULE_FRAME_UNKNOWN); // another global
    CHECK_EQUAL(FRAME("\x23\0\x41\x20\x6B\x22\1\x24\1\x0B"), AG_MODULE_FRAME_UNKNOWN);
    CHECK_EQUAL(FRAME("\xFD\x0C\x40\x0B"), AG_MODULE_FRAME_UNKNOWN); // not understood
}

// Whether a file made of this code keeps pages, table and globals.
struct kept {
    bool pages;
    bool table;
    bool global;
};

static struct kept assemble(const char *code, size_t size)
{
    struct ag_buffer linked = module_of(code, size);
    struct ag_buffer file = { 0 };
    struct ag_module module;
    struct kept kept;
    const struct ag_plugin_metadata metadata = fixture_metadata();
    CHECK_EQUAL(ag_module_open(&module, linked.bytes, linked.size), AG_OK);
    const struct ag_assemble_memory memory = ag_assemble_memory_of(&module, 20);
    CHECK_EQUAL(memory.size, memory.keeps_pages ? 65536 : 20);
    ag_assemble_file(&module, &metadata, memory, &file);
    ag_module_clear(&module);
    CHECK_EQUAL(ag_module_open(&module, file.bytes, file.size), AG_OK);
    kept.pages = module.page_shift == 16;
    kept.table = ag_module_section(&module, 4) != NULL;
    kept.global = ag_module_section(&module, 6) != NULL;
    CHECK_EQUAL((uint64_t)module.memory_pages << module.page_shift, memory.size);
    ag_module_clear(&module);
    ag_buffer_clear(&file);
    ag_buffer_clear(&linked);
    return kept;
}
#define ASSEMBLE(code) assemble("" code, sizeof(code) - 1)

static void what_no_instruction_reaches_is_left_out_and_nothing_else(void)
{
    struct kept kept = ASSEMBLE("\x0B");
    CHECK(!kept.pages && !kept.table && !kept.global);
    kept = ASSEMBLE("\x23\0\x1A\x0B");
    CHECK(!kept.pages && !kept.table && kept.global);
    kept = ASSEMBLE("\x41\0\x11\0\0\x0B");
    CHECK(!kept.pages && kept.table && !kept.global);
    kept = ASSEMBLE("\x3F\0\x1A\x0B");
    CHECK(kept.pages && !kept.table && !kept.global);
    kept = ASSEMBLE("\xFD\x0C\x40\x0B"); // not understood: nothing is touched
    CHECK(kept.pages && kept.table && kept.global);
}

static enum ag_status open_exactly(const uint8_t *bytes, size_t size)
{
    struct ag_module module;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, bytes, size);
    const enum ag_status status = ag_module_open(&module, exact, size);
    if (status == AG_OK)
        ag_module_clear(&module);
    free(exact);
    return status;
}

static void a_module_cut_short_is_refused_or_ends_between_sections(void)
{
    struct ag_buffer file = { 0 };
    size_t accepted = 0;
    fixture_plain(&file);
    for (size_t size = 0; size < file.size; size++) {
        test_note("%zu bytes", size);
        const enum ag_status status = open_exactly(file.bytes, size);
        accepted += status == AG_OK;
        CHECK(status == AG_OK || status == AG_ERR_TRUNCATED || status == AG_ERR_WASM_MALFORMED);
    }
    CHECK(accepted <= 8); // one end per section
    ag_buffer_clear(&file);
}

// Whatever any two neighbouring bytes are changed to: refused or read, never out of bounds.
static void changed_bytes_do_no_harm(void)
{
    struct ag_buffer file = { 0 };
    size_t refused = 0;
    fixture_plain(&file);
    for (size_t at = 0; at < file.size; at++) {
        static const uint8_t values[] = { 0, 1, 2, 0x0B, 0x40, 0x7F, 0x80, 0xFC, 0xFF };
        for (size_t i = 0; i < sizeof values * sizeof values; i++) {
            const uint8_t before[2] = { file.bytes[at], file.bytes[(at + 1) % file.size] };
            file.bytes[at] = values[i / sizeof values];
            file.bytes[(at + 1) % file.size] = values[i % sizeof values];
            refused += open_exactly(file.bytes, file.size) != AG_OK;
            file.bytes[at] = before[0];
            file.bytes[(at + 1) % file.size] = before[1];
        }
    }
    CHECK(refused > 1000);
    CHECK_EQUAL(open_exactly(file.bytes, file.size), AG_OK);
    ag_buffer_clear(&file);
}

static void names_types_and_exports_are_found(void)
{
    struct ag_buffer file = { 0 };
    struct ag_module module;
    fixture_plain(&file);
    CHECK_EQUAL(ag_module_open(&module, file.bytes, file.size), AG_OK);
    const struct ag_module_export *execute = ag_module_find_export(&module, "execute");
    CHECK(execute && execute->kind == AG_MODULE_FUNCTION);
    CHECK_TEXT(execute->type, ":");
    CHECK_TEXT(ag_module_find_export(&module, "initialize")->type, ":i");
    CHECK(!ag_module_find_export(&module, "exec"));
    CHECK_EQUAL(module.memory_pages, 20);
    CHECK_EQUAL(module.page_shift, 0);
    CHECK_EQUAL(module.function_count, 2);
    CHECK(ag_module_custom(&module, "airgraft"));
    CHECK(!ag_module_custom(&module, "signature"));
    ag_module_clear(&module);
    ag_buffer_clear(&file);
}

static const struct test_case cases[] = {
    TEST(instructions_are_told_from_their_operands),
    TEST(the_c_stack_of_a_function_is_known_when_it_is_moved_as_clang_does),
    TEST(any_other_use_of_the_stack_pointer_makes_it_unknown),
    TEST(what_no_instruction_reaches_is_left_out_and_nothing_else),
    TEST(a_module_cut_short_is_refused_or_ends_between_sections),
    TEST(changed_bytes_do_no_harm),
    TEST(names_types_and_exports_are_found),
};

TEST_MAIN(cases)
