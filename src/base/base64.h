// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, section 4: `+` and `/`, padded). For keys, so its time does not depend on a
// table look-up by secret value.
#ifndef AG_BASE_BASE64_H
#define AG_BASE_BASE64_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "base/writer.h"

// Characters that `size` bytes become.
#define AG_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

void ag_base64_encode(struct ag_writer *out, const void *bytes, size_t size);

// Decodes to `bytes` and sets *size. AG_ERR_MALFORMED for a foreign character, wrong padding or
// set bits after the last byte; AG_ERR_NO_SPACE when the result exceeds `capacity`. On failure
// *size is untouched and the content of `bytes` is undefined.
AG_MUST_CHECK enum ag_status ag_base64_decode(struct ag_text text, void *bytes, size_t capacity,
                                              size_t *size);

#endif
