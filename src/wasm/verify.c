// SPDX-License-Identifier: Apache-2.0
// Verifies a code image where it lies: afterwards nothing in it can lead the interpreter out of the
// instance's memory, the module and the image, nor keep it running for ever without fuel. Results
// may still be wrong, if bits are.
//
// What holds of every function then: each instruction's number exists; its slots lie within the
// frame and none that is written is the slot of the return position, which therefore always is the
// position behind the call that made the frame; a callee's frame begins behind that slot; indices
// are in range; whatever leads somewhere, leads to an instruction of the same function, the last of
// which goes nowhere else; and what leads back or calls costs fuel. Types are not looked at: a
// value of another type is just bits.
//
// One pass over each function, in constant memory. A bit for each of 2,048 units around the
// instruction in hand: before it, set where an instruction starts; behind it, where one must.
// Translated code leads at most 1,023 units forward and about 32,000 back. Where it leads back
// further than the bits go, the code is read again from a start noted for each block of 256 units.
#include "base/config.h"
#include "image.h"
#include "opcodes.h"

#define LETTERS 7u

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
    AG_ACCUMULATOR(X(anDA) X(ahnDA) X(dada) X(dahda) X(andah) X(dandah) X(dahdah))                 \
    AG_ACCUMULATOR(X(anda) X(andh) X(ahnda) X(ahndh) X(AhDA) X(hDA) X(AADA) X(ADA))                \
    AG_ACCUMULATOR(X(ahda) X(ahdh) X(hda) X(hdh) X(aada) X(aadh) X(ada) X(adh))                    \
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
    X(Dahn)                                                                                        \
    AG_ACCUMULATOR(X(ahnhco) X(daco) X(q))                                                         \
    AG_ACCUMULATOR(X(anco) X(anaco) X(anhco) X(aanco) X(aanaco) X(aanhco) X(ahnco) X(ahnaco))      \
    AG_ACCUMULATOR(X(dahhco) X(ahaco) X(ahhco) X(haco) X(hhco) X(danco) X(danaco) X(danhco))       \
    AG_ACCUMULATOR(X(ahnh) X(AhA) X(hA) X(AAA) X(anA) X(ahnA) X(dahco) X(dahaco))                  \
    AG_ACCUMULATOR(X(aha) X(ahh) X(ha) X(hh) X(aah) X(ana) X(anh) X(ahna))

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
     ANY(text, 'u') || ANY(text, 'm') || SLOTS(LETTER(text, 4)) > 0 ||                             \
     WRITES(LETTER(text, 1)) > 0 || WRITES(LETTER(text, 2)) > 0 || WRITES(LETTER(text, 3)) > 0)

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

#define BLOCK_UNITS 256u // a look at the label table and a note for each
#define BEHIND      4u   // blocks that may be led to behind the one in hand
#define BEFORE      3u   // blocks before it that still have their bits
#define MARK_WORDS  (BLOCK_UNITS * (BEHIND + BEFORE + 1) / 32)
#define NOTES       128u
#define NO_NOTE     255u // the translator makes no block whose first instruction is there

// One function. Places in it are units from its prologue.
struct pass {
    struct ag_wasm_module module;
    const uint16_t *code;
    const uint32_t *labels;
    uint32_t size;
    uint32_t label_count;
    uint32_t function;     // without imports
    uint32_t global_slots; // of own globals
    uint32_t return_slot;
    int32_t limits[3]; // below which a slot is, by the slots an operand takes
    uint32_t marks[MARK_WORDS];
    uint8_t notes[NOTES]; // of each block: where its first instruction is
};

static uint32_t *word_of(struct pass *pass, uint32_t at)
{
    return &pass->marks[at / 32 % MARK_WORDS];
}

static void mark(struct pass *pass, uint32_t at)
{
    *word_of(pass, at) |= 1u << at % 32;
}

static bool is_marked(struct pass *pass, uint32_t at)
{
    return *word_of(pass, at) >> at % 32 & 1;
}

static uint8_t *note_of(struct pass *pass, uint32_t at)
{
    return &pass->notes[at / BLOCK_UNITS % NOTES];
}

// Makes room for the marks of the block that begins at `start` and sets those of the labels in it.
static void begin_block(struct pass *pass, uint32_t start)
{
    memset(word_of(pass, start), 0, BLOCK_UNITS / 8);
    for (uint32_t i = 0; i < pass->label_count; i++) {
        if (pass->labels[i] / 2 - start < BLOCK_UNITS)
            mark(pass, pass->labels[i] / 2);
    }
}

