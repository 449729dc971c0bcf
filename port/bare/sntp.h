// SPDX-License-Identifier: Apache-2.0
// The time from one server by SNTP (RFC 4330), told to ag_net_on_time. Nobody vouches for it: an
// answer only has to come from the asked address, repeat a random number of the question, and lie
// behind this release. So it is a guess; port/bare/board.c says what may be done with one.
#ifndef AG_BARE_SNTP_H
#define AG_BARE_SNTP_H

#include <stdbool.h>
#include <stdint.h>

// `server` is a name or an address, borrowed until the end; NULL: nobody is asked. `port` 0: 123.
void ag_sntp_start(const char *server, uint16_t port);
// Asks when it is due. Only while there is a network.
void ag_sntp_poll(uint64_t now_ms);
// When ag_sntp_poll is due; UINT64_MAX: never.
uint64_t ag_sntp_due_ms(void);
bool ag_sntp_has_time(void);

#endif
