// SPDX-License-Identifier: Apache-2.0
// Journal blocks and records: encode, check, repair one bit, walk, append.
//
// A head is checked before its length is used, a payload before it is handed on. CRC-32 has a
// Hamming distance of 4 up to 11 KB, more than any record here, so that one flipped bit is told
// from two, and its place follows from the checksum alone.
//
// What a generation before left in a block must never pass as this one's, also not with a bit put
// right. So the checksums of a generation continue from that of its number: numbers that differ in
// one bit then differ as bytes before the record would, where no bit is put right. (Seeded with the
// number itself they would differ as one bit within the record does.)
#include "store/journal.h"

#include <string.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "base/writer.h"

#define BLOCK_MAGIC    0x314A4741u // "AGJ1"
#define FORMAT_VERSION 2u
#define NO_FLIP        UINT32_MAX

// Programs go out in pieces of this many bytes at most; covers all small records at once.
#define STAGE_SIZE 192u

uint32_t ag_journal_ring_size(uint32_t image_size)
{
    const uint32_t blocks = image_size / AG_FLASH_BLOCK / 16 & ~1u;
    if (blocks < 4)
        return 4;
    return blocks > AG_STORE_JOURNAL_MAX ? AG_STORE_JOURNAL_MAX : blocks;
}

static uint32_t round_to_unit(size_t size)
{
    return ((uint32_t)size + AG_FLASH_UNIT - 1) & ~(AG_FLASH_UNIT - 1);
}

uint32_t ag_journal_record_size(size_t payload_size)
{
    return AG_JOURNAL_RECORD_HEAD + round_to_unit(payload_size);
}

AG_FLASH_READS_BLANK bool ag_journal_is_blank(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xFF)
            return false;
    }
    return true;
}

// Finds the one bit of `size` bytes whose flip explains the difference between two checksums:
// the checksum's register is stepped back from the last bit to the first.
static bool find_flip(size_t size, uint32_t difference, uint32_t *bit)
{
    uint32_t step = 0xEDB88320u;
    for (size_t i = size * 8; i-- > 0;) {
        if (step == difference) {
            *bit = (uint32_t)i;
            return true;
        }
        step = (step & 1) ? step >> 1 ^ 0xEDB88320u : step >> 1;
    }
    return false;
}

// Compares `size` bytes with their checksum. True when they are right, or are with the bit *flip
// inverted (NO_FLIP: as they are). *repaired is set when any bit is wrong, also of the checksum.
static bool check(const uint8_t *bytes, size_t size, uint32_t seed, uint32_t crc, uint32_t *flip,
                  bool *repaired)
{
    const uint32_t difference = ag_crc32_update(seed, bytes, size) ^ crc;
    *flip = NO_FLIP;
    *repaired = difference != 0;
    if (difference == 0 || (difference & (difference - 1)) == 0)
        return true; // right, or the flipped bit is in the checksum
    return find_flip(size, difference, flip);
}

static void invert(uint8_t *bytes, uint32_t flip)
{
    if (flip != NO_FLIP)
        bytes[flip / 8] ^= (uint8_t)(1u << flip % 8);
}

// Copies `size` bytes whose last four are the checksum of the others, with one bit put right.
static bool copy_checked(const uint8_t *from, uint32_t seed, uint8_t *to, size_t size,
                         bool *repaired)
{
    struct ag_reader reader;
    uint32_t flip;
    ag_reader_init(&reader, from + size - 4, 4);
    if (!check(from, size - 4, seed, ag_reader_u32le(&reader), &flip, repaired))
        return false;
    memcpy(to, from, size);
    invert(to, flip);
    return true;
}

static uint32_t seed_of(uint32_t generation)
{
    uint8_t bytes[4];
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, sizeof bytes);
    ag_writer_u32le(&writer, generation);
    return ag_crc32_update(0, bytes, sizeof bytes);
}

void ag_journal_encode_head(const struct ag_block_head *head, uint8_t bytes[32])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, 32);
    ag_writer_u32le(&writer, BLOCK_MAGIC);
    ag_writer_u8(&writer, FORMAT_VERSION);
    ag_writer_u8(&writer, 4);  // log2 of the unit
    ag_writer_u8(&writer, 12); // log2 of the block
    ag_writer_u8(&writer, 0);
    ag_writer_u32le(&writer, head->image_size);
    ag_writer_u16le(&writer, (uint16_t)ag_journal_ring_size(head->image_size));
    ag_writer_u16le(&writer, head->index);
    ag_writer_u32le(&writer, head->generation);
    ag_writer_u32le(&writer, head->sequence);
    ag_writer_u32le(&writer, 0);
    ag_writer_u32le(&writer, ag_crc32_update(0, bytes, 28));
}