// Whether an instruction starts at `to`, which is far before `from`.
static bool is_start(struct pass *pass, uint32_t from, uint32_t to)
{
    uint32_t at = to / BLOCK_UNITS * BLOCK_UNITS + *note_of(pass, to);
    if (from / BLOCK_UNITS - to / BLOCK_UNITS >= NOTES || *note_of(pass, to) == NO_NOTE)
        return false;
    while (at < to) { // all of it was verified
        const uint16_t *code = pass->code + at;
        at += UNITS_OF(figures_of[shape_of[code[0]]]);
        at += code[0] == AG_OP_BR_TABLE ? code[4] + 1u : 0;
    }
    return at == to;
}

// Whether the instruction from `from` to `end`, which costs that much, may lead to `to`.
static bool may_lead(struct pass *pass, uint32_t from, uint32_t end, uint32_t to, uint32_t cost)
{
    const uint32_t blocks = to / BLOCK_UNITS - from / BLOCK_UNITS;
    if (to >= pass->size)
        return false;
    if (to >= end) {
        mark(pass, to);
        return blocks <= BEHIND;
    }
    return to <= from && cost > 0 &&
           (0 - blocks <= BEFORE ? is_marked(pass, to) : is_start(pass, from, to));
}

// The places of labels are verified when their blocks are begun.
static bool may_lead_to_label(const struct pass *pass, uint32_t from, uint32_t label, uint32_t cost)
{
    return label < pass->label_count && (pass->labels[label] / 2 > from || cost > 0);
}

static bool labels_are_within(const struct pass *pass)
{
    for (uint32_t i = 0; i < pass->label_count; i++) {
        const uint32_t to = pass->labels[i] / 2;
        if (pass->labels[i] % 2 != 0 || to < AG_WASM_PROLOGUE_UNITS || to >= pass->size)
            return false;
    }
    return true;
}

static bool global_is_linked(const struct pass *pass, uint32_t index, uint32_t slots)
{
    struct ag_wasm_extern type;
    if (index >= pass->module.layout->imported[AG_WASM_GLOBAL])
        return false;
    uint32_t slot;
    ag_wasm_module_global(&pass->module, index, &type, &slot);
    return ag_wasm_slot_size(type.value_type) == slots;
}

// Whether operand `i` of an instruction, of this letter, may have its value.
static bool letter_is_sound(const struct pass *pass, const uint16_t *code, uint32_t i, char letter)
{
    const uint32_t value = code[i + 1];
    const struct ag_wasm_layout *layout = pass->module.layout;
    uint32_t count = UINT32_MAX;
    switch (letter) {
    case 'a':
        return (int32_t)value < pass->limits[1];
    case 'A':
        return (int32_t)value < pass->limits[2];
    case 'd':
        return (int32_t)value < pass->limits[1] && value != pass->return_slot;
    case 'D':
        return (int32_t)value < pass->limits[2] && pass->return_slot - value > 1;
    case 'r':
        return value == pass->return_slot;
    case 'R':
        return value == pass->return_slot && value > 0;
    case 'b':
        return value > pass->return_slot && (int32_t)value <= pass->limits[1] && code[1] > 0;
    case 'l':
        return global_is_linked(pass, value, 1);
    case 'L':
        return global_is_linked(pass, value, 2);
    case 'j':
        return value == pass->function;
    case 'm':
        return layout->total[AG_WASM_MEMORY] > 0;
    case 'g':
        count = pass->global_slots;
        break;
    case 'G':
        return value + 1 < pass->global_slots;
    case 'p':
        return value % sizeof(struct ag_wasm_entry) == 0 && value < AG_WASM_BLOCK_SIZE &&
               code[i] * AG_WASM_BLOCK_ENTRIES + value / sizeof(struct ag_wasm_entry) <
                   layout->items[AG_WASM_SECTION_CODE].count;
    case 'i':
        count = layout->imported[AG_WASM_FUNCTION];
        break;
    case 't':
        count = layout->total[AG_WASM_TABLE];
        break;
    case 's':
        count = layout->items[AG_WASM_SECTION_DATA].count;
        break;
    case 'e':
        count = layout->items[AG_WASM_SECTION_ELEMENT].count;
        break;
    }
    return value < count;
}

// What else holds of an instruction that leads to labels; where it ends, or 0 for a refusal.
static uint32_t check_far(struct pass *pass, uint32_t at, uint32_t units, bool is_paid)
{
    const uint16_t *code = pass->code + at;
    if (code[0] == AG_OP_BR_FAR)
        return may_lead_to_label(pass, at, code[2], is_paid) ? at + units : 0;
    const uint32_t labels = code[4] + 1u;
    if (labels > pass->size - at - units)
        return 0;
    for (uint32_t i = 0; i < labels; i++) {
        if (!may_lead_to_label(pass, at, code[units + i], code[2]))
            return 0;
    }
    return at + units + labels;
}

