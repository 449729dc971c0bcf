// SPDX-License-Identifier: Apache-2.0
// The WebAssembly engine: translate once into flash, execute in place from there.
//
//   translate   module bytes -> validated, position-independent code image, streamed to a sink
//   image       module + code image, both read in place; exports and types by query
//   instance    globals, tables, stack and linear memory in one block of the caller's
//   run         a call in slices of fuel: done, suspended or trapped
//
// WebAssembly 2.0 without SIMD, and custom page sizes. Nothing here allocates, blocks or recurses.
// Values travel in slots of 32 bits: i32, f32 and references take one, i64 and f64 two (low half
// first). A reference is 0 for null; a function reference is otherwise opaque to the embedder.
#ifndef AG_WASM_WASM_H
#define AG_WASM_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/config.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// Changes whenever translated code changes its meaning; a stale image is translated again.
#define AG_WASM_ENGINE_VERSION (AG_CFG_WASM_ACCUMULATOR ? 0x104u : 0x004u)

// Translation scratch, bytes. The minimum holds all that is kept of a module of any size; of it at
// least 300 bytes, and with less than 4,000 functions 1,150, are left for the function in hand:
// 16 for each open block, 8 for each operand on the stack, 6 for each change of type among its
// locals. What goes beyond that, and 4 for each type that repeats an earlier one, comes on top.
// The recommended size takes what compilers emit, with fewer repetitions.
#define AG_WASM_SCRATCH_MIN (4096u + 2u * ((uint32_t)AG_CFG_WASM_WINDOW - 512u))
#define AG_WASM_SCRATCH     16384u

// Alignment, bytes, of the code image, of translation scratch and of an instance's block.
#define AG_WASM_ALIGN 8u

enum ag_wasm_kind {
    AG_WASM_FUNCTION = 0,
    AG_WASM_TABLE = 1,
    AG_WASM_MEMORY = 2,
    AG_WASM_GLOBAL = 3,
};

// Value types, with the bytes that the binary format gives them.
enum ag_wasm_type {
    AG_WASM_I32 = 0x7F,
    AG_WASM_I64 = 0x7E,
    AG_WASM_F32 = 0x7D,
    AG_WASM_F64 = 0x7C,
    AG_WASM_FUNCREF = 0x70,
    AG_WASM_EXTERNREF = 0x6F,
};

// UTF-8 without a terminating NUL, borrowed from the module's bytes.
struct ag_wasm_name {
    const char *text;
    uint32_t size;
};

// One byte (enum ag_wasm_type) a parameter or result, borrowed from the module's bytes.
struct ag_wasm_function_type {
    const uint8_t *params;
    const uint8_t *results;
    uint32_t param_count;
    uint32_t result_count;
};

// What an import asks for or an export is.
struct ag_wasm_extern {
    enum ag_wasm_kind kind;
    struct ag_wasm_function_type function; // kind FUNCTION
    uint8_t value_type;                    // kind GLOBAL: its type; kind TABLE: its elements' type
    bool is_mutable;                       // kind GLOBAL
    bool has_max;                          // kind TABLE, MEMORY
    uint8_t page_shift;                    // kind MEMORY: 16 or 0, log2 of the page size
    uint32_t min;                          // kind TABLE: elements; kind MEMORY: pages
    uint32_t max;                          // likewise, if has_max
};

struct ag_wasm_import {
    struct ag_wasm_name module;
    struct ag_wasm_name field;
    struct ag_wasm_extern type;
};

// ---- Translation ----------------------------------------------------------------------------

// Names the host function behind an import: sets *id (any number, handed to the host call) and
// returns AG_OK, or refuses (AG_ERR_WASM_IMPORT for an unknown one). Asked in the order of the
// import section, for tables, memories and globals too: a device refuses those. *id is 0 on entry.
typedef enum ag_status (*ag_wasm_resolve)(void *context, const struct ag_wasm_import *import,
                                          uint16_t *id);