bool ag_journal_decode_head(const uint8_t *block, struct ag_block_head *head)
{
    uint8_t bytes[32];
    bool repaired;
    struct ag_reader reader;
    if (ag_journal_is_blank(block, sizeof bytes) ||
        !copy_checked(block, 0, bytes, sizeof bytes, &repaired))
        return false;
    ag_reader_init(&reader, bytes, sizeof bytes);
    const uint32_t magic = ag_reader_u32le(&reader);
    const uint8_t version = ag_reader_u8(&reader);
    const uint8_t unit = ag_reader_u8(&reader);
    const uint8_t size = ag_reader_u8(&reader);
    ag_reader_u8(&reader);
    head->image_size = ag_reader_u32le(&reader);
    ag_reader_u16le(&reader);
    head->index = ag_reader_u16le(&reader);
    head->generation = ag_reader_u32le(&reader);
    head->sequence = ag_reader_u32le(&reader);
    return magic == BLOCK_MAGIC && version == FORMAT_VERSION && unit == 4 && size == 12 &&
           head->index < AG_STORE_JOURNAL_MAX / 2;
}

void ag_journal_encode_commit(uint32_t generation, uint32_t next_id, uint16_t rotor,
                              uint8_t bytes[16])
{
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, 16);
    ag_writer_u32le(&writer, next_id);
    ag_writer_u16le(&writer, rotor);
    ag_writer_u16le(&writer, 0);
    ag_writer_u32le(&writer, ~generation);
    ag_writer_u32le(&writer, ag_crc32_update(seed_of(generation), bytes, 12));
}

bool ag_journal_decode_commit(const uint8_t *block, uint32_t generation, uint32_t *next_id,
                              uint16_t *rotor)
{
    uint8_t bytes[16];
    bool repaired;
    struct ag_reader reader;
    if (ag_journal_is_blank(block + 32, sizeof bytes) ||
        !copy_checked(block + 32, seed_of(generation), bytes, sizeof bytes, &repaired))
        return false;
    ag_reader_init(&reader, bytes, sizeof bytes);
    *next_id = ag_reader_u32le(&reader);
    *rotor = ag_reader_u16le(&reader);
    ag_reader_u16le(&reader);
    return ag_reader_u32le(&reader) == ~generation;
}

// What a record's head says, before its payload is looked at.
struct head {
    uint32_t sequence;
    uint32_t crc;
    uint16_t size;
    uint8_t type;
    uint8_t flags;
    bool repaired;
};

// `offset` must leave room for a head in its block.
static bool decode_record(const struct ag_flash *flash, uint32_t generation, uint32_t offset,
                          struct head *head)
{
    uint8_t bytes[AG_JOURNAL_RECORD_HEAD];
    struct ag_reader reader;
    if (!copy_checked(flash->base + offset, seed_of(generation), bytes, sizeof bytes,
                      &head->repaired))
        return false;
    ag_reader_init(&reader, bytes, sizeof bytes);
    head->type = ag_reader_u8(&reader);
    head->flags = ag_reader_u8(&reader);
    head->size = ag_reader_u16le(&reader);
    head->sequence = ag_reader_u32le(&reader);
    head->crc = ag_reader_u32le(&reader);
    const uint32_t left = AG_FLASH_BLOCK - offset % AG_FLASH_BLOCK;
    return ag_journal_record_size(head->size) <= left;
}

static bool check_payload(const struct ag_flash *flash, uint32_t offset, const struct head *head,
                          struct ag_record *record, bool *repaired)
{
    record->offset = offset;
    record->size = head->size;
    record->type = head->type;
    record->flags = head->flags;
    return check(flash->base + offset + AG_JOURNAL_RECORD_HEAD, head->size, 0, head->crc,
                 &record->flip, repaired);
}

bool ag_journal_load(const struct ag_flash *flash, uint32_t generation, uint32_t offset,
                     struct ag_record *record)
{
    struct head head;
    bool repaired;
    return decode_record(flash, generation, offset, &head) &&
           check_payload(flash, offset, &head, record, &repaired);
}

// Enters the block in hand of the walk, or skips it when its head is lost.
static bool enter_block(const struct ag_flash *flash, const struct ag_journal *journal,
                        struct ag_journal_cursor *cursor)
{
    struct ag_block_head head;
    const uint8_t place = journal->ring[cursor->block];
    cursor->closed = false;
    if (place == AG_JOURNAL_UNREADABLE ||
        !ag_journal_decode_head(flash->base + place * AG_FLASH_BLOCK, &head)) {
        cursor->damaged++;
        cursor->closed = true;
        return false;
    }
    cursor->at = place * AG_FLASH_BLOCK + AG_JOURNAL_BLOCK_HEAD;
    cursor->sequence = head.sequence;
    return true;
}

