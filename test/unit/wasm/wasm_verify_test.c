// SPDX-License-Identifier: Apache-2.0
// Damaged code images: opening refuses them, or running them stays within its memory and ends.
//
// Image and block have exactly their size, so AddressSanitizer sees what leaves them; what an
// instance must not change of itself is compared after each run.
#include "engine.h"

#include <stdlib.h>

static struct engine engine;
static struct module module;

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

// ---- What may be run --------------------------------------------------------------------------

static bool head_is_unchanged(const struct ag_wasm_instance *now,
                              const struct ag_wasm_instance *before)
{
    return now->image == before->image && now->memory == before->memory &&
           now->tables == before->tables && now->globals == before->globals &&
           now->dropped == before->dropped && now->stack == before->stack &&
           now->call == before->call && now->context == before->context &&
           now->links == before->links && now->stack_slots == before->stack_slots;
}

// Runs what is begun for a little fuel, in slices.
static void run_a_little(struct ag_wasm_instance *instance)
{
    const struct ag_wasm_instance before = *instance;
    enum ag_status status = AG_ERR_AGAIN;
    for (uint32_t slice = 0; slice < 8 && status == AG_ERR_AGAIN; slice++)
        status = ag_wasm_run(instance, 250);
    CHECK(head_is_unchanged(instance, &before));
}

// Opens engine.code; when it is taken, makes an instance and runs all functions. True if so.
static bool open_and_run(void)
{
    static _Alignas(8) uint8_t scratch[AG_WASM_SCRATCH];
    struct ag_wasm_image image;
    struct ag_wasm_instance *instance;
    struct ag_wasm_place place;
    enum ag_status status =
        ag_wasm_image_open(&image, engine.module, module.size, engine.code, engine.code_size);
    if (status == AG_OK)
        status = ag_wasm_image_resolve(&image, engine_resolve, NULL);
    if (status != AG_OK) {
        CHECK_TEXT(ag_status_name(status), ag_status_name(AG_ERR_WASM_STALE));
        return false;
    }
    uint32_t size;
    CHECK_EQUAL(ag_wasm_instance_size(&image, &engine.options, &size), AG_OK);
    void *block = malloc(size);
    CHECK(block != NULL);
    static const uint32_t args[16] = { 3, 1, 2, 1 };
    if (ag_wasm_instance_make(block, size, &image, &engine.options, &instance) == AG_OK) {
        struct ag_wasm_extern type;
        if (ag_wasm_begin_start(instance) == AG_OK)
            run_a_little(instance);
        for (uint32_t i = 0; ag_wasm_image_type(&image, AG_WASM_FUNCTION, i, &type) == AG_OK; i++) {
            for (uint32_t count = 0; count < 4; count++) {
                if (ag_wasm_begin(instance, i, args, count) != AG_OK)
                    continue;
                run_a_little(instance);
                (void)!ag_wasm_find_place(&image, ag_wasm_stopped_at(instance), scratch,
                                          sizeof scratch, &place);
            }
        }
    }
    free(block);
    return true;
}

static void load(void)
{
    engine_clear(&engine);
    engine.options.stack_size = 512;
    CHECK_EQUAL(engine_load(&engine, &module), AG_OK);
    CHECK(open_and_run());
}

// ---- Modules ----------------------------------------------------------------------------------

// Blocks at random, each leading to some around it: void, or with a value when `arity` is 1.
struct writer {
    uint8_t bytes[60000];
    uint32_t size;
    uint32_t seed;
    uint32_t limit;
};

static void put(struct writer *w, const uint8_t *bytes, size_t size)
{
    memcpy(w->bytes + w->size, bytes, size);
    w->size += (uint32_t)size;
}
#define PUT(w, ...) put(w, BYTES(__VA_ARGS__))

static uint8_t random_depth(struct writer *w, uint32_t depth)
{
    return (uint8_t)(next_random(&w->seed) % (depth + 1));
}

// Local 0 counts down, so that most loops end.
static void put_condition(struct writer *w)
{
    PUT(w, 0x20, 0, 0x41, 1, 0x6B, 0x22, 0);
}

static void put_filler(struct writer *w)
{
    const uint32_t count =
        next_random(&w->seed) % 100 == 0 ? next_random(&w->seed) % 500 : next_random(&w->seed) % 6;
    for (uint32_t i = 0; i < count && w->size < w->limit; i++)
        PUT(w, 0x20, 1, 0x20, 0, 0x6A, 0x21, 1);
}

// Whether the label `up` levels out takes a value: those at odd levels do.
static bool takes_value(uint32_t depth, uint32_t up)
{
    return up <= depth && (depth - up) % 2 == 1;
}

