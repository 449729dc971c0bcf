// SPDX-License-Identifier: Apache-2.0
// Linear memory: every load and store from every kind of address at every edge against a model in
// C, growth, the instructions on many bytes, data segments.
#include "forms.h"
#include "wat.h"

#define PAGE 65536u

static struct engine engine;
static struct wat wat;
static struct bytes body;
static uint8_t model[PAGE];

#define PUT(...) put(&body, BYTES(__VA_ARGS__))

struct access {
    const char *name;
    uint8_t opcode;
    uint8_t width; // bytes
    char type;
    bool is_signed;
};
static const struct access loads[] = {
    { "i32.load", 0x28, 4, 'i', false },    { "i64.load", 0x29, 8, 'l', false },
    { "f32.load", 0x2A, 4, 'f', false },    { "f64.load", 0x2B, 8, 'd', false },
    { "i32.load8_s", 0x2C, 1, 'i', true },  { "i32.load8_u", 0x2D, 1, 'i', false },
    { "i32.load16_s", 0x2E, 2, 'i', true }, { "i32.load16_u", 0x2F, 2, 'i', false },
    { "i64.load8_s", 0x30, 1, 'l', true },  { "i64.load8_u", 0x31, 1, 'l', false },
    { "i64.load16_s", 0x32, 2, 'l', true }, { "i64.load16_u", 0x33, 2, 'l', false },
    { "i64.load32_s", 0x34, 4, 'l', true }, { "i64.load32_u", 0x35, 4, 'l', false },
};
static const struct access stores[] = {
    { "i32.store", 0x36, 4, 'i', false },   { "i64.store", 0x37, 8, 'l', false },
    { "f32.store", 0x38, 4, 'f', false },   { "f64.store", 0x39, 8, 'd', false },
    { "i32.store8", 0x3A, 1, 'i', false },  { "i32.store16", 0x3B, 2, 'i', false },
    { "i64.store8", 0x3C, 1, 'l', false },  { "i64.store16", 0x3D, 2, 'l', false },
    { "i64.store32", 0x3E, 4, 'l', false },
};
#define COUNT(list) (sizeof list / sizeof list[0])

// Where the address comes from. Parameter 0 is the address, 1 is 12, 2 the value.
enum address {
    AT_LOCAL,
    AT_CONSTANT,
    AT_SUM,          // of two locals
    AT_SUM_CONSTANT, // of a local and a constant
    AT_SUM_WIDE,     // of a local and a constant of more than 16 bits
    AT_SUM_APART,    // whose operands no instruction just before has made
    AT_SUM_CONSTANT_APART,
    AT_ARITHMETIC,
    AT_GLOBAL,
    AT_TEE,
    AT_CALL,
    AT_LOADED,
    ADDRESS_COUNT
};

// Address `at` must be known for AT_CONSTANT alone.
static void put_address(enum address address, uint32_t at)
{
    switch (address) {
    case AT_LOCAL:
        PUT(LOCAL_GET(0));
        break;
    case AT_CONSTANT:
        PUT(I32_CONST(at));
        break;
    case AT_SUM:
        PUT(LOCAL_GET(0), LOCAL_GET(1), I32_SUB, LOCAL_SET(0), LOCAL_GET(0), LOCAL_GET(1), I32_ADD);
        break;
    case AT_SUM_CONSTANT:
        PUT(LOCAL_GET(0), LOCAL_GET(1), I32_SUB, LOCAL_SET(0), LOCAL_GET(0), I32_CONST(12),
            I32_ADD);
        break;
    case AT_SUM_WIDE:
        PUT(LOCAL_GET(0), I32_CONST(100000), I32_SUB, LOCAL_SET(0), LOCAL_GET(0), I32_CONST(100000),
            I32_ADD);
        break;
    case AT_SUM_APART:
        PUT(LOCAL_GET(0), LOCAL_GET(1), I32_SUB, LOCAL_SET(0), BLOCK(EMPTY), END, LOCAL_GET(0),
            LOCAL_GET(1), I32_ADD);
        break;
    case AT_SUM_CONSTANT_APART:
        PUT(LOCAL_GET(0), LOCAL_GET(1), I32_SUB, LOCAL_SET(0), BLOCK(EMPTY), END, LOCAL_GET(0),
            0x41, 12, I32_ADD);
        break;
    case AT_ARITHMETIC:
        PUT(LOCAL_GET(0), LOCAL_GET(1), I32_XOR, LOCAL_GET(1), I32_XOR);
        break;
    case AT_GLOBAL:
        PUT(LOCAL_GET(0), GLOBAL_SET(0), GLOBAL_GET(0));
        break;
    case AT_TEE:
        PUT(LOCAL_GET(1), I32_CONST(0), I32_MUL, LOCAL_GET(0), I32_ADD, LOCAL_TEE(1));
        break;
    case AT_CALL:
        PUT(LOCAL_GET(0), CALL(0));
        break;
    case AT_LOADED: // the word at 20000 is kept free for it
        PUT(I32_CONST(20000), LOCAL_GET(0), I32_STORE(0), I32_CONST(20000), I32_LOAD(0));
        break;
    case ADDRESS_COUNT:
        break;
    }
}

