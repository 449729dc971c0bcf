// SPDX-License-Identifier: Apache-2.0
// Internal: what running and making an instance share.
#ifndef AG_WASM_INSTANCE_H
#define AG_WASM_INSTANCE_H

#include "image.h"

// References to functions: 0 is null, else (instance tag << 20 | function index) + 1.
#define AG_WASM_TAG_SHIFT 20u

static inline uint32_t ag_wasm_tag(const struct ag_wasm_instance *instance)
{
    return instance->links ? (uint32_t)instance->links->tag : 0;
}

static inline uint32_t ag_wasm_reference(const struct ag_wasm_instance *instance, uint32_t function)
{
    return (ag_wasm_tag(instance) << AG_WASM_TAG_SHIFT | function) + 1;
}

// The value of a constant expression, in the low bits of 64.
uint64_t ag_wasm_constant_value(const struct ag_wasm_instance *instance,
                                const struct ag_wasm_constant *constant);

// The instructions of the same names. Sizes beyond what is there trap.
enum ag_status ag_wasm_memory_init(struct ag_wasm_instance *instance, uint32_t segment, uint32_t to,
                                   uint32_t from, uint32_t count);
enum ag_status ag_wasm_table_init(struct ag_wasm_instance *instance, uint32_t segment,
                                  uint32_t table, uint32_t to, uint32_t from, uint32_t count);
void ag_wasm_data_drop(struct ag_wasm_instance *instance, uint32_t segment);
void ag_wasm_elem_drop(struct ag_wasm_instance *instance, uint32_t segment);
// Both return the former size, or UINT32_MAX when there is no room.
uint32_t ag_wasm_memory_grow(struct ag_wasm_memory *memory, uint32_t pages);
uint32_t ag_wasm_table_grow(struct ag_wasm_table *table, uint32_t value, uint32_t count);

#endif
