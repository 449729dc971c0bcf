// SPDX-License-Identifier: Apache-2.0
// What ag-wasm and ag-spec share: a module read from a file and translated into memory.
#ifndef AG_CLI_WASM_FILE_H
#define AG_CLI_WASM_FILE_H

#include "wasm/wasm.h"

struct wasm_file {
    uint8_t *module; // owned
    uint32_t module_size;
    uint8_t *code; // owned; aligned to AG_WASM_ALIGN
    uint32_t code_size;
    uint32_t code_capacity;
    struct ag_wasm_image image;
    struct ag_wasm_report report;
};

// Reads a file; AG_ERR_IO with errno set.
enum ag_status wasm_file_read(struct wasm_file *file, const char *path);

typedef enum ag_status (*wasm_file_resolve)(void *context, const struct ag_wasm_import *import,
                                            uint16_t *id);

// Translates what was read and opens the image.
enum ag_status wasm_file_translate(struct wasm_file *file, wasm_file_resolve resolve,
                                   void *context);

void wasm_file_close(struct wasm_file *file);

// Room for translation as large as any real module needs; one for the program.
void *wasm_file_scratch(uint32_t *size);

#endif
