// SPDX-License-Identifier: Apache-2.0
// Every numeric instruction on values at the edges, against numeric_reference.c; and every one in
// every surrounding: the translator folds locals, constants, results of the instruction before and
// the use of the result into other instructions, so where an operand comes from and where the
// result goes must make no difference.
#include "forms.h"
#include "numeric_reference.h"
#include "wat.h"

static struct engine engine;
static struct wat wat;
static struct bytes body;

#define PUT(...) put(&body, BYTES(__VA_ARGS__))

// A function's parameters are its operands a and b and the address of their copies in memory;
// behind them stand locals that are 0, two of each type.
#define ADDRESS   8
#define PARAM     2
#define LOCALS    "iillffdd"
#define ZERO(t)   (uint8_t)(3 + 2 * number_of(t))
#define SPARE(t)  (uint8_t)(4 + 2 * number_of(t))
#define GLOBAL(t) (uint8_t)(2 * number_of(t))

static uint8_t number_of(char type)
{
    return type == 'i' ? 0 : type == 'l' ? 1 : type == 'f' ? 2 : 3;
}

// Where an operand comes from.
enum source {
    FROM_LOCAL,
    FROM_CONSTANT,
    FROM_ARITHMETIC, // the result of the instruction before
    FROM_KNOWN_ADDRESS,
    FROM_ADDRESS,
    FROM_GLOBAL,
    FROM_TEE,
    FROM_CALL,
    FROM_BLOCK,
    FROM_SELECT,
    FROM_OTHER_TYPE, // wrapped or reinterpreted
    SOURCE_COUNT
};
static const char *const source_names[] = {
    "local", "constant", "arithmetic", "known address", "address",    "global",
    "tee",   "call",     "block",      "select",        "other type",
};

// Where the result goes. From TO_IF on only whether it is zero is seen.
enum sink {
    TO_END,
    TO_RETURN,
    TO_LOCAL,
    TO_TEE,
    TO_GLOBAL,
    TO_ADDRESS,
    TO_KNOWN_ADDRESS,
    TO_LEFT, // operand of the next instruction
    TO_RIGHT,
    TO_BOTH, // right operand, the left one being computed too
    TO_CALL,
    TO_TABLE,  // returned by a branch table, over another value
    TO_BRANCH, // out of a block if a condition holds, likewise
    TO_IF,
    TO_BR_IF,
    TO_EQZ,
    TO_EQZ_IF,
    TO_SELECT,
    TO_SELECT_WIDE,
    SINK_COUNT
};
static const char *const sink_names[] = {
    "end",   "return", "local",  "tee",    "global",      "address", "known address",
    "left",  "right",  "both",   "call",   "table",       "branch",  "if",
    "br_if", "eqz",    "eqz if", "select", "wide select",
};

static void put_constant(char type, uint64_t value)
{
    if (type == 'i')
        PUT(I32_CONST((uint32_t)value));
    else if (type == 'l')
        PUT(I64_CONST(value));
    else if (type == 'f')
        PUT(F32_CONST(value));
    else
        PUT(F64_CONST(value));
}

// Leaves the value on the stack as it was, by one more instruction.
static void put_nothing_done(char type)
{
    if (type == 'f' || type == 'd') {
        const uint8_t negate = type == 'f' ? F32_NEG : F64_NEG;
        PUT(negate, negate);
        return;
    }
    put_constant(type, 0);
    PUT(type == 'i' ? I32_ADD : I64_ADD);
}

static void put_load(char type, uint32_t offset)
{
    PUT((uint8_t)(0x28 + number_of(type)), 0, LEB(offset));
}

static void put_store(char type, uint32_t offset)
{
    PUT((uint8_t)(0x36 + number_of(type)), 0, LEB(offset));
}

