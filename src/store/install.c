// SPDX-License-Identifier: Apache-2.0
// Writing files and code into slots.
//
// A block is erased right before its first program, always: a look at it proves nothing after an
// erase that was cut. Space that was given up is erased only after the record that took it is
// durable.
#include <string.h>

#include "base/crc32.h"
#include "store/log.h"
#include "store/space.h"

static uint32_t round_up(uint32_t size, uint32_t to)
{
    return (size + to - 1) & ~(to - 1);
}

static uint32_t start_of(const struct ag_store_entry *entry)
{
    return entry->block * AG_FLASH_BLOCK;
}

// Durable.
static enum ag_status commit_slot(struct ag_store *store, const struct ag_record_slot *slot)
{
    uint8_t bytes[AG_RECORD_SLOT_MAX];
    const size_t size = ag_record_encode_slot(slot, bytes);
    return ag_log_commit(store, AG_RECORD_SLOT, bytes, size, AG_LOG_MARK);
}

// ---- Reserving ---------------------------------------------------------------------------------

static enum ag_status drop(struct ag_store *store, uint32_t id)
{
    const struct ag_mark mark = { .id = id, .state = AG_MARK_DROPPED };
    uint8_t bytes[AG_MARK_SIZE];
    ag_record_encode_mark(&mark, bytes);
    return ag_log_commit(store, AG_RECORD_MARK, bytes, sizeof bytes, AG_LOG_MARK);
}

