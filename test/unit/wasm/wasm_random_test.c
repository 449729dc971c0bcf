// SPDX-License-Identifier: Apache-2.0
// Random programs against what they must compute: a program is made from the outside in, and what
// it does to locals, globals and memory is done to a model at once, with numeric_reference.c, so
// that the end is known before the engine runs. Ways that are not taken are filled with valid code.
#include <stdlib.h>

#include "numeric_reference.h"
#include "wat.h"

#define COUNT(list) (sizeof list / sizeof list[0])
#define LOCALS      12u // four parameters, then two of each type
#define BYTES_USED  256u
#define RESULTS_AT  1024u // the locals are written there at the end

static const char local_types[] = "ilfdiillffdd";
static const char global_types[] = "iillffdd";
#define GLOBALS 8u

static struct engine engine;
static struct wat wat;
static struct bytes body;

#define PUT(...) put(&body, BYTES(__VA_ARGS__))

struct state {
    uint64_t locals[LOCALS];
    uint64_t globals[GLOBALS];
    uint8_t memory[BYTES_USED];
};
static struct state state;
static uint64_t seed;
static int32_t budget; // instructions that may still be made, roughly
static uint32_t nesting;

static uint32_t below(uint32_t count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % count;
}

static uint8_t index_of(char type)
{
    return type == 'i' ? 0 : type == 'l' ? 1 : type == 'f' ? 2 : 3;
}

static uint64_t trimmed(char type, uint64_t bits)
{
    return type == 'i' || type == 'f' ? (uint32_t)bits : bits;
}

static uint64_t make_value(char type);
static void make_statement(void);

static uint8_t any_local(char type)
{
    uint32_t local = below(LOCALS);
    while (local_types[local] != type)
        local = (local + 1) % LOCALS;
    return (uint8_t)local;
}

static uint64_t make_constant(char type)
{
    size_t count;
    const uint64_t *edges = numeric_edges(type, &count);
    const uint64_t bits = trimmed(type, below(3) == 0 && (type == 'i' || type == 'l')
                                            ? below(9)
                                            : edges[below((uint32_t)count)]);
    if (type == 'i')
        PUT(I32_CONST((uint32_t)bits));
    else if (type == 'l')
        PUT(I64_CONST(bits));
    else if (type == 'f')
        PUT(F32_CONST(bits));
    else
        PUT(F64_CONST(bits));
    return bits;
}

// Puts an address on the stack, and sets *offset, for `width` bytes at the place returned.
static uint32_t make_address(uint32_t width, uint32_t *offset)
{
    const uint32_t at = below(BYTES_USED - width + 1);
    *offset = below(2) ? below(at + 1) : 0;
    const uint32_t base = at - *offset;
    if (below(3) == 0) {
        PUT(I32_CONST(base));
        return at;
    }
    // What is missing is added to a local or to something computed.
    uint32_t value;
    if (below(2)) {
        const uint8_t local = any_local('i');
        value = (uint32_t)state.locals[local];
        PUT(LOCAL_GET(local));
    } else {
        value = (uint32_t)make_value('i');
    }
    PUT(I32_CONST(base - value), I32_ADD);
    return at;
}

struct access {
    uint8_t opcode;
    uint8_t width;
    char type;
    bool is_signed;
};
static const struct access loads[] = {
    { 0x28, 4, 'i', 0 }, { 0x29, 8, 'l', 0 }, { 0x2A, 4, 'f', 0 }, { 0x2B, 8, 'd', 0 },
    { 0x2C, 1, 'i', 1 }, { 0x2D, 1, 'i', 0 }, { 0x2E, 2, 'i', 1 }, { 0x2F, 2, 'i', 0 },
    { 0x30, 1, 'l', 1 }, { 0x31, 1, 'l', 0 }, { 0x32, 2, 'l', 1 }, { 0x33, 2, 'l', 0 },
    { 0x34, 4, 'l', 1 }, { 0x35, 4, 'l', 0 },
};
static const struct access stores[] = {
    { 0x36, 4, 'i', 0 }, { 0x37, 8, 'l', 0 }, { 0x38, 4, 'f', 0 },
    { 0x39, 8, 'd', 0 }, { 0x3A, 1, 'i', 0 }, { 0x3B, 2, 'i', 0 },
    { 0x3C, 1, 'l', 0 }, { 0x3D, 2, 'l', 0 }, { 0x3E, 4, 'l', 0 },
};

