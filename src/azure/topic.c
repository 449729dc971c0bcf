// SPDX-License-Identifier: Apache-2.0
// Topics of answers.
#include "azure/topic.h"

#include <string.h>

bool ag_topic_parse_answer(struct ag_text topic, const char *prefix, uint16_t *status,
                           struct ag_text *properties)
{
    uint64_t number;
    if (!ag_text_starts_with(topic, prefix))
        return false;
    struct ag_text rest = ag_text_after(topic, strlen(prefix));
    struct ag_text code = ag_text_split(&rest, '?');
    if (code.size > 0 && code.at[code.size - 1] == '/')
        code.size--;
    if (code.size != 3 || !ag_text_decimal(code, 999, &number))
        return false;
    *status = (uint16_t)number;
    *properties = rest;
    return true;
}

struct ag_text ag_topic_property(struct ag_text properties, const char *key)
{
    const struct ag_text none = { NULL, 0 };
    while (properties.size > 0) {
        struct ag_text value = ag_text_split(&properties, '&');
        const struct ag_text name = ag_text_split(&value, '=');
        if (ag_text_equals(name, key))
            return value;
    }
    return none;
}
