// SPDX-License-Identifier: Apache-2.0
// Verifies a code image where it lies: afterwards nothing in it can lead the interpreter out of the
// instance's memory, the module and the image. Results may still be wrong, if bits are.
//
// What holds of every function then: each instruction's number exists; its slots lie within the
// frame and none that is written is the slot of the return position, which therefore always is the
// position behind the call that made the frame; a callee's frame begins behind that slot; indices
// are in range; and whatever leads somewhere, leads to an instruction of the same function, the
// last of which goes nowhere else. Types are not looked at: a value of another type is just bits.
//
// One pass over each function, in constant memory. A bit for each of the 2,048 units around the
// instruction in hand: before it, set where an instruction starts; behind it, where one must.
// Translated code leads at most 1,023 units forward and 32,005 back. Where it leads back further
// than the bits go, the code is read again from a start noted for each 128 units.
#include "base/config.h"
#include "image.h"
#include "opcodes.h"

#define LETTERS 6u

// All combinations of operands that opcodes.h has. SPECIAL ones have letters that are looked at one
// by one.
#define SPECIAL_SHAPES(X)                                                                          \
    X(jk)                                                                                          \
    X(acju)                                                                                        \
    X(cr)                                                                                          \
    X(cR)                                                                                          \
    X(car)                                                                                         \
    X(cAR)                                                                                         \
    X(cfpb)                                                                                        \
    X(cib)                                                                                         \
    X(catnb)                                                                                       \
    X(ga)                                                                                          \
    X(GA)                                                                                          \
    X(g)                                                                                           \
    X(G)                                                                                           \
    X(la)                                                                                          \
    X(LA)                                                                                          \
    X(dg)                                                                                          \
    X(DG)                                                                                          \
    X(dl)                                                                                          \
    X(DL)                                                                                          \
    X(saaa)                                                                                        \
    X(s)                                                                                           \
    X(taa)                                                                                         \
    X(taaa)                                                                                        \
    X(ttaaa)                                                                                       \
    X(teaaa)                                                                                       \
    X(e)                                                                                           \
    X(dm)                                                                                          \
    X(dam)                                                                                         \
    X(dta)                                                                                         \
    X(dt)                                                                                          \
    X(dtaa)
#define PLAIN_SHAPES(X)                                                                            \
    X()                                                                                            \
    X(c)                                                                                           \
    X(co)                                                                                          \
    X(aco)                                                                                         \
    X(aaco)                                                                                        \
    X(ahco)                                                                                        \
    X(AAco)                                                                                        \
    X(Ahco)                                                                                        \
    X(aaa)                                                                                         \
    X(aan)                                                                                         \
    X(Aan)                                                                                         \
    X(aw)                                                                                          \
    X(Aw)                                                                                          \
    X(han)                                                                                         \
    X(hn)                                                                                          \
    X(hco)                                                                                         \
    X(Aco)                                                                                         \
    X(a)                                                                                           \
    X(A)                                                                                           \
    X(d)                                                                                           \
    X(D)                                                                                           \
    X(h)                                                                                           \
    X(w)                                                                                           \
    X(n)                                                                                           \
    X(aa)                                                                                          \
    X(AA)                                                                                          \
    X(ah)                                                                                          \
    X(Ah)                                                                                          \
    X(an)                                                                                          \
    X(An)                                                                                          \
    X(ahn)                                                                                         \
    X(Dn)                                                                                          \
    X(da)                                                                                          \
    X(DA)                                                                                          \
    X(dA)                                                                                          \
    X(Da)                                                                                          \
    X(dh)                                                                                          \
    X(dhn)                                                                                         \
    X(Dhn)                                                                                         \
    X(Dh)                                                                                          \
    X(dw)                                                                                          \
    X(Dw)                                                                                          \
    X(Dq)                                                                                          \
    X(dn)                                                                                          \
    X(dan)                                                                                         \
    X(Dan)                                                                                         \
    X(daa)                                                                                         \
    X(DAA)                                                                                         \
    X(dAA)                                                                                         \
    X(dah)                                                                                         \
    X(DAh)                                                                                         \
    X(dAh)                                                                                         \
    X(daw)                                                                                         \
    X(daaa)                                                                                        \
    X(DAAa)                                                                                        \
    X(daan)                                                                                        \
    X(Daan)                                                                                        \
    X(dahn)                                                                                        \
    X(Dahn)