static bool is_wide(char type)
{
    return type == 'l' || type == 'd';
}

static void begin(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_function(&wat, NULL, "i:i", "", BYTES(LOCAL_GET(0), END));
    wat_item(&wat, 5, BYTES(1, 1, 1));
    wat_item(&wat, 6, BYTES(I32, 1, I32_CONST(0), END));
}

static void *memory(void)
{
    void *bytes;
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 0, PAGE, &bytes), AG_OK);
    return bytes;
}

static void fill_model(void)
{
    uint32_t seed = 7;
    for (uint32_t i = 0; i < PAGE; i++) {
        seed = seed * 1664525u + 1013904223u;
        model[i] = (uint8_t)(seed >> 24);
    }
}

static const uint32_t offsets[] = { 0, 1, 4, 65535, 65536, 65537, 0x7FFFFFFF, 0xFFFFFFFF };
static const uint32_t addresses[] = { 0,          1,         7,          4093,       65528,
                                      65529,      65532,     65533,      65534,      65535,
                                      65536,      65537,     0x7FFFFFFF, 0x80000000, 0xFFFF0000,
                                      0xFFFFFFF8, 0xFFFFFFFF };

// A function for each kind of address, for a constant one each; returns the first one's index.
static uint32_t function_of(uint32_t first, enum address address, size_t at)
{
    return address == AT_CONSTANT ? first + ADDRESS_COUNT + (uint32_t)at
                                  : first + (uint32_t)address;
}

static void run(uint32_t function, const char *name, enum address address, uint32_t at,
                uint32_t offset, uint32_t width, uint64_t value, char type)
{
    const uint32_t args[] = { at, 12, (uint32_t)value, (uint32_t)(value >> 32) };
    test_note("%s at 0x%x + 0x%x, kind of address %d", name, at, offset, (int)address);
    CHECK_EQUAL(ag_wasm_begin(engine.instance, function, args, is_wide(type) ? 4 : 3), AG_OK);
    const enum ag_status status = ag_wasm_run(engine.instance, INT32_MAX);
    const bool fits = (uint64_t)at + offset + width <= PAGE;
    CHECK_TEXT(ag_status_name(status), ag_status_name(fits ? AG_OK : AG_TRAP_MEMORY));
}

static void check_load(const struct access *access, uint32_t function, enum address address,
                       uint32_t at, uint32_t offset)
{
    run(function, access->name, address, at, offset, access->width, 0, access->type);
    if ((uint64_t)at + offset + access->width > PAGE)
        return;
    uint64_t want = 0;
    for (uint32_t i = 0; i < access->width; i++)
        want |= (uint64_t)model[at + offset + i] << 8 * i;
    if (access->is_signed && want >> (8 * access->width - 1))
        want |= UINT64_MAX << (8 * access->width - 1);
    const uint32_t *slots = ag_wasm_results(engine.instance);
    if (is_wide(access->type))
        CHECK_EQUAL(ag_wasm_get_u64(slots), want);
    else
        CHECK_EQUAL(slots[0], (uint32_t)want);
}

// Where a loaded value goes.
enum result {
    TO_END,
    TO_LOCAL,
    TO_ARITHMETIC,
    RESULT_COUNT
};

