// SPDX-License-Identifier: Apache-2.0
// Log lines: in journal records that anything else may push out.
//
// A record holds lines of one source. It is added without a sync of its own when the caller likes,
// and nothing depends on it: one that was torn by a cut is skipped, and where the journal has no
// room, lines go first.
#include "store/lines.h"

#include <string.h>

#include "base/crc32.h"
#include "store/log.h"

_Static_assert(2u + AG_CFG_NAME_MAX + AG_STORE_LINES_MAX <= AG_JOURNAL_PAYLOAD_MAX,
               "a record of lines fits into a block");

#define LINES_ONLY AG_JOURNAL_ONLY(AG_RECORD_LINES)

enum ag_status ag_store_add_lines(struct ag_store *store, const char *source, const void *bytes,
                                  size_t size)
{
    struct ag_record_name name;
    uint8_t head[2 + AG_CFG_NAME_MAX];
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_record_make_name(0, source, &name) || size > AG_STORE_LINES_MAX)
        return AG_ERR_ARGUMENT;
    const struct ag_span spans[2] = { { head, ag_record_encode_name(&name, head) },
                                      { bytes, size } };
    return ag_log_append(store, AG_RECORD_LINES, spans, AG_LOG_YIELDS);
}

enum ag_status ag_store_sync_lines(struct ag_store *store)
{
    return ag_log_sync(store);
}

void ag_store_read_lines(const struct ag_store *store, const char *source,
                         ag_store_visit_lines visit, void *context)
{
    struct ag_journal_cursor cursor = { .types = LINES_ONLY };
    struct ag_record record;
    struct ag_record_name name;
    uint8_t bytes[AG_STORE_LINES_MAX];
    while (ag_journal_next(store->flash, &store->journal, &cursor, &record)) {
        if (record.type != AG_RECORD_LINES ||
            !ag_record_read_name(store->flash, &record, 0, &name) || name.kind != 0 ||
            (source && strcmp(source, name.text) != 0))
            continue;
        const uint32_t at = 2u + name.size;
        const size_t size = record.size - at;
        if (size > sizeof bytes)
            continue;
        ag_journal_read(store->flash, &record, at, bytes, size);
        visit(context, name.text, bytes, size);
    }
}

// ---- What a compaction keeps -------------------------------------------------------------------

struct found {
    uint32_t offset;
    uint32_t source; // checksum of its name
    uint32_t size;   // on flash
    bool is_kept;
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// The oldest record of the source that has the most: the first to go when there are too many.
static uint32_t find_surplus(const struct found found[AG_LINES_KEEP_MAX])
{
    uint32_t surplus = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < AG_LINES_KEEP_MAX; i++) {
        uint32_t own = 0;
        for (uint32_t k = i; k < AG_LINES_KEEP_MAX; k++)
            own += found[k].source == found[i].source;
        if (own > most) {
            most = own;
            surplus = i;
        }
    }
    return surplus;
}

// The newest records of lines of each source, oldest first.
static uint32_t find_newest(const struct ag_store *store, struct found found[AG_LINES_KEEP_MAX])
{
    struct ag_journal_cursor cursor = { .types = LINES_ONLY };
    struct ag_record record;
    struct ag_record_name name;
    uint32_t count = 0;
    while (ag_journal_next(store->flash, &store->journal, &cursor, &record)) {
        if (record.type != AG_RECORD_LINES || !ag_record_read_name(store->flash, &record, 0, &name))
            continue;
        if (count == AG_LINES_KEEP_MAX) {
            const uint32_t gone = find_surplus(found);
            memmove(found + gone, found + gone + 1, (--count - gone) * sizeof found[0]);
        }
        found[count].offset = record.offset;
        found[count].source = ag_record_hash_name(&name);
        found[count].is_kept = false;
        found[count++].size = ag_journal_record_size(record.size);
    }
    return count;
}

void ag_lines_choose(const struct ag_store *store, struct ag_lines_kept *kept)
{
    struct found found[AG_LINES_KEEP_MAX];
    // A quarter of what a generation can hold besides its last block.
    const uint32_t blocks = ag_journal_ring_size(store->flash->size) / 2 - 1;
    const uint32_t total = smaller(AG_CFG_LOG_KEEP, blocks * (AG_FLASH_BLOCK / 4));
    const uint32_t each = smaller(AG_CFG_LOG_KEEP_EACH, total / 2);
    uint32_t all = 0;
    kept->count = 0;
    const uint32_t count = find_newest(store, found);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t own = found[i].size;
        for (uint32_t k = i + 1; k < count; k++)
            own += found[k].is_kept && found[k].source == found[i].source ? found[k].size : 0;
        if (own > each || found[i].size > total - all)
            continue;
        all += found[i].size;
        found[i].is_kept = true;
        kept->offsets[kept->count++] = found[i].offset;
    }
}

bool ag_lines_are_kept(const struct ag_lines_kept *kept, uint32_t offset)
{
    for (uint16_t i = 0; i < kept->count; i++)
        if (kept->offsets[i] == offset)
            return true;
    return false;
}
