// SPDX-License-Identifier: Apache-2.0
// Custom page sizes: the modules and assertions of those of that proposal's scripts that Debian's
// wast2json cannot read, encoded by hand. One function follows a script from top to bottom; each is
// played whole and in slices of fuel. (The fourth script, binary.wast, it reads; ag-spec plays
// that.)
//
// Three modules have two memories, which the engine refuses by name; seven assertions call the
// first of them. What the others are for, importing, is tried with a module for each memory. Three
// assertions are on the text format. Everything else has to hold.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/spec_link.h"
#include "wat.h"

enum {
    DEFAULT = -1
}; // page size not spelled out

static struct spec_world *world;
static struct spec_instance *current;
static struct wat wat;
static struct module module;
static struct {
    uint32_t modules;
    uint32_t assertions;
    uint32_t refused; // for having two memories
    uint32_t text;
} totals;

// ---- Encoding ----------------------------------------------------------------------------------

static uint32_t put_u64(uint8_t *at, uint64_t value)
{
    uint32_t size = 0;
    for (; value >= 0x80; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    return size;
}

// A memory's type; `max` below 0: none.
static uint32_t put_memory(uint8_t *at, uint64_t min, int64_t max, int shift)
{
    uint32_t size = 0;
    at[size++] = (uint8_t)((max >= 0) | (shift == DEFAULT ? 0 : 8));
    size += put_u64(at + size, min);
    if (max >= 0)
        size += put_u64(at + size, (uint64_t)max);
    if (shift != DEFAULT)
        size += put_u64(at + size, (uint64_t)shift);
    return size;
}

static void begin_with_memory(uint64_t min, int64_t max, int shift)
{
    uint8_t type[32];
    wat_begin(&wat);
    wat_item(&wat, 5, type, put_memory(type, min, max, shift));
}

static void add_size(void)
{
    wat_function(&wat, "size", ":i", "", BYTES(MEMORY_SIZE, END));
}

static void add_grow(void)
{
    wat_function(&wat, "grow", "i:i", "", BYTES(LOCAL_GET(0), MEMORY_GROW, END));
}

static void add_load(void)
{
    wat_function(&wat, "load", "i:i", "", BYTES(LOCAL_GET(0), I32_LOAD8_U(0), END));
}

static void add_store(void)
{
    wat_function(&wat, "store", "ii:", "", BYTES(LOCAL_GET(0), LOCAL_GET(1), I32_STORE8(0), END));
}

// ---- Commands of a script ----------------------------------------------------------------------

// Writes the module to a file and gives its name, for as long as one command takes.
static const char *write_module(void)
{
    static char path[64];
    strcpy(path, "/tmp/page-size-XXXXXX");
    const int file = mkstemp(path);
    CHECK(file >= 0);
    const bool is_written = write(file, module.bytes, module.size) == (ssize_t)module.size;
    CHECK(close(file) == 0 && is_written);
    return path;
}

static enum ag_status check_module(void)
{
    const char *path = write_module();
    const enum ag_status status = spec_check(world, path);
    unlink(path);
    return status;
}

static enum ag_status instantiate(void)
{
    const char *path = write_module();
    const enum ag_status status = spec_instantiate(world, path, &current);
    unlink(path);
    return status;
}

static void command_module(void)
{
    wat_end(&wat, &module);
    totals.modules++;
    CHECK_TEXT(ag_status_name(instantiate()), "ok");
}

// (module definition …): translated and not instantiated.
static void command_definition(void)
{
    wat_end(&wat, &module);
    totals.modules++;
    CHECK_TEXT(ag_status_name(check_module()), "ok");
}

static void command_refused(uint32_t modules, uint32_t assertions)
{
    wat_end(&wat, &module);
    CHECK_TEXT(ag_status_name(check_module()), "wasm_multi_memory");
    totals.refused += modules + assertions;
}

static enum ag_status invoke(const char *name, const uint32_t *args, uint32_t count,
                             uint32_t *result)
{
    struct spec_result got;
    const struct ag_wasm_name field = { name, (uint32_t)strlen(name) };
    const enum ag_status status = spec_invoke(current, field, args, count, &got);
    if (status == AG_OK && got.count > 0)
        *result = got.slots[0];
    return status;
}

static void assert_return(const char *name, const uint32_t *args, uint32_t count, uint32_t wanted)
{
    uint32_t result = wanted;
    totals.assertions++;
    CHECK_TEXT(ag_status_name(invoke(name, args, count, &result)), "ok");
    CHECK_EQUAL(result, wanted);
}

#define ARGS(...) (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

static void assert_trap_memory(const char *name, const uint32_t *args, uint32_t count)
{
    uint32_t result;
    totals.assertions++;
    CHECK_EQUAL(invoke(name, args, count, &result), AG_TRAP_MEMORY);
}

static void assert_invalid(void)
{
    wat_end(&wat, &module);
    totals.assertions++;
    CHECK_TEXT(ag_status_name(check_module()), "wasm_invalid");
}

static void assert_unlinkable(void)
{
    wat_end(&wat, &module);
    totals.assertions++;
    CHECK_TEXT(ag_status_name(instantiate()), "wasm_import");
}

static void begin_with_import(const char *name, int shift)
{
    uint8_t import[64] = { 1, 'm', (uint8_t)strlen(name) };
    uint32_t size = 3;
    wat_begin(&wat);
    memcpy(import + size, name, strlen(name));
    size += (uint32_t)strlen(name);
    import[size++] = AG_WASM_MEMORY;
    size += put_memory(import + size, 0, -1, shift);
    wat_item(&wat, 2, import, size);
}

// (module $m …) with two memories is refused; in its place, one of them goes by the name of m.
static void register_memory(const char *name, int shift)
{
    begin_with_memory(0, -1, shift);
    wat_export(&wat, name, AG_WASM_MEMORY, 0);
    wat_end(&wat, &module);
    CHECK_TEXT(ag_status_name(instantiate()), "ok");
    spec_register(world, "m", current);
}

static void begin_two_memories(void)
{
    uint8_t type[32];
    begin_with_memory(0, -1, 0);
    wat_item(&wat, 5, type, put_memory(type, 0, -1, 16));
}

// ---- The scripts -------------------------------------------------------------------------------

static void play_pages_of_one_byte(void)
{
    begin_with_memory(0, -1, 0);
    add_size();
    add_grow();
    add_load();
    add_store();
    command_module();
    assert_return("size", NULL, 0, 0);
    assert_trap_memory("load", ARGS(0));
    for (uint32_t size = 0; size < 131072; size += 65536) {
        assert_return("grow", ARGS(65536), size);
        assert_return("size", NULL, 0, size + 65536);
        assert_return("load", ARGS(size + 65535), 0);
        assert_return("store", ARGS(size + 65535, 1), 0);
        assert_return("load", ARGS(size + 65535), 1);
        assert_trap_memory("load", ARGS(size + 65536));
    }
}

static void play_pages_of_64_kib(void)
{
    begin_with_memory(0, -1, 16);
    add_size();
    add_grow();
    command_module();
    assert_return("size", NULL, 0, 0);
    assert_return("grow", ARGS(65537), UINT32_MAX);
    assert_return("size", NULL, 0, 0);
}

// Copies between $small and $large: two memories, and seven assertions on them.
static void play_copies(void)
{
    uint8_t type[32];
    begin_with_memory(10, -1, 0);
    wat_item(&wat, 5, type, put_memory(type, 1, -1, 16));
    wat_item(&wat, 11, BYTES(0, I32_CONST(0), END, 4, 0x11, 0x22, 0x33, 0x44));
    wat_item(&wat, 11, BYTES(2, 1, I32_CONST(0), END, 4, 0x55, 0x66, 0x77, 0x88));
    wat_function(&wat, "copy-small-to-large", "iii:", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), 0xFC, 10, 1, 0, END));
    wat_function(&wat, "copy-large-to-small", "iii:", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), 0xFC, 10, 0, 1, END));
    wat_function(&wat, "load8-small", "i:i", "", BYTES(LOCAL_GET(0), I32_LOAD8_U(0), END));
    wat_function(&wat, "load8-large", "i:i", "", BYTES(LOCAL_GET(0), 0x2D, 0x40, 1, 0, END));
    command_refused(1, 7);
}