#define NUMBER(operands) SHAPE_##operands,
enum shape {
    SPECIAL_SHAPES(NUMBER) SHAPE_SPECIALS,
    SHAPE_LAST_SPECIAL = SHAPE_SPECIALS - 1,
    PLAIN_SHAPES(NUMBER) SHAPE_COUNT
};
_Static_assert(SHAPE_COUNT <= 256, "a byte holds a shape");

// A shape's figures in 16 bits: units of the instruction, slots that it writes from its first
// operand on, slots that each of the first four operands takes, whether it ends in a distance.
#define LETTER(text, i) ((text "\0\0\0\0\0\0")[i])
#define UNITS(c)        ((c) == 0 || (c) == 'm' ? 0u : (c) == 'w' ? 2u : (c) == 'q' ? 4u : 1u)
#define WRITES(c)       ((c) == 'd' ? 1u : (c) == 'D' ? 2u : 0u)
#define SLOTS(c)        ((c) == 'a' || (c) == 'd' ? 1u : (c) == 'A' || (c) == 'D' ? 2u : 0u)
#define ANY(text, c)                                                                               \
    (LETTER(text, 0) == (c) || LETTER(text, 1) == (c) || LETTER(text, 2) == (c) ||                 \
     LETTER(text, 3) == (c) || LETTER(text, 4) == (c) || LETTER(text, 5) == (c))
#define FIGURES(text)                                                                              \
    (uint16_t)(1u + UNITS(LETTER(text, 0)) + UNITS(LETTER(text, 1)) + UNITS(LETTER(text, 2)) +     \
               UNITS(LETTER(text, 3)) + UNITS(LETTER(text, 4)) + UNITS(LETTER(text, 5)) +          \
               (WRITES(LETTER(text, 0)) << 4) + (SLOTS(LETTER(text, 0)) << 6) +                    \
               (SLOTS(LETTER(text, 1)) << 8) + (SLOTS(LETTER(text, 2)) << 10) +                    \
               (SLOTS(LETTER(text, 3)) << 12) + (ANY(text, 'o') ? 1u << 14 : 0u))
#define UNITS_OF(figures)     ((figures)&15u)
#define WRITES_OF(figures)    ((figures) >> 4 & 3u)
#define SLOTS_OF(figures, i)  ((figures) >> (4 + 2 * (i)) & 3u)
#define HAS_DISTANCE(figures) ((figures) >> 14)

// Letters that one look at the figures does not check: a shape with one of them is SPECIAL.
#define IS_SPECIAL(text)                                                                           \
    (ANY(text, 'r') || ANY(text, 'R') || ANY(text, 'b') || ANY(text, 'g') || ANY(text, 'G') ||     \
     ANY(text, 'l') || ANY(text, 'L') || ANY(text, 'f') || ANY(text, 'p') || ANY(text, 'i') ||     \
     ANY(text, 't') || ANY(text, 's') || ANY(text, 'e') || ANY(text, 'j') || ANY(text, 'k') ||     \
     ANY(text, 'u') || ANY(text, 'm') || SLOTS(LETTER(text, 4)) > 0)

// A wrong list is a division by zero.
#define FIGURES_OF_SPECIAL(operands) FIGURES(#operands) + 0 / (IS_SPECIAL(#operands) ? 1 : 0),
#define FIGURES_OF_PLAIN(operands)   FIGURES(#operands) + 0 / (IS_SPECIAL(#operands) ? 0 : 1),
static const uint16_t figures_of[] = { SPECIAL_SHAPES(FIGURES_OF_SPECIAL)
                                           PLAIN_SHAPES(FIGURES_OF_PLAIN) };

#define LETTERS_OF(operands) #operands,
static const char letters_of[][LETTERS] = { SPECIAL_SHAPES(LETTERS_OF) };

// An instruction whose operands are not in the lists above does not compile here.
#define SHAPE_OF(name, operands) SHAPE_##operands,
static const uint8_t shape_of[] = { AG_OPS(SHAPE_OF)
#if AG_CFG_WASM_FLOAT
                                        AG_FLOAT_OPS(SHAPE_OF)
#endif
};

#define BLOCK_BITS 9u                      // units between two looks at the label table, log2
#define NOTE_BITS  7u                      // units between two notes, log2
#define MARK_WORDS (4u << BLOCK_BITS >> 5) // the block in hand, one before it and two behind it
#define NOTES      256u
#define NO_NOTE    0xFFu
#define PIECE      16u // units that are stepped over at once