static enum ag_status make_room_in_index(struct ag_store *store)
{
    while (store->count == AG_STORE_SLOT_MAX) {
        const struct ag_store_entry *entry = ag_space_first_to_go(store);
        if (!entry)
            return AG_ERR_STORE_FULL;
        const enum ag_status status = drop(store, entry->id);
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

static void open_at(struct ag_store_writer *writer, uint32_t start)
{
    writer->start = start;
    writer->at = start;
    writer->ready = start;
}

static void open_writer(const struct ag_store *store, struct ag_store_writer *writer,
                        const struct ag_store_entry *entry, uint32_t file_size)
{
    memset(writer, 0, sizeof *writer);
    writer->life = store->life;
    writer->slot = entry->id;
    writer->file_size = file_size;
    open_at(writer, start_of(entry));
}

enum ag_status ag_store_reserve(struct ag_store *store,
                                const struct ag_store_reservation *reservation,
                                struct ag_store_writer *writer)
{
    struct ag_record_name name;
    struct ag_record_slot slot;
    uint8_t bytes[AG_RECORD_SLOT_MAX];
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!ag_record_make_name((uint8_t)reservation->kind, reservation->name, &name) ||
        reservation->file_size == 0 ||
        (reservation->kind != AG_STORE_PLUGIN && reservation->kind != AG_STORE_BLOB))
        return AG_ERR_ARGUMENT;
    enum ag_status status = make_room_in_index(store);
    if (status != AG_OK)
        return status;
    const uint32_t blocks = ag_space_blocks((uint64_t)reservation->file_size + AG_FLASH_UNIT - 1 +
                                            reservation->code_size);
    memset(&slot, 0, sizeof slot);
    if (!ag_space_find(store, &name, blocks, &slot.block))
        return AG_ERR_STORE_FULL;
    slot.id = store->next_id;
    slot.version = reservation->version;
    slot.epoch = reservation->epoch;
    slot.file_size = reservation->file_size;
    slot.blocks = (uint16_t)blocks;
    slot.state = AG_STORE_RESERVED;
    slot.kind = name.kind;
    slot.name_size = name.size;
    memcpy(slot.name, name.text, sizeof slot.name);
    const uint16_t before = store->count;
    const struct ag_span spans[2] = { { bytes, ag_record_encode_slot(&slot, bytes) }, { NULL, 0 } };
    status = ag_log_append(store, AG_RECORD_SLOT, spans, AG_LOG_GROWS);
    if (status == AG_OK && store->count != before + 1)
        status = ag_log_sync(store); // something gave way
    const struct ag_store_entry *entry = ag_index_find_const(store, slot.id);
    if (status == AG_OK && !entry)
        status = AG_ERR_INTERNAL;
    if (status == AG_OK)
        open_writer(store, writer, entry, slot.file_size);
    return status;
}

// ---- Bytes -------------------------------------------------------------------------------------

// Leaves the block that failed out from now on: no later slot is lost to it.
static void note_bad_block(struct ag_store *store, uint32_t offset)
{
    const uint16_t block = (uint16_t)(offset / AG_FLASH_BLOCK);
    uint8_t bytes[AG_BAD_BLOCK_SIZE];
    if (ag_index_is_bad(store, block))
        return;
    ag_record_encode_bad_block(block, bytes);
    // At worst it fails once more: the journal is full, or does not work either.
    (void)!ag_log_commit(store, AG_RECORD_BAD_BLOCK, bytes, sizeof bytes, AG_LOG_GROWS);
}

// Programs whole units at writer->at, erasing each block that is entered.
static enum ag_status program(struct ag_store *store, struct ag_store_writer *writer,
                              const uint8_t *bytes, size_t size)
{
    const struct ag_flash *flash = store->flash;
    while (size > 0) {
        const uint32_t room = AG_FLASH_BLOCK - writer->at % AG_FLASH_BLOCK;
        const uint32_t part = size < room ? (uint32_t)size : room;
        if (writer->at == writer->ready) {
            writer->status = flash->erase(flash->context, writer->ready);
            if (writer->status != AG_OK)
                break;
            writer->ready += AG_FLASH_BLOCK;
        }
        writer->status = flash->program(flash->context, writer->at, bytes, part);
        if (writer->status != AG_OK)
            break;
        writer->at += part;
        bytes += part;
        size -= part;
    }
    if (writer->status != AG_OK)
        note_bad_block(store, writer->at);
    return writer->status;
}

// Passes bytes on in pieces that end where the gather size divides the offset on flash; the rest
// waits in the writer.
static enum ag_status feed(struct ag_store *store, struct ag_store_writer *writer,
                           const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const size_t room = AG_CFG_STORE_GATHER - writer->at % AG_CFG_STORE_GATHER;
        const size_t left = room - writer->gathered;
        const size_t part = size < left ? size : left;
        writer->crc = ag_crc32_update(writer->crc, bytes, part);
        writer->offset += (uint32_t)part;
        if (writer->offset % AG_FLASH_BLOCK == 0)
            writer->block_crc = writer->crc;
        memcpy(writer->gather + writer->gathered, bytes, part);
        writer->gathered = (uint16_t)(writer->gathered + part);
        bytes += part;
        size -= part;
        if (part < left)
            break;
        writer->gathered = 0;
        const enum ag_status status = program(store, writer, writer->gather, room);
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

// Programs what waits, padded to whole units.
static enum ag_status flush(struct ag_store *store, struct ag_store_writer *writer)
{
    const size_t size = round_up(writer->gathered, AG_FLASH_UNIT);
    memset(writer->gather + writer->gathered, 0xFF, size - writer->gathered);
    writer->gathered = 0;
    return program(store, writer, writer->gather, size);
}

// The entry that the writer may write to.
static enum ag_status use(struct ag_store *store, const struct ag_store_writer *writer,
                          struct ag_store_entry **entry)
{
    if (!store->ready || writer->life != store->life)
        return AG_ERR_FLASH;
    if (writer->status != AG_OK)
        return writer->status;
    *entry = ag_index_find(store, writer->slot);
    return *entry ? AG_OK : AG_ERR_NOT_FOUND;
}

enum ag_status ag_store_append(struct ag_store *store, struct ag_store_writer *writer,
                               const void *bytes, size_t size)
{
    struct ag_store_entry *entry;
    const enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (writer->code != 0 || entry->state > AG_STORE_COMPLETE)
        return AG_ERR_ARGUMENT;
    if (size > writer->file_size - writer->offset)
        return AG_ERR_FILE_SIZE;
    return feed(store, writer, bytes, size);
}

enum ag_status ag_store_place(const struct ag_store *store, const struct ag_store_writer *writer,
                              const uint8_t **bytes)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, writer->slot);
    if (writer->life != store->life)
        return AG_ERR_FLASH;
    if (!entry)
        return AG_ERR_NOT_FOUND;
    *bytes = store->flash->base + start_of(entry);
    return AG_OK;
}