struct ag_wasm_translation {
    // Takes the next `size` bytes of the image. Called strictly in sequence; the pieces may have
    // any size. A status other than AG_OK ends the translation with that status.
    enum ag_status (*write)(void *context, const void *bytes, uint32_t size);

    ag_wasm_resolve resolve; // refusing ends the translation with the status returned

    void *context; // handed to both calls

    void *scratch; // the caller's; free again after the return
    uint32_t scratch_size;
};

// What is known after a translation, successful or not.
struct ag_wasm_report {
    uint32_t image_size;   // bytes written, a multiple of 16
    uint32_t scratch_used; // most bytes of scratch in use at once
    uint32_t offset;       // after a refusal: where in the module, bytes
};

// Validates all of a module and writes its code image. `module` is borrowed until the return.
//   AG_OK                  the image is complete
//   AG_ERR_WASM_MAGIC      not a module; _MALFORMED, _INVALID: refused by the specification
//   AG_ERR_WASM_LIMIT      a limit of README.md, or scratch is too small
//   AG_ERR_WASM_SIMD ...   the feature that is not supported
//   AG_ERR_WASM_FLOAT      a float instruction, in a build without (AG_CFG_WASM_FLOAT)
//   AG_ERR_WASM_IMPORT     or what `resolve` returned; or what `write` returned
//   AG_ERR_UNSUPPORTED     this build has no translator (AG_CFG_WASM_TRANSLATOR)
// After an error the bytes written so far are useless. Time is linear in the module's size.
AG_MUST_CHECK enum ag_status ag_wasm_translate(const void *module, uint32_t module_size,
                                               const struct ag_wasm_translation *translation,
                                               struct ag_wasm_report *report);

// ---- Image ----------------------------------------------------------------------------------

// A module and its translated code, both borrowed and read in place for as long as this is used.
struct ag_wasm_image {
    const uint8_t *module;
    const uint8_t *code;
    uint32_t module_size;
    uint32_t code_size;
};

// Checks all of the image, in place and in constant memory: afterwards no bit of it, right or
// wrong, can lead the interpreter out of the instance's memory, the module and the image, as long
// as they do not change. Time is linear in the image's size. AG_ERR_WASM_STALE: not the image of
// this module by this engine, or damaged. What the code computes is not checked: whoever stores the
// image covers it with a checksum. `code` is aligned to AG_WASM_ALIGN.
AG_MUST_CHECK enum ag_status ag_wasm_image_open(struct ag_wasm_image *image, const void *module,
                                                uint32_t module_size, const void *code,
                                                uint32_t code_size);

// Asks for every import again and compares what the image has kept of the answers: the numbers
// that the host call will be given, and the slots. AG_ERR_WASM_STALE: something differs; or what
// `resolve` returned. Without this an embedder of the host call must expect any number in it.
AG_MUST_CHECK enum ag_status ag_wasm_image_resolve(const struct ag_wasm_image *image,
                                                   ag_wasm_resolve resolve, void *context);

// Finds an export. AG_ERR_WASM_EXPORT when there is none of that name and kind.
AG_MUST_CHECK enum ag_status ag_wasm_image_export(const struct ag_wasm_image *image,
                                                  const char *name, uint32_t name_size,
                                                  enum ag_wasm_kind kind, uint32_t *index);

// Calls `visit` for every export in order; stops at a status other than AG_OK and
// returns it.
typedef enum ag_status (*ag_wasm_visit_export)(void *context, struct ag_wasm_name name,
                                               enum ag_wasm_kind kind, uint32_t index);
enum ag_status ag_wasm_image_each_export(const struct ag_wasm_image *image,
                                         ag_wasm_visit_export visit, void *context);

// The type of a function, table, memory or global by index (imports come first).
// AG_ERR_ARGUMENT when the index is out of range.
AG_MUST_CHECK enum ag_status ag_wasm_image_type(const struct ag_wasm_image *image,
                                                enum ag_wasm_kind kind, uint32_t index,
                                                struct ag_wasm_extern *type);

// ---- Instance -------------------------------------------------------------------------------