enum found {
    FOUND_RECORD,
    FOUND_OTHER, // a record whose payload cannot be read, or of a type not asked for
    FOUND_END,   // of the block
};

static enum found next_in_block(const struct ag_flash *flash, uint32_t generation,
                                struct ag_journal_cursor *cursor, struct ag_record *record)
{
    const uint32_t left = AG_FLASH_BLOCK - cursor->at % AG_FLASH_BLOCK;
    struct head head;
    bool repaired;
    if (cursor->at % AG_FLASH_BLOCK == 0)
        return FOUND_END;
    if (ag_journal_is_blank(flash->base + cursor->at, left))
        return FOUND_END;
    if (!decode_record(flash, generation, cursor->at, &head) || head.sequence != cursor->sequence) {
        cursor->damaged++;
        cursor->closed = true;
        return FOUND_END;
    }
    if (cursor->types != 0 && (head.type >= 32 || !(cursor->types >> head.type & 1))) {
        cursor->at += ag_journal_record_size(head.size);
        cursor->sequence++;
        return FOUND_OTHER;
    }
    const bool sound = check_payload(flash, cursor->at, &head, record, &repaired);
    cursor->at += ag_journal_record_size(head.size);
    cursor->sequence++;
    if (!sound) {
        cursor->damaged++;
        return FOUND_OTHER;
    }
    cursor->repaired += (head.repaired || repaired) ? 1 : 0;
    return FOUND_RECORD;
}

bool ag_journal_next(const struct ag_flash *flash, const struct ag_journal *journal,
                     struct ag_journal_cursor *cursor, struct ag_record *record)
{
    while (cursor->block < journal->used) {
        enum found found = FOUND_END;
        if (cursor->at != 0 || enter_block(flash, journal, cursor)) {
            do
                found = next_in_block(flash, journal->generation, cursor, record);
            while (found == FOUND_OTHER);
        }
        if (found == FOUND_RECORD)
            return true;
        // The last block stays in hand: its end is where the journal goes on.
        if (cursor->block + 1 == journal->used)
            return false;
        cursor->block++;
        cursor->at = 0;
    }
    return false;
}

void ag_journal_read(const struct ag_flash *flash, const struct ag_record *record, uint32_t from,
                     void *bytes, size_t size)
{
    uint8_t *to = bytes;
    memcpy(to, flash->base + record->offset + AG_JOURNAL_RECORD_HEAD + from, size);
    if (record->flip != NO_FLIP && record->flip / 8 >= from && record->flip / 8 - from < size)
        invert(to, record->flip - from * 8);
}

bool ag_journal_fits(const struct ag_journal *journal, size_t payload_size)
{
    if (journal->tail % AG_FLASH_BLOCK == 0)
        return false; // closed, or full to the last unit
    return ag_journal_record_size(payload_size) <= AG_FLASH_BLOCK - journal->tail % AG_FLASH_BLOCK;
}

static bool is_used(const struct ag_journal *journal, uint32_t place)
{
    for (uint8_t i = 0; journal && i < journal->used; i++) {
        if (journal->ring[i] == place)
            return true;
    }
    return false;
}

// The place in the ring behind the newest block of the two journals, so that use goes round.
static uint32_t first_place(const struct ag_journal *journal, const struct ag_journal *other)
{
    const struct ag_journal *newest = journal->used > 0 ? journal : other;
    if (!newest || newest->used == 0)
        return 0;
    const uint8_t place = newest->ring[newest->used - 1];
    return place == AG_JOURNAL_UNREADABLE ? 0 : place + 1u;
}

enum ag_status ag_journal_open_block(const struct ag_flash *flash, struct ag_journal *journal,
                                     const struct ag_journal *other)
{
    const uint32_t ring = ag_journal_ring_size(flash->size);
    const uint32_t start = first_place(journal, other);
    const struct ag_block_head head = { flash->size, journal->generation, journal->sequence,
                                        journal->used };
    uint8_t bytes[32];
    ag_journal_encode_head(&head, bytes);
    for (uint32_t i = 0; i < ring; i++) {
        const uint32_t place = (start + i) % ring;
        const uint32_t offset = place * AG_FLASH_BLOCK;
        if (is_used(journal, place) || is_used(other, place))
            continue;
        if (flash->erase(flash->context, offset) != AG_OK ||
            flash->program(flash->context, offset, bytes, sizeof bytes) != AG_OK)
            continue; // a bad block: leave it out
        journal->ring[journal->used++] = (uint8_t)place;
        journal->tail = offset + AG_JOURNAL_BLOCK_HEAD;
        return AG_OK;
    }
    return AG_ERR_FLASH;
}

