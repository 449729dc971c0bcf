// SPDX-License-Identifier: Apache-2.0
// Time and memory of translation: linear and bounded for modules of 1 KB to 4 MB, ordinary ones and
// ones made to be slow. Time is counted in blocks of code executed, so the figures never vary.
#include "test/harness.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <stdlib.h>

#define KB        1024u
#define FUNCTIONS 16384u
#define CODE_MAX  (24u << 20)

static uint64_t blocks;

// Called by each block of the engine's code.
void __sanitizer_cov_trace_pc(void);
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

// ---- Bytes ------------------------------------------------------------------------------------

struct bytes {
    uint8_t *at;
    uint32_t size;
    uint32_t capacity;
};

static struct bytes module, part, body;

static void put(struct bytes *bytes, uint32_t byte)
{
    if (bytes->size == bytes->capacity) {
        bytes->capacity = bytes->capacity ? bytes->capacity * 2 : 4096;
        bytes->at = realloc(bytes->at, bytes->capacity);
        CHECK(bytes->at != NULL);
    }
    bytes->at[bytes->size++] = (uint8_t)byte;
}

static void put_leb(struct bytes *bytes, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(bytes, (value & 0x7F) | 0x80);
    put(bytes, value);
}

static void put_all(struct bytes *bytes, const struct bytes *more)
{
    for (uint32_t i = 0; i < more->size; i++)
        put(bytes, more->at[i]);
}

static void emit(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put(&body, bytes[i]);
}
#define EMIT(...) emit((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static uint32_t seed;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void begin_module(void)
{
    static const uint8_t magic[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    module.size = part.size = body.size = 0;
    seed = 1;
    for (size_t i = 0; i < sizeof magic; i++)
        put(&module, magic[i]);
}

// Ends a section that was put together in `part`.
static void end_section(uint8_t id)
{
    put(&module, id);
    put_leb(&module, part.size);
    put_all(&module, &part);
    part.size = 0;
}

static void one_type(void) // () -> ()
{
    put_leb(&part, 1);
    put(&part, 0x60);
    put(&part, 0);
    put(&part, 0);
    end_section(1);
}

static void functions(uint32_t count)
{
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++)
        put(&part, 0);
    end_section(3);
}

static void memory(void)
{
    put_leb(&part, 1);
    put(&part, 0);
    put(&part, 1);
    end_section(5);
}

// Puts the function in `body` behind those in `part`, which end_section(10) ends.
static void end_body(void)
{
    put(&body, 0x0B);
    put_leb(&part, body.size);
    put_all(&part, &body);
    body.size = 0;
}

// ---- Shapes: each makes a module of about `size` bytes ------------------------------------------

// What compilers emit: loops, conditions, calls, memory, locals, constants, globals.
static void ordinary(uint32_t size)
{
    const uint32_t each = size / 300 < 2000 ? 300 : size / 2000;
    const uint32_t count = size / each + 1;
    begin_module();
    one_type();
    functions(count);
    memory();
    put_leb(&part, 2);
    for (uint32_t i = 0; i < 2; i++) {
        static const uint8_t global[] = { 0x7F, 1, 0x41, 5, 0x0B };
        for (size_t k = 0; k < sizeof global; k++)
            put(&part, global[k]);
    }
    end_section(6);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        EMIT(2, 4, 0x7F, 2, 0x7E);
        while (body.size < each) {
            EMIT(0x02, 0x40, 0x03, 0x40);                         // block, loop
            EMIT(0x20, 0, 0x41, 7, 0x6A, 0x22, 1, 0x28, 2, 8);    // load of (x + 7)
            EMIT(0x20, 1, 0x6C, 0x21, 2, 0x20, 2, 0x45, 0x0D, 1); // leave when it is 0
            EMIT(0x20, 4, 0x42, 3, 0x7C, 0x21, 4);
            EMIT(0x20, 2, 0x04, 0x40, 0x23, 0, 0x24, 1, 0x05, 0x10); // if, else call
            put_leb(&body, any(count));
            EMIT(0x0B, 0x20, 1, 0x20, 2, 0x48, 0x0D, 0, 0x0B, 0x0B);
        }
        end_body();
    }
    end_section(10);
}

