// SPDX-License-Identifier: Apache-2.0
// Capability method: the direct method that on_method is called for.
#include <string.h>

#include "host/abi.h"

// Copies as much of a text as the buffer takes, and answers with its whole size.
static enum ag_status copy_text(struct ag_instance *instance, uint32_t *slots,
                                enum ag_instance_method which)
{
    const struct ag_instance_services *services = instance->options.services;
    struct ag_text text;
    void *buffer;
    enum ag_status status = ag_abi_bytes(instance, slots[0], slots[1], &buffer);
    if (status != AG_OK)
        return status;
    status = services->method_text
                 ? services->method_text(services->context, instance->options.owner, which, &text)
                 : AG_ERR_UNSUPPORTED;
    if (status != AG_OK) {
        ag_abi_answer(slots, status);
        return AG_OK;
    }
    if (text.size > 0 && slots[1] > 0)
        memcpy(buffer, text.at, text.size < slots[1] ? text.size : slots[1]);
    slots[0] = (uint32_t)text.size;
    return AG_OK;
}

enum ag_status ag_abi_method_name(struct ag_instance *instance, uint32_t *slots)
{
    return copy_text(instance, slots, AG_INSTANCE_METHOD_NAME);
}

enum ag_status ag_abi_method_payload(struct ag_instance *instance, uint32_t *slots)
{
    return copy_text(instance, slots, AG_INSTANCE_METHOD_PAYLOAD);
}

enum ag_status ag_abi_method_reply(struct ag_instance *instance, uint32_t *slots)
{
    const struct ag_instance_services *services = instance->options.services;
    struct ag_text payload;
    enum ag_status status = ag_abi_text(instance, slots[1], slots[2], &payload);
    if (status != AG_OK)
        return status;
    status =
        services->method_reply
            ? services->method_reply(services->context, instance->options.owner, slots[0], payload)
            : AG_ERR_UNSUPPORTED;
    ag_abi_answer(slots, status);
    return AG_OK;
}