static void put_branch(struct writer *w, uint32_t depth)
{
    const uint8_t up = random_depth(w, depth);
    const bool has_value = takes_value(depth, up);
    switch (next_random(&w->seed) % 3) {
    case 0:
        if (has_value)
            PUT(w, 0x20, 1);
        put_condition(w);
        PUT(w, 0x0D, up);
        if (has_value)
            PUT(w, 0x1A);
        break;
    case 1: { // a table of labels of the same kind, in a block of its own
        const uint32_t count = next_random(&w->seed) % 40 == 0 ? 230 : next_random(&w->seed) % 5;
        PUT(w, 0x02, 0x40);
        if (has_value)
            PUT(w, 0x20, 1);
        put_condition(w);
        PUT(w, 0x0E);
        w->size += put_leb(w->bytes + w->size, count);
        for (uint32_t i = 0; i <= count; i++) {
            uint8_t to = random_depth(w, depth);
            if (takes_value(depth, to) != has_value)
                to = up;
            PUT(w, (uint8_t)(to + 1));
        }
        PUT(w, 0x0B);
        break;
    }
    default:
        put_condition(w);
        PUT(w, 0x04, 0x40);
        if (takes_value(depth, up))
            PUT(w, 0x20, 1);
        PUT(w, 0x0C, (uint8_t)(up + 1), 0x0B);
    }
}

// The inside of a block at `depth`, the function's body being 0. Loops are at even levels.
static void put_inside(struct writer *w, uint32_t depth)
{
    const uint32_t parts = 1 + next_random(&w->seed) % 5;
    for (uint32_t i = 0; i < parts && w->size < w->limit; i++) {
        put_filler(w);
        put_branch(w, depth);
        if (depth > 60 || next_random(&w->seed) % 4 == 0)
            continue;
        const bool has_value = takes_value(depth + 1, 0);
        PUT(w, next_random(&w->seed) % 3 && !has_value ? 0x03 : 0x02, has_value ? 0x7F : 0x40);
        put_inside(w, depth + 1);
        if (has_value)
            PUT(w, 0x20, 1);
        PUT(w, 0x0B);
        if (has_value)
            PUT(w, 0x21, 1);
    }
}

static void build_random(uint32_t seed, uint32_t limit)
{
    static struct writer w;
    w.size = 0;
    w.seed = seed;
    w.limit = limit;
    PUT(&w, 1, 1, 0x7F); // local 1
    while (w.size < limit)
        put_inside(&w, 0);
    PUT(&w, 0x0B);
    CHECK(w.size + 2000 < sizeof w.bytes);
    module_of_function(&module, BYTES(1, 0x7F, 0), w.bytes, w.size);
}

// ---- Damage -----------------------------------------------------------------------------------

