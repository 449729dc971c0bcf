// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986, section 2.1), upper-case digits.
#ifndef AG_BASE_PERCENT_H
#define AG_BASE_PERCENT_H

#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"

// What a URI component leaves as it is, besides letters and digits.
#define AG_PERCENT_URI "-._~"

// ASCII letters, digits and the characters in `keep` stay; every other byte becomes %XX.
void ag_percent_encode(struct ag_writer *out, struct ag_text text, const char *keep);

// %XX becomes its byte, all else stays (`+` too). AG_ERR_MALFORMED for a `%` without two
// hexadecimal digits: nothing more is written then. Room is told by the writer's own status.
AG_MUST_CHECK enum ag_status ag_percent_decode(struct ag_writer *out, struct ag_text text);

#endif