// Operand number `i` of a type.
static void put_source(enum source source, char type, uint8_t i, uint64_t constant)
{
    switch (source) {
    case FROM_LOCAL:
        PUT(LOCAL_GET(i));
        break;
    case FROM_CONSTANT:
        put_constant(type, constant);
        break;
    case FROM_ARITHMETIC:
        PUT(LOCAL_GET(i));
        put_nothing_done(type);
        break;
    case FROM_KNOWN_ADDRESS:
        PUT(I32_CONST(ADDRESS));
        put_load(type, 8u * i);
        break;
    case FROM_ADDRESS:
        PUT(LOCAL_GET(PARAM));
        put_load(type, 8u * i);
        break;
    case FROM_GLOBAL:
        PUT(GLOBAL_GET((uint8_t)(GLOBAL(type) + i)));
        break;
    case FROM_TEE:
        PUT(LOCAL_GET(i), LOCAL_TEE(SPARE(type)));
        break;
    case FROM_CALL:
        PUT(LOCAL_GET(i), CALL(number_of(type)));
        break;
    case FROM_BLOCK:
        PUT(BLOCK(wat_letter(type)), LOCAL_GET(i), END);
        break;
    case FROM_SELECT:
        PUT(LOCAL_GET(ZERO(type)), LOCAL_GET(i), LOCAL_GET(ZERO('i')), SELECT);
        break;
    case FROM_OTHER_TYPE:
        PUT(LOCAL_GET(i));
        if (type == 'i')
            PUT(I64_EXTEND_I32_S, I32_WRAP_I64);
        else if (type == 'l')
            PUT(F64_REINTERPRET_I64, I64_REINTERPRET_F64);
        else if (type == 'f')
            PUT(I32_REINTERPRET_F32, F32_REINTERPRET_I32);
        else
            PUT(I64_REINTERPRET_F64, F64_REINTERPRET_I64);
        break;
    case SOURCE_COUNT:
        break;
    }
}

// What stands before the operands.
static void put_before(enum sink sink, char type)
{
    if (sink == TO_ADDRESS)
        PUT(LOCAL_GET(PARAM));
    else if (sink == TO_KNOWN_ADDRESS)
        PUT(I32_CONST(64));
    else if (sink == TO_RIGHT || sink == TO_BOTH)
        PUT(LOCAL_GET(ZERO(type)));
    else if (sink == TO_SELECT)
        PUT(LOCAL_GET(PARAM), LOCAL_GET(ZERO('i')));
    else if (sink == TO_SELECT_WIDE)
        PUT(LOCAL_GET(PARAM), I64_EXTEND_I32_U, LOCAL_SET(SPARE('l')), LOCAL_GET(SPARE('l')),
            LOCAL_GET(ZERO('l')));
    else if (sink == TO_BR_IF)
        PUT(BLOCK(EMPTY));
    else if (sink == TO_TABLE || sink == TO_BRANCH)
        PUT(BLOCK(wat_letter(type)), LOCAL_GET(ZERO(type)));
    if (sink == TO_BOTH)
        put_nothing_done(type);
}

// The result joins a zero, or for floats is chosen instead of it.
static void put_join(char type)
{
    if (type == 'i' || type == 'l')
        PUT(type == 'i' ? I32_XOR : I64_XOR);
    else
        PUT(LOCAL_GET(ZERO('i')), SELECT);
}

// Traps if the local behind the spare one is not 0 any more.
static void put_neighbour_check(char type)
{
    if (type == 'i')
        PUT(LOCAL_GET(ZERO('l')), I64_EQZ, I32_EQZ, IF(EMPTY), UNREACHABLE, END);
    else if (type == 'l')
        PUT(LOCAL_GET(ZERO('f')), I32_REINTERPRET_F32, IF(EMPTY), UNREACHABLE, END);
    else if (type == 'f')
        PUT(LOCAL_GET(ZERO('d')), I64_REINTERPRET_F64, I64_EQZ, I32_EQZ, IF(EMPTY), UNREACHABLE,
            END);
}

