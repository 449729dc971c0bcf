// SPDX-License-Identifier: Apache-2.0
// Internal: where the parts of a module lie, and look-ups in them without copying anything.
//
// Nothing of a module is held in RAM: items are found again by reading from the nearest
// checkpoint of their section. Offsets are bytes from the start of the module.
#ifndef AG_WASM_MODULE_H
#define AG_WASM_MODULE_H

#include "base/reader.h"
#include "wasm/wasm.h"

// Limits of this engine; README.md lists them.
#define AG_WASM_MODULE_MAX    0x10000000u // bytes of a module
#define AG_WASM_TYPES_MAX     4096u
#define AG_WASM_VALUES_MAX    1000u // parameters of a type, and results, as in browsers
#define AG_WASM_IMPORTS_MAX   1024u
#define AG_WASM_FUNCTIONS_MAX 16384u // also bounded by references: tag and index share 32 bits
#define AG_WASM_TABLES_MAX    64u
#define AG_WASM_GLOBALS_MAX   8192u
#define AG_WASM_EXPORTS_MAX   4096u
#define AG_WASM_ELEMENTS_MAX  1024u  // element segments
#define AG_WASM_SEGMENTS_MAX  16384u // data segments

enum ag_wasm_section_id {
    AG_WASM_SECTION_CUSTOM,
    AG_WASM_SECTION_TYPE,
    AG_WASM_SECTION_IMPORT,
    AG_WASM_SECTION_FUNCTION,
    AG_WASM_SECTION_TABLE,
    AG_WASM_SECTION_MEMORY,
    AG_WASM_SECTION_GLOBAL,
    AG_WASM_SECTION_EXPORT,
    AG_WASM_SECTION_START,
    AG_WASM_SECTION_ELEMENT,
    AG_WASM_SECTION_CODE,
    AG_WASM_SECTION_DATA,
    AG_WASM_SECTION_DATA_COUNT,
    AG_WASM_SECTION_COUNT,
};

// The items of a section: where the first one lies and how many there are.
struct ag_wasm_items {
    uint32_t offset;
    uint32_t count;
};

// Goes into the footer of the image as it is.
struct ag_wasm_layout {
    struct ag_wasm_items items[AG_WASM_SECTION_COUNT];
    uint32_t imported[4]; // imports by kind
    uint32_t total[4];    // imported and own, by kind
    uint32_t start;       // index of the start function + 1, or 0
};

// Where every item whose index is a multiple of 1 << shift lies, imports first. When the room is
// used up, every other one is forgotten.
struct ag_wasm_checkpoints {
    uint32_t *offsets;
    uint16_t *slots;   // of globals: slots of own ones before it
    uint16_t capacity; // even
    uint16_t shift;
};

struct ag_wasm_index {
    struct ag_wasm_checkpoints types;
    struct ag_wasm_checkpoints functions;
    struct ag_wasm_checkpoints globals;
};

struct ag_wasm_module {
    const uint8_t *bytes;
    uint32_t size;
    const struct ag_wasm_layout *layout;
    const struct ag_wasm_index *index; // or NULL: then look-ups read from the first item
};

// A reader from `offset` to the end of the module.
struct ag_reader ag_wasm_module_reader(const struct ag_wasm_module *module, uint32_t offset);

// Whether the layout is what the sections say, as far as they can be read. What is in them was
// validated when the module was translated.
bool ag_wasm_module_has_layout(const struct ag_wasm_module *module);
// Slots of all own globals; false if they cannot be read.
bool ag_wasm_module_global_slots(const struct ag_wasm_module *module, uint32_t *slots);

// Readers of items; their error sticks in the reader. All check the encoding, none the meaning.
uint8_t ag_wasm_read_value_type(struct ag_reader *reader);
uint8_t ag_wasm_read_reference_type(struct ag_reader *reader);
struct ag_wasm_name ag_wasm_read_name(struct ag_reader *reader);
void ag_wasm_read_function_type(struct ag_reader *reader, struct ag_wasm_function_type *type);
void ag_wasm_read_table_type(struct ag_reader *reader, struct ag_wasm_extern *type);
void ag_wasm_read_memory_type(struct ag_reader *reader, struct ag_wasm_extern *type);
void ag_wasm_read_global_type(struct ag_reader *reader, struct ag_wasm_extern *type);
// The import's function type index is left in *type_index.
void ag_wasm_read_import(struct ag_reader *reader, struct ag_wasm_import *import,
                         uint32_t *type_index);

// A type of a section that was checked before: by its counts alone.
void ag_wasm_read_checked_type(struct ag_reader *reader, struct ag_wasm_function_type *type);

// The type at `index`, which is in range.
void ag_wasm_module_type(const struct ag_wasm_module *module, uint32_t index,
                         struct ag_wasm_function_type *type);
// The index of the type of function `index`, which is in range (imports come first).
uint32_t ag_wasm_module_function_type(const struct ag_wasm_module *module, uint32_t index);
// What table, memory or global `index`, in range, is.
void ag_wasm_module_extern(const struct ag_wasm_module *module, enum ag_wasm_kind kind,
                           uint32_t index, struct ag_wasm_extern *type);
// What global `index`, in range, is, and its slot; of an imported one *slot is the index.
void ag_wasm_module_global(const struct ag_wasm_module *module, uint32_t index,
                           struct ag_wasm_extern *type, uint32_t *slot);

// Slots that values of these types take; and those of a call out of the engine: of parameters or
// results, whichever is more.
uint32_t ag_wasm_slots(const uint8_t *types, uint32_t count);
uint32_t ag_wasm_call_slots(const struct ag_wasm_function_type *type);

static inline uint32_t ag_wasm_slot_size(uint8_t type)
{
    return type == AG_WASM_I64 || type == AG_WASM_F64 ? 2 : 1;
}

// A constant expression, decoded.
struct ag_wasm_constant {
    uint8_t opcode; // i32.const … f64.const, global.get, ref.null, ref.func
    uint8_t type;   // of the value; for global.get 0
    uint32_t index; // of global.get and ref.func
    uint64_t value; // bits of the constants
};

// Reads one instruction and the end. More than one instruction makes AG_ERR_WASM_INVALID, an
// instruction that is not constant too.
void ag_wasm_read_constant(struct ag_reader *reader, struct ag_wasm_constant *constant);

// An element or data segment's head; the reader stands at its first item or byte.
struct ag_wasm_segment {
    bool is_active;
    bool is_declared;     // element segments only
    bool has_expressions; // element segments only: items are expressions, else indices
    uint8_t type;         // element segments only: type of the items
    uint32_t index;       // table or memory of an active one
    uint32_t count;       // items or bytes
    struct ag_wasm_constant offset;
};
void ag_wasm_read_element(struct ag_reader *reader, struct ag_wasm_segment *segment);
void ag_wasm_read_element_item(struct ag_reader *reader, const struct ag_wasm_segment *segment,
                               struct ag_wasm_constant *item);
void ag_wasm_read_data(struct ag_reader *reader, struct ag_wasm_segment *segment);

#endif
