// SPDX-License-Identifier: Apache-2.0
// Capabilities settings, report and telemetry: the hub, as plug-ins see it.
#include <string.h>

#include "base/json.h"
#include "base/reader.h"
#include "host/abi.h"
#include "plugin/schema.h"

// Finds the member `key` of the settings; *value is then its event, whose text lies in `token`.
static bool find_setting(const struct ag_instance *instance, struct ag_text key, char *token,
                         size_t capacity, struct ag_json_event *value)
{
    struct ag_json json;
    struct ag_reader piece;
    ag_wasm_charge(instance->wasm, (uint32_t)instance->options.settings.size);
    ag_json_init(&json, token, capacity);
    ag_reader_init(&piece, instance->options.settings.at, instance->options.settings.size);
    bool is_next = false;
    while (ag_json_next(&json, &piece, value) == AG_OK) {
        if (is_next)
            return true;
        if (value->depth == 1 && value->type == AG_JSON_KEY && !value->overflow)
            is_next = value->text.size == key.size && memcmp(value->text.at, key.at, key.size) == 0;
    }
    return false;
}

// What the schema gives a member that the settings lack.
static bool find_default(const struct ag_instance *instance, struct ag_text key,
                         struct ag_schema_member *member)
{
    const struct ag_instance_options *options = &instance->options;
    return ag_schema_find(options->schema, options->schema_size, key, member) &&
           (member->flags & AG_SCHEMA_DEFAULT);
}

enum ag_status ag_abi_settings_get_int(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &key);
    if (status != AG_OK)
        return status;
    int64_t answer = (int64_t)ag_wasm_get_u64(slots + 2);
    char token[AG_CFG_PROPERTY_TEXT_MAX + 1];
    struct ag_json_event value;
    struct ag_schema_member member;
    if (find_setting(instance, key, token, sizeof token, &value)) {
        if (value.type == AG_JSON_NUMBER && value.is_integer)
            answer = value.integer;
        if (value.type == AG_JSON_TRUE || value.type == AG_JSON_FALSE)
            answer = value.type == AG_JSON_TRUE;
    } else if (find_default(instance, key, &member) && member.type != AG_SCHEMA_STRING) {
        answer = member.default_.integer;
    }
    ag_wasm_set_u64(slots, (uint64_t)answer);
    return AG_OK;
}

enum ag_status ag_abi_settings_get_text(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    void *buffer;
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &key);
    if (status == AG_OK)
        status = ag_abi_bytes(instance, slots[2], slots[3], &buffer);
    if (status != AG_OK)
        return status;
    char token[AG_CFG_SETTINGS_MAX + 1]; // no text in the settings is longer
    struct ag_json_event value;
    struct ag_schema_member member;
    struct ag_text text;
    if (find_setting(instance, key, token, sizeof token, &value)) {
        status = value.type == AG_JSON_STRING ? AG_OK : AG_ERR_NOT_FOUND;
        text = value.text;
    } else {
        const bool is_text =
            find_default(instance, key, &member) && member.type == AG_SCHEMA_STRING;
        status = is_text ? AG_OK : AG_ERR_NOT_FOUND;
        text = member.default_.text;
    }
    if (status != AG_OK) {
        ag_abi_answer(slots, status);
        return AG_OK;
    }
    memcpy(buffer, text.at, text.size < slots[3] ? text.size : slots[3]);
    slots[0] = (uint32_t)text.size;
    return AG_OK;
}

static enum ag_status set_property(struct ag_instance *instance, const struct ag_property *property)
{
    const struct ag_instance_services *services = instance->options.services;
    if (!services->set_property)
        return AG_ERR_UNSUPPORTED;
    if (property->key.size == 0 || property->key.size > AG_CFG_PROPERTY_KEY_MAX ||
        property->text.size > AG_CFG_PROPERTY_TEXT_MAX)
        return AG_ERR_ARGUMENT;
    return services->set_property(services->context, instance->options.owner, property);
}

// The functions of this capability begin with the key; `property` holds the rest.
static enum ag_status set_keyed(struct ag_instance *instance, uint32_t *slots,
                                struct ag_property *property)
{
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &property->key);
    if (status != AG_OK)
        return status;
    ag_abi_answer(slots, set_property(instance, property));
    return AG_OK;
}

enum ag_status ag_abi_report_set_int(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_property property = { .type = AG_PROPERTY_INT,
                                    .number = (int64_t)ag_wasm_get_u64(slots + 2) };
    return set_keyed(instance, slots, &property);
}

enum ag_status ag_abi_report_set_bool(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_property property = { .type = AG_PROPERTY_BOOL, .number = slots[2] != 0 };
    return set_keyed(instance, slots, &property);
}

enum ag_status ag_abi_report_set_text(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_property property = { .type = AG_PROPERTY_TEXT };
    enum ag_status status = ag_abi_text(instance, slots[2], slots[3], &property.text);
    return status == AG_OK ? set_keyed(instance, slots, &property) : status;
}

enum ag_status ag_abi_report_remove(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_property property = { .type = AG_PROPERTY_REMOVED };
    return set_keyed(instance, slots, &property);
}

enum ag_status ag_abi_telemetry_send(struct ag_instance *instance, uint32_t *slots)
{
    const struct ag_instance_services *services = instance->options.services;
    void *bytes;
    enum ag_status status = ag_abi_bytes(instance, slots[0], slots[1], &bytes);
    if (status != AG_OK)
        return status;
    status =
        services->send_telemetry
            ? services->send_telemetry(services->context, instance->options.owner, bytes, slots[1])
            : AG_ERR_UNSUPPORTED;
    ag_abi_answer(slots, status);
    return AG_OK;
}