static void play_links(void)
{
    begin_two_memories();
    wat_export(&wat, "small-pages-memory", AG_WASM_MEMORY, 0);
    wat_export(&wat, "large-pages-memory", AG_WASM_MEMORY, 1);
    command_refused(1, 0);
    register_memory("small-pages-memory", 0);
    begin_with_import("small-pages-memory", 0);
    command_module();
    register_memory("large-pages-memory", 16);
    begin_with_import("large-pages-memory", 16);
    command_module();
}

static void play_inline_data(void)
{
    totals.text++; // (module quote "(module (memory (pagesize 0) (data)))")
    begin_with_memory(3, 3, 0);
    wat_item(&wat, 11, BYTES(0, I32_CONST(0), END, 3, 'x', 'y', 'z'));
    add_size();
    add_grow();
    add_load();
    command_module();
    assert_return("size", NULL, 0, 3);
    assert_return("load", ARGS(0), 'x');
    assert_return("load", ARGS(1), 'y');
    assert_return("load", ARGS(2), 'z');
    assert_trap_memory("load", ARGS(3));
    assert_return("grow", ARGS(1), UINT32_MAX);
    begin_with_memory(1, 1, 16);
    wat_item(&wat, 11, BYTES(0, I32_CONST(0), END, 3, 'x', 'y', 'z'));
    add_size();
    command_module();
    assert_return("size", NULL, 0, 1);
}

