// SPDX-License-Identifier: Apache-2.0
// Shared access policies: who may do what, each with two keys that are made at the first start.
#ifndef AG_HUB_POLICY_H
#define AG_HUB_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "encoding.h"
#include "sas_verify.h"

enum ag_policy_right {
    AG_POLICY_REGISTRY_READ = 1,
    AG_POLICY_REGISTRY_WRITE = 2,
    AG_POLICY_SERVICE = 4,
    AG_POLICY_DEVICE = 8,
    AG_POLICY_ENROLLMENT_READ = 16,
    AG_POLICY_ENROLLMENT_WRITE = 32,
};

#define AG_POLICY_COUNT 6

struct ag_policies {
    char keys[AG_POLICY_COUNT][2][AG_ENCODING_KEY_TEXT];
};

// A setting that is kept in the database; made by `make` when it is not there yet.
void ag_policy_setting(struct ag_db *db, const char *name, void (*make)(char *value), char *value,
                       size_t capacity);

// Reads the keys, or makes them.
void ag_policy_load(struct ag_db *db, struct ag_policies *policies);

// The primary key of `iothubowner`, which may do everything.
const char *ag_policy_owner_key(const struct ag_policies *policies);

// The rights of the policy that signed this token; 0 when none did.
int ag_policy_rights(const struct ag_policies *policies, const struct ag_sas_token *token);

#endif
