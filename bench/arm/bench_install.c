// SPDX-License-Identifier: Apache-2.0
// What taking in a plug-in file costs on a Cortex-M3, without flash and network: proving its head,
// hashing all of it, validating and translating. Reads the file and the signer's key through
// semihosting. Prints JSON.
//
// Made for QEMU's mps2-an385 with -icount shift=0, as bench_arm.c is.
#include <stdio.h>
#include <stdlib.h>

#include "platform/crypto.h"
#include "plugin/file.h"
#include "wasm/wasm.h"

enum {
    FILE_MAX = 65536,
    INSTRUCTIONS_PER_TICK = 40,
};

struct timer { // CMSDK APB timer 0
    uint32_t control;
    uint32_t value;
    uint32_t reload;
};
static volatile struct timer *const timer = (volatile struct timer *)0x40000000;

static uint8_t file[FILE_MAX];
static _Alignas(AG_WASM_ALIGN) uint8_t scratch[AG_WASM_SCRATCH];

static void timer_start(void)
{
    timer->control = 0;
    timer->reload = UINT32_MAX;
    timer->value = UINT32_MAX;
    timer->control = 1;
}

// Instructions since the timer was started, in steps of 40.
static unsigned long long timer_instructions(void)
{
    return (unsigned long long)(UINT32_MAX - timer->value) * INSTRUCTIONS_PER_TICK;
}

static void must(enum ag_status status, const char *what)
{
    if (status == AG_OK)
        return;
    fprintf(stderr, "bench arm: %s: %s\n", what, ag_status_name(status));
    exit(1);
}

static uint32_t read_file(const char *path, void *bytes, size_t capacity)
{
    FILE *stream = fopen(path, "rb");
    const size_t size = stream ? fread(bytes, 1, capacity, stream) : 0;
    if (stream)
        fclose(stream);
    must(size > 0 && size < capacity ? AG_OK : AG_ERR_IO, path);
    return (uint32_t)size;
}

static enum ag_status count(void *context, const void *bytes, uint32_t size)
{
    (void)bytes;
    *(uint32_t *)context += size;
    return AG_OK;
}

static enum ag_status refuse(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context, (void)import, (void)id;
    return AG_ERR_WASM_IMPORT;
}

int main(void)
{
    uint8_t key[AG_ED25519_KEY_SIZE + 1];
    uint8_t sha256[AG_SHA256_SIZE];
    uint32_t code_size = 0;
    struct ag_plugin_head head;
    struct ag_file_proof proof;
    struct ag_wasm_report report;
    const struct ag_wasm_translation translation = { count, refuse, &code_size, scratch,
                                                     sizeof scratch };
    const uint32_t size = read_file("plugin.wasm", file, sizeof file);
    must(read_file("key", key, sizeof key) == AG_ED25519_KEY_SIZE ? AG_OK : AG_ERR_MALFORMED,
         "key");
    const struct ag_key_list keys = { key, 1 };

    timer_start();
    must(ag_file_head_check(file, size, &keys, &head), "the head");
    const unsigned long long of_head = timer_instructions();
    timer_start();
    ag_file_proof_init(&proof, file, &head);
    while (!ag_file_proof_step(&proof, size, size))
        continue;
    must(ag_file_proof_finish(&proof, size, sha256), "the file");
    const unsigned long long of_hashes = timer_instructions();
    timer_start();
    must(ag_wasm_translate(file, size, &translation, &report), "the module");
    const unsigned long long of_translation = timer_instructions();
    printf("{\"file_bytes\": %lu, \"code_bytes\": %lu, \"head_instructions\": %llu, "
           "\"hash_instructions\": %llu, \"translate_instructions\": %llu}\n",
           (unsigned long)size, (unsigned long)code_size, of_head, of_hashes, of_translation);
    return 0;
}
