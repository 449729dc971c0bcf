// SPDX-License-Identifier: Apache-2.0
// The interpreter: executes the bytecode of opcodes.h in place.
//
// Everything a suspension must keep is in the frame and in `position`, so a run can stop at any
// instruction's boundary; it does at taken branches, calls and bulk instructions once its fuel is
// gone. An instruction reads all its operands before it writes its result, as they may overlap.
// Compiled with -O2 everywhere. Computed goto: one indirect jump an instruction.
#include "base/config.h"
#include "float.h"
#include "instance.h"
#include "opcodes.h"

#pragma GCC diagnostic ignored "-Wpedantic" // labels as values

#define BULK_SHIFT 4u // bytes or elements that one unit of fuel moves, log2

// What a host call may charge: fuel, which is at least 0 before it, stays within 31 bits.
#define CHARGE_MAX ((uint32_t)1 << 30)

const uint32_t *ag_wasm_results(const struct ag_wasm_instance *instance)
{
    return instance->stack + instance->position.base;
}

uint64_t ag_wasm_fuel_used(const struct ag_wasm_instance *instance)
{
    return instance->fuel_used;
}

void ag_wasm_charge(struct ag_wasm_instance *instance, uint32_t units)
{
    const uint32_t left = CHARGE_MAX - instance->charged;
    instance->charged += units < left ? units : left;
}

uint32_t ag_wasm_stopped_at(const struct ag_wasm_instance *instance)
{
    return instance->position.pc;
}

static const uint32_t *directory_of(const struct ag_wasm_instance *instance)
{
    const void *at = instance->image->code + ag_wasm_footer_of(instance->image)->directory;
    return at;
}

// A call of an import from outside: one instruction in a frame of its own is not needed, the
// host is called at the first run.
#define PC_IMPORT 1u // odd: no position in the code; the function's index is in `frame`'s stead

enum ag_status ag_wasm_begin(struct ag_wasm_instance *instance, uint32_t function,
                             const uint32_t *args, uint32_t arg_slots)
{
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(instance->image);
    const uint32_t imported = footer->layout.imported[AG_WASM_FUNCTION];
    struct ag_wasm_extern type;
    if (ag_wasm_image_type(instance->image, AG_WASM_FUNCTION, function, &type) != AG_OK)
        return AG_ERR_ARGUMENT;
    const uint32_t params = ag_wasm_slots(type.function.params, type.function.param_count);
    const uint32_t results = ag_wasm_slots(type.function.results, type.function.result_count);
    if (arg_slots != params)
        return AG_ERR_ARGUMENT;
    struct ag_wasm_position position = instance->position;
    const uint32_t left = instance->stack_slots - position.top;
    uint32_t *frame = instance->stack + position.top;
    position.base = position.top;
    if (function < imported) {
        if (params > left || results > left)
            return AG_TRAP_STACK;
        position.pc = PC_IMPORT;
        position.frame = function;
    } else {
        const struct ag_wasm_entry *entry =
            ag_wasm_entry_of(instance->image->code, directory_of(instance), function - imported);
        const void *code = instance->image->code + entry->code;
        const uint16_t *prologue = code;
        if (entry->frame > left)
            return AG_TRAP_STACK;
        if (params != prologue[AG_WASM_PROLOGUE_PARAMS] ||
            results > prologue[AG_WASM_PROLOGUE_RETURN])
            return AG_TRAP_CODE;
        for (uint32_t i = params; i < prologue[AG_WASM_PROLOGUE_LOCALS]; i++)
            frame[i] = 0;
        frame[prologue[AG_WASM_PROLOGUE_RETURN]] = AG_WASM_DONE_AT;
        position.frame = position.base;
        position.pc = entry->code + AG_WASM_PROLOGUE_UNITS * 2;
    }
    if (params > 0)
        memmove(frame, args, params * sizeof *args);
    instance->position = position;
    return AG_OK;
}

enum ag_status ag_wasm_begin_start(struct ag_wasm_instance *instance)
{
    const uint32_t start = ag_wasm_footer_of(instance->image)->layout.start;
    if (start == 0)
        return AG_ERR_NOT_FOUND;
    return ag_wasm_begin(instance, start - 1, NULL, 0);
}

static const struct ag_wasm_import_entry *import_of(const struct ag_wasm_instance *instance,
                                                    uint32_t function)
{
    const void *at = instance->image->code + ag_wasm_footer_of(instance->image)->imports;
    return (const struct ag_wasm_import_entry *)at + function;
}

// Whether `count` slots for a call out of the engine, from `slots` on, lie within the stack.
static bool has_slots(const struct ag_wasm_instance *instance, const uint32_t *slots,
                      uint32_t count)
{
    return count <= instance->stack_slots - (uint32_t)(slots - instance->stack);
}

static enum ag_status call_host(struct ag_wasm_instance *instance, uint32_t function,
                                uint32_t *slots)
{
    const struct ag_wasm_import_entry *import = import_of(instance, function);
    const struct ag_wasm_position position = instance->position;
    if (!instance->call)
        return AG_ERR_WASM_IMPORT;
    if (!has_slots(instance, slots, import->slots))
        return AG_TRAP_STACK;
    instance->position.top = (uint32_t)(slots - instance->stack) + import->slots;
    const enum ag_status status = instance->call(instance->context, instance, import->id, slots);
    instance->position = position;
    if (status == AG_ERR_AGAIN) // it is called again, and charges then
        instance->charged = 0;
    return status;
}

// What the host calls that are over have charged.
static uint32_t take_charge(struct ag_wasm_instance *instance)
{
    const uint32_t units = instance->charged;
    instance->charged = 0;
    return units;
}

// Kept apart: what it holds would make the interpreter's frame larger, for a call that devices
// never make.
__attribute__((noinline)) static enum ag_status call_foreign(struct ag_wasm_instance *instance,
                                                             uint32_t reference,
                                                             uint32_t type_index, uint32_t *slots)
{
    const struct ag_wasm_module module = ag_wasm_module_of(instance->image);
    const struct ag_wasm_position position = instance->position;
    struct ag_wasm_function_type type;
    ag_wasm_module_type(&module, type_index, &type);
    const uint32_t count = ag_wasm_call_slots(&type);
    if (!instance->links || !instance->links->call_foreign)
        return AG_TRAP_CODE;
    if (!has_slots(instance, slots, count))
        return AG_TRAP_STACK;
    instance->position.top = (uint32_t)(slots - instance->stack) + count;
    const enum ag_status status =
        instance->links->call_foreign(instance->context, instance, reference, &type, slots);
    instance->position = position;
    return status;
}

static enum ag_status fill_memory(struct ag_wasm_instance *instance, uint32_t to, uint32_t value,
                                  uint32_t count)
{
    void *at;
    const enum ag_status status = ag_wasm_memory_at(instance, to, count, &at);
    if (status == AG_OK && count > 0)
        memset(at, (int)(value & 0xFF), count);
    return status;
}

static enum ag_status copy_memory(struct ag_wasm_instance *instance, uint32_t to, uint32_t from,
                                  uint32_t count)
{
    void *target;
    void *source;
    if (ag_wasm_memory_at(instance, to, count, &target) != AG_OK ||
        ag_wasm_memory_at(instance, from, count, &source) != AG_OK)
        return AG_TRAP_MEMORY;
    if (count > 0)
        memmove(target, source, count);
    return AG_OK;
}

static bool is_within(const struct ag_wasm_table *table, uint32_t at, uint32_t count)
{
    return at <= table->size && count <= table->size - at;
}

static enum ag_status fill_table(struct ag_wasm_table *table, uint32_t to, uint32_t value,
                                 uint32_t count)
{
    if (!is_within(table, to, count))
        return AG_TRAP_TABLE;
    for (uint32_t i = 0; i < count; i++)
        table->elements[to + i] = value;
    return AG_OK;
}

static enum ag_status copy_table(struct ag_wasm_table *target, uint32_t to,
                                 struct ag_wasm_table *source, uint32_t from, uint32_t count)
{
    if (!is_within(target, to, count) || !is_within(source, from, count))
        return AG_TRAP_TABLE;
    if (count > 0)
        memmove(target->elements + to, source->elements + from, count * sizeof(uint32_t));
    return AG_OK;
}

// ---- Operands: `pc` points at the opcode, U(1) is the unit behind it
// -----------------------------

