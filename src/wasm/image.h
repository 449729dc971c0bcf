// SPDX-License-Identifier: Apache-2.0
// Internal: the parts of a code image. FORMATS.md section 4 describes the same.
//
//   header, imports, then for each function its code, its label table where it has one, and after
//   every 64th function the block of their entries; last the directory of blocks and the footer.
// All integers are little-endian and aligned to their size; the engine reads them in place.
#ifndef AG_WASM_IMAGE_H
#define AG_WASM_IMAGE_H

#include "module.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images are read in place");

#define AG_WASM_IMAGE_MAGIC  0x43574741u // "AGWC"
#define AG_WASM_FOOTER_MAGIC 0x45574741u // "AGWE"

struct ag_wasm_header {
    uint32_t magic;
    uint32_t version; // AG_WASM_ENGINE_VERSION
    uint32_t module_size;
    uint16_t done_frame; // 0: the outermost call returns to `done` as to a call with this frame
    uint16_t done;       // AG_OP_DONE
};

#define AG_WASM_DONE_AT ((uint32_t)offsetof(struct ag_wasm_header, done))

// An imported function.
struct ag_wasm_import_entry {
    uint16_t id;    // what the resolver chose
    uint16_t type;  // canonical type
    uint16_t slots; // of parameters or results, whichever is more
    uint16_t reserved;
};

// An own function.
struct ag_wasm_entry {
    uint32_t code;   // offset of its prologue, bytes
    uint32_t labels; // offset of its label table, bytes
    uint16_t frame;  // slots of its frame
    uint16_t type;   // canonical type
};

// Units before a function's first instruction.
enum ag_wasm_prologue {
    AG_WASM_PROLOGUE_PARAMS, // slots of parameters
    AG_WASM_PROLOGUE_LOCALS, // slots of parameters and locals: those between are zeroed
    AG_WASM_PROLOGUE_RETURN, // slot of the return position
    AG_WASM_PROLOGUE_UNITS,
};

#define AG_WASM_BLOCK_BITS    6u
#define AG_WASM_BLOCK_ENTRIES (1u << AG_WASM_BLOCK_BITS)
#define AG_WASM_BLOCK_SIZE    (AG_WASM_BLOCK_ENTRIES * sizeof(struct ag_wasm_entry)) // bytes

struct ag_wasm_footer {
    uint32_t image_size; // bytes, this included
    uint32_t imports;    // offset of the import entries
    uint32_t directory;  // offset of the offsets of the blocks of entries; their number precedes
    struct ag_wasm_layout layout;
    uint32_t magic;
};

// Whether all but the layout, which must have been checked, is such that running it stays within
// its memory. verify.c says what that means.
bool ag_wasm_verify(const struct ag_wasm_image *image);

static inline const struct ag_wasm_footer *ag_wasm_footer_of(const struct ag_wasm_image *image)
{
    const void *at = image->code + image->code_size - sizeof(struct ag_wasm_footer);
    return at;
}

// The entry at a place, bytes, in a block.
static inline const struct ag_wasm_entry *
ag_wasm_entry_at(const uint8_t *code, const uint32_t *directory, uint32_t block, uint32_t place)
{
    const void *at = code + directory[block] + place;
    return at;
}

// `function` counts without imports and is in range.
static inline const struct ag_wasm_entry *
ag_wasm_entry_of(const uint8_t *code, const uint32_t *directory, uint32_t function)
{
    const void *block = code + directory[function >> AG_WASM_BLOCK_BITS];
    return (const struct ag_wasm_entry *)block + (function & (AG_WASM_BLOCK_ENTRIES - 1));
}

static inline struct ag_wasm_module ag_wasm_module_of(const struct ag_wasm_image *image)
{
    const struct ag_wasm_module module = { image->module, image->module_size,
                                           &ag_wasm_footer_of(image)->layout, NULL };
    return module;
}

#endif