// Every bit, from `first` on in steps of `step`; returns how many were taken.
static uint32_t flip_bits(uint32_t first, uint32_t step)
{
    uint32_t taken = 0;
    for (uint32_t bit = first; bit < engine.code_size * 8; bit += step) {
        test_note("bit %u", bit);
        engine.code[bit / 8] ^= (uint8_t)(1u << bit % 8);
        taken += open_and_run();
        engine.code[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return taken;
}

static uint16_t get_unit(uint32_t at)
{
    return (uint16_t)(engine.code[at * 2] | engine.code[at * 2 + 1] << 8);
}

static void set_unit(uint32_t at, uint32_t value)
{
    engine.code[at * 2] = (uint8_t)value;
    engine.code[at * 2 + 1] = (uint8_t)(value >> 8);
}

// One to four times: another value, a unit moved here, two exchanged, one that is one more or less.
static void damage(uint32_t *seed, uint32_t units)
{
    for (uint32_t i = next_random(seed) % 4 + 1; i > 0; i--) {
        const uint32_t at = next_random(seed) % units;
        const uint32_t other = next_random(seed) % units;
        const uint16_t value = get_unit(at);
        switch (next_random(seed) % 5) {
        case 0:
            set_unit(at, next_random(seed));
            break;
        case 1:
            set_unit(at, get_unit(other));
            break;
        case 2:
            set_unit(at, get_unit(other));
            set_unit(other, value);
            break;
        case 3:
            set_unit(at, value + 1u - 2 * (next_random(seed) % 2));
            break;
        default:
            set_unit(at, next_random(seed) % 64);
        }
    }
}

static void damage_at_random(uint32_t seed, uint32_t rounds)
{
    uint8_t *kept = malloc(engine.code_size);
    CHECK(kept != NULL);
    memcpy(kept, engine.code, engine.code_size);
    for (uint32_t round = 0; round < rounds; round++) {
        test_note("seed %u", seed);
        damage(&seed, engine.code_size / 2);
        open_and_run();
        memcpy(engine.code, kept, engine.code_size);
    }
    free(kept);
}

// ---- Tests ------------------------------------------------------------------------------------

static void each_flipped_bit_of_a_small_image_is_refused_or_harmless(void)
{
    module_small(&module);
    load();
    const uint32_t taken = flip_bits(0, 1);
    CHECK(taken > 100 && taken < engine.code_size * 4); // most of it leads somewhere
    engine_clear(&engine);
}

// Among others the cost of the way back: without it the loop would never give up its turn.
static void a_loop_with_any_unit_zero_is_refused_or_harmless(void)
{
    engine_clear(&engine);
    module_of_function(&module, BYTES(0, 0), BYTES(0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B));
    load();
    for (uint32_t at = 0; at + 1 < engine.code_size; at += 2) {
        const uint8_t before[2] = { engine.code[at], engine.code[at + 1] };
        test_note("unit %u", at / 2);
        engine.code[at] = engine.code[at + 1] = 0;
        (void)open_and_run();
        memcpy(engine.code + at, before, 2);
    }
    CHECK(open_and_run());
    engine_clear(&engine);
}

static void flipped_bits_of_the_kernels_are_refused_or_harmless(void)
{
    module_read(&module, KERNELS_WASM);
    load();
    flip_bits(3, 5);
    engine_clear(&engine);
}

static void flipped_bits_of_branches_are_refused_or_harmless(void)
{
    build_random(7, 3000);
    load();
    flip_bits(0, 1);
    engine_clear(&engine);
}

static void damage_of_any_kind_is_refused_or_harmless(void)
{
    module_small(&module);
    load();
    damage_at_random(1, 40000);
    module_read(&module, KERNELS_WASM);
    load();
    damage_at_random(2, 4000);
    build_random(11, 3000);
    load();
    damage_at_random(3, 10000);
    engine_clear(&engine);
}

static void an_image_cut_anywhere_is_refused(void)
{
    module_small(&module);
    load();
    uint8_t *whole = engine.code;
    const uint32_t size = engine.code_size;
    for (uint32_t cut = 0; cut < size; cut++) {
        test_note("cut at %u", cut);
        engine.code = malloc(cut + 1);
        memcpy(engine.code, whole, cut);
        engine.code_size = cut;
        CHECK(!open_and_run());
        // and with its end where it should be
        if (cut > 200 && cut % 16 == 0) {
            memcpy(engine.code + cut - 156, whole + size - 156, 156);
            memcpy(engine.code + cut - 156, &cut, 4);
            CHECK(!open_and_run());
        }
        free(engine.code);
    }
    engine.code = whole;
    engine.code_size = size;
    engine_clear(&engine);
}

static void whatever_is_translated_opens(void)
{
    for (uint32_t seed = 1; seed <= 120; seed++) {
        test_note("seed %u", seed);
        build_random(seed, seed % 8 == 0 ? 50000 : 200 * seed % 9000);
        load();
    }
    engine_clear(&engine);
}

// A body of `units` units about, then a way back to its start: with a comparison that is part of
// the branch, with a value to move, and through a table.
static void ways_back_of_every_length_open(void)
{
    static struct writer w;
    for (uint32_t fillers = 1; fillers < 8000; fillers += fillers / 3 + 1) {
        test_note("%u fillers", fillers);
        w.size = 0;
        PUT(&w, 1, 1, 0x7F, 0x03, 0x40);
        for (uint32_t i = 0; i < fillers; i++)
            PUT(&w, 0x20, 1, 0x20, 0, 0x6A, 0x21, 1);
        PUT(&w, 0x20, 0, 0x41, 1, 0x6B, 0x22, 0, 0x0D, 0);
        PUT(&w, 0x02, 0x40, 0x20, 0, 0x0E, 1, 1, 0, 0, 0x0B);
        PUT(&w, 0x20, 0, 0x04, 0x40, 0x0C, 1, 0x0B, 0x0B, 0x0B);
        module_of_function(&module, BYTES(1, 0x7F, 0), w.bytes, w.size);
        load();
    }
    engine_clear(&engine);
}

// Host functions are asked for again.
static void another_number_of_a_host_function_is_refused(void)
{
    module_small(&module);
    load();
    for (uint32_t bit = 16 * 8; bit < 18 * 8; bit++) { // its number is the first of the imports
        engine.code[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct ag_wasm_image image;
        CHECK_EQUAL(
            ag_wasm_image_open(&image, engine.module, module.size, engine.code, engine.code_size),
            AG_OK);
        CHECK_EQUAL(ag_wasm_image_resolve(&image, engine_resolve, NULL), AG_ERR_WASM_STALE);
        engine.code[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(whatever_is_translated_opens),
        TEST(ways_back_of_every_length_open),
        TEST(each_flipped_bit_of_a_small_image_is_refused_or_harmless),
        TEST(a_loop_with_any_unit_zero_is_refused_or_harmless),
        TEST(flipped_bits_of_the_kernels_are_refused_or_harmless),
        TEST(flipped_bits_of_branches_are_refused_or_harmless),
        TEST(damage_of_any_kind_is_refused_or_harmless),
        TEST(an_image_cut_anywhere_is_refused),
        TEST(another_number_of_a_host_function_is_refused),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