static void begin_code(struct ag_store_writer *writer, uint32_t at, uint32_t file_crc)
{
    writer->file_crc = file_crc;
    writer->crc = 0;
    writer->offset = 0;
    writer->at = at;
    writer->code = at;
}

enum ag_status ag_store_finish_file(struct ag_store *store, struct ag_store_writer *writer,
                                    const uint8_t **bytes)
{
    struct ag_store_entry *entry;
    enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (writer->code == 0) {
        if (writer->offset < writer->file_size)
            return AG_ERR_TRUNCATED;
        status = flush(store, writer);
        if (status != AG_OK)
            return status;
        begin_code(writer, writer->at, writer->crc);
    }
    *bytes = store->flash->base + start_of(entry);
    return AG_OK;
}

// Takes the blocks behind the slot while they are free. One that moves has none of its new blocks
// before it is sealed.
static bool grow(struct ag_store *store, const struct ag_store_writer *writer,
                 struct ag_store_entry *entry, uint64_t end)
{
    uint32_t block = writer->start / AG_FLASH_BLOCK;
    const bool moves = writer->start != start_of(entry);
    if (!moves)
        block += entry->blocks;
    for (; (uint64_t)block * AG_FLASH_BLOCK < end; block++) {
        if (!ag_space_is_free(store, block))
            return false;
        if (!moves)
            entry->blocks++;
    }
    return true;
}

enum ag_status ag_store_append_code(struct ag_store *store, struct ag_store_writer *writer,
                                    const void *bytes, size_t size)
{
    struct ag_store_entry *entry;
    const enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (writer->code == 0)
        return AG_ERR_ARGUMENT;
    if (!grow(store, writer, entry, (uint64_t)writer->code + writer->offset + size))
        return AG_ERR_STORE_FULL;
    return feed(store, writer, bytes, size);
}

// ---- Records of a slot on its way --------------------------------------------------------------

enum ag_status ag_store_progress(struct ag_store *store, struct ag_store_writer *writer,
                                 const void *tag, size_t tag_size)
{
    struct ag_store_entry *entry;
    struct ag_progress progress = { .id = writer->slot, .tag_size = tag_size };
    uint8_t bytes[AG_PROGRESS_FIXED + AG_STORE_TAG_MAX];
    const enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (tag_size > AG_STORE_TAG_MAX || entry->state != AG_STORE_RESERVED)
        return AG_ERR_ARGUMENT;
    progress.offset =
        writer->code != 0 ? writer->file_size : writer->offset / AG_FLASH_BLOCK * AG_FLASH_BLOCK;
    progress.crc = writer->code != 0 ? writer->file_crc : writer->block_crc;
    if (tag_size > 0)
        memcpy(progress.tag, tag, tag_size);
    const size_t size = ag_record_encode_progress(&progress, bytes);
    return ag_log_commit(store, AG_RECORD_PROGRESS, bytes, size, AG_LOG_GROWS);
}

// Where code may begin behind a whole file: right behind it when the rest of its last block was
// never programmed, else in the next block. Sets `ready` too.
static void begin_code_behind(const struct ag_store *store, struct ag_store_writer *writer,
                              uint32_t start, uint32_t file_crc)
{
    const uint32_t after = start + round_up(writer->file_size, AG_FLASH_UNIT);
    const uint32_t end = round_up(after, AG_FLASH_BLOCK);
    const bool blank = ag_journal_is_blank(store->flash->base + after, end - after);
    begin_code(writer, blank ? after : end, file_crc);
    writer->ready = end;
}

