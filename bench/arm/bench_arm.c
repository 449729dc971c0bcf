// SPDX-License-Identifier: Apache-2.0
// The kernels on a Cortex-M3: translated, opened and run by the engine, and compiled for the core
// itself. Counts executed instructions, checks that both give the same result, prints JSON.
//
// Made for QEMU's mps2-an385 with -icount shift=0: an instruction then takes one nanosecond of the
// board's time, and its 25 MHz timer counts every fortieth.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"
#include "wasm/wasm.h"

enum {
    ROUNDS = 2,
    SLICE = 10000, // units of fuel
    IMAGE_MAX = 65536,
    BLOCK_MAX = 1 << 20,
    INSTRUCTIONS_PER_TICK = 40,
};

struct timer { // CMSDK APB timer 0
    uint32_t control;
    uint32_t value;
    uint32_t reload;
};
static volatile struct timer *const timer = (volatile struct timer *)0x40000000;

struct figures {
    uint64_t translate;
    uint64_t open;
    uint64_t make; // the instance, its linear memory cleared
    uint64_t run;
    uint64_t native;
    uint32_t module_size;
    uint32_t image_size;
    uint32_t block_size;
    uint32_t slices;
};

static _Alignas(AG_WASM_ALIGN) uint8_t image_bytes[IMAGE_MAX];
static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
static _Alignas(AG_WASM_ALIGN) uint8_t block[BLOCK_MAX];

static void timer_start(void)
{
    timer->control = 0;
    timer->reload = UINT32_MAX;
    timer->value = UINT32_MAX;
    timer->control = 1;
}

// Instructions since the timer was started, in steps of 40.
static uint64_t timer_instructions(void)
{
    return (uint64_t)(UINT32_MAX - timer->value) * INSTRUCTIONS_PER_TICK;
}

static void must(enum ag_status status, const char *what)
{
    if (status == AG_OK)
        return;
    fprintf(stderr, "bench arm: %s: %s\n", what, ag_status_name(status));
    exit(1);
}

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    uint32_t *at = context;
    if (size > IMAGE_MAX - *at)
        return AG_ERR_NO_SPACE;
    memcpy(image_bytes + *at, bytes, size);
    *at += size;
    return AG_OK;
}

static enum ag_status refuse(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context, (void)import, (void)id;
    return AG_ERR_WASM_IMPORT;
}

static void translate(const struct module *module, struct figures *figures)
{
    uint32_t at = 0;
    struct ag_wasm_report report;
    const struct ag_wasm_translation translation = { append, refuse, &at, scratch, sizeof scratch };
    figures->module_size = (uint32_t)(module->end - module->bytes);
    timer_start();
    must(ag_wasm_translate(module->bytes, figures->module_size, &translation, &report),
         module->name);
    figures->translate = timer_instructions();
    figures->image_size = at;
}

static struct ag_wasm_instance *open_module(const struct module *module, struct figures *figures)
{
    static struct ag_wasm_image image;
    const struct ag_wasm_instance_options options = { .stack_size = 65536 };
    struct ag_wasm_instance *instance;
    timer_start();
    must(ag_wasm_image_open(&image, module->bytes, figures->module_size, image_bytes,
                            figures->image_size),
         module->name);
    figures->open = timer_instructions();
    timer_start();
    must(ag_wasm_instance_size(&image, &options, &figures->block_size), module->name);
    must(figures->block_size <= sizeof block ? AG_OK : AG_ERR_WASM_MEMORY, module->name);
    must(ag_wasm_instance_make(block, figures->block_size, &image, &options, &instance),
         module->name);
    figures->make = timer_instructions();
    return instance;
}

static uint32_t run(const struct module *module, struct figures *figures)
{
    const uint32_t rounds = ROUNDS;
    uint32_t function;
    enum ag_status status;
    translate(module, figures);
    struct ag_wasm_instance *instance = open_module(module, figures);
    timer_start();
    must(ag_wasm_image_export(instance->image, module->export, (uint32_t)strlen(module->export),
                              AG_WASM_FUNCTION, &function),
         module->name);
    must(ag_wasm_begin(instance, function, &rounds, 1), module->name);
    do {
        status = ag_wasm_run(instance, SLICE);
        figures->slices++;
    } while (status == AG_ERR_AGAIN);
    figures->run = timer_instructions();
    must(status, module->name);
    return ag_wasm_results(instance)[0];
}

static void print_count(const char *key, uint64_t value)
{
    printf(", \"%s\": %llu", key, (unsigned long long)value);
}

static void print(const struct module *module, const struct figures *figures)
{
    printf("%s\n\"%s\": {\"vs_native\": %.3f", module == modules ? "" : ",", module->name,
           (double)figures->run / (double)figures->native);
    print_count("instructions", figures->run);
    print_count("native_instructions", figures->native);
    print_count("slices", figures->slices);
    print_count("module_bytes", figures->module_size);
    print_count("image_bytes", figures->image_size);
    print_count("instance_bytes", figures->block_size);
    print_count("translate_instructions", figures->translate);
    print_count("open_instructions", figures->open);
    print_count("make_instructions", figures->make);
    printf("}");
}

int main(void)
{
    printf("{");
    for (uint32_t i = 0; i < module_count; i++) {
        struct figures figures = { 0 };
        timer_start();
        const uint32_t native = modules[i].native(ROUNDS);
        figures.native = timer_instructions();
        const uint32_t result = run(&modules[i], &figures);
        if (result != native) {
            fprintf(stderr, "bench arm: %s gives %lu, native %lu\n", modules[i].name,
                    (unsigned long)result, (unsigned long)native);
            return 1;
        }
        print(&modules[i], &figures);
    }
    printf("}\n");
    return 0;
}