// Types of 5 to 9 parameters, all different, and blocks and indirect calls of any of them behind
// `unreachable`.
static void types(uint32_t size)
{
    const uint32_t count = size / 40 < 4096 ? size / 40 : 4096;
    begin_module();
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        put(&part, 0x60);
        put(&part, 0);
        put(&part, 12);
        for (uint32_t k = 0; k < 12; k++)
            put(&part, i >> k & 1 ? 0x7E : 0x7F);
    }
    end_section(1);
    functions(1);
    put_leb(&part, 1);
    put(&part, 0x70);
    put(&part, 0);
    put(&part, 1);
    end_section(4);
    put_leb(&part, 1);
    EMIT(0, 0x00);
    while (module.size + body.size < size) {
        const uint32_t type = any(count);
        EMIT(0x02, (type & 0x7F) | 0x80, type >> 7); // as a signed number
        EMIT(0x00, 0x0B, 0x00, 0x11);
        put_leb(&body, any(count));
        EMIT(0, 0x00);
    }
    end_body();
    end_section(10);
}

static void imports(uint32_t size)
{
    const uint32_t count = size / 40 < 1024 ? size / 40 : 1024;
    begin_module();
    one_type();
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        put(&part, 1);
        put(&part, 'm');
        put(&part, 8);
        for (uint32_t k = 0; k < 8; k++)
            put(&part, 'a' + (i >> k & 1));
        put(&part, 0);
        put(&part, 0);
    }
    end_section(2);
    functions(1);
    put_leb(&part, 1);
    EMIT(0);
    while (module.size + body.size < size) {
        EMIT(0x10);
        put_leb(&body, any(count));
    }
    end_body();
    end_section(10);
}

static void globals(uint32_t size)
{
    const uint32_t count = size / 20 < 8192 ? size / 20 : 8192;
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        static const uint8_t global[] = { 0x7E, 1, 0x42, 5, 0x0B };
        for (size_t k = 0; k < sizeof global; k++)
            put(&part, global[k]);
    }
    end_section(6);
    put_leb(&part, 1);
    EMIT(0);
    while (module.size + body.size < size) {
        EMIT(0x23);
        put_leb(&body, any(count));
        EMIT(0x1A);
    }
    end_body();
    end_section(10);
}

// Half of the module is elements of segments that half of the code refers to.
static void elements(uint32_t size)
{
    const uint32_t count = size / 64 < 1024 ? size / 64 : 1024;
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, 1);
    put(&part, 0x70);
    put(&part, 0);
    put(&part, 1);
    end_section(4);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        put(&part, 1);
        put(&part, 0);
        const uint32_t items = size / 2 / count;
        put_leb(&part, items);
        for (uint32_t k = 0; k < items; k++)
            put(&part, 0);
    }
    end_section(9);
    put_leb(&part, 1);
    EMIT(0);
    while (module.size + body.size < size) {
        EMIT(0x41, 0, 0x41, 0, 0x41, 0, 0xFC, 12);
        put_leb(&body, any(count));
        EMIT(0);
    }
    end_body();
    end_section(10);
}

// A quarter of the module opens blocks; then branches out of all of them, far apart.
static void nesting(uint32_t size)
{
    const uint32_t depth = size / 8 < 60000 ? size / 8 : 60000;
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, 1);
    EMIT(1, 1, 0x7F);
    for (uint32_t i = 0; i < depth; i++)
        EMIT(0x02, 0x40);
    while (body.size < size - depth) {
        EMIT(0x20, 0, 0x0D);
        put_leb(&body, depth - 1 - any(4));
        EMIT(0x20, 0, 0x0D);
        put_leb(&body, depth - 1 - any(500) * (depth / 500)); // a function has 8,192 labels
        EMIT(0x20, 0, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x1A);
    }
    for (uint32_t i = 0; i < depth; i++)
        EMIT(0x0B);
    end_body();
    end_section(10);
}

static void branch_tables(uint32_t size)
{
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, 1);
    EMIT(1, 1, 0x7F);
    while (body.size < size) {
        const uint32_t entries = any(2) ? 20000 : 100;
        for (uint32_t i = 0; i < 8; i++)
            EMIT(0x02, 0x40);
        EMIT(0x20, 0, 0x0E);
        put_leb(&body, entries);
        for (uint32_t i = 0; i <= entries; i++)
            put_leb(&body, any(8));
        for (uint32_t i = 0; i < 8; i++)
            EMIT(0x0B);
    }
    end_body();
    end_section(10);
}