static void put_after(enum sink sink, char type)
{
    switch (sink) {
    case TO_END:
    case SINK_COUNT:
        break;
    case TO_RETURN:
        PUT(RETURN);
        break;
    case TO_LOCAL:
        PUT(LOCAL_SET(SPARE(type)));
        put_neighbour_check(type);
        PUT(LOCAL_GET(SPARE(type)));
        break;
    case TO_TEE:
        PUT(LOCAL_TEE(SPARE(type)), DROP, LOCAL_GET(SPARE(type)));
        break;
    case TO_GLOBAL:
        PUT(GLOBAL_SET(GLOBAL(type)), GLOBAL_GET(GLOBAL(type)));
        break;
    case TO_ADDRESS:
        put_store(type, 48);
        PUT(LOCAL_GET(PARAM));
        put_load(type, 48);
        break;
    case TO_KNOWN_ADDRESS:
        put_store(type, 8);
        PUT(I32_CONST(72));
        put_load(type, 0);
        break;
    case TO_LEFT:
        put_nothing_done(type);
        break;
    case TO_RIGHT:
    case TO_BOTH:
        put_join(type);
        break;
    case TO_CALL:
        PUT(CALL(number_of(type)));
        break;
    case TO_TABLE:
        PUT(LOCAL_GET(ZERO('i')), BR_TABLE(1, 1, 1), END);
        break;
    case TO_BRANCH:
        PUT(LOCAL_GET(PARAM), BR_IF(0), DROP, END);
        break;
    case TO_IF:
        PUT(IF(I32), I32_CONST(1), ELSE, I32_CONST(0), END);
        break;
    case TO_BR_IF:
        PUT(BR_IF(0), I32_CONST(0), RETURN, END, I32_CONST(1));
        break;
    case TO_EQZ:
        PUT(I32_EQZ, I32_EQZ);
        break;
    case TO_EQZ_IF:
        PUT(I32_EQZ, IF(I32), I32_CONST(0), ELSE, I32_CONST(1), END);
        break;
    case TO_SELECT: // the address or 0
        PUT(SELECT, I32_EQZ, I32_EQZ);
        break;
    case TO_SELECT_WIDE:
        PUT(SELECT, I64_EQZ, I32_EQZ);
        break;
    }
}

static void put_opcode(const struct numeric *numeric)
{
    if (numeric->opcode >= 0xFC00)
        PUT(0xFC, (uint8_t)numeric->opcode);
    else
        PUT((uint8_t)numeric->opcode);
}

// Four functions that return their parameter, memory, and two globals of each type.
static void begin_module(void)
{
    static const char types[] = "ilfd";
    wat_begin(&wat);
    for (size_t i = 0; i < 4; i++) {
        const char signature[] = { types[i], ':', types[i], 0 };
        wat_function(&wat, NULL, signature, "", BYTES(LOCAL_GET(0), END));
    }
    wat_item(&wat, 5, BYTES(0, 1));
    for (size_t i = 0; i < 8; i++) {
        body.size = 0;
        PUT(wat_letter(types[i / 2]), 1);
        put_constant(types[i / 2], 0);
        PUT(END);
        wat_item(&wat, 6, body.at, body.size);
    }
}

struct form {
    enum source left;
    enum source right;
    enum sink sink;
    uint64_t constant;
};

static uint32_t add_function(const struct numeric *numeric, const struct form *form)
{
    const char signature[] = { numeric->in, numeric->in, 'i', ':', numeric->out, 0 };
    body.size = 0;
    put_before(form->sink, numeric->out);
    put_source(form->left, numeric->in, 0, form->constant);
    if (numeric->arity == 2)
        put_source(form->right, numeric->in, 1, form->constant);
    put_opcode(numeric);
    put_after(form->sink, numeric->out);
    PUT(END);
    return wat_function(&wat, NULL, signature, LOCALS, body.at, body.size);
}

static void load_module(void)
{
    engine_clear(&engine);
    CHECK_TEXT(ag_status_name(wat_load(&wat, &engine)), "ok");
}

static bool is_wide(char type)
{
    return type == 'l' || type == 'd';
}

static bool is_canonical(char type, uint64_t bits)
{
    return type == 'f' ? (bits & 0x7FFFFFFF) == 0x7FC00000
                       : (bits & 0x7FFFFFFFFFFFFFFF) == 0x7FF8000000000000;
}

