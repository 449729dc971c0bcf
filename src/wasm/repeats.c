// SPDX-License-Identifier: Apache-2.0
// What a section names twice: types, which then share the first one's number, and exports, which
// then are refused.
//
// Items are compared through a sorted set of as many as there is room for; what did not get in is
// the next round's. So the time for n items is n log n a round, however they are made.
#include "translator.h"

#if AG_CFG_WASM_TRANSLATOR

struct seen {
    uint32_t offset;
    uint32_t index;
};

static int compare_bytes(const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size)
{
    if (a_size != b_size)
        return a_size < b_size ? -1 : 1;
    return a_size == 0 ? 0 : memcmp(a, b, a_size);
}

static int compare_items(const struct ag_wasm_translator *t, enum ag_wasm_section_id section,
                         uint32_t a, uint32_t b)
{
    struct ag_reader left = ag_wasm_module_reader(&t->module, a);
    struct ag_reader right = ag_wasm_module_reader(&t->module, b);
    if (section == AG_WASM_SECTION_EXPORT) {
        const uint32_t left_size = ag_reader_leb_u32(&left);
        const uint32_t right_size = ag_reader_leb_u32(&right);
        return compare_bytes(left.at, left_size, right.at, right_size);
    }
    struct ag_wasm_function_type x;
    struct ag_wasm_function_type y;
    ag_wasm_read_checked_type(&left, &x);
    ag_wasm_read_checked_type(&right, &y);
    const int order = compare_bytes(x.params, x.param_count, y.params, y.param_count);
    return order != 0 ? order : compare_bytes(x.results, x.result_count, y.results, y.result_count);
}

static void skip_item(struct ag_reader *reader, enum ag_wasm_section_id section)
{
    struct ag_wasm_function_type type;
    if (section == AG_WASM_SECTION_TYPE) {
        ag_wasm_read_checked_type(reader, &type);
        return;
    }
    ag_reader_bytes(reader, ag_reader_leb_u32(reader));
    ag_reader_u8(reader);
    ag_reader_leb_u32(reader);
}

// The place of type `index` among the repeats, or where it would stand.
static uint32_t place_of(const struct ag_wasm_translator *t, uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = t->repeat_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (t->repeats[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_repeat(const struct ag_wasm_translator *t, uint32_t index)
{
    const uint32_t place = place_of(t, index);
    return place < t->repeat_count && t->repeats[place].index == index;
}

uint16_t ag_wasm_first_type(const struct ag_wasm_translator *t, uint32_t index)
{
    return is_repeat(t, index) ? t->repeats[place_of(t, index)].first : (uint16_t)index;
}

static void add_repeat(struct ag_wasm_translator *t, uint32_t index, uint32_t first,
                       const struct seen *limit)
{
    const uint32_t place = place_of(t, index);
    struct ag_wasm_repeat *at = &t->repeats[place];
    if ((const void *)(t->repeats + t->repeat_count + 1) > (const void *)limit) {
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
        return;
    }
    memmove(at + 1, at, (t->repeat_count - place) * sizeof *at);
    at->index = (uint16_t)index;
    at->first = (uint16_t)first;
    t->repeat_count++;
}

// One round: takes in items from index `from` on. Returns the first that found no room.
static uint32_t compare_round(struct ag_wasm_translator *t, enum ag_wasm_section_id section,
                              uint32_t from, struct seen *set, uint32_t capacity)
{
    const struct ag_wasm_items *items = &t->layout.items[section];
    const bool is_type = section == AG_WASM_SECTION_TYPE;
    struct ag_reader reader = ag_wasm_module_reader(&t->module, items->offset);
    uint32_t count = 0;
    uint32_t next = items->count;
    for (uint32_t i = 0; i < items->count && t->reader.status == AG_OK; i++) {
        const uint32_t offset = (uint32_t)(reader.at - t->module.bytes);
        uint32_t low = 0;
        uint32_t high = count;
        int order = 1;
        skip_item(&reader, section);
        if (i < from || (is_type && is_repeat(t, i)))
            continue;
        while (low < high && order != 0) {
            const uint32_t middle = (low + high) / 2;
            order = compare_items(t, section, offset, set[middle].offset);
            if (order > 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (order == 0 && count > 0) {
            if (is_type)
                add_repeat(t, i, set[high].index, set);
            else
                ag_wasm_fail(t, AG_ERR_WASM_INVALID);
        } else if (count < capacity) {
            memmove(set + low + 1, set + low, (count - low) * sizeof *set);
            set[low].offset = offset;
            set[low].index = i;
            count++;
        } else if (next == items->count) {
            next = i;
        }
    }
    return next;
}

void ag_wasm_find_repeats(struct ag_wasm_translator *t, enum ag_wasm_section_id section)
{
    // What is free of the scratch: repeats in its lower half, the set in its upper.
    const uint32_t free = t->scratch_size - t->scratch_fixed;
    const uint32_t half = free / 2 & ~7u;
    const uint32_t capacity = (free - half) / (uint32_t)sizeof(struct seen);
    void *start = t->scratch + t->scratch_fixed;
    void *middle = t->scratch + t->scratch_fixed + half;
    uint32_t from = 0;
    if (section == AG_WASM_SECTION_TYPE)
        t->repeats = start;
    if (capacity == 0)
        ag_wasm_fail(t, AG_ERR_WASM_LIMIT);
    while (from < t->layout.items[section].count && t->reader.status == AG_OK)
        from = compare_round(t, section, from, middle, capacity);
    if (section == AG_WASM_SECTION_TYPE)
        t->scratch_fixed += (t->repeat_count * (uint32_t)sizeof *t->repeats + 7) & ~7u;
}

#endif
