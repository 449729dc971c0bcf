// SPDX-License-Identifier: Apache-2.0
// Running: results, traps and where they happened, fuel, suspension at every point, host calls,
// memory in pages of one byte, and what an instance costs.
#include "engine.h"
#include "kernels.h"

static struct engine engine;
static struct module module;

static enum ag_status try_body(const uint8_t *body, size_t size, uint32_t arg, uint32_t *result)
{
    engine_clear(&engine);
    return engine_try(&engine, body, size, arg, result);
}

#define CHECK_BODY(arg, wanted, ...)                                                               \
    do {                                                                                           \
        uint32_t result_ = 0;                                                                      \
        CHECK_EQUAL(try_body(BYTES(__VA_ARGS__), arg, &result_), AG_OK);                           \
        CHECK_EQUAL(result_, wanted);                                                              \
    } while (0)

static void operands_are_folded_correctly(void)
{
    CHECK_BODY(5, 4, 0, 0x20, 0, 0x41, 1, 0x6B, 0x0B);            // x - 1
    CHECK_BODY(5, (uint32_t)-4, 0, 0x41, 1, 0x20, 0, 0x6B, 0x0B); // 1 - x
    CHECK_BODY(5, 1, 0, 0x41, 4, 0x20, 0, 0x48, 0x0B);            // 4 < x
    CHECK_BODY(4, 0, 0, 0x41, 4, 0x20, 0, 0x48, 0x0B);
    CHECK_BODY(UINT32_MAX, 0, 0, 0x41, 0x7F, 0x20, 0, 0x49, 0x0B); // UINT32_MAX < x
    CHECK_BODY(4, 1, 0, 0x41, 4, 0x20, 0, 0x4E, 0x0B);             // 4 >= x
    // A local on the stack keeps its value when the local is set.
    CHECK_BODY(5, 14, 0, 0x20, 0, 0x41, 9, 0x21, 0, 0x20, 0, 0x6A, 0x0B);
    CHECK_BODY(5, 14, 0, 0x20, 0, 0x41, 9, 0x22, 0, 0x6A, 0x0B);
    // and over a block in which it is set on one way only.
    CHECK_BODY(5, 6, 0, 0x20, 0, 0x20, 0, 0x04, 0x40, 0x41, 1, 0x21, 0, 0x0B, 0x20, 0, 0x6A, 0x0B);
    CHECK_BODY(0, 0, 0, 0x20, 0, 0x20, 0, 0x04, 0x40, 0x41, 1, 0x21, 0, 0x0B, 0x20, 0, 0x6A, 0x0B);
    // eqz of a comparison: !(x < 3)
    CHECK_BODY(2, 0, 0, 0x20, 0, 0x41, 3, 0x48, 0x45, 0x0B);
    CHECK_BODY(3, 1, 0, 0x20, 0, 0x41, 3, 0x48, 0x45, 0x0B);
}

static void traps_have_their_names(void)
{
    uint32_t result;
    CHECK_EQUAL(try_body(BYTES(0, 0x00, 0x0B), 0, &result), AG_TRAP_UNREACHABLE);
    CHECK_EQUAL(try_body(BYTES(0, 0x41, 1, 0x20, 0, 0x6D, 0x0B), 0, &result),
                AG_TRAP_DIVIDE_BY_ZERO);
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x41, 0x7F, 0x6D, 0x0B), 0x80000000u, &result),
                AG_TRAP_OVERFLOW);
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x28, 2, 0, 0x0B), 65533, &result), AG_TRAP_MEMORY);
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x28, 2, 1, 0x0B), UINT32_MAX, &result), AG_TRAP_MEMORY);
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x28, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x0B), UINT32_MAX,
                         &result),
                AG_TRAP_MEMORY);
    CHECK_EQUAL(try_body(BYTES(0, 0x41, 0x7F, 0x28, 2, 0xFF, 0xFF, 0x03, 0x0B), 0, &result),
                AG_TRAP_MEMORY);
    CHECK_EQUAL(try_body(BYTES(0, 0x43, 0, 0, 0xC0, 0x7F, 0xA8, 0x0B), 0, &result),
                AG_TRAP_CONVERSION);
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x10, 0, 0x0B), 0, &result), AG_TRAP_STACK);
    engine_clear(&engine);
}

