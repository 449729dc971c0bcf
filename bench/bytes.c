// SPDX-License-Identifier: Apache-2.0
// What a plug-in costs in bytes: in its file, and in RAM.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/signing.h"
#include "host/instance.h"
#include "host/plugins.h"
#include "plugin/sections.h"

// Bytes of the sections of this name, each with its header.
static size_t section_bytes(const struct ag_buffer *file, const char *name)
{
    struct ag_reader reader;
    struct ag_section section;
    size_t total = 0;
    ag_reader_init(&reader, file->bytes, file->size);
    if (ag_sections_begin(&reader) != AG_OK)
        return 0;
    while (ag_sections_next(&reader, &section) == AG_OK) {
        if (ag_sections_is(&section, name))
            total += section.size;
    }
    return total;
}

struct code {
    uint64_t bytes[8192]; // aligned as code has to be
    uint32_t size;
};

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    struct code *code = context;
    if (size > sizeof code->bytes - code->size)
        return AG_ERR_NO_SPACE;
    memcpy((uint8_t *)code->bytes + code->size, bytes, size);
    code->size += size;
    return AG_OK;
}

// The block that an instance of the file needs, all included.
static enum ag_status instance_bytes(const struct ag_buffer *file, uint32_t stack_size,
                                     struct code *code, uint32_t *size)
{
    uint64_t scratch[AG_WASM_SCRATCH / 8];
    struct ag_wasm_report report;
    struct ag_wasm_image image;
    const struct ag_wasm_translation translation = {
        .write = write_code,
        .resolve = ag_instance_resolve,
        .context = code,
        .scratch = scratch,
        .scratch_size = sizeof scratch,
    };
    enum ag_status status =
        ag_wasm_translate(file->bytes, (uint32_t)file->size, &translation, &report);
    if (status == AG_OK)
        status =
            ag_wasm_image_open(&image, file->bytes, (uint32_t)file->size, code->bytes, code->size);
    if (status == AG_OK)
        status = ag_instance_check_exports(&image);
    if (status == AG_OK)
        status = ag_instance_size(&image, stack_size, size);
    return status;
}

// The shipped blinky as the build made it, signed.
static bool open_blinky(const struct ag_keyfile *key, struct ag_plugin_metadata *metadata,
                        struct ag_buffer *file)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t size;
    struct ag_signing_file parts;
    if (!ag_input_read(bench_path(path, bench_build_folder(), "plugins/blinky-10.wasm"),
                       AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return false;
    enum ag_status status = ag_signing_open(bytes, size, &parts);
    if (status == AG_OK)
        status = ag_signing_add(&parts, key, file);
    if (status == AG_OK)
        *metadata = parts.metadata;
    else
        ag_output_fail_status(status, "cannot sign %s", path);
    free(bytes);
    return status == AG_OK;
}

bool bench_bytes(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures)
{
    struct ag_plugin_metadata metadata;
    struct ag_buffer file = { 0 };
    uint32_t ram = 0;
    (void)folder; // nothing is written
    (void)quick;  // it is quick
    struct code *code = calloc(1, sizeof *code);
    bool done = code && open_blinky(key, &metadata, &file);
    if (done) {
        const enum ag_status status = instance_bytes(&file, metadata.stack_size, code, &ram);
        const size_t overhead = section_bytes(&file, AG_SECTIONS_SIGNATURE) +
                                section_bytes(&file, AG_SECTIONS_METADATA);
        const size_t delimiters = section_bytes(&file, AG_SECTIONS_DELIMITER);
        done = status == AG_OK && overhead > AG_ED25519_SIGN_SIZE;
        if (status != AG_OK)
            ag_output_fail_status(status, "blinky cannot be run");
        json_object_set_new(figures, "file_overhead_bytes", json_integer((json_int_t)overhead));
        json_object_set_new(figures, "file_delimiter_bytes", json_integer((json_int_t)delimiters));
        json_object_set_new(figures, "blinky_file_bytes", json_integer((json_int_t)file.size));
        json_object_set_new(figures, "blinky_code_bytes", json_integer(code->size));
        json_object_set_new(figures, "blinky_ram_bytes", json_integer(ram));
        json_object_set_new(figures, "host_entry_bytes", json_integer(sizeof(struct ag_plugin)));
    }
    ag_buffer_clear(&file);
    free(code);
    return done;
}
