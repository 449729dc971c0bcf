// SPDX-License-Identifier: Apache-2.0
// The engine built without its translator: it runs code that was translated elsewhere.
#include "kernels.h"
#include "test/harness.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <stdlib.h>

struct kernel {
    const char *name;
    uint32_t (*native)(uint32_t n);
};
#define KERNEL_ROW(name) { #name, kernel_##name },
static const struct kernel kernels[] = { KERNELS(KERNEL_ROW) };

static _Alignas(AG_WASM_ALIGN) uint8_t module[1 << 16];
static _Alignas(AG_WASM_ALIGN) uint8_t code[1 << 17];
static struct ag_wasm_image image;
static const struct ag_wasm_instance_options options = { .stack_size = 4096 };

static uint32_t read_file(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    const uint32_t size = (uint32_t)fread(bytes, 1, capacity, file);
    fclose(file);
    CHECK(size > 0 && size < capacity);
    return size;
}

static void open_image(void)
{
    const uint32_t module_size = read_file(KERNELS_WASM, module, sizeof module);
    const uint32_t code_size = read_file(KERNELS_IMAGE, code, sizeof code);
    CHECK_EQUAL(ag_wasm_image_open(&image, module, module_size, code, code_size), AG_OK);
}

static void *make(struct ag_wasm_instance **instance)
{
    uint32_t size;
    CHECK_EQUAL(ag_wasm_instance_size(&image, &options, &size), AG_OK);
    void *block = malloc(size);
    CHECK(block != NULL);
    CHECK_EQUAL(ag_wasm_instance_make(block, size, &image, &options, instance), AG_OK);
    return block;
}

static void kernels_translated_elsewhere_agree_with_native_code(void)
{
    open_image();
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        struct ag_wasm_instance *instance;
        uint32_t function;
        const uint32_t n = 2;
        test_note("%s", kernels[i].name);
        void *block = make(&instance);
        CHECK_EQUAL(ag_wasm_image_export(&image, kernels[i].name, (uint32_t)strlen(kernels[i].name),
                                         AG_WASM_FUNCTION, &function),
                    AG_OK);
        CHECK_EQUAL(ag_wasm_begin(instance, function, &n, 1), AG_OK);
        enum ag_status status;
        do {
            status = ag_wasm_run(instance, 500);
        } while (status == AG_ERR_AGAIN);
        CHECK_EQUAL(status, AG_OK);
        CHECK_EQUAL(ag_wasm_results(instance)[0], kernels[i].native(n));
        free(block);
    }
}

static void translating_is_not_supported_and_of_a_place_only_the_function_is_found(void)
{
    static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
    open_image();
    struct ag_wasm_translation how = { .scratch = scratch, .scratch_size = sizeof scratch };
    struct ag_wasm_report report = { 1, 2, 3 };
    CHECK_EQUAL(ag_wasm_translate(module, image.module_size, &how, &report), AG_ERR_UNSUPPORTED);
    CHECK_EQUAL(report.image_size, 0);
    struct ag_wasm_instance *instance;
    struct ag_wasm_place place = { 99, 99 };
    void *block = make(&instance);
    const uint32_t n = 100;
    uint32_t function;
    CHECK_EQUAL(ag_wasm_image_export(&image, kernels[0].name, (uint32_t)strlen(kernels[0].name),
                                     AG_WASM_FUNCTION, &function),
                AG_OK);
    CHECK_EQUAL(ag_wasm_begin(instance, function, &n, 1), AG_OK);
    CHECK_EQUAL(
        ag_wasm_find_place(&image, ag_wasm_stopped_at(instance), scratch, sizeof scratch, &place),
        AG_ERR_UNSUPPORTED);
    CHECK_EQUAL(place.function, function);
    CHECK_EQUAL(place.offset, 0);
    CHECK_EQUAL(ag_wasm_find_place(&image, 0, scratch, sizeof scratch, &place), AG_ERR_NOT_FOUND);
    free(block);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(kernels_translated_elsewhere_agree_with_native_code),
        TEST(translating_is_not_supported_and_of_a_place_only_the_function_is_found),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
