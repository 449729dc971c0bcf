// SPDX-License-Identifier: Apache-2.0
// The reported properties of plug-ins' own: kept here until the hub has acknowledged them, and
// after that too, so that setting the same value again costs nothing.
#ifndef AG_HOST_PROPERTIES_H
#define AG_HOST_PROPERTIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/json_writer.h"
#include "base/status.h"
#include "host/instance.h"

struct ag_property_slot {
    uint8_t owner; // 0: free
    uint8_t type;  // enum ag_property_type
    bool is_dirty;
    bool is_in_flight;
    uint8_t key_size;
    uint8_t text_size;
    char key[AG_CFG_PROPERTY_KEY_MAX];
    char text[AG_CFG_PROPERTY_TEXT_MAX];
    int64_t number;
};

// The last slots are for those who hold few, so that a plug-in that reports under ever other keys
// leaves room for the others.
#define AG_PROPERTIES_SPARED (AG_CFG_PROPERTY_COUNT / 8u * 2u)
#define AG_PROPERTIES_FEW    (AG_CFG_PROPERTY_COUNT / 8u)

struct ag_properties {
    struct ag_property_slot slots[AG_CFG_PROPERTY_COUNT];
};

void ag_properties_init(struct ag_properties *properties);

// Sets or removes one. AG_ERR_NO_SPACE when the table is full, but for what is spared.
AG_MUST_CHECK enum ag_status ag_properties_set(struct ag_properties *properties, uint8_t owner,
                                               const struct ag_property *property);

// Forgets all of an owner's.
void ag_properties_forget(struct ag_properties *properties, uint8_t owner);

// Whether something of that owner (0: of anybody) is to be sent.
bool ag_properties_are_dirty(const struct ag_properties *properties, uint8_t owner);

// Writes members for what of that owner is to be sent and fits, and marks it as in flight.
void ag_properties_write(struct ag_properties *properties, uint8_t owner,
                         struct ag_json_writer *json);

// What is in flight has arrived, or is lost and is to be sent again.
void ag_properties_settle(struct ag_properties *properties, bool has_arrived);

// Everything is to be sent again.
void ag_properties_touch(struct ag_properties *properties);

#endif
