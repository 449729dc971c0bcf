// SPDX-License-Identifier: Apache-2.0
// What the engine refuses: features by their name, limits, damaged modules; and that no damage
// makes it fail otherwise.
#include "engine.h"

static struct engine engine;
static struct module module;

static void check_body(const uint8_t *body, size_t size, enum ag_status wanted)
{
    engine_clear(&engine);
    module_of_function(&module, BYTES(0, 0), body, size);
    CHECK_TEXT(ag_status_name(engine_translate(&engine, module.bytes, module.size)),
               ag_status_name(wanted));
    engine_clear(&engine);
}

static void check_section(uint8_t id, const uint8_t *bytes, size_t size, enum ag_status wanted)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, id, bytes, size);
    CHECK_TEXT(ag_status_name(engine_translate(&engine, module.bytes, module.size)),
               ag_status_name(wanted));
    engine_clear(&engine);
}

static void features_are_refused_by_name(void)
{
    check_body(BYTES(0, 0xFD, 12, 0x0B), AG_ERR_WASM_SIMD);
    check_body(BYTES(1, 1, 0x7B, 0x0B), AG_ERR_WASM_SIMD);
    check_body(BYTES(0, 0xFE, 3, 0, 0x0B), AG_ERR_WASM_THREADS);
    check_body(BYTES(0, 0x06, 0x40, 0x0B, 0x0B), AG_ERR_WASM_EXCEPTIONS);
    check_body(BYTES(0, 0x1F, 0x40, 0, 0x0B, 0x0B), AG_ERR_WASM_EXCEPTIONS);
    check_body(BYTES(0, 0x12, 0, 0x0B), AG_ERR_WASM_TAIL_CALL);
    check_body(BYTES(0, 0x14, 0, 0x0B), AG_ERR_WASM_GC);
    check_body(BYTES(0, 0xFB, 0, 0, 0x0B), AG_ERR_WASM_GC);
    check_section(5, BYTES(1, 3, 1, 1), AG_ERR_WASM_THREADS);
    check_section(5, BYTES(1, 4, 1), AG_ERR_WASM_MEMORY64);
    check_section(4, BYTES(1, 0x70, 3, 1, 1), AG_ERR_WASM_THREADS);
    check_section(4, BYTES(1, 0x70, 4, 1), AG_ERR_WASM_MEMORY64);
    check_section(4, BYTES(1, 0x40, 0, 0x70, 0, 1, 0xD0, 0x70, 0x0B), AG_ERR_WASM_GC);
    check_section(5, BYTES(2, 0, 1, 0, 1), AG_ERR_WASM_MULTI_MEMORY);
    check_section(1, BYTES(1, 0x5F, 0), AG_ERR_WASM_GC);
    check_section(13, BYTES(0), AG_ERR_WASM_EXCEPTIONS);
    check_section(2, BYTES(1, 3, 'e', 'n', 'v', 1, 't', 4, 0, 0), AG_ERR_WASM_EXCEPTIONS);
}

static void unknown_imports_are_refused(void)
{
    check_section(2, BYTES(1, 3, 'e', 'n', 'v', 1, 'm', 2, 0, 1), AG_ERR_WASM_IMPORT);
    check_section(2, BYTES(1, 3, 'f', 'o', 'o', 1, 'g', 3, 0x7F, 0), AG_ERR_WASM_IMPORT);
}

static void what_is_no_module_is_refused(void)
{
    engine_clear(&engine);
    CHECK_EQUAL(engine_translate(&engine, (const uint8_t *)"", 0), AG_ERR_WASM_MAGIC);
    CHECK_EQUAL(engine_translate(&engine, (const uint8_t *)"\0asm\2\0\0\0", 8), AG_ERR_WASM_MAGIC);
    CHECK_EQUAL(engine_translate(&engine, (const uint8_t *)"(module)", 8), AG_ERR_WASM_MAGIC);
    engine_clear(&engine);
}