static void put_result(enum result result, char type)
{
    if (result == TO_LOCAL)
        PUT(LOCAL_SET(3), LOCAL_GET(3));
    if (result != TO_ARITHMETIC)
        return;
    if (type == 'i' || type == 'l')
        PUT(LOCAL_GET(4), type == 'i' ? I32_XOR : I64_XOR);
    else
        PUT(type == 'f' ? F32_NEG : F64_NEG, type == 'f' ? F32_NEG : F64_NEG);
}

static void add_load(const struct access *access, enum address address, enum result result,
                     uint32_t at, uint32_t offset)
{
    const char signature[] = { 'i', 'i', access->type, ':', access->type, 0 };
    const char locals[] = { access->type, access->type, 0 };
    body.size = 0;
    put_address(address, at);
    PUT(access->opcode, 0, LEB(offset));
    put_result(result, access->type);
    PUT(END);
    wat_function(&wat, NULL, signature, locals, body.at, body.size);
}

static void check_loads(const struct access *access, enum result result, uint32_t offset)
{
    begin();
    for (uint32_t kind = 0; kind < ADDRESS_COUNT; kind++)
        add_load(access, (enum address)kind, result, 0, offset);
    for (size_t i = 0; i < COUNT(addresses); i++)
        add_load(access, AT_CONSTANT, result, addresses[i], offset);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    memcpy(memory(), model, PAGE);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        for (uint32_t kind = 0; kind < ADDRESS_COUNT; kind++)
            check_load(access, function_of(1, (enum address)kind, i), (enum address)kind,
                       addresses[i], offset);
    }
}

static void every_load_reads_what_the_model_holds(void)
{
    fill_model();
    for (size_t n = 0; n < COUNT(loads); n++) {
        for (size_t k = 0; k < COUNT(offsets); k++) {
            for (uint32_t result = 0; result < RESULT_COUNT; result++)
                check_loads(&loads[n], (enum result)result, offsets[k]);
        }
    }
    engine_clear(&engine);
}

// Where a stored value comes from.
enum value {
    OF_LOCAL,
    OF_ARITHMETIC,
    OF_CONSTANT,      // of 16 bits
    OF_WIDE_CONSTANT, // of more
    VALUE_COUNT
};
#define SHORT_VALUE 0xFFFFFFFFFFFFFEDCu
#define WIDE_VALUE  0x89ABCDEF01234567u

static void put_value(enum value value, char type)
{
    const uint64_t constant = value == OF_CONSTANT ? SHORT_VALUE : WIDE_VALUE;
    if (value == OF_LOCAL || value == OF_ARITHMETIC)
        PUT(LOCAL_GET(2));
    else if (type == 'i')
        PUT(I32_CONST((uint32_t)constant));
    else if (type == 'l')
        PUT(I64_CONST(constant));
    else if (type == 'f')
        PUT(F32_CONST(constant));
    else
        PUT(F64_CONST(constant));
    if (value != OF_ARITHMETIC)
        return;
    if (type == 'i')
        PUT(LOCAL_GET(3), I32_XOR);
    else if (type == 'l')
        PUT(LOCAL_GET(4), I64_XOR);
    else if (type == 'f')
        PUT(F32_NEG, F32_NEG);
    else
        PUT(F64_NEG, F64_NEG);
}

static void add_store(const struct access *access, enum address address, enum value value,
                      uint32_t at, uint32_t offset)
{
    const char signature[] = { 'i', 'i', access->type, ':', 0 };
    body.size = 0;
    put_address(address, at);
    put_value(value, access->type);
    PUT(access->opcode, 0, LEB(offset));
    PUT(END);
    wat_function(&wat, NULL, signature, "il", body.at, body.size);
}

static void check_store(const struct access *access, uint32_t function, enum address address,
                        enum value value, uint32_t at, uint32_t offset)
{
    const uint64_t local = 0x7FF0123456789ABCu ^ at;
    const uint64_t stored = value == OF_CONSTANT        ? SHORT_VALUE
                            : value == OF_WIDE_CONSTANT ? WIDE_VALUE
                                                        : local;
    run(function, access->name, address, at, offset, access->width, local, access->type);
    uint8_t kept[8];
    const bool fits = (uint64_t)at + offset + access->width <= PAGE;
    if (address == AT_LOADED)
        memcpy((uint8_t *)memory() + 20000, model + 20000, 4);
    if (fits) {
        memcpy(kept, model + at + offset, access->width);
        for (uint32_t i = 0; i < access->width; i++)
            model[at + offset + i] = (uint8_t)(stored >> 8 * i);
    }
    CHECK(memcmp(memory(), model, PAGE) == 0);
    if (!fits)
        return;
    memcpy(model + at + offset, kept, access->width);
    memcpy((uint8_t *)memory() + at + offset, kept, access->width);
}

