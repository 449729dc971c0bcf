// SPDX-License-Identifier: Apache-2.0
// Shared access policies.
#include "policy.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"

static const struct {
    const char *name;
    int rights;
} policies_table[AG_POLICY_COUNT] = {
    { "iothubowner", AG_POLICY_REGISTRY_READ | AG_POLICY_REGISTRY_WRITE | AG_POLICY_SERVICE |
                         AG_POLICY_DEVICE | AG_POLICY_ENROLLMENT_READ |
                         AG_POLICY_ENROLLMENT_WRITE },
    { "service", AG_POLICY_SERVICE },
    { "device", AG_POLICY_DEVICE },
    { "registryRead", AG_POLICY_REGISTRY_READ },
    { "registryReadWrite", AG_POLICY_REGISTRY_READ | AG_POLICY_REGISTRY_WRITE },
    { "provisioningserviceowner", AG_POLICY_ENROLLMENT_READ | AG_POLICY_ENROLLMENT_WRITE },
};

void ag_policy_setting(struct ag_db *db, const char *name, void (*make)(char *value), char *value,
                       size_t capacity)
{
    sqlite3_stmt *row = ag_db_read(db, "SELECT value FROM settings WHERE name = ?", "t", name);
    if (ag_db_next(db, row)) {
        ag_db_copy_text(row, 0, value, capacity);
        ag_db_finish(row);
        return;
    }
    make(value);
    (void)ag_db_write(db, "INSERT INTO settings VALUES (?, ?)", "tt", name, value);
}

void ag_policy_load(struct ag_db *db, struct ag_policies *policies)
{
    for (size_t i = 0; i < AG_POLICY_COUNT; i++) {
        for (size_t j = 0; j < 2; j++) {
            char name[64];
            snprintf(name, sizeof name, "policy/%s/%s", policies_table[i].name,
                     j == 0 ? "primary" : "secondary");
            ag_policy_setting(db, name, ag_encoding_new_key, policies->keys[i][j],
                              sizeof policies->keys[i][j]);
        }
    }
}

const char *ag_policy_owner_key(const struct ag_policies *policies)
{
    return policies->keys[0][0];
}

int ag_policy_rights(const struct ag_policies *policies, const struct ag_sas_token *token)
{
    for (size_t i = 0; i < AG_POLICY_COUNT; i++) {
        if (strcmp(token->policy, policies_table[i].name) == 0 &&
            (ag_sas_verify_signed_by(token, policies->keys[i][0]) ||
             ag_sas_verify_signed_by(token, policies->keys[i][1])))
            return policies_table[i].rights;
    }
    return 0;
}