static bool is_sound(const struct ag_store *store, uint32_t start, uint32_t size, uint32_t crc)
{
    return ag_crc32_update(0, store->flash->base + start, size) == crc;
}

enum ag_status ag_store_resume(struct ag_store *store, uint32_t id, struct ag_store_writer *writer,
                               uint32_t *offset, uint8_t tag[AG_STORE_TAG_MAX], size_t *tag_size)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    struct ag_progress progress = { .id = id };
    if (!entry || entry->state > AG_STORE_COMPLETE || !ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    const uint32_t start = start_of(entry);
    open_writer(store, writer, entry, slot.file_size);
    if (slot.state == AG_STORE_COMPLETE) {
        progress.offset = slot.file_size;
        progress.crc = slot.file_crc;
    } else if (!ag_log_find_progress(store, id, &progress)) {
        progress.offset = 0;
    }
    if (progress.offset > slot.file_size || !is_sound(store, start, progress.offset, progress.crc))
        progress = (struct ag_progress){ .id = id };
    writer->offset = progress.offset;
    writer->crc = progress.crc;
    writer->block_crc = progress.crc; // a whole number of blocks, or the end of the file
    writer->at = start + progress.offset;
    writer->ready = writer->at;
    if (progress.offset == slot.file_size)
        begin_code_behind(store, writer, start, progress.crc);
    *offset = progress.offset;
    *tag_size = progress.tag_size;
    memcpy(tag, progress.tag, progress.tag_size);
    return AG_OK;
}

