// SPDX-License-Identifier: Apache-2.0
// How much call stack a plug-in needs: the engine tells each function's frame, the module who calls
// whom.
#include "cli/build/stack.h"

#include <stdlib.h>
#include <string.h>

#include "cli/buffer.h"
#include "plugin/abi.h"
#include "wasm/wasm.h"

enum {
    FRAME_MAX = 65536, // slots, more than the engine allows
    SLOT = 4,          // bytes
};

// What is known of a function on the way through the calls.
struct function {
    uint32_t slots; // of its frame; then of it and all that it calls
    enum {
        UNSEEN,
        IN_PROGRESS, // met again now, it is recursive
        DONE,
    } state;
};

struct search {
    const struct ag_module *module;
    struct ag_wasm_image image;
    uint32_t import_count; // functions that are imported
    struct function *functions;
    void *block; // for an instance with the largest stack
    uint32_t block_size;
};

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    ag_buffer_append(context, bytes, size);
    return AG_OK;
}

static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context, (void)import;
    *id = 0;
    return AG_OK;
}

static enum ag_status translate(const void *bytes, size_t size, struct ag_buffer *code)
{
    struct ag_wasm_report report;
    const struct ag_wasm_translation translation = {
        .write = append,
        .resolve = resolve,
        .context = code,
        .scratch = ag_buffer_allocate(1, AG_WASM_SCRATCH),
        .scratch_size = AG_WASM_SCRATCH,
    };
    const enum ag_status status = ag_wasm_translate(bytes, (uint32_t)size, &translation, &report);
    free(translation.scratch);
    return status;
}

// Does a call of the function find room in a stack of so many slots?
static bool fits(const struct search *search, uint32_t function, uint32_t slots)
{
    const struct ag_wasm_instance_options options = { .stack_size = slots * SLOT };
    struct ag_wasm_instance *instance;
    struct ag_wasm_extern type;
    static const uint32_t zeros[256];
    uint32_t arguments = 0;
    if (ag_wasm_instance_make(search->block, search->block_size, &search->image, &options,
                              &instance) != AG_OK ||
        ag_wasm_image_type(&search->image, AG_WASM_FUNCTION, function, &type) != AG_OK)
        return false;
    for (uint32_t i = 0; i < type.function.param_count; i++) {
        const uint8_t value = type.function.params[i];
        arguments += value == AG_WASM_I64 || value == AG_WASM_F64 ? 2 : 1;
    }
    return arguments <= sizeof zeros / sizeof zeros[0] &&
           ag_wasm_begin(instance, function, zeros, arguments) == AG_OK;
}

// The smallest stack in which the function can begin; FRAME_MAX when there is none.
static uint32_t frame_of(const struct search *search, uint32_t function)
{
    uint32_t least = 0;
    uint32_t most = 16; // most frames are small: feel for an upper end first
    while (most < FRAME_MAX && !fits(search, function, most)) {
        least = most + 1;
        most *= 2;
    }
    while (least < most) {
        const uint32_t middle = least + (most - least) / 2;
        if (fits(search, function, middle))
            most = middle;
        else
            least = middle + 1;
    }
    return most;
}

// Slots of the function and of the deepest chain of calls below it. False: recursion. As deep as
// the chain is, this is deep: the builder's own stack is a megabyte and more.
static bool measure(struct search *search, uint32_t index, uint32_t *slots)
{
    *slots = 0;
    if (index < search->import_count)
        return true; // on the caller's frame
    struct function *function = &search->functions[index - search->import_count];
    if (function->state == IN_PROGRESS)
        return false;
    if (function->state == UNSEEN) {
        const struct ag_module_call *calls = (const void *)search->module->calls.bytes;
        const size_t call_count = search->module->calls.size / sizeof *calls;
        uint32_t deepest = 0;
        function->state = IN_PROGRESS;
        for (size_t i = 0; i < call_count; i++) {
            uint32_t below;
            if (calls[i].caller != index - search->import_count)
                continue;
            if (!measure(search, calls[i].callee, &below))
                return false;
            deepest = below > deepest ? below : deepest;
        }
        function->slots = frame_of(search, index) + deepest;
        function->state = DONE;
    }
    *slots = function->slots;
    return *slots < FRAME_MAX;
}

static bool measure_exports(struct search *search, uint32_t *stack_size)
{
    uint32_t most = 0;
    for (size_t i = 0; i < AG_ABI_FUNCTION_COUNT; i++) {
        uint32_t slots;
        const struct ag_module_export *export =
            ag_module_find_export(search->module, ag_abi_exports[i].name);
        if (!export)
            continue;
        if (!measure(search, export->index, &slots))
            return false;
        most = slots > most ? slots : most;
    }
    *stack_size = most * SLOT;
    return true;
}

static bool open_search(struct search *search, const void *bytes, size_t size,
                        const struct ag_buffer *code)
{
    const struct ag_wasm_instance_options options = { .stack_size = FRAME_MAX * SLOT };
    if (ag_wasm_image_open(&search->image, bytes, (uint32_t)size, code->bytes,
                           (uint32_t)code->size) != AG_OK ||
        ag_wasm_instance_size(&search->image, &options, &search->block_size) != AG_OK)
        return false;
    for (size_t i = 0; i < search->module->import_count; i++)
        search->import_count += search->module->imports[i].kind == AG_MODULE_FUNCTION;
    search->block = ag_buffer_allocate(1, search->block_size);
    search->functions =
        ag_buffer_allocate(search->module->function_count, sizeof *search->functions);
    return true;
}

bool ag_stack_bound(const void *bytes, size_t size, const struct ag_module *module,
                    uint32_t *stack_size)
{
    enum {
        SECTION_START = 8
    };
    struct search search = { .module = module };
    struct ag_buffer code = { 0 };
    const bool is_open_ended = (module->uses & (AG_MODULE_USES_TABLES | AG_MODULE_USES_UNKNOWN)) ||
                               ag_module_section(module, SECTION_START);
    const bool bounded = !is_open_ended && translate(bytes, size, &code) == AG_OK &&
                         open_search(&search, bytes, size, &code) &&
                         measure_exports(&search, stack_size);
    free(search.functions);
    free(search.block);
    ag_buffer_clear(&code);
    return bounded;
}