static void every_store_writes_its_bytes_and_no_other(void)
{
    fill_model();
    for (size_t n = 0; n < COUNT(stores); n++) {
        for (size_t k = 0; k < COUNT(offsets); k++) {
            const enum value value = (enum value)((n + k) % VALUE_COUNT);
            begin();
            for (uint32_t kind = 0; kind < ADDRESS_COUNT; kind++)
                add_store(&stores[n], (enum address)kind, value, 0, offsets[k]);
            for (size_t i = 0; i < COUNT(addresses); i++)
                add_store(&stores[n], AT_CONSTANT, value, addresses[i], offsets[k]);
            CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
            memcpy(memory(), model, PAGE);
            for (size_t i = 0; i < COUNT(addresses); i++) {
                for (uint32_t kind = 0; kind < ADDRESS_COUNT; kind++)
                    check_store(&stores[n], function_of(1, (enum address)kind, i),
                                (enum address)kind, value, addresses[i], offsets[k]);
            }
        }
    }
    engine_clear(&engine);
}

// Each kind of value with each kind of address, both small.
static void addresses_and_values_of_any_kind_meet(void)
{
    fill_model();
    for (size_t n = 0; n < COUNT(stores); n++) {
        begin();
        for (uint32_t i = 0; i < ADDRESS_COUNT * VALUE_COUNT; i++)
            add_store(&stores[n], (enum address)(i / VALUE_COUNT), (enum value)(i % VALUE_COUNT),
                      4093, 3);
        CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
        memcpy(memory(), model, PAGE);
        for (uint32_t i = 0; i < ADDRESS_COUNT * VALUE_COUNT; i++)
            check_store(&stores[n], 1 + i, (enum address)(i / VALUE_COUNT),
                        (enum value)(i % VALUE_COUNT), 4093, 3);
    }
    engine_clear(&engine);
}

static void an_alignment_is_a_hint(void)
{
    for (size_t n = 0; n < COUNT(loads); n++) {
        const char signature[] = { 'i', 'i', loads[n].type, ':', loads[n].type, 0 };
        for (uint8_t align = 0; align < 5; align++) {
            const bool is_valid = 1u << align <= loads[n].width;
            test_note("%s aligned to 2^%u", loads[n].name, align);
            begin();
            wat_function(&wat, NULL, signature, "",
                         BYTES(LOCAL_GET(0), loads[n].opcode, align, 1, END));
            CHECK_EQUAL(wat_load(&wat, &engine), is_valid ? AG_OK : AG_ERR_WASM_INVALID);
            if (!is_valid)
                continue;
            memcpy(memory(), model, PAGE);
            check_load(&loads[n], 1, AT_LOCAL, 2, 1);
        }
    }
    engine_clear(&engine);
}

// ---- Growth -----------------------------------------------------------------------------------

// Runs `body` as a function of one i32 in a memory of 1 to 4 pages with room for 3.
static enum ag_status run_growth(const uint8_t *bytes, size_t size, uint32_t arg)
{
    engine_clear(&engine);
    engine.options.memory_capacity = 3 * PAGE;
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(1, 1, 4));
    wat_function(&wat, "f", "i:i", "", bytes, size);
    return wat_run(&wat, &engine, "f", &arg, 1);
}

#define CHECK_GROWTH(arg, wanted, ...)                                                             \
    do {                                                                                           \
        CHECK_EQUAL(run_growth(BYTES(__VA_ARGS__), arg), AG_OK);                                   \
        CHECK_EQUAL(ag_wasm_results(engine.instance)[0], wanted);                                  \
    } while (0)

