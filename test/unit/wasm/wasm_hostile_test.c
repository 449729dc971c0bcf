// SPDX-License-Identifier: Apache-2.0
// Modules that are valid and mean harm: recursion of every kind, growth, giants, endless starts.
#include "engine.h"

static struct engine engine;
static struct module module;

// Three functions () -> (), the first exported as "f", in a table of three; and their bodies.
static void build_three(const uint8_t *code, size_t code_size)
{
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 0, 0));
    module_section(&module, 3, BYTES(3, 0, 0, 0));
    module_section(&module, 4, BYTES(1, 0x70, 0, 3));
    module_section(&module, 5, BYTES(1, 1, 1, 4));
    module_section(&module, 7, BYTES(1, 1, 'f', 0, 0));
    module_section(&module, 9, BYTES(1, 0, 0x41, 0, 0x0B, 3, 0, 1, 2));
    module_section(&module, 10, code, code_size);
}
#define BUILD_THREE(...) build_three(BYTES(3, __VA_ARGS__))

static void check_run(enum ag_status wanted)
{
    engine_clear(&engine);
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    CHECK_TEXT(ag_status_name(engine_call(&engine, "f", NULL, 0, 1000)), ag_status_name(wanted));
    engine_clear(&engine);
}

static void recursion_without_end_is_a_trap(void)
{
    BUILD_THREE(4, 0, 0x10, 0, 0x0B, 2, 0, 0x0B, 2, 0, 0x0B); // itself
    check_run(AG_TRAP_STACK);
    BUILD_THREE(4, 0, 0x10, 1, 0x0B, 4, 0, 0x10, 2, 0x0B, 4, 0, 0x10, 0, 0x0B); // in a ring
    check_run(AG_TRAP_STACK);
    BUILD_THREE(7, 0, 0x41, 1, 0x11, 0, 0, 0x0B, 7, 0, 0x41, 0, 0x11, 0, 0, 0x0B, 2, 0, 0x0B);
    check_run(AG_TRAP_STACK); // through the table
}

static void two_calls_of_itself_each_end_in_a_trap(void)
{
    BUILD_THREE(6, 0, 0x10, 0, 0x10, 0, 0x0B, 2, 0, 0x0B, 2, 0, 0x0B);
    check_run(AG_TRAP_STACK);
}

static void growth_ends_where_the_embedder_says(void)
{
    // grow by a page until it fails, then leave
    BUILD_THREE(14, 0, 0x03, 0x40, 0x41, 1, 0x40, 0, 0x41, 0x7F, 0x47, 0x0D, 0, 0x0B, 0x0B, 2, 0,
                0x0B, 2, 0, 0x0B);
    check_run(AG_OK);
}

static void most_params_and_results_are_counted(void)
{
    static uint8_t type[9000];
    static uint8_t body[4000];
    uint32_t size = 0;
    type[size++] = 1;
    type[size++] = 0x60;
    for (int list = 0; list < 2; list++) {
        size += put_leb(type + size, 1000);
        memset(type + size, 0x7E, 1000);
        size += 1000;
    }
    uint32_t body_size = 1;
    for (uint32_t i = 0; i < 1000; i++) {
        body[body_size++] = 0x20;
        body_size += put_leb(body + body_size, i);
    }
    body[body_size++] = 0x0B;
    engine_clear(&engine);
    engine.scratch_size = 65536;
    engine.options.stack_size = 65536;
    module_of_function(&module, type + 2, size - 2, body, body_size);
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    static uint32_t args[2000];
    for (uint32_t i = 0; i < 2000; i++)
        args[i] = i;
    CHECK_EQUAL(engine_call(&engine, "f", args, 2000, 3), AG_OK);
    CHECK_BYTES(ag_wasm_results(engine.instance), args, sizeof args);
    engine_clear(&engine);
}

static void each_byte_replaced_is_survived(void)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x40, 0x7F, 0x80, 0xFF };
    static struct module whole;
    module_small(&whole);
    uint32_t taken = 0;
    for (uint32_t at = 0; at < whole.size; at++) {
        for (uint32_t i = 0; i < sizeof values; i++) {
            test_note("byte %u is %u", at, values[i]);
            module = whole;
            module.bytes[at] = values[i];
            engine_clear(&engine);
            uint32_t arg = 3;
            uint32_t function;
            struct ag_wasm_image image;
            if (engine_translate(&engine, module.bytes, module.size) != AG_OK)
                continue;
            CHECK_EQUAL(ag_wasm_image_open(&image, engine.module, module.size, engine.code,
                                           engine.code_size),
                        AG_OK);
            taken++;
            if (ag_wasm_instance_size(&image, &engine.options, &engine.block_size) != AG_OK ||
                engine.block_size > 1u << 20 || engine_load(&engine, &module) != AG_OK)
                continue;
            if (ag_wasm_image_export(&engine.image, "f", 1, AG_WASM_FUNCTION, &function) == AG_OK &&
                ag_wasm_begin(engine.instance, function, &arg, 1) == AG_OK)
                (void)!ag_wasm_run(engine.instance, 3000);
        }
    }
    CHECK(taken > 50);
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(recursion_without_end_is_a_trap),     TEST(two_calls_of_itself_each_end_in_a_trap),
        TEST(growth_ends_where_the_embedder_says), TEST(most_params_and_results_are_counted),
        TEST(each_byte_replaced_is_survived),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