// As many numbered labels as a function may have, over and over.
static void labels(uint32_t size)
{
    const uint32_t count = size / 65000 + 1;
    begin_module();
    one_type();
    functions(count);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        EMIT(0);
        while (body.size < 64000 && body.size < size)
            EMIT(0x02, 0x40, 0x41, 0, 0x0E, 0, 0, 0x0B);
        end_body();
    }
    end_section(10);
}

static void exports(uint32_t size)
{
    const uint32_t count = size / 20 < 4096 ? size / 20 : 4096;
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = size / count - 4 < 2000 ? size / count - 4 : 2000;
        put_leb(&part, length);
        for (uint32_t k = 0; k + 12 < length; k++)
            put(&part, 'x');
        for (uint32_t k = 0; k < 12; k++)
            put(&part, 'a' + (i >> k & 1));
        put(&part, 0);
        put(&part, 0);
    }
    end_section(7);
    put_leb(&part, 1);
    EMIT(0);
    end_body();
    end_section(10);
}

// A local at the bottom, 1,000 constants on it, and sets of another local.
static void operands(uint32_t size)
{
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, 1);
    EMIT(1, 2, 0x7F, 0x20, 0);
    for (uint32_t i = 0; i < 1000; i++)
        EMIT(0x41, 1);
    while (body.size < size)
        EMIT(0x41, 1, 0x21, 1, 0x20, 1, 0x20, 1, 0x48, 0x04, 0x40, 0x0B);
    for (uint32_t i = 0; i < 1001; i++)
        EMIT(0x1A);
    end_body();
    end_section(10);
}

// ref.func of any of the most functions there can be, declared by an element segment.
static void references(uint32_t size)
{
    const uint32_t count = size / 16 < FUNCTIONS ? size / 16 : FUNCTIONS;
    begin_module();
    one_type();
    functions(count);
    put_leb(&part, 1);
    put(&part, 3);
    put(&part, 0);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++)
        put_leb(&part, i);
    end_section(9);
    put_leb(&part, count);
    EMIT(0);
    while (module.size + body.size + count * 3 < size) {
        EMIT(0xD2);
        put_leb(&body, any(count));
        EMIT(0x1A);
    }
    end_body();
    for (uint32_t i = 1; i < count; i++) {
        EMIT(0);
        end_body();
    }
    end_section(10);
}

static void groups_of_locals(uint32_t size)
{
    const uint32_t count = size / 200 < FUNCTIONS ? size / 200 : FUNCTIONS;
    begin_module();
    one_type();
    functions(count);
    put_leb(&part, count);
    for (uint32_t i = 0; i < count; i++) {
        put_leb(&body, 50);
        for (uint32_t k = 0; k < 50; k++) {
            put(&body, 1);
            put(&body, k % 2 ? 0x7E : 0x7F);
        }
        while (body.size < 195) {
            EMIT(0x20);
            put(&body, any(50));
            EMIT(0x1A);
        }
        end_body();
    }
    end_section(10);
}

// ---- Measuring ----------------------------------------------------------------------------------

struct sink {
    uint64_t hash;
    uint32_t size;
};

__attribute__((no_sanitize_coverage)) static enum ag_status take(void *context, const void *bytes,
                                                                 uint32_t size)
{
    struct sink *sink = context;
    const uint8_t *at = bytes;
    for (uint32_t i = 0; i < size; i++)
        sink->hash = (sink->hash ^ at[i]) * 0x100000001B3u;
    sink->size += size;
    return AG_OK;
}

static enum ag_status accept(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    (void)import;
    *id = 1;
    return AG_OK;
}

struct cost {
    enum ag_status status;
    uint64_t blocks;
    uint64_t image_hash;
    uint32_t image_size;
    uint32_t scratch;
};

static struct cost translate(uint32_t scratch_size)
{
    struct sink sink = { 1, 0 };
    void *scratch = malloc(scratch_size);
    CHECK(scratch != NULL);
    const struct ag_wasm_translation how = { take, accept, &sink, scratch, scratch_size };
    struct ag_wasm_report report;
    blocks = 0;
    const enum ag_status status = ag_wasm_translate(module.at, module.size, &how, &report);
    free(scratch);
    const struct cost cost = { status, blocks, sink.hash, sink.size, report.scratch_used };
    return cost;
}