static void memory_grows_as_far_as_there_is_room(void)
{
    CHECK_GROWTH(0, 1, LOCAL_GET(0), MEMORY_GROW, END);
    CHECK_GROWTH(2, 1, LOCAL_GET(0), MEMORY_GROW, END);
    CHECK_GROWTH(3, UINT32_MAX, LOCAL_GET(0), MEMORY_GROW, END); // the embedder gave 3
    CHECK_GROWTH(4, UINT32_MAX, LOCAL_GET(0), MEMORY_GROW, END); // the module allows 4
    CHECK_GROWTH(UINT32_MAX, UINT32_MAX, LOCAL_GET(0), MEMORY_GROW, END);
    CHECK_GROWTH(65535, UINT32_MAX, LOCAL_GET(0), MEMORY_GROW, END);
    CHECK_GROWTH(0, 1, I32_CONST(1), MEMORY_GROW, END);
    CHECK_GROWTH(1, 2, LOCAL_GET(0), MEMORY_GROW, DROP, MEMORY_SIZE, END);
    CHECK_GROWTH(1, 1 + 2 + 3, LOCAL_GET(0), MEMORY_GROW, LOCAL_GET(0), MEMORY_GROW, I32_ADD,
                 MEMORY_SIZE, I32_ADD, END);
    CHECK_GROWTH(1, UINT32_MAX, LOCAL_GET(0), I32_CONST(1), I32_ADD, MEMORY_GROW, DROP,
                 LOCAL_GET(0), MEMORY_GROW, END);
    engine_clear(&engine);
}

static void grown_memory_is_zero_and_in_reach_at_once(void)
{
    CHECK_EQUAL(run_growth(BYTES(LOCAL_GET(0), I32_LOAD(0), END), PAGE), AG_TRAP_MEMORY);
    CHECK_GROWTH(PAGE, 0, I32_CONST(1), MEMORY_GROW, DROP, LOCAL_GET(0), I32_LOAD(0), END);
    CHECK_GROWTH(2 * PAGE - 4, 0x01020304, I32_CONST(1), MEMORY_GROW, DROP, LOCAL_GET(0),
                 I32_CONST(0x01020304), I32_STORE(0), LOCAL_GET(0), I32_LOAD(0), END);
    CHECK_EQUAL(run_growth(BYTES(I32_CONST(1), MEMORY_GROW, DROP, LOCAL_GET(0), I32_LOAD(0), END),
                           2 * PAGE - 3),
                AG_TRAP_MEMORY);
    // What was there stays.
    CHECK_GROWTH(100, 77, LOCAL_GET(0), I32_CONST(77), I32_STORE(0), I32_CONST(2), MEMORY_GROW,
                 DROP, LOCAL_GET(0), I32_LOAD(0), END);
    engine_clear(&engine);
}

static void a_declared_maximum_ends_growth_and_bounds_what_is_kept(void)
{
    uint32_t arg = 2;
    uint32_t size_of_four;
    uint32_t size_of_all;
    engine_clear(&engine);
    engine.options.memory_capacity = 4 * PAGE;
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(1, 1, 2));
    wat_function(&wat, "f", "i:i", "", BYTES(LOCAL_GET(0), MEMORY_GROW, END));
    CHECK_EQUAL(wat_run(&wat, &engine, "f", &arg, 1), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], UINT32_MAX);
    arg = 1;
    CHECK_EQUAL(engine_call(&engine, "f", &arg, 1, INT32_MAX), AG_OK);
    CHECK_EQUAL(ag_wasm_results(engine.instance)[0], 1);
    // No room is kept that could never be used.
    CHECK_EQUAL(ag_wasm_instance_size(&engine.image, &engine.options, &size_of_four), AG_OK);
    engine.options.memory_capacity = UINT32_MAX;
    CHECK_EQUAL(ag_wasm_instance_size(&engine.image, &engine.options, &size_of_all), AG_OK);
    CHECK_EQUAL(size_of_four, size_of_all);
    engine_clear(&engine);
}