static void a_trap_names_function_and_offset(void)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH];
    uint32_t result;
    struct ag_wasm_place place = { 99, 0 };
    // x + 1, then a load far out: the load is byte 6 of the body.
    CHECK_EQUAL(try_body(BYTES(0, 0x20, 0, 0x41, 1, 0x6A, 0x28, 2, 0, 0x0B), 70000, &result),
                AG_TRAP_MEMORY);
    const uint32_t at = ag_wasm_stopped_at(engine.instance);
    CHECK_EQUAL(ag_wasm_find_place(&engine.image, at, scratch, sizeof scratch, &place), AG_OK);
    CHECK_EQUAL(place.function, 0);
    CHECK_EQUAL(engine.module[place.offset], 0x28);
    CHECK_EQUAL(place.offset, engine.report.offset - 4);
    // Without room to translate, the function is known all the same.
    place = (struct ag_wasm_place){ 99, 99 };
    CHECK_EQUAL(ag_wasm_find_place(&engine.image, at, NULL, 0, &place), AG_ERR_WASM_LIMIT);
    CHECK_EQUAL(place.function, 0);
    CHECK_EQUAL(place.offset, 0);
    CHECK_EQUAL(ag_wasm_find_place(&engine.image, 0, scratch, sizeof scratch, &place),
                AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_wasm_find_place(&engine.image, UINT32_MAX, scratch, sizeof scratch, &place),
                AG_ERR_NOT_FOUND);
    engine_clear(&engine);
}

static void a_call_goes_on_after_a_trap(void)
{
    uint32_t arg = 0;
    uint32_t result;
    CHECK_EQUAL(try_body(BYTES(0, 0x41, 12, 0x20, 0, 0x6D, 0x0B), 0, &result),
                AG_TRAP_DIVIDE_BY_ZERO);
    arg = 4;
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 3);
    engine_clear(&engine);
}

static void load_kernels(void)
{
    engine_clear(&engine);
    module_read(&module, KERNELS_WASM);
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
}

struct kernel {
    const char *name;
    uint32_t (*native)(uint32_t n);
};
#define KERNEL_ROW(name) { #name, kernel_##name },
static const struct kernel kernels[] = { KERNELS(KERNEL_ROW) };
#define KERNEL_COUNT (sizeof kernels / sizeof kernels[0])

static void kernels_agree_with_native_code(void)
{
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        for (uint32_t n = 0; n < 3; n++) {
            test_note("%s(%u)", kernels[i].name, n);
            // State in memory differs after a call, so each begins anew on both sides alike: the
            // kernels fill their buffers first.
            load_kernels();
            CHECK_EQUAL(engine_call(&engine, kernels[i].name, &n, 1, INT32_MAX), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], kernels[i].native(n));
        }
    }
    engine_clear(&engine);
}

static void slices_of_fuel_change_neither_result_nor_fuel(void)
{
    static const uint32_t slices[] = { 1, 2, 3, 7, 64, 1001 };
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        uint32_t n = 5;
        load_kernels();
        CHECK_EQUAL(engine_call(&engine, kernels[i].name, &n, 1, INT32_MAX), AG_OK);
        const uint32_t result = ag_wasm_results(engine.instance)[0];
        const uint64_t fuel = ag_wasm_fuel_used(engine.instance);
        CHECK(fuel > 100);
        for (size_t k = 0; k < sizeof slices / sizeof slices[0]; k++) {
            test_note("%s in slices of %u", kernels[i].name, slices[k]);
            load_kernels();
            CHECK_EQUAL(engine_call(&engine, kernels[i].name, &n, 1, slices[k]), AG_OK);
            CHECK_EQUAL(ag_wasm_results(engine.instance)[0], result);
            CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), fuel);
        }
    }
    engine_clear(&engine);
}