// One function. Places in it are units from its prologue.
struct pass {
    const struct ag_wasm_module *module;
    const uint16_t *code;
    const uint32_t *labels;
    uint32_t size;
    uint32_t label_count;
    uint32_t function;     // without imports
    uint32_t global_slots; // of own globals
    int32_t frame;         // slots
    uint32_t return_slot;
    uint32_t marks[MARK_WORDS];
    uint8_t notes[NOTES]; // of each block of 1 << NOTE_BITS units: where its first instruction is
};

static void mark(struct pass *pass, uint32_t at)
{
    pass->marks[at >> 5 & (MARK_WORDS - 1)] |= 1u << (at & 31);
}

static bool is_marked(const struct pass *pass, uint32_t at)
{
    return pass->marks[at >> 5 & (MARK_WORDS - 1)] >> (at & 31) & 1;
}

// Makes room for a block's marks and sets those of the labels in it.
static void begin_block(struct pass *pass, uint32_t block)
{
    const uint32_t words = 1u << BLOCK_BITS >> 5;
    memset(&pass->marks[block * words & (MARK_WORDS - 1)], 0, words * sizeof pass->marks[0]);
    for (uint32_t i = 0; i < pass->label_count; i++) {
        if (pass->labels[i] / 2 >> BLOCK_BITS == block)
            mark(pass, pass->labels[i] / 2);
    }
}

static bool labels_are_within(const struct pass *pass)
{
    for (uint32_t i = 0; i < pass->label_count; i++) {
        if (pass->labels[i] % 2 != 0 || pass->labels[i] / 2 >= pass->size)
            return false;
    }
    return true;
}

// Units of an instruction that was verified.
static uint32_t length_at(const struct pass *pass, uint32_t at)
{
    const uint16_t *code = pass->code + at;
    const uint32_t labels = code[0] == AG_OP_BR_TABLE ? code[4] + 1u : 0;
    return UNITS_OF(figures_of[shape_of[code[0]]]) + labels;
}

// Whether an instruction starts at `to`, which is far before `from`.
static bool is_start(const struct pass *pass, uint32_t from, uint32_t to)
{
    const uint32_t note = pass->notes[(to >> NOTE_BITS) & (NOTES - 1)];
    uint32_t at = (to >> NOTE_BITS << NOTE_BITS) + note;
    if ((from >> NOTE_BITS) - (to >> NOTE_BITS) >= NOTES || note == NO_NOTE)
        return false;
    while (at < to)
        at += length_at(pass, at);
    return at == to;
}

// Whether the instruction at `from` may lead to `to`.
static bool may_lead(struct pass *pass, uint32_t from, uint32_t to)
{
    if (to >= pass->size)
        return false;
    if (to > from) {
        mark(pass, to);
        return (to >> BLOCK_BITS) - (from >> BLOCK_BITS) <= 2;
    }
    if ((from >> BLOCK_BITS) - (to >> BLOCK_BITS) <= 1)
        return is_marked(pass, to);
    return is_start(pass, from, to);
}

static bool global_is_linked(const struct pass *pass, uint32_t index, uint32_t slots)
{
    struct ag_wasm_extern type;
    if (index >= pass->module->layout->imported[AG_WASM_GLOBAL])
        return false;
    uint32_t slot;
    ag_wasm_module_global(pass->module, index, &type, &slot);
    return ag_wasm_slot_size(type.value_type) == slots;
}

static bool labels_exist(const struct pass *pass, const uint16_t *labels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (labels[i] >= pass->label_count)
            return false;
    }
    return true;
}

// Whether the operand of this letter may have this value.
static bool letter_is_sound(const struct pass *pass, char letter, const uint16_t *unit)
{
    const uint32_t value = *unit;
    const struct ag_wasm_layout *layout = pass->module->layout;
    switch (letter) {
    case 'a':
        return (int32_t)value < pass->frame;
    case 'r':
        return value == pass->return_slot;
    case 'R':
        return value == pass->return_slot && value > 0;
    case 'b':
        return value > pass->return_slot && (int32_t)value <= pass->frame;
    case 'g':
        return value < pass->global_slots;
    case 'G':
        return value + 1 < pass->global_slots;
    case 'l':
        return global_is_linked(pass, value, 1);
    case 'L':
        return global_is_linked(pass, value, 2);
    case 'p':
        return value % sizeof(struct ag_wasm_entry) == 0 && value < AG_WASM_BLOCK_SIZE &&
               unit[-1] * AG_WASM_BLOCK_ENTRIES + value / sizeof(struct ag_wasm_entry) <
                   layout->items[AG_WASM_SECTION_CODE].count;
    case 'i':
        return value < layout->imported[AG_WASM_FUNCTION];
    case 't':
        return value < layout->total[AG_WASM_TABLE];
    case 's':
        return value < layout->items[AG_WASM_SECTION_DATA].count;
    case 'e':
        return value < layout->items[AG_WASM_SECTION_ELEMENT].count;
    case 'j':
        return value == pass->function;
    case 'k':
        return value < pass->label_count;
    case 'm':
        return layout->total[AG_WASM_MEMORY] > 0;
    default:
        return true;
    }
}