struct ag_wasm_memory {
    uint8_t *base;
    uint32_t size;      // bytes now
    uint32_t capacity;  // bytes that `base` has room for; growth beyond it fails
    uint32_t max_pages; // declared maximum, or UINT32_MAX
    uint8_t page_shift; // 16 or 0
};

struct ag_wasm_table {
    uint32_t *elements; // references
    uint32_t size;      // elements now
    uint32_t capacity;  // elements that there is room for; growth beyond it fails
    uint32_t max;       // declared maximum, or UINT32_MAX
};

struct ag_wasm_instance;

// A host function. `slots` holds the arguments and takes the results, from its first slot on.
//   AG_OK              go on
//   AG_ERR_AGAIN       not ready: the run is suspended, and the call made again when it goes on
//   any other status   a trap with that status
// Linear memory is reached by ag_wasm_memory_at; it may move only by growing.
typedef enum ag_status (*ag_wasm_host_call)(void *context, struct ag_wasm_instance *instance,
                                            uint16_t id, uint32_t *slots);

// For embedders that link instances; a device gives none. Everything is borrowed for as long as
// the instance lives, in the order of the module's imports of each kind.
struct ag_wasm_links {
    struct ag_wasm_memory *memory; // the imported memory, if one is imported
    struct ag_wasm_table **tables; // imported tables
    uint32_t **globals;            // slots of imported globals
    uint16_t tag;                  // makes function references of this instance distinct, < 4096
    // Calls a function reference made by another instance; `type` is what the caller expects.
    enum ag_status (*call_foreign)(void *context, struct ag_wasm_instance *instance,
                                   uint32_t reference, const struct ag_wasm_function_type *type,
                                   uint32_t *slots);
};

struct ag_wasm_instance_options {
    uint32_t stack_size;      // bytes of the stack of locals, operands and calls
    uint32_t memory_capacity; // bytes kept for linear memory; less than its minimum means that
    uint32_t table_capacity;  // elements kept for each table; likewise
    ag_wasm_host_call call;   // may be NULL if nothing is imported
    void *context;            // handed to `call`
    const struct ag_wasm_links *links; // NULL on a device
};

// A running instance. Fields are the engine's; read them by the functions below. A copy of
// `position` may be saved in a host call and put back after a nested call on the same instance.
struct ag_wasm_position {
    uint32_t pc;    // offset in the code image of the next instruction, bytes
    uint32_t frame; // slot of the running function's frame
    uint32_t top;   // first slot that a nested call may use
    uint32_t base;  // slot of the outermost frame of this call
};

struct ag_wasm_instance {
    const struct ag_wasm_image *image;
    struct ag_wasm_memory *memory; // NULL without linear memory
    struct ag_wasm_table **tables; // by table index
    uint32_t *globals;             // slots of own globals
    uint32_t *dropped;             // one bit a data, then an element segment
    uint32_t *stack;
    ag_wasm_host_call call;
    void *context;
    const struct ag_wasm_links *links;
    uint64_t fuel_used;
    uint32_t charged; // by the host call that runs, not yet taken off the fuel
    uint32_t stack_slots;
    struct ag_wasm_position position;
};

// The exact size of the block that an instance needs.
// AG_ERR_WASM_MEMORY when it does not fit into 32 bits.
AG_MUST_CHECK enum ag_status ag_wasm_instance_size(const struct ag_wasm_image *image,
                                                   const struct ag_wasm_instance_options *options,
                                                   uint32_t *size);

// Makes an instance at the start of `block`, which holds ag_wasm_instance_size bytes aligned to
// AG_WASM_ALIGN and is the instance's until the caller stops using it; there is nothing to
// release. `image` and `options->links` are borrowed as long. Segments are copied in; the start
// function is not run yet. AG_TRAP_MEMORY, AG_TRAP_TABLE: an active segment does not fit.
AG_MUST_CHECK enum ag_status ag_wasm_instance_make(void *block, uint32_t size,
                                                   const struct ag_wasm_image *image,
                                                   const struct ag_wasm_instance_options *options,
                                                   struct ag_wasm_instance **instance);

