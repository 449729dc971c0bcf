// SPDX-License-Identifier: Apache-2.0
// Dates of HTTP (RFC 9110, 5.6.7).
#ifndef AG_HTTP_HTTP_DATE_H
#define AG_HTTP_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970 UTC; the two obsolete forms are not read.
// The name of the day is not compared with the date. False, with *seconds untouched, for anything
// else.
bool ag_http_date_parse(struct ag_text text, int64_t *seconds);

#endif
