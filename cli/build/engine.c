// SPDX-License-Identifier: Apache-2.0
// Asks the engine about a finished file.
#include "cli/build/engine.h"

#include <stdlib.h>

#include "cli/buffer.h"
#include "wasm/wasm.h"

static enum ag_status forget(void *context, const void *bytes, uint32_t size)
{
    (void)context, (void)bytes, (void)size;
    return AG_OK;
}

static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    *id = 0;
    return import->type.kind == AG_WASM_FUNCTION ? AG_OK : AG_ERR_WASM_IMPORT;
}

enum ag_status ag_engine_check(const void *bytes, size_t size, uint32_t *code_size,
                               uint32_t *offset)
{
    struct ag_wasm_report report = { 0 };
    const struct ag_wasm_translation translation = {
        .write = forget,
        .resolve = resolve,
        .scratch = ag_buffer_allocate(1, AG_WASM_SCRATCH),
        .scratch_size = AG_WASM_SCRATCH,
    };
    const enum ag_status status = ag_wasm_translate(bytes, (uint32_t)size, &translation, &report);
    free(translation.scratch);
    *code_size = report.image_size;
    *offset = report.offset;
    return status;
}
