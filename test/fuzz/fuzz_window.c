// SPDX-License-Identifier: Apache-2.0
// Fuzz target of host/window.h: a clock of eight bytes, then the text of a Window.
#include <string.h>

#include "fuzz.h"
#include "host/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ag_window window = { .is_set = false };
    int64_t unix_s;
    if (size < sizeof unix_s)
        return 0;
    memcpy(&unix_s, bytes, sizeof unix_s);
    const struct ag_text text = { (const char *)bytes + sizeof unix_s, size - sizeof unix_s };
    if (ag_window_parse(text, &window) != AG_OK) {
        FUZZ_CHECK(!window.is_set);
        return 0;
    }
    FUZZ_CHECK(window.is_set && window.days != 0 && window.days <= 0x7F);
    FUZZ_CHECK(window.from_min < 1440 && window.size_min >= 1 && window.size_min <= 1440);
    const uint32_t wait_s = ag_window_wait_s(&window, true, unix_s);
    FUZZ_CHECK(wait_s <= 604800);
    if (wait_s > 0 && unix_s < INT64_MAX - 604800)
        FUZZ_CHECK(ag_window_wait_s(&window, true, unix_s + wait_s) == 0);
    return 0;
}
