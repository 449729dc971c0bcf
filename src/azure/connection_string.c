// SPDX-License-Identifier: Apache-2.0
// Connection strings: parts between semicolons, each cut at its first `=` (keys end in `=`).
#include "azure/connection_string.h"

#include <stdbool.h>

static char to_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

static bool is_named(struct ag_text name, const char *other)
{
    size_t i = 0;
    while (i < name.size && other[i] && to_lower(name.at[i]) == to_lower(other[i]))
        i++;
    return i == name.size && other[i] == 0;
}

static struct ag_text *find_part(struct ag_connection_string *parts, struct ag_text name)
{
    struct {
        const char *name;
        struct ag_text *value;
    } known[] = {
        { "HostName", &parts->host_name },         { "DeviceId", &parts->device_id },
        { "SharedAccessKeyName", &parts->policy }, { "SharedAccessKey", &parts->shared_access_key },
        { "GatewayHostName", &parts->gateway },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (is_named(name, known[i].name))
            return known[i].value;
    }
    return NULL;
}

enum ag_status ag_connection_string_parse(struct ag_text text, struct ag_connection_string *parts)
{
    struct ag_connection_string found = { 0 };
    while (text.size > 0) {
        struct ag_text value = ag_text_split(&text, ';');
        if (value.size == 0)
            continue;
        const struct ag_text name = ag_text_split(&value, '=');
        if (!value.at)
            return AG_ERR_MALFORMED;
        struct ag_text *part = find_part(&found, name);
        if (!part)
            continue;
        if (part->at)
            return AG_ERR_MALFORMED;
        *part = value;
    }
    if (found.host_name.size == 0 || found.shared_access_key.size == 0)
        return AG_ERR_MALFORMED;
    *parts = found;
    return AG_OK;
}
