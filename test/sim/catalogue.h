// SPDX-License-Identifier: Apache-2.0
// The plug-in files of the simulation: genuine ones that are good, genuine ones that misbehave,
// and such as must never run. Made when first asked for; a path says which file it is.
#ifndef AG_TEST_SIM_CATALOGUE_H
#define AG_TEST_SIM_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "platform/crypto.h"

#define CATALOGUE_NAMES    4
#define CATALOGUE_VERSIONS 14 // from 1

// The pin that only files which must never run touch.
#define CATALOGUE_FORBIDDEN_PIN 7

// The largest "x" that VARIANT_SCHEMA takes, and what VARIANT_STORES_TORN adds.
#define CATALOGUE_X_MAX 49
#define CATALOGUE_TORN  100000000

enum catalogue_variant {
    VARIANT_GOOD,
    VARIANT_LARGE,
    VARIANT_COMPUTES,
    VARIANT_REPORTS,
    VARIANT_OLD_EPOCH, // good, with the epoch 0 whatever its version
    VARIANT_STORES,    // good, counts its runs in its own data, and traps when these are torn
    VARIANT_SCHEMA,    // good, and takes settings with an "x" of at most CATALOGUE_X_MAX only
    VARIANT_LATE,      // passes its trial and traps later, for ever
    VARIANT_TRAPS_SOON,
    VARIANT_STORES_TORN, // counts by CATALOGUE_TORN, and traps with its data torn
    VARIANT_TRAPS_AT_START,
    VARIANT_REFUSES,
    VARIANT_SPINS,
    VARIANT_POINTER,
    VARIANT_NO_EXECUTE, // from here on it must not even begin to run
    VARIANT_IMPORT,
    VARIANT_INVALID,
    VARIANT_GREEDY,
    VARIANT_CAPABILITY,
    VARIANT_OTHER_NAME,
    VARIANT_OTHER_VERSION,
    VARIANT_FORGED,
    VARIANT_UNSIGNED,
    VARIANT_TAMPERED,
    VARIANTS,
};

struct catalogue_file {
    uint8_t name; // index
    uint8_t variant;
    uint16_t version;
    uint32_t epoch;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_buffer bytes;
};

const char *catalogue_name(uint32_t index);
// The index of a name, or CATALOGUE_NAMES.
uint32_t catalogue_index(const char *name);

const struct catalogue_file *catalogue_get(uint32_t name, uint32_t version, uint32_t variant);
// As of struct sim_blob.find: "alpha-3-0".
bool catalogue_find(void *context, const char *path, const uint8_t **bytes, size_t *size);
// The file with this hash, if it was ever made; NULL: a stranger.
const struct catalogue_file *catalogue_lookup(const uint8_t sha256[AG_SHA256_SIZE]);

// Whether it may run at all, and whether it can pass a trial.
bool catalogue_may_run(const struct catalogue_file *file);
bool catalogue_can_pass(const struct catalogue_file *file);

void catalogue_clear(void);

#endif
