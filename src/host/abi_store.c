// SPDX-License-Identifier: Apache-2.0
// Capability store: a plug-in's own data.
#include <string.h>

#include "host/abi.h"

// Answers with an unsupported call where the plug-in has no data: then it does not say in its
// metadata that it needs `store`, or how much.
static struct ag_data *data_of(const struct ag_instance *instance, uint32_t *slots)
{
    if (!instance->options.data)
        ag_abi_answer(slots, AG_ERR_UNSUPPORTED);
    else
        ag_wasm_charge(instance->wasm, instance->options.data->size / 4);
    return instance->options.data;
}

// Copies what fits of a text into the plug-in's buffer; the answer is its whole size.
static void answer_text(uint32_t *slots, enum ag_status status, struct ag_text text, void *buffer,
                        uint32_t capacity)
{
    if (status != AG_OK) {
        ag_abi_answer(slots, status);
        return;
    }
    const size_t size = text.size < capacity ? text.size : capacity;
    if (size > 0)
        memcpy(buffer, text.at, size);
    slots[0] = (uint32_t)text.size;
}

enum ag_status ag_abi_store_get(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    struct ag_text value;
    void *buffer;
    const uint32_t capacity = slots[3];
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &key);
    if (status == AG_OK)
        status = ag_abi_bytes(instance, slots[2], capacity, &buffer);
    if (status != AG_OK)
        return status;
    const struct ag_data *data = data_of(instance, slots);
    if (data)
        answer_text(slots, ag_data_get(data, key, &value), value, buffer, capacity);
    return AG_OK;
}

enum ag_status ag_abi_store_set(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    struct ag_text value;
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &key);
    if (status == AG_OK)
        status = ag_abi_text(instance, slots[2], slots[3], &value);
    if (status != AG_OK)
        return status;
    struct ag_data *data = data_of(instance, slots);
    if (data)
        ag_abi_answer(slots, ag_data_set(data, key, value));
    return AG_OK;
}

enum ag_status ag_abi_store_remove(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    enum ag_status status = ag_abi_text(instance, slots[0], slots[1], &key);
    if (status != AG_OK)
        return status;
    struct ag_data *data = data_of(instance, slots);
    if (data)
        ag_abi_answer(slots, ag_data_remove(data, key));
    return AG_OK;
}

enum ag_status ag_abi_store_key(struct ag_instance *instance, uint32_t *slots)
{
    struct ag_text key;
    void *buffer;
    const uint32_t index = slots[0];
    const uint32_t capacity = slots[2];
    enum ag_status status = ag_abi_bytes(instance, slots[1], capacity, &buffer);
    if (status != AG_OK)
        return status;
    const struct ag_data *data = data_of(instance, slots);
    if (data)
        answer_text(slots, ag_data_key(data, index, &key), key, buffer, capacity);
    return AG_OK;
}

enum ag_status ag_abi_store_room(struct ag_instance *instance, uint32_t *slots)
{
    const struct ag_data *data = data_of(instance, slots);
    if (data)
        slots[0] = data->capacity - data->size;
    return AG_OK;
}

enum ag_status ag_abi_store_pending(struct ag_instance *instance, uint32_t *slots)
{
    const struct ag_data *data = data_of(instance, slots);
    if (data)
        slots[0] = data->is_changed;
    return AG_OK;
}