// Verifies the instruction at `at`; its units, or 0 for a refusal.
static uint32_t check_instruction(struct pass *pass, uint32_t at)
{
    const uint16_t *code = pass->code + at;
    const uint32_t left = pass->size - at;
    const int32_t limits[] = { INT32_MAX, pass->frame, pass->frame - 1, 0 };
    if (code[0] >= sizeof shape_of)
        return 0;
    const uint32_t shape = shape_of[code[0]];
    const uint32_t figures = figures_of[shape];
    const uint32_t units = UNITS_OF(figures);
    // Behind the code there are an entry and the footer, so four units can always be read.
    if (units > left || code[1] >= limits[SLOTS_OF(figures, 1)] ||
        code[2] >= limits[SLOTS_OF(figures, 2)] || code[3] >= limits[SLOTS_OF(figures, 3)] ||
        code[4] >= limits[SLOTS_OF(figures, 4)] || pass->return_slot - code[1] < WRITES_OF(figures))
        return 0;
    if (HAS_DISTANCE(figures)) {
        const int32_t distance = (int16_t)code[units - 1];
        return may_lead(pass, at, at + units - 1 + (uint32_t)distance) ? units : 0;
    }
    if (shape >= SHAPE_SPECIALS)
        return units;
    for (uint32_t i = 0; letters_of[shape][i] != 0; i++) {
        if (!letter_is_sound(pass, letters_of[shape][i], &code[i + 1]))
            return 0;
    }
    if (code[0] != AG_OP_BR_TABLE)
        return units;
    const uint32_t labels = code[4] + 1u;
    return labels <= left - units && labels_exist(pass, code + units, labels) ? units + labels : 0;
}

// Goes on by an instruction of this many units: into none of them but the first may anything lead.
static bool step_over(struct pass *pass, uint32_t at, uint32_t units)
{
    const uint32_t end = at + units;
    while (at < end) {
        const uint32_t next = end - at > PIECE ? at + PIECE : end;
        const uint32_t inner = (next < end ? next + 1 : end) - at - 1; // marks behind `at`
        const uint32_t word = at >> 5;
        const uint64_t marks = pass->marks[word & (MARK_WORDS - 1)] |
                               (uint64_t)pass->marks[(word + 1) & (MARK_WORDS - 1)] << 32;
        if ((marks >> (at & 31) >> 1 & ((1u << inner) - 1)) != 0)
            return false;
        if (at >> NOTE_BITS != next >> NOTE_BITS) {
            pass->notes[(next >> NOTE_BITS) & (NOTES - 1)] = NO_NOTE;
            if (at >> BLOCK_BITS != next >> BLOCK_BITS)
                begin_block(pass, (next >> BLOCK_BITS) + 2);
        }
        at = next;
    }
    return true;
}

static bool check_code(struct pass *pass)
{
    uint32_t at = AG_WASM_PROLOGUE_UNITS;
    uint16_t op = AG_OP_ILLEGAL;
    if (!labels_are_within(pass))
        return false;
    for (uint32_t block = 0; block < 3; block++)
        begin_block(pass, block);
    pass->notes[0] = NO_NOTE;
    while (at < pass->size) {
        uint8_t *note = &pass->notes[(at >> NOTE_BITS) & (NOTES - 1)];
        if (*note == NO_NOTE)
            *note = (uint8_t)(at & ((1u << NOTE_BITS) - 1));
        mark(pass, at);
        op = pass->code[at];
        const uint32_t units = check_instruction(pass, at);
        if (units == 0 || !step_over(pass, at, units))
            return false;
        at += units;
    }
    return op < AG_OP_FIRST_GOING_ON;
}

// ---- The image --------------------------------------------------------------------------------

