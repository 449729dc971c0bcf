// SPDX-License-Identifier: Apache-2.0
// Bytes that grow.
#include "cli/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "cli/cli.h"

static void *require_memory(void *memory)
{
    if (!memory)
        exit(ag_output_fail("close other programs", "out of memory"));
    return memory;
}

void *ag_buffer_allocate(size_t count, size_t size)
{
    return require_memory(calloc(count > 0 ? count : 1, size));
}

void ag_buffer_clear(struct ag_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct ag_buffer){ 0 };
}

void ag_buffer_append(struct ag_buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    if (size > buffer->capacity - buffer->size) {
        size_t capacity = 2 * buffer->capacity + 256;
        if (capacity - buffer->size < size)
            capacity = buffer->size + size;
        buffer->bytes = require_memory(realloc(buffer->bytes, capacity));
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void ag_buffer_append_u8(struct ag_buffer *buffer, uint8_t value)
{
    ag_buffer_append(buffer, &value, 1);
}

void ag_buffer_append_leb(struct ag_buffer *buffer, uint32_t value)
{
    uint8_t bytes[5];
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, sizeof bytes);
    ag_writer_leb_u32(&writer, value);
    ag_buffer_append(buffer, bytes, writer.size);
}
