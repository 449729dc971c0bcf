// SPDX-License-Identifier: Apache-2.0
// Bytes that grow: what the builder and the signer write files into.
//
// Memory that cannot be had ends the program with an error: a command line can do nothing better.
#ifndef AG_CLI_BUFFER_H
#define AG_CLI_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct ag_buffer {
    uint8_t *bytes; // NULL while empty
    size_t size;
    size_t capacity;
};

// All zero is an empty buffer, so no init. clear releases the bytes and makes it empty again.
void ag_buffer_clear(struct ag_buffer *buffer);

// `bytes` may be NULL when size is 0, and must not lie in the buffer itself.
void ag_buffer_append(struct ag_buffer *buffer, const void *bytes, size_t size);
void ag_buffer_append_u8(struct ag_buffer *buffer, uint8_t value);
void ag_buffer_append_leb(struct ag_buffer *buffer, uint32_t value);

// calloc that ends the program instead of returning NULL.
void *ag_buffer_allocate(size_t count, size_t size);

#endif
