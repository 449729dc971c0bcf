// SPDX-License-Identifier: Apache-2.0
// Walks the sections of a WebAssembly binary without looking into the standard ones.
//
// Lengths must be encoded in as few bytes as possible: tools that re-encode a section before they
// hash it then hash the very bytes of the file.
#ifndef AG_PLUGIN_SECTIONS_H
#define AG_PLUGIN_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/status.h"

#define AG_SECTIONS_SIGNATURE "signature"
#define AG_SECTIONS_METADATA  "airgraft"
#define AG_SECTIONS_DELIMITER "signature_delimiter"

// Bytes of a delimiter's payload, and of a whole delimiter section.
#define AG_SECTIONS_DELIMITER_PAYLOAD 16u
#define AG_SECTIONS_DELIMITER_SIZE    38u

struct ag_section {
    uint8_t id;          // 0: custom
    size_t offset;       // of its first byte, from where the reader began
    size_t size;         // with its header
    const uint8_t *body; // behind the header; borrowed
    size_t body_size;
    const char *name; // of a custom section, not NUL-ended; NULL for a standard one
    size_t name_size;
    const uint8_t *payload; // behind the name; for a standard section the same as body
    size_t payload_size;
};

// Reads the 8 bytes that begin every module: AG_ERR_WASM_MAGIC, or AG_ERR_TRUNCATED.
AG_MUST_CHECK enum ag_status ag_sections_begin(struct ag_reader *reader);

// Reads the header of the next section alone and tells its id and the size of its body, as far
// as there are bytes for it. AG_ERR_TRUNCATED, or AG_ERR_WASM_MALFORMED.
AG_MUST_CHECK enum ag_status ag_sections_header(struct ag_reader *reader, uint8_t *id,
                                                uint32_t *body_size);

// Reads the next section. AG_ERR_TRUNCATED when it is not all there; AG_ERR_WASM_MALFORMED for a
// length that is not well encoded, or a custom section without a name.
AG_MUST_CHECK enum ag_status ag_sections_next(struct ag_reader *reader, struct ag_section *section);

// True for a custom section of this name.
bool ag_sections_is(const struct ag_section *section, const char *name);

#endif
