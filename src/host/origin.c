// SPDX-License-Identifier: Apache-2.0
// Where the versions sealed last came from.
#include "host/origin.h"

#include <string.h>

#include "base/config.h"
#include "base/crc32.h"
#include "base/reader.h"
#include "base/writer.h"

#define NAME      "from"
#define FORMAT    1u
#define VALUE_MAX (1u + AG_CFG_ORIGINS * 8u)

struct origin {
    uint32_t slot_id; // 0: none
    uint32_t url_crc;
};

// The newest first. Anything malformed is none.
static void load(const struct ag_store *store, struct origin origins[AG_CFG_ORIGINS])
{
    uint8_t value[VALUE_MAX];
    size_t size;
    struct ag_reader reader;
    memset(origins, 0, AG_CFG_ORIGINS * sizeof origins[0]);
    if (ag_store_get(store, AG_STORE_HOST, NAME, value, sizeof value, &size) != AG_OK)
        return;
    ag_reader_init(&reader, value, size);
    if (ag_reader_u8(&reader) != FORMAT)
        return;
    for (uint32_t i = 0; ag_reader_left(&reader) >= 8; i++) {
        origins[i].slot_id = ag_reader_u32le(&reader);
        origins[i].url_crc = ag_reader_u32le(&reader);
    }
}

void ag_origin_note(struct ag_store *store, uint32_t slot_id, struct ag_text url)
{
    struct origin origins[AG_CFG_ORIGINS];
    uint8_t value[VALUE_MAX];
    struct ag_writer out;
    load(store, origins);
    ag_writer_init(&out, value, sizeof value);
    ag_writer_u8(&out, FORMAT);
    ag_writer_u32le(&out, slot_id);
    ag_writer_u32le(&out, ag_crc32_update(0, url.at, url.size));
    for (uint32_t i = 0; i + 1 < AG_CFG_ORIGINS && origins[i].slot_id != 0; i++) {
        ag_writer_u32le(&out, origins[i].slot_id);
        ag_writer_u32le(&out, origins[i].url_crc);
    }
    (void)!ag_store_put_along(store, AG_STORE_HOST, NAME, value, out.size);
}

bool ag_origin_is(const struct ag_store *store, uint32_t slot_id, struct ag_text url)
{
    struct origin origins[AG_CFG_ORIGINS];
    load(store, origins);
    for (uint32_t i = 0; i < AG_CFG_ORIGINS; i++)
        if (origins[i].slot_id == slot_id)
            return slot_id != 0 && origins[i].url_crc == ag_crc32_update(0, url.at, url.size);
    return false;
}
