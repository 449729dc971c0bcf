// SPDX-License-Identifier: Apache-2.0
// Fuzz target of provisioning/provisioning.h: a partition as it stands in flash. The CRC is made
// right first, so that what it covers is reached. What is read can be written, and reads the same.
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "fuzz.h"
#include "provisioning/provisioning.h"

enum {
    HEAD = 16,
    SIZE_AT = 8,
    CRC_AT = 12,
};

static void make_crc_right(uint8_t *bytes, size_t size)
{
    if (size < HEAD)
        return;
    uint32_t body = 0;
    for (size_t i = 0; i < 4; i++)
        body |= (uint32_t)bytes[SIZE_AT + i] << 8 * i;
    if (body > size - HEAD)
        return;
    const uint32_t crc = ag_crc32_update(0, bytes + HEAD, body);
    for (size_t i = 0; i < 4; i++)
        bytes[CRC_AT + i] = (uint8_t)(crc >> 8 * i);
}

static uint32_t hash_of(const struct ag_provisioning *values)
{
    const char *texts[] = {
        values->connection_string, values->id_scope,
        values->registration_id,   values->key,
        values->dps_host,          values->address,
        values->gateway,           values->dns,
        values->time_server,       values->host_name,
        values->wifi_name,         values->wifi_password,
    };
    uint32_t hash = FUZZ_HASH_START;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i])
            hash = fuzz_hash(fuzz_hash_number(hash, i), texts[i], strlen(texts[i]));
    }
    const uint64_t numbers[] = { values->key_is_group,   values->dps_port, values->hub_port,
                                 values->one_connection, values->dns_port, values->time_port,
                                 values->trust_size };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        hash = fuzz_hash_number(hash, numbers[i]);
    return fuzz_hash(hash, values->trust, values->trust_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ag_provisioning values;
    struct ag_provisioning again;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    make_crc_right(copy, size);
    if (ag_provisioning_read(copy, (uint32_t)size, &values) == AG_OK) {
        uint8_t *written = malloc(size);
        FUZZ_CHECK(written);
        FUZZ_CHECK(ag_provisioning_write(&values, written, (uint32_t)size) == AG_OK);
        FUZZ_CHECK(ag_provisioning_read(written, (uint32_t)size, &again) == AG_OK);
        FUZZ_CHECK(hash_of(&again) == hash_of(&values));
        FUZZ_CHECK(!ag_provisioning_missing(&values) == !ag_provisioning_missing(&again));
        free(written);
    }
    free(copy);
    return 0;
}
