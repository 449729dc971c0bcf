// SPDX-License-Identifier: Apache-2.0
// Payloads of the journal's records to and from structs. FORMATS.md section 3 is the same in words.
#include "store/record.h"

#include <string.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "base/writer.h"

// Copies the payload, at most `capacity` bytes of it, and sets the reader on it.
static void read_payload(const struct ag_flash *flash, const struct ag_record *record,
                         uint8_t *bytes, size_t capacity, struct ag_reader *reader)
{
    const size_t size = record->size < capacity ? record->size : capacity;
    ag_journal_read(flash, record, 0, bytes, size);
    ag_reader_init(reader, bytes, size);
}

static void read_name(struct ag_reader *reader, struct ag_record_name *name)
{
    name->kind = ag_reader_u8(reader);
    name->size = ag_reader_u8(reader);
    if (name->size == 0 || name->size > AG_CFG_NAME_MAX)
        ag_reader_fail(reader, AG_ERR_MALFORMED);
    const uint8_t *text = ag_reader_bytes(reader, name->size);
    if (!text)
        return;
    memcpy(name->text, text, name->size);
    name->text[name->size] = 0;
    if (memchr(name->text, 0, name->size))
        ag_reader_fail(reader, AG_ERR_MALFORMED);
}

static void write_name(struct ag_writer *writer, const struct ag_record_name *name)
{
    ag_writer_u8(writer, name->kind);
    ag_writer_u8(writer, name->size);
    ag_writer_bytes(writer, name->text, name->size);
}

bool ag_record_make_name(uint8_t kind, const char *text, struct ag_record_name *name)
{
    const char *end = memchr(text, 0, AG_CFG_NAME_MAX + 1);
    if (!end || end == text)
        return false;
    name->kind = kind;
    name->size = (uint8_t)(end - text);
    memcpy(name->text, text, name->size + 1u);
    return true;
}

bool ag_record_read_name(const struct ag_flash *flash, const struct ag_record *record,
                         uint32_t from, struct ag_record_name *name)
{
    uint8_t bytes[2 + AG_CFG_NAME_MAX];
    struct ag_reader reader;
    if (from > record->size)
        return false;
    const size_t left = record->size - from;
    const size_t size = left < sizeof bytes ? left : sizeof bytes;
    ag_journal_read(flash, record, from, bytes, size);
    ag_reader_init(&reader, bytes, size);
    read_name(&reader, name);
    return reader.status == AG_OK;
}

bool ag_record_same_name(const struct ag_record_name *a, const struct ag_record_name *b)
{
    return a->kind == b->kind && a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

uint32_t ag_record_hash_name(const struct ag_record_name *name)
{
    return ag_crc32_update(name->kind, name->text, name->size);
}

size_t ag_record_encode_name(const struct ag_record_name *name, uint8_t *bytes)
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, 2u + AG_CFG_NAME_MAX);
    write_name(&writer, name);
    return writer.size;
}

size_t ag_record_encode_slot(const struct ag_record_slot *slot, uint8_t bytes[AG_RECORD_SLOT_MAX])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_RECORD_SLOT_MAX);
    ag_writer_u32le(&writer, slot->id);
    ag_writer_u32le(&writer, slot->version);
    ag_writer_u32le(&writer, slot->epoch);
    ag_writer_u32le(&writer, slot->file_size);
    ag_writer_u32le(&writer, slot->file_crc);
    ag_writer_u32le(&writer, slot->code_offset);
    ag_writer_u32le(&writer, slot->code_size);
    ag_writer_u32le(&writer, slot->code_crc);
    ag_writer_u32le(&writer, slot->engine);
    ag_writer_u16le(&writer, slot->block);
    ag_writer_u16le(&writer, slot->blocks);
    ag_writer_u16le(&writer, slot->failure);
    ag_writer_u8(&writer, slot->trials);
    ag_writer_u8(&writer, slot->state);
    ag_writer_bytes(&writer, slot->sha256, sizeof slot->sha256);
    ag_writer_u8(&writer, slot->kind);
    ag_writer_u8(&writer, slot->name_size);
    ag_writer_bytes(&writer, slot->name, slot->name_size);
    return writer.size;
}

