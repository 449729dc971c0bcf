// SPDX-License-Identifier: Apache-2.0
// A relay on this machine that counts the bytes it passes on: what a protocol puts on the wire, TLS
// included, without the heads of TCP and IP.
#ifndef AG_BENCH_RELAY_H
#define AG_BENCH_RELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    BENCH_RELAY_CONNECTIONS = 16, // at a time
};

struct bench_relay_pair {
    int client; // -1: free
    int server;
};

struct bench_relay {
    pthread_t thread;
    uint16_t port;   // where it listens, on 127.0.0.1
    uint16_t target; // where it passes on to, on 127.0.0.1
    int listener;    // -1: not open
    int stop[2];     // a pipe: what is written ends the thread
    struct bench_relay_pair pairs[BENCH_RELAY_CONNECTIONS];
    atomic_ullong up; // bytes from whoever connected
    atomic_ullong down;
    atomic_uint connections; // so far
};

// Listens on a free port. False with the error printed; then there is nothing to close.
bool bench_relay_open(struct bench_relay *relay, uint16_t target);
// Ends all connections. Does nothing when it is not open.
void bench_relay_close(struct bench_relay *relay);

#endif
