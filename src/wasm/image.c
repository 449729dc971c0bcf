// SPDX-License-Identifier: Apache-2.0
// Opening a code image beside its module, and asking the pair.
#include "image.h"
#include "opcodes.h"

enum ag_status ag_wasm_image_open(struct ag_wasm_image *image, const void *module,
                                  uint32_t module_size, const void *code, uint32_t code_size)
{
    const struct ag_wasm_header *header = code;
    const uint32_t frame = sizeof(struct ag_wasm_header) + sizeof(struct ag_wasm_footer);
    if (code_size < frame || (code_size & 15) != 0 || ((uintptr_t)code & (AG_WASM_ALIGN - 1)) != 0)
        return AG_ERR_WASM_STALE;
    if (header->magic != AG_WASM_IMAGE_MAGIC || header->version != AG_WASM_ENGINE_VERSION ||
        header->module_size != module_size || header->done_frame != 0 || header->done != AG_OP_DONE)
        return AG_ERR_WASM_STALE;
    const struct ag_wasm_image candidate = { module, code, module_size, code_size };
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(&candidate);
    const struct ag_wasm_module parts = ag_wasm_module_of(&candidate);
    if (footer->magic != AG_WASM_FOOTER_MAGIC || footer->image_size != code_size ||
        !ag_wasm_module_has_layout(&parts) || !ag_wasm_verify(&candidate))
        return AG_ERR_WASM_STALE;
    *image = candidate;
    return AG_OK;
}

enum ag_status ag_wasm_image_resolve(const struct ag_wasm_image *image, ag_wasm_resolve resolve,
                                     void *context)
{
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    const struct ag_wasm_items *items = &module.layout->items[AG_WASM_SECTION_IMPORT];
    const void *at = image->code + ag_wasm_footer_of(image)->imports;
    const struct ag_wasm_import_entry *entry = at;
    struct ag_reader reader = ag_wasm_module_reader(&module, items->offset);
    for (uint32_t i = 0; i < items->count; i++) {
        struct ag_wasm_import import;
        uint32_t type_index;
        uint16_t id = 0;
        ag_wasm_read_import(&reader, &import, &type_index);
        const bool is_function = import.type.kind == AG_WASM_FUNCTION;
        if (is_function)
            ag_wasm_module_type(&module, type_index, &import.type.function);
        const enum ag_status status = resolve(context, &import, &id);
        if (status != AG_OK)
            return status;
        if (is_function &&
            (entry->id != id || entry->slots != ag_wasm_call_slots(&import.type.function)))
            return AG_ERR_WASM_STALE;
        if (is_function)
            entry++;
    }
    return AG_OK;
}

enum ag_status ag_wasm_image_each_export(const struct ag_wasm_image *image,
                                         ag_wasm_visit_export visit, void *context)
{
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    const struct ag_wasm_items *items = &module.layout->items[AG_WASM_SECTION_EXPORT];
    struct ag_reader reader = ag_wasm_module_reader(&module, items->offset);
    for (uint32_t i = 0; i < items->count; i++) {
        struct ag_wasm_name name;
        name.size = ag_reader_leb_u32(&reader);
        name.text = (const char *)ag_reader_bytes(&reader, name.size);
        const uint8_t kind = ag_reader_u8(&reader);
        const uint32_t index = ag_reader_leb_u32(&reader);
        if (reader.status != AG_OK || kind > AG_WASM_GLOBAL)
            return AG_ERR_WASM_STALE;
        const enum ag_status status = visit(context, name, kind, index);
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

struct wanted_export {
    struct ag_wasm_name name;
    enum ag_wasm_kind kind;
    uint32_t index;
};

// AG_ERR_AGAIN ends the search: found.
static enum ag_status match_export(void *context, struct ag_wasm_name name, enum ag_wasm_kind kind,
                                   uint32_t index)
{
    struct wanted_export *wanted = context;
    if (kind != wanted->kind || name.size != wanted->name.size ||
        memcmp(name.text, wanted->name.text, name.size) != 0)
        return AG_OK;
    wanted->index = index;
    return AG_ERR_AGAIN;
}

enum ag_status ag_wasm_image_export(const struct ag_wasm_image *image, const char *name,
                                    uint32_t name_size, enum ag_wasm_kind kind, uint32_t *index)
{
    struct wanted_export wanted = { { name, name_size }, kind, 0 };
    const enum ag_status status = ag_wasm_image_each_export(image, match_export, &wanted);
    if (status != AG_ERR_AGAIN)
        return status == AG_OK ? AG_ERR_WASM_EXPORT : status;
    *index = wanted.index;
    return AG_OK;
}

enum ag_status ag_wasm_image_type(const struct ag_wasm_image *image, enum ag_wasm_kind kind,
                                  uint32_t index, struct ag_wasm_extern *type)
{
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    if (index >= module.layout->total[kind])
        return AG_ERR_ARGUMENT;
    ag_wasm_module_extern(&module, kind, index, type);
    return AG_OK;
}