static void an_endless_loop_is_suspended_and_abandoned(void)
{
    uint32_t arg = 0;
    module_of_function(&module, BYTES(1, 0x7F, 1, 0x7F),
                       BYTES(0, 0x03, 0x40, 0x20, 0, 0x0D, 0, 0x0B, 0x41, 9, 0x0B));
    engine_clear(&engine);
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    arg = 1;
    CHECK_EQUAL(ag_wasm_begin(engine.instance, 0, &arg, 1), AG_OK);
    for (uint32_t i = 1; i <= 50; i++) {
        CHECK_EQUAL(ag_wasm_run(engine.instance, 100), AG_ERR_AGAIN);
        CHECK(ag_wasm_fuel_used(engine.instance) >= i * 100);
        CHECK(ag_wasm_fuel_used(engine.instance) <= i * 102);
    }
    arg = 0;
    CHECK_EQUAL(ag_wasm_begin(engine.instance, 0, &arg, 1), AG_OK);
    CHECK_EQUAL(ag_wasm_run(engine.instance, 100), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 9);
    engine_clear(&engine);
}

static void a_start_function_that_spins_is_metered(void)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 0, 0));
    module_section(&module, 3, BYTES(1, 0));
    module_section(&module, 8, BYTES(0));
    module_section(&module, 10, BYTES(1, 7, 0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B));
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    CHECK_EQUAL(ag_wasm_begin_start(engine.instance), AG_OK);
    CHECK_EQUAL(ag_wasm_run(engine.instance, 1000), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), 1001);
    engine_clear(&engine);
}

// Imports env.g and calls it twice: g(g(x) + 1).
static void load_host_module(void)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 1, 0x7F, 1, 0x7F));
    module_section(&module, 2, BYTES(1, 3, 'e', 'n', 'v', 1, 'g', 0, 0));
    module_section(&module, 3, BYTES(1, 0));
    module_section(&module, 7, BYTES(2, 1, 'f', 0, 1, 1, 'g', 0, 0));
    module_section(&module, 10, BYTES(1, 11, 0, 0x20, 0, 0x10, 0, 0x41, 1, 0x6A, 0x10, 0, 0x0B));
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
}

static void host_functions_are_called_by_their_id(void)
{
    uint32_t arg = 5;
    load_host_module();
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, 1), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 22);
    CHECK_EQUAL(engine.host_calls, 2);
    CHECK_EQUAL(engine_call(&engine, "g", &arg, 1, 1), AG_OK); // an import exported again
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 10);
    engine_clear(&engine);
}

static void a_host_function_that_is_not_ready_is_called_again(void)
{
    uint32_t arg = 5;
    load_host_module();
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, INT32_MAX), AG_OK);
    const uint64_t fuel = ag_wasm_fuel_used(engine.instance);
    load_host_module();
    engine.host_again = 5;
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, INT32_MAX), AG_OK);
    CHECK_EQUAL(engine.host_calls, 7);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 22);
    CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), fuel);
    engine_clear(&engine);
}

// Doubles, and charges its argument times 100 for it, also where it is not ready.
static enum ag_status charge(void *context, struct ag_wasm_instance *instance, uint16_t id,
                             uint32_t *slots)
{
    struct engine *at = context;
    (void)id;
    ag_wasm_charge(instance, 50 * slots[0]);
    ag_wasm_charge(instance, 50 * slots[0]);
    if (at->host_again > 0) {
        at->host_again--;
        return AG_ERR_AGAIN;
    }
    slots[0] *= 2;
    return AG_OK;
}

static void what_a_host_function_charges_is_fuel_that_is_used(void)
{
    uint32_t arg = 5;
    load_host_module();
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, INT32_MAX), AG_OK);
    const uint64_t fuel = ag_wasm_fuel_used(engine.instance);
    for (uint32_t slice = 1; slice < 4000; slice = 2 * slice + 3) {
        load_host_module();
        engine.call = charge;
        CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
        engine.host_again = slice % 3;
        CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, slice), AG_OK);
        CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), fuel + 500 + 1100);
    }
    CHECK_EQUAL(ag_wasm_begin(engine.instance, 1, &arg, 1), AG_OK); // the first call ends a slice
    CHECK_EQUAL(ag_wasm_run(engine.instance, 499), AG_ERR_AGAIN);
    engine_clear(&engine);
}

