// SPDX-License-Identifier: Apache-2.0
// A module read from a file and translated into memory.
#include "wasm_file.h"

#include <stdio.h>
#include <stdlib.h>

void *wasm_file_scratch(uint32_t *size)
{
    static _Alignas(AG_WASM_ALIGN) uint8_t scratch[1 << 20];
    *size = sizeof scratch;
    return scratch;
}

enum ag_status wasm_file_read(struct wasm_file *file, const char *path)
{
    memset(file, 0, sizeof *file);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return AG_ERR_IO;
    enum ag_status status = AG_ERR_IO;
    size_t capacity = 65536;
    size_t size = 0;
    file->module = malloc(capacity);
    while (file->module) {
        size += fread(file->module + size, 1, capacity - size, stream);
        if (size < capacity) {
            status = ferror(stream) ? AG_ERR_IO : AG_OK;
            break;
        }
        if (capacity >= 1u << 30)
            break;
        capacity *= 2;
        uint8_t *larger = realloc(file->module, capacity);
        if (!larger)
            break;
        file->module = larger;
    }
    fclose(stream);
    file->module_size = (uint32_t)size;
    if (status != AG_OK)
        wasm_file_close(file);
    return status;
}

struct sink {
    struct wasm_file *file;
    wasm_file_resolve resolve;
    void *context;
};

static enum ag_status append(void *context, const void *bytes, uint32_t size)
{
    struct wasm_file *file = ((struct sink *)context)->file;
    if (size > file->code_capacity - file->code_size) {
        const uint32_t capacity = (file->code_capacity + size) * 2;
        uint8_t *larger = realloc(file->code, capacity);
        if (!larger)
            return AG_ERR_NO_SPACE;
        file->code = larger;
        file->code_capacity = capacity;
    }
    memcpy(file->code + file->code_size, bytes, size);
    file->code_size += size;
    return AG_OK;
}

static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    const struct sink *sink = context;
    return sink->resolve ? sink->resolve(sink->context, import, id) : AG_ERR_WASM_IMPORT;
}

enum ag_status wasm_file_translate(struct wasm_file *file, wasm_file_resolve resolver,
                                   void *context)
{
    struct sink sink = { file, resolver, context };
    struct ag_wasm_translation translation = { append, resolve, &sink, NULL, 0 };
    translation.scratch = wasm_file_scratch(&translation.scratch_size);
    file->code_size = 0;
    enum ag_status status =
        ag_wasm_translate(file->module, file->module_size, &translation, &file->report);
    if (status == AG_OK)
        status = ag_wasm_image_open(&file->image, file->module, file->module_size, file->code,
                                    file->code_size);
    return status;
}

void wasm_file_close(struct wasm_file *file)
{
    free(file->code);
    free(file->module);
    memset(file, 0, sizeof *file);
}