// Extent, file and code lie where such things may lie.
static bool places_are_sound(const struct ag_flash *flash, const struct ag_record_slot *slot)
{
    const uint32_t first = ag_journal_ring_size(flash->size);
    const uint32_t all = flash->size / AG_FLASH_BLOCK;
    if (slot->block < first || slot->blocks == 0 || slot->blocks > all ||
        slot->block > all - slot->blocks)
        return false;
    const uint32_t start = slot->block * AG_FLASH_BLOCK;
    const uint32_t size = slot->blocks * AG_FLASH_BLOCK;
    if (slot->file_size == 0 || slot->file_size > size)
        return false;
    if (slot->code_offset == 0)
        return slot->code_size == 0;
    if (slot->code_offset % AG_FLASH_UNIT != 0 || slot->code_offset < start ||
        slot->code_offset - start < slot->file_size || slot->code_offset - start > size)
        return false;
    return slot->code_size <= size - (slot->code_offset - start);
}

bool ag_record_decode_slot(const struct ag_flash *flash, const struct ag_record *record,
                           struct ag_record_slot *slot)
{
    uint8_t bytes[AG_RECORD_SLOT_MAX];
    struct ag_reader reader;
    struct ag_record_name name = { .size = 0 };
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    slot->id = ag_reader_u32le(&reader);
    slot->version = ag_reader_u32le(&reader);
    slot->epoch = ag_reader_u32le(&reader);
    slot->file_size = ag_reader_u32le(&reader);
    slot->file_crc = ag_reader_u32le(&reader);
    slot->code_offset = ag_reader_u32le(&reader);
    slot->code_size = ag_reader_u32le(&reader);
    slot->code_crc = ag_reader_u32le(&reader);
    slot->engine = ag_reader_u32le(&reader);
    slot->block = ag_reader_u16le(&reader);
    slot->blocks = ag_reader_u16le(&reader);
    slot->failure = ag_reader_u16le(&reader);
    slot->trials = ag_reader_u8(&reader);
    slot->state = ag_reader_u8(&reader);
    const uint8_t *sha256 = ag_reader_bytes(&reader, sizeof slot->sha256);
    if (sha256)
        memcpy(slot->sha256, sha256, sizeof slot->sha256);
    read_name(&reader, &name);
    slot->kind = name.kind;
    slot->name_size = name.size;
    memcpy(slot->name, name.text, sizeof slot->name);
    return reader.status == AG_OK && slot->id != 0 && slot->state >= AG_STORE_RESERVED &&
           slot->state <= AG_STORE_FAILED && places_are_sound(flash, slot);
}

void ag_record_encode_mark(const struct ag_mark *mark, uint8_t bytes[AG_MARK_SIZE])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_MARK_SIZE);
    ag_writer_u32le(&writer, mark->id);
    ag_writer_u8(&writer, mark->state);
    ag_writer_u8(&writer, 0);
    ag_writer_u16le(&writer, mark->detail);
}

bool ag_record_decode_mark(const struct ag_flash *flash, const struct ag_record *record,
                           struct ag_mark *mark)
{
    uint8_t bytes[AG_MARK_SIZE];
    struct ag_reader reader;
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    mark->id = ag_reader_u32le(&reader);
    mark->state = ag_reader_u8(&reader);
    ag_reader_u8(&reader);
    mark->detail = ag_reader_u16le(&reader);
    return reader.status == AG_OK;
}

size_t ag_record_encode_epoch(const struct ag_epoch *epoch,
                              uint8_t bytes[AG_EPOCH_FIXED + 2 + AG_CFG_NAME_MAX])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_EPOCH_FIXED + 2 + AG_CFG_NAME_MAX);
    ag_writer_u32le(&writer, epoch->id);
    ag_writer_u32le(&writer, epoch->epoch);
    write_name(&writer, &epoch->name);
    return writer.size;
}