static void play_custom_page_sizes(void)
{
    for (int64_t max = -1; max < 4; max += 3) {
        begin_with_memory(1, max, 0);
        command_module();
        begin_with_memory(1, max, 16);
        command_module();
    }
    play_pages_of_one_byte();
    play_pages_of_64_kib();
    play_copies();
    play_links();
    play_inline_data();
}

static void play_custom_page_sizes_invalid(void)
{
    totals.text += 2; // (module quote …) with page sizes of 3 and 0: they have no encoding
    for (int shift = 1; shift <= 15; shift++) {
        begin_with_memory(0, -1, shift);
        assert_invalid();
    }
    begin_with_memory(0, -1, 17);
    assert_invalid();
    begin_with_memory(0, -1, 65);
    wat_end(&wat, &module);
    totals.assertions++;
    CHECK_TEXT(ag_status_name(check_module()), "wasm_malformed");
    begin_two_memories();
    command_refused(1, 0);
    register_memory("small-pages-memory", 0);
    begin_with_import("small-pages-memory", 16);
    assert_unlinkable();
    register_memory("large-pages-memory", 16);
    begin_with_import("large-pages-memory", 0);
    assert_unlinkable();
}

static void begin_with_function_and_memory(uint64_t min, int shift)
{
    uint8_t type[32];
    wat_begin(&wat);
    wat_import_function(&wat, "unknown", ":");
    wat_item(&wat, 5, type, put_memory(type, min, -1, shift));
}

static void play_memory_max(void)
{
    uint8_t type[32] = { AG_WASM_MEMORY };
    begin_with_memory(UINT32_MAX, -1, 0);
    command_definition();
    wat_begin(&wat);
    wat_import(&wat, "b", type, 1 + put_memory(type + 1, UINT32_MAX, -1, 0));
    command_definition();
    begin_with_function_and_memory(65536, 16);
    command_definition();
    wat_begin(&wat);
    wat_import(&wat, "unknown", type, 1 + put_memory(type + 1, 65536, -1, 16));
    command_definition();
    // 2^32 pages have no encoding in 32 bits, which the binary format of WebAssembly 2.0 gives a
    // limit: there it is malformed, not invalid.
    begin_with_memory(UINT64_C(1) << 32, -1, 0);
    wat_end(&wat, &module);
    totals.assertions++;
    CHECK_TEXT(ag_status_name(check_module()), "wasm_malformed");
    begin_with_memory(65537, -1, 16);
    assert_invalid();
}

static void play(void (*script)(void))
{
    static const uint32_t slices[] = { INT32_MAX, 1, 7 };
    for (uint32_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        test_note("slices of %u", (unsigned)slices[i]);
        memset(&totals, 0, sizeof totals);
        world = spec_world_open(slices[i]);
        CHECK(world != NULL);
        script();
        spec_world_close(world);
    }
    printf("# %u modules and %u assertions hold, %u need two memories, %u are on text\n",
           totals.modules, totals.assertions, totals.refused, totals.text);
}

static void custom_page_sizes_hold(void)
{
    play(play_custom_page_sizes);
    CHECK_EQUAL(totals.modules + totals.assertions, 10 + 24);
    CHECK_EQUAL(totals.refused + totals.text, 9 + 1);
}

static void invalid_page_sizes_are_refused_and_other_ones_not_linked(void)
{
    play(play_custom_page_sizes_invalid);
    CHECK_EQUAL(totals.modules + totals.assertions, 19);
    CHECK_EQUAL(totals.refused + totals.text, 1 + 2);
}

