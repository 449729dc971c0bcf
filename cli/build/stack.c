// SPDX-License-Identifier: Apache-2.0
// How much stack a plug-in needs: the engine tells each function's frame of calls, its code its
// frame of C variables, the module who calls whom.
#include "cli/build/stack.h"

#include <stdlib.h>
#include <string.h>

#include "cli/buffer.h"
#include "cli/callgraph.h"
#include "wasm/wasm.h"

enum {
    FRAME_MAX = 65536, // slots, more than the engine allows
    SLOT = 4,          // bytes
};

struct prober {
    struct ag_wasm_image image;
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
static bool fits(const struct prober *prober, uint32_t function, uint32_t slots)
{
    const struct ag_wasm_instance_options options = { .stack_size = slots * SLOT };
    struct ag_wasm_instance *instance;
    struct ag_wasm_extern type;
    static const uint32_t zeros[256];
    uint32_t arguments = 0;
    if (ag_wasm_instance_make(prober->block, prober->block_size, &prober->image, &options,
                              &instance) != AG_OK ||
        ag_wasm_image_type(&prober->image, AG_WASM_FUNCTION, function, &type) != AG_OK)
        return false;
    for (uint32_t i = 0; i < type.function.param_count; i++) {
        const uint8_t value = type.function.params[i];
        arguments += value == AG_WASM_I64 || value == AG_WASM_F64 ? 2 : 1;
    }
    return arguments <= sizeof zeros / sizeof zeros[0] &&
           ag_wasm_begin(instance, function, zeros, arguments) == AG_OK;
}

// The smallest stack in which the function can begin; FRAME_MAX when there is none.
static uint32_t frame_of(const struct prober *prober, uint32_t function)
{
    uint32_t least = 0;
    uint32_t most = 16; // most frames are small: feel for an upper end first
    while (most < FRAME_MAX && !fits(prober, function, most)) {
        least = most + 1;
        most *= 2;
    }
    while (least < most) {
        const uint32_t middle = least + (most - least) / 2;
        if (fits(prober, function, middle))
            most = middle;
        else
            least = middle + 1;
    }
    return most;
}

static bool open_prober(struct prober *prober, const void *bytes, size_t size,
                        const struct ag_buffer *code)
{
    const struct ag_wasm_instance_options options = { .stack_size = FRAME_MAX * SLOT };
    if (ag_wasm_image_open(&prober->image, bytes, (uint32_t)size, code->bytes,
                           (uint32_t)code->size) != AG_OK ||
        ag_wasm_instance_size(&prober->image, &options, &prober->block_size) != AG_OK)
        return false;
    prober->block = ag_buffer_allocate(1, prober->block_size);
    return true;
}

static uint32_t import_count(const struct ag_module *module)
{
    uint32_t count = 0;
    for (size_t i = 0; i < module->import_count; i++)
        count += module->imports[i].kind == AG_MODULE_FUNCTION;
    return count;
}

bool ag_stack_calls(const void *bytes, size_t size, const struct ag_module *module,
                    uint32_t *stack_size)
{
    struct prober prober = { 0 };
    struct ag_buffer code = { 0 };
    uint32_t *frames = ag_buffer_allocate(module->function_count, sizeof *frames);
    bool bounded =
        translate(bytes, size, &code) == AG_OK && open_prober(&prober, bytes, size, &code);
    for (uint32_t i = 0; bounded && i < module->function_count; i++) {
        const uint32_t slots = frame_of(&prober, import_count(module) + i);
        frames[i] = slots < FRAME_MAX ? slots * SLOT : AG_CALLGRAPH_UNKNOWN;
    }
    bounded = bounded && ag_callgraph_heaviest(module, frames, stack_size);
    free(prober.block);
    free(frames);
    ag_buffer_clear(&code);
    return bounded;
}

// The linker makes the stack pointer its first global.
bool ag_stack_data(const struct ag_module *module, uint32_t *stack_size)
{
    if (module->frames.size / sizeof(uint32_t) != module->function_count)
        return false;
    return ag_callgraph_heaviest(module, (const void *)module->frames.bytes, stack_size);
}