struct shape {
    const char *name;
    void (*make)(uint32_t size);
    uint32_t extra_scratch; // beyond the recommended size: depth and operands it needs
    uint32_t most;          // blocks of code for a byte of the module
};

static const struct shape shapes[] = {
    { "ordinary", ordinary, 0, 250 },
    { "types", types, 0, 1500 },
    { "imports", imports, 0, 1500 },
    { "globals", globals, 0, 1500 },
    { "elements", elements, 0, 250 },
    { "nesting", nesting, 16 * 60000, 250 },
    { "branch tables", branch_tables, 0, 250 },
    { "labels", labels, 0, 1500 },
    { "exports", exports, 0, 1500 },
    { "operands", operands, 8 * 1100, 250 },
    { "references", references, 0, 1500 },
    { "groups of locals", groups_of_locals, 0, 250 },
};

static void time_is_linear_whatever_the_module_is_made_of(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        double last = 0;
        for (uint32_t size = 64 * KB; size <= KB * KB; size *= 4) {
            shapes[i].make(size);
            const struct cost cost = translate(AG_WASM_SCRATCH + shapes[i].extra_scratch);
            const double each = (double)cost.blocks / module.size;
            test_note("%s of %u bytes: %.0f blocks a byte", shapes[i].name, module.size, each);
            if (getenv("SHOW"))
                fprintf(stderr, "%s of %u bytes: %.1f blocks a byte\n", shapes[i].name, module.size,
                        each);
            CHECK_TEXT(ag_status_name(cost.status), "ok");
            CHECK(each < shapes[i].most);
            CHECK(last == 0 || each < 1.5 * last);
            last = size == 64 * KB ? 0 : each; // up to there, lists grow to their limits
        }
    }
}

static void ordinary_modules_of_1_kb_to_4_mb_take_time_in_proportion(void)
{
    double most = 0;
    double least = 1e9;
    for (uint32_t size = KB; size <= 4 * KB * KB; size *= 4) {
        for (uint32_t scratch = AG_WASM_SCRATCH_MIN; scratch <= AG_WASM_SCRATCH; scratch *= 4) {
            ordinary(size);
            const struct cost cost = translate(scratch);
            const double each = (double)cost.blocks / module.size;
            test_note("%u bytes in %u of scratch: %.1f blocks a byte", module.size, scratch, each);
            if (getenv("SHOW"))
                fprintf(stderr, "%u bytes in %u of scratch: %.1f blocks a byte\n", module.size,
                        scratch, each);
            CHECK_TEXT(ag_status_name(cost.status), "ok");
            CHECK(cost.scratch <= scratch);
            CHECK(cost.image_size < 3 * module.size + 1000);
            most = each > most ? each : most;
            least = each < least ? each : least;
        }
    }
    CHECK(most < 2 * least);
}

// 4 KB and 16 bytes for a nesting level, whatever the module's size.
static void the_least_scratch_is_enough_for_any_size(void)
{
    static const struct shape any_size[] = {
        { "types", types, 0, 0 },
        { "imports", imports, 0, 0 },
        { "globals", globals, 0, 0 },
        { "elements", elements, 0, 0 },
        { "exports", exports, 0, 0 },
        { "references", references, 0, 0 },
        { "nesting", nesting, 16 * 32769, 0 },
        { "branch tables", branch_tables, 8 * 16, 0 },
    };
    for (size_t i = 0; i < sizeof any_size / sizeof any_size[0]; i++) {
        any_size[i].make(256 * KB);
        const struct cost cost = translate(4096 + any_size[i].extra_scratch);
        test_note("%s: %u bytes used", any_size[i].name, cost.scratch);
        CHECK_TEXT(ag_status_name(cost.status), "ok");
    }
}

// `depth` open blocks around look-ups of 300 globals, of 32 and 64 bits.
static void deep(uint32_t depth)
{
    begin_module();
    one_type();
    functions(1);
    put_leb(&part, 300);
    for (uint32_t i = 0; i < 300; i++) {
        put(&part, i % 3 ? 0x7E : 0x7F);
        put(&part, 0);
        put(&part, i % 3 ? 0x42 : 0x41);
        put(&part, i % 50);
        put(&part, 0x0B);
    }
    end_section(6);
    put_leb(&part, 1);
    EMIT(0);
    for (uint32_t i = 0; i < depth; i++)
        EMIT(0x02, 0x40);
    for (uint32_t i = 0; i < 300; i++) {
        EMIT(0x23);
        put_leb(&body, i * 7 % 300);
        EMIT(0x1A);
    }
    for (uint32_t i = 0; i < depth; i++)
        EMIT(0x0B);
    end_body();
    end_section(10);
}

