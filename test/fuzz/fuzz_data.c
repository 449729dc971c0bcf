// SPDX-License-Identifier: Apache-2.0
// Fuzz target of host/data.h: pairs as they were found on flash. What is accepted can be listed,
// read, written again and taken out, pair by pair.
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "fuzz.h"
#include "host/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char key[AG_DATA_KEY_MAX];
    struct ag_text found;
    struct ag_text value;
    if (size > AG_CFG_DATA_MAX)
        return 0;
    struct ag_data *data = ag_data_init(malloc(ag_data_ram((uint32_t)size)), (uint32_t)size);
    memcpy(data->bytes + AG_DATA_HEAD, bytes, size);
    if (ag_data_accept(data, (uint32_t)size) != AG_OK) {
        FUZZ_CHECK(data->size == 0);
        free(data);
        return 0;
    }
    FUZZ_CHECK(data->size == size);
    while (ag_data_key(data, 0, &found) == AG_OK) {
        FUZZ_CHECK(found.size >= 1 && found.size <= sizeof key);
        memcpy(key, found.at, found.size);
        found.at = key;
        FUZZ_CHECK(ag_data_get(data, found, &value) == AG_OK);
        FUZZ_CHECK(ag_data_set(data, found, (struct ag_text){ key, 0 }) == AG_OK);
        FUZZ_CHECK(ag_data_get(data, found, &value) == AG_OK && value.size == 0);
        FUZZ_CHECK(ag_data_remove(data, found) == AG_OK);
    }
    FUZZ_CHECK(data->size == 0);
    free(data);
    return 0;
}