static void an_instance_of_more_than_four_gigabytes_is_refused(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(0, 1));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    engine.options.memory_capacity = UINT32_MAX;
    uint32_t size = 5;
    engine.options.stack_size = UINT32_MAX;
    CHECK_EQUAL(ag_wasm_instance_size(&engine.image, &engine.options, &size), AG_ERR_WASM_MEMORY);
    struct ag_wasm_instance *instance = NULL;
    CHECK_EQUAL(ag_wasm_instance_make(engine.block, engine.block_size, &engine.image,
                                      &engine.options, &instance),
                AG_ERR_WASM_MEMORY);
    CHECK(size == 5 && instance == NULL);
    engine_clear(&engine);
}

static void a_block_that_is_small_or_askew_is_refused(void)
{
    struct ag_wasm_instance *instance = NULL;
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(0, 1));
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    CHECK_EQUAL(ag_wasm_instance_make(engine.block, engine.block_size - 1, &engine.image,
                                      &engine.options, &instance),
                AG_ERR_ARGUMENT);
    CHECK_EQUAL(ag_wasm_instance_make((uint8_t *)engine.block + 4, engine.block_size, &engine.image,
                                      &engine.options, &instance),
                AG_ERR_ARGUMENT);
    CHECK(instance == NULL);
    engine_clear(&engine);
}

// ---- Many bytes at once -------------------------------------------------------------------------

// f(to, second, count) on a page that holds 0, 1, 2, ...; segment 0 is passive and holds 40 bytes.
static enum ag_status run_bulk(const uint8_t *bytes, size_t size, uint32_t to, uint32_t second,
                               uint32_t count)
{
    const uint32_t args[] = { to, second, count };
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(0, 1));
    body.size = 0;
    PUT(1, 40);
    for (uint8_t i = 0; i < 40; i++)
        PUT((uint8_t)(200 + i));
    wat_item(&wat, 11, body.at, body.size);
    wat_function(&wat, "f", "iii:", "", bytes, size);
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    uint8_t *at = memory();
    for (uint32_t i = 0; i < PAGE; i++)
        model[i] = at[i] = (uint8_t)i;
    return engine_call(&engine, "f", args, 3, 1);
}
#define THREE LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2)

static const uint32_t ends[][3] = {
    { 0, 0, 0 },          { 10, 20, 30 },       { 20, 10, 30 },       { 10, 10, 5 },
    { 0, 1, PAGE - 1 },   { 1, 0, PAGE - 1 },   { 0, 0, PAGE },       { PAGE, 0, 0 },
    { 0, PAGE, 0 },       { PAGE, PAGE, 0 },    { PAGE + 1, 0, 0 },   { 0, PAGE + 1, 0 },
    { PAGE - 1, 0, 1 },   { PAGE - 1, 0, 2 },   { 0, PAGE - 1, 2 },   { 1, 0, PAGE },
    { 0, 0, UINT32_MAX }, { UINT32_MAX, 0, 1 }, { 0, UINT32_MAX, 1 }, { 8, 0, UINT32_MAX - 7 },
    { 30, 0, 40 },        { 30, 1, 40 },        { 30, 40, 0 },        { 30, 41, 0 },
    { PAGE - 40, 0, 40 }, { PAGE - 39, 0, 40 },
};

static void copies_overlap_as_they_should_within_bounds(void)
{
    for (size_t i = 0; i < COUNT(ends); i++) {
        const uint32_t to = ends[i][0], from = ends[i][1], count = ends[i][2];
        const bool fits = (uint64_t)to + count <= PAGE && (uint64_t)from + count <= PAGE;
        test_note("copy to %u from %u, %u bytes", to, from, count);
        CHECK_EQUAL(run_bulk(BYTES(THREE, MEMORY_COPY, END), to, from, count),
                    fits ? AG_OK : AG_TRAP_MEMORY);
        if (fits)
            memmove(model + to, model + from, count);
        CHECK_BYTES(memory(), model, PAGE);
    }
    engine_clear(&engine);
}

static void fills_stay_within_bounds(void)
{
    for (size_t i = 0; i < COUNT(ends); i++) {
        const uint32_t to = ends[i][0], value = ends[i][1], count = ends[i][2];
        const bool fits = (uint64_t)to + count <= PAGE;
        test_note("fill at %u with 0x%x, %u bytes", to, value, count);
        CHECK_EQUAL(run_bulk(BYTES(THREE, MEMORY_FILL, END), to, value, count),
                    fits ? AG_OK : AG_TRAP_MEMORY);
        if (fits)
            memset(model + to, (int)(value & 0xFF), count);
        CHECK_BYTES(memory(), model, PAGE);
    }
    engine_clear(&engine);
}

