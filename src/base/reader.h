// SPDX-License-Identifier: Apache-2.0
// Bounds-checked reader over borrowed bytes, for everything that comes from outside.
//
// The error sticks: after the first failed read every further read returns zero (or NULL) and
// moves nothing, so a parser reads like its format and asks once at the end.
#ifndef AG_BASE_READER_H
#define AG_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ag_reader {
    const uint8_t *start;  // first byte given to init; borrowed
    const uint8_t *at;     // next byte to read
    const uint8_t *end;    // one past the last byte
    enum ag_status status; // AG_OK, or the first error
};

// `bytes` may be NULL when size is 0; it must outlive the reader.
void ag_reader_init(struct ag_reader *reader, const void *bytes, size_t size);

// Records `status` unless an earlier error is recorded already.
void ag_reader_fail(struct ag_reader *reader, enum ag_status status);

// Bytes left to read; 0 after an error.
size_t ag_reader_left(const struct ag_reader *reader);

// Bytes read so far.
size_t ag_reader_offset(const struct ag_reader *reader);

// Fixed-size integers. AG_ERR_TRUNCATED when too few bytes are left.
uint8_t ag_reader_u8(struct ag_reader *reader);
uint16_t ag_reader_u16le(struct ag_reader *reader);
uint32_t ag_reader_u32le(struct ag_reader *reader);
uint64_t ag_reader_u64le(struct ag_reader *reader);
uint16_t ag_reader_u16be(struct ag_reader *reader);

// LEB128 as the WebAssembly core specification 2.0 (5.2.2) restricts it: at most ceil(N/7) bytes
// and no set bit beyond N. AG_ERR_MALFORMED for a breach, AG_ERR_TRUNCATED at the end of bytes.
uint32_t ag_reader_leb_u32(struct ag_reader *reader);
int32_t ag_reader_leb_s32(struct ag_reader *reader);
int64_t ag_reader_leb_s33(struct ag_reader *reader);
int64_t ag_reader_leb_s64(struct ag_reader *reader);

// The next `size` bytes, borrowed from the input, or NULL with AG_ERR_TRUNCATED.
// For size 0 the result is a valid pointer that must not be read through, NULL after an error.
const uint8_t *ag_reader_bytes(struct ag_reader *reader, size_t size);

// A reader over the next `size` bytes, which are skipped here. Both fail when too few are left.
struct ag_reader ag_reader_sub(struct ag_reader *reader, size_t size);

#endif
