// SPDX-License-Identifier: Apache-2.0
// What a server sent in TLS connections, recorded on the host and played to the board: everything
// the client does is made to repeat, its random numbers too, so that the server's answers fit.
//
// A file is a row of recordings, as they lie in memory of a little-endian machine.
#ifndef BENCH_TLS_RECORDING_H
#define BENCH_TLS_RECORDING_H

#include <stdint.h>

enum {
    TLS_RECORDING_ANCHOR_MAX = 2048,
    TLS_RECORDING_BYTES_MAX = 24576,
    TLS_RECORDING_CONNECTIONS = 2, // the second one resumes
};

struct tls_recording {
    char name[32];
    uint32_t anchor_size;
    uint8_t anchor[TLS_RECORDING_ANCHOR_MAX]; // the certificate to trust
    uint32_t sizes[TLS_RECORDING_CONNECTIONS];
    uint8_t bytes[TLS_RECORDING_CONNECTIONS][TLS_RECORDING_BYTES_MAX];
};

// The client's part: connects, sends a byte, and reads what comes back until the server closes.
#define TLS_RECORDING_HOST "localhost"

// The next bytes of the generator that both have; `tls_recording_seed` begins a connection.
void tls_recording_seed(uint64_t *state, uint32_t connection);
void tls_recording_random(uint64_t *state, void *bytes, uint32_t size);

#endif
