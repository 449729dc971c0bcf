// SPDX-License-Identifier: Apache-2.0
// A growing buffer of bytes with the numbers of the binary format, and random numbers from a seed.
#ifndef AG_TEST_DIFFER_BYTES_H
#define AG_TEST_DIFFER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *at; // owned
    uint32_t size;
    uint32_t capacity;
};

// A buffer begins as zeros. Memory that runs out ends the program.
void bytes_clear(struct bytes *bytes);
void bytes_put(struct bytes *bytes, const void *from, uint32_t size);
void bytes_put_u8(struct bytes *bytes, uint32_t value);
void bytes_put_leb(struct bytes *bytes, uint64_t value);
void bytes_put_signed_leb(struct bytes *bytes, int64_t value);
// The size of `from`, then `from`; and with a section's number before it.
void bytes_put_sized(struct bytes *bytes, const struct bytes *from);
void bytes_put_section(struct bytes *bytes, uint8_t id, const struct bytes *from);

// Splitmix64: the same numbers on each machine.
struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t limit);
bool random_percent(struct random *random, uint32_t percent);

#endif
