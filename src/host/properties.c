// SPDX-License-Identifier: Apache-2.0
// The reported properties of plug-ins' own.
#include "host/properties.h"

#include <string.h>

#include "azure/twin.h"

void ag_properties_init(struct ag_properties *properties)
{
    memset(properties, 0, sizeof *properties);
}

static struct ag_property_slot *find(struct ag_properties *properties, uint8_t owner,
                                     struct ag_text key)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        struct ag_property_slot *slot = &properties->slots[i];
        if (slot->owner == owner && slot->key_size == key.size &&
            memcmp(slot->key, key.at, key.size) == 0)
            return slot;
    }
    return NULL;
}

// Whether the owner may take one more slot: the last ones are for those who hold few.
static bool has_room_for(const struct ag_properties *properties, uint8_t owner)
{
    uint32_t taken = 0;
    uint32_t own = 0;
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        taken += properties->slots[i].owner != 0;
        own += properties->slots[i].owner == owner;
    }
    return own < AG_PROPERTIES_FEW || taken < AG_CFG_PROPERTY_COUNT - AG_PROPERTIES_SPARED;
}

static struct ag_property_slot *make(struct ag_properties *properties, uint8_t owner,
                                     struct ag_text key)
{
    if (!has_room_for(properties, owner))
        return NULL;
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        struct ag_property_slot *slot = &properties->slots[i];
        if (slot->owner != 0)
            continue;
        memset(slot, 0, sizeof *slot);
        slot->owner = owner;
        slot->type = AG_PROPERTY_REMOVED;
        slot->key_size = (uint8_t)key.size;
        memcpy(slot->key, key.at, key.size);
        return slot;
    }
    return NULL;
}

enum ag_status ag_properties_set(struct ag_properties *properties, uint8_t owner,
                                 const struct ag_property *property)
{
    struct ag_property_slot *slot = find(properties, owner, property->key);
    if (!slot && property->type == AG_PROPERTY_REMOVED)
        return AG_OK;
    if (!slot)
        slot = make(properties, owner, property->key);
    if (!slot)
        return AG_ERR_NO_SPACE;
    bool is_same =
        slot->type == property->type && slot->number == property->number &&
        slot->text_size == property->text.size &&
        (slot->text_size == 0 || memcmp(slot->text, property->text.at, slot->text_size) == 0);
    if (is_same)
        return AG_OK;
    slot->type = (uint8_t)property->type;
    slot->number = property->number;
    slot->text_size = (uint8_t)property->text.size;
    if (slot->text_size > 0)
        memcpy(slot->text, property->text.at, slot->text_size);
    slot->is_dirty = true;
    return AG_OK;
}

void ag_properties_forget(struct ag_properties *properties, uint8_t owner)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++)
        if (properties->slots[i].owner == owner)
            properties->slots[i].owner = 0;
}

bool ag_properties_are_dirty(const struct ag_properties *properties, uint8_t owner)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        const struct ag_property_slot *slot = &properties->slots[i];
        if (slot->owner != 0 && slot->is_dirty && (owner == 0 || slot->owner == owner))
            return true;
    }
    return false;
}

static void write_slot(const struct ag_property_slot *slot, struct ag_json_writer *json)
{
    struct ag_text key = { slot->key, slot->key_size };
    struct ag_text text = { slot->text, slot->text_size };
    ag_twin_write_key(json, key);
    switch ((enum ag_property_type)slot->type) {
    case AG_PROPERTY_REMOVED:
        ag_json_writer_null(json);
        break;
    case AG_PROPERTY_INT:
        ag_json_writer_integer(json, slot->number);
        break;
    case AG_PROPERTY_BOOL:
        ag_json_writer_bool(json, slot->number != 0);
        break;
    case AG_PROPERTY_TEXT:
        ag_json_writer_text(json, text);
        break;
    }
}

void ag_properties_write(struct ag_properties *properties, uint8_t owner,
                         struct ag_json_writer *json)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        struct ag_property_slot *slot = &properties->slots[i];
        if (slot->owner != owner || !slot->is_dirty)
            continue;
        struct ag_json_writer before = *json;
        size_t size = json->out->size;
        write_slot(slot, json);
        if (json->out->status != AG_OK) { // the next patch takes it
            *json = before;
            json->out->size = size;
            json->out->status = AG_OK;
            return;
        }
        slot->is_dirty = false;
        slot->is_in_flight = true;
    }
}

void ag_properties_settle(struct ag_properties *properties, bool has_arrived)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++) {
        struct ag_property_slot *slot = &properties->slots[i];
        if (!slot->is_in_flight)
            continue;
        slot->is_in_flight = false;
        slot->is_dirty |= !has_arrived;
        if (!slot->is_dirty && slot->type == AG_PROPERTY_REMOVED)
            slot->owner = 0;
    }
}

void ag_properties_touch(struct ag_properties *properties)
{
    for (uint32_t i = 0; i < AG_CFG_PROPERTY_COUNT; i++)
        properties->slots[i].is_dirty = properties->slots[i].owner != 0;
}
