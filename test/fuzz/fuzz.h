// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: input cut into pieces, and a hash of what was told.
//
// Each target reads its input twice, once whole and once in the pieces that the first byte of the
// input decides, and aborts when the two tell different things. A piece is a block of memory of its
// own size, so that AddressSanitizer sees every read beyond it.
#ifndef AG_TEST_FUZZ_FUZZ_H
#define AG_TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

// FNV-1a.
#define FUZZ_HASH_START 2166136261u
uint32_t fuzz_hash(uint32_t hash, const void *bytes, size_t size);
uint32_t fuzz_hash_number(uint32_t hash, uint64_t number);

// Takes one piece; returns false to stop.
typedef int fuzz_feed(void *context, const uint8_t *bytes, size_t size);

// Feeds everything at once when `cut` is 0, else in pieces of pseudo-random size from 1 to 16.
void fuzz_pieces(const uint8_t *bytes, size_t size, uint8_t cut, fuzz_feed *feed, void *context);

// Ends the program, for the fuzzer to notice, when the condition does not hold.
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