static void scratch_that_is_too_small_is_refused(void)
{
    engine_clear(&engine);
    module_of_function(&module, BYTES(0, 0), BYTES(0, 0x0B));
    engine.scratch_size = AG_WASM_SCRATCH_MIN - 8;
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), AG_ERR_WASM_LIMIT);
    engine.scratch_size = AG_WASM_SCRATCH_MIN;
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), AG_OK);
    engine_clear(&engine);
}

// `depth` nested blocks in scratch of the given size.
static enum ag_status nest(uint32_t depth, uint32_t scratch_size)
{
    static uint8_t body[65536];
    uint32_t size = 0;
    body[size++] = 0;
    for (uint32_t i = 0; i < depth; i++) {
        body[size++] = 0x02;
        body[size++] = 0x40;
    }
    for (uint32_t i = 0; i <= depth; i++)
        body[size++] = 0x0B;
    engine_clear(&engine);
    engine.scratch_size = scratch_size;
    module_of_function(&module, BYTES(0, 0), body, size);
    const enum ag_status status = engine_translate(&engine, module.bytes, module.size);
    engine_clear(&engine);
    return status;
}

static void a_nesting_level_costs_sixteen_bytes(void)
{
    uint32_t depth = 1;
    while (nest(depth + 1, AG_WASM_SCRATCH_MIN) == AG_OK)
        depth++;
    CHECK(depth > 70);
    CHECK_EQUAL(nest(depth + 1, AG_WASM_SCRATCH_MIN), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(nest(depth + 100, AG_WASM_SCRATCH_MIN + 1600), AG_OK);
    CHECK_EQUAL(nest(20000, AG_WASM_SCRATCH), AG_ERR_WASM_LIMIT);
}

static void many_locals_are_counted(void)
{
    check_body(BYTES(1, 0xD0, 0x86, 3, 0x7F, 0x0B), AG_OK);             // 50,000 of 32 bits
    check_body(BYTES(1, 0xD0, 0x86, 3, 0x7E, 0x0B), AG_ERR_WASM_LIMIT); // of 64 bits
    check_body(BYTES(1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 0x0B), AG_ERR_WASM_LIMIT);
    check_body(BYTES(2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 2, 0x7E, 0x0B), AG_ERR_WASM_MALFORMED);
}

static void giant_memories_are_refused_when_made(void)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 5, BYTES(1, 0, 0x80, 0x80, 4)); // 65,536 pages
    CHECK_EQUAL(engine_load(&engine, &module), AG_ERR_WASM_MEMORY);
    engine_clear(&engine);
}

// Translates damaged bytes; when they still are a module, runs what it exports a little.
static void survive(const uint8_t *bytes, uint32_t size)
{
    static struct module damaged;
    engine_clear(&engine);
    memcpy(damaged.bytes, bytes, size);
    damaged.size = size;
    engine.options.stack_size = 1024;
    uint32_t args[8] = { 3 };
    // A memory of gigabytes would only test malloc.
    if (engine_translate(&engine, bytes, size) == AG_OK &&
        ag_wasm_image_open(&engine.image, engine.module, size, engine.code, engine.code_size) ==
            AG_OK &&
        ag_wasm_instance_size(&engine.image, &engine.options, &engine.block_size) == AG_OK &&
        engine.block_size < 1u << 22 && engine_load(&engine, &damaged) == AG_OK) {
        for (uint32_t function = 0; function < 4; function++) {
            for (uint32_t count = 0; count < 4; count++) {
                if (ag_wasm_begin(engine.instance, function, args, count) == AG_OK)
                    (void)!ag_wasm_run(engine.instance, 5000);
            }
        }
    }
    engine_clear(&engine);
}

