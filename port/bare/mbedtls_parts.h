// SPDX-License-Identifier: Apache-2.0
// What the parts of mbedTLS that the firmware replaces add to its interface.
#ifndef AG_BARE_MBEDTLS_PARTS_H
#define AG_BARE_MBEDTLS_PARTS_H

// Before each step of a handshake: it may work on one RSA signature. A chain has several, and
// mbedTLS would check all of them at once: the others wait for the next steps, and large ones take
// four, as elliptic curves do.
void ag_mbedtls_parts_begin_step(void);

#endif
