// SPDX-License-Identifier: Apache-2.0
// Runs one export of a WebAssembly file: src/wasm and src/base are all it needs.
//   engine FILE EXPORT [NUMBER...]      numbers are i32; the file may import env.print(i32)
#include <stdio.h>
#include <stdlib.h>

#include "wasm/wasm.h"

#define SLICE 10000 // units of fuel between two chances to do something else

static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
static _Alignas(AG_WASM_ALIGN) uint8_t code[1u << 20]; // on a device: flash
static uint8_t module[1u << 20];

static void must(const char *what, enum ag_status status)
{
    if (status == AG_OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, ag_status_text(status), ag_status_name(status));
    exit(1);
}

// The sink of the translation. On a device this programs flash.
static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    uint32_t *used = context;
    if (size > sizeof code - *used)
        return AG_ERR_NO_SPACE;
    memcpy(code + *used, bytes, size);
    *used += size;
    return AG_OK;
}

// Offers one function, env.print(i32). The id is what host_call is asked with.
static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    const struct ag_wasm_function_type *type = &import->type.function;
    (void)context;
    if (import->type.kind != AG_WASM_FUNCTION || import->field.size != 5 ||
        memcmp(import->field.text, "print", 5) != 0 || type->param_count != 1 ||
        type->params[0] != AG_WASM_I32 || type->result_count != 0)
        return AG_ERR_WASM_IMPORT;
    *id = 1;
    return AG_OK;
}

static enum ag_status host_call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                                uint32_t *slots)
{
    (void)context, (void)instance, (void)id; // there is only one
    printf("print %d\n", (int)slots[0]);
    return AG_OK;
}

// Runs what was begun, in slices, and says where it trapped if it did.
static void run(struct ag_wasm_instance *instance)
{
    enum ag_status status;
    uint32_t slices = 0;
    do {
        status = ag_wasm_run(instance, SLICE);
        slices++;
    } while (status == AG_ERR_AGAIN); // here a device looks after its other work
    printf("%u slices, %u units of fuel\n", slices, (unsigned)ag_wasm_fuel_used(instance));
    struct ag_wasm_place place;
    if (status != AG_OK && ag_wasm_find_place(instance->image, ag_wasm_stopped_at(instance),
                                              scratch, sizeof scratch, &place) == AG_OK)
        printf("trap in function %u at byte %u\n", place.function, place.offset);
    must("run", status);
}

int main(int argc, char **argv)
{
    uint32_t code_size = 0, instance_size, function, args[8], count = 0;
    const struct ag_wasm_translation how = { append, resolve, &code_size, scratch, sizeof scratch };
    const struct ag_wasm_instance_options options = { .stack_size = 4096, .call = host_call };
    struct ag_wasm_report report;
    struct ag_wasm_image image;
    struct ag_wasm_instance *instance;
    FILE *file = argc < 3 ? NULL : fopen(argv[1], "rb");
    if (!file)
        must("usage: engine FILE EXPORT [NUMBER...]", AG_ERR_ARGUMENT);
    const uint32_t module_size = (uint32_t)fread(module, 1, sizeof module, file);
    fclose(file);

    const enum ag_status status = ag_wasm_translate(module, module_size, &how, &report);
    if (status != AG_OK)
        printf("refused at byte %u\n", report.offset);
    must(argv[1], status);
    must("open", ag_wasm_image_open(&image, module, module_size, code, code_size));
    must("size", ag_wasm_instance_size(&image, &options, &instance_size)); // exact
    void *block = malloc(instance_size);
    must("memory", block ? AG_OK : AG_ERR_NO_SPACE);
    must("make", ag_wasm_instance_make(block, instance_size, &image, &options, &instance));
    printf("%u bytes of module, %u of code, %u of RAM\n", module_size, code_size, instance_size);

    if (ag_wasm_begin_start(instance) == AG_OK) // AG_ERR_NOT_FOUND: it has no start function
        run(instance);
    must(argv[2], ag_wasm_image_export(&image, argv[2], (uint32_t)strlen(argv[2]), AG_WASM_FUNCTION,
                                       &function));
    for (; count < 8 && argv[3 + count]; count++)
        args[count] = (uint32_t)strtol(argv[3 + count], NULL, 0);
    must("arguments", ag_wasm_begin(instance, function, args, count));
    run(instance);
    printf("result %d\n", (int)ag_wasm_results(instance)[0]);
    free(block);
    return 0;
}
