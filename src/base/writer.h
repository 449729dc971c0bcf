// SPDX-License-Identifier: Apache-2.0
// Bounds-checked writer into the caller's bytes.
//
// The error sticks: a write that does not fit writes nothing, and all later ones neither.
#ifndef AG_BASE_WRITER_H
#define AG_BASE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ag_writer {
    uint8_t *start;        // the caller's storage; borrowed
    size_t capacity;       // its size in bytes
    size_t size;           // bytes written so far
    enum ag_status status; // AG_OK, or AG_ERR_NO_SPACE
};

void ag_writer_init(struct ag_writer *writer, void *storage, size_t capacity);

void ag_writer_u8(struct ag_writer *writer, uint8_t value);
void ag_writer_u16le(struct ag_writer *writer, uint16_t value);
void ag_writer_u32le(struct ag_writer *writer, uint32_t value);
void ag_writer_u64le(struct ag_writer *writer, uint64_t value);
void ag_writer_u16be(struct ag_writer *writer, uint16_t value);
void ag_writer_leb_u32(struct ag_writer *writer, uint32_t value);
void ag_writer_bytes(struct ag_writer *writer, const void *bytes, size_t size);

// Text without its terminating NUL.
void ag_writer_text(struct ag_writer *writer, const char *text);
// Decimal digits, with a minus sign where needed.
void ag_writer_decimal(struct ag_writer *writer, int64_t value);

// Appends a NUL (not counted in size) and returns the text, or "" after an error.
const char *ag_writer_finish_text(struct ag_writer *writer);

#endif