static void segments_are_copied_within_bounds(void)
{
    for (size_t i = 0; i < COUNT(ends); i++) {
        const uint32_t to = ends[i][0], from = ends[i][1], count = ends[i][2];
        const bool fits = (uint64_t)to + count <= PAGE && (uint64_t)from + count <= 40;
        test_note("init at %u from %u, %u bytes", to, from, count);
        CHECK_EQUAL(run_bulk(BYTES(THREE, MEMORY_INIT(0), END), to, from, count),
                    fits ? AG_OK : AG_TRAP_MEMORY);
        for (uint32_t k = 0; fits && k < count; k++)
            model[to + k] = (uint8_t)(200 + from + k);
        CHECK_BYTES(memory(), model, PAGE);
    }
    engine_clear(&engine);
}

static void a_dropped_segment_is_empty(void)
{
    CHECK_EQUAL(run_bulk(BYTES(DATA_DROP(0), THREE, MEMORY_INIT(0), END), 5, 0, 0), AG_OK);
    CHECK_EQUAL(run_bulk(BYTES(DATA_DROP(0), THREE, MEMORY_INIT(0), END), 5, 0, 1), AG_TRAP_MEMORY);
    CHECK_EQUAL(run_bulk(BYTES(DATA_DROP(0), DATA_DROP(0), THREE, MEMORY_INIT(0), END), 5, 1, 0),
                AG_TRAP_MEMORY);
    engine_clear(&engine);
}

static void bulk_operands_may_be_constants_and_results(void)
{
    CHECK_EQUAL(
        run_bulk(BYTES(I32_CONST(100), I32_CONST(7), I32_CONST(3), MEMORY_FILL, END), 0, 0, 0),
        AG_OK);
    memset(model + 100, 7, 3);
    CHECK_BYTES(memory(), model, PAGE);
    CHECK_EQUAL(run_bulk(BYTES(LOCAL_GET(0), LOCAL_GET(1), I32_ADD, LOCAL_GET(1), LOCAL_GET(0),
                               I32_SUB, LOCAL_GET(2), LOCAL_GET(2), I32_ADD, MEMORY_COPY, END),
                         1000, 5000, 20),
                AG_OK);
    memmove(model + 6000, model + 4000, 40);
    CHECK_BYTES(memory(), model, PAGE);
    engine_clear(&engine);
}

// One unit for each 16 bytes above what the instructions themselves cost.
static void bulk_instructions_charge_for_their_bytes(void)
{
    static const uint8_t codes[][4] = { { MEMORY_COPY }, { MEMORY_FILL, NOP } };
    for (size_t i = 0; i < COUNT(codes); i++) {
        const uint8_t *code = codes[i];
        for (uint32_t count = 0; count < 100; count++) {
            CHECK_EQUAL(
                run_bulk(BYTES(THREE, code[0], code[1], code[2], code[3], END), 0, 0, count),
                AG_OK);
            CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), 4 + count / 16);
        }
    }
    engine_clear(&engine);
}

// ---- Data segments ------------------------------------------------------------------------------

static enum ag_status load_data(const uint8_t *first, size_t first_size, const uint8_t *second,
                                size_t second_size)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(0, 1));
    wat_item(&wat, 11, first, first_size);
    wat_item(&wat, 11, second, second_size);
    wat_function(&wat, "f", "iii:", "", BYTES(THREE, MEMORY_INIT(0), END));
    return wat_load(&wat, &engine);
}

static void active_segments_fill_memory_in_order(void)
{
    const uint32_t args[] = { 0, 0, 1 };
    CHECK_EQUAL(
        load_data(BYTES(0, I32_CONST(10), END, 3, 1, 2, 3), BYTES(2, 0, I32_CONST(11), END, 1, 9)),
        AG_OK);
    const uint8_t *at = memory();
    CHECK_BYTES(at + 9, ((const uint8_t[]){ 0, 1, 9, 3, 0 }), 5);
    // and are dropped then.
    CHECK_EQUAL(engine_call(&engine, "f", args, 3, INT32_MAX), AG_TRAP_MEMORY);
    CHECK_EQUAL(
        load_data(BYTES(0, I32_CONST(PAGE - 1), END, 1, 7), BYTES(0, I32_CONST(PAGE), END, 0)),
        AG_OK);
    CHECK_EQUAL(((const uint8_t *)memory())[PAGE - 1], 7);
    engine_clear(&engine);
}