static void a_module_cut_anywhere_is_refused(void)
{
    module_read(&module, KERNELS_WASM);
    for (uint32_t size = 0; size < module.size; size++) {
        test_note("cut at %u", size);
        engine_clear(&engine);
        const enum ag_status status = engine_translate(&engine, module.bytes, size);
        // A cut between two sections leaves a module as long as code and functions agree.
        CHECK(status == AG_OK || status == AG_ERR_WASM_MAGIC || status == AG_ERR_WASM_MALFORMED);
    }
    engine_clear(&engine);
}

static void a_flipped_bit_anywhere_is_survived(void)
{
    module_small(&module);
    engine_clear(&engine);
    uint32_t arg = 5;
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, 1), AG_OK);
    // (2 + the word 0x0403 at 4) doubled by the host, + 5
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], (2 + 0x0403) * 2 + 5);
    for (uint32_t bit = 0; bit < module.size * 8; bit++) {
        test_note("bit %u", bit);
        module.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        survive(module.bytes, module.size);
        module.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void damaged_kernels_are_survived(void)
{
    module_read(&module, KERNELS_WASM);
    uint32_t seed = 1;
    for (uint32_t round = 0; round < 1500; round++) {
        test_note("round %u", round);
        seed = seed * 1664525u + 1013904223u;
        const uint32_t at = (seed >> 8) % module.size;
        const uint8_t kept = module.bytes[at];
        module.bytes[at] ^= (uint8_t)(1u << (seed & 7));
        survive(module.bytes, module.size);
        module.bytes[at] = kept;
    }
}

static enum ag_status refuse_write(void *context, const void *bytes, uint32_t size)
{
    uint32_t *left = context;
    (void)bytes;
    (void)size;
    return (*left)-- == 0 ? AG_ERR_FLASH : AG_OK;
}

static enum ag_status accept_import(void *context, const struct ag_wasm_import *import,
                                    uint16_t *id)
{
    (void)context;
    (void)import;
    (void)id;
    return AG_OK;
}

static void a_sink_that_fails_ends_the_translation(void)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH];
    module_read(&module, KERNELS_WASM);
    struct ag_wasm_report report;
    for (uint32_t writes = 0;; writes++) {
        uint32_t left = writes;
        const struct ag_wasm_translation translation = { refuse_write, accept_import, &left,
                                                         scratch, sizeof scratch };
        const enum ag_status status =
            ag_wasm_translate(module.bytes, module.size, &translation, &report);
        if (status == AG_OK) {
            CHECK(writes > 10);
            return;
        }
        CHECK_EQUAL(status, AG_ERR_FLASH);
    }
}

static void a_stale_image_is_refused(void)
{
    engine_clear(&engine);
    module_of_function(&module, BYTES(0, 0), BYTES(0, 0x0B));
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    struct ag_wasm_image image;
    const uint32_t size = engine.code_size;
    for (uint32_t cut = 0; cut < size; cut++)
        CHECK_EQUAL(ag_wasm_image_open(&image, engine.module, module.size, engine.code, cut),
                    AG_ERR_WASM_STALE);
    CHECK_EQUAL(ag_wasm_image_open(&image, engine.module, module.size - 1, engine.code, size),
                AG_ERR_WASM_STALE);
    CHECK_EQUAL(ag_wasm_image_open(&image, engine.module, module.size + 1, engine.code, size),
                AG_ERR_WASM_STALE);
    engine.code[4] ^= 1; // the engine's version
    CHECK_EQUAL(ag_wasm_image_open(&image, engine.module, module.size, engine.code, size),
                AG_ERR_WASM_STALE);
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(features_are_refused_by_name),           TEST(unknown_imports_are_refused),
        TEST(what_is_no_module_is_refused),           TEST(scratch_that_is_too_small_is_refused),
        TEST(a_nesting_level_costs_sixteen_bytes),    TEST(many_locals_are_counted),
        TEST(giant_memories_are_refused_when_made),   TEST(a_module_cut_anywhere_is_refused),
        TEST(a_flipped_bit_anywhere_is_survived),     TEST(damaged_kernels_are_survived),
        TEST(a_sink_that_fails_ends_the_translation), TEST(a_stale_image_is_refused),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
