// SPDX-License-Identifier: Apache-2.0
// The trust store objects of the simulation.
#include "test/sim/trusts.h"

#include <stdio.h>
#include <string.h>

#include "test/unit/host/modules.h"

#define STRANGER 9

static struct trust_file files[TRUSTS_EPOCHS + 1][TRUST_KINDS];

static void make(struct trust_file *file)
{
    struct module_trust_plan plan = { .epoch = file->epoch,
                                      .authorities = { 1 },
                                      .signers = { 1 },
                                      .plugin_keys = { MODULE_KEY },
                                      .roots = { TRUSTS_HUB_ROOT, TRUSTS_STORAGE_ROOT },
                                      .ballast = file->kind };
    switch ((enum trust_kind)file->kind) {
    case TRUST_GOOD:
    case TRUST_TAMPERED:
    case TRUST_KINDS:
        break;
    case TRUST_NO_HUB:
        plan.roots[0] = STRANGER;
        break;
    case TRUST_NO_STORAGE:
        plan.roots[1] = STRANGER;
        break;
    case TRUST_UNUSABLE:
        plan.root_is_none = true;
        break;
    case TRUST_STRANGER: // what the forged plug-ins of the catalogue are signed with
        plan.authorities[0] = STRANGER;
        plan.signers[0] = STRANGER;
        plan.plugin_keys[0] = STRANGER;
        break;
    case TRUST_OTHER_EPOCH:
        plan.epoch++;
        break;
    }
    module_trust_make(&file->bytes, &plan);
    if (file->kind == TRUST_TAMPERED) // in a root
        file->bytes.bytes[file->bytes.size / 2] ^= 1;
}

const struct trust_file *trusts_get(uint32_t epoch, uint32_t kind)
{
    struct trust_file *file = &files[epoch][kind];
    if (file->bytes.size > 0)
        return file;
    file->epoch = (uint8_t)epoch;
    file->kind = (uint8_t)kind;
    make(file);
    ag_crypto_sha256(file->bytes.bytes, file->bytes.size, file->sha256);
    return file;
}

bool trusts_find(const char *path, const uint8_t **bytes, size_t *size)
{
    unsigned epoch;
    unsigned kind;
    if (sscanf(path, "trust-%u-%u", &epoch, &kind) != 2 || epoch < 1 || epoch > TRUSTS_EPOCHS ||
        kind >= TRUST_KINDS)
        return false;
    const struct trust_file *file = trusts_get(epoch, kind);
    *bytes = file->bytes.bytes;
    *size = file->bytes.size;
    return true;
}

const struct trust_file *trusts_lookup(const uint8_t sha256[AG_SHA256_SIZE])
{
    const struct trust_file *file = &files[0][0];
    for (size_t i = 0; i < sizeof files / sizeof *file; i++, file++)
        if (file->bytes.size > 0 && memcmp(file->sha256, sha256, AG_SHA256_SIZE) == 0)
            return file;
    return NULL;
}

void trusts_clear(void)
{
    struct trust_file *file = &files[0][0];
    for (size_t i = 0; i < sizeof files / sizeof *file; i++, file++)
        ag_buffer_clear(&file->bytes);
}