static void a_block_costs_16_bytes_in_scratch_of_any_size(void)
{
    static const uint32_t depths[] = { 0, 10, 400, 766, 767, 768, 1000, 5000, 60000 };
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        deep(depths[i]);
        test_note("%u blocks", depths[i]);
        const struct cost exact = translate(4096 + 16 * (depths[i] + 1));
        const struct cost ample = translate(1u << 21);
        CHECK_TEXT(ag_status_name(exact.status), "ok");
        CHECK_EQUAL(ample.status, AG_OK);
        CHECK(exact.image_hash == ample.image_hash);
        CHECK(exact.scratch <= 4096 + 16 * (depths[i] + 1));
    }
}

static void the_image_is_the_same_in_any_scratch_that_suffices(void)
{
    static const uint32_t sizes[] = { 4608, 5000, 8192, 12345, 16384, 40000, 200000, 300000 };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        shapes[i].make(48 * KB);
        const struct cost first = translate(1u << 20);
        uint32_t compared = 0;
        CHECK_EQUAL(first.status, AG_OK);
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            const struct cost cost = translate(sizes[k] & ~7u);
            test_note("%s in %u", shapes[i].name, sizes[k]);
            if (cost.status == AG_ERR_WASM_LIMIT)
                continue;
            CHECK_EQUAL(cost.status, AG_OK);
            CHECK(cost.image_hash == first.image_hash);
            compared++;
        }
        CHECK(compared > 1);
    }
}

static void a_function_that_is_not_declared_is_refused_in_every_set(void)
{
    // Only an export declares one; all others are refused, near and far, in any scratch.
    for (uint32_t named = 0; named < 5000; named += 999) {
        for (uint32_t scratch = AG_WASM_SCRATCH_MIN; scratch <= 32768; scratch *= 8) {
            begin_module();
            one_type();
            functions(5000);
            put_leb(&part, 1);
            put(&part, 1);
            put(&part, 'f');
            put(&part, 0);
            put_leb(&part, 2997);
            end_section(7);
            put_leb(&part, 5000);
            for (uint32_t i = 0; i < 5000; i++) {
                EMIT(0);
                if (i == 7) {
                    EMIT(0xD2);
                    put_leb(&body, named);
                    EMIT(0x1A);
                }
                end_body();
            }
            end_section(10);
            test_note("%u in %u", named, scratch);
            const struct cost cost = translate(scratch);
            CHECK_TEXT(ag_status_name(cost.status), named == 2997 ? "ok" : "wasm_invalid");
        }
    }
}

static void repeated_types_share_the_first_ones_number(void)
{
    // Every third type is new; an image says for each function which type it has.
    for (uint32_t scratch = AG_WASM_SCRATCH_MIN; scratch <= 65536; scratch *= 16) {
        begin_module();
        put_leb(&part, 120);
        for (uint32_t i = 0; i < 120; i++) {
            put(&part, 0x60);
            put_leb(&part, i % 40);
            for (uint32_t k = 0; k < i % 40; k++)
                put(&part, 0x7F);
            put(&part, 0);
        }
        end_section(1);
        put_leb(&part, 120);
        for (uint32_t i = 0; i < 120; i++)
            put_leb(&part, i);
        end_section(3);
        put_leb(&part, 120);
        for (uint32_t i = 0; i < 120; i++) {
            EMIT(0);
            end_body();
        }
        end_section(10);
        test_note("in %u", scratch);
        CHECK_EQUAL(translate(scratch).status, AG_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(ordinary_modules_of_1_kb_to_4_mb_take_time_in_proportion),
        TEST(time_is_linear_whatever_the_module_is_made_of),
        TEST(the_least_scratch_is_enough_for_any_size),
        TEST(a_block_costs_16_bytes_in_scratch_of_any_size),
        TEST(the_image_is_the_same_in_any_scratch_that_suffices),
        TEST(a_function_that_is_not_declared_is_refused_in_every_set),
        TEST(repeated_types_share_the_first_ones_number),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