enum ag_status ag_store_complete(struct ag_store *store, struct ag_store_writer *writer,
                                 const uint8_t sha256[AG_STORE_SHA256_SIZE])
{
    struct ag_store_entry *entry;
    struct ag_record_slot slot;
    enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (writer->code == 0 || entry->state > AG_STORE_COMPLETE)
        return AG_ERR_ARGUMENT;
    if (!ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    slot.state = AG_STORE_COMPLETE;
    slot.file_crc = writer->file_crc;
    memcpy(slot.sha256, sha256, sizeof slot.sha256);
    return commit_slot(store, &slot);
}

// Says in the record where the code is, and gives back the blocks behind it.
static void bind_code(const struct ag_store_writer *writer, uint32_t engine,
                      struct ag_record_slot *slot)
{
    uint32_t end = writer->start + slot->file_size;
    slot->block = (uint16_t)(writer->start / AG_FLASH_BLOCK);
    slot->code_offset = writer->offset > 0 ? writer->code : 0;
    slot->code_size = writer->offset;
    slot->code_crc = writer->crc;
    slot->engine = engine;
    if (writer->offset > 0)
        end = writer->code + writer->offset;
    slot->blocks = (uint16_t)ag_space_blocks(end - writer->start);
}

enum ag_status ag_store_seal(struct ag_store *store, struct ag_store_writer *writer,
                             const uint8_t sha256[AG_STORE_SHA256_SIZE], uint32_t engine)
{
    struct ag_store_entry *entry;
    struct ag_record_slot slot;
    const uint8_t *file;
    enum ag_status status = ag_store_finish_file(store, writer, &file);
    if (status == AG_OK)
        status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (entry->state > AG_STORE_COMPLETE)
        return AG_ERR_ARGUMENT;
    status = flush(store, writer);
    if (status != AG_OK)
        return status;
    if (!ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    if (slot.kind == AG_STORE_BLOB && writer->offset > 0)
        return AG_ERR_ARGUMENT;
    slot.state = AG_STORE_SEALED;
    slot.file_crc = writer->file_crc;
    memcpy(slot.sha256, sha256, sizeof slot.sha256);
    bind_code(writer, engine, &slot);
    return commit_slot(store, &slot);
}

// ---- Translating again -------------------------------------------------------------------------

// Whether the blocks up to `end` are the slot's or free, and none failed that code would lie in.
static bool reaches(const struct ag_store *store, const struct ag_store_entry *entry, uint32_t from,
                    uint64_t end)
{
    uint32_t block = (uint32_t)entry->block + entry->blocks;
    const uint32_t first = from / AG_FLASH_BLOCK;
    if (block > first && ag_space_count_bad(store, first, block - first) > 0)
        return false;
    while ((uint64_t)block * AG_FLASH_BLOCK < end && ag_space_is_free(store, block))
        block++;
    return (uint64_t)block * AG_FLASH_BLOCK >= end;
}

// Finds room for the slot elsewhere, and gives up what lies there: durable before it is erased.
static enum ag_status make_room_elsewhere(struct ag_store *store, uint32_t blocks, uint32_t id,
                                          uint16_t *block)
{
    const struct ag_store_entry *occupant;
    if (!ag_space_find(store, NULL, blocks, block))
        return AG_ERR_STORE_FULL;
    while ((occupant = ag_space_occupant(store, *block, blocks)) != NULL) {
        if (occupant->id == id)
            return AG_ERR_STORE_FULL; // a previous one that would give way to itself
        const enum ag_status status = drop(store, occupant->id);
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

// Copies the file to where code has room behind it.
static enum ag_status copy_elsewhere(struct ag_store *store, const struct ag_record_slot *slot,
                                     uint32_t code_size, struct ag_store_writer *writer)
{
    const uint32_t from = writer->start;
    const uint32_t blocks =
        ag_space_blocks((uint64_t)slot->file_size + AG_FLASH_UNIT - 1 + code_size);
    uint16_t block;
    enum ag_status status = make_room_elsewhere(store, blocks, slot->id, &block);
    if (status != AG_OK)
        return status;
    writer->code = 0;
    open_at(writer, block * AG_FLASH_BLOCK);
    status = feed(store, writer, store->flash->base + from, slot->file_size);
    if (status == AG_OK)
        status = flush(store, writer);
    if (status == AG_OK)
        begin_code(writer, writer->at, slot->file_crc);
    return status;
}

enum ag_status ag_store_retranslate(struct ag_store *store, uint32_t id, uint32_t code_size,
                                    struct ag_store_writer *writer)
{
    const struct ag_store_entry *entry = ag_index_find_const(store, id);
    struct ag_record_slot slot;
    if (!store->ready)
        return AG_ERR_FLASH;
    if (!entry || !ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    if (slot.state < AG_STORE_SEALED || slot.state > AG_STORE_CONFIRMED ||
        slot.kind != AG_STORE_PLUGIN)
        return AG_ERR_ARGUMENT;
    if (!is_sound(store, start_of(entry), slot.file_size, slot.file_crc))
        return AG_ERR_STORE_DAMAGED;
    open_writer(store, writer, entry, slot.file_size);
    begin_code_behind(store, writer, start_of(entry), slot.file_crc);
    if (reaches(store, entry, writer->code, (uint64_t)writer->code + code_size))
        return AG_OK;
    return copy_elsewhere(store, &slot, code_size, writer);
}

enum ag_status ag_store_seal_code(struct ag_store *store, struct ag_store_writer *writer,
                                  uint32_t engine)
{
    struct ag_store_entry *entry;
    struct ag_record_slot slot;
    enum ag_status status = use(store, writer, &entry);
    if (status != AG_OK)
        return status;
    if (writer->code == 0 || writer->offset == 0 || entry->state < AG_STORE_SEALED)
        return AG_ERR_ARGUMENT;
    status = flush(store, writer);
    if (status != AG_OK)
        return status;
    if (!ag_index_load(store, entry, &slot))
        return AG_ERR_NOT_FOUND;
    // A confirmed file that moves must be in its new place before anything says that it is there.
    if (writer->start != start_of(entry))
        status = ag_log_sync(store);
    if (status != AG_OK)
        return status;
    bind_code(writer, engine, &slot);
    return commit_slot(store, &slot);
}
