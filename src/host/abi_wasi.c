// SPDX-License-Identifier: Apache-2.0
// The part of wasi_snapshot_preview1 that toolchains emit by themselves: no arguments, no
// environment, clocks, random bytes, exit, and standard output to the log.
#include "host/abi.h"
#include "platform/board.h"

// WASI's errno.
#define ERRNO_SUCCESS 0u
#define ERRNO_BADF    8u
#define ERRNO_INVAL   28u

#define CLOCK_REALTIME  0u
#define CLOCK_MONOTONIC 1u

// More pieces, and more bytes, in one fd_write are not written; the call says how much was.
#define IOV_MAX   16u
#define WRITE_MAX 256u

static void put_u32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

enum ag_status ag_abi_wasi_nothing_get(struct ag_instance *instance, uint32_t *slots)
{
    (void)instance;
    slots[0] = ERRNO_SUCCESS;
    return AG_OK;
}

enum ag_status ag_abi_wasi_sizes_get(struct ag_instance *instance, uint32_t *slots)
{
    for (unsigned i = 0; i < 2; i++) {
        void *bytes;
        enum ag_status status = ag_abi_bytes(instance, slots[i], 4, &bytes);
        if (status != AG_OK)
            return status;
        put_u32(bytes, 0);
    }
    slots[0] = ERRNO_SUCCESS;
    return AG_OK;
}

enum ag_status ag_abi_wasi_clock_time_get(struct ag_instance *instance, uint32_t *slots)
{
    void *bytes;
    enum ag_status status = ag_abi_bytes(instance, slots[3], 8, &bytes);
    if (status != AG_OK)
        return status;
    uint64_t nanoseconds = ag_board_uptime_ms() * 1000000u;
    if (slots[0] == CLOCK_REALTIME) {
        int64_t seconds;
        (void)ag_board_unix_time(&seconds);
        nanoseconds = (uint64_t)seconds * 1000000000u;
    }
    bool is_known = slots[0] == CLOCK_REALTIME || slots[0] == CLOCK_MONOTONIC;
    if (is_known) {
        put_u32(bytes, (uint32_t)nanoseconds);
        put_u32((uint8_t *)bytes + 4, (uint32_t)(nanoseconds >> 32));
    }
    slots[0] = is_known ? ERRNO_SUCCESS : ERRNO_INVAL;
    return AG_OK;
}

// A line on its way to the log, put together from pieces.
struct line {
    const struct ag_instance *instance;
    size_t size;
    char text[160];
};

static void end_line(struct line *line)
{
    if (line->size > 0)
        ag_abi_log(line->instance, AG_LOG_INFO, line->text, line->size);
    line->size = 0;
}

static void add_to_line(struct line *line, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || line->size == sizeof line->text)
            end_line(line);
        if (bytes[i] != '\n')
            line->text[line->size++] = (char)bytes[i];
    }
}

enum ag_status ag_abi_wasi_fd_write(struct ag_instance *instance, uint32_t *slots)
{
    uint32_t count = slots[2] < IOV_MAX ? slots[2] : IOV_MAX;
    void *vectors;
    void *written;
    enum ag_status status = ag_abi_bytes(instance, slots[1], count * 8, &vectors);
    if (status == AG_OK)
        status = ag_abi_bytes(instance, slots[3], 4, &written);
    if (status != AG_OK)
        return status;
    if (slots[0] != 1 && slots[0] != 2) {
        slots[0] = ERRNO_BADF;
        return AG_OK;
    }
    struct line line = { .instance = instance };
    uint32_t total = 0;
    for (uint32_t i = 0; i < count && total < WRITE_MAX; i++) {
        const uint8_t *vector = (const uint8_t *)vectors + 8 * i;
        uint32_t size = get_u32(vector + 4);
        void *bytes;
        status = ag_abi_bytes(instance, get_u32(vector), size, &bytes);
        if (status != AG_OK)
            return status;
        if (size > WRITE_MAX - total)
            size = WRITE_MAX - total;
        add_to_line(&line, bytes, size);
        total += size;
    }
    end_line(&line);
    put_u32(written, total);
    slots[0] = ERRNO_SUCCESS;
    return AG_OK;
}

enum ag_status ag_abi_wasi_proc_exit(struct ag_instance *instance, uint32_t *slots)
{
    (void)instance;
    (void)slots;
    return AG_TRAP_EXIT;
}

enum ag_status ag_abi_wasi_random_get(struct ag_instance *instance, uint32_t *slots)
{
    enum ag_status status = ag_abi_random_fill(instance, slots);
    slots[0] = ERRNO_SUCCESS;
    return status;
}
