// SPDX-License-Identifier: Apache-2.0
// Takes an https URL apart. The text comes from a twin or a server and is hostile.
#ifndef AG_BASE_URL_H
#define AG_BASE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "base/text.h"

struct ag_url {
    char host[AG_CFG_HOST_MAX + 1]; // lower case, no brackets; as ag_stream.open wants it
    bool is_ipv6;                   // host is an IPv6 literal
    uint16_t port;                  // 443 when the URL names none
    struct ag_text target;          // path and query byte for byte, borrowed from the URL; empty,
                                    // or begins with `/` or `?`. A fragment is cut off.
};

// AG_ERR_MALFORMED, with *url undefined, for anything but `https://host[:port][/…][?…][#…]`:
// another scheme, user information, an empty or odd host, port 0 or over 65535, a byte outside
// printable ASCII, white space. AG_ERR_NO_SPACE for a host longer than AG_CFG_HOST_MAX or a text
// longer than AG_CFG_URL_MAX.
AG_MUST_CHECK enum ag_status ag_url_parse(struct ag_text text, struct ag_url *url);

// Whether both lead to the same host and port.
bool ag_url_same_host(const struct ag_url *a, const struct ag_url *b);

#endif
