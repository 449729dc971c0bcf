// SPDX-License-Identifier: Apache-2.0
// The metadata of a plug-in: what a host must know before it fetches the rest (FORMATS.md 1.3).
#ifndef AG_PLUGIN_METADATA_H
#define AG_PLUGIN_METADATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "base/writer.h"

// Largest encoded metadata, bytes. A larger one is refused unread.
#define AG_METADATA_SIZE_MAX    512u
#define AG_METADATA_SECTION_MAX (1u + 2u + 9u + AG_METADATA_SIZE_MAX)

// A capability (plugin/capabilities.h) and the lowest version of it that the plug-in needs.
struct ag_capability_need {
    uint16_t id;
    uint16_t version; // from 1
};

// Bits of trial_flags. A host ignores the others.
#define AG_TRIAL_HUB 1u // the hub must be reachable while it is on trial

struct ag_plugin_metadata {
    char name[AG_CFG_NAME_MAX + 1]; // UTF-8 without control characters, at least 1 byte, NUL-ended
    uint32_t version;               // from 1; higher replaces lower
    uint32_t epoch;                 // security counter; a lower one than seen is never accepted
    uint32_t abi;                   // plug-in ABI, see plugin/abi.h
    uint32_t memory_size;           // linear memory at the start, bytes; 0 for none
    uint32_t stack_size;            // the engine's call stack, bytes
    uint32_t period_ms;             // from the start of one execute to the next; 0: not stated
    uint32_t fuel_per_run;          // budget of one call into the plug-in; 0: not stated
    uint32_t trial_runs;            // runs that a trial takes at least; 0: not stated
    uint32_t trial_ms;              // time that a trial takes at least; 0: not stated
    uint32_t trial_flags;           // AG_TRIAL_…
    uint32_t data_size;             // of its own data that the host keeps, bytes; 0: none
    const uint8_t *schema;          // of its settings; borrowed from the bytes that were read,
    uint32_t schema_size;           // and NULL where there is none
    uint32_t capability_count;
    struct ag_capability_need capabilities[AG_CFG_CAPABILITY_MAX]; // by ascending id
};

// Reads the payload of an `airgraft` section. Unknown fields are skipped; a number that is
// left out is 0. The schema stays in the bytes: it must not be used after them.
// AG_ERR_FILE_METADATA for anything broken, missing, out of range, out of order or double;
// *metadata is then undefined.
AG_MUST_CHECK enum ag_status ag_metadata_read(const void *bytes, size_t size,
                                              struct ag_plugin_metadata *metadata);

// Writes what ag_metadata_read reads, as short as it can be. The metadata must be valid: see
// ag_metadata_check. The writer's own status tells whether it fit.
void ag_metadata_write(struct ag_writer *writer, const struct ag_plugin_metadata *metadata);

// AG_ERR_FILE_METADATA when a field is outside its range.
AG_MUST_CHECK enum ag_status ag_metadata_check(const struct ag_plugin_metadata *metadata);

// AG_ERR_FILE_METADATA unless the bytes may be a plug-in's name: 1 to AG_CFG_NAME_MAX bytes of
// UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F), and not "host", which is
// what the host's own lines in the log go by.
AG_MUST_CHECK enum ag_status ag_metadata_check_name(const void *bytes, size_t size);

#endif