// Goes on from an instruction to its end over a boundary of words of marks: into none of its units
// but the first may anything lead.
static bool step_over(struct pass *pass, uint32_t at, uint32_t end)
{
    for (at++; at <= end; at = at / 32 * 32 + 32) {
        if (at % BLOCK_UNITS == 0) {
            *note_of(pass, at) =
                end / BLOCK_UNITS == at / BLOCK_UNITS ? (uint8_t)(end % BLOCK_UNITS) : NO_NOTE;
            begin_block(pass, at + BEHIND * BLOCK_UNITS);
        }
        if (at == end)
            break;
        const uint32_t left = end - at < 32 ? UINT32_MAX >> (32 - (end - at)) : UINT32_MAX;
        if ((*word_of(pass, at) & left << at % 32) != 0)
            return false;
    }
    return true;
}

// Verifies the instruction at `at`, whose figures these are, but for its slots; where it ends, or 0
// for a refusal. `is_paid`: it is only reached from the one before it, which is nothing but a
// charge.
static uint32_t check_rest(struct pass *pass, uint32_t at, uint32_t figures, bool is_paid)
{
    const uint16_t *code = pass->code + at;
    const uint32_t units = UNITS_OF(figures);
    if (HAS_DISTANCE(figures)) {
        const int32_t distance = (int16_t)code[units - 1];
        return may_lead(pass, at, at + units, at + units - 1 + (uint32_t)distance, code[units - 2])
                   ? at + units
                   : 0;
    }
    const char *letters = letters_of[shape_of[code[0]]];
    for (uint32_t i = 0; letters[i] != 0; i++) {
        if (!letter_is_sound(pass, code, i, letters[i]))
            return 0;
    }
    return code[0] == AG_OP_BR_FAR || code[0] == AG_OP_BR_TABLE
               ? check_far(pass, at, units, is_paid)
               : at + units;
}

static bool check_code(struct pass *pass)
{
    const int32_t *const limits = pass->limits;
    const uint32_t size = pass->size;
    uint32_t at = AG_WASM_PROLOGUE_UNITS;
    uint32_t paid = 0; // end of a charge
    uint32_t op = AG_OP_ILLEGAL;
    while (at < size) {
        const uint16_t *code = pass->code + at;
        uint32_t *word = word_of(pass, at);
        const uint32_t marks = *word >> at % 32;
        op = code[0];
        if (op >= sizeof shape_of)
            return false;
        const uint32_t shape = shape_of[op];
        const uint32_t figures = figures_of[shape];
        const uint32_t units = UNITS_OF(figures);
        uint32_t end = at + units;
        *word |= 1u << at % 32;
        // Behind the code there are an entry and the footer, so four units can always be read.
        if (end > size || code[1] >= limits[SLOTS_OF(figures, 1)] ||
            code[2] >= limits[SLOTS_OF(figures, 2)] || code[3] >= limits[SLOTS_OF(figures, 3)] ||
            code[4] >= limits[SLOTS_OF(figures, 4)] ||
            pass->return_slot - code[1] < WRITES_OF(figures))
            return false;
        if (HAS_DISTANCE(figures) || shape < SHAPE_SPECIALS) {
            end = check_rest(pass, at, figures, paid == at && (marks & 1) == 0);
            if (end == 0)
                return false;
        }
        if (at / 32 != end / 32 ? !step_over(pass, at, end) : (marks & ((1u << units) - 2)) != 0)
            return false;
        at = end;
        if (op == AG_OP_FUEL && code[1] > 0)
            paid = at;
    }
    return op < AG_OP_FIRST_GOING_ON;
}

static bool begin_code(struct pass *pass)
{
    if (!labels_are_within(pass))
        return false;
    for (uint32_t block = 0; block <= BEHIND; block++)
        begin_block(pass, block * BLOCK_UNITS);
    pass->notes[0] = AG_WASM_PROLOGUE_UNITS;
    return check_code(pass);
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
    pass->limits[0] = INT32_MAX;
    pass->limits[1] = entry->frame;
    pass->limits[2] = entry->frame - 1;
    pass->return_slot = pass->code[AG_WASM_PROLOGUE_RETURN];
    walk->at = end;
    return pass->code[AG_WASM_PROLOGUE_PARAMS] <= pass->code[AG_WASM_PROLOGUE_LOCALS] &&
           pass->code[AG_WASM_PROLOGUE_LOCALS] <= pass->return_slot &&
           pass->return_slot < entry->frame && begin_code(pass);
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
    struct pass pass = { .module = ag_wasm_module_of(image) };
    if (walk.directory[-1] != walk.count ||
        !ag_wasm_module_global_slots(&pass.module, &pass.global_slots))
        return false;
    for (uint32_t i = 0; i < walk.count; i += AG_WASM_BLOCK_ENTRIES) {
        if (!check_block(&pass, &walk, i))
            return false;
    }
    return true;
}
