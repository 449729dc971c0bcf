// SPDX-License-Identifier: Apache-2.0
// Between the parts of the made-up network: packets, and the TCP server.
#ifndef AG_TEST_WORLD_WIRE_H
#define AG_TEST_WORLD_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_TCP = 6,
    WIRE_UDP = 17,
};

// Big-endian numbers.
uint32_t wire_u16(const uint8_t *at);
uint32_t wire_u32(const uint8_t *at);
void wire_put_u16(uint8_t *at, uint32_t value);
void wire_put_u32(uint8_t *at, uint32_t value);

// Sends a TCP or UDP packet to the guest; its checksum is filled in.
void wire_send_ip(uint32_t from, uint32_t to, uint8_t protocol, uint8_t *payload, size_t size,
                  uint32_t late_ms);

// The TCP server takes a segment, does what is due, and says when it is.
void wire_take_tcp(uint32_t from, uint32_t to, const uint8_t *segment, size_t size);
void wire_run_tcp(void);
uint64_t wire_tcp_due_ms(void);

#endif
