// SPDX-License-Identifier: Apache-2.0
// The plug-in files of the simulation.
#include "test/sim/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "plugin/capabilities.h"
#include "test/unit/host/modules.h"

static const char *const names[CATALOGUE_NAMES] = { "alpha", "beta", "gamma", "delta" };

// FORMATS 1.6: "x", a whole number that must be there, and no other member.
static const uint8_t schema[] = { 1, 1, 1, 'x', 0x32, 0, CATALOGUE_X_MAX };

static struct catalogue_file files[CATALOGUE_NAMES][CATALOGUE_VERSIONS + 1][VARIANTS];

const char *catalogue_name(uint32_t index)
{
    return names[index];
}

uint32_t catalogue_index(const char *name)
{
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return CATALOGUE_NAMES;
}

// Of a version whose entry is gone: it may have to wait for days, until windows of others open.
#define PERIOD_MS 60000

static struct module describe(const struct catalogue_file *file)
{
    struct module module = { .name = names[file->name],
                             .version = file->version,
                             .epoch = file->epoch,
                             .pin = file->name,
                             .period_ms = PERIOD_MS };
    if (file->variant >= VARIANT_NO_EXECUTE)
        module.pin = CATALOGUE_FORBIDDEN_PIN;
    switch ((enum catalogue_variant)file->variant) {
    case VARIANT_GOOD:
    case VARIANT_OLD_EPOCH:
    case VARIANT_TAMPERED:
    case VARIANTS:
        break;
    case VARIANT_LARGE:
        module.behaviour = MODULE_LARGE;
        module.argument = 9000;
        break;
    case VARIANT_COMPUTES:
        module.behaviour = MODULE_COMPUTES;
        module.argument = 1500;
        break;
    case VARIANT_REPORTS:
        module.behaviour = MODULE_REPORTS;
        break;
    case VARIANT_STORES_TORN:
        module.traps_in = 1;
        module.behaviour = MODULE_STORES;
        module.argument = CATALOGUE_TORN;
        module.capability = AG_CAPABILITY_STORE;
        module.data_size = 64;
        break;
    case VARIANT_STORES:
        module.behaviour = MODULE_STORES;
        module.argument = 1;
        module.capability = AG_CAPABILITY_STORE;
        module.data_size = 64;
        break;
    case VARIANT_SCHEMA:
        module.behaviour = MODULE_REPORTS;
        module.schema = schema;
        module.schema_size = sizeof schema;
        break;
    case VARIANT_LATE:
        module.behaviour = MODULE_TRAPS_LATER;
        module.argument = 12;
        break;
    case VARIANT_TRAPS_SOON:
        module.behaviour = MODULE_TRAPS_LATER;
        module.argument = 1;
        break;
    case VARIANT_TRAPS_AT_START:
        module.behaviour = MODULE_TRAPS_AT_START;
        break;
    case VARIANT_REFUSES:
        module.behaviour = MODULE_REFUSES;
        break;
    case VARIANT_SPINS:
        module.behaviour = MODULE_SPINS;
        module.fuel_per_run = 20000;
        break;
    case VARIANT_POINTER:
        module.behaviour = MODULE_HOSTILE_POINTER;
        break;
    case VARIANT_NO_EXECUTE:
        module.behaviour = MODULE_NO_EXECUTE;
        break;
    case VARIANT_IMPORT:
        module.behaviour = MODULE_UNKNOWN_IMPORT;
        break;
    case VARIANT_INVALID:
        module.behaviour = MODULE_INVALID;
        break;
    case VARIANT_GREEDY:
        module.memory_size = 1024 * 1024;
        break;
    case VARIANT_CAPABILITY:
        module.capability = 4; // adc: there is none
        break;
    case VARIANT_OTHER_NAME:
        module.name = names[(file->name + 1) % CATALOGUE_NAMES];
        break;
    case VARIANT_OTHER_VERSION:
        module.version++;
        break;
    case VARIANT_FORGED:
        module.key = 9;
        break;
    case VARIANT_UNSIGNED:
        module.unsigned_ = true;
        break;
    }
    return module;
}

const struct catalogue_file *catalogue_get(uint32_t name, uint32_t version, uint32_t variant)
{
    struct catalogue_file *file = &files[name][version][variant];
    if (file->bytes.size > 0)
        return file;
    file->name = (uint8_t)name;
    file->version = (uint16_t)version;
    file->variant = (uint8_t)variant;
    file->epoch = variant == VARIANT_OLD_EPOCH ? 0 : version / 5;
    struct module module = describe(file);
    module_build(&file->bytes, &module);
    if (variant == VARIANT_TAMPERED) // in the last data segment, before the delimiter
        file->bytes.bytes[file->bytes.size - 45] ^= 1;
    ag_crypto_sha256(file->bytes.bytes, file->bytes.size, file->sha256);
    return file;
}

bool catalogue_find(void *context, const char *path, const uint8_t **bytes, size_t *size)
{
    char name[16];
    unsigned version;
    unsigned variant;
    (void)context;
    if (sscanf(path, "%15[a-z]-%u-%u", name, &version, &variant) != 3)
        return false;
    uint32_t index = catalogue_index(name);
    if (index == CATALOGUE_NAMES || version < 1 || version > CATALOGUE_VERSIONS ||
        variant >= VARIANTS)
        return false;
    const struct catalogue_file *file = catalogue_get(index, version, variant);
    *bytes = file->bytes.bytes;
    *size = file->bytes.size;
    return true;
}

const struct catalogue_file *catalogue_lookup(const uint8_t sha256[AG_SHA256_SIZE])
{
    const struct catalogue_file *file = &files[0][0][0];
    for (size_t i = 0; i < sizeof files / sizeof *file; i++, file++)
        if (file->bytes.size > 0 && memcmp(file->sha256, sha256, AG_SHA256_SIZE) == 0)
            return file;
    return NULL;
}

bool catalogue_may_run(const struct catalogue_file *file)
{
    return file->variant < VARIANT_NO_EXECUTE;
}

bool catalogue_can_pass(const struct catalogue_file *file)
{
    return file->variant <= VARIANT_LATE;
}

void catalogue_clear(void)
{
    struct catalogue_file *file = &files[0][0][0];
    for (size_t i = 0; i < sizeof files / sizeof *file; i++, file++)
        ag_buffer_clear(&file->bytes);
}