// Collects bytes into whole units on their way to the flash.
struct stage {
    const struct ag_flash *flash;
    uint32_t offset; // where the collected bytes go
    uint32_t size;   // collected
    uint8_t bytes[STAGE_SIZE];
};

static enum ag_status stage_flush(struct stage *stage)
{
    const uint32_t size = round_to_unit(stage->size);
    if (size == 0)
        return AG_OK;
    memset(stage->bytes + stage->size, 0xFF, size - stage->size);
    const enum ag_status status =
        stage->flash->program(stage->flash->context, stage->offset, stage->bytes, size);
    stage->offset += size;
    stage->size = 0;
    return status;
}

static enum ag_status stage_add(struct stage *stage, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        const size_t room = STAGE_SIZE - stage->size;
        const size_t part = size < room ? size : room;
        memcpy(stage->bytes + stage->size, at, part);
        stage->size += (uint32_t)part;
        at += part;
        size -= part;
        if (stage->size == STAGE_SIZE) {
            const enum ag_status status = stage_flush(stage);
            if (status != AG_OK)
                return status;
        }
    }
    return AG_OK;
}

// Programs the head; `stage` is at the tail then.
static enum ag_status stage_head(struct stage *stage, const struct ag_journal *journal,
                                 uint8_t type, uint8_t flags, size_t size, uint32_t crc)
{
    uint8_t bytes[AG_JOURNAL_RECORD_HEAD];
    struct ag_writer writer;
    ag_writer_init(&writer, bytes, sizeof bytes);
    ag_writer_u8(&writer, type);
    ag_writer_u8(&writer, flags);
    ag_writer_u16le(&writer, (uint16_t)size);
    ag_writer_u32le(&writer, journal->sequence);
    ag_writer_u32le(&writer, crc);
    ag_writer_u32le(&writer, ag_crc32_update(seed_of(journal->generation), bytes, 12));
    return stage_add(stage, bytes, sizeof bytes);
}

// Moves the tail behind a record that was programmed, or closes the block.
static enum ag_status advance(struct ag_journal *journal, size_t payload_size,
                              enum ag_status status)
{
    if (status != AG_OK) {
        journal->tail = 0;
        return status;
    }
    journal->tail += ag_journal_record_size(payload_size);
    journal->sequence++;
    return AG_OK;
}

enum ag_status ag_journal_write(const struct ag_flash *flash, struct ag_journal *journal,
                                uint8_t type, uint8_t flags, const struct ag_span spans[2],
                                uint32_t *offset)
{
    struct stage stage = { .flash = flash, .offset = journal->tail };
    const size_t size = spans[0].size + spans[1].size;
    uint32_t crc = ag_crc32_update(0, spans[0].bytes, spans[0].size);
    crc = ag_crc32_update(crc, spans[1].bytes, spans[1].size);
    *offset = journal->tail;
    enum ag_status status = stage_head(&stage, journal, type, flags, size, crc);
    for (int i = 0; i < 2 && status == AG_OK; i++)
        status = stage_add(&stage, spans[i].bytes, spans[i].size);
    if (status == AG_OK)
        status = stage_flush(&stage);
    return advance(journal, size, status);
}

enum ag_status ag_journal_copy(const struct ag_flash *flash, struct ag_journal *journal,
                               const struct ag_record *record, uint8_t flags)
{
    struct stage stage = { .flash = flash, .offset = journal->tail };
    uint8_t piece[64];
    uint32_t crc = 0;
    enum ag_status status = AG_OK;
    for (uint32_t at = 0; at < record->size; at += sizeof piece) {
        const size_t size = record->size - at < sizeof piece ? record->size - at : sizeof piece;
        ag_journal_read(flash, record, at, piece, size);
        crc = ag_crc32_update(crc, piece, size);
    }
    status = stage_head(&stage, journal, record->type, flags, record->size, crc);
    for (uint32_t at = 0; at < record->size && status == AG_OK; at += sizeof piece) {
        const size_t size = record->size - at < sizeof piece ? record->size - at : sizeof piece;
        ag_journal_read(flash, record, at, piece, size);
        status = stage_add(&stage, piece, size);
    }
    if (status == AG_OK)
        status = stage_flush(&stage);
    return advance(journal, record->size, status);
}