bool ag_record_decode_epoch(const struct ag_flash *flash, const struct ag_record *record,
                            struct ag_epoch *epoch)
{
    uint8_t bytes[AG_EPOCH_FIXED + 2 + AG_CFG_NAME_MAX];
    struct ag_reader reader;
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    epoch->id = ag_reader_u32le(&reader);
    epoch->epoch = ag_reader_u32le(&reader);
    read_name(&reader, &epoch->name);
    return reader.status == AG_OK;
}

bool ag_record_is_quarantine(const struct ag_quarantine *quarantine)
{
    return quarantine->why != 0 && quarantine->why != AG_ERR_STORE_DAMAGED;
}

void ag_record_encode_quarantine(const struct ag_quarantine *quarantine,
                                 uint8_t bytes[AG_QUARANTINE_SIZE])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_QUARANTINE_SIZE);
    ag_writer_u32le(&writer, quarantine->id);
    ag_writer_u16le(&writer, quarantine->why);
    ag_writer_u16le(&writer, 0);
    ag_writer_bytes(&writer, quarantine->sha256, sizeof quarantine->sha256);
}

bool ag_record_decode_quarantine(const struct ag_flash *flash, const struct ag_record *record,
                                 struct ag_quarantine *quarantine)
{
    uint8_t bytes[AG_QUARANTINE_SIZE];
    struct ag_reader reader;
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    quarantine->id = ag_reader_u32le(&reader);
    quarantine->why = ag_reader_u16le(&reader);
    ag_reader_u16le(&reader);
    const uint8_t *sha256 = ag_reader_bytes(&reader, sizeof quarantine->sha256);
    if (sha256)
        memcpy(quarantine->sha256, sha256, sizeof quarantine->sha256);
    return reader.status == AG_OK;
}

size_t ag_record_encode_progress(const struct ag_progress *progress,
                                 uint8_t bytes[AG_PROGRESS_FIXED + AG_STORE_TAG_MAX])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_PROGRESS_FIXED + AG_STORE_TAG_MAX);
    ag_writer_u32le(&writer, progress->id);
    ag_writer_u32le(&writer, progress->offset);
    ag_writer_u32le(&writer, progress->crc);
    ag_writer_bytes(&writer, progress->tag, progress->tag_size);
    return writer.size;
}

bool ag_record_decode_progress(const struct ag_flash *flash, const struct ag_record *record,
                               struct ag_progress *progress)
{
    uint8_t bytes[AG_PROGRESS_FIXED + AG_STORE_TAG_MAX];
    struct ag_reader reader;
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    progress->id = ag_reader_u32le(&reader);
    progress->offset = ag_reader_u32le(&reader);
    progress->crc = ag_reader_u32le(&reader);
    progress->tag_size = ag_reader_left(&reader);
    const uint8_t *tag = ag_reader_bytes(&reader, progress->tag_size);
    if (tag)
        memcpy(progress->tag, tag, progress->tag_size);
    return reader.status == AG_OK;
}

void ag_record_encode_bad_block(uint16_t block, uint8_t bytes[AG_BAD_BLOCK_SIZE])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, AG_BAD_BLOCK_SIZE);
    ag_writer_u16le(&writer, block);
    ag_writer_u16le(&writer, 0);
}

bool ag_record_decode_bad_block(const struct ag_flash *flash, const struct ag_record *record,
                                uint16_t *block)
{
    uint8_t bytes[AG_BAD_BLOCK_SIZE];
    struct ag_reader reader;
    read_payload(flash, record, bytes, sizeof bytes, &reader);
    *block = ag_reader_u16le(&reader);
    return reader.status == AG_OK && record->size == AG_BAD_BLOCK_SIZE &&
           *block >= ag_journal_ring_size(flash->size) && *block < flash->size / AG_FLASH_BLOCK;
}