// Puts the operands where the sources look for them, and calls.
static enum ag_status call(const struct numeric *numeric, uint32_t function,
                           const uint64_t values[2], uint32_t slice, uint64_t *result)
{
    uint32_t args[5];
    uint32_t count = 0;
    void *memory;
    CHECK_EQUAL(ag_wasm_memory_at(engine.instance, ADDRESS, 16, &memory), AG_OK);
    memcpy(memory, values, 16);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t *global = ag_wasm_global_at(engine.instance, GLOBAL(numeric->in) + i);
        args[count] = global[0] = (uint32_t)values[i];
        count++;
        if (!is_wide(numeric->in))
            continue;
        args[count] = global[1] = (uint32_t)(values[i] >> 32);
        count++;
    }
    args[count++] = ADDRESS;
    CHECK_EQUAL(ag_wasm_begin(engine.instance, function, args, count), AG_OK);
    enum ag_status status;
    do {
        status = ag_wasm_run(engine.instance, slice);
    } while (status == AG_ERR_AGAIN);
    const uint32_t *slots = ag_wasm_results(engine.instance);
    *result = is_wide(numeric->out) ? ag_wasm_get_u64(slots) : slots[0];
    return status;
}

// Whether a result is what the reference wants: a NaN is quiet, and canonical if no operand is
// another NaN.
static bool agrees(const struct numeric *numeric, uint64_t a, uint64_t b, uint64_t got,
                   uint64_t want)
{
    if (numeric->keeps_bits || !numeric_is_nan(numeric->out, want))
        return got == want;
    if (!numeric_is_nan(numeric->out, got) || !numeric_is_quiet(numeric->out, got))
        return false;
    const bool odd_a = numeric_is_nan(numeric->in, a) && !is_canonical(numeric->in, a);
    const bool odd_b = numeric_is_nan(numeric->in, b) && !is_canonical(numeric->in, b);
    return odd_a || (odd_b && numeric->arity == 2) || is_canonical(numeric->out, got);
}

static void check(const struct numeric *numeric, const struct form *form, uint32_t function,
                  uint64_t a, uint64_t b, uint32_t slice)
{
    static const enum ag_status statuses[] = {
        [VALUE] = AG_OK,
        [DIVIDE_BY_ZERO] = AG_TRAP_DIVIDE_BY_ZERO,
        [OVERFLOW] = AG_TRAP_OVERFLOW,
        [CONVERSION] = AG_TRAP_CONVERSION,
    };
    const uint64_t used_a = form->left == FROM_CONSTANT ? form->constant : a;
    const uint64_t used_b = form->right == FROM_CONSTANT ? form->constant : b;
    const uint64_t values[2] = { a, b };
    uint64_t want = 0;
    uint64_t got = 0;
    const enum outcome outcome = numeric->compute(used_a, used_b, &want);
    const enum ag_status status = call(numeric, function, values, slice, &got);
    if (form->sink >= TO_IF)
        want = want != 0;
    if (status == statuses[outcome] &&
        (outcome != VALUE || agrees(numeric, used_a, used_b, got, want)))
        return;
    test_fail(__FILE__, __LINE__,
              "%s of 0x%llx (%s) and 0x%llx (%s) to %s: %s 0x%llx, not %s 0x%llx", numeric->name,
              (unsigned long long)used_a, source_names[form->left], (unsigned long long)used_b,
              source_names[form->right], sink_names[form->sink], ag_status_name(status),
              (unsigned long long)got, ag_status_name(statuses[outcome]), (unsigned long long)want);
}

static void every_instruction_computes_what_the_reference_does(void)
{
    const struct form form = { FROM_LOCAL, FROM_LOCAL, TO_END, 0 };
    for (size_t n = 0; n < numeric_count; n++) {
        size_t count;
        const uint64_t *edges = numeric_edges(numerics[n].in, &count);
        begin_module();
        const uint32_t function = add_function(&numerics[n], &form);
        load_module();
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < (numerics[n].arity == 2 ? count : 1); k++)
                check(&numerics[n], &form, function, edges[i], edges[k], INT32_MAX);
        }
    }
    engine_clear(&engine);
}