static uint64_t make_load(char type)
{
    uint32_t i = below(COUNT(loads));
    while (loads[i].type != type)
        i = (i + 1) % COUNT(loads);
    uint32_t offset;
    const uint32_t at = make_address(loads[i].width, &offset);
    PUT(loads[i].opcode, 0, LEB(offset));
    uint64_t bits = 0;
    for (uint32_t k = 0; k < loads[i].width; k++)
        bits |= (uint64_t)state.memory[at + k] << 8 * k;
    if (loads[i].is_signed && bits >> (8 * loads[i].width - 1))
        bits |= UINT64_MAX << (8 * loads[i].width - 1);
    return trimmed(type, bits);
}

static void make_store(void)
{
    const struct access *store = &stores[below(COUNT(stores))];
    uint32_t offset;
    const uint32_t at = make_address(store->width, &offset);
    const uint64_t bits = make_value(store->type);
    PUT(store->opcode, 0, LEB(offset));
    for (uint32_t k = 0; k < store->width; k++)
        state.memory[at + k] = (uint8_t)(bits >> 8 * k);
}

static uint64_t make_leaf(char type)
{
    const uint8_t global = (uint8_t)(2 * index_of(type) + below(2));
    switch (below(5)) {
    case 0:
        return make_constant(type);
    case 1:
        PUT(GLOBAL_GET(global));
        return state.globals[global];
    default:
        break;
    }
    const uint8_t local = any_local(type);
    PUT(LOCAL_GET(local));
    return state.locals[local];
}

// Whether an operation gives one result, and which.
static bool is_certain(const struct numeric *numeric, uint64_t a, uint64_t b, uint64_t *result)
{
    return numeric->compute(a, b, result) == VALUE &&
           (numeric->keeps_bits || !numeric_is_nan(numeric->out, *result));
}

static uint64_t make_operation(char type)
{
    const struct numeric *first = &numerics[below((uint32_t)numeric_count)];
    while (first->out != type)
        first = &numerics[(size_t)(first - numerics + 1) % numeric_count];
    const uint64_t a = make_value(first->in);
    const uint64_t b = first->arity == 2 ? make_value(first->in) : 0;
    // Another one with the same operands if this one traps or gives any NaN.
    const struct numeric *numeric = first;
    uint64_t result;
    do {
        if (numeric->in == first->in && numeric->out == type && numeric->arity == first->arity &&
            is_certain(numeric, a, b, &result)) {
            if (numeric->opcode >= 0xFC00)
                PUT(0xFC, (uint8_t)numeric->opcode);
            else
                PUT((uint8_t)numeric->opcode);
            return trimmed(type, result);
        }
        numeric = &numerics[(size_t)(numeric - numerics + 1) % numeric_count];
    } while (numeric != first);
    PUT(DROP);
    if (first->arity == 2)
        PUT(DROP);
    return make_constant(type);
}

// Code that is never executed leaves the model alone.
static void make_unused(char type)
{
    const struct state kept = state;
    if (below(4) == 0)
        PUT(UNREACHABLE);
    else if (type == 0)
        make_statement();
    else
        make_value(type);
    state = kept;
}

// Up to two values that a branch leaves behind.
static uint32_t make_under(void)
{
    const uint32_t count = below(3);
    for (uint32_t i = 0; i < count; i++)
        make_value("ilfd"[below(4)]);
    return count;
}

static void put_drops(uint32_t count)
{
    while (count-- > 0)
        PUT(DROP);
}