static void no_charge_wraps(void)
{
    uint32_t arg = 40000000; // 4,000,000,000 units, twice
    load_host_module();
    engine.call = charge;
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, 1), AG_OK);
    CHECK(ag_wasm_fuel_used(engine.instance) > UINT64_C(2) << 30);
    CHECK(ag_wasm_fuel_used(engine.instance) < (UINT64_C(2) << 30) + 100);
    engine_clear(&engine);
}

static void a_host_function_can_trap(void)
{
    uint32_t arg = 5;
    load_host_module();
    engine.host_trap = AG_TRAP_HOST;
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, INT32_MAX), AG_TRAP_HOST);
    CHECK_EQUAL(engine.host_calls, 1);
    engine_clear(&engine);
}

static void wrong_calls_are_refused(void)
{
    uint32_t args[2] = { 1, 2 };
    load_host_module();
    CHECK_EQUAL(ag_wasm_run(engine.instance, 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_wasm_begin(engine.instance, 2, args, 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_wasm_begin(engine.instance, 1, args, 2), AG_ERR_ARGUMENT);
    CHECK_EQUAL(engine_call(&engine, "absent", args, 1, 1), AG_ERR_WASM_EXPORT);
    CHECK_EQUAL(ag_wasm_begin_start(engine.instance), AG_ERR_NOT_FOUND);
    engine_clear(&engine);
}

// A memory of `min` pages of one byte, at most 400; f(x) does `body`.
static enum ag_status try_small_memory(const uint8_t *body, size_t size, uint32_t arg,
                                       uint32_t *result)
{
    uint8_t code[64] = { 1, (uint8_t)size };
    memcpy(code + 2, body, size);
    engine_clear(&engine);
    engine.options.memory_capacity = 350;
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 1, 0x7F, 1, 0x7F));
    module_section(&module, 3, BYTES(1, 0));
    module_section(&module, 5, BYTES(1, 9, 0xAC, 2, 0x90, 3, 0)); // 300 to 400, pages of 1
    module_section(&module, 7, BYTES(1, 1, 'f', 0, 0));
    module_section(&module, 10, code, size + 2);
    enum ag_status status = engine_load(&engine, &module);
    if (status == AG_OK)
        status = engine_call(&engine, "f", &arg, 1, INT32_MAX);
    if (status == AG_OK)
        *result = ag_wasm_results(engine.instance)[0];
    return status;
}

static void pages_of_one_byte_bound_memory_exactly(void)
{
    uint32_t result = 0;
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x3F, 0, 0x0B), 0, &result), AG_OK);
    CHECK_EQUAL(result, 300);
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x28, 0, 0, 0x0B), 296, &result), AG_OK);
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x28, 0, 0, 0x0B), 297, &result),
                AG_TRAP_MEMORY);
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x2D, 0, 0, 0x0B), 299, &result), AG_OK);
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x2D, 0, 0, 0x0B), 300, &result),
                AG_TRAP_MEMORY);
    // Growth counts bytes, up to what the embedder kept.
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x40, 0, 0x0B), 50, &result), AG_OK);
    CHECK_EQUAL(result, 300);
    CHECK_EQUAL(engine.instance->memory->size, 350);
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x20, 0, 0x40, 0, 0x0B), 51, &result), AG_OK);
    CHECK_EQUAL(result, UINT32_MAX);
    // Bytes that were grown are zero.
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x41, 50, 0x40, 0, 0x1A, 0x20, 0, 0x2D, 0, 0, 0x0B), 349,
                                 &result),
                AG_OK);
    CHECK_EQUAL(result, 0);
    engine_clear(&engine);
}

static void check_page_size(const uint8_t *memory, size_t size, enum ag_status wanted)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 5, memory, size);
    CHECK_EQUAL(engine_translate(&engine, module.bytes, module.size), wanted);
    engine_clear(&engine);
}