// Where things lie, bytes from the image's start: each begins where the one before it ends.
struct walk {
    const struct ag_wasm_image *image;
    const uint32_t *directory;
    uint32_t count; // own functions
    uint32_t at;    // end of what was verified
    uint32_t end;   // of the functions and their entries
};

static const void *part_at(const struct walk *walk, uint32_t offset)
{
    return walk->image->code + offset;
}

// Whether `count` things of `size` bytes lie aligned to 4 between `at` and the end.
static bool lies_within(const struct walk *walk, uint32_t offset, uint32_t count, uint32_t size)
{
    return offset % 4 == 0 && offset >= walk->at && offset <= walk->end &&
           count <= (walk->end - offset) / size;
}

// The function of an entry, whose label table or else code ends at `end`.
static bool check_function(struct pass *pass, struct walk *walk, const struct ag_wasm_entry *entry,
                           uint32_t end)
{
    const uint32_t code_end = entry->labels != 0 ? entry->labels : end;
    const uint32_t prologue = AG_WASM_PROLOGUE_UNITS * 2;
    if (entry->code != walk->at || end > walk->end || code_end > end || code_end < walk->at ||
        code_end - walk->at <= prologue || end % 2 != 0 ||
        (entry->labels | (end - code_end)) % 4 != 0)
        return false;
    pass->code = part_at(walk, entry->code);
    pass->labels = part_at(walk, entry->labels);
    pass->size = (code_end - walk->at) / 2;
    pass->label_count = (end - code_end) / 4;
    pass->frame = entry->frame;
    pass->return_slot = pass->code[AG_WASM_PROLOGUE_RETURN];
    walk->at = end;
    return pass->code[AG_WASM_PROLOGUE_PARAMS] <= pass->code[AG_WASM_PROLOGUE_LOCALS] &&
           pass->code[AG_WASM_PROLOGUE_LOCALS] <= pass->return_slot &&
           pass->return_slot < entry->frame && check_code(pass);
}

// The functions that share a block of entries.
static bool check_block(struct pass *pass, struct walk *walk, uint32_t first)
{
    const uint32_t offset = walk->directory[first >> AG_WASM_BLOCK_BITS];
    const uint32_t left = walk->count - first;
    const uint32_t count = left < AG_WASM_BLOCK_ENTRIES ? left : AG_WASM_BLOCK_ENTRIES;
    if (!lies_within(walk, offset, count, sizeof(struct ag_wasm_entry)))
        return false;
    const struct ag_wasm_entry *entries = part_at(walk, offset);
    const uint32_t end = walk->end;
    walk->end = offset;
    for (uint32_t i = 0; i < count; i++) {
        pass->function = first + i;
        if (!check_function(pass, walk, &entries[i], i + 1 < count ? entries[i + 1].code : offset))
            return false;
    }
    walk->end = end;
    walk->at = offset + count * (uint32_t)sizeof(struct ag_wasm_entry);
    return true;
}

bool ag_wasm_verify(const struct ag_wasm_image *image)
{
    const struct ag_wasm_footer *footer = ag_wasm_footer_of(image);
    const struct ag_wasm_module module = ag_wasm_module_of(image);
    const uint32_t imported = footer->layout.imported[AG_WASM_FUNCTION];
    struct walk walk = { image, NULL, footer->layout.items[AG_WASM_SECTION_CODE].count,
                         sizeof(struct ag_wasm_header),
                         image->code_size - (uint32_t)sizeof(struct ag_wasm_footer) };
    const uint32_t blocks = (walk.count + AG_WASM_BLOCK_ENTRIES - 1) >> AG_WASM_BLOCK_BITS;
    if (footer->imports != walk.at ||
        !lies_within(&walk, footer->imports, imported, sizeof(struct ag_wasm_import_entry)))
        return false;
    walk.at += imported * (uint32_t)sizeof(struct ag_wasm_import_entry);
    if (!lies_within(&walk, footer->directory - 4, blocks + 1, 4))
        return false;
    walk.directory = part_at(&walk, footer->directory);
    walk.end = footer->directory - 4;
    struct pass pass = { .module = &module };
    if (walk.directory[-1] != walk.count ||
        !ag_wasm_module_global_slots(&module, &pass.global_slots))
        return false;
    for (uint32_t i = 0; i < walk.count; i += AG_WASM_BLOCK_ENTRIES) {
        if (!check_block(&pass, &walk, i))
            return false;
    }
    return true;
}