// A value by way of a block, a loop or an if.
static uint64_t make_block(char type)
{
    uint64_t value;
    uint32_t condition;
    uint32_t under;
    switch (below(5)) {
    case 0:
        PUT(below(2) ? 0x02 : 0x03, wat_letter(type));
        make_statement();
        value = make_value(type);
        break;
    case 1:
        condition = (uint32_t)make_value('i');
        PUT(IF(wat_letter(type)));
        if (condition != 0)
            value = make_value(type);
        else
            make_unused(type);
        PUT(ELSE);
        if (condition == 0)
            value = make_value(type);
        else
            make_unused(type);
        break;
    case 2: // left with a value over another
        PUT(BLOCK(wat_letter(type)));
        make_value("ilfd"[below(4)]);
        value = make_value(type);
        PUT(BR(0));
        break;
    case 3:
        PUT(BLOCK(wat_letter(type)));
        under = make_under();
        value = make_value(type);
        condition = (uint32_t)make_value('i');
        PUT(BR_IF(0), DROP);
        put_drops(under);
        if (condition == 0)
            value = make_value(type);
        else
            make_unused(type);
        break;
    default: // a table that leads out of one block or two
        PUT(BLOCK(wat_letter(type)), BLOCK(wat_letter(type)));
        make_under();
        value = make_value(type);
        condition = (uint32_t)make_value('i');
        PUT(BR_TABLE(2, 0, 1, 0), END, DROP);
        if (condition == 1)
            make_unused(type);
        else
            value = make_value(type);
    }
    PUT(END);
    return value;
}

static uint64_t make_select(char type)
{
    const uint64_t a = make_value(type);
    const uint64_t b = make_value(type);
    const uint32_t condition = (uint32_t)make_value('i');
    PUT(SELECT);
    return condition != 0 ? a : b;
}

static uint64_t make_value(char type)
{
    uint64_t value;
    uint8_t local;
    if (--budget <= 0 || nesting > 40)
        return make_leaf(type);
    nesting++;
    switch (below(16)) {
    case 0:
    case 1:
        value = make_leaf(type);
        break;
    case 2:
        value = make_select(type);
        break;
    case 3:
        value = make_block(type);
        break;
    case 4:
    case 5:
        value = make_load(type);
        break;
    case 6:
        value = make_value(type);
        PUT(CALL(index_of(type)));
        break;
    case 7:
        local = any_local(type);
        value = make_value(type);
        PUT(LOCAL_TEE(local));
        state.locals[local] = value;
        break;
    case 8:
        make_statement();
        value = make_value(type);
        break;
    default:
        value = make_operation(type);
    }
    nesting--;
    return value;
}

static void make_statement(void)
{
    const char type = "ilfd"[below(4)];
    const uint8_t local = any_local(type);
    const uint8_t global = (uint8_t)(2 * index_of(type) + below(2));
    uint32_t condition;
    switch (below(6)) {
    case 0:
        state.globals[global] = make_value(type);
        PUT(GLOBAL_SET(global));
        break;
    case 1:
    case 2:
        make_store();
        break;
    case 3:
        condition = (uint32_t)make_value('i');
        PUT(IF(EMPTY));
        if (condition != 0)
            make_statement();
        else
            make_unused(0);
        PUT(END);
        break;
    default:
        state.locals[local] = make_value(type);
        PUT(LOCAL_SET(local));
    }
}

static uint64_t written[LOCALS];

static void put_results(void)
{
    memcpy(written, state.locals, sizeof written);
    for (uint8_t i = 0; i < LOCALS; i++)
        PUT(I32_CONST(RESULTS_AT + 8 * i), LOCAL_GET(i), (uint8_t)(0x36 + index_of(local_types[i])),
            0, 0);
}

// The function's result, by one of the ways that a function is left.
static uint64_t make_end(void)
{
    const uint32_t way = below(4);
    const uint32_t under = way == 0 ? 0 : make_under();
    uint64_t value = make_value('l');
    uint32_t condition;
    switch (way) {
    case 0:
        break;
    case 1:
        PUT(RETURN);
        break;
    case 2:
        make_value('i');
        PUT(BR_TABLE(1, 0, 0));
        break;
    default:
        condition = (uint32_t)make_value('i');
        PUT(BR_IF(0), DROP);
        put_drops(under);
        if (condition == 0)
            value = make_value('l');
        else
            make_unused('l');
    }
    PUT(END);
    return value;
}

