// SPDX-License-Identifier: Apache-2.0
// The generator of recorded TLS connections: xorshift64*, which is good enough for a bench.
#include "tls_recording.h"

void tls_recording_seed(uint64_t *state, uint32_t connection)
{
    *state = 0x9e3779b97f4a7c15u * (connection + 1);
}

void tls_recording_random(uint64_t *state, void *bytes, uint32_t size)
{
    uint8_t *at = bytes;
    while (size-- > 0) {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        *at++ = (uint8_t)(*state * 0x2545f4914f6cdd1du >> 56);
    }
}