static void the_largest_memories_are_valid_and_larger_ones_not(void)
{
    play(play_memory_max);
    CHECK_EQUAL(totals.modules + totals.assertions, 4 + 2);
}

// ---- What no script says -----------------------------------------------------------------------

static struct engine engine;

static uint32_t run(const char *name, const uint32_t *args, uint32_t count)
{
    CHECK_TEXT(ag_status_name(engine_call(&engine, name, args, count, INT32_MAX)), "ok");
    return ag_wasm_results(engine.instance)[0];
}

// Every width at the last address that fits and at the next, for memories of 0 to 20 bytes.
static void an_access_ends_where_the_byte_sized_memory_ends(void)
{
    for (uint32_t size = 0; size <= 20; size++) {
        for (uint32_t shift = 0; shift <= 3; shift++) {
            const uint32_t width = 1u << shift;
            const uint8_t load[] = { 0x2D, 0x2F, 0x28, 0x29 }; // i32: 8, 16, 32 bits; i64
            const uint8_t get[] = { 0, LOCAL_GET(0), load[shift], 0, 2, DROP, END };
            test_note("%u bytes, %u wide", (unsigned)size, (unsigned)width);
            engine_clear(&engine);
            begin_with_memory(size, -1, 0);
            wat_function(&wat, "get", "i:", "", get + 1, sizeof get - 1);
            CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
            for (uint32_t address = 0; address <= size + 2; address++) {
                const bool fits = address + 2 + width <= size;
                CHECK_EQUAL(engine_call(&engine, "get", &address, 1, INT32_MAX),
                            fits ? AG_OK : AG_TRAP_MEMORY);
            }
        }
    }
    engine_clear(&engine);
}

static void a_byte_sized_memory_grows_by_bytes_up_to_its_room(void)
{
    engine_clear(&engine);
    engine.options.memory_capacity = 100;
    begin_with_memory(10, 90, 0);
    add_size();
    add_grow();
    add_load();
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(run("grow", ARGS(0)), 10);
    CHECK_EQUAL(run("grow", ARGS(7)), 10);
    CHECK_EQUAL(run("load", ARGS(16)), 0);
    CHECK_EQUAL(run("grow", ARGS(74)), UINT32_MAX);
    CHECK_EQUAL(run("grow", ARGS(UINT32_MAX)), UINT32_MAX);
    CHECK_EQUAL(run("grow", ARGS(0xFFFFFFF0)), UINT32_MAX);
    CHECK_EQUAL(run("grow", ARGS(73)), 17);
    CHECK_EQUAL(run("size", NULL, 0), 90);
    engine_clear(&engine);
    engine.options.memory_capacity = 50; // less than the module's maximum
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(run("grow", ARGS(41)), UINT32_MAX);
    CHECK_EQUAL(run("grow", ARGS(40)), 10);
    engine_clear(&engine);
}

static void bulk_instructions_end_where_the_byte_sized_memory_ends(void)
{
    engine_clear(&engine);
    begin_with_memory(13, -1, 0);
    wat_function(&wat, "fill", "iii:", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_FILL, END));
    wat_function(&wat, "copy", "iii:", "",
                 BYTES(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), MEMORY_COPY, END));
    add_load();
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(engine_call(&engine, "fill", ARGS(3, 7, 11), INT32_MAX), AG_TRAP_MEMORY);
    CHECK_EQUAL(run("load", ARGS(12)), 0);
    CHECK_EQUAL(engine_call(&engine, "fill", ARGS(3, 7, 10), INT32_MAX), AG_OK);
    CHECK_EQUAL(run("load", ARGS(12)), 7);
    CHECK_EQUAL(engine_call(&engine, "copy", ARGS(0, 12, 2), INT32_MAX), AG_TRAP_MEMORY);
    CHECK_EQUAL(engine_call(&engine, "copy", ARGS(0, 12, 1), INT32_MAX), AG_OK);
    CHECK_EQUAL(run("load", ARGS(0)), 7);
    engine_clear(&engine);
}

static const struct test_case cases[] = {
    TEST(custom_page_sizes_hold),
    TEST(invalid_page_sizes_are_refused_and_other_ones_not_linked),
    TEST(the_largest_memories_are_valid_and_larger_ones_not),
    TEST(an_access_ends_where_the_byte_sized_memory_ends),
    TEST(a_byte_sized_memory_grows_by_bytes_up_to_its_room),
    TEST(bulk_instructions_end_where_the_byte_sized_memory_ends),
};

TEST_MAIN(cases)
