// SPDX-License-Identifier: Apache-2.0
// Fuzz target of plugin/schema.h: the size of a schema in a byte, the schema, then settings.
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plugin/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || bytes[0] > size - 1 || bytes[0] == 0)
        return 0;
    const size_t schema_size = bytes[0];
    uint8_t *schema = malloc(schema_size); // exact, so that the sanitizer sees a byte read too many
    memcpy(schema, bytes + 1, schema_size);
    const struct ag_text settings = { (const char *)bytes + 1 + schema_size,
                                      size - 1 - schema_size };
    if (ag_schema_check(schema, schema_size) == AG_OK) {
        struct ag_schema_fault fault = { .reason = NULL };
        struct ag_schema_member member;
        const enum ag_status status = ag_schema_judge(schema, schema_size, settings, &fault);
        FUZZ_CHECK(status == AG_OK || status == AG_ERR_SETTINGS_SCHEMA);
        FUZZ_CHECK((status == AG_OK) == !fault.reason);
        FUZZ_CHECK(memchr(fault.member, 0, sizeof fault.member) != NULL);
        (void)ag_schema_find(schema, schema_size, settings, &member);
    }
    free(schema);
    return 0;
}