static inline uint64_t get64(const uint32_t *slot)
{
    uint64_t value;
    memcpy(&value, slot, sizeof value);
    return value;
}

static inline void set64(uint32_t *slot, uint64_t value)
{
    memcpy(slot, &value, sizeof value);
}

static inline uint32_t unit32(const uint16_t *pc)
{
    uint32_t value;
    memcpy(&value, pc, sizeof value);
    return value;
}

static inline uint64_t unit64(const uint16_t *pc)
{
    uint64_t value;
    memcpy(&value, pc, sizeof value);
    return value;
}

static inline uint32_t short32(uint16_t unit)
{
    return (uint32_t)(int16_t)unit;
}

#define U(n)   pc[n]
#define K32(n) short32(pc[n])
#define K64(n) ((uint64_t)(int64_t)(int16_t)pc[n])
#define W32(n) unit32(&pc[n])
#define R32(n) fp[pc[n]]
#define R64(n) get64(&fp[pc[n]])
#define S32(x) ((int32_t)(x))
#define S64(x) ((int64_t)(x))

// The accumulator, and where results go: to the slot of unit n and the accumulator, or only there.
#if AG_CFG_WASM_ACCUMULATOR
#define KEEP(value) accumulator = (value)
#define A32(n)      ((uint32_t)accumulator)
#define A64(n)      accumulator
#else
#define KEEP(value) ((void)0)
#endif
#define SET32(n, value)                                                                            \
    do {                                                                                           \
        const uint32_t set_ = (uint32_t)(value);                                                   \
        fp[pc[n]] = set_;                                                                          \
        KEEP(set_);                                                                                \
    } while (0)
#define SET64(n, value)                                                                            \
    do {                                                                                           \
        const uint64_t set_ = (uint64_t)(value);                                                   \
        set64(&fp[pc[n]], set_);                                                                   \
        KEEP(set_);                                                                                \
    } while (0)
#define ONLY32(n, value)                                                                           \
    do {                                                                                           \
        const uint32_t only_ = (uint32_t)(value);                                                  \
        KEEP(only_);                                                                               \
    } while (0)
#define ONLY64(n, value) KEEP(value)

// Where registers are few, what few handlers use lies in memory for the sake of what most use.
#if AG_CFG_WASM_ACCUMULATOR
#define SELDOM
#else
#define SELDOM volatile
#endif

#define CASE(name) op_##name
#if defined(__thumb2__) && defined(__GNUC__) && !defined(__clang__)
// gcc sets bit 0 of a label's address itself before each indirect jump, which makes four
// instructions of it. Here the table's addresses have it set and one instruction takes the address
// into pc. For gcc, control passes through the block `jump`, which does the same: the values that
// handlers share lie in the same places at every jump. It might still put a copy on one of the ways
// there; test/integration/arm_dispatch_test looks for that, and JUMP is the form that allows it.
#define ADDRESS_BITS 1
#define DISPATCH                                                                                   \
    do {                                                                                           \
        __asm__ goto("ldr pc, [%0, %1, lsl #2] @ by way of %l2"                                    \
                     :                                                                             \
                     : "r"(labels), "r"((uint32_t)*pc)                                             \
                     : "memory"                                                                    \
                     : jump);                                                                      \
        __builtin_unreachable();                                                                   \
    } while (0)
#else
#define ADDRESS_BITS 0
#define DISPATCH     goto *labels[*pc]
#endif
#define JUMP goto jump
#define NEXT(n)                                                                                    \
    do {                                                                                           \
        pc += (n);                                                                                 \
        DISPATCH;                                                                                  \
    } while (0)
#define TRAP(status)                                                                               \
    do {                                                                                           \
        result = (status);                                                                         \
        goto trap;                                                                                 \
    } while (0)
#if AG_CFG_WASM_METERING
#define CHARGE(units) fuel -= (int32_t)(units)
#define IS_EMPTY      __builtin_expect(fuel < 0, 0)
#else
#define CHARGE(units) ((void)0)
#define IS_EMPTY      false
#endif
// A taken branch whose distance is unit n.
#define TAKE(n)                                                                                    \
    do {                                                                                           \
        pc += (n) + (int16_t)pc[n];                                                                \
        if (IS_EMPTY)                                                                              \
            goto suspend;                                                                          \
        DISPATCH;                                                                                  \
    } while (0)
// The cost is unit n, the distance follows it.
#define BRANCH(condition, n)                                                                       \
    do {                                                                                           \
        CHARGE(U(n));                                                                              \
        if (condition)                                                                             \
            TAKE((n) + 1);                                                                         \
        NEXT((n) + 2);                                                                             \
    } while (0)

// Moves the result to where the caller expects it and goes on behind its call.
#define RETURN(move, n)                                                                            \
    do {                                                                                           \
        const uint32_t position = fp[U(n)];                                                        \
        CHARGE(U(1));                                                                              \
        move;                                                                                      \
        pc = (const void *)(code + position);                                                      \
        fp -= pc[-1];                                                                              \
        DISPATCH;                                                                                  \
    } while (0)

// One form: x and y are its operands, `put` takes the result, `units` is its length.
#define UNARY_FORM(name, type, first, put, units, expression)                                      \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type x = first;                                                                      \
        put(1, expression);                                                                        \
        NEXT(units);                                                                               \
    }
#define BINARY_FORM(name, type, first, second, put, units, expression)                             \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type x = first, y = second;                                                          \
        put(1, expression);                                                                        \
        NEXT(units);                                                                               \
    }
#define BRANCH_FORM(name, type, first, second, n, expression)                                      \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type x = first, y = second;                                                          \
        BRANCH(expression, n);                                                                     \
    }

