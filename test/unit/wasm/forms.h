// SPDX-License-Identifier: Apache-2.0
// Which instructions of the bytecode a test's modules were translated to.
#ifndef AG_TEST_WASM_FORMS_H
#define AG_TEST_WASM_FORMS_H

#include "engine.h"

// Notes the instructions of the image that the engine holds.
void forms_note(const struct engine *engine);

// Fails unless each instruction whose name begins with one of the `count` prefixes was noted.
void forms_check(const char *const *prefixes, size_t count);

#endif