// ---- Running --------------------------------------------------------------------------------

// Readies a call of a function by index; `args` holds its parameters in slots. A call in progress
// is abandoned unless made from within a host call, whose frames stay.
// AG_ERR_ARGUMENT: no such function, or arg_slots is not what its type needs.
// AG_TRAP_STACK: no room for its frame. AG_TRAP_CODE: the image has another type for it.
AG_MUST_CHECK enum ag_status ag_wasm_begin(struct ag_wasm_instance *instance, uint32_t function,
                                           const uint32_t *args, uint32_t arg_slots);

// Readies the start function. AG_ERR_NOT_FOUND when the module has none.
AG_MUST_CHECK enum ag_status ag_wasm_begin_start(struct ag_wasm_instance *instance);

// Runs what was begun until about `fuel` (at most INT32_MAX) units are gone.
//   AG_OK          done; results by ag_wasm_results
//   AG_ERR_AGAIN   suspended: call again to go on
//   AG_TRAP_...    trapped: the call is over; memory and globals stay as they are
// A run in slices does exactly what one run does and uses exactly as much fuel; a slice overshoots
// by at most the straight code up to the next taken branch or call.
AG_MUST_CHECK enum ag_status ag_wasm_run(struct ag_wasm_instance *instance, uint32_t fuel);

// The results of the call that is done, in slots; valid until the next begin.
const uint32_t *ag_wasm_results(const struct ag_wasm_instance *instance);

// Fuel used since the instance was made.
uint64_t ag_wasm_fuel_used(const struct ag_wasm_instance *instance);

// For a host function that runs: what it does costs so many units besides those of its call, at
// most 2^30 a call. Forgotten when it answers AG_ERR_AGAIN. So whoever calls the host in a loop
// gets no more of the processor by it than by computing.
void ag_wasm_charge(struct ag_wasm_instance *instance, uint32_t units);

// A host pointer to `size` bytes of linear memory at `address`, valid until the next run.
// AG_TRAP_MEMORY when they do not all lie within it.
AG_MUST_CHECK enum ag_status ag_wasm_memory_at(const struct ag_wasm_instance *instance,
                                               uint32_t address, uint32_t size, void **bytes);

// A global's slots, a table or the memory by index; NULL when out of range.
uint32_t *ag_wasm_global_at(const struct ag_wasm_instance *instance, uint32_t index);
struct ag_wasm_table *ag_wasm_table_at(const struct ag_wasm_instance *instance, uint32_t index);

// Where in the code image the last trap or suspension happened; 0: nowhere, there was none. Means
// something as long as the image does: the instance may be gone.
uint32_t ag_wasm_stopped_at(const struct ag_wasm_instance *instance);

// Where in the module that is.
struct ag_wasm_place {
    uint32_t function; // index, imports counted
    uint32_t offset;   // of the instruction, bytes from the module's start; 0: not known
};

// Translates that function once more, without output, to find the place; scratch as above.
//   AG_OK              the place is known
//   AG_ERR_NOT_FOUND   `stopped_at` lies in no function; *place is untouched
//   another            the function is known, the offset is 0: as of ag_wasm_translate,
//                      AG_ERR_WASM_LIMIT when scratch (NULL and 0: none) is too small, or
//                      AG_ERR_UNSUPPORTED without a translator: send `stopped_at` to who has one
//                      and the same image
AG_MUST_CHECK enum ag_status ag_wasm_find_place(const struct ag_wasm_image *image,
                                                uint32_t stopped_at, void *scratch,
                                                uint32_t scratch_size, struct ag_wasm_place *place);

static inline uint64_t ag_wasm_get_u64(const uint32_t *slots)
{
    return slots[0] | (uint64_t)slots[1] << 32;
}

static inline void ag_wasm_set_u64(uint32_t *slots, uint64_t value)
{
    slots[0] = (uint32_t)value;
    slots[1] = (uint32_t)(value >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
