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

const uint32_t *ag_wasm_results(const struct ag_wasm_instance *instance)
{
    return instance->stack + instance->position.base;
}

uint64_t ag_wasm_fuel_used(const struct ag_wasm_instance *instance)
{
    return instance->fuel_used;
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
        frame[prologue[AG_WASM_PROLOGUE_RETURN]] = 0;
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
    return status;
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

#define U(n)   pc[n]
#define K32(n) ((uint32_t)(int32_t)(int16_t)pc[n])
#define K64(n) ((uint64_t)(int64_t)(int16_t)pc[n])
#define R32(n) fp[pc[n]]
#define R64(n) get64(&fp[pc[n]])
#define F32(n) ag_wasm_f32_of(fp[pc[n]])
#define F64(n) ag_wasm_f64_of(R64(n))
#define S32(x) ((int32_t)(x))
#define S64(x) ((int64_t)(x))
#define SET32(n, value)                                                                            \
    do {                                                                                           \
        const uint32_t set_ = (value);                                                             \
        fp[pc[n]] = set_;                                                                          \
    } while (0)
#define SET64(n, value)                                                                            \
    do {                                                                                           \
        const uint64_t set_ = (value);                                                             \
        set64(&fp[pc[n]], set_);                                                                   \
    } while (0)

#define CASE(name) op_##name
#define DISPATCH   goto *labels[*pc]
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
// A taken branch whose distance is unit n.
#define TAKE(n)                                                                                    \
    do {                                                                                           \
        pc += (n) + (int16_t)pc[n];                                                                \
        if (__builtin_expect(fuel < 0, 0))                                                         \
            goto suspend;                                                                          \
        DISPATCH;                                                                                  \
    } while (0)
#define BRANCH(condition, cost, distance, next)                                                    \
    do {                                                                                           \
        fuel -= U(cost);                                                                           \
        if (condition)                                                                             \
            TAKE(distance);                                                                        \
        NEXT(next);                                                                                \
    } while (0)

// Both forms of an integer instruction; x and y are its operands.
#define BINARY32(name, expression)                                                                 \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint32_t x = R32(2), y = R32(3);                                                     \
        SET32(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(name##_K) :                                                                               \
    {                                                                                              \
        const uint32_t x = R32(2), y = K32(3);                                                     \
        SET32(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }
#define BINARY64(name, expression)                                                                 \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint64_t x = R64(2), y = R64(3);                                                     \
        SET64(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(name##_K) :                                                                               \
    {                                                                                              \
        const uint64_t x = R64(2), y = K64(3);                                                     \
        SET64(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }
// Comparisons, by themselves and with their branch.
#define COMPARE(bits, name, expression)                                                            \
    CASE(I##bits##_##name) :                                                                       \
    {                                                                                              \
        const uint##bits##_t x = R##bits(2), y = R##bits(3);                                       \
        SET32(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(I##bits##_##name##_K) :                                                                   \
    {                                                                                              \
        const uint##bits##_t x = R##bits(2), y = K##bits(3);                                       \
        SET32(1, expression);                                                                      \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(BR_I##bits##_##name) :                                                                    \
    {                                                                                              \
        const uint##bits##_t x = R##bits(1), y = R##bits(2);                                       \
        BRANCH(expression, 3, 4, 5);                                                               \
    }                                                                                              \
    CASE(BR_I##bits##_##name##_K) :                                                                \
    {                                                                                              \
        const uint##bits##_t x = R##bits(1), y = K##bits(2);                                       \
        BRANCH(expression, 3, 4, 5);                                                               \
    }
#define WIDE(name, expression)                                                                     \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint32_t x = R32(2), y = unit32(&U(3));                                              \
        SET32(1, expression);                                                                      \
        NEXT(5);                                                                                   \
    }
#define UNARY32(name, expression)                                                                  \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint32_t x = R32(2);                                                                 \
        SET32(1, expression);                                                                      \
        NEXT(3);                                                                                   \
    }
#define UNARY64(name, expression)                                                                  \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const uint64_t x = R64(2);                                                                 \
        SET64(1, expression);                                                                      \
        NEXT(3);                                                                                   \
    }
#define FLOAT32(name, expression)                                                                  \
    CASE(F32_##name) :                                                                             \
    {                                                                                              \
        const float x = F32(2), y = F32(3);                                                        \
        SET32(1, ag_wasm_f32_bits(expression));                                                    \
        NEXT(4);                                                                                   \
    }
#define FLOAT64(name, expression)                                                                  \
    CASE(F64_##name) :                                                                             \
    {                                                                                              \
        const double x = F64(2), y = F64(3);                                                       \
        SET64(1, ag_wasm_f64_bits(expression));                                                    \
        NEXT(4);                                                                                   \
    }
#define FLOAT_COMPARE(name, operator)                                                              \
    CASE(F32_##name) :                                                                             \
    {                                                                                              \
        SET32(1, F32(2) operator F32(3));                                                          \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(F64_##name) :                                                                             \
    {                                                                                              \
        SET32(1, F64(2) operator F64(3));                                                          \
        NEXT(4);                                                                                   \
    }
// Bits of a float, functions of float.h.
#define BITS(width, name, function)                                                                \
    CASE(F##width##_##name) :                                                                      \
    {                                                                                              \
        SET##width(1, function(R##width(2), R##width(3)));                                         \
        NEXT(4);                                                                                   \
    }
#define BINARY_SIGN(width, magnitude)                                                              \
    CASE(F##width##_COPYSIGN) :                                                                    \
    {                                                                                              \
        SET##width(1, (R##width(2) & (magnitude)) | (R##width(3) & ~(magnitude)));                 \
        NEXT(4);                                                                                   \
    }
#define ROUND(name)                                                                                \
    CASE(F32_##name) :                                                                             \
    {                                                                                              \
        SET32(1, ag_wasm_f32_round(R32(2), AG_WASM_##name));                                       \
        NEXT(3);                                                                                   \
    }                                                                                              \
    CASE(F64_##name) :                                                                             \
    {                                                                                              \
        SET64(1, ag_wasm_f64_round(R64(2), AG_WASM_##name));                                       \
        NEXT(3);                                                                                   \
    }
#define TRUNCATE(to, bits, name, from, function)                                                   \
    CASE(I##bits##_TRUNC_##name) :                                                                 \
    {                                                                                              \
        const enum ag_wasm_conversion conversion = function(from, &truncated.u##bits);             \
        if (conversion != AG_WASM_FITS)                                                            \
            TRAP(conversion == AG_WASM_NAN ? AG_TRAP_CONVERSION : AG_TRAP_OVERFLOW);               \
        SET##bits(1, truncated.u##bits);                                                           \
        NEXT(3);                                                                                   \
    }                                                                                              \
    CASE(I##bits##_TRUNC_SAT_##name) :                                                             \
    {                                                                                              \
        (void)function(from, &truncated.u##bits);                                                  \
        SET##bits(1, truncated.u##bits);                                                           \
        NEXT(3);                                                                                   \
    }
#define CONVERT(name, set, bits_of, expression)                                                    \
    CASE(name) :                                                                                   \
    {                                                                                              \
        set(1, bits_of(expression));                                                               \
        NEXT(3);                                                                                   \
    }

// A bounds check that cannot wrap: in 64 bits where those are cheap.
#if UINTPTR_MAX > 0xFFFFFFFFu
#define IN_BOUNDS(at, offset, size) ((uint64_t)(at) + (offset) + (size) <= memory_size)
#else
#define IN_BOUNDS(at, offset, size)                                                                \
    ((uint32_t)(offset) + (size) <= memory_size && (at) <= memory_size - ((offset) + (size)))
#endif

#define LOAD(name, type, set, cast)                                                                \
    CASE(name) :                                                                                   \
    {                                                                                              \
        type value;                                                                                \
        const uint32_t at = R32(2);                                                                \
        const uint32_t offset = U(3);                                                              \
        if (__builtin_expect(!IN_BOUNDS(at, offset, sizeof value), 0))                             \
            goto trap_memory;                                                                      \
        memcpy(&value, memory + at + offset, sizeof value);                                        \
        set(1, cast value);                                                                        \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(name##_AT) :                                                                              \
    {                                                                                              \
        type value;                                                                                \
        const uint32_t at = unit32(&U(2));                                                         \
        if (__builtin_expect(memory_size < sizeof value || at > memory_size - sizeof value, 0))    \
            goto trap_memory;                                                                      \
        memcpy(&value, memory + at, sizeof value);                                                 \
        set(1, cast value);                                                                        \
        NEXT(4);                                                                                   \
    }
#define LOAD_PLUS(name, type, set, second)                                                         \
    CASE(name) :                                                                                   \
    {                                                                                              \
        type value;                                                                                \
        const uint32_t summand = second(3);                                                        \
        const uint32_t at = R32(2) + summand;                                                      \
        const uint32_t offset = U(4);                                                              \
        if (__builtin_expect(!IN_BOUNDS(at, offset, sizeof value), 0))                             \
            goto trap_memory;                                                                      \
        memcpy(&value, memory + at + offset, sizeof value);                                        \
        set(1, value);                                                                             \
        NEXT(5);                                                                                   \
    }
#define STORE(name, type, get)                                                                     \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type value = (type)get(1);                                                           \
        const uint32_t at = R32(2);                                                                \
        const uint32_t offset = U(3);                                                              \
        if (__builtin_expect(!IN_BOUNDS(at, offset, sizeof value), 0))                             \
            goto trap_memory;                                                                      \
        memcpy(memory + at + offset, &value, sizeof value);                                        \
        NEXT(4);                                                                                   \
    }
#define STORE_AT(name, type, get)                                                                  \
    CASE(name) :                                                                                   \
    {                                                                                              \
        const type value = (type)get(1);                                                           \
        const uint32_t at = unit32(&U(2));                                                         \
        if (__builtin_expect(memory_size < sizeof value || at > memory_size - sizeof value, 0))    \
            goto trap_memory;                                                                      \
        memcpy(memory + at, &value, sizeof value);                                                 \
        NEXT(4);                                                                                   \
    }
// The frequent way of `status`: whatever it is, memory may have moved.
#define AFTER_BULK(count, units)                                                                   \
    do {                                                                                           \
        if (result != AG_OK)                                                                       \
            goto trap;                                                                             \
        fuel -= (int32_t)((count) >> BULK_SHIFT);                                                  \
        pc += (units);                                                                             \
        if (__builtin_expect(fuel < 0, 0))                                                         \
            goto suspend;                                                                          \
        DISPATCH;                                                                                  \
    } while (0)

#define CLZ32(x) ((x) == 0 ? 32u : (uint32_t)__builtin_clz(x))
#define CTZ32(x) ((x) == 0 ? 32u : (uint32_t)__builtin_ctz(x))
#define CLZ64(x) ((x) == 0 ? 64u : (uint64_t)__builtin_clzll(x))
#define CTZ64(x) ((x) == 0 ? 64u : (uint64_t)__builtin_ctzll(x))

static uint32_t count_bits(uint32_t x)
{
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    x = (x + (x >> 4)) & 0x0F0F0F0F;
    return x * 0x01010101 >> 24;
}

#define DIVIDE(bits, suffix, y)                                                                    \
    const uint##bits##_t x = R##bits(2);                                                           \
    const uint##bits##_t divisor = y;                                                              \
    if (divisor == 0)                                                                              \
        TRAP(AG_TRAP_DIVIDE_BY_ZERO);
#define DIVISIONS(bits, form, y, lowest)                                                           \
    CASE(I##bits##_DIV_S##form) :                                                                  \
    {                                                                                              \
        DIVIDE(bits, , y)                                                                          \
        if (x == (lowest) && S##bits(divisor) == -1)                                               \
            TRAP(AG_TRAP_OVERFLOW);                                                                \
        SET##bits(1, (uint##bits##_t)(S##bits(x) / S##bits(divisor)));                             \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(I##bits##_DIV_U##form) :                                                                  \
    {                                                                                              \
        DIVIDE(bits, , y)                                                                          \
        SET##bits(1, x / divisor);                                                                 \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(I##bits##_REM_S##form) :                                                                  \
    {                                                                                              \
        DIVIDE(bits, , y)                                                                          \
        SET##bits(1,                                                                               \
                  S##bits(divisor) == -1 ? 0 : (uint##bits##_t)(S##bits(x) % S##bits(divisor)));   \
        NEXT(4);                                                                                   \
    }                                                                                              \
    CASE(I##bits##_REM_U##form) :                                                                  \
    {                                                                                              \
        DIVIDE(bits, , y)                                                                          \
        SET##bits(1, x % divisor);                                                                 \
        NEXT(4);                                                                                   \
    }

static enum ag_status interpret(struct ag_wasm_instance *instance, int32_t *fuel_left)
{
#define LABEL(name, operands) &&op_##name,
#if AG_CFG_WASM_FLOAT
#define FLOAT_LABEL LABEL
#else
#define FLOAT_LABEL(name, operands) &&op_ILLEGAL,
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
    enum ag_status result;
    uint32_t callee;
    union {
        uint32_t u32;
        uint64_t u64;
    } truncated; // one for all of them, or each takes stack of its own
    (void)&truncated;
    DISPATCH;

    // Control
    CASE(ILLEGAL) : TRAP(AG_TRAP_CODE);
    CASE(UNREACHABLE) : TRAP(AG_TRAP_UNREACHABLE);
    CASE(FUEL) :
    {
        fuel -= U(1);
        NEXT(2);
    }
    CASE(BR) :
    {
        fuel -= U(1);
        TAKE(2);
    }
    CASE(BR_IF) : BRANCH(R32(1) != 0, 2, 3, 4);
    CASE(BR_UNLESS) : BRANCH(R32(1) == 0, 2, 3, 4);
    CASE(BR_FAR) :
    {
        const struct ag_wasm_entry *entry = ag_wasm_entry_of(code, directory, U(1));
        const void *table = code + entry->labels;
        pc = (const void *)(code + entry->code + ((const uint32_t *)table)[U(2)]);
        if (fuel < 0)
            goto suspend;
        DISPATCH;
    }
    CASE(BR_TABLE) :
    {
        const uint32_t index = R32(1);
        const uint32_t count = U(4);
        const struct ag_wasm_entry *entry = ag_wasm_entry_of(code, directory, U(3));
        const void *table = code + entry->labels;
        fuel -= U(2);
        const uint16_t label = pc[5 + (index < count ? index : count)];
        pc = (const void *)(code + entry->code + ((const uint32_t *)table)[label]);
        if (fuel < 0)
            goto suspend;
        DISPATCH;
    }
    CASE(RETURN32) :
    {
        const uint32_t value = R32(2);
        const uint32_t position = fp[U(3)];
        fuel -= U(1);
        fp[0] = value;
        if (position == 0)
            goto done;
        pc = (const void *)(code + position);
        fp -= pc[-1];
        DISPATCH;
    }
    CASE(RETURN64) :
    {
        const uint64_t value = R64(2);
        const uint32_t position = fp[U(3)];
        fuel -= U(1);
        set64(fp, value);
        if (position == 0)
            goto done;
        pc = (const void *)(code + position);
        fp -= pc[-1];
        DISPATCH;
    }
    CASE(RETURN) :
    {
        const uint32_t position = fp[U(2)];
        fuel -= U(1);
        if (position == 0)
            goto done;
        pc = (const void *)(code + position);
        fp -= pc[-1];
        DISPATCH;
    }
    CASE(CALL) :
    {
        fuel -= U(1);
        callee = U(2);
        pc += 4;
        goto enter;
    }
    CASE(CALL_IMPORT) :
    {
        instance->position.pc = (uint32_t)((const uint8_t *)pc - code);
        instance->position.frame = (uint32_t)(fp - instance->stack);
        result = call_host(instance, U(2), fp + U(3));
        if (result == AG_ERR_AGAIN)
            goto stop; // before its charge: the call is made again
        fuel -= U(1);
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
        callee = (reference - 1) & ((1u << AG_WASM_TAG_SHIFT) - 1);
        if (is_own && callee >= layout->total[AG_WASM_FUNCTION])
            TRAP(AG_TRAP_CODE);
        if (is_own && callee >= layout->imported[AG_WASM_FUNCTION]) {
            callee -= layout->imported[AG_WASM_FUNCTION];
            if (ag_wasm_entry_of(code, directory, callee)->type != U(4))
                TRAP(AG_TRAP_SIGNATURE);
            fuel -= U(1);
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
        fuel -= U(1);
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
    BINARY32(I32_ADD, x + y)
    BINARY32(I32_SUB, x - y)
    BINARY32(I32_MUL, x * y)
    BINARY32(I32_AND, x & y)
    BINARY32(I32_OR, x | y)
    BINARY32(I32_XOR, x ^ y)
    BINARY32(I32_SHL, x << (y & 31))
    BINARY32(I32_SHR_S, (uint32_t)(S32(x) >> (y & 31)))
    BINARY32(I32_SHR_U, x >> (y & 31))
    BINARY32(I32_ROTL, x << (y & 31) | x >> ((0 - y) & 31))
    BINARY32(I32_ROTR, x >> (y & 31) | x << ((0 - y) & 31))
    WIDE(I32_ADD_W, x + y)
    WIDE(I32_MUL_W, x * y)
    WIDE(I32_AND_W, x & y)
    WIDE(I32_OR_W, x | y)
    WIDE(I32_XOR_W, x ^ y)
    DIVISIONS(32, , R32(3), 0x80000000u)
    DIVISIONS(32, _K, K32(3), 0x80000000u)
    UNARY32(I32_CLZ, CLZ32(x))
    UNARY32(I32_CTZ, CTZ32(x))
    UNARY32(I32_POPCNT, count_bits(x))
    UNARY32(I32_EXTEND8, (uint32_t)(int8_t)x)
    UNARY32(I32_EXTEND16, (uint32_t)(int16_t)x)
    BINARY64(I64_ADD, x + y)
    BINARY64(I64_SUB, x - y)
    BINARY64(I64_MUL, x * y)
    BINARY64(I64_AND, x & y)
    BINARY64(I64_OR, x | y)
    BINARY64(I64_XOR, x ^ y)
    BINARY64(I64_SHL, x << (y & 63))
    BINARY64(I64_SHR_S, (uint64_t)(S64(x) >> (y & 63)))
    BINARY64(I64_SHR_U, x >> (y & 63))
    BINARY64(I64_ROTL, x << (y & 63) | x >> ((0 - y) & 63))
    BINARY64(I64_ROTR, x >> (y & 63) | x << ((0 - y) & 63))
    DIVISIONS(64, , R64(3), 0x8000000000000000u)
    DIVISIONS(64, _K, K64(3), 0x8000000000000000u)
    UNARY64(I64_CLZ, CLZ64(x))
    UNARY64(I64_CTZ, CTZ64(x))
    UNARY64(I64_POPCNT, (uint64_t)count_bits((uint32_t)x) + count_bits((uint32_t)(x >> 32)))
    UNARY64(I64_EXTEND8, (uint64_t)(int8_t)x)
    UNARY64(I64_EXTEND16, (uint64_t)(int16_t)x)
    UNARY64(I64_EXTEND32, (uint64_t)(int32_t)x)
    CASE(I64_EXTEND_I32_S) :
    {
        SET64(1, (uint64_t)S32(R32(2)));
        NEXT(3);
    }
    CASE(I64_EXTEND_I32_U) :
    {
        SET64(1, R32(2));
        NEXT(3);
    }

    // Memory
    LOAD(LOAD32, uint32_t, SET32, )
    LOAD(LOAD8_S, int8_t, SET32, (uint32_t))
    LOAD(LOAD8_U, uint8_t, SET32, )
    LOAD(LOAD16_S, int16_t, SET32, (uint32_t))
    LOAD(LOAD16_U, uint16_t, SET32, )
    LOAD(LOAD64, uint64_t, SET64, )
    LOAD(LOAD64_8_S, int8_t, SET64, (uint64_t))
    LOAD(LOAD64_8_U, uint8_t, SET64, )
    LOAD(LOAD64_16_S, int16_t, SET64, (uint64_t))
    LOAD(LOAD64_16_U, uint16_t, SET64, )
    LOAD(LOAD64_32_S, int32_t, SET64, (uint64_t))
    LOAD(LOAD64_32_U, uint32_t, SET64, )
    LOAD_PLUS(LOAD32_PLUS, uint32_t, SET32, R32)
    LOAD_PLUS(LOAD32_PLUS_K, uint32_t, SET32, K32)
    LOAD_PLUS(LOAD8_U_PLUS, uint8_t, SET32, R32)
    LOAD_PLUS(LOAD8_U_PLUS_K, uint8_t, SET32, K32)
    LOAD_PLUS(LOAD64_PLUS, uint64_t, SET64, R32)
    LOAD_PLUS(LOAD64_PLUS_K, uint64_t, SET64, K32)
    STORE(STORE8, uint8_t, R32)
    STORE(STORE16, uint16_t, R32)
    STORE(STORE32, uint32_t, R32)
    STORE(STORE64, uint64_t, R64)
    STORE(STORE8_K, uint8_t, K32)
    STORE(STORE16_K, uint16_t, K32)
    STORE(STORE32_K, uint32_t, K32)
    STORE_AT(STORE8_AT, uint8_t, R32)
    STORE_AT(STORE16_AT, uint16_t, R32)
    STORE_AT(STORE32_AT, uint32_t, R32)
    STORE_AT(STORE64_AT, uint64_t, R64)
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
        SET32(1, ag_wasm_table_grow(instance->tables[U(2)], R32(3), count));
        result = AG_OK;
        AFTER_BULK(count, 5);
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

#if AG_CFG_WASM_FLOAT
    // Floats
    FLOAT32(ADD, x + y)
    FLOAT32(SUB, x - y)
    FLOAT32(MUL, x * y)
    FLOAT32(DIV, x / y)
    FLOAT64(ADD, x + y)
    FLOAT64(SUB, x - y)
    FLOAT64(MUL, x * y)
    FLOAT64(DIV, x / y)
    BITS(32, MIN, ag_wasm_f32_min)
    BITS(32, MAX, ag_wasm_f32_max)
    BITS(64, MIN, ag_wasm_f64_min)
    BITS(64, MAX, ag_wasm_f64_max)
    BINARY_SIGN(32, 0x7FFFFFFFu)
    BINARY_SIGN(64, 0x7FFFFFFFFFFFFFFFu)
    UNARY32(F32_ABS, x & 0x7FFFFFFFu)
    UNARY32(F32_NEG, x ^ 0x80000000u)
    UNARY64(F64_ABS, x & 0x7FFFFFFFFFFFFFFFu)
    UNARY64(F64_NEG, x ^ 0x8000000000000000u)
    ROUND(CEIL)
    ROUND(FLOOR)
    ROUND(TRUNC)
    ROUND(NEAREST)
    UNARY32(F32_SQRT, ag_wasm_f32_sqrt(x))
    UNARY64(F64_SQRT, ag_wasm_f64_sqrt(x))
    FLOAT_COMPARE(EQ, ==)
    FLOAT_COMPARE(NE, !=)
    FLOAT_COMPARE(LT, <)
    FLOAT_COMPARE(LE, <=)
    TRUNCATE(I32, 32, F32_S, (double)F32(2), ag_wasm_to_s32)
    TRUNCATE(I32, 32, F32_U, (double)F32(2), ag_wasm_to_u32)
    TRUNCATE(I32, 32, F64_S, F64(2), ag_wasm_to_s32)
    TRUNCATE(I32, 32, F64_U, F64(2), ag_wasm_to_u32)
    TRUNCATE(I64, 64, F32_S, (double)F32(2), ag_wasm_to_s64)
    TRUNCATE(I64, 64, F32_U, (double)F32(2), ag_wasm_to_u64)
    TRUNCATE(I64, 64, F64_S, F64(2), ag_wasm_to_s64)
    TRUNCATE(I64, 64, F64_U, F64(2), ag_wasm_to_u64)
    CONVERT(F32_CONVERT_I32_S, SET32, ag_wasm_f32_bits, (float)S32(R32(2)))
    CONVERT(F32_CONVERT_I32_U, SET32, ag_wasm_f32_bits, (float)R32(2))
    CONVERT(F32_CONVERT_I64_S, SET32, ag_wasm_f32_bits, (float)S64(R64(2)))
    CONVERT(F32_CONVERT_I64_U, SET32, ag_wasm_f32_bits, (float)R64(2))
    CONVERT(F64_CONVERT_I32_S, SET64, ag_wasm_f64_bits, (double)S32(R32(2)))
    CONVERT(F64_CONVERT_I32_U, SET64, ag_wasm_f64_bits, (double)R32(2))
    CONVERT(F64_CONVERT_I64_S, SET64, ag_wasm_f64_bits, (double)S64(R64(2)))
    CONVERT(F64_CONVERT_I64_U, SET64, ag_wasm_f64_bits, (double)R64(2))
    CONVERT(F32_DEMOTE, SET32, ag_wasm_f32_bits, (float)F64(2))
    CONVERT(F64_PROMOTE, SET64, ag_wasm_f64_bits, (double)F32(2))
#endif

enter : { // `callee` is the function, `pc` stands behind the call
    uint32_t *frame = fp + pc[-1];
    if (__builtin_expect(callee >= directory[-1], 0)) {
        pc--; // stay within the call
        TRAP(AG_TRAP_CODE);
    }
    const struct ag_wasm_entry *entry = ag_wasm_entry_of(code, directory, callee);
    const uint16_t *prologue = (const void *)(code + entry->code);
    if (__builtin_expect((uintptr_t)frame + entry->frame * 4u > (uintptr_t)stack_end, 0)) {
        pc--;
        TRAP(AG_TRAP_STACK);
    }
    const uint32_t params = prologue[AG_WASM_PROLOGUE_PARAMS];
    const uint32_t locals = prologue[AG_WASM_PROLOGUE_LOCALS];
    for (uint32_t i = params; i < locals; i++)
        frame[i] = 0;
    fuel -= (int32_t)((locals - params) >> BULK_SHIFT);
    frame[prologue[AG_WASM_PROLOGUE_RETURN]] = (uint32_t)((const uint8_t *)pc - code);
    fp = frame;
    pc = prologue + AG_WASM_PROLOGUE_UNITS;
    if (__builtin_expect(fuel < 0, 0))
        goto suspend;
    DISPATCH;
}

returned: // from the host, which may have grown the memory
    if (instance->memory) {
        memory = instance->memory->base;
        memory_size = instance->memory->size;
    }
    if (fuel < 0)
        goto suspend;
    DISPATCH;

trap_memory:
    result = AG_TRAP_MEMORY;
    goto trap;
done:
    result = AG_OK;
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
        instance->fuel_used++;
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
