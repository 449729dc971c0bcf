// SPDX-License-Identifier: Apache-2.0
// Makes trust store objects (FORMATS.md 2).
#ifndef AG_CLI_TRUSTFILE_H
#define AG_CLI_TRUSTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "cli/keyfile.h"
#include "plugin/trust.h"

// What an object shall hold. All borrowed.
struct ag_trustfile_plan {
    uint32_t epoch;
    uint32_t threshold;
    const uint8_t *authority_keys; // one after the other
    size_t authority_count;
    const uint8_t *plugin_keys; // likewise
    size_t plugin_count;
    const struct ag_buffer *roots; // DER
    size_t root_count;
    const struct ag_keyfile *signers; // private keys that sign it
    size_t signer_count;
};

// Appends the object to `out`. The counts must be within the limits of plugin/trust.h; whether the
// object is valid is for ag_trust_read to say.
void ag_trustfile_make(const struct ag_trustfile_plan *plan, struct ag_buffer *out);

// Appends the certificates of a PEM file as DER buffers to roots[*count…] and counts them. Prints
// the error and returns false when there is none, or more than fit.
bool ag_trustfile_read_roots(const char *path, struct ag_buffer roots[AG_TRUST_ROOT_MAX],
                             size_t *count);

#endif
