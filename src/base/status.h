// SPDX-License-Identifier: Apache-2.0
// Every outcome a fallible function can return, with its number, name, text and hint.
//
// Numbers go out in twin reports and scripts depend on them: never renumber, never reuse.
// A status describes a lie or a failure from outside; a bug of ours is an assertion.
#ifndef AG_BASE_STATUS_H
#define AG_BASE_STATUS_H

#include <stdint.h>

#include "base/status_table.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AG_STATUS_ENUM(symbol, number, name, text, hint) AG_##symbol = number,
enum ag_status {
    AG_STATUS_TABLE(AG_STATUS_ENUM)
};
#undef AG_STATUS_ENUM

// The caller must look at the status that such a function returns.
#define AG_MUST_CHECK __attribute__((warn_unused_result))

// All three return static strings, never NULL; for a number that is not in the table, those of
// AG_ERR_UNKNOWN. The name is a stable identifier, the text says what happened, and the hint
// what a person can do about it ("" for AG_OK). Without AG_CFG_STATUS_TEXTS the text is the name
// and each hint "".
const char *ag_status_name(enum ag_status status);
const char *ag_status_text(enum ag_status status);
const char *ag_status_hint(enum ag_status status);

#ifdef __cplusplus
}
#endif

#endif