static void page_sizes_other_than_one_and_64k_are_refused(void)
{
    check_page_size(BYTES(1, 8, 1, 0), AG_OK);
    check_page_size(BYTES(1, 8, 1, 16), AG_OK);
    check_page_size(BYTES(1, 9, 1, 2, 0), AG_OK);
    check_page_size(BYTES(1, 9, 2, 1, 0), AG_ERR_WASM_INVALID);
    for (uint8_t shift = 1; shift < 64; shift++) {
        if (shift != 16)
            check_page_size((const uint8_t[]){ 1, 8, 1, shift }, 4, AG_ERR_WASM_INVALID);
    }
    check_page_size(BYTES(1, 8, 1, 65), AG_ERR_WASM_MALFORMED);
    check_page_size(BYTES(1, 8, 1), AG_ERR_WASM_MALFORMED);
    check_page_size(BYTES(1, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0), AG_OK); // 2^32 - 1 bytes
    check_page_size(BYTES(1, 0, 0x81, 0x80, 4), AG_ERR_WASM_INVALID);     // 65,537 of 64 KiB
}

static void linear_memory_is_reached_within_bounds_only(void)
{
    uint32_t result;
    void *bytes;
    CHECK_EQUAL(try_small_memory(BYTES(0, 0x3F, 0, 0x0B), 0, &result), AG_OK);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 0, 300, &bytes), AG_OK);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 300, 0, &bytes), AG_OK);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 300, 1, &bytes), AG_TRAP_MEMORY);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 1, 300, &bytes), AG_TRAP_MEMORY);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 2, UINT32_MAX, &bytes), AG_TRAP_MEMORY);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, UINT32_MAX, 2, &bytes), AG_TRAP_MEMORY);
    engine_clear(&engine);
}

// A function whose branches all lead far: `blocks` nested blocks around `padding` additions, and a
// branch table over all of them. Returns f(x) = x + (label taken).
static void far_branches(uint32_t blocks, uint32_t padding)
{
    static uint8_t body[65536];
    uint32_t size = 0;
    body[size++] = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        body[size++] = 0x02;
        body[size++] = 0x40;
    }
    body[size++] = 0x20;
    body[size++] = 0;
    body[size++] = 0x0E;
    size += put_leb(body + size, blocks - 1);
    for (uint32_t i = 0; i < blocks; i++)
        size += put_leb(body + size, i);
    for (uint32_t i = 0; i < blocks; i++) {
        body[size++] = 0x0B;
        for (uint32_t k = 0; k < padding; k++) { // x = x * 3 + 1
            memcpy(body + size, (const uint8_t[]){ 0x20, 0, 0x41, 3, 0x6C, 0x41, 1, 0x6A, 0x21, 0 },
                   10);
            size += 10;
        }
    }
    memcpy(body + size, (const uint8_t[]){ 0x20, 0, 0x0B }, 3);
    size += 3;
    for (uint32_t arg = 0; arg < blocks + 2; arg++) {
        uint32_t result = 0;
        uint32_t wanted = arg;
        const uint32_t taken = arg < blocks - 1 ? arg : blocks - 1;
        for (uint32_t i = 0; i < (blocks - taken) * padding; i++)
            wanted = wanted * 3 + 1;
        test_note("%u blocks, padding %u, x = %u", blocks, padding, arg);
        CHECK_EQUAL(try_body(body, size, arg, &result), AG_OK);
        CHECK_EQUAL(result, wanted);
    }
}

static void branches_reach_any_distance(void)
{
    far_branches(1, 1);
    far_branches(5, 100);
    far_branches(20, 200);
    far_branches(300, 1); // more labels than one pass resolves
}

