// SPDX-License-Identifier: Apache-2.0
// port/bare/tcp.h over a non-blocking socket to 127.0.0.1, with the troubles that a test orders.
#ifndef TEST_TCP_SOCKET_H
#define TEST_TCP_SOCKET_H

#include <stddef.h>
#include <stdint.h>

struct tcp_socket_orders {
    size_t read_max;   // bytes that one read gives, and
    size_t write_max;  // one write takes; 0: any number
    bool is_reluctant; // every other call can do nothing yet
    size_t cut_at;     // received bytes after which the peer seems to have closed; 0: never
    size_t flip_at;    // number of the received byte, from 1, whose lowest bit is wrong; 0: none
};
extern struct tcp_socket_orders tcp_socket_orders;

// Bytes received since the last connection was opened, and the first of them as they were sent.
extern size_t tcp_socket_received;
extern uint8_t tcp_socket_copy[8192];

// Waits until the connection's socket can do something, at most `wait_ms`.
struct ag_tcp;
void tcp_socket_wait(const struct ag_tcp *tcp, uint32_t wait_ms);

#endif