static void check_constants(const struct numeric *numeric, struct form form)
{
    size_t count;
    const uint64_t *edges = numeric_edges(numeric->in, &count);
    begin_module();
    uint32_t first = wat.functions;
    for (size_t i = 0; i < count; i++) {
        form.constant = edges[i];
        add_function(numeric, &form);
    }
    load_module();
    for (size_t i = 0; i < count; i++) {
        form.constant = edges[i];
        for (size_t k = 0; k < count; k++)
            check(numeric, &form, first + (uint32_t)i, edges[k], edges[k], INT32_MAX);
    }
}

static void a_constant_operand_is_as_good_as_any(void)
{
    static const enum sink sinks[] = { TO_END, TO_LOCAL, TO_BR_IF };
    for (size_t n = 0; n < numeric_count; n++) {
        const struct numeric *numeric = &numerics[n];
        for (size_t i = 0; i < (numeric->out == 'i' ? 3 : 2); i++) {
            check_constants(numeric, (struct form){ FROM_CONSTANT, FROM_LOCAL, sinks[i], 0 });
            if (numeric->arity == 1)
                continue;
            check_constants(numeric, (struct form){ FROM_LOCAL, FROM_CONSTANT, sinks[i], 0 });
            check_constants(numeric, (struct form){ FROM_ARITHMETIC, FROM_CONSTANT, sinks[i], 0 });
        }
    }
    engine_clear(&engine);
}

// All sinks for one pair of sources, on a few pairs of values that differ from form to form.
static void check_forms(const struct numeric *numeric, struct form form, uint32_t seed)
{
    size_t count;
    const uint64_t *edges = numeric_edges(numeric->in, &count);
    const uint32_t sinks = numeric->out == 'i' ? SINK_COUNT : TO_IF;
    const uint32_t first = wat.functions;
    for (uint32_t i = 0; i < sinks; i++) {
        form.sink = (enum sink)i;
        form.constant = edges[(seed + i * 5) % count];
        add_function(numeric, &form);
    }
    load_module();
    for (uint32_t i = 0; i < sinks; i++) {
        form.sink = (enum sink)i;
        form.constant = edges[(seed + i * 5) % count];
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t round = seed + i * 4 + k;
            check(numeric, &form, first + i, edges[round * 3 % count],
                  edges[(round + k * 7) % count], k == 3 ? 1 : INT32_MAX);
        }
    }
}

static void sources_and_sinks_make_no_difference(char in)
{
    for (uint32_t n = 0; n < numeric_count; n++) {
        const struct numeric *numeric = &numerics[n];
        if (numeric->in != in)
            continue;
        for (uint32_t left = 0; left < SOURCE_COUNT; left++) {
            for (uint32_t right = 0; right < (numeric->arity == 2 ? SOURCE_COUNT : 1u); right++) {
                const struct form form = { (enum source)left, (enum source)right, TO_END, 0 };
                begin_module();
                check_forms(numeric, form, n * 31 + left * 11 + right);
            }
        }
    }
    engine_clear(&engine);
}

static void i32_instructions_work_in_every_surrounding(void)
{
    sources_and_sinks_make_no_difference('i');
}

static void i64_instructions_work_in_every_surrounding(void)
{
    sources_and_sinks_make_no_difference('l');
}

static void f32_instructions_work_in_every_surrounding(void)
{
    sources_and_sinks_make_no_difference('f');
}

static void f64_instructions_work_in_every_surrounding(void)
{
    sources_and_sinks_make_no_difference('d');
}

// The tests above made every form that the bytecode has.
static void every_form_of_a_numeric_instruction_was_tried(void)
{
    static const char *const prefixes[] = { "I32_",   "I64_",     "F32_",      "F64_",  "BR_I32",
                                            "BR_I64", "BR_IF",    "BR_UNLESS", "CONST", "COPY",
                                            "SELECT", "RETURN32", "RETURN64",  "GLOBAL" };
    forms_check(prefixes, sizeof prefixes / sizeof prefixes[0]);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(every_instruction_computes_what_the_reference_does),
        TEST(a_constant_operand_is_as_good_as_any),
        TEST(i32_instructions_work_in_every_surrounding),
        TEST(i64_instructions_work_in_every_surrounding),
        TEST(f32_instructions_work_in_every_surrounding),
        TEST(f64_instructions_work_in_every_surrounding),
        TEST(every_form_of_a_numeric_instruction_was_tried),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
