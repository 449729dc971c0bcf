// SPDX-License-Identifier: Apache-2.0
// Translates a module without imports into a file, for the tests of an engine without translator.
//   wasm_translate MODULE IMAGE
#include <stdio.h>

#include "wasm/wasm.h"

static enum ag_status write_file(void *context, const void *bytes, uint32_t size)
{
    return fwrite(bytes, 1, size, context) == size ? AG_OK : AG_ERR_IO;
}

int main(int argc, char **argv)
{
    static uint8_t module[1 << 20];
    static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = in ? fopen(argv[2], "wb") : NULL;
    if (!out) {
        fprintf(stderr, "usage: wasm_translate MODULE IMAGE\n");
        return 2;
    }
    const struct ag_wasm_translation how = {
        .write = write_file, .context = out, .scratch = scratch, .scratch_size = sizeof scratch
    };
    struct ag_wasm_report report;
    const enum ag_status status =
        ag_wasm_translate(module, (uint32_t)fread(module, 1, sizeof module, in), &how, &report);
    fclose(in);
    if (fclose(out) != 0 || status != AG_OK) {
        fprintf(stderr, "wasm_translate: %s\n", ag_status_text(status));
        return 1;
    }
    return 0;
}
