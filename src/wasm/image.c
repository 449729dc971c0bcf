// SPDX-License-Identifier: Apache-2.0
// Opening a code image beside its module, and asking the pair.
#include "image.h"

// Whether `count` things of `size` bytes lie aligned to 4 at `offset`, before the footer.
static bool lies_within(const struct ag_wasm_image *image, uint32_t offset, uint32_t count,
                        uint32_t size)
{
    const uint32_t end = image->code_size - (uint32_t)sizeof(struct ag_wasm_footer);
    return offset % 4 == 0 && offset <= end && count <= (end - offset) / size;
}

// Whether an entry leads to a prologue that agrees with it.
static bool is_sound(const struct ag_wasm_image *image, const struct ag_wasm_entry *entry)
{
    const uint32_t least = (AG_WASM_PROLOGUE_UNITS + 1) * 2;
    const uint32_t end = image->code_size - (uint32_t)sizeof(struct ag_wasm_footer);
    if (entry->code % 2 != 0 || entry->code < sizeof(struct ag_wasm_header) ||
        entry->code > end - least || !lies_within(image, entry->labels, 0, 4))
        return false;
    const void *code = image->code + entry->code;
    const uint16_t *prologue = code;
    return prologue[AG_WASM_PROLOGUE_PARAMS] <= prologue[AG_WASM_PROLOGUE_LOCALS] &&
           prologue[AG_WASM_PROLOGUE_LOCALS] <= prologue[AG_WASM_PROLOGUE_RETURN] &&
           prologue[AG_WASM_PROLOGUE_RETURN] < entry->frame;
}

static bool entries_are_sound(const struct ag_wasm_image *image, uint32_t directory_at,
                              uint32_t count)
{
    const uint32_t blocks = (count + AG_WASM_BLOCK_ENTRIES - 1) >> AG_WASM_BLOCK_BITS;
    if (directory_at < 4 || !lies_within(image, directory_at, blocks, 4))
        return false;
    const void *at = image->code + directory_at;
    const uint32_t *directory = at;
    if (directory[-1] != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t left = count - i < AG_WASM_BLOCK_ENTRIES ? count - i : AG_WASM_BLOCK_ENTRIES;
        if (i % AG_WASM_BLOCK_ENTRIES == 0 &&
            !lies_within(image, directory[i >> AG_WASM_BLOCK_BITS], left,
                         sizeof(struct ag_wasm_entry)))
            return false;
        if (!is_sound(image, ag_wasm_entry_of(image->code, directory, i)))
            return false;
    }
    return true;
}

enum ag_status ag_wasm_image_open(struct ag_wasm_image *image, const void *module,
                                  uint32_t module_size, const void *code, uint32_t code_size)
{
    const struct ag_wasm_header *header = code;
    const uint32_t frame = sizeof(struct ag_wasm_header) + sizeof(struct ag_wasm_footer);
    if (code_size < frame || (code_size & 15) != 0 || ((uintptr_t)code & (AG_WASM_ALIGN - 1)) != 0)
        return AG_ERR_WASM_STALE;
    if (header->magic != AG_WASM_IMAGE_MAGIC || header->version != AG_WASM_ENGINE_VERSION ||
        header->module_size != module_size)
        return AG_ERR_WASM_STALE;
    const struct ag_wasm_image candidate = { module, code, module_size, code_size };
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(&candidate);
    const struct ag_wasm_layout *layout = &footer->layout;
    const uint32_t own = layout->items[AG_WASM_SECTION_CODE].count;
    if (footer->magic != AG_WASM_FOOTER_MAGIC || footer->image_size != code_size ||
        own > AG_WASM_FUNCTIONS_MAX || layout->imported[AG_WASM_FUNCTION] > AG_WASM_FUNCTIONS_MAX ||
        layout->total[AG_WASM_FUNCTION] != layout->imported[AG_WASM_FUNCTION] + own ||
        !lies_within(&candidate, footer->imports, layout->imported[AG_WASM_FUNCTION],
                     sizeof(struct ag_wasm_import_entry)) ||
        !entries_are_sound(&candidate, footer->directory, own))
        return AG_ERR_WASM_STALE;
    *image = candidate;
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