// while (--x) { 40,000 bytes of code }: the way back needs the long form.
static void loops_of_any_length_return(void)
{
    static uint8_t body[65536];
    static const uint8_t step[] = { 0x20, 1, 0x41, 0xFF, 0xFF, 0xFF, 0x01, 0x6A, 0x21, 1 };
    uint32_t size = 0;
    memcpy(body, (const uint8_t[]){ 1, 1, 0x7F, 0x03, 0x40 }, 5);
    size = 5;
    for (uint32_t i = 0; i < 5000; i++) {
        memcpy(body + size, step, sizeof step);
        size += sizeof step;
    }
    memcpy(body + size,
           (const uint8_t[]){ 0x20, 0, 0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B, 0x20, 1, 0x0B }, 13);
    size += 13;
    uint32_t result = 0;
    CHECK_EQUAL(try_body(body, size, 3, &result), AG_OK);
    CHECK_EQUAL(result, 3u * 5000u * 0x3FFFFFu);
    engine_clear(&engine);
}

static void several_results_are_kept_apart(void)
{
    // (i32 x) -> (i64, i32): swaps through a block with parameters; locals are results at once.
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 2, 0x7F, 0x7E, 2, 0x7E, 0x7F));
    module_section(&module, 3, BYTES(1, 0));
    module_section(&module, 7, BYTES(1, 1, 'f', 0, 0));
    module_section(&module, 10, BYTES(1, 6, 0, 0x20, 1, 0x20, 0, 0x0B));
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    const uint32_t args[3] = { 11, 22, 33 };
    CHECK_EQUAL(engine_call(&engine, "f", args, 3, 1), AG_OK);
    const uint32_t *results = ag_wasm_results(engine.instance);
    CHECK_EQUAL(results[0], 22);
    CHECK_EQUAL(results[1], 33);
    CHECK_EQUAL(results[2], 11);
    engine_clear(&engine);
}

// What clang makes of a blinky: a table nobody uses, the stack pointer, a data segment; 200 bytes
// of memory, 96 of stack.
static void an_instance_costs_exactly_its_parts(void)
{
    engine_clear(&engine);
    module_begin(&module);
    module_section(&module, 1, BYTES(1, 0x60, 0, 0));
    module_section(&module, 3, BYTES(1, 0));
    module_section(&module, 4, BYTES(1, 0x70, 1, 1, 1));
    module_section(&module, 5, BYTES(1, 9, 0xC8, 1, 0xC8, 1, 0));
    module_section(&module, 6, BYTES(1, 0x7F, 1, 0x41, 5, 0x0B));
    module_section(&module, 10, BYTES(1, 2, 0, 0x0B));
    module_section(&module, 11, BYTES(1, 0, 0x41, 2, 0x0B, 4, 1, 2, 3, 4));
    engine.options.stack_size = 96;
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    const uint32_t slots = 4 + 4 + 4; // global, dropped bits, element
    const uint32_t least = sizeof(struct ag_wasm_instance) + sizeof(struct ag_wasm_memory) +
                           sizeof(struct ag_wasm_table *) + sizeof(struct ag_wasm_table) + slots +
                           96 + 200;
    CHECK(engine.block_size >= least && engine.block_size < least + 8);
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(operands_are_folded_correctly),
        TEST(traps_have_their_names),
        TEST(a_trap_names_function_and_offset),
        TEST(a_call_goes_on_after_a_trap),
        TEST(kernels_agree_with_native_code),
        TEST(slices_of_fuel_change_neither_result_nor_fuel),
        TEST(an_endless_loop_is_suspended_and_abandoned),
        TEST(a_start_function_that_spins_is_metered),
        TEST(host_functions_are_called_by_their_id),
        TEST(a_host_function_that_is_not_ready_is_called_again),
        TEST(what_a_host_function_charges_is_fuel_that_is_used),
        TEST(no_charge_wraps),
        TEST(a_host_function_can_trap),
        TEST(wrong_calls_are_refused),
        TEST(pages_of_one_byte_bound_memory_exactly),
        TEST(page_sizes_other_than_one_and_64k_are_refused),
        TEST(linear_memory_is_reached_within_bounds_only),
        TEST(branches_reach_any_distance),
        TEST(loops_of_any_length_return),
        TEST(several_results_are_kept_apart),
        TEST(an_instance_costs_exactly_its_parts),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
