// SPDX-License-Identifier: Apache-2.0
// The engine built without floats: integers run as ever, every instruction on a float is refused.
#include "engine.h"
#include "kernels.h"

static struct engine engine;
static struct module module;

struct kernel {
    const char *name;
    uint32_t (*native)(uint32_t n);
};
#define KERNEL_ROW(name) { #name, kernel_##name },
static const struct kernel kernels[] = { INTEGER_KERNELS(KERNEL_ROW) };

static void integer_kernels_agree_with_native_code(void)
{
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        for (uint32_t n = 0; n < 3; n++) {
            test_note("%s(%u)", kernels[i].name, n);
            engine_clear(&engine);
            module_read(&module, INTEGERS_WASM);
            CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
            CHECK_EQUAL(engine_call(&engine, kernels[i].name, &n, 1, 1000), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], kernels[i].native(n));
        }
    }
    engine_clear(&engine);
}

static void a_module_with_floats_is_refused(void)
{
    engine_clear(&engine);
    module_read(&module, KERNELS_WASM);
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), AG_ERR_WASM_FLOAT);
    engine_clear(&engine);
}

static bool is_float(uint32_t opcode)
{
    static const uint8_t ranges[][2] = { { 0x2A, 0x2B }, { 0x38, 0x39 }, { 0x43, 0x44 },
                                         { 0x5B, 0x66 }, { 0x8B, 0xA6 }, { 0xA8, 0xAB },
                                         { 0xAE, 0xBF } };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (opcode >= ranges[i][0] && opcode <= ranges[i][1])
            return true;
    }
    return false;
}

static enum ag_status translate_body(const uint8_t *body, size_t size)
{
    engine_clear(&engine);
    module_of_function(&module, BYTES(0, 0), body, size);
    return engine_translate(&engine, module.bytes, module.size);
}

// Behind `unreachable` any operands are there, so an instruction is refused for itself.
static void exactly_the_instructions_on_floats_are_refused(void)
{
    for (uint32_t opcode = 0x28; opcode <= 0xC4; opcode++) {
        test_note("opcode %02x", opcode);
        uint8_t body[16] = { 0, 0x00, (uint8_t)opcode };
        size_t size = 3;
        if (opcode <= 0x3E)
            size += 2; // alignment and offset
        else if (opcode <= 0x42)
            size += 1; // memory, or a short constant
        else if (opcode <= 0x44)
            size += opcode == 0x43 ? 4 : 8;
        if (opcode < 0x3F || opcode >= 0x41)
            body[size++] = 0x1A;
        if (opcode >= 0x36 && opcode <= 0x40)
            size = opcode <= 0x3E ? 5 : 4; // stores leave nothing
        if (opcode == 0x3F || opcode == 0x40)
            body[size++] = 0x1A;
        body[size++] = 0x0B;
        CHECK_TEXT(ag_status_name(translate_body(body, size)),
                   ag_status_name(is_float(opcode) ? AG_ERR_WASM_FLOAT : AG_OK));
    }
    for (uint32_t opcode = 0; opcode <= 7; opcode++) {
        test_note("opcode fc %02x", opcode);
        CHECK_EQUAL(translate_body(BYTES(0, 0x00, 0xFC, (uint8_t)opcode, 0x1A, 0x0B)),
                    AG_ERR_WASM_FLOAT);
    }
    engine_clear(&engine);
}

static void constants_of_floats_are_refused_for_globals(void)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 6, BYTES(1, 0x7D, 0, 0x43, 0, 0, 0, 0, 0x0B));
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), AG_ERR_WASM_FLOAT);
    CHECK_TEXT(ag_status_name(AG_ERR_WASM_FLOAT), "wasm_float");
    CHECK(ag_status_hint(AG_ERR_WASM_FLOAT)[0] != 0);
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(integer_kernels_agree_with_native_code),
        TEST(a_module_with_floats_is_refused),
        TEST(exactly_the_instructions_on_floats_are_refused),
        TEST(constants_of_floats_are_refused_for_globals),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
