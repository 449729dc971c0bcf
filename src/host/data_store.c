// SPDX-License-Identifier: Apache-2.0
// Plug-ins' own data on flash: which version finds which data, whatever was cut in between.
#include "host/data_store.h"

#include "base/reader.h"
#include "base/writer.h"

#define PLACES   3
#define NO_PLACE PLACES
#define FORMAT   1u

_Static_assert(AG_DATA_HEAD + AG_CFG_DATA_MAX <= AG_STORE_VALUE_MAX, "plug-in data is one value");

static enum ag_store_key key_of(int place)
{
    return (enum ag_store_key)((int)AG_STORE_DATA + place);
}

// Who owns each place; 0: nobody.
static void read_owners(const struct ag_store *store, const char *name, uint32_t owners[PLACES])
{
    for (int i = 0; i < PLACES; i++) {
        uint8_t head[AG_DATA_HEAD];
        size_t size;
        struct ag_reader reader;
        enum ag_status status = ag_store_peek(store, key_of(i), name, head, sizeof head, &size);
        ag_reader_init(&reader, head, status == AG_OK && size >= sizeof head ? sizeof head : 0);
        owners[i] = ag_reader_u32le(&reader); // 0 where it cannot be read
    }
}

static int place_owned_by(const uint32_t owners[PLACES], uint32_t id)
{
    for (int i = 0; i < PLACES; i++)
        if (id != 0 && owners[i] == id)
            return i;
    return NO_PLACE;
}

// What a confirmed version finds.
static int place_of_confirmed(const uint32_t owners[PLACES], uint32_t id)
{
    int found = NO_PLACE;
    for (int i = 0; i < PLACES; i++)
        if (owners[i] != 0 && owners[i] <= id && (found == NO_PLACE || owners[i] > owners[found]))
            found = i;
    return found;
}

static int place_found_by(const uint32_t owners[PLACES], const struct ag_data_line *line,
                          uint32_t id)
{
    if (id != line->next)
        return place_of_confirmed(owners, id);
    const int own = place_owned_by(owners, id);
    return own != NO_PLACE ? own : place_of_confirmed(owners, line->current);
}

// A place that the version of slot `id` may write: its own, or one that no other version finds.
static int place_to_write(const uint32_t owners[PLACES], const struct ag_data_line *line,
                          uint32_t id)
{
    const int own = place_owned_by(owners, id);
    if (own != NO_PLACE)
        return own;
    const int previous = place_of_confirmed(owners, line->previous);
    const int next = place_owned_by(owners, line->next);
    const int current = id == line->current ? NO_PLACE : place_of_confirmed(owners, line->current);
    for (int i = 0; i < PLACES; i++)
        if (i != previous && i != next && i != current)
            return i;
    return NO_PLACE; // never: id is current or next, so at most two of the three are others'
}

enum ag_status ag_data_store_clean(struct ag_store *store, const struct ag_data_line *line)
{
    uint32_t owners[PLACES];
    read_owners(store, line->name, owners);
    const int current = place_of_confirmed(owners, line->current);
    const int previous = place_of_confirmed(owners, line->previous);
    const int next = place_owned_by(owners, line->next);
    for (int i = 0; i < PLACES; i++) {
        if (owners[i] == 0 || i == current || i == previous || i == next)
            continue;
        enum ag_status status = ag_store_delete(store, key_of(i), line->name);
        if (status != AG_OK && status != AG_ERR_NOT_FOUND)
            return status;
    }
    return AG_OK;
}

enum ag_status ag_data_store_load(const struct ag_store *store, const struct ag_data_line *line,
                                  uint32_t owner, struct ag_data *data)
{
    uint32_t owners[PLACES];
    read_owners(store, line->name, owners);
    const int place = place_found_by(owners, line, owner);
    data->owner = owner;
    data->size = 0;
    data->is_changed = false;
    if (place == NO_PLACE)
        return AG_OK;
    size_t size;
    enum ag_status status = ag_store_get(store, key_of(place), line->name, data->bytes,
                                         AG_DATA_HEAD + data->capacity, &size);
    if (status == AG_ERR_NO_SPACE)
        return AG_ERR_DATA_QUOTA;
    if (status == AG_OK && data->bytes[AG_DATA_HEAD - 1] == FORMAT)
        (void)!ag_data_accept(data, (uint32_t)size - AG_DATA_HEAD); // else it stays empty
    return AG_OK;
}

static bool may_write(const struct ag_store *store, const struct ag_data_line *line, uint32_t owner)
{
    struct ag_store_slot slot;
    return (owner == line->current || owner == line->next) &&
           ag_store_get_slot(store, owner, &slot) == AG_OK && slot.state != AG_STORE_FAILED;
}

enum ag_status ag_data_store_save(struct ag_store *store, const struct ag_data_line *line,
                                  struct ag_data *data)
{
    uint32_t owners[PLACES];
    struct ag_writer head;
    if (!may_write(store, line, data->owner))
        return AG_OK;
    read_owners(store, line->name, owners);
    const int place = place_to_write(owners, line, data->owner);
    if (place == NO_PLACE)
        return AG_ERR_STORE_FULL;
    ag_writer_init(&head, data->bytes, AG_DATA_HEAD);
    ag_writer_u32le(&head, data->owner);
    ag_writer_u8(&head, FORMAT);
    enum ag_status status =
        ag_store_put(store, key_of(place), line->name, data->bytes, AG_DATA_HEAD + data->size);
    if (status == AG_OK)
        data->is_changed = false;
    return status;
}