static void make_module(void)
{
    wat_begin(&wat);
    for (size_t i = 0; i < 4; i++) {
        const char signature[] = { "ilfd"[i], ':', "ilfd"[i], 0 };
        wat_function(&wat, NULL, signature, "", BYTES(LOCAL_GET(0), END));
    }
    wat_item(&wat, 5, BYTES(0, 1));
    for (size_t i = 0; i < GLOBALS; i++) {
        body.size = 0;
        PUT(wat_letter(global_types[i]), 1);
        state.globals[i] = make_constant(global_types[i]);
        PUT(END);
        wat_item(&wat, 6, body.at, body.size);
    }
    body.size = 0;
    const uint32_t statements = 1 + below(12);
    budget = (int32_t)(10 + below(400));
    for (uint32_t i = 0; i < statements; i++)
        make_statement();
}

static void run(uint32_t function, const uint32_t *args, uint32_t slice)
{
    CHECK_EQUAL(ag_wasm_begin(engine.instance, function, args, 6), AG_OK);
    enum ag_status status;
    do {
        status = ag_wasm_run(engine.instance, slice);
    } while (status == AG_ERR_AGAIN);
    CHECK_TEXT(ag_status_name(status), "ok");
}

static void compare(uint64_t result)
{
    void *bytes;
    const uint32_t *slots = ag_wasm_results(engine.instance);
    CHECK_EQUAL(ag_wasm_get_u64(slots), result);
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, 0, 2048, &bytes), AG_OK);
    const uint8_t *memory = bytes;
    CHECK_BYTES(memory, state.memory, BYTES_USED);
    for (uint32_t i = 0; i < LOCALS; i++) {
        uint64_t local;
        memcpy(&local, memory + RESULTS_AT + 8 * i, sizeof local);
        if (local != written[i])
            test_fail(__FILE__, __LINE__, "local %u is 0x%llx, not 0x%llx", i,
                      (unsigned long long)local, (unsigned long long)written[i]);
    }
    for (uint32_t i = 0; i < GLOBALS; i++) {
        slots = ag_wasm_global_at(engine.instance, i);
        const bool is_wide = global_types[i] == 'l' || global_types[i] == 'd';
        CHECK_EQUAL(is_wide ? ag_wasm_get_u64(slots) : slots[0], state.globals[i]);
    }
}

static void check_program(uint64_t number)
{
    seed = (number + 1) * 0x9E3779B97F4A7C15u;
    nesting = 0;
    memset(&state, 0, sizeof state);
    uint32_t args[6];
    for (uint32_t i = 0; i < 4; i++) {
        size_t count;
        const uint64_t *edges = numeric_edges(local_types[i], &count);
        state.locals[i] = edges[below((uint32_t)count)];
    }
    args[0] = (uint32_t)state.locals[0];
    ag_wasm_set_u64(args + 1, state.locals[1]);
    args[3] = (uint32_t)state.locals[2];
    ag_wasm_set_u64(args + 4, state.locals[3]);
    make_module();
    put_results();
    const uint64_t result = make_end();
    const uint32_t function = wat_function(&wat, NULL, "ilfd:l", "iillffdd", body.at, body.size);
    uint64_t fuel = 0;
    for (uint32_t slice = 0; slice < 3; slice++) {
        test_note("program %llu, slices of %u", (unsigned long long)number, slice);
        engine_clear(&engine);
        engine.scratch_size = 40000;
        engine.options.stack_size = 8192;
        CHECK_TEXT(ag_status_name(wat_load(&wat, &engine)), "ok");
        run(function, args, slice == 0 ? INT32_MAX : slice);
        compare(result);
        if (slice > 0)
            CHECK_EQUAL(ag_wasm_fuel_used(engine.instance), fuel);
        fuel = ag_wasm_fuel_used(engine.instance);
    }
}

// AG_RANDOM_PROGRAMS=N tries N of them.
static void random_programs_do_what_they_must(void)
{
    const char *wanted = getenv("AG_RANDOM_PROGRAMS");
    // An emulated microcontroller takes its time.
    const uint64_t count = wanted ? strtoull(wanted, NULL, 0) : __STDC_HOSTED__ ? 3000 : 500;
    CHECK(count > 0);
    for (uint64_t number = 0; number < count; number++)
        check_program(number);
    engine_clear(&engine);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(random_programs_do_what_they_must),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