// All forms of an instruction whose operands have `in` bits and whose result has `out`.
#define BINARY_FORMS(name, in, out, expression)                                                    \
    BINARY_FORM(name, uint##in##_t, R##in(2), R##in(3), SET##out, 4, expression)                   \
    BINARY_FORM(name##_K, uint##in##_t, R##in(2), K##in(3), SET##out, 4, expression)               \
    AG_ACCUMULATOR(                                                                                \
        BINARY_FORM(name##_A, uint##in##_t, A##in(0), R##in(2), SET##out, 3, expression)           \
            BINARY_FORM(name##_AK, uint##in##_t, A##in(0), K##in(2), SET##out, 3, expression)      \
                BINARY_FORM(name##_SA, uint##in##_t, R##in(2), A##in(0), SET##out, 3, expression)  \
                    BINARY_FORM(name##_R, uint##in##_t, R##in(1), R##in(2), ONLY##out, 3,          \
                                expression) BINARY_FORM(name##_RK, uint##in##_t, R##in(1),         \
                                                        K##in(2), ONLY##out, 3, expression)        \
                        BINARY_FORM(name##_RA, uint##in##_t, A##in(0), R##in(1), ONLY##out, 2,     \
                                    expression) BINARY_FORM(name##_RAK, uint##in##_t, A##in(0),    \
                                                            K##in(1), ONLY##out, 2, expression)    \
                            BINARY_FORM(name##_RSA, uint##in##_t, R##in(1), A##in(0), ONLY##out,   \
                                        2, expression))
#define BRANCH_FORMS(name, in, expression)                                                         \
    BRANCH_FORM(name, uint##in##_t, R##in(1), R##in(2), 3, expression)                             \
    BRANCH_FORM(name##_K, uint##in##_t, R##in(1), K##in(2), 3, expression)                         \
    AG_ACCUMULATOR(                                                                                \
        BRANCH_FORM(name##_A, uint##in##_t, A##in(0), R##in(1), 2, expression)                     \
            BRANCH_FORM(name##_AK, uint##in##_t, A##in(0), K##in(1), 2, expression)                \
                BRANCH_FORM(name##_SA, uint##in##_t, R##in(1), A##in(0), 2, expression))
#define BINARY(bits, name, expression) BINARY_FORMS(I##bits##_##name, bits, bits, expression)
// Comparisons, by themselves and with their branch.
#define COMPARE(bits, name, expression)                                                            \
    BINARY_FORMS(I##bits##_##name, bits, 32, expression)                                           \
    BRANCH_FORMS(BR_I##bits##_##name, bits, expression)
#define WIDE(name, expression)                                                                     \
    BINARY_FORM(name, uint32_t, R32(2), W32(3), SET32, 5, expression)                              \
    AG_ACCUMULATOR(                                                                                \
        BINARY_FORM(name##_A, uint32_t, A32(0), W32(2), SET32, 4, expression)                      \
            BINARY_FORM(name##_R, uint32_t, R32(1), W32(2), ONLY32, 4, expression)                 \
                BINARY_FORM(name##_RA, uint32_t, A32(0), W32(1), ONLY32, 3, expression))
#define UNARY(name, in, out, expression)                                                           \
    UNARY_FORM(name, uint##in##_t, R##in(2), SET##out, 3, expression)                              \
    AG_ACCUMULATOR(                                                                                \
        UNARY_FORM(name##_A, uint##in##_t, A##in(0), SET##out, 2, expression)                      \
            UNARY_FORM(name##_R, uint##in##_t, R##in(1), ONLY##out, 2, expression)                 \
                UNARY_FORM(name##_RA, uint##in##_t, A##in(0), ONLY##out, 1, expression))
// Floating point: operands and results are bits.
#define FLOATING(name, in, out, expression)                                                        \
    BINARY_FORM(name, uint##in##_t, R##in(2), R##in(3), SET##out, 4, expression)                   \
    AG_ACCUMULATOR(                                                                                \
        BINARY_FORM(name##_A, uint##in##_t, A##in(0), R##in(2), SET##out, 3, expression)           \
            BINARY_FORM(name##_SA, uint##in##_t, R##in(2), A##in(0), SET##out, 3, expression)      \
                BINARY_FORM(name##_R, uint##in##_t, R##in(1), R##in(2), ONLY##out, 3, expression)  \
                    BINARY_FORM(name##_RA, uint##in##_t, A##in(0), R##in(1), ONLY##out, 2,         \
                                expression) BINARY_FORM(name##_RSA, uint##in##_t, R##in(1),        \
                                                        A##in(0), ONLY##out, 2, expression))
#define F32(bits)      ag_wasm_f32_of(bits)
#define F64(bits)      ag_wasm_f64_of(bits)
#define BITS32(number) ag_wasm_f32_bits(number)
#define BITS64(number) ag_wasm_f64_bits(number)
#define ARITHMETIC(name, operator)                                                                 \
    FLOATING(F32_##name, 32, 32, BITS32(F32(x) operator F32(y)))                                   \
    FLOATING(F64_##name, 64, 64, BITS64(F64(x) operator F64(y)))
#define FLOAT_COMPARE(name, operator)                                                              \
    FLOATING(F32_##name, 32, 32, F32(x) operator F32(y))                                           \
    FLOATING(F64_##name, 64, 32, F64(x) operator F64(y))
#define COPY_SIGN(bits, magnitude)                                                                 \
    FLOATING(F##bits##_COPYSIGN, bits, bits, (x & (magnitude)) | (y & ~(magnitude)))
#define ROUND(name)                                                                                \
    UNARY(F32_##name, 32, 32, ag_wasm_f32_round(x, AG_WASM_##name))                                \
    UNARY(F64_##name, 64, 64, ag_wasm_f64_round(x, AG_WASM_##name))
#define TRUNCATE_FORM(name, in, out, first, put, units, from, function)                            \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint##in##_t x = first;                                                              \
        const enum ag_wasm_conversion conversion = function(from, &truncated.u##out);              \
        if (conversion != AG_WASM_FITS) {                                                          \
            result = conversion == AG_WASM_NAN ? AG_TRAP_CONVERSION : AG_TRAP_OVERFLOW;            \
            goto trap;                                                                             \
        }                                                                                          \
        put(1, truncated.u##out);                                                                  \
        NEXT(units);                                                                               \
    }
#define SATURATE_FORM(name, in, out, first, put, units, from, function)                            \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint##in##_t x = first;                                                              \
        (void)function(from, &truncated.u##out);                                                   \
        put(1, truncated.u##out);                                                                  \
        NEXT(units);                                                                               \
    }
#define CONVERSION_FORMS(form, name, in, out, from, function)                                      \
    form(name, in, out, R##in(2), SET##out, 3, from, function)                                     \
        AG_ACCUMULATOR(form(name##_A, in, out, A##in(0), SET##out, 2, from, function)              \
                           form(name##_R, in, out, R##in(1), ONLY##out, 2, from, function)         \
                               form(name##_RA, in, out, A##in(0), ONLY##out, 1, from, function))
#define TRUNCATE(in, out, sign, function)                                                          \
    CONVERSION_FORMS(TRUNCATE_FORM, I##out##_TRUNC_F##in##_##sign, in, out, (double)F##in(x),      \
                     function)                                                                     \
    CONVERSION_FORMS(SATURATE_FORM, I##out##_TRUNC_SAT_F##in##_##sign, in, out, (double)F##in(x),  \
                     function)

// A bounds check that cannot wrap: in 64 bits where those are cheap, else by the carry.
#if UINTPTR_MAX > 0xFFFFFFFFu
#define IN_BOUNDS(at, offset, size) ((uint64_t)(at) + (offset) + (size) <= memory_size)
#else
static inline bool is_inside(uint32_t at, uint32_t to_last, uint32_t memory_size)
{
    uint32_t last;
    return !__builtin_add_overflow(at, to_last, &last) && last < memory_size;
}
#define IN_BOUNDS(at, offset, size) is_inside(at, (uint32_t)(offset) + (size)-1, memory_size)
#endif

// Loads and stores: `address` is a slot's or the accumulator's value, the offset is unit n.
#define LOAD_FORM(name, type, address, n, put, units, cast)                                        \
    CASE(name) :                                                                                   \
    {                                                                                              \
        type value;                                                                                \
        const uint32_t at = address;                                                               \
        const uint32_t offset = U(n);                                                              \
        if (__builtin_expect(!IN_BOUNDS(at, offset, sizeof value), 0))                             \
            goto trap_memory;                                                                      \
        memcpy(&value, memory + at + offset, sizeof value);                                        \
        put(1, cast(value));                                                                       \
        NEXT(units);                                                                               \
    }
#define LOAD_AT_FORM(name, type, n, put, units, cast)                                              \
    CASE(name) :                                                                                   \
    {                                                                                              \
        type value;                                                                                \
        const uint32_t at = W32(n);                                                                \
        if (__builtin_expect(!IN_BOUNDS(at, 0, sizeof value), 0))                                  \
            goto trap_memory;                                                                      \
        memcpy(&value, memory + at, sizeof value);                                                 \
        put(1, cast(value));                                                                       \
        NEXT(units);                                                                               \
    }
#define LOAD(name, type, out, cast)                                                                \
    LOAD_FORM(name, type, R32(2), 3, SET##out, 4, cast)                                            \
    LOAD_AT_FORM(name##_AT, type, 2, SET##out, 4, cast)                                            \
    AG_ACCUMULATOR(LOAD_FORM(name##_A, type, A32(0), 2, SET##out, 3, cast)                         \
                       LOAD_FORM(name##_R, type, R32(1), 2, ONLY##out, 3, cast)                    \
                           LOAD_FORM(name##_RA, type, A32(0), 1, ONLY##out, 2, cast)               \
                               LOAD_AT_FORM(name##_ATR, type, 1, ONLY##out, 3, cast))
#define LOAD_PLUS(name, type, out)                                                                 \
    LOAD_FORM(name, type, R32(2) + R32(3), 4, SET##out, 5, )                                       \
    LOAD_FORM(name##_K, type, R32(2) + K32(3), 4, SET##out, 5, )                                   \
    AG_ACCUMULATOR(                                                                                \
        LOAD_FORM(name##_A, type, A32(0) + R32(2), 3, SET##out, 4, )                               \
            LOAD_FORM(name##_AK, type, A32(0) + K32(2), 3, SET##out, 4, )                          \
                LOAD_FORM(name##_R, type, R32(1) + R32(2), 3, ONLY##out, 4, )                      \
                    LOAD_FORM(name##_RK, type, R32(1) + K32(2), 3, ONLY##out, 4, )                 \
                        LOAD_FORM(name##_RA, type, A32(0) + R32(1), 2, ONLY##out, 3, )             \
                            LOAD_FORM(name##_RAK, type, A32(0) + K32(1), 2, ONLY##out, 3, ))
#define STORE_FORM(name, type, what, address, n, units)                                            \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type value = (type)(what);                                                           \
        const uint32_t at = address;                                                               \
        const uint32_t offset = U(n);                                                              \
        if (__builtin_expect(!IN_BOUNDS(at, offset, sizeof value), 0))                             \
            goto trap_memory;                                                                      \
        memcpy(memory + at + offset, &value, sizeof value);                                        \
        NEXT(units);                                                                               \
    }
#define STORE_AT_FORM(name, type, what, n, units)                                                  \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type value = (type)(what);                                                           \
        const uint32_t at = W32(n);                                                                \
        if (__builtin_expect(!IN_BOUNDS(at, 0, sizeof value), 0))                                  \
            goto trap_memory;                                                                      \
        memcpy(memory + at, &value, sizeof value);                                                 \
        NEXT(units);                                                                               \
    }
#define STORE(name, type, bits)                                                                    \
    STORE_FORM(name, type, R##bits(1), R32(2), 3, 4)                                               \
    STORE_AT_FORM(name##_AT, type, R##bits(1), 2, 4)                                               \
    AG_ACCUMULATOR(STORE_FORM(name##_A, type, A##bits(0), R32(1), 2, 3)                            \
                       STORE_FORM(name##_SA, type, R##bits(1), A32(0), 2, 3)                       \
                           STORE_AT_FORM(name##_ATA, type, A##bits(0), 1, 3))
#define STORE_K(name, type)                                                                        \
    STORE_FORM(name, type, K32(1), R32(2), 3, 4)                                                   \
    AG_ACCUMULATOR(STORE_FORM(name##_SA, type, K32(1), A32(0), 2, 3))

// The frequent way of `result`: whatever it is, memory may have moved.
#define AFTER_BULK(count, units)                                                                   \
    do {                                                                                           \
        if (result != AG_OK)                                                                       \
            goto trap;                                                                             \
        CHARGE((count) >> BULK_SHIFT);                                                             \
        pc += (units);                                                                             \
        if (IS_EMPTY)                                                                              \
            goto suspend;                                                                          \
        DISPATCH;                                                                                  \
    } while (0)

#define CLZ32(x) ((x) == 0 ? 32u : (uint32_t)__builtin_clz(x))
#define CTZ32(x) ((x) == 0 ? 32u : (uint32_t)__builtin_ctz(x))
#define CLZ64(x) ((x) == 0 ? 64u : (uint64_t)__builtin_clzll(x))
#define CTZ64(x) ((x) == 0 ? 64u : (uint64_t)__builtin_ctzll(x))

static inline uint32_t rotate32(uint32_t x, uint32_t by)
{
    return x << (by & 31) | x >> ((0 - by) & 31);
}

static inline uint64_t rotate64(uint64_t x, uint64_t by)
{
    return x << (by & 63) | x >> ((0 - by) & 63);
}

static uint32_t count_bits(uint32_t x)
{
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    x = (x + (x >> 4)) & 0x0F0F0F0F;
    return x * 0x01010101 >> 24;
}

#define DIVIDE_FORM(name, type, first, second, put, units, check, expression)                      \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type x = first, y = second;                                                          \
        if (y == 0)                                                                                \
            goto trap_zero;                                                                        \
        check;                                                                                     \
        put(1, expression);                                                                        \
        NEXT(units);                                                                               \
    }
#define DIVISION(bits, name, check, expression)                                                    \
    DIVIDE_FORM(I##bits##_##name, uint##bits##_t, R##bits(2), R##bits(3), SET##bits, 4, check,     \
                expression)                                                                        \
    DIVIDE_FORM(I##bits##_##name##_K, uint##bits##_t, R##bits(2), K##bits(3), SET##bits, 4, check, \
                expression)                                                                        \
    AG_ACCUMULATOR(                                                                                \
        DIVIDE_FORM(I##bits##_##name##_A, uint##bits##_t, A##bits(0), R##bits(2), SET##bits, 3,    \
                    check, expression)                                                             \
            DIVIDE_FORM(I##bits##_##name##_AK, uint##bits##_t, A##bits(0), K##bits(2), SET##bits,  \
                        3, check, expression) DIVIDE_FORM(I##bits##_##name##_SA, uint##bits##_t,   \
                                                          R##bits(2), A##bits(0), SET##bits, 3,    \
                                                          check, expression)                       \
                DIVIDE_FORM(I##bits##_##name##_R, uint##bits##_t, R##bits(1), R##bits(2),          \
                            ONLY##bits, 3, check, expression)                                      \
                    DIVIDE_FORM(I##bits##_##name##_RK, uint##bits##_t, R##bits(1), K##bits(2),     \
                                ONLY##bits, 3, check, expression)                                  \
                        DIVIDE_FORM(I##bits##_##name##_RA, uint##bits##_t, A##bits(0), R##bits(1), \
                                    ONLY##bits, 2, check, expression)                              \
                            DIVIDE_FORM(I##bits##_##name##_RAK, uint##bits##_t, A##bits(0),        \
                                        K##bits(1), ONLY##bits, 2, check, expression)              \
                                DIVIDE_FORM(I##bits##_##name##_RSA, uint##bits##_t, R##bits(1),    \
                                            A##bits(0), ONLY##bits, 2, check, expression))
#define OVERFLOW(bits)                                                                             \
    if (x == (uint##bits##_t)1 << (bits - 1) && S##bits(y) == -1)                                  \
    goto trap_overflow
#define DIVISIONS(bits)                                                                            \
    DIVISION(bits, DIV_S, OVERFLOW(bits), (uint##bits##_t)(S##bits(x) / S##bits(y)))               \
    DIVISION(bits, DIV_U, , x / y)                                                                 \
    DIVISION(bits, REM_S, , S##bits(y) == -1 ? 0u : (uint##bits##_t)(S##bits(x) % S##bits(y)))     \
    DIVISION(bits, REM_U, , x % y)

#if AG_CFG_WASM_ACCUMULATOR
// Pairs. FIRST_...(put): what the first instruction does, which leaves its result in `v`;
// LENGTH_...: units of its operands. The second's operands begin at unit n + 1.
#define LENGTH_h            1
#define LENGTH_a            1
#define LENGTH_A            1
#define LENGTH_ah           2
#define LENGTH_Ah           2
#define LENGTH_aa           2
#define LENGTH_AA           2
#define LENGTH_an           2
#define LENGTH_da           2
#define LENGTH_dah          3
#define LENGTH_dan          3
#define LENGTH_aan          3
#define LENGTH_ahn          3
#define FIRST(type, value)  const type v = value
#define FIRST_I32_SHL_RK    FIRST(uint32_t, R32(1) << (K32(2) & 31));
#define FIRST_I32_SHL_RAK   FIRST(uint32_t, A32(0) << (K32(1) & 31));
#define FIRST_I32_SHR_U_RK  FIRST(uint32_t, R32(1) >> (K32(2) & 31));
#define FIRST_I32_SHR_U_RAK FIRST(uint32_t, A32(0) >> (K32(1) & 31));
#define FIRST_I32_AND_RK    FIRST(uint32_t, R32(1) & K32(2));
#define FIRST_I32_AND_RAK   FIRST(uint32_t, A32(0) & K32(1));
#define FIRST_I32_MUL_R     FIRST(uint32_t, R32(1) * R32(2));
#define FIRST_I32_MUL_RA    FIRST(uint32_t, A32(0) * R32(1));
#define FIRST_I32_ADD_R     FIRST(uint32_t, R32(1) + R32(2));
#define FIRST_I32_ADD_RA    FIRST(uint32_t, A32(0) + R32(1));
#define FIRST_I32_ADD_RK    FIRST(uint32_t, R32(1) + K32(2));
#define FIRST_I32_XOR_RA    FIRST(uint32_t, A32(0) ^ R32(1));
#define FIRST_I32_ROTL_RK   FIRST(uint32_t, rotate32(R32(1), K32(2)));
#define FIRST_I32_ROTL_RAK  FIRST(uint32_t, rotate32(A32(0), K32(1)));
#define FIRST_I64_SHL_RK    FIRST(uint64_t, R64(1) << (K64(2) & 63));
#define FIRST_I64_SHL_RAK   FIRST(uint64_t, A64(0) << (K64(1) & 63));
#define FIRST_I64_SHR_U_RK  FIRST(uint64_t, R64(1) >> (K64(2) & 63));
#define FIRST_I64_SHR_U_RAK FIRST(uint64_t, A64(0) >> (K64(1) & 63));
#define FIRST_I64_ROTL_RK   FIRST(uint64_t, rotate64(R64(1), K64(2)));
#define FIRST_I64_ROTL_RAK  FIRST(uint64_t, rotate64(A64(0), K64(1)));
#define FIRST_I64_MUL_R     FIRST(uint64_t, R64(1) * R64(2));
#define FIRST_I64_MUL_RA    FIRST(uint64_t, A64(0) * R64(1));
#define FIRST_I64_XOR_RA    FIRST(uint64_t, A64(0) ^ R64(1));
#define FIRST_F32_MUL_R     FIRST(uint32_t, BITS32(F32(R32(1)) * F32(R32(2))));
#define FIRST_F32_MUL_RA    FIRST(uint32_t, BITS32(F32(A32(0)) * F32(R32(1))));
#define FIRST_F32_MUL_RSA   FIRST(uint32_t, BITS32(F32(R32(1)) * F32(A32(0))));
#define FIRST_F64_MUL_R     FIRST(uint64_t, BITS64(F64(R64(1)) * F64(R64(2))));
#define FIRST_F64_MUL_RA    FIRST(uint64_t, BITS64(F64(A64(0)) * F64(R64(1))));
#define FIRST_F64_MUL_RSA   FIRST(uint64_t, BITS64(F64(R64(1)) * F64(A64(0))));
#define FIRST_LOADED(type, address, n)                                                             \
    type v;                                                                                        \
    const uint32_t from = address;                                                                 \
    if (__builtin_expect(!IN_BOUNDS(from, U(n), sizeof v), 0))                                     \
        goto trap_memory;                                                                          \
    memcpy(&v, memory + from + U(n), sizeof v);
#define FIRST_LOAD32_R        FIRST_LOADED(uint32_t, R32(1), 2)
#define FIRST_LOAD32_PLUS_RK  FIRST_LOADED(uint32_t, R32(1) + K32(2), 3)
#define FIRST_LOAD64_R        FIRST_LOADED(uint64_t, R32(1), 2)
#define FIRST_LOAD64_PLUS_RK  FIRST_LOADED(uint64_t, R32(1) + K32(2), 3)
#define FIRST_LOAD8_U_R       FIRST_LOADED(uint8_t, R32(1), 2)
#define FIRST_LOAD8_U_PLUS_R  FIRST_LOADED(uint8_t, R32(1) + R32(2), 3)
#define FIRST_LOAD8_U_PLUS_RK FIRST_LOADED(uint8_t, R32(1) + K32(2), 3)
#define FIRST_LOAD32          FIRST_LOADED(uint32_t, R32(2), 3) SET32(1, v);
#define FIRST_LOAD8_U         FIRST_LOADED(uint8_t, R32(2), 3) SET32(1, v);
#define FIRST_I32_ADD_K                                                                            \
    FIRST(uint32_t, R32(2) + K32(3));                                                              \
    SET32(1, v);
#define FIRST_COPY32                                                                               \
    FIRST(uint32_t, R32(2));                                                                       \
    SET32(1, v);
#define FIRST_STORED(bits, value)                                                                  \
    const uint##bits##_t v = (uint##bits##_t)(value);                                              \
    const uint32_t to = R32(1);                                                                    \
    if (__builtin_expect(!IN_BOUNDS(to, U(2), sizeof v), 0))                                       \
        goto trap_memory;                                                                          \
    memcpy(memory + to + U(2), &v, sizeof v);
#define FIRST_STORE8_A  FIRST_STORED(8, A32(0))
#define FIRST_STORE32_A FIRST_STORED(32, A32(0))
#define FIRST_STORE64_A FIRST_STORED(64, A64(0))

// Both forms of a second whose first operand is `v`; `operand` reads the other, `w`, at a unit.
#define PAIR_FORMS(name, name_r, first, n, bits, operand, expression)                              \
    CASE(name) :                                                                                   \
    {                                                                                              \
        FIRST_##first const uint##bits##_t w = operand((n) + 2);                                   \
        SET##bits((n) + 1, expression);                                                            \
        NEXT((n) + 3);                                                                             \
    }                                                                                              \
    CASE(name_r) :                                                                                 \
    {                                                                                              \
        FIRST_##first const uint##bits##_t w = operand((n) + 1);                                   \
        ONLY##bits(0, expression);                                                                 \
        NEXT((n) + 2);                                                                             \
    }
#define PAIRS_I32(X, first, ops)                                                                   \
    PAIR_FORMS(first##_THEN_ADD, first##_THEN_ADD_R, first, LENGTH_##ops, 32, R32, v + w)          \
    PAIR_FORMS(first##_THEN_ADDK, first##_THEN_ADDK_R, first, LENGTH_##ops, 32, K32, v + w)        \
    PAIR_FORMS(first##_THEN_ANDK, first##_THEN_ANDK_R, first, LENGTH_##ops, 32, K32, v &w)         \
    PAIR_FORMS(first##_THEN_XOR, first##_THEN_XOR_R, first, LENGTH_##ops, 32, R32, v ^ w)          \
    PAIR_FORMS(first##_THEN_OR, first##_THEN_OR_R, first, LENGTH_##ops, 32, R32, v | w)
#define PAIRS_I64(X, first, ops)                                                                   \
    PAIR_FORMS(first##_THEN_ADD, first##_THEN_ADD_R, first, LENGTH_##ops, 64, R64, v + w)          \
    PAIR_FORMS(first##_THEN_XOR, first##_THEN_XOR_R, first, LENGTH_##ops, 64, R64, v ^ w)          \
    PAIR_FORMS(first##_THEN_OR, first##_THEN_OR_R, first, LENGTH_##ops, 64, R64, v | w)
#define PAIRS_FLOAT(first, n, bits)                                                                \
    PAIR_FORMS(first##_THEN_F_ADD, first##_THEN_F_ADD_R, first, n, bits, R##bits,                  \
               BITS##bits(F##bits(v) + F##bits(w)))                                                \
    PAIR_FORMS(first##_THEN_F_SUB, first##_THEN_F_SUB_R, first, n, bits, R##bits,                  \
               BITS##bits(F##bits(v) - F##bits(w)))                                                \
    PAIR_FORMS(first##_THEN_F_MUL, first##_THEN_F_MUL_R, first, n, bits, R##bits,                  \
               BITS##bits(F##bits(v) * F##bits(w)))
#define PAIRS_FLOAT_SA(first, n, bits)                                                             \
    PAIR_FORMS(first##_THEN_F_ADD_SA, first##_THEN_F_ADD_RSA, first, n, bits, R##bits,             \
               BITS##bits(F##bits(w) + F##bits(v)))                                                \
    PAIR_FORMS(first##_THEN_F_SUB_SA, first##_THEN_F_SUB_RSA, first, n, bits, R##bits,             \
               BITS##bits(F##bits(w) - F##bits(v)))                                                \
    PAIR_FORMS(first##_THEN_F_MUL_SA, first##_THEN_F_MUL_RSA, first, n, bits, R##bits,             \
               BITS##bits(F##bits(w) * F##bits(v)))
#define PAIRS_F32(X, first, ops)                                                                   \
    PAIRS_FLOAT(first, LENGTH_##ops, 32) PAIRS_FLOAT_SA(first, LENGTH_##ops, 32)
#define PAIRS_F64(X, first, ops)                                                                   \
    PAIRS_FLOAT(first, LENGTH_##ops, 64) PAIRS_FLOAT_SA(first, LENGTH_##ops, 64)
#define PAIR_BRANCH(name, first, n, condition)                                                     \
    CASE(name) :                                                                                   \
    {                                                                                              \
        FIRST_##first KEEP(v);                                                                     \
        BRANCH(condition, n);                                                                      \
    }
#define PAIRS_COMPARE(first, name, n, cast, operator)                                              \
    PAIR_BRANCH(first##_THEN_BR_##name, first, (n) + 2, cast(v) operator cast(R32((n) + 1)))       \
    PAIR_BRANCH(first##_THEN_BR_##name##_K, first, (n) + 2, cast(v) operator cast(K32((n) + 1)))
#define U32(x) ((uint32_t)(x))
#define PAIRS_BRANCH(X, first, ops)                                                                \
    PAIR_BRANCH(first##_THEN_BR_IF, first, LENGTH_##ops + 1, v != 0)                               \
    PAIR_BRANCH(first##_THEN_BR_UNLESS, first, LENGTH_##ops + 1, v == 0)                           \
    PAIRS_COMPARE(first, EQ, LENGTH_##ops, U32, ==)                                                \
    PAIRS_COMPARE(first, NE, LENGTH_##ops, U32, !=)                                                \
    PAIRS_COMPARE(first, LT_S, LENGTH_##ops, S32, <)                                               \
    PAIRS_COMPARE(first, GE_S, LENGTH_##ops, S32, >=)                                              \
    PAIRS_COMPARE(first, LT_U, LENGTH_##ops, U32, <)                                               \
    PAIRS_COMPARE(first, GE_U, LENGTH_##ops, U32, >=)
#define PAIRS_MOVE(X, first, ops)                                                                  \
    CASE(first##_THEN_BR) :                                                                        \
    {                                                                                              \
        FIRST_##first CHARGE(U(LENGTH_##ops + 1));                                                 \
        TAKE(LENGTH_##ops + 2);                                                                    \
    }                                                                                              \
    CASE(first##_THEN_COPY32) :                                                                    \
    {                                                                                              \
        FIRST_##first SET32(LENGTH_##ops + 1, R32(LENGTH_##ops + 2));                              \
        NEXT(LENGTH_##ops + 3);                                                                    \
    }
#define PAIRS_STEP(X, first, ops)                                                                  \
    CASE(first##_THEN_STEP) :                                                                      \
    {                                                                                              \
        FIRST_##first SET32(LENGTH_##ops + 1, R32(LENGTH_##ops + 2) + K32(LENGTH_##ops + 3));      \
        NEXT(LENGTH_##ops + 4);                                                                    \
    }
#endif

static enum ag_status interpret(struct ag_wasm_instance *SELDOM instance, int32_t *fuel_left)
{
#define LABEL(name, operands) (const char *)&&op_##name + ADDRESS_BITS,
#if AG_CFG_WASM_FLOAT
#define FLOAT_LABEL LABEL
#else
#define FLOAT_LABEL(name, operands) LABEL(ILLEGAL, operands)
#endif
    static const void *const labels[] = { AG_OPS(LABEL) AG_FLOAT_OPS(FLOAT_LABEL) };
#undef FLOAT_LABEL
#undef LABEL
    const uint8_t *const code = instance->image->code;
    const uint32_t *const directory = directory_of(instance);
    uint32_t *const stack_end = instance->stack + instance->stack_slots;
    const uint16_t *pc = (const void *)(code + instance->position.pc);
    uint32_t *fp = instance->stack + instance->position.frame;
    uint8_t *memory = instance->memory ? instance->memory->base : NULL;
    uint32_t memory_size = instance->memory ? instance->memory->size : 0;
    int32_t fuel = *fuel_left;
    AG_ACCUMULATOR(uint64_t accumulator = 0;)
    enum ag_status result;
    const struct ag_wasm_entry *entry;
    union {
        uint32_t u32;
        uint64_t u64;
    } truncated; // one for all of them, or each takes stack of its own
    (void)&truncated;
jump:
    goto *labels[*pc];

    // Control
    CASE(ILLEGAL) : TRAP(AG_TRAP_CODE);
    CASE(UNREACHABLE) : TRAP(AG_TRAP_UNREACHABLE);
    CASE(DONE) :
    {
        result = AG_OK;
        goto trap;
    }
    CASE(FUEL) :
    {
        CHARGE(U(1));
        NEXT(2);
    }
    CASE(BR) :
    {
        CHARGE(U(1));
        TAKE(2);
    }
    CASE(BR_IF) : BRANCH(R32(1) != 0, 2);
    CASE(BR_UNLESS) : BRANCH(R32(1) == 0, 2);
    AG_ACCUMULATOR(CASE(BR_IF_A)
                   : BRANCH(A32(0) != 0, 1);
                   CASE(BR_UNLESS_A)
                   : BRANCH(A32(0) == 0, 1);)
    CASE(BR_FAR) :
    {
        entry = ag_wasm_entry_of(code, directory, U(1));
        const void *table = code + entry->labels;
        pc = (const void *)(code + entry->code + ((const uint32_t *)table)[U(2)]);
        if (IS_EMPTY)
            goto suspend;
        DISPATCH;
    }
    CASE(BR_TABLE) :
    {
        const uint32_t index = R32(1);
        const uint32_t count = U(4);
        entry = ag_wasm_entry_of(code, directory, U(3));
        const void *table = code + entry->labels;
        CHARGE(U(2));
        const uint16_t label = pc[5 + (index < count ? index : count)];
        pc = (const void *)(code + entry->code + ((const uint32_t *)table)[label]);
        if (IS_EMPTY)
            goto suspend;
        DISPATCH;
    }
    // The value and the unit that holds the slot of the return position.
    CASE(RETURN) : RETURN((void)0, 2);
    CASE(RETURN32) : RETURN(fp[0] = R32(2), 3);
    CASE(RETURN64) : RETURN(set64(fp, R64(2)), 3);
    AG_ACCUMULATOR(CASE(RETURN32_A)
                   : RETURN(fp[0] = A32(0), 2);
                   CASE(RETURN64_A)
                   : RETURN(set64(fp, A64(0)), 2);)
    CASE(CALL) :
    {
        CHARGE(U(1));
        entry = ag_wasm_entry_at(code, directory, U(2), U(3));
        pc += 5;
        goto enter;
    }
    CASE(CALL_IMPORT) :
    {
        instance->position.pc = (uint32_t)((const uint8_t *)pc - code);
        instance->position.frame = (uint32_t)(fp - instance->stack);
        result = call_host(instance, U(2), fp + U(3));
        if (result == AG_ERR_AGAIN)
            goto stop; // before its charge: the call is made again
        CHARGE(U(1));
        CHARGE(take_charge(instance));
        if (result != AG_OK)
            goto trap;
        pc += 4;
        goto returned;
    }
    CASE(CALL_INDIRECT) :
    {
        const struct ag_wasm_table *table = instance->tables[U(3)];
        const uint32_t index = R32(2);
        if (index >= table->size)
            TRAP(AG_TRAP_TABLE);
        const uint32_t reference = table->elements[index];
        if (reference == 0)
            TRAP(AG_TRAP_UNINITIALIZED);
        const struct ag_wasm_layout *layout = &ag_wasm_footer_of(instance->image)->layout;
        const bool is_own = (reference - 1) >> AG_WASM_TAG_SHIFT == ag_wasm_tag(instance);
        uint32_t callee = (reference - 1) & ((1u << AG_WASM_TAG_SHIFT) - 1);
        if (is_own && callee >= layout->total[AG_WASM_FUNCTION])
            TRAP(AG_TRAP_CODE);
        if (is_own && callee >= layout->imported[AG_WASM_FUNCTION]) {
            entry = ag_wasm_entry_of(code, directory, callee - layout->imported[AG_WASM_FUNCTION]);
            if (entry->type != U(4))
                TRAP(AG_TRAP_SIGNATURE);
            CHARGE(U(1));
            pc += 6;
            goto enter;
        }
        if (is_own && import_of(instance, callee)->type != U(4))
            TRAP(AG_TRAP_SIGNATURE);
        instance->position.pc = (uint32_t)((const uint8_t *)pc - code);
        instance->position.frame = (uint32_t)(fp - instance->stack);
        result = is_own ? call_host(instance, callee, fp + U(5))
                        : call_foreign(instance, reference, U(4), fp + U(5));
        if (result == AG_ERR_AGAIN)
            goto stop;
        CHARGE(U(1));
        CHARGE(take_charge(instance));
        if (result != AG_OK)
            goto trap;
        pc += 6;
        goto returned;
    }

    // Comparisons
    COMPARE(32, EQ, x == y)
    COMPARE(32, NE, x != y)
    COMPARE(32, LT_S, S32(x) < S32(y))
    COMPARE(32, GE_S, S32(x) >= S32(y))
    COMPARE(32, LT_U, x < y)
    COMPARE(32, GE_U, x >= y)
    COMPARE(64, EQ, x == y)
    COMPARE(64, NE, x != y)
    COMPARE(64, LT_S, S64(x) < S64(y))
    COMPARE(64, GE_S, S64(x) >= S64(y))
    COMPARE(64, LT_U, x < y)
    COMPARE(64, GE_U, x >= y)

    // Moves
    CASE(COPY32) :
    {
        SET32(1, R32(2));
        NEXT(3);
    }
    CASE(COPY64) :
    {
        SET64(1, R64(2));
        NEXT(3);
    }
    CASE(CONST32_K) :
    {
        SET32(1, K32(2));
        NEXT(3);
    }
    CASE(CONST32) :
    {
        SET32(1, unit32(&U(2)));
        NEXT(4);
    }
    CASE(CONST64_K) :
    {
        SET64(1, K64(2));
        NEXT(3);
    }
    CASE(CONST64) :
    {
        SET64(1, unit64(&U(2)));
        NEXT(6);
    }
    AG_ACCUMULATOR(CASE(CONST32_K_R)
                   : {
                       ONLY32(1, K32(1));
                       NEXT(2);
                   } CASE(CONST32_R)
                   : {
                       ONLY32(1, W32(1));
                       NEXT(3);
                   } CASE(CONST64_K_R)
                   : {
                       ONLY64(1, K64(1));
                       NEXT(2);
                   } CASE(CONST64_R)
                   : {
                       ONLY64(1, unit64(&U(1)));
                       NEXT(5);
                   })
    CASE(SELECT32) :
    {
        SET32(1, R32(4) != 0 ? R32(2) : R32(3));
        NEXT(5);
    }
    CASE(SELECT64) :
    {
        SET64(1, R32(4) != 0 ? R64(2) : R64(3));
        NEXT(5);
    }
    AG_ACCUMULATOR(CASE(SELECT32_A)
                   : {
                       SET32(1, A32(0) != 0 ? R32(2) : R32(3));
                       NEXT(4);
                   } CASE(SELECT64_A)
                   : {
                       SET64(1, A32(0) != 0 ? R64(2) : R64(3));
                       NEXT(4);
                   })
    CASE(GLOBAL_GET32) :
    {
        SET32(1, instance->globals[U(2)]);
        NEXT(3);
    }
    CASE(GLOBAL_GET64) :
    {
        SET64(1, get64(&instance->globals[U(2)]));
        NEXT(3);
    }
    CASE(GLOBAL_SET32) :
    {
        instance->globals[U(1)] = R32(2);
        NEXT(3);
    }
    CASE(GLOBAL_SET64) :
    {
        set64(&instance->globals[U(1)], R64(2));
        NEXT(3);
    }
    AG_ACCUMULATOR(CASE(GLOBAL_SET32_A)
                   : {
                       instance->globals[U(1)] = A32(0);
                       NEXT(2);
                   } CASE(GLOBAL_SET64_A)
                   : {
                       set64(&instance->globals[U(1)], A64(0));
                       NEXT(2);
                   })
    CASE(LINKED_GET32) :
    {
        SET32(1, *instance->links->globals[U(2)]);
        NEXT(3);
    }
    CASE(LINKED_GET64) :
    {
        SET64(1, get64(instance->links->globals[U(2)]));
        NEXT(3);
    }
    CASE(LINKED_SET32) :
    {
        *instance->links->globals[U(1)] = R32(2);
        NEXT(3);
    }
    CASE(LINKED_SET64) :
    {
        set64(instance->links->globals[U(1)], R64(2));
        NEXT(3);
    }
    CASE(REF_FUNC) :
    {
        SET32(1, ag_wasm_reference(instance, U(2)));
        NEXT(3);
    }

    // Integers
    BINARY(32, ADD, x + y)
    BINARY(32, SUB, x - y)
    BINARY(32, MUL, x * y)
    BINARY(32, AND, x & y)
    BINARY(32, OR, x | y)
    BINARY(32, XOR, x ^ y)
    BINARY(32, SHL, x << (y & 31))
    BINARY(32, SHR_S, (uint32_t)(S32(x) >> (y & 31)))
    BINARY(32, SHR_U, x >> (y & 31))
    BINARY(32, ROTL, rotate32(x, y))
    BINARY(32, ROTR, rotate32(x, 0 - y))
    DIVISIONS(32)
    WIDE(I32_ADD_W, x + y)
    WIDE(I32_MUL_W, x * y)
    WIDE(I32_AND_W, x & y)
    WIDE(I32_OR_W, x | y)
    WIDE(I32_XOR_W, x ^ y)
    UNARY(I32_CLZ, 32, 32, CLZ32(x))
    UNARY(I32_CTZ, 32, 32, CTZ32(x))
    UNARY(I32_POPCNT, 32, 32, count_bits(x))
    UNARY(I32_EXTEND8, 32, 32, (uint32_t)(int8_t)x)
    UNARY(I32_EXTEND16, 32, 32, (uint32_t)(int16_t)x)
    BINARY(64, ADD, x + y)
    BINARY(64, SUB, x - y)
    BINARY(64, MUL, x * y)
    BINARY(64, AND, x & y)
    BINARY(64, OR, x | y)
    BINARY(64, XOR, x ^ y)
    BINARY(64, SHL, x << (y & 63))
    BINARY(64, SHR_S, (uint64_t)(S64(x) >> (y & 63)))
    BINARY(64, SHR_U, x >> (y & 63))
    BINARY(64, ROTL, rotate64(x, y))
    BINARY(64, ROTR, rotate64(x, 0 - y))
    DIVISIONS(64)
    UNARY(I64_CLZ, 64, 64, CLZ64(x))
    UNARY(I64_CTZ, 64, 64, CTZ64(x))
    UNARY(I64_POPCNT, 64, 64, (uint64_t)count_bits((uint32_t)x) + count_bits((uint32_t)(x >> 32)))
    UNARY(I64_EXTEND8, 64, 64, (uint64_t)(int8_t)x)
    UNARY(I64_EXTEND16, 64, 64, (uint64_t)(int16_t)x)
    UNARY(I64_EXTEND32, 64, 64, (uint64_t)(int32_t)x)
    UNARY(I64_EXTEND_I32_S, 32, 64, (uint64_t)S32(x))
    UNARY(I64_EXTEND_I32_U, 32, 64, x)

    // Memory
    LOAD(LOAD32, uint32_t, 32, )
    LOAD(LOAD8_S, int8_t, 32, (uint32_t))
    LOAD(LOAD8_U, uint8_t, 32, )
    LOAD(LOAD16_S, int16_t, 32, (uint32_t))
    LOAD(LOAD16_U, uint16_t, 32, )
    LOAD(LOAD64, uint64_t, 64, )
    LOAD(LOAD64_8_S, int8_t, 64, (uint64_t))
    LOAD(LOAD64_8_U, uint8_t, 64, )
    LOAD(LOAD64_16_S, int16_t, 64, (uint64_t))
    LOAD(LOAD64_16_U, uint16_t, 64, )
    LOAD(LOAD64_32_S, int32_t, 64, (uint64_t))
    LOAD(LOAD64_32_U, uint32_t, 64, )
    LOAD_PLUS(LOAD32_PLUS, uint32_t, 32)
    LOAD_PLUS(LOAD8_U_PLUS, uint8_t, 32)
    LOAD_PLUS(LOAD64_PLUS, uint64_t, 64)
    STORE(STORE8, uint8_t, 32)
    STORE(STORE16, uint16_t, 32)
    STORE(STORE32, uint32_t, 32)
    STORE(STORE64, uint64_t, 64)
    STORE_K(STORE8_K, uint8_t)
    STORE_K(STORE16_K, uint16_t)
    STORE_K(STORE32_K, uint32_t)
    CASE(ADDRESS) :
    {
        const uint32_t at = R32(2);
        const uint32_t offset = unit32(&U(3));
        if (offset > UINT32_MAX - at)
            goto trap_memory;
        SET32(1, at + offset);
        NEXT(5);
    }
    CASE(MEMORY_SIZE) :
    {
        SET32(1, memory_size >> instance->memory->page_shift);
        NEXT(2);
    }
    CASE(MEMORY_GROW) :
    {
        const uint32_t pages = R32(2);
        SET32(1, ag_wasm_memory_grow(instance->memory, pages));
        memory_size = instance->memory->size;
        NEXT(3);
    }
    CASE(MEMORY_FILL) :
    {
        const uint32_t count = R32(3);
        result = fill_memory(instance, R32(1), R32(2), count);
        AFTER_BULK(count, 4);
    }
    CASE(MEMORY_COPY) :
    {
        const uint32_t count = R32(3);
        result = copy_memory(instance, R32(1), R32(2), count);
        AFTER_BULK(count, 4);
    }
    CASE(MEMORY_INIT) :
    {
        const uint32_t count = R32(4);
        result = ag_wasm_memory_init(instance, U(1), R32(2), R32(3), count);
        AFTER_BULK(count, 5);
    }
    CASE(DATA_DROP) :
    {
        ag_wasm_data_drop(instance, U(1));
        NEXT(2);
    }

    // Tables
    CASE(TABLE_GET) :
    {
        const struct ag_wasm_table *table = instance->tables[U(2)];
        const uint32_t index = R32(3);
        if (index >= table->size)
            TRAP(AG_TRAP_TABLE);
        SET32(1, table->elements[index]);
        NEXT(4);
    }
    CASE(TABLE_SET) :
    {
        const struct ag_wasm_table *table = instance->tables[U(1)];
        const uint32_t index = R32(2);
        if (index >= table->size)
            TRAP(AG_TRAP_TABLE);
        table->elements[index] = R32(3);
        NEXT(4);
    }
    CASE(TABLE_SIZE) :
    {
        SET32(1, instance->tables[U(2)]->size);
        NEXT(3);
    }
    CASE(TABLE_GROW) :
    {
        const uint32_t count = R32(4);
        const uint32_t former = ag_wasm_table_grow(instance->tables[U(2)], R32(3), count);
        SET32(1, former);
        result = AG_OK;
        AFTER_BULK(former == UINT32_MAX ? 0 : count, 5);
    }
    CASE(TABLE_FILL) :
    {
        const uint32_t count = R32(4);
        result = fill_table(instance->tables[U(1)], R32(2), R32(3), count);
        AFTER_BULK(count, 5);
    }
    CASE(TABLE_COPY) :
    {
        const uint32_t count = R32(5);
        result = copy_table(instance->tables[U(1)], R32(3), instance->tables[U(2)], R32(4), count);
        AFTER_BULK(count, 6);
    }
    CASE(TABLE_INIT) :
    {
        const uint32_t count = R32(5);
        result = ag_wasm_table_init(instance, U(2), U(1), R32(3), R32(4), count);
        AFTER_BULK(count, 6);
    }
    CASE(ELEM_DROP) :
    {
        ag_wasm_elem_drop(instance, U(1));
        NEXT(2);
    }

#if AG_CFG_WASM_ACCUMULATOR
    // Pairs
    AG_FIRSTS_BRANCH(PAIRS_BRANCH, )
    AG_FIRSTS_STEP(PAIRS_STEP, )
    AG_FIRSTS_MOVE(PAIRS_MOVE, )
    AG_FIRSTS_I32(PAIRS_I32, )
    AG_FIRSTS_I64(PAIRS_I64, )
#if AG_CFG_WASM_FLOAT
    AG_FIRSTS_F32(PAIRS_F32, )
    AG_FIRSTS_F64(PAIRS_F64, )
#endif
#endif

#if AG_CFG_WASM_FLOAT
    // Floats
    ARITHMETIC(ADD, +)
    ARITHMETIC(SUB, -)
    ARITHMETIC(MUL, *)
    ARITHMETIC(DIV, /)
    FLOATING(F32_MIN, 32, 32, ag_wasm_f32_min(x, y))
    FLOATING(F32_MAX, 32, 32, ag_wasm_f32_max(x, y))
    FLOATING(F64_MIN, 64, 64, ag_wasm_f64_min(x, y))
    FLOATING(F64_MAX, 64, 64, ag_wasm_f64_max(x, y))
    COPY_SIGN(32, 0x7FFFFFFFu)
    COPY_SIGN(64, 0x7FFFFFFFFFFFFFFFu)
    UNARY(F32_ABS, 32, 32, x & 0x7FFFFFFFu)
    UNARY(F32_NEG, 32, 32, x ^ 0x80000000u)
    UNARY(F64_ABS, 64, 64, x & 0x7FFFFFFFFFFFFFFFu)
    UNARY(F64_NEG, 64, 64, x ^ 0x8000000000000000u)
    ROUND(CEIL)
    ROUND(FLOOR)
    ROUND(TRUNC)
    ROUND(NEAREST)
    UNARY(F32_SQRT, 32, 32, ag_wasm_f32_sqrt(x))
    UNARY(F64_SQRT, 64, 64, ag_wasm_f64_sqrt(x))
    FLOAT_COMPARE(EQ, ==)
    FLOAT_COMPARE(NE, !=)
    FLOAT_COMPARE(LT, <)
    FLOAT_COMPARE(LE, <=)
    TRUNCATE(32, 32, S, ag_wasm_to_s32)
    TRUNCATE(32, 32, U, ag_wasm_to_u32)
    TRUNCATE(64, 32, S, ag_wasm_to_s32)
    TRUNCATE(64, 32, U, ag_wasm_to_u32)
    TRUNCATE(32, 64, S, ag_wasm_to_s64)
    TRUNCATE(32, 64, U, ag_wasm_to_u64)
    TRUNCATE(64, 64, S, ag_wasm_to_s64)
    TRUNCATE(64, 64, U, ag_wasm_to_u64)
    UNARY(F32_CONVERT_I32_S, 32, 32, BITS32((float)S32(x)))
    UNARY(F32_CONVERT_I32_U, 32, 32, BITS32((float)x))
    UNARY(F32_CONVERT_I64_S, 64, 32, BITS32((float)S64(x)))
    UNARY(F32_CONVERT_I64_U, 64, 32, BITS32((float)x))
    UNARY(F64_CONVERT_I32_S, 32, 64, BITS64((double)S32(x)))
    UNARY(F64_CONVERT_I32_U, 32, 64, BITS64((double)x))
    UNARY(F64_CONVERT_I64_S, 64, 64, BITS64((double)S64(x)))
    UNARY(F64_CONVERT_I64_U, 64, 64, BITS64((double)x))
    UNARY(F32_DEMOTE, 64, 32, BITS32((float)F64(x)))
    UNARY(F64_PROMOTE, 32, 64, BITS64((double)F32(x)))
#endif

enter : { // `entry` is the callee's, `pc` stands behind the call
    const uint16_t *prologue = (const void *)(code + entry->code);
    fp += pc[-1];
    if (__builtin_expect((uintptr_t)fp + entry->frame * 4u > (uintptr_t)stack_end, 0)) {
        fp -= pc[-1];
        pc--; // stay within the call
        TRAP(AG_TRAP_STACK);
    }
    const uint32_t params = prologue[AG_WASM_PROLOGUE_PARAMS];
    const uint32_t locals = prologue[AG_WASM_PROLOGUE_LOCALS];
    for (uint32_t i = params; i < locals; i++)
        fp[i] = 0;
    CHARGE((locals - params) >> BULK_SHIFT);
    fp[prologue[AG_WASM_PROLOGUE_RETURN]] = (uint32_t)((const uint8_t *)pc - code);
    pc = prologue + AG_WASM_PROLOGUE_UNITS;
    if (IS_EMPTY)
        goto suspend;
    JUMP;
}

returned: // from the host, which may have grown the memory
    if (instance->memory) {
        memory = instance->memory->base;
        memory_size = instance->memory->size;
    }
    if (IS_EMPTY)
        goto suspend;
    JUMP;

trap_memory:
    result = AG_TRAP_MEMORY;
    goto trap;
trap_zero:
    result = AG_TRAP_DIVIDE_BY_ZERO;
    goto trap;
trap_overflow:
    result = AG_TRAP_OVERFLOW;
    goto trap;
suspend:
    result = AG_ERR_AGAIN;
trap:
    instance->position.pc = (uint32_t)((const uint8_t *)pc - code);
    instance->position.frame = (uint32_t)(fp - instance->stack);
stop:
    *fuel_left = fuel;
    return result;
}

// The call of an import that was begun from outside.
static enum ag_status run_import(struct ag_wasm_instance *instance)
{
    const uint32_t function = instance->position.frame;
    uint32_t *slots = instance->stack + instance->position.base;
    const enum ag_status status = call_host(instance, function, slots);
    if (status != AG_ERR_AGAIN)
        instance->fuel_used += 1u + take_charge(instance);
    return status;
}

enum ag_status ag_wasm_run(struct ag_wasm_instance *instance, uint32_t fuel)
{
    const int32_t given = fuel > INT32_MAX ? INT32_MAX : (int32_t)fuel;
    int32_t left = given;
    if (instance->position.pc == 0)
        return AG_ERR_ARGUMENT;
    if (instance->position.pc == PC_IMPORT)
        return run_import(instance);
    const enum ag_status status = interpret(instance, &left);
    instance->fuel_used += (uint64_t)((int64_t)given - left);
    return status;
}
