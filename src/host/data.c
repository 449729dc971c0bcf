// SPDX-License-Identifier: Apache-2.0
// A plug-in's own data in RAM: pairs of key and value in one piece.
//
// A pair is the size of its key (1 byte), the size of its value (2 bytes), key, value. What stands
// in struct ag_data was checked by ag_data_accept or put there by ag_data_set: every pair is whole.
#include "host/data.h"

#include <string.h>

#include "base/reader.h"

struct pair {
    uint32_t at;   // offset among the pairs
    uint32_t size; // of all of it
    struct ag_text key;
    struct ag_text value;
};

uint32_t ag_data_ram(uint32_t capacity)
{
    return ((uint32_t)sizeof(struct ag_data) + AG_DATA_HEAD + capacity + 7u) & ~7u;
}

struct ag_data *ag_data_init(void *block, uint32_t capacity)
{
    struct ag_data *data = block;
    memset(data, 0, sizeof *data + AG_DATA_HEAD);
    data->capacity = capacity;
    return data;
}

// The pair at `at`; false at the end, or where there is none that is whole.
static bool read_pair(const struct ag_data *data, uint32_t size, uint32_t at, struct pair *pair)
{
    struct ag_reader reader;
    ag_reader_init(&reader, data->bytes + AG_DATA_HEAD + at, size - at);
    pair->at = at;
    pair->key.size = ag_reader_u8(&reader);
    pair->value.size = ag_reader_u16le(&reader);
    pair->key.at = (const char *)ag_reader_bytes(&reader, pair->key.size);
    pair->value.at = (const char *)ag_reader_bytes(&reader, pair->value.size);
    pair->size = AG_DATA_PAIR_COST + (uint32_t)(pair->key.size + pair->value.size);
    return reader.status == AG_OK;
}

static bool find(const struct ag_data *data, struct ag_text key, struct pair *pair)
{
    if (key.size == 0)
        return false;
    for (uint32_t at = 0; read_pair(data, data->size, at, pair); at += pair->size)
        if (ag_text_is_same(pair->key, key))
            return true;
    return false;
}

enum ag_status ag_data_accept(struct ag_data *data, uint32_t size)
{
    struct pair pair;
    struct pair before;
    data->size = 0;
    for (uint32_t at = 0; at < size; at += pair.size) {
        if (!read_pair(data, size, at, &pair) || pair.key.size == 0 ||
            pair.key.size > AG_DATA_KEY_MAX || find(data, pair.key, &before)) {
            data->size = 0;
            return AG_ERR_MALFORMED;
        }
        data->size = at + pair.size;
    }
    return AG_OK;
}

enum ag_status ag_data_get(const struct ag_data *data, struct ag_text key, struct ag_text *value)
{
    struct pair pair;
    if (!find(data, key, &pair))
        return AG_ERR_NOT_FOUND;
    *value = pair.value;
    return AG_OK;
}

static void take_out(struct ag_data *data, const struct pair *pair)
{
    uint8_t *at = data->bytes + AG_DATA_HEAD + pair->at;
    memmove(at, at + pair->size, data->size - pair->at - pair->size);
    data->size -= pair->size;
    data->is_changed = true;
}

enum ag_status ag_data_set(struct ag_data *data, struct ag_text key, struct ag_text value)
{
    struct pair pair;
    if (key.size == 0 || key.size > AG_DATA_KEY_MAX)
        return AG_ERR_ARGUMENT;
    const bool is_there = find(data, key, &pair);
    if (is_there && ag_text_is_same(pair.value, value))
        return AG_OK;
    const uint32_t room = data->capacity - data->size + (is_there ? pair.size : 0);
    const uint32_t fixed = AG_DATA_PAIR_COST + (uint32_t)key.size;
    if (fixed > room || value.size > room - fixed || value.size > UINT16_MAX)
        return AG_ERR_DATA_QUOTA;
    if (is_there)
        take_out(data, &pair);
    uint8_t *at = data->bytes + AG_DATA_HEAD + data->size;
    at[0] = (uint8_t)key.size;
    at[1] = (uint8_t)value.size;
    at[2] = (uint8_t)(value.size >> 8);
    memcpy(at + AG_DATA_PAIR_COST, key.at, key.size);
    if (value.size > 0)
        memcpy(at + fixed, value.at, value.size);
    data->size += fixed + (uint32_t)value.size;
    data->is_changed = true;
    return AG_OK;
}

enum ag_status ag_data_remove(struct ag_data *data, struct ag_text key)
{
    struct pair pair;
    if (!find(data, key, &pair))
        return AG_ERR_NOT_FOUND;
    take_out(data, &pair);
    return AG_OK;
}

enum ag_status ag_data_key(const struct ag_data *data, uint32_t index, struct ag_text *key)
{
    struct pair pair;
    for (uint32_t at = 0; read_pair(data, data->size, at, &pair); at += pair.size) {
        if (index-- != 0)
            continue;
        *key = pair.key;
        return AG_OK;
    }
    return AG_ERR_NOT_FOUND;
}