static void an_active_segment_that_does_not_fit_traps(void)
{
    CHECK_EQUAL(load_data(BYTES(0, I32_CONST(PAGE - 1), END, 2, 7, 7), BYTES(1, 0)),
                AG_TRAP_MEMORY);
    CHECK_EQUAL(load_data(BYTES(0, I32_CONST(PAGE + 1), END, 0), BYTES(1, 0)), AG_TRAP_MEMORY);
    CHECK_EQUAL(load_data(BYTES(0, I32_CONST(-1), END, 1, 7), BYTES(1, 0)), AG_TRAP_MEMORY);
    engine_clear(&engine);
}

// More than one word of the bits that say what is dropped.
static void each_of_many_segments_is_dropped_by_itself(void)
{
    engine_clear(&engine);
    wat_begin(&wat);
    wat_item(&wat, 5, BYTES(0, 1));
    for (uint8_t i = 0; i < 70; i++)
        wat_item(&wat, 11, BYTES(1, 2, i, (uint8_t)(i + 100)));
    for (uint8_t i = 0; i < 70; i++) {
        wat_function(&wat, NULL, ":", "", BYTES(DATA_DROP(i), END));
        wat_function(&wat, NULL, ":i", "",
                     BYTES(I32_CONST(0), I32_CONST(1), I32_CONST(1), MEMORY_INIT(i), I32_CONST(0),
                           I32_LOAD8_U(0), END));
    }
    CHECK_EQUAL(wat_load(&wat, &engine), AG_OK);
    for (uint32_t dropped = 0; dropped <= 70; dropped++) {
        for (uint32_t i = 0; i < 70; i++) {
            test_note("segment %u with %u dropped", i, dropped);
            CHECK_EQUAL(ag_wasm_begin(engine.instance, 2 * i + 1, NULL, 0), AG_OK);
            CHECK_EQUAL(ag_wasm_run(engine.instance, INT32_MAX),
                        i < dropped ? AG_TRAP_MEMORY : AG_OK);
            if (i >= dropped)
                CHECK_EQUAL(ag_wasm_results(engine.instance)[0], i + 100);
        }
        if (dropped == 70)
            break;
        CHECK_EQUAL(ag_wasm_begin(engine.instance, 2 * dropped, NULL, 0), AG_OK);
        CHECK_EQUAL(ag_wasm_run(engine.instance, INT32_MAX), AG_OK);
    }
    engine_clear(&engine);
}

// The tests above made every form that the bytecode has.
static void every_form_of_a_load_and_store_was_tried(void)
{
    static const char *const prefixes[] = { "LOAD", "STORE", "ADDRESS", "MEMORY", "DATA" };
    forms_check(prefixes, COUNT(prefixes));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(every_load_reads_what_the_model_holds),
        TEST(every_store_writes_its_bytes_and_no_other),
        TEST(addresses_and_values_of_any_kind_meet),
        TEST(an_alignment_is_a_hint),
        TEST(memory_grows_as_far_as_there_is_room),
        TEST(grown_memory_is_zero_and_in_reach_at_once),
        TEST(a_declared_maximum_ends_growth_and_bounds_what_is_kept),
        TEST(an_instance_of_more_than_four_gigabytes_is_refused),
        TEST(a_block_that_is_small_or_askew_is_refused),
        TEST(copies_overlap_as_they_should_within_bounds),
        TEST(fills_stay_within_bounds),
        TEST(segments_are_copied_within_bounds),
        TEST(a_dropped_segment_is_empty),
        TEST(bulk_operands_may_be_constants_and_results),
        TEST(bulk_instructions_charge_for_their_bytes),
        TEST(active_segments_fill_memory_in_order),
        TEST(an_active_segment_that_does_not_fit_traps),
        TEST(each_of_many_segments_is_dropped_by_itself),
        TEST(every_form_of_a_load_and_store_was_tried),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
